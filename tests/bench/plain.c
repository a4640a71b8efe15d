/*
 * plain: the plain way to do the gateway's work, to measure it against: zlib inflates, cJSON makes
 * a tree of each record, a byte loop escapes; with --post, zlib-1 packs batches of 5,000 lines or
 * 4 MiB and libcurl posts them. It knows S3 API records only, checks nothing and hides nothing.
 * usage: plain [--post URL] FILE...     without --post: line protocol on stdout
 * Not part of the program; run by tests/bench/bench.py.
 */
#include "base/buf.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

enum { BATCH_LINES = 5000, BATCH_BYTES = 4 * 1024 * 1024, MAX_BYTES = 64 * 1024 * 1024 };

struct plain {
    CURL *curl; /* NULL: stdout */
    struct buf out, line, packed;
    size_t n_lines;
};

/* --- one record --- */

static const cJSON *at(const cJSON *node, const char *const *keys)
{
    for (; node && *keys; keys++) {
        node = cJSON_GetObjectItemCaseSensitive(node, *keys);
    }
    return node;
}

/* The byte loop; as fast as one is, so that the comparison is fair. */
static void add_quoted(struct buf *out, struct slice text)
{
    char *room = buf_room(out, 2 * text.len), *to = room;
    for (size_t i = 0; room && i < text.len; i++) {
        if (text.at[i] == '"' || text.at[i] == '\\') {
            *to++ = '\\';
        }
        *to++ = text.at[i];
    }
    out->len += room ? (size_t)(to - room) : 0;
}

static void add_name(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == ',' || *text == ' ' || *text == '=') {
            buf_add_byte(out, '\\');
        }
        buf_add_byte(out, *text);
    }
}

static void add_tag(struct buf *out, const char *name, const cJSON *value)
{
    if (cJSON_IsNumber(value)) {
        buf_printf(out, ",%s=%d", name, value->valueint);
    } else if (cJSON_IsString(value) && *value->valuestring) {
        buf_printf(out, ",%s=", name);
        add_name(out, value->valuestring);
    }
}

static void add_address(struct buf *out, const char *name, const cJSON *value)
{
    if (cJSON_IsString(value)) {
        char address[64];
        snprintf(address, sizeof address, "%s", value->valuestring);
        address[strcspn(address, ":")] = '\0';
        buf_printf(out, ",%s=%s", name, address);
    }
}

static void add_duration(struct buf *out, const char *name, const cJSON *value)
{
    if (cJSON_IsString(value)) {
        buf_printf(out, ",%s=%lldi", name, atoll(value->valuestring));
    }
}

static long long time_of(const cJSON *value)
{
    struct tm tm = {0};
    const char *rest = cJSON_IsString(value) ? strptime(value->valuestring, "%FT%T", &tm) : NULL;
    long long ns = 0;
    if (rest && *rest == '.') {
        int digits = 0;
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, digits++) {
            ns = ns * 10 + (*rest - '0');
        }
        for (; digits < 9; digits++) {
            ns *= 10;
        }
    }
    return (long long)timegm(&tm) * 1000000000 + ns;
}

#define AT(...) at(record, (const char *const[]){__VA_ARGS__, NULL})

static void add_record(struct buf *out, struct slice text, const cJSON *record)
{
    buf_add_text(out, "audit-01");
    add_tag(out, "auditEntry.api.bucket", AT("auditEntry", "api", "bucket"));
    add_tag(out, "auditEntry.api.name", AT("auditEntry", "api", "name"));
    add_tag(out, "auditEntry.api.statusCode", AT("auditEntry", "api", "statusCode"));
    add_address(out, "auditEntry.requestHeader.X-Real-Ip",
                AT("auditEntry", "requestHeader", "X-Real-Ip"));
    add_tag(out, "serviceAccountCreatorId", AT("serviceAccountCreatorId"));
    add_tag(out, "serviceAccountName", AT("serviceAccountName"));
    buf_add_byte(out, ' ');
    buf_add_text(out, "message=\"");
    add_quoted(out, text);
    buf_add_byte(out, '"');
    add_duration(out, "auditEntry.api.timeToResponse", AT("auditEntry", "api", "timeToResponse"));
    add_duration(out, "auditEntry.api.timeToFirstByte", AT("auditEntry", "api", "timeToFirstByte"));
    buf_printf(out, " %lld\n", time_of(AT("auditEntry", "time")));
}

