/*
 * worker: one worker of a run: its own connections, its own pipeline, one object at a time from
 * end to end. A busy sink slows the download by not returning from intake.bytes; when that takes
 * long the source's connection is let go (park) and resumes by itself.
 */
#include "run/run.h"

#include "base/cleanup.h"
#include "base/timestamp.h"
#include "ledger/cursors.h"
#include "run/counted.h"
#include "run/place.h"
#include "run/world.h"

#include <stdlib.h>

static const int64_t park_after_ns = 30 * NS_PER_SECOND;
static const int64_t holding_look_ns = 100 * NS_PER_MS;

enum {
    FETCH_TRIES = 3, /* of one object that changes while it is read */
    SOURCE_FAILURES_MAX =
        8, /* in a row, over all workers: then the place is away, not an object broken */
};

/* An object taken from the list of work. */
struct taken {
    struct object object;
    struct arena keys; /* its key */
    bool full;         /* not read yet */
};

struct worker {
    struct intake intake;
    struct watcher watcher;
    struct run *run;
    struct host_world host;
    const struct datasource *source;
    void *self; /* of the source */
    struct pipeline *pipeline;
    struct batch *batch;
    struct taken taken[2]; /* one to read, and perhaps the one behind it */
    size_t turn;           /* which of them is read */
    int64_t entered_ns;    /* since when sinks may keep a request of the source waiting, monotonic;
                              0 = they do not */
    int64_t fetched_bytes; /* of the object under way */
    bool in_sink;          /* of our own batch */
    bool parked;           /* since then */
    enum status chain;     /* what the pipeline last said */
};

/* Until sinks_leave() a request of the source waits for sinks: our own, or those of other workers.
 */
static void sinks_enter(struct worker *worker, bool own)
{
    worker->entered_ns = world_monotonic(&worker->host.world);
    worker->in_sink = own;
}

static void sinks_leave(struct worker *worker)
{
    worker->entered_ns = 0;
    worker->in_sink = worker->parked = false;
}

static enum status take_bytes(struct intake *intake, struct slice bytes, struct err *err)
{
    struct worker *worker = (struct worker *)intake; /* the first member */
    struct intake *pipeline = pipeline_intake(worker->pipeline);
    sinks_enter(worker, true);
    worker->chain = pipeline->bytes(pipeline, bytes, err);
    sinks_leave(worker);
    worker->fetched_bytes += (int64_t)bytes.len;
    worker->run->bytes_read += (int64_t)bytes.len;
    return worker->chain;
}

static void look(struct watcher *watcher, bool waiting)
{
    struct worker *worker = (struct worker *)((char *)watcher - offsetof(struct worker, watcher));
    if (waiting && worker->in_sink) {
        batch_waiting(worker->batch);
    }
    if (worker->entered_ns && !worker->parked && worker->source->park &&
        world_monotonic(&worker->host.world) - worker->entered_ns > park_after_ns) {
        worker->parked = true;
        worker->source->park(worker->self);
    }
}

/* --- objects --- */

static enum status await_sinks(struct worker *worker, struct err *err)
{
    enum status status = OK;
    sinks_enter(worker, false);
    while (status == OK && atomic_load(&worker->run->holding) > 0) {
        status = world_wait(&worker->host.world, holding_look_ns, err);
    }
    sinks_leave(worker);
    return status == OK ? world_tick(&worker->host.world, err) : status;
}

static enum status finish_object(struct worker *worker, struct err *err)
{
    sinks_enter(worker, true);
    enum status status = pipeline_end(worker->pipeline, err);
    if (status == OK) {
        status = batch_end(worker->batch, pipeline_records(worker->pipeline),
                           pipeline_damage(worker->pipeline), err);
    }
    if (status == OK) {
        run_totals_add_changes(&worker->run->totals, pipeline_changes(worker->pipeline));
    }
    sinks_leave(worker);
    return status;
}

/* The source could not give the object: it is kept for the next run, and the others go on, unless
 * the place as a whole seems to be away. */
static enum status keep_object(struct worker *worker, const struct object *object, enum status why,
                               struct err *err)
{
    struct err cause = *err;
    CLEANUP(arena_finish) struct arena text = {0};
    log_line(worker->run->log, LOG_ERROR, "object kept for the next run", "job",
             worker->run->job->name, "key", arena_text(&text, object->key), "error", cause.text,
             NULL);
    enum status status = batch_drop(worker->batch, cause.text, err);
    if (status == OK && why == BAD_DATA) {
        status = ledger_doubt(worker->run->ledger, worker->run->scope, object->key, err);
    }
    if (status != OK) {
        return status;
    }
    if (why == FAILED &&
        atomic_fetch_add(&worker->run->source_failures, 1) + 1 >= SOURCE_FAILURES_MAX) {
        err_prefix(&cause, "source %s", worker->run->job->from->name);
        run_give_up(worker->run, &cause);
    }
    return OK;
}

