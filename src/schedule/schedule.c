/* schedule: see schedule.h. */
#include "schedule/schedule.h"

#include "base/timestamp.h"

#include <string.h>

enum status schedule_init(struct schedule *out, const struct job_config *job, struct err *err)
{
    *out = (struct schedule){0};
    if (cron_parse(&out->cron, job->options.schedule, err) != OK) {
        return err->status;
    }
    if (strcmp(job->options.timezone, "UTC") == 0) {
        return OK;
    }
    enum status status = zone_load(&out->zone, job->options.timezone, err);
    return status == OK ? OK : err_prefix(err, "timezone");
}

void schedule_finish(struct schedule *schedule)
{
    zone_free(schedule->zone);
    schedule->zone = NULL;
}

int64_t schedule_next(const struct schedule *schedule, int64_t after_ns)
{
    int64_t after = after_ns / NS_PER_SECOND - (after_ns % NS_PER_SECOND < 0);
    int64_t next = cron_next(&schedule->cron, schedule->zone, after);
    return next > INT64_MAX / NS_PER_SECOND ? INT64_MAX : next * NS_PER_SECOND;
}
