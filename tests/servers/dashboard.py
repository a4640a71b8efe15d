"""The six Flux queries of the dashboard that Lyve Cloud's own gateway came with, to the letter: those who have that
dashboard keep it. Each: its title (as expect.dashboard_numbers has it), the tag it groups by, the query. Grafana
supplies `v`; so must who runs them.
"""

NAME, BUCKET = "auditEntry.api.name", "auditEntry.api.bucket"
INFLUX_BUCKET = "Demo-Lyve-Logs"

RECORDS = """
from(bucket: "Demo-Lyve-Logs")
|> range(start: v.timeRangeStart, stop: v.timeRangeStop)
|> filter(fn: (r) => r["_measurement"] == "audit-01")
"""
RESPONSE_TIMES = RECORDS + """\
|> filter(fn: (r) => r["_field"] == "auditEntry.api.timeToResponse")
"""
MESSAGES = RECORDS + """\
|> filter(fn: (r) => r["_field"] == "message")
"""
WITH_BUCKET = """\
|> filter(fn: (r) => r["auditEntry.api.bucket"] != "")
"""
COMPLETIONS = """\
|> filter(fn: (r) => r["auditEntry.api.name"] == "CompleteMultipartUpload")
"""
NOT_200 = """\
|> filter(fn: (r) => r["auditEntry.api.statusCode"] != "200")
"""
BY_API = """\
|> group(columns: ["auditEntry.api.name"])
"""
BY_BUCKET = """\
|> group(columns: ["auditEntry.api.bucket"])
"""
MEAN_MS_PER_DAY = """\
|> aggregateWindow(every: 1d, fn: mean, createEmpty: false)
|> map(fn: (r) => ({ r with _value: r["_value"]/1000000.0 }))
|> yield()
"""
COUNT_PER_DAY = """\
|> aggregateWindow(every: 1d, fn: count, createEmpty: false)
"""

QUERIES = [
    ("average response time by API", NAME, RESPONSE_TIMES + WITH_BUCKET + BY_API + MEAN_MS_PER_DAY),
    ("CompleteMultipartUpload by bucket", BUCKET, RESPONSE_TIMES + COMPLETIONS + BY_BUCKET + MEAN_MS_PER_DAY),
    ("errors by bucket", BUCKET, MESSAGES + NOT_200 + WITH_BUCKET + BY_BUCKET + COUNT_PER_DAY),
    ("calls by bucket", BUCKET, MESSAGES + WITH_BUCKET + BY_BUCKET + COUNT_PER_DAY),
    ("total calls by bucket", BUCKET, MESSAGES + WITH_BUCKET + BY_BUCKET + COUNT_PER_DAY),
    ("longest response time", NAME, RESPONSE_TIMES + WITH_BUCKET + BY_API + MEAN_MS_PER_DAY),
]
