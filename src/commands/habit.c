/* habit: see habit.h. */
#include "commands/habit.h"

#include "base/timestamp.h"
#include "ledger/ledger.h"

#include <stdlib.h>

static const int64_t least_late_ns = 2 * NS_PER_HOUR;

enum { GAPS_LEAST = 3 };

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

struct habit habit_learn(const int64_t *at_ns, size_t n)
{
    struct habit habit = {.late_ns = INT64_MAX};
    int64_t gaps[LEDGER_ARRIVALS_MAX];
    if (n < GAPS_LEAST + 1 || n > LEDGER_ARRIVALS_MAX) {
        return habit;
    }
    size_t n_gaps = n - 1;
    for (size_t i = 0; i < n_gaps; i++) {
        gaps[i] = at_ns[i + 1] - at_ns[i];
    }
    qsort(gaps, n_gaps, sizeof gaps[0], by_size);
    habit.known = true;
    habit.usual_ns = gaps[n_gaps / 2];
    habit.late_ns = 2 * habit.usual_ns + gaps[n_gaps - 2];
    if (habit.late_ns < least_late_ns) {
        habit.late_ns = least_late_ns;
    }
    return habit;
}
