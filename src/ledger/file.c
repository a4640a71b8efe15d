/*
 * file: the ledger as a file: where it may live, who may read it, whose database it is, and
 * how an older one becomes a newer one. Knows nothing of the tables. Called by ledger.c and by the
 * tests of the upgrade.
 */
#include "ledger/private.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum {
    BUSY_MS = 30000,      /* another process may hold the write lock that long */
    SHRINK_PAGES = 1000,  /* per transaction */
    SHRINK_LEAST = 1024,  /* free pages that are worth the trouble */
    SHRINK_FRACTION = 16, /* and this part of the file */
};

enum status ledger_file_fault(sqlite3 *db, const char *path, const char *doing, struct err *err)
{
    int code = sqlite3_errcode(db) & 0xFF;
    if (code == SQLITE_BUSY) {
        return err_set(err, FAILED, "ledger %s: %s: locked by another process for %d s", path,
                       doing, BUSY_MS / 1000);
    }
    if (code == SQLITE_NOTADB) {
        return err_set(err, FAILED, "ledger %s: not a ledger: not a database", path);
    }
    if (code == SQLITE_READONLY) {
        return err_set(err, FAILED,
                       "ledger %s: %s: may not be written: is this the user that runs the service?",
                       path, doing);
    }
    int system = sqlite3_system_errno(db);
    bool is_io = code == SQLITE_IOERR || code == SQLITE_CANTOPEN;
    return err_set(err, FAILED, "ledger %s: %s: %s%s%s", path, doing, sqlite3_errmsg(db),
                   is_io && system ? ": " : "", is_io && system ? strerror(system) : "");
}

/* --- where it may live --- */

/* The shared memory of WAL does not work across machines, and locks there are a promise at best.
 * Types as in statfs(2). */
const char *ledger_network_filesystem(uint32_t type)
{
    static const struct {
        uint32_t type;
        const char *name;
    } refused[] = {
        {0x00006969, "NFS"},    {0x0000517B, "SMB"},  {0xFF534D42, "CIFS"},   {0xFE534D42, "SMB"},
        {0x5346414F, "AFS"},    {0x6B414653, "AFS"},  {0x01021997, "9P"},     {0x0000564C, "NCP"},
        {0x73757245, "Coda"},   {0x00C36400, "Ceph"}, {0x0BD00BD0, "Lustre"}, {0x47504653, "GPFS"},
        {0x19830326, "BeeGFS"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (refused[i].type == type) {
            return refused[i].name;
        }
    }
    return NULL;
}

/* The file system of the file, or of its folder when there is no file yet. */
static bool find_filesystem(const char *path, uint32_t *type)
{
    struct statfs about;
    if (statfs(path, &about) != 0) {
        CLEANUP(buf_finish) struct buf folder = {.max = PATH_MAX};
        const char *slash = strrchr(path, '/');
        buf_add(&folder, slash ? slice_make(path, (size_t)(slash - path) + 1) : slice_of("."));
        if (statfs(buf_text(&folder), &about) != 0) {
            return false;
        }
    }
    *type = (uint32_t)about.f_type;
    return true;
}

static enum status check_place(const char *path, struct err *err)
{
    uint32_t type;
    const char *name = find_filesystem(path, &type) ? ledger_network_filesystem(type) : NULL;
    if (name) {
        return err_set(err, FAILED,
                       "ledger %s: on a network file system (%s): `state:` has to name a file on a "
                       "local disk",
                       path, name);
    }
    return OK;
}

/* --- opening --- */

/* Made here and not by SQLite, so that nobody else can read it at any moment; SQLite gives its
 * companions (-wal, -shm) the same mode. */
static enum status make_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno != EEXIST) {
        return err_set(err, FAILED, "ledger %s: %s", path, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    return OK;
}

static enum status find_file(const char *path, struct err *err)
{
    if (access(path, F_OK) == 0) {
        return OK;
    }
    return err_set(err, errno == ENOENT ? AGAIN : FAILED, "ledger %s: %s", path, strerror(errno));
}

static enum status connect_file(sqlite3 **out, const char *path, struct err *err)
{
    /* With a folder in front no name is special to SQLite (":memory:", "file:x"). */
    CLEANUP(buf_finish) struct buf name = {.max = PATH_MAX};
    if (!buf_printf(&name, "%s%s", *path == '/' ? "" : "./", path)) {
        return err_set(err, FAILED, "ledger %s: the name is too long", path);
    }
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (sqlite3_open_v2(buf_text(&name), out, flags, NULL) != SQLITE_OK) {
        return *out ? ledger_file_fault(*out, path, "opening", err)
                    : err_set(err, FAILED, "ledger %s: out of memory", path);
    }
    sqlite3_busy_timeout(*out, BUSY_MS);
    return OK;
}

static enum status execute(sqlite3 *db, const char *path, const char *sql, const char *doing,
                           struct err *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? OK
               : ledger_file_fault(db, path, doing, err);
}

/* The number a statement gives, 0 for none or for what is not a number. */
static enum status ask(sqlite3 *db, const char *path, const char *sql, int64_t *number,
                       struct err *err)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        *number = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    }
    bool good = code == SQLITE_ROW || code == SQLITE_DONE;
    enum status status = good ? OK : ledger_file_fault(db, path, "opening", err);
    sqlite3_finalize(statement);
    return status;
}

