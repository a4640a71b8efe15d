/* Tests of ledger/ledger as a file: who may read it, whose it is, upgrades, several threads, faults
 * of the disk, and its size. Several processes are in test_ledger_processes.c. */
#include "ledger_place.h"
#include "sync_count.h"

#include "ledger/private.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { COMMIT = LEDGER_COMMIT_KEYS };

static mode_t mode_of(const struct ledger_place *place, const char *suffix)
{
    char path[128];
    struct stat about;
    snprintf(path, sizeof path, "%s%s", place->path, suffix);
    assert_int_equal(stat(path, &about), 0);
    return about.st_mode & 0777;
}

static void execute(const struct ledger_place *place, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    }
    sqlite3_close(db);
}

static void assert_refused(struct ledger_place *place, const char *reason)
{
    assert_int_equal(ledger_open(&place->ledger, place->path, &place->err), FAILED);
    assert_null(place->ledger);
    if (!strstr(place->err.text, reason)) {
        fail_msg("'%s' is not in: %s", reason, place->err.text);
    }
}

/* --- opening --- */

static void test_creates(void **state)
{
    struct ledger_place *place = *state;
    assert_int_equal(ledger_open_existing(&place->ledger, place->path, &place->err), AGAIN);
    assert_null(place->ledger);
    mode_t old = umask(0);
    assert_ok(place, ledger_open(&place->ledger, place->path, &place->err));
    umask(old);
    int64_t run;
    assert_ok(place, ledger_run_begin(place->ledger, "lyve", 1, &run, &place->err));
    assert_int_equal(mode_of(place, ""), 0600);
    assert_int_equal(mode_of(place, "-wal"), 0600);
    assert_int_equal(mode_of(place, "-shm"), 0600);
    assert_int_equal(ask(place, "PRAGMA application_id"), 0x4C47574C);
    assert_int_equal(ask(place, "PRAGMA user_version"), 6);
    assert_int_equal(ask(place, "PRAGMA auto_vacuum"), 2);
    assert_int_equal(ask(place, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    ledger_close(place->ledger);
    assert_ok(place, ledger_open_existing(&place->ledger, place->path, &place->err));
}

/* Who only looks neither waits for a writer nor makes the disk sync. */
static void test_opening_writes_nothing(void **state)
{
    struct ledger_place *place = *state;
    assert_ok(place, ledger_open(&place->ledger, place->path, &place->err));
    ledger_close(place->ledger);
    sqlite3 *other;
    assert_int_equal(sqlite3_open(place->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_ok(place, ledger_open_existing(&place->ledger, place->path, &place->err));
    sqlite3_close(other);
}

/* A commit does not wait for the disk, as what is lost is only done again; but pages of the file
 * are never written over before what they are made of is on the disk: power cuts do no damage. */
static void test_syncs(void **state)
{
    struct ledger_place *place = *state;
    sync_count_begin();
    assert_ok(place, ledger_open(&place->ledger, place->path, &place->err));
    sync_count_take();
    int64_t run;
    assert_ok(place, ledger_run_begin(place->ledger, "lyve", 1, &run, &place->err));
    assert_int_equal(sync_count_take(), 0);
    ledger_close(place->ledger); /* copies the journal into the file */
    place->ledger = NULL;
    assert_true(sync_count_take() >= 2);
}

static void test_bad_places(void **state)
{
    struct ledger_place *place = *state;
    char path[96];
    memcpy(path, place->path, sizeof path);
    snprintf(place->path, sizeof place->path, "%s/no/such", place->folder);
    assert_refused(place, "No such file or directory");
    snprintf(place->path, sizeof place->path, "%s", place->folder);
    assert_int_equal(ledger_open(&place->ledger, place->path, &place->err), FAILED);
    memcpy(place->path, path, sizeof path);
}

static void test_refuses_other_files(void **state)
{
    struct ledger_place *place = *state;
    FILE *file = fopen(place->path, "w");
    for (int i = 0; i < 2000; i++) {
        fputs("state: loggateway.db\n", file);
    }
    fclose(file);
    assert_refused(place, "not a ledger: not a database");
    unlink(place->path);
    execute(place, "CREATE TABLE bookmarks (url TEXT)");
    assert_refused(place, "not a ledger: another program's database");
    execute(place, "PRAGMA application_id = 0x4C475753"); /* the embedded store's */
    assert_refused(place, "not a ledger: another program's database");
    assert_int_equal(ask(place, "SELECT journal_mode = 'delete' FROM pragma_journal_mode"), 1);
    assert_int_equal(ask(place, "SELECT count(*) FROM sqlite_schema"), 1);
}

static void test_refuses_newer_version(void **state)
{
    struct ledger_place *place = *state;
    assert_ok(place, ledger_open(&place->ledger, place->path, &place->err));
    ledger_close(place->ledger);
    execute(place, "PRAGMA user_version = 7");
    assert_refused(place, "its version is 7, this program knows up to 6");
    assert_int_equal(ledger_open_existing(&place->ledger, place->path, &place->err), FAILED);
}

static void test_network_filesystems(void **state)
{
    (void)state;
    /* numbers from statfs(2) */
    assert_string_equal(ledger_network_filesystem(0x6969), "NFS");
    assert_string_equal(ledger_network_filesystem(0xFF534D42), "CIFS");
    assert_string_equal(ledger_network_filesystem(0xFE534D42), "SMB");
    assert_string_equal(ledger_network_filesystem(0x517B), "SMB");
    assert_string_equal(ledger_network_filesystem(0x5346414F), "AFS");
    assert_string_equal(ledger_network_filesystem(0x01021997), "9P");
    assert_null(ledger_network_filesystem(0xEF53));     /* ext4 */
    assert_null(ledger_network_filesystem(0x58465342)); /* XFS */
    assert_null(ledger_network_filesystem(0x01021994)); /* tmpfs */
    assert_null(ledger_network_filesystem(0x9123683E)); /* Btrfs */
    assert_null(ledger_network_filesystem(0x794C7630)); /* overlayfs */
    assert_null(ledger_network_filesystem(0x65735546)); /* FUSE: could be anything */
}

/* --- upgrades, with steps made up for it --- */

static const char *const old_and_new[] = {
    "CREATE TABLE fruit (name TEXT); INSERT INTO fruit VALUES ('apple');",
    ("ALTER TABLE fruit ADD COLUMN colour TEXT NOT NULL DEFAULT 'green';"
     "INSERT INTO fruit VALUES ('cherry', 'red');"),
    "CREATE INDEX fruit_colour ON fruit (colour);",
};

static void open_steps(struct ledger_place *place, int n_steps)
{
    sqlite3 *db;
    assert_ok(place, ledger_file_open(&db, place->path, true, old_and_new, n_steps, &place->err));
    sqlite3_close(db);
    assert_int_equal(ask(place, "PRAGMA user_version"), n_steps);
}

static void test_upgrades(void **state)
{
    struct ledger_place *place = *state;
    open_steps(place, 1);
    execute(place, "INSERT INTO fruit VALUES ('pear')");
    open_steps(place, 3);
    assert_int_equal(ask(place, "SELECT count(*) FROM fruit"), 3);
    assert_int_equal(ask(place, "SELECT count(*) FROM fruit WHERE colour = 'green'"), 2);
    open_steps(place, 3); /* nothing is done twice */
    assert_int_equal(ask(place, "SELECT count(*) FROM fruit"), 3);
}

/* All steps or none. */
static void test_failed_upgrade_changes_nothing(void **state)
{
    struct ledger_place *place = *state;
    open_steps(place, 1);
    const char *const broken[] = {old_and_new[0], old_and_new[1], "CREATE TABLE fruit (name TEXT)"};
    sqlite3 *db;
    assert_int_equal(ledger_file_open(&db, place->path, true, broken, 3, &place->err), FAILED);
    assert_non_null(strstr(place->err.text, "upgrading: table fruit already exists"));
    assert_int_equal(ask(place, "PRAGMA user_version"), 1);
    assert_int_equal(ask(place, "SELECT count(*) FROM fruit"), 1);
    open_steps(place, 3);
}

/* --- load --- */

/* Lists n keys of 60 bytes, all dated 0. */
static void list_many(struct ledger_place *place, int n, struct join_counts *counts)
{
    struct ledger_join *join;
    assert_ok(place, ledger_join_begin(&join, place->ledger, place->scope,
                                       slice_of("October-2022/"), all_time, false, 0, &place->err));
    for (int i = 0; i < n; i++) {
        char key[64];
        int len = snprintf(key, sizeof key,
                           "October-2022/S3-access-logs-of-a-bucket-2022-2010-%07d.gz", i);
        assert_int_equal(len, 60);
        struct object object = object_of(key, 1, 123456, 0);
        assert_ok(place, ledger_join_put(join, &object, &place->err));
    }
    assert_ok(place, ledger_join_end(join, true, counts, &place->err));
}

static struct outcome usual_outcome(const struct object *object)
{
    static const struct day_count day = {0, "audit-01", 19285, 1500};
    struct outcome outcome = outcome_of(object, OBJECT_SETTLED, 1);
    outcome.read = 1502;
    outcome.sinks[0] = (struct sink_counts){1500, 2, 0, 0};
    outcome.days = &day;
    outcome.n_days = 1;
    return outcome;
}

struct hammer {
    struct ledger_place *place;
    struct ledger_work *work;
    int given;
    enum status status;
    struct err err;
};

/* One worker: takes objects, settles them in groups. */
static void *hammer_main(void *with)
{
    struct hammer *hammer = with;
    struct ledger *ledger = hammer->place->ledger;
    struct arena keys = {0};
    enum { GROUP = 50 };
    struct object objects[GROUP];
    struct outcome outcomes[GROUP];
    do {
        size_t n = 0;
        while (n < GROUP && (hammer->status = ledger_work_next(hammer->work, &keys, &objects[n],
                                                               &hammer->err)) == OK) {
            outcomes[n] = usual_outcome(&objects[n]);
            n++;
        }
        hammer->given += (int)n;
        if (ledger_settle(ledger, hammer->place->scope, outcomes, n, &hammer->err) != OK) {
            hammer->status = FAILED;
        }
        arena_reset(&keys);
    } while (hammer->status == OK);
    arena_finish(&keys);
    return NULL;
}

/* The listing thread and a reader, while the workers go on. */
static void list_and_look(struct ledger_place *place, int n)
{
    for (int i = 0; i < 5; i++) {
        struct join_counts counts;
        list_many(place, n, &counts);
        assert_int_equal(counts.fresh, 0);
        assert_int_equal(counts.pruned, 0);
        struct job_status status;
        assert_ok(place,
                  ledger_job_status(place->ledger, "lyve", sink_names, 3, &status, &place->err));
        assert_int_equal(status.read, status.objects[OBJECT_SETTLED] * 1502);
    }
}

static void settle_all(struct ledger_place *place, int n)
{
    enum { THREADS = 4 };
    struct ledger_work *work;
    struct work_totals totals;
    assert_ok(place, ledger_work_begin(&work, place->ledger, place->scope, all_time, &totals,
                                       &place->err));
    assert_int_equal(totals.objects, n);
    assert_int_equal(totals.bytes, n * INT64_C(123456));
    struct hammer hammers[THREADS];
    pthread_t threads[THREADS];
    int given = 0;
    for (int i = 0; i < THREADS; i++) {
        hammers[i] = (struct hammer){.place = place, .work = work};
        assert_int_equal(pthread_create(&threads[i], NULL, hammer_main, &hammers[i]), 0);
    }
    list_and_look(place, n);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(hammers[i].status, AGAIN);
        given += hammers[i].given;
    }
    assert_int_equal(given, n);
    ledger_work_end(work);
}

/* Every object is given once and settled once, whoever takes it. */
static void test_threads(void **state)
{
    struct ledger_place *place = *state;
    struct join_counts counts;
    list_many(place, 5000, &counts);
    assert_int_equal(counts.fresh, 5000);
    settle_all(place, 5000);
    struct job_status status;
    assert_ok(place, ledger_job_status(place->ledger, "lyve", sink_names, 3, &status, &place->err));
    assert_int_equal(status.objects[OBJECT_SETTLED], 5000);
    assert_int_equal(status.read, 5000 * 1502);
    assert_int_equal(status.sinks[0].stored, 5000 * 1500);
    assert_int_equal(status.sinks[0].duplicate, 5000 * 2);
}

/* 150 bytes a key at most, once the backlog is done and the file is closed. */
static void test_size(void **state)
{
    struct ledger_place *place = *state;
    enum { N = 100000 };
    struct join_counts counts;
    int64_t run;
    assert_ok(place, ledger_run_begin(place->ledger, "lyve", 1, &run, &place->err));
    list_many(place, N, &counts);
    settle_all(place, N);
    assert_ok(place, ledger_run_end(place->ledger, run, 2, true, all_time, &place->err));
    ledger_close(place->ledger);
    place->ledger = NULL;
    struct stat about;
    assert_int_equal(stat(place->path, &about), 0);
    print_message("%d keys of 60 bytes: %.1f bytes a key\n", N, (double)about.st_size / N);
    assert_in_range(about.st_size, N * 100, N * 150);
    assert_int_equal(ask(place, "SELECT count(*) FROM object WHERE state = 1"), N);
}

/* --- faults --- */

/* A file that may not grow, as on a full disk: FAILED, and all is well once there is room again. */
static void test_no_room(void **state)
{
    struct ledger_place *place = *state;
    struct rlimit old;
    getrlimit(RLIMIT_FSIZE, &old);
    void (*old_handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){200 * 1024, old.rlim_max});
    struct ledger_join *join;
    struct join_counts counts;
    assert_ok(place, ledger_join_begin(&join, place->ledger, place->scope, slice_of("k"), all_time,
                                       false, 0, &place->err));
    enum status status = OK;
    for (int i = 0; status == OK && i < 10 * COMMIT; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%06d", i);
        struct object object = object_of(key, 1, 123456, 0);
        status = ledger_join_put(join, &object, &place->err);
    }
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, old_handler);
    assert_int_equal(status, FAILED);
    assert_non_null(strstr(place->err.text, place->path));
    assert_ok(place, ledger_join_end(join, false, &counts, &place->err));
    list_many(place, 10 * COMMIT, &counts);
    assert_int_equal(counts.fresh, 10 * COMMIT);
    assert_int_equal(ask(place, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
}

static void test_not_ours_to_write(void **state)
{
    struct ledger_place *place = *state;
    sqlite3 *db;
    assert_int_equal(sqlite3_open_v2(place->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DELETE FROM run", NULL, NULL, NULL), SQLITE_READONLY);
    assert_int_equal(ledger_file_fault(db, place->path, "opening", &place->err), FAILED);
    assert_non_null(strstr(place->err.text, "opening: may not be written: is this the user"));
    sqlite3_close(db);
}

static void test_locked_for_long(void **state)
{
    struct ledger_place *place = *state;
    sqlite3_busy_timeout(place->ledger->db, 20); /* instead of 30 s */
    sqlite3 *other;
    assert_int_equal(sqlite3_open(place->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    int64_t run;
    assert_int_equal(ledger_run_begin(place->ledger, "lyve", 1, &run, &place->err), FAILED);
    assert_non_null(strstr(place->err.text, "beginning: locked by another process"));
    struct job_status status; /* reading goes on */
    assert_ok(place, ledger_job_status(place->ledger, "lyve", sink_names, 3, &status, &place->err));
    sqlite3_close(other);
    assert_ok(place, ledger_run_begin(place->ledger, "lyve", 1, &run, &place->err));
}

/* They are prepared when they are first used: a broken one shows here. */
static void test_all_statements(void **state)
{
    struct ledger_place *place = *state;
    for (int i = 0; i < SQL_COUNT; i++) {
        if (!ledger_statement(place->ledger, (enum ledger_sql)i)) {
            fail_msg("statement %d: %s", i, sqlite3_errmsg(place->ledger->db));
        }
    }
}

static void test_a_statement_that_cannot_be_prepared(void **state)
{
    struct ledger_place *place = *state;
    int64_t run;
    execute(place, "DROP TABLE run");
    assert_int_equal(ledger_run_begin(place->ledger, "lyve", 1, &run, &place->err), FAILED);
    assert_non_null(strstr(place->err.text, "no such table: run"));
    struct object object = object_of("a", 1, 10, 0); /* the rest goes on */
    bool wanted;
    assert_ok(place, ledger_wants(place->ledger, place->scope, &object, &wanted, &place->err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_ledger)
#define TEST_OPEN(name) cmocka_unit_test_setup_teardown(name, make_ledger, remove_ledger)
        TEST(test_creates),
        TEST(test_opening_writes_nothing),
        TEST(test_syncs),
        TEST(test_bad_places),
        TEST(test_refuses_other_files),
        TEST(test_refuses_newer_version),
        cmocka_unit_test(test_network_filesystems),
        TEST(test_upgrades),
        TEST(test_failed_upgrade_changes_nothing),
        TEST_OPEN(test_all_statements),
        TEST_OPEN(test_a_statement_that_cannot_be_prepared),
        TEST_OPEN(test_threads),
        TEST_OPEN(test_size),
        TEST_OPEN(test_no_room),
        TEST_OPEN(test_not_ours_to_write),
        TEST_OPEN(test_locked_for_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
