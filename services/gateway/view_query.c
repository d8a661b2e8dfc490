#include "gateway/view_query.h"

#include <string.h>

#include "door/v1/view.pb-c.h"
#include "shell/proto_arena.h"

enum { RELATED_MAX = 32, TOLD_MAX = 32, WHY_BITS = 64, SIDE_ROWS_MAX = 25 };

/* What building an answer needs everywhere. */
typedef struct asking {
        door_view *view;
        const view_question *q;
        door_arena *arena;
} asking;

static ProtobufCBinaryData id_data(door_arena *arena, const door_id *id)
{
        return door_proto_data(door_arena_copy(arena, door_id_bytes(id)));
}

/* An optional text field: NULL where there is none. */
static char *text(door_arena *arena, door_bytes bytes)
{
        return door_proto_string(arena, bytes);
}

static char *needed_text(door_arena *arena, door_bytes bytes)
{
        char *copy = text(arena, bytes);
        return copy == NULL ? (char *)(uintptr_t) "" : copy;
}

/* Room for `max` rows: an array of pointers. */
static void *rows_take(door_arena *arena, size_t max)
{
        return door_arena_take_zeroed(arena, max + 1, sizeof(void *));
}

/* The codes of a bit field, lowest first. */
static size_t why_list(door_arena *arena, uint64_t why, Door__V1__RepeatReason **ret_list)
{
        Door__V1__RepeatReason *list = door_arena_take(arena, WHY_BITS * sizeof *list);
        size_t count = 0;

        for (unsigned i = 1; list != NULL && i < WHY_BITS; i++) {
                if ((why >> i & 1) != 0) {
                        list[count++] = (Door__V1__RepeatReason)i;
                }
        }
        *ret_list = list;
        return count;
}

/* One row from what an index says. NULL: the arena is full, or nothing stands behind the index. */
typedef void *row_maker(const asking *a, door_bytes rest, door_bytes value);

/* Rows of one index, at most `max`, from behind `after`. */
typedef struct page {
        view_table table;
        door_bytes of;
        door_bytes after;
        size_t max;
        row_maker *make;
        /* What page_read found. */
        void *rows; /* An array of pointers to messages, in the arena. */
        size_t count;
        bool has_next;
        ProtobufCBinaryData next; /* The key of the last row, where rows are left: the asker gives it back. */
} page;

static bool page_read(const asking *a, page *p)
{
        void **rows = rows_take(a->arena, p->max);
        view_walk walk;
        door_bytes rest = DOOR_BYTES_EMPTY;
        door_bytes value;

        if (rows == NULL || !view_walk_init(&walk, a->view, p->table, p->of, p->after, p->max)) {
                return false;
        }
        p->rows = rows;
        while (view_walk_next(&walk, &rest, &value)) {
                rows[p->count] = p->make(a, rest, value);
                p->count += rows[p->count] != NULL ? 1 : 0;
        }
        p->has_next = walk.scan.truncated;
        if (p->has_next) {
                p->next = door_proto_data(door_arena_copy(a->arena, rest));
        }
        return true;
}

/* ---- an episode in a line */

#define MESSAGE(name, message, INIT)                                                                         \
        static message *name(door_arena *arena)                                                              \
        {                                                                                                    \
                static const message init = INIT;                                                            \
                message *made = door_arena_take(arena, sizeof *made);                                        \
                if (made != NULL) {                                                                          \
                        *made = init;                                                                        \
                }                                                                                            \
                return made;                                                                                 \
        }
MESSAGE(episode_line_new, Door__V1__EpisodeLine, DOOR__V1__EPISODE_LINE__INIT)
MESSAGE(look_row_new, Door__V1__LookRow, DOOR__V1__LOOK_ROW__INIT)
MESSAGE(story_line_new, Door__V1__StoryLine, DOOR__V1__STORY_LINE__INIT)
MESSAGE(delivery_row_new, Door__V1__DeliveryRow, DOOR__V1__DELIVERY_ROW__INIT)
MESSAGE(chronology_row_new, Door__V1__ChronologyRow, DOOR__V1__CHRONOLOGY_ROW__INIT)
MESSAGE(related_new, Door__V1__RelatedFamily, DOOR__V1__RELATED_FAMILY__INIT)
MESSAGE(family_person_new, Door__V1__FamilyPerson, DOOR__V1__FAMILY_PERSON__INIT)
MESSAGE(family_line_new, Door__V1__FamilyLine, DOOR__V1__FAMILY_LINE__INIT)
MESSAGE(family_story_new, Door__V1__FamilyStory, DOOR__V1__FAMILY_STORY__INIT)
MESSAGE(way_new, Door__V1__ReferralWay, DOOR__V1__REFERRAL_WAY__INIT)
MESSAGE(join_referral_new, Door__V1__JoinReferral, DOOR__V1__JOIN_REFERRAL__INIT)
MESSAGE(candidate_new, Door__V1__CandidateSeen, DOOR__V1__CANDIDATE_SEEN__INIT)
MESSAGE(count_new, Door__V1__DispositionCount, DOOR__V1__DISPOSITION_COUNT__INIT)
MESSAGE(review_row_new, Door__V1__ReviewRow, DOOR__V1__REVIEW_ROW__INIT)
MESSAGE(load_new, Door__V1__TeamLoad, DOOR__V1__TEAM_LOAD__INIT)
MESSAGE(oldest_new, Door__V1__OldestRow, DOOR__V1__OLDEST_ROW__INIT)

