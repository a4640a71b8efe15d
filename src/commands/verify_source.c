/* verify_source: lists the sources of jobs as a pull would, and holds that against the ledger. See
 * commands/verify.h. */
#include "commands/verify.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "ledger/cursors.h"
#include "run/run.h"

static void fail(struct verify_job *job, const struct err *err)
{
    job->listed.listing = VERIFY_LISTED_FAILED;
    memcpy(job->listed.error, err->text, sizeof job->listed.error);
}

static void begin_run(struct run *run, const struct verify *verify, const struct verify_job *job,
                      const struct log *log)
{
    const struct run_request request = {0};
    run_init(run, job->config, verify->ledger, log, &request);
    run->scope = job->scope;
    run->start_ns = verify->now_ns;
}

/* --- which deliveries --- */

static enum status find_scope(const struct verify *verify, struct verify_job *job,
                              const struct log *log, struct err *err)
{
    CLEANUP_FREE struct run *run = memory_new(sizeof *run);
    begin_run(run, verify, job, log);
    enum status status = run_find_scope(run, err);
    job->scope = run->scope;
    run_finish(run);
    return status;
}

static void add_window(struct verify_job *job, int64_t from_ns, int64_t to_ns)
{
    if (from_ns < to_ns) {
        job->windows = memory_grow(job->windows, (job->n_windows + 1) * sizeof *job->windows);
        job->windows[job->n_windows++] = (struct window){from_ns, to_ns};
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static enum status set_windows(const struct verify *verify, struct verify_job *job,
                               const struct log *log, bool from_given, struct window window,
                               struct err *err)
{
    if (find_scope(verify, job, log, err) != OK) {
        return err->status;
    }
    CLEANUP_FREE struct asked *asked = NULL;
    size_t n;
    if (ledger_asked(verify->ledger, job->scope, &asked, &n, err) != OK) {
        return err->status;
    }
    if (n == 0) {
        return err_set(err, FAILED, "no run has listed it to its end yet");
    }
    job->listed_ns = asked[n - 1].listed_ns;
    for (size_t i = 0; i < n && !from_given; i++) {
        add_window(job, asked[i].window.from_ns, earlier(asked[i].window.to_ns, window.to_ns));
    }
    if (from_given) {
        add_window(job, window.from_ns, earlier(window.to_ns, verify->now_ns));
    }
    return OK;
}

void verify_set_windows(struct verify *verify, const struct log *log, bool from_given,
                        struct window window)
{
    for (size_t i = 0; i < verify->n_jobs; i++) {
        struct verify_job *job = &verify->jobs[i];
        struct err err;
        if (job->wanted && set_windows(verify, job, log, from_given, window, &err) != OK) {
            fail(job, &err);
        }
    }
}

/* --- listing --- */

static void list_job(struct verify *verify, struct verify_job *job, const struct log *log)
{
    CLEANUP_FREE struct run *run = memory_new(sizeof *run);
    begin_run(run, verify, job, log);
    struct verify_listener listener;
    verify_listener_init(&listener, verify, job);
    struct err err;
    if (run_compare(run, job->windows, job->n_windows, &listener.comparison, &err) == OK) {
        job->listed.listing = VERIFY_LISTED;
        job->listed.unordered = listener.comparison.unordered;
        job->unmatched = (int64_t)run->unmatched;
    } else {
        fail(job, &err);
    }
    run_finish(run);
}

void verify_list(struct verify *verify, const struct log *log)
{
    for (size_t i = 0; i < verify->n_jobs; i++) {
        struct verify_job *job = &verify->jobs[i];
        if (job->wanted && job->listed.listing != VERIFY_LISTED_FAILED) {
            list_job(verify, job, log);
        }
    }
}
