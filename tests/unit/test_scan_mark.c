/* scan_mark: every version against the rule, byte by byte, and against what lies behind the end. */
#include "base/cleanup.h"
#include "base/memory.h"
#include "data/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TEXT_MAX = 300, BLOCKS = TEXT_MAX / SCAN_BLOCK_BYTES + 3 };

static bool bit(uint64_t bits, size_t i)
{
    return bits >> i & 1;
}

static void check(enum scan_version version, struct slice text)
{
    struct scan_block blocks[BLOCKS];
    struct scan_marks marks = scan_mark_by(version, blocks, text);
    assert_true(scan_mark_blocks(text.len) <= BLOCKS);
    size_t whole = (text.len / SCAN_BLOCK_BYTES + 1) * SCAN_BLOCK_BYTES;
    bool questions = false, ascii = true;
    for (size_t i = 0; i < whole; i++) {
        const struct scan_block *block = &blocks[i / SCAN_BLOCK_BYTES];
        bool inside = i < text.len;
        unsigned char byte = inside ? (unsigned char)text.at[i] : 0;
        bool stop = byte < ' ' || byte == 34 || byte == 92; /* also whatever is behind the end */
        assert_int_equal(bit(block->stop, i % SCAN_BLOCK_BYTES), stop);
        bool after_s = inside && i > 0 && (text.at[i - 1] == 's' || text.at[i - 1] == 'S');
        bool w = byte == 'w' || byte == 'W';
        assert_int_equal(bit(block->sw, i % SCAN_BLOCK_BYTES), w && after_s);
        questions |= byte == '?';
        ascii &= byte < 128;
    }
    assert_int_equal(marks.questions, questions);
    assert_int_equal(marks.ascii, ascii);
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
        for (size_t len = 0; len < 2 * SCAN_BLOCK_BYTES + 2; len += byte % 7 + 1) {
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
            text[i] = seed >> 50 & 1 ? "swSW"[seed >> 40 & 3] : (char)(seed >> 40);
        }
        check_all(slice_make(text, (size_t)(seed >> 33) % TEXT_MAX), text[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_at_each_place),
        cmocka_unit_test(random_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
