/* json_lines: points and the lines they become, by hand from RFC 8259; and read back by jansson. */
#include "encoder_rows.h"

#include <jansson.h>

extern const struct encoder json_lines_encoder;

static const struct schema odd = {
    .measurement = "m\"\\",
    .n_tags = 1,
    .tags = {"t\"\\"},
    .n_fields = 1,
    .fields = {{"f\t\x01", VALUE_TEXT}},
};

static const struct row rows[] = {
    {"{\"measurement\":\"audit-01\",\"api.name\":\"GetObject\",\"bucket\":\"logs\","
     "\"message\":\"hello\",\"ttfb\":12,\"ttr\":-3,\"time\":\"2022-05-30T08:40:00.000000001Z\"}\n",
     &audit,
     {S("GetObject"), S("logs")},
     {TEXT(S("hello")), INTEGER(12), INTEGER(-3)},
     1653900000000000001},
    /* absent tags and fields are left out, an empty text is not absent */
    {"{\"measurement\":\"audit-01\",\"bucket\":\"logs\",\"ttr\":0,"
     "\"time\":\"1970-01-01T00:00:00.000000000Z\"}\n",
     &audit,
     {S(""), S("logs")},
     {ABSENT, ABSENT, INTEGER(0)},
     0},
    {"{\"measurement\":\"audit-01\",\"message\":\"\",\"time\":\"1969-12-31T23:59:59.999999999Z\"}"
     "\n",
     &audit,
     {S(""), S("")},
     {TEXT(S("")), ABSENT, ABSENT},
     -1},
    /* quotes, backslashes, control characters; the rest stays; several pieces are one text */
    {"{\"measurement\":\"audit-01\",\"api.name\":\"a\\\"b\\\\\",\"bucket\":\"\xC3\xA9/\","
     "\"message\":\"{\\\"a\\\":\\\"C:\\\\\\\\d\\\"}\\n\\r\\t\\b\\f\\u001f\x7F\xE2\x82\xAC\","
     "\"time\":\"1970-01-01T00:00:00.000000007Z\"}\n",
     &audit,
     {S("a\"b\\"), S("\xC3\xA9/")},
     {TEXT(S("{\"a\":"), S(""), S("\"C:\\\\d\"}\n\r\t\b\f\x1F\x7F"), S("\xE2\x82\xAC")), ABSENT,
      ABSENT},
     7},
    {"{\"measurement\":\"audit-01\",\"message\":\"a\\u0000b\","
     "\"time\":\"1970-01-01T00:00:00.000000007Z\"}\n",
     &audit,
     {S(""), S("")},
     {TEXT(S("a\0b")), ABSENT, ABSENT},
     7},
    /* names too */
    {"{\"measurement\":\"m\\\"\\\\\",\"t\\\"\\\\\":\"v\",\"f\\t\\u0001\":\"w\","
     "\"time\":\"1970-01-01T00:00:00.000000001Z\"}\n",
     &odd,
     {S("v")},
     {TEXT(S("w"))},
     1},
    /* the ends of the range */
    {"{\"measurement\":\"audit-01\",\"ttfb\":9223372036854775807,\"ttr\":-9223372036854775808,"
     "\"time\":\"1677-09-21T00:12:43.145224192Z\"}\n",
     &audit,
     {S(""), S("")},
     {ABSENT, INTEGER(INT64_MAX), INTEGER(INT64_MIN)},
     INT64_MIN},
    {"{\"measurement\":\"audit-01\",\"ttfb\":0,\"time\":\"2262-04-11T23:47:16.854775807Z\"}\n",
     &audit,
     {S(""), S("")},
     {ABSENT, INTEGER(0), ABSENT},
     INT64_MAX},
};

static void rows_by_hand(void **state)
{
    (void)state;
    assert_rows(&json_lines_encoder, rows, sizeof rows / sizeof *rows);
}

static void all_or_nothing(void **state)
{
    (void)state;
    assert_all_or_nothing(&json_lines_encoder, rows, sizeof rows / sizeof *rows);
}

/* Another reader finds the text that went in. */
static void jansson_reads_the_same(void **state)
{
    (void)state;
    const size_t flags = JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_error_t error;
        json_t *line = json_loads(rows[i].expected, flags, &error);
        assert_non_null(line);
        const struct value *value = &rows[i].fields[0];
        if (rows[i].schema == &audit && value->kind == VALUE_TEXT) {
            CLEANUP(buf_finish) struct buf whole = {.max = 1000};
            for (size_t k = 0; k < value->text.count; k++) {
                buf_add(&whole, value->text.pieces[k]);
            }
            const json_t *message = json_object_get(line, "message");
            assert_int_equal(json_string_length(message), whole.len);
            assert_memory_equal(json_string_value(message), buf_text(&whole), whole.len);
        }
        json_decref(line);
    }
}

static void about(void **state)
{
    (void)state;
    assert_string_equal(json_lines_encoder.about.name, "json_lines");
    assert_string_equal(json_lines_encoder.suffix, ".jsonl");
    assert_string_equal(json_lines_encoder.content_type, "application/x-ndjson");
    assert_null(json_lines_encoder.begin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_by_hand),
        cmocka_unit_test(all_or_nothing),
        cmocka_unit_test(jansson_reads_the_same),
        cmocka_unit_test(about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
