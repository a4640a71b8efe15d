/*
 * escape: see escape.h. A byte that needs a backslash comes about every tenth byte of an audit
 * record, so a loop that looks for the next one gains nothing from vectors. The vector versions do
 * not look at all: with AVX-512 VBMI2 every byte gets a backslash in front and the surplus ones are
 * squeezed out; with AVX every eight bytes are spread to up to sixteen by a shuffle that their
 * hits choose.
 */
#include "data/escape.h"

#include "data/rows.h"

#include <stdint.h>

#if defined(__x86_64__)
#define HAVE_VECTOR 1
#include <immintrin.h>
#else
#define HAVE_VECTOR 0
#endif

/* Which escaping a byte takes part in. */
enum { QUOTED = 1, MEASUREMENT = 2, TAG_PART = 4 };

static const unsigned char byte_classes[256] = {
    ['"'] = QUOTED,
    ['\\'] = QUOTED,
    [','] = MEASUREMENT | TAG_PART,
    [' '] = MEASUREMENT | TAG_PART,
    ['='] = TAG_PART,
};

static bool is_class(char byte, unsigned char class)
{
    return (byte_classes[(unsigned char)byte] & class) != 0;
}

static char *escape_class(char *to, struct slice text, unsigned char class)
{
    for (size_t i = 0; i < text.len; i++) {
        *to = '\\';
        to += is_class(text.at[i], class);
        *to++ = text.at[i];
    }
    return to;
}

/* --- texts --- */

#if HAVE_VECTOR

enum { STEP = 16, WIDE_STEP = 32 };

/* Where byte i of eight goes when the bits of `hits` say which of them get a backslash in front. */
#define PLACE(hits, i) ((i) + ROWS_BITS_BELOW(hits, (i) + 1))

/* clang-format off */
/* Where each of sixteen bytes comes from: the eight of the text are 8 to 15, a backslash is 0. */
#define SPREAD(hits)                                                                               \
    {[PLACE(hits, 0)] = 8,  [PLACE(hits, 1)] = 9,  [PLACE(hits, 2)] = 10, [PLACE(hits, 3)] = 11,   \
     [PLACE(hits, 4)] = 12, [PLACE(hits, 5)] = 13, [PLACE(hits, 6)] = 14, [PLACE(hits, 7)] = 15}
/* clang-format on */

static const unsigned char spreads[][STEP] = {ROWS_OF_BYTE(SPREAD)};

#define AVX __attribute__((target("avx,popcnt")))

AVX static inline uint64_t quoted_hits(__m128i bytes)
{
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                                    _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
}

/* How long the first n of 16 bytes become. */
AVX static inline size_t spread_len(uint64_t hits, size_t n)
{
    return n + (uint64_t)_mm_popcnt_u64(hits & ((1U << n) - 1));
}

/* The upper half of bytes, each with a backslash in front where its bit of hits is set. */
AVX static inline void spread_half(char *to, __m128i bytes, uint64_t hits)
{
    __m128i order = _mm_loadu_si128((const __m128i *)spreads[hits]);
    _mm_storeu_si128((__m128i *)to, _mm_shuffle_epi8(bytes, order));
}

AVX static inline char *spread_step(char *to, const char *at)
{
    const __m128i slashes = _mm_set1_epi8('\\');
    __m128i bytes = _mm_loadu_si128((const __m128i *)at);
    uint64_t hits = quoted_hits(bytes);
    spread_half(to, _mm_unpacklo_epi64(slashes, bytes), hits & 0xFF);
    spread_half(to + spread_len(hits, STEP / 2), _mm_unpackhi_epi64(slashes, bytes), hits >> 8);
    return to + spread_len(hits, STEP);
}

/* No branch depends on the text, and where a step writes only on how many hits there were before.
 * The last step goes over some of the one before it. */
AVX static char *quoted_avx(char *to, struct slice text)
{
    if (text.len < STEP) {
        return escape_class(to, text, QUOTED);
    }
    size_t rest = text.len % STEP;
    const char *end = text.at + text.len, *last = end - STEP;
    for (const char *at = text.at; at < end - rest; at += STEP) {
        to = spread_step(to, at);
    }
    if (rest) {
        uint64_t hits = quoted_hits(_mm_loadu_si128((const __m128i *)last));
        to = spread_step(to - spread_len(hits, STEP - rest), last);
    }
    return to;
}

#define VBMI2 __attribute__((target("avx512bw,avx512vl,avx512vbmi2,bmi2,popcnt")))

