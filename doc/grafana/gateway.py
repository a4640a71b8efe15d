"""The dashboard "Gateway" and the alert rules: what loggateway says about its own runs, the points `gateway-01`.

A run writes one point of kind `all`, and one for each parser that read something; their time is the run's start.
`loggateway verify --publish` writes one of kind `verify` for each job.
"""

import parts
from parts import flux

HOUR_S = 3600
LAG_WARNING_S, LAG_ERROR_S = 3 * HOUR_S, 6 * HOUR_S
RUNS_SHOWN = 100
DAY_S = 24 * HOUR_S
VERIFY_WARNING_S, VERIFY_ERROR_S, VERIFY_DAYS = 8 * DAY_S, 15 * DAY_S, 30

RUNS = """
from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r["_measurement"] == "gateway-01" and r["job"] =~ /^${job:regex}$/)
""".strip()

SECONDS_BEFORE_END = "float(v: int(v: v.timeRangeStop) - %s) / 1000000000.0"


def runs(condition):
    return flux('<runs>\n  |> filter(fn: (r) => <condition>)', runs=RUNS, condition=condition)


def one_of(*fields):
    return " or ".join('r["_field"] == "%s"' % field for field in fields)


def of_all(*fields):
    return runs('r["kind"] == "all" and (%s)' % one_of(*fields))


def freshness():
    return flux(
        """
        <runs>
          |> group(columns: ["kind"])
          |> max()
          |> map(fn: (r) => ({_time: v.timeRangeStop, _field: r["kind"], _value: <age>}))
          |> group(columns: ["_field"])
        """,
        runs=runs('r["kind"] != "all" and r["_field"] == "newest"'),
        age=SECONDS_BEFORE_END % "r._value",
    )


def last_run():
    return flux(
        """
        <runs>
          |> last()
          |> map(fn: (r) => ({_time: v.timeRangeStop, _field: r["job"], _value: <age>}))
          |> group(columns: ["_field"])
        """,
        runs=of_all("objects"),
        age=SECONDS_BEFORE_END % "int(v: r._time)",
    )


def completeness():
    """Of the last run of each job that says so: one that was told to end before its time does not."""
    return flux(
        """
        <runs>
          |> last()
          |> map(fn: (r) => ({_time: v.timeRangeStop, _field: r["job"], _value: r._value}))
          |> group(columns: ["_field"])
        """,
        runs=of_all("complete"),
    )


def totals():
    return flux(
        """
        counts = <runs>
          |> group(columns: ["_field"])
          |> sum()
          |> map(fn: (r) => ({_field: r["_field"], _value: r._value}))
          |> group()

        unexplained = counts
          |> map(fn: (r) => ({_value: if r["_field"] == "read" then r._value else -r._value}))
          |> sum()
          |> map(fn: (r) => ({_field: "unexplained", _value: r._value}))

        union(tables: [counts, unexplained])
          |> map(fn: (r) => ({_time: v.timeRangeStop, _field: r["_field"], _value: r._value}))
          |> group(columns: ["_field"])
        """,
        runs=of_all("read", "stored", "duplicate", "expired", "dead"),
    )


def objects_per_period():
    """What came to an end is summed up; what was left is as the last run of each job in the period left it."""
    return flux(
        """
        runs = <runs>

        settled = runs
          |> filter(fn: (r) => <counted>)
          |> map(fn: (r) => ({r with
              _value: if r["_field"] == "objects" then r._value else -r._value,
              _field: "settled",
          }))

        ended = union(tables: [settled, runs |> filter(fn: (r) => <kept>)])
          |> group(columns: ["_field"])
          |> aggregateWindow(<period>, fn: sum)

        left = runs
          |> filter(fn: (r) => <left>)
          |> group(columns: ["_field", "job"])
          |> aggregateWindow(<period>, fn: last)
          |> group(columns: ["_field", "_time"])
          |> sum()

        union(tables: [ended, left])
          <series>
          |> sort(columns: ["_time"])
        """,
        runs=of_all("objects", "failed", "quarantined", "unmatched", "waiting"),
        counted=one_of("objects", "failed", "quarantined"),
        kept=one_of("failed", "quarantined"),
        left=one_of("unmatched", "waiting"),
        period=parts.PERIOD,
        series=parts.series("_field"),
    )


VERIFIED = """
from(bucket: v.defaultBucket)
  |> range(start: date.sub(from: v.timeRangeStop, d: %dd), stop: v.timeRangeStop)
  |> filter(fn: (r) => r["_measurement"] == "gateway-01" and r["job"] =~ /^${job:regex}$/ and r["kind"] == "verify")
""".strip() % VERIFY_DAYS


