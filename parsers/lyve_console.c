/*
 * lyve_console: audit records of the Lyve Cloud console. Their time is written as Go prints one:
 * "2021-01-25 09:19:11.622206 +0000 UTC", in microseconds. The event's name is spelled "Eventname".
 */
#include "api/parser.h"
#include "base/timestamp.h"

static const struct column columns[] = {
    {TAG, "UserIdentity.UserName", {"UserIdentity.UserName"}},
    {TAG, "UserIdentity.Role", {"UserIdentity.Role"}},
    {TAG_ADDRESS, "UserIdentity.IPAddress", {"UserIdentity.IPAddress"}},
    {TAG, "ConsoleEvent.Eventname", {"ConsoleEvent.Eventname"}},
    {MESSAGE, "message", {NULL}},
    {INT, "StatusCode", {"ConsoleEvent.StatusCode"}},
    {TIME_US, NULL, {"ConsoleEvent.EventTime"}},
};

static bool read_time(struct slice text, int64_t last_modified_ns, int64_t *ns)
{
    (void)last_modified_ns;
    return timestamp_parse_go(text, ns);
}

extern const struct parser lyve_console_parser;
const struct parser lyve_console_parser = {
    .about = {.name = "lyve_console", .summary = "Lyve Cloud console audit records"},
    .names = (const char *const[]){"console", NULL},
    .record_keys = (const char *const[]){"ConsoleEvent", NULL},
    .measurement = "console-01",
    .columns = columns,
    .n_columns = sizeof columns / sizeof *columns,
    .read_time = read_time,
};
