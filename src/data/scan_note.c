/*
 * scan_note: what the walk of scan.c keeps: values of declared paths go to their slots, top-level
 * keys to keys_seen, values to hide become edits. Called for few of the keys and values of a
 * record.
 */
#include "base/memory.h"
#include "data/escape.h"
#include "data/redact.h"
#include "data/scan.h"

#include <stdlib.h>

static const struct found hidden = {
    .kind = JSON_STRING, .redacted = true, .raw = SLICE_LITERAL(REDACTED_TEXT)};

void scanner_finish(struct scanner *scanner)
{
    for (size_t i = 0; i < SCAN_ROOMS; i++) {
        struct scan_room *room = &scanner->rooms[i];
        free(room->steps);
        free(room->stops);
        free(room->edits);
        arena_finish(&room->arena);
        buf_finish(&room->text);
        buf_finish(&room->masked);
        buf_finish(&room->shown);
        buf_finish(&room->key);
    }
}

static struct scan_room *room_of(struct scan *scan)
{
    return &scan->scanner->rooms[scan->level];
}

static void note_edit(struct scan *scan, const char *from, const char *to, struct slice with)
{
    struct scan_room *room = room_of(scan);
    if (room->n_edits == room->edits_size) {
        room->edits_size = room->edits_size ? room->edits_size * 2 : 16;
        room->edits = memory_grow(room->edits, room->edits_size * sizeof *room->edits);
    }
    room->edits[room->n_edits++] = (struct edit){
        .from = (size_t)(from - scan->start), .to = (size_t)(to - scan->start), .with = with};
}

static void note_hidden(struct scan *scan, const char *from, const char *to)
{
    static const struct slice with = SLICE_LITERAL(REDACTED_JSON);
    note_edit(scan, from, to, with);
}

/* Field by field: a wide copy of the struct would wait for the narrow stores that have just made
 * it. */
static void fill_slots(struct scan *scan, const struct scan_node *node, struct found found)
{
    for (int i = node->slot; i >= 0; i = scan->next_slot[i]) {
        struct found *slot = &scan->slots[i];
        slot->kind = found.kind;
        slot->escaped = found.escaped;
        slot->redacted = found.redacted;
        slot->raw.at = found.raw.at;
        slot->raw.len = found.raw.len;
    }
}

/* --- keys --- */

