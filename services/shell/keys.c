/*
 * keys.c - making, keeping and reading CURVE keys.
 *
 * A secret is first written whole to "<name>.secret.new", synced, and then given its name by
 * link(2), which fails where the name exists: no crash leaves half a secret and no second run
 * replaces one.
 */
#include "shell/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>
#include <zmq.h>

#include "shell/peers.h"

enum { PATH_BYTES_MAX = 1024, NAMES_MAX = 16 };

static const char z85_characters[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

bool door_key_equal(const door_key *a, const door_key *b)
{
        return sodium_memcmp(a->bytes, b->bytes, DOOR_KEY_BYTES) == 0;
}

void door_key_print(const door_key *key, char out[DOOR_KEY_TEXT_BYTES])
{
        DOOR_REQUIRE(zmq_z85_encode(out, key->bytes, DOOR_KEY_BYTES) != NULL);
}

/* 32 bytes from 40 characters. */
static door_status z85_parse(door_bytes text, uint8_t out[DOOR_KEY_BYTES])
{
        char copy[DOOR_KEY_TEXT_BYTES];
        char again[DOOR_KEY_TEXT_BYTES];
        door_status status = DOOR_OK;

        if (text.len != DOOR_KEY_TEXT_BYTES - 1) {
                return DOOR_MALFORMED;
        }
        for (size_t i = 0; i < text.len; i++) {
                if (text.data[i] == 0 || strchr(z85_characters, text.data[i]) == NULL) {
                        return DOOR_MALFORMED;
                }
        }
        memcpy(copy, text.data, text.len);
        copy[text.len] = '\0';
        /* Five characters can say more than four bytes hold; only what encodes back to itself is a key. */
        if (zmq_z85_decode(out, copy) == NULL || zmq_z85_encode(again, out, DOOR_KEY_BYTES) == NULL ||
            memcmp(copy, again, sizeof copy) != 0) {
                status = DOOR_MALFORMED;
        }
        sodium_memzero(copy, sizeof copy);
        sodium_memzero(again, sizeof again);
        return status;
}

door_status door_key_parse(door_bytes text, door_key *ret_key)
{
        door_key key;
        const door_status status = z85_parse(text, key.bytes);

        if (status == DOOR_OK) {
                *ret_key = key;
        }
        return status;
}

bool door_name_is_valid(door_bytes name)
{
        if (name.len == 0 || name.len >= DOOR_NAME_BYTES_MAX || name.data[0] < 'a' || name.data[0] > 'z') {
                return false;
        }
        for (size_t i = 0; i < name.len; i++) {
                const uint8_t c = name.data[i];

                if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-') {
                        return false;
                }
        }
        return true;
}

/* Fills a pair from its secret. */
static void keypair_of(const uint8_t secret[DOOR_KEY_BYTES], door_keypair *ret_pair)
{
        /* Locking fails under a small RLIMIT_MEMLOCK: the secret is then only wiped, not kept from swap. */
        (void)sodium_mlock(ret_pair->secret, DOOR_KEY_BYTES);
        memcpy(ret_pair->secret, secret, DOOR_KEY_BYTES);
        DOOR_REQUIRE(crypto_scalarmult_curve25519_base(ret_pair->public_key.bytes, ret_pair->secret) == 0);
}

void door_keypair_make(door_keypair *ret_pair)
{
        uint8_t secret[DOOR_KEY_BYTES];

        randombytes_buf(secret, sizeof secret);
        keypair_of(secret, ret_pair);
        sodium_memzero(secret, sizeof secret);
}

void door_keypair_done(door_keypair *pair)
{
        if (pair != NULL) {
                /* munlock wipes, too. */
                (void)sodium_munlock(pair->secret, DOOR_KEY_BYTES);
                sodium_memzero(pair, sizeof *pair);
        }
}

/* "<home>/keys/<name><suffix>" */
static door_status secret_path(const char *home, const char *name, const char *suffix,
                               char out[PATH_BYTES_MAX], door_error *reterr_error)
{
        const int length = snprintf(out, PATH_BYTES_MAX, "%s/keys/%s%s", home, name, suffix);

        if (length < 0 || length >= PATH_BYTES_MAX) {
                return door_error_set(reterr_error, DOOR_INVALID, "the path of the keys folder is too long");
        }
        return DOOR_OK;
}

/* Reads at most cap bytes; a longer file is as wrong as a shorter one. */
static door_status secret_read(int fd, const char *path, door_keypair *ret_pair, door_error *reterr_error)
{
        uint8_t text[DOOR_KEY_TEXT_BYTES + 1];
        uint8_t secret[DOOR_KEY_BYTES];
        size_t length = 0;
        door_status status = DOOR_OK;

        while (length < sizeof text) {
                const ssize_t got = read(fd, text + length, sizeof text - length);

                if (got < 0 && errno == EINTR) {
                        continue;
                }
                if (got < 0) {
                        status = door_error_set(reterr_error, DOOR_IO, "%s: %s", path, strerror(errno));
                        goto out;
                }
                if (got == 0) {
                        break;
                }
                length += (size_t)got;
        }
        if (length > 0 && text[length - 1] == '\n') {
                length--;
        }
        status = z85_parse((door_bytes){ text, length }, secret);
        if (status != DOOR_OK) {
                (void)door_error_set(reterr_error, status, "%s: is not 40 characters of Z85", path);
                goto out;
        }
        keypair_of(secret, ret_pair);
out:
        sodium_memzero(text, sizeof text);
        sodium_memzero(secret, sizeof secret);
        return status;
}

