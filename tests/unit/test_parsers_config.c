/* test_parsers_config: parsers that the configuration declares, and tags that a job keeps as
 * fields. Positions are counted by hand. */
#include "config_reading.h"
#include "data/record.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The rest of a file whose job does not matter. */
#define JOB                               \
    "jobs: [{name: j, from: n, to: n}]\n" \
    "n: {type: 'null'}\n"

static const char zeek[] = "parsers:\n"
                           "  zeek:\n"
                           "    names: [conn, HTTP]\n"
                           "    record_keys: ['_path,ts', id.orig_h]\n"
                           "    measurement: zeek conn\n"
                           "    columns:\n"
                           "    - {tag: proto, path: proto}\n"
                           "    - {address: client, paths: ['id\\.orig_h', client.ip]}\n"
                           "    - {text: history, path: history}\n"
                           "    - {int: bytes, path: [a, b, c]}\n"
                           "    - {duration: took, path: took}\n"
                           "    - {message: message}\n"
                           "    time: {path: [ts, '@timestamp'], precision: us, format: epoch}\n"
                           "jobs:\n"
                           "- {name: one, from: n, to: n, parse: [other, zeek]}\n"
                           "- {name: two, from: n, to: n, parse: zeek, fields: [client]}\n"
                           "n: {type: 'null'}\n";

static void assert_column(const struct column *column, enum column_kind kind, const char *name,
                          const char *const paths[COLUMN_PATHS])
{
    assert_int_equal(column->kind, kind);
    if (name) {
        assert_string_equal(column->name, name);
    } else {
        assert_null(column->name);
    }
    for (size_t i = 0; i < COLUMN_PATHS; i++) {
        if (!paths[i]) {
            assert_null(column->paths[i]);
            continue;
        }
        assert_non_null(column->paths[i]);
        assert_string_equal(column->paths[i], paths[i]);
    }
}

static void assert_texts(const char *const *texts, const char *first, const char *second)
{
    assert_string_equal(texts[0], first);
    assert_string_equal(texts[1], second);
    assert_null(texts[2]);
}

static void a_declared_parser_is_a_table(void **state)
{
    (void)state;
    static const struct column columns[] = {
        {TAG, "proto", {"proto"}},
        {TAG_ADDRESS, "client", {"id\\.orig_h", "client.ip"}},
        {TEXT, "history", {"history"}},
        {INT, "bytes", {"a", "b", "c"}},
        {DURATION_NS, "took", {"took"}},
        {MESSAGE, "message", {NULL}},
        {TIME_US, NULL, {"ts", "@timestamp"}},
    };
    CLEANUP(reading_finish) struct reading reading;
    read_text(&reading, zeek);
    assert_string_equal(buf_text(&reading.said), "");
    assert_int_equal(reading.config->n_parsers, 1);
    const struct parser *parser = reading.config->parsers[0];
    assert_string_equal(parser->about.name, "zeek");
    assert_string_equal(parser->measurement, "zeek conn");
    assert_texts(parser->names, "conn", "HTTP");
    assert_texts(parser->record_keys, "_path,ts", "id.orig_h");
    assert_int_equal(parser->n_columns, COUNT(columns));
    for (size_t i = 0; i < COUNT(columns); i++) {
        assert_column(&parser->columns[i], columns[i].kind, columns[i].name, columns[i].paths);
    }
}

static void a_declared_parser_reads_records(void **state)
{
    (void)state;
    CLEANUP(reading_finish) struct reading reading;
    read_text(&reading, zeek);
    struct reader *reader;
    struct err err;
    assert_int_equal(reader_new(&reader, reading.config->parsers, 1, MESSAGE_NONE, &err), OK);
    static const char record[512] = "{\"id.orig_h\":\"10.0.0.1:77\",\"ts\":1547188415.857497}";
    struct point point;
    size_t parser;
    enum status status = reader_read(reader, slice_of(record), &point, &parser, &err);
    if (status == OK) {
        /* the three digits below microseconds are the record's */
        assert_int_equal(point.time_ns / 1000, 1547188415857497);
        assert_int_equal(point.time_ns % 1000, reader_hash(reader) % 1000);
        assert_string_equal(point.schema->tags[0], "client");
        assert_true(slice_is(point.tags[0], "10.0.0.1"));
        assert_string_equal(point.schema->tags[1], "proto");
        assert_int_equal(point.tags[1].len, 0);
    }
    reader_free(reader);
    assert_int_equal(status, OK);
}

