/* describe: `loggateway modules`: the modules and their options as Markdown, from their own tables.
 * doc/modules.md is this output. */
#include "commands/arguments.h"
#include "commands/cli.h"
#include "modules.h"

#include <stdio.h>

static const char *type_name(const struct option *option)
{
    switch (option->type) {
    case OPTION_TEXT:
        return "text";
    case OPTION_SECRET:
        return "secret";
    case OPTION_INT:
        return "whole number";
    case OPTION_BOOL:
        return "true or false";
    case OPTION_BYTES:
        return "bytes (4MiB)";
    case OPTION_DURATION_NS:
        return "duration (30s)";
    case OPTION_LIST:
        return "list of texts";
    case OPTION_CHOICE:
        return "choice";
    }
    return "";
}

static void print_choices(const struct option *option)
{
    for (size_t i = 0; option->type == OPTION_CHOICE && option->choices[i]; i++) {
        printf("%s%s", i ? ", " : ": ", option->choices[i]);
    }
}

static void print_options(const struct option *options)
{
    if (!options || !options->name) {
        return;
    }
    printf("\n| option | type | default | meaning |\n|---|---|---|---|\n");
    for (; options->name; options++) {
        printf("| `%s` | %s", options->name, type_name(options));
        print_choices(options);
        printf(" | %s | %s",
               options->required   ? "required"
               : options->fallback ? options->fallback
                                   : "",
               options->help);
        if (options->required) {
            printf(" (%s)", options->required);
        }
        printf(" |\n");
    }
}

static void print_module(const struct module *module)
{
    printf("\n### %s\n\n%s\n", module->name, module->summary);
    print_options(module->options);
}

static const char *kind_name(enum column_kind kind)
{
    static const char *const names[] = {
        [TAG] = "tag",
        [TAG_ADDRESS] = "tag, address without port",
        [TEXT] = "text",
        [INT] = "integer",
        [DURATION_NS] = "integer, ns",
        [MESSAGE] = "text, the record",
        [TIME_S] = "time, s",
        [TIME_MS] = "time, ms",
        [TIME_US] = "time, us",
        [TIME_NS] = "time, ns",
    };
    return names[kind];
}

static void print_column(const struct column *column)
{
    printf("| %s%s%s | %s | ", column->name ? "`" : "", column->name ? column->name : "",
           column->name ? "`" : "", kind_name(column->kind));
    for (size_t i = 0; i < COLUMN_PATHS && column->paths[i]; i++) {
        printf("%s`%s`", i ? ", else " : "", column->paths[i]);
    }
    printf(" |\n");
}

static void print_parser(const struct parser *parser)
{
    print_module(&parser->about);
    printf("\nMeasurement `%s`; records with the top-level key", parser->measurement);
    for (size_t i = 0; parser->record_keys[i]; i++) {
        printf("%s `%s`", i ? " or" : "", parser->record_keys[i]);
    }
    printf(".\n\n| column | kind | from |\n|---|---|---|\n");
    for (size_t i = 0; i < parser->n_columns; i++) {
        print_column(&parser->columns[i]);
    }
}

int command_modules(struct cli *cli, int argc, char **argv)
{
    (void)cli;
    const struct argument table[] = {{NULL}};
    int first = arguments_read(argc, argv, table, false);
    if (first != argc) {
        return first < 0 ? EXIT_USAGE : cli_usage("modules: '%s' is too many", argv[first]);
    }
    printf("# Modules\n\nThe output of `loggateway modules`.\n\n## Job options\n");
    print_options(config_job_options);
    printf("\n## Metrics options\n");
    print_options(config_metrics_options);
    printf("\n## Places\n");
    for (size_t i = 0; modules_datasources[i]; i++) {
        print_module(&modules_datasources[i]->about);
        printf("\nCan be %s.\n", modules_datasources[i]->list && modules_datasources[i]->put
                                     ? "read and written"
                                 : modules_datasources[i]->list ? "read"
                                                                : "written");
    }
    printf("\n## Parsers\n");
    for (size_t i = 0; modules_parsers[i]; i++) {
        print_parser(modules_parsers[i]);
    }
    printf("\n## Encoders\n");
    for (size_t i = 0; modules_encoders[i]; i++) {
        print_module(&modules_encoders[i]->about);
    }
    return EXIT_DONE;
}
