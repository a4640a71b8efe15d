/*
 * sqlite_count: how many points of a measurement the file holds on each day. Called by sqlite.c.
 * Only reads; makes neither file nor table: where these are not, there are no points.
 *
 * Day by day along the primary key, which begins with the time: nothing is sorted or kept.
 */
#include "sqlite_store.h"

#include "base/cleanup.h"
#include "base/timestamp.h"

#include <errno.h>
#include <sys/stat.h>

enum { LOCK_WAIT_MS = 60000 };

static void connection_close(sqlite3 **db)
{
    sqlite3_close(*db);
}

static void text_free(char **text)
{
    sqlite3_free(*text);
}

static enum status open_file(const char *path, sqlite3 **db, struct err *err)
{
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, db, flags, NULL) != SQLITE_OK) {
        return sqlite_failed(*db, err);
    }
    sqlite3_busy_timeout(*db, LOCK_WAIT_MS);
    return sqlite_run(*db, "BEGIN", err); /* one state of the file; closing ends it */
}

static enum status has_table(sqlite3 *db, const char *name, bool *has, struct err *err)
{
    static const char sql[] =
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE";
    CLEANUP(sqlite_statement_finish) sqlite3_stmt *find = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &find, NULL) != SQLITE_OK) {
        return sqlite_failed(db, err);
    }
    sqlite3_bind_text(find, 1, name, -1, SQLITE_STATIC);
    int code = sqlite3_step(find);
    *has = code == SQLITE_ROW;
    return *has || code == SQLITE_DONE ? OK : sqlite_failed(db, err);
}

/* sql: with the table's name to be put in, and a first and a last time. */
static enum status prepare(sqlite3 *db, const char *sql, const char *table, sqlite3_stmt **out,
                           struct err *err)
{
    CLEANUP(text_free) char *text = sqlite3_mprintf(sql, table);
    int code = sqlite3_prepare_v2(db, text, -1, out, NULL);
    return text && code == SQLITE_OK ? OK : sqlite_failed(db, err);
}

/* The number it gives for times from first_ns to last_ns; *none when that is NULL. */
static enum status ask(sqlite3 *db, sqlite3_stmt *statement, int64_t first_ns, int64_t last_ns,
                       int64_t *number, bool *none, struct err *err)
{
    sqlite3_bind_int64(statement, 1, first_ns);
    sqlite3_bind_int64(statement, 2, last_ns);
    enum status status = OK;
    if (sqlite3_step(statement) != SQLITE_ROW) {
        status = sqlite_failed(db, err);
    } else {
        *none = sqlite3_column_type(statement, 0) == SQLITE_NULL;
        *number = sqlite3_column_int64(statement, 0);
    }
    sqlite3_reset(statement);
    return status;
}

/* The last ns of a day, but before the end. */
static int64_t last_of_day(int64_t ns, int64_t end_ns)
{
    int64_t last_ns;
    bool fits =
        !__builtin_add_overflow(ns, NS_PER_DAY - 1 - timestamp_since_midnight(ns), &last_ns);
    return fits && last_ns < end_ns ? last_ns : end_ns - 1;
}

static enum status count_days(sqlite3 *db, struct tally *tally, struct err *err)
{
    CLEANUP(sqlite_statement_finish) sqlite3_stmt *next = NULL;
    CLEANUP(sqlite_statement_finish) sqlite3_stmt *count = NULL;
    if (prepare(db, "SELECT min(time) FROM \"%w\" WHERE time BETWEEN ?1 AND ?2", tally->measurement,
                &next, err) != OK ||
        prepare(db, "SELECT count(*) FROM \"%w\" WHERE time BETWEEN ?1 AND ?2", tally->measurement,
                &count, err) != OK) {
        return err->status;
    }
    enum status status = OK;
    int64_t from_ns = tally->window.from_ns, end_ns = tally->window.to_ns;
    while (status == OK && from_ns < end_ns) {
        int64_t first_ns = 0, points = 0;
        bool none = false;
        status = ask(db, next, from_ns, end_ns - 1, &first_ns, &none, err);
        if (status != OK || none) {
            return status;
        }
        int64_t last_ns = last_of_day(first_ns, end_ns);
        status = ask(db, count, first_ns, last_ns, &points, &none, err);
        if (status == OK) {
            status = tally->day(tally, timestamp_day(first_ns), (uint64_t)points, err);
        }
        from_ns = last_ns + 1; /* last_ns is before end_ns */
    }
    return status;
}

static enum status count_table(const char *path, struct tally *tally, struct err *err)
{
    CLEANUP(connection_close) sqlite3 *db = NULL;
    bool has = false;
    enum status status = open_file(path, &db, err);
    if (status == OK) {
        status = has_table(db, tally->measurement, &has, err);
    }
    return status == OK && has ? count_days(db, tally, err) : status;
}

enum status sqlite_count(const char *path, struct tally *tally, struct err *err)
{
    struct stat about;
    tally->kept_from_ns = INT64_MIN;
    if (stat(path, &about) != 0 && errno == ENOENT) {
        return OK;
    }
    enum status status = count_table(path, tally, err);
    if (status == AGAIN) {
        err->status = status = FAILED; /* it was waited for */
    }
    return status == OK ? OK : err_prefix(err, "%s", path);
}
