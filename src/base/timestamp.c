/*
 * timestamp: see timestamp.h. Calendar arithmetic counts days from 1970-01-01 in years that start
 * in March, so that the leap day is the last of its year. Nothing here calls libc's time functions:
 * those read the locale and the TZ variable.
 */
#include "base/timestamp.h"

#include "base/decimal.h"

#include <stdio.h>

enum { DAYS_PER_ERA = 146097, YEARS_PER_ERA = 400, SECONDS_PER_DAY = 86400 };

const char *const timestamp_months[12] = {"January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December"};

/* Days from 0000-03-01 to 1970-01-01. */
static const int64_t EPOCH_DAYS = 719468;

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static int64_t days_from_civil(int year, int month, int day)
{
    int64_t shifted_year = (int64_t)year - (month <= 2);
    int64_t era = floor_div(shifted_year, YEARS_PER_ERA);
    int64_t year_of_era = shifted_year - era * YEARS_PER_ERA;
    int64_t month_from_march = (month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - EPOCH_DAYS;
}

static void civil_from_days(int64_t days, struct civil *out)
{
    days += EPOCH_DAYS;
    int64_t era = floor_div(days, DAYS_PER_ERA);
    int64_t day_of_era = days - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    out->day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    out->month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    out->year = (int)(year_of_era + era * YEARS_PER_ERA + (out->month <= 2));
}

struct civil timestamp_civil(int64_t ns)
{
    int64_t seconds = floor_div(ns, NS_PER_SECOND);
    int64_t days = floor_div(seconds, SECONDS_PER_DAY);
    int second_of_day = (int)(seconds - days * SECONDS_PER_DAY);
    struct civil civil = {
        .hour = second_of_day / 3600,
        .minute = second_of_day / 60 % 60,
        .second = second_of_day % 60,
    };
    /* Not ns - seconds * NS_PER_SECOND: that product can pass INT64_MIN. */
    int64_t rest = ns % NS_PER_SECOND;
    civil.nanosecond = (int)(rest < 0 ? rest + NS_PER_SECOND : rest);
    civil_from_days(days, &civil);
    return civil;
}

static int days_in_month(int year, int month)
{
    static const unsigned char days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

static bool civil_is_valid(const struct civil *civil)
{
    return civil->month >= 1 && civil->month <= 12 && civil->day >= 1 &&
           civil->day <= days_in_month(civil->year, civil->month) && civil->hour >= 0 &&
           civil->hour <= 23 && civil->minute >= 0 && civil->minute <= 59 && civil->second >= 0 &&
           civil->second <= 60 && civil->nanosecond >= 0 && civil->nanosecond < NS_PER_SECOND;
}

/* seconds * 1e9 + nanosecond. Before 1970 the sum can fit where the product alone does not. */
static bool join_ns(int64_t seconds, int64_t nanosecond, int64_t *ns)
{
    if (seconds < 0 && nanosecond > 0) {
        seconds++;
        nanosecond -= NS_PER_SECOND;
    }
    return !__builtin_mul_overflow(seconds, NS_PER_SECOND, ns) &&
           !__builtin_add_overflow(*ns, nanosecond, ns);
}

int64_t timestamp_from_seconds(int64_t seconds, int64_t nanosecond)
{
    int64_t ns;
    bool fits = join_ns(seconds, nanosecond, &ns) && ns != INT64_MIN;
    return fits ? ns : seconds < 0 ? INT64_MIN + 1 : INT64_MAX;
}

static int64_t civil_seconds(const struct civil *civil)
{
    return days_from_civil(civil->year, civil->month, civil->day) * SECONDS_PER_DAY +
           civil->hour * 3600 + civil->minute * 60 + civil->second;
}

bool timestamp_from_civil(const struct civil *civil, int64_t *ns)
{
    return civil_is_valid(civil) && join_ns(civil_seconds(civil), civil->nanosecond, ns);
}

/* --- reading: each read_x takes its form off the front of *rest, or leaves false behind --- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void advance(struct slice *rest, size_t n)
{
    rest->at += n;
    rest->len -= n;
}

static bool read_byte(struct slice *rest, char wanted)
{
    if (rest->len == 0 || rest->at[0] != wanted) {
        return false;
    }
    advance(rest, 1);
    return true;
}

/* Exactly n digits. */
static bool read_digits(struct slice *rest, size_t n, int *number)
{
    if (rest->len < n) {
        return false;
    }
    *number = 0;
    for (size_t i = 0; i < n; i++) {
        if (!is_digit(rest->at[i])) {
            return false;
        }
        *number = *number * 10 + (rest->at[i] - '0');
    }
    advance(rest, n);
    return true;
}

static bool read_date(struct slice *rest, struct civil *out)
{
    return read_digits(rest, 4, &out->year) && read_byte(rest, '-') &&
           read_digits(rest, 2, &out->month) && read_byte(rest, '-') &&
           read_digits(rest, 2, &out->day);
}

static bool read_clock(struct slice *rest, struct civil *out)
{
    return read_digits(rest, 2, &out->hour) && read_byte(rest, ':') &&
           read_digits(rest, 2, &out->minute) && read_byte(rest, ':') &&
           read_digits(rest, 2, &out->second);
}

/* ".5" and the like, or nothing. Digits after the ninth are dropped. */
static bool read_fraction(struct slice *rest, int *nanosecond)
{
    *nanosecond = 0;
    if (!read_byte(rest, '.')) {
        return true;
    }
    int weight = (int)NS_PER_SECOND / 10;
    size_t n = 0;
    while (n < rest->len && is_digit(rest->at[n])) {
        *nanosecond += (rest->at[n] - '0') * weight;
        weight /= 10;
        n++;
    }
    advance(rest, n);
    return n > 0;
}

/* "+hh:mm", or "+hhmm" without the colon. */
static bool read_offset(struct slice *rest, bool colon, int *seconds)
{
    int hours, minutes;
    bool west = rest->len > 0 && rest->at[0] == '-';
    if (!read_byte(rest, west ? '-' : '+') || !read_digits(rest, 2, &hours) ||
        (colon && !read_byte(rest, ':')) || !read_digits(rest, 2, &minutes) || hours > 23 ||
        minutes > 59) {
        return false;
    }
    *seconds = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

/* "Z", "+hh:mm", or nothing: UTC. */
static bool read_zone(struct slice *rest, int *seconds)
{
    *seconds = 0;
    if (rest->len == 0 || read_byte(rest, 'Z') || read_byte(rest, 'z')) {
        return true;
    }
    return read_offset(rest, true, seconds);
}

static bool read_date_and_clock(struct slice *rest, struct civil *out)
{
    return read_date(rest, out) &&
           (read_byte(rest, 'T') || read_byte(rest, 't') || read_byte(rest, ' ')) &&
           read_clock(rest, out) && read_fraction(rest, &out->nanosecond);
}

static bool civil_at_offset(const struct civil *civil, int offset_seconds, int64_t *ns)
{
    return civil_is_valid(civil) &&
           join_ns(civil_seconds(civil) - offset_seconds, civil->nanosecond, ns);
}

bool timestamp_parse(struct slice text, int64_t *ns)
{
    struct civil civil;
    int offset;
    return read_date_and_clock(&text, &civil) && read_zone(&text, &offset) && text.len == 0 &&
           civil_at_offset(&civil, offset, ns);
}

/* Skips bytes up to the next space or the end; false when there are none. */
static bool read_word(struct slice *rest)
{
    size_t n = 0;
    while (n < rest->len && rest->at[n] != ' ') {
        n++;
    }
    advance(rest, n);
    return n > 0;
}

/* What may follow the numeric zone: " UTC", " UTC m=+0.01", or nothing. */
static bool read_go_tail(struct slice *rest)
{
    if (rest->len == 0) {
        return true;
    }
    if (!read_byte(rest, ' ') || !read_word(rest)) {
        return false;
    }
    if (rest->len == 0) {
        return true;
    }
    return slice_starts(*rest, " m=") && read_byte(rest, ' ') && read_word(rest) && rest->len == 0;
}

bool timestamp_parse_go(struct slice text, int64_t *ns)
{
    struct civil civil;
    int offset;
    struct slice rest = text;
    if (!read_date_and_clock(&rest, &civil)) {
        return false;
    }
    if (!read_byte(&rest, ' ')) {
        return timestamp_parse(text, ns);
    }
    return read_offset(&rest, false, &offset) && read_go_tail(&rest) &&
           civil_at_offset(&civil, offset, ns);
}

bool timestamp_parse_time_of_day(struct slice text, int64_t latest_ns, int64_t *ns)
{
    struct civil clock = {.year = 1970, .month = 1, .day = 1};
    if (!read_clock(&text, &clock) || text.len || clock.second > 59 || !civil_is_valid(&clock)) {
        return false;
    }
    int64_t since_midnight = civil_seconds(&clock) * NS_PER_SECOND;
    int64_t back = timestamp_since_midnight(latest_ns) - since_midnight;
    if (back < 0) {
        back += NS_PER_DAY;
    }
    return !__builtin_sub_overflow(latest_ns, back, ns);
}

bool timestamp_parse_epoch(struct slice text, int64_t *ns)
{
    return decimal_parse(text, 9, DECIMAL_CUT, ns);
}

static bool read_day_name(struct slice *rest)
{
    static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (slice_starts(*rest, names[i])) {
            advance(rest, 3);
            return true;
        }
    }
    return false;
}

static bool read_month_name(struct slice *rest, int *month)
{
    for (int i = 0; i < 12; i++) {
        if (rest->len >= 3 && memcmp(rest->at, timestamp_months[i], 3) == 0) {
            *month = i + 1;
            advance(rest, 3);
            return true;
        }
    }
    return false;
}

bool timestamp_parse_http(struct slice text, int64_t *ns)
{
    struct civil civil = {.nanosecond = 0};
    return read_day_name(&text) && read_byte(&text, ',') && read_byte(&text, ' ') &&
           read_digits(&text, 2, &civil.day) && read_byte(&text, ' ') &&
           read_month_name(&text, &civil.month) && read_byte(&text, ' ') &&
           read_digits(&text, 4, &civil.year) && read_byte(&text, ' ') &&
           read_clock(&text, &civil) && slice_is(text, " GMT") && timestamp_from_civil(&civil, ns);
}

/* All the digits at the front, at least one. */
static bool read_number(struct slice *rest, int64_t *number)
{
    size_t n = 0;
    *number = 0;
    while (n < rest->len && is_digit(rest->at[n])) {
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, rest->at[n] - '0', number)) {
            return false;
        }
        n++;
    }
    advance(rest, n);
    return n > 0;
}

