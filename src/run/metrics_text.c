/*
 * metrics_text: the metrics as Prometheus reads them: its text format, version 0.0.4. Pure. Labels
 * hold the names of jobs, places and parsers, and words of ours; no text from a place gets here.
 */
#include "base/timestamp.h"
#include "run/metrics.h"

#include <inttypes.h>
#include <stdio.h>

/* No parser can be called so. */
static const char no_parser[] = "(none)";

enum { NUMBER_BYTES = 48 };

/* --- samples --- */

struct label {
    const char *name, *value;
};

static void add_escaped(struct buf *out, const char *value)
{
    for (; *value; value++) {
        if (*value == '\n') {
            buf_add_text(out, "\\n");
            continue;
        }
        if (*value == '\\' || *value == '"') {
            buf_add_byte(out, '\\');
        }
        buf_add_byte(out, *value);
    }
}

/* labels: ended by one without a name. name and suffix are of one word. */
static void add_sample(struct buf *out, const char *name, const char *suffix,
                       const struct label *labels, const char *number)
{
    buf_printf(out, "loggateway_%s%s", name, suffix);
    for (const struct label *label = labels; label->name; label++) {
        buf_printf(out, "%c%s=\"", label == labels ? '{' : ',', label->name);
        add_escaped(out, label->value);
        buf_add_byte(out, '"');
    }
    buf_printf(out, "%s %s\n", labels->name ? "}" : "", number);
}

static void add_count(struct buf *out, const char *name, const char *suffix,
                      const struct label *labels, uint64_t count)
{
    char number[NUMBER_BYTES];
    snprintf(number, sizeof number, "%" PRIu64, count);
    add_sample(out, name, suffix, labels, number);
}

static const char *seconds_text(uint64_t ns, char text[NUMBER_BYTES])
{
    uint64_t second = (uint64_t)NS_PER_SECOND;
    int len = snprintf(text, NUMBER_BYTES, "%" PRIu64 ".%09" PRIu64, ns / second, ns % second);
    while (text[len - 1] == '0') {
        text[--len] = '\0';
    }
    if (text[len - 1] == '.') {
        text[len - 1] = '\0';
    }
    return text;
}

static void add_seconds(struct buf *out, const char *name, const char *suffix,
                        const struct label *labels, uint64_t ns)
{
    char number[NUMBER_BYTES];
    add_sample(out, name, suffix, labels, seconds_text(ns, number));
}

/* By job or by place. The buckets are read one after the other, and .._count is their sum: a
 * histogram adds up whatever is counted meanwhile. */
static void add_histogram(struct buf *out, const char *name, struct label label,
                          const struct histogram *histogram, const int64_t *bounds_ns)
{
    uint64_t sum = 0;
    size_t i = 0;
    for (; bounds_ns[i]; i++) {
        char bound[NUMBER_BYTES];
        sum += histogram->counts[i];
        add_count(out, name, "_bucket",
                  (struct label[]){label, {"le", seconds_text((uint64_t)bounds_ns[i], bound)}, {0}},
                  sum);
    }
    sum += histogram->counts[i];
    add_count(out, name, "_bucket", (struct label[]){label, {"le", "+Inf"}, {0}}, sum);
    add_seconds(out, name, "_sum", (struct label[]){label, {0}}, histogram->sum_ns);
    add_count(out, name, "_count", (struct label[]){label, {0}}, sum);
}

/* --- of a job --- */

static void write_objects(struct buf *out, const char *name, const struct job_metrics *of)
{
    const char *job = of->job->name;
    add_count(out, name, "", (struct label[]){{"job", job}, {"state", "settled"}, {0}},
              of->settled);
    add_count(out, name, "", (struct label[]){{"job", job}, {"state", "failed"}, {0}}, of->failed);
    add_count(out, name, "", (struct label[]){{"job", job}, {"state", "quarantined"}, {0}},
              of->quarantined);
}

