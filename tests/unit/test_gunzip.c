/*
 * Tests of input/gunzip: both engines against zlib's deflate as the writer and zlib's own gzip
 * reader as the judge of damage. Every chunk is put from a heap block of exactly its size, so that
 * AddressSanitizer sees a read beyond it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "input/gunzip.h"

#include <stdio.h>
#include <zlib.h>

enum { MIB = 1024 * 1024, SINK_MAX_BYTES = 256 * 1024 };

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

static enum status collect(struct byte_sink *to, struct slice bytes, struct err *err)
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

static struct outcome outcome_new(void)
{
    return (struct outcome){
        .sink = {collect}, .bytes = {.max = 80 * (size_t)MIB}, .refuse_after = -1};
}

static void outcome_finish(struct outcome *outcome)
{
    buf_finish(&outcome->bytes);
}

/* --- putting bytes in, in chunks --- */

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* chunk: bytes at a time; 0: all at once; -1: random lengths */
static void put_all(struct gunzip *gunzip, struct slice bytes, int chunk, struct outcome *outcome)
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

static struct outcome inflate_with(enum gunzip_engine engine, struct slice bytes, int chunk)
{
    struct gunzip *gunzip = gunzip_new(engine, (struct gunzip_limits){0});
    struct outcome outcome = outcome_new();
    put_all(gunzip, bytes, chunk, &outcome);
    gunzip_free(gunzip);
    return outcome;
}

static bool is_built(enum gunzip_engine engine)
{
    struct gunzip *gunzip = gunzip_new(engine, (struct gunzip_limits){0});
    gunzip_free(gunzip);
    return gunzip != NULL;
}

static void expect(struct slice bytes, int chunk, enum status status, struct slice plain)
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

static void expect_message(struct slice bytes, const char *part)
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

static void add_member(struct buf *to, struct slice plain, struct recipe recipe)
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
static void add_plain(struct buf *to, size_t len, uint32_t seed)
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

/* --- the judge: zlib's own gzip reader --- */

/* Whether the bytes are whole gzip members and perhaps zero padding, as zlib sees it. */
static bool is_sound(struct slice bytes)
{
    while (bytes.len && bytes.at[0]) {
        z_stream stream = {.next_in = (Bytef *)bytes.at, .avail_in = (uInt)bytes.len};
        assert_int_equal(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
        int result = Z_OK;
        while (result == Z_OK) {
            Bytef out[4096];
            stream.next_out = out;
            stream.avail_out = sizeof out;
            result = inflate(&stream, Z_NO_FLUSH);
        }
        bytes = slice_make((const char *)stream.next_in, stream.avail_in);
        inflateEnd(&stream);
        if (result != Z_STREAM_END) {
            return false;
        }
    }
    while (bytes.len && !bytes.at[0]) {
        bytes = slice_make(bytes.at + 1, bytes.len - 1);
    }
    return bytes.len == 0;
}

/* --- tests --- */

static void test_passes_plain_bytes(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "{", "\x1f", "\x1f{\"a\":1}\n", "plain\n\x1f\x8b\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (int chunk = -1; chunk < 3; chunk++) {
            expect(slice_of(texts[i]), chunk, OK, slice_of(texts[i]));
        }
    }
    CLEANUP(buf_finish) struct buf large = {.max = MIB};
    add_plain(&large, 600 * 1000, 1);
    expect(buf_slice(&large), 0, OK, buf_slice(&large));
}

static void test_inflates_all_block_kinds(void **state)
{
    (void)state;
    static const int strategies[] = {Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE};
    static const size_t sizes[] = {0, 1, 300, 33 * 1000};
    for (int level = 0; level <= 9; level++) {
        for (size_t s = 0; s < 4; s++) {
            for (size_t n = 0; n < 4; n++) {
                CLEANUP(buf_finish) struct buf plain = {.max = MIB};
                CLEANUP(buf_finish) struct buf gzip = {.max = MIB};
                add_plain(&plain, sizes[n], (uint32_t)(level * 16 + (int)s));
                add_member(&gzip, buf_slice(&plain), (struct recipe){level, strategies[s], false});
                for (int chunk = -1; chunk < (n < 3 ? 4 : 1); chunk++) {
                    expect(buf_slice(&gzip), chunk, OK, buf_slice(&plain));
                }
            }
        }
    }
}

