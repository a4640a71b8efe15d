/*
 * gunzip: bytes of an object in, inflated bytes out. Decides by the first two bytes (1f 8b) whether
 * the object is gzip at all; other bytes pass through. Members that follow one another are one
 * stream; zero bytes after the last member are padding (as gzip(1) has it); anything else there is
 * damage. CRC and length of each member are checked (RFC 1952). Two engines behind one seam: ISA-L
 * where it was found at build time, zlib always.
 */
#ifndef INPUT_GUNZIP_H
#define INPUT_GUNZIP_H

#include "api/status.h"
#include "base/slice.h"

#include <stdint.h>

/* Receives inflated bytes; at most 128 KiB at a time. What it returns other than OK ends the
 * inflating. */
struct byte_sink {
    enum status (*bytes)(struct byte_sink *to, struct slice bytes, struct err *err);
};

enum gunzip_engine { GUNZIP_DEFAULT, GUNZIP_ZLIB, GUNZIP_ISAL };

struct gunzip_limits {
    int64_t max_bytes; /* inflated; 0 = 32 GiB */
    int64_t max_ratio; /* inflated to stored, beyond the first 64 MiB inflated; 0 = 250 */
};

struct gunzip; /* reused from object to object */

/* NULL when the engine was not built in. */
struct gunzip *gunzip_new(enum gunzip_engine engine, struct gunzip_limits limits);
void gunzip_free(struct gunzip *gunzip);

void gunzip_begin(struct gunzip *gunzip); /* before each object, also after an abandoned one */

/* BAD_DATA: damaged gzip, or over a limit; what could be inflated before was delivered. Else what
 * `to` returned. */
enum status gunzip_put(struct gunzip *gunzip, struct slice bytes, struct byte_sink *to,
                       struct err *err);

/* After the last byte. BAD_DATA: the gzip stream ends in the middle ("ends after N bytes"). */
enum status gunzip_end(struct gunzip *gunzip, struct byte_sink *to, struct err *err);

int64_t gunzip_inflated(const struct gunzip *gunzip); /* bytes delivered since begin */

#endif
