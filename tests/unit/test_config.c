/* test_config: whole files: the flat form, what is said once for all jobs, and loading. Positions
 * are counted by hand. */
#include "config_reading.h"
#include "data/record.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the flat form --- */

/* Keys and quoting as in the file of the original gateway. */
#define ORIGINAL                                                     \
    "lyvecloud:\n"                                                   \
    "  access_key: 'key'\n"                                          \
    "  secret_key: 'secret'\n"                                       \
    "  log_bucket: 'logs'\n"                                         \
    "  endpoint_url: 'https://s3.us-east-1.lyvecloud.seagate.com'\n" \
    "\n"                                                             \
    "datasources:\n"                                                 \
    "  - influxdb\n"                                                 \
    "\n"                                                             \
    "influxdb:\n"                                                    \
    "  host: 'http://localhost:8086'\n"                              \
    "  token: 'token'\n"                                             \
    "  org: 'STX-Lyve-Demo'\n"                                       \
    "  bucket: 'Demo-Lyve-Logs'\n"

static void reads_the_original_file(void **state)
{
    (void)state;
    CLEANUP(reading_finish) struct reading reading;
    read_text(&reading, ORIGINAL);
    assert_string_equal(buf_text(&reading.said), "");
    assert_int_equal(reading.status, OK);
    const struct config *config = reading.config;
    assert_string_equal(config->path, "c.yaml");
    assert_int_equal(config->n_jobs, 1);
    const struct job_config *job = &config->jobs[0];
    assert_string_equal(job->name, "lyvecloud");

    assert_string_equal(job->from->name, "lyvecloud");
    assert_ptr_equal(job->from->module, &s3);
    const struct store *store = job->from->options;
    assert_string_equal(store->endpoint_url, "https://s3.us-east-1.lyvecloud.seagate.com");
    assert_string_equal(store->secret, "secret");

    assert_int_equal(job->n_to, 1);
    assert_string_equal(job->to[0]->name, "influxdb");
    assert_ptr_equal(job->to[0]->module, &influxdb);
    const struct sink *sink = job->to[0]->options;
    assert_string_equal(sink->bucket, "Demo-Lyve-Logs");

    /* those of Lyve Cloud, in the order of the list */
    assert_int_equal(job->n_parse, 2);
    assert_ptr_equal(job->parse[0], &lyve_b);
    assert_ptr_equal(job->parse[1], &lyve_a);
}

static void gives_a_job_its_defaults(void **state)
{
    (void)state;
    CLEANUP(reading_finish) struct reading reading;
    read_text(&reading, ORIGINAL);
    const struct job_options *options = &reading.config->jobs[0].options;
    assert_int_equal(options->workers, 2);
    assert_int_equal(options->message, MESSAGE_RAW);
    assert_int_equal(options->max_object_bytes, INT64_C(34359738368));
    assert_int_equal(options->max_ratio, 250);
    assert_int_equal(options->look_back_ns, INT64_C(3024000000000000));
}

static void reads_job_options_beside_the_place(void **state)
{
    (void)state;
    CLEANUP(reading_finish) struct reading reading;
    read_text(&reading, "datasources: null\n"
                        "lyvecloud: {access_key: a, secret_key: b, log_bucket: c, "
                        "endpoint_url: d, workers: 8, message: flat, parse: other}\n");
    assert_string_equal(buf_text(&reading.said),
                        "c.yaml:1:1: datasources: must name 1 to 8 stanzas\n");

    CLEANUP(reading_finish) struct reading good;
    read_text(&good, "datasources: 'null'\n"
                     "'null':\n"
                     "lyvecloud: {access_key: a, secret_key: b, log_bucket: c, "
                     "endpoint_url: d, workers: 8, message: flat, parse: other}\n");
    assert_string_equal(buf_text(&good.said), "");
    const struct job_config *job = &good.config->jobs[0];
    assert_int_equal(job->options.workers, 8);
    assert_int_equal(job->options.message, MESSAGE_FLAT);
    assert_string_equal(((const struct store *)job->from->options)->endpoint_url, "d");
    assert_int_equal(job->n_parse, 1);
    assert_ptr_equal(job->parse[0], &other);
    assert_ptr_equal(job->to[0]->module, &null);
}

