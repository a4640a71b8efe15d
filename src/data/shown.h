/* shown: foreign text (keys, reasons, bytes of records) made fit for a line on a terminal. Pure. */
#ifndef DATA_SHOWN_H
#define DATA_SHOWN_H

#include "base/buf.h"

/* Appends text with control characters as \xHH and what is not UTF-8 as U+FFFD, so that it can
 * neither break its line nor speak to the terminal. */
void shown_add(struct buf *out, struct slice text);

/* A span of time in its two largest units: "3d 4h", "2h 5m", "12m", "40s". */
#define SHOWN_SPAN_BYTES 32
const char *shown_span(int64_t ns, char text[SHOWN_SPAN_BYTES]);

#endif
