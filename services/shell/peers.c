/*
 * peers.c - peers.yaml into structs, with an error a person can act on for every mistake.
 *
 * libcyaml checks the shape (unknown, repeated or misplaced keys; it names the line). Everything
 * else is read as text and judged here, because here the peer's name is known. Anchors and
 * aliases are refused: a rights file must mean what each of its lines says.
 */
#include "shell/peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cyaml/cyaml.h>

/* ---- The file as libcyaml fills it. */

typedef struct file_may {
        char *at;
        char **verbs;
        uint32_t verbs_count;
        char **rights;
        uint32_t rights_count;
        char *log;
        char *settles;
        char *speaks_for;
} file_may;

typedef struct file_endpoints {
        char *pull;
        char *command;
} file_endpoints;

typedef struct file_peer {
        char *name;
        char **keys;
        uint32_t keys_count;
        file_endpoints *endpoints;
        file_may *may;
        uint32_t may_count;
} file_peer;

typedef struct file_peers {
        uint32_t *version;
        file_peer *peers;
        uint32_t peers_count;
} file_peers;

static const cyaml_schema_value_t schema_text = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0,
                                                                     CYAML_UNLIMITED) };

static const cyaml_schema_field_t schema_may_fields[] = {
        CYAML_FIELD_STRING_PTR("at", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, file_may, at, 0,
                               CYAML_UNLIMITED),
        CYAML_FIELD_SEQUENCE("verbs", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, file_may, verbs, &schema_text,
                             0, CYAML_UNLIMITED),
        CYAML_FIELD_SEQUENCE("rights", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, file_may, rights,
                             &schema_text, 0, CYAML_UNLIMITED),
        CYAML_FIELD_STRING_PTR("log", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, file_may, log, 0,
                               CYAML_UNLIMITED),
        /* Not a bool: libcyaml takes every word it does not know for true. */
        CYAML_FIELD_STRING_PTR("settles", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, file_may, settles, 0,
                               CYAML_UNLIMITED),
        CYAML_FIELD_STRING_PTR("speaks_for", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, file_may, speaks_for,
                               0, CYAML_UNLIMITED),
        CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema_may = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, file_may,
                                                                     schema_may_fields) };

static const cyaml_schema_field_t schema_endpoints_fields[] = {
        CYAML_FIELD_STRING_PTR("pull", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, file_endpoints, pull, 0,
                               CYAML_UNLIMITED),
        CYAML_FIELD_STRING_PTR("command", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, file_endpoints, command,
                               0, CYAML_UNLIMITED),
        CYAML_FIELD_END,
};

static const cyaml_schema_field_t schema_peer_fields[] = {
        CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, file_peer, name, 0,
                               CYAML_UNLIMITED),
        CYAML_FIELD_SEQUENCE("keys", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, file_peer, keys, &schema_text,
                             0, CYAML_UNLIMITED),
        CYAML_FIELD_MAPPING_PTR("endpoints", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, file_peer, endpoints,
                                schema_endpoints_fields),
        CYAML_FIELD_SEQUENCE("may", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, file_peer, may, &schema_may, 0,
                             CYAML_UNLIMITED),
        CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema_peer = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, file_peer,
                                                                      schema_peer_fields) };

static const cyaml_schema_field_t schema_file_fields[] = {
        CYAML_FIELD_UINT_PTR("version", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, file_peers, version),
        CYAML_FIELD_SEQUENCE("peers", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, file_peers, peers,
                             &schema_peer, 0, CYAML_UNLIMITED),
        CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema_file = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, file_peers,
                                                                      schema_file_fields) };

/* ---- What it becomes. */

typedef struct allowed {
        char at[DOOR_NAME_BYTES_MAX];
        door_peer peer;
} allowed;

typedef struct entry {
        door_peer_place place;
        size_t may_count;
        allowed may[DOOR_PEERS_MAX];
} entry;

struct door_peers {
        size_t count;
        entry entries[DOOR_PEERS_MAX];
};

/* Where an error is, so that every check below is one line. */
typedef struct reading {
        const char *file;
        const char *peer; /* NULL above the peers. */
        door_error *error;
} reading;

static door_status wrong(const reading *at, const char *format, ...) __attribute__((format(printf, 2, 3)));

