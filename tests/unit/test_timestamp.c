/* timestamp: expected nanoseconds were computed with Python's calendar.timegm. */
#include "base/timestamp.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

typedef bool parse_function(struct slice text, int64_t *ns);

struct example {
    const char *text;
    int64_t ns;
};

static void check_examples(parse_function *parse, const struct example *examples, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t ns = 0;
        if (!parse(slice_of(examples[i].text), &ns) || ns != examples[i].ns) {
            fail_msg("'%s' became %lld", examples[i].text, (long long)ns);
        }
    }
}

static void check_refused(parse_function *parse, const char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t ns = 0;
        if (parse(slice_of(texts[i]), &ns)) {
            fail_msg("'%s' was taken for %lld", texts[i], (long long)ns);
        }
    }
}

static void rfc_3339_is_read(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"2022-10-24T08:37:41.232759412Z", 1666600661232759412},
        {"2022-10-24T08:37:19.9977067Z", 1666600639997706700},
        {"2022-10-24t08:37:41z", 1666600661000000000},
        {"2022-10-24T08:37:41", 1666600661000000000},
        {"2022-10-24 08:37:41Z", 1666600661000000000},
        {"2025-10-03 14:09:32.149000000", 1759500572149000000},
        {"2022-10-24T10:37:41+02:00", 1666600661000000000},
        {"2022-10-23T22:07:41-10:30", 1666600661000000000},
        {"2022-10-24T08:37:41.2327594129999Z", 1666600661232759412},
        {"2000-02-29T00:00:00Z", 951782400000000000},
        {"1900-03-01T00:00:00Z", -2203891200000000000},
        {"2100-02-28T23:59:59Z", 4107542399000000000},
        {"1969-12-31T23:59:59.999999999Z", -1},
        {"1970-01-01T00:00:00Z", 0},
        {"2016-12-31T23:59:60Z", 1483228800000000000},
        {"1678-01-01T00:00:00Z", -9214560000000000000},
        {"2262-04-11T23:47:16.854775807Z", INT64_MAX},
        {"1677-09-21T00:12:43.145224192Z", INT64_MIN},
    };
    check_examples(timestamp_parse, examples, COUNT(examples));
}

static void what_is_not_rfc_3339_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "now",
        "2022-10-24",
        "2022-10-24T",
        "2022-10-24T08:37",
        "2022-10-24T08:37:41.Z",
        "2022-10-24T08:37:41,5Z",
        "2022-10-24T08:37:41ZZ",
        "2022-10-24T08:37:41 Z",
        "2022-10-24  08:37:41Z",
        " 2022-10-24T08:37:41Z",
        "2022-10-24T08:37:41Z ",
        "2022-10-24T08:37:41+0200",
        "2022-10-24T08:37:41+24:00",
        "2022-10-24T08:37:41+02:60",
        "2022-10-24T24:00:00Z",
        "2022-10-24T08:60:00Z",
        "2022-10-24T08:37:61Z",
        "2022-13-01T00:00:00Z",
        "2022-00-01T00:00:00Z",
        "2022-10-00T00:00:00Z",
        "2022-10-32T00:00:00Z",
        "2022-11-31T00:00:00Z",
        "2022-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "22-10-24T08:37:41Z",
        "+022-10-24T08:37:41Z",
        "2262-04-11T23:47:16.854775808Z",
        "1677-09-21T00:12:43.145224191Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "1666600661",
    };
    check_refused(timestamp_parse, texts, COUNT(texts));
}

static void go_times_are_read(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"2021-01-25 09:19:11.622206 +0000 UTC", 1611566351622206000},
        {"2021-01-25 09:19:11.622206 +0000 UTC m=+0.012345678", 1611566351622206000},
        {"2021-01-25 09:19:11.622206 +0000 UTC m=-3.5", 1611566351622206000},
        {"2021-01-25 14:49:11.622206 +0530 IST", 1611566351622206000},
        {"2021-01-25 05:49:11.622206 -0330 -0330", 1611566351622206000},
        {"2021-01-25 09:19:11.622206 +0000", 1611566351622206000},
        {"2021-01-25T09:19:11.622206Z", 1611566351622206000},
        {"2021-01-25 09:19:11.622206", 1611566351622206000},
    };
    check_examples(timestamp_parse_go, examples, COUNT(examples));
    static const char *const refused[] = {
        "2021-01-25 09:19:11.622206 ",
        "2021-01-25 09:19:11 UTC",
        "2021-01-25 09:19:11 +00:00 UTC",
        "2021-01-25 09:19:11 +0000 ",
        "2021-01-25 09:19:11 +0000 UTC ",
        "2021-01-25 09:19:11 +0000 UTC later",
        "2021-01-25 09:19:11 +0000 UTC m=1 m=",
        "2021-02-30 09:19:11 +0000 UTC",
        "Mon Jan 25 09:19:11 2021",
        "",
    };
    check_refused(timestamp_parse_go, refused, COUNT(refused));
}

