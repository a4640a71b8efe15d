/*
 * zone: the offsets of a time zone from UTC, read from the system's TZif files (RFC 8536) into
 * memory, so that several jobs can have zones of their own: TZ and tzset(3) are one per process.
 * Seconds since 1970, UTC.
 */
#ifndef SCHEDULE_ZONE_H
#define SCHEDULE_ZONE_H

#include "api/status.h"
#include "base/slice.h"

#include <stdint.h>

struct zone;

/* name: "UTC", "Europe/Berlin". BAD_CONFIG: no such zone (or no tzdata on the machine), or one that
 * counts leap seconds ("right/UTC"). */
enum status zone_load(struct zone **out, const char *name, struct err *err);
/* The same from the bytes of a TZif file. BAD_DATA: it is not one. */
enum status zone_parse(struct zone **out, struct slice bytes, struct err *err);
void zone_free(struct zone *zone); /* NULL is fine */

/* Seconds to add to UTC at that instant. zone NULL = UTC, here and below. */
int32_t zone_offset(const struct zone *zone, int64_t at);

/* The first change of offset after `after`; INT64_MAX = none known. */
int64_t zone_next_change(const struct zone *zone, int64_t after);

#endif
