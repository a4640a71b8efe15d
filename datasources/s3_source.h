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

enum {
    S3_CONNECT_RETRIES = 1, /* of a check: somebody waits */
    S3_DOWNLOADS = 2,       /* one and the next */
};

struct s3_source;

/* One object on its way (s3_fetch.c). */
struct s3_download {
    struct s3_source *self;
    struct object object; /* its key is in .key */
    struct buf key, url;
    struct intake *to;
    struct buf held;    /* what has come, when is_held: it is handed on when it is whole */
    int64_t done_bytes; /* received and handed on or held */
    int64_t asked_from; /* of the request under way */
    char range[40];     /* of that */
    char if_match[256]; /* the strong tag of the first reply; "" = it had none */
    bool is_held;
    bool begun;        /* a request is under way */
    bool accepted;     /* a reply has shown the object we want */
    bool fresh;        /* the reply under way is not checked yet */
    enum status ended; /* by a check or by `to`, err is set; OK = not */
};

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
    struct s3_download downloads[S3_DOWNLOADS];
    unsigned turn; /* which of them is or was fetched; the other one is the next */
    bool is_sink;  /* for advice: it is written */
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

void s3_download_init(struct s3_download *download, struct s3_source *self);
void s3_download_finish(struct s3_download *download);
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
