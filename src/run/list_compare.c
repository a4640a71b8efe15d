/* list_compare: the listing of `verify`: the folders that a pull would list, held against the
 * ledger and not entered into it. See run.h. */
#include "run/lister.h"

#include "run/place.h"

static enum status compare_object(struct listing *listing, const struct object *object,
                                  struct err *err)
{
    struct lister *lister = lister_of(listing);
    lister->run->listed++;
    return place_ignores(&lister->place, object->key)
               ? ledger_compare_pass(lister->compare, object, err)
               : ledger_compare_put(lister->compare, object, err);
}

enum status lister_compare_folder(struct lister *lister, struct slice prefix, struct err *err)
{
    struct run *run = lister->run;
    if (ledger_compare_begin(&lister->compare, run->ledger, run->scope, prefix, lister->compared,
                             lister->comparison, err) != OK) {
        return err->status;
    }
    enum status status = lister->source->list(lister->self, prefix, false, &lister->listing, err);
    struct err end_err;
    enum status ended = ledger_compare_end(lister->compare, status == OK, &end_err);
    if (status == OK && ended != OK) {
        *err = end_err;
        status = ended;
    }
    return status;
}

enum status run_compare(struct run *run, const struct window *windows, size_t n,
                        struct comparison *to, struct err *err)
{
    struct lister lister = {.run = run, .source = run->job->from->module, .comparison = to};
    enum status status = lister_open(&lister, err);
    lister.listing.object = compare_object;
    to->windows = windows;
    to->n_windows = n;
    for (size_t i = 0; status == OK && i < n; i++) {
        lister.compared = windows[i];
        status = lister_window(&lister, windows[i], err);
    }
    int64_t looked_ns;
    if (status == OK) {
        status = lister_look_around(&lister, &looked_ns, err);
    }
    return lister_close(&lister, status, err);
}
