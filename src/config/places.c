/*
 * places: the stanzas of the configuration: which module a stanza is for, and its options. Called
 * by config/jobs with the names that jobs mention. A stanza is read once, however many jobs use it.
 */
#include "config/loader.h"

#include "base/cleanup.h"
#include "config/nearest.h"

enum { NAMES_BYTES = 512 };

struct place_entry {
    struct place_entry *next;
    const struct node *node;
    bool is_broken; /* it was reported, and is not reported again */
    struct place_config config;
};

static const char *const top_keys[] = {"datasources", "jobs", "metrics", "parsers", "state", NULL};

static bool is_top_key(struct slice key)
{
    for (const char *const *top = top_keys; *top; top++) {
        if (slice_is(key, *top)) {
            return true;
        }
    }
    return false;
}

/* What may be a stanza that somebody forgot to use, or the one that a misspelt name meant. */
static bool is_stanza(const struct node *entry)
{
    return !is_top_key(entry->key) && (entry->kind == NODE_MAP || node_is_null(entry));
}

/* --- the module --- */

static const struct datasource *find_module(const struct loader *loader, struct slice name)
{
    const struct datasource *const *module = loader->reader.sources->datasources;
    while (*module && !slice_is(name, (*module)->about.name)) {
        module++;
    }
    return *module;
}

static void report_type(const struct loader *loader, const char *where, struct position at,
                        struct slice type)
{
    CLEANUP(buf_finish) struct buf known = {.max = NAMES_BYTES};
    struct nearest nearest = {.wanted = type};
    for (const struct datasource *const *module = loader->reader.sources->datasources; *module;
         module++) {
        buf_printf(&known, "%s%s", known.len ? ", " : "", (*module)->about.name);
        nearest_offer(&nearest, slice_of((*module)->about.name));
    }
    char hint[NEAREST_HINT_BYTES];
    struct slice shown = problem_excerpt(type);
    problem_add(loader->reader.problems, at, "%s.type: there is no type %.*s among %s%s", where,
                SLICE_ARG(shown), buf_text(&known), nearest_hint(&nearest, hint));
}

/* The module that `type:` names, by default `otherwise`. */
static const struct datasource *read_type(const struct loader *loader, const char *where,
                                          const struct node *stanza, struct slice otherwise)
{
    struct option_text type = {.text = otherwise, .at = stanza->key_at};
    const struct node *node = node_get(stanza, "type");
    if (node) {
        struct option_text written;
        if (!option_read_text(&loader->reader, option_path(&loader->reader, where, "type"), node,
                              &written)) {
            return NULL;
        }
        type = written.text.len ? written : type;
    }
    const struct datasource *module = find_module(loader, type.text);
    if (!module) {
        report_type(loader, where, type.at, type.text);
    }
    return module;
}

/* --- the stanza --- */

static struct place_entry *entry_add(struct loader *loader, const struct node *stanza)
{
    struct place_entry *entry = arena_take(loader->reader.arena, sizeof *entry);
    *entry = (struct place_entry){.next = loader->places, .node = stanza};
    entry->config.name = stanza->key.at;
    loader->places = entry;
    return entry;
}

static void *options_new(const struct loader *loader, const struct datasource *module)
{
    size_t size = module->about.size;
    return memset(arena_take(loader->reader.arena, size), 0, size);
}

/* extra: options that stand in the same stanza; may be empty. */
static struct place_entry *read_stanza(struct loader *loader, const struct node *stanza,
                                       struct slice type, struct option_set extra,
                                       const char *const *also)
{
    struct place_entry *entry = entry_add(loader, stanza);
    const char *where = arena_text(loader->reader.arena, problem_excerpt(stanza->key));
    const struct datasource *module = read_type(loader, where, stanza, type);
    if (!module) {
        entry->is_broken = true;
        return entry;
    }
    void *options = options_new(loader, module);
    entry->config.module = module;
    entry->config.options = options;
    const struct option_set sets[] = {{module->about.options, options}, extra};
    options_read(&loader->reader, where, stanza, sets, 2, also);
    return entry;
}

static void report_missing(const struct loader *loader, const char *where,
                           const struct option_text *name)
{
    struct nearest nearest = {.wanted = name->text};
    for (const struct node *entry = loader->root->first; entry; entry = entry->next) {
        if (is_stanza(entry)) {
            nearest_offer(&nearest, entry->key);
        }
    }
    char hint[NEAREST_HINT_BYTES];
    struct slice shown = problem_excerpt(name->text);
    problem_add(loader->reader.problems, name->at, "%s: there is no stanza %.*s%s", where,
                SLICE_ARG(shown), nearest_hint(&nearest, hint));
}

static struct place_entry *find_entry(const struct loader *loader, const struct node *stanza)
{
    struct place_entry *entry = loader->places;
    while (entry && entry->node != stanza) {
        entry = entry->next;
    }
    return entry;
}

const struct place_config *place_find(struct loader *loader, const char *where,
                                      const struct option_text *name)
{
    static const char *const also[] = {"type", NULL};
    const struct node *stanza = node_get(loader->root, name->text.at);
    if (!stanza || is_top_key(stanza->key)) {
        report_missing(loader, where, name);
        return NULL;
    }
    struct place_entry *entry = find_entry(loader, stanza);
    if (!entry) {
        entry = read_stanza(loader, stanza, stanza->key, (struct option_set){0}, also);
    }
    return entry->is_broken ? NULL : &entry->config;
}

const struct place_config *place_read_flat(struct loader *loader, const struct node *stanza,
                                           struct job_options *job)
{
    static const char *const also[] = {"type", "parse", "fields", NULL};
    const struct option_set extra = {config_job_options, job};
    struct place_entry *entry = read_stanza(loader, stanza, slice_of("s3"), extra, also);
    return entry->is_broken ? NULL : &entry->config;
}

/* --- the keys at the top --- */

static void report_top_key(const struct loader *loader, const struct node *entry)
{
    struct nearest nearest = {.wanted = entry->key};
    for (const char *const *top = top_keys; *top; top++) {
        nearest_offer(&nearest, slice_of(*top));
    }
    char hint[NEAREST_HINT_BYTES];
    struct slice shown = problem_excerpt(entry->key);
    problem_add(loader->reader.problems, entry->key_at, "%.*s: unknown key%s", SLICE_ARG(shown),
                nearest_hint(&nearest, hint));
}

static void warn_unused(const struct loader *loader, const struct node *entry)
{
    struct slice shown = problem_excerpt(entry->key);
    problem_warn(loader->reader.problems, entry->key_at, "%.*s: no job uses this stanza",
                 SLICE_ARG(shown));
}

void places_check_top(const struct loader *loader)
{
    /* While a job is wrong, nobody can say what is unused. */
    bool jobs_are_good = loader->reader.problems->errors == 0;
    for (const struct node *entry = loader->root->first; entry; entry = entry->next) {
        if (is_top_key(entry->key) || find_entry(loader, entry)) {
            continue;
        }
        if (!is_stanza(entry)) {
            report_top_key(loader, entry);
        } else if (jobs_are_good) {
            warn_unused(loader, entry);
        }
    }
}
