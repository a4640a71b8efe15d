/*
 * page: the page of a report: one file without scripts and without references to others, for
 * screens of either colour and for paper. See report.h.
 */
#include "base/cleanup.h"
#include "base/timestamp.h"
#include "report/html.h"
#include "report/report.h"

#include <inttypes.h>

enum { GAPS_MAX_BYTES = 256 * 1024 };

/* --- style --- */

static const char style[] =
    ":root { color-scheme: light dark; --page: #fff; --ink: #1c1f23; --soft: #5a6169; "
    "--line: #d5d9de; --good: #1d7a3c; --bad: #b3261e; --good-page: #eef8f0; --bad-page: #fdeeec; "
    "}\n"
    "@media screen and (prefers-color-scheme: dark) { :root { --page: #15181c; --ink: #e4e7ea; "
    "--soft: #a3abb3; --line: #3a4149; --good: #6cc77a; --bad: #ff8f86; --good-page: #16251a; "
    "--bad-page: #2e1a19; } }\n"
    "@media print { :root { color-scheme: light; } }\n"
    "body { background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; "
    "margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 4rem; }\n"
    "h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }\n"
    "h2 { font-size: 1.2rem; line-height: 1.3; margin: 0 0 .25rem; }\n"
    "p, figure, dl { margin: 0 0 1rem; }\n"
    "section { margin: 2.5rem 0 0; }\n"
    ".soft, figcaption, caption { color: var(--soft); }\n"
    ".verdict { border-left: .4rem solid; border-radius: .25rem; margin: 1.5rem 0 0; "
    "padding: .8rem 1rem; }\n"
    ".verdict strong { font-size: 1.2rem; }\n"
    ".verdict ul { margin: .5rem 0 0; padding-left: 1.2rem; }\n"
    ".verdict li { overflow-wrap: anywhere; }\n"
    ".verdict p { margin: .25rem 0 0; }\n"
    ".good { background: var(--good-page); border-color: var(--good); }\n"
    ".good strong { color: var(--good); }\n"
    ".bad { background: var(--bad-page); border-color: var(--bad); }\n"
    ".bad strong { color: var(--bad); }\n"
    ".wide { overflow-x: auto; }\n"
    ".wide svg { display: block; min-width: 42rem; width: 100%; }\n"
    "svg [fill=black] { fill: var(--ink); }\n"
    "svg [stroke=black] { stroke: var(--soft); }\n"
    "svg [stroke=gray] { stroke: var(--line); }\n"
    "svg .gridline { stroke-dasharray: none; stroke-width: 1; }\n"
    ".figures { border: 1px solid var(--line); border-radius: .25rem; max-height: 18rem; "
    "overflow: auto; }\n"
    "table { border-collapse: collapse; font-size: .8125rem; font-variant-numeric: tabular-nums; "
    "}\n"
    "caption { padding: .3rem .6rem; text-align: left; white-space: nowrap; }\n"
    "th, td { padding: .2rem .8rem .2rem .6rem; text-align: right; white-space: nowrap; }\n"
    "tbody tr { border-top: 1px solid var(--line); }\n"
    "th { font-weight: 600; }\n"
    "tbody th { font-weight: 400; }\n"
    "th bdi { display: inline-block; max-width: 36rem; overflow-wrap: break-word; "
    "white-space: normal; width: max-content; }\n"
    "thead bdi { max-width: 12rem; }\n"
    "tbody th, thead .name { text-align: left; }\n"
    "thead th { background: var(--page); position: sticky; top: 0; }\n"
    "@media print { body { font-size: 11px; max-width: none; padding: 0; } "
    "section { break-inside: auto; } figure, h2 { break-inside: avoid; } h2 { break-after: avoid; "
    "} .wide svg { min-width: 0; } .figures { border: 0; max-height: none; overflow: visible; } "
    "thead th { position: static; } tr { break-inside: avoid; } table { font-size: 8px; width: "
    "100%; } "
    "th, td { padding: 1px 4px; } th bdi { overflow-wrap: anywhere; width: auto; } }\n";

