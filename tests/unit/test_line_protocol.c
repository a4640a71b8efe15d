/* line_protocol: points and the lines they become, by hand from InfluxDB's description. */
#include "data/line_names.h"
#include "encoder_rows.h"

#include <inttypes.h>
#include <stdio.h>

extern const struct encoder line_protocol_encoder;

static const struct schema odd = {
    .measurement = "m, x=\"\\",
    .n_tags = 1,
    .tags = {"t, =\"\\k"},
    .n_fields = 1,
    .fields = {{"f, =\"\\k", VALUE_TEXT}},
};

static const struct row rows[] = {
    {"audit-01,api.name=GetObject,bucket=logs message=\"hello\",ttfb=12i,ttr=-3i "
     "1653900000000000001\n",
     &audit,
     {S("GetObject"), S("logs")},
     {TEXT(S("hello")), INTEGER(12), INTEGER(-3)},
     1653900000000000001},
    /* empty tags and absent fields are left out */
    {"audit-01,bucket=logs ttr=0i 0\n",
     &audit,
     {S(""), S("logs")},
     {ABSENT, ABSENT, INTEGER(0)},
     0},
    {"audit-01 message=\"\" -1\n", &audit, {S(""), S("")}, {TEXT(S("")), ABSENT, ABSENT}, -1},
    /* tag values: comma, equals and space; quotes, backslashes and the rest stay */
    {"audit-01,api.name=a\\,b\\=c\\ d,bucket=\"q\"\\x\xC3\xA9 ttfb=1i 5\n",
     &audit,
     {S("a,b=c d"), S("\"q\"\\x\xC3\xA9")},
     {ABSENT, INTEGER(1), ABSENT},
     5},
    /* text fields: quote and backslash; a line break stays, several pieces are one text */
    {"audit-01 message=\"{\\\"a\\\":\\\"C:\\\\\\\\d\\\"} ,=\n\xE2\x82\xAC\" 7\n",
     &audit,
     {S(""), S("")},
     {TEXT(S("{\"a\":"), S(""), S("\"C:\\\\d\"} ,=\n"), S("\xE2\x82\xAC")), ABSENT, ABSENT},
     7},
    /* measurement: comma and space only; keys like tag values */
    {"m\\,\\ x=\"\\,t\\,\\ \\=\"\\k=v f\\,\\ \\=\"\\k=\"w\" 1\n",
     &odd,
     {S("v")},
     {TEXT(S("w"))},
     1},
    /* the ends of the range */
    {"audit-01 ttfb=9223372036854775807i,ttr=-9223372036854775808i -9223372036854775808\n",
     &audit,
     {S(""), S("")},
     {ABSENT, INTEGER(INT64_MAX), INTEGER(INT64_MIN)},
     INT64_MIN},
};

static void rows_by_hand(void **state)
{
    (void)state;
    assert_rows(&line_protocol_encoder, rows, sizeof rows / sizeof *rows);
}

static void the_same_with_names_made_before(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(line_names_finish) struct line_names names = {.bytes = 0};
        struct schema schema = *rows[i].schema;
        line_names_make(&names, &schema);
        schema.line = &names;
        struct row named = rows[i];
        named.schema = &schema;
        assert_rows(&line_protocol_encoder, &named, 1);
        assert_all_or_nothing(&line_protocol_encoder, &named, 1);
    }
}

static void assert_number(int64_t number)
{
    char expected[100];
    snprintf(expected, sizeof expected, "audit-01 ttfb=%" PRId64 "i %" PRId64 "\n", number, number);
    const struct row row = {
        expected, &audit, {S(""), S("")}, {ABSENT, INTEGER(number), ABSENT}, number};
    assert_rows(&line_protocol_encoder, &row, 1);
}

static void numbers_of_all_lengths(void **state)
{
    (void)state;
    int64_t power = 1;
    for (int digits = 1; digits <= 19; digits++, power = digits < 19 ? power * 10 : power) {
        const int64_t numbers[] = {
            power - 1, power, power + 1, power + power / 7, power - power / 10, INT64_MAX / power};
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
            assert_number(numbers[i]);
            assert_number(-numbers[i]);
        }
    }
}

static void all_or_nothing(void **state)
{
    (void)state;
    assert_all_or_nothing(&line_protocol_encoder, rows, sizeof rows / sizeof *rows);
}

static void about(void **state)
{
    (void)state;
    assert_string_equal(line_protocol_encoder.about.name, "line_protocol");
    assert_string_equal(line_protocol_encoder.suffix, ".lp");
    assert_string_equal(line_protocol_encoder.content_type, "text/plain; charset=utf-8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_by_hand),
        cmocka_unit_test(the_same_with_names_made_before),
        cmocka_unit_test(numbers_of_all_lengths),
        cmocka_unit_test(all_or_nothing),
        cmocka_unit_test(about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
