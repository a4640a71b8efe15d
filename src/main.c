/* loggateway: sets up what is once per process (libcurl, libxml2, SIGPIPE) and hands over to
 * app/cli. */
#include "app/cli.h"
#include "net/http.h"

#include <signal.h>

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* a closed socket or pipe is an error of its write */
    http_global_init();
    int code = cli_main(argc, argv);
    http_global_finish();
    return code;
}
