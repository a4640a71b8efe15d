/*
 * runs: the ledger's record of runs, what they have learnt, the fingerprints of what was
 * written, and the numbers of the sinks. Called at both ends of a run.
 */
#include "ledger/private.h"

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

/* --- sinks --- */

static enum status number_sink(struct ledger *ledger, const char *job, const char *name,
                               uint64_t *number, struct err *err)
{
    sqlite3_stmt *add = ledger_statement(ledger, SQL_SINK_ADD);
    bind_text(add, 1, job);
    bind_text(add, 2, name);
    enum status status = ledger_run(ledger, add, "numbering a sink", err);
    if (status != OK) {
        return status;
    }
    sqlite3_stmt *find = ledger_statement(ledger, SQL_SINK_FIND);
    bind_text(find, 1, job);
    bind_text(find, 2, name);
    bool row;
    status = ledger_step(ledger, find, &row, "finding a sink", err);
    if (row) {
        *number = (uint64_t)sqlite3_column_int64(find, 0);
        sqlite3_reset(find);
    }
    return status;
}

enum status ledger_sinks(struct ledger *ledger, const char *job, const char *const *names, size_t n,
                         uint64_t *numbers, struct err *err)
{
    enum status status = ledger_begin(ledger, err);
    for (size_t i = 0; status == OK && i < n; i++) {
        status = number_sink(ledger, job, names[i], &numbers[i], err);
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
                           struct err *err)
{
    sqlite3_stmt *end = ledger_statement(ledger, SQL_RUN_END);
    bind_int(end, 1, run);
    bind_int(end, 2, now_ns);
    bind_int(end, 3, ok);
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
                           struct window window, struct err *err)
{
    enum status status = ledger_begin(ledger, err);
    if (status == OK) {
        status = end_run(ledger, run, now_ns, ok, err);
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

/* --- notes --- */

static void bind_count(sqlite3_stmt *statement, int parameter, int64_t count)
{
    if (count < 0) {
        sqlite3_bind_null(statement, parameter);
    } else {
        bind_int(statement, parameter, count);
    }
}

static enum status note_run(struct ledger *ledger, int64_t run, const struct run_notes *notes,
                            struct err *err)
{
    sqlite3_stmt *note = ledger_statement(ledger, SQL_RUN_NOTE);
    bind_int(note, 1, run);
    bind_text(note, 2, notes->error);
    bind_count(note, 3, notes->unmatched);
    bind_count(note, 4, notes->list_requests);
    return ledger_run(ledger, note, "noting a run", err);
}

static enum status add_arrival(struct ledger *ledger, int64_t run, const char *kind,
                               struct err *err)
{
    sqlite3_stmt *add = ledger_statement(ledger, SQL_KIND_ARRIVAL);
    bind_int(add, 1, run);
    bind_text(add, 2, kind);
    enum status status = ledger_run(ledger, add, "noting a kind", err);
    if (status != OK) {
        return status;
    }
    sqlite3_stmt *forget = ledger_statement(ledger, SQL_KIND_FORGET);
    bind_int(forget, 1, run);
    bind_text(forget, 2, kind);
    bind_int(forget, 3, LEDGER_ARRIVALS_MAX);
    return ledger_run(ledger, forget, "noting a kind", err);
}

/* Older records than those known, as a backfill brings, are no news of the kind. */
static enum status note_kind(struct ledger *ledger, int64_t run, const struct kind_news *news,
                             struct err *err)
{
    sqlite3_stmt *set = ledger_statement(ledger, SQL_KIND_NEWEST);
    bind_int(set, 1, run);
    bind_text(set, 2, news->name);
    bind_int(set, 3, news->newest_ns);
    enum status status = ledger_run(ledger, set, "noting a kind", err);
    bool is_newer = sqlite3_changes(ledger->db) == 1;
    return status == OK && is_newer ? add_arrival(ledger, run, news->name, err) : status;
}

enum status ledger_run_note(struct ledger *ledger, int64_t run, const struct run_notes *notes,
                            struct err *err)
{
    enum status status = ledger_begin(ledger, err);
    if (status == OK) {
        status = note_run(ledger, run, notes, err);
    }
    for (size_t i = 0; status == OK && i < notes->n_kinds; i++) {
        status = note_kind(ledger, run, &notes->kinds[i], err);
    }
    return ledger_end(ledger, status, err);
}
