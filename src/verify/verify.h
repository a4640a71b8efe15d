/*
 * verify: does what the ledger says hold, and is it what the sinks and the source have? What is
 * found, and how it is found in the ledger. For `loggateway verify`, which also asks the sinks and
 * the source (commands/verify*.c), and for the report, which shows the same figures.
 *
 *   verify.c  what is in question, and the differences
 *   claims.c  what the ledger says: sums, objects that contradict themselves, objects that wait
 *   days.c    what a sink has, day by day, and how that differs
 *   listed.c  what the source has, object by object, and how that differs
 *
 * Memory: a table of all days of all time (5 MB, touched where there are points) for each sink and
 * measurement, and a limited number of differences. Nothing grows with the objects.
 */
#ifndef VERIFY_VERIFY_H
#define VERIFY_VERIFY_H

#include "config/config.h"
#include "ledger/compare.h"
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

enum verify_listing {
    VERIFY_LISTED_NOT, /* it was not to be asked */
    VERIFY_LISTED,
    VERIFY_LISTED_FAILED, /* it would not say: see .error */
};

/* What the source has of the job's periods. */
struct verify_listed {
    enum verify_listing listing;
    char error[512];
    uint64_t objects;                        /* = those by state + lost + changed + newer */
    uint64_t states[OBJECT_QUARANTINED + 1]; /* as the ledger knows them */
    uint64_t lost;                           /* the ledger does not know them */
    uint64_t changed;                        /* it knows them with another content */
    uint64_t newer; /* either of the two, but too new for the last listing of their place */
    uint64_t gone;  /* the ledger knows them, and they are no longer there */
    bool unordered; /* .gone is not known */
};

struct verify_job {
    const struct job_config *config;
    bool wanted; /* otherwise it only writes to a sink of one that is */
    uint64_t objects[OBJECT_QUARANTINED + 1];
    uint64_t gone; /* settled, and no longer in the bucket */
    uint64_t read;
    int64_t unmatched; /* -1: nobody has looked */
    struct verify_job_sink sinks[LEDGER_SINKS_MAX];

    /* Deliveries in question: what was asked for, or what runs were asked for. */
    int64_t scope; /* of the source as it is configured; 0: none */
    struct window *windows;
    size_t n_windows;
    int64_t listed_ns;          /* start of the last run that listed the latest of what was asked */
    uint64_t waiting;           /* objects of these deliveries that are listed and not read */
    uint64_t objects_different; /* of which something does not hold, lost and waiting ones too */
    struct verify_listed listed;
};

/* Of an object, or of a day. */
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
    int64_t now_ns;
    int32_t from_day, to_day; /* the days that are compared, the last excluded */
    struct verify_job *jobs;  /* those in question, and those that share a sink with them */
    size_t n_jobs;
    struct verify_sink *sinks;
    size_t n_sinks;
    struct verify_differences objects, waiting, lost, days;
    struct arena texts;
};

/* --- verify.c --- */

/* The days that the window touches. */
void verify_set_days(struct verify *verify, struct window window);
/* The jobs and sinks in question. name: a job's, NULL = all; only: one sink of it, NULL = all.
 * BAD_CONFIG: no such job. */
enum status verify_choose(struct verify *verify, const char *name, const struct place_config *only,
                          struct err *err);
void verify_finish(struct verify *verify); /* closes the ledger too */

/* How many things are not as they should be; what could not be asked is one. */
uint64_t verify_count_differences(const struct verify *verify);
/* The same, of one job and the sinks it writes to. */
uint64_t verify_count_of_job(const struct verify *verify, const struct verify_job *job);
/* Objects that were not read to their end: what is stored of them is not in the ledger. */
uint64_t verify_left(const struct verify *verify);
struct verify_sink *verify_sink_named(struct verify *verify, const char *name);
struct verify_job *verify_job_named(struct verify *verify, const char *name);
/* Adds it when it is new. */
struct verify_series *verify_series_named(struct verify *verify, struct verify_sink *sink,
                                          const char *measurement);
/* One more difference; NULL when it is only counted. */
struct verify_difference *verify_add(struct verify_differences *differences);
/* One more of an object. key: empty = of objects that are gone; sink: NULL = of none. */
void verify_add_object(struct verify *verify, struct verify_differences *differences,
                       const char *job, const char *sink, struct slice key, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

const char *verify_day_text(int32_t day, char text[VERIFY_DAY_BYTES]);

/* --- claims.c --- */

/* Adds up what the ledger says, and finds the objects that contradict themselves or wait. */
enum status verify_claims(struct verify *verify, struct err *err);
/* Names the objects of the days that differ. */
enum status verify_name(struct verify *verify, struct err *err);

/* --- days.c --- */

/* Counts every series of the sink, by the place's module: self is an open instance of it. */
enum status verify_count_sink(const struct verify *verify, struct verify_sink *sink, void *self,
                              struct err *err);
/* Compares with what the ledger says. After verify_claims() and verify_count_sink(). */
void verify_compare_days(struct verify *verify, const struct verify_sink *sink);

/* --- listed.c --- */

/* Hears of a job's source; the first member is for ledger_compare. */
struct verify_listener {
    struct comparison comparison;
    struct verify *verify;
    struct verify_job *job;
};
void verify_listener_init(struct verify_listener *listener, struct verify *verify,
                          struct verify_job *job);

#endif
