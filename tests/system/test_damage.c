/*
 * Goal: whatever happens to the files of a stopped service, its start either gives back the whole
 * log or refuses with a named reason; never "OK with fewer".
 * Method: a writer process tells several hundred records of the story and dies without closing,
 * its anchor current. Its folder is copied, one thing is done to the copy, and another process
 * opens it and compares every record, payload, state row and cursor with the story. The table
 * damage -> outcome is printed.
 *
 * Three logs, so that every kind of file is there to be damaged: "wal", all records in one WAL;
 * "wals", an older and a newer WAL; "tables", tables of all families and a WAL after them.
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

#include "support/store_place.h"

enum { ARENA_BYTES = 8 * DOOR_MIB, ZEROED_BYTES = 4096 };

/* What may come of a damage; 0 is none of them. A damaged byte may lie where nobody reads: then whole is
 * right too. */
typedef enum allowed {
        WHOLE = 1,
        REFUSED = 2,
        EITHER = WHOLE | REFUSED,
        DIED = 4, /* RocksDB's own assertion: nothing is served, but the reason is its, not ours. */
} allowed;

typedef struct matrix {
        store_place log;    /* The undamaged one. */
        store_place former; /* The same log, earlier. */
        store_place victim;
        const char *name;
        uint64_t head;
        size_t cases;
        size_t faults;
} matrix;

/* ---- Writers: separate processes that die without closing --------------------------------- */

