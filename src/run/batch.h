/*
 * batch: where the points of a worker's objects go: into every sink of the job, across objects, and
 * when a sink has acknowledged them, into the ledger. It knows which record of which object each
 * unacknowledged point came from, so a refusal finds its dead letter and an object settles with its
 * last point.
 *
 * Each sink has a lane of its own: its instance and its unacknowledged points; lanes flush
 * independently. A sink that keeps a file for each object has no such points: it answers for all of
 * an object when that ends; one that keeps a file for the run, for all of them when the run does.
 * One batch per worker.
 */
#ifndef RUN_BATCH_H
#define RUN_BATCH_H

#include "base/log.h"
#include "config/config.h"
#include "ledger/ledger.h"
#include "run/pipeline.h"
#include "run/totals.h"

struct batch_setup {
    struct ledger *ledger;
    int64_t scope, run;
    struct window window;
    const struct place_config *const *sinks;
    size_t n_sinks;
    size_t n_parsers;
    const struct log *log;
    const char *job;
    struct world *world; /* a host's */
    bool sends_ahead;    /* fill a second batch while a sink thinks about the first */
    struct run_totals *totals;
    atomic_int *holding;      /* how many workers wait for a sink; no GET opens while any does */
    int64_t rate;             /* points a second over all workers; 0 = no limit */
    _Atomic int64_t *rate_ns; /* when the next points may go, monotonic */
};

struct batch;

/* Opens an instance of every sink. */
enum status batch_new(struct batch **out, const struct batch_setup *setup, struct err *err);
void batch_free(struct batch *batch);

/* Begins an object; its records then come to batch_sink(). */
enum status batch_begin(struct batch *batch, const struct object *object, struct err *err);
struct point_sink *batch_sink(struct batch *batch);

/* Ends it. damage: what is wrong with its bytes, NULL = nothing. Settles it when and if all is
 * acknowledged. */
enum status batch_end(struct batch *batch, uint64_t records, const char *damage, struct err *err);

/* Forgets it: its points may or may not be stored, it will be read again. error: it counts as
 * failed in this run; NULL: it is tried again at once. */
enum status batch_drop(struct batch *batch, const char *error, struct err *err);

/* At the end of the worker's part of the run: flushes every lane, gives the files of the run their
 * names and settles what is done. */
enum status batch_finish(struct batch *batch, struct err *err);

/* The worker's watcher says so when it waits within a call of the batch: for a sink. */
void batch_waiting(struct batch *batch);

#endif
