/*
 * service: `loggateway run`: every job on its schedule, each in a thread of its own. A run reads
 * all that is in the job's reach and not settled, so whatever a late, skipped or failed run left is
 * made good by the next; what comes due while a run is under way is one run more, right after it.
 * SIGTERM or SIGINT: no new object is begun, what is under way is settled, and after 8 s let go.
 */
#include "base/memory.h"
#include "commands/arguments.h"
#include "commands/cli.h"
#include "commands/health.h"
#include "run/lock.h"
#include "run/run.h"
#include "run/world.h"
#include "schedule/schedule.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

/* After a failed run, unless the schedule is sooner. */
static const int64_t retry_first_ns = NS_PER_MINUTE;
static const int64_t retry_last_ns = 15 * NS_PER_MINUTE;
static const int64_t lock_look_ns = 200 * NS_PER_MS;
/* The same error of run after run is shown this often at most. */
static const int64_t error_span_ns = NS_PER_HOUR;
/* A clock that goes back farther was set. */
static const int64_t clock_slack_ns = NS_PER_MINUTE;

struct service {
    struct cli *cli;
    struct config *config;
    struct ledger *ledger;
    struct metrics *metrics; /* NULL = nobody asks */
    atomic_bool stop;
};

struct job_service {
    struct service *service;
    const struct job_config *job;
    struct job_metrics *metrics; /* NULL = nobody asks */
    struct schedule schedule;
    struct host_world host;
    pthread_t thread;
    pthread_mutex_t lock; /* of run */
    struct run *run;      /* under way; NULL = none */
    int64_t started_ns;   /* when the last run had its lock: what was due before is made good */
    int64_t retry_ns;     /* 0 = the last run was good */
    struct repeats errors;
};

/* --- one run --- */

/* The reach of a job is fixed by its first run: what was older then stays out. A first run in the
 * future had a wrong clock. */
static enum status find_window(struct job_service *self, struct window *window, struct err *err)
{
    int64_t first_ns;
    window->to_ns = world_now(&self->host.world);
    enum status status = ledger_first_start(self->service->ledger, self->job->name, &first_ns, err);
    if (status != OK && status != AGAIN) {
        return status;
    }
    if (status == AGAIN || first_ns > window->to_ns) {
        first_ns = window->to_ns;
    }
    window->from_ns = first_ns - self->job->options.start_ns;
    return OK;
}

static void set_run(struct job_service *self, struct run *run)
{
    pthread_mutex_lock(&self->lock);
    self->run = run;
    pthread_mutex_unlock(&self->lock);
}

static enum status run_window(struct job_service *self, struct err *err)
{
    struct run_request request = {.scheduled = true, .metrics = self->metrics};
    enum status status = find_window(self, &request.window, err);
    if (status != OK) {
        return status;
    }
    struct run run;
    run_init(&run, self->job, self->service->ledger, &self->service->cli->log, &request);
    set_run(self, &run);
    if (atomic_load(&self->service->stop)) { /* the signal came before there was a run to tell */
        status = err_set(err, FAILED, "stopping");
    } else {
        status = run_job(&run, err);
        metrics_add_run(self->metrics, status == OK,
                        world_monotonic(&self->host.world) - run.begun_ns);
    }
    set_run(self, NULL);
    run_finish(&run);
    return status;
}

/* Waits for the lock and lets a pull that holds it know. */
static enum status take_lock(struct job_service *self, struct lock **lock, struct err *err)
{
    const char *state = self->service->config->state;
    struct lock *sign = NULL;
    enum status status;
    while ((status = lock_take(lock, state, self->job->name, false, err)) == AGAIN) {
        struct err sign_err;
        if (!sign && lock_want(&sign, state, self->job->name, &sign_err) != OK) {
            sign = NULL; /* another service wants it too */
        }
        status = world_wait(&self->host.world, lock_look_ns, err);
        if (status != OK) {
            break;
        }
    }
    lock_release(sign);
    return status;
}

/* A clock that goes back a little does not make due again what was due. */
static void note_start(struct job_service *self)
{
    int64_t now_ns = world_now(&self->host.world);
    if (now_ns > self->started_ns || now_ns <= self->started_ns - clock_slack_ns) {
        self->started_ns = now_ns;
    }
}

