/* days: what a sink has, day by day, against what the ledger says. See verify.h. */
#include "verify/verify.h"

#include "base/timestamp.h"

/* --- asking --- */

struct counter {
    struct tally tally;
    struct verify_series *series;
};

static enum status take_day(struct tally *tally, int32_t day, uint64_t points, struct err *err)
{
    struct counter *counter = (struct counter *)tally;     /* the first member */
    if (day < VERIFY_DAY_FIRST || day > VERIFY_DAY_LAST) { /* a server says so */
        return err_set(err, FAILED, "points on day %d, which was not asked for", (int)day);
    }
    counter->series->days[day - VERIFY_DAY_FIRST].counted += points;
    return OK;
}

static enum status count_series(const struct verify *verify, struct verify_sink *sink, void *self,
                                struct verify_series *series, struct err *err)
{
    struct counter counter = {
        .tally = {.measurement = series->measurement,
                  .field = series->field,
                  .window = {verify->from_day * NS_PER_DAY, verify->to_day * NS_PER_DAY},
                  .day = take_day,
                  .kept_from_ns = INT64_MIN},
        .series = series,
    };
    enum status status = sink->place->module->count(self, &counter.tally, err);
    sink->kept_from_ns = counter.tally.kept_from_ns;
    return status;
}

enum status verify_count_sink(const struct verify *verify, struct verify_sink *sink, void *self,
                              struct err *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < sink->n_series; i++) {
        status = count_series(verify, sink, self, &sink->series[i], err);
    }
    return status;
}

/* --- comparing --- */

/* The first day of which the sink still has to have every point. */
static int32_t first_kept_day(const struct verify_sink *sink)
{
    if (sink->kept_from_ns == INT64_MIN) {
        return VERIFY_DAY_FIRST;
    }
    int32_t day = timestamp_day(sink->kept_from_ns);
    return day * NS_PER_DAY < sink->kept_from_ns ? day + 1 : day;
}

static void differ(struct verify *verify, const struct verify_sink *sink,
                   struct verify_series *series, int32_t number)
{
    struct verify_day *day = &series->days[number - VERIFY_DAY_FIRST];
    struct verify_difference *difference = verify_add(&verify->days);
    series->different_days++;
    if (difference) {
        difference->sink = sink->place->name;
        difference->measurement = series->measurement;
        difference->day = number;
        difference->stored = day->stored;
        difference->counted = day->counted;
        day->difference = (uint32_t)verify->days.n;
    }
}

static void compare_day(struct verify *verify, const struct verify_sink *sink,
                        struct verify_series *series, int32_t number)
{
    const struct verify_day *day = &series->days[number - VERIFY_DAY_FIRST];
    if (day->stored == 0 && day->counted == 0) {
        return;
    }
    if (number < first_kept_day(sink)) {
        series->skipped_days++;
        return;
    }
    series->first_day = series->n_days ? series->first_day : number;
    series->last_day = number;
    series->n_days++;
    series->stored += day->stored;
    series->counted += day->counted;
    if (day->stored != day->counted) {
        differ(verify, sink, series, number);
    }
}

void verify_compare_days(struct verify *verify, const struct verify_sink *sink)
{
    for (size_t i = 0; i < sink->n_series; i++) {
        for (int32_t day = verify->from_day; day < verify->to_day; day++) {
            compare_day(verify, sink, &sink->series[i], day);
        }
    }
}
