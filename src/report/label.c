/*
 * label: a long name as a picture has room for it. Pure; the tables have names whole.
 * See report.h.
 */
#include "base/cleanup.h"
#include "base/utf8.h"
#include "report/report.h"

#define ELLIPSIS "\xE2\x80\xA6"

enum {
    NAME_MAX_BYTES = 1024,
    REPAIRED_MAX_BYTES = 3 * NAME_MAX_BYTES, /* U+FFFD for one byte */
    SHOWN_BEFORE = 8,                        /* bytes before the place where names part */
};

/* The last characters of a text, at most max bytes of it. text is valid UTF-8. */
static struct slice end_of(struct slice text, size_t max)
{
    size_t at = text.len > max ? text.len - max : 0;
    while (at < text.len && ((unsigned char)text.at[at] & 0xC0) == 0x80) {
        at++;
    }
    return slice_make(text.at + at, text.len - at);
}

static struct slice first_end(struct slice name)
{
    return utf8_cut(name, REPORT_LABEL_MAX / 2);
}

static struct slice last_end(struct slice name)
{
    return end_of(name, REPORT_LABEL_MAX / 2);
}

static bool has_same_ends(struct slice a, struct slice b)
{
    return slice_equal(first_end(a), first_end(b)) && slice_equal(last_end(a), last_end(b));
}

static size_t shared_prefix(struct slice a, struct slice b)
{
    size_t n = 0;
    while (n < a.len && n < b.len && a.at[n] == b.at[n]) {
        n++;
    }
    return n;
}

/* A series' name as valid UTF-8: it was perhaps cut inside a character. */
static void add_name(const struct report_panel *panel, const struct report_grid *grid,
                     size_t series, struct buf *out)
{
    CLEANUP(buf_finish) struct buf name = {.max = NAME_MAX_BYTES};
    report_label(panel, grid, series, &name);
    utf8_repair(buf_slice(&name), out);
}

/* How many bytes a name shares with the most similar of the picture's names that have its ends;
 * 0: none has them. */
static size_t shared_with_others(const struct report_panel *panel, const struct report_grid *grid,
                                 size_t series, struct slice name)
{
    size_t shared = 0;
    for (size_t i = 0; i < grid->n_series && i < REPORT_SERIES_MAX; i++) {
        CLEANUP(buf_finish) struct buf other = {.max = REPAIRED_MAX_BYTES};
        add_name(panel, grid, i, &other);
        if (i != series && has_same_ends(buf_slice(&other), name)) {
            size_t n = shared_prefix(buf_slice(&other), name);
            shared = n > shared ? n : shared;
        }
    }
    return shared;
}

/* The name from shortly before the byte at which it parts from others. */
static void add_part(struct slice name, size_t at, struct buf *out)
{
    struct slice rest = end_of(name, name.len - at + SHOWN_BEFORE);
    buf_add_text(out, ELLIPSIS);
    if (rest.len <= REPORT_LABEL_MAX) {
        buf_add(out, end_of(name, REPORT_LABEL_MAX));
        return;
    }
    buf_add(out, utf8_cut(rest, REPORT_LABEL_MAX));
    buf_add_text(out, ELLIPSIS);
}

void report_short_label(const struct report_panel *panel, const struct report_grid *grid,
                        size_t series, struct buf *out)
{
    CLEANUP(buf_finish) struct buf whole = {.max = REPAIRED_MAX_BYTES};
    add_name(panel, grid, series, &whole);
    struct slice name = buf_slice(&whole);
    if (name.len <= REPORT_LABEL_MAX) {
        buf_add(out, name);
        return;
    }
    size_t shared = shared_with_others(panel, grid, series, name);
    if (shared) {
        add_part(name, shared, out);
        return;
    }
    buf_add(out, first_end(name));
    buf_add_text(out, ELLIPSIS);
    buf_add(out, last_end(name));
}
