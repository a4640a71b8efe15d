/*
 * store: the figures of a report, from a job's SQLite store. See report.h.
 *
 * The calls are read once, into a temporary table by day, bucket and API (the cube), from which all
 * panels are drawn: they are of one state of the store, and memory depends on neither its size nor
 * the number of names, since SQLite sorts and groups on disk.
 */
#include "report/report.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/timestamp.h"

#include <sqlite3.h>

enum {
    LOCK_WAIT_MS = 5000,
    SQL_MAX_BYTES = 8192,
    NAME_MAX_BYTES = 256, /* of a bucket or an API; theirs have at most 63 */
};

/* --- statements --- */

static void database_close(sqlite3 **db)
{
    sqlite3_close(*db);
}

static void statement_finish(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}

static enum status failed(sqlite3 *db, struct err *err)
{
    return err_set(err, FAILED, "%s", sqlite3_errmsg(db));
}

static enum status prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, struct err *err)
{
    return sqlite3_prepare_v2(db, sql, -1, out, NULL) == SQLITE_OK ? OK : failed(db, err);
}

/* Steps to a row that there is always. */
static enum status step_row(sqlite3 *db, sqlite3_stmt *statement, struct err *err)
{
    return sqlite3_step(statement) == SQLITE_ROW ? OK : failed(db, err);
}

static enum status run(sqlite3 *db, const char *sql, struct err *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? OK : failed(db, err);
}

/* --- the file --- */

static enum status open_store(const char *path, sqlite3 **db, struct err *err)
{
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, db, flags, NULL) != SQLITE_OK) {
        return failed(*db, err);
    }
    sqlite3_busy_timeout(*db, LOCK_WAIT_MS);
    /* else a column that is not there would be taken for a text */
    sqlite3_db_config(*db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    return run(*db, "BEGIN", err);
}

static enum status has_calls(sqlite3 *db, bool *out, struct err *err)
{
    CLEANUP(statement_finish) sqlite3_stmt *statement = NULL;
    static const char sql[] = "SELECT count(*) FROM sqlite_schema WHERE name = 'audit-01'";
    if (prepare(db, sql, &statement, err) != OK || step_row(db, statement, err) != OK) {
        return err->status;
    }
    *out = sqlite3_column_int(statement, 0) > 0;
    return OK;
}

/* --- the period --- */

/* The first and the last call in the window. */
static enum status read_ends(sqlite3 *db, struct window window, bool *any, struct window *ends,
                             struct err *err)
{
    static const char sql[] =
        "SELECT (SELECT min(time) FROM \"audit-01\" WHERE time >= ?1 AND time < ?2),"
        " (SELECT max(time) FROM \"audit-01\" WHERE time >= ?1 AND time < ?2)";
    CLEANUP(statement_finish) sqlite3_stmt *statement = NULL;
    if (prepare(db, sql, &statement, err) != OK) {
        return err->status;
    }
    sqlite3_bind_int64(statement, 1, window.from_ns);
    sqlite3_bind_int64(statement, 2, window.to_ns);
    if (step_row(db, statement, err) != OK) {
        return err->status;
    }
    *any = sqlite3_column_type(statement, 0) != SQLITE_NULL;
    ends->from_ns = sqlite3_column_int64(statement, 0);
    ends->to_ns = sqlite3_column_int64(statement, 1) + 1; /* never INT64_MAX: that is out of any
                                                             window */
    return OK;
}

static enum status too_long(const struct window *window, int64_t days, struct err *err)
{
    char from[TIMESTAMP_TEXT_BYTES], to[TIMESTAMP_TEXT_BYTES];
    return err_set(err, FAILED,
                   "%s to %s are %lld days, and a report has at most %d: choose them with "
                   "--from-date and --to-date",
                   timestamp_format(window->from_ns, from), timestamp_format(window->to_ns, to),
                   (long long)days, REPORT_DAYS_MAX);
}

