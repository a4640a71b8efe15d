/*
 * sqlite_store: the sqlite datasource, looked at afterwards through a connection of the test's own.
 * The world is simulated: waiting moves its clock, and may let go of a lock that the test holds.
 */
#include "api/datasource.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/memory.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct datasource sqlite_datasource;

#define S(text) SLICE_LITERAL(text)
#define INTEGER(value)                       \
    {                                        \
        .kind = VALUE_INT, .number = (value) \
    }
#define TEXT(...)                                                                       \
    {                                                                                   \
        .kind = VALUE_TEXT, .text = {                                                   \
            .pieces = (const struct slice[]){__VA_ARGS__},                              \
            .count = sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice) \
        }                                                                               \
    }

/* --- the world --- */

struct sim {
    struct world world;
    int waits, waits_until_unlock; /* 0 = never */
    int waits_until_stop;
    sqlite3 *locker;
    char notice[256];
};

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

/* --- a store in a folder of its own --- */

struct fixture {
    char folder[64], path[96];
    struct sim sim;
    void *self;
    struct err err;
};

static void *store_new(struct fixture *f, const char *path)
{
    char *self = memory_new(sqlite_datasource.about.size);
    const struct option *option = sqlite_datasource.about.options;
    assert_string_equal(option->name, "path");
    *(const char **)(void *)(self + option->offset) = path;
    assert_int_equal(sqlite_datasource.open(self, &f->sim.world, &f->err), OK);
    return self;
}

static void store_free(void *self)
{
    sqlite_datasource.close(self);
    free(self);
}

static int set_up(void **state)
{
    struct fixture *f = memory_new(sizeof *f);
    snprintf(f->folder, sizeof f->folder, "/tmp/test_sqlite_store.XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/store.db", f->folder);
    f->sim.world = (struct world){.calls = &sim_calls, .files = &sim_files};
    f->self = store_new(f, f->path);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    store_free(f->self);
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

static void put(struct fixture *f, const struct point *point)
{
    assert_int_equal(sqlite_datasource.put(f->self, point, &f->err), OK);
}

static void refuse(struct refusals *to, size_t index, enum refusal kind, const char *reason,
                   struct slice bytes)
{
    (void)to, (void)index, (void)kind, (void)reason, (void)bytes;
    fail_msg("the store refuses no point");
}

static enum status flush(struct fixture *f)
{
    struct refusals refused = {refuse};
    return sqlite_datasource.flush(f->self, &refused, &f->err);
}

static void flush_ok(struct fixture *f)
{
    if (flush(f) != OK) {
        fail_msg("%s", f->err.text);
    }
}

static sqlite3 *open_beside(struct fixture *f)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    return db;
}

