/*
 * changes: how many values were not stored as they stood in their records (data/record): cut,
 * repaired, or left out because their key came twice. Said once, at the end of a run or a parse.
 */
#ifndef RUN_CHANGES_H
#define RUN_CHANGES_H

#include "base/log.h"
#include "data/record.h"

void changes_add(struct reader_counts *sum, const struct reader_counts *part);

/* Nothing when there were none. job: NULL = of no job. */
void changes_log(const struct reader_counts *sum, const struct log *log, const char *job);

#endif
