/*
 * file: reads the files under a local folder as the objects of a bucket, for demos, tests and
 * people who fetch with other tools (rclone, aws s3 sync). A key is a path relative to `path`; keys
 * come in the order in which S3 would list them. Links are followed. Hidden names, and those that
 * tools give to files they are still writing (*.part, *.tmp), are no objects. The same place as a
 * sink is file_write.c's.
 */
#include "file_source.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "base/timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

enum {
    ROOT_MAX_BYTES = 3000,
    PATH_MAX_BYTES = ROOT_MAX_BYTES + OBJECT_KEY_MAX_BYTES + 16, /* every key fits */
    DEPTH_MAX = 64,
    READ_BYTES = 256 * 1024,
};

static const struct option options[] = {
    {"path", OPTION_TEXT, offsetof(struct file_source, path), .required = "a folder",
     .help = "folder that holds the objects; of a sink: the one to write below, which must exist"},
    {"folders", OPTION_TEXT, offsetof(struct file_source, folders), .fallback = "%B-%Y/",
     .help = "template of the folders logs are in: %Y %m %d %H %B %b, in English and UTC; \"\" = "
             "everything under path"},
    {"ignore", OPTION_LIST, offsetof(struct file_source, ignore),
     .help = "prefixes of folders and objects that are not to be read"},
    {"format", OPTION_CHOICE, offsetof(struct file_source, format), .fallback = "line_protocol",
     .choices = output_formats, .help = "of a sink: what is in the files it writes"},
    {"gzip", OPTION_BOOL, offsetof(struct file_source, gzip), .fallback = "false",
     .help = "of a sink: pack the files it writes"},
    {"per", OPTION_CHOICE, offsetof(struct file_source, per), .fallback = "object",
     .choices = file_pers,
     .help = "of a sink: what a file is for: each object, or all that a run reads (window)"},
    {0},
};

static enum status file_open(void *module, struct world *world, struct err *err)
{
    struct file_source *self = module;
    self->world = world;
    size_t len = strlen(self->path);
    if (len == 0 || len > ROOT_MAX_BYTES) {
        return err_set(err, BAD_CONFIG, "path: 1 to %d bytes", ROOT_MAX_BYTES);
    }
    while (len > 0 && self->path[len - 1] == '/') {
        len--;
    }
    self->root = memory_copy(self->path, len);
    self->bytes = memory_new(READ_BYTES);
    outputs_init(&self->outputs, self->format, self->gzip, &file_output_calls, self);
    return OK;
}

static void file_close(void *module)
{
    struct file_source *self = module;
    if (self->outputs.calls) {
        outputs_finish(&self->outputs);
    }
    window_finish(self);
    free(self->root);
    free(self->bytes);
}

static void file_place(void *module, struct place *out)
{
    struct file_source *self = module;
    *out = (struct place){
        .endpoint = "/",
        .bucket = *self->root ? self->root : "/",
        .folders = self->folders,
        .ignore = self->ignore,
    };
}

enum status file_tick(struct file_source *self, struct err *err)
{
    int64_t now_ns = world_monotonic(self->world);
    if (now_ns - self->ticked_ns < NS_PER_SECOND) {
        return OK;
    }
    self->ticked_ns = now_ns;
    return world_tick(self->world, err);
}

enum status file_failed(struct err *err, const char *path, const char *doing)
{
    return err_set(err, FAILED, "%s: %s: %s", path, doing, strerror(errno));
}

/* --- names --- */

static bool ends_with(struct slice name, const char *end)
{
    size_t len = strlen(end);
    return name.len >= len && memcmp(name.at + name.len - len, end, len) == 0;
}

static bool is_hidden(struct slice name)
{
    return name.len == 0 || name.at[0] == '.';
}

static bool is_unfinished(struct slice name)
{
    return ends_with(name, ".part") || ends_with(name, ".tmp");
}

/* Only names that a listing gives out: no empty, hidden, "." or ".." part, so never out of path. */
static bool folders_are_listed(struct slice key)
{
    size_t start = 0;
    for (size_t i = 0; i < key.len; i++) {
        if (key.at[i] != '/') {
            continue;
        }
        if (is_hidden(slice_make(key.at + start, i - start))) {
            return false;
        }
        start = i + 1;
    }
    return true;
}

