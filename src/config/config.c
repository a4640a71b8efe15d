/* config: see config.h. The file, its two forms, and what is said once for all jobs. The jobs are
 * read by config/jobs, their places by config/places. */
#include "config/config.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "config/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VALUE_FILE_MAX_BYTES = 64 * 1024, READ_STEP_BYTES = 16 * 1024 };

struct config_memory {
    struct arena arena;
    struct config config;
};

/* --- files --- */

static void close_file(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
}

/* Appends all of a file; EFBIG when that would pass to->max. */
static int read_all(int fd, struct buf *to)
{
    for (;;) {
        size_t left = to->max - to->len;
        size_t step = left < READ_STEP_BYTES ? left + 1 : READ_STEP_BYTES;
        char chunk[READ_STEP_BYTES];
        ssize_t got = read(fd, chunk, step);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? errno : 0;
        }
        if (!buf_add(to, slice_make(chunk, (size_t)got))) {
            return EFBIG;
        }
    }
}

static int read_whole(const char *path, struct buf *to, mode_t *mode)
{
    CLEANUP(close_file) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (fd < 0 || fstat(fd, &about) != 0) {
        return errno;
    }
    *mode = about.st_mode & 0777;
    return read_all(fd, to);
}

int config_read_file(const char *path, struct buf *out)
{
    CLEANUP(buf_finish) struct buf content = {.max = VALUE_FILE_MAX_BYTES};
    mode_t mode;
    int error = read_whole(path, &content, &mode);
    if (error == 0 && !buf_add(out, buf_slice(&content))) {
        error = EFBIG;
    }
    return error;
}

/* --- the ledger's file --- */

static const char *join(struct arena *arena, struct slice folder, const char *name)
{
    size_t size = folder.len + strlen(name) + 2;
    char *path = arena_take(arena, size);
    snprintf(path, size, "%.*s/%s", SLICE_ARG(folder), name);
    return path;
}

/* systemd gives several folders with colons between them when a unit has several. */
static const char *default_state(const struct loader *loader)
{
    const char *folder = loader->reader.sources->environment("STATE_DIRECTORY");
    if (folder && *folder) {
        struct slice first = slice_make(folder, strcspn(folder, ":"));
        return join(loader->reader.arena, first, "loggateway.db");
    }
    const char *path = loader->config->path;
    const char *slash = strrchr(path, '/');
    if (!slash) {
        return "loggateway.db";
    }
    return join(loader->reader.arena, slice_make(path, (size_t)(slash - path)), "loggateway.db");
}

static void read_state(struct loader *loader)
{
    const struct node *node = node_get(loader->root, "state");
    struct option_text state = {0};
    if (node && !option_read_text(&loader->reader, "state", node, &state)) {
        return;
    }
    if (state.text.at && state.text.len == 0) {
        problem_add(loader->reader.problems, state.at, "state: must name a file");
        return;
    }
    loader->config->state = state.text.at ? state.text.at : default_state(loader);
}

/* --- the two forms --- */

static void read_jobs(struct loader *loader)
{
    const struct node *jobs = node_get(loader->root, "jobs");
    const struct node *sinks = node_get(loader->root, "datasources");
    const struct node *bucket = node_get(loader->root, "lyvecloud");
    /* With a type, lyvecloud is a stanza like any other. */
    bool is_flat = sinks || (bucket && !node_get(bucket, "type"));
    if (jobs && is_flat) {
        const struct node *other = sinks ? sinks : bucket;
        problem_add(loader->reader.problems, other->key_at,
                    "%.*s: cannot stand beside jobs: a file describes either one job by "
                    "lyvecloud and datasources, or all of them by jobs",
                    SLICE_ARG(other->key));
    } else if (jobs) {
        jobs_read_general(loader);
    } else if (sinks || bucket) {
        jobs_read_flat(loader);
    } else {
        problem_add(loader->reader.problems, loader->root->at,
                    "no job: there must be lyvecloud and datasources, or jobs");
    }
}

static void read_tree(struct loader *loader)
{
    parsers_read(loader);
    if (loader->only_parsers) {
        return;
    }
    read_state(loader);
    metrics_read(loader);
    read_jobs(loader);
    places_check_top(loader);
}

static void read_text(struct loader *loader, struct slice text)
{
    struct node *root;
    struct problems *problems = loader->reader.problems;
    if (!yaml_read(&root, text, loader->reader.arena, problems)) {
        return;
    }
    if (!root || node_is_null(root)) {
        problem_add(problems, (struct position){0}, "the file is empty");
        return;
    }
    if (root->kind != NODE_MAP) {
        problem_add(problems, root->at,
                    "must be a mapping with lyvecloud and datasources, or jobs");
        return;
    }
    loader->root = root;
    read_tree(loader);
}

/* mode: the file's permission bits; 0 = the text is not from a file. */
static enum status parse(struct config **out, const char *path, struct slice text, mode_t mode,
                         bool only_parsers, const struct config_sources *sources,
                         struct buf *problems_text, struct err *err)
{
    struct config_memory *memory = memory_new(sizeof *memory);
    struct config *config = &memory->config;
    config->memory = memory;
    config->path = arena_text(&memory->arena, slice_of(path));
    struct problems problems = {.arena = &memory->arena};
    struct loader loader = {
        .reader = {&memory->arena, sources, &problems, mode},
        .config = config,
        .only_parsers = only_parsers,
    };
    read_text(&loader, text);
    problems_print(&problems, path, problems_text);
    if (problems.errors) {
        config_free(config);
        *out = NULL;
        return err_set(err, BAD_CONFIG, "%s: %zu problem%s", path, problems.errors,
                       problems.errors == 1 ? "" : "s");
    }
    *out = config;
    return OK;
}

enum status config_parse(struct config **out, const char *path, struct slice text,
                         const struct config_sources *sources, struct buf *problems,
                         struct err *err)
{
    return parse(out, path, text, 0, false, sources, problems, err);
}

static enum status load(struct config **out, const char *path, bool only_parsers,
                        const struct config_sources *sources, struct buf *problems, struct err *err)
{
    CLEANUP(buf_finish) struct buf text = {.max = YAML_MAX_BYTES};
    mode_t mode = 0;
    int error = read_whole(path, &text, &mode);
    if (error) {
        *out = NULL;
        return err_set(err, BAD_CONFIG, "%s: %s", path, strerror(error));
    }
    return parse(out, path, buf_slice(&text), mode, only_parsers, sources, problems, err);
}

enum status config_load(struct config **out, const char *path, const struct config_sources *sources,
                        struct buf *problems, struct err *err)
{
    return load(out, path, false, sources, problems, err);
}

enum status config_load_parsers(struct config **out, const char *path,
                                const struct config_sources *sources, struct buf *problems,
                                struct err *err)
{
    return load(out, path, true, sources, problems, err);
}

void config_free(struct config *config)
{
    if (!config) {
        return;
    }
    struct config_memory *memory = config->memory;
    arena_finish(&memory->arena);
    free(memory);
}
