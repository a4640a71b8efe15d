/*
 * plot: a panel's picture, drawn by gnuplot's SVG terminal. See report.h.
 *
 * gnuplot gets a script of constant texts and numbers. Names come from the logs, so anybody can
 * have written them: they are in the data only, quoted, and gnuplot escapes them into the SVG.
 * Colours are of the light page; the page's style turns them for a dark one.
 */
#include "base/cleanup.h"
#include "base/timestamp.h"
#include "report/child.h"
#include "report/report.h"

#include <math.h>
#include <stdio.h>

enum {
    WIDTH = 960,
    HEIGHT = 340,
    BAR_HEIGHT = 26,  /* of a horizontal bar with its gap */
    BARS_MARGIN = 72, /* for the axis below them */
    DATES_SHOWN = 6,  /* below a picture: as many as fit side by side */
    DAYS_MARKED = 31, /* of more, the points of a line have smaller marks */
    SCRIPT_MAX_BYTES = 16 * 1024,
    DATA_MAX_BYTES = 4 * 1024 * 1024,
    SVG_MAX_BYTES = 8 * 1024 * 1024,
    LABEL_MAX_BYTES = 1024,
    STEPS_OF_ONE = 5, /* counts up to it are shown in steps of one, not of halves */
};

static const int64_t limit_ns = 30 * NS_PER_SECOND;

/* At least 3:1 against the page, and apart from each other; the last, grey, is the others'. */
static const unsigned light[REPORT_COLOURS] = {0x2a6fb0, 0xd9730d, 0x2e8b3d, 0xc8373a,
                                               0x7d57b8, 0x8a5a44, 0xd1569f, 0x8f8a12,
                                               0x138a9c, 0x27346b, 0x5f9e1c, 0x7a7a7a};
static const unsigned dark[REPORT_COLOURS] = {0x6cb0f0, 0xffa24d, 0x6cc77a, 0xff7d7d,
                                              0xb79aee, 0xc79a82, 0xf193cb, 0xcfc84e,
                                              0x58cfe0, 0x95a3e8, 0xa8dc63, 0xa5a5a5};

/* gnuplot's numbers of the marks that go with the colours: filled ones, since a line may be a
 * single day, then open ones. */
static const int marks[REPORT_COLOURS] = {7, 5, 9, 11, 13, 15, 6, 4, 8, 10, 12, 14};

unsigned report_colour(int colour, bool is_dark)
{
    return is_dark ? dark[colour] : light[colour];
}

const char *report_svg_colour(unsigned rgb, char text[24])
{
    snprintf(text, 24, "rgb(%3u, %3u, %3u)", rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255);
    return text;
}

/* --- the data --- */

/* As gnuplot reads a text: quoted, with a backslash before another and octal codes for the rest. */
static void add_quoted(struct buf *data, struct slice text)
{
    buf_add_byte(data, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte == '"' || byte < 0x20 || byte == 0x7F) {
            buf_printf(data, "\\%03o", byte);
        } else if (byte == '\\') {
            buf_add_text(data, "\\\\");
        } else {
            buf_add_byte(data, text.at[i]);
        }
    }
    buf_add_text(data, "\" ");
}

static void add_label(struct buf *data, const struct report_panel *panel,
                      const struct report_grid *grid, size_t series)
{
    CLEANUP(buf_finish) struct buf label = {.max = LABEL_MAX_BYTES};
    report_short_label(panel, grid, series, &label);
    add_quoted(data, buf_slice(&label));
}

static void add_number(struct buf *data, double number)
{
    if (isnan(number)) {
        buf_add_text(data, "NaN ");
    } else {
        buf_printf(data, "%.6f ", number);
    }
}

/* "2026-03-01", or nothing when the dates would stand too close. */
static void add_day(struct buf *data, const struct report *report, size_t day)
{
    size_t step = (report->n_days + DATES_SHOWN - 1) / DATES_SHOWN;
    char text[TIMESTAMP_TEXT_BYTES];
    timestamp_format(report->first_day_ns + (int64_t)day * NS_PER_DAY, text);
    add_quoted(data, slice_make(text, day % step == 0 ? strlen("yyyy-mm-dd") : 0));
}

/* A row of names, then a row a day. */
static void add_days(struct buf *data, const struct report *report,
                     const struct report_panel *panel, const struct report_grid *grid,
                     size_t n_series)
{
    add_quoted(data, slice_of("day"));
    for (size_t i = 0; i < n_series; i++) {
        add_label(data, panel, grid, i);
    }
    for (size_t day = 0; day < grid->n_days; day++) {
        buf_add_byte(data, '\n');
        add_day(data, report, day);
        for (size_t i = 0; i < n_series; i++) {
            add_number(data, report_measure(panel, report_cell(grid, day, i)));
        }
    }
    buf_add_byte(data, '\n');
}

