/* Tests of the parts of report that need no store: periods, figures, names. */
#include "report/report.h"

#include "base/cleanup.h"
#include "base/timestamp.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* 2026-03-01T12:00:00Z, as date -u +%s gives it */
static const int64_t noon_ns = 1772366400 * NS_PER_SECOND;

static void test_period(void **state)
{
    (void)state;
    struct report_period period;
    struct err err;
    assert_int_equal(report_period_parse(&period, NULL, NULL, noon_ns, &err), OK);
    assert_false(period.from_given || period.to_given);
    assert_true(period.window.from_ns == INT64_MIN && period.window.to_ns == INT64_MAX);

    assert_int_equal(report_period_parse(&period, "2026-03-01", NULL, noon_ns, &err), OK);
    assert_true(period.from_given && !period.to_given);
    assert_int_equal(period.window.from_ns, noon_ns - NS_PER_DAY / 2);
    assert_true(period.window.to_ns == INT64_MAX);

    assert_int_equal(report_period_parse(&period, "-24h", "2026-03-01T12:00:01Z", noon_ns, &err),
                     OK);
    assert_int_equal(period.window.from_ns, noon_ns - NS_PER_DAY);
    assert_int_equal(period.window.to_ns, noon_ns + NS_PER_SECOND);
}

static void assert_no_period(const char *from, const char *to, const char *expected)
{
    struct report_period period;
    struct err err;
    assert_int_equal(report_period_parse(&period, from, to, noon_ns, &err), BAD_CONFIG);
    assert_string_equal(err.text, expected);
}

static void test_no_period(void **state)
{
    (void)state;
    assert_no_period("soon", NULL, "--from-date soon: not a date (2022-05-30, -720h)");
    assert_no_period(NULL, "2026-02-30", "--to-date 2026-02-30: not a date (2022-05-30, -720h)");
    assert_no_period("2026-03-02", "2026-03-01", "--from-date is not before --to-date");
    assert_no_period("2026-03-01", "2026-03-01", "--from-date is not before --to-date");
}

static void test_day(void **state)
{
    (void)state;
    const int64_t midnight_ns = noon_ns - NS_PER_DAY / 2;
    assert_int_equal(report_day(noon_ns), midnight_ns);
    assert_int_equal(report_day(midnight_ns), midnight_ns);
    assert_int_equal(report_day(midnight_ns - 1), midnight_ns - NS_PER_DAY);
    assert_int_equal(report_day(0), 0);
    assert_int_equal(report_day(-1), -NS_PER_DAY);
    assert_int_equal(report_day(-NS_PER_DAY), -NS_PER_DAY);
    assert_true(report_day(INT64_MIN) == INT64_MIN);
}

static void test_measures(void **state)
{
    (void)state;
    const struct report_figures some = {
        .calls = 5, .errors = 2, .not_200 = 3, .timed = 4, .total_ns = 10e6, .longest_ns = 7500000};
    const struct report_figures none = {.calls = 1};
    const double wanted[REPORT_PANELS] = {2.5, 2.5, 2, 5, 5, 7.5};
    for (size_t i = 0; i < REPORT_PANELS; i++) {
        double found = report_measure(&report_panels[i], &some);
        assert_true(found > wanted[i] - 1e-9 && found < wanted[i] + 1e-9);
        bool is_time = strcmp(report_panels[i].unit, "ms") == 0;
        assert_int_equal(isnan(report_measure(&report_panels[i], &none)) != 0, is_time);
    }
}

static void assert_label(struct report_grid *grid, size_t series, const char *expected)
{
    CLEANUP(buf_finish) struct buf out = {.max = 100};
    report_label(&report_panels[3], grid, series, &out);
    assert_string_equal(buf_text(&out), expected);
}

static void test_labels(void **state)
{
    (void)state;
    char name[] = "orders", empty[] = "";
    struct report_series series[] = {{.name = name}, {.name = empty}, {.name = NULL}};
    struct report_grid grid = {.n_series = 3, .series = series, .folded = 7};
    assert_label(&grid, 0, "orders");
    assert_label(&grid, 1, "(no bucket)");
    assert_label(&grid, 2, "other (7 buckets)");
    grid.folded = 1;
    assert_label(&grid, 2, "other (1 bucket)");
}

/* By hand, as gnuplot writes them. */
static void test_colours(void **state)
{
    (void)state;
    char text[24];
    assert_string_equal(report_svg_colour(0x2a6fb0, text), "rgb( 42, 111, 176)");
    assert_string_equal(report_svg_colour(0xffffff, text), "rgb(255, 255, 255)");
    for (int i = 0; i < REPORT_COLOURS; i++) {
        for (int j = 0; j < i; j++) {
            assert_true(report_colour(i, false) != report_colour(j, false));
            assert_true(report_colour(i, true) != report_colour(j, true));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_period), cmocka_unit_test(test_no_period),
        cmocka_unit_test(test_day),    cmocka_unit_test(test_measures),
        cmocka_unit_test(test_labels), cmocka_unit_test(test_colours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
