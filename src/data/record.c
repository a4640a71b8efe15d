/*
 * record: see record.h. One record runs through reader_read() from top to bottom: bytes that are
 * UTF-8, one scan, the parser's table, its columns, its time, its place among the points before it.
 * Everything built on the way lies in buffers that are kept from record to record.
 */
#include "data/record.h"

#include "base/memory.h"
#include "base/timestamp.h"
#include "base/utf8.h"
#include "data/columns.h"
#include "data/extract.h"
#include "data/flatten.h"
#include "data/identity.h"
#include "data/message.h"
#include "data/redact.h"
#include "data/tables.h"

#include <stdlib.h>
#include <strings.h>
#ifdef HAVE_XXH_DISPATCH
#include <xxh_x86dispatch.h> /* the same hashes, by the widest vectors that the machine has */
#else
#include <xxhash.h>
#endif

enum {
    RECORD_MAX_BYTES = 1024 * 1024,
    MASKED_MAX_BYTES = 64 * 1024,
    /* each byte that is not UTF-8 becomes three */
    REPAIRED_MAX_BYTES = 3 * RECORD_MAX_BYTES + EXTRACT_PADDING,
    SERIES_MAX_BYTES =
        sizeof(uint64_t) + SCHEMA_TAGS_MAX * (SCHEMA_TAG_MAX_BYTES + sizeof(uint32_t)),
};

/* What InfluxDB stores, less the steps that identity_claim() may add. */
static const int64_t TIME_MIN_NS = INT64_MIN + 2;
static const int64_t TIME_MAX_NS = INT64_MAX - 1 - IDENTITY_WINDOW;

struct reader {
    struct tables tables;
    struct extract *extract;
    struct identity *identity;

    /* of the object */
    int64_t last_modified_ns;
    size_t order[TABLES_PARSERS_MAX]; /* of trying the tables */
    struct reader_counts counts;

    /* of the record */
    uint64_t hash;
    struct slice given; /* as reader_read() got it */
    bool scanned;       /* reading.extracted is there: the record is good JSON */
    struct reading reading;
    struct arena scratch;
    struct buf repaired;
    struct message message;

    /* of the point */
    struct slice tags[SCHEMA_TAGS_MAX];
    struct value fields[SCHEMA_FIELDS_MAX];
    struct slice texts[SCHEMA_FIELDS_MAX]; /* the one piece of fields[i].text */
    char series[SERIES_MAX_BYTES];
};

enum status reader_new(struct reader **out, const struct parser *const *parsers, size_t n_parsers,
                       enum message_mode message, struct err *err)
{
    struct reader *reader = memory_new(sizeof *reader);
    *out = NULL;
    if (tables_init(&reader->tables, parsers, n_parsers, err) != OK) {
        reader_free(reader);
        return err->status;
    }
    const struct tables *tables = &reader->tables;
    message_init(&reader->message, message);
    reader->extract = extract_new(tables->paths, tables->n_paths, tables->keys, tables->n_keys);
    reader->identity = identity_new();
    reader->reading.scratch = &reader->scratch;
    reader->repaired.max = REPAIRED_MAX_BYTES;
    reader_begin(reader, slice_of(""), INT64_MIN);
    *out = reader;
    return OK;
}

void reader_free(struct reader *reader)
{
    if (!reader) {
        return;
    }
    tables_finish(&reader->tables);
    extract_free(reader->extract);
    identity_free(reader->identity);
    arena_finish(&reader->scratch);
    buf_finish(&reader->repaired);
    message_finish(&reader->message);
    free(reader);
}

const struct schema *reader_schema(const struct reader *reader, size_t parser)
{
    return &reader->tables.at[parser].schema;
}

const struct reader_counts *reader_counts(const struct reader *reader)
{
    return &reader->counts;
}

uint64_t reader_hash(const struct reader *reader)
{
    return reader->hash;
}

uint64_t reader_fingerprint(const struct reader *reader)
{
    return tables_fingerprint(&reader->tables);
}

/* --- an object begins --- */

static struct slice basename_of(struct slice key)
{
    const char *slash = key.len ? memrchr(key.at, '/', key.len) : NULL;
    if (!slash) {
        return key;
    }
    return slice_make(slash + 1, (size_t)(key.at + key.len - slash) - 1);
}

static bool is_hinted(const struct parser *parser, struct slice basename)
{
    for (const char *const *name = parser->names; name && *name; name++) {
        size_t len = strlen(*name);
        if (basename.len >= len && strncasecmp(basename.at, *name, len) == 0) {
            return true;
        }
    }
    return false;
}

void reader_begin(struct reader *reader, struct slice key, int64_t last_modified_ns)
{
    struct slice basename = basename_of(key);
    size_t n = 0;
    for (int hinted = 1; hinted >= 0; hinted--) {
        for (size_t i = 0; i < reader->tables.n; i++) {
            if (is_hinted(reader->tables.at[i].parser, basename) == hinted) {
                reader->order[n++] = i;
            }
        }
    }
    reader->last_modified_ns = last_modified_ns;
    reader->counts = (struct reader_counts){0};
    identity_clear(reader->identity);
}

