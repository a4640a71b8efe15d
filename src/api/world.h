/*
 * world: every effect a module may have, lent by the host. The real one is run/world.c; tests put a
 * simulated one in its place. One world belongs to one thread.
 */
#ifndef API_WORLD_H
#define API_WORLD_H

#include "api/status.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct http_driver; /* net/http.h */

/* POSIX calls with their usual results and errno. */
struct files {
    int (*open)(const char *path, int flags, mode_t mode);
    ssize_t (*read)(int fd, void *to, size_t size);
    int (*close)(int fd);
    int (*stat)(const char *path, struct stat *to); /* follows links */
    /* The names in a folder but "." and "..", sorted by bytes, each malloc'ed as is the array; -1
     * and errno. */
    ssize_t (*list)(const char *folder, char ***names);

    ssize_t (*write)(int fd, const void *from, size_t size);
    int (*fsync)(int fd); /* of a folder's fd: the names in it */
    int (*rename)(const char *from, const char *to);
    int (*unlink)(const char *path);
    int (*mkdir)(const char *path, mode_t mode);
    int (*truncate)(int fd, off_t size);
};

struct world {
    const struct world_calls *calls;
    const struct http_driver *http;
    const struct files *files;
};

struct world_calls {
    int64_t (*now)(struct world *world);       /* ns since 1970, UTC; may step */
    int64_t (*monotonic)(struct world *world); /* ns, for measuring spans */
    /* Sleeps. FAILED when the run is to stop: leave what you do unfinished and return FAILED. */
    enum status (*wait)(struct world *world, int64_t ns, struct err *err);
    /* To be called about once a second by whoever blocks for other reasons; same meaning of FAILED.
     */
    enum status (*tick)(struct world *world, struct err *err);
    uint64_t (*random)(struct world *world);
    /* Something an operator should know though nothing failed (a retry, a wait, a created bucket).
     * One line, no secrets. The same text again and again is shown once with a count. */
    void (*notice)(struct world *world, const char *text);
};

static inline int64_t world_now(struct world *world)
{
    return world->calls->now(world);
}

static inline int64_t world_monotonic(struct world *world)
{
    return world->calls->monotonic(world);
}

static inline enum status world_wait(struct world *world, int64_t ns, struct err *err)
{
    return world->calls->wait(world, ns, err);
}

static inline enum status world_tick(struct world *world, struct err *err)
{
    return world->calls->tick(world, err);
}

static inline uint64_t world_random(struct world *world)
{
    return world->calls->random(world);
}

void world_notice(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
