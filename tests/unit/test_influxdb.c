/* influxdb: options, batches, requests, and the bucket that is missing. */
#include "influxdb_sim.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/timestamp.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <zlib.h>

#define NO_BUCKET JSON("not found", "bucket \\\"my bucket\\\" not found")
#define ORGS "{\"links\":{},\"orgs\":[{\"id\":\"010c214fee4ce79d\",\"name\":\"o&o\"}]}"
#define NO_ORGS "{\"links\": {\"self\": \"/api/v2/orgs\"},\"orgs\": []}"

/* --- the request --- */

static void request_is_as_documented(void **state)
{
    struct sim *sim = *state;
    sim_open_ok(sim);
    sim_flush_ok(sim); /* nothing put, nothing sent */
    assert_int_equal(sim->n_requests, 0);
    sim_put_text(sim, "a", 1);
    sim_put_text(sim, "b\nc", 2);
    sim_flush_ok(sim);
    sim_put_text(sim, "d", 3);
    sim_flush_ok(sim);
    static const char head[] = "POST http://db:8086/api/v2/write?org=o%26o&bucket=my%20bucket"
                               "&precision=ns\nAuthorization: Token " TOKEN
                               "\nContent-Type: text/plain; charset=utf-8\n\n";
    char expected[1024];
    snprintf(expected, sizeof expected, "%sm f=\"a\" 1\nm f=\"b\nc\" 2\n\n%sm f=\"d\" 3\n\n", head,
             head);
    assert_string_equal(buf_text(&sim->log), expected);
    assert_int_equal(sim->n_refused, 0);
}

static void hosts_are_completed(void **state)
{
    static const struct {
        const char *host, *base; /* NULL: refused */
        bool compress;           /* by gzip: auto */
    } rows[] = {
        {"db", "http://db:8086", true},
        {"db:9999", "http://db:9999", true},
        {"http://db", "http://db", true},
        {"https://db.example/influx/", "https://db.example/influx", true},
        {"localhost", "http://localhost:8086", false},
        {"http://127.0.0.1:8086/", "http://127.0.0.1:8086", false},
        {"127.9.9.9", "http://127.9.9.9:8086", false},
        {"localhost.example", "http://localhost.example:8086", true},
        {"::1", "http://[::1]:8086", false},
        {"[::1]", "http://[::1]:8086", false},
        {"[2001:db8::1]:80", "http://[2001:db8::1]:80", true},
        {"", NULL, false},
        {"http://", NULL, false},
        {"https:///", NULL, false},
        {"http://:8086", NULL, false},
        {":8086", NULL, false},
        {"http://user:password@db", NULL, false},
        {"http://db?x", NULL, false},
        {"ftp://db", NULL, false},
        {"d b", NULL, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sim *sim;
        sim_set_up((void **)&sim);
        sim->self.host = rows[i].host;
        sim->self.gzip = 0;
        enum status status = influxdb_datasource.open(&sim->self, &sim->world, &sim->err);
        assert_int_equal(status, rows[i].base ? OK : BAD_CONFIG);
        if (rows[i].base) {
            assert_string_equal(sim->self.base, rows[i].base);
            assert_int_equal(sim->self.compress, rows[i].compress);
        }
        assert_int_equal(sim_tear_down((void **)&sim), 0);
    }
    (void)state;
}

static void options_are_checked(void **state)
{
    struct sim *sim = *state;
    sim->self.retention_ns = 1800 * NS_PER_SECOND; /* InfluxDB answers 500 to less than an hour */
    assert_int_equal(influxdb_datasource.open(&sim->self, &sim->world, &sim->err), BAD_CONFIG);
    expect_words(sim->err.text, "retention: ");
    sim->self.retention_ns = 0;
    sim->self.token = TOKEN "\n";
    assert_int_equal(influxdb_datasource.open(&sim->self, &sim->world, &sim->err), BAD_CONFIG);
    expect_words(sim->err.text, "token: ");
    sim->self.token = TOKEN;
    char name[1024 + 2] = ""; /* a cut URL would name another bucket */
    memset(name, 'b', 1024 + 1);
    sim->self.bucket = name;
    assert_int_equal(influxdb_datasource.open(&sim->self, &sim->world, &sim->err), BAD_CONFIG);
    expect_words(sim->err.text, "bucket: 1 to 1024 bytes");
    sim->self.org = "";
    assert_int_equal(influxdb_datasource.open(&sim->self, &sim->world, &sim->err), BAD_CONFIG);
    expect_words(sim->err.text, "org: 1 to 1024 bytes");
}

static void batches_are_limited(void **state)
{
    struct sim *sim = *state;
    sim->self.batch_lines = 3;
    sim->self.batch_bytes = 1024;
    sim_open_ok(sim);
    sim_put_all(sim, "ggg");
    assert_int_equal(sim_put(sim, slice_of("g"), 3), AGAIN);
    sim_flush_ok(sim);
    CLEANUP_FREE char *text = memory_new(20 << 20);
    memset(text, 'g', 20 << 20);
    /* m f="..." 1 and a line break: 9 bytes besides the text */
    assert_int_equal(sim_put(sim, slice_make(text, 500), 1), OK);
    assert_int_equal(sim_put(sim, slice_make(text, 1024 - 509 - 9), 2), OK);
    assert_int_equal(sim_put(sim, slice_make(text, 1), 3), AGAIN);
    sim_flush_ok(sim);
    assert_int_equal(sim_put(sim, slice_make(text, 500), 1), OK);
    assert_int_equal(sim_put(sim, slice_make(text, 1024 - 509 - 9 + 1), 2), AGAIN);
    sim_flush_ok(sim);
    /* longer than a batch may be: alone, or never */
    assert_int_equal(sim_put(sim, slice_make(text, 2000), 1), OK);
    assert_int_equal(sim_put(sim, slice_make(text, 1), 2), AGAIN);
    sim_flush_ok(sim);
    assert_int_equal(sim_put(sim, slice_make(text, 20 << 20), 1), BAD_DATA);
    assert_int_equal(sim->n_requests, 4);
    assert_int_equal(sim_put(sim, slice_make(text, 500), 1), OK);
    assert_int_equal(sim_put(sim, slice_make(text, 600), 1), AGAIN); /* the limit is back */
}

typedef bool packer(struct slice bytes, struct buf *out);

static void inflates_to(struct slice packed, struct slice expected)
{
    CLEANUP_FREE char *text = memory_new(expected.len + 1);
    z_stream stream = {.next_in = (unsigned char *)packed.at, .avail_in = (unsigned)packed.len};
    assert_int_equal(inflateInit2(&stream, MAX_WBITS + 16), Z_OK); /* gzip only */
    stream.next_out = (unsigned char *)text;
    stream.avail_out = (unsigned)expected.len + 1;
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.avail_in, 0);
    assert_int_equal(stream.total_out, expected.len);
    inflateEnd(&stream);
    assert_true(expected.len == 0 || memcmp(text, expected.at, expected.len) == 0);
}

