/* extract: what was found out about a key holds for that key, at that place, and for no other; and
 * records whose members are written as most are, but for one thing. Each by the vector and by the
 * portable walk. */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/memory.h"
#include "data/extract.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

typedef enum status (*reads)(struct extract *extract, struct slice record, struct extracted *out,
                             struct err *err);

static const reads walks[] = {extract_record, extract_record_portable};

#define EACH_WALK(walk) (const reads *walk = walks; walk < walks + 2; walk++)

struct trial {
    struct extract *extract;
    struct extracted out;
    char *record; /* the last one */
};

static void open_trial(struct trial *trial, const char *const *paths, size_t n)
{
    *trial = (struct trial){.extract = extract_new(paths, n, NULL, 0)};
}

static void close_trial(struct trial *trial)
{
    extract_free(trial->extract);
    free(trial->record);
}

static void accept(struct trial *trial, reads walk, struct slice text)
{
    struct err err;
    free(trial->record);
    trial->record = memory_new(text.len + EXTRACT_PADDING);
    memcpy(trial->record, text.at, text.len);
    assert_int_equal(walk(trial->extract, slice_make(trial->record, text.len), &trial->out, &err),
                     OK);
}

static void assert_raw(const struct trial *trial, size_t slot, const char *raw)
{
    const struct found *found = &trial->out.slots[slot];
    assert_int_equal(found->raw.len, strlen(raw));
    assert_memory_equal(found->raw.at, raw, found->raw.len);
}

/* --- keys --- */

enum { KEY_MAX = 60, RECORD_MAX = 3 * KEY_MAX };

/* A record with that key among others, the first, second or third. */
static void check_key(struct trial *trial, reads walk, const char *key, bool declared)
{
    static const char *const forms[] = {
        "{\"%s\": \"v\", \"w\": \"x\", \"y\": \"z\"}",
        "{\"w\": \"x\", \"%s\": \"v\", \"y\": \"z\"}",
        "{\"w\":1,\"%s\":\"v\"}",
    };
    for (size_t i = 0; i < 3; i++) {
        char record[RECORD_MAX];
        int len = snprintf(record, sizeof record, forms[i], key);
        accept(trial, walk, slice_make(record, (size_t)len));
        assert_int_equal(trial->out.slots[0].kind, declared ? JSON_STRING : JSON_ABSENT);
        assert_raw(trial, 0, declared ? "v" : "");
    }
}

/* Of every length; after it was met, the same with another byte at each place, shorter and longer.
 */
static void another_key_is_not_the_known_one(void **state)
{
    (void)state;
    for (size_t len = 1; len < KEY_MAX; len++) {
        char key[KEY_MAX + 1] = {0};
        for (size_t i = 0; i < len; i++) {
            key[i] = (char)('a' + (len + i) % 20);
        }
        const char *paths[] = {key};
        struct trial trial;
        open_trial(&trial, paths, 1);
        for
            EACH_WALK(walk)
            {
                for (size_t i = 0; i < len; i++) {
                    char other[KEY_MAX + 1];
                    memcpy(other, key, sizeof other);
                    check_key(&trial, *walk, key, true);
                    other[i] ^= 1;
                    check_key(&trial, *walk, other, false);
                    check_key(&trial, *walk, other, false);
                }
                check_key(&trial, *walk, key, true);
                check_key(&trial, *walk, key + 1, false);
            }
        close_trial(&trial);
    }
}

static void a_key_is_known_at_its_place_only(void **state)
{
    (void)state;
    static const char *const paths[] = {"k", "x.k", "x.x.k"};
    static const struct slice record =
        SLICE_LITERAL("{\"z\": {\"k\": \"0\", \"x\": \"0\"}, \"k\": \"1\", \"x\": {\"y\": {\"k\": "
                      "\"0\", \"x\": {}},"
                      " \"k\": \"2\", \"x\": {\"x\": {\"k\": \"0\"}, \"k\": \"3\", \"w\": 0}}, "
                      "\"l\": [{\"k\": 0}]}");
    struct trial trial;
    open_trial(&trial, paths, 3);
    for (int round = 0; round < 3; round++) {
        for
            EACH_WALK(walk)
            {
                accept(&trial, *walk, record);
                assert_raw(&trial, 0, "1");
                assert_raw(&trial, 1, "2");
                assert_raw(&trial, 2, "3");
                assert_int_equal(trial.out.duplicate_keys, 0);
            }
    }
    close_trial(&trial);
}

