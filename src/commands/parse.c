/*
 * parse: `loggateway parse`: what files become, on stdout, with the same pipeline as a run and no
 * place or ledger. Of a configuration that -c names, only the declared parsers are read. Unreadable
 * records are log lines on stderr and make the exit code 1.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "commands/arguments.h"
#include "commands/cli.h"
#include "commands/tags.h"
#include "modules.h"
#include "run/changes.h"
#include "run/pipeline.h"
#include "run/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, WRITE_BYTES = 64 * 1024, OUT_MAX = 8 * 1024 * 1024 };

struct parse {
    struct point_sink sink;
    const struct log *log;
    const struct encoder *encoder;
    const struct schema *schema; /* of the last point; NULL = there was none */
    struct config *config;       /* of -c; NULL = none */
    struct tag_counts *counts;   /* of --stats, in place of points; NULL = none */
    int64_t budget;
    struct pipeline *pipeline;
    char *chunk; /* [READ_BYTES] */
    struct buf out;
    const char *file;
    int64_t last_modified_ns; /* of --last-modified; INT64_MIN = the file's own */
    struct progress progress;
    struct progress_figures figures;
    uint64_t dead, duplicates, damaged;
    struct reader_counts changes;
};

static enum status write_out(struct parse *parse, struct err *err)
{
    for (size_t done = 0; done < parse->out.len;) {
        ssize_t n = write(STDOUT_FILENO, parse->out.at + done, parse->out.len - done);
        if (n < 0 && errno != EINTR) {
            return err_set(err, FAILED, "standard output: %s", strerror(errno));
        }
        done += n > 0 ? (size_t)n : 0;
    }
    buf_clear(&parse->out);
    return OK;
}

/* With the header in front of it where the measurement is another one than before. AGAIN: no room
 * for both. */
static enum status encode(struct parse *parse, const struct point *point)
{
    bool is_other = parse->encoder->begin && parse->schema != point->schema;
    size_t start = parse->out.len;
    if (is_other && parse->encoder->begin(point->schema, &parse->out) != OK) {
        return AGAIN;
    }
    if (parse->encoder->encode(point, &parse->out) != OK) {
        parse->out.len = start;
        return AGAIN;
    }
    parse->schema = point->schema;
    return OK;
}

static enum status take_point(struct point_sink *sink, const struct point *point,
                              const struct origin *origin, struct err *err)
{
    struct parse *parse = (struct parse *)sink; /* the first member */
    (void)origin;
    parse->figures.records++;
    if (encode(parse, point) != OK) {
        enum status status = write_out(parse, err);
        if (status != OK) {
            return status;
        }
        if (encode(parse, point) != OK) {
            return err_set(err, FAILED, "a point does not fit into %d bytes", OUT_MAX);
        }
    }
    return parse->out.len >= WRITE_BYTES ? write_out(parse, err) : OK;
}

static enum status count_point(struct point_sink *sink, const struct point *point,
                               const struct origin *origin, struct err *err)
{
    struct parse *parse = (struct parse *)sink;
    (void)origin;
    (void)err;
    parse->figures.records++;
    tag_counts_add(parse->counts, point);
    return OK;
}

static enum status take_duplicate(struct point_sink *sink, const struct origin *origin,
                                  struct err *err)
{
    struct parse *parse = (struct parse *)sink;
    (void)origin;
    (void)err;
    parse->figures.records++;
    parse->duplicates++;
    return OK;
}

static enum status take_dead(struct point_sink *sink, const struct origin *origin,
                             const char *reason, struct slice masked, struct err *err)
{
    struct parse *parse = (struct parse *)sink;
    (void)masked;
    (void)err;
    parse->figures.records++;
    parse->dead++;
    progress_end(&parse->progress);
    log_line(parse->log, LOG_WARN, "dead record", "file", parse->file, "line",
             log_int((int64_t)origin->line).text, "reason", reason, NULL);
    return OK;
}

static enum status read_bytes(struct parse *parse, int fd, struct err *err)
{
    struct intake *intake = pipeline_intake(parse->pipeline);
    for (;;) {
        ssize_t n = read(fd, parse->chunk, READ_BYTES);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_set(err, FAILED, "%s", strerror(errno));
        }
        if (n == 0) {
            return OK;
        }
        enum status status = intake->bytes(intake, slice_make(parse->chunk, (size_t)n), err);
        if (status != OK) {
            return status;
        }
        parse->figures.bytes_done += n;
        progress_show(&parse->progress, &parse->figures);
    }
}

