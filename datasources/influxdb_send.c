/*
 * influxdb_send: sends a batch until the fate of each of its lines is known. Called as the
 * datasource's send and flush.
 *
 * A batch is a list of ranges, at first one. A range whose request was refused is replaced by its
 * halves; sending a line twice is harmless, since a point's identity is in it. What is settled is
 * remembered line by line, so that a flush that FAILED goes on where it was.
 */
#include "influxdb.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/timestamp.h"

enum { BACKOFF_ATTEMPTS = 16 }; /* the pause has long stopped growing by then */

/* --- one request --- */

struct http_request influxdb_request(const struct influxdb *self, const char *method,
                                     const char *url)
{
    return (struct http_request){
        .method = method,
        .url = url,
        .headers = {{"Authorization", self->authorization}},
        .ca_file = self->ca_file,
    };
}

/* Tells the operator of a reason to wait, once as long as it stays the same. */
static void notice_later(struct influxdb *self, const char *reason)
{
    struct err notice;
    err_set(&notice, AGAIN, "%s: %s; trying again", self->base, reason);
    notice.text[sizeof self->noticed - 1] = '\0';
    if (strcmp(notice.text, self->noticed) != 0) {
        memcpy(self->noticed, notice.text, sizeof self->noticed);
        world_notice(self->world, "%s", notice.text);
    }
}

static enum status wait_for_later(struct influxdb *self, unsigned attempt, int64_t since_ns,
                                  int64_t retry_after_ns, const char *reason, struct err *err)
{
    int64_t pause_ns = http_backoff_ns(attempt < BACKOFF_ATTEMPTS ? attempt : BACKOFF_ATTEMPTS,
                                       retry_after_ns, world_random(self->world));
    int64_t spent_ns = world_monotonic(self->world) - since_ns;
    if (self->retry_for_ns > 0 && spent_ns + pause_ns > self->retry_for_ns) {
        return err_set(err, FAILED, "%s: gave up after %lld s (retry_for): %s", self->base,
                       (long long)(spent_ns / NS_PER_SECOND), reason);
    }
    notice_later(self, reason);
    if (world_wait(self->world, pause_ns, err) != OK) {
        return err_prefix(err, "%s", self->base);
    }
    return OK;
}

/* True when the reply is an answer; otherwise reason says what it is instead. */
static bool is_answer(struct influxdb *self, const struct http_reply *reply, struct buf *reason)
{
    CLEANUP_FREE char *message = influxdb_message(reply);
    if (influxdb_judge(reply->code, message) != INFLUXDB_LATER) {
        return true;
    }
    influxdb_describe(self, reply, reason);
    return false;
}

static void exchange_begin(struct influxdb *self, const struct http_request *request,
                           struct http_reply *reply)
{
    http_reply_finish(reply);
    http_reply_init(reply);
    self->world->http->begin(self->http, request, reply);
}

static enum status exchange_end(struct influxdb *self, const struct http_request *request,
                                struct http_reply *reply, struct err *err)
{
    int64_t since_ns = world_monotonic(self->world);
    for (unsigned attempt = 0;; attempt++) {
        CLEANUP(buf_finish) struct buf reason = {.max = sizeof err->text};
        enum status status = self->world->http->end(self->http, err);
        if (status == OK) {
            if (is_answer(self, reply, &reason)) {
                self->noticed[0] = '\0';
                return OK;
            }
        } else if (status == AGAIN) {
            buf_add_text(&reason, err->text);
        } else {
            return err_prefix(err, "%s", self->base);
        }
        if (wait_for_later(self, attempt, since_ns, reply->retry_after_ns, buf_text(&reason),
                           err) != OK) {
            return err->status;
        }
        exchange_begin(self, request, reply);
    }
}

enum status influxdb_exchange(struct influxdb *self, const struct http_request *request,
                              struct http_reply *reply, struct err *err)
{
    exchange_begin(self, request, reply);
    return exchange_end(self, request, reply, err);
}

/* --- lines and ranges --- */

static struct influxdb_line *line_of(const struct influxdb *self, size_t i)
{
    return &self->sending->lines[i];
}

static bool line_waits(const struct influxdb *self, size_t i)
{
    return line_of(self, i)->fate == INFLUXDB_WAITING;
}

static struct slice line_bytes(const struct influxdb *self, size_t i)
{
    const struct influxdb_batch *batch = self->sending;
    size_t start = line_of(self, i)->at;
    size_t end = i + 1 < batch->n_lines ? line_of(self, i + 1)->at : batch->body.len;
    return slice_make(batch->body.at + start, end - start);
}

static void line_refuse(struct influxdb *self, size_t i, enum refusal refusal, const char *reason)
{
    struct influxdb_line *line = line_of(self, i);
    line->fate = INFLUXDB_REFUSED;
    line->refusal = refusal;
    line->reason = reason;
}

