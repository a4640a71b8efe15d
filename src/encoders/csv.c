/*
 * csv: points as comma-separated values (RFC 4180, but lines end in LF): time, measurement, the
 * tags and the fields of the schema, in its order. Called once per point by the sinks that write
 * files and by `parse`; a header line comes with each change of schema, so that a file can hold one
 * measurement or, as with `parse`, several tables one below the other.
 *
 * An absent value is an empty cell, an empty text is "" in quotes. Cells are never changed to
 * please spreadsheets: a text that begins with "=" stays what the record said.
 */
#include "api/encoder.h"
#include "base/timestamp.h"

static bool needs_quotes(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == ',' || text.at[i] == '"' || text.at[i] == '\n' || text.at[i] == '\r') {
            return true;
        }
    }
    return false;
}

/* Within quotes, a quote is written twice. */
static void add_doubled(struct buf *out, struct slice text)
{
    while (text.len) {
        const char *quote = memchr(text.at, '"', text.len);
        size_t len = quote ? (size_t)(quote - text.at) + 1 : text.len;
        buf_add(out, slice_make(text.at, len));
        if (quote) {
            buf_add_byte(out, '"');
        }
        text = slice_make(text.at + len, text.len - len);
    }
}

static void add_text(struct buf *out, const struct text *text)
{
    bool quoted = false;
    size_t len = 0;
    for (size_t i = 0; i < text->count; i++) {
        len += text->pieces[i].len;
        quoted = quoted || needs_quotes(text->pieces[i]);
    }
    quoted = quoted || len == 0;
    if (quoted) {
        buf_add_byte(out, '"');
    }
    for (size_t i = 0; i < text->count; i++) {
        if (quoted) {
            add_doubled(out, text->pieces[i]);
        } else {
            buf_add(out, text->pieces[i]);
        }
    }
    if (quoted) {
        buf_add_byte(out, '"');
    }
}

static void add_slice(struct buf *out, struct slice text)
{
    add_text(out, &(struct text){&text, 1});
}

static void add_tag(struct buf *out, struct slice tag)
{
    buf_add_byte(out, ',');
    if (tag.len) { /* an empty tag is an absent one */
        add_slice(out, tag);
    }
}

static void add_field(struct buf *out, const struct value *value)
{
    buf_add_byte(out, ',');
    if (value->kind == VALUE_INT) {
        buf_add_int(out, value->number);
    } else if (value->kind == VALUE_TEXT) {
        add_text(out, &value->text);
    }
}

/* Ends the line; all of it is there or nothing. */
static enum status line_end(struct buf *out, size_t start)
{
    buf_add_byte(out, '\n');
    if (out->overflow) {
        out->len = start;
        out->overflow = false;
        return AGAIN;
    }
    return OK;
}

static enum status begin(const struct schema *schema, struct buf *out)
{
    size_t start = out->len;
    buf_add_text(out, "time,measurement");
    for (size_t i = 0; i < schema->n_tags; i++) {
        add_tag(out, slice_of(schema->tags[i]));
    }
    for (size_t i = 0; i < schema->n_fields; i++) {
        add_tag(out, slice_of(schema->fields[i].name));
    }
    return line_end(out, start);
}

static enum status encode(const struct point *point, struct buf *out)
{
    size_t start = out->len;
    char time[TIMESTAMP_TEXT_BYTES];
    buf_add_text(out, timestamp_format_ns(point->time_ns, time));
    add_tag(out, slice_of(point->schema->measurement));
    for (size_t i = 0; i < point->schema->n_tags; i++) {
        add_tag(out, point->tags[i]);
    }
    for (size_t i = 0; i < point->schema->n_fields; i++) {
        add_field(out, &point->fields[i]);
    }
    return line_end(out, start);
}

const struct encoder csv_encoder = {
    .about = {.name = "csv",
              .summary = "comma-separated values: time, measurement, tags, fields; a header line "
                         "in front of each measurement"},
    .content_type = "text/csv; charset=utf-8; header=present",
    .suffix = ".csv",
    .begin = begin,
    .encode = encode,
};
