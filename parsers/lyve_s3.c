/*
 * lyve_s3: S3 API audit records, MinIO's audit entry (version 1) wrapped by Lyve Cloud. Newer
 * servers write a duration twice, as "677949ns" and as "...InNS" without the unit; either will do.
 * Calls without a bucket (ListBuckets) and answers without a body lack the columns concerned.
 */
#include "api/parser.h"

static const struct column columns[] = {
    {TAG, "auditEntry.api.name", {"auditEntry.api.name"}},
    {TAG, "auditEntry.api.bucket", {"auditEntry.api.bucket"}},
    {TAG, "auditEntry.api.statusCode", {"auditEntry.api.statusCode"}},
    {TAG_ADDRESS, "auditEntry.requestHeader.X-Real-Ip", {"auditEntry.requestHeader.X-Real-Ip"}},
    {TAG, "serviceAccountName", {"serviceAccountName"}},
    {TAG, "serviceAccountCreatorId", {"serviceAccountCreatorId"}},
    {MESSAGE, "message", {NULL}},
    {DURATION_NS,
     "auditEntry.api.timeToResponse",
     {"auditEntry.api.timeToResponse", "auditEntry.api.timeToResponseInNS"}},
    {DURATION_NS,
     "auditEntry.api.timeToFirstByte",
     {"auditEntry.api.timeToFirstByte", "auditEntry.api.timeToFirstByteInNS"}},
    {TIME_NS, NULL, {"auditEntry.time"}},
};

extern const struct parser lyve_s3_parser;
const struct parser lyve_s3_parser = {
    .about = {.name = "lyve_s3", .summary = "Lyve Cloud S3 API audit records"},
    .names = (const char *const[]){"S3", NULL},
    .record_keys = (const char *const[]){"auditEntry", NULL},
    .measurement = "audit-01",
    .columns = columns,
    .n_columns = sizeof columns / sizeof *columns,
};
