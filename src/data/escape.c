/*
 * escape: see escape.h. A byte that needs a backslash comes about every tenth byte of an audit
 * record, so a loop that looks for the next one gains nothing from vectors. The SSSE3 version does
 * not look at all: it spreads every four bytes to up to eight by a shuffle that their hits choose.
 */
#include "data/escape.h"

#include <stdint.h>

#if defined(__x86_64__) || defined(__i386__)
#define HAVE_SHUFFLE 1
#include <tmmintrin.h>
#else
#define HAVE_SHUFFLE 0
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

static size_t count_class(struct slice text, unsigned char class)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += is_class(text.at[i], class);
    }
    return count;
}

/* Whether more bytes would fit, without the mark of an overflow when not. */
static bool fits(const struct buf *out, size_t more)
{
    return !out->overflow && more <= out->max - out->len;
}

/* Twice the length is always enough; near the maximum the exact need decides. */
static char *escape_room(struct buf *out, struct slice text, unsigned char class)
{
    size_t worst = text.len * 2;
    return buf_room(out, fits(out, worst) ? worst : text.len + count_class(text, class));
}

static bool escape_class(struct buf *out, struct slice text, unsigned char class)
{
    char *to = escape_room(out, text, class);
    if (!to) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        *to = '\\';
        to += is_class(text.at[i], class);
        *to++ = text.at[i];
    }
    out->len = (size_t)(to - out->at);
    return true;
}

bool escape_measurement(struct buf *out, struct slice text)
{
    return escape_class(out, text, MEASUREMENT);
}

bool escape_tag(struct buf *out, struct slice text)
{
    return escape_class(out, text, TAG_PART);
}

bool escape_quoted_portable(struct buf *out, struct slice text)
{
    return escape_class(out, text, QUOTED);
}

#if HAVE_SHUFFLE

enum { STEP = 16, SPARE = 16 }; /* SPARE: what the last step may write beyond its result */

/* Row h tells where each of eight bytes comes from when the bits of h are the hits among four
 * bytes; B is the backslash in front of a hit, 0x80 makes a zero of it in the shuffle. */
#define B 0x80
static const unsigned char spreads[16][8] = {
    {0, 1, 2, 3},       {B, 0, 1, 2, 3},       {0, B, 1, 2, 3},       {B, 0, B, 1, 2, 3},
    {0, 1, B, 2, 3},    {B, 0, 1, B, 2, 3},    {0, B, 1, B, 2, 3},    {B, 0, B, 1, B, 2, 3},
    {0, 1, 2, B, 3},    {B, 0, 1, 2, B, 3},    {0, B, 1, 2, B, 3},    {B, 0, B, 1, 2, B, 3},
    {0, 1, B, 2, B, 3}, {B, 0, 1, B, 2, B, 3}, {0, B, 1, B, 2, B, 3}, {B, 0, B, 1, B, 2, B, 3},
};
#undef B

static const unsigned char spread_lens[16] = {4, 5, 5, 6, 5, 6, 6, 7, 5, 6, 6, 7, 6, 7, 7, 8};

__attribute__((target("ssse3"))) static inline char *spread_four(char *to, __m128i bytes,
                                                                 unsigned hits)
{
    __m128i spread = _mm_loadl_epi64((const __m128i *)spreads[hits]);
    __m128i slashes =
        _mm_and_si128(_mm_cmplt_epi8(spread, _mm_setzero_si128()), _mm_set1_epi8('\\'));
    _mm_storel_epi64((__m128i *)to, _mm_or_si128(_mm_shuffle_epi8(bytes, spread), slashes));
    return to + spread_lens[hits];
}

__attribute__((target("ssse3"))) static inline unsigned quoted_hits(__m128i bytes)
{
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                                    _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
}

/* All whole steps of text; to has room for twice that and SPARE. */
__attribute__((target("ssse3"))) static char *spread_steps(char *to, struct slice text)
{
    for (size_t i = 0; i + STEP <= text.len; i += STEP) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(text.at + i));
        unsigned hits = quoted_hits(bytes);
        if (!hits) {
            _mm_storeu_si128((__m128i *)to, bytes);
            to += STEP;
            continue;
        }
        to = spread_four(to, bytes, hits & 15);
        to = spread_four(to, _mm_srli_si128(bytes, 4), hits >> 4 & 15);
        to = spread_four(to, _mm_srli_si128(bytes, 8), hits >> 8 & 15);
        to = spread_four(to, _mm_srli_si128(bytes, 12), hits >> 12);
    }
    return to;
}

bool escape_quoted(struct buf *out, struct slice text)
{
    if (text.len < STEP || !fits(out, text.len * 2 + SPARE) || !__builtin_cpu_supports("ssse3")) {
        return escape_quoted_portable(out, text);
    }
    char *to = buf_room(out, text.len * 2 + SPARE);
    if (!to) {
        return false;
    }
    out->len = (size_t)(spread_steps(to, text) - out->at);
    size_t done = text.len & ~(size_t)(STEP - 1);
    return escape_quoted_portable(out, slice_make(text.at + done, text.len - done));
}

#else

bool escape_quoted(struct buf *out, struct slice text)
{
    return escape_quoted_portable(out, text);
}

#endif

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
