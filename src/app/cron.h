/*
 * cron: when a schedule is due. Pure. Five fields (minute hour day-of-month month day-of-week) or
 * six with seconds first; names (JAN, MON), ranges, steps, lists, "?" for "*" in the day fields, 7
 * for Sunday, and @hourly, @daily,
 * @midnight, @weekly, @monthly, @yearly, @annually. Day of month and day of week are OR-ed unless
 * one is exactly "*" or "?".
 *
 * Daylight saving: with a fixed hour, a time that a clock change skips runs right after the gap,
 * one that it repeats runs once; with "*" or a step in the hour the schedule follows elapsed time.
 */
#ifndef APP_CRON_H
#define APP_CRON_H

#include "app/zone.h"

struct cron {
    uint64_t seconds, minutes, hours, days, months, weekdays; /* bit n = n is in */
    bool any_day, any_weekday;                                /* the field is exactly "*" or "?" */
    bool elapsed;                                             /* "*" or a step in the hour */
};

/* BAD_CONFIG with the field and what is wrong. */
enum status cron_parse(struct cron *out, const char *text, struct err *err);

/* The first due instant after `after`, both in seconds since 1970; INT64_MAX = never (30 February).
 */
int64_t cron_next(const struct cron *cron, const struct zone *zone, int64_t after);

#endif
