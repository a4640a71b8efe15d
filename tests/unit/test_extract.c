/*
 * extract: what the scan accepts, finds and hides, by hand-written expectations. Every record is
 * scanned by the vector and by the portable walk, from a buffer of exactly its size and padding, so
 * that the sanitizers see a read too many, and with a padding that could pass for JSON.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "data/extract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const paths[] = {"a", "b.c", "b.c.d", "x.y", "b.c", "k\\.1.z", "", "e."};
enum { A, B_C, B_C_D, X_Y, B_C_AGAIN, K1_Z, EMPTY, E_EMPTY, N_PATHS };
static const char *const keys[] = {"b", "only", "a"};
enum { HAS_B = 1, HAS_ONLY = 2, HAS_A = 4 };

enum { ROUNDS = 4 }; /* vector or portable, two paddings */

struct fixture {
    struct extract *extract;
    char *record; /* the last one */
    struct slice text;
    struct extracted out;
    struct err err;
};

static int setup(void **state)
{
    struct fixture *fixture = memory_new(sizeof *fixture);
    fixture->extract = extract_new(paths, N_PATHS, keys, 3);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    extract_free(fixture->extract);
    free(fixture->record);
    free(fixture);
    return 0;
}

static enum status scan(struct fixture *fixture, struct slice text, int round)
{
    static const char hostile[] = "1}]}\"}]},\"a\":1}";
    free(fixture->record);
    fixture->record = memory_new(text.len + EXTRACT_PADDING);
    memcpy(fixture->record, text.at, text.len);
    for (size_t i = 0; round & 1 && i < EXTRACT_PADDING; i++) {
        fixture->record[text.len + i] = hostile[i % (sizeof hostile - 1)];
    }
    fixture->text = slice_make(fixture->record, text.len);
    return (round & 2 ? extract_record_portable : extract_record)(fixture->extract, fixture->text,
                                                                  &fixture->out, &fixture->err);
}

static void assert_text(struct slice actual, const char *expected)
{
    assert_int_equal(actual.len, strlen(expected));
    assert_memory_equal(actual.at, expected, actual.len);
}

static void assert_found(const struct fixture *fixture, int slot, enum json_kind kind,
                         const char *raw)
{
    assert_int_equal(fixture->out.slots[slot].kind, kind);
    assert_text(fixture->out.slots[slot].raw, raw);
}

static void accepts(struct fixture *fixture, const char *text)
{
    for (int round = 0; round < ROUNDS; round++) {
        assert_int_equal(scan(fixture, slice_of(text), round), OK);
    }
}

static void refuses(struct fixture *fixture, const char *text, const char *why)
{
    for (int round = 0; round < ROUNDS; round++) {
        assert_int_equal(scan(fixture, slice_of(text), round), BAD_DATA);
        assert_string_equal(fixture->err.text, why);
    }
}

static void finds_declared_values(void **state)
{
    struct fixture *fixture = *state;
    for (int round = 0; round < ROUNDS; round++) {
        const char *text =
            "{\"z\":[{\"a\":0}],\"a\" : \"x\\ny\", \"b\":{\"a\":2,\"c\":{\"d\":-1.5e3},"
            "\"x\":{\"y\":1}},\"k.1\":{\"z\":true},\"\":null,\"e\":{\"\":[1, 2]}}";
        assert_int_equal(scan(fixture, slice_of(text), round), OK);
        assert_found(fixture, A, JSON_STRING, "x\\ny");
        assert_true(fixture->out.slots[A].escaped);
        assert_found(fixture, B_C, JSON_OBJECT, "{\"d\":-1.5e3}");
        assert_found(fixture, B_C_AGAIN, JSON_OBJECT, "{\"d\":-1.5e3}");
        assert_found(fixture, B_C_D, JSON_NUMBER, "-1.5e3");
        assert_found(fixture, K1_Z, JSON_TRUE, "true");
        assert_found(fixture, EMPTY, JSON_NULL, "null");
        assert_found(fixture, E_EMPTY, JSON_ARRAY, "[1, 2]");
        assert_int_equal(fixture->out.slots[X_Y].kind, JSON_ABSENT); /* b.x.y is another */
        assert_int_equal(fixture->out.keys_seen, HAS_A | HAS_B);
        assert_int_equal(fixture->out.duplicate_keys, 0);
        assert_int_equal(fixture->out.n_edits, 0);
    }
}

