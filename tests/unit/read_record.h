/*
 * read_record: for the tests of records: hands a record to a reader in memory of exactly the
 * promised size, so that a sanitizer sees any step beyond, and looks into the point that comes out.
 */
#ifndef READ_RECORD_H
#define READ_RECORD_H

#include "base/cleanup.h"
#include "base/memory.h"
#include "data/extract.h"
#include "data/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct trial {
    struct reader *reader;
    char *memory; /* of the last record */
    struct slice record;
    struct point point;
    size_t parser;
    struct err err;
};

static inline void trial_start(struct trial *trial, const struct parser *const *parsers,
                               size_t n_parsers, enum message_mode message)
{
    *trial = (struct trial){0};
    if (reader_new(&trial->reader, parsers, n_parsers, message, &trial->err) != OK) {
        fail_msg("%s", trial->err.text);
    }
}

static inline void trial_finish(struct trial *trial)
{
    reader_free(trial->reader);
    free(trial->memory);
}

static inline enum status trial_read(struct trial *trial, struct slice record)
{
    free(trial->memory);
    trial->memory = memory_new(record.len + EXTRACT_PADDING);
    memcpy(trial->memory, record.at, record.len);
    trial->record = slice_make(trial->memory, record.len);
    trial->err.text[0] = '\0';
    return reader_read(trial->reader, trial->record, &trial->point, &trial->parser, &trial->err);
}

/* Reads a record that must be good. */
static inline void trial_good(struct trial *trial, const char *record)
{
    if (trial_read(trial, slice_of(record)) != OK) {
        fail_msg("%s: %s", record, trial->err.text);
    }
}

/* Reads a record that must be refused for exactly this reason. */
static inline void trial_bad(struct trial *trial, const char *record, const char *reason)
{
    assert_int_equal(trial_read(trial, slice_of(record)), BAD_DATA);
    assert_string_equal(trial->err.text, reason);
}

static inline struct slice tag_of(const struct trial *trial, const char *name)
{
    for (size_t i = 0; i < trial->point.schema->n_tags; i++) {
        if (strcmp(trial->point.schema->tags[i], name) == 0) {
            return trial->point.tags[i];
        }
    }
    fail_msg("no tag %s", name);
    return slice_of("");
}

static inline const struct value *field_of(const struct trial *trial, const char *name)
{
    for (size_t i = 0; i < trial->point.schema->n_fields; i++) {
        if (strcmp(trial->point.schema->fields[i].name, name) == 0) {
            return &trial->point.fields[i];
        }
    }
    fail_msg("no field %s", name);
    return NULL;
}

static inline void expect_slice(struct slice got, struct slice wanted)
{
    if (!slice_equal(got, wanted)) {
        fail_msg("'%.*s' instead of '%.*s'", SLICE_ARG(got), SLICE_ARG(wanted));
    }
}

static inline void expect_tag(const struct trial *trial, const char *name, const char *wanted)
{
    expect_slice(tag_of(trial, name), slice_of(wanted));
}

static inline void expect_int(const struct trial *trial, const char *name, int64_t wanted)
{
    const struct value *value = field_of(trial, name);
    assert_int_equal(value->kind, VALUE_INT);
    assert_int_equal(value->number, wanted);
}

static inline void expect_absent(const struct trial *trial, const char *name)
{
    assert_int_equal(field_of(trial, name)->kind, VALUE_ABSENT);
}

static inline void expect_text(const struct trial *trial, const char *name, struct slice wanted)
{
    const struct value *value = field_of(trial, name);
    CLEANUP(buf_finish) struct buf whole = {.max = 1 << 24};
    assert_int_equal(value->kind, VALUE_TEXT);
    for (size_t i = 0; i < value->text.count; i++) {
        buf_add(&whole, value->text.pieces[i]);
    }
    expect_slice(slice_make(buf_text(&whole), whole.len), wanted);
}

/* A parser with a column of each kind. */
static const struct column every_kind[] = {
    {TEXT, "x", {"x"}},
    {TAG, "t", {"t"}},
    {TAG_ADDRESS, "a", {"a"}},
    {INT, "n", {"n"}},
    {DURATION_NS, "d", {"d.one", "d.two"}},
    {MESSAGE, "message", {NULL}},
    {TIME_NS, NULL, {"time"}},
};

static const struct parser every_kind_parser = {
    .about = {.name = "every_kind"},
    .record_keys = (const char *const[]){"time", NULL},
    .measurement = "m",
    .columns = every_kind,
    .n_columns = COUNT(every_kind),
};

static inline int trial_set_up(void **state)
{
    static const struct parser *const parsers[] = {&every_kind_parser};
    struct trial *trial = memory_new(sizeof *trial);
    trial_start(trial, parsers, COUNT(parsers), MESSAGE_RAW);
    *state = trial;
    return 0;
}

static inline int trial_tear_down(void **state)
{
    trial_finish(*state);
    free(*state);
    return 0;
}

#define TRIAL(name) cmocka_unit_test_setup_teardown(name, trial_set_up, trial_tear_down)

#endif
