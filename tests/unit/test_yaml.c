/* test_yaml: the tree of config/yaml, its positions, limits and refusals. Positions are counted by
 * hand in the texts below. */
#include "base/cleanup.h"
#include "config/yaml.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

/* A text that was read, with what was said about it. */
struct reading {
    struct arena arena;
    struct problems problems;
    struct node *root;
    bool is_usable;
    struct buf said;
};

static void reading_finish(struct reading *reading)
{
    arena_finish(&reading->arena);
    buf_finish(&reading->said);
}

static void read_slice(struct reading *reading, struct slice text)
{
    *reading = (struct reading){.said = {.max = 100000}};
    reading->problems.arena = &reading->arena;
    reading->is_usable = yaml_read(&reading->root, text, &reading->arena, &reading->problems);
    problems_print(&reading->problems, "c.yaml", &reading->said);
}

static void read_text(struct reading *reading, const char *text)
{
    read_slice(reading, slice_of(text));
}

static void assert_scalar(const struct node *node, const char *text, size_t line, size_t column)
{
    assert_non_null(node);
    assert_int_equal(node->kind, NODE_SCALAR);
    assert_string_equal(node->text.at, text);
    assert_int_equal(node->text.len, strlen(text));
    assert_int_equal(node->at.line, line);
    assert_int_equal(node->at.column, column);
}

static void assert_refused(const char *text, const char *said)
{
    CLEANUP(reading_finish) struct reading reading;
    read_text(&reading, text);
    assert_false(reading.is_usable);
    assert_string_equal(buf_text(&reading.said), said);
}

static void reads_a_tree_with_positions(void **state)
{
    (void)state;
    CLEANUP(reading_finish) struct reading reading;
    read_text(&reading, "# comment\n"
                        "influxdb:\n"
                        "    host: 'http://h:8086'\n"
                        "    \xC3\xA4: {deep: [a,  \"b\\u0041\"]}\n"
                        "list:\n"
                        "- 1\n"
                        "-   two words # three\n");
    assert_true(reading.is_usable);
    assert_int_equal(reading.root->count, 2);

    const struct node *influxdb = node_get(reading.root, "influxdb");
    assert_int_equal(influxdb->kind, NODE_MAP);
    assert_int_equal(influxdb->key_at.line, 2);
    assert_int_equal(influxdb->key_at.column, 1);
    assert_int_equal(influxdb->at.line, 3);
    assert_int_equal(influxdb->at.column, 5);
    assert_scalar(node_get(influxdb, "host"), "http://h:8086", 3, 11);
    assert_true(node_get(influxdb, "host")->quoted);

    /* A column is a character, not a byte: the key is one character of two bytes. */
    const struct node *inner = node_get(influxdb, "\xC3\xA4");
    assert_int_equal(inner->at.column, 8);
    const struct node *deep = node_get(inner, "deep");
    assert_int_equal(deep->count, 2);
    assert_scalar(deep->first, "a", 4, 16);
    assert_scalar(deep->first->next, "bA", 4, 20);

    const struct node *list = node_get(reading.root, "list");
    assert_int_equal(list->kind, NODE_LIST);
    assert_scalar(list->first, "1", 6, 3);
    assert_false(list->first->quoted);
    assert_scalar(list->first->next, "two words", 7, 5);
    assert_null(list->first->next->next);
    assert_null(node_get(list, "two words"));
    assert_null(node_get(reading.root, "lis"));
}

