/* redact: what is hidden and what is left alone; every expectation is written by hand. */
#include "base/cleanup.h"
#include "data/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define R REDACTED_TEXT

static void knows_secret_names(void **state)
{
    (void)state;
    static const char *const secret[] = {
        "authorization",
        "Proxy-Authorization",
        "COOKIE",
        "Set-Cookie",
        "X-Amz-Security-Token",
        "x-amz-signature",
        "X-Amz-Credential",
        "Signature",
        "X-Amz-Server-Side-Encryption-Customer-Key",
        "x-amz-copy-source-server-side-encryption-customer-key",
        "x-amz--customer-key",
        "password",
        "newPassword",
        "oldPasswordHash",
        "PASSWORDS",
        "secret",
        "Secret_Key",
        "secretAccessKey",
        "client_secret",
        "token",
        "sessionToken",
        "access_TOKEN",
    };
    static const char *const open[] = {
        "",
        "accessKey",
        "authorizations",
        "xauthorization",
        "cookies",
        "signatures",
        "SignatureVersion",
        "x-amz-credentials",
        "x-amz-server-side-encryption-customer-key-md5",
        "x-amz-customer-key",
        "customer-key",
        "passwor",
        "pass-word",
        "a_secret",
        "secre",
        "tokens",
        "token_type",
        "toke",
        "client_secre",
        "message",
    };
    for (size_t i = 0; i < sizeof secret / sizeof *secret; i++) {
        assert_true(redact_is_secret(slice_of(secret[i])));
    }
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        assert_false(redact_is_secret(slice_of(open[i])));
    }
}

/* NULL: there is nothing to hide. What was hidden once has nothing more to hide. */
static void shows_as(const char *content, int level, const char *expected)
{
    CLEANUP(buf_finish) struct buf out = {.max = 4096}, again = {.max = 4096};
    buf_add_byte(&out, '>');
    assert_int_equal(redact_string(slice_of(content), level, &out), expected != NULL);
    assert_string_equal(buf_text(&out) + 1, expected ? expected : "");
    if (expected) {
        assert_false(redact_string(slice_of(expected), level, &again));
    }
}

static void hides_in_the_query_of_a_url(void **state)
{
    (void)state;
    shows_as("https://s3/b/k?X-Amz-Signature=ab12&X-Amz-Date=20221020", 0,
             "https://s3/b/k?X-Amz-Signature=" R "&X-Amz-Date=20221020");
    shows_as("/k?a=1;token=x;b=2", 0, "/k?a=1;token=" R ";b=2");
    shows_as("/k?token=x#part", 0, "/k?token=" R "#part");
    shows_as("/k?token=x and more", 0, "/k?token=" R " and more");
    shows_as("<a href='/k?token=x'>", 0, "<a href='/k?token=" R "'>");
    shows_as("/k?token=", 0, "/k?token=" R);
    shows_as("/k?token=a=b?c", 0, "/k?token=" R);
    shows_as("/k?a=b?Signature=x", 0, "/k?a=b?Signature=" R);
    shows_as("?token=1 ?token=2", 0, "?token=" R " ?token=" R);
    shows_as("/one?x=1#f /two?token=2", 0, "/one?x=1#f /two?token=" R);
}

static void decodes_names_of_a_query(void **state)
{
    (void)state;
    shows_as("/k?X%2DAmz%2dSignature=ab", 0, "/k?X%2DAmz%2dSignature=" R);
    shows_as("/k?+token+=ab", 0, "/k?+token+=" R);
    shows_as("/k?my+password=ab", 0, "/k?my+password=" R);
    shows_as("/k?%zztoken=ab", 0, "/k?%zztoken=" R);
    /* as Go and Java write '&' and '=' in JSON */
    shows_as("/k?a=1\\u0026token=x\\u0026b=2", 0, "/k?a=1&token=" R "&b=2");
    shows_as("/k?token\\u003dx", 0, "/k?token=" R);
}

static void leaves_other_texts_alone(void **state)
{
    (void)state;
    shows_as("", 0, NULL);
    shows_as("/k?list-type=2&prefix=a", 0, NULL);
    shows_as("token=x", 0, NULL); /* no query */
    shows_as("token=x?", 0, NULL);
    shows_as("/k?token", 0, NULL);
    shows_as("/k?x=1#token=2", 0, NULL);
    shows_as("/k?a=token=x", 0, NULL); /* "token=x" is a value */
    shows_as("why? password = 5", 0, NULL);
    shows_as("[2001:db8::1]:443", 0, NULL);
    shows_as("{}", 0, NULL);
    shows_as("[1, {\\\"a\\\":null}]", 0, NULL);
}

