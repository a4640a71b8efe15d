/*
 * tracked: the objects of a worker that are not settled yet, with their counts. Kept by run/batch;
 * totals and metrics read an object that has ended.
 */
#ifndef RUN_TRACKED_H
#define RUN_TRACKED_H

#include "api/flow.h"
#include "ledger/ledger.h"

enum { TRACKED_LETTERS_MAX = 1000 }; /* dead letters kept per object; from then on only counts */

struct tracked {
    struct tracked *next, *previous;
    char *key;
    unsigned char etag[16];
    bool ended, forgotten;
    bool in_window; /* in a file of the run that has no name yet */
    enum object_state state;
    char *error;
    uint64_t read;
    uint64_t unreadable;  /* dead to every sink */
    uint64_t outstanding; /* points put and not acknowledged, over all sinks */
    uint64_t letters, letters_beyond;
    struct sink_counts *counts; /* [n_sinks][n_kinds] */
    int64_t *newest_ns;         /* [n_kinds] of points; INT64_MIN = none */
    struct day_count *days;
    size_t n_days, last_day;
};

struct tracked_list {
    struct tracked *first;
    size_t n;
    size_t n_sinks, n_kinds;                 /* of the job; kinds are its parsers and "none" */
    uint64_t sink_numbers[LEDGER_SINKS_MAX]; /* from ledger_sinks() */
};

struct tracked *tracked_add(struct tracked_list *list, const struct object *object);
void tracked_remove(struct tracked_list *list, struct tracked *object);
void tracked_finish(struct tracked_list *list);

/* The counts of a sink and kind. */
struct sink_counts *tracked_counts(const struct tracked_list *list, struct tracked *object,
                                   size_t sink, size_t kind);

/* Counts a stored point by measurement and day. */
void tracked_stored(struct tracked *object, size_t sink, const char *measurement, int32_t day);

/* Counts a dead letter; false when only its count is to be kept. */
bool tracked_may_keep_letter(struct tracked *object);

void tracked_quarantine(struct tracked *object, const char *why);

/* The object has been read to its end: decides between settled and quarantined. */
void tracked_end(struct tracked *object, const char *damage);

/* Its outcome will not be written; it goes when its points have left the lanes. */
void tracked_forget(struct tracked *object);

/* Read to its end, and no point under way: its outcome can be written. */
bool tracked_has_outcome(const struct tracked *object);

/* Ended or forgotten, and no point under way. */
bool tracked_is_done(const struct tracked *object);

size_t tracked_count_outcomes(const struct tracked_list *list);

/* The files of the run have got their names. */
void tracked_leave_window(struct tracked_list *list);

/* The outcome of an object that could not be read. */
void tracked_failure(const struct tracked_list *list, const struct tracked *object, int64_t run,
                     const char *error, struct outcome *out);

/* Borrows from object. */
void tracked_outcome(const struct tracked_list *list, const struct tracked *object, int64_t run,
                     struct outcome *out);

#endif
