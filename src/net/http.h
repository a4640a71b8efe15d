/*
 * http: requests over HTTP/1.1 with libcurl, one reusable connection handle per place and worker.
 * Proxies and CA come from libcurl's usual environment. TLS is always verified. Redirects are not
 * followed. Used by datasources; knows nothing of S3 or InfluxDB but the SigV4 signature libcurl
 * computes.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "api/status.h"
#include "api/world.h"
#include "base/buf.h"
#include "base/slice.h"

enum { HTTP_HEADERS_MAX = 12 };

struct http; /* one handle, with the connections that it keeps open */

struct http_header {
    const char *name, *value; /* value may be "" */
};

/* AWS Signature Version 4, computed by libcurl (CURLOPT_AWS_SIGV4 "aws:amz:REGION:SERVICE"). The
 * query has to be sorted by name and encoded as http_encode() does. x-amz-content-sha256 is
 * UNSIGNED-PAYLOAD over https and for requests without a body, unless the headers hold one. */
struct http_signature {
    const char *region, *service, *access_key, *secret_key;
    const char *session_token; /* NULL: none */
};

struct http_request {
    const char *method;                           /* GET, HEAD, POST, PUT, DELETE */
    const char *url;                              /* absolute and already encoded; sent as it is */
    struct http_header headers[HTTP_HEADERS_MAX]; /* ended by a NULL name */
    struct slice body;                            /* POST, PUT */
    const struct http_signature *signature;       /* NULL: not signed */
    const char *ca_file;                          /* NULL: the system's */
    /* Receives the body of a 2xx reply as it comes, code and headers of the reply being known;
     * NULL: the body goes to reply->body. Bodies of other replies always go to reply->body (at most
     * 64 KiB of them). */
    enum status (*receive)(void *to, struct slice bytes, struct err *err);
    void *to;
    size_t max_body_bytes; /* of reply->body for 2xx, a longer one is FAILED; 0 = 64 KiB */
    int64_t stall_ns;      /* no byte either way for so long = cut; time spent inside receive does
                              not count; 0 = 60 s */
};

struct http_reply {
    int code;                 /* 0 = none */
    int64_t content_length;   /* -1 = not said */
    int64_t range_from;       /* Content-Range: its first byte; -1 = not said */
    int64_t range_size;       /* Content-Range: size of the whole; -1 = not said */
    int64_t last_modified_ns; /* INT64_MIN = not said */
    int64_t retry_after_ns;   /* -1 = not said; from seconds or an HTTP-date, at most 1 h */
    char etag[256];           /* as sent, quotes included; "" = none, or longer than that */
    char location[512];       /* of a 3xx, as sent; "" = none or longer than this */
    int64_t received_bytes;   /* of the body */
    struct buf body;          /* see receive; http_reply_finish() frees it */
};

/*
 * The calls behind world->http. A request goes in two steps, for who has other work to do while the
 * place thinks; http_perform() is both at once. One request at a time on a handle.
 *
 * begin() returns when all of the request has gone out, or nothing more will. What request points
 * to (texts, body, signature, `to`) and reply are lent until end(); receive may be called from
 * within both. Between the two nobody reads from the connection: the place's time goes on, the
 * stall deadline does not.
 *
 * end():
 *   OK      a whole reply came, of any code; of an error's body that goes on beyond 1 MiB, or
 *           longer than stall_ns, its beginning
 *   AGAIN   none came or it was cut (refused connection, none within 10 s, reset, stall, too
 *           few bytes): another try may help; what reply says of code, headers and
 *           received_bytes is right
 *   FAILED  world->tick said stop, TLS verification failed, or a 2xx body was too long for
 *           reply->body: another try will not help
 *   else    what receive returned
 * From within receive other handles may be used.
 */
struct http_driver {
    struct http *(*open)(struct world *world);
    void (*begin)(struct http *http, const struct http_request *request, struct http_reply *reply);
    enum status (*end)(struct http *http, struct err *err);
    /* In place of end(): gives the request up, and the connection unless the reply was whole. */
    void (*drop)(struct http *http);
    /* From within receive, between begin and end, or of an idle handle: shuts the connection, so
     * that the server may let go. Bytes that were on their way may still come, then end() says
     * AGAIN (or OK when nothing was missing, or nothing had come and the request went out once
     * more). */
    void (*shut)(struct http *http);
    void (*close)(struct http *http); /* drops what is under way */
};

static inline enum status http_perform(struct world *world, struct http *http,
                                       const struct http_request *request, struct http_reply *reply,
                                       struct err *err)
{
    world->http->begin(http, request, reply);
    return world->http->end(http, err);
}

extern const struct http_driver http_curl;

/* Once per process, before any thread and after the last: libcurl's and libxml2's own set-up. The
 * caller ignores SIGPIPE. */
enum status http_global_init(struct err *err);
void http_global_finish(void);

void http_reply_init(struct http_reply *reply);
void http_reply_finish(struct http_reply *reply);

/* What a status code asks of the caller, the same for every place unless it knows better. */
enum http_verdict {
    HTTP_DONE,  /* 2xx */
    HTTP_LATER, /* 408, 429, 5xx but 501 and 505: the same request again after http_backoff_ns() */
    HTTP_HOLD,  /* all others: again it would be refused again */
};
enum http_verdict http_verdict(int code);

/* max(retry_after_ns, 2^attempt * 0.5 s up to 30 s with half of it random); attempt counts from 0.
 */
int64_t http_backoff_ns(unsigned attempt, int64_t retry_after_ns, uint64_t random);

/* Percent-encodes: all but A-Z a-z 0-9 - _ . ~ (and '/' when keep_slash), upper-case hex. */
bool http_encode(struct buf *out, struct slice text, bool keep_slash);

/* One line for messages: code, and what the reply's body says (JSON "message" or XML <Message>,
 * else its first 200 printable characters). */
void http_reply_describe(const struct http_reply *reply, struct buf *out);

/* Blots a secret out of a foreign text, should a server or proxy repeat it; also its beginning at
 * the end of the text, where that was cut. */
void http_blot(char *text, const char *secret);

#endif
