/*
 * extract, the part that hides: which edits a record gets and what the slots may show, by
 * hand-written expectations; by the vector and the portable walk.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "data/extract.h"
#include "data/redact.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define R REDACTED_TEXT
#define RJ REDACTED_JSON

static const char *const paths[] = {"a", "b", "b.c", "token", "token.c"};
enum { A, B, B_C, TOKEN, TOKEN_C, N_PATHS };

static int setup(void **state)
{
    *state = extract_new(paths, N_PATHS, NULL, 0);
    return 0;
}

static int teardown(void **state)
{
    extract_free(*state);
    return 0;
}

/* The record with its edits applied, in out, which holds a padding too. */
static struct extracted edited(struct extract *extract, const char *text, bool portable,
                               struct buf *record, struct buf *out)
{
    buf_clear(record);
    buf_add_text(record, text);
    memset(buf_room(record, EXTRACT_PADDING), '"', EXTRACT_PADDING);
    struct extracted found;
    struct err err;
    enum status status = (portable ? extract_record_portable
                                   : extract_record)(extract, buf_slice(record), &found, &err);
    assert_int_equal(status, OK);
    size_t done = 0;
    buf_clear(out);
    for (size_t i = 0; i < found.n_edits; i++) {
        assert_in_range(found.edits[i].from, done, record->len);
        buf_add(out, slice_make(text + done, found.edits[i].from - done));
        buf_add(out, found.edits[i].with);
        done = found.edits[i].to;
    }
    buf_add_text(out, text + done);
    return found;
}

static void shows_as(struct extract *extract, const char *text, const char *expected)
{
    CLEANUP(buf_finish) struct buf record = {.max = 10000}, out = {.max = 10000};
    for (int portable = 0; portable < 2; portable++) {
        edited(extract, text, portable, &record, &out);
        assert_string_equal(buf_text(&out), expected);
        edited(extract, expected, portable, &record, &out);
        assert_string_equal(buf_text(&out), expected);
    }
}

static void hides_values_of_every_kind(void **state)
{
    shows_as(*state, "{\"password\":\"a\\\"b\",\"x\":1}", "{\"password\":" RJ ",\"x\":1}");
    shows_as(*state, "{\"password\":\"\"}", "{\"password\":" RJ "}");
    shows_as(*state, "{\"password\": -1.5 }", "{\"password\": " RJ " }");
    shows_as(*state, "{\"password\":true,\"q\":0}", "{\"password\":" RJ ",\"q\":0}");
    shows_as(*state, "{\"password\":null}", "{\"password\":null}");
    shows_as(*state, "{\"password\":{},\"q\":0}", "{\"password\":" RJ ",\"q\":0}");
    shows_as(*state, "{\"password\":[]}", "{\"password\":" RJ "}");
    shows_as(*state, "{\"password\":{\"token\":1,\"s\":\"/?token=1\",\"o\":[{}]},\"token\":2}",
             "{\"password\":" RJ ",\"token\":" RJ "}");
}

static void hides_at_any_depth(void **state)
{
    shows_as(*state,
             "{\"password\":{\"token\":{\"x\":1},\"y\":[{\"secret\":[2]}],\"z\":3},\"q\":4}",
             "{\"password\":" RJ ",\"q\":4}");
    shows_as(*state, "{\"x\":{\"y\":[1,[{\"z\":0,\"Cookie\":\"c\"}],{\"token\":1}]},\"v\":\"w\"}",
             "{\"x\":{\"y\":[1,[{\"z\":0,\"Cookie\":" RJ "}],{\"token\":" RJ "}]},\"v\":\"w\"}");
    shows_as(*state, "{\"pass\\u0077ord\":1,\"\\u0053ecret\":2,\"toke\\u006e\":3,\"tok\\n\":4}",
             "{\"pass\\u0077ord\":" RJ ",\"\\u0053ecret\":" RJ ",\"toke\\u006e\":" RJ
             ",\"tok\\n\":4}");
}

/* As deep as a record may be. */
static void hides_in_the_depths(void **state)
{
    enum { DEPTH = 998 };
    CLEANUP(buf_finish) struct buf record = {.max = 8 * 1024}, shown = {.max = 8 * 1024};
    for (int i = 0; i < DEPTH; i++) {
        buf_add_text(&record, i % 2 ? "[" : "{\"k\":");
    }
    buf_add(&shown, buf_slice(&record));
    buf_add_text(&record, "{\"password\":\"x\",\"token\":[1]}");
    buf_add_text(&shown, "{\"password\":" RJ ",\"token\":" RJ "}");
    for (int i = DEPTH; i-- > 0;) {
        buf_add_byte(&record, i % 2 ? ']' : '}');
        buf_add_byte(&shown, i % 2 ? ']' : '}');
    }
    shows_as(*state, buf_text(&record), buf_text(&shown));
}

