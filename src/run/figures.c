/* figures: see figures.h. Names: doc/grafana/README.md. */
#include "run/figures.h"

#include "base/timestamp.h"
#include "run/counted.h"
#include "run/place.h"
#include "run/world.h"

#include <stdlib.h>

static const int64_t give_up_after_ns = 10 * NS_PER_SECOND;

enum {
    OBJECTS,
    READ,
    STORED,
    DUPLICATE,
    EXPIRED,
    DEAD,
    FAILED_OBJECTS,
    SECONDS,
    NEWEST,
    QUARANTINED,
    UNMATCHED,
    WAITING,
    LISTED,
    LOST,
    COUNTED,
    DIFFERENCES,
    COMPLETE,
    N_FIELDS
};

/* One for all kinds of points: what a kind does not know is absent. */
static const struct schema schema = {
    .measurement = "gateway-01",
    .n_tags = 2,
    .tags = {"job", "kind"},
    .n_fields = N_FIELDS,
    .fields = {[OBJECTS] = {"objects", VALUE_INT},
               [READ] = {"read", VALUE_INT},
               [STORED] = {"stored", VALUE_INT},
               [DUPLICATE] = {"duplicate", VALUE_INT},
               [EXPIRED] = {"expired", VALUE_INT},
               [DEAD] = {"dead", VALUE_INT},
               [FAILED_OBJECTS] = {"failed", VALUE_INT},
               [SECONDS] = {"seconds", VALUE_INT},
               [NEWEST] = {"newest", VALUE_INT},
               [QUARANTINED] = {"quarantined", VALUE_INT},
               [UNMATCHED] = {"unmatched", VALUE_INT},
               [WAITING] = {"waiting", VALUE_INT},
               [LISTED] = {"listed", VALUE_INT},
               [LOST] = {"lost", VALUE_INT},
               [COUNTED] = {"counted", VALUE_INT},
               [DIFFERENCES] = {"differences", VALUE_INT},
               [COMPLETE] = {"complete", VALUE_INT}},
};

struct writer {
    struct watcher watcher;
    struct host_world host;
    atomic_bool give_up;
    int64_t begun_ns;
    const struct place_config *place;
    void *self;
    const struct job_config *job;
    int64_t time_ns;         /* of the points */
    const atomic_bool *stop; /* NULL: nobody says */
};

static void look(struct watcher *watcher, bool waiting)
{
    struct writer *writer = (struct writer *)watcher; /* the first member */
    (void)waiting;
    if ((writer->stop && atomic_load(writer->stop)) ||
        world_monotonic(&writer->host.world) - writer->begun_ns > give_up_after_ns) {
        atomic_store(&writer->give_up, true);
    }
}

/* A point about a point: nobody counts it. */
static void ignore_refusal(struct refusals *to, size_t index, enum refusal kind, const char *reason,
                           struct slice bytes)
{
    (void)to;
    (void)index;
    (void)kind;
    (void)reason;
    (void)bytes;
}

static void set(struct value *fields, size_t field, int64_t number)
{
    fields[field] = (struct value){.kind = VALUE_INT, .number = number};
}

/* -1: not known */
static void set_known(struct value *fields, size_t field, int64_t number)
{
    if (number >= 0) {
        set(fields, field, number);
    }
}

static void set_counts(struct value *fields, const struct sink_counts *counts)
{
    set(fields, READ,
        (int64_t)(counts->stored + counts->duplicate + counts->expired + counts->dead));
    set(fields, STORED, (int64_t)counts->stored);
    set(fields, DUPLICATE, (int64_t)counts->duplicate);
    set(fields, EXPIRED, (int64_t)counts->expired);
    set(fields, DEAD, (int64_t)counts->dead);
}

static enum status flush(struct writer *writer, struct err *err)
{
    struct refusals refusals = {ignore_refusal};
    return writer->place->module->flush(writer->self, &refusals, err);
}

static enum status put(struct writer *writer, const char *kind, const struct value *fields,
                       struct err *err)
{
    const struct slice tags[] = {slice_of(writer->job->name), slice_of(kind)};
    const struct point point = {&schema, tags, fields, writer->time_ns};
    enum status status = writer->place->module->put(writer->self, &point, err);
    if (status == AGAIN && flush(writer, err) != OK) {
        return err->status;
    }
    return status == AGAIN ? writer->place->module->put(writer->self, &point, err) : status;
}

static enum status put_and_flush(struct writer *writer,
                                 enum status (*put_points)(struct writer *writer, struct err *err),
                                 struct err *err)
{
    enum status status = writer->place->module->open(writer->self, &writer->host.world, err);
    if (status == OK) {
        status = put_points(writer, err);
    }
    return status == OK ? flush(writer, err) : status;
}

