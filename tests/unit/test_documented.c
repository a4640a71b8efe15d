/* test_documented: the example config.yaml and doc/configuration.md against the modules as they
 * are. */
#include "base/cleanup.h"
#include "config/config.h"
#include "modules.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* --- config.yaml --- */

static const char *environment(const char *name)
{
    static const char *const set[] = {"LYVE_ACCESS_KEY", "LYVE_SECRET_KEY", "INFLUX_TOKEN",
                                      "ZEEK_KEY", "ZEEK_SECRET"};
    for (size_t i = 0; i < sizeof set / sizeof *set; i++) {
        if (strcmp(name, set[i]) == 0) {
            return name;
        }
    }
    return NULL;
}

static int no_file(const char *path, struct buf *out)
{
    (void)path, (void)out;
    return ENOENT;
}

static void free_config(struct config **config)
{
    config_free(*config);
}

static void the_example_is_good(void **state)
{
    (void)state;
    const struct config_sources sources = {modules_parsers, modules_datasources, environment,
                                           no_file};
    CLEANUP(free_config) struct config *config = NULL;
    CLEANUP(buf_finish) struct buf said = {.max = 10000};
    struct err err = {0};
    enum status status = config_load(&config, "config.yaml", &sources, &said, &err);
    assert_string_equal(buf_text(&said), "");
    assert_int_equal(status, OK);
    assert_int_equal(config->n_jobs, 1);
    assert_string_equal(config->jobs[0].from->module->about.name, "s3");
    assert_int_equal(config->jobs[0].n_to, 1);
    assert_string_equal(config->jobs[0].to[0]->module->about.name, "influxdb");
    assert_int_equal(config->jobs[0].n_parse, 4);
}

/* --- examples --- */

/* What their parsers make of records is for tests/golden. */
static void the_further_examples_are_good(void **state)
{
    (void)state;
    static const char *const paths[] = {"examples/minio-webhook.yaml", "examples/zeek-conn.yaml"};
    const struct config_sources sources = {modules_parsers, modules_datasources, environment,
                                           no_file};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        CLEANUP(free_config) struct config *config = NULL;
        CLEANUP(buf_finish) struct buf said = {.max = 10000};
        struct err err = {0};
        enum status status = config_load(&config, paths[i], &sources, &said, &err);
        assert_string_equal(buf_text(&said), "");
        assert_int_equal(status, OK);
        assert_int_equal(config->n_parsers, 1);
        assert_int_equal(config->jobs[0].n_parse, 1);
        assert_ptr_equal(config->jobs[0].parse[0], config->parsers[0]);
    }
}

/* --- doc/configuration.md --- */

static void read_document(struct buf *document)
{
    assert_int_equal(config_read_file("doc/configuration.md", document), 0);
}

/* What stands between a headline and the next; cut out of the document. */
static struct slice section(struct buf *document, const char *headline)
{
    const char *start = strstr(buf_text(document), headline);
    if (!start) {
        fail_msg("no section \"%s\"", headline);
    }
    start += strlen(headline);
    const char *end = strstr(start, "\n##");
    return slice_make(start, end ? (size_t)(end - start) : strlen(start));
}

static size_t count(struct slice text, const char *wanted)
{
    size_t n = 0;
    const char *at = text.at;
    while ((at = memmem(at, text.len - (size_t)(at - text.at), wanted, strlen(wanted)))) {
        at += strlen(wanted);
        n++;
    }
    return n;
}

/* extra: rows of keys that are not options. */
static void assert_rows(struct slice text, const struct option *options, size_t extra)
{
    size_t n = 0;
    for (; options[n].name; n++) {
        CLEANUP(buf_finish) struct buf row = {.max = 1000};
        buf_printf(&row, "\n| `%s` | ", options[n].name);
        if (count(text, buf_text(&row)) != 1 || count(text, options[n].help) == 0) {
            fail_msg("%s: \"%s\" is not in the table", options[n].name, options[n].help);
        }
    }
    assert_int_equal(count(text, "\n| `"), n + extra);
}

static void every_option_is_documented(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf document = {.max = 64 * 1024};
    read_document(&document);
    assert_rows(section(&document, "\n## Job\n"), config_job_options, 5);
    assert_rows(section(&document, "\n## Metrics\n"), config_metrics_options, 0);
    assert_rows(section(&document, "\n## Parser\n"), config_parser_options, 2);
    assert_rows(section(&document, "\n## Column of a parser\n"), config_column_options, 0);
    assert_rows(section(&document, "\n## Time of a parser\n"), config_time_options, 0);
    size_t n = 0;
    for (; modules_datasources[n]; n++) {
        char headline[64];
        snprintf(headline, sizeof headline, "\n### %s\n", modules_datasources[n]->about.name);
        assert_rows(section(&document, headline), modules_datasources[n]->about.options, 0);
    }
    struct slice whole = buf_slice(&document);
    assert_int_equal(count(whole, "\n### "), n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_is_good),
        cmocka_unit_test(the_further_examples_are_good),
        cmocka_unit_test(every_option_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