door_status door_keypair_load(const char *home, const char *name, door_keypair *ret_pair,
                              door_error *reterr_error)
{
        char path[PATH_BYTES_MAX];
        struct stat about;
        int fd = -1;

        DOOR_REQUIRE(door_name_is_valid(door_bytes_of(name)));
        door_status status = secret_path(home, name, ".secret", path, reterr_error);
        if (status != DOOR_OK) {
                return status;
        }
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
                status = errno == ENOENT ? DOOR_NOT_FOUND : errno == EACCES ? DOOR_DENIED : DOOR_IO;
                return door_error_set(reterr_error, status, "%s: %s", path, strerror(errno));
        }
        if (fstat(fd, &about) != 0) {
                status = door_error_set(reterr_error, DOOR_IO, "%s: %s", path, strerror(errno));
                goto out;
        }
        if (!S_ISREG(about.st_mode)) {
                status = door_error_set(reterr_error, DOOR_DENIED, "%s: is not a file", path);
                goto out;
        }
        if ((about.st_mode & 077) != 0) {
                status = door_error_set(reterr_error, DOOR_DENIED,
                                        "%s: others may use it (mode %04o): chmod 0400 it, and make new keys "
                                        "if anybody could have read it",
                                        path, (unsigned)(about.st_mode & 07777));
                goto out;
        }
        if (about.st_uid != geteuid() && about.st_uid != 0) {
                status = door_error_set(reterr_error, DOOR_DENIED, "%s: belongs to another user", path);
                goto out;
        }
        status = secret_read(fd, path, ret_pair, reterr_error);
out:
        (void)close(fd);
        return status;
}

static door_status folder_sync(const char *path, door_error *reterr_error)
{
        const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const bool synced = fd >= 0 && fsync(fd) == 0;
        const int reason = errno;

        if (fd >= 0) {
                (void)close(fd);
        }
        return synced ? DOOR_OK : door_error_set(reterr_error, DOOR_IO, "%s: %s", path, strerror(reason));
}

