/* s3_upload: see s3_upload.h. Replies are small documents, so libxml2's tree is enough. */
#include "net/s3_upload.h"

#include "base/cleanup.h"
#include "net/http.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <openssl/evp.h>
#include <stdio.h>

enum { SHA256_BYTES = 32, MD5_BYTES = 16 };

/* --- digests --- */

void s3_digests_of(struct slice body, struct s3_digests *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (EVP_Digest(body.at, body.len, digest, NULL, EVP_sha256(), NULL) != 1) {
        abort(); /* out of memory: base/memory.h */
    }
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        snprintf(out->sha256 + 2 * i, 3, "%02x", digest[i]);
    }
    out->md5[0] = '\0';
    if (EVP_Digest(body.at, body.len, digest, NULL, EVP_md5(), NULL) == 1) {
        EVP_EncodeBlock((unsigned char *)out->md5, digest, MD5_BYTES);
    }
}

/* --- URLs --- */

bool s3_uploads_url(struct buf *out, const struct s3_address *address, struct slice key)
{
    return s3_object_url(out, address, key) && buf_add_text(out, "?uploads=");
}

bool s3_part_url(struct buf *out, const struct s3_address *address, struct slice key,
                 const char *upload_id, unsigned part)
{
    return s3_object_url(out, address, key) && buf_printf(out, "?partNumber=%u&uploadId=", part) &&
           http_encode(out, slice_of(upload_id), false);
}

bool s3_upload_url(struct buf *out, const struct s3_address *address, struct slice key,
                   const char *upload_id)
{
    return s3_object_url(out, address, key) && buf_add_text(out, "?uploadId=") &&
           http_encode(out, slice_of(upload_id), false);
}

bool s3_uploads_list_url(struct buf *out, const struct s3_address *address, struct slice prefix,
                         unsigned max_uploads)
{
    return buf_printf(out, "%s/?max-uploads=%u&prefix=", address->bucket_url, max_uploads) &&
           http_encode(out, prefix, false) && buf_add_text(out, "&uploads=");
}

/* --- XML --- */

static void document_free(xmlDoc **document)
{
    xmlFreeDoc(*document);
}

static void text_free(xmlChar **text)
{
    if (*text) {
        xmlFree(*text);
    }
}

/* The document if its root has this name. A document with a DTD is none: S3 sends no such, and its
 * entities could grow. AWS sends blanks in front to keep a connection alive. */
static xmlDoc *document_read(struct slice xml, const char *root)
{
    const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
    while (xml.len && memchr(" \t\r\n", *xml.at, 4)) {
        xml = slice_make(xml.at + 1, xml.len - 1);
    }
    if (xml.len == 0 || xml.len > INT32_MAX) {
        return NULL;
    }
    xmlDoc *document = xmlReadMemory(xml.at, (int)xml.len, NULL, NULL, options);
    const xmlNode *node = document ? xmlDocGetRootElement(document) : NULL;
    if (!node || document->intSubset || strcmp((const char *)node->name, root) != 0) {
        xmlFreeDoc(document);
        return NULL;
    }
    return document;
}

static bool is_element(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

/* The text of a child element, to be freed; NULL: there is none. */
static xmlChar *child_text(const xmlNode *parent, const char *name)
{
    for (xmlNode *node = parent->children; node; node = node->next) {
        if (is_element(node, name)) {
            return xmlNodeGetContent(node);
        }
    }
    return NULL;
}

static bool is_id(const xmlChar *text)
{
    return text && *text && strlen((const char *)text) <= S3_UPLOAD_ID_MAX_BYTES;
}

bool s3_upload_id_read(struct slice xml, char id[S3_UPLOAD_ID_MAX_BYTES + 1])
{
    CLEANUP(document_free) xmlDoc *document = document_read(xml, "InitiateMultipartUploadResult");
    if (!document) {
        return false;
    }
    CLEANUP(text_free) xmlChar *text = child_text(xmlDocGetRootElement(document), "UploadId");
    if (!is_id(text)) {
        return false;
    }
    snprintf(id, S3_UPLOAD_ID_MAX_BYTES + 1, "%s", (const char *)text);
    return true;
}

bool s3_is_completed(struct slice xml)
{
    CLEANUP(document_free) xmlDoc *document = document_read(xml, "CompleteMultipartUploadResult");
    return document != NULL;
}

bool s3_uploads_read(struct slice xml, struct slice key, void (*each)(void *with, const char *id),
                     void *with)
{
    CLEANUP(document_free) xmlDoc *document = document_read(xml, "ListMultipartUploadsResult");
    if (!document) {
        return false;
    }
    for (xmlNode *node = xmlDocGetRootElement(document)->children; node; node = node->next) {
        if (!is_element(node, "Upload")) {
            continue;
        }
        CLEANUP(text_free) xmlChar *of = child_text(node, "Key");
        CLEANUP(text_free) xmlChar *id = child_text(node, "UploadId");
        if (of && is_id(id) && slice_is(key, (const char *)of)) {
            each(with, (const char *)id);
        }
    }
    return true;
}

bool s3_part_add(struct buf *parts, unsigned part, const char *etag)
{
    return *etag && !etag[strcspn(etag, "<>&")] &&
           buf_printf(parts, "<Part><PartNumber>%u</PartNumber><ETag>%s</ETag></Part>", part, etag);
}
