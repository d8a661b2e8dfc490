/*
 * status.h - the one result type every function in this repository returns.
 *
 * Zero is success, negatives are failures, and the list below is the whole
 * vocabulary. The list is an X-macro so that the enum, the short name used in
 * logs and metrics, and the sentence shown to an operator cannot drift apart.
 *
 * Two kinds of trouble, two tools:
 *   - the world misbehaved (disk full, bad bytes, peer gone) -> door_status;
 *   - we misbehaved (broken invariant, NULL where none is allowed) -> DOOR_REQUIRE,
 *     which stays on in release builds, because an event log written by a
 *     confused process is worse than a restart.
 *
 * A decision is not an error: "duplicate", "refused" are events or reply codes in
 * proto/; a door_status says what prevented deciding.
 */
#ifndef DOOR_STATUS_H
#define DOOR_STATUS_H

/* clang-format off */
#define DOOR_STATUS_MAP(X)                                                                       \
        X(OK, 0, "success")                                                                      \
        X(NO_MEMORY, -1, "out of memory")                                                        \
        X(FULL, -2, "a fixed-size table or buffer is full")                                      \
        X(MALFORMED, -3, "bytes do not decode as the expected message")                          \
        X(IO, -4, "the operating system reported an I/O failure")                                \
        X(CORRUPT, -5, "stored data fails its checksum, its chain or its density")               \
        X(NOT_FOUND, -6, "there is no such thing")                                               \
        X(TOO_LARGE, -7, "larger than the bound in limits.h")                                    \
        X(CONFLICT, -8, "the log's head is not where the writer expected it")                    \
        X(UNKNOWN, -9, "the write may or may not be durable")                                    \
        X(LOG_REGRESSED, -10, "the log is behind what this service or a consumer already held")  \
        X(ANCHOR_MISSING, -11, "the database holds records but its anchor cannot be read")       \
        X(UPSTREAM_REGRESSED, -12, "an upstream log is behind what this service consumed of it") \
        X(UPSTREAM_NEWER, -13, "an upstream log holds a record type this program does not know") \
        X(FORMAT_NEWER, -14, "the stored format is newer than this program")                     \
        X(BUSY, -15, "somebody else holds it")                                                   \
        X(INVALID, -16, "a setting or argument is not acceptable")                               \
        X(DENIED, -17, "the peer may not do that")                                               \
        X(TIMED_OUT, -18, "no answer came in time")
/* clang-format on */

typedef enum door_status {
#define X(name, value, text) DOOR_##name = (value),
        DOOR_STATUS_MAP(X)
#undef X
} door_status;

/* Short stable name ("FULL"), for logs and metrics. Never NULL, never freed. */
const char *door_status_name(door_status status);

/* One sentence for an operator. Never NULL, never freed. */
const char *door_status_text(door_status status);

/*
 * What went wrong in words, filled by the call that failed
 * ("open log of intake: rocksdb: IO error…"). Never holds personal data: it is printed.
 */
typedef struct door_error {
        door_status status;
        char text[240]; /* NUL-terminated, cut at the end when too long. */
} door_error;

/*
 * door_error_set - fill an error and hand its status back, so that a failing call is one line.
 *
 *   error   [out]  may be NULL: then nothing is written.
 *   status  [in]   must not be DOOR_OK.
 *   format  [in]   printf format of the detail.
 *
 * Returns status.
 */
door_status door_error_set(door_error *error, door_status status, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

void door_require_failed(const char *file, int line, const char *what) __attribute__((noreturn, cold));

/*
 * Where a process stands, printed by a failing DOOR_REQUIRE beside file and line, never values
 * (MECHANISM section 10). Set once by the program's shell; the string must outlive the process.
 */
void door_require_context(const char *context);

#define DOOR_REQUIRE(cond) ((cond) ? (void)0 : door_require_failed(__FILE__, __LINE__, #cond))

#endif
