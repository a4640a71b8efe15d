/* batch: see batch.h. */
#include "run/batch_private.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "run/counted.h"
#include "run/place.h"

#include <stdlib.h>

/* Flush when points have waited for so long, so that a slow source does not keep them back. */
static const int64_t flush_after_ns = 10 * NS_PER_SECOND;

enum {
    SETTLE_OBJECTS = 256,
    WINDOW_OBJECTS = 10000, /* in one file for a run: what is known of them is kept until then */
};

static enum status bury(struct batch *batch, struct tracked *object, const struct origin *origin,
                        const char *sink, const char *reason, struct slice bytes, struct err *err)
{
    if (object->forgotten || !tracked_may_keep_letter(object)) {
        return OK; /* a forgotten object is read again, and its letters are written then */
    }
    struct dead_letter letter = {
        .key = slice_of(object->key),
        .attempt = batch->setup.run,
        .line = origin->line,
        .sink = sink,
        .reason = reason,
        .len = origin->len,
        .hash = origin->hash,
        .bytes = bytes,
        .buried_ns = world_now(batch->setup.world),
    };
    return ledger_bury(batch->setup.ledger, batch->setup.scope, &letter, 1, err);
}

/* --- settling --- */

static void add_totals(struct batch *batch, struct tracked *object)
{
    run_totals_add(batch->setup.totals, &batch->objects, object);
    if (object->state == OBJECT_QUARANTINED) {
        log_line(batch->setup.log, LOG_ERROR, "object quarantined", "job", batch->setup.job, "key",
                 object->key, "error", object->error, NULL);
    }
}

/* Writes the outcomes of all objects that are done, in one transaction. */
static enum status settle(struct batch *batch, struct err *err)
{
    batch->ready = 0;
    size_t n = tracked_count_outcomes(&batch->objects);
    CLEANUP_FREE struct outcome *outcomes = memory_new(n * sizeof *outcomes);
    n = 0;
    for (struct tracked *object = batch->objects.first; object; object = object->next) {
        if (tracked_has_outcome(object)) {
            tracked_outcome(&batch->objects, object, batch->setup.run, &outcomes[n++]);
        }
    }
    if (n) {
        enum status status =
            ledger_settle(batch->setup.ledger, batch->setup.scope, outcomes, n, err);
        if (status != OK) {
            return status;
        }
    }
    for (struct tracked *object = batch->objects.first, *next; object; object = next) {
        next = object->next;
        if (tracked_is_done(object)) {
            if (tracked_has_outcome(object)) {
                add_totals(batch, object);
            }
            tracked_remove(&batch->objects, object);
        }
    }
    return OK;
}

/* --- lanes --- */

/* The points that the next flush is about. */
static struct waiting_list *lane_oldest(struct lane *lane)
{
    return lane->sent.n ? &lane->sent : &lane->put;
}

static void take_refusal(struct refusals *refusals, size_t index, enum refusal kind,
                         const char *reason, struct slice bytes)
{
    struct lane *lane = (struct lane *)((char *)refusals - offsetof(struct lane, refusals));
    struct batch *batch = lane->batch;
    const struct waiting_list *list = lane_oldest(lane);
    if (index >= list->n || !list->points[index].object) {
        return;
    }
    struct waiting *point = &list->points[index];
    struct tracked *object = point->object;
    object->outstanding--;
    point->object = NULL; /* not among the stored ones */
    struct sink_counts *counts =
        tracked_counts(&batch->objects, object, lane->index, point->origin.kind);
    if (kind == REFUSED_EXPIRED) {
        counts->expired++;
        return;
    }
    counts->dead++;
    if (kind == REFUSED_UNCONFIRMED) {
        tracked_quarantine(object, reason);
    }
    if (bury(batch, object, &point->origin, lane->place->name, reason, bytes,
             &batch->refusal_err) != OK) {
        lane->failure = FAILED;
    }
}

