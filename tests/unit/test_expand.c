/* test_expand: ${...} against a made-up environment and made-up files. */
#include "base/cleanup.h"
#include "config/expand.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* --- the world outside --- */

static const char *environment(const char *name)
{
    static const char *const pairs[][2] = {
        {"TOKEN", "t0ken"},        {"EMPTY", ""},     {"FOLDER", "/run/creds"},
        {"REFERENCE", "${TOKEN}"}, {"NUMBER", "12x"}, {"TWO_LINES", "a\nb"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (strcmp(name, pairs[i][0]) == 0) {
            return pairs[i][1];
        }
    }
    return NULL;
}

static int read_file(const char *path, struct buf *out)
{
    static const struct {
        const char *path;
        struct slice content;
    } files[] = {
        {"/plain", SLICE_LITERAL("secret")},
        {"/newline", SLICE_LITERAL("secret\n")},
        {"/crlf", SLICE_LITERAL("secret\r\n")},
        {"/two", SLICE_LITERAL("secret\n\n")},
        {"/nul", SLICE_LITERAL("sec\0ret\n")},
        {"/empty", SLICE_LITERAL("")},
        {"/run/creds/x", SLICE_LITERAL("from creds\n")},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (strcmp(path, files[i].path) == 0) {
            return buf_add(out, files[i].content) ? 0 : EFBIG;
        }
    }
    return strcmp(path, "/locked") == 0 ? EACCES : ENOENT;
}

static const struct config_sources sources = {.environment = environment, .read_file = read_file};

/* --- expand --- */

static void expands_references(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expanded;
        bool from_outside;
    } rows[] = {
        {"", "", false},
        {"plain", "plain", false},
        {"${TOKEN}", "t0ken", true},
        {"a${TOKEN}b${TOKEN}", "at0kenbt0ken", true},
        {"${EMPTY}", "", true},
        {"${UNSET:-default}", "default", false},
        {"${EMPTY:-default}", "default", false},
        {"${TOKEN:-default}", "t0ken", true},
        {"${UNSET:-}", "", false},
        {"${UNSET:-a:-b}", "a:-b", false},
        {"${UNSET:-${TOKEN}}", "t0ken", true},
        {"${UNSET:-$${}", "${", false},
        {"${file:/plain}", "secret", true},
        {"${file:/newline}", "secret", true},
        {"${file:/crlf}", "secret", true},
        {"${file:/two}", "secret\n", true},
        {"${file:/empty}", "", true},
        {"${file:${FOLDER}/x}", "from creds", true},
        {"$${TOKEN}", "${TOKEN}", false},
        {"$$${TOKEN}", "$${TOKEN}", false},
        {"$TOKEN $ $$ } {", "$TOKEN $ $$ } {", false},
        /* what comes from outside is not looked at again */
        {"${REFERENCE}", "${TOKEN}", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(buf_finish) struct buf out = {.max = EXPAND_MAX_BYTES};
        bool from_outside;
        struct err err = {0};
        assert_int_equal(expand_text(slice_of(rows[i].text), &sources, &out, &from_outside, &err),
                         OK);
        assert_string_equal(buf_text(&out), rows[i].expanded);
        assert_int_equal(from_outside, rows[i].from_outside);
    }
}

static void refuses_references(void **state)
{
    (void)state;
    static const char no_name[] =
        "${...} does not name a variable or file (write $${ for a literal ${)";
    static const struct {
        const char *text, *reason;
    } rows[] = {
        {"${UNSET}", "the environment variable UNSET is not set"},
        {"${UNSET:-${OTHER}}", "the environment variable OTHER is not set"},
        {"${TOKEN", "${ without } (write $${ for a literal ${)"},
        {"${A:-${B}", "${ without } (write $${ for a literal ${)"},
        {"${}", no_name},
        {"${1}", no_name},
        {"${pass word}", no_name},
        {"${TOKEN-x}", no_name},
        {"${TOKEN:x}", no_name},
        {"${A:-${B:-${C:-x}}}", "${...} is nested too deep"},
        {"${file:/absent}", "${file:/absent}: No such file or directory"},
        {"${file:/locked}", "${file:/locked}: Permission denied"},
        /* the value of FOLDER is not shown */
        {"${file:${FOLDER}/absent}", "${file:${FOLDER}/absent}: No such file or directory"},
        {"${file:/nul}", "${file:/nul}: holds a NUL byte"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(buf_finish) struct buf out = {.max = EXPAND_MAX_BYTES};
        bool from_outside;
        struct err err = {0};
        assert_int_equal(expand_text(slice_of(rows[i].text), &sources, &out, &from_outside, &err),
                         BAD_CONFIG);
        assert_string_equal(err.text, rows[i].reason);
    }
}

static void limits_an_expansion(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf out = {.max = 9};
    bool from_outside;
    struct err err = {0};
    struct slice text = slice_of("${TOKEN}${TOKEN}"); /* 10 bytes */
    assert_int_equal(expand_text(text, &sources, &out, &from_outside, &err), BAD_CONFIG);
    assert_string_equal(err.text, "the value is too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expands_references),
        cmocka_unit_test(refuses_references),
        cmocka_unit_test(limits_an_expansion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
