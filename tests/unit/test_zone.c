/*
 * Tests of schedule/zone: changes of known zones, the footer's rules on files made by hand, and
 * what is not a zone file. tests/cron compares many more instants with Python's zoneinfo.
 */
#include "schedule/zone.h"

#include "base/cleanup.h"
#include "base/timestamp.h"
#include "zone_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { HOUR = 3600 };

static int64_t seconds_of(const char *text)
{
    int64_t ns;
    if (!timestamp_parse(slice_of(text), &ns)) {
        fail_msg("not a time: %s", text);
    }
    return ns / NS_PER_SECOND;
}

static void free_zone(struct zone **zone)
{
    zone_free(*zone);
}

static struct zone *load(const char *name)
{
    struct zone *zone = NULL;
    struct err err;
    if (zone_load(&zone, name, &err) != OK) {
        fail_msg("%s", err.text);
    }
    return zone;
}

static struct zone *make(const struct made_zone *made)
{
    CLEANUP(buf_finish) struct buf bytes = {.max = 4096};
    zone_make(&bytes, made);
    struct zone *zone = NULL;
    struct err err;
    if (zone_parse(&zone, buf_slice(&bytes), &err) != OK) {
        fail_msg("%s: %s", made->footer, err.text);
    }
    return zone;
}

/* The change to `to` comes at `at`, from `from`, and is the one found from a day before. */
static void check_change(const struct zone *zone, const char *at, int32_t from, int32_t to)
{
    int64_t change = seconds_of(at);
    assert_int_equal(zone_offset(zone, change - 1), from);
    assert_int_equal(zone_offset(zone, change), to);
    assert_int_equal(zone_next_change(zone, change - 86400), change);
    assert_int_equal(zone_next_change(zone, change - 1), change);
    assert_true(zone_next_change(zone, change) > change);
}

static void test_utc(void **state)
{
    (void)state;
    CLEANUP(free_zone) struct zone *utc = load("UTC");
    const struct zone *const zones[] = {NULL, utc};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(zone_offset(zones[i], seconds_of("2026-07-01T00:00:00Z")), 0);
        assert_int_equal(zone_offset(zones[i], INT64_MIN), 0);
        assert_true(zone_next_change(zones[i], 0) == INT64_MAX);
    }
}

static void test_known_changes(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *at;
        int32_t from, to;
    } changes[] = {
        {"Europe/Berlin", "2026-03-29T01:00:00Z", 1 * HOUR, 2 * HOUR},
        {"Europe/Berlin", "2026-10-25T01:00:00Z", 2 * HOUR, 1 * HOUR},
        {"America/New_York", "2026-03-08T07:00:00Z", -5 * HOUR, -4 * HOUR},
        {"America/New_York", "2006-10-29T06:00:00Z", -4 * HOUR, -5 * HOUR}, /* the older rule */
        {"Australia/Lord_Howe", "2026-04-04T15:00:00Z", 11 * HOUR, 10 * HOUR + 1800},
        {"Pacific/Apia", "2011-12-30T10:00:00Z", -10 * HOUR, 14 * HOUR},
        {"Europe/Dublin", "2026-10-25T01:00:00Z", 1 * HOUR, 0},
        {"Europe/Dublin", "2026-03-29T01:00:00Z", 0, 1 * HOUR},
        {"Asia/Pyongyang", "2018-05-04T15:00:00Z", 8 * HOUR + 1800, 9 * HOUR},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        CLEANUP(free_zone) struct zone *zone = load(changes[i].zone);
        check_change(zone, changes[i].at, changes[i].from, changes[i].to);
    }
}

/* By the footer: after 2037, or wherever the file's table ends. */
static void test_by_the_footer(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *at;
        int32_t from, to;
    } changes[] = {
        {"Europe/Berlin", "2090-03-26T01:00:00Z", 1 * HOUR, 2 * HOUR},
        {"Europe/Berlin", "2090-10-29T01:00:00Z", 2 * HOUR, 1 * HOUR},
        {"America/New_York", "2150-03-08T07:00:00Z", -5 * HOUR, -4 * HOUR},
        {"Australia/Sydney", "2090-04-01T16:00:00Z", 11 * HOUR, 10 * HOUR},
        {"Australia/Sydney", "2090-09-30T16:00:00Z", 10 * HOUR, 11 * HOUR},
        {"Europe/Dublin", "2090-10-29T01:00:00Z", 1 * HOUR, 0},
        {"Australia/Lord_Howe", "2090-04-01T15:00:00Z", 11 * HOUR, 10 * HOUR + 1800},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        CLEANUP(free_zone) struct zone *zone = load(changes[i].zone);
        check_change(zone, changes[i].at, changes[i].from, changes[i].to);
    }
    CLEANUP(free_zone) struct zone *kolkata = load("Asia/Kolkata");
    assert_int_equal(zone_offset(kolkata, seconds_of("2200-01-01T00:00:00Z")), 5 * HOUR + 1800);
    assert_true(zone_next_change(kolkata, seconds_of("2026-01-01T00:00:00Z")) == INT64_MAX);
}

