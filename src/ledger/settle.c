/*
 * settle: what became of the objects that were read, and the dead letters. Called by the
 * workers after every sink has acknowledged.
 */
#include "ledger/counts.h"
#include "ledger/private.h"

#include "base/cleanup.h"

/* A point per day over all of time and for 32 measurements in every sink would be less. */
enum { COUNTS_MAX_BYTES = 512 * 1024 * 1024 };

const char *object_state_name(enum object_state state)
{
    static const char *const names[] = {"listed", "settled", "failed", "quarantined"};
    return names[state];
}

/* The longest prefix of at most max bytes that does not end within a UTF-8 character. */
static struct slice cut_text(const char *text, size_t max)
{
    size_t len = strlen(text);
    if (len > max) {
        len = max;
        while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80) {
            len--;
        }
    }
    return slice_make(text, len);
}

static void bind_cut_text(sqlite3_stmt *statement, int parameter, const char *text)
{
    struct slice cut = text ? cut_text(text, LEDGER_ERROR_MAX_BYTES) : slice_make(NULL, 0);
    sqlite3_bind_text(statement, parameter, cut.at, (int)cut.len, SQLITE_STATIC);
}

/* --- counts --- */

static enum status find_measurement(struct ledger *ledger, const char *name, int64_t *id,
                                    struct err *err)
{
    sqlite3_stmt *find = ledger_statement(ledger, SQL_MEASUREMENT_FIND);
    bind_text(find, 1, name);
    bool row;
    enum status status = ledger_step(ledger, find, &row, "finding a measurement", err);
    if (row) {
        *id = sqlite3_column_int64(find, 0);
        sqlite3_reset(find);
    }
    if (status != OK || row) {
        return status;
    }
    sqlite3_stmt *add = ledger_statement(ledger, SQL_MEASUREMENT_ADD);
    bind_text(add, 1, name);
    status = ledger_run(ledger, add, "adding a measurement", err);
    *id = sqlite3_last_insert_rowid(ledger->db);
    return status;
}

static enum status pack_days(struct ledger *ledger, const struct outcome *outcome,
                             struct buf *packed, struct err *err)
{
    for (size_t i = 0; i < outcome->n_days; i++) {
        const struct day_count *day = &outcome->days[i];
        int64_t measurement = 0;
        enum status status = find_measurement(ledger, day->measurement, &measurement, err);
        if (status != OK) {
            return status;
        }
        struct counts_day packable = {day->sink, (uint64_t)measurement, day->day, day->points};
        if (!counts_pack_day(&packable, packed)) {
            return err_set(err, FAILED, "counts of %zu days: too many", outcome->n_days);
        }
    }
    return OK;
}

/* Only objects that were read to their end have counts, and keep them until they are again: what a
 * failed attempt has written will be written again, and counted then. */
static enum status pack_outcome(struct ledger *ledger, const struct outcome *outcome,
                                struct buf *packed, struct err *err)
{
    if (outcome->state != OBJECT_SETTLED && outcome->state != OBJECT_QUARANTINED) {
        return OK;
    }
    struct counts counts = {
        .read = outcome->read, .dead_beyond = outcome->dead_beyond, .n_sinks = outcome->n_sinks};
    memcpy(counts.numbers, outcome->sink_numbers, outcome->n_sinks * sizeof counts.numbers[0]);
    memcpy(counts.sinks, outcome->sinks, outcome->n_sinks * sizeof counts.sinks[0]);
    counts_pack(&counts, packed);
    return pack_days(ledger, outcome, packed, err);
}

/* --- settling --- */

/* An attempt that failed will be made again and has found less than the last one that did not. */
static enum status drop_letters(struct ledger *ledger, int64_t scope, const struct outcome *outcome,
                                struct err *err)
{
    bool failed = outcome->state == OBJECT_FAILED;
    sqlite3_stmt *drop =
        ledger_statement(ledger, failed ? SQL_LETTER_DROP_ATTEMPT : SQL_LETTER_DROP_OTHERS);
    bind_int(drop, 1, scope);
    bind_blob(drop, 2, outcome->key);
    bind_int(drop, 3, outcome->attempt);
    return ledger_run(ledger, drop, "dropping dead letters", err);
}

/* A row with another etag was listed anew since: it stays as it is, to be read in its turn. */
static enum status settle(struct ledger *ledger, int64_t scope, const struct outcome *outcome,
                          bool has_others, struct buf *packed, struct err *err)
{
    buf_clear(packed);
    enum status status = pack_outcome(ledger, outcome, packed, err);
    if (status != OK) {
        return status;
    }
    sqlite3_stmt *update = ledger_statement(ledger, SQL_OBJECT_SETTLE);
    bind_int(update, 1, scope);
    bind_blob(update, 2, outcome->key);
    bind_blob(update, 3, slice_make((const char *)outcome->etag, sizeof outcome->etag));
    bind_int(update, 4, outcome->state);
    bind_int(update, 5, outcome->state == OBJECT_FAILED);
    bind_cut_text(update, 6, outcome->error);
    sqlite3_bind_null(update, 7);
    if (packed->len) {
        bind_blob(update, 7, buf_slice(packed));
    }
    status = ledger_run(ledger, update, "settling", err);
    if (status != OK || sqlite3_changes(ledger->db) == 0) {
        return status;
    }
    status = drop_letters(ledger, scope, outcome, err);
    bool is_done = outcome->state != OBJECT_FAILED;
    return status == OK && is_done && has_others
               ? ledger_moved(ledger, scope, outcome->key, outcome->etag, err)
               : status;
}

enum status ledger_settle(struct ledger *ledger, int64_t scope, const struct outcome *outcomes,
                          size_t n, struct err *err)
{
    CLEANUP(buf_finish) struct buf packed = {.max = COUNTS_MAX_BYTES};
    bool has_others = false;
    enum status status = ledger_begin(ledger, err);
    if (status == OK) {
        status = ledger_has_others(ledger, scope, &has_others, err);
    }
    for (size_t i = 0; status == OK && i < n; i++) {
        status = settle(ledger, scope, &outcomes[i], has_others, &packed, err);
    }
    return ledger_end(ledger, status, err);
}

/* --- dead letters --- */

/* The same line again in the same attempt (the object was fetched anew) replaces its letter. */
static enum status bury(struct ledger *ledger, int64_t scope, const struct dead_letter *letter,
                        struct err *err)
{
    struct slice bytes = letter->bytes;
    if (bytes.len > LEDGER_LETTER_MAX_BYTES) {
        bytes.len = LEDGER_LETTER_MAX_BYTES;
    }
    sqlite3_stmt *add = ledger_statement(ledger, SQL_LETTER_BURY);
    bind_int(add, 1, scope);
    bind_blob(add, 2, letter->key);
    bind_int(add, 3, letter->attempt);
    bind_int(add, 4, (int64_t)letter->line);
    bind_text(add, 5, letter->sink ? letter->sink : "");
    bind_cut_text(add, 6, letter->reason);
    bind_int(add, 7, (int64_t)letter->len);
    bind_int(add, 8, (int64_t)letter->hash);
    bind_blob(add, 9, bytes);
    bind_int(add, 10, letter->buried_ns);
    return ledger_run(ledger, add, "keeping a dead letter", err);
}

enum status ledger_bury(struct ledger *ledger, int64_t scope, const struct dead_letter *letters,
                        size_t n, struct err *err)
{
    enum status status = ledger_begin(ledger, err);
    for (size_t i = 0; status == OK && i < n; i++) {
        status = bury(ledger, scope, &letters[i], err);
    }
    return ledger_end(ledger, status, err);
}
