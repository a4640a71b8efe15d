/*
 * Tests of listings that scale with the new (run_cursors, ledger_cursors, run_list): stems by a
 * table, then whole histories of a bucket against run_list() with a clock of the test's own. What
 * must be known after each run follows from the promise alone: keys delivered within two hours of
 * their names at once, all others within a day.
 */
#include "ledger_place.h"

#include "app/ledger_cursors.h"
#include "app/ledger_letters.h"
#include "app/run.h"
#include "app/run_cursors.h"

#include <inttypes.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define HOUR_NS (3600 * NS_PER_SECOND)

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

/* --- a bucket that changes with time --- */

struct item {
    char key[96];
    int64_t named_ns, from_ns, to_ns; /* in the bucket from from_ns to before to_ns */
    bool known;                       /* the ledger has had it */
};

struct bucket {
    struct item *items; /* sorted by key */
    size_t n, size;
    size_t page_keys;
    const char *template;
    int64_t now_ns;
    uint64_t requests, fail_at; /* the request that fails; 0 = none does */
};

struct bucket_source {
    struct bucket *bucket;
};

static enum status bucket_open(void *self, struct world *world, struct err *err)
{
    (void)self, (void)world, (void)err;
    return OK;
}

static void bucket_close(void *self)
{
    (void)self;
}

static void bucket_place(void *self, struct place *out)
{
    struct bucket_source *source = self;
    *out = (struct place){"https://s3.example.com", "logs", source->bucket->template, {NULL, 0}};
}

static bool is_there(const struct bucket *bucket, const struct item *item)
{
    return item->from_ns <= bucket->now_ns && bucket->now_ns < item->to_ns;
}

static enum status give(struct listing *to, const struct item *item, struct err *err)
{
    struct object object = object_of(item->key, 1, 100, item->from_ns);
    return to->object(to, &object, err);
}

static enum status request(struct bucket *bucket, struct listing *to, struct err *err)
{
    to->requests++;
    bool fails = ++bucket->requests == bucket->fail_at;
    return fails ? err_set(err, FAILED, "as the test says") : OK;
}

static bool has_prefix(struct slice key, struct slice prefix)
{
    return key.len >= prefix.len && slice_equal(slice_make(key.at, prefix.len), prefix);
}

/* The first item at or behind the key. */
static size_t find_item(const struct bucket *bucket, struct slice key)
{
    size_t low = 0, high = bucket->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        bool before = slice_compare(slice_of(bucket->items[middle].key), key) < 0;
        *(before ? &low : &high) = before ? middle + 1 : middle;
    }
    return low;
}

static enum status list_keys(struct bucket *bucket, struct slice prefix, struct listing *to,
                             struct err *err)
{
    size_t on_page = 0;
    enum status status = request(bucket, to, err);
    bool further = slice_compare(to->after, prefix) > 0;
    for (size_t i = find_item(bucket, further ? to->after : prefix); i < bucket->n && status == OK;
         i++) {
        const struct item *item = &bucket->items[i];
        struct slice key = slice_of(item->key);
        if (!has_prefix(key, prefix)) {
            break;
        }
        if (!is_there(bucket, item) || slice_compare(key, to->after) <= 0) {
            continue;
        }
        if (on_page++ == bucket->page_keys) {
            on_page = 1;
            status = to->page ? to->page(to, err) : OK;
            if (status == OK) {
                status = request(bucket, to, err);
            }
        }
        if (status == OK) {
            status = give(to, item, err);
        }
    }
    return status;
}

/* One level: enough of it for who looks at all folders. */
static enum status list_folders(struct bucket *bucket, struct listing *to, struct err *err)
{
    struct slice last = {"", 0};
    enum status status = request(bucket, to, err);
    for (size_t i = 0; i < bucket->n && status == OK; i++) {
        const char *key = bucket->items[i].key;
        const char *slash = strchr(key, '/');
        struct slice folder = slice_make(key, slash ? (size_t)(slash - key) + 1 : 0);
        if (is_there(bucket, &bucket->items[i]) && slash && !slice_equal(folder, last)) {
            last = folder;
            status = to->folder(to, folder, err);
        }
    }
    return status;
}

static enum status bucket_list(void *self, struct slice prefix, bool by_folder, struct listing *to,
                               struct err *err)
{
    struct bucket_source *source = self;
    return by_folder ? list_folders(source->bucket, to, err)
                     : list_keys(source->bucket, prefix, to, err);
}

