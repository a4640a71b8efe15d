/* Tests of net/s3_list: XML by hand, each document in one piece and byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/buf.h"
#include "base/timestamp.h"
#include "net/s3_list.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define HEAD                                       \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" \
    "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
#define LAST "<IsTruncated>false</IsTruncated>"
#define TAIL "</ListBucketResult>"
#define PREFIXED                                                                   \
    "<a:ListBucketResult xmlns:a='u'><a:IsTruncated b='c>d'>false</a:IsTruncated>" \
    "</a:ListBucketResult>"
#define DATED(key)                                                                      \
    "<Contents><Key>" key "</Key><LastModified>2022-05-30T09:00:01.000Z</LastModified>" \
    "<ETag>&quot;9b2cf535f27731c974343645a3985328&quot;</ETag><Size>434234</Size>"      \
    "<StorageClass>STANDARD</StorageClass></Contents>"

struct outcome {
    enum status status;
    const struct s3_page *page;
    struct err err;
    bool bad_character;
};

static struct outcome parse(struct s3_list *list, struct slice xml, size_t step)
{
    struct outcome outcome = {.status = OK};
    s3_list_begin(list);
    for (size_t at = 0; at < xml.len && outcome.status == OK; at += step) {
        size_t len = step < xml.len - at ? step : xml.len - at;
        outcome.status = s3_list_put(list, slice_make(xml.at + at, len), &outcome.err);
    }
    if (outcome.status == OK) {
        outcome.status = s3_list_end(list, &outcome.page, &outcome.err);
    }
    outcome.bad_character = s3_list_bad_character(list);
    return outcome;
}

static void assert_key(const struct outcome *outcome, size_t i, const char *key)
{
    assert_true(i < outcome->page->n_objects);
    assert_true(slice_is(outcome->page->objects[i].key, key));
}

static const size_t steps[] = {1 << 20, 1, 7};

static void test_reads_objects_and_folders(void **state)
{
    static const char xml[] =
        HEAD "<Name>logs</Name><Prefix/><KeyCount>3</KeyCount><IsTruncated>true</IsTruncated>"
             "<NextContinuationToken>1/ab+c==</NextContinuationToken>" DATED(
                 "a b") "<Contents><Owner><ID>x</ID><Key>not this</Key></Owner><Key>c</Key>"
                        "<ETag>9b2cf535f27731c974343645a3985328-2</ETag><Size>0</Size>"
                        "<LastModified>2022-10-01T00:00:00Z</LastModified></Contents>"
                        "<CommonPrefixes><Prefix>June-2022/</Prefix></CommonPrefixes>"
                        "<CommonPrefixes><Prefix>May-2022/</Prefix></CommonPrefixes>" TAIL;
    static const unsigned char md5[16] = {0x9b, 0x2c, 0xf5, 0x35, 0xf2, 0x77, 0x31, 0xc9,
                                          0x74, 0x34, 0x36, 0x45, 0xa3, 0x98, 0x53, 0x28};
    /* printf 9b2c...-2 | xxh128sum */
    static const unsigned char multipart[16] = {0xad, 0x34, 0x03, 0x64, 0xb8, 0xf2, 0xc3, 0x0f,
                                                0x63, 0x22, 0x0a, 0x25, 0x15, 0xee, 0xba, 0x45};
    struct s3_list *list = s3_list_new();
    (void)state;
    for (size_t i = 0; i < COUNT(steps); i++) {
        struct outcome outcome = parse(list, slice_of(xml), steps[i]);
        assert_int_equal(outcome.status, OK);
        assert_int_equal(outcome.page->n_objects, 2);
        assert_key(&outcome, 0, "a b");
        assert_int_equal(outcome.page->objects[0].size, 434234);
        assert_int_equal(outcome.page->objects[0].last_modified_ns, 1653901201 * NS_PER_SECOND);
        assert_memory_equal(outcome.page->objects[0].etag, md5, 16);
        assert_key(&outcome, 1, "c");
        assert_int_equal(outcome.page->objects[1].size, 0);
        assert_int_equal(outcome.page->objects[1].last_modified_ns, 1664582400 * NS_PER_SECOND);
        assert_memory_equal(outcome.page->objects[1].etag, multipart, 16);
        assert_int_equal(outcome.page->n_folders, 2);
        assert_true(slice_is(outcome.page->folders[0], "June-2022/"));
        assert_true(slice_is(outcome.page->folders[1], "May-2022/"));
        assert_true(outcome.page->truncated);
        assert_string_equal(outcome.page->token, "1/ab+c==");
        assert_string_equal(outcome.page->error.code, "");
    }
    s3_list_free(list);
}