static enum status fetch_once(struct worker *worker, const struct object *object, struct err *err)
{
    worker->chain = batch_begin(worker->batch, object, err);
    if (worker->chain != OK) {
        return worker->chain;
    }
    pipeline_begin(worker->pipeline, object->key, object->last_modified_ns,
                   batch_sink(worker->batch));
    worker->fetched_bytes = 0;
    enum status status = worker->source->fetch(worker->self, object, &worker->intake, err);
    metrics_add_fetch(worker->run->request.metrics, worker->fetched_bytes,
                      pipeline_inflated(worker->pipeline));
    return status;
}

static enum status read_object(struct worker *worker, const struct object *object, struct err *err)
{
    enum status status = AGAIN;
    for (int i = 0; i < FETCH_TRIES && status == AGAIN; i++) {
        if (i > 0) {
            enum status dropped = batch_drop(worker->batch, NULL, err);
            if (dropped != OK) {
                return dropped;
            }
        }
        status = await_sinks(worker, err);
        if (status != OK) {
            return status;
        }
        status = fetch_once(worker, object, err);
        if (status == OK || pipeline_damage(worker->pipeline)) {
            atomic_store(&worker->run->source_failures, 0);
            return finish_object(worker, err);
        }
    }
    if (worker->chain != OK || atomic_load(&worker->run->stop)) {
        return status; /* not this object's trouble: a batch spans objects */
    }
    return keep_object(worker, object, status, err);
}

static enum status take(struct worker *worker, struct taken *to, struct err *err)
{
    arena_reset(&to->keys);
    enum status status = ledger_work_next(worker->run->work, &to->keys, &to->object, err);
    to->full = status == OK;
    return status;
}

/* For the source to ask for while a small object is worked on. Not while sinks are waited for:
 * other workers may come first. */
static enum status take_next(struct intake *intake, struct object *out, struct err *err)
{
    struct worker *worker = (struct worker *)intake; /* the first member */
    struct taken *next = &worker->taken[!worker->turn];
    if (atomic_load(&worker->run->drain) || atomic_load(&worker->run->holding) > 0) {
        return AGAIN;
    }
    enum status status = next->full ? OK : take(worker, next, err);
    if (status == OK) {
        *out = next->object;
    } else if (status != AGAIN) {
        worker->chain = status; /* the ledger's trouble, not the object's */
    }
    return status;
}

static enum status read_all(struct worker *worker, struct err *err)
{
    for (; !atomic_load(&worker->run->drain); worker->turn = !worker->turn) {
        struct taken *now = &worker->taken[worker->turn];
        enum status status = now->full ? OK : take(worker, now, err);
        if (status == AGAIN) {
            break;
        }
        if (status == OK) {
            status = read_object(worker, &now->object, err);
        }
        if (status != OK) {
            return status;
        }
        now->full = false;
        worker->run->objects_taken++;
    }
    sinks_enter(worker, true);
    enum status status = batch_finish(worker->batch, err);
    sinks_leave(worker);
    return status;
}

/* --- the worker --- */

static enum status open_worker(struct worker *worker, struct err *err)
{
    struct run *run = worker->run;
    const struct job_config *job = run->job;
    counted_place(&worker->host.world, metrics_source(run->request.metrics));
    enum status status = worker->source->open(worker->self, &worker->host.world, err);
    if (status != OK) {
        return err_prefix(err, "source %s", job->from->name);
    }
    struct gunzip_limits limits = {job->options.max_object_bytes, job->options.max_ratio};
    status = pipeline_new(&worker->pipeline, job->parse, job->n_parse,
                          (enum message_mode)job->options.message, limits, err);
    if (status != OK) {
        return status;
    }
    struct batch_setup setup = {
        .ledger = run->ledger,
        .scope = run->scope,
        .run = run->number,
        .window = run->request.window,
        .sinks = job->to,
        .n_sinks = job->n_to,
        .n_parsers = job->n_parse,
        .log = run->log,
        .job = job->name,
        .world = &worker->host.world,
        .sends_ahead = run_workers(job) == 1, /* several work while others wait, in less memory */
        .totals = &run->totals,
        .holding = &run->holding,
        .rate = job->options.rate,
        .rate_ns = &run->rate_ns,
    };
    return batch_new(&worker->batch, &setup, err);
}

void run_worker(struct run *run)
{
    struct worker worker = {.intake = {take_bytes, take_next}, .watcher = {look}, .run = run};
    struct err err;
    host_world_init(&worker.host, run->log, run->job->name, &run->stop);
    worker.host.watcher = &worker.watcher;
    worker.source = run->job->from->module;
    worker.self = place_instance(run->job->from);
    enum status status = open_worker(&worker, &err);
    if (status == OK) {
        status = read_all(&worker, &err);
    }
    if (status != OK) {
        run_fail(run, &err);
    }
    arena_finish(&worker.taken[0].keys);
    arena_finish(&worker.taken[1].keys);
    batch_free(worker.batch);
    pipeline_free(worker.pipeline);
    worker.source->close(worker.self);
    free(worker.self);
    host_world_finish(&worker.host);
}
