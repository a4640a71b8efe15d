/* Tests of ledger/ledger: listings, work, outcomes, dead letters, runs and figures. Opening and
 * upgrades are in test_ledger_file.c. */
#include "ledger_place.h"

#define DAY(n) ((n)*NS_PER_DAY)

/* --- listings --- */

/* Lists keys (of version 1, size 10, date = position in days) as the whole of a prefix. */
static struct join_counts list_with(struct ledger_place *place, const char *prefix,
                                    const char *const *keys, size_t n, bool again, bool complete)
{
    struct ledger_join *join;
    struct join_counts counts;
    assert_ok(place, ledger_join_begin(&join, place->ledger, place->scope, slice_of(prefix),
                                       all_time, again, 0, &place->err));
    for (size_t i = 0; i < n; i++) {
        struct object object = object_of(keys[i], 1, 10, DAY((int64_t)i));
        assert_ok(place, ledger_join_put(join, &object, &place->err));
    }
    assert_ok(place, ledger_join_end(join, complete, &counts, &place->err));
    return counts;
}

#define LIST(place, again, ...)                              \
    list_with(place, "", (const char *const[]){__VA_ARGS__}, \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), again, true)

static void assert_counts(struct join_counts counts, uint64_t listed, uint64_t fresh,
                          uint64_t reopened, uint64_t pruned)
{
    assert_int_equal(counts.listed, listed);
    assert_int_equal(counts.fresh, fresh);
    assert_int_equal(counts.reopened, reopened);
    assert_int_equal(counts.pruned, pruned);
}

/* Names of what is left to do in the window, in the order it is given: "b a ". */
static void work_names(struct ledger_place *place, struct window window, char *names, size_t size)
{
    struct ledger_work *work;
    struct work_totals totals;
    assert_ok(place,
              ledger_work_begin(&work, place->ledger, place->scope, window, &totals, &place->err));
    struct arena keys = {0};
    struct object object;
    uint64_t n = 0;
    int64_t bytes = 0;
    size_t len = 0;
    names[0] = '\0';
    enum status status;
    while ((status = ledger_work_next(work, &keys, &object, &place->err)) == OK) {
        len += (size_t)snprintf(names + len, size - len, "%.*s ", SLICE_ARG(object.key));
        n++;
        bytes += object.size;
    }
    assert_int_equal(status, AGAIN);
    assert_int_equal(totals.objects, n);
    assert_int_equal(totals.bytes, bytes);
    arena_finish(&keys);
    ledger_work_end(work);
}

static void assert_work(struct ledger_place *place, struct window window, const char *wanted)
{
    char names[256];
    work_names(place, window, names, sizeof names);
    assert_string_equal(names, wanted);
}

static void settle_as(struct ledger_place *place, const char *key, int version,
                      enum object_state state, int64_t attempt)
{
    struct object object = object_of(key, version, 10, 0);
    struct outcome outcome = outcome_of(&object, state, attempt);
    outcome.error = state == OBJECT_SETTLED ? NULL : "it broke";
    assert_ok(place, ledger_settle(place->ledger, place->scope, &outcome, 1, &place->err));
}

static void test_join_enters_and_leaves_alone(void **state)
{
    struct ledger_place *place = *state;
    assert_counts(LIST(place, false, "a", "b", "c", "d"), 4, 4, 0, 0);
    assert_work(place, all_time, "a b c d ");
    settle_as(place, "b", 1, OBJECT_SETTLED, 1);
    settle_as(place, "c", 1, OBJECT_FAILED, 1);
    settle_as(place, "d", 1, OBJECT_QUARANTINED, 1);
    assert_work(place, all_time, "a c ");
    assert_counts(LIST(place, false, "a", "b", "c", "d"), 4, 0, 0, 0);
    assert_work(place, all_time, "a c ");
    /* --again: settled and quarantined; what failed comes last */
    assert_counts(LIST(place, true, "a", "b", "c", "d"), 4, 0, 2, 0);
    assert_work(place, all_time, "a b d c ");
}

