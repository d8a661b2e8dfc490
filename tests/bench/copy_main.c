/* copy_main.c - the copying chain's programs: COPY_PLACE 1 or 2. */
#include "bench/copy_core.h"
#include "shell/service_main.h"

int main(int argc, char **argv)
{
#if COPY_PLACE == 1
        door_service_options options = { .core = &copy_first_ops, .version = "copy" };
#else
        static const door_upstream upstreams[] = { { 1, "intake", DOOR_FORM_PUBLIC } };
        door_service_options options = {
                .core = &copy_second_ops, .upstreams = upstreams, .upstreams_count = 1, .version = "copy"
        };
#endif
        return door_service_main(argc, argv, &options);
}