static void test_an_empty_listing_is_one(void **state)
{
    struct s3_list *list = s3_list_new();
    (void)state;
    struct outcome outcome = parse(list, slice_of(HEAD LAST TAIL), 5);
    assert_int_equal(outcome.status, OK);
    assert_int_equal(outcome.page->n_objects + outcome.page->n_folders, 0);
    assert_false(outcome.page->truncated);
    assert_string_equal(outcome.page->token, "");
    s3_list_free(list);
}

static void test_odd_keys(void **state)
{
    static const struct {
        const char *xml, *key;
    } table[] = {
        {HEAD LAST DATED("&lt;a&gt;&amp;&quot;&apos;") TAIL, "<a>&\"'"},
        {HEAD LAST DATED("cr&#13;lf&#10;tab&#9;&#x2F;") TAIL, "cr\rlf\ntab\t/"},
        {HEAD LAST DATED("&#252;\xC3\xBC\xF0\x9F\x9A\x9A") TAIL,
         "\xC3\xBC\xC3\xBC\xF0\x9F\x9A\x9A"},
        {HEAD LAST DATED("a%2Fb+c") TAIL, "a%2Fb+c"}, /* not encoded: as it is */
        {HEAD LAST DATED(" a ") TAIL, " a "},
        {HEAD LAST DATED("<![CDATA[<&]]>x") TAIL, "<&x"},
        /* encoding-type=url, said before and after the keys */
        {HEAD LAST "<EncodingType>url</EncodingType>" DATED("a%2Fb+%2B%01%25%c3%BC") TAIL,
         "a/b +\x01%\xC3\xBC"},
        {HEAD LAST DATED("a%2Fb+c") "<EncodingType>url</EncodingType>" TAIL, "a/b c"},
        {HEAD LAST "<EncodingType/>" DATED("a%2Fb") TAIL, "a%2Fb"},
    };
    struct s3_list *list = s3_list_new();
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        for (size_t j = 0; j < COUNT(steps); j++) {
            struct outcome outcome = parse(list, slice_of(table[i].xml), steps[j]);
            assert_int_equal(outcome.status, OK);
            assert_int_equal(outcome.page->n_objects, 1);
            assert_key(&outcome, 0, table[i].key);
            assert_false(outcome.bad_character);
        }
    }
    s3_list_free(list);
}

static void test_folders_are_decoded_too(void **state)
{
    static const char xml[] = HEAD LAST "<CommonPrefixes><Prefix>a%20b%2F</Prefix>"
                                        "</CommonPrefixes><EncodingType>url</EncodingType>" TAIL;
    struct s3_list *list = s3_list_new();
    (void)state;
    struct outcome outcome = parse(list, slice_of(xml), 3);
    assert_int_equal(outcome.status, OK);
    assert_true(slice_is(outcome.page->folders[0], "a b/"));
    s3_list_free(list);
}

