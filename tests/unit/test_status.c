/* Tests of what `status` is told by made-up ledgers: notes of runs, the good window, kinds that are
 * late, and whether a job is well. Times count from the start of 2026-03-01 (a Sunday), UTC. */
#include "ledger_place.h"

#include "commands/status.h"
#include "run/lock.h"

static const int64_t march_ns = INT64_C(1772323200) * NS_PER_SECOND;

static const struct parser s3_parser = {.about = {.name = "lyve_s3"}};
static const struct parser iam_parser = {.about = {.name = "lyve_iam"}};
static const struct parser *parsers[] = {&iam_parser, &s3_parser};

static const struct job_config hourly = {
    .name = "lyve",
    .options = {.schedule = "0 * * * *", .timezone = "UTC"},
    .parse = parsers,
    .n_parse = 2,
};

static struct job_report report_at(struct ledger_place *place, int64_t now_ns)
{
    struct job_report report;
    assert_ok(place, job_report_fill(&report, &hourly, place->ledger, place->path,
                                     march_ns + now_ns, &place->err));
    struct job_report judged; /* by the short way */
    assert_ok(place, job_report_judge(&judged, &hourly, place->ledger, place->path,
                                      march_ns + now_ns, &place->err));
    assert_string_equal(judged.problem, report.problem);
    assert_int_equal(judged.figures.good_to_ns, report.figures.good_to_ns);
    assert_int_equal(judged.next_ns, report.next_ns);
    return report;
}

/* What a run that starts at `start_ns` leaves. newest: of lyve_s3 records, since march_ns;
 * INT64_MIN = none came. */
static void run(struct ledger_place *place, int64_t start_ns, int64_t newest_ns, const char *error)
{
    int64_t number;
    start_ns += march_ns;
    assert_ok(place, ledger_run_begin(place->ledger, "lyve", start_ns, &number, &place->err));
    const struct kind_news news = {"lyve_s3", march_ns + newest_ns};
    const struct run_notes notes = {
        .error = error,
        .unmatched = 0,
        .list_requests = -1,
        .kinds = &news,
        .n_kinds = newest_ns == INT64_MIN ? 0 : 1,
    };
    assert_ok(place, ledger_run_note(place->ledger, number, &notes, &place->err));
    const struct window window = {march_ns - 720 * NS_PER_HOUR, start_ns};
    assert_ok(place, ledger_run_end(place->ledger, number, start_ns + NS_PER_MINUTE, !error, window,
                                    &place->err));
}

/* --- runs --- */

static void test_nothing_yet(void **state)
{
    struct ledger_place *place = *state;
    struct job_report report;
    assert_ok(place, job_report_fill(&report, &hourly, NULL, place->path,
                                     march_ns + 90 * NS_PER_MINUTE, &place->err));
    assert_string_equal(report.problem, "nothing has run yet");
    assert_int_equal(report.next_ns, march_ns + 2 * NS_PER_HOUR);
    assert_int_equal(report.lag_ns, -1);
    assert_int_equal(report.figures.unmatched, -1);
    assert_int_equal(report.n_kinds, 2);
    assert_int_equal(report.kinds[0].newest_ns, INT64_MIN);
    assert_false(report.kinds[0].is_late);
    assert_string_equal(report_at(place, 0).problem, "nothing has run yet");
}

static void test_a_good_run(void **state)
{
    struct ledger_place *place = *state;
    run(place, 10 * NS_PER_HOUR, 9 * NS_PER_HOUR, NULL);
    struct job_report report = report_at(place, 10 * NS_PER_HOUR + 40 * NS_PER_MINUTE);
    assert_string_equal(report.problem, "");
    assert_int_equal(report.lag_ns, 40 * NS_PER_MINUTE);
    assert_int_equal(report.next_ns, march_ns + 11 * NS_PER_HOUR);
    assert_int_equal(report.figures.unmatched, 0);
    assert_int_equal(report.figures.list_requests, -1);
    assert_false(report.under_way);
}

/* Due at 11:00 and 12:00, and five minutes of grace. */
static void test_overdue(void **state)
{
    struct ledger_place *place = *state;
    run(place, 10 * NS_PER_HOUR, INT64_MIN, NULL);
    assert_string_equal(report_at(place, 12 * NS_PER_HOUR + 5 * NS_PER_MINUTE).problem, "");
    assert_string_equal(report_at(place, 12 * NS_PER_HOUR + 5 * NS_PER_MINUTE + 1).problem,
                        "two runs are overdue, the lag is 2h 5m");
}

