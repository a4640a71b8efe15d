/* tracked: see tracked.h. */
#include "run/tracked.h"

#include "base/memory.h"

#include <stdlib.h>

/* More unreadable records than this, and more than a tenth of all: the object is damaged, not a
 * record. */
enum { QUARANTINE_RECORDS = 1000, QUARANTINE_SHARE = 10 };

struct tracked *tracked_add(struct tracked_list *list, const struct object *object)
{
    struct tracked *tracked = memory_new(sizeof *tracked);
    tracked->key = memory_copy(object->key.at, object->key.len);
    memcpy(tracked->etag, object->etag, sizeof tracked->etag);
    tracked->state = OBJECT_SETTLED;
    tracked->counts = memory_new(list->n_sinks * list->n_kinds * sizeof *tracked->counts);
    tracked->newest_ns = memory_new(list->n_kinds * sizeof *tracked->newest_ns);
    for (size_t i = 0; i < list->n_kinds; i++) {
        tracked->newest_ns[i] = INT64_MIN;
    }
    tracked->next = list->first;
    if (list->first) {
        list->first->previous = tracked;
    }
    list->first = tracked;
    list->n++;
    return tracked;
}

static void release(struct tracked *object)
{
    free(object->key);
    free(object->error);
    free(object->days);
    free(object->counts);
    free(object->newest_ns);
    free(object);
}

void tracked_remove(struct tracked_list *list, struct tracked *object)
{
    *(object->previous ? &object->previous->next : &list->first) = object->next;
    if (object->next) {
        object->next->previous = object->previous;
    }
    list->n--;
    release(object);
}

void tracked_finish(struct tracked_list *list)
{
    while (list->first) {
        tracked_remove(list, list->first);
    }
}

static bool is_day(const struct day_count *entry, size_t sink, const char *measurement, int32_t day)
{
    return entry->day == day && entry->sink == sink &&
           (entry->measurement == measurement || strcmp(entry->measurement, measurement) == 0);
}

/* Records come nearly in order: the entry used last is nearly always the one. */
static struct day_count *find_day(struct tracked *object, size_t sink, const char *measurement,
                                  int32_t day)
{
    if (object->n_days && is_day(&object->days[object->last_day], sink, measurement, day)) {
        return &object->days[object->last_day];
    }
    for (size_t i = 0; i < object->n_days; i++) {
        if (is_day(&object->days[i], sink, measurement, day)) {
            object->last_day = i;
            return &object->days[i];
        }
    }
    if ((object->n_days & (object->n_days - 1)) == 0) { /* grow at 0, 1, 2, 4, 8, ... */
        size_t size = object->n_days ? object->n_days * 2 : 1;
        object->days = memory_grow(object->days, size * sizeof *object->days);
    }
    object->last_day = object->n_days++;
    object->days[object->last_day] = (struct day_count){sink, measurement, day, 0};
    return &object->days[object->last_day];
}

struct sink_counts *tracked_counts(const struct tracked_list *list, struct tracked *object,
                                   size_t sink, size_t kind)
{
    return &object->counts[sink * list->n_kinds + kind];
}

void tracked_stored(struct tracked *object, size_t sink, const char *measurement, int32_t day)
{
    find_day(object, sink, measurement, day)->points++;
}

bool tracked_may_keep_letter(struct tracked *object)
{
    if (object->letters >= TRACKED_LETTERS_MAX) {
        object->letters_beyond++;
        return false;
    }
    object->letters++;
    return true;
}

void tracked_quarantine(struct tracked *object, const char *why)
{
    object->state = OBJECT_QUARANTINED;
    if (!object->error) {
        object->error = memory_copy(why, strlen(why));
    }
}

void tracked_end(struct tracked *object, const char *damage)
{
    object->ended = true;
    if (damage) {
        tracked_quarantine(object, damage);
    }
    if (object->unreadable > QUARANTINE_RECORDS &&
        object->unreadable > object->read / QUARANTINE_SHARE) {
        tracked_quarantine(object, "more than 1,000 records and more than a tenth are unreadable");
    }
}

void tracked_forget(struct tracked *object)
{
    object->forgotten = true;
}

bool tracked_has_outcome(const struct tracked *object)
{
    return object->ended && !object->forgotten && object->outstanding == 0 && !object->in_window;
}

bool tracked_is_done(const struct tracked *object)
{
    return (object->ended || object->forgotten) && object->outstanding == 0 && !object->in_window;
}

size_t tracked_count_outcomes(const struct tracked_list *list)
{
    size_t n = 0;
    for (const struct tracked *object = list->first; object; object = object->next) {
        n += tracked_has_outcome(object);
    }
    return n;
}

void tracked_leave_window(struct tracked_list *list)
{
    for (struct tracked *object = list->first; object; object = object->next) {
        object->in_window = false;
    }
}

static void sum_kinds(const struct tracked_list *list, const struct tracked *object, size_t sink,
                      struct sink_counts *sum)
{
    for (size_t kind = 0; kind < list->n_kinds; kind++) {
        sink_counts_add(sum, &object->counts[sink * list->n_kinds + kind]);
    }
}

void tracked_outcome(const struct tracked_list *list, const struct tracked *object, int64_t run,
                     struct outcome *out)
{
    *out = (struct outcome){
        .key = slice_of(object->key),
        .state = object->state,
        .error = object->error,
        .read = object->read,
        .n_sinks = list->n_sinks,
        .days = object->days,
        .n_days = object->n_days,
        .attempt = run,
        .dead_beyond = object->letters_beyond,
    };
    memcpy(out->etag, object->etag, sizeof out->etag);
    memcpy(out->sink_numbers, list->sink_numbers, sizeof out->sink_numbers);
    for (size_t sink = 0; sink < list->n_sinks; sink++) {
        sum_kinds(list, object, sink, &out->sinks[sink]);
    }
}

void tracked_failure(const struct tracked_list *list, const struct tracked *object, int64_t run,
                     const char *error, struct outcome *out)
{
    tracked_outcome(list, object, run, out);
    out->n_sinks = 0;
    out->state = OBJECT_FAILED;
    out->error = error;
    out->read = 0;
    out->n_days = 0;
}
