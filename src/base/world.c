/* world: the one function of api/world.h that is more than a call through the table. */
#include "api/world.h"

#include <stdarg.h>
#include <stdio.h>

void world_notice(struct world *world, const char *format, ...)
{
    struct err line;
    char text[sizeof line.text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    err_set(&line, OK, "%s", text); /* cuts at a character */
    world->calls->notice(world, line.text);
}
