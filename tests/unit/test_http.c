/* Tests of net/http: against a scripted server on 127.0.0.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plain_world.h"
#include "scripted_server.h"

#include "net/http.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* One handle, its server and its last reply. */
struct fixture {
    struct plain_world world;
    struct scripted_server *server;
    struct http *http;
    struct http_reply reply;
    struct err err;
    char url[128];
};

static void fixture_begin(struct fixture *fixture, const struct scripted_reply *script, size_t len)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->world = plain_world_make();
    fixture->server = scripted_start(script, len);
    fixture->http = http_curl.open(&fixture->world.world);
    http_reply_init(&fixture->reply);
    snprintf(fixture->url, sizeof fixture->url, "http://127.0.0.1:%u/x", fixture->server->port);
}

/* The client goes first: a server that waits for its next request then sees the end. */
static void fixture_end(struct fixture *fixture)
{
    http_curl.close(fixture->http);
    scripted_stop(fixture->server);
    http_reply_finish(&fixture->reply);
    free(fixture->server);
}

static enum status perform(struct fixture *fixture, struct http_request request)
{
    request.method = request.method ? request.method : "GET";
    request.url = request.url ? request.url : fixture->url;
    return http_curl.perform(fixture->http, &request, &fixture->reply, &fixture->err);
}

static enum status get(struct fixture *fixture)
{
    return perform(fixture, (struct http_request){0});
}

static void assert_body(const struct fixture *fixture, const char *text)
{
    assert_true(slice_is(buf_slice(&fixture->reply.body), text));
}

/* --- replies --- */

static void test_reads_headers_and_body(void **state)
{
    static const struct scripted_reply script[] = {
        {"HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nETag: \"abc-2\"\r\n"
         "Content-Range: bytes 7-11/4711\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
         "Retry-After: 7\r\nLocation: /there\r\n\r\nhello"},
        {"HTTP/1.1 204 No Content\r\n\r\n"},
    };
    struct fixture fixture;
    (void)state;
    fixture_begin(&fixture, script, COUNT(script));
    assert_int_equal(get(&fixture), OK);
    assert_int_equal(fixture.reply.code, 206);
    assert_int_equal(fixture.reply.content_length, 5);
    assert_int_equal(fixture.reply.range_from, 7);
    assert_int_equal(fixture.reply.range_size, 4711);
    assert_int_equal(fixture.reply.retry_after_ns, INT64_C(7000000000));
    assert_int_equal(fixture.reply.last_modified_ns, INT64_C(784111777000000000));
    assert_string_equal(fixture.reply.etag, "\"abc-2\"");
    assert_string_equal(fixture.reply.location, "/there");
    assert_int_equal(fixture.reply.received_bytes, 5);
    assert_body(&fixture, "hello");

    assert_int_equal(get(&fixture), OK); /* nothing of the first reply is left */
    assert_int_equal(fixture.reply.code, 204);
    assert_int_equal(fixture.reply.range_from, -1);
    assert_int_equal(fixture.reply.range_size, -1);
    assert_int_equal(fixture.reply.retry_after_ns, -1);
    assert_true(fixture.reply.last_modified_ns == INT64_MIN);
    assert_string_equal(fixture.reply.etag, "");
    assert_string_equal(fixture.reply.location, "");
    assert_int_equal(fixture.reply.received_bytes, 0);
    assert_body(&fixture, "");
    assert_int_equal(fixture.server->n_connections, 1);
    fixture_end(&fixture);
}

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

static void test_redirects_and_other_protocols_are_not_followed(void **state)
{
    static const struct scripted_reply script[] = {
        {"HTTP/1.1 301 Moved\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n"},
    };
    struct fixture fixture;
    (void)state;
    fixture_begin(&fixture, script, COUNT(script));
    assert_int_equal(get(&fixture), OK);
    assert_int_equal(fixture.reply.code, 301);
    assert_int_equal(fixture.server->n_requests, 1);
    assert_int_equal(perform(&fixture, (struct http_request){.url = "file:///etc/hostname"}),
                     FAILED);
    assert_int_equal(fixture.reply.received_bytes, 0);
    fixture_end(&fixture);
}

