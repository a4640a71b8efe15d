/*
 * s3_multipart: an object that the s3 sink writes in parts, since it is larger than one request
 * should be and than memory should hold. Called by s3_write.c. Nothing is seen under the key before
 * the upload is complete. What a crash leaves unfinished is aborted when the same key is next
 * written in parts; a lifecycle rule of the bucket (AbortIncompleteMultipartUpload) does the rest.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 */
#include "s3_sink.h"

#include "base/cleanup.h"

enum {
    LEFTOVERS_MAX = 100, /* looked at for a key; the rest the next time */
    LEFTOVERS_REPLY_BYTES = 1024 * 1024,
    PARTS_BYTES = 4 * 1024 * 1024, /* 10,000 times a number and an etag of up to 256 bytes */
};

static enum status no_room(struct err *err)
{
    return err_set(err, FAILED, "the key is too long to ask for");
}

/* One request, answered or not: for what may fail. */
static enum status try_once(struct s3_source *self, const struct s3_message *message,
                            struct err *err)
{
    int64_t retries = self->retries;
    self->retries = 0;
    enum status status = s3_send(self, message, err);
    self->retries = retries;
    return status;
}

static enum status abort_id(struct s3_source *self, struct slice key, const char *id,
                            struct err *err)
{
    CLEANUP(buf_finish) struct buf url = {.max = S3_URL_MAX_BYTES};
    if (!s3_upload_url(&url, &self->address, key, id)) {
        return no_room(err);
    }
    return try_once(
        self, &(struct s3_message){.method = "DELETE", .url = buf_text(&url), .content_type = ""},
        err);
}

enum status s3_upload_abort(struct s3_source *self, struct s3_object *object, struct err *err)
{
    if (!*object->upload_id) {
        return OK;
    }
    enum status status = abort_id(self, buf_slice(&object->key), object->upload_id, err);
    object->upload_id[0] = '\0';
    return status;
}

/* --- what a crash left --- */

struct leftovers {
    struct s3_source *self;
    struct slice key;
};

static void abort_leftover(void *with, const char *id)
{
    struct leftovers *leftovers = with;
    struct err err;
    if (abort_id(leftovers->self, leftovers->key, id, &err) != OK) {
        world_notice(leftovers->self->world, "s3://%s/%.*s: %s: an unfinished upload stays",
                     leftovers->self->log_bucket, SLICE_ARG(leftovers->key), err.text);
    }
}

/* A key that may not list uploads may still write: then they stay. */
static void leftovers_abort(struct s3_source *self, struct slice key)
{
    CLEANUP(buf_finish) struct buf url = {.max = S3_URL_MAX_BYTES};
    struct leftovers leftovers = {self, key};
    struct err err;
    if (!s3_uploads_list_url(&url, &self->address, key, LEFTOVERS_MAX)) {
        return;
    }
    const struct s3_message message = {.method = "GET",
                                       .url = buf_text(&url),
                                       .content_type = "",
                                       .max_reply_bytes = LEFTOVERS_REPLY_BYTES};
    if (try_once(self, &message, &err) != OK) {
        world_notice(self->world, "s3://%s/%.*s: %s: unfinished uploads may stay", self->log_bucket,
                     SLICE_ARG(key), err.text);
        return;
    }
    s3_uploads_read(buf_slice(&self->reply.body), key, abort_leftover, &leftovers);
}

/* --- the upload --- */

enum status s3_upload_begin(struct s3_source *self, struct s3_object *object, struct err *err)
{
    CLEANUP(buf_finish) struct buf url = {.max = S3_URL_MAX_BYTES};
    if (!s3_uploads_url(&url, &self->address, buf_slice(&object->key))) {
        return no_room(err);
    }
    const struct s3_message message = {
        .method = "POST", .url = buf_text(&url), .content_type = s3_content_type(self)};
    enum status status = s3_send(self, &message, err);
    if (status == OK && !s3_upload_id_read(buf_slice(&self->reply.body), object->upload_id)) {
        status = err_set(err, FAILED, "the server began an upload without an id");
    }
    object->parts.max = PARTS_BYTES;
    buf_add_text(&object->parts, "<CompleteMultipartUpload>");
    return status;
}

enum status s3_part_send(struct s3_source *self, struct s3_object *object, struct err *err)
{
    CLEANUP(buf_finish) struct buf url = {.max = S3_URL_MAX_BYTES};
    struct slice key = buf_slice(&object->key);
    if (!*object->upload_id) {
        leftovers_abort(self, key);
        if (s3_upload_begin(self, object, err) != OK) {
            return err->status;
        }
    }
    unsigned number = object->n_parts + 1;
    if (number > S3_PART_NUMBER_MAX) {
        return err_set(err, FAILED, "larger than %d parts of %d bytes", S3_PART_NUMBER_MAX,
                       S3_PART_BYTES);
    }
    if (!s3_part_url(&url, &self->address, key, object->upload_id, number)) {
        return no_room(err);
    }
    const struct s3_message message = {.method = "PUT",
                                       .url = buf_text(&url),
                                       .content_type = "application/octet-stream",
                                       .body = buf_slice(&object->part)};
    enum status status = s3_send(self, &message, err);
    if (status == OK && !s3_part_add(&object->parts, number, self->reply.etag)) {
        status = err_set(err, FAILED, "the server took a part without an etag");
    }
    object->n_parts = number;
    buf_clear(&object->part);
    return status;
}

/* A reply's head may come long before the outcome, so 200 may still be an error. */
static enum status read_outcome(const struct s3_source *self, struct err *err)
{
    CLEANUP(buf_finish) struct buf text = {.max = sizeof err->text};
    if (s3_is_completed(buf_slice(&self->reply.body))) {
        return OK;
    }
    s3_describe(self, &text);
    return err_set(err, AGAIN, "the upload is not complete: %s", buf_text(&text));
}

enum status s3_upload_complete(struct s3_source *self, struct s3_object *object, struct err *err)
{
    CLEANUP(buf_finish) struct buf url = {.max = S3_URL_MAX_BYTES};
    buf_add_text(&object->parts, "</CompleteMultipartUpload>");
    if (!s3_upload_url(&url, &self->address, buf_slice(&object->key), object->upload_id)) {
        return no_room(err);
    }
    const struct s3_message message = {.method = "POST",
                                       .url = buf_text(&url),
                                       .content_type = "application/xml",
                                       .body = buf_slice(&object->parts)};
    unsigned attempt = 0;
    for (;;) {
        enum status status = s3_send(self, &message, err);
        if (status == OK) {
            status = read_outcome(self, err);
        }
        if (status == OK) {
            object->upload_id[0] = '\0';
        }
        if (status != AGAIN || s3_wait(self, &attempt, err) != OK) {
            return status == OK ? OK : err->status;
        }
    }
}
