/*
 * listing_story: a bucket whose keys come and go by a clock of the test's own, behind a datasource
 * that lists it in small pages, and scheduled runs of run_list() over it. Included by
 * test_cursors.c and test_histories.c.
 */
#ifndef TESTS_LISTING_STORY_H
#define TESTS_LISTING_STORY_H

#include "ledger_place.h"

#include "ledger/cursors.h"
#include "ledger/letters.h"
#include "run/run.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

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
    uint64_t folder_pages; /* requests that a listing of the folders takes */
    const char *template;
    int64_t now_ns;
    uint64_t requests, fail_at; /* the request that fails; 0 = none does */
};

struct bucket_source {
    struct bucket *bucket;
};

static inline enum status bucket_open(void *self, struct world *world, struct err *err)
{
    (void)self, (void)world, (void)err;
    return OK;
}

static inline void bucket_close(void *self)
{
    (void)self;
}

static inline void bucket_place(void *self, struct place *out)
{
    struct bucket_source *source = self;
    *out = (struct place){"https://s3.example.com", "logs", source->bucket->template, {NULL, 0}};
}

static inline bool is_there(const struct bucket *bucket, const struct item *item)
{
    return item->from_ns <= bucket->now_ns && bucket->now_ns < item->to_ns;
}

static inline enum status give(struct listing *to, const struct item *item, struct err *err)
{
    struct object object = object_of(item->key, 1, 100, item->from_ns);
    return to->object(to, &object, err);
}

static inline enum status request(struct bucket *bucket, struct listing *to, struct err *err)
{
    to->requests++;
    bool fails = ++bucket->requests == bucket->fail_at;
    return fails ? err_set(err, FAILED, "as the test says") : OK;
}

static inline bool has_prefix(struct slice key, struct slice prefix)
{
    return key.len >= prefix.len && slice_equal(slice_make(key.at, prefix.len), prefix);
}

/* The first item at or behind the key. */
static inline size_t find_item(const struct bucket *bucket, struct slice key)
{
    size_t low = 0, high = bucket->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        bool before = slice_compare(slice_of(bucket->items[middle].key), key) < 0;
        *(before ? &low : &high) = before ? middle + 1 : middle;
    }
    return low;
}

static inline enum status list_keys(struct bucket *bucket, struct slice prefix, struct listing *to,
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
static inline enum status list_folders(struct bucket *bucket, struct listing *to, struct err *err)
{
    struct slice last = {"", 0};
    enum status status = OK;
    for (uint64_t i = 0; i < bucket->folder_pages && status == OK; i++) {
        status = request(bucket, to, err);
    }
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

static inline enum status bucket_list(void *self, struct slice prefix, bool by_folder,
                                      struct listing *to, struct err *err)
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

static inline struct item *add_item(struct bucket *bucket, int64_t named_ns, int64_t from_ns)
{
    if (bucket->n == bucket->size) {
        bucket->size = bucket->size ? 2 * bucket->size : 1024;
        bucket->items = memory_grow(bucket->items, bucket->size * sizeof *bucket->items);
    }
    struct item *item = &bucket->items[bucket->n++];
    *item = (struct item){.named_ns = named_ns, .from_ns = from_ns, .to_ns = INT64_MAX};
    return item;
}

static inline int by_key(const void *a, const void *b)
{
    return strcmp(((const struct item *)a)->key, ((const struct item *)b)->key);
}

static inline void sort_items(struct bucket *bucket)
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
    int64_t first_ns;   /* of the first run */
    enum status status; /* of the last run, as what follows */
    uint64_t requests, unmatched;
};

static inline void story_init(struct story *story, struct ledger_place *place, const char *template,
                              int64_t first_ns)
{
    *story = (struct story){.place = place, .first_ns = first_ns};
    story->bucket = (struct bucket){.template = template, .page_keys = 20, .folder_pages = 1};
    story->options.bucket = &story->bucket;
    story->from = (struct place_config){"logs", &bucket_datasource, &story->options};
    story->job.name = "lyve";
    story->job.from = &story->from;
    story->job.options.look_back_ns = 35 * NS_PER_DAY;
    struct place scope = {"https://s3.example.com", "logs", template, {NULL, 0}};
    assert_ok(place, ledger_scope(place->ledger, "lyve", &scope, &place->scope, &place->err));
}

static inline void run_at(struct story *story, int64_t now_ns)
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
    story->unmatched = run.unmatched;
    run_finish(&run);
}

static inline void run_well(struct story *story, int64_t now_ns)
{
    run_at(story, now_ns);
    if (story->status != OK) {
        fail_msg("%s", story->place->err.text);
    }
}

static inline bool is_known(struct story *story, const struct item *item)
{
    enum object_state state;
    enum status status = ledger_object_state(story->place->ledger, story->place->scope,
                                             slice_of(item->key), &state, &story->place->err);
    assert_true(status == OK || status == AGAIN);
    return status == OK;
}

#endif
