/*
 * bytes.h - borrowed byte ranges, big-endian integers, and the text checks of a trust boundary.
 *
 * Nothing here owns memory. Keys are built big-endian so that their byte order is their
 * numeric order; stored values use the same functions so that one machine's bytes are every
 * machine's bytes.
 */
#ifndef DOOR_BYTES_H
#define DOOR_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A borrowed range. data may be NULL when len is 0. */
typedef struct door_bytes {
        const uint8_t *data;
        size_t len;
} door_bytes;

#define DOOR_BYTES_EMPTY ((door_bytes){ NULL, 0 })

/* The bytes of a C string without its NUL. text must not be NULL. */
door_bytes door_bytes_of(const char *text);

bool door_bytes_equal(door_bytes a, door_bytes b);

/* Order of memcmp, the shorter first when one begins the other: RocksDB's own order. */
int door_bytes_compare(door_bytes a, door_bytes b);

bool door_bytes_starts_with(door_bytes whole, door_bytes prefix);

void door_put_u16(uint8_t *out, uint16_t value);
void door_put_u32(uint8_t *out, uint32_t value);
void door_put_u64(uint8_t *out, uint64_t value);
uint16_t door_get_u16(const uint8_t *in);
uint32_t door_get_u32(const uint8_t *in);
uint64_t door_get_u64(const uint8_t *in);

/*
 * A writer into caller's storage that remembers having overflowed instead of failing at each
 * step: build a key or a value, then ask `ok` once.
 */
typedef struct door_writer {
        uint8_t *data;
        size_t cap;
        size_t len;
        bool ok;
} door_writer;

door_writer door_writer_on(uint8_t *storage, size_t cap);
void door_write(door_writer *w, door_bytes bytes);
void door_write_u8(door_writer *w, uint8_t value);
void door_write_u16(door_writer *w, uint16_t value);
void door_write_u32(door_writer *w, uint32_t value);
void door_write_u64(door_writer *w, uint64_t value);
/* Length (u16) and bytes; longer than 65535 makes the writer not ok. */
void door_write_sized(door_writer *w, door_bytes bytes);
door_bytes door_written(const door_writer *w);

/* The reader's counterpart: reading past the end clears ok and yields zeros. */
typedef struct door_cursor_in {
        const uint8_t *data;
        size_t len;
        size_t at;
        bool ok;
} door_cursor_in;

door_cursor_in door_reading(door_bytes bytes);
door_bytes door_read(door_cursor_in *r, size_t len);
uint8_t door_read_u8(door_cursor_in *r);
uint16_t door_read_u16(door_cursor_in *r);
uint32_t door_read_u32(door_cursor_in *r);
uint64_t door_read_u64(door_cursor_in *r);
door_bytes door_read_sized(door_cursor_in *r);
/* True when everything was there and nothing is left over. */
bool door_read_done(const door_cursor_in *r);

/*
 * door_text_is_clean - may these bytes stand in a text field?
 *
 * True for well-formed UTF-8 (no overlong forms, surrogates or values above U+10FFFF)
 * without NUL. protobuf-c checks neither (reference/technology.md section 3), so every
 * trust boundary calls this right after unpacking.
 */
bool door_text_is_clean(door_bytes text);

#endif
