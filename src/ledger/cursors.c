/* cursors: see cursors.h. */
#include "ledger/cursors.h"

#include "ledger/private.h"

#include "base/memory.h"

/* --- folders --- */

static sqlite3_stmt *about_folder(struct ledger *ledger, enum ledger_sql sql, int64_t scope,
                                  struct slice prefix)
{
    sqlite3_stmt *statement = ledger_statement(ledger, sql);
    bind_int(statement, 1, scope);
    bind_blob(statement, 2, prefix);
    return statement;
}

enum status ledger_folder_whole(struct ledger *ledger, int64_t scope, struct slice prefix,
                                int64_t *whole_ns, struct err *err)
{
    ledger_lock(ledger);
    sqlite3_stmt *find = about_folder(ledger, SQL_FOLDER_WHOLE, scope, prefix);
    bool row;
    enum status status = ledger_step(ledger, find, &row, "reading a folder", err);
    *whole_ns = INT64_MIN;
    if (row) {
        *whole_ns = sqlite3_column_int64(find, 0);
        sqlite3_reset(find);
    }
    ledger_unlock(ledger);
    return status;
}

enum status ledger_cursors(struct ledger *ledger, int64_t scope, struct slice prefix,
                           struct arena *texts, struct cursor *out, size_t *n, struct err *err)
{
    ledger_lock(ledger);
    sqlite3_stmt *all = about_folder(ledger, SQL_CURSORS, scope, prefix);
    bind_int(all, 3, LEDGER_CURSORS_MAX);
    bool row;
    enum status status;
    *n = 0;
    while ((status = ledger_step(ledger, all, &row, "reading cursors", err)) == OK && row) {
        out[(*n)++] = (struct cursor){
            .stem = arena_slice(texts, column_blob(all, 0)),
            .key = arena_slice(texts, column_blob(all, 1)),
        };
    }
    ledger_unlock(ledger);
    return status;
}

static enum status replace_cursors(struct ledger *ledger, int64_t scope, struct slice prefix,
                                   const struct cursor *cursors, size_t n, struct err *err)
{
    sqlite3_stmt *clear = about_folder(ledger, SQL_CURSORS_CLEAR, scope, prefix);
    enum status status = ledger_run(ledger, clear, "keeping cursors", err);
    for (size_t i = 0; status == OK && i < n; i++) {
        sqlite3_stmt *add = about_folder(ledger, SQL_CURSOR_ADD, scope, prefix);
        bind_blob(add, 3, cursors[i].stem);
        bind_blob(add, 4, cursors[i].key);
        status = ledger_run(ledger, add, "keeping cursors", err);
    }
    return status;
}

static enum status set_whole(struct ledger *ledger, int64_t scope, struct slice prefix,
                             int64_t whole_ns, struct err *err)
{
    sqlite3_stmt *set = about_folder(ledger, SQL_FOLDER_SET, scope, prefix);
    bind_int(set, 3, whole_ns);
    return ledger_run(ledger, set, "keeping a folder", err);
}

enum status ledger_keep_cursors(struct ledger *ledger, int64_t scope, struct slice prefix,
                                int64_t whole_ns, const struct cursor *cursors, size_t n,
                                struct err *err)
{
    enum status status = ledger_begin(ledger, err);
    if (status == OK) {
        status = replace_cursors(ledger, scope, prefix, cursors, n, err);
    }
    if (status == OK && whole_ns != INT64_MIN) {
        status = set_whole(ledger, scope, prefix, whole_ns, err);
    }
    return ledger_end(ledger, status, err);
}

enum status ledger_doubt(struct ledger *ledger, int64_t scope, struct slice key, struct err *err)
{
    enum status status = ledger_begin(ledger, err);
    if (status == OK) {
        sqlite3_stmt *doubt = about_folder(ledger, SQL_FOLDER_DOUBT, scope, key);
        bind_int(doubt, 3, INT64_MIN);
        status = ledger_run(ledger, doubt, "noting a folder", err);
    }
    return ledger_end(ledger, status, err);
}

/* AGAIN: none. With the lock held. */
static enum status take_folder(struct ledger *ledger, sqlite3_stmt *find, struct buf *prefix,
                               struct err *err)
{
    bool row;
    enum status status = ledger_step(ledger, find, &row, "looking for folders", err);
    if (row) {
        buf_clear(prefix);
        buf_add(prefix, column_blob(find, 0));
        sqlite3_reset(find);
    }
    return status == OK && !row ? AGAIN : status;
}

enum status ledger_doubted(struct ledger *ledger, int64_t scope, struct buf *prefix,
                           struct err *err)
{
    ledger_lock(ledger);
    sqlite3_stmt *find = ledger_statement(ledger, SQL_FOLDER_DOUBTED);
    bind_int(find, 1, scope);
    bind_int(find, 2, INT64_MIN);
    enum status status = take_folder(ledger, find, prefix, err);
    ledger_unlock(ledger);
    return status;
}

enum status ledger_folder_outside(struct ledger *ledger, int64_t scope, struct window window,
                                  struct buf *prefix, struct err *err)
{
    ledger_lock(ledger);
    sqlite3_stmt *find = ledger_statement(ledger, SQL_FOLDER_OUTSIDE);
    bind_int(find, 1, scope);
    bind_int(find, 2, window.from_ns);
    bind_int(find, 3, window.to_ns);
    enum status status = take_folder(ledger, find, prefix, err);
    ledger_unlock(ledger);
    return status;
}

