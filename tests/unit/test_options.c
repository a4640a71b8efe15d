/* test_options: ${...}, values by type, and what is said when they are wrong. The rows below stand
 * for a module's; positions are counted by hand. */
#include "base/cleanup.h"
#include "config/expand.h"
#include "config/nearest.h"
#include "config/options.h"
#include "config/values.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* --- the world outside --- */

static const char *environment(const char *name)
{
    static const char *const pairs[][2] = {
        {"TOKEN", "t0ken"},        {"EMPTY", ""},     {"FOLDER", "/run/creds"},
        {"REFERENCE", "${TOKEN}"}, {"NUMBER", "12x"}, {"TWO_LINES", "a\nb"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (strcmp(name, pairs[i][0]) == 0) {
            return pairs[i][1];
        }
    }
    return NULL;
}

static int read_file(const char *path, struct buf *out)
{
    static const struct {
        const char *path;
        struct slice content;
    } files[] = {
        {"/plain", SLICE_LITERAL("secret")},
        {"/newline", SLICE_LITERAL("secret\n")},
        {"/crlf", SLICE_LITERAL("secret\r\n")},
        {"/two", SLICE_LITERAL("secret\n\n")},
        {"/nul", SLICE_LITERAL("sec\0ret\n")},
        {"/empty", SLICE_LITERAL("")},
        {"/run/creds/x", SLICE_LITERAL("from creds\n")},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (strcmp(path, files[i].path) == 0) {
            return buf_add(out, files[i].content) ? 0 : EFBIG;
        }
    }
    return strcmp(path, "/locked") == 0 ? EACCES : ENOENT;
}

static const struct config_sources sources = {.environment = environment, .read_file = read_file};

/* --- expand --- */

static void expands_references(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expanded;
        bool from_outside;
    } rows[] = {
        {"", "", false},
        {"plain", "plain", false},
        {"${TOKEN}", "t0ken", true},
        {"a${TOKEN}b${TOKEN}", "at0kenbt0ken", true},
        {"${EMPTY}", "", true},
        {"${UNSET:-default}", "default", false},
        {"${EMPTY:-default}", "default", false},
        {"${TOKEN:-default}", "t0ken", true},
        {"${UNSET:-}", "", false},
        {"${UNSET:-a:-b}", "a:-b", false},
        {"${UNSET:-${TOKEN}}", "t0ken", true},
        {"${UNSET:-$${}", "${", false},
        {"${file:/plain}", "secret", true},
        {"${file:/newline}", "secret", true},
        {"${file:/crlf}", "secret", true},
        {"${file:/two}", "secret\n", true},
        {"${file:/empty}", "", true},
        {"${file:${FOLDER}/x}", "from creds", true},
        {"$${TOKEN}", "${TOKEN}", false},
        {"$$${TOKEN}", "$${TOKEN}", false},
        {"$TOKEN $ $$ } {", "$TOKEN $ $$ } {", false},
        /* what comes from outside is not looked at again */
        {"${REFERENCE}", "${TOKEN}", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(buf_finish) struct buf out = {.max = EXPAND_MAX_BYTES};
        bool from_outside;
        struct err err = {0};
        assert_int_equal(expand_text(slice_of(rows[i].text), &sources, &out, &from_outside, &err),
                         OK);
        assert_string_equal(buf_text(&out), rows[i].expanded);
        assert_int_equal(from_outside, rows[i].from_outside);
    }
}

static void refuses_references(void **state)
{
    (void)state;
    static const char no_name[] =
        "${...} does not name a variable or file (write $${ for a literal ${)";
    static const struct {
        const char *text, *reason;
    } rows[] = {
        {"${UNSET}", "the environment variable UNSET is not set"},
        {"${UNSET:-${OTHER}}", "the environment variable OTHER is not set"},
        {"${TOKEN", "${ without } (write $${ for a literal ${)"},
        {"${A:-${B}", "${ without } (write $${ for a literal ${)"},
        {"${}", no_name},
        {"${1}", no_name},
        {"${pass word}", no_name},
        {"${TOKEN-x}", no_name},
        {"${TOKEN:x}", no_name},
        {"${A:-${B:-${C:-x}}}", "${...} is nested too deep"},
        {"${file:/absent}", "${file:/absent}: No such file or directory"},
        {"${file:/locked}", "${file:/locked}: Permission denied"},
        /* the value of FOLDER is not shown */
        {"${file:${FOLDER}/absent}", "${file:${FOLDER}/absent}: No such file or directory"},
        {"${file:/nul}", "${file:/nul}: holds a NUL byte"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(buf_finish) struct buf out = {.max = EXPAND_MAX_BYTES};
        bool from_outside;
        struct err err = {0};
        assert_int_equal(expand_text(slice_of(rows[i].text), &sources, &out, &from_outside, &err),
                         BAD_CONFIG);
        assert_string_equal(err.text, rows[i].reason);
    }
}

static void limits_an_expansion(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf out = {.max = 9};
    bool from_outside;
    struct err err = {0};
    struct slice text = slice_of("${TOKEN}${TOKEN}"); /* 10 bytes */
    assert_int_equal(expand_text(text, &sources, &out, &from_outside, &err), BAD_CONFIG);
    assert_string_equal(err.text, "the value is too long");
}

/* --- values --- */

static void reads_numbers(void **state)
{
    (void)state;
    static const struct {
        bool (*read)(struct slice text, int64_t *out);
        const char *text;
        int64_t number;
    } rows[] = {
        {value_int, "0", 0},
        {value_int, "-12", -12},
        {value_int, "+7", 7},
        {value_int, "0007", 7},
        {value_int, "9223372036854775807", INT64_MAX},
        {value_bytes, "1024", 1024},
        {value_bytes, "0", 0},
        {value_bytes, "3B", 3},
        {value_bytes, "1kB", 1000},
        {value_bytes, "1KB", 1000},
        {value_bytes, "1KiB", 1024},
        {value_bytes, "4MiB", 4194304},
        {value_bytes, "500MB", 500000000},
        {value_bytes, "32GiB", INT64_C(34359738368)},
        {value_bytes, "2TB", INT64_C(2000000000000)},
        {value_duration_ns, "0", 0},
        {value_duration_ns, "7ns", 7},
        {value_duration_ns, "7us", 7000},
        {value_duration_ns, "500ms", 500000000},
        {value_duration_ns, "30s", INT64_C(30000000000)},
        {value_duration_ns, "15m", INT64_C(900000000000)},
        {value_duration_ns, "24h", INT64_C(86400000000000)},
        {value_duration_ns, "30d", INT64_C(2592000000000000)},
        {value_duration_ns, "1h30m", INT64_C(5400000000000)},
        {value_duration_ns, "1d1h1m1s1ms", INT64_C(90061001000000)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t number = -1;
        assert_true(rows[i].read(slice_of(rows[i].text), &number));
        assert_int_equal(number, rows[i].number);
    }
}

static void refuses_numbers(void **state)
{
    (void)state;
    static const struct {
        bool (*read)(struct slice text, int64_t *out);
        const char *text;
    } rows[] = {
        {value_int, ""},
        {value_int, "-"},
        {value_int, "1.5"},
        {value_int, " 1"},
        {value_int, "0x10"},
        {value_int, "1_000"},
        {value_int, "--1"},
        {value_int, "9223372036854775808"},
        {value_bytes, ""},
        {value_bytes, "MiB"},
        {value_bytes, "-1"},
        {value_bytes, "1.5MiB"},
        {value_bytes, "4 MiB"},
        {value_bytes, "4mib"},
        {value_bytes, "4MiB4"},
        {value_bytes, "8388608TiB"}, /* 2^63 */
        {value_duration_ns, ""},
        {value_duration_ns, "30"},
        {value_duration_ns, "s"},
        {value_duration_ns, "-1s"},
        {value_duration_ns, "1.5h"},
        {value_duration_ns, "30m1h"},
        {value_duration_ns, "5m5m"},
        {value_duration_ns, "1h30"},
        {value_duration_ns, "1w"},
        {value_duration_ns, "106752d"}, /* one more than fit in 2^63 ns */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t number;
        assert_false(rows[i].read(slice_of(rows[i].text), &number));
    }
}

static void prints_numbers(void **state)
{
    (void)state;
    char text[VALUE_TEXT_BYTES];
    assert_string_equal(value_bytes_text(INT64_C(34359738368), text), "32GiB");
    assert_string_equal(value_bytes_text(4194304, text), "4MiB");
    assert_string_equal(value_bytes_text(1000, text), "1000B");
    assert_string_equal(value_bytes_text(0, text), "0B");
    assert_string_equal(value_duration_text(INT64_C(5400000000000), text), "90m");
    assert_string_equal(value_duration_text(500000000, text), "500ms");
    assert_string_equal(value_duration_text(INT64_MAX, text), "9223372036854775807ns");
    assert_string_equal(value_duration_text(0, text), "0ns");
}

/* --- nearest --- */

static void finds_the_nearest_name(void **state)
{
    (void)state;
    static const char *const known[] = {"token",        "host",    "org",        "bucket",
                                        "endpoint_url", "ca_file", "access_key", "secret_key"};
    static const struct {
        const char *wanted, *hint;
    } rows[] = {
        {"tokn", " (did you mean token?)"},
        {"tkoen", " (did you mean token?)"}, /* one swap */
        {"TOKEN", " (did you mean token?)"},
        {"og", " (did you mean org?)"},
        {"endpoint-url", " (did you mean endpoint_url?)"},
        {"endpointurls", " (did you mean endpoint_url?)"},
        {"acess_kye", " (did you mean access_key?)"},
        {"tabs", ""},
        {"", ""},
        {"x", ""},
        {"password", ""},
        {"a_name_that_is_longer_than_any_option_of_any_module_could_be_at_all", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct nearest nearest = {.wanted = slice_of(rows[i].wanted)};
        for (size_t j = 0; j < sizeof known / sizeof *known; j++) {
            nearest_offer(&nearest, slice_of(known[j]));
        }
        char hint[NEAREST_HINT_BYTES];
        assert_string_equal(nearest_hint(&nearest, hint), rows[i].hint);
    }
}

/* --- rows to struct --- */

struct fake {
    const char *host, *region, *token, *folders;
    int64_t lines, size_bytes, wait_ns;
    bool gzip, quiet;
    struct text_list ignore;
    int mode;
};

static const char *const fake_modes[] = {"raw", "flat", "none", NULL};

#define AT(member) offsetof(struct fake, member)
static const struct option fake_options[] = {
    {"host", OPTION_TEXT, AT(host), .required = "InfluxDB > URL"},
    {"region", OPTION_TEXT, AT(region)},
    {"token", OPTION_SECRET, AT(token), .required = "InfluxDB > API tokens"},
    {"folders", OPTION_TEXT, AT(folders), "%B-%Y/"},
    {"lines", OPTION_INT, AT(lines), "5000", .min = 1, .max = 50000},
    {"size", OPTION_BYTES, AT(size_bytes), "4MiB", .min = 1024, .max = 33554432},
    {"wait", OPTION_DURATION_NS, AT(wait_ns), "1h30m", .max = INT64_C(86400000000000)},
    {"gzip", OPTION_BOOL, AT(gzip), "true"},
    {"quiet", OPTION_BOOL, AT(quiet)},
    {"ignore", OPTION_LIST, AT(ignore), "tmp/"},
    {"mode", OPTION_CHOICE, AT(mode), "flat", .choices = fake_modes},
    {0},
};

struct reading {
    struct arena arena;
    struct problems problems;
    struct fake fake;
    struct buf said;
};

static void reading_finish(struct reading *reading)
{
    arena_finish(&reading->arena);
    buf_finish(&reading->said);
}

/* text: a file with one stanza. */
static void read_stanza(struct reading *reading, const char *text, mode_t file_mode)
{
    static const char *const also[] = {"type", NULL};
    *reading = (struct reading){.said = {.max = 100000}};
    reading->problems.arena = &reading->arena;
    struct node *root;
    assert_true(yaml_read(&root, slice_of(text), &reading->arena, &reading->problems));
    const struct option_reader reader = {&reading->arena, &sources, &reading->problems, file_mode};
    const struct option_set set = {fake_options, &reading->fake};
    options_read(&reader, root->first->key.at, root->first, &set, 1, also);
    problems_print(&reading->problems, "c.yaml", &reading->said);
}

static void assert_said(const char *text, const char *said)
{
    CLEANUP(reading_finish) struct reading reading;
    read_stanza(&reading, text, 0600);
    assert_string_equal(buf_text(&reading.said), said);
}

static void fills_a_struct(void **state)
{
    (void)state;
    CLEANUP(reading_finish) struct reading reading;
    read_stanza(&reading,
                "influx:\n  type: influx\n  host: 'http://h'\n  region: 12\n  token: ${TOKEN}\n"
                "  folders: ''\n  lines: 50000\n  size: 1kB\n  wait: 24h\n  gzip: False\n"
                "  quiet: true\n  ignore: [a/, '${TOKEN}']\n  mode: none\n  ",
                0644);
    assert_string_equal(buf_text(&reading.said),
                        "c.yaml:8:9: influx.size: \"1kB\" is not between 1KiB and 32MiB\n");
    assert_string_equal(reading.fake.host, "http://h");
    assert_string_equal(reading.fake.region, "12");
    assert_string_equal(reading.fake.token, "t0ken");
    assert_string_equal(reading.fake.folders, "");
    assert_int_equal(reading.fake.lines, 50000);
    assert_int_equal(reading.fake.wait_ns, INT64_C(86400000000000));
    assert_false(reading.fake.gzip);
    assert_true(reading.fake.quiet);
    assert_int_equal(reading.fake.ignore.count, 2);
    assert_string_equal(reading.fake.ignore.items[0], "a/");
    assert_string_equal(reading.fake.ignore.items[1], "t0ken");
    assert_int_equal(reading.fake.mode, 2);
}

static void assert_defaults(const struct fake *fake)
{
    assert_null(fake->region);
    assert_string_equal(fake->folders, "%B-%Y/");
    assert_int_equal(fake->lines, 5000);
    assert_int_equal(fake->size_bytes, 4194304);
    assert_int_equal(fake->wait_ns, INT64_C(5400000000000));
    assert_true(fake->gzip);
    assert_false(fake->quiet);
    assert_int_equal(fake->ignore.count, 1);
    assert_string_equal(fake->ignore.items[0], "tmp/");
    assert_int_equal(fake->mode, 1);
}

static void falls_back(void **state)
{
    (void)state;
    CLEANUP(reading_finish) struct reading absent, null, outside;
    read_stanza(&absent, "i: {host: h, token: t}", 0600);
    assert_string_equal(buf_text(&absent.said), "");
    assert_defaults(&absent.fake);
    /* no value, and one that becomes empty, count as absent */
    read_stanza(&null, "i: {host: h, token: t, folders: , lines: ~, gzip: null, ignore: }", 0600);
    assert_string_equal(buf_text(&null.said), "");
    assert_defaults(&null.fake);
    read_stanza(&outside,
                "i:\n  host: h\n  token: t\n  region: ${UNSET:-}\n  lines: ${EMPTY}\n"
                "  ignore: ${EMPTY}\n",
                0600);
    assert_string_equal(buf_text(&outside.said), "");
    assert_defaults(&outside.fake);
}

static void reads_one_text_and_none_as_a_list(void **state)
{
    (void)state;
    CLEANUP(reading_finish) struct reading one, none;
    read_stanza(&one, "i: {host: h, token: t, ignore: only/}", 0600);
    assert_int_equal(one.fake.ignore.count, 1);
    assert_string_equal(one.fake.ignore.items[0], "only/");
    read_stanza(&none, "i: {host: h, token: t, ignore: []}", 0600);
    assert_int_equal(none.fake.ignore.count, 0);
}

static void says_what_is_required(void **state)
{
    (void)state;
    assert_said("i:\n", "c.yaml:1:1: i.host: required (InfluxDB > URL)\n"
                        "c.yaml:1:1: i.token: required (InfluxDB > API tokens)\n");
    /* the place of the stanza */
    assert_said("i:\n    host: h\n", "c.yaml:2:5: i.token: required (InfluxDB > API tokens)\n");
    /* the place of what turns out to be empty */
    assert_said("i:\n  host:\n  token: '${EMPTY}'\n",
                "c.yaml:2:3: i.host: required (InfluxDB > URL)\n"
                "c.yaml:3:10: i.token: required (InfluxDB > API tokens)\n");
}

static void says_all_in_one_go(void **state)
{
    (void)state;
    assert_said("influx:\n"
                "  host: [a]\n"
                "  tokn: abc\n"
                "  lines: many\n"
                "  size: 4MiBs\n"
                "  wait: 30\n"
                "  gzip: yes\n"
                "  mode: flta\n"
                "  ignore: {a: b}\n"
                "  colour: red\n"
                "  region: ${UNSET}\n"
                "  folders: \"a\\nb\"\n",
                "c.yaml:2:3: influx.token: required (InfluxDB > API tokens)\n"
                "c.yaml:2:9: influx.host: must be a single value, not a list\n"
                "c.yaml:3:3: influx.tokn: unknown key (did you mean token?)\n"
                "c.yaml:4:10: influx.lines: \"many\" is not a whole number\n"
                "c.yaml:5:9: influx.size: \"4MiBs\" is not a size such as 4MiB, 500MB or 1024\n"
                "c.yaml:6:9: influx.wait: \"30\" is not a duration such as 30s, 15m, 24h or 30d\n"
                "c.yaml:7:9: influx.gzip: \"yes\" is neither true nor false\n"
                "c.yaml:8:9: influx.mode: \"flta\" is not one of raw, flat, none (did you mean "
                "flat?)\n"
                "c.yaml:9:11: influx.ignore: must be a list or a text, not a mapping\n"
                "c.yaml:10:3: influx.colour: unknown key\n"
                "c.yaml:11:11: influx.region: the environment variable UNSET is not set\n"
                "c.yaml:12:12: influx.folders: must be one line without control characters\n");
}

static void keeps_the_bounds(void **state)
{
    (void)state;
    assert_said("i: {host: h, token: t, lines: 0}",
                "c.yaml:1:31: i.lines: \"0\" is not between 1 and 50000\n");
    assert_said("i: {host: h, token: t, lines: 50001}",
                "c.yaml:1:31: i.lines: \"50001\" is not between 1 and 50000\n");
    assert_said("i: {host: h, token: t, wait: 25h}",
                "c.yaml:1:30: i.wait: \"25h\" is not between 0ns and 1d\n");
    assert_said("i: {host: h, token: t, wait: 24h, lines: 1, size: 32MiB}", "");
}

static void points_at_items(void **state)
{
    (void)state;
    assert_said("i:\n  host: h\n  token: t\n  ignore:\n  - ok\n  - [a]\n  - ''\n  - ${UNSET}\n",
                "c.yaml:6:5: i.ignore[1]: must be a single value, not a list\n"
                "c.yaml:7:5: i.ignore[2]: is empty\n"
                "c.yaml:8:5: i.ignore[3]: the environment variable UNSET is not set\n");
}

static void wants_a_mapping(void **state)
{
    (void)state;
    assert_said("i: text\n", "c.yaml:1:4: i: must be a mapping of options\n");
    assert_said("i: [a]\n", "c.yaml:1:4: i: must be a mapping of options\n");
}

/* A value from outside may be a secret that was put in the wrong place. */
static void shows_no_value_from_outside(void **state)
{
    (void)state;
    assert_said("i: {host: h, token: t, lines: '${NUMBER}'}",
                "c.yaml:1:31: i.lines: \"${NUMBER}\" is not a whole number\n");
    assert_said("i: {host: h, token: '${TWO_LINES}'}",
                "c.yaml:1:21: i.token: must be one line without control characters\n");
    assert_said("i: {host: h, token: [s3cret]}",
                "c.yaml:1:21: i.token: must be a single value, not a list\n");
}

static void warns_of_a_literal_secret(void **state)
{
    (void)state;
    static const struct {
        const char *token;
        mode_t file_mode;
        const char *said;
    } rows[] = {
        {"abc", 0644,
         "warning: c.yaml: influxdb.token is written in a file that others can read (mode 644): "
         "use ${INFLUXDB_TOKEN} or ${file:...}, or chmod 600\n"},
        {"${UNSET:-abc}", 0640,
         "warning: c.yaml: influxdb.token is written in a file that others can read (mode 640): "
         "use ${INFLUXDB_TOKEN} or ${file:...}, or chmod 600\n"},
        {"abc", 0600, ""},
        {"abc", 0, ""},
        {"${TOKEN}", 0644, ""},
        {"${file:/plain}", 0644, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(buf_finish) struct buf text = {.max = 1000};
        CLEANUP(reading_finish) struct reading reading;
        buf_printf(&text, "influxdb:\n  host: h\n  token: %s\n", rows[i].token);
        read_stanza(&reading, buf_text(&text), rows[i].file_mode);
        assert_string_equal(buf_text(&reading.said), rows[i].said);
        assert_int_equal(reading.problems.errors, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expands_references),
        cmocka_unit_test(refuses_references),
        cmocka_unit_test(limits_an_expansion),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(refuses_numbers),
        cmocka_unit_test(prints_numbers),
        cmocka_unit_test(finds_the_nearest_name),
        cmocka_unit_test(fills_a_struct),
        cmocka_unit_test(falls_back),
        cmocka_unit_test(reads_one_text_and_none_as_a_list),
        cmocka_unit_test(says_what_is_required),
        cmocka_unit_test(says_all_in_one_go),
        cmocka_unit_test(keeps_the_bounds),
        cmocka_unit_test(points_at_items),
        cmocka_unit_test(wants_a_mapping),
        cmocka_unit_test(shows_no_value_from_outside),
        cmocka_unit_test(warns_of_a_literal_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
