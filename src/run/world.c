/* world: see world.h. The only file that reads the clock and sleeps for the modules. */
#include "run/world.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "run/counted.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static const int64_t slice_ns = 100 * NS_PER_MS; /* how soon a stop is noticed */
static const int64_t notice_ns = NS_PER_MINUTE;  /* the same notice is shown this often at most */

static struct host_world *host_of(struct world *world)
{
    return (struct host_world *)world;
}

static int64_t real_now(struct world *world)
{
    (void)world;
    return clock_now_ns();
}

static int64_t real_monotonic(struct world *world)
{
    (void)world;
    return clock_monotonic_ns();
}

static enum status look(struct host_world *host, bool waiting, struct err *err)
{
    if (host->watcher) {
        host->watcher->look(host->watcher, waiting);
    }
    if (host->stop && atomic_load(host->stop)) {
        return err_set(err, FAILED, "interrupted");
    }
    return OK;
}

static enum status real_wait(struct world *world, int64_t ns, struct err *err)
{
    int64_t end = clock_monotonic_ns() + ns;
    for (;;) {
        enum status status = look(host_of(world), true, err);
        int64_t rest = end - clock_monotonic_ns();
        if (status != OK || rest <= 0) {
            return status;
        }
        struct timespec span = {.tv_nsec = rest < slice_ns ? rest : slice_ns};
        nanosleep(&span, NULL);
    }
}

static enum status real_tick(struct world *world, struct err *err)
{
    return look(host_of(world), false, err);
}

static uint64_t real_random(struct world *world)
{
    (void)world;
    uint64_t number = 0;
    if (getrandom(&number, sizeof number, 0) != sizeof number) {
        number = (uint64_t)clock_monotonic_ns();
    }
    return number;
}

static void say_repeats(struct host_world *host)
{
    uint64_t hidden = repeats_hidden(&host->notices);
    if (hidden) {
        log_line(host->log, LOG_WARN, host->notices.text, "job", host->job, "repeated",
                 log_int((int64_t)hidden).text, NULL);
    }
}

static void real_notice(struct world *world, const char *text)
{
    struct host_world *host = host_of(world);
    int64_t now_ns = clock_monotonic_ns();
    if (repeats_hide(&host->notices, text, now_ns)) {
        return;
    }
    say_repeats(host);
    repeats_show(&host->notices, text, now_ns);
    log_line(host->log, LOG_WARN, text, "job", host->job, NULL);
}

static int files_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags | O_CLOEXEC, mode);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static ssize_t files_list(const char *folder, char ***names)
{
    *names = NULL;
    DIR *dir = opendir(folder);
    if (!dir) {
        return -1;
    }
    size_t count = 0, size = 0;
    int problem;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        problem = errno;
        if (!entry) {
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (count == size) {
            size = size ? size * 2 : 64;
            *names = memory_grow(*names, size * sizeof **names);
        }
        (*names)[count++] = memory_copy(entry->d_name, strlen(entry->d_name));
    }
    closedir(dir);
    if (problem) {
        while (count) {
            free((*names)[--count]);
        }
        free(*names);
        *names = NULL;
        errno = problem;
        return -1;
    }
    if (count) {
        qsort(*names, count, sizeof **names, by_bytes);
    }
    return (ssize_t)count;
}

static int files_stat(const char *path, struct stat *to)
{
    return stat(path, to);
}

static const struct files real_files = {
    .open = files_open,
    .read = read,
    .close = close,
    .stat = files_stat,
    .list = files_list,
    .write = write,
    .fsync = fsync,
    .rename = rename,
    .unlink = unlink,
    .mkdir = mkdir,
    .truncate = ftruncate,
};

static const struct world_calls real_calls = {
    .now = real_now,
    .monotonic = real_monotonic,
    .wait = real_wait,
    .tick = real_tick,
    .random = real_random,
    .notice = real_notice,
};

void host_world_init(struct host_world *host, const struct log *log, const char *job,
                     const atomic_bool *stop)
{
    *host = (struct host_world){
        .world = {.calls = &real_calls, .http = &http_counted, .files = &real_files},
        .log = log,
        .job = job,
        .stop = stop,
        .notices = {.span_ns = notice_ns},
    };
}

void host_world_finish(struct host_world *host)
{
    say_repeats(host);
}
