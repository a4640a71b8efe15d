/* test_values: numbers as operators write them, and names that they misspell. */
#include "config/nearest.h"
#include "config/values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* --- values --- */

static void reads_numbers(void **state)
{
    (void)state;
    static const struct {
        bool (*read)(struct slice text, int64_t *out);
        const char *text;
        int64_t number;
    } rows[] = {
        {value_int, "0", 0},
        {value_int, "-12", -12},
        {value_int, "+7", 7},
        {value_int, "0007", 7},
        {value_int, "9223372036854775807", INT64_MAX},
        {value_bytes, "1024", 1024},
        {value_bytes, "0", 0},
        {value_bytes, "3B", 3},
        {value_bytes, "1kB", 1000},
        {value_bytes, "1KB", 1000},
        {value_bytes, "1KiB", 1024},
        {value_bytes, "4MiB", 4194304},
        {value_bytes, "500MB", 500000000},
        {value_bytes, "32GiB", INT64_C(34359738368)},
        {value_bytes, "2TB", INT64_C(2000000000000)},
        {value_duration_ns, "0", 0},
        {value_duration_ns, "7ns", 7},
        {value_duration_ns, "7us", 7000},
        {value_duration_ns, "500ms", 500000000},
        {value_duration_ns, "30s", INT64_C(30000000000)},
        {value_duration_ns, "15m", INT64_C(900000000000)},
        {value_duration_ns, "24h", INT64_C(86400000000000)},
        {value_duration_ns, "30d", INT64_C(2592000000000000)},
        {value_duration_ns, "1h30m", INT64_C(5400000000000)},
        {value_duration_ns, "1d1h1m1s1ms", INT64_C(90061001000000)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t number = -1;
        assert_true(rows[i].read(slice_of(rows[i].text), &number));
        assert_int_equal(number, rows[i].number);
    }
}

static void refuses_numbers(void **state)
{
    (void)state;
    static const struct {
        bool (*read)(struct slice text, int64_t *out);
        const char *text;
    } rows[] = {
        {value_int, ""},
        {value_int, "-"},
        {value_int, "1.5"},
        {value_int, " 1"},
        {value_int, "0x10"},
        {value_int, "1_000"},
        {value_int, "--1"},
        {value_int, "9223372036854775808"},
        {value_bytes, ""},
        {value_bytes, "MiB"},
        {value_bytes, "-1"},
        {value_bytes, "1.5MiB"},
        {value_bytes, "4 MiB"},
        {value_bytes, "4mib"},
        {value_bytes, "4MiB4"},
        {value_bytes, "8388608TiB"}, /* 2^63 */
        {value_duration_ns, ""},
        {value_duration_ns, "30"},
        {value_duration_ns, "s"},
        {value_duration_ns, "-1s"},
        {value_duration_ns, "1.5h"},
        {value_duration_ns, "30m1h"},
        {value_duration_ns, "5m5m"},
        {value_duration_ns, "1h30"},
        {value_duration_ns, "1w"},
        {value_duration_ns, "106752d"}, /* one more than fit in 2^63 ns */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t number;
        assert_false(rows[i].read(slice_of(rows[i].text), &number));
    }
}

static void prints_numbers(void **state)
{
    (void)state;
    char text[VALUE_TEXT_BYTES];
    assert_string_equal(value_bytes_text(INT64_C(34359738368), text), "32GiB");
    assert_string_equal(value_bytes_text(4194304, text), "4MiB");
    assert_string_equal(value_bytes_text(1000, text), "1000B");
    assert_string_equal(value_bytes_text(0, text), "0B");
    assert_string_equal(value_duration_text(INT64_C(5400000000000), text), "90m");
    assert_string_equal(value_duration_text(500000000, text), "500ms");
    assert_string_equal(value_duration_text(INT64_MAX, text), "9223372036854775807ns");
    assert_string_equal(value_duration_text(0, text), "0ns");
}

/* --- nearest --- */

static void finds_the_nearest_name(void **state)
{
    (void)state;
    static const char *const known[] = {"token",        "host",    "org",        "bucket",
                                        "endpoint_url", "ca_file", "access_key", "secret_key"};
    static const struct {
        const char *wanted, *hint;
    } rows[] = {
        {"tokn", " (did you mean token?)"},
        {"tkoen", " (did you mean token?)"}, /* one swap */
        {"TOKEN", " (did you mean token?)"},
        {"og", " (did you mean org?)"},
        {"endpoint-url", " (did you mean endpoint_url?)"},
        {"endpointurls", " (did you mean endpoint_url?)"},
        {"acess_kye", " (did you mean access_key?)"},
        {"tabs", ""},
        {"", ""},
        {"x", ""},
        {"password", ""},
        {"a_name_that_is_longer_than_any_option_of_any_module_could_be_at_all", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct nearest nearest = {.wanted = slice_of(rows[i].wanted)};
        for (size_t j = 0; j < sizeof known / sizeof *known; j++) {
            nearest_offer(&nearest, slice_of(known[j]));
        }
        char hint[NEAREST_HINT_BYTES];
        assert_string_equal(nearest_hint(&nearest, hint), rows[i].hint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(refuses_numbers),
        cmocka_unit_test(prints_numbers),
        cmocka_unit_test(finds_the_nearest_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
