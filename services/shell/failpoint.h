/*
 * failpoint.h - places where the kill loop may end the process, between an input and its answer.
 *
 * In every program that is installed DOOR_FAILPOINT() is nothing. The kill loop builds programs
 * of its own with DOOR_FAILPOINTS, whose door_failpoint (tests/support/failpoint.c) dies by
 * SIGKILL at the place and the time its environment names.
 */
#ifndef DOOR_SHELL_FAILPOINT_H
#define DOOR_SHELL_FAILPOINT_H

#ifdef DOOR_FAILPOINTS
void door_failpoint(const char *place);
#define DOOR_FAILPOINT(place) door_failpoint(place)
#else
#define DOOR_FAILPOINT(place) ((void)0)
#endif

#endif