/* The path of a key, or of a folder's prefix. */
static const char *path_of(const struct file_source *self, struct slice key, struct buf *path)
{
    buf_printf(path, "%s/%.*s", self->root, SLICE_ARG(key));
    return buf_text(path);
}

static void etag_of(const struct stat *stat, unsigned char etag[16])
{
    char text[80];
    int len = snprintf(text, sizeof text, "%" PRId64 " %" PRId64 ".%09ld %" PRIu64,
                       (int64_t)stat->st_size, (int64_t)stat->st_mtim.tv_sec, stat->st_mtim.tv_nsec,
                       (uint64_t)stat->st_ino);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(text, (size_t)len));
    memcpy(etag, canonical.digest, 16);
}

/* --- listing --- */

/* The names in a folder, with a '/' behind those of folders, in byte order: that is the order of
 * all keys below them ("a-b" < "a.b" < "a/x" < "a0"). */
struct names {
    char **at;
    size_t count;
};

static void names_free(struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->at[i]);
    }
    free(names->at);
}

static int name_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct walk {
    struct file_source *self;
    struct slice prefix;
    bool by_folder;
    struct listing *to;
    char key[OBJECT_KEY_MAX_BYTES + 2]; /* of what is looked at; the walk's steps only add to it */
    struct {
        dev_t device;
        ino_t inode;
    } above[DEPTH_MAX]; /* the folders on the way there, against links that lead back */
};

/* Whether the walk can find a key with the prefix at or below this one. */
static bool leads_to_prefix(const struct walk *walk, struct slice key)
{
    size_t shorter = key.len < walk->prefix.len ? key.len : walk->prefix.len;
    return slice_equal(slice_make(key.at, shorter), slice_make(walk->prefix.at, shorter));
}

/* Whether this key and all keys below it are at or before the one to begin behind. */
static bool is_passed(const struct walk *walk, struct slice key)
{
    struct slice after = walk->to->after;
    return slice_compare(key, after) < 0 &&
           (key.len > after.len || memcmp(key.at, after.at, key.len) != 0);
}

/* AGAIN: there is nothing (any more), or a link to nothing. */
static enum status look(const struct file_source *self, struct slice key, struct stat *to,
                        struct err *err)
{
    CLEANUP(buf_finish) struct buf path = {.max = PATH_MAX_BYTES};
    if (self->world->files->stat(path_of(self, key, &path), to) == 0) {
        return OK;
    }
    bool is_absent = errno == ENOENT || errno == ENOTDIR;
    file_failed(err, buf_text(&path), "cannot look at it");
    return is_absent ? AGAIN : FAILED;
}

enum kind { NOT_LISTED, FILE_NAME, FOLDER_NAME };

/* What the name in the folder at walk->key is. Leaves the name's key in walk->key. */
static enum status name_classify(struct walk *walk, size_t key_len, const char *name,
                                 enum kind *kind, struct err *err)
{
    struct slice key = slice_make(walk->key, key_len + strlen(name));
    struct stat stat;
    *kind = NOT_LISTED;
    if (is_hidden(slice_of(name))) {
        return OK;
    }
    if (key.len > OBJECT_KEY_MAX_BYTES) {
        return err_set(err, FAILED, "%s/%.*s%s: longer than a key of %d bytes", walk->self->root,
                       (int)key_len, walk->key, name, OBJECT_KEY_MAX_BYTES);
    }
    memcpy(walk->key + key_len, name, key.len - key_len);
    if (!leads_to_prefix(walk, key) || is_passed(walk, key)) {
        return OK;
    }
    enum status status = look(walk->self, key, &stat, err);
    if (status != OK) {
        return status == AGAIN ? OK : status;
    }
    if (S_ISDIR(stat.st_mode)) {
        *kind = FOLDER_NAME;
    } else if (S_ISREG(stat.st_mode) && !is_unfinished(slice_of(name))) {
        *kind = FILE_NAME;
    }
    return OK;
}

