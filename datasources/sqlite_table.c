/*
 * sqlite_table: a measurement as a table: "time" (ns) and the tags are its key, the fields its
 * other columns, under the names they have in InfluxDB. Called by sqlite.c, within a transaction.
 *
 * A tag that is absent is '' and not NULL: no NULL equals another, so NULLs would let a key repeat.
 */
#include "sqlite_store.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "data/tables.h"

#include <stdlib.h>

enum { SQL_MAX_BYTES = 256 * 1024 };

enum status sqlite_failed(sqlite3 *db, struct err *err)
{
    int code = sqlite3_errcode(db), system = sqlite3_system_errno(db);
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
        return err_set(err, AGAIN, "locked by another program");
    }
    bool by_system = system && (code == SQLITE_CANTOPEN || code == SQLITE_IOERR);
    return err_set(err, FAILED, "%s%s%s", sqlite3_errmsg(db), by_system ? ": " : "",
                   by_system ? strerror(system) : "");
}

enum status sqlite_run(sqlite3 *db, const char *sql, struct err *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? OK : sqlite_failed(db, err);
}

/* --- SQL --- */

/* A name from a schema as an SQL identifier. */
static void add_name(struct buf *sql, const char *name)
{
    buf_add_byte(sql, '"');
    for (; *name; name++) {
        buf_add_text(sql, *name == '"' ? "\"\"" : (char[]){*name, '\0'});
    }
    buf_add_byte(sql, '"');
}

static const char *type_name(enum value_kind kind)
{
    return kind == VALUE_INT ? "INTEGER" : "TEXT";
}

static void add_field_column(struct buf *sql, const struct schema_field *field)
{
    add_name(sql, field->name);
    buf_printf(sql, " %s", type_name(field->kind));
}

static void add_key(struct buf *sql, const struct schema *schema)
{
    buf_add_text(sql, "\"time\"");
    for (size_t i = 0; i < schema->n_tags; i++) {
        buf_add_text(sql, ", ");
        add_name(sql, schema->tags[i]);
    }
}

static void add_create(struct buf *sql, const struct schema *schema)
{
    buf_add_text(sql, "CREATE TABLE ");
    add_name(sql, schema->measurement);
    buf_add_text(sql, " (\"time\" INTEGER NOT NULL");
    for (size_t i = 0; i < schema->n_tags; i++) {
        buf_add_text(sql, ", ");
        add_name(sql, schema->tags[i]);
        buf_add_text(sql, " TEXT NOT NULL DEFAULT ''");
    }
    for (size_t i = 0; i < schema->n_fields; i++) {
        buf_add_text(sql, ", ");
        add_field_column(sql, &schema->fields[i]);
    }
    buf_add_text(sql, ", PRIMARY KEY (");
    add_key(sql, schema);
    buf_add_text(sql, ")) WITHOUT ROWID");
}

static void add_insert(struct buf *sql, const struct schema *schema)
{
    buf_add_text(sql, "INSERT INTO ");
    add_name(sql, schema->measurement);
    buf_add_text(sql, " (");
    add_key(sql, schema);
    for (size_t i = 0; i < schema->n_fields; i++) {
        buf_add_text(sql, ", ");
        add_name(sql, schema->fields[i].name);
    }
    buf_add_text(sql, ") VALUES (?");
    for (size_t i = 0; i < schema->n_tags + schema->n_fields; i++) {
        buf_add_text(sql, ", ?");
    }
    buf_add_text(sql, ") ON CONFLICT (");
    add_key(sql, schema);
    buf_add_text(sql, ") DO ");
    buf_add_text(sql, schema->n_fields ? "UPDATE SET " : "NOTHING");
    for (size_t i = 0; i < schema->n_fields; i++) {
        buf_add_text(sql, i ? ", " : "");
        add_name(sql, schema->fields[i].name);
        buf_add_text(sql, " = excluded.");
        add_name(sql, schema->fields[i].name);
    }
}

