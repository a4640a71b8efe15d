/* letters: see letters.h. */
#include "ledger/letters.h"

#include "base/cleanup.h"
#include "ledger/private.h"

#include <ctype.h>

/* --- reasons --- */

/* folded_digits(text): each run of digits as one '#', so that "byte 870: ..." and "byte 12: ..."
 * are one reason. */
static void folded_digits(sqlite3_context *context, int n, sqlite3_value **values)
{
    (void)n;
    struct slice text = {(const char *)sqlite3_value_text(values[0]), 0};
    text.len = (size_t)sqlite3_value_bytes(values[0]);
    if (!text.at) {
        return; /* NULL gives NULL */
    }
    CLEANUP(buf_finish) struct buf folded = {.max = text.len + 1};
    for (size_t i = 0; i < text.len; i++) {
        bool is_digit = isdigit((unsigned char)text.at[i]);
        bool follows = i > 0 && isdigit((unsigned char)text.at[i - 1]);
        if (!is_digit || !follows) {
            buf_add_byte(&folded, is_digit ? '#' : text.at[i]);
        }
    }
    sqlite3_result_text64(context, buf_text(&folded), folded.len, SQLITE_TRANSIENT, SQLITE_UTF8);
}

enum status ledger_letters_init(struct ledger *ledger, struct err *err)
{
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    int code = sqlite3_create_function(ledger->db, "folded_digits", 1, flags, NULL, folded_digits,
                                       NULL, NULL);
    return code == SQLITE_OK ? OK : ledger_fault(ledger, "opening", err);
}

/* --- reading --- */

static const char *keep_text(struct arena *texts, sqlite3_stmt *row, int column)
{
    return arena_text(texts, column_blob(row, column));
}

static void read_letter(sqlite3_stmt *row, struct arena *texts, struct letter *out)
{
    bool is_dated = sqlite3_column_type(row, 1) != SQLITE_NULL;
    *out = (struct letter){
        .id = sqlite3_column_int64(row, 0),
        .buried_ns = is_dated ? sqlite3_column_int64(row, 1) : INT64_MIN,
        .job = keep_text(texts, row, 2),
        .sink = keep_text(texts, row, 3),
        .key = arena_slice(texts, column_key(row, 4)),
        .line = (uint64_t)sqlite3_column_int64(row, 5),
        .reason = keep_text(texts, row, 6),
    };
}

static void read_details(sqlite3_stmt *row, struct arena *texts, struct letter_details *out)
{
    *out = (struct letter_details){
        .scope = sqlite3_column_int64(row, 7),
        .run = sqlite3_column_int64(row, 8),
        .len = (uint64_t)sqlite3_column_int64(row, 9),
        .hash = (uint64_t)sqlite3_column_int64(row, 10),
        .bytes = arena_slice(texts, column_blob(row, 11)),
        .endpoint = keep_text(texts, row, 12),
        .bucket = keep_text(texts, row, 13),
        .folders = keep_text(texts, row, 14),
    };
}

static sqlite3_stmt *matching(struct ledger *ledger, enum ledger_sql sql,
                              const struct letter_filter *filter)
{
    sqlite3_stmt *statement = ledger_statement(ledger, sql);
    bind_text(statement, 1, filter->job);
    bind_text(statement, 2, filter->reason);
    sqlite3_bind_null(statement, 3);
    if (filter->since_ns != INT64_MIN) {
        bind_int(statement, 3, filter->since_ns);
    }
    bind_int(statement, 7, filter->before_ns);
    bind_int(statement, 8, filter->gone);
    return statement;
}

static enum status read_page(struct ledger *ledger, sqlite3_stmt *page, struct arena *texts,
                             struct letter *out, size_t *n, struct err *err)
{
    bool row;
    enum status status;
    *n = 0;
    while ((status = ledger_step(ledger, page, &row, "reading dead letters", err)) == OK && row) {
        read_letter(page, texts, &out[(*n)++]);
    }
    return status;
}

enum status ledger_letter_page(struct ledger *ledger, const struct letter_filter *filter,
                               int64_t before, struct arena *texts, struct letter *out, size_t max,
                               size_t *n, struct err *err)
{
    ledger_lock(ledger);
    sqlite3_stmt *page = matching(ledger, SQL_LETTER_PAGE, filter);
    bind_int(page, 4, before);
    bind_int(page, 5, (int64_t)max);
    enum status status = read_page(ledger, page, texts, out, n, err);
    ledger_unlock(ledger);
    return status;
}

enum status ledger_letter_count(struct ledger *ledger, const struct letter_filter *filter,
                                uint64_t *count, struct err *err)
{
    *count = 0;
    ledger_lock(ledger);
    sqlite3_stmt *number = matching(ledger, SQL_LETTER_COUNT, filter);
    bool row;
    enum status status = ledger_step(ledger, number, &row, "counting dead letters", err);
    if (row) {
        *count = (uint64_t)sqlite3_column_int64(number, 0);
        sqlite3_reset(number);
    }
    ledger_unlock(ledger);
    return status;
}