static void forgets_the_record_before(void **state)
{
    struct fixture *fixture = *state;
    accepts(fixture, "{\"a\":\"\\n\",\"token\":1,\"a\":2}");
    accepts(fixture, "{\"only\":false}");
    assert_int_equal(fixture->out.slots[A].kind, JSON_ABSENT);
    assert_int_equal(fixture->out.keys_seen, HAS_ONLY);
    assert_int_equal(fixture->out.duplicate_keys, 0);
    assert_int_equal(fixture->out.n_edits, 0);
}

/* "b":1 is the first b: what a later b holds does not count. */
static void the_first_of_duplicate_keys_counts(void **state)
{
    struct fixture *fixture = *state;
    accepts(fixture, "{\"a\":\"\",\"a\":2,\"q\":1,\"q\":2,\"only\":1,\"only\":2,\"a\":{}}");
    assert_found(fixture, A, JSON_STRING, "");
    assert_int_equal(fixture->out.duplicate_keys, 2);
    accepts(fixture, "{\"b\":1,\"b\":{\"c\":1,\"c\":2}}");
    assert_int_equal(fixture->out.slots[B_C].kind, JSON_ABSENT);
    assert_int_equal(fixture->out.duplicate_keys, 1);
    accepts(fixture, "{\"b\":{\"c\":1,\"q\":{\"c\":2},\"c\":2}}");
    assert_found(fixture, B_C, JSON_NUMBER, "1");
    assert_int_equal(fixture->out.duplicate_keys, 1);
}

static void decodes_keys_before_comparing(void **state)
{
    struct fixture *fixture = *state;
    accepts(fixture, "{\"\\u0061\":1,\"x\":{\"\\u0079\":2},\"\\u006fnly\":0}");
    assert_found(fixture, A, JSON_NUMBER, "1");
    assert_found(fixture, X_Y, JSON_NUMBER, "2");
    assert_int_equal(fixture->out.keys_seen, HAS_A | HAS_ONLY);
    accepts(fixture, "{\"\\\\a\":1,\"a\\u0000\":2,\"A\":3,\"\\\"a\":4}");
    assert_int_equal(fixture->out.slots[A].kind, JSON_ABSENT);
}

/* Keys around the 63 that the mask of lengths can tell apart. */
static void finds_long_keys(void **state)
{
    (void)state;
    for (int len = 60; len < 70; len++) {
        char path[80] = {0};
        memset(path, 'p', (size_t)len);
        struct extract *extract = extract_new((const char *const[]){path}, 1, NULL, 0);
        CLEANUP(buf_finish) struct buf text = {.max = 400};
        buf_printf(&text, "{\"%sp\":1,\"%s\":2}", path, path);
        struct slice record = buf_slice(&text);
        buf_printf(&text, "%*s", EXTRACT_PADDING, "");
        record.at = text.at;
        struct extracted out;
        struct err err;
        assert_int_equal(extract_record(extract, record, &out, &err), OK);
        assert_text(out.slots[0].raw, "2");
        extract_free(extract);
    }
}

static void accepts_every_form_of_number(void **state)
{
    static const char *const legal[] = {"0",
                                        "-0",
                                        "7",
                                        "10",
                                        "-123",
                                        "0.0",
                                        "1.50",
                                        "-0.1",
                                        "1e5",
                                        "1E5",
                                        "1e+5",
                                        "1e-05",
                                        "0e0",
                                        "-0E-0",
                                        "1.2e3",
                                        "1e999",
                                        "123456789012345678901234567890",
                                        "0.000"};
    for (size_t i = 0; i < sizeof legal / sizeof *legal; i++) {
        char text[100];
        snprintf(text, sizeof text, "{\"a\":%s}", legal[i]);
        accepts(*state, text);
        assert_found(*state, A, JSON_NUMBER, legal[i]);
        snprintf(text, sizeof text, "{\"q\":[%s ,%s]}", legal[i], legal[i]);
        accepts(*state, text);
    }
}

