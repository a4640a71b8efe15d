/* Tests of net/http: a request in two steps, against a scripted server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http_fixture.h"

#define REPLY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static void begin(struct fixture *fixture, struct http_request request)
{
    request.method = request.method ? request.method : "GET";
    request.url = fixture->url;
    http_curl.begin(fixture->http, &request, &fixture->reply);
}

static enum status end(struct fixture *fixture)
{
    return http_curl.end(fixture->http, &fixture->err);
}

/* Up to two seconds. */
static bool server_has_requests(struct fixture *fixture, size_t count)
{
    for (int i = 0; i < 200 && fixture->server->n_requests < count; i++) {
        usleep(10000);
    }
    return fixture->server->n_requests == count;
}

static void test_the_request_goes_out_at_the_beginning(void **state)
{
    static const struct scripted_reply script[] = {{REPLY}, {REPLY}};
    char body[7000];
    struct fixture fixture;
    (void)state;
    memset(body, 'b', sizeof body);
    fixture_begin(&fixture, script, COUNT(script));
    begin(&fixture, (struct http_request){0});
    assert_true(server_has_requests(&fixture, 1));
    assert_int_equal(end(&fixture), OK);
    assert_body(&fixture, "ok");
    begin(&fixture, (struct http_request){.method = "POST", .body = slice_make(body, sizeof body)});
    assert_true(server_has_requests(&fixture, 2));
    assert_int_equal(end(&fixture), OK);
    assert_body(&fixture, "ok");
    assert_int_equal(fixture.server->n_connections, 1);
    fixture_end(&fixture);
}

/* Our own time between the steps is none of the place's. */
static void test_the_stall_deadline_counts_from_the_end_step(void **state)
{
    static const struct scripted_reply script[] = {{REPLY, .pause_at = 1}};
    struct fixture fixture;
    (void)state;
    fixture_begin(&fixture, script, COUNT(script));
    begin(&fixture, (struct http_request){.stall_ns = 300 * NS_PER_MS});
    usleep(400000); /* the reply needs half a second */
    assert_int_equal(end(&fixture), OK);
    assert_body(&fixture, "ok");
    fixture_end(&fixture);
}

static void test_a_connection_is_shut_between_the_steps(void **state)
{
    static const struct scripted_reply script[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", THEN_HANG},
        {REPLY},
    };
    struct fixture fixture;
    (void)state;
    fixture_begin(&fixture, script, COUNT(script));
    begin(&fixture, (struct http_request){0});
    assert_true(server_has_requests(&fixture, 1));
    http_curl.shut(fixture.http);
    for (int i = 0; i < 200 && !fixture.server->hung_up; i++) {
        usleep(10000);
    }
    assert_true(fixture.server->hung_up); /* before the end step */
    assert_int_equal(end(&fixture), AGAIN);
    assert_int_equal(get(&fixture), OK);
    assert_body(&fixture, "ok");
    fixture_end(&fixture);
}

static void test_a_handle_is_closed_between_the_steps(void **state)
{
    static const struct scripted_reply script[] = {{"", THEN_HANG}};
    struct fixture fixture;
    (void)state;
    fixture_begin(&fixture, script, COUNT(script));
    begin(&fixture, (struct http_request){0});
    assert_true(server_has_requests(&fixture, 1));
    fixture_end(&fixture);
}

static void test_a_request_is_given_up_between_the_steps(void **state)
{
    static const struct scripted_reply script[] = {{REPLY}, {"", THEN_HANG}, {REPLY}};
    struct fixture fixture;
    (void)state;
    fixture_begin(&fixture, script, COUNT(script));
    assert_int_equal(get(&fixture), OK);
    begin(&fixture, (struct http_request){.stall_ns = 100 * NS_PER_SECOND});
    assert_true(server_has_requests(&fixture, 2));
    http_curl.drop(fixture.http);
    assert_int_equal(get(&fixture), OK);
    assert_true(fixture.server->hung_up);
    assert_int_equal(fixture.server->n_requests, 3); /* it was not sent once more */
    fixture_end(&fixture);
}

/* What goes out to a proxy is not the request yet: that comes behind the handshake. */
static void test_a_tunnel_is_opened_in_the_first_step(void **state)
{
    static const struct scripted_reply script[] = {
        {"HTTP/1.1 200 OK\r\n\r\n", THEN_HANG, .pause_at = 1}};
    struct fixture fixture;
    char proxy[64];
    (void)state;
    fixture_begin(&fixture, script, COUNT(script));
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", fixture.server->port);
    setenv("https_proxy", proxy, 1);
    snprintf(fixture.url, sizeof fixture.url, "https://s3.elsewhere.example/");
    begin(&fixture, (struct http_request){0});
    unsetenv("https_proxy");
    http_curl.drop(fixture.http);
    pthread_join(fixture.server->thread, NULL);
    assert_non_null(strstr(fixture.server->requests[0], "CONNECT s3.elsewhere.example:443 "));
    assert_false(fixture.server->hung_up); /* there was a beginning of TLS */
    http_curl.close(fixture.http);
    close(fixture.server->listener);
    free(fixture.server);
}

static void test_what_fails_in_the_first_step_is_told_in_the_second(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_begin(&fixture, NULL, 0);
    snprintf(fixture.url, sizeof fixture.url, "file:///etc/hostname");
    begin(&fixture, (struct http_request){0});
    assert_int_equal(end(&fixture), FAILED);
    assert_int_equal(fixture.reply.code, 0);
    fixture_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_request_goes_out_at_the_beginning),
        cmocka_unit_test(test_the_stall_deadline_counts_from_the_end_step),
        cmocka_unit_test(test_a_connection_is_shut_between_the_steps),
        cmocka_unit_test(test_a_handle_is_closed_between_the_steps),
        cmocka_unit_test(test_a_request_is_given_up_between_the_steps),
        cmocka_unit_test(test_a_tunnel_is_opened_in_the_first_step),
        cmocka_unit_test(test_what_fails_in_the_first_step_is_told_in_the_second),
    };
    return cmocka_run_group_tests(tests, net_set_up, net_tear_down);
}
