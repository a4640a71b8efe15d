/* values: see values.h. */
#include "config/values.h"

#include "base/timestamp.h"

#include <inttypes.h>
#include <stdio.h>

struct unit {
    const char *name;
    int64_t factor;
};

/* From the largest on, as the duration of several parts must be written. */
static const struct unit duration_units[] = {
    {"d", NS_PER_DAY},
    {"h", NS_PER_HOUR},
    {"m", NS_PER_MINUTE},
    {"s", NS_PER_SECOND},
    {"ms", NS_PER_MS},
    {"us", INT64_C(1000)},
    {"ns", 1},
    {NULL, 0},
};

/* The first ones are those that value_bytes_text uses. */
static const struct unit byte_units[] = {
    {"TiB", INT64_C(1) << 40},
    {"GiB", INT64_C(1) << 30},
    {"MiB", INT64_C(1) << 20},
    {"KiB", INT64_C(1) << 10},
    {"B", 1},
    {"TB", INT64_C(1000000000000)},
    {"GB", INT64_C(1000000000)},
    {"MB", INT64_C(1000000)},
    {"kB", INT64_C(1000)},
    {"KB", INT64_C(1000)},
    {"", 1},
    {NULL, 0},
};

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Takes the digits at the beginning of text, at least one. */
static bool take_number(struct slice *text, int64_t *out)
{
    int64_t number = 0;
    size_t len = 0;
    for (; len < text->len && is_digit(text->at[len]); len++) {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, text->at[len] - '0', &number)) {
            return false;
        }
    }
    *text = slice_make(text->at + len, text->len - len);
    *out = number;
    return len > 0;
}

/* Takes what is there up to the next digit as the name of a unit. */
static const struct unit *take_unit(struct slice *text, const struct unit *units)
{
    size_t len = 0;
    while (len < text->len && !is_digit(text->at[len])) {
        len++;
    }
    struct slice name = slice_make(text->at, len);
    for (const struct unit *unit = units; unit->name; unit++) {
        if (slice_is(name, unit->name)) {
            *text = slice_make(text->at + len, text->len - len);
            return unit;
        }
    }
    return NULL;
}

bool value_bool(struct slice text, bool *out)
{
    bool is_true = slice_is(text, "true") || slice_is(text, "True") || slice_is(text, "TRUE");
    *out = is_true;
    return is_true || slice_is(text, "false") || slice_is(text, "False") || slice_is(text, "FALSE");
}

bool value_int(struct slice text, int64_t *out)
{
    bool is_negative = slice_starts(text, "-");
    if (is_negative || slice_starts(text, "+")) {
        text = slice_make(text.at + 1, text.len - 1);
    }
    int64_t number;
    if (!take_number(&text, &number) || text.len) {
        return false;
    }
    *out = is_negative ? -number : number;
    return true;
}

bool value_bytes(struct slice text, int64_t *out)
{
    int64_t number;
    if (!take_number(&text, &number)) {
        return false;
    }
    const struct unit *unit = take_unit(&text, byte_units);
    return unit && text.len == 0 && !__builtin_mul_overflow(number, unit->factor, out);
}

bool value_duration_ns(struct slice text, int64_t *out)
{
    if (slice_is(text, "0")) {
        *out = 0;
        return true;
    }
    int64_t sum = 0;
    const struct unit *left = duration_units;
    do {
        int64_t number, part;
        if (!take_number(&text, &number)) {
            return false;
        }
        const struct unit *unit = take_unit(&text, left);
        if (!unit || __builtin_mul_overflow(number, unit->factor, &part) ||
            __builtin_add_overflow(sum, part, &sum)) {
            return false;
        }
        left = unit + 1;
    } while (text.len);
    *out = sum;
    return true;
}

static const char *print(int64_t number, const struct unit *units, char text[VALUE_TEXT_BYTES])
{
    const struct unit *unit = units;
    while (unit->factor > 1 && (number == 0 || number % unit->factor)) {
        unit++;
    }
    snprintf(text, VALUE_TEXT_BYTES, "%" PRId64 "%s", number / unit->factor, unit->name);
    return text;
}

const char *value_bytes_text(int64_t bytes, char text[VALUE_TEXT_BYTES])
{
    return print(bytes, byte_units, text);
}

const char *value_duration_text(int64_t ns, char text[VALUE_TEXT_BYTES])
{
    return print(ns, duration_units, text);
}