static void tell_and_die(const store_place *place, const char *tuning, size_t commits, size_t records)
{
        const pid_t child = fork();
        int status = 0;

        DOOR_REQUIRE(child >= 0);
        if (child == 0) {
                const door_store_options options = store_place_options(place, 7, tuning);
                door_store *store = NULL;
                door_standing standing;
                door_arena arena;

                DOOR_REQUIRE(door_store_open(&options, &store, &standing, NULL) == DOOR_OK);
                const door_store_port port = door_store_port_of(store);
                story at = story_from(&standing);
                door_arena_init(&arena, aligned_alloc(64, ARENA_BYTES), ARENA_BYTES);
                for (size_t i = 0; i < commits; i++) {
                        door_arena_reset(&arena);
                        const door_commit next = story_next(&at, records, &port.state, &arena);
                        DOOR_REQUIRE(port.commit(port.context, &next) == DOOR_OK);
                        story_went_on(&at, &next);
                }
                door_anchor anchor = { .seq = at.head, .hash = at.head_hash };
                memcpy(anchor.log_id, standing.log_id, sizeof anchor.log_id);
                DOOR_REQUIRE(door_anchor_write(place->anchor, &anchor, NULL) == DOOR_OK);
                _exit(0);
        }
        DOOR_REQUIRE(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- The judge: a separate process too, because RocksDB may abort ------------------------- */

typedef struct verdict {
        allowed outcome; /* 0: none of them. */
        char text[240];
} verdict;

/* The name must be one that a person can look up, and be followed by which rule. */
static bool names_a_reason(const door_error *error)
{
        const char *name = door_status_name(error->status);
        const size_t len = strlen(name);
        return strncmp(error->text, name, len) == 0 && error->text[len] == ':' &&
               strlen(error->text) > len + 5;
}

static verdict judge_here(const store_place *place, uint64_t head)
{
        const door_store_options options = store_place_options(place, 9, NULL);
        verdict v = { .outcome = 0 };
        door_store *store = NULL;
        door_standing standing;
        door_error error = { 0 };
        door_arena arena;
        const char *why = NULL;

        if (door_store_open(&options, &store, &standing, &error) != DOOR_OK) {
                (void)snprintf(v.text, sizeof v.text, "%.200s", error.text);
                v.outcome = names_a_reason(&error) ? REFUSED : 0;
                return v;
        }
        const door_store_port port = door_store_port_of(store);
        door_arena_init(&arena, aligned_alloc(64, ARENA_BYTES), ARENA_BYTES);
        const bool told = story_is_told(&port, &standing, &arena, &why);
        if (!told && strstr(why, "cannot be") != NULL) {
                /* Nothing is lost silently, but these logs are short: a start reads all of them. */
                (void)snprintf(v.text, sizeof v.text, "noticed by the reader only, not by the start: %s",
                               why);
        } else if (!told || standing.head < head) {
                (void)snprintf(v.text, sizeof v.text, "SILENT: head %llu of %llu, %s",
                               (unsigned long long)standing.head, (unsigned long long)head,
                               told ? "fewer" : why);
        } else {
                (void)snprintf(v.text, sizeof v.text, "whole");
                v.outcome = WHOLE;
        }
        (void)door_store_close(store);
        return v;
}

static verdict judge(const store_place *place, uint64_t head)
{
        verdict v = { .outcome = 0, .text = "no verdict" };
        int ends[2];

        DOOR_REQUIRE(pipe(ends) == 0);
        const pid_t child = fork();
        DOOR_REQUIRE(child >= 0);
        if (child == 0) {
                const struct rlimit no_core = { 0, 0 };
                (void)setrlimit(RLIMIT_CORE, &no_core);
                (void)signal(SIGABRT, SIG_DFL);
                const verdict found = judge_here(place, head);
                _exit(write(ends[1], &found, sizeof found) == (ssize_t)sizeof found ? 0 : 1);
        }
        (void)close(ends[1]);
        verdict found;
        if (read(ends[0], &found, sizeof found) == (ssize_t)sizeof found) {
                v = found;
        }
        (void)close(ends[0]);
        int status = 0;
        DOOR_REQUIRE(waitpid(child, &status, 0) == child);
        if (WIFSIGNALED(status)) {
                v.outcome = WTERMSIG(status) == SIGABRT ? DIED : 0;
                (void)snprintf(v.text, sizeof v.text, "died of signal %d", WTERMSIG(status));
        }
        return v;
}

static void conclude(matrix *m, const char *damage, unsigned expected)
{
        const verdict v = judge(&m->victim, m->head);
        const bool fine = ((unsigned)v.outcome & expected) != 0;

        m->cases++;
        m->faults += fine ? 0 : 1;
        (void)printf("%s %-7s %-44s -> %s\n", fine ? "  " : "!!", m->name, damage, v.text);
}

static void begin(matrix *m)
{
        store_place_copy(&m->log, &m->victim);
}

/* ---- Damages to one file ------------------------------------------------------------------ */

static size_t size_of(const char *file)
{
        struct stat st;
        DOOR_REQUIRE(stat(file, &st) == 0);
        return (size_t)st.st_size;
}

static void overwrite(const char *file, size_t at, const void *bytes, size_t len)
{
        const int fd = open(file, O_WRONLY | O_CLOEXEC);
        DOOR_REQUIRE(fd >= 0 && pwrite(fd, bytes, len, (off_t)at) == (ssize_t)len && close(fd) == 0);
}

static void flip_bit(const char *file, size_t at)
{
        uint8_t byte = 0;
        const int fd = open(file, O_RDWR | O_CLOEXEC);
        DOOR_REQUIRE(fd >= 0 && pread(fd, &byte, 1, (off_t)at) == 1);
        byte ^= 4;
        DOOR_REQUIRE(pwrite(fd, &byte, 1, (off_t)at) == 1 && close(fd) == 0);
}

static void zero(const char *file, size_t at)
{
        static const uint8_t zeros[ZEROED_BYTES];
        const size_t size = size_of(file);
        overwrite(file, at, zeros, size - at < ZEROED_BYTES ? size - at : ZEROED_BYTES);
}

static void shorten(const char *file, size_t by)
{
        const size_t size = size_of(file);
        DOOR_REQUIRE(truncate(file, (off_t)(size > by ? size - by : 0)) == 0);
}

static void swap_files(const char *a, const char *b)
{
        char aside[PATH_MAX];
        const int len = snprintf(aside, sizeof aside, "%s.aside", a);
        DOOR_REQUIRE(len > 0 && (size_t)len < sizeof aside);
        DOOR_REQUIRE(rename(a, aside) == 0 && rename(b, a) == 0 && rename(aside, b) == 0);
}

static const char *base_name(const char *file)
{
        return strrchr(file, '/') + 1;
}

/* The same file in the victim. */
static void in_victim(const matrix *m, const char *file, char out[PATH_MAX])
{
        folder_join(m->victim.db, base_name(file), out);
}

static void say(const matrix *m, char out[64], const char *file, const char *what)
{
        (void)m;
        (void)snprintf(out, 64, "%.22s: %.38s", base_name(file), what);
}

/* ---- WALs --------------------------------------------------------------------------------- */

/* Everything that can happen inside one file whose every byte matters. */
static void damage_wal(const char *file, void *context)
{
        matrix *m = context;
        char target[PATH_MAX];
        char label[64];
        const size_t len = strlen(file);

        if (len < 4 || strcmp(file + len - 4, ".log") != 0 || size_of(file) == 0) {
                return;
        }
        in_victim(m, file, target);
        const size_t size = size_of(file);
        const size_t places[] = { 0, 10, size / 10, size / 3, size / 2, size * 9 / 10, size - 1 };
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
                char what[40];
                begin(m);
                flip_bit(target, places[i]);
                (void)snprintf(what, sizeof what, "a bit flipped at %zu of %zu", places[i], size);
                say(m, label, file, what);
                conclude(m, label, REFUSED);
        }
        const size_t zeroed[] = { 0, size / 2, size > ZEROED_BYTES ? size - ZEROED_BYTES : 0 };
        for (size_t i = 0; i < 3; i++) {
                begin(m);
                zero(target, zeroed[i]);
                say(m, label, file,
                    i == 0   ? "4 KiB zeroed, front"
                    : i == 1 ? "4 KiB zeroed, middle"
                             : "4 KiB zeroed, end");
                conclude(m, label, REFUSED);
        }
        const size_t cuts[] = { 1, 100, size / 2, size - 1, size };
        for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
                char what[40];
                begin(m);
                shorten(target, cuts[i]);
                (void)snprintf(what, sizeof what, "cut short by %zu of %zu", cuts[i], size);
                say(m, label, file, what);
                conclude(m, label, REFUSED);
        }
        begin(m);
        DOOR_REQUIRE(unlink(target) == 0);
        say(m, label, file, "deleted");
        conclude(m, label, REFUSED);

        static const char noise[] = "what a torn write of a record nobody was told of may leave behind";
        begin(m);
        overwrite(target, size, noise, sizeof noise);
        say(m, label, file, "noise after its end");
        /* After the newest it is a torn write: benign. In an older one RocksDB loses its way. */
        conclude(m, label, EITHER);
}

