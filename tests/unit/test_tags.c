/* test_tags: values of tags and series are counted as they are, up to a limit. Figures are worked
 * out by hand. */
#include "commands/tags.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct schema doors = {
    .measurement = "door", .n_tags = 2, .tags = {"name", "person"}, .n_fields = 0};
static const struct schema lamps = {.measurement = "lamp", .n_tags = 0, .n_fields = 0};

static void add(struct tag_counts *counts, const char *name, const char *person)
{
    const struct slice tags[] = {slice_of(name), slice_of(person)};
    const struct point point = {&doors, tags, NULL, 0};
    tag_counts_add(counts, &point);
}

static void assert_printed(const struct tag_counts *counts, const char *wanted)
{
    CLEANUP(buf_finish) struct buf out = {.max = 10000};
    tag_counts_print(counts, &out);
    assert_string_equal(buf_text(&out), wanted);
}

static void values_and_series_are_counted(void **state)
{
    (void)state;
    struct tag_counts *counts = tag_counts_new();
    assert_printed(counts, "");
    static const char *const points[][2] = {
        {"north", "ann"}, {"north", "bob"}, {"south", "ann"}, {"north", "ann"},
        {"south", ""},    {"north", ""},    {"ann", "north"}, {"east", "bob"},
    };
    for (size_t i = 0; i < COUNT(points); i++) {
        add(counts, points[i][0], points[i][1]);
    }
    const struct point lamp = {&lamps, NULL, NULL, 0};
    tag_counts_add(counts, &lamp);
    tag_counts_add(counts, &lamp);
    /* north 4 of 8; ann 3 of 8; no person is no value, but a series */
    assert_printed(counts, "door: 8 points, 7 series\n"
                           "         4 values,    50.0 % most frequent  name\n"
                           "         3 values,    37.5 % most frequent  person\n"
                           "lamp: 2 points, 1 series\n");
    tag_counts_free(counts);
}

static void a_tag_that_never_comes_has_no_value(void **state)
{
    (void)state;
    struct tag_counts *counts = tag_counts_new();
    add(counts, "north", "");
    assert_printed(counts, "door: 1 points, 1 series\n"
                           "         1 values,   100.0 % most frequent  name\n"
                           "         0 values,     0.0 % most frequent  person\n");
    tag_counts_free(counts);
}

/* Each person once, all at the same door. */
static struct tag_counts *many(int n)
{
    struct tag_counts *counts = tag_counts_new();
    for (int i = 0; i < n; i++) {
        char person[16];
        snprintf(person, sizeof person, "%d", i);
        add(counts, "north", person);
    }
    return counts;
}

static void beyond_the_limit_figures_are_bounds(void **state)
{
    (void)state;
    struct tag_counts *counts = many(100000);
    assert_printed(counts, "door: 100000 points, 100000 series\n"
                           "         1 values,   100.0 % most frequent  name\n"
                           "    100000 values,     0.0 % most frequent  person\n");
    add(counts, "north", "7"); /* known */
    assert_printed(counts, "door: 100001 points, 100000 series\n"
                           "         1 values,   100.0 % most frequent  name\n"
                           "    100000 values,     0.0 % most frequent  person\n");
    for (int i = 0; i < 99999; i++) {
        add(counts, "north", i % 2 ? "7" : "new");
    }
    /* 49,999 more of "7", which was there twice: 50,001 of 200,000 */
    assert_printed(counts, "door: 200000 points, >100000 series\n"
                           "         1 values,   100.0 % most frequent  name\n"
                           "   >100000 values,  >=25.0 % most frequent  person\n");
    tag_counts_free(counts);
}

static void budgets_are_read(void **state)
{
    (void)state;
    int64_t budget;
    assert_true(tag_budget_parse(NULL, &budget));
    assert_int_equal(budget, 10000);
    assert_true(tag_budget_parse("1", &budget));
    assert_int_equal(budget, 1);
    assert_true(tag_budget_parse("100000", &budget));
    static const char *const refused[] = {"", "0", "-1", "100001", "1k", "many"};
    for (size_t i = 0; i < COUNT(refused); i++) {
        assert_false(tag_budget_parse(refused[i], &budget));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_series_are_counted),
        cmocka_unit_test(a_tag_that_never_comes_has_no_value),
        cmocka_unit_test(beyond_the_limit_figures_are_bounds),
        cmocka_unit_test(budgets_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
