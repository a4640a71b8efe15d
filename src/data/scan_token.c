/*
 * scan_token: the tokens of JSON that are read byte by byte: numbers, words and escapes. Pure
 * functions for the walk of scan.c. They may look at up to five bytes beyond the end of the text
 * (EXTRACT_PADDING); the walk sees that a token does not end there.
 */
#include "data/scan.h"

/* The end of at least one digit, or NULL. */
static const char *digits_end(const char *at, const char *end)
{
    const char *from = at;
    while (at < end && *at >= '0' && *at <= '9') {
        at++;
    }
    return at > from ? at : NULL;
}

/* RFC 8259 section 6 */
static const char *number_end(const char *at, const char *end)
{
    at += *at == '-';
    at = *at == '0' ? at + 1 : digits_end(at, end);
    if (at && *at == '.') {
        at = digits_end(at + 1, end);
    }
    if (at && (*at == 'e' || *at == 'E')) {
        at++;
        at = digits_end(at + (*at == '+' || *at == '-'), end);
    }
    return at;
}

/* RFC 8259 section 3 */
static const char *word_end(const char *at, enum json_kind *kind)
{
    *kind = JSON_ABSENT;
    if (memcmp(at, "true", 4) == 0) {
        *kind = JSON_TRUE;
        return at + 4;
    }
    if (memcmp(at, "false", 5) == 0) {
        *kind = JSON_FALSE;
        return at + 5;
    }
    if (memcmp(at, "null", 4) == 0) {
        *kind = JSON_NULL;
        return at + 4;
    }
    return NULL;
}

const char *scan_literal_end(const char *at, const char *end, enum json_kind *kind)
{
    if (*at == '-' || (*at >= '0' && *at <= '9')) {
        *kind = JSON_NUMBER;
        return number_end(at, end);
    }
    return word_end(at, kind);
}

static bool is_hex(char byte)
{
    char low = byte | 0x20;
    return (byte >= '0' && byte <= '9') || (low >= 'a' && low <= 'f');
}

/* RFC 8259 section 7 */
const char *scan_escape_end(const char *at)
{
    switch (at[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return at + 2;
    case 'u':
        return is_hex(at[2]) && is_hex(at[3]) && is_hex(at[4]) && is_hex(at[5]) ? at + 6 : NULL;
    default:
        return NULL;
    }
}
