/*
 * row.h - a key or a small value of a service's state under construction.
 *
 *      door_row_begin(&key, TABLE_EPISODE), door_row_id(&key, id) ──► door_row_bytes(&key)
 *
 * The writer inside may be written to directly (bytes.h). What does not fit is our own fault: the
 * bound is checked when the bytes are asked for, and ends the process.
 */
#ifndef DOOR_ROW_H
#define DOOR_ROW_H

#include "door/bytes.h"
#include "door/id.h"

enum { DOOR_ROW_BYTES_MAX = 1024 };

typedef struct door_row {
        uint8_t bytes[DOOR_ROW_BYTES_MAX];
        door_writer out;
} door_row;

/* Starts with the table's number, or a layout's. Returns row, as the next does. */
door_row *door_row_begin(door_row *row, uint8_t first);
door_row *door_row_id(door_row *row, const door_id *id);
/* Borrowed from row. */
door_bytes door_row_bytes(const door_row *row);

#endif