static void refuses_other_numbers(void **state)
{
    static const char *const wrong = "byte 5: a number in a form that JSON does not have";
    static const char *const none = "byte 5: a value is missing";
    static const struct {
        const char *number, *why;
    } rows[] = {
        {"-", wrong},
        {"-a", wrong},
        {"1.", wrong},
        {"1.e5", wrong},
        {"1e", wrong},
        {"1e+", wrong},
        {"1E-", wrong},
        {"-.5", wrong},
        {"--1", wrong},
        {"1.-5", wrong},
        {"-Infinity", wrong},
        {".5", none},
        {"+1", none},
        {"NaN", none},
        {"Infinity", none},
        {"", none},
        {"01", "byte 6: a comma or '}' is missing"},
        {"-01", "byte 7: a comma or '}' is missing"},
        {"00", "byte 6: a comma or '}' is missing"},
        {"0x1", "byte 6: a comma or '}' is missing"},
        {"1_000", "byte 6: a comma or '}' is missing"},
        {"1.2.3", "byte 8: a comma or '}' is missing"},
        {"1e5.5", "byte 8: a comma or '}' is missing"},
        {"1 2", "byte 7: a comma or '}' is missing"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[100];
        snprintf(text, sizeof text, "{\"a\":%s}", rows[i].number);
        refuses(*state, text, rows[i].why);
    }
}

static void says_what_is_wrong_and_where(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "byte 0: the text ends too early"},
        {"  ", "byte 2: the text ends too early"},
        {"[]", "byte 0: a record must be an object"},
        {" [1]", "byte 1: a record must be an object"},
        {"1", "byte 0: neither an object nor an array"},
        {"\"a\"", "byte 0: neither an object nor an array"},
        {"\xEF\xBB\xBF{}", "byte 0: neither an object nor an array"},
        {"{}{}", "byte 2: something follows the end of the object"},
        {"{} x", "byte 3: something follows the end of the object"},
        {"{,}", "byte 1: a key in quotes is missing"},
        {"{a:1}", "byte 1: a key in quotes is missing"},
        {"{'a':1}", "byte 1: a key in quotes is missing"},
        {"{\"a\":1,}", "byte 7: a key in quotes is missing"},
        {"{\"a\":1,,\"b\":2}", "byte 7: a key in quotes is missing"},
        {"{\"a\"}", "byte 4: a ':' is missing"},
        {"{\"a\" 1}", "byte 5: a ':' is missing"},
        {"{\"a\"=1}", "byte 4: a ':' is missing"},
        {"{\"a\":}", "byte 5: a value is missing"},
        {"{\"a\"::1}", "byte 5: a value is missing"},
        {"{\"a\":tru}", "byte 5: a value is missing"},
        {"{\"a\":True}", "byte 5: a value is missing"},
        {"{\"a\":nul}", "byte 5: a value is missing"},
        {"{\"a\":truex}", "byte 9: a comma or '}' is missing"},
        {"{\"a\":1 \"b\":2}", "byte 7: a comma or '}' is missing"},
        {"{\"a\":1]", "byte 6: a comma or '}' is missing"},
        {"{\"a\":[1}", "byte 7: a comma or ']' is missing"},
        {"{\"a\":[1 2]}", "byte 8: a comma or ']' is missing"},
        {"{\"a\":[1,]}", "byte 8: a value is missing"},
        {"{\"a\":[,1]}", "byte 6: a value is missing"},
        {"{\"a\":\"\n\"}", "byte 6: a control character in a string"},
        {"{\"a\n\":1}", "byte 3: a control character in a string"},
        {"{\"a\":\"0123456789abcde\x1F\"}", "byte 21: a control character in a string"},
        {"{\"a\":\"\\x\"}", "byte 6: an escape that JSON does not have"},
        {"{\"a\":\"\\'\"}", "byte 6: an escape that JSON does not have"},
        {"{\"a\":\"\\u12g4\"}", "byte 6: \\u without four hexadecimal digits"},
        {"{\"a\":\"\\n\\u12\"}", "byte 8: \\u without four hexadecimal digits"},
        {"{\"a\":1\f}", "byte 6: a comma or '}' is missing"},
        {"{\"a\":1//\n}", "byte 6: a comma or '}' is missing"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        refuses(*state, rows[i].text, rows[i].why);
    }
}

