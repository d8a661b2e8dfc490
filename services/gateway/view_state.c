#include "gateway/view_state.h"

#include <string.h>

enum { LAYOUT = 2, ROW_BYTES_MAX = 2048, REDIRECTS_MAX = 16, FOLDS_MAX = 16 };

/* A key or a value under construction. */
typedef struct row {
        uint8_t bytes[ROW_BYTES_MAX];
        door_writer out;
} row;

static row *key_begin(row *r, view_table table)
{
        r->out = door_writer_on(r->bytes, sizeof r->bytes);
        door_write_u8(&r->out, (uint8_t)table);
        return r;
}

static row *value_begin(row *r)
{
        r->out = door_writer_on(r->bytes, sizeof r->bytes);
        door_write_u8(&r->out, LAYOUT);
        return r;
}

static row *add_id(row *r, const door_id *id)
{
        door_write(&r->out, door_id_bytes(id));
        return r;
}

static row *add_u64(row *r, uint64_t number)
{
        door_write_u64(&r->out, number);
        return r;
}

static row *add_u8(row *r, unsigned number)
{
        door_write_u8(&r->out, (uint8_t)number);
        return r;
}

static door_bytes done(const row *r)
{
        DOOR_REQUIRE(r->out.ok);
        return door_written(&r->out);
}

static void put(door_view *view, const row *key, door_bytes value)
{
        door_view_put(view, done(key), value);
}

static void take(door_view *view, const row *key)
{
        door_view_delete(view, done(key));
}

static door_cursor_in value_reading(door_bytes value)
{
        door_cursor_in in = door_reading(value);
        const bool made_by_this_layout_else_frontdoor_view_rebuild = door_read_u8(&in) == LAYOUT;
        DOOR_REQUIRE(made_by_this_layout_else_frontdoor_view_rebuild);
        return in;
}

static door_id read_id(door_cursor_in *in)
{
        door_id id = { { 0 } };
        DOOR_REQUIRE(door_id_from_bytes(door_read(in, DOOR_ID_BYTES), &id));
        return id;
}

/* ---- what follows from what */

view_disposition view_disposition_of(view_episode_state state, view_attached attached)
{
        static const view_disposition of[VIEW_STATES] = {
                [VIEW_STATE_NONE] = VIEW_DISP_CLOSED, [VIEW_QUEUED] = VIEW_DISP_QUEUED,
                [VIEW_OFFERED] = VIEW_DISP_OFFERED,   [VIEW_ACTIVE] = VIEW_DISP_ACTIVE,
                [VIEW_IMPORTED] = VIEW_DISP_IMPORTED, [VIEW_CLOSED] = VIEW_DISP_CLOSED,
                [VIEW_FOLDED] = VIEW_DISP_CLOSED,
        };

        if (attached == VIEW_ATT_LOOK && view_is_open(state)) {
                return VIEW_DISP_LOOK;
        }
        if ((attached == VIEW_ATT_AWAITED || attached == VIEW_ATT_GIVEN) && state == VIEW_ACTIVE) {
                return VIEW_DISP_WITH_WORKER;
        }
        return of[state];
}

uint8_t view_band_of(uint8_t severity)
{
        return severity >= VIEW_BAND_RED_FROM ? 0 : severity >= VIEW_BAND_AMBER_FROM ? 1 : 2;
}

bool view_is_open(view_episode_state state)
{
        return state == VIEW_QUEUED || state == VIEW_OFFERED || state == VIEW_ACTIVE ||
               state == VIEW_IMPORTED;
}

uint32_t view_episode_referrals(const view_episode *episode)
{
        uint32_t sum = 0;
        for (size_t i = 0; i < VIEW_ATTS; i++) {
                sum += episode->on_it[i];
        }
        return sum;
}

uint32_t view_episode_unanswered(const view_episode *episode)
{
        return episode->on_it[VIEW_ATT_LOOK] + episode->on_it[VIEW_ATT_AWAITED];
}

/* ---- counts */

uint64_t view_count_get(door_view *view, uint8_t which)
{
        row key;
        door_bytes value;
        return door_view_get(view, done(add_u8(key_begin(&key, VIEW_TABLE_COUNT), which)), &value)
                       ? door_get_u64(value.data)
                       : 0;
}

void view_count_add(door_view *view, uint8_t which, int64_t delta)
{
        row key;
        uint8_t value[8];

        if (delta != 0) {
                door_put_u64(value, view_count_get(view, which) + (uint64_t)delta);
                put(view, add_u8(key_begin(&key, VIEW_TABLE_COUNT), which),
                    (door_bytes){ value, sizeof value });
        }
}

/* ---- things that wait, oldest first */

/* What waits, since when; what 0: nothing. */
typedef struct age {
        uint8_t what;
        uint64_t since_ms;
} age;

static void age_change(door_view *view, const door_id *id, age before, age after)
{
        row key;

        if (before.what == after.what && before.since_ms == after.since_ms) {
                return;
        }
        if (before.what != 0) {
                take(view,
                     add_id(add_u64(add_u8(key_begin(&key, VIEW_TABLE_AGE), before.what), before.since_ms),
                            id));
                view_count_add(view, (uint8_t)(VIEW_COUNT_WAITS | before.what), -1);
        }
        if (after.what != 0) {
                put(view,
                    add_id(add_u64(add_u8(key_begin(&key, VIEW_TABLE_AGE), after.what), after.since_ms), id),
                    DOOR_BYTES_EMPTY);
                view_count_add(view, (uint8_t)(VIEW_COUNT_WAITS | after.what), 1);
        }
}

/* ---- people */