/* Every byte becomes a pair with a backslash; of the pairs' bytes, a mask bit each, the backslashes
 * of no hits are left out. */
VBMI2 static inline char *squeeze(char *to, __m256i bytes, unsigned wanted)
{
    unsigned hits = _mm256_cmpeq_epi8_mask(bytes, _mm256_set1_epi8('"')) |
                    _mm256_cmpeq_epi8_mask(bytes, _mm256_set1_epi8('\\'));
    __m512i pairs =
        _mm512_or_si512(_mm512_slli_epi16(_mm512_cvtepu8_epi16(bytes), 8), _mm512_set1_epi16('\\'));
    uint64_t kept = _pdep_u64(hits, UINT64_C(0x5555555555555555)) |
                    _pdep_u64(wanted, UINT64_C(0xAAAAAAAAAAAAAAAA));
    _mm512_storeu_si512(to, _mm512_maskz_compress_epi8(kept, pairs));
    return to + __builtin_popcountll(kept);
}

VBMI2 static char *quoted_vbmi2(char *to, struct slice text)
{
    size_t i = 0;
    for (; i + WIDE_STEP <= text.len; i += WIDE_STEP) {
        to = squeeze(to, _mm256_loadu_si256((const __m256i *)(text.at + i)), ~0U);
    }
    unsigned rest = (1U << (text.len - i)) - 1; /* zeros are no hits */
    return rest ? squeeze(to, _mm256_maskz_loadu_epi8(rest, text.at + i), rest) : to;
}

static bool has_avx(void)
{
    return __builtin_cpu_supports("avx") && __builtin_cpu_supports("popcnt");
}

static bool has_vbmi2(void)
{
    return __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("bmi2");
}

char *escape_quoted_to(char *to, struct slice text)
{
    if (has_vbmi2()) {
        return quoted_vbmi2(to, text);
    }
    return has_avx() ? quoted_avx(to, text) : escape_class(to, text, QUOTED);
}

char *escape_quoted_by(enum escape_version version, char *to, struct slice text)
{
    switch (version) {
    case ESCAPE_AVX:
        return has_avx() ? quoted_avx(to, text) : NULL;
    case ESCAPE_VBMI2:
        return has_vbmi2() ? quoted_vbmi2(to, text) : NULL;
    default:
        return escape_class(to, text, QUOTED);
    }
}

#else

char *escape_quoted_to(char *to, struct slice text)
{
    return escape_class(to, text, QUOTED);
}

char *escape_quoted_by(enum escape_version version, char *to, struct slice text)
{
    return version == ESCAPE_PORTABLE ? escape_class(to, text, QUOTED) : NULL;
}

#endif

/* --- names --- */

#if HAVE_VECTOR

/* Bytes that need a backslash, a byte of ones each. third: the class's byte beside ',' and ' '. */
static inline __m128i name_hits(__m128i bytes, __m128i third)
{
    return _mm_or_si128(_mm_cmpeq_epi8(bytes, third),
                        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(',')),
                                     _mm_cmpeq_epi8(bytes, _mm_set1_epi8(' '))));
}

/* Copies 16 bytes or more, the last step over some of the one before it. */
static inline __m128i copy_long(char *to, struct slice text, __m128i third)
{
    __m128i hits = _mm_setzero_si128();
    for (size_t i = 0; i < text.len; i += STEP) {
        size_t at = i + STEP <= text.len ? i : text.len - STEP;
        __m128i bytes = _mm_loadu_si128((const __m128i *)(text.at + at));
        _mm_storeu_si128((__m128i *)(to + at), bytes);
        hits = _mm_or_si128(hits, name_hits(bytes, third));
    }
    return hits;
}

/* Copies 8 to 16 bytes as two halves that may overlap. */
static inline __m128i copy_halves(char *to, struct slice text, __m128i third)
{
    size_t second = text.len - STEP / 2;
    __m128i head = _mm_loadl_epi64((const __m128i *)text.at);
    __m128i tail = _mm_loadl_epi64((const __m128i *)(text.at + second));
    _mm_storel_epi64((__m128i *)to, head);
    _mm_storel_epi64((__m128i *)(to + second), tail);
    return name_hits(_mm_unpacklo_epi64(head, tail), third);
}

/* Copies 4 to 8 bytes, likewise. */
static inline __m128i copy_quarters(char *to, struct slice text, __m128i third)
{
    size_t second = text.len - STEP / 4;
    uint32_t head, tail;
    memcpy(&head, text.at, sizeof head);
    memcpy(&tail, text.at + second, sizeof tail);
    memcpy(to, &head, sizeof head);
    memcpy(to + second, &tail, sizeof tail);
    return name_hits(_mm_set_epi32(0, 0, (int)tail, (int)head), third);
}

