/*
 * zone: see zone.h. Transitions of the file (version 2 or 3 block), and its footer, a POSIX TZ
 * rule, for the time after the last of them: the rule's changes are worked out year by year when
 * asked for.
 */
#include "schedule/zone.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "base/timestamp.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { ZONE_FILE_MAX_BYTES = 256 * 1024, HEADER_BYTES = 44 };
/* A rule's date of one year may lie in the next or in the one before ("J365/25"), so the one that
 * is nearest to an instant can be that of the year after the next. */
enum { YEARS_BESIDE = 2 };
enum { OFFSET_MAX_S = 26 * 3600 }; /* RFC 8536 section 3.2: less than 26 hours */

static const int64_t day_s = 86400;

/* A date of the POSIX rule: "M3.5.0/2" (month, week, weekday), "J60" (1-365, no leap day), "60"
 * (0-365). */
struct rule_date {
    char kind; /* 'M', 'J', 'D' */
    int month, week, day;
    int32_t at; /* seconds after local midnight, may be negative or over a day */
};

struct zone {
    int64_t *times;   /* of changes, ascending */
    int32_t *offsets; /* from then on */
    size_t n;
    int32_t first; /* offset before the first change */
    bool has_rule, has_dst;
    int32_t standard, daylight;
    struct rule_date begin, end; /* of daylight time */
};

void zone_free(struct zone *zone)
{
    if (zone) {
        free(zone->times);
        free(zone->offsets);
        free(zone);
    }
}

static bool is_offset(int64_t seconds)
{
    return seconds > -OFFSET_MAX_S && seconds < OFFSET_MAX_S;
}

/* --- the footer (POSIX TZ; RFC 8536 section 3.3) --- */

static bool read_number(const char **text, int *number)
{
    if (!isdigit((unsigned char)**text)) {
        return false;
    }
    *number = 0;
    while (isdigit((unsigned char)**text) && *number < 10000) {
        *number = *number * 10 + (*(*text)++ - '0');
    }
    return true;
}

/* [+-]hh[:mm[:ss]] */
static bool read_span(const char **text, int32_t *seconds)
{
    int sign = **text == '-' ? -1 : 1;
    *text += **text == '-' || **text == '+';
    int part, total;
    if (!read_number(text, &total) || total > 167) {
        return false;
    }
    total *= 3600;
    for (int unit = 60; unit && **text == ':'; unit /= 60) {
        (*text)++;
        if (!read_number(text, &part) || part > 59) {
            return false;
        }
        total += part * unit;
    }
    *seconds = sign * total;
    return true;
}

static bool skip_name(const char **text)
{
    const char *start = *text;
    if (**text == '<') {
        while (**text && **text != '>') {
            (*text)++;
        }
        return *(*text) == '>' && (*text)++;
    }
    while (isalpha((unsigned char)**text)) {
        (*text)++;
    }
    return *text - start >= 3;
}

static bool read_month_date(const char **text, struct rule_date *date)
{
    (*text)++;
    if (!read_number(text, &date->month) || *(*text)++ != '.' || !read_number(text, &date->week) ||
        *(*text)++ != '.' || !read_number(text, &date->day)) {
        return false;
    }
    return date->month >= 1 && date->month <= 12 && date->week >= 1 && date->week <= 5 &&
           date->day <= 6;
}

static bool read_date(const char **text, struct rule_date *date)
{
    date->kind = **text == 'M' || **text == 'J' ? **text : 'D';
    date->at = 2 * 3600;
    if (date->kind == 'M') {
        if (!read_month_date(text, date)) {
            return false;
        }
    } else {
        int first = date->kind == 'J' ? 1 : 0;
        *text += first;
        if (!read_number(text, &date->day) || date->day > 365 || date->day < first) {
            return false;
        }
    }
    if (**text == '/') {
        (*text)++;
        return read_span(text, &date->at);
    }
    return true;
}

