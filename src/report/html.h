/* html: foreign text made fit for a page of ours. Pure. Used by `report`. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "base/buf.h"

/* Appends text so that it is only text, between tags and within a quoted attribute: markup escaped,
 * control characters as \xHH, what is not UTF-8 as U+FFFD. */
void html_add(struct buf *out, struct slice text);

#endif
