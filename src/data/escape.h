/*
 * escape: the copying loops that put a backslash before certain bytes, and their opposites. The
 * vector versions have portable twins; tests hold one against the other.
 */
#ifndef DATA_ESCAPE_H
#define DATA_ESCAPE_H

#include "base/buf.h"
#include "base/slice.h"

/* Appends text with '"' and '\' escaped: a line protocol text field or a JSON string whose text has
 * no control characters. False when out is full; nothing is appended then. */
bool escape_quoted(struct buf *out, struct slice text);
bool escape_quoted_portable(struct buf *out, struct slice text);

/* Line protocol names: measurement (comma and space), tag keys, tag values and field keys (comma,
 * equals, space).
 * https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/#special-characters */
bool escape_measurement(struct buf *out, struct slice text);
bool escape_tag(struct buf *out, struct slice text);

/* Appends a JSON string's content with its escapes decoded. A surrogate without its partner becomes
 * U+FFFD; an escape that JSON does not have loses its backslash. False when out has no room for
 * content.len bytes, whether or not the result needs them all. */
bool json_unescape(struct buf *out, struct slice content);

/* The opposite: content of a JSON string for a text (no quotes around it). */
bool json_escape(struct buf *out, struct slice text);

#endif
