/*
 * verify: `loggateway verify`: reads what the ledger says, counts in the sinks, names what differs.
 * Changes nothing of what it looks at. Holds the locks of all jobs that write to the sinks in
 * question, so that the figures stand still. See verify.h.
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
    bool json, no_wait;
};

/* --- what the files of verify share --- */

uint64_t verify_left(const struct verify *verify)
{
    uint64_t left = 0;
    for (size_t i = 0; i < verify->n_jobs; i++) {
        left += verify->jobs[i].objects[OBJECT_LISTED] + verify->jobs[i].objects[OBJECT_FAILED];
    }
    return left;
}

static bool any_missing(const struct verify *verify)
{
    for (size_t i = 0; i < verify->n_jobs; i++) {
        const struct verify_job *job = &verify->jobs[i];
        for (size_t sink = 0; job->wanted && sink < LEDGER_SINKS_MAX; sink++) {
            if (job->sinks[sink].missing) {
                return true;
            }
        }
    }
    return false;
}

bool verify_is_equal(const struct verify *verify)
{
    for (size_t i = 0; i < verify->n_sinks; i++) {
        if (verify->sinks[i].counting == VERIFY_COUNTED_NOT) {
            return false;
        }
    }
    return verify->ledger && verify->objects.n == 0 && verify->days.n == 0 && !any_missing(verify);
}

struct verify_difference *verify_add(struct verify_differences *differences)
{
    if (differences->n == VERIFY_DIFFERENCES_MAX) {
        differences->beyond++;
        return NULL;
    }
    return &differences->at[differences->n++];
}

struct verify_sink *verify_sink_named(struct verify *verify, const char *name)
{
    for (size_t i = 0; i < verify->n_sinks; i++) {
        if (strcmp(verify->sinks[i].place->name, name) == 0) {
            return &verify->sinks[i];
        }
    }
    return NULL;
}

struct verify_job *verify_job_named(struct verify *verify, const char *name)
{
    for (size_t i = 0; i < verify->n_jobs; i++) {
        if (strcmp(verify->jobs[i].config->name, name) == 0) {
            return &verify->jobs[i];
        }
    }
    return NULL;
}

const char *verify_day_text(int32_t day, char text[VERIFY_DAY_BYTES])
{
    char whole[TIMESTAMP_TEXT_BYTES];
    timestamp_format(day * NS_PER_DAY, whole);
    memcpy(text, whole, VERIFY_DAY_BYTES - 1);
    text[VERIFY_DAY_BYTES - 1] = '\0';
    return text;
}

static struct verify_series *find_series(struct verify_sink *sink, const char *measurement)
{
    for (size_t i = 0; i < sink->n_series; i++) {
        size_t at = (sink->last_series + i) % sink->n_series;
        if (strcmp(sink->series[at].measurement, measurement) == 0) {
            sink->last_series = at;
            return &sink->series[at];
        }
    }
    return NULL;
}

struct verify_series *verify_series_named(struct verify *verify, struct verify_sink *sink,
                                          const char *measurement)
{
    struct verify_series *known = find_series(sink, measurement);
    if (known) {
        return known;
    }
    sink->series = memory_grow(sink->series, (sink->n_series + 1) * sizeof *sink->series);
    struct verify_series *series = &sink->series[sink->n_series++];
    *series = (struct verify_series){
        .measurement = arena_text(&verify->texts, slice_of(measurement)),
        .days = memory_new(VERIFY_DAYS * sizeof *series->days),
    };
    return series;
}

/* --- what is in question --- */

static const char *message_field(const struct parser *parser)
{
    for (size_t i = 0; i < parser->n_columns; i++) {
        if (parser->columns[i].kind == MESSAGE) {
            return parser->columns[i].name; /* every point has it */
        }
    }
    return NULL;
}

static void add_parser(struct verify *verify, struct verify_sink *sink, const struct parser *parser)
{
    struct verify_series *series = verify_series_named(verify, sink, parser->measurement);
    const char *field = message_field(parser);
    if (!series->configured) {
        series->field = field;
    } else if (series->field && (!field || strcmp(field, series->field) != 0)) {
        series->field = NULL;
    }
    series->configured = true;
}

static bool writes_to(const struct job_config *job, const struct place_config *place)
{
    for (size_t i = 0; i < job->n_to; i++) {
        if (job->to[i] == place) {
            return true;
        }
    }
    return false;
}

static void add_sink(struct verify *verify, const struct place_config *place)
{
    if (verify_sink_named(verify, place->name)) {
        return;
    }
    verify->sinks = memory_grow(verify->sinks, (verify->n_sinks + 1) * sizeof *verify->sinks);
    struct verify_sink *sink = &verify->sinks[verify->n_sinks++];
    *sink = (struct verify_sink){.place = place, .kept_from_ns = INT64_MIN};
    const struct config *config = verify->config;
    for (size_t i = 0; i < config->n_jobs; i++) {
        const struct job_config *job = &config->jobs[i];
        for (size_t parser = 0; writes_to(job, place) && parser < job->n_parse; parser++) {
            add_parser(verify, sink, job->parse[parser]);
        }
    }
}

static bool shares_sink(struct verify *verify, const struct job_config *job)
{
    for (size_t i = 0; i < job->n_to; i++) {
        if (verify_sink_named(verify, job->to[i]->name)) {
            return true;
        }
    }
    return false;
}

static bool is_wanted(const struct job_config *job, const char *name)
{
    return !name || strcmp(job->name, name) == 0;
}

