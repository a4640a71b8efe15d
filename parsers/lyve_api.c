/*
 * lyve_api: audit records of the account API ("ApiEvent", version 2). Their RequestTime is a time
 * of day; the day is the latest on which that time is not after the object was written.
 */
#include "api/parser.h"
#include "base/timestamp.h"

static const struct column columns[] = {
    {TAG, "ApiEvent.EventName", {"ApiEvent.EventName"}},
    {TAG, "ApiEvent.Request.AccountName", {"ApiEvent.Request.AccountName"}},
    {TAG_ADDRESS, "ApiEvent.Request.SourceIP", {"ApiEvent.Request.SourceIP"}},
    {TAG, "ApiEvent.Response.ResponseCode", {"ApiEvent.Response.ResponseCode"}},
    {MESSAGE, "message", {NULL}},
    {TEXT, "ApiEvent.Response.ResponseError", {"ApiEvent.Response.ResponseError"}},
    {TIME_S, NULL, {"ApiEvent.Request.RequestTime"}},
};

static bool read_time(struct slice text, int64_t last_modified_ns, int64_t *ns)
{
    return last_modified_ns != INT64_MIN && timestamp_parse_time_of_day(text, last_modified_ns, ns);
}

extern const struct parser lyve_api_parser;
const struct parser lyve_api_parser = {
    .about = {.name = "lyve_api", .summary = "Lyve Cloud account API audit records"},
    .names = (const char *const[]){NULL},
    .record_keys = (const char *const[]){"ApiEvent", NULL},
    .measurement = "api-01",
    .columns = columns,
    .n_columns = sizeof columns / sizeof *columns,
    .read_time = read_time,
};
