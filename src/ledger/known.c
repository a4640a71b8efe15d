/* known: see known.h. */
#include "ledger/known.h"

enum status known_begin(struct known_keys *known, struct ledger *ledger, int64_t scope,
                        struct slice prefix, struct err *err)
{
    if (prefix.len > OBJECT_KEY_MAX_BYTES) {
        return err_set(err, FAILED, "a prefix of %zu bytes: %d is the most", prefix.len,
                       OBJECT_KEY_MAX_BYTES);
    }
    known->ledger = ledger;
    known->scope = scope;
    if (prefix.len) {
        memcpy(known->next_page, prefix.at, prefix.len);
    }
    known->next_page_len = prefix.len;
    known->end_len = known_prefix_end(known->end, prefix);
    return OK;
}

void known_finish(struct known_keys *known)
{
    arena_finish(&known->keys);
}

size_t known_successor(char *to, struct slice key)
{
    memcpy(to, key.at, key.len);
    to[key.len] = '\0';
    return key.len + 1;
}

size_t known_prefix_end(char to[KNOWN_END_MAX_BYTES], struct slice prefix)
{
    if (prefix.len) {
        memcpy(to, prefix.at, prefix.len);
    }
    /* no key is longer than what follows the prefix here, so none with the prefix comes after */
    memset(to + prefix.len, 0xFF, OBJECT_KEY_MAX_BYTES + 1);
    return prefix.len + OBJECT_KEY_MAX_BYTES + 1;
}

struct slice known_end(const struct known_keys *known)
{
    return slice_make(known->end, known->end_len);
}

bool known_is_content(const struct object *a, const struct object *b)
{
    return a->size == b->size && memcmp(a->etag, b->etag, sizeof a->etag) == 0;
}

/* --- rows --- */

static void read_row(sqlite3_stmt *statement, struct arena *keys, struct known_row *row)
{
    column_object(statement, keys, &row->object);
    row->state = (enum object_state)sqlite3_column_int(statement, 4);
    row->gone = sqlite3_column_type(statement, 5) != SQLITE_NULL;
    row->gone_ns = row->gone ? sqlite3_column_int64(statement, 5) : 0;
}

static enum status read_page(struct known_keys *known, struct err *err)
{
    arena_reset(&known->keys);
    known->n_rows = known->at = 0;
    sqlite3_stmt *page = ledger_statement(known->ledger, SQL_OBJECT_PAGE);
    bind_int(page, 1, known->scope);
    bind_blob(page, 2, slice_make(known->next_page, known->next_page_len));
    bind_blob(page, 3, known_end(known));
    bind_int(page, 4, LEDGER_COMMIT_KEYS);
    bool row;
    enum status status;
    while ((status = ledger_step(known->ledger, page, &row, "reading keys", err)) == OK && row) {
        read_row(page, &known->keys, &known->page[known->n_rows++]);
    }
    return status;
}

enum status known_row_now(struct known_keys *known, struct known_row **row, struct err *err)
{
    *row = NULL;
    if (known->at == known->n_rows && !known->last_page) {
        ledger_lock(known->ledger);
        enum status status = read_page(known, err);
        ledger_unlock(known->ledger);
        if (status != OK) {
            return status;
        }
        known->last_page = known->n_rows < LEDGER_COMMIT_KEYS;
        if (known->n_rows) {
            known->next_page_len =
                known_successor(known->next_page, known->page[known->n_rows - 1].object.key);
        }
    }
    if (known->at < known->n_rows) {
        *row = &known->page[known->at];
    }
    return OK;
}

void known_skip(struct known_keys *known, struct slice after)
{
    while (known->at < known->n_rows &&
           slice_compare(known->page[known->at].object.key, after) <= 0) {
        known->at++;
    }
    if (known->at == known->n_rows && !known->last_page) {
        known->next_page_len = known_successor(known->next_page, after);
    }
}

/* --- one key --- */

static enum status find_row(struct ledger *ledger, int64_t scope, struct slice key,
                            struct arena *keys, struct known_row *out, bool *found, struct err *err)
{
    sqlite3_stmt *find = ledger_statement(ledger, SQL_OBJECT_FIND);
    bind_int(find, 1, scope);
    bind_blob(find, 2, key);
    enum status status = ledger_step(ledger, find, found, "finding a key", err);
    if (*found) {
        read_row(find, keys, out);
        sqlite3_reset(find);
    }
    return status;
}

enum status known_find(struct ledger *ledger, int64_t scope, struct slice key, struct arena *keys,
                       struct known_row *out, bool *found, struct err *err)
{
    ledger_lock(ledger);
    enum status status = find_row(ledger, scope, key, keys, out, found, err);
    ledger_unlock(ledger);
    return status;
}
