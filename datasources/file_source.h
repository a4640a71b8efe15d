/*
 * file_source: what the files of the file datasource share: file.c (options, listing, reading),
 * file_write.c (the same place as a sink) and file_window.c (a sink with one file for a run).
 * Nobody else includes this.
 */
#ifndef FILE_SOURCE_H
#define FILE_SOURCE_H

#include "api/datasource.h"
#include "output.h"

struct file_source {
    /* options */
    const char *path, *folders;
    struct text_list ignore;
    int format; /* index in output_formats */
    bool gzip;
    int per; /* index in file_pers */

    struct world *world;
    char *root; /* path without a last slash; "" is "/" */
    char *bytes;
    int64_t ticked_ns;
    struct outputs outputs;

    /* of file_window.c: */
    struct buf window;          /* "FROM--TO" */
    struct buf member, members; /* the object under way, and those that ended, for the journal */
    struct buf journal;
};

/* The file of one output. */
struct file {
    int fd; /* -1: closed */
    bool is_renamed;
    struct buf hidden, path;
};

enum { FILE_PER_OBJECT, FILE_PER_WINDOW };
extern const char *const file_pers[];

enum { FILE_PATH_MAX_BYTES = 8 * 1024 };

extern const struct output_calls file_output_calls;

/* Says what failed at a path, by errno. */
enum status file_failed(struct err *err, const char *path, const char *doing);

/* Calls world_tick about once a second, whatever the number of files. */
enum status file_tick(struct file_source *self, struct err *err);

/* The writing half of struct datasource. */
enum status file_connect_to_write(void *self, struct err *err);
enum status file_put(void *self, const struct point *point, struct err *err);
enum status file_flush(void *self, struct refusals *refused, struct err *err);
enum status file_begin(void *self, const struct object *object, struct err *err);
enum status file_end(void *self, struct err *err);
void file_drop(void *self);
void file_target(void *self, struct place *out);
bool file_spans_run(const void *self);
enum status file_recover(void *self, struct settled *settled, struct err *err);
void file_window(void *self, struct window window);
enum status file_end_window(void *self, struct err *err);
void file_window_settled(void *self);

/* --- between file_write.c and file_window.c --- */

enum status file_create(struct file_source *self, struct file *file, struct err *err);
enum status file_write_all(struct file_source *self, struct file *file, struct slice bytes,
                           struct err *err);
enum status file_sync_and_close(struct file_source *self, struct file *file, struct err *err);
enum status file_sync_folder(struct file_source *self, struct slice folder, struct err *err);

void window_paths(struct file_source *self, const struct output *output, struct file *file);
enum status window_begin(struct file_source *self, const struct object *object, struct err *err);
enum status window_end_object(struct file_source *self, struct err *err);
void window_finish(struct file_source *self);

#endif
