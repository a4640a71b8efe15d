/*
 * slice: a view of bytes somebody else owns. It is passed by value and never freed; how long it
 * stays valid is said by whoever hands it out.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *at;
    size_t len;
};

/* A string literal as a slice, usable in constant initialisers. */
#define SLICE_LITERAL(text)      \
    {                            \
        (text), sizeof(text) - 1 \
    }

/* Arguments for "%.*s". */
#define SLICE_ARG(s) (int)(s).len, (s).at

static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static inline struct slice slice_make(const char *at, size_t len)
{
    return (struct slice){at, len};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool slice_is(struct slice a, const char *text)
{
    return slice_equal(a, slice_of(text));
}

static inline bool slice_starts(struct slice a, const char *text)
{
    size_t len = strlen(text);
    return a.len >= len && memcmp(a.at, text, len) == 0;
}

/* memcmp order, as S3 lists keys: a proper prefix comes first. */
static inline int slice_compare(struct slice a, struct slice b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.at, b.at, shorter) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

#endif
