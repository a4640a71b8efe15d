/* sample: see sample.h. */
#include "commands/sample.h"

#include "base/arena.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "data/folders.h"
#include "run/pipeline.h"
#include "run/place.h"
#include "run/world.h"

#include <stdlib.h>

enum {
    OBJECTS_MAX = 5,
    OBJECT_MAX_BYTES = 8 * 1024 * 1024,
    INFLATED_MAX_BYTES = 256 * 1024 * 1024,
    FOLDERS_LISTED_MAX = 100, /* empty ones, from the newest back */
    KEYS_LISTED_MAX = 100000, /* of a folder: in a larger one, the newest of its first keys */
};

/* How far back a folder may be. */
static const int64_t past_ns = 365 * NS_PER_DAY;

struct newest {
    struct object object;
    char key[OBJECT_KEY_MAX_BYTES];
};

struct sample {
    struct listing listing;
    struct intake intake;
    struct point_sink sink;
    const struct datasource *source;
    void *self;
    struct place place;
    struct pipeline *pipeline;
    struct tag_counts *counts;

    struct arena names; /* of the folders */
    const char **folders;
    size_t n_folders, n_listed; /* keys */
    struct newest newest[OBJECTS_MAX];
    size_t n_newest;

    int64_t n_bytes; /* of the object being read */
    bool is_enough;
};

/* --- which objects --- */

static void keep(struct newest *to, const struct object *object)
{
    to->object = *object;
    memcpy(to->key, object->key.at, object->key.len);
    to->object.key.at = NULL; /* it is in to->key, which may move */
}

/* The newest come first. */
static enum status take_object(struct listing *listing, const struct object *object,
                               struct err *err)
{
    struct sample *sample = (struct sample *)listing; /* the first member */
    if (++sample->n_listed > KEYS_LISTED_MAX) {
        sample->is_enough = true;
        return err_set(err, AGAIN, "enough keys");
    }
    if (object->key.len > OBJECT_KEY_MAX_BYTES || place_ignores(&sample->place, object->key)) {
        return OK;
    }
    size_t at = sample->n_newest;
    while (at > 0 && sample->newest[at - 1].object.last_modified_ns < object->last_modified_ns) {
        at--;
    }
    if (at == OBJECTS_MAX) {
        return OK;
    }
    sample->n_newest += sample->n_newest < OBJECTS_MAX;
    memmove(&sample->newest[at + 1], &sample->newest[at],
            (sample->n_newest - at - 1) * sizeof *sample->newest);
    keep(&sample->newest[at], object);
    return OK;
}

static enum status take_folder(void *with, struct slice prefix, struct err *err)
{
    struct sample *sample = with;
    (void)err;
    if (sample->n_folders % FOLDERS_LISTED_MAX == 0) {
        size_t room = sample->n_folders + FOLDERS_LISTED_MAX;
        sample->folders = memory_grow(sample->folders, room * sizeof *sample->folders);
    }
    sample->folders[sample->n_folders++] = arena_text(&sample->names, prefix);
    return OK;
}

static enum status list_folder(struct sample *sample, const char *folder, struct err *err)
{
    sample->n_listed = 0;
    sample->is_enough = false;
    enum status status =
        sample->source->list(sample->self, slice_of(folder), false, &sample->listing, err);
    return sample->is_enough ? OK : status;
}

/* From the newest folder back to the first that has objects. */
static enum status find_newest(struct sample *sample, int64_t now_ns, struct err *err)
{
    struct folders folders;
    sample->source->place(sample->self, &sample->place);
    const struct window window = {now_ns - past_ns, now_ns};
    enum status status = folders_parse(&folders, sample->place.folders, err);
    if (status == OK) {
        status = folders_each(&folders, window, 0, take_folder, sample, err);
    }
    for (size_t i = 0; i < FOLDERS_LISTED_MAX && i < sample->n_folders; i++) {
        if (status != OK || sample->n_newest) {
            break;
        }
        status = list_folder(sample, sample->folders[sample->n_folders - 1 - i], err);
    }
    return status;
}

/* --- what is in them --- */

static enum status take_bytes(struct intake *intake, struct slice bytes, struct err *err)
{
    struct sample *sample = (struct sample *)((char *)intake - offsetof(struct sample, intake));
    int64_t left = OBJECT_MAX_BYTES - sample->n_bytes;
    if ((int64_t)bytes.len >= left) {
        sample->is_enough = true;
        bytes.len = (size_t)left;
    }
    sample->n_bytes += (int64_t)bytes.len;
    struct intake *pipeline = pipeline_intake(sample->pipeline);
    enum status status = pipeline->bytes(pipeline, bytes, err);
    return status == OK && sample->is_enough ? err_set(err, AGAIN, "enough bytes") : status;
}

static struct tag_counts *counts_of(struct point_sink *sink)
{
    return ((struct sample *)((char *)sink - offsetof(struct sample, sink)))->counts;
}

static enum status take_point(struct point_sink *sink, const struct point *point,
                              const struct origin *origin, struct err *err)
{
    (void)origin, (void)err;
    tag_counts_add(counts_of(sink), point);
    return OK;
}

static enum status pass_duplicate(struct point_sink *sink, const struct origin *origin,
                                  struct err *err)
{
    (void)sink, (void)origin, (void)err;
    return OK;
}

static enum status pass_dead(struct point_sink *sink, const struct origin *origin,
                             const char *reason, struct slice masked, struct err *err)
{
    (void)sink, (void)origin, (void)reason, (void)masked, (void)err;
    return OK;
}

static enum status read_object(struct sample *sample, struct newest *newest, struct err *err)
{
    newest->object.key.at = newest->key;
    sample->n_bytes = 0;
    sample->is_enough = false;
    pipeline_begin(sample->pipeline, newest->object.key, newest->object.last_modified_ns,
                   &sample->sink);
    enum status status = sample->source->fetch(sample->self, &newest->object, &sample->intake, err);
    if (status == FAILED) {
        return err_prefix(err, "%.*s", SLICE_ARG(newest->object.key));
    }
    /* Cut off on purpose, the end would only be a damaged one. */
    return status == OK ? pipeline_end(sample->pipeline, err) : OK;
}

static enum status read_newest(struct sample *sample, const struct job_config *job, struct err *err)
{
    const struct gunzip_limits limits = {INFLATED_MAX_BYTES, job->options.max_ratio};
    enum status status =
        pipeline_new(&sample->pipeline, job->parse, job->n_parse, MESSAGE_NONE, limits, err);
    for (size_t i = 0; status == OK && i < sample->n_newest; i++) {
        status = read_object(sample, &sample->newest[i], err);
    }
    pipeline_free(sample->pipeline);
    return status;
}

enum status sample_tags(const struct job_config *job, const struct log *log,
                        struct tag_counts *counts, struct err *err)
{
    struct sample sample = {.listing = {.object = take_object},
                            .intake = {take_bytes},
                            .sink = {take_point, pass_duplicate, pass_dead},
                            .source = job->from->module,
                            .counts = counts};
    struct host_world host;
    host_world_init(&host, log, job->name, NULL);
    sample.self = place_instance(job->from);
    enum status status = sample.source->open(sample.self, &host.world, err);
    if (status == OK) {
        status = find_newest(&sample, world_now(&host.world), err);
    }
    if (status == OK) {
        status = read_newest(&sample, job, err);
    }
    sample.source->close(sample.self);
    free(sample.self);
    free(sample.folders);
    arena_finish(&sample.names);
    host_world_finish(&host);
    return status == OK ? OK : err_prefix(err, "%s", job->from->name);
}
