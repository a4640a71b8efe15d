/*
 * timestamp: dates as nanoseconds since 1970-01-01T00:00:00Z in an int64_t (years 1678 to 2261).
 * Pure: the clock and the locale are never read.
 */
#ifndef BASE_TIMESTAMP_H
#define BASE_TIMESTAMP_H

#include "api/status.h"
#include "base/slice.h"

#include <stdint.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_MINUTE (60 * NS_PER_SECOND)
#define NS_PER_HOUR (60 * NS_PER_MINUTE)
#define NS_PER_DAY (24 * NS_PER_HOUR)

/* The day, since 1970-01-01, that a time lies on. */
static inline int32_t timestamp_day(int64_t ns)
{
    return (int32_t)(ns / NS_PER_DAY - (ns % NS_PER_DAY < 0));
}

/* How far into its day a time lies. */
static inline int64_t timestamp_since_midnight(int64_t ns)
{
    return ns % NS_PER_DAY + (ns % NS_PER_DAY < 0 ? NS_PER_DAY : 0);
}

struct civil {
    int year, month, day;     /* month 1-12, day 1-31 */
    int hour, minute, second; /* second 0-59 */
    int nanosecond;
};

/* The civil time of ns in UTC (proleptic Gregorian calendar). */
struct civil timestamp_civil(int64_t ns);

/* The opposite; false when a part is out of range (a second of 60 counts as the next minute's
 * first) or the result does not fit. */
bool timestamp_from_civil(const struct civil *civil, int64_t *ns);

/* seconds since 1970 and nanoseconds, as file systems keep times; what is too far away for an
 * int64_t is its second or its last value (the first stands for no time in places). */
int64_t timestamp_from_seconds(int64_t seconds, int64_t nanosecond);

/*
 * RFC 3339, as loose as the formats of doc/formats demand: "T", "t" or one space between date and
 * time; 0 to 9 fractional digits (more are accepted and cut); "Z", "z", "+hh:mm", "-hh:mm", or no
 * zone = UTC. The whole text must be used up.
 */
bool timestamp_parse(struct slice text, int64_t *ns);

/* Go's time.String form: "2021-01-25 09:19:11.622206 +0000 UTC", perhaps followed by " m=+0.01";
 * the numeric zone counts, the name does not. RFC 3339 is accepted as well. */
bool timestamp_parse_go(struct slice text, int64_t *ns);

/* "hh:mm:ss" on the latest day on which that is at or before `latest_ns`. */
bool timestamp_parse_time_of_day(struct slice text, int64_t latest_ns, int64_t *ns);

/* Seconds since 1970 as JSON writes a number, "1547188415.857497" or "1.547188415857497E9"; digits
 * below nanoseconds are dropped. */
bool timestamp_parse_epoch(struct slice text, int64_t *ns);

/* HTTP-date, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7, preferred form only). */
bool timestamp_parse_http(struct slice text, int64_t *ns);

/*
 * A date of the command line: "2022-05-30" (00:00 UTC), RFC 3339, or relative to now: "-720h",
 * "-30d",
 * "-15m", "-10s".
 */
bool timestamp_parse_argument(struct slice text, int64_t now_ns, int64_t *ns);
/* The same of an option, which an error names. NULL: it was not given, *ns stays. BAD_CONFIG: no
 * date. */
enum status timestamp_read_option(const char *option, const char *text, int64_t now_ns, int64_t *ns,
                                  struct err *err);

/* A duration as Go writes it ("601866322ns", "1.5ms", "2m3s", "1h") or a bare number of
 * nanoseconds. */
bool duration_parse(struct slice text, int64_t *ns);

/* "2022-05-30T09:00:00Z", with as many fractional digits as are not zero. At least 31 bytes. */
#define TIMESTAMP_TEXT_BYTES 36
const char *timestamp_format(int64_t ns, char text[TIMESTAMP_TEXT_BYTES]);

/* The same with all nine fractional digits, so that texts sort as times do. */
const char *timestamp_format_ns(int64_t ns, char text[TIMESTAMP_TEXT_BYTES]);

/* English month names whatever the locale: "January"..., index 0-11. */
extern const char *const timestamp_months[12];

#endif
