/* columns: what values of every form become as tags, texts, numbers and spans. By hand. */
#include "data/columns.h"

#include "api/flow.h"
#include "read_record.h"

#include <stdio.h>
#include <unistd.h>

#define TIME "\"time\":\"2022-10-24T08:37:41Z\""

/* The record whose member of that name has this JSON text. */
static void read_member(struct trial *trial, const char *name, const char *json)
{
    char record[1024];
    snprintf(record, sizeof record, "{\"%s\":%s," TIME "}", name, json);
    reader_begin(trial->reader, slice_of(""), INT64_MIN);
    trial_good(trial, record);
}

static void refuse_member(struct trial *trial, const char *name, const char *json,
                          const char *reason)
{
    char record[1024];
    snprintf(record, sizeof record, "{\"%s\":%s," TIME "}", name, json);
    trial_bad(trial, record, reason);
}

static void values_become_tags(void **state)
{
    static const struct {
        const char *json, *tag;
    } examples[] = {
        {"\"plain\"", "plain"},
        {"\"\"", ""},
        {"null", ""},
        {"200", "200"},
        {"-0", "-0"},
        {"4E4", "4E4"},
        {"1.50", "1.50"},
        {"true", "true"},
        {"false", "false"},
        {"{\"k\": [1, 2]}", "{\"k\": [1, 2]}"},
        {"[]", "[]"},
        {"\"a,b c=d\\\"e\"", "a,b c=d\"e"},
        {"\"  spaces  \"", "  spaces  "},
        {"\"\\u00e9\\ud83d\\ude00\\/\"", "\xC3\xA9\xF0\x9F\x98\x80/"},
        {"\"\xC2\xA0 \xC3\xA9\"", "\xC2\xA0 \xC3\xA9"},
        {"\"\\ud800\"", "\xEF\xBF\xBD"},
        /* control characters */
        {"\"a\\nb\\tc\\u0000d\x7F\"", "a b c d "},
        {"\"a\\u0085b\xC2\x9F\"", "a b "},
        {"\"\\r\\n\"", "  "},
        {"\"a\x7F\"", "a "},
        {"\"a~\"", "a~"},
        {"{\"k\":\t1}", "{\"k\": 1}"},
        /* backslashes that line protocol cannot carry */
        {"\"a\\\\b\"", "a\\b"},
        {"\"a\\\\\"", "a/"},
        {"\"\\\\\"", "/"},
        {"\"a\\\\\\\\\"", "a\\/"},
        {"\"a\\\\,b\"", "a/,b"},
        {"\"a\\\\ b\"", "a/ b"},
        {"\"a\\\\=b\"", "a/=b"},
        {"\"a\\\\\\nb\"", "a/ b"},
        {"\"\\\\\\\\\\\\,\\\\x\\\\\\\\=\"", "\\\\/,\\x\\/="},
        {"\"\\\\\\\"\"", "\\\""},
        {"[\"\\\\\"]", "[\"\\\\\"]"},
    };
    for (size_t i = 0; i < COUNT(examples); i++) {
        read_member(*state, "t", examples[i].json);
        expect_tag(*state, "t", examples[i].tag);
    }
    struct trial *trial = *state;
    trial_good(trial, "{" TIME "}");
    expect_tag(*state, "t", "");
}

static void addresses_lose_their_port(void **state)
{
    static const struct {
        const char *json, *tag;
    } examples[] = {
        {"\"10.213.135.144:28911\"", "10.213.135.144"},
        {"\"10.213.135.144\"", "10.213.135.144"},
        {"\"[::1]:80\"", "::1"},
        {"\"[::1]\"", "::1"},
        {"\"[fe80::1%eth0]:65535\"", "fe80::1%eth0"},
        {"\"::1\"", "::1"},
        {"\"::\"", "::"},
        {"\"fe80::1%eth0\"", "fe80::1%eth0"},
        {"\"2001:db8::1:443\"", "2001:db8::1:443"},
        {"\"h:80\"", "h"},
        {"\"\\u0068:80\"", "h"},
        {"\"h\"", "h"},
        {"\"h:\"", "h:"},
        {"\"h:http\"", "h:http"},
        {"\"h:123456\"", "h:123456"},
        {"\"[::1\"", "[::1"},
        {"\"[::1]x\"", "[::1]x"},
        {"\"[::1]:\"", "[::1]:"},
        {"\"[\"", "["},
        {"\"\"", ""},
        {"null", ""},
        {"7", "7"},
        {"\"1.2.3.4:80, 5.6.7.8\"", "1.2.3.4:80, 5.6.7.8"},
    };
    for (size_t i = 0; i < COUNT(examples); i++) {
        read_member(*state, "a", examples[i].json);
        expect_tag(*state, "a", examples[i].tag);
    }
}

