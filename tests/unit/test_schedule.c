/* Tests of schedule/schedule: options of a job in, instants in nanoseconds out. */
#include "schedule/schedule.h"

#include "base/timestamp.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct job_config job_of(const char *schedule, const char *timezone)
{
    return (struct job_config){.name = "job",
                               .options = {.schedule = schedule, .timezone = timezone}};
}

static struct schedule read_schedule(const char *text, const char *timezone)
{
    struct job_config job = job_of(text, timezone);
    struct schedule schedule;
    struct err err;
    if (schedule_init(&schedule, &job, &err) != OK) {
        fail_msg("%s", err.text);
    }
    return schedule;
}

static int64_t ns_of(const char *text)
{
    int64_t ns;
    if (!timestamp_parse(slice_of(text), &ns)) {
        fail_msg("not a time: %s", text);
    }
    return ns;
}

/* Parts of a second never make a run come twice or too early. */
static void test_parts_of_a_second(void **state)
{
    (void)state;
    static const struct {
        const char *after, *next;
    } cases[] = {
        {"2026-03-01T09:00:00Z", "2026-03-01T10:00:00Z"},
        {"2026-03-01T09:00:00.000000001Z", "2026-03-01T10:00:00Z"},
        {"2026-03-01T08:59:59.999999999Z", "2026-03-01T09:00:00Z"},
        {"1969-12-31T23:59:59.999999999Z", "1970-01-01T00:00:00Z"},
        {"1969-12-31T22:59:59.5Z", "1969-12-31T23:00:00Z"},
        {"1969-12-31T23:00:00.5Z", "1970-01-01T00:00:00Z"},
    };
    struct schedule schedule = read_schedule("0 * * * *", "UTC");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(schedule_next(&schedule, ns_of(cases[i].after)), ns_of(cases[i].next));
    }
    schedule_finish(&schedule);
}

static void test_zones(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *next;
    } cases[] = {
        {"UTC", "2026-07-01T09:00:00Z"},
        {"Etc/UTC", "2026-07-01T09:00:00Z"},
        {"Europe/Berlin", "2026-07-01T07:00:00Z"},
        {"America/New_York", "2026-07-01T13:00:00Z"},
        {"Asia/Kathmandu", "2026-07-01T03:15:00Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct schedule schedule = read_schedule("0 9 * * *", cases[i].zone);
        assert_int_equal(schedule_next(&schedule, ns_of("2026-07-01T01:00:00Z")),
                         ns_of(cases[i].next));
        schedule_finish(&schedule);
        schedule_finish(&schedule); /* twice is fine */
    }
}

static void test_never(void **state)
{
    (void)state;
    struct schedule schedule = read_schedule("0 0 30 2 *", "UTC");
    assert_true(schedule_next(&schedule, ns_of("2026-07-01T00:00:00Z")) == INT64_MAX);
    schedule_finish(&schedule);
    schedule = read_schedule("@hourly", "Europe/Berlin");
    assert_true(schedule_next(&schedule, INT64_MAX) == INT64_MAX);
    schedule_finish(&schedule);
}

static void test_refused(void **state)
{
    (void)state;
    struct schedule schedule;
    struct err err;
    struct job_config job = job_of("0 24 * * *", "UTC");
    assert_int_equal(schedule_init(&schedule, &job, &err), BAD_CONFIG);
    assert_string_equal(err.text,
                        "schedule '0 24 * * *': hour '24': not a value, range or step within 0-23");
    job = job_of("0 * * * *", "Europe/Atlantis");
    assert_int_equal(schedule_init(&schedule, &job, &err), BAD_CONFIG);
    assert_string_equal(
        err.text, "timezone: no time zone 'Europe/Atlantis' (is the package tzdata installed?)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_of_a_second),
        cmocka_unit_test(test_zones),
        cmocka_unit_test(test_never),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
