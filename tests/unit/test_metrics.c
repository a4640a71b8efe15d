/* test_metrics: what is counted and how it is written, without a service. The texts are by hand,
 * after Prometheus's description of its text format. */
#include "base/cleanup.h"
#include "base/timestamp.h"
#include "run/metrics.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const struct parser s3_parser = {.about = {.name = "lyve_s3"}};
static const struct parser iam_parser = {.about = {.name = "lyve_iam"}};
static const struct parser *parsers[] = {&s3_parser, &iam_parser};
static const struct place_config logs = {.name = "logs"};
static const struct place_config odd = {.name = "a\"b\\c\nd"};
static const struct place_config *sinks[] = {&odd, &logs};

struct service {
    struct job_config jobs[2];
    struct config config;
    struct metrics *metrics;
    struct buf text;
};

static int start(void **state)
{
    struct service *service = test_calloc(1, sizeof *service);
    service->jobs[0] = (struct job_config){
        .name = "one", .from = &logs, .to = sinks, .n_to = 2, .parse = parsers, .n_parse = 2};
    service->jobs[1] = (struct job_config){
        .name = "two", .from = &logs, .to = sinks, .n_to = 1, .parse = parsers, .n_parse = 1};
    service->config = (struct config){.jobs = service->jobs, .n_jobs = 2};
    service->metrics = metrics_new(&service->config);
    service->text.max = 100000;
    *state = service;
    return 0;
}

static int finish(void **state)
{
    struct service *service = *state;
    metrics_free(service->metrics);
    buf_finish(&service->text);
    test_free(service);
    return 0;
}

static const char *write_with(struct service *service, const struct job_health *health)
{
    buf_clear(&service->text);
    metrics_write(service->metrics, health, &service->text);
    return buf_text(&service->text);
}

static const char *write_text(struct service *service)
{
    const struct job_health health[2] = {{.good_to_ns = INT64_MIN}, {.good_to_ns = INT64_MIN}};
    return write_with(service, health);
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part)) {
        fputs(text, stderr);
        fail_msg("\"%s\" is not in it", part);
    }
}

static void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part)) {
        fputs(text, stderr);
        fail_msg("\"%s\" is in it", part);
    }
}

/* --- objects --- */

static struct tracked *an_object(struct tracked_list *list)
{
    const struct object object = {.key = slice_of("May-2022/S3-x.gz")};
    struct tracked *tracked = tracked_add(list, &object);
    *tracked_counts(list, tracked, 0, 0) = (struct sink_counts){.stored = 5, .duplicate = 2};
    *tracked_counts(list, tracked, 0, 1) = (struct sink_counts){.stored = 1, .expired = 4};
    *tracked_counts(list, tracked, 0, 2) = (struct sink_counts){.dead = 3};
    *tracked_counts(list, tracked, 1, 0) = (struct sink_counts){.stored = 6, .dead = 1};
    *tracked_counts(list, tracked, 1, 1) = (struct sink_counts){.stored = 5};
    *tracked_counts(list, tracked, 1, 2) = (struct sink_counts){.dead = 3};
    tracked->letters = 4;
    tracked->letters_beyond = 10;
    return tracked;
}