static void count_point(struct lane *lane, const struct waiting *point)
{
    tracked_counts(&lane->batch->objects, point->object, lane->index, point->origin.kind)->stored++;
    tracked_stored(point->object, lane->index, point->measurement, point->day);
}

/* After an acknowledgement: every point that was not refused is stored. */
static void count_stored(struct lane *lane)
{
    struct waiting_list *list = lane_oldest(lane);
    for (size_t i = 0; i < list->n; i++) {
        struct tracked *object = list->points[i].object;
        if (object) {
            object->outstanding--;
            count_point(lane, &list->points[i]);
        }
    }
    list->n = 0;
}

void lane_stop_holding(struct batch *batch)
{
    if (batch->holding) {
        batch->holding = false;
        atomic_fetch_sub(batch->setup.holding, 1);
        metrics_add_waiting(batch->setup.totals->metrics, batch->busy, -1);
    }
}

void batch_waiting(struct batch *batch)
{
    if (!batch->holding) {
        batch->holding = true;
        atomic_fetch_add(batch->setup.holding, 1);
        metrics_add_waiting(batch->setup.totals->metrics, batch->busy, 1);
    }
}

void lane_enter(const struct lane *lane)
{
    lane_stop_holding(lane->batch);
    lane->batch->busy = lane->index;
}

static bool is_first_to_flush(const struct lane *lane)
{
    const struct lane *first = lane->batch->lanes;
    while (lane_keeps_objects(first)) {
        first++;
    }
    return lane == first;
}

/* A batch goes when those before it have had their time: `rate:` points a second over all workers.
 * The first lane that has batches stands for all. */
static enum status keep_rate(struct lane *lane, struct err *err)
{
    const struct batch_setup *setup = &lane->batch->setup;
    if (setup->rate == 0 || !is_first_to_flush(lane)) {
        return OK;
    }
    int64_t span_ns = (int64_t)lane->put.n * NS_PER_SECOND / setup->rate;
    int64_t now_ns = world_monotonic(setup->world), turn_ns = atomic_load(setup->rate_ns), start_ns;
    do {
        start_ns = turn_ns > now_ns ? turn_ns : now_ns;
    } while (!atomic_compare_exchange_weak(setup->rate_ns, &turn_ns, start_ns + span_ns));
    return start_ns > now_ns ? world_wait(setup->world, start_ns - now_ns, err) : OK;
}

/* The fate of the oldest points: those on their way, or else all that were put. */
static enum status lane_flush(struct lane *lane, struct err *err)
{
    if (lane_oldest(lane)->n == 0) {
        return OK;
    }
    lane->failure = OK;
    lane_enter(lane);
    enum status status = lane->sent.n ? OK : keep_rate(lane, err);
    if (status == OK) {
        status = lane->place->module->flush(lane->self, &lane->refusals, err);
    }
    lane_stop_holding(lane->batch);
    if (status == OK && lane->failure != OK) {
        *err = lane->batch->refusal_err;
        status = err->status;
    }
    if (status != OK) {
        return err_prefix(err, "sink %s", lane->place->name);
    }
    count_stored(lane);
    return settle(lane->batch, err);
}

/* Nothing is on its way. */
static enum status lane_send(struct lane *lane, struct err *err)
{
    lane_enter(lane);
    enum status status = keep_rate(lane, err);
    lane_stop_holding(lane->batch);
    if (status != OK) {
        return err_prefix(err, "sink %s", lane->place->name);
    }
    lane->place->module->send(lane->self);
    struct waiting_list empty = lane->sent;
    lane->sent = lane->put;
    lane->put = empty;
    return OK;
}

/* Behind it, nothing is on its way. */
static enum status lane_flush_sent(struct lane *lane, struct err *err)
{
    return lane->sent.n ? lane_flush(lane, err) : OK;
}

static enum status lane_finish(struct lane *lane, struct err *err)
{
    enum status status = lane_flush_sent(lane, err);
    return status == OK ? lane_flush(lane, err) : status;
}

