/*
 * values: numbers, sizes and durations as an operator writes them. Called by config/options above
 * all. Pure; knows nothing of YAML. Each is false when text is not such a value or does not fit an
 * int64_t.
 */
#ifndef CONFIG_VALUES_H
#define CONFIG_VALUES_H

#include "base/slice.h"

#include <stdint.h>

bool value_bool(struct slice text, bool *out);           /* true, True, TRUE, false, ... */
bool value_int(struct slice text, int64_t *out);         /* decimal, perhaps with a sign */
bool value_bytes(struct slice text, int64_t *out);       /* 1024, 1kB = 1000, 4MiB = 4 * 2^20 */
bool value_duration_ns(struct slice text, int64_t *out); /* 30s, 500ms, 1h30m, 35d; 0 */

/* The opposite, in the largest unit that divides the number. */
enum { VALUE_TEXT_BYTES = 32 };
const char *value_bytes_text(int64_t bytes, char text[VALUE_TEXT_BYTES]);
const char *value_duration_text(int64_t ns, char text[VALUE_TEXT_BYTES]);

#endif
