/*
 * triage_state.h - what triage remembers, byte by byte.
 *
 *   table                  key after the table byte           value
 *   EPISODE          0x01  episode 10                         v2, see episode_pack in triage_state.c
 *   REFERRAL         0x02  referral 10                        v2, see triage_referral_put
 *   WAITING          0x03  episode 10, referral 10            (nothing): attachments that wait for an answer
 *   PENDING_CHILD    0x04  episode 10, person 10              (nothing): named, and no subject yet
 *   CHILD            0x05  person 10                          episode 10, the last it is a subject of
 *   FAMILY_OPEN      0x06  family 10                          episode 10
 *   FAMILY_LAST      0x07  family 10                          episode 10, the one closed last
 *   DUE              0x08  due u64, kind u8, episode 10, referral 10    (nothing)
 *   HISTORY          0x09  (nothing)                          u64 wall ms of the last historic referral
 *   IDLE             0x0A  due u64, kind u8, episode 10, referral 10    (nothing): replayed episodes
 *   FAMILY_EPISODE   0x0B  family 10, episode 10              (nothing): all that are a family's, closed too
 *   FOLD             0x0C  episode 10, folded 10              (nothing): what lives on in it
 *   JOIN             0x0D  join 10, episode 10                family 10 before that join
 *
 * Integers are big-endian. A reader that meets another layout stops.
 *
 * What is folded keeps its rows: its referrals, what of them waits, its subjects. They are its
 * survivor's for as long as it is folded (triage_home), and its own again when it is restored; only
 * the counts of what waits are the survivor's alone.
 */
#ifndef TRIAGE_STATE_H
#define TRIAGE_STATE_H

#include "triage/triage_core.h"

typedef struct triage_episode {
        uint32_t version;
        triage_state state;
        door_id family;
        uint64_t opened_ms;  /* Receipt of its first referral. */
        uint64_t last_ms;    /* Receipt of its latest. */
        uint64_t idle_at_ms; /* IMPORTED: when it ends unless something comes. */
        uint8_t severity;
        uint8_t level;     /* 0: undecided. */
        uint8_t next_step; /* 0: undecided. */
        triage_clocks clocks;
        uint32_t decided_version; /* 0: undecided. */
        uint32_t referrals;
        uint32_t waiting; /* Attachments that wait for an answer: a response or a look. */
        uint32_t looks;   /* Of these, on the look list. */
        uint64_t categories;
        uint32_t first_agency; /* Hash: a second agency is told from it. */
        bool other_agencies;
        bool uncertain;
        bool historic;
        bool children_in_doubt; /* Somebody under 1 or unborn. */
        uint8_t level_asked;
        uint32_t returned;
        triage_routing routing;
        bool has_previous;
        door_id previous;
        uint64_t taken_until_ms; /* 0: not taken. */
        door_bytes taken_by;     /* Borrowed from the view; at most 63 bytes. */
        door_bytes team;         /* The last that accepted; empty: none. */
        /* FOLDED: where it lives on, by which join (zero: a referral's move), and what it was. */
        door_id folded_into;
        door_id folded_by;
        triage_state folded_from;
} triage_episode;

typedef enum triage_waits {
        TRIAGE_WAITS_NOT = 0,
        TRIAGE_WAITS_RESPONSE = 1, /* the holding team's */
        TRIAGE_WAITS_LOOK = 2,     /* the front door's */
} triage_waits;

typedef struct triage_referral {
        door_id episode;
        triage_way way;
        triage_waits waits;
        uint8_t severity;
        uint64_t respond_by_ms; /* When a response is due; 0: none. */
        uint64_t look_by_ms;    /* The referral's own receipt clock. */
        /* What it brings with it when a person moves it to another family. */
        uint64_t received_at_ms;
        uint64_t sent_at_ms;
        uint8_t grade;
        uint64_t categories;
        triage_routing routing;
} triage_referral;

