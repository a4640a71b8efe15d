/* Tests of input/gunzip on sound input, its limits, and its sinks. Damage: test_gunzip_damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gunzip_cases.h"

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

static void test_default_ratio(void **state)
{
    (void)state;
    enum { LEN = 66 * MIB, MOST = 70 * MIB };
    CLEANUP(buf_finish) struct buf plain = {.max = MOST}, gzip = {.max = MOST}, more = {.max = MIB};
    memset(buf_room(&plain, LEN), 'a', LEN);
    plain.len = LEN;
    add_member(&gzip, buf_slice(&plain), (struct recipe){9, Z_DEFAULT_STRATEGY, false});
    /* stored as it is, so that 250 times of all is less than the plain bytes */
    add_plain(&more, 270 * 1000 - gzip.len, 1);
    add_member(&gzip, buf_slice(&more), (struct recipe){0, Z_DEFAULT_STRATEGY, false});
    assert_in_range(250 * gzip.len, 64 * MIB + 1, LEN);
    expect(buf_slice(&gzip), 0, BAD_DATA, slice_make(plain.at, 250 * gzip.len));
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
        cmocka_unit_test(test_limit_of_bytes),
        cmocka_unit_test(test_limit_of_ratio),
        cmocka_unit_test(test_default_ratio),
        cmocka_unit_test(test_sink_ends_it_and_it_begins_anew),
        cmocka_unit_test(test_real_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