static void test_again_keeps_to_the_window(void **state)
{
    struct ledger_place *place = *state;
    LIST(place, false, "a", "b", "c");
    settle_as(place, "a", 1, OBJECT_SETTLED, 1);
    settle_as(place, "b", 1, OBJECT_SETTLED, 1);
    settle_as(place, "c", 1, OBJECT_SETTLED, 1);
    struct ledger_join *join;
    struct join_counts counts;
    const struct window second_day = {DAY(1), DAY(2)};
    assert_ok(place, ledger_join_begin(&join, place->ledger, place->scope, slice_of(""), second_day,
                                       true, 0, &place->err));
    static const char *const keys[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        struct object object = object_of(keys[i], 1, 10, DAY(i));
        assert_ok(place, ledger_join_put(join, &object, &place->err));
    }
    assert_ok(place, ledger_join_end(join, true, &counts, &place->err));
    assert_counts(counts, 3, 0, 1, 0);
    assert_work(place, all_time, "b ");
}

static void put_one(struct ledger_place *place, struct object object, struct join_counts *counts)
{
    struct ledger_join *join;
    assert_ok(place, ledger_join_begin(&join, place->ledger, place->scope, slice_of(""), all_time,
                                       false, 0, &place->err));
    assert_ok(place, ledger_join_put(join, &object, &place->err));
    assert_ok(place, ledger_join_end(join, true, counts, &place->err));
}

/* The points of an object that was read once are in the sinks, whatever becomes of the next try:
 * its counts stay as long as its content does. */
static void test_counts_stay_until_the_next_outcome(void **state)
{
    struct ledger_place *place = *state;
    static const char *const counted = "SELECT count(*) FROM object WHERE counts IS NOT NULL";
    LIST(place, false, "a", "b");
    settle_as(place, "a", 1, OBJECT_SETTLED, 1);
    settle_as(place, "b", 1, OBJECT_SETTLED, 1);
    LIST(place, true, "a", "b");
    assert_int_equal(ask(place, counted), 2);
    settle_as(place, "a", 1, OBJECT_FAILED, 2);
    assert_int_equal(ask(place, counted), 2);
    struct join_counts counts;
    put_one(place, object_of("b", 2, 10, 0), &counts); /* "a" is gone, "b" another */
    assert_int_equal(ask(place, counted), 1);
    LIST_EXACTLY_AT(place, 30, "b");
    assert_int_equal(ask(place, "SELECT objects FROM total_object"), 1);
    assert_int_equal(ask(place, counted), 0);
}

static void test_changed_content_is_new_work(void **state)
{
    struct ledger_place *place = *state;
    struct join_counts counts;
    LIST(place, false, "a");
    settle_as(place, "a", 1, OBJECT_SETTLED, 1);
    put_one(place, object_of("a", 1, 10, DAY(5)), &counts); /* a new date alone is no new content */
    assert_counts(counts, 1, 0, 0, 0);
    assert_int_equal(ask(place, "SELECT last_modified FROM object"), 0);
    put_one(place, object_of("a", 1, 11, DAY(5)), &counts);
    assert_counts(counts, 1, 1, 0, 0);
    assert_work(place, all_time, "a ");
    assert_int_equal(ask(place, "SELECT last_modified FROM object"), DAY(5));
    settle_as(place, "a", 1, OBJECT_SETTLED, 1);
    put_one(place, object_of("a", 2, 11, DAY(6)), &counts);
    assert_counts(counts, 1, 1, 0, 0);
    assert_work(place, all_time, "a ");
}

static void test_only_a_complete_listing_prunes(void **state)
{
    struct ledger_place *place = *state;
    LIST(place, false, "a", "b", "c", "d", "e", "f");
    settle_as(place, "b", 1, OBJECT_SETTLED, 1);
    static const char *const less[] = {"c", "e"};
    assert_counts(list_with(place, "", less, 2, false, false), 2, 0, 0, 0);
    assert_work(place, all_time, "a c d e f ");
    assert_counts(list_with(place, "", less, 2, false, true), 2, 0, 0, 3); /* b was done */
    assert_work(place, all_time, "c e ");
    assert_counts(list_with(place, "", NULL, 0, false, true), 0, 0, 0, 2);
    assert_work(place, all_time, "");
}

/* 0xFF and NUL-free odd bytes sort as memcmp has it, and a prefix guards its neighbours. */
static void test_prefix_bounds(void **state)
{
    struct ledger_place *place = *state;
    LIST(place, false, "a", "a/", "a/1", "a/\xff", "a/\xff\xff", "a0", "b");
    static const char *const one[] = {"a/1"};
    assert_counts(list_with(place, "a/", one, 1, false, true), 1, 0, 0, 3);
    assert_work(place, all_time, "a a/1 a0 b ");
    assert_counts(list_with(place, "b", NULL, 0, false, true), 0, 0, 0, 1);
    assert_work(place, all_time, "a a/1 a0 ");
}

