/* Tests of the s3 datasource as a sink: what it says to a scripted server, and the URLs and XML of
 * uploads (net/s3_upload). Uploads in many parts are tests/flow's and tests/servers'. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "s3_fixture.h"
#include "sink_points.h"

#include "base/cleanup.h"
#include "net/s3_upload.h"

#define STORED                                                        \
    {                                                                 \
        "HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: 0\r\n\r\n" \
    }

/* --- digests, URLs, XML --- */

/* FIPS 180-2 and RFC 1321, by sha256sum and openssl */
static void test_digests(void **state)
{
    struct s3_digests digests;
    (void)state;
    s3_digests_of(slice_of(""), &digests);
    assert_string_equal(digests.sha256,
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_string_equal(digests.md5, "1B2M2Y8AsgTpgAmY7PhCfg==");
    s3_digests_of(slice_of("hello"), &digests);
    assert_string_equal(digests.sha256,
                        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    assert_string_equal(digests.md5, "XUFAKrxLKna5cZ2REBfFkg==");
}

static const struct s3_address address = {.bucket_url = "http://h/b"};

static void test_urls(void **state)
{
    CLEANUP(buf_finish) struct buf url = {.max = 1000};
    struct slice key = SLICE_LITERAL("f/a b");
    (void)state;
    assert_true(s3_uploads_url(&url, &address, key));
    assert_string_equal(buf_text(&url), "http://h/b/f/a%20b?uploads=");
    buf_clear(&url);
    assert_true(s3_part_url(&url, &address, key, "i/d+=", 10000));
    assert_string_equal(buf_text(&url), "http://h/b/f/a%20b?partNumber=10000&uploadId=i%2Fd%2B%3D");
    buf_clear(&url);
    assert_true(s3_upload_url(&url, &address, key, "id"));
    assert_string_equal(buf_text(&url), "http://h/b/f/a%20b?uploadId=id");
    buf_clear(&url);
    assert_true(s3_uploads_list_url(&url, &address, key, 100));
    assert_string_equal(buf_text(&url), "http://h/b/?max-uploads=100&prefix=f%2Fa%20b&uploads=");
    struct buf none = {.max = 12};
    assert_false(s3_uploads_url(&none, &address, key));
    buf_finish(&none);
}

#define NAMESPACE " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""
#define BEGUN(id)                                                       \
    "<?xml version=\"1.0\"?>\n<InitiateMultipartUploadResult" NAMESPACE \
    "><Bucket>b</Bucket><Key>k</Key><UploadId>" id "</UploadId></InitiateMultipartUploadResult>"

static const struct {
    const char *xml, *id; /* NULL: it is none */
} begun[] = {
    {BEGUN("abc-1.2_3"), "abc-1.2_3"},
    {BEGUN("a&amp;b=="), "a&b=="},
    {" \r\n\t" BEGUN("x"), "x"},
    {BEGUN(""), NULL},
    {"<InitiateMultipartUploadResult/>", NULL},
    {"<Error><UploadId>x</UploadId></Error>", NULL},
    {"<InitiateMultipartUploadResult><UploadId>x</UploadId>", NULL},
    {"<!DOCTYPE r [<!ENTITY e \"x\">]><InitiateMultipartUploadResult><UploadId>&e;</UploadId>"
     "</InitiateMultipartUploadResult>",
     NULL},
    {"", NULL},
    {" ", NULL},
    {"no xml", NULL},
};

static void test_upload_ids(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(begun); i++) {
        char id[S3_UPLOAD_ID_MAX_BYTES + 1] = "";
        assert_int_equal(s3_upload_id_read(slice_of(begun[i].xml), id), begun[i].id != NULL);
        assert_string_equal(id, begun[i].id ? begun[i].id : "");
    }
}

static void test_an_upload_id_has_a_limit(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        char id[S3_UPLOAD_ID_MAX_BYTES + 1];
        CLEANUP(buf_finish) struct buf xml = {.max = 4096};
        buf_printf(&xml,
                   "<InitiateMultipartUploadResult><UploadId>%0*d</UploadId>"
                   "</InitiateMultipartUploadResult>",
                   S3_UPLOAD_ID_MAX_BYTES + (int)more, 0);
        assert_int_equal(s3_upload_id_read(buf_slice(&xml), id), more == 0);
    }
}

static void take_id(void *with, const char *id)
{
    buf_printf(with, "%s\n", id);
}

