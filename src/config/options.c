/* options: see options.h. */
#include "config/options.h"

#include "base/cleanup.h"
#include "config/expand.h"
#include "config/nearest.h"
#include "config/values.h"

#include <inttypes.h>
#include <stdio.h>

enum { PATH_BYTES = 256, CHOICES_BYTES = 256 };

/* One option on its way from the file into the struct. */
struct field {
    const struct option_reader *reader;
    const struct option *option;
    const char *path; /* "influxdb.token" */
    const struct node *node;
    bool is_fallback; /* node holds the row's fallback */
    void *to;
};

const char *option_path(const struct option_reader *reader, const char *where, const char *key)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s.%s", where, key);
    return arena_text(reader->arena, slice_of(path));
}

/* --- one scalar --- */

/* Texts end up in requests and file names, where a line end inside would change the meaning. */
static bool has_control(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte < 0x20 || byte == 0x7F) {
            return true;
        }
    }
    return false;
}

/* A plain value that is or becomes empty is absent, so "${X:-}" can leave an option alone. */
static bool read_scalar(const struct option_reader *reader, const char *where,
                        const struct node *node, struct option_text *out, bool *from_outside)
{
    *out = (struct option_text){.at = node->at};
    if (node_is_null(node)) {
        return true;
    }
    CLEANUP(buf_finish) struct buf text = {.max = EXPAND_MAX_BYTES};
    struct err err;
    if (expand_text(node->text, reader->sources, &text, from_outside, &err) != OK) {
        problem_add(reader->problems, node->at, "%s: %s", where, err.text);
        return false;
    }
    if (has_control(buf_slice(&text))) {
        problem_add(reader->problems, node->at, "%s: must be one line without control characters",
                    where);
        return false;
    }
    if (text.len || node->quoted) {
        out->text = arena_slice(reader->arena, buf_slice(&text));
    }
    return true;
}

static bool is_single(const struct option_reader *reader, const char *where,
                      const struct node *node)
{
    if (node->kind == NODE_SCALAR) {
        return true;
    }
    problem_add(reader->problems, node->at, "%s: must be a single value, not a %s", where,
                node->kind == NODE_LIST ? "list" : "mapping");
    return false;
}

bool option_read_text(const struct option_reader *reader, const char *where,
                      const struct node *node, struct option_text *out)
{
    bool from_outside;
    return is_single(reader, where, node) && read_scalar(reader, where, node, out, &from_outside);
}

/* --- lists --- */

static bool read_items(const struct option_reader *reader, const char *where,
                       const struct node *list, struct option_text *items)
{
    bool all_good = true;
    size_t i = 0;
    for (const struct node *node = list->first; node; node = node->next, i++) {
        char path[PATH_BYTES];
        snprintf(path, sizeof path, "%s[%zu]", where, i);
        if (!option_read_text(reader, path, node, &items[i])) {
            all_good = false;
        } else if (items[i].text.len == 0) {
            problem_add(reader->problems, node->at, "%s: is empty", path);
            all_good = false;
        }
    }
    return all_good;
}

bool option_read_texts(const struct option_reader *reader, const char *where,
                       const struct node *node, struct option_text **out, size_t *count)
{
    *count = 0;
    if (node->kind == NODE_MAP) {
        problem_add(reader->problems, node->at, "%s: must be a list or a text, not a mapping",
                    where);
        return false;
    }
    size_t most = node->kind == NODE_LIST ? node->count : 1;
    *out = arena_take(reader->arena, most * sizeof **out);
    if (node->kind == NODE_LIST) {
        *count = node->count;
        return read_items(reader, where, node, *out);
    }
    bool is_good = option_read_text(reader, where, node, *out);
    *count = is_good && (*out)->text.len > 0;
    return is_good;
}

/* --- values by type --- */

/* The value as it stands in the file: what a variable holds is not shown. */
static void report(const struct field *field, const char *reason)
{
    struct slice shown = problem_excerpt(field->node->text);
    problem_add(field->reader->problems, field->node->at, "%s: \"%.*s\" %s", field->path,
                SLICE_ARG(shown), reason);
}