/* Where an id leads now, for answers: itself where nobody knows it. */
static door_id family_now(const asking *a, const door_id *id)
{
        door_id now = *id;
        (void)view_family_now(a->view, id, &now);
        return now;
}

/* By when the first of what is unanswered on it must be answered; 0: nothing is. */
static uint64_t answer_by(const asking *a, const door_id *id)
{
        view_walk walk;
        door_bytes rest;
        door_bytes value;

        return view_walk_init(&walk, a->view, VIEW_TABLE_UNANSWERED, door_id_bytes(id), DOOR_BYTES_EMPTY,
                              1) &&
                               view_walk_next(&walk, &rest, &value)
                       ? door_get_u64(rest.data)
                       : 0;
}

static Door__V1__EpisodeLine *episode_line(const asking *a, const door_id *id)
{
        door_arena *arena = a->arena;
        view_episode e;
        Door__V1__EpisodeLine *out = episode_line_new(arena);

        if (out == NULL || !view_episode_get(a->view, id, &e)) {
                return NULL;
        }
        out->episode = id_data(arena, id);
        out->state = (Door__V1__EpisodeState)e.state;
        const door_id family = family_now(a, &e.family);
        out->family = id_data(arena, &family);
        out->severity = e.severity;
        out->received_at_ms = e.received_ms;
        out->has_rag_ms = out->has_statutory_ms = 1;
        out->rag_ms = e.rag_ms;
        out->statutory_ms = e.statutory_ms;
        out->has_queued_ms = e.state == VIEW_QUEUED;
        out->queued_ms = e.queued_ms;
        out->taken_by = text(arena, e.taken_by);
        out->has_taken_until_ms = e.taken_until_ms != 0;
        out->taken_until_ms = e.taken_until_ms;
        out->referrals = view_episode_referrals(&e);
        out->agencies = e.agencies;
        out->n_why = why_list(arena, e.why, &out->why);
        out->has_uncertain = out->uncertain = e.uncertain;
        out->has_historic = out->historic = e.historic;
        out->has_version = 1;
        out->version = e.version;
        out->has_level = e.level != 0;
        out->level = e.level;
        out->has_next_step = e.next_step != 0;
        out->next_step = (Door__V1__NextStep)e.next_step;
        out->owner = text(arena, e.owner);
        out->lead_practitioner = text(arena, e.lead);
        out->offered_to = text(arena, e.offered_to);
        out->has_waiting = out->waiting = e.waiting;
        out->has_offered_ms = e.offered_to.len > 0 || e.unrouted;
        out->offered_ms = e.offered_ms;
        out->has_unrouted = out->unrouted = e.unrouted;
        out->has_returned_times = e.returned_times != 0;
        out->returned_times = e.returned_times;
        out->has_unanswered = view_episode_unanswered(&e) > 0;
        out->unanswered = view_episode_unanswered(&e);
        out->answer_by_ms = out->has_unanswered ? answer_by(a, id) : 0;
        out->has_answer_by_ms = out->answer_by_ms != 0;
        out->has_outcome = e.outcome != 0;
        out->outcome = (Door__V1__CloseOutcome)e.outcome;
        out->has_folded_into = !door_id_is_zero(&e.folded_into);
        out->folded_into = id_data(arena, &e.folded_into);
        out->has_previous = e.has_previous;
        out->previous = id_data(arena, &e.previous);
        return out;
}

static void *episode_row(const asking *a, door_bytes rest, door_bytes value)
{
        const door_id id = view_id_at_end(rest);

        (void)value;
        return episode_line(a, &id);
}

static void *delivery_row(const asking *a, door_bytes rest, door_bytes value)
{
        door_arena *arena = a->arena;
        const door_id id = view_id_at_end(rest);
        view_delivery d;
        Door__V1__DeliveryRow *out = delivery_row_new(arena);

        (void)value;
        if (out == NULL || !view_delivery_get(a->view, &id, &d)) {
                return NULL;
        }
        out->delivery = id_data(arena, &id);
        out->kind = (Door__V1__DeliveryKind)d.kind;
        out->recipient = needed_text(arena, d.recipient);
        out->state = (Door__V1__DeliveryState)d.state;
        out->since_ms = d.planned_ms;
        out->has_ended_ms = d.ended_ms != 0;
        out->ended_ms = d.ended_ms;
        out->has_attempts = 1;
        out->attempts = d.attempts;
        out->has_failure = d.failure != 0;
        out->failure = (Door__V1__DeliveryFailure)d.failure;
        out->has_referral = d.has_referral;
        out->referral = id_data(arena, &d.referral);
        out->has_episode = d.has_episode;
        out->episode = id_data(arena, &d.episode);
        out->by = text(arena, d.by);
        return out;
}

