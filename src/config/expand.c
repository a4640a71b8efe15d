/* expand: see expand.h. */
#include "config/expand.h"

#include "base/cleanup.h"
#include "config/problems.h"

#include <string.h>

enum { NESTED_MAX = 1, NAME_MAX_BYTES = 128, FILE_MAX_BYTES = 64 * 1024 };

struct expander {
    const struct config_sources *sources;
    struct buf *out;
    bool *from_outside;
    int nested;
};

static enum status expand_all(const struct expander *expander, struct slice text, struct err *err);

/* What is between the braces of the reference that text begins with, nested ones included. */
static bool reference_body(struct slice text, struct slice *body)
{
    size_t open = 0;
    for (size_t i = 0; i < text.len; i++) {
        struct slice rest = slice_make(text.at + i, text.len - i);
        if (slice_starts(rest, "$${")) {
            i += 2;
        } else if (slice_starts(rest, "${")) {
            open++;
            i++;
        } else if (text.at[i] == '}' && --open == 0) {
            *body = slice_make(text.at + 2, i - 2);
            return true;
        }
    }
    return false;
}

static bool is_name_byte(char byte, bool is_first)
{
    bool is_letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '_';
    return is_letter || (!is_first && byte >= '0' && byte <= '9');
}

static size_t name_length(struct slice body)
{
    size_t len = 0;
    while (len < body.len && is_name_byte(body.at[len], len == 0)) {
        len++;
    }
    return len;
}

static enum status expand_nested(const struct expander *outer, struct slice text, struct buf *out,
                                 struct err *err)
{
    struct expander inner = *outer;
    inner.out = out;
    inner.nested++;
    return expand_all(&inner, text, err);
}

static void cut_newline(struct buf *content)
{
    if (content->len && content->at[content->len - 1] == '\n') {
        content->len--;
        if (content->len && content->at[content->len - 1] == '\r') {
            content->len--;
        }
    }
}

static enum status expand_file(const struct expander *expander, struct slice body,
                               struct slice path_text, struct err *err)
{
    CLEANUP(buf_finish) struct buf path = {.max = 4096};
    enum status status = expand_nested(expander, path_text, &path, err);
    if (status != OK) {
        return status;
    }
    CLEANUP(buf_finish) struct buf content = {.max = FILE_MAX_BYTES};
    int error = expander->sources->read_file(buf_text(&path), &content);
    struct slice shown = problem_excerpt(body);
    if (error) {
        return err_set(err, BAD_CONFIG, "${%.*s}: %s", SLICE_ARG(shown), strerror(error));
    }
    cut_newline(&content);
    if (content.len && memchr(content.at, '\0', content.len)) {
        return err_set(err, BAD_CONFIG, "${%.*s}: holds a NUL byte", SLICE_ARG(shown));
    }
    *expander->from_outside = true;
    buf_add(expander->out, buf_slice(&content));
    return OK;
}

static enum status expand_variable(const struct expander *expander, struct slice body,
                                   struct err *err)
{
    size_t len = name_length(body);
    struct slice rest = slice_make(body.at + len, body.len - len);
    bool has_default = slice_starts(rest, ":-");
    if (len == 0 || len > NAME_MAX_BYTES || (rest.len && !has_default)) {
        /* It may be a secret that happens to hold "${": nothing of it is shown. */
        return err_set(err, BAD_CONFIG,
                       "${...} does not name a variable or file (write $${ for a literal ${)");
    }
    char name[NAME_MAX_BYTES + 1] = {0};
    memcpy(name, body.at, len);
    const char *value = expander->sources->environment(name);
    if (has_default && (!value || !*value)) {
        return expand_nested(expander, slice_make(rest.at + 2, rest.len - 2), expander->out, err);
    }
    if (!value) {
        return err_set(err, BAD_CONFIG, "the environment variable %s is not set", name);
    }
    *expander->from_outside = true;
    buf_add_text(expander->out, value);
    return OK;
}

static enum status expand_reference(const struct expander *expander, struct slice body,
                                    struct err *err)
{
    if (expander->nested > NESTED_MAX) {
        return err_set(err, BAD_CONFIG, "${...} is nested too deep");
    }
    if (slice_starts(body, "file:")) {
        return expand_file(expander, body, slice_make(body.at + 5, body.len - 5), err);
    }
    return expand_variable(expander, body, err);
}

static enum status expand_all(const struct expander *expander, struct slice text, struct err *err)
{
    while (text.len) {
        struct slice body;
        size_t used = 1;
        if (slice_starts(text, "$${")) {
            buf_add_text(expander->out, "${");
            used = 3;
        } else if (!slice_starts(text, "${")) {
            buf_add_byte(expander->out, *text.at);
        } else if (!reference_body(text, &body)) {
            return err_set(err, BAD_CONFIG, "${ without } (write $${ for a literal ${)");
        } else {
            enum status status = expand_reference(expander, body, err);
            if (status != OK) {
                return status;
            }
            used = body.len + 3;
        }
        text = slice_make(text.at + used, text.len - used);
    }
    if (expander->out->overflow) {
        return err_set(err, BAD_CONFIG, "the value is too long");
    }
    return OK;
}

enum status expand_text(struct slice text, const struct config_sources *sources, struct buf *out,
                        bool *from_outside, struct err *err)
{
    *from_outside = false;
    const struct expander expander = {.sources = sources, .out = out, .from_outside = from_outside};
    return expand_all(&expander, text, err);
}