static void an_object_is_counted(void **state)
{
    struct service *service = *state;
    struct job_metrics *job = metrics_job(service->metrics, 0);
    CLEANUP(tracked_finish) struct tracked_list list = {.n_sinks = 2, .n_kinds = 3};
    metrics_add_object(job, &list, an_object(&list));
    struct tracked *damaged = an_object(&list);
    tracked_quarantine(damaged, "damaged");
    metrics_add_object(job, &list, damaged);
    metrics_add_failed_object(job);
    metrics_add_fetch(job, 100, 7000000000);
    metrics_add_fetch(job, 1, 2);
    const char *text = write_text(service);
    assert_has(text, "# HELP loggateway_objects_total Objects that came to an end, by how.\n"
                     "# TYPE loggateway_objects_total counter\n"
                     "loggateway_objects_total{job=\"one\",state=\"settled\"} 1\n"
                     "loggateway_objects_total{job=\"one\",state=\"failed\"} 1\n"
                     "loggateway_objects_total{job=\"one\",state=\"quarantined\"} 1\n"
                     "loggateway_objects_total{job=\"two\",state=\"settled\"} 0\n"
                     "loggateway_objects_total{job=\"two\",state=\"failed\"} 0\n"
                     "loggateway_objects_total{job=\"two\",state=\"quarantined\"} 0\n");
    assert_has(text, "\nloggateway_read_bytes_total{job=\"one\"} 101\n");
    assert_has(text, "\nloggateway_inflated_bytes_total{job=\"one\"} 7000000002\n");
    assert_has(text, "\nloggateway_records_total{job=\"one\",parser=\"lyve_s3\"} 14\n"
                     "loggateway_records_total{job=\"one\",parser=\"lyve_iam\"} 10\n"
                     "loggateway_records_total{job=\"one\",parser=\"(none)\"} 6\n"
                     "loggateway_records_total{job=\"two\",parser=\"lyve_s3\"} 0\n"
                     "loggateway_records_total{job=\"two\",parser=\"(none)\"} 0\n");
    assert_has(
        text, "\nloggateway_points_total{job=\"one\",sink=\"a\\\"b\\\\c\\nd\",fate=\"stored\"} 12\n"
              "loggateway_points_total{job=\"one\",sink=\"a\\\"b\\\\c\\nd\",fate=\"duplicate\"} 4\n"
              "loggateway_points_total{job=\"one\",sink=\"a\\\"b\\\\c\\nd\",fate=\"expired\"} 8\n"
              "loggateway_points_total{job=\"one\",sink=\"a\\\"b\\\\c\\nd\",fate=\"dead\"} 6\n"
              "loggateway_points_total{job=\"one\",sink=\"logs\",fate=\"stored\"} 22\n");
    assert_has(text, "\nloggateway_dead_letters_total{job=\"one\"} 28\n");
}

/* --- requests --- */

static void requests_are_counted_by_class_and_time(void **state)
{
    struct service *service = *state;
    struct place_metrics *place = metrics_source(metrics_job(service->metrics, 1));
    metrics_add_request(place, 200, false, 5 * NS_PER_MS);
    metrics_add_request(place, 206, false, 5 * NS_PER_MS + 1);
    metrics_add_request(place, 503, false, 2 * NS_PER_SECOND);
    metrics_add_request(place, 404, true, 61 * NS_PER_SECOND);
    metrics_add_request(place, 0, true, 0);
    metrics_add_request(place, 777, false, 0);
    metrics_add_request(place, -5, false, -1);
    const char *text = write_text(service);
    assert_has(text, "\nloggateway_http_requests_total{place=\"logs\",code=\"none\"} 3\n"
                     "loggateway_http_requests_total{place=\"logs\",code=\"1xx\"} 0\n"
                     "loggateway_http_requests_total{place=\"logs\",code=\"2xx\"} 2\n"
                     "loggateway_http_requests_total{place=\"logs\",code=\"3xx\"} 0\n"
                     "loggateway_http_requests_total{place=\"logs\",code=\"4xx\"} 1\n"
                     "loggateway_http_requests_total{place=\"logs\",code=\"5xx\"} 1\n");
    assert_has(text, "\nloggateway_http_retries_total{place=\"logs\"} 2\n");
    assert_has(text, "# TYPE loggateway_http_request_seconds histogram\n"
                     "loggateway_http_request_seconds_bucket{place=\"logs\",le=\"0.005\"} 4\n"
                     "loggateway_http_request_seconds_bucket{place=\"logs\",le=\"0.01\"} 5\n"
                     "loggateway_http_request_seconds_bucket{place=\"logs\",le=\"0.025\"} 5\n"
                     "loggateway_http_request_seconds_bucket{place=\"logs\",le=\"0.05\"} 5\n"
                     "loggateway_http_request_seconds_bucket{place=\"logs\",le=\"0.1\"} 5\n"
                     "loggateway_http_request_seconds_bucket{place=\"logs\",le=\"0.25\"} 5\n"
                     "loggateway_http_request_seconds_bucket{place=\"logs\",le=\"0.5\"} 5\n"
                     "loggateway_http_request_seconds_bucket{place=\"logs\",le=\"1\"} 5\n"
                     "loggateway_http_request_seconds_bucket{place=\"logs\",le=\"2.5\"} 6\n"
                     "loggateway_http_request_seconds_bucket{place=\"logs\",le=\"5\"} 6\n"
                     "loggateway_http_request_seconds_bucket{place=\"logs\",le=\"10\"} 6\n"
                     "loggateway_http_request_seconds_bucket{place=\"logs\",le=\"30\"} 6\n"
                     "loggateway_http_request_seconds_bucket{place=\"logs\",le=\"60\"} 6\n"
                     "loggateway_http_request_seconds_bucket{place=\"logs\",le=\"+Inf\"} 7\n"
                     "loggateway_http_request_seconds_sum{place=\"logs\"} 63.010000001\n"
                     "loggateway_http_request_seconds_count{place=\"logs\"} 7\n");
}