static void test_a_schedule_that_never_comes(void **state)
{
    struct ledger_place *place = *state;
    run(place, 10 * NS_PER_HOUR, INT64_MIN, NULL);
    struct job_config never = hourly;
    never.options.schedule = "0 0 30 2 *";
    struct job_report report;
    assert_ok(place, job_report_fill(&report, &never, place->ledger, place->path,
                                     march_ns + 9000 * NS_PER_HOUR, &place->err));
    assert_string_equal(report.problem, "");
    assert_int_equal(report.next_ns, INT64_MAX);
}

static void test_a_bad_schedule(void **state)
{
    struct ledger_place *place = *state;
    struct job_config bad = hourly;
    bad.options.schedule = "61 * * * *";
    struct job_report report;
    assert_int_equal(
        job_report_fill(&report, &bad, place->ledger, place->path, march_ns, &place->err),
        BAD_CONFIG);
}

static void test_a_run_that_was_not_complete(void **state)
{
    struct ledger_place *place = *state;
    run(place, 10 * NS_PER_HOUR, INT64_MIN, NULL);
    run(place, 11 * NS_PER_HOUR, INT64_MIN, "sink influx: 401");
    struct job_report report = report_at(place, 11 * NS_PER_HOUR + 2 * NS_PER_MINUTE);
    assert_string_equal(report.problem, "the last run was not complete: sink influx: 401");
    assert_int_equal(report.lag_ns, NS_PER_HOUR + 2 * NS_PER_MINUTE);
    assert_string_equal(report.figures.ended_error, "sink influx: 401");
    /* the next one being under way mends nothing yet */
    int64_t number;
    assert_ok(place, ledger_run_begin(place->ledger, "lyve", march_ns + 12 * NS_PER_HOUR, &number,
                                      &place->err));
    report = report_at(place, 12 * NS_PER_HOUR);
    assert_string_equal(report.problem, "the last run was not complete: sink influx: 401");
    assert_int_equal(report.figures.last_end_ns, INT64_MIN);
    run(place, 12 * NS_PER_HOUR, INT64_MIN, NULL);
    assert_string_equal(report_at(place, 12 * NS_PER_HOUR).problem, "");
}

static void test_the_first_run(void **state)
{
    struct ledger_place *place = *state;
    int64_t number;
    assert_ok(place, ledger_run_begin(place->ledger, "lyve", march_ns, &number, &place->err));
    assert_string_equal(report_at(place, 50 * NS_PER_HOUR).problem, "the first run was cut off");
    struct lock *lock;
    assert_ok(place, lock_take(&lock, place->path, "lyve", false, &place->err));
    struct job_report report = report_at(place, 50 * NS_PER_HOUR);
    lock_release(lock);
    char path[128];
    snprintf(path, sizeof path, "%s.lyve.lock", place->path);
    assert_int_equal(unlink(path), 0);
    assert_true(report.under_way);
    assert_string_equal(report.problem, "");
}

/* --- the good window --- */

/* By a run that starts then. */
static void grow_at(struct ledger_place *place, int64_t start_ns, int64_t from_ns, int64_t to_ns)
{
    int64_t number;
    assert_ok(place, ledger_run_begin(place->ledger, "lyve", start_ns, &number, &place->err));
    assert_ok(place, ledger_run_end(place->ledger, number, start_ns + 1, true,
                                    (struct window){from_ns, to_ns}, &place->err));
}

static void grow(struct ledger_place *place, int64_t from_ns, int64_t to_ns)
{
    grow_at(place, 1000, from_ns, to_ns);
}

static void assert_good(struct ledger_place *place, int64_t from_ns, int64_t to_ns)
{
    struct job_status status;
    assert_ok(place, ledger_job_status(place->ledger, "lyve", sink_names, 3, &status, &place->err));
    assert_int_equal(status.good_from_ns, from_ns);
    assert_int_equal(status.good_to_ns, to_ns);
}

static void test_the_good_window_has_no_gaps(void **state)
{
    struct ledger_place *place = *state;
    grow(place, 100, 200);
    assert_good(place, 100, 200);
    grow(place, 150, 300);
    assert_good(place, 100, 300);
    grow(place, 301, 400); /* [300, 301) was never read */
    assert_good(place, 100, 300);
    grow(place, 300, 350);
    assert_good(place, 100, 350);
    grow(place, 10, 20); /* an old period, on its own */
    assert_good(place, 100, 350);
    grow(place, 120, 130);
    assert_good(place, 100, 350);
    grow(place, 50, 100);
    assert_good(place, 50, 350);
}