enum status ledger_daily_whole(struct ledger *ledger, int64_t scope, struct slice key,
                               int64_t *whole_ns, struct err *err)
{
    ledger_lock(ledger);
    sqlite3_stmt *find = about_folder(ledger, SQL_FOLDER_DAILY, scope, key);
    bind_int(find, 3, INT64_MIN);
    bool row;
    enum status status = ledger_step(ledger, find, &row, "reading a folder", err);
    if (row) {
        *whole_ns = sqlite3_column_int64(find, 0);
        sqlite3_reset(find);
    }
    ledger_unlock(ledger);
    return status == OK && !row ? AGAIN : status;
}

/* --- scheduled runs of a scope --- */

enum status ledger_pass(struct ledger *ledger, int64_t scope, struct listing_pass *out,
                        struct err *err)
{
    ledger_lock(ledger);
    sqlite3_stmt *find = ledger_statement(ledger, SQL_PASS);
    bind_int(find, 1, scope);
    bool row;
    enum status status = ledger_step(ledger, find, &row, "reading the last listing", err);
    if (row) {
        *out = (struct listing_pass){
            .from_ns = sqlite3_column_int64(find, 0),
            .whole_ns = sqlite3_column_int64(find, 1),
            .listed_ns = sqlite3_column_int64(find, 2),
            .looked_ns = sqlite3_column_int64(find, 3),
        };
        sqlite3_reset(find);
    }
    ledger_unlock(ledger);
    return status == OK && !row ? AGAIN : status;
}

static enum status set_pass(struct ledger *ledger, int64_t scope, const struct listing_pass *pass,
                            struct err *err)
{
    sqlite3_stmt *set = ledger_statement(ledger, SQL_PASS_SET);
    bind_int(set, 1, scope);
    bind_int(set, 2, pass->from_ns);
    bind_int(set, 3, pass->whole_ns);
    bind_int(set, 4, pass->listed_ns);
    bind_int(set, 5, pass->looked_ns);
    return ledger_run(ledger, set, "keeping the listing", err);
}

enum status ledger_set_pass(struct ledger *ledger, int64_t scope, const struct listing_pass *pass,
                            struct err *err)
{
    enum status status = ledger_begin(ledger, err);
    if (status == OK) {
        status = set_pass(ledger, scope, pass, err);
    }
    static const enum ledger_sql forgetting[] = {SQL_CURSORS_FORGET, SQL_FOLDERS_FORGET};
    for (size_t i = 0; status == OK && i < sizeof forgetting / sizeof *forgetting; i++) {
        sqlite3_stmt *forget = ledger_statement(ledger, forgetting[i]);
        bind_int(forget, 1, scope);
        bind_int(forget, 2, pass->whole_ns);
        status = ledger_run(ledger, forget, "forgetting old folders", err);
    }
    return ledger_end(ledger, status, err);
}

/* --- what runs were asked for --- */

static enum status add_asked(struct ledger *ledger, int64_t scope, const struct asked *asked,
                             struct err *err)
{
    sqlite3_stmt *clock = ledger_statement(ledger, SQL_ASKED_CLOCK);
    bind_int(clock, 1, scope);
    bind_int(clock, 2, asked->listed_ns);
    if (ledger_run(ledger, clock, "keeping the period", err) != OK) {
        return err->status;
    }
    sqlite3_stmt *add = ledger_statement(ledger, SQL_ASKED_ADD);
    bind_int(add, 1, scope);
    bind_int(add, 2, asked->window.from_ns);
    bind_int(add, 3, asked->window.to_ns);
    bind_int(add, 4, asked->listed_ns);
    if (ledger_run(ledger, add, "keeping the period", err) != OK) {
        return err->status;
    }
    sqlite3_stmt *tidy = ledger_statement(ledger, SQL_ASKED_TIDY);
    bind_int(tidy, 1, scope);
    return ledger_run(ledger, tidy, "keeping the period", err);
}

enum status ledger_add_asked(struct ledger *ledger, int64_t scope, const struct asked *asked,
                             struct err *err)
{
    enum status status = ledger_begin(ledger, err);
    if (status == OK) {
        status = add_asked(ledger, scope, asked, err);
    }
    return ledger_end(ledger, status, err);
}

enum status ledger_asked(struct ledger *ledger, int64_t scope, struct asked **out, size_t *n,
                         struct err *err)
{
    *out = NULL;
    *n = 0;
    ledger_lock(ledger);
    sqlite3_stmt *all = ledger_statement(ledger, SQL_ASKED);
    bind_int(all, 1, scope);
    bool row;
    enum status status;
    while ((status = ledger_step(ledger, all, &row, "reading the periods", err)) == OK && row) {
        *out = memory_grow(*out, (*n + 1) * sizeof **out);
        (*out)[(*n)++] = (struct asked){
            .window = {sqlite3_column_int64(all, 0), sqlite3_column_int64(all, 1)},
            .listed_ns = sqlite3_column_int64(all, 2),
        };
    }
    ledger_unlock(ledger);
    return status;
}

enum status ledger_knows_objects(struct ledger *ledger, int64_t scope, bool *knows, struct err *err)
{
    ledger_lock(ledger);
    sqlite3_stmt *any = ledger_statement(ledger, SQL_OBJECT_ANY);
    bind_int(any, 1, scope);
    enum status status = ledger_step(ledger, any, knows, "looking for objects", err);
    sqlite3_reset(any);
    ledger_unlock(ledger);
    return status;
}
