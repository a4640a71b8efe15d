/*
 * ledger: what has been done, in SQLite (WAL, synchronous=NORMAL: a lost tail is only done again).
 * One ledger serves all jobs; every function is safe to call from every thread (one lock inside).
 * Only run/, verify/, report/ and commands/ use it.
 *
 * Objects belong to a scope: (job, endpoint, bucket, folder template). An object is `listed`
 * (known, not done), `settled` (every sink has acknowledged every point), `failed` (to be tried
 * again by the next run over its date) or `quarantined` (damaged: what could be read is stored;
 * tried again only by --again).
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include "api/datasource.h"
#include "base/arena.h"
#include "base/buf.h"

struct ledger;

/* Creates (mode 0600) or upgrades. FAILED: on a network file system, not a ledger, from a newer
 * version, locked. */
enum status ledger_open(struct ledger **out, const char *path, struct err *err);
/* The same for reading commands; does not create: AGAIN when there is none yet. */
enum status ledger_open_existing(struct ledger **out, const char *path, struct err *err);
void ledger_close(struct ledger *ledger); /* NULL is fine */

enum status ledger_scope(struct ledger *ledger, const char *job, const struct place *place,
                         int64_t *scope, struct err *err);

/* --- schema fingerprints, per job and sink --- */

enum fingerprint_state { FINGERPRINT_SAME, FINGERPRINT_NEW, FINGERPRINT_CHANGED };
enum status ledger_fingerprint(struct ledger *ledger, const char *job, const char *sink,
                               uint64_t fingerprint, enum fingerprint_state *state,
                               struct err *err);
enum status ledger_set_fingerprint(struct ledger *ledger, const char *job, const char *sink,
                                   uint64_t fingerprint, struct err *err);

/* --- listing: a merge join of one prefix's keys with the ledger's --- */

struct ledger_join; /* holds at most one page of keys */

struct join_counts {
    uint64_t listed;   /* keys seen */
    uint64_t fresh;    /* entered as `listed`: new or changed */
    uint64_t reopened; /* --again: settled or quarantined ones in the window, entered as `listed` */
    uint64_t pruned;   /* gone for long enough: removed, counts folded into the totals */
};

/* again: objects of the window that are settled or quarantined are done anew. start_ns: of the run.
 */
enum status ledger_join_begin(struct ledger_join **out, struct ledger *ledger, int64_t scope,
                              struct slice prefix, struct window window, bool again,
                              int64_t start_ns, struct err *err);
/* Keys in byte order. Commits every 1,000. */
enum status ledger_join_put(struct ledger_join *join, const struct object *object, struct err *err);
/* The same for one that is there and not to be read: what the ledger knows of it stays as it is. */
enum status ledger_join_pass(struct ledger_join *join, const struct object *object,
                             struct err *err);
/* The listing goes on behind this key, which is not before the last one: nothing is said about the
 * keys between. */
void ledger_join_skip(struct ledger_join *join, struct slice after);
/* whole: the listing went from its first key to its end without a skip. Known keys that such a
 * listing does not have are gone: what was never read is removed at once, what was read once 30
 * days later, and until then it is as it was when it is listed again. Fills counts, frees join. */
enum status ledger_join_end(struct ledger_join *join, bool whole, struct join_counts *counts,
                            struct err *err);

/* Whether a listed object would be read: it is unknown, changed, or not settled or quarantined yet.
 * For dry runs. */
enum status ledger_wants(struct ledger *ledger, int64_t scope, const struct object *object,
                         bool *wanted, struct err *err);

/* --- work: objects that are listed, oldest last-modified first, then by key; then those that have
 * failed before, the least often tried first --- */

struct ledger_work; /* one per run, shared by the workers */

struct work_totals {
    uint64_t objects;
    int64_t bytes;
};

enum status ledger_work_begin(struct ledger_work **out, struct ledger *ledger, int64_t scope,
                              struct window window, struct work_totals *totals, struct err *err);
