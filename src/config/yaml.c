/* yaml: see yaml.h. Over the event parser of libyaml, which keeps no tree, so every limit holds
 * before memory is taken. */
#include "config/yaml.h"

#include "base/cleanup.h"

#include <yaml.h>

struct yaml_input {
    yaml_parser_t parser;
    struct slice text;
    struct arena *arena;
    struct problems *problems;
    size_t nodes;
    bool refused; /* something was found that this subset does not have */
};

static struct position position_of(yaml_mark_t mark)
{
    return (struct position){mark.line + 1, mark.column + 1};
}

/* libyaml gives a byte offset, and no mark, for bytes that are not text. */
static struct position position_at(struct slice text, size_t offset)
{
    struct position at = {1, 1};
    for (size_t i = 0; i < offset && i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte == '\n') {
            at = (struct position){at.line + 1, 1};
        } else if ((byte & 0xC0) != 0x80) {
            at.column++;
        }
    }
    return at;
}

static void report_syntax(struct yaml_input *in)
{
    const yaml_parser_t *parser = &in->parser;
    const char *what = parser->problem ? parser->problem : "out of memory";
    if (parser->error == YAML_READER_ERROR) {
        problem_add(in->problems, position_at(in->text, parser->problem_offset),
                    "not a text file: %s", what);
    } else if (parser->context) {
        problem_add(in->problems, position_of(parser->problem_mark),
                    "not valid YAML: %s (%s that begins in line %zu)", what, parser->context,
                    parser->context_mark.line + 1);
    } else {
        problem_add(in->problems, position_of(parser->problem_mark), "not valid YAML: %s", what);
    }
}

static bool next_event(struct yaml_input *in, yaml_event_t *event)
{
    if (yaml_parser_parse(&in->parser, event)) {
        return true;
    }
    report_syntax(in);
    return false;
}

static void refuse(struct yaml_input *in, const yaml_event_t *event, const char *reason)
{
    problem_add(in->problems, position_of(event->start_mark), "%s", reason);
    in->refused = true;
}

static void refuse_properties(struct yaml_input *in, const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (anchor) {
        refuse(in, event, "anchors are not supported");
    }
    if (tag) {
        refuse(in, event, "tags are not supported");
    }
}

static struct node *node_new(struct yaml_input *in, const yaml_event_t *event, size_t depth)
{
    if (++in->nodes > YAML_MAX_NODES) {
        problem_add(in->problems, position_of(event->start_mark), "more than %d values",
                    YAML_MAX_NODES);
        return NULL;
    }
    if (depth > YAML_MAX_DEPTH) {
        problem_add(in->problems, position_of(event->start_mark), "nested deeper than %d levels",
                    YAML_MAX_DEPTH);
        return NULL;
    }
    refuse_properties(in, event);
    struct node *node = arena_take(in->arena, sizeof *node);
    *node = (struct node){.kind = NODE_SCALAR, .at = position_of(event->start_mark)};
    return node;
}

static struct slice scalar_text(struct yaml_input *in, const yaml_event_t *event)
{
    struct slice text =
        slice_make((const char *)event->data.scalar.value, event->data.scalar.length);
    if (memchr(text.at, '\0', text.len)) {
        refuse(in, event, "a text must not hold a NUL character");
    }
    return arena_slice(in->arena, text);
}

static struct node *read_node(struct yaml_input *in, const yaml_event_t *event, size_t depth);

static bool read_list(struct yaml_input *in, struct node *list, size_t depth)
{
    struct node **link = &list->first;
    for (;;) {
        CLEANUP(yaml_event_delete) yaml_event_t event = {0};
        if (!next_event(in, &event)) {
            return false;
        }
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            return true;
        }
        struct node *item = read_node(in, &event, depth);
        if (!item) {
            return false;
        }
        *link = item;
        link = &item->next;
        list->count++;
    }
}

static struct node *find_key(const struct node *map, struct slice key)
{
    for (struct node *entry = map->first; entry; entry = entry->next) {
        if (slice_equal(entry->key, key)) {
            return entry;
        }
    }
    return NULL;
}

