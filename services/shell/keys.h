/*
 * keys.h - who we are on the wire: one CURVE key pair per named peer.
 *
 *      $FRONTDOOR_HOME/keys/<name>.secret   0400, the secret key as 40 characters of Z85
 *      $FRONTDOOR_HOME/peers.yaml           every public key, and who may do what (peers.h)
 *
 * The public key is always computed from the secret, so the two can never disagree. A key
 * that exists is never written again: losing a secret is repaired by a person, not by a
 * program that quietly makes another identity.
 *
 * Happy path: keys init writes seven secrets and peers.yaml; a service loads its own and
 * nobody else's. Failure modes: a secret that others can read is refused, and so is one that
 * is not 40 characters of Z85; a crash in the middle of keys init leaves whole files only, and
 * running it again completes the set.
 */
#ifndef DOOR_SHELL_KEYS_H
#define DOOR_SHELL_KEYS_H

#include "door/bytes.h"
#include "door/limits.h"
#include "door/status.h"

enum { DOOR_KEY_BYTES = 32, DOOR_KEY_TEXT_BYTES = 41 /* 40 of Z85 and NUL */ };

/* A public key, raw. */
typedef struct door_key {
        uint8_t bytes[DOOR_KEY_BYTES];
} door_key;

/* Ours. `secret` is locked in memory where the system allows and wiped by door_keypair_done. */
typedef struct door_keypair {
        door_key public_key;
        uint8_t secret[DOOR_KEY_BYTES];
} door_keypair;

bool door_key_equal(const door_key *a, const door_key *b);
void door_key_print(const door_key *key, char out[DOOR_KEY_TEXT_BYTES]);
/* Exactly 40 characters of Z85; DOOR_MALFORMED otherwise. */
door_status door_key_parse(door_bytes text, door_key *ret_key);

/*
 * door_name_is_valid - may this be a peer's name?
 *
 * Lower case letters, digits and '-', beginning with a letter, shorter than
 * DOOR_NAME_BYTES_MAX: it becomes a file name, a socket name and a User-Id.
 */
bool door_name_is_valid(door_bytes name);

/* A new pair that is on no disk: tests, and the inside of keys init. Done with door_keypair_done. */
void door_keypair_make(door_keypair *ret_pair);
void door_keypair_done(door_keypair *pair);

/*
 * door_keypair_load - read $home/keys/<name>.secret.
 *
 *   home      [in]   $FRONTDOOR_HOME.
 *   name      [in]   must be a valid name.
 *   ret_pair  [out]  wipe it with door_keypair_done.
 *
 * Returns DOOR_OK; DOOR_NOT_FOUND when there is no such file; DOOR_DENIED when others may read
 * it or it is not ours; DOOR_MALFORMED when it is no key; DOOR_IO.
 */
door_status door_keypair_load(const char *home, const char *name, door_keypair *ret_pair,
                              door_error *reterr_error);

/* What keys init did, for the command to tell. */
typedef struct door_keys_made {
        size_t made;     /* secrets written now */
        size_t kept;     /* secrets that were there already */
        bool peers_made; /* peers.yaml was written now */
} door_keys_made;

/*
 * door_keys_init - make what is missing of a home: folders, secrets, the default peers.yaml.
 *
 *   tcp_port  [in]  where a peers.yaml that is written now says services live: door_peers_write_default.
 *
 * Returns DOOR_OK        every secret exists and peers.yaml names its public key;
 *         DOOR_CONFLICT  peers.yaml exists and a secret is missing or does not fit the key it
 *                        names: nothing was written, a person must say which one is right;
 *         otherwise what loading or writing said.
 */
door_status door_keys_init(const char *home, uint16_t tcp_port, door_keys_made *ret_made,
                           door_error *reterr_error);

#endif
