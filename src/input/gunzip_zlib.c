/*
 * gunzip_zlib: the engine of zlib, always built. Called by gunzip.c through gunzip_engine.h. Only
 * raw deflate is asked of zlib; it is not trusted with gzip members.
 */
#include "input/gunzip_engine.h"

#include "base/memory.h"

#include <stdlib.h>
#include <zlib.h>

/* zlib allocates its window while inflating; running out of memory there is no damaged data. */
static void *zlib_allocate(void *opaque, unsigned items, unsigned size)
{
    (void)opaque;
    return memory_new((size_t)items * size);
}

static void zlib_release(void *opaque, void *memory)
{
    (void)opaque;
    free(memory);
}

static void *zlib_open(void)
{
    z_stream *stream = memory_new(sizeof *stream);
    stream->zalloc = zlib_allocate;
    stream->zfree = zlib_release;
    if (inflateInit2(stream, -MAX_WBITS) != Z_OK) {
        abort(); /* only a zlib other than the one we were compiled for */
    }
    return stream;
}

static void zlib_close(void *self)
{
    inflateEnd(self);
    free(self);
}

static void zlib_begin(void *self)
{
    inflateReset(self);
}

static enum inflate_verdict zlib_step(void *self, struct inflate_step *step)
{
    z_stream *stream = self;
    size_t offered = step->in.len < INFLATE_STEP_MAX_BYTES ? step->in.len : INFLATE_STEP_MAX_BYTES;
    stream->next_in = (Bytef *)step->in.at;
    stream->avail_in = (uInt)offered;
    stream->next_out = (Bytef *)step->out;
    stream->avail_out = (uInt)step->room;
    int result = inflate(stream, Z_NO_FLUSH);
    size_t taken = offered - stream->avail_in;
    step->in = slice_make(step->in.at + taken, step->in.len - taken);
    step->made = step->room - stream->avail_out;
    if (result == Z_STREAM_END) {
        return INFLATE_DONE;
    }
    return result == Z_OK || result == Z_BUF_ERROR ? INFLATE_MORE : INFLATE_DAMAGED;
}

static uint32_t zlib_crc32(uint32_t crc, struct slice bytes)
{
    return (uint32_t)crc32_z(crc, (const Bytef *)bytes.at, bytes.len);
}

const struct inflate_engine inflate_zlib = {
    .open = zlib_open,
    .close = zlib_close,
    .begin = zlib_begin,
    .step = zlib_step,
    .crc32 = zlib_crc32,
};