static enum status settle_period(sqlite3 *db, struct report *report, struct err *err)
{
    struct window *window = &report->period.window;
    struct window ends = {0};
    bool any = false;
    if (read_ends(db, *window, &any, &ends, err) != OK) {
        return err->status;
    }
    report->empty = !any;
    if (!any) {
        return OK;
    }
    window->from_ns = report->period.from_given ? window->from_ns : ends.from_ns;
    window->to_ns = report->period.to_given ? window->to_ns : ends.to_ns;
    report->first_day_ns = report_day(window->from_ns);
    /* apart, since the difference of two times need not fit */
    int64_t days =
        (report_day(window->to_ns - 1) / NS_PER_DAY) - (report->first_day_ns / NS_PER_DAY) + 1;
    report->n_days = (size_t)days;
    return days <= REPORT_DAYS_MAX ? OK : too_long(window, days, err);
}

/* --- the cube --- */

static const char cube_table[] =
    "CREATE TEMP TABLE cube (day INTEGER, bucket TEXT, api TEXT, calls INTEGER, errors INTEGER,"
    " not_200 INTEGER, timed INTEGER, total_ns REAL, longest_ns INTEGER)";

/* A tag that the job keeps as a field may be NULL. total() is a double and so never overflows. */
static const char cube_rows[] =
    "INSERT INTO temp.cube SELECT (time - ?3) / ?4, ifnull(\"auditEntry.api.bucket\", ''),"
    " ifnull(\"auditEntry.api.name\", ''), count(*),"
    " sum(CAST(ifnull(\"auditEntry.api.statusCode\", '') AS INTEGER) >= 400),"
    " sum(ifnull(\"auditEntry.api.statusCode\", '') <> '200'),"
    " count(\"auditEntry.api.timeToResponse\"), total(\"auditEntry.api.timeToResponse\"),"
    " max(\"auditEntry.api.timeToResponse\")"
    " FROM \"audit-01\" WHERE time >= ?1 AND time < ?2 GROUP BY 1, 2, 3";

/* Colours by bucket, so that a bucket has one in all pictures; empty when there are too many. */
static const char colours_table[] =
    "CREATE TEMP TABLE colours AS SELECT bucket AS name, rank FROM (SELECT bucket,"
    " row_number() OVER (ORDER BY sum(calls) DESC, bucket) AS rank, count(*) OVER () AS n"
    " FROM cube GROUP BY bucket) WHERE n <= 12";

static enum status make_cube(sqlite3 *db, const struct report *report, struct err *err)
{
    CLEANUP(statement_finish) sqlite3_stmt *statement = NULL;
    if (run(db, cube_table, err) != OK || prepare(db, cube_rows, &statement, err) != OK) {
        return err->status;
    }
    sqlite3_bind_int64(statement, 1, report->period.window.from_ns);
    sqlite3_bind_int64(statement, 2, report->period.window.to_ns);
    sqlite3_bind_int64(statement, 3, report->first_day_ns);
    sqlite3_bind_int64(statement, 4, NS_PER_DAY);
    if (sqlite3_step(statement) != SQLITE_DONE) {
        return failed(db, err);
    }
    return run(db, colours_table, err);
}

/* calls, errors, not_200, timed, total_ns, longest_ns */
#define SUMS                                                                                       \
    "sum(calls), sum(errors), sum(not_200), sum(timed), total(total_ns), ifnull(max(longest_ns), " \
    "0)"

static struct report_figures figures_of(sqlite3_stmt *row, int column)
{
    return (struct report_figures){
        .calls = sqlite3_column_int64(row, column),
        .errors = sqlite3_column_int64(row, column + 1),
        .not_200 = sqlite3_column_int64(row, column + 2),
        .timed = sqlite3_column_int64(row, column + 3),
        .total_ns = sqlite3_column_double(row, column + 4),
        .longest_ns = sqlite3_column_int64(row, column + 5),
    };
}

