"""The dashboard "Console and IAM activity": who signed in and who failed to, who changed what, the Account API.

A console event has failed when its StatusCode is not 0. The outcome of a sign-in stands in the record's `type`
alone, one of Auth0's codes: it is read from the message, which must not be `none` for that.
"""

import parts
from parts import flux

USER, ROLE, ADDRESS = "UserIdentity.UserName", "UserIdentity.Role", "UserIdentity.IPAddress"
EVENT = "ConsoleEvent.Eventname"
ROWS_SHOWN = 200

CONSOLE = """
from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r["_measurement"] == "console-01" and r["_field"] == "<field>")
  |> filter(fn: (r) => r["UserIdentity.UserName"] =~ /^${user:regex}$/)
""".strip()

LOGINS = 'filter(fn: (r) => r["ConsoleEvent.Eventname"] =~ /(?i)^log-?in$/)'
CHANGES = 'filter(fn: (r) => r["ConsoleEvent.Eventname"] !~ /(?i)^log-?in$/)'
OUTCOME_OF_STATUS = '|> map(fn: (r) => ({r with outcome: if r._value == 0 then "ok" else "failed"}))'

# Auth0: s is a login; f, fp and fu are failed ones (in general, wrong password, unknown user), the others blocked.
SIGN_INS = r"""
from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r["_measurement"] == "iam-01" and r["_field"] == "message")
  |> filter(fn: (r) => r["content.user_name"] =~ /^${user:regex}$/)
  |> filter(fn: (r) => r._value =~ /"(content\.)?type":\s*"(s|f|fp|fu|limit_wc|limit_mu|limit_sul|pwd_leak)"/)
  |> map(fn: (r) => ({r with outcome: if r._value =~ /"(content\.)?type":\s*"s"/ then "ok" else "failed"}))
""".strip()

API = """
from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r["_measurement"] == "api-01")
""".strip()

PER_DAY_BY_OUTCOME = """
  |> group(columns: ["outcome"])
  |> aggregateWindow(<day>, fn: count)
  <series>
""".strip()

# One row for each group, with the number of both outcomes.
BY_OUTCOME = """
  |> group(columns: [<by>])
  |> reduce(
      identity: {ok: 0, failed: 0},
      fn: (r, accumulator) => ({
          ok: accumulator.ok + (if r["outcome"] == "ok" then 1 else 0),
          failed: accumulator.failed + (if r["outcome"] == "failed" then 1 else 0),
      }),
  )
  |> group()
  |> sort(columns: ["failed", "ok"], desc: true)
""".strip()

NEWEST = """
  |> group()
  |> sort(columns: ["_time"], desc: true)
  |> limit(n: <shown>)
  |> drop(columns: ["_start", "_stop", "_measurement"])
""".strip()


def per_day(text, **more):
    """A query that ends with the number of each outcome per day."""
    tail = flux(PER_DAY_BY_OUTCOME, day=parts.DAY, series=parts.series("outcome"))
    return flux(text, tail=tail, **more)


def by_outcome(text, *by, **more):
    return flux(text, tail=flux(BY_OUTCOME, by=", ".join('"%s"' % column for column in by)), **more)


def console(field):
    return flux(CONSOLE, field=field)


CONSOLE_LOGINS = """
    <console>
      |> <logins>
      <outcome>
      <tail>
"""


def console_parts():
    return {"console": console("StatusCode"), "logins": LOGINS, "outcome": OUTCOME_OF_STATUS}


def users():
    return flux(
        """
        import "influxdata/influxdb/schema"

        console = schema.tagValues(
            bucket: v.defaultBucket,
            tag: "UserIdentity.UserName",
            predicate: (r) => r["_measurement"] == "console-01",
            start: v.timeRangeStart,
            stop: v.timeRangeStop,
        )
        iam = schema.tagValues(
            bucket: v.defaultBucket,
            tag: "content.user_name",
            predicate: (r) => r["_measurement"] == "iam-01",
            start: v.timeRangeStart,
            stop: v.timeRangeStop,
        )

        union(tables: [console, iam])
          |> group()
          |> distinct()
          |> sort()
        """
    )


def changes_per_day():
    return flux(
        """
        <console>
          |> <changes>
          |> aggregateWindow(<day>, fn: count)
          |> group(columns: ["ConsoleEvent.Eventname"])
          |> aggregateWindow(<day>, fn: sum)
          <series>
        """,
        console=console("message"),
        changes=CHANGES,
        day=parts.DAY,
        series=parts.series(EVENT),
    )


