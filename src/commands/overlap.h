/*
 * overlap: refuses configurations whose files or objects would get in each other's way: a sink that
 * writes where its own job reads would feed itself, and two that write below the same folder would
 * replace each other's. Asked whenever a configuration is read (commands/cli). Only of sinks that
 * keep something for each object (struct datasource, target); two configurations cannot be seen at
 * once.
 */
#ifndef COMMANDS_OVERLAP_H
#define COMMANDS_OVERLAP_H

#include "base/log.h"
#include "config/config.h"

/* BAD_CONFIG names the jobs and stanzas. Talks to no place, but follows the links of local paths.
 */
enum status overlap_check(const struct config *config, const struct log *log, struct err *err);

#endif
