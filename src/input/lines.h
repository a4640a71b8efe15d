/*
 * lines: bytes in, records out, one per line. A line ends in LF or CRLF; the last may lack it;
 * lines of nothing but spaces, tabs and CR are passed over; a UTF-8 byte order mark at the start is
 * dropped. A record of more than 1 MiB is reported with its first 64 KiB, its length and its hash,
 * never held whole.
 */
#ifndef INPUT_LINES_H
#define INPUT_LINES_H

#include "input/gunzip.h"

enum { LINES_RECORD_MAX = 1024 * 1024, LINES_PADDING = 64, LINES_KEPT_BYTES = 64 * 1024 };

/* Receives records. What these return other than OK ends the splitting. */
struct record_sink {
    /* record: line end trimmed, followed by LINES_PADDING readable, initialised bytes; line counts
     * from 1, blank ones too */
    enum status (*record)(struct record_sink *to, struct slice record, uint64_t line,
                          struct err *err);
    /* too long: its first bytes, its whole length, its XXH3_64bits */
    enum status (*oversized)(struct record_sink *to, struct slice start, uint64_t len,
                             uint64_t hash, uint64_t line, struct err *err);
};

struct lines;

struct lines *lines_new(void);
void lines_free(struct lines *lines);
void lines_begin(struct lines *lines, struct record_sink *to);

/* Is a byte_sink: lines_sink(lines)->bytes(...) takes the inflated bytes. */
struct byte_sink *lines_sink(struct lines *lines);

/* After the last byte: delivers a last line without its end. */
enum status lines_end(struct lines *lines, struct err *err);

#endif
