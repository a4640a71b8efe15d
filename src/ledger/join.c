/*
 * join: a listing held against the ledger. Both come in the order of the keys, so one walk
 * over the ledger's pages tells of each listed key whether it is known, and which known keys the
 * listing no longer has. What is to be written is collected and committed every
 * LEDGER_COMMIT_KEYS. Called by the listing half of a run.
 *
 * Keys that are absent may be marked as gone only after the whole listing was seen. Kept until then
 * are not the keys but the gaps between listed keys they lie in: old folders are emptied from one
 * end, so a million absent keys are a few gaps.
 */
#include "ledger/known.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/timestamp.h"

#include <stdlib.h>

enum { GAPS_MAX_BYTES = 16 * 1024 * 1024 }; /* gaps beyond are pruned by the next listing */

/* For so long, what is gone is known as it was: a listing may have holes, and what was deleted be
 * restored. Read again, it would be counted twice. */
static const int64_t gone_kept_ns = 30 * NS_PER_DAY;

struct entry {
    struct object object;
    bool back; /* it was gone; otherwise it is to be done */
};

/* Known keys in [from, to) were not listed, and of one at least that has to be noted. */
struct gap {
    struct slice from, to;
};

struct ledger_join {
    struct ledger *ledger;
    int64_t scope;
    struct window window;
    int64_t start_ns; /* of the run */
    bool again;
    bool unordered; /* the place does not list in order: absent keys cannot be told */
    struct join_counts counts;

    struct known_keys known; /* its current row: the first that is not yet behind the listing */

    struct entry entries[LEDGER_COMMIT_KEYS]; /* to be written */
    size_t n_entries;
    struct arena entry_keys;

    struct gap *gaps;
    size_t n_gaps, gaps_size, gap_bytes;
    struct arena gap_keys;

    char behind[OBJECT_KEY_MAX_BYTES + 1]; /* the place just behind the last listed key; at first
                                              the prefix */
    size_t behind_len;
};

enum status ledger_join_begin(struct ledger_join **out, struct ledger *ledger, int64_t scope,
                              struct slice prefix, struct window window, bool again,
                              int64_t start_ns, struct err *err)
{
    *out = NULL;
    struct ledger_join *join = memory_new(sizeof *join);
    if (known_begin(&join->known, ledger, scope, prefix, err) != OK) {
        free(join);
        return err->status;
    }
    join->ledger = ledger;
    join->scope = scope;
    join->window = window;
    join->again = again;
    join->start_ns = start_ns;
    if (prefix.len) {
        memcpy(join->behind, prefix.at, prefix.len);
    }
    join->behind_len = prefix.len;
    *out = join;
    return OK;
}

static void join_free(struct ledger_join *join)
{
    known_finish(&join->known);
    arena_finish(&join->entry_keys);
    arena_finish(&join->gap_keys);
    free(join->gaps);
    free(join);
}

/* --- writing --- */

static enum status enter(struct ledger_join *join, const struct entry *entry, struct err *err)
{
    const struct object *object = &entry->object;
    if (entry->back) {
        sqlite3_stmt *back = ledger_statement(join->ledger, SQL_OBJECT_BACK);
        bind_int(back, 1, join->scope);
        bind_blob(back, 2, object->key);
        return ledger_run(join->ledger, back, "entering keys", err);
    }
    sqlite3_stmt *add = ledger_statement(join->ledger, SQL_OBJECT_ENTER);
    bind_int(add, 1, join->scope);
    bind_blob(add, 2, object->key);
    bind_blob(add, 3, slice_make((const char *)object->etag, sizeof object->etag));
    bind_int(add, 4, object->size);
    bind_int(add, 5, object->last_modified_ns);
    return ledger_run(join->ledger, add, "entering keys", err);
}

static enum status flush_entries(struct ledger_join *join, struct err *err)
{
    if (join->n_entries == 0) {
        return OK;
    }
    enum status status = ledger_begin(join->ledger, err);
    for (size_t i = 0; status == OK && i < join->n_entries; i++) {
        status = enter(join, &join->entries[i], err);
    }
    join->n_entries = 0;
    arena_reset(&join->entry_keys);
    return ledger_end(join->ledger, status, err);
}

static enum status add_entry(struct ledger_join *join, const struct object *object,
                             int64_t last_modified_ns, bool back, struct err *err)
{
    struct entry *entry = &join->entries[join->n_entries++];
    *entry = (struct entry){*object, back};
    entry->object.key = arena_slice(&join->entry_keys, object->key);
    entry->object.last_modified_ns = last_modified_ns;
    return join->n_entries == LEDGER_COMMIT_KEYS ? flush_entries(join, err) : OK;
}

