/*
 * extract against jansson, cJSON and its own twin on records with seeded random damage: records
 * written here and, where they are at hand, recorded ones of a real server.
 */
#include "../fuzz/extract_oracle.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <zlib.h>

#include <cmocka.h>

static const char *const records[] = {
    "{\"serviceAccountName\":\"backup\",\"auditEntry\":{\"version\":\"1\",\"time\":"
    "\"2026-03-01T08:15:30.25Z\",\"api\":{\"name\":\"GetObject\",\"bucket\":\"photos\",\"object\":"
    "\"a/\\u00e4 \\\"b\\\".jpg\",\"status\":\"OK\",\"statusCode\":200,\"timeToResponse\":"
    "\"1250000ns\"},\"requestQuery\":{\"X-Amz-Signature\":\"0a1b\",\"list-type\":\"2\"},"
    "\"requestHeader\":{\"Authorization\":\"AWS4-HMAC-SHA256 Credential=K/20260301, "
    "Signature=ab\",\"Referer\":\"https://h/?token=x\\u0026y=1#z\"},\"responseHeader\":{\"ETag\":"
    "\"5d41402abc4b2a76b9719d911017c592\"}},\"serviceAccountCreatorId\":\"ann@example.com\"}",
    "{ \"a\" : { \"b\" : { \"c\" : [ 1, -2.5e+3, true, false, null, \"\" ] } },\r\n \"b\":0,"
    "\"\":\"\\ud83d\\ude00\\u0000\", \"token\" : {\"a\":1}, \"q\":[[],{},[{\"password\":[1]}]] }",
    "{\"UserIdentity\":{\"UserName\":\"ann\"},\"ConsoleEvent\":{\"StatusCode\":0,"
    "\"EventResponse\":\"{\\\"access\\\":\\\"K\\\",\\\"secret\\\":\\\"s3cr3t\\\",\\\"nested\\\":"
    "\\\"{\\\\\\\"token\\\\\\\":1,\\\\\\\"u\\\\\\\":\\\\\\\"/?token=1\\\\\\\"}\\\"}\"}}",
    "{\"a\":\"[x] token=abc, \\\"cookie\\\": \\\"z\",\"a\":1,\"b\":[],\"b\":{},\"\\u0061\":3,"
    "\"pass\\u0077ord\":\"\\\\\\/\\b\\f\\n\\r\\t\"}",
};

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

/* Bytes that matter to JSON are likelier than others to do damage that is close to valid. */
static char random_byte(uint64_t *seed)
{
    static const char telling[] = "{}[]\":,\\/u0123456789.eE+-truefalsn \t\n\x01\x7F?=&;#'wW";
    uint64_t dice = next_random(seed);
    return dice % 8 ? telling[(dice >> 8) % (sizeof telling - 1)] : (char)(dice >> 16);
}

/* Replaces, inserts, removes, doubles or cuts. */
static void damage(uint64_t *seed, struct buf *text)
{
    size_t at = next_random(seed) % (text->len + 1);
    size_t len = next_random(seed) % 12;
    len = len < text->len - at ? len : text->len - at;
    switch (next_random(seed) % 6) {
    case 0:
    case 1:
        if (at < text->len) {
            text->at[at] = random_byte(seed);
        }
        break;
    case 2:
        buf_add_byte(text, ' ');
        memmove(text->at + at + 1, text->at + at, text->len - 1 - at);
        text->at[at] = random_byte(seed);
        break;
    case 3:
        memmove(text->at + at, text->at + at + len, text->len - at - len);
        text->len -= len;
        break;
    case 4:
        if (buf_room(text, len)) {
            memmove(text->at + at + len, text->at + at, text->len - at);
            text->len += len;
        }
        break;
    default:
        text->len = next_random(seed) % 10 ? text->len : at;
    }
}

struct counts {
    size_t taken, refused;
};

static void check(struct oracle *oracle, struct slice text, struct counts *counts)
{
    const char *wrong = oracle_check(oracle, text);
    if (wrong) {
        fail_msg("%s: %.*s", wrong, SLICE_ARG(text));
    }
    counts->taken += oracle->status == OK;
    counts->refused += oracle->status != OK;
}

