/* influxdb: a batch on its way while the next one is filled. */
#include "influxdb_sim.h"

static void send_ahead(struct sim *sim)
{
    influxdb_datasource.send(&sim->self);
}

static void the_request_goes_out_before_the_answer_is_asked_for(void **state)
{
    struct sim *sim = *state;
    sim->serve = sim_serve_lines;
    sim_open_ok(sim);
    sim_put_all(sim, "gg");
    send_ahead(sim);
    assert_int_equal(sim->n_begun, 1);
    assert_int_equal(sim->n_requests, 0);
    sim_put_from(sim, "hhh", 2);
    sim_flush_ok(sim);
    assert_string_equal(buf_text(&sim->stored), "m f=\"g\" 0\nm f=\"g\" 1\n");
    assert_int_equal(sim->n_begun, 1); /* those put since stay */
    sim_flush_ok(sim);
    assert_string_equal(buf_text(&sim->stored), "m f=\"g\" 0\nm f=\"g\" 1\n"
                                                "m f=\"h\" 2\nm f=\"h\" 3\nm f=\"h\" 4\n");
    sim_flush_ok(sim);
    assert_int_equal(sim->n_begun, 2);
}

static void who_never_sends_ahead_has_one_batch(void **state)
{
    struct sim *sim = *state;
    sim_open_ok(sim);
    sim_put_all(sim, "gg");
    sim_flush_ok(sim);
    assert_null(sim->self.batches[1].body.at);
    assert_null(sim->self.batches[1].lines);
    sim_put_from(sim, "g", 2);
    send_ahead(sim);
    assert_non_null(sim->self.batches[1].lines);
    sim_flush_ok(sim);
}

static void batches_take_turns(void **state)
{
    struct sim *sim = *state;
    sim->serve = sim_serve_lines;
    sim->self.batch_lines = 2;
    sim_open_ok(sim);
    for (int i = 0; i < 10; i++) {
        sim_put_from(sim, "gg", 2 * i);
        assert_int_equal(sim_put(sim, slice_of("g"), 99), AGAIN);
        if (i > 0) {
            sim_flush_ok(sim);
        }
        assert_int_equal(sim->n_requests, i);
        send_ahead(sim);
        assert_int_equal(sim->n_begun, i + 1);
    }
    sim_flush_ok(sim);
    assert_int_equal(sim->n_requests, 10);
    assert_int_equal(count_words(buf_text(&sim->stored), "m f="), 20);
}

/* Its lines are found and named by their places in it, whatever has been put since. */
static void bad_lines_of_the_batch_on_its_way(void **state)
{
    struct sim *sim = *state;
    sim->serve = sim_serve_lines;
    sim_open_ok(sim);
    sim_put_all(sim, "gbgcgg");
    send_ahead(sim);
    sim_put_from(sim, "cgb", 6);
    sim_flush_ok(sim);
    assert_int_equal(sim->n_refused, 2);
    assert_int_equal(sim->refused[0].index, 1);
    assert_string_equal(sim->refused[0].bytes, "m f=\"b\" 1\n");
    assert_int_equal(sim->refused[1].index, 3);
    assert_string_equal(sim->refused[1].bytes, "m f=\"c\" 3\n");
    sim_flush_ok(sim);
    assert_int_equal(sim->n_refused, 4);
    assert_int_equal(sim->refused[2].index, 0);
    assert_string_equal(sim->refused[2].bytes, "m f=\"c\" 6\n");
    assert_int_equal(sim->refused[3].index, 2);
    assert_string_equal(sim->refused[3].bytes, "m f=\"b\" 8\n");
}

static void it_is_sent_again_until_there_is_an_answer(void **state)
{
    struct sim *sim = *state;
    SCRIPT(sim, {503}, {0}, {429, .retry_after_s = 3});
    sim->serve = sim_serve_lines;
    sim_open_ok(sim);
    sim_put_all(sim, "gg");
    send_ahead(sim);
    sim_put_from(sim, "h", 2);
    sim_flush_ok(sim);
    assert_int_equal(sim->n_requests, 4);
    assert_int_equal(count_words(buf_text(&sim->log), "m f=\"g\" 0\nm f=\"g\" 1\n"), 4);
    assert_int_equal(count_words(buf_text(&sim->log), "m f=\"h\""), 0);
}

/* With gzip the packed bytes are lent, not the lines. */
static void packed_requests_stay_as_they_are(void **state)
{
    struct sim *sim = *state;
    sim->self.gzip = 1; /* on */
    sim_open_ok(sim);
    sim_put_all(sim, "gggggggg");
    send_ahead(sim);
    sim_put_from(sim, "hhhhhhhhhhhh", 8);
    sim_flush_ok(sim); /* the sim compares what was lent */
    send_ahead(sim);
    sim_flush_ok(sim);
    assert_int_equal(sim->n_requests, 2);
    assert_int_equal(count_words(buf_text(&sim->log), "Content-Encoding: gzip"), 2);
}

static void a_refused_token_keeps_both(void **state)
{
    struct sim *sim = *state;
    SCRIPT(sim, {401, JSON("unauthorized", "unauthorized access")});
    sim->serve = sim_serve_lines;
    sim_open_ok(sim);
    sim_put_all(sim, "gg");
    send_ahead(sim);
    sim_put_from(sim, "h", 2);
    assert_int_equal(sim_flush(sim), FAILED);
    assert_int_equal(sim->n_refused, 0);
    sim_flush_ok(sim); /* the token is right now */
    sim_flush_ok(sim);
    assert_string_equal(buf_text(&sim->stored), "m f=\"g\" 0\nm f=\"g\" 1\nm f=\"h\" 2\n");
}

/* Left to close(): the sanitizers watch. */
static void a_batch_on_its_way_is_given_up(void **state)
{
    struct sim *sim = *state;
    sim_open_ok(sim);
    sim_put_all(sim, "gg");
    send_ahead(sim);
    sim_put_from(sim, "h", 2);
    assert_int_equal(sim->n_requests, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(the_request_goes_out_before_the_answer_is_asked_for),
        SIM_TEST(who_never_sends_ahead_has_one_batch),
        SIM_TEST(batches_take_turns),
        SIM_TEST(bad_lines_of_the_batch_on_its_way),
        SIM_TEST(it_is_sent_again_until_there_is_an_answer),
        SIM_TEST(packed_requests_stay_as_they_are),
        SIM_TEST(a_refused_token_keeps_both),
        SIM_TEST(a_batch_on_its_way_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