/* Text to a new file, durably; DOOR_CONFLICT when path exists. "<path>.new" is ours. */
static door_status file_make(const char *path, mode_t mode, door_bytes text, door_error *reterr_error)
{
        char before[PATH_BYTES_MAX + 8];
        door_status status = DOOR_OK;
        size_t written = 0;
        int fd = -1;

        (void)snprintf(before, sizeof before, "%s.new", path);
        (void)unlink(before);
        fd = open(before, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (fd < 0) {
                return door_error_set(reterr_error, DOOR_IO, "%s: %s", before, strerror(errno));
        }
        while (written < text.len) {
                const ssize_t put = write(fd, text.data + written, text.len - written);

                if (put < 0 && errno == EINTR) {
                        continue;
                }
                if (put <= 0) {
                        status = door_error_set(reterr_error, DOOR_IO, "%s: %s", before, strerror(errno));
                        goto out;
                }
                written += (size_t)put;
        }
        /* fchmod, because the umask may have taken bits away from a file others must read. */
        if (fchmod(fd, mode) != 0 || fsync(fd) != 0) {
                status = door_error_set(reterr_error, DOOR_IO, "%s: %s", before, strerror(errno));
                goto out;
        }
        if (link(before, path) != 0) {
                status = door_error_set(reterr_error, errno == EEXIST ? DOOR_CONFLICT : DOOR_IO, "%s: %s",
                                        path, strerror(errno));
        }
out:
        (void)close(fd);
        (void)unlink(before);
        return status;
}

static door_status folder_make(const char *home, const char *name, door_error *reterr_error)
{
        char path[PATH_BYTES_MAX];
        const int length = snprintf(path, sizeof path, "%s%s%s", home, name[0] == '\0' ? "" : "/", name);

        if (length < 0 || length >= PATH_BYTES_MAX) {
                return door_error_set(reterr_error, DOOR_INVALID, "the path of the home folder is too long");
        }
        if (mkdir(path, 0700) != 0 && errno != EEXIST) {
                return door_error_set(reterr_error, DOOR_IO, "%s: %s", path, strerror(errno));
        }
        return DOOR_OK;
}

static door_status secret_write(const char *home, const char *name, const door_keypair *pair,
                                door_error *reterr_error)
{
        char path[PATH_BYTES_MAX];
        char text[DOOR_KEY_TEXT_BYTES + 1];
        door_status status = secret_path(home, name, ".secret", path, reterr_error);

        if (status != DOOR_OK) {
                return status;
        }
        DOOR_REQUIRE(zmq_z85_encode(text, pair->secret, DOOR_KEY_BYTES) != NULL);
        text[DOOR_KEY_TEXT_BYTES - 1] = '\n';
        status = file_make(path, 0400, (door_bytes){ (const uint8_t *)text, DOOR_KEY_TEXT_BYTES },
                           reterr_error);
        sodium_memzero(text, sizeof text);
        return status;
}

/* Does the peers.yaml that is there name this peer with this key? */
static door_status pair_fits(const door_peers *peers, const char *name, const door_keypair *pair,
                             door_error *reterr_error)
{
        const door_peer_place *place = door_peers_place(peers, name);

        for (size_t i = 0; place != NULL && i < place->keys_count; i++) {
                if (door_key_equal(&place->keys[i], &pair->public_key)) {
                        return DOOR_OK;
                }
        }
        return door_error_set(reterr_error, DOOR_CONFLICT,
                              "peers.yaml does not name the key of keys/%s.secret: put it there, or take the "
                              "wrong one of the two away",
                              name);
}

/* Loads the pairs that are there and makes the others, in memory. */
static door_status pairs_gather(const char *home, const door_peers *peers, door_keypair *pairs, bool *fresh,
                                size_t count, door_error *reterr_error)
{
        for (size_t i = 0; i < count; i++) {
                const char *name = door_peers_default_name(i);
                door_status status = door_keypair_load(home, name, &pairs[i], reterr_error);

                if (status == DOOR_NOT_FOUND && peers != NULL) {
                        return door_error_set(
                                reterr_error, DOOR_CONFLICT,
                                "peers.yaml exists but keys/%s.secret does not: bring the secret back, "
                                "or move peers.yaml away to begin anew",
                                name);
                }
                if (status == DOOR_NOT_FOUND) {
                        door_keypair_make(&pairs[i]);
                        fresh[i] = true;
                        continue;
                }
                if (status == DOOR_OK && peers != NULL) {
                        status = pair_fits(peers, name, &pairs[i], reterr_error);
                }
                if (status != DOOR_OK) {
                        return status;
                }
        }
        return DOOR_OK;
}

static door_status peers_make(const char *home, uint16_t tcp_port, const char *path,
                              const door_keypair *pairs, size_t count, door_error *reterr_error)
{
        door_key keys[NAMES_MAX];
        char *text = NULL;

        for (size_t i = 0; i < count; i++) {
                keys[i] = pairs[i].public_key;
        }
        door_status status = door_peers_write_default(home, tcp_port, keys, count, &text, reterr_error);
        if (status == DOOR_OK) {
                status = file_make(path, 0644, door_bytes_of(text), reterr_error);
        }
        free(text);
        return status;
}

door_status door_keys_init(const char *home, uint16_t tcp_port, door_keys_made *ret_made,
                           door_error *reterr_error)
{
        door_keypair pairs[NAMES_MAX];
        bool fresh[NAMES_MAX] = { false };
        char peers_path[PATH_BYTES_MAX];
        char keys_path[PATH_BYTES_MAX];
        door_peers *peers = NULL;
        door_keys_made made = { 0 };
        size_t count = 0;

        memset(pairs, 0, sizeof pairs);
        while (door_peers_default_name(count) != NULL) {
                count++;
        }
        DOOR_REQUIRE(count <= NAMES_MAX);

        door_status status = folder_make(home, "", reterr_error);
        if (status == DOOR_OK) {
                status = folder_make(home, "keys", reterr_error);
        }
        if (status == DOOR_OK) {
                status = folder_make(home, "run", reterr_error);
        }
        if (status == DOOR_OK) {
                status = folder_make(home, "state", reterr_error);
        }
        if (status != DOOR_OK) {
                goto out;
        }
        (void)snprintf(peers_path, sizeof peers_path, "%s/peers.yaml", home);
        (void)snprintf(keys_path, sizeof keys_path, "%s/keys", home);
        if (access(peers_path, F_OK) == 0) {
                status = door_peers_load(peers_path, &peers, reterr_error);
                if (status != DOOR_OK) {
                        goto out;
                }
        }
        status = pairs_gather(home, peers, pairs, fresh, count, reterr_error);
        if (status != DOOR_OK) {
                goto out;
        }
        for (size_t i = 0; i < count; i++) {
                if (!fresh[i]) {
                        made.kept++;
                        continue;
                }
                status = secret_write(home, door_peers_default_name(i), &pairs[i], reterr_error);
                if (status != DOOR_OK) {
                        goto out;
                }
                made.made++;
        }
        status = folder_sync(keys_path, reterr_error);
        if (status == DOOR_OK && peers == NULL) {
                status = peers_make(home, tcp_port, peers_path, pairs, count, reterr_error);
                made.peers_made = status == DOOR_OK;
        }
        if (status == DOOR_OK) {
                status = folder_sync(home, reterr_error);
        }
        if (status == DOOR_OK) {
                *ret_made = made;
        }
out:
        for (size_t i = 0; i < count; i++) {
                door_keypair_done(&pairs[i]);
        }
        (void)door_peers_free(peers);
        return status;
}
