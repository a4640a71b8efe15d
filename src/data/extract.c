/*
 * extract: see extract.h. Compiles the declared paths into a tree of keys, one node per key, and
 * hands a record to the scan. The tree's nodes carry the marks of the record being scanned, so an
 * extract belongs to one thread.
 */
#include "data/extract.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "data/scan.h"

#include <stdlib.h>

struct extract {
    struct scanner scanner;
    struct arena nodes;
    struct scan_node root;
    uint32_t n_nodes;
    size_t n_paths;
    uint64_t scans; /* how many there were: the number of the next */
    struct found slots[EXTRACT_PATHS_MAX];
    int next_slot[EXTRACT_PATHS_MAX];
};

static struct scan_node *add_child(struct extract *extract, struct scan_node *parent,
                                   struct slice key)
{
    struct scan_node **end = &parent->children;
    for (; *end; end = &(*end)->next) {
        if (slice_equal((*end)->key, key)) {
            return *end;
        }
    }
    struct scan_node *child = arena_take(&extract->nodes, sizeof *child);
    char *name = arena_text(&extract->nodes, key);
    *child = (struct scan_node){
        .key = {name, key.len}, .parent = parent, .number = ++extract->n_nodes, .slot = -1};
    *end = child;
    return child;
}

/* Decodes the next key of a path into name and returns its length; *path moves behind its dot, or
 * becomes NULL after the last key. */
static size_t next_key(const char **path, char *name)
{
    size_t len = 0;
    const char *at = *path;
    for (; *at && *at != '.'; at++) {
        at += at[0] == '\\' && at[1] == '.';
        name[len++] = *at;
    }
    *path = *at ? at + 1 : NULL;
    return len;
}

static void add_path(struct extract *extract, const char *path, int slot)
{
    char *name = arena_take(&extract->nodes, strlen(path) + 1);
    struct scan_node *node = &extract->root;
    while (path) {
        size_t len = next_key(&path, name);
        node = add_child(extract, node, slice_make(name, len));
    }
    extract->next_slot[slot] = node->slot;
    node->slot = slot;
}

struct extract *extract_new(const char *const *paths, size_t n_paths, const char *const *keys,
                            size_t n_keys)
{
    struct extract *extract = memory_new(sizeof *extract);
    extract->root.slot = -1;
    extract->root.number = ++extract->n_nodes;
    extract->n_paths = n_paths;
    for (size_t i = 0; i < n_paths; i++) {
        add_path(extract, paths[i], (int)i);
    }
    for (size_t i = 0; i < n_keys; i++) {
        add_child(extract, &extract->root, slice_of(keys[i]))->key_bits |= UINT64_C(1) << i;
    }
    return extract;
}

void extract_free(struct extract *extract)
{
    if (extract) {
        scanner_finish(&extract->scanner);
        arena_finish(&extract->nodes);
        free(extract);
    }
}

static enum status extract_with(struct extract *extract, struct slice record, struct extracted *out,
                                struct err *err)
{
    memset(extract->slots, 0, extract->n_paths * sizeof *extract->slots);
    struct scan scan = {
        .start = record.at,
        .end = record.at + record.len,
        .scanner = &extract->scanner,
        .root = &extract->root,
        .slots = extract->slots,
        .next_slot = extract->next_slot,
        .number = ++extract->scans,
    };
    scan_mark(&scan);
    if (!scan.marks.ascii && utf8_valid_prefix(record) < record.len) {
        return AGAIN;
    }
    if (!scan_walk(&scan)) {
        return err_set(err, BAD_DATA, "byte %zu: %s", (size_t)(scan.fault_at - record.at),
                       scan.fault);
    }
    const struct scan_room *room = &extract->scanner.rooms[0];
    *out = (struct extracted){.slots = extract->slots,
                              .keys_seen = scan.keys_seen,
                              .edits = room->edits,
                              .n_edits = room->n_edits,
                              .duplicate_keys = scan.duplicate_keys,
                              .printable = scan.marks.printable};
    return OK;
}

enum status extract_record(struct extract *extract, struct slice record, struct extracted *out,
                           struct err *err)
{
    extract->scanner.version = SCAN_BEST;
    return extract_with(extract, record, out, err);
}

enum status extract_record_portable(struct extract *extract, struct slice record,
                                    struct extracted *out, struct err *err)
{
    extract->scanner.version = SCAN_PORTABLE;
    return extract_with(extract, record, out, err);
}
