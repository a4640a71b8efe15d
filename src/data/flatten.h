/*
 * flatten: a record with its nested objects taken apart into dotted keys, for `message: flat`:
 *     {"a":{"b":1,"c":[2]}}  ->  {"a.b":1,"a.c":[2]}
 * Arrays, empty objects and all other values stay as they are written; spaces between keys and
 * values go. Keys that become equal both stay. Works on text that extract_record has accepted.
 * Called by data/record only.
 */
#ifndef DATA_FLATTEN_H
#define DATA_FLATTEN_H

#include "base/buf.h"
#include "base/slice.h"

/* Appends the flattened object. False: out is full and holds what fitted, cut anywhere. prefix is
 * scratch for the dotted keys, as long as the object at most. */
bool flatten_object(struct slice object, struct buf *prefix, struct buf *out);

/* Appends the names of the object's top-level keys, as written, ", " between them; those that fit
 * into out, then "...". */
void flatten_keys(struct slice object, struct buf *out);

#endif
