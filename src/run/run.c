/* run: see run.h. The order of things in a run; list.c and worker.c do them. */
#include "run/run.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "run/changes.h"
#include "run/figures.h"
#include "run/place.h"
#include "run/world.h"

#include <inttypes.h>
#include <stdio.h>

void run_init(struct run *run, const struct job_config *job, struct ledger *ledger,
              const struct log *log, const struct run_request *request)
{
    memset(run, 0, sizeof *run);
    run->job = job;
    run->log = log;
    run->ledger = ledger;
    run->request = *request;
    run->request.again |= request->new_schema;
    run_totals_init(&run->totals);
    run->totals.metrics = request->metrics;
    pthread_mutex_init(&run->lock, NULL);
}

void run_finish(struct run *run)
{
    ledger_work_end(run->work);
    run_totals_finish(&run->totals);
    pthread_mutex_destroy(&run->lock);
}

void run_let_go(struct run *run)
{
    atomic_store(&run->let_go, true);
    atomic_store(&run->stop, true);
}

void run_drain(struct run *run)
{
    atomic_store(&run->drain, true);
    if (atomic_load(&run->phase) == RUN_LISTING) {
        run_let_go(run); /* there is nothing to settle yet */
    }
}

static void keep_error(struct run *run, const struct err *err)
{
    pthread_mutex_lock(&run->lock);
    if (!run->failed) {
        run->failed = true;
        run->was_let_go = atomic_load(&run->let_go);
        run->err = *err;
    }
    pthread_mutex_unlock(&run->lock);
}

void run_fail(struct run *run, const struct err *err)
{
    keep_error(run, err);
    atomic_store(&run->stop, true);
}

void run_give_up(struct run *run, const struct err *err)
{
    keep_error(run, err);
    atomic_store(&run->drain, true);
}

/* --- schema --- */

static enum status compute_fingerprint(struct run *run, struct err *err)
{
    struct reader *reader;
    enum status status = reader_new(&reader, run->job->parse, run->job->n_parse,
                                    (enum message_mode)run->job->options.message, err);
    if (status == OK) {
        run->fingerprint = reader_fingerprint(reader);
        reader_free(reader);
    }
    return status;
}

/* Points written under another schema have other identities: reading on would double them. */
static enum status check_schema(struct run *run, struct err *err)
{
    enum status status = compute_fingerprint(run, err);
    for (size_t i = 0; status == OK && i < run->job->n_to; i++) {
        const char *sink = run->job->to[i]->name;
        enum fingerprint_state state;
        status =
            ledger_fingerprint(run->ledger, run->job->name, sink, run->fingerprint, &state, err);
        if (status == OK && state == FINGERPRINT_CHANGED && !run->request.new_schema) {
            return err_set(
                err, BAD_CONFIG,
                "sink %s: the parsers' columns are not those its points were written with; "
                "empty the sink (or name a new one) and run pull --new-schema",
                sink);
        }
    }
    return status;
}

static enum status keep_schema(struct run *run, struct err *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < run->job->n_to; i++) {
        status = ledger_set_fingerprint(run->ledger, run->job->name, run->job->to[i]->name,
                                        run->fingerprint, err);
    }
    return status;
}

/* --- reading --- */

static void *worker_main(void *run)
{
    run_worker(run);
    return NULL;
}

static enum status start_workers(struct run *run, pthread_t *threads, size_t *started,
                                 struct err *err)
{
    size_t wanted = run_workers(run->job);
    if (wanted < (size_t)run->job->options.workers) {
        log_line(run->log, LOG_INFO, "one worker: a sink writes one file for the run", "job",
                 run->job->name, NULL);
    }
    if (wanted > run->objects_total) {
        wanted = run->objects_total;
    }
    for (*started = 0; *started < wanted; (*started)++) {
        int error = pthread_create(&threads[*started], NULL, worker_main, run);
        if (error) {
            return err_set(err, FAILED, "cannot start a worker thread: %s", strerror(error));
        }
    }
    return OK;
}

