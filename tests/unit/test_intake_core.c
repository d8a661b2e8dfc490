/*
 * Goal: each rule of intake holds on its own, and what decide said is what apply remembers.
 * Method: commands as structs, decide and apply over an in-memory state as the shell runs them.
 * The bytes of the wire are test_intake_codec.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "intake/intake_core.h"
#include "support/memory_reader.h"

static const uint64_t day_ms = 86400000;
/* 2026-11-23T12:00:00Z, day 20780. */
static const uint64_t noon_ms = UINT64_C(20780) * 86400000U + 43200000U;

typedef struct bench {
        memory_reader state;
        door_arena arena;
        door_out out;
        intake_policy policy;
        intake_agency agencies[2];
        door_bytes police_peers[2];
        door_bytes school_peers[1];
        door_bytes readers[1];
        intake_submit submit;
        door_input input;
        uint64_t seq;
} bench;

static bench *fixture;

static int bench_new(void **state)
{
        bench *b = calloc(1, sizeof *b);

        assert_non_null(b);
        memory_reader_init(&b->state);
        void *storage = aligned_alloc(64, DOOR_MIB);
        assert_non_null(storage);
        door_arena_init(&b->arena, storage, DOOR_MIB);
        b->police_peers[0] = door_bytes_of("gateway");
        b->police_peers[1] = door_bytes_of("police-gw");
        b->school_peers[0] = door_bytes_of("gateway");
        b->readers[0] = door_bytes_of("desk");
        b->agencies[0] = (intake_agency){ door_bytes_of("police"), b->police_peers, 2 };
        b->agencies[1] = (intake_agency){ door_bytes_of("school"), b->school_peers, 1 };
        b->policy = (intake_policy){ .agencies = b->agencies,
                                     .agencies_count = 2,
                                     .readers = b->readers,
                                     .readers_count = 1,
                                     .future_tolerance_ms = 300000 };
        fixture = b;
        *state = b;
        return 0;
}

static int bench_free(void **state)
{
        bench *b = *state;

        memory_reader_done(&b->state);
        free(b->arena.base);
        free(b);
        fixture = NULL;
        return 0;
}

static door_hash hash_of(const char *text)
{
        return door_hash_of_one(door_bytes_of(text));
}

static const intake_person child = { .life = INTAKE_LIFE_CHILD,
                                     .named = true,
                                     .dob = { .sent = true, .precision = INTAKE_DAY_EXACT, .days = 18000 } };

/* A submission nothing is wrong with. */
static intake_submit submission(const char *agency, const char *key, const char *content)
{
        return (intake_submit){
                .form = { .agency = door_bytes_of(agency),
                          .has_concern = true,
                          .has_narrative = true,
                          .people = &child,
                          .people_count = 1,
                          .content_digest = hash_of(content),
                          .likeness_digest = hash_of(content),
                          .content = door_bytes_of(content) },
                .idempotency_key = door_bytes_of(key),
        };
}

static door_input command(uint32_t type, const void *body, uint64_t now_ms)
{
        door_input input = { .kind = DOOR_INPUT_COMMAND,
                             .type = type,
                             .now_ms = now_ms,
                             .peer = door_bytes_of("gateway"),
                             .actor = door_bytes_of("gateway/pc7"),
                             .rights = DOOR_RIGHT_SUBMIT,
                             .body = body };
        fixture->seq++;
        input.random[0] = (uint8_t)fixture->seq;
        return input;
}

/* Decides and, as the shell would, applies what was decided. */
static const door_out *run(const door_input *input)
{
        door_view view;
        bench *b = fixture;

        door_arena_reset(&b->arena);
        memset(&b->out, 0, sizeof b->out);
        b->out.arena = &b->arena;
        door_view_init(&view, &b->state.reader, &b->arena);
        intake_decide(&view, &b->policy, input, &b->out);
        assert_int_equal(view.changes_count, 0);
        view.writable = true;
        for (size_t i = 0; i < b->out.events_count; i++) {
                b->out.events[i].at_ms = input->now_ms;
                intake_apply(&view, &b->out.events[i]);
        }
        assert_int_equal(view.latch, DOOR_OK);
        memory_reader_absorb(&b->state, &view);
        return &b->out;
}

static const door_out *submit_at(const intake_submit *submit, uint64_t now_ms)
{
        door_input input = command(INTAKE_SUBMIT, submit, now_ms);

        input.command_id = intake_command_id(submit->form.agency, submit->idempotency_key);
        return run(&input);
}

static const intake_received *received_of(const door_out *out)
{
        assert_false(out->refused);
        assert_int_equal(out->events_count, 1);
        assert_int_equal(out->events[0].type, INTAKE_REFERRAL_RECEIVED);
        return out->events[0].body;
}

static void assert_refused_and_kept(const door_out *out, uint32_t reason, const char *field)
{
        assert_true(out->refused);
        assert_int_equal(out->refusal.reason, reason);
        if (field == NULL) {
                assert_null(out->refusal.field);
        } else {
                assert_string_equal(out->refusal.field, field);
        }
        assert_non_null(out->refusal.detail);
}

/* A plain no: nothing has happened. */
static void assert_refused(const door_out *out, uint32_t reason, const char *field)
{
        assert_refused_and_kept(out, reason, field);
        assert_int_equal(out->events_count, 0);
}

static void assert_subject(const door_event *event, const door_id *id)
{
        assert_int_equal(event->subjects_count, 1);
        assert_int_equal(event->subjects[0].kind, 'R');
        assert_true(door_id_equal(&event->subjects[0].id, id));
}

/* ---- receipt */

static void a_referral_from_a_known_agency_is_received(void **state)
{
        (void)state;
        intake_submit submit = submission("police", "k1", "content");
        submit.channel = 4;
        submit.form.facts = &submit;
        const door_out *out = submit_at(&submit, noon_ms);
        const intake_received *body = received_of(out);

        assert_ptr_equal(body->facts, &submit);
        assert_true(door_bytes_equal(body->idempotency_key, door_bytes_of("k1")));
        assert_int_equal(body->channel, 4);
        assert_int_equal(body->received_at_ms, noon_ms);
        assert_int_equal(body->sent_at_ms, noon_ms);
        assert_int_equal(body->warnings.count, 0);
        assert_false(body->has_resend_of);
        assert_false(body->historic);
        assert_int_equal(out->retry, 0);
        assert_int_equal(out->events[0].flags, 0);
        assert_int_equal(out->events[0].version, 1);
        assert_subject(&out->events[0], &body->referral);
        assert_true(door_bytes_equal(body->agency, door_bytes_of("police")));
        const door_hash key = intake_command_id(door_bytes_of("police"), door_bytes_of("k1"));
        assert_true(door_hash_equal(&body->key_digest, &key));
        const door_hash content = hash_of("content");
        assert_true(door_hash_equal(&body->content_digest, &content));
}

static void the_receipt_id_is_drawn_from_the_inputs_randomness(void **state)
{
        (void)state;
        const intake_submit submit = submission("police", "k1", "content");
        const intake_received *body = received_of(submit_at(&submit, noon_ms));
        uint8_t random[16] = { 1 };
        const door_id want = door_id_make(random, DOOR_ID_REFERRAL, 0);

        assert_true(door_id_equal(&body->referral, &want));
}

static void the_command_id_is_made_of_length_agency_and_key(void **state)
{
        (void)state;
        const door_bytes raw = { (const uint8_t *)"\0\6policek1", 10 };
        const door_hash want = door_hash_of_one(raw);
        const door_hash got = intake_command_id(door_bytes_of("police"), door_bytes_of("k1"));
        const door_hash shifted = intake_command_id(door_bytes_of("policek"), door_bytes_of("1"));

        assert_true(door_hash_equal(&got, &want));
        assert_false(door_hash_equal(&got, &shifted));
}

static void a_command_id_not_made_from_its_key_is_refused(void **state)
{
        (void)state;
        const intake_submit submit = submission("police", "k1", "content");
        door_input input = command(INTAKE_SUBMIT, &submit, noon_ms);
        input.command_id = intake_command_id(door_bytes_of("police"), door_bytes_of("k2"));

        const door_out *out = run(&input);
        assert_refused(out, INTAKE_REASON_KEY_NOT_THE_COMMAND_ID, "/idempotency_key");
        assert_int_equal(out->events_count, 0);
        assert_int_equal(fixture->state.count, 0);
}

static void a_key_has_1_to_256_bytes(void **state)
{
        (void)state;
        char key[258];
        memset(key, 'k', sizeof key);
        key[257] = '\0';
        intake_submit submit = submission("police", "", "content");

        assert_refused(submit_at(&submit, noon_ms), INTAKE_REASON_INVALID, "/idempotency_key");
        submit.idempotency_key = door_bytes_of(key);
        assert_refused(submit_at(&submit, noon_ms), INTAKE_REASON_INVALID, "/idempotency_key");
        submit.idempotency_key.len = 256;
        (void)received_of(submit_at(&submit, noon_ms));
        submit.idempotency_key.len = 1;
        (void)received_of(submit_at(&submit, noon_ms));
}

