/*
 * file_sink: the file datasource as a sink over a real folder, with calls that fail put in between.
 * Included by one test file each.
 */
#ifndef TESTS_FILE_SINK_H
#define TESTS_FILE_SINK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "module_options.h"
#include "plain_world.h"
#include "sink_points.h"

#include "base/cleanup.h"

#include <errno.h>
#include <ftw.h>
#include <zlib.h>

extern const struct datasource file_datasource;

/* Which call fails, and what was called: files have no context to keep it in. */
struct faults {
    int write, sync, rename, mkdir, truncate; /* an errno; 0 = none */
    size_t room;                              /* bytes that write() still takes; then it fails */
    bool short_writes, interrupted;
    char calls[512]; /* of fsync (s, F: of a folder) and rename (r) */
};
static struct faults faults;

static inline void note(char call)
{
    size_t len = strlen(faults.calls);
    assert_true(len + 1 < sizeof faults.calls);
    faults.calls[len] = call;
}

static inline int fails(int problem)
{
    errno = problem;
    return -1;
}

static inline ssize_t sim_write(int fd, const void *from, size_t size)
{
    if (faults.interrupted) {
        faults.interrupted = false;
        return fails(EINTR);
    }
    if (faults.write && faults.room == 0) {
        return fails(faults.write);
    }
    size = faults.write && size > faults.room ? faults.room : size;
    size = faults.short_writes && size > 3 ? 3 : size;
    faults.room -= faults.write ? size : 0;
    return write(fd, from, size);
}

static inline int sim_fsync(int fd)
{
    struct stat stat;
    assert_int_equal(fstat(fd, &stat), 0);
    note(S_ISDIR(stat.st_mode) ? 'F' : 's');
    return faults.sync ? fails(faults.sync) : fsync(fd);
}

static inline int sim_rename(const char *from, const char *to)
{
    note('r');
    return faults.rename ? fails(faults.rename) : rename(from, to);
}

static inline int sim_mkdir(const char *path, mode_t mode)
{
    return faults.mkdir ? fails(faults.mkdir) : mkdir(path, mode);
}

static inline int sim_truncate(int fd, off_t size)
{
    return faults.truncate ? fails(faults.truncate) : ftruncate(fd, size);
}

static const struct files sim_files = {
    .open = plain_open,
    .read = read,
    .close = close,
    .stat = plain_stat,
    .list = plain_list,
    .write = sim_write,
    .fsync = sim_fsync,
    .rename = sim_rename,
    .unlink = unlink,
    .mkdir = sim_mkdir,
    .truncate = sim_truncate,
};

struct fixture {
    struct plain_world world;
    char root[64];
    void *self;
    struct err err;
    struct buf found;
};

static inline void open_sink(struct fixture *f, int format, bool gzip)
{
    const struct module *about = &file_datasource.about;
    f->self = memory_new(about->size);
    option_set_text(about, f->self, "path", f->root);
    option_set_text(about, f->self, "folders", "");
    *(int *)option_at(about, f->self, "format") = format;
    *(bool *)option_at(about, f->self, "gzip") = gzip;
    assert_int_equal(file_datasource.open(f->self, &f->world.world, &f->err), OK);
}

static inline void close_sink(struct fixture *f)
{
    file_datasource.close(f->self);
    free(f->self);
    f->self = NULL;
}

static inline int set_up(void **state)
{
    struct fixture *f = memory_new(sizeof *f);
    f->world = plain_world_make();
    f->world.world.files = &sim_files;
    f->found.max = 1 << 20;
    snprintf(f->root, sizeof f->root, "/tmp/test_file_write.XXXXXX");
    assert_non_null(mkdtemp(f->root));
    faults = (struct faults){0};
    *state = f;
    return 0;
}

static inline int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *where)
{
    (void)stat, (void)kind, (void)where;
    return remove(path);
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->self) {
        close_sink(f);
    }
    buf_finish(&f->found);
    nftw(f->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

/* --- what is there --- */

static inline void add_folder(struct fixture *f, const char *folder)
{
    char **names = NULL;
    ssize_t count = plain_list(folder, &names);
    assert_true(count >= 0);
    for (ssize_t i = count - 1; i >= 0; i--) {
        CLEANUP(buf_finish) struct buf path = {.max = 8192};
        struct stat stat;
        buf_printf(&path, "%s/%s", folder, names[i]);
        assert_int_equal(lstat(buf_text(&path), &stat), 0);
        if (S_ISDIR(stat.st_mode)) {
            add_folder(f, buf_text(&path));
        } else {
            buf_printf(&f->found, "%s\n", buf_text(&path) + strlen(f->root) + 1);
        }
        free(names[i]);
    }
    free(names);
}

/* All files below the root, hidden ones too, each with a '\n', in byte order per folder. */
static inline void assert_files(struct fixture *f, const char *expected)
{
    buf_clear(&f->found);
    add_folder(f, f->root);
    assert_string_equal(buf_text(&f->found), expected);
}

static inline size_t read_file(struct fixture *f, const char *key, char *bytes, size_t size)
{
    CLEANUP(buf_finish) struct buf path = {.max = 8192};
    buf_printf(&path, "%s/%s", f->root, key);
    FILE *file = fopen(buf_text(&path), "r");
    assert_non_null(file);
    size_t len = fread(bytes, 1, size - 1, file);
    fclose(file);
    bytes[len] = '\0';
    return len;
}

static inline void assert_content(struct fixture *f, const char *key, const char *expected)
{
    char bytes[4096];
    read_file(f, key, bytes, sizeof bytes);
    assert_string_equal(bytes, expected);
}

static inline void begin(struct fixture *f, const char *key)
{
    assert_int_equal(begin_object(&file_datasource, f->self, key, &f->err), OK);
}

static inline void put(struct fixture *f, int64_t n)
{
    assert_int_equal(put_count(&file_datasource, f->self, n, &f->err), OK);
}

static inline void end(struct fixture *f)
{
    assert_int_equal(file_datasource.end(f->self, &f->err), OK);
}

static inline void write_object(struct fixture *f, const char *key, int64_t n)
{
    begin(f, key);
    put(f, n);
    end(f);
}

/* More than is kept in memory, so that a hidden file exists before the object ends. */
static inline void put_much(struct fixture *f)
{
    char text[100001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < 4; i++) {
        assert_int_equal(put_note(&file_datasource, f->self, text, &f->err), OK);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
