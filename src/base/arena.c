/* arena: see arena.h. A chain of blocks; a request larger than a block gets one that
 * fits. */
#include "base/arena.h"

#include "base/memory.h"

#include <stdlib.h>

enum { BLOCK_BYTES = 64 * 1024, ALIGN = 16 };

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    _Alignas(16) char bytes[];
};

static struct arena_block *block_new(size_t size)
{
    struct arena_block *block = memory_grow(NULL, sizeof *block + size);
    block->next = NULL;
    block->size = size;
    block->used = 0;
    return block;
}

/* Powers of two, so that requests that grow little by little do not leave a block each behind. */
static size_t block_size(size_t wanted)
{
    size_t size = BLOCK_BYTES;
    while (size < wanted) {
        size *= 2;
    }
    return size;
}

/* Moves on to a block with room for size: the next one kept from before a reset, or a new one. */
static struct arena_block *next_block(struct arena *arena, size_t size)
{
    struct arena_block *block = arena->current;
    while (block && block->size - block->used < size && block->next) {
        block = block->next;
    }
    if (!block || block->size - block->used < size) {
        struct arena_block *fresh = block_new(block_size(size));
        if (block) {
            block->next = fresh;
        } else {
            arena->first = fresh;
        }
        block = fresh;
    }
    arena->current = block;
    return block;
}

void *arena_take(struct arena *arena, size_t size)
{
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    struct arena_block *block = arena->current;
    if (!block || block->size - block->used < size) {
        block = next_block(arena, size);
    }
    void *taken = block->bytes + block->used;
    block->used += size;
    return taken;
}

char *arena_text(struct arena *arena, struct slice text)
{
    char *copy = arena_take(arena, text.len + 1);
    if (text.len) {
        memcpy(copy, text.at, text.len);
    }
    copy[text.len] = '\0';
    return copy;
}

struct slice arena_slice(struct arena *arena, struct slice text)
{
    return slice_make(arena_text(arena, text), text.len);
}

void arena_reset(struct arena *arena)
{
    for (struct arena_block *block = arena->first; block; block = block->next) {
        block->used = 0;
    }
    arena->current = arena->first;
}

void arena_finish(struct arena *arena)
{
    struct arena_block *block = arena->first;
    while (block) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    *arena = (struct arena){0};
}