static void without_a_policy_nothing_is_decided_and_the_reason_is_about_us(void **state)
{
        (void)state;
        const intake_submit submit = submission("police", "k1", "content");
        const door_input input = command(INTAKE_SUBMIT, &submit, noon_ms);
        door_view view;
        door_out out = { .arena = &fixture->arena };

        door_view_init(&view, &fixture->state.reader, &fixture->arena);
        intake_decide(&view, NULL, &input, &out);
        assert_int_equal(out.retry, INTAKE_RETRY_NOT_READY);
        assert_false(out.refused);
        assert_int_equal(out.events_count, 0);
}

static void an_unknown_agency_is_refused(void **state)
{
        (void)state;
        const intake_submit submit = submission("polic", "k1", "content");
        const door_out *out = submit_at(&submit, noon_ms);

        assert_refused(out, INTAKE_REASON_AGENCY_UNKNOWN, "/agency");
        assert_int_equal(out->refusal.reason, 101);
        assert_int_equal(out->events_count, 0);
}

static void a_peer_may_only_speak_for_its_agencies(void **state)
{
        (void)state;
        const intake_submit police = submission("police", "k1", "a");
        const intake_submit school = submission("school", "k1", "b");
        door_input input = command(INTAKE_SUBMIT, &school, noon_ms);
        input.peer = door_bytes_of("police-gw");
        input.command_id = intake_command_id(door_bytes_of("school"), door_bytes_of("k1"));
        assert_refused(run(&input), INTAKE_REASON_NOT_ALLOWED, "/agency");
        assert_int_equal(fixture->state.count, 0);

        input.body = &police;
        input.command_id = intake_command_id(door_bytes_of("police"), door_bytes_of("k1"));
        (void)received_of(run(&input));
        input.peer = door_bytes_of("desk");
        assert_refused(run(&input), INTAKE_REASON_NOT_ALLOWED, "/agency");
}

static void lists_of_the_policy_end_where_they_end(void **state)
{
        (void)state;
        const intake_submit police = submission("police", "k1", "a");
        const intake_submit school = submission("school", "k1", "b");
        door_input input = command(INTAKE_SUBMIT, &police, noon_ms);

        fixture->policy.agencies_count = 1;
        assert_refused(submit_at(&school, noon_ms), INTAKE_REASON_AGENCY_UNKNOWN, "/agency");
        fixture->agencies[0].peers_count = 1;
        input.peer = door_bytes_of("police-gw");
        input.command_id = intake_command_id(door_bytes_of("police"), door_bytes_of("k1"));
        assert_refused(run(&input), INTAKE_REASON_NOT_ALLOWED, "/agency");
        fixture->policy.agencies_count = 0;
        assert_refused(submit_at(&police, noon_ms), INTAKE_REASON_AGENCY_UNKNOWN, "/agency");
}

static void a_second_agency_may_use_the_same_key(void **state)
{
        (void)state;
        const intake_submit police = submission("police", "k1", "a");
        const intake_submit school = submission("school", "k1", "b");

        (void)received_of(submit_at(&police, noon_ms));
        (void)received_of(submit_at(&school, noon_ms));
        assert_int_equal(memory_reader_rows_of(&fixture->state, INTAKE_TABLE_KEY), 2);
}

static void an_unknown_command_is_refused_and_an_event_is_nothing(void **state)
{
        (void)state;
        door_input input = command(15, &child, noon_ms);
        assert_refused(run(&input), INTAKE_REASON_INVALID, "/type");
        input = command(20, &child, noon_ms);
        assert_refused(run(&input), INTAKE_REASON_INVALID, "/type");
        input.kind = DOOR_INPUT_EVENT;
        assert_false(run(&input)->refused);
        input.kind = DOOR_INPUT_TICK;
        assert_false(run(&input)->refused);
        assert_int_equal(fixture->out.events_count, 0);
}

static void a_known_id_is_judged_by_content_for_submissions_and_refused_for_the_rest(void **state)
{
        (void)state;
        const intake_submit submit = submission("police", "k1", "content");
        door_input input = command(INTAKE_SUBMIT, &submit, noon_ms);
        input.command_id = intake_command_id(door_bytes_of("police"), door_bytes_of("k1"));
        input.id_known = true; /* refused once, for a reason that has gone */
        const door_id id = received_of(run(&input))->referral;
        assert_int_equal(run(&input)->events[0].type, INTAKE_REFERRAL_REPEATED);

        const intake_withdraw withdraw = { .referral_readable = true, .referral = id };
        const intake_fetch fetch = { .referral_readable = true, .referral = id, .purpose = 1 };
        const intake_amend amend = { .referral_readable = true, .referral = id, .form = submit.form };
        const void *const bodies[] = { &withdraw, &amend, &fetch };
        for (uint32_t i = 0; i < 3; i++) {
                input = command(INTAKE_WITHDRAW + i, bodies[i], noon_ms);
                input.peer = door_bytes_of("desk");
                assert_false(run(&input)->refused);
                input.id_known = true;
                assert_refused(run(&input), INTAKE_REASON_INVALID, "/command_id");
        }
}

static void no_tick_is_ever_wanted(void **state)
{
        (void)state;
        door_view view;
        door_view_init(&view, &fixture->state.reader, &fixture->arena);
        assert_int_equal(intake_next_deadline(&view), 0);
}

/* ---- bounds */

static void over_a_bound_is_refused_in_numbers(void **state)
{
        (void)state;
        intake_submit submit = { .form = { .bound = INTAKE_BOUND_PEOPLE, .bound_got = 10000 } };
        const door_out *out = submit_at(&submit, noon_ms);
        assert_refused(out, INTAKE_REASON_TOO_LARGE, "/people");
        assert_string_equal(out->refusal.detail, "people: at most 200, got 10000");

        submit.form.bound = INTAKE_BOUND_BYTES;
        submit.form.bound_got = 262145;
        out = submit_at(&submit, noon_ms);
        assert_refused(out, INTAKE_REASON_TOO_LARGE, "");
        assert_string_equal(out->refusal.detail, "bytes: at most 262144, got 262145");

        submit.form.bound = INTAKE_BOUND_PARTS;
        out = submit_at(&submit, noon_ms);
        assert_refused(out, INTAKE_REASON_TOO_LARGE, "");
        assert_string_equal(out->refusal.detail, "too many fields for one referral");
        assert_int_equal(out->events_count, 0);
}

/* ---- keys */

static void the_same_content_under_the_same_key_gets_the_first_receipt_again(void **state)
{
        (void)state;
        intake_submit submit = submission("police", "k1", "content");
        submit.form.has_narrative = false;
        const door_id first = received_of(submit_at(&submit, noon_ms))->referral;
        const size_t rows = fixture->state.count;

        const door_out *out = submit_at(&submit, noon_ms + 40 * day_ms);
        assert_false(out->refused);
        assert_int_equal(out->events_count, 1);
        assert_int_equal(out->events[0].type, INTAKE_REFERRAL_REPEATED);
        assert_int_equal(out->events[0].flags, DOOR_FLAG_IGNORABLE);
        assert_subject(&out->events[0], &first);
        const intake_repeated *body = out->events[0].body;
        assert_true(door_id_equal(&body->referral, &first));
        assert_int_equal(body->received_at_ms, noon_ms);
        assert_int_equal(body->warnings.count, 1);
        assert_int_equal(body->warnings.items[0].field, INTAKE_FIELD_NARRATIVE);
        assert_int_equal(body->warnings.items[0].person, INTAKE_NO_PERSON);
        assert_int_equal(body->warnings.items[0].code, INTAKE_WARNING_MISSING);
        assert_int_equal(fixture->state.count, rows);
}

static void a_key_never_expires(void **state)
{
        (void)state;
        const intake_submit submit = submission("police", "k1", "content");
        (void)received_of(submit_at(&submit, noon_ms));
        const door_out *out = submit_at(&submit, noon_ms + 36500 * day_ms);
        assert_int_equal(out->events[0].type, INTAKE_REFERRAL_REPEATED);
}

