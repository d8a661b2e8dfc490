/*
 * view_state.h - what the gateway's view remembers, byte by byte.
 *
 *   table             key after the table byte                    value
 *   REFERRAL    0x01  referral 10                                 view_referral
 *   EPISODE     0x02  episode 10                                  view_episode
 *   FAMILY      0x03  family 10                                   flags u8, redirect 10 (zero: none)
 *   OF_FAMILY   0x04  family 10, received u64, episode 10         (nothing)
 *   CHRONOLOGY  0x05  family 10, sent u64, referral 10            (nothing)
 *   RELATED     0x06  family 10, family 10                        how u8
 *   OF_EPISODE  0x07  episode 10, referral 10                     (nothing)
 *   UNANSWERED  0x08  episode 10, answer by u64, referral 10      (nothing)
 *   AGENCY      0x09  episode 10, agency                          (nothing)
 *   AGE         0x0A  view_waiting u8, since u64, id 10           (nothing)  oldest first
 *   LOOK        0x0B  look by u64, referral 10                    (nothing)  the look list
 *   QUEUE       0x0C  band u8, earliest clock u64, episode 10     (nothing)  the queue
 *   TEAM        0x0D  length u8, team, view_place u8, since u64,
 *                     episode 10                                  (nothing)
 *   LOAD        0x0E  team                                        offered, waiting, active u32
 *   FORMER      0x0F  family 10, its former id 10                 (nothing)
 *   LINE        0x10  episode 10, at u64, log u8, seq u64         view_line
 *   REVIEW      0x11  review 10                                   view_review
 *   DELIVERY    0x12  delivery 10                                 view_delivery
 *   TOLD        0x13  id kind u8, id 10, planned u64, delivery 10 (nothing)
 *   COUNT       0x14  view_count u8                               u64
 *   NAMED       0x15  referral 10, person 10                      role u8, age u8
 *   MEMBER      0x16  family 10, person 10                        referrals u32, role u8, age u8
 *   FAMILY_LINE 0x17  family 10, at u64, log u8, seq u64          view_family_line
 *   OF_REVIEW   0x18  family 10, review 10                        (nothing)
 *   JOIN        0x19  join 10                                     view_join
 *   JOINED      0x1A  join 10, referral 10                        (nothing)  stood in `from` before
 *
 * Integers are big-endian. QUEUE, LOOK, AGE, TEAM, LOAD and most of COUNT are derived: they are
 * changed where a row is put and nowhere else, from the row as it was and as it will be, so they
 * cannot drift apart from it, and no page ever sorts. MEMBER is derived too: from NAMED, and from
 * the family a referral's row names.
 *
 * A row's value begins with the layout's number (2). A view another layout wrote stops its program at
 * the first row: it is taken away by `frontdoor view rebuild` and made again from the logs.
 *
 * The sum that must balance: every REFERRAL row is counted in exactly one disposition. One that is
 * not on an episode counts by its own stage; one that is, by f(the episode's state, how it is
 * attached), kept as four numbers in the episode's row (view_disposition).
 */
#ifndef VIEW_STATE_H
#define VIEW_STATE_H

#include "door/id.h"
#include "door/limits.h"
#include "door/view.h"

/* Numbers of the protos; the codec asserts that they are the same. */
typedef enum view_episode_state {
        VIEW_STATE_NONE = 0,
        VIEW_QUEUED = 1,
        VIEW_OFFERED = 2,
        VIEW_ACTIVE = 3,
        VIEW_IMPORTED = 4,
        VIEW_CLOSED = 5,
        VIEW_FOLDED = 6,
        VIEW_STATES = 7,
} view_episode_state;

typedef enum view_disposition {
        VIEW_DISP_NONE = 0,
        VIEW_DISP_AWAITING_MATCH = 1,
        VIEW_DISP_AWAITING_TRIAGE = 2,
        VIEW_DISP_QUEUED = 3,
        VIEW_DISP_LOOK = 4,
        VIEW_DISP_WITH_WORKER = 5,
        VIEW_DISP_OFFERED = 6,
        VIEW_DISP_ACTIVE = 7,
        VIEW_DISP_IMPORTED = 8,
        VIEW_DISP_CLOSED = 9,
        VIEW_DISP_HISTORY = 10,
        VIEW_DISPOSITIONS = 11,
} view_disposition;

