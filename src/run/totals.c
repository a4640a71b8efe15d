/* totals: see totals.h. */
#include "run/totals.h"

#include "run/changes.h"

#include <string.h>

void run_totals_init(struct run_totals *totals)
{
    memset(totals, 0, sizeof *totals);
    pthread_mutex_init(&totals->lock, NULL);
    for (size_t i = 0; i < KINDS_MAX; i++) {
        totals->newest_ns[i] = INT64_MIN;
    }
}

void run_totals_finish(struct run_totals *totals)
{
    pthread_mutex_destroy(&totals->lock);
}

void run_totals_add(struct run_totals *totals, const struct tracked_list *list,
                    struct tracked *object)
{
    pthread_mutex_lock(&totals->lock);
    totals->objects++;
    totals->read += object->read;
    totals->quarantined += object->state == OBJECT_QUARANTINED;
    for (size_t kind = 0; kind < list->n_kinds; kind++) {
        for (size_t i = 0; i < list->n_sinks; i++) {
            const struct sink_counts *part = tracked_counts(list, object, i, kind);
            sink_counts_add(&totals->sinks[i], part);
            sink_counts_add(&totals->kinds[i][kind], part);
        }
        if (object->newest_ns[kind] > totals->newest_ns[kind]) {
            totals->newest_ns[kind] = object->newest_ns[kind];
        }
    }
    pthread_mutex_unlock(&totals->lock);
    metrics_add_object(totals->metrics, list, object);
}

void run_totals_add_changes(struct run_totals *totals, const struct reader_counts *changes)
{
    pthread_mutex_lock(&totals->lock);
    changes_add(&totals->changes, changes);
    pthread_mutex_unlock(&totals->lock);
}

void run_totals_add_failed(struct run_totals *totals)
{
    pthread_mutex_lock(&totals->lock);
    totals->failed++;
    totals->objects++;
    pthread_mutex_unlock(&totals->lock);
    metrics_add_failed_object(totals->metrics);
}
