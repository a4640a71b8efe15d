/*
 * check: `loggateway check`: is the configuration right, and with --connect, do its places answer?
 * Prints one line a finding on stdout; problems of the file itself come from config/ with their
 * positions, on stderr.
 */
#include "base/cleanup.h"
#include "commands/arguments.h"
#include "commands/cli.h"
#include "commands/sample.h"
#include "data/folders.h"
#include "data/record.h"
#include "run/place.h"
#include "run/world.h"
#include "schedule/schedule.h"

#include <stdio.h>
#include <stdlib.h>

/* Opening an instance checks its options against each other and talks to nobody. */
static enum status check_place(struct cli *cli, const struct place_config *place, bool reads,
                               bool connect, struct err *err)
{
    struct host_world host;
    host_world_init(&host, &cli->log, NULL, NULL);
    CLEANUP_FREE void *self = place_instance(place);
    enum status status = place->module->open(self, &host.world, err);
    if (status == OK && reads) {
        struct place named;
        struct folders folders;
        place->module->place(self, &named);
        status = folders_parse(&folders, named.folders, err);
        if (status != OK) {
            status = err_prefix(err, "folders");
        }
    }
    if (status == OK && connect) {
        bool has_own = !reads && place->module->connect_to_write;
        status = (has_own ? place->module->connect_to_write : place->module->connect)(self, err);
    }
    place->module->close(self);
    host_world_finish(&host);
    return status == OK ? OK : err_prefix(err, "%s", place->name);
}

static enum status check_parsers(const struct job_config *job, struct err *err)
{
    struct reader *reader;
    enum status status =
        reader_new(&reader, job->parse, job->n_parse, (enum message_mode)job->options.message, err);
    if (status == OK) {
        reader_free(reader);
    }
    return status;
}

static enum status check_schedule(const struct job_config *job, struct err *err)
{
    struct schedule schedule;
    enum status status = schedule_init(&schedule, job, err);
    if (status == OK) {
        schedule_finish(&schedule);
    }
    return status;
}

static void describe_job(const struct job_config *job)
{
    printf("job %s: %s (%s) -> ", job->name, job->from->name, job->from->module->about.name);
    for (size_t i = 0; i < job->n_to; i++) {
        printf("%s%s (%s)", i ? ", " : "", job->to[i]->name, job->to[i]->module->about.name);
    }
    printf("; parsers:");
    for (size_t i = 0; i < job->n_parse; i++) {
        printf(" %s", job->parse[i]->about.name);
    }
    printf("\n");
}

static int report(const struct job_config *job, enum status status, const struct err *err)
{
    if (status == OK) {
        return EXIT_DONE;
    }
    printf("job %s: %s\n", job->name, err->text);
    return cli_exit_code(status);
}

static int worse(int a, int b)
{
    return a > b ? a : b;
}

struct check {
    bool connect;
    int64_t budget; /* values a tag may have */
};

/* A tag over the budget is a warning; only a place that does not let itself be read is a fault. */
static enum status check_tags(struct cli *cli, const struct job_config *job, int64_t budget,
                              struct err *err)
{
    struct tag_counts *counts = tag_counts_new();
    enum status status = sample_tags(job, &cli->log, counts, err);
    tag_counts_warn(counts, budget, &cli->log, job->name);
    tag_counts_free(counts);
    return status;
}

static int check_job(struct cli *cli, const struct job_config *job, const struct check *check)
{
    struct err err;
    bool connect = check->connect;
    describe_job(job);
    int code = report(job, check_parsers(job, &err), &err);
    code = worse(code, report(job, check_schedule(job, &err), &err));
    code = worse(code, report(job, check_place(cli, job->from, true, connect, &err), &err));
    for (size_t i = 0; i < job->n_to; i++) {
        code = worse(code, report(job, check_place(cli, job->to[i], false, connect, &err), &err));
    }
    if (connect && code == EXIT_DONE) {
        code = report(job, check_tags(cli, job, check->budget, &err), &err);
    }
    return code;
}

static int check_all(struct cli *cli, const struct check *check)
{
    struct config *config = cli_config(cli);
    if (!config) {
        return EXIT_USAGE;
    }
    int code = EXIT_DONE;
    for (size_t i = 0; i < config->n_jobs; i++) {
        code = worse(code, check_job(cli, &config->jobs[i], check));
    }
    if (code == EXIT_DONE) {
        printf("%s: good%s\n", config->path, check->connect ? ", and every place answers" : "");
    }
    config_free(config);
    return code;
}

int command_check(struct cli *cli, int argc, char **argv)
{
    struct check check = {.connect = false};
    const char *budget = NULL;
    const struct argument table[] = {
        {"connect", 0, NULL, &check.connect}, {"budget", 0, &budget, NULL}, {NULL}};
    int first = arguments_read(argc, argv, table, false);
    if (first < 0) {
        return EXIT_USAGE;
    }
    if (first < argc) {
        return cli_usage("check: '%s' is too many", argv[first]);
    }
    if (budget && !check.connect) {
        return cli_usage("check: --budget goes with --connect");
    }
    if (!tag_budget_parse(budget, &check.budget)) {
        return cli_usage("check: --budget %s: 1 to %d", budget, TAG_VALUES_MAX);
    }
    return check_all(cli, &check);
}
