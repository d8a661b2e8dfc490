/*
 * intake_text.h - dates as people write them, and text folded for "the same words".
 *
 * Normalisation runs here, before decide, and its result is stored in the event: a better
 * reader one day changes nothing that has been recorded.
 */
#ifndef INTAKE_TEXT_H
#define INTAKE_TEXT_H

#include "door/bytes.h"
#include "intake/intake_core.h"

/*
 * intake_day_read - a date in one of the ways agencies write it.
 *
 * Read: 2015-03-08 (also / . and with a time behind it), 20150308, 08/03/2015, 8.3.15,
 * 8 March 2015, 8th Mar 15, March 8 2015, 03/2015, 2015-03, March 2015, 2015. Day before month,
 * as England writes; a month over 12 is not turned round, since that guess would hide a
 * mistake. Two digits of year are 1936 to 2035.
 *
 * Sets precision and days and returns true, or returns false.
 */
bool intake_day_read(door_bytes text, intake_precision *ret_precision, int32_t *ret_days);

/*
 * intake_moment_read - an instant: RFC 3339 with its zone, else the day alone (a time of day
 * without a zone is not guessed). False when not even the day is exact.
 */
bool intake_moment_read(door_bytes text, uint64_t *ret_ms, bool *ret_day_only);

/*
 * intake_fold - append text to out with ASCII letters in lower case, runs of blanks as one blank
 * and none at the ends, and a NUL behind it so that fields cannot flow into each other. Never
 * more bytes than the text and one.
 */
void intake_fold(door_writer *out, door_bytes text);

#endif