/* One referral more or less of that family names the person. */
static void member_change(door_view *view, const door_id *family, const view_person *person, bool there)
{
        row key;
        row value;
        door_bytes old;
        uint32_t referrals = 0;

        (void)add_id(add_id(key_begin(&key, VIEW_TABLE_MEMBER), family), &person->id);
        if (door_view_get(view, done(&key), &old)) {
                door_cursor_in in = value_reading(old);
                referrals = door_read_u32(&in);
        }
        if (!there && referrals <= 1) {
                take(view, &key);
                return;
        }
        door_write_u32(&value_begin(&value)->out, there ? referrals + 1 : referrals - 1);
        put(view, &key, done(add_u8(add_u8(&value, person->role), person->age)));
}

view_person view_member_read(door_bytes rest, door_bytes value)
{
        door_cursor_in in = value_reading(value);
        view_person person = { .id = view_id_at_end(rest), .referrals = door_read_u32(&in) };

        person.role = door_read_u8(&in);
        person.age = door_read_u8(&in);
        DOOR_REQUIRE(door_read_done(&in));
        return person;
}

void view_person_name(door_view *view, const door_id *referral, const door_id *family,
                      const view_person *person)
{
        row key;
        row value;

        (void)add_id(add_id(key_begin(&key, VIEW_TABLE_NAMED), referral), &person->id);
        if (door_view_has(view, done(&key))) {
                return;
        }
        put(view, &key, done(add_u8(add_u8(value_begin(&value), person->role), person->age)));
        member_change(view, family, person, true);
}

/* Numbers of Role and AgeBand of the protos, asserted by the codec. */
static bool is_child(const view_person *person)
{
        return (person->age >= VIEW_AGE_UNBORN && person->age <= VIEW_AGE_16_TO_17) ||
               person->age == VIEW_AGE_CHILD || person->role == VIEW_ROLE_INDEX_CHILD ||
               person->role == VIEW_ROLE_SIBLING || person->role == VIEW_ROLE_UNBORN ||
               person->role == VIEW_ROLE_OTHER_CHILD;
}

static size_t named_read(door_view *view, const door_id *referral, view_person people[VIEW_PEOPLE_MAX])
{
        size_t count = 0;
        view_walk walk;
        door_bytes rest;
        door_bytes value;

        if (!view_walk_init(&walk, view, VIEW_TABLE_NAMED, door_id_bytes(referral), DOOR_BYTES_EMPTY,
                            VIEW_PEOPLE_MAX)) {
                return 0;
        }
        while (count < VIEW_PEOPLE_MAX && view_walk_next(&walk, &rest, &value)) {
                door_cursor_in in = value_reading(value);
                people[count].id = view_id_at_end(rest);
                people[count].role = door_read_u8(&in);
                people[count].age = door_read_u8(&in);
                people[count++].referrals = 1;
        }
        return count;
}

void view_children_replace(door_view *view, const door_id *referral, const door_id *family,
                           const view_person *children, size_t count)
{
        view_person people[VIEW_PEOPLE_MAX];
        view_person gone[VIEW_PEOPLE_MAX];
        const size_t people_count = named_read(view, referral, people);
        size_t gone_count = 0;

        for (size_t i = 0; i < people_count; i++) {
                bool stays = !is_child(&people[i]);
                for (size_t k = 0; k < count && !stays; k++) {
                        stays = door_id_equal(&people[i].id, &children[k].id);
                }
                if (!stays) {
                        row key;
                        take(view,
                             add_id(add_id(key_begin(&key, VIEW_TABLE_NAMED), referral), &people[i].id));
                        member_change(view, family, &people[i], false);
                        gone[gone_count++] = people[i];
                }
        }
        size_t next = 0;
        for (size_t i = 0; i < count; i++) {
                bool known = false;
                for (size_t k = 0; k < people_count && !known; k++) {
                        known = door_id_equal(&people[k].id, &children[i].id);
                }
                if (!known) {
                        /* Role and age as they were said of a child now known as another. */
                        view_person child = next < gone_count ? gone[next++] : children[i];
                        child.id = children[i].id;
                        view_person_name(view, referral, family, &child);
                }
        }
}

/* Who is named in a referral goes with it from one family to another. */
static void members_move(door_view *view, const door_id *referral, const door_id *from, const door_id *to)
{
        view_person people[VIEW_PEOPLE_MAX];
        const size_t count = named_read(view, referral, people);

        for (size_t i = 0; i < count; i++) {
                member_change(view, from, &people[i], false);
                member_change(view, to, &people[i], true);
        }
}

/* ---- referrals */

static door_bytes referral_pack(row *r, const view_referral *in)
{
        door_writer *w = &value_begin(r)->out;

        door_write_u8(w, (uint8_t)in->stage);
        door_write_u8(w, (uint8_t)in->attached);
        door_write_u64(w, in->sent_ms);
        door_write_u64(w, in->received_ms);
        door_write_u64(w, in->matched_ms);
        door_write_u64(w, in->placed_ms);
        door_write_sized(w, in->agency);
        door_write_u8(w, in->grade);
        door_write_u8(w, in->channel);
        door_write_u8(w, in->decision);
        door_write_u8(w, (uint8_t)((in->historic ? 1 : 0) | (in->opened ? 2 : 0) | (in->has_resend ? 4 : 0)));
        door_write(w, door_id_bytes(&in->resend_of));
        door_write(w, door_id_bytes(&in->family));
        door_write_u32(w, (uint32_t)in->score);
        door_write_u8(w, (uint8_t)in->candidates_count);
        for (size_t i = 0; i < in->candidates_count; i++) {
                door_write(w, door_id_bytes(&in->candidates[i]));
                door_write_u32(w, (uint32_t)in->candidate_scores[i]);
        }
        door_write(w, door_id_bytes(&in->episode));
        door_write(w, door_id_bytes(&in->home));
        door_write_u8(w, in->way);
        door_write_u64(w, in->why);
        door_write_u8(w, in->severity);
        door_write_u64(w, in->respond_by_ms);
        door_write_u64(w, in->look_by_ms);
        door_write_u64(w, in->look_since_ms);
        door_write_u8(w, in->look_answer);
        door_write_u8(w, in->response);
        door_write_u64(w, in->answered_ms);
        door_write_sized(w, in->answered_by);
        door_write_u32(w, in->withdrawals);
        door_write_u32(w, in->amendments);
        door_write_u32(w, in->attempts);
        door_write_u32(w, in->disclosed);
        return done(r);
}

