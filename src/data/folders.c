/* folders: see folders.h. */
#include "data/folders.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "base/timestamp.h"

#include <ctype.h>
#include <xxhash.h>

#define FARTHEST_ZONE_NS (14 * NS_PER_HOUR)

/* --- the template --- */

static enum folders_step step_of(char letter)
{
    switch (letter) {
    case 'Y':
        return FOLDERS_YEARLY;
    case 'm':
    case 'B':
    case 'b':
        return FOLDERS_MONTHLY;
    case 'd':
        return FOLDERS_DAILY;
    case 'H':
        return FOLDERS_HOURLY;
    default:
        return FOLDERS_FIXED;
    }
}

enum status folders_parse(struct folders *out, const char *template, struct err *err)
{
    size_t len = strlen(template);
    if (len > FOLDERS_TEMPLATE_MAX_BYTES) {
        return err_set(err, BAD_CONFIG, "%zu bytes long: %d is the most", len,
                       FOLDERS_TEMPLATE_MAX_BYTES);
    }
    *out = (struct folders){.step = FOLDERS_FIXED};
    memcpy(out->template, template, len);
    for (size_t i = 0; i < len; i++) {
        if (template[i] != '%') {
            continue;
        }
        char letter = template[++i];
        enum folders_step step = step_of(letter);
        if (letter == '\0') {
            return err_set(err, BAD_CONFIG, "byte %zu: a letter is missing after %%", i);
        }
        if (step == FOLDERS_FIXED && letter != '%') {
            return err_set(err, BAD_CONFIG,
                           "byte %zu: %%%c is not known (%%Y %%m %%d %%B %%b %%H %%%%)", i,
                           isprint((unsigned char)letter) ? letter : '?');
        }
        out->step = step > out->step ? step : out->step;
    }
    return OK;
}

/* --- prefixes of a window --- */

static void add_part(struct buf *out, char letter, const struct civil *date)
{
    switch (letter) {
    case 'Y':
        buf_printf(out, "%04d", date->year);
        break;
    case 'm':
        buf_printf(out, "%02d", date->month);
        break;
    case 'd':
        buf_printf(out, "%02d", date->day);
        break;
    case 'H':
        buf_printf(out, "%02d", date->hour);
        break;
    case 'B':
        buf_add_text(out, timestamp_months[date->month - 1]);
        break;
    case 'b':
        buf_add(out, slice_make(timestamp_months[date->month - 1], 3));
        break;
    default:
        buf_add_byte(out, letter);
    }
}

static void format_prefix(const struct folders *folders, int64_t ns, struct buf *out)
{
    struct civil date = timestamp_civil(ns);
    buf_clear(out);
    for (const char *at = folders->template; *at; at++) {
        if (*at == '%') {
            add_part(out, *++at, &date);
        } else {
            buf_add_byte(out, *at);
        }
    }
}

/* The first moment of the hour or day after the one ns is in; false beyond the end of time. */
static bool next_multiple(int64_t ns, int64_t unit_ns, int64_t *next)
{
    int64_t into = ns % unit_ns;
    if (into < 0) {
        into += unit_ns;
    }
    return !__builtin_add_overflow(ns, unit_ns - into, next);
}

static bool next_start(enum folders_step step, int64_t ns, int64_t *next)
{
    if (step == FOLDERS_FIXED) {
        return false;
    }
    if (step == FOLDERS_HOURLY || step == FOLDERS_DAILY) {
        return next_multiple(ns, step == FOLDERS_HOURLY ? NS_PER_HOUR : NS_PER_DAY, next);
    }
    struct civil now = timestamp_civil(ns);
    struct civil start = {.year = now.year + 1, .month = 1, .day = 1};
    if (step == FOLDERS_MONTHLY && now.month < 12) {
        start.year = now.year;
        start.month = now.month + 1;
    }
    return timestamp_from_civil(&start, next);
}

/* The distinct prefixes so far, in order, and a hash table of them: a template without a year
 * comes back to the same prefix after a year. */
enum { SLOTS = 32768 }; /* a power of two, more than 3 * FOLDERS_MAX */

struct prefixes {
    struct arena text;
    size_t n;
    struct slice items[FOLDERS_MAX];
    uint16_t slots[SLOTS]; /* index + 1; 0 = free */
};

static void prefixes_free(struct prefixes **prefixes)
{
    arena_finish(&(*prefixes)->text);
    free(*prefixes);
}