static bool parse_relative(struct slice text, int64_t now_ns, int64_t *ns)
{
    int64_t number, unit;
    if (!read_byte(&text, '-') || !read_number(&text, &number) || text.len != 1) {
        return false;
    }
    switch (text.at[0]) {
    case 'd':
        unit = NS_PER_DAY;
        break;
    case 'h':
        unit = NS_PER_HOUR;
        break;
    case 'm':
        unit = NS_PER_MINUTE;
        break;
    case 's':
        unit = NS_PER_SECOND;
        break;
    default:
        return false;
    }
    int64_t back;
    return !__builtin_mul_overflow(number, unit, &back) &&
           !__builtin_sub_overflow(now_ns, back, ns);
}

bool timestamp_parse_argument(struct slice text, int64_t now_ns, int64_t *ns)
{
    struct civil civil = {.hour = 0};
    struct slice rest = text;
    if (read_date(&rest, &civil) && rest.len == 0) {
        return timestamp_from_civil(&civil, ns);
    }
    return timestamp_parse(text, ns) || parse_relative(text, now_ns, ns);
}

enum status timestamp_read_option(const char *option, const char *text, int64_t now_ns, int64_t *ns,
                                  struct err *err)
{
    if (text && !timestamp_parse_argument(slice_of(text), now_ns, ns)) {
        return err_set(err, BAD_CONFIG, "%s %s: not a date (2022-05-30, -720h)", option, text);
    }
    return OK;
}

