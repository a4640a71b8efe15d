/*
 * parsers: the operator's own parsers, `parsers:` of the configuration, as the same tables that the
 * built-in ones are (api/parser.h). Called by config/config before the jobs are read; which parsers
 * a job has is for config/job_parsers.
 *
 * What can be said of one line is said here, at its place; what concerns a table as a whole by
 * data/record, which will read with it, at the parser's place.
 */
#include "config/loader.h"

#include "base/timestamp.h"
#include "base/utf8.h"
#include "data/record.h"

#include <stdio.h>
#include <strings.h>

enum { PARSERS_MAX = 64, COLUMN_NAME_MAX_BYTES = 256, COLUMN_KINDS = 6 };

/* --- what may be written --- */

struct declared_parser {
    struct text_list names, record_keys;
    const char *measurement;
};

#define AT(member) offsetof(struct declared_parser, member)
const struct option config_parser_options[] = {
    {"names", OPTION_LIST, AT(names),
     .help = "how the names of its objects begin, in any case: there it is tried first"},
    {"record_keys", OPTION_LIST, AT(record_keys),
     .required = "the top-level keys that make a record its own",
     .help = "a record with one of these top-level keys is its own; \"a,b\" asks for both"},
    {"measurement", OPTION_TEXT, AT(measurement), .required = "what its points are called",
     .help = "the measurement of its points"},
    {0},
};

struct declared_column {
    const char *names[COLUMN_KINDS];
    struct text_list path, paths;
};

static const enum column_kind column_kinds[COLUMN_KINDS] = {TAG, TAG_ADDRESS, TEXT,
                                                            INT, DURATION_NS, MESSAGE};

#undef AT
#define AT(member) offsetof(struct declared_column, member)
/* The first rows are those of column_kinds. */
const struct option config_column_options[] = {
    {"tag", OPTION_TEXT, AT(names[0]), .help = "name of a tag; every value of it makes a series"},
    {"address", OPTION_TEXT, AT(names[1]), .help = "name of a tag; ip:port without the port"},
    {"text", OPTION_TEXT, AT(names[2]), .help = "name of a text field"},
    {"int", OPTION_TEXT, AT(names[3]), .help = "name of a field of whole numbers"},
    {"duration", OPTION_TEXT, AT(names[4]),
     .help = "name of a field of whole nanoseconds, from 15ms, 601866322ns or a bare number of ns"},
    {"message", OPTION_TEXT, AT(names[5]),
     .help = "name of a text field with the record itself, as the job's message says; has no path"},
    {"path", OPTION_LIST, AT(path),
     .help = "where the value is; of several the first that is there"},
    {"paths", OPTION_LIST, AT(paths), .help = "another word for path"},
    {0},
};

struct declared_time {
    struct text_list path;
    int precision, format;
};

static const char *const precisions[] = {"s", "ms", "us", "ns", NULL};
static const enum column_kind precision_kinds[] = {TIME_S, TIME_MS, TIME_US, TIME_NS};

enum { FORMAT_RFC3339, FORMAT_GO, FORMAT_EPOCH };
static const char *const formats[] = {"rfc3339", "go", "epoch", NULL};

#undef AT
#define AT(member) offsetof(struct declared_time, member)
const struct option config_time_options[] = {
    {"path", OPTION_LIST, AT(path), .required = "where the record's time is",
     .help = "where the time is; of several the first that is there"},
    {"precision", OPTION_CHOICE, AT(precision), .choices = precisions,
     .required = "s, ms, us or ns, as the source counts, whatever digits a record shows",
     .help = "how fine the source counts; the digits below come from the record's hash"},
    {"format", OPTION_CHOICE, AT(format), "rfc3339", .choices = formats,
     .help = "2022-05-30T09:00:00Z; 2022-05-30 09:00:00 +0000 UTC; seconds since 1970"},
    {0},
};

/* --- times --- */

static bool read_go_time(struct slice text, int64_t last_modified_ns, int64_t *ns)
{
    (void)last_modified_ns;
    return timestamp_parse_go(text, ns);
}

