/* requeue: see requeue.h. */
#include "commands/requeue.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "data/shown.h"
#include "run/place.h"
#include "run/world.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    PAGE_OBJECTS = 256,
    NAME_MAX_BYTES = 16 * 1024,
};

/* Where a job reads from now. Opened when its first object comes. */
struct source {
    const struct job_config *job;
    struct host_world host;
    void *self; /* NULL: not opened yet */
    struct place place;
    int64_t scope;
};

struct requeue {
    const struct log *log;
    const struct config *config;
    struct ledger *ledger;
    struct source *sources; /* [config->n_jobs] */
    struct requeue_counts counts;
};

struct requeue *requeue_new(struct cli *cli, const struct config *config, struct ledger *ledger)
{
    struct requeue *requeue = memory_new(sizeof *requeue);
    requeue->log = &cli->log;
    requeue->config = config;
    requeue->ledger = ledger;
    requeue->sources = memory_new(config->n_jobs * sizeof *requeue->sources);
    for (size_t i = 0; i < config->n_jobs; i++) {
        requeue->sources[i].job = &config->jobs[i];
    }
    return requeue;
}

void requeue_free(struct requeue *requeue)
{
    for (size_t i = 0; i < requeue->config->n_jobs; i++) {
        struct source *source = &requeue->sources[i];
        if (source->self) {
            source->job->from->module->close(source->self);
            free(source->self);
            host_world_finish(&source->host);
        }
    }
    free(requeue->sources);
    free(requeue);
}

struct requeue_counts requeue_counts(const struct requeue *requeue)
{
    return requeue->counts;
}

/* --- the place --- */

static enum status open_source(struct requeue *requeue, struct source *source, struct err *err)
{
    const struct datasource *module = source->job->from->module;
    host_world_init(&source->host, requeue->log, source->job->name, NULL);
    source->self = place_instance(source->job->from);
    enum status status = module->open(source->self, &source->host.world, err);
    if (status == OK) {
        module->place(source->self, &source->place);
        status =
            ledger_scope(requeue->ledger, source->job->name, &source->place, &source->scope, err);
    }
    return status == OK ? OK : err_prefix(err, "source %s", source->job->from->name);
}

static struct source *find_source(struct requeue *requeue, const char *job)
{
    for (size_t i = 0; i < requeue->config->n_jobs; i++) {
        if (strcmp(requeue->sources[i].job->name, job) == 0) {
            return &requeue->sources[i];
        }
    }
    return NULL;
}

struct finder {
    struct listing listing;
    struct slice key;
    bool found;
};

/* Of all keys that begin with the one looked for, that one itself comes first. */
static enum status compare_first(struct listing *listing, const struct object *object,
                                 struct err *err)
{
    struct finder *finder = (struct finder *)listing; /* the first member */
    finder->found = slice_equal(object->key, finder->key);
    return err_set(err, AGAIN, "enough was listed");
}

static enum status is_at_place(struct source *source, struct slice key, bool *found,
                               struct err *err)
{
    struct finder finder = {.listing = {.object = compare_first}, .key = key};
    enum status status =
        source->job->from->module->list(source->self, key, false, &finder.listing, err);
    *found = finder.found;
    if (status == OK || status == AGAIN) {
        return OK;
    }
    return err_prefix(err, "source %s", source->job->from->name);
}

/* --- objects --- */

static enum status refuse(struct requeue *requeue, const struct letter_object *object,
                          const char *why)
{
    CLEANUP(buf_finish) struct buf key = {.max = NAME_MAX_BYTES};
    shown_add(&key, object->key);
    cli_usage("dead-letters: job %s: %s: %s: its letters stay", object->job, buf_text(&key), why);
    requeue->counts.refused++;
    return OK;
}

static enum status requeue_present(struct requeue *requeue, const struct letter_object *object,
                                   struct err *err)
{
    bool requeued;
    enum status status =
        ledger_requeue(requeue->ledger, object->scope, object->key, &requeued, err);
    if (status == AGAIN) {
        return refuse(requeue, object, err->text);
    }
    if (status == OK && requeued) {
        requeue->counts.requeued++;
    } else if (status == OK) {
        requeue->counts.waiting++;
    }
    return status;
}

/* Of an object that the job reads. */
static enum status requeue_if_present(struct requeue *requeue, struct source *source,
                                      const struct letter_object *object, struct err *err)
{
    enum object_state state;
    enum status status =
        ledger_object_state(requeue->ledger, object->scope, object->key, &state, err);
    if (status == AGAIN) {
        return refuse(requeue, object, err->text);
    }
    bool found = false;
    if (status == OK) {
        status = is_at_place(source, object->key, &found, err);
    }
    if (status != OK) {
        return status;
    }
    return found ? requeue_present(requeue, object, err)
                 : refuse(requeue, object, "the object is gone from its place");
}

static enum status requeue_object(struct requeue *requeue, const struct letter_object *object,
                                  struct err *err)
{
    struct source *source = find_source(requeue, object->job);
    if (!source) {
        return refuse(requeue, object, "the configuration has no such job");
    }
    enum status status = source->self ? OK : open_source(requeue, source, err);
    if (status != OK) {
        return status;
    }
    if (source->scope != object->scope) {
        return refuse(requeue, object, "the job reads from another place now");
    }
    if (place_ignores(&source->place, object->key)) {
        return refuse(requeue, object, "`ignore:` names it");
    }
    return requeue_if_present(requeue, source, object, err);
}

enum status requeue_letter(struct requeue *requeue, int64_t id, struct err *err)
{
    CLEANUP(arena_finish) struct arena texts = {0};
    struct letter letter;
    struct letter_details details;
    enum status status = ledger_letter(requeue->ledger, id, &texts, &letter, &details, err);
    if (status == AGAIN) {
        cli_usage("dead-letters: %" PRId64 ": %s", id, err->text);
        requeue->counts.refused++;
        return OK;
    }
    if (status != OK) {
        return status;
    }
    const struct letter_object object = {details.scope, letter.job, letter.key};
    return requeue_object(requeue, &object, err);
}

static enum status requeue_page(struct requeue *requeue, const struct letter_object *objects,
                                size_t n, struct err *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < n; i++) {
        status = requeue_object(requeue, &objects[i], err);
    }
    return status;
}

enum status requeue_matching(struct requeue *requeue, const struct letter_filter *filter,
                             struct err *err)
{
    CLEANUP(arena_finish) struct arena texts = {0};
    char key[OBJECT_KEY_MAX_BYTES];
    struct letter_object page[PAGE_OBJECTS], last = {0};
    for (bool is_first = true;; is_first = false) {
        size_t n;
        arena_reset(&texts);
        enum status status = ledger_letter_objects(requeue->ledger, filter, is_first ? NULL : &last,
                                                   &texts, page, PAGE_OBJECTS, &n, err);
        if (status == OK) {
            status = requeue_page(requeue, page, n, err);
        }
        if (status != OK || n < PAGE_OBJECTS) {
            return status;
        }
        last = page[n - 1];
        memcpy(key, last.key.at, last.key.len); /* the texts go with the page */
        last.key.at = key;
    }
}
