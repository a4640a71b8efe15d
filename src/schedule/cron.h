/*
 * cron: when a schedule is due. Pure. Five fields (minute hour day-of-month month day-of-week) or
 * six with seconds first; names (JAN, MON), ranges, steps, lists, "?" for "*" in the day fields, 7
 * for Sunday, and @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually. Day of month
 * and day of week are OR-ed unless one is exactly "*" or "?".
 *
 * When clocks change: with fixed hours, a time that is skipped runs right after the gap, one that
 * is shown twice runs the first time only. With "*" or a step in the hour the schedule follows what
 * the clock shows: each of two showings runs, what is skipped does not.
 */
#ifndef SCHEDULE_CRON_H
#define SCHEDULE_CRON_H

#include "schedule/zone.h"

struct cron {
    uint64_t seconds, minutes, hours, days, months, weekdays; /* bit n = n is in */
    bool any_day, any_weekday;                                /* the field is exactly "*" or "?" */
    bool elapsed;                                             /* "*" or "/" in the hour */
};

/* BAD_CONFIG with the field and what is wrong. */
enum status cron_parse(struct cron *out, const char *text, struct err *err);

/* The first due instant after `after`, both in seconds since 1970. INT64_MAX = never: 30 February,
 * or after the year 2256. */
int64_t cron_next(const struct cron *cron, const struct zone *zone, int64_t after);

#endif