/* "CET-1CEST,M3.5.0,M10.5.0/3"; offsets there count west of Greenwich. */
static bool read_rule(struct zone *zone, const char *text)
{
    int32_t west;
    if (!skip_name(&text) || !read_span(&text, &west)) {
        return false;
    }
    zone->standard = -west;
    zone->daylight = zone->standard + 3600;
    zone->has_rule = true;
    if (!*text) {
        return is_offset(zone->standard);
    }
    if (!skip_name(&text)) {
        return false;
    }
    if (*text != ',') {
        if (!read_span(&text, &west)) {
            return false;
        }
        zone->daylight = -west;
    }
    zone->has_dst = true;
    return is_offset(zone->standard) && is_offset(zone->daylight) && *text++ == ',' &&
           read_date(&text, &zone->begin) && *text++ == ',' && read_date(&text, &zone->end) &&
           !*text;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t seconds_of(int year, int month, int day)
{
    int64_t ns = 0;
    struct civil civil = {.year = year, .month = month, .day = day};
    (void)!timestamp_from_civil(&civil, &ns);
    return ns / NS_PER_SECOND;
}

static int weekday_of(int64_t seconds)
{
    return (int)((seconds / day_s % 7 + 11) % 7); /* 1970-01-01 was a Thursday */
}

static int64_t month_date(const struct rule_date *date, int year)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t first = seconds_of(year, date->month, 1);
    int day = 1 + (date->day - weekday_of(first) + 7) % 7 + (date->week - 1) * 7;
    int last = days[date->month - 1] + (date->month == 2 && is_leap(year));
    while (day > last) {
        day -= 7;
    }
    return first + (day - 1) * day_s;
}

/* The instant of a rule's date in a year, given the offset in force before it. */
static int64_t rule_instant(const struct rule_date *date, int year, int32_t offset)
{
    int64_t midnight;
    if (date->kind == 'M') {
        midnight = month_date(date, year);
    } else {
        int day = date->day;
        if (date->kind == 'J') {
            day += is_leap(year) && day >= 60 ? 0 : -1;
        }
        midnight = seconds_of(year, 1, 1) + day * day_s;
    }
    return midnight + date->at - offset;
}

static int year_of(int64_t at)
{
    return timestamp_civil(at * NS_PER_SECOND).year;
}

/* Years beyond this do not fit a timestamp. */
static bool is_far(int64_t at)
{
    return at > INT64_MAX / NS_PER_SECOND - 1200 * day_s ||
           at < INT64_MIN / NS_PER_SECOND + 1200 * day_s;
}

/* The last of a date's instants at or before `at`. */
static int64_t last_instant(const struct rule_date *date, int32_t offset, int64_t at)
{
    int year = year_of(at);
    int64_t last = INT64_MIN;
    for (int y = year - YEARS_BESIDE; y <= year + YEARS_BESIDE; y++) {
        int64_t instant = rule_instant(date, y, offset);
        last = instant <= at ? instant : last;
    }
    return last;
}

/* Daylight time all year is written as an end in the instant of the next begin. */
static int32_t rule_offset(const struct zone *zone, int64_t at)
{
    if (!zone->has_dst || is_far(at)) {
        return zone->standard;
    }
    int64_t begin = last_instant(&zone->begin, zone->standard, at);
    int64_t end = last_instant(&zone->end, zone->daylight, at);
    return begin >= end ? zone->daylight : zone->standard;
}

static int64_t rule_next_change(const struct zone *zone, int64_t after)
{
    if (!zone->has_dst || is_far(after)) {
        return INT64_MAX;
    }
    int64_t next = INT64_MAX;
    int year = year_of(after);
    for (int y = year - YEARS_BESIDE; y <= year + YEARS_BESIDE; y++) {
        int64_t dates[] = {rule_instant(&zone->begin, y, zone->standard),
                           rule_instant(&zone->end, y, zone->daylight)};
        for (int i = 0; i < 2; i++) {
            next = dates[i] > after && dates[i] < next ? dates[i] : next;
        }
    }
    return next == INT64_MAX || is_far(next) ? INT64_MAX : next;
}

/* --- the file --- */

struct header {
    char version;
    size_t isut, isstd, leap, times, types, chars;
};

