/*
 * influxdb: the question that counts points, as it is sent, and what is made of the answers. The
 * answers are those of a real InfluxDB 2.7.12; that it understands the question is for
 * tests/servers.
 */
#include "influxdb_sim.h"

#include "base/timestamp.h"

#include <stdio.h>
#include <string.h>

#define ROWS(rows) ",result,table,_time,_value\r\n" rows "\r\n"
#define NO_BUCKETS "{\"buckets\":[]}"
#define BUCKET_OF(name, seconds) \
    "{\"buckets\":[{\"name\":\"" name "\",\"retentionRules\":[{\"everySeconds\":" seconds "}]}]}"
#define NOT_FOUND                                                                         \
    JSON("not found", "failed to initialize execute state: could not find bucket \\\"my " \
                      "bucket\\\"")

/* What count() told, "day:points " each. */
struct told {
    struct tally tally;
    char text[400];
};

static enum status hear(struct tally *tally, int32_t day, uint64_t points, struct err *err)
{
    struct told *told = (struct told *)tally;
    size_t len = strlen(told->text);
    (void)err;
    snprintf(told->text + len, sizeof told->text - len, "%d:%llu ", (int)day,
             (unsigned long long)points);
    return OK;
}

static enum status count(struct sim *sim, struct told *told)
{
    *told = (struct told){.tally = {.measurement = "audit-01",
                                    .field = "message",
                                    /* 2022-05-30 and 31 */
                                    .window = {19142 * NS_PER_DAY, 19144 * NS_PER_DAY},
                                    .day = hear}};
    return influxdb_datasource.count(&sim->self, &told->tally, &sim->err);
}

static void expect_days(struct sim *sim, const char *days)
{
    struct told told;
    if (count(sim, &told) != OK) {
        fail_msg("%s", sim->err.text);
    }
    assert_string_equal(told.text, days);
}

static void expect_failure(struct sim *sim, const char *words)
{
    struct told told;
    assert_int_equal(count(sim, &told), FAILED);
    expect_words(sim->err.text, words);
}

static void test_question(void **state)
{
    struct sim *sim = *state;
    sim->self.bucket = "my ${\"bucket\\";
    sim_open_ok(sim);
    SCRIPT(sim, {200, NO_BUCKETS},
           {200, ROWS(",_result,0,2022-05-30T00:00:00Z,17\r\n"
                      ",_result,0,2022-05-31T00:00:00Z,18446744073709551615\r\n")});
    expect_days(sim, "19142:17 19143:18446744073709551615 ");
    const char *log = buf_text(&sim->log);
    expect_words(log, "GET http://db:8086/api/v2/buckets?org=o%26o&name=my%20%24%7B%22bucket%5C\n");
    expect_words(log, "POST http://db:8086/api/v2/query?org=o%26o\nAuthorization: Token " TOKEN
                      "\nContent-Type: application/json\nAccept: application/csv\n");
    /* as JSON has it: \" is a quote of Flux, \\x24 its $ */
    expect_words(log, "{\"query\":\"from(bucket: \\\"my \\\\x24{\\\\x22bucket\\\\x5c\\\")"
                      " |> range(start: 2022-05-30T00:00:00Z, stop: 2022-06-01T00:00:00Z)"
                      " |> filter(fn: (r) => r._measurement == \\\"audit-01\\\""
                      " and r._field == \\\"message\\\")"
                      " |> aggregateWindow(every: 1d, fn: count, createEmpty: false,");
    assert_int_equal(count_words(log, "unique"), 0);
}

/* Without a field to rely on, those of a series are put together. */
static void test_question_without_a_field(void **state)
{
    struct sim *sim = *state;
    sim_open_ok(sim);
    SCRIPT(sim, {200, NO_BUCKETS}, {200, ""});
    struct told told = {.tally = {.measurement = "m", .window = {0, NS_PER_DAY}, .day = hear}};
    assert_int_equal(influxdb_datasource.count(&sim->self, &told.tally, &sim->err), OK);
    assert_string_equal(told.text, "");
    expect_words(buf_text(&sim->log), "|> unique(column: \\\"_time\\\")");
    assert_int_equal(count_words(buf_text(&sim->log), "r._field =="), 0);
}

