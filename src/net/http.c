/*
 * http: the driver behind world->http, a thin layer over libcurl: an easy handle in a multi handle
 * of its own, which lets go of a request while it is under way. Called by the
 * datasources through struct http_driver. It adds to libcurl: one meaning per outcome, a stall
 * deadline that does not count the time a receiver holds the data, and a connection that can be
 * let go of from within a receiver. It never tries again by itself.
 */
#include "net/http.h"

#include "net/http_headers.h"
#include "net/http_reply.h"
#include "net/http_sockets.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/timestamp.h"

#include <curl/curl.h>
#include <stdio.h>

enum {
    RECEIVE_BYTES = 256 * 1024,
    SEND_BYTES = 512 * 1024,    /* by less, a reader on this machine makes every piece wait */
    SEND_TLS_BYTES = 64 * 1024, /* OpenSSL tells of progress only when all of it has gone */
    BODY_DEFAULT_BYTES = 64 * 1024,
    ERROR_BODY_MAX_BYTES = 1024 * 1024, /* read to its end up to here, to keep the connection */
    CONNECTIONS_KEPT_MAX = 2,
    CONNECT_MAX_MS = 10000,
    POLL_MS = 1000, /* how soon a stop or a stall is noticed */
};

#define STALL_DEFAULT_NS NS_PER_MINUTE

struct http {
    struct world *world;
    CURLM *multi; /* keeps the connections */
    CURL *easy;
    char problem[CURL_ERROR_SIZE]; /* curl's words for the last failure */
    struct http_sockets sockets;

    /* the request under way */
    struct http_request request;
    struct http_reply *reply;
    struct curl_slist *headers;
    bool running;      /* libcurl has it, and its end is not known */
    CURLcode code;     /* of its end */
    struct err err;    /* why it ended: */
    enum status ended; /* by us; OK = not */
    bool stalled, was_shut, headers_ended, headers_taken;
    bool enough; /* of an error's body that would not end */
    curl_off_t moved_bytes;
    int64_t moved_ns, ticked_ns; /* monotonic */
    int64_t body_ns;             /* we began to read it, in the step under way */
};

static int64_t stall_ns(const struct http_request *request)
{
    return request->stall_ns ? request->stall_ns : STALL_DEFAULT_NS;
}

static bool is_success(const struct http_reply *reply)
{
    return http_verdict(reply->code) == HTTP_DONE;
}

static void http_shut(struct http *http)
{
    http->was_shut = true;
    http_sockets_shut(&http->sockets);
}

/* --- reply --- */

static const char *header_find(struct http *http, const char *name)
{
    struct curl_header *header;
    CURLHcode code = curl_easy_header(http->easy, name, 0, CURLH_HEADER, -1, &header);
    return code == CURLHE_OK ? header->value : NULL;
}

/* The whole value or nothing. */
static void header_copy(struct http *http, const char *name, char *to, size_t size)
{
    const char *value = header_find(http, name);
    if (value && strlen(value) < size) {
        snprintf(to, size, "%s", value);
    }
}

static void headers_take(struct http *http)
{
    struct http_reply *reply = http->reply;
    if (http->headers_taken) {
        return;
    }
    http->headers_taken = true;
    http->body_ns = http->moved_ns;
    long code = 0;
    curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &code);
    reply->code = code < 200 ? 0 : (int)code; /* 1xx announce a reply, they are none */
    curl_off_t length = -1;
    curl_easy_getinfo(http->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    reply->content_length = length;
    header_copy(http, "ETag", reply->etag, sizeof reply->etag);
    header_copy(http, "Location", reply->location, sizeof reply->location);
    const char *value = header_find(http, "Content-Range");
    if (value) {
        http_range_read(value, reply);
    }
    value = header_find(http, "Retry-After");
    if (value) {
        reply->retry_after_ns = http_retry_after_read(value, world_now(http->world));
    }
    value = header_find(http, "Last-Modified");
    if (value && !timestamp_parse_http(slice_of(value), &reply->last_modified_ns)) {
        reply->last_modified_ns = INT64_MIN;
    }
    size_t max = http->request.max_body_bytes;
    reply->body.max = max && is_success(reply) ? max : BODY_DEFAULT_BYTES;
}

