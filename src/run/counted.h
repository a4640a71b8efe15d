/*
 * counted: the HTTP driver of the host's world: libcurl's, which counts. It stands between modules
 * and net/http, so that neither knows of metrics. A handle counts for the place that was named when
 * the handle was opened.
 */
#ifndef RUN_COUNTED_H
#define RUN_COUNTED_H

#include "net/http.h"
#include "run/metrics.h"
#include "run/world.h"

extern const struct http_driver http_counted;

/* The place whose module is opened next in this world, a host's; NULL: its requests are not
 * counted. */
void counted_place(struct world *world, struct place_metrics *place);

#endif
