/* metrics: see metrics.h. Counting; the text is metrics_text.c's. */
#include "run/metrics.h"

#include "base/memory.h"
#include "base/timestamp.h"

#include <stdlib.h>

#define MS NS_PER_MS
#define S NS_PER_SECOND

/* From a PUT on the same machine to a connection that stalls. */
const int64_t metrics_request_bounds_ns[] = {5 * MS,   10 * MS,  25 * MS, 50 * MS,   100 * MS,
                                             250 * MS, 500 * MS, 1 * S,   2500 * MS, 5 * S,
                                             10 * S,   30 * S,   60 * S,  0};

/* From an hour that brought nothing to a first backfill. */
const int64_t metrics_run_bounds_ns[] = {1 * S,   5 * S,    15 * S,    60 * S,    300 * S,
                                         900 * S, 3600 * S, 14400 * S, 86400 * S, 0};

/* --- the struct --- */

static struct place_metrics *find_place(struct metrics *metrics, const struct place_config *place)
{
    size_t i = 0;
    while (i < metrics->n_places && metrics->places[i].place != place) {
        i++;
    }
    if (i == metrics->n_places) {
        metrics->places[metrics->n_places++].place = place;
    }
    return &metrics->places[i];
}

static size_t most_places(const struct config *config)
{
    size_t n = 0;
    for (size_t i = 0; i < config->n_jobs; i++) {
        n += 1 + config->jobs[i].n_to;
    }
    return n;
}

struct metrics *metrics_new(const struct config *config)
{
    struct metrics *metrics = memory_new(sizeof *metrics);
    metrics->config = config;
    metrics->jobs = memory_new(config->n_jobs * sizeof *metrics->jobs);
    metrics->places = memory_new(most_places(config) * sizeof *metrics->places);
    for (size_t i = 0; i < config->n_jobs; i++) {
        const struct job_config *job = &config->jobs[i];
        struct job_metrics *own = &metrics->jobs[i];
        own->job = job;
        own->source = find_place(metrics, job->from);
        for (size_t sink = 0; sink < job->n_to; sink++) {
            own->sinks[sink].place = find_place(metrics, job->to[sink]);
        }
        own->next_run_ns = INT64_MAX;
    }
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    if (metrics) {
        free(metrics->places);
        free(metrics->jobs);
        free(metrics);
    }
}

struct job_metrics *metrics_job(struct metrics *metrics, size_t job)
{
    return metrics ? &metrics->jobs[job] : NULL;
}

struct place_metrics *metrics_source(struct job_metrics *metrics)
{
    return metrics ? metrics->source : NULL;
}

struct place_metrics *metrics_sink(struct job_metrics *metrics, size_t sink)
{
    return metrics ? metrics->sinks[sink].place : NULL;
}

/* --- adding --- */

/* Nobody reads one counter to know of another, so their order means nothing. */
static void add(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

static void observe(struct histogram *histogram, const int64_t *bounds_ns, int64_t ns)
{
    size_t i = 0;
    while (bounds_ns[i] && ns > bounds_ns[i]) {
        i++;
    }
    add(&histogram->counts[i], 1);
    add(&histogram->sum_ns, ns > 0 ? (uint64_t)ns : 0);
}

static uint64_t records_of(const struct sink_counts *counts)
{
    return counts->stored + counts->duplicate + counts->expired + counts->dead;
}

static void add_points(struct sink_metrics *sink, const struct sink_counts *counts)
{
    add(&sink->stored, counts->stored);
    add(&sink->duplicate, counts->duplicate);
    add(&sink->expired, counts->expired);
    add(&sink->dead, counts->dead);
}

void metrics_add_object(struct job_metrics *metrics, const struct tracked_list *list,
                        struct tracked *object)
{
    if (!metrics) {
        return;
    }
    add(object->state == OBJECT_QUARANTINED ? &metrics->quarantined : &metrics->settled, 1);
    add(&metrics->dead_letters, object->letters + object->letters_beyond);
    for (size_t kind = 0; kind < list->n_kinds; kind++) {
        /* Every sink has had all records, so the first stands for all. */
        add(&metrics->records[kind], records_of(tracked_counts(list, object, 0, kind)));
        for (size_t i = 0; i < list->n_sinks; i++) {
            add_points(&metrics->sinks[i], tracked_counts(list, object, i, kind));
        }
    }
}

void metrics_add_failed_object(struct job_metrics *metrics)
{
    if (metrics) {
        add(&metrics->failed, 1);
    }
}

void metrics_add_fetch(struct job_metrics *metrics, int64_t stored_bytes, int64_t inflated_bytes)
{
    if (metrics) {
        add(&metrics->read_bytes, (uint64_t)stored_bytes);
        add(&metrics->inflated_bytes, (uint64_t)inflated_bytes);
    }
}

void metrics_add_run(struct job_metrics *metrics, bool complete, int64_t took_ns)
{
    if (metrics) {
        add(complete ? &metrics->complete_runs : &metrics->incomplete_runs, 1);
        observe(&metrics->run_seconds, metrics_run_bounds_ns, took_ns);
    }
}

void metrics_next_run(struct job_metrics *metrics, int64_t due_ns)
{
    if (metrics) {
        atomic_store(&metrics->next_run_ns, due_ns);
    }
}

void metrics_add_waiting(struct job_metrics *metrics, size_t sink, int change)
{
    if (metrics) {
        atomic_fetch_add(&metrics->sinks[sink].waiting, change);
    }
}

void metrics_add_request(struct place_metrics *metrics, int code, bool retry, int64_t took_ns)
{
    if (metrics) {
        int result = code / 100;
        bool is_known = result > 0 && result < REQUEST_RESULTS;
        add(&metrics->requests[is_known ? result : REQUEST_CUT], 1);
        add(&metrics->retries, retry);
        observe(&metrics->seconds, metrics_request_bounds_ns, took_ns);
    }
}
