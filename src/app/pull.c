/*
 * pull: `loggateway pull`: one run per job over a period. The run has threads of its own; this one
 * draws the progress and waits for SIGINT and SIGTERM, which end the run after what is under way
 * was let go unsettled.
 */
#include "app/arguments.h"
#include "app/cli.h"
#include "app/lock.h"
#include "app/progress.h"
#include "app/run.h"
#include "base/timestamp.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct pull_arguments {
    const char *job, *from, *to;
    bool again, new_schema, dry_run, no_wait;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static enum status read_window(const struct pull_arguments *arguments, struct window *window,
                               struct err *err)
{
    int64_t now = now_ns();
    window->to_ns = now;
    if (!arguments->from) {
        return err_set(err, BAD_CONFIG, "pull: --from-date is required (2022-05-30, -720h)");
    }
    if (!timestamp_parse_argument(slice_of(arguments->from), now, &window->from_ns)) {
        return err_set(err, BAD_CONFIG, "pull: --from-date %s: not a date (2022-05-30, -720h)",
                       arguments->from);
    }
    if (arguments->to && !timestamp_parse_argument(slice_of(arguments->to), now, &window->to_ns)) {
        return err_set(err, BAD_CONFIG, "pull: --to-date %s: not a date (2022-05-30, -720h)",
                       arguments->to);
    }
    if (window->from_ns >= window->to_ns) {
        return err_set(err, BAD_CONFIG, "pull: --from-date is not before --to-date");
    }
    return OK;
}

/* --- watching a run --- */

/* SIGUSR1 is the run's own sign that it has ended. */
static void watched_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGUSR1);
}

struct watched {
    struct run *run;
    pthread_t watcher;
    enum status status;
    struct err err;
    atomic_bool ended;
};

static void *watched_main(void *with)
{
    struct watched *watched = with;
    watched->status = run_job(watched->run, &watched->err);
    atomic_store(&watched->ended, true);
    pthread_kill(watched->watcher, SIGUSR1);
    return NULL;
}

static struct progress_figures figures_of(struct run *run)
{
    bool listing = atomic_load(&run->phase) == RUN_LISTING;
    return (struct progress_figures){
        .listing = listing,
        .objects_done = listing ? run->listed : run->objects_taken,
        .objects_total = run->objects_total,
        .records = run->totals.records,
        .bytes_done = run->bytes_read,
        .bytes_total = run->bytes_total,
    };
}

static enum status watch_run(struct run *run, struct err *err)
{
    struct watched watched = {.run = run, .watcher = pthread_self()};
    sigset_t set;
    watched_signals(&set);
    struct progress progress;
    progress_begin(&progress, run->log, run->job->name);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, watched_main, &watched);
    if (error) {
        return err_set(err, FAILED, "cannot start a thread: %s", strerror(error));
    }
    while (!atomic_load(&watched.ended)) {
        const struct timespec span = {.tv_nsec = 200 * NS_PER_MS};
        int got = sigtimedwait(&set, NULL, &span);
        if (got == SIGINT || got == SIGTERM) {
            atomic_store(&run->interrupted, true);
            atomic_store(&run->stop, true);
        }
        struct progress_figures figures = figures_of(run);
        if (!run->request.dry_run) {
            progress_show(&progress, &figures);
        }
    }
    progress_end(&progress);
    pthread_join(thread, NULL);
    *err = watched.err;
    return watched.status;
}

/* --- the jobs --- */

static enum status pull_job(struct cli *cli, struct ledger *ledger, const struct job_config *job,
                            const struct run_request *request, struct err *err)
{
    struct run run;
    run_init(&run, job, ledger, &cli->log, request);
    enum status status = watch_run(&run, err);
    if (status == OK && atomic_load(&run.interrupted)) {
        status = err_set(err, FAILED, "interrupted");
    }
    run_finish(&run);
    return status;
}

static enum status pull_locked(struct cli *cli, const struct config *config,
                               const struct job_config *job, const struct run_request *request,
                               bool wait, struct err *err)
{
    struct lock *lock;
    enum status status = lock_take(&lock, config->state, job->name, wait, err);
    if (status != OK) {
        return status;
    }
    struct ledger *ledger = NULL;
    status = ledger_open(&ledger, config->state, err);
    if (status == OK) {
        status = pull_job(cli, ledger, job, request, err);
    }
    ledger_close(ledger);
    lock_release(lock);
    return status;
}

static int pull_jobs(struct cli *cli, const struct config *config,
                     const struct pull_arguments *arguments, const struct run_request *request)
{
    int code = EXIT_DONE;
    bool found = false;
    for (size_t i = 0; i < config->n_jobs; i++) {
        const struct job_config *job = &config->jobs[i];
        if (arguments->job && strcmp(arguments->job, job->name) != 0) {
            continue;
        }
        found = true;
        struct err err;
        enum status status = pull_locked(cli, config, job, request, !arguments->no_wait, &err);
        if (status != OK) {
            log_line(&cli->log, LOG_ERROR, "run not complete", "job", job->name, "error", err.text,
                     NULL);
            int this_code = cli_exit_code(status);
            code = this_code > code ? this_code : code;
        }
    }
    return found ? code : cli_usage("pull: no job named '%s' in %s", arguments->job, config->path);
}

int command_pull(struct cli *cli, int argc, char **argv)
{
    struct pull_arguments arguments = {0};
    const struct argument table[] = {
        {"from-date", 0, &arguments.from, NULL},
        {"to-date", 0, &arguments.to, NULL},
        {"again", 0, NULL, &arguments.again},
        {"new-schema", 0, NULL, &arguments.new_schema},
        {"dry-run", 0, NULL, &arguments.dry_run},
        {"no-wait", 0, NULL, &arguments.no_wait},
        {NULL},
    };
    int first = arguments_read(argc, argv, table, false);
    if (first < 0) {
        return EXIT_USAGE;
    }
    if (argc - first > 1) {
        return cli_usage("pull: one job at most: '%s' is too many", argv[first + 1]);
    }
    arguments.job = first < argc ? argv[first] : NULL;
    struct run_request request = {
        .again = arguments.again, .new_schema = arguments.new_schema, .dry_run = arguments.dry_run};
    struct err err;
    if (read_window(&arguments, &request.window, &err) != OK) {
        return cli_usage("%s", err.text);
    }
    struct config *config = cli_config(cli);
    if (!config) {
        return EXIT_USAGE;
    }
    sigset_t set;
    watched_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* for the threads to come too: watch_run() takes them */
    int code = pull_jobs(cli, config, &arguments, &request);
    config_free(config);
    return code;
}
