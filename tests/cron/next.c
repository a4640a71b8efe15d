/*
 * next: asks schedule/cron and schedule/zone many questions in one process, for the tests beside
 * it. Each line it reads is a question, fields parted by tabs: expression, zone, epoch, answered
 * with the epoch of the next run or "never"; with --offsets zone, epoch, answered with the offset
 * in seconds. A line that it does not understand ends it with exit code 1. Not installed.
 */
#include "schedule/cron.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The zone of the line before is kept: reading one for each line would take most of the time. */
struct asked {
    char name[64];
    struct zone *zone;
};

static void die(const char *text)
{
    fprintf(stderr, "next: %s\n", text);
    exit(EXIT_FAILURE);
}

/* Cuts the text up to the next tab off. */
static char *take_field(char **line)
{
    char *field = strsep(line, "\t");
    if (!field || !*line) {
        die("a field is missing");
    }
    return field;
}

static int64_t read_epoch(const char *text)
{
    char *end;
    errno = 0;
    int64_t epoch = strtoll(text, &end, 10);
    if (errno || end == text || *end) {
        die("not a number");
    }
    return epoch;
}

static const struct zone *find_zone(struct asked *asked, const char *name)
{
    struct err err;
    if (strcmp(asked->name, name) != 0) {
        zone_free(asked->zone);
        snprintf(asked->name, sizeof asked->name, "%s", name);
        if (zone_load(&asked->zone, name, &err) != OK) {
            die(err.text);
        }
    }
    return asked->zone;
}

static void print_offset(struct asked *asked, char *line)
{
    const struct zone *zone = find_zone(asked, take_field(&line));
    printf("%" PRId32 "\n", zone_offset(zone, read_epoch(line)));
}

static void print_next(struct asked *asked, char *line)
{
    struct cron cron;
    struct err err;
    if (cron_parse(&cron, take_field(&line), &err) != OK) {
        die(err.text);
    }
    const struct zone *zone = find_zone(asked, take_field(&line));
    int64_t next = cron_next(&cron, zone, read_epoch(line));
    if (next == INT64_MAX) {
        puts("never");
    } else {
        printf("%" PRId64 "\n", next);
    }
}

int main(int argc, char **argv)
{
    bool offsets = argc == 2 && strcmp(argv[1], "--offsets") == 0;
    if (argc > 1 && !offsets) {
        die("usage: next [--offsets] <questions");
    }
    struct asked asked = {"", NULL};
    char *line = NULL;
    size_t size = 0;
    for (ssize_t len; (len = getline(&line, &size, stdin)) > 0;) {
        line[len - (line[len - 1] == '\n')] = '\0';
        (offsets ? print_offset : print_next)(&asked, line);
    }
    free(line);
    zone_free(asked.zone);
    return EXIT_SUCCESS;
}
