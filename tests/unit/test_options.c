/* test_options: rows to a struct, and what is said when values are wrong. The rows below stand for
 * a module's; positions are counted by hand. */
#include "base/cleanup.h"
#include "config/options.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* --- the world outside --- */

static const char *environment(const char *name)
{
    static const char *const pairs[][2] = {
        {"TOKEN", "t0ken"}, {"EMPTY", ""}, {"NUMBER", "12x"}, {"TWO_LINES", "a\nb"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (strcmp(name, pairs[i][0]) == 0) {
            return pairs[i][1];
        }
    }
    return NULL;
}

static int read_file(const char *path, struct buf *out)
{
    return strcmp(path, "/token") == 0 && buf_add_text(out, "t0ken\n") ? 0 : ENOENT;
}

static const struct config_sources sources = {.environment = environment, .read_file = read_file};

/* --- a module's rows --- */

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
        {"${file:/token}", 0644, ""},
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
