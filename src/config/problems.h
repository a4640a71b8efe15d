/*
 * problems: what is wrong with a configuration, collected while all of it is read and printed in
 * the order of the file. Called by every part of src/config; not for faults at run time.
 */
#ifndef CONFIG_PROBLEMS_H
#define CONFIG_PROBLEMS_H

#include "base/arena.h"
#include "base/buf.h"

/* Where in the file, both from 1; line 0 = the file as a whole. Columns count characters. */
struct position {
    size_t line, column;
};

struct problem;

struct problems {
    struct arena *arena; /* holds the texts */
    struct problem *first;
    size_t kept, dropped; /* the list has a maximum */
    size_t errors;        /* all that were added, warnings apart */
};

/* A problem makes the configuration unusable, a warning does not. */
void problem_add(struct problems *problems, struct position at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void problem_warn(struct problems *problems, struct position at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One a line: "PATH:LINE:COLUMN: TEXT", warnings with "warning: " in front. */
void problems_print(const struct problems *problems, const char *path, struct buf *out);

/* The beginning of a text from the file, short enough for a message. */
struct slice problem_excerpt(struct slice text);

#endif
