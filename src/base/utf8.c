/*
 * utf8: see utf8.h. Runs of ASCII are stepped over 64 bytes at a time; the rest goes sequence by
 * sequence. Called by data/record before the scan and by whoever cuts a text; it knows nothing of
 * JSON.
 */
#include "base/utf8.h"

#include <stdint.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* The bits of 64 bytes, or'ed together: the sign bits tell whether all are ASCII. */
static uint64_t any_bits(const unsigned char *at)
{
    uint64_t word[8];
    memcpy(word, at, sizeof word);
    return ((word[0] | word[1]) | (word[2] | word[3])) |
           ((word[4] | word[5]) | (word[6] | word[7]));
}

static size_t ascii_prefix(const unsigned char *at, size_t len)
{
    size_t done = 0;
    while (len - done >= 64 && !(any_bits(at + done) & UINT64_C(0x8080808080808080))) {
        done += 64;
    }
    while (done < len && at[done] < 0x80) {
        done++;
    }
    return done;
}

static bool within(unsigned char byte, unsigned least, unsigned most)
{
    return byte >= least && byte <= most;
}

/* The second byte decides about shortest form, surrogates and the end of the code space (RFC 3629
 * section 4). */
static bool second_fits(unsigned char lead, unsigned char second)
{
    switch (lead) {
    case 0xE0:
        return within(second, 0xA0, 0xBF);
    case 0xED:
        return within(second, 0x80, 0x9F);
    case 0xF0:
        return within(second, 0x90, 0xBF);
    case 0xF4:
        return within(second, 0x80, 0x8F);
    default:
        return within(second, 0x80, 0xBF);
    }
}

static size_t sequence_len(unsigned char lead)
{
    if (lead < 0x80) {
        return 1;
    }
    if (within(lead, 0xC2, 0xDF)) {
        return 2;
    }
    if (within(lead, 0xE0, 0xEF)) {
        return 3;
    }
    return within(lead, 0xF0, 0xF4) ? 4 : 0;
}

/* How many bytes at `at` belong together; *valid says whether they are a character or the maximal
 * subpart of an ill-formed one. */
static size_t sequence(const unsigned char *at, size_t left, bool *valid)
{
    size_t want = sequence_len(at[0]);
    size_t have = 1;
    if (want > 1 && left > 1 && second_fits(at[0], at[1])) {
        have = 2;
        while (have < want && have < left && within(at[have], 0x80, 0xBF)) {
            have++;
        }
    }
    *valid = have == want;
    return have;
}

size_t utf8_valid_prefix(struct slice text)
{
    const unsigned char *at = (const unsigned char *)text.at;
    size_t done = 0;
    while (done < text.len) {
        done += ascii_prefix(at + done, text.len - done);
        while (done < text.len && at[done] >= 0x80) {
            bool valid;
            size_t len = sequence(at + done, text.len - done, &valid);
            if (!valid) {
                return done;
            }
            done += len;
        }
    }
    return done;
}

size_t utf8_repair(struct slice text, struct buf *out)
{
    size_t repairs = 0;
    for (;;) {
        size_t good = utf8_valid_prefix(text);
        buf_add(out, slice_make(text.at, good));
        if (good == text.len) {
            return repairs;
        }
        bool valid;
        size_t bad = sequence((const unsigned char *)text.at + good, text.len - good, &valid);
        buf_add(out, slice_of(REPLACEMENT));
        repairs++;
        text = slice_make(text.at + good + bad, text.len - good - bad);
    }
}

struct slice utf8_cut(struct slice text, size_t max)
{
    if (text.len <= max) {
        return text;
    }
    while (max && ((unsigned char)text.at[max] & 0xC0) == 0x80) {
        max--;
    }
    return slice_make(text.at, max);
}
