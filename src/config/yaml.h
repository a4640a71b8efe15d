/*
 * yaml: the text of a configuration file as a tree with positions. A subset of YAML on purpose:
 * one document of mappings, lists and scalars; no anchors, aliases or tags. Called by
 * config/config; knows nothing of what the keys mean.
 */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include "config/problems.h"

enum {
    YAML_MAX_BYTES = 1024 * 1024,
    YAML_MAX_NODES = 10000,
    YAML_MAX_DEPTH = 32,
};

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
    enum node_kind kind;
    struct position at;
    struct slice key; /* of a mapping's entry; elsewhere empty */
    struct position key_at;
    struct slice text;  /* NODE_SCALAR: unescaped, no NUL */
    bool quoted;        /* NODE_SCALAR: not a plain one */
    struct node *first; /* NODE_LIST, NODE_MAP: in the order of the file */
    struct node *next;
    size_t count; /* entries from first */
};

/*
 * False when there is no tree to go on with. A key given twice is a problem too, but leaves the
 * tree usable, with the first of them. *root is NULL for an empty document. The tree lives in
 * arena.
 */
bool yaml_read(struct node **root, struct slice text, struct arena *arena,
               struct problems *problems);

/* A plain scalar that YAML takes for "no value". */
bool node_is_null(const struct node *node);

/* Where to point an operator to: an empty value has no place of its own but its key's. */
struct position node_position(const struct node *node);

/* The value of key in a mapping; NULL when there is none, or node is not a mapping. */
struct node *node_get(const struct node *node, const char *key);

#endif