static const char *number_text(enum option_type type, int64_t number, char text[VALUE_TEXT_BYTES])
{
    if (type == OPTION_BYTES) {
        return value_bytes_text(number, text);
    }
    if (type == OPTION_DURATION_NS) {
        return value_duration_text(number, text);
    }
    snprintf(text, VALUE_TEXT_BYTES, "%" PRId64, number);
    return text;
}

static bool is_within(const struct field *field, int64_t number)
{
    const struct option *option = field->option;
    if ((option->min == 0 && option->max == 0) ||
        (number >= option->min && number <= option->max)) {
        return true;
    }
    char least[VALUE_TEXT_BYTES], most[VALUE_TEXT_BYTES], reason[2 * VALUE_TEXT_BYTES + 32];
    snprintf(reason, sizeof reason, "is not between %s and %s",
             number_text(option->type, option->min, least),
             number_text(option->type, option->max, most));
    report(field, reason);
    return false;
}

/* False: not a number of this kind. One that is out of bounds is reported here. */
static bool set_number(const struct field *field, struct slice text)
{
    int64_t number;
    enum option_type type = field->option->type;
    bool is_number = type == OPTION_INT     ? value_int(text, &number)
                     : type == OPTION_BYTES ? value_bytes(text, &number)
                                            : value_duration_ns(text, &number);
    if (is_number && is_within(field, number)) {
        *(int64_t *)field->to = number;
    }
    return is_number;
}

static void report_choice(const struct field *field, struct slice text)
{
    CLEANUP(buf_finish) struct buf reason = {.max = CHOICES_BYTES};
    struct nearest nearest = {.wanted = text};
    buf_add_text(&reason, "is not one of ");
    for (const char *const *choice = field->option->choices; *choice; choice++) {
        buf_printf(&reason, "%s%s", choice == field->option->choices ? "" : ", ", *choice);
        nearest_offer(&nearest, slice_of(*choice));
    }
    char hint[NEAREST_HINT_BYTES];
    buf_add_text(&reason, nearest_hint(&nearest, hint));
    report(field, buf_text(&reason));
}

static void set_choice(const struct field *field, struct slice text)
{
    for (int i = 0; field->option->choices[i]; i++) {
        if (slice_is(text, field->option->choices[i])) {
            *(int *)field->to = i;
            return;
        }
    }
    report_choice(field, text);
}

static void set_value(const struct field *field, struct slice text)
{
    switch (field->option->type) {
    case OPTION_TEXT:
    case OPTION_SECRET:
        *(const char **)field->to = text.at;
        return;
    case OPTION_BOOL:
        if (!value_bool(text, field->to)) {
            report(field, "is neither true nor false");
        }
        return;
    case OPTION_INT:
        if (!set_number(field, text)) {
            report(field, "is not a whole number");
        }
        return;
    case OPTION_BYTES:
        if (!set_number(field, text)) {
            report(field, "is not a size such as 4MiB, 500MB or 1024");
        }
        return;
    case OPTION_DURATION_NS:
        if (!set_number(field, text)) {
            report(field, "is not a duration such as 30s, 15m, 24h or 30d");
        }
        return;
    case OPTION_CHOICE:
        set_choice(field, text);
        return;
    case OPTION_LIST:
        return; /* read_list */
    }
}

/* --- one option --- */

