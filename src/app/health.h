/*
 * health: answers questions about the service over HTTP, with libmicrohttpd, while `run` lasts:
 * /metrics (Prometheus), /healthz (it is alive), /readyz (its jobs are well, by the rule of
 * app/status). It only reads; it knows no password, so it listens where `metrics:` says and by
 * default nobody outside of the machine can reach it.
 */
#ifndef APP_HEALTH_H
#define APP_HEALTH_H

#include "app/metrics.h"
#include "base/log.h"

struct health;

/* Borrows all until health_stop(); the configuration says where to listen, and its ledger is
 * there. FAILED: the port is taken. */
enum status health_start(struct health **out, const struct metrics *metrics, const struct log *log,
                         struct err *err);

/* Closes whatever connections are open. NULL is fine. */
void health_stop(struct health *health);

#endif