typedef enum view_stage {
        VIEW_STAGE_NONE = 0,
        VIEW_RECEIVED,
        VIEW_MATCHED,
        VIEW_ATTACHED, /* on an episode */
        VIEW_NOTED,    /* chronology only */
} view_stage;

/* How a referral stands on its episode. */
typedef enum view_attached {
        VIEW_ATT_PLAIN = 0, /* opened it, needed a look now, or has been answered for */
        VIEW_ATT_LOOK,      /* on the look list */
        VIEW_ATT_AWAITED,   /* with the social worker, who has not responded */
        VIEW_ATT_GIVEN,     /* … who has */
        VIEW_ATTS = 4,
} view_attached;

typedef enum view_waiting {
        VIEW_WAIT_MATCH = 1,
        VIEW_WAIT_TRIAGE,
        VIEW_WAIT_DECISION,
        VIEW_WAIT_LOOK,
        VIEW_WAIT_RESPONSE,
        VIEW_WAIT_ACCEPT,
        VIEW_WAIT_ROOM,
        VIEW_WAIT_PLACE,
        VIEW_WAIT_REVIEW,
        VIEW_WAIT_DELIVERY,
        VIEW_WAIT_TELL,
        VIEW_WAITS,
} view_waiting;

typedef enum view_place {
        VIEW_PLACE_OFFERED = 1,
        VIEW_PLACE_WAITING = 2,
        VIEW_PLACE_ACTIVE = 3,
} view_place;

/* COUNT: 1 to 10 are the dispositions, 0x40 and up what waits (view_waiting). */
typedef enum view_count {
        VIEW_COUNT_RECEIVED = 20,
        VIEW_COUNT_TAKEN = 21,
        VIEW_COUNT_WAITING = 22,
        VIEW_COUNT_ADDED = 23,
        VIEW_COUNT_LOOKED_NOW = 24,
        VIEW_COUNT_RAISED = 25,
        VIEW_COUNT_OPEN = 26,
        VIEW_COUNT_CLOSED = 27,
        VIEW_COUNT_ATTEMPTS = 28,
        VIEW_COUNT_WAITS = 0x40,
} view_count;

enum {
        VIEW_TEXT_BYTES_MAX = 200, /* agencies, teams, actors; longer ones are cut by the codec */
        VIEW_CANDIDATES_MAX = 5,
        VIEW_KEY_BYTES_MAX = 256,
        VIEW_BAND_RED_FROM = 80,
        VIEW_BAND_AMBER_FROM = 50,
        VIEW_PEOPLE_MAX = 64,        /* of one referral, and shown of one family */
        VIEW_FORMER_MAX = 32,        /* ids that lead to one family */
        VIEW_REVIEW_OVERTAKEN = 255, /* view_review.verdict: nobody needs to answer any more */
};

typedef struct view_referral {
        view_stage stage;
        view_attached attached;
        uint64_t sent_ms, received_ms, matched_ms, placed_ms;
        door_bytes agency;
        uint8_t grade, channel, decision;
        bool historic, opened;
        bool has_resend;
        door_id resend_of;
        door_id family; /* From the match on. */
        int32_t score;
        size_t candidates_count;
        door_id candidates[VIEW_CANDIDATES_MAX];
        int32_t candidate_scores[VIEW_CANDIDATES_MAX];
        door_id episode; /* Where it is now. */
        door_id home;    /* Where it was placed; differs while its episode is folded. */
        uint8_t way;
        uint64_t why; /* Bit n: RepeatReason n. */
        uint8_t severity;
        uint64_t respond_by_ms, look_by_ms, look_since_ms;
        uint8_t look_answer, response;
        uint64_t answered_ms;
        door_bytes answered_by;
        uint32_t withdrawals, amendments, attempts, disclosed;
} view_referral;

typedef struct view_episode {
        view_episode_state state;
        uint32_t version;
        door_id family;
        uint8_t severity;
        uint64_t rag_ms, statutory_ms;
        uint64_t received_ms; /* Of its first referral. */
        uint64_t queued_ms;   /* Since when it waits for a decision. */
        uint64_t taken_until_ms;
        door_bytes taken_by;
        uint32_t on_it[VIEW_ATTS]; /* Referrals, by how they are attached. */
        uint32_t agencies;
        uint64_t why;
        bool uncertain, historic, has_previous, unrouted, waiting;
        door_id previous;
        uint8_t level, next_step, outcome;
        uint32_t returned_times;
        door_bytes owner, lead, offered_to;
        uint64_t owner_ms, offered_ms;
        door_id folded_into;
} view_episode;

