/* schedule: `loggateway schedule`: shows when jobs run next. */
#include "schedule/schedule.h"

#include "base/clock.h"
#include "base/timestamp.h"
#include "commands/arguments.h"
#include "commands/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "2026-03-01T09:00:00+01:00" */
static void print_local(const struct schedule *schedule, int64_t at_ns)
{
    int32_t offset = zone_offset(schedule->zone, at_ns / NS_PER_SECOND);
    char text[TIMESTAMP_TEXT_BYTES];
    timestamp_format(at_ns + offset * NS_PER_SECOND, text);
    int minutes = abs(offset) / 60;
    printf("\t%.19s%c%02d:%02d", text, offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

static enum status print_runs(const struct job_config *job, int64_t from_ns, long n,
                              struct err *err)
{
    struct schedule schedule;
    if (schedule_init(&schedule, job, err) != OK) {
        return err_prefix(err, "job %s", job->name);
    }
    printf("job %s: %s, %s\n", job->name, job->options.schedule, job->options.timezone);
    for (long i = 0; i < n; i++) {
        from_ns = schedule_next(&schedule, from_ns);
        if (from_ns == INT64_MAX) {
            printf("never\n");
            break;
        }
        char text[TIMESTAMP_TEXT_BYTES];
        printf("%s", timestamp_format(from_ns, text));
        print_local(&schedule, from_ns);
        printf("\n");
    }
    schedule_finish(&schedule);
    return OK;
}

static int print_jobs(const struct config *config, const char *wanted, int64_t now_ns, long n)
{
    int code = EXIT_DONE;
    bool found = false;
    for (size_t i = 0; i < config->n_jobs; i++) {
        struct err err;
        if (wanted && strcmp(wanted, config->jobs[i].name) != 0) {
            continue;
        }
        found = true;
        if (print_runs(&config->jobs[i], now_ns, n, &err) != OK) {
            code = cli_usage("%s", err.text);
        }
    }
    return found ? code : cli_usage("schedule: no job named '%s' in %s", wanted, config->path);
}

int command_schedule(struct cli *cli, int argc, char **argv)
{
    const char *wanted, *count = "5", *from = NULL;
    const struct argument table[] = {
        {"count", 'n', &count, NULL}, {"from-date", 0, &from, NULL}, {NULL}};
    if (!cli_read_job(argc, argv, table, &wanted)) {
        return EXIT_USAGE;
    }
    char *end;
    long n = strtol(count, &end, 10);
    if (*end || n < 1 || n > 10000) {
        return cli_usage("schedule: -n %s: a number from 1 to 10000", count);
    }
    struct err err;
    int64_t now_ns = clock_now_ns();
    if (timestamp_read_option("--from-date", from, now_ns, &now_ns, &err) != OK) {
        return cli_usage("schedule: %s", err.text);
    }
    struct config *config = cli_config(cli);
    if (!config) {
        return EXIT_USAGE;
    }
    int code = print_jobs(config, wanted, now_ns, n);
    config_free(config);
    return code;
}
