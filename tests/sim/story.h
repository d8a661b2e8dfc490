/*
 * story.h - what the two services say to a given sequence of referrals, word for word.
 *
 * The auditor knows what must hold of every history; it does not know that a child's birth date
 * in the future is worth a warning, or which family the third referral is about. A story does: a
 * script of inputs (stories/NAME.story) and what was told when a person last read it
 * (stories/NAME.told). The machine and cores are those of the programs; network, disk and clock
 * are perfect. One line differing from what was told fails the run.
 *
 *   script line                              input
 *   at 2026-03-01T09:00:00Z                  the wall clock from here on; each input a second later
 *   submit PEER KEY {json}                   a referral, arriving now
 *   gathering PEER KEY COUNT {person}        a referral that names so many people, each by this pattern:
 *                                            @n is the number, @y-@m-@d a date; told in one line
 *   series PEER KEY COUNT {json}             so many referrals by this pattern, told in one line each
 *   history PEER KEY {json}                  one received when its received_at says
 *   withdraw PEER #N reason …                about the N-th id of the story, as it was told
 *   amend PEER #N {json}
 *   fetch PEER #N PART NUMBER PURPOSE        numbers of intake.proto
 *   lines FILE FROM COUNT                    history out of tests/data, told in one line each
 *
 * When a change means to change what is told: sim --tell NAME >tests/sim/stories/NAME.told, and
 * read the difference before it is committed.
 */
#ifndef SIM_STORY_H
#define SIM_STORY_H

#include <stdbool.h>
#include <stdio.h>

/* Plays one script and writes what is told. False when the script cannot be read or a service ends. */
bool story_tell(const char *name, FILE *out);

/* Plays every story; says which differs from what was told, and where. The number that do. */
int stories_check(void);

#endif
