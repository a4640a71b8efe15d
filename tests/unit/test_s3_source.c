/* Tests of datasources/s3: options and listing, against a scripted server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../datasources/s3_source.h"
#include "s3_fixture.h"

#define UNTIL_CLOSE "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
#define PAGE(inner)                                                              \
    {                                                                            \
        UNTIL_CLOSE "<ListBucketResult>" inner "</ListBucketResult>", THEN_CLOSE \
    }
#define KEY(key)                                                                       \
    "<Contents><Key>" key "</Key><Size>1</Size><LastModified>2022-05-30T09:00:01.000Z" \
    "</LastModified></Contents>"
#define MORE(token) \
    "<IsTruncated>true</IsTruncated><NextContinuationToken>" token "</NextContinuationToken>"
#define LAST "<IsTruncated>false</IsTruncated>"
static void test_lists_page_by_page(void **state)
{
    static const struct scripted_reply script[] = {
        PAGE(MORE("t/1") KEY("a") KEY("b")),
        PAGE(MORE("t/2") KEY("c")),
        PAGE(LAST KEY("d")),
    };
    struct fixture *fixture = fixture_new(script, COUNT(script));
    (void)state;
    assert_int_equal(list(fixture, "", false), OK);
    assert_string_equal(buf_text(&fixture->keys), "a\nb\nc\nd\n");
    assert_int_equal(
        strncmp(request(fixture, 0), "GET /logs/?list-type=2&max-keys=1000&prefix= HTTP", 49), 0);
    assert_non_null(strstr(request(fixture, 1), "GET /logs/?continuation-token=t%2F1&list-type"));
    assert_non_null(strstr(request(fixture, 2), "GET /logs/?continuation-token=t%2F2&list-type"));
    assert_non_null(strstr(request(fixture, 2), "/us-east-1/s3/aws4_request"));
    fixture_free(fixture);
}

static void test_lists_behind_a_key(void **state)
{
    static const struct scripted_reply script[] = {
        PAGE(MORE("t") KEY("b") KEY("b0") KEY("c")), /* a server that does not know start-after */
        PAGE(LAST KEY("d")),
    };
    struct fixture *fixture = fixture_new(script, COUNT(script));
    (void)state;
    fixture->listing.after = slice_of("b0");
    assert_int_equal(list(fixture, "", false), OK);
    assert_string_equal(buf_text(&fixture->keys), "c\nd\n");
    assert_non_null(strstr(request(fixture, 0), "&prefix=&start-after=b0 HTTP"));
    assert_null(strstr(request(fixture, 1), "start-after"));
    fixture_free(fixture);
}

static enum status end_at_page(struct listing *to, struct err *err)
{
    (void)to, (void)err;
    return AGAIN;
}

static void test_a_listing_may_end_between_pages(void **state)
{
    static const struct scripted_reply script[] = {
        PAGE(MORE("t") KEY("a") KEY("b")),
        PAGE(LAST KEY("c")),
    };
    struct fixture *fixture = fixture_new(script, COUNT(script));
    (void)state;
    fixture->listing.page = end_at_page;
    assert_int_equal(list(fixture, "", false), AGAIN);
    assert_string_equal(buf_text(&fixture->keys), "a\nb\n");
    assert_int_equal(fixture->listing.requests, 1);
    buf_clear(&fixture->keys);
    assert_int_equal(list(fixture, "", false), OK); /* the last page ends by itself */
    assert_string_equal(buf_text(&fixture->keys), "c\n");
    fixture_free(fixture);
}

static void test_requests_are_counted(void **state)
{
    static const struct scripted_reply script[] = {
        PAGE(MORE("t") KEY("a")),
        FAILURE("503 Slow Down", ""),
        PAGE(LAST KEY("b")),
    };
    struct fixture *fixture = fixture_new(script, COUNT(script));
    (void)state;
    fixture->listing.requests = 10;
    assert_int_equal(list(fixture, "", false), OK);
    assert_int_equal(fixture->listing.requests, 13);
    fixture_free(fixture);
}

