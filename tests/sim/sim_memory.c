#include "sim/sim_memory.h"

#include <stdlib.h>
#include <string.h>

void *__real_calloc(size_t count, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
void __real_free(void *memory);
void *__wrap_calloc(size_t count, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);
void __wrap_free(void *memory);

/* What the calls under watch have taken and not given back. */
static struct {
        size_t fails_in; /* 0: nobody watches. */
        void *taken[8];
} watch;

static bool fails_now(void)
{
        return watch.fails_in > 0 && --watch.fails_in == 0;
}

static void *watched(void *memory)
{
        for (size_t i = 0; watch.fails_in > 0 && i < sizeof watch.taken / sizeof watch.taken[0]; i++) {
                if (watch.taken[i] == NULL) {
                        watch.taken[i] = memory;
                        break;
                }
        }
        return memory;
}

void *__wrap_calloc(size_t count, size_t size)
{
        return fails_now() ? NULL : watched(__real_calloc(count, size));
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
        if (fails_now()) {
                return 12; /* ENOMEM */
        }
        const int status = __real_posix_memalign(memory, alignment, size);
        (void)watched(status == 0 ? *memory : NULL);
        return status;
}

void __wrap_free(void *memory)
{
        for (size_t i = 0; memory != NULL && i < sizeof watch.taken / sizeof watch.taken[0]; i++) {
                if (watch.taken[i] == memory) {
                        watch.taken[i] = NULL;
                }
        }
        __real_free(memory);
}

const char *sim_new_without_memory(const door_shell_config *config)
{
        for (size_t nth = 1; nth < 8; nth++) {
                door_shell *shell = NULL;
                watch.fails_in = nth;
                const door_status status = door_shell_new(config, &shell);
                const bool failed = watch.fails_in == 0;
                watch.fails_in = 0;
                bool kept = false;
                for (size_t i = 0; failed && i < sizeof watch.taken / sizeof watch.taken[0]; i++) {
                        kept |= watch.taken[i] != NULL;
                }
                memset(&watch, 0, sizeof watch);
                if (failed ? status != DOOR_NO_MEMORY || shell != NULL || kept : status != DOOR_OK) {
                        return "a machine is made without its memory, or keeps some";
                }
                shell = door_shell_free(shell);
                if (!failed) {
                        break;
                }
        }
        return NULL;
}
