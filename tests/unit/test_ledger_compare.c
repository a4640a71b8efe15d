/* Tests of ledger/compare: a listing held against the ledger; and of what `verify` asks besides:
 * the periods that runs were asked for, and what waits. */
#include "ledger/compare.h"
#include "ledger/cursors.h"
#include "ledger_place.h"

struct listener {
    struct comparison comparison;
    struct buf told; /* "known a0, gone b2, ": the name, and the state's number */
};

static void hear(struct comparison *comparison, enum compared what, const struct object *object,
                 enum object_state state)
{
    static const char *const words[] = {"known", "changed", "unknown", "gone"};
    buf_printf(&((struct listener *)comparison)->told, "%s %.*s%d, ", words[what],
               SLICE_ARG(object->key), (int)state);
}

static void join(struct ledger_place *place, const struct object *objects, size_t n)
{
    struct ledger_join *join;
    struct join_counts counts;
    assert_ok(place, ledger_join_begin(&join, place->ledger, place->scope, slice_of(""), all_time,
                                       false, 0, &place->err));
    for (size_t i = 0; i < n; i++) {
        assert_ok(place, ledger_join_put(join, &objects[i], &place->err));
    }
    assert_ok(place, ledger_join_end(join, false, &counts, &place->err));
}

/* m/a settled, m/b listed, m/c failed, and one in another folder. Dates 10, 20, 30, 40. */
static void fill(struct ledger_place *place)
{
    const struct object objects[] = {object_of("m/a", 1, 5, 10), object_of("m/b", 1, 5, 20),
                                     object_of("m/c", 1, 5, 30), object_of("n/a", 1, 5, 40)};
    join(place, objects, 4);
    const struct outcome outcomes[] = {outcome_of(&objects[0], OBJECT_SETTLED, 1),
                                       outcome_of(&objects[2], OBJECT_FAILED, 1)};
    assert_ok(place, ledger_settle(place->ledger, place->scope, outcomes, 2, &place->err));
}

/* The window is the first of these. */
static void compare_one(struct ledger_place *place, const struct window *windows, size_t n_windows,
                        const struct object *objects, size_t n, bool complete, const char *wanted)
{
    struct listener listener = {{.object = hear, .windows = windows, .n_windows = n_windows},
                                {.max = 4096}};
    struct ledger_compare *compare;
    assert_ok(place, ledger_compare_begin(&compare, place->ledger, place->scope, slice_of("m/"),
                                          windows[0], &listener.comparison, &place->err));
    for (size_t i = 0; i < n; i++) {
        assert_ok(place, ledger_compare_put(compare, &objects[i], &place->err));
    }
    assert_ok(place, ledger_compare_end(compare, complete, &place->err));
    assert_string_equal(buf_text(&listener.told), wanted);
    buf_finish(&listener.told);
}

static void compare(struct ledger_place *place, struct window window, const struct object *objects,
                    size_t n, bool complete, const char *wanted)
{
    compare_one(place, &window, 1, objects, n, complete, wanted);
}

static void test_all_kinds(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    /* a copied anew, with another date; b missing; c with other bytes; two that are new */
    const struct object now[] = {object_of("m/a", 1, 5, 90), object_of("m/a1", 1, 5, 50),
                                 object_of("m/c", 2, 5, 60), object_of("m/z", 1, 5, 70)};
    compare(place, all_time, now, 4, true,
            "known m/a1, unknown m/a10, gone m/b0, changed m/c2, unknown m/z0, ");
    compare(place, all_time, NULL, 0, true, "gone m/a1, gone m/b0, gone m/c2, ");
    compare(place, all_time, NULL, 0, false, "");
    assert_int_equal(ask(place, "SELECT count(*) FROM object WHERE size = 5"), 4);
}

static void test_window(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    const struct object now[] = {object_of("m/a", 1, 5, 90), object_of("m/a1", 1, 5, 50),
                                 object_of("m/c", 2, 5, 60), object_of("m/z", 1, 5, 70)};
    /* c was delivered at 30 and replaced at 60 */
    compare(place, (struct window){10, 60}, now, 4, true,
            "known m/a1, unknown m/a10, gone m/b0, changed m/c2, ");
    compare(place, (struct window){10, 30}, now, 4, true, "known m/a1, gone m/b0, ");
    compare(place, (struct window){60, 70}, now, 4, true, "changed m/c2, ");
}

