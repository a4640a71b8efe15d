/*
 * gunzip: see gunzip.h. This file knows gzip (RFC 1952): members, their headers and trailers, and
 * the limits. The deflate streams inside are an engine's (gunzip_engine.h). It is a state machine
 * over bytes, since a chunk of the network may end anywhere, in a header as well.
 */
#include "input/gunzip.h"

#include "base/memory.h"
#include "input/gunzip_engine.h"

#include <inttypes.h>
#include <stdlib.h>

enum { WINDOW_BYTES = 128 * 1024, HEADER_BYTES = 10, TRAILER_BYTES = 8 };
enum { MAGIC_1 = 0x1f, MAGIC_2 = 0x8b, METHOD_DEFLATE = 8 };
enum { FLAG_HCRC = 2, FLAG_EXTRA = 4, FLAG_NAME = 8, FLAG_COMMENT = 16, FLAGS_RESERVED = 0xE0 };

#define DEFAULT_MAX_BYTES (INT64_C(32) << 30)
#define DEFAULT_MAX_RATIO INT64_C(250)
#define RATIO_FREE_BYTES (INT64_C(64) << 20) /* so many inflated bytes are fine at any ratio */

enum stage {
    SNIFF, /* before the first two bytes */
    PLAIN, /* not gzip: pass through */
    HEADER,
    HEADER_EXTRA_LENGTH,
    HEADER_EXTRA,
    HEADER_NAME,
    HEADER_COMMENT,
    HEADER_CRC,
    BODY,
    TRAILER,
    BETWEEN, /* after a member: another one, padding, or the end */
    PADDING,
};

struct gunzip {
    const struct inflate_engine *engine;
    void *inflater;
    struct gunzip_limits limits;
    enum stage stage;
    int64_t stored, inflated; /* since begin */
    uint64_t member;          /* counted from 1 */

    unsigned char field[HEADER_BYTES]; /* a header or trailer field while it is incomplete */
    size_t have;                       /* bytes of it so far */
    size_t extra_left;                 /* bytes of FEXTRA still to skip */
    unsigned flags;                    /* of the header: the parts still to come */
    uint32_t header_crc;

    uint32_t crc, length; /* of the member's inflated bytes so far */
    char window[WINDOW_BYTES];
};

struct gunzip *gunzip_new(enum gunzip_engine which, struct gunzip_limits limits)
{
    const struct inflate_engine *engine = &inflate_zlib;
#ifdef HAVE_ISAL
    if (which != GUNZIP_ZLIB) {
        engine = &inflate_isal;
    }
#else
    if (which == GUNZIP_ISAL) {
        return NULL;
    }
#endif
    struct gunzip *gunzip = memory_new(sizeof *gunzip);
    gunzip->engine = engine;
    gunzip->inflater = engine->open();
    gunzip->limits.max_bytes = limits.max_bytes > 0 ? limits.max_bytes : DEFAULT_MAX_BYTES;
    gunzip->limits.max_ratio = limits.max_ratio > 0 ? limits.max_ratio : DEFAULT_MAX_RATIO;
    gunzip_begin(gunzip);
    return gunzip;
}

void gunzip_free(struct gunzip *gunzip)
{
    if (gunzip) {
        gunzip->engine->close(gunzip->inflater);
        free(gunzip);
    }
}

void gunzip_begin(struct gunzip *gunzip)
{
    gunzip->stage = SNIFF;
    gunzip->stored = 0;
    gunzip->inflated = 0;
    gunzip->member = 1;
    gunzip->have = 0;
    gunzip->header_crc = 0;
}

int64_t gunzip_inflated(const struct gunzip *gunzip)
{
    return gunzip->inflated;
}

/* The inflated bytes that the ratio allows for what was stored so far. */
static int64_t ratio_allows(const struct gunzip *gunzip)
{
    int64_t allowed;
    if (__builtin_mul_overflow(gunzip->stored, gunzip->limits.max_ratio, &allowed)) {
        return INT64_MAX;
    }
    return allowed > RATIO_FREE_BYTES ? allowed : RATIO_FREE_BYTES;
}

static enum status over_limit(const struct gunzip *gunzip, struct err *err)
{
    if (gunzip->inflated == gunzip->limits.max_bytes) {
        return err_set(err, BAD_DATA, "inflates to more than %" PRId64 " bytes (max_object_bytes)",
                       gunzip->limits.max_bytes);
    }
    return err_set(err, BAD_DATA,
                   "inflates to more than %" PRId64 " times its size and more than %" PRId64
                   " bytes (max_ratio)",
                   gunzip->limits.max_ratio, RATIO_FREE_BYTES);
}

/* Hands bytes on, up to the limits. */
static enum status deliver(struct gunzip *gunzip, struct slice bytes, struct byte_sink *to,
                           struct err *err)
{
    int64_t allowed = ratio_allows(gunzip);
    if (allowed > gunzip->limits.max_bytes) {
        allowed = gunzip->limits.max_bytes;
    }
    size_t left = (size_t)(allowed - gunzip->inflated);
    bool over = bytes.len > left;
    if (over) {
        bytes.len = left;
    }
    if (bytes.len) {
        gunzip->inflated += (int64_t)bytes.len;
        enum status status = to->bytes(to, bytes, err);
        if (status != OK) {
            return status;
        }
    }
    return over ? over_limit(gunzip, err) : OK;
}