static void damage_two_wals(matrix *m)
{
        char older[PATH_MAX];
        char newer[PATH_MAX];
        char older_there[PATH_MAX];
        char newer_there[PATH_MAX];

        DOOR_REQUIRE(folder_find(m->log.db, ".log", false, older) &&
                     folder_find(m->log.db, ".log", true, newer));
        DOOR_REQUIRE(strcmp(older, newer) != 0);
        in_victim(m, older, older_there);
        in_victim(m, newer, newer_there);
        begin(m);
        swap_files(older_there, newer_there);
        conclude(m, "older and newer WAL swapped", REFUSED | DIED);
        begin(m);
        file_copy(older, newer_there);
        conclude(m, "newer WAL overwritten by the older", REFUSED | DIED);
        begin(m);
        DOOR_REQUIRE(unlink(older_there) == 0 && unlink(newer_there) == 0);
        conclude(m, "both WALs deleted", REFUSED);
}

/* The file ends exactly where an earlier commit ended: RocksDB cannot tell it from a stop there. */
static void cut_at_a_commits_end(matrix *m)
{
        char wal[PATH_MAX];
        char former_wal[PATH_MAX];
        char there[PATH_MAX];

        DOOR_REQUIRE(folder_find(m->log.db, ".log", true, wal));
        folder_join(m->former.db, base_name(wal), former_wal);
        if (access(former_wal, F_OK) != 0) {
                return;
        }
        in_victim(m, wal, there);
        begin(m);
        DOOR_REQUIRE(truncate(there, (off_t)size_of(former_wal)) == 0);
        conclude(m, "newest WAL cut at a commit's end", REFUSED);
}

