/* test_jobs: the general form of the configuration. Positions are counted by hand. */
#include "config_reading.h"
#include "data/record.h"

static const char general[] = "state: /tmp/ledger.db\n"
                              "jobs:\n"
                              "- name: one\n"
                              "  from: bucket\n"
                              "  to: influxdb\n"
                              "  workers: 64\n"
                              "- name: two.2-_\n"
                              "  from: bucket\n"
                              "  to: [mirror, influxdb]\n"
                              "  parse: [lyve_a, other]\n"
                              "  message: none\n"
                              "bucket:\n"
                              "  type: s3\n"
                              "  endpoint_url: u\n"
                              "  log_bucket: l\n"
                              "  access_key: a\n"
                              "  secret_key: ${TOKEN}\n"
                              "influxdb: {host: h, token: t, org: o, bucket: b}\n"
                              "mirror: {type: 'null'}\n";

static void reads_the_general_form(void **state)
{
    (void)state;
    CLEANUP(reading_finish) struct reading reading;
    read_with(&reading, "c.yaml", general, &with_environment);
    assert_string_equal(buf_text(&reading.said), "");
    const struct config *config = reading.config;
    assert_string_equal(config->state, "/tmp/ledger.db");
    assert_int_equal(config->n_jobs, 2);
    const struct job_config *one = &config->jobs[0], *two = &config->jobs[1];
    assert_string_equal(one->name, "one");
    assert_int_equal(one->options.workers, 64);
    assert_int_equal(one->n_parse, 2);
    assert_string_equal(two->name, "two.2-_");
    assert_int_equal(two->options.workers, 2);
    assert_int_equal(two->options.message, MESSAGE_NONE);
    assert_int_equal(two->n_parse, 2);
    assert_ptr_equal(two->parse[0], &lyve_a);
    assert_ptr_equal(two->parse[1], &other);

    assert_ptr_equal(one->from, two->from); /* a stanza is one place */
    assert_string_equal(((const struct store *)one->from->options)->secret, "t0ken");
    assert_int_equal(two->n_to, 2);
    assert_string_equal(two->to[0]->name, "mirror");
    assert_ptr_equal(two->to[0]->module, &null);
    assert_ptr_equal(two->to[1], one->to[0]);
}

static void says_what_is_wrong_with_jobs(void **state)
{
    (void)state;
    assert_said("jobs:\n"
                "- from: store\n"
                "  to: store\n"
                "- name: a b\n"
                "  from: strore\n"
                "  to: []\n"
                "- name: ok\n"
                "  from: [store]\n"
                "  to: [store, store]\n"
                "  pasre: other\n"
                "- name: ok\n"
                "  from:\n"
                "  parse: [othre, lyve_a, lyve_a]\n"
                "- text\n"
                "store: {type: 'null'}\n",
                "c.yaml:2:3: jobs[0].name: required (what logs and commands call this job)\n"
                "c.yaml:4:9: jobs[1].name: must be 1 to 64 letters, digits, dots, hyphens or "
                "underscores\n"
                "c.yaml:5:9: jobs[1].from: there is no stanza strore (did you mean "
                "store?)\n"
                "c.yaml:6:7: jobs[1].to: must name 1 to 8 stanzas\n"
                "c.yaml:8:9: jobs[2].from: must be a single value, not a list\n"
                "c.yaml:9:15: jobs[2].to: store is given twice\n"
                "c.yaml:10:3: jobs[2].pasre: unknown key (did you mean parse?)\n"
                "c.yaml:11:3: jobs[3].to: required (the stanzas to write to)\n"
                "c.yaml:11:9: jobs[3].name: another job has the name ok\n"
                "c.yaml:12:3: jobs[3].from: required (the stanza to read from)\n"
                "c.yaml:13:11: jobs[3].parse: there is no parser othre (did you mean other?)\n"
                "c.yaml:13:26: jobs[3].parse: lyve_a is given twice\n"
                "c.yaml:14:3: jobs[4]: must be a mapping with name, from, to\n");
}

