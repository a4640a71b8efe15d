/* sqlite: what was put, read back by SQL; tables, keys and columns. */
#include "sqlite_sim.h"

#include "base/cleanup.h"
#include "base/memory.h"

#include <sys/stat.h>

static void writes_what_was_put(void **state)
{
    struct fixture *f = *state;
    char borrowed[] = "GetObject";
    struct slice tags[] = {{borrowed, sizeof borrowed - 1}, S("logs")};
    struct value fields[] = {TEXT(S("it's "), S(""), S("\xE2\x82\xAC")), INTEGER(INT64_MIN)};
    struct point point = sim_audit_point(tags, fields, 1653900000000000001);
    sim_put(f, &point);
    memset(borrowed, 'x', sizeof borrowed - 1); /* put has to have copied it */
    struct slice none[] = {S(""), {NULL, 0}};
    struct value no_fields[] = {{.kind = VALUE_ABSENT}, INTEGER(5)};
    point = sim_audit_point(none, no_fields, -1);
    sim_put(f, &point);
    sim_expect_rows(f, "SELECT count(*) FROM sqlite_schema", "0\n"); /* not before flush */
    sim_flush_ok(f);
    sim_expect_rows(
        f,
        "SELECT time, \"api.name\", bucket, message, ttr, typeof(time), typeof(bucket), "
        "typeof(message), typeof(ttr) FROM \"audit-01\" ORDER BY time",
        "-1|||NULL|5|integer|text|null|integer\n"
        "1653900000000000001|GetObject|logs|it's \xE2\x82\xAC|-9223372036854775808|integer|"
        "text|text|integer\n");
    sim_flush_ok(f); /* an empty batch is no work */
    sim_expect_rows(f, "SELECT count(*) FROM \"audit-01\"", "2\n");
}

static void table_is_as_promised(void **state)
{
    struct fixture *f = *state;
    struct slice tags[] = {S("a"), S("b")};
    struct value fields[] = {TEXT(S("m")), INTEGER(1)};
    struct point point = sim_audit_point(tags, fields, 1);
    sim_put(f, &point);
    sim_flush_ok(f);
    sim_expect_rows(f,
                    "SELECT name, type, \"notnull\", dflt_value, pk FROM "
                    "pragma_table_info('audit-01') ORDER BY cid",
                    "time|INTEGER|1|NULL|1\napi.name|TEXT|1|''|2\nbucket|TEXT|1|''|3\n"
                    "message|TEXT|0|NULL|0\nttr|INTEGER|0|NULL|0\n");
    sim_expect_rows(f, "SELECT wr FROM pragma_table_list('audit-01')", "1\n");
    sim_expect_rows(f, "PRAGMA journal_mode", "wal\n");
    sim_expect_rows(f, "PRAGMA application_id", "1279743827\n"); /* 'L' 'G' 'W' 'S' */
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
        sim_audit_point(tags, first, 1),
        sim_audit_point(others, first, 1),
        sim_audit_point(tags, first, 2),
        sim_audit_point(tags, second, 1),
    };
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 4; i++) {
            sim_put(f, &points[i]);
        }
        sim_flush_ok(f);
        sim_expect_rows(f, "SELECT time, bucket, message, ttr FROM \"audit-01\" ORDER BY 1, 2",
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
    sim_put(f, &point);
    sim_flush_ok(f);
    sim_expect_rows(
        f, "SELECT time, \"select \"\"t\"\"\", \"f'\"\"\" FROM \"a\"\"; DROP TABLE x; --\"",
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
        sim_put(f, &point);
        sim_put(f, &count);
    }
    sim_flush_ok(f);
    sim_expect_rows(f, "SELECT * FROM bare", "1\n");
    sim_expect_rows(f, "SELECT * FROM counts", "2|4\n");
}

static void fields_are_added(void **state)
{
    struct fixture *f = *state;
    sim_run(f, "PRAGMA application_id = 1279743827;"
               "CREATE TABLE \"audit-01\" (\"time\" INTEGER NOT NULL, \"api.name\" TEXT NOT NULL "
               "DEFAULT '', bucket TEXT NOT NULL DEFAULT '', gone TEXT, PRIMARY KEY (\"time\", "
               "\"api.name\", bucket)) WITHOUT ROWID;"
               "INSERT INTO \"audit-01\" VALUES (1, 'a', 'b', 'kept')");
    struct slice tags[] = {S("a"), S("b")};
    struct value fields[] = {TEXT(S("m")), INTEGER(7)};
    struct point point = sim_audit_point(tags, fields, 1);
    sim_put(f, &point);
    sim_flush_ok(f);
    sim_expect_rows(f, "SELECT time, gone, message, ttr FROM \"audit-01\"", "1|kept|m|7\n");
}

/* A schema that the table of sim_audit cannot take. */
struct change {
    size_t n_tags;
    const char *tags[3];
    struct value field;
    const char *says;
};

static const struct change changes[] = {
    {1, {"api.name"}, TEXT(S("m")), "primary key"},
    {3, {"api.name", "bucket", "user"}, TEXT(S("m")), "primary key"},
    {2, {"api.name", "user"}, TEXT(S("m")), "primary key"},
    {2, {"api.name", "bucket"}, INTEGER(1), "the type of \"message\""},
};

