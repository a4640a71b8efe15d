/*
 * scan: the hot path: one walk over a text that validates it as JSON (RFC 8259) and tells
 * scan_note.c about declared keys, secret keys and suspicious texts. Most keys and values are
 * neither and cost no call.
 *
 * Where strings end is looked up in the bits of scan_mark.c. Of other bytes the walk may look at a
 * few beyond the end (EXTRACT_PADDING); what is read there never decides: each token is checked to
 * end within the text before the next is looked at.
 */
#include "data/scan.h"

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

/* The 64 bits of `first` and the word a block after it that belong to the bytes from i on. */
static ALWAYS_INLINE uint64_t bits_from(uint64_t first, uint64_t second, size_t i)
{
    size_t shift = i % SCAN_BLOCK_BYTES;
    return first >> shift | second << 1 << (SCAN_BLOCK_BYTES - 1 - shift);
}

/* There is no stop in the 64 bytes from i on. */
static NEVER_INLINE const char *string_stop_far(const struct scan *scan, size_t i)
{
    const struct scan_block *block = &scan->blocks[i / SCAN_BLOCK_BYTES + 1];
    while (!block->stop) { /* the last has one */
        block++;
    }
    return scan->start + (block - scan->blocks) * SCAN_BLOCK_BYTES + __builtin_ctzll(block->stop);
}

/* The first byte from at on that a string cannot hold as it is: a quote, a backslash or a control
 * character, or one at or behind the end. */
