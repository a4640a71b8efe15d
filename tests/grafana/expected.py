"""The numbers that the dashboards must show, computed in plain Python from the points of lib/expect.py.

A series panel gives {series: {ns: value}}, a table the rows it must have. `chosen` says what the variables are, as
source.py has them.
"""

import json

from grafana.source import ALL
from lib.expect import SECOND

DAY, HOUR = 86400 * SECOND, 3600 * SECOND
NAME, BUCKET, STATUS = "auditEntry.api.name", "auditEntry.api.bucket", "auditEntry.api.statusCode"
RESPONSE = "auditEntry.api.timeToResponse"
SIGN_IN_FAILURES = ("f", "fp", "fu", "limit_wc", "limit_mu", "limit_sul", "pwd_leak")


class Point:
    def __init__(self, key, fields):
        self.measurement, series, self.time_ns = key
        self.tags = dict(series)
        self.fields = fields

    def tag(self, name):
        return self.tags.get(name, "")


def within(points, measurement, start, stop):
    """The points of a measurement from start to before stop, oldest first."""
    all_points = (Point(key, fields) for key, fields in points.items())
    found = [one for one in all_points if one.measurement == measurement and start <= one.time_ns < stop]
    return sorted(found, key=lambda one: one.time_ns)


def allowed(chosen, value):
    return chosen == ALL or value in chosen


