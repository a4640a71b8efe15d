/* Tests of the file datasource as a sink: in which order it makes files durable, and what it leaves
 * when a call fails. */
#include "file_sink.h"

static void synced_before_it_is_renamed_and_its_folder_after(void **state)
{
    struct fixture *f = *state;
    open_sink(f, LINE_PROTOCOL, false);
    write_object(f, "x", 1);
    assert_string_equal(faults.calls, "srF");
    memset(faults.calls, 0, sizeof faults.calls);
    write_object(f, "a/b/x", 1); /* and those of the new folders */
    assert_string_equal(faults.calls, "FFsrF");
}

static void short_and_interrupted_writes_go_on(void **state)
{
    struct fixture *f = *state;
    faults.short_writes = faults.interrupted = true;
    open_sink(f, LINE_PROTOCOL, false);
    write_object(f, "x", 1);
    assert_content(f, "x.lp", COUNT_1_LINE);
}

/* Whatever fails, the object is not ended, the earlier file stays, nothing else does. */
static void assert_holds(struct fixture *f, const char *reason)
{
    begin(f, "x");
    put(f, 2);
    assert_int_equal(file_datasource.end(f->self, &f->err), FAILED);
    assert_non_null(strstr(f->err.text, "/x.lp: "));
    assert_non_null(strstr(f->err.text, reason));
    assert_files(f, "x.lp\n");
    assert_content(f, "x.lp", COUNT_1_LINE);
    faults = (struct faults){0};
}

static void what_fails_holds(void **state)
{
    struct fixture *f = *state;
    open_sink(f, LINE_PROTOCOL, false);
    write_object(f, "x", 1);
    faults = (struct faults){.write = ENOSPC};
    assert_holds(f, strerror(ENOSPC));
    faults = (struct faults){.write = EFBIG, .room = 5};
    assert_holds(f, strerror(EFBIG));
    faults = (struct faults){.sync = EIO};
    assert_holds(f, strerror(EIO));
    faults = (struct faults){.rename = EACCES};
    assert_holds(f, strerror(EACCES));
    write_object(f, "x", 2);
    assert_content(f, "x.lp", COUNT_2_LINE);
}

static void a_full_disk_is_met_before_the_end(void **state)
{
    struct fixture *f = *state;
    open_sink(f, LINE_PROTOCOL, false);
    faults = (struct faults){.write = ENOSPC, .room = 1000};
    begin(f, "x");
    static char text[400000];
    memset(text, 'x', sizeof text - 1);
    assert_int_equal(put_note(&file_datasource, f->self, text, &f->err), FAILED);
    file_datasource.drop(f->self);
    assert_files(f, "");
}

static void a_folder_that_cannot_be_made(void **state)
{
    struct fixture *f = *state;
    open_sink(f, LINE_PROTOCOL, false);
    faults.mkdir = EACCES;
    begin(f, "a/x");
    put(f, 1);
    assert_int_equal(file_datasource.end(f->self, &f->err), FAILED);
    assert_non_null(strstr(f->err.text, strerror(EACCES)));
}

/* It may be a disk that is not mounted. */
static void the_root_is_not_made(void **state)
{
    struct fixture *f = *state;
    char gone[80];
    snprintf(gone, sizeof gone, "%s/gone", f->root);
    open_sink(f, LINE_PROTOCOL, false);
    close_sink(f);
    char root[64];
    memcpy(root, f->root, sizeof root);
    snprintf(f->root, sizeof f->root, "%.50s", gone);
    open_sink(f, LINE_PROTOCOL, false);
    begin(f, "a/x");
    put(f, 1);
    assert_int_equal(file_datasource.end(f->self, &f->err), FAILED);
    assert_int_equal(file_datasource.connect_to_write(f->self, &f->err), FAILED);
    assert_non_null(strstr(f->err.text, strerror(ENOENT)));
    memcpy(f->root, root, sizeof root);
    assert_files(f, "");
}

static void the_check_writes_and_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    open_sink(f, LINE_PROTOCOL, false);
    assert_int_equal(file_datasource.connect_to_write(f->self, &f->err), OK);
    assert_string_equal(faults.calls, "s");
    assert_files(f, "");
    faults = (struct faults){.write = ENOSPC};
    assert_int_equal(file_datasource.connect_to_write(f->self, &f->err), FAILED);
    assert_files(f, "");
}

static void a_stop_is_noticed(void **state)
{
    struct fixture *f = *state;
    open_sink(f, LINE_PROTOCOL, false);
    f->world.stop = true;
    begin(f, "x");
    put(f, 1);
    assert_int_equal(file_datasource.end(f->self, &f->err), FAILED);
    assert_files(f, "");
}

static void says_where_it_writes(void **state)
{
    struct fixture *f = *state;
    struct place place;
    open_sink(f, LINE_PROTOCOL, false);
    file_datasource.target(f->self, &place);
    assert_string_equal(place.endpoint, "/");
    assert_string_equal(place.bucket, f->root);
    assert_string_equal(place.folders, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(synced_before_it_is_renamed_and_its_folder_after),
        TEST(short_and_interrupted_writes_go_on),
        TEST(what_fails_holds),
        TEST(a_full_disk_is_met_before_the_end),
        TEST(a_folder_that_cannot_be_made),
        TEST(the_root_is_not_made),
        TEST(the_check_writes_and_leaves_nothing),
        TEST(a_stop_is_noticed),
        TEST(says_where_it_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