static ALWAYS_INLINE const char *string_stop(const struct scan *scan, const char *at)
{
    size_t i = (size_t)(at - scan->start);
    const struct scan_block *block = &scan->blocks[i / SCAN_BLOCK_BYTES];
    uint64_t stops = bits_from(block[0].stop, block[1].stop, i);
    return LIKELY(stops) ? at + __builtin_ctzll(stops) : string_stop_far(scan, i);
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

/* What follows the first backslash. Kept out of the way: most strings have none. */
static NEVER_INLINE const char *string_rest(struct scan *scan, const char *at)
{
    while (*at == '\\') {
        at = escape_end(scan, at);
        if (!at) {
            return NULL;
        }
        at = string_stop(scan, at);
    }
    return at;
}

/* at is the opening quote; returns what follows the closing one. */
static ALWAYS_INLINE const char *read_string(struct scan *scan, const char *at, struct string *out)
{
    bool escaped = false;
    const char *stop = string_stop(scan, at + 1);
    if (UNLIKELY(*stop == '\\')) {
        escaped = true;
        stop = string_rest(scan, stop);
        if (!stop) {
            return NULL;
        }
    }
    if (UNLIKELY(stop >= scan->end || *stop != '"')) {
        return fault(scan, stop, "a control character in a string");
    }
    *out = (struct string){.content = {at + 1, (size_t)(stop - at) - 1}, .escaped = escaped};
    return stop + 1;
}

/* --- keys --- */

/* By first letter: what a name of redact.h that begins with it looks like. *password* and *token
 * are found by other means: by the "sw" in it, and by the end. */
struct looks {
    uint32_t lengths; /* bit min(length, 31) */
    uint32_t letters; /* bit letter & 31: the last one, of names in s the third */
};

#define FROM_LENGTH(least) (~UINT32_C(0) << (least))
#define LETTER(letter) (UINT32_C(1) << ((letter)&31))
#define AUTHORIZATION        \
    {                        \
        1 << 13, LETTER('n') \
    }
#define COOKIE_CLIENT_SECRET                        \
    {                                               \
        1 << 6 | 1 << 13, LETTER('e') | LETTER('t') \
    }
#define PROXY_AUTHORIZATION  \
    {                        \
        1 << 19, LETTER('n') \
    }
#define SECRET_SET_COOKIE_SIGNATURE                             \
    {                                                           \
        FROM_LENGTH(6), LETTER('c') | LETTER('t') | LETTER('g') \
    }
#define X_AMZ                                                                        \
    {                                                                                \
        1 << 15 | 1 << 16 | FROM_LENGTH(19), LETTER('e') | LETTER('l') | LETTER('y') \
    }

static const struct looks secret_looks[256] = {
    ['a'] = AUTHORIZATION,
    ['A'] = AUTHORIZATION,
    ['c'] = COOKIE_CLIENT_SECRET,
    ['C'] = COOKIE_CLIENT_SECRET,
    ['p'] = PROXY_AUTHORIZATION,
    ['P'] = PROXY_AUTHORIZATION,
    ['s'] = SECRET_SET_COOKIE_SIGNATURE,
    ['S'] = SECRET_SET_COOKIE_SIGNATURE,
    ['x'] = X_AMZ,
    ['X'] = X_AMZ,
};

/* Cheap, and never wrong about a secret key; redact_is_secret has the last word. */
static ALWAYS_INLINE bool may_be_secret(struct slice key, bool with_sw)
{
    const struct looks *looks = &secret_looks[(unsigned char)key.at[0]];
    size_t length = key.len < 31 ? key.len : 31;
    char last = (key.at + key.len)[-1]; /* of an empty key its quote */
    char letter = (key.at[0] | 0x20) == 's' ? key.at[2] : last;
    bool named = (looks->lengths >> length & looks->letters >> (letter & 31) & 1) != 0;
    bool token = ((last | 0x20) == 'n') & ((key.at[key.len < 5 ? 0 : key.len - 3] | 0x20) == 'k');
    return named | token | with_sw;
}

/* Of a long key it is not looked up: it might. */
static ALWAYS_INLINE bool has_sw(const struct scan *scan, struct slice key)
{
    size_t i = (size_t)(key.at - scan->start);
    const struct scan_block *block = &scan->blocks[i / SCAN_BLOCK_BYTES];
    uint64_t beyond = key.len < SCAN_BLOCK_BYTES ? ~UINT64_C(0) << key.len : 0;
    return key.len > SCAN_BLOCK_BYTES || (bits_from(block[0].sw, block[1].sw, i) & ~beyond) != 0;
}

/* Reads a key and the colon; returns where the value begins. */
static ALWAYS_INLINE const char *read_key(struct scan *scan, const char *at,
                                          struct pending *pending)
{
    if (UNLIKELY(*at != '"')) {
        return fault(scan, at, "a key in quotes is missing");
    }
    struct string key;
    at = read_string(scan, at, &key);
    if (UNLIKELY(!at)) {
        return NULL;
    }
    size_t bit = key.content.len < 63 ? key.content.len : 63;
    bool secret = may_be_secret(key.content, has_sw(scan, key.content)) | key.escaped;
    if ((scan->lengths >> bit & 1) | secret) {
        *pending = scan_note_key(scan, key.content, key.escaped, secret);
    }
    at = skip_space(at, scan->end);
    if (UNLIKELY(*at != ':')) {
        return fault(scan, at, "a ':' is missing");
    }
    return skip_space(at + 1, scan->end);
}

/* --- objects and arrays --- */

static void set_lengths(struct scan *scan)
{
    bool on_path = scan->in_object && scan->node_depth == scan->depth;
    scan->lengths = on_path ? scan->node->child_lengths : 0;
}

static void close_container(struct scan *scan, const char *after)
{
    if (scan->depth == scan->node_depth || scan->depth == scan->secret_depth) {
        scan_note_close(scan, after);
    }
    scan->depth--;
    unsigned level = scan->depth - 1; /* of the one around it */
    scan->in_object = scan->depth && (scan->objects[level / 64] >> level % 64 & 1);
    set_lengths(scan);
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
    set_lengths(scan);
    at = skip_space(at + 1, scan->end);
    return *at == (object ? '}' : ']') ? read_after(scan, at) : at;
}

/* --- values --- */

/* An escape may hide the bracket of a JSON text. */
static ALWAYS_INLINE bool is_suspicious(const struct scan *scan, const struct string *text)
{
    char first = text->content.at[0];
    bool bracket = (first == '{') | (first == '[') | (text->escaped & (first == '\\'));
    return bracket || (UNLIKELY(scan->marks.questions) &&
                       memchr(text->content.at, '?', text->content.len) != NULL);
}

static ALWAYS_INLINE const char *read_text(struct scan *scan, const char *at,
                                           struct pending pending)
{
    struct string text;
    at = read_string(scan, at, &text);
    if (UNLIKELY(!at)) {
        return NULL;
    }
    bool suspicious = is_suspicious(scan, &text);
    if (UNLIKELY(suspicious | (pending.child != NULL) | pending.secret)) {
        scan_note_text(scan, pending, text.content, text.escaped, suspicious);
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
static ALWAYS_INLINE const char *read_value(struct scan *scan, const char *at,
                                            struct pending pending)
{
    if (UNLIKELY(at >= scan->end)) {
        return fault(scan, at, NULL);
    }
    if (LIKELY(*at == '"')) {
        at = read_text(scan, at, pending);
    } else if (*at == '{' || *at == '[') {
        return open_container(scan, at, pending);
    } else {
        at = read_literal(scan, at, pending);
    }
    return at ? read_after(scan, at) : NULL;
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
    room->n_edits = 0;
    arena_reset(&room->arena);
    const char *at = read_start(scan);
    while (at && scan->depth) {
        struct pending pending = {NULL, false};
        if (scan->in_object) {
            at = read_key(scan, at, &pending);
            if (UNLIKELY(!at)) {
                return false;
            }
        }
        at = read_value(scan, at, pending);
    }
    if (!at) {
        return false;
    }
    at = skip_space(at, scan->end);
    return at >= scan->end || fault(scan, at, "something follows the end of the object") != NULL;
}