static void accepts_what_strings_may_hold(void **state)
{
    accepts(*state, " \t\r\n{ \"a\" : \"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\uD83D\\uDE00\" } \r\n");
    accepts(*state, "{\"a\":\"\\u0000\\ud800\x7F\xC3\xA4\",\"\\u0000\":1,\"\":[[],{}, [ ], { }]}");
    assert_found(*state, A, JSON_STRING, "\\u0000\\ud800\x7F\xC3\xA4");
}

/* Each kind of stop at each offset within and beyond a step of 16 bytes. */
static void reads_strings_of_every_length(void **state)
{
    struct fixture *fixture = *state;
    for (int len = 0; len < 70; len++) {
        char text[300], content[120];
        snprintf(content, sizeof content, "%.*s\\n%.*s", len,
                 "0123456789012345678901234567890123456789012345678901234567890123456789", len / 2,
                 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz");
        snprintf(text, sizeof text, "{\"a\":\"%s\",\"%.*s\":{}}", content, len, content);
        accepts(fixture, text);
        assert_found(fixture, A, JSON_STRING, content);
        text[6 + len] = '\x1E';
        char why[60];
        snprintf(why, sizeof why, "byte %d: a control character in a string", 6 + len);
        refuses(fixture, text, why);
    }
}

/* Strings, escapes and white space on either side of each end of the lists of stops. */
static void finds_values_around_every_place(void **state)
{
    enum { LIST_BYTES = 64 * 64, BEFORE = 100 };
    struct fixture *fixture = *state;
    for (int lists = 1; lists <= 2; lists++) {
        for (int shift = 0; shift < BEFORE + 10; shift++) {
            CLEANUP(buf_finish) struct buf text = {.max = 3 * LIST_BYTES};
            buf_add_text(&text, "{\"p\":\"");
            while (text.len < (size_t)(lists * LIST_BYTES - BEFORE + shift)) {
                buf_add_text(&text, "y");
            }
            buf_add_text(&text,
                         "\",\r\t\"b\"\t:\n{ \"c\" : \"\\\"\\\\\\u0041\\\\\"}, \"token\":\t\"s\",");
            size_t end = text.len - 1;
            buf_add_text(&text, "\"a\": [\"1\",\"\\\\\" ,\t\"\"],\"k.1\":{\"z\":\"\"}}");
            for (int round = 0; round < ROUNDS; round++) {
                assert_int_equal(scan(fixture, buf_slice(&text), round), OK);
                assert_found(fixture, B_C, JSON_STRING, "\\\"\\\\\\u0041\\\\");
                assert_true(fixture->out.slots[B_C].escaped);
                assert_found(fixture, A, JSON_ARRAY, "[\"1\",\"\\\\\" ,\t\"\"]");
                assert_found(fixture, K1_Z, JSON_STRING, "");
                assert_int_equal(fixture->out.n_edits, 1);
                assert_int_equal(fixture->out.edits[0].to, end);
                assert_int_equal(fixture->out.edits[0].from, end - 3);
            }
        }
    }
}

/* What follows the cut is the rest of the record: nothing but the length tells that it ends. */
static void refuses_every_part_of_a_record(void **state)
{
    struct fixture *fixture = *state;
    struct slice text = slice_of("{\"a\":[1.5e3,true,null,\"x\\u0041\\n\"],\"bb\":{\"c\":{}} }");
    for (int round = 0; round < ROUNDS; round++) {
        assert_int_equal(scan(fixture, text, round), OK);
        for (size_t len = 0; len < text.len; len++) {
            assert_int_equal(extract_record(fixture->extract, slice_make(fixture->record, len),
                                            &fixture->out, &fixture->err),
                             BAD_DATA);
            assert_int_equal(extract_record_portable(fixture->extract,
                                                     slice_make(fixture->record, len),
                                                     &fixture->out, &fixture->err),
                             BAD_DATA);
            assert_int_equal(scan(fixture, slice_make(text.at, len), round), BAD_DATA);
            assert_int_equal(scan(fixture, text, round), OK);
        }
    }
}

/* {"a":[[..]]} or {"a":{"a":..}} of that many levels in all */
static struct slice nested(int levels, bool arrays, struct buf *text)
{
    buf_clear(text);
    buf_add_text(text, arrays ? "{\"a\":" : "{");
    for (int i = 1; i < levels; i++) {
        buf_add_text(text, arrays ? "[" : "\"a\":{");
    }
    for (int i = 1; i < levels; i++) {
        buf_add_text(text, arrays ? "]" : "}");
    }
    buf_add_text(text, "}");
    return buf_slice(text);
}

static void goes_a_thousand_levels_deep(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(buf_finish) struct buf text = {.max = 100000};
    for (int round = 0; round < 2 * ROUNDS; round++) {
        bool arrays = round >= ROUNDS;
        assert_int_equal(scan(fixture, nested(200, arrays, &text), round), OK);
        assert_int_equal(scan(fixture, nested(1000, arrays, &text), round), OK);
        assert_int_equal(scan(fixture, nested(1001, arrays, &text), round), BAD_DATA);
        assert_string_equal(fixture->err.text, arrays ? "byte 1004: more than 1,000 levels"
                                                      : "byte 5000: more than 1,000 levels");
    }
}

static void reads_a_string_of_two_mebibytes(void **state)
{
    struct fixture *fixture = *state;
    enum { SIZE = 2 * 1024 * 1024 };
    CLEANUP_FREE char *text = memory_new(SIZE + 10);
    memset(text, 'x', SIZE + 8);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + 6 + SIZE, "\"}", 2);
    for (int round = 0; round < ROUNDS; round++) {
        assert_int_equal(scan(fixture, slice_make(text, SIZE + 8), round), OK);
        assert_int_equal(fixture->out.slots[A].raw.len, SIZE);
        assert_int_equal(scan(fixture, slice_make(text, SIZE + 6), round), BAD_DATA);
    }
}