/* Both jobs read from it, and one writes to it too. */
static void a_place_is_one_whoever_uses_it(void **state)
{
    struct service *service = *state;
    struct job_metrics *one = metrics_job(service->metrics, 0);
    struct job_metrics *two = metrics_job(service->metrics, 1);
    assert_ptr_equal(metrics_source(one), metrics_source(two));
    assert_ptr_equal(metrics_sink(one, 1), metrics_source(two));
    assert_ptr_equal(metrics_sink(one, 0), metrics_sink(two, 0));
    assert_ptr_not_equal(metrics_sink(one, 0), metrics_source(one));
    assert_int_equal(service->metrics->n_places, 2);
}

static void bounds_fit(void **state)
{
    (void)state;
    const int64_t *const all[] = {metrics_request_bounds_ns, metrics_run_bounds_ns};
    for (size_t i = 0; i < 2; i++) {
        size_t n = 0;
        for (; all[i][n]; n++) {
            assert_true(n == 0 || all[i][n] > all[i][n - 1]);
        }
        assert_in_range(n, 1, HISTOGRAM_BOUNDS_MAX);
    }
}

/* --- runs and gauges --- */

static void runs_are_counted(void **state)
{
    struct service *service = *state;
    struct job_metrics *job = metrics_job(service->metrics, 0);
    metrics_add_run(job, true, 30 * NS_PER_SECOND);
    metrics_add_run(job, true, 1500 * NS_PER_MS);
    metrics_add_run(job, false, 100000 * NS_PER_SECOND);
    const char *text = write_text(service);
    assert_has(text, "\nloggateway_runs_total{job=\"one\",result=\"complete\"} 2\n"
                     "loggateway_runs_total{job=\"one\",result=\"incomplete\"} 1\n");
    assert_has(text, "\nloggateway_run_seconds_bucket{job=\"one\",le=\"1\"} 0\n"
                     "loggateway_run_seconds_bucket{job=\"one\",le=\"5\"} 1\n"
                     "loggateway_run_seconds_bucket{job=\"one\",le=\"15\"} 1\n"
                     "loggateway_run_seconds_bucket{job=\"one\",le=\"60\"} 2\n");
    assert_has(text, "\nloggateway_run_seconds_bucket{job=\"one\",le=\"86400\"} 2\n"
                     "loggateway_run_seconds_bucket{job=\"one\",le=\"+Inf\"} 3\n"
                     "loggateway_run_seconds_sum{job=\"one\"} 100031.5\n"
                     "loggateway_run_seconds_count{job=\"one\"} 3\n");
}

