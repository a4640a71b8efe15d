/*
 * totals: sums over the objects of a run that came to an end, shared by its workers: for the
 * summary, the run's own figures and, in the service, its metrics. Filled by run/batch.
 */
#ifndef RUN_TOTALS_H
#define RUN_TOTALS_H

#include "data/record.h"
#include "run/metrics.h"
#include "run/tracked.h"

#include <pthread.h>

struct run_totals {
    _Atomic uint64_t records;    /* of all objects under way too, for the progress bar */
    struct job_metrics *metrics; /* NULL: nobody asks */
    pthread_mutex_t lock;        /* of what follows */
    uint64_t objects, failed, quarantined, read;
    struct reader_counts changes;
    struct sink_counts sinks[LEDGER_SINKS_MAX];
    struct sink_counts kinds[LEDGER_SINKS_MAX][KINDS_MAX];
    int64_t newest_ns[KINDS_MAX]; /* of the points; INT64_MIN = none */
};

void run_totals_init(struct run_totals *totals);
void run_totals_finish(struct run_totals *totals);

/* Its outcome is written: settled or quarantined. */
void run_totals_add(struct run_totals *totals, const struct tracked_list *list,
                    struct tracked *object);
/* What was changed of an object that was read to its end. */
void run_totals_add_changes(struct run_totals *totals, const struct reader_counts *changes);
/* It is kept for the next run. */
void run_totals_add_failed(struct run_totals *totals);

#endif
