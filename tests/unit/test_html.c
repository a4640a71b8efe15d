/* Tests of report/html. */
#include "report/html.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_html(struct slice text, const char *expected)
{
    CLEANUP(buf_finish) struct buf out = {.max = 1024};
    html_add(&out, text);
    assert_string_equal(buf_text(&out), expected);
}

static void test_markup(void **state)
{
    (void)state;
    assert_html(slice_of("lab-results"), "lab-results");
    assert_html(slice_of(""), "");
    assert_html(slice_of("<script>alert('1')</script>"),
                "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;");
    assert_html(slice_of("\" onload=\"x"), "&quot; onload=&quot;x");
    assert_html(slice_of("&amp;"), "&amp;amp;");
}

static void test_bytes(void **state)
{
    (void)state;
    assert_html(slice_of("gr\xC3\xB6\xC3\x9F"
                         "e"),
                "gr\xC3\xB6\xC3\x9F"
                "e");
    assert_html(slice_of("a\xFF<"), "a\xEF\xBF\xBD&lt;");
    assert_html(slice_make("\0\n\x1b", 3), "\\x00\\x0a\\x1b");
    /* an overlong '<' is no '<' */
    assert_html(slice_of("\xC0\xBC"), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void test_full(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf out = {.max = 8};
    html_add(&out, slice_of("<<<<"));
    assert_true(out.overflow);
    assert_true(out.len <= 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_markup),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
