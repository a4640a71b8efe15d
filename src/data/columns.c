/* columns: see columns.h. */
#include "data/columns.h"

#include "api/flow.h"
#include "base/buf.h"
#include "base/decimal.h"
#include "base/timestamp.h"
#include "base/utf8.h"
#include "data/escape.h"

/* --- the value as a text --- */

/* The arena keeps every block it ever made. Long texts ask for powers of two, so that records of
 * ever new lengths do not each leave a block of its own behind. */
static size_t scratch_bytes(size_t len)
{
    enum { LONG_BYTES = 32 * 1024 };
    size_t bytes = LONG_BYTES;
    while (bytes < len) {
        bytes *= 2;
    }
    return len < LONG_BYTES ? len : bytes;
}

static struct slice decoded(struct reading *reading, struct slice content)
{
    /* A buf over borrowed memory: decoding never makes a text longer, so it never grows. */
    struct buf out = {
        .at = arena_take(reading->scratch, scratch_bytes(content.len + 1)),
        .size = content.len + 1,
        .max = content.len,
    };
    json_unescape(&out, content);
    return buf_slice(&out);
}

struct slice column_shown(struct reading *reading, const struct found *found)
{
    return found->kind == JSON_STRING && found->escaped ? decoded(reading, found->raw) : found->raw;
}

static struct slice cut_to(struct reading *reading, struct slice text, size_t max)
{
    if (text.len <= max) {
        return text;
    }
    reading->cut++;
    return utf8_cut(text, max);
}

struct slice column_text(struct reading *reading, const struct found *found)
{
    return cut_to(reading, column_shown(reading, found), SCHEMA_TEXT_MAX_BYTES);
}

/* --- tags --- */

/* U+0080 to U+009F are control characters too: C2 80 to C2 9F. */
static bool is_control(const unsigned char *at, size_t left, size_t *len)
{
    *len = at[0] == 0xC2 && left > 1 ? 2 : 1;
    return at[0] < 0x20 || at[0] == 0x7F || (*len == 2 && at[1] < 0xA0);
}

/* Printable ASCII without a backslash; what is not is looked at more closely. */
static bool is_clean(struct slice text)
{
    bool clean = true;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        clean &= c >= ' ' && c < 0x7F && c != '\\';
    }
    return clean;
}

/* The same of a value, mostly known without a look at it. */
static bool is_clean_value(const struct reading *reading, const struct found *found,
                           struct slice text)
{
    bool plain = found->kind == JSON_STRING && !found->escaped && !found->redacted;
    return (plain && reading->extracted.printable) || is_clean(text);
}

static size_t copy_without_controls(char *to, struct slice text)
{
    size_t written = 0;
    for (size_t i = 0, len = 1; i < text.len; i += len) {
        const unsigned char *at = (const unsigned char *)text.at + i;
        if (is_control(at, text.len - i, &len)) {
            to[written++] = ' ';
            continue;
        }
        memcpy(to + written, at, len);
        written += len;
    }
    return written;
}

static bool ends_after_backslash(char next)
{
    return next == ',' || next == ' ' || next == '=';
}

static void replace_lost_backslashes(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\\' && (i + 1 == len || ends_after_backslash(text[i + 1]))) {
            text[i] = '/';
        }
    }
}

static struct slice clean_tag(struct reading *reading, struct slice text)
{
    /* A control character of two bytes becomes one: twice the maximum is enough to look at. */
    struct slice start = utf8_cut(text, 2 * SCHEMA_TAG_MAX_BYTES);
    char *clean = arena_take(reading->scratch, start.len);
    struct slice copy = {clean, copy_without_controls(clean, start)};
    reading->cut += copy.len > SCHEMA_TAG_MAX_BYTES || start.len < text.len;
    copy = utf8_cut(copy, SCHEMA_TAG_MAX_BYTES);
    replace_lost_backslashes(clean, copy.len);
    return copy;
}

static bool is_port(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
    }
    return text.len >= 1 && text.len <= 5;
}

/* "1.2.3.4:80" and "[::1]:80" without the port; other texts, bare IPv6 too, as they are. */
static struct slice address_without_port(struct slice text)
{
    bool bracketed = text.len > 0 && text.at[0] == '[';
    const char *host_end = text.len ? memchr(text.at, bracketed ? ']' : ':', text.len) : NULL;
    if (!host_end) {
        return text;
    }
    struct slice host = {text.at + bracketed, (size_t)(host_end - text.at) - bracketed};
    struct slice rest = {host_end + bracketed, text.len - host.len - 2 * bracketed};
    if (bracketed && rest.len == 0) {
        return host;
    }
    /* A second colon: a bare IPv6 address, whose end only looks like a port. */
    bool has_port = rest.at[0] == ':' && is_port(slice_make(rest.at + 1, rest.len - 1));
    return has_port ? host : text;
}

struct slice column_tag(struct reading *reading, const struct found *found, bool address)
{
    struct slice text = column_shown(reading, found);
    if (address) {
        text = address_without_port(text);
    }
    bool as_it_is = text.len <= SCHEMA_TAG_MAX_BYTES && is_clean_value(reading, found, text);
    return as_it_is ? text : clean_tag(reading, text);
}

/* --- numbers --- */

/* A JSON number, with leading zeros allowed, that is a whole one. */
static bool whole_number_parse(struct slice text, int64_t *number)
{
    return decimal_parse(text, 0, DECIMAL_WHOLE, number);
}

enum status column_refuse(struct reading *reading, const struct found *found, const char *path,
                          const char *what, struct err *err)
{
    struct slice shown = utf8_cut(column_shown(reading, found), 100);
    return err_set(err, BAD_DATA, "%s: %s: '%.*s'", path, what, SLICE_ARG(shown));
}

static bool is_number_or_string(const struct found *found)
{
    return found->kind == JSON_NUMBER || found->kind == JSON_STRING;
}

enum status column_int(struct reading *reading, const struct found *found, const char *path,
                       int64_t *number, struct err *err)
{
    if (is_number_or_string(found) && whole_number_parse(column_shown(reading, found), number)) {
        return OK;
    }
    return column_refuse(reading, found, path, "not a whole number", err);
}

/* "123ns", as nearly all are: the short way to what duration_parse() would give. */
static bool whole_ns_parse(struct slice text, int64_t *ns)
{
    enum { DIGITS_MAX = 18, UNIT = 2 };
    if (text.len <= UNIT || text.len > DIGITS_MAX + UNIT ||
        memcmp(text.at + text.len - UNIT, "ns", UNIT) != 0) {
        return false;
    }
    int64_t number = 0;
    for (size_t i = 0; i < text.len - UNIT; i++) {
        unsigned digit = (unsigned char)text.at[i] - '0';
        if (digit > 9) {
            return false;
        }
        number = number * 10 + digit;
    }
    *ns = number;
    return true;
}

enum status column_duration(struct reading *reading, const struct found *found, const char *path,
                            int64_t *ns, struct err *err)
{
    struct slice text = column_shown(reading, found);
    if ((found->kind == JSON_STRING && (whole_ns_parse(text, ns) || duration_parse(text, ns))) ||
        (found->kind == JSON_NUMBER && whole_number_parse(text, ns))) {
        return OK;
    }
    return column_refuse(reading, found, path, "not a duration", err);
}
