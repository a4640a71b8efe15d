/*
 * s3_fetch: reads one object of the s3 datasource as a stream. A connection that is cut, stalls or
 * was let go of goes on where it was, by Range and If-Match, as long as every reply shows that it
 * is still the same object; no byte is handed on twice. Not here: listing, options (s3.c).
 *
 * A small object is kept until it is whole; then the next one's request goes out before it is
 * handed on, so that the reply comes meanwhile.
 */
#include "s3_source.h"

#include "base/cleanup.h"
#include "base/timestamp.h"

#include <inttypes.h>
#include <stdio.h>

/* --- is the reply what was asked for? --- */

static enum status replaced(struct err *err)
{
    return err_set(err, BAD_DATA, "replaced since it was listed");
}

static bool is_strong(const char *etag)
{
    return *etag && strncmp(etag, "W/", 2) != 0;
}

/* Last-Modified has whole seconds, a listing may have more digits. */
static bool is_same_time(const struct http_reply *reply, const struct object *object)
{
    return reply->last_modified_ns != INT64_MIN &&
           reply->last_modified_ns / NS_PER_SECOND == object->last_modified_ns / NS_PER_SECOND;
}

static bool has_listed_etag(const struct http_reply *reply, const struct object *object)
{
    unsigned char digest[16];
    return etag_digest(slice_of(reply->etag), digest) &&
           memcmp(digest, object->etag, sizeof digest) == 0;
}

/* A listing without tags: the object is known by size and time. */
static bool was_listed_without_etag(const struct object *object)
{
    unsigned char digest[16];
    etag_of_size_and_time(object->size, object->last_modified_ns, digest);
    return memcmp(digest, object->etag, sizeof digest) == 0;
}

/* By its tag; by size (checked elsewhere) and time where there is no tag that could tell. */
static bool is_listed_object(const struct http_reply *reply, const struct object *object)
{
    if (has_listed_etag(reply, object)) {
        return true;
    }
    bool can_tell = is_strong(reply->etag) && !was_listed_without_etag(object);
    return !can_tell && is_same_time(reply, object);
}

static enum status wrong_length(const struct s3_download *download, int64_t bytes, struct err *err)
{
    return err_set(err, BAD_DATA, "wrong length: %" PRId64 " bytes, listed with %" PRId64, bytes,
                   download->object.size);
}

static enum status check_whole(const struct s3_download *download, struct err *err)
{
    const struct http_reply *reply = &download->self->reply;
    if (download->asked_from > 0) {
        return err_set(err, AGAIN, "the server sent the whole object in place of its rest");
    }
    if (!is_listed_object(reply, &download->object)) {
        return replaced(err);
    }
    if (reply->content_length >= 0 && reply->content_length != download->object.size) {
        return wrong_length(download, reply->content_length, err);
    }
    return OK;
}

static enum status check_rest(const struct s3_download *download, struct err *err)
{
    const struct http_reply *reply = &download->self->reply;
    if (download->asked_from == 0 || reply->range_from != download->asked_from) {
        return err_set(err, AGAIN, "the server sent another range than asked for");
    }
    if (!is_listed_object(reply, &download->object)) {
        return replaced(err);
    }
    if (reply->range_size >= 0 && reply->range_size != download->object.size) {
        return wrong_length(download, reply->range_size, err);
    }
    return OK;
}

static enum status reply_check(struct s3_download *download, struct err *err)
{
    const struct http_reply *reply = &download->self->reply;
    enum status status;
    if (reply->code == 206) {
        status = check_rest(download, err);
    } else if (reply->code == 200) {
        status = check_whole(download, err);
    } else {
        status = err_set(err, FAILED, "the server answered %d", reply->code);
    }
    download->fresh = false;
    download->accepted = status == OK;
    if (status == OK && is_strong(reply->etag)) {
        snprintf(download->if_match, sizeof download->if_match, "%s", reply->etag);
    }
    return status;
}

static enum status receive(void *to, struct slice bytes, struct err *err)
{
    struct s3_download *download = to;
    if (download->fresh) {
        download->ended = reply_check(download, err);
    }
    int64_t room = download->object.size - download->done_bytes;
    if (download->ended == OK && (int64_t)bytes.len > room) {
        download->ended = wrong_length(download, download->done_bytes + (int64_t)bytes.len, err);
    }
    if (download->ended != OK) {
        return download->ended;
    }
    download->done_bytes += (int64_t)bytes.len;
    if (download->is_held) {
        buf_add(&download->held, bytes); /* no more than the object's size */
        return OK;
    }
    return download->ended = download->to->bytes(download->to, bytes, err);
}

/* --- requests --- */

static void get_begin(struct s3_download *download)
{
    struct s3_source *self = download->self;
    struct http_request request = s3_request(self, buf_text(&download->url));
    request.receive = receive;
    request.to = download;
    download->asked_from = download->done_bytes;
    download->fresh = true;
    download->begun = true;
    self->parked = false;
    if (download->asked_from > 0) {
        snprintf(download->range, sizeof download->range, "bytes=%" PRId64 "-",
                 download->asked_from);
        request.headers[0] = (struct http_header){"Range", download->range};
    }
    if (download->asked_from > 0 && *download->if_match) {
        request.headers[1] = (struct http_header){"If-Match", download->if_match};
    }
    self->world->http->begin(self->http, &request, &self->reply);
}

static enum status get(struct s3_download *download, struct err *err)
{
    if (!download->begun) {
        get_begin(download);
    }
    download->begun = false;
    return download->self->world->http->end(download->self->http, err);
}

