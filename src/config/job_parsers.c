/*
 * job_parsers: the parsers of one job: those that `parse:` names, built-in or declared, with the
 * tags that `fields:` takes out of the series. Called by config/jobs; parsers are declared in
 * config/parsers.
 */
#include "config/loader.h"

#include "config/nearest.h"

/* --- parse --- */

/* A parser by its name; the nearest of the others is found on the way. */
static const struct parser *look_up(const struct loader *loader, struct nearest *nearest)
{
    const struct config *config = loader->config;
    for (size_t i = 0; i < config->n_parsers; i++) {
        if (slice_is(nearest->wanted, config->parsers[i]->about.name)) {
            return config->parsers[i];
        }
        nearest_offer(nearest, slice_of(config->parsers[i]->about.name));
    }
    for (const struct parser *const *parser = loader->reader.sources->parsers; *parser; parser++) {
        if (slice_is(nearest->wanted, (*parser)->about.name)) {
            return *parser;
        }
        nearest_offer(nearest, slice_of((*parser)->about.name));
    }
    return NULL;
}

static const struct parser *find_parser(const struct loader *loader, const char *where,
                                        const struct option_text *name)
{
    struct nearest nearest = {.wanted = name->text};
    const struct parser *parser = look_up(loader, &nearest);
    if (!parser) {
        char hint[NEAREST_HINT_BYTES];
        struct slice shown = problem_excerpt(name->text);
        problem_add(loader->reader.problems, name->at, "%s: there is no parser %.*s%s", where,
                    SLICE_ARG(shown), nearest_hint(&nearest, hint));
    }
    return parser;
}

static void add_parser(const struct loader *loader, const char *where, struct job_config *job,
                       const struct option_text *name)
{
    const struct parser *parser = find_parser(loader, where, name);
    if (!parser) {
        return;
    }
    for (size_t i = 0; i < job->n_parse; i++) {
        if (job->parse[i] == parser) {
            problem_twice(loader, where, name);
            return;
        }
    }
    job->parse[job->n_parse++] = parser;
}

/* By default all parsers of Lyve Cloud's records. */
static void take_lyve_parsers(const struct loader *loader, struct job_config *job)
{
    const struct parser *const *parsers = loader->reader.sources->parsers;
    size_t n = 0;
    while (parsers[n]) {
        n++;
    }
    job->parse = arena_take(loader->reader.arena, n * sizeof *job->parse);
    for (size_t i = 0; i < n; i++) {
        if (slice_starts(slice_of(parsers[i]->about.name), "lyve_")) {
            job->parse[job->n_parse++] = parsers[i];
        }
    }
}

static void read_parse(const struct loader *loader, const char *job_path, const struct node *map,
                       struct job_config *job)
{
    const struct node *node = node_get(map, "parse");
    const char *where = option_path(&loader->reader, job_path, "parse");
    if (!node || node_is_null(node)) {
        take_lyve_parsers(loader, job);
        if (job->n_parse == 0) {
            problem_add(loader->reader.problems, map->at, "%s: required (names of parsers)", where);
        }
        return;
    }
    struct option_text *names;
    size_t count;
    if (!option_read_texts(&loader->reader, where, node, &names, &count)) {
        return;
    }
    job->parse = arena_take(loader->reader.arena, count * sizeof *job->parse);
    for (size_t i = 0; i < count; i++) {
        add_parser(loader, where, job, &names[i]);
    }
    if (count == 0) {
        problem_add(loader->reader.problems, node_position(node), "%s: names no parser", where);
    }
}

/* --- fields --- */

static bool is_tag(const struct column *column)
{
    return column->kind == TAG || column->kind == TAG_ADDRESS;
}

/* The job gets tables of its own: other jobs keep theirs. */
static struct column **copy_tables(const struct loader *loader, struct job_config *job)
{
    struct arena *arena = loader->reader.arena;
    struct column **columns = arena_take(arena, job->n_parse * sizeof *columns);
    for (size_t i = 0; i < job->n_parse; i++) {
        struct parser *copy = arena_take(arena, sizeof *copy);
        *copy = *job->parse[i];
        size_t size = copy->n_columns * sizeof **columns;
        columns[i] = arena_take(arena, size);
        if (size) {
            memcpy(columns[i], copy->columns, size);
        }
        copy->columns = columns[i];
        job->parse[i] = copy;
    }
    return columns;
}

/* Makes the tag of that name a text field, in every table that has it; false: none has. */
static bool demote(const struct job_config *job, struct column **columns, struct slice name)
{
    bool found = false;
    for (size_t i = 0; i < job->n_parse; i++) {
        for (size_t j = 0; j < job->parse[i]->n_columns; j++) {
            struct column *column = &columns[i][j];
            if (is_tag(column) && slice_is(name, column->name)) {
                column->kind = TEXT;
                found = true;
            }
        }
    }
    return found;
}

static void report_no_tag(const struct loader *loader, const char *where,
                          const struct job_config *job, const struct option_text *name)
{
    struct nearest nearest = {.wanted = name->text};
    for (size_t i = 0; i < job->n_parse; i++) {
        for (size_t j = 0; j < job->parse[i]->n_columns; j++) {
            const struct column *column = &job->parse[i]->columns[j];
            if (is_tag(column)) {
                nearest_offer(&nearest, slice_of(column->name));
            }
        }
    }
    char hint[NEAREST_HINT_BYTES];
    struct slice shown = problem_excerpt(name->text);
    problem_add(loader->reader.problems, name->at, "%s: no parser of the job has a tag %.*s%s",
                where, SLICE_ARG(shown), nearest_hint(&nearest, hint));
}

static bool is_repeated(const struct option_text *names, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (slice_equal(names[j].text, names[i].text)) {
            return true;
        }
    }
    return false;
}

static void read_fields(const struct loader *loader, const char *job_path, const struct node *map,
                        struct job_config *job)
{
    const struct node *node = node_get(map, "fields");
    const char *where = option_path(&loader->reader, job_path, "fields");
    struct option_text *names;
    size_t count;
    if (!node || !option_read_texts(&loader->reader, where, node, &names, &count) || count == 0) {
        return;
    }
    struct column **columns = copy_tables(loader, job);
    for (size_t i = 0; i < count; i++) {
        if (is_repeated(names, i)) {
            problem_twice(loader, where, &names[i]);
        } else if (!demote(job, columns, names[i].text) && !loader->has_broken_parsers) {
            report_no_tag(loader, where, job, &names[i]);
        }
    }
}

void job_read_parsers(const struct loader *loader, const char *job_path, const struct node *map,
                      struct job_config *job)
{
    read_parse(loader, job_path, map, job);
    read_fields(loader, job_path, map, job);
}