/* What has been told about a referral or an episode. */
static size_t told_rows(const asking *a, door_id_kind kind, const door_id *id,
                        Door__V1__DeliveryRow ***ret_rows)
{
        uint8_t of[DOOR_SUBJECT_BYTES] = { (uint8_t)kind };
        page p = { VIEW_TABLE_TOLD, { of, sizeof of }, .max = TOLD_MAX, .make = delivery_row };

        memcpy(of + 1, id->bytes, DOOR_ID_BYTES);
        if (!page_read(a, &p)) {
                return 0;
        }
        *ret_rows = p.rows;
        return p.count;
}

/* ---- pages */

static door_status pack(const asking *a, const void *message, door_bytes *ret_answer)
{
        return a->arena->exhausted ? DOOR_NO_MEMORY : door_proto_pack(message, a->arena, ret_answer);
}

static door_status queue_answer(const asking *a, door_bytes *ret_answer)
{
        Door__V1__QueuePage out = DOOR__V1__QUEUE_PAGE__INIT;
        page p = { VIEW_TABLE_QUEUE, DOOR_BYTES_EMPTY, a->q->after, a->q->rows, .make = episode_row };

        if (!page_read(a, &p)) {
                return DOOR_NO_MEMORY;
        }
        out.row = p.rows;
        out.n_row = p.count;
        out.has_next = p.has_next;
        out.next = p.next;
        return pack(a, &out, ret_answer);
}

static void *look_row(const asking *a, door_bytes rest, door_bytes value)
{
        door_arena *arena = a->arena;
        const door_id id = view_id_at_end(rest);
        view_referral r;
        view_episode e;
        Door__V1__LookRow *out = look_row_new(arena);

        (void)value;
        if (out == NULL || !view_referral_get(a->view, &id, &r)) {
                return NULL;
        }
        out->referral = id_data(arena, &id);
        out->episode = id_data(arena, &r.episode);
        out->n_why = why_list(arena, r.why, &out->why);
        out->look_by_ms = r.look_by_ms;
        out->since_ms = r.look_since_ms;
        out->agency = text(arena, r.agency);
        out->has_severity = 1;
        out->severity = r.severity;
        out->has_family = 1;
        out->family = id_data(arena, &r.family);
        out->has_state = view_episode_get(a->view, &r.episode, &e);
        out->state = out->has_state ? (Door__V1__EpisodeState)e.state : DOOR__V1__EPISODE_STATE__EPISODE_NONE;
        return out;
}

static door_status look_answer(const asking *a, door_bytes *ret_answer)
{
        Door__V1__LookPage out = DOOR__V1__LOOK_PAGE__INIT;
        page p = { VIEW_TABLE_LOOK, DOOR_BYTES_EMPTY, a->q->after, a->q->rows, .make = look_row };

        if (!page_read(a, &p)) {
                return DOOR_NO_MEMORY;
        }
        out.row = p.rows;
        out.n_row = p.count;
        out.has_next = p.has_next;
        out.next = p.next;
        return pack(a, &out, ret_answer);
}

static door_status inbox_answer(const asking *a, door_bytes *ret_answer)
{
        uint8_t of[1 + VIEW_TEXT_BYTES_MAX] = { (uint8_t)a->q->team.len };
        Door__V1__InboxPage out = DOOR__V1__INBOX_PAGE__INIT;
        page p = {
                VIEW_TABLE_TEAM, { of, 1 + a->q->team.len }, a->q->after, a->q->rows, .make = episode_row
        };

        memcpy(of + 1, a->q->team.data, a->q->team.len);
        if (!page_read(a, &p)) {
                return DOOR_NO_MEMORY;
        }
        out.row = p.rows;
        out.n_row = p.count;
        out.has_next = p.has_next;
        out.next = p.next;
        return pack(a, &out, ret_answer);
}

static void *review_row(const asking *a, door_bytes rest, door_bytes value)
{
        const door_id id = view_id_at_end(rest);
        view_review r;
        Door__V1__ReviewRow *out = review_row_new(a->arena);

        (void)value;
        if (out == NULL || !view_review_get(a->view, &id, &r)) {
                return NULL;
        }
        out->review = id_data(a->arena, &id);
        out->referral = id_data(a->arena, &r.referral);
        out->family = id_data(a->arena, &r.family);
        out->candidate = id_data(a->arena, &r.candidate);
        out->score = r.score;
        out->since_ms = r.since_ms;
        out->has_unsure = r.unsure != 0;
        out->unsure = r.unsure;
        return out;
}

static door_status reviews_answer(const asking *a, door_bytes *ret_answer)
{
        static const uint8_t of[] = { VIEW_WAIT_REVIEW };
        Door__V1__ReviewPage out = DOOR__V1__REVIEW_PAGE__INIT;
        page p = { VIEW_TABLE_AGE, { of, sizeof of }, a->q->after, a->q->rows, .make = review_row };

        if (!page_read(a, &p)) {
                return DOOR_NO_MEMORY;
        }
        out.row = p.rows;
        out.n_row = p.count;
        out.has_next = p.has_next;
        out.next = p.next;
        return pack(a, &out, ret_answer);
}