static struct slice take(struct slice *in, size_t len)
{
    struct slice taken = slice_make(in->at, len < in->len ? len : in->len);
    *in = slice_make(in->at + taken.len, in->len - taken.len);
    return taken;
}

/* Collects the next `want` bytes in .field, across chunks. True when they are there. */
static bool gather(struct gunzip *gunzip, struct slice *in, size_t want)
{
    struct slice more = take(in, want - gunzip->have);
    memcpy(gunzip->field + gunzip->have, more.at, more.len);
    gunzip->have += more.len;
    if (gunzip->have < want) {
        return false;
    }
    gunzip->have = 0;
    return true;
}

static uint32_t little_endian(const unsigned char *at, size_t bytes)
{
    uint32_t number = 0;
    for (size_t i = 0; i < bytes; i++) {
        number |= (uint32_t)at[i] << (8 * i);
    }
    return number;
}

static enum status sniff(struct gunzip *gunzip, struct slice *in, struct byte_sink *to,
                         struct err *err)
{
    if (gunzip->have == 0 && (unsigned char)in->at[0] != MAGIC_1) {
        gunzip->stage = PLAIN;
        return OK;
    }
    if (!gather(gunzip, in, 2)) {
        return OK;
    }
    if (gunzip->field[1] != MAGIC_2) {
        gunzip->stage = PLAIN;
        return deliver(gunzip, slice_make((const char *)gunzip->field, 2), to, err);
    }
    gunzip->stage = HEADER;
    gunzip->have = 2; /* they stay the header's first */
    return OK;
}

/* Goes on to the next part that the header's flags announce; after the last, to the body. */
static void next_header_part(struct gunzip *gunzip)
{
    static const struct {
        unsigned flag;
        enum stage stage;
    } parts[] = {
        {FLAG_EXTRA, HEADER_EXTRA_LENGTH},
        {FLAG_NAME, HEADER_NAME},
        {FLAG_COMMENT, HEADER_COMMENT},
        {FLAG_HCRC, HEADER_CRC},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (gunzip->flags & parts[i].flag) {
            gunzip->flags &= ~parts[i].flag;
            gunzip->stage = parts[i].stage;
            return;
        }
    }
    gunzip->stage = BODY;
    gunzip->crc = 0;
    gunzip->length = 0;
    gunzip->engine->begin(gunzip->inflater);
}

static void add_to_header_crc(struct gunzip *gunzip, struct slice bytes)
{
    gunzip->header_crc = gunzip->engine->crc32(gunzip->header_crc, bytes);
}

static enum status read_header(struct gunzip *gunzip, struct slice *in, struct err *err)
{
    if (!gather(gunzip, in, HEADER_BYTES)) {
        return OK;
    }
    const unsigned char *field = gunzip->field;
    if (field[1] != MAGIC_2) { /* the first was looked at to come here */
        return err_set(err, BAD_DATA, "gzip: what follows member %" PRIu64 " is not gzip",
                       gunzip->member - 1);
    }
    if (field[2] != METHOD_DEFLATE || (field[3] & FLAGS_RESERVED)) {
        return err_set(err, BAD_DATA, "gzip: member %" PRIu64 ": unknown method %d or flags 0x%02x",
                       gunzip->member, field[2], field[3]);
    }
    gunzip->flags = field[3];
    gunzip->header_crc = 0;
    add_to_header_crc(gunzip, slice_make((const char *)field, HEADER_BYTES));
    next_header_part(gunzip);
    return OK;
}

static void read_extra_length(struct gunzip *gunzip, struct slice *in)
{
    if (!gather(gunzip, in, 2)) {
        return;
    }
    add_to_header_crc(gunzip, slice_make((const char *)gunzip->field, 2));
    gunzip->extra_left = little_endian(gunzip->field, 2);
    gunzip->stage = HEADER_EXTRA;
}

static void skip_extra(struct gunzip *gunzip, struct slice *in)
{
    struct slice skipped = take(in, gunzip->extra_left);
    add_to_header_crc(gunzip, skipped);
    gunzip->extra_left -= skipped.len;
    if (gunzip->extra_left == 0) {
        next_header_part(gunzip);
    }
}

/* A file name or a comment: up to and with its NUL. */
static void skip_text(struct gunzip *gunzip, struct slice *in)
{
    const char *nul = memchr(in->at, '\0', in->len);
    add_to_header_crc(gunzip, take(in, nul ? (size_t)(nul - in->at) + 1 : in->len));
    if (nul) {
        next_header_part(gunzip);
    }
}

static enum status read_header_crc(struct gunzip *gunzip, struct slice *in, struct err *err)
{
    if (!gather(gunzip, in, 2)) {
        return OK;
    }
    if (little_endian(gunzip->field, 2) != (gunzip->header_crc & 0xFFFF)) {
        return err_set(err, BAD_DATA, "gzip: member %" PRIu64 ": wrong header checksum",
                       gunzip->member);
    }
    next_header_part(gunzip);
    return OK;
}

