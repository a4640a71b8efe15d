/*
 * cursors: where in a folder the listing of new keys can begin. The keys of one kind of object
 * have a stem in common, the key up to its date ("May-2022/IAM-", "May-2022/S3-orders-"), and sort
 * by date within it; the stems sort apart. So a folder is listed in stretches: what is behind the
 * cursor of a stem, on through whatever follows (a new stem is met on the way) up to keys that
 * another stem's cursor covers, and from that cursor on again. Pure but for memory; used by
 * list.c. The cursors of finished listings are kept by ledger/cursors.
 *
 * A key delivered later than the look-back, or one without a date in its name, is none of the
 * cursors' business: the daily listing of the whole folder finds the one, the other is never
 * passed over.
 */
#ifndef RUN_CURSORS_H
#define RUN_CURSORS_H

#include "api/flow.h"
#include "base/arena.h"
#include "base/buf.h"
#include "ledger/cursors.h"

/* The key up to the date in its last part: the last place where "2022-05-30" (or with '_' or '.')
 * or "20220530" begins. Days may stand before months. False: there is no date. */
bool key_stem(struct slice key, struct slice *stem);

struct stem_state;

/* Of the folder that is being listed. Zero-initialised is empty. */
struct cursors {
    struct arena texts;
    struct stem_state *stems; /* at most LEDGER_CURSORS_MAX; keys of others are never passed over */
    size_t n, at;             /* at: of the last key */
    int64_t quiet_before_ns;
    bool jumped;
    bool last_known; /* the last key has a stem */
    struct buf last; /* key seen */
};

/* known: of an earlier listing. A new cursor stays before the first key of its stem that is dated
 * quiet_before_ns or later: names that sort before it may still come. */
void cursors_begin(struct cursors *cursors, int64_t quiet_before_ns, const struct cursor *known,
                   size_t n);

/* Each key of the listing, in order. */
void cursors_see(struct cursors *cursors, const struct object *object);

/* Whether the keys that follow the last one are known, so that it pays to begin anew behind *to. It
 * stays valid until cursors_finish(). */
bool cursors_jump(struct cursors *cursors, struct slice *to);

/* After the last key: the cursors for the next listing, into out[LEDGER_CURSORS_MAX], valid until
 * cursors_finish(). Returns how many. */
size_t cursors_end(const struct cursors *cursors, struct cursor *out);

void cursors_finish(struct cursors *cursors);

#endif
