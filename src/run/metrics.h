/*
 * metrics: what the service counts from its start on, for Prometheus. Workers add an object, a
 * fetch or a request at a time, without a lock: every counter is an atomic. metrics_text.c writes
 * them down when commands/health is asked for them; run/counted counts the requests.
 *
 * A pull has no metrics: every function here takes NULL and does nothing then.
 */
#ifndef RUN_METRICS_H
#define RUN_METRICS_H

#include "base/buf.h"
#include "config/config.h"
#include "run/tracked.h"

#include <stdatomic.h>

enum {
    KINDS_MAX = LEDGER_KINDS_MAX + 1
}; /* a job's parsers, and records that none of them knows */

enum { HISTOGRAM_BOUNDS_MAX = 13 };

struct histogram {
    _Atomic uint64_t counts[HISTOGRAM_BOUNDS_MAX + 1]; /* by the first bound that holds it */
    _Atomic uint64_t sum_ns;
};

/* How a request ended: by the first digit of its code, or without a whole reply, also where it was
 * given up before one came. */
enum { REQUEST_CUT, REQUEST_RESULTS = 6 };

/* A place as requests are sent to it; jobs may share it. */
struct place_metrics {
    const struct place_config *place;
    _Atomic uint64_t requests[REQUEST_RESULTS];
    _Atomic uint64_t retries;
    struct histogram seconds;
};

struct sink_metrics {
    struct place_metrics *place;
    _Atomic uint64_t stored, duplicate, expired, dead;
    atomic_int waiting; /* workers */
};

struct job_metrics {
    const struct job_config *job;
    struct place_metrics *source;
    struct sink_metrics sinks[LEDGER_SINKS_MAX]; /* in the order of the job's `to:` */
    _Atomic uint64_t settled, quarantined, failed;
    _Atomic uint64_t read_bytes, inflated_bytes, dead_letters;
    _Atomic uint64_t records[KINDS_MAX];
    _Atomic uint64_t complete_runs, incomplete_runs;
    struct histogram run_seconds;
    _Atomic int64_t next_run_ns; /* INT64_MAX: never */
};

struct metrics {
    const struct config *config;
    struct job_metrics *jobs; /* in the order of the configuration */
    struct place_metrics *places;
    size_t n_places;
};

struct metrics *metrics_new(const struct config *config); /* borrows it */
void metrics_free(struct metrics *metrics);

/* The job's part; NULL when there are none. */
struct job_metrics *metrics_job(struct metrics *metrics, size_t job);
/* Its places, to count requests in (run/counted). sink: index in the job's `to:`. */
struct place_metrics *metrics_source(struct job_metrics *metrics);
struct place_metrics *metrics_sink(struct job_metrics *metrics, size_t sink);

/* --- adding --- */

void metrics_add_object(struct job_metrics *metrics, const struct tracked_list *list,
                        struct tracked *object);
void metrics_add_failed_object(struct job_metrics *metrics);
void metrics_add_fetch(struct job_metrics *metrics, int64_t stored_bytes, int64_t inflated_bytes);
void metrics_add_run(struct job_metrics *metrics, bool complete, int64_t took_ns);
void metrics_next_run(struct job_metrics *metrics, int64_t due_ns);
/* One worker more (1) or less (-1) that waits for the sink. */
void metrics_add_waiting(struct job_metrics *metrics, size_t sink, int change);
/* code: 0 = no whole reply came, or it was not waited for. */
void metrics_add_request(struct place_metrics *metrics, int code, bool retry, int64_t took_ns);

/* --- telling --- */

/* What is not counted but asked at the moment. */
struct job_health {
    bool is_well;
    int64_t good_to_ns; /* the end of the good window; INT64_MIN: there is none */
};

/* Appends the text format of Prometheus, version 0.0.4. jobs: one for each of the configuration. */
void metrics_write(const struct metrics *metrics, const struct job_health *jobs, struct buf *out);

/* The upper bounds, in ns, ended by 0, at most HISTOGRAM_BOUNDS_MAX. */
extern const int64_t metrics_request_bounds_ns[], metrics_run_bounds_ns[];

#endif