static void test_inflates_more_than_the_window(void **state)
{
    (void)state;
    static const int levels[] = {0, 1, 6, 9};
    static const int chunks[] = {0, -1, 1000, 16 * 1024, 300 * 1000};
    CLEANUP(buf_finish) struct buf plain = {.max = 4 * MIB};
    add_plain(&plain, 3 * MIB, 7);
    memset(plain.at + MIB, 'z', MIB); /* and a stretch of the highest ratio */
    for (size_t i = 0; i < 4; i++) {
        CLEANUP(buf_finish) struct buf gzip = {.max = 4 * MIB};
        add_member(&gzip, buf_slice(&plain), (struct recipe){levels[i], Z_DEFAULT_STRATEGY, false});
        for (size_t c = 0; c < 5; c++) {
            expect(buf_slice(&gzip), chunks[c], OK, buf_slice(&plain));
        }
    }
}

/* Three members, the middle one empty, with and without all parts of the header. */
static void make_members(struct buf *gzip, struct buf *plain, size_t len)
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

static void test_members_cut_anywhere(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf plain = {.max = MIB}, gzip = {.max = MIB};
    make_members(&gzip, &plain, 200);
    for (size_t i = 0; i < ENGINES; i++) {
        struct gunzip *gunzip = gunzip_new(engines[i], (struct gunzip_limits){0});
        for (size_t cut = 0; gunzip && cut <= gzip.len; cut++) {
            CLEANUP(outcome_finish) struct outcome outcome = outcome_new();
            struct err err;
            gunzip_begin(gunzip);
            CLEANUP_FREE char *head = memory_copy(gzip.at, cut);
            assert_int_equal(gunzip_put(gunzip, slice_make(head, cut), &outcome.sink, &err), OK);
            put_all(gunzip, slice_make(gzip.at + cut, gzip.len - cut), 0, &outcome);
            assert_int_equal(outcome.status, OK);
            assert_true(slice_equal(buf_slice(&outcome.bytes), buf_slice(&plain)));
        }
        gunzip_free(gunzip);
    }
}

static void test_many_small_members(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf plain = {.max = MIB}, gzip = {.max = MIB};
    for (uint32_t i = 0; i < 500; i++) {
        char text[32];
        int len = snprintf(text, sizeof text, "%u\n", i * i);
        buf_add(&plain, slice_make(text, (size_t)len));
        add_member(&gzip, slice_make(text, (size_t)len),
                   (struct recipe){(int)(i % 10), Z_DEFAULT_STRATEGY, i % 7 == 0});
    }
    for (int chunk = -1; chunk < 9; chunk++) {
        expect(buf_slice(&gzip), chunk, OK, buf_slice(&plain));
    }
}