/* What asks for encoding-type=url. */
static void test_bad_characters_are_told(void **state)
{
    static const struct {
        const char *xml;
        enum status status;
    } table[] = {
        {HEAD LAST DATED("a\x01z") TAIL, BAD_DATA},
        {HEAD LAST DATED("a&#1;z") TAIL, BAD_DATA},
        {HEAD LAST DATED("a\xFFz") TAIL, BAD_DATA},
        {HEAD LAST DATED("a\xEF\xBF\xBDz") TAIL, OK},
    };
    struct s3_list *list = s3_list_new();
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct outcome outcome = parse(list, slice_of(table[i].xml), 1 << 20);
        assert_int_equal(outcome.status, table[i].status);
        assert_true(outcome.bad_character);
    }
    /* written as it has to be, U+FFFD is a character like any other */
    struct outcome outcome = parse(
        list, slice_of(HEAD LAST "<EncodingType>url</EncodingType>" DATED("%EF%BF%BD") TAIL), 1);
    assert_int_equal(outcome.status, OK);
    assert_false(outcome.bad_character);
    s3_list_free(list);
}

/* Every proper prefix of a listing is an error, never the end of the listing. */
static void test_cut_anywhere_it_ends_early(void **state)
{
    static const char *const table[] = {
        HEAD LAST DATED("key") TAIL,
        HEAD LAST DATED("&#252;\xC3\xBC<![CDATA[a>b]]>") "<!-- a > b --><?pi a > b?>" TAIL,
        PREFIXED,
    };
    struct s3_list *list = s3_list_new();
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        for (size_t len = 0; len < strlen(table[i]); len++) {
            struct outcome outcome = parse(list, slice_make(table[i], len), 1 << 20);
            assert_int_equal(outcome.status, AGAIN);
            assert_string_equal(outcome.err.text, "the listing ends early");
        }
        assert_int_equal(parse(list, slice_of(table[i]), 1 << 20).status, OK);
    }
    s3_list_free(list);
}

#define OBJECT(inner) HEAD LAST "<Contents>" inner "</Contents>" TAIL
#define KEY_AND_TIME "<Key>k</Key><LastModified>2022-10-01T00:00:00Z</LastModified>"

static void test_bad_listings(void **state)
{
    static const char *const table[] = {
        "hello, world",
        "<html><body>Welcome</body></html>",
        "<ListAllMyBucketsResult></ListAllMyBucketsResult>",
        HEAD LAST "<a></b>" TAIL,
        HEAD LAST TAIL "<more/>",
        HEAD TAIL, /* says nothing about more */
        HEAD "<IsTruncated>maybe</IsTruncated>" TAIL,
        HEAD "<IsTruncated>true</IsTruncated>" TAIL,
        HEAD "<IsTruncated>true</IsTruncated><NextContinuationToken/>" TAIL,
        HEAD LAST "<EncodingType>base64</EncodingType>" TAIL,
        OBJECT("<Size>1</Size>"
               "<LastModified>2022-10-01T00:00:00Z</LastModified>"),
        OBJECT("<Key></Key><Size>1</Size><LastModified>2022-10-01T00:00:00Z</LastModified>"),
        OBJECT("<Key>k</Key><Size>1</Size>"),
        OBJECT("<Key>k</Key><Size>1</Size><LastModified>yesterday</LastModified>"),
        OBJECT(KEY_AND_TIME),
        OBJECT(KEY_AND_TIME "<Size></Size>"),
        OBJECT(KEY_AND_TIME "<Size>-1</Size>"),
        OBJECT(KEY_AND_TIME "<Size>1e3</Size>"),
        OBJECT(KEY_AND_TIME "<Size>9223372036854775808</Size>"),
        OBJECT(KEY_AND_TIME "<Size>1<b/></Size>"),
        HEAD LAST "<CommonPrefixes></CommonPrefixes>" TAIL,
        HEAD LAST "<EncodingType>url</EncodingType>" DATED("a%2") TAIL,
        HEAD LAST "<EncodingType>url</EncodingType>" DATED("a%GG") TAIL,
        HEAD LAST "<EncodingType>url</EncodingType>" DATED("a%00b") TAIL,
        "<!DOCTYPE ListBucketResult [<!ENTITY e \"x\">]><ListBucketResult>" LAST DATED("&e;") TAIL,
        "<!DOCTYPE ListBucketResult SYSTEM \"file:///etc/passwd\"><ListBucketResult>" LAST TAIL,
        HEAD LAST DATED("&unknown;") TAIL,
        "<Error><Message>no code</Message></Error>",
    };
    struct s3_list *list = s3_list_new();
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        for (size_t j = 0; j < COUNT(steps); j++) {
            struct outcome outcome = parse(list, slice_of(table[i]), steps[j]);
            assert_int_equal(outcome.status, BAD_DATA);
            assert_false(outcome.bad_character);
            assert_int_equal(strncmp(outcome.err.text, "bad listing: ", 13), 0);
        }
    }
    s3_list_free(list);
}

