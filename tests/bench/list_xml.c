/*
 * list_xml: what a listing costs at least: libxml2 reads pages of it, as net/s3_list has it read
 * them, and nothing is done with what they say. usage: list_xml PAGE...
 * Not part of the program; run by tests/bench/bench.py.
 */
#include <libxml/parser.h>
#include <stdbool.h>
#include <stdio.h>

enum { PAGE_MAX_BYTES = 4 * 1024 * 1024 };

static bool parse(const char *page, size_t len)
{
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    if (!parser) {
        return false;
    }
    *parser->sax = (xmlSAXHandler){.initialized = XML_SAX2_MAGIC}; /* no tree, no events */
    xmlCtxtReadMemory(parser, page, (int)len, NULL, NULL, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
    bool whole = parser->wellFormed;
    xmlFreeParserCtxt(parser);
    return whole;
}

static bool parse_file(const char *path)
{
    static char page[PAGE_MAX_BYTES];
    FILE *file = fopen(path, "re");
    if (!file) {
        return false;
    }
    size_t len = fread(page, 1, sizeof page, file);
    fclose(file);
    return parse(page, len);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!parse_file(argv[i])) {
            fprintf(stderr, "list_xml: %s: not a page of a listing\n", argv[i]);
            return 1;
        }
    }
    return 0;
}