/* So that the sink takes points again. */
static enum status lane_make_room(struct lane *lane, struct err *err)
{
    if (!lane->place->module->send || !lane->batch->setup.sends_ahead) {
        return lane_flush(lane, err);
    }
    enum status status = lane_flush_sent(lane, err);
    return status == OK ? lane_send(lane, err) : status;
}

static void remember(struct lane *lane, const struct waiting *point)
{
    struct waiting_list *list = &lane->put;
    if (list->n == list->size) {
        list->size = list->size ? list->size * 2 : 1024;
        list->points = memory_grow(list->points, list->size * sizeof *list->points);
    }
    list->points[list->n++] = *point;
    point->object->outstanding++;
}

static enum status lane_put(struct lane *lane, const struct point *point,
                            const struct waiting *waiting, struct err *err)
{
    const struct datasource *module = lane->place->module;
    lane_enter(lane);
    enum status status = module->put(lane->self, point, err);
    if (status == AGAIN) {
        status = lane_make_room(lane, err);
        if (status != OK) {
            return status;
        }
        status = module->put(lane->self, point, err);
    }
    if (status == OK && lane_keeps_objects(lane)) {
        lane_stop_holding(lane->batch);
        count_point(lane, waiting); /* for nothing, unless the object ends */
        return OK;
    }
    if (status == OK) {
        remember(lane, waiting);
        return OK;
    }
    if (status == BAD_DATA) {
        struct err why = *err;
        tracked_counts(&lane->batch->objects, waiting->object, lane->index, waiting->origin.kind)
            ->dead++;
        return bury(lane->batch, waiting->object, &waiting->origin, lane->place->name, why.text,
                    slice_make("", 0), err);
    }
    return err_prefix(err, "sink %s", lane->place->name);
}

/* --- the records of the current object --- */

static struct batch *of_sink(struct point_sink *sink)
{
    return (struct batch *)sink; /* the first member */
}

static enum status take_point(struct point_sink *sink, const struct point *point,
                              const struct origin *origin, struct err *err)
{
    struct batch *batch = of_sink(sink);
    struct waiting waiting = {batch->current, *origin, timestamp_day(point->time_ns),
                              point->schema->measurement};
    batch->setup.totals->records++;
    int64_t *newest_ns = &batch->current->newest_ns[origin->kind];
    *newest_ns = point->time_ns > *newest_ns ? point->time_ns : *newest_ns;
    if (batch->oldest_ns == 0) {
        batch->oldest_ns = world_monotonic(batch->setup.world);
    }
    for (size_t i = 0; i < batch->setup.n_sinks; i++) {
        enum status status = lane_put(&batch->lanes[i], point, &waiting, err);
        if (status != OK) {
            return status;
        }
    }
    return OK;
}

static enum status take_duplicate(struct point_sink *sink, const struct origin *origin,
                                  struct err *err)
{
    struct batch *batch = of_sink(sink);
    (void)err;
    batch->setup.totals->records++;
    for (size_t i = 0; i < batch->setup.n_sinks; i++) {
        tracked_counts(&batch->objects, batch->current, i, origin->kind)->duplicate++;
    }
    return OK;
}

static enum status take_dead(struct point_sink *sink, const struct origin *origin,
                             const char *reason, struct slice masked, struct err *err)
{
    struct batch *batch = of_sink(sink);
    batch->setup.totals->records++;
    batch->current->unreadable++;
    for (size_t i = 0; i < batch->setup.n_sinks; i++) {
        tracked_counts(&batch->objects, batch->current, i, origin->kind)->dead++;
    }
    return bury(batch, batch->current, origin, NULL, reason, masked, err);
}

/* --- objects --- */

enum status batch_begin(struct batch *batch, const struct object *object, struct err *err)
{
    batch->current = tracked_add(&batch->objects, object);
    return files_begin(batch, object, err);
}

struct point_sink *batch_sink(struct batch *batch)
{
    return &batch->sink;
}

