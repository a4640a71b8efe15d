/* status: what the ledger knows of a job, for `status`. Called by reading commands. */
#include "ledger/counts.h"
#include "ledger/private.h"

#include <stdio.h>

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

static int64_t count_or_unknown(sqlite3_stmt *statement, int column)
{
    bool known = sqlite3_column_type(statement, column) != SQLITE_NULL;
    return known ? sqlite3_column_int64(statement, column) : -1;
}

static enum status read_last_run(struct ledger *ledger, const char *job, struct job_status *out,
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
    return status;
}

static enum status read_good_window(struct ledger *ledger, const char *job, struct job_status *out,
                                    struct err *err)
{
    sqlite3_stmt *good = about_job(ledger, SQL_STATUS_GOOD, job);
    bool row;
    enum status status = ledger_step(ledger, good, &row, "reading the good window", err);
    if (row) {
        out->good_from_ns = sqlite3_column_int64(good, 0);
        out->good_to_ns = sqlite3_column_int64(good, 1);
        sqlite3_reset(good);
    }
    return status;
}

/* The counts of a sink; NULL: nobody asks for it. */
static struct sink_counts *find_sink(struct job_status *out, int64_t number)
{
    for (size_t i = 0; i < out->n_sinks; i++) {
        if (out->sink_numbers[i] == number) {
            return &out->sinks[i];
        }
    }
    return NULL;
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
    out->dead_beyond += counts.dead_beyond;
    for (size_t i = 0; i < counts.n_sinks; i++) {
        struct sink_counts *sink = find_sink(out, (int64_t)counts.numbers[i]);
        if (sink) {
            sink_counts_add(sink, &counts.sinks[i]);
        }
    }
}

static void add_total_object(sqlite3_stmt *row, struct job_status *out)
{
    out->objects[OBJECT_SETTLED] += (uint64_t)sqlite3_column_int64(row, 0);
    out->read += (uint64_t)sqlite3_column_int64(row, 1);
}

static void add_total_sink(sqlite3_stmt *row, struct job_status *out)
{
    struct sink_counts *sink = find_sink(out, sqlite3_column_int64(row, 0));
    if (sink) {
        const struct sink_counts counts = {
            .stored = (uint64_t)sqlite3_column_int64(row, 1),
            .duplicate = (uint64_t)sqlite3_column_int64(row, 2),
            .expired = (uint64_t)sqlite3_column_int64(row, 3),
            .dead = (uint64_t)sqlite3_column_int64(row, 4),
        };
        sink_counts_add(sink, &counts);
    }
}

static void set_ended(sqlite3_stmt *row, struct job_status *out)
{
    const char *error = (const char *)sqlite3_column_text(row, 1);
    out->any_ended = true;
    out->ended_ok = sqlite3_column_int(row, 0) != 0;
    snprintf(out->ended_error, sizeof out->ended_error, "%s", error ? error : "");
    out->list_requests = count_or_unknown(row, 2);
}

static void set_unmatched(sqlite3_stmt *row, struct job_status *out)
{
    out->unmatched = count_or_unknown(row, 0);
}

