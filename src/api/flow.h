/*
 * flow: what passes between the stages: objects, their bytes, points.
 *
 *     place -> bytes -> records -> points -> place
 *
 * Everything handed on is borrowed for the duration of the call; who keeps something copies it.
 */
#ifndef API_FLOW_H
#define API_FLOW_H

#include "api/status.h"
#include "base/slice.h"

#include <stdint.h>

enum { OBJECT_KEY_MAX_BYTES = 1024 }; /* S3's own bound */

/* One object of a place as its listing shows it. */
struct object {
    struct slice key; /* 1 to OBJECT_KEY_MAX_BYTES of any kind but NUL */
    int64_t size;     /* bytes as stored */
    int64_t last_modified_ns;
    unsigned char
        etag[16]; /* identifies the content: what the place's tag, or a file's metadata, comes to */
};

/* [from, to) in ns since 1970, UTC */
struct window {
    int64_t from_ns, to_ns;
};

/* A text in pieces: the whole is their concatenation. Pieces may be empty. */
struct text {
    const struct slice *pieces;
    size_t count;
};

enum value_kind { VALUE_ABSENT, VALUE_TEXT, VALUE_INT };

struct value {
    enum value_kind kind; /* VALUE_ABSENT or what the schema says */
    int64_t number;       /* VALUE_INT */
    struct text text;     /* VALUE_TEXT: UTF-8, at most SCHEMA_TEXT_MAX bytes */
};

enum {
    SCHEMA_TAGS_MAX = 32,
    SCHEMA_FIELDS_MAX = 64,
    SCHEMA_TAG_MAX_BYTES = 1024,
    SCHEMA_TEXT_MAX_BYTES = 1048576,
};

struct line_names; /* data/line_names.h */

/* The shape of a measurement's points: names are unique, tags sorted by name. Never changes. */
struct schema {
    const struct line_names *line; /* the names as line protocol writes them; NULL: not made yet,
                                      and so made for each point */
    const char *measurement;
    size_t n_tags, n_fields;
    const char *tags[SCHEMA_TAGS_MAX];
    struct schema_field {
        const char *name;
        enum value_kind kind;
    } fields[SCHEMA_FIELDS_MAX];
};

/*
 * One point. Tags are clean (data/columns): UTF-8, no control characters, at most
 * SCHEMA_TAG_MAX_BYTES, no backslash that line protocol could not carry; an empty tag is an absent
 * tag. At least one field is present. Identity: measurement, tags, time.
 */
struct point {
    const struct schema *schema;
    const struct slice *tags;   /* [schema->n_tags] */
    const struct value *fields; /* [schema->n_fields] */
    int64_t time_ns;
};

#endif
