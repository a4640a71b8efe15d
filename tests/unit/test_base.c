/* Tests of base: buf, arena, err and what log lines look like. (timestamp has tests of its own.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/status.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"

#include <stdio.h>
#include <unistd.h>

/* --- buf --- */

static void test_buf_grows_up_to_its_maximum(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf buf = {.max = 1000};
    for (int i = 0; i < 1000; i++) {
        assert_true(buf_add_byte(&buf, (char)('a' + i % 26)));
    }
    assert_int_equal(buf.len, 1000);
    assert_false(buf.overflow);
    assert_false(buf_add_byte(&buf, 'x'));
    assert_true(buf.overflow);
    assert_int_equal(buf.len, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(buf.at[i], 'a' + i % 26);
    }
    assert_int_equal(strlen(buf_text(&buf)), 1000); /* the NUL is beyond the maximum */
}

static void test_buf_overflow_writes_nothing_and_stays(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf buf = {.max = 10};
    assert_true(buf_add_text(&buf, "1234567"));
    assert_false(buf_add_text(&buf, "abcd"));
    assert_false(buf_add_text(&buf, "a")); /* it would fit, but the text would have a hole */
    assert_null(buf_room(&buf, 0));
    assert_string_equal(buf_text(&buf), "1234567");
    buf_clear(&buf);
    assert_false(buf.overflow);
    assert_true(buf_add_text(&buf, "0123456789"));
    assert_null(buf_room(&buf, SIZE_MAX)); /* must not wrap around */
    assert_string_equal(buf_text(&buf), "0123456789");
}

/* Below and above the size of a huge page, and with a rest of one. */
static void test_buf_large_has_all_its_room(void **state)
{
    static const size_t sizes[] = {1000, 2 << 20, (5 << 20) + 17};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buf buf;
        buf_make_large(&buf, sizes[i]);
        const char *at = buf.at;
        memset(buf_room(&buf, sizes[i]), 'x', sizes[i]);
        buf.len += sizes[i];
        assert_int_equal(buf_text(&buf)[sizes[i]], '\0');
        assert_ptr_equal(buf.at, at);
        assert_false(buf_add_byte(&buf, 'y'));
        assert_true(buf.overflow);
        buf_finish(&buf);
    }
}

static void test_buf_empty(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf buf = {.max = 0};
    assert_string_equal(buf_text(&buf), "");
    assert_true(buf_add(&buf, slice_make(NULL, 0)));
    assert_false(buf_add_byte(&buf, 'x'));
}

static void test_buf_numbers_and_formats(void **state)
{
    (void)state;
    static const int64_t numbers[] = {0, 7, -1, 10, INT64_MAX, INT64_MIN};
    CLEANUP(buf_finish) struct buf buf = {.max = 200};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_true(buf_add_int(&buf, numbers[i]));
        assert_true(buf_add_byte(&buf, ' '));
    }
    assert_string_equal(buf_text(&buf), "0 7 -1 10 9223372036854775807 -9223372036854775808 ");
    buf_clear(&buf);
    assert_true(buf_printf(&buf, "%s=%d%%", "load", 99));
    assert_string_equal(buf_text(&buf), "load=99%");
    assert_false(buf_printf(&buf, "%0200d", 1));
    assert_string_equal(buf_text(&buf), "load=99%");
    buf_finish(&buf);
    assert_int_equal(buf.max, 200); /* ready for use again */
    assert_null(buf.at);
}

/* --- arena --- */

static void test_arena_gives_separate_aligned_memory(void **state)
{
    (void)state;
    CLEANUP(arena_finish) struct arena arena = {0};
    unsigned char *taken[600];
    for (size_t i = 0; i < 600; i++) { /* sizes 0 to 200,000: many blocks, some of their own */
        size_t size = i % 100 == 99 ? 200 * 1000 : i;
        taken[i] = arena_take(&arena, size);
        assert_int_equal((uintptr_t)taken[i] % 16, 0);
        memset(taken[i], (int)(i % 251), size);
    }
    for (size_t i = 0; i < 600; i++) {
        size_t size = i % 100 == 99 ? 200 * 1000 : i;
        for (size_t at = 0; at < size; at++) {
            assert_int_equal(taken[i][at], i % 251);
        }
    }
}