static enum status choose(struct verify *verify, const char *name, struct err *err)
{
    const struct config *config = verify->config;
    for (size_t i = 0; i < config->n_jobs; i++) {
        const struct job_config *job = &config->jobs[i];
        for (size_t sink = 0; is_wanted(job, name) && sink < job->n_to; sink++) {
            add_sink(verify, job->to[sink]);
        }
    }
    verify->jobs = memory_new(config->n_jobs * sizeof *verify->jobs);
    for (size_t i = 0; i < config->n_jobs; i++) {
        const struct job_config *job = &config->jobs[i];
        if (shares_sink(verify, job)) {
            verify->jobs[verify->n_jobs++] =
                (struct verify_job){.config = job, .wanted = is_wanted(job, name), .unmatched = -1};
        }
    }
    return verify->n_jobs ? OK
                          : err_set(err, BAD_CONFIG, "no job named '%s' in %s", name, config->path);
}

static void verify_finish(struct verify *verify)
{
    for (size_t i = 0; i < verify->n_sinks; i++) {
        for (size_t series = 0; series < verify->sinks[i].n_series; series++) {
            free(verify->sinks[i].series[series].days);
        }
        free(verify->sinks[i].series);
    }
    free(verify->sinks);
    free(verify->jobs);
    arena_finish(&verify->texts);
    ledger_close(verify->ledger);
}

/* --- locks --- */

static enum status lock_job(const struct verify *verify, const char *job, bool wait,
                            struct lock **lock, struct err *err)
{
    const char *state = verify->config->state;
    enum status status = lock_take(lock, state, job, false, err);
    if (status == AGAIN && wait) {
        log_line(verify->log, LOG_INFO, "waiting for another run of the job", "job", job, "lock",
                 err->text, NULL);
        status = lock_take(lock, state, job, true, err);
    }
    if (status == AGAIN) {
        err->status = status = FAILED;
    }
    return status == OK ? OK : err_prefix(err, "job %s", job);
}

/* In the order of the file, so that two of us cannot wait for each other. locks: [n_jobs] */
static enum status lock_jobs(const struct verify *verify, bool wait, struct lock **locks,
                             struct err *err)
{
    for (size_t i = 0; i < verify->n_jobs; i++) {
        if (lock_job(verify, verify->jobs[i].config->name, wait, &locks[i], err) != OK) {
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

/* A ledger from before sinks had names gets them as a run would give them. */
static enum status name_sinks(struct verify *verify, struct err *err)
{
    for (size_t i = 0; i < verify->n_jobs; i++) {
        const struct job_config *job = verify->jobs[i].config;
        const char *names[LEDGER_SINKS_MAX];
        uint64_t numbers[LEDGER_SINKS_MAX];
        size_t n = 0;
        for (; n < job->n_to && n < LEDGER_SINKS_MAX; n++) {
            names[n] = job->to[n]->name;
        }
        if (ledger_sinks(verify->ledger, job->name, names, n, numbers, err) != OK) {
            return err->status;
        }
    }
    return OK;
}

static enum status look(struct verify *verify, struct err *err)
{
    enum status status = name_sinks(verify, err);
    if (status == OK) {
        status = verify_claims(verify, err);
    }
    if (status == OK) {
        verify_count(verify);
        status = verify_name(verify, err);
    }
    return status;
}

static enum status look_locked(struct verify *verify, bool wait, struct err *err)
{
    CLEANUP_FREE struct lock **locks = memory_new(verify->n_jobs * sizeof *locks);
    enum status status = lock_jobs(verify, wait, locks, err);
    if (status == OK) {
        status = look(verify, err);
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

static enum status verify_all(struct verify *verify, const struct verify_arguments *arguments,
                              struct err *err)
{
    enum status status = choose(verify, arguments->job, err);
    if (status == OK) {
        status = ledger_open_existing(&verify->ledger, verify->config->state, err);
        if (status == OK) {
            status = look_locked(verify, !arguments->no_wait, err);
        } else if (status == AGAIN) {
            status = OK; /* nothing has run yet */
        }
    }
    return status == OK ? tell(verify, arguments->json, err) : status;
}

/* --- the command line --- */

/* Every day that the period touches. */
static enum status read_days(const struct verify_arguments *arguments, struct verify *verify,
                             struct err *err)
{
    int64_t from_ns = INT64_MIN, to_ns = INT64_MAX;
    if (timestamp_read_option("--from-date", arguments->from, verify->now_ns, &from_ns, err) !=
            OK ||
        timestamp_read_option("--to-date", arguments->to, verify->now_ns, &to_ns, err) != OK) {
        return err->status;
    }
    if (from_ns >= to_ns) {
        return err_set(err, BAD_CONFIG, "--from-date is not before --to-date");
    }
    int32_t first = timestamp_day(from_ns), last = timestamp_day(to_ns - 1);
    verify->from_day = first < VERIFY_DAY_FIRST ? VERIFY_DAY_FIRST : first;
    verify->to_day = (last > VERIFY_DAY_LAST ? VERIFY_DAY_LAST : last) + 1;
    return OK;
}

static int verify_command(struct cli *cli, const struct config *config,
                          const struct verify_arguments *arguments)
{
    struct err err;
    CLEANUP_FREE struct verify *verify = memory_new(sizeof *verify);
    verify->config = config;
    verify->log = &cli->log;
    verify->now_ns = clock_now_ns();
    enum status status = read_days(arguments, verify, &err);
    if (status == OK) {
        status = verify_all(verify, arguments, &err);
    }
    bool equal = status == OK && verify_is_equal(verify);
    verify_finish(verify);
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
