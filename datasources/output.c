/* output: see output.h. */
#include "output.h"

#include "base/memory.h"
#include "net/http.h"

#include <inttypes.h>
#include <stdlib.h>
#include <xxhash.h>

enum {
    CHUNK_BYTES = 256 * 1024,       /* encoded text is handed on in pieces of at least this */
    TEXT_MAX_BYTES = 16 << 20,      /* a record of 1 MiB, every byte of it escaped, and more */
    PACKED_BYTES = 64 * 1024,       /* handed on at once */
    GZIP_WRAPPER = 16,              /* for deflateInit2; its header has no time, so bytes repeat */
    MEMORY_LEVEL = 8,               /* zlib's default */
    MEASUREMENT_MAX_BYTES = 100,    /* in a name */
    HASH_BYTES = 1 + 2 * 8 + 2 * 8, /* "~" and 32 hex digits */
};

extern const struct encoder line_protocol_encoder, csv_encoder, json_lines_encoder;

const char *const output_formats[] = {"line_protocol", "csv", "json_lines", NULL};
/* One for each format. */
static const struct encoder *const encoders[] = {&line_protocol_encoder, &csv_encoder,
                                                 &json_lines_encoder};

/* --- names --- */

/* Backwards to the start of a character, so that a cut text stays UTF-8. */
static size_t character_start(struct slice text, size_t at)
{
    while (at > 0 && ((unsigned char)text.at[at] & 0xC0) == 0x80) {
        at--;
    }
    return at;
}

void output_add_short(struct buf *out, struct slice text, size_t max)
{
    if (text.len <= max) {
        buf_add(out, text);
        return;
    }
    XXH128_hash_t hash = XXH3_128bits(text.at, text.len);
    size_t kept = max > HASH_BYTES ? character_start(text, max - HASH_BYTES) : 0;
    buf_add(out, slice_make(text.at, kept));
    buf_printf(out, "~%016" PRIx64 "%016" PRIx64, hash.high64, hash.low64);
}

/* A dot in a measurement would let "a" + "b.c" and "a.b" + "c" meet. */
static void add_measurement(struct buf *out, const char *measurement)
{
    struct buf encoded = {.max = 64 * 1024}, plain = {.max = 64 * 1024};
    http_encode(&encoded, slice_of(measurement), false);
    for (size_t i = 0; i < encoded.len; i++) {
        buf_add_text(&plain, encoded.at[i] == '.' ? "%2E" : (const char[]){encoded.at[i], '\0'});
    }
    buf_add_byte(out, '.');
    output_add_short(out, buf_slice(&plain), MEASUREMENT_MAX_BYTES);
    buf_finish(&encoded);
    buf_finish(&plain);
}

void output_add_suffix(const struct outputs *outputs, const struct output *output, struct buf *out)
{
    if (outputs->encoder->begin) {
        add_measurement(out, output->schema->measurement);
    }
    buf_add_text(out, outputs->encoder->suffix);
    buf_add_text(out, outputs->gzip ? ".gz" : "");
}

/* --- bytes --- */

static enum status write_out(struct outputs *outputs, struct output *output,
                             const struct buf *bytes, struct err *err)
{
    output->n_bytes += bytes->len; /* also of a write that fails in the middle */
    return outputs->calls->write(outputs->self, output, buf_slice(bytes), err);
}

/* Text into gzip, and what comes out of it to the place. */
static enum status pack_text(struct outputs *outputs, struct output *output, int flush,
                             struct err *err)
{
    z_stream *pack = &output->pack;
    pack->next_in = (unsigned char *)output->text.at;
    pack->avail_in = (unsigned)output->text.len;
    int code;
    do {
        buf_clear(&outputs->packed);
        pack->next_out = (unsigned char *)buf_room(&outputs->packed, PACKED_BYTES);
        pack->avail_out = PACKED_BYTES;
        code = deflate(pack, flush);
        outputs->packed.len = PACKED_BYTES - pack->avail_out;
        if (outputs->packed.len) {
            enum status status = write_out(outputs, output, &outputs->packed, err);
            if (status != OK) {
                return status;
            }
        }
    } while (code == Z_OK && pack->avail_out == 0);
    return OK;
}