static void other_content_under_the_same_key_is_refused_and_kept(void **state)
{
        (void)state;
        const intake_submit submit = submission("police", "k1", "content");
        intake_submit other = submission("police", "k1", "another child");
        const door_id first = received_of(submit_at(&submit, noon_ms))->referral;

        other.form.facts = &other;
        const door_out *out = submit_at(&other, noon_ms + 5);
        assert_ptr_equal(((const intake_other *)out->events[0].body)->facts, &other);
        assert_refused_and_kept(out, INTAKE_REASON_SAME_KEY_OTHER_CONTENT, "/idempotency_key");
        assert_int_equal(out->refusal.reason, 100);
        assert_int_equal(out->events_count, 1);
        assert_int_equal(out->events[0].type, INTAKE_ATTEMPT_REFUSED);
        assert_int_equal(out->events[0].flags, 0);
        assert_subject(&out->events[0], &first);
        const intake_other *body = out->events[0].body;
        assert_true(door_id_equal(&body->referral, &first));
        assert_int_equal(body->number, 1);
        assert_int_equal(body->asked_at_ms, noon_ms + 5);
        assert_int_equal(body->received_at_ms, noon_ms);
        assert_true(door_hash_equal(&body->content_digest, &other.form.content_digest));
        assert_true(door_bytes_equal(body->content, door_bytes_of("another child")));
        assert_int_equal(memory_reader_rows_of(&fixture->state, INTAKE_TABLE_CONTENT), 2);
        assert_int_equal(memory_reader_rows_of(&fixture->state, INTAKE_TABLE_REFERRAL), 1);
}

static void the_same_refused_attempt_is_kept_once_and_refused_every_time(void **state)
{
        (void)state;
        const intake_submit submit = submission("police", "k1", "content");
        const intake_submit other = submission("police", "k1", "another child");
        const intake_submit third = submission("police", "k1", "a third");
        (void)submit_at(&submit, noon_ms);
        (void)submit_at(&other, noon_ms);
        const size_t rows = fixture->state.count;

        const door_out *out = submit_at(&other, noon_ms + 5);
        assert_refused(out, INTAKE_REASON_SAME_KEY_OTHER_CONTENT, "/idempotency_key");
        assert_int_equal(out->events_count, 0);
        assert_int_equal(fixture->state.count, rows);

        out = submit_at(&third, noon_ms + 6);
        assert_refused_and_kept(out, INTAKE_REASON_SAME_KEY_OTHER_CONTENT, "/idempotency_key");
        assert_int_equal(((const intake_other *)out->events[0].body)->number, 2);
}

static void after_a_refused_attempt_the_first_content_still_gets_its_receipt(void **state)
{
        (void)state;
        const intake_submit submit = submission("police", "k1", "content");
        const intake_submit other = submission("police", "k1", "another child");
        (void)submit_at(&submit, noon_ms);
        (void)submit_at(&other, noon_ms);
        assert_int_equal(submit_at(&submit, noon_ms)->events[0].type, INTAKE_REFERRAL_REPEATED);
}

static void an_attempts_sent_time_is_clamped_and_its_oddities_warned_of(void **state)
{
        (void)state;
        const intake_submit submit = submission("police", "k1", "content");
        intake_submit other = submission("police", "k1", "another child");
        other.form.has_sent_at = true;
        other.form.sent_at_ms = noon_ms + day_ms;
        (void)submit_at(&submit, noon_ms);
        const intake_other *body = submit_at(&other, noon_ms)->events[0].body;
        assert_int_equal(body->sent_at_ms, noon_ms);
        assert_int_equal(body->warnings.count, 1);
        assert_int_equal(body->warnings.items[0].field, INTAKE_FIELD_SENT_AT);
}

/* ---- times */

static void sent_at_is_the_agencys_word_but_never_later_than_received(void **state)
{
        (void)state;
        intake_submit submit = submission("police", "k1", "a");
        submit.form.has_sent_at = true;
        submit.form.sent_at_ms = noon_ms - 1;
        assert_int_equal(received_of(submit_at(&submit, noon_ms))->sent_at_ms, noon_ms - 1);

        submit = submission("police", "k2", "b");
        submit.form.has_sent_at = true;
        submit.form.sent_at_ms = noon_ms + 1;
        const intake_received *body = received_of(submit_at(&submit, noon_ms));
        assert_int_equal(body->sent_at_ms, noon_ms);
        assert_int_equal(body->warnings.count, 0);
}

static void a_sent_at_beyond_the_tolerance_is_warned_of(void **state)
{
        (void)state;
        intake_submit submit = submission("police", "k1", "a");
        submit.form.has_sent_at = true;
        submit.form.sent_at_ms = noon_ms + 300000;
        assert_int_equal(received_of(submit_at(&submit, noon_ms))->warnings.count, 0);

        submit = submission("police", "k2", "b");
        submit.form.has_sent_at = true;
        submit.form.sent_at_ms = noon_ms + 300001;
        const intake_received *body = received_of(submit_at(&submit, noon_ms));
        assert_int_equal(body->sent_at_ms, noon_ms);
        assert_int_equal(body->warnings.count, 1);
        assert_int_equal(body->warnings.items[0].field, INTAKE_FIELD_SENT_AT);
        assert_int_equal(body->warnings.items[0].code, INTAKE_WARNING_IN_THE_FUTURE);
}

static void a_historic_referral_needs_the_right_and_keeps_the_files_time(void **state)
{
        (void)state;
        intake_submit submit = submission("police", "k1", "a");
        submit.historic = true;
        submit.historic_received_at_ms = noon_ms - 100 * day_ms;
        submit.form.has_sent_at = true;
        submit.form.sent_at_ms = noon_ms - 99 * day_ms;
        assert_refused(submit_at(&submit, noon_ms), INTAKE_REASON_NOT_ALLOWED,
                       "/origin/historic_received_at_ms");

        door_input input = command(INTAKE_SUBMIT, &submit, noon_ms);
        input.command_id = intake_command_id(door_bytes_of("police"), door_bytes_of("k1"));
        input.rights |= DOOR_RIGHT_IMPORT;
        const door_out *out = run(&input);
        const intake_received *body = received_of(out);
        assert_int_equal(body->received_at_ms, noon_ms - 100 * day_ms);
        assert_int_equal(body->sent_at_ms, noon_ms - 100 * day_ms);
        assert_true(body->historic);
        assert_int_equal(out->events[0].flags, DOOR_FLAG_HISTORIC);
        assert_int_equal(body->warnings.count, 1); /* sent a day after it was received */
}

static void historic_is_never_later_than_now(void **state)
{
        (void)state;
        intake_submit submit = submission("police", "k1", "a");
        submit.historic = true;
        submit.historic_received_at_ms = noon_ms + 1;
        door_input input = command(INTAKE_SUBMIT, &submit, noon_ms);
        input.command_id = intake_command_id(door_bytes_of("police"), door_bytes_of("k1"));
        input.rights = DOOR_RIGHT_IMPORT;
        const intake_received *body = received_of(run(&input));
        assert_int_equal(body->received_at_ms, noon_ms);
        assert_int_equal(body->warnings.count, 1);
        assert_int_equal(body->warnings.items[0].field, INTAKE_FIELD_RECEIVED_AT);
        assert_int_equal(body->warnings.items[0].code, INTAKE_WARNING_IN_THE_FUTURE);
}

static void historic_at_this_very_moment_is_no_oddity(void **state)
{
        (void)state;
        intake_submit submit = submission("police", "k1", "a");
        submit.historic = true;
        submit.historic_received_at_ms = noon_ms;
        door_input input = command(INTAKE_SUBMIT, &submit, noon_ms);
        input.command_id = intake_command_id(door_bytes_of("police"), door_bytes_of("k1"));
        input.rights = DOOR_RIGHT_IMPORT;
        assert_int_equal(received_of(run(&input))->warnings.count, 0);
}

static void a_refused_attempt_of_an_import_and_requests_about_history_stay_historic(void **state)
{
        (void)state;
        intake_submit submit = submission("police", "k1", "a");
        submit.historic = true;
        submit.historic_received_at_ms = noon_ms - 1;
        intake_submit other = submission("police", "k1", "b");
        other.historic = true;
        door_input input = command(INTAKE_SUBMIT, &submit, noon_ms);
        input.command_id = intake_command_id(door_bytes_of("police"), door_bytes_of("k1"));
        input.rights = DOOR_RIGHT_IMPORT;
        const door_id id = received_of(run(&input))->referral;
        input.body = &other;
        assert_int_equal(run(&input)->events[0].flags, DOOR_FLAG_HISTORIC);

        const intake_withdraw withdraw = { .referral_readable = true, .referral = id };
        input = command(INTAKE_WITHDRAW, &withdraw, noon_ms);
        assert_int_equal(run(&input)->events[0].flags, DOOR_FLAG_HISTORIC);
        const intake_amend amend = { .referral_readable = true, .referral = id, .form = submit.form };
        input = command(INTAKE_AMEND, &amend, noon_ms);
        assert_int_equal(run(&input)->events[0].flags, DOOR_FLAG_HISTORIC);
}

/* ---- resends */

static intake_submit with_reference(const char *key, const char *content, const char *reference)
{
        intake_submit submit = submission("police", key, content);
        submit.form.has_reference = true;
        submit.form.reference_digest = hash_of(reference);
        return submit;
}