/* ---- Tables ------------------------------------------------------------------------------- */

static void damage_table(const char *file, void *context)
{
        matrix *m = context;
        char target[PATH_MAX];
        char label[64];
        const size_t len = strlen(file);

        if (len < 4 || strcmp(file + len - 4, ".sst") != 0) {
                return;
        }
        in_victim(m, file, target);
        const size_t size = size_of(file);
        const size_t places[] = { 0, 20, size / 8, size / 4, size / 2, size * 3 / 4, size - 20, size - 1 };
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
                char what[40];
                begin(m);
                flip_bit(target, places[i]);
                (void)snprintf(what, sizeof what, "a bit flipped at %zu of %zu", places[i], size);
                say(m, label, file, what);
                conclude(m, label, EITHER);
        }
        begin(m);
        zero(target, 0);
        say(m, label, file, "4 KiB zeroed, front");
        conclude(m, label, REFUSED);
        begin(m);
        shorten(target, size / 2);
        say(m, label, file, "cut in half");
        conclude(m, label, REFUSED);
        begin(m);
        DOOR_REQUIRE(unlink(target) == 0);
        say(m, label, file, "deleted");
        conclude(m, label, REFUSED);
}

static void damage_two_tables(matrix *m)
{
        char first[PATH_MAX];
        char last[PATH_MAX];

        begin(m);
        DOOR_REQUIRE(folder_find(m->victim.db, ".sst", false, first) &&
                     folder_find(m->victim.db, ".sst", true, last));
        DOOR_REQUIRE(strcmp(first, last) != 0);
        swap_files(first, last);
        conclude(m, "two tables swapped", REFUSED);
}

/* ---- Everything around them --------------------------------------------------------------- */

static void file_in(const matrix *m, const char *name, char out[PATH_MAX])
{
        folder_join(m->victim.db, name, out);
}

static void find_manifest(const matrix *m, char out[PATH_MAX])
{
        char current[PATH_MAX];
        char name[64] = { 0 };

        file_in(m, "CURRENT", current);
        FILE *file = fopen(current, "r");
        DOOR_REQUIRE(file != NULL && fgets(name, sizeof name, file) != NULL && fclose(file) == 0);
        name[strcspn(name, "\n")] = '\0';
        file_in(m, name, out);
}

static void damage_manifest(matrix *m)
{
        char path[PATH_MAX];
        char label[64];

        begin(m);
        find_manifest(m, path);
        const size_t size = size_of(path);
        const size_t places[] = { 0, 8, size / 4, size / 2, size * 3 / 4, size - 1 };
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
                begin(m);
                flip_bit(path, places[i]);
                (void)snprintf(label, sizeof label, "MANIFEST: a bit flipped at %zu of %zu", places[i], size);
                conclude(m, label, EITHER);
        }
        const size_t cuts[] = { 1, size / 4, size / 2, size };
        for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
                begin(m);
                shorten(path, cuts[i]);
                (void)snprintf(label, sizeof label, "MANIFEST: cut short by %zu of %zu", cuts[i], size);
                conclude(m, label, EITHER);
        }
        begin(m);
        DOOR_REQUIRE(unlink(path) == 0);
        conclude(m, "MANIFEST: deleted", REFUSED);
}

static void damage_small_files(matrix *m)
{
        char path[PATH_MAX];

        begin(m);
        file_in(m, "CURRENT", path);
        DOOR_REQUIRE(unlink(path) == 0);
        conclude(m, "CURRENT: deleted", REFUSED);
        begin(m);
        shorten(path, size_of(path));
        conclude(m, "CURRENT: empty", REFUSED);
        begin(m);
        overwrite(path, 0, "MANIFEST-999999\n", 16);
        conclude(m, "CURRENT: names another MANIFEST", REFUSED);
        begin(m);
        file_in(m, "IDENTITY", path);
        DOOR_REQUIRE(unlink(path) == 0);
        conclude(m, "IDENTITY: deleted", EITHER);
        begin(m);
        while (folder_find(m->victim.db, ".log", true, path)) {
                DOOR_REQUIRE(unlink(path) == 0);
        }
        conclude(m, "every WAL deleted", REFUSED);
}