static void body_keep(struct http *http, struct slice bytes)
{
    struct buf *body = &http->reply->body;
    size_t room = body->max - body->len;
    if (bytes.len > room && is_success(http->reply)) {
        http->ended = err_set(&http->err, FAILED, "the reply is longer than %zu bytes", body->max);
        return;
    }
    buf_add(body, slice_make(bytes.at, bytes.len < room ? bytes.len : room));
}

static size_t on_body(char *at, size_t size, size_t count, void *context)
{
    struct http *http = context;
    struct slice bytes = slice_make(at, size * count);
    headers_take(http);
    http->reply->received_bytes += (int64_t)bytes.len;
    if (http->request.receive && is_success(http->reply)) {
        http->ended = http->request.receive(http->request.to, bytes, &http->err);
    } else {
        body_keep(http, bytes);
    }
    http->enough = !is_success(http->reply) && http->reply->received_bytes > ERROR_BODY_MAX_BYTES;
    return http->ended == OK && !http->enough ? bytes.len : CURL_WRITEFUNC_ERROR;
}

/* --- time --- */

/* Headers are a sign of life that the progress figures do not show. When they end before their
 * empty line, libcurl takes the reply for a whole one without a body. */
static size_t on_header(char *at, size_t size, size_t count, void *context)
{
    struct http *http = context;
    if (*at == '\r' || *at == '\n') {
        http->headers_ended = true;
    } else if (size * count >= 5 && memcmp(at, "HTTP/", 5) == 0) {
        http->headers_ended = false; /* the one before was a 1xx */
    }
    http->moved_ns = world_monotonic(http->world);
    return size * count;
}

static int on_progress(void *context, curl_off_t to_receive, curl_off_t received,
                       curl_off_t to_send, curl_off_t sent)
{
    (void)to_receive, (void)to_send;
    struct http *http = context;
    int64_t now_ns = world_monotonic(http->world);
    if (received + sent != http->moved_bytes) { /* seen after receive, so that its time is free */
        http->moved_bytes = received + sent;
        http->moved_ns = now_ns;
    }
    if (http->ended == OK && now_ns - http->ticked_ns >= NS_PER_SECOND) {
        http->ticked_ns = now_ns;
        http->ended = world_tick(http->world, &http->err);
    }
    http->stalled = now_ns - http->moved_ns >= stall_ns(&http->request);
    http->enough |= http->headers_taken && !is_success(http->reply) &&
                    now_ns - http->body_ns >= stall_ns(&http->request);
    return http->ended != OK || http->stalled || http->enough;
}

/* --- request --- */

/* Sets one option unless an earlier one failed. Needs the locals easy and code. */
#define SET(option, value) (code = code != CURLE_OK ? code : curl_easy_setopt(easy, option, value))

static CURLcode options_set_fixed(struct http *http)
{
    CURL *easy = http->easy;
    CURLcode code = CURLE_OK;
    SET(CURLOPT_ERRORBUFFER, http->problem);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_USERAGENT, "loggateway/" LOGGATEWAY_VERSION);
    SET(CURLOPT_PATH_AS_IS, 1L); /* "a/../b" is a key like any other */
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MAX_MS);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_OPENSOCKETFUNCTION, http_sockets_open);
    SET(CURLOPT_OPENSOCKETDATA, &http->sockets);
    SET(CURLOPT_CLOSESOCKETFUNCTION, http_sockets_close);
    SET(CURLOPT_CLOSESOCKETDATA, &http->sockets);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, http);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, http);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, http);
    SET(CURLOPT_NOPROGRESS, 0L);
    return code;
}

static bool is_plain(const struct http_request *request)
{
    return strncasecmp(request->url, "https:", 6) != 0;
}