static enum status read_objects(struct run *run, struct err *err)
{
    struct work_totals totals;
    enum status status =
        ledger_work_begin(&run->work, run->ledger, run->scope, run->request.window, &totals, err);
    if (status != OK) {
        return status;
    }
    run->objects_total = totals.objects;
    run->bytes_total = totals.bytes;
    atomic_store(&run->phase, RUN_READING);
    CLEANUP_FREE pthread_t *threads =
        memory_new((size_t)run->job->options.workers * sizeof *threads);
    size_t started;
    status = start_workers(run, threads, &started, err);
    if (status != OK) {
        run_fail(run, err);
    }
    for (size_t i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
    if (run->failed) {
        *err = run->err;
        return err->status;
    }
    bool are_left = run->objects_taken < run->objects_total;
    run->left_over = are_left && atomic_load(&run->drain);
    if (are_left) {
        return err_set(err, FAILED, "stopped with objects left to read");
    }
    return OK;
}

/* --- the whole --- */

enum status run_find_scope(struct run *run, struct err *err)
{
    struct host_world host;
    host_world_init(&host, run->log, run->job->name, &run->stop);
    const struct datasource *source = run->job->from->module;
    CLEANUP_FREE void *self = place_instance(run->job->from);
    enum status status = source->open(self, &host.world, err);
    if (status == OK) {
        struct place place;
        source->place(self, &place);
        status = ledger_scope(run->ledger, run->job->name, &place, &run->scope, err);
    }
    source->close(self);
    host_world_finish(&host);
    return status;
}

static void log_summary(struct run *run, size_t sink, enum log_level level, double seconds)
{
    struct run_totals *totals = &run->totals;
    char text[32];
    snprintf(text, sizeof text, "%.3f", seconds);
    log_line(run->log, level, "run finished", "job", run->job->name, "sink",
             run->job->to[sink]->name, "read", log_int((int64_t)totals->read).text, "stored",
             log_int((int64_t)totals->sinks[sink].stored).text, "duplicate",
             log_int((int64_t)totals->sinks[sink].duplicate).text, "expired",
             log_int((int64_t)totals->sinks[sink].expired).text, "dead",
             log_int((int64_t)totals->sinks[sink].dead).text, "objects",
             log_int((int64_t)totals->objects).text, "failed",
             log_int((int64_t)totals->failed).text, "quarantined",
             log_int((int64_t)totals->quarantined).text, "unmatched",
             log_int((int64_t)run->unmatched).text, "seconds", text, NULL);
}

/* Also of a run that failed: what it settled is stored. */
static enum status note_run(struct run *run, const char *error, struct err *err)
{
    struct kind_news kinds[KINDS_MAX];
    size_t n_kinds = 0;
    for (size_t i = 0; i < run->job->n_parse; i++) {
        if (run->totals.newest_ns[i] != INT64_MIN) {
            kinds[n_kinds++] =
                (struct kind_news){run->job->parse[i]->about.name, run->totals.newest_ns[i]};
        }
    }
    bool is_listed = atomic_load(&run->phase) != RUN_LISTING;
    const struct run_notes notes = {
        .error = error,
        .unmatched = is_listed ? (int64_t)run->unmatched : -1,
        .list_requests = (int64_t)run->list_requests,
        .kinds = kinds,
        .n_kinds = n_kinds,
    };
    return ledger_run_note(run->ledger, run->number, &notes, err);
}

static bool has_kept_back(const struct run *run)
{
    return run->totals.failed || run->totals.quarantined || run->unmatched;
}

static bool is_cut_off(const struct run *run, enum status status)
{
    if (status == OK || has_kept_back(run)) {
        return false;
    }
    return run->failed ? run->was_let_go : run->left_over || atomic_load(&run->let_go);
}

/* A run that was cut off has no end in the ledger, as if it had been killed: whether the job is
 * well is for the run before it to say. */
static enum status keep_result(struct run *run, int64_t now_ns, enum status result,
                               const char *error, struct err *err)
{
    enum status status = note_run(run, result == OK ? NULL : error, err);
    if (status != OK || run->cut_off) {
        return status;
    }
    return ledger_run_end(run->ledger, run->number, now_ns, result == OK, run->request.window, err);
}

static enum status end_run(struct run *run, struct host_world *host, enum status status,
                           struct err *err)
{
    double seconds =
        (double)(world_monotonic(&host->world) - run->begun_ns) / (double)NS_PER_SECOND;
    run->cut_off = is_cut_off(run, status);
    if (status == OK && has_kept_back(run)) {
        status = err_set(err, FAILED,
                         "%" PRIu64 " objects failed, %" PRIu64 " quarantined, %" PRIu64
                         " folders or objects unmatched: see `loggateway status`",
                         run->totals.failed, run->totals.quarantined, run->unmatched);
    }
    if (!run->held && !atomic_load(&run->let_go)) {
        figures_write(run, (int64_t)seconds, run->cut_off ? -1 : status == OK);
    }
    changes_log(&run->totals.changes, run->log, run->job->name);
    for (size_t i = 0; i < run->job->n_to; i++) {
        log_summary(run, i, status == OK ? LOG_INFO : LOG_WARN, seconds);
    }
    struct err ledger_err;
    enum status kept = keep_result(run, world_now(&host->world), status, err->text, &ledger_err);
    if (kept != OK && status == OK) {
        *err = ledger_err;
        status = err->status;
    }
    atomic_store(&run->phase, RUN_DONE);
    return status;
}

static enum status prepare(struct run *run, struct err *err)
{
    enum status status = run_find_scope(run, err);
    if (status == OK) {
        status = check_schema(run, err);
    }
    run->held = status != OK;
    return status;
}

static enum status list_and_read(struct run *run, struct err *err)
{
    enum status status = prepare(run, err);
    if (status == OK) {
        status = run_recover(run, err);
    }
    if (status == OK) {
        status = run_list(run, err);
    }
    if (status == OK) {
        status = keep_schema(run, err);
    }
    return status == OK ? read_objects(run, err) : status;
}

enum status run_job(struct run *run, struct err *err)
{
    struct host_world host;
    host_world_init(&host, run->log, run->job->name, &run->stop);
    run->begun_ns = world_monotonic(&host.world);
    run->start_ns = world_now(&host.world);
    enum status status;
    if (run->request.dry_run) {
        status = prepare(run, err);
        return status == OK ? run_list(run, err) : status;
    }
    status = ledger_run_begin(run->ledger, run->job->name, run->start_ns, &run->number, err);
    if (status != OK) {
        return status;
    }
    status = list_and_read(run, err);
    return end_run(run, &host, status, err);
}