bool view_referral_get(door_view *view, const door_id *id, view_referral *ret_row)
{
        row key;
        door_bytes value;

        if (!door_view_get(view, done(add_id(key_begin(&key, VIEW_TABLE_REFERRAL), id)), &value)) {
                return false;
        }
        door_cursor_in in = value_reading(value);
        *ret_row = (view_referral){ .stage = (view_stage)door_read_u8(&in) };
        ret_row->attached = (view_attached)door_read_u8(&in);
        ret_row->sent_ms = door_read_u64(&in);
        ret_row->received_ms = door_read_u64(&in);
        ret_row->matched_ms = door_read_u64(&in);
        ret_row->placed_ms = door_read_u64(&in);
        ret_row->agency = door_read_sized(&in);
        ret_row->grade = door_read_u8(&in);
        ret_row->channel = door_read_u8(&in);
        ret_row->decision = door_read_u8(&in);
        const uint8_t flags = door_read_u8(&in);
        ret_row->historic = (flags & 1) != 0;
        ret_row->opened = (flags & 2) != 0;
        ret_row->has_resend = (flags & 4) != 0;
        ret_row->resend_of = read_id(&in);
        ret_row->family = read_id(&in);
        ret_row->score = (int32_t)door_read_u32(&in);
        ret_row->candidates_count = door_read_u8(&in);
        DOOR_REQUIRE(ret_row->candidates_count <= VIEW_CANDIDATES_MAX);
        for (size_t i = 0; i < ret_row->candidates_count; i++) {
                ret_row->candidates[i] = read_id(&in);
                ret_row->candidate_scores[i] = (int32_t)door_read_u32(&in);
        }
        ret_row->episode = read_id(&in);
        ret_row->home = read_id(&in);
        ret_row->way = door_read_u8(&in);
        ret_row->why = door_read_u64(&in);
        ret_row->severity = door_read_u8(&in);
        ret_row->respond_by_ms = door_read_u64(&in);
        ret_row->look_by_ms = door_read_u64(&in);
        ret_row->look_since_ms = door_read_u64(&in);
        ret_row->look_answer = door_read_u8(&in);
        ret_row->response = door_read_u8(&in);
        ret_row->answered_ms = door_read_u64(&in);
        ret_row->answered_by = door_read_sized(&in);
        ret_row->withdrawals = door_read_u32(&in);
        ret_row->amendments = door_read_u32(&in);
        ret_row->attempts = door_read_u32(&in);
        ret_row->disclosed = door_read_u32(&in);
        DOOR_REQUIRE(door_read_done(&in));
        return true;
}

static bool is_attached_as(const view_referral *r, view_attached attached)
{
        return r != NULL && r->stage == VIEW_ATTACHED && r->attached == attached;
}

static age referral_age(const view_referral *r)
{
        if (r == NULL || r->stage == VIEW_NOTED) {
                return (age){ 0, 0 };
        }
        if (r->stage != VIEW_ATTACHED) {
                return (age){ r->stage == VIEW_RECEIVED ? VIEW_WAIT_MATCH : VIEW_WAIT_TRIAGE,
                              r->received_ms };
        }
        if (r->attached == VIEW_ATT_LOOK) {
                return (age){ VIEW_WAIT_LOOK, r->look_since_ms };
        }
        return r->attached == VIEW_ATT_AWAITED ? (age){ VIEW_WAIT_RESPONSE, r->placed_ms } : (age){ 0, 0 };
}

/* Its own, while it is on no episode; else 0: its episode counts it. */
static uint8_t own_disposition(const view_referral *r)
{
        static const uint8_t of[] = { [VIEW_RECEIVED] = VIEW_DISP_AWAITING_MATCH,
                                      [VIEW_MATCHED] = VIEW_DISP_AWAITING_TRIAGE,
                                      [VIEW_ATTACHED] = VIEW_DISP_NONE,
                                      [VIEW_NOTED] = VIEW_DISP_HISTORY };
        return r == NULL ? (uint8_t)VIEW_DISP_NONE : of[r->stage];
}

static row *unanswered_key(row *key, const door_id *id, const view_referral *r)
{
        return add_id(add_u64(add_id(key_begin(key, VIEW_TABLE_UNANSWERED), &r->episode),
                              r->attached == VIEW_ATT_LOOK ? r->look_by_ms : r->respond_by_ms),
                      id);
}

/* The rows a referral has in derived tables: there, or not any more. */
static void referral_derive(door_view *view, const door_id *id, const view_referral *r, bool there)
{
        row keys[4];
        size_t count = 0;

        if (r == NULL) {
                return;
        }
        if (is_attached_as(r, VIEW_ATT_LOOK)) {
                (void)add_id(add_u64(key_begin(&keys[count++], VIEW_TABLE_LOOK), r->look_by_ms), id);
        }
        if (is_attached_as(r, VIEW_ATT_LOOK) || is_attached_as(r, VIEW_ATT_AWAITED)) {
                (void)unanswered_key(&keys[count++], id, r);
        }
        if (r->stage == VIEW_ATTACHED) {
                (void)add_id(add_id(key_begin(&keys[count++], VIEW_TABLE_OF_EPISODE), &r->episode), id);
        }
        if (r->stage != VIEW_RECEIVED) {
                (void)add_id(add_u64(add_id(key_begin(&keys[count++], VIEW_TABLE_CHRONOLOGY), &r->family),
                                     r->sent_ms),
                             id);
        }
        for (size_t i = 0; i < count; i++) {
                if (there) {
                        put(view, &keys[i], DOOR_BYTES_EMPTY);
                } else {
                        take(view, &keys[i]);
                }
        }
}