static void test_a_change_between_windows_is_told_once(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    const struct object now[] = {object_of("m/a", 1, 5, 10), object_of("m/b", 1, 5, 20),
                                 object_of("m/c", 2, 5, 60)};
    const struct window windows[] = {{30, 40}, {60, 70}, {30, 40}};
    compare_one(place, windows, 2, now, 3, true, "");
    compare_one(place, windows + 1, 2, now, 3, true, "changed m/c2, ");
}

static void test_unordered(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    const struct object now[] = {object_of("m/c", 1, 5, 30), object_of("m/b", 1, 5, 20),
                                 object_of("m/0", 1, 5, 50), object_of("n/a", 1, 5, 40)};
    struct listener listener = {{.object = hear}, {.max = 4096}};
    struct ledger_compare *compare;
    assert_ok(place, ledger_compare_begin(&compare, place->ledger, place->scope, slice_of("m/"),
                                          all_time, &listener.comparison, &place->err));
    assert_ok(place, ledger_compare_put(compare, &now[0], &place->err));
    assert_false(listener.comparison.unordered);
    for (size_t i = 1; i < 4; i++) {
        assert_ok(place, ledger_compare_put(compare, &now[i], &place->err));
    }
    assert_ok(place, ledger_compare_end(compare, true, &place->err));
    assert_true(listener.comparison.unordered);
    assert_string_equal(buf_text(&listener.told), "gone m/a1, gone m/b0, known m/c2, known m/b0, "
                                                  "unknown m/00, known n/a0, ");
    buf_finish(&listener.told);
}

static void test_pages(void **state)
{
    struct ledger_place *place = *state;
    enum { N = 2500 };
    CLEANUP_FREE struct object *objects = memory_new(N * sizeof *objects);
    char(*keys)[16] = memory_new(N * sizeof *keys);
    for (int i = 0; i < N; i++) {
        snprintf(keys[i], sizeof keys[i], "m/%06d", i);
        objects[i] = object_of(keys[i], 1, 5, i);
    }
    join(place, objects, N);
    objects[999].size = objects[1000].size = objects[2499].size = 6;
    struct listener listener = {{.object = hear}, {.max = 4096}};
    struct ledger_compare *compare;
    assert_ok(place,
              ledger_compare_begin(&compare, place->ledger, place->scope, slice_of("m/"),
                                   (struct window){998, 1003}, &listener.comparison, &place->err));
    for (int i = 0; i < N; i++) {
        if (i != 1001) {
            assert_ok(place, ledger_compare_put(compare, &objects[i], &place->err));
        }
    }
    assert_ok(place, ledger_compare_end(compare, true, &place->err));
    assert_string_equal(buf_text(&listener.told), "known m/0009980, changed m/0009990, changed "
                                                  "m/0010000, gone m/0010010, known m/0010020, ");
    buf_finish(&listener.told);
    free(keys);
}

