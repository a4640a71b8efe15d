/*
 * world: the real struct world, over libcurl, the clock and POSIX. One host_world per thread; all
 * of a run share one stop flag.
 */
#ifndef RUN_WORLD_H
#define RUN_WORLD_H

#include "api/world.h"
#include "base/log.h"
#include "run/repeats.h"

#include <stdatomic.h>

/* Called about ten times a second while a thread waits for something outside. */
struct watcher {
    void (*look)(struct watcher *watcher, bool waiting);
};

struct host_world {
    struct world world;
    const struct log *log;
    const char *job;         /* for notices; NULL = none */
    const atomic_bool *stop; /* set: wait and tick end with FAILED "interrupted"; NULL = never */
    struct watcher *watcher; /* NULL = nobody looks */
    struct repeats notices;
    struct place_metrics *place; /* run/counted */
};

void host_world_init(struct host_world *host, const struct log *log, const char *job,
                     const atomic_bool *stop);
/* Says how often the last notice was repeated, if it was. */
void host_world_finish(struct host_world *host);

#endif
