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

enum {
    ESCAPED_MAX = 2,   /* every byte may need a backslash */
    NUMBER_BYTES = 24, /* a sign, 19 digits, "i" and what separates it */
    NAMES_MAX = 1 + SCHEMA_TAGS_MAX + SCHEMA_FIELDS_MAX,
};

static size_t text_bytes(const struct value *value)
{
    size_t bytes = 0;
    for (size_t i = 0; value->kind == VALUE_TEXT && i < value->text.count; i++) {
        bytes += value->text.pieces[i].len;
    }
    return bytes;
}

/* Fills in the lengths of the schema's names (measurement, tags, fields) and returns how much room
 * the line needs at most. */
static size_t measure(const struct point *point, size_t *name_len)
{
    const struct schema *schema = point->schema;
    size_t bytes = *name_len++ = strlen(schema->measurement);
    for (size_t i = 0; i < schema->n_tags; i++) {
        *name_len = strlen(schema->tags[i]);
        bytes += *name_len++ + point->tags[i].len + 1; /* half of ",=" and more */
    }
    for (size_t i = 0; i < schema->n_fields; i++) {
        *name_len = strlen(schema->fields[i].name);
        bytes += *name_len++ + text_bytes(&point->fields[i]) + NUMBER_BYTES;
    }
    return ESCAPED_MAX * bytes + NUMBER_BYTES + ESCAPE_SPARE_BYTES;
}

/* --- writing; the room is there --- */

static const char two_digits[] = "00010203040506070809101112131415161718192021222324"
                                 "25262728293031323334353637383940414243444546474849"
                                 "50515253545556575859606162636465666768697071727374"
                                 "75767778798081828384858687888990919293949596979899";

/* Writes up to NUMBER_BYTES beyond the number. */
static char *put_number(char *to, int64_t number)
{
    char digits[2 * NUMBER_BYTES] = {0}; /* in the first half; the other is only copied along */
    size_t at = NUMBER_BYTES;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    for (; rest >= 10; rest /= 100) {
        at -= 2;
        memcpy(digits + at, two_digits + 2 * (rest % 100), 2);
    }
    if (rest || at == NUMBER_BYTES) {
        digits[--at] = (char)('0' + rest);
    }
    if (number < 0) {
        digits[--at] = '-';
    }
    memcpy(to, digits + at, NUMBER_BYTES); /* of a known length: no call */
    return to + (NUMBER_BYTES - at);
}

static char *put_tags(char *to, const struct point *point, const size_t *name_len)
{
    for (size_t i = 0; i < point->schema->n_tags; i++, name_len++) {
        if (point->tags[i].len == 0) {
            continue;
        }
        *to++ = ',';
        to = escape_tag_to(to, slice_make(point->schema->tags[i], *name_len));
        *to++ = '=';
        to = escape_tag_to(to, point->tags[i]);
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

static char *put_fields(char *to, const struct point *point, const size_t *name_len)
{
    char separator = ' ';
    for (size_t i = 0; i < point->schema->n_fields; i++, name_len++) {
        if (point->fields[i].kind == VALUE_ABSENT) {
            continue;
        }
        *to++ = separator;
        separator = ',';
        to = escape_tag_to(to, slice_make(point->schema->fields[i].name, *name_len));
        *to++ = '=';
        to = put_value(to, &point->fields[i]);
    }
    return to;
}

static char *put_line(char *to, const struct point *point, const size_t *name_lens)
{
    const struct schema *schema = point->schema;
    to = escape_measurement_to(to, slice_make(schema->measurement, name_lens[0]));
    to = put_tags(to, point, name_lens + 1);
    to = put_fields(to, point, name_lens + 1 + schema->n_tags);
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
static enum status encode_last(const struct point *point, const size_t *name_lens, size_t most,
                               struct buf *out)
{
    CLEANUP(buf_finish) struct buf apart = {.max = most};
    char *to = buf_room(&apart, most);
    apart.len = (size_t)(put_line(to, point, name_lens) - to);
    if (!fits(out, apart.len)) {
        return AGAIN;
    }
    buf_add(out, buf_slice(&apart));
    return OK;
}

static enum status encode(const struct point *point, struct buf *out)
{
    size_t name_lens[NAMES_MAX];
    size_t most = measure(point, name_lens);
    if (!fits(out, most)) {
        return encode_last(point, name_lens, most, out);
    }
    out->len = (size_t)(put_line(buf_room(out, most), point, name_lens) - out->at);
    return OK;
}

const struct encoder line_protocol_encoder = {
    .about = {.name = "line_protocol", .summary = "InfluxDB line protocol, times in nanoseconds"},
    .content_type = "text/plain; charset=utf-8",
    .suffix = ".lp",
    .encode = encode,
};
