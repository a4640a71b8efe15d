/* table: a panel's figures as a table, the twin of its picture. See report.h. */
#include "base/cleanup.h"
#include "base/timestamp.h"
#include "report/html.h"
#include "report/report.h"

#include <inttypes.h>
#include <math.h>

enum { LABEL_MAX_BYTES = 1024 };

/* --- cells --- */

static void add_count(struct buf *out, int64_t count)
{
    buf_printf(out, "<td>%" PRId64 "</td>", count);
}

/* To the microsecond; a dash where there is nothing to say. */
static void add_ms(struct buf *out, double ms)
{
    if (isnan(ms)) {
        buf_add_text(out, "<td>\xE2\x80\x93</td>");
    } else {
        buf_printf(out, "<td>%.3f</td>", ms);
    }
}

static void add_value(struct buf *out, const struct report_panel *panel,
                      const struct report_figures *cell)
{
    if (panel->measure == REPORT_CALLS) {
        add_count(out, cell->calls);
    } else {
        add_ms(out, report_measure(panel, cell));
    }
}

/* "th" or "td" with a name, kept from turning the direction of what is around it. */
static void add_name(struct buf *out, const char *opening, const struct report_panel *panel,
                     const struct report_grid *grid, size_t series, const char *closing)
{
    CLEANUP(buf_finish) struct buf label = {.max = LABEL_MAX_BYTES};
    report_label(panel, grid, series, &label);
    buf_printf(out, "<%s><bdi>", opening);
    html_add(out, buf_slice(&label));
    buf_printf(out, "</bdi></%s>", closing);
}

static void add_day(struct buf *out, const struct report *report, size_t day)
{
    char text[TIMESTAMP_TEXT_BYTES];
    timestamp_format(report->first_day_ns + (int64_t)day * NS_PER_DAY, text);
    buf_printf(out, "<tr><th scope=\"row\">%.10s</th>", text);
}

/* --- the three shapes --- */

/* A row a day, a column a series. */
static void add_by_day(struct buf *out, const struct report *report,
                       const struct report_panel *panel, const struct report_grid *grid)
{
    buf_add_text(out, "<thead><tr><th scope=\"col\" class=\"name\">day</th>");
    for (size_t i = 0; i < grid->n_series; i++) {
        add_name(out, "th scope=\"col\"", panel, grid, i, "th");
    }
    buf_add_text(out, "</tr></thead>\n<tbody>\n");
    for (size_t day = 0; day < grid->n_days; day++) {
        add_day(out, report, day);
        for (size_t i = 0; i < grid->n_series; i++) {
            add_value(out, panel, report_cell(grid, day, i));
        }
        buf_add_text(out, "</tr>\n");
    }
}

/* A row a day and series, without those that have nothing. */
static void add_errors(struct buf *out, const struct report *report,
                       const struct report_panel *panel, const struct report_grid *grid)
{
    buf_add_text(out, "<thead><tr><th scope=\"col\" class=\"name\">day</th><th scope=\"col\" "
                      "class=\"name\">bucket</th>"
                      "<th scope=\"col\">errors</th><th scope=\"col\">not 200</th></tr></thead>\n"
                      "<tbody>\n");
    for (size_t day = 0; day < grid->n_days; day++) {
        for (size_t i = 0; i < grid->n_series; i++) {
            const struct report_figures *cell = report_cell(grid, day, i);
            if (cell->not_200) {
                add_day(out, report, day);
                add_name(out, "th scope=\"row\"", panel, grid, i, "th");
                add_count(out, cell->errors);
                add_count(out, cell->not_200);
                buf_add_text(out, "</tr>\n");
            }
        }
    }
}

/* A row a series, with the share of the whole or the highest daily mean. */
static void add_list(struct buf *out, const struct report_panel *panel,
                     const struct report_grid *grid)
{
    bool calls = panel->measure == REPORT_CALLS;
    int64_t whole = 0;
    for (size_t i = 0; i < grid->n_series; i++) {
        whole += report_cell(grid, 0, i)->calls;
    }
    buf_printf(out,
               "<thead><tr><th scope=\"col\" class=\"name\">%s</th><th scope=\"col\">%s</th>"
               "<th scope=\"col\">%s</th></tr></thead>\n<tbody>\n",
               panel->of, calls ? "calls" : "longest, ms",
               calls ? "share, %" : "highest daily mean, ms");
    for (size_t i = 0; i < grid->n_series; i++) {
        const struct report_figures *cell = report_cell(grid, 0, i);
        buf_add_text(out, "<tr>");
        add_name(out, "th scope=\"row\"", panel, grid, i, "th");
        add_value(out, panel, cell);
        if (calls) {
            buf_printf(out, "<td>%.1f</td>", 100.0 * (double)cell->calls / (double)whole);
        } else {
            add_ms(out, cell->top_day_ns / NS_PER_MS);
        }
        buf_add_text(out, "</tr>\n");
    }
}

void report_table(const struct report *report, size_t panel, struct buf *out)
{
    const struct report_panel *about = &report_panels[panel];
    const struct report_grid *grid = &report->grids[panel];
    buf_printf(out, "<table id=\"%s-table\">\n", about->id);
    buf_printf(out, "<caption>%s, as a table</caption>\n", about->title);
    if (about->form == REPORT_BARS) {
        add_list(out, about, grid);
    } else if (about->measure == REPORT_ERRORS) {
        add_errors(out, report, about, grid);
    } else {
        add_by_day(out, report, about, grid);
    }
    buf_add_text(out, "</tbody>\n</table>\n");
}
