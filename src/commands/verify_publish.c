/* verify_publish: what verify has found as points gateway-01, so that a dashboard shows the last
 * proof and how old it is. See commands/verify.h. */
#include "commands/verify.h"

#include "run/figures.h"

static void add_points(const struct verify_sink *sink, struct verified *verified)
{
    for (size_t i = 0; i < sink->n_series; i++) {
        verified->stored += (int64_t)sink->series[i].stored;
        verified->counted += (int64_t)sink->series[i].counted;
    }
}

static struct verified sum_up(const struct verify *verify, const struct verify_job *job,
                              const struct verify_sink *sink)
{
    const struct verify_listed *listed = &job->listed;
    bool asked = listed->listing == VERIFY_LISTED;
    struct verified verified = {
        .listed = asked ? (int64_t)listed->objects : -1,
        .lost = asked ? (int64_t)(listed->lost + listed->changed) : -1,
        .unmatched = job->unmatched,
        .waiting = (int64_t)job->waiting,
        .differences = (int64_t)verify_count_of_job(verify, job),
    };
    if (sink->counting == VERIFY_COUNTED) {
        add_points(sink, &verified);
    } else {
        verified.stored = verified.counted = -1;
    }
    return verified;
}

static enum status publish_job(struct verify *verify, const struct verify_job *job,
                               const struct log *log, struct err *err)
{
    enum status status = OK;
    for (size_t i = 0; i < job->config->n_to; i++) {
        const struct place_config *place = job->config->to[i];
        const struct verified verified =
            sum_up(verify, job, verify_sink_named(verify, place->name));
        struct err why;
        if (figures_write_verified(job->config, i, verify->now_ns, &verified, log, &why) != OK) {
            status = err_set(err, FAILED, "publishing to sink %s: %s", place->name, why.text);
        }
    }
    return status;
}

enum status verify_publish(struct verify *verify, const struct log *log, struct err *err)
{
    enum status status = OK;
    for (size_t i = 0; i < verify->n_jobs; i++) {
        if (verify->jobs[i].wanted && publish_job(verify, &verify->jobs[i], log, err) != OK) {
            status = err->status;
        }
    }
    return status;
}