static const struct datasource bucket_datasource = {
    .about = {"bucket", "", NULL, sizeof(struct bucket_source)},
    .open = bucket_open,
    .close = bucket_close,
    .place = bucket_place,
    .list = bucket_list,
};

static struct item *add_item(struct bucket *bucket, int64_t named_ns, int64_t from_ns)
{
    if (bucket->n == bucket->size) {
        bucket->size = bucket->size ? 2 * bucket->size : 1024;
        bucket->items = memory_grow(bucket->items, bucket->size * sizeof *bucket->items);
    }
    struct item *item = &bucket->items[bucket->n++];
    *item = (struct item){.named_ns = named_ns, .from_ns = from_ns, .to_ns = INT64_MAX};
    return item;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct item *)a)->key, ((const struct item *)b)->key);
}

static void sort_items(struct bucket *bucket)
{
    qsort(bucket->items, bucket->n, sizeof *bucket->items, by_key);
}

/* --- runs over it --- */

struct story {
    struct ledger_place *place;
    struct bucket bucket;
    struct bucket_source options;
    struct place_config from;
    struct job_config job;
    int64_t first_ns; /* of the first run */
    uint64_t requests;
    enum status status;
};

static void story_init(struct story *story, struct ledger_place *place, const char *template,
                       int64_t first_ns)
{
    *story = (struct story){.place = place, .first_ns = first_ns};
    story->bucket = (struct bucket){.template = template, .page_keys = 20};
    story->options.bucket = &story->bucket;
    story->from = (struct place_config){"logs", &bucket_datasource, &story->options};
    story->job.name = "lyve";
    story->job.from = &story->from;
    story->job.options.look_back_ns = 35 * NS_PER_DAY;
    struct place scope = {"https://s3.example.com", "logs", template, {NULL, 0}};
    assert_ok(place, ledger_scope(place->ledger, "lyve", &scope, &place->scope, &place->err));
}

static void run_at(struct story *story, int64_t now_ns)
{
    static const struct log quiet = {.least = LOG_ERROR};
    struct run_request request = {
        .window = {story->first_ns - 30 * NS_PER_DAY, now_ns},
        .scheduled = true,
    };
    struct run run;
    story->bucket.now_ns = now_ns;
    run_init(&run, &story->job, story->place->ledger, &quiet, &request);
    run.scope = story->place->scope;
    run.start_ns = now_ns;
    story->status = run_list(&run, &story->place->err);
    story->requests = run.list_requests;
    run_finish(&run);
}

static void run_well(struct story *story, int64_t now_ns)
{
    run_at(story, now_ns);
    if (story->status != OK) {
        fail_msg("%s", story->place->err.text);
    }
}

static bool is_known(struct story *story, const struct item *item)
{
    enum object_state state;
    enum status status = ledger_object_state(story->place->ledger, story->place->scope,
                                             slice_of(item->key), &state, &story->place->err);
    assert_true(status == OK || status == AGAIN);
    return status == OK;
}