static void each_job_has_its_own_tags(void **state)
{
    (void)state;
    CLEANUP(reading_finish) struct reading reading;
    read_text(&reading, zeek);
    const struct config *config = reading.config;
    const struct job_config *one = &config->jobs[0], *two = &config->jobs[1];
    assert_int_equal(one->n_parse, 2);
    assert_ptr_equal(one->parse[0], &other);
    assert_ptr_equal(one->parse[1], config->parsers[0]);
    assert_int_equal(one->parse[1]->columns[1].kind, TAG_ADDRESS);
    assert_int_equal(two->n_parse, 1);
    assert_string_equal(two->parse[0]->about.name, "zeek");
    assert_int_equal(two->parse[0]->columns[0].kind, TAG);
    static const char *const paths[COLUMN_PATHS] = {"id\\.orig_h", "client.ip"};
    assert_column(&two->parse[0]->columns[1], TEXT, "client", paths);

    struct reader *before, *after;
    struct err err;
    assert_int_equal(reader_new(&before, config->parsers, 1, MESSAGE_RAW, &err), OK);
    assert_int_equal(reader_new(&after, two->parse, 1, MESSAGE_RAW, &err), OK);
    uint64_t fingerprints[] = {reader_fingerprint(before), reader_fingerprint(after)};
    reader_free(before);
    reader_free(after);
    assert_int_not_equal(fingerprints[0], fingerprints[1]);
}

static void formats_and_precisions(void **state)
{
    (void)state;
    static const struct {
        const char *time;
        enum column_kind kind;
        const char *example;
        int64_t ns;
    } cases[] = {
        {"precision: s", TIME_S, NULL, 0},
        {"precision: ms, format: rfc3339", TIME_MS, NULL, 0},
        {"precision: ns, format: go", TIME_NS, "2021-01-25 09:19:11.622206 +0000 UTC",
         1611566351622206000},
        {"precision: ns, format: epoch", TIME_NS, "1e9", 1000000000000000000},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[400];
        snprintf(text, sizeof text,
                 "parsers: {p: {record_keys: k, measurement: m, columns: [{text: a, path: a}], "
                 "time: {path: t, %s}}}\n" JOB,
                 cases[i].time);
        CLEANUP(reading_finish) struct reading reading;
        read_text(&reading, text);
        assert_string_equal(buf_text(&reading.said), "");
        const struct parser *parser = reading.config->parsers[0];
        assert_int_equal(parser->columns[1].kind, cases[i].kind);
        int64_t ns = 0;
        if (!cases[i].example) {
            assert_null(parser->read_time);
            continue;
        }
        assert_true(parser->read_time(slice_of(cases[i].example), INT64_MIN, &ns));
        assert_int_equal(ns, cases[i].ns);
        assert_false(parser->read_time(slice_of("soon"), INT64_MIN, &ns));
    }
}

