/*
 * s3: reads the objects of a bucket of Seagate Lyve Cloud, AWS, MinIO or another S3 server. This
 * file has the options and the listing (ListObjectsV2); s3_fetch.c reads an object, s3_write.c
 * writes one. How names, signatures and replies look is the net room's business.
 */
#include "s3_source.h"

#include "base/cleanup.h"
#include "base/timestamp.h"

#include <stdio.h>

enum {
    PAGE_KEYS = 1000,
    PREFIX_MAX_BYTES = 500,
    EMPTY_PAGES_MAX = 10000, /* in a row; ten million deleted versions make as many */
};

static const char *const styles[] = {"auto", "path", "virtual", NULL};

static const struct option options[] = {
    {"endpoint_url", OPTION_TEXT, offsetof(struct s3_source, endpoint_url),
     .required = "Lyve Cloud console > Buckets > endpoint",
     .help = "where the bucket is, https unless it says http://"},
    {"log_bucket", OPTION_TEXT, offsetof(struct s3_source, log_bucket),
     .required = "Lyve Cloud console > Settings > Audit Logs",
     .help = "bucket the audit logs are delivered to; of a sink: the one to write"},
    {"access_key", OPTION_TEXT, offsetof(struct s3_source, access_key),
     .required = "Lyve Cloud console > Service Accounts",
     .help = "access key of a service account that may list and read the bucket, or write it"},
    {"secret_key", OPTION_SECRET, offsetof(struct s3_source, secret_key),
     .required = "Lyve Cloud console > Service Accounts",
     .help = "secret key of that service account"},
    {"session_token", OPTION_SECRET, offsetof(struct s3_source, session_token),
     .help = "token that comes with temporary keys"},
    {"region", OPTION_TEXT, offsetof(struct s3_source, region),
     .help = "region of the bucket; default: from the endpoint's name"},
    {"folders", OPTION_TEXT, offsetof(struct s3_source, folders), .fallback = "%B-%Y/",
     .help = "template of the folders logs are in: %Y %m %d %H %B %b, in English and UTC; \"\" = "
             "the whole bucket"},
    {"ignore", OPTION_LIST, offsetof(struct s3_source, ignore),
     .help = "prefixes of folders and objects that are not to be read"},
    {"path_style", OPTION_CHOICE, offsetof(struct s3_source, path_style), .fallback = "auto",
     .help =
         "the bucket's place in a URL: path, virtual (in the host's name), or auto: virtual for "
         "AWS, path elsewhere",
     .choices = styles},
    {"ca_file", OPTION_TEXT, offsetof(struct s3_source, ca_file),
     .help = "certificates (PEM) to trust in place of the system's"},
    {"retries", OPTION_INT, offsetof(struct s3_source, retries), .fallback = "8",
     .help = "tries after a failed one before giving up, 0.5 s to 30 s apart", .max = 1000},
    {"stall_timeout", OPTION_DURATION_NS, offsetof(struct s3_source, stall_timeout_ns),
     .fallback = "60s", .help = "a connection without a byte for so long is cut and resumed",
     .min = NS_PER_SECOND, .max = NS_PER_HOUR},
    {"prefix", OPTION_TEXT, offsetof(struct s3_source, prefix),
     .help = "of a sink: what the keys it writes begin with; ends with /"},
    {"format", OPTION_CHOICE, offsetof(struct s3_source, format), .fallback = "line_protocol",
     .choices = output_formats, .help = "of a sink: what is in the objects it writes"},
    {"gzip", OPTION_BOOL, offsetof(struct s3_source, gzip), .fallback = "false",
     .help = "of a sink: pack the objects it writes"},
    {0},
};

static enum status prefix_check(const struct s3_source *self, struct err *err)
{
    size_t len = strlen(s3_prefix(self));
    if (len > PREFIX_MAX_BYTES) {
        return err_set(err, BAD_CONFIG, "prefix: longer than %d bytes", PREFIX_MAX_BYTES);
    }
    if (len && (self->prefix[len - 1] != '/' || self->prefix[0] == '/')) {
        return err_set(err, BAD_CONFIG, "prefix: ends with '/' and does not begin with one");
    }
    return OK;
}

