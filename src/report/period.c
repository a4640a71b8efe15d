/* report_period: the period of a report, from the command line. Pure. See report.h. */
#include "report/report.h"

#include "base/timestamp.h"

int64_t report_day(int64_t ns)
{
    int64_t within = timestamp_since_midnight(ns);
    return ns < INT64_MIN + within ? INT64_MIN : ns - within;
}

static enum status parse_date(const char *option, const char *text, int64_t now_ns, int64_t *ns,
                              struct err *err)
{
    return timestamp_parse_argument(slice_of(text), now_ns, ns)
               ? OK
               : err_set(err, BAD_CONFIG, "--%s %s: not a date", option, text);
}

enum status report_period_parse(struct report_period *out, const char *from, const char *to,
                                int64_t now_ns, struct err *err)
{
    *out = (struct report_period){from != NULL, to != NULL, {INT64_MIN, INT64_MAX}};
    struct window *window = &out->window;
    if ((from && parse_date("from-date", from, now_ns, &window->from_ns, err) != OK) ||
        (to && parse_date("to-date", to, now_ns, &window->to_ns, err) != OK)) {
        return err->status;
    }
    return window->from_ns < window->to_ns
               ? OK
               : err_set(err, BAD_CONFIG, "--from-date %s is not before --to-date %s", from, to);
}