static void test_key_lengths(void **state)
{
    struct ledger_place *place = *state;
    char longest[1026];
    memset(longest, 0xFF, sizeof longest);
    longest[1024] = '\0';
    const char *const keys[] = {longest};
    assert_counts(list_with(place, "", keys, 1, false, true), 1, 1, 0, 0);
    assert_counts(list_with(place, "", keys, 1, false, true), 1, 0, 0, 0);
    settle_as(place, longest, 1, OBJECT_FAILED, 1);
    assert_counts(list_with(place, "", NULL, 0, false, true), 0, 0, 0, 1);
    assert_work(place, all_time, "");

    struct ledger_join *join;
    struct join_counts counts;
    assert_ok(place, ledger_join_begin(&join, place->ledger, place->scope, slice_of(""), all_time,
                                       false, 0, &place->err));
    struct object none = object_of("", 1, 10, 0);
    assert_int_equal(ledger_join_put(join, &none, &place->err), FAILED);
    longest[1024] = 'x';
    longest[1025] = '\0';
    struct object too_long = object_of(longest, 1, 10, 0);
    assert_int_equal(ledger_join_put(join, &too_long, &place->err), FAILED);
    assert_ok(place, ledger_join_end(join, false, &counts, &place->err));
}

/* More than some pages on both sides; every third key new, every fifth gone. */
static void test_many_pages(void **state)
{
    struct ledger_place *place = *state;
    enum { N = 7000 };
    struct ledger_join *join;
    struct join_counts counts;
    for (int round = 0; round < 2; round++) {
        assert_ok(place, ledger_join_begin(&join, place->ledger, place->scope, slice_of("k"),
                                           all_time, false, 0, &place->err));
        for (int i = 0; i < N; i++) {
            char key[16];
            snprintf(key, sizeof key, "k%05d", i);
            struct object object = object_of(key, 1, 10, 0);
            if (round == 0 ? i % 3 != 0 : i % 5 != 0) {
                assert_ok(place, ledger_join_put(join, &object, &place->err));
            }
        }
        assert_ok(place, ledger_join_end(join, true, &counts, &place->err));
        if (round == 0) {
            assert_counts(counts, 4666, 4666, 0, 0); /* 7000 - 2334 */
        }
    }
    /* multiples of 5: 1,400; of 3: 2,334; of 15: 467. New: 2,334 - 467; gone: 1,400 - 467 */
    assert_counts(counts, 5600, 1867, 0, 933);
    assert_int_equal(ask(place, "SELECT count(*) FROM object"), 5600);
}

/* A server that does not list in byte order: nothing is doubled, nothing is pruned. */
static void test_unordered_listing(void **state)
{
    struct ledger_place *place = *state;
    LIST(place, false, "a", "b", "c");
    settle_as(place, "a", 1, OBJECT_SETTLED, 1);
    settle_as(place, "b", 1, OBJECT_SETTLED, 1);
    assert_counts(LIST(place, false, "b", "a", "d", "c2"), 4, 2, 0, 0);
    assert_work(place, all_time, "c d c2 ");
    assert_counts(LIST(place, false, "d", "d"), 2, 0, 0, 0);
}

static void test_scopes_do_not_share(void **state)
{
    struct ledger_place *place = *state;
    LIST(place, false, "a");
    const struct place other_folders = {"https://s3.example.com", "logs", "%Y/", {NULL, 0}};
    const struct place nothing = {NULL, NULL, NULL, {NULL, 0}};
    int64_t first = place->scope, again, other, empty;
    assert_ok(place, ledger_scope(place->ledger, "lyve", &lyve, &again, &place->err));
    assert_int_equal(again, first);
    assert_ok(place, ledger_scope(place->ledger, "two", &lyve, &other, &place->err));
    assert_int_not_equal(other, first);
    assert_ok(place, ledger_scope(place->ledger, "lyve", &nothing, &empty, &place->err));
    assert_ok(place,
              ledger_scope(place->ledger, "lyve", &other_folders, &place->scope, &place->err));
    assert_int_not_equal(place->scope, first);
    assert_work(place, all_time, "");
    assert_counts(LIST(place, false, "b"), 1, 1, 0, 0); /* "a" of the other scope is not pruned */
    place->scope = first;
    assert_work(place, all_time, "a ");
}