/* `pull --to-date` of the year 2099 is no proof of what comes until then. */
static void test_the_good_window_ends_with_the_present(void **state)
{
    struct ledger_place *place = *state;
    grow_at(place, 500, 100, 9000);
    assert_good(place, 100, 500);
    grow_at(place, 600, 700, 800);
    assert_good(place, 100, 500);
}

/* What was said with a wrong clock holds no longer than that clock. */
static void test_the_good_window_after_a_wrong_clock(void **state)
{
    struct ledger_place *place = *state;
    grow_at(place, 9000, 8000, 9000);
    grow_at(place, 500, 100, 500);
    assert_good(place, 100, 500);
    grow_at(place, 9000, 100, 9000);
    assert_good(place, 100, 9000);
    grow_at(place, 600, 100, 600);
    assert_good(place, 100, 600);
}

/* --- kinds --- */

static struct kind_report s3_at(struct ledger_place *place, int64_t now_ns)
{
    return report_at(place, now_ns).kinds[1];
}

/* A record is never newer than the clock of the run that brought it; that one was set back since.
 */
static void test_a_kind_after_a_wrong_clock(void **state)
{
    struct ledger_place *place = *state;
    for (int64_t hour = 0; hour < 5; hour++) {
        run(place, (9000 + hour) * NS_PER_HOUR, (9000 + hour) * NS_PER_HOUR, NULL);
    }
    for (int64_t hour = 0; hour < 5; hour++) {
        run(place, hour * NS_PER_HOUR, hour * NS_PER_HOUR - 30 * NS_PER_MINUTE, NULL);
    }
    struct kind_report kind = s3_at(place, 5 * NS_PER_HOUR);
    assert_int_equal(kind.newest_ns, march_ns + 3 * NS_PER_HOUR + 30 * NS_PER_MINUTE);
    assert_int_equal(kind.habit.usual_ns, NS_PER_HOUR);
    assert_true(s3_at(place, 50 * NS_PER_HOUR).is_late);
}

static void test_a_kind_that_stays_away(void **state)
{
    struct ledger_place *place = *state;
    for (int64_t hour = 0; hour < 10; hour++) { /* a record of half past in each run */
        run(place, hour * NS_PER_HOUR, hour * NS_PER_HOUR - 30 * NS_PER_MINUTE, NULL);
    }
    for (int64_t hour = 10; hour < 15; hour++) {
        run(place, hour * NS_PER_HOUR, INT64_MIN, NULL);
    }
    /* the newest is of 08:30; every hour: late after three */
    struct kind_report kind = s3_at(place, 11 * NS_PER_HOUR + 30 * NS_PER_MINUTE);
    assert_string_equal(kind.name, "lyve_s3");
    assert_int_equal(kind.newest_ns, march_ns + 8 * NS_PER_HOUR + 30 * NS_PER_MINUTE);
    assert_int_equal(kind.habit.usual_ns, NS_PER_HOUR);
    assert_false(kind.is_late);
    assert_true(s3_at(place, 11 * NS_PER_HOUR + 30 * NS_PER_MINUTE + 1).is_late);
    struct kind_report other = report_at(place, 20 * NS_PER_HOUR).kinds[0];
    assert_string_equal(other.name, "lyve_iam");
    assert_false(other.is_late); /* never met: no habit */
    run(place, 15 * NS_PER_HOUR, 14 * NS_PER_HOUR, NULL);
    assert_false(s3_at(place, 16 * NS_PER_HOUR).is_late);
}

/* A backfill brings old records often: that is no habit. */
static void test_older_records_are_no_arrival(void **state)
{
    struct ledger_place *place = *state;
    run(place, 0, -NS_PER_HOUR, NULL);
    for (int i = 1; i < 10; i++) {
        run(place, i * NS_PER_MINUTE, -1000 * NS_PER_HOUR + i, NULL);
    }
    struct kind_report kind = s3_at(place, 30 * NS_PER_HOUR);
    assert_int_equal(kind.newest_ns, march_ns - NS_PER_HOUR);
    assert_false(kind.habit.known);
    assert_int_equal(ask(place, "SELECT count(*) FROM kind_arrival"), 1);
}

