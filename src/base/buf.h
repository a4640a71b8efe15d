/*
 * buf: bytes that grow, up to a maximum that is set at birth. Going over the maximum writes nothing
 * and sets .overflow, which stays set until buf_clear(): a writer of many pieces checks once, at
 * the end. CLEANUP(buf_finish) struct buf text = {.max = 64 * 1024};
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/slice.h"

#include <stdint.h>

struct buf {
    char *at;
    size_t len, size, max;
    bool overflow;
};

/* One that will be filled to its maximum of some MiB: it has all its room from the beginning, which
 * leaves no smaller selves behind. */
void buf_make_large(struct buf *buf, size_t max);

/* Room for `more` bytes behind len, or NULL (and .overflow) when that would pass the maximum. The
 * caller writes there and adds what it wrote to .len. */
char *buf_room(struct buf *buf, size_t more);

bool buf_add(struct buf *buf, struct slice bytes);
bool buf_add_text(struct buf *buf, const char *text);
bool buf_add_byte(struct buf *buf, char byte);
bool buf_add_int(struct buf *buf, int64_t number); /* decimal */
bool buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline struct slice buf_slice(const struct buf *buf)
{
    return (struct slice){buf->at, buf->len};
}

const char *buf_text(
    struct buf *buf);             /* NUL-terminated view, valid until the next change; never NULL */
void buf_clear(struct buf *buf);  /* keeps the memory */
void buf_finish(struct buf *buf); /* frees it */

#endif
