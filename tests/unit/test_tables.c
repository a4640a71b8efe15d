/*
 * tables: parsers that do not fit are refused with a reason; the fingerprint changes with what it
 * is there for, and with nothing else.
 */
#include "data/tables.h"

#include "read_record.h"

#include <stdio.h>

enum { NAME_BYTES = 48 };

static const struct column good_columns[] = {{TEXT, "x", {"x"}}, {TIME_NS, NULL, {"time"}}};
static const char *const good_keys[] = {"time", NULL};

static struct parser make_parser(const char *name, const struct column *columns, size_t n_columns)
{
    return (struct parser){.about = {.name = name},
                           .record_keys = good_keys,
                           .measurement = "m",
                           .columns = columns,
                           .n_columns = n_columns};
}

static void expect_refused(const struct parser *const *parsers, size_t n, const char *reason)
{
    struct reader *reader;
    struct err err;
    assert_int_equal(reader_new(&reader, parsers, n, MESSAGE_RAW, &err), BAD_CONFIG);
    assert_string_equal(err.text, reason);
    assert_null(reader);
}

static void expect_parser_refused(const struct parser *parser, const char *reason)
{
    expect_refused(&parser, 1, reason);
}

static void columns_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct column columns[4];
        size_t n;
        const char *reason;
    } examples[] = {
        {{{TEXT, "x", {"x"}}}, 1, "parser p: no time column"},
        {{{TIME_NS, NULL, {"time"}}}, 1, "parser p: no field"},
        {{{TAG, "t", {"t"}}, {TIME_NS, NULL, {"time"}}}, 2, "parser p: no field"},
        {{{TEXT, "x", {"x"}}, {TIME_NS, NULL, {"a"}}, {TIME_S, NULL, {"b"}}},
         3,
         "parser p: column 3 (time): a second time"},
        {{{TEXT, "x", {"x"}}, {INT, "x", {"y"}}},
         2,
         "parser p: column 2 (x): the name is there twice"},
        {{{TEXT, "x", {"x"}}, {TAG, "x", {"y"}}},
         2,
         "parser p: column 2 (x): the name is there twice"},
        {{{TAG, "time", {"x"}}},
         1,
         "parser p: column 1 (time): a tag or field cannot have this name"},
        {{{INT, "time", {"x"}}},
         1,
         "parser p: column 1 (time): a tag or field cannot have this name"},
        {{{TEXT, "x", {NULL}}}, 1, "parser p: column 1 (x): no path"},
        {{{TIME_NS, NULL, {NULL}}}, 1, "parser p: column 1 (time): no path"},
        {{{MESSAGE, "x", {"x"}}}, 1, "parser p: column 1 (x): a message has no path"},
        {{{TEXT, "", {"x"}}}, 1, "parser p: column 1 (): no name"},
    };
    for (size_t i = 0; i < COUNT(examples); i++) {
        struct parser parser = make_parser("p", examples[i].columns, examples[i].n);
        expect_parser_refused(&parser, examples[i].reason);
    }
}

/* n columns of one kind with names and paths of their own, then a field and a time. */
static struct column *make_columns(enum column_kind kind, size_t n, char (*names)[NAME_BYTES])
{
    struct column *columns = memory_new((n + 2) * sizeof *columns);
    for (size_t i = 0; i < n; i++) {
        snprintf(names[i], NAME_BYTES, "c%zu", i);
        columns[i] = (struct column){kind, names[i], {names[i]}};
    }
    memcpy(columns + n, good_columns, sizeof good_columns);
    return columns;
}

static void too_many_columns_are_refused(void **state)
{
    (void)state;
    static const struct {
        enum column_kind kind;
        size_t n;
        const char *reason; /* NULL: they fit */
    } examples[] = {
        {TAG, 32, NULL},
        {TAG, 33, "parser p: column 33 (c32): more than 32 tags"},
        {INT, 63, NULL},
        {INT, 64, "parser p: column 65 (x): more than 64 fields"},
        {TEXT, 95, "parser p: more than 96 columns"},
    };
    for (size_t i = 0; i < COUNT(examples); i++) {
        char names[96][NAME_BYTES];
        CLEANUP_FREE struct column *columns = make_columns(examples[i].kind, examples[i].n, names);
        struct parser parser = make_parser("p", columns, examples[i].n + 2);
        if (examples[i].reason) {
            expect_parser_refused(&parser, examples[i].reason);
            continue;
        }
        const struct parser *parsers = &parser;
        struct trial trial;
        trial_start(&trial, &parsers, 1, MESSAGE_RAW);
        trial_good(&trial, "{\"time\":\"2022-10-24T08:37:41Z\",\"c0\":1,\"c31\":2,\"x\":\"y\"}");
        trial_finish(&trial);
    }
}

