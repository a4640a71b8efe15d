/*
 * output: what the places have in common that write a file or an object for each object read
 * (file_write, s3_write): their options `format` and `gzip`, the names of what they write, and the
 * way of the points through an encoder, and perhaps gzip, into bytes. Where the bytes go is said by
 * struct output_calls. Not for sinks that send points as they come.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "api/encoder.h"
#include "base/buf.h"

#include <zlib.h>

/* Choices of `format`, ended by NULL. */
extern const char *const output_formats[];

/* One file or object on its way. */
struct output {
    struct output *next;
    const struct schema
        *schema;     /* of its first point; the only one where the encoder has headers */
    unsigned number; /* among those of the object, from 0 */
    uint64_t n_points;
    uint64_t n_bytes; /* written */
    struct {
        uint64_t n_points, n_bytes;
    } whole;         /* what they were when the last object ended; not where each has its own */
    bool is_cut;     /* to be cut to whole.n_bytes before anything else */
    struct buf text; /* encoded, not handed on yet */
    bool is_packing; /* pack is in use */
    z_stream pack;
    void *to; /* of the place: NULL until its first write() */
};

struct output_calls {
    /* Takes the next bytes. */
    enum status (*write)(void *self, struct output *output, struct slice bytes, struct err *err);
    /* All bytes have been written: makes them durable under their name. */
    enum status (*finish)(void *self, struct output *output, struct err *err);
    /* Takes back what was written behind the first `size` bytes. NULL: that is never wanted. */
    enum status (*cut)(void *self, struct output *output, uint64_t size, struct err *err);
    /* Frees output->to, if any, and takes back what is not finished. */
    void (*discard)(void *self, struct output *output);
};

/* Embedded in a place's instance. */
struct outputs {
    const struct encoder *encoder;
    bool gzip;
    const struct output_calls *calls;
    void *self;            /* for the calls */
    struct buf key;        /* of the object under way */
    struct output *newest; /* of the object under way */
    struct buf packed;
};

void outputs_init(struct outputs *outputs, int format, bool gzip, const struct output_calls *calls,
                  void *self);
void outputs_finish(struct outputs *outputs);

/* The begin, put, end and drop of struct datasource. */
void outputs_begin(struct outputs *outputs, struct slice key);
enum status outputs_put(struct outputs *outputs, const struct point *point, struct err *err);
enum status outputs_end(struct outputs *outputs, struct err *err);
void outputs_drop(struct outputs *outputs);

/* The same where objects share their outputs: outputs_put() between member_begin() and member_end()
 * or member_drop(), which with gzip are members of their own; then outputs_end(). */
enum status outputs_member_begin(struct outputs *outputs, struct err *err);
enum status outputs_member_end(struct outputs *outputs, struct err *err);
void outputs_member_drop(struct outputs *outputs);

/*
 * What follows the object's key in the name of an output: the measurement where there is one for
 * each, the encoder's suffix, and ".gz". The key itself stays whole, its own ".gz" included, so
 * that no two objects share a name ("a" and "a.gz" may both exist).
 */
void output_add_suffix(const struct outputs *outputs, const struct output *output, struct buf *out);

/* Appends text; where it is longer than max, as much of it as leaves room for "~" and its hash. */
void output_add_short(struct buf *out, struct slice text, size_t max);

#endif
