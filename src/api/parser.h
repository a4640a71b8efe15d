/*
 * parser: turns one kind of record into points. A parser is a table: which records are its own,
 * which paths become which columns. The host does the rest (scan, redaction, identity, dead
 * letters). How to write one: doc/adding-a-parser.md.
 */
#ifndef API_PARSER_H
#define API_PARSER_H

#include "api/module.h"
#include "base/slice.h"

enum column_kind {
    TAG,         /* text; numbers and booleans as they are written */
    TAG_ADDRESS, /* as TAG, "ip:port" and "[ip]:port" without the port */
    TEXT,        /* text field; values that are not strings as their JSON text */
    INT,         /* integer field; a value that is not a whole number is a dead letter */
    DURATION_NS, /* integer field of ns: "601866322ns", Go durations, bare numbers */
    MESSAGE, /* text field: the record itself, redacted, as the job's `message:` says; no path */
    TIME_S,  /* the point's time, whole seconds; the rest of the digits come from the record's hash
              */
    TIME_MS,
    TIME_US,
    TIME_NS,
};

enum { COLUMN_PATHS = 3, PARSER_COLUMNS_MAX = 96 };

struct column {
    enum column_kind kind;
    const char *name;                /* tag or field name; NULL for TIME_* */
    const char *paths[COLUMN_PATHS]; /* keys joined by '.'; the first path that has a value (not
                                        null) wins */
};

struct parser {
    struct module about;
    const char *const *names; /* basename prefixes of its objects, any case; NULL-terminated. A
                                 hint: such a parser is tried first */
    const char *const *record_keys; /* top-level keys that decide; alternatives, NULL-terminated,
                                       each "key" or "key,key" (all present) */
    const char *measurement;
    const struct column *columns;
    size_t n_columns;
    /* Reads the TIME_* column; NULL = RFC 3339. text: what a string holds, or a number as it is
     * written. last_modified_ns is the object's, INT64_MIN = unknown. False when text is not such a
     * time. */
    bool (*read_time)(struct slice text, int64_t last_modified_ns, int64_t *ns);
};

#endif
