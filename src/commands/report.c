/* report: `loggateway report`: a page with the pictures of a job's SQLite store. Reads only; works
 * beside a running job. See report.h. */
#include "report/report.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/memory.h"
#include "commands/arguments.h"
#include "commands/cli.h"
#include "commands/verify.h"
#include "run/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_MAX_BYTES = 64 * 1024 * 1024, PATH_MAX_BYTES = 4096, FILE_MODE = 0644 };

/* --- which job, which store --- */

/* The index in the job's `to:` of its first SQLite place; n_to: it has none. */
static size_t find_store(const struct job_config *job)
{
    size_t i = 0;
    while (i < job->n_to && strcmp(job->to[i]->module->about.name, "sqlite") != 0) {
        i++;
    }
    return i;
}

/* The place's file, by its option's row. */
static const char *store_path(const struct place_config *place)
{
    const struct option *row = place->module->about.options;
    while (strcmp(row->name, "path") != 0) {
        row++;
    }
    return *(const char *const *)((const char *)place->options + row->offset);
}

/* Without a name: the one job that has a store. */
static enum status find_job(const struct config *config, const char *wanted,
                            const struct job_config **out, struct err *err)
{
    *out = NULL;
    for (size_t i = 0; i < config->n_jobs; i++) {
        const struct job_config *job = &config->jobs[i];
        if (wanted ? strcmp(wanted, job->name) != 0 : find_store(job) == job->n_to) {
            continue;
        }
        if (*out) {
            return err_set(err, BAD_CONFIG, "jobs %s and %s have a store: name one", (*out)->name,
                           job->name);
        }
        *out = job;
    }
    if (!*out) {
        return wanted ? err_set(err, BAD_CONFIG, "no job named '%s' in %s", wanted, config->path)
                      : err_set(err, BAD_CONFIG, "no job in %s writes to a place of type sqlite",
                                config->path);
    }
    return find_store(*out) < (*out)->n_to
               ? OK
               : err_set(err, BAD_CONFIG, "job %s writes to no place of type sqlite", wanted);
}

/* --- what is known --- */

/* A run of any job that writes to the store. */
static bool is_under_way(const struct verify *verify)
{
    for (size_t i = 0; i < verify->n_jobs; i++) {
        if (lock_is_held(verify->config->state, verify->jobs[i].config->name)) {
            return true;
        }
    }
    return false;
}

static uint64_t count_missing(const struct report *report, const struct verify *verify)
{
    const struct job_config *job = report->job;
    for (size_t i = 0; i < verify->n_jobs; i++) {
        if (verify->jobs[i].config == job) {
            return verify->jobs[i].sinks[find_store(job)].missing;
        }
    }
    return 0;
}

/* What is stored first, then what is there, so that what a run adds meanwhile is not missed. */
static enum status compare(struct report *report, struct verify *verify, const struct log *log,
                           struct err *err)
{
    report->under_way = is_under_way(verify);
    if (ledger_job_status(verify->ledger, report->job->name, &report->store->name, 1,
                          &report->status, err) != OK ||
        verify_claims(verify, err) != OK) {
        return err->status;
    }
    verify_count(verify, log);
    report->under_way |= is_under_way(verify);
    report->missing = count_missing(report, verify);
    return OK;
}

static enum status read_ledger(struct report *report, struct verify *verify, const struct log *log,
                               struct err *err)
{
    report->status.good_from_ns = report->status.good_to_ns = INT64_MIN;
    verify_set_days(verify, report->period.window);
    if (verify_choose(verify, report->job->name, report->store, err) != OK) {
        return err->status;
    }
    enum status status = ledger_open_existing(&verify->ledger, verify->config->state, err);
    if (status != OK) {
        return status == AGAIN ? OK : status;
    }
    report->ledger_found = true;
    report->verify = verify;
    return compare(report, verify, log, err);
}

static void report_finish(struct report *report)
{
    for (size_t i = 0; i < REPORT_PANELS; i++) {
        report_grid_finish(&report->grids[i]);
    }
}

