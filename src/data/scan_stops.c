/*
 * scan_stops: the second pass over a text, over the bits of scan_mark.c: lists the offsets of its
 * stops. The walk of scan.c takes them one by one; where a string ends does not wait for where the
 * one before it ended. A list is of a part of the text only, so memory does not grow with it.
 */
#include "base/memory.h"
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

#define BMI __attribute__((target("avx2,bmi,popcnt")))

/* Eight at a time, wanted or not: how many there are is hard to foretell, whether there are more
 * than eight or sixteen is not. */
BMI static inline uint64_t list_eight(uint64_t bits, uint32_t from, uint32_t *to)
{
    for (int i = 0; i < 8; i++) {
        to[i] = from + (uint32_t)_tzcnt_u64(bits);
        bits = _blsr_u64(bits);
    }
    return bits;
}

BMI static uint32_t *list_bmi(const uint64_t *steps, size_t n, uint32_t from, uint32_t *to)
{
    for (size_t i = 0; i < n; i++, from += SCAN_STEP_BYTES) {
        int count = __builtin_popcountll(steps[i]);
        uint64_t rest = list_eight(steps[i], from, to);
        for (int done = 8; done < count; done += 8) {
            rest = list_eight(rest, from, to + done);
        }
        to += count;
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

static bool has_vbmi2(void)
{
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi2");
}

static bool has_bmi(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
}

#endif

uint32_t *scan_stops_by(enum scan_version version, const uint64_t *steps, size_t n, uint32_t from,
                        uint32_t *to)
{
#if HAVE_VECTOR
    if (version >= SCAN_AVX512 && has_vbmi2()) {
        return list_vbmi2(steps, n, from, to);
    }
    if (version >= SCAN_AVX2 && has_bmi()) {
        return list_bmi(steps, n, from, to);
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