static door_status wrong(const reading *at, const char *format, ...)
{
        char text[160];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        if (at->peer == NULL) {
                return door_error_set(at->error, DOOR_INVALID, "%s: %s", at->file, text);
        }
        return door_error_set(at->error, DOOR_INVALID, "%s: peer %.64s: %s", at->file, at->peer, text);
}

door_status door_endpoint_check(const char *endpoint, door_error *reterr_error)
{
        static const char ipc[] = "ipc://";
        static const char tcp[] = "tcp://";

        if (strlen(endpoint) >= DOOR_ENDPOINT_BYTES_MAX) {
                return door_error_set(reterr_error, DOOR_INVALID, "the endpoint is longer than %d bytes",
                                      DOOR_ENDPOINT_BYTES_MAX - 1);
        }
        if (strncmp(endpoint, ipc, sizeof ipc - 1) == 0) {
                const char *path = endpoint + sizeof ipc - 1;

                /* '@' would be an abstract socket, which no file mode protects. */
                if (path[0] != '/') {
                        return door_error_set(reterr_error, DOOR_INVALID,
                                              "the socket path must begin with '/': %.100s", endpoint);
                }
                if (strlen(path) > DOOR_SOCKET_PATH_BYTES_MAX) {
                        return door_error_set(reterr_error, DOOR_INVALID,
                                              "the socket path has %zu bytes, the system allows %d: %.120s",
                                              strlen(path), DOOR_SOCKET_PATH_BYTES_MAX, path);
                }
                return DOOR_OK;
        }
        if (strncmp(endpoint, tcp, sizeof tcp - 1) == 0) {
                const char *host = endpoint + sizeof tcp - 1;
                const char *port = strrchr(host, ':');
                char *end = NULL;
                const long number = port == NULL ? 0 : strtol(port + 1, &end, 10);

                if (port == NULL || port == host || end == port + 1 || *end != '\0' || number < 1 ||
                    number > 65535) {
                        return door_error_set(reterr_error, DOOR_INVALID,
                                              "a tcp endpoint is tcp://host:port, not %.100s", endpoint);
                }
                return DOOR_OK;
        }
        return door_error_set(reterr_error, DOOR_INVALID,
                              "an endpoint begins with ipc:// or tcp://, not %.100s", endpoint);
}

void door_endpoint_to_bind(const char *endpoint, char ret_bind[DOOR_ENDPOINT_BYTES_MAX])
{
        static const char tcp[] = "tcp://";
        char host[DOOR_ENDPOINT_BYTES_MAX];
        struct in_addr address;

        DOOR_REQUIRE(door_endpoint_check(endpoint, NULL) == DOOR_OK);
        memcpy(ret_bind, endpoint, strlen(endpoint) + 1);
        if (strncmp(endpoint, tcp, sizeof tcp - 1) != 0) {
                return;
        }
        const char *port = strrchr(endpoint, ':') + 1;
        const size_t host_len = (size_t)(port - 1 - (endpoint + sizeof tcp - 1));
        memcpy(host, endpoint + sizeof tcp - 1, host_len);
        host[host_len] = '\0';
        /* '[': an IPv6 address; '*': every address already. */
        if (host[0] == '[' || host[0] == '*' || inet_pton(AF_INET, host, &address) == 1) {
                return;
        }
        (void)snprintf(ret_bind, DOOR_ENDPOINT_BYTES_MAX, "tcp://%s:%.5s",
                       strcmp(host, "localhost") == 0 ? "127.0.0.1" : "*", port);
}

static door_status text_copy(const reading *at, const char *field, const char *text, char *out, size_t cap)
{
        const size_t length = strlen(text);

        if (length >= cap) {
                return wrong(at, "%s is longer than %zu bytes", field, cap - 1);
        }
        memcpy(out, text, length + 1);
        return DOOR_OK;
}

typedef struct word {
        const char *text;
        uint32_t bit;
} word;

static const word verb_words[] = {
        { "pull", DOOR_VERB_PULL },
        { "command", DOOR_VERB_COMMAND },
        { "status", DOOR_VERB_STATUS },
        { "checkpoint", DOOR_VERB_CHECKPOINT },
};

static const word right_words[] = {
        { "submit", DOOR_RIGHT_SUBMIT },
        { "policy", DOOR_RIGHT_POLICY },
        { "import", DOOR_RIGHT_IMPORT },
        { "verify", DOOR_RIGHT_VERIFY },
};

enum { WORDS_COUNT = 4 };

