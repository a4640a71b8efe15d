/*
 * record: from the bytes of one record to one point. Holds the compiled tables of a job's parsers,
 * scans (data/extract), decides which parser a record belongs to by its top-level keys, fills the
 * columns, builds the redacted message, gives the point its time and sorts out duplicates
 * (data/identity).
 *
 * One reader belongs to one worker. Pure: no clock, no disk, no network.
 */
#ifndef DATA_RECORD_H
#define DATA_RECORD_H

#include "api/flow.h"
#include "api/parser.h"
#include "base/buf.h"

enum message_mode { MESSAGE_RAW, MESSAGE_FLAT, MESSAGE_NONE };

struct reader;

/* parsers: in the order of trying, 1 to 32. BAD_CONFIG when tables do not fit (too many columns, a
 * name twice, two parsers with one measurement but other columns, no time column). */
enum status reader_new(struct reader **out, const struct parser *const *parsers, size_t n_parsers,
                       enum message_mode message, struct err *err);
void reader_free(struct reader *reader);

/* The schema of parser i's points; lives as long as the reader. */
const struct schema *reader_schema(const struct reader *reader, size_t parser);

/* Begins an object: forgets the records seen before and notes what its name and date say.
 * last_modified_ns: INT64_MIN = unknown. */
void reader_begin(struct reader *reader, struct slice key, int64_t last_modified_ns);

/* Counters since reader_begin(). */
struct reader_counts {
    uint64_t duplicate_keys; /* declared keys that came twice in a record */
    uint64_t repaired;       /* U+FFFD put in place of bytes that are not UTF-8 */
    uint64_t cut;            /* texts and tags that were cut to their maximum */
};
const struct reader_counts *reader_counts(const struct reader *reader);

/*
 * Reads one record: line end trimmed, at most 1 MiB, followed by EXTRACT_PADDING readable bytes.
 *   OK        *out is the point, valid until the next call
 *   AGAIN     a duplicate: same series, time and bytes as an earlier record of the object
 *   BAD_DATA  a dead letter; err says why
 * *parser becomes the index of the parser that knows the record; when none does it stays as it is.
 */
enum status reader_read(struct reader *reader, struct slice record, struct point *out,
                        size_t *parser, struct err *err);

/* H of the last record given to reader_read: XXH3_64bits of its bytes, seed 0. */
uint64_t reader_hash(const struct reader *reader);

/* What a dead letter keeps of the last record: its text with secrets masked, at most 64 KiB. */
void reader_masked(struct reader *reader, struct slice record, struct buf *out);

/* A fingerprint of what decides the points' identity and types (measurement, tags, fields, paths,
 * precision): XXH3_64bits of a canonical text over all parsers. Message mode does not count. */
uint64_t reader_fingerprint(const struct reader *reader);

#endif