static bool read_epoch_time(struct slice text, int64_t last_modified_ns, int64_t *ns)
{
    (void)last_modified_ns;
    return timestamp_parse_epoch(text, ns);
}

/* --- names --- */

static bool begins_with(const char *name, const char *start)
{
    return strncasecmp(name, start, strlen(start)) == 0;
}

/* Why no sink could keep a measurement, tag or field of this name; NULL: they can. */
static const char *name_fault(const char *name)
{
    if (!*name) {
        return "is empty";
    }
    if (strlen(name) > COLUMN_NAME_MAX_BYTES) {
        return "is longer than 256 bytes";
    }
    if (utf8_valid_prefix(slice_of(name)) < strlen(name)) {
        return "is not UTF-8";
    }
    if (*name == '_') {
        return "begins with an underscore, as only InfluxDB's own names do";
    }
    return strchr(name, '\\') ? "holds a backslash, which line protocol cannot carry" : NULL;
}

static const char *measurement_fault(const char *name)
{
    if (*name == '#') {
        return "begins with #, as a comment of line protocol does";
    }
    if (begins_with(name, "sqlite_")) {
        return "begins with sqlite_, as only SQLite's own tables do";
    }
    if (strcasecmp(name, "gateway-01") == 0) {
        return "is where loggateway keeps the figures of its runs";
    }
    return name_fault(name);
}

static const char *column_fault(const char *name)
{
    /* SQLite takes upper and lower case for the same. */
    return strcasecmp(name, "time") == 0 ? "is the name of the point's own time" : name_fault(name);
}

/* fault: NULL = none. True when there is none. */
static bool check_name(const struct loader *loader, const char *where, const struct node *node,
                       const char *name, const char *fault)
{
    struct slice shown = problem_excerpt(slice_of(name));
    if (fault) {
        problem_add(loader->reader.problems, node_position(node), "%s: \"%.*s\" %s", where,
                    SLICE_ARG(shown), fault);
    }
    return !fault;
}

/* --- columns --- */

/* A parser while its lines are read. */
struct declaration {
    const struct loader *loader;
    const char *where; /* "parsers.zeek" */
    struct parser *parser;
    struct column *columns; /* of parser */
};

static size_t errors(const struct loader *loader)
{
    return loader->reader.problems->errors;
}

static bool set_paths(const struct loader *loader, const char *where, const struct node *node,
                      const struct text_list *paths, struct column *column)
{
    if (paths->count > COLUMN_PATHS) {
        problem_add(loader->reader.problems, node->at, "%s: more than %d paths", where,
                    COLUMN_PATHS);
        return false;
    }
    for (size_t i = 0; i < paths->count; i++) {
        column->paths[i] = paths->items[i];
    }
    return true;
}

static bool check_paths(const struct loader *loader, const char *where, const struct node *node,
                        const struct declared_column *declared, struct column *column)
{
    struct problems *problems = loader->reader.problems;
    const struct text_list *paths = declared->path.count ? &declared->path : &declared->paths;
    bool has_path = paths->count > 0;
    if (declared->path.count && declared->paths.count) {
        problem_add(problems, node->at, "%s: has both path and paths", where);
        return false;
    }
    if (has_path == (column->kind == MESSAGE)) {
        problem_add(problems, node->at,
                    has_path ? "%s: a message is the whole record and has no path"
                             : "%s.path: required (where in the record the value is)",
                    where);
        return false;
    }
    return set_paths(loader, where, node, paths, column);
}

/* Sets the column's kind and name from the one kind that is given. */
static bool set_kind(const struct loader *loader, const char *where, const struct node *node,
                     const struct declared_column *declared, struct column *column)
{
    size_t given = 0;
    for (size_t i = 0; i < COLUMN_KINDS; i++) {
        if (declared->names[i]) {
            given++;
            column->kind = column_kinds[i];
            column->name = declared->names[i];
        }
    }
    if (given != 1) {
        problem_add(loader->reader.problems, node_position(node),
                    "%s: must have one of tag, address, text, int, duration and message, with a "
                    "name",
                    where);
    }
    return given == 1;
}