static void add_letters(sqlite3_stmt *row, struct job_status *out)
{
    out->dead_letters = (uint64_t)sqlite3_column_int64(row, 0);
    out->oldest_letter_ns = time_or_never(row, 1);
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

static void add_reason(sqlite3_stmt *row, struct job_status *out)
{
    if (out->n_reasons < LEDGER_REASONS_MAX) {
        struct letter_reason *reason = &out->reasons[out->n_reasons++];
        snprintf(reason->text, sizeof reason->text, "%s",
                 (const char *)sqlite3_column_text(row, 0));
        reason->letters = (uint64_t)sqlite3_column_int64(row, 1);
    }
}

static void add_kind(sqlite3_stmt *row, struct job_status *out)
{
    if (out->n_kinds < LEDGER_KINDS_MAX) {
        struct kind_status *kind = &out->kinds[out->n_kinds++];
        snprintf(kind->name, sizeof kind->name, "%s", (const char *)sqlite3_column_text(row, 0));
        kind->newest_ns = sqlite3_column_int64(row, 1);
    }
}

static void add_arrival(sqlite3_stmt *row, struct job_status *out)
{
    const char *name = (const char *)sqlite3_column_text(row, 0);
    for (size_t i = 0; i < out->n_kinds; i++) {
        struct kind_status *kind = &out->kinds[i];
        if (strncmp(kind->name, name, sizeof kind->name - 1) == 0 &&
            kind->n_arrivals < LEDGER_ARRIVALS_MAX) {
            kind->arrivals[kind->n_arrivals++] = sqlite3_column_int64(row, 1);
        }
    }
}

static enum status read_rows(struct ledger *ledger, enum ledger_sql sql, const char *job,
                             void (*take)(sqlite3_stmt *row, struct job_status *out),
                             struct job_status *out, struct err *err)
{
    sqlite3_stmt *statement = about_job(ledger, sql, job);
    enum status status;
    bool row;
    while ((status = ledger_step(ledger, statement, &row, "reading the figures", err)) == OK &&
           row) {
        take(statement, out);
    }
    return status;
}

static enum status read_figures(struct ledger *ledger, const char *job, struct job_status *out,
                                struct err *err)
{
    static const struct {
        enum ledger_sql sql;
        void (*take)(sqlite3_stmt *row, struct job_status *out);
    } figures[] = {
        {SQL_STATUS_OBJECTS, add_object}, /* of all that, this takes the time */
        {SQL_STATUS_TOTAL_OBJECT, add_total_object},
        {SQL_STATUS_TOTAL_SINK, add_total_sink},
        {SQL_STATUS_LETTERS, add_letters},
        {SQL_STATUS_REASONS, add_reason},
        {SQL_STATUS_KINDS, add_kind},
        {SQL_STATUS_ARRIVALS, add_arrival}, /* of the kinds just read */
        {SQL_STATUS_ERROR, set_oldest_error},
    };
    enum status status = OK;
    for (size_t i = 0; status == OK && i < sizeof figures / sizeof figures[0]; i++) {
        status = read_rows(ledger, figures[i].sql, job, figures[i].take, out, err);
    }
    return status;
}

static enum status read_runs(struct ledger *ledger, const char *job, struct job_status *out,
                             struct err *err)
{
    enum status status = read_last_run(ledger, job, out, err);
    if (status == OK) {
        status = read_good_window(ledger, job, out, err);
    }
    if (status == OK) {
        status = read_rows(ledger, SQL_STATUS_ENDED, job, set_ended, out, err);
    }
    return status == OK ? read_rows(ledger, SQL_STATUS_LISTED, job, set_unmatched, out, err)
                        : status;
}

static enum status look_up_sinks(struct ledger *ledger, const char *job, const char *const *sinks,
                                 struct job_status *out, struct err *err)
{
    for (size_t i = 0; i < out->n_sinks; i++) {
        sqlite3_stmt *look = about_job(ledger, SQL_SINK_LOOK, job);
        bind_text(look, 2, sinks[i]);
        bind_int(look, 3, (int64_t)i);
        bool row;
        enum status status = ledger_step(ledger, look, &row, "reading the sinks", err);
        if (status != OK) {
            return status;
        }
        out->sink_numbers[i] = count_or_unknown(look, 0);
        sqlite3_reset(look);
    }
    return OK;
}

void job_status_clear(struct job_status *out)
{
    memset(out, 0, sizeof *out);
    out->list_requests = out->unmatched = -1;
    out->last_start_ns = out->last_end_ns = out->good_from_ns = out->good_to_ns = INT64_MIN;
    out->oldest_letter_ns = INT64_MIN;
}

enum status ledger_job_runs(struct ledger *ledger, const char *job, struct job_status *out,
                            struct err *err)
{
    job_status_clear(out);
    enum status status = ledger_begin_reading(ledger, err);
    if (status == OK) {
        status = read_runs(ledger, job, out, err);
    }
    return ledger_end(ledger, status, err);
}

enum status ledger_job_status(struct ledger *ledger, const char *job, const char *const *sinks,
                              size_t n_sinks, struct job_status *out, struct err *err)
{
    job_status_clear(out);
    out->n_sinks = n_sinks < LEDGER_SINKS_MAX ? n_sinks : LEDGER_SINKS_MAX;
    enum status status = ledger_begin_reading(ledger, err);
    if (status == OK) {
        status = look_up_sinks(ledger, job, sinks, out, err);
    }
    if (status == OK) {
        status = read_runs(ledger, job, out, err);
    }
    if (status == OK) {
        status = read_figures(ledger, job, out, err);
    }
    return ledger_end(ledger, status, err);
}
