/* csv: points and the lines they become, by hand from RFC 4180. */
#include "encoder_rows.h"

extern const struct encoder csv_encoder;

static const struct schema odd = {
    .measurement = "m,\"x",
    .n_tags = 1,
    .tags = {"a \"tag\""},
    .n_fields = 1,
    .fields = {{"f,g", VALUE_TEXT}},
};

static const struct schema bare = {
    .measurement = "bare", .n_fields = 1, .fields = {{"n", VALUE_INT}}};

static const struct row rows[] = {
    {"2022-05-30T08:40:00.000000001Z,audit-01,GetObject,logs,hello,12,-3\n",
     &audit,
     {S("GetObject"), S("logs")},
     {TEXT(S("hello")), INTEGER(12), INTEGER(-3)},
     1653900000000000001},
    /* what is absent is empty, an empty text is not absent */
    {"1970-01-01T00:00:00.000000000Z,audit-01,,logs,,,0\n",
     &audit,
     {S(""), S("logs")},
     {ABSENT, ABSENT, INTEGER(0)},
     0},
    {"1970-01-01T00:00:00.000000000Z,audit-01,,,\"\",,\n",
     &audit,
     {S(""), S("")},
     {TEXT(S("")), ABSENT, ABSENT},
     0},
    {"1970-01-01T00:00:00.000000000Z,audit-01,,,\"\",,\n",
     &audit,
     {S(""), S("")},
     {TEXT(S(""), S("")), ABSENT, ABSENT},
     0},
    /* each of the bytes that ask for quotes, in a tag and in any piece of a text */
    {"1969-12-31T23:59:59.999999999Z,audit-01,\"a,b\",\"say \"\"hi\"\"\",\"{\"\"a\"\":1}\",,\n",
     &audit,
     {S("a,b"), S("say \"hi\"")},
     {TEXT(S("{\"a"), S("\":1}")), ABSENT, ABSENT},
     -1},
    {"1970-01-01T00:00:00.000000005Z,audit-01,x,y,\"one\ntwo\rthree\",1,\n",
     &audit,
     {S("x"), S("y")},
     {TEXT(S("one"), S("\ntwo\r"), S("three")), INTEGER(1), ABSENT},
     5},
    {"1970-01-01T00:00:00.000000005Z,audit-01,\"\"\"\",x,\"\"\"\"\"\",,\n",
     &audit,
     {S("\""), S("x")},
     {TEXT(S("\""), S("\"")), ABSENT, ABSENT},
     5},
    /* nothing else does: spaces, backslashes, tabs, formulas, letters of all kinds */
    {"1970-01-01T00:00:00.000000007Z,audit-01, a ,\\,=1+1\t\xE2\x82\xAC,,\n",
     &audit,
     {S(" a "), S("\\")},
     {TEXT(S("=1+1\t\xE2\x82\xAC")), ABSENT, ABSENT},
     7},
    {"1970-01-01T00:00:00.000000001Z,\"m,\"\"x\",v,w\n", &odd, {S("v")}, {TEXT(S("w"))}, 1},
    {"1970-01-01T00:00:00.000000001Z,bare,9\n", &bare, {S("")}, {INTEGER(9)}, 1},
    /* the ends of the range */
    {"1677-09-21T00:12:43.145224192Z,audit-01,,,,9223372036854775807,-9223372036854775808\n",
     &audit,
     {S(""), S("")},
     {ABSENT, INTEGER(INT64_MAX), INTEGER(INT64_MIN)},
     INT64_MIN},
    {"2262-04-11T23:47:16.854775807Z,audit-01,,,,0,\n",
     &audit,
     {S(""), S("")},
     {ABSENT, INTEGER(0), ABSENT},
     INT64_MAX},
};

static void rows_by_hand(void **state)
{
    (void)state;
    assert_rows(&csv_encoder, rows, sizeof rows / sizeof *rows);
}

static void all_or_nothing(void **state)
{
    (void)state;
    assert_all_or_nothing(&csv_encoder, rows, sizeof rows / sizeof *rows);
}

static const struct {
    const struct schema *schema;
    const char *header;
} headers[] = {
    {&audit, "time,measurement,api.name,bucket,message,ttfb,ttr\n"},
    {&odd, "time,measurement,\"a \"\"tag\"\"\",\"f,g\"\n"},
    {&bare, "time,measurement,n\n"},
};

static void headers_by_hand(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        size_t needed = strlen(headers[i].header);
        for (size_t room = 0; room <= needed; room++) {
            CLEANUP(buf_finish) struct buf out = {.max = room};
            enum status status = csv_encoder.begin(headers[i].schema, &out);
            assert_int_equal(status, room == needed ? OK : AGAIN);
            assert_string_equal(buf_text(&out), room == needed ? headers[i].header : "");
            assert_false(out.overflow);
        }
    }
}

static void about(void **state)
{
    (void)state;
    assert_string_equal(csv_encoder.about.name, "csv");
    assert_string_equal(csv_encoder.suffix, ".csv");
    assert_string_equal(csv_encoder.content_type, "text/csv; charset=utf-8; header=present");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_by_hand),
        cmocka_unit_test(all_or_nothing),
        cmocka_unit_test(headers_by_hand),
        cmocka_unit_test(about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