static void long_tags_are_cut_at_a_character(void **state)
{
    struct trial *trial = *state;
    static const struct {
        const char *unit, *last; /* the unit again and again, then the last up to the end */
        size_t units, left, cut; /* left: bytes of the tag */
    } examples[] = {
        {"a", "", 1024, 1024, 0},
        {"a", "b", 1024, 1024, 1},
        {"a", "\xC3\xA9", 1023, 1023, 1},
        {"\xC3\xA9", "", 512, 1024, 0},
        {"\xE2\x82\xAC", "", 342, 1023, 1},
        {"\xC2\x85", "", 1024, 1024, 0}, /* become spaces: one byte each */
        {"\xC2\x85", "", 1025, 1024, 1},
        {"a", "bbbb", 3000, 1024, 1},
    };
    for (size_t i = 0; i < COUNT(examples); i++) {
        CLEANUP(buf_finish) struct buf record = {.max = 1 << 16};
        buf_add_text(&record, "{" TIME ",\"t\":\"");
        for (size_t k = 0; k < examples[i].units; k++) {
            buf_add_text(&record, examples[i].unit);
        }
        buf_add_text(&record, examples[i].last);
        buf_add_text(&record, "\"}");
        reader_begin(trial->reader, slice_of(""), INT64_MIN);
        trial_good(trial, buf_text(&record));
        assert_int_equal(tag_of(trial, "t").len, examples[i].left);
        assert_int_equal(reader_counts(trial->reader)->cut, examples[i].cut);
    }
}

/* The cut can bring a backslash to the end. */
static void a_backslash_at_the_cut_is_replaced(void **state)
{
    struct trial *trial = *state;
    CLEANUP(buf_finish) struct buf record = {.max = 1 << 16};
    buf_add_text(&record, "{" TIME ",\"t\":\"");
    for (int i = 0; i < 1023; i++) {
        buf_add_byte(&record, 'a');
    }
    buf_add_text(&record, "\\\\bcd\"}");
    trial_good(trial, buf_text(&record));
    struct slice tag = tag_of(trial, "t");
    assert_int_equal(tag.len, 1024);
    assert_int_equal(tag.at[1022], 'a');
    assert_int_equal(tag.at[1023], '/');
}

static void values_become_texts(void **state)
{
    static const struct {
        const char *json, *text;
    } examples[] = {
        {"\"plain\"", "plain"},
        {"\"\"", ""},
        {"\"a\\nb\\\\\"", "a\nb\\"},
        {"\"\\u20ac\"", "\xE2\x82\xAC"},
        {"12.50", "12.50"},
        {"false", "false"},
        {"{\"k\":\"v\"}", "{\"k\":\"v\"}"},
        {"[1,[2]]", "[1,[2]]"},
        /* secrets inside */
        {"{\"k\":\"v\",\"password\":\"pw\"}", "{\"k\":\"v\",\"password\":\"<redacted>\"}"},
        {"\"{\\\"password\\\":\\\"pw\\\"}\"", "{\"password\":\"<redacted>\"}"},
        {"\"https://h/?a=1&X-Amz-Signature=abc\"", "https://h/?a=1&X-Amz-Signature=<redacted>"},
    };
    for (size_t i = 0; i < COUNT(examples); i++) {
        read_member(*state, "x", examples[i].json);
        expect_text(*state, "x", slice_of(examples[i].text));
    }
    read_member(*state, "x", "\"a\\u0000b\"");
    expect_text(*state, "x", slice_make("a\0b", 3));
    read_member(*state, "x", "null");
    expect_absent(*state, "x");
}

static size_t resident_bytes(void)
{
    FILE *statm = fopen("/proc/self/statm", "r");
    size_t pages = 0;
    assert_non_null(statm);
    assert_int_equal(fscanf(statm, "%*s %zu", &pages), 1);
    fclose(statm);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* 800 records, each with a text to decode that is 1 KiB longer than the one before: 320 MiB of
 * texts. What the reader keeps for the next record stays within a few of the longest. */
static void longer_and_longer_texts_do_not_pile_up(void **state)
{
    struct trial *trial = *state;
    CLEANUP(buf_finish) struct buf record = {.max = 1 << 20};
    buf_add_text(&record, "{" TIME ",\"x\":\"a\\n");
    memset(buf_room(&record, 900 * 1024), 0, 900 * 1024);
    const size_t before = resident_bytes();
    for (int i = 0; i < 800; i++) {
        memset(record.at + record.len, 'a', 1024);
        record.len += 1024;
        memcpy(record.at + record.len, "\"}", 2);
        reader_begin(trial->reader, slice_of(""), INT64_MIN);
        assert_int_equal(reader_read(trial->reader, slice_make(record.at, record.len + 2),
                                     &trial->point, &trial->parser, &trial->err),
                         OK);
    }
    assert_true(resident_bytes() - before < 32 * 1024 * 1024);
}

static void whole_numbers_are_taken(void **state)
{
    static const struct {
        const char *json;
        int64_t number;
    } examples[] = {
        {"0", 0},
        {"-0", 0},
        {"200", 200},
        {"-13", -13},
        {"200.0", 200},
        {"200.000e0", 200},
        {"4E4", 40000},
        {"4e+4", 40000},
        {"1.5e1", 15},
        {"1.25E+02", 125},
        {"1500e-2", 15},
        {"-1500e-2", -15},
        {"0e999999999999", 0},
        {"0.0e-5", 0},
        {"0.00001e5", 1},
        {"1e18", 1000000000000000000},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"9223372036854775807.000", INT64_MAX},
        {"-92233720368547758080e-1", INT64_MIN},
        {"10000000000000000000000000000e-26", 100},
        {"\"200\"", 200},
        {"\"-7\"", -7},
        {"\"007\"", 7},
        {"\"2\\u0030\"", 20},
        {"\"4E4\"", 40000},
    };
    for (size_t i = 0; i < COUNT(examples); i++) {
        read_member(*state, "n", examples[i].json);
        expect_int(*state, "n", examples[i].number);
    }
    read_member(*state, "n", "null");
    expect_absent(*state, "n");
}

