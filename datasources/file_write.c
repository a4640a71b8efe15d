/*
 * file_write: the file datasource as a sink: one file for each object read, or one for each of its
 * measurements where the format has a header. A file is written under a hidden name beside its own,
 * synced, and renamed when its object has ended, so what is seen under a key's name is always
 * whole. A crash leaves hidden files; the next reading of the same object removes them.
 *
 * With `per: window` the objects of a run share their file: file_window.c.
 *
 * Called by the host through file_datasource. The points' way to bytes is output.c's.
 */
#include "file_source.h"

#include "base/cleanup.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>
#include <xxhash.h>

enum {
    NAME_MAX_BYTES = 255, /* of a name within a folder, on all file systems of Linux */
    FILE_MODE = 0640,
    FOLDER_MODE = 0750,
    MEASUREMENTS_MAX = 32, /* a job has so many parsers */
};

/* --- names --- */

/* A part of a key as a name: never hidden, never "..", always the same one for the same part. */
static void add_part(struct buf *path, struct slice part, struct slice suffix)
{
    CLEANUP(buf_finish) struct buf name = {.max = FILE_PATH_MAX_BYTES};
    for (size_t i = 0; i < part.len; i++) {
        char byte = part.at[i];
        if (byte == '%' || byte == '/' || (byte == '.' && i == 0)) {
            buf_printf(&name, "%%%02X", (unsigned)byte);
        } else {
            buf_add_byte(&name, byte);
        }
    }
    output_add_short(path, buf_slice(&name), NAME_MAX_BYTES - suffix.len);
    buf_add(path, suffix);
}

/* A slash that would leave a name empty ("a//b", "/a", "a/") belongs to the name. */
static void add_key(struct buf *path, struct slice key, struct slice suffix)
{
    size_t start = 0;
    for (size_t i = 0; i + 1 < key.len; i++) {
        if (key.at[i] == '/' && i > start) {
            add_part(path, slice_make(key.at + start, i - start), slice_make("", 0));
            buf_add_byte(path, '/');
            start = i + 1;
        }
    }
    add_part(path, slice_make(key.at + start, key.len - start), suffix);
}

static struct slice folder_of(const struct buf *path)
{
    size_t len = path->len;
    while (len > 0 && path->at[len - 1] != '/') {
        len--;
    }
    return slice_make(path->at, len);
}

static void add_path(const struct file_source *self, struct buf *path, struct slice suffix)
{
    buf_printf(path, "%s/", self->root);
    add_key(path, buf_slice(&self->outputs.key), suffix);
}

/* Hidden in the folder of the path: by key and number, so that what a crash left is found. */
static void add_hidden(const struct file_source *self, struct buf *hidden, const struct buf *path,
                       unsigned number)
{
    const struct buf *key = &self->outputs.key;
    buf_add(hidden, folder_of(path));
    buf_printf(hidden, ".loggateway-%016" PRIx64 "-%u.tmp", XXH3_64bits(key->at, key->len), number);
}

/* --- folders --- */

enum status file_sync_folder(struct file_source *self, struct slice folder, struct err *err)
{
    CLEANUP(buf_finish) struct buf path = {.max = FILE_PATH_MAX_BYTES};
    buf_add(&path, folder);
    const struct files *files = self->world->files;
    int fd = files->open(buf_text(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0) {
        return file_failed(err, buf_text(&path), "cannot open it");
    }
    enum status status = OK;
    if (files->fsync(fd) != 0) {
        status = file_failed(err, buf_text(&path), "cannot sync it");
    }
    files->close(fd);
    return status;
}

static enum status folder_make(struct file_source *self, struct slice folder, struct err *err)
{
    struct buf path = {.max = FILE_PATH_MAX_BYTES};
    buf_add(&path, folder);
    enum status status = OK;
    if (self->world->files->mkdir(buf_text(&path), FOLDER_MODE) == 0) {
        status = file_sync_folder(self, folder_of(&path), err);
    } else if (errno != EEXIST) {
        status = file_failed(err, buf_text(&path), "cannot make the folder");
    }
    buf_finish(&path);
    return status;
}

/* The folders between the root, which must exist (it may be a disk that is not mounted), and the
 * file. */
static enum status folders_make(struct file_source *self, const struct buf *path, struct err *err)
{
    enum status status = OK;
    for (size_t i = strlen(self->root) + 1; i < path->len && status == OK; i++) {
        if (path->at[i] == '/') {
            status = folder_make(self, slice_make(path->at, i), err);
        }
    }
    return status;
}

/* --- the file of an output --- */

enum status file_create(struct file_source *self, struct file *file, struct err *err)
{
    const struct files *files = self->world->files;
    const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC;
    file->fd = files->open(buf_text(&file->hidden), flags, FILE_MODE);
    if (file->fd < 0 && errno == ENOENT) {
        if (folders_make(self, &file->path, err) != OK) {
            return err->status;
        }
        file->fd = files->open(buf_text(&file->hidden), flags, FILE_MODE);
    }
    return file->fd < 0 ? file_failed(err, buf_text(&file->path), "cannot create it") : OK;
}

static struct file *file_new(struct file_source *self, const struct output *output)
{
    CLEANUP(buf_finish) struct buf suffix = {.max = NAME_MAX_BYTES};
    struct file *file = memory_new(sizeof *file);
    *file = (struct file){
        .fd = -1, .hidden = {.max = FILE_PATH_MAX_BYTES}, .path = {.max = FILE_PATH_MAX_BYTES}};
    if (self->per == FILE_PER_WINDOW) {
        window_paths(self, output, file);
        return file;
    }
    output_add_suffix(&self->outputs, output, &suffix);
    add_path(self, &file->path, buf_slice(&suffix));
    add_hidden(self, &file->hidden, &file->path, output->number);
    return file;
}

enum status file_write_all(struct file_source *self, struct file *file, struct slice bytes,
                           struct err *err)
{
    while (bytes.len) {
        ssize_t count = self->world->files->write(file->fd, bytes.at, bytes.len);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return file_failed(err, buf_text(&file->path), "cannot write it");
        }
        bytes = slice_make(bytes.at + count, bytes.len - (size_t)count);
    }
    return file_tick(self, err);
}

