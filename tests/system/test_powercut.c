/*
 * Goal: what the store has acknowledged is there after the power is cut, and nothing half.
 * Method: a writer with powercut.so preloaded tells the story in commits of one to eight records
 * and says on a pipe which head it was told is durable. It is killed at a random moment, from the
 * making of the database on; the files are cut down to what had been synced plus a torn
 * remainder; the store is opened and must be the story up to at least the acknowledged head. Then
 * the next writer goes on from there. A small write buffer makes flushes happen in between.
 *
 * Without the sync flag in store_commit this fails in its first rounds.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/powercut_cut.h"
#include "support/store_place.h"

enum {
        LIVES = 8,
        ROUNDS_PER_LIFE = 5,
        ARENA_BYTES = 8 * DOOR_MIB,
        ROUND_MS_MAX = 60,
        COMMITS_MAX = 1000,
};

static const char small_buffers[] = "write_buffer_size=131072;";

/* ---- The writer --------------------------------------------------------------------------- */

static int write_until_killed(const char *base)
{
        store_place place;
        door_store *store = NULL;
        door_standing standing;
        door_error error = { 0 };
        door_arena arena;

        store_place_at(&place, base);
        const door_store_options options = store_place_options(&place, 7, small_buffers);
        if (door_store_open(&options, &store, &standing, &error) != DOOR_OK) {
                (void)fprintf(stderr, "writer: %s\n", error.text);
                return 1;
        }
        const door_store_port port = door_store_port_of(store);
        story at = story_from(&standing);
        door_arena_init(&arena, aligned_alloc(64, ARENA_BYTES), ARENA_BYTES);
        for (uint64_t i = 0; i < COMMITS_MAX; i++) {
                door_arena_reset(&arena);
                const door_cursor elsewhere = { .log = STORY_UPSTREAM + 1, .seq = at.head };
                const door_commit passed_over = { .expected_head = at.head,
                                                  .cursors = &elsewhere,
                                                  .cursors_count = 1 };
                const door_commit next = story_next(&at, 1 + (at.head + i) % 8, &port.state, &arena);
                if (port.commit(port.context, &passed_over) != DOOR_OK ||
                    port.commit(port.context, &next) != DOOR_OK) {
                        return 1;
                }
                story_went_on(&at, &next);
                if (write(STDOUT_FILENO, &at.head, sizeof at.head) != (ssize_t)sizeof at.head) {
                        return 1;
                }
                if (i % 4 == 0) {
                        door_anchor anchor = { .seq = at.head, .hash = at.head_hash };
                        memcpy(anchor.log_id, standing.log_id, sizeof anchor.log_id);
                        if (door_anchor_write(place.anchor, &anchor, &error) != DOOR_OK) {
                                return 1;
                        }
                }
        }
        (void)pause();
        return 0;
}

/* ---- The one who cuts --------------------------------------------------------------------- */

static pid_t start_writer(const char *self, const char *shim, const char *journal, const char *base,
                          int *ret_acks)
{
        int ends[2];

        DOOR_REQUIRE(pipe(ends) == 0);
        const pid_t child = fork();
        DOOR_REQUIRE(child >= 0);
        if (child == 0) {
                (void)dup2(ends[1], STDOUT_FILENO);
                (void)close(ends[0]);
                (void)close(ends[1]);
                (void)setenv("POWERCUT_JOURNAL", journal, 1);
                (void)setenv("LD_PRELOAD", shim, 1);
                (void)setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
                (void)execl(self, self, "writer", base, (char *)NULL);
                _exit(127);
        }
        (void)close(ends[1]);
        *ret_acks = ends[0];
        return child;
}

/* The last head the writer said was durable, once it is dead. */
static uint64_t last_acknowledged(int acks, uint64_t before)
{
        uint64_t head = before;
        uint64_t heard = 0;

        while (read(acks, &heard, sizeof heard) == (ssize_t)sizeof heard) {
                DOOR_REQUIRE(heard > head); /* Nothing is acknowledged twice. */
                head = heard;
        }
        (void)close(acks);
        return head;
}

