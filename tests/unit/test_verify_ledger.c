/* Tests of ledger/verify: what the ledger claims, told as one line a claim. */
#include "ledger/verify.h"
#include "ledger_place.h"

#include <inttypes.h>

struct listener {
    struct claims claims;
    struct buf told;
};

static void hear_begin(struct claims *claims, const struct claim *claim)
{
    struct buf *told = &((struct listener *)claims)->told;
    buf_printf(told, "%s/%.*s x%d state %d", claim->job, SLICE_ARG(claim->key), (int)claim->objects,
               (int)claim->state);
    if (claim->has_counts) {
        buf_printf(told, " read %d", (int)claim->read);
    }
    for (size_t i = 0; i < claim->n_sinks; i++) {
        const struct sink_counts *counts = &claim->sinks[i].counts;
        buf_printf(told, " %s=%d,%d,%d,%d", claim->sinks[i].name, (int)counts->stored,
                   (int)counts->duplicate, (int)counts->expired, (int)counts->dead);
    }
}

static void hear_day(struct claims *claims, const struct claim *claim, const struct claim_day *day)
{
    struct buf *told = &((struct listener *)claims)->told;
    buf_printf(told, " %s:%s:%d:%d", claim->sinks[day->sink].name, day->measurement, (int)day->day,
               (int)day->points);
}

static void hear_end(struct claims *claims, const struct claim *claim)
{
    buf_add_text(&((struct listener *)claims)->told, claim->damaged ? " damaged\n" : "\n");
}

static void expect_claims(struct ledger_place *place, const char *wanted)
{
    struct listener listener = {{hear_begin, hear_day, hear_end}, {.max = 64 * 1024}};
    assert_ok(place, ledger_claims(place->ledger, &listener.claims, &place->err));
    assert_string_equal(buf_text(&listener.told), wanted);
    buf_finish(&listener.told);
}

/* a: settled into two sinks; b: quarantined, one sink; c: failed; d: listed. */
static void fill(struct ledger_place *place)
{
    LIST_EXACTLY(place, "a", "b", "c", "d");
    const struct object a = object_of("a", 1, 10, 0), b = object_of("b", 1, 10, 0),
                        c = object_of("c", 1, 10, 0);
    const struct day_count days_a[] = {
        {0, "audit-01", 100, 5}, {1, "audit-01", 100, 6}, {1, "iam-01", -1, 1}};
    const struct day_count days_b[] = {{0, "audit-01", 100, 30}};
    struct outcome outcomes[] = {outcome_of(&a, OBJECT_SETTLED, 1),
                                 outcome_of(&b, OBJECT_QUARANTINED, 1),
                                 outcome_of(&c, OBJECT_FAILED, 1)};
    outcomes[0].read = 8;
    outcomes[0].n_sinks = 2;
    outcomes[0].sinks[0] = (struct sink_counts){5, 1, 2, 0};
    outcomes[0].sinks[1] = (struct sink_counts){7, 1, 0, 0};
    outcomes[0].days = days_a;
    outcomes[0].n_days = 3;
    outcomes[1].read = 40;
    outcomes[1].sinks[0] = (struct sink_counts){30, 0, 0, 10};
    outcomes[1].days = days_b;
    outcomes[1].n_days = 1;
    uint64_t numbers[2];
    assert_ok(place, ledger_sinks(place->ledger, "lyve", sink_names, 2, numbers, &place->err));
    memcpy(outcomes[0].sink_numbers, numbers, sizeof numbers);
    outcomes[1].sink_numbers[0] = numbers[1];
    assert_ok(place, ledger_settle(place->ledger, place->scope, outcomes, 3, &place->err));
}

static void test_objects(void **state)
{
    struct ledger_place *place = *state;
    expect_claims(place, "");
    fill(place);
    expect_claims(place, "lyve/a x1 state 1 read 8 influx=5,1,2,0 store=7,1,0,0"
                         " influx:audit-01:100:5 store:audit-01:100:6 store:iam-01:-1:1\n"
                         "lyve/b x1 state 3 read 40 store=30,0,0,10 store:audit-01:100:30\n"
                         "lyve/c x1 state 2\n"
                         "lyve/d x1 state 0\n");
}

