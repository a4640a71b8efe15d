/* Tests of datasources/file over real folders under a temporary one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "module_options.h"
#include "plain_world.h"

#include "api/datasource.h"
#include "base/cleanup.h"

#include <ftw.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

extern const struct datasource file_datasource;

struct fixture {
    struct plain_world world;
    char root[64];
    void *self;
    struct err err;

    struct listing listing;
    struct buf keys; /* each with a '\n'; folders in brackets */
    char key[1100];  /* of the last object */
    struct object object;

    struct intake intake;
    struct buf bytes;
    enum status intake_answer;
    const char *spoil; /* this file is changed from within the intake */
};

static enum status take_object(struct listing *to, const struct object *object, struct err *err)
{
    (void)err;
    struct fixture *fixture = (struct fixture *)((char *)to - offsetof(struct fixture, listing));
    buf_printf(&fixture->keys, "%.*s\n", SLICE_ARG(object->key));
    memcpy(fixture->key, object->key.at, object->key.len);
    fixture->object = *object;
    fixture->object.key.at = fixture->key;
    return OK;
}

static enum status take_folder(struct listing *to, struct slice prefix, struct err *err)
{
    (void)err;
    struct fixture *fixture = (struct fixture *)((char *)to - offsetof(struct fixture, listing));
    buf_printf(&fixture->keys, "[%.*s]\n", SLICE_ARG(prefix));
    return OK;
}

static const char *at(const struct fixture *fixture, const char *key, char path[2048])
{
    snprintf(path, 2048, "%s/%s", fixture->root, key);
    return path;
}