/* Flushes every lane and settles what is done. */
static enum status batch_flush(struct batch *batch, struct err *err)
{
    for (size_t i = 0; i < batch->setup.n_sinks; i++) {
        enum status status = lane_finish(&batch->lanes[i], err);
        if (status != OK) {
            return status;
        }
    }
    batch->oldest_ns = 0;
    return settle(batch, err);
}

enum status batch_end(struct batch *batch, uint64_t records, const char *damage, struct err *err)
{
    struct tracked *object = batch->current;
    if (files_end(batch, err) != OK) {
        return err->status;
    }
    batch->current = NULL;
    object->read = records;
    tracked_end(object, damage);
    object->in_window = batch->spans_run;
    batch->in_window += batch->spans_run;
    if (batch->in_window >= WINDOW_OBJECTS) {
        return batch_finish(batch, err);
    }
    int64_t now = world_monotonic(batch->setup.world);
    if (batch->oldest_ns && now - batch->oldest_ns > flush_after_ns) {
        return batch_flush(batch, err);
    }
    batch->ready += tracked_has_outcome(object);
    return batch->ready >= SETTLE_OBJECTS ? settle(batch, err) : OK;
}

enum status batch_drop(struct batch *batch, const char *error, struct err *err)
{
    struct tracked *object = batch->current;
    batch->current = NULL;
    files_drop(batch);
    if (!error) {
        tracked_forget(object);
        return OK;
    }
    struct outcome outcome;
    tracked_failure(&batch->objects, object, batch->setup.run, error, &outcome);
    tracked_forget(object);
    run_totals_add_failed(batch->setup.totals);
    return ledger_settle(batch->setup.ledger, batch->setup.scope, &outcome, 1, err);
}

enum status batch_finish(struct batch *batch, struct err *err)
{
    enum status status = batch_flush(batch, err);
    if (status != OK || !batch->spans_run) {
        return status;
    }
    status = files_end_window(batch, err);
    if (status != OK) {
        return status;
    }
    tracked_leave_window(&batch->objects);
    batch->in_window = 0;
    status = settle(batch, err);
    if (status == OK) {
        files_settled(batch);
    }
    return status;
}

static enum status number_sinks(struct batch *batch, struct err *err)
{
    const struct batch_setup *setup = &batch->setup;
    const char *names[LEDGER_SINKS_MAX];
    for (size_t i = 0; i < setup->n_sinks; i++) {
        names[i] = setup->sinks[i]->name;
    }
    return ledger_sinks(setup->ledger, setup->job, names, setup->n_sinks,
                        batch->objects.sink_numbers, err);
}

enum status batch_new(struct batch **out, const struct batch_setup *setup, struct err *err)
{
    struct batch *batch = memory_new(sizeof *batch);
    batch->sink = (struct point_sink){take_point, take_duplicate, take_dead};
    batch->setup = *setup;
    batch->objects.n_sinks = setup->n_sinks;
    batch->objects.n_kinds = setup->n_parsers + 1;
    *out = batch;
    for (size_t i = 0; i < setup->n_sinks; i++) {
        struct lane *lane = &batch->lanes[i];
        lane->refusals.refuse = take_refusal;
        lane->batch = batch;
        lane->index = i;
        lane->place = setup->sinks[i];
        lane->self = place_instance(lane->place);
        counted_place(setup->world, metrics_sink(setup->totals->metrics, i));
        if (lane->place->module->open(lane->self, setup->world, err) != OK) {
            return err_prefix(err, "sink %s", lane->place->name);
        }
        if (lane_spans_run(lane)) {
            lane->place->module->window(lane->self, setup->window);
            batch->spans_run = true;
        }
    }
    return number_sinks(batch, err);
}

void batch_free(struct batch *batch)
{
    if (!batch) {
        return;
    }
    lane_stop_holding(batch);
    for (size_t i = 0; i < batch->setup.n_sinks; i++) {
        struct lane *lane = &batch->lanes[i];
        if (lane->self) {
            lane->place->module->close(lane->self);
            free(lane->self);
        }
        free(lane->sent.points);
        free(lane->put.points);
    }
    tracked_finish(&batch->objects);
    free(batch);
}
