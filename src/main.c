/* loggateway: sets up what is once per process (libcurl, libxml2, SIGPIPE) and hands over to
 * commands/cli. */
#include "commands/cli.h"
#include "net/http.h"

#include <signal.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* a closed socket or pipe is an error of its write */
    struct err err;
    if (http_global_init(&err) != OK) {
        fprintf(stderr, "loggateway: %s\n", err.text);
        return EXIT_KEPT_BACK;
    }
    int code = cli_main(argc, argv);
    http_global_finish();
    return code;
}
