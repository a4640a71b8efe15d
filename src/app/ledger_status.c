/*
 * ledger_status: the ledger's record of runs, the fingerprints of what was written, and the figures
 * of `status`. Called at the ends of a run and by reading commands.
 */
#include "app/ledger_counts.h"
#include "app/ledger_private.h"

#include <stdio.h>

/* --- fingerprints --- */

static enum status read_fingerprint(struct ledger *ledger, const char *job, const char *sink,
                                    uint64_t fingerprint, enum fingerprint_state *state,
                                    struct err *err)
{
    sqlite3_stmt *find = ledger_statement(ledger, SQL_FINGERPRINT);
    bind_text(find, 1, job);
    bind_text(find, 2, sink);
    bool row;
    enum status status = ledger_step(ledger, find, &row, "reading a fingerprint", err);
    *state = FINGERPRINT_NEW;
    if (row) {
        bool same = (uint64_t)sqlite3_column_int64(find, 0) == fingerprint;
        *state = same ? FINGERPRINT_SAME : FINGERPRINT_CHANGED;
        sqlite3_reset(find);
    }
    return status;
}

enum status ledger_fingerprint(struct ledger *ledger, const char *job, const char *sink,
                               uint64_t fingerprint, enum fingerprint_state *state, struct err *err)
{
    ledger_lock(ledger);
    enum status status = read_fingerprint(ledger, job, sink, fingerprint, state, err);
    ledger_unlock(ledger);
    return status;
}

enum status ledger_set_fingerprint(struct ledger *ledger, const char *job, const char *sink,
                                   uint64_t fingerprint, struct err *err)
{
    enum status status = ledger_begin(ledger, err);
    if (status == OK) {
        sqlite3_stmt *set = ledger_statement(ledger, SQL_FINGERPRINT_SET);
        bind_text(set, 1, job);
        bind_text(set, 2, sink);
        bind_int(set, 3, (int64_t)fingerprint);
        status = ledger_run(ledger, set, "keeping a fingerprint", err);
    }
    return ledger_end(ledger, status, err);
}

/* --- runs --- */

static enum status prune_runs(struct ledger *ledger, const char *job, struct err *err)
{
    sqlite3_stmt *old = ledger_statement(ledger, SQL_RUN_PRUNE);
    bind_text(old, 1, job);
    return ledger_run(ledger, old, "forgetting old runs", err);
}

enum status ledger_first_start(struct ledger *ledger, const char *job, int64_t *start_ns,
                               struct err *err)
{
    ledger_lock(ledger);
    sqlite3_stmt *first = ledger_statement(ledger, SQL_RUN_FIRST);
    bind_text(first, 1, job);
    bool row;
    enum status status = ledger_step(ledger, first, &row, "looking for the first run", err);
    if (status == OK && row) {
        *start_ns = sqlite3_column_int64(first, 0);
        sqlite3_reset(first);
    }
    ledger_unlock(ledger);
    return status == OK && !row ? AGAIN : status;
}

enum status ledger_run_begin(struct ledger *ledger, const char *job, int64_t now_ns, int64_t *run,
                             struct err *err)
{
    enum status status = ledger_begin(ledger, err);
    if (status == OK) {
        sqlite3_stmt *add = ledger_statement(ledger, SQL_RUN_BEGIN);
        bind_text(add, 1, job);
        bind_int(add, 2, now_ns);
        status = ledger_run(ledger, add, "beginning a run", err);
        *run = sqlite3_last_insert_rowid(ledger->db);
    }
    if (status == OK) {
        status = prune_runs(ledger, job, err);
    }
    return ledger_end(ledger, status, err);
}

static enum status end_run(struct ledger *ledger, int64_t run, int64_t now_ns, bool ok,
                           const char *text, struct err *err)
{
    sqlite3_stmt *end = ledger_statement(ledger, SQL_RUN_END);
    bind_int(end, 1, run);
    bind_int(end, 2, now_ns);
    bind_int(end, 3, ok);
    bind_text(end, 4, text);
    return ledger_run(ledger, end, "ending a run", err);
}

static enum status set_good_window(struct ledger *ledger, int64_t run, struct window window,
                                   struct err *err)
{
    sqlite3_stmt *good = ledger_statement(ledger, SQL_RUN_GOOD);
    bind_int(good, 1, run);
    bind_int(good, 2, window.from_ns);
    bind_int(good, 3, window.to_ns);
    return ledger_run(ledger, good, "ending a run", err);
}

enum status ledger_run_end(struct ledger *ledger, int64_t run, int64_t now_ns, bool ok,
                           struct window window, const char *text, struct err *err)
{
    enum status status = ledger_begin(ledger, err);
    if (status == OK) {
        status = end_run(ledger, run, now_ns, ok, text, err);
    }
    if (status == OK && ok) {
        status = set_good_window(ledger, run, window, err);
    }
    status = ledger_end(ledger, status, err);
    if (status == OK) {
        ledger_lock(ledger);
        ledger_file_shrink(ledger);
        ledger_unlock(ledger);
    }
    return status;
}

/* --- status --- */

