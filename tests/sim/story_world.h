/*
 * story_world.h - the world a story is played in: both services, and nothing that goes wrong.
 *
 * The machine and the cores are those of the programs; frames arrive in order and at once, commits are
 * carried out at once. What is recorded and answered is written to `out` as it happens.
 */
#ifndef SIM_STORY_WORLD_H
#define SIM_STORY_WORLD_H

#include <stdio.h>

#include "shell/service_step.h"
#include "sim/sim_rng.h"
#include "sim/sim_store.h"
#include "sim/story_text.h"

enum {
        INTAKE = 0,
        DEDUPLICATION = 1,
        PLACES = 2,
        FRAMES_MAX = 64, /* under way at once: one pull, one answer, little more */
        ARENA_BYTES = 16 * DOOR_MIB,
        NAME_BYTES_MAX = 64,
};

/* One service with a perfect disk. */
typedef struct place {
        const door_core_ops *core;
        sim_store *store;
        door_store_port port;
        door_shell *shell;
        bool turn;     /* It wants another turn. */
        uint64_t told; /* Records told so far. */
} place;

typedef struct frame_under_way {
        size_t to; /* PLACES: whoever plays the script. */
        door_channel channel;
        char peer[NAME_BYTES_MAX];
        uint8_t *bytes;
        size_t len;
} frame_under_way;

typedef struct story {
        FILE *out;
        place places[PLACES];
        frame_under_way frames[FRAMES_MAX];
        size_t frames_count;
        sim_rng rng;
        uint64_t now_ms;
        bool brief;
        bool failed;
        story_ids ids;
        void *memory;
        door_arena arena; /* Of one input. */
        door_wishes wishes;
} story;

/* A world in which both services have started; out is borrowed until story_close. */
story *story_open(FILE *out);
story *story_close(story *s);

/* Sends a command to intake and plays on until nobody has anything left to do. */
void story_command(story *s, const char *peer, door_bytes frame);

/* One line a service: how many rows its state has, and a digest of them. */
void story_states_tell(story *s);

#endif
