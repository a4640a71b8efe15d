/* utf8 against the tables of RFC 3629 and of the Unicode standard, chapter 3.9. */
#include "base/cleanup.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define FFFD "\xEF\xBF\xBD"

/* Expectations are what Python 3.11's bytes.decode("utf-8", "replace") gives. */
static const struct repair {
    const char *from, *to;
    size_t valid, repairs;
} repairs[] = {
    {"", "", 0, 0},
    {"plain", "plain", 5, 0},
    {"\x7F", "\x7F", 1, 0},
    {"\xC2\x80", "\xC2\x80", 2, 0},
    {"\xDF\xBF", "\xDF\xBF", 2, 0},
    {"\xE0\xA0\x80", "\xE0\xA0\x80", 3, 0},
    {"\xED\x9F\xBF", "\xED\x9F\xBF", 3, 0},
    {"\xEE\x80\x80", "\xEE\x80\x80", 3, 0},
    {"\xEF\xBF\xBF", "\xEF\xBF\xBF", 3, 0},
    {"\xF0\x90\x80\x80", "\xF0\x90\x80\x80", 4, 0},
    {"\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF", 4, 0},
    {"a\x80z", "a" FFFD "z", 1, 1},
    {"\xC0\x80", FFFD FFFD, 0, 2},
    {"\xC1\xBF", FFFD FFFD, 0, 2},
    {"\xC2", FFFD, 0, 1},
    {"\xC2"
     "A",
     FFFD "A", 0, 1},
    {"\xE0\x9F\xBF", FFFD FFFD FFFD, 0, 3},
    {"\xE1\x80", FFFD, 0, 1},
    {"\xE1\x80"
     "A",
     FFFD "A", 0, 1},
    {"\xED\xA0\x80", FFFD FFFD FFFD, 0, 3},
    {"\xF0\x8F\xBF\xBF", FFFD FFFD FFFD FFFD, 0, 4},
    {"\xF0\x90\x80", FFFD, 0, 1},
    {"\xF4\x90\x80\x80", FFFD FFFD FFFD FFFD, 0, 4},
    {"\xF5\x80\x80\x80", FFFD FFFD FFFD FFFD, 0, 4},
    {"\xFF\xFE", FFFD FFFD, 0, 2},
    /* Unicode 15, table 3-11 */
    {"\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64",
     "a" FFFD FFFD FFFD "b" FFFD "c" FFFD FFFD "d", 1, 6},
};

static void repairs_by_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof repairs / sizeof *repairs; i++) {
        CLEANUP(buf_finish) struct buf out = {.max = 100};
        assert_int_equal(utf8_valid_prefix(slice_of(repairs[i].from)), repairs[i].valid);
        assert_int_equal(utf8_repair(slice_of(repairs[i].from), &out), repairs[i].repairs);
        assert_string_equal(buf_text(&out), repairs[i].to);
    }
}

/* The same fault wherever it stands relative to the 32-byte steps. */
static void finds_a_fault_at_every_offset(void **state)
{
    (void)state;
    char text[100];
    for (size_t fault = 0; fault < sizeof text; fault++) {
        memset(text, 'x', sizeof text);
        text[fault] = (char)0xFF;
        assert_int_equal(utf8_valid_prefix(slice_make(text, sizeof text)), fault);
        assert_int_equal(utf8_valid_prefix(slice_make(text, fault)), fault);
    }
}

static size_t encode(uint32_t code, char *to)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, code >>= 6) {
        to[i] = (char)(0x80 | (code & 0x3F));
    }
    to[0] = (char)((0xF00 >> len & 0xFF) | code);
    return len;
}

static void accepts_every_character_but_surrogates(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x120000; code++) {
        char text[4];
        size_t len = encode(code, text);
        bool legal = code < 0x110000 && (code < 0xD800 || code > 0xDFFF);
        assert_int_equal(utf8_valid_prefix(slice_make(text, len)) == len, legal);
    }
}

static void cuts_at_a_character(void **state)
{
    (void)state;
    struct slice text = slice_of("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"); /* 1, 2, 3 and 4 bytes */
    const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
    for (size_t max = 0; max < sizeof expected / sizeof *expected; max++) {
        struct slice cut = utf8_cut(text, max);
        assert_ptr_equal(cut.at, text.at);
        assert_int_equal(cut.len, expected[max]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repairs_by_the_table),
        cmocka_unit_test(finds_a_fault_at_every_offset),
        cmocka_unit_test(accepts_every_character_but_surrogates),
        cmocka_unit_test(cuts_at_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