/* The next object, its key copied into keys. AGAIN: none left. Each object is given once per run.
 */
enum status ledger_work_next(struct ledger_work *work, struct arena *keys, struct object *out,
                             struct err *err);
void ledger_work_end(struct ledger_work *work);

/* Objects of the window that are listed, and neither done nor failed. */
enum status ledger_waiting(struct ledger *ledger, int64_t scope, struct window window,
                           uint64_t *objects, struct err *err);

/* --- objects that are not to be read any more --- */

/* Of those that are listed or have failed and whose keys begin so: the ones that were never read
 * are forgotten; of the others what was read stands, they are settled. */
enum status ledger_give_up(struct ledger *ledger, int64_t scope, struct slice prefix,
                           uint64_t *objects, struct err *err);
/* The same in the places that the scope's job has read before. Should it come back to one of them,
 * that is listed from the beginning. */
enum status ledger_give_up_others(struct ledger *ledger, int64_t scope, uint64_t *objects,
                                  struct err *err);

/* --- outcomes --- */

enum object_state { OBJECT_LISTED, OBJECT_SETTLED, OBJECT_FAILED, OBJECT_QUARANTINED };
const char *object_state_name(enum object_state state);

/* Of records; their sum is how many were read. */
struct sink_counts {
    uint64_t stored, duplicate, expired, dead;
};

static inline void sink_counts_add(struct sink_counts *sum, const struct sink_counts *part)
{
    sum->stored += part->stored;
    sum->duplicate += part->duplicate;
    sum->expired += part->expired;
    sum->dead += part->dead;
}

struct day_count {
    size_t sink; /* index in the job's `to:` */
    const char *measurement;
    int32_t day;     /* days since 1970-01-01 of the points' time */
    uint64_t points; /* stored */
};

enum { LEDGER_SINKS_MAX = 8 };

/* The numbers under which the ledger counts the job's sinks. A name that is new gets the next one;
 * a name keeps its number for ever, wherever it stands in `to:` and when it leaves. */
enum status ledger_sinks(struct ledger *ledger, const char *job, const char *const *names, size_t n,
                         uint64_t *numbers, struct err *err);

struct outcome {
    struct slice key;
    unsigned char
        etag[16]; /* of the content that was read: the object counts as done under this etag only */
    enum object_state state;
    const char *error; /* NULL: none; kept up to 512 bytes */
    uint64_t read;     /* records */
    size_t n_sinks;
    struct sink_counts sinks[LEDGER_SINKS_MAX]; /* in the order of the job's `to:` */
    uint64_t sink_numbers[LEDGER_SINKS_MAX];    /* of the same, from ledger_sinks() */
    const struct day_count
        *days; /* points stored, by sink, measurement and event day; any order, none twice */
    size_t n_days;
    int64_t attempt; /* the run's number: dead letters of other attempts at this key are removed;
                        after a failed one, those of this attempt: the object still has those of
                        the attempt that read it to its end */
    uint64_t dead_beyond; /* dead letters that were counted and not kept */
};

/* Many outcomes, one transaction. An object that is done counts here only, also when the job has
 * read the same, by key and etag, in a place before: often that had another name then. */
enum status ledger_settle(struct ledger *ledger, int64_t scope, const struct outcome *outcomes,
                          size_t n, struct err *err);

struct dead_letter {
    struct slice key;
    int64_t attempt;
    uint64_t line;
    const char *sink; /* NULL: refused by the parser, so missing in every sink */
    const char *reason;
    uint64_t len, hash; /* of the record before masking */
    struct slice bytes; /* masked, at most 64 KiB; empty when the sink refused it */
    int64_t buried_ns;  /* now */
};
enum status ledger_bury(struct ledger *ledger, int64_t scope, const struct dead_letter *letters,
                        size_t n, struct err *err);

/* --- runs --- */

/* When the job's first run began; AGAIN: there was none yet. */
enum status ledger_first_start(struct ledger *ledger, const char *job, int64_t *start_ns,
                               struct err *err);

