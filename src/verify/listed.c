/* listed: what the source has of a job's objects, against what the ledger knows. See verify.h. */
#include "verify/verify.h"

#include "base/timestamp.h"
#include "ledger/cursors.h"

/* An object is listed by the clock of its server, the run by ours. Servers turn requests away that
 * are signed by a clock this far off. */
static const int64_t clocks_apart_ns = 15 * NS_PER_MINUTE;

/* Whether a listing that began then may have come too early for it. */
static bool is_too_new(const struct object *object, int64_t listed_ns)
{
    return listed_ns < INT64_MIN + clocks_apart_ns ||
           object->last_modified_ns >= listed_ns - clocks_apart_ns;
}

/* No listing can have met it as it is, and one is to come by itself: the next run, or where that
 * begins behind its key, the next one that lists the folder whole. */
static bool is_newer(const struct verify_listener *listener, const struct object *object)
{
    const struct verify_job *job = listener->job;
    if (is_too_new(object, job->listed_ns)) {
        return true;
    }
    struct ledger *ledger = listener->verify->ledger;
    int64_t whole_ns;
    struct err err;
    return ledger_daily_whole(ledger, job->scope, object->key, &whole_ns, &err) == OK &&
           is_too_new(object, whole_ns);
}

static void hear_news(struct verify_listener *listener, enum compared what,
                      const struct object *object)
{
    struct verify_job *job = listener->job;
    struct verify_listed *listed = &job->listed;
    if (is_newer(listener, object)) {
        listed->newer++;
        return;
    }
    char date[TIMESTAMP_TEXT_BYTES];
    timestamp_format(object->last_modified_ns, date);
    if (what == COMPARED_CHANGED) {
        listed->changed++;
        verify_add_object(listener->verify, &listener->verify->lost, job->config->name, NULL,
                          object->key, "replaced in the bucket on %s, and not read since", date);
    } else {
        listed->lost++;
        verify_add_object(listener->verify, &listener->verify->lost, job->config->name, NULL,
                          object->key, "in the bucket since %s, and the ledger does not know it",
                          date);
    }
}

static void hear_object(struct comparison *comparison, enum compared what,
                        const struct object *object, enum object_state state)
{
    struct verify_listener *listener = (struct verify_listener *)comparison; /* the first member */
    struct verify_listed *listed = &listener->job->listed;
    if (what == COMPARED_GONE) {
        listed->gone++;
        return;
    }
    listed->objects++;
    if (what != COMPARED_KNOWN) {
        hear_news(listener, what, object);
    } else if (state >= OBJECT_LISTED && state <= OBJECT_QUARANTINED) {
        listed->states[state]++;
    }
}

void verify_listener_init(struct verify_listener *listener, struct verify *verify,
                          struct verify_job *job)
{
    *listener = (struct verify_listener){{.object = hear_object}, verify, job};
}
