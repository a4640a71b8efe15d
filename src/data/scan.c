/*
 * scan: the hot path: one walk over a text that validates it as JSON (RFC 8259) and tells
 * scan_note.c about declared keys, secret keys and suspicious texts. Most keys and values are
 * neither and cost no call.
 *
 * Where strings end is looked up in the list of scan_stops.c. The walk may look at a few bytes
 * beyond the end (EXTRACT_PADDING); what is read there never decides: each token is checked to end
 * within the text before the next is looked at.
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

static NEVER_INLINE bool has_sw(struct slice key)
{
    for (size_t i = 1; i < key.len; i++) {
        if ((key.at[i - 1] | 0x20) == 's' && (key.at[i] | 0x20) == 'w') {
            return true;
        }
    }
    return false;
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
    size_t bit = key.content.len < 63 ? key.content.len : 63;
    bool with_sw = UNLIKELY(scan->marks.sw) && has_sw(key.content);
    bool secret = may_be_secret(key.content, with_sw) | key.escaped;
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

static ALWAYS_INLINE const char *read_text(struct scan *scan, const uint32_t **next, const char *at,
                                           struct pending pending)
{
    struct string text;
    at = read_string(scan, next, at, &text);
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
    scan_list_stops(scan);
    const uint32_t *next = scan->next_stop;
    const char *at = read_start(scan);
    while (at && scan->depth) {
        struct pending pending = {NULL, false};
        if (scan->in_object) {
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
