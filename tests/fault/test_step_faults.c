/*
 * Goal: the machine that cannot have memory says so, keeps nothing, and can be asked again.
 * Method: malloc, calloc and posix_memalign are wrapped and fail at the Nth call, N rising until
 * everything succeeds; the machine is driven by hand over the simulated store with the toy core.
 * LeakSanitizer looks after what was taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shell/frame.h"
#include "shell/service_step.h"
#include "sim/sim_store.h"
#include "sim/toy_core.h"

enum { ROUTE = 9, ARENA_BYTES = 256 * 1024 };

/* ---- memory that fails ---- */

static size_t calls_left; /* Until the one that fails; 0: none does. */
static size_t failed;

static bool fails_now(void)
{
        if (calls_left == 0 || --calls_left > 0) {
                return false;
        }
        failed++;
        return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);

void *__wrap_malloc(size_t size)
{
        return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
        return fails_now() ? NULL : __real_calloc(count, size);
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
        return fails_now() ? 12 /* ENOMEM */ : __real_posix_memalign(memory, alignment, size);
}

/* ---- a service of one ---- */

typedef struct bench {
        sim_store *store;
        door_store_port port;
        door_peer peer;
        toy_world world;
        door_shell_config config;
        door_shell *shell;
        door_wishes wishes;
        uint64_t now_ms;
        uint8_t draws;
        _Alignas(16) uint8_t storage[ARENA_BYTES];
        door_arena arena;
        uint32_t outcome; /* Of the last RESULT, and its reason. */
        uint32_t reason;
        size_t results;
} bench;

static int setup(void **state)
{
        const uint8_t log_id[16] = { 1 };
        const char *why = NULL;
        bench *b = calloc(1, sizeof *b);
        if (b == NULL) {
                return -1;
        }
        calls_left = 0;
        failed = 0;
        b->store = sim_store_new(log_id, SIM_STORE_SOUND);
        b->port = sim_store_port(b->store);
        b->peer = (door_peer){ .name = "school",
                               .verbs = DOOR_VERB_COMMAND,
                               .rights = DOOR_RIGHT_SUBMIT | DOOR_RIGHT_POLICY,
                               .speaks_for = "*" };
        b->now_ms = UINT64_C(1700000000000);
        b->config = (door_shell_config){
                .core = toy_ops(1), .store = &b->port, .peers = &b->peer, .peers_count = 1, .version = "test"
        };
        toy_enter(&b->world);
        *state = b;
        return sim_store_standing(b->store, &b->config.standing, &why) ? 0 : -1;
}

static int teardown(void **state)
{
        bench *b = *state;
        calls_left = 0;
        b->shell = door_shell_free(b->shell);
        b->store = sim_store_free(b->store);
        free(b);
        return 0;
}

static void result_note(bench *b, door_bytes bytes)
{
        door_arena_init(&b->arena, b->storage, sizeof b->storage);
        const Door__V1__Frame *frame = door_frame_unpack(bytes, &b->arena);
        if (frame != NULL && frame->result != NULL) {
                b->outcome = (uint32_t)frame->result->outcome;
                b->reason = frame->result->has_reason ? frame->result->reason : 0;
                b->results++;
        }
}

/* One happening, and whatever it asks for: commits are carried out at once. */
static void step(bench *b, door_happening happening)
{
        for (size_t turns = 0; turns < 16; turns++) {
                const door_commit *commit = NULL;
                happening.now = (door_now){ b->now_ms, b->now_ms };
                happening.random[0] = ++b->draws;
                b->now_ms++;
                door_shell_step(b->shell, &happening, &b->wishes);
                for (size_t i = 0; i < b->wishes.count; i++) {
                        const door_wish *wish = &b->wishes.items[i];
                        assert_int_not_equal(wish->kind, DOOR_WISH_END);
                        if (wish->kind == DOOR_WISH_SEND && wish->route == ROUTE) {
                                result_note(b, wish->frame);
                        } else if (wish->kind == DOOR_WISH_COMMIT) {
                                commit = wish->commit;
                        }
                }
                if (commit != NULL) {
                        happening = (door_happening){ .kind = DOOR_HAPPENING_COMMITTED,
                                                      .status = b->port.commit(b->port.context, commit) };
                } else if (b->wishes.again) {
                        happening = (door_happening){ .kind = DOOR_HAPPENING_TURN };
                } else {
                        return;
                }
        }
}