static void says_what_is_wrong_with_a_parser(void **state)
{
    (void)state;
    assert_said("parsers:\n"
                "  a b: {}\n"
                "  all: {}\n"
                "  other: {}\n"
                "  text: x\n"
                "  none: {}\n"
                "  keys:\n"
                "    measurementt: m\n"
                "    measurement: _m\n"
                "    record_keys: []\n"
                "    columns: {tag: a}\n"
                "    time: ts\n"
                "  times:\n"
                "    measurement: '#m'\n"
                "    record_keys: k\n"
                "    columns: []\n"
                "    time: {path: [a, b, c, d], precision: sec, format: iso, zone: x}\n" JOB,
                "c.yaml:2:3: parsers.a b: must be 1 to 64 letters, digits, dots, hyphens or "
                "underscores\n"
                "c.yaml:3:3: parsers.all: cannot be the name of a parser\n"
                "c.yaml:4:3: parsers.other: a built-in parser has this name\n"
                "c.yaml:5:9: parsers.text: must be a mapping with record_keys, measurement, "
                "columns and time\n"
                "c.yaml:6:9: parsers.none.record_keys: required (the top-level keys that make a "
                "record its own)\n"
                "c.yaml:6:9: parsers.none.measurement: required (what its points are called)\n"
                "c.yaml:6:9: parsers.none.columns: required (a list such as [{tag: status, path: "
                "api.statusCode}])\n"
                "c.yaml:6:9: parsers.none.time: required (its path and precision)\n"
                "c.yaml:8:5: parsers.keys.measurementt: unknown key (did you mean measurement?)\n"
                "c.yaml:9:18: parsers.keys.measurement: \"_m\" begins with an underscore, as only "
                "InfluxDB's own names do\n"
                "c.yaml:10:18: parsers.keys.record_keys: required (the top-level keys that make a "
                "record its own)\n"
                "c.yaml:11:14: parsers.keys.columns: must be a list of 1 to 95 columns\n"
                "c.yaml:12:11: parsers.keys.time: must be a mapping of options\n"
                "c.yaml:14:18: parsers.times.measurement: \"#m\" begins with #, as a comment of "
                "line protocol does\n"
                "c.yaml:16:14: parsers.times.columns: must be a list of 1 to 95 columns\n"
                "c.yaml:17:43: parsers.times.time.precision: \"sec\" is not one of s, ms, us, ns\n"
                "c.yaml:17:56: parsers.times.time.format: \"iso\" is not one of rfc3339, go, "
                "epoch\n"
                "c.yaml:17:61: parsers.times.time.zone: unknown key\n");
}

/* In the columns of an otherwise good parser. */
static void assert_columns_said(const char *columns, const char *said)
{
    char text[2000];
    snprintf(text, sizeof text,
             "parsers:\n"
             "  p:\n"
             "    record_keys: k\n"
             "    measurement: m\n"
             "    time: {path: t, precision: s}\n"
             "    columns:\n"
             "%s" JOB,
             columns);
    assert_said(text, said);
}

static void says_what_is_wrong_with_columns(void **state)
{
    (void)state;
    assert_columns_said("    - {tag: a}\n"
                        "    - {tag: b, text: b, path: b}\n"
                        "    - {path: c}\n"
                        "    - {message: m, path: m}\n"
                        "    - {text: e, path: e, paths: e}\n"
                        "    - {text: f, path: [a, b, c, d]}\n"
                        "    - {tga: g, path: g}\n"
                        "    - {int: Time, path: h}\n"
                        "    - {int: i, path: i}\n"
                        "    - {text: I, path: i}\n"
                        "    - {text: 'k\\', path: i}\n"
                        "    - {tag: '', path: l}\n"
                        "    - {tag: , path: l}\n"
                        "    - text\n",
                        "c.yaml:7:7: parsers.p.columns[0].path: required (where in the record the "
                        "value is)\n"
                        "c.yaml:8:7: parsers.p.columns[1]: must have one of tag, address, text, "
                        "int, duration and message, with a name\n"
                        "c.yaml:9:7: parsers.p.columns[2]: must have one of tag, address, text, "
                        "int, duration and message, with a name\n"
                        "c.yaml:10:7: parsers.p.columns[3]: a message is the whole record and has "
                        "no path\n"
                        "c.yaml:11:7: parsers.p.columns[4]: has both path and paths\n"
                        "c.yaml:12:7: parsers.p.columns[5]: more than 3 paths\n"
                        "c.yaml:13:8: parsers.p.columns[6].tga: unknown key (did you mean tag?)\n"
                        "c.yaml:14:7: parsers.p.columns[7]: \"Time\" is the name of the point's "
                        "own time\n"
                        "c.yaml:16:7: parsers.p.columns[9]: \"I\" is there twice (upper and lower "
                        "case count as the same)\n"
                        "c.yaml:17:7: parsers.p.columns[10]: \"k\\\" holds a backslash, which line "
                        "protocol cannot carry\n"
                        "c.yaml:18:7: parsers.p.columns[11]: \"\" is empty\n"
                        "c.yaml:19:7: parsers.p.columns[12]: must have one of tag, address, text, "
                        "int, duration and message, with a name\n"
                        "c.yaml:20:7: parsers.p.columns[13]: must be a mapping of options\n");
}

