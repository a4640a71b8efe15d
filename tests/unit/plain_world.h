/*
 * plain_world: a struct world for unit tests of what talks to places: the real clock, libcurl and
 * file system; waits are only counted, ticks fail when told to. Included by one test file each.
 */
#ifndef TESTS_PLAIN_WORLD_H
#define TESTS_PLAIN_WORLD_H

#include "api/world.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "net/http.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct plain_world {
    struct world world;
    unsigned waits, ticks, notices;
    int64_t waited_ns;
    bool stop; /* ticks and waits fail */
    char notice[512];
};

static inline int64_t plain_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static inline int64_t plain_now(struct world *world)
{
    (void)world;
    return plain_clock(CLOCK_REALTIME);
}

static inline int64_t plain_monotonic(struct world *world)
{
    (void)world;
    return plain_clock(CLOCK_MONOTONIC);
}

static inline enum status plain_wait(struct world *world, int64_t ns, struct err *err)
{
    struct plain_world *plain = (struct plain_world *)world;
    plain->waits++;
    plain->waited_ns += ns;
    return plain->stop ? err_set(err, FAILED, "interrupted") : OK;
}

static inline enum status plain_tick(struct world *world, struct err *err)
{
    struct plain_world *plain = (struct plain_world *)world;
    plain->ticks++;
    return plain->stop ? err_set(err, FAILED, "interrupted") : OK;
}

static inline uint64_t plain_random(struct world *world)
{
    (void)world;
    return 4; /* by fair dice roll */
}

static inline void plain_notice(struct world *world, const char *text)
{
    struct plain_world *plain = (struct plain_world *)world;
    plain->notices++;
    snprintf(plain->notice, sizeof plain->notice, "%s", text);
}

static inline int plain_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

static inline int plain_stat(const char *path, struct stat *to)
{
    return stat(path, to);
}

/* In the reverse order of what world.h promises, so that nobody's order comes from here by luck. */
static inline ssize_t plain_list(const char *folder, char ***names)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0) {
        return -1;
    }
    ssize_t kept = 0;
    *names = memory_new(((size_t)count + 1) * sizeof **names);
    for (int i = count - 1; i >= 0; i--) {
        const char *name = entries[i]->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
            (*names)[kept++] = memory_copy(name, strlen(name));
        }
        free(entries[i]);
    }
    free(entries);
    return kept;
}

static const struct world_calls plain_calls = {
    .now = plain_now,
    .monotonic = plain_monotonic,
    .wait = plain_wait,
    .tick = plain_tick,
    .random = plain_random,
    .notice = plain_notice,
};

static const struct files plain_files = {
    .open = plain_open,
    .read = read,
    .close = close,
    .stat = plain_stat,
    .list = plain_list,
    .write = write,
    .fsync = fsync,
    .rename = rename,
    .unlink = unlink,
    .mkdir = mkdir,
    .truncate = ftruncate,
};

static inline struct plain_world plain_world_make(void)
{
    return (struct plain_world){
        .world = {.calls = &plain_calls, .http = &http_curl, .files = &plain_files}};
}

/* For a group of tests that use http_curl. */
static inline int net_set_up(void **state)
{
    struct err err;
    (void)state;
    return http_global_init(&err) == OK ? 0 : -1;
}

static inline int net_tear_down(void **state)
{
    (void)state;
    http_global_finish();
    return 0;
}

#endif