static door_status words_read(const reading *at, const char *service, const char *field, char *const *texts,
                              size_t count, const word words[WORDS_COUNT], uint32_t *ret_bits)
{
        for (size_t i = 0; i < count; i++) {
                size_t w = 0;

                while (w < WORDS_COUNT && strcmp(words[w].text, texts[i]) != 0) {
                        w++;
                }
                if (w == WORDS_COUNT) {
                        return wrong(at, "may at %.40s: %s knows no '%.32s', only %s, %s, %s, %s", service,
                                     field, texts[i], words[0].text, words[1].text, words[2].text,
                                     words[3].text);
                }
                if ((*ret_bits & words[w].bit) != 0) {
                        return wrong(at, "may at %.40s: %s says '%s' twice", service, field, words[w].text);
                }
                *ret_bits |= words[w].bit;
        }
        return DOOR_OK;
}

static door_status log_read(const reading *at, const file_may *from, allowed *to)
{
        const bool pulls = (to->peer.verbs & DOOR_VERB_PULL) != 0;

        if (from->log == NULL) {
                return pulls ? wrong(at, "may at %s: verb pull needs log: headers or public", to->at)
                             : DOOR_OK;
        }
        if (!pulls) {
                return wrong(at, "may at %s: log is of no use without verb pull", to->at);
        }
        if (strcmp(from->log, "headers") == 0) {
                to->peer.form = DOOR_FORM_HEADERS;
        } else if (strcmp(from->log, "public") == 0) {
                to->peer.form = DOOR_FORM_PUBLIC;
        } else {
                return wrong(at, "may at %s: log is headers or public, not '%.32s'", to->at, from->log);
        }
        to->peer.may_read = true;
        return DOOR_OK;
}

static door_status may_read(const reading *at, const file_may *from, allowed *to)
{
        door_status status;

        if (from->at == NULL || from->at[0] == '\0') {
                return wrong(at, "an entry of may lacks at: the service's name");
        }
        status = text_copy(at, "may: at", from->at, to->at, sizeof to->at);
        if (status != DOOR_OK) {
                return status;
        }
        if (from->verbs_count == 0) {
                return wrong(at, "may at %s: verbs is missing or empty", to->at);
        }
        status = words_read(at, to->at, "verbs", from->verbs, from->verbs_count, verb_words, &to->peer.verbs);
        if (status != DOOR_OK) {
                return status;
        }
        status = words_read(at, to->at, "rights", from->rights, from->rights_count, right_words,
                            &to->peer.rights);
        if (status != DOOR_OK) {
                return status;
        }
        status = log_read(at, from, to);
        if (status != DOOR_OK) {
                return status;
        }
        to->peer.settles = from->settles != NULL && strcmp(from->settles, "true") == 0;
        if (from->settles != NULL && !to->peer.settles && strcmp(from->settles, "false") != 0) {
                return wrong(at, "may at %s: settles is true or false, not '%.32s'", to->at, from->settles);
        }
        if (to->peer.settles && !to->peer.may_read) {
                return wrong(at, "may at %s: settles is of no use without verb pull", to->at);
        }
        if ((to->peer.verbs & DOOR_VERB_COMMAND) != 0) {
                if (from->speaks_for == NULL || from->speaks_for[0] == '\0') {
                        return wrong(at, "may at %s: verb command needs speaks_for", to->at);
                }
                return text_copy(at, "may: speaks_for", from->speaks_for, to->peer.speaks_for,
                                 sizeof to->peer.speaks_for);
        }
        if (from->speaks_for != NULL || from->rights_count != 0) {
                return wrong(at, "may at %s: %s is of no use without verb command", to->at,
                             from->speaks_for != NULL ? "speaks_for" : "rights");
        }
        return DOOR_OK;
}

static door_status keys_read(const reading *at, const file_peer *from, door_peer_place *to)
{
        if (from->keys_count < 1 || from->keys_count > DOOR_PEER_KEYS_MAX) {
                return wrong(at, "keys must hold 1 or 2 public keys, it holds %u", from->keys_count);
        }
        for (size_t i = 0; i < from->keys_count; i++) {
                if (door_key_parse(door_bytes_of(from->keys[i]), &to->keys[i]) != DOOR_OK) {
                        return wrong(at, "keys[%zu] is not 40 characters of Z85", i);
                }
        }
        to->keys_count = from->keys_count;
        return DOOR_OK;
}