static void gauges_are_there_when_they_are_known(void **state)
{
    struct service *service = *state;
    struct job_metrics *job = metrics_job(service->metrics, 0);
    const char *text = write_text(service);
    assert_lacks(text, "\nloggateway_next_run_seconds{");
    assert_lacks(text, "\nloggateway_last_good_window_seconds{");
    metrics_next_run(job, INT64_C(1772323200000000000));
    metrics_add_waiting(job, 1, 1);
    metrics_add_waiting(job, 1, 1);
    metrics_add_waiting(job, 1, -1);
    const struct job_health health[2] = {
        {.is_well = true, .good_to_ns = INT64_C(1772323199123456789)}, {.good_to_ns = INT64_MIN}};
    text = write_with(service, health);
    assert_has(text, "\nloggateway_next_run_seconds{job=\"one\"} 1772323200\n#");
    assert_has(text, "\nloggateway_last_good_window_seconds{job=\"one\"} 1772323199.123456789\n#");
    assert_has(text, "\nloggateway_job_well{job=\"one\"} 1\nloggateway_job_well{job=\"two\"} 0\n");
    assert_has(text, "\nloggateway_sink_waiting_workers{job=\"one\",sink=\"logs\"} 1\n");
    metrics_next_run(job, INT64_MAX);
    assert_lacks(write_text(service), "\nloggateway_next_run_seconds{");
}

static void what_is_too_long_says_so(void **state)
{
    struct service *service = *state;
    service->text.max = 500;
    write_text(service);
    assert_true(service->text.overflow);
}

/* --- many threads --- */

enum { THREADS = 4, ROUNDS = 20000 };

static void *count_much(void *with)
{
    struct job_metrics *job = with;
    for (int i = 0; i < ROUNDS; i++) {
        metrics_add_request(job->source, 200, true, 1);
        metrics_add_fetch(job, 1, 2);
        metrics_add_waiting(job, 0, 1);
        metrics_add_waiting(job, 0, -1);
    }
    return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
    struct service *service = *state;
    struct job_metrics *job = metrics_job(service->metrics, 0);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, count_much, job), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    const char *text = write_text(service);
    assert_has(text, "\nloggateway_http_retries_total{place=\"logs\"} 80000\n");
    assert_has(text, "\nloggateway_http_request_seconds_count{place=\"logs\"} 80000\n");
    assert_has(text, "\nloggateway_http_request_seconds_sum{place=\"logs\"} 0.00008\n");
    assert_has(text, "\nloggateway_inflated_bytes_total{job=\"one\"} 160000\n");
    assert_int_equal(job->sinks[0].waiting, 0);
}

/* --- a pull --- */

static void without_metrics_nothing_happens(void **state)
{
    (void)state;
    CLEANUP(tracked_finish) struct tracked_list list = {.n_sinks = 2, .n_kinds = 3};
    metrics_add_object(NULL, &list, an_object(&list));
    metrics_add_failed_object(NULL);
    metrics_add_fetch(NULL, 1, 1);
    metrics_add_run(NULL, true, 1);
    metrics_next_run(NULL, 1);
    metrics_add_waiting(NULL, 0, 1);
    metrics_add_request(NULL, 200, false, 1);
    assert_null(metrics_job(NULL, 3));
    assert_null(metrics_source(NULL));
    assert_null(metrics_sink(NULL, 3));
    metrics_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_object_is_counted, start, finish),
        cmocka_unit_test_setup_teardown(requests_are_counted_by_class_and_time, start, finish),
        cmocka_unit_test_setup_teardown(a_place_is_one_whoever_uses_it, start, finish),
        cmocka_unit_test(bounds_fit),
        cmocka_unit_test_setup_teardown(runs_are_counted, start, finish),
        cmocka_unit_test_setup_teardown(gauges_are_there_when_they_are_known, start, finish),
        cmocka_unit_test_setup_teardown(what_is_too_long_says_so, start, finish),
        cmocka_unit_test_setup_teardown(nothing_is_lost_between_threads, start, finish),
        cmocka_unit_test(without_metrics_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
