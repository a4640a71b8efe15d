/* html: see html.h. */
#include "report/html.h"

#include "base/cleanup.h"
#include "data/shown.h"

enum { SHOWN_GROWTH = 4 }; /* \xHH for one byte */

static const char *entity(char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void html_add(struct buf *out, struct slice text)
{
    CLEANUP(buf_finish) struct buf shown = {.max = SHOWN_GROWTH * text.len + 1};
    shown_add(&shown, text);
    for (size_t i = 0; i < shown.len; i++) {
        const char *escaped = entity(shown.at[i]);
        if (escaped) {
            buf_add_text(out, escaped);
        } else {
            buf_add_byte(out, shown.at[i]);
        }
    }
}
