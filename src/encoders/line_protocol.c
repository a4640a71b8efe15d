/*
 * line_protocol: points as InfluxDB reads them, one line each:
 *     measurement,tag=value field="text",other=1i 1653900000000000000
 * https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
 * Called once per point by the sinks and by `parse`; the cost of a record is mostly the one copy of
 * its message made here, so nothing is allocated and texts go straight into the caller's buffer.
 * It does not clean values: schema and point promise what line protocol can carry.
 */
#include "api/encoder.h"
#include "data/escape.h"

enum {
    ESCAPED_MAX = 2,  /* every byte may need a backslash */
    NUMBER_BYTES = 24 /* a sign, 19 digits, "i" and what separates it */
};

/* No more than this is written for the point: one reservation instead of many. */
static size_t upper_bound(const struct point *point)
{
    const struct schema *schema = point->schema;
    size_t bytes = ESCAPED_MAX * strlen(schema->measurement) + NUMBER_BYTES;
    for (size_t i = 0; i < schema->n_tags; i++) {
        bytes += ESCAPED_MAX * (strlen(schema->tags[i]) + point->tags[i].len) + 2;
    }
    for (size_t i = 0; i < schema->n_fields; i++) {
        bytes += ESCAPED_MAX * strlen(schema->fields[i].name) + NUMBER_BYTES;
        const struct text *text = &point->fields[i].text;
        for (size_t k = 0; point->fields[i].kind == VALUE_TEXT && k < text->count; k++) {
            bytes += ESCAPED_MAX * text->pieces[k].len;
        }
    }
    return bytes;
}

static void add_tags(const struct point *point, struct buf *out)
{
    for (size_t i = 0; i < point->schema->n_tags; i++) {
        if (point->tags[i].len == 0) {
            continue;
        }
        buf_add_byte(out, ',');
        escape_tag(out, slice_of(point->schema->tags[i]));
        buf_add_byte(out, '=');
        escape_tag(out, point->tags[i]);
    }
}

static void add_value(const struct value *value, struct buf *out)
{
    if (value->kind == VALUE_INT) {
        buf_add_int(out, value->number);
        buf_add_byte(out, 'i');
        return;
    }
    buf_add_byte(out, '"');
    for (size_t i = 0; i < value->text.count; i++) {
        escape_quoted(out, value->text.pieces[i]);
    }
    buf_add_byte(out, '"');
}

static void add_fields(const struct point *point, struct buf *out)
{
    char separator = ' ';
    for (size_t i = 0; i < point->schema->n_fields; i++) {
        if (point->fields[i].kind == VALUE_ABSENT) {
            continue;
        }
        buf_add_byte(out, separator);
        separator = ',';
        escape_tag(out, slice_of(point->schema->fields[i].name));
        buf_add_byte(out, '=');
        add_value(&point->fields[i], out);
    }
}

static enum status encode(const struct point *point, struct buf *out)
{
    size_t start = out->len, bound = upper_bound(point);
    if (!out->overflow && bound <= out->max - out->len) {
        buf_room(out, bound); /* near the maximum the exact need decides, piece by piece */
    }
    escape_measurement(out, slice_of(point->schema->measurement));
    add_tags(point, out);
    add_fields(point, out);
    buf_add_byte(out, ' ');
    buf_add_int(out, point->time_ns);
    buf_add_byte(out, '\n');
    if (out->overflow) {
        out->len = start;
        out->overflow = false;
        return AGAIN;
    }
    return OK;
}

const struct encoder line_protocol_encoder = {
    .about = {.name = "line_protocol", .summary = "InfluxDB line protocol, times in nanoseconds"},
    .content_type = "text/plain; charset=utf-8",
    .suffix = ".lp",
    .encode = encode,
};
