/* Tests of run/repeats. */
#include "run/repeats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_once_with_a_count(void **state)
{
    (void)state;
    struct repeats repeats = {.span_ns = 100};
    assert_false(repeats_hide(&repeats, "down", 1000));
    repeats_show(&repeats, "down", 1000);
    assert_true(repeats_hide(&repeats, "down", 1001));
    assert_true(repeats_hide(&repeats, "down", 1099));
    assert_false(repeats_hide(&repeats, "down", 1100)); /* shown again after the span */
    assert_int_equal(repeats_hidden(&repeats), 2);
    assert_int_equal(repeats_hidden(&repeats), 0); /* told once */
    repeats_show(&repeats, "down", 1100);
    assert_true(repeats_hide(&repeats, "down", 1199));
    assert_int_equal(repeats_hidden(&repeats), 1);
}

static void test_another_text_is_shown(void **state)
{
    (void)state;
    struct repeats repeats = {.span_ns = 100};
    assert_false(repeats_hide(&repeats, "", 0)); /* an empty text is no repeat of nothing */
    repeats_show(&repeats, "a", 0);
    assert_true(repeats_hide(&repeats, "a", 1));
    assert_false(repeats_hide(&repeats, "b", 2));
    assert_string_equal(repeats.text, "a"); /* the one the count belongs to */
    assert_int_equal(repeats_hidden(&repeats), 1);
    repeats_show(&repeats, "b", 2);
    assert_false(repeats_hide(&repeats, "a", 3));
    assert_false(repeats_hide(&repeats, "bb", 3));
    assert_true(repeats_hide(&repeats, "b", 3));
}

static void test_long_texts(void **state)
{
    (void)state;
    struct repeats repeats = {.span_ns = 100};
    char text[600];
    memset(text, 'x', sizeof text);
    text[599] = '\0';
    repeats_show(&repeats, text, 0);
    assert_int_equal(strlen(repeats.text), 511);
    assert_true(repeats_hide(&repeats, text, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once_with_a_count),
        cmocka_unit_test(test_another_text_is_shown),
        cmocka_unit_test(test_long_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
