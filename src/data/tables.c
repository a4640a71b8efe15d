/* tables: see tables.h. */
#include "data/tables.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/memory.h"

#include <xxhash.h>

static bool is_time(enum column_kind kind)
{
    return kind == TIME_S || kind == TIME_MS || kind == TIME_US || kind == TIME_NS;
}

static bool is_tag(enum column_kind kind)
{
    return kind == TAG || kind == TAG_ADDRESS;
}

static enum value_kind field_kind(enum column_kind kind)
{
    return kind == INT || kind == DURATION_NS ? VALUE_INT : VALUE_TEXT;
}

/* The number of text in the list, which it joins when it is new; false when the list is full. */
static bool number_of(const char **list, size_t *n, size_t max, const char *text, size_t *number)
{
    for (*number = 0; *number < *n; ++*number) {
        if (strcmp(list[*number], text) == 0) {
            return true;
        }
    }
    if (*n == max) {
        return false;
    }
    list[(*n)++] = text;
    return true;
}

/* --- record keys --- */

static enum status add_key(struct tables *tables, struct slice key, uint64_t *mask, struct err *err)
{
    size_t number;
    const char *name = arena_text(&tables->names, key);
    if (key.len == 0) {
        return err_set(err, BAD_CONFIG, "an empty record key");
    }
    if (!number_of(tables->keys, &tables->n_keys, EXTRACT_KEYS_MAX, name, &number)) {
        return err_set(err, BAD_CONFIG, "more than %d record keys in all", EXTRACT_KEYS_MAX);
    }
    *mask |= UINT64_C(1) << number;
    return OK;
}

/* "key,key" */
static enum status add_alternative(struct tables *tables, const char *keys, uint64_t *mask,
                                   struct err *err)
{
    *mask = 0;
    for (;;) {
        size_t len = strcspn(keys, ",");
        enum status status = add_key(tables, slice_make(keys, len), mask, err);
        if (status != OK || keys[len] == '\0') {
            return status;
        }
        keys += len + 1;
    }
}

static enum status add_record_keys(struct tables *tables, struct table *table, struct err *err)
{
    const char *const *keys = table->parser->record_keys;
    for (; keys && *keys; keys++) {
        if (table->n_key_masks == TABLE_RECORD_KEYS_MAX) {
            return err_set(err, BAD_CONFIG, "more than %d alternatives of record keys",
                           TABLE_RECORD_KEYS_MAX);
        }
        enum status status =
            add_alternative(tables, *keys, &table->key_masks[table->n_key_masks++], err);
        if (status != OK) {
            return status;
        }
    }
    return table->n_key_masks ? OK : err_set(err, BAD_CONFIG, "no record keys");
}

/* --- columns --- */

static enum status number_paths(struct tables *tables, struct table_column *to, struct err *err)
{
    for (size_t i = 0; i < COLUMN_PATHS && to->column->paths[i]; i++) {
        if (!number_of(tables->paths, &tables->n_paths, EXTRACT_PATHS_MAX, to->column->paths[i],
                       &to->slots[to->n_slots++])) {
            return err_set(err, BAD_CONFIG, "more than %d paths in all", EXTRACT_PATHS_MAX);
        }
    }
    bool needs_path = to->column->kind != MESSAGE;
    if (needs_path != (to->n_slots > 0)) {
        return err_set(err, BAD_CONFIG, needs_path ? "no path" : "a message has no path");
    }
    return OK;
}