/* --- an existing table against the schema --- */

static enum status other_table(const char *what, const char *name, struct err *err)
{
    return err_set(err, FAILED,
                   "%s \"%s\" is not what this version writes: use a new file, filled by pull "
                   "--new-schema",
                   what, name);
}

static bool is_key_column(const struct schema *schema, size_t place, const char *name)
{
    if (place > schema->n_tags + 1) {
        return false;
    }
    return sqlite3_stricmp(name, place == 1 ? "time" : schema->tags[place - 2]) == 0;
}

static const struct schema_field *find_field(const struct schema *schema, const char *name,
                                             size_t *index)
{
    for (*index = 0; *index < schema->n_fields; (*index)++) {
        if (sqlite3_stricmp(schema->fields[*index].name, name) == 0) {
            return &schema->fields[*index];
        }
    }
    return NULL;
}

/* What the database has of a schema. */
struct existing {
    size_t columns, key_columns;
    bool fields[SCHEMA_FIELDS_MAX];
};

/* Looks at one column: its name, type, and place in the primary key (0 = not in it). */
static enum status check_column(const struct schema *schema, sqlite3_stmt *row,
                                struct existing *existing, struct err *err)
{
    const char *name = (const char *)sqlite3_column_text(row, 0);
    const char *type = (const char *)sqlite3_column_text(row, 1);
    int place = sqlite3_column_int(row, 2);
    const char *table = (const char *)sqlite3_column_text(row, 3);
    existing->columns++;
    if (strcmp(table, schema->measurement) != 0) {
        return err_set(err, FAILED,
                       "there is \"%s\" already, and SQLite takes upper and lower case for the "
                       "same: use another file",
                       table);
    }
    if (place > 0) {
        existing->key_columns++;
        return is_key_column(schema, (size_t)place, name)
                   ? OK
                   : other_table("the primary key of", schema->measurement, err);
    }
    size_t index;
    const struct schema_field *field = find_field(schema, name, &index);
    if (!field) {
        return OK; /* of an older schema: left alone */
    }
    if (sqlite3_stricmp(type, type_name(field->kind)) != 0) {
        return other_table("the type of", field->name, err);
    }
    existing->fields[index] = true;
    return OK;
}

static enum status read_columns(sqlite3 *db, const struct schema *schema, struct existing *existing,
                                struct err *err)
{
    static const char sql[] =
        "SELECT columns.name, columns.type, columns.pk, tables.name"
        " FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns"
        " WHERE tables.type = 'table' AND tables.name = ? COLLATE NOCASE";
    CLEANUP(sqlite_statement_finish) sqlite3_stmt *columns = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &columns, NULL) != SQLITE_OK) {
        return sqlite_failed(db, err);
    }
    sqlite3_bind_text(columns, 1, schema->measurement, -1, SQLITE_STATIC);
    int step;
    while ((step = sqlite3_step(columns)) == SQLITE_ROW) {
        if (check_column(schema, columns, existing, err) != OK) {
            return err->status;
        }
    }
    return step == SQLITE_DONE ? OK : sqlite_failed(db, err);
}

static enum status add_missing_fields(sqlite3 *db, const struct schema *schema,
                                      const struct existing *existing, struct err *err)
{
    for (size_t i = 0; i < schema->n_fields; i++) {
        if (existing->fields[i]) {
            continue;
        }
        CLEANUP(buf_finish) struct buf sql = {.max = SQL_MAX_BYTES};
        buf_add_text(&sql, "ALTER TABLE ");
        add_name(&sql, schema->measurement);
        buf_add_text(&sql, " ADD COLUMN ");
        add_field_column(&sql, &schema->fields[i]);
        if (sqlite_run(db, buf_text(&sql), err) != OK) {
            return err->status;
        }
    }
    return OK;
}

