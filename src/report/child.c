/* child: see child.h. Inputs lie in memfds: files without a name, which nobody has to remove. */
#include "report/child.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "data/shown.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    DATA_FD = 3, /* as in CHILD_DATA_PATH */
    FIRST_FREE =
        4, /* ours lie above those that the program gets, so that none overwrites another */
    PIECE_BYTES = 64 * 1024,
    SAID_MAX_BYTES = 300, /* of standard error, in messages */
};

static void close_fd(const int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
}

static enum status failed(const char *what, struct err *err)
{
    return err_set(err, FAILED, "%s: %s", what, strerror(errno));
}

/* --- its files --- */

/* The same file under a number from FIRST_FREE on; -1 and errno. */
static int lift(int fd)
{
    int lifted = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE);
    close_fd(&fd);
    return lifted;
}

static bool write_all(int fd, struct slice bytes)
{
    while (bytes.len) {
        ssize_t written = write(fd, bytes.at, bytes.len);
        if (written < 0) {
            return false;
        }
        bytes = slice_make(bytes.at + written, bytes.len - (size_t)written);
    }
    return true;
}

/* A file with these bytes, to be read from its start; -1 and errno. */
static int file_of(struct slice bytes)
{
    int fd = lift(memfd_create("child", MFD_CLOEXEC));
    if (fd >= 0 && (!write_all(fd, bytes) || lseek(fd, 0, SEEK_SET) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* What ours and its ends are; -1 = none. */
struct channels {
    int input, data;
    int out, out_end, said, said_end; /* _end: the program's */
};

static void channels_close(struct channels *channels)
{
    close_fd(&channels->input);
    close_fd(&channels->data);
    close_fd(&channels->out);
    close_fd(&channels->out_end);
    close_fd(&channels->said);
    close_fd(&channels->said_end);
}

static bool open_pipe(int *our_end, int *its_end)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return false;
    }
    *our_end = lift(ends[0]);
    *its_end = lift(ends[1]);
    return *our_end >= 0 && *its_end >= 0;
}

static enum status channels_open(struct channels *channels, const struct child *child,
                                 struct err *err)
{
    channels->input = file_of(child->input);
    channels->data = file_of(child->data);
    bool open = channels->input >= 0 && channels->data >= 0 &&
                open_pipe(&channels->out, &channels->out_end) &&
                open_pipe(&channels->said, &channels->said_end);
    return open ? OK : failed("its files", err);
}

/* --- its life --- */

static enum status spawn(const struct channels *channels, const char *const *argv, pid_t *pid,
                         struct err *err)
{
    char locale[] = "LC_ALL=C";
    char *const environment[] = {locale, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE); /* which we ignore */
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&files, channels->input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, channels->out_end, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, channels->said_end, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&files, channels->data, DATA_FD);
    posix_spawn_file_actions_addclosefrom_np(&files, DATA_FD + 1);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    int fault = posix_spawnp(pid, argv[0], &files, &attributes, (char *const *)argv, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (fault == 0) {
        return OK;
    }
    errno = fault;
    return fault == ENOENT ? err_set(err, FAILED, "not installed") : failed("starting it", err);
}

/* One read; false at the end, and for an error, which is none on a pipe. */
static bool read_piece(int fd, char piece[PIECE_BYTES], struct slice *got)
{
    ssize_t n = read(fd, piece, PIECE_BYTES);
    *got = slice_make(piece, n > 0 ? (size_t)n : 0);
    return n > 0 || (n < 0 && errno == EINTR);
}

/* What is beyond the maximum of `said` is read and forgotten. */
static void keep_said(struct buf *said, struct slice got)
{
    size_t room = said->max - said->len;
    buf_add(said, slice_make(got.at, got.len < room ? got.len : room));
}

/* Reads both pipes until they and the program have ended. */
static enum status follow(const struct channels *channels, int process, int64_t limit_ns,
                          struct buf *out, struct buf *said, struct err *err)
{
    CLEANUP_FREE char *piece = memory_new(PIECE_BYTES);
    struct pollfd watched[] = {
        {channels->out, POLLIN, 0}, {channels->said, POLLIN, 0}, {process, POLLIN, 0}};
    const int64_t deadline_ns = clock_monotonic_ns() + limit_ns;
    while (watched[0].fd >= 0 || watched[1].fd >= 0 || watched[2].fd >= 0) {
        int64_t left_ns = deadline_ns - clock_monotonic_ns();
        int ready = left_ns > 0 ? poll(watched, 3, (int)(left_ns / NS_PER_MS) + 1) : 0;
        if (ready == 0) {
            return err_set(err, FAILED, "not done after %d s", (int)(limit_ns / NS_PER_SECOND));
        }
        for (int i = 0; ready > 0 && i < 2; i++) {
            struct slice got = {0};
            if (watched[i].revents && !read_piece(watched[i].fd, piece, &got)) {
                watched[i].fd = -1; /* poll passes over it */
            }
            if (i == 1) {
                keep_said(said, got);
            } else if (!buf_add(out, got)) {
                return err_set(err, FAILED, "writes more than %zu bytes", out->max);
            }
        }
        watched[2].fd = ready > 0 && watched[2].revents ? -1 : watched[2].fd;
    }
    return OK;
}

static enum status judge(int ended, const struct buf *said, struct err *err)
{
    if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0) {
        return OK;
    }
    CLEANUP(buf_finish) struct buf shown = {.max = 4 * SAID_MAX_BYTES + 1};
    shown_add(&shown, buf_slice(said));
    return WIFSIGNALED(ended)
               ? err_set(err, FAILED, "ended by signal %d", WTERMSIG(ended))
               : err_set(err, FAILED, "exit code %d: %s", WEXITSTATUS(ended), buf_text(&shown));
}

static void close_end(int *fd)
{
    close_fd(fd);
    *fd = -1;
}

enum status child_run(const struct child *child, struct buf *out, struct err *err)
{
    CLEANUP(channels_close) struct channels channels = {-1, -1, -1, -1, -1, -1};
    CLEANUP(buf_finish) struct buf said = {.max = SAID_MAX_BYTES};
    pid_t pid;
    if (channels_open(&channels, child, err) != OK ||
        spawn(&channels, child->argv, &pid, err) != OK) {
        return err_prefix(err, "%s", child->argv[0]);
    }
    close_end(&channels.out_end); /* so that the pipes end with the program */
    close_end(&channels.said_end);
    CLEANUP(close_fd) const int process = pidfd_open(pid, 0);
    enum status status = process < 0 ? failed("watching it", err)
                                     : follow(&channels, process, child->limit_ns, out, &said, err);
    if (status != OK) {
        kill(pid, SIGKILL);
    }
    int ended = 0;
    while (waitpid(pid, &ended, 0) < 0 && errno == EINTR) {
    }
    if (status == OK) {
        status = judge(ended, &said, err);
    }
    return status == OK ? OK : err_prefix(err, "%s", child->argv[0]);
}
