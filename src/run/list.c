/*
 * list: the listing half of a run: which folders the window can touch, their keys joined into
 * the ledger page by page, and what in the bucket nobody reads. Folders only narrow the LIST; the
 * window selects by last-modified afterwards. The same folders are listed for `verify`, which only
 * looks (run_compare).
 *
 * A pull lists all these folders whole. A scheduled run lists the folders that objects may be filed
 * under now from their cursors (cursors.h), and once a day every folder within the look-back
 * whole, which finds late keys and prunes. A folder that was listed whole after it had fallen out
 * of the look-back is left alone, but for a listing every 30 days: the ledger has to forget what
 * the bucket does not keep.
 */
#include "run/lister.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "data/shown.h"
#include "run/counted.h"
#include "run/place.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A key that sorts before keys of earlier runs is met at once when it is not delivered later than
 * this after them. */
static const int64_t quiet_ns = 2 * NS_PER_HOUR;
/* Folders may be named by a clock so far behind UTC (folders_each() knows about those ahead). */
static const int64_t zone_behind_ns = 12 * NS_PER_HOUR;
/* Folders out of the look-back are listed again after this. */
static const int64_t old_rest_ns = 30 * NS_PER_DAY;
/* A run begins no other one of them after so many requests. */
enum { OLD_REQUESTS = 100 };

/* --- keys of the window's folders --- */

static enum status join_object(struct listing *listing, const struct object *object,
                               struct err *err)
{
    struct lister *lister = lister_of(listing);
    lister->run->listed++;
    cursors_see(&lister->cursors, object);
    return place_ignores(&lister->place, object->key) ? ledger_join_pass(lister->join, object, err)
                                                      : ledger_join_put(lister->join, object, err);
}

enum { SHOWN_KEY_MAX_BYTES = 4 * 1024 }; /* every byte of a key as \xHH */

static enum status print_object(struct listing *listing, const struct object *object,
                                struct err *err)
{
    struct lister *lister = lister_of(listing);
    const struct run_request *request = &lister->run->request;
    lister->run->listed++;
    if (object->last_modified_ns < request->window.from_ns ||
        object->last_modified_ns >= request->window.to_ns ||
        place_ignores(&lister->place, object->key)) {
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
        CLEANUP(buf_finish) struct buf key = {.max = SHOWN_KEY_MAX_BYTES};
        shown_add(&key, object->key); /* its bytes may be a tab or a line end */
        printf("%s\t%" PRId64 "\t%s\n", buf_text(&key), object->size,
               timestamp_format(object->last_modified_ns, date));
    }
    return OK;
}

static enum status jump_over_known(struct listing *listing, struct err *err)
{
    (void)err;
    return cursors_jump(&lister_of(listing)->cursors, &listing->after) ? AGAIN : OK;
}

/* From the first key on, in one go or in stretches. */
static enum status list_stretches(struct lister *lister, struct slice prefix, bool whole,
                                  struct err *err)
{
    enum status status;
    lister->listing.page = whole ? NULL : jump_over_known;
    lister->listing.after = slice_make("", 0);
    while ((status = lister->source->list(lister->self, prefix, false, &lister->listing, err)) ==
           AGAIN) {
        ledger_join_skip(lister->join, lister->listing.after);
    }
    return status;
}

static enum status list_and_join(struct lister *lister, struct slice prefix, bool whole,
                                 struct err *err)
{
    struct run *run = lister->run;
    enum status status =
        ledger_join_begin(&lister->join, run->ledger, run->scope, prefix, run->request.window,
                          run->request.again, run->start_ns, err);
    if (status != OK) {
        return status;
    }
    status = list_stretches(lister, prefix, whole, err);
    struct join_counts counts;
    struct err join_err;
    bool complete = status == OK && !lister->cursors.jumped;
    enum status ended = ledger_join_end(lister->join, complete, &counts, &join_err);
    lister->fresh += counts.fresh;
    if (status == OK && ended != OK) {
        *err = join_err;
        status = ended;
    }
    return status;
}

static enum status begin_cursors(struct lister *lister, struct slice prefix, bool whole,
                                 struct cursor *room, struct err *err)
{
    CLEANUP(arena_finish) struct arena texts = {0};
    size_t n = 0;
    enum status status = whole ? OK
                               : ledger_cursors(lister->run->ledger, lister->run->scope, prefix,
                                                &texts, room, &n, err);
    cursors_begin(&lister->cursors, lister->run->start_ns - quiet_ns, room, n);
    return status;
}

/* The cursors move on only when every key before them is in the ledger. */
static enum status list_to_ledger(struct lister *lister, struct slice prefix, bool whole,
                                  struct err *err)
{
    struct run *run = lister->run;
    CLEANUP_FREE struct cursor *room = memory_new(LEDGER_CURSORS_MAX * sizeof *room);
    enum status status = begin_cursors(lister, prefix, whole, room, err);
    if (status == OK) {
        status = list_and_join(lister, prefix, whole, err);
    }
    if (status == OK) {
        size_t n = cursors_end(&lister->cursors, room);
        int64_t whole_ns = lister->cursors.jumped ? INT64_MIN : run->start_ns;
        status = ledger_keep_cursors(run->ledger, run->scope, prefix, whole_ns, room, n, err);
    }
    cursors_finish(&lister->cursors);
    return status;
}

