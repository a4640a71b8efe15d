/*
 * Tests of input/lines. Chunks are put from heap blocks of exactly their size, so that
 * AddressSanitizer sees a read beyond them, and the padding behind each record is read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "input/lines.h"

#include <stdlib.h>
#include <xxhash.h>

enum { MIB = 1024 * 1024 };

/* --- what comes out, as text: "1:first|3:third|4:!1048577" (! = oversized, with its length) --- */

struct outcome {
    struct record_sink sink; /* first: the sink is this */
    struct buf text;
    size_t records, fail_at;
    uint64_t hash, len;
    struct buf start; /* of the last oversized one */
    unsigned padding_sum;
};

static enum status count(struct outcome *outcome, struct err *err)
{
    outcome->records++;
    return outcome->records == outcome->fail_at ? err_set(err, FAILED, "enough") : OK;
}

static enum status collect(struct record_sink *to, struct slice record, uint64_t line,
                           struct err *err)
{
    struct outcome *outcome = (struct outcome *)to;
    CLEANUP_FREE char *padding = memory_copy(record.at + record.len, LINES_PADDING);
    for (int i = 0; i < LINES_PADDING; i++) {
        outcome->padding_sum += (unsigned char)padding[i] % 2u; /* valgrind wants a decision */
    }
    buf_printf(&outcome->text, "%s%u:", outcome->records ? "|" : "", (unsigned)line);
    if (record.len <= 1000) {
        buf_add(&outcome->text, record);
    } else {
        buf_printf(&outcome->text, "#%zu", record.len);
    }
    return count(outcome, err);
}

static enum status collect_oversized(struct record_sink *to, struct slice start, uint64_t len,
                                     uint64_t hash, uint64_t line, struct err *err)
{
    struct outcome *outcome = (struct outcome *)to;
    buf_printf(&outcome->text, "%s%u:!%u", outcome->records ? "|" : "", (unsigned)line,
               (unsigned)len);
    outcome->hash = hash;
    outcome->len = len;
    buf_clear(&outcome->start);
    buf_add(&outcome->start, start);
    return count(outcome, err);
}

static struct outcome outcome_new(void)
{
    return (struct outcome){.sink = {collect, collect_oversized},
                            .text = {.max = MIB},
                            .start = {.max = LINES_KEPT_BYTES}};
}

static void outcome_finish(struct outcome *outcome)
{
    buf_finish(&outcome->text);
    buf_finish(&outcome->start);
}

/* Splits bytes that come in chunks of `chunk`, 0 = all at once. */
static enum status split(struct lines *lines, struct slice bytes, size_t chunk,
                         struct outcome *outcome)
{
    struct err err;
    lines_begin(lines, &outcome->sink);
    while (bytes.len) {
        size_t len = chunk && chunk < bytes.len ? chunk : bytes.len;
        CLEANUP_FREE char *exact = malloc(len);
        memcpy(exact, bytes.at, len);
        enum status status =
            lines_sink(lines)->bytes(lines_sink(lines), slice_make(exact, len), &err);
        if (status != OK) {
            return status;
        }
        bytes = slice_make(bytes.at + len, bytes.len - len);
    }
    return lines_end(lines, &err);
}

static void expect(struct slice bytes, size_t chunk, const char *text)
{
    struct lines *lines = lines_new();
    CLEANUP(outcome_finish) struct outcome outcome = outcome_new();
    assert_int_equal(split(lines, bytes, chunk, &outcome), OK);
    assert_string_equal(buf_text(&outcome.text), text);
    lines_free(lines);
}

static void expect_any_chunk(const char *bytes, const char *text)
{
    for (size_t chunk = 0; chunk <= strlen(bytes); chunk++) {
        expect(slice_of(bytes), chunk, text);
    }
}

/* --- tests --- */

static void test_line_ends(void **state)
{
    (void)state;
    expect_any_chunk("", "");
    expect_any_chunk("a", "1:a");
    expect_any_chunk("a\n", "1:a");
    expect_any_chunk("a\r\n", "1:a");
    expect_any_chunk("a\nb\r\nc", "1:a|2:b|3:c");
    expect_any_chunk("a\r\r\nb\rc\nd\r", "1:a\r|2:b\rc|3:d");
    expect_any_chunk("{\"a\": 1}\r\n{\"b\":\t2}\r\n", "1:{\"a\": 1}|2:{\"b\":\t2}");
}

