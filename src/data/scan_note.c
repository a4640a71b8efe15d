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
    free(scanner->known);
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

/* --- keys --- */

static struct scan_node *find_child(const struct scan_node *node, struct slice key)
{
    struct scan_node *child = node->children;
    while (child && !slice_equal(child->key, key)) {
        child = child->next;
    }
    return child;
}

static struct slice decoded(struct scan *scan, struct slice key)
{
    struct buf *to = &room_of(scan)->key;
    buf_clear(to);
    to->max = key.len; /* decoding never makes it longer */
    json_unescape(to, key);
    return buf_slice(to);
}

const struct known_key *scan_note_key(struct scan *scan, struct known_key *place_to_keep,
                                      struct slice key, bool escaped)
{
    struct slice name = escaped ? decoded(scan, key) : key;
    struct known_key *known = place_to_keep;
    if (escaped || key.len > SCAN_KNOWN_BYTES) {
        known = &scan->scanner->unkept;
    } else {
        memcpy(known->bytes, key.at, key.len);
    }
    known->place_and_length = scan->place + key.len;
    known->child = scan->place ? find_child(scan->node, name) : NULL;
    known->secret = redact_is_secret(name);
    known->says = known->child || known->secret;
    return known;
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
        struct found found = {.kind = kind, .raw = raw};
        scan_fill_slots(scan, pending.child, secret ? &hidden : &found);
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
                    bool json)
{
    bool suspicious =
        json || (scan->marks.questions && memchr(content.at, '?', content.len) != NULL);
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
        scan_fill_slots(scan, pending.child, &found);
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
        scan->every_text = true;
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
    scan_fill_slots(scan, node, &found);
}

void scan_note_close(struct scan *scan, const char *after)
{
    if (scan->depth == scan->node_depth) {
        close_node(scan, after);
    }
    if (scan->depth == scan->secret_depth) {
        scan->secret_depth = 0;
        scan->every_text = scan->marks.questions;
        note_hidden(scan, scan->secret_from, after);
    }
}
