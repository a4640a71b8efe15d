/*
 * module: what parsers, encoders and datasources have in common: a name, a line about it, and
 * options that the host reads from the configuration into a struct of the module's own.
 *
 * A module is const data. It keeps no file-scope variables, does not log, read the environment or
 * sleep; what it needs of the outside comes through struct world.
 */
#ifndef API_MODULE_H
#define API_MODULE_H

#include "api/status.h"

#include <stddef.h>
#include <stdint.h>

enum option_type {                /* the C type at .offset                    written in YAML as */
                   OPTION_TEXT,   /* const char *, NULL when absent           text */
                   OPTION_SECRET, /* const char *, NULL when absent           text; never shown in
                                     messages */
                   OPTION_INT, /* int64_t                                  whole number within [min,
                                  max] */
                   OPTION_BOOL,  /* bool                                     true, false */
                   OPTION_BYTES, /* int64_t, bytes                           4MiB, 32GiB, 500MB,
                                    1024 */
                   OPTION_DURATION_NS, /* int64_t, ns                              30s, 15m, 24h,
                                          30d */
                   OPTION_LIST,   /* struct text_list                         sequence of texts, or
                                     one text */
                   OPTION_CHOICE, /* int, the index in .choices               one of .choices */
};

struct text_list {
    const char *const *items;
    size_t count;
};

struct option {
    const char *name;
    enum option_type type;
    size_t offset;              /* in the module's struct */
    const char *fallback;       /* as it would be written in YAML; NULL = absent or zero */
    const char *required;       /* where the operator finds the value; NULL = optional */
    const char *help;           /* one line, with the unit */
    int64_t min, max;           /* OPTION_INT, _BYTES, _DURATION_NS: bounds; both 0 = none */
    const char *const *choices; /* OPTION_CHOICE: NULL-terminated */
};

struct module {
    const char *name;             /* as in the configuration */
    const char *summary;          /* one line */
    const struct option *options; /* ended by a row without a name; NULL = none */
    size_t size; /* of the module's struct, which the host allocates zeroed and fills; the
                    texts in it live as long as the configuration */
};

#endif
