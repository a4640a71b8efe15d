/* line_protocol: points and the lines they become, by hand from InfluxDB's description. */
#include "api/encoder.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

extern const struct encoder line_protocol_encoder;

#define S(text) SLICE_LITERAL(text)
#define ABSENT               \
    {                        \
        .kind = VALUE_ABSENT \
    }
#define INTEGER(value)                       \
    {                                        \
        .kind = VALUE_INT, .number = (value) \
    }
#define TEXT(...)                                                                       \
    {                                                                                   \
        .kind = VALUE_TEXT, .text = {                                                   \
            .pieces = (const struct slice[]){__VA_ARGS__},                              \
            .count = sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice) \
        }                                                                               \
    }

static const struct schema audit = {
    .measurement = "audit-01",
    .n_tags = 2,
    .tags = {"api.name", "bucket"},
    .n_fields = 3,
    .fields = {{"message", VALUE_TEXT}, {"ttfb", VALUE_INT}, {"ttr", VALUE_INT}},
};

static const struct schema odd = {
    .measurement = "m, x=\"\\",
    .n_tags = 1,
    .tags = {"t, =\"\\k"},
    .n_fields = 1,
    .fields = {{"f, =\"\\k", VALUE_TEXT}},
};

struct row {
    const char *expected;
    const struct schema *schema;
    struct slice tags[2];
    struct value fields[3];
    int64_t time_ns;
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

static struct point point_of(const struct row *row)
{
    return (struct point){
        .schema = row->schema, .tags = row->tags, .fields = row->fields, .time_ns = row->time_ns};
}

static void rows_by_hand(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(buf_finish) struct buf out = {.max = 1000};
        struct point point = point_of(&rows[i]);
        assert_int_equal(line_protocol_encoder.encode(&point, &out), OK);
        assert_string_equal(buf_text(&out), rows[i].expected);
    }
}

/* Whatever the room, the line is there whole or not at all, and what was there before stays. */
static void all_or_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct point point = point_of(&rows[i]);
        size_t needed = strlen(rows[i].expected);
        for (size_t room = 0; room <= needed; room++) {
            CLEANUP(buf_finish) struct buf out = {.max = 3 + room};
            buf_add_text(&out, "old");
            enum status status = line_protocol_encoder.encode(&point, &out);
            assert_int_equal(status, room == needed ? OK : AGAIN);
            assert_int_equal(out.len, room == needed ? 3 + needed : 3);
            assert_memory_equal(out.at, "old", 3);
            assert_false(out.overflow);
        }
    }
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
        cmocka_unit_test(all_or_nothing),
        cmocka_unit_test(about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
