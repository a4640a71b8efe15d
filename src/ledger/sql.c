/*
 * sql: the ledger's statements, how they are run, and its transactions. What the tables are
 * is said in ledger.c. Called by the other parts of the ledger, with its lock held.
 */
#include "ledger/private.h"

#define OBJECTS_OF_JOB "scope IN (SELECT id FROM scope WHERE job = ?1)"

#define TO_READ_UNDER_PREFIX "scope = ?1 AND key >= ?2 AND key < ?3 AND state IN (0, 2)"

/* Those that the job has read before it read ?1. */
#define OTHER_SCOPES                      \
    "SELECT id FROM scope WHERE id <> ?1" \
    " AND job = (SELECT job FROM scope WHERE id = ?1)"
#define OTHER_PLACES "scope IN (" OTHER_SCOPES ")"

/* The only one that can be: no folder of a scope begins with the name of another. */
#define FOLDER_OF_KEY                                   \
    "SELECT prefix, whole FROM folder WHERE scope = ?1" \
    " AND prefix <= ?2 ORDER BY prefix DESC LIMIT 1"

#define STARTED "(SELECT started FROM run WHERE id = ?1)"

/* struct letter_filter */
#define LETTERS_THAT_MATCH                                                                    \
    "(?1 IS NULL OR s.job = ?1)"                                                              \
    " AND (?2 IS NULL OR instr(folded_digits(d.reason), folded_digits(?2)) > 0)"              \
    " AND (?3 IS NULL OR d.buried >= ?3)"                                                     \
    " AND coalesce(d.buried, 0) < ?7"                                                         \
    " AND (?8 = 0 OR NOT EXISTS (SELECT 1 FROM object o WHERE o.scope = d.scope AND o.key = " \
    "d.key AND o.gone IS NULL))"

/* Of an object that a listing did not have: it was read once, and was still there at ?4. */
#define ONLY_JUST_GONE "(state IN (1, 3) OR counts IS NOT NULL) AND (gone IS NULL OR gone > ?4)"

/* Of the objects that are to be read; the index has them in the order of their dates. */
#define TO_READ "scope = ?1 AND state IN (0, 2) AND gone IS NULL"