/* Each form of date in a rule. 2026-02-28 is day 59 from 1, 2028 has a 29 February. */
static void test_forms_of_rules(void **state)
{
    (void)state;
    static const struct {
        const char *footer, *at;
        int32_t from, to;
    } rules[] = {
        {"AAA3BBB,J60/0,J300", "2026-03-01T03:00:00Z", -3 * HOUR, -2 * HOUR},
        {"AAA3BBB,J60/0,J300", "2028-03-01T03:00:00Z", -3 * HOUR, -2 * HOUR},
        {"AAA3BBB,J59/0,J300", "2028-02-28T03:00:00Z", -3 * HOUR, -2 * HOUR},
        {"AAA3BBB,59/0,J300", "2026-03-01T03:00:00Z", -3 * HOUR, -2 * HOUR},
        {"AAA3BBB,59/0,J300", "2028-02-29T03:00:00Z", -3 * HOUR, -2 * HOUR},
        {"AAA3BBB,0/0,J300", "2026-01-01T03:00:00Z", -3 * HOUR, -2 * HOUR},
        {"<-03>3<+0530>-5:30:15,M3.1.0,M11.1.0", "2026-03-01T05:00:00Z", -3 * HOUR,
         5 * HOUR + 1815},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z", -2 * HOUR, -1 * HOUR},
        {"EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-03-28T00:00:00Z", 2 * HOUR, 3 * HOUR},
        {"AAA0BBB,M2.5.0/0,M10.1.0", "2032-02-29T00:00:00Z", 0, 1 * HOUR},
        {"AAA0BBB,M1.1.0/-167,M6.1.0", "2026-12-27T01:00:00Z", 0, 1 * HOUR},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        CLEANUP(free_zone) struct zone *zone = make(&(struct made_zone){.footer = rules[i].footer});
        check_change(zone, rules[i].at, rules[i].from, rules[i].to);
    }
}

/* RFC 8536 section 3.3.1: daylight time without an end is written as one that ends when it begins.
 */
static void test_daylight_all_year(void **state)
{
    (void)state;
    CLEANUP(free_zone)
    struct zone *zone = make(&(struct made_zone){.footer = "XXX3EDT4,0/0,J365/23"});
    static const char *const times[] = {"2026-01-01T03:59:59Z", "2026-01-01T04:00:00Z",
                                        "2026-07-01T00:00:00Z", "2027-01-01T03:59:59Z",
                                        "2028-12-31T23:00:00Z", "2029-01-01T04:00:00Z"};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        assert_int_equal(zone_offset(zone, seconds_of(times[i])), -4 * HOUR);
    }
}

/* The date of one year lies in the next: 2026's end is 2027-01-01 03:00Z, an hour after its begin.
 */
static void test_dates_beyond_the_year(void **state)
{
    (void)state;
    CLEANUP(free_zone)
    struct zone *zone = make(&(struct made_zone){.footer = "XXX2EDT4,0/0,J365/23"});
    check_change(zone, "2027-01-01T02:00:00Z", -2 * HOUR, -4 * HOUR);
    check_change(zone, "2028-01-01T02:00:00Z", -2 * HOUR, -4 * HOUR);
    assert_int_equal(zone_next_change(zone, seconds_of("2027-01-01T02:00:00Z")),
                     seconds_of("2027-01-01T03:00:00Z"));
    assert_int_equal(zone_offset(zone, seconds_of("2027-01-01T03:00:00Z")), -2 * HOUR);
}

/* Before the table, in it, behind it; with a footer and without. */
static void test_table_and_footer(void **state)
{
    (void)state;
    int64_t change = seconds_of("2000-06-01T00:00:00Z");
    struct made_zone made = {change, 1234, 7200, "", 0};
    CLEANUP(free_zone) struct zone *bare = make(&made);
    assert_int_equal(zone_offset(bare, INT64_MIN), 1234);
    check_change(bare, "2000-06-01T00:00:00Z", 1234, 7200);
    assert_int_equal(zone_offset(bare, INT64_MAX), 7200);
    assert_true(zone_next_change(bare, change) == INT64_MAX);

    made.footer = "CET-1CEST,M3.5.0,M10.5.0/3";
    CLEANUP(free_zone) struct zone *ruled = make(&made);
    assert_int_equal(zone_next_change(ruled, INT64_MIN), change);
    assert_int_equal(zone_next_change(ruled, change), seconds_of("2000-10-29T01:00:00Z"));
    assert_int_equal(zone_offset(ruled, seconds_of("2000-10-29T01:00:00Z")), HOUR);
    assert_int_equal(zone_offset(ruled, INT64_MAX), HOUR);
    assert_true(zone_next_change(ruled, INT64_MAX) == INT64_MAX);
}

