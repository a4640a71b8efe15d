/* Tests of net/s3: names, by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/s3.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void test_addresses(void **state)
{
    static const struct {
        const char *endpoint_url, *bucket, *region;
        enum s3_style style;
        const char *endpoint, *bucket_url, *region_used;
    } table[] = {
        {"https://s3.us-east-1.lyvecloud.seagate.com", "logs", NULL, S3_STYLE_AUTO,
         "https://s3.us-east-1.lyvecloud.seagate.com",
         "https://s3.us-east-1.lyvecloud.seagate.com/logs", "us-east-1"},
        {"S3.AP-Southeast-1.LyveCloud.Seagate.com//", "logs", NULL, S3_STYLE_AUTO,
         "https://s3.ap-southeast-1.lyvecloud.seagate.com",
         "https://s3.ap-southeast-1.lyvecloud.seagate.com/logs", "ap-southeast-1"},
        {"s3.eu-west-1.amazonaws.com", "my-logs", NULL, S3_STYLE_AUTO,
         "https://s3.eu-west-1.amazonaws.com", "https://my-logs.s3.eu-west-1.amazonaws.com",
         "eu-west-1"},
        {"s3.eu-west-1.amazonaws.com", "my.logs", NULL, S3_STYLE_AUTO,
         "https://s3.eu-west-1.amazonaws.com", "https://s3.eu-west-1.amazonaws.com/my.logs",
         "eu-west-1"},
        {"s3.eu-west-1.amazonaws.com", "my-logs", NULL, S3_STYLE_PATH,
         "https://s3.eu-west-1.amazonaws.com", "https://s3.eu-west-1.amazonaws.com/my-logs",
         "eu-west-1"},
        {"s3-us-gov-west-1.amazonaws.com", "abc", NULL, S3_STYLE_AUTO,
         "https://s3-us-gov-west-1.amazonaws.com", "https://abc.s3-us-gov-west-1.amazonaws.com",
         "us-gov-west-1"},
        {"s3.dualstack.us-west-2.amazonaws.com", "abc", NULL, S3_STYLE_PATH,
         "https://s3.dualstack.us-west-2.amazonaws.com",
         "https://s3.dualstack.us-west-2.amazonaws.com/abc", "us-west-2"},
        {"s3.cn-north-1.amazonaws.com.cn", "abc", NULL, S3_STYLE_AUTO,
         "https://s3.cn-north-1.amazonaws.com.cn", "https://abc.s3.cn-north-1.amazonaws.com.cn",
         "cn-north-1"},
        {"s3.amazonaws.com", "abc", NULL, S3_STYLE_AUTO, "https://s3.amazonaws.com",
         "https://abc.s3.amazonaws.com", "us-east-1"},
        {"s3.eu-west-1.amazonaws.com", "abc", "eu-west-2", S3_STYLE_PATH,
         "https://s3.eu-west-1.amazonaws.com", "https://s3.eu-west-1.amazonaws.com/abc",
         "eu-west-2"},
        {"storage.example.com", "Old_Bucket+1", "home", S3_STYLE_AUTO,
         "https://storage.example.com", "https://storage.example.com/Old_Bucket%2B1", "home"},
        {"storage.example.com:443", "logs", "home", S3_STYLE_VIRTUAL, "https://storage.example.com",
         "https://logs.storage.example.com", "home"},
        {"http://127.0.0.1:9000", "logs", NULL, S3_STYLE_AUTO, "http://127.0.0.1:9000",
         "http://127.0.0.1:9000/logs", "us-east-1"},
        {"http://minio:80/", "logs", NULL, S3_STYLE_AUTO, "http://minio", "http://minio/logs",
         "us-east-1"},
        {"[::1]:9000", "logs", NULL, S3_STYLE_AUTO, "https://[::1]:9000", "https://[::1]:9000/logs",
         "us-east-1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct s3_address address;
        struct err err;
        assert_int_equal(s3_address_init(&address, table[i].endpoint_url, table[i].bucket,
                                         table[i].region, table[i].style, &err),
                         OK);
        assert_string_equal(address.endpoint, table[i].endpoint);
        assert_string_equal(address.bucket_url, table[i].bucket_url);
        assert_string_equal(address.region, table[i].region_used);
    }
}

static void test_bad_addresses(void **state)
{
    static const struct {
        const char *endpoint_url, *bucket, *region;
        enum s3_style style;
        const char *noun; /* the option at fault */
    } table[] = {
        {"", "logs", NULL, S3_STYLE_AUTO, "endpoint_url: "},
        {"https://", "logs", NULL, S3_STYLE_AUTO, "endpoint_url: "},
        {"ftp://host", "logs", NULL, S3_STYLE_AUTO, "endpoint_url: "},
        {"https://host/path", "logs", NULL, S3_STYLE_AUTO, "endpoint_url: "},
        {"https://host?x", "logs", NULL, S3_STYLE_AUTO, "endpoint_url: "},
        {"https://user:canary@host", "logs", NULL, S3_STYLE_AUTO, "endpoint_url: "},
        {"host:0", "logs", NULL, S3_STYLE_AUTO, "endpoint_url: "},
        {"host:65536", "logs", NULL, S3_STYLE_AUTO, "endpoint_url: "},
        {"host:123456789", "logs", NULL, S3_STYLE_AUTO, "endpoint_url: "},
        {"host:", "logs", NULL, S3_STYLE_AUTO, "endpoint_url: "},
        {"host:80:80", "logs", NULL, S3_STYLE_AUTO, "endpoint_url: "},
        {"::1", "logs", NULL, S3_STYLE_AUTO, "endpoint_url: "},
        {"ho st", "logs", NULL, S3_STYLE_AUTO, "endpoint_url: "},
        {"host\r\nX-Header: 1", "logs", NULL, S3_STYLE_AUTO, "endpoint_url: "},
        {"host", "", NULL, S3_STYLE_AUTO, "log_bucket: "},
        {"host", "a/b", NULL, S3_STYLE_AUTO, "log_bucket: "},
        {"host", "Upper", NULL, S3_STYLE_VIRTUAL, "path_style: "},
        {"host", "a:b", NULL, S3_STYLE_VIRTUAL, "path_style: "},
        {"storage.example.com", "logs", NULL, S3_STYLE_AUTO, "region: "},
        {"s3.example.com", "logs", NULL, S3_STYLE_AUTO, "region: "},
        {"s3.internal.example.com", "logs", NULL, S3_STYLE_AUTO, "region: "},
        {"host", "logs", "us east", S3_STYLE_AUTO, "region: "},
        {"host", "logs", "a:b", S3_STYLE_AUTO, "region: "},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct s3_address address;
        struct err err;
        assert_int_equal(s3_address_init(&address, table[i].endpoint_url, table[i].bucket,
                                         table[i].region, table[i].style, &err),
                         BAD_CONFIG);
        assert_int_equal(strncmp(err.text, table[i].noun, strlen(table[i].noun)), 0);
        assert_null(strstr(err.text, "canary"));
    }
}

