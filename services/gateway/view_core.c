/*
 * view_core.c - one record at a time into the rows of view_state.h.
 *
 * A row is got, changed, and put with what it was: everything derived follows there. A referral's
 * way to stand on its episode is changed by attach_as alone, which keeps the episode's four numbers
 * in step with it.
 */
#include "gateway/view_core.h"

#include <string.h>

/* Rows one record may move: all that stands on one episode, or in one family. */
enum { MOVED_MAX = DOOR_SCAN_ROWS_MAX };

/* ---- rows, made when nobody has told of them yet */

typedef struct referral_edit {
        door_id id;
        bool there;
        view_referral before, after;
} referral_edit;

typedef struct episode_edit {
        door_id id;
        bool there;
        view_episode before, after;
} episode_edit;

static view_referral *referral_open(door_view *view, referral_edit *edit, const door_id *id)
{
        edit->id = *id;
        edit->there = view_referral_get(view, id, &edit->before);
        if (!edit->there) {
                edit->before = (view_referral){ .stage = VIEW_RECEIVED };
        }
        edit->after = edit->before;
        return &edit->after;
}

static void referral_close(door_view *view, const referral_edit *edit)
{
        view_referral_put(view, &edit->id, edit->there ? &edit->before : NULL, &edit->after);
}

static view_episode *episode_open(door_view *view, episode_edit *edit, const door_id *id)
{
        edit->id = *id;
        edit->there = view_episode_get(view, id, &edit->before);
        if (!edit->there) {
                edit->before = (view_episode){ .state = VIEW_STATE_NONE };
        }
        edit->after = edit->before;
        return &edit->after;
}

static void episode_close(door_view *view, const episode_edit *edit)
{
        view_episode_put(view, &edit->id, edit->there ? &edit->before : NULL, &edit->after);
}

/* ---- a referral and its episode */

/* Changes how a referral stands on its episode; both rows are the caller's to put. */
static void attach_as(view_referral *referral, view_episode *episode, view_attached attached)
{
        if (episode->on_it[referral->attached] > 0) {
                episode->on_it[referral->attached]--;
        }
        referral->attached = attached;
        episode->on_it[attached]++;
}

/* Puts a referral on an episode it has not been on. */
static void attach(view_referral *referral, const door_id *id, view_episode *episode, view_attached attached)
{
        referral->stage = VIEW_ATTACHED;
        referral->attached = attached;
        referral->episode = *id;
        episode->on_it[attached]++;
}

/* A decision or a closing has answered for all that was attached. */
static void answer_all(door_view *view, const door_id *id, view_episode *episode)
{
        door_id waiting[MOVED_MAX];
        size_t count = 0;
        view_walk walk;
        door_bytes rest;
        door_bytes value;

        if (view_episode_unanswered(episode) == 0 ||
            !view_walk_init(&walk, view, VIEW_TABLE_UNANSWERED, door_id_bytes(id), DOOR_BYTES_EMPTY,
                            MOVED_MAX)) {
                return;
        }
        while (count < MOVED_MAX && view_walk_next(&walk, &rest, &value)) {
                waiting[count++] = view_id_at_end(rest);
        }
        for (size_t i = 0; i < count; i++) {
                referral_edit edit;
                view_referral *referral = referral_open(view, &edit, &waiting[i]);
                attach_as(referral, episode, VIEW_ATT_PLAIN); /* What answered for it is the decision. */
                referral_close(view, &edit);
        }
}

static void line(door_view *view, const door_input *input, const view_fact *fact, view_line what)
{
        if (fact->has_referral) {
                what.has_referral = true;
                what.referral = fact->referral;
        }
        view_line_put(view, &fact->episode, input->at_ms, input->cause.log, input->cause.seq, &what);
}

/* A state from the record; entering the queue begins a wait. */
static void enter(view_episode *episode, uint8_t state, uint64_t queued_ms)
{
        if (state == VIEW_STATE_NONE || state >= VIEW_STATES) {
                return;
        }
        if (state == VIEW_QUEUED && episode->state != VIEW_QUEUED) {
                episode->queued_ms = queued_ms;
        }
        if (state != VIEW_QUEUED) {
                episode->taken_until_ms = 0;
                episode->taken_by = DOOR_BYTES_EMPTY;
        }
        episode->state = (view_episode_state)state;
}

/* Takes a referral off an episode; both rows are the caller's to put. */
static void detach(view_referral *referral, view_episode *episode)
{
        if (episode->on_it[referral->attached] > 0) {
                episode->on_it[referral->attached]--;
        }
        referral->stage = VIEW_MATCHED;
        referral->attached = VIEW_ATT_PLAIN;
}

static void versioned(view_episode *episode, uint32_t version)
{
        episode->version = version > episode->version ? version : episode->version;
}

/* ---- intake */

