/*
 * gaps: what is missing from a report, in words, from the ledger. See report.h.
 *
 * The ledger counts by job, not by the time of a call: what is said here is of all that the job has
 * read, whatever the report's period. Only the days that differ are the period's.
 */
#include "base/timestamp.h"
#include "report/html.h"
#include "report/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { DAYS_NAMED = 10 };

struct gaps {
    struct buf *out;
    size_t n;
};

/* An item; foreign: what follows the text, NULL = nothing. */
static void add_gap(struct gaps *gaps, const char *foreign, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add_gap(struct gaps *gaps, const char *foreign, const char *format, ...)
{
    struct err text; /* for its room, and its way of cutting */
    char said[sizeof text.text];
    va_list args;
    va_start(args, format);
    vsnprintf(said, sizeof said, format, args);
    va_end(args);
    gaps->n++;
    buf_add_text(gaps->out, "<li>");
    html_add(gaps->out, slice_of(said));
    if (foreign && *foreign) {
        buf_add_text(gaps->out, " <bdi>");
        html_add(gaps->out, slice_of(foreign));
        buf_add_text(gaps->out, "</bdi>");
    }
    buf_add_text(gaps->out, "</li>\n");
}

static const char *s_of(uint64_t n)
{
    return n == 1 ? "" : "s";
}

/* --- runs --- */

static void add_run_gaps(const struct report *report, struct gaps *gaps)
{
    const struct job_status *status = &report->status;
    bool unfinished = status->last_start_ns != INT64_MIN && status->last_end_ns == INT64_MIN;
    if (report->under_way) {
        add_gap(gaps, NULL, "A run is under way: what it has not written yet is missing.");
    } else if (unfinished) {
        add_gap(gaps, NULL, "The last run was cut off: what it had not written is missing.");
    }
    if (!status->any_ended && !unfinished && !report->under_way) {
        add_gap(gaps, NULL, "The job has not run yet.");
    }
    if (status->any_ended && !status->ended_ok) {
        add_gap(gaps, status->ended_error, "The last run was not complete%s",
                *status->ended_error ? ":" : ".");
    }
}

static void add_window_gaps(const struct report *report, struct gaps *gaps)
{
    const struct job_status *status = &report->status;
    const struct report_period *period = &report->period;
    char text[TIMESTAMP_TEXT_BYTES];
    if (status->good_from_ns == INT64_MIN) {
        if (status->any_ended) {
            add_gap(gaps, NULL, "No run has read all of its period yet.");
        }
        return;
    }
    if (period->from_given && period->window.from_ns < status->good_from_ns) {
        add_gap(gaps, NULL, "Objects delivered before %s have not been read.",
                timestamp_format(status->good_from_ns, text));
    }
    int64_t to_ns = period->window.to_ns < report->now_ns ? period->window.to_ns : report->now_ns;
    if (!report->empty && to_ns > status->good_to_ns) {
        add_gap(gaps, NULL, "Objects delivered after %s have not been read.",
                timestamp_format(status->good_to_ns, text));
    }
}

/* --- objects and records --- */

static void add_object_gaps(const struct report *report, struct gaps *gaps)
{
    const struct job_status *status = &report->status;
    uint64_t failed = status->objects[OBJECT_FAILED], listed = status->objects[OBJECT_LISTED];
    uint64_t quarantined = status->objects[OBJECT_QUARANTINED];
    if (listed) {
        add_gap(gaps, NULL, "%" PRIu64 " object%s known but not read yet.", listed,
                listed == 1 ? " is" : "s are");
    }
    if (failed) {
        add_gap(gaps, NULL,
                "%" PRIu64 " object%s could not be read to the end; the next run tries again.",
                failed, s_of(failed));
    }
    if (quarantined) {
        add_gap(gaps, NULL,
                "%" PRIu64 " object%s damaged (quarantined): what could be read is here, the rest "
                "is missing.",
                quarantined, quarantined == 1 ? " is" : "s are");
    }
    if (*status->oldest_error) {
        add_gap(gaps, status->oldest_error, "The oldest of these:");
        gaps->n--; /* of the ones before */
    }
    if (status->unmatched > 0) {
        add_gap(gaps, NULL, "Folders and objects of the bucket that nobody reads: %" PRId64 ".",
                status->unmatched);
    }
}

static void add_record_gaps(const struct report *report, struct gaps *gaps)
{
    const struct job_status *status = &report->status;
    const struct sink_counts *sink = &status->sinks[0];
    uint64_t accounted = sink->stored + sink->duplicate + sink->expired + sink->dead;
    if (sink->dead) {
        add_gap(gaps, NULL,
                "%" PRIu64 " record%s no points (dead letters): see `loggateway dead-letters "
                "list`.",
                sink->dead, sink->dead == 1 ? " gave" : "s gave");
    }
    for (size_t i = 0; sink->dead && i < status->n_reasons; i++) {
        add_gap(gaps, status->reasons[i].text, "Of the dead letters, %" PRIu64 ":",
                status->reasons[i].letters);
        gaps->n--;
    }
    if (sink->expired) {
        add_gap(gaps, NULL, "%" PRIu64 " record%s older than the store keeps.", sink->expired,
                sink->expired == 1 ? " is" : "s are");
    }
    if (status->read != accounted) {
        add_gap(gaps, NULL,
                "The figures do not add up: %" PRIu64 " records read, %" PRIu64 " accounted for.",
                status->read, accounted);
    }
}

/* --- the store --- */

static void add_store_gaps(const struct report *report, struct gaps *gaps)
{
    const struct verify *verify = report->verify;
    const struct verify_sink *store = &verify->sinks[0];
    if (store->counting == VERIFY_COUNTED_NOT) {
        add_gap(gaps, store->error, "The points of the store cannot be counted:");
    }
    if (report->missing) {
        add_gap(gaps, NULL,
                "%" PRIu64 " object%s read before the job wrote to this store, and not here: "
                "`pull --again` writes them.",
                report->missing, report->missing == 1 ? " was" : "s were");
    }
    if (verify->objects.n) {
        add_gap(gaps, NULL, "The ledger contradicts itself: see `loggateway verify`.");
    }
}

static void add_day_gaps(const struct report *report, struct gaps *gaps)
{
    const struct verify_differences *days = &report->verify->days;
    char day[VERIFY_DAY_BYTES];
    if (report->under_way || days->n == 0) {
        return; /* a run that writes meanwhile explains it */
    }
    uint64_t all = days->n + days->beyond;
    add_gap(gaps, NULL,
            "On %" PRIu64 " day%s the store does not have what was stored: see `loggateway "
            "verify`.",
            all, s_of(all));
    for (size_t i = 0; i < days->n && i < DAYS_NAMED; i++) {
        const struct verify_difference *one = &days->at[i];
        add_gap(gaps, one->measurement, "%s: stored %" PRIu64 ", counted %" PRIu64 " of",
                verify_day_text(one->day, day), one->stored, one->counted);
        gaps->n--; /* of the ones before */
    }
}

size_t report_gaps(const struct report *report, struct buf *out)
{
    struct gaps gaps = {.out = out};
    if (!report->ledger_found) {
        add_gap(&gaps, NULL, "Nothing is known of the job's runs: its ledger is not there.");
        return gaps.n;
    }
    add_run_gaps(report, &gaps);
    add_window_gaps(report, &gaps);
    add_object_gaps(report, &gaps);
    add_record_gaps(report, &gaps);
    add_store_gaps(report, &gaps);
    add_day_gaps(report, &gaps);
    return gaps.n;
}
