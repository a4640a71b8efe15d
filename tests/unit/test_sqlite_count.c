/* sqlite: how many points the store holds on each day; days worked out by hand. */
#include "sqlite_sim.h"

#include "base/timestamp.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What count() told, "day:points " each. */
struct told {
    struct tally tally;
    char text[400];
    int refuse_after; /* days; 0 = never */
};

static enum status hear(struct tally *tally, int32_t day, uint64_t points, struct err *err)
{
    struct told *told = (struct told *)tally;
    size_t len = strlen(told->text);
    snprintf(told->text + len, sizeof told->text - len, "%d:%d ", (int)day, (int)points);
    return --told->refuse_after == 0 ? err_set(err, FAILED, "enough") : OK;
}

static const struct window all_days = {-106751 * NS_PER_DAY, 106751 * NS_PER_DAY};

static enum status count(struct fixture *f, const char *measurement, struct window window,
                         struct told *told)
{
    told->tally = (struct tally){.measurement = measurement, .window = window, .day = hear};
    return sqlite_datasource.count(f->self, &told->tally, &f->err);
}

static void expect_days(struct fixture *f, const char *measurement, struct window window,
                        const char *days)
{
    struct told told = {0};
    if (count(f, measurement, window, &told) != OK) {
        fail_msg("%s", f->err.text);
    }
    assert_string_equal(told.text, days);
    assert_int_equal(told.tally.kept_from_ns, INT64_MIN);
}

static void put(struct fixture *f, const char *tag, int64_t time_ns)
{
    struct slice tags[] = {{tag, strlen(tag)}, S("logs")};
    struct value fields[] = {TEXT(S("m")), INTEGER(1)};
    struct point point = sim_audit_point(tags, fields, time_ns);
    sim_put(f, &point);
}

static void test_days(void **state)
{
    struct fixture *f = *state;
    static const int64_t times[] = {0,
                                    1,
                                    NS_PER_DAY - 1,
                                    NS_PER_DAY,
                                    3 * NS_PER_DAY + 5,
                                    1653900000000000001,
                                    -1,
                                    -NS_PER_DAY,
                                    -NS_PER_DAY - 1,
                                    -106751 * NS_PER_DAY,
                                    106751 * NS_PER_DAY - 1};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        put(f, "a", times[i]);
    }
    put(f, "b", 0); /* another series */
    put(f, "a", 0); /* the same again */
    sim_flush_ok(f);
    expect_days(f, "audit-01", all_days, "-106751:1 -2:1 -1:2 0:4 1:1 3:1 19142:1 106750:1 ");
    expect_days(f, "audit-01", (struct window){-NS_PER_DAY, NS_PER_DAY}, "-1:2 0:4 ");
    expect_days(f, "audit-01", (struct window){NS_PER_DAY, 2 * NS_PER_DAY}, "1:1 ");
    expect_days(f, "audit-01", (struct window){2 * NS_PER_DAY, 3 * NS_PER_DAY}, "");
    expect_days(f, "AUDIT-01", (struct window){NS_PER_DAY, 2 * NS_PER_DAY}, "1:1 ");
}

/* At both ends of time nothing overflows (the sanitizer sees to that). */
static void test_ends_of_time(void **state)
{
    struct fixture *f = *state;
    put(f, "a", INT64_MIN);
    put(f, "a", INT64_MAX - 1);
    put(f, "a", INT64_MAX);
    sim_flush_ok(f);
    expect_days(f, "audit-01", all_days, "");
    expect_days(f, "audit-01", (struct window){INT64_MIN, INT64_MAX}, "-106752:1 106751:1 ");
}

static void test_nothing_there(void **state)
{
    struct fixture *f = *state;
    expect_days(f, "audit-01", all_days, "");
    assert_int_equal(access(f->path, F_OK), -1); /* counting makes no file */
    put(f, "a", 0);
    sim_flush_ok(f);
    expect_days(f, "iam-01", all_days, "");
    expect_days(f, "audit-01\" WHERE 0; --", all_days, "");
}

static void test_strange_names(void **state)
{
    struct fixture *f = *state;
    put(f, "a", 0);
    sim_flush_ok(f);
    sim_run(f, "CREATE TABLE \"it's \"\"quoted\"\" %s\" (time INTEGER PRIMARY KEY);"
               "INSERT INTO \"it's \"\"quoted\"\" %s\" VALUES (1), (2)");
    expect_days(f, "it's \"quoted\" %s", all_days, "0:2 ");
}

static void test_failures(void **state)
{
    struct fixture *f = *state;
    for (int64_t day = 0; day < 5; day++) {
        put(f, "a", day * NS_PER_DAY);
    }
    sim_flush_ok(f);
    struct told told = {.refuse_after = 2};
    assert_int_equal(count(f, "audit-01", all_days, &told), FAILED);
    assert_string_equal(told.text, "0:1 1:1 ");
    assert_non_null(strstr(f->err.text, "enough"));
    sim_run(f, "CREATE TABLE other (at INTEGER)");
    assert_int_equal(count(f, "other", all_days, &told), FAILED);
    assert_non_null(strstr(f->err.text, f->path));
    assert_non_null(strstr(f->err.text, "no such column"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(test_days),          SIM_TEST(test_ends_of_time), SIM_TEST(test_nothing_there),
        SIM_TEST(test_strange_names), SIM_TEST(test_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
