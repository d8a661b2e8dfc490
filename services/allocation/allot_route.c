#include "allocation/allot_route.h"

#include <string.h>

/* Years of each AgeBand of deduplication.proto; a child whose age nobody said fits every team. */
static const struct {
        uint8_t from, to;
} band_years[] = { { 0, 255 }, { 0, 0 },   { 0, 0 },   { 1, 4 },  { 5, 10 },
                   { 11, 15 }, { 16, 17 }, { 18, 24 }, { 25, 25 } };

enum { BAND_UNBORN = 1, BAND_ELDEST = 8 };

const allot_team *allot_team_named(const allot_policy *policy, door_bytes id)
{
        for (size_t i = 0; i < policy->teams_count; i++) {
                if (door_bytes_equal(policy->teams[i].id, id)) {
                        return &policy->teams[i];
                }
        }
        return NULL;
}

door_bytes allot_front_door(const allot_policy *policy)
{
        for (size_t i = 0; i < policy->teams_count; i++) {
                if (policy->teams[i].kind == ALLOT_FRONT_DOOR) {
                        return policy->teams[i].id;
                }
        }
        return door_bytes_of("front-door");
}

bool allot_has_room(const allot_team *team, uint32_t load)
{
        return !team->has_capacity || load < team->capacity;
}

/* The eldest band that was said; 0 when none was. */
static unsigned eldest(uint16_t age_bands)
{
        for (unsigned band = BAND_ELDEST; band >= BAND_UNBORN; band--) {
                if ((age_bands >> band & 1) != 0) {
                        return band;
                }
        }
        return 0;
}

static bool level_fits(const allot_team *team, const allot_episode_word *decided)
{
        const bool social = decided->statutory || decided->level >= 3;

        if (decided->level < team->level_from || decided->level > team->level_to) {
                return false;
        }
        return team->kind == ALLOT_SOCIAL_CARE || (team->kind == ALLOT_EARLY_HELP && !social);
}

static bool place_fits(const allot_team *team, const allot_routing *routing)
{
        if (team->districts_count == 0) {
                return true;
        }
        for (size_t i = 0; i < team->districts_count && !routing->out_of_county; i++) {
                if (memcmp(team->districts[i].data, routing->district, ALLOT_DISTRICT_BYTES) == 0) {
                        return true;
                }
        }
        return false;
}

static bool age_fits(const allot_team *team, const allot_routing *routing)
{
        const unsigned band = eldest(routing->age_bands);

        return !team->has_ages || band == 0 ||
               (band_years[band].from <= team->age_to && band_years[band].to >= team->age_from);
}

/* The first need in the policy's order that some fitting team is there for; 0: none. */
static uint8_t route_of(const allot_policy *policy, const allot_episode_word *decided)
{
        for (uint8_t route = ALLOT_ROUTE_DISABILITY; route <= ALLOT_ROUTE_ADOLESCENT;
             route = (uint8_t)(route << 1)) {
                for (size_t i = 0; i < policy->teams_count && (decided->routing.routes & route) != 0; i++) {
                        const allot_team *team = &policy->teams[i];
                        if ((team->routes & route) != 0 && level_fits(team, decided) &&
                            place_fits(team, &decided->routing) && age_fits(team, &decided->routing)) {
                                return route;
                        }
                }
        }
        return 0;
}

static bool has_returned(const allot_episode *known, door_bytes team)
{
        for (size_t i = 0; i < known->returned_by_count; i++) {
                if (door_bytes_equal(known->returned_by[i], team)) {
                        return true;
                }
        }
        return false;
}

/* Free places; a team without a bound has more than any that has one. */
static uint32_t room_of(const allot_team *team, uint32_t load)
{
        return !team->has_capacity ? UINT32_MAX : load < team->capacity ? team->capacity - load : 0;
}

/* Is a team better than the best so far? Early help before social care where that was decided. */
static bool is_better(const allot_choice *best, const allot_team *team, uint32_t load,
                      const allot_episode_word *decided)
{
        if (best->team == NULL) {
                return true;
        }
        const bool prefers = decided->early_help && team->kind != best->team->kind;
        if (prefers && room_of(team, load) > 0 && room_of(best->team, best->load) > 0) {
                return team->kind == ALLOT_EARLY_HELP;
        }
        const uint32_t room = room_of(team, load);
        const uint32_t best_room = room_of(best->team, best->load);
        if (room == 0 && best_room == 0) {
                return load < best->load;
        }
        return room > best_room;
}

static uint16_t bit(allot_why why)
{
        return (uint16_t)(1u << why);
}

allot_choice allot_choose(door_view *view, const allot_policy *policy, const allot_episode_word *decided,
                          const allot_episode *known, door_bytes before)
{
        const uint8_t route = route_of(policy, decided);
        allot_choice best = { 0 };

        for (size_t i = 0; i < policy->teams_count; i++) {
                const allot_team *team = &policy->teams[i];
                const bool continues = before.len > 0 && door_bytes_equal(team->id, before);
                const bool routed = route == 0 ? team->routes == 0 : (team->routes & route) != 0;
                if (has_returned(known, team->id) || !level_fits(team, decided)) {
                        continue;
                }
                if (!continues &&
                    (!routed || !place_fits(team, &decided->routing) || !age_fits(team, &decided->routing))) {
                        continue;
                }
                const uint32_t load = allot_load_get(view, team->id);
                if (continues) {
                        /* Who knew the family, wherever it lives now. */
                        return (allot_choice){ team, !allot_has_room(team, load),
                                               bit(ALLOT_WHY_CONTINUITY) | bit(ALLOT_WHY_LEVEL), load };
                }
                if (is_better(&best, team, load, decided)) {
                        best.team = team;
                        best.load = load;
                }
        }
        if (best.team != NULL) {
                best.waiting = !allot_has_room(best.team, best.load);
                best.why = (uint16_t)(bit(ALLOT_WHY_LEVEL) | bit(ALLOT_WHY_CAPACITY) |
                                      (route != 0 ? bit(ALLOT_WHY_ROUTE) : 0) |
                                      (best.team->districts_count > 0 ? bit(ALLOT_WHY_DISTRICT) : 0) |
                                      (best.team->has_ages ? bit(ALLOT_WHY_AGE) : 0));
        }
        return best;
}
