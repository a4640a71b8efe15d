/* Tests of schedule/cron in UTC: the fields, and what is refused. The days are those of a calendar.
 */
#include "schedule/cron.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "cron_table.h"

/* --- in UTC --- */

static void test_fields(void **state)
{
    (void)state;
    static const struct table tables[] = {
        {"0 * * * *", NULL, "2026-03-01T09:00:00Z", {"2026-03-01T10:00:00Z"}},
        {"0 * * * *", NULL, "2026-03-01T08:59:59Z", {"2026-03-01T09:00:00Z"}},
        {"*/15 * * * *",
         NULL,
         "2026-12-31T23:40:00Z",
         {"2026-12-31T23:45:00Z", "2027-01-01T00:00:00Z"}},
        {"7/20 * * * *",
         NULL,
         "2026-01-01T00:00:00Z",
         {"2026-01-01T00:07:00Z", "2026-01-01T00:27:00Z", "2026-01-01T00:47:00Z",
          "2026-01-01T01:07:00Z"}},
        {"10-20/5,50 6 * * *",
         NULL,
         "2026-01-01T00:00:00Z",
         {"2026-01-01T06:10:00Z", "2026-01-01T06:15:00Z", "2026-01-01T06:20:00Z",
          "2026-01-01T06:50:00Z", "2026-01-02T06:10:00Z"}},
        {"  5\t4   * * * ", NULL, "2026-01-01T00:00:00Z", {"2026-01-01T04:05:00Z"}},
        {"59 23 31 12 *", NULL, "2026-12-31T23:59:00Z", {"2027-12-31T23:59:00Z"}},
        {"0 0 1 jan,Jul *",
         NULL,
         "2026-01-01T00:00:00Z",
         {"2026-07-01T00:00:00Z", "2027-01-01T00:00:00Z"}},
        {"0 0 1 OCT-DEC *",
         NULL,
         "2026-01-01T00:00:00Z",
         {"2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z",
          "2027-10-01T00:00:00Z"}},
        {"0 0 31 * *",
         NULL,
         "2026-01-31T00:00:00Z",
         {"2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z", "2026-07-31T00:00:00Z",
          "2026-08-31T00:00:00Z"}},
        {"0 0 31/7 * *", NULL, "2026-01-31T00:00:00Z", {"2026-03-31T00:00:00Z"}},
    };
    CHECK_ALL(tables);
}

static void test_seconds(void **state)
{
    (void)state;
    static const struct table tables[] = {
        {"* * * * * *",
         NULL,
         "2026-03-01T09:00:59Z",
         {"2026-03-01T09:01:00Z", "2026-03-01T09:01:01Z"}},
        {"30 0 9 * * *", NULL, "2026-03-01T09:00:30Z", {"2026-03-02T09:00:30Z"}},
        {"50/5 59 23 * * *",
         NULL,
         "2026-03-01T23:59:51Z",
         {"2026-03-01T23:59:55Z", "2026-03-02T23:59:50Z"}},
        {"1 2 3 4 5 *", NULL, "2026-03-01T00:00:00Z", {"2026-05-04T03:02:01Z"}},
        {"10 20 * * * *", NULL, "2026-03-01T05:20:10Z", {"2026-03-01T06:20:10Z"}},
    };
    CHECK_ALL(tables);
}

/* 2026-03-01 was a Sunday. */
static void test_weekdays(void **state)
{
    (void)state;
    static const struct table tables[] = {
        {"0 0 * * 7", NULL, "2026-03-01T00:00:00Z", {"2026-03-08T00:00:00Z"}},
        {"0 0 * * 0", NULL, "2026-03-01T00:00:00Z", {"2026-03-08T00:00:00Z"}},
        {"0 0 * * sun", NULL, "2026-02-28T00:00:00Z", {"2026-03-01T00:00:00Z"}},
        {"0 0 * * MON-FRI",
         NULL,
         "2026-03-05T00:00:00Z",
         {"2026-03-06T00:00:00Z", "2026-03-09T00:00:00Z", "2026-03-10T00:00:00Z"}},
        {"0 0 * * fri-sun",
         NULL,
         "2026-03-01T00:00:00Z",
         {"2026-03-06T00:00:00Z", "2026-03-07T00:00:00Z", "2026-03-08T00:00:00Z",
          "2026-03-13T00:00:00Z"}},
        {"0 0 * * 5-7",
         NULL,
         "2026-03-06T00:00:00Z",
         {"2026-03-07T00:00:00Z", "2026-03-08T00:00:00Z"}},
        {"0 0 * * */3",
         NULL,
         "2026-03-01T00:00:00Z",
         {"2026-03-04T00:00:00Z", "2026-03-07T00:00:00Z", "2026-03-08T00:00:00Z"}},
        {"0 0 * * 5/1",
         NULL,
         "2026-03-01T00:00:00Z",
         {"2026-03-06T00:00:00Z", "2026-03-07T00:00:00Z", "2026-03-13T00:00:00Z"}},
        {"0 0 * * 0",
         NULL,
         "1969-12-27T00:00:00Z",
         {"1969-12-28T00:00:00Z", "1970-01-04T00:00:00Z"}},
    };
    CHECK_ALL(tables);
}