static void says_what_the_flat_form_lacks(void **state)
{
    (void)state;
    assert_said("datasources: [influxdb]\n"
                "influxdb: {host: h, token: t, org: o, bucket: b}\n",
                "c.yaml:1:1: lyvecloud: required (the bucket to read from)\n");
    assert_said("lyvecloud:\n"
                "  access_key: a\n"
                "  secret_kye: b\n"
                "  log_bucket: c\n"
                "  endpoint_url: d\n"
                "  worker: 3\n",
                "c.yaml:1:1: datasources: required (the stanzas to write to, such as [influxdb])\n"
                "c.yaml:2:3: lyvecloud.secret_key: required (Lyve Cloud > Service accounts)\n"
                "c.yaml:3:3: lyvecloud.secret_kye: unknown key (did you mean secret_key?)\n"
                "c.yaml:6:3: lyvecloud.worker: unknown key (did you mean workers?)\n");
    assert_said("lyvecloud: {type: influxdb, host: h, token: t, org: o, bucket: b}\n"
                "datasources: [lyvecloud]\n",
                "c.yaml:1:1: lyvecloud.type: lyvecloud is of type influxdb, which cannot be read "
                "from\n");
}

static void finds_all_sinks(void **state)
{
    (void)state;
    assert_said("lyvecloud: {access_key: a, secret_key: b, log_bucket: c, endpoint_url: d}\n"
                "datasources:\n"
                "- influxdb\n"
                "- stroe\n"
                "- influxdb\n"
                "- lyvecloud\n"
                "- jobs\n"
                "influxdb: {host: h, org: o, bucket: b}\n"
                "store: {type: nul}\n",
                "c.yaml:4:3: datasources: there is no stanza stroe (did you mean "
                "store?)\n"
                "c.yaml:5:3: datasources: influxdb is given twice\n"
                "c.yaml:6:3: datasources: lyvecloud is of type s3, which cannot be written to\n"
                "c.yaml:7:3: datasources: there is no stanza jobs\n"
                "c.yaml:8:11: influxdb.token: required (InfluxDB > API tokens)\n");
}

/* --- the file as a whole --- */

static void tells_the_forms_apart(void **state)
{
    (void)state;
    assert_said("state: x\n", "c.yaml:1:1: no job: there must be lyvecloud and datasources, or "
                              "jobs\n");
    assert_said("", "c.yaml: the file is empty\n");
    assert_said("- a\n", "c.yaml:1:1: must be a mapping with lyvecloud and datasources, or jobs\n");
    assert_said("jobs: []\n"
                "lyvecloud: {}\n",
                "c.yaml:2:1: lyvecloud: cannot stand beside jobs: a file describes either one job "
                "by lyvecloud and datasources, or all of them by jobs\n");
    assert_said("datasources: []\n"
                "jobs: []\n",
                "c.yaml:1:1: datasources: cannot stand beside jobs: a file describes either one "
                "job by lyvecloud and datasources, or all of them by jobs\n");
    /* with a type it is a name like any other */
    assert_warned("jobs: [{name: a, from: lyvecloud, to: 'null'}]\n"
                  "lyvecloud: {type: 'null'}\n"
                  "'null':\n",
                  "");
}

static void checks_the_keys_at_the_top(void **state)
{
    (void)state;
    assert_warned("jobs: [{name: a, from: 'null', to: 'null'}]\n"
                  "'null':\n"
                  "forgotten: {type: s3}\n",
                  "warning: c.yaml:3:1: forgotten: no job uses this stanza\n");
    assert_said("jobs: [{name: a, from: 'null', to: 'null'}]\n"
                "'null':\n"
                "sate: x\n"
                "list: [a]\n",
                "c.yaml:3:1: sate: unknown key (did you mean state?)\n"
                "c.yaml:4:1: list: unknown key\n");
}

/* --- metrics --- */

static void assert_listens(const char *stanza, const char *address, int64_t port)
{
    CLEANUP(buf_finish) struct buf text = {.max = 1000};
    CLEANUP(reading_finish) struct reading reading;
    buf_printf(&text, "jobs: [{name: a, from: 'null', to: 'null'}]\n'null':\n%s\n", stanza);
    read_text(&reading, buf_text(&text));
    assert_string_equal(buf_text(&reading.said), "");
    assert_int_equal(reading.status, OK);
    assert_int_equal(reading.config->metrics.is_on, address != NULL);
    if (address) {
        assert_string_equal(reading.config->metrics.address, address);
        assert_int_equal(reading.config->metrics.port, port);
    }
}