/* A record from the future counts as of the run's start, and the next ones are news again. */
static void test_a_wrong_clock(void **state)
{
    struct ledger_place *place = *state;
    run(place, NS_PER_HOUR, 50000 * NS_PER_HOUR, NULL);
    assert_int_equal(s3_at(place, 2 * NS_PER_HOUR).newest_ns, march_ns + NS_PER_HOUR);
    run(place, 2 * NS_PER_HOUR, NS_PER_HOUR + 30 * NS_PER_MINUTE, NULL);
    assert_int_equal(s3_at(place, 2 * NS_PER_HOUR).newest_ns,
                     march_ns + NS_PER_HOUR + 30 * NS_PER_MINUTE);
    assert_int_equal(ask(place, "SELECT count(*) FROM kind_arrival"), 2);
}

static void test_arrivals_are_bounded(void **state)
{
    struct ledger_place *place = *state;
    for (int64_t hour = 0; hour < 40; hour++) {
        run(place, hour * NS_PER_HOUR, hour * NS_PER_HOUR - NS_PER_MINUTE, NULL);
    }
    assert_int_equal(ask(place, "SELECT count(*) FROM kind_arrival"), LEDGER_ARRIVALS_MAX);
    assert_int_equal(ask(place, "SELECT max(at) - min(at) FROM kind_arrival"), 24 * NS_PER_HOUR);
    struct job_report report = report_at(place, 40 * NS_PER_HOUR);
    assert_int_equal(report.figures.n_kinds, 1);
    assert_int_equal(report.figures.kinds[0].n_arrivals, LEDGER_ARRIVALS_MAX);
    assert_int_equal(report.figures.kinds[0].arrivals[24], march_ns + 39 * NS_PER_HOUR);
}

static void test_notes(void **state)
{
    struct ledger_place *place = *state;
    int64_t number;
    struct run_notes notes = {.unmatched = 3, .list_requests = 12};
    assert_ok(place, ledger_run_begin(place->ledger, "lyve", 1, &number, &place->err));
    assert_ok(place, ledger_run_note(place->ledger, number, &notes, &place->err));
    assert_ok(place, ledger_run_end(place->ledger, number, 2, false, all_time, &place->err));
    struct job_status status;
    assert_ok(place, ledger_job_status(place->ledger, "lyve", sink_names, 3, &status, &place->err));
    assert_int_equal(status.unmatched, 3);
    assert_int_equal(status.list_requests, 12);
    /* a run that did not get to the listing leaves the last known number */
    notes = (struct run_notes){.unmatched = -1, .list_requests = -1, .error = "no route"};
    assert_ok(place, ledger_run_begin(place->ledger, "lyve", 3, &number, &place->err));
    assert_ok(place, ledger_run_note(place->ledger, number, &notes, &place->err));
    assert_ok(place, ledger_run_end(place->ledger, number, 4, false, all_time, &place->err));
    assert_ok(place, ledger_job_status(place->ledger, "lyve", sink_names, 3, &status, &place->err));
    assert_int_equal(status.unmatched, 3);
    assert_int_equal(status.list_requests, -1);
    assert_string_equal(status.ended_error, "no route");
}

/* --- JSON --- */

static void test_json_of_strange_bytes(void **state)
{
    struct ledger_place *place = *state;
    struct job_report report = report_at(place, 0);
    snprintf(report.figures.oldest_error, sizeof report.figures.oldest_error, "a\xFF\"\n: bad");
    report.figures.read = 999999999999999;
    cJSON *json = job_report_json(&report);
    char *text = cJSON_PrintUnformatted(json);
    assert_non_null(strstr(text, "\"oldest_error\":\"a\xEF\xBF\xBD\\\"\\n: bad\""));
    assert_non_null(strstr(text, "\"records_read\":999999999999999,"));
    cJSON_free(text);
    cJSON_Delete(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_ledger, remove_ledger)
        TEST(test_nothing_yet),
        TEST(test_a_good_run),
        TEST(test_overdue),
        TEST(test_a_schedule_that_never_comes),
        TEST(test_a_bad_schedule),
        TEST(test_a_run_that_was_not_complete),
        TEST(test_the_first_run),
        TEST(test_the_good_window_has_no_gaps),
        TEST(test_the_good_window_ends_with_the_present),
        TEST(test_the_good_window_after_a_wrong_clock),
        TEST(test_a_kind_after_a_wrong_clock),
        TEST(test_a_kind_that_stays_away),
        TEST(test_older_records_are_no_arrival),
        TEST(test_a_wrong_clock),
        TEST(test_arrivals_are_bounded),
        TEST(test_notes),
        TEST(test_json_of_strange_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
