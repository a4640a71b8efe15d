/*
 * ledger_place: a temporary folder with a ledger in it and short ways to say what ledger tests say
 * often. Included by one test file each.
 */
#ifndef TESTS_LEDGER_PLACE_H
#define TESTS_LEDGER_PLACE_H

#include "ledger/ledger.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/timestamp.h"

#include <limits.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct ledger_place {
    char folder[64], path[96];
    struct ledger *ledger;
    int64_t scope;
    struct err err;
};

static const struct window all_time = {INT64_MIN, INT64_MAX};
static const char *const sink_names[] = {"influx", "store", "archive"};
static const struct place lyve = {"https://s3.example.com", "logs", "%B-%Y/", {NULL, 0}};

#define assert_ok(place, call)                            \
    do {                                                  \
        if ((call) != OK) {                               \
            fail_msg("%s: %s", #call, (place)->err.text); \
        }                                                 \
    } while (0)

static inline int make_folder(void **state)
{
    struct ledger_place *place = memory_new(sizeof *place);
    snprintf(place->folder, sizeof place->folder, "/tmp/loggateway-ledger-XXXXXX");
    if (!mkdtemp(place->folder)) {
        free(place);
        return -1;
    }
    snprintf(place->path, sizeof place->path, "%s/state.db", place->folder);
    *state = place;
    return 0;
}

static inline int make_ledger(void **state)
{
    if (make_folder(state) != 0) {
        return -1;
    }
    struct ledger_place *place = *state;
    return ledger_open(&place->ledger, place->path, &place->err) == OK &&
                   ledger_scope(place->ledger, "lyve", &lyve, &place->scope, &place->err) == OK
               ? 0
               : -1;
}

static inline int remove_ledger(void **state)
{
    struct ledger_place *place = *state;
    ledger_close(place->ledger);
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s%s", place->path, suffixes[i]);
        unlink(path);
    }
    int result = rmdir(place->folder);
    free(place);
    return result;
}

/* An object whose etag is the byte `version` sixteen times. */
static inline struct object object_of(const char *key, int version, int64_t size, int64_t date_ns)
{
    struct object object = {slice_of(key), size, date_ns, {0}};
    memset(object.etag, version, sizeof object.etag);
    return object;
}

static inline struct outcome outcome_of(const struct object *object, enum object_state state,
                                        int64_t attempt)
{
    struct outcome outcome = {.key = object->key, .state = state, .attempt = attempt, .n_sinks = 1};
    memcpy(outcome.etag, object->etag, sizeof outcome.etag);
    return outcome;
}

/* Lists exactly these keys, all of version 1 and size 10, each dated by its first letter. */
static inline void list_exactly(struct ledger_place *place, int64_t start_ns,
                                const char *const *keys)
{
    struct ledger_join *join;
    struct join_counts counts;
    assert_ok(place, ledger_join_begin(&join, place->ledger, place->scope, slice_of(""), all_time,
                                       false, start_ns, &place->err));
    for (; *keys; keys++) {
        struct object object = object_of(*keys, 1, 10, (*keys)[0] * NS_PER_DAY);
        assert_ok(place, ledger_join_put(join, &object, &place->err));
    }
    assert_ok(place, ledger_join_end(join, true, &counts, &place->err));
}

#define LIST_EXACTLY_AT(place, day, ...) \
    list_exactly(place, (day)*NS_PER_DAY, (const char *const[]){__VA_ARGS__, NULL})
#define LIST_EXACTLY(place, ...) LIST_EXACTLY_AT(place, 0, __VA_ARGS__)
/* What these are not is gone for so long that it is folded into the totals. */
#define FORGET_ALL_BUT(place, ...)               \
    do {                                         \
        LIST_EXACTLY(place, __VA_ARGS__);        \
        LIST_EXACTLY_AT(place, 30, __VA_ARGS__); \
    } while (0)

/* One number out of the file, read beside the ledger. */
static inline int64_t ask(const struct ledger_place *place, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open_v2(place->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    }
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

#endif