static void test_wants(void **state)
{
    struct ledger_place *place = *state;
    LIST(place, false, "done", "failed", "listed", "spoilt");
    settle_as(place, "done", 1, OBJECT_SETTLED, 1);
    settle_as(place, "failed", 1, OBJECT_FAILED, 1);
    settle_as(place, "spoilt", 1, OBJECT_QUARANTINED, 1);
    static const struct {
        const char *key;
        int version;
        int64_t size;
        bool wanted;
    } rows[] = {
        {"done", 1, 10, false},  {"done", 2, 10, true},       {"done", 1, 11, true},
        {"failed", 1, 10, true}, {"listed", 1, 10, true},     {"spoilt", 1, 10, false},
        {"spoilt", 3, 10, true}, {"unheard of", 1, 10, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct object object = object_of(rows[i].key, rows[i].version, rows[i].size, 0);
        bool wanted;
        assert_ok(place, ledger_wants(place->ledger, place->scope, &object, &wanted, &place->err));
        assert_int_equal(wanted, rows[i].wanted);
    }
}

/* --- work --- */

/* Some may never be readable: they keep nobody back, and each gets its turn. */
static void test_failed_objects_come_last(void **state)
{
    struct ledger_place *place = *state;
    LIST(place, false, "a", "b", "c", "d");
    settle_as(place, "a", 1, OBJECT_FAILED, 1);
    settle_as(place, "a", 1, OBJECT_FAILED, 2);
    settle_as(place, "b", 1, OBJECT_FAILED, 2);
    settle_as(place, "c", 1, OBJECT_FAILED, 2);
    assert_work(place, all_time, "d b c a ");
    settle_as(place, "b", 1, OBJECT_FAILED, 3);
    settle_as(place, "b", 1, OBJECT_FAILED, 4);
    assert_work(place, all_time, "d c a b ");
    assert_work(place, (struct window){1, 2}, "");
}

/* A file that was damaged or edited: no key is longer than there is room for. */
static void test_a_key_longer_than_keys_are(void **state)
{
    struct ledger_place *place = *state;
    CLEANUP(arena_finish) struct arena keys = {0};
    LIST(place, false, "a", "b");
    (void)ask(place, "INSERT INTO object (scope, key, etag, size, last_modified, state, attempts)"
                     " VALUES (1, zeroblob(9000), zeroblob(900), 1, 5, 0, 0) RETURNING 1");
    struct ledger_work *work;
    struct work_totals totals;
    struct object object;
    assert_ok(place, ledger_work_begin(&work, place->ledger, place->scope, all_time, &totals,
                                       &place->err));
    for (int i = 0; i < 3; i++) {
        assert_ok(place, ledger_work_next(work, &keys, &object, &place->err));
        assert_true(object.key.len <= 1024);
    }
    ledger_work_end(work);
    assert_counts(LIST(place, false, "a", "b"), 2, 0, 0, 1);
}

/* An object that fails in a run is not given again in it. */
static void test_one_turn_in_a_run(void **state)
{
    struct ledger_place *place = *state;
    CLEANUP(arena_finish) struct arena keys = {0};
    LIST(place, false, "a", "b");
    settle_as(place, "b", 1, OBJECT_FAILED, 1);
    struct ledger_work *work;
    struct work_totals totals;
    struct object object;
    assert_ok(place, ledger_work_begin(&work, place->ledger, place->scope, all_time, &totals,
                                       &place->err));
    assert_int_equal(totals.objects, 2);
    for (int i = 0; i < 2; i++) {
        assert_ok(place, ledger_work_next(work, &keys, &object, &place->err));
        assert_memory_equal(object.key.at, i == 0 ? "a" : "b", 1);
        settle_as(place, i == 0 ? "a" : "b", 1, OBJECT_FAILED, 2);
    }
    assert_int_equal(ledger_work_next(work, &keys, &object, &place->err), AGAIN);
    ledger_work_end(work);
}

static void test_work_order_and_window(void **state)
{
    struct ledger_place *place = *state;
    struct ledger_join *join;
    struct join_counts counts;
    assert_ok(place, ledger_join_begin(&join, place->ledger, place->scope, slice_of(""), all_time,
                                       false, 0, &place->err));
    static const struct {
        const char *key;
        int64_t day;
    } rows[] = {{"a", 9}, {"b", 2}, {"c", 5}, {"d", 2}, {"e", -3}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct object object = object_of(rows[i].key, 1, 10, DAY(rows[i].day));
        assert_ok(place, ledger_join_put(join, &object, &place->err));
    }
    assert_ok(place, ledger_join_end(join, true, &counts, &place->err));
    assert_work(place, all_time, "e b d c a ");
    assert_work(place, (struct window){DAY(2), DAY(5)}, "b d ");
    assert_work(place, (struct window){DAY(2) + 1, DAY(5) + 1}, "c ");
    assert_work(place, (struct window){DAY(20), DAY(30)}, "");
}

/* What fails in a run is not given again in it, and is in the next; over several pages. */
static void test_failures_wait_for_the_next_run(void **state)
{
    struct ledger_place *place = *state;
    enum { N = 600 };
    struct ledger_join *join;
    struct join_counts counts;
    assert_ok(place, ledger_join_begin(&join, place->ledger, place->scope, slice_of(""), all_time,
                                       false, 0, &place->err));
    for (int i = 0; i < N; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%05d", i);
        struct object object = object_of(key, 1, 10, 0);
        assert_ok(place, ledger_join_put(join, &object, &place->err));
    }
    assert_ok(place, ledger_join_end(join, true, &counts, &place->err));
    for (int run = 1; run <= 2; run++) {
        struct ledger_work *work;
        struct work_totals totals;
        assert_ok(place, ledger_work_begin(&work, place->ledger, place->scope, all_time, &totals,
                                           &place->err));
        struct arena keys = {0};
        struct object object;
        int given = 0;
        while (ledger_work_next(work, &keys, &object, &place->err) == OK) {
            struct outcome outcome = outcome_of(&object, OBJECT_FAILED, run);
            assert_ok(place, ledger_settle(place->ledger, place->scope, &outcome, 1, &place->err));
            arena_reset(&keys);
            given++;
        }
        assert_int_equal(given, N);
        arena_finish(&keys);
        ledger_work_end(work);
    }
    assert_int_equal(ask(place, "SELECT count(*) FROM object WHERE attempts = 2"), N);
}

/* --- outcomes --- */

static void test_newer_listing_wins(void **state)
{
    struct ledger_place *place = *state;
    struct join_counts counts;
    LIST(place, false, "a");
    put_one(place, object_of("a", 2, 20, DAY(1)),
            &counts); /* listed anew while version 1 is read */
    settle_as(place, "a", 1, OBJECT_SETTLED, 1);
    assert_work(place, all_time, "a ");
    settle_as(place, "a", 2, OBJECT_SETTLED, 1);
    assert_work(place, all_time, "");
}

static void test_error_is_cut_at_a_character(void **state)
{
    struct ledger_place *place = *state;
    LIST(place, false, "a");
    char text[600] = "x";
    for (int i = 0; i < 299; i++) {
        memcpy(text + 1 + 2 * i, "\xc3\xbc", 3);
    }
    struct object object = object_of("a", 1, 10, 0);
    struct outcome outcome = outcome_of(&object, OBJECT_FAILED, 1);
    outcome.error = text;
    assert_ok(place, ledger_settle(place->ledger, place->scope, &outcome, 1, &place->err));
    assert_int_equal(ask(place, "SELECT length(CAST(error AS BLOB)) FROM object"), 511);
}

static void test_state_names(void **state)
{
    (void)state;
    assert_string_equal(object_state_name(OBJECT_LISTED), "listed");
    assert_string_equal(object_state_name(OBJECT_SETTLED), "settled");
    assert_string_equal(object_state_name(OBJECT_FAILED), "failed");
    assert_string_equal(object_state_name(OBJECT_QUARANTINED), "quarantined");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_ledger, remove_ledger)
        TEST(test_join_enters_and_leaves_alone),
        TEST(test_again_keeps_to_the_window),
        TEST(test_counts_stay_until_the_next_outcome),
        TEST(test_changed_content_is_new_work),
        TEST(test_only_a_complete_listing_prunes),
        TEST(test_prefix_bounds),
        TEST(test_key_lengths),
        TEST(test_many_pages),
        TEST(test_unordered_listing),
        TEST(test_scopes_do_not_share),
        TEST(test_wants),
        TEST(test_failed_objects_come_last),
        TEST(test_one_turn_in_a_run),
        TEST(test_a_key_longer_than_keys_are),
        TEST(test_work_order_and_window),
        TEST(test_failures_wait_for_the_next_run),
        TEST(test_newer_listing_wins),
        TEST(test_error_is_cut_at_a_character),
        cmocka_unit_test(test_state_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
