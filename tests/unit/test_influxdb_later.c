/* influxdb: replies that ask for patience, and those that ask for a person. */
#include "influxdb_sim.h"

#include "base/timestamp.h"

/* --- later --- */

#define TEXT_29 "twenty-nine letters and more "
#define TEXT_290 TEXT_29 TEXT_29 TEXT_29 TEXT_29 TEXT_29 TEXT_29 TEXT_29 TEXT_29 TEXT_29 TEXT_29

static void later_is_waited_for(void **state)
{
    static const int codes[] = {408, 429, 500, 502, 503, 504, 0};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct sim *sim;
        sim_set_up((void **)&sim);
        sim_open_ok(sim);
        sim_put_all(sim, "gg");
        struct step steps[] = {{.code = codes[i], .body = JSON("x", "busy " TOKEN)},
                               {.code = codes[i], .body = JSON("x", "busy " TOKEN)},
                               {.code = 204}};
        sim_script(sim, steps, 3);
        sim_flush_ok(sim);
        assert_int_equal(sim->n_requests, 3);
        assert_int_equal(sim->waits, 2);
        assert_true(sim->waited_ns > 0);
        assert_int_equal(sim->n_refused, 0);
        assert_int_equal(sim->n_notices, 1); /* the same reason once */
        expect_words(buf_text(&sim->notices), codes[i] ? "busy" : "connection reset");
        assert_int_equal(sim_tear_down((void **)&sim), 0);
    }
    (void)state;
}

static void retry_after_is_kept(void **state)
{
    struct sim *sim = *state;
    sim_open_ok(sim);
    sim_put_all(sim, "g");
    SCRIPT(sim, {503, "", 77}, {204});
    sim_flush_ok(sim);
    assert_int_equal(sim->waited_ns, 77 * NS_PER_SECOND);
}

static void each_new_reason_is_told(void **state)
{
    struct sim *sim = *state;
    sim_open_ok(sim);
    sim_put_all(sim, "g");
    SCRIPT(sim, {503, "one"}, {503, "one"}, {0}, {429, "two"});
    sim_flush_ok(sim);
    assert_int_equal(sim->n_notices, 3);
    assert_int_equal(sim->waits, 4);
    sim_put_all(sim, "g"); /* an answer came in between: worth telling again */
    SCRIPT(sim, {429, "two"});
    sim_flush_ok(sim);
    assert_int_equal(sim->n_notices, 4);
}

static void no_limit_unless_asked_for(void **state)
{
    struct sim *sim = *state;
    enum { MANY = 500 };
    static struct step steps[MANY];
    for (size_t i = 0; i < MANY; i++) {
        steps[i] = (struct step){.code = 503};
    }
    sim_open_ok(sim);
    sim_put_all(sim, "g");
    sim_script(sim, steps, MANY);
    sim_flush_ok(sim);
    assert_int_equal(sim->n_requests, MANY + 1);

    sim->self.retry_for_ns = 60 * NS_PER_SECOND;
    int64_t start_ns = sim->monotonic_ns;
    sim_put_all(sim, "g");
    sim_script(sim, steps, MANY);
    assert_int_equal(sim_flush(sim), FAILED);
    expect_words(sim->err.text, "retry_for");
    assert_true(sim->monotonic_ns - start_ns <= 60 * NS_PER_SECOND);
    assert_true(sim->monotonic_ns - start_ns > 20 * NS_PER_SECOND);
    sim->n_steps = 0;
    sim->serve = sim_serve_lines;
    sim_flush_ok(sim); /* the point was kept */
    sim_expect_fates(sim, "g");
}

static void a_stop_leaves_the_points(void **state)
{
    struct sim *sim = *state;
    sim->stop_at_wait = 1;
    sim_open_ok(sim);
    sim_put_all(sim, "gg");
    SCRIPT(sim, {503});
    assert_int_equal(sim_flush(sim), FAILED);
    expect_words(sim->err.text, "the run is to stop");
    sim->serve = sim_serve_lines;
    sim_flush_ok(sim);
    sim_expect_fates(sim, "gg");
}