static void test_padding_and_junk(void **state)
{
    (void)state;
    static const struct {
        struct slice tail;
        enum status status;
    } cases[] = {
        {SLICE_LITERAL("\0"), OK},
        {SLICE_LITERAL("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), OK},
        {SLICE_LITERAL("x"), BAD_DATA},
        {SLICE_LITERAL("\n"), BAD_DATA},
        {SLICE_LITERAL("\0x"), BAD_DATA},
        {SLICE_LITERAL("\0\0\0\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0"), BAD_DATA},
        {SLICE_LITERAL("\x1f"), BAD_DATA},
        {SLICE_LITERAL("\x1f more text than a header has"), BAD_DATA},
        {SLICE_LITERAL("{\"and\":\"plain\"}"), BAD_DATA},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CLEANUP(buf_finish) struct buf gzip = {.max = MIB};
        struct slice plain = slice_of("a record\n");
        add_member(&gzip, plain, (struct recipe){6, Z_DEFAULT_STRATEGY, false});
        buf_add(&gzip, cases[i].tail);
        for (int chunk = -1; chunk < 3; chunk++) {
            expect(buf_slice(&gzip), chunk, cases[i].status, plain);
        }
    }
}

static void test_refuses_headers_it_does_not_know(void **state)
{
    (void)state;
    expect_message((struct slice)SLICE_LITERAL("\x1f\x8b\x07\0\0\0\0\0\0\x03"), "method 7");
    expect_message((struct slice)SLICE_LITERAL("\x1f\x8b\x08\x20\0\0\0\0\0\x03"), "flags 0x20");
    expect_message((struct slice)SLICE_LITERAL("\x1f\x8b"), "ends after 2 bytes");
}

/* Where the stored bytes hold each part of a member, counted from the member's end. */
static void test_checks_header_and_trailer(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf gzip = {.max = MIB};
    struct slice plain = slice_of("a record\n");
    add_member(&gzip, plain, (struct recipe){6, Z_DEFAULT_STRATEGY, true});
    gzip.at[gzip.len - 8] ^= 1;
    expect(buf_slice(&gzip), 0, BAD_DATA, plain);
    expect_message(buf_slice(&gzip), "member 1: wrong checksum");
    gzip.at[gzip.len - 8] ^= 1;
    gzip.at[gzip.len - 1] ^= 1;
    expect(buf_slice(&gzip), 0, BAD_DATA, plain);
    expect_message(buf_slice(&gzip), "member 1: wrong length");
    gzip.at[gzip.len - 1] ^= 1;
    gzip.at[4] ^= 1; /* the time, which only the header's checksum covers */
    expect(buf_slice(&gzip), 0, BAD_DATA, slice_of(""));
    expect_message(buf_slice(&gzip), "member 1: wrong header checksum");
}

static bool starts_with(struct slice whole, struct slice start)
{
    return start.len <= whole.len && slice_equal(slice_make(whole.at, start.len), start);
}

/* Of cut data ISA-L may not give the last symbols that zlib gives; of damaged data, the last match.
 */
enum { CUT_LOST_MAX = 3, DAMAGE_LOST_MAX = 258 + CUT_LOST_MAX };

static void check_cut(struct slice cut, struct slice plain, int chunk)
{
    size_t lengths[ENGINES] = {0};
    for (size_t i = 0; i < ENGINES; i++) {
        if (is_built(engines[i])) {
            CLEANUP(outcome_finish) struct outcome outcome = inflate_with(engines[i], cut, chunk);
            assert_int_equal(outcome.status, is_sound(cut) ? OK : BAD_DATA);
            assert_true(starts_with(plain, buf_slice(&outcome.bytes)));
            lengths[i] = outcome.bytes.len;
        }
    }
    if (is_built(GUNZIP_ISAL)) {
        assert_in_range(lengths[1] + CUT_LOST_MAX, lengths[0], lengths[0] + CUT_LOST_MAX);
    }
}

static void test_truncated_anywhere(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf plain = {.max = MIB}, gzip = {.max = MIB};
    make_members(&gzip, &plain, 700);
    for (size_t len = 2; len < gzip.len; len++) {
        check_cut(slice_make(gzip.at, len), buf_slice(&plain), 0);
        check_cut(slice_make(gzip.at, len), buf_slice(&plain), 1);
    }
    char where[64];
    snprintf(where, sizeof where, "ends after %zu bytes, inside member 3", gzip.len - 1);
    expect_message(slice_make(gzip.at, gzip.len - 1), where);
}

/* Both engines see the damage; what they give of it begins the same. */
static void check_damaged(struct slice damaged, struct slice plain, int chunk)
{
    bool sound = is_sound(damaged);
    struct outcome outcomes[ENGINES];
    size_t n = is_built(GUNZIP_ISAL) ? ENGINES : 1;
    for (size_t i = 0; i < n; i++) {
        outcomes[i] = inflate_with(engines[i], damaged, chunk);
        assert_int_equal(outcomes[i].status, sound ? OK : BAD_DATA);
        assert_true(!sound || slice_equal(buf_slice(&outcomes[i].bytes), plain));
    }
    if (n == ENGINES) {
        struct slice zlib = buf_slice(&outcomes[0].bytes), isal = buf_slice(&outcomes[1].bytes);
        assert_true(zlib.len <= isal.len + (sound ? 0 : DAMAGE_LOST_MAX));
        size_t both = zlib.len < isal.len ? zlib.len : isal.len;
        assert_true(slice_equal(slice_make(zlib.at, both), slice_make(isal.at, both)));
    }
    for (size_t i = 0; i < n; i++) {
        outcome_finish(&outcomes[i]);
    }
}

static void test_every_bit_flipped(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf plain = {.max = MIB}, gzip = {.max = MIB};
    make_members(&gzip, &plain, 1000);
    size_t damaged = 0;
    for (size_t bit = 16; bit < gzip.len * 8; bit++) { /* from 16: else it is plain text */
        gzip.at[bit / 8] ^= (char)(1 << bit % 8);
        damaged += !is_sound(buf_slice(&gzip));
        check_damaged(buf_slice(&gzip), buf_slice(&plain), bit % 2 ? 0 : -1);
        gzip.at[bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_true(damaged > gzip.len * 7); /* nearly all bits matter */
}

/* A first block that copies from before the beginning: fixed codes, length 258 at distance 1. The
 * engine must not hand on memory that nothing was written to. */
static void test_gives_nothing_that_was_not_decoded(void **state)
{
    (void)state;
    /* bits, first to last: 1 (final) 01 (fixed: LSB first 1,0) | 11000101 = 285 | 00000 = 1 */
    static const char body[] = "\x1b\x05\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    CLEANUP(buf_finish) struct buf gzip = {.max = MIB};
    buf_add(&gzip, (struct slice)SLICE_LITERAL("\x1f\x8b\x08\0\0\0\0\0\0\x03"));
    buf_add(&gzip, slice_make(body, sizeof body - 1));
    expect(buf_slice(&gzip), 0, BAD_DATA, slice_of(""));
    expect(buf_slice(&gzip), 1, BAD_DATA, slice_of(""));
}

static void test_limit_of_bytes(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf plain = {.max = 2 * MIB}, gzip = {.max = 2 * MIB};
    add_plain(&plain, MIB, 9);
    add_member(&gzip, buf_slice(&plain), (struct recipe){6, Z_DEFAULT_STRATEGY, false});
    struct slice inputs[] = {buf_slice(&gzip), buf_slice(&plain)};
    for (size_t i = 0; i < ENGINES * 2; i++) {
        for (int less = 0; less < 2; less++) {
            struct gunzip_limits limits = {.max_bytes = MIB - less};
            struct gunzip *gunzip = gunzip_new(engines[i % ENGINES], limits);
            if (gunzip) {
                CLEANUP(outcome_finish) struct outcome outcome = outcome_new();
                put_all(gunzip, inputs[i / ENGINES], 5000, &outcome);
                assert_int_equal(outcome.status, less ? BAD_DATA : OK);
                assert_int_equal(outcome.bytes.len, MIB - less);
                assert_memory_equal(outcome.bytes.at, plain.at, outcome.bytes.len);
                assert_true(!less || strstr(outcome.err.text, "1048575 bytes (max_object_bytes)"));
            }
            gunzip_free(gunzip);
        }
    }
}

static void test_limit_of_ratio(void **state)
{
    (void)state;
    enum { FREE = 64 * MIB };
    CLEANUP(buf_finish)
    struct buf plain = {.max = 70 * (size_t)MIB}, gzip = {.max = 70 * (size_t)MIB};
    size_t len = 66 * (size_t)MIB;
    memset(buf_room(&plain, len), 'a', len);
    plain.len = len;
    add_member(&gzip, buf_slice(&plain), (struct recipe){9, Z_DEFAULT_STRATEGY, false});
    int64_t ratio = (int64_t)(len / gzip.len); /* rounded down: one more would be enough */
    assert_in_range(ratio, 500, 1032);
    for (size_t i = 0; i < ENGINES; i++) {
        for (int64_t allowed = ratio; allowed <= ratio + 1; allowed++) {
            struct gunzip *gunzip =
                gunzip_new(engines[i], (struct gunzip_limits){.max_ratio = allowed});
            if (gunzip) {
                CLEANUP(outcome_finish) struct outcome outcome = outcome_new();
                put_all(gunzip, buf_slice(&gzip), 0, &outcome);
                assert_int_equal(outcome.status, allowed == ratio ? BAD_DATA : OK);
                assert_int_equal(outcome.bytes.len,
                                 allowed == ratio ? (size_t)ratio * gzip.len : len);
                assert_true(allowed > ratio || strstr(outcome.err.text, "(max_ratio)"));
            }
            gunzip_free(gunzip);
        }
    }
    CLEANUP(buf_finish) struct buf small = {.max = 70 * (size_t)MIB};
    add_member(&small, slice_make(plain.at, FREE), (struct recipe){9, Z_DEFAULT_STRATEGY, false});
    expect(buf_slice(&small), 0, OK, slice_make(plain.at, FREE));
    add_member(&small, slice_make(plain.at, 1), (struct recipe){9, Z_DEFAULT_STRATEGY, false});
    expect(buf_slice(&small), 0, BAD_DATA, slice_make(plain.at, FREE)); /* by default 250 */
}

static void test_sink_ends_it_and_it_begins_anew(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf plain = {.max = MIB}, gzip = {.max = MIB};
    make_members(&gzip, &plain, 50 * 1000);
    for (size_t i = 0; i < ENGINES; i++) {
        struct gunzip *gunzip = gunzip_new(engines[i], (struct gunzip_limits){0});
        for (int refuse_after = 0; gunzip && refuse_after < 60000; refuse_after += 7000) {
            CLEANUP(outcome_finish) struct outcome outcome = outcome_new();
            struct err err;
            outcome.refuse_after = refuse_after;
            gunzip_begin(gunzip);
            enum status status = OK;
            for (size_t at = 0; at < gzip.len && status == OK; at++) {
                status = gunzip_put(gunzip, slice_make(gzip.at + at, 1), &outcome.sink, &err);
            }
            assert_int_equal(status, FAILED);
            assert_string_equal(err.text, "enough");

            CLEANUP(outcome_finish) struct outcome again = outcome_new();
            gunzip_begin(gunzip);
            put_all(gunzip, buf_slice(&gzip), 100, &again);
            assert_int_equal(again.status, OK);
            assert_true(slice_equal(buf_slice(&again.bytes), buf_slice(&plain)));
        }
        gunzip_free(gunzip);
    }
}

static void read_file(const char *path, struct buf *to)
{
    FILE *file = fopen(path, "rb");
    char block[4096];
    for (size_t n; file && (n = fread(block, 1, sizeof block, file)) > 0;) {
        buf_add(to, slice_make(block, n));
    }
    if (file) {
        fclose(file);
    }
}

static void test_real_object(void **state)
{
    (void)state;
    const char *path = "../shared/samples/lyve/S3-user-name-t10-2022-10-20-14-09-31.gz";
    CLEANUP(buf_finish) struct buf gzip = {.max = 8 * MIB}, plain = {.max = 80 * (size_t)MIB};
    read_file(path, &gzip);
    gzFile judge = gzopen(path, "rb");
    if (!judge) {
        skip();
    }
    char block[4096];
    for (int n; (n = gzread(judge, block, sizeof block)) > 0;) {
        buf_add(&plain, slice_make(block, (size_t)n));
    }
    gzclose(judge);
    assert_true(plain.len > gzip.len);
    expect(buf_slice(&gzip), -1, OK, buf_slice(&plain));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passes_plain_bytes),
        cmocka_unit_test(test_inflates_all_block_kinds),
        cmocka_unit_test(test_inflates_more_than_the_window),
        cmocka_unit_test(test_members_cut_anywhere),
        cmocka_unit_test(test_many_small_members),
        cmocka_unit_test(test_padding_and_junk),
        cmocka_unit_test(test_refuses_headers_it_does_not_know),
        cmocka_unit_test(test_checks_header_and_trailer),
        cmocka_unit_test(test_truncated_anywhere),
        cmocka_unit_test(test_every_bit_flipped),
        cmocka_unit_test(test_gives_nothing_that_was_not_decoded),
        cmocka_unit_test(test_limit_of_bytes),
        cmocka_unit_test(test_limit_of_ratio),
        cmocka_unit_test(test_sink_ends_it_and_it_begins_anew),
        cmocka_unit_test(test_real_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