static void a_time_of_day_falls_on_the_latest_day_before(void **state)
{
    (void)state;
    const int64_t latest = 1666600661000000000; /* 2022-10-24T08:37:41Z */
    int64_t ns;
    assert_true(timestamp_parse_time_of_day(slice_of("08:37:41"), latest, &ns));
    assert_int_equal(ns, latest);
    assert_true(timestamp_parse_time_of_day(slice_of("08:37:40"), latest, &ns));
    assert_int_equal(ns, latest - NS_PER_SECOND);
    assert_true(timestamp_parse_time_of_day(slice_of("00:00:00"), latest, &ns));
    assert_int_equal(ns, INT64_C(1666569600000000000));
    assert_true(timestamp_parse_time_of_day(slice_of("08:37:42"), latest, &ns));
    assert_int_equal(ns, latest + NS_PER_SECOND - NS_PER_DAY);
    assert_true(timestamp_parse_time_of_day(slice_of("23:59:59"), -1, &ns));
    assert_int_equal(ns, -NS_PER_SECOND);
    static const char *const refused[] = {"",         "8:37:41",  "08:37",     "24:00:00",
                                          "08:60:00", "08:37:60", "08:37:41Z", "08-37-41"};
    for (size_t i = 0; i < COUNT(refused); i++) {
        assert_false(timestamp_parse_time_of_day(slice_of(refused[i]), latest, &ns));
    }
    assert_false(timestamp_parse_time_of_day(slice_of("12:00:00"), INT64_MIN, &ns));
}

static void http_dates_are_read(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777000000000},
        {"Mon, 24 Oct 2022 08:37:41 GMT", 1666600661000000000},
    };
    check_examples(timestamp_parse_http, examples, COUNT(examples));
    static const char *const refused[] = {
        "",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 31 Nov 1994 08:49:37 GMT",
    };
    check_refused(timestamp_parse_http, refused, COUNT(refused));
}

static void arguments_are_read(void **state)
{
    (void)state;
    const int64_t now = 1666600661000000000;
    static const struct example examples[] = {
        {"2022-05-30", 1653868800000000000},
        {"2022-05-30T09:00:00Z", 1653901200000000000},
        {"-720h", INT64_C(1666600661000000000) - INT64_C(720) * 3600 * 1000000000},
        {"-30d", INT64_C(1666600661000000000) - INT64_C(720) * 3600 * 1000000000},
        {"-15m", INT64_C(1666600661000000000) - INT64_C(900) * 1000000000},
        {"-10s", INT64_C(1666600661000000000) - INT64_C(10) * 1000000000},
    };
    for (size_t i = 0; i < COUNT(examples); i++) {
        int64_t ns;
        assert_true(timestamp_parse_argument(slice_of(examples[i].text), now, &ns));
        assert_int_equal(ns, examples[i].ns);
    }
    static const char *const refused[] = {"",
                                          "-",
                                          "720h",
                                          "-h",
                                          "-720",
                                          "-720w",
                                          "-1h1m",
                                          "2022-05-32",
                                          "2022-5-30",
                                          "yesterday",
                                          "-99999999999999999999h",
                                          "-9999999999d"};
    for (size_t i = 0; i < COUNT(refused); i++) {
        int64_t ns;
        if (timestamp_parse_argument(slice_of(refused[i]), now, &ns)) {
            fail_msg("'%s' was taken", refused[i]);
        }
    }
}

static void durations_are_read(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"601866322ns", 601866322},
        {"677949", 677949},
        {"0", 0},
        {"-5", -5},
        {"1.5ms", 1500000},
        {"2m3s", 123000000000},
        {"1h", 3600000000000},
        {"1h2m3.004005006s", 3723004005006},
        {"7us", 7000},
        {"7\xC2\xB5s", 7000},
        {"7\xCE\xBCs", 7000},
        {"-1.5s", -1500000000},
        {"+1s", 1000000000},
        {".5s", 500000000},
        {"1.s", 1000000000},
        {"1.9999ns", 1},
        {"0.1234567890123456789h", 444444440444},
        {"9223372036854775807ns", INT64_MAX},
        {"2562047h47m16.854775807s", INT64_MAX},
    };
    check_examples(duration_parse, examples, COUNT(examples));
}