/* The day is due when the one or the other says so, unless one is exactly "*" or "?". */
static void test_day_or_weekday(void **state)
{
    (void)state;
    static const struct table tables[] = {
        {"0 0 13 * FRI",
         NULL,
         "2026-03-01T00:00:00Z",
         {"2026-03-06T00:00:00Z", "2026-03-13T00:00:00Z", "2026-03-20T00:00:00Z",
          "2026-03-27T00:00:00Z", "2026-04-03T00:00:00Z", "2026-04-10T00:00:00Z",
          "2026-04-13T00:00:00Z"}},
        {"0 0 13 * *",
         NULL,
         "2026-03-14T00:00:00Z",
         {"2026-04-13T00:00:00Z", "2026-05-13T00:00:00Z"}},
        {"0 0 13 * ?",
         NULL,
         "2026-03-14T00:00:00Z",
         {"2026-04-13T00:00:00Z", "2026-05-13T00:00:00Z"}},
        {"0 0 ? * FRI", NULL, "2026-03-13T00:00:00Z", {"2026-03-20T00:00:00Z"}},
        {"0 0 ? * ?", NULL, "2026-03-13T00:00:00Z", {"2026-03-14T00:00:00Z"}},
        {"0 0 1-31 * FRI", NULL, "2026-03-13T00:00:00Z", {"2026-03-14T00:00:00Z"}},
        {"0 0 13 * 0-6", NULL, "2026-03-13T00:00:00Z", {"2026-03-14T00:00:00Z"}},
        {"0 0 */10 * TUE",
         NULL,
         "2026-03-01T00:00:00Z",
         {"2026-03-03T00:00:00Z", "2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z",
          "2026-03-17T00:00:00Z", "2026-03-21T00:00:00Z"}},
        {"0 0 30 2 MON",
         NULL,
         "2026-02-20T00:00:00Z",
         {"2026-02-23T00:00:00Z", "2027-02-01T00:00:00Z"}},
    };
    CHECK_ALL(tables);
}

static void test_rare_dates(void **state)
{
    (void)state;
    static const struct table tables[] = {
        {"0 0 29 2 *",
         NULL,
         "2026-03-01T00:00:00Z",
         {"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"}},
        {"0 0 29 2 *", NULL, "2096-02-29T00:00:00Z", {"2104-02-29T00:00:00Z"}},
        {"0 12 29 2 *", "Europe/Berlin", "2096-02-29T11:00:00Z", {"2104-02-29T11:00:00Z"}},
        {"0 0 30 2 *", NULL, "2026-03-01T00:00:00Z", {"never"}},
        {"0 0 31 4,6,9,11 *", NULL, "2026-03-01T00:00:00Z", {"never"}},
        {"0 0 30 2 *", "Europe/Berlin", "2026-03-01T00:00:00Z", {"never"}},
        {"0 * 30 2 *", "Europe/Berlin", "2026-03-01T00:00:00Z", {"never"}},
        {"0 0 1 1 *", NULL, "2256-12-31T00:00:00Z", {"2257-01-01T00:00:00Z", "never"}},
    };
    CHECK_ALL(tables);
}

/* Whatever the instant, also where nanoseconds do not reach. */
static void test_far(void **state)
{
    (void)state;
    struct cron cron;
    struct err err;
    struct zone *berlin = load("Europe/Berlin");
    assert_int_equal(cron_parse(&cron, "0 3 * * *", &err), OK);
    assert_true(cron_next(&cron, berlin, INT64_MAX) == INT64_MAX);
    assert_true(cron_next(&cron, NULL, INT64_MAX - 1) == INT64_MAX);
    int64_t first = cron_next(&cron, NULL, INT64_MIN);
    assert_true(first < seconds_of("1683-01-01T00:00:00Z") && first % 86400 == -75600);
    assert_true(cron_next(&cron, berlin, INT64_MIN) <= first);
    zone_free(berlin);
    struct zone *york = load("America/New_York");
    assert_int_equal(cron_parse(&cron, "@hourly", &err), OK);
    int64_t last = seconds_of("2257-06-25T00:00:00Z");
    assert_true(cron_next(&cron, york, last - 1) == last);
    assert_true(cron_next(&cron, york, last) == INT64_MAX);
    zone_free(york);
}

