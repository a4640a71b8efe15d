/*
 * s3_upload: what writing to S3 needs besides s3.h: digests of a body, the URLs of a multipart
 * upload, and the XML that goes with it. Pure; requests and retries are those of
 * datasources/s3_write and s3_multipart.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 */
#ifndef NET_S3_UPLOAD_H
#define NET_S3_UPLOAD_H

#include "net/s3.h"

enum {
    S3_UPLOAD_ID_MAX_BYTES = 1024, /* AWS's have 128 or so */
    S3_PART_NUMBER_MAX = 10000,
};

/* A body's digests as headers want them. */
struct s3_digests {
    char sha256[65]; /* hex, for x-amz-content-sha256: signed, so the server refuses other bytes */
    char md5[25];    /* base64, for Content-MD5, which also those check that do not check the other;
                        "" = MD5 is switched off on this machine */
};
void s3_digests_of(struct slice body, struct s3_digests *out);

/* URLs, parameters sorted by name. False: no room. */
bool s3_uploads_url(struct buf *out, const struct s3_address *address, struct slice key);
bool s3_part_url(struct buf *out, const struct s3_address *address, struct slice key,
                 const char *upload_id, unsigned part);
bool s3_upload_url(struct buf *out, const struct s3_address *address, struct slice key,
                   const char *upload_id);
/* One page of the unfinished uploads whose keys begin with prefix. */
bool s3_uploads_list_url(struct buf *out, const struct s3_address *address, struct slice prefix,
                         unsigned max_uploads);

/* Reads InitiateMultipartUploadResult. False: it is none. */
bool s3_upload_id_read(struct slice xml, char id[S3_UPLOAD_ID_MAX_BYTES + 1]);

/* Whether it is a CompleteMultipartUploadResult. */
bool s3_is_completed(struct slice xml);

/* Calls each() with the id of every unfinished upload of exactly this key in a
 * ListMultipartUploadsResult. False: it is none. */
bool s3_uploads_read(struct slice xml, struct slice key, void (*each)(void *with, const char *id),
                     void *with);

/* Adds one <Part> to the body of the request that completes an upload. False: no room, or an etag
 * that no server sends. */
bool s3_part_add(struct buf *parts, unsigned part, const char *etag);

#endif