void view_referral_put(door_view *view, const door_id *id, const view_referral *before,
                       const view_referral *after)
{
        row key;
        row value;

        view_count_add(view, VIEW_COUNT_RECEIVED, before == NULL ? 1 : 0);
        if (own_disposition(before) != own_disposition(after)) {
                if (own_disposition(before) != VIEW_DISP_NONE) {
                        view_count_add(view, own_disposition(before), -1);
                }
                if (own_disposition(after) != VIEW_DISP_NONE) {
                        view_count_add(view, own_disposition(after), 1);
                }
        }
        age_change(view, id, referral_age(before), referral_age(after));
        referral_derive(view, id, before, false);
        referral_derive(view, id, after, true);
        if (before != NULL && before->stage != VIEW_RECEIVED &&
            !door_id_equal(&before->family, &after->family)) {
                members_move(view, id, &before->family, &after->family);
        }
        put(view, add_id(key_begin(&key, VIEW_TABLE_REFERRAL), id), referral_pack(&value, after));
}

/* ---- episodes */

static door_bytes episode_pack(row *r, const view_episode *in)
{
        door_writer *w = &value_begin(r)->out;

        door_write_u8(w, (uint8_t)in->state);
        door_write_u32(w, in->version);
        door_write(w, door_id_bytes(&in->family));
        door_write_u8(w, in->severity);
        door_write_u64(w, in->rag_ms);
        door_write_u64(w, in->statutory_ms);
        door_write_u64(w, in->received_ms);
        door_write_u64(w, in->queued_ms);
        door_write_u64(w, in->taken_until_ms);
        door_write_sized(w, in->taken_by);
        for (size_t i = 0; i < VIEW_ATTS; i++) {
                door_write_u32(w, in->on_it[i]);
        }
        door_write_u32(w, in->agencies);
        door_write_u64(w, in->why);
        door_write_u8(w, (uint8_t)((in->uncertain ? 1 : 0) | (in->historic ? 2 : 0) |
                                   (in->has_previous ? 4 : 0) | (in->unrouted ? 8 : 0) |
                                   (in->waiting ? 16 : 0)));
        door_write(w, door_id_bytes(&in->previous));
        door_write_u8(w, in->level);
        door_write_u8(w, in->next_step);
        door_write_u8(w, in->outcome);
        door_write_u32(w, in->returned_times);
        door_write_sized(w, in->owner);
        door_write_sized(w, in->lead);
        door_write_sized(w, in->offered_to);
        door_write_u64(w, in->owner_ms);
        door_write_u64(w, in->offered_ms);
        door_write(w, door_id_bytes(&in->folded_into));
        return done(r);
}

bool view_episode_get(door_view *view, const door_id *id, view_episode *ret_row)
{
        row key;
        door_bytes value;

        if (!door_view_get(view, done(add_id(key_begin(&key, VIEW_TABLE_EPISODE), id)), &value)) {
                return false;
        }
        door_cursor_in in = value_reading(value);
        *ret_row = (view_episode){ .state = (view_episode_state)door_read_u8(&in) };
        DOOR_REQUIRE(ret_row->state < VIEW_STATES);
        ret_row->version = door_read_u32(&in);
        ret_row->family = read_id(&in);
        ret_row->severity = door_read_u8(&in);
        ret_row->rag_ms = door_read_u64(&in);
        ret_row->statutory_ms = door_read_u64(&in);
        ret_row->received_ms = door_read_u64(&in);
        ret_row->queued_ms = door_read_u64(&in);
        ret_row->taken_until_ms = door_read_u64(&in);
        ret_row->taken_by = door_read_sized(&in);
        for (size_t i = 0; i < VIEW_ATTS; i++) {
                ret_row->on_it[i] = door_read_u32(&in);
        }
        ret_row->agencies = door_read_u32(&in);
        ret_row->why = door_read_u64(&in);
        const uint8_t flags = door_read_u8(&in);
        ret_row->uncertain = (flags & 1) != 0;
        ret_row->historic = (flags & 2) != 0;
        ret_row->has_previous = (flags & 4) != 0;
        ret_row->unrouted = (flags & 8) != 0;
        ret_row->waiting = (flags & 16) != 0;
        ret_row->previous = read_id(&in);
        ret_row->level = door_read_u8(&in);
        ret_row->next_step = door_read_u8(&in);
        ret_row->outcome = door_read_u8(&in);
        ret_row->returned_times = door_read_u32(&in);
        ret_row->owner = door_read_sized(&in);
        ret_row->lead = door_read_sized(&in);
        ret_row->offered_to = door_read_sized(&in);
        ret_row->owner_ms = door_read_u64(&in);
        ret_row->offered_ms = door_read_u64(&in);
        ret_row->folded_into = read_id(&in);
        DOOR_REQUIRE(door_read_done(&in));
        return true;
}