static door_status endpoint_read(const reading *at, const char *field, const char *text,
                                 char out[DOOR_ENDPOINT_BYTES_MAX])
{
        door_error detail = { 0 };

        if (text == NULL) {
                return DOOR_OK;
        }
        if (door_endpoint_check(text, &detail) != DOOR_OK) {
                return wrong(at, "endpoints.%s: %.130s", field, detail.text);
        }
        return text_copy(at, "endpoints", text, out, DOOR_ENDPOINT_BYTES_MAX);
}

static door_status peer_read(reading *at, const file_peer *from, size_t index, entry *to)
{
        door_status status;

        if (from->name == NULL || !door_name_is_valid(door_bytes_of(from->name))) {
                return wrong(at,
                             "peers[%zu]: name is missing or not made of a-z, 0-9 and '-' (a letter first, "
                             "%d characters at most): '%.32s'",
                             index, DOOR_NAME_BYTES_MAX - 1, from->name == NULL ? "" : from->name);
        }
        (void)snprintf(to->place.name, sizeof to->place.name, "%s", from->name);
        at->peer = to->place.name;
        status = keys_read(at, from, &to->place);
        if (status == DOOR_OK && from->endpoints != NULL) {
                status = endpoint_read(at, "pull", from->endpoints->pull, to->place.pull);
                if (status == DOOR_OK) {
                        status = endpoint_read(at, "command", from->endpoints->command, to->place.command);
                }
        }
        if (status != DOOR_OK) {
                return status;
        }
        if (from->may_count > DOOR_PEERS_MAX) {
                return wrong(at, "may has %u entries, %d at most", from->may_count, DOOR_PEERS_MAX);
        }
        for (size_t i = 0; i < from->may_count; i++) {
                status = may_read(at, &from->may[i], &to->may[i]);
                if (status != DOOR_OK) {
                        return status;
                }
                memcpy(to->may[i].peer.name, to->place.name, sizeof to->may[i].peer.name);
                to->may_count++;
        }
        return DOOR_OK;
}

static const entry *entry_find(const door_peers *peers, const char *name)
{
        for (size_t i = 0; i < peers->count; i++) {
                if (strcmp(peers->entries[i].place.name, name) == 0) {
                        return &peers->entries[i];
                }
        }
        return NULL;
}

/* One key, one name: otherwise the handshake could not say who it is. */
static bool key_is_taken(const door_peers *peers, const entry *except, const door_key *key,
                         const char **ret_by)
{
        for (size_t i = 0; i < peers->count; i++) {
                const door_peer_place *place = &peers->entries[i].place;

                for (size_t k = 0; &peers->entries[i] != except && k < place->keys_count; k++) {
                        if (door_key_equal(&place->keys[k], key)) {
                                *ret_by = place->name;
                                return true;
                        }
                }
        }
        return false;
}

/* What only the whole file can say. */
static door_status entry_check(reading *at, const door_peers *peers, const entry *e)
{
        const char *by = NULL;

        at->peer = e->place.name;
        if (entry_find(peers, e->place.name) != e) {
                return wrong(at, "name stands twice in the file");
        }
        for (size_t k = 0; k < e->place.keys_count; k++) {
                if (key_is_taken(peers, e, &e->place.keys[k], &by)) {
                        return wrong(at, "keys[%zu] is also a key of %s", k, by);
                }
        }
        if (e->place.keys_count == 2 && door_key_equal(&e->place.keys[0], &e->place.keys[1])) {
                return wrong(at, "keys[1] is the same as keys[0]");
        }
        for (size_t i = 0; i < e->may_count; i++) {
                const entry *service = entry_find(peers, e->may[i].at);

                if (service == NULL) {
                        return wrong(at, "may at %s: there is no peer of that name", e->may[i].at);
                }
                if (service == e) {
                        return wrong(at, "may at %s: that is itself", e->may[i].at);
                }
                if ((e->may[i].peer.verbs & DOOR_VERB_PULL) != 0 && service->place.pull[0] == '\0') {
                        return wrong(at, "may at %s: that peer has no endpoints.pull", e->may[i].at);
                }
                if ((e->may[i].peer.verbs & ~(uint32_t)DOOR_VERB_PULL) != 0 &&
                    service->place.command[0] == '\0') {
                        return wrong(at, "may at %s: that peer has no endpoints.command", e->may[i].at);
                }
                for (size_t j = 0; j < i; j++) {
                        if (strcmp(e->may[j].at, e->may[i].at) == 0) {
                                return wrong(at, "may at %s: stands twice", e->may[i].at);
                        }
                }
        }
        return DOOR_OK;
}

