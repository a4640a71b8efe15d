/* counted: see counted.h. */
#include "run/counted.h"

#include "base/memory.h"

#include <stdlib.h>
#include <xxhash.h>

struct counted {
    struct http *inner;
    struct world *world;
    struct place_metrics *place; /* NULL = not counted */
    uint64_t failed;             /* digest of the last request, if it failed; else 0 */
    /* of the request under way */
    struct http_request request;
    struct http_reply *reply;
    uint64_t digest;
    int64_t took_ns; /* of our time, but for that spent inside receive */
    bool under_way;
    bool let_go; /* by us: shut, or ended by receive */
};

static struct counted *of_http(struct http *http)
{
    return (struct counted *)http; /* what open() gave out */
}

void counted_place(struct world *world, struct place_metrics *place)
{
    struct host_world *host = (struct host_world *)world; /* the first member */
    host->place = place;
}

static struct http *counted_open(struct world *world)
{
    struct counted *self = memory_new(sizeof *self);
    self->inner = http_curl.open(world);
    self->world = world;
    self->place = ((struct host_world *)world)->place;
    return (struct http *)self;
}

static void counted_shut(struct http *http)
{
    struct counted *self = of_http(http);
    self->let_go = true;
    http_curl.shut(self->inner);
}

/* Working on what came is not the place's time. */
static enum status take_bytes(void *to, struct slice bytes, struct err *err)
{
    struct counted *self = to;
    int64_t began_ns = world_monotonic(self->world);
    enum status status = self->request.receive(self->request.to, bytes, err);
    self->took_ns -= world_monotonic(self->world) - began_ns;
    self->let_go |= status != OK;
    return status;
}

static uint64_t digest(const struct http_request *request)
{
    uint64_t method = XXH3_64bits(request->method, strlen(request->method));
    return XXH3_64bits_withSeed(request->url, strlen(request->url), method);
}

/* A retry is a request like the one before, which failed: it got no whole reply, or was told to
 * come later. code: 0 = none. */
static void count(struct counted *self, int code, bool failed)
{
    metrics_add_request(self->place, code, self->failed == self->digest, self->took_ns);
    self->failed = failed ? self->digest : 0;
    self->under_way = false;
}

static void count_ended(struct counted *self, enum status status)
{
    bool is_cut = status != OK && !self->let_go;
    bool is_late = status == OK && http_verdict(self->reply->code) == HTTP_LATER;
    count(self, is_cut ? 0 : self->reply->code, is_cut || is_late);
}

/* The place has had it all the same. */
static void count_given_up(struct counted *self)
{
    if (self->under_way) {
        count(self, 0, false);
    }
}

static void counted_begin(struct http *http, const struct http_request *request,
                          struct http_reply *reply)
{
    struct counted *self = of_http(http);
    self->request = *request;
    self->reply = reply;
    self->digest = digest(request);
    self->took_ns = 0;
    self->under_way = true;
    self->let_go = false;
    struct http_request timed = *request;
    if (timed.receive) {
        timed.receive = take_bytes;
        timed.to = self;
    }
    int64_t began_ns = world_monotonic(self->world);
    http_curl.begin(self->inner, &timed, reply);
    self->took_ns += world_monotonic(self->world) - began_ns;
}

static enum status counted_end(struct http *http, struct err *err)
{
    struct counted *self = of_http(http);
    int64_t began_ns = world_monotonic(self->world);
    enum status status = http_curl.end(self->inner, err);
    self->took_ns += world_monotonic(self->world) - began_ns;
    count_ended(self, status);
    return status;
}

static void counted_drop(struct http *http)
{
    struct counted *self = of_http(http);
    count_given_up(self);
    http_curl.drop(self->inner);
}

static void counted_close(struct http *http)
{
    struct counted *self = of_http(http);
    if (self) {
        count_given_up(self);
        http_curl.close(self->inner);
        free(self);
    }
}

const struct http_driver http_counted = {
    .open = counted_open,
    .begin = counted_begin,
    .end = counted_end,
    .drop = counted_drop,
    .shut = counted_shut,
    .close = counted_close,
};
