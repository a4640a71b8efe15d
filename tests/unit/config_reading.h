/*
 * config_reading: a configuration read in a test, over modules made up for the purpose: s3 (to read
 * from), influxdb (to write to), null (both), and three parsers. For the tests of src/config.
 */
#ifndef TESTS_CONFIG_READING_H
#define TESTS_CONFIG_READING_H

#include "base/cleanup.h"
#include "config/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* --- modules --- */

struct store {
    const char *endpoint_url, *bucket, *key, *secret;
};

#define AT(member) offsetof(struct store, member)
static const struct option s3_options[] = {
    {"endpoint_url", OPTION_TEXT, AT(endpoint_url), .required = "Lyve Cloud > Buckets"},
    {"log_bucket", OPTION_TEXT, AT(bucket), .required = "Lyve Cloud > Buckets"},
    {"access_key", OPTION_TEXT, AT(key), .required = "Lyve Cloud > Service accounts"},
    {"secret_key", OPTION_SECRET, AT(secret), .required = "Lyve Cloud > Service accounts"},
    {0},
};

struct sink {
    const char *host, *token, *org, *bucket;
};

#undef AT
#define AT(member) offsetof(struct sink, member)
static const struct option influxdb_options[] = {
    {"host", OPTION_TEXT, AT(host), .required = "InfluxDB > URL"},
    {"token", OPTION_SECRET, AT(token), .required = "InfluxDB > API tokens"},
    {"org", OPTION_TEXT, AT(org), .required = "InfluxDB > Organisation"},
    {"bucket", OPTION_TEXT, AT(bucket), .required = "InfluxDB > Buckets"},
    {0},
};

static inline enum status list(void *self, struct slice prefix, bool by_folder, struct listing *to,
                               struct err *err)
{
    (void)self, (void)prefix, (void)by_folder, (void)to, (void)err;
    return OK;
}

static inline enum status put(void *self, const struct point *point, struct err *err)
{
    (void)self, (void)point, (void)err;
    return OK;
}

static const struct datasource s3 = {.about = {"s3", "", s3_options, sizeof(struct store)},
                                     .list = list};
static const struct datasource influxdb = {
    .about = {"influxdb", "", influxdb_options, sizeof(struct sink)}, .put = put};
static const struct datasource null = {.about = {"null", "", NULL, 0}, .list = list, .put = put};
static const struct datasource *const datasources[] = {&s3, &influxdb, &null, NULL};

static const struct parser lyve_b = {.about = {.name = "lyve_b"}};
static const struct parser other = {.about = {.name = "other"}};
static const struct parser lyve_a = {.about = {.name = "lyve_a"}};
static const struct parser *const parsers[] = {&lyve_b, &other, &lyve_a, NULL};

/* --- the world outside --- */

static inline const char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

static inline const char *environment(const char *name)
{
    if (strcmp(name, "STATE_DIRECTORY") == 0) {
        return "/var/lib/gateway:/var/lib/second";
    }
    return strcmp(name, "TOKEN") == 0 ? "t0ken" : NULL;
}

static inline int no_file(const char *path, struct buf *out)
{
    (void)path, (void)out;
    return ENOENT;
}

static const struct config_sources sources = {parsers, datasources, no_environment, no_file};
static const struct config_sources with_environment = {parsers, datasources, environment, no_file};

/* --- one reading --- */

struct reading {
    struct config *config;
    struct buf said;
    enum status status;
    struct err err;
};

static inline void reading_finish(struct reading *reading)
{
    config_free(reading->config);
    buf_finish(&reading->said);
}

static inline void read_with(struct reading *reading, const char *path, const char *text,
                             const struct config_sources *from)
{
    *reading = (struct reading){.said = {.max = 100000}};
    reading->status =
        config_parse(&reading->config, path, slice_of(text), from, &reading->said, &reading->err);
}

static inline void read_text(struct reading *reading, const char *text)
{
    read_with(reading, "c.yaml", text, &sources);
}

static inline void assert_said(const char *text, const char *said)
{
    CLEANUP(reading_finish) struct reading reading;
    read_text(&reading, text);
    assert_string_equal(buf_text(&reading.said), said);
    assert_int_equal(reading.status, BAD_CONFIG);
    assert_null(reading.config);
}

static inline void assert_warned(const char *text, const char *said)
{
    CLEANUP(reading_finish) struct reading reading;
    read_text(&reading, text);
    assert_string_equal(buf_text(&reading.said), said);
    assert_int_equal(reading.status, OK);
    assert_non_null(reading.config);
}

#endif