/* Names and values are mostly plain. */
static char *escape_name(char *to, struct slice text, unsigned char class)
{
    const __m128i third = _mm_set1_epi8(class == TAG_PART ? '=' : ',');
    if (text.len < STEP / 4) {
        return escape_class(to, text, class);
    }
    __m128i hits = text.len >= STEP       ? copy_long(to, text, third)
                   : text.len >= STEP / 2 ? copy_halves(to, text, third)
                                          : copy_quarters(to, text, third);
    return _mm_movemask_epi8(hits) == 0 ? to + text.len : escape_class(to, text, class);
}

#else

static char *escape_name(char *to, struct slice text, unsigned char class)
{
    return escape_class(to, text, class);
}

#endif

char *escape_measurement_to(char *to, struct slice text)
{
    return escape_name(to, text, MEASUREMENT);
}

char *escape_tag_to(char *to, struct slice text)
{
    return escape_name(to, text, TAG_PART);
}

/* --- JSON --- */

/* The value of four hexadecimal digits, or -1. */
static int hex4(const char *at)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        char low = at[i] | 0x20;
        if (at[i] >= '0' && at[i] <= '9') {
            value = value << 4 | (at[i] - '0');
        } else if (low >= 'a' && low <= 'f') {
            value = value << 4 | (low - 'a' + 10);
        } else {
            return -1;
        }
    }
    return value;
}

static char *put_character(char *to, uint32_t code)
{
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    if (code < 0x800) {
        *to++ = (char)(0xC0 | code >> 6);
    } else if (code < 0x10000) {
        *to++ = (char)(0xE0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
    } else {
        *to++ = (char)(0xF0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3F));
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
    }
    *to++ = (char)(0x80 | (code & 0x3F));
    return to;
}

static bool is_unit(const char *at, const char *end)
{
    return end - at >= 6 && at[0] == '\\' && at[1] == 'u' && hex4(at + 2) >= 0;
}

/* Decodes one \uXXXX, or two that are a surrogate pair (RFC 8259 section 7). */
static const char *unescape_unit(char **to, const char *at, const char *end)
{
    uint32_t code = (uint32_t)hex4(at + 2);
    at += 6;
    if (code >= 0xD800 && code <= 0xDBFF && is_unit(at, end)) {
        uint32_t low = (uint32_t)hex4(at + 2);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            *to = put_character(*to, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
            return at + 6;
        }
    }
    *to = put_character(*to, code >= 0xD800 && code <= 0xDFFF ? 0xFFFD : code);
    return at;
}

/* What stands after the backslash of a two-byte escape; others stand for themselves. */
static char unescape_letter(char letter)
{
    switch (letter) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return letter;
    }
}

bool json_unescape(struct buf *out, struct slice content)
{
    char *to = buf_room(out, content.len);
    if (!to) {
        return false;
    }
    const char *at = content.at, *end = content.at + content.len;
    while (at < end) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((slash ? slash : end) - at);
        memcpy(to, at, plain);
        to += plain;
        at += plain;
        if (at == end) {
            break;
        }
        if (is_unit(at, end)) {
            at = unescape_unit(&to, at, end);
        } else if (end - at >= 2) {
            *to++ = unescape_letter(at[1]);
            at += 2;
        } else {
            *to++ = *at++;
        }
    }
    out->len = (size_t)(to - out->at);
    return true;
}

static bool is_plain(char byte)
{
    return (unsigned char)byte >= 0x20 && byte != '"' && byte != '\\';
}

static void add_escape(struct buf *out, char byte)
{
    const char *letters = "b\bf\fn\nr\rt\t\"\"\\\\";
    for (const char *pair = letters; *pair; pair += 2) {
        if (pair[1] == byte) {
            buf_add(out, slice_make((const char[]){'\\', pair[0]}, 2));
            return;
        }
    }
    buf_printf(out, "\\u%04x", (unsigned)(unsigned char)byte);
}

bool json_escape(struct buf *out, struct slice text)
{
    size_t before = out->len;
    for (size_t at = 0; at < text.len && !out->overflow;) {
        size_t plain = at;
        while (plain < text.len && is_plain(text.at[plain])) {
            plain++;
        }
        buf_add(out, slice_make(text.at + at, plain - at));
        at = plain;
        if (at < text.len) {
            add_escape(out, text.at[at++]);
        }
    }
    if (out->overflow) {
        out->len = before;
        return false;
    }
    return true;
}
