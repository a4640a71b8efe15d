/* s3_list: see s3_list.h. A SAX2 push parser of libxml2: no tree, no DTD, no entities but XML's own
 * five, nothing fetched. Elements are known by their local name and depth. */
#include "net/s3_list.h"

#include "base/arena.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "net/s3.h"

#include <libxml/parser.h>
#include <stdlib.h>

enum {
    TEXT_MAX_BYTES = 4096,             /* of one element; an encoded key takes 3,072 */
    PUT_MAX_BYTES = 1 << 20,           /* libxml2 counts in int */
    REPLY_MAX_BYTES = 64 * 1024 * 1024 /* far over what S3_PAGE_KEYS_MAX entries need */
};

/* Where in the document we are, as far as it matters. */
enum place { OUTSIDE, IN_LISTING, IN_OBJECT, IN_FOLDER, IN_ERROR };

enum field {
    NO_FIELD,
    TRUNCATED,
    TOKEN,
    ENCODING,
    KEY,
    LAST_MODIFIED,
    ETAG,
    SIZE,
    PREFIX,
    ERROR_CODE,
    ERROR_MESSAGE,
};

struct element {
    const char *name;
    enum field field;
};

static const struct element of_listing[] = {
    {"IsTruncated", TRUNCATED},
    {"NextContinuationToken", TOKEN},
    {"EncodingType", ENCODING},
    {NULL, NO_FIELD},
};
static const struct element of_object[] = {
    {"Key", KEY}, {"LastModified", LAST_MODIFIED}, {"ETag", ETAG}, {"Size", SIZE}, {NULL, NO_FIELD},
};
static const struct element of_folder[] = {{"Prefix", PREFIX}, {NULL, NO_FIELD}};
static const struct element of_error[] = {
    {"Code", ERROR_CODE},
    {"Message", ERROR_MESSAGE},
    {NULL, NO_FIELD},
};

struct s3_list {
    xmlParserCtxtPtr parser;
    const char *problem; /* why the reply is refused; NULL = not */
    size_t put_bytes;
    bool bad_character;

    enum place place;
    unsigned depth; /* open elements */
    enum field field;
    char text[TEXT_MAX_BYTES + 1]; /* of .field */
    size_t text_len;

    struct object object; /* of the open <Contents> */
    struct slice folder;  /* of the open <CommonPrefixes> */
    bool has_size, has_time, has_etag;

    bool root_seen, says_truncated, encoded;
    char token[S3_TOKEN_MAX_BYTES + 1];
    struct object *objects;
    struct slice *folders;
    size_t objects_room, folders_room;
    struct arena keys;
    struct s3_page page;
};

static void refuse(struct s3_list *list, const char *problem)
{
    if (!list->problem) {
        list->problem = problem;
    }
    xmlStopParser(list->parser);
}

/* --- entries --- */

/* An array with room for one entry of `size` bytes more. */
static void *entry_add(void *entries, size_t *room, size_t used, size_t size)
{
    if (used < *room) {
        return entries;
    }
    *room = *room ? *room * 2 : 1024;
    return memory_grow(entries, *room * size);
}

static bool page_is_full(struct s3_list *list)
{
    if (list->page.n_objects + list->page.n_folders < S3_PAGE_KEYS_MAX) {
        return false;
    }
    refuse(list, "too many keys on one page");
    return true;
}

static void object_finish(struct s3_list *list)
{
    struct object *object = &list->object;
    if (!object->key.len || !list->has_size || !list->has_time) {
        refuse(list, "an object without key, size or time");
        return;
    }
    if (!list->has_etag) {
        etag_of_size_and_time(object->size, object->last_modified_ns, object->etag);
    }
    if (page_is_full(list)) {
        return;
    }
    size_t n = list->page.n_objects++;
    list->objects = entry_add(list->objects, &list->objects_room, n, sizeof *list->objects);
    list->objects[n] = *object;
}

