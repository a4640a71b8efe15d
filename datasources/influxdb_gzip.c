/*
 * influxdb_gzip: packs a request body as one gzip member, at the fastest level: ISA-L where it was
 * found at build time (some five times as fast as zlib), zlib otherwise. Called by influxdb_send.
 * Not the reading side: that is input/gunzip.
 */
#include "influxdb.h"

#include "base/cleanup.h"
#include "base/memory.h"

#ifdef HAVE_ISAL
#include <isa-l/igzip_lib.h>
#endif
#include <zlib.h>

enum { FASTEST = 1, GZIP_WRAPPER = 16, MEMORY_LEVEL = 8, STEP_BYTES = 256 * 1024 };

bool influxdb_gzip_zlib(struct slice bytes, struct buf *out)
{
    z_stream stream = {.next_in = (unsigned char *)bytes.at, .avail_in = (unsigned)bytes.len};
    if (deflateInit2(&stream, FASTEST, Z_DEFLATED, MAX_WBITS + GZIP_WRAPPER, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        return false;
    }
    size_t bound = deflateBound(&stream, bytes.len);
    buf_clear(out);
    char *room = buf_room(out, bound);
    bool packed = false;
    if (room) {
        stream.next_out = (unsigned char *)room;
        stream.avail_out = (unsigned)bound;
        packed = deflate(&stream, Z_FINISH) == Z_STREAM_END;
        out->len = stream.total_out;
    }
    deflateEnd(&stream);
    return packed;
}

#ifdef HAVE_ISAL

static bool influxdb_gzip_isal(struct slice bytes, struct buf *out)
{
    CLEANUP_FREE struct isal_zstream *stream = memory_new(sizeof *stream);
    CLEANUP_FREE uint8_t *level_buf = memory_new(ISAL_DEF_LVL1_DEFAULT);
    isal_deflate_init(stream);
    stream->level = FASTEST;
    stream->level_buf = level_buf;
    stream->level_buf_size = ISAL_DEF_LVL1_DEFAULT;
    stream->gzip_flag = IGZIP_GZIP;
    stream->end_of_stream = 1;
    stream->next_in = (uint8_t *)bytes.at;
    stream->avail_in = (uint32_t)bytes.len;
    buf_clear(out);
    while (stream->internal_state.state != ZSTATE_END) {
        char *room = buf_room(out, STEP_BYTES);
        if (!room) {
            return false;
        }
        stream->next_out = (uint8_t *)room;
        stream->avail_out = STEP_BYTES;
        if (isal_deflate(stream) != COMP_OK) {
            return false;
        }
        out->len += STEP_BYTES - stream->avail_out;
    }
    return true;
}

#endif

bool influxdb_gzip(struct slice bytes, struct buf *out)
{
#ifdef HAVE_ISAL
    return influxdb_gzip_isal(bytes, out);
#else
    return influxdb_gzip_zlib(bytes, out);
#endif
}