/* The ledger first: what it calls settled is in the store. */
static enum status make_page(struct report *report, struct verify *verify, const struct log *log,
                             struct buf *page, struct err *err)
{
    if (read_ledger(report, verify, log, err) != OK || report_store_read(report, err) != OK) {
        return err->status;
    }
    return report_page(report, page, err);
}

static enum status draw_job(const struct config *config, const struct job_config *job,
                            const struct report_period *period, const struct log *log,
                            struct buf *page, struct err *err)
{
    const struct place_config *store = job->to[find_store(job)];
    CLEANUP(report_finish)
    struct report report = {.job = job,
                            .store = store,
                            .store_path = store_path(store),
                            .period = *period,
                            .now_ns = clock_now_ns()};
    CLEANUP_FREE struct verify *verify = memory_new(sizeof *verify);
    verify->config = config;
    verify->now_ns = report.now_ns;
    enum status status = make_page(&report, verify, log, page, err);
    verify_finish(verify);
    return status;
}

/* --- where it goes --- */

static enum status failed(const char *path, struct err *err)
{
    return err_set(err, FAILED, "%s: %s", path, strerror(errno));
}

static enum status write_all(int fd, struct slice bytes)
{
    while (bytes.len) {
        ssize_t written = write(fd, bytes.at, bytes.len);
        if (written < 0 && errno != EINTR) {
            return FAILED;
        }
        size_t done = written > 0 ? (size_t)written : 0;
        bytes = slice_make(bytes.at + done, bytes.len - done);
    }
    return OK;
}

/* Whole or not at all, whoever looks meanwhile. */
static enum status write_file(const char *path, struct slice page, struct err *err)
{
    struct stat there;
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode)) {
        return err_set(err, FAILED, "%s: not a file (- is standard output)", path);
    }
    CLEANUP(buf_finish) struct buf temporary = {.max = PATH_MAX_BYTES};
    buf_printf(&temporary, "%s.%d.tmp", path, (int)getpid());
    const char *name = buf_text(&temporary);
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd < 0) {
        return failed(path, err);
    }
    bool written = write_all(fd, page) == OK && fsync(fd) == 0;
    if ((close(fd) == 0 && written) && rename(name, path) == 0) {
        return OK;
    }
    failed(path, err);
    unlink(name);
    return err->status;
}

static enum status write_page(const char *path, struct slice page, struct err *err)
{
    if (strcmp(path, "-") != 0) {
        return write_file(path, page, err);
    }
    return write_all(STDOUT_FILENO, page) == OK ? OK : failed("standard output", err);
}

/* --- the command --- */

static enum status draw(const struct config *config, const char *wanted,
                        const struct report_period *period, const struct log *log, const char *path,
                        struct err *err)
{
    CLEANUP(buf_finish) struct buf page = {.max = PAGE_MAX_BYTES};
    const struct job_config *job;
    if (find_job(config, wanted, &job, err) != OK) {
        return err->status;
    }
    enum status status = draw_job(config, job, period, log, &page, err);
    return status == OK ? write_page(path, buf_slice(&page), err)
                        : err_prefix(err, "job %s", job->name);
}

int command_report(struct cli *cli, int argc, char **argv)
{
    const char *wanted, *from = NULL, *to = NULL, *out = NULL;
    const struct argument table[] = {
        {"from-date", 0, &from, NULL}, {"to-date", 0, &to, NULL}, {"out", 0, &out, NULL}, {NULL}};
    if (!cli_read_job(argc, argv, table, &wanted)) {
        return EXIT_USAGE;
    }
    if (!out || !*out) {
        return cli_usage("report: --out FILE is required (- is standard output)");
    }
    struct err err;
    struct report_period period;
    if (report_period_parse(&period, from, to, clock_now_ns(), &err) != OK) {
        return cli_usage("report: %s", err.text);
    }
    struct config *config = cli_config(cli);
    if (!config) {
        return EXIT_USAGE;
    }
    enum status status = draw(config, wanted, &period, &cli->log, out, &err);
    if (status != OK) {
        cli_usage("report: %s", err.text);
    }
    config_free(config);
    return cli_exit_code(status);
}
