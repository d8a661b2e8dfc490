/*
 * step_view.c - a core that is a view: it owns nothing, remembers what other logs say, and answers.
 *
 *      record of another log ──► project ──► state and cursors, one batch, no record, not synced
 *      COMMAND, type >= 256  ──► query ────► RESULT, once the batch it was asked in is committed
 *
 * A view's state is a fold of the logs it reads, so it needs no log of its own: lost to a power cut,
 * state and cursors go back together (the WAL is a prefix) and the records are read again. What is
 * parked, refused or a policy still leaves the shell's records, as at every service.
 *
 * A question sees what the inputs before it in its batch have done and is answered with the cursors of
 * that moment; given back as not_before, a later answer never shows less (record 0014).
 */
#include "shell/step.h"

bool step_view_project(door_shell *shell, const door_input *input)
{
        door_view *view = &shell->batch.view;

        if (shell->core->project == NULL || input->kind != DOOR_INPUT_EVENT) {
                return false;
        }
        view->writable = true;
        shell->core->project(view, input);
        view->writable = false;
        return true;
}

bool step_view_asked(const door_shell *shell, const Door__V1__Command *command)
{
        return shell->core->query != NULL && command->type >= DOOR_QUERY_TYPE_FIRST;
}

door_status step_view_ask(door_shell *shell, const Door__V1__Command *command,
                          const step_view_answer **ret_answer)
{
        step_batch *b = &shell->batch;
        door_arena *arena = &shell->batch_arena;
        step_view_answer *given = door_arena_take_zeroed(arena, 1, sizeof *given);
        const void *body = NULL;

        if (given == NULL) {
                return DOOR_NO_MEMORY;
        }
        door_status status =
                shell->core->decode_command(command->type, door_proto_bytes(command->body), arena, &body);
        if (status != DOOR_OK) {
                return status;
        }
        status = shell->core->query(&b->view, command->type, body, arena, &given->body);
        if (b->view.latch != DOOR_OK && b->view.latch != DOOR_NO_MEMORY) {
                return b->view.latch; /* It was told "absent" of what may be there: no answer. */
        }
        if (status != DOOR_OK || arena->exhausted) {
                return DOOR_NO_MEMORY;
        }
        given->seen[given->seen_count++] = (door_position){ shell->core->log, b->head };
        for (size_t i = 0; i < shell->upstreams_count; i++) {
                given->seen[given->seen_count++] = (door_position){ b->cursors[i].log, b->cursors[i].seq };
        }
        *ret_answer = given;
        return DOOR_OK;
}
