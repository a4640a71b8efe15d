/*
 * cron_table: schedules with the runs that are wanted of them, and the check of a table of such.
 * For the tests of schedule/cron. Include it after cmocka.h.
 */
#ifndef TESTS_CRON_TABLE_H
#define TESTS_CRON_TABLE_H

#include "base/timestamp.h"
#include "schedule/cron.h"

enum { RUNS_MAX = 8 };

/* From a moment on, the next runs, all in UTC. NULL = no more; "never" = never again. */
struct table {
    const char *schedule, *zone, *from;
    const char *runs[RUNS_MAX];
};

static inline int64_t seconds_of(const char *text)
{
    int64_t ns;
    if (!timestamp_parse(slice_of(text), &ns)) {
        fail_msg("not a time: %s", text);
    }
    return ns / NS_PER_SECOND;
}

static inline const char *text_of(int64_t at, char text[TIMESTAMP_TEXT_BYTES])
{
    return at == INT64_MAX ? "never" : timestamp_format(at * NS_PER_SECOND, text);
}

static inline struct zone *load(const char *name)
{
    struct zone *zone = NULL;
    struct err err;
    if (name && zone_load(&zone, name, &err) != OK) {
        fail_msg("%s", err.text);
    }
    return zone;
}

static inline void check_table(const struct table *table)
{
    struct cron cron;
    struct err err;
    char text[TIMESTAMP_TEXT_BYTES];
    if (cron_parse(&cron, table->schedule, &err) != OK) {
        fail_msg("%s", err.text);
    }
    struct zone *zone = load(table->zone);
    int64_t at = seconds_of(table->from);
    for (size_t i = 0; i < RUNS_MAX && table->runs[i]; i++) {
        at = cron_next(&cron, zone, at);
        if (strcmp(text_of(at, text), table->runs[i]) != 0) {
            fail_msg("'%s' %s after %s, run %zu: %s instead of %s", table->schedule,
                     table->zone ? table->zone : "UTC", table->from, i + 1, text_of(at, text),
                     table->runs[i]);
        }
    }
    zone_free(zone);
}

#define CHECK_ALL(tables)                                          \
    for (size_t i = 0; i < sizeof(tables) / sizeof *(tables); i++) \
    check_table(&(tables)[i])

#endif
