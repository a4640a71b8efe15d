/*
 * panels: the six panels of the original dashboard, as a table. Used by the rest of this room.
 *
 * Two are not as the original has them. Its fifth is a pie; here they are bars, longest first,
 * since lengths along one line are told apart where angles are not, and the names of small shares
 * do not run into each other. Its third and sixth show figures that are not what their titles say;
 * these are in the tables.
 */
#include "report/report.h"

#include "base/timestamp.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

const struct report_panel report_panels[REPORT_PANELS] = {
    {
        .id = "mean-by-api",
        .title = "Average response time by API per day",
        .unit = "ms",
        .about = "Mean time to response, in ms, of the calls that name a bucket.",
        .of = "API",
        .form = REPORT_LINES,
        .measure = REPORT_MEAN_MS,
        .name = "api",
        .filter = "bucket <> '' AND timed > 0",
        .weight = "sum(timed)",
    },
    {
        .id = "complete-by-bucket",
        .title = "CompleteMultipartUpload: time to response by bucket per day",
        .unit = "ms",
        .about = "Mean time to response, in ms, of the CompleteMultipartUpload calls.",
        .of = "bucket",
        .form = REPORT_LINES,
        .measure = REPORT_MEAN_MS,
        .name = "bucket",
        .filter = "api = 'CompleteMultipartUpload' AND timed > 0",
        .weight = "sum(timed)",
    },
    {
        .id = "errors-by-bucket",
        .title = "Error count by bucket per day",
        .unit = "errors",
        .about =
            "Calls answered with a status of 400 or more. The table has also those whose status "
            "is not 200, which the original dashboard counts: 204 and 206 are among them, "
            "though they are no errors.",
        .of = "bucket",
        .form = REPORT_STACKS,
        .measure = REPORT_ERRORS,
        .name = "bucket",
        .filter = "bucket <> '' AND not_200 > 0",
        .weight = "sum(errors)",
    },
    {
        .id = "calls-by-bucket",
        .title = "API calls by bucket per day",
        .unit = "calls",
        .about = "Calls that name a bucket.",
        .of = "bucket",
        .form = REPORT_STACKS,
        .measure = REPORT_CALLS,
        .name = "bucket",
        .filter = "bucket <> ''",
        .weight = "sum(calls)",
    },
    {
        .id = "total-by-bucket",
        .title = "Total API calls by bucket",
        .unit = "calls",
        .about = "Calls of the whole period, and each bucket's share of them.",
        .of = "bucket",
        .form = REPORT_BARS,
        .measure = REPORT_CALLS,
        .name = "bucket",
        .filter = "bucket <> ''",
        .weight = "sum(calls)",
    },
    {
        .id = "longest-by-api",
        .title = "Max API response time",
        .unit = "ms",
        .about =
            "The longest time to response, in ms, of a call that names a bucket. The table has "
            "also the highest daily mean, which the original dashboard shows.",
        .of = "API",
        .form = REPORT_BARS,
        .measure = REPORT_LONGEST_MS,
        .name = "api",
        .filter = "bucket <> '' AND timed > 0",
        .weight = "max(longest_ns)",
    },
};

double report_measure(const struct report_panel *panel, const struct report_figures *cell)
{
    switch (panel->measure) {
    case REPORT_MEAN_MS:
        return cell->timed ? cell->total_ns / (double)cell->timed / NS_PER_MS : NAN;
    case REPORT_LONGEST_MS:
        return cell->timed ? (double)cell->longest_ns / NS_PER_MS : NAN;
    case REPORT_ERRORS:
        return (double)cell->errors;
    case REPORT_CALLS:
        return (double)cell->calls;
    }
    return NAN;
}

const struct report_figures *report_cell(const struct report_grid *grid, size_t day, size_t series)
{
    return &grid->cells[day * grid->n_series + series];
}

void report_other(const struct report_panel *panel, uint64_t names, struct buf *out)
{
    buf_printf(out, "other (%" PRIu64 " %s%s)", names, panel->of, names == 1 ? "" : "s");
}

void report_label(const struct report_panel *panel, const struct report_grid *grid, size_t series,
                  struct buf *out)
{
    const char *name = grid->series[series].name;
    if (!name) {
        report_other(panel, grid->folded, out);
    } else if (*name) {
        buf_add_text(out, name);
    } else {
        buf_printf(out, "(no %s)", panel->of);
    }
}

void report_grid_finish(struct report_grid *grid)
{
    for (size_t i = 0; i < grid->n_series; i++) {
        free(grid->series[i].name);
    }
    free(grid->series);
    free(grid->cells);
    *grid = (struct report_grid){0};
}
