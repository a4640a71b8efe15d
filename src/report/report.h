/*
 * report: what `loggateway report` draws of a job's SQLite store, in one self-contained page.
 * Reads only. Which job, and where the page goes, is for commands/report.c.
 *
 *   period.c  the period
 *   panels.c  the six panels, as a table
 *   store.c   the figures, from the store
 *   plot.c    a panel's picture, by gnuplot
 *   label.c   a long name as a picture has room for it
 *   page.c    the page
 *   gaps.c    what is incomplete, in words
 *   proof.c   the figures that must add up
 *   table.c   a panel's figures as a table
 *
 * Calls are chosen by their own time, unlike in `pull`, which chooses objects by their delivery.
 * Days are UTC.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "config/config.h"
#include "ledger/ledger.h"
#include "verify/verify.h"

enum {
    REPORT_SERIES_MAX = 12, /* in a picture; what is beyond is folded into one */
    REPORT_ROWS_MAX = 1000, /* of a list by name; the same */
    REPORT_DAYS_MAX = 750,  /* so that days x series stay below 10,000 rows */
    REPORT_LABEL_MAX = 24,  /* bytes of a name in a picture; its table has it whole */
    REPORT_COLOURS = REPORT_SERIES_MAX,
};

/* --- the period --- */

/* As the command line has it. What is not given is where the store begins and ends. */
struct report_period {
    bool from_given, to_given;
    struct window window;
};

/* from, to: dates of the command line, NULL = not given. BAD_CONFIG: not a date, or no period. */
enum status report_period_parse(struct report_period *out, const char *from, const char *to,
                                int64_t now_ns, struct err *err);

/* The day that ns lies in, as its first nanosecond. */
int64_t report_day(int64_t ns);

/* --- the figures --- */

/* Sums over some calls. */
struct report_figures {
    int64_t calls;
    int64_t errors;     /* with a status of 400 or more */
    int64_t not_200;    /* what the original's dashboard counts as errors */
    int64_t timed;      /* with a time to response */
    double total_ns;    /* of these */
    int64_t longest_ns; /* the longest of these */
    double top_day_ns;  /* the highest of its daily means; of lists only */
};

struct report_series {
    char *name; /* NULL: the others, folded */
    int colour; /* 0 to REPORT_COLOURS - 1 */
};

/* Series by rank; with their figures of each day, or, in a list, of the whole period. */
struct report_grid {
    size_t n_days, n_series; /* n_days 1: a list */
    struct report_series *series;
    struct report_figures *cells; /* [n_days][n_series] */
    uint64_t folded;              /* names in the last series; 0 = none are */
};

const struct report_figures *report_cell(const struct report_grid *grid, size_t day, size_t series);
void report_grid_finish(struct report_grid *grid);

/* --- the panels --- */

enum report_form { REPORT_LINES, REPORT_STACKS, REPORT_BARS };
enum report_measure { REPORT_MEAN_MS, REPORT_ERRORS, REPORT_CALLS, REPORT_LONGEST_MS };

struct report_panel {
    const char *id, *title;
    const char *unit;  /* of the picture's axis */
    const char *about; /* what is counted */
    const char *of;    /* what a series is: "bucket" or "API" */
    enum report_form form;
    enum report_measure measure;
    /* of the store's cube (store.c), as SQL; constant texts */
    const char *name, *filter, *weight;
};

enum { REPORT_PANELS = 6 };
extern const struct report_panel report_panels[REPORT_PANELS];

/* The panel's figure of a cell; NAN: there is none. */
double report_measure(const struct report_panel *panel, const struct report_figures *cell);

/* --- all of it --- */

struct report {
    const struct job_config *job;
    const struct place_config *store; /* the SQLite place, one of the job's `to:` */
    const char *store_path;           /* its file */
    struct report_period period;      /* its window complete, once the store is read */
    bool empty;                       /* the store has no call of the period */
    struct report_figures all;        /* of every call of the period ... */
    int64_t no_bucket;                /* ... of which so many name no bucket */
    int64_t first_day_ns;
    size_t n_days;
    struct report_grid grids[REPORT_PANELS];
    bool ledger_found;
    bool under_way;              /* a run of the job, or of another that writes to the store */
    struct job_status status;    /* its sinks: the store only */
    const struct verify *verify; /* of the job and the store only; NULL: there is no ledger */
    uint64_t missing;            /* objects read when the store was no sink of the job */
    int64_t now_ns;
};

/* Fills what the store knows: period, empty, all, days, grids. FAILED: no such file, not a store,
 * or a period of more than REPORT_DAYS_MAX days. */
enum status report_store_read(struct report *report, struct err *err);

/* Appends the picture as an <svg> element. FAILED: gnuplot is missing or fails. */
enum status report_plot(const struct report *report, size_t panel, struct buf *out,
                        struct err *err);
/* The colour of a series in a light or a dark page, 0xRRGGBB. */
unsigned report_colour(int colour, bool dark);
/* How gnuplot writes a colour into an SVG. */
const char *report_svg_colour(unsigned rgb, char text[24]);

/* Appends the panel's figures as a <table>. */
void report_table(const struct report *report, size_t panel, struct buf *out);

/* Appends what is missing, an <li> each, or why one cannot know. Returns how many; 0: nothing is.
 */
size_t report_gaps(const struct report *report, struct buf *out);

/* Appends the section with the figures that must add up. There is a ledger. */
void report_proof(const struct report *report, struct buf *out);

/* Appends the page. */
enum status report_page(const struct report *report, struct buf *out, struct err *err);

/* A series' name as plain text: "(no bucket)" for the empty one, "other (3 buckets)" for the
 * folded.
 */
void report_label(const struct report_panel *panel, const struct report_grid *grid, size_t series,
                  struct buf *out);
/* The same as a picture has room for it: of a long name both ends, since names that begin alike end
 * differently; or, where another of the picture's has these too, the part that tells them apart. */
void report_short_label(const struct report_panel *panel, const struct report_grid *grid,
                        size_t series, struct buf *out);
/* "other (3 buckets)" */
void report_other(const struct report_panel *panel, uint64_t names, struct buf *out);

#endif
