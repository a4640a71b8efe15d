/*
 * scan_stops: the second pass over a text, over the bits of scan_mark.c: lists the offsets of its
 * stops. The walk of scan.c takes them one by one; where a string ends does not wait for where the
 * one before it ended. A list is of a part of the text only, so memory does not grow with it.
 */
#include "base/memory.h"
#include "data/rows.h"
#include "data/scan.h"

#if defined(__x86_64__)
#define HAVE_VECTOR 1
#include <immintrin.h>
#else
#define HAVE_VECTOR 0
#endif

static uint32_t *list_bits(const uint64_t *steps, size_t n, uint32_t from, uint32_t *to)
{
    for (size_t i = 0; i < n; i++, from += SCAN_STEP_BYTES) {
        for (uint64_t bits = steps[i]; bits; bits &= bits - 1) {
            *to++ = from + (uint32_t)__builtin_ctzll(bits);
        }
    }
    return to;
}

#if HAVE_VECTOR

/* Where bit i of a byte goes when those that are set come first, in order. */
#define PLACE(byte, i) \
    ((byte) & (1 << (i)) ? ROWS_BITS_BELOW(byte, i) : 7 - (i) + ROWS_BITS_BELOW(byte, i))

/* clang-format off */
#define NUMBERS(byte)                                                                              \
    {[PLACE(byte, 0)] = 0, [PLACE(byte, 1)] = 1, [PLACE(byte, 2)] = 2, [PLACE(byte, 3)] = 3,       \
     [PLACE(byte, 4)] = 4, [PLACE(byte, 5)] = 5, [PLACE(byte, 6)] = 6, [PLACE(byte, 7)] = 7}
/* clang-format on */

/* A row for each byte: the numbers of its bits that are set, then others. */
static const unsigned char numbers_of_bits[][8] = {ROWS_OF_BYTE(NUMBERS)};

#define AVX2 __attribute__((target("avx2,popcnt")))

/* The offsets of eight bits, wanted or not: the next byte's come over what was not. */
AVX2 static inline uint32_t *list_byte(unsigned char bits, __m256i from, uint32_t *to)
{
    __m128i numbers = _mm_loadl_epi64((const __m128i *)numbers_of_bits[bits]);
    _mm256_storeu_si256((__m256i *)to, _mm256_add_epi32(_mm256_cvtepu8_epi32(numbers), from));
    return to + __builtin_popcount(bits);
}

/* No branch depends on the bits. */
AVX2 static uint32_t *list_avx2(const uint64_t *steps, size_t n, uint32_t from, uint32_t *to)
{
    const __m256i eight = _mm256_set1_epi32(8);
    __m256i base = _mm256_set1_epi32((int)from);
    const unsigned char *at = (const unsigned char *)steps; /* the lowest bits first */
    for (size_t i = 0; i < n; i++) {
#pragma GCC unroll 8
        for (size_t byte = 0; byte < sizeof *steps; byte++) {
            to = list_byte(*at++, base, to);
            base = _mm256_add_epi32(base, eight);
        }
    }
    return to;
}

#define VBMI2 __attribute__((target("avx512bw,avx512vbmi2,popcnt")))

/* Of the numbers 0 to 63 those of the stops are squeezed together. */
VBMI2 static uint32_t *list_vbmi2(const uint64_t *steps, size_t n, uint32_t from, uint32_t *to)
{
    enum { LANES = 16 };
    static const unsigned char numbers[SCAN_STEP_BYTES] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    __m512i all = _mm512_loadu_si512(numbers);
    for (size_t i = 0; i < n; i++, from += SCAN_STEP_BYTES) {
        int count = __builtin_popcountll(steps[i]);
        __m512i wanted = _mm512_maskz_compress_epi8(steps[i], all);
        __m512i base = _mm512_set1_epi32((int)from);
        __m512i wide = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(wanted));
        _mm512_storeu_si512(to, _mm512_add_epi32(wide, base));
        if (count > LANES) {
            list_bits(&steps[i], 1, from, to);
        }
        to += count;
    }
    return to;
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
}

static bool has_vbmi2(void)
{
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi2");
}

#endif

uint32_t *scan_stops_by(enum scan_version version, const uint64_t *steps, size_t n, uint32_t from,
                        uint32_t *to)
{
#if HAVE_VECTOR
    if (version >= SCAN_AVX512 && has_vbmi2()) {
        return list_vbmi2(steps, n, from, to);
    }
    if (version >= SCAN_AVX2 && has_avx2()) {
        return list_avx2(steps, n, from, to);
    }
#else
    (void)version;
#endif
    return list_bits(steps, n, from, to);
}

bool scan_list_stops(struct scan *scan)
{
    struct scan_room *room = &scan->scanner->rooms[scan->level];
    size_t len = (size_t)(scan->end - scan->start);
    size_t first = scan->listed_steps, n = scan_mark_steps(len) - first;
    if (!n) {
        return false;
    }
    if (!room->stops) {
        room->stops = memory_new(SCAN_LIST_SIZE * sizeof *room->stops);
    }
    n = n < SCAN_LIST_STEPS ? n : SCAN_LIST_STEPS;
    uint32_t *end = scan_stops_by(scan->scanner->version, room->steps + first, n,
                                  (uint32_t)(first * SCAN_STEP_BYTES), room->stops);
    for (size_t i = 0; i < SCAN_LIST_ENDS; i++) {
        end[i] = (uint32_t)len;
    }
    scan->next_stop = room->stops;
    scan->listed_steps += n;
    return true;
}
