/*
 * pull: `loggateway pull`: one run per job over a period. The run has threads of its own; this one
 * draws the progress and waits for SIGINT and SIGTERM, which end the run after what is under way
 * was let go unsettled.
 */
#include "base/clock.h"
#include "base/timestamp.h"
#include "commands/arguments.h"
#include "commands/cli.h"
#include "run/lock.h"
#include "run/progress.h"
#include "run/run.h"

#include <signal.h>
#include <string.h>
#include <time.h>

struct pull_arguments {
    const char *job, *from, *to;
    bool again, new_schema, dry_run, no_wait;
};

static enum status read_window(const struct pull_arguments *arguments, struct window *window,
                               struct err *err)
{
    int64_t now = clock_now_ns();
    window->to_ns = now;
    if (!arguments->from) {
        return err_set(err, BAD_CONFIG, "--from-date is required (2022-05-30, -720h)");
    }
    if (timestamp_read_option("--from-date", arguments->from, now, &window->from_ns, err) != OK ||
        timestamp_read_option("--to-date", arguments->to, now, &window->to_ns, err) != OK) {
        return err->status;
    }
    if (window->from_ns >= window->to_ns) {
        return err_set(err, BAD_CONFIG, "--from-date %s is not before %s", arguments->from,
                       arguments->to ? arguments->to : "now");
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

/* What this thread does about twice a second while the run goes on. */
struct watch {
    struct run *run;
    const char *state;
    struct progress progress;
    bool interrupted, yielded;
    int64_t told_ns; /* when the run was interrupted, monotonic */
};

static void interrupt(struct watch *watch)
{
    if (!watch->interrupted) {
        watch->interrupted = true;
        watch->told_ns = clock_monotonic_ns();
        run_drain(watch->run);
    }
}

/* A pull makes room only when it has got somewhere, so that one between two runs that come close
 * together gets done nevertheless. */
static bool may_yield(const struct watch *watch)
{
    const struct run *run = watch->run;
    return !watch->yielded && !run->request.dry_run && atomic_load(&run->phase) == RUN_READING &&
           run->objects_taken > 0;
}

static void watch_once(struct watch *watch, int signal)
{
    struct run *run = watch->run;
    if (signal == SIGINT || signal == SIGTERM) {
        interrupt(watch);
    } else if (may_yield(watch) && lock_is_wanted(watch->state, run->job->name)) {
        watch->yielded = true;
        run_drain(run);
    }
    if (watch->interrupted && clock_monotonic_ns() - watch->told_ns > RUN_DRAIN_NS) {
        run_let_go(run);
    }
    if (!run->request.dry_run) {
        struct progress_figures figures = figures_of(run);
        progress_show(&watch->progress, &figures);
    }
}

static enum status watch_run(struct watch *watch, struct err *err)
{
    struct run *run = watch->run;
    struct watched watched = {.run = run, .watcher = pthread_self()};
    sigset_t set;
    watched_signals(&set);
    progress_begin(&watch->progress, run->log, run->job->name);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, watched_main, &watched);
    if (error) {
        return err_set(err, FAILED, "cannot start a thread: %s", strerror(error));
    }
    while (!atomic_load(&watched.ended)) {
        const struct timespec span = {.tv_nsec = 400 * NS_PER_MS};
        watch_once(watch, sigtimedwait(&set, NULL, &span));
    }
    progress_end(&watch->progress);
    pthread_join(thread, NULL);
    *err = watched.err;
    return watched.status;
}

/* --- the jobs --- */

struct pull {
    struct cli *cli;
    const struct config *config;
    const struct job_config *job;
    struct run_request request;
    bool wait;
    bool interrupted;
};

/* One run under the lock. AGAIN: it made room for a scheduled run before it was done. */
static enum status pull_once(struct pull *pull, struct ledger *ledger, struct err *err)
{
    struct run run;
    run_init(&run, pull->job, ledger, &pull->cli->log, &pull->request);
    struct watch watch = {.run = &run, .state = pull->config->state};
    enum status status = watch_run(&watch, err);
    pull->interrupted = watch.interrupted;
    if (watch.interrupted) {
        status = err_set(err, FAILED, "interrupted");
    } else if (watch.yielded && run.left_over) {
        status = AGAIN;
    }
    run_finish(&run);
    return status;
}

static enum status pull_locked(struct pull *pull, struct err *err)
{
    struct lock *lock;
    enum status status = lock_take(&lock, pull->config->state, pull->job->name, false, err);
    if (status == AGAIN && pull->wait) {
        log_line(&pull->cli->log, LOG_INFO, "waiting for another run of the job", "job",
                 pull->job->name, "lock", err->text, NULL);
        status = lock_take(&lock, pull->config->state, pull->job->name, true, err);
    }
    if (status != OK) {
        err->status = status == AGAIN ? FAILED : status;
        return err->status;
    }
    struct ledger *ledger = NULL;
    status = ledger_open(&ledger, pull->config->state, err);
    if (status == OK) {
        status = pull_once(pull, ledger, err);
    }
    ledger_close(ledger);
    lock_release(lock);
    return status;
}

static enum status pull_job(struct pull *pull, struct err *err)
{
    enum status status;
    while ((status = pull_locked(pull, err)) == AGAIN) {
        log_line(&pull->cli->log, LOG_INFO, "pull pauses for the scheduled run", "job",
                 pull->job->name, NULL);
        pull->wait = true;
        /* What was to be done again is entered in the ledger, and so is the new schema. */
        pull->request.again = pull->request.new_schema = false;
        const struct timespec span = {.tv_sec = 1};
        nanosleep(&span, NULL);
    }
    return status;
}

static int pull_jobs(struct cli *cli, const struct config *config,
                     const struct pull_arguments *arguments, const struct run_request *request)
{
    int code = EXIT_DONE;
    bool found = false, interrupted = false;
    for (size_t i = 0; i < config->n_jobs && !interrupted; i++) {
        const struct job_config *job = &config->jobs[i];
        if (arguments->job && strcmp(arguments->job, job->name) != 0) {
            continue;
        }
        found = true;
        struct err err;
        struct pull pull = {cli, config, job, *request, !arguments->no_wait, false};
        enum status status = pull_job(&pull, &err);
        interrupted = pull.interrupted;
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
    if (!cli_read_job(argc, argv, table, &arguments.job)) {
        return EXIT_USAGE;
    }
    struct run_request request = {
        .again = arguments.again, .new_schema = arguments.new_schema, .dry_run = arguments.dry_run};
    struct err err;
    if (read_window(&arguments, &request.window, &err) != OK) {
        return cli_usage("pull: %s", err.text);
    }
    struct config *config = cli_config(cli);
    if (!config) {
        return EXIT_USAGE;
    }
    sigset_t set;
    watched_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set,
                    NULL); /* for the threads to come too: watch_run() takes them */
    int code = pull_jobs(cli, config, &arguments, &request);
    config_free(config);
    return code;
}
