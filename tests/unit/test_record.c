/*
 * record: which parser, what time, what message, duplicates, dead letters. Expectations by hand;
 * hash digits from `xxhsum -H3` over the record's bytes.
 */
#include "data/record.h"

#include "read_record.h"

#include <stdio.h>

#define TIME "\"time\":\"2022-10-24T08:37:41Z\""

static const int64_t TIME_NS_VALUE = 1666600661000000000;

/* --- the four parsers of Lyve Cloud --- */

extern const struct parser lyve_s3_parser, lyve_console_parser, lyve_iam_parser, lyve_api_parser;

enum { S3, CONSOLE, IAM, API, LYVE_PARSERS };

static int lyve_set_up(void **state)
{
    static const struct parser *const parsers[LYVE_PARSERS] = {
        &lyve_s3_parser, &lyve_console_parser, &lyve_iam_parser, &lyve_api_parser};
    struct trial *trial = memory_new(sizeof *trial);
    trial_start(trial, parsers, LYVE_PARSERS, MESSAGE_RAW);
    *state = trial;
    return 0;
}

#define LYVE(name) cmocka_unit_test_setup_teardown(name, lyve_set_up, trial_tear_down)

static void s3_records_become_points(void **state)
{
    struct trial *trial = *state;
    const char *record = "{\"serviceAccountName\":\"app\",\"auditEntry\":{\"time\":\"2022-10-24T08:"
                         "37:41.232759412Z\","
                         "\"api\":{\"name\":\"GetObject\",\"bucket\":\"logs\",\"statusCode\":200,"
                         "\"timeToResponse\":\"601866322ns\",\"timeToFirstByteInNS\":\"77\"},"
                         "\"requestHeader\":{\"X-Real-Ip\":\"10.213.135.144:28911\"}},"
                         "\"serviceAccountCreatorId\":\"a@b.c\"}";
    trial_good(trial, record);
    assert_int_equal(trial->parser, S3);
    assert_string_equal(trial->point.schema->measurement, "audit-01");
    assert_int_equal(trial->point.time_ns, 1666600661232759412);
    assert_int_equal(trial->point.schema->n_tags, 6);
    assert_int_equal(trial->point.schema->n_fields, 3);
    expect_tag(trial, "auditEntry.api.name", "GetObject");
    expect_tag(trial, "auditEntry.api.bucket", "logs");
    expect_tag(trial, "auditEntry.api.statusCode", "200");
    expect_tag(trial, "auditEntry.requestHeader.X-Real-Ip", "10.213.135.144");
    expect_tag(trial, "serviceAccountName", "app");
    expect_tag(trial, "serviceAccountCreatorId", "a@b.c");
    expect_int(trial, "auditEntry.api.timeToResponse", 601866322);
    expect_int(trial, "auditEntry.api.timeToFirstByte", 77);
    expect_text(trial, "message", slice_of(record));
}

static void tags_are_sorted(void **state)
{
    struct trial *trial = *state;
    for (size_t i = 0; i < LYVE_PARSERS; i++) {
        const struct schema *schema = reader_schema(trial->reader, i);
        for (size_t k = 1; k < schema->n_tags; k++) {
            assert_true(strcmp(schema->tags[k - 1], schema->tags[k]) < 0);
        }
    }
}

static void coarse_times_end_in_digits_of_the_hash(void **state)
{
    struct trial *trial = *state;
    trial_good(trial, "{\"ConsoleEvent\":{\"Eventname\":\"login\",\"EventTime\":\"2021-01-25 "
                      "09:19:11.622206 +0000 UTC\"}}");
    assert_int_equal(trial->parser, CONSOLE);
    assert_int_equal(reader_hash(trial->reader), 0x44c6a4c8d8435020);
    assert_int_equal(trial->point.time_ns, 1611566351622206080);
    trial_good(trial,
               "{\"log_id\":\"1\",\"type\":\"s\",\"date\":\"2025-10-03 14:09:32.149000000\"}");
    assert_int_equal(trial->parser, IAM);
    assert_int_equal(reader_hash(trial->reader), 0xe2d0b97f97b83aab);
    assert_int_equal(trial->point.time_ns, 1759500572149948395);
}

