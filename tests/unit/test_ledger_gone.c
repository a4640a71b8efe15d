/*
 * Tests of objects that left the bucket (ledger/join): for 30 days they are as they were when they
 * are listed again, and after that only their counts are left.
 */
#include "ledger_place.h"

#include "ledger/compare.h"
#include "ledger/letters.h"
#include "ledger/verify.h"

static const char *const rows = "SELECT count(*) FROM object";
static const char *const folded = "SELECT coalesce(sum(objects), 0) FROM total_object";

static void settle(struct ledger_place *place, const char *key, enum object_state state)
{
    const struct object object = object_of(key, 1, 10, 0);
    const struct day_count day = {0, "audit-01", 20000, 5};
    struct outcome outcome = outcome_of(&object, state, 1);
    uint64_t numbers[1];
    assert_ok(place, ledger_sinks(place->ledger, "lyve", sink_names, 1, numbers, &place->err));
    outcome.read = outcome.sinks[0].stored = 5;
    outcome.days = &day;
    outcome.n_days = 1;
    outcome.error = state == OBJECT_QUARANTINED ? "damaged" : NULL;
    assert_ok(place, ledger_settle(place->ledger, place->scope, &outcome, 1, &place->err));
}

/* Lists one object of that version on that day; returns what the listing made of it. */
static struct join_counts list_one(struct ledger_place *place, int64_t day, const char *key,
                                   int version)
{
    struct ledger_join *join;
    struct join_counts counts;
    const struct object object = object_of(key, version, 10, 0);
    assert_ok(place, ledger_join_begin(&join, place->ledger, place->scope, slice_of(""), all_time,
                                       false, day * NS_PER_DAY, &place->err));
    assert_ok(place, ledger_join_put(join, &object, &place->err));
    assert_ok(place, ledger_join_end(join, true, &counts, &place->err));
    return counts;
}

static struct job_status status_of(struct ledger_place *place)
{
    struct job_status status;
    assert_ok(place, ledger_job_status(place->ledger, "lyve", sink_names, 1, &status, &place->err));
    return status;
}

/* Each object has five records, wherever its counts lie. */
static void assert_read(struct ledger_place *place, uint64_t objects)
{
    struct job_status status = status_of(place);
    assert_int_equal(status.read, 5 * objects);
    assert_int_equal(status.sinks[0].stored, 5 * objects);
    assert_int_equal(status.objects[OBJECT_SETTLED], objects);
}

static void fill(struct ledger_place *place)
{
    LIST_EXACTLY(place, "a", "b", "c");
    settle(place, "a", OBJECT_SETTLED);
    settle(place, "b", OBJECT_SETTLED);
}

/* Nothing is read again, and so nothing is counted again. */
static void test_listed_again(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    assert_int_equal(list_one(place, 1, "a", 1).pruned, 1); /* c: it had not been read */
    assert_int_equal(list_one(place, 30, "a", 1).pruned, 0);
    assert_read(place, 2);
    struct join_counts counts = list_one(place, 31 - 1, "b", 1);
    assert_int_equal(counts.fresh, 0);
    assert_int_equal(counts.reopened, 0);
    LIST_EXACTLY_AT(place, 31, "a", "b");
    assert_int_equal(ask(place, "SELECT count(*) FROM object WHERE gone IS NOT NULL"), 0);
    assert_int_equal(ask(place, folded), 0);
    assert_read(place, 2);
    /* the time begins anew */
    LIST_EXACTLY_AT(place, 40, "a");
    LIST_EXACTLY_AT(place, 69, "a");
    assert_int_equal(ask(place, rows), 2);
    assert_read(place, 2);
}

/* The objects that a run would read. */
static uint64_t count_work(struct ledger_place *place)
{
    CLEANUP(arena_finish) struct arena keys = {0};
    struct ledger_work *work;
    struct work_totals totals;
    struct object object;
    uint64_t n = 0;
    assert_ok(place, ledger_work_begin(&work, place->ledger, place->scope, all_time, &totals,
                                       &place->err));
    while (ledger_work_next(work, &keys, &object, &place->err) == OK) {
        n++;
    }
    ledger_work_end(work);
    assert_int_equal(totals.objects, n);
    return n;
}

/* One that was read and is to be read anew has points, too: counted once, and read when it is back.
 */