static void test_unfinished_uploads_of_a_key(void **state)
{
    CLEANUP(buf_finish) struct buf ids = {.max = 1000};
    (void)state;
    struct slice xml = slice_of("<?xml version=\"1.0\"?><ListMultipartUploadsResult" NAMESPACE ">"
                                "<Key>k</Key><UploadId>0</UploadId>"
                                "<Upload><Key>k</Key><UploadId>1</UploadId></Upload>"
                                "<Upload><Key>k2</Key><UploadId>2</UploadId></Upload>"
                                "<Upload><UploadId>3</UploadId></Upload>"
                                "<Upload><UploadId>4</UploadId><Key>k</Key></Upload>"
                                "<Upload><Key>k</Key></Upload>"
                                "</ListMultipartUploadsResult>");
    assert_true(s3_uploads_read(xml, slice_of("k"), take_id, &ids));
    assert_string_equal(buf_text(&ids), "1\n4\n");
    assert_false(s3_uploads_read(slice_of("<Error/>"), slice_of("k"), take_id, &ids));
}

static void test_completed(void **state)
{
    (void)state;
    assert_true(s3_is_completed(
        slice_of("\n\n<?xml version=\"1.0\"?><CompleteMultipartUploadResult" NAMESPACE
                 "></CompleteMultipartUploadResult>")));
    assert_false(s3_is_completed(slice_of("\n\n<?xml version=\"1.0\"?><Error></Error>")));
    assert_false(s3_is_completed(slice_of("<CompleteMultipartUploadResult>")));
    assert_false(s3_is_completed(slice_of("")));
}

static void test_parts_of_the_last_request(void **state)
{
    CLEANUP(buf_finish) struct buf parts = {.max = 1000};
    (void)state;
    assert_true(s3_part_add(&parts, 1, "\"a\""));
    assert_string_equal(buf_text(&parts),
                        "<Part><PartNumber>1</PartNumber><ETag>\"a\"</ETag></Part>");
    assert_false(s3_part_add(&parts, 2, ""));
    assert_false(s3_part_add(&parts, 2, "a</ETag>"));
    parts.max = parts.len;
    assert_false(s3_part_add(&parts, 2, "a"));
}

/* --- the sink --- */

static struct fixture *sink_new(const struct scripted_reply *script, size_t len, int format,
                                const char *prefix)
{
    struct fixture *fixture = fixture_new(script, len);
    s3_datasource.close(fixture->self);
    const struct module *about = &s3_datasource.about;
    const char *endpoint = *(const char **)option_at(about, fixture->self, "endpoint_url");
    memset(fixture->self, 0, about->size);
    option_set_text(about, fixture->self, "endpoint_url", endpoint);
    option_set_text(about, fixture->self, "log_bucket", "logs");
    option_set_text(about, fixture->self, "access_key", "key-id");
    option_set_text(about, fixture->self, "secret_key", "canary");
    option_set_text(about, fixture->self, "folders", "");
    option_set_text(about, fixture->self, "prefix", prefix);
    option_set_number(about, fixture->self, "retries", RETRIES);
    option_set_number(about, fixture->self, "stall_timeout", NS_PER_SECOND);
    *(int *)option_at(about, fixture->self, "format") = format;
    assert_int_equal(s3_datasource.open(fixture->self, &fixture->world.world, &fixture->err), OK);
    return fixture;
}

static void begin(struct fixture *fixture, const char *key)
{
    assert_int_equal(begin_object(&s3_datasource, fixture->self, key, &fixture->err), OK);
}

static enum status write_one(struct fixture *fixture, const char *key)
{
    begin(fixture, key);
    assert_int_equal(put_count(&s3_datasource, fixture->self, 1, &fixture->err), OK);
    return s3_datasource.end(fixture->self, &fixture->err);
}

static void test_one_put(void **state)
{
    static const struct scripted_reply script[] = {STORED};
    struct fixture *fixture = sink_new(script, COUNT(script), LINE_PROTOCOL, "kept/");
    (void)state;
    assert_int_equal(write_one(fixture, "October-2022/S3 x.gz"), OK);
    const char *sent = request(fixture, 0);
    assert_int_equal(strncmp(sent, "PUT /logs/kept/October-2022/S3%20x.gz.lp HTTP/1.1\r\n", 51), 0);
    assert_non_null(strstr(sent, "\r\nContent-Type: text/plain; charset=utf-8\r\n"));
    assert_non_null(strstr(sent, "\r\nContent-Length: 13\r\n"));
    assert_non_null(strstr(sent, "\r\nContent-MD5: 74sY710teQyqHvarSLt6Bg==\r\n"));
    assert_non_null(strstr(sent,
                           "\r\nx-amz-content-sha256: "
                           "78e39d4e34bde22ea99cc09a4b1a650791dad8ea8f288fa50e5c203f69aa5939\r\n"));
    assert_non_null(strstr(sent, "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=key-id/"));
    assert_non_null(strstr(sent, "\r\n\r\n" COUNT_1_LINE));
    assert_null(strstr(sent, "canary"));
    struct refusals nobody = {0};
    assert_int_equal(s3_datasource.flush(fixture->self, &nobody, &fixture->err), OK);
    fixture_free(fixture);
}

