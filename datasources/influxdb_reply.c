/*
 * influxdb_reply: what a reply of the write API means and how to say so. Called by influxdb_send
 * and influxdb_bucket; sends nothing itself. The wordings are those of InfluxDB 2.0 to 2.7.
 * https://docs.influxdata.com/influxdb/v2/write-data/troubleshoot/
 */
#include "influxdb.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/timestamp.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

void influxdb_json_free(cJSON **json)
{
    cJSON_Delete(*json);
}

/* A reply that repeats long lines is cut by net/http and no JSON any more: what follows the key,
 * escapes and all, is near enough to judge by. */
static char *message_of_cut(const struct http_reply *reply)
{
    static const char begin[] = "{\"code\":\"", key[] = "\",\"message\":\"";
    struct slice body = buf_slice(&reply->body);
    const char *at =
        slice_starts(body, begin) ? memmem(body.at, body.len, key, sizeof key - 1) : NULL;
    if (!at) {
        return memory_copy("", 0);
    }
    at += sizeof key - 1;
    return memory_copy(at, (size_t)(body.at + body.len - at));
}

/* Every error of InfluxDB 2 has both; a proxy's has a message at most. */
char *influxdb_message(const struct http_reply *reply)
{
    CLEANUP(influxdb_json_free)
    cJSON *json = cJSON_ParseWithLength(reply->body.at, reply->body.len);
    if (!json) {
        return message_of_cut(reply);
    }
    const char *code = cJSON_GetStringValue(cJSON_GetObjectItem(json, "code"));
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(json, "message"));
    return code && text ? memory_copy(text, strlen(text)) : memory_copy("", 0);
}

static bool says(const char *message, const char *words)
{
    return strstr(message, words) != NULL;
}

static bool says_outside(const char *message)
{
    return says(message, " points outside retention policy") ||
           says(message, "points beyond retention policy");
}

static enum influxdb_verdict judge_missing(const char *message)
{
    if (slice_starts(slice_of(message), "organization")) {
        return INFLUXDB_NO_ORG;
    }
    bool bucket = says(message, "bucket") && says(message, "not found");
    return bucket ? INFLUXDB_NO_BUCKET : INFLUXDB_HOLD;
}

/* A proxy's 400 or 422, or that of a TLS port spoken to in plain HTTP, says nothing about the
 * lines: taking it for a verdict would make a dead letter of every record. */
enum influxdb_verdict influxdb_judge(int code, const char *message)
{
    bool partial = says(message, "partial write");
    switch (code) {
    case 204:
        return INFLUXDB_DONE;
    case 400:
        return message[0] ? INFLUXDB_MALFORMED : INFLUXDB_HOLD;
    case 404:
        return judge_missing(message);
    case 413:
        return INFLUXDB_TOO_LARGE;
    case 422:
        if (!message[0]) {
            return INFLUXDB_HOLD;
        }
        return says_outside(message) ? INFLUXDB_OUTSIDE : INFLUXDB_PARTIAL;
    case 500:
        if (partial) {
            return says_outside(message) ? INFLUXDB_OUTSIDE : INFLUXDB_PARTIAL;
        }
        return INFLUXDB_LATER;
    default:
        return http_verdict(code) == HTTP_LATER ? INFLUXDB_LATER : INFLUXDB_HOLD;
    }
}

/* What follows the last occurrence of words: before it the reply repeats tags, whose values anybody
 * may have chosen. */
static const char *after_last(const char *message, const char *words)
{
    const char *found = NULL;
    for (const char *at = message; (at = strstr(at, words)); at += strlen(words)) {
        found = at + strlen(words);
    }
    return found;
}

static struct slice first_word(const char *text)
{
    return slice_make(text, strcspn(text, " ,\"\\"));
}

