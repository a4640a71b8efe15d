"""The dashboard "Lyve Cloud audit": the S3 calls, in the six panels of Seagate's sample gateway, and their records.

The sample's longest response time is the greatest of the daily means, and its errors are all calls but those
answered with 200. Here they are the longest single call, and answers of 400 and above; the variable `figures`
brings the sample's back. Counts are made per series first, which InfluxDB does where the data lies, without
reading the records.
"""

import parts
from parts import flux

NAME, BUCKET, STATUS = "auditEntry.api.name", "auditEntry.api.bucket", "auditEntry.api.statusCode"
ACCOUNT = "serviceAccountName"

SELECTED = """
  |> filter(fn: (r) => r["auditEntry.api.bucket"] =~ /^${bucket:regex}$/)
  |> filter(fn: (r) => r["auditEntry.api.name"] =~ /^${api:regex}$/)
  |> filter(fn: (r) => r["serviceAccountName"] =~ /^${account:regex}$/)
  |> filter(fn: (r) => r["auditEntry.api.statusCode"] =~ /^${calls:raw}$/)
""".strip()

# A call without a bucket, such as ListBuckets, belongs to none of the panels by bucket.
POINTS = """
from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r["_measurement"] == "audit-01" and r["_field"] == "<field>")
  |> filter(fn: (r) => r["auditEntry.api.bucket"] != "")
  <selected>
""".strip()

IN_MS = "float(v: r._value) / 1000000.0"


def points(field):
    return flux(POINTS, selected=SELECTED, field=field)


def times():
    return points("auditEntry.api.timeToResponse")


def mean_per_day(by, only=""):
    return flux(
        """
        <times><only>
          |> group(columns: ["<by>"])
          |> aggregateWindow(<day>, fn: mean)
          <series>
        """,
        times=times(),
        only=only,
        day=parts.DAY,
        series=parts.series(by, IN_MS),
        by=by,
    )


COUNT_PER_DAY = """
  |> aggregateWindow(<day>, fn: count)
  |> group(columns: ["auditEntry.api.bucket"])
  |> aggregateWindow(<day>, fn: sum)
  <series>
""".strip()


def count_per_day():
    return flux(COUNT_PER_DAY, day=parts.DAY, series=parts.series(BUCKET))


def calls_per_day():
    return flux("<points>\n  <count>", points=points("message"), count=count_per_day())


def errors_per_day():
    return flux(
        """
        calls = <points>
        answered_with_error = calls |> filter(fn: (r) => r["auditEntry.api.statusCode"] =~ /^[45]/)
        not_answered_with_200 = calls |> filter(fn: (r) => r["auditEntry.api.statusCode"] != "200")

        errors = if "${figures:raw}" == "original" then not_answered_with_200 else answered_with_error

        errors
          <count>
        """,
        points=points("message"),
        count=count_per_day(),
    )


def longest():
    return flux(
        """
        times = <times>
        longest_call = times
          |> aggregateWindow(<day>, fn: max)
          |> group(columns: ["<by>"])
          |> aggregateWindow(<day>, fn: max)
          |> toFloat()
        greatest_daily_mean = times
          |> group(columns: ["<by>"])
          |> aggregateWindow(<day>, fn: mean)

        longest = if "${figures:raw}" == "original" then greatest_daily_mean else longest_call

        longest
          <series>
        """,
        times=times(),
        day=parts.DAY,
        series=parts.series(NAME, IN_MS),
        by=NAME,
    )


RECORDS_SHOWN = 200


def records():
    """The newest records. tail() keeps that many of each series while they stream by; more are not needed. A tag that
    the job keeps as a field (`fields:`) is a column all the same."""
    return flux(
        """
        import "influxdata/influxdb/schema"

        from(bucket: v.defaultBucket)
          |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
          |> filter(fn: (r) => r["_measurement"] == "audit-01")
          |> filter(fn: (r) => r["_field"] != "auditEntry.api.timeToFirstByte")
          <selected>
          |> tail(n: <shown>)
          |> schema.fieldsAsCols()
          |> filter(fn: (r) => exists r["message"])
          |> group()
          |> sort(columns: ["_time"], desc: true)
          |> limit(n: <shown>)
          |> drop(columns: ["_start", "_stop", "_measurement"])
        """,
        selected=SELECTED,
        shown=str(RECORDS_SHOWN),
    )


RECORD_COLUMNS = {
    "_time": "time",
    NAME: "API",
    BUCKET: "bucket",
    STATUS: "status",
    "auditEntry.api.timeToResponse": "response time",
    ACCOUNT: "account",
    "serviceAccountCreatorId": "creator",
    "auditEntry.requestHeader.X-Real-Ip": "address",
    "message": "record",
}


def variables():
    return [
        parts.tag_variable("bucket", "Bucket", parts.tag_values("audit-01", BUCKET)),
        parts.tag_variable("api", "API", parts.tag_values("audit-01", NAME)),
        parts.tag_variable("account", "Account", parts.tag_values("audit-01", ACCOUNT)),
        parts.choice_variable(
            "calls",
            "Calls",
            [("all", ".*"), ("errors only", "[45].*")],
            "Errors only: answers of 400 and above.",
        ),
        parts.choice_variable(
            "figures",
            "Figures",
            [("right", "right"), ("as in the sample gateway", "original")],
            "Seagate's sample gateway counts every answer but 200 as an error (204 too), and takes the greatest "
            "daily mean for the longest response time.",
        ),
    ]


def rows():
    response = parts.lines(
        "Average response time by API per day",
        "Mean time to response of the calls of each API, in UTC days.",
        mean_per_day(NAME),
        "ms",
    )
    complete = parts.lines(
        "CompleteMultipartUpload time to response by bucket",
        "Mean time to response, in UTC days: putting large objects together is the slow call.",
        mean_per_day(BUCKET, '\n  |> filter(fn: (r) => r["auditEntry.api.name"] == "CompleteMultipartUpload")'),
        "ms",
    )
    errors = parts.bars(
        "Error count by bucket per day",
        "Calls answered with 400 and above (as in the sample gateway: with anything but 200).",
        errors_per_day(),
    )
    calls = parts.bars("API calls by bucket per day", "Calls that name a bucket, in UTC days.", calls_per_day())
    total = parts.pie("Total API calls by bucket", "Calls that name a bucket, in the whole range.", calls_per_day())
    slowest = parts.ranking(
        "Max API response time",
        "The longest single call of each API (as in the sample gateway: the greatest daily mean).",
        longest(),
        "ms",
    )
    behind = parts.table(
        "Records",
        "The newest %d records of the selection; a click on a cell's eye shows it whole." % RECORDS_SHOWN,
        records(),
        RECORD_COLUMNS,
        units={"response time": "ns"},
        widths={"time": 180, "status": 80, "response time": 120, "record": 600},
    )
    return [
        [(response, 12, 10), (complete, 12, 10)],
        [(errors, 12, 10), (calls, 12, 10)],
        [(total, 12, 10), (slowest, 12, 10)],
        [(behind, 24, 12)],
    ]


def board():
    return parts.dashboard(
        "lyve-audit",
        "Lyve Cloud audit",
        "S3 API calls from Lyve Cloud's audit logs: how long they took, what failed, who made them.",
        variables(),
        rows(),
        "now-30d",
    )