/* Standard input has no date of its own. */
static int64_t date_of(const struct parse *parse, int fd)
{
    struct stat info;
    if (parse->last_modified_ns != INT64_MIN || fd == STDIN_FILENO || fstat(fd, &info) != 0) {
        return parse->last_modified_ns;
    }
    return timestamp_from_seconds(info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
}

static enum status parse_open_file(struct parse *parse, int fd, struct err *err)
{
    pipeline_begin(parse->pipeline, slice_of(parse->file), date_of(parse, fd), &parse->sink);
    enum status status = read_bytes(parse, fd, err);
    if (status == OK || pipeline_damage(parse->pipeline)) {
        status = pipeline_end(parse->pipeline, err);
    }
    changes_add(&parse->changes, pipeline_changes(parse->pipeline));
    const char *damage = pipeline_damage(parse->pipeline);
    if (status == OK && damage) {
        parse->damaged++;
        progress_end(&parse->progress);
        log_line(parse->log, LOG_ERROR, "damaged file", "file", parse->file, "reason", damage,
                 NULL);
    }
    parse->figures.objects_done++;
    return status;
}

static enum status parse_file(struct parse *parse, const char *file, struct err *err)
{
    bool is_stdin = strcmp(file, "-") == 0;
    parse->file = is_stdin ? "stdin" : file;
    int fd = is_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    enum status status =
        fd < 0 ? err_set(err, FAILED, "%s", strerror(errno)) : parse_open_file(parse, fd, err);
    if (fd > STDIN_FILENO) {
        close(fd);
    }
    return status == OK ? OK : err_prefix(err, "%s", parse->file);
}

static enum status parse_files(struct parse *parse, char **files, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        struct stat info;
        parse->figures.bytes_total += stat(files[i], &info) == 0 ? info.st_size : 0;
    }
    parse->figures.objects_total = n;
    enum status status = OK;
    for (size_t i = 0; status == OK && i < n; i++) {
        status = parse_file(parse, files[i], err);
    }
    if (status == OK && parse->counts) {
        tag_counts_print(parse->counts, &parse->out);
    }
    return status == OK ? write_out(parse, err) : status;
}

struct parse_arguments {
    const char *parser, *encoder, *message, *last_modified, *budget;
    bool stats;
};

/* --- which parsers --- */

struct parsers {
    const struct parser **at;
    size_t n;
};

static void parsers_finish(struct parsers *parsers)
{
    free(parsers->at);
}

/* The built-in ones, and behind them those that the file of -c declares. */
static void parsers_collect(struct parsers *to, const struct config *config)
{
    size_t n_built_in = 0, n_declared = config ? config->n_parsers : 0;
    while (modules_parsers[n_built_in]) {
        n_built_in++;
    }
    to->at = memory_new((n_built_in + n_declared) * sizeof *to->at);
    for (size_t i = 0; i < n_built_in; i++) {
        to->at[to->n++] = modules_parsers[i];
    }
    for (size_t i = 0; i < n_declared; i++) {
        to->at[to->n++] = config->parsers[i];
    }
}

/* Leaves only the one of that name. */
static enum status parsers_choose(struct parsers *parsers, const char *name, bool config_given,
                                  struct err *err)
{
    for (size_t i = 0; i < parsers->n; i++) {
        if (strcmp(parsers->at[i]->about.name, name) == 0) {
            parsers->at[0] = parsers->at[i];
            parsers->n = 1;
            return OK;
        }
    }
    return err_set(err, BAD_CONFIG, "--as %s: no such parser: see loggateway modules%s", name,
                   config_given ? "" : ", or name a file that declares it with -c");
}

static enum status choose_pipeline(struct parse *parse, const struct parse_arguments *arguments,
                                   struct err *err)
{
    static const char *const modes[] = {"raw", "flat", "none"};
    size_t mode = 0;
    while (mode < 3 && strcmp(modes[mode], arguments->message) != 0) {
        mode++;
    }
    if (mode == 3) {
        return err_set(err, BAD_CONFIG, "--message %s: raw, flat or none", arguments->message);
    }
    CLEANUP(parsers_finish) struct parsers parsers = {0};
    parsers_collect(&parsers, parse->config);
    if (arguments->parser &&
        parsers_choose(&parsers, arguments->parser, parse->config != NULL, err) != OK) {
        return err->status;
    }
    return pipeline_new(&parse->pipeline, parsers.at, parsers.n, (enum message_mode)mode,
                        (struct gunzip_limits){0}, err);
}

