/*
 * sqlite: a file of our own as a place to write to, for looking at logs without a server. The host
 * calls it through sqlite_datasource. Not the ledger, which is another file (ledger/ledger).
 *
 * Each worker has an instance and so a connection; they share the file. A writer keeps others out,
 * so a batch is gathered in memory and written in one short transaction by flush.
 */
#include "sqlite_store.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "base/timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

enum {
    BATCH_POINTS = 5000,
    BATCH_BYTES = 4 * 1024 * 1024,
    FILE_MODE = 0640,            /* people look into it with tools of theirs */
    APPLICATION_ID = 0x4C475753, /* "LGWS", at offset 68 of the file */
    LEDGER_ID = 0x4C47574C,      /* "LGWL" */
    LOCK_WAIT_MS = 1000,         /* in SQLite; then through the world, which hears of a stop */
    CONNECT_TRIES = 10,
};

#define PAUSE_NS (NS_PER_SECOND / 5)

struct store {
    const char *path; /* option */
    struct world *world;
    sqlite3 *db; /* NULL before the first use */
    struct sqlite_table *tables;
    struct arena texts;   /* of the points */
    struct point *points; /* [BATCH_POINTS] */
    size_t n_points, bytes;
};

static const struct option options[] = {
    {"path", OPTION_TEXT, offsetof(struct store, path), .required = "a file of its own",
     .help = "the SQLite file; made when it is missing, its folder is not"},
    {0},
};

/* --- the file --- */

static enum status read_int(sqlite3 *db, const char *sql, int64_t *out, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    bool read = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
                sqlite3_step(statement) == SQLITE_ROW;
    if (read) {
        *out = sqlite3_column_int64(statement, 0);
    }
    enum status status = read ? OK : sqlite_failed(db, err);
    sqlite3_finalize(statement);
    return status;
}

/* OK: ours, or empty and *is_new. Changes nothing, since it may be somebody else's. Another worker
 * may be making the file at this moment: it sets the id before the first table, so whoever looks
 * for tables first and finds one finds the id too. */
static enum status check_owner(sqlite3 *db, bool *is_new, struct err *err)
{
    int64_t id = 0, tables = 0;
    if (read_int(db, "SELECT count(*) FROM sqlite_schema", &tables, err) != OK ||
        read_int(db, "PRAGMA application_id", &id, err) != OK) {
        return err->status;
    }
    *is_new = id == 0 && tables == 0;
    if (*is_new || id == APPLICATION_ID) {
        return OK;
    }
    return err_set(err, FAILED, "%s: set path to a file of its own",
                   id == LEDGER_ID ? "this is loggateway's state" : "this is another database");
}

static enum status use_wal(sqlite3 *db, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = OK;
    if (sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        status = sqlite_failed(db, err);
    } else if (sqlite3_stricmp((const char *)sqlite3_column_text(statement, 0), "wal") != 0) {
        status = err_set(err, FAILED, "this file system cannot do WAL");
    }
    sqlite3_finalize(statement);
    return status;
}