/* False when there is no room for one more. */
static bool prefixes_add(struct prefixes *to, struct slice prefix)
{
    size_t slot = XXH3_64bits(prefix.at, prefix.len) % SLOTS;
    while (to->slots[slot]) {
        if (slice_equal(to->items[to->slots[slot] - 1], prefix)) {
            return true;
        }
        slot = (slot + 1) % SLOTS;
    }
    if (to->n == FOLDERS_MAX) {
        return false;
    }
    to->items[to->n++] = slice_make(arena_text(&to->text, prefix), prefix.len);
    to->slots[slot] = (uint16_t)to->n;
    return true;
}

/* The first and the last moment whose folder counts, kept within what int64_t holds. */
static struct window widen(struct window window, int64_t look_back_ns)
{
    struct window wide;
    if (__builtin_sub_overflow(window.from_ns, look_back_ns, &wide.from_ns)) {
        wide.from_ns = INT64_MIN;
    }
    if (__builtin_add_overflow(window.to_ns, FARTHEST_ZONE_NS - 1, &wide.to_ns)) {
        wide.to_ns = INT64_MAX;
    }
    return wide;
}

static enum status collect(const struct folders *folders, struct window moments,
                           struct prefixes *prefixes, struct err *err)
{
    CLEANUP(buf_finish) struct buf prefix = {.max = FOLDERS_PREFIX_MAX_BYTES};
    int64_t ns = moments.from_ns;
    do {
        format_prefix(folders, ns, &prefix);
        if (!prefixes_add(prefixes, buf_slice(&prefix))) {
            return err_set(err, BAD_CONFIG,
                           "the window touches more than %d folders of %s: take a shorter one",
                           FOLDERS_MAX, folders->template);
        }
    } while (next_start(folders->step, ns, &ns) && ns <= moments.to_ns);
    return OK;
}

enum status folders_each(const struct folders *folders, struct window window, int64_t look_back_ns,
                         enum status (*each)(void *with, struct slice prefix, struct err *err),
                         void *with, struct err *err)
{
    if (window.from_ns >= window.to_ns) {
        return OK;
    }
    CLEANUP(prefixes_free) struct prefixes *prefixes = memory_new(sizeof *prefixes);
    enum status status = collect(folders, widen(window, look_back_ns), prefixes, err);
    for (size_t i = 0; status == OK && i < prefixes->n; i++) {
        status = each(with, prefixes->items[i], err);
    }
    return status;
}

/* --- matching --- */

/* A number of so many digits within [least, most]. */
static bool take_number(struct slice *text, size_t digits, int least, int most)
{
    if (text->len < digits) {
        return false;
    }
    int number = 0;
    for (size_t i = 0; i < digits; i++) {
        char digit = text->at[i];
        if (digit < '0' || digit > '9') {
            return false;
        }
        number = number * 10 + (digit - '0');
    }
    *text = slice_make(text->at + digits, text->len - digits);
    return number >= least && number <= most;
}

static bool take_text(struct slice *text, struct slice wanted)
{
    if (text->len < wanted.len || memcmp(text->at, wanted.at, wanted.len) != 0) {
        return false;
    }
    *text = slice_make(text->at + wanted.len, text->len - wanted.len);
    return true;
}

/* letters: 3, or 0 for the whole name. No name begins with another, so the first hit is the one. */
static bool take_month(struct slice *text, size_t letters)
{
    for (size_t i = 0; i < 12; i++) {
        const char *name = timestamp_months[i];
        if (take_text(text, slice_make(name, letters ? letters : strlen(name)))) {
            return true;
        }
    }
    return false;
}

static bool take_part(struct slice *text, char letter)
{
    switch (letter) {
    case 'Y':
        return take_number(text, 4, 0, 9999);
    case 'm':
        return take_number(text, 2, 1, 12);
    case 'd':
        return take_number(text, 2, 1, 31);
    case 'H':
        return take_number(text, 2, 0, 23);
    case 'B':
        return take_month(text, 0);
    case 'b':
        return take_month(text, 3);
    default:
        return take_text(text, slice_make(&letter, 1));
    }
}

bool folders_match_first(const struct folders *folders, struct slice name)
{
    for (const char *at = folders->template; *at; at++) {
        bool fits = *at == '%' ? take_part(&name, *++at) : take_text(&name, slice_make(at, 1));
        if (!fits) {
            return false;
        }
        if (*at == '/') {
            return name.len == 0;
        }
    }
    return true; /* a template without "/" is a prefix: what follows is free */
}