static const char *const texts[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_BEGIN_READING] = "BEGIN",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",

    [SQL_SCOPE_ADD] = "INSERT INTO scope (job, endpoint, bucket, folders) VALUES (?1, ?2, ?3, ?4)"
                      " ON CONFLICT DO NOTHING",
    [SQL_SCOPE_FIND] = "SELECT id FROM scope"
                       " WHERE job = ?1 AND endpoint = ?2 AND bucket = ?3 AND folders = ?4",

    [SQL_FINGERPRINT] = "SELECT value FROM fingerprint WHERE job = ?1 AND sink = ?2",
    [SQL_FINGERPRINT_SET] = "INSERT INTO fingerprint (job, sink, value) VALUES (?1, ?2, ?3)"
                            " ON CONFLICT DO UPDATE SET value = excluded.value",

    [SQL_OBJECT_PAGE] = "SELECT key, etag, size, last_modified, state, gone FROM object"
                        " WHERE scope = ?1 AND key >= ?2 AND key < ?3 ORDER BY key LIMIT ?4",
    [SQL_OBJECT_FIND] = "SELECT key, etag, size, last_modified, state, gone FROM object"
                        " WHERE scope = ?1 AND key = ?2",
    /* as with a failed outcome: of content that was read before, the counts stay until the next one
     */
    [SQL_OBJECT_ENTER] =
        "INSERT INTO object (scope, key, etag, size, last_modified, state, attempts)"
        " VALUES (?1, ?2, ?3, ?4, ?5, 0, 0) ON CONFLICT DO UPDATE SET etag = excluded.etag,"
        " size = excluded.size, last_modified = excluded.last_modified, state = 0, attempts = 0,"
        " error = NULL, gone = NULL,"
        " counts = CASE WHEN etag = excluded.etag AND size = excluded.size THEN counts END",
    [SQL_OBJECT_BACK] = "UPDATE object SET gone = NULL WHERE scope = ?1 AND key = ?2",
    [SQL_OBJECT_PRUNABLE] = "SELECT key, counts, NOT (" ONLY_JUST_GONE ") FROM object"
                            " WHERE scope = ?1 AND key >= ?2 AND key < ?3 ORDER BY key LIMIT ?5",
    [SQL_OBJECT_REMOVE] = "DELETE FROM object WHERE scope = ?1 AND key >= ?2 AND key <= ?3"
                          " AND NOT (" ONLY_JUST_GONE ")",
    /* a later mark was set by a wrong clock */
    [SQL_OBJECT_GONE] = "UPDATE object SET gone = ?4 WHERE scope = ?1 AND key >= ?2 AND key <= ?3"
                        " AND (gone IS NULL OR gone > ?4)",
    [SQL_OBJECT_SETTLE] = "UPDATE object"
                          " SET state = ?4, attempts = attempts + ?5, error = ?6,"
                          " counts = coalesce(?7, counts)"
                          " WHERE scope = ?1 AND key = ?2 AND etag = ?3",

    [SQL_SINK_ADD] = "INSERT INTO sink (job, number, name)"
                     " SELECT ?1, coalesce(max(number) + 1, 0), ?2 FROM sink WHERE job = ?1"
                     " ON CONFLICT (job, name) DO NOTHING",
    [SQL_SINK_FIND] = "SELECT number FROM sink WHERE job = ?1 AND name = ?2",
    /* ?3: the sink's place in `to:`, which was its number before there were names. NULL: nothing
     * has been counted for it. */
    [SQL_SINK_LOOK] = "SELECT CASE WHEN EXISTS (SELECT 1 FROM sink WHERE job = ?1)"
                      " THEN (SELECT number FROM sink WHERE job = ?1 AND name = ?2) ELSE ?3 END",

    [SQL_TOTAL_OBJECT] = "INSERT INTO total_object (scope, objects, read) VALUES (?1, 1, ?2)"
                         " ON CONFLICT DO UPDATE SET objects = objects + 1, read = read + ?2",
    [SQL_TOTAL_SINK] =
        "INSERT INTO total_sink (scope, sink, stored, duplicate, expired, dead, read)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET"
        " stored = stored + ?3, duplicate = duplicate + ?4,"
        " expired = expired + ?5, dead = dead + ?6, read = read + ?7",
    [SQL_TOTAL_POINTS] = "INSERT INTO total_points (scope, sink, measurement, day, points)"
                         " VALUES (?1, ?2, ?3, ?4, ?5)"
                         " ON CONFLICT DO UPDATE SET points = points + ?5",

    [SQL_WORK_TOTALS] = "SELECT count(*), CAST(min(total(size), 9e18) AS INTEGER)"
                        " FROM object INDEXED BY object_work WHERE " TO_READ
                        " AND last_modified >= ?2 AND last_modified < ?3",
    [SQL_WORK_PAGE] = "SELECT key, etag, size, last_modified"
                      " FROM object INDEXED BY object_work WHERE " TO_READ
                      " AND state = 0 AND (last_modified, key) > (?2, ?3) AND last_modified < ?4"
                      " ORDER BY last_modified, key LIMIT ?5",
    [SQL_WORK_FAILED] = "SELECT key, etag, size, last_modified"
                        " FROM object INDEXED BY object_work WHERE " TO_READ
                        " AND state = 2 AND last_modified >= ?2 AND last_modified < ?3"
                        " ORDER BY attempts, last_modified, key LIMIT ?4",

    [SQL_OBJECT_ANY] = "SELECT 1 WHERE EXISTS (SELECT 1 FROM object WHERE scope = ?1)"
                       " OR EXISTS (SELECT 1 FROM total_object WHERE scope = ?1)",
    [SQL_FOLDER_WHOLE] = "SELECT whole FROM folder WHERE scope = ?1 AND prefix = ?2",
    [SQL_FOLDER_SET] = "INSERT INTO folder (scope, prefix, whole) VALUES (?1, ?2, ?3)"
                       " ON CONFLICT DO UPDATE SET whole = ?3",
    [SQL_FOLDER_DOUBT] = "UPDATE folder SET whole = ?3"
                         " WHERE scope = ?1 AND prefix = substr(?2, 1, length(prefix))",
    [SQL_FOLDER_DOUBTED] = "SELECT prefix FROM folder WHERE scope = ?1 AND whole = ?2 LIMIT 1",
    [SQL_FOLDER_OUTSIDE] =
        "SELECT prefix FROM folder"
        " WHERE scope = ?1 AND (whole < ?2 OR whole >= ?3) ORDER BY whole LIMIT 1",
    /* the first key at or behind a prefix begins with it, or none does */
    [SQL_FOLDERS_FORGET] = "DELETE FROM folder WHERE scope = ?1 AND whole < ?2 AND prefix IS NOT"
                           " (SELECT substr(o.key, 1, length(folder.prefix)) FROM object o"
                           " WHERE o.scope = ?1 AND o.key >= folder.prefix ORDER BY o.key LIMIT 1)",
    /* those out of the scheduled runs' reach were last listed whole before those in it, but for a
     * day after a pull or after their turn */
    [SQL_FOLDER_DAILY] =
        "SELECT f.whole FROM (" FOLDER_OF_KEY ") f JOIN listing_pass p ON p.scope = ?1"
        " WHERE f.prefix = substr(?2, 1, length(f.prefix))"
        " AND (f.whole >= p.whole OR f.whole = ?3)",
    [SQL_CURSORS] = "SELECT stem, key FROM cursor WHERE scope = ?1 AND prefix = ?2 LIMIT ?3",
    [SQL_CURSORS_CLEAR] = "DELETE FROM cursor WHERE scope = ?1 AND prefix = ?2",
    [SQL_CURSORS_FORGET] = "DELETE FROM cursor WHERE scope = ?1 AND prefix IN"
                           " (SELECT prefix FROM folder WHERE scope = ?1 AND whole < ?2)",
    [SQL_CURSOR_ADD] = "INSERT INTO cursor (scope, prefix, stem, key) VALUES (?1, ?2, ?3, ?4)",
    [SQL_PASS] = "SELECT from_ns, whole, listed, looked FROM listing_pass WHERE scope = ?1",
    [SQL_PASS_SET] = "INSERT INTO listing_pass (scope, from_ns, whole, listed, looked)"
                     " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET from_ns = ?2,"
                     " whole = ?3, listed = ?4, looked = ?5",
    [SQL_ASKED] = "SELECT from_ns, to_ns, listed FROM asked WHERE scope = ?1 ORDER BY from_ns",
    /* a run that began later than this one had a wrong clock */
    [SQL_ASKED_CLOCK] = "UPDATE asked SET to_ns = min(to_ns, ?2), listed = ?2"
                        " WHERE scope = ?1 AND listed > ?2",
    /* of what becomes one, the end is the last one's, and so is the time of its listing */
    [SQL_ASKED_ADD] = "INSERT INTO asked (scope, from_ns, to_ns, listed) SELECT ?1,"
                      " min(?2, coalesce(min(from_ns), ?2)), max(?3, coalesce(max(to_ns), ?3)),"
                      " coalesce(max(listed) FILTER (WHERE to_ns > ?3), ?4)"
                      " FROM asked WHERE scope = ?1 AND from_ns <= ?3 AND to_ns >= ?2"
                      " ON CONFLICT DO UPDATE SET to_ns = excluded.to_ns, listed = excluded.listed",
    /* what lies within another has become part of it */
    [SQL_ASKED_TIDY] = "DELETE FROM asked WHERE scope = ?1 AND EXISTS (SELECT 1 FROM asked a"
                       " WHERE a.scope = ?1 AND a.from_ns < asked.from_ns"
                       " AND a.to_ns >= asked.to_ns)",
    [SQL_WAITING] =
        "SELECT count(*) FROM object INDEXED BY object_work WHERE " TO_READ " AND state = 0"
        " AND last_modified >= ?2 AND last_modified < ?3",

    /* what was read of it before is stored, and stays counted; NOT INDEXED goes by the keys, so
     * that a backlog elsewhere costs nothing */
    [SQL_LEFT_SETTLE] = "UPDATE object NOT INDEXED SET state = 1, error = NULL"
                        " WHERE " TO_READ_UNDER_PREFIX " AND counts IS NOT NULL",
    [SQL_LEFT_REMOVE] = "DELETE FROM object NOT INDEXED WHERE " TO_READ_UNDER_PREFIX,
    [SQL_OTHERS_ANY] = "SELECT EXISTS (" OTHER_SCOPES ")",
    [SQL_OTHERS_SETTLE] = "UPDATE object INDEXED BY object_work SET state = 1, error = NULL"
                          " WHERE " OTHER_PLACES " AND state IN (0, 2) AND counts IS NOT NULL",
    [SQL_OTHERS_REMOVE] = "DELETE FROM object INDEXED BY object_work"
                          " WHERE " OTHER_PLACES " AND state IN (0, 2)",
    [SQL_OTHERS_PASS] = "DELETE FROM listing_pass WHERE " OTHER_PLACES,
    [SQL_OTHERS_ASKED] = "DELETE FROM asked WHERE " OTHER_PLACES,
    [SQL_OTHERS_OBJECT] = "DELETE FROM object WHERE " OTHER_PLACES " AND key = ?2 AND etag = ?3",
    [SQL_OTHERS_LETTERS] = "DELETE FROM dead_letter WHERE " OTHER_PLACES " AND key = ?2",

    [SQL_MEASUREMENT_ADD] = "INSERT INTO measurement (name) VALUES (?1)",
    [SQL_MEASUREMENT_FIND] = "SELECT id FROM measurement WHERE name = ?1",

    [SQL_LETTER_BURY] =
        "INSERT INTO dead_letter (scope, key, run, line, sink, reason, len, hash, bytes, buried)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
        " ON CONFLICT (scope, key, run, line, sink)"
        " DO UPDATE SET reason = ?6, len = ?7, hash = ?8, bytes = ?9, buried = ?10",
    [SQL_LETTER_DROP_OTHERS] =
        "DELETE FROM dead_letter WHERE scope = ?1 AND key = ?2 AND run <> ?3",
    [SQL_LETTER_DROP_ATTEMPT] =
        "DELETE FROM dead_letter WHERE scope = ?1 AND key = ?2 AND run = ?3",
    [SQL_LETTER_DROP] = "DELETE FROM dead_letter WHERE id = ?1",
    [SQL_LETTER_PAGE] = "SELECT d.id, d.buried, s.job, d.sink, d.key, d.line, d.reason"
                        " FROM dead_letter d JOIN scope s ON s.id = d.scope"
                        " WHERE " LETTERS_THAT_MATCH " AND d.id < ?4 ORDER BY d.id DESC LIMIT ?5",
    [SQL_LETTER_COUNT] = "SELECT count(*) FROM dead_letter d JOIN scope s ON s.id = d.scope"
                         " WHERE " LETTERS_THAT_MATCH,
    [SQL_LETTER_FIND] =
        "SELECT d.id, d.buried, s.job, d.sink, d.key, d.line, d.reason, d.scope, d.run, d.len,"
        " d.hash, d.bytes, s.endpoint, s.bucket, s.folders"
        " FROM dead_letter d JOIN scope s ON s.id = d.scope WHERE d.id = ?1",
    [SQL_LETTER_OBJECTS] = "SELECT DISTINCT d.scope, s.job, d.key"
                           " FROM dead_letter d JOIN scope s ON s.id = d.scope"
                           " WHERE " LETTERS_THAT_MATCH " AND (d.scope, d.key) > (?4, ?5)"
                           " ORDER BY d.scope, d.key LIMIT ?6",
    [SQL_OBJECT_STATE] = "SELECT state FROM object"
                         " WHERE scope = ?1 AND key = ?2 AND gone IS NULL",
    /* its counts stay until the next outcome: its points are still in the sinks */
    [SQL_OBJECT_REQUEUE] = "UPDATE object SET state = 0, attempts = 0, error = NULL"
                           " WHERE scope = ?1 AND key = ?2",

    [SQL_RUN_BEGIN] = "INSERT INTO run (job, started) VALUES (?1, ?2)",
    [SQL_RUN_END] = "UPDATE run SET ended = ?2, ok = ?3 WHERE id = ?1",
    /* A run says nothing of the time after its start, and what an earlier one said of it was said
     * by a wrong clock. */
    [SQL_RUN_GOOD] =
        "INSERT INTO good_window (job, from_ns, to_ns)"
        " SELECT job, ?2, min(?3, started) FROM run WHERE id = ?1 AND started > ?2"
        " ON CONFLICT DO UPDATE SET from_ns = min(from_ns, excluded.from_ns),"
        " to_ns = CASE WHEN to_ns > " STARTED " THEN excluded.to_ns"
        "  ELSE max(to_ns, excluded.to_ns) END"
        " WHERE (excluded.from_ns <= to_ns AND excluded.to_ns >= from_ns) OR from_ns > " STARTED,
    [SQL_RUN_FIRST] = "SELECT started FROM run WHERE job = ?1 ORDER BY id LIMIT 1",
    [SQL_RUN_PRUNE] = "DELETE FROM run WHERE job = ?1 AND id <="
                      " (SELECT id FROM run WHERE job = ?1 ORDER BY id DESC LIMIT 1 OFFSET 1000)"
                      " AND id > (SELECT min(id) FROM run WHERE job = ?1)",
    [SQL_RUN_NOTE] = "UPDATE run SET error = ?2, unmatched = ?3, list_requests = ?4 WHERE id = ?1",

    /* A record dated after the run's start counts as dated then: a wrong clock is no freshness. */
    [SQL_KIND_NEWEST] = "INSERT INTO kind (job, name, newest)"
                        " SELECT job, ?2, min(started, ?3) FROM run WHERE id = ?1"
                        " ON CONFLICT DO UPDATE SET newest = excluded.newest"
                        " WHERE excluded.newest > newest OR newest > " STARTED,
    [SQL_KIND_ARRIVAL] = "INSERT INTO kind_arrival (job, name, at)"
                         " SELECT job, ?2, started FROM run WHERE id = ?1 ON CONFLICT DO NOTHING",
    [SQL_KIND_FORGET] =
        "DELETE FROM kind_arrival WHERE job = (SELECT job FROM run WHERE id = ?1) AND name = ?2"
        " AND (at > " STARTED " OR at <= (SELECT at FROM kind_arrival"
        "  WHERE job = (SELECT job FROM run WHERE id = ?1) AND name = ?2"
        "  AND at <= " STARTED " ORDER BY at DESC LIMIT 1 OFFSET ?3))",

    [SQL_STATUS_RUN] = "SELECT started, ended, ok FROM run WHERE job = ?1 ORDER BY id DESC LIMIT 1",
    [SQL_STATUS_ENDED] = "SELECT ok, error, list_requests FROM run"
                         " WHERE job = ?1 AND ended IS NOT NULL ORDER BY id DESC LIMIT 1",
    [SQL_STATUS_LISTED] = "SELECT unmatched FROM run"
                          " WHERE job = ?1 AND unmatched IS NOT NULL ORDER BY id DESC LIMIT 1",
    [SQL_STATUS_GOOD] = "SELECT from_ns, to_ns FROM good_window WHERE job = ?1",
    [SQL_STATUS_OBJECTS] = "SELECT CASE WHEN gone IS NULL THEN state ELSE 1 END, counts"
                           " FROM object WHERE " OBJECTS_OF_JOB,
    [SQL_STATUS_TOTAL_OBJECT] = "SELECT objects, read FROM total_object WHERE " OBJECTS_OF_JOB,
    [SQL_STATUS_TOTAL_SINK] =
        "SELECT sink, stored, duplicate, expired, dead FROM total_sink WHERE " OBJECTS_OF_JOB,
    [SQL_STATUS_LETTERS] = "SELECT count(*), min(buried) FROM dead_letter WHERE " OBJECTS_OF_JOB,
    [SQL_STATUS_REASONS] =
        "SELECT folded_digits(reason), count(*) FROM dead_letter WHERE " OBJECTS_OF_JOB
        " GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10",
    [SQL_STATUS_KINDS] = "SELECT name, newest FROM kind WHERE job = ?1 ORDER BY name",
    [SQL_STATUS_ARRIVALS] = "SELECT name, at FROM kind_arrival WHERE job = ?1 ORDER BY name, at",
    [SQL_STATUS_ERROR] = "SELECT key, error FROM object WHERE " OBJECTS_OF_JOB
                         " AND state IN (2, 3) AND error IS NOT NULL AND gone IS NULL"
                         " ORDER BY last_modified, key LIMIT 1",

    [SQL_CLAIM_SINKS] = "SELECT job, number, name FROM sink",
    [SQL_CLAIM_MEASUREMENTS] = "SELECT id, name FROM measurement",
    [SQL_CLAIM_OBJECTS] = "SELECT s.job, o.key, o.state, o.counts, s.id, o.last_modified, o.gone"
                          " FROM scope s CROSS JOIN object o ON o.scope = s.id"
                          " ORDER BY s.id, o.key",
    [SQL_CLAIM_GONE] = "SELECT s.job, t.objects, t.read"
                       " FROM total_object t JOIN scope s ON s.id = t.scope ORDER BY s.id",
    [SQL_CLAIM_TOTALS] =
        "SELECT s.job, t.scope, t.sink, t.read, t.stored, t.duplicate, t.expired, t.dead"
        " FROM total_sink t JOIN scope s ON s.id = t.scope ORDER BY t.scope, t.sink",
    [SQL_CLAIM_POINTS] = "SELECT measurement, day, points FROM total_points"
                         " WHERE scope = ?1 AND sink = ?2 ORDER BY measurement, day",
};

