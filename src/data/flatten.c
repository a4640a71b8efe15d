/*
 * flatten: see flatten.h. The text is known to be valid JSON, so this looks for the ends of values
 * and checks nothing but the end of the text.
 */
#include "data/flatten.h"

#include "data/extract.h"

struct walk {
    struct slice rest;
    struct buf *prefix, *out;
    size_t depth;                  /* objects around the current one */
    size_t lengths[EXTRACT_DEPTH]; /* of the prefix outside of each */
    bool any;                      /* a comma stands before the next key */
};

static struct slice take(struct slice *rest, size_t n)
{
    struct slice taken = {rest->at, n < rest->len ? n : rest->len};
    rest->at += taken.len;
    rest->len -= taken.len;
    return taken;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_space(struct slice *rest)
{
    size_t n = 0;
    while (n < rest->len && is_space(rest->at[n])) {
        n++;
    }
    take(rest, n);
}

static bool next_is(struct slice rest, char wanted)
{
    return rest.len > 0 && rest.at[0] == wanted;
}

static bool is_escaped(const char *from, const char *at)
{
    const char *run = at;
    while (run > from && run[-1] == '\\') {
        run--;
    }
    return (at - run) % 2;
}

/* Bytes of the string at the front of text, its quotes included. */
static size_t string_bytes(struct slice text)
{
    const char *content = text.at + 1, *end = text.at + text.len;
    for (const char *at = content; at < end; at++) {
        at = memchr(at, '"', (size_t)(end - at));
        if (!at) {
            break;
        }
        if (!is_escaped(content, at)) {
            return (size_t)(at - text.at) + 1;
        }
    }
    return text.len;
}

/* Bytes of the object or array at the front of text, its brackets included. */
static size_t nested_bytes(struct slice text)
{
    size_t n = 0, depth = 0;
    while (n < text.len) {
        char c = text.at[n];
        if (c == '"') {
            n += string_bytes(slice_make(text.at + n, text.len - n));
            continue;
        }
        n++;
        if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            break;
        }
    }
    return n;
}

static size_t scalar_bytes(struct slice text)
{
    size_t n = 0;
    while (n < text.len && !is_space(text.at[n]) && text.at[n] != ',' && text.at[n] != '}' &&
           text.at[n] != ']') {
        n++;
    }
    return n;
}

static struct slice take_value(struct slice *rest)
{
    if (next_is(*rest, '"')) {
        return take(rest, string_bytes(*rest));
    }
    bool nested = next_is(*rest, '{') || next_is(*rest, '[');
    return take(rest, nested ? nested_bytes(*rest) : scalar_bytes(*rest));
}

/* The key at the front without its quotes; passes over the colon. */
static struct slice take_key(struct slice *rest)
{
    struct slice quoted = take(rest, string_bytes(*rest));
    skip_space(rest);
    take(rest, 1);
    skip_space(rest);
    return slice_make(quoted.at + 1, quoted.len < 2 ? 0 : quoted.len - 2);
}

static bool is_object_with_keys(struct slice value)
{
    if (!next_is(value, '{')) {
        return false;
    }
    take(&value, 1);
    skip_space(&value);
    return next_is(value, '"');
}

/* Appends what fits. */
static bool put(struct buf *out, struct slice text)
{
    size_t room = out->max - out->len;
    return buf_add(out, slice_make(text.at, text.len < room ? text.len : room)) && text.len <= room;
}

static bool put_text(struct buf *out, const char *text)
{
    return put(out, slice_of(text));
}

static bool enter(struct walk *walk, struct slice key)
{
    if (walk->depth == EXTRACT_DEPTH) {
        return false;
    }
    walk->lengths[walk->depth] = walk->prefix->len;
    take(&walk->rest, 1);
    return (walk->depth++ == 0 || buf_add_byte(walk->prefix, '.')) && buf_add(walk->prefix, key);
}

static bool put_member(struct walk *walk, struct slice key)
{
    struct slice value = take_value(&walk->rest);
    bool ok = put_text(walk->out, walk->any ? ",\"" : "\"") &&
              put(walk->out, buf_slice(walk->prefix)) &&
              put_text(walk->out, walk->depth ? "." : "") && put(walk->out, key) &&
              put_text(walk->out, "\":") && put(walk->out, value);
    walk->any = true;
    return ok;
}

static bool take_member(struct walk *walk)
{
    struct slice key = take_key(&walk->rest);
    return is_object_with_keys(walk->rest) ? enter(walk, key) : put_member(walk, key);
}

/* One step: a member, a comma, or the end of an object. False: the end of all, or no room. */
static bool step(struct walk *walk)
{
    skip_space(&walk->rest);
    if (next_is(walk->rest, '"')) {
        return take_member(walk);
    }
    if (next_is(walk->rest, ',')) {
        take(&walk->rest, 1);
        return true;
    }
    if (!next_is(walk->rest, '}') || walk->depth == 0) {
        return false;
    }
    take(&walk->rest, 1);
    walk->prefix->len = walk->lengths[--walk->depth];
    return true;
}

bool flatten_object(struct slice object, struct buf *prefix, struct buf *out)
{
    struct walk walk = {.rest = object, .prefix = prefix, .out = out};
    buf_clear(prefix);
    skip_space(&walk.rest);
    take(&walk.rest, 1);
    if (!put_text(out, "{")) {
        return false;
    }
    while (step(&walk)) {
    }
    bool whole = walk.depth == 0 && next_is(walk.rest, '}');
    return whole && put_text(out, "}");
}

void flatten_keys(struct slice object, struct buf *out)
{
    static const char more[] = "...";
    skip_space(&object);
    take(&object, 1);
    for (bool any = false;; any = true) {
        skip_space(&object);
        if (!next_is(object, '"')) {
            return;
        }
        struct slice key = take_key(&object);
        if (key.len + 2 * sizeof more > out->max - out->len) {
            buf_add_text(out, any ? ", ..." : more);
            return;
        }
        buf_add_text(out, any ? ", " : "");
        buf_add(out, key);
        take_value(&object);
        skip_space(&object);
        take(&object, 1); /* the comma, or the end */
    }
}