static void names_are_limited(void **state)
{
    (void)state;
    static const struct {
        int len;
        bool is_good;
    } cases[] = {{256, true}, {257, false}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[1000];
        snprintf(text, sizeof text,
                 "parsers: {p: {record_keys: k, measurement: m, time: {path: t, precision: s}, "
                 "columns: [{text: %0*d, path: a}]}}\n" JOB,
                 cases[i].len, 0);
        CLEANUP(reading_finish) struct reading reading;
        read_text(&reading, text);
        assert_int_equal(reading.status == OK, cases[i].is_good);
    }
    static const char *const measurements[] = {"gateway-01", "Gateway-01", "SQLITE_x", "a\\b"};
    for (size_t i = 0; i < COUNT(measurements); i++) {
        char text[400];
        snprintf(text, sizeof text,
                 "parsers: {p: {record_keys: k, measurement: '%s', time: {path: t, precision: s}, "
                 "columns: [{text: a, path: a}]}}\n" JOB,
                 measurements[i]);
        CLEANUP(reading_finish) struct reading reading;
        read_text(&reading, text);
        assert_non_null(strstr(buf_text(&reading.said), "parsers.p.measurement: "));
    }
}

static void print_columns(struct buf *text, const char *kind, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_printf(text, "    - {%s: %s%zu, path: x}\n", kind, kind, i);
    }
}

/* What spans the lines of a table is said at the parser's name. */
static void the_whole_table_has_limits(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf tags = {.max = 10000}, fields = {.max = 10000};
    print_columns(&tags, "tag", 33);
    print_columns(&tags, "text", 1);
    assert_columns_said(buf_text(&tags), "c.yaml:2:3: parsers: parser p: column 33 (tag32): more "
                                         "than 32 tags\n");
    print_columns(&fields, "int", 65);
    assert_columns_said(buf_text(&fields), "c.yaml:2:3: parsers: parser p: column 65 (int64): more "
                                           "than 64 fields\n");
    assert_columns_said("    - {tag: a, path: a}\n", "c.yaml:2:3: parsers: parser p: no field\n");
}

static void a_parser_has_at_most_95_columns_and_a_time(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf good = {.max = 10000}, many = {.max = 10000};
    const char *start = "parsers: {p: {record_keys: k, measurement: m, time: {path: t, precision: "
                        "s}, columns:\n    [{text: a, path: a}";
    buf_add_text(&good, start);
    for (int i = 0; i < 31; i++) {
        buf_printf(&good, ", {tag: t%d, path: t}, {text: u%d, path: u}, {int: i%d, path: i}", i, i,
                   i);
    }
    buf_add_text(&many, buf_text(&good));
    buf_add_text(&many, ", {text: b, path: b}, {tag: c, path: c}]}}\n" JOB);
    buf_add_text(&good, ", {text: b, path: b}]}}\n" JOB);
    assert_warned(buf_text(&good), ""); /* 31 tags, 64 fields, a time */
    assert_said(buf_text(&many), "c.yaml:2:5: parsers.p.columns: must be a list of 1 to 95 "
                                 "columns\n");
}

