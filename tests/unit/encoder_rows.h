/*
 * encoder_rows: points in a table with the bytes that an encoder must make of them. Included by one
 * test file each.
 */
#ifndef TESTS_ENCODER_ROWS_H
#define TESTS_ENCODER_ROWS_H

#include "api/encoder.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "point_values.h"

static const struct schema audit = {
    .measurement = "audit-01",
    .n_tags = 2,
    .tags = {"api.name", "bucket"},
    .n_fields = 3,
    .fields = {{"message", VALUE_TEXT}, {"ttfb", VALUE_INT}, {"ttr", VALUE_INT}},
};

struct row {
    const char *expected;
    const struct schema *schema;
    struct slice tags[2];
    struct value fields[3];
    int64_t time_ns;
};

static inline struct point row_point(const struct row *row)
{
    return (struct point){
        .schema = row->schema, .tags = row->tags, .fields = row->fields, .time_ns = row->time_ns};
}

static inline void assert_rows(const struct encoder *encoder, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(buf_finish) struct buf out = {.max = 1000};
        struct point point = row_point(&rows[i]);
        assert_int_equal(encoder->encode(&point, &out), OK);
        assert_string_equal(buf_text(&out), rows[i].expected);
    }
}

/* Whatever the room, the line is there whole or not at all, and what was there before stays. */
static inline void assert_all_or_nothing(const struct encoder *encoder, const struct row *rows,
                                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct point point = row_point(&rows[i]);
        size_t needed = strlen(rows[i].expected);
        for (size_t room = 0; room <= needed; room++) {
            CLEANUP(buf_finish) struct buf out = {.max = 3 + room};
            buf_add_text(&out, "old");
            enum status status = encoder->encode(&point, &out);
            assert_int_equal(status, room == needed ? OK : AGAIN);
            assert_int_equal(out.len, room == needed ? 3 + needed : 3);
            assert_memory_equal(out.at, "old", 3);
            assert_false(out.overflow);
        }
    }
}

#endif
