/*
 * verify: `loggateway verify`: does what the ledger says hold, and is it what the sinks have?
 *
 *   verify.c         the command: arguments, locks, the order of things
 *   verify_claims.c  what the ledger says: sums, objects that contradict themselves
 *   verify_count.c   what the sinks have, day by day, and how that differs
 *   verify_text.c    the findings for people
 *   verify_json.c    the findings for programs
 *
 * Memory: a table of all days of all time (5 MB, touched where there are points) for each sink and
 * measurement, and a limited number of differences. Nothing grows with the objects.
 */
#ifndef COMMANDS_VERIFY_H
#define COMMANDS_VERIFY_H

#include "base/log.h"
#include "config/config.h"
#include "ledger/verify.h"

enum {
    VERIFY_DIFFERENCES_MAX = 100, /* of a kind told in detail; the others are counted */
    VERIFY_KEYS_MAX = 10,         /* objects named for a day */
    VERIFY_DAY_FIRST = -106751,   /* 1677-09-22: the whole days of 64-bit nanoseconds. The hours */
    VERIFY_DAY_LAST = 106750,     /* before and after are not compared. */
    VERIFY_DAYS = VERIFY_DAY_LAST - VERIFY_DAY_FIRST + 1,
    VERIFY_DAY_BYTES = 11, /* "2022-05-30" */
};

struct verify_day {
    uint64_t stored, counted;
    uint32_t difference; /* 1 + its index; 0 = none, or told of only by number */
};

/* A measurement in a sink. */
struct verify_series {
    const char *measurement;
    const char *field;       /* one that every point has; NULL: not known */
    bool configured;         /* a job has a parser for it */
    struct verify_day *days; /* [VERIFY_DAYS] */
    /* after counting, of the days that were compared: */
    int32_t first_day, last_day;
    uint64_t n_days, stored, counted;
    uint64_t different_days;
    uint64_t skipped_days; /* older than the sink keeps */
};

enum verify_counting { VERIFY_COUNTED, VERIFY_COUNTED_NEVER, VERIFY_COUNTED_NOT };

/* A stanza that the jobs in question write to; other jobs may too. */
struct verify_sink {
    const struct place_config *place;
    enum verify_counting counting; /* NEVER: such a place cannot tell; NOT: it would not */
    char error[512];               /* why not */
    int64_t kept_from_ns;          /* INT64_MIN: it keeps all */
    struct verify_series *series;
    size_t n_series, last_series;
};

struct verify_job_sink {
    struct sink_counts counts;
    uint64_t missing; /* objects that were read when this was no sink of the job */
    uint64_t read;    /* of objects that went there */
};

struct verify_job {
    const struct job_config *config;
    bool wanted; /* otherwise it only writes to a sink of one that is */
    uint64_t objects[OBJECT_QUARANTINED + 1];
    uint64_t gone; /* settled, and no longer in the bucket */
    uint64_t read;
    int64_t unmatched; /* -1: nobody has looked */
    struct verify_job_sink sinks[LEDGER_SINKS_MAX];
};

/* Either of an object, or of a day. */
struct verify_difference {
    const char *job, *sink; /* NULL: not of one */
    const char *text;       /* of an object: what contradicts what */
    const char *measurement;
    int32_t day;
    uint64_t stored, counted;
    const char *keys[VERIFY_KEYS_MAX]; /* the object, or those with points on that day */
    size_t n_keys;
    uint64_t more_keys;
    bool gone; /* objects that are no longer in the bucket had points on that day too */
};

struct verify_differences {
    struct verify_difference at[VERIFY_DIFFERENCES_MAX];
    size_t n;
    uint64_t beyond;
};

struct verify {
    const struct config *config;
    struct ledger *ledger; /* NULL: nothing has run yet */
    const struct log *log;
    int64_t now_ns;
    int32_t from_day, to_day; /* the days that are compared, the last excluded */
    struct verify_job *jobs;  /* those in question, and those that share a sink with them */
    size_t n_jobs;
    struct verify_sink *sinks;
    size_t n_sinks;
    struct verify_differences objects, days;
    struct arena texts;
};

/* --- verify.c --- */

bool verify_is_equal(const struct verify *verify);
/* Objects that were not read to their end: what is stored of them is not in the ledger. */
uint64_t verify_left(const struct verify *verify);
struct verify_sink *verify_sink_named(struct verify *verify, const char *name);
struct verify_job *verify_job_named(struct verify *verify, const char *name);
/* Adds it when it is new. */
struct verify_series *verify_series_named(struct verify *verify, struct verify_sink *sink,
                                          const char *measurement);
/* One more difference; NULL when it is only counted. */
struct verify_difference *verify_add(struct verify_differences *differences);

const char *verify_day_text(int32_t day, char text[VERIFY_DAY_BYTES]);

/* --- verify_claims.c --- */

/* Adds up what the ledger says, and finds the objects that contradict themselves. */
enum status verify_claims(struct verify *verify, struct err *err);
/* Names the objects of the days that differ. */
enum status verify_name(struct verify *verify, struct err *err);

/* --- verify_count.c --- */

/* Counts in every sink and compares. A sink that cannot be counted says so in .error. */
void verify_count(struct verify *verify);

/* --- verify_text.c, verify_json.c: on stdout --- */

void verify_print(const struct verify *verify);
enum status verify_print_json(const struct verify *verify, struct err *err);

#endif