static enum status run_locked(struct job_service *self, struct err *err)
{
    struct lock *lock;
    enum status status = take_lock(self, &lock, err);
    if (status == OK) {
        note_start(self);
        status = run_window(self, err);
        lock_release(lock);
    }
    return status;
}

/* --- when --- */

/* A job whose last good window reaches to its last due time has missed nothing. */
static int64_t first_due(struct job_service *self)
{
    int64_t now_ns = world_now(&self->host.world);
    struct job_status status;
    struct err err;
    if (ledger_job_runs(self->service->ledger, self->job->name, &status, &err) == OK &&
        status.good_to_ns != INT64_MIN && status.good_to_ns <= now_ns) {
        return schedule_next(&self->schedule, status.good_to_ns);
    }
    return now_ns;
}

static int64_t next_due(struct job_service *self)
{
    int64_t due_ns = schedule_next(&self->schedule, self->started_ns);
    if (self->retry_ns) {
        int64_t retry_at_ns = world_now(&self->host.world) + self->retry_ns;
        due_ns = retry_at_ns < due_ns ? retry_at_ns : due_ns;
    }
    return due_ns;
}

/* In short steps against the wall clock: it may be set while we wait. Set back, what is due by it
 * is anybody's guess, and one run too many costs nothing. */
static enum status wait_until(struct job_service *self, int64_t due_ns, struct err *err)
{
    enum status status = world_tick(&self->host.world, err);
    int64_t now_ns = world_now(&self->host.world), before_ns = now_ns;
    while (status == OK && now_ns < due_ns && now_ns > before_ns - clock_slack_ns) {
        int64_t rest_ns = due_ns - now_ns;
        status =
            world_wait(&self->host.world, rest_ns < NS_PER_SECOND ? rest_ns : NS_PER_SECOND, err);
        before_ns = now_ns;
        now_ns = world_now(&self->host.world);
    }
    return status;
}

/* --- the job's thread --- */

static void say_repeats(struct job_service *self)
{
    uint64_t hidden = repeats_hidden(&self->errors);
    if (hidden) {
        log_line(&self->service->cli->log, LOG_ERROR, "run not complete", "job", self->job->name,
                 "error", self->errors.text, "repeated", log_int((int64_t)hidden).text, NULL);
    }
}

static void say_error(struct job_service *self, const char *error)
{
    int64_t now_ns = world_monotonic(&self->host.world);
    if (repeats_hide(&self->errors, error, now_ns)) {
        return;
    }
    say_repeats(self);
    repeats_show(&self->errors, error, now_ns);
    log_line(&self->service->cli->log, LOG_ERROR, "run not complete", "job", self->job->name,
             "error", error, NULL);
}

static void note_result(struct job_service *self, enum status status, const struct err *err)
{
    if (status == OK) {
        self->retry_ns = 0;
        say_repeats(self);
        self->errors.text[0] = '\0';
        return;
    }
    int64_t doubled_ns = self->retry_ns ? self->retry_ns * 2 : retry_first_ns;
    self->retry_ns = doubled_ns < retry_last_ns ? doubled_ns : retry_last_ns;
    say_error(self, err->text);
}

static void *job_main(void *with)
{
    struct job_service *self = with;
    struct err err;
    int64_t due_ns = first_due(self);
    metrics_next_run(self->metrics, due_ns);
    while (due_ns != INT64_MAX && wait_until(self, due_ns, &err) == OK) {
        note_start(self);
        metrics_next_run(self->metrics, schedule_next(&self->schedule, self->started_ns));
        enum status status = run_locked(self, &err);
        if (atomic_load(&self->service->stop)) {
            break;
        }
        note_result(self, status, &err);
        due_ns = next_due(self);
        metrics_next_run(self->metrics, due_ns);
    }
    say_repeats(self);
    if (due_ns == INT64_MAX) {
        log_line(&self->service->cli->log, LOG_WARN, "the schedule has no further run", "job",
                 self->job->name, "schedule", self->job->options.schedule, NULL);
    }
    return NULL;
}

/* --- the service --- */

static void tell_runs(struct job_service *jobs, size_t n, bool drain)
{
    for (size_t i = 0; i < n; i++) {
        pthread_mutex_lock(&jobs[i].lock);
        if (jobs[i].run && drain) {
            run_drain(jobs[i].run);
        } else if (jobs[i].run) {
            run_let_go(jobs[i].run);
        }
        pthread_mutex_unlock(&jobs[i].lock);
    }
}

