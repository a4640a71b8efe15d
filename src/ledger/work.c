/*
 * work: what is left to do in a window, handed to the workers one object at a time. New
 * objects come first, read in pages along the index of unfinished objects. The order
 * (last-modified, key) only moves on, so that an object that fails in this run is not given again
 * before the next.
 *
 * Those that failed before come last, the ones tried least often first, and are noted at the
 * beginning: some may never be readable, and must not keep the others from being read.
 */
#include "ledger/private.h"

#include "base/memory.h"

#include <stdlib.h>

enum {
    WORK_PAGE = 256,
    FAILED_MAX = 10000, /* failed objects tried in a run; the others are left to the next */
};

struct ledger_work {
    struct ledger *ledger; /* its lock protects all of this */
    int64_t scope;
    struct window window;

    struct object page[WORK_PAGE];
    size_t n_objects, at;
    bool last_page;
    struct arena keys;

    int64_t after_ns; /* the last object of the page before */
    char after_key[OBJECT_KEY_MAX_BYTES];
    size_t after_len;

    struct object *failed; /* by runs before this one */
    size_t n_failed, failed_at;
    struct arena failed_keys;
};

static enum status read_totals(struct ledger_work *work, struct work_totals *totals,
                               struct err *err)
{
    sqlite3_stmt *sum = ledger_statement(work->ledger, SQL_WORK_TOTALS);
    bind_int(sum, 1, work->scope);
    bind_int(sum, 2, work->window.from_ns);
    bind_int(sum, 3, work->window.to_ns);
    bool row;
    enum status status = ledger_step(work->ledger, sum, &row, "counting the work", err);
    if (row) {
        totals->objects = (uint64_t)sqlite3_column_int64(sum, 0);
        totals->bytes = sqlite3_column_int64(sum, 1);
        sqlite3_reset(sum);
    }
    return status;
}

static void add_failed(struct ledger_work *work, sqlite3_stmt *row)
{
    if ((work->n_failed & (work->n_failed - 1)) == 0) { /* grow at 0, 1, 2, 4, 8, ... */
        size_t size = work->n_failed ? work->n_failed * 2 : 1;
        work->failed = memory_grow(work->failed, size * sizeof *work->failed);
    }
    column_object(row, &work->failed_keys, &work->failed[work->n_failed++]);
}

static enum status read_failed(struct ledger_work *work, struct err *err)
{
    sqlite3_stmt *all = ledger_statement(work->ledger, SQL_WORK_FAILED);
    bind_int(all, 1, work->scope);
    bind_int(all, 2, work->window.from_ns);
    bind_int(all, 3, work->window.to_ns);
    bind_int(all, 4, FAILED_MAX);
    bool row;
    enum status status;
    while ((status = ledger_step(work->ledger, all, &row, "reading the work", err)) == OK && row) {
        add_failed(work, all);
    }
    return status;
}

enum status ledger_work_begin(struct ledger_work **out, struct ledger *ledger, int64_t scope,
                              struct window window, struct work_totals *totals, struct err *err)
{
    *out = NULL;
    *totals = (struct work_totals){0};
    struct ledger_work *work = memory_new(sizeof *work);
    work->ledger = ledger;
    work->scope = scope;
    work->window = window;
    work->after_ns = window.from_ns; /* with the empty key, which no object has */
    ledger_lock(ledger);
    enum status status = read_totals(work, totals, err);
    if (status == OK) {
        status = read_failed(work, err);
    }
    ledger_unlock(ledger);
    if (status != OK) {
        ledger_work_end(work);
        return status;
    }
    *out = work;
    return OK;
}

static enum status read_page(struct ledger_work *work, struct err *err)
{
    arena_reset(&work->keys);
    work->n_objects = work->at = 0;
    sqlite3_stmt *page = ledger_statement(work->ledger, SQL_WORK_PAGE);
    bind_int(page, 1, work->scope);
    bind_int(page, 2, work->after_ns);
    bind_blob(page, 3, slice_make(work->after_key, work->after_len));
    bind_int(page, 4, work->window.to_ns);
    bind_int(page, 5, WORK_PAGE);
    bool row;
    enum status status;
    while ((status = ledger_step(work->ledger, page, &row, "reading the work", err)) == OK && row) {
        column_object(page, &work->keys, &work->page[work->n_objects++]);
    }
    if (status == OK && work->n_objects) {
        const struct object *last = &work->page[work->n_objects - 1];
        work->after_ns = last->last_modified_ns;
        work->after_len = last->key.len;
        memcpy(work->after_key, last->key.at, last->key.len);
    }
    work->last_page = work->n_objects < WORK_PAGE;
    return status;
}

static enum status next_object(struct ledger_work *work, struct arena *keys, struct object *out,
                               struct err *err)
{
    if (work->at == work->n_objects && !work->last_page) {
        enum status status = read_page(work, err);
        if (status != OK) {
            work->n_objects = 0; /* the page is read again at the next call */
            work->last_page = false;
            return status;
        }
    }
    if (work->at < work->n_objects) {
        *out = work->page[work->at++];
    } else if (work->failed_at < work->n_failed) {
        *out = work->failed[work->failed_at++];
    } else {
        return AGAIN;
    }
    out->key = arena_slice(keys, out->key);
    return OK;
}

enum status ledger_work_next(struct ledger_work *work, struct arena *keys, struct object *out,
                             struct err *err)
{
    ledger_lock(work->ledger);
    enum status status = next_object(work, keys, out, err);
    ledger_unlock(work->ledger);
    return status;
}

void ledger_work_end(struct ledger_work *work)
{
    if (work) {
        arena_finish(&work->keys);
        arena_finish(&work->failed_keys);
        free(work->failed);
        free(work);
    }
}

enum status ledger_waiting(struct ledger *ledger, int64_t scope, struct window window,
                           uint64_t *objects, struct err *err)
{
    *objects = 0;
    ledger_lock(ledger);
    sqlite3_stmt *count = ledger_statement(ledger, SQL_WAITING);
    bind_int(count, 1, scope);
    bind_int(count, 2, window.from_ns);
    bind_int(count, 3, window.to_ns);
    bool row;
    enum status status = ledger_step(ledger, count, &row, "counting what waits", err);
    if (row) {
        *objects = (uint64_t)sqlite3_column_int64(count, 0);
        sqlite3_reset(count);
    }
    ledger_unlock(ledger);
    return status;
}