def last_verify():
    return flux(
        """
        import "date"

        <verified>
          |> filter(fn: (r) => r["_field"] == "differences")
          |> last()
          |> map(fn: (r) => ({_time: v.timeRangeStop, _field: r["job"], _value: <age>}))
          |> group(columns: ["_field"])
        """,
        verified=VERIFIED,
        age=SECONDS_BEFORE_END % "int(v: r._time)",
    )


def verified():
    return flux(
        """
        import "date"
        import "influxdata/influxdb/schema"

        <verified>
          |> schema.fieldsAsCols()
          |> group(columns: ["job"])
          |> sort(columns: ["_time"])
          |> tail(n: 1)
          |> group()
          |> sort(columns: ["_time"], desc: true)
          |> drop(columns: ["_start", "_stop", "_measurement", "kind"])
        """,
        verified=VERIFIED,
    )


def per_period(by, *fields):
    return flux(
        """
        <runs>
          |> group(columns: ["<by>"])
          |> aggregateWindow(<period>, fn: sum)
          <series>
        """,
        runs=of_all(*fields),
        period=parts.PERIOD,
        series=parts.series(by),
        by=by,
    )


def lag_per_period():
    return flux(
        """
        <runs>
          |> map(fn: (r) => ({r with _value: float(v: int(v: r._time) - r._value) / 1000000000.0}))
          |> group(columns: ["kind"])
          |> aggregateWindow(<period>, fn: max)
          <series>
        """,
        runs=runs('r["kind"] != "all" and r["_field"] == "newest"'),
        period=parts.PERIOD,
        series=parts.series("kind"),
    )


def longest_runs():
    return flux(
        """
        <runs>
          |> group(columns: ["job"])
          |> aggregateWindow(<period>, fn: max)
          <series>
        """,
        runs=of_all("seconds"),
        period=parts.PERIOD,
        series=parts.series("job"),
    )


def newest_runs():
    return flux(
        """
        import "influxdata/influxdb/schema"

        <runs>
          |> tail(n: <shown>)
          |> schema.fieldsAsCols()
          |> group()
          |> sort(columns: ["_time"], desc: true)
          |> limit(n: <shown>)
          |> drop(columns: ["_start", "_stop", "_measurement", "kind", "newest"])
        """,
        runs=runs('r["kind"] == "all"'),
        shown=str(RUNS_SHOWN),
    )


RUN_COLUMNS = (
    *("_time", "job", "objects", "read", "stored", "duplicate", "expired", "dead"),
    *("failed", "quarantined", "waiting", "unmatched", "complete", "seconds"),
)
VERIFY_COLUMNS = ("_time", "job", "differences", "listed", "lost", "waiting", "unmatched", "stored", "counted")


