/*
 * lyve_iam: sign-in and account events, which are log events of an Auth0 tenant. They come flat or
 * inside "content"; each column looks in both places. Auth0 counts milliseconds: the further digits
 * of a date are padding.
 */
#include "api/parser.h"

static const struct column columns[] = {
    {TAG, "organization", {"organization", "content.organization"}},
    {TAG, "source", {"source", "content.source"}},
    {TAG, "content.client_name", {"content.client_name", "client_name"}},
    {TAG_ADDRESS, "content.ip", {"content.ip", "ip"}},
    {TAG, "content.hostname", {"content.hostname", "hostname"}},
    {TAG, "content.user_name", {"content.user_name", "user_name"}},
    {TAG, "bucket_name", {"bucket_name", "content.bucket_name"}},
    {MESSAGE, "message", {NULL}},
    {TEXT, "created_date", {"created_date", "content.created_date"}},
    {TIME_MS, NULL, {"date", "content.date"}},
};

extern const struct parser lyve_iam_parser;
const struct parser lyve_iam_parser = {
    .about = {.name = "lyve_iam", .summary = "Lyve Cloud IAM audit records (Auth0 log events)"},
    .names = (const char *const[]){"IAM", NULL},
    .record_keys = (const char *const[]){"log_id,type", "content", NULL},
    .measurement = "iam-01",
    .columns = columns,
    .n_columns = sizeof columns / sizeof *columns,
};