/* Adds (sign 1) or takes away (-1) what the row counts for. */
static void episode_count(door_view *view, const view_episode *e, int64_t sign)
{
        if (e == NULL) {
                return;
        }
        for (unsigned i = 0; i < VIEW_ATTS; i++) {
                view_count_add(view, (uint8_t)view_disposition_of(e->state, (view_attached)i),
                               sign * (int64_t)e->on_it[i]);
        }
        const int64_t all = sign * (int64_t)view_episode_referrals(e);
        if (e->state == VIEW_QUEUED && e->taken_until_ms != 0) {
                view_count_add(view, VIEW_COUNT_TAKEN, all);
        }
        if (e->state == VIEW_OFFERED && e->waiting) {
                view_count_add(view, VIEW_COUNT_WAITING, all);
        }
        if (view_is_open(e->state)) {
                view_count_add(view, VIEW_COUNT_OPEN, sign);
        } else if (e->state == VIEW_CLOSED) {
                view_count_add(view, VIEW_COUNT_CLOSED, sign);
        }
}

static bool queue_key(row *key, const door_id *id, const view_episode *e)
{
        if (e == NULL || e->state != VIEW_QUEUED) {
                return false;
        }
        (void)add_id(add_u64(add_u8(key_begin(key, VIEW_TABLE_QUEUE), view_band_of(e->severity)),
                             e->rag_ms < e->statutory_ms ? e->rag_ms : e->statutory_ms),
                     id);
        return true;
}

static age episode_age(const view_episode *e)
{
        if (e == NULL || !view_is_open(e->state)) {
                return (age){ 0, 0 };
        }
        if (e->state == VIEW_QUEUED) {
                return (age){ VIEW_WAIT_DECISION, e->queued_ms };
        }
        if (e->unrouted) {
                return (age){ VIEW_WAIT_PLACE, e->offered_ms };
        }
        if (e->offered_to.len > 0) {
                return (age){ e->waiting ? VIEW_WAIT_ROOM : VIEW_WAIT_ACCEPT, e->offered_ms };
        }
        return (age){ 0, 0 };
}

/* One team's hold on an episode: an offer, or the work itself. */
static void team_change(door_view *view, const door_id *id, door_bytes team, view_place place,
                        uint64_t since_ms, bool there)
{
        row key;
        row load_key;
        uint8_t load[12] = { 0 };
        door_bytes value;

        (void)add_u8(key_begin(&key, VIEW_TABLE_TEAM), (unsigned)team.len);
        door_write(&key.out, team);
        (void)add_id(add_u64(add_u8(&key, (unsigned)place), since_ms), id);
        (void)key_begin(&load_key, VIEW_TABLE_LOAD);
        door_write(&load_key.out, team);
        if (door_view_get(view, done(&load_key), &value)) {
                DOOR_REQUIRE(value.len == sizeof load);
                memcpy(load, value.data, sizeof load);
        }
        uint8_t *number = load + 4 * ((unsigned)place - 1);
        door_put_u32(number, door_get_u32(number) + (there ? 1U : UINT32_MAX));
        put(view, &load_key, (door_bytes){ load, sizeof load });
        if (there) {
                put(view, &key, DOOR_BYTES_EMPTY);
        } else {
                take(view, &key);
        }
}

static void episode_teams(door_view *view, const door_id *id, const view_episode *e, bool there)
{
        if (e == NULL || !view_is_open(e->state)) {
                return;
        }
        if (e->offered_to.len > 0) {
                team_change(view, id, e->offered_to, e->waiting ? VIEW_PLACE_WAITING : VIEW_PLACE_OFFERED,
                            e->offered_ms, there);
        } else if (e->unrouted) {
                /* Nobody was asked: it lies in the manager's inbox, or it would lie in none. */
                team_change(view, id, door_bytes_of("manager"), VIEW_PLACE_OFFERED, e->offered_ms, there);
        }
        if (e->lead.len > 0) {
                team_change(view, id, e->owner, VIEW_PLACE_ACTIVE, e->owner_ms, there);
        }
}

void view_episode_put(door_view *view, const door_id *id, const view_episode *before,
                      const view_episode *after)
{
        row key;
        row value;

        episode_count(view, before, -1);
        episode_count(view, after, 1);
        age_change(view, id, episode_age(before), episode_age(after));
        episode_teams(view, id, before, false);
        episode_teams(view, id, after, true);
        if (queue_key(&key, id, before)) {
                take(view, &key);
        }
        if (queue_key(&key, id, after)) {
                put(view, &key, DOOR_BYTES_EMPTY);
        }
        if (before != NULL) {
                take(view, add_id(add_u64(add_id(key_begin(&key, VIEW_TABLE_OF_FAMILY), &before->family),
                                          before->received_ms),
                                  id));
        }
        put(view,
            add_id(add_u64(add_id(key_begin(&key, VIEW_TABLE_OF_FAMILY), &after->family), after->received_ms),
                   id),
            DOOR_BYTES_EMPTY);
        put(view, add_id(key_begin(&key, VIEW_TABLE_EPISODE), id), episode_pack(&value, after));
}

void view_episode_recount(door_view *view, const door_id *id, view_episode *episode)
{
        door_id there[DOOR_SCAN_ROWS_MAX];
        size_t count = 0;
        view_walk walk;
        door_bytes rest;
        door_bytes value;

        if (!view_walk_init(&walk, view, VIEW_TABLE_AGENCY, door_id_bytes(id), DOOR_BYTES_EMPTY,
                            DOOR_SCAN_ROWS_MAX)) {
                return;
        }
        while (view_walk_next(&walk, &rest, &value)) {
                row key;
                (void)add_id(key_begin(&key, VIEW_TABLE_AGENCY), id);
                door_write(&key.out, rest);
                take(view, &key);
        }
        if (!view_walk_init(&walk, view, VIEW_TABLE_OF_EPISODE, door_id_bytes(id), DOOR_BYTES_EMPTY,
                            DOOR_SCAN_ROWS_MAX)) {
                return;
        }
        while (count < DOOR_SCAN_ROWS_MAX && view_walk_next(&walk, &rest, &value)) {
                there[count++] = view_id_at_end(rest);
        }
        episode->agencies = 0;
        episode->why = 0;
        for (size_t i = 0; i < count; i++) {
                view_referral referral;
                if (view_referral_get(view, &there[i], &referral)) {
                        episode->why |= referral.why;
                        episode->agencies +=
                                referral.agency.len > 0 && view_agency_note(view, id, referral.agency) ? 1
                                                                                                       : 0;
                }
        }
}

