/* proof: the figures that must add up, at the top of a report: objects, records, and what
 * the ledger says is stored against what the store has. See report.h. */
#include "base/timestamp.h"
#include "report/html.h"
#include "report/report.h"

#include <inttypes.h>

/* The job's store is the only sink that was asked. */
static const struct verify_sink *store_of(const struct report *report)
{
    return &report->verify->sinks[0];
}

static void add_objects(struct buf *out, const struct job_status *status)
{
    uint64_t unmatched = status->unmatched > 0 ? (uint64_t)status->unmatched : 0;
    uint64_t listed = unmatched;
    for (int i = OBJECT_LISTED; i <= OBJECT_QUARANTINED; i++) {
        listed += status->objects[i];
    }
    buf_printf(out,
               "<p id=\"objects-sum\">Objects listed: %" PRIu64 " = settled %" PRIu64
               " + failed %" PRIu64 " + quarantined %" PRIu64 " + waiting %" PRIu64
               " + unmatched %" PRIu64 ".</p>\n",
               listed, status->objects[OBJECT_SETTLED], status->objects[OBJECT_FAILED],
               status->objects[OBJECT_QUARANTINED], status->objects[OBJECT_LISTED], unmatched);
}

static void add_records(struct buf *out, const struct job_status *status)
{
    const struct sink_counts *sink = &status->sinks[0];
    uint64_t accounted = sink->stored + sink->duplicate + sink->expired + sink->dead;
    buf_printf(out,
               "<p id=\"records-sum\">Records read: %" PRIu64 " %s stored %" PRIu64
               " + duplicate %" PRIu64 " + expired %" PRIu64 " + dead %" PRIu64 ".</p>\n",
               status->read, status->read == accounted ? "=" : "\xE2\x89\xA0", sink->stored,
               sink->duplicate, sink->expired, sink->dead);
}

/* --- stored and counted --- */

static void add_days(struct buf *out, const struct report *report)
{
    const struct report_period *period = &report->period;
    char day[VERIFY_DAY_BYTES];
    if (!period->from_given && !period->to_given) {
        buf_add_text(out, ", on all days");
        return;
    }
    if (period->from_given) {
        buf_printf(out, ", from %s", verify_day_text(report->verify->from_day, day));
    }
    if (period->to_given) {
        buf_printf(out, ", to the end of %s", verify_day_text(report->verify->to_day - 1, day));
    }
}

static void add_row(struct buf *out, const struct verify_series *series)
{
    char first[VERIFY_DAY_BYTES], last[VERIFY_DAY_BYTES];
    buf_add_text(out, "<tr><th scope=\"row\"><bdi>");
    html_add(out, slice_of(series->measurement));
    buf_printf(out,
               "</bdi></th><td>%s</td><td>%s</td><td>%" PRIu64 "</td><td>%" PRIu64
               "</td><td>%" PRIu64 "</td></tr>\n",
               verify_day_text(series->first_day, first), verify_day_text(series->last_day, last),
               series->stored, series->counted, series->different_days);
}

static void add_counts(struct buf *out, const struct report *report)
{
    const struct verify_sink *store = store_of(report);
    buf_add_text(out,
                 "<div class=\"wide\"><table id=\"stored-table\">\n<caption>Points: stored, by "
                 "the ledger, and counted in the store");
    add_days(out, report);
    buf_add_text(out, report->under_way ? " (a run is under way: they may differ by what it writes)"
                                        : "");
    buf_add_text(out, "</caption>\n<thead><tr><th scope=\"col\" class=\"name\">measurement</th>"
                      "<th scope=\"col\">first day</th><th scope=\"col\">last day</th>"
                      "<th scope=\"col\">stored</th><th scope=\"col\">counted</th>"
                      "<th scope=\"col\">days that differ</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < store->n_series; i++) {
        if (store->series[i].n_days) {
            add_row(out, &store->series[i]);
        }
    }
    buf_add_text(out, "</tbody>\n</table></div>\n");
}

void report_proof(const struct report *report, struct buf *out)
{
    buf_add_text(out,
                 "<section id=\"proof\">\n<h2>What must add up</h2>\n<p class=\"soft\">Objects "
                 "and records are all that the job has read, whatever the period of this "
                 "page.</p>\n");
    add_objects(out, &report->status);
    add_records(out, &report->status);
    if (store_of(report)->counting == VERIFY_COUNTED) {
        add_counts(out, report);
    }
    buf_add_text(out, "</section>\n");
}