static void reads_where_metrics_are_asked_for(void **state)
{
    (void)state;
    assert_listens("", NULL, 0);
    assert_listens("metrics:", "127.0.0.1", 9464);
    assert_listens("metrics: {}", "127.0.0.1", 9464);
    assert_listens("metrics: {listen: 9000}", "127.0.0.1", 9000);
    assert_listens("metrics: {listen: 0.0.0.0:65535}", "0.0.0.0", 65535);
    assert_listens("metrics: {listen: '[2001:db8::1]:0'}", "2001:db8::1", 0);
}

static void says_where_nobody_can_listen(void **state)
{
    (void)state;
#define JOB "jobs: [{name: a, from: 'null', to: 'null'}]\n'null':\n"
#define HOW "is not an address and port such as 127.0.0.1:9464\n"
    assert_said(JOB "metrics: {listen: localhost:9464}\n",
                "c.yaml:3:19: metrics.listen: \"localhost:9464\" " HOW);
    assert_said(JOB "metrics:\n  listen: ::1:9464\n",
                "c.yaml:4:11: metrics.listen: \"::1:9464\" " HOW);
    assert_said(JOB "metrics: {listen: 127.0.0.1:65536}\n",
                "c.yaml:3:19: metrics.listen: \"127.0.0.1:65536\" " HOW);
    assert_said(JOB "metrics: {listen: 127.0.0.1}\n",
                "c.yaml:3:19: metrics.listen: \"127.0.0.1\" " HOW);
    assert_said(JOB "metrics: {listn: 9464}\n",
                "c.yaml:3:11: metrics.listn: unknown key (did you mean listen?)\n");
    assert_said(JOB "metrics: true\n", "c.yaml:3:10: metrics: must be a mapping of options\n");
#undef JOB
#undef HOW
}

/* --- problems of the whole --- */

static void goes_on_after_a_key_given_twice(void **state)
{
    (void)state;
    assert_said("jobs: [{name: a, from: 'null', to: 'null', name: b}]\n"
                "'null': {colour: 1}\n",
                "c.yaml:1:44: name: given twice, first in line 1\n"
                "c.yaml:2:10: null.colour: unknown key\n");
}

static void assert_state(const char *path, const char *more, const struct config_sources *from,
                         const char *expected)
{
    CLEANUP(buf_finish) struct buf text = {.max = 1000};
    CLEANUP(reading_finish) struct reading reading;
    buf_printf(&text, "jobs: [{name: a, from: 'null', to: 'null'}]\n'null':\n%s", more);
    read_with(&reading, path, buf_text(&text), from);
    assert_int_equal(reading.status, OK);
    assert_string_equal(reading.config->state, expected);
}

static void places_the_ledger(void **state)
{
    (void)state;
    assert_state("c.yaml", "", &sources, "loggateway.db");
    assert_state("etc/c.yaml", "", &sources, "etc/loggateway.db");
    assert_state("/etc/gw/c.yaml", "", &sources, "/etc/gw/loggateway.db");
    assert_state("/c.yaml", "", &sources, "/loggateway.db");
    assert_state("/etc/c.yaml", "", &with_environment, "/var/lib/gateway/loggateway.db");
    assert_state("/etc/c.yaml", "state: a/b.db\n", &with_environment, "a/b.db");
    assert_state("c.yaml", "state: ${TOKEN}.db\n", &with_environment, "t0ken.db");
    assert_state("c.yaml", "state:\n", &sources, "loggateway.db");
    assert_said("jobs: [{name: a, from: 'null', to: 'null'}]\n'null':\nstate: ''\n",
                "c.yaml:3:8: state: must name a file\n");
}

static void counts_problems(void **state)
{
    (void)state;
    CLEANUP(reading_finish) struct reading one, two;
    read_text(&one, "");
    assert_int_equal(one.err.status, BAD_CONFIG);
    assert_string_equal(one.err.text, "c.yaml: 1 problem");
    read_text(&two, "a: *x\nb: *x\n");
    assert_string_equal(two.err.text, "c.yaml: 2 problems");
}