/* --- bytes, scan, parser --- */

/* Sets reading.record to a copy of it that is UTF-8. */
static enum status repair(struct reader *reader, struct err *err)
{
    static const char padding[EXTRACT_PADDING];
    struct buf *repaired = &reader->repaired;
    buf_clear(repaired);
    reader->counts.repaired += utf8_repair(reader->reading.record, repaired);
    size_t len = repaired->len;
    if (!buf_add(repaired, slice_make(padding, sizeof padding))) {
        return err_set(err, BAD_DATA, "longer than a record may be (%d bytes)", RECORD_MAX_BYTES);
    }
    reader->reading.record = slice_make(repaired->at, len);
    return OK;
}

static enum status extract(struct reader *reader, struct err *err)
{
    struct reading *reading = &reader->reading;
    return extract_record(reader->extract, reading->record, &reading->extracted, err);
}

static enum status scan(struct reader *reader, struct slice record, struct err *err)
{
    reader->scanned = false;
    arena_reset(&reader->scratch);
    reader->reading.record = record;
    enum status status = extract(reader, err);
    if (status == AGAIN) {
        status = repair(reader, err);
        status = status == OK ? extract(reader, err) : status;
    }
    if (status != OK) {
        return status;
    }
    reader->scanned = true;
    reader->counts.duplicate_keys += reader->reading.extracted.duplicate_keys;
    return OK;
}

static bool knows(const struct table *table, uint64_t keys_seen)
{
    for (size_t i = 0; i < table->n_key_masks; i++) {
        if ((keys_seen & table->key_masks[i]) == table->key_masks[i]) {
            return true;
        }
    }
    return false;
}

static enum status refuse_unknown(const struct reader *reader, struct err *err)
{
    char text[300];
    struct buf keys = {.at = text, .size = sizeof text, .max = sizeof text - 1};
    flatten_keys(reader->reading.record, &keys);
    return err_set(err, BAD_DATA, "no parser knows this record: top-level keys %s",
                   keys.len ? buf_text(&keys) : "none");
}

static enum status pick_parser(const struct reader *reader, size_t *parser, struct err *err)
{
    for (size_t i = 0; i < reader->tables.n; i++) {
        size_t candidate = reader->order[i];
        if (knows(&reader->tables.at[candidate], reader->reading.extracted.keys_seen)) {
            *parser = candidate;
            return OK;
        }
    }
    return refuse_unknown(reader, err);
}

/* --- columns --- */

/* The first of the column's paths that has a value, and which; NULL when none has. */
static const struct found *find(const struct reader *reader, const struct table_column *column,
                                const char **path)
{
    for (size_t i = 0; i < column->n_slots; i++) {
        const struct found *found = &reader->reading.extracted.slots[column->slots[i]];
        if (found->kind != JSON_ABSENT && found->kind != JSON_NULL) {
            *path = column->column->paths[i];
            return found;
        }
    }
    return NULL;
}

static void set_text(struct reader *reader, size_t field, struct slice text)
{
    reader->texts[field] = text;
    reader->fields[field] = (struct value){.kind = VALUE_TEXT, .text = {&reader->texts[field], 1}};
}

static enum status set_number(struct reader *reader, const struct table_column *column,
                              const struct found *found, const char *path, struct err *err)
{
    struct value *value = &reader->fields[column->target];
    value->kind = VALUE_INT;
    return column->column->kind == INT
               ? column_int(&reader->reading, found, path, &value->number, err)
               : column_duration(&reader->reading, found, path, &value->number, err);
}

static enum status set_column(struct reader *reader, const struct table_column *column,
                              struct err *err)
{
    const char *path;
    const struct found *found = find(reader, column, &path);
    enum column_kind kind = column->column->kind;
    if (kind == MESSAGE) {
        reader->fields[column->target] = (struct value){
            .kind = VALUE_TEXT, .text = message_text(&reader->message, &reader->reading)};
    } else if (!found) {
        return OK;
    } else if (kind == TAG || kind == TAG_ADDRESS) {
        reader->tags[column->target] = column_tag(&reader->reading, found, kind == TAG_ADDRESS);
    } else if (kind == TEXT) {
        set_text(reader, column->target, column_text(&reader->reading, found));
    } else {
        return set_number(reader, column, found, path, err);
    }
    return OK;
}

static bool any_field(const struct reader *reader, const struct schema *schema)
{
    for (size_t i = 0; i < schema->n_fields; i++) {
        if (reader->fields[i].kind != VALUE_ABSENT) {
            return true;
        }
    }
    return false;
}