/* --- deciding --- */

static bool is_done(enum object_state state)
{
    return state == OBJECT_SETTLED || state == OBJECT_QUARANTINED;
}

/* known: the key's row, NULL for none. The same content under a new date keeps its first one:
 * points that took part of their identity from it must not come a second time. */
static enum status decide(struct ledger_join *join, const struct object *object,
                          const struct known_row *known, struct err *err)
{
    if (!known || !known_is_content(object, &known->object)) {
        join->counts.fresh++;
        return add_entry(join, object, object->last_modified_ns, false, err);
    }
    int64_t date = known->object.last_modified_ns;
    if (join->again && is_done(known->state) && date >= join->window.from_ns &&
        date < join->window.to_ns) {
        join->counts.reopened++;
        return add_entry(join, object, date, false, err);
    }
    return known->gone ? add_entry(join, object, date, true, err) : OK;
}

/* S3 lists in byte order; a server that walks a file system may not. Such keys are looked up one by
 * one: slower, and nothing is lost. */
static enum status put_unordered(struct ledger_join *join, const struct object *object, bool wanted,
                                 struct err *err)
{
    join->unordered = true;
    if (!wanted) {
        return OK;
    }
    enum status status = flush_entries(join, err);
    if (status != OK) {
        return status;
    }
    CLEANUP(arena_finish) struct arena keys = {0};
    struct known_row row;
    bool found;
    status = known_find(join->ledger, join->scope, object->key, &keys, &row, &found, err);
    return status == OK ? decide(join, object, found ? &row : NULL, err) : status;
}

/* --- gaps --- */

/* to: a listed key, or the end. */
static void add_gap(struct ledger_join *join, struct slice to)
{
    join->gap_bytes += sizeof(struct gap) + join->behind_len + to.len;
    if (join->gap_bytes > GAPS_MAX_BYTES) {
        return;
    }
    if (join->n_gaps == join->gaps_size) {
        join->gaps_size = join->gaps_size ? 2 * join->gaps_size : 16;
        join->gaps = memory_grow(join->gaps, join->gaps_size * sizeof *join->gaps);
    }
    struct slice from = slice_make(join->behind, join->behind_len);
    join->gaps[join->n_gaps++] =
        (struct gap){arena_slice(&join->gap_keys, from), arena_slice(&join->gap_keys, to)};
}

/* What is marked already stays as it is until it is to be removed. A later mark was set by a wrong
 * clock. */
static bool is_news(const struct ledger_join *join, const struct known_row *row)
{
    return !row->gone || row->gone_ns > join->start_ns ||
           row->gone_ns <= join->start_ns - gone_kept_ns;
}

/* Walks over the rows before `to`; *row is the first one that is not. */
static enum status pass_absent(struct ledger_join *join, struct slice to, struct known_row **row,
                               struct err *err)
{
    bool news = false;
    enum status status;
    while ((status = known_row_now(&join->known, row, err)) == OK && *row &&
           slice_compare((*row)->object.key, to) < 0) {
        news |= is_news(join, *row);
        join->known.at++;
    }
    if (status == OK && news) {
        add_gap(join, to);
    }
    return status;
}

/* Behind all keys so far, and with the prefix that was asked for. */
static bool is_in_order(const struct ledger_join *join, struct slice key)
{
    return slice_compare(key, slice_make(join->behind, join->behind_len)) >= 0 &&
           slice_compare(key, known_end(&join->known)) < 0;
}

static enum status put(struct ledger_join *join, const struct object *object, bool wanted,
                       struct err *err)
{
    struct slice key = object->key;
    if (key.len == 0 || key.len > OBJECT_KEY_MAX_BYTES) {
        return err_set(err, FAILED, "a key of %zu bytes in the listing: 1 to %d are possible",
                       key.len, OBJECT_KEY_MAX_BYTES);
    }
    join->counts.listed++;
    if (!is_in_order(join, key)) {
        return put_unordered(join, object, wanted, err);
    }
    struct known_row *row;
    enum status status = pass_absent(join, key, &row, err);
    if (status != OK) {
        return status;
    }
    bool known = row && slice_equal(row->object.key, key);
    if (known) {
        join->known.at++;
    }
    join->behind_len = known_successor(join->behind, key);
    return wanted ? decide(join, object, known ? row : NULL, err) : OK;
}

enum status ledger_join_put(struct ledger_join *join, const struct object *object, struct err *err)
{
    return put(join, object, true, err);
}

