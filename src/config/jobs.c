/*
 * jobs: the jobs of the configuration, in either form, with what they refer to. Called by
 * config/config; the stanzas themselves are read by config/places.
 * What a job parses with is for config/job_parsers.
 */
#include "config/loader.h"

#include "base/timestamp.h"
#include "data/record.h"

#include <stdio.h>

/* Of one job; the ledger keeps counts for as many (LEDGER_SINKS_MAX). */
enum { JOB_SINKS_MAX = 8, NAME_MAX_BYTES = 64 };

static const char *const message_modes[] = {
    [MESSAGE_RAW] = "raw", [MESSAGE_FLAT] = "flat", [MESSAGE_NONE] = "none", NULL};

#define AT(member) offsetof(struct job_options, member)
#define GIB INT64_C(1073741824)

const struct option config_job_options[] = {
    {"workers", OPTION_INT, AT(workers), "2", .min = 1, .max = 64,
     .help = "objects that are read at the same time, each with its own connections"},
    {"message", OPTION_CHOICE, AT(message), "raw", .choices = message_modes,
     .help = "the field message: the record as it is, with dotted keys, or empty"},
    {"max_object_bytes", OPTION_BYTES, AT(max_object_bytes), "32GiB", .min = 1, .max = 1024 * GIB,
     .help = "largest object, inflated; a larger one is quarantined"},
    {"max_ratio", OPTION_INT, AT(max_ratio), "250", .min = 1, .max = 100000,
     .help = "most inflated bytes per stored byte beyond the first 64 MiB"},
    {"look_back", OPTION_DURATION_NS, AT(look_back_ns), "35d", .max = 3660 * NS_PER_DAY,
     .help = "how far before the window folders are listed too, for objects delivered late"},
    {"schedule", OPTION_TEXT, AT(schedule), "0 * * * *",
     .help = "when `run` runs the job: five cron fields, six with seconds first, or @hourly and "
             "the like"},
    {"timezone", OPTION_TEXT, AT(timezone), "UTC",
     .help = "time zone of the schedule, such as Europe/Berlin"},
    {"start", OPTION_DURATION_NS, AT(start_ns), "30d", .max = 36600 * NS_PER_DAY,
     .help = "scheduled runs read what was delivered since so long before the job's first run"},
    {"rate", OPTION_INT, AT(rate), "0", .max = 1000000000,
     .help = "points written a second at most, so that a backfill leaves the database time for "
             "others; 0 = no limit"},
    {0},
};

void problem_twice(const struct loader *loader, const char *where, const struct option_text *name)
{
    struct slice shown = problem_excerpt(name->text);
    problem_add(loader->reader.problems, name->at, "%s: %.*s is given twice", where,
                SLICE_ARG(shown));
}

/* --- places --- */

static void check_readable(const struct loader *loader, const char *where, struct position at,
                           const struct place_config *place)
{
    if (!place->module->list) {
        problem_add(loader->reader.problems, at, "%s: %s is of type %s, which cannot be read from",
                    where, place->name, place->module->about.name);
    }
}

static void add_sink(struct loader *loader, const char *where, struct job_config *job,
                     const struct option_text *name)
{
    const struct place_config *place = place_find(loader, where, name);
    if (!place) {
        return;
    }
    for (size_t i = 0; i < job->n_to; i++) {
        if (job->to[i] == place) {
            problem_twice(loader, where, name);
            return;
        }
    }
    if (!place->module->put) {
        problem_add(loader->reader.problems, name->at,
                    "%s: %s is of type %s, which cannot be written to", where, place->name,
                    place->module->about.name);
        return;
    }
    job->to[job->n_to++] = place;
}

/* node: the list of the sinks' names. */
static void read_sinks(struct loader *loader, const char *where, const struct node *node,
                       struct job_config *job)
{
    struct option_text *names;
    size_t count;
    if (!option_read_texts(&loader->reader, where, node, &names, &count)) {
        return;
    }
    if (count == 0 || count > JOB_SINKS_MAX) {
        problem_add(loader->reader.problems, node_position(node), "%s: must name 1 to %d stanzas",
                    where, JOB_SINKS_MAX);
        return;
    }
    job->to = arena_take(loader->reader.arena, count * sizeof *job->to);
    for (size_t i = 0; i < count; i++) {
        add_sink(loader, where, job, &names[i]);
    }
}

/* --- the flat form --- */

