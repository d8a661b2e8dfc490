/*
 * client.h - the other end of a service's sockets, for programs without a loop: the command
 * and the tests.
 *
 *      open ──► send, receive            one frame each, at most timeout_ms
 *           └─► ask = send + receive, on a fresh socket after every silence
 *
 * A send that succeeds has only reached our own queue (reference/reliability.md finding 6), so
 * an answer is the only proof and the same question may be asked again: commands carry an id,
 * pulls a position. A fresh socket per try throws away a late answer to the try before it.
 *
 * Failure modes: wrong server key, unknown own key and nobody there all look the same, by
 * design of CURVE: DOOR_TIMED_OUT.
 */
#ifndef DOOR_SHELL_CLIENT_H
#define DOOR_SHELL_CLIENT_H

#include "shell/keys.h"

typedef struct door_client door_client;

/*
 * door_client_open - a connection to one endpoint. Does not wait for it to be up.
 *
 *   endpoint    [in]   as door_endpoint_check wants it; copied.
 *   server_key  [in]   the service's public key; copied.
 *   own         [in]   our key pair; borrowed until door_client_free.
 */
door_status door_client_open(const char *endpoint, const door_key *server_key, const door_keypair *own,
                             door_client **ret_client, door_error *reterr_error);
door_client *door_client_free(door_client *client);

/* A new socket and connection; what was on its way is lost. DOOR_IO when none can be made. */
door_status door_client_reopen(door_client *client);

/* DOOR_OK: queued. DOOR_TOO_LARGE; DOOR_TIMED_OUT: no connection came up or it is full; DOOR_IO. */
door_status door_client_send(door_client *client, door_bytes frame, uint32_t timeout_ms);

/*
 * door_client_receive - the next frame.
 *
 *   ret_frame  [out]  borrowed until the next receive, reopen or free.
 *
 * Returns DOOR_OK; DOOR_TIMED_OUT; DOOR_MALFORMED for a message of several parts (dropped); DOOR_IO.
 */
door_status door_client_receive(door_client *client, uint32_t timeout_ms, door_bytes *ret_frame);

/*
 * door_client_ask - send and wait for one answer, asking again on a fresh socket.
 *
 *   timeout_ms  [in]  per try, for the connection and for the answer together.
 *   tries       [in]  1 or more; between them 50 ms, 100 ms … 1 s, up to twice that by chance.
 */
door_status door_client_ask(door_client *client, door_bytes frame, uint32_t timeout_ms, uint32_t tries,
                            door_bytes *ret_frame);

#endif
