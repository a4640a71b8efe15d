/*
 * scan_mark: the first pass over a text: notes in a bit per byte where strings may end, and for the
 * whole text whether there are '?' or bytes beyond printable ASCII at all. No branch depends on the
 * text.
 *
 * Reads steps of 64 bytes, so up to EXTRACT_PADDING bytes beyond the end; what is read there is not
 * noted. The vector versions have a portable twin; tests hold one against the other.
 */
#include "data/scan.h"

#include "base/memory.h"

#if defined(__x86_64__)
#define HAVE_VECTOR 1
#include <immintrin.h>
#else
#define HAVE_VECTOR 0
#endif

enum { STEP = SCAN_STEP_BYTES, DELETE = 0x7F };

static bool is_stop(unsigned char byte)
{
    return byte == '"' || byte == '\\' || byte < 0x20;
}

static struct scan_marks mark_bytes(uint64_t *stops, const char *at, size_t len)
{
    struct scan_marks marks = {.ascii = true, .printable = true};
    memset(stops, 0, (len / STEP + 1) * sizeof *stops);
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)at[i];
        stops[i / STEP] |= (uint64_t)is_stop(byte) << i % STEP;
        marks.questions |= byte == '?';
        marks.ascii &= byte < 0x80;
        marks.printable &= byte < DELETE;
    }
    return marks;
}

#if HAVE_VECTOR

#define AVX2 __attribute__((target("avx2")))

/* The highest byte seen in each lane. A byte of `question` that is 0: there was one. */
struct seen_avx2 {
    __m256i highest, question;
};

AVX2 static inline uint32_t half_step_avx2(struct seen_avx2 *seen, __m256i bytes)
{
    seen->highest = _mm256_max_epu8(seen->highest, bytes);
    seen->question =
        _mm256_min_epu8(seen->question, _mm256_xor_si256(bytes, _mm256_set1_epi8('?')));

    __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1F)), bytes);
    __m256i quote = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"'));
    __m256i slash = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\'));
    return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(control, _mm256_or_si256(quote, slash)));
}

/* The first n of 32 bytes; 'x', which is nothing special, in place of the others. n may be negative
 * or more than 32. */
AVX2 static inline __m256i first_avx2(const char *at, int64_t n)
{
    const __m256i numbers =
        _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
                         21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
    __m256i wanted = _mm256_cmpgt_epi8(_mm256_set1_epi8((char)n), numbers);
    return _mm256_blendv_epi8(_mm256_set1_epi8('x'), _mm256_loadu_si256((const __m256i *)at),
                              wanted);
}

AVX2 static struct scan_marks mark_avx2(uint64_t *stops, const char *at, size_t len)
{
    enum { HALF = STEP / 2 };
    struct seen_avx2 seen = {_mm256_setzero_si256(), _mm256_set1_epi8(-1)};
    size_t i = 0;
    for (; i < len / STEP; i++, at += STEP) {
        __m256i low = _mm256_loadu_si256((const __m256i *)at);
        __m256i high = _mm256_loadu_si256((const __m256i *)(at + HALF));
        uint32_t low_stops = half_step_avx2(&seen, low);
        stops[i] = (uint64_t)half_step_avx2(&seen, high) << HALF | low_stops;
    }
    int64_t rest = (int64_t)(len % STEP);
    uint32_t low_stops = half_step_avx2(&seen, first_avx2(at, rest));
    uint32_t high_stops = half_step_avx2(&seen, first_avx2(at + HALF, rest - HALF));
    stops[i] = (uint64_t)high_stops << HALF | low_stops;
    __m256i zero = _mm256_setzero_si256();
    return (struct scan_marks){
        .questions = _mm256_movemask_epi8(_mm256_cmpeq_epi8(seen.question, zero)) != 0,
        .ascii = _mm256_movemask_epi8(seen.highest) == 0,
        .printable =
            _mm256_movemask_epi8(_mm256_cmpeq_epi8(
                _mm256_max_epu8(seen.highest, _mm256_set1_epi8(DELETE)), seen.highest)) == 0,
    };
}

#define AVX512 __attribute__((target("avx512bw")))

/* The same, of twice the width. */
struct seen_avx512 {
    __m512i highest, question;
};

AVX512 static inline uint64_t step_avx512(struct seen_avx512 *seen, __m512i bytes)
{
    seen->highest = _mm512_max_epu8(seen->highest, bytes);
    seen->question =
        _mm512_min_epu8(seen->question, _mm512_xor_si512(bytes, _mm512_set1_epi8('?')));
    return _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('"')) |
           _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\\')) |
           _mm512_cmplt_epu8_mask(bytes, _mm512_set1_epi8(' '));
}

AVX512 static struct scan_marks mark_avx512(uint64_t *stops, const char *at, size_t len)
{
    struct seen_avx512 seen = {_mm512_setzero_si512(), _mm512_set1_epi8(-1)};
    size_t i = 0;
    for (; i < len / STEP; i++, at += STEP) {
        stops[i] = step_avx512(&seen, _mm512_loadu_si512(at));
    }
    uint64_t inside = (UINT64_C(1) << len % STEP) - 1; /* the others become zeros */
    stops[i] = inside & step_avx512(&seen, _mm512_maskz_loadu_epi8(inside, at));
    return (struct scan_marks){
        .questions = _mm512_testn_epi8_mask(seen.question, seen.question) != 0,
        .ascii = _mm512_movepi8_mask(seen.highest) == 0,
        .printable = _mm512_cmpge_epu8_mask(seen.highest, _mm512_set1_epi8(DELETE)) == 0,
    };
}

#endif

struct scan_marks scan_mark_by(enum scan_version version, uint64_t *stops, struct slice text)
{
#if HAVE_VECTOR
    if (version >= SCAN_AVX512 && __builtin_cpu_supports("avx512bw")) {
        return mark_avx512(stops, text.at, text.len);
    }
    if (version >= SCAN_AVX2 && __builtin_cpu_supports("avx2")) {
        return mark_avx2(stops, text.at, text.len);
    }
#else
    (void)version;
#endif
    return mark_bytes(stops, text.at, text.len);
}

size_t scan_mark_steps(size_t len)
{
    return len / STEP + 1;
}

void scan_mark(struct scan *scan)
{
    struct scan_room *room = &scan->scanner->rooms[scan->level];
    size_t len = (size_t)(scan->end - scan->start), n = scan_mark_steps(len);
    if (n > room->steps_size) {
        room->steps_size = 2 * n;
        room->steps = memory_grow(room->steps, room->steps_size * sizeof *room->steps);
    }
    scan->marks = scan_mark_by(scan->scanner->version, room->steps, slice_make(scan->start, len));
}