static void a_time_of_day_needs_the_objects_date(void **state)
{
    struct trial *trial = *state;
    const char *early = "{\"ApiEvent\":{\"Request\":{\"RequestTime\":\"08:37:41\"}}}";
    const char *late = "{\"ApiEvent\":{\"Request\":{\"RequestTime\":\"08:37:42\"}}}";
    trial_bad(trial, early,
              "ApiEvent.Request.RequestTime: a time of day, and the object's date is not known "
              "(--last-modified would give it): '08:37:41'");
    trial_bad(trial, "{\"ApiEvent\":{\"Request\":{\"RequestTime\":\"<hh:mm:ss>\"}}}",
              "ApiEvent.Request.RequestTime: not a time: '<hh:mm:ss>'");
    reader_begin(trial->reader, slice_of("x.gz"), TIME_NS_VALUE);
    trial_good(trial, early);
    assert_int_equal(trial->parser, API);
    assert_int_equal(trial->point.time_ns, 1666600661234586811);
    trial_good(trial, late);
    assert_int_equal(trial->point.time_ns, 1666600662845865725 - INT64_C(86400000000000));
}

static void records_are_told_apart_by_their_keys(void **state)
{
    struct trial *trial = *state;
    static const struct {
        const char *record;
        size_t parser;
    } examples[] = {
        {"{\"auditEntry\":{\"time\":\"2022-10-24T08:37:41Z\"}}", S3},
        {"{\"ConsoleEvent\":{\"EventTime\":\"2022-10-24T08:37:41Z\"}}", CONSOLE},
        {"{\"date\":\"2022-10-24T08:37:41Z\",\"type\":\"s\",\"log_id\":\"1\"}", IAM},
        {"{\"content\":{\"date\":\"2022-10-24T08:37:41Z\"}}", IAM},
        {"{\"ApiEvent\":{\"Request\":{\"RequestTime\":\"08:37:41\"}}}", API},
        {"{\"audit\\u0045ntry\":{\"time\":\"2022-10-24T08:37:41Z\"}}", S3},
    };
    static const char *const keys[] = {
        "October-2022/S3-1.gz", "IAM-1.gz", "a/b/console-1.gz", "Console-1.gz", "S3/x.gz", "x", ""};
    for (size_t i = 0; i < COUNT(examples); i++) {
        for (size_t k = 0; k < COUNT(keys); k++) {
            reader_begin(trial->reader, slice_of(keys[k]), TIME_NS_VALUE);
            trial_good(trial, examples[i].record);
            assert_int_equal(trial->parser, examples[i].parser);
        }
    }
}

/* Only a record that more than one parser knows is decided by its object's name. */
static void names_decide_between_parsers_that_both_know_a_record(void **state)
{
    struct trial *trial = *state;
    static const struct {
        const char *key;
        size_t parser;
    } examples[] = {
        {"October-2022/S3-1.gz", S3}, {"s3-1.gz", S3},  {"IAM-1.gz", IAM}, {"a/b/iam-1.gz", IAM},
        {"Console-1.gz", S3},         {"IAM/x.gz", S3}, {"IA", S3},        {"", S3},
    };
    for (size_t i = 0; i < COUNT(examples); i++) {
        reader_begin(trial->reader, slice_of(examples[i].key), INT64_MIN);
        trial_good(trial, "{\"content\":1,\"auditEntry\":{\"time\":\"2022-10-24T08:37:41Z\"},"
                          "\"date\":\"2022-10-24T08:37:41Z\"}");
        assert_int_equal(trial->parser, examples[i].parser);
    }
}

static void unknown_records_are_refused(void **state)
{
    struct trial *trial = *state;
    trial_bad(trial, "{\"version\":\"1\",\"api\":{\"name\":\"x\"},\"time\":\"\"}",
              "no parser knows this record: top-level keys version, api, time");
    trial_bad(trial, "{\"log_id\":\"1\"}", "no parser knows this record: top-level keys log_id");
    trial_bad(trial, "{\"a\":{\"auditEntry\":1}}", "no parser knows this record: top-level keys a");
    trial->parser = 77;
    trial_bad(trial, "{}", "no parser knows this record: top-level keys none");
    assert_int_equal(trial->parser, 77); /* it is no parser's */
}

