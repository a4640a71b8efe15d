/* sqlite: the file: whose it is, locked by others, on a full disk. */
#include "sqlite_sim.h"
#include "sync_count.h"

#include "base/cleanup.h"
#include "base/memory.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static void refuses_other_files(void **state)
{
    struct fixture *f = *state;
    struct value fields[] = {TEXT(S("m")), INTEGER(7)};
    struct slice tags[] = {S("a"), S("b")};
    struct point point = sim_audit_point(tags, fields, 1);
    sim_put(f, &point);
    static const char *const foreign[][2] = {
        {"CREATE TABLE theirs (a)", "another database"},
        {"PRAGMA application_id = 1279743820", "loggateway's state"}, /* 'L' 'G' 'W' 'L' */
        {"PRAGMA application_id = 7", "another database"},
    };
    for (size_t i = 0; i < 3; i++) {
        sim_run(f, foreign[i][0]);
        assert_int_equal(sqlite_datasource.connect(f->self, &f->err), FAILED);
        assert_non_null(strstr(f->err.text, foreign[i][1]));
        assert_non_null(strstr(f->err.text, f->path));
        assert_int_equal(sim_flush(f), FAILED);
        sim_expect_rows(f, "PRAGMA journal_mode", "delete\n"); /* it was left as it is */
    }
    unlink(f->path);
    int fd = open(f->path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "this is not a database, not at all", 34), 34);
    close(fd);
    assert_int_equal(sim_flush(f), FAILED);
    assert_non_null(strstr(f->err.text, "not a database"));
    unlink(f->path);
    sim_flush_ok(f); /* the point was held all the while */
    sim_expect_rows(f, "SELECT count(*) FROM \"audit-01\"", "1\n");
}

static void connect_says_what_is_wrong(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(sqlite_datasource.connect(f->self, &f->err), OK);
    void *nowhere = sim_store_new(f, "/nonexistent/folder/store.db");
    assert_int_equal(sqlite_datasource.connect(nowhere, &f->err), FAILED);
    assert_string_equal(f->err.text, "/nonexistent/folder/store.db: No such file or directory");
    sim_store_free(nowhere);
}

static void waits_for_a_lock(void **state)
{
    struct fixture *f = *state;
    struct value fields[] = {TEXT(S("m")), INTEGER(7)};
    struct slice tags[] = {S("a"), S("b")};
    struct point point = sim_audit_point(tags, fields, 1);
    assert_int_equal(sqlite_datasource.connect(f->self, &f->err), OK);
    sim_put(f, &point);
    f->sim.locker = sim_open_beside(f);
    assert_int_equal(sqlite3_exec(f->sim.locker, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    f->sim.waits_until_stop = 1;
    assert_int_equal(sim_flush(f), FAILED);
    assert_non_null(strstr(f->err.text, "stopped"));
    assert_non_null(strstr(f->sim.notice, "locked by another program"));
    f->sim.waits = f->sim.waits_until_stop = 0;
    f->sim.waits_until_unlock = 2;
    sim_flush_ok(f);
    assert_int_equal(f->sim.waits, 2);
    sqlite3_close(f->sim.locker);
    sim_expect_rows(f, "SELECT count(*) FROM \"audit-01\"", "1\n");
}

static void a_full_disk_advances_nothing(void **state)
{
    struct fixture *f = *state;
    enum { MESSAGE_BYTES = 300 * 1024 };
    CLEANUP_FREE char *message = memory_new(MESSAGE_BYTES);
    memset(message, 'm', MESSAGE_BYTES);
    struct slice tags[] = {S("a"), S("b")};
    struct slice piece = {message, MESSAGE_BYTES};
    struct value fields[] = {{.kind = VALUE_TEXT, .text = {&piece, 1}}, INTEGER(7)};
    struct point point = sim_audit_point(tags, fields, 1);
    assert_int_equal(sqlite_datasource.connect(f->self, &f->err), OK);
    sim_put(f, &point);
    /* The largest file a process may write stands for a full disk. */
    struct rlimit before, small = {128 * 1024, 0};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum status status = sim_flush(f);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, FAILED);
    sim_flush_ok(f);
    sim_expect_rows(f, "SELECT time, length(message) FROM \"audit-01\"", "1|307200\n");
}

/* What was acknowledged is on the disk, and not only in the system's memory. */
static void a_flush_is_durable(void **state)
{
    struct fixture *f = *state;
    const struct slice tags[] = {SLICE_LITERAL("GetObject"), SLICE_LITERAL("logs")};
    const struct value fields[] = {{.kind = VALUE_ABSENT}, {.kind = VALUE_INT, .number = 7}};
    sync_count_begin();
    for (int64_t time = 1; time < 4; time++) {
        struct point point = sim_audit_point(tags, fields, time);
        sim_put(f, &point);
        sync_count_take();
        sim_flush_ok(f);
        assert_true(sync_count_take() > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(refuses_other_files), SIM_TEST(connect_says_what_is_wrong),
        SIM_TEST(waits_for_a_lock),    SIM_TEST(a_full_disk_advances_nothing),
        SIM_TEST(a_flush_is_durable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
