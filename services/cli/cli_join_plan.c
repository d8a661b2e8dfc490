/*
 * cli_join_plan.c - proposals to a person, who decides: nothing here is a rule. Deduplication checks an
 * assignment, triage decides which work goes on.
 */
#include "cli/cli_join_plan.h"

#include <string.h>

#include "shell/proto_arena.h"

void cli_undo_plan_add(cli_undo_plan *plan, const Door__V1__JoinStory *page)
{
        for (size_t i = 0; i < page->n_row; i++) {
                const Door__V1__JoinReferral *row = page->row[i];
                cli_assigned assigned = { .to_from = row->stood_in_from,
                                          .stood_in_from = row->stood_in_from };
                if (plan->count == CLI_ASSIGNED_MAX) {
                        plan->truncated = true;
                        return;
                }
                if (door_id_from_bytes(door_proto_bytes(row->referral), &assigned.referral)) {
                        plan->rows[plan->count++] = assigned;
                }
        }
}

bool cli_undo_plan_name(cli_undo_plan *plan, const char *list, const char **ret_wrong)
{
        while (*list != '\0') {
                const size_t len = strcspn(list, ",");
                door_id_kind kind = (door_id_kind)0;
                door_id id;
                bool found = false;
                if (door_id_parse((door_bytes){ (const uint8_t *)list, len }, &kind, &id) == DOOR_OK &&
                    kind == DOOR_ID_REFERRAL) {
                        for (size_t i = 0; i < plan->count && !found; i++) {
                                found = door_id_equal(&plan->rows[i].referral, &id);
                                plan->rows[i].to_from = plan->rows[i].to_from || found;
                        }
                }
                if (!found) {
                        *ret_wrong = list;
                        return false;
                }
                list += len;
                list += *list == ',' ? 1 : 0;
        }
        return true;
}

size_t cli_undo_plan_going(const cli_undo_plan *plan)
{
        size_t count = 0;
        for (size_t i = 0; i < plan->count; i++) {
                count += plan->rows[i].to_from ? 1 : 0;
        }
        return count;
}

bool cli_join_is_open(const Door__V1__EpisodeLine *episode)
{
        return episode->state == DOOR__V1__EPISODE_STATE__EPISODE_QUEUED ||
               episode->state == DOOR__V1__EPISODE_STATE__EPISODE_OFFERED ||
               episode->state == DOOR__V1__EPISODE_STATE__EPISODE_ACTIVE ||
               episode->state == DOOR__V1__EPISODE_STATE__EPISODE_IMPORTED;
}

size_t cli_join_open_count(const Door__V1__FamilyStory *family)
{
        size_t count = 0;
        for (size_t i = 0; i < family->n_episode; i++) {
                count += cli_join_is_open(family->episode[i]) ? 1 : 0;
        }
        return count;
}

const Door__V1__EpisodeLine *cli_join_goes_on(const Door__V1__FamilyStory *a, const Door__V1__FamilyStory *b)
{
        const Door__V1__FamilyStory *const sides[] = { a, b };
        const Door__V1__EpisodeLine *first = NULL;

        for (size_t side = 0; side < 2; side++) {
                for (size_t i = 0; i < sides[side]->n_episode; i++) {
                        const Door__V1__EpisodeLine *e = sides[side]->episode[i];
                        if (cli_join_is_open(e) &&
                            (first == NULL || e->received_at_ms < first->received_at_ms)) {
                                first = e;
                        }
                }
        }
        return first;
}
