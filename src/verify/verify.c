/* verify: what is in question, and the differences. See verify.h. */
#include "verify/verify.h"

#include "base/memory.h"
#include "base/timestamp.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void verify_set_days(struct verify *verify, struct window window)
{
    int32_t first = timestamp_day(window.from_ns), last = timestamp_day(window.to_ns - 1);
    verify->from_day = first < VERIFY_DAY_FIRST ? VERIFY_DAY_FIRST : first;
    verify->to_day = (last > VERIFY_DAY_LAST ? VERIFY_DAY_LAST : last) + 1;
}

static bool writes_to(const struct job_config *job, const struct place_config *place)
{
    for (size_t i = 0; i < job->n_to; i++) {
        if (job->to[i] == place) {
            return true;
        }
    }
    return false;
}

/* --- differences --- */

uint64_t verify_left(const struct verify *verify)
{
    uint64_t left = 0;
    for (size_t i = 0; i < verify->n_jobs; i++) {
        left += verify->jobs[i].objects[OBJECT_LISTED] + verify->jobs[i].objects[OBJECT_FAILED];
    }
    return left;
}

static uint64_t count(const struct verify_differences *differences)
{
    return differences->n + differences->beyond;
}

/* Sinks that lack objects, and a source that could not be asked. */
static uint64_t count_places(const struct verify_job *job)
{
    uint64_t differences = job->listed.listing == VERIFY_LISTED_FAILED;
    for (size_t sink = 0; sink < LEDGER_SINKS_MAX; sink++) {
        differences += job->sinks[sink].missing > 0;
    }
    return differences;
}

uint64_t verify_count_differences(const struct verify *verify)
{
    uint64_t differences = count(&verify->objects) + count(&verify->waiting) +
                           count(&verify->lost) + count(&verify->days);
    for (size_t i = 0; i < verify->n_sinks; i++) {
        differences += verify->sinks[i].counting == VERIFY_COUNTED_NOT;
    }
    for (size_t i = 0; i < verify->n_jobs; i++) {
        differences += verify->jobs[i].wanted ? count_places(&verify->jobs[i]) : 0;
    }
    return verify->ledger ? differences : differences + 1;
}

static uint64_t count_of_sink(const struct verify_sink *sink)
{
    uint64_t differences = sink->counting == VERIFY_COUNTED_NOT;
    for (size_t i = 0; i < sink->n_series; i++) {
        differences += sink->series[i].different_days;
    }
    return differences;
}

uint64_t verify_count_of_job(const struct verify *verify, const struct verify_job *job)
{
    uint64_t differences = job->objects_different + count_places(job);
    for (size_t i = 0; i < verify->n_sinks; i++) {
        if (writes_to(job->config, verify->sinks[i].place)) {
            differences += count_of_sink(&verify->sinks[i]);
        }
    }
    return differences;
}

struct verify_difference *verify_add(struct verify_differences *differences)
{
    if (differences->n == VERIFY_DIFFERENCES_MAX) {
        differences->beyond++;
        return NULL;
    }
    return &differences->at[differences->n++];
}

void verify_add_object(struct verify *verify, struct verify_differences *differences,
                       const char *job, const char *sink, struct slice key, const char *format, ...)
{
    struct verify_job *of = verify_job_named(verify, job);
    struct verify_difference *difference = verify_add(differences);
    if (of) {
        of->objects_different++;
    }
    if (!difference) {
        return;
    }
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct arena *texts = &verify->texts;
    difference->job = arena_text(texts, slice_of(job));
    difference->sink = sink ? arena_text(texts, slice_of(sink)) : NULL;
    difference->text = arena_text(texts, slice_of(text));
    difference->gone = key.len == 0;
    if (!difference->gone) {
        difference->keys[difference->n_keys++] = arena_text(texts, key);
    }
}

/* --- by name --- */

struct verify_sink *verify_sink_named(struct verify *verify, const char *name)
{
    for (size_t i = 0; i < verify->n_sinks; i++) {
        if (strcmp(verify->sinks[i].place->name, name) == 0) {
            return &verify->sinks[i];
        }
    }
    return NULL;
}

struct verify_job *verify_job_named(struct verify *verify, const char *name)
{
    for (size_t i = 0; i < verify->n_jobs; i++) {
        if (strcmp(verify->jobs[i].config->name, name) == 0) {
            return &verify->jobs[i];
        }
    }
    return NULL;
}

const char *verify_day_text(int32_t day, char text[VERIFY_DAY_BYTES])
{
    char whole[TIMESTAMP_TEXT_BYTES];
    timestamp_format(day * NS_PER_DAY, whole);
    memcpy(text, whole, VERIFY_DAY_BYTES - 1);
    text[VERIFY_DAY_BYTES - 1] = '\0';
    return text;
}

