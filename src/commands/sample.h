/*
 * sample: the newest objects of a job's place, read to count the values of its tags before they
 * become series. Called by `check --connect`. Nothing is written anywhere, and the ledger is not
 * touched.
 */
#ifndef COMMANDS_SAMPLE_H
#define COMMANDS_SAMPLE_H

#include "commands/tags.h"
#include "config/config.h"

/* Reads the newest objects of the newest folder that has any: at most 5, of each at most 8 MiB as
 * stored. An object that is damaged or gone by now is passed over. FAILED: the place does not give
 * its objects. */
enum status sample_tags(const struct job_config *job, const struct log *log,
                        struct tag_counts *counts, struct err *err);

#endif
