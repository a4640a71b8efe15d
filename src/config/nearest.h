/*
 * nearest: which known name a misspelt one was meant to be: Damerau-Levenshtein distance (optimal
 * string alignment), upper and lower case alike. Called by the readers of src/config. Pure.
 */
#ifndef CONFIG_NEAREST_H
#define CONFIG_NEAREST_H

#include "base/slice.h"

struct nearest {
    struct slice wanted; /* as it was written */
    struct slice best;   /* the nearest of the names offered; empty: none is near */
    size_t best_distance;
};

void nearest_offer(struct nearest *nearest, struct slice known);

/* " (did you mean token?)", or "" when nothing is near. */
enum { NEAREST_HINT_BYTES = 96 };
const char *nearest_hint(const struct nearest *nearest, char hint[NEAREST_HINT_BYTES]);

#endif
