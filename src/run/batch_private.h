/*
 * batch_private: what batch.c and batch_files.c share. Nobody else includes this.
 */
#ifndef RUN_BATCH_PRIVATE_H
#define RUN_BATCH_PRIVATE_H

#include "run/batch.h"
#include "run/tracked.h"

/* An unacknowledged point. */
struct waiting {
    struct tracked *object;
    struct origin origin;
    int32_t day;
    const char *measurement;
};

struct waiting_list {
    struct waiting *points;
    size_t n, size;
};

struct lane {
    struct refusals refusals;
    struct batch *batch;
    size_t index; /* among the job's sinks */
    const struct place_config *place;
    void *self;
    struct waiting_list sent; /* on their way: the next flush is about them, if there are any */
    struct waiting_list put;  /* since */
    enum status failure;      /* of the ledger, during a refusal */
};

struct batch {
    struct point_sink sink;
    struct batch_setup setup;
    struct lane lanes[LEDGER_SINKS_MAX];
    struct tracked_list objects;
    struct tracked *current;
    int64_t oldest_ns; /* when the first unacknowledged point was put, monotonic; 0 = none */
    size_t ready;      /* objects whose outcome can be written without another flush */
    size_t busy;       /* the lane that was entered last */
    bool holding;      /* that lane's sink makes us wait */
    bool spans_run;    /* a sink writes one file for all objects */
    size_t in_window;  /* objects that ended since such a sink was last finished */
    struct err refusal_err;
};

/* Whoever waits from here on waits for this lane. */
void lane_enter(const struct lane *lane);
void lane_stop_holding(struct batch *batch);

/* Its points are not acknowledged one batch after the other, but when their object has ended. */
bool lane_keeps_objects(const struct lane *lane);

/* And these not before all objects have. */
bool lane_spans_run(const struct lane *lane);

/* To all sinks that keep files: an object begins, is read to its end, is to be forgotten. Behind
 * files_end(), what those with a file for each object have of it is durable. */
enum status files_begin(struct batch *batch, const struct object *object, struct err *err);
enum status files_end(struct batch *batch, struct err *err);
void files_drop(struct batch *batch);

/* To those that keep a file for the run: it gets its name; its objects have settled. */
enum status files_end_window(struct batch *batch, struct err *err);
void files_settled(struct batch *batch);

#endif