static void project_intake(door_view *view, const door_input *input, const view_fact *fact)
{
        referral_edit edit;
        view_referral *referral = referral_open(view, &edit, &fact->referral);

        switch ((view_intake_event)input->type) {
        case VIEW_REFERRAL_RECEIVED:
                referral->received_ms = fact->received_ms;
                referral->sent_ms = fact->sent_ms;
                referral->agency = fact->agency;
                referral->grade = fact->grade;
                referral->channel = fact->channel;
                referral->historic = fact->historic;
                referral->has_resend = fact->has_resend;
                referral->resend_of = fact->resend_of;
                break;
        case VIEW_ATTEMPT_REFUSED:
                referral->attempts++;
                view_count_add(view, VIEW_COUNT_ATTEMPTS, 1);
                break;
        case VIEW_WITHDRAW_ASKED:
                referral->withdrawals++;
                break;
        case VIEW_AMEND_ASKED:
                referral->amendments++;
                break;
        case VIEW_DISCLOSED:
                referral->disclosed++;
                break;
        }
        referral_close(view, &edit);
}

/* ---- deduplication */

static void project_matched(door_view *view, const door_input *input, const view_fact *fact)
{
        referral_edit edit;
        view_referral *referral = referral_open(view, &edit, &fact->referral);

        if (referral->stage == VIEW_RECEIVED) {
                referral->stage = VIEW_MATCHED;
                referral->received_ms = fact->received_ms;
                referral->sent_ms = fact->sent_ms;
                referral->agency = fact->agency;
                referral->grade = fact->grade;
        }
        referral->matched_ms = input->at_ms;
        referral->family = fact->family;
        referral->decision = fact->decision;
        referral->score = fact->score;
        referral->candidates_count = fact->candidates_count;
        for (size_t i = 0; i < fact->candidates_count; i++) {
                const view_other *candidate = &fact->candidates[i];
                referral->candidates[i] = candidate->family;
                referral->candidate_scores[i] = candidate->score;
                if (candidate->has_review) {
                        const view_review review = { .referral = fact->referral,
                                                     .family = fact->family,
                                                     .candidate = candidate->family,
                                                     .score = candidate->score,
                                                     .since_ms = input->at_ms };
                        view_review before;
                        const bool there = view_review_get(view, &candidate->review, &before);
                        view_review_put(view, &candidate->review, there ? &before : NULL, &review);
                        view_related_put(view, &fact->family, &candidate->family, VIEW_RELATED_MAYBE_SAME);
                }
        }
        referral_close(view, &edit);
        view_family_make(view, &fact->family,
                         (uint8_t)((fact->restricted ? VIEW_FAMILY_RESTRICTED : 0) |
                                   (fact->two_people ? VIEW_FAMILY_TWO_PEOPLE : 0)));
        for (size_t i = 0; i < fact->people_count; i++) {
                view_person_name(view, &fact->referral, &fact->family, &fact->people[i]);
        }
        for (size_t i = 0; i < fact->others_count; i++) {
                view_related_put(view, &fact->family, &fact->others[i].family, fact->others[i].how);
        }
}

/* False, and nothing changed, where its match is parked here. */
static bool family_of_referral(door_view *view, const door_id *id, const door_id *family)
{
        referral_edit edit;
        view_referral *referral = referral_open(view, &edit, id);

        if (referral->stage == VIEW_RECEIVED) {
                return false;
        }
        referral->family = *family;
        referral_close(view, &edit);
        view_family_make(view, family, 0);
        return true;
}

/* All referrals of one family into another; the join remembers which they were. */
static void chronology_move(door_view *view, const door_id *join, const door_id *from, const door_id *to)
{
        door_id moved[MOVED_MAX];
        size_t count = 0;
        view_walk walk;
        door_bytes rest;
        door_bytes value;

        if (!view_walk_init(&walk, view, VIEW_TABLE_CHRONOLOGY, door_id_bytes(from), DOOR_BYTES_EMPTY,
                            MOVED_MAX)) {
                return;
        }
        while (count < MOVED_MAX && view_walk_next(&walk, &rest, &value)) {
                moved[count++] = view_id_at_end(rest);
        }
        for (size_t i = 0; i < count; i++) {
                (void)family_of_referral(view, &moved[i], to);
                view_joined_put(view, join, &moved[i]);
        }
}

/* What a person did stands in the story of both families. */
static void family_lines(door_view *view, const door_input *input, const door_id *a, view_family_what at_a,
                         const door_id *b, view_family_what at_b, view_family_line what)
{
        what.what = (uint8_t)at_a;
        what.other = *b;
        view_family_line_put(view, a, input->at_ms, input->cause.log, input->cause.seq, &what);
        what.what = (uint8_t)at_b;
        what.other = *a;
        view_family_line_put(view, b, input->at_ms, input->cause.log, input->cause.seq, &what);
}

/* A review asks something while its referral stands in the family made for it, and that is another
 * family than the candidate. */
static bool review_asks(door_view *view, const view_review *review)
{
        view_referral referral;
        door_id family = { { 0 } };
        door_id candidate = { { 0 } };

        return view_family_now(view, &review->family, &family) &&
               !(view_family_now(view, &review->candidate, &candidate) &&
                 door_id_equal(&family, &candidate)) &&
               view_referral_get(view, &review->referral, &referral) &&
               door_id_equal(&referral.family, &family);
}

/* Reviews of one family that nobody has answered, after a join, its undoing or a move: they are open,
 * or overtaken. */
