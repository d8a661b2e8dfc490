#include "door/row.h"

#include "door/status.h"

door_row *door_row_begin(door_row *row, uint8_t first)
{
        row->out = door_writer_on(row->bytes, sizeof row->bytes);
        door_write_u8(&row->out, first);
        return row;
}

door_row *door_row_id(door_row *row, const door_id *id)
{
        door_write(&row->out, door_id_bytes(id));
        return row;
}

door_bytes door_row_bytes(const door_row *row)
{
        DOOR_REQUIRE(row->out.ok);
        return door_written(&row->out);
}
