/*
 * s3_draft: a page of a listing while it is put together from the texts of its elements, and what
 * is wrong with them. Of s3_list.c, which reads the XML and knows which element is where.
 *
 * Functions that give a text give what is wrong, NULL when nothing is.
 */
#ifndef NET_S3_DRAFT_H
#define NET_S3_DRAFT_H

#include "net/s3_list.h"

#include "base/arena.h"

enum { S3_TEXT_MAX_BYTES = 4096 }; /* of one element; an encoded key takes 3,072 */

enum s3_field {
    S3_NO_FIELD,
    S3_TRUNCATED,
    S3_TOKEN,
    S3_ENCODING,
    S3_KEY,
    S3_LAST_MODIFIED,
    S3_ETAG,
    S3_SIZE,
    S3_PREFIX,
    S3_ERROR_CODE,
    S3_ERROR_MESSAGE,
};

struct s3_draft {
    char text[S3_TEXT_MAX_BYTES + 1]; /* of the field that is open */
    size_t text_len;

    struct object object; /* of the open <Contents> */
    struct slice folder;  /* of the open <CommonPrefixes> */
    bool has_size, has_time, has_etag;

    bool says_truncated, encoded, replaced; /* replaced: a key has U+FFFD for some other byte */
    char token[S3_TOKEN_MAX_BYTES + 1];
    struct object *objects;
    struct slice *folders;
    size_t objects_room, folders_room;
    struct arena keys;
    struct s3_page page;
};

void s3_draft_begin(struct s3_draft *draft); /* zeroed, or used before */
void s3_draft_finish(struct s3_draft *draft);

void s3_draft_begin_text(struct s3_draft *draft);
const char *s3_draft_add_text(struct s3_draft *draft, struct slice text);
const char *s3_draft_end_text(struct s3_draft *draft, enum s3_field field);

void s3_draft_begin_object(struct s3_draft *draft);
const char *s3_draft_end_object(struct s3_draft *draft);
void s3_draft_begin_folder(struct s3_draft *draft);
const char *s3_draft_end_folder(struct s3_draft *draft);

/* The whole page; .page is then complete. */
const char *s3_draft_end_listing(struct s3_draft *draft);

#endif
