/* schedule: a job's `schedule:` and `timezone:`, read together. */
#ifndef SCHEDULE_SCHEDULE_H
#define SCHEDULE_SCHEDULE_H

#include "config/config.h"
#include "schedule/cron.h"

struct schedule {
    struct cron cron;
    struct zone *zone; /* NULL = UTC */
};

/* BAD_CONFIG names the option. schedule_finish() is needed after OK only. */
enum status schedule_init(struct schedule *out, const struct job_config *job, struct err *err);
void schedule_finish(struct schedule *schedule);

/* The first run after `after_ns`; INT64_MAX = never. */
int64_t schedule_next(const struct schedule *schedule, int64_t after_ns);

#endif
