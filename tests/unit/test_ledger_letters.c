/* Tests of ledger/letters: dead letters found by their filter, folded by reason, kept or
 * replaced by outcomes, requeued; and the upgrade that gave them a date. */
#include "ledger_place.h"

#include "ledger/letters.h"

static const struct letter_filter every = {.since_ns = INT64_MIN, .before_ns = INT64_MAX};

static void bury(struct ledger_place *place, int64_t scope, const char *key, int64_t attempt,
                 uint64_t line, const char *reason, int64_t buried_ns)
{
    const struct dead_letter letter = {
        .key = slice_of(key),
        .attempt = attempt,
        .line = line,
        .sink = line % 2 ? NULL : "influx",
        .reason = reason,
        .len = 2000 + line,
        .hash = 0xFEDCBA9876543210,
        .bytes = slice_make("a\0b", 3),
        .buried_ns = buried_ns,
    };
    assert_ok(place, ledger_bury(place->ledger, scope, &letter, 1, &place->err));
}

static void settle(struct ledger_place *place, const char *key, enum object_state as,
                   int64_t attempt)
{
    struct object object = object_of(key, 1, 10, 5);
    struct outcome outcome = outcome_of(&object, as, attempt);
    outcome.read = 100;
    outcome.sinks[0] = (struct sink_counts){98, 0, 0, 2};
    outcome.error = as == OBJECT_SETTLED ? NULL : "what went wrong";
    assert_ok(place, ledger_settle(place->ledger, place->scope, &outcome, 1, &place->err));
}

static int64_t scope_of(struct ledger_place *place, const char *job)
{
    int64_t scope;
    assert_ok(place, ledger_scope(place->ledger, job, &lyve, &scope, &place->err));
    return scope;
}

/* Six letters, numbered 1 to 6, of two jobs. */
static void fill(struct ledger_place *place)
{
    int64_t other = scope_of(place, "other");
    LIST_EXACTLY(place, "a", "b");
    bury(place, place->scope, "b", 1, 3, "byte 870: not a value", 100);
    bury(place, place->scope, "a", 1, 17, "byte 12: not a value", 200);
    bury(place, place->scope, "a", 1, 18, "auditEntry.time: missing", 200);
    bury(place, other, "a", 1, 1, "byte 3: not a value", 300);
    bury(place, place->scope, "a", 1, 19, "byte 12: open string", 300);
    bury(place, other, "c", 1, 2, "auditEntry.time: missing", 400);
}

static void assert_ids(struct ledger_place *place, struct letter_filter filter,
                       const char *expected)
{
    CLEANUP(arena_finish) struct arena texts = {0};
    struct letter page[16];
    size_t n;
    char ids[64] = "";
    assert_ok(place, ledger_letter_page(place->ledger, &filter, INT64_MAX, &texts, page, 16, &n,
                                        &place->err));
    for (size_t i = 0; i < n; i++) {
        snprintf(ids + strlen(ids), sizeof ids - strlen(ids), "%s%d", i ? " " : "",
                 (int)page[i].id);
    }
    assert_string_equal(ids, expected);
    uint64_t count;
    assert_ok(place, ledger_letter_count(place->ledger, &filter, &count, &place->err));
    assert_int_equal(count, n);
}

static void test_filters(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    assert_ids(place, every, "6 5 4 3 2 1");
    assert_ids(place, (struct letter_filter){"lyve", NULL, INT64_MIN, INT64_MAX, false}, "5 3 2 1");
    assert_ids(place, (struct letter_filter){"nobody", NULL, INT64_MIN, INT64_MAX, false}, "");
    assert_ids(place, (struct letter_filter){NULL, "missing", INT64_MIN, INT64_MAX, false}, "6 3");
    assert_ids(place, (struct letter_filter){NULL, "byte 1: not", INT64_MIN, INT64_MAX, false},
               "4 2 1");
    assert_ids(place, (struct letter_filter){NULL, "byte #: not", INT64_MIN, INT64_MAX, false},
               "4 2 1");
    assert_ids(place, (struct letter_filter){NULL, "BYTE", INT64_MIN, INT64_MAX, false}, "");
    assert_ids(place, (struct letter_filter){NULL, NULL, 200, INT64_MAX, false}, "6 5 4 3 2");
    assert_ids(place, (struct letter_filter){NULL, NULL, 401, INT64_MAX, false}, "");
    assert_ids(place, (struct letter_filter){"lyve", "byte", 150, INT64_MAX, false}, "5 2");
}