static void run(struct fixture *f, const char *sql)
{
    sqlite3 *db = open_beside(f);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* All rows of a query, quote()d values joined by '|', a row a line. */
static void expect_rows(struct fixture *f, const char *sql, const char *expected)
{
    sqlite3 *db = open_beside(f);
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

static const struct schema audit = {
    .measurement = "audit-01",
    .n_tags = 2,
    .tags = {"api.name", "bucket"},
    .n_fields = 2,
    .fields = {{"message", VALUE_TEXT}, {"ttr", VALUE_INT}},
};

static struct point audit_point(const struct slice *tags, const struct value *fields, int64_t time)
{
    return (struct point){.schema = &audit, .tags = tags, .fields = fields, .time_ns = time};
}

/* --- tests --- */

static void writes_what_was_put(void **state)
{
    struct fixture *f = *state;
    char borrowed[] = "GetObject";
    struct slice tags[] = {{borrowed, sizeof borrowed - 1}, S("logs")};
    struct value fields[] = {TEXT(S("it's "), S(""), S("\xE2\x82\xAC")), INTEGER(INT64_MIN)};
    struct point point = audit_point(tags, fields, 1653900000000000001);
    put(f, &point);
    memset(borrowed, 'x', sizeof borrowed - 1); /* put has to have copied it */
    struct slice none[] = {S(""), {NULL, 0}};
    struct value no_fields[] = {{.kind = VALUE_ABSENT}, INTEGER(5)};
    point = audit_point(none, no_fields, -1);
    put(f, &point);
    expect_rows(f, "SELECT count(*) FROM sqlite_schema", "0\n"); /* not before flush */
    flush_ok(f);
    expect_rows(f,
                "SELECT time, \"api.name\", bucket, message, ttr, typeof(time), typeof(bucket), "
                "typeof(message), typeof(ttr) FROM \"audit-01\" ORDER BY time",
                "-1|||NULL|5|integer|text|null|integer\n"
                "1653900000000000001|GetObject|logs|it's \xE2\x82\xAC|-9223372036854775808|integer|"
                "text|text|integer\n");
    flush_ok(f); /* an empty batch is no work */
    expect_rows(f, "SELECT count(*) FROM \"audit-01\"", "2\n");
}

static void table_is_as_promised(void **state)
{
    struct fixture *f = *state;
    struct slice tags[] = {S("a"), S("b")};
    struct value fields[] = {TEXT(S("m")), INTEGER(1)};
    struct point point = audit_point(tags, fields, 1);
    put(f, &point);
    flush_ok(f);
    expect_rows(f,
                "SELECT name, type, \"notnull\", dflt_value, pk FROM "
                "pragma_table_info('audit-01') ORDER BY cid",
                "time|INTEGER|1|NULL|1\napi.name|TEXT|1|''|2\nbucket|TEXT|1|''|3\n"
                "message|TEXT|0|NULL|0\nttr|INTEGER|0|NULL|0\n");
    expect_rows(f, "SELECT wr FROM pragma_table_list('audit-01')", "1\n");
    expect_rows(f, "PRAGMA journal_mode", "wal\n");
    expect_rows(f, "PRAGMA application_id", "1279743827\n"); /* 'L' 'G' 'W' 'S' */
    struct stat info;
    assert_int_equal(stat(f->path, &info), 0);
    mode_t mask = umask(0);
    umask(mask);
    assert_int_equal(info.st_mode & 0777, 0640 & ~mask);
}

/* Time and tags are the identity: again is an update of all fields, anything else a row. */
static void same_point_is_written_once(void **state)
{
    struct fixture *f = *state;
    struct slice tags[] = {S("a"), S("")}, others[] = {S("a"), S("b")};
    struct value first[] = {TEXT(S("old")), INTEGER(1)};
    struct value second[] = {TEXT(S("new")), {.kind = VALUE_ABSENT}};
    const struct point points[] = {
        audit_point(tags, first, 1),
        audit_point(others, first, 1),
        audit_point(tags, first, 2),
        audit_point(tags, second, 1),
    };
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 4; i++) {
            put(f, &points[i]);
        }
        flush_ok(f);
        expect_rows(f, "SELECT time, bucket, message, ttr FROM \"audit-01\" ORDER BY 1, 2",
                    "1||new|NULL\n1|b|old|1\n2||old|1\n");
    }
}

static void odd_names_are_quoted(void **state)
{
    struct fixture *f = *state;
    static const struct schema odd = {
        .measurement = "a\"; DROP TABLE x; --",
        .n_tags = 1,
        .tags = {"select \"t\""},
        .n_fields = 1,
        .fields = {{"f'\"", VALUE_TEXT}},
    };
    struct slice tags[] = {S("v'\"")};
    struct value fields[] = {TEXT(S("w\"'"))};
    struct point point = {.schema = &odd, .tags = tags, .fields = fields, .time_ns = 3};
    put(f, &point);
    flush_ok(f);
    expect_rows(f, "SELECT time, \"select \"\"t\"\"\", \"f'\"\"\" FROM \"a\"\"; DROP TABLE x; --\"",
                "3|v'\"|w\"'\n");
}

static void tables_without_fields_or_tags(void **state)
{
    struct fixture *f = *state;
    static const struct schema bare = {.measurement = "bare"};
    static const struct schema counts = {
        .measurement = "counts", .n_fields = 1, .fields = {{"n", VALUE_INT}}};
    struct value fields[] = {INTEGER(4)};
    struct point point = {.schema = &bare, .time_ns = 1};
    struct point count = {.schema = &counts, .fields = fields, .time_ns = 2};
    for (int i = 0; i < 2; i++) {
        put(f, &point);
        put(f, &count);
    }
    flush_ok(f);
    expect_rows(f, "SELECT * FROM bare", "1\n");
    expect_rows(f, "SELECT * FROM counts", "2|4\n");
}

