/*
 * wire.h - the protobuf wire format, read by hand.
 *
 * The auditor shares nothing with what it audits: not protobuf-c, not a codec, not a header of
 * a service. Source: protobuf.dev, "Encoding": a message is a run of (field << 3 | type) and value,
 * types 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes.
 */
#ifndef AUDIT_WIRE_H
#define AUDIT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct wire_bytes {
        const uint8_t *data;
        size_t len;
} wire_bytes;

typedef struct wire_field {
        uint32_t number;
        uint8_t type;
        uint64_t value;   /* Types 0, 1, 5. */
        wire_bytes bytes; /* Type 2. */
} wire_field;

/* Takes one field off the front of *rest. False at the end, and (with *ret_bad) at damage. */
bool wire_next(wire_bytes *rest, wire_field *ret_field, bool *ret_bad);

/* The last value of a field; `absent` where it does not stand. */
uint64_t wire_uint(wire_bytes message, uint32_t number, uint64_t absent);
/* The last length-delimited value; empty (data NULL) where it does not stand. */
wire_bytes wire_find(wire_bytes message, uint32_t number);
bool wire_equal(wire_bytes a, wire_bytes b);

#endif
