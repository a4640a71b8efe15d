/*
 * file_window: the file sink with `per: window`: one file for all objects of a run, or one for each
 * of its measurements where the format has a header. An object that is read again is cut off
 * again; with gzip each object is a member of its own.
 *
 * A file gets its name before its objects settle, so a crash in between leaves a file whose objects
 * the next run writes again. Therefore a journal beside it names the files and the objects from
 * before the rename until they have settled. A run begins with file_recover(): if none of the
 * journal's objects has settled, it takes the files back. A name is never used twice: what has it
 * holds objects that settled.
 *
 * Called by file_write.c and by the host through file_datasource.
 */
#include "file_source.h"

#include "base/cleanup.h"
#include "base/timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MEMBERS_MAX_BYTES = 64 << 20, /* far more than the host's bound of objects */
    JOURNAL_MAX_BYTES = MEMBERS_MAX_BYTES + (1 << 20),
    FILES_MAX = 64, /* twice as many measurements as a job can have */
    NUMBERS_MAX = 100000,
    READ_BYTES = 64 * 1024,
    ETAG_DIGITS = 32,
};

const char *const file_pers[] = {"object", "window", NULL};

bool file_spans_run(const void *module)
{
    const struct file_source *self = module;
    return self->per == FILE_PER_WINDOW;
}

/* --- names --- */

/* 2026-11-21T09:00:00Z without what other systems do not take in names. */
static void add_time(struct buf *name, int64_t ns)
{
    char text[TIMESTAMP_TEXT_BYTES];
    timestamp_format(ns - ns % NS_PER_SECOND, text);
    for (const char *at = text; *at; at++) {
        if (*at != '-' && *at != ':') {
            buf_add_byte(name, *at);
        }
    }
}

void file_window(void *module, struct window window)
{
    struct file_source *self = module;
    self->window.max = 256;
    self->member.max = FILE_PATH_MAX_BYTES;
    self->members.max = MEMBERS_MAX_BYTES;
    self->journal.max = JOURNAL_MAX_BYTES;
    add_time(&self->window, window.from_ns);
    buf_add_text(&self->window, "--");
    add_time(&self->window, window.to_ns);
}

void window_finish(struct file_source *self)
{
    buf_finish(&self->window);
    buf_finish(&self->member);
    buf_finish(&self->members);
    buf_finish(&self->journal);
}

static void add_hidden(const struct file_source *self, struct buf *path, unsigned number)
{
    buf_printf(path, "%s/.loggateway-window-%u.tmp", self->root, number);
}

static void add_journal(const struct file_source *self, struct buf *path)
{
    buf_printf(path, "%s/.loggateway-window.journal", self->root);
}

/* The name of an output's file as the number-th of its kind for this window. */
static void add_name(struct file_source *self, const struct output *output, unsigned number,
                     struct buf *name)
{
    buf_add(name, buf_slice(&self->window));
    if (number > 1) {
        buf_printf(name, "-%u", number);
    }
    output_add_suffix(&self->outputs, output, name);
}

static void path_set(struct file_source *self, const struct output *output, unsigned number,
                     struct buf *path)
{
    buf_clear(path);
    buf_printf(path, "%s/", self->root);
    add_name(self, output, number, path);
}

void window_paths(struct file_source *self, const struct output *output, struct file *file)
{
    path_set(self, output, 1, &file->path);
    add_hidden(self, &file->hidden, output->number);
}

/* --- the objects --- */

enum status window_begin(struct file_source *self, const struct object *object, struct err *err)
{
    buf_clear(&self->member);
    buf_add_byte(&self->member, 'O');
    for (size_t i = 0; i < sizeof object->etag; i++) {
        buf_printf(&self->member, "%02x", object->etag[i]);
    }
    buf_printf(&self->member, "%" PRId64 " ", object->size);
    buf_add(&self->member, object->key);
    buf_add_byte(&self->member, '\0');
    return outputs_member_begin(&self->outputs, err);
}