static void test_arena_reset_keeps_the_blocks(void **state)
{
    (void)state;
    CLEANUP(arena_finish) struct arena arena = {0};
    void *first = arena_take(&arena, 40 * 1000);
    void *second = arena_take(&arena, 40 * 1000);
    void *large = arena_take(&arena, 100 * 1000);
    for (int round = 0; round < 3; round++) {
        arena_reset(&arena);
        assert_ptr_equal(arena_take(&arena, 40 * 1000), first);
        assert_ptr_equal(arena_take(&arena, 40 * 1000), second);
        assert_ptr_equal(arena_take(&arena, 100 * 1000), large);
    }
}

static void test_arena_text(void **state)
{
    (void)state;
    CLEANUP(arena_finish) struct arena arena = {0};
    assert_string_equal(arena_text(&arena, slice_make("bucket/key", 6)), "bucket");
    assert_string_equal(arena_text(&arena, slice_make(NULL, 0)), "");
    struct slice copy = arena_slice(&arena, slice_make("a\0b", 3));
    assert_true(slice_equal(copy, slice_make("a\0b", 3)));
    assert_int_equal(copy.at[3], '\0');
}

/* --- slice --- */

static void test_slice_compare_orders_like_memcmp(void **state)
{
    (void)state;
    static const char *const sorted[] = {"", "a", "a/b", "a0", "ab", "b", "\xC3\xBC", "\xFF"};
    for (int i = 0; i < 8; i++) {
        for (int j = 0; j < 8; j++) {
            int order = slice_compare(slice_of(sorted[i]), slice_of(sorted[j]));
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
            assert_int_equal(slice_equal(slice_of(sorted[i]), slice_of(sorted[j])), i == j);
        }
    }
    assert_true(slice_starts(slice_of("S3-logs.gz"), "S3-"));
    assert_false(slice_starts(slice_of("S3"), "S3-"));
    assert_true(slice_is(slice_of("x"), "x"));
}

/* --- err --- */

static void test_err_puts_nouns_in_front(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(err_set(&err, BAD_DATA, "%s: missing", "auditEntry.time"), BAD_DATA);
    assert_int_equal(err_prefix(&err, "record %d", 17), BAD_DATA);
    assert_int_equal(err_prefix(&err, "job lyve"), BAD_DATA);
    assert_int_equal(err.status, BAD_DATA);
    assert_string_equal(err.text, "job lyve: record 17: auditEntry.time: missing");
}

/* Text of `lead` bytes 'x' and then only two-, three- or four-byte characters is cut between two.
 */
static void check_cut(size_t lead, const char *character)
{
    char text[2000] = "";
    memset(text, 'x', lead);
    size_t each = strlen(character);
    for (size_t at = lead; at + each < 1500; at += each) {
        memcpy(text + at, character, each + 1);
    }
    struct err err;
    err_set(&err, FAILED, "%s", text);
    size_t room = sizeof err.text - 1;
    assert_int_equal(strlen(err.text), room - (room - lead) % each);
    assert_memory_equal(err.text, text, strlen(err.text));
}

static void test_err_is_cut_at_a_character(void **state)
{
    (void)state;
    for (size_t lead = 0; lead < 8; lead++) {
        check_cut(lead, "y");
        check_cut(lead, "\xC3\xBC");
        check_cut(lead, "\xE2\x82\xAC");
        check_cut(lead, "\xF0\x9F\x98\x80");
    }
}

static void test_err_of_exactly_its_size_is_whole(void **state)
{
    (void)state;
    struct err err;
    char text[sizeof err.text];
    memset(text, 'x', sizeof text);
    memcpy(text + sizeof text - 4, "\xE2\x82\xAC", 4);
    err_set(&err, FAILED, "%s", text);
    assert_string_equal(err.text, text);
    assert_int_equal(err_prefix(&err, "%s", text), FAILED); /* a noun that is too long as well */
    assert_true(strlen(err.text) < sizeof err.text);
    assert_memory_equal(err.text, "xxxx", 4);
}