def changes():
    return flux(
        """
        import "influxdata/influxdb/schema"

        from(bucket: v.defaultBucket)
          |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
          |> filter(fn: (r) => r["_measurement"] == "console-01")
          |> filter(fn: (r) => r["UserIdentity.UserName"] =~ /^${user:regex}$/)
          |> <changes>
          |> schema.fieldsAsCols()
          |> filter(fn: (r) => "${outcome:raw}" == "all" or exists r["StatusCode"] and r["StatusCode"] != 0)
          <newest>
        """,
        changes=CHANGES,
        newest=flux(NEWEST, shown=str(ROWS_SHOWN)),
    )


def api_per_day():
    return flux(
        """
        <api>
          |> filter(fn: (r) => r["_field"] == "message")
          |> aggregateWindow(<day>, fn: count)
          |> group(columns: ["ApiEvent.EventName"])
          |> aggregateWindow(<day>, fn: sum)
          <series>
        """,
        api=API,
        day=parts.DAY,
        series=parts.series("ApiEvent.EventName"),
    )


def api_events():
    return flux(
        """
        import "influxdata/influxdb/schema"

        <api>
          |> filter(fn: (r) => "${outcome:raw}" == "all" or r["ApiEvent.Response.ResponseCode"] =~ /^[45]/)
          |> schema.fieldsAsCols()
          <newest>
        """,
        api=API,
        newest=flux(NEWEST, shown=str(ROWS_SHOWN)),
    )


def variables():
    return [
        parts.tag_variable("user", "User", users()),
        parts.choice_variable(
            "outcome",
            "Tables",
            [("all", "all"), ("failures only", "failed")],
            "Failures only: console events with a status other than 0, API events answered with 400 and above.",
        ),
    ]


CHANGE_COLUMNS = {
    "_time": "time",
    USER: "user",
    ROLE: "role",
    ADDRESS: "address",
    EVENT: "event",
    "StatusCode": "status",
    "message": "record",
}
API_COLUMNS = {
    "_time": "time",
    "ApiEvent.Request.AccountName": "account",
    "ApiEvent.Request.SourceIP": "address",
    "ApiEvent.EventName": "event",
    "ApiEvent.Response.ResponseCode": "status",
    "ApiEvent.Response.ResponseError": "error",
    "message": "record",
}


def login_panels():
    console_logins = parts.bars(
        "Console logins per day",
        "Login events of the console by outcome; an event without a status is in neither.",
        per_day(CONSOLE_LOGINS, **console_parts()),
        parts.OUTCOME_COLOURS,
        stacked=True,
    )
    sign_ins = parts.bars(
        "Sign-ins per day",
        "Logins that the identity provider (IAM) let in or refused.",
        per_day("<sign_ins>\n  <tail>", sign_ins=SIGN_INS),
        parts.OUTCOME_COLOURS,
        stacked=True,
    )
    console_table = parts.table(
        "Console logins by user, role and address",
        "Most failures first.",
        by_outcome(CONSOLE_LOGINS, USER, ROLE, ADDRESS, **console_parts()),
        {USER: "user", ROLE: "role", ADDRESS: "address", "failed": "failed", "ok": "ok"},
    )
    iam_names = ("content.user_name", "content.client_name", "content.ip")
    iam_table = parts.table(
        "Sign-ins by user, client and address",
        "Most failures first. A refused name need not be a user's.",
        by_outcome("<sign_ins>\n  <tail>", *iam_names, sign_ins=SIGN_INS),
        {**dict(zip(iam_names, ("user", "client", "address"))), "failed": "failed", "ok": "ok"},
    )
    return [[(console_logins, 12, 9), (sign_ins, 12, 9)], [(console_table, 12, 10), (iam_table, 12, 10)]]


def event_panels():
    changed = parts.bars(
        "Console events per day", "All but logins.", changes_per_day(), stacked=True
    )
    changed_table = parts.table(
        "Who changed what",
        "The newest %d events of the console but logins." % ROWS_SHOWN,
        changes(),
        CHANGE_COLUMNS,
        widths={"time": 180, "status": 80},
    )
    called = parts.bars(
        "API events per day", "Calls of the Account API, whoever made them.", api_per_day(), stacked=True
    )
    called_table = parts.table(
        "API events",
        "The newest %d calls of the Account API." % ROWS_SHOWN,
        api_events(),
        API_COLUMNS,
        widths={"time": 180, "status": 80},
    )
    return [[(changed, 8, 10), (changed_table, 16, 10)], [(called, 8, 10), (called_table, 16, 10)]]


def board():
    return parts.dashboard(
        "lyve-activity",
        "Console and IAM activity",
        "Who signed in to Lyve Cloud, who failed to, who changed what, and the events of the Account API.",
        variables(),
        login_panels() + event_panels(),
        "now-30d",
    )
