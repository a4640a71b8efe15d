/*
 * gunzip_cases: what the tests of input/gunzip share: making gzip with zlib's deflate, and putting
 * it through both engines. Every chunk is put from a heap block of exactly its size, so that
 * AddressSanitizer sees a read beyond it. Included after cmocka.h.
 */
#ifndef TESTS_GUNZIP_CASES_H
#define TESTS_GUNZIP_CASES_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "input/gunzip.h"

#include <stdio.h>
#include <zlib.h>

enum { MIB = 1024 * 1024, SINK_MAX_BYTES = 128 * 1024 };

static const enum gunzip_engine engines[] = {GUNZIP_ZLIB, GUNZIP_ISAL};
enum { ENGINES = sizeof engines / sizeof engines[0] };

/* --- what comes out --- */

struct outcome {
    struct byte_sink sink; /* first: the sink is this */
    enum status status;
    struct err err;
    struct buf bytes;
    size_t largest;
    int64_t refuse_after; /* bytes; then the sink answers FAILED; -1 never */
};

static inline enum status collect(struct byte_sink *to, struct slice bytes, struct err *err)
{
    struct outcome *outcome = (struct outcome *)to;
    if (outcome->refuse_after >= 0 && (int64_t)outcome->bytes.len >= outcome->refuse_after) {
        return err_set(err, FAILED, "enough");
    }
    if (bytes.len > outcome->largest) {
        outcome->largest = bytes.len;
    }
    assert_true(buf_add(&outcome->bytes, bytes));
    return OK;
}

static inline struct outcome outcome_new(void)
{
    return (struct outcome){
        .sink = {collect}, .bytes = {.max = 80 * (size_t)MIB}, .refuse_after = -1};
}

static inline void outcome_finish(struct outcome *outcome)
{
    buf_finish(&outcome->bytes);
}

/* --- putting bytes in, in chunks --- */

static inline uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* chunk: bytes at a time; 0: all at once; -1: random lengths */
static inline void put_all(struct gunzip *gunzip, struct slice bytes, int chunk,
                           struct outcome *outcome)
{
    uint32_t seed = (uint32_t)bytes.len;
    outcome->status = OK;
    while (bytes.len && outcome->status == OK) {
        size_t len = chunk > 0 ? (size_t)chunk : chunk < 0 ? next_random(&seed) % 64 : bytes.len;
        len = len < bytes.len ? len : bytes.len;
        CLEANUP_FREE char *exact = malloc(len ? len : 1);
        memcpy(exact, bytes.at, len);
        outcome->status = gunzip_put(gunzip, slice_make(exact, len), &outcome->sink, &outcome->err);
        bytes = slice_make(bytes.at + len, bytes.len - len);
    }
    if (outcome->status == OK) {
        outcome->status = gunzip_end(gunzip, &outcome->sink, &outcome->err);
    }
    assert_int_equal(gunzip_inflated(gunzip), outcome->bytes.len);
    assert_true(outcome->largest <= SINK_MAX_BYTES);
}

static inline struct outcome inflate_with(enum gunzip_engine engine, struct slice bytes, int chunk)
{
    struct gunzip *gunzip = gunzip_new(engine, (struct gunzip_limits){0});
    struct outcome outcome = outcome_new();
    put_all(gunzip, bytes, chunk, &outcome);
    gunzip_free(gunzip);
    return outcome;
}

static inline bool is_built(enum gunzip_engine engine)
{
    struct gunzip *gunzip = gunzip_new(engine, (struct gunzip_limits){0});
    gunzip_free(gunzip);
    return gunzip != NULL;
}

static inline void expect(struct slice bytes, int chunk, enum status status, struct slice plain)
{
    for (size_t i = 0; i < ENGINES; i++) {
        if (is_built(engines[i])) {
            CLEANUP(outcome_finish)
            struct outcome outcome = inflate_with(engines[i], bytes, chunk);
            assert_int_equal(outcome.status, status);
            assert_true(slice_equal(buf_slice(&outcome.bytes), plain));
        }
    }
}

static inline void expect_message(struct slice bytes, const char *part)
{
    for (size_t i = 0; i < ENGINES; i++) {
        if (is_built(engines[i])) {
            CLEANUP(outcome_finish) struct outcome outcome = inflate_with(engines[i], bytes, 0);
            assert_int_equal(outcome.status, BAD_DATA);
            if (!strstr(outcome.err.text, part)) {
                fail_msg("\"%s\" does not say \"%s\"", outcome.err.text, part);
            }
        }
    }
}

/* --- making gzip --- */

struct recipe {
    int level, strategy;
    bool all_header_parts; /* FEXTRA, FNAME, FCOMMENT and FHCRC */
};

static inline void add_member(struct buf *to, struct slice plain, struct recipe recipe)
{
    z_stream stream = {0};
    assert_int_equal(
        deflateInit2(&stream, recipe.level, Z_DEFLATED, MAX_WBITS + 16, 8, recipe.strategy), Z_OK);
    unsigned char extra[300] = "AB\x28\x01";
    gz_header header = {.extra = extra,
                        .extra_len = sizeof extra,
                        .name = (Bytef *)"S3-logs.gz",
                        .comment = (Bytef *)"a comment",
                        .hcrc = 1};
    if (recipe.all_header_parts) {
        assert_int_equal(deflateSetHeader(&stream, &header), Z_OK);
    }
    size_t room = deflateBound(&stream, plain.len) + 1024;
    stream.next_in = (Bytef *)plain.at;
    stream.avail_in = (uInt)plain.len;
    stream.next_out = (Bytef *)buf_room(to, room);
    stream.avail_out = (uInt)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    to->len += room - stream.avail_out;
    deflateEnd(&stream);
}

/* Bytes of changing character: runs, records that repeat, noise. */
static inline void add_plain(struct buf *to, size_t len, uint32_t seed)
{
    while (to->len < len) {
        switch (next_random(&seed) % 3) {
        case 0:
            buf_printf(to, "{\"time\":\"2022-10-20T14:%02u:%02uZ\",\"statusCode\":%u}\r\n",
                       next_random(&seed) % 60, next_random(&seed) % 60, next_random(&seed) % 600);
            break;
        case 1:
            for (unsigned i = next_random(&seed) % 700; i; i--) {
                buf_add_byte(to, (char)('a' + seed % 26));
            }
            break;
        default:
            for (unsigned i = next_random(&seed) % 99; i; i--) {
                buf_add_byte(to, (char)next_random(&seed));
            }
        }
    }
    to->len = len;
}

/* Three members, the middle one empty, with and without all parts of the header. */
static inline void make_members(struct buf *gzip, struct buf *plain, size_t len)
{
    struct buf first = {.max = MIB}, third = {.max = MIB};
    add_plain(&first, len, 3);
    add_plain(&third, len, 4);
    add_member(gzip, buf_slice(&first), (struct recipe){6, Z_DEFAULT_STRATEGY, true});
    add_member(gzip, slice_make("", 0), (struct recipe){6, Z_DEFAULT_STRATEGY, false});
    add_member(gzip, buf_slice(&third), (struct recipe){1, Z_FIXED, true});
    buf_add(plain, buf_slice(&first));
    buf_add(plain, buf_slice(&third));
    buf_finish(&first);
    buf_finish(&third);
}

#endif
