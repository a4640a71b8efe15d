/* scan_mark and scan_stops: every version against the rule, byte by byte, and against what lies
 * behind the end. */
#include "base/cleanup.h"
#include "base/memory.h"
#include "data/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { TEXT_MAX = 300, STEPS = TEXT_MAX / SCAN_STEP_BYTES + 1 };

static bool is_stop(unsigned char byte)
{
    return byte < ' ' || byte == 34 || byte == 92;
}

static struct scan_marks marks_of(struct slice text)
{
    struct scan_marks marks = {.ascii = true, .printable = true};
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        marks.questions |= byte == '?';
        marks.ascii &= byte < 128;
        marks.printable &= byte <= '~';
    }
    return marks;
}

static void check(enum scan_version version, struct slice text)
{
    uint64_t steps[STEPS];
    assert_int_equal(scan_mark_steps(text.len), text.len / SCAN_STEP_BYTES + 1);
    struct scan_marks wanted = marks_of(text), marks = scan_mark_by(version, steps, text);
    assert_int_equal(marks.questions, wanted.questions);
    assert_int_equal(marks.ascii, wanted.ascii);
    assert_int_equal(marks.printable, wanted.printable);
    for (size_t i = 0; i < scan_mark_steps(text.len) * SCAN_STEP_BYTES; i++) {
        bool stop = i < text.len && is_stop((unsigned char)text.at[i]);
        assert_int_equal(steps[i / SCAN_STEP_BYTES] >> i % SCAN_STEP_BYTES & 1, stop);
    }
}

/* With `behind` in the padding, which must not be noted. */
static void check_all(struct slice text, char behind)
{
    CLEANUP_FREE char *padded = memory_new(text.len + EXTRACT_PADDING);
    memcpy(padded, text.at, text.len);
    memset(padded + text.len, behind, EXTRACT_PADDING);
    for (int version = SCAN_PORTABLE; version <= SCAN_BEST; version++) {
        check((enum scan_version)version, slice_make(padded, text.len));
    }
}

static void each_byte_at_each_place(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        for (size_t len = 0; len < 2 * SCAN_STEP_BYTES + 2; len += byte % 7 + 1) {
            char text[TEXT_MAX];
            memset(text, 'x', sizeof text);
            for (size_t i = byte % 5; i < len; i += 11) {
                text[i] = (char)byte;
            }
            check_all(slice_make(text, len), (char)byte);
        }
    }
}

static void random_texts(void **state)
{
    (void)state;
    uint64_t seed = 20220530;
    for (int round = 0; round < 3000; round++) {
        char text[TEXT_MAX];
        for (size_t i = 0; i < sizeof text; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            text[i] = (char)(seed >> 40 & (round & 1 ? 0xFF : 0x7F));
        }
        check_all(slice_make(text, (size_t)(seed >> 33) % TEXT_MAX), text[0]);
    }
}

/* --- the list of stops --- */

enum { LIST_STEPS = 5, LIST_MAX = LIST_STEPS * SCAN_STEP_BYTES, BEYOND = SCAN_STEP_BYTES };

static void check_list(enum scan_version version, const uint64_t *steps, size_t n, uint32_t from)
{
    enum { UNTOUCHED = 77 };
    uint32_t list[LIST_MAX + BEYOND + 1];
    list[LIST_MAX + BEYOND] = UNTOUCHED;
    uint32_t *end = scan_stops_by(version, steps, n, from, list), *next = list;
    for (size_t i = 0; i < n * SCAN_STEP_BYTES; i++) {
        if (steps[i / SCAN_STEP_BYTES] >> i % SCAN_STEP_BYTES & 1) {
            assert_true(next < end);
            assert_int_equal(*next++, from + i);
        }
    }
    assert_ptr_equal(next, end);
    assert_int_equal(list[LIST_MAX + BEYOND], UNTOUCHED);
}

/* Steps with few stops, many, none and nothing else. */
static void lists_of_stops(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int round = 0; round < 3000; round++) {
        uint64_t steps[LIST_STEPS];
        for (size_t i = 0; i < LIST_STEPS; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            uint64_t shape = seed >> 60;
            steps[i] = shape < 3 ? 0 : shape == 3 ? UINT64_MAX : seed ^ seed >> 32;
            steps[i] &= shape > 9 ? seed << 7 & seed >> 3 : UINT64_MAX;
        }
        for (int version = SCAN_PORTABLE; version <= SCAN_BEST; version++) {
            check_list((enum scan_version)version, steps, (size_t)round % (LIST_STEPS + 1),
                       (uint32_t)(seed >> 40));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_at_each_place),
        cmocka_unit_test(random_texts),
        cmocka_unit_test(lists_of_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