static enum status s3_open(void *module, struct world *world, struct err *err)
{
    struct s3_source *self = module;
    self->world = world;
    http_reply_init(&self->reply);
    if (prefix_check(self, err) != OK) {
        return err->status;
    }
    enum status status = s3_address_init(&self->address, self->endpoint_url, self->log_bucket,
                                         self->region, (enum s3_style)self->path_style, err);
    if (status != OK) {
        return status;
    }
    self->signature = (struct http_signature){
        .region = self->address.region,
        .service = "s3",
        .access_key = self->access_key,
        .secret_key = self->secret_key,
        .session_token = self->session_token,
    };
    self->http = world->http->open(world);
    self->list = s3_list_new();
    for (size_t i = 0; i < S3_DOWNLOADS; i++) {
        s3_download_init(&self->downloads[i], self);
    }
    outputs_init(&self->outputs, self->format, self->gzip, &s3_output_calls, self);
    return OK;
}

static void s3_close(void *module)
{
    struct s3_source *self = module;
    if (self->outputs.calls) {
        outputs_finish(&self->outputs);
    }
    if (self->http) {
        self->world->http->close(self->http);
    }
    for (size_t i = 0; i < S3_DOWNLOADS; i++) {
        s3_download_finish(&self->downloads[i]);
    }
    s3_list_free(self->list);
    http_reply_finish(&self->reply);
}

static void s3_place(void *module, struct place *out)
{
    struct s3_source *self = module;
    *out = (struct place){
        .endpoint = self->address.endpoint,
        .bucket = self->log_bucket,
        .folders = self->folders,
        .ignore = self->ignore,
    };
}

/* --- requests and their failures --- */

struct http_request s3_request(const struct s3_source *self, const char *url)
{
    return (struct http_request){
        .method = "GET",
        .url = url,
        .signature = &self->signature,
        .ca_file = self->ca_file,
        .stall_ns = self->stall_timeout_ns,
    };
}

static const char *advice_for(const char *code)
{
    static const struct {
        const char *code, *advice;
    } table[] = {
        {"SignatureDoesNotMatch", "check secret_key"},
        {"InvalidAccessKeyId", "check access_key"},
        {"XAdminUserNotFound", "check access_key"}, /* versitygw's word for it */
        {"AccessDenied", "the key needs s3:ListBucket and s3:GetObject on log_bucket"},
        {"AllAccessDisabled", "the account is disabled"},
        {"NoSuchBucket", "check log_bucket"},
        {"InvalidBucketName", "check log_bucket"},
        {"RequestTimeTooSkewed", "the clock of this machine is wrong"},
        {"ExpiredToken", "the temporary keys have expired: renew them and session_token"},
        {"InvalidToken", "check session_token"},
        {"AuthorizationHeaderMalformed", "check region"},
        {"PermanentRedirect", "the bucket is elsewhere: check endpoint_url and region"},
        {"TemporaryRedirect", "the bucket is elsewhere: check endpoint_url and region"},
        {"InvalidObjectState", "the object is archived: restore it first"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(table[i].code, code) == 0) {
            return table[i].advice;
        }
    }
    return NULL;
}

static void blot(const struct s3_source *self, char *text)
{
    http_blot(text, self->secret_key);
    if (self->session_token) {
        http_blot(text, self->session_token);
    }
}

void s3_describe(const struct s3_source *self, struct buf *out)
{
    http_reply_describe(&self->reply, out);
    buf_text(out);
    blot(self, out->at);
}

enum status s3_refusal(const struct s3_source *self, struct err *err)
{
    CLEANUP(buf_finish) struct buf text = {.max = 1024};
    struct s3_error error = {0};
    s3_describe(self, &text);
    s3_error_parse(buf_slice(&self->reply.body), &error);
    const char *advice = advice_for(error.code);
    if (self->is_sink && strcmp(error.code, "AccessDenied") == 0) {
        advice = "the key needs s3:PutObject and s3:AbortMultipartUpload on log_bucket";
    }
    if (!advice && self->reply.code >= 300 && self->reply.code <= 399) {
        advice = "the bucket is elsewhere: check endpoint_url and region";
    }
    return err_set(err, FAILED, advice ? "%s (%s)" : "%s", buf_text(&text), advice);
}