static bool has_name(const struct schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->n_tags; i++) {
        if (strcmp(schema->tags[i], name) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < schema->n_fields; i++) {
        if (strcmp(schema->fields[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Sinks keep these two parts of a point under their names, beside the columns. */
static bool is_taken_by_sinks(const char *name)
{
    return strcmp(name, "time") == 0 || strcmp(name, "measurement") == 0;
}

static enum status check_name(const struct schema *schema, const char *name, struct err *err)
{
    if (!name || !*name) {
        return err_set(err, BAD_CONFIG, "no name");
    }
    if (is_taken_by_sinks(name)) {
        return err_set(err, BAD_CONFIG, "a tag or field cannot have this name");
    }
    return has_name(schema, name) ? err_set(err, BAD_CONFIG, "the name is there twice") : OK;
}

/* Keeps the tags sorted by name. */
static void insert_tag(struct schema *schema, const char *name)
{
    size_t at = schema->n_tags++;
    for (; at > 0 && strcmp(schema->tags[at - 1], name) > 0; at--) {
        schema->tags[at] = schema->tags[at - 1];
    }
    schema->tags[at] = name;
}

static enum status add_to_schema(struct schema *schema, const struct column *column,
                                 struct err *err)
{
    enum status status = check_name(schema, column->name, err);
    if (status != OK) {
        return status;
    }
    if (is_tag(column->kind)) {
        if (schema->n_tags == SCHEMA_TAGS_MAX) {
            return err_set(err, BAD_CONFIG, "more than %d tags", SCHEMA_TAGS_MAX);
        }
        insert_tag(schema, column->name);
        return OK;
    }
    if (schema->n_fields == SCHEMA_FIELDS_MAX) {
        return err_set(err, BAD_CONFIG, "more than %d fields", SCHEMA_FIELDS_MAX);
    }
    schema->fields[schema->n_fields].name = column->name;
    schema->fields[schema->n_fields++].kind = field_kind(column->kind);
    return OK;
}

static enum status add_column(struct tables *tables, struct table *table,
                              const struct column *column, struct err *err)
{
    struct table_column *to =
        is_time(column->kind) ? &table->time : &table->columns[table->n_columns++];
    if (to->column) {
        return err_set(err, BAD_CONFIG, "a second time");
    }
    to->column = column;
    enum status status = number_paths(tables, to, err);
    if (status != OK || is_time(column->kind)) {
        return status;
    }
    return add_to_schema(&table->schema, column, err);
}

static size_t tag_index(const struct schema *schema, const char *name)
{
    size_t i = 0;
    while (strcmp(schema->tags[i], name) != 0) {
        i++;
    }
    return i;
}

/* Tags move while they are sorted in, so targets are set when all are there. */
static void set_targets(struct table *table)
{
    size_t field = 0;
    for (size_t i = 0; i < table->n_columns; i++) {
        struct table_column *to = &table->columns[i];
        to->target =
            is_tag(to->column->kind) ? tag_index(&table->schema, to->column->name) : field++;
    }
}

static enum status add_columns(struct tables *tables, struct table *table, struct err *err)
{
    const struct parser *parser = table->parser;
    if (parser->n_columns > PARSER_COLUMNS_MAX) {
        return err_set(err, BAD_CONFIG, "more than %d columns", PARSER_COLUMNS_MAX);
    }
    for (size_t i = 0; i < parser->n_columns; i++) {
        const struct column *column = &parser->columns[i];
        if (add_column(tables, table, column, err) != OK) {
            return err_prefix(err, "column %zu (%s)", i + 1, column->name ? column->name : "time");
        }
    }
    if (!table->time.column) {
        return err_set(err, BAD_CONFIG, "no time column");
    }
    if (table->schema.n_fields == 0) {
        return err_set(err, BAD_CONFIG, "no field");
    }
    set_targets(table);
    line_names_make(&table->line, &table->schema);
    table->schema.line = &table->line;
    return OK;
}

/* --- parsers against each other --- */

bool schema_equal(const struct schema *a, const struct schema *b)
{
    if (a->n_tags != b->n_tags || a->n_fields != b->n_fields) {
        return false;
    }
    for (size_t i = 0; i < a->n_tags; i++) {
        if (strcmp(a->tags[i], b->tags[i]) != 0) {
            return false;
        }
    }
    for (size_t i = 0; i < a->n_fields; i++) {
        if (strcmp(a->fields[i].name, b->fields[i].name) != 0 ||
            a->fields[i].kind != b->fields[i].kind) {
            return false;
        }
    }
    return true;
}

static enum status check_against_others(const struct tables *tables, const struct table *table,
                                        struct err *err)
{
    for (const struct table *other = tables->at; other < table; other++) {
        if (strcmp(other->schema.measurement, table->schema.measurement) == 0 &&
            !schema_equal(&other->schema, &table->schema)) {
            return err_set(err, BAD_CONFIG, "measurement %s has other columns in parser %s",
                           table->schema.measurement, other->parser->about.name);
        }
    }
    return OK;
}

static enum status add_table(struct tables *tables, const struct parser *parser, struct err *err)
{
    struct table *table = &tables->at[tables->n++];
    table->parser = parser;
    table->schema.measurement = parser->measurement;
    if (!parser->measurement || !*parser->measurement) {
        return err_set(err, BAD_CONFIG, "no measurement");
    }
    table->measurement_hash = XXH3_64bits(parser->measurement, strlen(parser->measurement));
    enum status status = add_record_keys(tables, table, err);
    if (status == OK) {
        status = add_columns(tables, table, err);
    }
    return status == OK ? check_against_others(tables, table, err) : status;
}

enum status tables_init(struct tables *tables, const struct parser *const *parsers,
                        size_t n_parsers, struct err *err)
{
    if (n_parsers < 1 || n_parsers > TABLES_PARSERS_MAX) {
        return err_set(err, BAD_CONFIG, "%zu parsers: a job has 1 to %d", n_parsers,
                       TABLES_PARSERS_MAX);
    }
    tables->at = memory_new(n_parsers * sizeof *tables->at);
    for (size_t i = 0; i < n_parsers; i++) {
        if (add_table(tables, parsers[i], err) != OK) {
            return err_prefix(err, "parser %s", parsers[i]->about.name);
        }
    }
    return OK;
}

void tables_finish(struct tables *tables)
{
    for (size_t i = 0; i < tables->n; i++) {
        line_names_finish(&tables->at[i].line);
    }
    free(tables->at);
    arena_finish(&tables->names);
    *tables = (struct tables){.n = 0};
}

/* --- fingerprint --- */

static const char *kind_text(enum column_kind kind)
{
    static const char *const texts[] = {
        [TAG] = "tag",         [TAG_ADDRESS] = "tag_address", [TEXT] = "text",
        [INT] = "int",         [DURATION_NS] = "duration_ns", [MESSAGE] = "message",
        [TIME_S] = "time_s",   [TIME_MS] = "time_ms",         [TIME_US] = "time_us",
        [TIME_NS] = "time_ns",
    };
    return texts[kind];
}

/* Spaces separate the words of the text; within a word they have a backslash. */
static void describe_word(struct buf *out, const char *word)
{
    buf_add_byte(out, ' ');
    for (; *word; word++) {
        if (*word == ' ' || *word == '\\') {
            buf_add_byte(out, '\\');
        }
        buf_add_byte(out, *word);
    }
}

static void describe_column(struct buf *out, const struct column *column)
{
    buf_add_text(out, kind_text(column->kind));
    describe_word(out, column->name ? column->name : "-");
    for (size_t i = 0; i < COLUMN_PATHS && column->paths[i]; i++) {
        describe_word(out, column->paths[i]);
    }
    buf_add_byte(out, '\n');
}

static int order_columns(const void *a, const void *b)
{
    const struct table_column *left = a, *right = b;
    return strcmp(left->column->name, right->column->name);
}

/* Columns by name: moving a row of a parser's table changes no point. */
static void describe_table(struct buf *out, const struct table *table)
{
    struct table_column sorted[PARSER_COLUMNS_MAX];
    memcpy(sorted, table->columns, table->n_columns * sizeof *sorted);
    qsort(sorted, table->n_columns, sizeof *sorted, order_columns);
    buf_add_text(out, "measurement");
    describe_word(out, table->schema.measurement);
    buf_add_text(out, "\nkeys");
    for (const char *const *keys = table->parser->record_keys; *keys; keys++) {
        describe_word(out, *keys);
    }
    buf_add_byte(out, '\n');
    describe_column(out, table->time.column);
    for (size_t i = 0; i < table->n_columns; i++) {
        describe_column(out, sorted[i].column);
    }
}

uint64_t tables_fingerprint(const struct tables *tables)
{
    CLEANUP(buf_finish) struct buf text = {.max = 1024 * 1024};
    for (size_t i = 0; i < tables->n; i++) {
        describe_table(&text, &tables->at[i]);
    }
    return XXH3_64bits(text.at, text.len);
}
