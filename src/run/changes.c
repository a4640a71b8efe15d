/* changes: see changes.h. */
#include "run/changes.h"

void changes_add(struct reader_counts *sum, const struct reader_counts *part)
{
    sum->duplicate_keys += part->duplicate_keys;
    sum->repaired += part->repaired;
    sum->cut += part->cut;
}

void changes_log(const struct reader_counts *sum, const struct log *log, const char *job)
{
    if (!sum->duplicate_keys && !sum->repaired && !sum->cut) {
        return;
    }
    log_line(log, LOG_WARN, "values changed", "duplicate_keys",
             log_int((int64_t)sum->duplicate_keys).text, "repaired",
             log_int((int64_t)sum->repaired).text, "cut", log_int((int64_t)sum->cut).text,
             job ? "job" : NULL, job, NULL);
}