static void test_pages(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    CLEANUP(arena_finish) struct arena texts = {0};
    struct letter page[2];
    size_t n;
    int64_t before = INT64_MAX;
    for (int64_t newest = 6; newest > 0; newest -= 2) {
        assert_ok(place, ledger_letter_page(place->ledger, &every, before, &texts, page, 2, &n,
                                            &place->err));
        assert_int_equal(n, 2);
        assert_int_equal(page[0].id, newest);
        assert_int_equal(page[1].id, newest - 1);
        before = page[1].id;
    }
    assert_ok(place,
              ledger_letter_page(place->ledger, &every, before, &texts, page, 2, &n, &place->err));
    assert_int_equal(n, 0);
}

static void test_one_letter(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    CLEANUP(arena_finish) struct arena texts = {0};
    struct letter letter;
    struct letter_details details;
    assert_ok(place, ledger_letter(place->ledger, 3, &texts, &letter, &details, &place->err));
    assert_int_equal(letter.id, 3);
    assert_int_equal(letter.buried_ns, 200);
    assert_string_equal(letter.job, "lyve");
    assert_string_equal(letter.sink, "influx");
    assert_true(slice_is(letter.key, "a"));
    assert_int_equal(letter.line, 18);
    assert_string_equal(letter.reason, "auditEntry.time: missing");
    assert_int_equal(details.scope, place->scope);
    assert_int_equal(details.run, 1);
    assert_int_equal(details.len, 2018);
    assert_int_equal(details.hash, 0xFEDCBA9876543210);
    assert_true(slice_equal(details.bytes, slice_make("a\0b", 3)));
    assert_string_equal(details.endpoint, "https://s3.example.com");
    assert_string_equal(details.bucket, "logs");
    assert_string_equal(details.folders, "%B-%Y/");
    assert_ok(place, ledger_letter(place->ledger, 2, &texts, &letter, &details, &place->err));
    assert_string_equal(letter.sink, "");
    assert_int_equal(ledger_letter(place->ledger, 7, &texts, &letter, &details, &place->err),
                     AGAIN);
}

static void test_objects(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    CLEANUP(arena_finish) struct arena texts = {0};
    struct letter_object page[8];
    size_t n;
    assert_ok(place,
              ledger_letter_objects(place->ledger, &every, NULL, &texts, page, 8, &n, &place->err));
    assert_int_equal(n, 4);
    static const char *const names[] = {"lyve a", "lyve b", "other a", "other c"};
    for (size_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s %.*s", page[i].job, SLICE_ARG(page[i].key));
        assert_string_equal(name, names[i]);
    }
    struct letter_object rest[8];
    assert_ok(place, ledger_letter_objects(place->ledger, &every, &page[1], &texts, rest, 1, &n,
                                           &place->err));
    assert_int_equal(n, 1);
    assert_int_equal(rest[0].scope, page[2].scope);
    assert_true(slice_is(rest[0].key, "a"));
    const struct letter_filter filter = {NULL, "missing", 300, INT64_MAX, false};
    assert_ok(place, ledger_letter_objects(place->ledger, &filter, NULL, &texts, page, 8, &n,
                                           &place->err));
    assert_int_equal(n, 1);
    assert_true(slice_is(page[0].key, "c"));
}

/* --- reasons --- */