static void a_near_identical_one_within_seven_days_is_received_and_pointed_at(void **state)
{
        (void)state;
        const intake_submit first = submission("police", "k1", "same words");
        const intake_submit again = submission("police", "k2", "same words");
        const intake_submit late = submission("police", "k3", "same words");
        const door_id id = received_of(submit_at(&first, noon_ms))->referral;

        const intake_received *body = received_of(submit_at(&again, noon_ms + 7 * day_ms));
        assert_true(body->has_resend_of);
        assert_true(door_id_equal(&body->resend_of, &id));
        const door_id second = body->referral;
        assert_false(door_id_equal(&second, &id));

        body = received_of(submit_at(&late, noon_ms + 14 * day_ms + 1));
        assert_false(body->has_resend_of);
}

static void the_latest_of_several_is_pointed_at(void **state)
{
        (void)state;
        const intake_submit first = submission("police", "k1", "same words");
        const intake_submit again = submission("police", "k2", "same words");
        const intake_submit third = submission("police", "k3", "same words");
        (void)submit_at(&first, noon_ms);
        const door_id second = received_of(submit_at(&again, noon_ms + day_ms))->referral;
        const intake_received *body = received_of(submit_at(&third, noon_ms + 2 * day_ms));
        assert_true(door_id_equal(&body->resend_of, &second));
}

static void one_millisecond_over_seven_days_is_no_resend(void **state)
{
        (void)state;
        const intake_submit first = submission("police", "k1", "same words");
        const intake_submit again = submission("police", "k2", "same words");
        (void)submit_at(&first, noon_ms);
        assert_false(received_of(submit_at(&again, noon_ms + 7 * day_ms + 1))->has_resend_of);
}

static void the_window_begins_no_earlier_than_time(void **state)
{
        (void)state;
        const intake_submit first = submission("police", "k1", "same words");
        const intake_submit again = submission("police", "k2", "same words");
        (void)submit_at(&first, 0);
        assert_true(received_of(submit_at(&again, 5))->has_resend_of);
}

static void a_later_one_is_not_what_a_historic_one_resends(void **state)
{
        (void)state;
        const intake_submit first = submission("police", "k1", "same words");
        intake_submit older = submission("police", "k2", "same words");
        older.historic = true;
        older.historic_received_at_ms = noon_ms - day_ms;
        (void)submit_at(&first, noon_ms);
        door_input input = command(INTAKE_SUBMIT, &older, noon_ms);
        input.command_id = intake_command_id(door_bytes_of("police"), door_bytes_of("k2"));
        input.rights = DOOR_RIGHT_IMPORT;
        assert_false(received_of(run(&input))->has_resend_of);
}

static void the_same_reference_date_and_persons_are_a_resend_too(void **state)
{
        (void)state;
        const intake_submit first = with_reference("k1", "words", "POL-1, Monday, Mia");
        const intake_submit again = with_reference("k2", "other words", "POL-1, Monday, Mia");
        const intake_submit other = with_reference("k3", "more words", "POL-1, Monday, Leo");
        const intake_submit none = submission("police", "k4", "nothing alike");
        const door_id id = received_of(submit_at(&first, noon_ms))->referral;
        const intake_received *body = received_of(submit_at(&again, noon_ms + day_ms));
        assert_true(body->has_resend_of);
        assert_true(door_id_equal(&body->resend_of, &id));
        assert_false(received_of(submit_at(&other, noon_ms + day_ms))->has_resend_of);
        assert_false(received_of(submit_at(&none, noon_ms + day_ms))->has_resend_of);
}

static void without_a_reference_nothing_resends_by_reference(void **state)
{
        (void)state;
        /* Both digests are zeros: absent must not equal absent. */
        const intake_submit first = submission("police", "k1", "words");
        const intake_submit second = submission("police", "k2", "other words");
        (void)submit_at(&first, noon_ms);
        assert_int_equal(memory_reader_rows_of(&fixture->state, INTAKE_TABLE_RESEND), 1);
        assert_false(received_of(submit_at(&second, noon_ms))->has_resend_of);
}

/* ---- requests */

static void withdrawing_is_a_request_that_leaves_the_referral(void **state)
{
        (void)state;
        const intake_submit submit = submission("police", "k1", "a");
        const door_id id = received_of(submit_at(&submit, noon_ms))->referral;
        const intake_withdraw withdraw = { .referral_readable = true,
                                           .referral = id,
                                           .reason = door_bytes_of("sent to the wrong county") };
        const size_t rows = fixture->state.count;

        for (uint32_t times = 1; times <= 2; times++) {
                const door_input input = command(INTAKE_WITHDRAW, &withdraw, noon_ms + times);
                const door_out *out = run(&input);
                assert_false(out->refused);
                assert_int_equal(out->events_count, 1);
                assert_int_equal(out->events[0].type, INTAKE_WITHDRAW_ASKED);
                assert_int_equal(out->events[0].flags, 0);
                assert_subject(&out->events[0], &id);
                const intake_withdraw_asked *body = out->events[0].body;
                assert_true(door_id_equal(&body->referral, &id));
                assert_int_equal(body->received_at_ms, noon_ms);
                assert_int_equal(body->number, times);
                assert_true(door_bytes_equal(body->reason, withdraw.reason));
        }
        assert_int_equal(fixture->state.count, rows);
        assert_int_equal(submit_at(&submit, noon_ms)->events[0].type, INTAKE_REFERRAL_REPEATED);
}

static void only_the_sender_or_a_reader_may_ask_about_a_referral(void **state)
{
        (void)state;
        const intake_submit submit = submission("school", "k1", "a");
        const door_id id = received_of(submit_at(&submit, noon_ms))->referral;
        const intake_withdraw withdraw = { .referral_readable = true, .referral = id };
        door_input input = command(INTAKE_WITHDRAW, &withdraw, noon_ms);

        input.peer = door_bytes_of("police-gw");
        assert_refused(run(&input), INTAKE_REASON_NO_SUCH, "/referral");
        input.peer = door_bytes_of("desk");
        assert_false(run(&input)->refused);
        input.peer = door_bytes_of("gateway");
        assert_false(run(&input)->refused);
}

static void a_referral_that_is_not_there_and_one_that_is_not_yours_read_the_same(void **state)
{
        (void)state;
        const intake_submit submit = submission("school", "k1", "a");
        const door_id id = received_of(submit_at(&submit, noon_ms))->referral;
        intake_withdraw withdraw = { .referral_readable = true, .referral = id };
        door_input input = command(INTAKE_WITHDRAW, &withdraw, noon_ms);
        input.peer = door_bytes_of("police-gw");
        const char *detail = run(&input)->refusal.detail;

        withdraw.referral.bytes[0] ^= 1;
        assert_refused(run(&input), INTAKE_REASON_NO_SUCH, "/referral");
        assert_string_equal(fixture->out.refusal.detail, detail);
        withdraw.referral = id;
        withdraw.referral_readable = false;
        input.peer = door_bytes_of("gateway");
        assert_refused(run(&input), INTAKE_REASON_NO_SUCH, "/referral");
        assert_string_equal(fixture->out.refusal.detail, detail);
}

static void amending_keeps_both_versions(void **state)
{
        (void)state;
        const intake_submit submit = submission("police", "k1", "as sent");
        const door_id id = received_of(submit_at(&submit, noon_ms))->referral;
        intake_submit better = submission("police", "k9", "as meant");
        better.form.has_narrative = false;
        const intake_amend amend = { .referral_readable = true,
                                     .referral = id,
                                     .reason = door_bytes_of("typo"),
                                     .form = better.form };
        for (uint32_t number = 1; number <= 2; number++) {
                const door_input input = command(INTAKE_AMEND, &amend, noon_ms + number);
                const door_out *out = run(&input);
                assert_false(out->refused);
                assert_int_equal(out->events_count, 1);
                assert_int_equal(out->events[0].type, INTAKE_AMEND_ASKED);
                assert_subject(&out->events[0], &id);
                const intake_other *body = out->events[0].body;
                assert_int_equal(body->number, number);
                assert_int_equal(body->received_at_ms, noon_ms);
                assert_int_equal(body->asked_at_ms, noon_ms + number);
                assert_int_equal(body->warnings.count, 1);
                assert_true(door_bytes_equal(body->reason, door_bytes_of("typo")));
        }
        assert_int_equal(memory_reader_rows_of(&fixture->state, INTAKE_TABLE_CONTENT), 3);
        assert_int_equal(memory_reader_rows_of(&fixture->state, INTAKE_TABLE_KEY), 1);
        assert_int_equal(submit_at(&submit, noon_ms)->events[0].type, INTAKE_REFERRAL_REPEATED);
}