static void command(bench *b, uint8_t id, uint32_t type, door_bytes body)
{
        _Alignas(16) static uint8_t storage[64 * 1024];
        door_arena arena;
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;
        Door__V1__Command out = DOOR__V1__COMMAND__INIT;
        uint8_t command_id[DOOR_HASH_BYTES] = { id };

        out.command_id = (ProtobufCBinaryData){ sizeof command_id, command_id };
        out.actor = (char *)(uintptr_t) "school";
        out.type = type;
        out.body = door_proto_data(body);
        frame.command = &out;
        door_arena_init(&arena, storage, sizeof storage);
        b->outcome = b->reason = 0;
        step(b, (door_happening){ .kind = DOOR_HAPPENING_FRAME,
                                  .channel = DOOR_CHANNEL_COMMAND,
                                  .route = ROUTE,
                                  .peer = "school",
                                  .frame = door_frame_pack(&frame.base, &arena) });
}

static void turn(bench *b)
{
        step(b, (door_happening){ .kind = DOOR_HAPPENING_TURN });
}

static void add(bench *b, uint8_t id)
{
        uint8_t body[TOY_COMMAND_BYTES] = { 1, 0, 0, 0, 3 };
        command(b, id, TOY_COMMAND_ADD, (door_bytes){ body, sizeof body });
}

/* A service with a policy that takes commands. */
static void serve(bench *b)
{
        _Alignas(16) uint8_t storage[4096];
        door_arena arena;
        Door__V1__PolicyActivated policy = DOOR__V1__POLICY_ACTIVATED__INIT;
        const door_hash digest = door_hash_of_one(door_bytes_of("P"));

        assert_int_equal(door_shell_new(&b->config, &b->shell), DOOR_OK);
        step(b, (door_happening){ .kind = DOOR_HAPPENING_START });
        policy.version = (char *)(uintptr_t) "1";
        policy.digest = door_proto_data(door_hash_bytes(&digest));
        policy.content = door_proto_data(door_bytes_of("P"));
        door_arena_init(&arena, storage, sizeof storage);
        command(b, 200, DOOR__V1__SHELL_COMMAND__SHELL_COMMAND_POLICY, door_frame_pack(&policy.base, &arena));
        turn(b);
        assert_int_equal(b->outcome, DOOR__V1__OUTCOME__DONE);
}

/* ---- rules ---- */

static void a_machine_that_cannot_be_made_says_no_memory_and_leaves_nothing(void **state)
{
        bench *b = *state;
        door_shell *const untouched = (door_shell *)(void *)b;
        size_t n = 0;
        for (;;) {
                door_shell *shell = untouched;
                failed = 0;
                calls_left = ++n;
                const door_status status = door_shell_new(&b->config, &shell);
                calls_left = 0;
                if (failed == 0) {
                        assert_int_equal(status, DOOR_OK);
                        shell = door_shell_free(shell);
                        break;
                }
                assert_int_equal(status, DOOR_NO_MEMORY);
                assert_ptr_equal(shell, untouched);
                assert_true(n < 100);
        }
        assert_true(n > 2); /* Something was made to fail. */
}

static void a_command_that_cannot_be_copied_is_busy_and_decided_when_asked_again(void **state)
{
        bench *b = *state;
        serve(b);
        const uint64_t head = door_shell_head(b->shell);
        calls_left = 1;
        add(b, 1);
        calls_left = 0;
        assert_int_equal(failed, 1);
        assert_int_equal(b->outcome, DOOR__V1__OUTCOME__RETRY);
        assert_int_equal(b->reason, DOOR__V1__RETRY_REASON__RETRY_BUSY);
        turn(b);
        assert_true(door_shell_head(b->shell) == head);
        assert_int_equal(door_shell_count(b->shell)->queued_now, 0);
        add(b, 1);
        turn(b);
        assert_int_equal(b->outcome, DOOR__V1__OUTCOME__DONE);
        assert_true(door_shell_head(b->shell) > head);
}

static void commands_before_and_after_the_one_that_failed_are_decided_in_order(void **state)
{
        bench *b = *state;
        serve(b);
        const size_t before = b->results;
        for (uint8_t id = 1; id <= 9; id++) {
                calls_left = id % 3 == 0 ? 1 : 0;
                add(b, id);
                assert_int_equal(b->outcome,
                                 id % 3 == 0 ? DOOR__V1__OUTCOME__RETRY : DOOR__V1__OUTCOME__OUTCOME_NONE);
                calls_left = 0;
        }
        turn(b);
        assert_int_equal(b->results - before, 9);
        assert_int_equal(door_shell_count(b->shell)->retries, 3);
        assert_int_equal(door_shell_count(b->shell)->queued_now, 0);
}

#define RULE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                RULE(a_machine_that_cannot_be_made_says_no_memory_and_leaves_nothing),
                RULE(a_command_that_cannot_be_copied_is_busy_and_decided_when_asked_again),
                RULE(commands_before_and_after_the_one_that_failed_are_decided_in_order),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