static struct verify_series *find_series(struct verify_sink *sink, const char *measurement)
{
    for (size_t i = 0; i < sink->n_series; i++) {
        size_t at = (sink->last_series + i) % sink->n_series;
        if (strcmp(sink->series[at].measurement, measurement) == 0) {
            sink->last_series = at;
            return &sink->series[at];
        }
    }
    return NULL;
}

struct verify_series *verify_series_named(struct verify *verify, struct verify_sink *sink,
                                          const char *measurement)
{
    struct verify_series *known = find_series(sink, measurement);
    if (known) {
        return known;
    }
    sink->series = memory_grow(sink->series, (sink->n_series + 1) * sizeof *sink->series);
    struct verify_series *series = &sink->series[sink->n_series++];
    *series = (struct verify_series){
        .measurement = arena_text(&verify->texts, slice_of(measurement)),
        .days = memory_new(VERIFY_DAYS * sizeof *series->days),
    };
    return series;
}

/* --- what is in question --- */

static const char *message_field(const struct parser *parser)
{
    for (size_t i = 0; i < parser->n_columns; i++) {
        if (parser->columns[i].kind == MESSAGE) {
            return parser->columns[i].name; /* every point has it */
        }
    }
    return NULL;
}

static void add_parser(struct verify *verify, struct verify_sink *sink, const struct parser *parser)
{
    struct verify_series *series = verify_series_named(verify, sink, parser->measurement);
    const char *field = message_field(parser);
    if (!series->configured) {
        series->field = field;
    } else if (series->field && (!field || strcmp(field, series->field) != 0)) {
        series->field = NULL;
    }
    series->configured = true;
}

static void add_sink(struct verify *verify, const struct place_config *place)
{
    if (verify_sink_named(verify, place->name)) {
        return;
    }
    verify->sinks = memory_grow(verify->sinks, (verify->n_sinks + 1) * sizeof *verify->sinks);
    struct verify_sink *sink = &verify->sinks[verify->n_sinks++];
    *sink = (struct verify_sink){.place = place, .kept_from_ns = INT64_MIN};
    const struct config *config = verify->config;
    for (size_t i = 0; i < config->n_jobs; i++) {
        const struct job_config *job = &config->jobs[i];
        for (size_t parser = 0; writes_to(job, place) && parser < job->n_parse; parser++) {
            add_parser(verify, sink, job->parse[parser]);
        }
    }
}

static bool shares_sink(struct verify *verify, const struct job_config *job)
{
    for (size_t i = 0; i < job->n_to; i++) {
        if (verify_sink_named(verify, job->to[i]->name)) {
            return true;
        }
    }
    return false;
}

static bool is_wanted(const struct job_config *job, const char *name)
{
    return !name || strcmp(job->name, name) == 0;
}

static void add_sinks_of(struct verify *verify, const struct job_config *job,
                         const struct place_config *only)
{
    for (size_t i = 0; i < job->n_to; i++) {
        if (!only || job->to[i] == only) {
            add_sink(verify, job->to[i]);
        }
    }
}

enum status verify_choose(struct verify *verify, const char *name, const struct place_config *only,
                          struct err *err)
{
    const struct config *config = verify->config;
    for (size_t i = 0; i < config->n_jobs; i++) {
        if (is_wanted(&config->jobs[i], name)) {
            add_sinks_of(verify, &config->jobs[i], only);
        }
    }
    verify->jobs = memory_new(config->n_jobs * sizeof *verify->jobs);
    for (size_t i = 0; i < config->n_jobs; i++) {
        const struct job_config *job = &config->jobs[i];
        if (shares_sink(verify, job)) {
            verify->jobs[verify->n_jobs++] =
                (struct verify_job){.config = job, .wanted = is_wanted(job, name), .unmatched = -1};
        }
    }
    return verify->n_jobs ? OK
                          : err_set(err, BAD_CONFIG, "no job named '%s' in %s", name, config->path);
}

void verify_finish(struct verify *verify)
{
    for (size_t i = 0; i < verify->n_sinks; i++) {
        for (size_t series = 0; series < verify->sinks[i].n_series; series++) {
            free(verify->sinks[i].series[series].days);
        }
        free(verify->sinks[i].series);
    }
    for (size_t i = 0; i < verify->n_jobs; i++) {
        free(verify->jobs[i].windows);
    }
    free(verify->sinks);
    free(verify->jobs);
    arena_finish(&verify->texts);
    ledger_close(verify->ledger);
}
