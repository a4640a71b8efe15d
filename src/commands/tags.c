/* tags: see tags.h. A tag's values, and a measurement's series, are each a hash table with linear
 * probing that stops growing at TAG_VALUES_MAX. */
#include "commands/tags.h"

#include "base/memory.h"
#include "config/values.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

enum { FIRST_SLOTS = 64, FIGURE_BYTES = 32 };

struct value_count {
    uint64_t hash; /* 0 = free */
    uint64_t count;
};

struct value_set {
    struct value_count *slots;
    size_t n_slots; /* a power of two */
    size_t used;
    bool is_full;  /* there were more than TAG_VALUES_MAX */
    uint64_t most; /* the count of the most frequent */
};

struct measurement {
    struct measurement *next;
    struct schema schema;
    uint64_t points;
    struct value_set series;
    struct value_set tags[SCHEMA_TAGS_MAX];
};

struct tag_counts {
    struct measurement *first;
};

/* --- sets --- */

static struct value_count *slot_of(const struct value_set *set, uint64_t hash)
{
    size_t i = hash & (set->n_slots - 1);
    while (set->slots[i].hash != 0 && set->slots[i].hash != hash) {
        i = (i + 1) & (set->n_slots - 1);
    }
    return &set->slots[i];
}

static void set_grow(struct value_set *set)
{
    struct value_set larger = *set;
    larger.n_slots = set->n_slots ? 2 * set->n_slots : FIRST_SLOTS;
    larger.slots = memory_new(larger.n_slots * sizeof *larger.slots);
    for (size_t i = 0; i < set->n_slots; i++) {
        if (set->slots[i].hash) {
            *slot_of(&larger, set->slots[i].hash) = set->slots[i];
        }
    }
    free(set->slots);
    *set = larger;
}

static void set_add(struct value_set *set, uint64_t hash)
{
    hash += hash == 0;
    if (set->used * 5 >= set->n_slots * 4) {
        set_grow(set);
    }
    struct value_count *slot = slot_of(set, hash);
    if (slot->hash == 0) {
        if (set->used == TAG_VALUES_MAX) {
            set->is_full = true;
            return;
        }
        slot->hash = hash;
        set->used++;
    }
    slot->count++;
    set->most = slot->count > set->most ? slot->count : set->most;
}

/* --- points --- */

struct tag_counts *tag_counts_new(void)
{
    return memory_new(sizeof(struct tag_counts));
}

void tag_counts_free(struct tag_counts *counts)
{
    while (counts && counts->first) {
        struct measurement *measurement = counts->first;
        counts->first = measurement->next;
        for (size_t i = 0; i < measurement->schema.n_tags; i++) {
            free(measurement->tags[i].slots);
        }
        free(measurement->series.slots);
        free(measurement);
    }
    free(counts);
}

/* Measurements stay in the order in which they came. Within a job, all points of one have the same
 * tags (data/tables sees to it). */
static struct measurement *find(struct tag_counts *counts, const struct schema *schema)
{
    struct measurement **link = &counts->first;
    while (*link && strcmp((*link)->schema.measurement, schema->measurement) != 0) {
        link = &(*link)->next;
    }
    if (!*link) {
        *link = memory_new(sizeof **link);
        (*link)->schema = *schema;
    }
    return *link;
}

void tag_counts_add(struct tag_counts *counts, const struct point *point)
{
    struct measurement *measurement = find(counts, point->schema);
    uint64_t hashes[SCHEMA_TAGS_MAX] = {0};
    size_t n_tags = measurement->schema.n_tags;
    for (size_t i = 0; i < n_tags; i++) {
        if (point->tags[i].len) {
            hashes[i] = XXH3_64bits(point->tags[i].at, point->tags[i].len);
            set_add(&measurement->tags[i], hashes[i]);
        }
    }
    set_add(&measurement->series, XXH3_64bits(hashes, n_tags * sizeof *hashes));
    measurement->points++;
}

/* --- figures --- */

static const char *values_text(const struct value_set *set, char text[FIGURE_BYTES])
{
    snprintf(text, FIGURE_BYTES, "%s%zu", set->is_full ? ">" : "", set->used);
    return text;
}

/* Of all points of the measurement, those without the tag among them. */
static const char *share_text(const struct value_set *set, uint64_t points, char text[FIGURE_BYTES])
{
    double percent = 100.0 * (double)set->most / (double)points;
    snprintf(text, FIGURE_BYTES, "%s%.1f", set->is_full ? ">=" : "", percent);
    return text;
}

static void print_measurement(const struct measurement *measurement, struct buf *out)
{
    char values[FIGURE_BYTES], share[FIGURE_BYTES];
    buf_printf(out, "%s: %" PRIu64 " points, %s series\n", measurement->schema.measurement,
               measurement->points, values_text(&measurement->series, values));
    for (size_t i = 0; i < measurement->schema.n_tags; i++) {
        const struct value_set *set = &measurement->tags[i];
        buf_printf(out, "  %8s values, %7s %% most frequent  %s\n", values_text(set, values),
                   share_text(set, measurement->points, share), measurement->schema.tags[i]);
    }
}

void tag_counts_print(const struct tag_counts *counts, struct buf *out)
{
    for (const struct measurement *at = counts->first; at; at = at->next) {
        print_measurement(at, out);
    }
}

void tag_counts_warn(const struct tag_counts *counts, int64_t budget, const struct log *log,
                     const char *job)
{
    for (const struct measurement *at = counts->first; at; at = at->next) {
        for (size_t i = 0; i < at->schema.n_tags; i++) {
            char values[FIGURE_BYTES];
            if ((int64_t)at->tags[i].used <= budget && !at->tags[i].is_full) {
                continue;
            }
            log_line(log, LOG_WARN,
                     "a tag has more values than the budget, and each is a series: the job's "
                     "`fields:` can keep it as a field",
                     "job", job, "measurement", at->schema.measurement, "tag", at->schema.tags[i],
                     "values", values_text(&at->tags[i], values), "budget", log_int(budget).text,
                     NULL);
        }
    }
}

bool tag_budget_parse(const char *text, int64_t *budget)
{
    *budget = TAG_BUDGET_DEFAULT;
    return !text ||
           (value_int(slice_of(text), budget) && *budget >= 1 && *budget <= TAG_VALUES_MAX);
}
