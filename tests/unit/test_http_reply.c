/* Tests of net/http_reply: pure functions, by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "net/http_reply.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void test_ranges(void **state)
{
    static const struct {
        const char *value;
        int64_t from, size;
    } table[] = {
        {"bytes 5-9/10", 5, 10},
        {"bytes 0-0/1", 0, 1},
        {"bytes 5-9/"
         "*",
         5, -1},
        {"bytes *"
         "/10",
         -1, -1},
        {"bytes 9-5/10", -1, 10},
        {"bytes -5-9/10", -1, 10},
        {"items 5-9/10", -1, -1},
        {"", -1, -1},
        {"bytes 99999999999999999999-5/10", -1, -1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct http_reply reply;
        http_reply_init(&reply);
        http_range_read(table[i].value, &reply);
        assert_int_equal(reply.range_from, table[i].from);
        if (table[i].from >= 0) {
            assert_int_equal(reply.range_size, table[i].size);
        }
    }
}

static void test_retry_after(void **state)
{
    static const int64_t now_ns = INT64_C(784111777000000000); /* 06 Nov 1994 08:49:37 GMT */
    static const struct {
        const char *value;
        int64_t seconds; /* -1: not understood */
    } table[] = {
        {"0", 0},
        {"120", 120},
        {"3600", 3600},
        {"3601", 3600}, /* the limit */
        {"99999999999999999999", 3600},
        {"Sun, 06 Nov 1994 08:50:37 GMT", 60},
        {"Sun, 06 Nov 1994 08:48:37 GMT", 0},
        {"Sun, 06 Nov 1995 08:49:37 GMT", 3600},
        {"-1", -1},
        {"1.5", -1},
        {"soon", -1},
        {"", -1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        int64_t expected = table[i].seconds < 0 ? -1 : table[i].seconds * INT64_C(1000000000);
        assert_int_equal(http_retry_after_read(table[i].value, now_ns), expected);
    }
}

static void test_verdicts(void **state)
{
    static const struct {
        int code;
        enum http_verdict verdict;
    } table[] = {
        {200, HTTP_DONE}, {204, HTTP_DONE},  {206, HTTP_DONE},  {299, HTTP_DONE},
        {301, HTTP_HOLD}, {307, HTTP_HOLD},  {400, HTTP_HOLD},  {401, HTTP_HOLD},
        {403, HTTP_HOLD}, {404, HTTP_HOLD},  {408, HTTP_LATER}, {409, HTTP_HOLD},
        {413, HTTP_HOLD}, {422, HTTP_HOLD},  {429, HTTP_LATER}, {500, HTTP_LATER},
        {501, HTTP_HOLD}, {502, HTTP_LATER}, {503, HTTP_LATER}, {504, HTTP_LATER},
        {505, HTTP_HOLD}, {507, HTTP_LATER}, {599, HTTP_LATER}, {600, HTTP_HOLD},
        {199, HTTP_HOLD},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        assert_int_equal(http_verdict(table[i].code), table[i].verdict);
    }
}

static void test_backoff(void **state)
{
    (void)state;
    /* half is certain, half is random: 0.25 to 0.5 s, 0.5 to 1 s, ... 15 to 30 s */
    assert_int_equal(http_backoff_ns(0, -1, 0), INT64_C(250000000));
    assert_int_equal(http_backoff_ns(0, -1, 250000000), INT64_C(500000000));
    assert_int_equal(http_backoff_ns(0, -1, 250000001), INT64_C(250000000));
    assert_int_equal(http_backoff_ns(1, -1, 0), INT64_C(500000000));
    assert_int_equal(http_backoff_ns(5, -1, 0), INT64_C(8000000000));
    assert_int_equal(http_backoff_ns(6, -1, 0), INT64_C(15000000000));
    assert_int_equal(http_backoff_ns(4000000000u, -1, 0), INT64_C(15000000000));
    for (int shift = 0; shift < 64; shift++) {
        assert_in_range(http_backoff_ns(60, -1, UINT64_MAX >> shift), 15000000000, 30000000000);
    }
    assert_int_equal(http_backoff_ns(0, INT64_C(90000000000), 0), INT64_C(90000000000));
    assert_int_equal(http_backoff_ns(6, 1, 0), INT64_C(15000000000));
}