static enum status table_prepare(sqlite3 *db, const struct schema *schema, struct err *err)
{
    struct existing existing = {0};
    if (read_columns(db, schema, &existing, err) != OK) {
        return err->status;
    }
    if (existing.columns == 0) {
        CLEANUP(buf_finish) struct buf sql = {.max = SQL_MAX_BYTES};
        add_create(&sql, schema);
        return sqlite_run(db, buf_text(&sql), err);
    }
    if (existing.key_columns != schema->n_tags + 1) {
        return other_table("the primary key of", schema->measurement, err);
    }
    return add_missing_fields(db, schema, &existing, err);
}

/* --- tables of a connection --- */

static struct sqlite_table *table_named(struct sqlite_table *tables, const char *measurement)
{
    while (tables && strcmp(tables->measurement, measurement) != 0) {
        tables = tables->next;
    }
    return tables;
}

static struct sqlite_table *table_new(struct sqlite_table **tables, const char *measurement)
{
    struct sqlite_table *table = memory_new(sizeof *table);
    table->measurement = memory_copy(measurement, strlen(measurement));
    table->next = *tables;
    *tables = table;
    return table;
}

static enum status table_take_schema(sqlite3 *db, struct sqlite_table *table,
                                     const struct schema *schema, struct err *err)
{
    if (table_prepare(db, schema, err) != OK) {
        return err_prefix(err, "table \"%s\"", schema->measurement);
    }
    CLEANUP(buf_finish) struct buf sql = {.max = SQL_MAX_BYTES};
    add_insert(&sql, schema);
    sqlite3_finalize(table->insert);
    table->insert = NULL;
    if (sqlite3_prepare_v2(db, buf_text(&sql), -1, &table->insert, NULL) != SQLITE_OK) {
        return sqlite_failed(db, err);
    }
    table->schema = schema;
    return OK;
}

enum status sqlite_table_find(sqlite3 *db, struct sqlite_table **tables,
                              const struct schema *schema, struct sqlite_table **out,
                              struct err *err)
{
    struct sqlite_table *table = table_named(*tables, schema->measurement);
    if (!table) {
        table = table_new(tables, schema->measurement);
    }
    *out = table;
    if (!table->schema) {
        return table_take_schema(db, table, schema, err);
    }
    if (table->schema != schema && !schema_equal(table->schema, schema)) {
        return err_set(err, FAILED, "two parsers write \"%s\" with different columns",
                       schema->measurement);
    }
    return OK;
}

static void bind_text(sqlite3_stmt *insert, int at, struct slice text)
{
    sqlite3_bind_text64(insert, at, text.len ? text.at : "", text.len, SQLITE_STATIC, SQLITE_UTF8);
}

enum status sqlite_table_write(sqlite3 *db, struct sqlite_table *table, const struct point *point,
                               struct err *err)
{
    int at = 1;
    sqlite3_bind_int64(table->insert, at++, point->time_ns);
    for (size_t i = 0; i < point->schema->n_tags; i++) {
        bind_text(table->insert, at++, point->tags[i]);
    }
    for (size_t i = 0; i < point->schema->n_fields; i++, at++) {
        const struct value *value = &point->fields[i];
        if (value->kind == VALUE_INT) {
            sqlite3_bind_int64(table->insert, at, value->number);
        } else if (value->kind == VALUE_TEXT) {
            bind_text(table->insert, at, value->text.pieces[0]);
        } else {
            sqlite3_bind_null(table->insert, at);
        }
    }
    enum status status = OK;
    if (sqlite3_step(table->insert) != SQLITE_DONE) {
        status = sqlite_failed(db, err);
    }
    sqlite3_reset(table->insert);
    return status;
}

void sqlite_tables_forget_schemas(struct sqlite_table *tables)
{
    for (; tables; tables = tables->next) {
        tables->schema = NULL;
    }
}

void sqlite_tables_free(struct sqlite_table **tables)
{
    while (*tables) {
        struct sqlite_table *table = *tables;
        *tables = table->next;
        sqlite3_finalize(table->insert);
        free(table->measurement);
        free(table);
    }
}
