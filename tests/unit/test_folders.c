/* Tests of data/folders: what is expected was written down from a calendar. */
#include "base/buf.h"
#include "base/timestamp.h"
#include "data/folders.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HOUR_NS (INT64_C(3600) * NS_PER_SECOND)

static int64_t at(const char *date)
{
    int64_t ns;
    assert_true(timestamp_parse_argument(slice_of(date), 0, &ns));
    return ns;
}

/* --- parsing --- */

static void test_parse_step(void **state)
{
    (void)state;
    static const struct {
        const char *template;
        enum folders_step step;
    } rows[] = {
        {"", FOLDERS_FIXED},          {"logs/", FOLDERS_FIXED},     {"100%%/", FOLDERS_FIXED},
        {"%Y/", FOLDERS_YEARLY},      {"%B-%Y/", FOLDERS_MONTHLY},  {"%Y/%b/", FOLDERS_MONTHLY},
        {"%Y-%m/", FOLDERS_MONTHLY},  {"%Y/%m/%d/", FOLDERS_DAILY}, {"%d/%Y/", FOLDERS_DAILY},
        {"%Y%m%d%H", FOLDERS_HOURLY}, {"%H/%B/", FOLDERS_HOURLY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct folders folders;
        struct err err;
        assert_int_equal(folders_parse(&folders, rows[i].template, &err), OK);
        assert_int_equal(folders.step, rows[i].step);
    }
}

static void test_parse_errors(void **state)
{
    (void)state;
    static const struct {
        const char *template, *text;
    } rows[] = {
        {"%Y/%q/", "byte 4: %q is not known (%Y %m %d %B %b %H %%)"},
        {"%-d/", "byte 1: %- is not known (%Y %m %d %B %b %H %%)"},
        {"logs/%", "byte 6: a letter is missing after %"},
        {"%\n", "byte 1: %? is not known (%Y %m %d %B %b %H %%)"},
    };
    struct folders folders;
    struct err err;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(folders_parse(&folders, rows[i].template, &err), BAD_CONFIG);
        assert_string_equal(err.text, rows[i].text);
    }
    char longest[FOLDERS_TEMPLATE_MAX_BYTES + 2];
    memset(longest, 'a', sizeof longest);
    longest[FOLDERS_TEMPLATE_MAX_BYTES] = '\0';
    assert_int_equal(folders_parse(&folders, longest, &err), OK);
    longest[FOLDERS_TEMPLATE_MAX_BYTES] = 'a';
    longest[FOLDERS_TEMPLATE_MAX_BYTES + 1] = '\0';
    assert_int_equal(folders_parse(&folders, longest, &err), BAD_CONFIG);
    assert_string_equal(err.text, "201 bytes long: 200 is the most");
}

/* --- prefixes --- */

struct joined {
    struct buf text; /* "first second ..." */
    size_t n;
    size_t stop_after; /* 0: never */
};

static enum status join(void *with, struct slice prefix, struct err *err)
{
    struct joined *joined = with;
    buf_printf(&joined->text, "%s%.*s", joined->n ? " " : "", SLICE_ARG(prefix));
    joined->n++;
    return joined->n == joined->stop_after ? err_set(err, FAILED, "enough") : OK;
}

static enum status expand(const char *template, struct window window, int64_t look_back_ns,
                          struct joined *joined, struct err *err)
{
    struct folders folders;
    assert_int_equal(folders_parse(&folders, template, err), OK);
    joined->text.max = 1 << 20;
    return folders_each(&folders, window, look_back_ns, join, joined, err);
}

