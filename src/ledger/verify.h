/*
 * verify: all that the ledger claims to have been done, object by object, for `verify`. One
 * walk over the ledger; nothing of it is kept here. Used by the room verify only.
 */
#ifndef LEDGER_VERIFY_H
#define LEDGER_VERIFY_H

#include "ledger/ledger.h"

/* A sink that points of an object went to. */
struct claim_sink {
    const char *name; /* "": of a job that has had no run since sinks have names */
    struct sink_counts counts;
};

/*
 * What is claimed of one object. With an empty key: of the objects that left a place so long ago
 * that they are not known one by one any more, once all of them (objects > 0, no sinks) and once
 * for each sink (objects = 0, one sink; read counts the records of those objects that went there).
 */
struct claim {
    const char *job;
    struct slice key;
    uint64_t objects;
    int64_t scope; /* of an object: where it was listed, as in ledger_scope() */
    int64_t last_modified_ns;
    int64_t state;   /* enum object_state, but as it is in the file */
    bool gone;       /* no longer in its place */
    bool has_counts; /* it was read to its end; otherwise nothing below is set */
    bool damaged;    /* its counts cannot be read, or not to their end */
    uint64_t read;
    size_t n_sinks;
    struct claim_sink sinks[LEDGER_SINKS_MAX];
};

struct claim_day {
    size_t sink; /* index in the claim's sinks */
    const char *measurement;
    int32_t day;
    uint64_t points;
};

/* For each claim: begin, its days, end. Texts live until ledger_claims() returns; keys until end.
 */
struct claims {
    void (*begin)(struct claims *to, const struct claim *claim);
    void (*day)(struct claims *to, const struct claim *claim, const struct claim_day *day);
    void (*end)(struct claims *to, const struct claim *claim);
};

/* All from one state of the ledger. */
enum status ledger_claims(struct ledger *ledger, struct claims *to, struct err *err);

#endif
