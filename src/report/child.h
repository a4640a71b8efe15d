/*
 * child: runs another program as a filter: bytes in, bytes out, without a shell and without our
 * environment (which may hold secrets). Used by `report`, for gnuplot.
 */
#ifndef REPORT_CHILD_H
#define REPORT_CHILD_H

#include "api/status.h"
#include "base/buf.h"

#include <stdint.h>

/* What CHILD_DATA_PATH is to the program: the second input. */
#define CHILD_DATA_PATH "/proc/self/fd/3"

struct child {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
    struct slice input;      /* its standard input */
    struct slice data;       /* at CHILD_DATA_PATH; can be opened any number of times */
    int64_t limit_ns;        /* it is killed when it takes longer */
};

/* Appends its standard output to out. OK: it ended with 0. FAILED: it is not installed, failed (err
 * says what it said on standard error), took too long, or wrote more than out may hold. */
enum status child_run(const struct child *child, struct buf *out, struct err *err);

#endif