/* ---- libcyaml's own errors. */

typedef struct complaint {
        char what[120];
        unsigned line; /* 0: not said. */
} complaint;

static void complaint_note(cyaml_log_t level, void *context, const char *format, va_list arguments)
        __attribute__((format(printf, 3, 0)));

/* Keeps the first message and the first line of its backtrace: the innermost place. */
static void complaint_note(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
        complaint *c = context;
        char text[200];

        (void)level;
        (void)vsnprintf(text, sizeof text, format, arguments);
        text[strcspn(text, "\n")] = '\0';
        const char *line = strstr(text, "(line: ");
        if (c->line == 0 && line != NULL) {
                c->line = (unsigned)strtoul(line + strlen("(line: "), NULL, 10);
        } else if (c->what[0] == '\0' && strstr(text, "Backtrace") == NULL) {
                const char *what = strncmp(text, "Load: ", 6) == 0 ? text + 6 : text;
                (void)snprintf(c->what, sizeof c->what, "%.119s", what);
        }
}

/* The name on the nearest "name:" line at or above `line`: whose entry the mistake is in. */
static void name_before(door_bytes yaml, unsigned line, char out[DOOR_NAME_BYTES_MAX])
{
        size_t at = 0;

        out[0] = '\0';
        for (unsigned n = 1; n <= line && at < yaml.len; n++) {
                const uint8_t *begin = yaml.data + at;
                const uint8_t *end = memchr(begin, '\n', yaml.len - at);
                const size_t length = end == NULL ? yaml.len - at : (size_t)(end - begin);
                const uint8_t *found = memmem(begin, length, "name:", 5);

                if (found != NULL) {
                        size_t from = (size_t)(found - begin) + 5;
                        size_t used = 0;

                        while (from < length && begin[from] == ' ') {
                                from++;
                        }
                        while (from < length && used + 1 < DOOR_NAME_BYTES_MAX && begin[from] > ' ' &&
                               begin[from] != ',' && begin[from] != '}') {
                                out[used++] = (char)begin[from++];
                        }
                        out[used] = '\0';
                }
                at += length + 1;
        }
}

static door_status yaml_read(reading *at, door_bytes yaml, const cyaml_config_t *config,
                             const complaint *said, file_peers **ret_file)
{
        cyaml_data_t *data = NULL;
        char peer[DOOR_NAME_BYTES_MAX];
        const cyaml_err_t error = cyaml_load_data(yaml.data, yaml.len, config, &schema_file, &data, NULL);

        if (error == CYAML_OK && said->what[0] == '\0') {
                *ret_file = (file_peers *)data;
                return DOOR_OK;
        }
        if (error == CYAML_OK) {
                (void)cyaml_free(config, &schema_file, data, 0);
        }
        name_before(yaml, said->line, peer);
        at->peer = peer[0] == '\0' ? NULL : peer;
        const door_status status = wrong(at, "near line %u: %.110s", said->line,
                                         said->what[0] != '\0' ? said->what : cyaml_strerror(error));
        at->peer = NULL;
        return error == CYAML_ERR_OOM ? DOOR_NO_MEMORY : status;
}

