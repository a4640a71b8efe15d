/*
 * sqlite_store: what the files of the sqlite datasource share. Private to datasources/sqlite*.c.
 *
 *   sqlite.c         the file, the buffered batch, one transaction per batch
 *   sqlite_table.c   a measurement's table: made, checked, extended, written to
 *   sqlite_count.c   how many points a table holds
 */
#ifndef SQLITE_STORE_H
#define SQLITE_STORE_H

#include "api/datasource.h"

#include <sqlite3.h>

/* The table of one measurement, as this connection knows it. */
struct sqlite_table {
    struct sqlite_table *next;
    char *measurement;
    const struct schema *schema; /* of the batch being written; not to be kept beyond it */
    sqlite3_stmt *insert;
};

static inline void sqlite_statement_finish(sqlite3_stmt **statement) /* for CLEANUP */
{
    sqlite3_finalize(*statement);
}

/* Says what SQLite's last error is: AGAIN when the file is locked by somebody else, else FAILED. */
enum status sqlite_failed(sqlite3 *db, struct err *err);

/* Runs SQL that has no result. */
enum status sqlite_run(sqlite3 *db, const char *sql, struct err *err);

/* Finds the table of a point's schema in *tables, or makes, checks or extends it in the database.
 * Within a transaction; statuses as of sqlite_failed. */
enum status sqlite_table_find(sqlite3 *db, struct sqlite_table **tables,
                              const struct schema *schema, struct sqlite_table **out,
                              struct err *err);

/* Writes one point whose texts are in one piece; an equal one is overwritten. */
enum status sqlite_table_write(sqlite3 *db, struct sqlite_table *table, const struct point *point,
                               struct err *err);

/* A new batch begins: its schemas have to be looked at anew. */
void sqlite_tables_forget_schemas(struct sqlite_table *tables);

void sqlite_tables_free(struct sqlite_table **tables);

/* The datasource's count(), over a connection of its own that only reads. */
enum status sqlite_count(const char *path, struct tally *tally, struct err *err);

#endif