static void what_is_not_a_duration_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "ns",
        "-",
        "+",
        ".",
        ".s",
        "1.5",
        "1 ns",
        "1ns ",
        " 1ns",
        "1xs",
        "1n",
        "--1s",
        "1s-1s",
        "1e3ns",
        "1,5ms",
        "0x1ns",
        "1s2",
        "1.2.3s",
        "1S",
        "9223372036854775808ns",
        "1d",
        "1\xC2s",
        "9223372036854775808",
        "2562048h",
        "2562047h47m16.854775808s",
    };
    check_refused(duration_parse, texts, COUNT(texts));
}

static void times_are_written(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"2022-05-30T09:00:00Z", 1653901200000000000},
        {"2022-10-24T08:37:19.9977067Z", 1666600639997706700},
        {"2022-10-24T08:37:41.232759412Z", 1666600661232759412},
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59.999999999Z", -1},
        {"2000-02-29T00:00:00Z", 951782400000000000},
        {"2262-04-11T23:47:16.854775807Z", INT64_MAX},
        {"1677-09-21T00:12:43.145224192Z", INT64_MIN},
    };
    for (size_t i = 0; i < COUNT(examples); i++) {
        char text[TIMESTAMP_TEXT_BYTES];
        assert_string_equal(timestamp_format(examples[i].ns, text), examples[i].text);
    }
}

/* Every day of 550 years: one more than the day before, and back. */
static void days_follow_each_other(void **state)
{
    (void)state;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct civil civil = {.year = 1700, .month = 1, .day = 1, .hour = 12};
    int64_t expected, ns;
    assert_true(timestamp_from_civil(&civil, &expected));
    while (civil.year < 2250) {
        assert_true(timestamp_from_civil(&civil, &ns));
        assert_int_equal(ns, expected);
        struct civil back = timestamp_civil(ns);
        assert_true(back.year == civil.year && back.month == civil.month && back.day == civil.day &&
                    back.hour == 12 && back.minute == 0 && back.second == 0);
        bool leap = (civil.year % 4 == 0 && civil.year % 100 != 0) || civil.year % 400 == 0;
        int length = lengths[civil.month - 1] + (civil.month == 2 && leap ? 1 : 0);
        if (civil.day++ == length) {
            civil.day = 1;
            civil.month = civil.month % 12 + 1;
            civil.year += civil.month == 1;
        }
        expected += NS_PER_DAY;
    }
}

/* As of a file that somebody dated 2400. */
static void times_of_files_end_where_ours_do(void **state)
{
    static const struct {
        int64_t seconds, nanosecond, ns;
    } rows[] = {
        {0, 0, 0},
        {1, 5, 1000000005},
        {-1, 999999999, -1},
        {INT64_C(9223372036), 854775807, INT64_MAX},
        {INT64_C(9223372036), 854775808, INT64_MAX},
        {INT64_C(13569465600), 0, INT64_MAX},
        {INT64_MAX, 0, INT64_MAX},
        {INT64_C(-9223372037), 145224194, INT64_MIN + 2},
        {INT64_C(-9223372037), 145224192, INT64_MIN + 1},
        {INT64_MIN, 0, INT64_MIN + 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(timestamp_from_seconds(rows[i].seconds, rows[i].nanosecond) == rows[i].ns);
    }
}

static void seconds_since_1970_are_read(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"1547188415.857497", 1547188415857497000},
        {"1547188415", 1547188415000000000},
        {"1.547188415857497E9", 1547188415857497000},
        {"15471884158574970e-7", 1547188415857497000},
        {"0.0000000019", 1},
        {"-0.5", -500000000},
        {"0", 0},
        {"1e-400", 0},
        {"9223372036.854775807", INT64_MAX},
        {"9223372036.8547758079", INT64_MAX},
        {"-9223372036.854775808", INT64_MIN},
    };
    check_examples(timestamp_parse_epoch, examples, COUNT(examples));
    static const char *const texts[] = {
        "",
        "-",
        ".5",
        "5.",
        "1,5",
        "+1",
        "1 ",
        "0x10",
        "1e",
        "1e+",
        "1.5.2",
        "NaN",
        "1e10",
        "9223372036.854775808",
        "-9223372036.854775809",
        "2019-01-11T06:33:35Z",
    };
    check_refused(timestamp_parse_epoch, texts, COUNT(texts));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_3339_is_read),
        cmocka_unit_test(what_is_not_rfc_3339_is_refused),
        cmocka_unit_test(go_times_are_read),
        cmocka_unit_test(a_time_of_day_falls_on_the_latest_day_before),
        cmocka_unit_test(http_dates_are_read),
        cmocka_unit_test(arguments_are_read),
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(what_is_not_a_duration_is_refused),
        cmocka_unit_test(times_of_files_end_where_ours_do),
        cmocka_unit_test(seconds_since_1970_are_read),
        cmocka_unit_test(times_are_written),
        cmocka_unit_test(days_follow_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
