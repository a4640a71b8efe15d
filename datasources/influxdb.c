/*
 * influxdb: InfluxDB 2 as a place to write to: options, the connection, and collecting points into
 * a batch of line protocol. The host calls it through influxdb_datasource. Sending a batch and
 * understanding the replies is influxdb_send's and influxdb_reply's.
 * https://docs.influxdata.com/influxdb/v2/api/#operation/PostWrite
 */
#include "influxdb.h"

#include "api/encoder.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "base/timestamp.h"

#include <stdlib.h>

extern const struct encoder line_protocol_encoder;

enum { NAME_MAX_BYTES = 1024 }; /* so that every URL has room for both, encoded */

enum { GZIP_AUTO, GZIP_ON, GZIP_OFF };
static const char *const gzip_choices[] = {"auto", "on", "off", NULL};

#define AT(field) offsetof(struct influxdb, field)

static const struct option options[] = {
    {"host", OPTION_TEXT, AT(host), .required = "a URL, or host[:port]",
     .help = "address of InfluxDB; a host alone means http and port 8086"},
    {"token", OPTION_SECRET, AT(token), .required = "InfluxDB > API tokens",
     .help = "API token that may write to the bucket"},
    {"org", OPTION_TEXT, AT(org), .required = "InfluxDB > About > Organization",
     .help = "name of the organization"},
    {"bucket", OPTION_TEXT, AT(bucket), .required = "InfluxDB > Buckets",
     .help = "name of the bucket; made when it is missing and the token may"},
    {"retention", OPTION_DURATION_NS, AT(retention_ns), .fallback = "0s", .max = INT64_MAX,
     .help = "how long a bucket made by us keeps points, and what counts as expired when "
             "InfluxDB does not say; 0s = for ever"},
    {"batch_lines", OPTION_INT, AT(batch_lines), .fallback = "5000", .min = 1, .max = 100000,
     .help = "points sent in one request, at most"},
    {"batch_bytes", OPTION_BYTES, AT(batch_bytes), .fallback = "4MiB", .min = 1024,
     .max = 64 * 1024 * 1024,
     .help = "bytes sent in one request before packing, at most; a longer line is sent alone"},
    {"gzip", OPTION_CHOICE, AT(gzip), .fallback = "auto", .choices = gzip_choices,
     .help = "pack requests; auto = unless InfluxDB is on this machine"},
    {"ca_file", OPTION_TEXT, AT(ca_file),
     .help = "PEM file of the certificates to trust instead of the system's"},
    {"retry_for", OPTION_DURATION_NS, AT(retry_for_ns), .fallback = "0s", .max = INT64_MAX,
     .help = "how long a request is tried again while InfluxDB is away or busy; 0s = as long as "
             "the run lasts"},
    {0},
};

/* --- address --- */

static bool is_loopback(const char *base)
{
    struct slice host = slice_of(strstr(base, "://") + 3);
    host.len = host.at[0] == '[' ? strcspn(host.at, "]") + 1 : strcspn(host.at, ":/");
    return slice_is(host, "localhost") || slice_is(host, "[::1]") || slice_starts(host, "127.");
}

/* Completes "host" or "host:port"; a bare IPv6 address is told by its second colon. */
static void add_plain_host(struct buf *base, const char *host)
{
    const char *after = host[0] == '[' ? strchr(host, ']') : host;
    const char *colon = after ? strchr(after, ':') : NULL;
    bool bare_ipv6 = host[0] != '[' && colon && strchr(colon + 1, ':');
    buf_printf(base, bare_ipv6 ? "http://[%s]" : "http://%s", host);
    if (!colon || bare_ipv6) {
        buf_add_text(base, ":8086");
    }
}

/* "", "/" and ":8086" name no host; "::1" does. */
static bool is_nameless(const char *name)
{
    return *name == '\0' || *name == '/' || (*name == ':' && name[1] != ':');
}

static enum status read_host(struct influxdb *self, struct err *err)
{
    CLEANUP(buf_finish) struct buf base = {.max = 2048};
    const char *scheme = strstr(self->host, "://");
    const char *name = scheme ? scheme + 3 : self->host;
    if (self->host[strcspn(self->host, " @?#\t\r\n")] != '\0' || is_nameless(name)) {
        return err_set(err, BAD_CONFIG,
                       "host: a URL or host[:port] is wanted, without user or "
                       "query");
    }
    if (!scheme) {
        add_plain_host(&base, self->host);
    } else if (slice_starts(slice_of(self->host), "http://") ||
               slice_starts(slice_of(self->host), "https://")) {
        buf_add_text(&base, self->host);
    } else {
        return err_set(err, BAD_CONFIG, "host: only http:// and https:// are known");
    }
    while (base.len && base.at[base.len - 1] == '/') {
        base.len--;
    }
    if (base.overflow) {
        return err_set(err, BAD_CONFIG, "host: too long");
    }
    self->base = memory_copy(base.at, base.len);
    return OK;
}

/* --- open, close, connect --- */

static enum status check_name(const char *option, const char *name, struct err *err)
{
    size_t len = strlen(name);
    return len > 0 && len <= NAME_MAX_BYTES
               ? OK
               : err_set(err, BAD_CONFIG, "%s: 1 to %d bytes", option, NAME_MAX_BYTES);
}

static enum status check_options(const struct influxdb *self, struct err *err)
{
    if (self->token[0] == '\0' || self->token[strcspn(self->token, " \t\r\n")] != '\0') {
        return err_set(err, BAD_CONFIG, "token: empty, or with a space or line break in it");
    }
    if (check_name("org", self->org, err) != OK || check_name("bucket", self->bucket, err) != OK) {
        return err->status;
    }
    if (self->retention_ns != 0 &&
        (self->retention_ns < NS_PER_HOUR || self->retention_ns % NS_PER_SECOND != 0)) {
        return err_set(err, BAD_CONFIG,
                       "retention: InfluxDB wants whole seconds and at least 1h, "
                       "or 0s for ever");
    }
    return OK;
}

