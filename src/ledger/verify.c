/* verify: see verify.h. */
#include "ledger/verify.h"

#include "ledger/counts.h"
#include "ledger/private.h"

#include "base/cleanup.h"
#include "base/memory.h"

#include <stdlib.h>

enum { NAMES_MAX = 65536 }; /* of sinks, and of measurements */

/* A sink or, without a job, a measurement. */
struct name {
    const char *job;
    int64_t number;
    const char *text;
};

struct names {
    struct name *at;
    size_t n, size;
};

struct walk {
    struct ledger *ledger;
    struct claims *to;
    struct arena texts;
    struct names sinks, measurements;
};

static void walk_finish(struct walk *walk)
{
    arena_finish(&walk->texts);
    free(walk->sinks.at);
    free(walk->measurements.at);
}

/* --- names --- */

static const char *copy_text(struct walk *walk, sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return arena_text(&walk->texts, slice_of(text ? text : ""));
}

static void add_name(struct names *names, struct name name)
{
    if (names->n == names->size) {
        names->size = names->size ? 2 * names->size : 16;
        names->at = memory_grow(names->at, names->size * sizeof *names->at);
    }
    names->at[names->n++] = name;
}

static void take_sink(struct walk *walk, sqlite3_stmt *row)
{
    struct name name = {copy_text(walk, row, 0), sqlite3_column_int64(row, 1),
                        copy_text(walk, row, 2)};
    add_name(&walk->sinks, name);
}

static void take_measurement(struct walk *walk, sqlite3_stmt *row)
{
    struct name name = {NULL, sqlite3_column_int64(row, 0), copy_text(walk, row, 1)};
    add_name(&walk->measurements, name);
}

static enum status read_names(struct walk *walk, enum ledger_sql sql, struct names *names,
                              void (*take)(struct walk *walk, sqlite3_stmt *row), struct err *err)
{
    sqlite3_stmt *statement = ledger_statement(walk->ledger, sql);
    enum status status;
    bool row;
    while ((status = ledger_step(walk->ledger, statement, &row, "reading names", err)) == OK &&
           row) {
        take(walk, statement);
        if (names->n > NAMES_MAX) {
            sqlite3_reset(statement);
            return err_set(err, FAILED, "ledger %s: more than %d names", walk->ledger->path,
                           NAMES_MAX);
        }
    }
    return status;
}

static const char *name_of(const struct names *names, const char *job, uint64_t number)
{
    for (size_t i = 0; i < names->n; i++) {
        const struct name *name = &names->at[i];
        if (name->number == (int64_t)number && (!job || strcmp(name->job, job) == 0)) {
            return name->text;
        }
    }
    return "";
}

/* --- objects --- */

static void set_counts(const struct walk *walk, const struct counts *counts, struct claim *claim)
{
    claim->read = counts->read;
    claim->n_sinks = counts->n_sinks;
    for (size_t i = 0; i < counts->n_sinks; i++) {
        claim->sinks[i].name = name_of(&walk->sinks, claim->job, counts->numbers[i]);
        claim->sinks[i].counts = counts->sinks[i];
    }
}

/* False: they cannot be read to their end. */
static bool tell_days(const struct walk *walk, const struct claim *claim, struct slice packed)
{
    while (packed.len) {
        struct counts_day packed_day;
        if (!counts_unpack_day(&packed, &packed_day) || packed_day.sink >= claim->n_sinks) {
            return false;
        }
        struct claim_day day = {
            packed_day.sink,
            name_of(&walk->measurements, NULL, packed_day.measurement),
            packed_day.day,
            packed_day.points,
        };
        walk->to->day(walk->to, claim, &day);
    }
    return true;
}

static enum status tell_object(struct walk *walk, sqlite3_stmt *row, struct err *err)
{
    (void)err;
    struct claim claim = {.objects = 1};
    claim.job = (const char *)sqlite3_column_text(row, 0);
    claim.key = column_blob(row, 1);
    claim.state = sqlite3_column_int64(row, 2);
    claim.has_counts = sqlite3_column_type(row, 3) != SQLITE_NULL;
    claim.scope = sqlite3_column_int64(row, 4);
    claim.last_modified_ns = sqlite3_column_int64(row, 5);
    claim.gone = sqlite3_column_type(row, 6) != SQLITE_NULL;
    struct slice packed = column_blob(row, 3);
    struct counts counts;
    if (claim.has_counts && counts_unpack(&packed, &counts)) {
        set_counts(walk, &counts, &claim);
    } else {
        claim.damaged = claim.has_counts;
        packed.len = 0;
    }
    walk->to->begin(walk->to, &claim);
    claim.damaged |= !tell_days(walk, &claim, packed);
    walk->to->end(walk->to, &claim);
    return OK;
}

