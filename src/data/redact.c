/*
 * redact: see redact.h: which names are secret, and how a text found in a record is searched for
 * them. Called by scan_note.c for the few texts that look as if they hold JSON or a URL query.
 * Texts that are not JSON are searched by redact_bytes.c.
 */
#include "data/redact.h"

#include "base/cleanup.h"
#include "data/escape.h"
#include "data/scan.h"

/* --- names --- */

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

/* at holds at least as many bytes as the lower-case name. */
static bool same_name(const char *at, struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (lower(at[i]) != name.at[i]) {
            return false;
        }
    }
    return true;
}

static bool begins(struct slice key, const char *name)
{
    struct slice want = slice_of(name);
    return key.len >= want.len && same_name(key.at, want);
}

static bool ends(struct slice key, const char *name)
{
    struct slice want = slice_of(name);
    return key.len >= want.len && same_name(key.at + key.len - want.len, want);
}

static bool contains(struct slice key, const char *name)
{
    struct slice want = slice_of(name);
    for (size_t i = 0; i + want.len <= key.len; i++) {
        if (same_name(key.at + i, want)) {
            return true;
        }
    }
    return false;
}

static const struct slice secret_names[] = {
    SLICE_LITERAL("authorization"),   SLICE_LITERAL("proxy-authorization"),
    SLICE_LITERAL("cookie"),          SLICE_LITERAL("set-cookie"),
    SLICE_LITERAL("x-amz-signature"), SLICE_LITERAL("x-amz-credential"),
    SLICE_LITERAL("signature"),       SLICE_LITERAL("client_secret"),
};

static bool is_customer_key(struct slice key)
{
    struct slice head = SLICE_LITERAL("x-amz-"), tail = SLICE_LITERAL("-customer-key");
    return key.len >= head.len + tail.len && begins(key, head.at) && ends(key, tail.at);
}

bool redact_is_secret(struct slice key)
{
    for (size_t i = 0; i < sizeof secret_names / sizeof *secret_names; i++) {
        if (key.len == secret_names[i].len && same_name(key.at, secret_names[i])) {
            return true;
        }
    }
    /* x-amz-security-token is one of *token */
    return begins(key, "secret") || ends(key, "token") || is_customer_key(key) ||
           contains(key, "password");
}

/* --- URLs --- */

