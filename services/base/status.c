#include "door/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *door_status_name(door_status status)
{
        switch (status) {
#define X(name, value, text)                                                                                 \
        case DOOR_##name:                                                                                    \
                return #name;
                DOOR_STATUS_MAP(X)
#undef X
        }
        return "UNNAMED";
}

const char *door_status_text(door_status status)
{
        switch (status) {
#define X(name, value, text)                                                                                 \
        case DOOR_##name:                                                                                    \
                return text;
                DOOR_STATUS_MAP(X)
#undef X
        }
        return "a status this program does not know";
}

door_status door_error_set(door_error *error, door_status status, const char *format, ...)
{
        DOOR_REQUIRE(status != DOOR_OK);
        if (error == NULL) {
                return status;
        }
        va_list arguments;
        va_start(arguments, format);
        error->status = status;
        (void)vsnprintf(error->text, sizeof error->text, format, arguments);
        va_end(arguments);
        return status;
}

/* The one global of the library: where the process stands, for the last line it may ever print. */
static const char *require_context = "";

void door_require_context(const char *context)
{
        require_context = context;
}

void door_require_failed(const char *file, int line, const char *what)
{
        (void)fprintf(stderr, "%s:%d: invariant broken: %s %s\n", file, line, what, require_context);
        abort();
}
