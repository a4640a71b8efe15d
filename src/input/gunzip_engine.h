/*
 * gunzip_engine: the seam between gunzip.c, which knows gzip (RFC 1952), and the two libraries that
 * know deflate (RFC 1951). An engine inflates one raw deflate stream and nothing else: headers,
 * trailers, limits and members are gunzip.c's, so that both engines agree on them by construction.
 */
#ifndef INPUT_GUNZIP_ENGINE_H
#define INPUT_GUNZIP_ENGINE_H

#include "base/slice.h"

#include <stdint.h>

enum { INFLATE_UNREAD_MAX = 8, INFLATE_STEP_MAX_BYTES = 1 << 30 };

enum inflate_verdict {
    INFLATE_MORE,    /* needs more input, or more room */
    INFLATE_DONE,    /* the stream has ended, all its output was given */
    INFLATE_DAMAGED, /* not deflate; what was decoded before was given, perhaps but for a last match
                      */
};

struct inflate_step {
    struct slice in; /* what there is; step() moves it past what it took (not when
                        damaged) */
    char *out;       /* where inflated bytes go */
    size_t room;
    size_t made; /* set by step(): how many came out */
    /* Set with INFLATE_DONE: bytes that the engine took ahead though they follow the stream, in
     * order, perhaps from an earlier step's input. They come before what is left of `in`. */
    unsigned char unread[INFLATE_UNREAD_MAX];
    size_t n_unread;
};

struct inflate_engine {
    void *(*open)(void);
    void (*close)(void *self);
    void (*begin)(void *self); /* before each stream */
    enum inflate_verdict (*step)(void *self, struct inflate_step *step);
    uint32_t (*crc32)(uint32_t crc, struct slice bytes); /* of RFC 1952, from 0 */
};

extern const struct inflate_engine inflate_zlib;
extern const struct inflate_engine inflate_isal; /* only with HAVE_ISAL */

#endif