/* --- whose it is, and of which version --- */

static enum status read_version(sqlite3 *db, const char *path, int newest, int *version,
                                struct err *err)
{
    int64_t application = 0, number = 0, tables = 0;
    if (ask(db, path, "PRAGMA application_id", &application, err) != OK ||
        ask(db, path, "PRAGMA user_version", &number, err) != OK ||
        ask(db, path, "SELECT count(*) FROM sqlite_schema", &tables, err) != OK) {
        return err->status;
    }
    bool is_empty = application == 0 && number == 0 && tables == 0;
    if (application != LEDGER_APPLICATION_ID && !is_empty) {
        return err_set(err, FAILED, "ledger %s: not a ledger: another program's database", path);
    }
    if (number < 0 || number > newest) {
        return err_set(err, FAILED,
                       "ledger %s: its version is %" PRId64
                       ", this program knows up to %d: use the newer program",
                       path, number, newest);
    }
    *version = (int)number;
    return OK;
}

/* In one transaction: another process may be creating the tables right now. */
static enum status peek_version(sqlite3 *db, const char *path, int newest, int *version,
                                struct err *err)
{
    enum status status = execute(db, path, "BEGIN", "opening", err);
    if (status != OK) {
        return status;
    }
    status = read_version(db, path, newest, version, err);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

/* From version to the newest, all or nothing. Called within a transaction. */
static enum status run_steps(sqlite3 *db, const char *path, const char *const *steps, int version,
                             int n_steps, struct err *err)
{
    enum status status = OK;
    for (int i = version; status == OK && i < n_steps; i++) {
        status = execute(db, path, steps[i], "upgrading", err);
    }
    if (status != OK) {
        return status;
    }
    char mark[96];
    sqlite3_snprintf(sizeof mark, mark, "PRAGMA application_id = %d; PRAGMA user_version = %d",
                     LEDGER_APPLICATION_ID, n_steps);
    return execute(db, path, mark, "upgrading", err);
}

static enum status upgrade(sqlite3 *db, const char *path, const char *const *steps, int n_steps,
                           struct err *err)
{
    enum status status = execute(db, path, "BEGIN IMMEDIATE", "upgrading", err);
    if (status != OK) {
        return status;
    }
    int version; /* anew: another process may have been first */
    status = read_version(db, path, n_steps, &version, err);
    if (status == OK && version < n_steps) {
        status = run_steps(db, path, steps, version, n_steps, err);
    }
    if (status == OK) {
        status = execute(db, path, "COMMIT", "upgrading", err);
    }
    if (status != OK && !sqlite3_get_autocommit(db)) {
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return status;
}

/* Of a new file only: later it would change nothing, but write and sync the first page. */
static enum status make_shrinkable(sqlite3 *db, const char *path, struct err *err)
{
    return execute(db, path, "PRAGMA auto_vacuum = INCREMENTAL", "opening", err);
}

static enum status set_modes(sqlite3 *db, const char *path, struct err *err)
{
    return execute(db, path,
                   "PRAGMA journal_mode = WAL;"
                   "PRAGMA synchronous = NORMAL;"
                   "PRAGMA foreign_keys = OFF;"
                   "PRAGMA trusted_schema = OFF;"
                   "PRAGMA journal_size_limit = 16777216;"
                   "PRAGMA cache_size = -16384", /* KiB */
                   "opening", err);
}

/* Somebody else has the file at the moment, or takes away a journal that was just seen. */
static bool is_passing(sqlite3 *db)
{
    int code = sqlite3_errcode(db) & 0xFF;
    return code == SQLITE_BUSY || (code == SQLITE_IOERR && sqlite3_system_errno(db) == ENOENT);
}

/* The change to WAL needs the file to itself, and SQLite does not wait for that: two processes that
 * create the same ledger meet here. */
static enum status adjust(sqlite3 *db, const char *path, bool is_new, struct err *err)
{
    static const struct timespec pause_between_tries = {.tv_nsec = 10 * NS_PER_MS};
    int64_t give_up_ns = clock_monotonic_ns() + BUSY_MS * NS_PER_MS;
    for (;;) {
        enum status status = is_new ? make_shrinkable(db, path, err) : OK;
        if (status == OK) {
            status = set_modes(db, path, err);
        }
        if (status == OK || !is_passing(db) || clock_monotonic_ns() >= give_up_ns) {
            return status;
        }
        nanosleep(&pause_between_tries, NULL);
    }
}

static enum status set_up(sqlite3 *db, const char *path, const char *const *steps, int n_steps,
                          struct err *err)
{
    /* Nothing is written to a file before it is known to be ours. */
    int version;
    enum status status = peek_version(db, path, n_steps, &version, err);
    if (status == OK) {
        status = adjust(db, path, version == 0, err);
    }
    if (status == OK && version < n_steps) {
        status = upgrade(db, path, steps, n_steps, err);
    }
    return status;
}

enum status ledger_file_open(sqlite3 **out, const char *path, bool create, const char *const *steps,
                             int n_steps, struct err *err)
{
    *out = NULL;
    enum status status = check_place(path, err);
    if (status == OK) {
        status = create ? make_file(path, err) : find_file(path, err);
    }
    if (status == OK) {
        status = connect_file(out, path, err);
    }
    if (status == OK) {
        status = set_up(*out, path, steps, n_steps, err);
    }
    if (status != OK) {
        sqlite3_close(*out);
        *out = NULL;
    }
    return status;
}

/* --- shrinking --- */

/* Housekeeping: when it fails the file stays large, and nothing else is wrong. */
void ledger_file_shrink(struct ledger *ledger)
{
    struct err err;
    int64_t pages, unused;
    if (ask(ledger->db, ledger->path, "PRAGMA page_count", &pages, &err) != OK ||
        ask(ledger->db, ledger->path, "PRAGMA freelist_count", &unused, &err) != OK ||
        unused < SHRINK_LEAST || unused < pages / SHRINK_FRACTION) {
        return;
    }
    char step[64];
    sqlite3_snprintf(sizeof step, step, "PRAGMA incremental_vacuum(%d)", SHRINK_PAGES);
    for (int64_t done = 0; done < unused; done += SHRINK_PAGES) {
        if (execute(ledger->db, ledger->path, step, "shrinking", &err) != OK) {
            return;
        }
    }
}
