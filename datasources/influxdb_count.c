/*
 * influxdb_count: asks InfluxDB how many points of a measurement it holds on each day. Called as
 * the datasource's count. The question is one Flux query, which InfluxDB works out series by series
 * while it reads; the answer is CSV with a row a day.
 * https://docs.influxdata.com/influxdb/v2/api/#operation/PostQuery
 */
#include "influxdb.h"

#include "base/cleanup.h"
#include "base/timestamp.h"

#include <cjson/cJSON.h>

enum {
    URL_MAX_BYTES = 16 * 1024,
    FLUX_MAX_BYTES = 64 * 1024,
    ANSWER_MAX_BYTES = 32 * 1024 * 1024, /* all the days of InfluxDB's time are 10 MB */
    COLUMNS_MAX = 16,
};

static const int64_t answer_within_ns = 15 * NS_PER_MINUTE; /* its first byte */
static const int64_t try_for_ns = NS_PER_MINUTE;

/* --- the question --- */

/* As a string of Flux. All that could end it, or begin an expression in it, is written as \xHH. */
static void add_string(struct buf *flux, const char *text)
{
    buf_add_byte(flux, '"');
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x20 || byte == '"' || byte == '\\' || byte == '$') {
            buf_printf(flux, "\\x%02x", byte);
        } else {
            buf_add_byte(flux, *text);
        }
    }
    buf_add_byte(flux, '"');
}

/* Over a day that is cut off by the end of its time, InfluxDB's window function never comes to an
 * end; the host does not ask for such. */
static void add_time(struct buf *flux, int64_t ns)
{
    char text[TIMESTAMP_TEXT_BYTES];
    buf_add_text(flux, timestamp_format(ns, text));
}

static void add_source(const struct influxdb *self, const struct tally *tally, struct buf *flux)
{
    buf_add_text(flux, "from(bucket: ");
    add_string(flux, self->bucket);
    buf_add_text(flux, ") |> range(start: ");
    add_time(flux, tally->window.from_ns);
    buf_add_text(flux, ", stop: ");
    add_time(flux, tally->window.to_ns);
    buf_add_text(flux, ") |> filter(fn: (r) => r._measurement == ");
    add_string(flux, tally->measurement);
    if (tally->field) {
        buf_add_text(flux, " and r._field == ");
        add_string(flux, tally->field);
    }
    buf_add_text(flux, ")");
}

/*
 * A field that every point has is counted where the values lie: no value leaves the storage. Else
 * the fields of a series are put together and each time in it counted once. Only then are the
 * series: points of two of them at one time are two.
 */
static void add_question(const struct influxdb *self, const struct tally *tally, struct buf *flux)
{
    add_source(self, tally, flux);
    if (!tally->field) {
        buf_add_text(flux, " |> drop(columns: [\"_value\", \"_field\"])"
                           " |> unique(column: \"_time\")"
                           " |> map(fn: (r) => ({r with _value: 1}))");
    }
    buf_add_text(flux, " |> aggregateWindow(every: 1d, fn: count, createEmpty: false,"
                       " timeSrc: \"_start\")"
                       " |> group(columns: [\"_time\"]) |> sum() |> group()"
                       " |> keep(columns: [\"_time\", \"_value\"])");
}

/* The request's body, malloc'ed. */
static char *question_json(const char *flux)
{
    CLEANUP(influxdb_json_free) cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "query", flux);
    cJSON_AddStringToObject(json, "type", "flux");
    cJSON *dialect = cJSON_AddObjectToObject(json, "dialect");
    cJSON_AddBoolToObject(dialect, "header", true);
    cJSON_AddArrayToObject(dialect, "annotations");
    return cJSON_PrintUnformatted(json);
}

