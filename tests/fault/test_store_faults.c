/*
 * Goal: whichever call to the operating system fails, once or for ever, no acknowledged record is
 * lost, none is acknowledged twice, what failed says so and leaves its out-parameters alone, and
 * the next start works or refuses by name.
 * Method: a process opens the store (a new one; one with tables and a WAL to recover), commits,
 * writes anchors, makes a checkpoint and closes, with the Nth call of one kind failing; N = 1, 2 …
 * until a run is not struck any more, one-shot and persistent. It says on a pipe what it was
 * told. Then a process without faults opens what is left and compares it with the story.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/iofault.h"
#include "support/store_place.h"

enum {
        ARENA_BYTES = 4 * DOOR_MIB,
        COMMITS = 3,
        CALLS_MAX = 300,
        PERSISTENT_STEP = 5, /* What goes on failing differs little from one N to the next. */
};

/* What the process that met the fault reports; written whole at the end, acknowledgements at once. */
typedef enum word {
        WORD_ACKNOWLEDGED = 1, /* value: the head a commit said is durable */
        WORD_UNTOUCHED,        /* the fault did not come to pass */
        WORD_DONE,             /* ran to its end */
        WORD_WRONG,            /* value: line of a broken rule */
} word;

typedef struct message {
        uint64_t word;
        uint64_t value;
} message;

typedef struct outcome {
        uint64_t acknowledged;
        bool untouched;
        bool done;
        bool died;
        uint64_t wrong_line;
} outcome;

static void say(int fd, word w, uint64_t value)
{
        const message m = { w, value };
        DOOR_REQUIRE(write(fd, &m, sizeof m) == (ssize_t)sizeof m);
}

#define RULE(fd, condition)                                                                                  \
        do {                                                                                                 \
                if (!(condition)) {                                                                          \
                        say((fd), WORD_WRONG, __LINE__);                                                     \
                }                                                                                            \
        } while (false)

static bool names_a_reason(const door_error *error, door_status status)
{
        const char *name = door_status_name(status);
        return error->status == status && strncmp(error->text, name, strlen(name)) == 0;
}

/* After a failed write nothing is ever said of this log again but "unknown", fault or no fault. */
static void expect_dead(int fd, const door_store_port *port, const door_commit *failed)
{
        door_commit other = { .expected_head = failed->expected_head + 1 };

        iofault_disarm();
        RULE(fd, port->commit(port->context, failed) == DOOR_UNKNOWN);
        RULE(fd, port->commit(port->context, &other) == DOOR_UNKNOWN);
        other.expected_head = failed->expected_head;
        RULE(fd, port->commit(port->context, &other) == DOOR_UNKNOWN);
}

/* False when something failed that ends a service. */
static bool commits(int fd, const store_place *place, door_store *store, const door_standing *standing)
{
        const door_store_port port = door_store_port_of(store);
        door_arena arena;
        story at = story_from(standing);
        door_error error = { 0 };
        char copy[PATH_MAX];

        folder_join(place->base, "copy", copy);
        door_arena_init(&arena, aligned_alloc(64, ARENA_BYTES), ARENA_BYTES);
        for (size_t i = 0; i < COMMITS; i++) {
                const door_commit next = story_next(&at, 2, &port.state, &arena);
                const door_status status = port.commit(port.context, &next);
                RULE(fd, status == DOOR_OK || status == DOOR_UNKNOWN);
                if (status != DOOR_OK) {
                        door_hash hash;
                        RULE(fd, port.hash_at(port.context, at.head, &hash) == DOOR_OK);
                        RULE(fd, port.hash_at(port.context, at.head + 1, &hash) == DOOR_NOT_FOUND);
                        expect_dead(fd, &port, &next);
                        return false;
                }
                story_went_on(&at, &next);
                say(fd, WORD_ACKNOWLEDGED, at.head);
                door_anchor anchor = { .seq = at.head, .hash = at.head_hash };
                memcpy(anchor.log_id, standing->log_id, sizeof anchor.log_id);
                const door_status anchored = door_anchor_write(place->anchor, &anchor, &error);
                RULE(fd, anchored == DOOR_OK || (anchored == DOOR_IO && names_a_reason(&error, DOOR_IO)));
                if (i == COMMITS / 2) {
                        const door_status copied = door_store_checkpoint(store, copy, &error);
                        RULE(fd, copied == DOOR_OK || names_a_reason(&error, copied));
                        if (copied != DOOR_OK) {
                                return false;
                        }
                }
        }
        return true;
}