static enum status output_write(void *module, struct output *output, struct slice bytes,
                                struct err *err)
{
    struct file_source *self = module;
    if (!output->to) {
        struct file *file = output->to = file_new(self, output);
        if (file_create(self, file, err) != OK) {
            return err->status;
        }
    }
    return file_write_all(self, output->to, bytes, err);
}

/* Some file systems tell only when a file is closed that there was no room. */
enum status file_sync_and_close(struct file_source *self, struct file *file, struct err *err)
{
    const struct files *files = self->world->files;
    int fd = file->fd;
    file->fd = -1;
    if (files->fsync(fd) != 0) {
        file_failed(err, buf_text(&file->path), "cannot sync it");
        files->close(fd);
        return err->status;
    }
    return files->close(fd) == 0 ? OK : file_failed(err, buf_text(&file->path), "cannot close it");
}

static enum status output_finish(void *module, struct output *output, struct err *err)
{
    struct file_source *self = module;
    struct file *file = output->to;
    if (file_sync_and_close(self, file, err) != OK) {
        return err->status;
    }
    if (self->world->files->rename(buf_text(&file->hidden), buf_text(&file->path)) != 0) {
        return file_failed(err, buf_text(&file->path), "cannot put it in place");
    }
    file->is_renamed = true;
    return file_sync_folder(self, folder_of(&file->path), err);
}

static void output_discard(void *module, struct output *output)
{
    struct file_source *self = module;
    struct file *file = output->to;
    if (!file) {
        return;
    }
    if (file->fd >= 0) {
        self->world->files->close(file->fd);
    }
    if (!file->is_renamed) {
        self->world->files->unlink(buf_text(&file->hidden));
    }
    buf_finish(&file->hidden);
    buf_finish(&file->path);
    free(file);
    output->to = NULL;
}

/* Files are written at their end (O_APPEND), wherever that is now. */
static enum status output_cut(void *module, struct output *output, uint64_t size, struct err *err)
{
    struct file_source *self = module;
    struct file *file = output->to;
    if (self->world->files->truncate(file->fd, (off_t)size) != 0) {
        return file_failed(err, buf_text(&file->path), "cannot cut it");
    }
    return OK;
}

const struct output_calls file_output_calls = {
    .write = output_write,
    .finish = output_finish,
    .cut = output_cut,
    .discard = output_discard,
};

/* --- the sink --- */

/* What a crash left when this object was last read. */
static void leftovers_remove(struct file_source *self)
{
    CLEANUP(buf_finish)
    struct buf path = {.max = FILE_PATH_MAX_BYTES}, hidden = {.max = FILE_PATH_MAX_BYTES};
    unsigned count = self->outputs.encoder->begin ? MEASUREMENTS_MAX : 1;
    add_path(self, &path, slice_make("", 0));
    for (unsigned number = 0; number < count; number++) {
        buf_clear(&hidden);
        add_hidden(self, &hidden, &path, number);
        self->world->files->unlink(buf_text(&hidden));
    }
}

enum status file_begin(void *module, const struct object *object, struct err *err)
{
    struct file_source *self = module;
    if (self->per == FILE_PER_WINDOW) {
        return window_begin(self, object, err);
    }
    outputs_begin(&self->outputs, object->key);
    leftovers_remove(self);
    return OK;
}

enum status file_put(void *module, const struct point *point, struct err *err)
{
    struct file_source *self = module;
    return outputs_put(&self->outputs, point, err);
}

enum status file_end(void *module, struct err *err)
{
    struct file_source *self = module;
    return self->per == FILE_PER_WINDOW ? window_end_object(self, err)
                                        : outputs_end(&self->outputs, err);
}

void file_drop(void *module)
{
    struct file_source *self = module;
    (self->per == FILE_PER_WINDOW ? outputs_member_drop : outputs_drop)(&self->outputs);
}

enum status file_flush(void *module, struct refusals *refused, struct err *err)
{
    (void)module, (void)refused, (void)err;
    return OK; /* what ended is durable */
}

void file_target(void *module, struct place *out)
{
    struct file_source *self = module;
    *out = (struct place){.endpoint = "/", .bucket = *self->root ? self->root : "/", .folders = ""};
}

/* Writes a hidden file and removes it. */
enum status file_connect_to_write(void *module, struct err *err)
{
    struct file_source *self = module;
    struct output output = {0};
    struct file *file = output.to = memory_new(sizeof *file);
    *file = (struct file){
        .fd = -1, .hidden = {.max = FILE_PATH_MAX_BYTES}, .path = {.max = FILE_PATH_MAX_BYTES}};
    buf_printf(&file->path, "%s/", self->root);
    buf_printf(&file->hidden, "%s.loggateway-check-%016" PRIx64 ".tmp", buf_text(&file->path),
               world_random(self->world));
    enum status status = file_create(self, file, err);
    if (status == OK) {
        status = file_write_all(self, file, slice_of("loggateway\n"), err);
    }
    if (status == OK) {
        status = file_sync_and_close(self, file, err);
    }
    output_discard(self, &output);
    return status;
}
