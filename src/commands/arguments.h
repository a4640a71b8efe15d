/*
 * arguments: the options of a command, by a table, over getopt_long(3). Kept apart because getopt.h
 * and api/module.h both have a struct option.
 */
#ifndef COMMANDS_ARGUMENTS_H
#define COMMANDS_ARGUMENTS_H

#include <stdbool.h>

struct argument {
    const char *name;   /* "from-date" for --from-date */
    char letter;        /* 0 = none */
    const char **value; /* takes a value ... */
    bool *flag;         /* ... or is set */
};

enum { ARGUMENTS_MAX = 16 };

/* table: ended by a row without a name. Options may stand among the operands unless `leading`, when
 * reading ends at the first operand. Returns the index of the first operand (argv is reordered), or
 * -1 after a message on stderr. argv[0] is passed over. */
int arguments_read(int argc, char **argv, const struct argument *table, bool leading);

#endif