static void test_urls(void **state)
{
    struct s3_address address;
    struct err err;
    struct buf url = {.max = S3_URL_MAX_BYTES};
    (void)state;
    assert_int_equal(s3_address_init(&address, "http://h", "b", NULL, S3_STYLE_AUTO, &err), OK);

    assert_true(s3_object_url(&url, &address, slice_of("October-2022/S3 +%~'\xC3\xBC//../x")));
    assert_string_equal(buf_text(&url), "http://h/b/October-2022/S3%20%2B%25~%27%C3%BC//../x");
    buf_clear(&url);
    struct s3_list_query query = {.token = "", .max_keys = 1000};
    assert_true(s3_list_url(&url, &address, &query));
    assert_string_equal(buf_text(&url), "http://h/b/?list-type=2&max-keys=1000&prefix=");
    buf_clear(&url);
    query = (struct s3_list_query){.prefix = slice_of("May-2022/a b"),
                                   .by_folder = true,
                                   .token = "1/x+y==",
                                   .max_keys = 1,
                                   .encoding_type_url = true};
    assert_true(s3_list_url(&url, &address, &query));
    assert_string_equal(buf_text(&url),
                        "http://h/b/?continuation-token=1%2Fx%2By%3D%3D&delimiter=%2F&"
                        "encoding-type=url&list-type=2&max-keys=1&prefix=May-2022%2Fa%20b");
    buf_clear(&url);
    query = (struct s3_list_query){
        .prefix = slice_of("M/"), .token = "", .after = slice_of("M/a+b"), .max_keys = 1000};
    assert_true(s3_list_url(&url, &address, &query));
    assert_string_equal(buf_text(&url),
                        "http://h/b/?list-type=2&max-keys=1000&prefix=M%2F&start-after=M%2Fa%2Bb");
    buf_clear(&url);
    query.token = "t"; /* knows where to go on */
    assert_true(s3_list_url(&url, &address, &query));
    assert_string_equal(buf_text(&url),
                        "http://h/b/?continuation-token=t&list-type=2&max-keys=1000&prefix=M%2F");
    buf_finish(&url);
}

static void test_etags(void **state)
{
    static const unsigned char md5[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                          0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    /* printf 'W/"abc"' | xxh128sum */
    static const unsigned char weak[16] = {0xb5, 0x7a, 0xf2, 0x16, 0xa1, 0x22, 0x31, 0x7a,
                                           0x3c, 0xe0, 0xeb, 0x55, 0x0a, 0x72, 0x59, 0x34};
    /* printf zz2cf535f27731c974343645a3985328 | xxh128sum */
    static const unsigned char no_hex[16] = {0x97, 0x7b, 0xc5, 0x07, 0xa9, 0xf2, 0xe2, 0xbf,
                                             0x37, 0x04, 0x69, 0x6c, 0xc7, 0xdf, 0x6c, 0x22};
    static const struct {
        const char *etag;
        const unsigned char *digest;
    } table[] = {
        {"\"0123456789abcdef0123456789abcdef\"", md5},
        {"0123456789ABCDEF0123456789abcdef", md5},
        {"W/\"abc\"", weak},
        {"\"zz2cf535f27731c974343645a3985328\"", no_hex},
    };
    unsigned char digest[16];
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        assert_true(etag_digest(slice_of(table[i].etag), digest));
        assert_memory_equal(digest, table[i].digest, 16);
    }
    assert_false(etag_digest(slice_of(""), digest));
    assert_false(etag_digest(slice_of("\"\""), digest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_bad_addresses),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_etags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