static void other_numbers_are_refused(void **state)
{
    static const char *const values[] = {
        "1.5",
        "0.1",
        "15e-1",
        "-1e-1",
        "9223372036854775808",
        "1e19",
        "1e400",
        "1e-400",
        "1e999999999999999999999",
        "-9223372036854775809",
        "true",
        "false",
        "[]",
        "{}",
        "[1]",
    };
    for (size_t i = 0; i < COUNT(values); i++) {
        char reason[256];
        snprintf(reason, sizeof reason, "n: not a whole number: '%s'", values[i]);
        refuse_member(*state, "n", values[i], reason);
    }
    static const char *const texts[] = {
        "",   "-",   "+1", " 1",  "1 ",    "1,000", "0x10",  "1.",  ".5",
        "1e", "1e+", "e5", "1_0", "200ns", "--1",   "1.0.0", "NaN",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        char json[64], reason[256];
        snprintf(json, sizeof json, "\"%s\"", texts[i]);
        snprintf(reason, sizeof reason, "n: not a whole number: '%s'", texts[i]);
        refuse_member(*state, "n", json, reason);
    }
}

/* Numbers that JSON does not have never reach a column. */
static void illegal_numbers_are_refused(void **state)
{
    struct trial *trial = *state;
    static const char *const values[] = {"01",  "1.",   ".5",  "+1", "1e",       "1e+", "0x10",
                                         "--1", "1.e5", "NaN", "-",  "Infinity", "1_0", "00"};
    for (size_t i = 0; i < COUNT(values); i++) {
        char record[128];
        snprintf(record, sizeof record, "{\"n\":%s," TIME "}", values[i]);
        assert_int_equal(trial_read(trial, slice_of(record)), BAD_DATA);
        assert_int_equal(strncmp(trial->err.text, "byte ", 5), 0);
    }
}

static void durations_are_taken(void **state)
{
    static const struct {
        const char *json;
        int64_t ns;
    } examples[] = {
        {"{\"one\":\"601866322ns\"}", 601866322},
        {"{\"one\":\"1.5ms\"}", 1500000},
        {"{\"one\":\"2\\u0030us\"}", 20000},
        {"{\"one\":\"5\xC2\xB5s\"}", 5000},
        {"{\"one\":677949}", 677949},
        {"{\"one\":4E4}", 40000},
        {"{\"two\":\"677949\"}", 677949},
        {"{\"one\":null,\"two\":\"2s\"}", 2000000000},
        {"{\"two\":\"2s\",\"one\":\"1s\"}", 1000000000},
    };
    for (size_t i = 0; i < COUNT(examples); i++) {
        read_member(*state, "d", examples[i].json);
        expect_int(*state, "d", examples[i].ns);
    }
    read_member(*state, "d", "{}");
    expect_absent(*state, "d");
    read_member(*state, "d", "5");
    expect_absent(*state, "d");
    refuse_member(*state, "d", "{\"one\":\"soon\"}", "d.one: not a duration: 'soon'");
    refuse_member(*state, "d", "{\"two\":\"\"}", "d.two: not a duration: ''");
    refuse_member(*state, "d", "{\"two\":1.5}", "d.two: not a duration: '1.5'");
    refuse_member(*state, "d", "{\"one\":true,\"two\":1}", "d.one: not a duration: 'true'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRIAL(values_become_tags),
        TRIAL(addresses_lose_their_port),
        TRIAL(long_tags_are_cut_at_a_character),
        TRIAL(a_backslash_at_the_cut_is_replaced),
        TRIAL(values_become_texts),
        TRIAL(longer_and_longer_texts_do_not_pile_up),
        TRIAL(whole_numbers_are_taken),
        TRIAL(other_numbers_are_refused),
        TRIAL(illegal_numbers_are_refused),
        TRIAL(durations_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
