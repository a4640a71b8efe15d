/* status: `loggateway status`: what the ledger knows of each job, as text on stdout. Reads only;
 * works beside a running job. */
#include "app/arguments.h"
#include "app/cli.h"
#include "app/ledger.h"
#include "base/timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *date_or_never(int64_t ns, char text[TIMESTAMP_TEXT_BYTES])
{
    return ns == INT64_MIN ? "never" : timestamp_format(ns, text);
}

static void print_runs(const struct job_status *status)
{
    char start[TIMESTAMP_TEXT_BYTES], end[TIMESTAMP_TEXT_BYTES];
    printf("  last run     %s", date_or_never(status->last_start_ns, start));
    if (status->last_start_ns != INT64_MIN) {
        bool ended = status->last_end_ns != INT64_MIN;
        printf(" to %s, %s", ended ? timestamp_format(status->last_end_ns, end) : "now",
               !ended            ? "under way or cut off"
               : status->last_ok ? "complete"
                                 : "not complete");
    }
    printf("\n  good window  %s", date_or_never(status->good_from_ns, start));
    if (status->good_from_ns != INT64_MIN) {
        printf(" to %s", timestamp_format(status->good_to_ns, end));
    }
    printf("\n");
}

static void print_job(const struct job_config *job, const struct job_status *status)
{
    printf("job %s\n", job->name);
    print_runs(status);
    printf("  objects      settled %" PRIu64 ", listed %" PRIu64 ", failed %" PRIu64
           ", quarantined %" PRIu64 "\n",
           status->objects[OBJECT_SETTLED], status->objects[OBJECT_LISTED],
           status->objects[OBJECT_FAILED], status->objects[OBJECT_QUARANTINED]);
    printf("  records      read %" PRIu64 ", dead letters kept %" PRIu64 "\n", status->read,
           status->dead_letters);
    for (size_t i = 0; i < job->n_to; i++) {
        const struct sink_counts *sink = &status->sinks[i];
        printf("  %-12s stored %" PRIu64 ", duplicate %" PRIu64 ", expired %" PRIu64
               ", dead %" PRIu64 "\n",
               job->to[i]->name, sink->stored, sink->duplicate, sink->expired, sink->dead);
    }
    if (status->oldest_error[0]) {
        printf("  oldest error %s\n", status->oldest_error);
    }
}

static enum status print_jobs(const struct config *config, const char *wanted,
                              struct ledger *ledger, struct err *err)
{
    bool found = false;
    for (size_t i = 0; i < config->n_jobs; i++) {
        const struct job_config *job = &config->jobs[i];
        if (wanted && strcmp(wanted, job->name) != 0) {
            continue;
        }
        found = true;
        struct job_status status;
        if (ledger_job_status(ledger, job->name, &status, err) != OK) {
            return err->status;
        }
        print_job(job, &status);
    }
    return found ? OK : err_set(err, BAD_CONFIG, "no job named '%s' in %s", wanted, config->path);
}

int command_status(struct cli *cli, int argc, char **argv)
{
    const struct argument table[] = {{NULL}};
    int first = arguments_read(argc, argv, table, false);
    if (first < 0) {
        return EXIT_USAGE;
    }
    if (argc - first > 1) {
        return cli_usage("status: one job at most: '%s' is too many", argv[first + 1]);
    }
    struct config *config = cli_config(cli);
    if (!config) {
        return EXIT_USAGE;
    }
    struct ledger *ledger = NULL;
    struct err err;
    enum status status = ledger_open_existing(&ledger, config->state, &err);
    if (status == AGAIN) {
        printf("nothing has run yet: %s is not there\n", config->state);
        status = OK;
    } else if (status == OK) {
        status = print_jobs(config, first < argc ? argv[first] : NULL, ledger, &err);
    }
    if (status != OK) {
        cli_usage("status: %s", err.text);
    }
    ledger_close(ledger);
    config_free(config);
    return cli_exit_code(status);
}