static void an_amendment_keeps_its_agency_and_its_bounds(void **state)
{
        (void)state;
        const intake_submit submit = submission("police", "k1", "as sent");
        const door_id id = received_of(submit_at(&submit, noon_ms))->referral;
        const intake_submit school = submission("school", "k1", "as meant");
        intake_amend amend = { .referral_readable = true, .referral = id, .form = school.form };
        door_input input = command(INTAKE_AMEND, &amend, noon_ms);
        assert_refused(run(&input), INTAKE_REASON_INVALID, "/amended/agency");

        amend.form = submit.form;
        amend.form.bound = INTAKE_BOUND_PEOPLE;
        amend.form.bound_got = 201;
        assert_refused(run(&input), INTAKE_REASON_TOO_LARGE, "/people");
        assert_string_equal(fixture->out.refusal.detail, "people: at most 200, got 201");

        amend.form.bound = INTAKE_WITHIN_BOUNDS;
        input.peer = door_bytes_of("nobody");
        assert_refused(run(&input), INTAKE_REASON_NO_SUCH, "/referral");
        assert_int_equal(memory_reader_rows_of(&fixture->state, INTAKE_TABLE_CONTENT), 1);
}

static void fetching_is_disclosed_before_it_is_answered(void **state)
{
        (void)state;
        const intake_submit submit = submission("police", "k1", "the whole form");
        const door_id id = received_of(submit_at(&submit, noon_ms))->referral;
        const intake_fetch fetch = {
                .referral_readable = true, .referral = id, .purpose = 2, .note = door_bytes_of("why")
        };
        door_input input = command(INTAKE_FETCH, &fetch, noon_ms);
        input.peer = door_bytes_of("desk");
        const size_t rows = fixture->state.count;

        const door_out *out = run(&input);
        assert_false(out->refused);
        assert_int_equal(out->events_count, 1);
        assert_int_equal(out->events[0].type, INTAKE_DISCLOSED);
        assert_int_equal(out->events[0].flags, DOOR_FLAG_IGNORABLE);
        assert_subject(&out->events[0], &id);
        const intake_disclosed *body = out->events[0].body;
        assert_true(door_id_equal(&body->referral, &id));
        assert_int_equal(body->purpose, 2);
        assert_int_equal(body->part, INTAKE_PART_ORIGINAL);
        assert_int_equal(body->number, 0);
        assert_true(door_bytes_equal(body->note, door_bytes_of("why")));
        assert_true(door_bytes_equal(body->content, door_bytes_of("the whole form")));
        assert_int_equal(fixture->state.count, rows);
}

static void each_version_can_be_fetched_by_its_number(void **state)
{
        (void)state;
        const intake_submit submit = submission("police", "k1", "as sent");
        const intake_submit other = submission("police", "k1", "under the same key");
        const intake_submit better = submission("police", "k1", "as meant");
        const door_id id = received_of(submit_at(&submit, noon_ms))->referral;
        (void)submit_at(&other, noon_ms);
        const intake_amend amend = { .referral_readable = true, .referral = id, .form = better.form };
        door_input input = command(INTAKE_AMEND, &amend, noon_ms);
        (void)run(&input);

        intake_fetch fetch = { .referral_readable = true, .referral = id, .purpose = 1 };
        input = command(INTAKE_FETCH, &fetch, noon_ms);
        input.peer = door_bytes_of("desk");
        fetch.part = INTAKE_PART_ATTEMPT;
        fetch.number = 1;
        assert_true(door_bytes_equal(((const intake_disclosed *)run(&input)->events[0].body)->content,
                                     door_bytes_of("under the same key")));
        fetch.part = INTAKE_PART_AMENDMENT;
        const intake_disclosed *body = run(&input)->events[0].body;
        assert_true(door_bytes_equal(body->content, door_bytes_of("as meant")));
        assert_int_equal(body->part, INTAKE_PART_AMENDMENT);
        assert_int_equal(body->number, 1);
        fetch.number = 2;
        assert_refused(run(&input), INTAKE_REASON_NO_SUCH, "/referral");
        fetch.number = 0;
        assert_refused(run(&input), INTAKE_REASON_NO_SUCH, "/referral");
}

static void fetching_needs_a_reader_a_purpose_and_a_referral(void **state)
{
        (void)state;
        const intake_submit submit = submission("police", "k1", "the whole form");
        const door_id id = received_of(submit_at(&submit, noon_ms))->referral;
        intake_fetch fetch = { .referral_readable = true, .referral = id, .purpose = 1 };
        door_input input = command(INTAKE_FETCH, &fetch, noon_ms);

        assert_refused(run(&input), INTAKE_REASON_NOT_ALLOWED, NULL); /* the sender's own peer */
        input.peer = door_bytes_of("desk");
        fetch.purpose = 0;
        assert_refused(run(&input), INTAKE_REASON_INVALID, "/purpose");
        fetch.purpose = 1;
        fetch.referral_readable = false;
        assert_refused(run(&input), INTAKE_REASON_NO_SUCH, "/referral");
        fetch.referral_readable = true;
        fetch.referral.bytes[9] ^= 1;
        assert_refused(run(&input), INTAKE_REASON_NO_SUCH, "/referral");
        assert_int_equal(fixture->out.events_count, 0);
}

/* ---- state */

static void what_was_received_is_read_back_byte_for_byte(void **state)
{
        (void)state;
        intake_submit submit = with_reference("k1", "words", "ref");
        submit.form.has_narrative = false;
        const intake_received body = *received_of(submit_at(&submit, noon_ms));
        door_view view;
        intake_key key;
        intake_referral referral;
        door_bytes content;
        door_id found;

        door_view_init(&view, &fixture->state.reader, &fixture->arena);
        assert_true(intake_key_get(&view, &body.key_digest, &key));
        assert_true(door_id_equal(&key.referral, &body.referral));
        assert_int_equal(key.received_at_ms, noon_ms);
        assert_true(door_hash_equal(&key.content_digest, &body.content_digest));
        assert_int_equal(key.warnings.count, 1);
        assert_true(intake_referral_get(&view, &body.referral, &referral));
        assert_int_equal(referral.received_at_ms, noon_ms);
        assert_false(referral.historic);
        assert_true(door_bytes_equal(referral.agency, door_bytes_of("police")));
        assert_true(door_hash_equal(&referral.key_digest, &body.key_digest));
        assert_true(door_hash_equal(&referral.likeness_digest, &body.likeness_digest));
        assert_true(referral.has_reference);
        assert_true(door_hash_equal(&referral.reference_digest, &body.reference_digest));
        assert_int_equal(referral.withdrawals + referral.amendments + referral.attempts, 0);
        assert_true(intake_content_get(&view, &body.referral, 0, 0, &content));
        assert_true(door_bytes_equal(content, door_bytes_of("words")));
        assert_true(intake_resend_find(&view, &body.reference_digest, noon_ms, noon_ms, &found));
        assert_true(door_id_equal(&found, &body.referral));
        assert_false(intake_resend_find(&view, &body.reference_digest, noon_ms + 1, noon_ms + 2, &found));
        assert_false(intake_resend_find(&view, &body.reference_digest, 0, noon_ms - 1, &found));
        assert_int_equal(fixture->state.count, 5);
}

static void counts_of_each_kind_are_kept_apart(void **state)
{
        (void)state;
        door_view view;
        intake_referral got;
        const door_id id = { { 7 } };
        const intake_referral put = { .received_at_ms = 1,
                                      .historic = true,
                                      .agency = door_bytes_of("gp"),
                                      .withdrawals = 2,
                                      .amendments = 3,
                                      .attempts = 4 };
        door_view_init(&view, &fixture->state.reader, &fixture->arena);
        view.writable = true;
        intake_referral_put(&view, &id, &put);
        assert_true(intake_referral_get(&view, &id, &got));
        assert_true(got.historic);
        assert_false(got.has_reference);
        assert_int_equal(got.withdrawals, 2);
        assert_int_equal(got.amendments, 3);
        assert_int_equal(got.attempts, 4);
}

static void an_erased_payload_leaves_no_content(void **state)
{
        (void)state;
        intake_submit submit = submission("police", "k1", "words");
        submit.form.content = DOOR_BYTES_EMPTY;
        (void)received_of(submit_at(&submit, noon_ms));
        assert_int_equal(memory_reader_rows_of(&fixture->state, INTAKE_TABLE_CONTENT), 0);
        assert_int_equal(memory_reader_rows_of(&fixture->state, INTAKE_TABLE_KEY), 1);
}

static void a_content_of_one_byte_is_a_content(void **state)
{
        (void)state;
        const intake_submit submit = submission("police", "k1", "x");
        (void)received_of(submit_at(&submit, noon_ms));
        assert_int_equal(memory_reader_rows_of(&fixture->state, INTAKE_TABLE_CONTENT), 1);
}

