/* frontdoor-intake: receives referrals. See README.md beside this file. */
#include "intake/intake_codec.h"
#include "shell/service_main.h"

int main(int argc, char **argv)
{
        door_service_options options = { .core = &intake_ops, .version = FRONTDOOR_VERSION };
        return door_service_main(argc, argv, &options);
}
