#include "door/bytes.h"

#include <string.h>

#include "door/status.h"

door_bytes door_bytes_of(const char *text)
{
        return (door_bytes){ (const uint8_t *)text, strlen(text) };
}

bool door_bytes_equal(door_bytes a, door_bytes b)
{
        return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

int door_bytes_compare(door_bytes a, door_bytes b)
{
        const size_t shared = a.len < b.len ? a.len : b.len;
        const int order = shared == 0 ? 0 : memcmp(a.data, b.data, shared);

        if (order != 0) {
                return order;
        }
        return a.len < b.len ? -1 : a.len > b.len ? 1 : 0;
}

bool door_bytes_starts_with(door_bytes whole, door_bytes prefix)
{
        return whole.len >= prefix.len &&
               (prefix.len == 0 || memcmp(whole.data, prefix.data, prefix.len) == 0);
}

void door_put_u16(uint8_t *out, uint16_t value)
{
        out[0] = (uint8_t)(value >> 8);
        out[1] = (uint8_t)value;
}

void door_put_u32(uint8_t *out, uint32_t value)
{
        door_put_u16(out, (uint16_t)(value >> 16));
        door_put_u16(out + 2, (uint16_t)value);
}

void door_put_u64(uint8_t *out, uint64_t value)
{
        door_put_u32(out, (uint32_t)(value >> 32));
        door_put_u32(out + 4, (uint32_t)value);
}

uint16_t door_get_u16(const uint8_t *in)
{
        return (uint16_t)(((uint32_t)in[0] << 8) | in[1]);
}

uint32_t door_get_u32(const uint8_t *in)
{
        return ((uint32_t)door_get_u16(in) << 16) | door_get_u16(in + 2);
}

uint64_t door_get_u64(const uint8_t *in)
{
        return ((uint64_t)door_get_u32(in) << 32) | door_get_u32(in + 4);
}

door_writer door_writer_on(uint8_t *storage, size_t cap)
{
        return (door_writer){ .data = storage, .cap = cap, .len = 0, .ok = true };
}

/* Room for len more bytes, or NULL once anything has not fitted. */
static uint8_t *writer_take(door_writer *w, size_t len)
{
        if (!w->ok || len > w->cap - w->len) {
                w->ok = false;
                return NULL;
        }
        uint8_t *at = w->data + w->len;
        w->len += len;
        return at;
}

void door_write(door_writer *w, door_bytes bytes)
{
        uint8_t *at = writer_take(w, bytes.len);
        if (at != NULL && bytes.len > 0) {
                memcpy(at, bytes.data, bytes.len);
        }
}

void door_write_u8(door_writer *w, uint8_t value)
{
        door_write(w, (door_bytes){ &value, 1 });
}

void door_write_u16(door_writer *w, uint16_t value)
{
        uint8_t *at = writer_take(w, 2);
        if (at != NULL) {
                door_put_u16(at, value);
        }
}

void door_write_u32(door_writer *w, uint32_t value)
{
        uint8_t *at = writer_take(w, 4);
        if (at != NULL) {
                door_put_u32(at, value);
        }
}

void door_write_u64(door_writer *w, uint64_t value)
{
        uint8_t *at = writer_take(w, 8);
        if (at != NULL) {
                door_put_u64(at, value);
        }
}

void door_write_sized(door_writer *w, door_bytes bytes)
{
        if (bytes.len > UINT16_MAX) {
                w->ok = false;
                return;
        }
        door_write_u16(w, (uint16_t)bytes.len);
        door_write(w, bytes);
}

door_bytes door_written(const door_writer *w)
{
        DOOR_REQUIRE(w->ok);
        return (door_bytes){ w->data, w->len };
}

door_cursor_in door_reading(door_bytes bytes)
{
        return (door_cursor_in){ .data = bytes.data, .len = bytes.len, .at = 0, .ok = true };
}

door_bytes door_read(door_cursor_in *r, size_t len)
{
        if (!r->ok || len > r->len - r->at) {
                r->ok = false;
                return DOOR_BYTES_EMPTY;
        }
        const door_bytes bytes = { r->data == NULL ? NULL : r->data + r->at, len };
        r->at += len;
        return bytes;
}

uint8_t door_read_u8(door_cursor_in *r)
{
        const door_bytes b = door_read(r, 1);
        return b.len == 1 ? b.data[0] : 0;
}

uint16_t door_read_u16(door_cursor_in *r)
{
        const door_bytes b = door_read(r, 2);
        return b.len == 2 ? door_get_u16(b.data) : 0;
}

uint32_t door_read_u32(door_cursor_in *r)
{
        const door_bytes b = door_read(r, 4);
        return b.len == 4 ? door_get_u32(b.data) : 0;
}

uint64_t door_read_u64(door_cursor_in *r)
{
        const door_bytes b = door_read(r, 8);
        return b.len == 8 ? door_get_u64(b.data) : 0;
}

door_bytes door_read_sized(door_cursor_in *r)
{
        const uint16_t len = door_read_u16(r);
        return door_read(r, len);
}

bool door_read_done(const door_cursor_in *r)
{
        return r->ok && r->at == r->len;
}

/* One multi-byte sequence of UTF-8 at text[at]; its length, or 0 when it is not well formed.
 * Source: The Unicode Standard, table 3-7 "Well-Formed UTF-8 Byte Sequences". */
static size_t utf8_sequence(const uint8_t *text, size_t left)
{
        const uint8_t first = text[0];
        uint8_t low = 0x80;
        uint8_t high = 0xBF;
        size_t len = 0;

        if (first >= 0xC2 && first <= 0xDF) {
                len = 2;
        } else if (first >= 0xE0 && first <= 0xEF) {
                len = 3;
                low = first == 0xE0 ? 0xA0 : low;
                high = first == 0xED ? 0x9F : high;
        } else if (first >= 0xF0 && first <= 0xF4) {
                len = 4;
                low = first == 0xF0 ? 0x90 : low;
                high = first == 0xF4 ? 0x8F : high;
        }
        if (len == 0 || len > left || text[1] < low || text[1] > high) {
                return 0;
        }
        for (size_t i = 2; i < len; i++) {
                if ((text[i] & 0xC0) != 0x80) {
                        return 0;
                }
        }
        return len;
}

bool door_text_is_clean(door_bytes text)
{
        size_t at = 0;

        while (at < text.len) {
                const uint8_t byte = text.data[at];
                size_t step = 1;

                if (byte == 0) {
                        return false;
                }
                if (byte >= 0x80) {
                        step = utf8_sequence(text.data + at, text.len - at);
                        if (step == 0) {
                                return false;
                        }
                }
                at += step;
        }
        return true;
}