static void reviews_recheck(door_view *view, const door_id *family)
{
        door_id ids[VIEW_FORMER_MAX + 1];
        const size_t ids_count = view_family_ids(view, family, ids);

        for (size_t i = 0; i < ids_count; i++) {
                view_walk walk;
                door_bytes rest;
                door_bytes value;
                if (!view_walk_init(&walk, view, VIEW_TABLE_OF_REVIEW, door_id_bytes(&ids[i]),
                                    DOOR_BYTES_EMPTY, MOVED_MAX)) {
                        return;
                }
                while (view_walk_next(&walk, &rest, &value)) {
                        const door_id id = view_id_at_end(rest);
                        view_review before;
                        if (view_review_get(view, &id, &before) &&
                            (before.verdict == 0 || before.verdict == VIEW_REVIEW_OVERTAKEN)) {
                                view_review after = before;
                                after.verdict = review_asks(view, &before) ? 0 : VIEW_REVIEW_OVERTAKEN;
                                view_review_put(view, &id, &before, &after);
                        }
                }
        }
}

static void review_answered(door_view *view, const door_input *input, const view_fact *fact)
{
        view_review before;

        if (view_review_get(view, &fact->review, &before)) {
                view_review after = before;
                after.answered_ms = input->at_ms;
                if (fact->answer == VIEW_VERDICT_UNSURE) {
                        after.unsure++; /* It stays open: somebody else may know. */
                } else {
                        after.verdict = fact->answer;
                        view_related_drop(view, &before.family, &before.candidate, VIEW_RELATED_MAYBE_SAME);
                }
                view_review_put(view, &fact->review, &before, &after);
                family_lines(view, input, &before.family, VIEW_FAMILY_REVIEWED, &before.candidate,
                             VIEW_FAMILY_REVIEWED,
                             (view_family_line){ .verdict = fact->answer,
                                                 .referral = fact->referral,
                                                 .review = fact->review });
        }
        /* Where the referral stands from now on the join says that follows in the same write: it must
         * still find it in the family joined away, to know what an undoing gives back. */
}

static void families_joined(door_view *view, const door_input *input, const view_fact *fact)
{
        const view_join join = { .from = fact->family,
                                 .to = fact->to,
                                 .joined_ms = input->at_ms,
                                 .has_review = fact->has_review,
                                 .review = fact->review };

        if (door_id_equal(&fact->family, &fact->to)) {
                return;
        }
        view_family_make(view, &fact->to, 0);
        view_family_redirect(view, &fact->family, &fact->to);
        view_join_put(view, &fact->join, &join);
        chronology_move(view, &fact->join, &fact->family, &fact->to);
        reviews_recheck(view, &fact->to);
        family_lines(view, input, &fact->family, VIEW_FAMILY_JOINED_AWAY, &fact->to, VIEW_FAMILY_JOINED_HERE,
                     (view_family_line){ .join = fact->join, .review = join.review });
}

static void join_undone(door_view *view, const door_input *input, const view_fact *fact)
{
        view_join join;

        view_family_redirect(view, &fact->family, NULL);
        for (size_t i = 0; i < fact->assignments_count; i++) {
                (void)family_of_referral(view, &fact->assignments[i].referral, &fact->assignments[i].family);
        }
        if (view_join_get(view, &fact->join, &join)) {
                join.undone_ms = input->at_ms;
                view_join_put(view, &fact->join, &join);
        }
        reviews_recheck(view, &fact->family);
        reviews_recheck(view, &fact->to);
        family_lines(view, input, &fact->family, VIEW_FAMILY_JOIN_UNDONE, &fact->to, VIEW_FAMILY_JOIN_UNDONE,
                     (view_family_line){ .join = fact->join });
}

static void referral_moved(door_view *view, const door_input *input, const view_fact *fact)
{
        view_family_make(view, &fact->to, 0);
        if (family_of_referral(view, &fact->referral, &fact->to) && fact->people_count > 0) {
                view_children_replace(view, &fact->referral, &fact->to, fact->people, fact->people_count);
        }
        reviews_recheck(view, &fact->family);
        reviews_recheck(view, &fact->to);
        family_lines(view, input, &fact->family, VIEW_FAMILY_MOVED_AWAY, &fact->to, VIEW_FAMILY_MOVED_HERE,
                     (view_family_line){ .referral = fact->referral });
}

static void project_dedup(door_view *view, const door_input *input, const view_fact *fact)
{
        switch ((view_dedup_event)input->type) {
        case VIEW_REFERRAL_MATCHED:
                project_matched(view, input, fact);
                break;
        case VIEW_REVIEW_ANSWERED:
                review_answered(view, input, fact);
                break;
        case VIEW_FAMILIES_JOINED:
                families_joined(view, input, fact);
                break;
        case VIEW_JOIN_UNDONE:
                join_undone(view, input, fact);
                break;
        case VIEW_REFERRAL_MOVED:
                referral_moved(view, input, fact);
                break;
        case VIEW_FAMILIES_RELATED:
                view_related_put(view, &fact->family, &fact->to, VIEW_RELATED_BY_PERSON);
                break;
        }
}

/* ---- triage: a referral finds its place */

