/*
 * copy_core.h - services that only copy: the ceiling the real ones are measured against.
 *
 * The same machine, store, bus, CURVE and hashing, and nothing in between: the first logs what it
 * is sent, each other one logs what the one before it logged. Payload sizes follow the real services':
 * what is submitted is kept whole beside a public part of the same length.
 */
#ifndef BENCH_COPY_CORE_H
#define BENCH_COPY_CORE_H

#include "door/core.h"

enum { COPY_COPIED = 16, COPY_PLACES = 5 };

/* What stands where intake (1), deduplication, triage, allocation or notification (5) stands. */
const door_core_ops *copy_ops(uint32_t place);

#endif
