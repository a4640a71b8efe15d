/*
 * tags: how many values the tags of points have, and how many series there are: what a database
 * like InfluxDB pays for. Called by `parse --stats`, and by commands/sample for `check --connect`.
 *
 * Values are told apart by 64-bit hashes, and counted exactly up to TAG_VALUES_MAX; beyond that
 * figures are lower bounds. So memory is bounded: 2 MiB a tag at most.
 */
#ifndef COMMANDS_TAGS_H
#define COMMANDS_TAGS_H

#include "api/flow.h"
#include "base/buf.h"
#include "base/log.h"

enum { TAG_VALUES_MAX = 100000, TAG_BUDGET_DEFAULT = 10000 };

struct tag_counts;

struct tag_counts *tag_counts_new(void);
void tag_counts_free(struct tag_counts *counts);

/* Only the names in the point's schema have to outlive the counts. */
void tag_counts_add(struct tag_counts *counts, const struct point *point);

/* For each measurement a line with its points and series, then one for each of its tags. */
void tag_counts_print(const struct tag_counts *counts, struct buf *out);

/* A log line for each tag with more values than the budget. job: NULL = none. */
void tag_counts_warn(const struct tag_counts *counts, int64_t budget, const struct log *log,
                     const char *job);

/* The value of --budget, 1 to TAG_VALUES_MAX; NULL is the default. */
bool tag_budget_parse(const char *text, int64_t *budget);

#endif