static bool is_any_running(struct job_service *jobs, size_t n)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        pthread_mutex_lock(&jobs[i].lock);
        any |= jobs[i].run != NULL;
        pthread_mutex_unlock(&jobs[i].lock);
    }
    return any;
}

static void await_signal(struct service *service, const sigset_t *set, struct job_service *jobs,
                         size_t n)
{
    int signal;
    while (sigwait(set, &signal) != 0) {
    }
    log_line(&service->cli->log, LOG_INFO, "stopping", "signal",
             signal == SIGINT ? "SIGINT" : "SIGTERM", NULL);
    atomic_store(&service->stop, true);
    tell_runs(jobs, n, true);
    const struct timespec span = {.tv_nsec = 50 * NS_PER_MS};
    for (int64_t waited_ns = 0; waited_ns < RUN_DRAIN_NS && is_any_running(jobs, n);
         waited_ns += span.tv_nsec) {
        nanosleep(&span, NULL);
    }
    tell_runs(jobs, n, false);
}

/* All schedules are read before the first job starts. */
static enum status init_jobs(struct service *service, struct job_service *jobs, struct err *err)
{
    for (size_t i = 0; i < service->config->n_jobs; i++) {
        struct job_service *self = &jobs[i];
        self->service = service;
        self->job = &service->config->jobs[i];
        self->metrics = metrics_job(service->metrics, i);
        self->errors.span_ns = error_span_ns;
        host_world_init(&self->host, &service->cli->log, self->job->name, &service->stop);
        pthread_mutex_init(&self->lock, NULL);
    }
    for (size_t i = 0; i < service->config->n_jobs; i++) {
        if (schedule_init(&jobs[i].schedule, jobs[i].job, err) != OK) {
            return err_prefix(err, "job %s", jobs[i].job->name);
        }
    }
    return OK;
}

static void finish_jobs(struct job_service *jobs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        schedule_finish(&jobs[i].schedule);
        host_world_finish(&jobs[i].host);
        pthread_mutex_destroy(&jobs[i].lock);
    }
    free(jobs);
}

static enum status start_jobs(struct service *service, struct job_service *jobs, size_t *started,
                              struct err *err)
{
    for (*started = 0; *started < service->config->n_jobs; (*started)++) {
        struct job_service *self = &jobs[*started];
        int error = pthread_create(&self->thread, NULL, job_main, self);
        if (error) {
            return err_set(err, FAILED, "cannot start a thread: %s", strerror(error));
        }
        log_line(&service->cli->log, LOG_INFO, "job scheduled", "job", self->job->name, "schedule",
                 self->job->options.schedule, "timezone", self->job->options.timezone, NULL);
    }
    return OK;
}

static enum status serve(struct service *service, struct err *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* for all threads: this one takes them */
    struct job_service *jobs = memory_new(service->config->n_jobs * sizeof *jobs);
    struct health *health = NULL;
    size_t started = 0;
    enum status status = init_jobs(service, jobs, err);
    if (status == OK && service->metrics) {
        status = health_start(&health, service->metrics, &service->cli->log, err);
    }
    if (status == OK) {
        status = start_jobs(service, jobs, &started, err);
    }
    if (status == OK) {
        await_signal(service, &set, jobs, started);
    }
    atomic_store(&service->stop, true);
    tell_runs(jobs, started, false);
    for (size_t i = 0; i < started; i++) {
        pthread_join(jobs[i].thread, NULL);
    }
    health_stop(health);
    finish_jobs(jobs, service->config->n_jobs);
    return status;
}

int command_run(struct cli *cli, int argc, char **argv)
{
    const struct argument table[] = {{NULL}};
    int first = arguments_read(argc, argv, table, false);
    if (first != argc) {
        return first < 0 ? EXIT_USAGE : cli_usage("run: '%s' is too many", argv[first]);
    }
    struct service service = {.cli = cli, .config = cli_config(cli)};
    if (!service.config) {
        return EXIT_USAGE;
    }
    struct err err;
    enum status status = ledger_open(&service.ledger, service.config->state, &err);
    if (service.config->metrics.is_on) {
        service.metrics = metrics_new(service.config);
    }
    if (status == OK) {
        status = serve(&service, &err);
    }
    if (status != OK) {
        cli_usage("run: %s", err.text);
    }
    metrics_free(service.metrics);
    ledger_close(service.ledger);
    config_free(service.config);
    return cli_exit_code(status);
}
