/*
 * file_source: what the two files of the file datasource share: file.c (options, listing, reading)
 * and file_write.c (the same place as a sink). Nobody else includes this.
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

    struct world *world;
    char *root; /* path without a last slash; "" is "/" */
    char *bytes;
    int64_t ticked_ns;
    struct outputs outputs;
};

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

#endif