static void live(int fd, const store_place *place, iofault_kind kind, size_t nth, bool persistent)
{
        const door_store_options options = store_place_options(place, 7, NULL);
        door_store *const untouched = (door_store *)(uintptr_t)0x5A5A;
        door_store *store = untouched;
        door_standing standing;
        door_standing before;
        door_error error = { 0 };

        memset(&standing, 0x5A, sizeof standing);
        memcpy(&before, &standing, sizeof before);
        iofault_arm(kind, nth, persistent);
        const door_status status = door_store_open(&options, &store, &standing, &error);
        if (status == DOOR_OK) {
                /* A failed service leaves by _exit: RocksDB's close waits a second for a failed flush. */
                if (commits(fd, place, store, &standing)) {
                        store = door_store_close(store);
                }
        } else {
                RULE(fd, store == untouched && memcmp(&standing, &before, sizeof before) == 0);
                RULE(fd, names_a_reason(&error, status));
                RULE(fd, iofault_struck());
        }
        if (!iofault_struck()) {
                say(fd, WORD_UNTOUCHED, 0);
        }
        iofault_disarm();
        say(fd, WORD_DONE, 0);
}

/* Runs in a process of its own, because RocksDB's assertions may end it. */
static pid_t in_child(void)
{
        const pid_t child = fork();

        DOOR_REQUIRE(child >= 0);
        if (child == 0) {
                const struct rlimit no_core = { 0, 0 };
                (void)setrlimit(RLIMIT_CORE, &no_core);
                (void)signal(SIGABRT, SIG_DFL);
                DOOR_REQUIRE(freopen("/dev/null", "w", stderr) != NULL);
        }
        return child;
}

static outcome run(const store_place *place, iofault_kind kind, size_t nth, bool persistent)
{
        outcome o = { 0 };
        message m;
        int ends[2];
        int status = 0;

        DOOR_REQUIRE(pipe(ends) == 0);
        const pid_t child = in_child();
        if (child == 0) {
                live(ends[1], place, kind, nth, persistent);
                _exit(0);
        }
        (void)close(ends[1]);
        while (read(ends[0], &m, sizeof m) == (ssize_t)sizeof m) {
                if (m.word == WORD_ACKNOWLEDGED) {
                        if (m.value <= o.acknowledged) {
                                o.wrong_line = __LINE__; /* Acknowledged twice. */
                        }
                        o.acknowledged = m.value;
                } else if (m.word == WORD_WRONG && o.wrong_line == 0) {
                        o.wrong_line = m.value;
                }
                o.untouched = o.untouched || m.word == WORD_UNTOUCHED;
                o.done = o.done || m.word == WORD_DONE;
        }
        (void)close(ends[0]);
        DOOR_REQUIRE(waitpid(child, &status, 0) == child);
        o.died = WIFSIGNALED(status);
        return o;
}

/* The next start, without faults: 0 and the head in *ret_head, or what is wrong. */
static const char *restart(const store_place *place, uint64_t at_least, uint64_t at_most)
{
        const door_store_options options = store_place_options(place, 7, NULL);
        door_store *store = NULL;
        door_standing standing;
        static door_error error;
        door_arena arena;
        const char *why = NULL;

        if (door_store_open(&options, &store, &standing, &error) != DOOR_OK) {
                return error.text;
        }
        const door_store_port port = door_store_port_of(store);
        void *storage = aligned_alloc(64, ARENA_BYTES);
        door_arena_init(&arena, storage, ARENA_BYTES);
        if (!story_is_told(&port, &standing, &arena, &why)) {
                /* why says it. */
        } else if (standing.head < at_least) {
                why = "an acknowledged record is lost";
        } else if (standing.head > at_most) {
                why = "more records than were ever handed in";
        } else {
                const story at = story_from(&standing);
                const door_commit next = story_next(&at, 1, &port.state, &arena);
                why = port.commit(port.context, &next) == DOOR_OK ? NULL : "it does not take another commit";
        }
        free(storage);
        (void)door_store_close(store);
        return why;
}

