/* flatten: expectations written by hand. */
#include "data/flatten.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool flatten(const char *object, size_t max, struct buf *out)
{
    CLEANUP(buf_finish) struct buf prefix = {.max = 1 << 20};
    out->max = max;
    buf_clear(out);
    return flatten_object(slice_of(object), &prefix, out);
}

static void objects_become_dotted_keys(void **state)
{
    (void)state;
    static const struct {
        const char *object, *flat;
    } examples[] = {
        {"{}", "{}"},
        {" { } ", "{}"},
        {"{\"a\":1}", "{\"a\":1}"},
        {"{\"a\":{\"b\":{\"c\":\"x\"}}}", "{\"a.b.c\":\"x\"}"},
        {"{\"a\":{\"b\":1,\"c\":2},\"d\":3}", "{\"a.b\":1,\"a.c\":2,\"d\":3}"},
        {"{\"a\":{\"b\":{\"c\":1},\"d\":2},\"e\":{\"f\":3}}", "{\"a.b.c\":1,\"a.d\":2,\"e.f\":3}"},
        /* arrays and empty objects stay */
        {"{\"a\":[1,{\"b\":{\"c\":[]}}],\"d\":{},\"e\":{ }}",
         "{\"a\":[1,{\"b\":{\"c\":[]}}],\"d\":{},\"e\":{ }}"},
        {"{\"a\":{\"b\":[ 1 , 2 ],\"c\":{}}}", "{\"a.b\":[ 1 , 2 ],\"a.c\":{}}"},
        /* spaces between tokens go, those in values stay */
        {"\t{ \"a\" : { \"b\" : \"x y\" ,\r\n \"c\" : 1.50e+3 } , \"d\" : null }\n",
         "{\"a.b\":\"x y\",\"a.c\":1.50e+3,\"d\":null}"},
        /* what only looks like structure */
        {"{\"a\":{\"b\":\"}\\\"{,\\\\\",\"c\":true}}", "{\"a.b\":\"}\\\"{,\\\\\",\"a.c\":true}"},
        {"{\"a\\\"}\":{\"b]\":[\"]\",\"}\"]}}", "{\"a\\\"}.b]\":[\"]\",\"}\"]}"},
        /* empty keys, keys with dots, keys that become equal */
        {"{\"\":{\"\":1,\"a\":2}}", "{\".\":1,\".a\":2}"},
        {"{\"a.b\":1,\"a\":{\"b\":2}}", "{\"a.b\":1,\"a.b\":2}"},
    };
    for (size_t i = 0; i < COUNT(examples); i++) {
        CLEANUP(buf_finish) struct buf out = {.max = 0};
        assert_true(flatten(examples[i].object, 4096, &out));
        assert_string_equal(buf_text(&out), examples[i].flat);
    }
}

/* Every maximum gives the same text, cut there. */
static void a_full_buffer_holds_what_fitted(void **state)
{
    (void)state;
    const char *object = "{\"a\":{\"b\":\"xyz\",\"c\":[1,2]},\"d\":{}}";
    const char *flat = "{\"a.b\":\"xyz\",\"a.c\":[1,2],\"d\":{}}";
    for (size_t max = 0; max <= strlen(flat); max++) {
        CLEANUP(buf_finish) struct buf out = {.max = 0};
        assert_true(flatten(object, max, &out) == (max == strlen(flat)));
        assert_int_equal(out.len, max);
        assert_memory_equal(buf_text(&out), flat, max);
    }
}

static void deep_objects_are_flattened(void **state)
{
    (void)state;
    enum { DEPTH = 1000 };
    CLEANUP(buf_finish)
    struct buf object = {.max = 1 << 20}, expected = {.max = 1 << 20}, out = {.max = 0};
    buf_add_text(&expected, "{\"");
    for (int i = 0; i < DEPTH; i++) {
        buf_add_text(&object, "{\"k\":");
        buf_add_text(&expected, i ? ".k" : "k");
    }
    buf_add_byte(&object, '7');
    for (int i = 0; i < DEPTH; i++) {
        buf_add_byte(&object, '}');
    }
    buf_add_text(&expected, "\":7}");
    assert_true(flatten(buf_text(&object), 1 << 20, &out));
    assert_string_equal(buf_text(&out), buf_text(&expected));
}

/* A long key over many values would become gigabytes: the work ends with the room. */
static void repeated_prefixes_do_not_blow_up(void **state)
{
    (void)state;
    enum { KEY = 300000, VALUES = 100000 };
    CLEANUP(buf_finish) struct buf object = {.max = 1 << 20}, out = {.max = 0};
    buf_add_text(&object, "{\"");
    memset(buf_room(&object, KEY), 'k', KEY);
    object.len += KEY;
    buf_add_text(&object, "\":{\"a\":0");
    for (int i = 0; i < VALUES; i++) {
        buf_add_text(&object, ",\"b\":1");
    }
    buf_add_text(&object, "}}");
    assert_false(object.overflow);
    assert_false(flatten(buf_text(&object), 1 << 20, &out));
    assert_int_equal(out.len, 1 << 20);
}

static void top_level_keys_are_named(void **state)
{
    (void)state;
    char text[64];
    static const struct {
        const char *object, *keys;
        size_t max;
    } examples[] = {
        {"{}", "", 63},
        {"{\"a\":1}", "a", 63},
        {" { \"a\" : { \"x\" : 1 } , \"b\" : [ { } ] , \"c\\\"\" : \"}\" }", "a, b, c\\\"", 63},
        {"{\"aaaaaaaaaa\":1,\"bbbbbbbbbb\":2,\"cccccccccc\":3}", "aaaaaaaaaa, ...", 24},
        {"{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1}", "...", 24},
    };
    for (size_t i = 0; i < COUNT(examples); i++) {
        struct buf out = {.at = text, .size = sizeof text, .max = examples[i].max};
        flatten_keys(slice_of(examples[i].object), &out);
        assert_string_equal(buf_text(&out), examples[i].keys);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_become_dotted_keys),
        cmocka_unit_test(a_full_buffer_holds_what_fitted),
        cmocka_unit_test(deep_objects_are_flattened),
        cmocka_unit_test(repeated_prefixes_do_not_blow_up),
        cmocka_unit_test(top_level_keys_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
