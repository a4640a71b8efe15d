/* Tests of the file datasource as a sink with one file for a run. */
#include "file_sink.h"

#define NAME "20261121T090000Z--20261121T100000Z"
#define JOURNAL ".loggateway-window.journal"

static const int64_t nine_ns = 1795251600 * NS_PER_SECOND; /* 2026-11-21T09:00:00Z */

static void open_window(struct fixture *f, int format, bool gzip)
{
    const struct module *about = &file_datasource.about;
    f->self = memory_new(about->size);
    option_set_text(about, f->self, "path", f->root);
    option_set_text(about, f->self, "folders", "");
    *(int *)option_at(about, f->self, "format") = format;
    *(bool *)option_at(about, f->self, "gzip") = gzip;
    *(int *)option_at(about, f->self, "per") = 1; /* window */
    assert_int_equal(file_datasource.open(f->self, &f->world.world, &f->err), OK);
    assert_true(file_datasource.spans_run(f->self));
    const struct window window = {nine_ns + 5, nine_ns + 3600 * NS_PER_SECOND};
    file_datasource.window(f->self, window);
}

static void end_window(struct fixture *f)
{
    assert_int_equal(file_datasource.end_window(f->self, &f->err), OK);
}

static void objects_share_a_file(void **state)
{
    struct fixture *f = *state;
    open_window(f, LINE_PROTOCOL, false);
    write_object(f, "October-2022/S3-x.gz", 1);
    write_object(f, "S3-y", 2);
    faults.calls[0] = '\0';
    end_window(f);
    assert_string_equal(faults.calls, "sFsrF"); /* the journal is durable before the name is */
    assert_files(f, JOURNAL "\n" NAME ".lp\n");
    file_datasource.window_settled(f->self);
    assert_files(f, NAME ".lp\n");
    assert_content(f, NAME ".lp", COUNT_1_LINE COUNT_2_LINE);
}

static void nothing_is_seen_before_the_end(void **state)
{
    struct fixture *f = *state;
    open_window(f, LINE_PROTOCOL, false);
    write_object(f, "x", 1);
    struct refusals nobody = {0};
    assert_int_equal(file_datasource.flush(f->self, &nobody, &f->err), OK);
    assert_files(f, ".loggateway-window-0.tmp\n");
    close_sink(f);
    assert_files(f, "");
}

static void no_point_no_file(void **state)
{
    struct fixture *f = *state;
    open_window(f, CSV, true);
    begin(f, "x");
    end(f);
    end_window(f);
    file_datasource.window_settled(f->self);
    assert_files(f, "");
}

static void a_name_is_never_used_again(void **state)
{
    struct fixture *f = *state;
    open_window(f, LINE_PROTOCOL, false);
    for (int64_t n = 1; n <= 2; n++) {
        write_object(f, "x", n);
        end_window(f);
        file_datasource.window_settled(f->self);
    }
    assert_files(f, NAME "-2.lp\n" NAME ".lp\n");
    assert_content(f, NAME ".lp", COUNT_1_LINE);
    assert_content(f, NAME "-2.lp", COUNT_2_LINE);
}

static void what_is_dropped_is_cut_off(void **state)
{
    struct fixture *f = *state;
    open_window(f, LINE_PROTOCOL, false);
    write_object(f, "a", 1);
    begin(f, "b");
    put_much(f);
    file_datasource.drop(f->self);
    write_object(f, "c", 2);
    begin(f, "d");
    put_much(f);
    file_datasource.drop(f->self); /* the last one */
    end_window(f);
    assert_content(f, NAME ".lp", COUNT_1_LINE COUNT_2_LINE);
}

static void a_measurement_that_is_only_dropped_has_no_file(void **state)
{
    struct fixture *f = *state;
    open_window(f, CSV, false);
    write_object(f, "a", 1);
    begin(f, "b");
    put_much(f); /* of another measurement, on disk already */
    put(f, 2);
    file_datasource.drop(f->self);
    begin(f, "b");
    assert_int_equal(put_note(&file_datasource, f->self, "hi", &f->err), OK);
    file_datasource.drop(f->self);
    write_object(f, "c", 2);
    end_window(f);
    assert_files(f, JOURNAL "\n" NAME ".count.csv\n");
    assert_content(f, NAME ".count.csv", COUNT_CSV "1970-01-01T00:00:00.000000002Z,count,2\n");
}

/* Unpacks one gzip member; gives how long it was. */
static size_t gunzip_member(const char *packed, size_t len, char *to, size_t size)
{
    z_stream stream = {.next_in = (unsigned char *)packed, .avail_in = (unsigned)len};
    assert_int_equal(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
    stream.next_out = (unsigned char *)to;
    stream.avail_out = (unsigned)size - 1;
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    to[stream.total_out] = '\0';
    inflateEnd(&stream);
    return len - stream.avail_in;
}

static void each_object_is_a_gzip_member(void **state)
{
    struct fixture *f = *state;
    char packed[4096], text[4096];
    open_window(f, CSV, true);
    write_object(f, "a", 1);
    begin(f, "b");
    put(f, 7);
    put_much(f);
    file_datasource.drop(f->self);
    begin(f, "empty");
    end(f);
    write_object(f, "c", 2);
    end_window(f);
    size_t len = read_file(f, NAME ".count.csv.gz", packed, sizeof packed);
    size_t first = gunzip_member(packed, len, text, sizeof text);
    assert_string_equal(text, COUNT_CSV);
    assert_int_equal(first + gunzip_member(packed + first, len - first, text, sizeof text), len);
    assert_string_equal(text, "1970-01-01T00:00:00.000000002Z,count,2\n");
}

/* --- faults --- */

static void a_cut_that_fails_holds(void **state)
{
    struct fixture *f = *state;
    open_window(f, LINE_PROTOCOL, false);
    write_object(f, "a", 1);
    begin(f, "b");
    put_much(f);
    file_datasource.drop(f->self);
    faults.truncate = EIO;
    assert_int_equal(file_datasource.end_window(f->self, &f->err), FAILED);
    assert_non_null(strstr(f->err.text, "cannot cut it"));
    assert_files(f, "");
}

static enum status none_settled(struct settled *settled, const struct object *object,
                                bool *is_settled, struct err *err)
{
    (void)settled, (void)object, (void)err;
    *is_settled = false;
    return OK;
}

static void a_file_without_its_name_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    int *const problems[] = {&faults.sync, &faults.rename, &faults.write};
    for (size_t i = 0; i < 3; i++) {
        open_window(f, LINE_PROTOCOL, false);
        write_object(f, "a", 1);
        *problems[i] = ENOSPC;
        assert_int_equal(file_datasource.end_window(f->self, &f->err), FAILED);
        *problems[i] = 0;
        close_sink(f);
        struct settled nobody = {none_settled};
        open_window(f, LINE_PROTOCOL, false);
        assert_int_equal(file_datasource.recover(f->self, &nobody, &f->err), OK);
        assert_files(f, "");
        close_sink(f);
    }
}

