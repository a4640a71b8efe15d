/* Tests of net/http: against a scripted server on 127.0.0.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_fixture.h"

#include "base/cleanup.h"

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

/* A label of more than 63 characters is no name, so that nobody is asked for it. */
static void test_a_name_that_cannot_be_resolved_is_worth_another_try(void **state)
{
    static const struct scripted_reply script[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"}};
    static const char nowhere[] =
        "http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/";
    struct fixture fixture;
    (void)state;
    fixture_begin(&fixture, script, COUNT(script));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(perform(&fixture, (struct http_request){.url = nowhere}), AGAIN);
        assert_non_null(strstr(fixture.err.text, "resolve"));
    }
    assert_int_equal(get(&fixture), OK);
    assert_body(&fixture, "ok");
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

/* What counts of an error is known long before its body ends, should it ever. */
static void test_an_error_without_end_is_one(void **state)
{
    enum { SIZE = 8 << 20 };
    CLEANUP_FREE char *bytes = calloc(1, SIZE);
    const struct scripted_reply script[] = {
        {bytes, THEN_HANG, SIZE},
        {"HTTP/1.1 503 Later\r\nRetry-After: 7\r\n\r\nsoon", THEN_DRIP},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
    };
    struct fixture fixture;
    (void)state;
    memset(bytes, 'e', SIZE);
    memcpy(bytes, "HTTP/1.1 500 No\r\n\r\n", 19);
    fixture_begin(&fixture, script, COUNT(script));
    assert_int_equal(get(&fixture), OK);
    assert_int_equal(fixture.reply.code, 500);
    assert_int_equal(fixture.reply.body.len, 65536);
    assert_int_equal(perform(&fixture, (struct http_request){.stall_ns = NS_PER_SECOND}), OK);
    assert_int_equal(fixture.reply.code, 503);
    assert_int_equal(fixture.reply.retry_after_ns, 7 * NS_PER_SECOND);
    assert_memory_equal(fixture.reply.body.at, "soon.", 5);
    assert_int_equal(get(&fixture), OK); /* the handle goes on with a new connection */
    assert_body(&fixture, "ok");
    fixture_end(&fixture);
}

/* --- receivers --- */

struct receiver {
    struct fixture *fixture;
    char text[64];
    size_t len;
    bool count_only;     /* .text stays empty */
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
    receiver->nested_status =
        http_perform(&receiver->fixture->world.world, receiver->nested, &request, &reply, &err);
    http_reply_finish(&reply);
}

static enum status receive(void *to, struct slice bytes, struct err *err)
{
    struct receiver *receiver = to;
    if (!receiver->count_only) {
        assert_true(bytes.len <= sizeof receiver->text - receiver->len);
        memcpy(receiver->text + receiver->len, bytes.at, bytes.len);
    }
    receiver->len += bytes.len;
    receiver->code = receiver->fixture->reply.code;
    usleep(receiver->sleep_ms * 1000);
    if (receiver->shut) {
        receiver->shut = false; /* .saw_end is about the first time */
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

/* However long it took to say no, and whatever is due after a second. */
static void test_a_slow_receiver_decides(void **state)
{
    static const struct scripted_reply script[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"},
    };
    struct fixture fixture;
    struct receiver receiver = {.answer = BAD_DATA, .sleep_ms = 1100};
    (void)state;
    fixture_begin(&fixture, script, COUNT(script));
    assert_int_equal(get_to(&fixture, &receiver, 0), BAD_DATA);
    assert_string_equal(fixture.err.text, "as the test says");
    fixture_end(&fixture);
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

/* A server in the middle of sending reads nothing, so it has to learn of the end by its sending. */
static void test_shut_lets_a_sending_server_go(void **state)
{
    const size_t size = 64 << 20; /* more than the buffers of both sides take */
    CLEANUP_FREE char *bytes = calloc(1, size);
    struct scripted_reply script = {bytes, THEN_HANG, size};
    struct fixture fixture;
    /* the server has long filled the window when the receiver lets go */
    struct receiver receiver = {.shut = true, .count_only = true, .sleep_ms = 500};
    (void)state;
    snprintf(bytes, size, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", size);
    fixture_begin(&fixture, &script, 1);
    assert_int_equal(get_to(&fixture, &receiver, 0), AGAIN);
    assert_true(receiver.saw_end);
    assert_int_equal(fixture.reply.received_bytes, receiver.len);
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

/* The second half of the body comes 500 ms after the first, which receive holds for 300 ms: that is
 * 200 ms of waiting, where 400 ms would be a stall. */
static void test_time_within_receive_is_no_stall(void **state)
{
    static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd";
    const struct scripted_reply script = {reply, THEN_KEEP, 0, sizeof reply - 3};
    struct fixture fixture;
    struct receiver receiver = {.sleep_ms = 300};
    (void)state;
    fixture_begin(&fixture, &script, 1);
    assert_int_equal(get_to(&fixture, &receiver, 400 * NS_PER_MS), OK);
    assert_memory_equal(receiver.text, "abcd", 4);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_headers_and_body),
        cmocka_unit_test(test_redirects_and_other_protocols_are_not_followed),
        cmocka_unit_test(test_a_name_that_cannot_be_resolved_is_worth_another_try),
        cmocka_unit_test(test_a_reply_after_100_continue_is_the_reply),
        cmocka_unit_test(test_bodies_have_limits),
        cmocka_unit_test(test_an_error_without_end_is_one),
        cmocka_unit_test(test_receive_gets_2xx_bodies_only),
        cmocka_unit_test(test_receive_decides),
        cmocka_unit_test(test_a_slow_receiver_decides),
        cmocka_unit_test(test_shut_lets_the_server_go_at_once),
        cmocka_unit_test(test_shut_lets_a_sending_server_go),
        cmocka_unit_test(test_shut_of_an_unframed_body_is_a_cut),
        cmocka_unit_test(test_another_handle_performs_within_receive),
        cmocka_unit_test(test_cut_replies_are_worth_another_try),
        cmocka_unit_test(test_a_refused_connection_is_worth_another_try),
        cmocka_unit_test(test_a_stall_is_a_cut),
        cmocka_unit_test(test_time_within_receive_is_no_stall),
        cmocka_unit_test(test_tick_stops_a_request),
    };
    return cmocka_run_group_tests(tests, net_set_up, net_tear_down);
}
