/*
 * http_reply: what a reply means: verdict, back-off, one line for messages; and percent-encoding.
 * Used by http.c and by every datasource that speaks HTTP. Pure: never touches a connection.
 */
#include "net/http_reply.h"

#include "base/cleanup.h"
#include "base/timestamp.h"
#include "net/s3_list.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    EXCERPT_BYTES = 200,
    MESSAGE_BYTES = 300,
    CHANCE_BYTES = 3,      /* so much of a secret tells nothing */
    BACKOFF_DOUBLINGS = 6, /* 0.5 s * 2^6 is over the 30 s already */
};

#define BACKOFF_FIRST_NS (NS_PER_SECOND / 2)
#define BACKOFF_MAX_NS (30 * NS_PER_SECOND)
#define RETRY_AFTER_MAX_NS NS_PER_HOUR

void http_reply_init(struct http_reply *reply)
{
    *reply = (struct http_reply){
        .content_length = -1,
        .range_from = -1,
        .range_size = -1,
        .last_modified_ns = INT64_MIN,
        .retry_after_ns = -1,
    };
}

void http_reply_finish(struct http_reply *reply)
{
    buf_finish(&reply->body);
}

enum http_verdict http_verdict(int code)
{
    if (code >= 200 && code <= 299) {
        return HTTP_DONE;
    }
    switch (code) {
    case 408:
    case 429:
        return HTTP_LATER;
    case 501: /* the server does not know how, and will not learn it by waiting */
    case 505:
        return HTTP_HOLD;
    default:
        return code >= 500 && code <= 599 ? HTTP_LATER : HTTP_HOLD;
    }
}

int64_t http_backoff_ns(unsigned attempt, int64_t retry_after_ns, uint64_t random)
{
    unsigned doublings = attempt < BACKOFF_DOUBLINGS ? attempt : BACKOFF_DOUBLINGS;
    int64_t whole = BACKOFF_FIRST_NS << doublings;
    if (whole > BACKOFF_MAX_NS) {
        whole = BACKOFF_MAX_NS;
    }
    int64_t wait = whole / 2 + (int64_t)(random % (uint64_t)(whole / 2 + 1));
    return wait > retry_after_ns ? wait : retry_after_ns;
}

void http_range_read(const char *value, struct http_reply *reply)
{
    long long from, to, size;
    int n = sscanf(value, "bytes %18lld-%18lld/%18lld", &from, &to, &size);
    if (n >= 2 && from >= 0 && to >= from) {
        reply->range_from = from;
    }
    if (n == 3 && size >= 0) {
        reply->range_size = size;
    }
}

int64_t http_retry_after_read(const char *value, int64_t now_ns)
{
    int64_t wait_ns;
    size_t digits = strspn(value, "0123456789");
    if (digits > 0 && value[digits] == '\0') {
        wait_ns = digits > 9 ? RETRY_AFTER_MAX_NS : atoll(value) * NS_PER_SECOND;
    } else if (timestamp_parse_http(slice_of(value), &wait_ns)) {
        wait_ns = wait_ns > now_ns ? wait_ns - now_ns : 0;
    } else {
        return -1;
    }
    return wait_ns < RETRY_AFTER_MAX_NS ? wait_ns : RETRY_AFTER_MAX_NS;
}

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

bool http_encode(struct buf *out, struct slice text, bool keep_slash)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (is_unreserved(text.at[i]) || (keep_slash && byte == '/')) {
            buf_add_byte(out, text.at[i]);
            continue;
        }
        buf_add_byte(out, '%');
        buf_add_byte(out, hex[byte >> 4]);
        buf_add_byte(out, hex[byte & 15]);
    }
    return !out->overflow;
}

/* Foreign bytes in a message: printable ASCII stays, runs of anything blank become one space, the
 * rest '?', so that a message cannot forge lines or break an encoding. */
static void add_printable(struct buf *out, struct slice text, size_t max_bytes)
{
    bool blank = true;
    for (size_t i = 0, added = 0; i < text.len && added < max_bytes; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        bool is_blank = byte == ' ' || (byte >= '\t' && byte <= '\r');
        if (is_blank && blank) {
            continue;
        }
        blank = is_blank;
        buf_add_byte(out, is_blank ? ' ' : byte < 0x20 || byte > 0x7e ? '?' : (char)byte);
        added++;
    }
}

static void json_free(cJSON **json)
{
    cJSON_Delete(*json);
}

/* InfluxDB 2 says "message"; InfluxDB 1 and some proxies say "error". */
static bool add_json_message(struct slice body, struct buf *out)
{
    CLEANUP(json_free) cJSON *json = cJSON_ParseWithLength(body.at, body.len);
    const char *message = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "message"));
    if (!message) {
        message = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "error"));
    }
    if (!message || !*message) {
        return false;
    }
    add_printable(out, slice_of(message), MESSAGE_BYTES);
    return true;
}

static bool add_xml_message(struct slice body, struct buf *out)
{
    struct s3_error error;
    if (!s3_error_parse(body, &error)) {
        return false;
    }
    add_printable(out, slice_of(error.code), MESSAGE_BYTES);
    if (*error.message) {
        buf_add_text(out, ": ");
        add_printable(out, slice_of(error.message), MESSAGE_BYTES);
    }
    return true;
}

static bool add_message(struct slice body, struct buf *out)
{
    switch (body.at[0]) {
    case '{':
        return add_json_message(body, out);
    case '<':
        return add_xml_message(body, out);
    default:
        return false;
    }
}

void http_reply_describe(const struct http_reply *reply, struct buf *out)
{
    struct slice body = buf_slice(&reply->body);
    while (body.len && (*body.at == ' ' || (*body.at >= '\t' && *body.at <= '\r'))) {
        body = slice_make(body.at + 1, body.len - 1);
    }
    buf_add_int(out, reply->code);
    if (!body.len) {
        return;
    }
    buf_add_byte(out, ' ');
    if (!add_message(body, out)) {
        add_printable(out, body, EXCERPT_BYTES);
    }
}

/* How much of the secret a cut has left at the end of the text. */
static size_t cut_secret(const char *text, const char *secret)
{
    size_t text_len = strlen(text), len = strlen(secret);
    len = len < text_len ? len : text_len;
    while (len > CHANCE_BYTES && memcmp(text + text_len - len, secret, len) != 0) {
        len--;
    }
    return len > CHANCE_BYTES ? len : 0;
}

void http_blot(char *text, const char *secret)
{
    size_t len = strlen(secret);
    for (char *at = text; len && (at = strstr(at, secret)); at += len) {
        memset(at, '*', len);
    }
    size_t cut = cut_secret(text, secret);
    memset(text + strlen(text) - cut, '*', cut);
}
