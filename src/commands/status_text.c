/* status_text: what is told of a job, as text for people. See status.h. */
#include "base/cleanup.h"
#include "base/timestamp.h"
#include "commands/status.h"
#include "data/shown.h"

#include <inttypes.h>
#include <stdio.h>

enum { SHOWN_MAX_BYTES = 16 * 1024 };

/* To the second; --json has all digits. */
static void print_time(int64_t ns)
{
    char text[TIMESTAMP_TEXT_BYTES];
    if (ns == INT64_MIN || ns == INT64_MAX) {
        printf("never");
        return;
    }
    printf("%.*sZ", (int)strlen("yyyy-mm-ddThh:mm:ss"), timestamp_format(ns, text));
}

static void print_foreign(const char *text)
{
    CLEANUP(buf_finish) struct buf shown = {.max = SHOWN_MAX_BYTES};
    shown_add(&shown, slice_of(text));
    printf("%s", buf_text(&shown));
}

static void print_count(const char *name, int64_t count)
{
    if (count >= 0) {
        printf(", %s %" PRId64, name, count);
    }
}

static void print_last_run(const struct job_report *report)
{
    const struct job_status *figures = &report->figures;
    printf("  last run     ");
    print_time(figures->last_start_ns);
    if (figures->last_start_ns == INT64_MIN) {
        printf("\n");
        return;
    }
    if (figures->last_end_ns == INT64_MIN) {
        printf(", %s\n", report->under_way ? "under way" : "cut off");
        return;
    }
    printf(" to ");
    print_time(figures->last_end_ns);
    printf(", %s", figures->last_ok ? "complete" : "not complete");
    print_count("LIST requests", figures->list_requests);
    printf("\n");
}

static void print_schedule(const struct job_report *report)
{
    char lag[SHOWN_SPAN_BYTES];
    printf("  next run     ");
    print_time(report->next_ns);
    printf("\n  good window  ");
    print_time(report->figures.good_from_ns);
    if (report->lag_ns >= 0) {
        printf(" to ");
        print_time(report->figures.good_to_ns);
        printf(", lag %s", shown_span(report->lag_ns, lag));
    }
    printf("\n");
}

static void print_figures(const struct job_report *report)
{
    const struct job_status *figures = &report->figures;
    printf("  objects      settled %" PRIu64 ", listed %" PRIu64 ", failed %" PRIu64
           ", quarantined %" PRIu64,
           figures->objects[OBJECT_SETTLED], figures->objects[OBJECT_LISTED],
           figures->objects[OBJECT_FAILED], figures->objects[OBJECT_QUARANTINED]);
    print_count("unmatched", figures->unmatched);
    printf("\n  records      read %" PRIu64 "\n", figures->read);
    for (size_t i = 0; i < report->job->n_to; i++) {
        const struct sink_counts *sink = &figures->sinks[i];
        printf("  %-12s stored %" PRIu64 ", duplicate %" PRIu64 ", expired %" PRIu64
               ", dead %" PRIu64 "\n",
               report->job->to[i]->name, sink->stored, sink->duplicate, sink->expired, sink->dead);
    }
}

static void print_kind(const struct job_report *report, const struct kind_report *kind)
{
    char age[SHOWN_SPAN_BYTES], usual[SHOWN_SPAN_BYTES];
    printf("  %-12s newest record ", kind->name);
    print_time(kind->newest_ns);
    if (kind->newest_ns != INT64_MIN) {
        printf(", %s ago", shown_span(report->now_ns - kind->newest_ns, age));
    }
    if (kind->is_late) {
        printf(": LATE, newer ones usually come every %s", shown_span(kind->habit.usual_ns, usual));
    }
    printf("\n");
}

static void print_letters(const struct job_status *figures)
{
    printf("  dead letters kept %" PRIu64, figures->dead_letters);
    if (figures->dead_beyond) {
        printf(", only counted %" PRIu64, figures->dead_beyond);
    }
    if (figures->oldest_letter_ns != INT64_MIN) {
        printf(", the oldest of ");
        print_time(figures->oldest_letter_ns);
    }
    printf("\n");
    for (size_t i = 0; i < figures->n_reasons; i++) {
        printf("  %11" PRIu64 "  ", figures->reasons[i].letters);
        print_foreign(figures->reasons[i].text);
        printf("\n");
    }
}

void job_report_print(const struct job_report *report)
{
    printf("job %s%s", report->job->name, *report->problem ? ": " : "");
    print_foreign(report->problem);
    printf("\n");
    print_last_run(report);
    print_schedule(report);
    print_figures(report);
    for (size_t i = 0; i < report->n_kinds; i++) {
        print_kind(report, &report->kinds[i]);
    }
    print_letters(&report->figures);
    if (*report->figures.oldest_error) {
        printf("  oldest error ");
        print_foreign(report->figures.oldest_error);
        printf("\n");
    }
    if (report->figures.objects[OBJECT_FAILED]) {
        printf(
            "               failed objects are tried again by each run over their dates: those "
            "older than\n               scheduled runs read by `pull --from-date`. The key of one "
            "that can never be\n               read, in the source's `ignore:`, gives it up\n");
    }
}
