/*
 * line_protocol: points as InfluxDB reads them, one line each:
 *     measurement,tag=value field="text",other=1i 1653900000000000000
 * https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
 * Called once per point by the sinks and by `parse`; the cost of a record is mostly the one copy of
 * its message made here. So the room a line may need is reserved once, and everything is written
 * straight into the caller's buffer. It does not clean values: schema and point promise what line
 * protocol can carry.
 */
#include "api/encoder.h"
#include "base/cleanup.h"
#include "data/escape.h"
#include "data/line_names.h"

#include <endian.h>

enum {
    ESCAPED_MAX = 2,   /* every byte may need a backslash */
    NUMBER_BYTES = 24, /* a sign, 19 digits, "i" and what separates it; or quotes and that */
};

static size_t text_bytes(const struct value *value)
{
    size_t bytes = 0;
    for (size_t i = 0; value->kind == VALUE_TEXT && i < value->text.count; i++) {
        bytes += value->text.pieces[i].len;
    }
    return bytes;
}

/* How much room the line needs at most. */
static size_t measure(const struct point *point, const struct line_names *names)
{
    const struct schema *schema = point->schema;
    size_t values = 0;
    for (size_t i = 0; i < schema->n_tags; i++) {
        values += point->tags[i].len;
    }
    for (size_t i = 0; i < schema->n_fields; i++) {
        values += text_bytes(&point->fields[i]);
    }
    return names->bytes + ESCAPED_MAX * values + NUMBER_BYTES * (schema->n_fields + 1) +
           ESCAPE_SPARE_BYTES;
}

/* --- writing; the room is there --- */

enum { DIGITS = 8 }; /* that are written at a time */

static const uint64_t TEN_TO_8 = 100000000;

/* The digits of a number below 10^8, the first in the lowest byte: halves, then pairs, then digits
 * are divided side by side in one word. */
static uint64_t eight_digits(uint64_t number)
{
    uint64_t halves = number / 10000 | number % 10000 << 32;
    uint64_t hundreds = halves * 10486 >> 20 & UINT64_C(0x7F0000007F); /* each half / 100 */
    uint64_t pairs = hundreds | (halves - hundreds * 100) << 16;
    uint64_t tens = pairs * 103 >> 10 & UINT64_C(0x000F000F000F000F); /* each pair / 10 */
    return tens | (pairs - tens * 10) << 8;
}

static char *put_digits(char *to, uint64_t digits, unsigned n)
{
    uint64_t text = htole64(digits + UINT64_C(0x3030303030303030));
    memcpy(to, &text, sizeof text);
    return to + n;
}

/* Without zeros in front, but for 0 itself. */
static char *put_first_digits(char *to, uint64_t number)
{
    uint64_t digits = eight_digits(number);
    unsigned zeros = number ? (unsigned)__builtin_ctzll(digits) / 8 : DIGITS - 1;
    return put_digits(to, digits >> 8 * zeros, DIGITS - zeros);
}

/* Writes up to DIGITS bytes beyond the number. */
static char *put_number(char *to, int64_t number)
{
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    *to = '-';
    to += number < 0;
    if (rest < TEN_TO_8) {
        return put_first_digits(to, rest);
    }
    uint64_t high = rest / TEN_TO_8;
    if (high < TEN_TO_8) {
        to = put_first_digits(to, high);
    } else {
        to = put_first_digits(to, high / TEN_TO_8);
        to = put_digits(to, eight_digits(high % TEN_TO_8), DIGITS);
    }
    return put_digits(to, eight_digits(rest % TEN_TO_8), DIGITS);
}

static char *put_tags(char *to, const struct point *point, const struct line_names *names)
{
    for (size_t i = 0; i < point->schema->n_tags; i++) {
        if (point->tags[i].len) {
            to = escape_tag_to(line_name_put(to, names->tags[i]), point->tags[i]);
        }
    }
    return to;
}

static char *put_value(char *to, const struct value *value)
{
    if (value->kind == VALUE_INT) {
        to = put_number(to, value->number);
        *to++ = 'i';
        return to;
    }
    *to++ = '"';
    for (size_t i = 0; i < value->text.count; i++) {
        to = escape_quoted_to(to, value->text.pieces[i]);
    }
    *to++ = '"';
    return to;
}

static char *put_fields(char *to, const struct point *point, const struct line_names *names)
{
    char separator = ' ';
    for (size_t i = 0; i < point->schema->n_fields; i++) {
        if (point->fields[i].kind == VALUE_ABSENT) {
            continue;
        }
        *to++ = separator;
        separator = ',';
        to = put_value(line_name_put(to, names->fields[i]), &point->fields[i]);
    }
    return to;
}

static char *put_line(char *to, const struct point *point, const struct line_names *names)
{
    to = line_name_put(to, names->measurement);
    to = put_tags(to, point, names);
    to = put_fields(to, point, names);
    *to++ = ' ';
    to = put_number(to, point->time_ns);
    *to++ = '\n';
    return to;
}

static bool fits(const struct buf *out, size_t bytes)
{
    return !out->overflow && bytes <= out->max - out->len;
}

/* Near out's maximum what the line really needs decides. */
static enum status encode_last(const struct point *point, const struct line_names *names,
                               size_t most, struct buf *out)
{
    CLEANUP(buf_finish) struct buf apart = {.max = most};
    char *to = buf_room(&apart, most);
    apart.len = (size_t)(put_line(to, point, names) - to);
    if (!fits(out, apart.len)) {
        return AGAIN;
    }
    buf_add(out, buf_slice(&apart));
    return OK;
}

static enum status encode_named(const struct point *point, const struct line_names *names,
                                struct buf *out)
{
    size_t most = measure(point, names);
    if (!fits(out, most)) {
        return encode_last(point, names, most, out);
    }
    out->len = (size_t)(put_line(buf_room(out, most), point, names) - out->at);
    return OK;
}

static enum status encode_unnamed(const struct point *point, struct buf *out)
{
    CLEANUP(line_names_finish) struct line_names names = {.bytes = 0};
    line_names_make(&names, point->schema);
    return encode_named(point, &names, out);
}

static enum status encode(const struct point *point, struct buf *out)
{
    const struct line_names *names = point->schema->line;
    return names ? encode_named(point, names, out) : encode_unnamed(point, out);
}

const struct encoder line_protocol_encoder = {
    .about = {.name = "line_protocol", .summary = "InfluxDB line protocol, times in nanoseconds"},
    .content_type = "text/plain; charset=utf-8",
    .suffix = ".lp",
    .encode = encode,
};