door_id view_episode_survivor(door_view *view, const door_id *id)
{
        door_id at = *id;
        view_episode episode;

        for (size_t hops = 0;
             hops < FOLDS_MAX && view_episode_get(view, &at, &episode) && episode.state == VIEW_FOLDED;
             hops++) {
                at = episode.folded_into;
        }
        return at;
}

bool view_episode_holds(door_view *view, const door_id *episode, const door_id *home)
{
        door_id at = *home;
        view_episode episode_at;

        for (size_t hops = 0; hops < FOLDS_MAX; hops++) {
                if (door_id_equal(&at, episode)) {
                        return true;
                }
                if (!view_episode_get(view, &at, &episode_at) || episode_at.state != VIEW_FOLDED) {
                        return false;
                }
                at = episode_at.folded_into;
        }
        return false;
}

bool view_agency_note(door_view *view, const door_id *episode, door_bytes agency)
{
        row key;

        (void)add_id(key_begin(&key, VIEW_TABLE_AGENCY), episode);
        door_write(&key.out, agency);
        if (door_view_has(view, done(&key))) {
                return false;
        }
        put(view, &key, DOOR_BYTES_EMPTY);
        return true;
}

void view_line_put(door_view *view, const door_id *episode, uint64_t at_ms, uint32_t log, uint64_t seq,
                   const view_line *line)
{
        row key;
        row value;
        door_writer *w = &value_begin(&value)->out;

        door_write_u8(w, line->what);
        door_write_u8(w, line->has_referral ? 1 : 0);
        door_write(w, door_id_bytes(&line->referral));
        door_write_sized(w, line->who);
        door_write_sized(w, line->lead);
        door_write_u32(w, line->a);
        door_write_u32(w, line->b);
        door_write_u8(w, line->way);
        door_write(w, door_id_bytes(&line->other));
        (void)add_u64(add_u8(add_u64(add_id(key_begin(&key, VIEW_TABLE_LINE), episode), at_ms), log), seq);
        put(view, &key, done(&value));
}

bool view_line_read(door_bytes value, view_line *ret_line)
{
        door_cursor_in in = door_reading(value);

        if (door_read_u8(&in) != LAYOUT) {
                return false;
        }
        *ret_line = (view_line){ .what = door_read_u8(&in) };
        ret_line->has_referral = door_read_u8(&in) != 0;
        ret_line->referral = read_id(&in);
        ret_line->who = door_read_sized(&in);
        ret_line->lead = door_read_sized(&in);
        ret_line->a = door_read_u32(&in);
        ret_line->b = door_read_u32(&in);
        ret_line->way = door_read_u8(&in);
        ret_line->other = read_id(&in);
        return door_read_done(&in);
}

/* ---- families */

static bool family_get(door_view *view, const door_id *id, uint8_t *ret_flags, door_id *ret_redirect)
{
        row key;
        door_bytes value;

        if (!door_view_get(view, done(add_id(key_begin(&key, VIEW_TABLE_FAMILY), id)), &value)) {
                return false;
        }
        door_cursor_in in = value_reading(value);
        *ret_flags = door_read_u8(&in);
        *ret_redirect = read_id(&in);
        DOOR_REQUIRE(door_read_done(&in));
        return true;
}

static void family_put(door_view *view, const door_id *id, uint8_t flags, const door_id *redirect)
{
        row key;
        row value;

        (void)add_id(add_u8(value_begin(&value), flags), redirect);
        put(view, add_id(key_begin(&key, VIEW_TABLE_FAMILY), id), done(&value));
}

bool view_family_now(door_view *view, const door_id *id, door_id *ret_now)
{
        door_id at = *id;
        door_id next;
        uint8_t flags = 0;

        for (size_t hops = 0; hops < REDIRECTS_MAX && family_get(view, &at, &flags, &next); hops++) {
                if (door_id_is_zero(&next)) {
                        *ret_now = at;
                        return true;
                }
                at = next;
        }
        return false;
}

void view_family_make(door_view *view, const door_id *id, uint8_t flags)
{
        uint8_t was = 0;
        door_id redirect = { { 0 } };
        const bool there = family_get(view, id, &was, &redirect);

        if (!there || (was | flags) != was) {
                family_put(view, id, (uint8_t)(was | flags), &redirect);
        }
}

uint8_t view_family_flags(door_view *view, const door_id *id)
{
        uint8_t flags = 0;
        door_id redirect;
        return family_get(view, id, &flags, &redirect) ? flags : 0;
}

size_t view_family_ids(door_view *view, const door_id *id, door_id ret_ids[VIEW_FORMER_MAX + 1])
{
        size_t count = 0;

        ret_ids[count++] = *id;
        /* What leads to one that leads here leads here: the list is its own queue. */
        for (size_t at = 0; at < count; at++) {
                view_walk walk;
                door_bytes rest;
                door_bytes value;
                if (!view_walk_init(&walk, view, VIEW_TABLE_FORMER, door_id_bytes(&ret_ids[at]),
                                    DOOR_BYTES_EMPTY, VIEW_FORMER_MAX)) {
                        break;
                }
                while (count < VIEW_FORMER_MAX + 1 && view_walk_next(&walk, &rest, &value)) {
                        ret_ids[count++] = view_id_at_end(rest);
                }
        }
        return count;
}