/* The record is to be repaired first; whatever else is wrong with it. */
static void asks_for_utf8(void **state)
{
    static const char *const rows[] = {"{\"a\":\"\xFF\"}", "{\"a\":\"\xC3\"}",
                                       "{\"a\":\xED\xA0\x80",
                                       ("{\"a\":\"0123456789012345678901234567890123456789"
                                        "0123456789012345678901234567890123456789\xF0\x9F\x98\"}")};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(scan(*state, slice_of(rows[i]), 0), AGAIN);
        assert_int_equal(scan(*state, slice_of(rows[i]), 3), AGAIN);
    }
    assert_int_equal(scan(*state, slice_of("{\"a\":\"\xF0\x9F\x98\x80\"}"), 0), OK);
    assert_int_equal(scan(*state, slice_of("{\"a\":\xC3\xA4}"), 0), BAD_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_declared_values),
        cmocka_unit_test(forgets_the_record_before),
        cmocka_unit_test(the_first_of_duplicate_keys_counts),
        cmocka_unit_test(decodes_keys_before_comparing),
        cmocka_unit_test(finds_long_keys),
        cmocka_unit_test(accepts_every_form_of_number),
        cmocka_unit_test(refuses_other_numbers),
        cmocka_unit_test(says_what_is_wrong_and_where),
        cmocka_unit_test(accepts_what_strings_may_hold),
        cmocka_unit_test(finds_values_around_every_place),
        cmocka_unit_test(reads_strings_of_every_length),
        cmocka_unit_test(refuses_every_part_of_a_record),
        cmocka_unit_test(goes_a_thousand_levels_deep),
        cmocka_unit_test(reads_a_string_of_two_mebibytes),
        cmocka_unit_test(asks_for_utf8),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