static view_attached attached_by(const view_fact *fact)
{
        return fact->way == VIEW_WITH_WORKER  ? VIEW_ATT_AWAITED
               : fact->way == VIEW_QUICK_LOOK ? VIEW_ATT_LOOK
                                              : VIEW_ATT_PLAIN;
}

static void placed_learn(door_view *view, view_referral *referral, const door_input *input,
                         const view_fact *fact)
{
        if (referral->stage == VIEW_RECEIVED) { /* Its match is parked here. */
                referral->received_ms = fact->received_ms;
                referral->sent_ms = fact->sent_ms != 0 ? fact->sent_ms : fact->received_ms;
                referral->agency = fact->agency;
                referral->grade = fact->grade;
                referral->family = fact->family;
        }
        /* Whose it is, deduplication says; what triage thought may be older than a join or a move. */
        (void)view_family_now(view, &referral->family, &referral->family);
        referral->placed_ms = input->at_ms;
        referral->way = fact->way;
        referral->why = fact->why;
        referral->severity = fact->severity_own;
        referral->respond_by_ms = fact->respond_by_ms;
        referral->look_by_ms = fact->look_by_ms;
        if (fact->has_resend) {
                referral->has_resend = true;
                referral->resend_of = fact->resend_of;
        }
}

/* A moved referral is added, looked at and answered for anew: figures count it as what it is now. */
static void placed_again(door_view *view, view_referral *referral)
{
        if (referral->placed_ms != 0 && !referral->opened && !door_id_is_zero(&referral->home)) {
                view_count_add(view, VIEW_COUNT_ADDED, -1);
                view_count_add(view, VIEW_COUNT_LOOKED_NOW, referral->way == VIEW_LOOK_NOW ? -1 : 0);
        }
        referral->look_answer = 0;
        referral->response = 0;
        referral->answered_ms = 0;
        referral->answered_by = DOOR_BYTES_EMPTY;
}

static void project_placed(door_view *view, const door_input *input, const view_fact *fact)
{
        const bool opens = input->type == VIEW_EPISODE_OPENED;
        referral_edit r;
        episode_edit e;
        view_referral *referral = referral_open(view, &r, &fact->referral);
        view_episode *episode = episode_open(view, &e, &fact->episode);

        if (referral->stage == VIEW_ATTACHED && !fact->has_moved_from) {
                return; /* Placed already: but for moves, triage places each once. */
        }
        if (referral->stage == VIEW_ATTACHED && door_id_equal(&referral->episode, &fact->episode)) {
                detach(referral, episode); /* What took it off is parked here. */
        } else if (referral->stage == VIEW_ATTACHED) {
                episode_edit old;
                detach(referral, episode_open(view, &old, &referral->episode));
                episode_close(view, &old);
        }
        placed_again(view, referral);
        placed_learn(view, referral, input, fact);
        referral->opened = opens;
        referral->home = fact->episode;
        referral->look_since_ms = input->at_ms;
        attach(referral, &fact->episode, episode, attached_by(fact));
        if (opens || !e.there) {
                episode->family = fact->family;
                episode->received_ms = fact->received_ms;
                episode->historic = fact->historic;
                episode->has_previous = fact->has_previous;
                episode->previous = fact->previous;
        }
        enter(episode, fact->state, fact->received_ms);
        versioned(episode, fact->version);
        episode->severity = fact->severity;
        episode->rag_ms = fact->rag_ms;
        episode->statutory_ms = fact->statutory_ms;
        episode->why |= fact->why;
        episode->uncertain = episode->uncertain || fact->uncertain;
        if (fact->agency.len > 0 && view_agency_note(view, &fact->episode, fact->agency)) {
                episode->agencies++;
        }
        if (!opens) {
                view_count_add(view, VIEW_COUNT_ADDED, 1);
                view_count_add(view, VIEW_COUNT_LOOKED_NOW, fact->way == VIEW_LOOK_NOW ? 1 : 0);
        }
        referral_close(view, &r);
        episode_close(view, &e);
        view_family_make(view, &fact->family, 0);
        line(view, input, fact,
             (view_line){ .what = opens ? VIEW_STORY_OPENED : VIEW_STORY_ATTACHED,
                          .who = fact->agency,
                          .way = fact->way,
                          .other = fact->moved_from });
}

static void project_noted(door_view *view, const door_input *input, const view_fact *fact)
{
        referral_edit r;
        view_referral *referral = referral_open(view, &r, &fact->referral);

        if (referral->stage == VIEW_ATTACHED) {
                return;
        }
        placed_learn(view, referral, input, fact);
        referral->historic = true;
        referral->stage = VIEW_NOTED;
        referral_close(view, &r);
        view_family_make(view, &fact->family, 0);
}

/* ---- triage: what is attached is answered for */

