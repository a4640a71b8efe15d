/*
 * point_values: short ways to write down the values of a point in a table. Included by the headers
 * of tests that have such tables.
 */
#ifndef TESTS_POINT_VALUES_H
#define TESTS_POINT_VALUES_H

#include "api/flow.h"

#define S(text) SLICE_LITERAL(text)
#define ABSENT               \
    {                        \
        .kind = VALUE_ABSENT \
    }
#define INTEGER(value)                       \
    {                                        \
        .kind = VALUE_INT, .number = (value) \
    }
#define TEXT(...)                                                                       \
    {                                                                                   \
        .kind = VALUE_TEXT, .text = {                                                   \
            .pieces = (const struct slice[]){__VA_ARGS__},                              \
            .count = sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice) \
        }                                                                               \
    }

#endif
