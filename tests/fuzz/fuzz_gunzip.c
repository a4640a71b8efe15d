/*
 * Fuzz target of input/gunzip. The first byte says how the rest comes in chunks. Oracles: both
 * engines reach the same verdict and their bytes begin the same; one engine gives the same however
 * the chunks are cut. One difference is known and allowed: ISA-L takes codes that are incomplete.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "input/gunzip.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MAX_BYTES = 1 << 20, LOST_MAX = 261 /* of damaged data: a match and some symbols */ };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    struct byte_sink sink; /* first: the sink is this */
    enum status status;
    struct buf bytes;
};

static enum status collect(struct byte_sink *to, struct slice bytes, struct err *err)
{
    (void)err;
    if (bytes.len == 0 || !buf_add(&((struct outcome *)to)->bytes, bytes)) {
        abort(); /* an empty or too large delivery */
    }
    return OK;
}

static void outcome_finish(struct outcome *outcome)
{
    buf_finish(&outcome->bytes);
}

/* chunk: how many bytes at a time; 0 = all at once. */
static struct outcome inflate_with(enum gunzip_engine engine, struct slice bytes, size_t chunk)
{
    struct outcome outcome = {.sink = {collect}, .bytes = {.max = MAX_BYTES}};
    struct gunzip *gunzip = gunzip_new(engine, (struct gunzip_limits){.max_bytes = MAX_BYTES});
    struct err err;
    while (bytes.len && outcome.status == OK) {
        size_t len = chunk && chunk < bytes.len ? chunk : bytes.len;
        outcome.status = gunzip_put(gunzip, slice_make(bytes.at, len), &outcome.sink, &err);
        bytes = slice_make(bytes.at + len, bytes.len - len);
    }
    if (outcome.status == OK) {
        outcome.status = gunzip_end(gunzip, &outcome.sink, &err);
    }
    if (gunzip_inflated(gunzip) != (int64_t)outcome.bytes.len) {
        abort();
    }
    gunzip_free(gunzip);
    return outcome;
}

/* Whether zlib's complaint is that a code is not complete ("invalid distances set" and the like).
 */
static bool is_incomplete_code(struct slice bytes)
{
    bool incomplete = false;
    int result = Z_STREAM_END;
    while (bytes.len && result == Z_STREAM_END) {
        z_stream stream = {.next_in = (Bytef *)bytes.at, .avail_in = (uInt)bytes.len};
        if (inflateInit2(&stream, MAX_WBITS + 16) != Z_OK) {
            abort();
        }
        do {
            Bytef out[4096];
            stream.next_out = out;
            stream.avail_out = sizeof out;
            result = inflate(&stream, Z_NO_FLUSH);
        } while (result == Z_OK);
        incomplete =
            result == Z_DATA_ERROR && strstr(stream.msg, "invalid ") && strstr(stream.msg, " set");
        bytes = slice_make((const char *)stream.next_in, stream.avail_in);
        inflateEnd(&stream);
    }
    return incomplete;
}

static void check_engines(struct slice bytes, const struct outcome *zlib,
                          const struct outcome *isal)
{
    size_t both = zlib->bytes.len < isal->bytes.len ? zlib->bytes.len : isal->bytes.len;
    if (!slice_equal(slice_make(zlib->bytes.at, both), slice_make(isal->bytes.at, both))) {
        abort();
    }
    if (zlib->status != isal->status && !is_incomplete_code(bytes)) {
        abort();
    }
    size_t lost_max = isal->status == OK ? 0 : LOST_MAX;
    if (zlib->bytes.len > isal->bytes.len + lost_max) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct slice bytes = slice_make((const char *)data + 1, size - 1);
    CLEANUP(outcome_finish) struct outcome whole = inflate_with(GUNZIP_ZLIB, bytes, 0);
    CLEANUP(outcome_finish) struct outcome chunks = inflate_with(GUNZIP_ZLIB, bytes, data[0]);
    CLEANUP(outcome_finish) struct outcome other = inflate_with(GUNZIP_DEFAULT, bytes, data[0]);
    if (whole.status != chunks.status ||
        !slice_equal(buf_slice(&whole.bytes), buf_slice(&chunks.bytes))) {
        abort();
    }
    check_engines(bytes, &whole, &other);
    return 0;
}
