/* place: an instance of a configured place, for whoever opens one. */
#ifndef RUN_PLACE_H
#define RUN_PLACE_H

#include "api/datasource.h"
#include "config/config.h"

/* A malloc'ed copy of the module's struct with the options filled in, ready for open(). */
void *place_instance(const struct place_config *place);

/* Whether the place's `ignore:` names the folder or object. */
bool place_ignores(const struct place *place, struct slice name);

#endif
