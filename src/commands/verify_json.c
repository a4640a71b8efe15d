/* verify_json: what verify has found, as JSON for programs. The names are a promise: they are added
 * to, not changed. See commands/verify.h. */
#include "commands/json.h"
#include "commands/verify.h"

static void add_day(cJSON *to, const char *name, int32_t day)
{
    char text[VERIFY_DAY_BYTES];
    cJSON_AddStringToObject(to, name, verify_day_text(day, text));
}

/* --- jobs --- */

static cJSON *job_sink_json(const struct verify_job *job, size_t i)
{
    const struct verify_job_sink *sink = &job->sinks[i];
    cJSON *json = cJSON_CreateObject();
    json_add_text(json, "name", job->config->to[i]->name);
    json_add_number(json, "read", sink->read);
    json_add_number(json, "stored", sink->counts.stored);
    json_add_number(json, "duplicate", sink->counts.duplicate);
    json_add_number(json, "expired", sink->counts.expired);
    json_add_number(json, "dead", sink->counts.dead);
    json_add_number(json, "objects_missing", sink->missing);
    return json;
}

static cJSON *listed_json(const struct verify_listed *listed)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddBoolToObject(json, "asked", listed->listing == VERIFY_LISTED);
    json_add_text(json, "error", listed->listing == VERIFY_LISTED_FAILED ? listed->error : NULL);
    if (listed->listing != VERIFY_LISTED) {
        return json;
    }
    json_add_number(json, "objects", listed->objects);
    for (int i = OBJECT_LISTED; i <= OBJECT_QUARANTINED; i++) {
        json_add_number(json, object_state_name((enum object_state)i), listed->states[i]);
    }
    json_add_number(json, "changed", listed->changed);
    json_add_number(json, "lost", listed->lost);
    json_add_number(json, "newer", listed->newer);
    if (!listed->unordered) {
        json_add_number(json, "gone", listed->gone);
    }
    return json;
}

static cJSON *job_json(const struct verify_job *job)
{
    cJSON *json = cJSON_CreateObject();
    json_add_text(json, "name", job->config->name);
    cJSON *objects = cJSON_AddObjectToObject(json, "objects");
    for (int i = OBJECT_LISTED; i <= OBJECT_QUARANTINED; i++) {
        json_add_number(objects, object_state_name((enum object_state)i), job->objects[i]);
    }
    json_add_number(objects, "gone", job->gone);
    if (job->unmatched < 0) {
        cJSON_AddNullToObject(objects, "unmatched");
    } else {
        json_add_number(objects, "unmatched", (uint64_t)job->unmatched);
    }
    cJSON_AddItemToObject(json, "source", listed_json(&job->listed));
    json_add_number(json, "objects_waiting", job->waiting);
    json_add_number(json, "records_read", job->read);
    cJSON *sinks = cJSON_AddArrayToObject(json, "sinks");
    for (size_t i = 0; i < job->config->n_to && i < LEDGER_SINKS_MAX; i++) {
        cJSON_AddItemToArray(sinks, job_sink_json(job, i));
    }
    return json;
}

/* --- sinks --- */

static cJSON *series_json(const struct verify_series *series)
{
    cJSON *json = cJSON_CreateObject();
    json_add_text(json, "name", series->measurement);
    if (series->n_days) {
        add_day(json, "first_day", series->first_day);
        add_day(json, "last_day", series->last_day);
    } else {
        cJSON_AddNullToObject(json, "first_day");
        cJSON_AddNullToObject(json, "last_day");
    }
    json_add_number(json, "days", series->n_days);
    json_add_number(json, "stored", series->stored);
    json_add_number(json, "counted", series->counted);
    json_add_number(json, "different_days", series->different_days);
    json_add_number(json, "days_not_kept", series->skipped_days);
    return json;
}

static cJSON *sink_json(const struct verify_sink *sink)
{
    cJSON *json = cJSON_CreateObject();
    bool counted = sink->counting == VERIFY_COUNTED;
    json_add_text(json, "name", sink->place->name);
    cJSON_AddBoolToObject(json, "counted", counted);
    json_add_text(json, "error", sink->counting == VERIFY_COUNTED_NOT ? sink->error : NULL);
    json_add_time(json, "kept_from", sink->kept_from_ns);
    cJSON *measurements = cJSON_AddArrayToObject(json, "measurements");
    for (size_t i = 0; counted && i < sink->n_series; i++) {
        cJSON_AddItemToArray(measurements, series_json(&sink->series[i]));
    }
    return json;
}

/* --- differences --- */

static void add_keys(cJSON *to, const struct verify_difference *difference)
{
    cJSON *keys = cJSON_AddArrayToObject(to, "objects");
    for (size_t i = 0; i < difference->n_keys; i++) {
        cJSON_AddItemToArray(keys, json_text(difference->keys[i]));
    }
    json_add_number(to, "more_objects", difference->more_keys);
    cJSON_AddBoolToObject(to, "gone_objects", difference->gone);
}

static cJSON *object_json(const struct verify_difference *difference)
{
    cJSON *json = cJSON_CreateObject();
    json_add_text(json, "job", difference->job);
    json_add_text(json, "sink", difference->sink);
    json_add_text(json, "text", difference->text);
    add_keys(json, difference);
    return json;
}

static cJSON *day_json(const struct verify_difference *difference)
{
    cJSON *json = cJSON_CreateObject();
    json_add_text(json, "sink", difference->sink);
    json_add_text(json, "measurement", difference->measurement);
    add_day(json, "day", difference->day);
    json_add_number(json, "stored", difference->stored);
    json_add_number(json, "counted", difference->counted);
    add_keys(json, difference);
    return json;
}

static void add_differences(cJSON *to, const char *name,
                            const struct verify_differences *differences,
                            cJSON *(*json)(const struct verify_difference *difference))
{
    cJSON *object = cJSON_AddObjectToObject(to, name);
    json_add_number(object, "count", differences->n + differences->beyond);
    cJSON *first = cJSON_AddArrayToObject(object, "first");
    for (size_t i = 0; i < differences->n; i++) {
        cJSON_AddItemToArray(first, json(&differences->at[i]));
    }
}

enum status verify_print_json(const struct verify *verify, struct err *err)
{
    cJSON *document = cJSON_CreateObject();
    json_add_time(document, "now", verify->now_ns);
    json_add_text(document, "state", verify->config->state);
    cJSON_AddBoolToObject(document, "has_run", verify->ledger != NULL);
    cJSON_AddBoolToObject(document, "equal", verify_count_differences(verify) == 0);
    cJSON *jobs = cJSON_AddArrayToObject(document, "jobs");
    for (size_t i = 0; i < verify->n_jobs; i++) {
        if (verify->jobs[i].wanted) {
            cJSON_AddItemToArray(jobs, job_json(&verify->jobs[i]));
        }
    }
    cJSON *sinks = cJSON_AddArrayToObject(document, "sinks");
    for (size_t i = 0; verify->ledger && i < verify->n_sinks; i++) {
        cJSON_AddItemToArray(sinks, sink_json(&verify->sinks[i]));
    }
    add_differences(document, "object_differences", &verify->objects, object_json);
    add_differences(document, "lost_objects", &verify->lost, object_json);
    add_differences(document, "waiting_objects", &verify->waiting, object_json);
    add_differences(document, "day_differences", &verify->days, day_json);
    return json_print(document, err);
}