door_status door_peers_parse(door_bytes yaml, const char *name, door_peers **ret_peers,
                             door_error *reterr_error)
{
        complaint said = { 0 };
        const cyaml_config_t config = {
                .log_fn = complaint_note,
                .log_ctx = &said,
                .mem_fn = cyaml_mem,
                .log_level = CYAML_LOG_WARNING,
                .flags = CYAML_CFG_NO_ALIAS,
        };
        reading at = { .file = name, .peer = NULL, .error = reterr_error };
        file_peers *file = NULL;
        door_peers *peers = NULL;

        if (yaml.len == 0 || yaml.len > DOOR_PEERS_FILE_BYTES_MAX) {
                return wrong(&at, "the file is empty or larger than %d bytes", DOOR_PEERS_FILE_BYTES_MAX);
        }
        door_status status = yaml_read(&at, yaml, &config, &said, &file);
        if (status != DOOR_OK) {
                goto out;
        }
        if (file == NULL || file->version == NULL || *file->version != 1) {
                status = wrong(&at, "version must be 1");
                goto out;
        }
        if (file->peers_count == 0 || file->peers_count > DOOR_PEERS_MAX) {
                status = wrong(&at, "peers must have 1 to %d entries, it has %u", DOOR_PEERS_MAX,
                               file->peers_count);
                goto out;
        }
        peers = calloc(1, sizeof *peers);
        if (peers == NULL) {
                status = door_error_set(reterr_error, DOOR_NO_MEMORY, "%s", name);
                goto out;
        }
        for (size_t i = 0; i < file->peers_count; i++) {
                at.peer = NULL;
                status = peer_read(&at, &file->peers[i], i, &peers->entries[i]);
                if (status != DOOR_OK) {
                        goto out;
                }
                peers->count++;
        }
        for (size_t i = 0; i < peers->count; i++) {
                status = entry_check(&at, peers, &peers->entries[i]);
                if (status != DOOR_OK) {
                        goto out;
                }
        }
        *ret_peers = peers;
        peers = NULL;
out:
        if (file != NULL) {
                (void)cyaml_free(&config, &schema_file, file, 0);
        }
        (void)door_peers_free(peers);
        return status;
}

/* The whole file in memory, freed by the caller. */
static door_status file_read(const char *path, uint8_t **ret_data, size_t *ret_length,
                             door_error *reterr_error)
{
        const size_t cap = DOOR_PEERS_FILE_BYTES_MAX + 1;
        size_t length = 0;
        uint8_t *data = NULL;
        door_status status = DOOR_OK;
        const int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0) {
                return door_error_set(reterr_error, errno == ENOENT ? DOOR_NOT_FOUND : DOOR_IO, "%s: %s",
                                      path, strerror(errno));
        }
        data = malloc(cap);
        if (data == NULL) {
                status = door_error_set(reterr_error, DOOR_NO_MEMORY, "%s", path);
                goto out;
        }
        while (length < cap) {
                const ssize_t got = read(fd, data + length, cap - length);

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
        *ret_data = data;
        *ret_length = length;
        data = NULL;
out:
        free(data);
        (void)close(fd);
        return status;
}

door_status door_peers_load(const char *path, door_peers **ret_peers, door_error *reterr_error)
{
        uint8_t *data = NULL;
        size_t length = 0;
        door_status status = file_read(path, &data, &length, reterr_error);

        if (status == DOOR_OK) {
                status = door_peers_parse((door_bytes){ data, length }, path, ret_peers, reterr_error);
        }
        free(data);
        return status;
}

door_peers *door_peers_free(door_peers *peers)
{
        free(peers);
        return NULL;
}

const door_peer_place *door_peers_place(const door_peers *peers, const char *name)
{
        const entry *e = entry_find(peers, name);

        return e == NULL ? NULL : &e->place;
}

door_status door_peers_at_service(const door_peers *peers, const char *service, door_peers_at *ret_at,
                                  door_error *reterr_error)
{
        if (entry_find(peers, service) == NULL) {
                return door_error_set(reterr_error, DOOR_NOT_FOUND, "peers.yaml has no peer %.64s", service);
        }
        memset(ret_at, 0, sizeof *ret_at);
        for (size_t i = 0; i < peers->count; i++) {
                const entry *e = &peers->entries[i];

                for (size_t m = 0; m < e->may_count; m++) {
                        if (strcmp(e->may[m].at, service) == 0) {
                                ret_at->peers[ret_at->count] = e->may[m].peer;
                                ret_at->places[ret_at->count] = e->place;
                                ret_at->count++;
                        }
                }
        }
        return DOOR_OK;
}

/* ---- The default file. */

static const char *const default_names[] = {
        "intake", "deduplication", "triage", "allocation", "notification", "gateway", "command",
};

enum {
        DEFAULT_NAMES = sizeof default_names / sizeof default_names[0],
        DEFAULT_SERVICES = 5,
        DEFAULT_SERVERS = 6 /* with the gateway, whom people ask */
};

const char *door_peers_default_name(size_t index)
{
        return index < DEFAULT_NAMES ? default_names[index] : NULL;
}

/* Who reads which log of another service, and in which form. */
typedef struct default_read {
        const char *reader;
        const char *log;
        const char *form;
        bool settles; /* Along the chain and never back (MECHANISM section 7). */
} default_read;