static void record_keys_are_required(void **state)
{
    (void)state;
    struct parser parser = make_parser("p", good_columns, COUNT(good_columns));
    parser.record_keys = NULL;
    expect_parser_refused(&parser, "parser p: no record keys");
    parser.record_keys = (const char *const[]){NULL};
    expect_parser_refused(&parser, "parser p: no record keys");
    parser.record_keys = (const char *const[]){"a,", NULL};
    expect_parser_refused(&parser, "parser p: an empty record key");
    parser.record_keys = (const char *const[]){"1", "2", "3", "4", "5", "6", "7", "8", "9", NULL};
    expect_parser_refused(&parser, "parser p: more than 8 alternatives of record keys");
    parser.record_keys = good_keys;
    parser.measurement = "";
    expect_parser_refused(&parser, "parser p: no measurement");
}

static void all_keys_of_an_alternative_are_needed(void **state)
{
    (void)state;
    struct parser parser = make_parser("p", good_columns, COUNT(good_columns));
    parser.record_keys = (const char *const[]){"a,b", "c", NULL};
    const struct parser *parsers = &parser;
    struct trial trial;
    trial_start(&trial, &parsers, 1, MESSAGE_RAW);
    trial_good(&trial, "{\"b\":1,\"time\":\"2022-10-24T08:37:41Z\",\"a\":1,\"x\":1}");
    trial_good(&trial, "{\"time\":\"2022-10-24T08:37:41Z\",\"c\":1,\"x\":2}");
    trial_bad(&trial, "{\"a\":1,\"time\":\"2022-10-24T08:37:41Z\"}",
              "no parser knows this record: top-level keys a, time");
    trial_bad(&trial, "{\"c\":1,\"time\":\"2022-10-24T08:37:41Z\"}", "no field has a value");
    trial_finish(&trial);
}

static void parsers_are_held_against_each_other(void **state)
{
    (void)state;
    static const struct column other_name[] = {{TEXT, "y", {"x"}}, {TIME_NS, NULL, {"time"}}};
    static const struct column other_kind[] = {{INT, "x", {"x"}}, {TIME_NS, NULL, {"time"}}};
    static const struct column other_path[] = {{TEXT, "x", {"z"}}, {TIME_S, NULL, {"date"}}};
    struct parser one = make_parser("one", good_columns, COUNT(good_columns));
    struct parser two = make_parser("two", other_name, COUNT(other_name));
    const struct parser *const parsers[] = {&one, &two};
    const char *reason = "parser two: measurement m has other columns in parser one";
    expect_refused(parsers, 2, reason);
    two.columns = other_kind;
    expect_refused(parsers, 2, reason);
    struct reader *reader;
    struct err err;
    two.columns = other_path;
    assert_int_equal(reader_new(&reader, parsers, 2, MESSAGE_RAW, &err), OK);
    reader_free(reader);
}

static void the_number_of_parsers_is_limited(void **state)
{
    (void)state;
    struct parser parser = make_parser("p", good_columns, COUNT(good_columns));
    const struct parser *parsers[33];
    for (size_t i = 0; i < COUNT(parsers); i++) {
        parsers[i] = &parser;
    }
    expect_refused(parsers, 0, "0 parsers: a job has 1 to 32");
    expect_refused(parsers, 33, "33 parsers: a job has 1 to 32");
    struct reader *reader;
    struct err err;
    assert_int_equal(reader_new(&reader, parsers, 32, MESSAGE_RAW, &err), OK);
    reader_free(reader);
}

static void paths_and_keys_are_limited(void **state)
{
    (void)state;
    enum { N = 9 };
    struct parser parsers[N];
    struct column *columns[N];
    const struct parser *list[N];
    char names[N][60][NAME_BYTES], measurements[N][NAME_BYTES];
    for (size_t i = 0; i < N; i++) {
        columns[i] = make_columns(TEXT, 60, names[i]);
        for (size_t k = 0; k < 60; k++) {
            snprintf(names[i][k], NAME_BYTES, "%zu.%zu", i, k);
        }
        snprintf(measurements[i], sizeof measurements[i], "m%zu", i);
        parsers[i] = make_parser("p", columns[i], 62);
        parsers[i].measurement = measurements[i];
        list[i] = &parsers[i];
    }
    /* 60 paths each, and x and time, which are the same for all: 8 * 60 + 2 + 30 are 512 */
    expect_refused(list, N, "parser p: column 31 (8.30): more than 512 paths in all");
    for (size_t i = 0; i < N; i++) {
        free(columns[i]);
    }
}

