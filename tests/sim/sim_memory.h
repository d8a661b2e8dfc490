/*
 * sim_memory.h - memory that fails while a machine is made.
 *
 * The simulator is linked with wrappers in the place of the C library's calloc, posix_memalign and free
 * (CMakeLists.txt). They do nothing but pass on, except under watch: then the N-th taking fails, and what
 * was taken must be given back.
 */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include "shell/service_step.h"

/* Makes a machine with each of its takings failing once; what was wrong, or NULL. */
const char *sim_new_without_memory(const door_shell_config *config);

#endif
