/* influxdb: what the replies to a write do to its lines, row by row. */
#include "influxdb_sim.h"

#include "base/timestamp.h"

/* Has the small InfluxDB take a batch, a line a letter; each line meets its fate. */
static void write_lines(struct sim *sim, const char *letters)
{
    sim->serve = sim_serve_lines;
    sim_open_ok(sim);
    sim_put_all(sim, letters);
    sim_flush_ok(sim);
    sim_expect_fates(sim, letters);
}

/* --- 400 and 413 --- */

static void a_bad_line_is_found_by_halves(void **state)
{
    struct sim *sim = *state;
    write_lines(sim, "gggggbgg");
    /* [0,8) [0,4) [4,8) [4,6) 4 5 [6,8) */
    assert_int_equal(sim->n_requests, 7);
    assert_string_equal(sim->refused[0].reason,
                        "InfluxDB cannot parse the line: missing field value");
}

static void bad_lines_stop_nobody(void **state)
{
    static const char *const batches[] = {"b",       "bb",       "bgb",     "gbbg",
                                          "bbbbbbb", "gggggggb", "bggggggg"};
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        struct sim *sim;
        sim_set_up((void **)&sim);
        write_lines(sim, batches[i]);
        assert_int_equal(sim_tear_down((void **)&sim), 0);
    }
    (void)state;
}

/* The answers of what is not InfluxDB are no verdict about the lines. */
static void a_refusal_of_somebody_else_holds(void **state)
{
    struct sim *sim = *state;
    sim_open_ok(sim);
    sim_put_all(sim, "gg");
    SCRIPT(sim, {400, "Client sent an HTTP request to an HTTPS server.\n"});
    assert_int_equal(sim_flush(sim), FAILED);
    expect_words(sim->err.text, "http://db:8086: not an answer of InfluxDB 2's write API");
    expect_words(sim->err.text, "Client sent an HTTP request to an HTTPS server.");
    SCRIPT(sim, {400, ""});
    assert_int_equal(sim_flush(sim), FAILED);
    SCRIPT(sim, {200, "<html>welcome</html>"});
    assert_int_equal(sim_flush(sim), FAILED);
    SCRIPT(sim, {422, "<html>blocked</html>"});
    assert_int_equal(sim_flush(sim), FAILED);
    assert_int_equal(sim->n_refused, 0);
    assert_int_equal(sim->n_requests, 4);
    sim->serve = sim_serve_lines;
    sim_flush_ok(sim);
    sim_expect_fates(sim, "gg");
}

/* Nor are those in JSON: InfluxDB 2's have a code and a message, both of them texts. The last is
 * InfluxDB 1's, the first ones are of gateways. */
static void json_of_somebody_else_holds(void **state)
{
    static const struct step replies[] = {
        {400, "{\"message\":\"Bad Request\"}"},
        {422, "{\"message\":\"blocked\",\"request_id\":\"1\"}"},
        {400, "{\"code\":400,\"message\":\"no such route\"}"},
        {400, "{\"code\":\"invalid\"}"},
        {400, "{\"message\":\"the line is cut before its e"},
        {404, "{\"message\":\"bucket \\\"audit\\\" not found\"}"},
        {400, "{\"error\":\"unable to parse 'g f=1': missing fields\"}"},
    };
    struct sim *sim = *state;
    sim_open_ok(sim);
    sim_put_all(sim, "gg");
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        sim_script(sim, &replies[i], 1);
        assert_int_equal(sim_flush(sim), FAILED);
        expect_words(sim->err.text, "http://db:8086: not an answer of InfluxDB 2's write API");
    }
    assert_int_equal(sim->n_refused, 0);
    assert_int_equal(sim->n_requests, sizeof replies / sizeof *replies);
}

/* It is tried again, as any other 500: nothing was stored in part by somebody else. */
static void a_partial_write_of_somebody_else_is_later(void **state)
{
    struct sim *sim = *state;
    sim_open_ok(sim);
    sim_put_all(sim, "gg");
    SCRIPT(sim, {500, "{\"message\":\"partial write\"}"}, {204});
    sim_flush_ok(sim);
    assert_int_equal(sim->n_requests, 2);
    assert_int_equal(sim->n_refused, 0);
}

