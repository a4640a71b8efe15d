/*
 * http_fixture: one HTTP handle in front of a scripted server, for the tests of net/http. Included
 * by one test file each.
 */
#ifndef TESTS_HTTP_FIXTURE_H
#define TESTS_HTTP_FIXTURE_H

#include "plain_world.h"
#include "scripted_server.h"

#include "net/http.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* One handle, its server and its last reply. */
struct fixture {
    struct plain_world world;
    struct scripted_server *server;
    struct http *http;
    struct http_reply reply;
    struct err err;
    char url[128];
};

static inline void fixture_begin(struct fixture *fixture, const struct scripted_reply *script,
                                 size_t len)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->world = plain_world_make();
    fixture->server = scripted_start(script, len);
    fixture->http = http_curl.open(&fixture->world.world);
    http_reply_init(&fixture->reply);
    snprintf(fixture->url, sizeof fixture->url, "http://127.0.0.1:%u/x", fixture->server->port);
}

/* The client goes first: a server that waits for its next request then sees the end. */
static inline void fixture_end(struct fixture *fixture)
{
    http_curl.close(fixture->http);
    scripted_stop(fixture->server);
    http_reply_finish(&fixture->reply);
    free(fixture->server);
}

static inline enum status perform(struct fixture *fixture, struct http_request request)
{
    request.method = request.method ? request.method : "GET";
    request.url = request.url ? request.url : fixture->url;
    return http_perform(&fixture->world.world, fixture->http, &request, &fixture->reply,
                        &fixture->err);
}

static inline enum status get(struct fixture *fixture)
{
    return perform(fixture, (struct http_request){0});
}

static inline void assert_body(const struct fixture *fixture, const char *text)
{
    assert_true(slice_is(buf_slice(&fixture->reply.body), text));
}

#endif