static void says_what_is_wrong_with_fields(void **state)
{
    (void)state;
    static const char parser[] =
        "parsers: {door: {record_keys: k, measurement: m, time: {path: t, precision: s}, "
        "columns: [{tag: colour, path: a}, {text: size, path: b}]}}\n"
        "n: {type: 'null'}\n"
        "jobs:\n";
    char text[1000];
    snprintf(text, sizeof text,
             "%s- {name: a, from: n, to: n, parse: door, fields: [color, size, colour, colour]}\n"
             "- {name: b, from: n, to: n, parse: door, fields: {colour: x}}\n"
             "- {name: c, from: n, to: n, parse: doro, fields: colour}\n",
             parser);
    assert_said(text, "c.yaml:4:51: jobs[0].fields: no parser of the job has a tag color (did you "
                      "mean colour?)\n"
                      "c.yaml:4:58: jobs[0].fields: no parser of the job has a tag size\n"
                      "c.yaml:4:72: jobs[0].fields: colour is given twice\n"
                      "c.yaml:5:50: jobs[1].fields: must be a list or a text, not a mapping\n"
                      "c.yaml:6:36: jobs[2].parse: there is no parser doro (did you mean door?)\n"
                      "c.yaml:6:50: jobs[2].fields: no parser of the job has a tag colour\n");
}

/* A job that uses a broken parser hears nothing: the parser's own problems say it. */
static void a_broken_parser_is_reported_once(void **state)
{
    (void)state;
    assert_said("parsers: {p: {record_keys: k, measurement: m, time: {path: t, precision: s}}}\n"
                "jobs: [{name: a, from: n, to: n, parse: p, fields: x}]\n"
                "n: {type: 'null'}\n",
                "c.yaml:1:14: parsers.p.columns: required (a list such as [{tag: status, path: "
                "api.statusCode}])\n");
}

static void parsers_stand_beside_either_form(void **state)
{
    (void)state;
    CLEANUP(reading_finish) struct reading reading;
    read_text(&reading,
              "lyvecloud: {endpoint_url: u, log_bucket: l, access_key: a, secret_key: s, "
              "parse: [lyve_a, p], fields: [a]}\n"
              "datasources: n\n"
              "n: {type: 'null'}\n"
              "parsers: {p: {record_keys: k, measurement: m, time: {path: t, precision: s}, "
              "columns: [{tag: a, path: a}, {message: m}]}}\n");
    assert_string_equal(buf_text(&reading.said), "");
    const struct job_config *job = &reading.config->jobs[0];
    assert_int_equal(job->n_parse, 2);
    assert_int_equal(job->parse[1]->columns[0].kind, TEXT);
    assert_warned("parsers:\n" JOB, "");
    assert_said("parsers: [p]\n" JOB,
                "c.yaml:1:10: parsers: must be a mapping of names to parsers, at most 64\n");
}

static void parsers_can_be_read_alone(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf said = {.max = 10000};
    char path[] = "/tmp/test-parsers-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char text[] =
        "parsers: {p: {record_keys: k, measurement: m, time: {path: t, precision: s}, "
        "columns: [{message: m}]}}\n"
        "influxdb: {token: '${NOT_SET}'}\n";
    FILE *file = fdopen(fd, "w");
    fputs(text, file);
    fclose(file);
    struct config *config;
    struct err err;
    enum status status = config_load_parsers(&config, path, &sources, &said, &err);
    remove(path);
    assert_string_equal(buf_text(&said), "");
    assert_int_equal(status, OK);
    assert_int_equal(config->n_jobs, 0);
    assert_int_equal(config->n_parsers, 1);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_declared_parser_is_a_table),
        cmocka_unit_test(a_declared_parser_reads_records),
        cmocka_unit_test(each_job_has_its_own_tags),
        cmocka_unit_test(formats_and_precisions),
        cmocka_unit_test(says_what_is_wrong_with_a_parser),
        cmocka_unit_test(says_what_is_wrong_with_columns),
        cmocka_unit_test(names_are_limited),
        cmocka_unit_test(the_whole_table_has_limits),
        cmocka_unit_test(a_parser_has_at_most_95_columns_and_a_time),
        cmocka_unit_test(says_what_is_wrong_with_fields),
        cmocka_unit_test(a_broken_parser_is_reported_once),
        cmocka_unit_test(parsers_stand_beside_either_form),
        cmocka_unit_test(parsers_can_be_read_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
