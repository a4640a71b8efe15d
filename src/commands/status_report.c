/* status_report: gathers what is told of a job. See status.h. */
#include "base/timestamp.h"
#include "commands/status.h"
#include "data/shown.h"
#include "run/lock.h"
#include "schedule/schedule.h"

#include <stdio.h>

static const int64_t grace_ns = 300 * NS_PER_SECOND;

static const struct kind_status *find_kind(const struct job_status *figures, const char *name)
{
    for (size_t i = 0; i < figures->n_kinds; i++) {
        if (strncmp(figures->kinds[i].name, name, LEDGER_KIND_BYTES - 1) == 0) {
            return &figures->kinds[i];
        }
    }
    return NULL;
}

static struct kind_report report_kind(const struct job_report *report, const char *name)
{
    struct kind_report kind = {.name = name, .newest_ns = INT64_MIN};
    const struct kind_status *known = find_kind(&report->figures, name);
    if (known) {
        kind.newest_ns = known->newest_ns;
        kind.habit = habit_learn(known->arrivals, known->n_arrivals);
        kind.is_late = kind.habit.known && report->now_ns - known->newest_ns > kind.habit.late_ns;
    }
    return kind;
}

static void report_kinds(struct job_report *report)
{
    const struct job_config *job = report->job;
    for (size_t i = 0; i < job->n_parse && i < LEDGER_KINDS_MAX; i++) {
        report->kinds[report->n_kinds++] = report_kind(report, job->parse[i]->about.name);
    }
}

/* When the second run after the end of the good window fell due; INT64_MAX: never. */
static int64_t second_due(const struct schedule *schedule, int64_t good_to_ns)
{
    int64_t first_ns = schedule_next(schedule, good_to_ns);
    return first_ns == INT64_MAX ? first_ns : schedule_next(schedule, first_ns);
}

static const char *without_good_window(const struct job_status *figures)
{
    if (figures->any_ended) {
        return "no run was asked for what has been delivered";
    }
    return figures->last_start_ns != INT64_MIN ? "the first run was cut off"
                                               : "nothing has run yet";
}

static void judge(struct job_report *report, const struct schedule *schedule)
{
    const struct job_status *figures = &report->figures;
    char *problem = report->problem;
    size_t size = sizeof report->problem;
    if (figures->any_ended && !figures->ended_ok) {
        snprintf(problem, size, "the last run was not complete%s%s",
                 *figures->ended_error ? ": " : "", figures->ended_error);
        return;
    }
    if (report->lag_ns < 0) {
        snprintf(problem, size, "%s", report->under_way ? "" : without_good_window(figures));
        return;
    }
    int64_t due_ns = second_due(schedule, figures->good_to_ns);
    if (due_ns < INT64_MAX - grace_ns && report->now_ns > due_ns + grace_ns) {
        char lag[SHOWN_SPAN_BYTES];
        snprintf(problem, size, "two runs are overdue, the lag is %s",
                 shown_span(report->lag_ns, lag));
    }
}

static int64_t lag_of(const struct job_report *report)
{
    int64_t good_to_ns = report->figures.good_to_ns;
    if (good_to_ns == INT64_MIN) {
        return -1;
    }
    return report->now_ns > good_to_ns ? report->now_ns - good_to_ns : 0;
}

static enum status read_figures(struct job_report *report, struct ledger *ledger, struct err *err)
{
    const struct job_config *job = report->job;
    const char *sinks[LEDGER_SINKS_MAX];
    size_t n_sinks = 0;
    for (; n_sinks < job->n_to && n_sinks < LEDGER_SINKS_MAX; n_sinks++) {
        sinks[n_sinks] = job->to[n_sinks]->name;
    }
    return ledger_job_status(ledger, job->name, sinks, n_sinks, &report->figures, err);
}

static enum status read_runs(struct job_report *report, struct ledger *ledger, struct err *err)
{
    return ledger_job_runs(ledger, report->job->name, &report->figures, err);
}

static enum status fill(struct job_report *out, const struct job_config *job, struct ledger *ledger,
                        enum status (*read)(struct job_report *report, struct ledger *ledger,
                                            struct err *err),
                        const char *state, int64_t now_ns, struct err *err)
{
    memset(out, 0, sizeof *out);
    out->job = job;
    out->now_ns = now_ns;
    job_status_clear(&out->figures);
    struct schedule schedule;
    if (schedule_init(&schedule, job, err) != OK) {
        return err_prefix(err, "job %s", job->name);
    }
    enum status status = ledger ? read(out, ledger, err) : OK;
    if (status == OK) {
        out->next_ns = schedule_next(&schedule, now_ns);
        out->lag_ns = lag_of(out);
        out->under_way = lock_is_held(state, job->name);
        judge(out, &schedule);
    }
    schedule_finish(&schedule);
    return status;
}

enum status job_report_fill(struct job_report *out, const struct job_config *job,
                            struct ledger *ledger, const char *state, int64_t now_ns,
                            struct err *err)
{
    enum status status = fill(out, job, ledger, read_figures, state, now_ns, err);
    if (status == OK) {
        report_kinds(out);
    }
    return status;
}

enum status job_report_judge(struct job_report *out, const struct job_config *job,
                             struct ledger *ledger, const char *state, int64_t now_ns,
                             struct err *err)
{
    return fill(out, job, ledger, read_runs, state, now_ns, err);
}