static void test_windows(void **state)
{
    (void)state;
    static const struct {
        const char *template, *from, *to;
        int look_back_hours;
        const char *prefixes;
    } rows[] = {
        /* to is exclusive and 14 h are added to it: 10:00 is the last that stays in the day */
        {"%Y/%m/%d/", "2022-05-30", "2022-05-30T10:00:00Z", 0, "2022/05/30/"},
        {"%Y/%m/%d/", "2022-05-30", "2022-05-30T10:00:00.000000001Z", 0, "2022/05/30/ 2022/05/31/"},
        {"%Y/%m/%d/", "2022-05-30T23:00:00Z", "2022-05-31T00:00:00Z", 0, "2022/05/30/ 2022/05/31/"},
        {"%Y/%m/%d/", "2022-05-30", "2022-05-30T01:00:00Z", 24, "2022/05/29/ 2022/05/30/"},
        /* leap days */
        {"%Y-%m-%d/", "2024-02-28", "2024-03-01", 0, "2024-02-28/ 2024-02-29/ 2024-03-01/"},
        {"%Y-%m-%d/", "2023-02-28", "2023-03-01", 0, "2023-02-28/ 2023-03-01/"},
        {"%Y-%m-%d/", "2100-02-28", "2100-03-01", 0, "2100-02-28/ 2100-03-01/"},
        {"%Y-%m-%d/", "2000-02-28", "2000-03-01", 0, "2000-02-28/ 2000-02-29/ 2000-03-01/"},
        /* months, from December to January */
        {"%B-%Y/", "2022-11-15", "2023-02-01", 0,
         "November-2022/ December-2022/ January-2023/ February-2023/"},
        {"%b%Y/", "2022-12-31", "2022-12-31T09:00:00Z", 0, "Dec2022/"},
        {"%b%Y/", "2022-12-31", "2022-12-31T11:00:00Z", 0, "Dec2022/ Jan2023/"},
        {"%B-%Y/", "2022-10-31T23:59:59Z", "2022-11-02", 0, "October-2022/ November-2022/"},
        {"%B-%Y/", "2022-11-01", "2022-11-02", 1, "October-2022/ November-2022/"},
        {"%B/", "2022-01-01", "2022-12-31", 0,
         "January/ February/ March/ April/ May/ June/ July/ August/ September/ October/ November/ "
         "December/"},
        /* without a year the same folders come again, once is enough */
        {"%B/", "2020-11-01", "2022-12-31", 0,
         "November/ December/ January/ February/ March/ April/ May/ June/ July/ August/ "
         "September/ October/"},
        {"%Y/", "2019-06-01", "2021-06-01", 0, "2019/ 2020/ 2021/"},
        {"%H/", "2022-05-30T21:30:00Z", "2022-05-30T21:45:00Z", 0,
         "21/ 22/ 23/ 00/ 01/ 02/ 03/ 04/ 05/ 06/ 07/ 08/ 09/ 10/ 11/"},
        {"%Y%m%d/%H-", "2021-12-31T23:00:00Z", "2021-12-31T23:00:00.000000001Z", 0,
         "20211231/23- 20220101/00- 20220101/01- 20220101/02- 20220101/03- 20220101/04- "
         "20220101/05- 20220101/06- 20220101/07- 20220101/08- 20220101/09- 20220101/10- "
         "20220101/11- 20220101/12- 20220101/13-"},
        /* before 1970, where the remainder of a division is negative */
        {"%Y/%m/%d/", "1969-12-31T12:00:00Z", "1970-01-01", 0, "1969/12/31/ 1970/01/01/"},
        /* no dates */
        {"logs/%%a/", "2022-01-01", "2023-01-01", 0, "logs/%a/"},
        {"", "2022-01-01", "2023-01-01", 0, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct joined joined = {0};
        struct window window = {at(rows[i].from), at(rows[i].to)};
        struct err err;
        assert_int_equal(
            expand(rows[i].template, window, rows[i].look_back_hours * HOUR_NS, &joined, &err), OK);
        assert_string_equal(buf_text(&joined.text), rows[i].prefixes);
        assert_true(joined.n > 0);
        buf_finish(&joined.text);
    }
}

static void test_empty_window(void **state)
{
    (void)state;
    struct joined joined = {0};
    struct err err;
    struct window window = {at("2022-05-30"), at("2022-05-30")};
    assert_int_equal(expand("%Y/", window, HOUR_NS, &joined, &err), OK);
    assert_int_equal(joined.n, 0);
}

static void test_limit(void **state)
{
    (void)state;
    /* 10,000 h from midnight: 416 days and 16 h, of which 14 h are added */
    int64_t from = at("2022-01-01");
    struct joined joined = {0};
    struct err err;
    struct window window = {from, from + (10000 - 14) * HOUR_NS};
    assert_int_equal(expand("%Y%m%d%H/", window, 0, &joined, &err), OK);
    assert_int_equal(joined.n, 10000);
    buf_finish(&joined.text);
    joined = (struct joined){0};
    window.to_ns++;
    assert_int_equal(expand("%Y%m%d%H/", window, 0, &joined, &err), BAD_CONFIG);
    assert_string_equal(err.text, "the window touches more than 10000 folders of %Y%m%d%H/: take a "
                                  "shorter one");
    assert_int_equal(joined.n, 0);
}

/* All of time: nothing overflows, nothing loops for ever. */
static void test_ends_of_time(void **state)
{
    (void)state;
    struct joined joined = {0};
    struct err err;
    struct window window = {INT64_MIN, INT64_MAX};
    assert_int_equal(expand("%B/", window, INT64_MAX, &joined, &err), OK);
    assert_int_equal(joined.n, 12);
    buf_finish(&joined.text);
    joined = (struct joined){0};
    assert_int_equal(expand("%Y/", window, INT64_MAX, &joined, &err), OK);
    assert_int_equal(joined.n, 2262 - 1677 + 1);
    buf_finish(&joined.text);
    joined = (struct joined){0};
    assert_int_equal(expand("%m-%d/", window, 0, &joined, &err), OK);
    assert_int_equal(joined.n, 366);
    buf_finish(&joined.text);
    joined = (struct joined){0};
    assert_int_equal(expand("%H", window, 0, &joined, &err), OK);
    assert_int_equal(joined.n, 24);
    buf_finish(&joined.text);
}

static void test_stopping(void **state)
{
    (void)state;
    struct joined joined = {.stop_after = 2};
    struct err err;
    struct window window = {at("2022-01-01"), at("2022-12-01")};
    assert_int_equal(expand("%m/", window, 0, &joined, &err), FAILED);
    assert_string_equal(err.text, "enough");
    assert_int_equal(joined.n, 2);
    buf_finish(&joined.text);
}

static void test_any_locale(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        setlocale(LC_ALL, names[i]); /* where it is installed */
        struct joined joined = {0};
        struct err err;
        struct window window = {at("2022-05-01"), at("2022-05-02")};
        assert_int_equal(expand("%B %b", window, 0, &joined, &err), OK);
        assert_string_equal(buf_text(&joined.text), "May May");
        buf_finish(&joined.text);
    }
    setlocale(LC_ALL, "C");
}

