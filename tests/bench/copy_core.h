/*
 * copy_core.h - services that only copy: the ceiling the real ones are measured against.
 *
 * The same machine, store, bus, CURVE and hashing, and nothing in between: the first logs what it
 * is sent, the second logs what the first logged. Payload sizes follow the real services':
 * what is submitted is kept whole beside a public part of the same length.
 */
#ifndef BENCH_COPY_CORE_H
#define BENCH_COPY_CORE_H

#include "door/core.h"

extern const door_core_ops copy_first_ops;  /* stands where intake stands */
extern const door_core_ops copy_second_ops; /* stands where deduplication stands */

enum { COPY_COPIED = 16 };

#endif
