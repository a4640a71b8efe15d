/* Tests of input/gunzip on damaged input, with zlib's own gzip reader as the judge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gunzip_cases.h"

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

/* How many bytes zlib can inflate of one member that may be cut. */
static size_t inflatable(struct slice bytes)
{
    z_stream stream = {.next_in = (Bytef *)bytes.at, .avail_in = (uInt)bytes.len};
    assert_int_equal(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
    Bytef out[4096];
    do {
        stream.next_out = out;
        stream.avail_out = sizeof out;
    } while (inflate(&stream, Z_NO_FLUSH) == Z_OK);
    inflateEnd(&stream);
    return stream.total_out;
}

/* --- tests --- */

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

/* A few bytes of input hold more than the window: all of it is given when the input ends there. */
static void test_cut_run_is_given_whole(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf plain = {.max = 4 * MIB}, gzip = {.max = 8 * MIB};
    memset(buf_room(&plain, 4 * MIB), 'a', 4 * MIB);
    plain.len = 4 * MIB;
    add_member(&gzip, buf_slice(&plain), (struct recipe){9, Z_DEFAULT_STRATEGY, false});
    for (size_t cut = 9; cut < 2000; cut += 50) {
        struct slice bytes = slice_make(gzip.at, gzip.len - cut);
        size_t expected = inflatable(bytes);
        assert_in_range(expected, MIB, 4 * MIB);
        for (size_t i = 0; i < ENGINES; i++) {
            if (is_built(engines[i])) {
                CLEANUP(outcome_finish) struct outcome outcome = inflate_with(engines[i], bytes, 0);
                assert_int_equal(outcome.status, BAD_DATA);
                assert_int_equal(outcome.bytes.len, expected);
            }
        }
    }
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_padding_and_junk),
        cmocka_unit_test(test_refuses_headers_it_does_not_know),
        cmocka_unit_test(test_checks_header_and_trailer),
        cmocka_unit_test(test_truncated_anywhere),
        cmocka_unit_test(test_cut_run_is_given_whole),
        cmocka_unit_test(test_every_bit_flipped),
        cmocka_unit_test(test_gives_nothing_that_was_not_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
