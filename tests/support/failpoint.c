/*
 * failpoint.c - dies where it is told to.
 *
 *   FRONTDOOR_DIE_AT=place:n    die at the n-th visit of the place
 *   FRONTDOOR_DIED=FILE         append the place's name there first
 */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shell/failpoint.h"

/* Visits so far; places are visited from the loop and from workers. */
static atomic_ulong visits;

void door_failpoint(const char *place)
{
        const char *wanted = getenv("FRONTDOOR_DIE_AT");
        const char *colon = wanted == NULL ? NULL : strchr(wanted, ':');

        if (colon == NULL || strlen(place) != (size_t)(colon - wanted) ||
            strncmp(wanted, place, strlen(place)) != 0 ||
            atomic_fetch_add(&visits, 1) + 1 != strtoul(colon + 1, NULL, 10)) {
                return;
        }
        const char *file = getenv("FRONTDOOR_DIED");
        const int fd = file == NULL ? -1 : open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        if (fd >= 0) {
                (void)!write(fd, place, strlen(place));
                (void)!write(fd, "\n", 1);
                (void)close(fd);
        }
        (void)raise(SIGKILL);
}
