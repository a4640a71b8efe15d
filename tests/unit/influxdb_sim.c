/* influxdb_sim: see influxdb_sim.h. */
#include "influxdb_sim.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/timestamp.h"

#include <stdio.h>
#include <stdlib.h>

static int64_t sim_now(struct world *world)
{
    return ((struct sim *)world)->now_ns;
}

static int64_t sim_monotonic(struct world *world)
{
    return ((struct sim *)world)->monotonic_ns;
}

static enum status sim_wait(struct world *world, int64_t ns, struct err *err)
{
    struct sim *sim = (struct sim *)world;
    sim->now_ns += ns;
    sim->monotonic_ns += ns;
    sim->waited_ns = ns;
    return ++sim->waits == sim->stop_at_wait ? err_set(err, FAILED, "the run is to stop") : OK;
}

static uint64_t sim_random(struct world *world)
{
    (void)world;
    return 0;
}

void world_notice(struct world *world, const char *format, ...)
{
    struct sim *sim = (struct sim *)world;
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buf_printf(&sim->notices, "%s\n", text);
    sim->n_notices++;
}

static const struct world_calls sim_calls = {
    .now = sim_now, .monotonic = sim_monotonic, .wait = sim_wait, .random = sim_random};

struct http {
    struct sim *sim;
    struct http_request request; /* under way */
    struct http_reply *reply;
    char *body; /* as it was when that began */
};

static struct http *sim_open(struct world *world)
{
    struct http *http = memory_new(sizeof *http);
    http->sim = (struct sim *)world;
    return http;
}

static void sim_close(struct http *http)
{
    free(http->body);
    free(http);
}

static void answer(struct http_reply *reply, int code, const char *body)
{
    reply->code = code;
    reply->body.max = 64 * 1024;
    buf_add_text(&reply->body, body);
}

static void sim_begin(struct http *http, const struct http_request *request,
                      struct http_reply *reply)
{
    assert_null(http->reply); /* one at a time */
    http->request = *request;
    http->reply = reply;
    http->sim->n_begun++;
    http->body = memory_copy(request->body.len ? request->body.at : "", request->body.len);
}

static enum status sim_end(struct http *http, struct err *err)
{
    struct sim *sim = http->sim;
    const struct http_request *request = &http->request;
    struct http_reply *reply = http->reply;
    http->reply = NULL;
    if (request->body.len) { /* it was lent, and must not have changed */
        assert_memory_equal(request->body.at, http->body, request->body.len);
    }
    free(http->body);
    http->body = NULL;
    sim->n_requests++;
    buf_printf(&sim->log, "%s %s\n", request->method, request->url);
    for (const struct http_header *header = request->headers; header->name; header++) {
        buf_printf(&sim->log, "%s: %s\n", header->name, header->value);
    }
    buf_printf(&sim->log, "\n%.*s\n", SLICE_ARG(request->body));
    if (sim->n_steps == 0) {
        answer(reply, 204, "");
        if (sim->serve) {
            buf_clear(&reply->body);
            sim->serve(sim, request->body, reply);
        }
        return OK;
    }
    const struct step *step = sim->steps++;
    sim->n_steps--;
    if (step->code == 0) {
        return err_set(err, AGAIN, "connection reset");
    }
    answer(reply, step->code, step->body ? step->body : "");
    reply->retry_after_ns = step->retry_after_s ? step->retry_after_s * NS_PER_SECOND : -1;
    snprintf(reply->location, sizeof reply->location, "%s", step->location ? step->location : "");
    return OK;
}

static const struct http_driver sim_http = {
    .open = sim_open, .begin = sim_begin, .end = sim_end, .close = sim_close};

static void sim_refuse(struct refusals *to, size_t index, enum refusal kind, const char *reason,
                       struct slice bytes)
{
    struct sim *sim = (struct sim *)(void *)((char *)to - offsetof(struct sim, refusals));
    assert_true(sim->n_refused < REFUSALS_MAX);
    sim->refused[sim->n_refused].index = index;
    sim->refused[sim->n_refused].kind = kind;
    snprintf(sim->refused[sim->n_refused].reason, sizeof sim->refused->reason, "%s", reason);
    snprintf(sim->refused[sim->n_refused].bytes, sizeof sim->refused->bytes, "%.*s",
             SLICE_ARG(bytes));
    sim->n_refused++;
    sim->n_kind[kind]++;
}

int sim_set_up(void **state)
{
    struct sim *sim = memory_new(sizeof *sim);
    *sim = (struct sim){
        .world = {.calls = &sim_calls, .http = &sim_http},
        .now_ns = INT64_C(1700000000) * NS_PER_SECOND,
        .notices = {.max = 1 << 20},
        .log = {.max = 64 << 20},
        .stored = {.max = 64 << 20},
        .refusals = {sim_refuse},
        .self = {.host = "db",
                 .token = TOKEN,
                 .org = "o&o",
                 .bucket = "my bucket",
                 .batch_lines = 5000,
                 .batch_bytes = 4 << 20,
                 .gzip = 2},
    };
    *state = sim;
    return 0;
}