static void a_content_that_does_not_fit_latches(void **state)
{
        (void)state;
        door_view view;
        const door_id id = { { 7 } };
        static const uint8_t content[4096];
        door_arena small = { .base = fixture->arena.base, .cap = 1024 };
        door_view_init(&view, &fixture->state.reader, &small);
        view.writable = true;
        intake_content_put(&view, &id, 0, 0, (door_bytes){ content, sizeof content });
        assert_true(small.exhausted);
        assert_int_equal(view.changes_count, 0);
}

/* Method: every table once, all its bytes in one digest. When this fails the layout has changed:
 * raise INTAKE_STATE_VERSION, say so in intake_state.h, then write down the new digest. */
static void the_layout_of_version_1_does_not_change(void **state)
{
        (void)state;
        intake_submit submit = with_reference("k1", "words", "ref");
        submit.historic = true;
        submit.historic_received_at_ms = noon_ms - 1;
        submit.form.has_narrative = false;
        intake_submit other = submit;
        other.form.content_digest = hash_of("other");
        other.form.content = door_bytes_of("other");
        door_input input = command(INTAKE_SUBMIT, &submit, noon_ms);
        input.command_id = intake_command_id(door_bytes_of("police"), door_bytes_of("k1"));
        input.rights = DOOR_RIGHT_IMPORT;
        (void)run(&input);
        input.body = &other;
        (void)run(&input);
        assert_int_equal(fixture->state.count, 7);

        door_bytes parts[14];
        for (size_t i = 0; i < 7; i++) {
                const memory_row *row = &fixture->state.rows[i];
                parts[2 * i] = (door_bytes){ row->key, row->key_len };
                parts[2 * i + 1] = (door_bytes){ row->value, row->value_len };
        }
        const door_hash got = door_hash_of(parts, 14);
        static const uint8_t want[8] = { 0x6F, 0xD1, 0x1A, 0x2F, 0x7A, 0x70, 0x59, 0x31 };
        assert_memory_equal(got.bytes, want, sizeof want);
}

static void requests_about_an_erased_referral_fold_into_nothing(void **state)
{
        (void)state;
        const intake_other other = { .number = 1, .content = door_bytes_of("x") };
        const intake_withdraw_asked withdraw = { .number = 1 };
        const intake_repeated repeated = { .received_at_ms = 1 };
        const uint32_t types[] = { INTAKE_ATTEMPT_REFUSED, INTAKE_AMEND_ASKED, INTAKE_WITHDRAW_ASKED,
                                   INTAKE_REFERRAL_REPEATED };
        const void *const bodies[] = { &other, &other, &withdraw, &repeated };
        door_view view;

        door_view_init(&view, &fixture->state.reader, &fixture->arena);
        view.writable = true;
        for (size_t i = 0; i < 4; i++) {
                const door_event event = { .type = types[i], .body = bodies[i] };
                intake_apply(&view, &event);
                assert_int_equal(view.changes_count, 0);
        }
}

static void a_full_arena_latches_and_decides_nothing_by_halves(void **state)
{
        (void)state;
        const intake_submit submit = submission("police", "k1", "words");
        door_input input = command(INTAKE_SUBMIT, &submit, noon_ms);
        door_view view;

        input.command_id = intake_command_id(door_bytes_of("police"), door_bytes_of("k1"));
        for (size_t room = 0; room < sizeof(intake_received); room += 64) {
                door_arena small = { .base = fixture->arena.base, .cap = room };
                door_out out = { .arena = &small };
                door_view_init(&view, &fixture->state.reader, &small);
                intake_decide(&view, &fixture->policy, &input, &out);
                assert_true(small.exhausted);
                assert_int_equal(out.events_count, 0);
        }
}

/* ---- warnings */

static intake_form good_form(void)
{
        return submission("police", "k", "c").form;
}

static intake_warnings warned(const intake_form *form)
{
        intake_warnings warnings = { 0 };
        intake_warn(form, noon_ms, 300000, &warnings);
        return warnings;
}

static void assert_only(const intake_form *form, intake_field field, size_t person, intake_warning_code code)
{
        const intake_warnings warnings = warned(form);
        assert_int_equal(warnings.count, 1);
        assert_int_equal(warnings.items[0].field, field);
        assert_int_equal(warnings.items[0].person, person);
        assert_int_equal(warnings.items[0].code, code);
}

static void assert_no_warning(const intake_form *form)
{
        assert_int_equal(warned(form).count, 0);
}

static void a_form_with_nothing_odd_has_no_warnings(void **state)
{
        (void)state;
        const intake_form form = good_form();
        assert_no_warning(&form);
}

static void missing_facts_are_asked_for(void **state)
{
        (void)state;
        intake_form form = good_form();
        form.has_concern = false;
        assert_only(&form, INTAKE_FIELD_CONCERN_TYPE, INTAKE_NO_PERSON, INTAKE_WARNING_MISSING);
        form = good_form();
        form.has_narrative = false;
        assert_only(&form, INTAKE_FIELD_NARRATIVE, INTAKE_NO_PERSON, INTAKE_WARNING_MISSING);
        form = good_form();
        form.people_count = 0;
        assert_only(&form, INTAKE_FIELD_PEOPLE, INTAKE_NO_PERSON, INTAKE_WARNING_MISSING);
}

static void a_concern_nobody_knows_is_unknown_rather_than_missing(void **state)
{
        (void)state;
        intake_form form = good_form();
        form.has_concern = false;
        form.concern_unknown = true;
        assert_only(&form, INTAKE_FIELD_CONCERN_TYPE, INTAKE_NO_PERSON, INTAKE_WARNING_UNKNOWN_CODE);
}

static void a_referral_without_a_child_is_asked_for_one(void **state)
{
        (void)state;
        intake_person people[2] = { child, child };
        intake_form form = good_form();
        form.people = people;
        form.people_count = 2;
        people[0].life = INTAKE_LIFE_ADULT;
        people[1].life = INTAKE_LIFE_ADULT;
        assert_only(&form, INTAKE_FIELD_PEOPLE, INTAKE_NO_PERSON, INTAKE_WARNING_MISSING);
        people[1].life = INTAKE_LIFE_CHILD;
        assert_no_warning(&form);
        people[1] = (intake_person){ .life = INTAKE_LIFE_UNBORN,
                                     .edd = { .sent = true, .precision = INTAKE_DAY_EXACT, .days = 20800 } };
        assert_no_warning(&form);
}

static void the_rest_of_a_long_narrative_and_unplaced_fields_are_said(void **state)
{
        (void)state;
        intake_form form = good_form();
        form.narrative_long = true;
        assert_only(&form, INTAKE_FIELD_NARRATIVE, INTAKE_NO_PERSON, INTAKE_WARNING_LONG);
        form = good_form();
        form.has_unrecognised = true;
        assert_only(&form, INTAKE_FIELD_UNRECOGNISED, INTAKE_NO_PERSON, INTAKE_WARNING_UNRECOGNISED);
        form = good_form();
        form.confirms_odd = true;
        assert_only(&form, INTAKE_FIELD_CONFIRMS, INTAKE_NO_PERSON, INTAKE_WARNING_UNREADABLE);
}

static void levels_are_one_to_four(void **state)
{
        (void)state;
        intake_form form = good_form();
        form.level_asked = 9; /* not sent */
        assert_no_warning(&form);
        form.has_level = true;
        for (uint32_t level = 1; level <= 4; level++) {
                form.level_asked = level;
                assert_no_warning(&form);
        }
        form.level_asked = 0;
        assert_only(&form, INTAKE_FIELD_LEVEL_ASKED, INTAKE_NO_PERSON, INTAKE_WARNING_OUT_OF_RANGE);
        form.level_asked = 5;
        assert_only(&form, INTAKE_FIELD_LEVEL_ASKED, INTAKE_NO_PERSON, INTAKE_WARNING_OUT_OF_RANGE);
}

static void an_incident_is_readable_and_past(void **state)
{
        (void)state;
        intake_form form = good_form();
        form.incident_sent = true;
        assert_only(&form, INTAKE_FIELD_INCIDENT_AT, INTAKE_NO_PERSON, INTAKE_WARNING_UNREADABLE);
        form.incident_read = true;
        form.incident_at_ms = noon_ms + 300000;
        assert_no_warning(&form);
        form.incident_at_ms = noon_ms + 300001;
        assert_only(&form, INTAKE_FIELD_INCIDENT_AT, INTAKE_NO_PERSON, INTAKE_WARNING_IN_THE_FUTURE);
}