static void project_looked(door_view *view, const door_input *input, const view_fact *fact)
{
        referral_edit r;
        episode_edit e;
        view_referral *referral = referral_open(view, &r, &fact->referral);
        view_episode *episode = episode_open(view, &e, &fact->episode);
        view_line what = { .who = fact->by, .a = fact->answer };

        if (referral->stage != VIEW_ATTACHED || !e.there ||
            !door_id_equal(&referral->episode, &fact->episode)) {
                return; /* Where it was placed is parked. */
        }
        if (input->type == VIEW_LOOK_LISTED) {
                what.what = VIEW_STORY_LOOK_LISTED;
                attach_as(referral, episode, VIEW_ATT_LOOK);
                referral->look_since_ms = input->at_ms;
                referral->look_by_ms = fact->look_by_ms;
                referral->why |= fact->why;
        } else {
                referral->answered_ms = input->at_ms;
                referral->answered_by = fact->by;
        }
        if (input->type == VIEW_LOOK_ANSWERED) {
                what.what = VIEW_STORY_LOOK_ANSWERED;
                attach_as(referral, episode, VIEW_ATT_PLAIN);
                referral->look_answer = fact->answer;
                enter(episode, fact->state, input->at_ms);
                versioned(episode, fact->version);
                view_count_add(view, VIEW_COUNT_RAISED,
                               fact->answer == VIEW_RAISE || fact->answer == VIEW_NEW_ASSESSMENT ? 1 : 0);
        } else if (input->type == VIEW_RESPONDED) {
                what.what = VIEW_STORY_RESPONDED;
                referral->response = fact->answer;
                if (referral->attached == VIEW_ATT_AWAITED) {
                        attach_as(referral, episode, VIEW_ATT_GIVEN);
                }
        }
        referral_close(view, &r);
        episode_close(view, &e);
        line(view, input, fact, what);
}

static void project_detached(door_view *view, const door_input *input, const view_fact *fact)
{
        referral_edit r;
        episode_edit e;
        view_referral *referral = referral_open(view, &r, &fact->referral);
        view_episode *episode = episode_open(view, &e, &fact->episode);

        if (referral->stage != VIEW_ATTACHED || !e.there ||
            !door_id_equal(&referral->episode, &fact->episode)) {
                return;
        }
        detach(referral, episode); /* Until triage has placed it anew: in the same write. */
        versioned(episode, fact->version);
        referral_close(view, &r);
        view_episode_recount(view, &fact->episode, episode);
        episode_close(view, &e);
        line(view, input, fact, (view_line){ .what = VIEW_STORY_DETACHED });
}

/* ---- triage: the episode moves */

static void moved_line(door_view *view, const door_input *input, const view_fact *fact)
{
        static const uint8_t of[] = {
                [VIEW_TAKEN] = VIEW_STORY_TAKEN,
                [VIEW_TAKE_ENDED] = VIEW_STORY_TAKE_ENDED,
                [VIEW_DECIDED] = VIEW_STORY_DECIDED,
                [VIEW_ACTIVATED] = VIEW_STORY_ACTIVATED,
                [VIEW_RETURNED] = VIEW_STORY_RETURNED,
                [VIEW_EPISODE_CLOSED] = VIEW_STORY_CLOSED,
                [VIEW_REOPENED] = VIEW_STORY_REOPENED,
                [VIEW_OVERTAKEN] = VIEW_STORY_OVERTAKEN,
                [VIEW_FAMILY_CHANGED] = VIEW_STORY_FAMILY_CHANGED,
                [VIEW_MATCH_SETTLED] = VIEW_STORY_MATCH_SETTLED,
        };
        view_line what = { .what = of[input->type], .who = fact->by.len > 0 ? fact->by : fact->team };

        what.a = input->type == VIEW_DECIDED ? fact->level : fact->answer;
        what.b = fact->next_step;
        line(view, input, fact, what);
}

static void project_moved(door_view *view, const door_input *input, const view_fact *fact)
{
        episode_edit e;
        view_episode *episode = episode_open(view, &e, &fact->episode);

        if (!e.there) {
                return; /* Its opening is parked: what follows of it waits behind. */
        }
        versioned(episode, fact->version);
        switch ((view_triage_event)input->type) {
        case VIEW_TAKEN:
                episode->taken_until_ms = fact->until_ms;
                episode->taken_by = fact->by;
                break;
        case VIEW_TAKE_ENDED:
                episode->taken_until_ms = 0;
                episode->taken_by = DOOR_BYTES_EMPTY;
                break;
        case VIEW_DECIDED:
                answer_all(view, &fact->episode, episode);
                enter(episode, fact->state, input->at_ms);
                episode->severity = fact->severity;
                episode->level = fact->level;
                episode->next_step = fact->next_step;
                break;
        case VIEW_ACTIVATED:
                enter(episode, VIEW_ACTIVE, input->at_ms);
                break;
        case VIEW_RETURNED:
                /* Back in the queue as it was: it has waited since it first came. */
                enter(episode, VIEW_QUEUED, episode->queued_ms != 0 ? episode->queued_ms : input->at_ms);
                episode->returned_times = fact->times;
                break;
        case VIEW_EPISODE_CLOSED:
                answer_all(view, &fact->episode, episode);
                enter(episode, VIEW_CLOSED, input->at_ms);
                episode->outcome = fact->answer;
                break;
        case VIEW_REOPENED:
                enter(episode, VIEW_QUEUED, input->at_ms);
                episode->severity = fact->severity;
                episode->rag_ms = fact->rag_ms;
                episode->statutory_ms = fact->statutory_ms;
                episode->outcome = 0;
                break;
        case VIEW_FAMILY_CHANGED:
                episode->family = fact->to;
                view_family_make(view, &fact->to, 0);
                break;
        case VIEW_MATCH_SETTLED:
                episode->uncertain = false;
                break;
        case VIEW_OVERTAKEN:
        case VIEW_EPISODE_OPENED:
        case VIEW_REFERRAL_ATTACHED:
        case VIEW_HISTORY_NOTED:
        case VIEW_LOOK_LISTED:
        case VIEW_LOOK_ANSWERED:
        case VIEW_RESPONDED:
        case VIEW_EPISODE_FOLDED:
        case VIEW_RESTORED:
        case VIEW_DETACHED:
                break;
        }
        episode_close(view, &e);
        moved_line(view, input, fact);
}

