/* lock: see lock.h. The file's content (process and start) is for messages only. */
#include "run/lock.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

struct lock {
    int fd;
};

enum { HOLDER_BYTES = 64 };

static const struct timespec pause_between_tries = {.tv_nsec = 200 * NS_PER_MS};

/* "process 1234 since 2022-05-30T09:00:00Z". The content is whatever is in the file: only a number
 * and a date are taken from it. */
static void read_holder(int fd, char text[HOLDER_BYTES])
{
    char content[64] = "";
    int pid = 0;
    char since[32] = "";
    int64_t ns;
    if (pread(fd, content, sizeof content - 1, 0) > 0 &&
        sscanf(content, "%9d %31s", &pid, since) == 2 && timestamp_parse(slice_of(since), &ns)) {
        snprintf(text, HOLDER_BYTES, "process %d since %s", pid, since);
    } else {
        snprintf(text, HOLDER_BYTES, "another process");
    }
}

static void write_content(int fd, const char *content)
{
    if (ftruncate(fd, 0) != 0 || pwrite(fd, content, strlen(content), 0) < 0) {
        return; /* messages are poorer; the lock holds all the same */
    }
}

static void write_holder(int fd)
{
    int64_t now_ns = clock_now_ns();
    char date[TIMESTAMP_TEXT_BYTES];
    char content[64];
    snprintf(content, sizeof content, "%d %s\n", (int)getpid(),
             timestamp_format(now_ns - now_ns % NS_PER_SECOND, date));
    write_content(fd, content);
}

/* 0, or the errno. */
static int try_lock(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &whole) == 0 ? 0 : errno;
}

static bool is_told_to_stop(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

static enum status take(int fd, const char *path, bool wait, struct err *err)
{
    for (;;) {
        int error = try_lock(fd);
        if (error == 0) {
            return OK;
        }
        if (error != EAGAIN && error != EACCES && error != EINTR) {
            return err_set(err, FAILED, "lock %s: %s", path, strerror(error));
        }
        char holder[HOLDER_BYTES];
        read_holder(fd, holder);
        if (!wait) {
            return err_set(err, AGAIN, "lock %s: held by %s", path, holder);
        }
        if (is_told_to_stop()) {
            return err_set(err, FAILED, "lock %s: interrupted while waiting for %s", path, holder);
        }
        nanosleep(&pause_between_tries, NULL);
    }
}

enum status lock_take(struct lock **out, const char *state, const char *job, bool wait,
                      struct err *err)
{
    *out = NULL;
    if (*job == '\0' || strchr(job, '/')) {
        return err_set(err, BAD_CONFIG, "job '%s': the name has to do as part of a file name", job);
    }
    CLEANUP(buf_finish) struct buf path = {.max = PATH_MAX};
    if (!buf_printf(&path, "%s.%s.lock", state, job)) {
        return err_set(err, BAD_CONFIG, "job '%s': the name of its lock file is too long", job);
    }
    int fd = open(buf_text(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0) {
        return err_set(err, FAILED, "lock %s: %s", buf_text(&path), strerror(errno));
    }
    enum status status = take(fd, buf_text(&path), wait, err);
    if (status != OK) {
        close(fd);
        return status;
    }
    write_holder(fd);
    *out = memory_new(sizeof **out);
    (*out)->fd = fd;
    return OK;
}

/* '~' is in no job's name. */
enum status lock_want(struct lock **out, const char *state, const char *job, struct err *err)
{
    CLEANUP(buf_finish) struct buf sign = {.max = PATH_MAX};
    if (!buf_printf(&sign, "%s~wanted", job)) {
        return err_set(err, BAD_CONFIG, "job '%s': the name is too long", job);
    }
    return lock_take(out, state, buf_text(&sign), false, err);
}

bool lock_is_wanted(const char *state, const char *job)
{
    struct lock *lock = NULL;
    struct err err;
    bool wanted = lock_want(&lock, state, job, &err) == AGAIN;
    lock_release(lock);
    return wanted;
}

bool lock_is_held(const char *state, const char *job)
{
    CLEANUP(buf_finish) struct buf path = {.max = PATH_MAX};
    if (!buf_printf(&path, "%s.%s.lock", state, job)) {
        return false;
    }
    int fd = open(buf_text(&path), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return false;
    }
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    bool is_held = fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
    close(fd);
    return is_held;
}

void lock_release(struct lock *lock)
{
    if (!lock) {
        return;
    }
    write_content(lock->fd, ""); /* so that nobody names a holder that has gone */
    close(lock->fd);
    free(lock);
}