static void who_caused_harm_is_somebody_named_or_not_known(void **state)
{
        (void)state;
        const uint32_t alleged[] = { 0, 1, 7 };
        const uint32_t one_past[] = { 1 };
        intake_form form = good_form();
        form.alleged = one_past;
        form.alleged_count = 1;
        assert_only(&form, INTAKE_FIELD_ALLEGED, INTAKE_NO_PERSON, INTAKE_WARNING_OUT_OF_RANGE);
        form.alleged = alleged;
        form.alleged_count = 1;
        assert_no_warning(&form);
        form.alleged_count = 3; /* two of them nobody: said once */
        assert_only(&form, INTAKE_FIELD_ALLEGED, INTAKE_NO_PERSON, INTAKE_WARNING_OUT_OF_RANGE);
        form.alleged_count = 1;
        form.alleged_not_known = true;
        assert_only(&form, INTAKE_FIELD_ALLEGED, INTAKE_NO_PERSON, INTAKE_WARNING_CONTRADICTS);
        form.alleged_count = 0;
        assert_no_warning(&form);
}

static void every_list_of_persons_names_persons_of_the_referral(void **state)
{
        (void)state;
        const intake_person two[2] = { child, child };
        for (int list = 0; list < 4; list++) {
                static const intake_field fields[] = { INTAKE_FIELD_RELATIONSHIP, INTAKE_FIELD_HOUSEHOLD,
                                                       INTAKE_FIELD_CONSENT, INTAKE_FIELD_DO_NOT_TELL };
                intake_form form = good_form();
                uint32_t *const maxima[] = { &form.relationship_index_max, &form.household_index_max,
                                             &form.consent_index_max, &form.do_not_tell_index_max };
                form.people = two;
                form.people_count = 2;
                *maxima[list] = 1;
                assert_no_warning(&form);
                *maxima[list] = 2;
                assert_only(&form, fields[list], INTAKE_NO_PERSON, INTAKE_WARNING_OUT_OF_RANGE);
                form.people_count = 1;
                *maxima[list] = 1;
                assert_only(&form, fields[list], INTAKE_NO_PERSON, INTAKE_WARNING_OUT_OF_RANGE);
        }
}

/* One person after a good child, so that the index in a warning is seen to be the person's. */
static intake_form form_with(intake_person people[2], const intake_person *person)
{
        intake_form form = good_form();
        people[0] = child;
        people[1] = *person;
        form.people = people;
        form.people_count = 2;
        return form;
}

static void assert_person(const intake_person *person, intake_field field, intake_warning_code code)
{
        intake_person people[2];
        const intake_form form = form_with(people, person);
        assert_only(&form, field, 1, code);
}

static void assert_person_good(const intake_person *person)
{
        intake_person people[2];
        const intake_form form = form_with(people, person);
        assert_no_warning(&form);
}

static const intake_person adult = { .life = INTAKE_LIFE_ADULT, .named = true };

static void a_person_has_a_role_and_a_name(void **state)
{
        (void)state;
        intake_person person = adult;
        assert_person_good(&person);
        person.life = INTAKE_LIFE_UNKNOWN;
        assert_person(&person, INTAKE_FIELD_PERSON_ROLE, INTAKE_WARNING_MISSING);
        person.role_unknown = true;
        assert_person(&person, INTAKE_FIELD_PERSON_ROLE, INTAKE_WARNING_UNKNOWN_CODE);
        person = adult;
        person.named = false;
        assert_person(&person, INTAKE_FIELD_PERSON_NAME, INTAKE_WARNING_MISSING);
}

static void the_unborn_need_no_name_but_a_date(void **state)
{
        (void)state;
        intake_person person = { .life = INTAKE_LIFE_UNBORN };
        assert_person(&person, INTAKE_FIELD_PERSON_EDD, INTAKE_WARNING_MISSING);
        person.edd.sent = true;
        assert_person(&person, INTAKE_FIELD_PERSON_EDD, INTAKE_WARNING_UNREADABLE);
        person.edd.precision = INTAKE_DAY_EXACT;
        person.edd.days = 20780;
        assert_person_good(&person);
}

static void a_date_of_expectation_lies_within_280_days_ahead_and_42_behind(void **state)
{
        (void)state;
        intake_person person = { .life = INTAKE_LIFE_UNBORN,
                                 .edd = { .sent = true, .precision = INTAKE_DAY_EXACT } };
        person.edd.days = 20780 + 280;
        assert_person_good(&person);
        person.edd.days = 20780 + 281;
        assert_person(&person, INTAKE_FIELD_PERSON_EDD, INTAKE_WARNING_ODD);
        person.edd.days = 20780 - 42;
        assert_person_good(&person);
        person.edd.days = 20780 - 43;
        assert_person(&person, INTAKE_FIELD_PERSON_EDD, INTAKE_WARNING_ODD);
}

static void a_child_is_born_or_expected_and_a_mother_may_be_both(void **state)
{
        (void)state;
        intake_person person = { .life = INTAKE_LIFE_ADULT,
                                 .named = true,
                                 .dob = { .sent = true, .precision = INTAKE_DAY_EXACT, .days = 10000 },
                                 .edd = { .sent = true, .precision = INTAKE_DAY_EXACT, .days = 20800 } };
        assert_person_good(&person);
        person.life = INTAKE_LIFE_CHILD;
        person.dob.days = 18000;
        assert_person(&person, INTAKE_FIELD_PERSON_EDD, INTAKE_WARNING_CONTRADICTS);
        person.life = INTAKE_LIFE_UNBORN;
        assert_person(&person, INTAKE_FIELD_PERSON_EDD, INTAKE_WARNING_CONTRADICTS);
}

static void a_child_needs_a_birth_date_or_an_age_and_an_adult_neither(void **state)
{
        (void)state;
        intake_person person = { .life = INTAKE_LIFE_CHILD, .named = true };
        assert_person(&person, INTAKE_FIELD_PERSON_DOB, INTAKE_WARNING_MISSING);
        person.has_age = true;
        person.age_years = 7;
        assert_person_good(&person);
        person.has_age = false;
        person.dob.sent = true;
        assert_person(&person, INTAKE_FIELD_PERSON_DOB, INTAKE_WARNING_UNREADABLE);
}

static void nobody_is_born_tomorrow(void **state)
{
        (void)state;
        intake_person person = adult;
        person.dob = (intake_day){ true, INTAKE_DAY_EXACT, 20780 };
        assert_person_good(&person);
        person.dob.days = 20781;
        assert_person(&person, INTAKE_FIELD_PERSON_DOB, INTAKE_WARNING_IN_THE_FUTURE);
        person.has_age = true; /* said once */
        person.age_years = 30;
        assert_person(&person, INTAKE_FIELD_PERSON_DOB, INTAKE_WARNING_IN_THE_FUTURE);
        person.has_age = false;
        /* … unless the tolerance reaches into tomorrow. */
        intake_person people[2];
        const intake_form form = form_with(people, &person);
        intake_warnings warnings = { 0 };
        intake_warn(&form, noon_ms, 43200000, &warnings);
        assert_int_equal(warnings.count, 0);
}

static void a_birth_date_too_long_ago_is_odd(void **state)
{
        (void)state;
        intake_person person = adult;
        person.dob = (intake_day){ true, INTAKE_DAY_EXACT, 20780 - 43830 }; /* 120 years */
        assert_person_good(&person);
        person.dob.days--;
        assert_person(&person, INTAKE_FIELD_PERSON_DOB, INTAKE_WARNING_ODD);
        person.life = INTAKE_LIFE_CHILD;
        person.dob.days = 20780 - 9496; /* the day before 26 */
        assert_person_good(&person);
        person.dob.days--;
        assert_person(&person, INTAKE_FIELD_PERSON_DOB, INTAKE_WARNING_ODD);
}

static void an_age_that_the_birth_date_denies_is_a_contradiction(void **state)
{
        (void)state;
        intake_person person = { .life = INTAKE_LIFE_CHILD,
                                 .named = true,
                                 .has_age = true,
                                 .age_years = 8,
                                 .dob = { true, INTAKE_DAY_EXACT, 0 } };
        person.dob.days = 20780 - 3652; /* just 10: one year of grace */
        assert_person_good(&person);
        person.dob.days = 20780 - 3653;
        assert_person(&person, INTAKE_FIELD_PERSON_AGE, INTAKE_WARNING_CONTRADICTS);
        person.dob.days = 20780 - 2556; /* just 7 */
        assert_person_good(&person);
        person.dob.days = 20780 - 2555;
        assert_person(&person, INTAKE_FIELD_PERSON_AGE, INTAKE_WARNING_CONTRADICTS);
        /* A year alone may be a year earlier than its first of January says. */
        person.dob.precision = INTAKE_DAY_YEAR;
        person.dob.days = 20780 - 3652 - 365;
        assert_person_good(&person);
        person.dob.days--;
        assert_person(&person, INTAKE_FIELD_PERSON_AGE, INTAKE_WARNING_CONTRADICTS);
}