static void iam_columns_are_found_flat_and_in_content(void **state)
{
    struct trial *trial = *state;
    trial_good(trial,
               "{\"content\":{\"client_name\":\"c\",\"ip\":\"1.2.3.4\",\"hostname\":\"h\","
               "\"user_name\":\"u\",\"organization\":\"o\",\"date\":\"2022-10-24T08:37:41Z\"},"
               "\"bucket_name\":\"b\",\"created_date\":\"yesterday\",\"source\":null}");
    expect_tag(trial, "content.client_name", "c");
    expect_tag(trial, "content.ip", "1.2.3.4");
    expect_tag(trial, "content.hostname", "h");
    expect_tag(trial, "content.user_name", "u");
    expect_tag(trial, "organization", "o");
    expect_tag(trial, "bucket_name", "b");
    expect_tag(trial, "source", "");
    expect_text(trial, "created_date", slice_of("yesterday"));
    trial_good(trial,
               "{\"log_id\":\"1\",\"type\":\"s\",\"client_name\":\"c2\",\"ip\":\"::1\","
               "\"hostname\":\"h2\",\"user_name\":\"u2\",\"date\":\"2022-10-24T08:37:41Z\"}");
    expect_tag(trial, "content.client_name", "c2");
    expect_tag(trial, "content.ip", "::1");
    expect_tag(trial, "content.hostname", "h2");
    expect_tag(trial, "content.user_name", "u2");
    expect_absent(trial, "created_date");
}

/* --- times --- */

static void times_are_required(void **state)
{
    static const struct {
        const char *record, *reason;
    } examples[] = {
        {"{\"auditEntry\":{}}", "auditEntry.time: missing"},
        {"{\"auditEntry\":{\"time\":null}}", "auditEntry.time: missing"},
        {"{\"auditEntry\":null}", "auditEntry.time: missing"},
        {"{\"auditEntry\":{\"time\":\"\"}}", "auditEntry.time: not a time: ''"},
        {"{\"auditEntry\":{\"time\":\"x\"}}", "auditEntry.time: not a time: 'x'"},
        {"{\"auditEntry\":{\"time\":1666600661}}", "auditEntry.time: not a time: '1666600661'"},
        {"{\"auditEntry\":{\"time\":[]}}", "auditEntry.time: not a time: '[]'"},
        {"{\"content\":{\"date\":\"x\"}}", "content.date: not a time: 'x'"},
        {"{\"content\":{}}", "date: missing"},
    };
    for (size_t i = 0; i < COUNT(examples); i++) {
        trial_bad(*state, examples[i].record, examples[i].reason);
    }
}

/* 65,536 steps below what InfluxDB takes are kept free for clashes. */
static void times_out_of_range_are_refused(void **state)
{
    struct trial *trial = *state;
    trial_good(trial, "{\"time\":\"1677-09-21T00:12:43.145224194Z\"}");
    assert_int_equal(trial->point.time_ns, INT64_MIN + 2);
    trial_good(trial, "{\"time\":\"2262-04-11T23:47:16.854710270Z\"}");
    assert_int_equal(trial->point.time_ns, INT64_MAX - 1 - 65536);
    trial_bad(trial, "{\"time\":\"1677-09-21T00:12:43.145224193Z\"}",
              "time: a time out of range: '1677-09-21T00:12:43.145224193Z'");
    trial_bad(trial, "{\"time\":\"2262-04-11T23:47:16.854710271Z\"}",
              "time: a time out of range: '2262-04-11T23:47:16.854710271Z'");
    trial_bad(trial, "{\"time\":\"2262-04-11T23:47:16.854775808Z\"}",
              "time: not a time: '2262-04-11T23:47:16.854775808Z'");
}

static int64_t time_at_precision(enum column_kind kind, const char *time)
{
    const struct column columns[] = {{MESSAGE, "message", {NULL}}, {kind, NULL, {"time"}}};
    struct parser parser = every_kind_parser;
    parser.columns = columns;
    parser.n_columns = COUNT(columns);
    const struct parser *const parsers[] = {&parser};
    struct trial trial;
    char record[128];
    snprintf(record, sizeof record, "{\"time\":\"%s\"}", time);
    trial_start(&trial, parsers, 1, MESSAGE_RAW);
    enum status status = trial_read(&trial, slice_of(record));
    int64_t ns = status == OK ? trial.point.time_ns : 0;
    trial_finish(&trial);
    return ns;
}