static void fields_are_added_keys_are_not(void **state)
{
    struct fixture *f = *state;
    run(f, "PRAGMA application_id = 1279743827;"
           "CREATE TABLE \"audit-01\" (\"time\" INTEGER NOT NULL, \"api.name\" TEXT NOT NULL "
           "DEFAULT '', bucket TEXT NOT NULL DEFAULT '', gone TEXT, PRIMARY KEY (\"time\", "
           "\"api.name\", bucket)) WITHOUT ROWID;"
           "INSERT INTO \"audit-01\" VALUES (1, 'a', 'b', 'kept')");
    struct slice tags[] = {S("a"), S("b")};
    struct value fields[] = {TEXT(S("m")), INTEGER(7)};
    struct point point = audit_point(tags, fields, 1);
    put(f, &point);
    flush_ok(f);
    expect_rows(f, "SELECT time, gone, message, ttr FROM \"audit-01\"", "1|kept|m|7\n");

    static const struct schema fewer_tags = {.measurement = "audit-01",
                                             .n_tags = 1,
                                             .tags = {"api.name"},
                                             .n_fields = 1,
                                             .fields = {{"message", VALUE_TEXT}}};
    static const struct schema other_type = {.measurement = "audit-01",
                                             .n_tags = 2,
                                             .tags = {"api.name", "bucket"},
                                             .n_fields = 1,
                                             .fields = {{"message", VALUE_INT}}};
    static const struct schema more_tags = {.measurement = "audit-01",
                                            .n_tags = 3,
                                            .tags = {"api.name", "bucket", "user"},
                                            .n_fields = 1,
                                            .fields = {{"message", VALUE_TEXT}}};
    static const struct schema other_tag = {.measurement = "audit-01",
                                            .n_tags = 2,
                                            .tags = {"api.name", "user"},
                                            .n_fields = 1,
                                            .fields = {{"message", VALUE_TEXT}}};
    static const struct {
        const struct schema *schema;
        const char *says;
    } changed[] = {{&fewer_tags, "primary key"},
                   {&more_tags, "primary key"},
                   {&other_tag, "primary key"},
                   {&other_type, "the type of \"message\""}};
    struct slice three[] = {S("a"), S("b"), S("c")};
    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) {
        void *first = f->self;
        f->self = store_new(f, f->path);
        struct value number[] = {INTEGER(1)};
        bool is_int = changed[i].schema->fields[0].kind == VALUE_INT;
        point = (struct point){
            .schema = changed[i].schema, .tags = three, .fields = is_int ? number : fields};
        put(f, &point);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(flush(f), FAILED);
            assert_non_null(strstr(f->err.text, "pull --new-schema"));
            assert_non_null(strstr(f->err.text, changed[i].says));
        }
        store_free(f->self);
        f->self = first;
    }
    expect_rows(f, "SELECT count(*) FROM \"audit-01\"", "1\n");
}

static void one_measurement_has_one_schema(void **state)
{
    struct fixture *f = *state;
    struct schema twin = audit, other = audit;
    other.n_fields = 1;
    struct slice tags[] = {S("a"), S("b")};
    struct value fields[] = {TEXT(S("m")), INTEGER(7)};
    struct point point = audit_point(tags, fields, 1);
    put(f, &point);
    point.schema = &twin;
    point.time_ns = 2;
    put(f, &point);
    flush_ok(f);
    expect_rows(f, "SELECT count(*) FROM \"audit-01\"", "2\n");
    put(f, &point);
    point.schema = &other;
    point.time_ns = 3;
    put(f, &point);
    assert_int_equal(flush(f), FAILED);
    expect_rows(f, "SELECT count(*) FROM \"audit-01\"", "2\n");
}

static void refuses_other_files(void **state)
{
    struct fixture *f = *state;
    struct value fields[] = {TEXT(S("m")), INTEGER(7)};
    struct slice tags[] = {S("a"), S("b")};
    struct point point = audit_point(tags, fields, 1);
    put(f, &point);
    static const char *const foreign[][2] = {
        {"CREATE TABLE theirs (a)", "another database"},
        {"PRAGMA application_id = 1279743820", "loggateway's state"}, /* 'L' 'G' 'W' 'L' */
        {"PRAGMA application_id = 7", "another database"},
    };
    for (size_t i = 0; i < 3; i++) {
        run(f, foreign[i][0]);
        assert_int_equal(sqlite_datasource.connect(f->self, &f->err), FAILED);
        assert_non_null(strstr(f->err.text, foreign[i][1]));
        assert_non_null(strstr(f->err.text, f->path));
        assert_int_equal(flush(f), FAILED);
        expect_rows(f, "PRAGMA journal_mode", "delete\n"); /* it was left as it is */
    }
    unlink(f->path);
    int fd = open(f->path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "this is not a database, not at all", 34), 34);
    close(fd);
    assert_int_equal(flush(f), FAILED);
    assert_non_null(strstr(f->err.text, "not a database"));
    unlink(f->path);
    flush_ok(f); /* the point was held all the while */
    expect_rows(f, "SELECT count(*) FROM \"audit-01\"", "1\n");
}