static void test_one_put_for_each_measurement(void **state)
{
    static const struct scripted_reply script[] = {STORED, STORED};
    struct fixture *fixture = sink_new(script, COUNT(script), CSV, NULL);
    (void)state;
    begin(fixture, "x");
    assert_int_equal(put_count(&s3_datasource, fixture->self, 1, &fixture->err), OK);
    assert_int_equal(put_note(&s3_datasource, fixture->self, "hi", &fixture->err), OK);
    assert_int_equal(s3_datasource.end(fixture->self, &fixture->err), OK);
    bool count_is_first = strncmp(request(fixture, 0), "PUT /logs/x.count.csv ", 22) == 0;
    const char *count = request(fixture, count_is_first ? 0 : 1);
    const char *note = request(fixture, count_is_first ? 1 : 0);
    assert_int_equal(strncmp(count, "PUT /logs/x.count.csv ", 22), 0);
    assert_non_null(strstr(count, "\r\n\r\n" COUNT_CSV));
    /* "a%2Fb%2Ec" is a part of the key, whose percent signs are encoded in turn */
    assert_int_equal(strncmp(note, "PUT /logs/x.a%252Fb%252Ec.csv ", 30), 0);
    assert_non_null(strstr(note, "\r\n\r\n" NOTE_CSV));
    fixture_free(fixture);
}

static void test_nothing_is_sent_before_the_end_or_without_points(void **state)
{
    struct fixture *fixture = sink_new(NULL, 0, CSV, NULL);
    (void)state;
    begin(fixture, "x");
    assert_int_equal(s3_datasource.end(fixture->self, &fixture->err), OK);
    begin(fixture, "x");
    assert_int_equal(put_count(&s3_datasource, fixture->self, 1, &fixture->err), OK);
    s3_datasource.drop(fixture->self);
    begin(fixture, "y");
    assert_int_equal(put_count(&s3_datasource, fixture->self, 1, &fixture->err), OK);
    begin(fixture, "z");
    fixture_free(fixture);
}

static void test_later_is_tried_again(void **state)
{
    static const struct scripted_reply script[] = {
        FAILURE("503 Slow Down", ""), {"", THEN_CLOSE}, FAILURE("500 Internal", ""), STORED};
    struct fixture *fixture = sink_new(script, COUNT(script), LINE_PROTOCOL, NULL);
    (void)state;
    assert_int_equal(write_one(fixture, "x"), OK);
    assert_int_equal(fixture->world.waits, 3);
    assert_int_equal(fixture->server->n_requests, 4);
    assert_non_null(strstr(request(fixture, 3), "\r\n\r\n" COUNT_1_LINE));
    fixture_free(fixture);
}

static void test_gives_up(void **state)
{
    static const struct scripted_reply script[] = {
        FAILURE("503 Slow Down", ""), FAILURE("503 Slow Down", ""), FAILURE("503 Slow Down", ""),
        FAILURE("503 Slow Down", "")};
    struct fixture *fixture = sink_new(script, COUNT(script), LINE_PROTOCOL, NULL);
    (void)state;
    assert_int_equal(write_one(fixture, "x"), FAILED);
    assert_string_equal(fixture->err.text, "s3://logs/x.lp: gave up after 4 tries: 503");
    fixture_free(fixture);
}

static void test_a_refusal_holds(void **state)
{
    static const struct scripted_reply script[] = {
        FAILURE("403 Forbidden", "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")};
    struct fixture *fixture = sink_new(script, COUNT(script), LINE_PROTOCOL, NULL);
    (void)state;
    assert_int_equal(write_one(fixture, "x"), FAILED);
    assert_string_equal(fixture->err.text,
                        "s3://logs/x.lp: 403 AccessDenied: no (the key needs s3:PutObject and "
                        "s3:AbortMultipartUpload on log_bucket)");
    assert_int_equal(fixture->world.waits, 0);
    fixture_free(fixture);
}

