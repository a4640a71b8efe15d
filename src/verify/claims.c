/* claims: what the ledger says, held against itself. See verify.h. */
#include "verify/verify.h"

#include "base/cleanup.h"
#include "base/memory.h"

#include <inttypes.h>

/* One walk over the claims. */
struct checker {
    struct claims claims;
    struct verify *verify;
    uint64_t points[LEDGER_SINKS_MAX]; /* of the current claim's days, by its sinks */
};

static struct checker *of_claims(struct claims *claims)
{
    return (struct checker *)claims; /* the first member */
}

static uint64_t sum_of(const struct sink_counts *counts)
{
    return counts->stored + counts->duplicate + counts->expired + counts->dead;
}

/* The days that are cut off at both ends of time exist too. */
static bool exists(int32_t day)
{
    return day >= VERIFY_DAY_FIRST - 1 && day <= VERIFY_DAY_LAST + 1;
}

/* NULL: of no sink in question, or not compared. */
static struct verify_day *find_day(struct verify *verify, const struct claim *claim,
                                   const struct claim_day *day)
{
    struct verify_sink *sink = verify_sink_named(verify, claim->sinks[day->sink].name);
    if (!sink || !*day->measurement || day->day < VERIFY_DAY_FIRST || day->day > VERIFY_DAY_LAST) {
        return NULL;
    }
    struct verify_series *series = verify_series_named(verify, sink, day->measurement);
    return &series->days[day->day - VERIFY_DAY_FIRST];
}

/* --- differences --- */

#define differ(verify, claim, sink, ...) \
    verify_add_object(verify, &(verify)->objects, (claim)->job, sink, (claim)->key, __VA_ARGS__)

static void check_sink(struct checker *checker, const struct claim *claim, size_t i)
{
    const struct claim_sink *sink = &claim->sinks[i];
    const struct sink_counts *counts = &sink->counts;
    if (sum_of(counts) != claim->read) {
        differ(checker->verify, claim, sink->name,
               "read %" PRIu64 ", but stored %" PRIu64 " + duplicate %" PRIu64 " + expired %" PRIu64
               " + dead %" PRIu64 " = %" PRIu64,
               claim->read, counts->stored, counts->duplicate, counts->expired, counts->dead,
               sum_of(counts));
    }
    if (checker->points[i] != counts->stored) {
        differ(checker->verify, claim, sink->name,
               "stored %" PRIu64 ", but %" PRIu64 " on its days together", counts->stored,
               checker->points[i]);
    }
}

static void check_claim(struct checker *checker, const struct claim *claim)
{
    struct verify *verify = checker->verify;
    bool is_done = claim->state == OBJECT_SETTLED || claim->state == OBJECT_QUARANTINED;
    if (claim->state < OBJECT_LISTED || claim->state > OBJECT_QUARANTINED) {
        differ(verify, claim, NULL, "its state is %" PRId64 ", which does not exist", claim->state);
    }
    if (claim->damaged) {
        differ(verify, claim, NULL, "its counts cannot be read");
        return;
    }
    if (is_done && !claim->has_counts) {
        differ(verify, claim, NULL, "%s, but without counts",
               object_state_name((enum object_state)claim->state));
    }
    for (size_t i = 0; i < claim->n_sinks; i++) {
        check_sink(checker, claim, i);
    }
}

/* --- sums --- */

static const struct claim_sink *claim_of(const struct claim *claim, const char *sink)
{
    for (size_t i = 0; i < claim->n_sinks; i++) {
        if (strcmp(claim->sinks[i].name, sink) == 0) {
            return &claim->sinks[i];
        }
    }
    return NULL;
}

static void add_sink(struct verify_job_sink *to, const struct claim *claim,
                     const struct claim_sink *sink)
{
    to->read += claim->read;
    sink_counts_add(&to->counts, &sink->counts);
}

