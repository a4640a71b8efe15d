/*
 * json_lines: points as JSON, one object a line: measurement, the tags and fields that the point
 * has, under their own names, then the time:
 *     {"measurement":"audit-01","bucket":"logs","ttfb":12,"time":"2022-05-30T08:40:00.000000001Z"}
 * Called once per point by the sinks that write files and by `parse`. Integers are written in full;
 * readers that hold numbers as doubles lose digits beyond 2^53. No column is called measurement or
 * time (data/tables), so no name comes twice.
 */
#include "api/encoder.h"
#include "base/timestamp.h"
#include "data/escape.h"

static void add_string(struct buf *out, const struct text *text)
{
    buf_add_byte(out, '"');
    for (size_t i = 0; i < text->count; i++) {
        json_escape(out, text->pieces[i]);
    }
    buf_add_byte(out, '"');
}

static void add_slice(struct buf *out, struct slice text)
{
    add_string(out, &(struct text){&text, 1});
}

static void add_name(struct buf *out, const char *name)
{
    buf_add_byte(out, ',');
    add_slice(out, slice_of(name));
    buf_add_byte(out, ':');
}

static void add_tags(const struct point *point, struct buf *out)
{
    for (size_t i = 0; i < point->schema->n_tags; i++) {
        if (point->tags[i].len) {
            add_name(out, point->schema->tags[i]);
            add_slice(out, point->tags[i]);
        }
    }
}

static void add_fields(const struct point *point, struct buf *out)
{
    for (size_t i = 0; i < point->schema->n_fields; i++) {
        const struct value *value = &point->fields[i];
        if (value->kind == VALUE_ABSENT) {
            continue;
        }
        add_name(out, point->schema->fields[i].name);
        if (value->kind == VALUE_INT) {
            buf_add_int(out, value->number);
        } else {
            add_string(out, &value->text);
        }
    }
}

static enum status encode(const struct point *point, struct buf *out)
{
    size_t start = out->len;
    char time[TIMESTAMP_TEXT_BYTES];
    buf_add_text(out, "{\"measurement\":");
    add_slice(out, slice_of(point->schema->measurement));
    add_tags(point, out);
    add_fields(point, out);
    buf_printf(out, ",\"time\":\"%s\"}\n", timestamp_format_ns(point->time_ns, time));
    if (out->overflow) {
        out->len = start;
        out->overflow = false;
        return AGAIN;
    }
    return OK;
}

const struct encoder json_lines_encoder = {
    .about = {.name = "json_lines",
              .summary = "JSON, one object a line: measurement, tags, fields, time (RFC 3339)"},
    .content_type = "application/x-ndjson",
    .suffix = ".jsonl",
    .encode = encode,
};
