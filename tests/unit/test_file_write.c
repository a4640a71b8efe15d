/* Tests of the file datasource as a sink: what is in its folder, and under which names. */
#include "file_sink.h"

static void a_file_for_an_object(void **state)
{
    struct fixture *f = *state;
    open_sink(f, LINE_PROTOCOL, false);
    begin(f, "October-2022/S3-x.gz");
    put(f, 1);
    put(f, 2);
    assert_files(f, "");
    end(f);
    write_object(f, "October-2022/S3-y", 1);
    assert_files(f, "October-2022/S3-x.gz.lp\nOctober-2022/S3-y.lp\n");
    assert_content(f, "October-2022/S3-x.gz.lp", COUNT_1_LINE COUNT_2_LINE);
    assert_content(f, "October-2022/S3-y.lp", COUNT_1_LINE);
    struct refusals nobody = {0};
    assert_int_equal(file_datasource.flush(f->self, &nobody, &f->err), OK);
}

static void nothing_is_seen_before_the_end(void **state)
{
    struct fixture *f = *state;
    open_sink(f, LINE_PROTOCOL, false);
    begin(f, "a/b");
    put_much(f);
    buf_clear(&f->found);
    add_folder(f, f->root);
    assert_int_equal(strncmp(buf_text(&f->found), "a/.loggateway-", 14), 0);
    assert_int_equal(strcmp(f->found.at + f->found.len - 5, ".tmp\n"), 0);
    end(f);
    assert_files(f, "a/b.lp\n");
}

static void a_file_for_each_measurement_where_there_are_headers(void **state)
{
    struct fixture *f = *state;
    open_sink(f, CSV, false);
    begin(f, "x");
    put(f, 1);
    assert_int_equal(put_note(&file_datasource, f->self, "hi", &f->err), OK);
    put(f, 2);
    end(f);
    assert_files(f, "x.a%2Fb%2Ec.csv\nx.count.csv\n");
    assert_content(f, "x.count.csv", COUNT_CSV "1970-01-01T00:00:00.000000002Z,count,2\n");
    assert_content(f, "x.a%2Fb%2Ec.csv", NOTE_CSV);
}

static void all_measurements_in_one_file_elsewhere(void **state)
{
    struct fixture *f = *state;
    open_sink(f, JSON_LINES, false);
    begin(f, "x");
    put(f, 1);
    assert_int_equal(put_note(&file_datasource, f->self, "hi", &f->err), OK);
    end(f);
    assert_files(f, "x.jsonl\n");
    assert_content(
        f, "x.jsonl",
        "{\"measurement\":\"count\",\"n\":1,\"time\":\"1970-01-01T00:00:00.000000001Z\"}\n"
        "{\"measurement\":\"a/b.c\",\"who\":\"me\",\"text\":\"hi\","
        "\"time\":\"1970-01-01T00:00:00.000000000Z\"}\n");
}

static void gunzip(const char *packed, size_t len, char *to, size_t size)
{
    z_stream stream = {.next_in = (unsigned char *)packed, .avail_in = (unsigned)len};
    assert_int_equal(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
    stream.next_out = (unsigned char *)to;
    stream.avail_out = (unsigned)size - 1;
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.avail_in, 0);
    to[stream.total_out] = '\0';
    inflateEnd(&stream);
}

static void gzip_repeats_its_bytes(void **state)
{
    struct fixture *f = *state;
    char first[4096], second[4096], text[4096];
    open_sink(f, LINE_PROTOCOL, true);
    write_object(f, "x.gz", 1);
    assert_files(f, "x.gz.lp.gz\n");
    size_t len = read_file(f, "x.gz.lp.gz", first, sizeof first);
    assert_memory_equal(first + 4, "\0\0\0\0", 4); /* MTIME, RFC 1952 section 2.3.1 */
    gunzip(first, len, text, sizeof text);
    assert_string_equal(text, COUNT_1_LINE);
    write_object(f, "x.gz", 1);
    assert_int_equal(read_file(f, "x.gz.lp.gz", second, sizeof second), len);
    assert_memory_equal(first, second, len);
}

static void gzip_of_much(void **state)
{
    struct fixture *f = *state;
    static char packed[1 << 20], text[1 << 20];
    open_sink(f, LINE_PROTOCOL, true);
    begin(f, "x");
    put_much(f);
    put(f, 1);
    end(f);
    gunzip(packed, read_file(f, "x.lp.gz", packed, sizeof packed), text, sizeof text);
    size_t len = strlen(text), last = strlen(COUNT_1_LINE);
    assert_int_equal(len, 4 * (strlen("a/b.c,who=me text=\"\" 0\n") + 100000) + last);
    assert_string_equal(text + len - last, COUNT_1_LINE);
}

static void an_object_read_again_replaces_its_file(void **state)
{
    struct fixture *f = *state;
    open_sink(f, LINE_PROTOCOL, false);
    write_object(f, "x", 1);
    write_object(f, "x", 2);
    assert_files(f, "x.lp\n");
    assert_content(f, "x.lp", COUNT_2_LINE);
}