static void folder_finish(struct s3_list *list)
{
    if (!list->folder.len) {
        refuse(list, "a common prefix without its text");
        return;
    }
    if (page_is_full(list)) {
        return;
    }
    size_t n = list->page.n_folders++;
    list->folders = entry_add(list->folders, &list->folders_room, n, sizeof *list->folders);
    list->folders[n] = list->folder;
}

/* --- fields --- */

static struct slice text_keep(struct s3_list *list)
{
    return slice_make(arena_text(&list->keys, slice_make(list->text, list->text_len)),
                      list->text_len);
}

static void text_cut(const struct s3_list *list, char *to, size_t size)
{
    size_t len = list->text_len < size ? list->text_len : size - 1;
    memcpy(to, list->text, len);
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

static void truncated_store(struct s3_list *list, struct slice text)
{
    if (!slice_is(text, "true") && !slice_is(text, "false")) {
        refuse(list, "IsTruncated is neither true nor false");
        return;
    }
    list->says_truncated = true;
    list->page.truncated = slice_is(text, "true");
}

static void encoding_store(struct s3_list *list, struct slice text)
{
    list->encoded = slice_is(text, "url");
    if (!list->encoded && text.len) {
        refuse(list, "an EncodingType other than url");
    }
}

static void field_store(struct s3_list *list)
{
    struct slice text = slice_make(list->text, list->text_len);
    list->text[list->text_len] = '\0';
    switch (list->field) {
    case TRUNCATED:
        truncated_store(list, text);
        break;
    case TOKEN:
        memcpy(list->token, list->text, list->text_len + 1);
        break;
    case ENCODING:
        encoding_store(list, text);
        break;
    case KEY:
        list->object.key = text_keep(list);
        break;
    case PREFIX:
        list->folder = text_keep(list);
        break;
    case LAST_MODIFIED:
        list->has_time = timestamp_parse(text, &list->object.last_modified_ns);
        break;
    case SIZE:
        list->has_size = size_parse(text, &list->object.size);
        break;
    case ETAG:
        list->has_etag = etag_digest(text, list->object.etag);
        break;
    case ERROR_CODE:
        text_cut(list, list->page.error.code, sizeof list->page.error.code);
        break;
    case ERROR_MESSAGE:
        text_cut(list, list->page.error.message, sizeof list->page.error.message);
        break;
    case NO_FIELD:
        break;
    }
}

/* --- SAX events --- */

/* Asked six times for each key listed; nearly all names differ in their first byte. */
static bool is_name(const char *name, const char *wanted)
{
    return *name == *wanted && strcmp(name, wanted) == 0;
}

/* place: not OUTSIDE. */
static enum field field_of(enum place place, const char *name)
{
    static const struct element *const elements[] = {
        [IN_LISTING] = of_listing,
        [IN_OBJECT] = of_object,
        [IN_FOLDER] = of_folder,
        [IN_ERROR] = of_error,
    };
    const struct element *element = elements[place];
    while (element->name && !is_name(name, element->name)) {
        element++;
    }
    return element->field;
}

static void object_begin(struct s3_list *list)
{
    list->place = IN_OBJECT;
    list->object = (struct object){0};
    list->has_size = list->has_time = list->has_etag = false;
}

static void folder_begin(struct s3_list *list)
{
    list->place = IN_FOLDER;
    list->folder = (struct slice){0};
}

/* Depth 1 is the root; 2 a field of the page or the start of an entry; 3 a field of an entry. */
static void element_begin(struct s3_list *list, const char *name)
{
    if (list->depth == 1) {
        list->root_seen = true;
        list->place = is_name(name, "Error") ? IN_ERROR : IN_LISTING;
        if (list->place == IN_LISTING && !is_name(name, "ListBucketResult")) {
            refuse(list, "not a ListBucketResult");
        }
    } else if (list->depth == 2 && list->place == IN_LISTING && is_name(name, "Contents")) {
        object_begin(list);
    } else if (list->depth == 2 && list->place == IN_LISTING && is_name(name, "CommonPrefixes")) {
        folder_begin(list);
    } else if (list->depth == (list->place == IN_OBJECT || list->place == IN_FOLDER ? 3 : 2)) {
        list->field = field_of(list->place, name);
        list->text_len = 0;
    }
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int n_namespaces, const xmlChar **namespaces, int n_attributes,
                     int n_defaulted, const xmlChar **attributes)
{
    (void)prefix, (void)uri, (void)n_namespaces, (void)namespaces;
    (void)n_attributes, (void)n_defaulted, (void)attributes;
    struct s3_list *list = context;
    list->depth++;
    if (list->field != NO_FIELD) {
        refuse(list, "an element where a text should be");
        return;
    }
    element_begin(list, (const char *)name);
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    (void)name, (void)prefix, (void)uri;
    struct s3_list *list = context;
    if (list->field != NO_FIELD) {
        field_store(list);
        list->field = NO_FIELD;
    } else if (list->depth == 2 && list->place == IN_OBJECT) {
        object_finish(list);
        list->place = IN_LISTING;
    } else if (list->depth == 2 && list->place == IN_FOLDER) {
        folder_finish(list);
        list->place = IN_LISTING;
    }
    list->depth--;
}

static void on_text(void *context, const xmlChar *text, int len)
{
    struct s3_list *list = context;
    if (list->field == NO_FIELD) {
        return;
    }
    if ((size_t)len > TEXT_MAX_BYTES - list->text_len) {
        refuse(list, "a text longer than 4096 bytes");
        return;
    }
    memcpy(list->text + list->text_len, text, (size_t)len);
    list->text_len += (size_t)len;
}

static void on_doctype(void *context, const xmlChar *name, const xmlChar *external,
                       const xmlChar *system)
{
    (void)name, (void)external, (void)system;
    refuse(context, "a document type declaration");
}

/* Keeps libxml2's messages off stderr; the last one is read from the parser. */
static void on_error(void *context, xmlErrorPtr error)
{
    (void)context, (void)error;
}

/* --- the page --- */

/* U+FFFD: what Go's XML (MinIO) writes for a byte that XML cannot carry. memmem alone is slow. */
static bool has_replacement(struct slice key)
{
    return memchr(key.at, 0xEF, key.len) && memmem(key.at, key.len, "\xEF\xBF\xBD", 3);
}

static bool key_finish(struct s3_list *list, struct slice *key)
{
    char *text = (char *)key->at; /* ours: text_keep() made it */
    list->bad_character |= !list->encoded && has_replacement(*key);
    return (!list->encoded || s3_url_decode(text, &key->len)) && key->len <= S3_KEY_MAX_BYTES &&
           !memchr(key->at, '\0', key->len);
}

static bool keys_finish(struct s3_list *list)
{
    for (size_t i = 0; i < list->page.n_objects; i++) {
        if (!key_finish(list, &list->objects[i].key)) {
            return false;
        }
    }
    for (size_t i = 0; i < list->page.n_folders; i++) {
        if (!key_finish(list, &list->folders[i])) {
            return false;
        }
    }
    return true;
}

static const char *page_finish(struct s3_list *list)
{
    if (list->place == IN_ERROR) {
        return *list->page.error.code ? NULL : "an <Error> without a code";
    }
    if (!list->says_truncated) {
        return "IsTruncated is missing";
    }
    if (list->page.truncated && !*list->token) {
        return "IsTruncated is true but there is no NextContinuationToken";
    }
    if (!keys_finish(list)) {
        return "a key that is longer than 1024 bytes, has a NUL or a broken encoding";
    }
    list->page.objects = list->objects;
    list->page.folders = list->folders;
    list->page.token = list->page.truncated ? list->token : "";
    return NULL;
}

struct s3_list *s3_list_new(void)
{
    return memory_new(sizeof(struct s3_list));
}

void s3_list_free(struct s3_list *list)
{
    if (!list) {
        return;
    }
    xmlFreeParserCtxt(list->parser);
    arena_finish(&list->keys);
    free(list->objects);
    free(list->folders);
    free(list);
}

static void parser_new(struct s3_list *list)
{
    xmlSAXHandler events = {
        .initialized = XML_SAX2_MAGIC,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_text,
        .internalSubset = on_doctype,
        .serror = on_error,
    };
    list->parser = xmlCreatePushParserCtxt(&events, list, NULL, 0, NULL);
    if (!list->parser) {
        abort(); /* out of memory: base/memory.h */
    }
    xmlCtxtUseOptions(list->parser, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
}

void s3_list_begin(struct s3_list *list)
{
    xmlFreeParserCtxt(list->parser);
    parser_new(list);
    arena_reset(&list->keys);
    list->problem = NULL;
    list->put_bytes = 0;
    list->bad_character = false;
    list->place = OUTSIDE;
    list->depth = 0;
    list->field = NO_FIELD;
    list->text_len = 0;
    list->root_seen = list->says_truncated = list->encoded = false;
    list->token[0] = '\0';
    list->page = (struct s3_page){.token = ""};
}

/* --- parsing --- */

static enum status refusal(struct s3_list *list, struct err *err)
{
    if (list->problem) {
        return err_set(err, BAD_DATA, "bad listing: %s", list->problem);
    }
    const xmlError *error = xmlCtxtGetLastError(list->parser);
    list->bad_character =
        error && (error->code == XML_ERR_INVALID_CHAR || error->code == XML_ERR_INVALID_CHARREF ||
                  error->code == XML_ERR_INVALID_ENCODING);
    const char *text = error && error->message ? error->message : "malformed";
    return err_set(err, BAD_DATA, "bad listing: %.*s", (int)strcspn(text, "\n"), text);
}

static bool is_refused(const struct s3_list *list)
{
    return list->problem || !list->parser->wellFormed;
}

static bool is_open(const struct s3_list *list)
{
    return !list->root_seen || list->depth > 0;
}

enum status s3_list_put(struct s3_list *list, struct slice bytes, struct err *err)
{
    /* Listings are UTF-8; libxml2 would guess at others from the first bytes, as they are cut. */
    bool other = list->put_bytes == 0 && bytes.len && !strchr("<\xEF \t\r\n", *bytes.at);
    if (other || (bytes.len && memchr(bytes.at, 0, bytes.len))) {
        refuse(list, "not XML in UTF-8");
    }
    list->put_bytes += bytes.len;
    if (list->put_bytes > REPLY_MAX_BYTES) {
        refuse(list, "more than 64 MiB");
    }
    while (bytes.len && !is_refused(list)) {
        size_t len = bytes.len < PUT_MAX_BYTES ? bytes.len : PUT_MAX_BYTES;
        xmlParseChunk(list->parser, bytes.at, (int)len, 0);
        bytes = slice_make(bytes.at + len, bytes.len - len);
    }
    return is_refused(list) ? refusal(list, err) : OK;
}

enum status s3_list_end(struct s3_list *list, const struct s3_page **page, struct err *err)
{
    if (is_refused(list)) {
        return refusal(list, err);
    }
    bool was_open = is_open(list);
    xmlParseChunk(list->parser, "", 0, 1);
    if (is_open(list) || (was_open && list->problem)) { /* "<ListBucketRes" is no other element */
        return err_set(err, AGAIN, "the listing ends early");
    }
    if (!is_refused(list)) {
        list->problem = page_finish(list);
    }
    if (is_refused(list)) {
        return refusal(list, err);
    }
    *page = &list->page;
    return OK;
}

bool s3_list_bad_character(const struct s3_list *list)
{
    return list->bad_character;
}