/* --- log --- */

#define REPLACED "\xEF\xBF\xBD" /* U+FFFD */

/* What log_line writes to stderr, without its time; in a buffer of the caller. */
static const char *logged(bool json, const char *message, const char *name, const char *value,
                          char *text, size_t size)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    int stderr_kept = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    struct log log = {.json = json, .least = LOG_INFO};
    log_line(&log, LOG_DEBUG, "not shown", NULL);
    log_line(&log, LOG_WARN, message, name, value, "n", log_int(-5).text, NULL);
    dup2(stderr_kept, STDERR_FILENO);
    close(stderr_kept);
    rewind(file);
    size_t len = fread(text, 1, size - 1, file);
    text[len] = '\0';
    fclose(file);
    const char *level = strstr(text, json ? "\"level\"" : "level=");
    assert_non_null(level);
    return level;
}

static void test_log_cannot_be_forged(void **state)
{
    (void)state;
    static const struct {
        const char *value, *logfmt, *json;
    } cases[] = {
        {"logs", "v=logs", "\"v\":\"logs\""},
        {"", "v=\"\"", "\"v\":\"\""},
        {"a b", "v=\"a b\"", "\"v\":\"a b\""},
        {"a=b", "v=\"a=b\"", "\"v\":\"a=b\""},
        {"a\"b\\", "v=\"a\\\"b\\\\\"", "\"v\":\"a\\\"b\\\\\""},
        {"a\nlevel=error", "v=\"a\\u000alevel=error\"", "\"v\":\"a\\u000alevel=error\""},
        {"\x1b[2J\x7f", "v=\"\\u001b[2J\\u007f\"", "\"v\":\"\\u001b[2J\\u007f\""},
        {"\xC2\x9B\x32J \xC2\xA0", "v=\"\\u009b2J \xC2\xA0\"", "\"v\":\"\\u009b2J \xC2\xA0\""},
        {"\xC2\x80", "v=\"\\u0080\"", "\"v\":\"\\u0080\""},
        {"a\xFF\xC3", "v=a" REPLACED REPLACED, "\"v\":\"a" REPLACED REPLACED "\""},
        {"gr\xC3\xBC\xC3\x9F", "v=gr\xC3\xBC\xC3\x9F", "\"v\":\"gr\xC3\xBC\xC3\x9F\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[500], expected[500];
        snprintf(expected, sizeof expected, "level=warn msg=\"run \\\"x\\\"\" %s n=-5\n",
                 cases[i].logfmt);
        assert_string_equal(logged(false, "run \"x\"", "v", cases[i].value, text, sizeof text),
                            expected);
        snprintf(expected, sizeof expected,
                 "\"level\":\"warn\",\"msg\":\"run \\\"x\\\"\",%s,\"n\":\"-5\"}\n", cases[i].json);
        assert_string_equal(logged(true, "run \"x\"", "v", cases[i].value, text, sizeof text),
                            expected);
    }
}

static void test_log_leaves_out_absent_values(void **state)
{
    (void)state;
    char text[500];
    assert_string_equal(logged(false, "done", "v", NULL, text, sizeof text),
                        "level=warn msg=done n=-5\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buf_grows_up_to_its_maximum),
        cmocka_unit_test(test_buf_overflow_writes_nothing_and_stays),
        cmocka_unit_test(test_buf_large_has_all_its_room),
        cmocka_unit_test(test_buf_empty),
        cmocka_unit_test(test_buf_numbers_and_formats),
        cmocka_unit_test(test_arena_gives_separate_aligned_memory),
        cmocka_unit_test(test_arena_reset_keeps_the_blocks),
        cmocka_unit_test(test_arena_text),
        cmocka_unit_test(test_slice_compare_orders_like_memcmp),
        cmocka_unit_test(test_err_puts_nouns_in_front),
        cmocka_unit_test(test_err_is_cut_at_a_character),
        cmocka_unit_test(test_err_of_exactly_its_size_is_whole),
        cmocka_unit_test(test_log_cannot_be_forged),
        cmocka_unit_test(test_log_leaves_out_absent_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