enum status window_end_object(struct file_source *self, struct err *err)
{
    if (!buf_add(&self->members, buf_slice(&self->member)) || self->member.overflow) {
        return err_set(err, FAILED, "%s: too many objects for one file", self->root);
    }
    return outputs_member_end(&self->outputs, err);
}

/* --- the journal: texts that end in NUL: F and a file's name, O and an object, E at the end --- */

static bool journal_is_whole(const struct buf *journal)
{
    return journal->len >= 3 && memcmp(journal->at + journal->len - 3, "\0E", 3) == 0;
}

static const char *journal_next(const struct buf *journal, const char *text)
{
    if (journal->len == 0) {
        return NULL;
    }
    const char *next = text ? text + strlen(text) + 1 : journal->at;
    return next < journal->at + journal->len ? next : NULL;
}

static enum status journal_write(struct file_source *self, struct err *err)
{
    struct file file = {
        .fd = -1, .hidden = {.max = FILE_PATH_MAX_BYTES}, .path = {.max = FILE_PATH_MAX_BYTES}};
    add_journal(self, &file.hidden);
    add_journal(self, &file.path);
    enum status status = file_create(self, &file, err);
    if (status == OK) {
        status = file_write_all(self, &file, buf_slice(&self->journal), err);
    }
    if (file.fd >= 0 && status == OK) {
        status = file_sync_and_close(self, &file, err);
    } else if (file.fd >= 0) {
        self->world->files->close(file.fd);
    }
    buf_finish(&file.hidden);
    buf_finish(&file.path);
    CLEANUP(buf_finish) struct buf root = {.max = FILE_PATH_MAX_BYTES};
    buf_printf(&root, "%s/", self->root);
    return status == OK ? file_sync_folder(self, buf_slice(&root), err) : status;
}