static enum status ask(struct influxdb *self, const struct tally *tally, struct http_reply *reply,
                       struct err *err)
{
    CLEANUP(buf_finish) struct buf url = {.max = URL_MAX_BYTES};
    CLEANUP(buf_finish) struct buf flux = {.max = FLUX_MAX_BYTES};
    buf_printf(&url, "%s/api/v2/query?org=", self->base);
    http_encode(&url, slice_of(self->org), false);
    add_question(self, tally, &flux);
    if (url.overflow || flux.overflow) {
        return err_set(err, FAILED, "a name is too long");
    }
    CLEANUP_FREE char *body = question_json(buf_text(&flux));
    struct http_request request = influxdb_request(self, "POST", buf_text(&url));
    request.headers[1] = (struct http_header){"Content-Type", "application/json"};
    request.headers[2] = (struct http_header){"Accept", "application/csv"};
    request.body = slice_of(body);
    request.max_body_bytes = ANSWER_MAX_BYTES;
    request.stall_ns = answer_within_ns;
    return influxdb_exchange(self, &request, reply, err);
}

/* --- the answer --- */

/* Takes the line off the front of *text, without its end. */
static struct slice take_line(struct slice *text)
{
    const char *end = memchr(text->at, '\n', text->len);
    size_t len = end ? (size_t)(end - text->at) : text->len;
    struct slice line = slice_make(text->at, len);
    size_t used = len + (end != NULL);
    *text = slice_make(text->at + used, text->len - used);
    while (line.len && line.at[line.len - 1] == '\r') {
        line.len--;
    }
    return line;
}

/* Neither names nor values of our columns are ever quoted. */
static size_t split(struct slice line, struct slice cells[COLUMNS_MAX])
{
    size_t n = 0;
    while (n < COLUMNS_MAX) {
        const char *comma = line.len ? memchr(line.at, ',', line.len) : NULL;
        cells[n++] = comma ? slice_make(line.at, (size_t)(comma - line.at)) : line;
        if (!comma) {
            break;
        }
        line = slice_make(comma + 1, line.len - (size_t)(comma - line.at) - 1);
    }
    return n;
}

static bool read_number(struct slice text, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint64_t digit = (uint64_t)(text.at[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, digit, number)) {
            return false;
        }
    }
    return text.len > 0;
}

static enum status strange(const struct influxdb *self, struct slice line, struct err *err)
{
    return err_set(err, FAILED, "%s: not an answer of InfluxDB 2's query API: %.*s", self->base,
                   (int)(line.len < 200 ? line.len : 200), line.at);
}

/* The columns that count; what goes wrong after InfluxDB has begun to answer comes as a table too.
 */
struct header {
    size_t n, time, value;
    bool known, is_error;
};

static bool read_header(struct slice line, struct header *header)
{
    struct slice cells[COLUMNS_MAX];
    *header = (struct header){.n = split(line, cells), .known = true};
    bool has_time = false, has_value = false;
    for (size_t i = 0; i < header->n; i++) {
        if (slice_is(cells[i], "error")) {
            header->is_error = true;
        } else if (slice_is(cells[i], "_time")) {
            header->time = i;
            has_time = true;
        } else if (slice_is(cells[i], "_value")) {
            header->value = i;
            has_value = true;
        }
    }
    return header->is_error || (has_time && has_value);
}

static enum status read_row(const struct influxdb *self, const struct header *header,
                            struct slice line, struct tally *tally, struct err *err)
{
    struct slice cells[COLUMNS_MAX];
    int64_t ns;
    uint64_t points;
    if (header->is_error) {
        return err_set(err, FAILED, "%s: %.*s", self->base, (int)(line.len < 300 ? line.len : 300),
                       line.at);
    }
    if (split(line, cells) != header->n || !timestamp_parse(cells[header->time], &ns) ||
        !read_number(cells[header->value], &points)) {
        return strange(self, line, err);
    }
    return tally->day(tally, timestamp_day(ns), points, err);
}

static enum status read_answer(const struct influxdb *self, struct slice text, struct tally *tally,
                               struct err *err)
{
    struct header header = {.known = false};
    while (text.len) {
        struct slice line = take_line(&text);
        enum status status = OK;
        if (line.len == 0) {
            header.known = false; /* another table may follow, with a header of its own */
        } else if (header.known) {
            status = read_row(self, &header, line, tally, err);
        } else if (!read_header(line, &header)) {
            status = strange(self, line, err);
        }
        if (status != OK) {
            return status;
        }
    }
    return OK;
}

/* --- when there is none --- */

static enum status refused(const struct influxdb *self, const struct http_reply *reply,
                           struct err *err)
{
    CLEANUP(buf_finish) struct buf said = {.max = sizeof err->text};
    influxdb_describe(self, reply, &said);
    return err_set(err, FAILED, "%s: %s", self->base, said.at);
}

