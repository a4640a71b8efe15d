/*
 * repeats: the same text again and again is shown once with a count. Keeps the books, for notices
 * (run/world) and failed runs (commands/service); showing is the caller's:
 *
 *     if (repeats_hide(&repeats, text, now_ns)) {
 *         return;
 *     }
 *     uint64_t hidden = repeats_hidden(&repeats);
 *     if (hidden) {
 *         ... say that repeats.text came `hidden` more times ...
 *     }
 *     repeats_show(&repeats, text, now_ns);
 *     ... show text ...
 *
 * and the middle part once more at the end. One thread at a time.
 */
#ifndef RUN_REPEATS_H
#define RUN_REPEATS_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed but for span_ns. */
struct repeats {
    int64_t span_ns; /* after so long a text is shown again */
    int64_t shown_ns;
    uint64_t hidden;
    char text[512]; /* the one shown last, cut to fit */
};

/* True and counted: it is the text shown last, and that was less than span_ns ago. now_ns:
 * monotonic. */
bool repeats_hide(struct repeats *repeats, const char *text, int64_t now_ns);

/* How often the text shown last was hidden since, and not yet told; begins anew at 0. */
uint64_t repeats_hidden(struct repeats *repeats);

/* text is being shown. */
void repeats_show(struct repeats *repeats, const char *text, int64_t now_ns);

#endif