static enum status journal_read(struct file_source *self, struct buf *journal, struct err *err)
{
    CLEANUP(buf_finish) struct buf path = {.max = FILE_PATH_MAX_BYTES};
    const struct files *files = self->world->files;
    add_journal(self, &path);
    int fd = files->open(buf_text(&path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd < 0) {
        return errno == ENOENT ? OK : file_failed(err, buf_text(&path), "cannot open it");
    }
    ssize_t count = 0;
    char *room;
    while ((room = buf_room(journal, READ_BYTES)) &&
           (count = files->read(fd, room, READ_BYTES)) > 0) {
        journal->len += (size_t)count;
    }
    enum status status = OK;
    if (count < 0) {
        status = file_failed(err, buf_text(&path), "cannot read it");
    } else if (!room) {
        status = err_set(err, FAILED, "%s: longer than any that we write", buf_text(&path));
    }
    files->close(fd);
    return status;
}

static void journal_remove(struct file_source *self)
{
    CLEANUP(buf_finish) struct buf path = {.max = FILE_PATH_MAX_BYTES};
    add_journal(self, &path);
    self->world->files->unlink(buf_text(&path));
}

/* --- the file at its end --- */

/* Adds the files to the journal and to their outputs. False: a name is taken. */
static bool take_number(struct file_source *self, unsigned number)
{
    buf_clear(&self->journal);
    for (struct output *output = self->outputs.newest; output; output = output->next) {
        struct file *file = output->to;
        struct stat stat;
        path_set(self, output, number, &file->path);
        if (self->world->files->stat(buf_text(&file->path), &stat) == 0 || errno != ENOENT) {
            return false;
        }
        buf_add_byte(&self->journal, 'F');
        add_name(self, output, number, &self->journal);
        buf_add_byte(&self->journal, '\0');
    }
    return true;
}

static enum status journal_fill(struct file_source *self, struct err *err)
{
    unsigned number = 1;
    while (!take_number(self, number)) {
        if (++number > NUMBERS_MAX) {
            return err_set(err, FAILED, "%s/%s: no number left for another file", self->root,
                           buf_text(&self->window));
        }
    }
    buf_add(&self->journal, buf_slice(&self->members));
    buf_add(&self->journal, slice_make("E", 2));
    return OK;
}

/* Files that have their names already but shall not have been. */
static enum status take_back(struct file_source *self, const struct buf *journal, struct err *err)
{
    CLEANUP(buf_finish) struct buf path = {.max = FILE_PATH_MAX_BYTES};
    const char *text = NULL;
    while ((text = journal_next(journal, text))) {
        if (*text != 'F' || text[1] == '.' || strchr(text, '/')) {
            continue; /* never out of the folder, whoever wrote the journal */
        }
        buf_clear(&path);
        buf_printf(&path, "%s/%s", self->root, text + 1);
        if (self->world->files->unlink(buf_text(&path)) != 0 && errno != ENOENT) {
            return file_failed(err, buf_text(&path), "cannot remove it");
        }
    }
    buf_clear(&path);
    buf_printf(&path, "%s/", self->root);
    return file_sync_folder(self, buf_slice(&path), err);
}

enum status file_end_window(void *module, struct err *err)
{
    struct file_source *self = module;
    if (!self->outputs.newest) {
        buf_clear(&self->members);
        return OK; /* no object had a point */
    }
    enum status status = journal_fill(self, err);
    if (status == OK) {
        status = journal_write(self, err);
    }
    if (status == OK) {
        status = outputs_end(&self->outputs, err);
    }
    buf_clear(&self->members);
    if (status != OK) {
        struct err cause = *err;
        if (take_back(self, &self->journal, err) == OK) {
            journal_remove(self);
        }
        *err = cause;
    }
    return status;
}

void file_window_settled(void *module)
{
    struct file_source *self = module;
    if (self->journal.len) {
        journal_remove(self);
    }
    buf_clear(&self->journal);
}

/* --- after a crash --- */

/* "O", the etag's digits, the size, a space, the key. False: not an object. */
static bool read_object(const char *text, struct object *object)
{
    char *end;
    *object = (struct object){0};
    if (*text != 'O' || strlen(text) <= 1 + ETAG_DIGITS) {
        return false;
    }
    for (size_t i = 0; i < sizeof object->etag; i++) {
        char digits[3] = {text[1 + 2 * i], text[2 + 2 * i], '\0'};
        object->etag[i] = (unsigned char)strtoul(digits, NULL, 16);
    }
    object->size = strtoll(text + 1 + ETAG_DIGITS, &end, 10);
    object->key = slice_of(*end == ' ' ? end + 1 : "");
    return object->key.len > 0;
}

/* They settle all at once; but some may have changed, gone or been asked for again since. */
static enum status any_settled(const struct buf *journal, struct settled *settled, bool *any,
                               struct err *err)
{
    const char *text = NULL;
    enum status status = OK;
    *any = false;
    while (status == OK && !*any && (text = journal_next(journal, text))) {
        struct object object;
        if (read_object(text, &object)) {
            status = settled->ask(settled, &object, any, err);
        }
    }
    return status;
}

static void remove_hidden(struct file_source *self)
{
    CLEANUP(buf_finish) struct buf path = {.max = FILE_PATH_MAX_BYTES};
    for (unsigned number = 0; number < FILES_MAX; number++) {
        buf_clear(&path);
        add_hidden(self, &path, number);
        self->world->files->unlink(buf_text(&path));
    }
}

enum status file_recover(void *module, struct settled *settled, struct err *err)
{
    struct file_source *self = module;
    CLEANUP(buf_finish) struct buf journal = {.max = JOURNAL_MAX_BYTES};
    remove_hidden(self);
    enum status status = journal_read(self, &journal, err);
    if (status != OK) {
        return status;
    }
    bool any = false;
    if (journal_is_whole(&journal)) { /* otherwise nothing was renamed yet */
        status = any_settled(&journal, settled, &any, err);
        if (status == OK && !any) {
            status = take_back(self, &journal, err);
        }
    }
    if (status == OK) {
        journal_remove(self);
    }
    return status;
}