static void test_blank_lines_count_but_are_passed_over(void **state)
{
    (void)state;
    expect_any_chunk("\n\r\n \t\r\na\n\n\nb\n \n\t", "4:a|7:b");
    expect_any_chunk(" a \n", "1: a ");
    expect_any_chunk("\v\n", "1:\v");
}

static void test_zero_bytes_are_bytes(void **state)
{
    (void)state;
    static const char bytes[] = "a\0b\n\0\n";
    struct lines *lines = lines_new();
    CLEANUP(outcome_finish) struct outcome outcome = outcome_new();
    assert_int_equal(split(lines, slice_make(bytes, sizeof bytes - 1), 2, &outcome), OK);
    assert_int_equal(outcome.records, 2);
    assert_int_equal(outcome.text.len, strlen("1:a.b|2:."));
    assert_memory_equal(outcome.text.at, "1:a\0b|2:\0", outcome.text.len);
    lines_free(lines);
}

static void test_byte_order_mark(void **state)
{
    (void)state;
    expect_any_chunk("\xEF\xBB\xBF"
                     "a\nb",
                     "1:a|2:b");
    expect_any_chunk("\xEF\xBB\xBF", "");
    expect_any_chunk("\xEF\xBB\xBF\n"
                     "a",
                     "2:a");
    expect_any_chunk("\xEF\xBB\xBF\xEF\xBB\xBF"
                     "a",
                     "1:\xEF\xBB\xBF"
                     "a");
    expect_any_chunk("\xEF\xBB"
                     "a\n",
                     "1:\xEF\xBB"
                     "a");
    expect_any_chunk("\xEF\n\xEF", "1:\xEF|2:\xEF");
    expect_any_chunk("\xEF\xBB", "1:\xEF\xBB");
    expect_any_chunk("a\n\xEF\xBB\xBF"
                     "b",
                     "1:a|2:\xEF\xBB\xBF"
                     "b");
    expect_any_chunk("\n\xEF\xBB\xBF"
                     "b",
                     "2:\xEF\xBB\xBF"
                     "b");
}

/* Records of every length around the padding's, so that some end close to their chunk's end. */
static void test_records_near_the_end_of_a_chunk(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf bytes = {.max = MIB}, text = {.max = MIB};
    for (unsigned i = 0; i < 200; i++) {
        buf_printf(&bytes, "%0*u%s", (int)(1 + i % 150), i, i % 3 ? "\n" : "\r\n");
        buf_printf(&text, "%s%u:%0*u", i ? "|" : "", i + 1, (int)(1 + i % 150), i);
    }
    for (size_t chunk = 0; chunk < 400; chunk += 1 + chunk / 20) {
        expect(buf_slice(&bytes), chunk, buf_text(&text));
    }
}

#define SEVENTY "1234567890123456789012345678901234567890123456789012345678901234567890"

struct long_line {
    size_t spaces, letters; /* of the line: spaces, then letters */
    const char *end, *expected;
};

static void add_long_line(struct buf *to, size_t spaces, size_t letters, const char *end)
{
    char *room = buf_room(to, spaces + letters);
    memset(room, ' ', spaces);
    for (size_t i = 0; i < letters; i++) {
        room[spaces + i] = (char)('a' + i % 23);
    }
    to->len += spaces + letters;
    buf_add_text(to, end);
}