static enum status read_all(sqlite3 *db, struct report *report, struct err *err)
{
    CLEANUP(statement_finish) sqlite3_stmt *statement = NULL;
    static const char sql[] =
        "SELECT ifnull(sum(calls) FILTER (WHERE bucket = ''), 0), " SUMS " FROM cube";
    if (prepare(db, sql, &statement, err) != OK || step_row(db, statement, err) != OK) {
        return err->status;
    }
    report->no_bucket = sqlite3_column_int64(statement, 0);
    report->all = figures_of(statement, 1);
    return OK;
}

/* --- a panel --- */

/* Common to a panel's statements: ranked(name, rank, n) of n names. ?1: how many series it may
 * have; series: 0 to ?1 - 1, the last of them for all that are beyond. */
static void add_ranked(struct buf *sql, const struct report_panel *panel)
{
    buf_printf(sql,
               "WITH sums AS (SELECT %s AS name, %s AS weight FROM cube WHERE %s GROUP BY 1),"
               " ranked AS (SELECT name, row_number() OVER (ORDER BY weight DESC, name) AS rank,"
               " count(*) OVER () AS n FROM sums), picked AS (SELECT cube.*, ranked.name AS name,"
               " min(rank, ?1) - 1 AS series FROM cube JOIN ranked ON ranked.name = cube.%s"
               " WHERE %s) ",
               panel->name, panel->weight, panel->filter, panel->name, panel->filter);
}

static enum status prepare_ranked(sqlite3 *db, const struct report_panel *panel, size_t max,
                                  const char *select, sqlite3_stmt **out, struct err *err)
{
    CLEANUP(buf_finish) struct buf sql = {.max = SQL_MAX_BYTES};
    add_ranked(&sql, panel);
    buf_add_text(&sql, select);
    if (prepare(db, buf_text(&sql), out, err) != OK) {
        return err->status;
    }
    sqlite3_bind_int64(*out, 1, (int64_t)max);
    return OK;
}

static char *copy_name(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    int len = sqlite3_column_bytes(row, column);
    return memory_copy(text ? text : "", (size_t)(len < NAME_MAX_BYTES ? len : NAME_MAX_BYTES));
}

static void take_series(sqlite3_stmt *row, size_t max, struct report_grid *grid)
{
    uint64_t n = (uint64_t)sqlite3_column_int64(row, 1);
    int colour = sqlite3_column_int(row, 2) - 1;
    struct report_series *series = &grid->series[grid->n_series++];
    bool folds = n > max && grid->n_series == max;
    grid->folded = folds ? n - max + 1 : 0;
    series->name = folds ? NULL : copy_name(row, 0);
    series->colour = folds ? REPORT_COLOURS - 1 : colour % REPORT_COLOURS;
}

static enum status read_series(sqlite3 *db, const struct report_panel *panel, size_t max,
                               struct report_grid *grid, struct err *err)
{
    static const char of_buckets[] =
        "SELECT name, n, ifnull((SELECT c.rank FROM colours AS c WHERE c.name = ranked.name),"
        " rank) FROM ranked WHERE rank <= ?1 ORDER BY rank";
    static const char of_others[] =
        "SELECT name, n, rank FROM ranked WHERE rank <= ?1 ORDER BY rank";
    CLEANUP(statement_finish) sqlite3_stmt *statement = NULL;
    bool buckets = strcmp(panel->name, "bucket") == 0;
    if (prepare_ranked(db, panel, max, buckets ? of_buckets : of_others, &statement, err) != OK) {
        return err->status;
    }
    grid->series = memory_new(max * sizeof *grid->series);
    int step;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW && grid->n_series < max) {
        take_series(statement, max, grid);
    }
    return step == SQLITE_DONE ? OK : failed(db, err);
}

