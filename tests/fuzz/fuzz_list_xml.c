/*
 * Fuzz target of net/s3_list: any bytes in any pieces. The first byte says how large the pieces
 * are; the verdict and the page must be the same as in one piece, and what a page holds is within
 * its limits.
 */
#include "base/cleanup.h"
#include "net/s3_list.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void list_free(struct s3_list **list)
{
    s3_list_free(*list);
}

/* Pieces of 1 to `step` bytes. */
static enum status parse(struct s3_list *list, struct slice xml, size_t step,
                         const struct s3_page **page)
{
    struct err err;
    s3_list_begin(list);
    for (size_t at = 0, turn = 0; at < xml.len; turn++) {
        size_t len = 1 + turn * 7 % step;
        len = len < xml.len - at ? len : xml.len - at;
        enum status status = s3_list_put(list, slice_make(xml.at + at, len), &err);
        if (status != OK) {
            return status;
        }
        at += len;
    }
    return s3_list_end(list, page, &err);
}

static enum status parse_whole(struct s3_list *list, struct slice xml, const struct s3_page **page)
{
    struct err err;
    s3_list_begin(list);
    enum status status = s3_list_put(list, xml, &err);
    return status == OK ? s3_list_end(list, page, &err) : status;
}

static bool is_key(struct slice key)
{
    return key.len <= OBJECT_KEY_MAX_BYTES && !memchr(key.at, '\0', key.len);
}

static void check_page(const struct s3_page *page)
{
    must(page->n_objects + page->n_folders <= S3_PAGE_KEYS_MAX);
    for (size_t i = 0; i < page->n_objects; i++) {
        must(page->objects[i].key.len > 0 && is_key(page->objects[i].key));
        must(page->objects[i].size >= 0);
    }
    for (size_t i = 0; i < page->n_folders; i++) {
        must(page->folders[i].len > 0 && is_key(page->folders[i]));
    }
    must(page->truncated == (*page->token != '\0'));
    must(strlen(page->token) <= S3_TOKEN_MAX_BYTES);
}

static void check_same(const struct s3_page *a, const struct s3_page *b)
{
    must(a->n_objects == b->n_objects && a->n_folders == b->n_folders);
    for (size_t i = 0; i < a->n_objects; i++) {
        const struct object *left = &a->objects[i], *right = &b->objects[i];
        must(slice_equal(left->key, right->key) && left->size == right->size);
        must(left->last_modified_ns == right->last_modified_ns);
        must(memcmp(left->etag, right->etag, sizeof left->etag) == 0);
    }
    for (size_t i = 0; i < a->n_folders; i++) {
        must(slice_equal(a->folders[i], b->folders[i]));
    }
    must(strcmp(a->token, b->token) == 0);
    must(strcmp(a->error.code, b->error.code) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    struct slice xml = slice_make((const char *)data + 1, size - 1);
    CLEANUP(list_free) struct s3_list *pieces = s3_list_new();
    CLEANUP(list_free) struct s3_list *whole = s3_list_new();
    const struct s3_page *page, *other;
    enum status status = parse(pieces, xml, 1 + data[0], &page);
    enum status expected = parse_whole(whole, xml, &other);
    must(status == OK || status == AGAIN || status == BAD_DATA);
    must((status == OK) == (expected == OK));
    if (status == OK) {
        check_page(page);
        check_same(page, other);
    }
    struct s3_error error;
    s3_error_parse(xml, &error);
    return 0;
}