static door_status deliveries_answer(const asking *a, door_bytes *ret_answer)
{
        const uint8_t of[] = { a->q->given_up ? VIEW_WAIT_TELL : VIEW_WAIT_DELIVERY };
        Door__V1__DeliveryPage out = DOOR__V1__DELIVERY_PAGE__INIT;
        page p = { VIEW_TABLE_AGE, { of, sizeof of }, a->q->after, a->q->rows, .make = delivery_row };

        if (!page_read(a, &p)) {
                return DOOR_NO_MEMORY;
        }
        out.row = p.rows;
        out.n_row = p.count;
        out.has_next = p.has_next;
        out.next = p.next;
        return pack(a, &out, ret_answer);
}

static void *load_row(const asking *a, door_bytes rest, door_bytes value)
{
        Door__V1__TeamLoad *out = load_new(a->arena);

        if (out == NULL) {
                return NULL;
        }
        out->team = needed_text(a->arena, rest);
        out->offered = door_get_u32(value.data);
        out->waiting = door_get_u32(value.data + 4);
        out->active = door_get_u32(value.data + 8);
        return out;
}

static door_status loads_answer(const asking *a, door_bytes *ret_answer)
{
        Door__V1__LoadPage out = DOOR__V1__LOAD_PAGE__INIT;
        page p = { VIEW_TABLE_LOAD, DOOR_BYTES_EMPTY, a->q->after, a->q->rows, .make = load_row };

        if (!page_read(a, &p)) {
                return DOOR_NO_MEMORY;
        }
        out.row = p.rows;
        out.n_row = p.count;
        out.has_next = p.has_next;
        out.next = p.next;
        return pack(a, &out, ret_answer);
}

/* ---- one thing, whole */

static void *story_line(const asking *a, door_bytes rest, door_bytes value)
{
        door_arena *arena = a->arena;
        view_line l;
        Door__V1__StoryLine *out = story_line_new(arena);

        if (out == NULL || !view_line_read(value, &l)) {
                return NULL;
        }
        out->what = (Door__V1__StoryWhat)l.what;
        out->at_ms = door_get_u64(rest.data);
        out->has_referral = l.has_referral;
        out->referral = id_data(arena, &l.referral);
        out->who = text(arena, l.who);
        out->lead_practitioner = text(arena, l.lead);
        out->has_a = l.a != 0;
        out->a = l.a;
        out->has_b = l.b != 0;
        out->b = l.b;
        out->has_way = l.way != 0;
        out->way = (Door__V1__RepeatWay)l.way;
        out->has_other_episode = !door_id_is_zero(&l.other);
        out->other_episode = id_data(arena, &l.other);
        return out;
}

static door_status episode_answer(const asking *a, door_bytes *ret_answer)
{
        Door__V1__EpisodeStory out = DOOR__V1__EPISODE_STORY__INIT;
        const door_id *id = &a->q->id;
        page p = { VIEW_TABLE_LINE, door_id_bytes(id), a->q->after, a->q->rows, .make = story_line };

        out.episode = episode_line(a, id);
        if (out.episode == NULL) {
                return pack(a, &out, ret_answer);
        }
        if (!page_read(a, &p)) {
                return DOOR_NO_MEMORY;
        }
        out.line = p.rows;
        out.n_line = p.count;
        out.has_next = p.has_next;
        out.next = p.next;
        out.n_told = told_rows(a, DOOR_ID_EPISODE, id, &out.told);
        return pack(a, &out, ret_answer);
}

static Door__V1__Disposition disposition_of(const asking *a, const view_referral *r)
{
        view_episode e;

        if (r->stage == VIEW_ATTACHED) {
                return (Door__V1__Disposition)view_disposition_of(
                        view_episode_get(a->view, &r->episode, &e) ? e.state : VIEW_CLOSED, r->attached);
        }
        return r->stage == VIEW_RECEIVED  ? DOOR__V1__DISPOSITION__DISPOSITION_AWAITING_MATCH
               : r->stage == VIEW_MATCHED ? DOOR__V1__DISPOSITION__DISPOSITION_AWAITING_TRIAGE
                                          : DOOR__V1__DISPOSITION__DISPOSITION_HISTORY;
}

static void *chronology_row(const asking *a, door_bytes rest, door_bytes value)
{
        door_arena *arena = a->arena;
        const door_id id = view_id_at_end(rest);
        view_referral r;
        Door__V1__ChronologyRow *out = chronology_row_new(arena);

        (void)value;
        if (out == NULL || !view_referral_get(a->view, &id, &r)) {
                return NULL;
        }
        out->referral = id_data(arena, &id);
        out->sent_at_ms = r.sent_ms;
        out->received_at_ms = r.received_ms;
        out->agency = text(arena, r.agency);
        out->has_grade = r.grade != 0;
        out->grade = (Door__V1__Grade)r.grade;
        out->has_episode = r.stage == VIEW_ATTACHED;
        out->episode = id_data(arena, &r.episode);
        out->disposition = disposition_of(a, &r);
        out->has_way = r.way != 0;
        out->way = (Door__V1__RepeatWay)r.way;
        return out;
}

/* A family as it is asked about: the id it leads to now, and all ids that lead there. */
typedef struct family_asked {
        const asking *a;
        door_id ids[VIEW_FORMER_MAX + 1]; /* ids[0] is the one they lead to. */
        size_t ids_count;
        Door__V1__FamilyStory *out;
} family_asked;