static bool read_unit(struct slice *rest, int64_t *unit_ns)
{
    /* "ms" stands before "m". The two micro signs are U+00B5 and U+03BC, as Go has them. */
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {
        {"ns", 1},         {"us", 1000},         {"\xC2\xB5s", 1000},  {"\xCE\xBCs", 1000},
        {"ms", NS_PER_MS}, {"s", NS_PER_SECOND}, {"m", NS_PER_MINUTE}, {"h", NS_PER_HOUR},
    };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (slice_starts(*rest, units[i].name)) {
            advance(rest, strlen(units[i].name));
            *unit_ns = units[i].ns;
            return true;
        }
    }
    return false;
}

/* The digits as a fraction of the unit, cut to whole ns. From the last digit to the first, so that
 * each step's cut is exact: floor((n + x) / 10) = floor((n + floor(x)) / 10). */
static int64_t fraction_ns(struct slice digits, int64_t unit_ns)
{
    int64_t ns = 0;
    for (size_t i = digits.len; i > 0; i--) {
        ns = ((digits.at[i - 1] - '0') * unit_ns + ns) / 10;
    }
    return ns;
}

static size_t count_digits(struct slice text)
{
    size_t n = 0;
    while (n < text.len && is_digit(text.at[n])) {
        n++;
    }
    return n;
}

