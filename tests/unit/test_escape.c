/* escape: expectations by hand; the vector version against its portable twin on random texts. */
#include "base/cleanup.h"
#include "data/escape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

typedef bool escaper(struct buf *out, struct slice text);

static void expect(escaper *escape, struct slice text, struct slice expected)
{
    CLEANUP(buf_finish) struct buf out = {.max = 1000};
    buf_add_byte(&out, '>'); /* what is there stays */
    assert_true(escape(&out, text));
    assert_int_equal(out.len, expected.len + 1);
    assert_memory_equal(out.at + 1, expected.at, expected.len);
}

static void expect_text(escaper *escape, const char *text, const char *expected)
{
    expect(escape, slice_of(text), slice_of(expected));
}

/* In memory of just the size it may use. */
static bool in_room(char *(*escape)(char *to, struct slice text), struct buf *out,
                    struct slice text)
{
    CLEANUP_FREE char *room = malloc(2 * text.len + ESCAPE_SPARE_BYTES);
    assert_non_null(room);
    char *end = escape(room, text);
    return buf_add(out, slice_make(room, (size_t)(end - room)));
}

static bool quoted(struct buf *out, struct slice text)
{
    return in_room(escape_quoted_to, out, text);
}

static bool tag(struct buf *out, struct slice text)
{
    return in_room(escape_tag_to, out, text);
}

static bool measurement(struct buf *out, struct slice text)
{
    return in_room(escape_measurement_to, out, text);
}

/* One version of the escaping, likewise; one that this machine lacks is passed over. */
static bool quoted_by(enum escape_version version, struct buf *out, struct slice text)
{
    CLEANUP_FREE char *room = malloc(2 * text.len + ESCAPE_SPARE_BYTES);
    assert_non_null(room);
    char *end = escape_quoted_by(version, room, text);
    return end ? buf_add(out, slice_make(room, (size_t)(end - room))) : quoted(out, text);
}

static bool quoted_portable(struct buf *out, struct slice text)
{
    return quoted_by(ESCAPE_PORTABLE, out, text);
}

static bool quoted_avx(struct buf *out, struct slice text)
{
    return quoted_by(ESCAPE_AVX, out, text);
}

static bool quoted_vbmi2(struct buf *out, struct slice text)
{
    return quoted_by(ESCAPE_VBMI2, out, text);
}

static void quotes_by_hand(void **state)
{
    (void)state;
    escaper *const all[] = {quoted, quoted_portable, quoted_avx, quoted_vbmi2};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        expect_text(all[i], "", "");
        expect_text(all[i], "plain", "plain");
        expect_text(all[i], "\"", "\\\"");
        expect_text(all[i], "\\", "\\\\");
        expect_text(all[i], "{\"key\":\"C:\\\\dir\",\"n\":1}",
                    "{\\\"key\\\":\\\"C:\\\\\\\\dir\\\",\\\"n\\\":1}");
        expect_text(all[i], "a, b=c\nd", "a, b=c\nd");
        expect_text(all[i], "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"",
                    "\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"");
    }
}

static void names_by_hand(void **state)
{
    (void)state;
    expect_text(measurement, "audit 01,a=b", "audit\\ 01\\,a=b");
    expect_text(tag, "a b,c=d", "a\\ b\\,c\\=d");
    expect_text(tag, "back\\slash \"q\"", "back\\slash\\ \"q\"");
    expect_text(tag, "", "");
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

static size_t random_text(uint64_t *seed, char *text, size_t max)
{
    size_t len = next_random(seed) % max;
    unsigned density = (unsigned)(next_random(seed) % 20) + 1;
    for (size_t i = 0; i < len; i++) {
        uint64_t dice = next_random(seed);
        text[i] = dice % density ? (char)(dice >> 32) : (dice >> 16 & 1 ? '"' : '\\');
    }
    return len;
}

static void the_versions_agree(void **state)
{
    (void)state;
    uint64_t seed = 20220530;
    for (int round = 0; round < 20000; round++) {
        char text[200];
        size_t len = random_text(&seed, text, sizeof text);
        CLEANUP_FREE char *exact = malloc(len + 1); /* reading beyond it would be found */
        assert_non_null(exact);
        memcpy(exact, text, len);
        for (int version = ESCAPE_AVX; version < ESCAPE_VERSIONS; version++) {
            CLEANUP(buf_finish) struct buf a = {.max = 1000}, b = {.max = 1000};
            quoted_by((enum escape_version)version, &a, slice_make(exact, len));
            quoted_portable(&b, slice_make(exact, len));
            assert_true(slice_equal(buf_slice(&a), buf_slice(&b)));
        }
    }
}

static bool tag_by_hand(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == ',' || text.at[i] == ' ' || text.at[i] == '=') {
            buf_add_byte(out, '\\');
        }
        buf_add_byte(out, text.at[i]);
    }
    return !out->overflow;
}