static void *member_row(const asking *a, door_bytes rest, door_bytes value)
{
        const view_person person = view_member_read(rest, value);
        Door__V1__FamilyPerson *out = family_person_new(a->arena);

        if (out == NULL) {
                return NULL;
        }
        out->person = id_data(a->arena, &person.id);
        out->role = (Door__V1__Role)person.role;
        out->age_band = (Door__V1__AgeBand)person.age;
        out->referrals = person.referrals;
        return out;
}

static uint32_t keys_count(const asking *a, view_table table, const door_id *of)
{
        view_walk walk;
        door_bytes rest;
        door_bytes value;
        uint32_t count = 0;

        if (view_walk_init(&walk, a->view, table, door_id_bytes(of), DOOR_BYTES_EMPTY, DOOR_SCAN_ROWS_MAX)) {
                while (view_walk_next(&walk, &rest, &value)) {
                        count++;
                }
        }
        return count;
}

/* Families related to any of its ids, each once; itself under a former id is none. */
static void related_fill(family_asked *f)
{
        door_arena *arena = f->a->arena;
        view_walk walk;
        door_bytes rest;
        door_bytes value;

        f->out->related = rows_take(arena, RELATED_MAX);
        for (size_t i = 0; f->out->related != NULL && i < f->ids_count; i++) {
                if (!view_walk_init(&walk, f->a->view, VIEW_TABLE_RELATED, door_id_bytes(&f->ids[i]),
                                    DOOR_BYTES_EMPTY, RELATED_MAX)) {
                        return;
                }
                while (f->out->n_related < RELATED_MAX && view_walk_next(&walk, &rest, &value)) {
                        const door_id named = view_id_at_end(rest);
                        const door_id other = family_now(f->a, &named);
                        bool known = door_id_equal(&other, &f->ids[0]);
                        for (size_t k = 0; k < f->out->n_related && !known; k++) {
                                known = door_bytes_equal(door_proto_bytes(f->out->related[k]->family),
                                                         door_id_bytes(&other));
                        }
                        Door__V1__RelatedFamily *row = known ? NULL : related_new(arena);
                        if (row != NULL) {
                                row->family = id_data(arena, &other);
                                row->how = (Door__V1__RelatedHow)value.data[0];
                                f->out->related[f->out->n_related++] = row;
                        }
                }
        }
}

/* Its open and closed work, of all its ids, oldest first. */
static void episodes_fill(family_asked *f)
{
        Door__V1__FamilyStory *out = f->out;

        out->episode = rows_take(f->a->arena, VIEW_PAGE_ROWS_MAX);
        for (size_t i = 0; out->episode != NULL && i < f->ids_count; i++) {
                view_walk walk;
                door_bytes rest;
                door_bytes value;
                if (!view_walk_init(&walk, f->a->view, VIEW_TABLE_OF_FAMILY, door_id_bytes(&f->ids[i]),
                                    DOOR_BYTES_EMPTY, VIEW_PAGE_ROWS_MAX)) {
                        return;
                }
                while (out->n_episode < VIEW_PAGE_ROWS_MAX && view_walk_next(&walk, &rest, &value)) {
                        Door__V1__EpisodeLine *row = episode_row(f->a, rest, value);
                        size_t at = out->n_episode;
                        /* Each id's are in order: former ids have few, and these find their places. */
                        for (; row != NULL && at > 0 &&
                               out->episode[at - 1]->received_at_ms > row->received_at_ms;
                             at--) {
                                out->episode[at] = out->episode[at - 1];
                        }
                        if (row != NULL) {
                                out->episode[at] = row;
                                out->n_episode++;
                        }
                }
        }
}

static Door__V1__FamilyLine *family_line(const asking *a, const door_id *of, door_bytes rest,
                                         const view_family_line *l)
{
        door_arena *arena = a->arena;
        Door__V1__FamilyLine *out = family_line_new(arena);

        if (out == NULL) {
                return NULL;
        }
        out->what = (Door__V1__FamilyWhat)l->what;
        out->at_ms = door_get_u64(rest.data);
        out->family = id_data(arena, of);
        out->has_other_family = !door_id_is_zero(&l->other);
        out->other_family = id_data(arena, &l->other);
        out->has_referral = !door_id_is_zero(&l->referral);
        out->referral = id_data(arena, &l->referral);
        out->has_review = !door_id_is_zero(&l->review);
        out->review = id_data(arena, &l->review);
        out->has_join = !door_id_is_zero(&l->join);
        out->join = id_data(arena, &l->join);
        out->has_verdict = l->verdict != 0;
        out->verdict = (Door__V1__Verdict)l->verdict;
        return out;
}

/*
 * What people did to it, oldest first. A line stands at both of two families: where both are one now
 * it is told once, by the one that lives on.
 */
