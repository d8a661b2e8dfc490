/*
 * test_keys.c - identities on disk: made once, whole, ours alone.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "shell/keys.h"
#include "shell/peers.h"

typedef struct home {
        char path[64];
} home;

static int home_set_up(void **state)
{
        home *h = calloc(1, sizeof *h);

        DOOR_REQUIRE(h != NULL);
        (void)snprintf(h->path, sizeof h->path, "/tmp/door-keys-XXXXXX");
        DOOR_REQUIRE(mkdtemp(h->path) != NULL);
        *state = h;
        return 0;
}

static void path_of(const home *h, const char *name, char out[256])
{
        (void)snprintf(out, 256, "%s/%s", h->path, name);
}

static int home_tear_down(void **state)
{
        static const char *const others[] = { "peers.yaml", "keys/other.secret", "keys", "run", "state" };
        home *h = *state;
        char path[256];

        for (size_t i = 0; door_peers_default_name(i) != NULL; i++) {
                char name[128];

                (void)snprintf(name, sizeof name, "keys/%s.secret", door_peers_default_name(i));
                path_of(h, name, path);
                (void)unlink(path);
        }
        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
                path_of(h, others[i], path);
                (void)remove(path);
        }
        /* Nothing else was left behind: no half-written file. */
        const int removed = rmdir(h->path);
        free(h);
        return removed;
}

static void file_put(const home *h, const char *name, const char *text, mode_t mode)
{
        char path[256];
        path_of(h, name, path);
        (void)unlink(path);
        const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        assert_int_equal(fchmod(fd, mode), 0);
        (void)close(fd);
}

static size_t file_get(const home *h, const char *name, char *out, size_t cap)
{
        char path[256];
        path_of(h, name, path);
        FILE *file = fopen(path, "r");

        assert_non_null(file);
        const size_t length = fread(out, 1, cap - 1, file);
        out[length] = '\0';
        (void)fclose(file);
        return length;
}

static mode_t mode_of(const home *h, const char *name)
{
        char path[256];
        struct stat about;

        path_of(h, name, path);
        assert_int_equal(stat(path, &about), 0);
        return about.st_mode & 07777;
}

static door_keys_made init(const home *h)
{
        door_keys_made made = { 0 };
        door_error error = { 0 };

        if (door_keys_init(h->path, 0, &made, &error) != DOOR_OK) {
                fail_msg("%s", error.text);
        }
        return made;
}

static void keys_init_makes_seven_secrets_only_we_can_read(void **state)
{
        static const char *const names[] = { "intake",       "deduplication", "triage", "allocation",
                                             "notification", "gateway",       "command" };
        const home *h = *state;
        const mode_t before = umask(0);
        const door_keys_made made = init(h);
        char text[256];
        char name[64];
        door_peers *peers = NULL;

        (void)umask(before);
        assert_int_equal(made.made, 7);
        assert_int_equal(made.kept, 0);
        assert_true(made.peers_made);
        assert_int_equal(mode_of(h, "keys"), 0700);
        assert_int_equal(mode_of(h, "run"), 0700);
        assert_int_equal(mode_of(h, "state"), 0700);
        assert_int_equal(mode_of(h, "peers.yaml"), 0644);
        path_of(h, "peers.yaml", text);
        assert_int_equal(door_peers_load(text, &peers, NULL), DOOR_OK);
        for (size_t i = 0; i < 7; i++) {
                door_keypair pair;

                assert_string_equal(door_peers_default_name(i), names[i]);
                (void)snprintf(name, sizeof name, "keys/%s.secret", names[i]);
                assert_int_equal(mode_of(h, name), 0400);
                assert_int_equal(file_get(h, name, text, sizeof text), 41);
                assert_int_equal(text[40], '\n');
                assert_int_equal(door_keypair_load(h->path, names[i], &pair, NULL), DOOR_OK);
                /* The public key in peers.yaml is the one of this secret. */
                const door_peer_place *place = door_peers_place(peers, names[i]);
                assert_non_null(place);
                assert_int_equal(place->keys_count, 1);
                assert_true(door_key_equal(&place->keys[0], &pair.public_key));
                door_keypair_done(&pair);
        }
        assert_null(door_peers_default_name(7));
        (void)door_peers_free(peers);
}

static void a_second_keys_init_changes_nothing(void **state)
{
        const home *h = *state;
        char before[8192];
        char after[8192];
        char secret_before[64];
        char secret_after[64];

        (void)init(h);
        (void)file_get(h, "peers.yaml", before, sizeof before);
        (void)file_get(h, "keys/triage.secret", secret_before, sizeof secret_before);
        const door_keys_made made = init(h);
        assert_int_equal(made.made, 0);
        assert_int_equal(made.kept, 7);
        assert_false(made.peers_made);
        (void)file_get(h, "peers.yaml", after, sizeof after);
        (void)file_get(h, "keys/triage.secret", secret_after, sizeof secret_after);
        assert_string_equal(before, after);
        assert_string_equal(secret_before, secret_after);
}