typedef struct view_line {
        uint8_t what; /* StoryWhat */
        bool has_referral;
        door_id referral;
        door_bytes who, lead;
        uint32_t a, b;
        uint8_t way;
        door_id other; /* The other episode of two; zero: none. */
} view_line;

/* Something a person did to a family; zero ids are none. */
typedef struct view_family_line {
        uint8_t what;    /* FamilyWhat */
        uint8_t verdict; /* Of a review. */
        door_id other, referral, review, join;
} view_family_line;

/* Numbers of the protos; the codec asserts that they are the same. */
enum {
        VIEW_AGE_UNBORN = 1,
        VIEW_AGE_16_TO_17 = 6,
        VIEW_AGE_CHILD = 9,
        VIEW_ROLE_INDEX_CHILD = 1,
        VIEW_ROLE_SIBLING = 2,
        VIEW_ROLE_UNBORN = 3,
        VIEW_ROLE_OTHER_CHILD = 15,
};

typedef struct view_person {
        door_id id;
        uint8_t role, age;
        uint32_t referrals; /* Of a family: that name them. */
} view_person;

typedef struct view_join {
        door_id from, to;
        uint64_t joined_ms, undone_ms; /* 0: it stands. */
        bool has_review;
        door_id review;
} view_join;

typedef struct view_review {
        door_id referral, family, candidate;
        int32_t score;
        uint64_t since_ms;
        uint8_t verdict; /* 0: open. */
        uint32_t unsure; /* So often. */
        uint64_t answered_ms;
} view_review;

typedef struct view_delivery {
        uint8_t kind, state, failure;
        door_bytes recipient;
        uint64_t planned_ms, ended_ms;
        uint32_t attempts;
        bool has_referral, has_episode;
        door_id referral, episode;
        door_bytes by;
} view_delivery;

/* Which disposition a referral attached so has on an episode in that state. */
view_disposition view_disposition_of(view_episode_state state, view_attached attached);
/* 0 red, 1 amber, 2 the others: the order of the queue. */
uint8_t view_band_of(uint8_t severity);
bool view_is_open(view_episode_state state);
uint32_t view_episode_referrals(const view_episode *episode);
uint32_t view_episode_unanswered(const view_episode *episode);

/* Texts of what is got are borrowed from the view's arena. */
bool view_referral_get(door_view *view, const door_id *id, view_referral *ret_row);
/* `before` is the row as it was got, NULL when there was none. Derived tables and counts follow. */
void view_referral_put(door_view *view, const door_id *id, const view_referral *before,
                       const view_referral *after);
bool view_episode_get(door_view *view, const door_id *id, view_episode *ret_row);
void view_episode_put(door_view *view, const door_id *id, const view_episode *before,
                      const view_episode *after);
/* True when the agency had not been heard on this episode. */
bool view_agency_note(door_view *view, const door_id *episode, door_bytes agency);
void view_line_put(door_view *view, const door_id *episode, uint64_t at_ms, uint32_t log, uint64_t seq,
                   const view_line *line);
bool view_line_read(door_bytes value, view_line *ret_line);
/* Agencies, and why a person should look, counted again from the referrals that stand on it now. */
void view_episode_recount(door_view *view, const door_id *id, view_episode *episode);
/* The episode a folded one goes on in, however often; itself where it is not folded. */
door_id view_episode_survivor(door_view *view, const door_id *id);
/* True when what was placed at `home` is, or has been folded into, `episode`. */
bool view_episode_holds(door_view *view, const door_id *episode, const door_id *home);

/* ---- families */
/* Where an id leads now. False when there is no such family. */
bool view_family_now(door_view *view, const door_id *id, door_id *ret_now);
/* Flags are only ever added: what was once known of a family calls for care for good. */
enum { VIEW_FAMILY_RESTRICTED = 1, VIEW_FAMILY_TWO_PEOPLE = 2 };
void view_family_make(door_view *view, const door_id *id, uint8_t flags);
uint8_t view_family_flags(door_view *view, const door_id *id);
/* The id itself and those that lead to it, at most VIEW_FORMER_MAX + 1. */
size_t view_family_ids(door_view *view, const door_id *id, door_id ret_ids[VIEW_FORMER_MAX + 1]);
void view_family_line_put(door_view *view, const door_id *family, uint64_t at_ms, uint32_t log, uint64_t seq,
                          const view_family_line *line);