static void test_longest_and_too_long(void **state)
{
    (void)state;
    static const struct long_line cases[] = {
        {0, MIB, "\nx", "1:#1048576|2:x"},
        {0, MIB, "\r\nx", "1:#1048576|2:x"},
        {0, MIB, "\r", "1:#1048576"},
        {0, MIB, "", "1:#1048576"},
        {0, MIB, "\rx", "1:!1048578"},
        {0, MIB, "\r\r\nx", "1:!1048577|2:x"},
        {0, MIB + 1, "\nx", "1:!1048577|2:x"},
        {0, MIB + 1, "\r\n\nx", "1:!1048577|3:x"},
        {0, MIB + 1, "", "1:!1048577"},
        {0, MIB + 1, "\n" SEVENTY, "1:!1048577|2:" SEVENTY}, /* room for padding behind it */
        {0, 3 * MIB, "\r\r", "1:!3145729"},
        {MIB, 1, "\nx", "1:!1048577|2:x"},
        {2 * MIB, 0, "\r\nx", "2:x"},
        {2 * MIB, 0, "", ""},
    };
    static const size_t chunks[] = {0, 1000, 65536, MIB - 1, MIB, MIB + 1, MIB + 2, MIB + 3};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CLEANUP(buf_finish) struct buf bytes = {.max = 4 * MIB}, marked = {.max = 4 * MIB};
        add_long_line(&bytes, cases[i].spaces, cases[i].letters, cases[i].end);
        buf_add_text(&marked, "\xEF\xBB\xBF"); /* the mark is not part of the length */
        buf_add(&marked, buf_slice(&bytes));
        for (size_t c = 0; c < sizeof chunks / sizeof chunks[0]; c++) {
            expect(buf_slice(&bytes), chunks[c], cases[i].expected);
            expect(buf_slice(&marked), chunks[c], cases[i].expected);
        }
    }
}

static void test_oversized_start_and_hash(void **state)
{
    (void)state;
    static const size_t chunks[] = {0, 1, 7, 65535, 65537, MIB, MIB + 1};
    CLEANUP(buf_finish) struct buf bytes = {.max = 4 * MIB};
    buf_add_text(&bytes, "first\n");
    size_t from = bytes.len;
    add_long_line(&bytes, 0, MIB, "");
    for (size_t i = 0; i < MIB; i += 100) {
        bytes.at[from + i] = '\r'; /* CRs within, at the end of many a chunk */
    }
    buf_add_text(&bytes, "tail");
    struct slice whole = slice_make(bytes.at + from, bytes.len - from);
    uint64_t hash = XXH3_64bits(whole.at, whole.len);
    buf_add_text(&bytes, "\r\nlast");
    struct lines *lines = lines_new();
    for (size_t c = 0; c < sizeof chunks / sizeof chunks[0]; c++) {
        CLEANUP(outcome_finish) struct outcome outcome = outcome_new();
        assert_int_equal(split(lines, buf_slice(&bytes), chunks[c], &outcome), OK);
        assert_string_equal(buf_text(&outcome.text), "1:first|2:!1048580|3:last");
        assert_true(outcome.hash == hash);
        assert_int_equal(outcome.start.len, LINES_KEPT_BYTES);
        assert_memory_equal(outcome.start.at, bytes.at + from, LINES_KEPT_BYTES);
    }
    lines_free(lines);
}

static void test_sink_ends_it_and_it_begins_anew(void **state)
{
    (void)state;
    struct lines *lines = lines_new();
    for (size_t fail_at = 1; fail_at <= 3; fail_at++) {
        for (size_t chunk = 0; chunk < 8; chunk++) {
            CLEANUP(outcome_finish) struct outcome outcome = outcome_new();
            outcome.fail_at = fail_at;
            assert_int_equal(split(lines, slice_of("one\ntwo\nthree"), chunk, &outcome), FAILED);
            assert_int_equal(outcome.records, fail_at);
            CLEANUP(outcome_finish) struct outcome again = outcome_new();
            assert_int_equal(split(lines, slice_of("\nfour"), chunk, &again), OK);
            assert_string_equal(buf_text(&again.text), "2:four");
        }
    }
    lines_free(lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_blank_lines_count_but_are_passed_over),
        cmocka_unit_test(test_zero_bytes_are_bytes),
        cmocka_unit_test(test_byte_order_mark),
        cmocka_unit_test(test_records_near_the_end_of_a_chunk),
        cmocka_unit_test(test_longest_and_too_long),
        cmocka_unit_test(test_oversized_start_and_hash),
        cmocka_unit_test(test_sink_ends_it_and_it_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
