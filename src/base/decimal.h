/*
 * decimal: numbers as JSON writes them (RFC 8259 section 6), leading zeros allowed, read exactly:
 * no double in between, so that no digit is lost. Pure; for the columns of data/ and for times.
 */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include "base/slice.h"

#include <stdint.h>

enum decimal_rest { DECIMAL_WHOLE, DECIMAL_CUT };

/* text * 10^power. Digits below the ones must be zeros (DECIMAL_WHOLE) or are dropped
 * (DECIMAL_CUT). False when text is not a number, or not one that fits. */
bool decimal_parse(struct slice text, int power, enum decimal_rest rest, int64_t *number);

#endif
