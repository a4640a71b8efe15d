/*
 * influxdb_bucket: makes the bucket when a write finds it missing and the token may, and otherwise
 * tells the operator the command. Called by influxdb_send and by connect.
 *
 * The write's own 404 is the only proof that a bucket is missing: a token that may only write is
 * shown no buckets and no organizations at all.
 */
#include "influxdb.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/timestamp.h"

#include <cjson/cJSON.h>

enum { URL_MAX_BYTES = 16 * 1024, COMMAND_MAX_BYTES = 2048 };

/* text as one word of a POSIX shell */
static void add_quoted(struct buf *out, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./";
    if (text[0] && text[0] != '-' && text[strspn(text, plain)] == '\0') {
        buf_add_text(out, text);
        return;
    }
    buf_add_byte(out, '\'');
    for (; *text; text++) {
        if (*text == '\'') {
            buf_add_text(out, "'\\''");
        } else {
            buf_add_byte(out, *text);
        }
    }
    buf_add_byte(out, '\'');
}

/* As the influx command writes it; open() has made sure of whole seconds. */
static void add_retention(const struct influxdb *self, struct buf *out)
{
    int64_t seconds = self->retention_ns / NS_PER_SECOND;
    if (seconds % 3600 == 0) {
        buf_add_int(out, seconds / 3600);
        buf_add_text(out, seconds ? "h" : "");
    } else {
        buf_add_int(out, seconds);
        buf_add_byte(out, 's');
    }
}

static void add_command(const struct influxdb *self, struct buf *out)
{
    buf_add_text(out, "influx bucket create --name ");
    add_quoted(out, self->bucket);
    buf_add_text(out, " --org ");
    add_quoted(out, self->org);
    buf_add_text(out, " --retention ");
    add_retention(self, out);
}

static enum status cannot_make(const struct influxdb *self, const char *why, struct err *err)
{
    CLEANUP(buf_finish) struct buf command = {.max = COMMAND_MAX_BYTES};
    add_command(self, &command);
    return err_set(err, FAILED, "%s: there is no bucket \"%s\"; make it with: %s (%s)", self->base,
                   self->bucket, buf_text(&command), why);
}

/* The id of the organization in the reply of /api/v2/orgs, malloc'ed; NULL when it is not there. */
static char *read_org_id(const struct influxdb *self, const struct http_reply *reply)
{
    CLEANUP(influxdb_json_free)
    cJSON *json = cJSON_ParseWithLength(reply->body.at, reply->body.len);
    const cJSON *org = NULL;
    cJSON_ArrayForEach(org, cJSON_GetObjectItem(json, "orgs"))
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(org, "name"));
        const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(org, "id"));
        if (name && id && strcmp(name, self->org) == 0) {
            return memory_copy(id, strlen(id));
        }
    }
    return NULL;
}

static enum status find_org(struct influxdb *self, char **id, struct err *err)
{
    CLEANUP(buf_finish) struct buf url = {.max = URL_MAX_BYTES};
    buf_add_text(&url, self->base);
    buf_add_text(&url, "/api/v2/orgs?org=");
    http_encode(&url, slice_of(self->org), false);
    struct http_request request = influxdb_request(self, "GET", buf_text(&url));
    CLEANUP(http_reply_finish) struct http_reply reply;
    http_reply_init(&reply);
    if (influxdb_exchange(self, &request, &reply, err) != OK) {
        return err->status;
    }
    *id = reply.code == 200 ? read_org_id(self, &reply) : NULL;
    return *id ? OK : cannot_make(self, "the token may not see the organization", err);
}

/* The body of POST /api/v2/buckets, malloc'ed. */
static char *bucket_json(const struct influxdb *self, const char *org_id)
{
    CLEANUP(influxdb_json_free) cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "orgID", org_id);
    cJSON_AddStringToObject(json, "name", self->bucket);
    cJSON *rules = cJSON_AddArrayToObject(json, "retentionRules");
    if (self->retention_ns > 0) {
        cJSON *rule = cJSON_CreateObject();
        cJSON_AddStringToObject(rule, "type", "expire");
        cJSON_AddNumberToObject(rule, "everySeconds", (double)(self->retention_ns / NS_PER_SECOND));
        cJSON_AddItemToArray(rules, rule);
    }
    return cJSON_PrintUnformatted(json);
}

static void notice_made(struct influxdb *self)
{
    CLEANUP(buf_finish) struct buf retention = {.max = 64};
    add_retention(self, &retention);
    world_notice(self->world, "%s: made bucket \"%s\", retention %s", self->base, self->bucket,
                 self->retention_ns ? buf_text(&retention) : "for ever");
}

/* What the reply to POST /api/v2/buckets means. */
static enum status bucket_made(struct influxdb *self, const struct http_reply *reply,
                               struct err *err)
{
    if (reply->code == 201) {
        notice_made(self);
        self->bucket_made = true;
        return OK;
    }
    CLEANUP_FREE char *message = influxdb_message(reply);
    if (reply->code == 422 && strstr(message, "already exists")) {
        self->bucket_made = true; /* by another worker, in the meantime */
        return OK;
    }
    CLEANUP(buf_finish) struct buf said = {.max = sizeof err->text};
    influxdb_describe(self, reply, &said);
    return cannot_make(self, said.at, err);
}

enum status influxdb_bucket_make(struct influxdb *self, struct err *err)
{
    if (self->bucket_made) {
        return cannot_make(self, "it was made in this run and is gone again", err);
    }
    CLEANUP_FREE char *org_id = NULL;
    if (find_org(self, &org_id, err) != OK) {
        return err->status;
    }
    CLEANUP(buf_finish) struct buf url = {.max = URL_MAX_BYTES};
    buf_printf(&url, "%s/api/v2/buckets", self->base);
    CLEANUP_FREE char *body = bucket_json(self, org_id);
    struct http_request request = influxdb_request(self, "POST", buf_text(&url));
    request.headers[1] = (struct http_header){"Content-Type", "application/json"};
    request.body = slice_of(body);
    CLEANUP(http_reply_finish) struct http_reply reply;
    http_reply_init(&reply);
    if (influxdb_exchange(self, &request, &reply, err) != OK) {
        return err->status;
    }
    return bucket_made(self, &reply, err);
}

enum status influxdb_bucket_ahead(struct influxdb *self, struct err *err)
{
    CLEANUP_FREE char *org_id = NULL;
    if (find_org(self, &org_id, err) != OK) {
        return err->status;
    }
    CLEANUP(buf_finish) struct buf command = {.max = COMMAND_MAX_BYTES};
    add_command(self, &command);
    world_notice(self->world,
                 "%s: there is no bucket \"%s\" yet: the first write makes it, if the token may; "
                 "otherwise: %s",
                 self->base, self->bucket, buf_text(&command));
    return OK;
}