/* Names of 16 bytes and more are copied in steps that overlap. */
static void long_names(void **state)
{
    (void)state;
    for (size_t len = 1; len < 70; len++) {
        for (size_t special = 0; special <= len; special++) {
            char text[70];
            memset(text, 'x', sizeof text);
            text[special] = ", ="[special % 3]; /* at len: behind the text */
            CLEANUP(buf_finish) struct buf a = {.max = 1000}, b = {.max = 1000};
            assert_true(tag(&a, slice_make(text, len)));
            tag_by_hand(&b, slice_make(text, len));
            assert_true(slice_equal(buf_slice(&a), buf_slice(&b)));
        }
    }
    expect_text(measurement, "a measurement,of=some length", "a\\ measurement\\,of=some\\ length");
    expect_text(measurement, "0123456789=abcdef", "0123456789=abcdef");
}

/* Exactly the maximum fits; one less leaves the buffer as it was. */
static void stops_at_the_maximum(void **state)
{
    (void)state;
    static const struct {
        escaper *escape;
        const char *text;
        size_t need;
    } rows[] = {
        {json_escape, "a\nb\x01", 10},
        {json_unescape, "a\\nb", 4}, /* asks for the length of the escaped text */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(buf_finish)
        struct buf enough = {.max = rows[i].need + 1}, less = {.max = rows[i].need};
        buf_add_byte(&enough, '>');
        buf_add_byte(&less, '>');
        assert_true(rows[i].escape(&enough, slice_of(rows[i].text)));
        assert_false(enough.overflow);
        assert_false(rows[i].escape(&less, slice_of(rows[i].text)));
        assert_true(less.overflow);
        assert_int_equal(less.len, 1);
    }
}

static void json_escapes_by_hand(void **state)
{
    (void)state;
    expect_text(json_escape, "a\"b\\c/\b\f\n\r\t\x01\x1F\x7F\xC3\xA4",
                "a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\x7F\xC3\xA4");
    expect(json_escape, slice_make("a\0b", 3), slice_of("a\\u0000b"));
    expect_text(json_escape, "", "");
}

static void json_unescapes_by_hand(void **state)
{
    (void)state;
    expect_text(json_unescape, "", "");
    expect_text(json_unescape, "plain \xC3\xA4", "plain \xC3\xA4");
    expect_text(json_unescape, "\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t");
    expect(json_unescape, slice_of("a\\u0000b"), slice_make("a\0b", 3));
    expect_text(json_unescape, "\\u0041\\u00e4\\u00E4\\u20ac", "A\xC3\xA4\xC3\xA4\xE2\x82\xAC");
    expect_text(json_unescape, "\\u07ff\\u0800\\uffff", "\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF");
    expect_text(json_unescape, "\\ud83d\\ude00\\uD800\\uDC00\\udbff\\udfff",
                "\xF0\x9F\x98\x80\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
}

#define FFFD "\xEF\xBF\xBD"

static void surrogates_without_partner_become_fffd(void **state)
{
    (void)state;
    expect_text(json_unescape, "\\ud83d", FFFD);
    expect_text(json_unescape, "\\ud83dx", FFFD "x");
    expect_text(json_unescape, "\\ud83d\\n", FFFD "\n");
    expect_text(json_unescape, "\\ude00\\ud83d", FFFD FFFD);
    expect_text(json_unescape, "\\ud83d\\ud83d\\ude00", FFFD "\xF0\x9F\x98\x80");
    expect_text(json_unescape, "\\ud83d\\u0041", FFFD "A");
    expect_text(json_unescape, "\\ud83d\\ue000", FFFD "\xEE\x80\x80");
    expect_text(json_unescape, "\\ud83d\\udbff", FFFD FFFD);
}

/* Never met on valid JSON, but a broken record's keys are read with it too. */
static void broken_escapes_do_no_harm(void **state)
{
    (void)state;
    expect_text(json_unescape, "a\\", "a\\");
    expect_text(json_unescape, "\\u12", "u12");
    expect_text(json_unescape, "\\u12g4", "u12g4");
    expect_text(json_unescape, "\\x", "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_by_hand),
        cmocka_unit_test(names_by_hand),
        cmocka_unit_test(the_versions_agree),
        cmocka_unit_test(long_names),
        cmocka_unit_test(stops_at_the_maximum),
        cmocka_unit_test(json_escapes_by_hand),
        cmocka_unit_test(json_unescapes_by_hand),
        cmocka_unit_test(surrogates_without_partner_become_fffd),
        cmocka_unit_test(broken_escapes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