/* Makes the folders on the way too. */
static void put(const struct fixture *fixture, const char *key, const char *text)
{
    char path[2048];
    at(fixture, key, path);
    for (char *slash = path + strlen(fixture->root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    if (path[strlen(path) - 1] == '/') {
        return;
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static enum status take_bytes(struct intake *to, struct slice bytes, struct err *err)
{
    struct fixture *fixture = (struct fixture *)((char *)to - offsetof(struct fixture, intake));
    buf_add(&fixture->bytes, bytes);
    if (fixture->spoil) {
        put(fixture, fixture->spoil, "another text of another length");
    }
    enum status answer = fixture->intake_answer;
    return answer == OK ? OK : err_set(err, answer, "as the test says");
}

static struct fixture *fixture_new(void)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->world = plain_world_make();
    snprintf(fixture->root, sizeof fixture->root, "/tmp/test_file_XXXXXX");
    assert_non_null(mkdtemp(fixture->root));
    fixture->self = calloc(1, file_datasource.about.size);
    option_set_text(&file_datasource.about, fixture->self, "path", fixture->root);
    option_set_text(&file_datasource.about, fixture->self, "folders", "%B-%Y/");
    assert_int_equal(file_datasource.open(fixture->self, &fixture->world.world, &fixture->err), OK);
    fixture->listing = (struct listing){take_object, take_folder};
    fixture->intake = (struct intake){take_bytes};
    fixture->keys.max = fixture->bytes.max = 4 << 20;
    return fixture;
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *walk)
{
    (void)stat, (void)kind, (void)walk;
    return remove(path);
}

static void fixture_free(struct fixture *fixture)
{
    file_datasource.close(fixture->self);
    nftw(fixture->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    buf_finish(&fixture->keys);
    buf_finish(&fixture->bytes);
    free(fixture->self);
    free(fixture);
}

static enum status list(struct fixture *fixture, const char *prefix, bool by_folder)
{
    buf_clear(&fixture->keys);
    return file_datasource.list(fixture->self, slice_of(prefix), by_folder, &fixture->listing,
                                &fixture->err);
}

static enum status fetch(struct fixture *fixture)
{
    buf_clear(&fixture->bytes);
    return file_datasource.fetch(fixture->self, &fixture->object, &fixture->intake, &fixture->err);
}

/* --- listing --- */

static void test_keys_come_in_the_order_of_S3(void **state)
{
    static const char *const keys[] = {"a0",      "a/z", "a/b/c",      "a-b", "a.b", "a/b.x",
                                       "a/b-x/y", "B",   "\xC3\xBC/x", "a b", "a/b0"};
    struct fixture *fixture = fixture_new();
    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        put(fixture, keys[i], "x");
    }
    assert_int_equal(list(fixture, "", false), OK);
    /* ' ' 20, '-' 2D, '.' 2E, '/' 2F, '0' 30, 'B' 42, 'a' 61 */
    assert_string_equal(buf_text(&fixture->keys), "B\na b\na-b\na.b\na/b-x/y\na/b.x\na/b/c\n"
                                                  "a/b0\na/z\na0\n\xC3\xBC/x\n");
    fixture_free(fixture);
}

static void test_prefixes(void **state)
{
    static const struct {
        const char *prefix, *all, *by_folder;
    } table[] = {
        {"", "Ju\nJuly/a\nJune/a\nJune/b/c\nMay/x\n", "Ju\n[July/]\n[June/]\n[May/]\n"},
        {"June/", "June/a\nJune/b/c\n", "June/a\n[June/b/]\n"},
        {"June", "June/a\nJune/b/c\n", "[June/]\n"},
        {"Ju", "Ju\nJuly/a\nJune/a\nJune/b/c\n", "Ju\n[July/]\n[June/]\n"},
        {"June/b", "June/b/c\n", "[June/b/]\n"},
        {"June/b/c", "June/b/c\n", "June/b/c\n"},
        {"June/b/c/", "", ""}, /* c is a file */
        {"April/", "", ""},
        {"Ju/", "", ""},
        {"Jul/", "", ""},
        {"/", "", ""},
        {"../", "", ""},
        {"June/../May/", "", ""},
        {"./June/", "", ""},
    };
    struct fixture *fixture = fixture_new();
    (void)state;
    put(fixture, "June/a", "x");
    put(fixture, "June/b/c", "x");
    put(fixture, "July/a", "x");
    put(fixture, "May/x", "x");
    put(fixture, "Ju", "x");
    for (size_t i = 0; i < COUNT(table); i++) {
        assert_int_equal(list(fixture, table[i].prefix, false), OK);
        assert_string_equal(buf_text(&fixture->keys), table[i].all);
        assert_int_equal(list(fixture, table[i].prefix, true), OK);
        assert_string_equal(buf_text(&fixture->keys), table[i].by_folder);
    }
    fixture_free(fixture);
}

static void test_lists_behind_a_key(void **state)
{
    static const struct {
        const char *after, *keys;
    } table[] = {
        {"", "a-b\na/b/c\na/b/d\na/e\nab\n"},
        {"Z", "a-b\na/b/c\na/b/d\na/e\nab\n"},
        {"a", "a-b\na/b/c\na/b/d\na/e\nab\n"},
        {"a-b", "a/b/c\na/b/d\na/e\nab\n"},
        {"a/", "a/b/c\na/b/d\na/e\nab\n"},
        {"a/b/c", "a/b/d\na/e\nab\n"},
        {"a/b/c0", "a/b/d\na/e\nab\n"},
        {"a/b/d", "a/e\nab\n"},
        {"a/c", "a/e\nab\n"},
        {"a/e", "ab\n"},
        {"a0", "ab\n"},
        {"ab", ""},
        {"b", ""},
    };
    struct fixture *fixture = fixture_new();
    (void)state;
    put(fixture, "a-b", "x");
    put(fixture, "a/b/c", "x");
    put(fixture, "a/b/d", "x");
    put(fixture, "a/e", "x");
    put(fixture, "ab", "x");
    for (size_t i = 0; i < COUNT(table); i++) {
        fixture->listing.after = slice_of(table[i].after);
        assert_int_equal(list(fixture, "", false), OK);
        assert_string_equal(buf_text(&fixture->keys), table[i].keys);
    }
    fixture_free(fixture);
}

static void test_what_is_no_object(void **state)
{
    struct fixture *fixture = fixture_new();
    char path[2048];
    (void)state;
    put(fixture, ".hidden", "x");
    put(fixture, ".git/config", "x");
    put(fixture, "a/.x", "x");
    put(fixture, "b.part", "x");
    put(fixture, "b.tmp", "x");
    put(fixture, "b.tmp.gz", "x");
    put(fixture, "folder.part/c", "x");
    put(fixture, "empty/", "");
    assert_int_equal(mkfifo(at(fixture, "fifo", path), 0600), 0);
    assert_int_equal(symlink("nowhere", at(fixture, "dangling", path)), 0);
    assert_int_equal(list(fixture, "", false), OK);
    assert_string_equal(buf_text(&fixture->keys), "b.tmp.gz\nfolder.part/c\n");
    fixture_free(fixture);
}

static void test_objects_are_described(void **state)
{
    struct fixture *fixture = fixture_new();
    char path[2048], link[2048];
    unsigned char etag[16];
    const struct timespec times[2] = {{1653901201, 5}, {1653901201, 123456789}};
    (void)state;
    put(fixture, "target/a", "hello");
    assert_int_equal(utimensat(AT_FDCWD, at(fixture, "target/a", path), times, 0), 0);
    assert_int_equal(list(fixture, "", false), OK);
    assert_int_equal(fixture->object.size, 5);
    assert_int_equal(fixture->object.last_modified_ns, INT64_C(1653901201123456789));
    memcpy(etag, fixture->object.etag, sizeof etag);

    /* links are followed: the same file */
    assert_int_equal(symlink("target/a", at(fixture, "z", link)), 0);
    assert_int_equal(list(fixture, "z", false), OK);
    assert_int_equal(fixture->object.size, 5);
    assert_memory_equal(fixture->object.etag, etag, sizeof etag);

    /* another time, another size, another file of both */
    const struct timespec later[2] = {{1653901201, 5}, {1653901201, 123456790}};
    assert_int_equal(utimensat(AT_FDCWD, path, later, 0), 0);
    assert_int_equal(list(fixture, "target/", false), OK);
    assert_memory_not_equal(fixture->object.etag, etag, sizeof etag);
    put(fixture, "target/b", "hallo");
    assert_int_equal(rename(at(fixture, "target/b", link), path), 0);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(list(fixture, "target/", false), OK);
    assert_memory_not_equal(fixture->object.etag, etag, sizeof etag);
    fixture_free(fixture);
}

static void test_loops_end(void **state)
{
    struct fixture *fixture = fixture_new();
    char path[2048];
    (void)state;
    put(fixture, "a/b/c", "x");
    assert_int_equal(symlink("..", at(fixture, "a/b/up", path)), 0);
    assert_int_equal(list(fixture, "", false), FAILED);
    assert_non_null(strstr(fixture->err.text, "a link that leads back"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(".", at(fixture, "self", path)), 0);
    assert_int_equal(list(fixture, "", false), FAILED);
    fixture_free(fixture);
}

static void test_depth_has_a_limit(void **state)
{
    struct fixture *fixture = fixture_new();
    char key[256] = "";
    (void)state;
    for (int i = 0; i < 64; i++) {
        memcpy(key + 2 * i, "d/", 2);
    }
    key[128] = 'x';
    put(fixture, key, "x");
    assert_int_equal(list(fixture, "", false), OK);
    assert_int_equal(fixture->object.key.len, 129);
    memcpy(key + 128, "d/x", 4);
    put(fixture, key, "x");
    assert_int_equal(list(fixture, "", false), FAILED);
    fixture_free(fixture);
}

static void test_keys_have_a_limit(void **state)
{
    struct fixture *fixture = fixture_new();
    char key[1100];
    (void)state;
    memset(key, 'k', sizeof key);
    for (size_t i = 200; i < 1024; i += 200) {
        key[i] = '/';
    }
    key[1024] = '\0';
    put(fixture, key, "x");
    assert_int_equal(list(fixture, "", false), OK);
    assert_int_equal(fixture->object.key.len, 1024);
    assert_int_equal(fetch(fixture), OK);
    key[1024] = 'k';
    key[1025] = '\0';
    put(fixture, key, "x");
    assert_int_equal(list(fixture, "", false), FAILED);
    fixture_free(fixture);
}

static void test_a_missing_root_is_an_error(void **state)
{
    struct fixture *fixture = fixture_new();
    (void)state;
    assert_int_equal(file_datasource.connect(fixture->self, &fixture->err), OK);
    assert_int_equal(rmdir(fixture->root), 0);
    assert_int_equal(file_datasource.connect(fixture->self, &fixture->err), FAILED);
    assert_non_null(strstr(fixture->err.text, fixture->root));
    assert_int_equal(list(fixture, "", false), FAILED);
    fixture_free(fixture);
}

static void test_a_stop_ends_the_listing(void **state)
{
    struct fixture *fixture = fixture_new();
    (void)state;
    put(fixture, "a", "x");
    fixture->world.stop = true;
    assert_int_equal(list(fixture, "", false), FAILED);
    assert_string_equal(fixture->err.text, "interrupted");
    fixture_free(fixture);
}

static void test_place(void **state)
{
    struct place place;
    struct fixture *fixture = fixture_new();
    char path[80];
    struct err err;
    (void)state;
    file_datasource.place(fixture->self, &place);
    assert_string_equal(place.bucket, fixture->root);
    assert_string_equal(place.folders, "%B-%Y/");
    file_datasource.close(fixture->self); /* once more, with slashes at the end: the same place */
    snprintf(path, sizeof path, "%s//", fixture->root);
    option_set_text(&file_datasource.about, fixture->self, "path", path);
    assert_int_equal(file_datasource.open(fixture->self, &fixture->world.world, &err), OK);
    file_datasource.place(fixture->self, &place);
    assert_string_equal(place.bucket, fixture->root);
    fixture_free(fixture);
}

/* --- reading --- */

static void test_reads_a_file(void **state)
{
    static const size_t sizes[] = {0, 1, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 1000000};
    struct fixture *fixture = fixture_new();
    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        CLEANUP_FREE char *text = calloc(1, sizes[i] + 1);
        for (size_t j = 0; j < sizes[i]; j++) {
            text[j] = (char)('a' + j % 23);
        }
        put(fixture, "a", text);
        assert_int_equal(list(fixture, "", false), OK);
        assert_int_equal(fetch(fixture), OK);
        assert_true(slice_equal(buf_slice(&fixture->bytes), slice_make(text, sizes[i])));
    }
    fixture_free(fixture);
}

static void test_a_file_that_changed_is_not_read(void **state)
{
    struct fixture *fixture = fixture_new();
    char path[2048];
    (void)state;
    put(fixture, "a", "hello");
    assert_int_equal(list(fixture, "", false), OK);
    put(fixture, "a", "hello world");
    assert_int_equal(fetch(fixture), BAD_DATA);
    assert_string_equal(fixture->err.text, "changed since it was listed");
    assert_int_equal(fixture->bytes.len, 0);
    assert_int_equal(unlink(at(fixture, "a", path)), 0);
    assert_int_equal(fetch(fixture), BAD_DATA);
    assert_string_equal(fixture->err.text, "gone since it was listed");
    fixture_free(fixture);
}

static void test_a_file_that_changes_while_it_is_read(void **state)
{
    struct fixture *fixture = fixture_new();
    (void)state;
    put(fixture, "a", "hello");
    assert_int_equal(list(fixture, "", false), OK);
    fixture->spoil = "a";
    assert_int_equal(fetch(fixture), AGAIN);
    assert_int_equal(fetch(fixture), BAD_DATA); /* the second try finds it changed */
    fixture_free(fixture);
}

static void test_the_intake_decides(void **state)
{
    static const enum status answers[] = {AGAIN, BAD_DATA, FAILED};
    struct fixture *fixture = fixture_new();
    (void)state;
    put(fixture, "a", "hello");
    assert_int_equal(list(fixture, "", false), OK);
    for (size_t i = 0; i < COUNT(answers); i++) {
        fixture->intake_answer = answers[i];
        assert_int_equal(fetch(fixture), answers[i]);
        assert_string_equal(fixture->err.text, "as the test says");
    }
    fixture_free(fixture);
}

static void test_no_key_leads_out(void **state)
{
    static const char *const keys[] = {"../a", "a/../../b", ".a/b", "/etc/hostname", "a//b"};
    struct fixture *fixture = fixture_new();
    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        fixture->object = (struct object){.key = slice_of(keys[i])};
        assert_int_equal(fetch(fixture), BAD_DATA);
        assert_string_equal(fixture->err.text, "not a key of this place");
    }
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_come_in_the_order_of_S3),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_lists_behind_a_key),
        cmocka_unit_test(test_what_is_no_object),
        cmocka_unit_test(test_objects_are_described),
        cmocka_unit_test(test_loops_end),
        cmocka_unit_test(test_depth_has_a_limit),
        cmocka_unit_test(test_keys_have_a_limit),
        cmocka_unit_test(test_a_missing_root_is_an_error),
        cmocka_unit_test(test_a_stop_ends_the_listing),
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_reads_a_file),
        cmocka_unit_test(test_a_file_that_changed_is_not_read),
        cmocka_unit_test(test_a_file_that_changes_while_it_is_read),
        cmocka_unit_test(test_the_intake_decides),
        cmocka_unit_test(test_no_key_leads_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