/* --- batches --- */

static bool pack(struct plain *plain)
{
    z_stream stream = {.next_in = (unsigned char *)plain->out.at,
                       .avail_in = (unsigned)plain->out.len};
    if (deflateInit2(&stream, 1, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return false;
    }
    size_t bound = deflateBound(&stream, plain->out.len);
    buf_clear(&plain->packed);
    stream.next_out = (unsigned char *)buf_room(&plain->packed, bound);
    stream.avail_out = (unsigned)bound;
    bool packed = stream.next_out && deflate(&stream, Z_FINISH) == Z_STREAM_END;
    plain->packed.len = stream.total_out;
    deflateEnd(&stream);
    return packed;
}

static bool flush(struct plain *plain)
{
    bool sent;
    if (plain->curl) {
        sent = pack(plain) &&
               curl_easy_setopt(plain->curl, CURLOPT_POSTFIELDS, plain->packed.at) == CURLE_OK &&
               curl_easy_setopt(plain->curl, CURLOPT_POSTFIELDSIZE_LARGE,
                                (curl_off_t)plain->packed.len) == CURLE_OK &&
               curl_easy_perform(plain->curl) == CURLE_OK;
    } else {
        sent = write(STDOUT_FILENO, plain->out.at, plain->out.len) == (ssize_t)plain->out.len;
    }
    buf_clear(&plain->out);
    plain->n_lines = 0;
    return sent;
}

static bool take_line(struct plain *plain)
{
    if (plain->line.len && plain->line.at[plain->line.len - 1] == '\r') {
        plain->line.len--;
    }
    const char *text = buf_text(&plain->line);
    cJSON *record = cJSON_ParseWithLength(text, plain->line.len);
    if (record) {
        add_record(&plain->out, buf_slice(&plain->line), record);
        plain->n_lines++;
    }
    cJSON_Delete(record);
    buf_clear(&plain->line);
    bool full = plain->n_lines >= BATCH_LINES || plain->out.len >= BATCH_BYTES - 8192;
    return !full || flush(plain);
}

static bool take_file(struct plain *plain, const char *path)
{
    gzFile file = gzopen(path, "rb");
    if (!file) {
        return false;
    }
    gzbuffer(file, 256 * 1024);
    char chunk[64 * 1024];
    int len;
    bool good = true;
    while (good && (len = gzread(file, chunk, sizeof chunk)) > 0) {
        const char *from = chunk, *end = chunk + len, *lf;
        while (good && (lf = memchr(from, '\n', (size_t)(end - from)))) {
            buf_add(&plain->line, slice_make(from, (size_t)(lf - from)));
            good = take_line(plain);
            from = lf + 1;
        }
        buf_add(&plain->line, slice_make(from, (size_t)(end - from)));
    }
    return gzclose(file) == Z_OK && good;
}

int main(int argc, char **argv)
{
    struct plain plain = {.out.max = MAX_BYTES, .line.max = MAX_BYTES, .packed.max = MAX_BYTES};
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Encoding: gzip");
    headers = curl_slist_append(headers, "Expect:");
    int first = 1;
    if (argc > 2 && strcmp(argv[1], "--post") == 0) {
        plain.curl = curl_easy_init();
        curl_easy_setopt(plain.curl, CURLOPT_URL, argv[2]);
        curl_easy_setopt(plain.curl, CURLOPT_HTTPHEADER, headers);
        first = 3;
    }
    bool good = true;
    for (int i = first; good && i < argc; i++) {
        good = take_file(&plain, argv[i]);
    }
    good = good && flush(&plain);
    curl_slist_free_all(headers);
    curl_easy_cleanup(plain.curl);
    buf_finish(&plain.out);
    buf_finish(&plain.line);
    buf_finish(&plain.packed);
    return good ? 0 : 1;
}
