/*
 * s3_error: the <Error> document of an S3 reply. Called for replies that are no success, by
 * http_reply and datasources/s3. See s3_list.h, whose parser does the work.
 */
#include "net/s3_list.h"

#include "base/cleanup.h"

static void list_free_pointer(struct s3_list **list)
{
    s3_list_free(*list);
}

bool s3_error_parse(struct slice xml, struct s3_error *error)
{
    CLEANUP(list_free_pointer) struct s3_list *list = s3_list_new();
    const struct s3_page *page;
    struct err ignored;
    s3_list_begin(list);
    if (s3_list_put(list, xml, &ignored) != OK || s3_list_end(list, &page, &ignored) != OK) {
        return false;
    }
    *error = page->error;
    return *error->code != '\0';
}
