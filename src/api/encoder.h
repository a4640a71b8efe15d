/*
 * encoder: writes points as text. Pure: the same points give the same bytes. One point's encoding
 * never depends on another's.
 */
#ifndef API_ENCODER_H
#define API_ENCODER_H

#include "api/flow.h"
#include "api/module.h"
#include "base/buf.h"

struct encoder {
    struct module about;
    const char *content_type;
    const char *suffix; /* of file names, ".lp" */
    /* Appends what stands in front of the points of a schema, a line of column names: then a file
     * holds the points of one measurement only. NULL: there is nothing, and a file holds all kinds.
     * AGAIN as encode(). */
    enum status (*begin)(const struct schema *schema, struct buf *out);
    /* Appends one point. AGAIN: out has no room for it (its .max), nothing was appended. */
    enum status (*encode)(const struct point *point, struct buf *out);
};

#endif