/* --- fingerprint --- */

static uint64_t fingerprint(const struct parser *parser, enum message_mode message)
{
    struct trial trial;
    trial_start(&trial, &parser, 1, message);
    uint64_t fingerprint = reader_fingerprint(trial.reader);
    trial_finish(&trial);
    return fingerprint;
}

/* The ledgers in use hold it: it must not change by itself. From `xxhsum -H3` of the text
 *     measurement m
 *     keys time
 *     time_ns - time
 *     tag_address a a
 *     duration_ns d d.one d.two
 *     message message
 *     int n n
 *     tag t t
 *     text x x
 * without the spaces in front. */
static void the_fingerprint_is_the_hash_of_a_known_text(void **state)
{
    (void)state;
    for (int mode = MESSAGE_RAW; mode <= MESSAGE_NONE; mode++) {
        assert_int_equal(fingerprint(&every_kind_parser, (enum message_mode)mode),
                         0x9c0cba6bfc193992);
    }
}

static void the_fingerprint_does_not_depend_on_the_order_of_rows(void **state)
{
    (void)state;
    struct column turned[COUNT(every_kind)];
    for (size_t i = 0; i < COUNT(every_kind); i++) {
        turned[i] = every_kind[COUNT(every_kind) - 1 - i];
    }
    struct parser parser = every_kind_parser;
    parser.columns = turned;
    assert_int_equal(fingerprint(&parser, MESSAGE_RAW), 0x9c0cba6bfc193992);
}

static void the_fingerprint_changes_with_the_table(void **state)
{
    (void)state;
    static const struct column changes[] = {
        {TAG, "x", {"x"}}, {INT, "x", {"x"}}, {TEXT, "y", {"x"}}, {TEXT, "x", {"y"}}};
    const uint64_t before = fingerprint(&every_kind_parser, MESSAGE_RAW);
    for (size_t i = 0; i < COUNT(changes); i++) {
        struct column columns[COUNT(every_kind)];
        memcpy(columns, every_kind, sizeof columns);
        columns[0] = changes[i];
        struct parser parser = every_kind_parser;
        parser.columns = columns;
        assert_int_not_equal(fingerprint(&parser, MESSAGE_RAW), before);
    }
    struct parser parser = every_kind_parser;
    parser.measurement = "n";
    assert_int_not_equal(fingerprint(&parser, MESSAGE_RAW), before);
    struct column columns[COUNT(every_kind)];
    memcpy(columns, every_kind, sizeof columns);
    columns[COUNT(every_kind) - 1].kind = TIME_US;
    parser = every_kind_parser;
    parser.columns = columns;
    assert_int_not_equal(fingerprint(&parser, MESSAGE_RAW), before);
}

static uint64_t fingerprint_of_tag(struct column tag)
{
    const struct column columns[] = {tag, good_columns[0], good_columns[1]};
    struct parser parser = make_parser("p", columns, COUNT(columns));
    return fingerprint(&parser, MESSAGE_RAW);
}

/* All three would be the words "tag", "a", "b" and "c" if nothing marked what belongs together. */
static void the_fingerprint_tells_where_a_word_ends(void **state)
{
    (void)state;
    uint64_t plain = fingerprint_of_tag((struct column){TAG, "a", {"b", "c"}});
    uint64_t in_name = fingerprint_of_tag((struct column){TAG, "a b", {"c"}});
    uint64_t in_path = fingerprint_of_tag((struct column){TAG, "a", {"b c"}});
    assert_int_not_equal(plain, in_name);
    assert_int_not_equal(plain, in_path);
    assert_int_not_equal(in_name, in_path);
    uint64_t backslash = fingerprint_of_tag((struct column){TAG, "a", {"b\\", "c"}});
    assert_int_not_equal(in_path, backslash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_that_do_not_fit_are_refused),
        cmocka_unit_test(too_many_columns_are_refused),
        cmocka_unit_test(record_keys_are_required),
        cmocka_unit_test(all_keys_of_an_alternative_are_needed),
        cmocka_unit_test(parsers_are_held_against_each_other),
        cmocka_unit_test(the_number_of_parsers_is_limited),
        cmocka_unit_test(paths_and_keys_are_limited),
        cmocka_unit_test(the_fingerprint_is_the_hash_of_a_known_text),
        cmocka_unit_test(the_fingerprint_does_not_depend_on_the_order_of_rows),
        cmocka_unit_test(the_fingerprint_changes_with_the_table),
        cmocka_unit_test(the_fingerprint_tells_where_a_word_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
