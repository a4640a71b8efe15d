/*
 * status: what `loggateway status` tells of a job, gathered from the configuration, the clock, the
 * lock and the ledger by status_report.c, and shown as text (status_text.c) or JSON
 * (status_json.c). Reads only.
 *
 * A job is well when
 *   - its last run that ended was complete (one that was cut off has not ended), and
 *   - the runs that fell due since the end of its good window are fewer than two, or the second of
 *     them is less than 5 minutes ago; for a job that has no good window yet: its first run is
 *     under way.
 */
#ifndef COMMANDS_STATUS_H
#define COMMANDS_STATUS_H

#include "commands/habit.h"
#include "config/config.h"
#include "ledger/ledger.h"

#include <cjson/cJSON.h>

struct kind_report {
    const char *name;
    int64_t newest_ns; /* INT64_MIN: never met */
    struct habit habit;
    bool is_late;
};

struct job_report {
    const struct job_config *job;
    int64_t now_ns;
    int64_t next_ns;   /* INT64_MAX: never */
    int64_t lag_ns;    /* now - the end of the good window; -1: there is none */
    bool under_way;    /* somebody holds the job's lock */
    char problem[640]; /* why the job is not well; "" = it is */
    struct job_status figures;
    struct kind_report kinds[LEDGER_KINDS_MAX]; /* of the job's parsers, in its order */
    size_t n_kinds;
};

/* ledger: NULL when nothing has run yet. state: its path. */
enum status job_report_fill(struct job_report *out, const struct job_config *job,
                            struct ledger *ledger, const char *state, int64_t now_ns,
                            struct err *err);

/* Whether it is well, its runs and its good window: without what has to be looked for object by
 * object, and without kinds. */
enum status job_report_judge(struct job_report *out, const struct job_config *job,
                             struct ledger *ledger, const char *state, int64_t now_ns,
                             struct err *err);

void job_report_print(const struct job_report *report); /* on stdout */

/* The job's part of the document; NULL: out of memory. */
cJSON *job_report_json(const struct job_report *report);

#endif
