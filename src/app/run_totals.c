/* run_totals: the sums of a run before anything is added and after all is read: see batch.h. */
#include "app/batch.h"

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