static void test_reasons_are_folded(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    bury(place, place->scope, "b", 1, 4, "line 7, byte 0123456789", 100);
    bury(place, place->scope, "b", 1, 5, "line 77, byte 9", 100);
    struct job_status status;
    assert_ok(place, ledger_job_status(place->ledger, "lyve", sink_names, 3, &status, &place->err));
    static const struct {
        const char *text;
        uint64_t letters;
    } expected[] = {
        {"byte #: not a value", 2},
        {"line #, byte #", 2},
        {"auditEntry.time: missing", 1},
        {"byte #: open string", 1},
    };
    assert_int_equal(status.n_reasons, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(status.reasons[i].text, expected[i].text);
        assert_int_equal(status.reasons[i].letters, expected[i].letters);
    }
    assert_int_equal(status.dead_letters, 6);
}

static void test_ten_reasons(void **state)
{
    struct ledger_place *place = *state;
    LIST_EXACTLY(place, "a");
    for (char c = 'a'; c < 'a' + 12; c++) {
        for (int i = 0; i <= c - 'a'; i++) { /* the later, the more often */
            char reason[2] = {c, '\0'};
            bury(place, place->scope, "a", 1, (uint64_t)(c * 100 + i), reason, 1);
        }
    }
    struct job_status status;
    assert_ok(place, ledger_job_status(place->ledger, "lyve", sink_names, 3, &status, &place->err));
    assert_int_equal(status.n_reasons, 10);
    assert_string_equal(status.reasons[0].text, "l");
    assert_int_equal(status.reasons[0].letters, 12);
    assert_string_equal(status.reasons[9].text, "c");
}

/* --- requeueing --- */

static enum object_state state_of(struct ledger_place *place, const char *key)
{
    enum object_state is;
    assert_ok(place,
              ledger_object_state(place->ledger, place->scope, slice_of(key), &is, &place->err));
    return is;
}

static bool requeue(struct ledger_place *place, const char *key)
{
    bool requeued;
    assert_ok(place,
              ledger_requeue(place->ledger, place->scope, slice_of(key), &requeued, &place->err));
    return requeued;
}

static void test_requeue(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    settle(place, "a", OBJECT_SETTLED, 1);
    settle(place, "b", OBJECT_QUARANTINED, 1);
    assert_true(requeue(place, "a"));
    assert_int_equal(state_of(place, "a"), OBJECT_LISTED);
    assert_int_equal(state_of(place, "b"), OBJECT_QUARANTINED);
    assert_false(requeue(place, "a")); /* waits already */
    assert_true(requeue(place, "b"));
    assert_ids(place, every, "6 5 4 3 2 1"); /* until they have been read */
    assert_int_equal(ask(place, "SELECT count(*) FROM object WHERE error IS NOT NULL"), 0);
    assert_int_equal(ask(place, "SELECT count(*) FROM object WHERE hex(etag) ="
                                " '01010101010101010101010101010101'"),
                     2);

    /* what they have stored is still stored */
    struct job_status status;
    assert_ok(place, ledger_job_status(place->ledger, "lyve", sink_names, 3, &status, &place->err));
    assert_int_equal(status.objects[OBJECT_LISTED], 2);
    assert_int_equal(status.read, 200);

    /* the next run reads them, and a listing changes nothing about that */
    LIST_EXACTLY(place, "a", "b");
    struct ledger_work *work;
    struct work_totals totals;
    assert_ok(place, ledger_work_begin(&work, place->ledger, place->scope, all_time, &totals,
                                       &place->err));
    ledger_work_end(work);
    assert_int_equal(totals.objects, 2);
}

static void test_requeue_of_the_unsettled(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    settle(place, "b", OBJECT_FAILED, 2);
    assert_false(requeue(place, "a"));
    assert_false(requeue(place, "b"));
    assert_int_equal(state_of(place, "a"), OBJECT_LISTED);
    assert_int_equal(state_of(place, "b"), OBJECT_FAILED);
}

static void test_requeue_of_the_pruned(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    settle(place, "a", OBJECT_SETTLED, 1);
    LIST_EXACTLY(place, "b");
    bool requeued;
    assert_int_equal(
        ledger_requeue(place->ledger, place->scope, slice_of("a"), &requeued, &place->err), AGAIN);
    assert_false(requeued);
    assert_ids(place, every, "6 5 4 3 2 1");
}

