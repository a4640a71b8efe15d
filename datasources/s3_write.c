/*
 * s3_write: the s3 datasource as a sink: one object for each object read, or one for each of its
 * measurements where the format has a header, under `prefix` and the key of what was read. An
 * object is seen whole or not at all, and replaces what an earlier reading left.
 *
 * Up to S3_PART_BYTES it is one PUT when its object has ended; a larger one goes out in parts while
 * points still come (s3_multipart.c), so that memory is bounded by one part for each output under
 * way. Every request carries the signed SHA-256 of its body and, where this machine has it, its
 * Content-MD5. Called by the host through s3_datasource; the points' way to bytes is output.c's.
 */
#include "s3_sink.h"

#include "base/cleanup.h"
#include "base/memory.h"

/* --- requests --- */

const char *s3_content_type(const struct s3_source *self)
{
    return self->gzip ? "application/gzip" : self->outputs.encoder->content_type;
}

/* AGAIN: another try may help. */
static enum status send_once(struct s3_source *self, const struct http_request *request,
                             struct err *err)
{
    enum status status = http_perform(self->world, self->http, request, &self->reply, err);
    if (status != OK) {
        return status;
    }
    enum http_verdict verdict = http_verdict(self->reply.code);
    if (verdict == HTTP_DONE) {
        return OK;
    }
    s3_refusal(self, err);
    return err->status = verdict == HTTP_LATER ? AGAIN : FAILED;
}

enum status s3_send(struct s3_source *self, const struct s3_message *message, struct err *err)
{
    struct s3_digests digests;
    s3_digests_of(message->body, &digests);
    struct http_request request = s3_request(self, message->url);
    struct http_header *header = request.headers;
    request.method = message->method;
    request.body = message->body;
    request.max_body_bytes = message->max_reply_bytes;
    *header++ = (struct http_header){"x-amz-content-sha256", digests.sha256};
    if (*message->content_type) {
        *header++ = (struct http_header){"Content-Type", message->content_type};
    }
    if (message->body.len && *digests.md5) {
        *header++ = (struct http_header){"Content-MD5", digests.md5};
    }
    for (unsigned attempt = 0;;) {
        enum status status = send_once(self, &request, err);
        if (status != AGAIN) {
            return status;
        }
        if (s3_wait(self, &attempt, err) != OK) {
            return err->status;
        }
    }
}

/* --- the object of an output --- */

static struct s3_object *object_new(const struct s3_source *self, const struct output *output)
{
    CLEANUP(buf_finish) struct buf suffix = {.max = OBJECT_KEY_MAX_BYTES};
    struct s3_object *object = memory_new(sizeof *object);
    object->key.max = OBJECT_KEY_MAX_BYTES;
    object->part.max = S3_PART_BYTES;
    output_add_suffix(&self->outputs, output, &suffix);
    buf_add_text(&object->key, s3_prefix(self));
    output_add_short(&object->key, buf_slice(&self->outputs.key),
                     OBJECT_KEY_MAX_BYTES - object->key.len - suffix.len);
    buf_add(&object->key, buf_slice(&suffix));
    return object;
}

/* Puts the object's name in front. */
static enum status object_failed(const struct s3_source *self, const struct s3_object *object,
                                 struct err *err)
{
    return err_prefix(err, "s3://%s/%.*s", self->log_bucket, SLICE_ARG(buf_slice(&object->key)));
}

/* A full part is sent once there is more to come: what fits into one is a single PUT. */
static enum status output_write(void *module, struct output *output, struct slice bytes,
                                struct err *err)
{
    struct s3_source *self = module;
    struct s3_object *object = output->to;
    if (!object) {
        object = output->to = object_new(self, output);
    }
    while (bytes.len) {
        if (object->part.len == S3_PART_BYTES && s3_part_send(self, object, err) != OK) {
            return object_failed(self, object, err);
        }
        size_t room = S3_PART_BYTES - object->part.len;
        size_t len = bytes.len < room ? bytes.len : room;
        buf_add(&object->part, slice_make(bytes.at, len));
        bytes = slice_make(bytes.at + len, bytes.len - len);
    }
    return OK;
}

