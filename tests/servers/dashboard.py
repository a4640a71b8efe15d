"""The six Flux queries of the dashboard that Lyve Cloud's own gateway came with, unchanged: those who have that
dashboard keep it. Each: its title (as expect.dashboard_numbers has it), the tag it groups by, the query. Grafana
supplies `v`; so must who runs them.
"""

NAME, BUCKET = "auditEntry.api.name", "auditEntry.api.bucket"
INFLUX_BUCKET = "Demo-Lyve-Logs"

QUERIES = [
    (
        "average response time by API",
        NAME,
        """
from(bucket: "Demo-Lyve-Logs")
|> range(start: v.timeRangeStart, stop: v.timeRangeStop)
|> filter(fn: (r) => r["_measurement"] == "audit-01")
|> filter(fn: (r) => r["_field"] == "auditEntry.api.timeToResponse")
|> filter(fn: (r) => r["auditEntry.api.bucket"] != "")
|> group(columns: ["auditEntry.api.name"])
|> aggregateWindow(every: 1d, fn: mean, createEmpty: false)
|> map(fn: (r) => ({ r with _value: r["_value"]/1000000.0 }))
|> yield()
""",
    ),
    (
        "CompleteMultipartUpload by bucket",
        BUCKET,
        """
from(bucket: "Demo-Lyve-Logs")
|> range(start: v.timeRangeStart, stop: v.timeRangeStop)
|> filter(fn: (r) => r["_measurement"] == "audit-01")
|> filter(fn: (r) => r["_field"] == "auditEntry.api.timeToResponse")
|> filter(fn: (r) => r["auditEntry.api.name"] == "CompleteMultipartUpload")
|> group(columns: ["auditEntry.api.bucket"])
|> aggregateWindow(every: 1d, fn: mean, createEmpty: false)
|> map(fn: (r) => ({ r with _value: r["_value"]/1000000.0 }))
|> yield()
""",
    ),
    (
        "errors by bucket",
        BUCKET,
        """
from(bucket: "Demo-Lyve-Logs")
|> range(start: v.timeRangeStart, stop: v.timeRangeStop)
|> filter(fn: (r) => r["_measurement"] == "audit-01")
|> filter(fn: (r) => r["_field"] == "message")
|> filter(fn: (r) => r["auditEntry.api.statusCode"] != "200")
|> filter(fn: (r) => r["auditEntry.api.bucket"] != "")
|> group(columns: ["auditEntry.api.bucket"])
|> aggregateWindow(every: 1d, fn: count, createEmpty: false)
""",
    ),
    (
        "calls by bucket",
        BUCKET,
        """
from(bucket: "Demo-Lyve-Logs")
|> range(start: v.timeRangeStart, stop: v.timeRangeStop)
|> filter(fn: (r) => r["_measurement"] == "audit-01")
|> filter(fn: (r) => r["_field"] == "message")
|> filter(fn: (r) => r["auditEntry.api.bucket"] != "")
|> group(columns: ["auditEntry.api.bucket"])
|> aggregateWindow(every: 1d, fn: count, createEmpty: false)
""",
    ),
    (
        "total calls by bucket",
        BUCKET,
        """
from(bucket: "Demo-Lyve-Logs")
|> range(start: v.timeRangeStart, stop: v.timeRangeStop)
|> filter(fn: (r) => r["_measurement"] == "audit-01")
|> filter(fn: (r) => r["_field"] == "message")
|> filter(fn: (r) => r["auditEntry.api.bucket"] != "")
|> group(columns: ["auditEntry.api.bucket"])
|> aggregateWindow(every: 1d, fn: count, createEmpty: false)
""",
    ),
    (
        "longest response time",
        NAME,
        """
from(bucket: "Demo-Lyve-Logs")
|> range(start: v.timeRangeStart, stop: v.timeRangeStop)
|> filter(fn: (r) => r["_measurement"] == "audit-01")
|> filter(fn: (r) => r["_field"] == "auditEntry.api.timeToResponse")
|> filter(fn: (r) => r["auditEntry.api.bucket"] != "")
|> group(columns: ["auditEntry.api.name"])
|> aggregateWindow(every: 1d, fn: mean, createEmpty: false)
|> map(fn: (r) => ({ r with _value: r["_value"]/1000000.0 }))
|> yield()
""",
    ),
]