/* Keeps the name, which becomes ours, when it is listed. */
static enum status name_take(struct walk *walk, size_t key_len, char *name, struct names *to,
                             struct err *err)
{
    enum kind kind;
    enum status status = name_classify(walk, key_len, name, &kind, err);
    if (kind == NOT_LISTED) {
        free(name);
        return status;
    }
    if (kind == FOLDER_NAME) {
        size_t len = strlen(name);
        name = memory_grow(name, len + 2);
        memcpy(name + len, "/", 2);
    }
    to->at[to->count++] = name;
    return OK;
}

/* The names in the folder at walk->key. No such folder is an empty one. */
static enum status folder_read(struct walk *walk, size_t key_len, struct names *out,
                               struct err *err)
{
    struct file_source *self = walk->self;
    CLEANUP(buf_finish) struct buf path = {.max = PATH_MAX_BYTES};
    path_of(self, slice_make(walk->key, key_len), &path);
    ssize_t count = self->world->files->list(buf_text(&path), &out->at);
    if (count < 0) {
        out->at = NULL;
        bool is_absent = key_len > 0 && (errno == ENOENT || errno == ENOTDIR);
        return is_absent ? OK : file_failed(err, buf_text(&path), "cannot list it");
    }
    enum status status = OK;
    for (ssize_t i = 0; i < count; i++) { /* out->count never passes i */
        if (status == OK) {
            status = name_take(walk, key_len, out->at[i], out, err);
        } else {
            free(out->at[i]);
        }
    }
    if (out->count > 1) {
        qsort(out->at, out->count, sizeof *out->at, name_compare);
    }
    return status;
}

static enum status object_give(struct walk *walk, struct slice key, const struct stat *stat,
                               struct err *err)
{
    if (key.len < walk->prefix.len || slice_compare(key, walk->to->after) <= 0) {
        return OK; /* it only begins like the prefix, or is the one to begin behind */
    }
    struct object object = {
        .key = key,
        .size = stat->st_size,
        .last_modified_ns = timestamp_from_seconds(stat->st_mtim.tv_sec, stat->st_mtim.tv_nsec),
    };
    etag_of(stat, object.etag);
    return walk->to->object(walk->to, &object, err);
}

static bool leads_back(struct walk *walk, unsigned depth, const struct stat *stat)
{
    for (unsigned i = 0; i < depth; i++) {
        if (walk->above[i].device == stat->st_dev && walk->above[i].inode == stat->st_ino) {
            return true;
        }
    }
    walk->above[depth].device = stat->st_dev;
    walk->above[depth].inode = stat->st_ino;
    return false;
}

static enum status folder_walk(struct walk *walk, size_t key_len, unsigned depth, struct err *err);

static enum status folder_give(struct walk *walk, size_t key_len, unsigned depth,
                               const struct stat *stat, struct err *err)
{
    struct slice key = slice_make(walk->key, key_len);
    if (walk->by_folder && key.len > walk->prefix.len) {
        return walk->to->folder ? walk->to->folder(walk->to, key, err) : OK;
    }
    if (depth >= DEPTH_MAX || leads_back(walk, depth, stat)) {
        return err_set(err, FAILED, "%s/%.*s: a link that leads back, or too deep",
                       walk->self->root, SLICE_ARG(key));
    }
    return folder_walk(walk, key_len, depth + 1, err);
}

static enum status name_give(struct walk *walk, size_t key_len, const char *name, unsigned depth,
                             struct err *err)
{
    struct stat stat;
    size_t len = key_len + strlen(name);
    memcpy(walk->key + key_len, name, len - key_len);
    struct slice key = slice_make(walk->key, len);
    enum status status = look(walk->self, key, &stat, err);
    if (status != OK) {
        return status == AGAIN ? OK : status; /* removed since folder_read() */
    }
    return S_ISDIR(stat.st_mode) ? folder_give(walk, len, depth, &stat, err)
                                 : object_give(walk, key, &stat, err);
}

static enum status folder_walk(struct walk *walk, size_t key_len, unsigned depth, struct err *err)
{
    CLEANUP(names_free) struct names names = {0};
    enum status status = folder_read(walk, key_len, &names, err);
    for (size_t i = 0; i < names.count && status == OK; i++) {
        status = file_tick(walk->self, err);
        if (status == OK) {
            status = name_give(walk, key_len, names.at[i], depth, err);
        }
    }
    return status;
}