/* H mod 10^9 of this record is 611828168. Before 1970 too, the digits are cut downwards. */
static void each_precision_has_its_digits(void **state)
{
    (void)state;
    const char *time = "1969-12-31T23:59:59.999999999Z";
    assert_int_equal(time_at_precision(TIME_S, time), -1000000000 + 611828168);
    assert_int_equal(time_at_precision(TIME_MS, time), -1000000 + 828168);
    assert_int_equal(time_at_precision(TIME_US, time), -1000 + 168);
    assert_int_equal(time_at_precision(TIME_NS, time), -1);
    /* 16 s and 473268603 ns fit, 984955756 ns do not */
    assert_int_equal(time_at_precision(TIME_S, "2262-04-11T23:47:16.1Z"), 9223372036473268603);
    assert_int_equal(time_at_precision(TIME_S, "2262-04-11T23:47:16.03Z"), 0);
}

/* --- duplicates and clashes --- */

static void equal_records_are_duplicates_within_an_object(void **state)
{
    struct trial *trial = *state;
    for (int object = 0; object < 2; object++) {
        reader_begin(trial->reader, slice_of("x"), INT64_MIN);
        trial_good(trial, "{" TIME ",\"x\":\"1\"}");
        assert_int_equal(trial->point.time_ns, TIME_NS_VALUE);
        trial_good(trial, "{" TIME ",\"x\":\"2\"}");
        assert_int_equal(trial->point.time_ns, TIME_NS_VALUE + 1);
        assert_int_equal(trial_read(trial, slice_of("{" TIME ",\"x\":\"1\"}")), AGAIN);
        assert_int_equal(trial_read(trial, slice_of("{" TIME ",\"x\":\"2\"}")), AGAIN);
        trial_good(trial, "{" TIME ",\"x\":\"2\" }");
        assert_int_equal(trial->point.time_ns, TIME_NS_VALUE + 2);
        trial_good(trial, "{" TIME ",\"t\":\"other\"}");
        assert_int_equal(trial->point.time_ns, TIME_NS_VALUE);
    }
}

/* What is hashed is the record as it was, not as it is shown. */
static void records_that_differ_in_a_secret_are_two(void **state)
{
    struct trial *trial = *state;
    trial_good(trial, "{" TIME ",\"password\":\"1\"}");
    trial_good(trial, "{" TIME ",\"password\":\"2\"}");
    assert_int_equal(trial->point.time_ns, TIME_NS_VALUE + 1);
}

/* Series differ when any tag does, and tags of the same letters are not the same tags. */
static void series_are_told_apart(void **state)
{
    struct trial *trial = *state;
    static const char *const records[] = {
        "{" TIME ",\"a\":\"ab\",\"t\":\"c\"}",
        "{" TIME ",\"a\":\"a\",\"t\":\"bc\"}",
        "{" TIME ",\"a\":\"abc\"}",
        "{" TIME ",\"t\":\"abc\"}",
        "{" TIME ",\"t\":\"abd\"}",
        "{" TIME ",\"a\":\"a\"}",
        "{" TIME "}",
    };
    for (size_t i = 0; i < COUNT(records); i++) {
        trial_good(trial, records[i]);
        assert_int_equal(trial->point.time_ns, TIME_NS_VALUE);
    }
    /* as it will be written: the port is gone, a newline is a space */
    trial_good(trial, "{" TIME ",\"a\":\"a:80\"}");
    assert_int_equal(trial->point.time_ns, TIME_NS_VALUE + 1);
}

/* The same tags and time in two measurements. */
static void measurements_are_told_apart(void **state)
{
    struct parser one = every_kind_parser, two = every_kind_parser;
    one.about.name = "one";
    one.record_keys = (const char *const[]){"one", NULL};
    two.about.name = "two";
    two.record_keys = (const char *const[]){"two", NULL};
    two.measurement = "other";
    const struct parser *const parsers[] = {&one, &two};
    struct trial trial;
    (void)state;
    trial_start(&trial, parsers, COUNT(parsers), MESSAGE_RAW);
    static const char *const records[] = {"{" TIME ",\"one\":1}", "{" TIME ",\"two\":1}"};
    for (size_t i = 0; i < COUNT(records); i++) {
        trial_good(&trial, records[i]);
        assert_int_equal(trial.parser, i);
        assert_int_equal(trial.point.time_ns, TIME_NS_VALUE);
    }
    trial_finish(&trial);
}