void ledger_finalize(struct ledger *ledger)
{
    for (int i = 0; i < SQL_COUNT; i++) {
        sqlite3_finalize(ledger->statements[i]);
    }
}

enum status ledger_fault(struct ledger *ledger, const char *doing, struct err *err)
{
    return ledger_file_fault(ledger->db, ledger->path, doing, err);
}

/* --- running --- */

sqlite3_stmt *ledger_statement(struct ledger *ledger, enum ledger_sql sql)
{
    sqlite3_stmt **statement = &ledger->statements[sql];
    if (!*statement) {
        (void)sqlite3_prepare_v3(ledger->db, texts[sql], -1, SQLITE_PREPARE_PERSISTENT, statement,
                                 NULL);
    }
    return *statement;
}

void bind_int(sqlite3_stmt *statement, int parameter, int64_t value)
{
    sqlite3_bind_int64(statement, parameter, value);
}

void bind_blob(sqlite3_stmt *statement, int parameter, struct slice value)
{
    /* NULL would bind NULL, which compares with nothing */
    sqlite3_bind_blob64(statement, parameter, value.at ? value.at : "", value.len, SQLITE_STATIC);
}

void bind_text(sqlite3_stmt *statement, int parameter, const char *value)
{
    sqlite3_bind_text(statement, parameter, value, -1, SQLITE_STATIC);
}