static void lines_fill(family_asked *f)
{
        Door__V1__FamilyStory *out = f->out;

        out->line = rows_take(f->a->arena, VIEW_PAGE_ROWS_MAX);
        for (size_t i = 0; out->line != NULL && i < f->ids_count; i++) {
                view_walk walk;
                door_bytes rest;
                door_bytes value;
                if (!view_walk_init(&walk, f->a->view, VIEW_TABLE_FAMILY_LINE, door_id_bytes(&f->ids[i]),
                                    DOOR_BYTES_EMPTY, VIEW_PAGE_ROWS_MAX)) {
                        return;
                }
                while (out->n_line < VIEW_PAGE_ROWS_MAX && view_walk_next(&walk, &rest, &value)) {
                        view_family_line l;
                        bool told = !view_family_line_read(value, &l);
                        for (size_t k = 0; k < i && !told; k++) {
                                told = door_id_equal(&l.other, &f->ids[k]);
                        }
                        Door__V1__FamilyLine *row = told ? NULL : family_line(f->a, &f->ids[i], rest, &l);
                        size_t at = out->n_line;
                        for (; row != NULL && at > 0 && out->line[at - 1]->at_ms > row->at_ms; at--) {
                                out->line[at] = out->line[at - 1];
                        }
                        if (row != NULL) {
                                out->line[at] = row;
                                out->n_line++;
                        }
                }
        }
}

/* The story of a family, `rows` of its chronology from behind `after`. False: the arena is full. */
static bool family_fill(const asking *a, const door_id *asked, door_bytes after, size_t rows,
                        Door__V1__FamilyStory *out)
{
        family_asked f = { .a = a, .out = out };
        uint8_t flags = 0;

        if (!view_family_now(a->view, asked, &f.ids[0])) {
                return true; /* There is no such family. */
        }
        const door_id id = f.ids[0];
        const door_bytes of = door_id_bytes(&id);
        page people = { VIEW_TABLE_MEMBER, of, .max = VIEW_PEOPLE_MAX, .make = member_row };
        page chronology = { VIEW_TABLE_CHRONOLOGY, of, after, rows, .make = chronology_row };
        if (!page_read(a, &people) || !page_read(a, &chronology)) {
                return false;
        }
        f.ids_count = view_family_ids(a->view, &id, f.ids);
        out->has_family = 1;
        out->family = id_data(a->arena, &id);
        out->former_id = door_arena_take_zeroed(a->arena, VIEW_FORMER_MAX, sizeof *out->former_id);
        for (size_t i = 0; i < f.ids_count; i++) {
                flags |= view_family_flags(a->view, &f.ids[i]);
                if (i > 0 && out->former_id != NULL) {
                        out->former_id[out->n_former_id++] = id_data(a->arena, &f.ids[i]);
                }
        }
        out->has_restricted = out->restricted = (flags & VIEW_FAMILY_RESTRICTED) != 0;
        out->has_two_people = out->two_people = (flags & VIEW_FAMILY_TWO_PEOPLE) != 0;
        out->person = people.rows;
        out->n_person = people.count;
        out->has_people = out->has_referrals = 1;
        out->people = keys_count(a, VIEW_TABLE_MEMBER, &id);
        out->referrals = keys_count(a, VIEW_TABLE_CHRONOLOGY, &id);
        related_fill(&f);
        episodes_fill(&f);
        lines_fill(&f);
        out->row = chronology.rows;
        out->n_row = chronology.count;
        out->has_next = chronology.has_next;
        out->next = chronology.next;
        return true;
}

static door_status family_answer(const asking *a, door_bytes *ret_answer)
{
        Door__V1__FamilyStory out = DOOR__V1__FAMILY_STORY__INIT;

        if (!family_fill(a, &a->q->id, a->q->after, a->q->rows, &out)) {
                return DOOR_NO_MEMORY;
        }
        return pack(a, &out, ret_answer);
}

/* From the match on. */
static void way_matched(const asking *a, const view_referral *r, Door__V1__ReferralWay *out)
{
        out->has_matched_ms = out->has_family = out->has_decision = out->has_score = 1;
        out->matched_ms = r->matched_ms;
        out->family = id_data(a->arena, &r->family);
        out->decision = (Door__V1__Decision)r->decision;
        out->score = r->score;
        out->candidate = rows_take(a->arena, VIEW_CANDIDATES_MAX);
        for (size_t i = 0; out->candidate != NULL && i < r->candidates_count; i++) {
                Door__V1__CandidateSeen *candidate = candidate_new(a->arena);
                if (candidate == NULL) {
                        return;
                }
                candidate->family = id_data(a->arena, &r->candidates[i]);
                candidate->score = r->candidate_scores[i];
                out->candidate[out->n_candidate++] = candidate;
        }
}

