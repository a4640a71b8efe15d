/* status: `loggateway status`: what is known of each job, for people, programs (--json) and health
 * checks (--check). Reads only; works beside a running job. See status.h. */
#include "commands/status.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/memory.h"
#include "commands/arguments.h"
#include "commands/cli.h"
#include "commands/json.h"
#include "data/shown.h"

#include <stdio.h>

enum { PROBLEM_MAX_BYTES = 16 * 1024 };

struct status_arguments {
    const char *job; /* NULL = all */
    bool json, check;
};

/* Fills a report per job that was asked for. */
static enum status fill_reports(const struct config *config, const char *wanted,
                                struct ledger *ledger, struct job_report *reports, size_t *n,
                                struct err *err)
{
    int64_t now = clock_now_ns();
    *n = 0;
    for (size_t i = 0; i < config->n_jobs; i++) {
        const struct job_config *job = &config->jobs[i];
        if (wanted && strcmp(wanted, job->name) != 0) {
            continue;
        }
        enum status status =
            job_report_fill(&reports[(*n)++], job, ledger, config->state, now, err);
        if (status != OK) {
            return status;
        }
    }
    return *n ? OK : err_set(err, BAD_CONFIG, "no job named '%s' in %s", wanted, config->path);
}

static enum status print_json(const struct config *config, const struct job_report *reports,
                              size_t n, struct err *err)
{
    cJSON *document = cJSON_CreateObject();
    json_add_time(document, "now", reports[0].now_ns);
    json_add_text(document, "state", config->state);
    cJSON *jobs = cJSON_AddArrayToObject(document, "jobs");
    for (size_t i = 0; i < n; i++) {
        cJSON_AddItemToArray(jobs, job_report_json(&reports[i]));
    }
    return json_print(document, err);
}

static void print_verdict(const struct job_report *report)
{
    CLEANUP(buf_finish) struct buf problem = {.max = PROBLEM_MAX_BYTES};
    shown_add(&problem, slice_of(report->problem));
    printf("job %s: %s\n", report->job->name, problem.len ? buf_text(&problem) : "well");
}

static enum status print_reports(const struct config *config,
                                 const struct status_arguments *arguments,
                                 const struct job_report *reports, size_t n, struct err *err)
{
    if (arguments->json) {
        return print_json(config, reports, n, err);
    }
    for (size_t i = 0; i < n; i++) {
        if (arguments->check) {
            print_verdict(&reports[i]);
        } else {
            job_report_print(&reports[i]);
        }
    }
    return OK;
}

static bool all_are_well(const struct job_report *reports, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (*reports[i].problem) {
            return false;
        }
    }
    return true;
}

static int tell(const struct config *config, const struct status_arguments *arguments,
                struct ledger *ledger)
{
    struct err err;
    size_t n;
    CLEANUP_FREE struct job_report *reports = memory_new(config->n_jobs * sizeof *reports);
    enum status status = fill_reports(config, arguments->job, ledger, reports, &n, &err);
    if (status == OK) {
        status = print_reports(config, arguments, reports, n, &err);
    }
    if (status != OK) {
        cli_usage("status: %s", err.text);
        return cli_exit_code(status);
    }
    return arguments->check && !all_are_well(reports, n) ? EXIT_KEPT_BACK : EXIT_DONE;
}

static int open_and_tell(const struct config *config, const struct status_arguments *arguments)
{
    struct ledger *ledger;
    struct err err;
    enum status status = ledger_open_existing(&ledger, config->state, &err);
    if (status != OK && status != AGAIN) {
        cli_usage("status: %s", err.text);
        return cli_exit_code(status);
    }
    if (status == AGAIN && !arguments->json) {
        printf("nothing has run yet: %s is not there\n", config->state);
    }
    int code = tell(config, arguments, ledger);
    ledger_close(ledger);
    return code;
}

int command_status(struct cli *cli, int argc, char **argv)
{
    struct status_arguments arguments = {0};
    const struct argument table[] = {
        {"json", 0, NULL, &arguments.json}, {"check", 0, NULL, &arguments.check}, {NULL}};
    if (!cli_read_job(argc, argv, table, &arguments.job)) {
        return EXIT_USAGE;
    }
    struct config *config = cli_config(cli);
    if (!config) {
        return EXIT_USAGE;
    }
    int code = open_and_tell(config, &arguments);
    config_free(config);
    return code;
}