static enum status read_trailer(struct gunzip *gunzip, struct slice *in, struct err *err)
{
    if (!gather(gunzip, in, TRAILER_BYTES)) {
        return OK;
    }
    if (little_endian(gunzip->field, 4) != gunzip->crc) {
        return err_set(err, BAD_DATA, "gzip: member %" PRIu64 ": wrong checksum", gunzip->member);
    }
    if (little_endian(gunzip->field + 4, 4) != gunzip->length) {
        return err_set(err, BAD_DATA, "gzip: member %" PRIu64 ": wrong length", gunzip->member);
    }
    gunzip->member++;
    gunzip->stage = BETWEEN;
    return OK;
}

/* Inflates all of `in`, or up to the end of the member. The window is handed on after each step:
 * who waits at the other end sees every byte as soon as it can be known. */
static enum status inflate_body(struct gunzip *gunzip, struct slice *in, struct byte_sink *to,
                                struct err *err)
{
    for (;;) {
        struct inflate_step step = {.in = *in, .out = gunzip->window, .room = WINDOW_BYTES};
        enum inflate_verdict verdict = gunzip->engine->step(gunzip->inflater, &step);
        struct slice made = slice_make(gunzip->window, step.made);
        bool stuck = step.in.len && step.in.len == in->len && step.made == 0;
        *in = step.in;
        gunzip->crc = gunzip->engine->crc32(gunzip->crc, made);
        gunzip->length += (uint32_t)made.len; /* modulo 2^32, as RFC 1952 has it */
        enum status status = deliver(gunzip, made, to, err);
        if (status != OK) {
            return status;
        }
        if (verdict == INFLATE_DONE) {
            gunzip->stage = TRAILER;
            memcpy(gunzip->field, step.unread, step.n_unread);
            gunzip->have = step.n_unread;
            return read_trailer(gunzip, in, err);
        }
        if (verdict == INFLATE_DAMAGED || stuck) {
            return err_set(err, BAD_DATA,
                           "gzip: member %" PRIu64 ": damaged after %" PRId64 " inflated bytes",
                           gunzip->member, gunzip->inflated);
        }
        if (in->len == 0 && made.len < WINDOW_BYTES) {
            return OK;
        }
    }
}

static enum status after_member(struct gunzip *gunzip, const struct slice *in, struct err *err)
{
    unsigned char first = (unsigned char)in->at[0];
    if (first == 0) {
        gunzip->stage = PADDING;
        return OK;
    }
    if (first == MAGIC_1) {
        gunzip->stage = HEADER;
        return OK;
    }
    return err_set(err, BAD_DATA, "gzip: what follows member %" PRIu64 " is not gzip",
                   gunzip->member - 1);
}

static enum status skip_padding(struct slice *in, struct err *err)
{
    for (size_t i = 0; i < in->len; i++) {
        if (in->at[i]) {
            return err_set(err, BAD_DATA, "gzip: data after the padding");
        }
    }
    take(in, in->len);
    return OK;
}

/* Reads on in the present stage; takes bytes from `in` or changes the stage. */
static enum status advance(struct gunzip *gunzip, struct slice *in, struct byte_sink *to,
                           struct err *err)
{
    switch (gunzip->stage) {
    case SNIFF:
        return sniff(gunzip, in, to, err);
    case PLAIN:
        return deliver(gunzip, take(in, WINDOW_BYTES), to, err);
    case HEADER:
        return read_header(gunzip, in, err);
    case HEADER_EXTRA_LENGTH:
        read_extra_length(gunzip, in);
        return OK;
    case HEADER_EXTRA:
        skip_extra(gunzip, in);
        return OK;
    case HEADER_NAME:
    case HEADER_COMMENT:
        skip_text(gunzip, in);
        return OK;
    case HEADER_CRC:
        return read_header_crc(gunzip, in, err);
    case BODY:
        return inflate_body(gunzip, in, to, err);
    case TRAILER:
        return read_trailer(gunzip, in, err);
    case BETWEEN:
        return after_member(gunzip, in, err);
    case PADDING:
        return skip_padding(in, err);
    }
    abort();
}

enum status gunzip_put(struct gunzip *gunzip, struct slice bytes, struct byte_sink *to,
                       struct err *err)
{
    gunzip->stored += (int64_t)bytes.len;
    while (bytes.len) {
        enum status status = advance(gunzip, &bytes, to, err);
        if (status != OK) {
            return status;
        }
    }
    return OK;
}

enum status gunzip_end(struct gunzip *gunzip, struct byte_sink *to, struct err *err)
{
    switch (gunzip->stage) {
    case SNIFF: /* nothing at all, or one byte that might have become gzip */
        return deliver(gunzip, slice_make((const char *)gunzip->field, gunzip->have), to, err);
    case PLAIN:
    case BETWEEN:
    case PADDING:
        return OK;
    default:
        return err_set(err, BAD_DATA, "gzip: ends after %" PRId64 " bytes, inside member %" PRIu64,
                       gunzip->stored, gunzip->member);
    }
}