/* One "1.5ms" of "2m1.5ms". A point may lack digits on one side, as in Go. */
static bool read_duration_part(struct slice *rest, int64_t *ns)
{
    int64_t whole = 0, unit;
    struct slice fraction = {rest->at, 0};
    bool has_whole = rest->len > 0 && is_digit(rest->at[0]);
    if (has_whole && !read_number(rest, &whole)) {
        return false;
    }
    if (read_byte(rest, '.')) {
        fraction = slice_make(rest->at, count_digits(*rest));
        advance(rest, fraction.len);
    }
    if ((!has_whole && fraction.len == 0) || !read_unit(rest, &unit)) {
        return false;
    }
    return !__builtin_mul_overflow(whole, unit, ns) &&
           !__builtin_add_overflow(*ns, fraction_ns(fraction, unit), ns);
}

bool duration_parse(struct slice text, int64_t *ns)
{
    bool negative = read_byte(&text, '-');
    if (!negative) {
        read_byte(&text, '+');
    }
    int64_t sum = 0;
    struct slice bare = text;
    if (!read_number(&bare, &sum) || bare.len > 0) {
        sum = 0;
        do {
            int64_t part;
            if (!read_duration_part(&text, &part) || __builtin_add_overflow(sum, part, &sum)) {
                return false;
            }
        } while (text.len > 0);
    }
    *ns = negative ? -sum : sum;
    return true;
}

/* The years of an int64_t have four digits: the text is 29 bytes long, or 30 with its "Z". */
static int format_digits(int64_t ns, char text[TIMESTAMP_TEXT_BYTES])
{
    struct civil civil = timestamp_civil(ns);
    return snprintf(text, TIMESTAMP_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%09d", civil.year,
                    civil.month, civil.day, civil.hour, civil.minute, civil.second,
                    civil.nanosecond);
}

const char *timestamp_format(int64_t ns, char text[TIMESTAMP_TEXT_BYTES])
{
    int len = format_digits(ns, text);
    while (text[len - 1] == '0') {
        len--;
    }
    len -= text[len - 1] == '.';
    memcpy(text + len, "Z", 2);
    return text;
}

const char *timestamp_format_ns(int64_t ns, char text[TIMESTAMP_TEXT_BYTES])
{
    memcpy(text + format_digits(ns, text), "Z", 2);
    return text;
}