void view_family_line_put(door_view *view, const door_id *family, uint64_t at_ms, uint32_t log, uint64_t seq,
                          const view_family_line *line)
{
        row key;
        row value;

        (void)add_u8(add_u8(value_begin(&value), line->what), line->verdict);
        (void)add_id(add_id(add_id(add_id(&value, &line->other), &line->referral), &line->review),
                     &line->join);
        (void)add_u64(add_u8(add_u64(add_id(key_begin(&key, VIEW_TABLE_FAMILY_LINE), family), at_ms), log),
                      seq);
        put(view, &key, done(&value));
}

bool view_family_line_read(door_bytes value, view_family_line *ret_line)
{
        door_cursor_in in = door_reading(value);

        if (door_read_u8(&in) != LAYOUT) {
                return false;
        }
        ret_line->what = door_read_u8(&in);
        ret_line->verdict = door_read_u8(&in);
        ret_line->other = read_id(&in);
        ret_line->referral = read_id(&in);
        ret_line->review = read_id(&in);
        ret_line->join = read_id(&in);
        return door_read_done(&in);
}

void view_family_redirect(door_view *view, const door_id *from, const door_id *to)
{
        static const door_id nowhere = { { 0 } };
        uint8_t flags = 0;
        door_id before = nowhere;
        row key;

        (void)family_get(view, from, &flags, &before);
        if (!door_id_is_zero(&before)) {
                take(view, add_id(add_id(key_begin(&key, VIEW_TABLE_FORMER), &before), from));
        }
        if (to != NULL) {
                put(view, add_id(add_id(key_begin(&key, VIEW_TABLE_FORMER), to), from), DOOR_BYTES_EMPTY);
        }
        family_put(view, from, flags, to == NULL ? &nowhere : to);
}

void view_related_put(door_view *view, const door_id *a, const door_id *b, uint8_t how)
{
        const door_id *ids[2] = { a, b };

        for (size_t i = 0; i < 2 && !door_id_equal(a, b); i++) {
                row key;
                (void)add_id(add_id(key_begin(&key, VIEW_TABLE_RELATED), ids[i]), ids[1 - i]);
                put(view, &key, (door_bytes){ &how, 1 });
        }
}

void view_related_drop(door_view *view, const door_id *a, const door_id *b, uint8_t how)
{
        const door_id *ids[2] = { a, b };

        for (size_t i = 0; i < 2; i++) {
                row key;
                door_bytes value;
                (void)add_id(add_id(key_begin(&key, VIEW_TABLE_RELATED), ids[i]), ids[1 - i]);
                if (door_view_get(view, done(&key), &value) && value.data[0] == how) {
                        take(view, &key);
                }
        }
}

/* ---- joins, reviews, deliveries */

bool view_join_get(door_view *view, const door_id *id, view_join *ret_row)
{
        row key;
        door_bytes value;

        if (!door_view_get(view, done(add_id(key_begin(&key, VIEW_TABLE_JOIN), id)), &value)) {
                return false;
        }
        door_cursor_in in = value_reading(value);
        ret_row->from = read_id(&in);
        ret_row->to = read_id(&in);
        ret_row->joined_ms = door_read_u64(&in);
        ret_row->undone_ms = door_read_u64(&in);
        ret_row->has_review = door_read_u8(&in) != 0;
        ret_row->review = read_id(&in);
        DOOR_REQUIRE(door_read_done(&in));
        return true;
}

void view_join_put(door_view *view, const door_id *id, const view_join *join)
{
        row key;
        row value;

        (void)add_id(add_id(value_begin(&value), &join->from), &join->to);
        (void)add_u8(add_u64(add_u64(&value, join->joined_ms), join->undone_ms), join->has_review ? 1 : 0);
        put(view, add_id(key_begin(&key, VIEW_TABLE_JOIN), id), done(add_id(&value, &join->review)));
}

static row *joined_key(row *key, const door_id *join, const door_id *referral)
{
        return add_id(add_id(key_begin(key, VIEW_TABLE_JOINED), join), referral);
}

void view_joined_put(door_view *view, const door_id *join, const door_id *referral)
{
        row key;
        put(view, joined_key(&key, join, referral), DOOR_BYTES_EMPTY);
}

bool view_joined_has(door_view *view, const door_id *join, const door_id *referral)
{
        row key;
        return door_view_has(view, done(joined_key(&key, join, referral)));
}

bool view_review_get(door_view *view, const door_id *id, view_review *ret_row)
{
        row key;
        door_bytes value;

        if (!door_view_get(view, done(add_id(key_begin(&key, VIEW_TABLE_REVIEW), id)), &value)) {
                return false;
        }
        door_cursor_in in = value_reading(value);
        ret_row->referral = read_id(&in);
        ret_row->family = read_id(&in);
        ret_row->candidate = read_id(&in);
        ret_row->score = (int32_t)door_read_u32(&in);
        ret_row->since_ms = door_read_u64(&in);
        ret_row->verdict = door_read_u8(&in);
        ret_row->unsure = door_read_u32(&in);
        ret_row->answered_ms = door_read_u64(&in);
        DOOR_REQUIRE(door_read_done(&in));
        return true;
}

static age review_age(const view_review *r)
{
        return r == NULL || r->verdict != 0 ? (age){ 0, 0 } : (age){ VIEW_WAIT_REVIEW, r->since_ms };
}