static void a_keys_init_that_was_cut_short_is_completed(void **state)
{
        const home *h = *state;
        char path[256];
        char kept[64];
        char after[64];

        (void)init(h);
        path_of(h, "peers.yaml", path);
        assert_int_equal(unlink(path), 0);
        path_of(h, "keys/command.secret", path);
        assert_int_equal(unlink(path), 0);
        (void)file_get(h, "keys/intake.secret", kept, sizeof kept);
        const door_keys_made made = init(h);
        assert_int_equal(made.made, 1);
        assert_int_equal(made.kept, 6);
        assert_true(made.peers_made);
        (void)file_get(h, "keys/intake.secret", after, sizeof after);
        assert_string_equal(kept, after);
        assert_int_equal(init(h).kept, 7);
}

static void a_lost_secret_is_not_replaced_behind_peers_yaml(void **state)
{
        const home *h = *state;
        char path[256];
        door_keys_made made = { 99, 99, true };
        door_error error = { 0 };

        (void)init(h);
        path_of(h, "keys/triage.secret", path);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(door_keys_init(h->path, 0, &made, &error), DOOR_CONFLICT);
        assert_non_null(strstr(error.text, "keys/triage.secret"));
        assert_int_equal(access(path, F_OK), -1);
        assert_int_equal(made.made, 99);

        /* And neither is one exchanged for another. */
        door_keypair pair;
        door_keypair_make(&pair);
        char text[DOOR_KEY_TEXT_BYTES];
        door_key secret;
        memcpy(secret.bytes, pair.secret, DOOR_KEY_BYTES);
        door_key_print(&secret, text);
        file_put(h, "keys/triage.secret", text, 0400);
        assert_int_equal(door_keys_init(h->path, 0, &made, &error), DOOR_CONFLICT);
        assert_non_null(strstr(error.text, "keys/triage.secret"));
        door_keypair_done(&pair);
}

static void a_secret_that_others_may_use_is_refused(void **state)
{
        static const mode_t modes[] = { 0440, 0404, 0420, 0410, 0401, 0402, 0777 };
        static const mode_t fine[] = { 0400, 0600, 0500 };
        const home *h = *state;
        char path[256];
        door_keypair pair;
        door_error error = { 0 };

        (void)init(h);
        path_of(h, "keys/intake.secret", path);
        for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
                assert_int_equal(chmod(path, modes[i]), 0);
                assert_int_equal(door_keypair_load(h->path, "intake", &pair, &error), DOOR_DENIED);
                assert_non_null(strstr(error.text, "intake.secret"));
        }
        for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
                assert_int_equal(chmod(path, fine[i]), 0);
                assert_int_equal(door_keypair_load(h->path, "intake", &pair, &error), DOOR_OK);
                door_keypair_done(&pair);
        }
        assert_int_equal(door_keypair_load(h->path, "nobody", &pair, &error), DOOR_NOT_FOUND);
        path_of(h, "keys/other.secret", path);
        assert_int_equal(mkdir(path, 0700), 0);
        assert_int_equal(door_keypair_load(h->path, "other", &pair, &error), DOOR_DENIED);
        assert_int_equal(rmdir(path), 0);
        if (geteuid() == 0) {
                path_of(h, "keys/intake.secret", path);
                assert_int_equal(chown(path, 12345, 0), 0);
                /* Root may have it read by root's own programs only when it is root's. */
                assert_int_equal(door_keypair_load(h->path, "intake", &pair, &error), DOOR_DENIED);
        }
}

static void a_file_that_is_no_key_is_refused(void **state)
{
        static const char *const texts[] = {
                "",
                "\n",
                "short",
                "0123456789012345678901234567890123456789\n\n",
                "01234567890123456789012345678901234567890",
                "012345678901234567890123456789012345678~",
                "0123456789012345678901234567890123456\t89",
                "012345678901234567890123456789012345678 ",
                "#####0123456789012345678901234567890####",
        };
        const home *h = *state;
        door_keypair pair;
        door_error error = { 0 };

        (void)init(h);
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
                file_put(h, "keys/gateway.secret", texts[i], 0400);
                assert_int_equal(door_keypair_load(h->path, "gateway", &pair, &error), DOOR_MALFORMED);
                /* Never what is in it. */
                assert_true(texts[i][0] < ' ' || strstr(error.text, texts[i]) == NULL);
        }
        file_put(h, "keys/gateway.secret", "0123456789012345678901234567890123456789", 0400);
        assert_int_equal(door_keypair_load(h->path, "gateway", &pair, &error), DOOR_OK);
        door_keypair_done(&pair);
        file_put(h, "keys/gateway.secret", "0123456789012345678901234567890123456789\n", 0400);
        assert_int_equal(door_keypair_load(h->path, "gateway", &pair, &error), DOOR_OK);
        door_keypair_done(&pair);
}