enum status s3_wait(struct s3_source *self, unsigned *attempt, struct err *err)
{
    if (*attempt >= self->retries) {
        err->status = FAILED;
        return err_prefix(err, "gave up after %u %s", *attempt + 1, *attempt ? "tries" : "try");
    }
    world_notice(self->world, "s3://%s: %s: trying again", self->log_bucket, err->text);
    int64_t wait_ns =
        http_backoff_ns(*attempt, self->reply.retry_after_ns, world_random(self->world));
    ++*attempt;
    return world_wait(self->world, wait_ns, err);
}

/* --- listing --- */

static enum status receive_page(void *to, struct slice bytes, struct err *err)
{
    struct s3_source *self = to;
    return s3_list_put(self->list, bytes, err);
}

/* AGAIN: worth another try. BAD_DATA: the reply is no listing. */
static enum status page_request(struct s3_source *self, const struct s3_list_query *query,
                                const struct s3_page **page, struct err *err)
{
    CLEANUP(buf_finish) struct buf url = {.max = S3_URL_MAX_BYTES};
    if (!s3_list_url(&url, &self->address, query)) {
        return err_set(err, FAILED, "the prefix is too long to ask for");
    }
    struct http_request request = s3_request(self, buf_text(&url));
    request.receive = receive_page;
    request.to = self;
    self->list_requests++;
    s3_list_begin(self->list);
    enum status status = http_perform(self->world, self->http, &request, &self->reply, err);
    if (status != OK) {
        return status;
    }
    enum http_verdict verdict = http_verdict(self->reply.code);
    if (verdict != HTTP_DONE) {
        s3_refusal(self, err);
        return verdict == HTTP_LATER ? AGAIN : FAILED;
    }
    status = s3_list_end(self->list, page, err);
    if (status == OK && *(*page)->error.code) {
        status = err_set(err, AGAIN, "an error in place of a listing: %s: %s", (*page)->error.code,
                         (*page)->error.message);
        blot(self, err->text);
    }
    return status;
}

/* One page, with as many tries as it takes. */
static enum status page_get(struct s3_source *self, struct s3_list_query *query,
                            const struct s3_page **page, struct err *err)
{
    unsigned attempt = 0;
    for (;;) {
        query->encoding_type_url = self->encode_keys;
        enum status status = page_request(self, query, page, err);
        bool is_page = status == OK || status == BAD_DATA;
        if (is_page && s3_list_bad_character(self->list) && !self->encode_keys) {
            self->encode_keys = true;
            continue;
        }
        if (status == BAD_DATA) {
            return err->status = FAILED;
        }
        if (status == AGAIN) {
            status = s3_wait(self, &attempt, err);
            if (status == OK) {
                continue;
            }
        }
        return status;
    }
}

/* Objects and folders each come in the order of their bytes, over all pages, as S3 promises. What
 * breaks that (a page given twice, a server that ignores the token) would make keys be missed or
 * the listing endless, so it is an error; and so is a long row of pages without any. */
struct order {
    char last[OBJECT_KEY_MAX_BYTES];
    size_t len;
};

static enum status order_check(struct order *order, struct slice key, struct slice prefix,
                               struct err *err)
{
    if (slice_compare(key, slice_make(order->last, order->len)) <= 0) {
        return err_set(err, FAILED, "bad listing: the keys are not in order");
    }
    if (key.len < prefix.len || !slice_equal(slice_make(key.at, prefix.len), prefix)) {
        return err_set(err, FAILED, "bad listing: a key without the prefix asked for");
    }
    memcpy(order->last, key.at, key.len);
    order->len = key.len;
    return OK;
}