/* gnuplot has written the colours of a light page into the pictures. */
static void add_dark_colours(struct buf *out)
{
    static const char *const attributes[] = {"fill", "stroke", "color"};
    char from[24];
    buf_add_text(out, "@media screen and (prefers-color-scheme: dark) {\n");
    for (int colour = 0; colour < REPORT_COLOURS; colour++) {
        report_svg_colour(report_colour(colour, false), from);
        for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
            buf_printf(out, "svg [%s=\"%s\"] { %s: #%06x; }\n", attributes[i], from, attributes[i],
                       report_colour(colour, true));
        }
    }
    buf_add_text(out, "}\n");
}

/* --- head --- */

static void add_foreign(struct buf *out, const char *text)
{
    buf_add_text(out, "<bdi>");
    html_add(out, slice_of(text));
    buf_add_text(out, "</bdi>");
}

/* To the second. */
static void add_time(struct buf *out, int64_t ns)
{
    char text[TIMESTAMP_TEXT_BYTES];
    if (ns == INT64_MIN || ns == INT64_MAX) {
        buf_add_text(out, ns == INT64_MIN ? "the beginning" : "now");
        return;
    }
    timestamp_format(ns, text);
    buf_printf(out, "<time datetime=\"%s\">%.10s %.8s</time>", text, text,
               text + strlen("yyyy-mm-ddT"));
}

static void add_period(struct buf *out, const struct report *report)
{
    add_time(out, report->period.window.from_ns);
    buf_add_text(out, " to ");
    add_time(out, report->period.window.to_ns);
    buf_add_text(out, " UTC");
}

/* The policy is a second lock: nothing in the page refers to anything outside. */
static void add_head(struct buf *out, const struct report *report)
{
    buf_add_text(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                      "style-src 'unsafe-inline'\">\n"
                      "<meta name=\"generator\" content=\"loggateway " LOGGATEWAY_VERSION "\">\n"
                      "<title>S3 API calls: ");
    html_add(out, slice_of(report->job->name));
    buf_add_text(out, "</title>\n<style>\n");
    buf_add_text(out, style);
    add_dark_colours(out);
    buf_add_text(out, "</style>\n</head>\n");
}

static void add_summary(struct buf *out, const struct report *report)
{
    buf_add_text(out, "<header>\n<h1>S3 API calls</h1>\n<p id=\"period\">Job ");
    add_foreign(out, report->job->name);
    buf_add_text(out, ", ");
    add_period(out, report);
    buf_add_text(out, ". Days are UTC");
    buf_add_text(out, report->n_days > 1 ? "; the first and the last may be parts of days.</p>\n"
                                         : ".</p>\n");
    if (!report->empty) {
        buf_printf(out,
                   "<p id=\"sums\">%" PRId64 " calls, %" PRId64 " of them errors; %" PRId64
                   " name no bucket (such as ListBuckets) and are in no count by bucket.</p>\n",
                   report->all.calls, report->all.errors, report->no_bucket);
    }
    buf_add_text(out, "<p class=\"soft\">Drawn ");
    add_time(out, report->now_ns);
    buf_add_text(out, " UTC from the store ");
    add_foreign(out, report->store_path);
    buf_add_text(out, ".</p>\n</header>\n");
}

/* --- what is complete --- */

static void add_row(struct buf *out, const char *name, uint64_t count)
{
    buf_printf(out, "<tr><th scope=\"row\">%s</th><td>%" PRIu64 "</td></tr>\n", name, count);
}

static void add_job_figures(struct buf *out, const struct report *report)
{
    const struct job_status *status = &report->status;
    const struct sink_counts *sink = &status->sinks[0];
    buf_add_text(out, "<div class=\"wide\"><table id=\"job-table\">\n<caption>All that the job has "
                      "read, whatever the period of this page; records read = stored + duplicate + "
                      "expired + dead</caption>\n<tbody>\n");
    add_row(out, "objects settled", status->objects[OBJECT_SETTLED]);
    add_row(out, "objects not read yet", status->objects[OBJECT_LISTED]);
    add_row(out, "objects failed", status->objects[OBJECT_FAILED]);
    add_row(out, "objects quarantined", status->objects[OBJECT_QUARANTINED]);
    if (status->unmatched >= 0) {
        add_row(out, "folders and objects that nobody reads", (uint64_t)status->unmatched);
    }
    add_row(out, "records read", status->read);
    add_row(out, "records stored", sink->stored);
    add_row(out, "records duplicate", sink->duplicate);
    add_row(out, "records expired", sink->expired);
    add_row(out, "records dead", sink->dead);
    add_row(out, "dead letters kept", status->dead_letters);
    add_row(out, "dead letters only counted", status->dead_beyond);
    buf_add_text(out, "</tbody>\n</table></div>\n");
}