enum status ledger_join_pass(struct ledger_join *join, const struct object *object, struct err *err)
{
    return put(join, object, false, err);
}

void ledger_join_skip(struct ledger_join *join, struct slice after)
{
    known_skip(&join->known, after);
    join->behind_len = known_successor(join->behind, after);
}

/* --- pruning --- */

/* Folds the counts of what is pruned of up to LEDGER_COMMIT_KEYS objects of a gap; *last is then a
 * copy of the last one's key, empty when there is none. Objects without counts were never done. */
static enum status fold_page(struct ledger_join *join, const struct gap *gap, int64_t there_ns,
                             struct buf *last, struct err *err)
{
    sqlite3_stmt *page = ledger_statement(join->ledger, SQL_OBJECT_PRUNABLE);
    bind_int(page, 1, join->scope);
    bind_blob(page, 2, gap->from);
    bind_blob(page, 3, gap->to);
    bind_int(page, 4, there_ns);
    bind_int(page, 5, LEDGER_COMMIT_KEYS);
    enum status status;
    bool row;
    while ((status = ledger_step(join->ledger, page, &row, "pruning", err)) == OK && row) {
        buf_clear(last);
        buf_add(last, column_blob(page, 0));
        if (sqlite3_column_type(page, 1) != SQLITE_NULL && sqlite3_column_int(page, 2)) {
            status = ledger_fold(join->ledger, join->scope, column_blob(page, 1), err);
        }
        if (status != OK) {
            break;
        }
    }
    sqlite3_reset(page);
    return status;
}

/* Of the gap's objects up to the key `last`. */
static enum status change_page(struct ledger_join *join, enum ledger_sql sql, const struct gap *gap,
                               struct slice last, int64_t ns, struct err *err)
{
    sqlite3_stmt *change = ledger_statement(join->ledger, sql);
    bind_int(change, 1, join->scope);
    bind_blob(change, 2, gap->from);
    bind_blob(change, 3, last);
    bind_int(change, 4, ns);
    return ledger_run(join->ledger, change, "pruning", err);
}

/* *last: see fold_page(). */
static enum status prune_page(struct ledger_join *join, const struct gap *gap, struct buf *last,
                              struct err *err)
{
    int64_t there_ns = join->start_ns - gone_kept_ns;
    enum status status = fold_page(join, gap, there_ns, last, err);
    if (status != OK || !last->len) {
        return status;
    }
    status = change_page(join, SQL_OBJECT_REMOVE, gap, buf_slice(last), there_ns, err);
    join->counts.pruned += (uint64_t)sqlite3_changes64(join->ledger->db);
    return status == OK
               ? change_page(join, SQL_OBJECT_GONE, gap, buf_slice(last), join->start_ns, err)
               : status;
}

static enum status prune_gap(struct ledger_join *join, struct gap gap, struct err *err)
{
    CLEANUP(buf_finish) struct buf last = {.max = INT32_MAX}; /* as it is, in a damaged file too */
    CLEANUP(buf_finish) struct buf from = {.max = INT32_MAX};
    enum status status = OK;
    do {
        buf_clear(&last);
        status = ledger_begin(join->ledger, err);
        if (status == OK) {
            status = prune_page(join, &gap, &last, err);
        }
        status = ledger_end(join->ledger, status, err);
        buf_clear(&from);
        buf_add(&from, buf_slice(&last));
        buf_add_byte(&from, '\0'); /* what is kept is passed over */
        gap.from = buf_slice(&from);
    } while (status == OK && last.len);
    return status;
}

static enum status prune(struct ledger_join *join, struct err *err)
{
    struct known_row *none;
    enum status status = pass_absent(join, known_end(&join->known), &none, err);
    for (size_t i = 0; status == OK && i < join->n_gaps; i++) {
        status = prune_gap(join, join->gaps[i], err);
    }
    return status;
}

enum status ledger_join_end(struct ledger_join *join, bool whole, struct join_counts *counts,
                            struct err *err)
{
    enum status status = flush_entries(join, err);
    if (status == OK && whole && !join->unordered) {
        status = prune(join, err);
    }
    *counts = join->counts;
    join_free(join);
    return status;
}

enum status ledger_wants(struct ledger *ledger, int64_t scope, const struct object *object,
                         bool *wanted, struct err *err)
{
    CLEANUP(arena_finish) struct arena keys = {0};
    struct known_row row;
    bool found;
    enum status status = known_find(ledger, scope, object->key, &keys, &row, &found, err);
    *wanted =
        status == OK && (!found || !known_is_content(object, &row.object) || !is_done(row.state));
    return status;
}