/* --- after a crash --- */

struct ledger {
    struct settled settled;
    const char *key; /* what has settled; NULL: nothing */
    unsigned asked;
};

static enum status ask(struct settled *settled, const struct object *object, bool *is_settled,
                       struct err *err)
{
    struct ledger *ledger = (struct ledger *)settled;
    (void)err;
    ledger->asked++;
    assert_int_equal(object->size, 77);
    assert_int_equal(object->etag[0], 0xA0);
    assert_int_equal(object->etag[15], 0x0B);
    *is_settled = ledger->key && slice_equal(object->key, slice_of(ledger->key));
    return OK;
}

/* A crash between the files' names and the ledger. */
static void crash(struct fixture *f)
{
    open_window(f, CSV, false);
    const char *const keys[] = {"a b/\n1", "c"};
    for (size_t i = 0; i < 2; i++) {
        struct object object = {.key = slice_of(keys[i]), .size = 77, .etag = {0xA0}};
        object.etag[15] = 0x0B;
        assert_int_equal(file_datasource.begin(f->self, &object, &f->err), OK);
        put(f, 1);
        assert_int_equal(put_note(&file_datasource, f->self, "hi", &f->err), OK);
        end(f);
    }
    end_window(f);
    close_sink(f);
    assert_files(f, JOURNAL "\n" NAME ".a%2Fb%2Ec.csv\n" NAME ".count.csv\n");
}

static void recover(struct fixture *f, struct ledger *ledger)
{
    ledger->settled.ask = ask;
    open_window(f, CSV, false);
    assert_int_equal(file_datasource.recover(f->self, &ledger->settled, &f->err), OK);
    close_sink(f);
}

static void files_that_did_not_settle_are_taken_back(void **state)
{
    struct fixture *f = *state;
    struct ledger ledger = {0};
    crash(f);
    recover(f, &ledger);
    assert_int_equal(ledger.asked, 2);
    assert_files(f, "");
}

static void files_that_settled_stay(void **state)
{
    struct fixture *f = *state;
    const char *const keys[] = {"a b/\n1", "c"};
    for (size_t i = 0; i < 2; i++) {
        struct ledger ledger = {.key = keys[i]};
        crash(f);
        recover(f, &ledger);
        assert_int_equal(ledger.asked, i + 1);
        assert_files(f, NAME ".a%2Fb%2Ec.csv\n" NAME ".count.csv\n");
        recover(f, &ledger);
        assert_int_equal(ledger.asked, i + 1);
        nftw(f->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        assert_int_equal(mkdir(f->root, 0700), 0);
    }
}

static void write_bytes(struct fixture *f, const char *name, const char *bytes, size_t len)
{
    CLEANUP(buf_finish) struct buf path = {.max = 8192};
    buf_printf(&path, "%s/%s", f->root, name);
    FILE *file = fopen(buf_text(&path), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

static void a_torn_journal_takes_nothing_back(void **state)
{
    struct fixture *f = *state;
    struct ledger ledger = {0};
    write_bytes(f, NAME ".lp", "x", 1);
    write_bytes(f, ".loggateway-window-1.tmp", "x", 1);
    write_bytes(f, JOURNAL, "F" NAME ".lp", sizeof NAME + 4);
    recover(f, &ledger);
    assert_files(f, NAME ".lp\n");
    write_bytes(f, JOURNAL, "", 0);
    recover(f, &ledger);
    assert_files(f, NAME ".lp\n");
}

static void a_journal_leads_nowhere_else(void **state)
{
    static const char foreign[] = "Fa/b\0F.hidden\0F../x\0E";
    struct fixture *f = *state;
    struct ledger ledger = {0};
    write_bytes(f, ".hidden", "x", 1);
    write_bytes(f, JOURNAL, foreign, sizeof foreign);
    recover(f, &ledger);
    assert_files(f, ".hidden\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(objects_share_a_file),
        TEST(nothing_is_seen_before_the_end),
        TEST(no_point_no_file),
        TEST(a_name_is_never_used_again),
        TEST(what_is_dropped_is_cut_off),
        TEST(a_measurement_that_is_only_dropped_has_no_file),
        TEST(each_object_is_a_gzip_member),
        TEST(a_cut_that_fails_holds),
        TEST(a_file_without_its_name_leaves_nothing),
        TEST(files_that_did_not_settle_are_taken_back),
        TEST(files_that_settled_stay),
        TEST(a_torn_journal_takes_nothing_back),
        TEST(a_journal_leads_nowhere_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