/* --- hold --- */

static void a_refusal_never_advances(void **state)
{
    static const struct {
        struct step step;
        const char *says[2];
    } rows[] = {
        {{401, JSON("unauthorized", "unauthorized access")},
         {"the token is not accepted", "401 unauthorized access"}},
        {{403, JSON("forbidden", "insufficient permissions for write")},
         {"may not write to bucket \"my bucket\"", "insufficient permissions"}},
        {{404, JSON("not found", "organization name \\\"o&o\\\" not found")},
         {"there is no organization \"o&o\": check org", "404"}},
        {{404, "404 page not found\n"}, {"not an answer of InfluxDB 2", "page not found"}},
        {{405, ""}, {"not an answer of InfluxDB 2", "405"}},
        {{301, "", 0, "https://other.example:8443/x?token=y"},
         {"redirects to https://other.example:8443 (301)", "set host"}},
        {{307, "", 0, "/login?next=x"}, {"redirects to /login (307)", "set host"}},
        {{302, ""}, {"redirects to another address (302)", "set host"}},
        {{401, JSON("unauthorized", "bad token " TOKEN "!")}, {"bad token ************!", ""}},
        {{401, JSON("unauthorized", TEXT_290 "bad " TOKEN)}, {"bad ******)", ""}}, /* cut at 300 */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sim *sim;
        sim_set_up((void **)&sim);
        sim_open_ok(sim);
        sim_put_all(sim, "gg");
        struct step steps[] = {rows[i].step, rows[i].step};
        sim_script(sim, steps, 2);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(sim_flush(sim), FAILED);
            expect_words(sim->err.text, "http://db:8086: ");
            expect_words(sim->err.text, rows[i].says[0]);
            expect_words(sim->err.text, rows[i].says[1]);
        }
        assert_int_equal(sim->waits, 0);
        assert_int_equal(sim->n_refused, 0);
        sim->serve = sim_serve_lines;
        sim_flush_ok(sim);
        sim_expect_fates(sim, "gg");
        assert_int_equal(sim_tear_down((void **)&sim), 0);
    }
    (void)state;
}

/* A flush that FAILED half way goes on; nothing is refused twice, and more points may come. */
static void flush_goes_on_after_failing(void **state)
{
    struct sim *sim = *state;
    sim->serve = sim_serve_lines;
    sim_open_ok(sim);
    sim_put_all(sim, "gbgg");
    /* [0,4): 400, [0,2): 400, 0: 204, 1: 400 (dead), then a wrong token */
    SCRIPT(sim, {400, UNPARSABLE}, {400, UNPARSABLE}, {204}, {400, UNPARSABLE}, {401});
    assert_int_equal(sim_flush(sim), FAILED);
    assert_int_equal(sim->n_refused, 0);
    sim_put_text(sim, "b", 4);
    sim_put_text(sim, "g", 5);
    sim_flush_ok(sim);
    assert_int_equal(sim->n_refused, 2);
    assert_int_equal(sim->refused[0].index, 1);
    assert_int_equal(sim->refused[1].index, 4);
    expect_words(buf_text(&sim->stored), "m f=\"g\" 2\nm f=\"g\" 3\n");
    expect_words(buf_text(&sim->stored), "m f=\"g\" 5\n");
    assert_null(strstr(buf_text(&sim->stored), "m f=\"g\" 0\n")); /* was done before */
    sim_put_text(sim, "g", 6);
    sim_flush_ok(sim);
    assert_int_equal(sim->n_refused, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(later_is_waited_for),         SIM_TEST(retry_after_is_kept),
        SIM_TEST(each_new_reason_is_told),     SIM_TEST(no_limit_unless_asked_for),
        SIM_TEST(a_stop_leaves_the_points),    SIM_TEST(a_refusal_never_advances),
        SIM_TEST(flush_goes_on_after_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
