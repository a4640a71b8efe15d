/*
 * Fuzz target of schedule/zone: any bytes as a zone file. What is taken gives offsets of less than
 * 26 hours, the next change is later, and between an instant and its next change nothing changes.
 */
#include "schedule/zone.h"

#include <stdbool.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_around(const struct zone *zone, int64_t at)
{
    int32_t offset = zone_offset(zone, at);
    must(offset > -26 * 3600 && offset < 26 * 3600);
    int64_t change = zone_next_change(zone, at);
    must(change > at || change == INT64_MAX);
    if (change != INT64_MAX) {
        must(zone_offset(zone, change - 1) == offset);
        must(zone_offset(zone, at + (int64_t)(((uint64_t)change - (uint64_t)at) / 2)) == offset ||
             change - 1 == at);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t instants[] = {INT64_MIN,  -9000000000, -1000000000,  0,
                                       1325239199, 1325239200,  1774746000,   1792889999,
                                       3800000000, 9000000000,  INT64_MAX - 1};
    struct zone *zone;
    struct err err;
    if (zone_parse(&zone, slice_make((const char *)data, size), &err) != OK) {
        must(err.status == BAD_DATA);
        return 0;
    }
    for (size_t i = 0; i < sizeof instants / sizeof *instants; i++) {
        check_around(zone, instants[i]);
    }
    for (int64_t at = 1700000000, n = 0; n < 8 && at != INT64_MAX; n++) {
        check_around(zone, at);
        at = zone_next_change(zone, at);
    }
    zone_free(zone);
    return 0;
}
