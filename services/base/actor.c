#include "door/actor.h"

#include <string.h>

static bool prefix_take(door_bytes *text, const char *prefix)
{
        const door_bytes wanted = door_bytes_of(prefix);

        if (!door_bytes_starts_with(*text, wanted)) {
                return false;
        }
        *text = (door_bytes){ text->data + wanted.len, text->len - wanted.len };
        return true;
}

bool door_actor_read(door_bytes actor, door_actor *ret_actor)
{
        if (!prefix_take(&actor, "training/")) {
                return false;
        }
        const uint8_t *slash = memchr(actor.data, '/', actor.len);
        if (slash == NULL) {
                return false;
        }
        const size_t role = (size_t)(slash - actor.data);
        *ret_actor =
                (door_actor){ .role = { actor.data, role }, .name = { slash + 1, actor.len - role - 1 } };
        door_bytes team = ret_actor->role;
        if (prefix_take(&team, "team-")) {
                if (team.len == 0) {
                        return false;
                }
                ret_actor->team = team;
        }
        return ret_actor->role.len > 0 && ret_actor->name.len > 0;
}