static void add_bar_text(struct buf *data, const struct report_panel *panel, double value,
                         double whole)
{
    char text[64];
    if (panel->measure == REPORT_CALLS) {
        snprintf(text, sizeof text, "%.0f (%.1f %%)", value, 100 * value / whole);
    } else {
        snprintf(text, sizeof text, "%.*f ms", value < 10 ? 3 : 1, value);
    }
    add_quoted(data, slice_of(text));
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Of those that have no bar of their own: the sum, or the longest. */
static double rest_of(const struct report_panel *panel, const struct report_grid *grid,
                      size_t first)
{
    double rest = 0;
    for (size_t i = first; i < grid->n_series; i++) {
        double value = report_measure(panel, report_cell(grid, 0, i));
        rest = panel->measure == REPORT_CALLS ? rest + value : larger(rest, value);
    }
    return rest;
}

/* A row a bar: name, length, text. Returns how many. */
static size_t add_bars(struct buf *data, const struct report_panel *panel,
                       const struct report_grid *grid)
{
    bool folds = grid->n_series > REPORT_SERIES_MAX;
    size_t own = folds ? REPORT_SERIES_MAX - 1 : grid->n_series;
    double whole = rest_of(panel, grid, 0);
    for (size_t i = 0; i < own; i++) {
        double value = report_measure(panel, report_cell(grid, 0, i));
        add_label(data, panel, grid, i);
        add_number(data, value);
        add_bar_text(data, panel, value, whole);
        buf_add_byte(data, '\n');
    }
    if (folds) {
        double rest = rest_of(panel, grid, own);
        CLEANUP(buf_finish) struct buf label = {.max = LABEL_MAX_BYTES};
        uint64_t more = grid->folded ? grid->folded - 1 : 0;
        report_other(panel, grid->n_series - own + more, &label);
        add_quoted(data, buf_slice(&label));
        add_number(data, rest);
        add_bar_text(data, panel, rest, whole);
        buf_add_byte(data, '\n');
    }
    return own + folds;
}

/* --- the script --- */

static void add_frame(struct buf *script, size_t panel, size_t height)
{
    buf_printf(script,
               "set terminal svg size %d,%zu dynamic noenhanced font 'sans-serif,13' name 'p%zu'\n"
               "set encoding utf8\n"
               "set tics nomirror scale 0\n"
               "set style fill solid 1\n"
               "set linetype cycle 0\n",
               WIDTH, height, panel);
}

static void add_colours(struct buf *script, const struct report_grid *grid, size_t n_series)
{
    for (size_t i = 0; i < n_series; i++) {
        int colour = grid->series[i].colour;
        buf_printf(script, "set linetype %zu lc rgb '#%06x' pt %d\n", i + 1, light[colour],
                   marks[colour]);
    }
}

/* The highest column of a picture of counts. */
static double highest(const struct report_panel *panel, const struct report_grid *grid,
                      size_t n_series)
{
    double top = 0;
    for (size_t day = 0; day < grid->n_days; day++) {
        double sum = 0;
        for (size_t i = 0; i < n_series; i++) {
            sum += report_measure(panel, report_cell(grid, day, i));
        }
        top = larger(top, sum);
    }
    return top;
}

/* As large as leaves room between the days; a day without neighbours is seen by its mark alone. */
static double mark_size(size_t n_days)
{
    const double largest = 0.7, least = 0.35;
    return n_days <= DAYS_MARKED ? largest : larger(least, largest * DAYS_MARKED / (double)n_days);
}

static void add_days_script(struct buf *script, const struct report *report,
                            const struct report_panel *panel, const struct report_grid *grid,
                            size_t n_series)
{
    add_colours(script, grid, n_series);
    buf_printf(script,
               "set key outside right top Left reverse samplen 1.5 spacing 1.2\n"
               "set border 1\nset grid ytics\nset ylabel '%s'\n"
               "set yrange [*<0:]\nset xrange [-0.6:%zu-0.4]\n",
               panel->unit, report->n_days);
    if (panel->form == REPORT_LINES) {
        buf_printf(script,
                   "plot for [i=2:%zu] '" CHILD_DATA_PATH "' using 0:i:xtic(1) title"
                   " columnheader(i) with linespoints lt i-1 lw 2 ps %.2f\n",
                   n_series + 1, mark_size(report->n_days));
        return;
    }
    bool small = highest(panel, grid, n_series) <= STEPS_OF_ONE;
    buf_printf(script,
               "%sset format y '%%.0f'\nset boxwidth 0.8\n"
               "set style data histograms\nset style histogram rowstacked\nset key invert\n"
               "plot for [i=2:%zu] '" CHILD_DATA_PATH "' using i:xtic(1) title columnheader(i)"
               " lt i-1\n",
               small ? "set ytics 1\n" : "", n_series + 1);
}

static void add_bars_script(struct buf *script, const struct report_panel *panel,
                            const struct report_grid *grid, size_t n_bars)
{
    /* the first is the longest */
    bool small = panel->measure == REPORT_CALLS && report_cell(grid, 0, 0)->calls <= STEPS_OF_ONE;
    buf_printf(script,
               "%sset linetype 1 lc rgb '#%06x'\nunset key\nset border 2\n"
               "set yrange [%zu-0.5:-0.5]\nset xrange [0:*]\nset rmargin 18\nset xlabel '%s'\n"
               "plot '" CHILD_DATA_PATH "' using 2:0:(0):2:($0-0.36):($0+0.36):yticlabel(1)"
               " title '%s' with boxxyerror lt 1, '' using 2:0:3 title '' with labels left"
               " offset 0.6,0\n",
               small ? "set xtics 1\n" : "", light[0], n_bars, panel->unit, panel->unit);
}

/* --- from gnuplot's document to an element of ours --- */

/* Ids get the panel's number in front, since the page has six of each: in tags only, where no
 * foreign text is (gnuplot writes every '<' of it as an entity). */
static void add_renamed(struct buf *out, struct slice svg, size_t panel)
{
    bool in_tag = false;
    for (size_t i = 0; i < svg.len; i++) {
        struct slice rest = slice_make(svg.at + i, svg.len - i);
        in_tag = svg.at[i] == '<' || (in_tag && svg.at[i] != '>');
        buf_add_byte(out, svg.at[i]);
        bool id = in_tag && slice_starts(rest, " id='");
        bool reference = in_tag && slice_starts(rest, "href='#");
        if (id || reference) {
            size_t len = strlen(id ? " id='" : "href='#");
            buf_add(out, slice_make(rest.at + 1, len - 1));
            buf_printf(out, "p%zu-", panel);
            i += len - 1;
        }
    }
}

static enum status add_svg(struct buf *out, struct slice svg, size_t panel, size_t height,
                           struct err *err)
{
    static const char opening[] = "<g id=\"gnuplot_canvas\">", closing[] = "</svg>";
    const char *begin = memmem(svg.at, svg.len, opening, strlen(opening));
    const char *end =
        begin ? memmem(begin, (size_t)(svg.at + svg.len - begin), closing, strlen(closing)) : NULL;
    if (!end) {
        return err_set(err, FAILED, "gnuplot: no SVG document");
    }
    begin += strlen(opening);
    buf_printf(out,
               "<svg viewBox=\"0 0 %d %zu\" role=\"img\" aria-labelledby=\"%s-title\" "
               "aria-describedby=\"%s-about\">\n<g>",
               WIDTH, height, report_panels[panel].id, report_panels[panel].id);
    add_renamed(out, slice_make(begin, (size_t)(end - begin)), panel);
    buf_add_text(out, "</svg>\n");
    return OK;
}

/* Series that have something to show: the others, of errors, come last. */
static size_t count_shown(const struct report_panel *panel, const struct report_grid *grid)
{
    size_t n = grid->n_series;
    for (bool any = panel->measure != REPORT_ERRORS; !any && n > 0; n -= !any) {
        for (size_t day = 0; day < grid->n_days; day++) {
            any = any || report_cell(grid, day, n - 1)->errors > 0;
        }
    }
    return n;
}

enum status report_plot(const struct report *report, size_t panel, struct buf *out, struct err *err)
{
    static const char *const argv[] = {"gnuplot", "--default-settings", "-", NULL};
    const struct report_panel *about = &report_panels[panel];
    const struct report_grid *grid = &report->grids[panel];
    CLEANUP(buf_finish) struct buf data = {.max = DATA_MAX_BYTES};
    CLEANUP(buf_finish) struct buf script = {.max = SCRIPT_MAX_BYTES};
    CLEANUP(buf_finish) struct buf svg = {.max = SVG_MAX_BYTES};
    size_t height = HEIGHT, n_series = count_shown(about, grid);
    if (n_series == 0) {
        return OK;
    }
    if (about->form == REPORT_BARS) {
        size_t n_bars = add_bars(&data, about, grid);
        height = BARS_MARGIN + BAR_HEIGHT * n_bars;
        add_frame(&script, panel, height);
        add_bars_script(&script, about, grid, n_bars);
    } else {
        add_days(&data, report, about, grid, n_series);
        add_frame(&script, panel, height);
        add_days_script(&script, report, about, grid, n_series);
    }
    if (data.overflow || script.overflow) {
        return err_set(err, FAILED, "%s: too much to draw", about->id);
    }
    const struct child gnuplot = {argv, buf_slice(&script), buf_slice(&data), limit_ns};
    if (child_run(&gnuplot, &svg, err) != OK) {
        return err_prefix(err, "%s", about->id);
    }
    return add_svg(out, buf_slice(&svg), panel, height, err);
}
