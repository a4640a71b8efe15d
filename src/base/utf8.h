/* utf8: is it, and if not, the nearest text that is. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"
#include "base/slice.h"

/* Bytes from the start that are valid UTF-8 (RFC 3629: no surrogates, nothing above U+10FFFF,
 * shortest form). */
size_t utf8_valid_prefix(struct slice text);

/* Appends text with each maximal subpart of an ill-formed sequence as one U+FFFD (Unicode 3.9, as
 * Python's errors="replace" does); returns how many there were. */
size_t utf8_repair(struct slice text, struct buf *out);

/* The longest prefix of at most max bytes that ends at a character. text is valid UTF-8. */
struct slice utf8_cut(struct slice text, size_t max);

#endif
