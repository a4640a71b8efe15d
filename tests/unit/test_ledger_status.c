/* Tests of ledger/ledger: counts, dead letters, runs, fingerprints and the figures of `status`. */
#include "ledger_place.h"

static struct job_status status_of(struct ledger_place *place)
{
    struct job_status status;
    assert_ok(place, ledger_job_status(place->ledger, "lyve", sink_names, 3, &status, &place->err));
    return status;
}

static void assert_sink(const struct sink_counts *sink, uint64_t stored, uint64_t duplicate,
                        uint64_t expired, uint64_t dead)
{
    assert_int_equal(sink->stored, stored);
    assert_int_equal(sink->duplicate, duplicate);
    assert_int_equal(sink->expired, expired);
    assert_int_equal(sink->dead, dead);
}

/* a: settled, two sinks, two measurements; b: quarantined; c: failed; d: listed. */
static void fill(struct ledger_place *place)
{
    LIST_EXACTLY(place, "a", "b", "c", "d");
    const struct object a = object_of("a", 1, 10, 0), b = object_of("b", 1, 10, 0),
                        c = object_of("c", 1, 10, 0);
    const struct day_count days_a[] = {
        {0, "audit-01", 19142, 5},
        {0, "audit-01", 19143, 1},
        {0, "iam-01", 19142, 2},
        {1, "audit-01", 19142, 7},
    };
    const struct day_count days_b[] = {{0, "audit-01", 19143, 30}};
    struct outcome outcomes[] = {outcome_of(&a, OBJECT_SETTLED, 1),
                                 outcome_of(&b, OBJECT_QUARANTINED, 1),
                                 outcome_of(&c, OBJECT_FAILED, 1)};
    outcomes[0].read = 10;
    outcomes[0].n_sinks = 2;
    outcomes[0].sinks[0] = (struct sink_counts){8, 1, 0, 1};
    outcomes[0].sinks[1] = (struct sink_counts){7, 1, 2, 0};
    outcomes[0].sink_numbers[1] = 1;
    outcomes[0].days = days_a;
    outcomes[0].n_days = 4;
    outcomes[1].read = 40;
    outcomes[1].sinks[0] = (struct sink_counts){30, 0, 0, 10};
    outcomes[1].days = days_b;
    outcomes[1].n_days = 1;
    outcomes[1].error = "truncated gzip";
    outcomes[2].read = 1000; /* of an attempt that did not get to the end: not counted */
    outcomes[2].sinks[0] = (struct sink_counts){1000, 0, 0, 0};
    outcomes[2].error = "connection reset";
    assert_ok(place, ledger_settle(place->ledger, place->scope, outcomes, 3, &place->err));
}

static void test_figures(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    struct job_status status = status_of(place);
    assert_int_equal(status.objects[OBJECT_LISTED], 1);
    assert_int_equal(status.objects[OBJECT_SETTLED], 1);
    assert_int_equal(status.objects[OBJECT_FAILED], 1);
    assert_int_equal(status.objects[OBJECT_QUARANTINED], 1);
    assert_int_equal(status.read, 50);
    assert_sink(&status.sinks[0], 38, 1, 0, 11);
    assert_sink(&status.sinks[1], 7, 1, 2, 0);
    assert_sink(&status.sinks[2], 0, 0, 0, 0);
    assert_string_equal(status.oldest_error, "b: truncated gzip");
}