/* Begins a run and gives its number, which is larger than every earlier one. */
enum status ledger_run_begin(struct ledger *ledger, const char *job, int64_t now_ns, int64_t *run,
                             struct err *err);
/* ok: the window is done. The job's good window, a span without gaps, grows by it when they touch;
 * a window that does not touch it changes nothing. Of a window only the time before the run's start
 * counts. */
enum status ledger_run_end(struct ledger *ledger, int64_t run, int64_t now_ns, bool ok,
                           struct window window, struct err *err);

enum {
    LEDGER_KINDS_MAX = 32,    /* parsers of a job */
    LEDGER_KIND_BYTES = 128,  /* of a kind's name, and the NUL; longer ones are cut */
    LEDGER_ARRIVALS_MAX = 25, /* kept per kind */
};

struct kind_news {
    const char *name;  /* of the kind: its parser's */
    int64_t newest_ns; /* the newest of its points of this run */
};

/* What a run has learnt, however it went. */
struct run_notes {
    const char *error;     /* why it is not complete; NULL: it is */
    int64_t unmatched;     /* folders and objects that nobody reads; -1: not looked for */
    int64_t list_requests; /* -1: not counted */
    const struct kind_news *kinds;
    size_t n_kinds;
};
/* Before ledger_run_end(). */
enum status ledger_run_note(struct ledger *ledger, int64_t run, const struct run_notes *notes,
                            struct err *err);

/* --- status --- */

enum { LEDGER_REASONS_MAX = 10 };

/* Dead letters whose reasons are the same but for their numbers. */
struct letter_reason {
    char text[512 + 1]; /* every number as '#' */
    uint64_t letters;
};

struct kind_status {
    char name[LEDGER_KIND_BYTES];
    int64_t newest_ns;
    int64_t arrivals[LEDGER_ARRIVALS_MAX]; /* starts of the latest runs that brought newer records
                                              than all before, oldest first */
    size_t n_arrivals;
};

struct job_status {
    int64_t last_start_ns, last_end_ns; /* INT64_MIN: never */
    bool last_ok;
    bool any_ended, ended_ok;         /* of the last run that ended, as the two below */
    char ended_error[512];            /* "" = none */
    int64_t list_requests;            /* -1: not counted */
    int64_t unmatched;                /* by the last run that looked; -1: none did */
    int64_t good_from_ns, good_to_ns; /* the good window; INT64_MIN: none */
    uint64_t objects[4];              /* by object_state, pruned ones included as settled */
    uint64_t read, dead_letters;
    int64_t oldest_letter_ns;               /* INT64_MIN: there is none, or nobody knows */
    uint64_t dead_beyond;                   /* dead letters that were only counted */
    size_t n_sinks;                         /* those that were asked for, in their order */
    int64_t sink_numbers[LEDGER_SINKS_MAX]; /* as in ledger_sinks(); -1: never counted */
    struct sink_counts sinks[LEDGER_SINKS_MAX];
    char oldest_error[512]; /* error of the oldest failed or quarantined object, with its key; "" =
                               none */
    struct letter_reason reasons[LEDGER_REASONS_MAX]; /* the most frequent first */
    size_t n_reasons;
    struct kind_status kinds[LEDGER_KINDS_MAX]; /* by name; those that ever had a record */
    size_t n_kinds;
};
/* What is known of a job that the ledger knows nothing of. */
void job_status_clear(struct job_status *out);
/* All from one state of the ledger. sinks: names of the sinks whose counts are wanted. */
enum status ledger_job_status(struct ledger *ledger, const char *job, const char *const *sinks,
                              size_t n_sinks, struct job_status *out, struct err *err);
/* Only what it knows of runs and the good window, at a cost that objects do not add to. */
enum status ledger_job_runs(struct ledger *ledger, const char *job, struct job_status *out,
                            struct err *err);

#endif
