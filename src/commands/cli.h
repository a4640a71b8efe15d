/*
 * cli: the command line. cli_main reads the global options, finds the command and runs it; each
 * command is a function in a file of its own and returns the exit code.
 */
#ifndef COMMANDS_CLI_H
#define COMMANDS_CLI_H

#include "base/log.h"
#include "config/config.h"

enum exit_code { EXIT_DONE = 0, EXIT_KEPT_BACK = 1, EXIT_USAGE = 2 };

struct cli {
    const char *config_path;
    bool config_given; /* by -c */
    struct log log;
};

struct command {
    const char *name, *arguments, *summary;
    int (*run)(struct cli *cli, int argc, char **argv); /* argv[0] is the command's name */
};

struct argument; /* arguments.h */

int cli_main(int argc, char **argv);

/* The exit code that goes with a status. */
int cli_exit_code(enum status status);

/* Prints "loggateway: text" on stderr and returns EXIT_USAGE. */
int cli_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* arguments_read() for a command of one job or all: *job is its one operand, NULL = all. False
 * after a message on stderr; argv[0] is the command's name. */
bool cli_read_job(int argc, char **argv, const struct argument *table, const char **job);

/* Reads the configuration; problems and warnings go to stderr. NULL: they were fatal, the exit code
 * is EXIT_USAGE. */
struct config *cli_config(struct cli *cli);
/* The same, of the declared parsers only (config_load_parsers). */
struct config *cli_config_parsers(struct cli *cli);

int command_run(struct cli *cli, int argc, char **argv);
int command_pull(struct cli *cli, int argc, char **argv);
int command_check(struct cli *cli, int argc, char **argv);
int command_schedule(struct cli *cli, int argc, char **argv);
int command_status(struct cli *cli, int argc, char **argv);
int command_report(struct cli *cli, int argc, char **argv);
int command_verify(struct cli *cli, int argc, char **argv);
int command_dead_letters(struct cli *cli, int argc, char **argv);
int command_parse(struct cli *cli, int argc, char **argv);
int command_modules(struct cli *cli, int argc, char **argv);

#endif
