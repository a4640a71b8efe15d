/*
 * Tests of the listing of scheduled runs: whole histories of a bucket, with keys that come late,
 * new kinds of objects, folders that turn and services that were away. What must be known after
 * each run follows from the promise alone: keys delivered within two hours of their names at once,
 * all others within a day.
 */
#include "listing_story.h"

#include <inttypes.h>

struct history {
    const char *template;
    int64_t folders_ahead_ns; /* of the clock that names the folders */
    bool days_first;
    int days;
    int64_t every_ns;      /* runs are so far apart */
    int gap_day, gap_days; /* no runs then; 0 days = none */
    int64_t look_back_ns;
    unsigned seed;
};

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* How long after its name an object arrives: mostly minutes, at times hours, at times weeks. */
static int64_t random_delay(uint32_t *seed)
{
    uint32_t dice = next_random(seed) % 100;
    uint32_t minutes = dice < 90 ? 10 : dice < 98 ? 119 : 20 * 24 * 60;
    return (int64_t)(next_random(seed) % (minutes * 60)) * NS_PER_SECOND;
}

static void name_item(struct item *item, const struct history *history, const char *stem)
{
    struct civil name = timestamp_civil(item->named_ns);
    struct civil folder = timestamp_civil(item->named_ns + history->folders_ahead_ns);
    char prefix[32] = "all/";
    if (strcmp(history->template, "%Y/%m/%d/") == 0) {
        snprintf(prefix, sizeof prefix, "%04d/%02d/%02d/", folder.year, folder.month, folder.day);
    } else if (strcmp(history->template, "all/") != 0) {
        snprintf(prefix, sizeof prefix, "%s-%04d/", timestamp_months[folder.month - 1],
                 folder.year);
    }
    snprintf(item->key, sizeof item->key, "%s%s%04d-%02d-%02d-%02d-%02d-%02d.gz", prefix, stem,
             name.year, history->days_first ? name.day : name.month,
             history->days_first ? name.month : name.day, name.hour, name.minute, name.second);
}

/* Each stem has an object an hour, from first_ns on. */
static void fill(struct story *story, const struct history *history)
{
    static const struct {
        const char *name;
        int from_day;
    } stems[] = {
        {"IAM-", 0},      {"S3-orders-", 0},      {"S3-orders-2-", 0},
        {"console-", 0},  {"S3-orders-2021-", 0}, {"AAA-", 9},
        {"S3-late-", 17}, {"zzz-", 23},           {"S3-orders-1-", 31},
    };
    uint32_t seed = history->seed;
    for (size_t i = 0; i < COUNT(stems); i++) {
        for (int hour = stems[i].from_day * 24; hour < history->days * 24; hour++) {
            int64_t named_ns = story->first_ns + hour * NS_PER_HOUR +
                               (int64_t)(next_random(&seed) % 3600) * NS_PER_SECOND;
            struct item *item = add_item(&story->bucket, named_ns, named_ns + random_delay(&seed));
            name_item(item, history, stems[i].name);
        }
    }
    sort_items(&story->bucket);
}

/* After a run: what had to be found was found, also what would be due before the next run. */
static void check_found(struct story *story, int64_t now_ns, int64_t next_ns)
{
    for (size_t i = 0; i < story->bucket.n; i++) {
        struct item *item = &story->bucket.items[i];
        if (item->known || !is_there(&story->bucket, item)) {
            continue;
        }
        item->known = is_known(story, item);
        bool is_late = item->from_ns - item->named_ns >= 2 * NS_PER_HOUR;
        if (!item->known && (!is_late || item->from_ns + NS_PER_DAY < next_ns)) {
            fail_msg("at %" PRId64 " h: %s is not known, there since %" PRId64 " h",
                     (now_ns - story->first_ns) / NS_PER_HOUR, item->key,
                     (item->from_ns - story->first_ns) / NS_PER_HOUR);
        }
    }
}

static void play(struct ledger_place *place, const struct history *history)
{
    int64_t first_ns;
    assert_true(timestamp_parse(slice_of("2021-01-10T00:00:30Z"), &first_ns));
    struct story story;
    story_init(&story, place, history->template, first_ns);
    story.job.options.look_back_ns = history->look_back_ns;
    fill(&story, history);
    for (int64_t at = 0; at < history->days * NS_PER_DAY; at += history->every_ns) {
        int64_t day = at / NS_PER_DAY;
        if (day >= history->gap_day && day < history->gap_day + history->gap_days) {
            continue;
        }
        run_well(&story, first_ns + at);
        check_found(&story, first_ns + at, first_ns + at + history->every_ns);
    }
    for (size_t i = 0; i < story.bucket.n; i++) {
        if (story.bucket.items[i].known) {
            assert_true(is_known(&story, &story.bucket.items[i])); /* nothing is forgotten */
        }
    }
    free(story.bucket.items);
}

#define HISTORY(name, ...)                            \
    static void test_history_##name(void **state)     \
    {                                                 \
        const struct history history = {__VA_ARGS__}; \
        play(*state, &history);                       \
    }
/* clang-format off */
HISTORY(of_months, "%B-%Y/", 0, false, 75, NS_PER_HOUR, 0, 0, 35 * NS_PER_DAY, 1)
HISTORY(with_days_first, "%B-%Y/", 0, true, 75, NS_PER_HOUR, 0, 0, 35 * NS_PER_DAY, 2)
HISTORY(far_ahead, "%B-%Y/", 14 * NS_PER_HOUR, false, 45, NS_PER_HOUR, 0, 0, 35 * NS_PER_DAY, 3)
HISTORY(far_behind, "%B-%Y/", -12 * NS_PER_HOUR, false, 45, NS_PER_HOUR, 0, 0, 35 * NS_PER_DAY, 4)
HISTORY(of_days, "%Y/%m/%d/", -8 * NS_PER_HOUR, false, 40, NS_PER_HOUR, 0, 0, 22 * NS_PER_DAY, 5)
HISTORY(of_one_folder, "all/", 0, false, 50, NS_PER_HOUR, 0, 0, 35 * NS_PER_DAY, 6)
HISTORY(of_the_whole_bucket, "", 0, false, 50, NS_PER_HOUR, 0, 0, 35 * NS_PER_DAY, 7)
HISTORY(with_a_long_gap, "%B-%Y/", 0, false, 110, NS_PER_HOUR, 12, 70, 35 * NS_PER_DAY, 8)
HISTORY(with_a_short_gap, "%B-%Y/", 0, false, 40, NS_PER_HOUR, 20, 2, 35 * NS_PER_DAY, 9)
HISTORY(of_rare_runs, "%B-%Y/", 0, false, 60, 7 * NS_PER_HOUR, 0, 0, 35 * NS_PER_DAY, 10)
HISTORY(of_rare_runs_far_behind, "%Y/%m/%d/", -12 * NS_PER_HOUR, false, 40, 7 * NS_PER_HOUR, 0, 0, 22 * NS_PER_DAY, 12)
/* clang-format on */

#define TEST(name) cmocka_unit_test_setup_teardown(test_history_##name, make_ledger, remove_ledger)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(of_months),
        TEST(with_days_first),
        TEST(far_ahead),
        TEST(far_behind),
        TEST(of_days),
        TEST(of_one_folder),
        TEST(of_the_whole_bucket),
        TEST(with_a_long_gap),
        TEST(with_a_short_gap),
        TEST(of_rare_runs),
        TEST(of_rare_runs_far_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
