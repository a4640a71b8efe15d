/* Tests of datasources/s3: reading one object, against a scripted server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "s3_fixture.h"

#define OBJECT(length, etag, rest)                                                      \
    "HTTP/1.1 200 OK\r\nContent-Length: " length "\r\nLast-Modified: " DATE "\r\n" etag \
    "\r\n\r\n" rest
#define PART(range, length, etag, rest)                                                         \
    "HTTP/1.1 206 Partial Content\r\nContent-Length: " length "\r\nContent-Range: bytes " range \
    "\r\nLast-Modified: " DATE "\r\n" etag "\r\n\r\n" rest
#define TAG "ETag: " ETAG
#define OTHER "ETag: \"ffffffffffffffffffffffffffffffff\""

static void test_fetches_a_whole_object(void **state)
{
    static const struct scripted_reply script[] = {{OBJECT("11", TAG, CONTENT)}};
    struct fixture *fixture = fixture_new(script, COUNT(script));
    (void)state;
    assert_int_equal(fetch(fixture), OK);
    assert_string_equal(buf_text(&fixture->bytes), CONTENT);
    assert_non_null(strstr(request(fixture, 0), "GET /logs/a%20b HTTP/1.1\r\n"));
    assert_null(strcasestr(request(fixture, 0), "\r\nRange:"));
    fixture_free(fixture);
}

static void test_fetches_an_empty_object(void **state)
{
    static const struct scripted_reply script[] = {{OBJECT("0", TAG, "")},
                                                   {OBJECT("0", OTHER, "")}};
    struct fixture *fixture = fixture_new(script, COUNT(script));
    (void)state;
    fixture->object.size = 0;
    assert_int_equal(fetch(fixture), OK);
    assert_int_equal(fixture->bytes.len, 0);
    assert_int_equal(fetch(fixture), BAD_DATA);
    fixture_free(fixture);
}

static void test_resumes_where_it_was_cut(void **state)
{
    static const struct scripted_reply script[] = {
        {OBJECT("11", TAG, "hel"), THEN_CLOSE},
        {PART("3-10/11", "8", TAG, "lo "), THEN_RESET},
        FAILURE("503 Later", ""),
        {PART("6-10/11", "5", TAG, "w"), THEN_HANG},
        {PART("7-10/11", "4", TAG, "orld")},
    };
    struct fixture *fixture = fixture_new(script, COUNT(script));
    (void)state;
    assert_int_equal(fetch(fixture), OK);
    assert_string_equal(buf_text(&fixture->bytes), CONTENT);
    assert_non_null(strstr(request(fixture, 1), "\r\nRange: bytes=3-\r\n"));
    assert_non_null(strstr(request(fixture, 1), "\r\nIf-Match: " ETAG "\r\n"));
    assert_non_null(strstr(request(fixture, 2), "\r\nRange: bytes=6-\r\n"));
    assert_non_null(strstr(request(fixture, 3), "\r\nRange: bytes=6-\r\n"));
    assert_non_null(strstr(request(fixture, 4), "\r\nRange: bytes=7-\r\n"));
    assert_int_equal(fixture->world.waits, 4);
    fixture_free(fixture);
}

static void test_resumes_without_a_tag_by_size_and_time(void **state)
{
    static const struct scripted_reply script[] = {
        {OBJECT("11", "ETag: W/\"x\"", "hel"), THEN_CLOSE},
        {PART("3-10/11", "8", "X-None: 1", "lo world")},
    };
    struct fixture *fixture = fixture_new(script, COUNT(script));
    (void)state;
    assert_int_equal(fetch(fixture), OK);
    assert_string_equal(buf_text(&fixture->bytes), CONTENT);
    assert_non_null(strstr(request(fixture, 1), "\r\nRange: bytes=3-\r\n"));
    assert_null(strcasestr(request(fixture, 1), "\r\nIf-Match:"));
    fixture_free(fixture);
}

/* What comes after three bytes were handed on. */
static void test_resumes_that_go_wrong(void **state)
{
    static const struct {
        struct scripted_reply reply;
        enum status status;
        const char *text;
    } table[] = {
        {{OBJECT("11", TAG, CONTENT)},
         AGAIN,
         "the server sent the whole object in place of its rest"},
        {{PART("0-10/11", "11", TAG, CONTENT)},
         AGAIN,
         "the server sent another range than asked for"},
        {{PART("4-10/11", "7", TAG, "o world")},
         AGAIN,
         "the server sent another range than asked for"},
        {{PART("x", "8", TAG, "lo world")}, AGAIN, "the server sent another range than asked for"},
        {{PART("3-10/11", "8", OTHER, "lo world")}, BAD_DATA, "replaced since it was listed"},
        {{PART("3-10/12", "8", TAG, "lo world")},
         BAD_DATA,
         "wrong length: 12 bytes, listed with 11"},
        {{PART("3-11/12", "9", TAG, "lo world!")},
         BAD_DATA,
         "wrong length: 12 bytes, listed with 11"},
        {{PART("3-11/"
               "*",
               "9", TAG, "lo world!")},
         BAD_DATA,
         "wrong length: 12 bytes, listed with 11"},
        {FAILURE("412 Precondition Failed", ""), BAD_DATA, "replaced since it was listed"},
        {FAILURE("416 Range Not Satisfiable", ""), AGAIN, "the server knows no such range"},
        {FAILURE("404 Not Found", "<Error><Code>NoSuchKey</Code></Error>"), BAD_DATA,
         "gone since it was listed"},
        {FAILURE("403 Forbidden", "<Error><Code>ExpiredToken</Code></Error>"), FAILED,
         "403 ExpiredToken (the temporary keys have expired: renew them and session_token)"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        const struct scripted_reply script[] = {
            {OBJECT("11", TAG, "hel"), THEN_CLOSE},
            table[i].reply,
        };
        struct fixture *fixture = fixture_new(script, COUNT(script));
        assert_int_equal(fetch(fixture), table[i].status);
        assert_string_equal(fixture->err.text, table[i].text);
        assert_string_equal(buf_text(&fixture->bytes), "hel"); /* and not a byte of the wrong */
        fixture_free(fixture);
    }
}

/* The first reply is not the listed object: nothing of it is handed on. */
static void test_first_replies_that_go_wrong(void **state)
{
    static const struct {
        struct scripted_reply reply;
        enum status status;
        const char *text;
    } table[] = {
        {{OBJECT("11", OTHER, CONTENT)}, BAD_DATA, "replaced since it was listed"},
        {{OBJECT("12", TAG, CONTENT "!")}, BAD_DATA, "wrong length: 12 bytes, listed with 11"},
        {{OBJECT("10", TAG, "hello worl")}, BAD_DATA, "wrong length: 10 bytes, listed with 11"},
        {{"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n"
          "Last-Modified: Mon, 30 May 2022 09:00:02 GMT\r\n\r\n" CONTENT},
         BAD_DATA,
         "replaced since it was listed"},
        {{"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n" CONTENT},
         BAD_DATA,
         "replaced since it was listed"},
        {{"HTTP/1.1 203 Other\r\n" TAG "\r\nContent-Length: 11\r\n\r\n" CONTENT},
         FAILED,
         "the server answered 203"},
        {FAILURE("404 Not Found", "<Error><Code>NoSuchKey</Code></Error>"), BAD_DATA,
         "gone since it was listed"},
        {FAILURE("404 Not Found", ""), BAD_DATA, "gone since it was listed"},
        {FAILURE("404 Not Found", "<Error><Code>NoSuchBucket</Code></Error>"), FAILED,
         "404 NoSuchBucket (check log_bucket)"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct fixture *fixture = fixture_new(&table[i].reply, 1);
        assert_int_equal(fetch(fixture), table[i].status);
        assert_string_equal(fixture->err.text, table[i].text);
        assert_int_equal(fixture->bytes.len, 0);
        fixture_free(fixture);
    }
}

/* Chunked: the length shows only as the bytes come. */
static void test_lengths_that_nobody_announced(void **state)
{
    static const char head[] = "HTTP/1.1 200 OK\r\n" TAG "\r\nTransfer-Encoding: chunked\r\n\r\n";
    static const struct {
        const char *chunks;
        enum status status;
    } table[] = {
        {"B\r\nhello world\r\n0\r\n\r\n", OK},
        {"A\r\nhello worl\r\n0\r\n\r\n", BAD_DATA},
        {"B\r\nhello world\r\n1\r\n!\r\n0\r\n\r\n", BAD_DATA},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        char reply[256];
        snprintf(reply, sizeof reply, "%s%s", head, table[i].chunks);
        const struct scripted_reply script = {reply};
        struct fixture *fixture = fixture_new(&script, 1);
        assert_int_equal(fetch(fixture), table[i].status);
        assert_true(fixture->bytes.len <= 11);
        fixture_free(fixture);
    }
}

static void test_an_object_listed_without_a_tag(void **state)
{
    static const struct scripted_reply script[] = {{OBJECT("11", OTHER, CONTENT)}};
    struct fixture *fixture = fixture_new(script, COUNT(script));
    (void)state;
    etag_of_size_and_time(fixture->object.size, fixture->object.last_modified_ns,
                          fixture->object.etag);
    assert_int_equal(fetch(fixture), OK);
    assert_string_equal(buf_text(&fixture->bytes), CONTENT);
    fixture_free(fixture);
}

static void test_a_fetch_without_progress_gives_up(void **state)
{
    static const struct scripted_reply script[] = {
        {OBJECT("11", TAG, "hel"), THEN_CLOSE},
        {"", THEN_CLOSE},
        {"", THEN_CLOSE},
        {"", THEN_CLOSE},
        {PART("3-10/11", "8", TAG, "lo world")},
    };
    struct fixture *fixture = fixture_new(script, COUNT(script));
    (void)state;
    assert_int_equal(fetch(fixture), FAILED);
    assert_int_equal(strncmp(fixture->err.text, "gave up after 4 tries: ", 23), 0);
    assert_int_equal(fixture->server->n_requests, 1 + RETRIES);
    fixture_free(fixture);
}

static void test_a_parked_fetch_goes_on_at_once(void **state)
{
    static const struct scripted_reply script[] = {
        {OBJECT("11", TAG, "hello"), THEN_HANG},
        {PART("5-10/11", "6", TAG, " world")},
    };
    struct fixture *fixture = fixture_new(script, COUNT(script));
    (void)state;
    fixture->park = true;
    assert_int_equal(fetch(fixture), OK);
    assert_string_equal(buf_text(&fixture->bytes), CONTENT);
    assert_true(fixture->server->hung_up);
    assert_int_equal(fixture->world.waits, 0);
    assert_int_equal(fixture->world.notices, 0);
    fixture_free(fixture);
}

static void test_the_intake_decides(void **state)
{
    static const enum status answers[] = {AGAIN, BAD_DATA, FAILED};
    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        static const struct scripted_reply script[] = {{OBJECT("11", TAG, CONTENT)}};
        struct fixture *fixture = fixture_new(script, COUNT(script));
        fixture->intake_answer = answers[i];
        assert_int_equal(fetch(fixture), answers[i]);
        assert_string_equal(fixture->err.text, "as the test says");
        assert_int_equal(fixture->world.waits, 0);
        fixture_free(fixture);
    }
}

/* --- the next object, asked for ahead --- */

/* Notes how many requests the server had when bytes were handed on. */
struct watched {
    struct intake intake;
    struct fixture *fixture;
    const struct object *next; /* NULL: none */
    size_t calls, requests, wanted;
    bool park;
    enum status answer;
};

static enum status watch_bytes(struct intake *to, struct slice bytes, struct err *err)
{
    struct watched *watched = (struct watched *)to;
    const struct scripted_server *server = watched->fixture->server;
    buf_add(&watched->fixture->bytes, bytes);
    watched->calls++;
    for (int i = 0; i < 200 && server->n_requests < watched->wanted; i++) {
        usleep(10000);
    }
    watched->requests = server->n_requests;
    if (watched->park) {
        s3_datasource.park(watched->fixture->self);
    }
    return watched->answer == OK ? OK : err_set(err, watched->answer, "as the test says");
}

static enum status watch_next(struct intake *to, struct object *out, struct err *err)
{
    struct watched *watched = (struct watched *)to;
    (void)err;
    if (!watched->next) {
        return AGAIN;
    }
    *out = *watched->next;
    watched->next = NULL;
    return OK;
}

static struct watched watched_of(struct fixture *fixture, size_t wanted)
{
    return (struct watched){
        .intake = {watch_bytes, watch_next}, .fixture = fixture, .wanted = wanted};
}

static enum status fetch_to(struct fixture *fixture, const struct object *object,
                            struct watched *watched)
{
    return s3_datasource.fetch(fixture->self, object, &watched->intake, &fixture->err);
}

static struct object object_named(const struct fixture *fixture, const char *key)
{
    struct object object = fixture->object;
    object.key = slice_of(key);
    return object;
}

static void test_the_next_object_is_asked_for_before_this_one_is_handed_on(void **state)
{
    static const struct scripted_reply script[] = {{OBJECT("11", TAG, CONTENT)},
                                                   {OBJECT("11", TAG, "HELLO WORLD")}};
    struct fixture *fixture = fixture_new(script, COUNT(script));
    struct watched watched = watched_of(fixture, 2);
    char key[] = "next";
    struct object next = object_named(fixture, key);
    (void)state;
    watched.next = &next;
    assert_int_equal(fetch_to(fixture, &fixture->object, &watched), OK);
    key[0] = '?'; /* only lent to next() */
    assert_int_equal(watched.requests, 2);
    assert_string_equal(buf_text(&fixture->bytes), CONTENT);
    key[0] = 'n';
    watched.intake.next = NULL; /* it need not tell what comes then */
    assert_int_equal(fetch_to(fixture, &next, &watched), OK);
    assert_string_equal(buf_text(&fixture->bytes), CONTENT "HELLO WORLD");
    assert_int_equal(fixture->server->n_requests, 2);
    assert_int_equal(fixture->server->n_connections, 1);
    assert_non_null(strstr(request(fixture, 1), "GET /logs/next HTTP/1.1\r\n"));
    fixture_free(fixture);
}

static void test_another_object_than_announced(void **state)
{
    static const struct scripted_reply script[] = {{OBJECT("11", TAG, CONTENT)},
                                                   {OBJECT("11", TAG, "HELLO WORLD"), THEN_HANG},
                                                   {OBJECT("11", TAG, "other words")}};
    struct fixture *fixture = fixture_new(script, COUNT(script));
    struct watched watched = watched_of(fixture, 2);
    struct object next = object_named(fixture, "next"), other = object_named(fixture, "other");
    (void)state;
    watched.next = &next;
    assert_int_equal(fetch_to(fixture, &fixture->object, &watched), OK);
    assert_int_equal(fetch_to(fixture, &other, &watched), OK);
    assert_string_equal(buf_text(&fixture->bytes), CONTENT "other words");
    assert_int_equal(fixture->world.waits, 0);
    fixture_free(fixture);
}

/* The same key, replaced between two readings of the list of work. */
static void test_another_version_than_announced(void **state)
{
    static const struct scripted_reply script[] = {{OBJECT("11", TAG, CONTENT)},
                                                   {OBJECT("11", TAG, "HELLO WORLD"), THEN_HANG},
                                                   {OBJECT("11", OTHER, "other words")}};
    struct fixture *fixture = fixture_new(script, COUNT(script));
    struct watched watched = watched_of(fixture, 2);
    struct object next = object_named(fixture, "next");
    (void)state;
    watched.next = &next;
    assert_int_equal(fetch_to(fixture, &fixture->object, &watched), OK);
    memset(next.etag, 0xff, sizeof next.etag);
    assert_int_equal(fetch_to(fixture, &next, &watched), OK);
    assert_string_equal(buf_text(&fixture->bytes), CONTENT "other words");
    fixture_free(fixture);
}

static void test_a_request_ahead_is_parked_and_made_again(void **state)
{
    static const struct scripted_reply script[] = {{OBJECT("11", TAG, CONTENT)},
                                                   {OBJECT("11", TAG, "HELL"), THEN_HANG},
                                                   {OBJECT("11", TAG, "HELLO WORLD")}};
    struct fixture *fixture = fixture_new(script, COUNT(script));
    struct watched watched = watched_of(fixture, 2);
    struct object next = object_named(fixture, "next");
    (void)state;
    watched.park = true;
    watched.next = &next;
    assert_int_equal(fetch_to(fixture, &fixture->object, &watched), OK);
    watched.park = false;
    assert_int_equal(fetch_to(fixture, &next, &watched), OK);
    assert_string_equal(buf_text(&fixture->bytes), CONTENT "HELLO WORLD");
    assert_true(fixture->server->hung_up);
    assert_int_equal(fixture->world.waits, 0);
    assert_int_equal(fixture->world.notices, 0);
    fixture_free(fixture);
}

/* Cut twice: what is kept goes on where it was, and is handed on once, whole. */
static void test_a_kept_object_is_resumed(void **state)
{
    static const struct scripted_reply script[] = {{OBJECT("11", TAG, "hel"), THEN_CLOSE},
                                                   {PART("3-10/11", "8", TAG, "lo world")},
                                                   {OBJECT("11", TAG, "HELLO"), THEN_CLOSE},
                                                   {PART("5-10/11", "6", TAG, " WORLD")}};
    struct fixture *fixture = fixture_new(script, COUNT(script));
    struct watched watched = watched_of(fixture, 3);
    struct object next = object_named(fixture, "next");
    (void)state;
    watched.next = &next;
    assert_int_equal(fetch_to(fixture, &fixture->object, &watched), OK);
    assert_int_equal(fetch_to(fixture, &next, &watched), OK);
    assert_string_equal(buf_text(&fixture->bytes), CONTENT "HELLO WORLD");
    assert_int_equal(watched.calls, 2);
    fixture_free(fixture);
}

/* What became of the first one is no reason to lose or to double the next. */
static void test_the_next_object_after_one_that_failed(void **state)
{
    static const struct scripted_reply script[] = {{OBJECT("11", OTHER, CONTENT)},
                                                   {OBJECT("11", TAG, "HELLO WORLD")}};
    struct fixture *fixture = fixture_new(script, COUNT(script));
    struct watched watched = watched_of(fixture, 1);
    struct object next = object_named(fixture, "next");
    (void)state;
    watched.next = &next;
    assert_int_equal(fetch_to(fixture, &fixture->object, &watched), BAD_DATA);
    assert_int_equal(watched.calls, 0);
    assert_int_equal(fixture->server->n_requests, 1);
    assert_int_equal(fetch_to(fixture, &next, &watched), OK);
    assert_string_equal(buf_text(&fixture->bytes), "HELLO WORLD");
    fixture_free(fixture);
}

static void test_the_intake_of_a_kept_object_decides(void **state)
{
    static const struct scripted_reply script[] = {{OBJECT("11", TAG, CONTENT)},
                                                   {OBJECT("11", TAG, "HELLO WORLD")}};
    struct fixture *fixture = fixture_new(script, COUNT(script));
    struct watched watched = watched_of(fixture, 2);
    struct object next = object_named(fixture, "next");
    (void)state;
    watched.answer = BAD_DATA;
    watched.next = &next;
    assert_int_equal(fetch_to(fixture, &fixture->object, &watched), BAD_DATA);
    assert_string_equal(fixture->err.text, "as the test says");
    watched.answer = OK;
    assert_int_equal(fetch_to(fixture, &next, &watched), OK);
    assert_int_equal(fixture->server->n_requests, 2);
    fixture_free(fixture);
}

/* Memory: neither is kept, and the one ahead is not asked for. */
static void test_large_objects_are_not_kept(void **state)
{
    char reply[OBJECT_SMALL_BYTES + 200];
    int head = snprintf(reply, sizeof reply, OBJECT("%d", TAG, ""), OBJECT_SMALL_BYTES + 1);
    size_t len = (size_t)head + OBJECT_SMALL_BYTES + 1;
    memset(reply + head, 'x', OBJECT_SMALL_BYTES + 1);
    const struct scripted_reply script[] = {
        {reply, .len = len}, {OBJECT("11", TAG, CONTENT)}, {reply, .len = len}};
    struct fixture *fixture = fixture_new(script, COUNT(script));
    struct watched watched = watched_of(fixture, 0);
    struct object small = object_named(fixture, "small"), large = object_named(fixture, "large");
    (void)state;
    large.size = OBJECT_SMALL_BYTES + 1;
    watched.next = &small;
    assert_int_equal(fetch_to(fixture, &large, &watched), OK);
    assert_int_equal(fixture->server->n_requests, 1);
    watched.next = &large;
    assert_int_equal(fetch_to(fixture, &small, &watched), OK);
    assert_int_equal(fixture->server->n_requests, 2);
    assert_int_equal(fetch_to(fixture, &large, &watched), OK);
    assert_int_equal(fixture->bytes.len, 2 * (OBJECT_SMALL_BYTES + 1) + strlen(CONTENT));
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fetches_a_whole_object),
        cmocka_unit_test(test_fetches_an_empty_object),
        cmocka_unit_test(test_resumes_where_it_was_cut),
        cmocka_unit_test(test_resumes_without_a_tag_by_size_and_time),
        cmocka_unit_test(test_resumes_that_go_wrong),
        cmocka_unit_test(test_first_replies_that_go_wrong),
        cmocka_unit_test(test_lengths_that_nobody_announced),
        cmocka_unit_test(test_an_object_listed_without_a_tag),
        cmocka_unit_test(test_a_fetch_without_progress_gives_up),
        cmocka_unit_test(test_a_parked_fetch_goes_on_at_once),
        cmocka_unit_test(test_the_intake_decides),
        cmocka_unit_test(test_the_next_object_is_asked_for_before_this_one_is_handed_on),
        cmocka_unit_test(test_another_object_than_announced),
        cmocka_unit_test(test_another_version_than_announced),
        cmocka_unit_test(test_a_request_ahead_is_parked_and_made_again),
        cmocka_unit_test(test_a_kept_object_is_resumed),
        cmocka_unit_test(test_the_next_object_after_one_that_failed),
        cmocka_unit_test(test_the_intake_of_a_kept_object_decides),
        cmocka_unit_test(test_large_objects_are_not_kept),
    };
    return cmocka_run_group_tests(tests, net_set_up, net_tear_down);
}
