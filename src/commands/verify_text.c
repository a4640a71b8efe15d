/* verify_text: what verify has found, as text for people. See commands/verify.h. */
#include "base/cleanup.h"
#include "base/timestamp.h"
#include "commands/verify.h"
#include "data/shown.h"

#include <inttypes.h>
#include <stdio.h>

enum { SHOWN_MAX_BYTES = 16 * 1024 };

static void print_foreign(const char *text)
{
    CLEANUP(buf_finish) struct buf shown = {.max = SHOWN_MAX_BYTES};
    shown_add(&shown, slice_of(text));
    printf("%s", buf_text(&shown));
}

/* --- jobs --- */

static void print_job_sink(const struct verify_job *job, size_t i)
{
    const struct verify_job_sink *sink = &job->sinks[i];
    const struct sink_counts *counts = &sink->counts;
    printf("  %-12s stored %" PRIu64 " + duplicate %" PRIu64 " + expired %" PRIu64
           " + dead %" PRIu64 " = %" PRIu64 "\n",
           job->config->to[i]->name, counts->stored, counts->duplicate, counts->expired,
           counts->dead, counts->stored + counts->duplicate + counts->expired + counts->dead);
    if (sink->missing) {
        printf("  %-12s %" PRIu64 " objects were never written here: pull --again\n", "",
               sink->missing);
    }
}

static void print_listed(const struct verify_listed *listed)
{
    if (listed->listing == VERIFY_LISTED_FAILED) {
        printf("  source       cannot be listed: ");
        print_foreign(listed->error);
        printf("\n");
    }
    if (listed->listing != VERIFY_LISTED) {
        return;
    }
    printf("  source       has %" PRIu64 " = settled %" PRIu64 " + quarantined %" PRIu64
           " + failed %" PRIu64 " + still to do %" PRIu64 " + changed %" PRIu64 " + lost %" PRIu64
           " + newer %" PRIu64,
           listed->objects, listed->states[OBJECT_SETTLED], listed->states[OBJECT_QUARANTINED],
           listed->states[OBJECT_FAILED], listed->states[OBJECT_LISTED], listed->changed,
           listed->lost, listed->newer);
    if (!listed->unordered) {
        printf("; gone since %" PRIu64, listed->gone);
    }
    printf("\n");
}

static void print_job(const struct verify_job *job)
{
    printf("job %s\n", job->config->name);
    printf("  objects      settled %" PRIu64 ", quarantined %" PRIu64 ", failed %" PRIu64
           ", still to do %" PRIu64 "; gone from the bucket %" PRIu64,
           job->objects[OBJECT_SETTLED], job->objects[OBJECT_QUARANTINED],
           job->objects[OBJECT_FAILED], job->objects[OBJECT_LISTED], job->gone);
    if (job->unmatched >= 0) {
        printf("; unmatched %" PRId64, job->unmatched);
    }
    printf("\n");
    print_listed(&job->listed);
    printf("  records      read %" PRIu64 "\n", job->read);
    for (size_t i = 0; i < job->config->n_to && i < LEDGER_SINKS_MAX; i++) {
        print_job_sink(job, i);
    }
}

/* --- sinks --- */

static void print_series(const struct verify_series *series)
{
    char first[VERIFY_DAY_BYTES], last[VERIFY_DAY_BYTES];
    if (series->n_days == 0) {
        return;
    }
    printf("  %-16s %10s %10s %7" PRIu64 " %12" PRIu64 " %12" PRIu64, series->measurement,
           verify_day_text(series->first_day, first), verify_day_text(series->last_day, last),
           series->n_days, series->stored, series->counted);
    if (series->different_days) {
        printf("  %" PRIu64 " %s", series->different_days,
               series->different_days == 1 ? "day differs" : "days differ");
    }
    printf("\n");
}

static uint64_t skipped_days(const struct verify_sink *sink)
{
    uint64_t days = 0;
    for (size_t i = 0; i < sink->n_series; i++) {
        days += sink->series[i].skipped_days;
    }
    return days;
}

static void print_sink(const struct verify_sink *sink)
{
    printf("sink %s", sink->place->name);
    if (sink->counting == VERIFY_COUNTED_NEVER) {
        printf(": not counted: no %s can be\n", sink->place->module->about.name);
        return;
    }
    if (sink->counting == VERIFY_COUNTED_NOT) {
        printf(": cannot be counted: ");
        print_foreign(sink->error);
        printf("\n");
        return;
    }
    printf("\n  %-16s %10s %10s %7s %12s %12s\n", "measurement", "first day", "last day", "days",
           "stored", "counted");
    for (size_t i = 0; i < sink->n_series; i++) {
        print_series(&sink->series[i]);
    }
    char bound[TIMESTAMP_TEXT_BYTES];
    if (skipped_days(sink)) {
        printf("  not compared: %" PRIu64 " older, since it keeps points from %s on\n",
               skipped_days(sink), timestamp_format(sink->kept_from_ns, bound));
    }
}

/* --- differences --- */

static void print_keys(const struct verify_difference *difference)
{
    for (size_t i = 0; i < difference->n_keys; i++) {
        printf("    ");
        print_foreign(difference->keys[i]);
        printf("\n");
    }
    if (difference->more_keys) {
        printf("    and %" PRIu64 " more\n", difference->more_keys);
    }
    if (difference->gone) {
        printf("    objects that are no longer in the bucket\n");
    }
}

static void print_object(const struct verify_difference *difference)
{
    printf("  job %s: ", difference->job);
    if (difference->sink && *difference->sink) {
        printf("%s: ", difference->sink);
    }
    printf("%s\n", difference->text);
    print_keys(difference);
}

static void print_day(const struct verify_difference *difference)
{
    char day[VERIFY_DAY_BYTES];
    printf("  %s: %s %s: stored %" PRIu64 ", counted %" PRIu64 "\n", difference->sink,
           difference->measurement, verify_day_text(difference->day, day), difference->stored,
           difference->counted);
    print_keys(difference);
}

static void print_differences(const struct verify_differences *differences, const char *title,
                              void (*print)(const struct verify_difference *difference))
{
    if (differences->n == 0) {
        return;
    }
    printf("%s\n", title);
    for (size_t i = 0; i < differences->n; i++) {
        print(&differences->at[i]);
    }
    if (differences->beyond) {
        printf("  and %" PRIu64 " more\n", differences->beyond);
    }
}

static void print_hint(const struct verify *verify)
{
    uint64_t left = verify_left(verify);
    if (verify->days.n && left) {
        printf("%" PRIu64 " objects failed or are still to be read: points of them may be stored "
               "already. Have them read, then verify again.\n",
               left);
    }
}

void verify_print(const struct verify *verify)
{
    if (!verify->ledger) {
        printf("nothing has run yet: %s is not there\n", verify->config->state);
        return;
    }
    for (size_t i = 0; i < verify->n_jobs; i++) {
        if (verify->jobs[i].wanted) {
            print_job(&verify->jobs[i]);
        }
    }
    for (size_t i = 0; i < verify->n_sinks; i++) {
        print_sink(&verify->sinks[i]);
    }
    print_differences(&verify->objects, "objects that contradict themselves", print_object);
    print_differences(&verify->lost, "objects of the source that were never read", print_object);
    print_differences(&verify->waiting, "objects that wait to be read, though no run is under way",
                      print_object);
    print_differences(&verify->days, "days that differ, with the objects that have points there",
                      print_day);
    print_hint(verify);
    printf("%s\n", verify_count_differences(verify) == 0 ? "equal" : "NOT EQUAL");
}
