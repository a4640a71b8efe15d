/* identity: duplicates, clashes, and the edge of the window. */
#include "data/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SERIES = 7, OTHER_SERIES = 8, TIME = 1000 };

static int set_up(void **state)
{
    *state = identity_new();
    return 0;
}

static int tear_down(void **state)
{
    identity_free(*state);
    return 0;
}

/* The time the record gets, or -1 for a duplicate. */
static int64_t claim(struct identity *identity, uint64_t series, uint64_t record, int64_t time)
{
    return identity_claim(identity, series, record, &time) ? time : -1;
}

/* n points that clash with nothing the tests use. */
static void fill(struct identity *identity, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t time = TIME * 1000 + (int64_t)i;
        assert_int_equal(claim(identity, SERIES, 1000000 + i, time), time);
    }
}

static void equal_records_are_duplicates(void **state)
{
    assert_int_equal(claim(*state, SERIES, 1, TIME), TIME);
    assert_int_equal(claim(*state, SERIES, 1, TIME), -1);
    assert_int_equal(claim(*state, SERIES, 1, TIME), -1);
}

static void other_series_and_times_do_not_clash(void **state)
{
    assert_int_equal(claim(*state, SERIES, 1, TIME), TIME);
    assert_int_equal(claim(*state, OTHER_SERIES, 1, TIME), TIME);
    assert_int_equal(claim(*state, SERIES, 1, TIME + 5), TIME + 5);
    assert_int_equal(claim(*state, SERIES, 2, -TIME), -TIME);
    assert_int_equal(claim(*state, SERIES, 2, INT64_MIN + 2), INT64_MIN + 2);
}

static void clashes_move_on_one_by_one(void **state)
{
    for (uint64_t record = 0; record < 100; record++) {
        assert_int_equal(claim(*state, SERIES, record, TIME), TIME + (int64_t)record);
    }
    for (uint64_t record = 0; record < 100; record++) {
        assert_int_equal(claim(*state, SERIES, record, TIME), -1);
    }
}

/* A record whose own time was taken by one that moved moves on as well. */
static void a_moved_point_is_in_the_way_of_others(void **state)
{
    assert_int_equal(claim(*state, SERIES, 1, TIME), TIME);
    assert_int_equal(claim(*state, SERIES, 2, TIME), TIME + 1);
    assert_int_equal(claim(*state, SERIES, 3, TIME + 1), TIME + 2);
    assert_int_equal(claim(*state, SERIES, 4, TIME), TIME + 3);
    assert_int_equal(claim(*state, SERIES, 3, TIME + 1), -1);
    assert_int_equal(claim(*state, SERIES, 2, TIME), -1);
}

/* The window holds the newest 65,536 points: with 65,535 after it a point is still known. */
static void the_last_of_the_window_is_known(void **state)
{
    assert_int_equal(claim(*state, SERIES, 1, TIME), TIME);
    fill(*state, IDENTITY_WINDOW - 1);
    assert_int_equal(claim(*state, SERIES, 1, TIME), -1);
    assert_int_equal(claim(*state, SERIES, 2, TIME), TIME + 1);
}

static void what_left_the_window_is_forgotten(void **state)
{
    assert_int_equal(claim(*state, SERIES, 1, TIME), TIME);
    fill(*state, IDENTITY_WINDOW);
    assert_int_equal(claim(*state, SERIES, 2, TIME), TIME);
    assert_int_equal(claim(*state, SERIES, 1, TIME), TIME + 1);
}

static void duplicates_take_no_place_in_the_window(void **state)
{
    assert_int_equal(claim(*state, SERIES, 1, TIME), TIME);
    assert_int_equal(claim(*state, SERIES, 2, 2 * TIME), 2 * TIME);
    for (size_t i = 0; i < 2 * IDENTITY_WINDOW; i++) {
        assert_int_equal(claim(*state, SERIES, 2, 2 * TIME), -1);
    }
    assert_int_equal(claim(*state, SERIES, 1, TIME), -1);
}

static void clearing_forgets_all(void **state)
{
    for (int round = 0; round < 3; round++) {
        assert_int_equal(claim(*state, SERIES, 1, TIME), TIME);
        assert_int_equal(claim(*state, SERIES, 2, TIME), TIME + 1);
        identity_clear(*state);
    }
    assert_int_equal(claim(*state, SERIES, 3, TIME), TIME);
}

/* Many times around the ring, with clears in between, against the rule itself: of the records
 * i and i - 65,535 apart the older is known, at 65,536 apart no longer. */
static void the_edge_holds_all_the_way_round(void **state)
{
    identity_clear(*state);
    const uint64_t n = 5 * (uint64_t)IDENTITY_WINDOW / 2;
    for (uint64_t i = 0; i < n; i++) {
        assert_int_equal(claim(*state, SERIES, i, 10 * (int64_t)i), 10 * (int64_t)i);
        uint64_t oldest = i + 1 < IDENTITY_WINDOW ? 0 : i + 1 - IDENTITY_WINDOW;
        assert_int_equal(claim(*state, SERIES, oldest, 10 * (int64_t)oldest), -1);
    }
    uint64_t gone = n - IDENTITY_WINDOW - 1;
    assert_int_equal(claim(*state, SERIES, gone, 10 * (int64_t)gone), 10 * (int64_t)gone);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(equal_records_are_duplicates),
        TEST(other_series_and_times_do_not_clash),
        TEST(clashes_move_on_one_by_one),
        TEST(a_moved_point_is_in_the_way_of_others),
        TEST(the_last_of_the_window_is_known),
        TEST(what_left_the_window_is_forgotten),
        TEST(duplicates_take_no_place_in_the_window),
        TEST(clearing_forgets_all),
        TEST(the_edge_holds_all_the_way_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