static void test_a_reply_after_100_continue_is_the_reply(void **state)
{
    static const struct scripted_reply script[] = {
        {"HTTP/1.1 100 Continue\r\nRetry-After: 5\r\n\r\n"
         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
    };
    struct fixture fixture;
    (void)state;
    fixture_begin(&fixture, script, COUNT(script));
    assert_int_equal(get(&fixture), OK);
    assert_int_equal(fixture.reply.code, 200);
    assert_int_equal(fixture.reply.retry_after_ns, -1);
    assert_body(&fixture, "ok");
    fixture_end(&fixture);
}

static void test_bodies_have_limits(void **state)
{
    char error[70000 + 128];
    int head = snprintf(error, sizeof error, "HTTP/1.1 500 No\r\nContent-Length: 70000\r\n\r\n");
    memset(error + head, 'e', 70000);
    const struct scripted_reply script[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"},
        {error, THEN_KEEP, (size_t)head + 70000},
    };
    struct fixture fixture;
    (void)state;
    fixture_begin(&fixture, script, COUNT(script));
    assert_int_equal(perform(&fixture, (struct http_request){.max_body_bytes = 10}), OK);
    assert_int_equal(perform(&fixture, (struct http_request){.max_body_bytes = 9}), FAILED);
    assert_string_equal(fixture.err.text, "the reply is longer than 9 bytes");
    assert_int_equal(perform(&fixture, (struct http_request){.max_body_bytes = 9}), OK);
    assert_int_equal(fixture.reply.code, 500); /* the body of an error is cut, not refused */
    assert_int_equal(fixture.reply.received_bytes, 70000);
    assert_int_equal(fixture.reply.body.len, 65536);
    fixture_end(&fixture);
}

/* --- receivers --- */

struct receiver {
    struct fixture *fixture;
    char text[64];
    size_t len;
    int code;            /* of the reply, as known at the first byte */
    enum status answer;  /* what receive returns */
    unsigned sleep_ms;   /* how long it holds the data */
    bool shut, saw_end;  /* lets go; the server had seen the end before receive returned */
    struct http *nested; /* performs on it */
    const char *nested_url;
    enum status nested_status;
};

static void wait_for_end(struct receiver *receiver)
{
    for (int i = 0; i < 100 && !receiver->fixture->server->hung_up; i++) {
        usleep(10000);
    }
    receiver->saw_end = receiver->fixture->server->hung_up;
}

static void perform_nested(struct receiver *receiver)
{
    struct http_reply reply;
    struct err err;
    struct http_request request = {.method = "GET", .url = receiver->nested_url};
    http_reply_init(&reply);
    receiver->nested_status = http_curl.perform(receiver->nested, &request, &reply, &err);
    http_reply_finish(&reply);
}

static enum status receive(void *to, struct slice bytes, struct err *err)
{
    struct receiver *receiver = to;
    assert_true(bytes.len <= sizeof receiver->text - receiver->len);
    memcpy(receiver->text + receiver->len, bytes.at, bytes.len);
    receiver->len += bytes.len;
    receiver->code = receiver->fixture->reply.code;
    usleep(receiver->sleep_ms * 1000);
    if (receiver->shut) {
        http_curl.shut(receiver->fixture->http);
        wait_for_end(receiver);
    }
    if (receiver->nested) {
        perform_nested(receiver);
    }
    return receiver->answer == OK ? OK : err_set(err, receiver->answer, "as the test says");
}

static enum status get_to(struct fixture *fixture, struct receiver *receiver, int64_t stall_ns)
{
    receiver->fixture = fixture;
    return perform(fixture,
                   (struct http_request){.receive = receive, .to = receiver, .stall_ns = stall_ns});
}

static void test_receive_gets_2xx_bodies_only(void **state)
{
    static const struct scripted_reply script[] = {
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
         "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n"},
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"},
    };
    struct fixture fixture;
    struct receiver receiver = {0};
    (void)state;
    fixture_begin(&fixture, script, COUNT(script));
    assert_int_equal(get_to(&fixture, &receiver, 0), OK);
    assert_int_equal(receiver.len, 5);
    assert_memory_equal(receiver.text, "abcde", 5);
    assert_int_equal(receiver.code, 200);
    assert_int_equal(fixture.reply.content_length, -1);
    assert_int_equal(get_to(&fixture, &receiver, 0), OK);
    assert_int_equal(receiver.len, 5);
    assert_body(&fixture, "gone");
    fixture_end(&fixture);
}