def rows():
    lag_steps = [(None, parts.GOOD), (LAG_WARNING_S, parts.LOST), (LAG_ERROR_S, parts.BAD)]
    fresh = parts.stat(
        "Age of the newest record",
        "By kind of record: how far behind the figures are. Logs are delivered about once an hour.",
        freshness(),
        "s",
        lag_steps,
    )
    ran = parts.stat("Since the last run", "By job, from the start of the run.", last_run(), "s", lag_steps)
    whole = parts.stat(
        "Last run",
        "By job. Not complete: it could not list, was cut short, or kept something back: failed, quarantined, unmatched. "
        "A run that was told to stop, or made room for another, is passed over.",
        completeness(),
        "short",
        words={1: ("complete", parts.GOOD), 0: ("not complete", parts.BAD)},
    )
    total = parts.stat(
        "Records: read = stored + duplicate + expired + dead",
        "What became of all that was read: stored, duplicate, older than the bucket keeps, or a dead letter. "
        "Unexplained is what is missing from that sum, always 0.",
        totals(),
        "short",
        [(None, parts.BAD), (0, parts.GOOD), (1, parts.BAD)],
        {**parts.OUTCOME_COLOURS, "read": parts.MEASURE},
    )
    objects = parts.bars(
        "Objects by job", "Log objects that were read to their end.", per_period("job", "objects"), interval="1h"
    )
    records = parts.bars(
        "Records by outcome",
        "read = stored + duplicate + expired + dead, always.",
        per_period("_field", "stored", "duplicate", "expired", "dead"),
        parts.OUTCOME_COLOURS,
        stacked=True,
        interval="1h",
    )
    outcomes = parts.bars(
        "Objects: settled, failed, quarantined, unmatched, waiting",
        "settled, failed and quarantined: read in the period. unmatched: folders that nobody reads, and waiting: "
        "objects still to be read, when the last run of the period ended.",
        objects_per_period(),
        {
            "settled": parts.GOOD,
            "failed": parts.LOST,
            "quarantined": parts.BAD,
            "unmatched": parts.MEASURE,
            "waiting": parts.AGAIN,
        },
        interval="1h",
    )
    proof_age = parts.stat(
        "Since the last verify",
        "By job, of loggateway verify --publish.",
        last_verify(),
        "s",
        [(None, parts.GOOD), (VERIFY_WARNING_S, parts.LOST), (VERIFY_ERROR_S, parts.BAD)],
    )
    proof = parts.table(
        "Last verify",
        "By job. differences: 0 when it is complete. listed, lost: objects of the source. stored, counted: points by "
        "the ledger, and in the bucket, of all jobs that write there.",
        verified(),
        {name: name.lstrip("_") for name in VERIFY_COLUMNS},
        widths={"time": 180},
    )
    failures = parts.bars(
        "Failed objects and dead letters",
        "failed: objects that the next run tries again. dead: records that could not be stored "
        "(loggateway dead-letters list).",
        per_period("_field", "failed", "dead"),
        {"failed": parts.LOST, "dead": parts.BAD},
        interval="1h",
    )
    lag = parts.lines(
        "Lag by kind",
        "From the newest record of a run to the run's start.",
        lag_per_period(),
        "s",
        interval="1h",
    )
    seconds = parts.lines("Duration of runs", "The longest, by job.", longest_runs(), "s", interval="1h")
    table = parts.table(
        "Runs",
        "The newest %d. failed: objects; read to dead: records. complete: 1, or 0 when something was kept back or the run "
        "was cut short; empty when it was told to stop." % RUNS_SHOWN,
        newest_runs(),
        {name: name.lstrip("_") for name in RUN_COLUMNS},
        units={"seconds": "s"},
        widths={"time": 180},
    )
    return [
        [(fresh, 6, 6), (ran, 4, 6), (whole, 4, 6), (total, 10, 6)],
        [(objects, 12, 9), (records, 12, 9)],
        [(outcomes, 10, 9), (proof_age, 4, 9), (proof, 10, 9)],
        [(failures, 8, 9), (lag, 8, 9), (seconds, 8, 9)],
        [(table, 24, 10)],
    ]


def board():
    return parts.dashboard(
        "lyve-gateway",
        "Gateway",
        "Whether loggateway runs, keeps up, and loses nothing, from the figures that each run writes.",
        [parts.tag_variable("job", "Job", parts.tag_values("gateway-01", "job"))],
        rows(),
        "now-7d",
    )


# --- alert rules --------------------------------------------------------------------------------------------------

USUAL_DAYS, DAYS_WATCHED = 5, 7


def no_objects():
    """1 for a job that read no object in the last whole hour, though it did at that time on most of the days before."""
    return flux(
        """
        import "date"

        end = date.truncate(t: v.timeRangeStop, unit: 1h)
        hour = date.sub(from: end, d: 1h)

        from(bucket: v.defaultBucket)
          |> range(start: date.sub(from: hour, d: <watched>d), stop: end)
          |> filter(fn: (r) => r["_measurement"] == "gateway-01" and r["kind"] == "all" and r["_field"] == "objects")
          |> aggregateWindow(every: 1h, createEmpty: false, timeSrc: "_start", fn: sum)
          |> filter(fn: (r) => date.hour(t: r._time) == date.hour(t: hour) and r._value > 0)
          |> group(columns: ["job"])
          |> reduce(
              identity: {before: 0, now: 0},
              fn: (r, accumulator) => ({
                  before: accumulator.before + (if r._time < hour then 1 else 0),
                  now: accumulator.now + (if r._time == hour then 1 else 0),
              }),
          )
          |> map(fn: (r) => ({
              job: r["job"],
              _time: end,
              _value: if r["before"] >= <usual> and r["now"] == 0 then 1 else 0,
          }))
          |> group(columns: ["job"])
        """,
        watched=str(DAYS_WATCHED),
        usual=str(USUAL_DAYS),
    )


def failures():
    """The objects that the last run of each job failed to bring home; 1 when it has none, but was not complete either.
    A run that was told to stop says nothing of that, so the one before it speaks."""
    return flux(
        """
        from(bucket: v.defaultBucket)
          |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
          |> filter(fn: (r) => r["_measurement"] == "gateway-01" and r["kind"] == "all" and (<fields>))
          |> last()
          |> map(fn: (r) => ({
              job: r["job"],
              _time: r._time,
              _value: if r["_field"] == "complete" then 1 - r._value else r._value,
          }))
          |> group(columns: ["job"])
          |> max()
        """,
        fields=one_of("failed", "complete"),
    )