/* --- what is refused --- */

static void check_refused(const char *what, struct slice bytes)
{
    struct zone *zone = NULL;
    struct err err;
    if (zone_parse(&zone, bytes, &err) != BAD_DATA) {
        fail_msg("%s: taken", what);
    }
    assert_null(zone);
    assert_string_equal(err.text,
                        "not a time zone file of version 2 or later without leap seconds");
}

static void test_refused_footers(void **state)
{
    (void)state;
    static const char *const footers[] = {
        "C-1",
        "CET",
        "CET-",
        "CET-1CEST",
        "CET-1C,M3.5.0,M10.5.0",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M0.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.0.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,M3.5,M10.5.0",
        "CET-1CEST,J0,J365",
        "CET-1CEST,J366,J365",
        "CET-1CEST,366,1",
        "CET-1CEST,M3.5.0/168,M10.5.0",
        "CET-1CEST,M3.5.0/1:60,M10.5.0",
        "CET-1CEST,M3.5.0/,M10.5.0",
        "CET-1CEST,M3.5.0,M10.5.0 ",
        "CET-26",
        "CET-1CEST-26,M3.5.0,M10.5.0",
        "<CET-1",
        "CET-1:",
        "CET-1CEST,M3.5.0,M10.5.0,",
    };
    for (size_t i = 0; i < sizeof footers / sizeof *footers; i++) {
        CLEANUP(buf_finish) struct buf bytes = {.max = 4096};
        zone_make(&bytes, &(struct made_zone){.footer = footers[i]});
        check_refused(footers[i], buf_slice(&bytes));
    }
}

static void test_cut(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf bytes = {.max = 4096};
    zone_make(&bytes, &(struct made_zone){1000, 0, HOUR, "CET-1CEST,M3.5.0,M10.5.0/3", 0});
    for (size_t len = 0; len < bytes.len; len++) {
        char *exact = malloc(len ? len : 1); /* reads beyond it are seen by the sanitizers */
        memcpy(exact, bytes.at, len);
        check_refused("a cut file", slice_make(exact, len));
        free(exact);
    }
}

static void test_damaged(void **state)
{
    (void)state;
    /* the block of version 1: 44 + 6 + 4 bytes; then a header of 44, a time of 8, an index, types
     */
    enum { SECOND = 54, TIME = SECOND + 44, INDEX = TIME + 8, TYPES = INDEX + 1 };
    static const struct {
        const char *what;
        size_t at;
        char byte;
    } damages[] = {
        {"magic", 0, 'x'},
        {"version 1", 4, '\0'},
        {"second magic", SECOND, 'x'},
        {"too many times", SECOND + 33, 1},
        {"no types", SECOND + 39, 0},
        {"an index without a type", INDEX, 2},
        {"an offset of a day and more", TYPES + 6 + 1, 2},
        {"a first offset of a day and more", TYPES + 1, 2},
    };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        CLEANUP(buf_finish) struct buf bytes = {.max = 4096};
        zone_make(&bytes, &(struct made_zone){1000, 0, HOUR, "", 0});
        bytes.at[damages[i].at] = damages[i].byte;
        check_refused(damages[i].what, buf_slice(&bytes));
    }
    CLEANUP(buf_finish) struct buf leap = {.max = 4096};
    zone_make(&leap, &(struct made_zone){.footer = "", .leap_seconds = 1});
    check_refused("leap seconds", buf_slice(&leap));
}

static void test_load_refused(void **state)
{
    (void)state;
    static const char *const names[] = {
        "Europe/Atlantis", "",  "Europe",  "../../../etc/passwd", "/etc/localtime", "Europe/../UTC",
        "Europe/Berlin ",  ".", "zone.tab"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct zone *zone = NULL;
        struct err err;
        char wanted[256];
        snprintf(wanted, sizeof wanted, "no time zone '%s' (is the package tzdata installed?)",
                 names[i]);
        assert_int_equal(zone_load(&zone, names[i], &err), BAD_CONFIG);
        assert_string_equal(err.text, wanted);
    }
    struct zone *zone = NULL;
    struct err err;
    assert_int_equal(zone_load(&zone, "leapseconds", &err), BAD_CONFIG); /* a text file there */
    assert_int_equal(err.status, BAD_CONFIG);
    assert_string_equal(err.text,
                        "time zone 'leapseconds': /usr/share/zoneinfo/leapseconds: not a time zone "
                        "file of version 2 or later without leap seconds");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utc),
        cmocka_unit_test(test_known_changes),
        cmocka_unit_test(test_by_the_footer),
        cmocka_unit_test(test_forms_of_rules),
        cmocka_unit_test(test_daylight_all_year),
        cmocka_unit_test(test_dates_beyond_the_year),
        cmocka_unit_test(test_table_and_footer),
        cmocka_unit_test(test_refused_footers),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_load_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