/* --- messages --- */

static void read_with(struct trial *trial, enum message_mode mode, const char *record)
{
    static const struct parser *const parsers[] = {&every_kind_parser};
    trial_start(trial, parsers, COUNT(parsers), mode);
    trial_good(trial, record);
}

static void messages_are_raw_flat_or_empty(void **state)
{
    (void)state;
    const char *record = "{ " TIME ", \"k\": {\"Authorization\": \"AWS4 x\", \"l\": [1, {}]}, "
                         "\"token\":{\"a\":1}}";
    static const char *const messages[] = {
        [MESSAGE_RAW] = "{ " TIME ", \"k\": {\"Authorization\": \"<redacted>\", \"l\": [1, {}]}, "
                        "\"token\":\"<redacted>\"}",
        [MESSAGE_FLAT] = "{" TIME ",\"k.Authorization\":\"<redacted>\",\"k.l\":[1, {}],"
                         "\"token\":\"<redacted>\"}",
        [MESSAGE_NONE] = "",
    };
    for (size_t mode = 0; mode < COUNT(messages); mode++) {
        struct trial trial;
        read_with(&trial, (enum message_mode)mode, record);
        expect_text(&trial, "message", slice_of(messages[mode]));
        trial_finish(&trial);
    }
}

/* `fill` bytes of 'a', then the rest, in a record with a secret in front of them. */
static void make_long(struct buf *record, size_t fill, const char *rest)
{
    buf_add_text(record, "{" TIME ",\"password\":\"\",\"k\":\"");
    memset(buf_room(record, fill), 'a', fill);
    record->len += fill;
    buf_add_text(record, rest);
    buf_add_text(record, "\"}");
}

/* Redaction makes the record longer than a text may be. "é" stands across the limit. */
static void long_messages_are_cut_at_a_character(void **state)
{
    (void)state;
    const char *start = "{" TIME ",\"password\":\"<redacted>\",\"k\":\"";
    const size_t fill = SCHEMA_TEXT_MAX_BYTES - strlen(start) - 1;
    CLEANUP(buf_finish) struct buf record = {.max = 1 << 21};
    make_long(&record, fill, "\xC3\xA9tail");
    for (int mode = MESSAGE_RAW; mode <= MESSAGE_FLAT; mode++) {
        struct trial trial;
        read_with(&trial, (enum message_mode)mode, buf_text(&record));
        CLEANUP(buf_finish) struct buf wanted = {.max = 1 << 21};
        buf_add_text(&wanted, start);
        memset(buf_room(&wanted, fill), 'a', fill);
        wanted.len += fill;
        assert_int_equal(wanted.len, SCHEMA_TEXT_MAX_BYTES - 1);
        expect_text(&trial, "message", buf_slice(&wanted));
        assert_int_equal(reader_counts(trial.reader)->cut, 1);
        trial_finish(&trial);
    }
}

static void long_texts_are_cut(void **state)
{
    struct trial *trial = *state;
    CLEANUP(buf_finish) struct buf record = {.max = 1 << 22};
    buf_add_text(&record, "{" TIME ",\"x\":\"");
    for (int i = 0; i < 1048577 / 3 + 1; i++) {
        buf_add_text(&record, "\xE2\x82\xAC");
    }
    buf_add_text(&record, "\"}");
    trial_good(trial, buf_text(&record));
    /* 349,525 characters of three bytes: 1,048,575 */
    assert_int_equal(field_of(trial, "x")->text.pieces[0].len, 1048575);
    assert_int_equal(reader_counts(trial->reader)->cut, 2); /* the message as well */
}

static void bytes_that_are_not_utf8_are_repaired(void **state)
{
    struct trial *trial = *state;
    const char *bad = "{" TIME ",\"t\":\"a\xFF\xC3(\xE2\x82\xED\xA0\x80z\"}";
    trial_good(trial, bad);
    /* FF; C3; E2 82; ED, A0, 80: as Python's bytes.decode("utf-8", "replace") */
#define R "\xEF\xBF\xBD"
    expect_tag(trial, "t", "a" R R "(" R R R R "z");
    expect_text(trial, "message", slice_of("{" TIME ",\"t\":\"a" R R "(" R R R R "z\"}"));
    assert_int_equal(reader_counts(trial->reader)->repaired, 6);
    trial_good(trial, "{" TIME ",\"t\":\"\xC3\xA9\"}");
    assert_int_equal(reader_counts(trial->reader)->repaired, 6);
    reader_begin(trial->reader, slice_of(""), INT64_MIN);
    assert_int_equal(reader_counts(trial->reader)->repaired, 0);
}

