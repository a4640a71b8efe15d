/*
 * http_headers: the header lines of a request as libcurl takes them: the caller's, those a
 * signature needs, and those that say which of libcurl's own are not wanted. Only http.c includes
 * this.
 */
#ifndef NET_HTTP_HEADERS_H
#define NET_HTTP_HEADERS_H

#include "net/http.h"

enum { HTTP_HEADER_LINE_MAX_BYTES = 8 * 1024 }; /* a session token takes 1 to 2 KiB */

struct curl_slist;

/* False: a line is too long. *list, NULL before, is to be freed either way. */
bool http_headers_make(const struct http_request *request, struct curl_slist **list);
void http_headers_free(struct curl_slist **list);

#endif
