/* loggateway: sets up what is once per process (standard streams, SIGPIPE, SQLite, libcurl,
 * libxml2) and hands over to commands/cli. */
#include "commands/cli.h"
#include "net/http.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What was not written was not done: a table cut short by a full disk must not look whole. A reader
 * that has seen enough (`| head`) is no news to anybody. */
static int check_output(int code)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return code;
    }
    if (errno != EPIPE) {
        fprintf(stderr, "loggateway: standard output: %s\n",
                errno ? strerror(errno) : "not written to its end");
    }
    return code ? code : EXIT_KEPT_BACK;
}

/* Whatever is opened where one of them was closed would be read as our input, or have our log lines
 * in it. What stands there now refuses both, as if they were still closed. */
static void fill_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY); /* the lowest free */
        }
    }
}

int main(int argc, char **argv)
{
    fill_standard_streams();
    signal(SIGPIPE, SIG_IGN); /* a closed socket or pipe is an error of its write */
    /* nobody asks how much memory SQLite has, and to count it takes a lock at each allocation */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    struct err err;
    if (http_global_init(&err) != OK) {
        fprintf(stderr, "loggateway: %s\n", err.text);
        return EXIT_KEPT_BACK;
    }
    int code = check_output(cli_main(argc, argv));
    http_global_finish();
    return code;
}