bool view_family_line_read(door_bytes value, view_family_line *ret_line);
/* Names a person in a referral whose row has been put; a second time changes nothing. */
void view_person_name(door_view *view, const door_id *referral, const door_id *family,
                      const view_person *person);
view_person view_member_read(door_bytes rest, door_bytes value);
/* The children a referral names are these from now on: known again as others after a move. */
void view_children_replace(door_view *view, const door_id *referral, const door_id *family,
                           const view_person *children, size_t count);
/* `from` leads to `to` from now on; NULL: leads to itself again. */
void view_family_redirect(door_view *view, const door_id *from, const door_id *to);
void view_related_put(door_view *view, const door_id *a, const door_id *b, uint8_t how);
/* Forgets it, where it is `how` they are related and nothing firmer has been said. */
void view_related_drop(door_view *view, const door_id *a, const door_id *b, uint8_t how);

/* ---- joins, reviews, deliveries */
bool view_join_get(door_view *view, const door_id *id, view_join *ret_row);
void view_join_put(door_view *view, const door_id *id, const view_join *row);
/* The referral stood in the family that was joined away. */
void view_joined_put(door_view *view, const door_id *join, const door_id *referral);
bool view_joined_has(door_view *view, const door_id *join, const door_id *referral);
bool view_review_get(door_view *view, const door_id *id, view_review *ret_row);
void view_review_put(door_view *view, const door_id *id, const view_review *before, const view_review *after);
bool view_delivery_get(door_view *view, const door_id *id, view_delivery *ret_row);
void view_delivery_put(door_view *view, const door_id *id, const view_delivery *before,
                       const view_delivery *after);

/* ---- counts */
uint64_t view_count_get(door_view *view, uint8_t which);
void view_count_add(door_view *view, uint8_t which, int64_t delta);

/* ---- walking. A walk is over the keys of one table that begin with what `of` holds. */
typedef enum view_table {
        VIEW_TABLE_REFERRAL = 0x01,
        VIEW_TABLE_EPISODE = 0x02,
        VIEW_TABLE_FAMILY = 0x03,
        VIEW_TABLE_OF_FAMILY = 0x04,
        VIEW_TABLE_CHRONOLOGY = 0x05,
        VIEW_TABLE_RELATED = 0x06,
        VIEW_TABLE_OF_EPISODE = 0x07,
        VIEW_TABLE_UNANSWERED = 0x08,
        VIEW_TABLE_AGENCY = 0x09,
        VIEW_TABLE_AGE = 0x0A,
        VIEW_TABLE_LOOK = 0x0B,
        VIEW_TABLE_QUEUE = 0x0C,
        VIEW_TABLE_TEAM = 0x0D,
        VIEW_TABLE_LOAD = 0x0E,
        VIEW_TABLE_FORMER = 0x0F,
        VIEW_TABLE_LINE = 0x10,
        VIEW_TABLE_REVIEW = 0x11,
        VIEW_TABLE_DELIVERY = 0x12,
        VIEW_TABLE_TOLD = 0x13,
        VIEW_TABLE_COUNT = 0x14,
        VIEW_TABLE_NAMED = 0x15,
        VIEW_TABLE_MEMBER = 0x16,
        VIEW_TABLE_FAMILY_LINE = 0x17,
        VIEW_TABLE_OF_REVIEW = 0x18,
        VIEW_TABLE_JOIN = 0x19,
        VIEW_TABLE_JOINED = 0x1A,
} view_table;

typedef struct view_walk {
        door_scan scan;
        uint8_t prefix[VIEW_KEY_BYTES_MAX];
        size_t prefix_len;
        uint8_t from[VIEW_KEY_BYTES_MAX];
} view_walk;

/* after: the rest of a key behind the prefix; the walk begins behind that row. False: it is too long. */
bool view_walk_init(view_walk *walk, door_view *view, view_table table, door_bytes of, door_bytes after,
                    size_t rows_max);
/* The rest of the key behind the prefix, and the value; borrowed. */
bool view_walk_next(view_walk *walk, door_bytes *ret_rest, door_bytes *ret_value);
/* The last ten bytes of a key. */
door_id view_id_at_end(door_bytes rest);

#endif