static struct buf listing_of_key(size_t len, const char *unit, const char *encoding)
{
    struct buf xml = {.max = 1 << 20};
    buf_printf(&xml, HEAD LAST "<EncodingType>%s</EncodingType><Contents><Key>", encoding);
    for (size_t i = 0; i < len; i++) {
        buf_add_text(&xml, unit);
    }
    buf_add_text(&xml, "</Key><Size>1</Size><LastModified>2022-10-01T00:00:00Z</LastModified>"
                       "</Contents>" TAIL);
    return xml;
}

static void test_keys_have_a_limit(void **state)
{
    static const struct {
        size_t len;
        const char *unit, *encoding;
        enum status status;
    } table[] = {
        {1024, "k", "", OK},       {1025, "k", "", BAD_DATA},
        {1024, "%01", "url", OK},  {1025, "%01", "url", BAD_DATA},
        {5000, "k", "", BAD_DATA},
    };
    struct s3_list *list = s3_list_new();
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct buf xml = listing_of_key(table[i].len, table[i].unit, table[i].encoding);
        struct outcome outcome = parse(list, buf_slice(&xml), 100);
        assert_int_equal(outcome.status, table[i].status);
        if (outcome.status == OK) {
            assert_int_equal(outcome.page->objects[0].key.len, 1024);
        }
        buf_finish(&xml);
    }
    s3_list_free(list);
}

static struct buf listing_of_count(int count)
{
    struct buf xml = {.max = 8 << 20};
    buf_add_text(&xml, HEAD LAST);
    for (int i = 0; i < count; i++) {
        buf_printf(&xml,
                   "<Contents><Key>k%05d</Key><Size>%d</Size>"
                   "<LastModified>2022-10-01T00:00:00Z</LastModified></Contents>",
                   i, i);
    }
    buf_add_text(&xml, TAIL);
    return xml;
}

static void test_pages_have_a_limit(void **state)
{
    struct s3_list *list = s3_list_new();
    struct buf most = listing_of_count(10000), more = listing_of_count(10001);
    (void)state;
    struct outcome outcome = parse(list, buf_slice(&most), 65536);
    assert_int_equal(outcome.status, OK);
    assert_int_equal(outcome.page->n_objects, 10000);
    for (int i = 0; i < 10000; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%05d", i);
        assert_key(&outcome, (size_t)i, key);
        assert_int_equal(outcome.page->objects[i].size, i);
    }
    assert_int_equal(parse(list, buf_slice(&more), 65536).status, BAD_DATA);
    buf_finish(&most);
    buf_finish(&more);
    s3_list_free(list);
}

/* A page of 1,000 keys, each of 1,024 bytes that are written with three characters. */
static void test_a_page_of_the_longest_keys_fits(void **state)
{
    enum { KEYS = 1000, KEY_BYTES = 1024 };
    struct s3_list *list = s3_list_new();
    struct buf xml = {.max = 8 << 20};
    (void)state;
    buf_add_text(&xml, HEAD "<EncodingType>url</EncodingType>" LAST);
    for (int i = 0; i < KEYS; i++) {
        buf_add_text(&xml, "<Contents><Key>");
        for (int byte = 0; byte < KEY_BYTES; byte++) {
            buf_add_text(&xml, "%C3");
        }
        buf_add_text(&xml, "</Key><LastModified>2022-05-30T09:00:01.000Z</LastModified>"
                           "<ETag>&quot;9b2cf535f27731c974343645a3985328-10000&quot;</ETag>"
                           "<Size>5497558138880</Size><StorageClass>DEEP_ARCHIVE</StorageClass>"
                           "</Contents>");
    }
    buf_add_text(&xml, TAIL);
    struct outcome outcome = parse(list, buf_slice(&xml), 65536);
    assert_int_equal(outcome.status, OK);
    assert_int_equal(outcome.page->n_objects, KEYS);
    assert_int_equal(outcome.page->objects[KEYS - 1].key.len, KEY_BYTES);
    buf_finish(&xml);
    s3_list_free(list);
}