static void connect_says_what_is_wrong(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(sqlite_datasource.connect(f->self, &f->err), OK);
    void *nowhere = store_new(f, "/nonexistent/folder/store.db");
    assert_int_equal(sqlite_datasource.connect(nowhere, &f->err), FAILED);
    assert_string_equal(f->err.text, "/nonexistent/folder/store.db: No such file or directory");
    store_free(nowhere);
}

static void waits_for_a_lock(void **state)
{
    struct fixture *f = *state;
    struct value fields[] = {TEXT(S("m")), INTEGER(7)};
    struct slice tags[] = {S("a"), S("b")};
    struct point point = audit_point(tags, fields, 1);
    assert_int_equal(sqlite_datasource.connect(f->self, &f->err), OK);
    put(f, &point);
    f->sim.locker = open_beside(f);
    assert_int_equal(sqlite3_exec(f->sim.locker, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    f->sim.waits_until_stop = 1;
    assert_int_equal(flush(f), FAILED);
    assert_non_null(strstr(f->err.text, "stopped"));
    assert_non_null(strstr(f->sim.notice, "locked by another program"));
    f->sim.waits = f->sim.waits_until_stop = 0;
    f->sim.waits_until_unlock = 2;
    flush_ok(f);
    assert_int_equal(f->sim.waits, 2);
    sqlite3_close(f->sim.locker);
    expect_rows(f, "SELECT count(*) FROM \"audit-01\"", "1\n");
}

static void a_full_disk_advances_nothing(void **state)
{
    struct fixture *f = *state;
    enum { MESSAGE_BYTES = 300 * 1024 };
    CLEANUP_FREE char *message = memory_new(MESSAGE_BYTES);
    memset(message, 'm', MESSAGE_BYTES);
    struct slice tags[] = {S("a"), S("b")};
    struct slice piece = {message, MESSAGE_BYTES};
    struct value fields[] = {{.kind = VALUE_TEXT, .text = {&piece, 1}}, INTEGER(7)};
    struct point point = audit_point(tags, fields, 1);
    assert_int_equal(sqlite_datasource.connect(f->self, &f->err), OK);
    put(f, &point);
    /* The largest file a process may write stands for a full disk. */
    struct rlimit before, small = {128 * 1024, 0};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum status status = flush(f);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, FAILED);
    flush_ok(f);
    expect_rows(f, "SELECT time, length(message) FROM \"audit-01\"", "1|307200\n");
}

static void a_batch_has_an_end(void **state)
{
    struct fixture *f = *state;
    struct slice tags[] = {S("a"), S("b")};
    struct value fields[] = {TEXT(S("m")), INTEGER(7)};
    for (int64_t i = 0; i < 5000; i++) {
        struct point point = audit_point(tags, fields, i);
        put(f, &point);
    }
    struct point more = audit_point(tags, fields, 5000);
    assert_int_equal(sqlite_datasource.put(f->self, &more, &f->err), AGAIN);
    flush_ok(f);
    put(f, &more);
    flush_ok(f);
    expect_rows(f, "SELECT count(*), min(time), max(time) FROM \"audit-01\"", "5001|0|5000\n");

    enum { MESSAGE_BYTES = 1024 * 1024 };
    CLEANUP_FREE char *message = memory_new(MESSAGE_BYTES);
    memset(message, 'm', MESSAGE_BYTES);
    struct slice piece = {message, MESSAGE_BYTES};
    struct value large[] = {{.kind = VALUE_TEXT, .text = {&piece, 1}}, INTEGER(7)};
    int taken = 0;
    for (enum status status = OK; status == OK && taken < 10; taken += status == OK) {
        struct point point = audit_point(tags, large, 10000 + taken);
        status = sqlite_datasource.put(f->self, &point, &f->err);
    }
    assert_int_equal(taken, 4);
    flush_ok(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(writes_what_was_put),
        TEST(table_is_as_promised),
        TEST(same_point_is_written_once),
        TEST(odd_names_are_quoted),
        TEST(tables_without_fields_or_tags),
        TEST(fields_are_added_keys_are_not),
        TEST(one_measurement_has_one_schema),
        TEST(refuses_other_files),
        TEST(connect_says_what_is_wrong),
        TEST(waits_for_a_lock),
        TEST(a_full_disk_advances_nothing),
        TEST(a_batch_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