/* A reply that repeats long lines is cut in the middle of its JSON. */
static void a_cut_400_counts(void **state)
{
    struct sim *sim = *state;
    sim_open_ok(sim);
    sim_put_all(sim, "b");
    SCRIPT(sim, {400, "{\"code\":\"invalid\",\"message\":\"unable to parse 'm f=\\\"xxxxx"});
    sim_flush_ok(sim);
    assert_int_equal(sim->n_kind[REFUSED_DEAD], 1);
    assert_string_equal(sim->refused[0].reason, "InfluxDB cannot parse the line");
}

static void too_large_is_halved(void **state)
{
    struct sim *sim = *state;
    sim_open_ok(sim);
    sim_put_all(sim, "abcd");
    /* [0,4): 413; [0,2): 413; 0: 204; 1: 413, alone; [2,4): 204 */
    SCRIPT(sim, {413, "<html>proxy</html>"}, {413, ""}, {204}, {413, ""}, {204});
    sim_flush_ok(sim);
    assert_int_equal(sim->n_requests, 5);
    assert_int_equal(sim->n_refused, 1);
    assert_int_equal(sim->refused[0].index, 1);
    assert_int_equal(sim->refused[0].kind, REFUSED_DEAD);
    assert_string_equal(sim->refused[0].reason, "InfluxDB finds the line too large");
}

/* --- partial writes --- */

static void partial_writes_are_confirmed_by_halves(void **state)
{
    static const char *const batches[] = {"c", "gcg", "gggggcgg", "cggc", "sggg", "gbgcgg"};
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        struct sim *sim;
        sim_set_up((void **)&sim);
        write_lines(sim, batches[i]);
        int last = sim->n_refused - 1;
        assert_string_equal(sim->refused[last].reason,
                            "partial write: field type conflict: input field \"f\" on measurement "
                            "\"m\" is type string, already exists as type integer dropped=1");
        if (i == 2) {
            assert_int_equal(sim->n_requests, 7);
        }
        assert_int_equal(sim_tear_down((void **)&sim), 0);
    }
    (void)state;
}

static void put_with_conflicts(struct sim *sim, size_t lines, size_t every)
{
    for (size_t i = 0; i < lines; i++) {
        sim_put_text(sim, i % every == every / 2 ? "c" : "g", (int64_t)i);
    }
}

static void expect_bounded(struct sim *sim, size_t every)
{
    assert_int_equal(sim->n_requests, 64);
    for (int i = 0; i < sim->n_refused; i++) {
        bool bad = sim->refused[i].index % every == every / 2;
        assert_true(bad || sim->refused[i].kind == REFUSED_UNCONFIRMED);
        expect_words(sim->refused[i].reason, "field type conflict");
    }
}

/* 3 bad lines among 5,000: requests 1 + 2 + 4, then 6 for each further halving: after nine of those
 * (61 requests) each bad line is among three at most. Half the batch would be the easy mistake. */
static void confirming_ends_after_64_requests(void **state)
{
    struct sim *sim = *state;
    sim->serve = sim_serve_lines;
    sim_open_ok(sim);
    put_with_conflicts(sim, 5000, 1667);
    sim_flush_ok(sim);
    expect_bounded(sim, 1667);
    assert_true(sim->n_kind[REFUSED_UNCONFIRMED] > 0);
    assert_true(sim->n_kind[REFUSED_UNCONFIRMED] <= 9);
    assert_int_equal(sim->n_refused, sim->n_kind[REFUSED_UNCONFIRMED] + sim->n_kind[REFUSED_DEAD]);
    int dead = sim->n_kind[REFUSED_DEAD];
    sim_put_all(sim, "gc"); /* the next batch has its own 64 */
    sim_flush_ok(sim);
    assert_int_equal(sim->n_requests, 64 + 3);
    assert_int_equal(sim->n_kind[REFUSED_DEAD], dead + 1);
}

static void every_bad_line_is_accounted_for(void **state)
{
    struct sim *sim = *state;
    sim->serve = sim_serve_lines;
    sim_open_ok(sim);
    put_with_conflicts(sim, 4096, 2);
    sim_flush_ok(sim);
    expect_bounded(sim, 2);
    bool refused[4096] = {false};
    for (int i = 0; i < sim->n_refused; i++) {
        assert_false(refused[sim->refused[i].index]); /* none twice */
        refused[sim->refused[i].index] = true;
    }
    for (size_t i = 1; i < 4096; i += 2) {
        assert_true(refused[i]);
    }
}

/* --- retention --- */

