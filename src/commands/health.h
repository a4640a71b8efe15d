/*
 * health: answers questions about the service over HTTP, with libmicrohttpd, while `run` lasts:
 * /metrics (Prometheus), /healthz (it is alive), /readyz (its jobs are well, by the rule of
 * commands/status). It only reads; it knows no password, so it listens where `metrics:` says and by
 * default nobody outside of the machine can reach it.
 */
#ifndef COMMANDS_HEALTH_H
#define COMMANDS_HEALTH_H

#include "base/log.h"
#include "run/metrics.h"

struct health;

/* Borrows all until health_stop(); the configuration says where to listen, and its ledger is
 * there. FAILED: the port is taken. */
enum status health_start(struct health **out, const struct metrics *metrics, const struct log *log,
                         struct err *err);

/* Closes whatever connections are open. NULL is fine. */
void health_stop(struct health *health);

#endif