static void a_pair_is_wiped_when_done_with(void **state)
{
        door_keypair pair;
        const door_keypair zero = { 0 };

        (void)state;
        door_keypair_make(&pair);
        assert_memory_not_equal(&pair.secret, &zero.secret, DOOR_KEY_BYTES);
        assert_memory_not_equal(&pair.public_key, &zero.public_key, DOOR_KEY_BYTES);
        door_keypair_done(&pair);
        assert_memory_equal(&pair, &zero, sizeof pair);
        door_keypair_done(NULL);
}

static void keys_are_written_as_z85_and_read_back(void **state)
{
        /* The example pair of RFC 32 / zmq_curve(7). */
        const char *public_text = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
        door_key key;
        door_key other;
        char text[DOOR_KEY_TEXT_BYTES];

        (void)state;
        assert_int_equal(door_key_parse(door_bytes_of(public_text), &key), DOOR_OK);
        assert_int_equal(key.bytes[0], 0xbb);
        door_key_print(&key, text);
        assert_string_equal(text, public_text);
        other = key;
        assert_true(door_key_equal(&key, &other));
        other.bytes[31] ^= 1;
        assert_false(door_key_equal(&key, &other));
        other = key;
        other.bytes[0] ^= 1;
        assert_false(door_key_equal(&key, &other));
        assert_int_equal(door_key_parse((door_bytes){ (const uint8_t *)public_text, 39 }, &key),
                         DOOR_MALFORMED);
}

static void the_public_key_is_the_one_of_the_secret(void **state)
{
        const home *h = *state;
        const char *const secret_text = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";
        const char *const public_text = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
        door_keypair pair;
        char text[DOOR_KEY_TEXT_BYTES];

        (void)init(h);
        file_put(h, "keys/gateway.secret", secret_text, 0400);
        assert_int_equal(door_keypair_load(h->path, "gateway", &pair, NULL), DOOR_OK);
        door_key_print(&pair.public_key, text);
        assert_string_equal(text, public_text);
        door_keypair_done(&pair);
}

static void names_are_lower_case_words(void **state)
{
        static const char *const good[] = { "a", "intake", "team-7", "x0-" };
        static const char *const bad[] = { "",    "Intake", "7team", "-a",         "a.b",
                                           "a/b", "../a",   "a b",   "caf\xc3\xa9" };
        char longest[DOOR_NAME_BYTES_MAX + 1];

        (void)state;
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
                assert_true(door_name_is_valid(door_bytes_of(good[i])));
        }
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                assert_false(door_name_is_valid(door_bytes_of(bad[i])));
        }
        memset(longest, 'a', sizeof longest);
        longest[DOOR_NAME_BYTES_MAX - 1] = '\0';
        assert_true(door_name_is_valid(door_bytes_of(longest)));
        longest[DOOR_NAME_BYTES_MAX - 1] = 'a';
        longest[DOOR_NAME_BYTES_MAX] = '\0';
        assert_false(door_name_is_valid(door_bytes_of(longest)));
}

static void a_home_whose_sockets_would_be_too_long_is_refused_before_anything_is_named(void **state)
{
        const home *h = *state;
        char deep[256];
        door_keys_made made;
        door_error error = { 0 };

        (void)snprintf(deep, sizeof deep, "%s/%080d", h->path, 0);
        assert_int_equal(door_keys_init(deep, 0, &made, &error), DOOR_INVALID);
        assert_non_null(strstr(error.text, "the system allows 107"));
        for (size_t i = 0; door_peers_default_name(i) != NULL; i++) {
                char path[512];

                (void)snprintf(path, sizeof path, "%s/keys/%s.secret", deep, door_peers_default_name(i));
                (void)unlink(path);
        }
        static const char *const left[] = { "/keys", "/run", "/state", "" };
        for (size_t i = 0; i < 4; i++) {
                char path[512];

                (void)snprintf(path, sizeof path, "%s%s", deep, left[i]);
                assert_int_equal(rmdir(path), 0);
        }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, home_set_up, home_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(keys_init_makes_seven_secrets_only_we_can_read),
                TEST(a_second_keys_init_changes_nothing),
                TEST(a_keys_init_that_was_cut_short_is_completed),
                TEST(a_lost_secret_is_not_replaced_behind_peers_yaml),
                TEST(a_secret_that_others_may_use_is_refused),
                TEST(a_file_that_is_no_key_is_refused),
                TEST(the_public_key_is_the_one_of_the_secret),
                TEST(a_home_whose_sockets_would_be_too_long_is_refused_before_anything_is_named),
                cmocka_unit_test(a_pair_is_wiped_when_done_with),
                cmocka_unit_test(keys_are_written_as_z85_and_read_back),
                cmocka_unit_test(names_are_lower_case_words),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