static enum status file_list(void *module, struct slice prefix, bool by_folder, struct listing *to,
                             struct err *err)
{
    struct walk walk = {.self = module, .prefix = prefix, .by_folder = by_folder, .to = to};
    if (prefix.len > OBJECT_KEY_MAX_BYTES || !folders_are_listed(prefix)) {
        return OK; /* no key is like that */
    }
    size_t len = prefix.len; /* start in the folder the prefix names */
    while (len > 0 && prefix.at[len - 1] != '/') {
        len--;
    }
    if (len > 0) {
        memcpy(walk.key, prefix.at, len);
    }
    return folder_walk(&walk, len, 0, err);
}

static enum status file_connect(void *module, struct err *err)
{
    struct listing nothing = {0};
    struct walk walk = {.self = module, .by_folder = true, .to = &nothing};
    CLEANUP(names_free) struct names names = {0};
    return folder_read(&walk, 0, &names, err);
}

/* --- reading --- */

static enum status gone(struct err *err)
{
    return err_set(err, BAD_DATA, "gone since it was listed");
}

/* AGAIN: the file is another one now. */
static enum status compare(const struct file_source *self, const struct object *object,
                           struct err *err)
{
    struct stat stat;
    unsigned char etag[16];
    enum status status = look(self, object->key, &stat, err);
    if (status != OK) {
        return status == AGAIN ? gone(err) : status;
    }
    etag_of(&stat, etag);
    if (memcmp(etag, object->etag, sizeof etag) != 0) {
        return err_set(err, AGAIN, "changed while it was read");
    }
    return OK;
}

static enum status bytes_read(struct file_source *self, int fd, const char *path,
                              const struct object *object, struct intake *to, struct err *err)
{
    int64_t rest = object->size;
    for (;;) {
        ssize_t count = self->world->files->read(fd, self->bytes, READ_BYTES);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return file_failed(err, path, "cannot read it");
        }
        if (count > rest || (count == 0 && rest > 0)) {
            return err_set(err, AGAIN, "changed while it was read");
        }
        if (count == 0) {
            return OK;
        }
        rest -= count;
        enum status status = file_tick(self, err);
        if (status == OK) {
            status = to->bytes(to, slice_make(self->bytes, (size_t)count), err);
        }
        if (status != OK) {
            return status;
        }
    }
}

static enum status open_and_read(struct file_source *self, const char *path,
                                 const struct object *object, struct intake *to, struct err *err)
{
    int fd = self->world->files->open(path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) {
        bool is_absent = errno == ENOENT || errno == ENOTDIR;
        return is_absent ? gone(err) : file_failed(err, path, "cannot open it");
    }
    enum status status = bytes_read(self, fd, path, object, to, err);
    self->world->files->close(fd);
    return status;
}

/* A file that changes while it is read gives AGAIN; the next try finds it changed before it begins,
 * which is BAD_DATA: the next listing shows what it is now. */
static enum status file_fetch(void *module, const struct object *object, struct intake *to,
                              struct err *err)
{
    struct file_source *self = module;
    CLEANUP(buf_finish) struct buf buf = {.max = PATH_MAX_BYTES};
    const char *path = path_of(self, object->key, &buf);
    if (buf.overflow || !folders_are_listed(object->key)) {
        return err_set(err, BAD_DATA, "not a key of this place");
    }
    enum status status = compare(self, object, err);
    if (status == AGAIN) {
        return err_set(err, BAD_DATA, "changed since it was listed");
    }
    if (status == OK) {
        status = open_and_read(self, path, object, to, err);
    }
    return status == OK ? compare(self, object, err) : status;
}

const struct datasource file_datasource = {
    .about = {"file",
              "files under a local folder: objects in the layout of a bucket, or a file for each "
              "object read, or for each run",
              options, sizeof(struct file_source)},
    .open = file_open,
    .close = file_close,
    .connect = file_connect,
    .place = file_place,
    .list = file_list,
    .fetch = file_fetch,
    .connect_to_write = file_connect_to_write,
    .put = file_put,
    .flush = file_flush,
    .begin = file_begin,
    .end = file_end,
    .drop = file_drop,
    .target = file_target,
    .spans_run = file_spans_run,
    .recover = file_recover,
    .window = file_window,
    .end_window = file_end_window,
    .window_settled = file_window_settled,
};
