/* s3_draft: see s3_draft.h. */
#include "net/s3_draft.h"

#include "base/memory.h"
#include "base/timestamp.h"
#include "net/s3.h"

#include <stdlib.h>

void s3_draft_begin(struct s3_draft *draft)
{
    arena_reset(&draft->keys);
    draft->says_truncated = draft->encoded = draft->replaced = false;
    draft->token[0] = '\0';
    draft->page = (struct s3_page){.token = ""};
}

void s3_draft_finish(struct s3_draft *draft)
{
    arena_finish(&draft->keys);
    free(draft->objects);
    free(draft->folders);
}

/* --- entries --- */

static const char too_many[] = "too many keys on one page";

/* An array with room for one entry of `size` bytes more. */
static void *entry_add(void *entries, size_t *room, size_t used, size_t size)
{
    if (used < *room) {
        return entries;
    }
    *room = *room ? *room * 2 : 1024;
    return memory_grow(entries, *room * size);
}

static bool page_is_full(const struct s3_draft *draft)
{
    return draft->page.n_objects + draft->page.n_folders >= S3_PAGE_KEYS_MAX;
}

void s3_draft_begin_object(struct s3_draft *draft)
{
    draft->object = (struct object){0};
    draft->has_size = draft->has_time = draft->has_etag = false;
}

const char *s3_draft_end_object(struct s3_draft *draft)
{
    struct object *object = &draft->object;
    if (!object->key.len || !draft->has_size || !draft->has_time) {
        return "an object without key, size or time";
    }
    if (!draft->has_etag) {
        etag_of_size_and_time(object->size, object->last_modified_ns, object->etag);
    }
    if (page_is_full(draft)) {
        return too_many;
    }
    size_t n = draft->page.n_objects++;
    draft->objects = entry_add(draft->objects, &draft->objects_room, n, sizeof *draft->objects);
    draft->objects[n] = *object;
    return NULL;
}

void s3_draft_begin_folder(struct s3_draft *draft)
{
    draft->folder = (struct slice){0};
}

const char *s3_draft_end_folder(struct s3_draft *draft)
{
    if (!draft->folder.len) {
        return "a common prefix without its text";
    }
    if (page_is_full(draft)) {
        return too_many;
    }
    size_t n = draft->page.n_folders++;
    draft->folders = entry_add(draft->folders, &draft->folders_room, n, sizeof *draft->folders);
    draft->folders[n] = draft->folder;
    return NULL;
}

/* --- texts --- */

void s3_draft_begin_text(struct s3_draft *draft)
{
    draft->text_len = 0;
}

const char *s3_draft_add_text(struct s3_draft *draft, struct slice text)
{
    if (text.len > S3_TEXT_MAX_BYTES - draft->text_len) {
        return "a text longer than 4096 bytes";
    }
    memcpy(draft->text + draft->text_len, text.at, text.len);
    draft->text_len += text.len;
    return NULL;
}

static struct slice text_keep(struct s3_draft *draft)
{
    return arena_slice(&draft->keys, slice_make(draft->text, draft->text_len));
}

static void text_cut(const struct s3_draft *draft, char *to, size_t size)
{
    size_t len = draft->text_len < size ? draft->text_len : size - 1;
    memcpy(to, draft->text, len);
    to[len] = '\0';
}

static bool size_parse(struct slice text, int64_t *size)
{
    *size = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' ||
            __builtin_mul_overflow(*size, (int64_t)10, size) ||
            __builtin_add_overflow(*size, (int64_t)(text.at[i] - '0'), size)) {
            return false;
        }
    }
    return text.len > 0;
}

static const char *truncated_store(struct s3_draft *draft, struct slice text)
{
    if (!slice_is(text, "true") && !slice_is(text, "false")) {
        return "IsTruncated is neither true nor false";
    }
    draft->says_truncated = true;
    draft->page.truncated = slice_is(text, "true");
    return NULL;
}

static const char *encoding_store(struct s3_draft *draft, struct slice text)
{
    draft->encoded = slice_is(text, "url");
    return draft->encoded || !text.len ? NULL : "an EncodingType other than url";
}

const char *s3_draft_end_text(struct s3_draft *draft, enum s3_field field)
{
    struct slice text = slice_make(draft->text, draft->text_len);
    draft->text[draft->text_len] = '\0';
    switch (field) {
    case S3_TRUNCATED:
        return truncated_store(draft, text);
    case S3_TOKEN:
        memcpy(draft->token, draft->text, draft->text_len + 1);
        break;
    case S3_ENCODING:
        return encoding_store(draft, text);
    case S3_KEY:
        draft->object.key = text_keep(draft);
        break;
    case S3_PREFIX:
        draft->folder = text_keep(draft);
        break;
    case S3_LAST_MODIFIED:
        draft->has_time = timestamp_parse(text, &draft->object.last_modified_ns);
        break;
    case S3_SIZE:
        draft->has_size = size_parse(text, &draft->object.size);
        break;
    case S3_ETAG:
        draft->has_etag = etag_digest(text, draft->object.etag);
        break;
    case S3_ERROR_CODE:
        text_cut(draft, draft->page.error.code, sizeof draft->page.error.code);
        break;
    case S3_ERROR_MESSAGE:
        text_cut(draft, draft->page.error.message, sizeof draft->page.error.message);
        break;
    case S3_NO_FIELD:
        break;
    }
    return NULL;
}

/* --- the page --- */

/* U+FFFD: what Go's XML (MinIO) writes for a byte that XML cannot carry. memmem alone is slow. */
static bool has_replacement(struct slice key)
{
    return memchr(key.at, 0xEF, key.len) && memmem(key.at, key.len, "\xEF\xBF\xBD", 3);
}

static bool key_finish(struct s3_draft *draft, struct slice *key)
{
    char *text = (char *)key->at; /* ours: text_keep() made it */
    draft->replaced |= !draft->encoded && has_replacement(*key);
    return (!draft->encoded || s3_url_decode(text, &key->len)) &&
           key->len <= OBJECT_KEY_MAX_BYTES && !memchr(key->at, '\0', key->len);
}

static bool keys_finish(struct s3_draft *draft)
{
    for (size_t i = 0; i < draft->page.n_objects; i++) {
        if (!key_finish(draft, &draft->objects[i].key)) {
            return false;
        }
    }
    for (size_t i = 0; i < draft->page.n_folders; i++) {
        if (!key_finish(draft, &draft->folders[i])) {
            return false;
        }
    }
    return true;
}

const char *s3_draft_end_listing(struct s3_draft *draft)
{
    if (!draft->says_truncated) {
        return "IsTruncated is missing";
    }
    if (draft->page.truncated && !*draft->token) {
        return "IsTruncated is true but there is no NextContinuationToken";
    }
    if (!keys_finish(draft)) {
        return "a key that is longer than 1024 bytes, has a NUL or a broken encoding";
    }
    draft->page.objects = draft->objects;
    draft->page.folders = draft->folders;
    draft->page.token = draft->page.truncated ? draft->token : "";
    return NULL;
}
