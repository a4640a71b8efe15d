/*
 * Fuzz target of input/lines, against a simple splitter that has all bytes at once. The first byte
 * says how the rest comes in chunks. When it is below 8, 0xFE and a byte n in the rest stand for
 * n * 16 KiB letters, so that oversized records come from small inputs.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "input/lines.h"

#include <stdint.h>
#include <stdlib.h>
#include <xxhash.h>

enum {
    INPUT_MAX_BYTES = 3 << 19,
    LETTERS_BYTES = 16 * 1024,
    LETTERS_MARK = 0xFE,
    LETTERS_BELOW = 8
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct checker {
    struct record_sink sink; /* first: the sink is this */
    struct slice rest;       /* what the simple splitter has not looked at */
    uint64_t line;
};

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool is_blank(struct slice record)
{
    for (size_t at = 0; at < record.len; at++) {
        char c = record.at[at];
        if (c != ' ' && c != '\t' && c != '\r') {
            return false;
        }
    }
    return true;
}

/* The next record that is not blank; false at the end. */
static bool next_expected(struct checker *checker, struct slice *record)
{
    while (checker->rest.len) {
        const char *start = checker->rest.at;
        const char *lf = memchr(start, '\n', checker->rest.len);
        size_t len = lf ? (size_t)(lf - start) : checker->rest.len;
        size_t used = len < checker->rest.len ? len + 1 : len;
        checker->rest = slice_make(start + used, checker->rest.len - used);
        checker->line++;
        *record = slice_make(start, len && start[len - 1] == '\r' ? len - 1 : len);
        if (!is_blank(*record)) {
            return true;
        }
    }
    return false;
}

static enum status check_record(struct record_sink *to, struct slice record, uint64_t line,
                                struct err *err)
{
    (void)err;
    struct checker *checker = (struct checker *)to;
    struct slice expected;
    must(next_expected(checker, &expected));
    must(slice_equal(record, expected) && line == checker->line);
    must(record.len <= LINES_RECORD_MAX);
    unsigned sum = 0;
    for (size_t i = 0; i < LINES_PADDING; i++) {
        sum += (unsigned char)record.at[record.len + i];
    }
    must(sum <= LINES_PADDING * 255);
    return OK;
}

static enum status check_oversized(struct record_sink *to, struct slice start, uint64_t len,
                                   uint64_t hash, uint64_t line, struct err *err)
{
    (void)err;
    struct checker *checker = (struct checker *)to;
    struct slice expected;
    must(next_expected(checker, &expected));
    must(len == expected.len && len > LINES_RECORD_MAX && line == checker->line);
    must(hash == XXH3_64bits(expected.at, expected.len));
    must(slice_equal(start, slice_make(expected.at, LINES_KEPT_BYTES)));
    return OK;
}

static void expand(struct buf *to, bool letters, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!letters || data[i] != LETTERS_MARK || i + 1 == size) {
            buf_add_byte(to, (char)data[i]);
            continue;
        }
        size_t len = (size_t)data[++i] * LETTERS_BYTES;
        char *room = buf_room(to, len);
        if (room) {
            memset(room, data[i] % 2 ? ' ' : 'x', len);
            to->len += len;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    CLEANUP(buf_finish) struct buf bytes = {.max = INPUT_MAX_BYTES};
    expand(&bytes, data[0] < LETTERS_BELOW, data + 1, size - 1);
    struct slice rest = buf_slice(&bytes);
    struct checker checker = {.sink = {check_record, check_oversized}, .rest = rest};
    if (slice_starts(rest, "\xEF\xBB\xBF")) {
        checker.rest = slice_make(rest.at + 3, rest.len - 3);
    }
    struct lines *lines = lines_new();
    lines_begin(lines, &checker.sink);
    struct err err;
    size_t chunk = (data[0] + (size_t)1) * (1 + bytes.len / 4096); /* at most some 4096 chunks */
    while (rest.len) {
        size_t len = chunk < rest.len ? chunk : rest.len;
        CLEANUP_FREE char *exact = malloc(len); /* reads beyond a chunk are seen */
        memcpy(exact, rest.at, len);
        must(lines_sink(lines)->bytes(lines_sink(lines), slice_make(exact, len), &err) == OK);
        rest = slice_make(rest.at + len, rest.len - len);
    }
    must(lines_end(lines, &err) == OK);
    struct slice missing;
    must(!next_expected(&checker, &missing));
    lines_free(lines);
    return 0;
}