static void add_claim(struct verify_job *job, const struct claim *claim)
{
    if (claim->gone) {
        job->gone += claim->objects;
    } else if (claim->state >= OBJECT_LISTED && claim->state <= OBJECT_QUARANTINED) {
        job->objects[claim->state]++;
    }
    job->read += claim->objects ? claim->read : 0;
    for (size_t i = 0; i < job->config->n_to && i < LEDGER_SINKS_MAX; i++) {
        const struct claim_sink *sink = claim_of(claim, job->config->to[i]->name);
        if (sink) {
            add_sink(&job->sinks[i], claim, sink);
        } else if (!claim->gone && claim->has_counts && !claim->damaged) {
            job->sinks[i].missing++;
        }
    }
}

/* --- what waits --- */

static bool is_in_question(const struct verify_job *job, const struct claim *claim)
{
    if (claim->gone || claim->scope != job->scope) {
        return false;
    }
    for (size_t i = 0; i < job->n_windows; i++) {
        const struct window *window = &job->windows[i];
        if (claim->last_modified_ns >= window->from_ns && claim->last_modified_ns < window->to_ns) {
            return true;
        }
    }
    return false;
}

/* Nobody runs the job meanwhile, so nobody is about to read it. */
static void check_waiting(struct verify *verify, struct verify_job *job, const struct claim *claim)
{
    if (claim->state == OBJECT_LISTED && is_in_question(job, claim)) {
        job->waiting++;
        verify_add_object(verify, &verify->waiting, claim->job, NULL, claim->key,
                          "listed, and not read");
    }
}

static void begin_claim(struct claims *claims, const struct claim *claim)
{
    struct checker *checker = of_claims(claims);
    (void)claim;
    memset(checker->points, 0, sizeof checker->points);
}

static void add_day(struct claims *claims, const struct claim *claim, const struct claim_day *day)
{
    struct checker *checker = of_claims(claims);
    struct verify_day *to = find_day(checker->verify, claim, day);
    if (to) {
        to->stored += day->points;
    }
    if (exists(day->day) && *day->measurement) {
        checker->points[day->sink] += day->points;
    }
}

static void end_claim(struct claims *claims, const struct claim *claim)
{
    struct checker *checker = of_claims(claims);
    struct verify_job *job = verify_job_named(checker->verify, claim->job);
    if (job) {
        add_claim(job, claim);
    }
    if (job && job->wanted) {
        check_claim(checker, claim);
        check_waiting(checker->verify, job, claim);
    }
}

static enum status read_unmatched(struct verify *verify, struct err *err)
{
    CLEANUP_FREE struct job_status *status = memory_new(sizeof *status);
    for (size_t i = 0; i < verify->n_jobs; i++) {
        struct verify_job *job = &verify->jobs[i];
        if (ledger_job_runs(verify->ledger, job->config->name, status, err) != OK) {
            return err->status;
        }
        job->unmatched = status->unmatched;
    }
    return OK;
}

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

enum status verify_claims(struct verify *verify, struct err *err)
{
    struct checker checker = {.claims = {begin_claim, add_day, end_claim}, .verify = verify};
    enum status status = name_sinks(verify, err);
    if (status == OK) {
        status = ledger_claims(verify->ledger, &checker.claims, err);
    }
    return status == OK ? read_unmatched(verify, err) : status;
}

/* --- the objects of days that differ --- */

static void ignore_claim(struct claims *claims, const struct claim *claim)
{
    (void)claims;
    (void)claim;
}

static void name_object(struct verify *verify, struct verify_difference *difference,
                        const struct claim *claim)
{
    if (claim->gone) {
        difference->gone = true;
    } else if (difference->n_keys < VERIFY_KEYS_MAX) {
        difference->keys[difference->n_keys++] = arena_text(&verify->texts, claim->key);
    } else {
        difference->more_keys++;
    }
}

static void name_day(struct claims *claims, const struct claim *claim, const struct claim_day *day)
{
    struct verify *verify = of_claims(claims)->verify;
    const struct verify_day *of = find_day(verify, claim, day);
    if (of && of->difference) {
        name_object(verify, &verify->days.at[of->difference - 1], claim);
    }
}

enum status verify_name(struct verify *verify, struct err *err)
{
    if (verify->days.n == 0) {
        return OK;
    }
    struct checker checker = {.claims = {ignore_claim, name_day, ignore_claim}, .verify = verify};
    return ledger_claims(verify->ledger, &checker.claims, err);
}