static size_t range_waiting(const struct influxdb *self, const struct influxdb_range *range)
{
    size_t waiting = 0;
    for (size_t i = range->from; i < range->to; i++) {
        waiting += line_waits(self, i);
    }
    return waiting;
}

/* Makes the range begin and end with a waiting line, so that neither of its halves is empty. */
static void range_trim(const struct influxdb *self, struct influxdb_range *range)
{
    while (range->from < range->to && !line_waits(self, range->from)) {
        range->from++;
    }
    while (range->from < range->to && !line_waits(self, range->to - 1)) {
        range->to--;
    }
}

/* The waiting lines of a trimmed range; copied only when settled ones lie in between. */
static struct slice range_body(struct influxdb *self, const struct influxdb_range *range)
{
    if (range_waiting(self, range) == range->to - range->from) {
        struct slice first = line_bytes(self, range->from);
        struct slice last = line_bytes(self, range->to - 1);
        return slice_make(first.at, (size_t)(last.at - first.at) + last.len);
    }
    self->picked.max = self->sending->body.len;
    buf_clear(&self->picked);
    for (size_t i = range->from; i < range->to; i++) {
        if (line_waits(self, i)) {
            buf_add(&self->picked, line_bytes(self, i));
        }
    }
    return buf_slice(&self->picked);
}

static void range_add(struct influxdb *self, struct influxdb_range range)
{
    if (self->n_ranges == self->ranges_size) {
        self->ranges_size = self->ranges_size ? 2 * self->ranges_size : 64;
        self->ranges = memory_grow(self->ranges, self->ranges_size * sizeof *self->ranges);
    }
    self->ranges[self->n_ranges++] = range;
}

static void range_remove(struct influxdb *self, size_t index)
{
    self->ranges[index] = self->ranges[--self->n_ranges];
}

static void range_split(struct influxdb *self, size_t index)
{
    struct influxdb_range left = self->ranges[index];
    size_t middle = left.from + (left.to - left.from) / 2;
    self->ranges[index].from = middle;
    left.to = middle;
    range_add(self, left);
}

/*
 * The range to send next. First those that were refused whole: each leads straight to its bad line.
 * Then the largest of the unsure ones: when the requests run out, what is left unconfirmed is small
 * pieces around the bad lines rather than half the batch.
 */
static size_t range_next(const struct influxdb *self)
{
    size_t best = self->n_ranges - 1;
    for (size_t i = self->n_ranges; i-- > 0;) {
        const struct influxdb_range *range = &self->ranges[i], *most = &self->ranges[best];
        if (!range->unsure) {
            return i;
        }
        if (range->to - range->from > most->to - most->from) {
            best = i;
        }
    }
    return best;
}

/* --- what a reply does to a range --- */

static size_t range_refuse_older(struct influxdb *self, const struct influxdb_range *range,
                                 int64_t bound_ns)
{
    size_t refused = 0;
    for (size_t i = range->from; i < range->to; i++) {
        if (line_waits(self, i) && line_of(self, i)->time_ns < bound_ns) {
            line_refuse(self, i, REFUSED_EXPIRED, "older than the bucket keeps");
            refused++;
        }
    }
    return refused;
}

/* Refuses what the reply shows to be too old. False: it does not show which lines are. */
static bool range_expire(struct influxdb *self, const struct influxdb_range *range,
                         const char *message)
{
    size_t dropped = influxdb_dropped(message);
    int64_t bound_ns = 0;
    if (dropped == 0) {
        return false;
    }
    if (influxdb_bound(self, message, &bound_ns) && range_refuse_older(self, range, bound_ns) > 0) {
        return true;
    }
    return dropped >= range_waiting(self, range) && range_refuse_older(self, range, INT64_MAX) > 0;
}

static void range_stored(struct influxdb *self, size_t index)
{
    const struct influxdb_range range = self->ranges[index];
    for (size_t i = range.from; i < range.to; i++) {
        if (line_waits(self, i)) {
            line_of(self, i)->fate = INFLUXDB_STORED;
        }
    }
    range_remove(self, index);
}

/* The verdict is DONE, MALFORMED, TOO_LARGE, PARTIAL or OUTSIDE. */
static void range_settle(struct influxdb *self, size_t index, enum influxdb_verdict verdict,
                         const char *message)
{
    struct influxdb_range *range = &self->ranges[index];
    bool in_part = verdict == INFLUXDB_PARTIAL || verdict == INFLUXDB_OUTSIDE;
    if (in_part) {
        range->unsure = true;
        self->doubt = influxdb_reason(self, message);
    }
    self->confirming += range->unsure;
    if (verdict == INFLUXDB_DONE) {
        range_stored(self, index);
    } else if (verdict == INFLUXDB_OUTSIDE && range_expire(self, range, message)) {
        range_trim(self, range); /* what is left of it is sent again */
    } else if (range->to - range->from > 1) {
        range_split(self, index);
    } else {
        const char *reason = verdict == INFLUXDB_TOO_LARGE ? "InfluxDB finds the line too large"
                                                           : influxdb_reason(self, message);
        line_refuse(self, range->from, REFUSED_DEAD, reason);
    }
}

