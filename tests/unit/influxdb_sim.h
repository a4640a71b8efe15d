/*
 * influxdb_sim: a simulated world for the tests of the influxdb datasource: an HTTP driver that
 * plays a script or a small InfluxDB, and a clock that only waiting moves. The wordings are those
 * of a real InfluxDB 2.7.12. That the real one takes what is sent here is for tests/servers.
 */
#ifndef INFLUXDB_SIM_H
#define INFLUXDB_SIM_H

#include "../../datasources/influxdb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

extern const struct datasource influxdb_datasource;

#define TOKEN "s3cret-t0ken"
#define JSON(code, message) "{\"code\":\"" code "\",\"message\":\"" message "\"}"

#define UNPARSABLE JSON("invalid", "unable to parse 'm f=\\\"it': bad': missing field value")
#define PARTIAL "failure writing points to database: partial write: "
#define CONFLICT                                                                                   \
    "field type conflict: input field \\\"f\\\" on measurement \\\"m\\\" is type string, already " \
    "exists as type integer dropped=1"

struct step {
    int code; /* 0 = the connection is cut */
    const char *body;
    int64_t retry_after_s;
    const char *location;
};

enum { REFUSALS_MAX = 6000 };

struct sim {
    struct world world;
    int64_t now_ns, monotonic_ns, waited_ns;
    int waits, stop_at_wait;
    struct buf notices;
    int n_notices;

    const struct step *steps; /* first these, then `serve`, then 204 */
    size_t n_steps;
    void (*serve)(struct sim *sim, struct slice body, struct http_reply *reply);
    int n_begun, n_requests; /* sent; answered */
    struct buf log;          /* "POST url\nheader: value\n\nbody\n" of all requests */
    struct buf stored;       /* the lines the small InfluxDB took */
    int64_t bound_ns;

    struct refusals refusals;
    int n_refused, n_kind[3];
    struct {
        size_t index;
        enum refusal kind;
        char reason[400];
        char bytes[100];
    } refused[REFUSALS_MAX];

    struct influxdb self;
    struct err err;
};

/* For cmocka; *state becomes the sim. Tearing down fails when any text held the token. */
int sim_set_up(void **state);
int sim_tear_down(void **state);
#define SIM_TEST(name) cmocka_unit_test_setup_teardown(name, sim_set_up, sim_tear_down)

void sim_script(struct sim *sim, const struct step *steps, size_t n_steps);
#define SCRIPT(sim, ...)                                \
    sim_script(sim, (const struct step[]){__VA_ARGS__}, \
               sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))

/*
 * The small InfluxDB, for .serve: the first letter of a line's text says what becomes of it. 'b'
 * cannot be parsed: 400, nothing is stored. Otherwise 'c' has another type and times before
 * .bound_ns are outside retention: 422, the others are stored. 's' fails like 'c', as 500.
 */
void sim_serve_lines(struct sim *sim, struct slice body, struct http_reply *reply);

void sim_open_ok(struct sim *sim);
enum status sim_put(struct sim *sim, struct slice text, int64_t time_ns);
void sim_put_text(struct sim *sim, const char *text, int64_t time_ns);
void sim_put_from(struct sim *sim, const char *letters, int64_t time_ns); /* a line a letter */
void sim_put_all(struct sim *sim, const char *letters); /* the same, at time 0, 1, .. */
enum status sim_flush(struct sim *sim);
void sim_flush_ok(struct sim *sim);

/* Every good line was stored, every other one was refused with its own bytes, none twice. */
void sim_expect_fates(struct sim *sim, const char *letters);

void expect_words(const char *text, const char *words);
size_t count_words(const char *text, const char *words);

#endif
