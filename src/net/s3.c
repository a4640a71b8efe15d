/* s3: see s3.h. */
#include "net/s3.h"

#include "net/http.h"

#include <stdio.h>
#include <xxhash.h>

/* --- endpoint --- */

struct endpoint {
    bool https;
    char host[S3_HOST_MAX_BYTES + 1]; /* lower case; IPv6 in its brackets */
    char port[8];                     /* ":9000"; "" = the scheme's own */
};

static bool strip_scheme(struct slice *text, bool *https)
{
    *https = true;
    for (size_t i = 0; i + 2 < text->len; i++) {
        if (memcmp(text->at + i, "://", 3) != 0) {
            continue;
        }
        *https = i == 5 && strncasecmp(text->at, "https", 5) == 0;
        bool http = i == 4 && strncasecmp(text->at, "http", 4) == 0;
        *text = slice_make(text->at + i + 3, text->len - i - 3);
        return *https || http;
    }
    return true;
}

static bool port_store(struct endpoint *out, struct slice digits)
{
    unsigned port = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9' || i >= 5) {
            return false;
        }
        port = port * 10 + (unsigned)(digits.at[i] - '0');
    }
    if (port == 0 || port > 65535) {
        return false;
    }
    if (port != (out->https ? 443 : 80)) {
        snprintf(out->port, sizeof out->port, ":%u", port);
    }
    return true;
}

static bool is_host_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/* A DNS name, an IPv4 address, or an IPv6 address in brackets. */
static bool host_store(struct endpoint *out, struct slice host)
{
    if (host.len == 0 || host.len > S3_HOST_MAX_BYTES) {
        return false;
    }
    bool brackets = host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']';
    for (size_t i = 0; i < host.len; i++) {
        char c = host.at[i];
        c = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
        bool edge = brackets && (i == 0 || i == host.len - 1);
        if (!edge && !is_host_byte(c) && !(brackets && c == ':')) {
            return false;
        }
        out->host[i] = c;
    }
    out->host[host.len] = '\0';
    return true;
}

static bool host_and_port_store(struct endpoint *out, struct slice text)
{
    size_t colon = text.len;
    for (size_t i = text.len; i > 0 && text.at[i - 1] != ']'; i--) {
        if (text.at[i - 1] == ':') {
            colon = i - 1;
        }
    }
    if (colon == text.len) {
        return host_store(out, text);
    }
    return host_store(out, slice_make(text.at, colon)) &&
           port_store(out, slice_make(text.at + colon + 1, text.len - colon - 1));
}

static enum status endpoint_parse(struct endpoint *out, const char *url, struct err *err)
{
    struct slice text = slice_of(url);
    *out = (struct endpoint){0};
    if (!strip_scheme(&text, &out->https)) {
        return err_set(err, BAD_CONFIG, "endpoint_url: only https:// and http:// are possible");
    }
    while (text.len && text.at[text.len - 1] == '/') {
        text.len--;
    }
    if (memchr(text.at, '@', text.len)) {
        /* not repeated in the text: there may be a password before the '@' */
        return err_set(err, BAD_CONFIG,
                       "endpoint_url: has an '@'; keys go into access_key and secret_key");
    }
    if (memchr(text.at, '/', text.len) || memchr(text.at, '?', text.len)) {
        return err_set(err, BAD_CONFIG,
                       "endpoint_url: only a host is possible; the bucket goes into log_bucket");
    }
    if (!host_and_port_store(out, text)) {
        return err_set(err, BAD_CONFIG, "endpoint_url: not a host or host:port");
    }
    return OK;
}

/* --- region --- */

#define REGION_BYTES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* Like "us-east-1", "us-gov-west-1", "eu-central-003": two letters, words, a number. */
static bool is_region(struct slice label)
{
    if (label.len < 6 || label.len > S3_REGION_MAX_BYTES || label.at[2] != '-') {
        return false;
    }
    size_t digits = 0;
    while (digits < label.len && label.at[label.len - 1 - digits] >= '0' &&
           label.at[label.len - 1 - digits] <= '9') {
        digits++;
    }
    if (digits == 0 || label.len < digits + 5 || label.at[label.len - digits - 1] != '-') {
        return false;
    }
    for (size_t i = 0; i < label.len - digits; i++) {
        bool letter = label.at[i] >= 'a' && label.at[i] <= 'z';
        if (!letter && (i < 2 || label.at[i] != '-')) {
            return false;
        }
    }
    return true;
}