static void add_verdict(struct buf *out, const struct report *report)
{
    CLEANUP(buf_finish) struct buf gaps = {.max = GAPS_MAX_BYTES};
    size_t n = report_gaps(report, &gaps);
    buf_printf(out, "<section id=\"verdict\" class=\"verdict %s\" aria-label=\"Completeness\">\n",
               n ? "bad" : "good");
    buf_add_text(out, n ? "<strong>Not complete</strong>\n<ul>\n" : "<strong>Complete</strong>\n");
    buf_add(out, buf_slice(&gaps));
    buf_add_text(out, n ? "</ul>\n" : "");
    if (report->status.good_from_ns != INT64_MIN) {
        buf_add_text(out, "<p>Read without a gap: what was delivered from ");
        add_time(out, report->status.good_from_ns);
        buf_add_text(out, " to ");
        add_time(out, report->status.good_to_ns);
        buf_add_text(out, " UTC.</p>\n");
    }
    buf_add_text(out, "</section>\n");
}

/* --- panels --- */

static void add_caption(struct buf *out, const struct report_panel *panel,
                        const struct report_grid *grid)
{
    buf_printf(out, "<figcaption id=\"%s-about\">%s", panel->id, panel->about);
    if (grid->n_series > REPORT_SERIES_MAX || grid->folded) {
        buf_printf(
            out, " Beyond the first %d, %ss are folded into \xE2\x80\x9Cother\xE2\x80\x9D%s.",
            REPORT_SERIES_MAX - 1, panel->of, panel->form == REPORT_BARS ? " in the picture" : "");
    }
    buf_add_text(out, "</figcaption>\n");
}

static enum status add_panel(struct buf *out, const struct report *report, size_t i,
                             struct err *err)
{
    const struct report_panel *panel = &report_panels[i];
    const struct report_grid *grid = &report->grids[i];
    buf_printf(out, "<section id=\"%s\">\n<h2 id=\"%s-title\">%s</h2>\n", panel->id, panel->id,
               panel->title);
    if (grid->n_series == 0) {
        buf_add_text(out, "<p>None in this period.</p>\n</section>\n");
        return OK;
    }
    buf_add_text(out, "<figure>\n");
    add_caption(out, panel, grid);
    buf_add_text(out, "<div class=\"wide\">\n");
    if (report_plot(report, i, out, err) != OK) {
        return err->status;
    }
    buf_printf(out,
               "</div>\n</figure>\n<div class=\"figures\" tabindex=\"0\" role=\"region\" "
               "aria-label=\"%s, as a table\">\n",
               panel->title);
    report_table(report, i, out);
    buf_add_text(out, "</div>\n</section>\n");
    return OK;
}

enum status report_page(const struct report *report, struct buf *out, struct err *err)
{
    add_head(out, report);
    buf_add_text(out, "<body>\n");
    add_summary(out, report);
    add_verdict(out, report);
    buf_add_text(out, "<main>\n");
    if (report->ledger_found) {
        report_proof(report, out);
    }
    for (size_t i = 0; i < REPORT_PANELS; i++) {
        if (add_panel(out, report, i, err) != OK) {
            return err->status;
        }
    }
    if (report->ledger_found) {
        buf_add_text(out, "<section id=\"job\">\n<h2>What the job has read</h2>\n");
        add_job_figures(out, report);
        buf_add_text(out, "</section>\n");
    }
    buf_add_text(out, "</main>\n</body>\n</html>\n");
    return out->overflow ? err_set(err, FAILED, "the page is larger than %zu bytes", out->max) : OK;
}
