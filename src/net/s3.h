/*
 * s3: how S3 names things: endpoints, regions, URLs of objects and listings, entity tags. Pure.
 * Used by datasources/s3 (and s3_list for the tags); requests and retries are not here.
 */
#ifndef NET_S3_H
#define NET_S3_H

#include "api/status.h"
#include "base/buf.h"
#include "base/slice.h"

#include <stdint.h>

enum {
    S3_HOST_MAX_BYTES = 253, /* of a DNS name, RFC 1035 */
    S3_BUCKET_MAX_BYTES = 255,
    S3_REGION_MAX_BYTES = 63,
    S3_URL_MAX_BYTES = 32 * 1024, /* a token of 4,096 bytes, a prefix and a key of 1,024, encoded */
};

/* Where the bucket's name goes in a URL. AUTO: as a part of the host for *.amazonaws.com (but not
 * with dots in it, which no wildcard certificate matches), in the path everywhere else. */
enum s3_style { S3_STYLE_AUTO, S3_STYLE_PATH, S3_STYLE_VIRTUAL };

struct s3_address {
    char endpoint[S3_HOST_MAX_BYTES + 16]; /* "https://host[:port]", lower case, no default port */
    char bucket_url[4 * S3_HOST_MAX_BYTES + 3 * S3_BUCKET_MAX_BYTES]; /* without a last slash */
    char region[S3_REGION_MAX_BYTES + 1];
};

/* endpoint_url: "s3.us-east-1.lyvecloud.seagate.com", "http://127.0.0.1:9000/"; without a scheme it
 * is https. region: NULL = from the endpoint's name. BAD_CONFIG names the option at fault. */
enum status s3_address_init(struct s3_address *out, const char *endpoint_url, const char *bucket,
                            const char *region, enum s3_style style, struct err *err);

/* The URL of one object, encoded as the signature wants it. False: no room. */
bool s3_object_url(struct buf *out, const struct s3_address *address, struct slice key);

struct s3_list_query {
    struct slice prefix;
    bool by_folder;     /* delimiter=/ */
    const char *token;  /* continuation-token; "" = the first page */
    struct slice after; /* start-after, for the first page; "" = from the first key on */
    int max_keys;
    bool encoding_type_url; /* for keys that XML cannot carry */
};

/* The URL of one page of ListObjectsV2, parameters sorted by name. False: no room. */
bool s3_list_url(struct buf *out, const struct s3_address *address,
                 const struct s3_list_query *query);

/* Undoes encoding-type=url in place: S3 and MinIO write a space as '+'. False: "%" without two hex
 * digits. */
bool s3_url_decode(char *text, size_t *len);

/* An entity tag as 16 bytes: 32 hex digits as they are, every other text (multipart tags end in
 * "-N") as its XXH3_128 in canonical order. Quotes around it do not count. False: no tag. */
bool etag_digest(struct slice etag, unsigned char digest[16]);

/* What stands in for the tag where a server sends none. */
void etag_of_size_and_time(int64_t size, int64_t last_modified_ns, unsigned char digest[16]);

#endif