def windows(items, start, width, merge):
    """items: (name, ns, value); {name: {beginning of the window: merge([values])}}; the first window may be cut."""
    gathered = {}
    for name, time_ns, value in items:
        begin = max(time_ns // width * width, start)
        gathered.setdefault(name, {}).setdefault(begin, []).append(value)
    return {name: {begin: merge(values) for begin, values in row.items()} for name, row in gathered.items()}


def mean(values):
    return sum(values) / len(values)


def tag_values(points, measurement, names, start, stop):
    found = {one.tags[name] for one in within(points, measurement, start, stop) for name in names if name in one.tags}
    return sorted(found)


# --- Lyve Cloud audit -----------------------------------------------------------------------------------------------


class Audit:
    def __init__(self, points, chosen, start, stop):
        self.start = start
        self.original = chosen["figures"] == "original"
        self.selected = [one for one in within(points, "audit-01", start, stop) if self.is_selected(one, chosen)]
        self.with_bucket = [one for one in self.selected if one.tag(BUCKET)]

    def is_selected(self, one, chosen):
        places = (("bucket", BUCKET), ("api", NAME), ("account", "serviceAccountName"))
        error = one.tag(STATUS)[:1] in ("4", "5")
        return all(allowed(chosen[name], one.tag(tag)) for name, tag in places) and (chosen["calls"] == ".*" or error)

    def times(self, by, merge, keep=lambda one: True):
        chosen = (one for one in self.with_bucket if RESPONSE in one.fields and keep(one))
        return windows(((one.tag(by), one.time_ns, one.fields[RESPONSE] / 1e6) for one in chosen), self.start, DAY, merge)

    def counts(self, keep=lambda one: True):
        return windows(((one.tag(BUCKET), one.time_ns, 1) for one in self.with_bucket if keep(one)), self.start, DAY, sum)

    def is_error(self, one):
        return one.tag(STATUS) != "200" if self.original else 400 <= int(one.tag(STATUS) or 0) < 600

    def panels(self):
        return {
            "Average response time by API per day": self.times(NAME, mean),
            "CompleteMultipartUpload time to response by bucket": self.times(
                BUCKET, mean, lambda one: one.tag(NAME) == "CompleteMultipartUpload"
            ),
            "Error count by bucket per day": self.counts(self.is_error),
            "API calls by bucket per day": self.counts(),
            "Total API calls by bucket": self.counts(),
            "Max API response time": self.times(NAME, mean if self.original else max),
        }

    def tables(self):
        rows = []
        for one in reversed(self.selected[-200:]):
            row = {"_time": one.time_ns, "message": one.fields["message"], RESPONSE: one.fields.get(RESPONSE)}
            rows.append({**row, **one.tags})
        return {"Records": rows}


# --- Console and IAM activity ---------------------------------------------------------------------------------------


def sign_in_outcome(one):
    """ok, failed, or None for what is no sign-in; from the whole record, not by searching its text."""
    record = json.loads(one.fields["message"])
    kind = record.get("content", record)["type"]
    return "ok" if kind == "s" else "failed" if kind in SIGN_IN_FAILURES else None


def by_outcome(items, *names):
    """One row for each group of (point, outcome)."""
    rows = {}
    for one, outcome in items:
        row = rows.setdefault(tuple(one.tag(name) for name in names), {"ok": 0, "failed": 0})
        row[outcome] += 1
    return [{**{name: value for name, value in zip(names, key) if value}, **row} for key, row in rows.items()]


class Activity:
    def __init__(self, points, chosen, start, stop):
        self.start = start
        self.failed_only = chosen["outcome"] == "failed"
        console = within(points, "console-01", start, stop)
        console = [one for one in console if allowed(chosen["user"], one.tag("UserIdentity.UserName"))]
        logins = [one for one in console if one.tag("ConsoleEvent.Eventname") == "login"]
        self.changes = [one for one in console if one.tag("ConsoleEvent.Eventname") != "login"]
        self.logins = [
            (one, "failed" if one.fields["StatusCode"] else "ok") for one in logins if "StatusCode" in one.fields
        ]
        iam = within(points, "iam-01", start, stop)
        iam = [one for one in iam if allowed(chosen["user"], one.tag("content.user_name"))]
        self.sign_ins = [(one, sign_in_outcome(one)) for one in iam if sign_in_outcome(one)]
        self.api = within(points, "api-01", start, stop)

    def per_day(self, items):
        return windows(((name, one.time_ns, 1) for one, name in items), self.start, DAY, sum)

    def panels(self):
        return {
            "Console logins per day": self.per_day(self.logins),
            "Sign-ins per day": self.per_day(self.sign_ins),
            "Console events per day": self.per_day((one, one.tag("ConsoleEvent.Eventname")) for one in self.changes),
            "API events per day": self.per_day((one, one.tag("ApiEvent.EventName")) for one in self.api),
        }

    def newest(self, points, has_failed, field):
        kept = [one for one in points if has_failed(one) or not self.failed_only]
        rows = []
        for one in reversed(kept[-200:]):
            row = {"_time": one.time_ns, "message": one.fields["message"], field: one.fields.get(field)}
            rows.append({**row, **one.tags})
        return rows

    def tables(self):
        identity = "UserIdentity.UserName", "UserIdentity.Role", "UserIdentity.IPAddress"
        code, error = "ApiEvent.Response.ResponseCode", "ApiEvent.Response.ResponseError"
        return {
            "Console logins by user, role and address": by_outcome(self.logins, *identity),
            "Sign-ins by user, client and address": by_outcome(
                self.sign_ins, "content.user_name", "content.client_name", "content.ip"
            ),
            "Who changed what": self.newest(
                self.changes, lambda one: one.fields.get("StatusCode", 0) != 0, "StatusCode"
            ),
            "API events": self.newest(self.api, lambda one: int(one.tag(code)) >= 400, error),
        }


# --- Gateway --------------------------------------------------------------------------------------------------------


class Run:
    """One run's figures: what gateway-01 must hold for it. kinds: {kind: {figure: number}}, "all" among them."""

    def __init__(self, job, start_ns, kinds):
        self.job = job
        self.start_ns = start_ns
        self.kinds = kinds

    @property
    def all(self):
        return self.kinds["all"]

    def parsers(self):
        return [(kind, figures) for kind, figures in self.kinds.items() if kind != "all"]


class Proof:
    """What one `verify --publish` writes for a job."""

    def __init__(self, job, start_ns, figures):
        self.job = job
        self.start_ns = start_ns
        self.kinds = {"verify": figures}

    @property
    def figures(self):
        return self.kinds["verify"]


class Gateway:
    def __init__(self, runs, chosen, start, stop, period_s, proofs=()):
        self.last_proofs = {}
        for proof in sorted(proofs, key=lambda proof: proof.start_ns):
            if allowed(chosen["job"], proof.job) and stop - 30 * DAY <= proof.start_ns < stop:
                self.last_proofs[proof.job] = proof
        self.runs = sorted(
            (run for run in runs if allowed(chosen["job"], run.job) and start <= run.start_ns < stop),
            key=lambda run: run.start_ns,
        )
        self.start, self.stop, self.period = start, stop, period_s * SECOND

    def per_period(self, items, merge=sum):
        return windows(items, self.start, self.period, merge)

    def of_all(self, *figures):
        items = ((figure, run.start_ns, run.all[figure]) for run in self.runs for figure in figures)
        return self.per_period(items)

    def age(self, time_ns):
        return {self.stop: (self.stop - time_ns) / SECOND}

    def newest(self):
        rows = [(run, kind, row["newest"]) for run in self.runs for kind, row in run.parsers() if "newest" in row]
        return rows

    def objects(self):
        """Sums of what ended, and what the last run of each job in a period left."""
        ended = {"settled": lambda row: row["objects"] - row["failed"] - row["quarantined"]}
        ended["failed"], ended["quarantined"] = (lambda row: row["failed"]), (lambda row: row["quarantined"])
        found = self.per_period((name, run.start_ns, figure(run.all)) for name, figure in ended.items() for run in self.runs)
        for name in ("unmatched", "waiting"):
            by_job = self.per_period((((name, run.job), run.start_ns, run.all[name]) for run in self.runs), lambda values: values[-1])
            for row in by_job.values():
                for begin, value in row.items():
                    found.setdefault(name, {}).setdefault(begin, 0)
                    found[name][begin] += value
        return found

    def records(self):
        outcomes = ("stored", "duplicate", "expired", "dead")
        sums = {name: sum(run.all[name] for run in self.runs) for name in ("read", *outcomes)}
        sums["unexplained"] = sums["read"] - sum(sums[name] for name in outcomes)
        return {name: {self.stop: value} for name, value in sums.items()}

    def panels(self):
        newest, last = {}, {}
        for _, kind, time_ns in self.newest():
            newest[kind] = max(time_ns, newest.get(kind, time_ns))
        for run in self.runs:
            last[run.job] = run.start_ns
        outcomes = ("stored", "duplicate", "expired", "dead")
        return {
            "Age of the newest record": {kind: self.age(time_ns) for kind, time_ns in newest.items()},
            "Since the last run": {job: self.age(time_ns) for job, time_ns in last.items()},
            "Last run": {run.job: {self.stop: run.all["complete"]} for run in self.runs if "complete" in run.all},
            "Since the last verify": {job: self.age(proof.start_ns) for job, proof in self.last_proofs.items()},
            "Records: read = stored + duplicate + expired + dead": self.records(),
            "Objects: settled, failed, quarantined, unmatched, waiting": self.objects(),
            "Objects by job": self.per_period((run.job, run.start_ns, run.all["objects"]) for run in self.runs),
            "Records by outcome": self.of_all(*outcomes),
            "Failed objects and dead letters": self.of_all("failed", "dead"),
            "Lag by kind": self.per_period(
                ((kind, run.start_ns, (run.start_ns - time_ns) / SECOND) for run, kind, time_ns in self.newest()), max
            ),
            "Duration of runs": self.per_period(((run.job, run.start_ns, run.all["seconds"]) for run in self.runs), max),
        }

    def tables(self):
        rows = []
        for run in reversed(self.runs[-100:]):
            figures = {name: value for name, value in run.all.items() if name != "newest"}
            rows.append({"_time": run.start_ns, "job": run.job, **figures})
        proofs = [{"_time": one.start_ns, "job": one.job, **one.figures} for one in self.last_proofs.values()]
        return {"Runs": rows, "Last verify": proofs}