bool triage_episode_get(door_view *view, const door_id *id, triage_episode *ret_episode);
/* Also keeps FAMILY_OPEN and FAMILY_LAST: an open episode is its family's, a closed one its last. */
void triage_episode_put(door_view *view, const door_id *id, const triage_episode *episode);
bool triage_state_is_open(triage_state state);

bool triage_referral_get(door_view *view, const door_id *referral, triage_referral *ret);
void triage_referral_put(door_view *view, const door_id *referral, const triage_referral *row);
/* It must wait for nothing. */
void triage_referral_delete(door_view *view, const door_id *referral);

/* The attachments of an episode that wait for an answer; at most max, *ret_all false when there are more. */
size_t triage_waiting_of(door_view *view, const door_id *episode, door_id *ret_referrals, size_t max,
                         bool *ret_all);

enum {
        TRIAGE_LIVES_MAX = 256, /* an episode and all that live on in it; deduplication's bound is less */
        TRIAGE_FAMILY_EPISODES_MAX = 20, /* that a join changes; older history keeps the old family's id */
};

/* Where an episode lives on; itself unless it is folded. */
door_id triage_home(door_view *view, const door_id *episode);
/* The episode and all that live on in it, itself first; at most TRIAGE_LIVES_MAX. */
size_t triage_lives_of(door_view *view, const door_id *episode, door_id ret_episodes[TRIAGE_LIVES_MAX]);
void triage_fold_put(door_view *view, const door_id *into, const door_id *folded);
void triage_fold_delete(door_view *view, const door_id *into, const door_id *folded);

/* A family's episodes in the order of their ids, closed ones too. */
size_t triage_episodes_of(door_view *view, const door_id *family, door_id *ret_episodes, size_t max);
/* The episode is `to`'s from now on, whatever its state; FAMILY_OPEN and FAMILY_LAST follow. */
void triage_family_change(door_view *view, const door_id *id, triage_episode *episode, const door_id *to);

/* What a join found an episode's family to be, so that it can be undone. */
void triage_join_put(door_view *view, const door_id *join, const door_id *episode, const door_id *family);
size_t triage_joined_by(door_view *view, const door_id *join, door_id *ret_episodes, door_id *ret_families,
                        size_t max);

bool triage_family_open(door_view *view, const door_id *family, door_id *ret_episode);
bool triage_family_last(door_view *view, const door_id *family, door_id *ret_episode);

/* The open episode a child is the subject of; at most one at any position of the log. */
bool triage_child_open(door_view *view, const door_id *child, door_id *ret_episode);
/* It goes along with a moved referral: no subject of this episode, nor waiting to be one. */
void triage_child_leave(door_view *view, const door_id *episode, const door_id *child);
/* Makes it a subject, unless it is one of another open episode. */
void triage_child_put(door_view *view, const door_id *episode, const door_id *child);
/* It waits for no decision any more, in whichever of the episode's lives it was named. */
void triage_child_unpend(door_view *view, const door_id *episode, const door_id *child);
/* Named in an attached referral; the decision on the row makes it a subject. */
void triage_child_pend(door_view *view, const door_id *episode, const door_id *child);
size_t triage_pending_of(door_view *view, const door_id *episode, door_id *ret_children, size_t max,
                         bool *ret_all);

typedef enum triage_due_kind {
        TRIAGE_DUE_LEASE = 1,
        TRIAGE_DUE_RESPONSE = 2,
        TRIAGE_DUE_IDLE = 3, /* an episode of replayed history */
} triage_due_kind;

typedef struct triage_due {
        uint64_t due_ms;
        triage_due_kind kind;
        door_id episode;
        door_id referral; /* RESPONSE only, else zero. */
} triage_due;

void triage_due_put(door_view *view, const triage_due *due);
void triage_due_delete(door_view *view, const triage_due *due);
/* Leases and responses, or (idle) replayed episodes: from the earliest on; at most max. */
size_t triage_due_first(door_view *view, bool idle, triage_due *ret_due, size_t max);

/* When the last historic referral was placed: idle episodes end only once the import has paused. */
uint64_t triage_history_get(door_view *view);
void triage_history_put(door_view *view, uint64_t at_ms);

#endif