/*
 * Moves referrals from one episode to another: those that were placed at `home` or at what has been
 * folded into it, or all (NULL). How each is attached goes with it, and so do the rows of the look
 * list. Both episodes' rows are put by the caller.
 */
static void referrals_move(door_view *view, episode_edit *from, episode_edit *to, const door_id *home)
{
        door_id moved[MOVED_MAX];
        size_t count = 0;
        view_walk walk;
        door_bytes rest;
        door_bytes value;

        if (!view_walk_init(&walk, view, VIEW_TABLE_OF_EPISODE, door_id_bytes(&from->id), DOOR_BYTES_EMPTY,
                            MOVED_MAX)) {
                return;
        }
        while (count < MOVED_MAX && view_walk_next(&walk, &rest, &value)) {
                moved[count++] = view_id_at_end(rest);
        }
        for (size_t i = 0; i < count; i++) {
                referral_edit edit;
                view_referral *referral = referral_open(view, &edit, &moved[i]);
                if (home == NULL || view_episode_holds(view, home, &referral->home)) {
                        if (from->after.on_it[referral->attached] > 0) {
                                from->after.on_it[referral->attached]--;
                        }
                        attach(referral, &to->id, &to->after, referral->attached);
                        referral_close(view, &edit);
                }
        }
}

/* A line at each of two episodes, naming the other. */
static void both_lines(door_view *view, const door_input *input, const view_fact *fact, view_story at_episode,
                       view_story at_to, view_line what)
{
        what.what = (uint8_t)at_episode;
        what.other = fact->to;
        view_line_put(view, &fact->episode, input->at_ms, input->cause.log, input->cause.seq, &what);
        what.what = (uint8_t)at_to;
        what.other = fact->episode;
        view_line_put(view, &fact->to, input->at_ms, input->cause.log, input->cause.seq, &what);
}

static void project_folded(door_view *view, const door_input *input, const view_fact *fact)
{
        episode_edit from;
        episode_edit to;
        view_episode *younger = episode_open(view, &from, &fact->episode);
        view_episode *older = episode_open(view, &to, &fact->to);

        if (!from.there || !to.there || door_id_equal(&fact->episode, &fact->to)) {
                return;
        }
        referrals_move(view, &from, &to, NULL);
        /* What waits for a decision has waited since the first of the two did. */
        uint64_t since_ms = input->at_ms;
        if (younger->state == VIEW_QUEUED && younger->queued_ms < since_ms) {
                since_ms = younger->queued_ms;
        }
        if (fact->state == VIEW_QUEUED && older->state == VIEW_QUEUED && since_ms < older->queued_ms) {
                older->queued_ms = since_ms;
        }
        enter(younger, VIEW_FOLDED, 0);
        versioned(younger, fact->version);
        younger->folded_into = fact->to;
        enter(older, fact->state, since_ms);
        versioned(older, fact->to_version);
        older->severity = fact->severity;
        older->rag_ms = fact->rag_ms;
        older->statutory_ms = fact->statutory_ms;
        older->uncertain = older->uncertain || younger->uncertain;
        older->historic = older->historic && younger->historic;
        older->family = fact->family;
        view_episode_recount(view, &from.id, younger);
        view_episode_recount(view, &to.id, older);
        episode_close(view, &from);
        episode_close(view, &to);
        both_lines(view, input, fact, VIEW_STORY_FOLDED, VIEW_STORY_FOLDED, (view_line){ .what = 0 });
}

static void project_restored(door_view *view, const door_input *input, const view_fact *fact)
{
        episode_edit back;
        episode_edit survivor;
        view_episode *episode = episode_open(view, &back, &fact->episode);
        /* The one its referrals stand on, which may itself have been folded since. */
        const door_id holder = view_episode_survivor(view, &fact->to);

        (void)episode_open(view, &survivor, &holder);
        if (!back.there || !survivor.there || door_id_equal(&fact->episode, &holder)) {
                return;
        }
        referrals_move(view, &survivor, &back, &fact->episode);
        enter(episode, fact->state, episode->queued_ms != 0 ? episode->queued_ms : input->at_ms);
        versioned(episode, fact->version);
        if (door_id_equal(&holder, &fact->to)) {
                versioned(&survivor.after, fact->to_version);
        }
        episode->family = fact->family;
        episode->severity = fact->severity;
        episode->rag_ms = fact->rag_ms;
        episode->statutory_ms = fact->statutory_ms;
        memset(&episode->folded_into, 0, sizeof episode->folded_into);
        view_episode_recount(view, &back.id, episode);
        view_episode_recount(view, &survivor.id, &survivor.after);
        episode_close(view, &back);
        episode_close(view, &survivor);
        both_lines(view, input, fact, VIEW_STORY_RESTORED, VIEW_STORY_RESTORED, (view_line){ .what = 0 });
}