/* From its place on. */
static void way_placed(const asking *a, const view_referral *r, Door__V1__ReferralWay *out)
{
        out->has_placed_ms = 1;
        out->placed_ms = r->placed_ms;
        out->has_episode = r->stage == VIEW_ATTACHED;
        out->episode = id_data(a->arena, &r->episode);
        out->has_opened = out->opened = r->opened;
        out->has_way = r->way != 0;
        out->way = (Door__V1__RepeatWay)r->way;
        out->n_why = why_list(a->arena, r->why, &out->why);
        out->has_severity = r->stage == VIEW_ATTACHED;
        out->severity = r->severity;
        out->has_respond_by_ms = r->respond_by_ms != 0;
        out->respond_by_ms = r->respond_by_ms;
        out->has_look_by_ms = r->look_by_ms != 0;
        out->look_by_ms = r->look_by_ms;
        out->has_response_awaited = out->response_awaited =
                r->stage == VIEW_ATTACHED && r->attached == VIEW_ATT_AWAITED;
        out->has_look_answer = r->look_answer != 0;
        out->look_answer = (Door__V1__LookAnswer)r->look_answer;
        out->has_response = r->response != 0;
        out->response = (Door__V1__ThisFamily)r->response;
        out->has_answered_ms = r->answered_ms != 0;
        out->answered_ms = r->answered_ms;
        out->answered_by = text(a->arena, r->answered_by);
        out->work = r->stage == VIEW_ATTACHED ? episode_line(a, &r->episode) : NULL;
}

static void way_fill(const asking *a, const door_id *id, Door__V1__ReferralWay *out)
{
        view_referral r;

        if (!view_referral_get(a->view, id, &r)) {
                return; /* There is no such referral. */
        }
        out->has_referral = 1;
        out->referral = id_data(a->arena, id);
        out->has_disposition = 1;
        out->disposition = disposition_of(a, &r);
        out->has_sent_at_ms = out->has_received_at_ms = 1;
        out->sent_at_ms = r.sent_ms;
        out->received_at_ms = r.received_ms;
        out->agency = text(a->arena, r.agency);
        out->has_grade = 1;
        out->grade = (Door__V1__Grade)r.grade;
        out->has_channel = 1;
        out->channel = (Door__V1__Channel)r.channel;
        out->has_historic = out->historic = r.historic;
        out->has_probable_resend_of = r.has_resend;
        out->probable_resend_of = id_data(a->arena, &r.resend_of);
        out->has_withdrawals_asked = r.withdrawals != 0;
        out->withdrawals_asked = r.withdrawals;
        out->has_amendments = r.amendments != 0;
        out->amendments = r.amendments;
        out->has_attempts_refused = r.attempts != 0;
        out->attempts_refused = r.attempts;
        out->has_disclosed = r.disclosed != 0;
        out->disclosed = r.disclosed;
        if (r.matched_ms != 0) {
                way_matched(a, &r, out);
        }
        if (r.placed_ms != 0) {
                way_placed(a, &r, out);
        }
        out->n_told = told_rows(a, DOOR_ID_REFERRAL, id, &out->told);
}

static door_status referral_answer(const asking *a, door_bytes *ret_answer)
{
        Door__V1__ReferralWay out = DOOR__V1__REFERRAL_WAY__INIT;

        way_fill(a, &a->q->id, &out);
        return pack(a, &out, ret_answer);
}

/* ---- what a person is asked about families, and did to them */

static door_status review_answer(const asking *a, door_bytes *ret_answer)
{
        Door__V1__ReviewStory out = DOOR__V1__REVIEW_STORY__INIT;
        view_review r;

        if (!view_review_get(a->view, &a->q->id, &r)) {
                return pack(a, &out, ret_answer);
        }
        out.family = family_story_new(a->arena);
        out.candidate = family_story_new(a->arena);
        out.referral = way_new(a->arena);
        if (out.family == NULL || out.candidate == NULL || out.referral == NULL ||
            !family_fill(a, &r.family, DOOR_BYTES_EMPTY, SIDE_ROWS_MAX, out.family) ||
            !family_fill(a, &r.candidate, DOOR_BYTES_EMPTY, SIDE_ROWS_MAX, out.candidate)) {
                return DOOR_NO_MEMORY;
        }
        way_fill(a, &r.referral, out.referral);
        out.has_review = out.has_score = out.has_since_ms = 1;
        out.review = id_data(a->arena, &a->q->id);
        out.score = r.score;
        out.since_ms = r.since_ms;
        out.has_overtaken = out.overtaken = r.verdict == VIEW_REVIEW_OVERTAKEN;
        out.has_verdict = r.verdict != 0 && r.verdict != VIEW_REVIEW_OVERTAKEN;
        out.verdict = (Door__V1__Verdict)r.verdict;
        out.has_unsure = r.unsure != 0;
        out.unsure = r.unsure;
        out.has_answered_ms = r.answered_ms != 0;
        out.answered_ms = r.answered_ms;
        return pack(a, &out, ret_answer);
}

static void *join_referral(const asking *a, door_bytes rest, door_bytes value)
{
        const door_id id = view_id_at_end(rest);
        view_referral r;
        Door__V1__JoinReferral *out = join_referral_new(a->arena);

        (void)value;
        if (out == NULL || !view_referral_get(a->view, &id, &r)) {
                return NULL;
        }
        out->referral = id_data(a->arena, &id);
        out->sent_at_ms = r.sent_ms;
        out->received_at_ms = r.received_ms;
        out->agency = text(a->arena, r.agency);
        out->disposition = disposition_of(a, &r);
        out->has_episode = r.stage == VIEW_ATTACHED;
        out->episode = id_data(a->arena, &r.episode);
        out->stood_in_from = view_joined_has(a->view, &a->q->id, &id);
        return out;
}

