/*
 * figures: points about a run itself, measurement gateway-01, for dashboards that show whether the
 * gateway is alive and complete. One point with kind "all" per run, and one per parser that met
 * records; one with kind "verify" for each `verify --publish`.
 */
#ifndef RUN_FIGURES_H
#define RUN_FIGURES_H

#include "run/run.h"

/* Writes them to those sinks of the job that keep them. A sink that does not take them within 10 s
 * is named in the log; the run is none the worse. complete: 1 when the run did all it was asked, 0
 * when not; -1 when that cannot be said, as it was told to end before. */
void figures_write(struct run *run, int64_t seconds, int64_t complete);

/* What `verify` has found of a job and one of its sinks. -1: not known. */
struct verified {
    int64_t listed;          /* objects that the source has */
    int64_t lost;            /* of these, those that were never read as they are now */
    int64_t unmatched;       /* folders and objects that nobody reads */
    int64_t waiting;         /* objects that are listed and not read */
    int64_t stored, counted; /* points, by all jobs that write to the sink */
    int64_t differences;     /* 0: the job is complete */
};

/* Writes it to the sink job->to[sink], when that keeps figures. FAILED: not taken within 10 s. */
enum status figures_write_verified(const struct job_config *job, size_t sink, int64_t time_ns,
                                   const struct verified *verified, const struct log *log,
                                   struct err *err);

#endif