static void test_encoding(void **state)
{
    static const struct {
        const char *text, *whole, *path;
    } table[] = {
        {"", "", ""},
        {"azAZ09-_.~", "azAZ09-_.~", "azAZ09-_.~"},
        {"a/b c", "a%2Fb%20c", "a/b%20c"},
        {"+%&=?#", "%2B%25%26%3D%3F%23", "%2B%25%26%3D%3F%23"},
        {"'\"()*!", "%27%22%28%29%2A%21", "%27%22%28%29%2A%21"},
        {"\xC3\xBC\x01\x7F\xFF", "%C3%BC%01%7F%FF", "%C3%BC%01%7F%FF"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct buf whole = {.max = 100}, path = {.max = 100};
        assert_true(http_encode(&whole, slice_of(table[i].text), false));
        assert_true(http_encode(&path, slice_of(table[i].text), true));
        assert_string_equal(buf_text(&whole), table[i].whole);
        assert_string_equal(buf_text(&path), table[i].path);
        buf_finish(&whole);
        buf_finish(&path);
    }
    struct buf small = {.max = 5};
    assert_true(http_encode(&small, slice_of(" a"), false));
    assert_false(http_encode(&small, slice_of(" "), false));
    buf_finish(&small);
}

static void test_descriptions(void **state)
{
    static const struct {
        int code;
        const char *body, *text;
    } table[] = {
        {404, "", "404"},
        {401, "{\"code\":\"unauthorized\",\"message\":\"unauthorized access\"}",
         "401 unauthorized access"},
        {400, "{\"error\":\"no such thing\"}", "400 no such thing"},
        {400, "{\"message\":7}", "400 {\"message\":7}"},
        {403,
         "\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchBucket</Code>"
         "<Message>It is not there &amp; never was</Message><BucketName>b</BucketName></Error>",
         "403 NoSuchBucket: It is not there & never was"},
        {403, "<Error><Code>AccessDenied</Code></Error>", "403 AccessDenied"},
        {502, "<html><body>Bad\r\n  Gateway</body></html>",
         "502 <html><body>Bad Gateway</body></html>"},
        {500, "line\nfeed\x1b[31m \xC3\xBC", "500 line feed?[31m ??"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct http_reply reply;
        struct buf text = {.max = 1000};
        http_reply_init(&reply);
        reply.code = table[i].code;
        reply.body.max = 1000;
        buf_add_text(&reply.body, table[i].body);
        http_reply_describe(&reply, &text);
        assert_string_equal(buf_text(&text), table[i].text);
        buf_finish(&text);
        http_reply_finish(&reply);
    }
}

static void test_a_long_text_is_cut(void **state)
{
    struct http_reply reply;
    struct buf text = {.max = 1000};
    (void)state;
    http_reply_init(&reply);
    reply.code = 500;
    reply.body.max = 1000;
    for (int i = 0; i < 900; i++) {
        buf_add_byte(&reply.body, 'x');
    }
    http_reply_describe(&reply, &text);
    assert_int_equal(text.len, 4 + 200);
    buf_finish(&text);
    http_reply_finish(&reply);
}

static void test_secrets_are_blotted(void **state)
{
    static const struct {
        const char *text, *blotted;
    } table[] = {
        {"", ""},
        {"s3cret", "******"},
        {"a s3cret, s3crets3cret", "a ******, ************"},
        {"cut: s3cre", "cut: *****"},
        {"cut: s3cr", "cut: ****"},
        {"cut: s3c", "cut: s3c"},
        {"s3cre is not at the end", "s3cre is not at the end"},
        {"s3cr", "****"},
    };
    char text[64];
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        snprintf(text, sizeof text, "%s", table[i].text);
        http_blot(text, "s3cret");
        assert_string_equal(text, table[i].blotted);
    }
    snprintf(text, sizeof text, "no secret");
    http_blot(text, "");
    assert_string_equal(text, "no secret");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_encoding),
        cmocka_unit_test(test_descriptions),
        cmocka_unit_test(test_a_long_text_is_cut),
        cmocka_unit_test(test_secrets_are_blotted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