/* A 404 is the bucket's or the object's. */
static enum status absent(const struct s3_source *self, struct err *err)
{
    struct s3_error error = {0};
    s3_error_parse(buf_slice(&self->reply.body), &error);
    if (!*error.code || strcmp(error.code, "NoSuchKey") == 0) {
        return err_set(err, BAD_DATA, "gone since it was listed");
    }
    return s3_refusal(self, err);
}

/* A whole reply that is no success. AGAIN here means another try, which `ended` OK tells apart. */
static enum status refusal(struct s3_download *download, struct err *err)
{
    struct s3_source *self = download->self;
    switch (self->reply.code) {
    case 404:
        return download->ended = absent(self, err);
    case 412:
        return download->ended = replaced(err);
    case 416:
        return download->ended = err_set(err, download->asked_from > 0 ? AGAIN : FAILED,
                                         "the server knows no such range");
    default:
        break;
    }
    s3_refusal(self, err);
    return http_verdict(self->reply.code) == HTTP_LATER ? AGAIN : (download->ended = FAILED);
}

/* One request. AGAIN with `ended` OK: another one may get on. */
static enum status get_some(struct s3_download *download, struct err *err)
{
    const struct s3_source *self = download->self;
    enum status status = get(download, err);
    if (download->ended != OK) {
        return download->ended;
    }
    if (status == OK && http_verdict(self->reply.code) != HTTP_DONE) {
        return refusal(download, err);
    }
    if (status == OK && download->fresh) {
        download->ended = reply_check(download, err); /* it had no body */
    }
    if (download->ended != OK) {
        return download->ended;
    }
    if (download->accepted && download->done_bytes == download->object.size) {
        return OK;
    }
    if (status == OK && self->reply.code == 206) {
        return err_set(err, AGAIN, "the server sent only a part of the rest");
    }
    if (status == OK) {
        return download->ended = wrong_length(download, download->done_bytes, err);
    }
    if (status != AGAIN) {
        download->ended = status;
    }
    return status;
}

static enum status get_all(struct s3_download *download, struct err *err)
{
    unsigned attempt = 0;
    for (;;) {
        int64_t before = download->done_bytes;
        enum status status = get_some(download, err);
        if (status != AGAIN || download->ended != OK) {
            return status;
        }
        if (download->done_bytes > before) {
            attempt = 0;
        }
        if (download->self->parked) {
            continue; /* we hung up ourselves: nobody has to be given time */
        }
        status = s3_wait(download->self, &attempt, err);
        if (status != OK) {
            return status;
        }
    }
}

/* --- objects --- */

void s3_download_init(struct s3_download *download, struct s3_source *self)
{
    *download = (struct s3_download){
        .self = self,
        .key.max = OBJECT_KEY_MAX_BYTES,
        .url.max = S3_URL_MAX_BYTES,
        .held.max = OBJECT_SMALL_BYTES,
    };
}

void s3_download_finish(struct s3_download *download)
{
    buf_finish(&download->key);
    buf_finish(&download->url);
    buf_finish(&download->held);
}

static void download_want(struct s3_download *download, const struct object *object)
{
    download->object = *object;
    buf_clear(&download->key);
    buf_add(&download->key, object->key);
    download->object.key = buf_slice(&download->key);
    download->is_held = object_is_small(object);
    download->begun = download->accepted = false;
    download->done_bytes = 0;
    download->if_match[0] = '\0';
    download->ended = OK;
    buf_clear(&download->held);
    buf_clear(&download->url);
}

/* The next object's request goes out while this one is worked on. */
static enum status begin_next(struct s3_source *self, struct intake *to, struct err *err)
{
    struct s3_download *next = &self->downloads[!self->turn];
    struct object object;
    enum status status = to->next ? to->next(to, &object, err) : AGAIN;
    if (status != OK) {
        return status == AGAIN ? OK : status;
    }
    download_want(next, &object);
    if (next->is_held && s3_object_url(&next->url, &self->address, object.key)) {
        get_begin(next);
        self->turn = !self->turn;
    }
    return OK;
}

static enum status hand_on(struct s3_source *self, struct s3_download *download, struct err *err)
{
    struct intake *to = download->to;
    enum status status = begin_next(self, to, err);
    return status == OK && download->held.len ? to->bytes(to, buf_slice(&download->held), err)
                                              : status;
}

/* The request that was begun for the next object, if it is this one. */
static bool is_begun(const struct s3_download *download, const struct object *object)
{
    return download->begun && slice_equal(download->object.key, object->key) &&
           memcmp(download->object.etag, object->etag, sizeof object->etag) == 0;
}

enum status s3_fetch(void *module, const struct object *object, struct intake *to, struct err *err)
{
    struct s3_source *self = module;
    struct s3_download *download = &self->downloads[self->turn];
    if (!is_begun(download, object)) {
        if (download->begun) {
            self->world->http->drop(self->http);
        }
        download_want(download, object);
        download->is_held &= to->next != NULL;
        if (!s3_object_url(&download->url, &self->address, object->key)) {
            return err_set(err, FAILED, "the key is too long to ask for");
        }
    }
    download->to = to;
    enum status status = get_all(download, err);
    return status == OK && download->is_held ? hand_on(self, download, err) : status;
}

void s3_park(void *module)
{
    struct s3_source *self = module;
    self->parked = true;
    self->world->http->shut(self->http);
}
