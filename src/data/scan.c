/*
 * scan: the hot path: one walk over a text that validates it as JSON (RFC 8259), keeps the values
 * of declared keys, and tells scan_note.c about keys that it has not met lately, secret values and
 * suspicious texts. Most keys and values are none of these and cost no call.
 *
 * Where strings end is looked up in the list of scan_stops.c. The walk may look at a few bytes
 * beyond the end (EXTRACT_PADDING); what is read there never decides: each token is checked to end
 * within the text before the next is looked at.
 */
#include "data/scan.h"

#include "base/memory.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))
#define NEVER_INLINE __attribute__((noinline))

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* A string of the text. */
struct string {
    struct slice content; /* between the quotes */
    bool escaped;
};

static NEVER_INLINE void set_fault(struct scan *scan, const char *at, const char *what)
{
    scan->fault = at < scan->end ? what : "the text ends too early";
    scan->fault_at = at < scan->end ? at : scan->end;
}

/* Always NULL, the walk's sign to stop. */
static ALWAYS_INLINE const char *fault(struct scan *scan, const char *at, const char *what)
{
    set_fault(scan, at, what);
    return NULL;
}

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

static ALWAYS_INLINE const char *skip_space(const char *at, const char *end)
{
    if (LIKELY((unsigned char)*at > ' ')) {
        return at;
    }
    if (LIKELY(*at == ' ' && (unsigned char)at[1] > ' ')) {
        return at + 1;
    }
    while (at < end && is_space(*at)) {
        at++;
    }
    return at;
}

/* --- strings --- */

/* The first byte from at on that a string cannot hold as it is: a quote, a backslash or a control
 * character, or the end. Lists on where the list is too short. */
static const char *string_stop(struct scan *scan, const char *at)
{
    size_t from = (size_t)(at - scan->start), len = (size_t)(scan->end - scan->start);
    for (;;) {
        while (*scan->next_stop < from && *scan->next_stop < len) {
            scan->next_stop++;
        }
        if (*scan->next_stop < len || !scan_list_stops(scan)) {
            return scan->start + *scan->next_stop;
        }
    }
}

/* The byte after the escape that begins at the backslash at `at`. */
static const char *escape_end(struct scan *scan, const char *at)
{
    const char *after = at < scan->end ? scan_escape_end(at) : NULL;
    if (after) {
        return after;
    }
    return fault(scan, at,
                 at[1] == 'u' ? "\\u without four hexadecimal digits"
                              : "an escape that JSON does not have");
}

/* A string with escapes, behind white space with control characters, at the list's end, or without
 * an end of its own. */
static NEVER_INLINE const char *read_string_slowly(struct scan *scan, const char *at,
                                                   struct string *out)
{
    const char *stop = string_stop(scan, at + 1);
    out->escaped = *stop == '\\';
    while (stop < scan->end && *stop == '\\') {
        stop = escape_end(scan, stop);
        if (!stop) {
            return NULL;
        }
        stop = string_stop(scan, stop);
    }
    if (stop >= scan->end || *stop != '"') {
        return fault(scan, stop, "a control character in a string");
    }
    out->content = slice_make(at + 1, (size_t)(stop - at) - 1);
    scan->next_stop++;
    return stop + 1;
}

/* at is the opening quote; returns what follows the closing one. *next is scan->next_stop, kept
 * where the compiler likes it best. */
static ALWAYS_INLINE const char *read_string(struct scan *scan, const uint32_t **next,
                                             const char *at, struct string *out)
{
    const char *stop = scan->start + (*next)[1];
    if (LIKELY((*next)[0] == (size_t)(at - scan->start) && stop < scan->end && *stop == '"')) {
        *next += 2;
        out->content = slice_make(at + 1, (size_t)(stop - at) - 1);
        out->escaped = false;
        return stop + 1;
    }
    scan->next_stop = *next;
    at = read_string_slowly(scan, at, out);
    *next = scan->next_stop;
    return at;
}

/* --- keys --- */

