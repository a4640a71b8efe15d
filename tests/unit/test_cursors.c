/*
 * Tests of listings that scale with the new (run/cursors, ledger/cursors, run/list): stems by a
 * table, what a run costs in requests, and what it makes of failures. Long histories are in
 * test_histories.c.
 */
#include "listing_story.h"

#include "run/cursors.h"

/* --- stems --- */

static void test_stems(void **state)
{
    static const struct {
        const char *key, *stem; /* NULL: none */
    } table[] = {
        {"October-2022/S3-2022-20-10-14-09-31.gz", "October-2022/S3-"},
        {"May-2022/S3-orders-2022-05-30-09-00-00.gz", "May-2022/S3-orders-"},
        {"May-2022/IAM-2022-05-30-09-00-00.gz", "May-2022/IAM-"},
        {"May-2022/console-2022-05-30-09-00-00.gz", "May-2022/console-"},
        {"May-2022/S3-logs-2021-2022-05-30-09-00-00.gz", "May-2022/S3-logs-2021-"},
        {"May-2022/S3-logs-2021-01-01-2022-05-30-09-00-00.gz", "May-2022/S3-logs-2021-01-01-"},
        {"May-2022/S3-a-1-2022-05-30-09-00-00.gz", "May-2022/S3-a-1-"},
        {"2022-05-30-09-00-00", ""},
        {"x/2022-05-30", "x/"},
        {"x/a_2022_05_30.gz", "x/a_"},
        {"x/a.2022.05.30", "x/a."},
        {"A/123456789012_CloudTrail_us-east-1_20220530T0905Z_AbCd12345678Ef.json.gz",
         "A/123456789012_CloudTrail_us-east-1_"},
        {"x/20220530", "x/"},
        {"2022/05/30/log-1.gz", NULL}, /* the date is not in the last part */
        {"2022-05-30/log.gz", NULL},
        {"x/a-2022-05.gz", NULL},
        {"x/a-2022-5-30.gz", NULL},
        {"x/a-2022-05_30.gz", NULL}, /* two kinds of separators */
        {"x/a-20221330.gz", NULL},   /* no such month */
        {"x/a-20220500.gz", NULL},
        {"x/a-12022-05-30", NULL}, /* no year begins there */
        {"x/a-2122-05-30", NULL},
        {"x/a-1653901201.gz", NULL},
        {"x/a-2022-05-3", NULL},
        {"x/", NULL},
        {"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct slice stem;
        bool found = key_stem(slice_of(table[i].key), &stem);
        if (found != (table[i].stem != NULL) || (found && !slice_is(stem, table[i].stem))) {
            fail_msg("%s: %.*s", table[i].key, found ? (int)stem.len : 4, found ? stem.at : "none");
        }
    }
}

/* --- what a run costs --- */

static struct item *add_key(struct story *story, const char *key, int64_t from_ns)
{
    struct item *item = add_item(&story->bucket, from_ns, from_ns);
    snprintf(item->key, sizeof item->key, "%s", key);
    return item;
}

/* 3 stems of 500 keys in pages of 20, all from the first days of March. */
static void fill_march(struct story *story)
{
    static const char *const stems[] = {"IAM-", "S3-orders-", "console-"};
    for (size_t i = 0; i < COUNT(stems); i++) {
        for (int k = 0; k < 500; k++) {
            char key[96];
            snprintf(key, sizeof key, "March-2021/%s2021-03-%02d-%02d-%02d-00.gz", stems[i],
                     1 + k / 240, k / 10 % 24, k % 10 * 6);
            int64_t named_ns = story->first_ns - 10 * NS_PER_DAY + k * 360 * NS_PER_SECOND;
            add_key(story, key, named_ns);
        }
    }
    sort_items(&story->bucket);
}

static void story_of_march(struct story *story, struct ledger_place *place)
{
    int64_t first_ns;
    assert_true(timestamp_parse(slice_of("2021-03-11T00:00:00Z"), &first_ns));
    story_init(story, place, "%B-%Y/", first_ns);
    fill_march(story);
}

static void test_requests_go_by_stems(void **state)
{
    struct story story;
    story_of_march(&story, *state);
    int64_t at = story.first_ns;
    run_well(&story, at);
    /* January, February: empty; March: 75 pages; all folders once */
    assert_int_equal(story.requests, 1 + 1 + 75 + 1);
    run_well(&story, at += NS_PER_HOUR);
    /* the first page, one from each of three cursors, all folders */
    assert_int_equal(story.requests, 1 + 3 + 1);

    struct item *early = add_key(&story, "March-2021/AAA-2021-03-11-01-10-00.gz", at + 600);
    sort_items(&story.bucket);
    run_well(&story, at += NS_PER_HOUR);
    assert_int_equal(story.requests, 1 + 3 + 1);
    early = &story.bucket.items[0];
    assert_string_equal(early->key, "March-2021/AAA-2021-03-11-01-10-00.gz");
    assert_true(is_known(&story, early));

    /* late, and the first of its stem: the cursor does not move because of it */
    add_key(&story, "March-2021/IAM-2021-02-28-23-00-00.gz", at + 600);
    sort_items(&story.bucket);
    for (int i = 0; i < 2; i++) {
        run_well(&story, at += NS_PER_HOUR);
        assert_int_equal(story.requests, 1 + 3 + 1);
    }
    free(story.bucket.items);
}

/* Between two stems, at the end, and after one whose keys are all gone. */
static void test_new_stems_are_met(void **state)
{
    static const char *const keys[] = {
        "March-2021/IAN-2021-03-11-01-10-00.gz",
        "March-2021/S3-2021-03-11-01-10-00.gz",
        "March-2021/no-date",
        "March-2021/zzz-2021-03-11-01-10-00.gz",
    };
    struct story story;
    story_of_march(&story, *state);
    run_well(&story, story.first_ns);
    for (size_t i = 0; i < COUNT(keys); i++) {
        add_key(&story, keys[i], story.first_ns + NS_PER_SECOND);
    }
    for (size_t i = 0; i < story.bucket.n; i++) {
        if (strncmp(story.bucket.items[i].key, "March-2021/S3-orders-", 21) == 0) {
            story.bucket.items[i].to_ns = story.first_ns + 1;
        }
    }
    sort_items(&story.bucket);
    run_well(&story, story.first_ns + NS_PER_HOUR);
    for (size_t i = 0; i < story.bucket.n; i++) {
        assert_true(
            is_known(&story, &story.bucket.items[i])); /* the absent ones until a day later */
    }
    run_well(&story, story.first_ns + NS_PER_HOUR + NS_PER_DAY);
    for (size_t i = 0; i < story.bucket.n; i++) {
        assert_int_equal(is_known(&story, &story.bucket.items[i]),
                         is_there(&story.bucket, &story.bucket.items[i]));
    }
    free(story.bucket.items);
}

/* A look at all folders that takes more than one request is done once a day, when nothing is amiss.
 */
static void test_a_dear_look_at_all_folders(void **state)
{
    struct story story;
    story_of_march(&story, *state);
    story.bucket.folder_pages = 3;
    run_well(&story, story.first_ns);
    assert_int_equal(story.requests, 1 + 1 + 75 + 3);
    add_key(&story, "elsewhere/x", story.first_ns + 1);
    sort_items(&story.bucket);
    for (int hour = 1; hour < 24; hour++) {
        run_well(&story, story.first_ns + hour * NS_PER_HOUR);
        assert_int_equal(story.requests, 1 + 3);
        assert_int_equal(story.unmatched, 0);
    }
    for (int hour = 24; hour < 27; hour++) {
        run_well(&story, story.first_ns + hour * NS_PER_HOUR);
        assert_int_equal(story.unmatched, 1); /* and does not pass out of mind */
    }
    free(story.bucket.items);
}

/* --- what goes wrong --- */

/* Wherever a listing breaks off, the next run knows all; a cursor never runs ahead. */
static void test_a_failed_listing_moves_no_cursor(void **state)
{
    struct story story;
    story_of_march(&story, *state);
    run_well(&story, story.first_ns);
    for (int round = 1; round <= 5; round++) {
        int64_t at = story.first_ns + round * 3 * NS_PER_HOUR;
        for (int k = 0; k < 30; k++) {
            char key[96];
            snprintf(key, sizeof key, "March-2021/S3-orders-2021-03-11-%02d-%02d-00.gz", round, k);
            add_key(&story, key, at - NS_PER_HOUR);
        }
        sort_items(&story.bucket);
        story.bucket.fail_at = story.bucket.requests + (uint64_t)round;
        run_at(&story, at);
        assert_int_equal(story.status, FAILED);
        story.bucket.fail_at = 0;
        run_well(&story, at + 3 * NS_PER_HOUR - 1); /* the keys are old by now */
        for (size_t i = 0; i < story.bucket.n; i++) {
            assert_true(is_known(&story, &story.bucket.items[i]));
        }
    }
    free(story.bucket.items);
}

/* An object that was not as listed: its folder is listed whole, though it is long out of reach. */
static void test_a_folder_in_doubt(void **state)
{
    struct story story;
    story_of_march(&story, *state);
    run_well(&story, story.first_ns);
    for (int day = 1; day <= 100; day++) {
        run_well(&story, story.first_ns + day * NS_PER_DAY);
    }
    int64_t at = story.first_ns + 101 * NS_PER_DAY;
    struct item *gone = &story.bucket.items[77];
    gone->to_ns = at;
    run_well(&story, at);
    assert_true(is_known(&story, gone));
    assert_ok(story.place, ledger_doubt(story.place->ledger, story.place->scope,
                                        slice_of(gone->key), &story.place->err));
    run_well(&story, at + NS_PER_HOUR);
    assert_false(is_known(&story, gone));
    assert_true(is_known(&story, &story.bucket.items[78]));
    uint64_t requests = story.requests;
    run_well(&story, at + 2 * NS_PER_HOUR);
    assert_int_equal(requests, story.requests + 75);
    free(story.bucket.items);
}

/* A quiet bucket is fine; one whose folders never had an object is not. */
static void test_objects_nowhere_in_the_folders(void **state)
{
    struct story story;
    story_of_march(&story, *state);
    run_well(&story, story.first_ns);
    run_well(&story, story.first_ns + 200 * NS_PER_DAY);
    free(story.bucket.items);

    story_init(&story, story.place, "%Y/%m/%d/", story.first_ns);
    add_key(&story, "2021/03/elsewhere.gz", story.first_ns - NS_PER_HOUR);
    for (int hour = 0; hour < 3; hour++) {
        run_at(&story, story.first_ns + hour * NS_PER_HOUR);
        assert_int_equal(story.status, FAILED);
    }
    free(story.bucket.items);
}

/* `start:` was made longer: the folders before are listed, too. */
static void test_the_reach_can_grow(void **state)
{
    struct story story;
    story_of_march(&story, *state);
    add_key(&story, "May-2020/IAM-2020-05-03-00-00-00.gz", story.first_ns - 300 * NS_PER_DAY);
    sort_items(&story.bucket);
    run_well(&story, story.first_ns);
    const struct item *old = &story.bucket.items[story.bucket.n - 1];
    assert_string_equal(old->key, "May-2020/IAM-2020-05-03-00-00-00.gz");
    assert_false(is_known(&story, old));
    story.first_ns -= 280 * NS_PER_DAY; /* as if it had begun earlier */
    run_well(&story, story.first_ns + 280 * NS_PER_DAY + NS_PER_HOUR);
    assert_true(is_known(&story, old));
    free(story.bucket.items);
}

/* --- folders out of reach --- */

/* Runs once a day; returns how many of these runs listed a whole March of at least 40 pages. */
static int run_daily(struct story *story, int from_day, int to_day)
{
    int dear = 0;
    for (int day = from_day; day < to_day; day++) {
        run_well(story, story->first_ns + day * NS_PER_DAY);
        dear += story->requests >= 40;
    }
    return dear;
}

static void delete_until(struct story *story, size_t n, int day)
{
    for (size_t i = 0; i < n; i++) {
        story->bucket.items[i].to_ns = story->first_ns + day * NS_PER_DAY;
    }
}

static void assert_known_as_there(struct story *story)
{
    for (size_t i = 0; i < story->bucket.n; i++) {
        assert_int_equal(is_known(story, &story->bucket.items[i]),
                         is_there(&story->bucket, &story->bucket.items[i]));
    }
}

/* What a life cycle rule takes away long after the look-back (35 days) is forgotten, too: March is
 * out of reach from 6 May on, which is day 56, and listed every 30 days. */
static void test_old_folders_are_pruned(void **state)
{
    static const char *const rows = "SELECT count(*) FROM object";
    static const char *const marches =
        "SELECT count(*) FROM folder WHERE prefix = CAST('March-2021/' AS BLOB)";
    struct story story;
    story_of_march(&story, *state);
    run_daily(&story, 0, 60);
    ask(story.place, "UPDATE object SET state = 1 RETURNING 1");
    delete_until(&story, 700, 60);
    assert_int_equal(run_daily(&story, 60, 90), 1);
    assert_known_as_there(&story);
    assert_int_equal(ask(story.place, rows), 1500); /* they may come back */
    assert_int_equal(run_daily(&story, 90, 120), 1);
    assert_int_equal(ask(story.place, rows), 800);
    assert_known_as_there(&story);

    delete_until(&story, 1500, 120);
    assert_int_equal(ask(story.place, marches), 1);
    run_daily(&story, 120, 182);
    assert_int_equal(ask(story.place, rows), 0);
    assert_int_equal(ask(story.place, marches), 0);
    free(story.bucket.items);
}

/* As after years with a folder for each day: no run has to list all that is old. */
static void test_old_folders_take_turns(void **state)
{
    struct story story;
    story_of_march(&story, *state);
    run_well(&story, story.first_ns);
#define TO_249 "WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 249)"
    ask(story.place, "INSERT INTO folder (scope, prefix, whole) " TO_249
                     " SELECT (SELECT max(scope) FROM folder),"
                     " CAST(printf('2019/%03d/', i) AS BLOB), i + 1 FROM n RETURNING 1");
    ask(story.place,
        "INSERT INTO object (scope, key, etag, size, last_modified, state, attempts) " TO_249
        " SELECT (SELECT max(scope) FROM folder),"
        " CAST(printf('2019/%03d/x', i) AS BLOB), x'00', 1, 1, 0, 0 FROM n RETURNING 1");
#undef TO_249
    static const struct {
        uint64_t requests;
        int64_t folders;
    } wanted[] = {{5 + 100, 150}, {5 + 100, 50}, {5 + 50, 0}, {5, 0}};
    for (size_t i = 0; i < COUNT(wanted); i++) {
        run_well(&story, story.first_ns + (int64_t)(i + 1) * NS_PER_HOUR);
        assert_int_equal(story.requests, wanted[i].requests);
        assert_int_equal(ask(story.place, "SELECT count(*) FROM object WHERE key < x'33'"),
                         wanted[i].folders);
    }
    free(story.bucket.items);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_ledger, remove_ledger)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stems),
        TEST(test_requests_go_by_stems),
        TEST(test_new_stems_are_met),
        TEST(test_a_dear_look_at_all_folders),
        TEST(test_a_failed_listing_moves_no_cursor),
        TEST(test_a_folder_in_doubt),
        TEST(test_objects_nowhere_in_the_folders),
        TEST(test_the_reach_can_grow),
        TEST(test_old_folders_are_pruned),
        TEST(test_old_folders_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