/* --- matching --- */

static void test_match_first(void **state)
{
    (void)state;
    static const struct {
        const char *template, *name;
        bool fits;
    } rows[] = {
        {"%B-%Y/", "October-2022/", true},
        {"%B-%Y/", "May-1999/", true},
        {"%B-%Y/", "october-2022/", false},
        {"%B-%Y/", "Octobre-2022/", false},
        {"%B-%Y/", "Oct-2022/", false},
        {"%B-%Y/", "October-2022-old/", false},
        {"%B-%Y/", "October-22/", false},
        {"%B-%Y/", "October-202x/", false},
        {"%B-%Y/", "October-2022", false},
        {"%B-%Y/", "", false},
        {"%b-%Y/", "Oct-2022/", true},
        {"%b-%Y/", "October-2022/", false},
        {"%Y/%m/%d/", "2022/", true},
        {"%Y/%m/%d/", "22/", false},
        {"%Y/%m/%d/", "backup/", false},
        {"%m-%d/", "12-31/", true},
        {"%m-%d/", "13-01/", false},
        {"%m-%d/", "00-01/", false},
        {"%m-%d/", "12-32/", false},
        {"%m-%d/", "12-00/", false},
        {"%m-%d/", "1-1/", false},
        {"%H/", "00/", true},
        {"%H/", "23/", true},
        {"%H/", "24/", false},
        {"logs/%Y-%m/", "logs/", true},
        {"logs/%Y-%m/", "log/", false},
        {"logs/%Y-%m/", "logs2/", false},
        {"100%%/", "100%/", true},
        {"100%%/", "100%%/", false},
        {"%Y-%m", "2022-10-extra/", true},
        {"%Y-%m", "2022-1/", false},
        {"", "anything/", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct folders folders;
        struct err err;
        assert_int_equal(folders_parse(&folders, rows[i].template, &err), OK);
        if (folders_match_first(&folders, slice_of(rows[i].name)) != rows[i].fits) {
            fail_msg("%s against %s", rows[i].name, rows[i].template);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_step),  cmocka_unit_test(test_parse_errors),
        cmocka_unit_test(test_windows),     cmocka_unit_test(test_empty_window),
        cmocka_unit_test(test_limit),       cmocka_unit_test(test_ends_of_time),
        cmocka_unit_test(test_stopping),    cmocka_unit_test(test_any_locale),
        cmocka_unit_test(test_match_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