/* --- totals of objects that are gone --- */

static enum status tell_gone(struct walk *walk, sqlite3_stmt *row, struct err *err)
{
    (void)err;
    struct claim claim = {
        .job = (const char *)sqlite3_column_text(row, 0),
        .key = {"", 0},
        .objects = (uint64_t)sqlite3_column_int64(row, 1),
        .state = OBJECT_SETTLED,
        .gone = true,
        .has_counts = true,
        .read = (uint64_t)sqlite3_column_int64(row, 2),
    };
    walk->to->begin(walk->to, &claim);
    walk->to->end(walk->to, &claim);
    return OK;
}

static enum status tell_total_days(struct walk *walk, const struct claim *claim, int64_t scope,
                                   int64_t sink, struct err *err)
{
    sqlite3_stmt *points = ledger_statement(walk->ledger, SQL_CLAIM_POINTS);
    bind_int(points, 1, scope);
    bind_int(points, 2, sink);
    enum status status;
    bool row;
    while ((status = ledger_step(walk->ledger, points, &row, "reading the totals", err)) == OK &&
           row) {
        uint64_t measurement = (uint64_t)sqlite3_column_int64(points, 0);
        struct claim_day day = {
            0,
            name_of(&walk->measurements, NULL, measurement),
            (int32_t)sqlite3_column_int64(points, 1),
            (uint64_t)sqlite3_column_int64(points, 2),
        };
        walk->to->day(walk->to, claim, &day);
    }
    return status;
}

static enum status tell_total(struct walk *walk, sqlite3_stmt *row, struct err *err)
{
    struct claim claim = {
        .job = (const char *)sqlite3_column_text(row, 0),
        .key = {"", 0},
        .state = OBJECT_SETTLED,
        .gone = true,
        .has_counts = true,
        .read = (uint64_t)sqlite3_column_int64(row, 3),
        .n_sinks = 1,
    };
    int64_t scope = sqlite3_column_int64(row, 1), sink = sqlite3_column_int64(row, 2);
    claim.sinks[0].name = name_of(&walk->sinks, claim.job, (uint64_t)sink);
    claim.sinks[0].counts = (struct sink_counts){
        .stored = (uint64_t)sqlite3_column_int64(row, 4),
        .duplicate = (uint64_t)sqlite3_column_int64(row, 5),
        .expired = (uint64_t)sqlite3_column_int64(row, 6),
        .dead = (uint64_t)sqlite3_column_int64(row, 7),
    };
    walk->to->begin(walk->to, &claim);
    enum status status = tell_total_days(walk, &claim, scope, sink, err);
    walk->to->end(walk->to, &claim);
    return status;
}

/* --- the walk --- */

static enum status tell_all(struct walk *walk, enum ledger_sql sql,
                            enum status (*tell)(struct walk *walk, sqlite3_stmt *row,
                                                struct err *err),
                            struct err *err)
{
    sqlite3_stmt *statement = ledger_statement(walk->ledger, sql);
    enum status status;
    bool row;
    while ((status = ledger_step(walk->ledger, statement, &row, "reading the objects", err)) ==
               OK &&
           row) {
        status = tell(walk, statement, err);
        if (status != OK) {
            sqlite3_reset(statement);
            break;
        }
    }
    return status;
}

static enum status walk_all(struct walk *walk, struct err *err)
{
    if (read_names(walk, SQL_CLAIM_SINKS, &walk->sinks, take_sink, err) != OK ||
        read_names(walk, SQL_CLAIM_MEASUREMENTS, &walk->measurements, take_measurement, err) !=
            OK ||
        tell_all(walk, SQL_CLAIM_OBJECTS, tell_object, err) != OK ||
        tell_all(walk, SQL_CLAIM_GONE, tell_gone, err) != OK) {
        return err->status;
    }
    return tell_all(walk, SQL_CLAIM_TOTALS, tell_total, err);
}

enum status ledger_claims(struct ledger *ledger, struct claims *to, struct err *err)
{
    CLEANUP(walk_finish) struct walk walk = {.ledger = ledger, .to = to};
    enum status status = ledger_begin_reading(ledger, err);
    if (status == OK) {
        status = walk_all(&walk, err);
    }
    return ledger_end(ledger, status, err);
}
