"""What Grafana does to a dashboard's queries before and after InfluxDB runs them; the tests beside it use it.

Written from the documented behaviour of the InfluxDB data source (Flux): variables are filled in by the browser,
`v.` macros by the backend, as text; a result with _time and _value is a series named by _field. It knows nothing of
these dashboards.
"""

import json
import os
import re

from servers import real

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(ROOT, "doc", "grafana")
BOARDS = ("lyve-audit", "lyve-activity", "lyve-gateway")
ALL = "All"
SECOND = 10**9
BUILTIN = {"result", "table", "_time", "_field", "_value"}


def load(*names):
    with open(os.path.join(FOLDER, *names), encoding="utf-8") as file:
        return json.load(file)


def board(uid):
    return load("dashboards", uid + ".json")


def rules():
    return load("provisioning", "alerting", "loggateway.json")["groups"][0]["rules"]


# --- before ---------------------------------------------------------------------------------------------------------


def escape(value):
    """One value in a regular expression."""
    return re.sub(r"([\\^$*+?.()|\[\]{}/])", r"\\\1", value)


def formatted(variable, chosen, form):
    if chosen == ALL:
        return variable["allValue"]
    if form == "raw":
        return chosen
    if form != "regex":
        raise AssertionError("no such format here: " + form)
    values = [escape(value) for value in chosen]
    return values[0] if len(values) == 1 else "(%s)" % "|".join(values)


def defaults(one):
    """What a dashboard's variables are when it opens."""
    found = {}
    for variable in one["templating"]["list"]:
        value = variable["current"]["value"]
        found[variable["name"]] = ALL if value == ["$__all"] else value
    return found


def fill_in(one, query, chosen):
    """Replaces ${name:format}; chosen: {name: ALL, a list of values, or the value of a choice}."""
    variables = {variable["name"]: variable for variable in one["templating"]["list"]}
    filled = re.sub(
        r"\$\{(\w+):(\w+)\}",
        lambda match: formatted(variables[match.group(1)], chosen[match.group(1)], match.group(2)),
        query,
    )
    if "${" in filled:
        raise AssertionError("a variable without a format: " + query)
    return filled


class View:
    """A bucket, a time range and an interval, as a panel has them. Times are ns since 1970."""

    def __init__(self, influx, bucket, start, stop, period_s=3600):
        self.influx = influx
        self.bucket = bucket
        self.start = start
        self.stop = stop
        self.period_s = period_s

    def value_of(self, word):
        values = {
            "timeRangeStart": rfc3339(self.start),
            "timeRangeStop": rfc3339(self.stop),
            "windowPeriod": "%ds" % self.period_s,
            "bucket": '"%s"' % self.bucket,
            "defaultBucket": '"%s"' % self.bucket,
            "organization": '"%s"' % real.ORG,
        }
        return values.get(word)

    def expand(self, query):
        """The macros. The name before the dot does not count, which is what makes r.bucket dangerous."""
        for found in re.finditer(r"([a-zA-Z]+)\.([a-zA-Z]+)", query):
            value = self.value_of(found.group(2))
            if value is not None:
                query = query.replace(found.group(0), value)
        return query

    def rows(self, query):
        return self.influx.query(self.expand(query))


def rfc3339(time_ns):
    seconds, nanoseconds = divmod(time_ns, SECOND)
    text = real.datetime.datetime.fromtimestamp(seconds, real.datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return "%s.%09dZ" % (text, nanoseconds)


# --- after ----------------------------------------------------------------------------------------------------------


def series(rows):
    """{name: {ns: value}}. A column that is neither of a series nor `_` would be a label, and spoil the legend."""
    found, tables = {}, {}
    for row in rows:
        if set(row) != BUILTIN:
            raise AssertionError("not a series with a name and no labels: %s" % sorted(row))
        name, time_ns = row["_field"], real.nanoseconds(row["_time"])
        if tables.setdefault(name, row["table"]) != row["table"]:
            raise AssertionError("%s: two series of one name" % name)
        points = found.setdefault(name, {})
        if points and max(points) >= time_ns:
            raise AssertionError("%s: not in the order of time" % name)
        points[time_ns] = row["_value"]
    return found


def firing(rule, influx, bucket, now):
    """The jobs for which a rule of three steps (query, last value, threshold) would fire; None: no data."""
    query, last, threshold = [step["model"] for step in rule["data"]]
    if (last["type"], last["reducer"], last["expression"]) != ("reduce", "last", "A"):
        raise AssertionError("another second step: %s" % last)
    evaluator = threshold["conditions"][0]["evaluator"]
    if (threshold["type"], threshold["expression"], evaluator["type"], rule["condition"]) != ("threshold", "B", "gt", "C"):
        raise AssertionError("another third step: %s" % threshold)
    range_s = rule["data"][0]["relativeTimeRange"]["from"]
    rows = View(influx, bucket, now - range_s * SECOND, now, 60).rows(query["query"])
    values = {row["job"]: row["_value"] for row in rows}
    return {job for job, value in values.items() if value > evaluator["params"][0]} if rows else None
