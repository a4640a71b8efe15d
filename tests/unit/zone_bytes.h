/*
 * zone_bytes: a time zone file (RFC 8536) made by hand: no changes of its own, or two, and a
 * footer. For tests that must not depend on the machine's tzdata.
 */
#ifndef TESTS_ZONE_BYTES_H
#define TESTS_ZONE_BYTES_H

#include "base/buf.h"

struct made_zone {
    int64_t change;        /* the only one of the table; 0 = none */
    int32_t before, after; /* offsets around it */
    const char *footer;
    unsigned leap_seconds;
};

static inline void zone_add_number(struct buf *out, uint64_t number, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--) {
        buf_add_byte(out, (char)(number >> 8 * i));
    }
}

static inline void zone_add_header(struct buf *out, unsigned leap, unsigned times, unsigned types)
{
    static const char zeros[16];
    buf_add_text(out, "TZif2");
    buf_add(out, slice_make(zeros, 15));
    const unsigned counts[] = {0, 0, leap, times, types, 4};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        zone_add_number(out, counts[i], 4);
    }
}

/* An empty block of version 1, then the one that counts. */
static inline void zone_make(struct buf *out, const struct made_zone *zone)
{
    unsigned times = zone->change ? 1 : 0;
    zone_add_header(out, 0, 0, 1);
    zone_add_number(out, 0, 6);
    buf_add(out, slice_make("UTC", 4));
    zone_add_header(out, zone->leap_seconds, times, 2);
    if (times) {
        zone_add_number(out, (uint64_t)zone->change, 8);
        buf_add_byte(out, 1);
    }
    const int32_t offsets[] = {zone->before, zone->after};
    for (int i = 0; i < 2; i++) {
        zone_add_number(out, (uint32_t)offsets[i], 4);
        zone_add_number(out, 0, 2);
    }
    buf_add(out, slice_make("LMT", 4));
    for (unsigned i = 0; i < zone->leap_seconds; i++) {
        zone_add_number(out, 78796800, 8);
        zone_add_number(out, i + 1, 4);
    }
    buf_add_byte(out, '\n');
    buf_add_text(out, zone->footer);
    buf_add_byte(out, '\n');
}

#endif