static CURLcode method_set(CURL *easy, const struct http_request *request)
{
    CURLcode code = CURLE_OK;
    if (strcmp(request->method, "GET") == 0) {
        SET(CURLOPT_HTTPGET, 1L);
    } else if (strcmp(request->method, "HEAD") == 0) {
        SET(CURLOPT_NOBODY, 1L);
    } else {
        SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)(is_plain(request) ? SEND_BYTES : SEND_TLS_BYTES));
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        /* not NULL: curl would read the body from stdin */
        SET(CURLOPT_POSTFIELDS, request->body.len ? request->body.at : "");
        SET(CURLOPT_CUSTOMREQUEST, request->method);
    }
    return code;
}

static CURLcode signature_set(CURL *easy, const struct http_signature *signature)
{
    CLEANUP(buf_finish) struct buf provider = {.max = 256};
    CURLcode code = CURLE_OK;
    buf_printf(&provider, "aws:amz:%s:%s", signature->region, signature->service);
    if (provider.overflow) {
        return CURLE_BAD_FUNCTION_ARGUMENT;
    }
    SET(CURLOPT_AWS_SIGV4, buf_text(&provider));
    SET(CURLOPT_USERNAME, signature->access_key);
    SET(CURLOPT_PASSWORD, signature->secret_key);
    return code;
}

static CURLcode options_set(struct http *http, const struct http_request *request,
                            struct curl_slist *headers)
{
    CURL *easy = http->easy;
    CURLcode code = options_set_fixed(http);
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_HTTPHEADER, headers);
    if (request->ca_file) {
        SET(CURLOPT_CAINFO, request->ca_file);
        SET(CURLOPT_CAPATH, (char *)NULL); /* the system's folder, which counts as well */
    }
    code = code != CURLE_OK ? code : method_set(easy, request);
    if (request->signature) {
        code = code != CURLE_OK ? code : signature_set(easy, request->signature);
    }
    return code;
}

/* --- outcome --- */

static bool is_tls_refusal(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
           code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_CRL_BADFILE;
}

/* The request itself is at fault. */
static bool is_hopeless(CURLcode code)
{
    return code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL ||
           code == CURLE_BAD_FUNCTION_ARGUMENT || code == CURLE_NOT_BUILT_IN ||
           code == CURLE_UNKNOWN_OPTION || code == CURLE_SSL_CIPHER;
}

/* curl's own words, on one line. They name hosts and files, never keys or headers. */
static const char *problem_text(struct http *http, CURLcode code)
{
    if (!*http->problem) {
        return curl_easy_strerror(code);
    }
    for (char *at = http->problem; *at; at++) {
        if ((unsigned char)*at < ' ') {
            *at = ' ';
        }
    }
    return http->problem;
}

static bool is_cut(const struct http *http)
{
    const struct http_reply *reply = http->reply;
    return !http->headers_ended ||
           (http->was_shut && reply->received_bytes != reply->content_length);
}

static enum status outcome(struct http *http)
{
    CURLcode code = http->code;
    if (http->ended != OK) {
        return http->ended;
    }
    if (http->enough) {
        return OK; /* what counts of it came long ago */
    }
    if (http->stalled) {
        return err_set(&http->err, AGAIN, "stalled: no byte for %lld s",
                       (long long)(stall_ns(&http->request) / NS_PER_SECOND));
    }
    if (code == CURLE_OK && http->reply->code && !is_cut(http)) {
        return OK;
    }
    if (code == CURLE_OK || http->was_shut) {
        return err_set(&http->err, AGAIN, "the connection ended before the reply did");
    }
    const char *text = problem_text(http, code);
    if (is_tls_refusal(code)) {
        return err_set(&http->err, FAILED, "TLS: %s (ca_file names an authority to trust)", text);
    }
    return err_set(&http->err, is_hopeless(code) ? FAILED : AGAIN, "%s", text);
}

/* --- in two steps --- */

