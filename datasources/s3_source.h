/*
 * s3_source: what the files of the s3 datasource share: s3.c (options, listing), s3_fetch.c
 * (reading one object) and s3_write.c with s3_multipart.c (the same place as a sink). Nobody else
 * includes this.
 */
#ifndef S3_SOURCE_H
#define S3_SOURCE_H

#include "api/datasource.h"
#include "net/http.h"
#include "net/s3.h"
#include "net/s3_list.h"
#include "output.h"

enum { S3_CONNECT_RETRIES = 1 }; /* of a check: somebody waits */

struct s3_source {
    /* options */
    const char *endpoint_url, *log_bucket, *access_key, *secret_key, *session_token, *region;
    const char *folders, *ca_file;
    struct text_list ignore;
    int path_style; /* enum s3_style */
    int64_t retries, stall_timeout_ns;
    const char *prefix; /* NULL: none */
    int format;         /* index in output_formats */
    bool gzip;

    struct world *world;
    struct http *http;
    struct http_signature signature;
    struct s3_address address;
    struct http_reply reply; /* to the last request */
    struct s3_list *list;
    uint64_t list_requests;
    bool encode_keys; /* this bucket has keys that XML cannot carry */
    bool parked;      /* the GET under way was let go of */
    bool is_sink;     /* for advice: it is written */
    struct outputs outputs;
};

/* The parts of a request that are the same for all. */
struct http_request s3_request(const struct s3_source *self, const char *url);

/* http_reply_describe() without our secrets. */
void s3_describe(const struct s3_source *self, struct buf *out);

/* Says in err what the reply's code means and what a person can do about it. */
enum status s3_refusal(const struct s3_source *self, struct err *err);

/* Waits before another try, after one that err tells about. FAILED: that was the last try (err says
 * so), or the run is to stop. */
enum status s3_wait(struct s3_source *self, unsigned *attempt, struct err *err);

enum status s3_fetch(void *self, const struct object *object, struct intake *to, struct err *err);
void s3_park(void *self);

extern const struct output_calls s3_output_calls;

/* What the keys of a sink begin with; may be "". */
const char *s3_prefix(const struct s3_source *self);

/* The writing half of struct datasource. */
enum status s3_connect_to_write(void *self, struct err *err);
enum status s3_put(void *self, const struct point *point, struct err *err);
enum status s3_flush(void *self, struct refusals *refused, struct err *err);
enum status s3_begin(void *self, const struct object *object, struct err *err);
enum status s3_end(void *self, struct err *err);
void s3_drop(void *self);
void s3_target(void *self, struct place *out);

#endif
