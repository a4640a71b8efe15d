/*
 * line_names: the parts of a line of line protocol that are the same for all points of a schema:
 * its names, escaped, with what joins them to their values. Made once per table (data/tables), used
 * by the encoder line_protocol.
 */
#ifndef DATA_LINE_NAMES_H
#define DATA_LINE_NAMES_H

#include "api/flow.h"
#include "base/arena.h"

enum { LINE_NAME_STEP = 16 }; /* up to so many bytes behind a part may be read, too */

struct line_names {
    struct slice measurement;
    struct slice tags[SCHEMA_TAGS_MAX];     /* ",name=" */
    struct slice fields[SCHEMA_FIELDS_MAX]; /* "name=" */
    size_t bytes;                           /* of all of them */
    struct arena texts;
};

/* Zeroed *names; line_names_finish() afterwards. */
void line_names_make(struct line_names *names, const struct schema *schema);
void line_names_finish(struct line_names *names);

/* Writes a part and returns what follows; up to LINE_NAME_STEP bytes behind it are overwritten. */
static inline char *line_name_put(char *to, struct slice part)
{
    for (size_t i = 0; i < part.len; i += LINE_NAME_STEP) {
        memcpy(to + i, part.at + i, LINE_NAME_STEP);
    }
    return to + part.len;
}

#endif
