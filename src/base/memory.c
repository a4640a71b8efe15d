/* memory: see memory.h. */
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *checked(void *pointer)
{
    if (!pointer) {
        fputs("loggateway: out of memory\n", stderr);
        abort();
    }
    return pointer;
}

void *memory_new(size_t size)
{
    return checked(calloc(1, size ? size : 1));
}

void *memory_grow(void *old, size_t size)
{
    return checked(realloc(old, size ? size : 1));
}

void *memory_large(size_t size)
{
    enum { HUGE_PAGE_BYTES = 2 * 1024 * 1024 };
    void *at;
    if (size < HUGE_PAGE_BYTES) {
        return memory_grow(NULL, size);
    }
    if (posix_memalign(&at, HUGE_PAGE_BYTES, size) != 0) {
        at = NULL;
    }
    checked(at);
    madvise(at, size / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES, MADV_HUGEPAGE); /* as good without */
    return at;
}

char *memory_copy(const char *at, size_t len)
{
    char *copy = checked(malloc(len + 1));
    if (len) {
        memcpy(copy, at, len);
    }
    copy[len] = '\0';
    return copy;
}