int sim_tear_down(void **state)
{
    struct sim *sim = *state;
    bool told = sim->notices.len && strstr(buf_text(&sim->notices), TOKEN);
    bool said = strstr(sim->err.text, TOKEN) != NULL;
    influxdb_datasource.close(&sim->self);
    buf_finish(&sim->notices);
    buf_finish(&sim->log);
    buf_finish(&sim->stored);
    free(sim);
    return told || said; /* in every test: no text holds the token */
}

void sim_open_ok(struct sim *sim)
{
    assert_int_equal(influxdb_datasource.open(&sim->self, &sim->world, &sim->err), OK);
}

void sim_script(struct sim *sim, const struct step *steps, size_t n_steps)
{
    sim->steps = steps;
    sim->n_steps = n_steps;
}

static const struct schema m = {.measurement = "m", .n_fields = 1, .fields = {{"f", VALUE_TEXT}}};

enum status sim_put(struct sim *sim, struct slice text, int64_t time_ns)
{
    struct value field = {.kind = VALUE_TEXT, .text = {&text, 1}};
    struct point point = {.schema = &m, .fields = &field, .time_ns = time_ns};
    return influxdb_datasource.put(&sim->self, &point, &sim->err);
}

void sim_put_text(struct sim *sim, const char *text, int64_t time_ns)
{
    assert_int_equal(sim_put(sim, slice_of(text), time_ns), OK);
}

void sim_put_from(struct sim *sim, const char *letters, int64_t time_ns)
{
    for (; *letters; letters++, time_ns++) {
        sim_put_text(sim, (char[]){*letters, '\0'}, time_ns);
    }
}

void sim_put_all(struct sim *sim, const char *letters)
{
    sim_put_from(sim, letters, 0);
}

enum status sim_flush(struct sim *sim)
{
    return influxdb_datasource.flush(&sim->self, &sim->refusals, &sim->err);
}

void sim_flush_ok(struct sim *sim)
{
    if (sim_flush(sim) != OK) {
        fail_msg("%s", sim->err.text);
    }
}

void expect_words(const char *text, const char *words)
{
    if (!strstr(text, words)) {
        fail_msg("\"%s\" is not in \"%s\"", words, text);
    }
}

size_t count_words(const char *text, const char *words)
{
    size_t found = 0;
    for (; (text = strstr(text, words)); text += strlen(words)) {
        found++;
    }
    return found;
}

/* --- a small InfluxDB --- */

static char letter_of(const char *line)
{
    return line[strlen("m f=\"")];
}

static int64_t time_of(const char *line)
{
    return strtoll(strchr(line + strlen("m f=\""), '"') + 2, NULL, 10);
}

void sim_serve_lines(struct sim *sim, struct slice body, struct http_reply *reply)
{
    CLEANUP_FREE char *text = memory_copy(body.at, body.len);
    int conflicts = 0, old = 0, server = 0;
    if (strstr(text, "m f=\"b")) {
        answer(reply, 400, UNPARSABLE);
        return;
    }
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (time_of(line) < sim->bound_ns) {
            old++;
        } else if (letter_of(line) == 'c' || letter_of(line) == 's') {
            conflicts++;
            server += letter_of(line) == 's';
        } else {
            buf_printf(&sim->stored, "%s\n", line);
        }
    }
    char said[600], bound[TIMESTAMP_TEXT_BYTES];
    if (conflicts) {
        answer(reply, server ? 500 : 422, JSON("unprocessable entity", PARTIAL CONFLICT));
    } else if (old && sim->self.host[0] == 'v') { /* an older version */
        snprintf(said, sizeof said, JSON("x", PARTIAL "points beyond retention policy dropped=%d"),
                 old);
        answer(reply, 422, said);
    } else if (old) {
        timestamp_format(sim->bound_ns, bound);
        snprintf(said, sizeof said,
                 JSON("unprocessable entity",
                      PARTIAL "dropped %d points outside retention policy of duration 1h0m0s - "
                              "oldest point m,t=\\\\ Lower\\\\ Bound\\\\ at at "
                              "2020-09-13T12:26:40Z dropped because it violates a Retention "
                              "Policy Lower Bound at %s, newest point m at 2023-11-14T22:13:20Z "
                              "dropped because it violates a Retention Policy Lower Bound at %s "
                              "dropped=%d for database: a99af9b6de7fe681 for retention policy: "
                              "autogen"),
                 old, bound, bound, old);
        answer(reply, 422, said);
    }
}

void sim_expect_fates(struct sim *sim, const char *letters)
{
    int refused = 0;
    for (size_t i = 0; letters[i]; i++) {
        char line[64];
        snprintf(line, sizeof line, "m f=\"%c\" %zu\n", letters[i], i);
        bool good = letters[i] == 'g' && (int64_t)i >= sim->bound_ns;
        assert_true(!good || strstr(buf_text(&sim->stored), line));
        if (!good) {
            assert_int_equal(sim->refused[refused].index, i);
            assert_int_equal(sim->refused[refused].kind,
                             (int64_t)i < sim->bound_ns ? REFUSED_EXPIRED : REFUSED_DEAD);
            assert_string_equal(sim->refused[refused].bytes, line);
            refused++;
        }
    }
    assert_int_equal(sim->n_refused, refused);
}
