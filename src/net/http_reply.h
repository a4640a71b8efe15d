/*
 * http_reply: reads single headers for http.c. Everybody else sees them read, in struct http_reply.
 */
#ifndef NET_HTTP_REPLY_H
#define NET_HTTP_REPLY_H

#include "net/http.h"

/* Content-Range, RFC 9110 section 14.4. What it does not say stays as it is. */
void http_range_read(const char *value, struct http_reply *reply);

/* Retry-After, RFC 9110 section 10.2.3: seconds or an HTTP-date; -1: neither. */
int64_t http_retry_after_read(const char *value, int64_t now_ns);

#endif
