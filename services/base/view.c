#include "door/view.h"

#include <string.h>

/*
 * The overlay is a skip list in the arena: this batch's changes in key order. A node's height
 * comes from a small generator in the view, so equal histories build equal lists.
 */

void door_view_init(door_view *view, const door_reader *reader, door_arena *arena)
{
        *view = (door_view){ .reader = reader, .arena = arena, .heights = 0x9E3779B9U };
}

static void latch(door_view *view, door_status status)
{
        if (view->latch == DOOR_OK) {
                view->latch = status;
        }
}

static uint32_t lead_of(door_bytes key)
{
        uint8_t first[4] = { 0 };

        if (key.len > 0) {
                memcpy(first, key.data, key.len < sizeof first ? key.len : sizeof first);
        }
        return door_get_u32(first);
}

/* Fills before[] with the last change whose key is < key, per level (NULL: the head). */
static door_change *find(const door_view *view, door_bytes key, door_change *before[DOOR_VIEW_LEVELS])
{
        const uint32_t lead = lead_of(key);
        door_change *at = NULL;

        for (size_t level = DOOR_VIEW_LEVELS; level-- > 0;) {
                door_change *next = at == NULL ? view->head[level] : at->next[level];
                while (next != NULL && (next->lead < lead ||
                                        (next->lead == lead && door_bytes_compare(next->key, key) < 0))) {
                        at = next;
                        next = at->next[level];
                }
                if (before != NULL) {
                        before[level] = at;
                }
        }
        return at == NULL ? view->head[0] : at->next[0];
}

/* The change for exactly this key, or NULL. */
static door_change *find_exact(const door_view *view, door_bytes key)
{
        door_change *change = find(view, key, NULL);
        return change != NULL && door_bytes_equal(change->key, key) ? change : NULL;
}

bool door_view_get(door_view *view, door_bytes key, door_bytes *ret_value)
{
        const door_change *change = find_exact(view, key);
        bool found = false;

        if (change != NULL) {
                if (!change->deleted && ret_value != NULL) {
                        *ret_value = change->value;
                }
                return !change->deleted;
        }
        if (view->latch != DOOR_OK) {
                return false;
        }
        door_bytes value = DOOR_BYTES_EMPTY;
        const door_status status = view->reader->get(view->reader->context, key, view->arena, &value, &found);
        if (status != DOOR_OK) {
                latch(view, status);
                return false;
        }
        if (found && ret_value != NULL) {
                *ret_value = value;
        }
        return found;
}

bool door_view_has(door_view *view, door_bytes key)
{
        return door_view_get(view, key, NULL);
}

static uint8_t next_height(door_view *view)
{
        uint8_t height = 1;

        view->heights ^= view->heights << 13;
        view->heights ^= view->heights >> 17;
        view->heights ^= view->heights << 5;
        for (uint32_t bits = view->heights; (bits & 3U) == 0 && height < DOOR_VIEW_LEVELS; bits >>= 2) {
                height++;
        }
        return height;
}

static void change_set(door_view *view, door_bytes key, door_bytes value, bool deleted)
{
        DOOR_REQUIRE(view->writable);
        DOOR_REQUIRE(key.len > 0);

        const door_bytes copy = door_arena_copy(view->arena, value);
        door_change *before[DOOR_VIEW_LEVELS];
        door_change *change = find(view, key, before);

        /* All of this batch is thrown away; until then who reads finds rows as they were, never half of one.
         */
        if (view->arena->exhausted) {
                latch(view, DOOR_NO_MEMORY);
                return;
        }

        if (change == NULL || !door_bytes_equal(change->key, key)) {
                const uint8_t height = next_height(view);
                const door_bytes own_key = door_arena_copy(view->arena, key);
                change = door_arena_take(view->arena, sizeof *change + height * sizeof(door_change *));
                if (view->arena->exhausted) {
                        latch(view, DOOR_NO_MEMORY);
                        return;
                }
                change->key = own_key;
                change->height = height;
                change->lead = lead_of(key);
                for (size_t level = 0; level < height; level++) {
                        door_change **link =
                                before[level] == NULL ? &view->head[level] : &before[level]->next[level];
                        change->next[level] = *link;
                        *link = change;
                }
                view->changes_count++;
        }
        change->value = copy;
        change->deleted = deleted;
}

void door_view_put(door_view *view, door_bytes key, door_bytes value)
{
        change_set(view, key, value, false);
}

void door_view_delete(door_view *view, door_bytes key)
{
        change_set(view, key, DOOR_BYTES_EMPTY, true);
}

void door_scan_init(door_scan *scan, door_view *view, door_bytes prefix, door_bytes from, size_t rows_max)
{
        DOOR_REQUIRE(from.len == 0 || door_bytes_starts_with(from, prefix));
        *scan = (door_scan){
                .view = view,
                .prefix = prefix,
                .at = from.len == 0 ? prefix : from,
                .inclusive = true,
                .rows_left = rows_max,
        };
}

/* The first overlay change in the walk's range, deleted ones too. */
static const door_change *scan_overlay(const door_scan *scan)
{
        const door_change *change = find(scan->view, scan->at, NULL);

        if (change != NULL && !scan->inclusive && door_bytes_equal(change->key, scan->at)) {
                change = change->next[0];
        }
        if (change != NULL && !door_bytes_starts_with(change->key, scan->prefix)) {
                return NULL;
        }
        return change;
}

bool door_scan_next(door_scan *scan, door_bytes *ret_key, door_bytes *ret_value)
{
        door_view *view = scan->view;

        while (view->latch == DOOR_OK) {
                door_bytes key = DOOR_BYTES_EMPTY;
                door_bytes value = DOOR_BYTES_EMPTY;
                bool found = false;
                const door_status status =
                        view->reader->next(view->reader->context, scan->at, scan->inclusive, scan->prefix,
                                           view->arena, &key, &value, &found);
                if (status != DOOR_OK) {
                        latch(view, status);
                        return false;
                }
                const door_change *change = scan_overlay(scan);
                bool deleted = false;
                if (change != NULL && (!found || door_bytes_compare(change->key, key) <= 0)) {
                        key = change->key;
                        value = change->value;
                        deleted = change->deleted;
                        found = true;
                }
                if (!found) {
                        return false;
                }
                scan->at = key;
                scan->inclusive = false;
                if (deleted) {
                        continue;
                }
                if (scan->rows_left == 0) {
                        scan->truncated = true;
                        return false;
                }
                scan->rows_left--;
                *ret_key = key;
                *ret_value = value;
                return true;
        }
        return false;
}