void jobs_read_flat(struct loader *loader)
{
    struct problems *problems = loader->reader.problems;
    struct job_config *job = arena_take(loader->reader.arena, sizeof *job);
    *job = (struct job_config){.name = "lyvecloud"};
    loader->config->jobs = job;
    loader->config->n_jobs = 1;

    const struct node *from = node_get(loader->root, "lyvecloud");
    if (from) {
        job->from = place_read_flat(loader, from, &job->options);
        job_read_parsers(loader, "lyvecloud", from, job);
    } else {
        problem_add(problems, loader->root->at, "lyvecloud: required (the bucket to read from)");
    }
    if (job->from) {
        check_readable(loader, "lyvecloud.type", from->key_at, job->from);
    }
    const struct node *to = node_get(loader->root, "datasources");
    if (to) {
        read_sinks(loader, "datasources", to, job);
    } else {
        problem_add(problems, loader->root->at,
                    "datasources: required (the stanzas to write to, such as [influxdb])");
    }
}

/* --- the general form --- */

bool name_is_plain(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char byte = name.at[i];
        bool is_letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
        bool is_digit = byte >= '0' && byte <= '9';
        if (!is_letter && !is_digit && byte != '_' && byte != '.' && byte != '-') {
            return false;
        }
    }
    return name.len >= 1 && name.len <= NAME_MAX_BYTES;
}

static bool is_name_taken(const struct loader *loader, struct slice name)
{
    for (size_t i = 0; i < loader->config->n_jobs; i++) {
        const char *other = loader->config->jobs[i].name;
        if (other && slice_is(name, other)) {
            return true;
        }
    }
    return false;
}

/* The value of a key that a job must have; NULL: it was reported. */
static const struct node *required_node(const struct loader *loader, const char *job_path,
                                        const struct node *map, const char *key, const char *help)
{
    const struct node *node = node_get(map, key);
    if (!node || node_is_null(node)) {
        problem_add(loader->reader.problems, node ? node->key_at : map->at, "%s.%s: required (%s)",
                    job_path, key, help);
        return NULL;
    }
    return node;
}

static void read_name(const struct loader *loader, const char *job_path, const struct node *map,
                      struct job_config *job)
{
    const char *where = option_path(&loader->reader, job_path, "name");
    const struct node *node =
        required_node(loader, job_path, map, "name", "what logs and commands call this job");
    struct option_text name;
    if (!node || !option_read_text(&loader->reader, where, node, &name)) {
        return;
    }
    if (!name_is_plain(name.text)) {
        problem_add(loader->reader.problems, name.at,
                    "%s: must be 1 to %d letters, digits, dots, hyphens or underscores", where,
                    NAME_MAX_BYTES);
        return;
    }
    if (is_name_taken(loader, name.text)) {
        problem_add(loader->reader.problems, name.at, "%s: another job has the name %s", where,
                    name.text.at);
        return;
    }
    job->name = name.text.at;
}

static void read_from(struct loader *loader, const char *job_path, const struct node *map,
                      struct job_config *job)
{
    const char *where = option_path(&loader->reader, job_path, "from");
    const struct node *node =
        required_node(loader, job_path, map, "from", "the stanza to read from");
    struct option_text name;
    if (!node || !option_read_text(&loader->reader, where, node, &name)) {
        return;
    }
    if (name.text.len == 0) {
        problem_add(loader->reader.problems, name.at, "%s: is empty", where);
        return;
    }
    job->from = place_find(loader, where, &name);
    if (job->from) {
        check_readable(loader, where, name.at, job->from);
    }
}

static void read_to(struct loader *loader, const char *job_path, const struct node *map,
                    struct job_config *job)
{
    const struct node *node = required_node(loader, job_path, map, "to", "the stanzas to write to");
    if (node) {
        read_sinks(loader, option_path(&loader->reader, job_path, "to"), node, job);
    }
}

static void read_job(struct loader *loader, const char *job_path, const struct node *map,
                     struct job_config *job)
{
    static const char *const also[] = {"name", "from", "parse", "fields", "to", NULL};
    if (map->kind != NODE_MAP) {
        problem_add(loader->reader.problems, map->at, "%s: must be a mapping with name, from, to",
                    job_path);
        return;
    }
    const struct option_set set = {config_job_options, &job->options};
    options_read(&loader->reader, job_path, map, &set, 1, also);
    read_name(loader, job_path, map, job);
    read_from(loader, job_path, map, job);
    job_read_parsers(loader, job_path, map, job);
    read_to(loader, job_path, map, job);
}

void jobs_read_general(struct loader *loader)
{
    const struct node *list = node_get(loader->root, "jobs");
    if (list->kind != NODE_LIST || list->count == 0) {
        problem_add(loader->reader.problems, node_position(list),
                    "jobs: must be a list of jobs, at least one");
        return;
    }
    struct config *config = loader->config;
    config->jobs = arena_take(loader->reader.arena, list->count * sizeof *config->jobs);
    for (const struct node *node = list->first; node; node = node->next) {
        char job_path[32];
        snprintf(job_path, sizeof job_path, "jobs[%zu]", config->n_jobs);
        struct job_config *job = &config->jobs[config->n_jobs];
        *job = (struct job_config){0};
        read_job(loader, job_path, node, job);
        config->n_jobs++;
    }
}