/* True when the store opens and is the story up to `at_least` or further; says why not. */
static bool is_whole(const store_place *place, uint64_t at_least, uint64_t *ret_head)
{
        const door_store_options options = store_place_options(place, 7, small_buffers);
        void *storage = aligned_alloc(64, ARENA_BYTES);
        door_arena arena;
        door_store *store = NULL;
        door_standing standing = { 0 };
        door_error error = { 0 };
        const char *why = NULL;

        door_arena_init(&arena, storage, ARENA_BYTES);
        if (door_store_open(&options, &store, &standing, &error) != DOOR_OK) {
                why = error.text;
        } else {
                const door_store_port port = door_store_port_of(store);
                if (story_is_told(&port, &standing, &arena, &why) && standing.head < at_least) {
                        why = "acknowledged records are missing";
                }
        }
        (void)door_store_close(store);
        free(storage);
        if (why != NULL) {
                (void)printf("acknowledged %llu, found %llu: %s\n", (unsigned long long)at_least,
                             (unsigned long long)standing.head, why);
        }
        *ret_head = standing.head;
        return why == NULL;
}

static void wait_ms(uint64_t ms)
{
        (void)poll(NULL, 0, (int)ms);
}

static bool one_round(const char *self, const char *shim, const store_place *place, uint64_t random,
                      uint64_t *head, size_t *files_cut)
{
        char journal[PATH_MAX];
        int acks = -1;
        struct pollfd ready;

        folder_join(place->base, "journal", journal);
        FILE *fresh = fopen(journal, "w");
        DOOR_REQUIRE(fresh != NULL && fclose(fresh) == 0);
        const pid_t writer = start_writer(self, shim, journal, place->base, &acks);
        /* Half the time while it is opening, half the time while it writes. */
        ready = (struct pollfd){ .fd = acks, .events = POLLIN };
        if (random % 2 == 0) {
                (void)poll(&ready, 1, 5000);
        }
        wait_ms(random / 2 % ROUND_MS_MAX);
        DOOR_REQUIRE(kill(writer, SIGKILL) == 0);
        DOOR_REQUIRE(waitpid(writer, NULL, 0) == writer);
        const uint64_t acknowledged = last_acknowledged(acks, *head);

        *files_cut += powercut_apply(journal, place->base, random);
        return is_whole(place, acknowledged, head);
}

int main(int argc, char **argv)
{
        char base[PATH_MAX];
        uint64_t random = 0x243F6A8885A308D3U;
        size_t files_cut = 0;
        uint64_t records = 0;

        if (argc == 3 && strcmp(argv[1], "writer") == 0) {
                return write_until_killed(argv[2]);
        }
        if (argc != 2) {
                (void)fprintf(stderr, "usage: test_powercut POWERCUT.SO\n");
                return 2;
        }
        folder_temporary(base);
        for (int life = 0; life < LIVES; life++) {
                store_place place;
                uint64_t head = 0;

                folder_remove(base);
                DOOR_REQUIRE(mkdir(base, 0700) == 0);
                store_place_at(&place, base);
                for (int round = 0; round < ROUNDS_PER_LIFE; round++) {
                        random ^= random << 13;
                        random ^= random >> 7;
                        random ^= random << 17;
                        if (!one_round(argv[0], argv[1], &place, random >> 20, &head, &files_cut)) {
                                (void)printf("FAILED in life %d, round %d; the files are in %s\n", life,
                                             round, base);
                                return 1;
                        }
                }
                records += head;
        }
        folder_remove(base);
        (void)printf("%d power cuts, %llu records, %zu files cut short, 0 acknowledged records lost\n",
                     LIVES * ROUNDS_PER_LIFE, (unsigned long long)records, files_cut);
        /* A cut that never takes anything shows nothing. */
        return files_cut > LIVES && records > LIVES ? 0 : 1;
}