static void test_a_reply_has_a_limit(void **state)
{
    struct s3_list *list = s3_list_new();
    struct buf blank = {.max = 8 << 20};
    (void)state;
    buf_add_text(&blank, HEAD LAST);
    while (blank.len <= 4 << 20) {
        buf_add_text(&blank, "                                ");
    }
    buf_add_text(&blank, TAIL);
    assert_int_equal(parse(list, buf_slice(&blank), 65536).status, BAD_DATA);
    assert_int_equal(parse(list, slice_of(HEAD LAST TAIL), 65536).status, OK);
    buf_finish(&blank);
    s3_list_free(list);
}

static void test_without_a_tag_size_and_time_stand_in(void **state)
{
    /* printf "5 1700000000000000000" | xxh128sum */
    static const unsigned char digest[16] = {0x75, 0x56, 0x08, 0x5a, 0x87, 0x92, 0xb7, 0x77,
                                             0x49, 0x01, 0xca, 0xef, 0x9c, 0xec, 0x4b, 0xec};
    static const char xml[] =
        OBJECT("<Key>k</Key><LastModified>2023-11-14T22:13:20Z</LastModified><Size>5</Size>");
    struct s3_list *list = s3_list_new();
    (void)state;
    struct outcome outcome = parse(list, slice_of(xml), 9);
    assert_int_equal(outcome.status, OK);
    assert_memory_equal(outcome.page->objects[0].etag, digest, 16);
    s3_list_free(list);
}

static void test_errors(void **state)
{
    static const char xml[] = "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code>"
                              "<Message>It is &lt;gone&gt;</Message><Key>k</Key></Error>";
    struct s3_list *list = s3_list_new();
    struct s3_error error;
    (void)state;
    struct outcome outcome = parse(list, slice_of(xml), 2);
    assert_int_equal(outcome.status, OK);
    assert_string_equal(outcome.page->error.code, "NoSuchBucket");
    assert_string_equal(outcome.page->error.message, "It is <gone>");
    assert_int_equal(outcome.page->n_objects, 0);
    s3_list_free(list);

    assert_true(s3_error_parse(slice_of(xml), &error));
    assert_string_equal(error.code, "NoSuchBucket");
    assert_string_equal(error.message, "It is <gone>");
    assert_false(s3_error_parse(slice_of(""), &error));
    assert_false(s3_error_parse(slice_of("<html>"), &error));
    assert_false(s3_error_parse(slice_of(HEAD LAST TAIL), &error));
    assert_false(s3_error_parse(slice_make(xml, 60), &error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_objects_and_folders),
        cmocka_unit_test(test_an_empty_listing_is_one),
        cmocka_unit_test(test_odd_keys),
        cmocka_unit_test(test_folders_are_decoded_too),
        cmocka_unit_test(test_bad_characters_are_told),
        cmocka_unit_test(test_cut_anywhere_it_ends_early),
        cmocka_unit_test(test_bad_listings),
        cmocka_unit_test(test_keys_have_a_limit),
        cmocka_unit_test(test_pages_have_a_limit),
        cmocka_unit_test(test_a_page_of_the_longest_keys_fits),
        cmocka_unit_test(test_a_reply_has_a_limit),
        cmocka_unit_test(test_without_a_tag_size_and_time_stand_in),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
