/*
 * figures: points about a run itself, measurement gateway-01, for dashboards that show whether the
 * gateway is alive and complete. One point with kind "all" per run, and one per parser that met
 * records.
 */
#ifndef RUN_FIGURES_H
#define RUN_FIGURES_H

#include "run/run.h"

/* Writes them to those sinks of the job that keep them. A sink that does not take them within 10 s
 * is named in the log; the run is none the worse. */
void figures_write(struct run *run, int64_t seconds);

#endif
