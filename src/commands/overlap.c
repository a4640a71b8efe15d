/* overlap: see overlap.h. */
#include "commands/overlap.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "data/folders.h"
#include "run/place.h"
#include "run/world.h"

#include <stdlib.h>
#include <string.h>

/* Where a stanza reads or writes. */
struct spot {
    const char *job, *stanza;
    char *endpoint;
    char *folder;   /* bucket, '/' and what all keys begin with */
    char *template; /* of a source */
};

static void spot_free(struct spot *spot)
{
    free(spot->endpoint);
    free(spot->folder);
    free(spot->template);
}

/* The path without links, as far as there is one. */
static char *real_folder(const struct place *place)
{
    char *real = strcmp(place->endpoint, "/") == 0 ? realpath(place->bucket, NULL) : NULL;
    return real ? real : memory_copy(place->bucket, strlen(place->bucket));
}

static void spot_fill(struct spot *spot, const struct place *place, const char *keys)
{
    CLEANUP_FREE char *bucket = real_folder(place);
    CLEANUP(buf_finish) struct buf folder = {.max = 64 * 1024};
    size_t len = strlen(bucket);
    while (len > 0 && bucket[len - 1] == '/') {
        len--;
    }
    buf_printf(&folder, "%.*s/%s", (int)len, bucket, keys);
    spot->endpoint = memory_copy(place->endpoint, strlen(place->endpoint));
    spot->folder = memory_copy(buf_text(&folder), folder.len);
    spot->template = memory_copy(place->folders, strlen(place->folders));
}

/* False: not such a place, or its options are wrong, which `check` says. */
static bool spot_of(struct spot *spot, const struct job_config *job,
                    const struct place_config *stanza, bool writes, const struct log *log)
{
    struct host_world host;
    struct err err;
    struct place place = {0};
    const struct datasource *module = stanza->module;
    if (writes && !module->target) {
        return false;
    }
    host_world_init(&host, log, job->name, NULL);
    CLEANUP_FREE void *self = place_instance(stanza);
    bool is_open = module->open(self, &host.world, &err) == OK;
    if (is_open) {
        (writes ? module->target : module->place)(self, &place);
        *spot = (struct spot){.job = job->name, .stanza = stanza->name};
        spot_fill(spot, &place, writes ? place.folders : "");
    }
    module->close(self);
    host_world_finish(&host);
    return is_open;
}

/* Whether the source would list what the sink writes. */
static bool feeds(const struct spot *sink, const struct spot *source)
{
    struct slice written = slice_of(sink->folder);
    struct folders folders;
    struct err err;
    if (strcmp(sink->endpoint, source->endpoint) != 0 || !slice_starts(written, source->folder)) {
        return false;
    }
    size_t above = strlen(source->folder);
    struct slice first = slice_make(written.at + above, written.len - above);
    const char *slash = first.len ? memchr(first.at, '/', first.len) : NULL;
    if (!slash) {
        return first.len == 0; /* the very folder; any other ends with a slash */
    }
    first.len = (size_t)(slash - first.at) + 1;
    return folders_parse(&folders, source->template, &err) == OK &&
           folders_match_first(&folders, first);
}

static bool is_same(const struct spot *a, const struct spot *b)
{
    return strcmp(a->endpoint, b->endpoint) == 0 && strcmp(a->folder, b->folder) == 0;
}

struct spots {
    struct spot *at;
    size_t count;
};

static void spots_free(struct spots *spots)
{
    for (size_t i = 0; i < spots->count; i++) {
        spot_free(&spots->at[i]);
    }
    free(spots->at);
}

static enum status add_sink(struct spots *sinks, const struct spot *sink, struct err *err)
{
    for (size_t i = 0; i < sinks->count; i++) {
        const struct spot *other = &sinks->at[i];
        if (is_same(sink, other)) {
            return err_set(err, BAD_CONFIG,
                           "job %s: %s writes where %s of job %s does: give each sink of each job "
                           "a folder or prefix of its own",
                           sink->job, sink->stanza, other->stanza, other->job);
        }
    }
    sinks->at = memory_grow(sinks->at, (sinks->count + 1) * sizeof *sinks->at);
    sinks->at[sinks->count++] = *sink;
    return OK;
}

static enum status check_sink(struct spots *sinks, const struct spot *source,
                              const struct spot *sink, struct err *err)
{
    if (source && feeds(sink, source)) {
        return err_set(err, BAD_CONFIG,
                       "job %s: %s writes where %s reads, and would be read again: give it another "
                       "folder or prefix",
                       sink->job, sink->stanza, source->stanza);
    }
    return add_sink(sinks, sink, err);
}

static enum status check_job(struct spots *sinks, const struct job_config *job,
                             const struct log *log, struct err *err)
{
    CLEANUP(spot_free) struct spot source = {0};
    bool is_known = spot_of(&source, job, job->from, false, log);
    enum status status = OK;
    for (size_t i = 0; i < job->n_to && status == OK; i++) {
        struct spot sink;
        if (!spot_of(&sink, job, job->to[i], true, log)) {
            continue;
        }
        status = check_sink(sinks, is_known ? &source : NULL, &sink, err);
        if (status != OK) {
            spot_free(&sink);
        }
    }
    return status;
}

enum status overlap_check(const struct config *config, const struct log *log, struct err *err)
{
    CLEANUP(spots_free) struct spots sinks = {0};
    enum status status = OK;
    for (size_t i = 0; i < config->n_jobs && status == OK; i++) {
        status = check_job(&sinks, &config->jobs[i], log, err);
    }
    return status;
}
