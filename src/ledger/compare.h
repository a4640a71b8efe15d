/*
 * compare: a listing held against the ledger, as join.c does it, to be told of and not to be
 * written: what does the bucket have that the ledger does not know? Memory is a page of keys. Used
 * by the listing half of a run on behalf of `verify`.
 */
#ifndef LEDGER_COMPARE_H
#define LEDGER_COMPARE_H

#include "ledger/ledger.h"

enum compared {
    COMPARED_KNOWN,   /* as the ledger has it */
    COMPARED_CHANGED, /* its content is another one */
    COMPARED_UNKNOWN,
    COMPARED_GONE, /* known, and no longer there */
};

/* Who is told. */
struct comparison {
    /* Objects of the window. The date of one that is known or gone is the ledger's, which keeps the
     * first one of a content; of one that changed it is enough that one of its dates is within.
     * state: none of an unknown one. The key lives during the call. */
    void (*object)(struct comparison *to, enum compared what, const struct object *object,
                   enum object_state state);
    const struct window *windows; /* all that are listed one after another; they do not overlap */
    size_t n_windows;
    bool unordered; /* set: the place does not list in order, so that not all that is gone is told,
                       and some is told that is not */
};

struct ledger_compare;

enum status ledger_compare_begin(struct ledger_compare **out, struct ledger *ledger, int64_t scope,
                                 struct slice prefix, struct window window, struct comparison *to,
                                 struct err *err);
/* Each object of the listing, in its order. */
enum status ledger_compare_put(struct ledger_compare *compare, const struct object *object,
                               struct err *err);
/* The same for one that is not to be read: nobody is told. */
enum status ledger_compare_pass(struct ledger_compare *compare, const struct object *object,
                                struct err *err);
/* complete: the listing came to its end, so that what is behind its last key is gone. Frees. */
enum status ledger_compare_end(struct ledger_compare *compare, bool complete, struct err *err);

#endif
