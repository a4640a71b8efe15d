/*
 * clock: the machine's clocks, for the host's own use (commands, lock, progress). Modules and what
 * is pure are told the time instead: api/world.h.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_now_ns(void);       /* since 1970, UTC; may step */
int64_t clock_monotonic_ns(void); /* for measuring spans */

#endif
