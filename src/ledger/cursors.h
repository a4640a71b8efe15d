/*
 * cursors: what the ledger knows of listings: when each folder was last listed whole, where
 * the next listing of its new keys can begin, how far the scheduled runs of a scope have come,
 * and which periods runs were asked for. Used by the listing half of a run (run/list.c), which says
 * what the keys are and mean (run/cursors.h), and by `verify`.
 */
#ifndef LEDGER_CURSORS_H
#define LEDGER_CURSORS_H

#include "ledger/ledger.h"

enum { LEDGER_CURSORS_MAX = 1000 }; /* of one folder */

struct cursor {
    struct slice stem; /* what the keys have in common */
    struct slice key;  /* the next listing begins behind it */
};

/* --- folders --- */

/* Start of the run that last listed the folder from its first key to its last. INT64_MIN: none did,
 * or it is in doubt. */
enum status ledger_folder_whole(struct ledger *ledger, int64_t scope, struct slice prefix,
                                int64_t *whole_ns, struct err *err);

/* The folder's cursors, in any order, into out[LEDGER_CURSORS_MAX]. */
enum status ledger_cursors(struct ledger *ledger, int64_t scope, struct slice prefix,
                           struct arena *texts, struct cursor *out, size_t *n, struct err *err);

/* After a listing whose keys are all in the ledger: its cursors take the place of those before.
 * whole_ns: INT64_MIN when it passed over keys. */
enum status ledger_keep_cursors(struct ledger *ledger, int64_t scope, struct slice prefix,
                                int64_t whole_ns, const struct cursor *cursors, size_t n,
                                struct err *err);

/* The object is no longer as it was listed: its folder has to be listed whole again. */
enum status ledger_doubt(struct ledger *ledger, int64_t scope, struct slice key, struct err *err);

/* A folder in doubt. AGAIN: there is none. */
enum status ledger_doubted(struct ledger *ledger, int64_t scope, struct buf *prefix,
                           struct err *err);

/* A folder that was last listed whole outside of this time, the earliest one. AGAIN: there is none.
 */
enum status ledger_folder_outside(struct ledger *ledger, int64_t scope, struct window window,
                                  struct buf *prefix, struct err *err);

/* When the folder of a key was last listed whole, of a folder that scheduled runs list whole every
 * day; INT64_MIN: the next one does. AGAIN: it is none of those. */
enum status ledger_daily_whole(struct ledger *ledger, int64_t scope, struct slice key,
                               int64_t *whole_ns, struct err *err);

/* --- scheduled runs of a scope --- */

struct listing_pass {
    int64_t from_ns;   /* folders of the time before were not asked for */
    int64_t whole_ns;  /* all folders in reach were listed whole then or later */
    int64_t listed_ns; /* start of the last run that listed to the end */
    int64_t looked_ns; /* when the look at all folders was dear and found nothing amiss; INT64_MIN:
                          it has to be done */
};

/* AGAIN: no run has listed to the end yet. */
enum status ledger_pass(struct ledger *ledger, int64_t scope, struct listing_pass *out,
                        struct err *err);
/* Forgets the cursors of the folders that were out of reach, and those of them that have no objects
 * any more. */
enum status ledger_set_pass(struct ledger *ledger, int64_t scope, const struct listing_pass *pass,
                            struct err *err);

/* --- what runs were asked for --- */

/* A period of deliveries that runs were asked to read, listed to its end. */
struct asked {
    struct window window;
    int64_t listed_ns; /* start of the last run that did, of those that went to its end */
};

/* Becomes one with the periods it touches. */
enum status ledger_add_asked(struct ledger *ledger, int64_t scope, const struct asked *asked,
                             struct err *err);
/* All of them in the order of time; *out is to be freed. */
enum status ledger_asked(struct ledger *ledger, int64_t scope, struct asked **out, size_t *n,
                         struct err *err);

/* Whether an object of the scope was ever listed. */
enum status ledger_knows_objects(struct ledger *ledger, int64_t scope, bool *knows,
                                 struct err *err);

#endif
