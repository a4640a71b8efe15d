/*
 * http_headers: see http_headers.h. Called by http.c for every request.
 */
#include "net/http_headers.h"

#include "base/cleanup.h"

#include <curl/curl.h>

void http_headers_free(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

static bool header_append(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer) {
        *list = longer;
    }
    return longer != NULL;
}

/* curl takes "Name;" for a header without a value and "Name:" for one not to be sent. */
static bool header_add(struct curl_slist **list, const char *name, const char *value)
{
    CLEANUP(buf_finish) struct buf line = {.max = HTTP_HEADER_LINE_MAX_BYTES};
    return buf_printf(&line, *value ? "%s: %s" : "%s;", name, value) &&
           header_append(list, buf_text(&line));
}

static bool has_header(const struct http_request *request, const char *name)
{
    for (const struct http_header *header = request->headers; header->name; header++) {
        if (strcasecmp(header->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_bodiless(const struct http_request *request)
{
    return strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
}

static bool signature_headers_add(const struct http_request *request, struct curl_slist **list)
{
    const struct http_signature *signature = request->signature;
    bool whole = true;
    bool may_be_unsigned = is_bodiless(request) || strncasecmp(request->url, "https:", 6) == 0;
    if (may_be_unsigned && !has_header(request, "x-amz-content-sha256")) {
        whole = header_add(list, "x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    }
    if (signature->session_token) {
        whole = whole && header_add(list, "x-amz-security-token", signature->session_token);
    }
    return whole;
}

/* What curl adds to a body by itself and nobody wants: a wait for "100 Continue", the type of a
 * form. Not for signed requests: curl 7.88 would sign the names of headers that are not sent. */
static bool own_headers_drop(const struct http_request *request, struct curl_slist **list)
{
    if (is_bodiless(request) || request->signature) {
        return true;
    }
    return header_append(list, "Expect:") &&
           (has_header(request, "Content-Type") || header_append(list, "Content-Type:"));
}

bool http_headers_make(const struct http_request *request, struct curl_slist **list)
{
    bool whole = own_headers_drop(request, list);
    for (const struct http_header *header = request->headers; whole && header->name; header++) {
        whole = header_add(list, header->name, header->value);
    }
    return whole && (!request->signature || signature_headers_add(request, list));
}
