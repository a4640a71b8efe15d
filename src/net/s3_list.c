/* s3_list: see s3_list.h. The SAX2 parser of libxml2 over the whole reply, which costs a fifth less
 * than pushing pieces into it: no tree, no DTD, no entities but XML's own five, nothing fetched.
 * Elements are known by their local name and depth. What their texts say is s3_draft's business. */
#include "net/s3_list.h"

#include "base/buf.h"
#include "base/memory.h"
#include "net/s3_draft.h"

#include <libxml/parser.h>
#include <stdlib.h>

#define ENDS_EARLY "the listing ends early"

enum { REPLY_MAX_BYTES = 4 * 1024 * 1024 }; /* 1,000 entries of the longest kind take 3.5 */

/* Where in the document we are, as far as it matters. */
enum place { OUTSIDE, IN_LISTING, IN_OBJECT, IN_FOLDER, IN_ERROR };

struct element {
    const char *name;
    enum s3_field field;
};

static const struct element of_listing[] = {
    {"IsTruncated", S3_TRUNCATED},
    {"NextContinuationToken", S3_TOKEN},
    {"EncodingType", S3_ENCODING},
    {NULL, S3_NO_FIELD},
};
static const struct element of_object[] = {
    {"Key", S3_KEY},     {"LastModified", S3_LAST_MODIFIED}, {"ETag", S3_ETAG}, {"Size", S3_SIZE},
    {NULL, S3_NO_FIELD},
};
static const struct element of_folder[] = {{"Prefix", S3_PREFIX}, {NULL, S3_NO_FIELD}};
static const struct element of_error[] = {
    {"Code", S3_ERROR_CODE},
    {"Message", S3_ERROR_MESSAGE},
    {NULL, S3_NO_FIELD},
};

struct s3_list {
    struct buf reply;   /* as it comes */
    size_t tail;        /* bytes of it behind the last '>' */
    struct err problem; /* why it is refused; OK = not */
    bool bad_character;

    xmlParserCtxtPtr parser; /* while it is read */

    enum place place;
    unsigned depth; /* open elements */
    bool root_seen;
    enum s3_field field;
    struct s3_draft draft;
};

static bool is_refused(const struct s3_list *list)
{
    return list->problem.status != OK;
}

static bool is_open(const struct s3_list *list)
{
    return !list->root_seen || list->depth > 0;
}

/* Bytes of the reply behind the place where the parser is. */
static size_t bytes_ahead(const struct s3_list *list)
{
    return (size_t)(list->parser->input->end - list->parser->input->cur);
}

/* The first problem counts. One that the parser meets in a tag that has no end is none of its own:
 * "<ListBucketRes" is no other element. */
static void refuse(struct s3_list *list, const char *problem)
{
    if (is_refused(list)) {
        return;
    }
    if (list->parser && bytes_ahead(list) < list->tail) {
        err_set(&list->problem, AGAIN, ENDS_EARLY);
    } else {
        err_set(&list->problem, BAD_DATA, "bad listing: %s", problem);
    }
    if (list->parser) {
        xmlStopParser(list->parser);
    }
}

static void check(struct s3_list *list, const char *problem)
{
    if (problem) {
        refuse(list, problem);
    }
}

/* --- SAX events --- */

/* Asked six times for each key listed; nearly all names differ in their first byte. */
static bool is_name(const char *name, const char *wanted)
{
    return *name == *wanted && strcmp(name, wanted) == 0;
}

/* place: not OUTSIDE. */
static enum s3_field field_of(enum place place, const char *name)
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
        list->place = IN_OBJECT;
        s3_draft_begin_object(&list->draft);
    } else if (list->depth == 2 && list->place == IN_LISTING && is_name(name, "CommonPrefixes")) {
        list->place = IN_FOLDER;
        s3_draft_begin_folder(&list->draft);
    } else if (list->depth == (list->place == IN_OBJECT || list->place == IN_FOLDER ? 3 : 2)) {
        list->field = field_of(list->place, name);
        s3_draft_begin_text(&list->draft);
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
    if (list->field != S3_NO_FIELD) {
        refuse(list, "an element where a text should be");
        return;
    }
    element_begin(list, (const char *)name);
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    (void)name, (void)prefix, (void)uri;
    struct s3_list *list = context;
    if (list->field != S3_NO_FIELD) {
        check(list, s3_draft_end_text(&list->draft, list->field));
        list->field = S3_NO_FIELD;
    } else if (list->depth == 2 && list->place == IN_OBJECT) {
        check(list, s3_draft_end_object(&list->draft));
        list->place = IN_LISTING;
    } else if (list->depth == 2 && list->place == IN_FOLDER) {
        check(list, s3_draft_end_folder(&list->draft));
        list->place = IN_LISTING;
    }
    list->depth--;
}

