/*
 * known: the keys of a prefix as the ledger knows them, in order, a page at a time. What a
 * listing is held against: by join.c, which writes, and by compare.c, which only looks. Private to
 * the ledger.
 */
#ifndef LEDGER_KNOWN_H
#define LEDGER_KNOWN_H

#include "ledger/private.h"

enum { KNOWN_END_MAX_BYTES = 2 * OBJECT_KEY_MAX_BYTES + 1 };

struct known_row {
    struct object object; /* its key lives as long as the page */
    enum object_state state;
    bool gone;       /* the last whole listing did not have it */
    int64_t gone_ns; /* start of the run that found so first */
};

struct known_keys {
    struct ledger *ledger;
    int64_t scope;
    struct known_row page[LEDGER_COMMIT_KEYS];
    size_t n_rows, at; /* at: the current row */
    bool last_page;
    struct arena keys;
    char next_page[OBJECT_KEY_MAX_BYTES + 1]; /* where it begins */
    size_t next_page_len;
    char end[KNOWN_END_MAX_BYTES]; /* behind all keys with the prefix */
    size_t end_len;
};

/* FAILED: the prefix is too long. `known` is zeroed. */
enum status known_begin(struct known_keys *known, struct ledger *ledger, int64_t scope,
                        struct slice prefix, struct err *err);
void known_finish(struct known_keys *known);

/* The current row, NULL behind the last. Takes the ledger's lock when it reads a page. */
enum status known_row_now(struct known_keys *known, struct known_row **row, struct err *err);
/* The current row is then the first behind the key. */
void known_skip(struct known_keys *known, struct slice after);
/* Behind all keys with the prefix. */
struct slice known_end(const struct known_keys *known);

/* Looks one key up. Takes the ledger's lock. */
enum status known_find(struct ledger *ledger, int64_t scope, struct slice key, struct arena *keys,
                       struct known_row *out, bool *found, struct err *err);

/* The key that follows immediately in byte order: the same and a NUL. Returns its length. */
size_t known_successor(char *to, struct slice key);

/* A place behind all keys with a prefix that is no longer than a key, and before all others that
 * follow. Returns its length. */
size_t known_prefix_end(char to[KNOWN_END_MAX_BYTES], struct slice prefix);

/* The same bytes, whatever their date. */
bool known_is_content(const struct object *a, const struct object *b);

#endif