static bool check_column_name(const struct declaration *declaration, const char *where,
                              const struct node *node, const char *name)
{
    const struct parser *parser = declaration->parser;
    const char *fault = column_fault(name);
    for (size_t i = 0; i < parser->n_columns && !fault; i++) {
        if (strcasecmp(parser->columns[i].name, name) == 0) {
            fault = "is there twice (upper and lower case count as the same)";
        }
    }
    return check_name(declaration->loader, where, node, name, fault);
}

static void read_column(const struct declaration *declaration, const char *where,
                        const struct node *node)
{
    static const char *const also[] = {NULL};
    const struct loader *loader = declaration->loader;
    struct declared_column declared = {0};
    struct column column = {0};
    const struct option_set set = {config_column_options, &declared};
    size_t errors_before = errors(loader);
    options_read(&loader->reader, where, node, &set, 1, also);
    if (errors(loader) == errors_before && set_kind(loader, where, node, &declared, &column) &&
        check_column_name(declaration, where, node, column.name) &&
        check_paths(loader, where, node, &declared, &column)) {
        declaration->columns[declaration->parser->n_columns++] = column;
    }
}

/* The value of a key that a parser must have; NULL: it was reported. */
static const struct node *required_node(const struct declaration *declaration,
                                        const struct node *map, const char *key, const char *help)
{
    const struct node *node = node_get(map, key);
    if (!node || node_is_null(node)) {
        problem_add(declaration->loader->reader.problems, node ? node->key_at : map->at,
                    "%s.%s: required (%s)", declaration->where, key, help);
        return NULL;
    }
    return node;
}

static void read_columns(struct declaration *declaration, const struct node *map)
{
    const struct node *list = required_node(declaration, map, "columns",
                                            "a list such as [{tag: status, path: api.statusCode}]");
    if (!list) {
        return;
    }
    const struct loader *loader = declaration->loader;
    if (list->kind != NODE_LIST || list->count == 0 || list->count >= PARSER_COLUMNS_MAX) {
        problem_add(loader->reader.problems, node_position(list),
                    "%s.columns: must be a list of 1 to %d columns", declaration->where,
                    PARSER_COLUMNS_MAX - 1); /* the time is a column too */
        return;
    }
    declaration->columns =
        arena_take(loader->reader.arena, (list->count + 1) * sizeof *declaration->columns);
    declaration->parser->columns = declaration->columns;
    size_t i = 0;
    for (const struct node *node = list->first; node; node = node->next) {
        char key[32];
        snprintf(key, sizeof key, "columns[%zu]", i++);
        read_column(declaration, option_path(&loader->reader, declaration->where, key), node);
    }
}

static void read_time(struct declaration *declaration, const struct node *map)
{
    static const char *const also[] = {NULL};
    const struct loader *loader = declaration->loader;
    const char *where = option_path(&loader->reader, declaration->where, "time");
    const struct node *node = required_node(declaration, map, "time", "its path and precision");
    struct declared_time declared = {0};
    const struct option_set set = {config_time_options, &declared};
    if (!node) {
        return;
    }
    size_t errors_before = errors(loader);
    options_read(&loader->reader, where, node, &set, 1, also);
    struct column column = {.kind = precision_kinds[declared.precision]};
    if (errors(loader) > errors_before ||
        !set_paths(loader, where, node, &declared.path, &column) || !declaration->columns) {
        return;
    }
    declaration->columns[declaration->parser->n_columns++] = column;
    declaration->parser->read_time = declared.format == FORMAT_GO      ? read_go_time
                                     : declared.format == FORMAT_EPOCH ? read_epoch_time
                                                                       : NULL;
}

/* --- a parser --- */

/* A list as the tables have it, ended by NULL. */
static const char *const *ended(const struct loader *loader, const struct text_list *list)
{
    const char **items = arena_take(loader->reader.arena, (list->count + 1) * sizeof *items);
    for (size_t i = 0; i < list->count; i++) {
        items[i] = list->items[i];
    }
    items[list->count] = NULL;
    return items;
}

