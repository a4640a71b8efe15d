/*
 * lister: what the parts of a listing share: list.c (folders into the ledger), list_compare.c
 * (folders held against the ledger), list_left.c (what is given up), list_around.c (what nobody
 * reads). Private to them.
 */
#ifndef RUN_LISTER_H
#define RUN_LISTER_H

#include "data/folders.h"
#include "run/cursors.h"
#include "run/run.h"
#include "run/world.h"

struct lister {
    struct listing listing;
    struct run *run;
    struct host_world host;
    const struct datasource *source;
    void *self;
    struct place place;
    struct folders folders;

    struct ledger_join *join; /* of the folder being listed */
    struct cursors cursors;   /* of the same */
    uint64_t fresh;           /* keys that were new */

    struct comparison *comparison;  /* NULL: not listed to compare */
    struct ledger_compare *compare; /* of the folder being listed */
    struct window compared;

    bool has_pass; /* a run has listed this scope to the end before */
    struct listing_pass pass;
    int64_t whole_ns;     /* of the folders in reach, the one that was longest ago listed whole */
    uint64_t seen_at_top; /* folders and objects of the bucket's top level */
};

static inline struct lister *lister_of(struct listing *listing)
{
    return (struct lister *)listing; /* the first member */
}

/* --- list.c --- */

/* Opens the job's source. lister_close() belongs to it also when it failed. */
enum status lister_open(struct lister *lister, struct err *err);
/* Passes the status on, with the source's name in front of its text. */
enum status lister_close(struct lister *lister, enum status status, struct err *err);
/* Lists every folder that the window can touch. */
enum status lister_window(struct lister *lister, struct window window, struct err *err);

/* --- list_compare.c --- */

enum status lister_compare_folder(struct lister *lister, struct slice prefix, struct err *err);

/* --- list_left.c --- */

/* Gives up what `ignore:` names, and what was left unread in places the job read before. After a
 * listing that came to its end, so that the new place has shown that it is one. */
enum status lister_give_up_left(struct lister *lister, struct err *err);

/* --- list_around.c --- */

/* *looked_ns: as in struct listing_pass. */
enum status lister_look_around(struct lister *lister, int64_t *looked_ns, struct err *err);

#endif
