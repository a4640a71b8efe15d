/* list_around: the other half of a listing: folders and objects at the top of the bucket that
 * nobody reads, which is an error, and a template that fits nothing. See run.h. */
#include "run/lister.h"

#include "base/cleanup.h"
#include "run/place.h"

enum { UNMATCHED_NAMED = 10 }; /* so many are named in the log, the rest counted */

static enum status note_unmatched(struct lister *lister, const char *what, struct slice name)
{
    if (place_ignores(&lister->place, name)) {
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
    struct lister *lister = lister_of(listing);
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
    struct lister *lister = lister_of(listing);
    (void)err;
    lister->seen_at_top++;
    return note_unmatched(lister,
                          "an object outside all folders: add it to `ignore:` or mend `folders:`",
                          object->key);
}

/* A bucket with objects, and never one in a folder of ours. A quiet month is none of that. */
static enum status check_empty(struct lister *lister, struct err *err)
{
    struct run *run = lister->run;
    bool knows = false;
    if (run->request.scheduled) {
        enum status status = ledger_knows_objects(run->ledger, run->scope, &knows, err);
        if (status != OK) {
            return status;
        }
    }
    if (run->listed || knows || !lister->seen_at_top) {
        return OK;
    }
    return err_set(err, FAILED,
                   "no object in the folders of the window, though the bucket is not empty: "
                   "is `folders: %s` right?",
                   lister->place.folders);
}

enum status lister_look_around(struct lister *lister, int64_t *looked_ns, struct err *err)
{
    struct listing *listing = &lister->listing;
    uint64_t requests_before = listing->requests;
    *looked_ns = INT64_MIN;
    if (*lister->place.folders == '\0') {
        return OK; /* the whole bucket was listed */
    }
    listing->object = check_object;
    listing->folder = check_folder;
    listing->page = NULL;
    listing->after = slice_make("", 0);
    enum status status = lister->source->list(lister->self, slice_make("", 0), true, listing, err);
    if (status != OK) {
        return err_prefix(err, "listing the folders");
    }
    if (listing->requests - requests_before > 1 && lister->run->unmatched == 0) {
        *looked_ns = lister->run->start_ns;
    }
    return lister->comparison ? OK : check_empty(lister, err);
}