struct delivery {
    struct order objects, folders;
    unsigned empty_pages; /* in a row */
    struct slice prefix;
    struct listing *to;
};

static enum status page_deliver(struct delivery *delivery, const struct s3_page *page,
                                struct err *err)
{
    enum status status = OK;
    delivery->empty_pages = page->n_objects || page->n_folders ? 0 : delivery->empty_pages + 1;
    if (delivery->empty_pages > EMPTY_PAGES_MAX) {
        return err_set(err, FAILED, "bad listing: more than %d pages without a key",
                       EMPTY_PAGES_MAX);
    }
    for (size_t i = 0; i < page->n_objects && status == OK; i++) {
        const struct object *object = &page->objects[i];
        status = order_check(&delivery->objects, object->key, delivery->prefix, err);
        /* a server that does not know start-after gives more than was asked for */
        if (status == OK && slice_compare(object->key, delivery->to->after) > 0) {
            status = delivery->to->object(delivery->to, object, err);
        }
    }
    for (size_t i = 0; i < page->n_folders && status == OK; i++) {
        status = order_check(&delivery->folders, page->folders[i], delivery->prefix, err);
        if (status == OK && delivery->to->folder) {
            status = delivery->to->folder(delivery->to, page->folders[i], err);
        }
    }
    return status;
}

static enum status pages_list(struct s3_source *self, struct delivery *delivery, bool by_folder,
                              struct err *err)
{
    char token[S3_TOKEN_MAX_BYTES + 1] = "";
    for (;;) {
        struct s3_list_query query = {
            .prefix = delivery->prefix,
            .by_folder = by_folder,
            .token = token,
            .after = delivery->to->after,
            .max_keys = PAGE_KEYS,
        };
        const struct s3_page *page;
        enum status status = page_get(self, &query, &page, err);
        if (status == OK) {
            status = page_deliver(delivery, page, err);
        }
        if (status != OK || !page->truncated) {
            return status;
        }
        if (strcmp(page->token, token) == 0) {
            return err_set(err, FAILED, "bad listing: the same page again and again");
        }
        snprintf(token, sizeof token, "%s", page->token); /* s3_list keeps its limit */
        status = delivery->to->page ? delivery->to->page(delivery->to, err) : OK;
        if (status != OK) {
            return status;
        }
    }
}

static enum status s3_list_keys(void *module, struct slice prefix, bool by_folder,
                                struct listing *to, struct err *err)
{
    struct s3_source *self = module;
    struct delivery delivery = {.prefix = prefix, .to = to};
    uint64_t requests_before = self->list_requests;
    enum status status = pages_list(self, &delivery, by_folder, err);
    to->requests += self->list_requests - requests_before;
    if (status == FAILED) {
        err_prefix(err, "s3://%s/%.*s", self->log_bucket, SLICE_ARG(prefix));
    }
    return status;
}

static enum status s3_connect(void *module, struct err *err)
{
    struct s3_source *self = module;
    struct s3_list_query query = {.token = "", .max_keys = 1};
    const struct s3_page *page;
    int64_t retries = self->retries;
    self->retries = retries < S3_CONNECT_RETRIES ? retries : S3_CONNECT_RETRIES;
    enum status status = page_get(self, &query, &page, err);
    self->retries = retries;
    if (status != OK) {
        err_prefix(err, "s3://%s at %s", self->log_bucket, self->address.endpoint);
    }
    return status;
}

const struct datasource s3_datasource = {
    .about = {"s3",
              "objects of a bucket: Lyve Cloud, AWS, MinIO, ...; reads them, or writes one for "
              "each object read",
              options, sizeof(struct s3_source)},
    .open = s3_open,
    .close = s3_close,
    .connect = s3_connect,
    .place = s3_place,
    .list = s3_list_keys,
    .fetch = s3_fetch,
    .park = s3_park,
    .connect_to_write = s3_connect_to_write,
    .put = s3_put,
    .flush = s3_flush,
    .begin = s3_begin,
    .end = s3_end,
    .drop = s3_drop,
    .target = s3_target,
};
