/*
 * lines: see lines.h. A record that lies whole in a chunk is handed on where it lies; only what a
 * chunk's end cuts, or leaves without LINES_PADDING bytes behind it, is copied into the carry. So
 * callers owe no padding, and the copies are one or two records per chunk.
 */
#include "input/lines.h"

#include "base/memory.h"

#include <stdlib.h>
#include <xxhash.h>

enum { CARRY_BYTES = LINES_RECORD_MAX + 1 }; /* the longest record and its CR */

static const char byte_order_mark[] = "\xEF\xBB\xBF";
enum { MARK_BYTES = sizeof byte_order_mark - 1 };

struct lines {
    struct byte_sink sink; /* first: lines_sink() is a view of it */
    struct record_sink *to;
    uint64_t line;       /* the number of the line being read */
    size_t mark_matched; /* bytes of the mark seen; MARK_BYTES: no longer looked for */

    /* The line so far when it began in an earlier chunk; of an oversized line its first bytes. */
    size_t carried;

    /* An oversized line, whose bytes are counted and hashed but not kept. */
    bool oversized;
    bool cr_held;   /* the last byte was a CR: of the record, or of the line's end? */
    bool all_blank; /* nothing but spaces, tabs and CR so far */
    uint64_t len;
    XXH3_state_t *hash;

    char carry[CARRY_BYTES + LINES_PADDING]; /* zeroed at birth, so all of it is initialised */
};

static bool is_blank(struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        char c = bytes.at[i];
        if (c != ' ' && c != '\t' && c != '\r') {
            return false;
        }
    }
    return true;
}

static struct slice without_cr(struct slice line)
{
    if (line.len && line.at[line.len - 1] == '\r') {
        line.len--;
    }
    return line;
}

static void append(struct lines *lines, struct slice bytes)
{
    memmove(lines->carry + lines->carried, bytes.at, bytes.len);
    lines->carried += bytes.len;
}

static void oversized_absorb(struct lines *lines, struct slice bytes)
{
    XXH3_64bits_update(lines->hash, bytes.at, bytes.len);
    lines->len += bytes.len;
    lines->all_blank = lines->all_blank && is_blank(bytes);
    if (lines->carried < LINES_KEPT_BYTES) {
        size_t room = LINES_KEPT_BYTES - lines->carried;
        append(lines, slice_make(bytes.at, bytes.len < room ? bytes.len : room));
    }
}

static void oversized_add(struct lines *lines, struct slice bytes)
{
    if (bytes.len == 0) {
        return;
    }
    if (lines->cr_held) {
        oversized_absorb(lines, slice_make("\r", 1));
    }
    struct slice sure = without_cr(bytes);
    lines->cr_held = sure.len < bytes.len;
    if (sure.len) {
        oversized_absorb(lines, sure);
    }
}

/* The line turned out too long to be held: what was carried of it becomes its start. */
static void oversized_begin(struct lines *lines)
{
    struct slice start = slice_make(lines->carry, lines->carried);
    lines->carried = 0;
    lines->oversized = true;
    lines->cr_held = false;
    lines->all_blank = true;
    lines->len = 0;
    XXH3_64bits_reset(lines->hash);
    oversized_add(lines, start);
}

static enum status oversized_end(struct lines *lines, struct err *err)
{
    struct slice start = slice_make(lines->carry, lines->carried);
    lines->oversized = false;
    lines->carried = 0;
    if (lines->all_blank) {
        return OK;
    }
    return lines->to->oversized(lines->to, start, lines->len, XXH3_64bits_digest(lines->hash),
                                lines->line, err);
}

/* Keeps a piece of a line until the rest of the line is there. */
static void hold(struct lines *lines, struct slice piece)
{
    if (!lines->oversized && piece.len <= CARRY_BYTES - lines->carried) {
        append(lines, piece);
        return;
    }
    if (!lines->oversized) {
        oversized_begin(lines);
    }
    oversized_add(lines, piece);
}

static enum status deliver(struct lines *lines, struct slice record, struct err *err)
{
    return is_blank(record) ? OK : lines->to->record(lines->to, record, lines->line, err);
}

/* The line that was held is complete. */
static enum status deliver_held(struct lines *lines, struct err *err)
{
    struct slice record = without_cr(slice_make(lines->carry, lines->carried));
    if (!lines->oversized && record.len > LINES_RECORD_MAX) {
        oversized_begin(lines);
    }
    if (lines->oversized) {
        return oversized_end(lines, err);
    }
    lines->carried = 0;
    return deliver(lines, record, err);
}

/* line: without its LF; behind: how many bytes of the chunk come after it, the LF among them. */
static enum status line_end(struct lines *lines, struct slice line, size_t behind, struct err *err)
{
    struct slice record = without_cr(line);
    bool begins_here = lines->carried == 0 && !lines->oversized;
    if (begins_here && record.len <= LINES_RECORD_MAX && behind >= LINES_PADDING) {
        return deliver(lines, record, err);
    }
    hold(lines, line);
    return deliver_held(lines, err);
}

/* Drops a byte order mark at the very start, also one that comes in pieces. */
static struct slice drop_mark(struct lines *lines, struct slice bytes)
{
    while (bytes.len && lines->mark_matched < MARK_BYTES) {
        if (bytes.at[0] != byte_order_mark[lines->mark_matched]) {
            hold(lines, slice_make(byte_order_mark, lines->mark_matched));
            lines->mark_matched = MARK_BYTES;
            return bytes;
        }
        lines->mark_matched++;
        bytes = slice_make(bytes.at + 1, bytes.len - 1);
    }
    return bytes;
}

static enum status take_bytes(struct byte_sink *to, struct slice bytes, struct err *err)
{
    struct lines *lines = (struct lines *)to;
    if (lines->mark_matched < MARK_BYTES) {
        bytes = drop_mark(lines, bytes);
    }
    while (bytes.len) {
        const char *lf = memchr(bytes.at, '\n', bytes.len);
        if (!lf) {
            hold(lines, bytes);
            return OK;
        }
        size_t len = (size_t)(lf - bytes.at);
        size_t behind = bytes.len - len;
        enum status status = line_end(lines, slice_make(bytes.at, len), behind, err);
        if (status != OK) {
            return status;
        }
        lines->line++;
        bytes = slice_make(lf + 1, behind - 1);
    }
    return OK;
}

struct lines *lines_new(void)
{
    struct lines *lines = memory_new(sizeof *lines);
    lines->sink.bytes = take_bytes;
    lines->hash = XXH3_createState();
    if (!lines->hash) {
        abort(); /* as base/memory does */
    }
    return lines;
}

void lines_free(struct lines *lines)
{
    if (lines) {
        XXH3_freeState(lines->hash);
        free(lines);
    }
}

void lines_begin(struct lines *lines, struct record_sink *to)
{
    lines->to = to;
    lines->line = 1;
    lines->mark_matched = 0;
    lines->carried = 0;
    lines->oversized = false;
}

struct byte_sink *lines_sink(struct lines *lines)
{
    return &lines->sink;
}

enum status lines_end(struct lines *lines, struct err *err)
{
    if (lines->mark_matched < MARK_BYTES) { /* a mark cut short is a text like any other */
        hold(lines, slice_make(byte_order_mark, lines->mark_matched));
        lines->mark_matched = MARK_BYTES;
    }
    return lines->carried || lines->oversized ? deliver_held(lines, err) : OK;
}