static door_status join_answer(const asking *a, door_bytes *ret_answer)
{
        Door__V1__JoinStory out = DOOR__V1__JOIN_STORY__INIT;
        view_join join;

        if (!view_join_get(a->view, &a->q->id, &join)) {
                return pack(a, &out, ret_answer);
        }
        const door_id now = family_now(a, &join.to);
        page p = { VIEW_TABLE_CHRONOLOGY, door_id_bytes(&now), a->q->after, a->q->rows,
                   .make = join_referral };
        if (!page_read(a, &p)) {
                return DOOR_NO_MEMORY;
        }
        out.has_join = out.has_from = out.has_to = out.has_joined_ms = 1;
        out.join = id_data(a->arena, &a->q->id);
        out.from = id_data(a->arena, &join.from);
        out.to = id_data(a->arena, &join.to);
        out.joined_ms = join.joined_ms;
        out.has_undone_ms = join.undone_ms != 0;
        out.undone_ms = join.undone_ms;
        out.has_review = join.has_review;
        out.review = id_data(a->arena, &join.review);
        out.row = p.rows;
        out.n_row = p.count;
        out.has_next = p.has_next;
        out.next = p.next;
        return pack(a, &out, ret_answer);
}

/* ---- figures */

static uint64_t waits(const asking *a, view_waiting what)
{
        return view_count_get(a->view, (uint8_t)(VIEW_COUNT_WAITS | what));
}

static door_status stats_answer(const asking *a, door_bytes *ret_answer)
{
        Door__V1__ViewStats out = DOOR__V1__VIEW_STATS__INIT;
        uint64_t sum = 0;

        out.count = rows_take(a->arena, VIEW_DISPOSITIONS);
        for (unsigned i = VIEW_DISP_AWAITING_MATCH; out.count != NULL && i < VIEW_DISPOSITIONS; i++) {
                Door__V1__DispositionCount *count = count_new(a->arena);
                if (count == NULL) {
                        return DOOR_NO_MEMORY;
                }
                count->disposition = (Door__V1__Disposition)i;
                count->referrals = view_count_get(a->view, (uint8_t)i);
                sum += count->referrals;
                out.count[out.n_count++] = count;
        }
        out.received = view_count_get(a->view, VIEW_COUNT_RECEIVED);
        out.balanced = sum == out.received;
        out.taken = view_count_get(a->view, VIEW_COUNT_TAKEN);
        out.waiting = view_count_get(a->view, VIEW_COUNT_WAITING);
        out.added = view_count_get(a->view, VIEW_COUNT_ADDED);
        out.looked_now = view_count_get(a->view, VIEW_COUNT_LOOKED_NOW);
        out.raised = view_count_get(a->view, VIEW_COUNT_RAISED);
        out.episodes_open = view_count_get(a->view, VIEW_COUNT_OPEN);
        out.episodes_closed = view_count_get(a->view, VIEW_COUNT_CLOSED);
        out.reviews_open = waits(a, VIEW_WAIT_REVIEW);
        out.given_up = waits(a, VIEW_WAIT_TELL);
        out.attempts_refused = view_count_get(a->view, VIEW_COUNT_ATTEMPTS);
        return pack(a, &out, ret_answer);
}

static door_status oldest_answer(const asking *a, door_bytes *ret_answer)
{
        Door__V1__Oldest out = DOOR__V1__OLDEST__INIT;

        out.row = rows_take(a->arena, VIEW_WAITS);
        for (unsigned i = VIEW_WAIT_MATCH; out.row != NULL && i < VIEW_WAITS; i++) {
                const uint8_t of[] = { (uint8_t)i };
                view_walk walk;
                door_bytes rest;
                door_bytes value;
                if (!view_walk_init(&walk, a->view, VIEW_TABLE_AGE, (door_bytes){ of, 1 }, DOOR_BYTES_EMPTY,
                                    1) ||
                    !view_walk_next(&walk, &rest, &value)) {
                        continue;
                }
                const door_id id = view_id_at_end(rest);
                Door__V1__OldestRow *row = oldest_new(a->arena);
                if (row == NULL) {
                        return DOOR_NO_MEMORY;
                }
                row->what = (Door__V1__WaitingFor)i;
                row->count = waits(a, (view_waiting)i);
                row->since_ms = door_get_u64(rest.data);
                row->id = id_data(a->arena, &id);
                out.row[out.n_row++] = row;
        }
        return pack(a, &out, ret_answer);
}

door_status view_query(door_view *view, uint32_t type, const void *body, door_arena *arena,
                       door_bytes *ret_answer)
{
        static door_status (*const answers[])(const asking *a, door_bytes *ret_answer) = {
                queue_answer,    look_answer,   inbox_answer,   episode_answer,    family_answer,
                referral_answer, stats_answer,  reviews_answer, deliveries_answer, loads_answer,
                oldest_answer,   review_answer, join_answer,
        };
        const asking a = { .view = view, .q = body, .arena = arena };
        const uint32_t index = type - DOOR__V1__VIEW_QUERY__VIEW_QUEUE;

        DOOR_REQUIRE(index < sizeof answers / sizeof answers[0]); /* decode_command let it through. */
        return answers[index](&a, ret_answer);
}