static void the_first_of_duplicate_keys_counts(void **state)
{
    struct trial *trial = *state;
    trial_good(trial, "{" TIME ",\"t\":\"1\",\"t\":\"2\",\"n\":3,\"n\":\"x\",\"zzz\":1,\"zzz\":2}");
    expect_tag(trial, "t", "1");
    expect_int(trial, "n", 3);
    assert_int_equal(reader_counts(trial->reader)->duplicate_keys, 2);
}

/* --- dead letters --- */

static void expect_masked(struct trial *trial, const char *wanted)
{
    CLEANUP(buf_finish) struct buf out = {.max = 65536};
    reader_masked(trial->reader, trial->record, &out);
    expect_slice(slice_make(buf_text(&out), out.len), slice_of(wanted));
}

static void dead_letters_are_masked(void **state)
{
    struct trial *trial = *state;
    trial_bad(trial, "{\"password\":\"pw\",\"time\":\"x\"}", "time: not a time: 'x'");
    expect_masked(trial, "{\"password\":\"<redacted>\",\"time\":\"x\"}");
    trial_bad(trial, "{\"k\":{\"secret\":[1,2]},\"z\":1}",
              "no parser knows this record: top-level keys k, z");
    expect_masked(trial, "{\"k\":{\"secret\":\"<redacted>\"},\"z\":1}");
    /* broken JSON */
    assert_int_equal(trial_read(trial, slice_of("{\"password\":\"hush\",")), BAD_DATA);
    CLEANUP(buf_finish) struct buf out = {.max = 65536};
    reader_masked(trial->reader, trial->record, &out);
    assert_null(strstr(buf_text(&out), "hush"));
    assert_non_null(strstr(buf_text(&out), "password"));
}

static void dead_letters_are_cut(void **state)
{
    struct trial *trial = *state;
    CLEANUP(buf_finish) struct buf record = {.max = 1 << 20}, out = {.max = 1 << 20};
    buf_add_text(&record, "{\"k\":\"");
    for (int i = 0; i < 50000; i++) {
        buf_add_text(&record, "\xC3\xA9");
    }
    buf_add_text(&record, "\"}");
    assert_int_equal(trial_read(trial, buf_slice(&record)), BAD_DATA);
    reader_masked(trial->reader, trial->record, &out);
    assert_int_equal(out.len, 65536);
    assert_memory_equal(out.at, record.at, out.len);
    buf_clear(&out);
    out.max = 101; /* in the middle of a character */
    reader_masked(trial->reader, trial->record, &out);
    assert_int_equal(out.len, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LYVE(s3_records_become_points),
        LYVE(tags_are_sorted),
        LYVE(coarse_times_end_in_digits_of_the_hash),
        LYVE(a_time_of_day_needs_the_objects_date),
        LYVE(records_are_told_apart_by_their_keys),
        LYVE(names_decide_between_parsers_that_both_know_a_record),
        LYVE(unknown_records_are_refused),
        LYVE(iam_columns_are_found_flat_and_in_content),
        LYVE(times_are_required),
        TRIAL(times_out_of_range_are_refused),
        cmocka_unit_test(each_precision_has_its_digits),
        TRIAL(equal_records_are_duplicates_within_an_object),
        TRIAL(records_that_differ_in_a_secret_are_two),
        TRIAL(series_are_told_apart),
        cmocka_unit_test(measurements_are_told_apart),
        cmocka_unit_test(messages_are_raw_flat_or_empty),
        cmocka_unit_test(long_messages_are_cut_at_a_character),
        TRIAL(long_texts_are_cut),
        TRIAL(bytes_that_are_not_utf8_are_repaired),
        TRIAL(the_first_of_duplicate_keys_counts),
        TRIAL(dead_letters_are_masked),
        TRIAL(dead_letters_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