/* Fast rather than small: a sink must not be what holds the others back. */
static void pack_begin(struct output *output)
{
    if (deflateInit2(&output->pack, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + GZIP_WRAPPER,
                     MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        abort(); /* out of memory: base/memory.h */
    }
    output->is_packing = true;
}

static enum status hand_on(struct outputs *outputs, struct output *output, int flush,
                           struct err *err)
{
    enum status status = OK;
    if (outputs->gzip) {
        status = pack_text(outputs, output, flush, err);
    } else if (output->text.len) {
        status = write_out(outputs, output, &output->text, err);
    }
    buf_clear(&output->text);
    return status;
}

/* --- the outputs of an object --- */

void outputs_init(struct outputs *outputs, int format, bool gzip, const struct output_calls *calls,
                  void *self)
{
    *outputs = (struct outputs){
        .encoder = encoders[format],
        .gzip = gzip,
        .calls = calls,
        .self = self,
        .key = {.max = 64 * 1024},
        .packed = {.max = PACKED_BYTES},
    };
}

void outputs_finish(struct outputs *outputs)
{
    outputs_drop(outputs);
    buf_finish(&outputs->key);
    buf_finish(&outputs->packed);
}

static struct output *output_new(struct outputs *outputs, const struct schema *schema)
{
    struct output *output = memory_new(sizeof *output);
    output->next = outputs->newest;
    output->schema = schema;
    output->number = output->next ? output->next->number + 1 : 0;
    output->text.max = TEXT_MAX_BYTES;
    if (outputs->gzip) {
        pack_begin(output);
    }
    if (outputs->encoder->begin) {
        (void)outputs->encoder->begin(schema, &output->text); /* far below TEXT_MAX_BYTES */
    }
    return outputs->newest = output;
}

/* Parsers that share a measurement share its columns (data/tables), but have a schema each. */
static struct output *output_for(struct outputs *outputs, const struct schema *schema)
{
    struct output *output = outputs->newest;
    while (output && outputs->encoder->begin && output->schema != schema &&
           strcmp(output->schema->measurement, schema->measurement) != 0) {
        output = output->next;
    }
    return output ? output : output_new(outputs, schema);
}

static void output_free(struct outputs *outputs, struct output *output)
{
    outputs->calls->discard(outputs->self, output);
    if (output->is_packing) {
        deflateEnd(&output->pack);
    }
    buf_finish(&output->text);
    free(output);
}

void outputs_begin(struct outputs *outputs, struct slice key)
{
    outputs_drop(outputs);
    buf_clear(&outputs->key);
    buf_add(&outputs->key, key);
}

enum status outputs_put(struct outputs *outputs, const struct point *point, struct err *err)
{
    struct output *output = output_for(outputs, point->schema);
    enum status status = outputs->encoder->encode(point, &output->text);
    if (status == AGAIN) {
        if (hand_on(outputs, output, Z_NO_FLUSH, err) != OK) {
            return err->status;
        }
        status = outputs->encoder->encode(point, &output->text);
    }
    if (status != OK) {
        return err_set(err, BAD_DATA, "longer than %d bytes as %s", TEXT_MAX_BYTES,
                       outputs->encoder->about.name);
    }
    output->n_points++;
    return output->text.len < CHUNK_BYTES ? OK : hand_on(outputs, output, Z_NO_FLUSH, err);
}

/* What no point was taken for since it was last whole is not written: it would be a header at
 * most. */
static enum status output_end(struct outputs *outputs, struct output *output, struct err *err)
{
    return output->n_points > output->whole.n_points ? hand_on(outputs, output, Z_FINISH, err) : OK;
}

enum status outputs_member_begin(struct outputs *outputs, struct err *err)
{
    enum status status = OK;
    for (struct output *output = outputs->newest; output && status == OK; output = output->next) {
        if (output->is_cut) {
            status = outputs->calls->cut(outputs->self, output, output->whole.n_bytes, err);
            output->is_cut = status != OK;
        }
    }
    return status;
}

enum status outputs_end(struct outputs *outputs, struct err *err)
{
    enum status status = outputs_member_begin(outputs, err); /* what a last drop left */
    for (struct output *output = outputs->newest; output && status == OK; output = output->next) {
        status = output_end(outputs, output, err);
    }
    for (struct output *output = outputs->newest; output && status == OK; output = output->next) {
        status = output->n_points ? outputs->calls->finish(outputs->self, output, err) : OK;
    }
    outputs_drop(outputs);
    return status;
}

void outputs_drop(struct outputs *outputs)
{
    while (outputs->newest) {
        struct output *output = outputs->newest;
        outputs->newest = output->next;
        output_free(outputs, output);
    }
}

/* --- objects that share their outputs --- */

static void forget_without_points(struct outputs *outputs)
{
    struct output **at = &outputs->newest;
    while (*at) {
        struct output *output = *at;
        if (output->whole.n_points) {
            at = &output->next;
            continue;
        }
        *at = output->next;
        output_free(outputs, output);
    }
}

/* Back to where it was when the last object ended. */
static void output_take_back(struct output *output)
{
    output->is_cut |= output->n_bytes != output->whole.n_bytes;
    output->n_points = output->whole.n_points;
    output->n_bytes = output->whole.n_bytes;
    buf_clear(&output->text);
    if (output->is_packing) {
        deflateReset(&output->pack);
    }
}

static enum status member_end(struct outputs *outputs, struct output *output, struct err *err)
{
    if (output->n_points == output->whole.n_points) {
        output_take_back(output); /* the head of a gzip member, perhaps */
        return OK;
    }
    enum status status = hand_on(outputs, output, Z_FINISH, err);
    if (status == OK) {
        output->whole.n_points = output->n_points;
        output->whole.n_bytes = output->n_bytes;
        output_take_back(output);
    }
    return status;
}

enum status outputs_member_end(struct outputs *outputs, struct err *err)
{
    enum status status = OK;
    for (struct output *output = outputs->newest; output && status == OK; output = output->next) {
        status = member_end(outputs, output, err);
    }
    if (status == OK) {
        forget_without_points(outputs);
    }
    return status;
}

void outputs_member_drop(struct outputs *outputs)
{
    forget_without_points(outputs);
    for (struct output *output = outputs->newest; output; output = output->next) {
        output_take_back(output);
    }
}
