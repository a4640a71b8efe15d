/*
 * loader: what the parts that turn the tree into a configuration share: config/config starts,
 * config/parsers reads the declared parsers, config/jobs the jobs, config/job_parsers what they
 * parse with, config/places the stanzas that they name, config/metrics `metrics:`.
 */
#ifndef CONFIG_LOADER_H
#define CONFIG_LOADER_H

#include "config/options.h"

struct place_entry;

struct loader {
    struct option_reader reader;
    const struct node *root; /* a mapping */
    struct place_entry *places;
    struct config *config;
    bool only_parsers;       /* nothing else of the file is wanted */
    bool has_broken_parsers; /* so nobody can say which tags there are */
};

/* --- config/parsers --- */

/* Fills config->parsers from `parsers:`. */
void parsers_read(struct loader *loader);

/* --- config/places --- */

/* The place of that name; its stanza is read when it is first asked for. NULL: it was reported.
 * where, at: who asks. */
const struct place_config *place_find(struct loader *loader, const char *where,
                                      const struct option_text *name);

/* The stanza of the flat form, `lyvecloud:`, of type s3: options of the job stand beside its own.
 */
const struct place_config *place_read_flat(struct loader *loader, const struct node *stanza,
                                           struct job_options *job);

/* Reports keys at the top that are nothing, and warns of stanzas that no job uses. */
void places_check_top(const struct loader *loader);

/* --- config/job_parsers --- */

/* `parse:` and `fields:` of a job's mapping. */
void job_read_parsers(const struct loader *loader, const char *job_path, const struct node *map,
                      struct job_config *job);

/* --- config/metrics --- */

/* Fills config->metrics from `metrics:`. */
void metrics_read(struct loader *loader);

/* --- config/jobs --- */

/* What a job or a parser may be called: 1 to 64 letters, digits, dots, hyphens or underscores. */
bool name_is_plain(struct slice name);

/* "WHERE: NAME is given twice" */
void problem_twice(const struct loader *loader, const char *where, const struct option_text *name);

/* Fills config->jobs from `lyvecloud:` and `datasources:`. */
void jobs_read_flat(struct loader *loader);

/* Fills config->jobs from `jobs:`. */
void jobs_read_general(struct loader *loader);

#endif