static void lines_begin(struct influxdb *self, struct slice lines)
{
    struct http_request *request = &self->request;
    *request = influxdb_request(self, "POST", self->write_url);
    request->headers[1] = (struct http_header){"Content-Type", "text/plain; charset=utf-8"};
    request->body = lines;
    if (self->compress && influxdb_gzip(lines, &self->zipped)) {
        request->headers[2] = (struct http_header){"Content-Encoding", "gzip"};
        request->body = buf_slice(&self->zipped);
    }
    exchange_begin(self, request, &self->reply);
    self->begun = true;
}

/* Sends one range, unless it is under way already, and does what the reply asks for. OK: one step
 * nearer. */
static enum status range_send(struct influxdb *self, size_t index, struct err *err)
{
    const struct http_reply *reply = &self->reply;
    if (!self->begun) {
        lines_begin(self, range_body(self, &self->ranges[index]));
    }
    self->begun = false;
    if (exchange_end(self, &self->request, &self->reply, err) != OK) {
        return err->status;
    }
    CLEANUP_FREE char *message = influxdb_message(reply);
    enum influxdb_verdict verdict = influxdb_judge(reply->code, message);
    switch (verdict) {
    case INFLUXDB_NO_BUCKET:
        return influxdb_bucket_make(self, err);
    case INFLUXDB_NO_ORG:
    case INFLUXDB_LATER: /* influxdb_exchange does not return these */
    case INFLUXDB_HOLD:
        return influxdb_hold(self, verdict, reply, err);
    default:
        range_settle(self, index, verdict, message);
        return OK;
    }
}

/* --- a batch --- */

static void batch_leave_unconfirmed(struct influxdb *self)
{
    for (size_t r = 0; r < self->n_ranges; r++) {
        for (size_t i = self->ranges[r].from; i < self->ranges[r].to; i++) {
            if (line_waits(self, i)) {
                line_refuse(self, i, REFUSED_UNCONFIRMED, self->doubt);
            }
        }
    }
    self->n_ranges = 0;
}

static void batch_report(const struct influxdb *self, struct refusals *refused)
{
    for (size_t i = 0; i < self->sending->n_lines; i++) {
        const struct influxdb_line *line = line_of(self, i);
        if (line->fate == INFLUXDB_REFUSED) {
            refused->refuse(refused, i, line->refusal, line->reason, line_bytes(self, i));
        }
    }
}

static void batch_clear(struct influxdb *self)
{
    struct influxdb_batch *batch = self->sending;
    if (batch->body.max > (size_t)self->batch_bytes) { /* it held one overlong line */
        buf_finish(&batch->body);
        buf_make_large(&batch->body, (size_t)self->batch_bytes);
    }
    buf_clear(&batch->body);
    arena_reset(&self->reasons);
    batch->n_lines = batch->n_queued = 0;
    self->confirming = 0;
    self->doubt = NULL;
}

static void batch_queue(struct influxdb *self)
{
    struct influxdb_batch *batch = self->sending;
    if (batch->n_queued < batch->n_lines) {
        range_add(self, (struct influxdb_range){.from = batch->n_queued, .to = batch->n_lines});
        batch->n_queued = batch->n_lines;
    }
}

void influxdb_send(void *instance)
{
    struct influxdb *self = instance;
    batch_queue(self);
    lines_begin(self, range_body(self, &self->ranges[0])); /* the only one: nothing was refused */
    self->filling = &self->batches[self->sending == self->batches];
    if (!self->filling->lines) {
        influxdb_batch_make(self, self->filling);
    }
}

enum status influxdb_flush(void *instance, struct refusals *refused, struct err *err)
{
    struct influxdb *self = instance;
    batch_queue(self);
    while (self->n_ranges) {
        size_t index = range_next(self);
        struct influxdb_range *range = &self->ranges[index];
        range_trim(self, range);
        if (range->from == range->to) {
            range_remove(self, index);
        } else if (range->unsure && self->confirming >= INFLUXDB_CONFIRM_MAX) {
            batch_leave_unconfirmed(self);
        } else if (range_send(self, index, err) != OK) {
            return err->status;
        }
    }
    batch_report(self, refused);
    batch_clear(self);
    self->sending = self->filling;
    return OK;
}
