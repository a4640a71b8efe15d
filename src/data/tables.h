/*
 * tables: the column tables of a job's parsers, checked against the limits and each other and
 * numbered for the scanner: which path is which slot, which column is which tag or field. Called by
 * data/record; holds nothing of any record.
 */
#ifndef DATA_TABLES_H
#define DATA_TABLES_H

#include "api/flow.h"
#include "api/parser.h"
#include "base/arena.h"
#include "data/extract.h"
#include "data/line_names.h"

enum { TABLES_PARSERS_MAX = 32, TABLE_RECORD_KEYS_MAX = 8 };

struct table_column {
    const struct column *column;
    size_t target; /* its tag or field of the schema; unused for a time */
    size_t n_slots;
    size_t slots[COLUMN_PATHS]; /* of struct extracted, in the order of the paths */
};

struct table {
    const struct parser *parser;
    struct schema schema;
    uint64_t measurement_hash;
    size_t n_key_masks;
    uint64_t key_masks[TABLE_RECORD_KEYS_MAX]; /* alternatives: all bits of one in keys_seen */
    struct table_column time;
    size_t n_columns; /* without the time */
    struct table_column columns[PARSER_COLUMNS_MAX];
    struct line_names line; /* of the schema */
};

struct tables {
    struct table *at;
    size_t n;
    size_t n_paths, n_keys;
    const char *paths[EXTRACT_PATHS_MAX];
    const char *keys[EXTRACT_KEYS_MAX];
    struct arena names; /* of the keys */
};

/* Zeroed *tables. BAD_CONFIG when a table does not fit; tables_finish() either way. */
enum status tables_init(struct tables *tables, const struct parser *const *parsers,
                        size_t n_parsers, struct err *err);
void tables_finish(struct tables *tables);

/* XXH3_64bits of a text that lists, for each parser in its order, what decides its points' identity
 * and types. The ledger keeps it: the text may change only when that does. */
uint64_t tables_fingerprint(const struct tables *tables);

/* The same tags and fields, of the same types and in the same order; measurements may differ. */
bool schema_equal(const struct schema *a, const struct schema *b);

#endif
