/*
 * scan_mark: the first pass over a text: notes in a bit per byte where strings may end, where a 'w'
 * stands behind an 's', and whether there are '?' or bytes beyond ASCII at all. The walk of scan.c
 * then finds the end of a string in these bits without looking at its bytes. No branch depends on
 * the text.
 *
 * Reads whole steps of 64 bytes, up to 63 bytes beyond the end (EXTRACT_PADDING); what is read
 * there is not noted. The vector versions have a portable twin; tests hold one against the other.
 */
#include "data/scan.h"

#include "base/memory.h"

#if defined(__x86_64__)
#define HAVE_VECTOR 1
#include <immintrin.h>
#else
#define HAVE_VECTOR 0
#endif

enum { STEP = SCAN_BLOCK_BYTES };

/* What 64 bytes hold, a bit each. */
struct step {
    uint64_t stop, s, w, question, high;
};

static struct step step_bytes(const char *at)
{
    struct step step = {0};
    for (size_t i = 0; i < STEP; i++) {
        unsigned char byte = (unsigned char)at[i];
        step.stop |= (uint64_t)(byte == '"' || byte == '\\' || byte < 0x20) << i;
        step.s |= (uint64_t)((byte | 0x20) == 's') << i;
        step.w |= (uint64_t)((byte | 0x20) == 'w') << i;
        step.question |= (uint64_t)(byte == '?') << i;
        step.high |= (uint64_t)(byte >= 0x80) << i;
    }
    return step;
}

/* The last step: only its first n bytes are of the text; those beyond stop every string. */
static void cut_step(struct step *step, size_t n)
{
    uint64_t inside = (UINT64_C(1) << n) - 1;
    step->stop |= ~inside;
    step->w &= inside;
    step->question &= inside;
    step->high &= inside;
}

/* What each version does with its steps: inlined there, with its step inlined in turn. */
#define MARK_STEPS(step_at)                                                 \
    struct step seen = {0};                                                 \
    uint64_t s_before = 0; /* the last byte of the step before is an 's' */ \
    for (size_t i = 0; i <= len / STEP; i++) {                              \
        struct step step = step_at(at + i * STEP);                          \
        if (i == len / STEP) {                                              \
            cut_step(&step, len % STEP);                                    \
        }                                                                   \
        blocks[i].stop = step.stop;                                         \
        blocks[i].sw = step.w & (step.s << 1 | s_before);                   \
        s_before = step.s >> (STEP - 1);                                    \
        seen.question |= step.question;                                     \
        seen.high |= step.high;                                             \
    }                                                                       \
    return (struct scan_marks)                                              \
    {                                                                       \
        .questions = seen.question != 0, .ascii = !seen.high                \
    }

static struct scan_marks mark_bytes(struct scan_block *blocks, const char *at, size_t len)
{
    MARK_STEPS(step_bytes);
}

#if HAVE_VECTOR

#define AVX2 __attribute__((target("avx2")))

AVX2 static inline uint64_t mask_of(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
                                                     << 32;
}

AVX2 static inline __m256i stops_avx2(__m256i bytes)
{
    __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1F)), bytes);
    return _mm256_or_si256(
        _mm256_or_si256(control, _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"'))),
        _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\')));
}

AVX2 static inline __m256i letter_avx2(__m256i bytes, char lower)
{
    return _mm256_cmpeq_epi8(_mm256_or_si256(bytes, _mm256_set1_epi8(0x20)),
                             _mm256_set1_epi8(lower));
}

AVX2 static inline struct step step_avx2(const char *at)
{
    const __m256i question = _mm256_set1_epi8('?');
    __m256i low = _mm256_loadu_si256((const __m256i *)at);
    __m256i high = _mm256_loadu_si256((const __m256i *)(at + STEP / 2));
    return (struct step){
        .stop = mask_of(stops_avx2(low), stops_avx2(high)),
        .s = mask_of(letter_avx2(low, 's'), letter_avx2(high, 's')),
        .w = mask_of(letter_avx2(low, 'w'), letter_avx2(high, 'w')),
        .question = mask_of(_mm256_cmpeq_epi8(low, question), _mm256_cmpeq_epi8(high, question)),
        .high = mask_of(low, high),
    };
}

AVX2 static struct scan_marks mark_avx2(struct scan_block *blocks, const char *at, size_t len)
{
    MARK_STEPS(step_avx2);
}

#define AVX512 __attribute__((target("avx512bw")))

AVX512 static inline struct step step_avx512(const char *at)
{
    __m512i bytes = _mm512_loadu_si512(at);
    __m512i lower = _mm512_or_si512(bytes, _mm512_set1_epi8(0x20));
    return (struct step){
        .stop = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('"')) |
                _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\\')) |
                _mm512_cmplt_epu8_mask(bytes, _mm512_set1_epi8(0x20)),
        .s = _mm512_cmpeq_epi8_mask(lower, _mm512_set1_epi8('s')),
        .w = _mm512_cmpeq_epi8_mask(lower, _mm512_set1_epi8('w')),
        .question = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('?')),
        .high = _mm512_movepi8_mask(bytes),
    };
}

AVX512 static struct scan_marks mark_avx512(struct scan_block *blocks, const char *at, size_t len)
{
    MARK_STEPS(step_avx512);
}

#endif

struct scan_marks scan_mark_by(enum scan_version version, struct scan_block *blocks,
                               struct slice text)
{
#if HAVE_VECTOR
    if (version >= SCAN_AVX512 && __builtin_cpu_supports("avx512bw")) {
        return mark_avx512(blocks, text.at, text.len);
    }
    if (version >= SCAN_AVX2 && __builtin_cpu_supports("avx2")) {
        return mark_avx2(blocks, text.at, text.len);
    }
#else
    (void)version;
#endif
    return mark_bytes(blocks, text.at, text.len);
}

size_t scan_mark_blocks(size_t len)
{
    return len / STEP + 3; /* an escape may lead the walk a few bytes beyond the end */
}

void scan_mark(struct scan *scan)
{
    struct scan_room *room = &scan->scanner->rooms[scan->level];
    size_t len = (size_t)(scan->end - scan->start), n = scan_mark_blocks(len);
    if (n > room->blocks_size) {
        room->blocks_size = 2 * n;
        room->blocks = memory_grow(room->blocks, room->blocks_size * sizeof *room->blocks);
    }
    scan->blocks = room->blocks;
    scan->marks = scan_mark_by(scan->scanner->version, room->blocks, slice_make(scan->start, len));
    for (size_t i = len / STEP + 1; i < n; i++) {
        room->blocks[i] = (struct scan_block){.stop = ~UINT64_C(0)};
    }
}