static void expect_new_schema_wanted(struct fixture *f, const struct change *change)
{
    struct schema schema = {.measurement = "audit-01",
                            .n_tags = change->n_tags,
                            .n_fields = 1,
                            .fields = {{"message", change->field.kind}}};
    memcpy(schema.tags, change->tags, sizeof change->tags);
    struct slice tags[] = {S("a"), S("b"), S("c")};
    struct point point = {.schema = &schema, .tags = tags, .fields = &change->field};
    sim_put(f, &point);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(sim_flush(f), FAILED);
        assert_non_null(strstr(f->err.text, "pull --new-schema"));
        assert_non_null(strstr(f->err.text, change->says));
    }
}

static void keys_and_types_stay(void **state)
{
    struct fixture *f = *state;
    struct slice tags[] = {S("a"), S("b")};
    struct value fields[] = {TEXT(S("m")), INTEGER(7)};
    struct point point = sim_audit_point(tags, fields, 1);
    sim_put(f, &point);
    sim_flush_ok(f);
    void *first = f->self;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        f->self = sim_store_new(f, f->path);
        expect_new_schema_wanted(f, &changes[i]);
        sim_store_free(f->self);
    }
    f->self = first;
    sim_expect_rows(f, "SELECT count(*) FROM \"audit-01\"", "1\n");
}

static void one_measurement_has_one_schema(void **state)
{
    struct fixture *f = *state;
    struct schema twin = sim_audit, other = sim_audit;
    other.n_fields = 1;
    struct slice tags[] = {S("a"), S("b")};
    struct value fields[] = {TEXT(S("m")), INTEGER(7)};
    struct point point = sim_audit_point(tags, fields, 1);
    sim_put(f, &point);
    point.schema = &twin;
    point.time_ns = 2;
    sim_put(f, &point);
    sim_flush_ok(f);
    sim_expect_rows(f, "SELECT count(*) FROM \"audit-01\"", "2\n");
    sim_put(f, &point);
    point.schema = &other;
    point.time_ns = 3;
    sim_put(f, &point);
    assert_int_equal(sim_flush(f), FAILED);
    sim_expect_rows(f, "SELECT count(*) FROM \"audit-01\"", "2\n");
}

/* Elsewhere they are two; here one would overwrite the other's points. */
static void measurements_that_differ_by_case(void **state)
{
    struct fixture *f = *state;
    struct schema upper = sim_audit;
    upper.measurement = "AUDIT-01";
    struct slice tags[] = {S("a"), S("b")};
    struct value fields[] = {TEXT(S("m")), INTEGER(7)};
    struct point point = sim_audit_point(tags, fields, 1);
    sim_put(f, &point);
    sim_flush_ok(f);
    point.schema = &upper;
    sim_put(f, &point);
    assert_int_equal(sim_flush(f), FAILED);
    assert_non_null(strstr(f->err.text, "table \"AUDIT-01\": there is \"audit-01\" already"));
    sim_expect_rows(f, "SELECT count(*) FROM \"audit-01\"", "1\n");
}

static void a_batch_has_an_end(void **state)
{
    struct fixture *f = *state;
    struct slice tags[] = {S("a"), S("b")};
    struct value fields[] = {TEXT(S("m")), INTEGER(7)};
    for (int64_t i = 0; i < 5000; i++) {
        struct point point = sim_audit_point(tags, fields, i);
        sim_put(f, &point);
    }
    struct point more = sim_audit_point(tags, fields, 5000);
    assert_int_equal(sqlite_datasource.put(f->self, &more, &f->err), AGAIN);
    sim_flush_ok(f);
    sim_put(f, &more);
    sim_flush_ok(f);
    sim_expect_rows(f, "SELECT count(*), min(time), max(time) FROM \"audit-01\"", "5001|0|5000\n");

    enum { MESSAGE_BYTES = 1024 * 1024 };
    CLEANUP_FREE char *message = memory_new(MESSAGE_BYTES);
    memset(message, 'm', MESSAGE_BYTES);
    struct slice piece = {message, MESSAGE_BYTES};
    struct value large[] = {{.kind = VALUE_TEXT, .text = {&piece, 1}}, INTEGER(7)};
    int taken = 0;
    for (enum status status = OK; status == OK && taken < 10; taken += status == OK) {
        struct point point = sim_audit_point(tags, large, 10000 + taken);
        status = sqlite_datasource.put(f->self, &point, &f->err);
    }
    assert_int_equal(taken, 4);
    sim_flush_ok(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(writes_what_was_put),
        SIM_TEST(table_is_as_promised),
        SIM_TEST(same_point_is_written_once),
        SIM_TEST(odd_names_are_quoted),
        SIM_TEST(tables_without_fields_or_tags),
        SIM_TEST(fields_are_added),
        SIM_TEST(keys_and_types_stay),
        SIM_TEST(one_measurement_has_one_schema),
        SIM_TEST(measurements_that_differ_by_case),
        SIM_TEST(a_batch_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