static void nobody_is_older_than_120(void **state)
{
        (void)state;
        intake_person person = adult;
        person.has_age = true;
        person.age_years = 120;
        assert_person_good(&person);
        person.age_years = 121;
        assert_person(&person, INTAKE_FIELD_PERSON_AGE, INTAKE_WARNING_ODD);
        person.age_years = UINT32_MAX;
        assert_person(&person, INTAKE_FIELD_PERSON_AGE, INTAKE_WARNING_ODD);
}

static void numbers_are_checked_each_by_its_kind(void **state)
{
        (void)state;
        static const struct {
                intake_number_kind kind;
                const char *text;
                intake_field field;
                int code; /* 0: no warning */
        } cases[] = {
                { INTAKE_NUMBER_NHS, "999 000 0018", INTAKE_FIELD_PERSON_NHS_NUMBER, 0 },
                { INTAKE_NUMBER_NHS, "999 000 0019", INTAKE_FIELD_PERSON_NHS_NUMBER,
                  INTAKE_WARNING_CHECK_DIGIT },
                { INTAKE_NUMBER_NHS, "999", INTAKE_FIELD_PERSON_NHS_NUMBER, INTAKE_WARNING_UNREADABLE },
                { INTAKE_NUMBER_NHS, "", INTAKE_FIELD_PERSON_NHS_NUMBER, 0 },
                { INTAKE_NUMBER_UPN, "A950000178301", INTAKE_FIELD_PERSON_UPN, 0 },
                { INTAKE_NUMBER_UPN, "B950000178301", INTAKE_FIELD_PERSON_UPN, INTAKE_WARNING_CHECK_DIGIT },
                { INTAKE_NUMBER_UPN, "950000178301", INTAKE_FIELD_PERSON_UPN, INTAKE_WARNING_UNREADABLE },
                { INTAKE_NUMBER_POSTCODE, "GL50 7AB", INTAKE_FIELD_PERSON_POSTCODE, 0 },
                { INTAKE_NUMBER_POSTCODE, "GL7", INTAKE_FIELD_PERSON_POSTCODE, INTAKE_WARNING_ODD },
                { INTAKE_NUMBER_POSTCODE, "GLOS", INTAKE_FIELD_PERSON_POSTCODE, INTAKE_WARNING_UNREADABLE },
                { INTAKE_NUMBER_UPRN, "100120012", INTAKE_FIELD_PERSON_UPRN, 0 },
                { INTAKE_NUMBER_UPRN, "x", INTAKE_FIELD_PERSON_UPRN, INTAKE_WARNING_UNREADABLE },
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                const intake_number number = { cases[i].kind, door_bytes_of(cases[i].text) };
                intake_person person = adult;
                person.numbers = &number;
                person.numbers_count = 1;
                if (cases[i].code == 0) {
                        assert_person_good(&person);
                } else {
                        assert_person(&person, cases[i].field, (intake_warning_code)cases[i].code);
                }
        }
}

static void a_list_of_warnings_that_is_cut_says_so(void **state)
{
        (void)state;
        intake_person people[70];
        intake_form form = good_form();
        for (size_t i = 0; i < 70; i++) {
                people[i] = child;
                people[i].named = false;
        }
        form.people = people;
        form.people_count = 63;
        intake_warnings warnings = warned(&form);
        assert_int_equal(warnings.count, 63);
        assert_int_equal(warnings.items[62].code, INTAKE_WARNING_MISSING);
        assert_int_equal(warnings.items[62].person, 62);
        form.people_count = 70;
        warnings = warned(&form);
        assert_int_equal(warnings.count, INTAKE_WARNINGS_MAX);
        assert_int_equal(warnings.items[62].person, 62);
        assert_int_equal(warnings.items[63].code, INTAKE_WARNING_CUT);
        assert_int_equal(warnings.items[63].field, INTAKE_FIELD_REFERRAL);
        assert_int_equal(warnings.items[63].person, INTAKE_NO_PERSON);

        /* Both survive the state. */
        intake_submit submit = submission("police", "k1", "a");
        submit.form.people = people;
        submit.form.people_count = 70;
        (void)submit_at(&submit, noon_ms);
        const intake_repeated *body = submit_at(&submit, noon_ms)->events[0].body;
        assert_int_equal(body->warnings.count, INTAKE_WARNINGS_MAX);
        assert_memory_equal(body->warnings.items, warnings.items, sizeof warnings.items);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_new, bench_free)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_referral_from_a_known_agency_is_received),
                TEST(the_receipt_id_is_drawn_from_the_inputs_randomness),
                TEST(the_command_id_is_made_of_length_agency_and_key),
                TEST(a_command_id_not_made_from_its_key_is_refused),
                TEST(a_key_has_1_to_256_bytes),
                TEST(without_a_policy_nothing_is_decided_and_the_reason_is_about_us),
                TEST(an_unknown_agency_is_refused),
                TEST(a_peer_may_only_speak_for_its_agencies),
                TEST(lists_of_the_policy_end_where_they_end),
                TEST(a_second_agency_may_use_the_same_key),
                TEST(an_unknown_command_is_refused_and_an_event_is_nothing),
                TEST(a_known_id_is_judged_by_content_for_submissions_and_refused_for_the_rest),
                TEST(no_tick_is_ever_wanted),
                TEST(over_a_bound_is_refused_in_numbers),
                TEST(the_same_content_under_the_same_key_gets_the_first_receipt_again),
                TEST(a_key_never_expires),
                TEST(other_content_under_the_same_key_is_refused_and_kept),
                TEST(the_same_refused_attempt_is_kept_once_and_refused_every_time),
                TEST(after_a_refused_attempt_the_first_content_still_gets_its_receipt),
                TEST(an_attempts_sent_time_is_clamped_and_its_oddities_warned_of),
                TEST(sent_at_is_the_agencys_word_but_never_later_than_received),
                TEST(a_sent_at_beyond_the_tolerance_is_warned_of),
                TEST(a_historic_referral_needs_the_right_and_keeps_the_files_time),
                TEST(historic_is_never_later_than_now),
                TEST(historic_at_this_very_moment_is_no_oddity),
                TEST(a_refused_attempt_of_an_import_and_requests_about_history_stay_historic),
                TEST(a_near_identical_one_within_seven_days_is_received_and_pointed_at),
                TEST(the_latest_of_several_is_pointed_at),
                TEST(one_millisecond_over_seven_days_is_no_resend),
                TEST(the_window_begins_no_earlier_than_time),
                TEST(a_later_one_is_not_what_a_historic_one_resends),
                TEST(the_same_reference_date_and_persons_are_a_resend_too),
                TEST(without_a_reference_nothing_resends_by_reference),
                TEST(withdrawing_is_a_request_that_leaves_the_referral),
                TEST(only_the_sender_or_a_reader_may_ask_about_a_referral),
                TEST(a_referral_that_is_not_there_and_one_that_is_not_yours_read_the_same),
                TEST(amending_keeps_both_versions),
                TEST(an_amendment_keeps_its_agency_and_its_bounds),
                TEST(fetching_is_disclosed_before_it_is_answered),
                TEST(each_version_can_be_fetched_by_its_number),
                TEST(fetching_needs_a_reader_a_purpose_and_a_referral),
                TEST(what_was_received_is_read_back_byte_for_byte),
                TEST(counts_of_each_kind_are_kept_apart),
                TEST(an_erased_payload_leaves_no_content),
                TEST(a_content_of_one_byte_is_a_content),
                TEST(a_content_that_does_not_fit_latches),
                TEST(the_layout_of_version_1_does_not_change),
                TEST(requests_about_an_erased_referral_fold_into_nothing),
                TEST(a_full_arena_latches_and_decides_nothing_by_halves),
                TEST(a_form_with_nothing_odd_has_no_warnings),
                TEST(missing_facts_are_asked_for),
                TEST(a_concern_nobody_knows_is_unknown_rather_than_missing),
                TEST(a_referral_without_a_child_is_asked_for_one),
                TEST(the_rest_of_a_long_narrative_and_unplaced_fields_are_said),
                TEST(levels_are_one_to_four),
                TEST(an_incident_is_readable_and_past),
                TEST(who_caused_harm_is_somebody_named_or_not_known),
                TEST(every_list_of_persons_names_persons_of_the_referral),
                TEST(a_person_has_a_role_and_a_name),
                TEST(the_unborn_need_no_name_but_a_date),
                TEST(a_date_of_expectation_lies_within_280_days_ahead_and_42_behind),
                TEST(a_child_is_born_or_expected_and_a_mother_may_be_both),
                TEST(a_child_needs_a_birth_date_or_an_age_and_an_adult_neither),
                TEST(nobody_is_born_tomorrow),
                TEST(a_birth_date_too_long_ago_is_odd),
                TEST(an_age_that_the_birth_date_denies_is_a_contradiction),
                TEST(nobody_is_older_than_120),
                TEST(numbers_are_checked_each_by_its_kind),
                TEST(a_list_of_warnings_that_is_cut_says_so),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
