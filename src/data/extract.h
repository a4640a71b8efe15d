/*
 * extract: one pass over a record's bytes that validates it as JSON (RFC 8259), finds the values of
 * declared paths, notes which top-level keys it has, and notes what is to be redacted. Nothing is
 * allocated per record once the buffers have grown. A record must be an object; depth at most
 * 1,000.
 *
 * The input must be followed by EXTRACT_PADDING readable, initialised bytes: the scanner reads in
 * 64-byte steps. Called by data/record only (and its tests).
 */
#ifndef DATA_EXTRACT_H
#define DATA_EXTRACT_H

#include "api/status.h"
#include "base/slice.h"

#include <stdint.h>

enum { EXTRACT_PADDING = 64, EXTRACT_PATHS_MAX = 512, EXTRACT_KEYS_MAX = 64, EXTRACT_DEPTH = 1000 };

struct extract; /* compiled paths and the scratch of one thread */

/*
 * Compiles paths ("a.b.c", keys joined by '.'; "\\." is a dot within a key) and top-level keys.
 * Slot i of the result is paths[i]; bit i of keys_seen is keys[i]. Equal paths are allowed. Never
 * fails for n_paths <= EXTRACT_PATHS_MAX and n_keys <= EXTRACT_KEYS_MAX (the caller checks).
 */
struct extract *extract_new(const char *const *paths, size_t n_paths, const char *const *keys,
                            size_t n_keys);
void extract_free(struct extract *extract);

enum json_kind {
    JSON_ABSENT,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
    JSON_OBJECT,
    JSON_ARRAY
};

struct found {
    enum json_kind kind;
    bool escaped;  /* a string with at least one backslash: decode before use */
    bool redacted; /* at or below a secret key, or with something secret in it: raw is what may be
                      shown instead. What is hidden as a whole has kind JSON_STRING; a null never
                      is */
    struct slice raw; /* the text between the quotes of a string, the whole text of anything else */
};

/* Bytes [from, to) of the record are to be shown as `with`. In order, not overlapping. */
struct edit {
    size_t from, to;
    struct slice with;
};

struct extracted {
    struct found *slots; /* [n_paths] */
    uint64_t keys_seen;
    struct edit *edits;
    size_t n_edits;
    uint32_t duplicate_keys; /* second and later occurrences of declared paths or of keys on the way
                                to one; the first counts */
    bool printable; /* a string of the record without escapes is printable ASCII: JSON allows
                       nothing below ' ' in it, and nothing beyond '~' is there */
};

/* OK; AGAIN: not UTF-8, to be given again as data/utf8 repairs it; or BAD_DATA with what is wrong
 * and at which byte ("byte 17: a comma or '}' is missing"). The result borrows from record and from
 * extract, until the next call. */
enum status extract_record(struct extract *extract, struct slice record, struct extracted *out,
                           struct err *err);

/* The portable twin of the same, for tests to hold against it. */
enum status extract_record_portable(struct extract *extract, struct slice record,
                                    struct extracted *out, struct err *err);

#endif
