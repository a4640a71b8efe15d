/*
 * s3_list: reads the XML of a ListObjectsV2 reply, in whatever pieces it comes, into one page of
 * objects and common prefixes; and the <Error> document of any S3 reply. Pure: who asks for the
 * page, in what order pages come and where they go is datasources/s3's business.
 *
 * A page is handed out whole, since <EncodingType>, which says how its keys are written, may stand
 * behind them. Its size is bounded: S3_PAGE_KEYS_MAX entries of at most OBJECT_KEY_MAX_BYTES, from
 * a reply of at most 4 MiB, which is kept until it is whole.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
#ifndef NET_S3_LIST_H
#define NET_S3_LIST_H

#include "api/flow.h"

enum {
    S3_TOKEN_MAX_BYTES = 4096,
    S3_PAGE_KEYS_MAX = 10000, /* a page is asked for with max-keys=1000 */
};

struct s3_error {
    char code[64]; /* "NoSuchKey"; "" = the reply is no error */
    char message[256];
};

struct s3_page {
    const struct object *objects; /* as they came, keys decoded */
    size_t n_objects;
    const struct slice *folders; /* common prefixes */
    size_t n_folders;
    bool truncated;        /* there is more: */
    const char *token;     /* asks for it; "" when not truncated */
    struct s3_error error; /* the server sent <Error> in place of a listing: nothing else is set */
};

struct s3_list; /* reused from page to page */

struct s3_list *s3_list_new(void);
void s3_list_free(struct s3_list *list); /* NULL is fine */

void s3_list_begin(struct s3_list *list); /* before each page, also after an abandoned one */

/* BAD_DATA: this is no listing, or one that breaks a limit. */
enum status s3_list_put(struct s3_list *list, struct slice bytes, struct err *err);

/* After the last byte. *page lives until the next begin. AGAIN: the reply ends early. BAD_DATA as
 * put. */
enum status s3_list_end(struct s3_list *list, const struct s3_page **page, struct err *err);

/* A key has a byte that XML 1.0 cannot carry, so the page has to be asked for with
 * encoding-type=url: after BAD_DATA, and after OK when it was replaced by U+FFFD. */
bool s3_list_bad_character(const struct s3_list *list);

/* Reads an <Error> document. False: it is none. */
bool s3_error_parse(struct slice xml, struct s3_error *error);

#endif