static void project_triage(door_view *view, const door_input *input, const view_fact *fact)
{
        switch ((view_triage_event)input->type) {
        case VIEW_EPISODE_OPENED:
        case VIEW_REFERRAL_ATTACHED:
                project_placed(view, input, fact);
                break;
        case VIEW_HISTORY_NOTED:
                project_noted(view, input, fact);
                break;
        case VIEW_LOOK_LISTED:
        case VIEW_LOOK_ANSWERED:
        case VIEW_RESPONDED:
                project_looked(view, input, fact);
                break;
        case VIEW_EPISODE_FOLDED:
                project_folded(view, input, fact);
                break;
        case VIEW_RESTORED:
                project_restored(view, input, fact);
                break;
        case VIEW_DETACHED:
                project_detached(view, input, fact);
                break;
        case VIEW_TAKEN:
        case VIEW_TAKE_ENDED:
        case VIEW_DECIDED:
        case VIEW_ACTIVATED:
        case VIEW_RETURNED:
        case VIEW_EPISODE_CLOSED:
        case VIEW_REOPENED:
        case VIEW_OVERTAKEN:
        case VIEW_FAMILY_CHANGED:
        case VIEW_MATCH_SETTLED:
                project_moved(view, input, fact);
                break;
        }
}

/* ---- allocation */

static void offer_end(view_episode *episode)
{
        episode->offered_to = DOOR_BYTES_EMPTY;
        episode->waiting = false;
        episode->unrouted = false;
}

static void offer_begin(view_episode *episode, door_bytes team, bool waiting, uint64_t at_ms)
{
        offer_end(episode);
        episode->offered_to = team;
        episode->waiting = waiting;
        episode->offered_ms = at_ms;
}

static void owner_set(view_episode *episode, door_bytes owner, door_bytes lead, uint64_t at_ms)
{
        if (!door_bytes_equal(episode->owner, owner) || !door_bytes_equal(episode->lead, lead)) {
                episode->owner_ms = at_ms;
        }
        episode->owner = owner;
        episode->lead = lead;
}

/* Who leads the work of an owner that has accepted it: as said, or as the team had it on either. */
static door_bytes lead_of(const view_fact *fact, const view_episode *episode, const view_episode *other)
{
        return fact->lead.len > 0                                             ? fact->lead
               : door_bytes_equal(episode->owner, fact->owner)                ? episode->lead
               : other != NULL && door_bytes_equal(other->owner, fact->owner) ? other->lead
                                                                              : DOOR_BYTES_EMPTY;
}

/*
 * Two episodes have become one: `from` has no owner and no offer any more. An offer of `to` stands,
 * unless it was made to the team that owns it now; nobody is asked to place what a team has.
 */
static void project_owners_folded(door_view *view, const door_input *input, const view_fact *fact)
{
        episode_edit f;
        episode_edit t;
        view_episode *from = episode_open(view, &f, &fact->episode);
        view_episode *to = episode_open(view, &t, &fact->to);

        if (!f.there || !t.there || door_id_equal(&fact->episode, &fact->to)) {
                return; /* One of the two is parked. */
        }
        const door_bytes lead = fact->accepted ? lead_of(fact, to, from) : DOOR_BYTES_EMPTY;
        to->unrouted = to->unrouted && !fact->accepted;
        if (door_bytes_equal(to->offered_to, fact->owner)) {
                offer_end(to);
        }
        owner_set(to, fact->owner, lead, input->at_ms);
        offer_end(from);
        owner_set(from, DOOR_BYTES_EMPTY, DOOR_BYTES_EMPTY, input->at_ms);
        episode_close(view, &f);
        episode_close(view, &t);
        both_lines(view, input, fact, VIEW_STORY_OWNERS_JOINED, VIEW_STORY_OWNERS_JOINED,
                   (view_line){ .who = fact->owner, .lead = lead });
        if (fact->team.len > 0) {
                const view_line leaves = { .what = VIEW_STORY_HANDS_OVER,
                                           .who = fact->team,
                                           .other = fact->to };
                view_line_put(view, &fact->episode, input->at_ms, input->cause.log, input->cause.seq,
                              &leaves);
        }
}

