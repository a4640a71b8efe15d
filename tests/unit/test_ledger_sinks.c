/* Tests of ledger/ledger: counts follow the names of the sinks, whatever their order in `to:`. */
#include "ledger_place.h"

#define NAMES(...) \
    (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)

static void number(struct ledger_place *place, const char *job, const char *const *names, size_t n,
                   uint64_t *numbers)
{
    assert_ok(place, ledger_sinks(place->ledger, job, names, n, numbers, &place->err));
}

/* The object was read, and each of the sinks stored so many of its points. */
static void settle(struct ledger_place *place, const char *key, const char *const *names, size_t n,
                   const uint64_t *stored)
{
    const struct object object = object_of(key, 1, 10, 0);
    struct outcome outcome = outcome_of(&object, OBJECT_SETTLED, 1);
    struct day_count days[LEDGER_SINKS_MAX];
    outcome.n_sinks = outcome.n_days = n;
    outcome.days = days;
    number(place, "lyve", names, n, outcome.sink_numbers);
    for (size_t i = 0; i < n; i++) {
        outcome.sinks[i].stored = stored[i];
        days[i] = (struct day_count){i, "audit-01", 100, stored[i]};
    }
    assert_ok(place, ledger_settle(place->ledger, place->scope, &outcome, 1, &place->err));
}

#define SETTLE(place, key, names, ...) settle(place, key, names, (const uint64_t[]){__VA_ARGS__})

static uint64_t stored(struct ledger_place *place, const char *name)
{
    struct job_status status;
    const char *const names[] = {"nobody", name};
    assert_ok(place, ledger_job_status(place->ledger, "lyve", names, 2, &status, &place->err));
    assert_int_equal(status.sinks[0].stored, 0);
    assert_int_equal(status.sink_numbers[0], -1);
    return status.sinks[1].stored;
}

static void test_numbers(void **state)
{
    struct ledger_place *place = *state;
    uint64_t numbers[3];
    number(place, "lyve", NAMES("influx", "store"), numbers);
    assert_int_equal(numbers[0], 0);
    assert_int_equal(numbers[1], 1);
    number(place, "lyve", NAMES("new", "store", "influx"), numbers);
    assert_int_equal(numbers[0], 2);
    assert_int_equal(numbers[1], 1);
    assert_int_equal(numbers[2], 0);
    number(place, "other", NAMES("store"), numbers);
    assert_int_equal(numbers[0], 0);
}

static void test_another_order(void **state)
{
    struct ledger_place *place = *state;
    LIST_EXACTLY(place, "a", "b", "c");
    SETTLE(place, "a", NAMES("influx", "store"), 1, 20);
    SETTLE(place, "b", NAMES("store", "influx"), 300, 4000);
    SETTLE(place, "c", NAMES("store", "archive"), 50000, 600000);
    assert_int_equal(stored(place, "influx"), 4001);
    assert_int_equal(stored(place, "store"), 50320);
    assert_int_equal(stored(place, "archive"), 600000);
    FORGET_ALL_BUT(place, "a"); /* the others are folded into the totals */
    assert_int_equal(stored(place, "influx"), 4001);
    assert_int_equal(stored(place, "store"), 50320);
    assert_int_equal(stored(place, "archive"), 600000);
#define POINTS(number) ask(place, "SELECT points FROM total_points WHERE sink = " #number)
    assert_int_equal(POINTS(0), 4000);
    assert_int_equal(POINTS(1), 50300);
    assert_int_equal(POINTS(2), 600000);
}

/* Eight sinks at a time, and any number of them one after the other. */
static void test_many_names(void **state)
{
    struct ledger_place *place = *state;
    char name[32];
    const char *const names[] = {name};
    for (uint64_t i = 0; i < 20; i++) {
        const char key[] = {(char)('a' + i), '\0'};
        snprintf(name, sizeof name, "sink-%d", (int)i);
        FORGET_ALL_BUT(place, key);
        settle(place, key, names, 1, &(uint64_t){i + 1});
    }
    for (uint64_t i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "sink-%d", (int)i);
        assert_int_equal(stored(place, name), i + 1);
    }
}

/* --- the upgrade from version 3, which had no names --- */

static void execute(const struct ledger_place *place, const char *sql)
{
    sqlite3 *db;
    char *error = NULL;
    assert_int_equal(sqlite3_open_v2(place->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK) {
        fail_msg("%s: %s", sql, error);
    }
    sqlite3_close(db);
}

/* As version 3 left it: one object in the bucket, one that is gone. */
static void make_old(struct ledger_place *place, const char *const *names, size_t n)
{
    LIST_EXACTLY(place, "a", "b");
    settle(place, "a", names, n, (const uint64_t[]){1, 20});
    settle(place, "b", names, n, (const uint64_t[]){300, 4000});
    FORGET_ALL_BUT(place, "a");
    for (size_t i = 0; i < n; i++) {
        assert_ok(place, ledger_set_fingerprint(place->ledger, "lyve", names[i], 7, &place->err));
    }
    ledger_close(place->ledger);
    place->ledger = NULL;
    execute(place, "ALTER TABLE object DROP COLUMN gone; DROP TABLE asked; DROP TABLE sink;"
                   "ALTER TABLE total_sink DROP COLUMN read;"
                   "PRAGMA user_version = 3");
    assert_ok(place, ledger_open(&place->ledger, place->path, &place->err));
}

static void test_upgrade(void **state)
{
    struct ledger_place *place = *state;
    make_old(place, NAMES("influx", "store"));
    /* before anybody names them, a sink is the place it has in `to:` */
    struct job_status status;
    assert_ok(place, ledger_job_status(place->ledger, "lyve", sink_names, 2, &status, &place->err));
    assert_int_equal(status.sinks[0].stored, 301);
    assert_int_equal(status.sinks[1].stored, 4020);
    uint64_t numbers[2];
    number(place, "lyve", NAMES("influx", "store"), numbers);
    assert_int_equal(stored(place, "influx"), 301);
    assert_int_equal(stored(place, "store"), 4020);
    assert_int_equal(ask(place, "SELECT read FROM total_sink WHERE sink = 1"), 4000);
}

/* The only sink there ever was is known, also when another stands before it now. */
static void test_upgrade_with_one_sink(void **state)
{
    struct ledger_place *place = *state;
    make_old(place, NAMES("influx"));
    uint64_t numbers[2];
    number(place, "lyve", NAMES("store", "influx"), numbers);
    assert_int_equal(stored(place, "influx"), 301);
    assert_int_equal(stored(place, "store"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_ledger, remove_ledger)
        TEST(test_numbers), TEST(test_another_order),         TEST(test_many_names),
        TEST(test_upgrade), TEST(test_upgrade_with_one_sink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
