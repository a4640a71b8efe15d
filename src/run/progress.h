/*
 * progress: how far a run or a parse is, on stderr: a bar on a terminal, elsewhere a log line every
 * 10 s. Called by the watching thread only.
 */
#ifndef RUN_PROGRESS_H
#define RUN_PROGRESS_H

#include "base/log.h"

#include <stdint.h>

struct progress {
    const struct log *log;
    const char *job; /* NULL = none */
    bool terminal;
    int64_t started_ns, shown_ns; /* monotonic */
    bool drawn;
};

struct progress_figures {
    bool listing; /* totals are not known yet: objects_done counts listed ones */
    uint64_t objects_done, objects_total, records;
    int64_t bytes_done, bytes_total; /* as stored */
};

void progress_begin(struct progress *progress, const struct log *log, const char *job);
/* Shows the figures if it is time to. */
void progress_show(struct progress *progress, const struct progress_figures *now);
/* Takes the bar away, so that other lines can follow. */
void progress_end(struct progress *progress);

#endif