static uint32_t big32(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int64_t big64(const char *at)
{
    return (int64_t)((uint64_t)big32(at) << 32 | big32(at + 4));
}

static bool read_header(struct slice bytes, struct header *header)
{
    if (bytes.len < HEADER_BYTES || memcmp(bytes.at, "TZif", 4) != 0) {
        return false;
    }
    *header = (struct header){bytes.at[4],          big32(bytes.at + 20), big32(bytes.at + 24),
                              big32(bytes.at + 28), big32(bytes.at + 32), big32(bytes.at + 36),
                              big32(bytes.at + 40)};
    return header->isut <= 256 && header->isstd <= 256 && header->leap <= 10000 &&
           header->times <= 10000 && header->types >= 1 && header->types <= 256 &&
           header->chars <= 4096;
}

/* Bytes of a data block with times of `width` bytes. */
static size_t block_bytes(const struct header *header, size_t width)
{
    return header->times * (width + 1) + header->types * 6 + header->chars +
           header->leap * (width + 4) + header->isstd + header->isut;
}

static bool read_block(struct zone *zone, const struct header *header, const char *block)
{
    const char *indices = block + header->times * 8;
    const char *types = indices + header->times;
    zone->n = header->times;
    zone->times = memory_new((zone->n + 1) * sizeof *zone->times);
    zone->offsets = memory_new((zone->n + 1) * sizeof *zone->offsets);
    zone->first = (int32_t)big32(types);
    for (size_t i = 0; i < zone->n; i++) {
        size_t type = (unsigned char)indices[i];
        zone->times[i] = big64(block + i * 8);
        if (type >= header->types || (i && zone->times[i] <= zone->times[i - 1])) {
            return false;
        }
        zone->offsets[i] = (int32_t)big32(types + type * 6);
        if (!is_offset(zone->offsets[i])) {
            return false;
        }
    }
    return is_offset(zone->first);
}

static bool read_footer(struct zone *zone, struct slice rest)
{
    if (rest.len < 2 || rest.at[0] != '\n') {
        return false;
    }
    const char *end = memchr(rest.at + 1, '\n', rest.len - 1);
    if (!end) {
        return false;
    }
    CLEANUP_FREE char *rule = memory_copy(rest.at + 1, (size_t)(end - rest.at - 1));
    return !*rule || read_rule(zone, rule);
}

/* Version 1 has 32-bit times only; every zoneinfo of this century has the 64-bit block behind it.
 */
static bool read_file(struct zone *zone, struct slice bytes)
{
    struct header header;
    if (!read_header(bytes, &header) || header.version < '2') {
        return false;
    }
    size_t skip = HEADER_BYTES + block_bytes(&header, 4);
    if (skip > bytes.len) {
        return false;
    }
    struct slice second = {bytes.at + skip, bytes.len - skip};
    if (!read_header(second, &header) || header.leap > 0 ||
        HEADER_BYTES + block_bytes(&header, 8) > second.len) {
        return false;
    }
    skip = HEADER_BYTES + block_bytes(&header, 8);
    return read_block(zone, &header, second.at + HEADER_BYTES) &&
           read_footer(zone, slice_make(second.at + skip, second.len - skip));
}

enum status zone_parse(struct zone **out, struct slice bytes, struct err *err)
{
    struct zone *zone = memory_new(sizeof *zone);
    if (!read_file(zone, bytes)) {
        zone_free(zone);
        return err_set(err, BAD_DATA,
                       "not a time zone file of version 2 or later without leap seconds");
    }
    *out = zone;
    return OK;
}

/* "Area/City": no way out of the zoneinfo folder. */
static bool is_zone_name(const char *name)
{
    if (!isalpha((unsigned char)*name) || strstr(name, "..") || strlen(name) > 64) {
        return false;
    }
    for (; *name; name++) {
        if (!isalnum((unsigned char)*name) && !strchr("/_+-", *name)) {
            return false;
        }
    }
    return true;
}

enum status zone_load(struct zone **out, const char *name, struct err *err)
{
    char path[128];
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    FILE *file = is_zone_name(name) ? fopen(path, "rbe") : NULL;
    CLEANUP(buf_finish) struct buf bytes = {.max = ZONE_FILE_MAX_BYTES};
    if (file) {
        bytes.len = fread(buf_room(&bytes, ZONE_FILE_MAX_BYTES), 1, ZONE_FILE_MAX_BYTES, file);
        fclose(file);
    }
    if (bytes.len == 0) { /* a folder, such as "Europe", opens and has no bytes */
        return err_set(err, BAD_CONFIG, "no time zone '%s' (is the package tzdata installed?)",
                       name);
    }
    if (zone_parse(out, buf_slice(&bytes), err) != OK) {
        err->status = BAD_CONFIG;
        return err_prefix(err, "time zone '%s': %s", name, path);
    }
    return OK;
}

/* --- questions --- */

/* The number of changes at or before `at`. */
static size_t changes_until(const struct zone *zone, int64_t at)
{
    size_t low = 0, high = zone->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->times[middle] <= at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

int32_t zone_offset(const struct zone *zone, int64_t at)
{
    if (!zone) {
        return 0;
    }
    size_t i = changes_until(zone, at);
    if (i == zone->n && zone->has_rule) {
        return rule_offset(zone, at);
    }
    return i ? zone->offsets[i - 1] : zone->first;
}

int64_t zone_next_change(const struct zone *zone, int64_t after)
{
    if (!zone) {
        return INT64_MAX;
    }
    size_t i = changes_until(zone, after);
    if (i < zone->n) {
        return zone->times[i];
    }
    return zone->has_rule ? rule_next_change(zone, after) : INT64_MAX;
}
