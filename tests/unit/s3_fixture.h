/*
 * s3_fixture: the s3 datasource in front of a scripted server, for the tests of its listing and of
 * its fetch. Included by one test file each.
 */
#ifndef TESTS_S3_FIXTURE_H
#define TESTS_S3_FIXTURE_H

#include "module_options.h"
#include "plain_world.h"
#include "scripted_server.h"

#include "api/datasource.h"
#include "net/s3.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

extern const struct datasource s3_datasource;

enum { RETRIES = 3 };

struct fixture {
    struct plain_world world;
    struct scripted_server *server;
    void *self;
    char endpoint[64];
    struct err err;

    struct listing listing;
    struct buf keys; /* each with a '\n'; folders in brackets */
    enum status listing_answer;

    struct intake intake;
    struct buf bytes;
    enum status intake_answer;
    bool park;
    struct object object;
};

static inline struct fixture *fixture_of_listing(struct listing *listing)
{
    return (struct fixture *)((char *)listing - offsetof(struct fixture, listing));
}

static inline enum status take_object(struct listing *to, const struct object *object,
                                      struct err *err)
{
    struct fixture *fixture = fixture_of_listing(to);
    buf_printf(&fixture->keys, "%.*s\n", SLICE_ARG(object->key));
    enum status answer = fixture->listing_answer;
    return answer == OK ? OK : err_set(err, answer, "as the test says");
}

static inline enum status take_folder(struct listing *to, struct slice prefix, struct err *err)
{
    (void)err;
    buf_printf(&fixture_of_listing(to)->keys, "[%.*s]\n", SLICE_ARG(prefix));
    return OK;
}

static inline enum status take_bytes(struct intake *to, struct slice bytes, struct err *err)
{
    struct fixture *fixture = (struct fixture *)((char *)to - offsetof(struct fixture, intake));
    buf_add(&fixture->bytes, bytes);
    if (fixture->park) {
        s3_datasource.park(fixture->self);
    }
    enum status answer = fixture->intake_answer;
    return answer == OK ? OK : err_set(err, answer, "as the test says");
}

#define ETAG "\"0123456789abcdef0123456789abcdef\""
#define DATE "Mon, 30 May 2022 09:00:01 GMT"
#define CONTENT "hello world"

static inline struct fixture *fixture_new(const struct scripted_reply *script, size_t len)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->world = plain_world_make();
    fixture->server = scripted_start(script, len);
    fixture->self = calloc(1, s3_datasource.about.size);
    snprintf(fixture->endpoint, sizeof fixture->endpoint, "http://127.0.0.1:%u",
             fixture->server->port);
    option_set_text(&s3_datasource.about, fixture->self, "endpoint_url", fixture->endpoint);
    option_set_text(&s3_datasource.about, fixture->self, "log_bucket", "logs");
    option_set_text(&s3_datasource.about, fixture->self, "access_key", "key-id");
    option_set_text(&s3_datasource.about, fixture->self, "secret_key", "canary");
    option_set_text(&s3_datasource.about, fixture->self, "folders", "");
    option_set_number(&s3_datasource.about, fixture->self, "retries", RETRIES);
    option_set_number(&s3_datasource.about, fixture->self, "stall_timeout", NS_PER_SECOND);
    assert_int_equal(s3_datasource.open(fixture->self, &fixture->world.world, &fixture->err), OK);
    fixture->listing = (struct listing){take_object, take_folder};
    fixture->intake = (struct intake){take_bytes};
    fixture->keys.max = fixture->bytes.max = 1 << 20;
    fixture->object = (struct object){.key = SLICE_LITERAL("a b"),
                                      .size = strlen(CONTENT),
                                      .last_modified_ns = INT64_C(1653901201123000000)};
    etag_digest(slice_of(ETAG), fixture->object.etag);
    return fixture;
}

static inline void fixture_free(struct fixture *fixture)
{
    s3_datasource.close(fixture->self);
    scripted_stop(fixture->server);
    buf_finish(&fixture->keys);
    buf_finish(&fixture->bytes);
    free(fixture->self);
    free(fixture->server);
    free(fixture);
}

static inline enum status list(struct fixture *fixture, const char *prefix, bool by_folder)
{
    return s3_datasource.list(fixture->self, slice_of(prefix), by_folder, &fixture->listing,
                              &fixture->err);
}

static inline enum status fetch(struct fixture *fixture)
{
    return s3_datasource.fetch(fixture->self, &fixture->object, &fixture->intake, &fixture->err);
}

static inline const char *request(const struct fixture *fixture, size_t i)
{
    assert_true(i < fixture->server->n_requests);
    return fixture->server->requests[i];
}

/* A reply that is no success, or a body without a length. */
#define FAILURE(line, body)                                               \
    {                                                                     \
        "HTTP/1.1 " line "\r\nConnection: close\r\n\r\n" body, THEN_CLOSE \
    }

#endif