static void tells_null_from_empty(void **state)
{
    (void)state;
    CLEANUP(reading_finish) struct reading reading;
    read_text(&reading, "a:\nb: ~\nc: null\nd: ''\ne: \"null\"\nf: nul\ng: []\n");
    static const struct {
        const char *key;
        bool is_null;
    } rows[] = {{"a", true},  {"b", true},  {"c", true}, {"d", false},
                {"e", false}, {"f", false}, {"g", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(node_is_null(node_get(reading.root, rows[i].key)), rows[i].is_null);
    }
    /* An empty value has no place of its own: its key's is the one to show. */
    assert_int_equal(node_position(node_get(reading.root, "a")).line, 1);
    assert_int_equal(node_position(node_get(reading.root, "b")).column, 1);
    assert_int_equal(node_position(node_get(reading.root, "d")).column, 4);
}

static void takes_an_empty_document(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n\n", "# nothing\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CLEANUP(reading_finish) struct reading reading;
        read_text(&reading, texts[i]);
        assert_true(reading.is_usable);
        assert_null(reading.root);
        assert_int_equal(reading.said.len, 0);
    }
    CLEANUP(reading_finish) struct reading marked;
    read_text(&marked, "---\n...\n");
    assert_true(marked.is_usable);
    assert_true(node_is_null(marked.root));
}

static void takes_byte_order_mark_and_crlf(void **state)
{
    (void)state;
    CLEANUP(reading_finish) struct reading reading;
    read_text(&reading, "\xEF\xBB\xBF"
                        "a: b\r\nc: d\r\n");
    assert_true(reading.is_usable);
    assert_scalar(node_get(reading.root, "a"), "b", 1, 4);
    assert_scalar(node_get(reading.root, "c"), "d", 2, 4);
}

static void refuses_what_the_subset_leaves_out(void **state)
{
    (void)state;
    assert_refused("a: &x 1\nb: *x\n", "c.yaml:1:4: anchors are not supported\n"
                                       "c.yaml:2:4: aliases are not supported\n");
    assert_refused("a: !!str 1\nb: [!own x]\n", "c.yaml:1:4: tags are not supported\n"
                                                "c.yaml:2:5: tags are not supported\n");
    assert_refused("&k a: 1\n", "c.yaml:1:1: anchors are not supported\n");
    assert_refused("a: 1\n---\nb: 1\n", "c.yaml:2:1: a second document is not supported\n");
    assert_refused("[1]: a\n", "c.yaml:1:1: a key must be a text\n");
    assert_refused("a: 1\nb: \"x\\0y\"\n", "c.yaml:2:4: a text must not hold a NUL character\n");
}

static void keeps_the_first_of_a_key_given_twice(void **state)
{
    (void)state;
    CLEANUP(reading_finish) struct reading reading;
    read_text(&reading, "a: 1\nb:\n  c: 1\n  c: 2\na: 3\n");
    assert_true(reading.is_usable);
    assert_int_equal(reading.problems.errors, 2);
    assert_string_equal(buf_text(&reading.said), "c.yaml:4:3: c: given twice, first in line 3\n"
                                                 "c.yaml:5:1: a: given twice, first in line 1\n");
    assert_scalar(node_get(reading.root, "a"), "1", 1, 4);
    assert_int_equal(reading.root->count, 2);
}

