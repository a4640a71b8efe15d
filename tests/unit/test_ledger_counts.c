/* Tests of ledger/counts: bytes written by hand after the LEB128 description, and back. */
#include "ledger/counts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_bytes(void **state)
{
    (void)state;
    struct buf out = {.max = 4096};
    /* 624485 is the usual example of LEB128: E5 8E 26 */
    const struct counts counts = {
        .read = 624485, .n_sinks = 2, .numbers = {0, 1}, .sinks = {{127, 128, 0, 1}, {1, 2, 3, 4}}};
    assert_true(counts_pack(&counts, &out));
    /* series 5 * 8 + 3 = 43; the day -1 as zigzag 1, then 19142 as 38284 = 8C AB 02 */
    assert_true(counts_pack_day(&(struct counts_day){3, 5, -1, 300}, &out));
    assert_true(counts_pack_day(&(struct counts_day){0, 1, 19142, 16384}, &out));
    static const unsigned char wanted[] = {
        0xE5, 0x8E, 0x26, 0x00, 0x02,             /* read, beyond, sinks */
        0x7F, 0x80, 0x01, 0x00, 0x01,             /* 127 128 0 1 */
        0x01, 0x02, 0x03, 0x04,                   /* 1 2 3 4 */
        0x2B, 0x01, 0xAC, 0x02,                   /* 43, -1, 300 */
        0x08, 0x8C, 0xAB, 0x02, 0x80, 0x80, 0x01, /* 8, 19142, 16384 */
    };
    assert_int_equal(out.len, sizeof wanted);
    assert_memory_equal(out.at, wanted, sizeof wanted);
    buf_finish(&out);
}

/* The whole of packed, and nothing else. */
static void assert_unpacks(struct slice packed, const struct counts *wanted)
{
    struct counts back;
    assert_true(counts_unpack(&packed, &back));
    assert_int_equal(packed.len, 0);
    assert_memory_equal(&back, wanted, sizeof back);
}

static void assert_day_survives(const struct counts_day *day)
{
    struct buf out = {.max = 64};
    assert_true(counts_pack_day(day, &out));
    struct slice packed = buf_slice(&out);
    struct counts_day back = {0};
    assert_true(counts_unpack_day(&packed, &back));
    assert_int_equal(packed.len, 0);
    assert_int_equal(back.sink, day->sink);
    assert_int_equal(back.measurement, day->measurement);
    assert_int_equal(back.day, day->day);
    assert_int_equal(back.points, day->points);
    buf_finish(&out);
}

static void test_extremes(void **state)
{
    (void)state;
    static const int32_t days[] = {0, 1, -1, 63, -64, 64, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        assert_day_survives(&(struct counts_day){7, UINT64_MAX >> 3, days[i], UINT64_MAX});
        assert_day_survives(&(struct counts_day){0, 0, days[i], 0});
    }
    struct buf out = {.max = 4096};
    struct counts counts = {.read = UINT64_MAX, .dead_beyond = 1, .n_sinks = LEDGER_SINKS_MAX};
    for (size_t i = 0; i < LEDGER_SINKS_MAX; i++) {
        counts.numbers[i] = UINT64_MAX - i;
    }
    counts.sinks[7] = (struct sink_counts){UINT64_MAX, 5, 6, 7};
    assert_true(counts_pack(&counts, &out));
    assert_unpacks(buf_slice(&out), &counts);
    buf_finish(&out);
}

/* Numbers that are not 0, 1, .. stand before the counts. */
static void test_numbers(void **state)
{
    (void)state;
    struct buf out = {.max = 4096};
    const struct counts counts = {
        .read = 9, .n_sinks = 2, .numbers = {2, 300}, .sinks = {{1, 2, 3, 3}, {9, 0, 0, 0}}};
    assert_true(counts_pack(&counts, &out));
    static const unsigned char wanted[] = {
        0x09, 0x00, 0x0A,                   /* read, beyond, two sinks and 8 */
        0x02, 0x01, 0x02, 0x03, 0x03,       /* number 2 */
        0xAC, 0x02, 0x09, 0x00, 0x00, 0x00, /* number 300 */
    };
    assert_int_equal(out.len, sizeof wanted);
    assert_memory_equal(out.at, wanted, sizeof wanted);
    assert_unpacks(buf_slice(&out), &counts);
    buf_finish(&out);
}

/* Every cut is refused, and none is read beyond its end (the sanitizer sees to that). */
static void test_damage(void **state)
{
    (void)state;
    struct buf out = {.max = 4096};
    const struct counts counts = {.read = 300, .n_sinks = 1, .sinks = {{300, 300, 300, 300}}};
    assert_true(counts_pack(&counts, &out));
    for (size_t len = 0; len < out.len; len++) {
        char *exact = malloc(len ? len : 1);
        memcpy(exact, out.at, len);
        struct slice packed = {exact, len};
        struct counts back;
        assert_false(counts_unpack(&packed, &back));
        free(exact);
    }
    buf_finish(&out);

    static const char too_long[] = "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02"; /* 2^64 */
    static const char nine_sinks[] = "\x01\x00\x11";                           /* and 8 */
    static const char far_day[] = "\x08\x80\x80\x80\x80\x10\x01";              /* zigzag 2^32 */
    struct counts back;
    struct counts_day day;
    assert_false(counts_unpack(&(struct slice){too_long, 10}, &back));
    assert_false(counts_unpack(&(struct slice){nine_sinks, sizeof nine_sinks - 1}, &back));
    assert_false(counts_unpack_day(&(struct slice){far_day, 7}, &day));
}

static void test_full(void **state)
{
    (void)state;
    struct buf out = {.max = 6};
    const struct counts counts = {.read = 1, .n_sinks = 1};
    assert_false(counts_pack(&counts, &out)); /* 7 bytes */
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),    cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_extremes), cmocka_unit_test(test_damage),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