static void test_bad_keys(void **state)
{
    struct ledger_place *place = *state;
    struct listener listener = {{.object = hear}, {.max = 64}};
    char key[1026];
    memset(key, 'x', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    struct ledger_compare *compare;
    assert_int_equal(ledger_compare_begin(&compare, place->ledger, place->scope, slice_of(key),
                                          all_time, &listener.comparison, &place->err),
                     FAILED);
    assert_ok(place, ledger_compare_begin(&compare, place->ledger, place->scope, slice_of(""),
                                          all_time, &listener.comparison, &place->err));
    const struct object bad[] = {object_of("", 1, 5, 1), object_of(key, 1, 5, 1)};
    assert_int_equal(ledger_compare_put(compare, &bad[0], &place->err), FAILED);
    assert_int_equal(ledger_compare_put(compare, &bad[1], &place->err), FAILED);
    assert_ok(place, ledger_compare_end(compare, false, &place->err));
}

/* --- the periods --- */

static void assert_asked(struct ledger_place *place, const char *wanted)
{
    CLEANUP(buf_finish) struct buf text = {.max = 1024};
    struct asked *asked;
    size_t n;
    assert_ok(place, ledger_asked(place->ledger, place->scope, &asked, &n, &place->err));
    for (size_t i = 0; i < n; i++) {
        buf_printf(&text, "%d-%d@%d ", (int)asked[i].window.from_ns, (int)asked[i].window.to_ns,
                   (int)asked[i].listed_ns);
    }
    free(asked);
    assert_string_equal(buf_text(&text), wanted);
}

static void add(struct ledger_place *place, int64_t from, int64_t to, int64_t listed)
{
    const struct asked asked = {{from, to}, listed};
    assert_ok(place, ledger_add_asked(place->ledger, place->scope, &asked, &place->err));
}

static void test_asked(void **state)
{
    struct ledger_place *place = *state;
    assert_asked(place, "");
    add(place, 10, 20, 100);
    assert_asked(place, "10-20@100 ");
    add(place, 30, 40, 200);
    add(place, 50, 60, 250);
    assert_asked(place, "10-20@100 30-40@200 50-60@250 ");
    add(place, 12, 18, 300); /* within: nobody has looked for what came to its end since */
    assert_asked(place, "10-20@100 30-40@200 50-60@250 ");
    add(place, 20, 25, 310); /* touches the end */
    assert_asked(place, "10-25@310 30-40@200 50-60@250 ");
    add(place, 5, 10, 350); /* touches the start */
    assert_asked(place, "5-25@310 30-40@200 50-60@250 ");
    add(place, 50, 60, 360); /* the same again */
    assert_asked(place, "5-25@310 30-40@200 50-60@360 ");
    add(place, 35, 55, 400); /* joins two */
    assert_asked(place, "5-25@310 30-60@360 ");
    add(place, 0, 100, 500); /* holds all */
    assert_asked(place, "0-100@500 ");
    add(place, -7, -5, 600);
    assert_asked(place, "-7--5@600 0-100@500 ");
    add(place, 0, 900, 900); /* by a clock that is ahead: what it said ends with the next run */
    add(place, 650, 700, 700);
    assert_asked(place, "-7--5@600 0-700@700 ");
    int64_t scope = place->scope;
    assert_ok(place, ledger_scope(place->ledger, "other", &lyve, &place->scope, &place->err));
    assert_asked(place, "");
    place->scope = scope;
}

static void execute(const struct ledger_place *place, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open_v2(place->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* A ledger of version 4 knows the good window, and which runs listed to the end. */
static void test_upgrade(void **state)
{
    struct ledger_place *place = *state;
    ledger_close(place->ledger);
    place->ledger = NULL;
    execute(place, "ALTER TABLE object DROP COLUMN gone; DROP TABLE asked;"
                   "PRAGMA user_version = 4;"
                   "INSERT INTO good_window VALUES ('lyve', 10, 60), ('other', 1, 2);"
                   "INSERT INTO run (job, started, unmatched) VALUES ('lyve', 40, 0),"
                   " ('lyve', 70, 2), ('lyve', 80, NULL), ('other', 90, 0)");
    assert_ok(place, ledger_open(&place->ledger, place->path, &place->err));
    assert_asked(place, "10-60@70 ");
}

static void test_waiting(void **state)
{
    struct ledger_place *place = *state;
    uint64_t n;
    fill(place);
    assert_ok(place, ledger_waiting(place->ledger, place->scope, all_time, &n, &place->err));
    assert_int_equal(n, 2); /* not the settled one, nor the failed one */
    const struct window window = {20, 40};
    assert_ok(place, ledger_waiting(place->ledger, place->scope, window, &n, &place->err));
    assert_int_equal(n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_ledger, remove_ledger)
        TEST(test_all_kinds), TEST(test_window),  TEST(test_a_change_between_windows_is_told_once),
        TEST(test_unordered), TEST(test_pages),   TEST(test_bad_keys),
        TEST(test_asked),     TEST(test_upgrade), TEST(test_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
