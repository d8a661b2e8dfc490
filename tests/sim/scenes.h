/*
 * scenes.h - ends and refusals of one machine that no healthy county ever reaches.
 *
 * The seeds call an end of the kind "stay down" a failure, so they cannot show that a machine
 * does end where it must: when its own log has lost records, when services echo each other, when
 * the disk says something else than it did. A scene drives one machine by hand, over the
 * simulated store and a toy core, and looks at the one thing it must do.
 */
#ifndef SIM_SCENES_H
#define SIM_SCENES_H

/* Plays all of them; says which went wrong. The number that did. */
int scenes_check(void);

#endif