/* OK also when the sink keeps no figures. */
static enum status write_sink(struct writer *writer, const struct log *log,
                              struct place_metrics *metrics,
                              enum status (*put_points)(struct writer *writer, struct err *err),
                              struct err *err)
{
    if (!writer->place->module->keeps_figures) {
        return OK;
    }
    host_world_init(&writer->host, log, writer->job->name, &writer->give_up);
    writer->watcher.look = look;
    writer->host.watcher = &writer->watcher;
    writer->begun_ns = world_monotonic(&writer->host.world);
    writer->self = place_instance(writer->place);
    counted_place(&writer->host.world, metrics);
    enum status status = put_and_flush(writer, put_points, err);
    writer->place->module->close(writer->self);
    free(writer->self);
    host_world_finish(&writer->host);
    return status;
}

/* --- a run --- */

struct run_writer {
    struct writer writer;
    struct run *run;
    size_t sink;
    int64_t seconds;
    int64_t waiting, complete; /* -1: not known */
};

static enum status put_all(struct run_writer *of, struct err *err)
{
    const struct run *run = of->run;
    const struct run_totals *totals = &run->totals;
    struct value fields[N_FIELDS] = {0};
    set_counts(fields, &totals->sinks[of->sink]);
    set(fields, READ, (int64_t)totals->read); /* counted apart, to be held against their sum */
    set(fields, OBJECTS, (int64_t)totals->objects);
    set(fields, FAILED_OBJECTS, (int64_t)totals->failed);
    set(fields, QUARANTINED, (int64_t)totals->quarantined);
    set(fields, SECONDS, of->seconds);
    set_known(fields, COMPLETE, of->complete);
    if (atomic_load(&run->phase) != RUN_LISTING) {
        set(fields, UNMATCHED, (int64_t)run->unmatched);
        set_known(fields, WAITING, of->waiting);
    }
    for (size_t kind = 0; kind < run->job->n_parse; kind++) {
        int64_t newest_ns = totals->newest_ns[kind];
        if (newest_ns != INT64_MIN &&
            (fields[NEWEST].kind == VALUE_ABSENT || newest_ns > fields[NEWEST].number)) {
            set(fields, NEWEST, newest_ns);
        }
    }
    return put(&of->writer, "all", fields, err);
}

static enum status put_kind(struct run_writer *of, size_t kind, struct err *err)
{
    const struct run_totals *totals = &of->run->totals;
    struct value fields[N_FIELDS] = {0};
    set_counts(fields, &totals->kinds[of->sink][kind]);
    if (fields[READ].number == 0) {
        return OK;
    }
    if (totals->newest_ns[kind] != INT64_MIN) {
        set(fields, NEWEST, totals->newest_ns[kind]);
    }
    return put(&of->writer, of->run->job->parse[kind]->about.name, fields, err);
}

static enum status put_run(struct writer *writer, struct err *err)
{
    struct run_writer *of = (struct run_writer *)writer; /* the first member */
    enum status status = put_all(of, err);
    for (size_t kind = 0; status == OK && kind < writer->job->n_parse; kind++) {
        status = put_kind(of, kind, err);
    }
    return status;
}

static int64_t count_waiting(const struct run *run)
{
    uint64_t objects;
    struct err err;
    bool known = ledger_waiting(run->ledger, run->scope, run->request.window, &objects, &err) == OK;
    return known ? (int64_t)objects : -1;
}

/* What ended the run is said at its end. */
static bool is_said(const struct run *run, const struct err *err)
{
    return run->failed && strstr(run->err.text, err->text) != NULL;
}

void figures_write(struct run *run, int64_t seconds, int64_t complete)
{
    int64_t waiting = count_waiting(run);
    for (size_t i = 0; i < run->job->n_to; i++) {
        struct run_writer of = {.writer = {.place = run->job->to[i],
                                           .job = run->job,
                                           .time_ns = run->start_ns,
                                           .stop = &run->let_go},
                                .run = run,
                                .sink = i,
                                .seconds = seconds,
                                .waiting = waiting,
                                .complete = complete};
        struct err err;
        if (write_sink(&of.writer, run->log, metrics_sink(run->request.metrics, i), put_run,
                       &err) != OK &&
            !is_said(run, &err)) {
            log_line(run->log, LOG_WARN, "the run's own figures are not written", "job",
                     run->job->name, "sink", run->job->to[i]->name, "error", err.text, NULL);
        }
    }
}

/* --- a verify --- */

struct verified_writer {
    struct writer writer;
    const struct verified *verified;
};

static enum status put_verified(struct writer *writer, struct err *err)
{
    /* the first member */
    const struct verified *verified = ((struct verified_writer *)writer)->verified;
    struct value fields[N_FIELDS] = {0};
    set_known(fields, LISTED, verified->listed);
    set_known(fields, LOST, verified->lost);
    set_known(fields, UNMATCHED, verified->unmatched);
    set_known(fields, COUNTED, verified->counted);
    set(fields, WAITING, verified->waiting);
    set_known(fields, STORED, verified->stored);
    set(fields, DIFFERENCES, verified->differences);
    return put(writer, "verify", fields, err);
}

enum status figures_write_verified(const struct job_config *job, size_t sink, int64_t time_ns,
                                   const struct verified *verified, const struct log *log,
                                   struct err *err)
{
    struct verified_writer of = {
        .writer = {.place = job->to[sink], .job = job, .time_ns = time_ns},
        .verified = verified,
    };
    return write_sink(&of.writer, log, NULL, put_verified, err);
}
