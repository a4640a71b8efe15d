/*
 * influxdb: what the files of the InfluxDB datasource share. Private to datasources/influxdb*.c and
 * their test.
 *
 *   influxdb.c         options, connection, collecting points into a batch
 *   influxdb_send.c    sending a batch until the fate of each of its lines is known
 *   influxdb_reply.c   reading a reply: what it means, what to tell the operator
 *   influxdb_bucket.c  making a missing bucket
 *   influxdb_gzip.c    packing a body
 *   influxdb_count.c   asking how many points there are
 */
#ifndef INFLUXDB_H
#define INFLUXDB_H

#include "api/datasource.h"
#include "base/arena.h"
#include "base/buf.h"
#include "net/http.h"

enum {
    /* Requests spent on one batch to find out what a partial write left out. */
    INFLUXDB_CONFIRM_MAX = 64,
    /* A line longer than batch_bytes is sent alone, up to this. */
    INFLUXDB_LINE_MAX_BYTES = 16 * 1024 * 1024,
};

enum influxdb_fate { INFLUXDB_WAITING, INFLUXDB_STORED, INFLUXDB_REFUSED };

struct influxdb_line {
    size_t at; /* in body; it ends where the next one starts */
    int64_t time_ns;
    enum influxdb_fate fate;
    enum refusal refusal; /* when refused: */
    const char *reason;   /* in .reasons */
};

/* Lines [from, to) whose fate is to be settled by one request, or by those of its halves. */
struct influxdb_range {
    size_t from, to;
    bool unsure; /* part of what was written in part */
};

/* Points that were put, encoded. */
struct influxdb_batch {
    struct buf body;
    struct influxdb_line *lines; /* [batch_lines] */
    size_t n_lines, n_queued;    /* lines before n_queued are settled or in a range */
};

struct influxdb {
    /* options */
    const char *host, *token, *org, *bucket, *ca_file;
    int64_t retention_ns, batch_lines, batch_bytes, retry_for_ns;
    int gzip;

    struct world *world;
    struct http *http;
    char *base;          /* "http://localhost:8086" */
    char *write_url;     /* with its query */
    char *authorization; /* secret */
    bool compress;
    bool bucket_made;  /* by us, in this run */
    char noticed[256]; /* the last reason for waiting an operator was told of */

    struct influxdb_batch batches[2]; /* the second one is made by the first send() */
    struct influxdb_batch *filling;   /* takes points */
    struct influxdb_batch *sending;   /* the next flush is about it; the same until send() */

    /* of the batch that is sent */
    struct influxdb_range *ranges;
    size_t n_ranges, ranges_size;
    unsigned confirming; /* requests spent, of INFLUXDB_CONFIRM_MAX */
    const char *doubt;   /* why lines would be unconfirmed; in .reasons */
    struct arena reasons;

    struct buf picked; /* the waiting lines of a range that has settled ones in between */
    struct buf zipped;
    struct http_request request; /* the last one with lines */
    struct http_reply reply;     /* to it */
    bool begun;                  /* it is under way */
};

/* --- influxdb.c --- */

/* Gives it its room, once; close() frees it. */
void influxdb_batch_make(const struct influxdb *self, struct influxdb_batch *batch);

/* Writes an empty body, which is answered like a write. Statuses as of http_perform(). */
enum status influxdb_write_nothing(struct influxdb *self, struct http_reply *reply,
                                   struct err *err);

/* --- influxdb_send.c --- */

void influxdb_send(void *instance);
enum status influxdb_flush(void *instance, struct refusals *refused, struct err *err);

/* A request to self->base with the token, to be completed by the caller. */
struct http_request influxdb_request(const struct influxdb *self, const char *method,
                                     const char *url);

/* Performs it until an answer comes that is not "later". OK: reply is that answer, to be finished
 * by the caller. FAILED: the run is to stop, or retry_for is over. */
enum status influxdb_exchange(struct influxdb *self, const struct http_request *request,
                              struct http_reply *reply, struct err *err);

/* --- influxdb_reply.c --- */

struct cJSON;
void influxdb_json_free(struct cJSON **json); /* for CLEANUP */

enum influxdb_verdict {
    INFLUXDB_DONE,      /* 204 */
    INFLUXDB_MALFORMED, /* 400: nothing was stored, for the sake of at least one line */
    INFLUXDB_TOO_LARGE, /* 413: nothing was stored */
    INFLUXDB_PARTIAL,   /* 422, 500: the good lines were stored, which ones is not said */
    INFLUXDB_OUTSIDE,   /* the same: some lines are older than the bucket keeps */
    INFLUXDB_LATER,     /* 408, 429, 5xx */
    INFLUXDB_NO_BUCKET, /* 404 */
    INFLUXDB_NO_ORG,    /* 404 */
    INFLUXDB_HOLD,      /* anything else: a person has to act */
};

/* The message of an error of InfluxDB 2, "" of any other reply; malloc'ed, may hold foreign text of
 * any length. */
char *influxdb_message(const struct http_reply *reply);

enum influxdb_verdict influxdb_judge(int code, const char *message);

/* The time before which the bucket keeps nothing: as the reply says, else by the option. False: not
 * known. */
bool influxdb_bound(const struct influxdb *self, const char *message, int64_t *bound_ns);

/* At least so many points of an INFLUXDB_OUTSIDE were older than the bucket keeps. */
size_t influxdb_dropped(const char *message);

/* For a dead letter: the message without the line it repeats; in self->reasons. */
const char *influxdb_reason(struct influxdb *self, const char *message);

/* For messages: code and words of the reply, the token blotted out. */
void influxdb_describe(const struct influxdb *self, const struct http_reply *reply,
                       struct buf *out);

/* FAILED, with what the operator has to do about this reply to a write. */
enum status influxdb_hold(const struct influxdb *self, enum influxdb_verdict verdict,
                          const struct http_reply *reply, struct err *err);

/* --- influxdb_bucket.c --- */

/* Makes the bucket a write found missing. OK: it is there, or another worker made it. */
enum status influxdb_bucket_make(struct influxdb *self, struct err *err);

/* For connect, when the bucket is missing. OK: tells the operator that the first write makes it. */
enum status influxdb_bucket_ahead(struct influxdb *self, struct err *err);

/* --- influxdb_count.c --- */

enum status influxdb_count(void *instance, struct tally *tally, struct err *err);

/* --- influxdb_gzip.c --- */

/* Replace out by bytes as one gzip member; false when that would pass out's maximum. */
bool influxdb_gzip(struct slice bytes, struct buf *out);
bool influxdb_gzip_zlib(struct slice bytes, struct buf *out);

#endif
