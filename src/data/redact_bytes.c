/*
 * redact_bytes: masks what follows secret names in bytes that are not JSON: cut records, header
 * lines, JSON with a fault in it. There is no grammar to rely on, so it looks back from every ':'
 * and '=' for a name, and where the end of a value is in doubt it masks on. Called for dead letters
 * and for strings that only look like JSON.
 */
#include "data/escape.h"
#include "data/redact.h"
#include "data/scan.h"

enum { NAME_MAX_BYTES = 256 }; /* of a name that is looked back for */

static bool is_quote(char byte)
{
    return byte == '"' || byte == '\'';
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool is_alnum(char byte)
{
    char low = byte | 0x20;
    return (byte >= '0' && byte <= '9') || (low >= 'a' && low <= 'z');
}

/* A byte of one name; '%' and '+' since it may be encoded as in a URL. */
static bool is_word(char byte)
{
    return is_alnum(byte) || byte == '_' || byte == '-' || byte == '%' || byte == '+';
}

/* As many bytes before `to` as are words, dots allowed or not. */
static struct slice words_before(const char *begin, const char *to, bool dots)
{
    const char *from = to;
    while (from > begin && to - from < NAME_MAX_BYTES &&
           (is_word(from[-1]) || (dots && from[-1] == '.'))) {
        from--;
    }
    return slice_make(from, (size_t)(to - from));
}

static bool ends_with(struct slice name, const char *end)
{
    size_t len = strlen(end);
    return name.len >= len && strncasecmp(name.at + name.len - len, end, len) == 0;
}

/* Headers hold lists, with blanks and commas, to the end of the line. */
static bool is_header(struct slice name)
{
    return ends_with(name, "cookie") || ends_with(name, "authorization");
}

static bool is_secret_word(struct slice word)
{
    return redact_is_secret_encoded(word) ||
           (word.len == 10 && strncasecmp(word.at, "credential", word.len) == 0);
}

/* The name as a whole, and the last word of it: "request.header.Authorization". */
static bool is_secret_name(struct slice name)
{
    return is_secret_word(name) || is_secret_word(words_before(name.at, name.at + name.len, false));
}

/* to is behind the closing quote. */
static struct slice quoted_before(const char *begin, const char *to)
{
    to--;
    while (to > begin && to[-1] == '\\') {
        to--;
    }
    const char *from = to;
    while (from > begin && !is_quote(from[-1]) && to - from < NAME_MAX_BYTES) {
        from--;
    }
    return slice_make(from, (size_t)(to - from));
}

static struct slice unquoted_before(const char *begin, const char *to)
{
    struct slice name = words_before(begin, to, true);
    if (name.at > begin && name.at[-1] == '\\') { /* "\u0026name", "\nname" */
        size_t escape = name.len && name.at[0] == 'u' ? 5 : 1;
        escape = escape < name.len ? escape : name.len;
        name = slice_make(name.at + escape, name.len - escape);
    }
    return name;
}

/* The name that a ':' or '=' at `at` belongs to. */
static struct slice name_before(const char *begin, const char *at)
{
    while (at > begin && is_blank(at[-1])) {
        at--;
    }
    return at > begin && is_quote(at[-1]) ? quoted_before(begin, at) : unquoted_before(begin, at);
}

static bool names_secret(struct slice name)
{
    char space[NAME_MAX_BYTES + 1];
    struct buf decoded = {.at = space, .size = sizeof space, .max = NAME_MAX_BYTES};
    if (name.len && memchr(name.at, '\\', name.len) && json_unescape(&decoded, name)) {
        return is_secret_name(buf_slice(&decoded));
    }
    return is_secret_name(name);
}

/* The quote that closes a value which was opened by a quote behind `slashes` backslashes. */
static const char *closing_quote(const char *at, const char *end, char quote, size_t slashes)
{
    size_t run = 0;
    for (; at < end; at++) {
        if (*at == quote && run <= slashes) {
            return at - run;
        }
        run = *at == '\\' ? run + 1 : 0;
    }
    return end;
}

static const char *bare_end(const char *at, const char *end, bool header)
{
    const char *stops = header ? "\"\r\n" : "\",}& \t\r\n";
    while (at < end && (*at == '\0' || !strchr(stops, *at))) {
        at++;
    }
    return at;
}

/* [*from, returned) is the value that begins at or after *from. */
static const char *find_value(const char **from, const char *end, bool header)
{
    const char *at = *from;
    while (at < end && is_blank(*at)) {
        at++;
    }
    size_t slashes = 0;
    while (at + slashes < end && at[slashes] == '\\') {
        slashes++;
    }
    if (at + slashes < end && is_quote(at[slashes])) {
        *from = at + slashes + 1;
        return closing_quote(*from, end, at[slashes], slashes);
    }
    *from = at;
    bool structure = at < end && (*at == '{' || *at == '[');
    return structure ? end : bare_end(at, end, header);
}

/* "Bearer" and blanks at `at`: what they are long, or 0. */
static size_t bearer_len(const char *begin, const char *at, const char *end)
{
    size_t len = strlen("bearer");
    if ((*at | 0x20) != 'b' || (size_t)(end - at) <= len || strncasecmp(at, "bearer", len) != 0 ||
        (at > begin && is_alnum(at[-1])) || !is_blank(at[len])) {
        return 0;
    }
    while (at + len < end && is_blank(at[len])) {
        len++;
    }
    return len;
}

/* If a secret value follows what stands at *at: sets [*at, returned) to it. */
static const char *secret_value(const char *begin, const char **at, const char *end)
{
    size_t bearer = bearer_len(begin, *at, end);
    if (bearer) {
        *at += bearer;
        return bare_end(*at, end, false);
    }
    if (**at != ':' && **at != '=') {
        return NULL;
    }
    struct slice name = name_before(begin, *at);
    if (!names_secret(name)) {
        return NULL;
    }
    ++*at;
    return find_value(at, end, is_header(name));
}

/* Appends what fits into *left. */
static void put(struct buf *out, struct slice bytes, size_t *left)
{
    bytes.len = bytes.len < *left ? bytes.len : *left;
    *left = buf_add(out, bytes) ? *left - bytes.len : 0;
}

void redact_bytes(struct slice bytes, size_t max_bytes, struct buf *out)
{
    if (!bytes.len) {
        return;
    }
    const char *at = bytes.at, *copied = at, *end = at + bytes.len;
    size_t left = max_bytes;
    while (at < end && (size_t)(at - copied) < left) {
        const char *value = at;
        const char *after = secret_value(copied, &value, end); /* no name reaches into a value */
        if (!after) {
            at++;
            continue;
        }
        put(out, slice_make(copied, (size_t)(value - copied)), &left);
        put(out, (struct slice)SLICE_LITERAL(REDACTED_TEXT), &left);
        at = copied = after;
    }
    put(out, slice_make(copied, (size_t)(at - copied)), &left);
}