static void damage_folder(matrix *m)
{
        begin(m);
        conclude(m, "none", WHOLE);
        begin(m);
        folder_remove(m->victim.db);
        conclude(m, "folder gone", REFUSED);
        begin(m);
        folder_remove(m->victim.db);
        DOOR_REQUIRE(mkdir(m->victim.db, 0700) == 0);
        conclude(m, "folder empty", REFUSED);
        begin(m);
        folder_copy(m->former.db, m->victim.db);
        conclude(m, "an older copy put back", REFUSED);
}

static void damage_anchor(matrix *m)
{
        begin(m);
        DOOR_REQUIRE(unlink(m->victim.anchor) == 0);
        conclude(m, "anchor: deleted", REFUSED);
        begin(m);
        flip_bit(m->victim.anchor, 30);
        conclude(m, "anchor: a bit flipped", REFUSED);
        begin(m);
        shorten(m->victim.anchor, 96);
        conclude(m, "anchor: empty", REFUSED);
        begin(m);
        file_copy(m->former.anchor, m->victim.anchor);
        conclude(m, "anchor: an older one put back", WHOLE);
}

/* ---- The matrix --------------------------------------------------------------------------- */

static void place_in(const char *base, const char *name, store_place *place)
{
        char path[PATH_MAX];

        folder_join(base, name, path);
        folder_remove(path);
        DOOR_REQUIRE(mkdir(path, 0700) == 0);
        store_place_at(place, path);
}

static matrix matrix_of(const char *base, const char *name)
{
        matrix m = { .name = name };

        place_in(base, "log", &m.log);
        place_in(base, "former", &m.former);
        place_in(base, "victim", &m.victim);
        return m;
}

/* Recovery that does not flush leaves the older WAL where it is, and a newer one begins. */
static const char keep_wals[] = "avoid_flush_during_recovery=true;";

/* The state as it was in the middle of the last process's life. */
static void remember_former(matrix *m)
{
        store_place_copy(&m->log, &m->former);
}

static void everything(matrix *m, uint64_t head)
{
        m->head = head;
        damage_folder(m);
        damage_anchor(m);
        damage_small_files(m);
        cut_at_a_commits_end(m);
        folder_each(m->log.db, damage_wal, m);
        damage_manifest(m);
}

static size_t one_wal(const char *base)
{
        matrix m = matrix_of(base, "wal");

        tell_and_die(&m.former, NULL, 100, 2);
        /* The same process's file at an earlier moment: told again, it is the same bytes. */
        tell_and_die(&m.log, NULL, 150, 2);
        DOOR_REQUIRE(folder_count(m.log.db, ".log") == 1 && folder_count(m.log.db, ".sst") == 0);
        everything(&m, 300);
        return m.faults;
}

static size_t two_wals(const char *base)
{
        matrix m = matrix_of(base, "wals");

        tell_and_die(&m.log, NULL, 80, 2);
        remember_former(&m);
        tell_and_die(&m.log, keep_wals, 80, 2);
        DOOR_REQUIRE(folder_count(m.log.db, ".log") == 2);
        everything(&m, 320);
        damage_two_wals(&m);
        return m.faults;
}

static size_t tables_and_wal(const char *base)
{
        matrix m = matrix_of(base, "tables");

        tell_and_die(&m.log, NULL, 80, 2);
        tell_and_die(&m.log, NULL, 40, 2);
        remember_former(&m);
        tell_and_die(&m.log, NULL, 40, 2);
        DOOR_REQUIRE(folder_count(m.log.db, ".sst") >= 5);
        everything(&m, 320);
        folder_each(m.log.db, damage_table, &m);
        damage_two_tables(&m);
        return m.faults;
}

int main(void)
{
        char base[PATH_MAX];

        folder_temporary(base);
        const size_t faults = one_wal(base) + two_wals(base) + tables_and_wal(base);
        folder_remove(base);
        (void)printf("%zu silent or unnamed outcomes\n", faults);
        return faults == 0 ? 0 : 1;
}
