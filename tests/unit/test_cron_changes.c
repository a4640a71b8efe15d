/*
 * Tests of schedule/cron when clocks change. The changes are those of the IANA data; the runs in
 * UTC were worked out by hand.
 */
#include "schedule/cron.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "cron_table.h"

/* Berlin: 2026-03-29 01:00Z from +1 to +2 (02:00 becomes 03:00), 2026-10-25 01:00Z back (03:00
 * becomes 02:00). */
static void test_berlin(void **state)
{
    (void)state;
    static const struct table tables[] = {
        {"30 2 * * *",
         "Europe/Berlin",
         "2026-03-27T12:00:00Z",
         {"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}},
        {"0 2 * * *",
         "Europe/Berlin",
         "2026-03-28T12:00:00Z",
         {"2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"}},
        {"0,20,40 2,3 * * *",
         "Europe/Berlin",
         "2026-03-28T12:00:00Z",
         {"2026-03-29T01:00:00Z", "2026-03-29T01:20:00Z", "2026-03-29T01:40:00Z",
          "2026-03-30T00:00:00Z"}},
        {"30 1,2 * * *",
         "Europe/Berlin",
         "2026-03-28T12:00:00Z",
         {"2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T23:30:00Z",
          "2026-03-30T00:30:00Z"}},
        {"30 2 * * *",
         "Europe/Berlin",
         "2026-10-24T12:00:00Z",
         {"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
        /* asked between the two showings, and in the second one */
        {"30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", {"2026-10-26T01:30:00Z"}},
        {"30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", {"2026-10-26T01:30:00Z"}},
        {"30 2 * * *", "Europe/Berlin", "2026-10-25T00:29:59Z", {"2026-10-25T00:30:00Z"}},
        {"0 2,3 * * *",
         "Europe/Berlin",
         "2026-10-24T12:00:00Z",
         {"2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z", "2026-10-26T01:00:00Z"}},
        {"59 2 * * *",
         "Europe/Berlin",
         "2026-10-25T00:58:00Z",
         {"2026-10-25T00:59:00Z", "2026-10-26T01:59:00Z"}},
        /* a range of hours is fixed hours */
        {"0 0-23 * * *",
         "Europe/Berlin",
         "2026-10-24T23:00:00Z",
         {"2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z"}},
    };
    CHECK_ALL(tables);
}

/* With "*" or a step in the hour, the same changes. */
static void test_berlin_as_shown(void **state)
{
    (void)state;
    static const struct table tables[] = {
        {"0 * * * *",
         "Europe/Berlin",
         "2026-03-28T23:30:00Z",
         {"2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"}},
        {"0 * * * *",
         "Europe/Berlin",
         "2026-10-24T23:30:00Z",
         {"2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"}},
        {"*/30 * * * *",
         "Europe/Berlin",
         "2026-10-25T00:00:00Z",
         {"2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z",
          "2026-10-25T02:00:00Z"}},
        {"0 */2 * * *",
         "Europe/Berlin",
         "2026-03-28T22:00:00Z",
         {"2026-03-28T23:00:00Z", "2026-03-29T02:00:00Z"}},
        {"0 */2 * * *",
         "Europe/Berlin",
         "2026-10-24T22:00:00Z",
         {"2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T03:00:00Z"}},
        {"0 0-23/2 * * *",
         "Europe/Berlin",
         "2026-10-24T22:00:00Z",
         {"2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T03:00:00Z"}},
        {"0 1,*/12 * * *",
         "Europe/Berlin",
         "2026-03-28T23:00:00Z",
         {"2026-03-29T00:00:00Z", "2026-03-29T10:00:00Z"}},
        {"0 3,* * * *",
         "Europe/Berlin",
         "2026-10-25T00:00:00Z",
         {"2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"}},
        {"0 0 29 3 *",
         "Europe/Berlin",
         "2026-03-01T00:00:00Z",
         {"2026-03-28T23:00:00Z", "2027-03-28T22:00:00Z"}},
    };
    CHECK_ALL(tables);
}

/* New York: 2026-03-08 07:00Z from -5 to -4 (02:00 becomes 03:00), 2026-11-01 06:00Z back (02:00
 * becomes 01:00). */
static void test_new_york(void **state)
{
    (void)state;
    static const struct table tables[] = {
        {"15 2 * * *",
         "America/New_York",
         "2026-03-07T12:00:00Z",
         {"2026-03-08T07:00:00Z", "2026-03-09T06:15:00Z"}},
        {"0 3 * * *",
         "America/New_York",
         "2026-03-07T12:00:00Z",
         {"2026-03-08T07:00:00Z", "2026-03-09T07:00:00Z"}},
        {"15 1 * * *",
         "America/New_York",
         "2026-10-31T12:00:00Z",
         {"2026-11-01T05:15:00Z", "2026-11-02T06:15:00Z"}},
        {"0 2 * * *",
         "America/New_York",
         "2026-10-31T12:00:00Z",
         {"2026-11-01T07:00:00Z", "2026-11-02T07:00:00Z"}},
        {"15 * * * *",
         "America/New_York",
         "2026-11-01T05:00:00Z",
         {"2026-11-01T05:15:00Z", "2026-11-01T06:15:00Z", "2026-11-01T07:15:00Z"}},
        {"0 0 * * SUN",
         "America/New_York",
         "2026-10-31T12:00:00Z",
         {"2026-11-01T04:00:00Z", "2026-11-08T05:00:00Z"}},
    };
    CHECK_ALL(tables);
}

/* Lord Howe: half an hour. 2026-10-03 15:30Z from +10:30 to +11 (02:00 becomes 02:30), 2026-04-04
 * 15:00Z back (02:00 becomes 01:30). */
static void test_lord_howe(void **state)
{
    (void)state;
    static const struct table tables[] = {
        {"15 2 * * *",
         "Australia/Lord_Howe",
         "2026-10-02T20:00:00Z",
         {"2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"}},
        {"0 2 * * *",
         "Australia/Lord_Howe",
         "2026-10-02T20:00:00Z",
         {"2026-10-03T15:30:00Z", "2026-10-04T15:00:00Z"}},
        {"45 1 * * *",
         "Australia/Lord_Howe",
         "2026-04-03T20:00:00Z",
         {"2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"}},
        {"15 1 * * *",
         "Australia/Lord_Howe",
         "2026-04-03T20:00:00Z",
         {"2026-04-04T14:15:00Z", "2026-04-05T14:45:00Z"}},
        {"0,45 * * * *",
         "Australia/Lord_Howe",
         "2026-04-04T14:00:00Z",
         {"2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z", "2026-04-04T15:30:00Z",
          "2026-04-04T16:15:00Z"}},
        {"15,45 * * * *",
         "Australia/Lord_Howe",
         "2026-10-03T15:00:00Z",
         {"2026-10-03T15:15:00Z", "2026-10-03T15:45:00Z", "2026-10-03T16:15:00Z"}},
    };
    CHECK_ALL(tables);
}

/* Apia left out 2011-12-30: 09:59:59Z was 23:59:59 of the 29th (-10), 10:00Z was 00:00 of the 31st
 * (+14). */
static void test_apia(void **state)
{
    (void)state;
    static const struct table tables[] = {
        {"0 12 * * *",
         "Pacific/Apia",
         "2011-12-28T00:00:00Z",
         {"2011-12-28T22:00:00Z", "2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z",
          "2011-12-30T22:00:00Z"}},
        {"0 0 * * *",
         "Pacific/Apia",
         "2011-12-29T00:00:00Z",
         {"2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"}},
        {"0 6,18 30 12 *",
         "Pacific/Apia",
         "2011-12-01T00:00:00Z",
         {"2011-12-30T10:00:00Z", "2012-12-29T16:00:00Z"}},
        {"0 */6 * * *",
         "Pacific/Apia",
         "2011-12-29T16:00:00Z",
         {"2011-12-29T22:00:00Z", "2011-12-30T04:00:00Z", "2011-12-30T10:00:00Z",
          "2011-12-30T16:00:00Z"}},
        {"0 * 30 12 *",
         "Pacific/Apia",
         "2011-12-01T00:00:00Z",
         {"2012-12-29T10:00:00Z", "2012-12-29T11:00:00Z"}},
    };
    CHECK_ALL(tables);
}

/* Kwajalein had 30 September 1969 twice: at 13:00Z, from +11 to -12, 00:00 of 1 October became
 * 01:00 of the day before. Dublin's winter time is the exception: 2026-10-25 01:00Z from +1 to 0.
 */
static void test_odd_zones(void **state)
{
    (void)state;
    static const struct table tables[] = {
        {"30 12 * * *",
         "Pacific/Kwajalein",
         "1969-09-29T02:00:00Z",
         {"1969-09-30T01:30:00Z", "1969-10-02T00:30:00Z"}},
        {"30 */12 * * *",
         "Pacific/Kwajalein",
         "1969-09-29T14:00:00Z",
         {"1969-09-30T01:30:00Z", "1969-10-01T00:30:00Z", "1969-10-01T12:30:00Z"}},
        {"30 1 * * *",
         "Europe/Dublin",
         "2026-10-24T12:00:00Z",
         {"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
        {"30 1 * * *",
         "Europe/Dublin",
         "2026-03-28T12:00:00Z",
         {"2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}},
        {"0 9 * * *", "Asia/Kathmandu", "2026-03-28T12:00:00Z", {"2026-03-29T03:15:00Z"}},
    };
    CHECK_ALL(tables);
}

/* Long after the last change of the tables: by the rule. 2090-03-26 and 2090-10-29 are the last
 * Sundays of their months; in Sydney the first ones of October and April count (2090-10-01,
 * 2090-04-02). */
static void test_by_rule(void **state)
{
    (void)state;
    static const struct table tables[] = {
        {"30 2 * * *",
         "Europe/Berlin",
         "2090-03-25T12:00:00Z",
         {"2090-03-26T01:00:00Z", "2090-03-27T00:30:00Z"}},
        {"30 2 * * *",
         "Europe/Berlin",
         "2090-10-28T12:00:00Z",
         {"2090-10-29T00:30:00Z", "2090-10-30T01:30:00Z"}},
        {"30 2 * * *",
         "Australia/Sydney",
         "2090-09-30T00:00:00Z",
         {"2090-09-30T16:00:00Z", "2090-10-01T15:30:00Z"}},
        {"30 2 * * *",
         "Australia/Sydney",
         "2090-04-01T00:00:00Z",
         {"2090-04-01T15:30:00Z", "2090-04-02T16:30:00Z"}},
        {"0 12 1 1 *", "Australia/Sydney", "2090-12-30T00:00:00Z", {"2091-01-01T01:00:00Z"}},
    };
    CHECK_ALL(tables);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_berlin),   cmocka_unit_test(test_berlin_as_shown),
        cmocka_unit_test(test_new_york), cmocka_unit_test(test_lord_howe),
        cmocka_unit_test(test_apia),     cmocka_unit_test(test_odd_zones),
        cmocka_unit_test(test_by_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