bool influxdb_bound(const struct influxdb *self, const char *message, int64_t *bound_ns)
{
    int64_t now_ns = world_now(self->world);
    const char *bound = after_last(message, " Retention Policy Lower Bound at ");
    if (bound && timestamp_parse(first_word(bound), bound_ns) && *bound_ns <= now_ns) {
        return true;
    }
    if (self->retention_ns > 0) {
        *bound_ns = now_ns - self->retention_ns;
        return true;
    }
    return false;
}

/* "dropped 2 points outside retention policy", "points beyond retention policy dropped=2". A bucket
 * with a write window says the former with 0 when only the window was missed. */
size_t influxdb_dropped(const char *message)
{
    static const char beyond[] = "points beyond retention policy";
    const char *count = strstr(message, beyond);
    if (count) {
        count = strstr(count, "dropped=");
        return count ? strtoul(count + strlen("dropped="), NULL, 10) : 1;
    }
    count = strstr(message, "dropped ");
    return count ? strtoul(count + strlen("dropped "), NULL, 10) : 0;
}

const char *influxdb_reason(struct influxdb *self, const char *message)
{
    enum { REASON_MAX_BYTES = 300 };
    static const char parse[] = "unable to parse '",
                      write[] = "failure writing points to database: ";
    struct err reason;
    if (slice_starts(slice_of(message), parse)) {
        const char *why = after_last(message, "': ");
        err_set(&reason, BAD_DATA, "InfluxDB cannot parse the line%s%.*s", why ? ": " : "",
                REASON_MAX_BYTES, why ? why : "");
    } else {
        bool prefixed = slice_starts(slice_of(message), write);
        err_set(&reason, BAD_DATA, "%.*s", REASON_MAX_BYTES,
                prefixed ? message + sizeof write - 1 : message);
    }
    http_blot(reason.text, self->token);
    return arena_text(&self->reasons, slice_of(reason.text));
}

void influxdb_describe(const struct influxdb *self, const struct http_reply *reply, struct buf *out)
{
    http_reply_describe(reply, out);
    buf_text(out);
    http_blot(out->at, self->token);
}

/* "https://other.example" of "https://other.example/login?next=.." */
static struct slice location_host(const struct http_reply *reply)
{
    const char *authority = strstr(reply->location, "://");
    size_t skip = authority ? (size_t)(authority + 3 - reply->location) : 0;
    return slice_make(reply->location,
                      skip + strcspn(reply->location + skip, authority ? "/?#" : "?#"));
}

static enum status hold_redirect(const struct influxdb *self, const struct http_reply *reply,
                                 struct err *err)
{
    struct slice host = location_host(reply);
    if (host.len == 0) {
        host = slice_of("another address");
    }
    return err_set(err, FAILED,
                   "%s: redirects to %.*s (%d): set host to the address that answers itself",
                   self->base, SLICE_ARG(host), reply->code);
}

enum status influxdb_hold(const struct influxdb *self, enum influxdb_verdict verdict,
                          const struct http_reply *reply, struct err *err)
{
    CLEANUP(buf_finish) struct buf said = {.max = sizeof err->text};
    influxdb_describe(self, reply, &said);
    if (verdict == INFLUXDB_NO_ORG) {
        return err_set(err, FAILED, "%s: there is no organization \"%s\": check org (%s)",
                       self->base, self->org, said.at);
    }
    if (reply->code >= 300 && reply->code < 400) {
        return hold_redirect(self, reply, err);
    }
    if (reply->code == 401) {
        return err_set(err, FAILED,
                       "%s: the token is not accepted: set token to an API token that may write to "
                       "bucket \"%s\" (%s)",
                       self->base, self->bucket, said.at);
    }
    if (reply->code == 403) {
        return err_set(err, FAILED,
                       "%s: the token may not write to bucket \"%s\": give it write access or set "
                       "another token (%s)",
                       self->base, self->bucket, said.at);
    }
    return err_set(err, FAILED,
                   "%s: not an answer of InfluxDB 2's write API: check host, and what stands "
                   "between (%s)",
                   self->base, said.at);
}
