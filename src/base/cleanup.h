/*
 * CLEANUP: frees a local when its scope ends, whichever way it ends:
 *     CLEANUP(buf_finish) struct buf text = {.max = 4096};
 * The named function takes a pointer to the variable.
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdlib.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

static inline void free_pointer(void *pointer)
{
    free(*(void **)pointer);
}

#define CLEANUP_FREE CLEANUP(free_pointer)

#endif