static void check_damaged(struct oracle *oracle, uint64_t *seed, struct slice record, int rounds,
                          struct counts *counts)
{
    for (int round = 0; round < rounds; round++) {
        CLEANUP(buf_finish) struct buf text = {.max = record.len * 2 + 100};
        buf_add(&text, record);
        for (uint64_t faults = next_random(seed) % 4; faults; faults--) {
            damage(seed, &text);
        }
        check(oracle, buf_slice(&text), counts);
    }
}

static void agrees_on_damaged_records(void **state)
{
    uint64_t seed = 20220530;
    struct counts counts = {0};
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        check_damaged(*state, &seed, slice_of(records[i]), 15000, &counts);
    }
    /* or the damage says little */
    assert_true(counts.taken > 10000);
    assert_true(counts.refused > 10000);
}

/* Every byte value at every place of a small record. */
static void agrees_on_every_byte_everywhere(void **state)
{
    const char *record = "{\"a\":[1.5e3,true,null,\"x\\u0041\\n\"],\"b\":{\"token\":0} }";
    struct counts counts = {0};
    for (size_t at = 0; at < strlen(record); at++) {
        for (int byte = 0; byte < 256; byte++) {
            char text[100];
            memcpy(text, record, strlen(record));
            text[at] = (char)byte;
            check(*state, slice_make(text, strlen(record)), &counts);
        }
    }
    assert_true(counts.taken > 1000);
    assert_true(counts.refused > 1000);
}

/* --- recorded samples --- */

/* All of a file, inflated when it is gzip. */
static bool read_file(const char *path, struct buf *out)
{
    gzFile file = gzopen(path, "rb");
    if (!file) {
        return false;
    }
    int got;
    do {
        char *room = buf_room(out, 65536);
        assert_non_null(room);
        got = gzread(file, room, 65536);
        out->len += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    gzclose(file);
    return got == 0;
}

static size_t check_lines(struct oracle *oracle, struct slice text)
{
    uint64_t seed = 7;
    size_t n_lines = 0;
    while (text.len) {
        const char *lf = memchr(text.at, '\n', text.len);
        size_t len = lf ? (size_t)(lf - text.at) : text.len;
        struct slice line = slice_make(text.at, len && text.at[len - 1] == '\r' ? len - 1 : len);
        struct counts counts = {0};
        check(oracle, line, &counts);
        assert_true(counts.taken || !line.len);
        check_damaged(oracle, &seed, line, 3, &counts);
        size_t done = lf ? len + 1 : len;
        text = slice_make(text.at + done, text.len - done);
        n_lines++;
    }
    return n_lines;
}

static size_t check_folder(struct oracle *oracle, const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    size_t n_lines = 0;
    for (int i = 0; i < count; i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        CLEANUP(buf_finish) struct buf text = {.max = 1 << 26};
        const char *suffix = strrchr(path, '.');
        bool of_records = suffix && (strcmp(suffix, ".gz") == 0 || strcmp(suffix, ".jsonl") == 0);
        if (of_records && read_file(path, &text)) {
            n_lines += check_lines(oracle, buf_slice(&text));
        }
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
    }
    return n_lines;
}

static void agrees_on_recorded_samples(void **state)
{
    static const char *const folders[] = {"../shared/samples/lyve", "../shared/samples/lyve/auth0",
                                          "../shared/samples/lyve/minio-traffic/November-2026"};
    size_t n_lines = 0;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        n_lines += check_folder(*state, folders[i]);
    }
    if (!n_lines) {
        skip();
    }
    assert_true(n_lines > 1000);
}

static int setup(void **state)
{
    struct oracle *oracle = malloc(sizeof *oracle);
    assert_non_null(oracle);
    oracle_open(oracle);
    *state = oracle;
    return 0;
}

static int teardown(void **state)
{
    oracle_close(*state);
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_on_damaged_records),
        cmocka_unit_test(agrees_on_every_byte_everywhere),
        cmocka_unit_test(agrees_on_recorded_samples),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