static void test_names(void **state)
{
    (void)state;
    static const struct table tables[] = {
        {"@hourly", NULL, "2026-03-01T09:30:00Z", {"2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z"}},
        {"@daily", NULL, "2026-03-01T09:30:00Z", {"2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"}},
        {"@Midnight",
         NULL,
         "2026-03-01T09:30:00Z",
         {"2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"}},
        {"@weekly", NULL, "2026-03-01T09:30:00Z", {"2026-03-08T00:00:00Z", "2026-03-15T00:00:00Z"}},
        {"@monthly",
         NULL,
         "2026-03-01T09:30:00Z",
         {"2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z"}},
        {"@yearly", NULL, "2026-03-01T09:30:00Z", {"2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"}},
        {"@annually",
         NULL,
         "2026-03-01T09:30:00Z",
         {"2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"}},
        {"@hourly", "Asia/Kolkata", "2026-03-01T09:30:00Z", {"2026-03-01T10:30:00Z"}},
    };
    CHECK_ALL(tables);
}

/* --- what is refused --- */

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *schedule, *field;
        int low, high;
    } refused[] = {
        {"60 * * * *", "minute '60'", 0, 59},
        {"-1 * * * *", "minute '-1'", 0, 59},
        {"1- * * * *", "minute '1-'", 0, 59},
        {"5-1 * * * *", "minute '5-1'", 0, 59},
        {"1-5-7 * * * *", "minute '1-5-7'", 0, 59},
        {"*/0 * * * *", "minute '*/0'", 0, 59},
        {"*/ * * * *", "minute '*/'", 0, 59},
        {"/5 * * * *", "minute '/5'", 0, 59},
        {"1, * * * *", "minute '1,'", 0, 59},
        {",1 * * * *", "minute ',1'", 0, 59},
        {"1,,2 * * * *", "minute '1,,2'", 0, 59},
        {"*5 * * * *", "minute '*5'", 0, 59},
        {"** * * * *", "minute '**'", 0, 59},
        {"? * * * *", "minute '?'", 0, 59},
        {"1x * * * *", "minute '1x'", 0, 59},
        {"00001 * * * *", "minute '00001'", 0, 59},
        {"4294967296 * * * *", "minute '4294967296'", 0, 59},
        {"* 24 * * *", "hour '24'", 0, 23},
        {"* ? * * *", "hour '?'", 0, 23},
        {"* * 0 * *", "day of month '0'", 1, 31},
        {"* * 32 * *", "day of month '32'", 1, 31},
        {"* * ?/2 * *", "day of month '?/2'", 1, 31},
        {"* * L * *", "day of month 'L'", 1, 31},
        {"* * * 0 *", "month '0'", 1, 12},
        {"* * * 13 *", "month '13'", 1, 12},
        {"* * * JANUARY *", "month 'JANUARY'", 1, 12},
        {"* * * MON *", "month 'MON'", 1, 12},
        {"* * * * 8", "day of week '8'", 0, 7},
        {"* * * * FRI-MON", "day of week 'FRI-MON'", 0, 7},
        {"* * * * JAN", "day of week 'JAN'", 0, 7},
        {"* * * * FRI#2", "day of week 'FRI#2'", 0, 7},
        {"60 * * * * *", "second '60'", 0, 59},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct cron cron;
        struct err err;
        char wanted[256];
        snprintf(wanted, sizeof wanted,
                 "schedule '%s': %s: not a value, range or step within %d-%d", refused[i].schedule,
                 refused[i].field, refused[i].low, refused[i].high);
        assert_int_equal(cron_parse(&cron, refused[i].schedule, &err), BAD_CONFIG);
        assert_int_equal(err.status, BAD_CONFIG);
        assert_string_equal(err.text, wanted);
    }
}

static void test_wrong_number_of_fields(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "",           " ",       "*",         "* * * *",        "* * * * * * *",
        "@fortnight", "@reboot", "@hourly 5", "0 * * * * * * *"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct cron cron;
        struct err err;
        char wanted[256];
        snprintf(wanted, sizeof wanted,
                 "schedule '%s': five fields (minute hour day month weekday), six with seconds "
                 "first, or @hourly and the like",
                 refused[i]);
        assert_int_equal(cron_parse(&cron, refused[i], &err), BAD_CONFIG);
        assert_string_equal(err.text, wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_seconds),
        cmocka_unit_test(test_weekdays),
        cmocka_unit_test(test_day_or_weekday),
        cmocka_unit_test(test_rare_dates),
        cmocka_unit_test(test_far),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_wrong_number_of_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
