/*
 * sink_points: small points of two measurements for the tests of sinks that keep files or objects,
 * with what line protocol and CSV make of them. Included by one test file each.
 */
#ifndef TESTS_SINK_POINTS_H
#define TESTS_SINK_POINTS_H

#include "api/datasource.h"

enum { LINE_PROTOCOL, CSV, JSON_LINES }; /* the choices of `format`, in their order */

static const struct schema count_schema = {
    .measurement = "count", .n_fields = 1, .fields = {{"n", VALUE_INT}}};
static const struct schema note_schema = {.measurement = "a/b.c",
                                          .n_tags = 1,
                                          .tags = {"who"},
                                          .n_fields = 1,
                                          .fields = {{"text", VALUE_TEXT}}};

static inline enum status put_count(const struct datasource *module, void *self, int64_t n,
                                    struct err *err)
{
    const struct value field = {.kind = VALUE_INT, .number = n};
    const struct point point = {.schema = &count_schema, .fields = &field, .time_ns = n};
    return module->put(self, &point, err);
}

static inline enum status put_note(const struct datasource *module, void *self, const char *text,
                                   struct err *err)
{
    const struct slice piece = slice_of(text), who = SLICE_LITERAL("me");
    const struct value field = {.kind = VALUE_TEXT, .text = {&piece, 1}};
    const struct point point = {
        .schema = &note_schema, .tags = &who, .fields = &field, .time_ns = 0};
    return module->put(self, &point, err);
}

static inline enum status begin_object(const struct datasource *module, void *self, const char *key,
                                       struct err *err)
{
    const struct object object = {.key = slice_of(key)};
    return module->begin(self, &object, err);
}

#define COUNT_1_LINE "count n=1i 1\n"
#define COUNT_2_LINE "count n=2i 2\n"
#define COUNT_CSV          \
    "time,measurement,n\n" \
    "1970-01-01T00:00:00.000000001Z,count,1\n"
#define NOTE_CSV                  \
    "time,measurement,who,text\n" \
    "1970-01-01T00:00:00.000000000Z,a/b.c,me,hi\n"

#endif