/* A bucket that the token may not read looks like one that is not there; a write tells. */
static enum status not_readable(struct influxdb *self, const struct http_reply *reply,
                                struct err *err)
{
    CLEANUP(http_reply_finish) struct http_reply written;
    http_reply_init(&written);
    if (influxdb_write_nothing(self, &written, err) != OK) {
        return refused(self, reply, err);
    }
    CLEANUP_FREE char *message = influxdb_message(&written);
    switch (influxdb_judge(written.code, message)) {
    case INFLUXDB_NO_BUCKET:
        world_notice(self->world, "%s: there is no bucket \"%s\"", self->base, self->bucket);
        return OK;
    case INFLUXDB_DONE:
        return err_set(err, FAILED,
                       "%s: the token may not read bucket \"%s\": give it read access to have the "
                       "points counted",
                       self->base, self->bucket);
    default:
        return refused(self, reply, err);
    }
}

static enum status count(struct influxdb *self, struct tally *tally, struct err *err)
{
    CLEANUP(http_reply_finish) struct http_reply reply;
    http_reply_init(&reply);
    if (ask(self, tally, &reply, err) != OK) {
        return err->status;
    }
    if (reply.code == 200) {
        enum status status = read_answer(self, buf_slice(&reply.body), tally, err);
        if (status != OK) {
            http_blot(err->text, self->token);
        }
        return status;
    }
    return reply.code == 404 ? not_readable(self, &reply, err) : refused(self, &reply, err);
}

/* --- how long the bucket keeps points --- */

/* False when the token is not shown the bucket. */
static bool read_retention(const struct influxdb *self, const struct http_reply *reply,
                           int64_t *retention_ns)
{
    CLEANUP(influxdb_json_free)
    cJSON *json = cJSON_ParseWithLength(reply->body.at, reply->body.len);
    const cJSON *bucket = NULL;
    cJSON_ArrayForEach(bucket, cJSON_GetObjectItem(json, "buckets"))
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(bucket, "name"));
        if (name && strcmp(name, self->bucket) == 0) {
            const cJSON *rule =
                cJSON_GetArrayItem(cJSON_GetObjectItem(bucket, "retentionRules"), 0);
            double seconds = cJSON_GetNumberValue(cJSON_GetObjectItem(rule, "everySeconds"));
            bool limited = seconds > 0 && seconds < (double)INT64_MAX / NS_PER_SECOND;
            *retention_ns = limited ? (int64_t)seconds * NS_PER_SECOND : 0;
            return true;
        }
    }
    return false;
}

static enum status find_bound(struct influxdb *self, int64_t *kept_from_ns, struct err *err)
{
    CLEANUP(buf_finish) struct buf url = {.max = URL_MAX_BYTES};
    buf_printf(&url, "%s/api/v2/buckets?org=", self->base);
    http_encode(&url, slice_of(self->org), false);
    buf_add_text(&url, "&name=");
    http_encode(&url, slice_of(self->bucket), false);
    struct http_request request = influxdb_request(self, "GET", buf_text(&url));
    CLEANUP(http_reply_finish) struct http_reply reply;
    http_reply_init(&reply);
    if (influxdb_exchange(self, &request, &reply, err) != OK) {
        return err->status;
    }
    int64_t retention_ns = self->retention_ns;
    if (reply.code == 200) {
        read_retention(self, &reply, &retention_ns);
    }
    int64_t now_ns = world_now(self->world);
    *kept_from_ns = retention_ns > 0 ? now_ns - retention_ns : INT64_MIN;
    return OK;
}

enum status influxdb_count(void *instance, struct tally *tally, struct err *err)
{
    struct influxdb *self = instance;
    int64_t retry_for_ns = self->retry_for_ns;
    if (retry_for_ns == 0 || retry_for_ns > try_for_ns) {
        self->retry_for_ns = try_for_ns; /* somebody waits for the answer */
    }
    enum status status = find_bound(self, &tally->kept_from_ns, err);
    if (status == OK) {
        status = count(self, tally, err);
    }
    self->retry_for_ns = retry_for_ns;
    return status;
}
