/* Tests of objects that nobody is to read any more (ledger/left): those under a prefix. */
#include "ledger_place.h"

static uint64_t give_up(struct ledger_place *place, struct slice prefix)
{
    uint64_t objects;
    assert_ok(place, ledger_give_up(place->ledger, place->scope, prefix, &objects, &place->err));
    return objects;
}

static int64_t count_objects(const struct ledger_place *place, const char *condition)
{
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM object WHERE %s", condition);
    return ask(place, sql);
}

static void settle(struct ledger_place *place, const char *key, enum object_state state)
{
    const struct object object = object_of(key, 1, 10, 0);
    const struct outcome outcome = outcome_of(&object, state, 1);
    assert_ok(place, ledger_settle(place->ledger, place->scope, &outcome, 1, &place->err));
}

static void test_keys_that_begin_so(void **state)
{
    struct ledger_place *place = *state;
    LIST_EXACTLY(place, "a", "b", "b/", "b/1", "b/\xFF", "b/\xFF\xFF\xFF", "b0", "c");
    assert_int_equal(give_up(place, slice_of("x")), 0);
    assert_int_equal(give_up(place, slice_of("b/")), 4);
    assert_int_equal(count_objects(place, "key IN (X'61', X'62', X'6230', X'63')"), 4);
    assert_int_equal(count_objects(place, "1"), 4);
    assert_int_equal(give_up(place, slice_of("")), 4);
}

static void test_as_long_as_keys_can_be(void **state)
{
    struct ledger_place *place = *state;
    char key[OBJECT_KEY_MAX_BYTES + 2] = "";
    memset(key, 0xFF, OBJECT_KEY_MAX_BYTES);
    LIST_EXACTLY(place, "a", key);
    assert_int_equal(give_up(place, slice_make(key, OBJECT_KEY_MAX_BYTES + 1)), 0);
    assert_int_equal(give_up(place, slice_of("\xFF")), 1);
    LIST_EXACTLY(place, "a", key);
    assert_int_equal(give_up(place, slice_of(key)), 1);
    assert_int_equal(count_objects(place, "1"), 1);
}

/* What is done stays as it is. */
static void test_only_what_is_to_be_read(void **state)
{
    struct ledger_place *place = *state;
    LIST_EXACTLY(place, "b/failed", "b/new", "b/quarantined", "b/settled");
    settle(place, "b/failed", OBJECT_FAILED);
    settle(place, "b/quarantined", OBJECT_QUARANTINED);
    settle(place, "b/settled", OBJECT_SETTLED);
    assert_int_equal(give_up(place, slice_of("b/")), 2);
    assert_int_equal(count_objects(place, "state = 3"), 1);
    assert_int_equal(count_objects(place, "state = 1"), 1);
    assert_int_equal(count_objects(place, "1"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_keys_that_begin_so, make_ledger, remove_ledger),
        cmocka_unit_test_setup_teardown(test_as_long_as_keys_can_be, make_ledger, remove_ledger),
        cmocka_unit_test_setup_teardown(test_only_what_is_to_be_read, make_ledger, remove_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