/* Without a key: all of them, then each sink, which only part of them may have gone to. */
static void test_objects_that_are_gone(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    FORGET_ALL_BUT(place, "d");
    expect_claims(place, "lyve/d x1 state 0\n"
                         "lyve/ x2 state 1 read 48\n"
                         "lyve/ x0 state 1 read 8 influx=5,1,2,0 influx:audit-01:100:5\n"
                         "lyve/ x0 state 1 read 48 store=37,1,0,10"
                         " store:audit-01:100:36 store:iam-01:-1:1\n");
}

/* Another job's sinks have the same numbers and other names. */
static void test_jobs(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    FORGET_ALL_BUT(place, "a");
    const char *const names[] = {"elsewhere"};
    uint64_t number;
    assert_ok(place, ledger_sinks(place->ledger, "other", names, 1, &number, &place->err));
    assert_ok(place, ledger_scope(place->ledger, "other", &lyve, &place->scope, &place->err));
    LIST_EXACTLY(place, "z");
    const struct object z = object_of("z", 1, 10, 0);
    const struct day_count day = {0, "audit-01", 7, 2};
    struct outcome outcome = outcome_of(&z, OBJECT_SETTLED, 2);
    outcome.read = outcome.sinks[0].stored = 2;
    outcome.days = &day;
    outcome.n_days = 1;
    assert_ok(place, ledger_settle(place->ledger, place->scope, &outcome, 1, &place->err));
    expect_claims(place, "lyve/a x1 state 1 read 8 influx=5,1,2,0 store=7,1,0,0"
                         " influx:audit-01:100:5 store:audit-01:100:6 store:iam-01:-1:1\n"
                         "other/z x1 state 1 read 2 elsewhere=2,0,0,0 elsewhere:audit-01:7:2\n"
                         "lyve/ x1 state 1 read 40\n"
                         "lyve/ x0 state 1 read 40 store=30,0,0,10 store:audit-01:100:30\n");
}

static void set_counts(struct ledger_place *place, const char *hex)
{
    char sql[200];
    snprintf(sql, sizeof sql,
             "UPDATE object SET counts = x'%s' WHERE key = CAST('a' AS BLOB)"
             " RETURNING 1",
             hex);
    assert_int_equal(ask(place, sql), 1);
}

/* Counts by hand: read, beyond, sinks, four counts; then series * 8 + sink, day, points. */
static void test_damage(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    FORGET_ALL_BUT(place, "a");
    ask(place, "DELETE FROM total_object RETURNING 1");
    ask(place, "DELETE FROM total_sink RETURNING 1");
#define ONE_SINK "02000102000000" /* read 2, one sink, stored 2 */
    set_counts(place, ONE_SINK "080202");
    expect_claims(place, "lyve/a x1 state 1 read 2 influx=2,0,0,0 influx:audit-01:1:2\n");
    set_counts(place, "80");
    expect_claims(place, "lyve/a x1 state 1 read 0 damaged\n");
    set_counts(place, "");
    expect_claims(place, "lyve/a x1 state 1 read 0 damaged\n");
    set_counts(place, ONE_SINK "0802");
    expect_claims(place, "lyve/a x1 state 1 read 2 influx=2,0,0,0 damaged\n");
    set_counts(place, ONE_SINK "080201090201"); /* the second day of a sink that is not there */
    expect_claims(place, "lyve/a x1 state 1 read 2 influx=2,0,0,0 influx:audit-01:1:1 damaged\n");
    set_counts(place, ONE_SINK "580202"); /* measurement 11 */
    expect_claims(place, "lyve/a x1 state 1 read 2 influx=2,0,0,0 influx::1:2\n");
    set_counts(place, "020009"
                      "09"
                      "02000000"
                      "080202"); /* a sink with number 9 */
    expect_claims(place, "lyve/a x1 state 1 read 2 =2,0,0,0 :audit-01:1:2\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_ledger, remove_ledger)
        TEST(test_objects),
        TEST(test_objects_that_are_gone),
        TEST(test_jobs),
        TEST(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
