/* shown: see shown.h. */
#include "data/shown.h"

#include "base/cleanup.h"
#include "base/timestamp.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>

enum { REPAIR_GROWTH = 3 }; /* U+FFFD is three bytes and stands for at least one */

/* C0, DEL and, as UTF-8 has them, C1 (C2 80 to C2 9F). Returns how many bytes it takes, 0 for none.
 */
static size_t control_length(struct slice text, size_t at)
{
    unsigned char first = (unsigned char)text.at[at];
    if (first < 0x20 || first == 0x7F) {
        return 1;
    }
    bool has_next = at + 1 < text.len;
    return first == 0xC2 && has_next && (unsigned char)text.at[at + 1] < 0xA0 ? 2 : 0;
}

void shown_add(struct buf *out, struct slice text)
{
    CLEANUP(buf_finish) struct buf repaired = {.max = REPAIR_GROWTH * text.len + 1};
    utf8_repair(text, &repaired);
    struct slice whole = buf_slice(&repaired);
    for (size_t i = 0; i < whole.len;) {
        size_t control = control_length(whole, i);
        for (size_t j = 0; j < control; j++) {
            buf_printf(out, "\\x%02x", (unsigned char)whole.at[i + j]);
        }
        if (!control) {
            buf_add_byte(out, whole.at[i]);
        }
        i += control ? control : 1;
    }
}

const char *shown_span(int64_t ns, char text[SHOWN_SPAN_BYTES])
{
    int64_t seconds = ns > 0 ? ns / NS_PER_SECOND : 0;
    int64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
    if (days) {
        snprintf(text, SHOWN_SPAN_BYTES, "%" PRId64 "d %" PRId64 "h", days, hours % 24);
    } else if (hours) {
        snprintf(text, SHOWN_SPAN_BYTES, "%" PRId64 "h %" PRId64 "m", hours, minutes % 60);
    } else if (minutes) {
        snprintf(text, SHOWN_SPAN_BYTES, "%" PRId64 "m", minutes);
    } else {
        snprintf(text, SHOWN_SPAN_BYTES, "%" PRId64 "s", seconds);
    }
    return text;
}