/* --- files --- */

static void remove_file(char (*path)[32])
{
    unlink(*path);
}

static void write_file(char (*path)[32], const char *bytes, size_t len, mode_t mode)
{
    snprintf(*path, sizeof *path, "/tmp/test_config.XXXXXX");
    int fd = mkstemp(*path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void load(struct reading *reading, const char *path)
{
    *reading = (struct reading){.said = {.max = 100000}};
    reading->status = config_load(&reading->config, path, &sources, &reading->said, &reading->err);
}

static void loads_a_file(void **state)
{
    (void)state;
    CLEANUP(remove_file) char path[32];
    write_file(&path, ORIGINAL, strlen(ORIGINAL), 0600);
    CLEANUP(reading_finish) struct reading hidden, shown;
    load(&hidden, path);
    assert_int_equal(hidden.status, OK);
    assert_string_equal(buf_text(&hidden.said), "");
    assert_string_equal(hidden.config->state, "/tmp/loggateway.db");

    assert_int_equal(chmod(path, 0640), 0);
    load(&shown, path);
    assert_int_equal(shown.status, OK);
    CLEANUP(buf_finish) struct buf said = {.max = 1000};
    buf_printf(&said,
               "warning: %s: lyvecloud.secret_key is written in a file that others can read "
               "(mode 640): use ${LYVECLOUD_SECRET_KEY} or ${file:...}, or chmod 600\n"
               "warning: %s: influxdb.token is written in a file that others can read "
               "(mode 640): use ${INFLUXDB_TOKEN} or ${file:...}, or chmod 600\n",
               path, path);
    assert_string_equal(buf_text(&shown.said), buf_text(&said));
}

static void says_why_a_file_cannot_be_loaded(void **state)
{
    (void)state;
    CLEANUP(reading_finish) struct reading absent, folder;
    load(&absent, "/nonexistent/c.yaml");
    assert_int_equal(absent.status, BAD_CONFIG);
    assert_null(absent.config);
    assert_string_equal(absent.err.text, "/nonexistent/c.yaml: No such file or directory");
    load(&folder, "/tmp");
    assert_string_equal(folder.err.text, "/tmp: Is a directory");
}

static void reads_value_files_up_to_a_limit(void **state)
{
    (void)state;
    enum { LIMIT = 64 * 1024 };
    CLEANUP_FREE char *bytes = malloc(LIMIT + 1);
    memset(bytes, 'x', LIMIT + 1);
    CLEANUP(remove_file) char most[32];
    CLEANUP(remove_file) char more[32];
    write_file(&most, bytes, LIMIT, 0600);
    write_file(&more, bytes, LIMIT + 1, 0600);
    CLEANUP(buf_finish) struct buf out = {.max = LIMIT + 2};
    buf_add_text(&out, "ab");
    assert_int_equal(config_read_file(most, &out), 0);
    assert_int_equal(out.len, LIMIT + 2);
    assert_memory_equal(out.at, "abxx", 4);
    buf_clear(&out);
    assert_int_equal(config_read_file(more, &out), EFBIG);
    assert_int_equal(out.len, 0);
    assert_int_equal(config_read_file("/nonexistent", &out), ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_original_file),
        cmocka_unit_test(gives_a_job_its_defaults),
        cmocka_unit_test(reads_job_options_beside_the_place),
        cmocka_unit_test(says_what_the_flat_form_lacks),
        cmocka_unit_test(finds_all_sinks),
        cmocka_unit_test(tells_the_forms_apart),
        cmocka_unit_test(checks_the_keys_at_the_top),
        cmocka_unit_test(goes_on_after_a_key_given_twice),
        cmocka_unit_test(places_the_ledger),
        cmocka_unit_test(counts_problems),
        cmocka_unit_test(reads_where_metrics_are_asked_for),
        cmocka_unit_test(says_where_nobody_can_listen),
        cmocka_unit_test(loads_a_file),
        cmocka_unit_test(says_why_a_file_cannot_be_loaded),
        cmocka_unit_test(reads_value_files_up_to_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
