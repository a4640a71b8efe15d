/*
 * run: one run of one job over one window: list, read oldest first with the job's workers, settle.
 * Shared between the thread that runs it (run_job), its workers and the thread that watches it
 * (progress, signals).
 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "base/log.h"
#include "base/timestamp.h"
#include "ledger/compare.h"
#include "run/batch.h"

#include <pthread.h>

struct run_request {
    struct window window;
    bool again;                  /* settled and quarantined objects of the window too */
    bool new_schema;             /* accept that points now look different; implies again */
    bool dry_run;                /* only print what would be read, on stdout */
    bool scheduled;              /* one of many: list what may be new; whole folders once a day */
    struct job_metrics *metrics; /* NULL: nobody asks */
};

/* How long a run that was told to drain may take before it is stopped. */
#define RUN_DRAIN_NS (8 * NS_PER_SECOND)

enum run_phase { RUN_LISTING, RUN_READING, RUN_DONE };

struct run {
    const struct job_config *job;
    const struct log *log;
    struct ledger *ledger;
    struct run_request request;

    int64_t scope, number;
    int64_t start_ns; /* since 1970 */
    int64_t begun_ns; /* the same moment, monotonic */
    struct ledger_work *work;
    uint64_t fingerprint;
    bool held; /* it could not begin: it writes nothing, its own figures neither */

    atomic_bool drain;  /* no new object; what is under way is finished and settled */
    atomic_bool stop;   /* what is under way is let go, unsettled */
    atomic_bool let_go; /* the same, and because somebody outside says so, not for a fault */
    atomic_int holding, phase;
    atomic_uint source_failures; /* in a row */
    _Atomic int64_t rate_ns;     /* when `rate:` lets the next points go, monotonic */
    struct run_totals totals;
    _Atomic uint64_t listed, unmatched, objects_total, objects_taken;
    uint64_t list_requests;
    _Atomic int64_t bytes_total, bytes_read;

    pthread_mutex_t lock; /* of what follows */
    bool failed;
    bool was_let_go; /* before it failed: that is why */
    struct err err;  /* the first that ended the run */

    /* at the end */
    bool left_over; /* no worker failed, but objects were left when it was drained */
    bool cut_off;   /* not complete, for it was told to end, and nothing else is wrong */
};

void run_init(struct run *run, const struct job_config *job, struct ledger *ledger,
              const struct log *log, const struct run_request *request);
void run_finish(struct run *run);

/* Lists, reads, settles. OK: everything in the window is settled. Otherwise run->err and the log
 * say what was kept back: FAILED (retried by the next run) or BAD_CONFIG. Ends with the summary
 * lines in the log. */
enum status run_job(struct run *run, struct err *err);

/* Not a run, but what one would find: run->scope is the place that the job reads. */
enum status run_find_scope(struct run *run, struct err *err);
/* Lists the folders of these windows as a pull would and holds them against the ledger, which stays
 * as it is; then looks for folders nobody reads (run->unmatched). After run_find_scope(). */
enum status run_compare(struct run *run, const struct window *windows, size_t n,
                        struct comparison *to, struct err *err);

/* No new object: the run ends when what is under way is settled. A listing ends at once. */
void run_drain(struct run *run);
/* Ends the run at once. */
void run_let_go(struct run *run);
/* Ends the run early; the first error stays. */
void run_fail(struct run *run, const struct err *err);
/* The same, but what is under way is finished and settled. */
void run_give_up(struct run *run, const struct err *err);

/* --- between run.c, list.c, worker.c and recover.c --- */

/* Lists the window's folders into the ledger (or prints them, dry_run) and looks for folders nobody
 * reads. */
enum status run_list(struct run *run, struct err *err);

/* One worker from its first object to its last. */
void run_worker(struct run *run);

/* How many workers the job's sinks allow: one where one of them writes a file for all objects. */
size_t run_workers(const struct job_config *job);

/* Before the listing: sinks of files for a run clear away what a crash left. */
enum status run_recover(struct run *run, struct err *err);

#endif
