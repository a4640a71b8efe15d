/*
 * http_sockets: the open sockets of one HTTP handle, for libcurl's callbacks, so that a connection
 * can be let go of while libcurl is busy with it. Used by http.c.
 */
#ifndef NET_HTTP_SOCKETS_H
#define NET_HTTP_SOCKETS_H

#include <curl/curl.h>
#include <stddef.h>

enum {
    HTTP_SOCKETS_MAX = 8, /* one in use, more while curl tries IPv6 and IPv4 or replaces one */
};

struct http_sockets {
    curl_socket_t fds[HTTP_SOCKETS_MAX];
    size_t n;
};

/* CURLOPT_OPENSOCKETFUNCTION and CURLOPT_CLOSESOCKETFUNCTION; context is a struct http_sockets. */
curl_socket_t http_sockets_open(void *context, curlsocktype purpose, struct curl_sockaddr *to);
int http_sockets_close(void *context, curl_socket_t fd);

/* Ends all connections under libcurl, which finds them dead; idle ones are then replaced. */
void http_sockets_shut(const struct http_sockets *sockets);

#endif