static enum status list_as_asked(struct lister *lister, struct slice prefix, bool whole,
                                 struct err *err)
{
    if (lister->run->request.dry_run) {
        return lister->source->list(lister->self, prefix, false, &lister->listing, err);
    }
    return lister->comparison ? lister_compare_folder(lister, prefix, err)
                              : list_to_ledger(lister, prefix, whole, err);
}

static enum status list_folder(struct lister *lister, struct slice prefix, bool whole,
                               struct err *err)
{
    enum status status = list_as_asked(lister, prefix, whole, err);
    return status == OK ? OK : err_prefix(err, "listing %.*s", SLICE_ARG(prefix));
}

/* --- which folders --- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static enum status list_whole(void *with, struct slice prefix, struct err *err)
{
    return list_folder(with, prefix, true, err);
}

/* Whether what was last done then would be older than a day before the next run, which is expected
 * as long after this one as this one is after the last. */
static bool is_due(const struct lister *lister, int64_t last_ns)
{
    int64_t now_ns = lister->run->start_ns;
    if (!lister->has_pass || last_ns == INT64_MIN || last_ns > now_ns) {
        return true;
    }
    int64_t interval_ns = now_ns - earlier(lister->pass.listed_ns, now_ns);
    return now_ns - last_ns > NS_PER_DAY - interval_ns;
}

static enum status list_if_due(void *with, struct slice prefix, struct err *err)
{
    struct lister *lister = with;
    struct run *run = lister->run;
    int64_t whole_ns;
    enum status status = ledger_folder_whole(run->ledger, run->scope, prefix, &whole_ns, err);
    if (status == OK && is_due(lister, whole_ns)) {
        status = list_folder(lister, prefix, true, err);
        whole_ns = run->start_ns;
    }
    lister->whole_ns = earlier(whole_ns, lister->whole_ns);
    return status;
}

static enum status list_new(void *with, struct slice prefix, struct err *err)
{
    struct lister *lister = with;
    struct run *run = lister->run;
    int64_t whole_ns;
    enum status status = ledger_folder_whole(run->ledger, run->scope, prefix, &whole_ns, err);
    if (status != OK || whole_ns == run->start_ns) {
        return status; /* listed just now */
    }
    return list_folder(lister, prefix, whole_ns == INT64_MIN, err);
}

/* Folders whose objects were found to be others, or gone, wherever they are. */
static enum status list_doubted(struct lister *lister, struct err *err)
{
    CLEANUP(buf_finish) struct buf prefix = {.max = FOLDERS_PREFIX_MAX_BYTES};
    enum status status;
    while ((status = ledger_doubted(lister->run->ledger, lister->run->scope, &prefix, err)) == OK) {
        status = list_folder(lister, buf_slice(&prefix), true, err);
        if (status != OK) {
            return status;
        }
    }
    return status == AGAIN ? OK : status;
}

/* The longest ago first: what there is no time for comes in the next runs. */
static enum status list_old(struct lister *lister, struct err *err)
{
    struct run *run = lister->run;
    CLEANUP(buf_finish) struct buf prefix = {.max = FOLDERS_PREFIX_MAX_BYTES};
    uint64_t end = lister->listing.requests + OLD_REQUESTS;
    enum status status = OK;
    while (status == OK && lister->listing.requests < end) {
        const struct window rest = {run->start_ns - old_rest_ns, run->start_ns + 1};
        status = ledger_folder_outside(run->ledger, run->scope, rest, &prefix, err);
        if (status == OK) {
            status = list_folder(lister, buf_slice(&prefix), true, err);
        }
    }
    return status == AGAIN ? OK : status;
}

/* So that the folder before the current one is within the look-back. */
static int64_t step_ns(enum folders_step step)
{
    static const int64_t days[] = {
        [FOLDERS_FIXED] = 0, [FOLDERS_YEARLY] = 366, [FOLDERS_MONTHLY] = 31,
        [FOLDERS_DAILY] = 1, [FOLDERS_HOURLY] = 1,
    };
    return days[step] * NS_PER_DAY;
}

/* Every folder that the last whole listings can have come too early for. */
static enum status list_due(struct lister *lister, struct err *err)
{
    struct run *run = lister->run;
    struct window window = run->request.window;
    int64_t look_back_ns = run->job->options.look_back_ns;
    if (lister->has_pass && lister->pass.from_ns <= window.from_ns) {
        int64_t previous_ns = step_ns(lister->folders.step);
        window.from_ns = earlier(lister->pass.whole_ns, run->start_ns);
        window.to_ns = run->start_ns + 1;
        look_back_ns = look_back_ns > previous_ns ? look_back_ns : previous_ns;
    }
    return folders_each(&lister->folders, window, look_back_ns, list_if_due, lister, err);
}

