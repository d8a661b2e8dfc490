/*
 * working_time.h - the hours of an English office: Europe/London, Monday to Friday, bank holidays.
 *
 *      instant (UTC ms) ──► London's day and minute ──► working or not ──► deadlines
 *
 * Pure: the county's hours and holidays are handed in (they come from the logged policy), and
 * summer time is computed, not read from the machine's tables: since 1996 it begins on the last
 * Sunday of March and ends on the last Sunday of October, at 01:00 UTC both times (The Summer Time
 * Order 2002, S.I. 2002/262). Years before 1996 are reckoned by the same rule.
 *
 * Nothing here can stand still: hours that never open, or holidays without end, yield a deadline
 * on the wall clock, which is the earlier one.
 */
#ifndef DOOR_WORKING_TIME_H
#define DOOR_WORKING_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
        DOOR_WORKING_FROM_MIN = 540,  /* 09:00, where a policy says nothing */
        DOOR_WORKING_TO_MIN = 1020,   /* 17:00; also the end of the statutory day */
        DOOR_WORKING_DAYS_MAX = 4096, /* days one look ahead may walk */
};

/* When a county works. `holidays` is borrowed. */
typedef struct door_working {
        uint32_t from_min;       /* Of London's day, 0..1440. */
        uint32_t to_min;         /* The first minute that is no longer worked, > from_min. */
        const int32_t *holidays; /* Days since 1970 that are no working days, in any order. */
        size_t holidays_count;
} door_working;

/* Days since 1970-01-01 of the day it is in London. */
int32_t door_london_day(uint64_t at_ms);
/* Minutes since midnight on London's clocks, 0..1439. */
uint32_t door_london_minute(uint64_t at_ms);

/*
 * door_london_instant - when London's clocks show `minute` of `day`. An hour that is skipped in
 * spring reads as the one after it, an hour that comes twice in autumn as its first time.
 */
uint64_t door_london_instant(int32_t day, uint32_t minute);

/* Monday to Friday and no holiday. */
bool door_working_day(const door_working *w, int32_t day);
/* Is the office open at this instant? */
bool door_working_time(const door_working *w, uint64_t at_ms);

/*
 * door_working_add - the instant at which so many minutes of working time have passed.
 *
 * With 0 minutes: the first working instant at or after from_ms. A last minute that falls on
 * closing time ends then, not on the next morning. Where DOOR_WORKING_DAYS_MAX days do not hold
 * that much working time: from_ms and the minutes by the wall clock.
 */
uint64_t door_working_add(const door_working *w, uint64_t from_ms, uint32_t working_minutes);

/*
 * door_statutory_due - 17:00 in London on the first working day after the day of receipt.
 *
 * Source: Working Together to Safeguard Children, "within one working day of a referral being
 * received".
 */
uint64_t door_statutory_due(const door_working *w, uint64_t received_ms);

#endif