static void packs_what_inflates_again(void **state)
{
    (void)state;
    packer *const packers[] = {influxdb_gzip, influxdb_gzip_zlib}; /* the first may be ISA-L's */
    enum { LARGE = 3 << 20 };
    CLEANUP_FREE char *noise = memory_new(LARGE);
    uint32_t seed = 7;
    for (size_t i = 0; i < LARGE; i++) {
        seed = seed * 1664525 + 1013904223;
        noise[i] = (char)(seed >> 24);
    }
    CLEANUP_FREE char *plain = memory_new(LARGE);
    memset(plain, 'x', LARGE);
    const struct slice bodies[] = {
        {"", 0}, {"m f=1i 1\n", 9}, {plain, LARGE}, {noise, LARGE}, {noise, 300000}};
    for (size_t p = 0; p < sizeof packers / sizeof *packers; p++) {
        CLEANUP(buf_finish) struct buf out = {.max = LARGE + (1 << 20)};
        for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
            assert_true(packers[p](bodies[i], &out));
            inflates_to(buf_slice(&out), bodies[i]);
        }
        assert_true(packers[p](bodies[2], &out));
        assert_true(out.len < LARGE / 50);
        CLEANUP(buf_finish) struct buf small = {.max = 1000};
        assert_false(packers[p](bodies[3], &small));
    }
}

static void serve_gzip(struct sim *sim, struct slice body, struct http_reply *reply)
{
    (void)sim, (void)reply;
    inflates_to(body, slice_of("m f=\"g\" 0\nm f=\"g\" 1\n"));
}

static void gzip_is_announced(void **state)
{
    struct sim *sim = *state;
    sim->self.gzip = 1;
    sim->serve = serve_gzip;
    sim_open_ok(sim);
    sim_put_all(sim, "gg");
    sim_flush_ok(sim);
    expect_words(buf_text(&sim->log), "\nContent-Encoding: gzip\n");
}

/* --- a missing bucket --- */

static void expect_bucket_json(struct sim *sim, const char *expected)
{
    const char *body = strstr(buf_text(&sim->log), "/api/v2/buckets\n");
    assert_non_null(body);
    expect_words(body, "Authorization: Token " TOKEN "\nContent-Type: application/json\n\n{");
    body = strstr(body, "\n\n") + 2;
    cJSON *sent = cJSON_Parse(body), *wanted = cJSON_Parse(expected);
    assert_true(sent && wanted && cJSON_Compare(sent, wanted, true));
    cJSON_Delete(sent);
    cJSON_Delete(wanted);
}

