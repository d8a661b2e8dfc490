/*
 * plant.h - places where a fault can be planted, for the one test binary that shows the
 * auditor's teeth (tests/sim, `sim_faults`). In every other build DOOR_PLANT() is the constant
 * false and the compiler removes the branch.
 */
#ifndef DOOR_SHELL_PLANT_H
#define DOOR_SHELL_PLANT_H

enum {
        DOOR_PLANT_REFUSE_EARLY = 20,
        DOOR_PLANT_GAP,
        DOOR_PLANT_HASH,
        DOOR_PLANT_NO_HOLD,
        DOOR_PLANT_UNKNOWN_NO,
        DOOR_PLANT_SERVE_EARLY,
        DOOR_PLANT_REREAD,
        DOOR_PLANT_NO_PARK,
        DOOR_PLANT_NO_BLOCK,
        DOOR_PLANT_RELEASE_ANY,
        DOOR_PLANT_SEED,
        DOOR_PLANT_NOT_BEFORE,
        DOOR_PLANT_ID_STORE,
        DOOR_PLANT_CONFLICT,
        DOOR_PLANT_CLOCK,
        DOOR_PLANT_CURSOR_STAYS,
        DOOR_PLANT_ANCHOR_AHEAD,
        DOOR_PLANT_SEEN,
        DOOR_PLANT_TICK,
        DOOR_PLANT_EFFECT_EARLY,
        DOOR_PLANT_EFFECT_TWICE,
};

#ifdef DOOR_PLANTED_FAULTS
extern int door_planted_fault;
#define DOOR_PLANT(fault) (door_planted_fault == (fault))
#else
#define DOOR_PLANT(fault) 0
#endif

#endif
