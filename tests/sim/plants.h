/*
 * plants.h - the faults planted on purpose, one at a time, to show that the auditor has teeth.
 *
 * X(number, name, where): STORE faults live in sim_store.c, CORE faults in the toys, STEP faults
 * behind DOOR_PLANT() in services/shell, compiled in only for the fault binary.
 */
#ifndef PLANTS_H
#define PLANTS_H

#include "shell/plant.h"

#define SIM_PLANTS(X)                                                                                        \
        X(1, "sync is taken for no sync: acknowledge before sync")                                           \
        X(2, "the cursor is written apart from the effect")                                                  \
        X(3, "the cursor is durable before the effect")                                                      \
        X(4, "a command id is forgotten")                                                                    \
        X(5, "a state change is not written")                                                                \
        X(6, "two services echo each other")                                                                 \
        X(7, "apply depends on something outside the log")                                                   \
        X(8, "an answer is not computed from its record")                                                    \
        X(9, "nothing where something is due")                                                               \
        X(DOOR_PLANT_REFUSE_EARLY, "a refusal leaves before the sync")                                       \
        X(DOOR_PLANT_GAP, "a skipped sequence is not noticed")                                               \
        X(DOOR_PLANT_HASH, "chain and digests of a batch are not checked")                                   \
        X(DOOR_PLANT_NO_HOLD, "no causal hold-back")                                                         \
        X(DOOR_PLANT_UNKNOWN_NO, "an unknown outcome is answered no")                                        \
        X(DOOR_PLANT_SERVE_EARLY, "records are served before they are durable")                              \
        X(DOOR_PLANT_REREAD, "a reconnect reads from before the durable cursor")                             \
        X(DOOR_PLANT_NO_PARK, "a record that does not decode is passed over")                                \
        X(DOOR_PLANT_NO_BLOCK, "a parked subject blocks nothing")                                            \
        X(DOOR_PLANT_RELEASE_ANY, "parked records are released in any order")                                \
        X(DOOR_PLANT_SEED, "all inputs of a batch draw from one seed")                                       \
        X(DOOR_PLANT_NOT_BEFORE, "not_before is ignored")                                                    \
        X(DOOR_PLANT_ID_STORE, "ids are looked up beside the batch under way")                               \
        X(DOOR_PLANT_CONFLICT, "a known id with other content is decided again")                             \
        X(DOOR_PLANT_CLOCK, "the record's time follows a clock that goes back")                              \
        X(DOOR_PLANT_CURSOR_STAYS, "an input without effect does not move the cursor")                       \
        X(DOOR_PLANT_ANCHOR_AHEAD, "the anchor runs ahead of the disk")                                      \
        X(DOOR_PLANT_SEEN, "seen leaves out what was just consumed")                                         \
        X(DOOR_PLANT_TICK, "a due item is never ticked")                                                     \
        X(DOOR_PLANT_EFFECT_EARLY, "an effect is asked for before its record is durable")                    \
        X(DOOR_PLANT_EFFECT_TWICE, "an effect under way is asked for again")

#endif
