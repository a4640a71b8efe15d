/*
 * config: the configuration file as the jobs to run. Reads YAML with positions (config/yaml), fills
 * option structs (config/options), resolves ${ENV}, ${ENV:-default} and ${file:/path}, and checks
 * everything in one go.
 *
 * Two forms. Flat: `lyvecloud:` (an s3 place with the job's options beside its own), `datasources:
 * [names]`, and a stanza per name: one job named lyvecloud. General: `jobs:`, a sequence of {name,
 * from, parse, to, ...}, and a stanza per place name with `type:` (default: its own name). Either
 * may declare parsers of its own under `parsers:`.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "api/datasource.h"
#include "api/parser.h"
#include "base/buf.h"

/* A stanza: a named place with its options. */
struct place_config {
    const char *name; /* the stanza's */
    const struct datasource *module;
    const void *options; /* module->about.size bytes: copy into each instance before open() */
};

/* The options of a job, declared once in config/config.c and shown by `loggateway modules`. */
struct job_options {
    int64_t workers;          /* 1 to 64, default 2 */
    int message;              /* enum message_mode: raw, flat, none */
    int64_t max_object_bytes; /* inflated; default 32GiB */
    int64_t max_ratio;        /* default 250 */
    int64_t look_back_ns;     /* how far before a window folders are listed too; default 35d */
    const char *schedule;     /* schedule/cron; default "0 * * * *" */
    const char *timezone;     /* of the schedule; default UTC */
    int64_t start_ns;         /* how far back the first run of the service reads; default 30d */
    int64_t rate;             /* points a second, over all workers; 0 = no limit */
};

struct job_config {
    const char *name;
    struct job_options options;
    const struct place_config *from;
    const struct place_config **to; /* in the order of the file */
    size_t n_to;
    const struct parser **parse; /* built-in, declared, or the job's own copy with fewer tags */
    size_t n_parse;
};

/* Where the service answers questions about itself. */
struct metrics_config {
    bool is_on;          /* `metrics:` is there */
    const char *listen;  /* as it is written */
    const char *address; /* of it; numeric, IPv4 or IPv6 */
    int64_t port;        /* 0 = any that is free */
};

struct config {
    const char *path;  /* of the file */
    const char *state; /* the ledger's file: `state:`, else $STATE_DIRECTORY/loggateway.db, else
                          beside the file */
    struct job_config *jobs;
    size_t n_jobs;
    const struct parser **parsers; /* declared by `parsers:` */
    size_t n_parsers;
    struct metrics_config metrics;
    struct config_memory *memory; /* owns all of it */
};

extern const struct option config_job_options[];
extern const struct option config_metrics_options[];

/* What a declared parser may have besides its columns and time, a column of it, and its time. */
extern const struct option config_parser_options[], config_column_options[], config_time_options[];

/* What the configuration is read with: the module lists (NULL-terminated), and where ${ENV} and
 * ${file:} look. */
struct config_sources {
    const struct parser *const *parsers;
    const struct datasource *const *datasources;
    const char *(*environment)(const char *name);        /* as getenv(3) */
    int (*read_file)(const char *path, struct buf *out); /* appends at most 64 KiB; an errno or 0 */
};

/* The real read_file. */
int config_read_file(const char *path, struct buf *out);

/*
 * Problems are appended one a line, all of them in one go: "config.yaml:12:5: influxdb.token:
 * required (InfluxDB > API tokens)"; lines that begin "warning: " do not make it fail. BAD_CONFIG
 * when there are others.
 */
enum status config_load(struct config **out, const char *path, const struct config_sources *sources,
                        struct buf *problems, struct err *err);
/* Only `parsers:`, for those who have nothing to do with jobs and places: whatever else the file
 * holds is passed over, its secrets not asked for. */
enum status config_load_parsers(struct config **out, const char *path,
                                const struct config_sources *sources, struct buf *problems,
                                struct err *err);
/* config_load() from memory; path is for the messages. For tests and the fuzzer. */
enum status config_parse(struct config **out, const char *path, struct slice text,
                         const struct config_sources *sources, struct buf *problems,
                         struct err *err);
void config_free(struct config *config);

#endif