static void test_lists_by_folder(void **state)
{
    static const struct scripted_reply script[] = {
        PAGE(LAST KEY("June") "<CommonPrefixes><Prefix>July/</Prefix></CommonPrefixes>"
                              "<CommonPrefixes><Prefix>June/</Prefix></CommonPrefixes>"),
    };
    struct fixture *fixture = fixture_new(script, COUNT(script));
    (void)state;
    assert_int_equal(list(fixture, "Ju", true), OK);
    assert_string_equal(buf_text(&fixture->keys), "June\n[July/]\n[June/]\n");
    assert_non_null(
        strstr(request(fixture, 0), "?delimiter=%2F&list-type=2&max-keys=1000&prefix=Ju HTTP"));
    fixture_free(fixture);
}

/* Whatever happens to the second page: no key is missed, none comes twice. */
static void test_a_page_is_asked_for_again(void **state)
{
    static const struct scripted_reply faults[] = {
        FAILURE("503 Slow Down", "<Error><Code>SlowDown</Code></Error>"),
        FAILURE("429 Too Many", ""),
        FAILURE("200 OK", "<ListBucketResult>" LAST KEY("b")), /* ends early */
        FAILURE("200 OK", "<Error><Code>InternalError</Code></Error>"),
        {"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n<ListBucketResult>" LAST KEY("b"),
         THEN_RESET},
        {"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n<ListBucketResult>" LAST KEY("b"),
         THEN_HANG},
        {"", THEN_CLOSE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(faults); i++) {
        const struct scripted_reply script[] = {
            PAGE(MORE("t") KEY("a")),
            faults[i],
            PAGE(LAST KEY("b") KEY("c")),
        };
        struct fixture *fixture = fixture_new(script, COUNT(script));
        assert_int_equal(list(fixture, "", false), OK);
        assert_string_equal(buf_text(&fixture->keys), "a\nb\nc\n");
        assert_int_equal(fixture->world.waits, 1);
        assert_int_equal(fixture->world.notices, 1);
        assert_non_null(strstr(request(fixture, 2), "continuation-token=t&"));
        fixture_free(fixture);
    }
}

static void test_a_listing_gives_up_in_the_end(void **state)
{
    static const struct scripted_reply script[] = {
        FAILURE("503 Later", ""),
        FAILURE("503 Later", ""),
        FAILURE("503 Later", ""),
        FAILURE("503 Later", ""),
        PAGE(LAST),
    };
    struct fixture *fixture = fixture_new(script, COUNT(script));
    (void)state;
    assert_int_equal(list(fixture, "May-2022/", false), FAILED);
    assert_string_equal(fixture->err.text, "s3://logs/May-2022/: gave up after 4 tries: 503");
    assert_int_equal(fixture->world.waits, RETRIES);
    fixture_free(fixture);
}

static void test_an_interrupted_wait_ends_the_listing(void **state)
{
    static const struct scripted_reply script[] = {FAILURE("503 Later", "")};
    struct fixture *fixture = fixture_new(script, COUNT(script));
    (void)state;
    fixture->world.stop = true;
    assert_int_equal(list(fixture, "", false), FAILED);
    assert_string_equal(fixture->err.text, "s3://logs/: interrupted");
    fixture_free(fixture);
}

/* One try only, and the operator learns what to do. */
static void test_refusals_say_what_to_do(void **state)
{
    static const struct {
        struct scripted_reply reply;
        const char *text;
    } table[] = {
        {FAILURE("403 Forbidden", "<Error><Code>SignatureDoesNotMatch</Code><Message>No.</Message>"
                                  "</Error>"),
         "s3://logs/: 403 SignatureDoesNotMatch: No. (check secret_key)"},
        {FAILURE("404 Not Found", "<Error><Code>NoSuchBucket</Code></Error>"),
         "s3://logs/: 404 NoSuchBucket (check log_bucket)"},
        {FAILURE("400 Bad Request", "<Error><Code>ExpiredToken</Code></Error>"),
         "s3://logs/: 400 ExpiredToken (the temporary keys have expired: renew them and "
         "session_token)"},
        {FAILURE("301 Moved", ""), "s3://logs/: 301 (the bucket is elsewhere: check endpoint_url "
                                   "and region)"},
        {FAILURE("418 Teapot", "short and stout"), "s3://logs/: 418 short and stout"},
        {FAILURE("400 Bad", "canary, x-amz-security-token: s3ssion"),
         "s3://logs/: 400 ******, x-amz-security-token: *******"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct fixture *fixture = fixture_new(&table[i].reply, 1);
        struct s3_source *self = fixture->self;
        self->session_token = self->signature.session_token = "s3ssion";
        assert_int_equal(list(fixture, "", false), FAILED);
        assert_string_equal(fixture->err.text, table[i].text);
        assert_int_equal(fixture->world.waits, 0);
        fixture_free(fixture);
    }
}

static void test_bad_listings_fail(void **state)
{
    static const struct scripted_reply scripts[][2] = {
        {PAGE(MORE("t") KEY("a")), PAGE(MORE("t") KEY("b"))}, /* the token repeats */
        {PAGE(MORE("t") KEY("a")), PAGE(LAST KEY("a"))},      /* a key repeats */
        {PAGE(MORE("t") KEY("b")), PAGE(LAST KEY("a"))},
        {PAGE(MORE("t") KEY("a")), PAGE(LAST KEY("c") KEY("b"))},
        {PAGE(MORE("t") KEY("a")), PAGE("<IsTruncated>true</IsTruncated>")},
        {PAGE(MORE("t") KEY("a")), FAILURE("200 OK", "<html></html>")},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(scripts); i++) {
        struct fixture *fixture = fixture_new(scripts[i], 2);
        assert_int_equal(list(fixture, "", false), FAILED);
        assert_non_null(strstr(fixture->err.text, "bad listing: "));
        fixture_free(fixture);
    }
    static const struct scripted_reply other = PAGE(LAST KEY("a/x"));
    struct fixture *fixture = fixture_new(&other, 1);
    assert_int_equal(list(fixture, "b/", false), FAILED);
    assert_string_equal(buf_text(&fixture->keys), "");
    fixture_free(fixture);
}

/* In place of a server: says for ever, with ever new tokens, that there is more. */
struct endless {
    int left;
    struct http_request request;
};

static void begin_more(struct http *http, const struct http_request *request,
                       struct http_reply *reply)
{
    struct endless *endless = (void *)http;
    endless->request = *request;
    reply->code = 200;
}

static enum status end_more(struct http *http, struct err *err)
{
    static const char page[] = "<ListBucketResult>" MORE("%d") "%s</ListBucketResult>";
    struct endless *endless = (void *)http;
    int left = --endless->left;
    char text[sizeof page + 200];
    if (left == 0) {
        return err_set(err, FAILED, "nobody stopped");
    }
    /* one key, so that it is the empty pages in a row that count */
    snprintf(text, sizeof text, page, left, left == 30000 ? KEY("a") : "");
    return endless->request.receive(endless->request.to, slice_of(text), err);
}

static void test_a_listing_without_end_fails(void **state)
{
    static const struct http_driver driver = {.begin = begin_more, .end = end_more};
    struct fixture *fixture = fixture_new(NULL, 0);
    struct s3_source *self = fixture->self;
    struct http *http = self->http;
    struct endless endless = {.left = 40000};
    (void)state;
    self->http = (void *)&endless;
    fixture->world.world.http = &driver;
    assert_int_equal(list(fixture, "", false), FAILED);
    assert_string_equal(fixture->err.text,
                        "s3://logs/: bad listing: more than 10000 pages without a key");
    assert_int_equal(endless.left, 30000 - 10001); /* behind the key, as many and one too many */
    self->http = http;
    fixture->world.world.http = &http_curl;
    fixture_free(fixture);
}

static void test_keys_that_xml_cannot_carry(void **state)
{
    static const struct scripted_reply scripts[][3] = {
        {PAGE(MORE("t") KEY("a&#1;b")),
         PAGE(MORE("t") KEY("a%01b") "<EncodingType>url</EncodingType>"),
         PAGE(LAST KEY("c+d") "<EncodingType>url</EncodingType>")},
        {PAGE(MORE("t") KEY("a\xEF\xBF\xBD"
                            "b")),
         PAGE(MORE("t") KEY("a%01b") "<EncodingType>url</EncodingType>"),
         PAGE(LAST KEY("c+d") "<EncodingType>url</EncodingType>")},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(scripts); i++) {
        struct fixture *fixture = fixture_new(scripts[i], 3);
        assert_int_equal(list(fixture, "", false), OK);
        assert_string_equal(buf_text(&fixture->keys), "a\x01"
                                                      "b\nc d\n");
        assert_null(strstr(request(fixture, 0), "encoding-type"));
        assert_non_null(strstr(request(fixture, 1), "encoding-type=url&list-type=2"));
        assert_non_null(strstr(request(fixture, 2), "&encoding-type=url&list-type=2"));
        assert_int_equal(fixture->world.waits, 0);
        fixture_free(fixture);
    }
}

static void test_the_listener_decides(void **state)
{
    static const struct scripted_reply script[] = {PAGE(MORE("t") KEY("a") KEY("b"))};
    struct fixture *fixture = fixture_new(script, COUNT(script));
    (void)state;
    fixture->listing_answer = AGAIN;
    assert_int_equal(list(fixture, "", false), AGAIN);
    assert_string_equal(buf_text(&fixture->keys), "a\n");
    fixture_free(fixture);
}

static void test_connect(void **state)
{
    static const struct scripted_reply script[] = {
        PAGE(LAST),
        FAILURE("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>"),
    };
    struct fixture *fixture = fixture_new(script, COUNT(script));
    char text[200];
    (void)state;
    assert_int_equal(s3_datasource.connect(fixture->self, &fixture->err), OK);
    assert_non_null(strstr(request(fixture, 0), "/logs/?list-type=2&max-keys=1&prefix= HTTP"));
    assert_int_equal(s3_datasource.connect(fixture->self, &fixture->err), FAILED);
    snprintf(text, sizeof text,
             "s3://logs at %s: 403 AccessDenied (the key needs s3:ListBucket and s3:GetObject on "
             "log_bucket)",
             fixture->endpoint);
    assert_string_equal(fixture->err.text, text);
    fixture_free(fixture);
}

static void test_place(void **state)
{
    struct place place;
    struct fixture *fixture = fixture_new(NULL, 0);
    (void)state;
    s3_datasource.place(fixture->self, &place);
    assert_string_equal(place.endpoint, fixture->endpoint);
    assert_string_equal(place.bucket, "logs");
    assert_string_equal(place.folders, "");
    assert_int_equal(place.ignore.count, 0);
    fixture_free(fixture);
}

static void test_open_checks_the_options(void **state)
{
    struct plain_world world = plain_world_make();
    void *self = calloc(1, s3_datasource.about.size);
    struct err err;
    (void)state;
    option_set_text(&s3_datasource.about, self, "endpoint_url", "storage.example.com");
    option_set_text(&s3_datasource.about, self, "log_bucket", "logs");
    assert_int_equal(s3_datasource.open(self, &world.world, &err), BAD_CONFIG);
    assert_int_equal(strncmp(err.text, "region: ", 8), 0);
    s3_datasource.close(self); /* also after a failed open */
    free(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists_page_by_page),
        cmocka_unit_test(test_lists_behind_a_key),
        cmocka_unit_test(test_a_listing_may_end_between_pages),
        cmocka_unit_test(test_requests_are_counted),
        cmocka_unit_test(test_lists_by_folder),
        cmocka_unit_test(test_a_page_is_asked_for_again),
        cmocka_unit_test(test_a_listing_gives_up_in_the_end),
        cmocka_unit_test(test_an_interrupted_wait_ends_the_listing),
        cmocka_unit_test(test_refusals_say_what_to_do),
        cmocka_unit_test(test_bad_listings_fail),
        cmocka_unit_test(test_a_listing_without_end_fails),
        cmocka_unit_test(test_keys_that_xml_cannot_carry),
        cmocka_unit_test(test_the_listener_decides),
        cmocka_unit_test(test_connect),
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_open_checks_the_options),
    };
    return cmocka_run_group_tests(tests, net_set_up, net_tear_down);
}