def lag_hours():
    """Hours since the newest record that any run of the job has read; a record from the future does not count."""
    return flux(
        """
        from(bucket: v.defaultBucket)
          |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
          |> filter(fn: (r) => r["_measurement"] == "gateway-01" and r["kind"] == "all" and r["_field"] == "newest")
          |> filter(fn: (r) => r._value <= int(v: v.timeRangeStop))
          |> max()
          |> map(fn: (r) => ({job: r["job"], _time: v.timeRangeStop, _value: <age> / 3600.0}))
          |> group(columns: ["job"])
        """,
        age=SECONDS_BEFORE_END % "r._value",
    )


def verify_differences():
    """What the last verify of each job found that is not as it should be."""
    return flux(
        """
        from(bucket: v.defaultBucket)
          |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
          |> filter(fn: (r) =>
              r["_measurement"] == "gateway-01" and r["kind"] == "verify" and r["_field"] == "differences")
          |> last()
          |> map(fn: (r) => ({job: r["job"], _time: r._time, _value: r._value}))
          |> group(columns: ["job"])
        """
    )


def alert(uid, title, query, range_s, above, hold, no_data, summary, description):
    """A rule that fires for each job whose value is above the bound for so long."""
    span = {"from": range_s, "to": 0}
    expression = {"type": "__expr__", "uid": "__expr__"}
    data = [
        {"refId": "A", "datasource": parts.SOURCE, "query": query, "intervalMs": 60000, "maxDataPoints": 1000},
        {"refId": "B", "datasource": expression, "type": "reduce", "expression": "A", "reducer": "last"},
        {
            "refId": "C",
            "datasource": expression,
            "type": "threshold",
            "expression": "B",
            "conditions": [{"evaluator": {"type": "gt", "params": [above]}}],
        },
    ]
    return {
        "uid": uid,
        "title": title,
        "condition": "C",
        "data": [
            {
                "refId": model["refId"],
                "relativeTimeRange": span,
                "datasourceUid": model["datasource"]["uid"],
                "model": model,
            }
            for model in data
        ],
        "for": hold,
        "noDataState": no_data,
        "execErrState": "Error",
        "annotations": {"summary": summary, "description": description},
        "labels": {"service": "loggateway"},
        "isPaused": False,
    }


def alerts():
    """The provisioning file of the rules. No text may hold a dollar sign: Grafana would look for a variable there."""
    rules = [
        alert(
            "loggateway-no-objects",
            "No objects in an hour that usually has some",
            no_objects(),
            (DAYS_WATCHED + 1) * DAY_S,
            0,
            "15m",
            "OK",
            "Job {{ .Labels.job }} read no log object in the last hour",
            "At this time of day it did on %d or more of the %d days before. Look at loggateway status: is it running, "
            "does it reach the bucket, are audit logs still switched on?" % (USUAL_DAYS, DAYS_WATCHED),
        ),
        alert(
            "loggateway-failed",
            "Failed runs and objects",
            failures(),
            DAY_S,
            0,
            "0s",
            "OK",
            "The last run of job {{ .Labels.job }} was not complete",
            "It could not list, was cut short, left objects unread, or met damaged objects or folders that nobody reads. "
            "The next run tries again. The reasons are in the log of the run and in loggateway status.",
        ),
        alert(
            "loggateway-behind",
            "Behind",
            lag_hours(),
            7 * DAY_S,
            LAG_ERROR_S // HOUR_S,
            "30m",
            "NoData",
            "The newest record of job {{ .Labels.job }} is more than %d hours old" % (LAG_ERROR_S // HOUR_S),
            "Either nothing is delivered, or the gateway does not run or cannot keep up: see the dashboard Gateway.",
        ),
        alert(
            "loggateway-verify",
            "Verify found differences",
            verify_differences(),
            VERIFY_DAYS * DAY_S,
            0,
            "0s",
            "OK",
            "The last loggateway verify of job {{ .Labels.job }} found differences",
            "Objects are missing, or the bucket does not hold what was stored. loggateway verify names them. The alert "
            "ends with a verify --publish that finds none.",
        ),
    ]
    group = {"orgId": 1, "name": "loggateway", "folder": "Lyve Cloud", "interval": "5m", "rules": rules}
    return {"apiVersion": 1, "groups": [group]}
