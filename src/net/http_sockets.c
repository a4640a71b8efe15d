/* http_sockets: see http_sockets.h. */
#include "net/http_sockets.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

curl_socket_t http_sockets_open(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
    (void)purpose;
    struct http_sockets *sockets = context;
    if (sockets->n == HTTP_SOCKETS_MAX) {
        return CURL_SOCKET_BAD;
    }
    curl_socket_t fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
    if (fd != CURL_SOCKET_BAD) {
        sockets->fds[sockets->n++] = fd;
    }
    return fd;
}

int http_sockets_close(void *context, curl_socket_t fd)
{
    struct http_sockets *sockets = context;
    for (size_t i = 0; i < sockets->n; i++) {
        if (sockets->fds[i] == fd) {
            sockets->fds[i] = sockets->fds[--sockets->n];
            break;
        }
    }
    return close(fd);
}

/* Closes the real connection under libcurl: after a mere shutdown(2), a server that is sending
 * would stay blocked on a full window. */
static void replace_socket(int fd)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
        shutdown(fd, SHUT_RDWR); /* no descriptors left: the next best */
        return;
    }
    close(ends[1]);
    dup3(ends[0], fd, O_CLOEXEC);
    close(ends[0]);
}

void http_sockets_shut(const struct http_sockets *sockets)
{
    for (size_t i = 0; i < sockets->n; i++) {
        replace_socket(sockets->fds[i]);
    }
}