static void a_missing_bucket_is_made(void **state)
{
    struct sim *sim = *state;
    sim->self.retention_ns = 30 * NS_PER_DAY;
    sim_open_ok(sim);
    sim_put_all(sim, "g");
    SCRIPT(sim, {404, NO_BUCKET}, {200, ORGS}, {201, "{\"id\":\"1\"}"}, {204});
    sim_flush_ok(sim);
    expect_words(buf_text(&sim->log), "GET http://db:8086/api/v2/orgs?org=o%26o\n");
    expect_words(buf_text(&sim->log), "POST http://db:8086/api/v2/buckets\n");
    expect_bucket_json(sim, "{\"orgID\":\"010c214fee4ce79d\",\"name\":\"my bucket\","
                            "\"retentionRules\":[{\"type\":\"expire\",\"everySeconds\":2592000}]}");
    assert_int_equal(sim->n_requests, 4);
    expect_words(buf_text(&sim->notices), "made bucket \"my bucket\", retention 720h");
    /* gone again: not made twice in a run */
    sim_put_all(sim, "g");
    SCRIPT(sim, {404, NO_BUCKET});
    assert_int_equal(sim_flush(sim), FAILED);
    assert_int_equal(sim->n_requests, 5);
    expect_words(sim->err.text,
                 "influx bucket create --name 'my bucket' --org 'o&o' --retention 720h");
    sim_flush_ok(sim);
}

static void a_bucket_for_ever_made_by_another_worker(void **state)
{
    struct sim *sim = *state;
    sim_open_ok(sim);
    sim_put_all(sim, "g");
    SCRIPT(sim, {404, NO_BUCKET}, {503}, {200, ORGS},
           {422, JSON("conflict", "bucket with name my bucket already exists")}, {204});
    sim_flush_ok(sim);
    expect_bucket_json(sim, "{\"orgID\":\"010c214fee4ce79d\",\"name\":\"my bucket\","
                            "\"retentionRules\":[]}");
    assert_int_equal(sim->n_requests, 5);
}

static void a_token_that_may_not_make_it(void **state)
{
    struct sim *sim = *state;
    sim->self.bucket = "it's";
    sim->self.org = "seagate";
    sim_open_ok(sim);
    sim_put_all(sim, "g");
    static const char command[] =
        "influx bucket create --name 'it'\\''s' --org seagate --retention 0 ";
    SCRIPT(sim, {404, NO_BUCKET}, {200, NO_ORGS});
    assert_int_equal(sim_flush(sim), FAILED); /* not visible is not missing */
    expect_words(sim->err.text, command);
    assert_null(strstr(sim->err.text, "no organization"));
    SCRIPT(sim, {404, NO_BUCKET}, {200, "{\"orgs\":[{\"id\":\"1\",\"name\":\"seagate\"}]}"},
           {401, JSON("unauthorized", "write:orgs/010c214fee4ce79d/buckets is unauthorized")});
    assert_int_equal(sim_flush(sim), FAILED);
    expect_words(sim->err.text, command);
    expect_words(sim->err.text, "buckets is unauthorized");
    assert_int_equal(sim->n_refused, 0);
    sim_flush_ok(sim); /* the operator has made it meanwhile */
}

/* --- connect --- */

static enum status connect_to(struct sim *sim)
{
    return influxdb_datasource.connect(&sim->self, &sim->err);
}

static void connect_writes_nothing(void **state)
{
    struct sim *sim = *state;
    sim_open_ok(sim);
    assert_int_equal(connect_to(sim), OK);
    assert_int_equal(sim->n_requests, 1);
    expect_words(buf_text(&sim->log), "charset=utf-8\n\n\n"); /* an empty body */
    SCRIPT(sim, {404, NO_BUCKET}, {200, ORGS});
    assert_int_equal(connect_to(sim), OK);
    expect_words(buf_text(&sim->notices), "the first write makes it");
    expect_words(buf_text(&sim->notices), "influx bucket create --name 'my bucket'");
    SCRIPT(sim, {404, NO_BUCKET}, {200, NO_ORGS});
    assert_int_equal(connect_to(sim), FAILED);
    expect_words(sim->err.text, "influx bucket create --name 'my bucket'");
    SCRIPT(sim, {401, JSON("unauthorized", "unauthorized access")});
    assert_int_equal(connect_to(sim), FAILED);
    expect_words(sim->err.text, "token is not accepted");
    SCRIPT(sim, {503, "starting"});
    assert_int_equal(connect_to(sim), FAILED);
    expect_words(sim->err.text, "503 starting");
    SCRIPT(sim, {0});
    assert_int_equal(connect_to(sim), FAILED);
    expect_words(sim->err.text, "http://db:8086: connection reset");
    assert_int_equal(sim->waits, 0);
    assert_null(strstr(buf_text(&sim->log), "/api/v2/buckets"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(request_is_as_documented),     SIM_TEST(hosts_are_completed),
        SIM_TEST(options_are_checked),          SIM_TEST(batches_are_limited),
        SIM_TEST(packs_what_inflates_again),    SIM_TEST(gzip_is_announced),
        SIM_TEST(a_missing_bucket_is_made),     SIM_TEST(a_bucket_for_ever_made_by_another_worker),
        SIM_TEST(a_token_that_may_not_make_it), SIM_TEST(connect_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
