/*
 * arena: memory that dies together. Allocation is a pointer step; arena_reset() gives everything
 * back at once and keeps the blocks, so that a steady load allocates nothing. Single allocations
 * are 16-byte aligned.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/slice.h"

struct arena_block;

/* Zero-initialised is empty and ready. */
struct arena {
    struct arena_block *first, *current;
};

void *arena_take(struct arena *arena, size_t size);               /* not zeroed */
char *arena_text(struct arena *arena, struct slice text);         /* a NUL-terminated copy */
struct slice arena_slice(struct arena *arena, struct slice text); /* the same with its length */
void arena_reset(struct arena *arena);
void arena_finish(struct arena *arena);

#endif
