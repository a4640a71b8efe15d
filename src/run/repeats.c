/* repeats: see repeats.h. */
#include "run/repeats.h"

#include <stdio.h>
#include <string.h>

/* Texts that differ only behind the cut are the same. */
static bool is_last(const struct repeats *repeats, const char *text)
{
    return *repeats->text && strncmp(repeats->text, text, sizeof repeats->text - 1) == 0;
}

bool repeats_hide(struct repeats *repeats, const char *text, int64_t now_ns)
{
    bool hide = is_last(repeats, text) && now_ns - repeats->shown_ns < repeats->span_ns;
    repeats->hidden += hide;
    return hide;
}

uint64_t repeats_hidden(struct repeats *repeats)
{
    uint64_t hidden = repeats->hidden;
    repeats->hidden = 0;
    return hidden;
}

void repeats_show(struct repeats *repeats, const char *text, int64_t now_ns)
{
    snprintf(repeats->text, sizeof repeats->text, "%s", text);
    repeats->shown_ns = now_ns;
}
