/* period: the period of a report, from the command line. Pure. See report.h. */
#include "report/report.h"

#include "base/timestamp.h"

int64_t report_day(int64_t ns)
{
    int64_t within = timestamp_since_midnight(ns);
    return ns < INT64_MIN + within ? INT64_MIN : ns - within;
}

enum status report_period_parse(struct report_period *out, const char *from, const char *to,
                                int64_t now_ns, struct err *err)
{
    *out = (struct report_period){from != NULL, to != NULL, {INT64_MIN, INT64_MAX}};
    struct window *window = &out->window;
    if (timestamp_read_option("--from-date", from, now_ns, &window->from_ns, err) != OK ||
        timestamp_read_option("--to-date", to, now_ns, &window->to_ns, err) != OK) {
        return err->status;
    }
    return window->from_ns < window->to_ns
               ? OK
               : err_set(err, BAD_CONFIG, "--from-date is not before --to-date");
}
