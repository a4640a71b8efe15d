/*
 * batch_files: the sinks of a batch that keep files, for each object or for the run, told of what
 * they must know. Called by batch.c.
 */
#include "run/batch_private.h"

bool lane_keeps_objects(const struct lane *lane)
{
    return lane->place->module->begin != NULL;
}

bool lane_spans_run(const struct lane *lane)
{
    const struct datasource *module = lane->place->module;
    return module->spans_run && module->spans_run(lane->self);
}

enum status files_begin(struct batch *batch, const struct object *object, struct err *err)
{
    for (size_t i = 0; i < batch->setup.n_sinks; i++) {
        struct lane *lane = &batch->lanes[i];
        if (lane_keeps_objects(lane) && lane->place->module->begin(lane->self, object, err) != OK) {
            return err_prefix(err, "sink %s", lane->place->name);
        }
    }
    return OK;
}

enum status files_end(struct batch *batch, struct err *err)
{
    for (size_t i = 0; i < batch->setup.n_sinks; i++) {
        struct lane *lane = &batch->lanes[i];
        lane_enter(lane);
        enum status status =
            lane_keeps_objects(lane) ? lane->place->module->end(lane->self, err) : OK;
        lane_stop_holding(batch);
        if (status != OK) {
            return err_prefix(err, "sink %s", lane->place->name);
        }
    }
    return OK;
}

void files_drop(struct batch *batch)
{
    for (size_t i = 0; i < batch->setup.n_sinks; i++) {
        struct lane *lane = &batch->lanes[i];
        if (lane_keeps_objects(lane)) {
            lane->place->module->drop(lane->self);
        }
    }
}

enum status files_end_window(struct batch *batch, struct err *err)
{
    for (size_t i = 0; i < batch->setup.n_sinks; i++) {
        struct lane *lane = &batch->lanes[i];
        lane_enter(lane);
        enum status status =
            lane_spans_run(lane) ? lane->place->module->end_window(lane->self, err) : OK;
        lane_stop_holding(batch);
        if (status != OK) {
            return err_prefix(err, "sink %s", lane->place->name);
        }
    }
    return OK;
}

void files_settled(struct batch *batch)
{
    for (size_t i = 0; i < batch->setup.n_sinks; i++) {
        struct lane *lane = &batch->lanes[i];
        if (lane_spans_run(lane)) {
            lane->place->module->window_settled(lane->self);
        }
    }
}