static void write_read_bytes(struct buf *out, const char *name, const struct job_metrics *of)
{
    add_count(out, name, "", (struct label[]){{"job", of->job->name}, {0}}, of->read_bytes);
}

static void write_inflated_bytes(struct buf *out, const char *name, const struct job_metrics *of)
{
    add_count(out, name, "", (struct label[]){{"job", of->job->name}, {0}}, of->inflated_bytes);
}

static void write_records(struct buf *out, const char *name, const struct job_metrics *of)
{
    for (size_t kind = 0; kind <= of->job->n_parse; kind++) {
        bool is_known = kind < of->job->n_parse;
        const char *parser = is_known ? of->job->parse[kind]->about.name : no_parser;
        add_count(out, name, "", (struct label[]){{"job", of->job->name}, {"parser", parser}, {0}},
                  of->records[kind]);
    }
}

static void write_points_of(struct buf *out, const char *name, const char *job,
                            const struct sink_metrics *sink)
{
    const struct {
        const char *fate;
        uint64_t points;
    } rows[] = {{"stored", sink->stored},
                {"duplicate", sink->duplicate},
                {"expired", sink->expired},
                {"dead", sink->dead}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        add_count(
            out, name, "",
            (struct label[]){
                {"job", job}, {"sink", sink->place->place->name}, {"fate", rows[i].fate}, {0}},
            rows[i].points);
    }
}

static void write_points(struct buf *out, const char *name, const struct job_metrics *of)
{
    for (size_t i = 0; i < of->job->n_to; i++) {
        write_points_of(out, name, of->job->name, &of->sinks[i]);
    }
}

static void write_dead_letters(struct buf *out, const char *name, const struct job_metrics *of)
{
    add_count(out, name, "", (struct label[]){{"job", of->job->name}, {0}}, of->dead_letters);
}

static void write_waiting(struct buf *out, const char *name, const struct job_metrics *of)
{
    for (size_t i = 0; i < of->job->n_to; i++) {
        const struct sink_metrics *sink = &of->sinks[i];
        int waiting = sink->waiting;
        add_count(out, name, "",
                  (struct label[]){{"job", of->job->name}, {"sink", sink->place->place->name}, {0}},
                  waiting > 0 ? (uint64_t)waiting : 0);
    }
}

static void write_runs(struct buf *out, const char *name, const struct job_metrics *of)
{
    const char *job = of->job->name;
    add_count(out, name, "", (struct label[]){{"job", job}, {"result", "complete"}, {0}},
              of->complete_runs);
    add_count(out, name, "", (struct label[]){{"job", job}, {"result", "incomplete"}, {0}},
              of->incomplete_runs);
}

static void write_run_seconds(struct buf *out, const char *name, const struct job_metrics *of)
{
    add_histogram(out, name, (struct label){"job", of->job->name}, &of->run_seconds,
                  metrics_run_bounds_ns);
}

static void write_next_run(struct buf *out, const char *name, const struct job_metrics *of)
{
    int64_t due_ns = of->next_run_ns;
    if (due_ns > 0 && due_ns != INT64_MAX) {
        add_seconds(out, name, "", (struct label[]){{"job", of->job->name}, {0}}, (uint64_t)due_ns);
    }
}

/* --- of a place --- */