struct slice column_blob(sqlite3_stmt *statement, int column)
{
    const char *at = sqlite3_column_blob(statement, column);
    return slice_make(at ? at : "", (size_t)sqlite3_column_bytes(statement, column));
}

struct slice column_key(sqlite3_stmt *statement, int column)
{
    struct slice key = column_blob(statement, column);
    key.len = key.len < OBJECT_KEY_MAX_BYTES ? key.len : OBJECT_KEY_MAX_BYTES;
    return key;
}

void column_object(sqlite3_stmt *statement, struct arena *keys, struct object *out)
{
    struct slice etag = column_blob(statement, 1);
    memset(out, 0, sizeof *out);
    memcpy(out->etag, etag.at, etag.len < sizeof out->etag ? etag.len : sizeof out->etag);
    out->key = arena_slice(keys, column_key(statement, 0));
    out->size = sqlite3_column_int64(statement, 2);
    out->last_modified_ns = sqlite3_column_int64(statement, 3);
}

enum status ledger_step(struct ledger *ledger, sqlite3_stmt *statement, bool *row,
                        const char *doing, struct err *err)
{
    int code = sqlite3_step(statement);
    *row = code == SQLITE_ROW;
    if (*row) {
        return OK;
    }
    enum status status = code == SQLITE_DONE ? OK : ledger_fault(ledger, doing, err);
    sqlite3_reset(statement);
    return status;
}

