/* arguments: see arguments.h. */
#include "commands/arguments.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>

enum { NAME_MAX_BYTES = 64 };

static int read_options(int argc, char **argv, const struct argument *table, bool leading)
{
    struct option rows[ARGUMENTS_MAX + 1] = {0};
    char letters[2 * ARGUMENTS_MAX + 2] = {leading ? '+' : '\0'};
    size_t used = leading ? 1 : 0;
    for (int i = 0; i < ARGUMENTS_MAX && table[i].name; i++) {
        rows[i] = (struct option){table[i].name, table[i].value ? required_argument : no_argument,
                                  NULL, 256 + i};
        if (table[i].letter) {
            letters[used++] = table[i].letter;
            if (table[i].value) {
                letters[used++] = ':';
            }
        }
    }
    letters[used] = '\0';
    optind = 0; /* glibc: start anew */
    for (int got; (got = getopt_long(argc, argv, letters, rows, NULL)) != -1;) {
        if (got == '?') {
            return -1;
        }
        int i = got - 256;
        for (int j = 0; got < 256 && table[j].name; j++) {
            i = table[j].letter == got ? j : i;
        }
        if (table[i].value) {
            *table[i].value = optarg;
        } else {
            *table[i].flag = true;
        }
    }
    return optind;
}

/* getopt's own messages begin with argv[0]. */
int arguments_read(int argc, char **argv, const struct argument *table, bool leading)
{
    char *name = argv[0], shown[NAME_MAX_BYTES];
    snprintf(shown, sizeof shown, "loggateway%s%s", leading ? "" : ": ", leading ? "" : name);
    argv[0] = shown;
    int first = read_options(argc, argv, table, leading);
    argv[0] = name;
    return first;
}