static void test_answers(void **state)
{
    struct sim *sim = *state;
    sim_open_ok(sim);
    static const struct {
        const char *answer, *days, *failure;
    } cases[] = {
        {"", "", NULL},
        {"\r\n\r\n", "", NULL},
        {",result,table,_value,_time\n,_result,0,5,1969-12-31T00:00:00Z", "-1:5 ", NULL},
        {ROWS(",_result,0,1970-01-01T00:00:00Z,1\r\n")
             ROWS(",_result,0,1970-01-02T00:00:00Z,2\r\n"),
         "0:1 1:2 ", NULL},
        {ROWS(",_result,0,yesterday,1\r\n"), NULL, "not an answer"},
        {ROWS(",_result,0,1970-01-01T00:00:00Z,1.5\r\n"), NULL, "not an answer"},
        {ROWS(",_result,0,1970-01-01T00:00:00Z,\r\n"), NULL, "not an answer"},
        {ROWS(",_result,0,1970-01-01T00:00:00Z,18446744073709551616\r\n"), NULL, "not an answer"},
        {ROWS(",_result,0,1970-01-01T00:00:00Z\r\n"), NULL, "not an answer"},
        {",result,table,_time\r\n,_result,0,1970-01-01T00:00:00Z\r\n", NULL, "not an answer"},
        {"<html>\r\n", NULL, "not an answer of InfluxDB 2's query API: <html>"},
        {ROWS(",_result,0,1970-01-01T00:00:00Z,1\r\n") "error,reference\r\nout of memory,897\r\n",
         NULL, "out of memory"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SCRIPT(sim, {200, NO_BUCKETS}, {200, cases[i].answer});
        if (cases[i].days) {
            expect_days(sim, cases[i].days);
        } else {
            expect_failure(sim, cases[i].failure);
        }
    }
}

static void test_refusals(void **state)
{
    struct sim *sim = *state;
    sim_open_ok(sim);
    SCRIPT(sim, {200, NO_BUCKETS}, {404, NOT_FOUND}, {204, ""});
    expect_failure(sim, "http://db:8086: the token may not read bucket \"my bucket\"");
    SCRIPT(sim, {200, NO_BUCKETS}, {404, NOT_FOUND},
           {404, JSON("not found", "bucket \\\"my bucket\\\" not found")});
    expect_days(sim, ""); /* it is not there, so nothing is in it */
    expect_words(buf_text(&sim->notices), "there is no bucket \"my bucket\"");
    SCRIPT(sim, {401, JSON("unauthorized", "unauthorized access")},
           {401, JSON("unauthorized", "unauthorized access")});
    expect_failure(sim, "401");
    SCRIPT(sim, {200, NO_BUCKETS}, {404, NOT_FOUND}, {0});
    expect_failure(sim, "could not find bucket");
    SCRIPT(sim, {200, NO_BUCKETS}, {400, JSON("invalid", "no " TOKEN " here")});
    expect_failure(sim, "400"); /* and not the token: see sim_tear_down() */
    SCRIPT(sim, {200, NO_BUCKETS}, {200, "error,reference\nno " TOKEN " here,1\n"});
    expect_failure(sim, "no ************ here");
}

static void test_later(void **state)
{
    struct sim *sim = *state;
    sim_open_ok(sim);
    SCRIPT(sim, {503, ""}, {200, NO_BUCKETS}, {0}, {429, "", 1},
           {200, ROWS(",_result,0,1970-01-01T00:00:00Z,1\r\n")});
    expect_days(sim, "0:1 ");
    int64_t begun_ns = sim->monotonic_ns;
    SCRIPT(sim, {503}, {503}, {503}, {503}, {503}, {503}, {503}, {503}, {503}, {503}, {503}, {503});
    expect_failure(sim, "gave up");
    assert_true(sim->monotonic_ns - begun_ns <= 60 * NS_PER_SECOND);
    assert_int_equal(sim->self.retry_for_ns, 0); /* for the writing it is as it was */
}

/* The rule of the bucket, when it is shown; else the option. */
static void test_retention(void **state)
{
    struct sim *sim = *state;
    sim_open_ok(sim);
    static const struct {
        int64_t option_ns;
        const char *buckets;
        int64_t kept_ns; /* 0 = for ever */
    } cases[] = {
        {0, NO_BUCKETS, 0},
        {7200 * NS_PER_SECOND, NO_BUCKETS, 7200 * NS_PER_SECOND},
        {7200 * NS_PER_SECOND, "no JSON", 7200 * NS_PER_SECOND},
        {7200 * NS_PER_SECOND, BUCKET_OF("my bucket", "3600"), 3600 * NS_PER_SECOND},
        {7200 * NS_PER_SECOND, BUCKET_OF("my bucket", "0"), 0},
        {7200 * NS_PER_SECOND, "{\"buckets\":[{\"name\":\"my bucket\",\"retentionRules\":[]}]}", 0},
        {7200 * NS_PER_SECOND, BUCKET_OF("my bucket too", "3600"), 7200 * NS_PER_SECOND},
        {0, BUCKET_OF("my bucket", "1e300"), 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sim->self.retention_ns = cases[i].option_ns;
        SCRIPT(sim, {200, cases[i].buckets}, {200, ""});
        struct told told;
        assert_int_equal(count(sim, &told), OK);
        int64_t wanted = cases[i].kept_ns ? sim->now_ns - cases[i].kept_ns : INT64_MIN;
        assert_int_equal(told.tally.kept_from_ns, wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(test_question), SIM_TEST(test_question_without_a_field),
        SIM_TEST(test_answers),  SIM_TEST(test_refusals),
        SIM_TEST(test_later),    SIM_TEST(test_retention),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