enum status ledger_run(struct ledger *ledger, sqlite3_stmt *statement, const char *doing,
                       struct err *err)
{
    bool row;
    enum status status = ledger_step(ledger, statement, &row, doing, err);
    if (row) {
        sqlite3_reset(statement);
    }
    return status;
}

/* --- transactions --- */

enum status ledger_begin(struct ledger *ledger, struct err *err)
{
    ledger_lock(ledger);
    return ledger_run(ledger, ledger_statement(ledger, SQL_BEGIN), "beginning", err);
}

enum status ledger_begin_reading(struct ledger *ledger, struct err *err)
{
    ledger_lock(ledger);
    return ledger_run(ledger, ledger_statement(ledger, SQL_BEGIN_READING), "beginning", err);
}

enum status ledger_end(struct ledger *ledger, enum status status, struct err *err)
{
    if (status == OK) {
        status = ledger_run(ledger, ledger_statement(ledger, SQL_COMMIT), "committing", err);
    }
    /* Some faults (a full disk) have rolled back already, a failed begin has nothing to. */
    if (status != OK && !sqlite3_get_autocommit(ledger->db)) {
        struct err second; /* the first is what matters; a transaction still open shows next time */
        (void)ledger_run(ledger, ledger_statement(ledger, SQL_ROLLBACK), "rolling back", &second);
    }
    ledger_unlock(ledger);
    return status;
}
