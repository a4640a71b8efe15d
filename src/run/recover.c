/*
 * recover: what sinks that write one file for all objects of a run need of it: one worker, and
 * a word from the ledger about what a run before left. Called by run.c.
 */
#include "run/run.h"

#include "base/cleanup.h"
#include "run/place.h"
#include "run/world.h"

#include <stddef.h>

struct asking {
    struct settled settled;
    struct run *run;
};

static enum status ask_ledger(struct settled *settled, const struct object *object,
                              bool *is_settled, struct err *err)
{
    struct asking *asking = (struct asking *)settled; /* the first member */
    struct run *run = asking->run;
    bool wanted;
    enum status status = ledger_wants(run->ledger, run->scope, object, &wanted, err);
    *is_settled = status == OK && !wanted;
    return status;
}

static bool spans_run(const struct place_config *sink)
{
    CLEANUP_FREE void *self = place_instance(sink);
    return sink->module->spans_run && sink->module->spans_run(self);
}

size_t run_workers(const struct job_config *job)
{
    for (size_t i = 0; i < job->n_to; i++) {
        if (spans_run(job->to[i])) {
            return 1;
        }
    }
    return (size_t)job->options.workers;
}

static enum status recover(struct run *run, const struct place_config *sink, struct err *err)
{
    struct asking asking = {{ask_ledger}, run};
    struct host_world host;
    host_world_init(&host, run->log, run->job->name, &run->stop);
    CLEANUP_FREE void *self = place_instance(sink);
    enum status status = sink->module->open(self, &host.world, err);
    if (status == OK) {
        status = sink->module->recover(self, &asking.settled, err);
    }
    sink->module->close(self);
    host_world_finish(&host);
    return status == OK ? OK : err_prefix(err, "sink %s", sink->name);
}

enum status run_recover(struct run *run, struct err *err)
{
    enum status status = OK;
    for (size_t i = 0; i < run->job->n_to && status == OK; i++) {
        if (spans_run(run->job->to[i])) {
            status = recover(run, run->job->to[i], err);
        }
    }
    return status;
}