static void test_requeued(void **state)
{
    static const enum object_state attempts[] = {OBJECT_LISTED, OBJECT_FAILED};
    struct ledger_place *place = *state;
    fill(place);
    for (size_t i = 0; i < 2; i++) {
        bool requeued;
        uint64_t waiting;
        assert_ok(place, ledger_requeue(place->ledger, place->scope, slice_of("b"), &requeued,
                                        &place->err));
        assert_true(requeued);
        if (attempts[i] == OBJECT_FAILED) {
            settle(place, "b", OBJECT_FAILED);
        }
        list_one(place, 1, "a", 1);
        assert_int_equal(ask(place, folded), 0);
        assert_int_equal(count_work(place), 0);
        assert_ok(place,
                  ledger_waiting(place->ledger, place->scope, all_time, &waiting, &place->err));
        assert_int_equal(waiting, 0);
        assert_read(place, 2);
        LIST_EXACTLY_AT(place, 2, "a", "b");
        assert_int_equal(count_work(place), 1);
        settle(place, "b", OBJECT_SETTLED);
        assert_read(place, 2);
    }
}

static void test_forgotten(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    LIST_EXACTLY_AT(place, 1, "a");
    LIST_EXACTLY_AT(place, 30, "a");
    assert_int_equal(ask(place, rows), 2);
    assert_int_equal(list_one(place, 31, "a", 1).pruned, 1);
    assert_int_equal(ask(place, rows), 1);
    assert_int_equal(ask(place, folded), 1);
    assert_read(place, 2);
}

/* As an object that was replaced: its old counts go with its old content. */
static void test_listed_again_with_other_content(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    list_one(place, 1, "a", 1);
    assert_int_equal(list_one(place, 2, "b", 2).fresh, 1);
    enum object_state is;
    assert_ok(place,
              ledger_object_state(place->ledger, place->scope, slice_of("b"), &is, &place->err));
    assert_int_equal(is, OBJECT_LISTED);
    LIST_EXACTLY_AT(place, 40, "a");
    assert_int_equal(ask(place, folded), 0);
    assert_int_equal(status_of(place).read, 5);
}

static void test_listed_again_out_of_order(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    list_one(place, 1, "c", 1);
    LIST_EXACTLY_AT(place, 2, "c", "b", "a");
    assert_int_equal(ask(place, "SELECT count(*) FROM object WHERE gone IS NOT NULL"), 0);
    LIST_EXACTLY_AT(place, 60, "a", "b", "c");
    assert_int_equal(ask(place, rows), 3);
    assert_read(place, 2);
}

/* Marks of a clock that was ahead do not keep an object for ever. */
static void test_a_wrong_clock(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    LIST_EXACTLY_AT(place, 10000, "a");
    LIST_EXACTLY_AT(place, 1, "a");
    LIST_EXACTLY_AT(place, 30, "a");
    assert_int_equal(ask(place, folded), 0);
    LIST_EXACTLY_AT(place, 31, "a");
    assert_int_equal(ask(place, folded), 1);
}

/* To all others it is no longer there. */
static void test_who_sees_it(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    settle(place, "b", OBJECT_QUARANTINED);
    const struct dead_letter letter = {
        .key = slice_of("b"), .attempt = 1, .line = 1, .reason = "bad", .bytes = slice_of("x")};
    assert_ok(place, ledger_bury(place->ledger, place->scope, &letter, 1, &place->err));
    const struct letter_filter gone = {.since_ns = INT64_MIN, .before_ns = INT64_MAX, .gone = true};
    uint64_t letters;
    assert_ok(place, ledger_letter_count(place->ledger, &gone, &letters, &place->err));
    assert_int_equal(letters, 0);
    assert_string_equal(status_of(place).oldest_error, "b: damaged");

    LIST_EXACTLY_AT(place, 1, "a");
    assert_ok(place, ledger_letter_count(place->ledger, &gone, &letters, &place->err));
    assert_int_equal(letters, 1);
    assert_read(place, 2);
    assert_string_equal(status_of(place).oldest_error, "");
    bool requeued;
    assert_int_equal(
        ledger_requeue(place->ledger, place->scope, slice_of("b"), &requeued, &place->err), AGAIN);
    assert_int_equal(ask(place, "SELECT state FROM object WHERE key = CAST('b' AS BLOB)"), 3);
}

/* --- verify --- */

static void tell_compared(struct comparison *to, enum compared what, const struct object *object,
                          enum object_state state)
{
    (void)to, (void)state;
    if (what == COMPARED_GONE) {
        fail_msg("%.*s is told again", SLICE_ARG(object->key));
    }
}

