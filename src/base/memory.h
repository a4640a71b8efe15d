/*
 * memory: allocation that never returns NULL. Out of memory ends the process: a run is repeatable
 * from the bucket, half a run in an unknown state is not.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

void *memory_new(size_t size) __attribute__((malloc, returns_nonnull));     /* zeroed; free() it */
void *memory_grow(void *old, size_t size) __attribute__((returns_nonnull)); /* realloc */
char *memory_copy(const char *at, size_t len) __attribute__((malloc, returns_nonnull)); /* + NUL */

#endif