static void hides_in_json_held_in_a_string(void **state)
{
    (void)state;
    shows_as("{\\\"password\\\":\\\"abc\\\",\\\"n\\\":1}", 0,
             "{\\\"password\\\":\\\"" R "\\\",\\\"n\\\":1}");
    shows_as("[{\\\"token\\\":[1,2]}, 3]", 0, "[{\\\"token\\\":\\\"" R "\\\"}, 3]");
    shows_as("\\u007b\\\"secret\\\" : 5}", 0, "{\\\"secret\\\" : \\\"" R "\\\"}");
    shows_as("{\\\"pass\\\\u0077ord\\\":1}", 0, "{\\\"pass\\\\u0077ord\\\":\\\"" R "\\\"}");
    shows_as("{\\\"url\\\":\\\"/k?token=x\\\"}", 0, "{\\\"url\\\":\\\"/k?token=" R "\\\"}");
    shows_as("{\\\"token\\\":null}", 0, NULL);
}

/* {"a":"{\"token\":1}"} in a string, then the same one level deeper */
static void goes_three_levels_deep(void **state)
{
    (void)state;
    shows_as("{\\\"a\\\":\\\"{\\\\\\\"token\\\\\\\":1}\\\"}", 0,
             "{\\\"a\\\":\\\"{\\\\\\\"token\\\\\\\":\\\\\\\"" R "\\\\\\\"}\\\"}");
    shows_as("{\\\"a\\\":\\\"{\\\\\\\"token\\\\\\\":1}\\\"}", 1,
             "{\\\"a\\\":\\\"{\\\\\\\"token\\\\\\\":\\\\\\\"" R "\\\\\\\"}\\\"}");
    shows_as("{\\\"a\\\":\\\"{\\\\\\\"b\\\\\\\":1}\\\"}", 2, "{\\\"a\\\":\\\"" R "\\\"}");
    shows_as("{\\\"a\\\":\\\"[\\\"}", 2, "{\\\"a\\\":\\\"" R "\\\"}");
    shows_as("{\\\"a\\\":\\\"plain\\\"}", 2, NULL);
    shows_as("{\\\"token\\\":1}", 2, "{\\\"token\\\":\\\"" R "\\\"}");
}

static void masks_broken_json_held_in_a_string(void **state)
{
    (void)state;
    shows_as("{\\\"a\\\":1,\\\"password\\\":\\\"abc", 0, "{\\\"a\\\":1,\\\"password\\\":\\\"" R);
    shows_as("[info] token=abc, done", 0, "[info] token=" R ", done");
    /* the fault is in what is hidden: once it is gone, what is too deep to look into is masked */
    shows_as("{\\\"token\\\":\\\"\\\\x\\\",\\\"a\\\":\\\"{\\\\\\\"b\\\\\\\":1}\\\"}", 2,
             "{\\\"token\\\":\\\"" R "\\\",\\\"a\\\":\\\"" R "\\\"}");
    shows_as("{\\\"token\\\":\\\"\\\\x\\\",\\\"\\\\u0074oken\\\":{\\\"a\\\":1}}", 0,
             "{\\\"token\\\":\\\"" R "\\\",\\\"\\\\u0074oken\\\":" R);
}

static void a_full_buffer_is_an_overflow(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf out = {.max = 10};
    assert_true(redact_string(slice_of("/key?token=x"), 0, &out));
    assert_true(out.overflow);
    assert_int_equal(out.len, 0);
}

static void expect_bytes(const char *text, const char *expected)
{
    CLEANUP(buf_finish) struct buf out = {.max = 4096}, again = {.max = 4096};
    redact_bytes(slice_of(text), SIZE_MAX, &out);
    assert_string_equal(buf_text(&out), expected);
    redact_bytes(buf_slice(&out), SIZE_MAX, &again);
    assert_string_equal(buf_text(&again), expected);
}

static void masks_values_in_cut_records(void **state)
{
    (void)state;
    expect_bytes("", "");
    expect_bytes("{\"a\":\"b\",\"n\":1", "{\"a\":\"b\",\"n\":1");
    expect_bytes("{\"Authorization\":\"AWS4 abc", "{\"Authorization\":\"" R);
    expect_bytes("{\"password\":\"a,b}\",\"x\":\"y", "{\"password\":\"" R "\",\"x\":\"y");
    expect_bytes("{\"password\" : \n \"a\\\"b\",\"x\":1", "{\"password\" : \n \"" R "\",\"x\":1");
    expect_bytes("{\"token\":123,\"x\":1", "{\"token\":" R ",\"x\":1");
    expect_bytes("{\"token\":123}x", "{\"token\":" R "}x");
    expect_bytes("{\"secret\":{\"a\":\"b\"},\"x\":1", "{\"secret\":" R);
    expect_bytes("{\"pass\\u0077ord\":\"x\"", "{\"pass\\u0077ord\":\"" R "\"");
    expect_bytes("{'password': 'x', 'y': 1", "{'password': '" R "', 'y': 1");
    expect_bytes("\"token\":", "\"token\":" R);
    expect_bytes("\"token\"", "\"token\"");
}

