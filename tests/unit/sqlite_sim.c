/* sqlite_sim: see sqlite_sim.h. */
#include "sqlite_sim.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void world_notice(struct world *world, const char *format, ...)
{
    struct sim *sim = (struct sim *)world;
    va_list args;
    va_start(args, format);
    vsnprintf(sim->notice, sizeof sim->notice, format, args);
    va_end(args);
}

static enum status sim_wait(struct world *world, int64_t ns, struct err *err)
{
    struct sim *sim = (struct sim *)world;
    assert_true(ns > 0);
    sim->waits++;
    if (sim->waits == sim->waits_until_unlock) {
        assert_int_equal(sqlite3_exec(sim->locker, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    }
    return sim->waits == sim->waits_until_stop ? err_set(err, FAILED, "stopped") : OK;
}

static int sim_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

static const struct world_calls sim_calls = {.wait = sim_wait};
static const struct files sim_files = {.open = sim_open, .close = close};

void *sim_store_new(struct fixture *f, const char *path)
{
    char *self = memory_new(sqlite_datasource.about.size);
    const struct option *option = sqlite_datasource.about.options;
    assert_string_equal(option->name, "path");
    *(const char **)(void *)(self + option->offset) = path;
    assert_int_equal(sqlite_datasource.open(self, &f->sim.world, &f->err), OK);
    return self;
}

void sim_store_free(void *self)
{
    sqlite_datasource.close(self);
    free(self);
}

int sim_set_up(void **state)
{
    struct fixture *f = memory_new(sizeof *f);
    snprintf(f->folder, sizeof f->folder, "/tmp/test_sqlite_store.XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/store.db", f->folder);
    f->sim.world = (struct world){.calls = &sim_calls, .files = &sim_files};
    f->self = sim_store_new(f, f->path);
    *state = f;
    return 0;
}

int sim_tear_down(void **state)
{
    struct fixture *f = *state;
    sim_store_free(f->self);
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < 4; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", f->path, suffixes[i]);
        unlink(name);
    }
    int removed = rmdir(f->folder);
    free(f);
    return removed;
}

void sim_put(struct fixture *f, const struct point *point)
{
    assert_int_equal(sqlite_datasource.put(f->self, point, &f->err), OK);
}

static void refuse(struct refusals *to, size_t index, enum refusal kind, const char *reason,
                   struct slice bytes)
{
    (void)to, (void)index, (void)kind, (void)reason, (void)bytes;
    fail_msg("the store refuses no point");
}

enum status sim_flush(struct fixture *f)
{
    struct refusals refused = {refuse};
    return sqlite_datasource.flush(f->self, &refused, &f->err);
}

void sim_flush_ok(struct fixture *f)
{
    if (sim_flush(f) != OK) {
        fail_msg("%s", f->err.text);
    }
}

sqlite3 *sim_open_beside(struct fixture *f)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    return db;
}

void sim_run(struct fixture *f, const char *sql)
{
    sqlite3 *db = sim_open_beside(f);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

void sim_expect_rows(struct fixture *f, const char *sql, const char *expected)
{
    sqlite3 *db = sim_open_beside(f);
    sqlite3_stmt *statement;
    CLEANUP(buf_finish) struct buf out = {.max = 4096};
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const char *text = (const char *)sqlite3_column_text(statement, i);
            buf_printf(&out, "%s%s", i ? "|" : "", text ? text : "NULL");
        }
        buf_add_byte(&out, '\n');
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    assert_string_equal(buf_text(&out), expected);
}

const struct schema sim_audit = {
    .measurement = "audit-01",
    .n_tags = 2,
    .tags = {"api.name", "bucket"},
    .n_fields = 2,
    .fields = {{"message", VALUE_TEXT}, {"ttr", VALUE_INT}},
};

struct point sim_audit_point(const struct slice *tags, const struct value *fields, int64_t time)
{
    return (struct point){.schema = &sim_audit, .tags = tags, .fields = fields, .time_ns = time};
}