/* A statement about one job, its first parameter. */
static sqlite3_stmt *about_job(struct ledger *ledger, enum ledger_sql sql, const char *job)
{
    sqlite3_stmt *statement = ledger_statement(ledger, sql);
    bind_text(statement, 1, job);
    return statement;
}

static int64_t time_or_never(sqlite3_stmt *statement, int column)
{
    bool known = sqlite3_column_type(statement, column) != SQLITE_NULL;
    return known ? sqlite3_column_int64(statement, column) : INT64_MIN;
}

static enum status read_runs(struct ledger *ledger, const char *job, struct job_status *out,
                             struct err *err)
{
    bool row;
    sqlite3_stmt *last = about_job(ledger, SQL_STATUS_RUN, job);
    enum status status = ledger_step(ledger, last, &row, "reading the runs", err);
    if (row) {
        out->last_start_ns = sqlite3_column_int64(last, 0);
        out->last_end_ns = time_or_never(last, 1);
        out->last_ok = sqlite3_column_int(last, 2) != 0;
        sqlite3_reset(last);
    }
    if (status != OK) {
        return status;
    }
    sqlite3_stmt *good = about_job(ledger, SQL_STATUS_GOOD, job);
    status = ledger_step(ledger, good, &row, "reading the good window", err);
    if (row) {
        out->good_from_ns = sqlite3_column_int64(good, 0);
        out->good_to_ns = sqlite3_column_int64(good, 1);
        sqlite3_reset(good);
    }
    return status;
}

static void add_sink(struct sink_counts *to, const struct sink_counts *more)
{
    to->stored += more->stored;
    to->duplicate += more->duplicate;
    to->expired += more->expired;
    to->dead += more->dead;
}

static void add_object(sqlite3_stmt *row, struct job_status *out)
{
    unsigned state = (unsigned)sqlite3_column_int(row, 0);
    if (state <= OBJECT_QUARANTINED) {
        out->objects[state]++;
    }
    struct slice packed = column_blob(row, 1);
    struct counts counts;
    if (packed.len == 0 || !counts_unpack(&packed, &counts)) {
        return;
    }
    out->read += counts.read;
    for (size_t i = 0; i < counts.n_sinks; i++) {
        add_sink(&out->sinks[i], &counts.sinks[i]);
    }
}

static void add_total_object(sqlite3_stmt *row, struct job_status *out)
{
    out->objects[OBJECT_SETTLED] += (uint64_t)sqlite3_column_int64(row, 0);
    out->read += (uint64_t)sqlite3_column_int64(row, 1);
}

static void add_total_sink(sqlite3_stmt *row, struct job_status *out)
{
    uint64_t sink = (uint64_t)sqlite3_column_int64(row, 0);
    if (sink < LEDGER_SINKS_MAX) {
        const struct sink_counts counts = {
            .stored = (uint64_t)sqlite3_column_int64(row, 1),
            .duplicate = (uint64_t)sqlite3_column_int64(row, 2),
            .expired = (uint64_t)sqlite3_column_int64(row, 3),
            .dead = (uint64_t)sqlite3_column_int64(row, 4),
        };
        add_sink(&out->sinks[sink], &counts);
    }
}

static void add_letters(sqlite3_stmt *row, struct job_status *out)
{
    out->dead_letters = (uint64_t)sqlite3_column_int64(row, 0);
}

/* Half of the room is for the key, so that the reason is always seen. */
static void set_oldest_error(sqlite3_stmt *row, struct job_status *out)
{
    struct slice key = column_blob(row, 0);
    struct err text;
    int shown = (int)(key.len < sizeof text.text / 2 ? key.len : sizeof text.text / 2);
    err_set(&text, FAILED, "%.*s: %s", shown, key.at, (const char *)sqlite3_column_text(row, 1));
    memcpy(out->oldest_error, text.text, sizeof out->oldest_error);
}

static enum status read_figures(struct ledger *ledger, const char *job, struct job_status *out,
                                struct err *err)
{
    static const struct {
        enum ledger_sql sql;
        void (*take)(sqlite3_stmt *row, struct job_status *out);
    } figures[] = {
        {SQL_STATUS_OBJECTS, add_object},        {SQL_STATUS_TOTAL_OBJECT, add_total_object},
        {SQL_STATUS_TOTAL_SINK, add_total_sink}, {SQL_STATUS_LETTERS, add_letters},
        {SQL_STATUS_ERROR, set_oldest_error},
    };
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        sqlite3_stmt *statement = about_job(ledger, figures[i].sql, job);
        enum status status;
        bool row;
        while ((status = ledger_step(ledger, statement, &row, "reading the figures", err)) == OK &&
               row) {
            figures[i].take(statement, out);
        }
        if (status != OK) {
            return status;
        }
    }
    return OK;
}

enum status ledger_job_status(struct ledger *ledger, const char *job, struct job_status *out,
                              struct err *err)
{
    memset(out, 0, sizeof *out);
    out->last_start_ns = out->last_end_ns = out->good_from_ns = out->good_to_ns = INT64_MIN;
    enum status status = ledger_begin_reading(ledger, err);
    if (status == OK) {
        status = read_runs(ledger, job, out, err);
    }
    if (status == OK) {
        status = read_figures(ledger, job, out, err);
    }
    return ledger_end(ledger, status, err);
}
