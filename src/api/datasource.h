/*
 * datasource: a place outside, with a reading half, a writing half, or both. One instance belongs
 * to one worker thread: its struct, its connections, its buffers. Instances share nothing but the
 * place.
 *
 * `self` is the module's struct, options filled in, everything else zeroed before open().
 */
#ifndef API_DATASOURCE_H
#define API_DATASOURCE_H

#include "api/flow.h"
#include "api/module.h"
#include "api/world.h"

/* What the ledger keys a place's objects by. Texts live as long as self. */
struct place {
    const char
        *endpoint;       /* "https://s3.us-east-1.lyvecloud.seagate.com", or a file system's root */
    const char *bucket;  /* bucket or folder */
    const char *folders; /* the folder template, "%B-%Y/"; "" = the whole bucket */
    struct text_list ignore; /* prefixes nobody wants to hear of */
};

/* Receives a LIST, in the byte order of the keys. What these return other than OK ends the listing
 * and is passed on. */
struct listing {
    enum status (*object)(struct listing *to, const struct object *object, struct err *err);
    /* only when asked for by_folder: each common prefix up to the next "/" */
    enum status (*folder)(struct listing *to, struct slice prefix, struct err *err);
    /* Called between two requests, behind the keys of the one before: the chance to end a listing
     * (with AGAIN) that would be dearer to go on with than to begin anew farther on. May be NULL. A
     * place that is listed without requests never calls it. */
    enum status (*page)(struct listing *to, struct err *err);
    struct slice after; /* keys up to and including this one are not given; "" = all are */
    uint64_t requests;  /* the place adds to it those it took, repeated ones too */
};

/* Receives the stored bytes of one object in order. What it returns other than OK ends the fetch.
 */
struct intake {
    enum status (*bytes)(struct intake *to, struct slice bytes, struct err *err);
    /* May be asked before the bytes of a small object are handed on, all of them having come: the
     * object that will be fetched next, so that the place may ask for it while this one is worked
     * on. AGAIN: none, or it is not known yet. What it gives is lent for the call. May be NULL. */
    enum status (*next)(struct intake *to, struct object *out, struct err *err);
};

enum { OBJECT_SMALL_BYTES = 128 * 1024 };

/* Small enough to be kept whole while something else is asked for: see intake.next. */
static inline bool object_is_small(const struct object *object)
{
    return object->size <= OBJECT_SMALL_BYTES;
}

/* What became of a point that flush() could not store. */
enum refusal {
    REFUSED_DEAD,        /* the sink will never take it */
    REFUSED_EXPIRED,     /* older than the sink keeps */
    REFUSED_UNCONFIRMED, /* the sink would not say: its object is quarantined */
};

struct refusals {
    /* index counts the points that the flush is about, from 0. bytes: the point as it was sent, for
     * the dead letter; may be empty. */
    void (*refuse)(struct refusals *to, size_t index, enum refusal kind, const char *reason,
                   struct slice bytes);
};

/* A question to count(), and who hears the answer. */
struct tally {
    const char *measurement;
    const char *field;    /* one that every point of it has; NULL: none is known to be */
    struct window window; /* whole days, UTC; never the first or last of time, which are cut off */
    /* How many points are there with times on that day since 1970-01-01. Each day once, those
     * without points not necessarily. */
    enum status (*day)(struct tally *tally, int32_t day, uint64_t points, struct err *err);
    int64_t kept_from_ns; /* set by count(): the place may have thrown away what is older; INT64_MIN
                             = it keeps all */
};

/* Lent by the host to a sink that must know what became of objects it wrote in a run before. */
struct settled {
    enum status (*ask)(struct settled *settled, const struct object *object, bool *is_settled,
                       struct err *err);
};

struct datasource {
    struct module about;
    bool keeps_figures; /* points about the runs themselves (gateway-01) belong here too */

    /* Checks the options against each other, gets connections ready. Does not talk to the place.
     * close() is called after a failed open too. */
    enum status (*open)(void *self, struct world *world, struct err *err);
    void (*close)(void *self);

    /* For `check --connect`: says OK when the place answers and would take this job's reads or
     * writes. */
    enum status (*connect)(void *self, struct err *err);