static enum status list_scheduled(struct lister *lister, struct err *err)
{
    struct run *run = lister->run;
    enum status status = ledger_pass(run->ledger, run->scope, &lister->pass, err);
    lister->has_pass = status == OK;
    lister->whole_ns = run->start_ns;
    if (status == OK || status == AGAIN) {
        status = list_doubted(lister, err);
    }
    if (status == OK) {
        status = list_due(lister, err);
    }
    if (status != OK || !lister->has_pass) {
        return status;
    }
    struct window since = {earlier(lister->pass.listed_ns, run->start_ns), run->start_ns + 1};
    status =
        folders_each(&lister->folders, since, quiet_ns + zone_behind_ns, list_new, lister, err);
    return status == OK ? list_old(lister, err) : status;
}

static enum status keep_pass(struct lister *lister, int64_t looked_ns, struct err *err)
{
    struct run *run = lister->run;
    int64_t from_ns = run->request.window.from_ns;
    struct listing_pass pass = {
        .from_ns = lister->has_pass ? earlier(from_ns, lister->pass.from_ns) : from_ns,
        .whole_ns = lister->whole_ns,
        .listed_ns = run->start_ns,
        .looked_ns = looked_ns,
    };
    return ledger_set_pass(run->ledger, run->scope, &pass, err);
}

/* --- the listing --- */

static enum status list_as_scheduled(struct lister *lister, struct err *err)
{
    int64_t looked_ns = INT64_MIN;
    enum status status = list_scheduled(lister, err);
    if (status == OK && !is_due(lister, lister->pass.looked_ns)) {
        looked_ns = lister->pass.looked_ns;
    } else if (status == OK) {
        status = lister_look_around(lister, &looked_ns, err);
    }
    return status == OK ? keep_pass(lister, looked_ns, err) : status;
}

/* What verify may later take for granted. */
static enum status keep_asked(struct lister *lister, struct err *err)
{
    struct run *run = lister->run;
    struct asked asked = {run->request.window, run->start_ns};
    asked.window.to_ns = earlier(asked.window.to_ns, run->start_ns);
    if (asked.window.from_ns >= asked.window.to_ns) {
        return OK;
    }
    return ledger_add_asked(run->ledger, run->scope, &asked, err);
}

enum status lister_window(struct lister *lister, struct window window, struct err *err)
{
    return folders_each(&lister->folders, window, lister->run->job->options.look_back_ns,
                        list_whole, lister, err);
}

static enum status list_all(struct lister *lister, struct err *err)
{
    const struct run_request *request = &lister->run->request;
    int64_t looked_ns;
    lister->listing.object = request->dry_run ? print_object : join_object;
    enum status status = request->scheduled ? list_as_scheduled(lister, err)
                                            : lister_window(lister, request->window, err);
    if (status == OK && !request->scheduled) {
        status = lister_look_around(lister, &looked_ns, err);
    }
    if (status != OK || request->dry_run) {
        return status;
    }
    status = lister_give_up_left(lister, err);
    return status == OK ? keep_asked(lister, err) : status;
}

static void log_listing(const struct lister *lister)
{
    const struct run *run = lister->run;
    log_line(run->log, LOG_INFO, "listed", "job", run->job->name, "list_requests",
             log_int((int64_t)run->list_requests).text, "keys", log_int((int64_t)run->listed).text,
             "new", log_int((int64_t)lister->fresh).text, NULL);
}

/* --- its source --- */

enum status lister_open(struct lister *lister, struct err *err)
{
    struct run *run = lister->run;
    host_world_init(&lister->host, run->log, run->job->name, &run->stop);
    lister->self = place_instance(run->job->from);
    counted_place(&lister->host.world, metrics_source(run->request.metrics));
    enum status status = lister->source->open(lister->self, &lister->host.world, err);
    if (status != OK) {
        return status;
    }
    lister->source->place(lister->self, &lister->place);
    status = folders_parse(&lister->folders, lister->place.folders, err);
    return status == OK ? OK : err_prefix(err, "folders");
}

enum status lister_close(struct lister *lister, enum status status, struct err *err)
{
    lister->run->list_requests = lister->listing.requests;
    lister->source->close(lister->self);
    free(lister->self);
    host_world_finish(&lister->host);
    return status == OK ? OK : err_prefix(err, "source %s", lister->run->job->from->name);
}

enum status run_list(struct run *run, struct err *err)
{
    struct lister lister = {.run = run, .source = run->job->from->module};
    enum status status = lister_open(&lister, err);
    if (status == OK) {
        status = list_all(&lister, err);
    }
    status = lister_close(&lister, status, err);
    if (!run->request.dry_run) {
        log_listing(&lister);
    }
    return status;
}