static void make_texts(struct influxdb *self)
{
    CLEANUP(buf_finish) struct buf url = {.max = 64 * 1024};
    buf_printf(&url, "%s/api/v2/write?org=", self->base);
    http_encode(&url, slice_of(self->org), false);
    buf_add_text(&url, "&bucket=");
    http_encode(&url, slice_of(self->bucket), false);
    buf_add_text(&url, "&precision=ns");
    self->write_url = memory_copy(url.at, url.len);
    CLEANUP(buf_finish) struct buf authorization = {.max = 64 * 1024};
    buf_printf(&authorization, "Token %s", self->token);
    self->authorization = memory_copy(authorization.at, authorization.len);
}

void influxdb_batch_make(const struct influxdb *self, struct influxdb_batch *batch)
{
    buf_make_large(&batch->body, (size_t)self->batch_bytes);
    batch->lines = memory_new((size_t)self->batch_lines * sizeof *batch->lines);
}

static enum status influxdb_open(void *instance, struct world *world, struct err *err)
{
    struct influxdb *self = instance;
    self->world = world;
    if (check_options(self, err) != OK || read_host(self, err) != OK) {
        return err->status;
    }
    make_texts(self);
    self->compress = self->gzip == GZIP_ON || (self->gzip == GZIP_AUTO && !is_loopback(self->base));
    influxdb_batch_make(self, self->batches);
    self->filling = self->sending = self->batches;
    http_reply_init(&self->reply);
    self->zipped.max = 2 * INFLUXDB_LINE_MAX_BYTES + 2 * (size_t)self->batch_bytes;
    self->http = world->http->open(world);
    return OK;
}

static void influxdb_close(void *instance)
{
    struct influxdb *self = instance;
    if (self->http) {
        self->world->http->close(self->http);
    }
    free(self->base);
    free(self->write_url);
    if (self->authorization) {
        explicit_bzero(self->authorization, strlen(self->authorization));
    }
    free(self->authorization);
    for (size_t i = 0; i < 2; i++) {
        free(self->batches[i].lines);
        buf_finish(&self->batches[i].body);
    }
    http_reply_finish(&self->reply);
    free(self->ranges);
    buf_finish(&self->picked);
    buf_finish(&self->zipped);
    arena_finish(&self->reasons);
}

enum status influxdb_write_nothing(struct influxdb *self, struct http_reply *reply, struct err *err)
{
    struct http_request request = influxdb_request(self, "POST", self->write_url);
    request.headers[1] = (struct http_header){"Content-Type", "text/plain; charset=utf-8"};
    request.body = slice_of("");
    return http_perform(self->world, self->http, &request, reply, err);
}

/* An empty write is answered with 204 even for a token that may do nothing but write. */
static enum status influxdb_connect(void *instance, struct err *err)
{
    struct influxdb *self = instance;
    CLEANUP(http_reply_finish) struct http_reply reply;
    http_reply_init(&reply);
    if (influxdb_write_nothing(self, &reply, err) != OK) {
        err->status = FAILED; /* a check does not wait for better times */
        return err_prefix(err, "%s", self->base);
    }
    CLEANUP_FREE char *message = influxdb_message(&reply);
    enum influxdb_verdict verdict = influxdb_judge(reply.code, message);
    switch (verdict) {
    case INFLUXDB_DONE:
        return OK;
    case INFLUXDB_NO_BUCKET:
        return influxdb_bucket_ahead(self, err);
    case INFLUXDB_LATER: {
        CLEANUP(buf_finish) struct buf said = {.max = sizeof err->text};
        influxdb_describe(self, &reply, &said);
        return err_set(err, FAILED, "%s: not ready: %s", self->base, said.at);
    }
    default:
        return influxdb_hold(self, verdict, &reply, err);
    }
}

/* --- putting --- */

/* A line that alone is more than a batch may hold goes alone. */
static enum status encode_alone(const struct influxdb *self, const struct point *point,
                                struct err *err)
{
    struct buf *body = &self->filling->body;
    body->max = INFLUXDB_LINE_MAX_BYTES;
    if (self->batch_bytes < INFLUXDB_LINE_MAX_BYTES &&
        line_protocol_encoder.encode(point, body) == OK) {
        return OK;
    }
    body->max = (size_t)self->batch_bytes;
    return err_set(err, BAD_DATA, "longer than a request to InfluxDB may be");
}

static enum status influxdb_put(void *instance, const struct point *point, struct err *err)
{
    const struct influxdb *self = instance;
    struct influxdb_batch *batch = self->filling;
    size_t at = batch->body.len;
    if (batch->n_lines == (size_t)self->batch_lines || at >= (size_t)self->batch_bytes) {
        return AGAIN;
    }
    if (line_protocol_encoder.encode(point, &batch->body) != OK) {
        if (batch->n_lines > 0) {
            return AGAIN;
        }
        if (encode_alone(self, point, err) != OK) {
            return err->status;
        }
    }
    batch->lines[batch->n_lines++] = (struct influxdb_line){.at = at, .time_ns = point->time_ns};
    return OK;
}

const struct datasource influxdb_datasource = {
    .keeps_figures = true,
    .about = {.name = "influxdb",
              .summary = "InfluxDB 2: writes points into a bucket",
              .options = options,
              .size = sizeof(struct influxdb)},
    .open = influxdb_open,
    .close = influxdb_close,
    .connect = influxdb_connect,
    .put = influxdb_put,
    .send = influxdb_send,
    .flush = influxdb_flush,
    .count = influxdb_count,
};