static void ignore_claim(struct claims *claims, const struct claim *claim)
{
    (void)claims, (void)claim;
}

static void ignore_day(struct claims *claims, const struct claim *claim,
                       const struct claim_day *day)
{
    (void)claims, (void)claim, (void)day;
}

static void check_claim(struct claims *claims, const struct claim *claim)
{
    (void)claims;
    assert_int_equal(claim->gone, slice_is(claim->key, "b"));
}

static void test_verify_knows(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    LIST_EXACTLY_AT(place, 1, "a");
    struct claims claims = {check_claim, ignore_day, ignore_claim};
    assert_ok(place, ledger_claims(place->ledger, &claims, &place->err));

    struct comparison comparison = {.object = tell_compared};
    struct ledger_compare *compare;
    const struct object a = object_of("a", 1, 10, 0);
    assert_ok(place, ledger_compare_begin(&compare, place->ledger, place->scope, slice_of(""),
                                          all_time, &comparison, &place->err));
    assert_ok(place, ledger_compare_put(compare, &a, &place->err));
    assert_ok(place, ledger_compare_end(compare, true, &place->err));
}

/* --- many --- */

enum { N = 3500 };

static void list_many(struct ledger_place *place, int64_t day, int step)
{
    struct ledger_join *join;
    struct join_counts counts;
    assert_ok(place, ledger_join_begin(&join, place->ledger, place->scope, slice_of(""), all_time,
                                       false, day * NS_PER_DAY, &place->err));
    for (int i = 0; step && i < N; i += step) {
        char key[16];
        snprintf(key, sizeof key, "k%05d", i);
        const struct object object = object_of(key, 1, 10, 0);
        assert_ok(place, ledger_join_put(join, &object, &place->err));
    }
    assert_ok(place, ledger_join_end(join, true, &counts, &place->err));
}

/* One gap over some pages, with kept and forgotten ones side by side. */
static void test_many(void **state)
{
    struct ledger_place *place = *state;
    list_many(place, 0, 1);
    for (int i = 0; i < N; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%05d", i);
        settle(place, key, OBJECT_SETTLED);
    }
    list_many(place, 1, 7); /* 500 are left */
    list_many(place, 20, 0);
    assert_int_equal(ask(place, rows), N);
    list_many(place, 31, 0);
    assert_int_equal(ask(place, rows), 500);
    assert_int_equal(ask(place, folded), 3000);
    list_many(place, 49, 0);
    assert_int_equal(ask(place, rows), 500);
    list_many(place, 50, 0);
    assert_int_equal(ask(place, rows), 0);
    assert_int_equal(ask(place, "SELECT points FROM total_points"), 5 * N);
    assert_read(place, N);
}

/* Of so many gaps that one listing cannot remember them all, the next ones note the rest. */
static void test_more_gaps_than_are_remembered(void **state)
{
    struct ledger_place *place = *state;
    for (int listing = 0; listing < 3; listing++) {
        struct ledger_join *join;
        struct join_counts counts;
        assert_ok(place, ledger_join_begin(&join, place->ledger, place->scope, slice_of(""),
                                           all_time, false, listing * NS_PER_DAY, &place->err));
        for (int i = 0; i < 20000; i += listing ? 2 : 1) {
            char key[1000]; /* two of them are a gap, for which there are 16 MiB */
            memset(key, 'k', sizeof key);
            snprintf(key, sizeof key, "%05d", i);
            key[5] = 'k';
            const struct object object = {slice_make(key, sizeof key), 1, 0, {0}};
            assert_ok(place, ledger_join_put(join, &object, &place->err));
        }
        assert_ok(place, ledger_join_end(join, true, &counts, &place->err));
        ask(place, "UPDATE object SET state = 1 RETURNING 1");
        int64_t gone = ask(place, "SELECT count(*) FROM object WHERE gone IS NOT NULL");
        if (listing == 1) {
            assert_in_range(gone, 1, 9999);
        } else {
            assert_int_equal(gone, listing ? 10000 : 0);
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_ledger, remove_ledger)
    const struct CMUnitTest tests[] = {
        TEST(test_listed_again),
        TEST(test_requeued),
        TEST(test_forgotten),
        TEST(test_listed_again_with_other_content),
        TEST(test_listed_again_out_of_order),
        TEST(test_a_wrong_clock),
        TEST(test_who_sees_it),
        TEST(test_verify_knows),
        TEST(test_many),
        TEST(test_more_gaps_than_are_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