/* The cell that a row is of; NULL: none, which cannot be. */
static struct report_figures *cell_of(sqlite3_stmt *row, struct report_grid *grid)
{
    size_t day = (size_t)sqlite3_column_int64(row, 0);
    size_t series = (size_t)sqlite3_column_int64(row, 1);
    bool known = day < grid->n_days && series < grid->n_series;
    return known ? &grid->cells[day * grid->n_series + series] : NULL;
}

/* Runs `select` over the panel's names and has `take` put each row into its cell of the grid. */
static enum status read_grid(sqlite3 *db, const struct report_panel *panel, size_t max,
                             const char *select, struct report_grid *grid,
                             void (*take)(sqlite3_stmt *row, struct report_figures *cell),
                             struct err *err)
{
    CLEANUP(statement_finish) sqlite3_stmt *statement = NULL;
    if (prepare_ranked(db, panel, max, select, &statement, err) != OK) {
        return err->status;
    }
    int step;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        struct report_figures *cell = cell_of(statement, grid);
        if (cell) {
            take(statement, cell);
        }
    }
    return step == SQLITE_DONE ? OK : failed(db, err);
}

static void take_figures(sqlite3_stmt *row, struct report_figures *cell)
{
    *cell = figures_of(row, 2);
}

static enum status read_cells(sqlite3 *db, const struct report_panel *panel, size_t max,
                              struct report_grid *grid, struct err *err)
{
    static const char by_day[] = "SELECT day, series, " SUMS " FROM picked GROUP BY 1, 2";
    static const char in_all[] = "SELECT 0, series, " SUMS " FROM picked GROUP BY 2";
    const char *select = panel->form == REPORT_BARS ? in_all : by_day;
    return read_grid(db, panel, max, select, grid, take_figures, err);
}

static void take_top_day(sqlite3_stmt *row, struct report_figures *cell)
{
    cell->top_day_ns = sqlite3_column_double(row, 2);
}

/* The highest of the daily means of each name of a list. */
static enum status read_top_days(sqlite3 *db, const struct report_panel *panel, size_t max,
                                 struct report_grid *grid, struct err *err)
{
    static const char select[] =
        "SELECT 0, series, max(mean) FROM (SELECT series, total(total_ns) / sum(timed) AS mean"
        " FROM picked WHERE timed > 0 GROUP BY series, name, day) GROUP BY 2";
    return read_grid(db, panel, max, select, grid, take_top_day, err);
}

static enum status read_panel(sqlite3 *db, const struct report *report,
                              const struct report_panel *panel, struct report_grid *grid,
                              struct err *err)
{
    bool is_list = panel->form == REPORT_BARS;
    size_t max = is_list ? REPORT_ROWS_MAX : REPORT_SERIES_MAX;
    if (read_series(db, panel, max, grid, err) != OK) {
        return err->status;
    }
    grid->n_days = is_list ? 1 : report->n_days;
    grid->cells = memory_new((grid->n_days * grid->n_series + 1) * sizeof *grid->cells);
    enum status status = read_cells(db, panel, max, grid, err);
    return status == OK && is_list ? read_top_days(db, panel, max, grid, err) : status;
}

static enum status read_panels(sqlite3 *db, struct report *report, struct err *err)
{
    if (make_cube(db, report, err) != OK || read_all(db, report, err) != OK) {
        return err->status;
    }
    for (size_t i = 0; i < REPORT_PANELS; i++) {
        if (read_panel(db, report, &report_panels[i], &report->grids[i], err) != OK) {
            return err->status;
        }
    }
    return OK;
}

enum status report_store_read(struct report *report, struct err *err)
{
    CLEANUP(database_close) sqlite3 *db = NULL;
    bool found = false;
    report->empty = true;
    enum status status = open_store(report->store_path, &db, err);
    if (status == OK) {
        status = has_calls(db, &found, err);
    }
    if (status == OK && found) {
        status = settle_period(db, report, err);
    }
    if (status == OK && !report->empty) {
        status = read_panels(db, report, err);
    }
    return status == OK ? OK : err_prefix(err, "%s", report->store_path);
}
