/* cli: see cli.h. */
#include "commands/cli.h"

#include "base/cleanup.h"
#include "commands/arguments.h"
#include "commands/overlap.h"
#include "modules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command commands[] = {
    {"run", "", "the service: every job on its schedule, missed time made good", command_run},
    {"pull",
     "[JOB] --from-date DATE [--to-date DATE] [--again] [--new-schema] [--dry-run] [--no-wait]",
     "move the objects of a period, once", command_pull},
    {"check", "[--connect [--budget N]]",
     "check the configuration; --connect tries every place, and warns of tags with more than N "
     "(10000) values",
     command_check},
    {"status", "[JOB] [--json] [--check]",
     "what has been moved, what was kept back; --check: exit 1 when a job is not well",
     command_status},
    {"verify",
     "[JOB] [--from-date DATE] [--to-date DATE] [--no-source] [--publish] [--json] [--no-wait]",
     "list the source and count what the sinks hold, and hold both against the ledger; "
     "exit 1 when they differ",
     command_verify},
    {"dead-letters",
     "list [JOB] [--limit N] | show ID | requeue|drop ID... | list|requeue|drop [--job JOB] "
     "[--reason TEXT] [--since DATE] [--before DATE] [--gone]",
     "the records that did not become points; requeue: the next run over their dates reads their "
     "objects again; drop: forget them; --gone: of objects that are gone",
     command_dead_letters},
    {"report", "[JOB] [--from-date DATE] [--to-date DATE] --out FILE",
     "a page with pictures of the calls in a job's SQLite store; FILE - is stdout", command_report},
    {"schedule", "[JOB] [-n COUNT] [--from-date DATE]",
     "the next runs, in UTC and in the job's zone", command_schedule},
    {"parse",
     "[--as PARSER] [--to ENCODER] [--message MODE] [--last-modified DATE] [--stats [--budget N]] "
     "FILE...",
     "what a file (- = stdin) becomes, on stdout; -c adds the parsers of that file; --stats counts "
     "the values of each tag",
     command_parse},
    {"modules", "", "the built-in parsers, places and encoders with their options",
     command_modules},
};

enum { N_COMMANDS = sizeof commands / sizeof *commands };

static void print_command(const struct command *command, FILE *to)
{
    fprintf(to, "  %s%s%s\n        %s\n", command->name, *command->arguments ? " " : "",
            command->arguments, command->summary);
}

/* of: NULL = every command */
static void print_help(const struct command *of, FILE *to)
{
    fputs("usage: loggateway [-c config.yaml] [--log-format logfmt|json] COMMAND ...\n\n", to);
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (!of || of == &commands[i]) {
            print_command(&commands[i], to);
        }
    }
    fputs("\nDates: 2022-05-30, 2022-05-30T09:00:00Z, or relative to now: -720h, -30d.\n"
          "Exit codes: 0 done, 1 something failed or was kept back, 2 usage or configuration.\n",
          to);
}

int cli_exit_code(enum status status)
{
    return status == OK ? EXIT_DONE : status == BAD_CONFIG ? EXIT_USAGE : EXIT_KEPT_BACK;
}

int cli_usage(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("loggateway: ", stderr);
    vfprintf(stderr, format, args);
    fputs("\n", stderr);
    va_end(args);
    return EXIT_USAGE;
}

bool cli_read_job(int argc, char **argv, const struct argument *table, const char **job)
{
    int first = arguments_read(argc, argv, table, false);
    if (first < 0) {
        return false;
    }
    if (argc - first > 1) {
        cli_usage("%s: one job at most: '%s' is too many", argv[0], argv[first + 1]);
        return false;
    }
    *job = first < argc ? argv[first] : NULL;
    return true;
}

static const char *environment(const char *name)
{
    return getenv(name);
}

enum { PROBLEMS_MAX_BYTES = 256 * 1024 };

static struct config *cli_read(struct cli *cli, bool only_parsers)
{
    const struct config_sources sources = {modules_parsers, modules_datasources, environment,
                                           config_read_file};
    CLEANUP(buf_finish) struct buf problems = {.max = PROBLEMS_MAX_BYTES};
    struct config *config = NULL;
    struct err err;
    enum status status =
        only_parsers ? config_load_parsers(&config, cli->config_path, &sources, &problems, &err)
                     : config_load(&config, cli->config_path, &sources, &problems, &err);
    fputs(buf_text(&problems), stderr);
    if (status != OK) {
        bool is_unread = problems.len == 0;
        cli_usage("%s%s", err.text,
                  is_unread && !cli->config_given ? " (-c FILE names the configuration)" : "");
        return NULL;
    }
    return config;
}

struct config *cli_config(struct cli *cli)
{
    struct config *config = cli_read(cli, false);
    struct err err;
    if (config && overlap_check(config, &cli->log, &err) != OK) {
        cli_usage("%s: %s", config->path, err.text);
        config_free(config);
        return NULL;
    }
    return config;
}

struct config *cli_config_parsers(struct cli *cli)
{
    return cli_read(cli, true);
}

static int set_log_format(struct cli *cli, const char *name)
{
    cli->log.json = strcmp(name, "json") == 0;
    if (!cli->log.json && strcmp(name, "logfmt") != 0) {
        return cli_usage("--log-format %s: logfmt or json", name);
    }
    return EXIT_DONE;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

static int run_command(struct cli *cli, int argc, char **argv)
{
    if (argc == 0) {
        print_help(NULL, stderr);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(argv[0], commands[i].name) != 0) {
            continue;
        }
        if (asks_for_help(argc, argv)) {
            print_help(&commands[i], stdout);
            return EXIT_DONE;
        }
        return commands[i].run(cli, argc, argv);
    }
    return cli_usage("no command '%s': see loggateway --help", argv[0]);
}

int cli_main(int argc, char **argv)
{
    struct cli cli = {.log = {.least = LOG_INFO}};
    const char *format = "logfmt";
    bool help = false, version = false;
    const struct argument table[] = {
        {"config", 'c', &cli.config_path, NULL},
        {"log-format", 0, &format, NULL},
        {"help", 'h', NULL, &help},
        {"version", 0, NULL, &version},
        {NULL},
    };
    int first = arguments_read(argc, argv, table, true);
    if (first < 0) {
        return EXIT_USAGE;
    }
    if (help) {
        print_help(NULL, stdout);
        return EXIT_DONE;
    }
    if (version) {
        puts("loggateway " LOGGATEWAY_VERSION);
        return EXIT_DONE;
    }
    cli.config_given = cli.config_path != NULL;
    cli.config_path = cli.config_given ? cli.config_path : "config.yaml";
    int code = set_log_format(&cli, format);
    return code ? code : run_command(&cli, argc - first, argv + first);
}
