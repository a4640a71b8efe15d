/* status_json: what is told of a job, as JSON for programs. The names are a promise: they are added
 * to, not changed. See status.h. */
#include "base/timestamp.h"
#include "commands/json.h"
#include "commands/status.h"

/* null below 0 */
static void add_count(cJSON *to, const char *name, int64_t count)
{
    if (count < 0) {
        cJSON_AddNullToObject(to, name);
    } else {
        json_add_number(to, name, (uint64_t)count);
    }
}

static void add_seconds(cJSON *to, const char *name, int64_t ns)
{
    add_count(to, name, ns < 0 ? -1 : ns / NS_PER_SECOND);
}

static void add_runs(cJSON *to, const struct job_report *report)
{
    const struct job_status *figures = &report->figures;
    cJSON_AddBoolToObject(to, "under_way", report->under_way);
    if (figures->last_start_ns == INT64_MIN) {
        cJSON_AddNullToObject(to, "last_run");
    } else {
        bool ended = figures->last_end_ns != INT64_MIN;
        cJSON *run = cJSON_AddObjectToObject(to, "last_run");
        json_add_time(run, "started", figures->last_start_ns);
        json_add_time(run, "ended", figures->last_end_ns);
        cJSON_AddBoolToObject(run, "complete", ended && figures->last_ok);
        json_add_text(run, "error", ended ? figures->ended_error : "");
        if (ended && figures->list_requests >= 0) {
            add_count(run, "list_requests", figures->list_requests);
        }
    }
    json_add_time(to, "next_run", report->next_ns);
    if (report->lag_ns < 0) {
        cJSON_AddNullToObject(to, "good_window");
    } else {
        cJSON *window = cJSON_AddObjectToObject(to, "good_window");
        json_add_time(window, "from", figures->good_from_ns);
        json_add_time(window, "to", figures->good_to_ns);
    }
    add_seconds(to, "lag_seconds", report->lag_ns);
}

static void add_figures(cJSON *to, const struct job_report *report)
{
    const struct job_status *figures = &report->figures;
    cJSON *objects = cJSON_AddObjectToObject(to, "objects");
    for (int i = OBJECT_LISTED; i <= OBJECT_QUARANTINED; i++) {
        json_add_number(objects, object_state_name((enum object_state)i), figures->objects[i]);
    }
    add_count(objects, "unmatched", figures->unmatched);
    json_add_number(to, "records_read", figures->read);
    cJSON *sinks = cJSON_AddArrayToObject(to, "sinks");
    for (size_t i = 0; i < report->job->n_to; i++) {
        cJSON *sink = cJSON_CreateObject();
        cJSON_AddItemToArray(sinks, sink);
        json_add_text(sink, "name", report->job->to[i]->name);
        json_add_number(sink, "stored", figures->sinks[i].stored);
        json_add_number(sink, "duplicate", figures->sinks[i].duplicate);
        json_add_number(sink, "expired", figures->sinks[i].expired);
        json_add_number(sink, "dead", figures->sinks[i].dead);
    }
}

/* -1: never met */
static int64_t age_of(const struct job_report *report, const struct kind_report *kind)
{
    if (kind->newest_ns == INT64_MIN) {
        return -1;
    }
    return report->now_ns > kind->newest_ns ? report->now_ns - kind->newest_ns : 0;
}

static void add_kinds(cJSON *to, const struct job_report *report)
{
    cJSON *kinds = cJSON_AddArrayToObject(to, "kinds");
    for (size_t i = 0; i < report->n_kinds; i++) {
        const struct kind_report *kind = &report->kinds[i];
        cJSON *one = cJSON_CreateObject();
        cJSON_AddItemToArray(kinds, one);
        json_add_text(one, "name", kind->name);
        json_add_time(one, "newest_record", kind->newest_ns);
        add_seconds(one, "age_seconds", age_of(report, kind));
        add_seconds(one, "usual_gap_seconds", kind->habit.known ? kind->habit.usual_ns : -1);
        add_seconds(one, "late_after_seconds", kind->habit.known ? kind->habit.late_ns : -1);
        cJSON_AddBoolToObject(one, "late", kind->is_late);
    }
}

static void add_letters(cJSON *to, const struct job_status *figures)
{
    cJSON *letters = cJSON_AddObjectToObject(to, "dead_letters");
    json_add_number(letters, "kept", figures->dead_letters);
    json_add_number(letters, "only_counted", figures->dead_beyond);
    json_add_time(letters, "oldest", figures->oldest_letter_ns);
    cJSON *reasons = cJSON_AddArrayToObject(letters, "reasons");
    for (size_t i = 0; i < figures->n_reasons; i++) {
        cJSON *reason = cJSON_CreateObject();
        cJSON_AddItemToArray(reasons, reason);
        json_add_text(reason, "reason", figures->reasons[i].text);
        json_add_number(reason, "letters", figures->reasons[i].letters);
    }
}

cJSON *job_report_json(const struct job_report *report)
{
    cJSON *job = cJSON_CreateObject();
    json_add_text(job, "name", report->job->name);
    cJSON_AddBoolToObject(job, "well", !*report->problem);
    json_add_text(job, "problem", report->problem);
    add_runs(job, report);
    add_figures(job, report);
    add_kinds(job, report);
    add_letters(job, &report->figures);
    json_add_text(job, "oldest_error", report->figures.oldest_error);
    return job;
}