static void points_at_broken_syntax(void **state)
{
    (void)state;
    static const struct {
        const char *text, *begins;
    } rows[] = {
        {"a: [1, 2\nb: 3\n", "c.yaml:2:2: not valid YAML: "},
        {"a: 'open\n", "c.yaml:2:1: not valid YAML: "},
        {"a:\n\t- x\n", "c.yaml:2:1: not valid YAML: "},
        {"a: b: c\n", "c.yaml:1:5: not valid YAML: "},
        {"ok: 1\n\xC3\xA4: \xFF\n", "c.yaml:2:4: not a text file: "},
        {"a: \x01\n", "c.yaml:1:4: not a text file: "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(reading_finish) struct reading reading;
        read_text(&reading, rows[i].text);
        assert_false(reading.is_usable);
        assert_int_equal(reading.problems.errors, 1);
        assert_memory_equal(buf_text(&reading.said), rows[i].begins, strlen(rows[i].begins));
    }
}

/* "[", depth times, around a value: the lists and the value are depth + 1 levels. */
static void read_nested(struct reading *reading, size_t depth)
{
    CLEANUP(buf_finish) struct buf text = {.max = 1000};
    for (size_t i = 0; i < depth; i++) {
        buf_add_byte(&text, '[');
    }
    buf_add_byte(&text, 'x');
    for (size_t i = 0; i < depth; i++) {
        buf_add_byte(&text, ']');
    }
    read_slice(reading, buf_slice(&text));
}

static void limits_the_depth(void **state)
{
    (void)state;
    CLEANUP(reading_finish) struct reading most, more;
    read_nested(&most, YAML_MAX_DEPTH - 1);
    assert_true(most.is_usable);
    read_nested(&more, YAML_MAX_DEPTH);
    assert_false(more.is_usable);
    assert_string_equal(buf_text(&more.said), "c.yaml:1:33: nested deeper than 32 levels\n");
}

/* A list of count values, one a line. */
static void read_long(struct reading *reading, size_t count)
{
    CLEANUP(buf_finish) struct buf text = {.max = 100000};
    for (size_t i = 0; i < count; i++) {
        buf_add_text(&text, "- x\n");
    }
    read_slice(reading, buf_slice(&text));
}

static void limits_the_values(void **state)
{
    (void)state;
    CLEANUP(reading_finish) struct reading most, more;
    read_long(&most, YAML_MAX_NODES - 1); /* the list is one itself */
    assert_true(most.is_usable);
    assert_int_equal(most.root->count, YAML_MAX_NODES - 1);
    read_long(&more, YAML_MAX_NODES);
    assert_false(more.is_usable);
    assert_string_equal(buf_text(&more.said), "c.yaml:10000:3: more than 10000 values\n");
}

static void limits_the_bytes(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf text = {.max = YAML_MAX_BYTES + 1};
    char *room = buf_room(&text, YAML_MAX_BYTES + 1);
    memset(room, '#', YAML_MAX_BYTES + 1);
    CLEANUP(reading_finish) struct reading most, more;
    read_slice(&most, slice_make(room, YAML_MAX_BYTES));
    assert_true(most.is_usable);
    read_slice(&more, slice_make(room, YAML_MAX_BYTES + 1));
    assert_false(more.is_usable);
    assert_string_equal(buf_text(&more.said), "c.yaml: larger than 1048576 bytes\n");
}

static void keeps_a_maximum_of_problems(void **state)
{
    (void)state;
    CLEANUP(reading_finish) struct reading reading;
    CLEANUP(buf_finish) struct buf text = {.max = 100000};
    for (size_t i = 0; i < 601; i++) {
        buf_add_text(&text, "a: 1\n");
    }
    read_slice(&reading, buf_slice(&text));
    assert_int_equal(reading.problems.errors, 600);
    assert_non_null(strstr(buf_text(&reading.said), "c.yaml:501:1: "));
    assert_null(strstr(buf_text(&reading.said), "c.yaml:502:1: "));
    assert_non_null(strstr(buf_text(&reading.said), "\nc.yaml: and 100 more problems\n"));
}

static void keeps_a_problem_on_one_line(void **state)
{
    (void)state;
    CLEANUP(reading_finish) struct reading reading;
    read_text(&reading, "\"a\\nwarning: b\": 1\n\"a\\nwarning: b\": 2\n");
    assert_string_equal(buf_text(&reading.said),
                        "c.yaml:2:1: a?warning: b: given twice, first in line 1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_tree_with_positions),
        cmocka_unit_test(tells_null_from_empty),
        cmocka_unit_test(takes_an_empty_document),
        cmocka_unit_test(takes_byte_order_mark_and_crlf),
        cmocka_unit_test(refuses_what_the_subset_leaves_out),
        cmocka_unit_test(keeps_the_first_of_a_key_given_twice),
        cmocka_unit_test(points_at_broken_syntax),
        cmocka_unit_test(limits_the_depth),
        cmocka_unit_test(limits_the_values),
        cmocka_unit_test(limits_the_bytes),
        cmocka_unit_test(keeps_a_maximum_of_problems),
        cmocka_unit_test(keeps_a_problem_on_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