static void limits_a_job_name(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf text = {.max = 1000};
    static const char name[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-";
    assert_int_equal(strlen(name), 64);
    buf_printf(&text, "jobs: [{name: %s, from: 'null', to: 'null'}]\n'null':\n", name);
    assert_warned(buf_text(&text), "");
    buf_clear(&text);
    buf_printf(&text, "jobs: [{name: %s_, from: 'null', to: 'null'}]\n'null':\n", name);
    assert_said(buf_text(&text), "c.yaml:1:15: jobs[0].name: must be 1 to 64 letters, digits, "
                                 "dots, hyphens or underscores\n");
}

/* count sinks of their own names, all of type null. */
static void print_sinks(struct buf *text, int count)
{
    buf_add_text(text, "jobs: [{name: a, from: s0, to: [s0");
    for (int i = 1; i < count; i++) {
        buf_printf(text, ", s%d", i);
    }
    buf_add_text(text, "]}]\n");
    for (int i = 0; i < count; i++) {
        buf_printf(text, "s%d: {type: 'null'}\n", i);
    }
}

static void limits_the_sinks(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf eight = {.max = 1000}, nine = {.max = 1000};
    print_sinks(&eight, 8);
    assert_warned(buf_text(&eight), "");
    print_sinks(&nine, 9);
    assert_said(buf_text(&nine), "c.yaml:1:32: jobs[0].to: must name 1 to 8 stanzas\n");
}

static void checks_what_places_can_do(void **state)
{
    (void)state;
    assert_said("jobs:\n"
                "- {name: a, from: out, to: in}\n"
                "in: {type: s3, endpoint_url: u, log_bucket: l, access_key: a, secret_key: s}\n"
                "out: {type: influxdb, host: h, token: t, org: o, bucket: b}\n",
                "c.yaml:2:19: jobs[0].from: out is of type influxdb, which cannot be read from\n"
                "c.yaml:2:28: jobs[0].to: in is of type s3, which cannot be written to\n");
}

static void checks_types(void **state)
{
    (void)state;
    assert_said("jobs:\n"
                "- {name: a, from: in, to: [influx, out]}\n"
                "- {name: b, from: in, to: [influx, out]}\n" /* reported once */
                "in: {type: nul}\n"
                "influx:\n"
                "  host: h\n"
                "out: text\n",
                "c.yaml:4:12: in.type: there is no type nul among s3, influxdb, null (did you mean "
                "null?)\n"
                "c.yaml:5:1: influx.type: there is no type influx among s3, influxdb, null (did "
                "you mean influxdb?)\n"
                "c.yaml:7:1: out.type: there is no type out among s3, influxdb, null\n");
    assert_said("jobs: [{name: a, from: s3, to: 'null'}]\n"
                "s3: text\n"
                "'null':\n",
                "c.yaml:2:5: s3: must be a mapping of options\n");
}

static void wants_a_list_of_jobs(void **state)
{
    (void)state;
    static const char said[] = "jobs: must be a list of jobs, at least one\n";
    CLEANUP(buf_finish) struct buf expected = {.max = 200};
    buf_printf(&expected, "c.yaml:1:1: %s", said);
    assert_said("jobs:\n", buf_text(&expected));
    buf_clear(&expected);
    buf_printf(&expected, "c.yaml:1:7: %s", said);
    assert_said("jobs: []\n", buf_text(&expected));
    assert_said("jobs: {name: a}\n", buf_text(&expected));
}

static void wants_parsers(void **state)
{
    (void)state;
    static const struct parser *const others[] = {&other, NULL};
    static const struct config_sources without_lyve = {others, datasources, no_environment,
                                                       no_file};
    CLEANUP(reading_finish) struct reading reading;
    read_with(&reading, "c.yaml", "jobs: [{name: a, from: 'null', to: 'null'}]\n'null':\n",
              &without_lyve);
    assert_string_equal(buf_text(&reading.said),
                        "c.yaml:1:8: jobs[0].parse: required (names of parsers)\n");
    assert_said("jobs: [{name: a, from: 'null', to: 'null', parse: []}]\n'null':\n",
                "c.yaml:1:51: jobs[0].parse: names no parser\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_general_form),    cmocka_unit_test(says_what_is_wrong_with_jobs),
        cmocka_unit_test(limits_a_job_name),         cmocka_unit_test(limits_the_sinks),
        cmocka_unit_test(checks_what_places_can_do), cmocka_unit_test(checks_types),
        cmocka_unit_test(wants_a_list_of_jobs),      cmocka_unit_test(wants_parsers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
