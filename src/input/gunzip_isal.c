/*
 * gunzip_isal: the engine of Intel's ISA-L, built where the library was found; more than twice as
 * fast as zlib. Called by gunzip.c through gunzip_engine.h.
 *
 * ISA-L looks up several symbols at once and accepts codes that zlib refuses as incomplete. So on
 * damaged data it may stop a little earlier or later than zlib; on sound data both give the same.
 */
#include "input/gunzip_engine.h"

#include "base/memory.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>

static void *isal_open(void)
{
    struct inflate_state *state = memory_new(sizeof *state);
    isal_inflate_init(state);
    state->crc_flag = ISAL_DEFLATE;
    return state;
}

static void isal_close(void *self)
{
    free(self);
}

static void isal_begin(void *self)
{
    isal_inflate_reset(self);
}

/* ISA-L reads up to eight bytes ahead into a register: the bits of the last byte of the stream,
 * then the bytes that follow it. */
static void hand_back(const struct inflate_state *state, struct inflate_step *step)
{
    uint64_t ahead = state->read_in >> (state->read_in_length % 8);
    step->n_unread = (size_t)state->read_in_length / 8;
    for (size_t i = 0; i < step->n_unread; i++) {
        step->unread[i] = (unsigned char)(ahead >> (8 * i));
    }
}

/* What is sound of `made` bytes after an error. ISA-L moves next_out behind a match before it finds
 * the match's distance to be invalid: then the last bytes were never written. */
static size_t sound_bytes(size_t made, int result)
{
    if (result == ISAL_INVALID_BLOCK) {
        return made; /* found in a block's header, no match is open */
    }
    return made > ISAL_DEF_MAX_MATCH ? made - ISAL_DEF_MAX_MATCH : 0;
}

/* Counts by next_in and next_out: after an error, avail_in and avail_out are wrong and may even
 * have wrapped around. */
static enum inflate_verdict isal_step(void *self, struct inflate_step *step)
{
    struct inflate_state *state = self;
    size_t offered = step->in.len < INFLATE_STEP_MAX_BYTES ? step->in.len : INFLATE_STEP_MAX_BYTES;
    state->next_in = (uint8_t *)step->in.at;
    state->avail_in = (uint32_t)offered;
    state->next_out = (uint8_t *)step->out;
    state->avail_out = (uint32_t)step->room;
    int result = isal_inflate(state);
    step->made = (size_t)((char *)state->next_out - step->out);
    if (result < 0) {
        step->made = sound_bytes(step->made, result);
        return INFLATE_DAMAGED;
    }
    size_t taken = (size_t)((const char *)state->next_in - step->in.at);
    step->in = slice_make(step->in.at + taken, step->in.len - taken);
    if (state->block_state != ISAL_BLOCK_FINISH) {
        return INFLATE_MORE;
    }
    hand_back(state, step);
    return INFLATE_DONE;
}

static uint32_t isal_crc32(uint32_t crc, struct slice bytes)
{
    return crc32_gzip_refl(crc, (const unsigned char *)bytes.at, bytes.len);
}

const struct inflate_engine inflate_isal = {
    .open = isal_open,
    .close = isal_close,
    .begin = isal_begin,
    .step = isal_step,
    .crc32 = isal_crc32,
};
