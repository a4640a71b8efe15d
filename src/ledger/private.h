/*
 * private: what the parts of the ledger share: the connection with its statements,
 * transactions, and the upgrade of the file. Included by the files of this room and their tests
 * only.
 *
 * The rule of locking: functions named in headers that others include (ledger.h, compare.h,
 * cursors.h, letters.h, verify.h) take the ledger's lock, everything else here expects it to be
 * held; known.h says where it differs.
 */
#ifndef LEDGER_PRIVATE_H
#define LEDGER_PRIVATE_H

#include "ledger/ledger.h"

#include <pthread.h>
#include <sqlite3.h>

enum {
    LEDGER_APPLICATION_ID = 0x4C47574C, /* "LGWL" */
    LEDGER_ERROR_MAX_BYTES = 512,
    LEDGER_LETTER_MAX_BYTES = 65536,
    LEDGER_COMMIT_KEYS = 1000, /* keys per transaction and per page read */
};

/* One statement each, prepared when it is first used; the texts are in sql.c. */
enum ledger_sql {
    SQL_BEGIN,
    SQL_BEGIN_READING,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_SCOPE_ADD,
    SQL_SCOPE_FIND,
    SQL_FINGERPRINT,
    SQL_FINGERPRINT_SET,
    SQL_OBJECT_PAGE,
    SQL_OBJECT_FIND,
    SQL_OBJECT_ENTER,
    SQL_OBJECT_BACK,
    SQL_OBJECT_GONE,
    SQL_OBJECT_PRUNABLE,
    SQL_OBJECT_REMOVE,
    SQL_OBJECT_SETTLE,
    SQL_SINK_ADD,
    SQL_SINK_FIND,
    SQL_SINK_LOOK,
    SQL_TOTAL_OBJECT,
    SQL_TOTAL_SINK,
    SQL_TOTAL_POINTS,
    SQL_WORK_TOTALS,
    SQL_WORK_PAGE,
    SQL_WORK_FAILED,
    SQL_OBJECT_ANY,
    SQL_FOLDER_WHOLE,
    SQL_FOLDER_SET,
    SQL_FOLDER_DOUBT,
    SQL_FOLDER_DOUBTED,
    SQL_FOLDER_OUTSIDE,
    SQL_FOLDERS_FORGET,
    SQL_FOLDER_DAILY,
    SQL_CURSORS,
    SQL_CURSORS_CLEAR,
    SQL_CURSORS_FORGET,
    SQL_CURSOR_ADD,
    SQL_PASS,
    SQL_PASS_SET,
    SQL_ASKED,
    SQL_ASKED_CLOCK,
    SQL_ASKED_ADD,
    SQL_ASKED_TIDY,
    SQL_WAITING,
    SQL_LEFT_SETTLE,
    SQL_LEFT_REMOVE,
    SQL_OTHERS_ANY,
    SQL_OTHERS_SETTLE,
    SQL_OTHERS_REMOVE,
    SQL_OTHERS_PASS,
    SQL_OTHERS_ASKED,
    SQL_OTHERS_OBJECT,
    SQL_OTHERS_LETTERS,
    SQL_MEASUREMENT_ADD,
    SQL_MEASUREMENT_FIND,
    SQL_LETTER_BURY,
    SQL_LETTER_DROP_OTHERS,
    SQL_LETTER_DROP_ATTEMPT,
    SQL_LETTER_DROP,
    SQL_LETTER_PAGE,
    SQL_LETTER_COUNT,
    SQL_LETTER_FIND,
    SQL_LETTER_OBJECTS,
    SQL_OBJECT_STATE,
    SQL_OBJECT_REQUEUE,
    SQL_RUN_BEGIN,
    SQL_RUN_END,
    SQL_RUN_GOOD,
    SQL_RUN_FIRST,
    SQL_RUN_PRUNE,
    SQL_RUN_NOTE,
    SQL_KIND_NEWEST,
    SQL_KIND_ARRIVAL,
    SQL_KIND_FORGET,
    SQL_STATUS_RUN,
    SQL_STATUS_ENDED,
    SQL_STATUS_LISTED,
    SQL_STATUS_GOOD,
    SQL_STATUS_OBJECTS,
    SQL_STATUS_TOTAL_OBJECT,
    SQL_STATUS_TOTAL_SINK,
    SQL_STATUS_LETTERS,
    SQL_STATUS_REASONS,
    SQL_STATUS_KINDS,
    SQL_STATUS_ARRIVALS,
    SQL_STATUS_ERROR,
    SQL_CLAIM_SINKS,
    SQL_CLAIM_MEASUREMENTS,
    SQL_CLAIM_OBJECTS,
    SQL_CLAIM_GONE,
    SQL_CLAIM_TOTALS,
    SQL_CLAIM_POINTS,
    SQL_COUNT,
};

