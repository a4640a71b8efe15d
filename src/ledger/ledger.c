/*
 * ledger: its tables, opening and closing, scopes. See ledger.h for what it is; the rest is in
 * join.c and known.c (listings), compare.c (listings that change nothing), cursors.c (where they
 * go on), work.c, left.c (objects that nobody is to read), settle.c (outcomes, dead letters),
 * prune.c (what is kept of objects that are gone), letters.c (dead letters read and requeued),
 * runs.c (runs, sinks, fingerprints), status.c and verify.c (figures).
 */
#include "ledger/private.h"

#include "base/memory.h"

#include <stdlib.h>

/*
 * steps[v] makes version v + 1 of version v. Published steps are never edited: a change of the
 * tables is one more step.
 *
 * Objects have no rowid: a row lies in the b-tree of its key, which the merge join walks in order.
 * The numbers of object.state are those of enum object_state. object_work holds only what is left
 * to do, so that it is small once a backlog is done. Ids of runs and dead letters are never given
 * twice (AUTOINCREMENT): operators write them down. run.text is not used.
 */
static const char *const steps[] = {
    "CREATE TABLE scope (id INTEGER PRIMARY KEY, job TEXT NOT NULL, endpoint TEXT NOT NULL,"
    " bucket TEXT NOT NULL, folders TEXT NOT NULL, UNIQUE (job, endpoint, bucket, folders));"

    "CREATE TABLE object (scope INTEGER NOT NULL, key BLOB NOT NULL, etag BLOB NOT NULL,"
    " size INTEGER NOT NULL, last_modified INTEGER NOT NULL, state INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL, error TEXT, counts BLOB,"
    " PRIMARY KEY (scope, key)) WITHOUT ROWID;"
    "CREATE INDEX object_work ON object (scope, last_modified, key) WHERE state IN (0, 2);"

    "CREATE TABLE measurement (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"

    /* of objects that are no longer in the bucket */
    "CREATE TABLE total_object (scope INTEGER PRIMARY KEY, objects INTEGER NOT NULL,"
    " read INTEGER NOT NULL);"
    "CREATE TABLE total_sink (scope INTEGER NOT NULL, sink INTEGER NOT NULL,"
    " stored INTEGER NOT NULL, duplicate INTEGER NOT NULL, expired INTEGER NOT NULL,"
    " dead INTEGER NOT NULL, PRIMARY KEY (scope, sink)) WITHOUT ROWID;"
    "CREATE TABLE total_points (scope INTEGER NOT NULL, sink INTEGER NOT NULL,"
    " measurement INTEGER NOT NULL, day INTEGER NOT NULL, points INTEGER NOT NULL,"
    " PRIMARY KEY (scope, sink, measurement, day)) WITHOUT ROWID;"

    /* sink '': refused by the parser */
    "CREATE TABLE dead_letter (id INTEGER PRIMARY KEY AUTOINCREMENT, scope INTEGER NOT NULL,"
    " key BLOB NOT NULL, run INTEGER NOT NULL, line INTEGER NOT NULL, sink TEXT NOT NULL,"
    " reason TEXT NOT NULL, len INTEGER NOT NULL, hash INTEGER NOT NULL, bytes BLOB NOT NULL,"
    " UNIQUE (scope, key, run, line, sink));"

    "CREATE TABLE run (id INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL,"
    " started INTEGER NOT NULL, ended INTEGER, ok INTEGER, text TEXT);"
    "CREATE INDEX run_job ON run (job);"
    "CREATE TABLE good_window (job TEXT PRIMARY KEY, from_ns INTEGER NOT NULL,"
    " to_ns INTEGER NOT NULL) WITHOUT ROWID;"

    "CREATE TABLE fingerprint (job TEXT NOT NULL, sink TEXT NOT NULL, value INTEGER NOT NULL,"
    " PRIMARY KEY (job, sink)) WITHOUT ROWID;",

    /* 2: when a letter was buried, what a run has learnt, how new the records of a kind are.
     * kind_arrival holds the starts of the latest runs that brought newer ones. */
    "ALTER TABLE dead_letter ADD COLUMN buried INTEGER;" /* NULL: before anybody noted it */
    "UPDATE dead_letter SET buried = (SELECT started FROM run WHERE run.id = dead_letter.run);"
    "ALTER TABLE run ADD COLUMN error TEXT;"
    "ALTER TABLE run ADD COLUMN unmatched INTEGER;"     /* NULL: the listing did not get there */
    "ALTER TABLE run ADD COLUMN list_requests INTEGER;" /* NULL: not counted */
    "CREATE TABLE kind (job TEXT NOT NULL, name TEXT NOT NULL, newest INTEGER NOT NULL,"
    " PRIMARY KEY (job, name)) WITHOUT ROWID;"
    "CREATE TABLE kind_arrival (job TEXT NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL,"
    " PRIMARY KEY (job, name, at)) WITHOUT ROWID;",

    /* 3: how far listings have come; the times are explained in cursors.h. */
    "CREATE TABLE folder (scope INTEGER NOT NULL, prefix BLOB NOT NULL, whole INTEGER NOT NULL,"
    " PRIMARY KEY (scope, prefix)) WITHOUT ROWID;"
    "CREATE TABLE cursor (scope INTEGER NOT NULL, prefix BLOB NOT NULL, stem BLOB NOT NULL,"
    " key BLOB NOT NULL, PRIMARY KEY (scope, prefix, stem)) WITHOUT ROWID;"
    "CREATE TABLE listing_pass (scope INTEGER PRIMARY KEY, from_ns INTEGER NOT NULL,"
    " whole INTEGER NOT NULL, listed INTEGER NOT NULL, looked INTEGER NOT NULL);",

    /* 4: sinks by name. The numbers are those in the counts, which were places in the job's `to:`
     * so far: the names that come first get them in that order, unless there was only one ever. */
    "CREATE TABLE sink (job TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,"
    " PRIMARY KEY (job, number), UNIQUE (job, name)) WITHOUT ROWID;"
    "INSERT INTO sink (job, number, name)"
    " SELECT job, 0, min(sink) FROM fingerprint GROUP BY job HAVING count(*) = 1;"
    "ALTER TABLE total_sink ADD COLUMN read INTEGER NOT NULL DEFAULT 0;"
    "UPDATE total_sink SET read = stored + duplicate + expired + dead;",

    /* 5: the periods that runs were asked to read and have listed to their end, and when the last
     * one did. What touches is one. */
    "CREATE TABLE asked (scope INTEGER NOT NULL, from_ns INTEGER NOT NULL, to_ns INTEGER NOT NULL,"
    " listed INTEGER NOT NULL, PRIMARY KEY (scope, from_ns)) WITHOUT ROWID;"
    "INSERT INTO asked (scope, from_ns, to_ns, listed) SELECT s.id, g.from_ns, g.to_ns,"
    " coalesce((SELECT max(r.started) FROM run r WHERE r.job = s.job AND r.unmatched IS NOT NULL),"
    " g.to_ns) FROM good_window g JOIN scope s ON s.job = g.job;",

    /* 6: start of the listing that first had the object no longer; NULL: it is in the bucket. */
    "ALTER TABLE object ADD COLUMN gone INTEGER;",
};

