/*
 * left: objects that nobody is to read any more: the configuration ignores them, or the job has
 * left their place; and objects that moved with it. Called by the listing half of a run and by
 * settle.c.
 */
#include "ledger/known.h"

static enum status give_up(struct ledger *ledger, sqlite3_stmt *statement, int64_t scope,
                           uint64_t *objects, struct err *err)
{
    bind_int(statement, 1, scope);
    enum status status = ledger_run(ledger, statement, "giving objects up", err);
    *objects += status == OK ? (uint64_t)sqlite3_changes64(ledger->db) : 0;
    return status;
}

static enum status give_up_prefix(struct ledger *ledger, int64_t scope, struct slice prefix,
                                  uint64_t *objects, struct err *err)
{
    static const enum ledger_sql steps[] = {SQL_LEFT_SETTLE, SQL_LEFT_REMOVE};
    char end[KNOWN_END_MAX_BYTES];
    size_t end_len = known_prefix_end(end, prefix);
    enum status status = OK;
    for (size_t i = 0; status == OK && i < sizeof steps / sizeof steps[0]; i++) {
        sqlite3_stmt *statement = ledger_statement(ledger, steps[i]);
        bind_blob(statement, 2, prefix);
        bind_blob(statement, 3, slice_make(end, end_len));
        status = give_up(ledger, statement, scope, objects, err);
    }
    return status;
}

enum status ledger_give_up(struct ledger *ledger, int64_t scope, struct slice prefix,
                           uint64_t *objects, struct err *err)
{
    *objects = 0;
    if (prefix.len > OBJECT_KEY_MAX_BYTES) {
        return OK; /* no key begins so */
    }
    enum status status = ledger_begin(ledger, err);
    if (status == OK) {
        status = give_up_prefix(ledger, scope, prefix, objects, err);
    }
    return ledger_end(ledger, status, err);
}

enum status ledger_has_others(struct ledger *ledger, int64_t scope, bool *has, struct err *err)
{
    sqlite3_stmt *any = ledger_statement(ledger, SQL_OTHERS_ANY);
    bind_int(any, 1, scope);
    bool row;
    enum status status = ledger_step(ledger, any, &row, "looking for other places", err);
    *has = row && sqlite3_column_int(any, 0);
    if (row) {
        sqlite3_reset(any);
    }
    return status;
}

static enum status give_up_others(struct ledger *ledger, int64_t scope, uint64_t *objects,
                                  struct err *err)
{
    static const enum ledger_sql steps[] = {SQL_OTHERS_SETTLE, SQL_OTHERS_REMOVE, SQL_OTHERS_PASS,
                                            SQL_OTHERS_ASKED};
    enum status status = OK;
    for (size_t i = 0; status == OK && i < sizeof steps / sizeof steps[0]; i++) {
        uint64_t rows = 0;
        status = give_up(ledger, ledger_statement(ledger, steps[i]), scope, &rows, err);
        *objects += i < 2 ? rows : 0;
    }
    return status;
}

enum status ledger_give_up_others(struct ledger *ledger, int64_t scope, uint64_t *objects,
                                  struct err *err)
{
    *objects = 0;
    bool has_others = false;
    enum status status = ledger_begin(ledger, err);
    if (status == OK) {
        status = ledger_has_others(ledger, scope, &has_others, err);
    }
    if (status == OK && has_others) {
        status = give_up_others(ledger, scope, objects, err);
    }
    return ledger_end(ledger, status, err);
}

enum status ledger_moved(struct ledger *ledger, int64_t scope, struct slice key,
                         const unsigned char etag[16], struct err *err)
{
    sqlite3_stmt *object = ledger_statement(ledger, SQL_OTHERS_OBJECT);
    bind_int(object, 1, scope);
    bind_blob(object, 2, key);
    bind_blob(object, 3, slice_make((const char *)etag, 16));
    enum status status = ledger_run(ledger, object, "moving an object", err);
    if (status != OK || sqlite3_changes(ledger->db) == 0) {
        return status;
    }
    sqlite3_stmt *letters = ledger_statement(ledger, SQL_OTHERS_LETTERS);
    bind_int(letters, 1, scope);
    bind_blob(letters, 2, key);
    return ledger_run(ledger, letters, "moving an object", err);
}