static void request_take(struct http *http, const struct http_request *request,
                         struct http_reply *reply)
{
    struct buf body = reply->body; /* its memory is used again */
    buf_clear(&body);
    http_reply_init(reply);
    reply->body = body;
    http->request = *request;
    http->reply = reply;
    http->code = CURLE_FAILED_INIT;
    http->ended = OK;
    http->stalled = http->was_shut = http->headers_ended = http->headers_taken = false;
    http->enough = false;
    http->moved_bytes = 0;
    http->moved_ns = http->ticked_ns = world_monotonic(http->world);
    http->problem[0] = '\0';
}

/* The headers' bytes alone would not tell: those for a proxy's CONNECT are among them. */
static bool is_sent(struct http *http)
{
    long header_bytes = 0;
    curl_off_t body_bytes = 0, connected_us = 0;
    curl_easy_getinfo(http->easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
    curl_easy_getinfo(http->easy, CURLINFO_REQUEST_SIZE, &header_bytes);
    curl_easy_getinfo(http->easy, CURLINFO_SIZE_UPLOAD_T, &body_bytes);
    return connected_us > 0 && header_bytes > 0 && body_bytes >= (curl_off_t)http->request.body.len;
}

/* Lets libcurl work once with what there is. */
static void step(struct http *http)
{
    int running = 0, left;
    CURLMcode code = curl_multi_perform(http->multi, &running);
    if (code == CURLM_OK && running) {
        return;
    }
    http->running = false;
    const CURLMsg *end = curl_multi_info_read(http->multi, &left);
    if (code == CURLM_OK && end) {
        http->code = end->data.result;
    }
}

static void await(struct http *http)
{
    curl_multi_poll(http->multi, NULL, 0, POLL_MS, NULL);
    step(http);
}

static void http_begin(struct http *http, const struct http_request *request,
                       struct http_reply *reply)
{
    request_take(http, request, reply);
    if (!http_headers_make(request, &http->headers)) {
        http->ended = err_set(&http->err, FAILED, "a request header is longer than %d bytes",
                              HTTP_HEADER_LINE_MAX_BYTES);
        return;
    }
    CURLcode code = options_set(http, request, http->headers);
    if (code != CURLE_OK) {
        http->ended = err_set(&http->err, FAILED, "libcurl: %s", curl_easy_strerror(code));
        return;
    }
    http->running = curl_multi_add_handle(http->multi, http->easy) == CURLM_OK;
    if (http->running) {
        step(http);
    }
    while (http->running && !is_sent(http)) {
        await(http);
    }
}

static CURL *easy_new(void)
{
    CURL *easy = curl_easy_init();
    if (!easy) {
        abort(); /* out of memory: base/memory.h */
    }
    return easy;
}

/* Takes back what libcurl borrowed. A handle that failed before it had a connection (no such host)
 * would not take all options a second time. */
static void http_drop(struct http *http)
{
    curl_multi_remove_handle(http->multi, http->easy);
    if (http->code == CURLE_OK) {
        curl_easy_reset(http->easy);
    } else {
        curl_easy_cleanup(http->easy);
        http->easy = easy_new();
    }
    http_headers_free(&http->headers);
    http->headers = NULL;
    http->running = false;
}

static enum status http_end(struct http *http, struct err *err)
{
    http->moved_ns = http->body_ns = world_monotonic(http->world);
    while (http->running) {
        await(http);
    }
    headers_take(http);
    enum status status = outcome(http);
    http_drop(http);
    if (status != OK) {
        *err = http->err;
    }
    return status;
}

static struct http *http_open(struct world *world)
{
    struct http *http = memory_new(sizeof *http);
    http->world = world;
    http->multi = curl_multi_init();
    if (!http->multi) {
        abort(); /* out of memory: base/memory.h */
    }
    http->easy = easy_new();
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT_MAX);
    return http;
}

static void http_close(struct http *http)
{
    if (!http) {
        return;
    }
    http_drop(http);
    curl_easy_cleanup(http->easy);
    curl_multi_cleanup(http->multi); /* closes the sockets through http_sockets_close */
    free(http);
}

const struct http_driver http_curl = {
    .open = http_open,
    .begin = http_begin,
    .end = http_end,
    .drop = http_drop,
    .shut = http_shut,
    .close = http_close,
};
