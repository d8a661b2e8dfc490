/*
 * view_query.h - answers: rows of the view as messages of view.proto.
 *
 * Every list is a walk over an index in its own order, at most VIEW_PAGE_ROWS_MAX rows a page, so a
 * page costs the same in a county of any size. Answers are functions of the view and the question;
 * ages are the asker's to reckon, who has a clock.
 */
#ifndef VIEW_QUERY_H
#define VIEW_QUERY_H

#include "gateway/view_core.h"

/* `body` is a view_question. DOOR_OK; DOOR_NO_MEMORY when the arena is full. */
door_status view_query(door_view *view, uint32_t type, const void *body, door_arena *arena,
                       door_bytes *ret_answer);

#endif