/* s3.REGION.*, s3-REGION.*, s3.dualstack.REGION.*, s3-fips.REGION.* */
static struct slice region_of_host(const char *host)
{
    struct slice label = slice_make(host, strcspn(host, "."));
    if (!slice_is(label, "s3") && !slice_starts(label, "s3-")) {
        return (struct slice){0};
    }
    struct slice rest = slice_make(label.at + 2, label.len - 2);
    if (rest.len > 1 && is_region(slice_make(rest.at + 1, rest.len - 1))) {
        return slice_make(rest.at + 1, rest.len - 1);
    }
    for (int i = 0; i < 2 && label.at[label.len] == '.'; i++) {
        const char *next = label.at + label.len + 1;
        label = slice_make(next, strcspn(next, "."));
        if (is_region(label)) {
            return label;
        }
    }
    return (struct slice){0};
}

static bool is_bare_host_or_address(const char *host)
{
    return host[0] == '[' || !strchr(host, '.') || host[strspn(host, "0123456789.")] == '\0';
}

static enum status region_store(struct s3_address *out, const char *host, const char *configured,
                                struct err *err)
{
    struct slice region = configured ? slice_of(configured) : region_of_host(host);
    /* us-east-1 is the region of AWS's global name; and what MinIO and versitygw, which is what
     * stands behind a bare host or an address, call theirs unless told otherwise */
    if (!region.len && (strcmp(host, "s3.amazonaws.com") == 0 || is_bare_host_or_address(host))) {
        region = slice_of("us-east-1");
    }
    if (!region.len) {
        return err_set(err, BAD_CONFIG, "region: required, since the endpoint's name has none");
    }
    if (region.len > S3_REGION_MAX_BYTES) {
        return err_set(err, BAD_CONFIG, "region: longer than %d bytes", S3_REGION_MAX_BYTES);
    }
    if (configured && configured[strspn(configured, REGION_BYTES)] != '\0') {
        return err_set(err, BAD_CONFIG, "region: letters, digits, '-' and '_' only");
    }
    snprintf(out->region, sizeof out->region, "%.*s", SLICE_ARG(region));
    return OK;
}

