/* Tests of data/shown. */
#include "data/shown.h"

#include "base/cleanup.h"
#include "base/timestamp.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_shown(struct slice text, const char *expected)
{
    CLEANUP(buf_finish) struct buf shown = {.max = 1024};
    shown_add(&shown, text);
    assert_string_equal(buf_text(&shown), expected);
}

static void test_text(void **state)
{
    (void)state;
    assert_shown(slice_of("March-2026/S3-\xC3\xA9.gz"), "March-2026/S3-\xC3\xA9.gz");
    assert_shown(slice_of(""), "");
    assert_shown(slice_of("a\tb\nc\x1b[31m\x7f"), "a\\x09b\\x0ac\\x1b[31m\\x7f");
    assert_shown(slice_make("\0x", 2), "\\x00x");
    /* U+009B introduces a control sequence, U+00A0 does not */
    assert_shown(slice_of("\xC2\x9B"
                          "31m\xC2\xA0"),
                 "\\xc2\\x9b31m\xC2\xA0");
    /* not UTF-8 */
    assert_shown(slice_of("a\xFF\x80z"), "a\xEF\xBF\xBD\xEF\xBF\xBDz");
    assert_shown(slice_of("a\xC2"), "a\xEF\xBF\xBD");
}

static void assert_span(int64_t seconds, const char *expected)
{
    char text[SHOWN_SPAN_BYTES];
    assert_string_equal(shown_span(seconds * NS_PER_SECOND, text), expected);
}

static void test_spans(void **state)
{
    (void)state;
    assert_span(0, "0s");
    assert_span(-5, "0s");
    assert_span(59, "59s");
    assert_span(60, "1m");
    assert_span(3599, "59m");
    assert_span(3600, "1h 0m");
    assert_span(2 * 3600 + 5 * 60 + 59, "2h 5m");
    assert_span(86399, "23h 59m");
    assert_span(3 * 86400 + 4 * 3600 + 3599, "3d 4h");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_spans)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
