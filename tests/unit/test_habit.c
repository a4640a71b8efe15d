/* Tests of commands/habit: which gaps make which limit, worked out by hand. In hours. */
#include "commands/habit.h"

#include "base/timestamp.h"
#include "ledger/ledger.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The habit of these gaps. */
static struct habit learn(const double *gaps_hours, size_t n)
{
    int64_t at_ns[LEDGER_ARRIVALS_MAX + 1] = {1000 * NS_PER_HOUR};
    for (size_t i = 0; i < n; i++) {
        at_ns[i + 1] = at_ns[i] + (int64_t)(gaps_hours[i] * (double)NS_PER_HOUR);
    }
    return habit_learn(at_ns, n + 1);
}

#define LEARN(...) \
    learn((const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

static void assert_habit(struct habit habit, double usual_hours, double late_hours)
{
    assert_true(habit.known);
    assert_int_equal(habit.usual_ns, (int64_t)(usual_hours * (double)NS_PER_HOUR));
    assert_int_equal(habit.late_ns, (int64_t)(late_hours * (double)NS_PER_HOUR));
}

static void test_too_few(void **state)
{
    (void)state;
    assert_false(habit_learn(NULL, 0).known);
    const int64_t one = 0;
    assert_false(habit_learn(&one, 1).known);
    assert_false(LEARN(1, 1).known);
    assert_int_equal(LEARN(1, 1).late_ns, INT64_MAX);
}

static void test_regular(void **state)
{
    (void)state;
    assert_habit(LEARN(1, 1, 1), 1, 3);
    assert_habit(LEARN(24, 24, 24, 24), 24, 72);
    assert_habit(LEARN(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), 1,
                 3);
}

/* Every few minutes or seconds: still two hours. */
static void test_least(void **state)
{
    (void)state;
    assert_habit(LEARN(0.25, 0.25, 0.25), 0.25, 2);
    assert_habit(LEARN(0.5, 0.75, 0.5), 0.5, 2);
    assert_habit(LEARN(0.5, 1.5, 1.5), 1.5, 4.5);
}

static void test_one_outage_does_not_count(void **state)
{
    (void)state;
    assert_habit(LEARN(1, 1, 200, 1, 1), 1, 3);
}

/* Eight hourly arrivals a day and nights of sixteen hours. */
static void test_nights_belong_to_it(void **state)
{
    (void)state;
    assert_habit(LEARN(1, 1, 1, 16, 1, 1, 1, 1, 1, 1, 1, 16, 1, 1), 1, 18);
}

static void test_median_of_an_even_number(void **state)
{
    (void)state;
    assert_habit(LEARN(1, 4, 2, 3), 3, 9); /* 1 2 3 4: the larger middle one, and 3 */
}

static void test_more_than_are_kept(void **state)
{
    (void)state;
    int64_t at_ns[LEDGER_ARRIVALS_MAX + 1] = {0};
    assert_false(habit_learn(at_ns, LEDGER_ARRIVALS_MAX + 1).known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_too_few),
        cmocka_unit_test(test_regular),
        cmocka_unit_test(test_least),
        cmocka_unit_test(test_one_outage_does_not_count),
        cmocka_unit_test(test_nights_belong_to_it),
        cmocka_unit_test(test_median_of_an_even_number),
        cmocka_unit_test(test_more_than_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
