/*
 * Fuzz target of schedule/cron: the first eight bytes are an instant, the ninth says which zone,
 * the rest is an expression. A run that is found is after the instant, is found again from any
 * moment before it, and in UTC its second, minute, hour and month are in their fields.
 */
#include "schedule/cron.h"

#include "../unit/zone_bytes.h"
#include "base/cleanup.h"
#include "base/timestamp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static struct zone *make_zone(unsigned char which)
{
    static const char *const footers[] = {
        "CET-1CEST,M3.5.0,M10.5.0/3", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
        "IST-1GMT0,M10.5.0,M3.5.0/1", "AAA12BBB-13,J60/-100,J61/100",
        "XXX3EDT4,0/0,J365/23",
    };
    if (which >= sizeof footers / sizeof *footers) {
        return NULL;
    }
    CLEANUP(buf_finish) struct buf bytes = {.max = 4096};
    zone_make(&bytes, &(struct made_zone){1325239200, -36000, 50400, footers[which], 0});
    struct zone *zone;
    struct err err;
    must(zone_parse(&zone, buf_slice(&bytes), &err) == OK);
    return zone;
}

static bool has(uint64_t bits, int value)
{
    return bits >> value & 1;
}

static void check_in_fields(const struct cron *cron, int64_t at)
{
    struct civil civil = timestamp_civil(at * NS_PER_SECOND);
    must(has(cron->seconds, civil.second) && has(cron->minutes, civil.minute));
    must(has(cron->hours, civil.hour) && has(cron->months, civil.month));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 9) {
        return 0;
    }
    int64_t after;
    memcpy(&after, data, sizeof after);
    CLEANUP_FREE char *text = calloc(1, size - 8);
    memcpy(text, data + 9, size - 9);
    struct cron cron;
    struct err err;
    if (cron_parse(&cron, text, &err) != OK) {
        must(err.status == BAD_CONFIG && *err.text);
        return 0;
    }
    struct zone *zone = make_zone(data[8]);
    int64_t next = cron_next(&cron, zone, after);
    must(next > after || next == INT64_MAX);
    if (next != INT64_MAX) {
        must(cron_next(&cron, zone, next - 1) == next);
        int64_t between = after + (int64_t)(((uint64_t)next - (uint64_t)after) / 2);
        must(between == next || cron_next(&cron, zone, between) == next);
        if (!zone) {
            check_in_fields(&cron, next);
        }
    }
    zone_free(zone);
    return 0;
}