/* --- histories --- */

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
            int64_t named_ns = story->first_ns + hour * HOUR_NS +
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
        bool is_late = item->from_ns - item->named_ns >= 2 * HOUR_NS;
        if (!item->known && (!is_late || item->from_ns + NS_PER_DAY < next_ns)) {
            fail_msg("at %" PRId64 " h: %s is not known, there since %" PRId64 " h",
                     (now_ns - story->first_ns) / HOUR_NS, item->key,
                     (item->from_ns - story->first_ns) / HOUR_NS);
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
HISTORY(of_months, "%B-%Y/", 0, false, 75, HOUR_NS, 0, 0, 35 * NS_PER_DAY, 1)
HISTORY(with_days_first, "%B-%Y/", 0, true, 75, HOUR_NS, 0, 0, 35 * NS_PER_DAY, 2)
HISTORY(far_ahead, "%B-%Y/", 14 * HOUR_NS, false, 45, HOUR_NS, 0, 0, 35 * NS_PER_DAY, 3)
HISTORY(far_behind, "%B-%Y/", -12 * HOUR_NS, false, 45, HOUR_NS, 0, 0, 35 * NS_PER_DAY, 4)
HISTORY(of_days, "%Y/%m/%d/", -8 * HOUR_NS, false, 40, HOUR_NS, 0, 0, 22 * NS_PER_DAY, 5)
HISTORY(of_one_folder, "all/", 0, false, 50, HOUR_NS, 0, 0, 35 * NS_PER_DAY, 6)
HISTORY(of_the_whole_bucket, "", 0, false, 50, HOUR_NS, 0, 0, 35 * NS_PER_DAY, 7)
HISTORY(with_a_long_gap, "%B-%Y/", 0, false, 110, HOUR_NS, 12, 70, 35 * NS_PER_DAY, 8)
HISTORY(with_a_short_gap, "%B-%Y/", 0, false, 40, HOUR_NS, 20, 2, 35 * NS_PER_DAY, 9)
HISTORY(of_rare_runs, "%B-%Y/", 0, false, 60, 7 * HOUR_NS, 0, 0, 35 * NS_PER_DAY, 10)
HISTORY(of_rare_runs_far_behind, "%Y/%m/%d/", -12 * HOUR_NS, false, 40, 7 * HOUR_NS, 0, 0, 22 * NS_PER_DAY, 12)
/* clang-format on */

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
    run_well(&story, at += HOUR_NS);
    /* the first page, one from each of three cursors, all folders */
    assert_int_equal(story.requests, 1 + 3 + 1);

    struct item *early = add_key(&story, "March-2021/AAA-2021-03-11-01-10-00.gz", at + 600);
    sort_items(&story.bucket);
    run_well(&story, at += HOUR_NS);
    assert_int_equal(story.requests, 1 + 3 + 1);
    early = &story.bucket.items[0];
    assert_string_equal(early->key, "March-2021/AAA-2021-03-11-01-10-00.gz");
    assert_true(is_known(&story, early));

    /* late, and the first of its stem: the cursor does not move because of it */
    add_key(&story, "March-2021/IAM-2021-02-28-23-00-00.gz", at + 600);
    sort_items(&story.bucket);
    for (int i = 0; i < 2; i++) {
        run_well(&story, at += HOUR_NS);
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
    run_well(&story, story.first_ns + HOUR_NS);
    for (size_t i = 0; i < story.bucket.n; i++) {
        assert_true(
            is_known(&story, &story.bucket.items[i])); /* the absent ones until a day later */
    }
    run_well(&story, story.first_ns + HOUR_NS + NS_PER_DAY);
    for (size_t i = 0; i < story.bucket.n; i++) {
        assert_int_equal(is_known(&story, &story.bucket.items[i]),
                         is_there(&story.bucket, &story.bucket.items[i]));
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
        int64_t at = story.first_ns + round * 3 * HOUR_NS;
        for (int k = 0; k < 30; k++) {
            char key[96];
            snprintf(key, sizeof key, "March-2021/S3-orders-2021-03-11-%02d-%02d-00.gz", round, k);
            add_key(&story, key, at - HOUR_NS);
        }
        sort_items(&story.bucket);
        story.bucket.fail_at = story.bucket.requests + (uint64_t)round;
        run_at(&story, at);
        assert_int_equal(story.status, FAILED);
        story.bucket.fail_at = 0;
        run_well(&story, at + 3 * HOUR_NS - 1); /* the keys are old by now */
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
    run_well(&story, at + HOUR_NS);
    assert_false(is_known(&story, gone));
    assert_true(is_known(&story, &story.bucket.items[78]));
    uint64_t requests = story.requests;
    run_well(&story, at + 2 * HOUR_NS);
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
    add_key(&story, "2021/03/elsewhere.gz", story.first_ns - HOUR_NS);
    for (int hour = 0; hour < 3; hour++) {
        run_at(&story, story.first_ns + hour * HOUR_NS);
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
    run_well(&story, story.first_ns + 280 * NS_PER_DAY + HOUR_NS);
    assert_true(is_known(&story, old));
    free(story.bucket.items);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_ledger, remove_ledger)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stems),       TEST(test_requests_go_by_stems),
        TEST(test_new_stems_are_met),       TEST(test_a_failed_listing_moves_no_cursor),
        TEST(test_a_folder_in_doubt),       TEST(test_objects_nowhere_in_the_folders),
        TEST(test_the_reach_can_grow),      TEST(test_history_of_months),
        TEST(test_history_with_days_first), TEST(test_history_far_ahead),
        TEST(test_history_far_behind),      TEST(test_history_of_days),
        TEST(test_history_of_one_folder),   TEST(test_history_of_the_whole_bucket),
        TEST(test_history_with_a_long_gap), TEST(test_history_with_a_short_gap),
        TEST(test_history_of_rare_runs),    TEST(test_history_of_rare_runs_far_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
