/*
 * commands/verify: the parts of `loggateway verify` that ask, and that tell. What is found, and how
 * it is found in the ledger, is the room verify.
 *
 *   verify.c          the command: arguments, locks, the order of things
 *   verify_source.c   lists the sources
 *   verify_count.c    counts in the sinks; `report` does too
 *   verify_publish.c  the result as points, for dashboards
 *   verify_text.c     the findings for people
 *   verify_json.c     the findings for programs
 */
#ifndef COMMANDS_VERIFY_H
#define COMMANDS_VERIFY_H

#include "base/log.h"
#include "verify/verify.h"

/* --- verify_source.c --- */

/* Which deliveries are in question: the window as it was given, or what the job's runs were asked
 * for until then. Before verify_claims(). A job of which that cannot be told says so in .listed. */
void verify_set_windows(struct verify *verify, const struct log *log, bool from_given,
                        struct window window);
/* Lists the sources of the jobs in question. One that cannot be listed says so in .listed. */
void verify_list(struct verify *verify, const struct log *log);

/* --- verify_count.c --- */

/* Counts in every sink and compares. A sink that cannot be counted says so in .error. */
void verify_count(struct verify *verify, const struct log *log);

/* --- verify_publish.c --- */

/* Writes what was found to those sinks of the jobs in question that keep figures. FAILED: one would
 * not take it; the others have it. */
enum status verify_publish(struct verify *verify, const struct log *log, struct err *err);

/* --- verify_text.c, verify_json.c: on stdout --- */

void verify_print(const struct verify *verify);
enum status verify_print_json(const struct verify *verify, struct err *err);

#endif