static void what_is_dropped_leaves_the_earlier_file(void **state)
{
    struct fixture *f = *state;
    open_sink(f, LINE_PROTOCOL, false);
    write_object(f, "x", 1);
    begin(f, "x");
    put_much(f);
    file_datasource.drop(f->self);
    assert_files(f, "x.lp\n");
    assert_content(f, "x.lp", COUNT_1_LINE);
    file_datasource.drop(f->self);
    write_object(f, "x", 2);
    assert_content(f, "x.lp", COUNT_2_LINE);
}

static void closing_or_beginning_anew_drops(void **state)
{
    struct fixture *f = *state;
    open_sink(f, LINE_PROTOCOL, false);
    begin(f, "x");
    put_much(f);
    begin(f, "y");
    assert_files(f, "");
    put_much(f);
    close_sink(f);
    assert_files(f, "");
}

static void no_points_no_file(void **state)
{
    struct fixture *f = *state;
    open_sink(f, CSV, true);
    begin(f, "x");
    end(f);
    assert_files(f, "");
}

/* As a killed process leaves it: the hidden files of several measurements, not from the first on.
 */
static void what_a_crash_left_goes_with_the_next_reading(void **state)
{
    struct fixture *f = *state;
    struct stat stat;
    open_sink(f, CSV, false);
    begin(f, "a/x");
    put_much(f);
    buf_clear(&f->found);
    add_folder(f, f->root);
    CLEANUP(buf_finish) struct buf path = {.max = 8192};
    buf_printf(&path, "%s/%.*s", f->root, (int)f->found.len - 1, f->found.at);
    close_sink(f);
    char *digit = strstr(buf_text(&path), "-0.tmp") + 1;
    for (*digit = '2'; *digit <= '3'; ++*digit) {
        FILE *file = fopen(path.at, "w");
        assert_non_null(file);
        fclose(file);
    }
    open_sink(f, CSV, false);
    begin(f, "a/other");
    *digit = '2';
    assert_int_equal(lstat(path.at, &stat), 0);
    begin(f, "a/x");
    assert_files(f, "");
}

static const struct {
    const char *key, *file;
} names[] = {
    {"x", "x.lp"},
    {"x.gz", "x.gz.lp"},
    {".hidden", "%2Ehidden.lp"},
    {"../../etc/x", "%2E./%2E./etc/x.lp"},
    {"./x", "%2E/x.lp"},
    {"/x", "%2Fx.lp"},
    {"a//b", "a/%2Fb.lp"},
    {"a///b", "a/%2F/b.lp"},
    {"a/", "a%2F.lp"},
    {"a//", "a/%2F.lp"},
    {"50%", "50%25.lp"},
    {"a b\n\xC3\xBC", "a b\n\xC3\xBC.lp"},
};

static void names_by_hand(void **state)
{
    struct fixture *f = *state;
    open_sink(f, LINE_PROTOCOL, false);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        write_object(f, names[i].key, 1);
        assert_content(f, names[i].file, COUNT_1_LINE);
    }
}

/* 255 bytes is what a name may have; characters stay whole and keys apart. */
static void long_names_are_cut(void **state)
{
    struct fixture *f = *state;
    char key[400], name[500];
    open_sink(f, LINE_PROTOCOL, false);
    memset(key, 'k', 252);
    key[252] = '\0';
    snprintf(name, sizeof name, "%s.lp", key);
    write_object(f, key, 1);
    assert_content(f, name, COUNT_1_LINE);
    for (size_t i = 0; i < 300; i += 2) {
        memcpy(key + i, "\xC3\xBC", 2);
    }
    key[300] = '\0';
    write_object(f, key, 1);
    key[299]++;
    write_object(f, key, 1);
    buf_clear(&f->found);
    add_folder(f, f->root);
    const char *cut = strstr(buf_text(&f->found), "\xC3\xBC");
    const char *end_of_cut = strchr(cut, '\n');
    /* 252 = 219 + 33, and 219 is in the middle of a character */
    assert_int_equal(end_of_cut - cut, 218 + 33 + 3);
    assert_int_equal(cut[218], '~');
    assert_non_null(strstr(end_of_cut, "\xC3\xBC"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_for_an_object),
        TEST(nothing_is_seen_before_the_end),
        TEST(a_file_for_each_measurement_where_there_are_headers),
        TEST(all_measurements_in_one_file_elsewhere),
        TEST(gzip_repeats_its_bytes),
        TEST(gzip_of_much),
        TEST(an_object_read_again_replaces_its_file),
        TEST(what_is_dropped_leaves_the_earlier_file),
        TEST(closing_or_beginning_anew_drops),
        TEST(no_points_no_file),
        TEST(what_a_crash_left_goes_with_the_next_reading),
        TEST(names_by_hand),
        TEST(long_names_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
