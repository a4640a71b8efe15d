/*
 * options: from a mapping of the configuration to a module's struct, by its option rows
 * (api/module.h). Called by config/places and config/jobs; does not know what the options mean.
 *
 * Everything that is wrong becomes a problem "STANZA.KEY: reason"; the reading goes on.
 */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include "api/module.h"
#include "config/config.h"
#include "config/yaml.h"

#include <sys/types.h>

struct option_reader {
    struct arena *arena; /* for the texts that the structs point to */
    const struct config_sources *sources;
    struct problems *problems;
    mode_t file_mode; /* permission bits of the configuration file; 0 = not a file */
};

/* Rows, and the struct that they fill. */
struct option_set {
    const struct option *options; /* NULL = none */
    void *into;
};

/*
 * Fills all sets from one mapping, which may also be an empty value. Keys that are in no set and
 * not in `also` (NULL-terminated) are problems. where: how messages name the mapping.
 */
void options_read(const struct option_reader *reader, const char *where, const struct node *map,
                  const struct option_set *sets, size_t n_sets, const char *const *also);

/* A text where it was found; empty when absent. */
struct option_text {
    struct slice text; /* NUL-terminated */
    struct position at;
};

/* Reads one scalar, expanded. False: it was reported. An absent one is true with a NULL text.at. */
bool option_read_text(const struct option_reader *reader, const char *where,
                      const struct node *node, struct option_text *out);

/* Reads a list of texts, or one text. False: it was reported. */
bool option_read_texts(const struct option_reader *reader, const char *where,
                       const struct node *node, struct option_text **out, size_t *count);

/* "influxdb.token", in the reader's arena. */
const char *option_path(const struct option_reader *reader, const char *where, const char *key);

#endif
