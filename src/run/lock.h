/*
 * lock: one run of a job at a time, whichever process it is in. An OFD lock on the file
 * STATE.JOB.lock: the kernel lets go of it when the process ends, however it ends; the file itself
 * stays and means nothing. Taken by the commands that run jobs; others only ask whether it is held.
 */
#ifndef RUN_LOCK_H
#define RUN_LOCK_H

#include "api/status.h"

#include <stdbool.h>

struct lock;

/*
 * state: the ledger's path. AGAIN when a run of the job is under way elsewhere; err names it ("held
 * by process 1234 since 2022-05-30T09:00:00Z"). wait: until it has ended; FAILED when a SIGINT or
 * SIGTERM that this thread has blocked comes meanwhile (it stays pending).
 */
enum status lock_take(struct lock **out, const char *state, const char *job, bool wait,
                      struct err *err);
/*
 * The scheduled run goes first: while it waits for the lock it holds this sign, and a pull that has
 * the lock looks for it now and then and lets go. AGAIN: another process holds the sign.
 */
enum status lock_want(struct lock **out, const char *state, const char *job, struct err *err);
bool lock_is_wanted(const char *state, const char *job);

void lock_release(struct lock *lock); /* NULL is fine */

/* Whether a run of the job is under way, in whichever process. Takes nothing, creates nothing. */
bool lock_is_held(const char *state, const char *job);

#endif