static void write_requests(struct buf *out, const char *name, const struct place_metrics *of)
{
    static const char *const results[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    for (size_t i = 0; i < REQUEST_RESULTS; i++) {
        add_count(out, name, "",
                  (struct label[]){{"place", of->place->name}, {"code", results[i]}, {0}},
                  of->requests[i]);
    }
}

static void write_retries(struct buf *out, const char *name, const struct place_metrics *of)
{
    add_count(out, name, "", (struct label[]){{"place", of->place->name}, {0}}, of->retries);
}

static void write_request_seconds(struct buf *out, const char *name, const struct place_metrics *of)
{
    add_histogram(out, name, (struct label){"place", of->place->name}, &of->seconds,
                  metrics_request_bounds_ns);
}

/* --- asked at the moment --- */

static void write_well(struct buf *out, const char *name, const struct job_metrics *of,
                       const struct job_health *health)
{
    add_count(out, name, "", (struct label[]){{"job", of->job->name}, {0}}, health->is_well);
}

static void write_good_window(struct buf *out, const char *name, const struct job_metrics *of,
                              const struct job_health *health)
{
    if (health->good_to_ns > 0) {
        add_seconds(out, name, "", (struct label[]){{"job", of->job->name}, {0}},
                    (uint64_t)health->good_to_ns);
    }
}

/* --- all of them --- */

/* One of the writers is there. */
static const struct family {
    const char *name, *type, *help;
    void (*of_job)(struct buf *out, const char *name, const struct job_metrics *of);
    void (*of_place)(struct buf *out, const char *name, const struct place_metrics *of);
    void (*of_health)(struct buf *out, const char *name, const struct job_metrics *of,
                      const struct job_health *health);
} families[] = {
    {"objects_total", "counter", "Objects that came to an end, by how.", .of_job = write_objects},
    {"read_bytes_total", "counter", "Bytes of objects read, as they are stored.",
     .of_job = write_read_bytes},
    {"inflated_bytes_total", "counter", "Bytes of objects read, inflated.",
     .of_job = write_inflated_bytes},
    {"records_total", "counter", "Records of those objects, by the parser that knew them.",
     .of_job = write_records},
    {"points_total", "counter", "What became of the records at each sink.", .of_job = write_points},
    {"dead_letters_total", "counter", "Dead letters, those that were only counted included.",
     .of_job = write_dead_letters},
    {"sink_waiting_workers", "gauge", "Workers that wait for the sink, or for their turn by rate.",
     .of_job = write_waiting},
    {"runs_total", "counter", "Runs that ended.", .of_job = write_runs},
    {"run_seconds", "histogram", "How long runs took.", .of_job = write_run_seconds},
    {"next_run_seconds", "gauge", "When the next run is due, in seconds since 1970.",
     .of_job = write_next_run},
    {"last_good_window_seconds", "gauge",
     "Up to when all is moved: the end of the good window, in seconds since 1970.",
     .of_health = write_good_window},
    {"job_well", "gauge", "1 when the last run was complete and on time, as status --check says.",
     .of_health = write_well},
    {"http_requests_total", "counter",
     "Requests sent, by the class of the reply's code; none = no whole reply came.",
     .of_place = write_requests},
    {"http_retries_total", "counter", "Requests that repeat the one before, which had failed.",
     .of_place = write_retries},
    {"http_request_seconds", "histogram",
     "How long requests were waited for; work done meanwhile, or on what came, does not count.",
     .of_place = write_request_seconds},
};

static void write_family(const struct family *family, const struct metrics *metrics,
                         const struct job_health *health, struct buf *out)
{
    buf_printf(out, "# HELP loggateway_%s %s\n# TYPE loggateway_%s %s\n", family->name,
               family->help, family->name, family->type);
    for (size_t i = 0; i < metrics->config->n_jobs; i++) {
        if (family->of_job) {
            family->of_job(out, family->name, &metrics->jobs[i]);
        } else if (family->of_health) {
            family->of_health(out, family->name, &metrics->jobs[i], &health[i]);
        }
    }
    for (size_t i = 0; family->of_place && i < metrics->n_places; i++) {
        family->of_place(out, family->name, &metrics->places[i]);
    }
}

void metrics_write(const struct metrics *metrics, const struct job_health *jobs, struct buf *out)
{
    buf_add_text(out, "# HELP loggateway_build_info The program.\n"
                      "# TYPE loggateway_build_info gauge\n");
    add_count(out, "build_info", "", (struct label[]){{"version", LOGGATEWAY_VERSION}, {0}}, 1);
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        write_family(&families[i], metrics, jobs, out);
    }
}