/* Made by us and not by SQLite, for the mode; its -wal and -shm inherit it. */
static enum status make_file(const struct store *self, struct err *err)
{
    const struct files *files = self->world->files;
    int fd = files->open(self->path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (fd < 0) {
        return err_set(err, FAILED, "%s", strerror(errno));
    }
    files->close(fd);
    return OK;
}

static enum status set_up(sqlite3 *db, struct err *err)
{
    bool is_new = false;
    sqlite3_busy_timeout(db, LOCK_WAIT_MS);
    if (check_owner(db, &is_new, err) != OK || use_wal(db, err) != OK ||
        sqlite_run(db, "PRAGMA synchronous = FULL", err) != OK) {
        return err->status;
    }
    CLEANUP(buf_finish) struct buf sql = {.max = 100};
    buf_printf(&sql, "PRAGMA application_id = %d", APPLICATION_ID);
    return is_new ? sqlite_run(db, buf_text(&sql), err) : OK;
}

static enum status ensure_open(struct store *self, struct err *err)
{
    if (self->db) {
        return OK;
    }
    if (make_file(self, err) != OK) {
        return err->status;
    }
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    enum status status = sqlite3_open_v2(self->path, &db, flags, NULL) == SQLITE_OK
                             ? set_up(db, err)
                             : sqlite_failed(db, err);
    if (status != OK) {
        sqlite3_close(db);
        return status;
    }
    self->db = db;
    return OK;
}

/* --- open, close, connect --- */

static enum status store_open(void *instance, struct world *world, struct err *err)
{
    struct store *self = instance;
    self->world = world;
    if (self->path[0] == '\0') {
        return err_set(err, BAD_CONFIG, "path: empty");
    }
    self->points = memory_new(BATCH_POINTS * sizeof *self->points);
    return OK;
}

static void store_close(void *instance)
{
    struct store *self = instance;
    sqlite_tables_free(&self->tables);
    sqlite3_close(self->db);
    arena_finish(&self->texts);
    free(self->points);
}

static enum status try_lock(struct store *self, struct err *err)
{
    if (ensure_open(self, err) != OK || sqlite_run(self->db, "BEGIN IMMEDIATE", err) != OK) {
        return err->status;
    }
    return sqlite_run(self->db, "ROLLBACK", err);
}

static enum status store_connect(void *instance, struct err *err)
{
    struct store *self = instance;
    enum status status = try_lock(self, err);
    for (int tries = 1; status == AGAIN && tries < CONNECT_TRIES; tries++) {
        if (world_wait(self->world, PAUSE_NS, err) != OK) {
            break;
        }
        status = try_lock(self, err);
    }
    if (status == OK) {
        return OK;
    }
    err->status = FAILED;
    return err_prefix(err, "%s", self->path);
}

/* --- putting --- */

static struct slice copy_slice(struct store *self, struct slice text)
{
    self->bytes += text.len;
    return arena_slice(&self->texts, text);
}

/* In one piece, as SQLite takes it. */
static struct text copy_text(struct store *self, const struct text *text)
{
    size_t len = 0;
    for (size_t i = 0; i < text->count; i++) {
        len += text->pieces[i].len;
    }
    char *to = arena_take(&self->texts, len + 1);
    struct slice *piece = arena_take(&self->texts, sizeof *piece);
    *piece = slice_make(to, len);
    for (size_t i = 0; i < text->count; i++) {
        if (text->pieces[i].len) {
            memcpy(to, text->pieces[i].at, text->pieces[i].len);
            to += text->pieces[i].len;
        }
    }
    self->bytes += len;
    return (struct text){.pieces = piece, .count = 1};
}

static struct point copy_point(struct store *self, const struct point *point)
{
    const struct schema *schema = point->schema;
    struct slice *tags = arena_take(&self->texts, (schema->n_tags + 1) * sizeof *tags);
    struct value *fields = arena_take(&self->texts, (schema->n_fields + 1) * sizeof *fields);
    self->bytes += schema->n_tags * sizeof *tags + schema->n_fields * sizeof *fields;
    for (size_t i = 0; i < schema->n_tags; i++) {
        tags[i] = copy_slice(self, point->tags[i]);
    }
    for (size_t i = 0; i < schema->n_fields; i++) {
        fields[i] = point->fields[i];
        if (fields[i].kind == VALUE_TEXT) {
            fields[i].text = copy_text(self, &point->fields[i].text);
        }
    }
    return (struct point){
        .schema = schema, .tags = tags, .fields = fields, .time_ns = point->time_ns};
}

static enum status store_put(void *instance, const struct point *point, struct err *err)
{
    (void)err;
    struct store *self = instance;
    if (self->n_points == BATCH_POINTS || self->bytes >= BATCH_BYTES) {
        return AGAIN;
    }
    self->points[self->n_points++] = copy_point(self, point);
    return OK;
}

/* --- flushing --- */

static enum status write_points(struct store *self, struct err *err)
{
    for (size_t i = 0; i < self->n_points; i++) {
        const struct point *point = &self->points[i];
        struct sqlite_table *table;
        if (sqlite_table_find(self->db, &self->tables, point->schema, &table, err) != OK ||
            sqlite_table_write(self->db, table, point, err) != OK) {
            return err->status;
        }
    }
    return OK;
}

/* The batch in one transaction: all of it or nothing. AGAIN: somebody else has the file locked. */
static enum status try_flush(struct store *self, struct err *err)
{
    if (ensure_open(self, err) != OK || sqlite_run(self->db, "BEGIN IMMEDIATE", err) != OK) {
        return err->status;
    }
    sqlite_tables_forget_schemas(self->tables);
    enum status status = write_points(self, err);
    if (status == OK) {
        status = sqlite_run(self->db, "COMMIT", err);
    }
    if (status != OK && !sqlite3_get_autocommit(self->db)) {
        sqlite3_exec(self->db, "ROLLBACK", NULL, NULL,
                     NULL); /* the first fault is the one to tell */
    }
    return status;
}

static void batch_clear(struct store *self)
{
    self->n_points = 0;
    self->bytes = 0;
    arena_finish(&self->texts); /* its blocks have the sizes of these texts */
}

static enum status store_flush(void *instance, struct refusals *refused, struct err *err)
{
    (void)refused; /* a point that fits its schema fits its table */
    struct store *self = instance;
    if (self->n_points == 0) {
        return OK;
    }
    enum status status = try_flush(self, err);
    while (status == AGAIN) {
        world_notice(self->world, "%s: locked by another program; trying again", self->path);
        if (world_wait(self->world, PAUSE_NS, err) != OK) {
            return err_prefix(err, "%s", self->path);
        }
        status = try_flush(self, err);
    }
    if (status != OK) {
        return err_prefix(err, "%s", self->path);
    }
    batch_clear(self);
    return OK;
}

static enum status store_count(void *instance, struct tally *tally, struct err *err)
{
    struct store *self = instance;
    return sqlite_count(self->path, tally, err);
}

const struct datasource sqlite_datasource = {
    .keeps_figures = true,
    .about = {.name = "sqlite",
              .summary = "an SQLite file: writes points into one table per measurement",
              .options = options,
              .size = sizeof(struct store)},
    .open = store_open,
    .close = store_close,
    .connect = store_connect,
    .put = store_put,
    .flush = store_flush,
    .count = store_count,
};
