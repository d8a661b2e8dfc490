/*
 * calendar.h - dates and instants as numbers, and the clock as something handed in.
 *
 * Instants are milliseconds since the Unix epoch, UTC. Dates are days since 1970-01-01 in
 * the proleptic Gregorian calendar. Pure: the only clock is the door_now a shell carries in.
 * Europe/London and working days are in working_time.h.
 */
#ifndef DOOR_CALENDAR_H
#define DOOR_CALENDAR_H

#include "door/bytes.h"

/* Two clocks read at one moment. Wall may jump; mono only grows and has no meaning across starts. */
typedef struct door_now {
        uint64_t wall_ms; /* Since the Unix epoch, UTC. */
        uint64_t mono_ms; /* Since some fixed moment of this process's machine. */
} door_now;

/* The clock port: production reads the system, tests hand in theirs. */
typedef struct door_clock {
        void *context;
        door_now (*now)(void *context);
} door_clock;

typedef struct door_date {
        int32_t year;  /* 1..9999 */
        uint8_t month; /* 1..12 */
        uint8_t day;   /* 1..31 */
} door_date;

enum { DOOR_INSTANT_TEXT_BYTES = 25, DOOR_DATE_TEXT_BYTES = 11 };

bool door_date_is_valid(door_date date);
int32_t door_date_to_days(door_date date);
door_date door_date_from_days(int32_t days);

/* "2019-04-03" and nothing else; false for anything that is not a day of the calendar. */
bool door_date_parse(door_bytes text, door_date *ret_date);
void door_date_print(door_date date, char out[DOOR_DATE_TEXT_BYTES]);

/*
 * door_instant_parse - RFC 3339 date-time with 'Z' or a numeric offset, fraction optional.
 * False for anything else, for instants before 1970 and after 9999. A leap second (:60)
 * reads as the last second before it.
 */
bool door_instant_parse(door_bytes text, uint64_t *ret_ms);
/* "2018-01-01T14:02:04.000Z"; ms after year 9999 print as the last instant of it. */
void door_instant_print(uint64_t ms, char out[DOOR_INSTANT_TEXT_BYTES]);

#endif
