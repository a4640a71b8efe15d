/* decimal: see decimal.h. */
#include "base/decimal.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t count_digits(struct slice text, size_t from)
{
    size_t n = 0;
    while (from + n < text.len && is_digit(text.at[from + n])) {
        n++;
    }
    return n;
}

/* The parts of -123.450e+6. */
struct decimal {
    bool negative;
    struct slice whole, fraction;
    int64_t exponent;
};

/* Far beyond any exponent that a record's number of digits could make good for. */
enum { EXPONENT_MAX = 1000000000 };

/* "e+6" from `at` to the end of the text; nothing is an exponent of 0. */
static bool read_exponent(struct slice text, size_t at, int64_t *exponent)
{
    *exponent = 0;
    if (at == text.len) {
        return true;
    }
    if (text.at[at] != 'e' && text.at[at] != 'E') {
        return false;
    }
    at++;
    bool negative = at < text.len && text.at[at] == '-';
    at += at < text.len && (text.at[at] == '-' || text.at[at] == '+');
    size_t n = count_digits(text, at);
    for (size_t i = 0; i < n && *exponent < EXPONENT_MAX; i++) {
        *exponent = *exponent * 10 + (text.at[at + i] - '0');
    }
    *exponent = negative ? -*exponent : *exponent;
    return n > 0 && at + n == text.len;
}

static bool read_decimal(struct slice text, struct decimal *out)
{
    out->negative = text.len > 0 && text.at[0] == '-';
    size_t at = out->negative;
    out->whole = slice_make(text.at + at, count_digits(text, at));
    at += out->whole.len;
    out->fraction = slice_make(text.at + at, 0);
    if (at < text.len && text.at[at] == '.') {
        out->fraction = slice_make(text.at + at + 1, count_digits(text, at + 1));
        at += 1 + out->fraction.len;
        if (out->fraction.len == 0) {
            return false;
        }
    }
    return out->whole.len > 0 && read_exponent(text, at, &out->exponent);
}

/* number * 10 + digit, negative when asked for, so that the least int64_t can be reached. */
static bool append_digit(int64_t *number, int digit, bool negative)
{
    return !__builtin_mul_overflow(*number, 10, number) &&
           !__builtin_add_overflow(*number, negative ? -digit : digit, number);
}

/* Digits at and above the ones make the number; those below are zeros, or cut. */
static bool append_digits(struct slice digits, int64_t highest_power, bool negative,
                          enum decimal_rest rest, int64_t *number)
{
    for (size_t i = 0; i < digits.len; i++) {
        int digit = digits.at[i] - '0';
        bool below_ones = highest_power - (int64_t)i < 0;
        bool fits =
            below_ones ? digit == 0 || rest == DECIMAL_CUT : append_digit(number, digit, negative);
        if (!fits) {
            return false;
        }
    }
    return true;
}

bool decimal_parse(struct slice text, int power, enum decimal_rest rest, int64_t *number)
{
    struct decimal decimal;
    if (!read_decimal(text, &decimal)) {
        return false;
    }
    int64_t exponent = decimal.exponent + power;
    int64_t highest_power = (int64_t)decimal.whole.len - 1 + exponent;
    *number = 0;
    if (!append_digits(decimal.whole, highest_power, decimal.negative, rest, number) ||
        !append_digits(decimal.fraction, exponent - 1, decimal.negative, rest, number)) {
        return false;
    }
    int64_t zeros = exponent - (int64_t)decimal.fraction.len;
    while (zeros-- > 0 && *number != 0) {
        if (__builtin_mul_overflow(*number, 10, number)) {
            return false;
        }
    }
    return true;
}