static const default_read default_reads[] = {
        { "deduplication", "intake", "public", true },
        { "triage", "deduplication", "public", true },
        /* Not along allocation -> triage: the chain would close and settle nothing for ever. */
        { "triage", "allocation", "public", false },
        { "allocation", "triage", "public", true },
        { "notification", "intake", "headers", false },
        { "notification", "triage", "public", false },
        { "notification", "allocation", "public", false },
};

static void default_may_write(FILE *out, const char *name)
{
        for (size_t i = 0; i < sizeof default_reads / sizeof default_reads[0]; i++) {
                const default_read *r = &default_reads[i];

                if (strcmp(r->reader, name) == 0) {
                        (void)fprintf(out, "      - at: %s\n        verbs: [pull]\n        log: %s\n", r->log,
                                      r->form);
                        if (r->settles) {
                                (void)fputs("        settles: true\n", out);
                        }
                }
        }
        const bool gateway = strcmp(name, "gateway") == 0;
        const bool command = strcmp(name, "command") == 0;
        const size_t count = command ? DEFAULT_SERVERS : gateway ? DEFAULT_SERVICES : 0;
        for (size_t i = 0; i < count; i++) {
                (void)fprintf(
                        out,
                        "      - at: %s\n        verbs: [pull, command, status%s]\n        log: public\n",
                        default_names[i], command ? ", checkpoint" : "");
                (void)fprintf(out, "        rights: [submit%s]\n        speaks_for: \"*\"\n",
                              command ? ", policy, import, verify" : "");
        }
}

static void default_endpoints_write(FILE *out, const char *home, uint16_t tcp_port, size_t index)
{
        const char *name = default_names[index];

        if (tcp_port == 0) {
                (void)fprintf(out,
                              "    endpoints:\n      pull: \"ipc://%s/run/%s.pull\"\n"
                              "      command: \"ipc://%s/run/%s.command\"\n",
                              home, name, home, name);
                return;
        }
        /* Two ports each that no other service has: two of them may still live on one machine. */
        const size_t port = tcp_port + 2 * index;
        (void)fprintf(out,
                      "    endpoints:\n      pull: \"tcp://%s:%zu\"\n"
                      "      command: \"tcp://%s:%zu\"\n",
                      name, port, name, port + 1);
}

door_status door_peers_write_default(const char *home, uint16_t tcp_port, const door_key *keys,
                                     size_t keys_count, char **ret_text, door_error *reterr_error)
{
        char *text = NULL;
        size_t length = 0;
        door_error checked = { 0 };
        door_peers *again = NULL;

        DOOR_REQUIRE(keys_count == DEFAULT_NAMES);
        FILE *out = open_memstream(&text, &length);
        if (out == NULL) {
                return door_error_set(reterr_error, DOOR_NO_MEMORY, "peers.yaml");
        }
        (void)fputs(
                "# Who may do what at which service. What is not written here is not allowed.\n"
                "# After a change: SIGHUP to the services; a mistake is logged and changes nothing.\n"
                "# To change a key: write the new one beside the old one here, reload everybody, restart\n"
                "# its owner with the new secret, then take the old one out.\n"
                "version: 1\npeers:\n",
                out);
        for (size_t i = 0; i < keys_count; i++) {
                const char *name = default_names[i];
                char key[DOOR_KEY_TEXT_BYTES];

                door_key_print(&keys[i], key);
                (void)fprintf(out, "  - name: %s\n    keys: [\"%s\"]\n", name, key);
                if (i < DEFAULT_SERVERS) {
                        default_endpoints_write(out, home, tcp_port, i);
                }
                if (strcmp(name, "intake") != 0) {
                        (void)fputs("    may:\n", out);
                        default_may_write(out, name);
                }
        }
        const bool written = ferror(out) == 0;
        if (fclose(out) != 0 || !written) {
                free(text);
                return door_error_set(reterr_error, DOOR_NO_MEMORY, "peers.yaml");
        }
        /* What we would refuse to read (a home whose sockets have too long a path) is not written. */
        const door_status status = door_peers_parse(door_bytes_of(text), "peers.yaml", &again, &checked);
        (void)door_peers_free(again);
        if (status != DOOR_OK) {
                free(text);
                return door_error_set(reterr_error, status, "%s", checked.text);
        }
        *ret_text = text;
        return DOOR_OK;
}