static void on_text(void *context, const xmlChar *text, int len)
{
    struct s3_list *list = context;
    if (list->field != S3_NO_FIELD) {
        check(list, s3_draft_add_text(&list->draft, slice_make((const char *)text, (size_t)len)));
    }
}

static void on_doctype(void *context, const xmlChar *name, const xmlChar *external,
                       const xmlChar *system)
{
    (void)name, (void)external, (void)system;
    refuse(context, "a document type declaration");
}

static bool is_bad_character(int code)
{
    return code == XML_ERR_INVALID_CHAR || code == XML_ERR_INVALID_CHARREF ||
           code == XML_ERR_INVALID_ENCODING;
}

/* What is wrong in or behind the last tag is so because the reply ends there. But an end tag that
 * is not the one expected is known for that when the parser has passed it. */
static bool is_cut(const struct s3_list *list, const xmlError *error)
{
    return is_open(list) && bytes_ahead(list) <= list->tail &&
           error->code != XML_ERR_TAG_NAME_MISMATCH;
}

/* The parser must not be stopped in here; after a fatal one it gives no more events. */
static void on_error(void *context, xmlErrorPtr error)
{
    struct s3_list *list = context;
    if (error->level != XML_ERR_FATAL || is_refused(list)) {
        return;
    }
    if (is_cut(list, error)) {
        err_set(&list->problem, AGAIN, ENDS_EARLY);
        return;
    }
    const char *text = error->message ? error->message : "malformed";
    list->bad_character = is_bad_character(error->code);
    err_set(&list->problem, BAD_DATA, "bad listing: %.*s", (int)strcspn(text, "\n"), text);
}

/* --- parsing --- */

struct s3_list *s3_list_new(void)
{
    struct s3_list *list = memory_new(sizeof *list);
    list->reply.max = REPLY_MAX_BYTES;
    return list;
}

void s3_list_free(struct s3_list *list)
{
    if (!list) {
        return;
    }
    buf_finish(&list->reply);
    s3_draft_finish(&list->draft);
    free(list);
}

void s3_list_begin(struct s3_list *list)
{
    buf_clear(&list->reply);
    list->problem.status = OK;
    list->bad_character = false;
    list->place = OUTSIDE;
    list->depth = 0;
    list->root_seen = false;
    list->field = S3_NO_FIELD;
    s3_draft_begin(&list->draft);
}

enum status s3_list_put(struct s3_list *list, struct slice bytes, struct err *err)
{
    /* Listings are UTF-8; libxml2 would guess at others from the first bytes. */
    bool other = list->reply.len == 0 && bytes.len && !strchr("<\xEF \t\r\n", *bytes.at);
    if (other || (bytes.len && memchr(bytes.at, 0, bytes.len))) {
        refuse(list, "not XML in UTF-8");
    } else if (!buf_add(&list->reply, bytes)) {
        refuse(list, "more than 4 MiB");
    }
    if (is_refused(list)) {
        *err = list->problem;
    }
    return list->problem.status;
}

static xmlParserCtxtPtr parser_new(struct s3_list *list)
{
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    if (!parser) {
        abort(); /* out of memory: base/memory.h */
    }
    *parser->sax = (xmlSAXHandler){
        .initialized = XML_SAX2_MAGIC,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_text,
        .internalSubset = on_doctype,
        .serror = on_error,
    };
    parser->userData = list;
    return parser;
}

static void parse(struct s3_list *list)
{
    struct slice reply = buf_slice(&list->reply);
    const char *last = reply.len ? memrchr(reply.at, '>', reply.len) : NULL;
    if (!last) {
        err_set(&list->problem, AGAIN, ENDS_EARLY);
        return;
    }
    list->tail = reply.len - (size_t)(last + 1 - reply.at);
    list->parser = parser_new(list);
    xmlCtxtReadMemory(list->parser, reply.at, (int)reply.len, NULL, NULL,
                      XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
    if (!list->parser->wellFormed || is_open(list)) {
        refuse(list, "malformed");
    }
    xmlFreeParserCtxt(list->parser);
    list->parser = NULL;
}

static const char *page_end(struct s3_draft *draft, enum place root)
{
    if (root != IN_ERROR) {
        return s3_draft_end_listing(draft);
    }
    return *draft->page.error.code ? NULL : "an <Error> without a code";
}

enum status s3_list_end(struct s3_list *list, const struct s3_page **page, struct err *err)
{
    if (!is_refused(list)) {
        parse(list);
    }
    if (!is_refused(list)) {
        check(list, page_end(&list->draft, list->place));
    }
    if (is_refused(list)) {
        *err = list->problem;
        return err->status;
    }
    *page = &list->draft.page;
    return OK;
}

bool s3_list_bad_character(const struct s3_list *list)
{
    return list->bad_character || list->draft.replaced;
}