static void the_bound_of_the_reply_decides(void **state)
{
    struct sim *sim = *state;
    sim->bound_ns = 3;
    write_lines(sim, "gggggg");
    assert_int_equal(sim->n_requests, 2); /* all, then what is young enough */
    assert_string_equal(sim->refused[0].reason, "older than the bucket keeps");
}

static void old_lines_between_others(void **state)
{
    struct sim *sim = *state;
    sim->serve = sim_serve_lines;
    sim->bound_ns = 100;
    sim_open_ok(sim);
    static const int64_t times[] = {200, 5, 300, 7, 400};
    for (size_t i = 0; i < 5; i++) {
        sim_put_text(sim, "g", times[i]);
    }
    sim_flush_ok(sim);
    assert_int_equal(sim->n_requests, 2);
    assert_int_equal(sim->n_refused, 2);
    assert_int_equal(sim->refused[0].index, 1);
    assert_int_equal(sim->refused[1].index, 3);
    assert_int_equal(sim->n_kind[REFUSED_EXPIRED], 2);
    expect_words(buf_text(&sim->log), "\n\nm f=\"g\" 200\nm f=\"g\" 300\nm f=\"g\" 400\n\n");
}

static void all_too_old_is_one_request(void **state)
{
    struct sim *sim = *state;
    sim->bound_ns = 1000;
    write_lines(sim, "gggggggg");
    assert_int_equal(sim->n_requests, 1);
}

/* A tag in the reply may read like a bound; one that is still to come is none. */
static void a_bound_to_come_is_none(void **state)
{
    struct sim *sim = *state;
    sim_open_ok(sim);
    sim_put_all(sim, "gg");
    SCRIPT(sim,
           {422, JSON("unprocessable entity",
                      PARTIAL "dropped 1 points outside retention policy of duration 1h0m0s - "
                              "violates a Retention Policy Lower Bound at 2099-01-01T00:00:00Z "
                              "dropped=1")},
           {204}, {204});
    sim_flush_ok(sim);
    assert_int_equal(sim->n_requests, 3);
    assert_int_equal(sim->n_refused, 0);
}

/* Conflicts hide the retention from the reply; single lines tell in the end. */
static void old_and_conflicting(void **state)
{
    struct sim *sim = *state;
    sim->bound_ns = 2;
    write_lines(sim, "gggcggbg");
}

/* InfluxDB before 2.7 names no bound: the option's does, or the halves find it. */
static void an_older_version_names_no_bound(void **state)
{
    for (int with_option = 0; with_option < 2; with_option++) {
        struct sim *sim;
        sim_set_up((void **)&sim);
        sim->serve = sim_serve_lines;
        sim->self.host = "v2.0";
        sim->self.retention_ns = with_option ? 7200 * NS_PER_SECOND : 0;
        sim->bound_ns = sim->now_ns - 7200 * NS_PER_SECOND;
        sim_open_ok(sim);
        for (int i = 0; i < 8; i++) {
            sim_put_text(sim, "g", sim->bound_ns - 3 + i);
        }
        sim_flush_ok(sim);
        assert_int_equal(sim->n_refused, 3);
        assert_int_equal(sim->n_kind[REFUSED_EXPIRED], 3);
        assert_int_equal(sim->refused[2].index, 2);
        assert_int_equal(count_words(buf_text(&sim->stored), "\n"), with_option ? 10 : 12);
        /* with: all, the young. without: [0,8) [0,4) [4,8) [0,2) [2,4) 2 3 */
        assert_int_equal(sim->n_requests, with_option ? 2 : 7);
        assert_int_equal(sim_tear_down((void **)&sim), 0);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(a_bad_line_is_found_by_halves),
        SIM_TEST(bad_lines_stop_nobody),
        SIM_TEST(a_refusal_of_somebody_else_holds),
        SIM_TEST(json_of_somebody_else_holds),
        SIM_TEST(a_partial_write_of_somebody_else_is_later),
        SIM_TEST(a_cut_400_counts),
        SIM_TEST(too_large_is_halved),
        SIM_TEST(partial_writes_are_confirmed_by_halves),
        SIM_TEST(confirming_ends_after_64_requests),
        SIM_TEST(every_bad_line_is_accounted_for),
        SIM_TEST(the_bound_of_the_reply_decides),
        SIM_TEST(old_lines_between_others),
        SIM_TEST(all_too_old_is_one_request),
        SIM_TEST(a_bound_to_come_is_none),
        SIM_TEST(old_and_conflicting),
        SIM_TEST(an_older_version_names_no_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
