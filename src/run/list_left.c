/* list_left: after a listing: objects that the ledger has still to be read, and that nobody is to
 * read any more. See run.h. */
#include "run/lister.h"

static void log_given_up(const struct lister *lister, const char *which, uint64_t objects)
{
    if (objects) {
        log_line(lister->run->log, LOG_WARN, which, "job", lister->run->job->name, "objects",
                 log_int((int64_t)objects).text, NULL);
    }
}

static enum status give_up_ignored(struct lister *lister, struct err *err)
{
    struct run *run = lister->run;
    const struct text_list *ignore = &lister->place.ignore;
    uint64_t all = 0;
    for (size_t i = 0; i < ignore->count; i++) {
        uint64_t objects;
        struct slice prefix = slice_of(ignore->items[i]);
        if (ledger_give_up(run->ledger, run->scope, prefix, &objects, err) != OK) {
            return err->status;
        }
        all += objects;
    }
    log_given_up(lister, "given up: objects that `ignore:` names", all);
    return OK;
}

static enum status give_up_others(struct lister *lister, struct err *err)
{
    struct run *run = lister->run;
    uint64_t objects;
    enum status status = ledger_give_up_others(run->ledger, run->scope, &objects, err);
    if (status == OK) {
        log_given_up(lister, "given up: objects of the place that the job read before", objects);
    }
    return status;
}

enum status lister_give_up_left(struct lister *lister, struct err *err)
{
    enum status status = give_up_ignored(lister, err);
    return status == OK ? give_up_others(lister, err) : status;
}
