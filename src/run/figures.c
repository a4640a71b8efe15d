/* figures: see figures.h. Names: doc/grafana/README.md. */
#include "run/figures.h"

#include "base/timestamp.h"
#include "run/counted.h"
#include "run/place.h"
#include "run/world.h"

#include <stdlib.h>

static const int64_t give_up_after_ns = 10 * NS_PER_SECOND;

enum { OBJECTS, READ, STORED, DUPLICATE, EXPIRED, DEAD, FAILED_OBJECTS, SECONDS, NEWEST, N_FIELDS };

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
               [NEWEST] = {"newest", VALUE_INT}},
};

struct writer {
    struct watcher watcher;
    struct host_world host;
    atomic_bool give_up;
    int64_t begun_ns;
    const struct place_config *place;
    void *self;
    struct run *run;
};

static void look(struct watcher *watcher, bool waiting)
{
    struct writer *writer = (struct writer *)watcher; /* the first member */
    (void)waiting;
    if (atomic_load(&writer->run->stop) ||
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

static void set_counts(struct value *fields, const struct sink_counts *counts)
{
    set(fields, READ,
        (int64_t)(counts->stored + counts->duplicate + counts->expired + counts->dead));
    set(fields, STORED, (int64_t)counts->stored);
    set(fields, DUPLICATE, (int64_t)counts->duplicate);
    set(fields, EXPIRED, (int64_t)counts->expired);
    set(fields, DEAD, (int64_t)counts->dead);
}

static enum status put(struct writer *writer, const char *kind, const struct value *fields,
                       struct err *err)
{
    const struct slice tags[] = {slice_of(writer->run->job->name), slice_of(kind)};
    const struct point point = {&schema, tags, fields, writer->run->start_ns};
    return writer->place->module->put(writer->self, &point, err);
}

static enum status put_all(struct writer *writer, size_t sink, int64_t seconds, struct err *err)
{
    const struct run *run = writer->run;
    const struct run_totals *totals = &run->totals;
    struct value fields[N_FIELDS] = {0};
    set_counts(fields, &totals->sinks[sink]);
    set(fields, OBJECTS, (int64_t)totals->objects);
    set(fields, FAILED_OBJECTS, (int64_t)totals->failed);
    set(fields, SECONDS, seconds);
    for (size_t kind = 0; kind < run->job->n_parse; kind++) {
        int64_t newest_ns = totals->newest_ns[kind];
        if (newest_ns != INT64_MIN &&
            (fields[NEWEST].kind == VALUE_ABSENT || newest_ns > fields[NEWEST].number)) {
            set(fields, NEWEST, newest_ns);
        }
    }
    return put(writer, "all", fields, err);
}

static enum status put_kind(struct writer *writer, size_t sink, size_t kind, struct err *err)
{
    const struct run_totals *totals = &writer->run->totals;
    struct value fields[N_FIELDS] = {0};
    set_counts(fields, &totals->kinds[sink][kind]);
    if (fields[READ].number == 0) {
        return OK;
    }
    if (totals->newest_ns[kind] != INT64_MIN) {
        set(fields, NEWEST, totals->newest_ns[kind]);
    }
    return put(writer, writer->run->job->parse[kind]->about.name, fields, err);
}

static enum status write_sink(struct writer *writer, size_t sink, int64_t seconds, struct err *err)
{
    const struct datasource *module = writer->place->module;
    enum status status = module->open(writer->self, &writer->host.world, err);
    if (status == OK) {
        status = put_all(writer, sink, seconds, err);
    }
    for (size_t kind = 0; status == OK && kind < writer->run->job->n_parse; kind++) {
        status = put_kind(writer, sink, kind, err);
    }
    struct refusals refusals = {ignore_refusal};
    return status == OK ? module->flush(writer->self, &refusals, err) : status;
}

void figures_write(struct run *run, int64_t seconds)
{
    for (size_t i = 0; i < run->job->n_to; i++) {
        struct writer writer = {.watcher = {look}, .place = run->job->to[i], .run = run};
        if (!writer.place->module->keeps_figures) {
            continue;
        }
        struct err err;
        host_world_init(&writer.host, run->log, run->job->name, &writer.give_up);
        writer.host.watcher = &writer.watcher;
        writer.begun_ns = world_monotonic(&writer.host.world);
        writer.self = place_instance(writer.place);
        counted_place(&writer.host.world, metrics_sink(run->request.metrics, i));
        if (write_sink(&writer, i, seconds, &err) != OK) {
            log_line(run->log, LOG_WARN, "the run's own figures are not written", "job",
                     run->job->name, "sink", writer.place->name, "error", err.text, NULL);
        }
        writer.place->module->close(writer.self);
        free(writer.self);
        host_world_finish(&writer.host);
    }
}
