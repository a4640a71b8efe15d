/*
 * habit: how often records of a kind come, learnt from when they came, so that their absence can be
 * noticed. Pure. Used by `status`.
 *
 * An arrival is the start of a run that brought newer records of the kind than any before. Over the
 * gaps between the latest arrivals (24 at most), the newest record may be
 *
 *     twice the median gap + the longest gap but one, and at least 2 hours
 *
 * old before the kind is late. For a kind that comes every hour this is 3 hours. A kind of the
 * working day has its nights among the gaps and is not late each evening; a single outage of the
 * past is the longest gap, which does not count. With fewer than three gaps there is no habit.
 */
#ifndef COMMANDS_HABIT_H
#define COMMANDS_HABIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct habit {
    bool known;
    int64_t usual_ns; /* the median gap; of an even number of gaps, the larger middle one */
    int64_t late_ns;  /* the newest record is late when it is older */
};

/* at_ns: in ascending order, LEDGER_ARRIVALS_MAX at most. */
struct habit habit_learn(const int64_t *at_ns, size_t n);

#endif
