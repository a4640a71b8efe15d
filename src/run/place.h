/* place: an instance of a configured place, for whoever opens one. */
#ifndef RUN_PLACE_H
#define RUN_PLACE_H

#include "config/config.h"

/* A malloc'ed copy of the module's struct with the options filled in, ready for open(). */
void *place_instance(const struct place_config *place);

#endif