/* memcmp() of short names, without the call. */
static inline bool same_bytes(const char *a, const char *b, size_t len)
{
    if (len >= sizeof(uint64_t)) {
        size_t i = 0;
        for (; i + sizeof(uint64_t) < len; i += sizeof(uint64_t)) {
            if (memcmp(a + i, b + i, sizeof(uint64_t)) != 0) {
                return false;
            }
        }
        i = len - sizeof(uint64_t); /* over some that were compared */
        return memcmp(a + i, b + i, sizeof(uint64_t)) == 0;
    }
    for (size_t i = 0; i < len; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

static inline bool has_key(const struct scan_node *node, struct slice key)
{
    return node->key.len == key.len && same_bytes(node->key.at, key.at, key.len);
}

/* The declared child of that name. Records have their keys in the same order mostly: the one that
 * followed the last time is asked first. */
static struct scan_node *find_child(struct scan_node *node, struct slice key)
{
    struct scan_node *last = node->last_child;
    struct scan_node *child = last ? last->follower : NULL;
    if (!child || !has_key(child, key)) {
        child = node->children;
        while (child && !has_key(child, key)) {
            child = child->next;
        }
    }
    if (child) {
        node->last_child = child;
    }
    if (child && last) {
        last->follower = child;
    }
    return child;
}

/* The same, when this is its first time in the record. */
static struct scan_node *claim_child(struct scan *scan, struct slice key)
{
    struct scan_node *child = find_child(scan->node, key);
    if (!child) {
        return NULL;
    }
    if (child->seen == scan->number) {
        scan->duplicate_keys += child->slot >= 0 || child->children;
        return NULL;
    }
    child->seen = scan->number;
    scan->keys_seen |= child->key_bits;
    return child;
}

struct pending scan_note_key(struct scan *scan, struct slice key, bool escaped, bool may_be_secret)
{
    if (escaped) {
        struct buf *decoded = &room_of(scan)->key;
        buf_clear(decoded);
        decoded->max = key.len; /* decoding never makes it longer */
        json_unescape(decoded, key);
        key = buf_slice(decoded);
    }
    return (struct pending){
        .child = scan->lengths ? claim_child(scan, key) : NULL,
        .secret = may_be_secret && !scan->secret_depth && redact_is_secret(key),
    };
}

/* --- values --- */

/* A null tells nothing, and whoever reads the message sees that nothing was there. */
void scan_note_value(struct scan *scan, struct pending pending, enum json_kind kind,
                     struct slice raw)
{
    bool secret = (pending.secret || scan->secret_depth) && kind != JSON_NULL;
    if (secret && !scan->secret_depth) {
        note_hidden(scan, raw.at, raw.at + raw.len);
    }
    if (pending.child) {
        fill_slots(scan, pending.child, secret ? hidden : (struct found){.kind = kind, .raw = raw});
    }
}

/* A copy of text in the room's arena, in quotes. */
static struct slice quoted(struct scan_room *room, struct slice text)
{
    char *copy = arena_take(&room->arena, text.len + 2);
    copy[0] = '"';
    memcpy(copy + 1, text.at, text.len);
    copy[text.len + 1] = '"';
    return slice_make(copy, text.len + 2);
}

/* Hides what is secret within a text; false when there is nothing. *with gets the edit's text. */
static bool redact_text(struct scan *scan, struct slice content, struct slice *with)
{
    struct scan_room *room = room_of(scan);
    buf_clear(&room->shown);
    room->shown.max = content.len * 4 + 64; /* no value that is hidden needs more */
    if (!redact_string_in(scan->scanner, scan->level, content, &room->shown)) {
        return false;
    }
    *with = room->shown.overflow ? (struct slice)SLICE_LITERAL(REDACTED_JSON)
                                 : quoted(room, buf_slice(&room->shown));
    return true;
}

void scan_note_text(struct scan *scan, struct pending pending, struct slice content, bool escaped,
                    bool suspicious)
{
    const char *from = content.at - 1, *to = content.at + content.len + 1; /* with its quotes */
    struct found found = {.kind = JSON_STRING, .escaped = escaped, .raw = content};
    struct slice with;
    if (scan->secret_depth) {
        found = hidden;
    } else if (pending.secret) {
        note_hidden(scan, from, to);
        found = hidden;
    } else if (suspicious && redact_text(scan, content, &with)) {
        note_edit(scan, from, to, with);
        found.redacted = true;
        found.raw = slice_make(with.at + 1, with.len - 2);
        found.escaped = memchr(found.raw.at, '\\', found.raw.len) != NULL;
    }
    if (pending.child) {
        fill_slots(scan, pending.child, found);
    }
}

/* --- objects and arrays --- */

void scan_note_open(struct scan *scan, struct pending pending, const char *at)
{
    if (pending.child) {
        scan->node = pending.child;
        scan->node_depth = scan->depth;
        scan->node->from = at;
        scan->node->first_edit = room_of(scan)->n_edits;
    }
    if (pending.secret) {
        scan->secret_depth = scan->depth;
        scan->secret_from = at;
    }
}

struct slice scan_edited(struct scan *scan, const char *from, const char *to, size_t first)
{
    struct scan_room *room = room_of(scan);
    size_t len = (size_t)(to - from);
    for (size_t i = first; i < room->n_edits; i++) {
        len += room->edits[i].with.len - (room->edits[i].to - room->edits[i].from);
    }
    char *copy = arena_take(&room->arena, len), *end = copy;
    for (size_t i = first; i < room->n_edits; i++) {
        const struct edit *edit = &room->edits[i];
        size_t before = (size_t)(scan->start + edit->from - from);
        memcpy(end, from, before);
        memcpy(end + before, edit->with.at, edit->with.len);
        end += before + edit->with.len;
        from = scan->start + edit->to;
    }
    memcpy(end, from, (size_t)(to - from));
    return slice_make(copy, len);
}

static void close_node(struct scan *scan, const char *after)
{
    struct scan_node *node = scan->node;
    scan->node = node->parent;
    scan->node_depth--;
    if (node->slot < 0) {
        return;
    }
    struct found found = {.kind = *node->from == '{' ? JSON_OBJECT : JSON_ARRAY,
                          .raw = {node->from, (size_t)(after - node->from)}};
    if (scan->secret_depth) {
        found = hidden;
    } else if (room_of(scan)->n_edits > node->first_edit) {
        found.redacted = true;
        found.raw = scan_edited(scan, node->from, after, node->first_edit);
    }
    fill_slots(scan, node, found);
}

void scan_note_close(struct scan *scan, const char *after)
{
    if (scan->depth == scan->node_depth) {
        close_node(scan, after);
    }
    if (scan->depth == scan->secret_depth) {
        scan->secret_depth = 0;
        note_hidden(scan, scan->secret_from, after);
    }
}