/* A requeued object that goes before it is read: its points are still in the sinks. */
static void test_pruned_after_requeue_is_still_counted(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    settle(place, "a", OBJECT_SETTLED, 1);
    assert_true(requeue(place, "a"));
    LIST_EXACTLY(place, "b");
    struct job_status status;
    assert_ok(place, ledger_job_status(place->ledger, "lyve", sink_names, 3, &status, &place->err));
    assert_int_equal(status.read, 100);
    assert_int_equal(status.sinks[0].stored, 98);
}

/* --- letters and outcomes --- */

static void test_read_anew(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    bury(place, place->scope, "a", 2, 17, "another reason", 500); /* one of three comes again */
    assert_ids(place, every, "7 6 5 4 3 2 1");
    settle(place, "a", OBJECT_SETTLED, 2);
    assert_ids(place, every, "7 6 4 1"); /* of other objects and scopes they stay */
    settle(place, "b", OBJECT_QUARANTINED, 2);
    assert_ids(place, every, "7 6 4");
}

/* An attempt that fails half way knows less than the whole one before it. */
static void test_failed_keeps_its_letters(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    bury(place, place->scope, "a", 2, 17, "half way", 500);
    settle(place, "a", OBJECT_FAILED, 2);
    assert_ids(place, every, "6 5 4 3 2 1");
    settle(place, "a", OBJECT_FAILED, 3);
    assert_ids(place, every, "6 5 4 3 2 1");
}

/* --- the upgrade from version 1 --- */

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

static void test_upgrade(void **state)
{
    struct ledger_place *place = *state;
    fill(place);
    ledger_close(place->ledger);
    place->ledger = NULL;
    execute(place, "ALTER TABLE dead_letter DROP COLUMN buried;"
                   "ALTER TABLE run DROP COLUMN error;"
                   "ALTER TABLE run DROP COLUMN unmatched;"
                   "ALTER TABLE run DROP COLUMN list_requests;"
                   "DROP TABLE kind; DROP TABLE kind_arrival;"
                   "DROP TABLE folder; DROP TABLE cursor; DROP TABLE listing_pass;"
                   "DROP TABLE asked; DROP TABLE sink; ALTER TABLE object DROP COLUMN gone;"
                   "ALTER TABLE total_sink DROP COLUMN read;"
                   "INSERT INTO run (id, job, started, ended, ok) VALUES (8, 'lyve', 777, 778, 1);"
                   "UPDATE dead_letter SET run = 8 WHERE id > 3;"
                   "PRAGMA user_version = 1");
    assert_ok(place, ledger_open(&place->ledger, place->path, &place->err));
    assert_ids(place, every, "6 5 4 3 2 1");
    assert_ids(place, (struct letter_filter){NULL, NULL, 777, INT64_MAX, false},
               "6 5 4"); /* its run's start */
    assert_ids(place, (struct letter_filter){NULL, NULL, 778, INT64_MAX, false}, "");
    CLEANUP(arena_finish) struct arena texts = {0};
    struct letter letter;
    struct letter_details details;
    assert_ok(place, ledger_letter(place->ledger, 3, &texts, &letter, &details, &place->err));
    assert_int_equal(letter.buried_ns, INT64_MIN); /* its run is forgotten */
    struct job_status status;
    assert_ok(place, ledger_job_status(place->ledger, "lyve", sink_names, 3, &status, &place->err));
    assert_true(status.ended_ok);
    assert_int_equal(status.unmatched, -1);
    assert_int_equal(status.list_requests, -1);
    assert_int_equal(status.n_kinds, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_ledger, remove_ledger)
        TEST(test_filters),
        TEST(test_pages),
        TEST(test_one_letter),
        TEST(test_objects),
        TEST(test_reasons_are_folded),
        TEST(test_ten_reasons),
        TEST(test_requeue),
        TEST(test_requeue_of_the_unsettled),
        TEST(test_requeue_of_the_pruned),
        TEST(test_pruned_after_requeue_is_still_counted),
        TEST(test_read_anew),
        TEST(test_failed_keeps_its_letters),
        TEST(test_upgrade),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