/* More keys than can be kept; every tenth is secret. */
static void many_keys_push_each_other_out(void **state)
{
    (void)state;
    enum { KEYS = 5000 };
    static const char *const paths[] = {"k7", "k4999"};
    CLEANUP(buf_finish) struct buf record = {.max = 1 << 20};
    buf_add_text(&record, "{");
    for (int i = 0; i < KEYS; i++) {
        buf_printf(&record, "\"k%d%s\": \"v%d\", ", i, i % 10 == 5 ? "_token" : "", i);
    }
    buf_add_text(&record, "\"last\": 0}");
    struct trial trial;
    open_trial(&trial, paths, 2);
    for (int round = 0; round < 3; round++) {
        for
            EACH_WALK(walk)
            {
                accept(&trial, *walk, buf_slice(&record));
                assert_raw(&trial, 0, "v7");
                assert_raw(&trial, 1, "v4999");
                assert_int_equal(trial.out.n_edits, KEYS / 10);
            }
    }
    close_trial(&trial);
}

/* A key with an escape is another text than it stands for. */
static void escapes_do_not_change_what_is_known(void **state)
{
    (void)state;
    static const char *const paths[] = {"k", "\\u006b"};
    struct trial trial;
    open_trial(&trial, paths, 2);
    for
        EACH_WALK(walk)
        {
            for (int round = 0; round < 2; round++) {
                accept(&trial, *walk, slice_of("{\"\\u006b\": \"1\", \"w\": \"x\", \"y\": \"z\"}"));
                assert_raw(&trial, 0, "1");
                assert_raw(&trial, 1, "");
                accept(&trial, *walk,
                       slice_of("{\"\\\\u006b\": \"2\", \"k\": \"3\", \"y\": \"z\"}"));
                assert_raw(&trial, 0, "3");
                assert_raw(&trial, 1, "2");
            }
        }
    close_trial(&trial);
}

static void what_is_under_a_secret_key_is_hidden_once(void **state)
{
    (void)state;
    static const struct slice record =
        SLICE_LITERAL("{\"token\": {\"token\": \"a\", \"k\": \"b\", \"l\": \"c\"}, \"k\": "
                      "{\"token\": \"d\", \"l\":"
                      " \"e\", \"m\": \"f\"}, \"l\": \"g\"}");
    static const char *const paths[] = {"token.k", "k.token", "k.l", "l"};
    struct trial trial;
    open_trial(&trial, paths, 4);
    for (int round = 0; round < 2; round++) {
        for
            EACH_WALK(walk)
            {
                accept(&trial, *walk, record);
                assert_int_equal(trial.out.n_edits, 2);
                assert_true(trial.out.slots[0].redacted && trial.out.slots[1].redacted);
                assert_raw(&trial, 2, "e");
                assert_raw(&trial, 3, "g");
            }
    }
    close_trial(&trial);
}

/* --- members --- */

#define MEMBERS "{\"a\": \"1\", \"bb\": \"2\", \"ccc\": \"3\", \"d\": {\"e\": \"4\", \"f\": \"5\"}}"

/* What follows in the buffer must not make the record whole. */
static void the_rest_behind_the_end_is_not_read(void **state)
{
    (void)state;
    static const char *const paths[] = {"a"};
    char buffer[sizeof MEMBERS + EXTRACT_PADDING] = MEMBERS;
    struct err err;
    struct trial trial;
    open_trial(&trial, paths, 1);
    for (size_t len = 0; len < strlen(MEMBERS); len++) {
        for
            EACH_WALK(walk)
            {
                enum status status =
                    (*walk)(trial.extract, slice_make(buffer, len), &trial.out, &err);
                assert_int_equal(status, BAD_DATA);
            }
    }
    close_trial(&trial);
}

/* One byte of the punctuation is another one. None of these is JSON. */
static void each_mark_must_be_there(void **state)
{
    (void)state;
    static const char *const paths[] = {"a"};
    static const char others[] = "x\\\"\n ";
    struct err err;
    struct trial trial;
    open_trial(&trial, paths, 1);
    for (size_t i = 0; i < strlen(MEMBERS) * strlen(others); i++) {
        char buffer[sizeof MEMBERS + EXTRACT_PADDING] = MEMBERS;
        char *mark = &buffer[i / strlen(others)], other = others[i % strlen(others)];
        bool white = *mark == ' ' && other <= ' ';
        if (isalnum((unsigned char)*mark) || *mark == other || white) {
            continue;
        }
        *mark = other;
        for
            EACH_WALK(walk)
            {
                struct slice record = slice_make(buffer, strlen(MEMBERS));
                assert_int_equal((*walk)(trial.extract, record, &trial.out, &err), BAD_DATA);
            }
    }
    close_trial(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_key_is_not_the_known_one),
        cmocka_unit_test(a_key_is_known_at_its_place_only),
        cmocka_unit_test(many_keys_push_each_other_out),
        cmocka_unit_test(escapes_do_not_change_what_is_known),
        cmocka_unit_test(what_is_under_a_secret_key_is_hidden_once),
        cmocka_unit_test(the_rest_behind_the_end_is_not_read),
        cmocka_unit_test(each_mark_must_be_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