static enum status choose_output(struct parse *parse, const struct parse_arguments *arguments,
                                 struct err *err)
{
    if (arguments->stats && arguments->encoder) {
        return err_set(err, BAD_CONFIG, "--stats writes no points, so --to has no meaning");
    }
    if (arguments->budget && !arguments->stats) {
        return err_set(err, BAD_CONFIG, "--budget goes with --stats");
    }
    if (!tag_budget_parse(arguments->budget, &parse->budget)) {
        return err_set(err, BAD_CONFIG, "--budget %s: 1 to %d", arguments->budget, TAG_VALUES_MAX);
    }
    const char *encoder = arguments->encoder ? arguments->encoder : "line_protocol";
    parse->encoder = modules_encoder(encoder);
    if (!parse->encoder) {
        return err_set(err, BAD_CONFIG, "--to %s: no such encoder: see loggateway modules",
                       encoder);
    }
    if (arguments->stats) {
        parse->counts = tag_counts_new();
        parse->sink.point = count_point;
    }
    return OK;
}

static enum status prepare(struct parse *parse, const struct parse_arguments *arguments,
                           struct err *err)
{
    parse->last_modified_ns = INT64_MIN;
    if (timestamp_read_option("--last-modified", arguments->last_modified, clock_now_ns(),
                              &parse->last_modified_ns, err) != OK) {
        return err->status;
    }
    enum status status = choose_output(parse, arguments, err);
    return status == OK ? choose_pipeline(parse, arguments, err) : status;
}

static void log_summary(const struct parse *parse)
{
    changes_log(&parse->changes, parse->log, NULL);
    uint64_t points = parse->figures.records - parse->duplicates - parse->dead;
    log_line(parse->log, LOG_INFO, "parse finished", "read",
             log_int((int64_t)parse->figures.records).text, "points", log_int((int64_t)points).text,
             "duplicate", log_int((int64_t)parse->duplicates).text, "dead",
             log_int((int64_t)parse->dead).text, "files",
             log_int((int64_t)parse->figures.objects_done).text, "damaged",
             log_int((int64_t)parse->damaged).text, NULL);
}

static int run_parse(struct parse *parse, const struct parse_arguments *arguments, char **files,
                     size_t n_files)
{
    struct err err;
    progress_begin(&parse->progress, parse->log, NULL);
    enum status status = prepare(parse, arguments, &err);
    if (status == OK) {
        status = parse_files(parse, files, n_files, &err);
    }
    progress_end(&parse->progress);
    if (status != OK) {
        cli_usage("%s", err.text);
        return cli_exit_code(status);
    }
    if (parse->counts) {
        tag_counts_warn(parse->counts, parse->budget, parse->log, NULL);
    }
    log_summary(parse);
    return parse->dead || parse->damaged ? EXIT_KEPT_BACK : EXIT_DONE;
}

int command_parse(struct cli *cli, int argc, char **argv)
{
    struct parse_arguments arguments = {.message = "raw"};
    const struct argument table[] = {
        {"as", 0, &arguments.parser, NULL},
        {"to", 0, &arguments.encoder, NULL},
        {"message", 0, &arguments.message, NULL},
        {"last-modified", 0, &arguments.last_modified, NULL},
        {"stats", 0, NULL, &arguments.stats},
        {"budget", 0, &arguments.budget, NULL},
        {NULL},
    };
    int first = arguments_read(argc, argv, table, false);
    if (first < 0 || first == argc) {
        return first < 0 ? EXIT_USAGE : cli_usage("parse: which files? (- = standard input)");
    }
    struct parse parse = {
        .sink = {take_point, take_duplicate, take_dead}, .log = &cli->log, .out = {.max = OUT_MAX}};
    if (cli->config_given) {
        parse.config = cli_config_parsers(cli);
        if (!parse.config) {
            return EXIT_USAGE;
        }
    }
    parse.chunk = memory_new(READ_BYTES);
    int code = run_parse(&parse, &arguments, argv + first, (size_t)(argc - first));
    pipeline_free(parse.pipeline);
    tag_counts_free(parse.counts);
    config_free(parse.config);
    free(parse.chunk);
    buf_finish(&parse.out);
    return code;
}
