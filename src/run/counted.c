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
    const struct http_request *request;
    int64_t received_ns; /* spent inside receive */
    bool let_go;         /* by us: shut, or ended by receive */
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

static void counted_close(struct http *http)
{
    struct counted *self = of_http(http);
    if (self) {
        http_curl.close(self->inner);
        free(self);
    }
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
    enum status status = self->request->receive(self->request->to, bytes, err);
    self->received_ns += world_monotonic(self->world) - began_ns;
    self->let_go |= status != OK;
    return status;
}

static uint64_t digest(const struct http_request *request)
{
    uint64_t method = XXH3_64bits(request->method, strlen(request->method));
    return XXH3_64bits_withSeed(request->url, strlen(request->url), method);
}

/* A retry is a request like the one before, which got no whole reply, or was told to come later. */
static void count(struct counted *self, enum status status, const struct http_reply *reply,
                  int64_t took_ns)
{
    uint64_t now = digest(self->request);
    bool is_cut = status != OK && !self->let_go;
    bool is_late = status == OK && http_verdict(reply->code) == HTTP_LATER;
    metrics_add_request(self->place, is_cut ? 0 : reply->code, self->failed == now, took_ns);
    self->failed = is_cut || is_late ? now : 0;
}

static enum status counted_perform(struct http *http, const struct http_request *request,
                                   struct http_reply *reply, struct err *err)
{
    struct counted *self = of_http(http);
    if (!self->place) {
        return http_curl.perform(self->inner, request, reply, err);
    }
    struct http_request timed = *request;
    if (timed.receive) {
        timed.receive = take_bytes;
        timed.to = self;
    }
    self->request = request;
    self->received_ns = 0;
    self->let_go = false;
    int64_t began_ns = world_monotonic(self->world);
    enum status status = http_curl.perform(self->inner, &timed, reply, err);
    count(self, status, reply, world_monotonic(self->world) - began_ns - self->received_ns);
    return status;
}

const struct http_driver http_counted = {
    .open = counted_open,
    .perform = counted_perform,
    .shut = counted_shut,
    .close = counted_close,
};
