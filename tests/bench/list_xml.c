/*
 * list_xml: what a listing costs at least: libxml2 reads pages of it, as net/s3_list has it read
 * them, and nothing is done with what they say. usage: list_xml PAGE...
 * Not part of the program; run by tests/bench/bench.py.
 */
#include "base/buf.h"
#include "base/cleanup.h"

#include <libxml/parser.h>
#include <stdio.h>

enum { PAGE_MAX_BYTES = 4 * 1024 * 1024 };

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int n_namespaces, const xmlChar **namespaces, int n_attributes,
                     int n_defaulted, const xmlChar **attributes)
{
    (void)context, (void)name, (void)prefix, (void)uri, (void)n_namespaces, (void)namespaces;
    (void)n_attributes, (void)n_defaulted, (void)attributes;
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    (void)context, (void)name, (void)prefix, (void)uri;
}

static void on_text(void *context, const xmlChar *text, int len)
{
    (void)context, (void)text, (void)len;
}

static bool parse(struct slice page)
{
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    if (!parser) {
        return false;
    }
    *parser->sax = (xmlSAXHandler){
        .initialized = XML_SAX2_MAGIC,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
    };
    xmlCtxtReadMemory(parser, page.at, (int)page.len, NULL, NULL,
                      XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
    bool whole = parser->wellFormed;
    xmlFreeParserCtxt(parser);
    return whole;
}

static bool parse_file(struct buf *page, const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        return false;
    }
    buf_clear(page);
    char *room = buf_room(page, PAGE_MAX_BYTES);
    page->len = fread(room, 1, PAGE_MAX_BYTES, file);
    fclose(file);
    return parse(buf_slice(page));
}

int main(int argc, char **argv)
{
    CLEANUP(buf_finish) struct buf page = {.max = PAGE_MAX_BYTES};
    for (int i = 1; i < argc; i++) {
        if (!parse_file(&page, argv[i])) {
            fprintf(stderr, "list_xml: %s: not a page of a listing\n", argv[i]);
            return 1;
        }
    }
    return 0;
}