enum status ledger_letters_drop(struct ledger *ledger, const int64_t *ids, size_t n,
                                uint64_t *dropped, struct err *err)
{
    *dropped = 0;
    enum status status = ledger_begin(ledger, err);
    for (size_t i = 0; status == OK && i < n; i++) {
        sqlite3_stmt *drop = ledger_statement(ledger, SQL_LETTER_DROP);
        bind_int(drop, 1, ids[i]);
        status = ledger_run(ledger, drop, "dropping dead letters", err);
        *dropped += status == OK ? (uint64_t)sqlite3_changes(ledger->db) : 0;
    }
    return ledger_end(ledger, status, err);
}

enum status ledger_letter(struct ledger *ledger, int64_t id, struct arena *texts,
                          struct letter *out, struct letter_details *details, struct err *err)
{
    ledger_lock(ledger);
    sqlite3_stmt *find = ledger_statement(ledger, SQL_LETTER_FIND);
    bind_int(find, 1, id);
    bool row;
    enum status status = ledger_step(ledger, find, &row, "finding a dead letter", err);
    if (row) {
        read_letter(find, texts, out);
        read_details(find, texts, details);
        sqlite3_reset(find);
    }
    ledger_unlock(ledger);
    if (status == OK && !row) {
        return err_set(err, AGAIN, "there is no dead letter of this number");
    }
    return status;
}

/* --- objects --- */

static enum status read_objects(struct ledger *ledger, sqlite3_stmt *page, struct arena *texts,
                                struct letter_object *out, size_t *n, struct err *err)
{
    bool row;
    enum status status;
    *n = 0;
    while ((status = ledger_step(ledger, page, &row, "reading dead letters", err)) == OK && row) {
        out[(*n)++] = (struct letter_object){
            .scope = sqlite3_column_int64(page, 0),
            .job = keep_text(texts, page, 1),
            .key = arena_slice(texts, column_key(page, 2)),
        };
    }
    return status;
}

enum status ledger_letter_objects(struct ledger *ledger, const struct letter_filter *filter,
                                  const struct letter_object *after, struct arena *texts,
                                  struct letter_object *out, size_t max, size_t *n, struct err *err)
{
    ledger_lock(ledger);
    sqlite3_stmt *page = matching(ledger, SQL_LETTER_OBJECTS, filter);
    bind_int(page, 4, after ? after->scope : INT64_MIN);
    bind_blob(page, 5, after ? after->key : slice_of(""));
    bind_int(page, 6, (int64_t)max);
    enum status status = read_objects(ledger, page, texts, out, n, err);
    ledger_unlock(ledger);
    return status;
}

static enum status find_state(struct ledger *ledger, int64_t scope, struct slice key,
                              enum object_state *state, struct err *err)
{
    sqlite3_stmt *find = ledger_statement(ledger, SQL_OBJECT_STATE);
    bind_int(find, 1, scope);
    bind_blob(find, 2, key);
    bool row;
    enum status status = ledger_step(ledger, find, &row, "finding an object", err);
    if (row) {
        *state = (enum object_state)sqlite3_column_int(find, 0);
        sqlite3_reset(find);
    }
    if (status == OK && !row) {
        return err_set(err, AGAIN, "the ledger does not know the object any more");
    }
    return status;
}

enum status ledger_object_state(struct ledger *ledger, int64_t scope, struct slice key,
                                enum object_state *state, struct err *err)
{
    ledger_lock(ledger);
    enum status status = find_state(ledger, scope, key, state, err);
    ledger_unlock(ledger);
    return status;
}

static enum status requeue(struct ledger *ledger, int64_t scope, struct slice key, bool *requeued,
                           struct err *err)
{
    enum object_state state = OBJECT_LISTED;
    enum status status = find_state(ledger, scope, key, &state, err);
    *requeued = status == OK && (state == OBJECT_SETTLED || state == OBJECT_QUARANTINED);
    if (!*requeued) {
        return status;
    }
    sqlite3_stmt *open = ledger_statement(ledger, SQL_OBJECT_REQUEUE);
    bind_int(open, 1, scope);
    bind_blob(open, 2, key);
    return ledger_run(ledger, open, "requeueing", err);
}

enum status ledger_requeue(struct ledger *ledger, int64_t scope, struct slice key, bool *requeued,
                           struct err *err)
{
    *requeued = false;
    enum status status = ledger_begin(ledger, err);
    if (status == OK) {
        status = requeue(ledger, scope, key, requeued, err);
    }
    return ledger_end(ledger, status, err);
}