static void masks_values_in_nested_json(void **state)
{
    (void)state;
    expect_bytes("\"r\":\"{\\\"token\\\":\\\"abc\\\",\\\"n\\\":1",
                 "\"r\":\"{\\\"token\\\":\\\"" R "\\\",\\\"n\\\":1");
    expect_bytes("{\\\\\\\"token\\\\\\\":\\\\\\\"a\\\\\\\\\\\\\\\"b\\\\\\\",\\\\\\\"n\\\\\\\":1",
                 "{\\\\\\\"token\\\\\\\":\\\\\\\"" R "\\\\\\\",\\\\\\\"n\\\\\\\":1");
}

static void masks_values_in_plain_text(void **state)
{
    (void)state;
    expect_bytes("password=abc next", "password=" R " next");
    expect_bytes("user=me&token=a;b&x=1", "user=me&token=" R "&x=1");
    expect_bytes("request.header.Cookie=a=1; b=2\nnext", "request.header.Cookie=" R "\nnext");
    expect_bytes("Authorization: AWS4-HMAC-SHA256 Credential=A/b, Signature=c\r\nHost: h",
                 "Authorization: " R "\r\nHost: h");
    expect_bytes("AWS4-HMAC-SHA256 Credential=AKIA/20221020/s3, SignedHeaders=host, Signature=0a1b",
                 "AWS4-HMAC-SHA256 Credential=" R ", SignedHeaders=host, Signature=" R);
    expect_bytes("sent Bearer  eyJ.a-b_c, ok", "sent Bearer  " R ", ok");
    expect_bytes("a forbearer of x, bearer", "a forbearer of x, bearer");
    expect_bytes("/k?a=1\\u0026X-Amz-Signature=ab\"", "/k?a=1\\u0026X-Amz-Signature=" R "\"");
    expect_bytes("GET\\ntoken: abc", "GET\\ntoken: " R);
    expect_bytes("/k?X%2DAmz%2DSignature=ab cd", "/k?X%2DAmz%2DSignature=" R " cd");
    expect_bytes("statusCode=200 key: value", "statusCode=200 key: value");
}

/* A name is looked for before a ':', but not within a value that was hidden: how long that was
 * would decide. */
static void no_name_reaches_into_a_hidden_value(void **state)
{
    (void)state;
    char text[400];
    memset(text, 'v', sizeof text);
    memcpy(text, "\"password: ", 11);
    memcpy(text + sizeof text - 7, ",z\":5}", 7); /* with its NUL */
    expect_bytes(text, "\"password: " R ",z\":5}");
}

static void keeps_bytes_that_are_not_text(void **state)
{
    (void)state;
    const char text[] = "\0\xFF:token=\0\xFE,\0";
    CLEANUP(buf_finish) struct buf out = {.max = 100};
    redact_bytes(slice_make(text, sizeof text - 1), SIZE_MAX, &out);
    /* NUL and 0xFE are part of the value: nothing there ends it but the comma */
    const char expected[] = "\0\xFF:token=" R ",\0";
    assert_int_equal(out.len, sizeof expected - 1);
    assert_memory_equal(out.at, expected, out.len);
}

static void cuts_at_the_maximum(void **state)
{
    (void)state;
    const char *text = "abc token=hidden, more";
    const char *whole = "abc token=" R ", more";
    for (size_t max = 0; max <= strlen(whole) + 1; max++) {
        CLEANUP(buf_finish) struct buf out = {.max = 100};
        buf_add_byte(&out, '>');
        redact_bytes(slice_of(text), max, &out);
        size_t expected = max < strlen(whole) ? max : strlen(whole);
        assert_int_equal(out.len, expected + 1);
        assert_memory_equal(out.at + 1, whole, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_secret_names),
        cmocka_unit_test(hides_in_the_query_of_a_url),
        cmocka_unit_test(decodes_names_of_a_query),
        cmocka_unit_test(leaves_other_texts_alone),
        cmocka_unit_test(hides_in_json_held_in_a_string),
        cmocka_unit_test(goes_three_levels_deep),
        cmocka_unit_test(masks_broken_json_held_in_a_string),
        cmocka_unit_test(a_full_buffer_is_an_overflow),
        cmocka_unit_test(masks_values_in_cut_records),
        cmocka_unit_test(masks_values_in_nested_json),
        cmocka_unit_test(masks_values_in_plain_text),
        cmocka_unit_test(no_name_reaches_into_a_hidden_value),
        cmocka_unit_test(keeps_bytes_that_are_not_text),
        cmocka_unit_test(cuts_at_the_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
