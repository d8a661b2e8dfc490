/*
 * peers.h - peers.yaml: who exists, where they live, and what each may do at each service.
 *
 *      version: 1
 *      peers:
 *        - name: deduplication
 *          keys: ["<40 characters of Z85>"]       # one, or two while a key is being changed
 *          endpoints:
 *            pull: ipc:///srv/frontdoor/run/deduplication.pull
 *            command: ipc:///srv/frontdoor/run/deduplication.command
 *          may:
 *            - at: intake
 *              verbs: [pull]                      # pull, command, status, checkpoint
 *              log: public                        # headers or public; needed by pull
 *              settles: true                      # its `settled` bounds that service's
 *        - name: command
 *          keys: ["…"]
 *          may:
 *            - at: intake
 *              verbs: [pull, command, status, checkpoint]
 *              log: public
 *              rights: [submit, policy, import, verify]
 *              speaks_for: "*"                    # "*", an exact actor, or a prefix ending in '/'
 *
 * Default deny: what is not written is not allowed, and a peer without an entry `at` a service
 * is refused by that service's handshake. Every mistake is an error that names file, peer and
 * field; a file with one mistake changes nothing (a running service keeps what it had).
 */
#ifndef DOOR_SHELL_PEERS_H
#define DOOR_SHELL_PEERS_H

#include "shell/keys.h"
#include "shell/service_step.h"

enum {
        DOOR_PEER_KEYS_MAX = 2,
        DOOR_ENDPOINT_BYTES_MAX = 256,
        DOOR_SOCKET_PATH_BYTES_MAX = 107, /* sun_path of unix(7) without its NUL */
        DOOR_PEERS_FILE_BYTES_MAX = 256 * DOOR_KIB
};

/* One peer as another program needs it to connect or to recognise it. */
typedef struct door_peer_place {
        char name[DOOR_NAME_BYTES_MAX];
        size_t keys_count; /* 1 or 2 */
        door_key keys[DOOR_PEER_KEYS_MAX];
        char pull[DOOR_ENDPOINT_BYTES_MAX];    /* "" when it has none */
        char command[DOOR_ENDPOINT_BYTES_MAX]; /* "" when it has none */
} door_peer_place;

/* The whole file. */
typedef struct door_peers door_peers;

/* Those who may do anything at one service: rights for the machine, keys for the handshake. */
typedef struct door_peers_at {
        size_t count;
        door_peer peers[DOOR_PEERS_MAX];
        door_peer_place places[DOOR_PEERS_MAX]; /* places[i] is peers[i]'s */
} door_peers_at;

/*
 * door_endpoint_check - an endpoint we are willing to use: ipc:// with an absolute path of at
 * most 107 bytes, or tcp:// with host and port. DOOR_INVALID otherwise, with the reason.
 */
door_status door_endpoint_check(const char *endpoint, door_error *reterr_error);

/*
 * door_endpoint_to_bind - where the owner of an endpoint listens. endpoint has passed door_endpoint_check.
 *
 * peers.yaml says how others reach a service, and everybody has the same one. A path or an address is also
 * where it listens. A name is for others to look up: what it means inside the owner's machine or container is
 * that machine's affair (Debian gives a machine's own name 127.0.1.1), so the owner listens at that port on
 * every IPv4 address it has, except for "localhost". Whoever comes in still needs a key that peers.yaml
 * names.
 */
void door_endpoint_to_bind(const char *endpoint, char ret_bind[DOOR_ENDPOINT_BYTES_MAX]);

door_status door_peers_load(const char *path, door_peers **ret_peers, door_error *reterr_error);
/* The same from memory; name is what errors call the file. */
door_status door_peers_parse(door_bytes yaml, const char *name, door_peers **ret_peers,
                             door_error *reterr_error);
door_peers *door_peers_free(door_peers *peers);

/* NULL when there is no such peer. Borrowed until door_peers_free. */
const door_peer_place *door_peers_place(const door_peers *peers, const char *name);

/* DOOR_NOT_FOUND when service is no peer itself. */
door_status door_peers_at_service(const door_peers *peers, const char *service, door_peers_at *ret_at,
                                  door_error *reterr_error);

/*
 * door_peers_write_default - a first peers.yaml, as text.
 *
 *   tcp_port  [in]   0: one machine, sockets in home/run. Else each service is a machine of its own that its
 *                    peers reach by its name: tcp://intake:P and :P+1, tcp://deduplication:P+2 …
 *   keys      [in]   the public keys of door_peers_default_name(0), (1), …; one each.
 *   ret_text  [out]  free() it.
 */
door_status door_peers_write_default(const char *home, uint16_t tcp_port, const door_key *keys,
                                     size_t keys_count, char **ret_text, door_error *reterr_error);
/* The names keys init makes: five services, gateway, command. NULL past the end. */
const char *door_peers_default_name(size_t index);

#endif