/* S3 takes keys of 1,024 bytes. */
static void test_long_keys_are_cut(void **state)
{
    static const struct scripted_reply script[] = {STORED, STORED};
    struct fixture *fixture = sink_new(script, COUNT(script), LINE_PROTOCOL, "p/");
    char key[1025], path[1100];
    (void)state;
    memset(key, 'k', 1024);
    key[1019] = '\0'; /* with "p/" and ".lp" 1,024 */
    assert_int_equal(write_one(fixture, key), OK);
    snprintf(path, sizeof path, "PUT /logs/p/%s.lp HTTP/1.1\r\n", key);
    assert_int_equal(strncmp(request(fixture, 0), path, strlen(path)), 0);
    key[1019] = 'k';
    key[1020] = '\0';
    assert_int_equal(write_one(fixture, key), OK);
    const char *sent = request(fixture, 1) + strlen("PUT /logs/");
    size_t len = strcspn(sent, " ");
    assert_int_equal(len, 1024);
    assert_int_equal(sent[len - strlen(".lp") - 33], '~');
    assert_int_equal(strspn(sent + len - 3 - 32, "0123456789abcdef"), 32);
    fixture_free(fixture);
}

static void test_the_check_begins_and_aborts(void **state)
{
    static const char begun_reply[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" BEGUN("an id");
    static const struct scripted_reply script[] = {{begun_reply, THEN_CLOSE},
                                                   {"HTTP/1.1 204 No Content\r\n\r\n"}};
    struct fixture *fixture = sink_new(script, COUNT(script), LINE_PROTOCOL, "p/");
    (void)state;
    assert_int_equal(s3_datasource.connect_to_write(fixture->self, &fixture->err), OK);
    assert_int_equal(
        strncmp(request(fixture, 0), "POST /logs/p/loggateway-check?uploads= HTTP/1.1\r\n", 49), 0);
    assert_int_equal(strncmp(request(fixture, 1),
                             "DELETE /logs/p/loggateway-check?uploadId=an%20id HTTP/1.1\r\n", 58),
                     0);
    fixture_free(fixture);
}

static void test_the_check_is_refused(void **state)
{
    static const struct scripted_reply script[] = {
        FAILURE("404 Not Found", "<Error><Code>NoSuchBucket</Code><Message>no</Message></Error>")};
    struct fixture *fixture = sink_new(script, COUNT(script), LINE_PROTOCOL, "p/");
    (void)state;
    assert_int_equal(s3_datasource.connect_to_write(fixture->self, &fixture->err), FAILED);
    assert_non_null(strstr(fixture->err.text, "404 NoSuchBucket: no (check log_bucket)"));
    fixture_free(fixture);
}

static const char *const bad_prefixes[] = {"out", "/out/", "/"};

static void test_prefixes(void **state)
{
    struct fixture *fixture = sink_new(NULL, 0, LINE_PROTOCOL, "a/b/");
    struct place place;
    (void)state;
    s3_datasource.target(fixture->self, &place);
    assert_string_equal(place.bucket, "logs");
    assert_string_equal(place.folders, "a/b/");
    for (size_t i = 0; i < COUNT(bad_prefixes); i++) {
        s3_datasource.close(fixture->self);
        const char *endpoint = fixture->endpoint;
        memset(fixture->self, 0, s3_datasource.about.size);
        option_set_text(&s3_datasource.about, fixture->self, "endpoint_url", endpoint);
        option_set_text(&s3_datasource.about, fixture->self, "log_bucket", "logs");
        option_set_text(&s3_datasource.about, fixture->self, "prefix", bad_prefixes[i]);
        assert_int_equal(s3_datasource.open(fixture->self, &fixture->world.world, &fixture->err),
                         BAD_CONFIG);
    }
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digests),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_upload_ids),
        cmocka_unit_test(test_an_upload_id_has_a_limit),
        cmocka_unit_test(test_unfinished_uploads_of_a_key),
        cmocka_unit_test(test_completed),
        cmocka_unit_test(test_parts_of_the_last_request),
        cmocka_unit_test(test_one_put),
        cmocka_unit_test(test_one_put_for_each_measurement),
        cmocka_unit_test(test_nothing_is_sent_before_the_end_or_without_points),
        cmocka_unit_test(test_later_is_tried_again),
        cmocka_unit_test(test_gives_up),
        cmocka_unit_test(test_a_refusal_holds),
        cmocka_unit_test(test_long_keys_are_cut),
        cmocka_unit_test(test_the_check_begins_and_aborts),
        cmocka_unit_test(test_the_check_is_refused),
        cmocka_unit_test(test_prefixes),
    };
    return cmocka_run_group_tests(tests, net_set_up, net_tear_down);
}
