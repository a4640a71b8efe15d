/* cron: see cron.h. */
#include "schedule/cron.h"

#include "base/timestamp.h"

#include <strings.h>

enum { YEARS_AHEAD = 9 }; /* the rarest date, 29 February, is at most 8 years away (1896 to 1904) */

static const int64_t day_s = 86400;

/* No zone is farther from UTC than 26 hours, and none was put back by more than a day. */
#define CHANGE_REACH_S (3 * INT64_C(86400))

/* To either side of 1970, 287 years: within what schedule/zone knows, which is within what a
 * timestamp in nanoseconds holds. */
static const int64_t reach_days = 105000;

/* --- reading --- */

static const char *const month_names[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL",
                                          "AUG", "SEP", "OCT", "NOV", "DEC", NULL};
static const char *const weekday_names[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", NULL};

struct field {
    const char *name;
    unsigned low, high;
    const char *const *names; /* of low, low + 1, ... */
    bool takes_any;           /* "?" too */
};

static const struct field fields[] = {
    {"second", 0, 59, NULL, false},       {"minute", 0, 59, NULL, false},
    {"hour", 0, 23, NULL, false},         {"day of month", 1, 31, NULL, true},
    {"month", 1, 12, month_names, false}, {"day of week", 0, 7, weekday_names, true},
};

static bool read_number(struct slice *text, unsigned *number)
{
    size_t i = 0;
    *number = 0;
    while (i < text->len && text->at[i] >= '0' && text->at[i] <= '9' && i < 4) {
        *number = *number * 10 + (unsigned)(text->at[i++] - '0');
    }
    *text = slice_make(text->at + i, text->len - i);
    return i > 0;
}

static bool read_value(const struct field *field, struct slice *text, unsigned *value)
{
    for (unsigned i = 0; field->names && field->names[i]; i++) {
        if (text->len >= 3 && strncasecmp(text->at, field->names[i], 3) == 0) {
            *value = field->low + i;
            *text = slice_make(text->at + 3, text->len - 3);
            return true;
        }
    }
    return read_number(text, value) && *value >= field->low && *value <= field->high;
}

static bool take(struct slice *text, char byte)
{
    if (text->len == 0 || *text->at != byte) {
        return false;
    }
    *text = slice_make(text->at + 1, text->len - 1);
    return true;
}

/* "*", "?", "5", "1-5", each but "?" with "/n". "5/n" means from 5 to the end. */
static bool read_part(const struct field *field, struct slice text, uint64_t *bits)
{
    unsigned from = field->low, to = field->high, step = 1;
    if (field->takes_any && slice_is(text, "?")) {
        text = slice_of("*");
    }
    if (take(&text, '*')) {
        to -= to == 7; /* Sunday is 0 */
    } else {
        if (!read_value(field, &text, &from)) {
            return false;
        }
        to = from;
        if (take(&text, '-')) {
            if (!read_value(field, &text, &to)) {
                return false;
            }
            to = to == 0 && field->high == 7 && from > 0 ? 7 : to; /* FRI-SUN */
        } else if (text.len && *text.at == '/') {
            to = field->high - (field->high == 7);
        }
    }
    if (take(&text, '/') && (!read_number(&text, &step) || step == 0)) {
        return false;
    }
    if (text.len || from > to) {
        return false;
    }
    for (unsigned i = from; i <= to; i += step) {
        *bits |= UINT64_C(1) << (field->high == 7 && i == 7 ? 0 : i);
    }
    return true;
}

static enum status read_field(const struct field *field, struct slice text, uint64_t *bits,
                              struct err *err)
{
    *bits = 0;
    for (size_t start = 0; start <= text.len;) {
        size_t end = start;
        while (end < text.len && text.at[end] != ',') {
            end++;
        }
        if (!read_part(field, slice_make(text.at + start, end - start), bits)) {
            return err_set(err, BAD_CONFIG, "%s '%.*s': not a value, range or step within %u-%u",
                           field->name, SLICE_ARG(text), field->low, field->high);
        }
        start = end + 1;
    }
    return OK;
}

static const char *expand_name(const char *text)
{
    static const char *const names[][2] = {
        {"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
        {"@weekly", "0 0 * * 0"},   {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
        {"@annually", "0 0 1 1 *"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcasecmp(text, names[i][0]) == 0) {
            return names[i][1];
        }
    }
    return text;
}

static size_t split(const char *text, struct slice parts[7])
{
    size_t n = 0;
    while (n < 7) {
        text += strspn(text, " \t");
        if (!*text) {
            break;
        }
        size_t len = strcspn(text, " \t");
        parts[n++] = slice_make(text, len);
        text += len;
    }
    return n;
}

static bool is_any(struct slice text)
{
    return slice_is(text, "*") || slice_is(text, "?");
}

enum status cron_parse(struct cron *out, const char *text, struct err *err)
{
    struct slice parts[7] = {{"0", 1}};
    size_t n = split(expand_name(text), parts);
    if (n == 5) {
        memmove(parts + 1, parts, 5 * sizeof *parts);
        parts[0] = slice_of("0");
    } else if (n != 6) {
        return err_set(
            err, BAD_CONFIG,
            "schedule '%s': five fields (minute hour day month weekday), six with seconds "
            "first, or @hourly and the like",
            text);
    }
    uint64_t *bits[] = {&out->seconds, &out->minutes, &out->hours,
                        &out->days,    &out->months,  &out->weekdays};
    for (size_t i = 0; i < 6; i++) {
        if (read_field(&fields[i], parts[i], bits[i], err) != OK) {
            return err_prefix(err, "schedule '%s'", text);
        }
    }
    out->any_day = is_any(parts[3]);
    out->any_weekday = is_any(parts[5]);
    out->elapsed = memchr(parts[2].at, '*', parts[2].len) || memchr(parts[2].at, '/', parts[2].len);
    return OK;
}

/* --- the next time on a clock that never changes ("local seconds") --- */

static bool has(uint64_t bits, int value)
{
    return bits >> value & 1;
}

static bool is_due_day(const struct cron *cron, const struct civil *civil, int64_t day)
{
    bool day_in = has(cron->days, civil->day);
    bool weekday_in = has(cron->weekdays, (int)((day % 7 + 11) % 7));
    if (cron->any_day || cron->any_weekday) {
        return day_in && weekday_in;
    }
    return day_in || weekday_in;
}

static int next_bit(uint64_t bits, int from)
{
    uint64_t rest = from < 64 ? bits >> from : 0;
    return rest ? from + __builtin_ctzll(rest) : -1;
}

/* The first due second of a day at or after `from` (0-86399); -1 = none. */
static int next_second(const struct cron *cron, int from)
{
    int hour = next_bit(cron->hours, from / 3600);
    for (; hour >= 0; hour = next_bit(cron->hours, hour + 1)) {
        int rest = hour == from / 3600 ? from % 3600 : 0;
        int minute = next_bit(cron->minutes, rest / 60);
        for (; minute >= 0; minute = next_bit(cron->minutes, minute + 1)) {
            int second = next_bit(cron->seconds, minute == rest / 60 ? rest % 60 : 0);
            if (second >= 0) {
                return hour * 3600 + minute * 60 + second;
            }
        }
    }
    return -1;
}

static int64_t next_local(const struct cron *cron, int64_t after)
{
    int64_t at = after + 1;
    int64_t day = at / day_s - (at % day_s < 0);
    int from = (int)(at - day * day_s);
    int64_t end = day + YEARS_AHEAD * 366;
    end = end < reach_days ? end : reach_days;
    for (; day < end; day++, from = 0) {
        struct civil civil = timestamp_civil(day * NS_PER_DAY);
        if (!has(cron->months, civil.month) || !is_due_day(cron, &civil, day)) {
            continue;
        }
        int second = next_second(cron, from);
        if (second >= 0) {
            return day * day_s + second;
        }
    }
    return INT64_MAX;
}

/* --- on a real clock --- */

/* With "*" or a step in the hour: due whenever the wall clock shows a due time, be it shown twice
 * or not at all. */
static int64_t next_shown(const struct cron *cron, const struct zone *zone, int64_t after)
{
    for (;;) {
        int32_t offset = zone_offset(zone, after + 1);
        int64_t local = next_local(cron, after + offset);
        if (local == INT64_MAX) {
            return INT64_MAX;
        }
        int64_t change = zone_next_change(zone, after + 1);
        if (local - offset < change) {
            return local - offset;
        }
        after = change - 1;
    }
}

/* The latest local time that the wall clock has shown up to `at`: what it showed before it was put
 * back is not due again. */
static int64_t latest_shown(const struct zone *zone, int64_t at)
{
    int64_t latest = INT64_MIN;
    for (int64_t from = at - CHANGE_REACH_S;;) {
        int64_t change = zone_next_change(zone, from);
        int64_t last = change <= at ? change - 1 : at;
        int64_t shown = last + zone_offset(zone, last);
        latest = shown > latest ? shown : latest;
        if (change > at) {
            return latest;
        }
        from = change;
    }
}

/* The first instant at which the wall clock shows `local` or, when a change skips that, a later
 * time. */
static int64_t first_shown(const struct zone *zone, int64_t local)
{
    for (int64_t from = local - CHANGE_REACH_S;;) {
        int64_t at = local - zone_offset(zone, from);
        int64_t change = zone_next_change(zone, from);
        if (at < change) {
            return at > from ? at : from;
        }
        from = change;
    }
}

/* With fixed hours only: each local time once. */
static int64_t next_fixed(const struct cron *cron, const struct zone *zone, int64_t after)
{
    int64_t local = next_local(cron, latest_shown(zone, after));
    return local == INT64_MAX ? INT64_MAX : first_shown(zone, local);
}

int64_t cron_next(const struct cron *cron, const struct zone *zone, int64_t after)
{
    const int64_t reach_s = reach_days * day_s;
    if (after < -reach_s) {
        after = -reach_s;
    }
    if (after >= reach_s) {
        return INT64_MAX;
    }
    int64_t next =
        cron->elapsed || !zone ? next_shown(cron, zone, after) : next_fixed(cron, zone, after);
    return next <= reach_s ? next : INT64_MAX; /* a clock behind UTC shows later ones in time */
}
