#include "audit/wire.h"

#include <string.h>

static bool varint(wire_bytes *rest, uint64_t *ret_value)
{
        uint64_t value = 0;

        for (unsigned shift = 0; shift < 64; shift += 7) {
                if (rest->len == 0) {
                        return false;
                }
                const uint8_t byte = *rest->data++;
                rest->len--;
                value |= (uint64_t)(byte & 0x7F) << shift;
                if ((byte & 0x80) == 0) {
                        *ret_value = value;
                        return true;
                }
        }
        return false;
}

static bool fixed(wire_bytes *rest, size_t width, uint64_t *ret_value)
{
        uint64_t value = 0;

        if (rest->len < width) {
                return false;
        }
        for (size_t i = width; i-- > 0;) {
                value = value << 8 | rest->data[i];
        }
        rest->data += width;
        rest->len -= width;
        *ret_value = value;
        return true;
}

bool wire_next(wire_bytes *rest, wire_field *ret_field, bool *ret_bad)
{
        uint64_t tag = 0;
        wire_field field = { 0 };
        bool ok = true;

        if (rest->len == 0) {
                return false;
        }
        if (!varint(rest, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX) {
                *ret_bad = true;
                return false;
        }
        field.number = (uint32_t)(tag >> 3);
        field.type = (uint8_t)(tag & 7);
        if (field.type == 0) {
                ok = varint(rest, &field.value);
        } else if (field.type == 1) {
                ok = fixed(rest, 8, &field.value);
        } else if (field.type == 5) {
                ok = fixed(rest, 4, &field.value);
        } else if (field.type == 2) {
                uint64_t len = 0;
                ok = varint(rest, &len) && len <= rest->len;
                if (ok) {
                        field.bytes = (wire_bytes){ rest->data, (size_t)len };
                        rest->data += len;
                        rest->len -= (size_t)len;
                }
        } else {
                ok = false;
        }
        if (!ok) {
                *ret_bad = true;
                return false;
        }
        *ret_field = field;
        return true;
}

uint64_t wire_uint(wire_bytes message, uint32_t number, uint64_t absent)
{
        wire_field field;
        bool bad = false;
        uint64_t value = absent;

        while (wire_next(&message, &field, &bad)) {
                if (field.number == number && field.type != 2) {
                        value = field.value;
                }
        }
        return value;
}

wire_bytes wire_find(wire_bytes message, uint32_t number)
{
        wire_field field;
        bool bad = false;
        wire_bytes value = { NULL, 0 };

        while (wire_next(&message, &field, &bad)) {
                if (field.number == number && field.type == 2) {
                        value = field.bytes;
                }
        }
        return value;
}

bool wire_equal(wire_bytes a, wire_bytes b)
{
        return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}