static const char *restart_in_child(const store_place *place, uint64_t at_least, uint64_t at_most)
{
        static char why[256];
        int ends[2];
        int status = 0;

        DOOR_REQUIRE(pipe(ends) == 0);
        const pid_t child = in_child();
        if (child == 0) {
                const char *wrong = restart(place, at_least, at_most);
                (void)!write(ends[1], wrong == NULL ? "" : wrong, wrong == NULL ? 0 : strlen(wrong));
                _exit(wrong == NULL ? 0 : 1);
        }
        (void)close(ends[1]);
        const ssize_t len = read(ends[0], why, sizeof why - 1);
        (void)close(ends[0]);
        why[len > 0 ? len : 0] = '\0';
        DOOR_REQUIRE(waitpid(child, &status, 0) == child);
        if (WIFSIGNALED(status)) {
                return "the start died";
        }
        return WEXITSTATUS(status) == 0 ? NULL : why;
}

typedef struct campaign {
        store_place before; /* What each run begins from. */
        store_place place;
        const char *name;
        uint64_t head;
        size_t step; /* Between one N and the next, one-shot. */
        size_t runs;
        size_t deaths;
        size_t wrong;
} campaign;

static void one_kind(campaign *c, iofault_kind kind, bool persistent)
{
        size_t nth = 1;
        size_t struck = 0;
        size_t deaths = 0;
        bool untouched = false;

        for (; !untouched && nth <= CALLS_MAX; nth += persistent ? PERSISTENT_STEP : c->step) {
                if (c->head == 0) {
                        folder_remove(c->place.db);
                        (void)unlink(c->place.anchor);
                } else {
                        store_place_copy(&c->before, &c->place);
                }
                char copy[PATH_MAX];
                folder_join(c->place.base, "copy", copy);
                folder_remove(copy);
                outcome o = run(&c->place, kind, nth, persistent);
                o.acknowledged = o.acknowledged > c->head ? o.acknowledged : c->head;
                const char *why =
                        restart_in_child(&c->place, o.acknowledged, c->head + 2 * (uint64_t)COMMITS);
                c->runs++;
                struck += !o.untouched;
                deaths += o.died;
                if (why != NULL || o.wrong_line != 0 || (!o.done && !o.died)) {
                        c->wrong++;
                        (void)printf("!! %s: %s %zu%s: %s (line %llu)\n", c->name, iofault_name(kind), nth,
                                     persistent ? " and on" : "", why == NULL ? "a rule is broken" : why,
                                     (unsigned long long)o.wrong_line);
                }
                untouched = o.untouched;
        }
        c->deaths += deaths;
        (void)printf("   %s: %-12s %-10s %3zu struck, %zu died of RocksDB's assertions\n", c->name,
                     iofault_name(kind), persistent ? "persistent" : "one-shot", struck, deaths);
        if (!untouched) {
                c->wrong++;
                (void)printf("!! %s: %s: never untouched\n", c->name, iofault_name(kind));
        }
}

static void place_in(const char *base, const char *name, store_place *place)
{
        char path[PATH_MAX];

        folder_join(base, name, path);
        DOOR_REQUIRE(mkdir(path, 0700) == 0);
        store_place_at(place, path);
}

static size_t all_kinds(campaign *c)
{
        for (int kind = IOFAULT_WRITE; kind < IOFAULT_KINDS_END; kind++) {
                one_kind(c, (iofault_kind)kind, false);
                one_kind(c, (iofault_kind)kind, true);
        }
        (void)printf("%s: %zu runs, %zu died, %zu wrong\n", c->name, c->runs, c->deaths, c->wrong);
        return c->wrong;
}

/* In a child: a process that has had RocksDB's threads must not fork. */
static void prepare(const store_place *place)
{
        int status = 0;
        const pid_t child = fork();

        DOOR_REQUIRE(child >= 0);
        if (child == 0) {
                store_place_tell(place, NULL, 10, 2);
                store_place_tell(place, NULL, 10, 2);
                _exit(0);
        }
        DOOR_REQUIRE(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
        char base[PATH_MAX];
        campaign fresh = { .name = "new log", .head = 0, .step = 2 };
        campaign grown = { .name = "grown log", .head = 40, .step = 1 };

        (void)setvbuf(stdout, NULL, _IOLBF, 0);
        folder_temporary(base);
        place_in(base, "fresh", &fresh.place);
        place_in(base, "before", &grown.before);
        place_in(base, "grown", &grown.place);
        prepare(&grown.before);
        const size_t wrong = all_kinds(&fresh) + all_kinds(&grown);
        folder_remove(base);
        return wrong == 0 ? 0 : 1;
}
