/*
 * memory: allocation that never returns NULL. Out of memory ends the process: a run is repeatable
 * from the bucket, half a run in an unknown state is not.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

void *memory_new(size_t size) __attribute__((malloc, returns_nonnull));     /* zeroed; free() it */
void *memory_grow(void *old, size_t size) __attribute__((returns_nonnull)); /* realloc */

/* For some MiB that will be filled, in huge pages where the kernel has them: to touch ordinary ones
 * for the first time costs more than the work on them. What is not touched takes no memory. */
void *memory_large(size_t size) __attribute__((malloc, returns_nonnull));

char *memory_copy(const char *at, size_t len) __attribute__((malloc, returns_nonnull)); /* + NUL */

#endif
