/*
 * columns: what a value found in a record becomes in a column: a tag, a text, a number. Called by
 * data/record. A value is borrowed from the record where it can be and built in the scratch arena
 * where it cannot; it is good until either changes.
 */
#ifndef DATA_COLUMNS_H
#define DATA_COLUMNS_H

#include "api/status.h"
#include "base/arena.h"
#include "base/slice.h"
#include "data/extract.h"

/* One scanned record. */
struct reading {
    struct slice record;
    struct extracted extracted; /* of .record */
    struct arena *scratch;
    uint64_t cut; /* tags and texts that were too long */
};

/* The value as it may be shown: a string decoded, anything else as its JSON text, what is secret
 * replaced. */
struct slice column_shown(struct reading *reading, const struct found *found);

/*
 * The value as a tag: column_shown() with each control character as one space, cut at
 * SCHEMA_TAG_MAX_BYTES. Of a run of backslashes before a comma, a space, an equals sign or the end,
 * the last becomes '/': InfluxDB skips the byte after any backslash when it looks for the end of a
 * tag value, and would take what follows for a part of it. address: without a port.
 */
struct slice column_tag(struct reading *reading, const struct found *found, bool address);

/* The value as a text, cut at SCHEMA_TEXT_MAX_BYTES. */
struct slice column_text(struct reading *reading, const struct found *found);

/* A whole number: 200, 200.0, 4E4, or a string of the same. BAD_DATA names the path. */
enum status column_int(struct reading *reading, const struct found *found, const char *path,
                       int64_t *number, struct err *err);

/* A span of time in ns: a whole number, or a string as duration_parse() takes it. */
enum status column_duration(struct reading *reading, const struct found *found, const char *path,
                            int64_t *ns, struct err *err);

/* BAD_DATA "PATH: WHAT: 'the value'". */
enum status column_refuse(struct reading *reading, const struct found *found, const char *path,
                          const char *what, struct err *err);

#endif