static enum status set_columns(struct reader *reader, const struct table *table, struct err *err)
{
    memset(reader->tags, 0, table->schema.n_tags * sizeof *reader->tags);
    memset(reader->fields, 0, table->schema.n_fields * sizeof *reader->fields);
    reader->reading.cut = 0;
    for (size_t i = 0; i < table->n_columns; i++) {
        enum status status = set_column(reader, &table->columns[i], err);
        if (status != OK) {
            return status;
        }
    }
    reader->counts.cut += reader->reading.cut;
    return any_field(reader, &table->schema) ? OK : err_set(err, BAD_DATA, "no field has a value");
}

/* --- time --- */

static int64_t precision_ns(enum column_kind kind)
{
    switch (kind) {
    case TIME_S:
        return NS_PER_SECOND;
    case TIME_MS:
        return NS_PER_MS;
    case TIME_US:
        return 1000;
    default:
        return 1;
    }
}

/* Replaces the digits below the precision by those of the record's hash. False: out of range. */
static bool set_free_digits(int64_t *ns, int64_t precision, uint64_t hash)
{
    int64_t below = *ns % precision;
    below += below < 0 ? precision : 0;
    int64_t change = (int64_t)(hash % (uint64_t)precision) - below;
    return !__builtin_add_overflow(*ns, change, ns) && *ns >= TIME_MIN_NS && *ns <= TIME_MAX_NS;
}

static bool read_time(const struct parser *parser, struct slice text, int64_t last_modified_ns,
                      int64_t *ns)
{
    return parser->read_time ? parser->read_time(text, last_modified_ns, ns)
                             : timestamp_parse(text, ns);
}

/* Would the time be readable if the object's date were known? */
static bool lacks_date(const struct reader *reader, const struct parser *parser, struct slice text)
{
    int64_t ns;
    return reader->last_modified_ns == INT64_MIN && read_time(parser, text, 0, &ns);
}

static enum status set_time(struct reader *reader, const struct table *table, int64_t *ns,
                            struct err *err)
{
    const struct column *column = table->time.column;
    const char *path;
    const struct found *found = find(reader, &table->time, &path);
    if (!found) {
        return err_set(err, BAD_DATA, "%s: missing", column->paths[0]);
    }
    struct slice text = column_shown(&reader->reading, found);
    bool is_text = found->kind == JSON_STRING || found->kind == JSON_NUMBER;
    if (!is_text || !read_time(table->parser, text, reader->last_modified_ns, ns)) {
        bool undated = is_text && lacks_date(reader, table->parser, text);
        return column_refuse(&reader->reading, found, path,
                             undated ? "a time of day, and the object's date is not known "
                                       "(--last-modified would give it)"
                                     : "not a time",
                             err);
    }
    if (!set_free_digits(ns, precision_ns(column->kind), reader->hash)) {
        return column_refuse(&reader->reading, found, path, "a time out of range", err);
    }
    return OK;
}

/* --- identity --- */

/* Of the measurement and the tags, each with its length before it: no two lists of tags give the
 * same bytes. */
static uint64_t series_hash(struct reader *reader, const struct table *table)
{
    size_t len = sizeof table->measurement_hash;
    memcpy(reader->series, &table->measurement_hash, len);
    for (size_t i = 0; i < table->schema.n_tags; i++) {
        uint32_t tag_len = (uint32_t)reader->tags[i].len;
        memcpy(reader->series + len, &tag_len, sizeof tag_len);
        len += sizeof tag_len;
        if (tag_len) {
            memcpy(reader->series + len, reader->tags[i].at, tag_len);
            len += tag_len;
        }
    }
    return XXH3_64bits(reader->series, len);
}

enum status reader_read(struct reader *reader, struct slice record, struct point *out,
                        size_t *parser, struct err *err)
{
    reader->given = record;
    reader->hash = XXH3_64bits(record.at, record.len);
    enum status status = scan(reader, record, err);
    if (status == OK) {
        status = pick_parser(reader, parser, err);
    }
    if (status != OK) {
        return status;
    }
    const struct table *table = &reader->tables.at[*parser];
    *out = (struct point){&table->schema, reader->tags, reader->fields, 0};
    status = set_time(reader, table, &out->time_ns, err);
    if (status == OK) {
        status = set_columns(reader, table, err);
    }
    if (status != OK) {
        return status;
    }
    uint64_t series = series_hash(reader, table);
    return identity_claim(reader->identity, series, reader->hash, &out->time_ns) ? OK : AGAIN;
}

/* --- dead letters --- */

void reader_masked(struct reader *reader, struct slice record, struct buf *out)
{
    size_t room = out->max - out->len;
    size_t max_bytes = room < MASKED_MAX_BYTES ? room : MASKED_MAX_BYTES;
    bool was_read = record.at == reader->given.at && record.len == reader->given.len;
    if (was_read && reader->scanned) {
        message_masked(&reader->message, &reader->reading, max_bytes, out);
        return;
    }
    redact_bytes(was_read ? reader->reading.record : record, max_bytes, out);
}
