/*
 * escape: the copying loops that put a backslash before certain bytes, and their opposites. The
 * vector versions have portable twins; tests hold one against the other.
 */
#ifndef DATA_ESCAPE_H
#define DATA_ESCAPE_H

#include "base/buf.h"
#include "base/slice.h"

enum { ESCAPE_SPARE_BYTES = 64 }; /* what a step may write beyond its result */

/* Write text from `to` on and return what follows; `to` has room for twice the text and
 * ESCAPE_SPARE_BYTES. quoted: '"' and '\' escaped, as in a line protocol text field, or a JSON
 * string whose text has no control characters. tag, measurement: line protocol names, a tag's also
 * being those of tag values and field keys.
 * https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/#special-characters */
char *escape_quoted_to(char *to, struct slice text);
char *escape_tag_to(char *to, struct slice text);         /* comma, equals, space */
char *escape_measurement_to(char *to, struct slice text); /* comma, space */

/* The versions of escape_quoted_to, for tests to hold against each other. NULL: not on this
 * machine. */
enum escape_version { ESCAPE_PORTABLE, ESCAPE_AVX, ESCAPE_VBMI2, ESCAPE_VERSIONS };
char *escape_quoted_by(enum escape_version version, char *to, struct slice text);

/* Appends a JSON string's content with its escapes decoded. A surrogate without its partner becomes
 * U+FFFD; an escape that JSON does not have loses its backslash. False when out has no room for
 * content.len bytes, whether or not the result needs them all. */
bool json_unescape(struct buf *out, struct slice content);

/* The opposite: content of a JSON string for a text (no quotes around it). */
bool json_escape(struct buf *out, struct slice text);

#endif
