/*
 * s3_sink: what the two files of the s3 datasource's writing half share: s3_write.c (the sink, the
 * PUT of a small object) and s3_multipart.c (an object in parts). Nobody else includes this.
 */
#ifndef S3_SINK_H
#define S3_SINK_H

#include "net/s3_upload.h"
#include "s3_source.h"

/* AWS takes parts from 5 MiB on; 10,000 of these are 80 GiB. */
enum { S3_PART_BYTES = 8 * 1024 * 1024 };

/* The object of one output. */
struct s3_object {
    struct buf key;
    struct buf part;                            /* bytes not sent yet */
    char upload_id[S3_UPLOAD_ID_MAX_BYTES + 1]; /* "" = no upload was begun, or it is done */
    unsigned n_parts;                           /* sent */
    struct buf parts;                           /* what completes the upload */
};

struct s3_message {
    const char *method, *url;
    const char *content_type; /* "" where there is no body */
    struct slice body;
    size_t max_reply_bytes; /* 0 = 64 KiB */
};

/* Of the objects that are written. */
const char *s3_content_type(const struct s3_source *self);

/* Sends until a 2xx comes; the reply is in self->reply. FAILED: refused, tried in vain, or the run
 * is to stop. */
enum status s3_send(struct s3_source *self, const struct s3_message *message, struct err *err);

/* Sends object->part as the next part of the upload, which is begun with the first. */
enum status s3_part_send(struct s3_source *self, struct s3_object *object, struct err *err);

/* Makes the parts an object. */
enum status s3_upload_complete(struct s3_source *self, struct s3_object *object, struct err *err);

enum status s3_upload_begin(struct s3_source *self, struct s3_object *object, struct err *err);

/* One try, since the server's own clean-up (a lifecycle rule) does the same later. OK also where
 * there is no upload. */
enum status s3_upload_abort(struct s3_source *self, struct s3_object *object, struct err *err);

#endif
