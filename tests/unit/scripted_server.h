/*
 * scripted_server: a small HTTP server for unit tests, in a thread on 127.0.0.1: it reads one
 * request after the other, keeps their texts, and plays the replies of a script byte for byte.
 * Included by one test file each. It is no HTTP implementation: requests are small, replies are
 * whatever the test writes.
 */
#ifndef TESTS_SCRIPTED_SERVER_H
#define TESTS_SCRIPTED_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SCRIPT_REQUESTS = 16, SCRIPT_REQUEST_BYTES = 8192 };

enum then {
    THEN_KEEP,  /* the connection stays for the next request */
    THEN_CLOSE, /* end of stream */
    THEN_RESET,
    THEN_HANG, /* nothing more, until the client hangs up (.hung_up) */
    THEN_DRIP, /* a byte now and then, until the client hangs up */
};

struct scripted_reply {
    const char *bytes; /* status line, headers, body */
    enum then then;
    size_t len;      /* 0 = up to the NUL */
    size_t pause_at; /* half a second's pause before this byte; 0 = none */
};

struct scripted_server {
    const struct scripted_reply *script;
    size_t script_len;
    int listener;
    unsigned port;
    pthread_t thread;
    atomic_bool hung_up; /* the client ended a connection that was left hanging */
    /* valid once the server is stopped, or a reply to the request has been seen */
    atomic_size_t n_requests, n_connections;
    char requests[SCRIPT_REQUESTS][SCRIPT_REQUEST_BYTES];
};

static inline size_t scripted_body_length(const char *headers)
{
    const char *at = strcasestr(headers, "\r\nContent-Length:");
    return at ? strtoul(at + 17, NULL, 10) : 0;
}

/* One whole request; false: the connection ended. */
static inline bool scripted_read(int fd, char request[SCRIPT_REQUEST_BYTES])
{
    size_t len = 0;
    for (;;) {
        request[len] = '\0';
        const char *end = strstr(request, "\r\n\r\n");
        if (end && len >= (size_t)(end + 4 - request) + scripted_body_length(request)) {
            return true;
        }
        ssize_t count = recv(fd, request + len, SCRIPT_REQUEST_BYTES - 1 - len, 0);
        if (count <= 0) {
            return false;
        }
        len += (size_t)count;
    }
}

static inline void scripted_reset(int fd)
{
    struct linger now = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* False: the client hung up. */
static inline bool scripted_send(struct scripted_server *server, int fd, const char *bytes,
                                 size_t len)
{
    for (size_t sent = 0; sent < len;) {
        ssize_t count = send(fd, bytes + sent, len - sent, MSG_NOSIGNAL);
        if (count <= 0) {
            server->hung_up = true;
            return false;
        }
        sent += (size_t)count;
    }
    return true;
}

static inline void scripted_drip(struct scripted_server *server, int fd)
{
    int left = 400; /* 20 s: a broken test ends all the same */
    while (left-- && scripted_send(server, fd, ".", 1)) {
        usleep(50000);
    }
}

/* Plays one reply; false: the connection is to be closed. */
static inline bool scripted_play(struct scripted_server *server, int fd,
                                 const struct scripted_reply *reply)
{
    size_t len = reply->len ? reply->len : strlen(reply->bytes);
    if (!scripted_send(server, fd, reply->bytes, reply->pause_at)) {
        return false;
    }
    usleep(reply->pause_at ? 500000 : 0);
    if (!scripted_send(server, fd, reply->bytes + reply->pause_at, len - reply->pause_at)) {
        return false;
    }
    if (reply->then == THEN_RESET) {
        usleep(50000); /* so that the reply arrives before the reset removes it */
        scripted_reset(fd);
    }
    char nothing;
    if (reply->then == THEN_HANG && recv(fd, &nothing, 1, 0) <= 0) {
        server->hung_up = true;
    }
    if (reply->then == THEN_DRIP) {
        scripted_drip(server, fd);
    }
    return reply->then == THEN_KEEP;
}

static inline void *scripted_main(void *context)
{
    struct scripted_server *server = context;
    size_t next = 0;
    while (next < server->script_len) {
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0) {
            break;
        }
        struct timeval limit = {.tv_sec = 20}; /* a broken test ends all the same */
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        server->n_connections++;
        bool open = true;
        while (open && next < server->script_len && scripted_read(fd, server->requests[next])) {
            server->n_requests++;
            open = scripted_play(server, fd, &server->script[next++]);
        }
        close(fd);
    }
    return NULL;
}

static inline struct scripted_server *scripted_start(const struct scripted_reply *script,
                                                     size_t script_len)
{
    struct scripted_server *server = calloc(1, sizeof *server);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    server->script = script;
    server->script_len = script_len;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (script_len > SCRIPT_REQUESTS ||
        bind(server->listener, (struct sockaddr *)&address, size) != 0 ||
        listen(server->listener, 8) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&server->thread, NULL, scripted_main, server) != 0) {
        abort();
    }
    server->port = ntohs(address.sin_port);
    return server;
}

/* Waits for the thread; what it noted can be read until scripted_free(). */
static inline void scripted_stop(struct scripted_server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
}

#endif
