/*
 * run_list: the listing half of a run: which folders the window can touch, their keys joined into
 * the ledger page by page, and what in the bucket nobody reads. Folders only narrow the LIST; the
 * window selects by last-modified afterwards.
 */
#include "app/run.h"

#include "app/place.h"
#include "app/world.h"
#include "base/cleanup.h"
#include "base/timestamp.h"
#include "data/folders.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { UNMATCHED_NAMED = 10 }; /* so many are named in the log, the rest counted */

struct lister {
    struct listing listing;
    struct run *run;
    struct host_world host;
    const struct datasource *source;
    void *self;
    struct place place;
    struct folders folders;
    struct ledger_join *join; /* of the prefix being listed */
    uint64_t seen_at_top;     /* folders and objects of the bucket's top level */
};

static struct lister *of_listing(struct listing *listing)
{
    return (struct lister *)listing; /* the first member */
}

/* --- keys of the window's folders --- */

static enum status join_object(struct listing *listing, const struct object *object,
                               struct err *err)
{
    struct lister *lister = of_listing(listing);
    lister->run->listed++;
    return ledger_join_put(lister->join, object, err);
}

static enum status print_object(struct listing *listing, const struct object *object,
                                struct err *err)
{
    struct lister *lister = of_listing(listing);
    const struct run_request *request = &lister->run->request;
    lister->run->listed++;
    if (object->last_modified_ns < request->window.from_ns ||
        object->last_modified_ns >= request->window.to_ns) {
        return OK;
    }
    bool wanted = request->again;
    if (!wanted) {
        enum status status =
            ledger_wants(lister->run->ledger, lister->run->scope, object, &wanted, err);
        if (status != OK) {
            return status;
        }
    }
    if (wanted) {
        char date[TIMESTAMP_TEXT_BYTES];
        printf("%.*s\t%" PRId64 "\t%s\n", SLICE_ARG(object->key), object->size,
               timestamp_format(object->last_modified_ns, date));
    }
    return OK;
}

static enum status list_to_ledger(struct lister *lister, struct slice prefix, struct err *err)
{
    struct run *run = lister->run;
    enum status status = ledger_join_begin(&lister->join, run->ledger, run->scope, prefix,
                                           run->request.window, run->request.again, err);
    if (status != OK) {
        return status;
    }
    status = lister->source->list(lister->self, prefix, false, &lister->listing, err);
    struct join_counts counts;
    struct err join_err;
    enum status ended = ledger_join_end(lister->join, status == OK, &counts, &join_err);
    if (status == OK && ended != OK) {
        *err = join_err;
        status = ended;
    }
    return status;
}

static enum status list_prefix(void *with, struct slice prefix, struct err *err)
{
    struct lister *lister = with;
    enum status status =
        lister->run->request.dry_run
            ? lister->source->list(lister->self, prefix, false, &lister->listing, err)
            : list_to_ledger(lister, prefix, err);
    return status == OK ? OK : err_prefix(err, "listing %.*s", SLICE_ARG(prefix));
}

/* --- what nobody reads --- */

static bool is_ignored(const struct lister *lister, struct slice name)
{
    for (size_t i = 0; i < lister->place.ignore.count; i++) {
        if (slice_starts(name, lister->place.ignore.items[i])) {
            return true;
        }
    }
    return false;
}

static enum status note_unmatched(struct lister *lister, const char *what, struct slice name)
{
    if (is_ignored(lister, name)) {
        return OK;
    }
    uint64_t number = ++lister->run->unmatched;
    if (number <= UNMATCHED_NAMED) {
        CLEANUP(arena_finish) struct arena text = {0};
        log_line(lister->run->log, LOG_ERROR, what, "job", lister->run->job->name, "name",
                 arena_text(&text, name), "folders", lister->place.folders, NULL);
    }
    return OK;
}

static enum status check_folder(struct listing *listing, struct slice prefix, struct err *err)
{
    struct lister *lister = of_listing(listing);
    (void)err;
    lister->seen_at_top++;
    if (folders_match_first(&lister->folders, prefix)) {
        return OK;
    }
    return note_unmatched(
        lister, "a folder that nobody reads: add it to `ignore:` or mend `folders:`", prefix);
}

static enum status check_object(struct listing *listing, const struct object *object,
                                struct err *err)
{
    struct lister *lister = of_listing(listing);
    (void)err;
    lister->seen_at_top++;
    return note_unmatched(lister,
                          "an object outside all folders: add it to `ignore:` or mend `folders:`",
                          object->key);
}

static enum status look_around(struct lister *lister, struct err *err)
{
    if (*lister->place.folders == '\0') {
        return OK; /* the whole bucket was listed */
    }
    lister->listing = (struct listing){check_object, check_folder};
    enum status status =
        lister->source->list(lister->self, slice_make("", 0), true, &lister->listing, err);
    if (status != OK) {
        return err_prefix(err, "listing the folders");
    }
    if (lister->run->listed == 0 && lister->seen_at_top) {
        return err_set(err, FAILED,
                       "no object in the folders of the window, though the bucket is not empty: "
                       "is `folders: %s` right?",
                       lister->place.folders);
    }
    return OK;
}

/* --- the listing --- */

static enum status list_all(struct lister *lister, struct err *err)
{
    const struct run_request *request = &lister->run->request;
    lister->source->place(lister->self, &lister->place);
    enum status status = folders_parse(&lister->folders, lister->place.folders, err);
    if (status != OK) {
        return err_prefix(err, "folders");
    }
    lister->listing.object = request->dry_run ? print_object : join_object;
    status = folders_each(&lister->folders, request->window, lister->run->job->options.look_back_ns,
                          list_prefix, lister, err);
    return status == OK ? look_around(lister, err) : status;
}

enum status run_list(struct run *run, struct err *err)
{
    struct lister lister = {.run = run, .source = run->job->from->module};
    host_world_init(&lister.host, run->log, run->job->name, &run->stop);
    lister.self = place_instance(run->job->from);
    enum status status = lister.source->open(lister.self, &lister.host.world, err);
    if (status == OK) {
        status = list_all(&lister, err);
    }
    lister.source->close(lister.self);
    free(lister.self);
    host_world_finish(&lister.host);
    return status == OK ? OK : err_prefix(err, "source %s", run->job->from->name);
}
