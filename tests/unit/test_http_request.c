/* Tests of net/http: what it sends, as a scripted server on 127.0.0.1 receives it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_fixture.h"

static void test_sends_what_was_asked(void **state)
{
    static const struct scripted_reply script[] = {
        {"HTTP/1.1 204 No Content\r\n\r\n"},
        {"HTTP/1.1 204 No Content\r\n\r\n"},
        {"HTTP/1.1 204 No Content\r\n\r\n"},
    };
    struct fixture fixture;
    char url[128];
    (void)state;
    fixture_begin(&fixture, script, COUNT(script));
    snprintf(url, sizeof url, "http://127.0.0.1:%u/a/../b//%%2F?q=%%20", fixture.server->port);
    assert_int_equal(
        perform(&fixture,
                (struct http_request){.url = url, .headers = {{"X-One", "1"}, {"X-None", ""}}}),
        OK);
    assert_int_equal(
        perform(&fixture, (struct http_request){.method = "POST", .body = SLICE_LITERAL("a\0b")}),
        OK);
    assert_int_equal(perform(&fixture, (struct http_request){.method = "POST"}), OK);
    http_curl.close(fixture.http);
    scripted_stop(fixture.server);

    const char *plain = fixture.server->requests[0];
    assert_non_null(strstr(plain, "GET /a/../b//%2F?q=%20 HTTP/1.1\r\n"));
    assert_non_null(strstr(plain, "\r\nX-One: 1\r\n"));
    assert_non_null(strstr(plain, "\r\nX-None:\r\n"));
    assert_null(strcasestr(plain, "Accept-Encoding"));
    assert_null(strcasestr(plain, "Authorization"));
    const char *post = fixture.server->requests[1];
    assert_non_null(strstr(post, "POST /x HTTP/1.1\r\n"));
    assert_non_null(strstr(post, "\r\nContent-Length: 3\r\n"));
    assert_null(strcasestr(post, "\r\nExpect:"));
    assert_null(strcasestr(post, "\r\nContent-Type:"));
    assert_memory_equal(strstr(post, "\r\n\r\n") + 4, "a\0b", 3);
    assert_non_null(strstr(fixture.server->requests[2], "\r\nContent-Length: 0\r\n"));
    http_reply_finish(&fixture.reply);
    free(fixture.server);
}

static void test_signs_and_hides_the_secret(void **state)
{
    static const struct scripted_reply script[] = {
        {"HTTP/1.1 204 No Content\r\n\r\n"},
        {"HTTP/1.1 204 No Content\r\n\r\n"},
    };
    static const struct http_signature signature = {.region = "eu-west-1",
                                                    .service = "s3",
                                                    .access_key = "AKEXAMPLE",
                                                    .secret_key = "very-secret",
                                                    .session_token = "the-token"};
    struct fixture fixture;
    (void)state;
    fixture_begin(&fixture, script, COUNT(script));
    assert_int_equal(perform(&fixture, (struct http_request){.signature = &signature}), OK);
    assert_int_equal(get(&fixture), OK); /* nothing of it is left for the next request */
    http_curl.close(fixture.http);
    scripted_stop(fixture.server);
    const char *request = fixture.server->requests[0];
    assert_non_null(strstr(request, "Authorization: AWS4-HMAC-SHA256 Credential=AKEXAMPLE/"));
    assert_non_null(strstr(request, "/eu-west-1/s3/aws4_request, "));
    assert_non_null(strstr(request, "SignedHeaders=host;x-amz-content-sha256;x-amz-date;"
                                    "x-amz-security-token,"));
    assert_non_null(strstr(request, "\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD\r\n"));
    assert_non_null(strstr(request, "\r\nx-amz-security-token: the-token\r\n"));
    assert_null(strstr(request, "very-secret"));
    assert_null(strcasestr(fixture.server->requests[1], "authorization"));
    assert_null(strstr(fixture.server->requests[1], "the-token"));
    http_reply_finish(&fixture.reply);
    free(fixture.server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sends_what_was_asked),
        cmocka_unit_test(test_signs_and_hides_the_secret),
    };
    return cmocka_run_group_tests(tests, net_set_up, net_tear_down);
}
