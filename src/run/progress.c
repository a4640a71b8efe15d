/* progress: see progress.h. */
#include "run/progress.h"

#include "base/clock.h"
#include "base/timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const int64_t draw_every_ns = 200 * NS_PER_MS;
static const int64_t log_every_ns = 10 * NS_PER_SECOND;

enum { BAR_CELLS = 24 };

void progress_begin(struct progress *progress, const struct log *log, const char *job)
{
    *progress = (struct progress){.log = log, .job = job, .terminal = isatty(STDERR_FILENO)};
    progress->started_ns = progress->shown_ns = clock_monotonic_ns();
}

struct pace {
    double share, records_per_second;
    int64_t seconds_left; /* -1 = unknown */
};

static struct pace compute_pace(const struct progress *progress, const struct progress_figures *now,
                                int64_t at_ns)
{
    struct pace pace = {.seconds_left = -1};
    double seconds = (double)(at_ns - progress->started_ns) / (double)NS_PER_SECOND;
    if (now->bytes_total > 0) {
        pace.share = (double)now->bytes_done / (double)now->bytes_total;
        pace.share = pace.share > 1 ? 1 : pace.share;
    }
    if (seconds > 0) {
        pace.records_per_second = (double)now->records / seconds;
    }
    if (pace.share > 0) {
        pace.seconds_left = (int64_t)(seconds / pace.share - seconds + 0.5);
    }
    return pace;
}

static void draw(const struct progress_figures *now, const struct pace *pace)
{
    char line[160];
    if (now->listing) {
        snprintf(line, sizeof line, "listing  %" PRIu64 " objects", now->objects_done);
    } else {
        char bar[BAR_CELLS + 1], left[32] = "";
        int filled = (int)(pace->share * BAR_CELLS);
        memset(bar, '.', BAR_CELLS);
        memset(bar, '#', (size_t)filled);
        bar[BAR_CELLS] = '\0';
        if (pace->seconds_left >= 0) {
            snprintf(left, sizeof left, "  ETA %" PRId64 ":%02d", pace->seconds_left / 60,
                     (int)(pace->seconds_left % 60));
        }
        snprintf(line, sizeof line,
                 "[%s] %3d%%  %" PRIu64 "/%" PRIu64 " objects  %.1f MB  %.0f records/s%s", bar,
                 (int)(pace->share * 100), now->objects_done, now->objects_total,
                 (double)now->bytes_done / 1e6, pace->records_per_second, left);
    }
    fprintf(stderr, "\r\033[K%s", line);
    fflush(stderr);
}

static void write_log(const struct progress *progress, const struct progress_figures *now,
                      const struct pace *pace)
{
    log_line(progress->log, LOG_INFO, now->listing ? "listing" : "reading", "job", progress->job,
             "objects", log_int((int64_t)now->objects_done).text, "of",
             now->listing ? NULL : log_int((int64_t)now->objects_total).text, "bytes",
             log_int(now->bytes_done).text, "records", log_int((int64_t)now->records).text,
             "records_per_second", log_int((int64_t)pace->records_per_second).text, "seconds_left",
             pace->seconds_left < 0 ? NULL : log_int(pace->seconds_left).text, NULL);
}

void progress_show(struct progress *progress, const struct progress_figures *now)
{
    int64_t at_ns = clock_monotonic_ns();
    if (at_ns - progress->shown_ns < (progress->terminal ? draw_every_ns : log_every_ns)) {
        return;
    }
    progress->shown_ns = at_ns;
    struct pace pace = compute_pace(progress, now, at_ns);
    if (progress->terminal) {
        draw(now, &pace);
        progress->drawn = true;
    } else {
        write_log(progress, now, &pace);
    }
}

void progress_end(struct progress *progress)
{
    if (progress->drawn) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        progress->drawn = false;
    }
}