struct ledger {
    pthread_mutex_t lock; /* the connection and everything read from it */
    sqlite3 *db;
    char *path;
    sqlite3_stmt *statements[SQL_COUNT];
};

static inline void ledger_lock(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->lock);
}

static inline void ledger_unlock(struct ledger *ledger)
{
    pthread_mutex_unlock(&ledger->lock);
}

/* --- sql.c --- */

void ledger_finalize(struct ledger *ledger); /* all statements */

/* FAILED with what SQLite says about the last call on the ledger's connection. doing: "settling".
 */
enum status ledger_fault(struct ledger *ledger, const char *doing, struct err *err);

/* NULL when SQLite cannot prepare it: binding is then without effect, and running it fails with the
 * reason. Otherwise binding cannot fail: the numbers of the parameters are in the texts and nothing
 * is copied, so that what is bound must live until the statement has run. */
sqlite3_stmt *ledger_statement(struct ledger *ledger, enum ledger_sql sql);
void bind_int(sqlite3_stmt *statement, int parameter, int64_t value);
void bind_blob(sqlite3_stmt *statement, int parameter, struct slice value);
void bind_text(sqlite3_stmt *statement, int parameter, const char *value); /* NULL is NULL */

struct slice column_blob(sqlite3_stmt *statement, int column); /* valid until the next step */
/* The same of an object's key: at most OBJECT_KEY_MAX_BYTES, whatever is in a damaged file. */
struct slice column_key(sqlite3_stmt *statement, int column);
/* An object of a statement that gives key, etag, size and last_modified first. Its key is in keys.
 */
void column_object(sqlite3_stmt *statement, struct arena *keys, struct object *out);

/* Runs a statement that gives no rows. */
enum status ledger_run(struct ledger *ledger, sqlite3_stmt *statement, const char *doing,
                       struct err *err);
/* Takes one step: *row tells whether there is a row to read. After the last row, and on a fault,
 * the statement is reset; who stops before that calls sqlite3_reset(). */
enum status ledger_step(struct ledger *ledger, sqlite3_stmt *statement, bool *row,
                        const char *doing, struct err *err);

/* One write transaction under the lock. ledger_end() commits when status is OK, otherwise rolls
 * back; it lets go of the lock in any case, also when ledger_begin() failed:
 *     enum status status = ledger_begin(ledger, err);
 *     if (status == OK) { status = ...; }
 *     return ledger_end(ledger, status, err);
 */
enum status ledger_begin(struct ledger *ledger, struct err *err);
/* The same for statements that only read and have to see one state of the file. */
enum status ledger_begin_reading(struct ledger *ledger, struct err *err);
enum status ledger_end(struct ledger *ledger, enum status status, struct err *err);

/* --- letters.c --- */

/* Teaches the connection what the statements about reasons need. Before the first of them is used.
 */
enum status ledger_letters_init(struct ledger *ledger, struct err *err);

/* --- prune.c --- */

/* Adds an object's packed counts to the totals of its scope. Within a transaction. */
enum status ledger_fold(struct ledger *ledger, int64_t scope, struct slice packed, struct err *err);

/* --- left.c --- */

/* Whether the job has read another place before: few have, and to look for each object there is as
 * much work as to settle it. */
enum status ledger_has_others(struct ledger *ledger, int64_t scope, bool *has, struct err *err);

/* The object is done: where the job has read the very same before, under the name that its place
 * had then, it does not count any more. Within a transaction. */
enum status ledger_moved(struct ledger *ledger, int64_t scope, struct slice key,
                         const unsigned char etag[16], struct err *err);

/* --- file.c --- */

/* The same of a file that is not open as a ledger yet. */
enum status ledger_file_fault(sqlite3 *db, const char *path, const char *doing, struct err *err);

/* The name of a network file system by its statfs type, NULL for all others. */
const char *ledger_network_filesystem(uint32_t type);

/* Opens the database (mode 0600 when created), sees to it that it is a ledger and brings its schema
 * up to date: steps[v] leads from version v to v + 1. Version 0 is an empty file. */
enum status ledger_file_open(sqlite3 **out, const char *path, bool create, const char *const *steps,
                             int n_steps, struct err *err);

/* Gives the pages that a settled backlog has left behind back to the file system. */
void ledger_file_shrink(struct ledger *ledger);

#endif
