/* arguments: see arguments.h. */
#include "commands/arguments.h"

#include <getopt.h>
#include <stdio.h>

/* getopt's own messages begin with argv[0]: the command's name, as it should be. */
int arguments_read(int argc, char **argv, const struct argument *table, bool leading)
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