static int hex_digit(char byte)
{
    char low = lower(byte);
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

bool redact_is_secret_encoded(struct slice name)
{
    char decoded[256];
    if (name.len > sizeof decoded) {
        return redact_is_secret(name);
    }
    size_t len = 0;
    for (size_t i = 0; i < name.len; i++) {
        char byte = name.at[i] == '+' ? ' ' : name.at[i];
        if (byte == '%' && name.len - i > 2 && hex_digit(name.at[i + 1]) >= 0 &&
            hex_digit(name.at[i + 2]) >= 0) {
            byte = (char)(hex_digit(name.at[i + 1]) << 4 | hex_digit(name.at[i + 2]));
            i += 2;
        }
        if (byte != ' ' || len) {
            decoded[len++] = byte;
        }
    }
    while (len && decoded[len - 1] == ' ') {
        len--;
    }
    return redact_is_secret(slice_make(decoded, len));
}

static bool ends_query(char byte)
{
    return (unsigned char)byte <= ' ' || byte == '#' || byte == '"' || byte == '\'' || byte == '`';
}

static bool parts_pairs(char byte)
{
    return byte == '&' || byte == ';';
}

/* A name begins after '?', '&' or ';'. What has an '=' before it is a value, unless a '?' in it
 * begins another query. */
static struct slice name_before(const char *from, const char *equals)
{
    const char *at = equals;
    while (at > from && !parts_pairs(at[-1]) && at[-1] != '?' && at[-1] != '=') {
        at--;
    }
    bool value = at > from && at[-1] == '=';
    return slice_make(at, value ? 0 : (size_t)(equals - at));
}

static const char *value_end(const char *at, const char *end)
{
    while (at < end && !ends_query(*at) && !parts_pairs(*at)) {
        at++;
    }
    return at;
}

/* Appends the query that begins at `at` with secret values hidden; returns its end. */
static const char *mask_query(const char *at, const char *end, struct buf *out)
{
    const char *from = at, *copied = at;
    while (at < end && !ends_query(*at)) {
        if (*at++ != '=' || !redact_is_secret_encoded(name_before(from, at - 1))) {
            continue;
        }
        buf_add(out, slice_make(copied, (size_t)(at - copied)));
        buf_add_text(out, REDACTED_TEXT);
        at = copied = value_end(at, end);
    }
    buf_add(out, slice_make(copied, (size_t)(at - copied)));
    return at;
}

/* Appends text with the queries of all URLs in it masked. */
static void mask_urls(struct slice text, struct buf *out)
{
    const char *at = text.at, *end = text.at + text.len;
    while (at < end) {
        const char *question = memchr(at, '?', (size_t)(end - at));
        const char *query = question ? question + 1 : end;
        buf_add(out, slice_make(at, (size_t)(query - at)));
        at = mask_query(query, end, out);
    }
}

/* --- texts --- */

static bool begins_json(struct slice text)
{
    return text.len && (text.at[0] == '{' || text.at[0] == '[');
}

/* Makes room for what the scan may read behind a text. */
static void pad(struct buf *text)
{
    memset(buf_room(text, EXTRACT_PADDING), 0, EXTRACT_PADDING);
}

/* False when room->text is not JSON; else *shown is what may be shown of it. */
static bool mask_valid_json(struct scanner *scanner, int level, struct slice *shown)
{
    struct scan_room *room = &scanner->rooms[level];
    struct slice text = buf_slice(&room->text);
    struct scan scan = {
        .start = text.at, .end = text.at + text.len, .scanner = scanner, .level = level};
    scan_mark(&scan);
    if (!scan_walk(&scan)) {
        return false;
    }
    *shown = room->n_edits ? scan_edited(&scan, scan.start, scan.end, 0) : text;
    return true;
}

/* room->text, which is JSON or looks like it, made showable. */
static struct slice mask_json(struct scanner *scanner, int level)
{
    struct scan_room *room = &scanner->rooms[level];
    struct slice shown;
    if (mask_valid_json(scanner, level, &shown)) {
        return shown;
    }
    redact_bytes(buf_slice(&room->text), SIZE_MAX, &room->masked);
    if (!buf_room(&room->masked, EXTRACT_PADDING)) {
        return (struct slice)SLICE_LITERAL(REDACTED_TEXT);
    }
    /* what was wrong may have been in a value that is hidden now */
    struct buf swap = room->text;
    room->text = room->masked;
    room->masked = swap;
    pad(&room->text);
    return mask_valid_json(scanner, level, &shown) ? shown : buf_slice(&room->text);
}

/* Decodes content to room->text. */
static void decode(struct scan_room *room, struct slice content)
{
    buf_clear(&room->text);
    room->text.max = content.len + EXTRACT_PADDING;
    json_unescape(&room->text, content);
    pad(&room->text);
    buf_clear(&room->masked);
    room->masked.max = content.len * 4 + 2 * EXTRACT_PADDING; /* no hidden value needs more */
}

/* The text of the room, which is that of a string, made showable. */
static struct slice mask_text(struct scanner *scanner, int level, bool query)
{
    struct scan_room *room = &scanner->rooms[level];
    struct slice text = buf_slice(&room->text);
    if (begins_json(text)) {
        return level > SCAN_LEVELS_MAX ? (struct slice)SLICE_LITERAL(REDACTED_TEXT)
                                       : mask_json(scanner, level);
    }
    if (!query) {
        return text;
    }
    mask_urls(text, &room->masked);
    return room->masked.overflow ? (struct slice)SLICE_LITERAL(REDACTED_TEXT)
                                 : buf_slice(&room->masked);
}

bool redact_string_in(struct scanner *scanner, int level, struct slice content, struct buf *out)
{
    struct scan_room *room = &scanner->rooms[level + 1];
    bool query = memchr(content.at, '?', content.len) &&
                 (memchr(content.at, '=', content.len) || memchr(content.at, '\\', content.len));
    decode(room, content);
    struct slice text = buf_slice(&room->text);
    struct slice shown = mask_text(scanner, level + 1, query);
    if (slice_equal(shown, text)) {
        return false;
    }
    json_escape(out, shown);
    return true;
}

bool redact_string(struct slice content, int level, struct buf *out)
{
    CLEANUP(scanner_finish) struct scanner scanner = {0};
    return redact_string_in(&scanner, level, content, out);
}