static ALWAYS_INLINE uint64_t word_at(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Where what is known of the key would be kept: by its place, its length and its ends: the first
 * four bytes and the last two, with the two behind them. The four may reach into the value of a
 * very short key, which is kept more than once then. */
static ALWAYS_INLINE struct known_key *known_at(const struct scan *scan, struct slice key)
{
    enum { INDEX_BITS = 10 };
    _Static_assert(1 << INDEX_BITS == SCAN_KNOWN_KEYS, "an index for each");
    uint32_t first, last;
    memcpy(&first, key.at, sizeof first);
    memcpy(&last, key.at + key.len - 2, sizeof last);
    uint64_t mixed = ((uint64_t)last << 32 | first) + scan->place + key.len;
    return &scan->known[mixed * UINT64_C(0x9E3779B97F4A7C15) >> (64 - INDEX_BITS)];
}

/* Fewer than eight. */
static ALWAYS_INLINE bool same_few_bytes(const char *a, const char *b, size_t len)
{
    enum { HALF = sizeof(uint32_t) };
    if (len >= HALF) {
        return memcmp(a, b, HALF) == 0 && memcmp(a + len - HALF, b + len - HALF, HALF) == 0;
    }
    for (size_t i = 0; i < len; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

/* memcmp() of short names, without the call: word by word, the last one over some of the one before
 * it. */
static ALWAYS_INLINE bool same_bytes(const char *a, const char *b, size_t len)
{
    enum { WORD = sizeof(uint64_t) };
    if (len < WORD) {
        return same_few_bytes(a, b, len);
    }
    size_t last = len - WORD;
    uint64_t differ = (word_at(a) ^ word_at(b)) | (word_at(a + last) ^ word_at(b + last));
    for (size_t i = WORD; i < last; i += WORD) {
        differ |= word_at(a + i) ^ word_at(b + i);
    }
    return differ == 0;
}

static ALWAYS_INLINE bool is_known(const struct scan *scan, const struct known_key *known,
                                   struct slice key)
{
    return known->place_and_length == scan->place + key.len &&
           same_bytes(known->bytes, key.at, key.len);
}

/* The child, when this is its first time in the record. */
static ALWAYS_INLINE struct scan_node *claim(struct scan *scan, struct scan_node *child)
{
    if (UNLIKELY(child->seen == scan->number)) {
        scan->duplicate_keys += child->slot >= 0 || child->children;
        return NULL;
    }
    child->seen = scan->number;
    scan->keys_seen |= child->key_bits;
    return child;
}

/* What the key says about its value. Few keys make up most of the records, and most of them say
 * nothing. */
static ALWAYS_INLINE struct pending look_up(struct scan *scan, struct slice key, bool escaped)
{
    struct known_key *place = known_at(scan, key);
    const struct known_key *known = place;
    if (UNLIKELY(!is_known(scan, known, key))) {
        known = scan_note_key(scan, place, key, escaped);
    }
    struct pending pending = {NULL, false};
    if (UNLIKELY(known->says)) {
        pending.child = known->child ? claim(scan, known->child) : NULL;
        pending.secret = known->secret && !scan->secret_depth;
    }
    return pending;
}

/* Reads a key and the colon; returns where the value begins. */
static ALWAYS_INLINE const char *read_key(struct scan *scan, const uint32_t **next, const char *at,
                                          struct pending *pending)
{
    if (UNLIKELY(*at != '"')) {
        return fault(scan, at, "a key in quotes is missing");
    }
    struct string key;
    at = read_string(scan, next, at, &key);
    if (UNLIKELY(!at)) {
        return NULL;
    }
    *pending = look_up(scan, key.content, key.escaped);
    at = skip_space(at, scan->end);
    if (UNLIKELY(*at != ':')) {
        return fault(scan, at, "a ':' is missing");
    }
    return skip_space(at + 1, scan->end);
}

/* --- objects and arrays --- */

static void set_place(struct scan *scan)
{
    bool on_path = scan->in_object && scan->node_depth == scan->depth;
    scan->place = on_path ? (uint64_t)scan->node->number << 32 : 0;
}

static void close_container(struct scan *scan, const char *after)
{
    if (scan->depth == scan->node_depth || scan->depth == scan->secret_depth) {
        scan_note_close(scan, after);
    }
    scan->depth--;
    unsigned level = scan->depth - 1; /* of the one around it */
    scan->in_object = scan->depth && (scan->objects[level / 64] >> level % 64 & 1);
    set_place(scan);
}

/* What may follow a value: closing brackets, then a comma. Returns where the next element begins,
 * or what follows the last bracket. */
static ALWAYS_INLINE const char *read_after(struct scan *scan, const char *at)
{
    for (;;) {
        at = skip_space(at, scan->end);
        if (UNLIKELY(at >= scan->end)) {
            return fault(scan, at, NULL);
        }
        if (LIKELY(*at == ',')) {
            return skip_space(at + 1, scan->end);
        }
        if (UNLIKELY(*at != (scan->in_object ? '}' : ']'))) {
            return fault(scan, at,
                         scan->in_object ? "a comma or '}' is missing"
                                         : "a comma or ']' is missing");
        }
        at++;
        close_container(scan, at);
        if (!scan->depth) {
            return at;
        }
    }
}

/* Returns where its first element begins; an empty one is closed at once. */
static NEVER_INLINE const char *open_container(struct scan *scan, const char *at,
                                               struct pending pending)
{
    if (scan->depth == EXTRACT_DEPTH) {
        return fault(scan, at, "more than 1,000 levels");
    }
    bool object = *at == '{';
    unsigned level = scan->depth++;
    uint64_t bit = UINT64_C(1) << level % 64;
    scan->objects[level / 64] &= ~bit;
    scan->objects[level / 64] |= object ? bit : 0;
    scan->in_object = object;
    if (pending.child || pending.secret) {
        scan_note_open(scan, pending, at);
    }
    set_place(scan);
    at = skip_space(at + 1, scan->end);
    return *at == (object ? '}' : ']') ? read_after(scan, at) : at;
}

/* --- values --- */

/* An escape may hide the bracket of a JSON text. */
static ALWAYS_INLINE bool looks_like_json(const struct string *text)
{
    char first = text->content.at[0]; /* of an empty one its quote */
    return first == '{' || first == '[' || (text->escaped && first == '\\');
}

static ALWAYS_INLINE void note_text(struct scan *scan, struct pending pending,
                                    const struct string *text)
{
    bool json = looks_like_json(text);
    if (UNLIKELY(json || pending.secret || scan->every_text)) {
        scan_note_text(scan, pending, text->content, text->escaped, json);
    } else if (pending.child) {
        struct found found = {.kind = JSON_STRING, .escaped = text->escaped, .raw = text->content};
        scan_fill_slots(scan, pending.child, &found);
    }
}

static ALWAYS_INLINE const char *read_text(struct scan *scan, const uint32_t **next, const char *at,
                                           struct pending pending)
{
    struct string text;
    at = read_string(scan, next, at, &text);
    if (LIKELY(at)) {
        note_text(scan, pending, &text);
    }
    return at;
}

static NEVER_INLINE const char *read_literal(struct scan *scan, const char *at,
                                             struct pending pending)
{
    enum json_kind kind;
    const char *after = scan_literal_end(at, scan->end, &kind);
    if (!after) {
        return fault(scan, at,
                     kind == JSON_NUMBER ? "a number in a form that JSON does not have"
                                         : "a value is missing");
    }
    if (pending.child || pending.secret) {
        scan_note_value(scan, pending, kind, slice_make(at, (size_t)(after - at)));
    }
    return after;
}

/* Reads a value or the opening bracket of one; returns where the next element begins. */
static ALWAYS_INLINE const char *read_value(struct scan *scan, const uint32_t **next,
                                            const char *at, struct pending pending)
{
    if (UNLIKELY(at >= scan->end)) {
        return fault(scan, at, NULL);
    }
    if (LIKELY(*at == '"')) {
        at = read_text(scan, next, at, pending);
    } else if (*at == '{' || *at == '[') {
        return open_container(scan, at, pending);
    } else {
        at = read_literal(scan, at, pending);
    }
    return at ? read_after(scan, at) : NULL;
}

static ALWAYS_INLINE bool four_are(const char *at, const char *four)
{
    return memcmp(at, four, 4) == 0;
}

/* Reads members as long as they are written `"key": "text", "`, as nearly all are: with fewer looks
 * than read_key() and read_value(), which read the others. Returns where the next member begins.
 * The fifth stop is the next member's first quote, so all lies within the text. */
static ALWAYS_INLINE const char *read_members(struct scan *scan, const uint32_t **next,
                                              const char *at)
{
    const char *start = scan->start;
    const uint32_t *stops = *next;
    size_t len = (size_t)(scan->end - start);
    if (*at != '"' || stops[0] != (size_t)(at - start)) {
        return at;
    }
    while (stops[4] < len && four_are(start + stops[1], "\": \"") &&
           four_are(start + stops[3], "\", \"")) {
        struct slice key = slice_make(start + stops[0] + 1, stops[1] - stops[0] - 1);
        struct string text = {slice_make(start + stops[2] + 1, stops[3] - stops[2] - 1), false};
        note_text(scan, look_up(scan, key, false), &text);
        stops += 4;
    }
    *next = stops;
    return start + stops[0];
}

static const char *read_start(struct scan *scan)
{
    const char *at = skip_space(scan->start, scan->end);
    if (at >= scan->end || (*at != '{' && *at != '[')) {
        return fault(scan, at, "neither an object nor an array");
    }
    if (scan->root && *at != '{') {
        return fault(scan, at, "a record must be an object");
    }
    return open_container(scan, at, (struct pending){.child = scan->root});
}

bool scan_walk(struct scan *scan)
{
    struct scan_room *room = &scan->scanner->rooms[scan->level];
    if (!scan->scanner->known) {
        scan->scanner->known = memory_new(SCAN_KNOWN_KEYS * sizeof *scan->scanner->known);
    }
    scan->known = scan->scanner->known;
    scan->every_text = scan->marks.questions;
    room->n_edits = 0;
    arena_reset(&room->arena);
    scan_list_stops(scan);
    const uint32_t *next = scan->next_stop;
    const char *at = read_start(scan);
    while (at && scan->depth) {
        struct pending pending = {NULL, false};
        if (scan->in_object) {
            at = read_members(scan, &next, at);
            at = read_key(scan, &next, at, &pending);
            if (UNLIKELY(!at)) {
                return false;
            }
        }
        at = read_value(scan, &next, at, pending);
    }
    if (!at) {
        return false;
    }
    at = skip_space(at, scan->end);
    return at >= scan->end || fault(scan, at, "something follows the end of the object") != NULL;
}