/* The variable that a secret could come from: influxdb.token -> INFLUXDB_TOKEN. */
static const char *variable_name(const struct field *field)
{
    char *name = arena_text(field->reader->arena, slice_of(field->path));
    for (char *at = name; *at; at++) {
        bool is_lower = *at >= 'a' && *at <= 'z';
        bool is_plain = (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        *at = is_lower ? (char)(*at - 'a' + 'A') : is_plain ? *at : '_';
    }
    return name;
}

static void warn_of_literal_secret(const struct field *field)
{
    if (!(field->reader->file_mode & 077)) {
        return;
    }
    problem_warn(field->reader->problems, (struct position){0},
                 "%s is written in a file that others can read (mode %03o): "
                 "use ${%s} or ${file:...}, or chmod 600",
                 field->path, (unsigned)field->reader->file_mode & 0777, variable_name(field));
}

static void read_field(const struct field *field);

static void report_required(const struct field *field, struct position at)
{
    problem_add(field->reader->problems, at, "%s: required (%s)", field->path,
                field->option->required);
}

/* The row's fallback goes the same way as what the operator writes. */
static void read_fallback(struct field field)
{
    if (field.is_fallback || !field.option->fallback) {
        return;
    }
    const struct node node = {
        .kind = NODE_SCALAR, .text = slice_of(field.option->fallback), .quoted = true};
    field.node = &node;
    field.is_fallback = true;
    read_field(&field);
}

/* The key is there, but has no value. */
static void read_absent(const struct field *field)
{
    if (field->option->required) {
        report_required(field, node_position(field->node));
        return;
    }
    read_fallback(*field);
}

static void read_value(const struct field *field)
{
    struct option_text value;
    bool from_outside = false;
    if (!is_single(field->reader, field->path, field->node) ||
        !read_scalar(field->reader, field->path, field->node, &value, &from_outside)) {
        return;
    }
    bool is_secret = field->option->type == OPTION_SECRET;
    bool may_be_empty = !is_secret && !field->option->required;
    if (!value.text.at || (value.text.len == 0 && !may_be_empty)) {
        read_absent(field);
        return;
    }
    set_value(field, value.text);
    if (is_secret && !from_outside && !field->is_fallback) {
        warn_of_literal_secret(field);
    }
}

static void read_list(const struct field *field)
{
    struct option_text *texts;
    size_t count;
    if (!option_read_texts(field->reader, field->path, field->node, &texts, &count)) {
        return;
    }
    if (count == 0 && (field->node->kind == NODE_SCALAR || field->option->required)) {
        read_absent(field);
        return;
    }
    const char **items = arena_take(field->reader->arena, count * sizeof *items);
    for (size_t i = 0; i < count; i++) {
        items[i] = texts[i].text.at;
    }
    *(struct text_list *)field->to = (struct text_list){items, count};
}

static void read_field(const struct field *field)
{
    if (field->option->type == OPTION_LIST) {
        read_list(field);
    } else {
        read_value(field);
    }
}

static void read_option(const struct option_reader *reader, const char *where,
                        const struct node *map, const struct option *option, void *into)
{
    const struct field field = {.reader = reader,
                                .option = option,
                                .path = option_path(reader, where, option->name),
                                .node = node_get(map, option->name),
                                .to = (char *)into + option->offset};
    if (field.node) {
        read_field(&field);
    } else if (option->required) {
        report_required(&field, node_position(map));
    } else {
        read_fallback(field);
    }
}

/* --- all of them --- */

struct known_names {
    const struct option_set *sets;
    size_t n_sets;
    const char *const *also;
};

/* True when key is one of the names; otherwise the nearest of them is found. */
static bool is_known(const struct known_names *names, struct slice key, struct nearest *nearest)
{
    for (const char *const *name = names->also; *name; name++) {
        if (slice_is(key, *name)) {
            return true;
        }
        nearest_offer(nearest, slice_of(*name));
    }
    for (size_t i = 0; i < names->n_sets; i++) {
        for (const struct option *row = names->sets[i].options; row && row->name; row++) {
            if (slice_is(key, row->name)) {
                return true;
            }
            nearest_offer(nearest, slice_of(row->name));
        }
    }
    return false;
}

static void check_keys(const struct option_reader *reader, const char *where,
                       const struct node *map, const struct known_names *names)
{
    for (const struct node *entry = map->first; entry; entry = entry->next) {
        struct nearest nearest = {.wanted = entry->key};
        char hint[NEAREST_HINT_BYTES];
        if (!is_known(names, entry->key, &nearest)) {
            problem_add(reader->problems, entry->key_at, "%s.%.*s: unknown key%s", where,
                        SLICE_ARG(problem_excerpt(entry->key)), nearest_hint(&nearest, hint));
        }
    }
}

void options_read(const struct option_reader *reader, const char *where, const struct node *map,
                  const struct option_set *sets, size_t n_sets, const char *const *also)
{
    if (map->kind != NODE_MAP && !node_is_null(map)) {
        problem_add(reader->problems, node_position(map), "%s: must be a mapping of options",
                    where);
        return;
    }
    const struct known_names names = {sets, n_sets, also};
    check_keys(reader, where, map, &names);
    for (size_t i = 0; i < n_sets; i++) {
        for (const struct option *row = sets[i].options; row && row->name; row++) {
            read_option(reader, where, map, row, sets[i].into);
        }
    }
}
