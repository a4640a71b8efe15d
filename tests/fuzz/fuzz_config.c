/*
 * Fuzz target of src/config: any bytes as a configuration file, over modules with a row of every
 * option type. Nothing outside can be had. Besides not crashing, what is returned must be whole,
 * and a refusal must say why, in lines of text.
 */
#include "base/cleanup.h"
#include "config/config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SAID_MAX_BYTES = 1 << 20 };

struct place_options {
    const char *text, *secret;
    int64_t number, bytes, duration_ns;
    bool yes;
    struct text_list list;
    int choice;
};

static const char *const colours[] = {"red", "green", NULL};

#define AT(member) offsetof(struct place_options, member)
static const struct option rows[] = {
    {"text", OPTION_TEXT, AT(text), .required = "somewhere"},
    {"secret", OPTION_SECRET, AT(secret)},
    {"number", OPTION_INT, AT(number), "3", .min = -5, .max = 5},
    {"bytes", OPTION_BYTES, AT(bytes), "4MiB"},
    {"duration", OPTION_DURATION_NS, AT(duration_ns), "1h30m", .min = 1, .max = INT64_MAX},
    {"yes", OPTION_BOOL, AT(yes), "true"},
    {"list", OPTION_LIST, AT(list), "one"},
    {"choice", OPTION_CHOICE, AT(choice), "red", .choices = colours},
    {0},
};

static enum status list(void *self, struct slice prefix, bool by_folder, struct listing *to,
                        struct err *err)
{
    (void)self, (void)prefix, (void)by_folder, (void)to, (void)err;
    return OK;
}

static enum status put(void *self, const struct point *point, struct err *err)
{
    (void)self, (void)point, (void)err;
    return OK;
}

static const struct datasource source = {.about = {"s3", "", rows, sizeof(struct place_options)},
                                         .list = list};
static const struct datasource sink = {
    .about = {"influxdb", "", rows, sizeof(struct place_options)}, .put = put};
static const struct datasource both = {.about = {"both", "", NULL, 0}, .list = list, .put = put};
static const struct datasource *const datasources[] = {&source, &sink, &both, NULL};

static const struct parser lyve = {.about = {.name = "lyve_s3"}};
static const struct parser other = {.about = {.name = "other"}};
static const struct parser *const parsers[] = {&lyve, &other, NULL};

static const char *environment(const char *name)
{
    (void)name;
    return NULL;
}

static int read_file(const char *path, struct buf *out)
{
    (void)path, (void)out;
    return ENOENT;
}

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static size_t text_length(const char *text)
{
    return text ? strlen(text) : 0;
}

static void check_place(const struct place_config *place)
{
    must(place && place->module && place->options && place->name);
    if (place->module == &both) {
        return;
    }
    const struct place_options *options = place->options;
    must(text_length(options->text) > 0);
    must(options->secret == NULL || text_length(options->secret) > 0);
    must(options->number >= -5 && options->number <= 5);
    must(options->bytes >= 0 && options->duration_ns >= 1);
    must(options->choice == 0 || options->choice == 1);
    for (size_t i = 0; i < options->list.count; i++) {
        must(text_length(options->list.items[i]) > 0);
    }
}

static void check_parser(const struct parser *parser)
{
    size_t len = text_length(parser->about.name);
    must(len >= 1 && len <= 64);
    must(text_length(parser->measurement) > 0 && text_length(parser->record_keys[0]) > 0);
    must(parser->n_columns >= 2 && parser->n_columns <= PARSER_COLUMNS_MAX);
}

static void check_config(const struct config *config)
{
    for (size_t i = 0; i < config->n_parsers; i++) {
        check_parser(config->parsers[i]);
    }
    must(config->n_jobs > 0 && text_length(config->state) > 0);
    for (size_t i = 0; i < config->n_jobs; i++) {
        const struct job_config *job = &config->jobs[i];
        size_t len = text_length(job->name);
        must(len >= 1 && len <= 64);
        must(job->n_parse >= 1 && job->n_parse <= 2 + config->n_parsers);
        must(job->n_to >= 1 && job->n_to <= 8);
        must(job->options.workers >= 1 && job->options.workers <= 64);
        check_place(job->from);
        must(job->from->module->list != NULL);
        for (size_t j = 0; j < job->n_to; j++) {
            check_place(job->to[j]);
            must(job->to[j]->module->put != NULL);
        }
    }
}

/* Whole lines without control characters, each a problem or a warning of this file. */
static void check_said(struct slice said)
{
    must(said.len == 0 || said.at[said.len - 1] == '\n');
    bool at_start = true;
    for (size_t i = 0; i < said.len; i++) {
        struct slice rest = slice_make(said.at + i, said.len - i);
        must(!at_start || slice_starts(rest, "f.yaml:") || slice_starts(rest, "warning: f.yaml:"));
        at_start = said.at[i] == '\n';
        must(at_start || (unsigned char)said.at[i] >= 0x20);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct config_sources sources = {parsers, datasources, environment, read_file};
    CLEANUP(buf_finish) struct buf said = {.max = SAID_MAX_BYTES};
    struct slice text = slice_make((const char *)data, size);
    struct config *config;
    struct err err;
    enum status status = config_parse(&config, "f.yaml", text, &sources, &said, &err);
    check_said(buf_slice(&said));
    if (status == OK) {
        check_config(config);
    } else {
        must(status == BAD_CONFIG && err.status == BAD_CONFIG && !config && said.len > 0);
    }
    config_free(config);
    return 0;
}