void view_review_put(door_view *view, const door_id *id, const view_review *before, const view_review *after)
{
        row key;
        row value;

        (void)add_id(add_id(add_id(value_begin(&value), &after->referral), &after->family),
                     &after->candidate);
        door_write_u32(&value.out, (uint32_t)after->score);
        (void)add_u8(add_u64(&value, after->since_ms), after->verdict);
        door_write_u32(&value.out, after->unsure);
        door_write_u64(&value.out, after->answered_ms);
        age_change(view, id, review_age(before), review_age(after));
        if (before == NULL) {
                const door_id *const sides[] = { &after->family, &after->candidate };
                for (size_t i = 0; i < 2; i++) {
                        put(view, add_id(add_id(key_begin(&key, VIEW_TABLE_OF_REVIEW), sides[i]), id),
                            DOOR_BYTES_EMPTY);
                }
        }
        put(view, add_id(key_begin(&key, VIEW_TABLE_REVIEW), id), done(&value));
}

bool view_delivery_get(door_view *view, const door_id *id, view_delivery *ret_row)
{
        row key;
        door_bytes value;

        if (!door_view_get(view, done(add_id(key_begin(&key, VIEW_TABLE_DELIVERY), id)), &value)) {
                return false;
        }
        door_cursor_in in = value_reading(value);
        *ret_row = (view_delivery){ .kind = door_read_u8(&in) };
        ret_row->state = door_read_u8(&in);
        ret_row->failure = door_read_u8(&in);
        ret_row->recipient = door_read_sized(&in);
        ret_row->planned_ms = door_read_u64(&in);
        ret_row->ended_ms = door_read_u64(&in);
        ret_row->attempts = door_read_u32(&in);
        const uint8_t flags = door_read_u8(&in);
        ret_row->has_referral = (flags & 1) != 0;
        ret_row->has_episode = (flags & 2) != 0;
        ret_row->referral = read_id(&in);
        ret_row->episode = read_id(&in);
        ret_row->by = door_read_sized(&in);
        DOOR_REQUIRE(door_read_done(&in));
        return true;
}

enum { STATE_PENDING = 1, STATE_GIVEN_UP = 3 };

static age delivery_age(const view_delivery *d)
{
        return d == NULL                    ? (age){ 0, 0 }
               : d->state == STATE_PENDING  ? (age){ VIEW_WAIT_DELIVERY, d->planned_ms }
               : d->state == STATE_GIVEN_UP ? (age){ VIEW_WAIT_TELL, d->planned_ms }
                                            : (age){ 0, 0 };
}

static void told_put(door_view *view, door_id_kind kind, const door_id *of, const door_id *id, uint64_t at_ms)
{
        row key;
        put(view,
            add_id(add_u64(add_id(add_u8(key_begin(&key, VIEW_TABLE_TOLD), (unsigned)kind), of), at_ms), id),
            DOOR_BYTES_EMPTY);
}

void view_delivery_put(door_view *view, const door_id *id, const view_delivery *before,
                       const view_delivery *after)
{
        row key;
        row value;
        door_writer *w = &value_begin(&value)->out;

        door_write_u8(w, after->kind);
        door_write_u8(w, after->state);
        door_write_u8(w, after->failure);
        door_write_sized(w, after->recipient);
        door_write_u64(w, after->planned_ms);
        door_write_u64(w, after->ended_ms);
        door_write_u32(w, after->attempts);
        door_write_u8(w, (uint8_t)((after->has_referral ? 1 : 0) | (after->has_episode ? 2 : 0)));
        door_write(w, door_id_bytes(&after->referral));
        door_write(w, door_id_bytes(&after->episode));
        door_write_sized(w, after->by);
        age_change(view, id, delivery_age(before), delivery_age(after));
        if (before == NULL && after->has_referral) {
                told_put(view, DOOR_ID_REFERRAL, &after->referral, id, after->planned_ms);
        }
        if (before == NULL && after->has_episode) {
                told_put(view, DOOR_ID_EPISODE, &after->episode, id, after->planned_ms);
        }
        put(view, add_id(key_begin(&key, VIEW_TABLE_DELIVERY), id), done(&value));
}

/* ---- walking */

bool view_walk_init(view_walk *walk, door_view *view, view_table table, door_bytes of, door_bytes after,
                    size_t rows_max)
{
        door_bytes from = DOOR_BYTES_EMPTY;

        walk->prefix_len = 1 + of.len;
        if (walk->prefix_len + after.len + 1 > sizeof walk->from) {
                return false;
        }
        walk->prefix[0] = (uint8_t)table;
        if (of.len > 0) {
                memcpy(walk->prefix + 1, of.data, of.len);
        }
        if (after.len > 0) {
                /* The least key behind that one is itself and a zero. */
                memcpy(walk->from, walk->prefix, walk->prefix_len);
                memcpy(walk->from + walk->prefix_len, after.data, after.len);
                walk->from[walk->prefix_len + after.len] = 0;
                from = (door_bytes){ walk->from, walk->prefix_len + after.len + 1 };
        }
        door_scan_init(&walk->scan, view, (door_bytes){ walk->prefix, walk->prefix_len }, from, rows_max);
        return true;
}

bool view_walk_next(view_walk *walk, door_bytes *ret_rest, door_bytes *ret_value)
{
        door_bytes key;

        if (!door_scan_next(&walk->scan, &key, ret_value)) {
                return false;
        }
        *ret_rest = (door_bytes){ key.data + walk->prefix_len, key.len - walk->prefix_len };
        return true;
}

door_id view_id_at_end(door_bytes rest)
{
        door_id id;
        DOOR_REQUIRE(
                rest.len >= DOOR_ID_BYTES &&
                door_id_from_bytes((door_bytes){ rest.data + rest.len - DOOR_ID_BYTES, DOOR_ID_BYTES }, &id));
        return id;
}
