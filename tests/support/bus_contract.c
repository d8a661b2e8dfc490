#include "support/bus_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { FRAMES = 40, FRAME_BYTES_MAX = 5000 };

/* The n-th frame of an asker: its length and every byte depend on both. */
static door_bytes frame_of(size_t asker, size_t n, uint8_t storage[FRAME_BYTES_MAX])
{
        const size_t len = 1 + (n * 131 + asker * 17) % FRAME_BYTES_MAX;

        for (size_t i = 0; i < len; i++) {
                storage[i] = (uint8_t)(asker * 101 + n * 7 + i);
        }
        return (door_bytes){ storage, len };
}

static void hears(const bus_contract *bus, size_t asker, door_bytes expected)
{
        door_bytes heard;

        assert_true(bus->hear(bus->context, asker, true, &heard));
        assert_int_equal(heard.len, expected.len);
        assert_memory_equal(heard.data, expected.data, expected.len);
}

static void hears_nothing_more(const bus_contract *bus)
{
        door_bytes heard;

        for (size_t asker = 0; asker < 2; asker++) {
                assert_false(bus->hear(bus->context, asker, false, &heard));
        }
}

static void frames_of_a_connection_come_whole_and_in_order_to_their_asker_only(const bus_contract *bus)
{
        uint8_t storage[FRAME_BYTES_MAX];

        for (size_t n = 0; n < FRAMES; n++) {
                for (size_t asker = 0; asker < 2; asker++) {
                        bus->say(bus->context, asker, frame_of(asker, n, storage));
                }
        }
        for (size_t asker = 0; asker < 2; asker++) {
                for (size_t n = 0; n < FRAMES; n++) {
                        hears(bus, asker, frame_of(asker, n, storage));
                }
        }
        hears_nothing_more(bus);
}

static void a_frame_is_told_under_the_name_of_who_sent_it(const bus_contract *bus)
{
        static const char *const names[] = { "alice", "bob" };

        for (size_t asker = 0; asker < 2; asker++) {
                bus->say(bus->context, asker, door_bytes_of("who am I"));
                hears(bus, asker, door_bytes_of("who am I"));
                assert_string_equal(bus->last_told_as(bus->context), names[asker]);
        }
}

/* Whatever the old connection still carried, the new one begins with its own first answer. */
static void a_new_connection_hears_nothing_of_the_old_one(const bus_contract *bus)
{
        bus->say(bus->context, 0, door_bytes_of("before"));
        bus->reconnect(bus->context, 0);
        bus->say(bus->context, 0, door_bytes_of("after"));
        bus->say(bus->context, 1, door_bytes_of("beside"));
        hears(bus, 0, door_bytes_of("after"));
        hears(bus, 1, door_bytes_of("beside"));
        hears_nothing_more(bus);
}

void bus_contract_check(const bus_contract *bus)
{
        frames_of_a_connection_come_whole_and_in_order_to_their_asker_only(bus);
        a_frame_is_told_under_the_name_of_who_sent_it(bus);
        a_new_connection_hears_nothing_of_the_old_one(bus);
}