/* The value that follows a key. */
static struct node *read_value(struct yaml_input *in, size_t depth)
{
    CLEANUP(yaml_event_delete) yaml_event_t event = {0};
    return next_event(in, &event) ? read_node(in, &event, depth) : NULL;
}

static struct node *read_entry(struct yaml_input *in, const yaml_event_t *key_event, size_t depth)
{
    if (key_event->type != YAML_SCALAR_EVENT) {
        problem_add(in->problems, position_of(key_event->start_mark), "a key must be a text");
        return NULL;
    }
    refuse_properties(in, key_event);
    struct slice key = scalar_text(in, key_event);
    struct node *value = read_value(in, depth);
    if (value) {
        value->key = key;
        value->key_at = position_of(key_event->start_mark);
    }
    return value;
}

static bool read_map(struct yaml_input *in, struct node *map, size_t depth)
{
    struct node **link = &map->first;
    for (;;) {
        CLEANUP(yaml_event_delete) yaml_event_t event = {0};
        if (!next_event(in, &event)) {
            return false;
        }
        if (event.type == YAML_MAPPING_END_EVENT) {
            return true;
        }
        struct node *entry = read_entry(in, &event, depth);
        if (!entry) {
            return false;
        }
        const struct node *earlier = find_key(map, entry->key);
        if (earlier) {
            problem_add(in->problems, entry->key_at, "%.*s: given twice, first in line %zu",
                        SLICE_ARG(problem_excerpt(entry->key)), earlier->key_at.line);
            continue;
        }
        *link = entry;
        link = &entry->next;
        map->count++;
    }
}

static struct node *read_node(struct yaml_input *in, const yaml_event_t *event, size_t depth)
{
    struct node *node = node_new(in, event, depth);
    if (!node) {
        return NULL;
    }
    switch (event->type) {
    case YAML_SEQUENCE_START_EVENT:
        node->kind = NODE_LIST;
        return read_list(in, node, depth + 1) ? node : NULL;
    case YAML_MAPPING_START_EVENT:
        node->kind = NODE_MAP;
        return read_map(in, node, depth + 1) ? node : NULL;
    case YAML_SCALAR_EVENT:
        node->text = scalar_text(in, event);
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        return node;
    default:
        refuse(in, event, "aliases are not supported");
        return node;
    }
}

/* The stream: its start, the documents' starts and ends, its end. */
static bool read_stream(struct yaml_input *in, struct node **root)
{
    size_t documents = 0;
    for (;;) {
        CLEANUP(yaml_event_delete) yaml_event_t event = {0};
        if (!next_event(in, &event)) {
            return false;
        }
        if (event.type == YAML_STREAM_END_EVENT) {
            return !in->refused;
        }
        if (event.type != YAML_DOCUMENT_START_EVENT) {
            continue;
        }
        if (documents++) {
            refuse(in, &event, "a second document is not supported");
            return false;
        }
        *root = read_value(in, 1);
        if (!*root) {
            return false;
        }
    }
}

bool yaml_read(struct node **root, struct slice text, struct arena *arena,
               struct problems *problems)
{
    *root = NULL;
    if (text.len > YAML_MAX_BYTES) {
        problem_add(problems, (struct position){0}, "larger than %d bytes", YAML_MAX_BYTES);
        return false;
    }
    struct yaml_input in = {.text = text, .arena = arena, .problems = problems};
    if (!yaml_parser_initialize(&in.parser)) {
        report_syntax(&in);
        return false;
    }
    const char *start = text.at ? text.at : "";
    yaml_parser_set_input_string(&in.parser, (const unsigned char *)start, text.len);
    bool usable = read_stream(&in, root);
    yaml_parser_delete(&in.parser);
    return usable;
}

bool node_is_null(const struct node *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    if (node->kind != NODE_SCALAR || node->quoted) {
        return false;
    }
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++) {
        if (slice_is(node->text, nulls[i])) {
            return true;
        }
    }
    return false;
}

struct position node_position(const struct node *node)
{
    return node_is_null(node) && node->key_at.line ? node->key_at : node->at;
}

struct node *node_get(const struct node *node, const char *key)
{
    return node->kind == NODE_MAP ? find_key(node, slice_of(key)) : NULL;
}