/* The figures stay when the objects go; unfinished ones leave nothing. */
static void test_pruned_counts_are_kept(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    FORGET_ALL_BUT(place, "a");
    FORGET_ALL_BUT(place, "e");
    struct job_status status = status_of(place);
    assert_int_equal(status.objects[OBJECT_LISTED], 1);  /* e */
    assert_int_equal(status.objects[OBJECT_SETTLED], 2); /* a and b, in two prunings */
    assert_int_equal(status.objects[OBJECT_FAILED], 0);
    assert_int_equal(status.objects[OBJECT_QUARANTINED], 0);
    assert_int_equal(status.read, 50);
    assert_sink(&status.sinks[0], 38, 1, 0, 11);
    assert_sink(&status.sinks[1], 7, 1, 2, 0);
    assert_string_equal(status.oldest_error, "");
#define POINTS(sink, name, day)                               \
    ask(place,                                                \
        "SELECT points FROM total_points WHERE sink = " #sink \
        " AND measurement = (SELECT id FROM measurement WHERE name = '" name "') AND day = " #day)
    assert_int_equal(POINTS(0, "audit-01", 19142), 5);
    assert_int_equal(POINTS(0, "audit-01", 19143), 31);
    assert_int_equal(POINTS(0, "iam-01", 19142), 2);
    assert_int_equal(POINTS(1, "audit-01", 19142), 7);
    assert_int_equal(ask(place, "SELECT count(*) FROM total_points"), 4);
}

static void test_failing_again_keeps_the_counts(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    const struct object a = object_of("a", 1, 10, 0);
    struct outcome outcome = outcome_of(&a, OBJECT_FAILED, 2);
    assert_ok(place, ledger_settle(place->ledger, place->scope, &outcome, 1, &place->err));
    struct job_status status = status_of(place);
    assert_int_equal(status.read, 50); /* 10 of "a" */
    assert_sink(&status.sinks[0], 38, 1, 0, 11);
}

static void test_other_jobs_do_not_count(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    struct job_status status;
    assert_ok(place,
              ledger_job_status(place->ledger, "other", sink_names, 3, &status, &place->err));
    assert_int_equal(status.read, 0);
    assert_int_equal(status.objects[OBJECT_SETTLED], 0);
    assert_int_equal(status.last_start_ns, INT64_MIN);
    assert_int_equal(status.last_end_ns, INT64_MIN);
    assert_int_equal(status.good_from_ns, INT64_MIN);
    assert_int_equal(status.good_to_ns, INT64_MIN);
    assert_string_equal(status.oldest_error, "");
}

/* A long key does not push the reason out. */
static void test_oldest_error_of_a_long_key(void **state)
{
    struct ledger_place *place = *state;
    char key[1001];
    memset(key, 'k', 1000);
    key[1000] = '\0';
    LIST_EXACTLY(place, key);
    const struct object object = object_of(key, 1, 10, 0);
    struct outcome outcome = outcome_of(&object, OBJECT_FAILED, 1);
    outcome.error = "connection reset";
    assert_ok(place, ledger_settle(place->ledger, place->scope, &outcome, 1, &place->err));
    struct job_status status = status_of(place);
    assert_int_equal(strlen(status.oldest_error), 256 + strlen(": connection reset"));
    assert_string_equal(status.oldest_error + 256, ": connection reset");
}

/* --- dead letters --- */

static struct dead_letter letter_of(const char *key, int64_t attempt, uint64_t line,
                                    const char *sink)
{
    return (struct dead_letter){
        slice_of(key), attempt,         line, sink, "auditEntry.time: missing", 2000,
        UINT64_MAX,    {"{\"a\":1}", 7}};
}

static void test_letters(void **state)
{
    struct ledger_place *place = *state;
    LIST_EXACTLY(place, "a", "b");
    struct dead_letter letters[] = {letter_of("a", 1, 17, NULL), letter_of("a", 1, 17, "influx"),
                                    letter_of("a", 1, 18, NULL), letter_of("b", 1, 3, NULL)};
    letters[2].bytes = (struct slice){NULL, 0};
    assert_ok(place, ledger_bury(place->ledger, place->scope, letters, 4, &place->err));
    assert_int_equal(status_of(place).dead_letters, 4);
    assert_int_equal(ask(place, "SELECT count(*) FROM dead_letter WHERE line = 17 AND len = 2000"
                                " AND hash = -1 AND bytes = CAST('{\"a\":1}' AS BLOB)"
                                " AND reason = 'auditEntry.time: missing' AND run = 1"),
                     2);
    /* the same again within an attempt changes nothing, an id stays */
    int64_t id = ask(place, "SELECT max(id) FROM dead_letter WHERE line = 17");
    assert_ok(place, ledger_bury(place->ledger, place->scope, letters, 2, &place->err));
    assert_int_equal(ask(place, "SELECT max(id) FROM dead_letter WHERE line = 17"), id);
    assert_int_equal(status_of(place).dead_letters, 4);

    /* another attempt replaces them when it is settled, for its own key */
    struct dead_letter later = letter_of("a", 2, 18, NULL);
    assert_ok(place, ledger_bury(place->ledger, place->scope, &later, 1, &place->err));
    assert_int_equal(status_of(place).dead_letters, 5);
    const struct object a = object_of("a", 1, 10, 0);
    struct outcome outcome = outcome_of(&a, OBJECT_SETTLED, 2);
    assert_ok(place, ledger_settle(place->ledger, place->scope, &outcome, 1, &place->err));
    assert_int_equal(status_of(place).dead_letters, 2);
    assert_int_equal(ask(place, "SELECT count(*) FROM dead_letter WHERE run = 2"), 1);
    LIST_EXACTLY(place, "b"); /* a is pruned, its letter stays */
    assert_int_equal(status_of(place).dead_letters, 2);
}

static void test_letter_limits(void **state)
{
    struct ledger_place *place = *state;
    CLEANUP_FREE char *bytes = memory_new(70000);
    struct dead_letter letter = letter_of("a", 1, 1, NULL);
    letter.bytes = slice_make(bytes, 70000);
    char reason[1000];
    memset(reason, 'r', sizeof reason);
    reason[999] = '\0';
    letter.reason = reason;
    assert_ok(place, ledger_bury(place->ledger, place->scope, &letter, 1, &place->err));
    assert_int_equal(ask(place, "SELECT length(bytes) FROM dead_letter"), 65536);
    assert_int_equal(ask(place, "SELECT length(reason) FROM dead_letter"), 512);
}

/* --- runs --- */

static void test_runs(void **state)
{
    struct ledger_place *place = *state;
    const struct window window = {100, 200}, later = {200, 300};
    int64_t first, second, other;
    assert_ok(place, ledger_run_begin(place->ledger, "lyve", 1000, &first, &place->err));
    struct job_status status = status_of(place);
    assert_int_equal(status.last_start_ns, 1000);
    assert_int_equal(status.last_end_ns, INT64_MIN);
    assert_int_equal(status.good_from_ns, INT64_MIN);
    assert_ok(place, ledger_run_end(place->ledger, first, 1500, true, window, &place->err));
    assert_ok(place, ledger_run_begin(place->ledger, "other", 1600, &other, &place->err));
    assert_true(other > first);
    assert_ok(place, ledger_run_begin(place->ledger, "lyve", 2000, &second, &place->err));
    assert_true(second > other);
    assert_ok(place, ledger_run_end(place->ledger, second, 2500, false, later, &place->err));
    status = status_of(place);
    assert_int_equal(status.last_start_ns, 2000);
    assert_int_equal(status.last_end_ns, 2500);
    assert_false(status.last_ok);
    assert_int_equal(status.good_from_ns, 100);
    assert_int_equal(status.good_to_ns, 200);
    assert_ok(place, ledger_run_end(place->ledger, second, 2600, true, later, &place->err));
    status = status_of(place);
    assert_true(status.last_ok);
    assert_int_equal(status.good_to_ns, 300);
}

/* The record of runs is bounded, per job, and numbers only grow. */
static void test_runs_are_pruned(void **state)
{
    struct ledger_place *place = *state;
    int64_t other, run = 0;
    assert_ok(place, ledger_run_begin(place->ledger, "other", 0, &other, &place->err));
    for (int i = 0; i < 1010; i++) {
        int64_t before = run;
        assert_ok(place, ledger_run_begin(place->ledger, "lyve", i, &run, &place->err));
        assert_true(run > before);
    }
    assert_int_equal(ask(place, "SELECT count(*) FROM run WHERE job = 'lyve'"), 1001);
    int64_t first;
    assert_ok(place, ledger_first_start(place->ledger, "lyve", &first, &place->err));
    assert_int_equal(first, 0); /* the first run is kept, and the newest 1,000 */
    assert_int_equal(ask(place, "SELECT min(started) FROM run WHERE job = 'lyve' AND started > 0"),
                     10);
    assert_int_equal(ledger_first_start(place->ledger, "nobody", &first, &place->err), AGAIN);
    assert_int_equal(ask(place, "SELECT count(*) FROM run WHERE job = 'other'"), 1);
}

static void test_fingerprints(void **state)
{
    struct ledger_place *place = *state;
    struct ledger *ledger = place->ledger;
    enum fingerprint_state is;
    assert_ok(place, ledger_fingerprint(ledger, "lyve", "influx", 7, &is, &place->err));
    assert_int_equal(is, FINGERPRINT_NEW);
    assert_ok(place, ledger_set_fingerprint(ledger, "lyve", "influx", UINT64_MAX, &place->err));
    assert_ok(place, ledger_fingerprint(ledger, "lyve", "influx", UINT64_MAX, &is, &place->err));
    assert_int_equal(is, FINGERPRINT_SAME);
    assert_ok(place, ledger_fingerprint(ledger, "lyve", "influx", 7, &is, &place->err));
    assert_int_equal(is, FINGERPRINT_CHANGED);
    assert_ok(place, ledger_fingerprint(ledger, "lyve", "file", 7, &is, &place->err));
    assert_int_equal(is, FINGERPRINT_NEW);
    assert_ok(place, ledger_set_fingerprint(ledger, "lyve", "influx", 7, &place->err));
    assert_ok(place, ledger_fingerprint(ledger, "lyve", "influx", 7, &is, &place->err));
    assert_int_equal(is, FINGERPRINT_SAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_ledger, remove_ledger)
        TEST(test_figures),
        TEST(test_pruned_counts_are_kept),
        TEST(test_failing_again_keeps_the_counts),
        TEST(test_other_jobs_do_not_count),
        TEST(test_oldest_error_of_a_long_key),
        TEST(test_letters),
        TEST(test_letter_limits),
        TEST(test_runs),
        TEST(test_runs_are_pruned),
        TEST(test_fingerprints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