static enum status put_whole(struct s3_source *self, struct s3_object *object, struct err *err)
{
    CLEANUP(buf_finish) struct buf url = {.max = S3_URL_MAX_BYTES};
    if (!s3_object_url(&url, &self->address, buf_slice(&object->key))) {
        return err_set(err, FAILED, "the key is too long to ask for");
    }
    const struct s3_message message = {.method = "PUT",
                                       .url = buf_text(&url),
                                       .content_type = s3_content_type(self),
                                       .body = buf_slice(&object->part)};
    return s3_send(self, &message, err);
}

static enum status output_finish(void *module, struct output *output, struct err *err)
{
    struct s3_source *self = module;
    struct s3_object *object = output->to;
    enum status status;
    if (*object->upload_id) {
        status = s3_part_send(self, object, err);
        status = status == OK ? s3_upload_complete(self, object, err) : status;
    } else {
        status = put_whole(self, object, err);
    }
    return status == OK ? OK : object_failed(self, object, err);
}

static void output_discard(void *module, struct output *output)
{
    struct s3_source *self = module;
    struct s3_object *object = output->to;
    struct err err;
    if (!object) {
        return;
    }
    if (s3_upload_abort(self, object, &err) != OK) {
        object_failed(self, object, &err);
        world_notice(self->world, "%s: an unfinished upload stays", err.text);
    }
    buf_finish(&object->key);
    buf_finish(&object->part);
    buf_finish(&object->parts);
    free(object);
    output->to = NULL;
}

const struct output_calls s3_output_calls = {
    .write = output_write, .finish = output_finish, .discard = output_discard};

/* --- the sink --- */

const char *s3_prefix(const struct s3_source *self)
{
    return self->prefix ? self->prefix : "";
}

enum status s3_begin(void *module, const struct object *object, struct err *err)
{
    struct s3_source *self = module;
    (void)err;
    self->is_sink = true;
    outputs_begin(&self->outputs, object->key);
    return OK;
}

enum status s3_put(void *module, const struct point *point, struct err *err)
{
    struct s3_source *self = module;
    return outputs_put(&self->outputs, point, err);
}

enum status s3_end(void *module, struct err *err)
{
    struct s3_source *self = module;
    return outputs_end(&self->outputs, err);
}

void s3_drop(void *module)
{
    struct s3_source *self = module;
    outputs_drop(&self->outputs);
}

enum status s3_flush(void *module, struct refusals *refused, struct err *err)
{
    (void)module, (void)refused, (void)err;
    return OK; /* what ended is durable */
}

void s3_target(void *module, struct place *out)
{
    struct s3_source *self = module;
    *out = (struct place){
        .endpoint = self->address.endpoint, .bucket = self->log_bucket, .folders = s3_prefix(self)};
}

/* Begins an upload and aborts it: that takes the right to write and leaves no object behind. */
enum status s3_connect_to_write(void *module, struct err *err)
{
    struct s3_source *self = module;
    struct s3_object object = {.key = {.max = OBJECT_KEY_MAX_BYTES}};
    int64_t retries = self->retries;
    self->is_sink = true;
    self->retries = retries < S3_CONNECT_RETRIES ? retries : S3_CONNECT_RETRIES;
    buf_printf(&object.key, "%sloggateway-check", s3_prefix(self));
    enum status status = s3_upload_begin(self, &object, err);
    if (status == OK) {
        status = s3_upload_abort(self, &object, err);
    }
    self->retries = retries;
    buf_finish(&object.key);
    buf_finish(&object.parts);
    if (status != OK) {
        err_prefix(err, "s3://%s at %s", self->log_bucket, self->address.endpoint);
    }
    return status;
}