static void read_options(struct declaration *declaration, const struct node *map)
{
    static const char *const also[] = {"columns", "time", NULL};
    const struct loader *loader = declaration->loader;
    struct declared_parser declared = {0};
    const struct option_set set = {config_parser_options, &declared};
    options_read(&loader->reader, declaration->where, map, &set, 1, also);
    declaration->parser->names = ended(loader, &declared.names);
    declaration->parser->record_keys = ended(loader, &declared.record_keys);
    declaration->parser->measurement = declared.measurement;
    if (declared.measurement) {
        check_name(loader, option_path(&loader->reader, declaration->where, "measurement"),
                   node_get(map, "measurement"), declared.measurement,
                   measurement_fault(declared.measurement));
    }
}

/* The reader knows limits that span the lines of a table. */
static void check_whole(const struct declaration *declaration, const struct node *map)
{
    const struct parser *parser = declaration->parser;
    struct reader *reader;
    struct err err;
    if (reader_new(&reader, &parser, 1, MESSAGE_RAW, &err) == OK) {
        reader_free(reader);
        return;
    }
    problem_add(declaration->loader->reader.problems, map->key_at, "parsers: %s", err.text);
}

static void read_body(struct declaration *declaration, const struct node *map)
{
    const struct loader *loader = declaration->loader;
    if (map->kind != NODE_MAP) {
        problem_add(loader->reader.problems, node_position(map),
                    "%s: must be a mapping with record_keys, measurement, columns and time",
                    declaration->where);
        return;
    }
    size_t errors_before = errors(loader);
    read_options(declaration, map);
    read_columns(declaration, map);
    read_time(declaration, map);
    if (errors(loader) == errors_before) {
        check_whole(declaration, map);
    }
}

static bool is_built_in(const struct loader *loader, struct slice name)
{
    const struct parser *const *parser = loader->reader.sources->parsers;
    while (*parser && !slice_is(name, (*parser)->about.name)) {
        parser++;
    }
    return *parser != NULL;
}

static bool check_parser_name(const struct loader *loader, const struct node *entry)
{
    /* The figures of a run call its parsers by name, and their sum "all". */
    const char *fault = !name_is_plain(entry->key)
                            ? "must be 1 to 64 letters, digits, dots, hyphens or underscores"
                        : slice_is(entry->key, "all")     ? "cannot be the name of a parser"
                        : is_built_in(loader, entry->key) ? "a built-in parser has this name"
                                                          : NULL;
    struct slice shown = problem_excerpt(entry->key);
    if (fault) {
        problem_add(loader->reader.problems, entry->key_at, "parsers.%.*s: %s", SLICE_ARG(shown),
                    fault);
    }
    return !fault;
}

/* A parser joins the list even when it is wrong: jobs that name it are not told that it is missing.
 */
static void read_parser(const struct loader *loader, const struct node *entry)
{
    struct config *config = loader->config;
    struct parser *parser = arena_take(loader->reader.arena, sizeof *parser);
    *parser = (struct parser){.about = {.name = entry->key.at, .summary = "declared in the file"}};
    config->parsers[config->n_parsers++] = parser;
    struct declaration declaration = {.loader = loader, .parser = parser};
    declaration.where = option_path(&loader->reader, "parsers", parser->about.name);
    read_body(&declaration, entry);
}

void parsers_read(struct loader *loader)
{
    const struct node *map = node_get(loader->root, "parsers");
    if (!map || node_is_null(map)) {
        return;
    }
    size_t errors_before = errors(loader);
    if (map->kind != NODE_MAP || map->count > PARSERS_MAX) {
        problem_add(loader->reader.problems, map->at,
                    "parsers: must be a mapping of names to parsers, at most %d", PARSERS_MAX);
    } else {
        struct config *config = loader->config;
        config->parsers =
            arena_take(loader->reader.arena, (map->count + 1) * sizeof *config->parsers);
        for (const struct node *entry = map->first; entry; entry = entry->next) {
            if (check_parser_name(loader, entry)) {
                read_parser(loader, entry);
            }
        }
    }
    loader->has_broken_parsers = errors(loader) > errors_before;
}
