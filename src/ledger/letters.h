/*
 * letters: the dead letters of the ledger, read page by page, dropped, and their objects
 * opened again. Used by `dead-letters` only; how letters come into the ledger and leave it is in
 * ledger.h (ledger_bury, ledger_settle).
 */
#ifndef LEDGER_LETTERS_H
#define LEDGER_LETTERS_H

#include "ledger/ledger.h"

/* Which dead letters; all conditions hold. */
struct letter_filter {
    const char *job;    /* NULL: of every job */
    const char *reason; /* a part of the reason; a number in it stands for every number, as '#'
                           does; NULL: any */
    int64_t since_ns;   /* buried then or later; INT64_MIN: whenever */
    int64_t before_ns;  /* buried before, or nobody knows when; INT64_MAX: whenever */
    bool gone;          /* only of objects that the ledger does not know any more */
};

/* A letter. Its texts lie in the arena it was read into. */
struct letter {
    int64_t id;
    int64_t buried_ns; /* INT64_MIN: not known */
    const char *job;
    const char *sink; /* "": refused by the parser */
    struct slice key;
    uint64_t line;
    const char *reason;
};

/* What a letter has besides. */
struct letter_details {
    int64_t scope, run;
    uint64_t len, hash; /* of the record before masking */
    struct slice bytes; /* masked */
    const char *endpoint, *bucket, *folders;
};

/* The next letters, newest first, with ids below `before` (INT64_MAX: from the newest on). Fewer
 * than max: there are no more. */
enum status ledger_letter_page(struct ledger *ledger, const struct letter_filter *filter,
                               int64_t before, struct arena *texts, struct letter *out, size_t max,
                               size_t *n, struct err *err);
enum status ledger_letter_count(struct ledger *ledger, const struct letter_filter *filter,
                                uint64_t *count, struct err *err);

/* Forgets letters; the counts of their objects stay. *dropped: how many of them there were. */
enum status ledger_letters_drop(struct ledger *ledger, const int64_t *ids, size_t n,
                                uint64_t *dropped, struct err *err);

/* One letter. AGAIN: there is none of that id. */
enum status ledger_letter(struct ledger *ledger, int64_t id, struct arena *texts,
                          struct letter *out, struct letter_details *details, struct err *err);

/* An object that letters are of. */
struct letter_object {
    int64_t scope;
    const char *job;
    struct slice key;
};

/* The next objects with letters that match, by scope and key, behind *after (NULL: from the first
 * on), each once. Fewer than max: there are no more. */
enum status ledger_letter_objects(struct ledger *ledger, const struct letter_filter *filter,
                                  const struct letter_object *after, struct arena *texts,
                                  struct letter_object *out, size_t max, size_t *n,
                                  struct err *err);

/* The object's state. AGAIN: the ledger does not know it (any more). */
enum status ledger_object_state(struct ledger *ledger, int64_t scope, struct slice key,
                                enum object_state *state, struct err *err);

/* Opens a settled or quarantined object again, under the etag it has: the next run over its date
 * reads it. *requeued: false when it is going to be read anyway. AGAIN: the ledger does not know
 * it. */
enum status ledger_requeue(struct ledger *ledger, int64_t scope, struct slice key, bool *requeued,
                           struct err *err);

#endif