    /* The same for a place that is read and written in different ways: asked of it as a sink in
     * place of connect(). May be NULL. */
    enum status (*connect_to_write)(void *self, struct err *err);

    /* --- reading half; NULL: not readable --- */

    void (*place)(void *self, struct place *out);

    /* Lists all keys that start with prefix and are behind to->after. by_folder: only one level
     * ("/" as delimiter). FAILED after retries or refusal; what was delivered before is right but
     * not all. */
    enum status (*list)(void *self, struct slice prefix, bool by_folder, struct listing *to,
                        struct err *err);

    /*
     * Reads one object. OK: every byte was delivered once and in order. A cut connection is resumed
     * from where it was. AGAIN: what was delivered must be forgotten and the object fetched from
     * its start. BAD_DATA: the object is gone or no longer what the listing showed; the next
     * listing will tell. FAILED: the place refuses or stays away. A status of to->bytes is passed
     * on as it is.
     */
    enum status (*fetch)(void *self, const struct object *object, struct intake *to,
                         struct err *err);

    /* Called when to->bytes, from within it, or others between two fetches have been waiting for
     * long: lets go of the connection. The fetch resumes by itself when to->bytes returns, one that
     * was asked for ahead when it is fetched. May be NULL. */
    void (*park)(void *self);

    /* --- writing half; NULL: not writable --- */

    /* Takes one point (copying it). AGAIN: full, nothing taken: flush, then put it again.
     * BAD_DATA: this place can never hold such a point; nothing taken. */
    enum status (*put)(void *self, const struct point *point, struct err *err);

    /* Sends all that was put without waiting for the answer, which the next flush() takes; put()
     * takes points again. There is something to send, and nothing is under way. May be NULL. */
    void (*send)(void *self);

    /* OK: every point put since the last OK is durable at the place, but those named to `refused`;
     * after send(), this is about the points that were sent and not about those put since. Waits
     * and tries again for as long as the place says "later". FAILED: the place refuses (a wrong
     * token, a missing bucket) or the run is to stop; the points stay put and flush may be called
     * again. */
    enum status (*flush)(void *self, struct refusals *refused, struct err *err);

    /* Counts what is there now, whoever wrote it. A place that nothing was ever written to holds
     * nothing. Tries for a minute; FAILED: cannot be told, and why. May be NULL: this kind of place
     * cannot tell. */
    enum status (*count)(void *self, struct tally *tally, struct err *err);

    /*
     * Of a place that writes something of its own for each object read, a file: the object that the
     * next points come from, until end() or drop(). Its put() never says AGAIN, and refuses only by
     * BAD_DATA. All three NULL: objects are all the same to it.
     */
    enum status (*begin)(void *self, const struct object *object, struct err *err);

    /* OK: what was written for the object is whole and durable, in place of what an earlier reading
     * of it left; flush() has nothing to add. FAILED: as flush(), but the object is to be begun
     * anew. */
    enum status (*end)(void *self, struct err *err);

    /* Takes back what was written for the object since begin(); what an earlier reading left stays.
     * Also without begin(). */
    void (*drop)(void *self);

    /* Where such a place writes: its `folders` is what all keys it writes begin with. NULL when
     * begin is. */
    void (*target)(void *self, struct place *out);

    /*
     * Of such a place that can write one file for all objects of a run. All NULL: it cannot.
     * end() then only says that the object is whole, and its points are durable after
     * end_window(). Such a job has one worker.
     */

    /* Whether its options say so; asked before open() too. */
    bool (*spans_run)(const void *self);

    /* Before the run lists anything: clears away what a crash left, and takes back files that had
     * their names already but whose objects did not settle. */
    enum status (*recover)(void *self, struct settled *settled, struct err *err);

    /* After open(): the run's window, which names the file. */
    void (*window)(void *self, struct window window);

    /* OK: all objects that ended are durable under their file's name; the next begin() begins
     * another file. */
    enum status (*end_window)(void *self, struct err *err);

    /* The objects of the last end_window() have settled. */
    void (*window_settled)(void *self);
};

#endif