static void test_receive_decides(void **state)
{
    static const enum status answers[] = {AGAIN, BAD_DATA, BAD_CONFIG, FAILED};
    for (size_t i = 0; i < COUNT(answers); i++) {
        static const struct scripted_reply script[] = {
            {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"},
        };
        struct fixture fixture;
        struct receiver receiver = {.answer = answers[i]};
        (void)state;
        fixture_begin(&fixture, script, COUNT(script));
        assert_int_equal(get_to(&fixture, &receiver, 0), answers[i]);
        assert_string_equal(fixture.err.text, "as the test says");
        fixture_end(&fixture);
    }
}

static void test_shut_lets_the_server_go_at_once(void **state)
{
    static const struct scripted_reply script[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabcd", THEN_HANG},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
    };
    struct fixture fixture;
    struct receiver receiver = {.shut = true};
    (void)state;
    fixture_begin(&fixture, script, COUNT(script));
    assert_int_equal(get_to(&fixture, &receiver, 0), AGAIN);
    assert_true(receiver.saw_end);
    assert_int_equal(fixture.reply.received_bytes, 4);
    assert_int_equal(receiver.len, 4);
    assert_int_equal(get(&fixture), OK); /* the handle goes on with a new connection */
    assert_body(&fixture, "ok");
    assert_int_equal(fixture.server->n_connections, 2);
    fixture_end(&fixture);
}

/* Without a length nothing but shut() itself tells that the body is not whole. */
static void test_shut_of_an_unframed_body_is_a_cut(void **state)
{
    static const struct scripted_reply script[] = {
        {"HTTP/1.1 200 OK\r\n\r\nabcd", THEN_HANG},
    };
    struct fixture fixture;
    struct receiver receiver = {.shut = true};
    (void)state;
    fixture_begin(&fixture, script, COUNT(script));
    assert_int_equal(get_to(&fixture, &receiver, 0), AGAIN);
    fixture_end(&fixture);
}

static void test_another_handle_performs_within_receive(void **state)
{
    static const struct scripted_reply script[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"},
    };
    struct fixture outer, inner;
    (void)state;
    fixture_begin(&outer, script, COUNT(script));
    fixture_begin(&inner, script, COUNT(script));
    struct receiver receiver = {
        .nested = inner.http, .nested_url = inner.url, .nested_status = FAILED};
    assert_int_equal(get_to(&outer, &receiver, 0), OK);
    assert_int_equal(receiver.nested_status, OK);
    assert_int_equal(receiver.len, 3);
    fixture_end(&inner);
    fixture_end(&outer);
}

/* --- what goes wrong --- */

static void test_cut_replies_are_worth_another_try(void **state)
{
    static const struct {
        struct scripted_reply reply;
        int code;
        int64_t received;
    } cuts[] = {
        {{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabcd", THEN_CLOSE}, 200, 4},
        {{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabcd", THEN_RESET}, 200, 4},
        {{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n", THEN_CLOSE},
         200,
         4},
        {{"HTTP/1.1 503 Later\r\nContent-Length: 9\r\n\r\nab", THEN_CLOSE}, 503, 2},
        {{"HTTP/1.1 200 OK\r\nContent-Le", THEN_CLOSE}, 0, 0},
        {{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", THEN_CLOSE}, 0, 0},
        {{"HTTP/1.1 100 Continue\r\n\r\n", THEN_CLOSE}, 0, 0},
        {{"", THEN_RESET}, 0, 0},
        {{"", THEN_CLOSE}, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cuts); i++) {
        struct fixture fixture;
        fixture_begin(&fixture, &cuts[i].reply, 1);
        assert_int_equal(get(&fixture), AGAIN);
        assert_int_equal(fixture.reply.received_bytes, cuts[i].received);
        if (cuts[i].code) {
            assert_int_equal(fixture.reply.code, cuts[i].code);
        }
        assert_true(*fixture.err.text);
        fixture_end(&fixture);
    }
}

static void test_a_refused_connection_is_worth_another_try(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_begin(&fixture, NULL, 0);
    scripted_stop(fixture.server); /* nobody listens on its port now */
    assert_int_equal(get(&fixture), AGAIN);
    assert_int_equal(fixture.reply.code, 0);
    http_curl.close(fixture.http);
    http_reply_finish(&fixture.reply);
    free(fixture.server);
}

static void test_a_stall_is_a_cut(void **state)
{
    static const struct scripted_reply script[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabcd", THEN_HANG},
    };
    struct fixture fixture;
    (void)state;
    fixture_begin(&fixture, script, COUNT(script));
    int64_t begin_ns = plain_clock(CLOCK_MONOTONIC);
    assert_int_equal(perform(&fixture, (struct http_request){.stall_ns = NS_PER_SECOND}), AGAIN);
    int64_t took_ns = plain_clock(CLOCK_MONOTONIC) - begin_ns;
    assert_true(took_ns >= NS_PER_SECOND && took_ns < 10 * NS_PER_SECOND);
    assert_string_equal(fixture.err.text, "stalled: no byte for 1 s");
    assert_int_equal(fixture.reply.received_bytes, 4);
    assert_true(fixture.world.ticks >= 1);
    fixture_end(&fixture);
}

static void test_time_within_receive_is_no_stall(void **state)
{
    static const struct scripted_reply script[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd"},
    };
    struct fixture fixture;
    struct receiver receiver = {.sleep_ms = 300};
    (void)state;
    fixture_begin(&fixture, script, COUNT(script));
    assert_int_equal(get_to(&fixture, &receiver, 200 * NS_PER_MS), OK);
    assert_int_equal(receiver.len, 4);
    fixture_end(&fixture);
}

static void test_tick_stops_a_request(void **state)
{
    static const struct scripted_reply script[] = {{"", THEN_HANG}};
    struct fixture fixture;
    (void)state;
    fixture_begin(&fixture, script, COUNT(script));
    fixture.world.stop = true;
    assert_int_equal(get(&fixture), FAILED);
    assert_string_equal(fixture.err.text, "interrupted");
    fixture_end(&fixture);
}

/* --- signature --- */

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
        cmocka_unit_test(test_reads_headers_and_body),
        cmocka_unit_test(test_sends_what_was_asked),
        cmocka_unit_test(test_redirects_and_other_protocols_are_not_followed),
        cmocka_unit_test(test_a_reply_after_100_continue_is_the_reply),
        cmocka_unit_test(test_bodies_have_limits),
        cmocka_unit_test(test_receive_gets_2xx_bodies_only),
        cmocka_unit_test(test_receive_decides),
        cmocka_unit_test(test_shut_lets_the_server_go_at_once),
        cmocka_unit_test(test_shut_of_an_unframed_body_is_a_cut),
        cmocka_unit_test(test_another_handle_performs_within_receive),
        cmocka_unit_test(test_cut_replies_are_worth_another_try),
        cmocka_unit_test(test_a_refused_connection_is_worth_another_try),
        cmocka_unit_test(test_a_stall_is_a_cut),
        cmocka_unit_test(test_time_within_receive_is_no_stall),
        cmocka_unit_test(test_tick_stops_a_request),
        cmocka_unit_test(test_signs_and_hides_the_secret),
    };
    return cmocka_run_group_tests(tests, net_set_up, net_tear_down);
}
