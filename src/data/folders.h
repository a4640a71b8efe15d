/*
 * folders: templates of key prefixes. Places file their objects by date ("October-2022/", written
 * "%B-%Y/"), and a window needs only the folders it can touch. Pure; month names are English
 * whatever the locale, and so do not sort in time order.
 *
 * %Y year, %m month, %d day, %H hour (digits), %B month name, %b its first three letters, %% a
 * percent sign. A template without dates is one fixed prefix; "" is the whole bucket. Used by the
 * listing of a run and by `check`.
 */
#ifndef DATA_FOLDERS_H
#define DATA_FOLDERS_H

#include "api/flow.h"

enum {
    FOLDERS_TEMPLATE_MAX_BYTES = 200,
    FOLDERS_PREFIX_MAX_BYTES = 1024, /* 200 bytes of "%B" are 900 */
    FOLDERS_MAX = 10000,             /* prefixes of one window */
};

enum folders_step { FOLDERS_FIXED, FOLDERS_YEARLY, FOLDERS_MONTHLY, FOLDERS_DAILY, FOLDERS_HOURLY };

struct folders {
    char template[FOLDERS_TEMPLATE_MAX_BYTES + 1];
    enum folders_step step; /* the finest part of a date in the template */
};

/* BAD_CONFIG with the byte at fault. */
enum status folders_parse(struct folders *out, const char *template, struct err *err);

/*
 * Calls each() with every distinct prefix that objects of the window can be filed under, in time
 * order. Folders are named by the place's clock and records are delivered late, so the dates from
 * window.from - look_back to window.to + 14 h (the zone farthest ahead of UTC) count. BAD_CONFIG
 * when that is more than FOLDERS_MAX prefixes (before the first call); a status of each() other
 * than OK ends it and is passed on.
 */
enum status folders_each(const struct folders *folders, struct window window, int64_t look_back_ns,
                         enum status (*each)(void *with, struct slice prefix, struct err *err),
                         void *with, struct err *err);

/* Whether a top-level folder (a key up to and including its first "/") fits the template's first
 * folder, at whatever date. */
bool folders_match_first(const struct folders *folders, struct slice name);

#endif