static void project_allotted(door_view *view, const door_input *input, const view_fact *fact)
{
        episode_edit e;
        view_episode *episode = episode_open(view, &e, &fact->episode);
        view_line what = { .who = fact->team };

        if (!e.there) {
                return; /* Its opening is parked. */
        }
        switch ((view_allot_event)input->type) {
        case VIEW_OWNER_NAMED:
                what.what = VIEW_STORY_OWNER_NAMED;
                owner_set(episode, fact->team, DOOR_BYTES_EMPTY, input->at_ms);
                break;
        case VIEW_OFFER_MADE:
                what.what = VIEW_STORY_OFFERED;
                what.a = fact->waiting ? 1 : 0;
                offer_begin(episode, fact->team, fact->waiting, input->at_ms);
                owner_set(episode, fact->owner,
                          door_bytes_equal(episode->owner, fact->owner) ? episode->lead : DOOR_BYTES_EMPTY,
                          input->at_ms);
                break;
        case VIEW_OFFER_PLACED:
                what.what = VIEW_STORY_OFFER_PLACED;
                offer_begin(episode, fact->team, false, input->at_ms);
                break;
        case VIEW_UNROUTED:
                what.what = VIEW_STORY_UNROUTED;
                what.who = fact->owner;
                offer_end(episode);
                episode->unrouted = true;
                episode->offered_ms = input->at_ms;
                break;
        case VIEW_ACCEPTED:
                what.what = VIEW_STORY_ACCEPTED;
                what.lead = fact->lead;
                offer_end(episode);
                owner_set(episode, fact->team, fact->lead, input->at_ms);
                break;
        case VIEW_OFFER_RETURNED:
                what.what = VIEW_STORY_OFFER_RETURNED;
                what.a = fact->answer;
                offer_end(episode);
                /* Who keeps it (a hand-over, or an offer of its own work) keeps its lead practitioner. */
                owner_set(episode, fact->owner,
                          door_bytes_equal(episode->owner, fact->owner) ? episode->lead : DOOR_BYTES_EMPTY,
                          input->at_ms);
                break;
        case VIEW_HAND_OVER_OFFERED:
                what.what = VIEW_STORY_HAND_OVER_OFFERED;
                offer_begin(episode, fact->team, fact->waiting, input->at_ms);
                break;
        case VIEW_OWNERSHIP_ENDED:
                what.what = VIEW_STORY_OWNERSHIP_ENDED;
                offer_end(episode);
                episode->lead = DOOR_BYTES_EMPTY;
                break;
        case VIEW_ALLOT_OVERTAKEN:
                what.what = VIEW_STORY_ALLOT_OVERTAKEN;
                what.who = fact->by;
                break;
        case VIEW_ALLOT_RESTORED:
                what.what = VIEW_STORY_OWNER_RESTORED;
                what.who = fact->owner;
                what.lead = fact->lead;
                offer_end(episode);
                owner_set(episode, fact->owner,
                          fact->accepted ? lead_of(fact, episode, NULL) : DOOR_BYTES_EMPTY, input->at_ms);
                break;
        case VIEW_ALLOT_FOLDED:
                break; /* Two episodes: see project_owners_folded. */
        }
        episode_close(view, &e);
        line(view, input, fact, what);
}

/* ---- notification */

static void project_notified(door_view *view, const door_input *input, const view_fact *fact)
{
        view_delivery before;
        const bool there = view_delivery_get(view, &fact->delivery, &before);
        view_delivery after = there ? before : (view_delivery){ .state = VIEW_DELIVERY_PENDING };

        if (!there && input->type != VIEW_PLANNED) {
                return; /* Its planning is parked. */
        }
        switch ((view_notify_event)input->type) {
        case VIEW_PLANNED:
                after.kind = fact->kind;
                after.recipient = fact->team;
                after.planned_ms = input->at_ms;
                after.has_referral = fact->has_referral;
                after.referral = fact->referral;
                after.has_episode = fact->has_episode;
                after.episode = fact->episode;
                break;
        case VIEW_DELIVERED:
                after.state = VIEW_DELIVERY_DONE;
                after.attempts = fact->attempts;
                after.ended_ms = input->at_ms;
                after.failure = 0;
                break;
        case VIEW_ATTEMPT_FAILED:
                after.attempts = fact->attempts;
                after.failure = fact->answer;
                break;
        case VIEW_GIVEN_UP:
                after.state = VIEW_DELIVERY_GIVEN_UP;
                after.attempts = fact->attempts;
                after.failure = fact->answer;
                after.ended_ms = input->at_ms;
                break;
        case VIEW_TRIED_AGAIN:
                after.state = VIEW_DELIVERY_PENDING;
                after.ended_ms = 0;
                break;
        case VIEW_TOLD:
                after.state = VIEW_DELIVERY_TOLD;
                after.by = fact->by;
                after.ended_ms = input->at_ms;
                break;
        }
        view_delivery_put(view, &fact->delivery, there ? &before : NULL, &after);
}

void view_project(door_view *view, const door_input *input)
{
        const view_fact *fact = input->body;

        switch (input->cause.log) {
        case VIEW_LOG_INTAKE:
                project_intake(view, input, fact);
                break;
        case VIEW_LOG_DEDUPLICATION:
                project_dedup(view, input, fact);
                break;
        case VIEW_LOG_TRIAGE:
                project_triage(view, input, fact);
                break;
        case VIEW_LOG_ALLOCATION:
                (input->type == VIEW_ALLOT_FOLDED ? project_owners_folded : project_allotted)(view, input,
                                                                                              fact);
                break;
        default:
                project_notified(view, input, fact);
                break;
        }
}