enum { VERSION = sizeof steps / sizeof steps[0] };

static enum status open_ledger(struct ledger **out, const char *path, bool create, struct err *err)
{
    *out = NULL;
    sqlite3 *db;
    enum status status = ledger_file_open(&db, path, create, steps, VERSION, err);
    if (status != OK) {
        return status;
    }
    struct ledger *ledger = memory_new(sizeof *ledger);
    pthread_mutex_init(&ledger->lock, NULL);
    ledger->db = db;
    ledger->path = memory_copy(path, strlen(path));
    status = ledger_letters_init(ledger, err);
    if (status != OK) {
        ledger_close(ledger);
        return status;
    }
    *out = ledger;
    return OK;
}

enum status ledger_open(struct ledger **out, const char *path, struct err *err)
{
    return open_ledger(out, path, true, err);
}

enum status ledger_open_existing(struct ledger **out, const char *path, struct err *err)
{
    return open_ledger(out, path, false, err);
}

void ledger_close(struct ledger *ledger)
{
    if (!ledger) {
        return;
    }
    ledger_finalize(ledger);
    sqlite3_close(ledger->db);
    pthread_mutex_destroy(&ledger->lock);
    free(ledger->path);
    free(ledger);
}

/* --- scopes --- */

static void bind_scope(sqlite3_stmt *statement, const char *job, const struct place *place)
{
    bind_text(statement, 1, job);
    bind_text(statement, 2, place->endpoint ? place->endpoint : "");
    bind_text(statement, 3, place->bucket ? place->bucket : "");
    bind_text(statement, 4, place->folders ? place->folders : "");
}

static enum status find_scope(struct ledger *ledger, const char *job, const struct place *place,
                              bool *found, int64_t *scope, struct err *err)
{
    sqlite3_stmt *find = ledger_statement(ledger, SQL_SCOPE_FIND);
    bind_scope(find, job, place);
    enum status status = ledger_step(ledger, find, found, "finding the scope", err);
    if (*found) {
        *scope = sqlite3_column_int64(find, 0);
        sqlite3_reset(find);
    }
    return status;
}

static enum status add_scope(struct ledger *ledger, const char *job, const struct place *place,
                             int64_t *scope, struct err *err)
{
    enum status status = ledger_begin(ledger, err);
    if (status == OK) {
        sqlite3_stmt *add = ledger_statement(ledger, SQL_SCOPE_ADD);
        bind_scope(add, job, place);
        status = ledger_run(ledger, add, "adding the scope", err);
    }
    bool found;
    if (status == OK) {
        status = find_scope(ledger, job, place, &found, scope, err);
    }
    return ledger_end(ledger, status, err);
}

enum status ledger_scope(struct ledger *ledger, const char *job, const struct place *place,
                         int64_t *scope, struct err *err)
{
    bool found;
    ledger_lock(ledger);
    enum status status = find_scope(ledger, job, place, &found, scope, err);
    ledger_unlock(ledger);
    return status != OK || found ? status : add_scope(ledger, job, place, scope, err);
}
