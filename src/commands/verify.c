/*
 * verify: `loggateway verify`: reads what the ledger says, lists the sources, counts in the sinks,
 * names what differs. Changes nothing of what it looks at. Holds the locks of all jobs that write
 * to the sinks in question, so that the figures stand still. See commands/verify.h.
 */
#include "commands/verify.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "commands/arguments.h"
#include "commands/cli.h"
#include "run/lock.h"

struct verify_arguments {
    const char *job; /* NULL = all */
    const char *from, *to;
    bool json, no_wait, no_source, publish;
};

struct verify_command {
    struct verify verify;
    const struct log *log;
    const struct verify_arguments *arguments;
    struct window window;
};

/* --- locks --- */

static enum status lock_job(const struct verify_command *self, const char *job, struct lock **lock,
                            struct err *err)
{
    const char *state = self->verify.config->state;
    bool wait = !self->arguments->no_wait;
    enum status status = lock_take(lock, state, job, false, err);
    if (status == AGAIN && wait) {
        log_line(self->log, LOG_INFO, "waiting for another run of the job", "job", job, "lock",
                 err->text, NULL);
        status = lock_take(lock, state, job, true, err);
    }
    if (status == AGAIN) {
        err->status = status = FAILED;
    }
    return status == OK ? OK : err_prefix(err, "job %s", job);
}

/* In the order of the file, so that two of us cannot wait for each other. locks: [n_jobs] */
static enum status lock_jobs(const struct verify_command *self, struct lock **locks,
                             struct err *err)
{
    const struct verify *verify = &self->verify;
    for (size_t i = 0; i < verify->n_jobs; i++) {
        if (lock_job(self, verify->jobs[i].config->name, &locks[i], err) != OK) {
            return err->status;
        }
    }
    return OK;
}

static void unlock_jobs(const struct verify *verify, struct lock **locks)
{
    for (size_t i = 0; i < verify->n_jobs; i++) {
        lock_release(locks[i]);
    }
}

/* --- the whole --- */

static enum status look(struct verify_command *self, struct err *err)
{
    struct verify *verify = &self->verify;
    verify_set_windows(verify, self->log, self->arguments->from != NULL, self->window);
    if (verify_claims(verify, err) != OK) {
        return err->status;
    }
    if (!self->arguments->no_source) {
        verify_list(verify, self->log);
    }
    verify_count(verify, self->log);
    return verify_name(verify, err);
}

static enum status look_locked(struct verify_command *self, struct err *err)
{
    const struct verify *verify = &self->verify;
    CLEANUP_FREE struct lock **locks = memory_new(verify->n_jobs * sizeof *locks);
    enum status status = lock_jobs(self, locks, err);
    if (status == OK) {
        status = look(self, err);
    }
    unlock_jobs(verify, locks);
    return status;
}

static enum status tell(const struct verify *verify, bool json, struct err *err)
{
    if (json) {
        return verify_print_json(verify, err);
    }
    verify_print(verify);
    return OK;
}

static enum status verify_all(struct verify_command *self, struct err *err)
{
    struct verify *verify = &self->verify;
    enum status status = verify_choose(verify, self->arguments->job, NULL, err);
    if (status == OK) {
        status = ledger_open_existing(&verify->ledger, verify->config->state, err);
        if (status == OK) {
            status = look_locked(self, err);
        } else if (status == AGAIN) {
            status = OK; /* nothing has run yet */
        }
    }
    if (status == OK) {
        status = tell(verify, self->arguments->json, err);
    }
    bool publish = status == OK && self->arguments->publish && verify->ledger;
    return publish ? verify_publish(verify, self->log, err) : status;
}

/* --- the command line --- */

static enum status read_window(struct verify_command *self, struct err *err)
{
    const struct verify_arguments *arguments = self->arguments;
    int64_t now = self->verify.now_ns;
    self->window = (struct window){INT64_MIN, INT64_MAX};
    if (timestamp_read_option("--from-date", arguments->from, now, &self->window.from_ns, err) !=
            OK ||
        timestamp_read_option("--to-date", arguments->to, now, &self->window.to_ns, err) != OK) {
        return err->status;
    }
    if (self->window.from_ns >= self->window.to_ns) {
        return err_set(err, BAD_CONFIG, "--from-date is not before --to-date");
    }
    verify_set_days(&self->verify, self->window);
    return OK;
}

static int verify_command(struct cli *cli, const struct config *config,
                          const struct verify_arguments *arguments)
{
    struct err err;
    CLEANUP_FREE struct verify_command *self = memory_new(sizeof *self);
    self->log = &cli->log;
    self->arguments = arguments;
    self->verify.config = config;
    self->verify.now_ns = clock_now_ns();
    enum status status = read_window(self, &err);
    if (status == OK) {
        status = verify_all(self, &err);
    }
    bool equal = status == OK && verify_count_differences(&self->verify) == 0;
    verify_finish(&self->verify);
    if (status != OK) {
        cli_usage("verify: %s", err.text);
        return cli_exit_code(status);
    }
    return equal ? EXIT_DONE : EXIT_KEPT_BACK;
}

int command_verify(struct cli *cli, int argc, char **argv)
{
    struct verify_arguments arguments = {0};
    const struct argument table[] = {
        {"from-date", 0, &arguments.from, NULL},
        {"to-date", 0, &arguments.to, NULL},
        {"json", 0, NULL, &arguments.json},
        {"no-wait", 0, NULL, &arguments.no_wait},
        {"no-source", 0, NULL, &arguments.no_source},
        {"publish", 0, NULL, &arguments.publish},
        {NULL},
    };
    if (!cli_read_job(argc, argv, table, &arguments.job)) {
        return EXIT_USAGE;
    }
    struct config *config = cli_config(cli);
    if (!config) {
        return EXIT_USAGE;
    }
    int code = verify_command(cli, config, &arguments);
    config_free(config);
    return code;
}
