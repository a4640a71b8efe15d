/*
 * redact: which keys are secret, and how their values are hidden. The list (any case, escapes
 * decoded): authorization, proxy-authorization, cookie, set-cookie, x-amz-security-token,
 * x-amz-signature, x-amz-credential, signature, x-amz-*-customer-key, *password*, secret*,
 * client_secret, *token Values become "<redacted>". Also inside JSON held in a string (first
 * character '{' or '[', three levels, deeper masked whole) and in the query of a URL held in a
 * string.
 */
#ifndef DATA_REDACT_H
#define DATA_REDACT_H

#include "base/buf.h"
#include "base/slice.h"

#define REDACTED_TEXT "<redacted>"
#define REDACTED_JSON "\"" REDACTED_TEXT "\""

/* key: decoded, any case. */
bool redact_is_secret(struct slice key);

/*
 * The content of a JSON string (between the quotes, still escaped) of which the scan saw that it
 * may hold JSON (first character) or a URL query ('?' and '='). Appends the text to show, escaped
 * the same way, and returns true; returns false and appends nothing when there is nothing to hide.
 * level: how many JSON strings this one is inside of, 0 to 2; a JSON text below that is masked
 * whole. When out is full, true and out->overflow.
 */
bool redact_string(struct slice content, int level, struct buf *out);

/* For bytes that are not JSON: appends them with the values that follow secret keys masked, erring
 * on the side of masking too much. At most max_bytes are appended. For dead letters. */
void redact_bytes(struct slice bytes, size_t max_bytes, struct buf *out);

#endif