static void hides_within_texts(void **state)
{
    shows_as(*state, "{\"u\":\"/k?X-Amz-Signature=0\\u0026a=b\",\"v\":\"/k?a=b\"}",
             "{\"u\":\"/k?X-Amz-Signature=" R "&a=b\",\"v\":\"/k?a=b\"}");
    shows_as(*state, "{\"u\":[\"{\\\"token\\\":1}\",\"[]\"]}",
             "{\"u\":[\"{\\\"token\\\":\\\"" R "\\\"}\",\"[]\"]}");
    shows_as(*state, "{\"u\":\"\\u005B{\\\"token\\\":\\\"x\\\"}]\"}",
             "{\"u\":\"[{\\\"token\\\":\\\"" R "\\\"}]\"}");
    shows_as(*state, "{\"u\":\"{\\\"token\\\":\\\"x\"}", "{\"u\":\"{\\\"token\\\":\\\"" R "\"}");
    shows_as(*state,
             "{\"u\":\"{\\\"v\\\":\\\"{\\\\\\\"w\\\\\\\":\\\\\\\"[{"
             "\\\\\\\\\\\\\\\"x\\\\\\\\\\\\\\\":\\\\\\\\\\\\\\\"{}"
             "\\\\\\\\\\\\\\\"}]\\\\\\\"}\\\"}\"}",
             "{\"u\":\"{\\\"v\\\":\\\"{\\\\\\\"w\\\\\\\":\\\\\\\"[{"
             "\\\\\\\\\\\\\\\"x\\\\\\\\\\\\\\\":\\\\\\\\\\\\\\\"" R
             "\\\\\\\\\\\\\\\"}]\\\\\\\"}\\\"}\"}");
}

static void assert_shown(struct found found, enum json_kind kind, const char *raw)
{
    assert_true(found.redacted);
    assert_int_equal(found.kind, kind);
    assert_int_equal(found.raw.len, strlen(raw));
    assert_memory_equal(found.raw.at, raw, found.raw.len);
}

static void slots_show_what_may_be_shown(void **state)
{
    CLEANUP(buf_finish) struct buf record = {.max = 1000}, out = {.max = 1000};
    for (int portable = 0; portable < 2; portable++) {
        struct extracted found = edited(*state,
                                        "{\"a\":\"{\\\"token\\\":1}\",\"b\":{\"c\":[1,{\"secret\":"
                                        "2}],\"d\":\"/?token=x\"},\"token\":{\"c\":5}}",
                                        portable, &record, &out);
        assert_shown(found.slots[A], JSON_STRING, "{\\\"token\\\":\\\"" R "\\\"}");
        assert_true(found.slots[A].escaped);
        assert_shown(found.slots[B], JSON_OBJECT,
                     "{\"c\":[1,{\"secret\":" RJ "}],\"d\":\"/?token=" R "\"}");
        assert_shown(found.slots[B_C], JSON_ARRAY, "[1,{\"secret\":" RJ "}]");
        assert_shown(found.slots[TOKEN], JSON_STRING, R);
        assert_shown(found.slots[TOKEN_C], JSON_STRING, R);
        assert_false(found.slots[TOKEN].escaped);
        found = edited(*state, "{\"token\":\"x\\n\"}", portable, &record, &out);
        assert_shown(found.slots[TOKEN], JSON_STRING, R);
        assert_false(found.slots[TOKEN].escaped);

        found = edited(*state, "{\"b\":{\"c\":\"x\"},\"password\":1,\"a\":[],\"token\":null}",
                       portable, &record, &out);
        assert_false(found.slots[A].redacted);
        assert_false(found.slots[B].redacted);
        assert_false(found.slots[B_C].redacted);
        assert_int_equal(found.slots[TOKEN].kind, JSON_NULL);
        found = edited(*state, "{\"token\":{\"c\":null}}", portable, &record, &out);
        assert_shown(found.slots[TOKEN], JSON_STRING, R);
        assert_int_equal(found.slots[TOKEN_C].kind, JSON_NULL);
    }
}

/* The cheap test before redact_is_secret lets no secret key pass, whatever its case and length. */
static void no_secret_key_is_overlooked(void **state)
{
    static const char *const names[] = {"authorization",
                                        "proxy-authorization",
                                        "cookie",
                                        "set-cookie",
                                        "x-amz-security-token",
                                        "x-amz-signature",
                                        "x-amz-credential",
                                        "signature",
                                        "x-amz--customer-key",
                                        "x-amz-a-customer-key",
                                        "x-amz-server-side-encryption-customer-key",
                                        "password",
                                        "0123456789abcdefpassword",
                                        "password0123456789abcdef0123456789abcdef",
                                        "secret",
                                        "secretx",
                                        "secret-of-some-length-beyond-two-steps-of-sixteen",
                                        "client_secret",
                                        "token",
                                        "0123456789abcdef0123456789abcdeftoken"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (unsigned capitals = 0; capitals < 16; capitals++) {
            char key[80] = {0}, text[100], expected[120];
            for (size_t at = 0; names[i][at]; at++) {
                bool upper = capitals >> at % 4 & 1;
                key[at] = (char)(upper ? toupper(names[i][at]) : names[i][at]);
            }
            snprintf(text, sizeof text, "{\"%s\":1}", key);
            snprintf(expected, sizeof expected, "{\"%s\":" RJ "}", key);
            shows_as(*state, text, expected);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hides_values_of_every_kind),
        cmocka_unit_test(hides_at_any_depth),
        cmocka_unit_test(hides_in_the_depths),
        cmocka_unit_test(hides_within_texts),
        cmocka_unit_test(slots_show_what_may_be_shown),
        cmocka_unit_test(no_secret_key_is_overlooked),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
