/* loggateway: sets up what is once per process (libcurl, libxml2, SIGPIPE) and hands over to
 * commands/cli. */
#include "commands/cli.h"
#include "net/http.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

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

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* a closed socket or pipe is an error of its write */
    struct err err;
    if (http_global_init(&err) != OK) {
        fprintf(stderr, "loggateway: %s\n", err.text);
        return EXIT_KEPT_BACK;
    }
    int code = check_output(cli_main(argc, argv));
    http_global_finish();
    return code;
}