/* --- bucket --- */

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* What can be a part of a host's name. */
static bool bucket_is_dns_label(const char *bucket)
{
    size_t len = strlen(bucket);
    return len >= 3 && len <= 63 &&
           bucket[strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static bool is_virtual(enum s3_style style, const char *host, const char *bucket)
{
    if (style != S3_STYLE_AUTO) {
        return style == S3_STYLE_VIRTUAL;
    }
    return (ends_with(host, ".amazonaws.com") || ends_with(host, ".amazonaws.com.cn")) &&
           bucket_is_dns_label(bucket);
}

static enum status bucket_check(const char *bucket, bool in_host, struct err *err)
{
    size_t len = strlen(bucket);
    if (len == 0 || len > S3_BUCKET_MAX_BYTES || strchr(bucket, '/')) {
        return err_set(err, BAD_CONFIG, "log_bucket: 1 to %d bytes without '/'",
                       S3_BUCKET_MAX_BYTES);
    }
    if (in_host && (!is_host_byte(*bucket) ||
                    bucket[strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-.")])) {
        return err_set(err, BAD_CONFIG,
                       "path_style: virtual needs a bucket of lower-case letters, digits, '-', "
                       "'.'; use path");
    }
    return OK;
}

enum status s3_address_init(struct s3_address *out, const char *endpoint_url, const char *bucket,
                            const char *region, enum s3_style style, struct err *err)
{
    struct endpoint endpoint;
    enum status status = endpoint_parse(&endpoint, endpoint_url, err);
    if (status != OK) {
        return status;
    }
    bool in_host = is_virtual(style, endpoint.host, bucket);
    status = bucket_check(bucket, in_host, err);
    if (status != OK) {
        return status;
    }
    const char *scheme = endpoint.https ? "https://" : "http://";
    snprintf(out->endpoint, sizeof out->endpoint, "%s%s%s", scheme, endpoint.host, endpoint.port);
    struct buf url = {.max = sizeof out->bucket_url - 1};
    if (in_host) {
        buf_printf(&url, "%s%s.%s%s", scheme, bucket, endpoint.host, endpoint.port);
    } else {
        buf_printf(&url, "%s/", out->endpoint);
        http_encode(&url, slice_of(bucket), false);
    }
    snprintf(out->bucket_url, sizeof out->bucket_url, "%s", buf_text(&url));
    buf_finish(&url);
    return region_store(out, endpoint.host, region, err);
}

/* --- URLs --- */

bool s3_object_url(struct buf *out, const struct s3_address *address, struct slice key)
{
    buf_add_text(out, address->bucket_url);
    buf_add_byte(out, '/');
    return http_encode(out, key, true);
}

bool s3_list_url(struct buf *out, const struct s3_address *address,
                 const struct s3_list_query *query)
{
    buf_add_text(out, address->bucket_url);
    buf_add_text(out, "/?");
    if (*query->token) {
        buf_add_text(out, "continuation-token=");
        http_encode(out, slice_of(query->token), false);
        buf_add_byte(out, '&');
    }
    buf_add_text(out, query->by_folder ? "delimiter=%2F&" : "");
    buf_add_text(out, query->encoding_type_url ? "encoding-type=url&" : "");
    buf_add_text(out, "list-type=2&max-keys=");
    buf_add_int(out, query->max_keys);
    buf_add_text(out, "&prefix=");
    http_encode(out, query->prefix, false);
    if (!*query->token && query->after.len) {
        buf_add_text(out, "&start-after=");
        http_encode(out, query->after, false);
    }
    return !out->overflow;
}

/* What a hex digit says, and 1 more, so that the others have 0: 32 of them for each key listed, too
 * random for branches. */
static const unsigned char hex_above[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* The byte that two hex digits say; -1: they are none. */
static int hex_byte(const char *digits)
{
    int high = hex_above[(unsigned char)digits[0]], low = hex_above[(unsigned char)digits[1]];
    return high == 0 || low == 0 ? -1 : (high - 1) << 4 | (low - 1);
}

bool s3_url_decode(char *text, size_t *len)
{
    size_t to = 0;
    for (size_t from = 0; from < *len; from++) {
        char c = text[from] == '+' ? ' ' : text[from];
        if (c == '%') {
            int byte = from + 2 < *len ? hex_byte(text + from + 1) : -1;
            if (byte < 0) {
                return false;
            }
            c = (char)byte;
            from += 2;
        }
        text[to++] = c;
    }
    *len = to;
    return true;
}

/* --- entity tags --- */

static void digest_store(const void *bytes, size_t len, unsigned char digest[16])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, len));
    memcpy(digest, canonical.digest, 16);
}

static bool is_md5(struct slice tag, unsigned char digest[16])
{
    if (tag.len != 32) {
        return false;
    }
    for (size_t i = 0; i < 16; i++) {
        int byte = hex_byte(tag.at + 2 * i);
        if (byte < 0) {
            return false;
        }
        digest[i] = (unsigned char)byte;
    }
    return true;
}

bool etag_digest(struct slice etag, unsigned char digest[16])
{
    if (etag.len >= 2 && etag.at[0] == '"' && etag.at[etag.len - 1] == '"') {
        etag = slice_make(etag.at + 1, etag.len - 2);
    }
    if (etag.len == 0) {
        return false;
    }
    if (!is_md5(etag, digest)) {
        digest_store(etag.at, etag.len, digest);
    }
    return true;
}

void etag_of_size_and_time(int64_t size, int64_t last_modified_ns, unsigned char digest[16])
{
    char text[64];
    int len =
        snprintf(text, sizeof text, "%lld %lld", (long long)size, (long long)last_modified_ns);
    digest_store(text, (size_t)len, digest);
}
