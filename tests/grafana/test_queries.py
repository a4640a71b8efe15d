"""Every query of every panel, variable and alert rule, run by a real InfluxDB that the gateway filled, against plain
Python."""

import datetime
import json
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import generate  # noqa: E402
from grafana import expected, source  # noqa: E402
from grafana.source import ALL  # noqa: E402
from lib import expect  # noqa: E402
from lib.harness import Case, seconds_of  # noqa: E402
from servers import real  # noqa: E402

SECOND, HOUR, DAY = expect.SECOND, expected.HOUR, expected.DAY
START = seconds_of("2026-01-20T00:00:00") * SECOND
DAYS = 20
KINDS = {"audit-01": "lyve_s3", "console-01": "lyve_console", "iam-01": "lyve_iam", "api-01": "lyve_api"}
SERIES_PANELS = ("timeseries", "piechart", "bargauge", "stat")


def setUpModule():
    if not real.PRESENT:
        raise unittest.SkipTest("no servers in %s: run scripts/servers" % real.FOLDER)


class Panels(Case):
    """Compares a dashboard, panel by panel."""

    def compare_series(self, found, wanted, name):
        self.assertEqual(
            {key: sorted(row) for key, row in found.items()}, {key: sorted(row) for key, row in wanted.items()}, name
        )
        for key, row in wanted.items():
            for time_ns, value in row.items():
                self.assertAlmostEqual(found[key][time_ns], value, delta=abs(value) * 1e-9, msg="%s %s" % (name, key))

    def compare_tables(self, found, wanted, name):
        """Times descend, or failures do; rows that are equal in that may stand in any order."""
        rows = []
        for row in found:
            row = {key: value for key, value in row.items() if key not in ("result", "table") and value not in (None, "")}
            if "_time" in row:
                row["_time"] = real.nanoseconds(row["_time"])
            rows.append(row)
        wanted = [{key: value for key, value in row.items() if value is not None} for row in wanted]
        order = [row.get("_time", row.get("failed")) for row in rows]
        self.assertEqual(order, sorted(order, reverse=True), name)
        text = lambda row: sorted((key, str(value)) for key, value in row.items())  # noqa: E731
        self.assertEqual(sorted(map(text, rows)), sorted(map(text, wanted)), name)

    def compare_board(self, uid, view, chosen, wanted):
        """Every panel; none without an expectation, no expectation without a panel."""
        one = source.board(uid)
        found = {**wanted.panels(), **wanted.tables()}
        self.assertEqual(sorted(panel["title"] for panel in one["panels"]), sorted(found))
        for panel in one["panels"]:
            self.assertEqual(len(panel["targets"]), 1)
            rows = view.rows(source.fill_in(one, panel["targets"][0]["query"], chosen))
            title = "%s: %s %s" % (uid, panel["title"], chosen)
            if panel["type"] in SERIES_PANELS:
                self.compare_series(source.series(rows), found[panel["title"]], title)
            else:
                self.assertEqual(panel["type"], "table")
                self.compare_tables(rows, found[panel["title"]], title)

    def compare_variables(self, uid, view, wanted):
        """The query variables offer these values; all others have their values in the dashboard."""
        for variable in source.board(uid)["templating"]["list"]:
            if variable["type"] == "custom":
                continue
            rows = view.rows(variable["query"]["query"])
            self.assertEqual(sorted(row["_value"] for row in rows), wanted.pop(variable["name"]), variable["name"])
        self.assertEqual(wanted, {})


class Filled(Panels):
    """One bucket, filled once by the gateway from generated logs."""

    @classmethod
    def setUpClass(cls):
        cls.influx = real.Influx()
        cls.addClassCleanup(cls.influx.stop)
        cls.s3 = real.S3()
        cls.addClassCleanup(cls.s3.stop)
        first = datetime.date(2026, 1, 20)
        cls.made = list(generate.objects(seed=66, start=first, days=DAYS, objects_per_kind=10, records=80, bad=12))
        cls.wanted = expect.expect_generated(cls.made)
        cls.s3.make_bucket("logs")
        for one in cls.made:
            cls.s3.put_object("logs", one)
        cls.influx.make_bucket("lyve-logs")
        cls.view = source.View(cls.influx, "lyve-logs", START, START + (DAYS + 2) * DAY)
        cls.result = None

    def configure(self, bucket, **options):
        stanza = {"endpoint_url": self.s3.url, "log_bucket": "logs", "access_key": real.KEY_ID}
        stanza.update({"secret_key": real.SECRET, "region": real.REGION, **options})
        sink = {"host": self.influx.url, "token": real.ADMIN_TOKEN, "org": real.ORG, "bucket": bucket}
        self.write_config({"lyvecloud": stanza, "datasources": ["influxdb"], "influxdb": sink, "state": self.state_path})

    def setUp(self):
        """The first test fills the bucket."""
        super().setUp()
        if not self.result:
            self.configure("lyve-logs")
            type(self).before = time.time_ns()
            type(self).result = self.pull()
            type(self).after = time.time_ns()
            self.assert_figures(self.result, **self.wanted.figures(), objects=len(self.made))


class Audit(Filled):
    def check(self, start=None, stop=None, **changes):
        view = source.View(self.influx, "lyve-logs", start or self.view.start, stop or self.view.stop)
        chosen = {**source.defaults(source.board("lyve-audit")), **changes}
        wanted = expected.Audit(self.wanted.points, chosen, view.start, view.stop)
        self.compare_board("lyve-audit", view, chosen, wanted)
        return wanted

    def test_as_it_opens(self):
        wanted = self.check()
        self.assertGreater(len(wanted.selected), 700)
        for name, rows in wanted.panels().items():
            self.assertGreater(sum(len(row) for row in rows.values()), 12, name)

    def test_the_figures_of_the_sample_gateway(self):
        """The panels that have another figure have it, and it is that of the sample's own queries."""
        right = expected.Audit(self.wanted.points, source.defaults(source.board("lyve-audit")), START, self.view.stop)
        wanted = self.check(figures="original")
        numbers = expect.dashboard_numbers(self.wanted.points)
        for title, name in (("Error count by bucket per day", "errors by bucket"), ("Max API response time", "longest response time")):
            self.assertNotEqual(wanted.panels()[title], right.panels()[title])
            theirs = {}
            for (group, day_end), value in numbers[name].items():
                theirs.setdefault(group, {})[day_end - DAY] = value
            self.compare_series(wanted.panels()[title], theirs, title)

    def test_some_buckets_and_errors_only(self):
        wanted = self.check(bucket=["orders", "web.assets"], calls="[45].*")
        self.assertGreater(len(wanted.selected), 5)

    def test_one_api(self):
        self.assertGreater(len(self.check(api=["GetObject"]).selected), 50)

    def test_names_that_mean_something_to_a_regular_expression(self):
        names = ["back\\slash\\name", 'say "hi"', "svc web, eu=1", "größe ü 東京 🚚"]
        self.assertGreater(len(self.check(account=names).selected), 50)
        for name in names:
            self.assertGreater(len(self.check(account=[name]).selected), 5)

    def test_a_range_that_begins_and_ends_within_days(self):
        start = START + 4 * DAY + 2 * HOUR + 123456789
        wanted = self.check(start=start, stop=start + 6 * DAY + 7 * HOUR)
        self.assertGreater(len(wanted.selected), 50)

    def test_a_range_without_data(self):
        self.assertEqual(self.check(start=START - 9 * DAY, stop=START - 8 * DAY).selected, [])

    def test_an_address_kept_as_a_field_is_in_the_table_of_records(self):
        address = "auditEntry.requestHeader.X-Real-Ip"
        self.influx.make_bucket("fields")
        self.configure("fields", fields=[address])
        self.pull()
        one = source.board("lyve-audit")
        query = [panel for panel in one["panels"] if panel["title"] == "Records"][0]["targets"][0]["query"]
        view = source.View(self.influx, "fields", self.view.start, self.view.stop)
        rows = view.rows(source.fill_in(one, query, source.defaults(one)))
        self.assertEqual(len(rows), 200)
        found = {row["message"]: row.get(address) for row in rows}
        for text, shown in found.items():
            headers = json.loads(text)["auditEntry"]["requestHeader"]
            self.assertEqual(shown or None, headers.get("X-Real-Ip"), text)

    def test_variables(self):
        wanted = {}
        tags = {"bucket": expected.BUCKET, "api": expected.NAME, "account": "serviceAccountName"}
        for name, tag in tags.items():
            wanted[name] = expected.tag_values(self.wanted.points, "audit-01", [tag], self.view.start, self.view.stop)
            self.assertGreater(len(wanted[name]), 4)
        self.compare_variables("lyve-audit", self.view, wanted)


class Activity(Filled):
    def check(self, **changes):
        chosen = {**source.defaults(source.board("lyve-activity")), **changes}
        wanted = expected.Activity(self.wanted.points, chosen, self.view.start, self.view.stop)
        self.compare_board("lyve-activity", self.view, chosen, wanted)
        return wanted

    def test_as_it_opens(self):
        wanted = self.check()
        for name, rows in {**wanted.panels(), **wanted.tables()}.items():
            self.assertGreater(len(rows), 1, name)
        self.assertEqual({outcome for _, outcome in wanted.logins + wanted.sign_ins}, {"ok", "failed"})

    def test_failures_only(self):
        wanted = self.check(outcome="failed")
        for name in ("Who changed what", "API events"):
            self.assertGreater(len(wanted.tables()[name]), 20, name)

    def test_one_user(self):
        wanted = self.check(user=["ada@example.com"])
        self.assertGreater(len(wanted.logins), 10)
        self.assertGreater(len(wanted.sign_ins), 10)

    def test_variables(self):
        points, start, stop = self.wanted.points, self.view.start, self.view.stop
        users = set(expected.tag_values(points, "console-01", ["UserIdentity.UserName"], start, stop))
        users |= set(expected.tag_values(points, "iam-01", ["content.user_name"], start, stop))
        self.assertEqual(len(users), 4)
        self.compare_variables("lyve-activity", self.view, {"user": sorted(users)})


class GatewayOfARun(Filled):
    def test_the_figures_that_the_gateway_writes(self):
        """The dashboard shows what the records say a run must have counted."""
        view = source.View(self.influx, "lyve-logs", self.before - HOUR, time.time_ns())
        rows = view.rows(source.fill_in(source.board("lyve-gateway"), self.runs_query(), {"job": ALL}))
        self.assertEqual(len(rows), 1)
        start_ns = real.nanoseconds(rows[0]["_time"])
        self.assertTrue(self.before <= start_ns <= self.after)
        seconds = rows[0]["seconds"]
        self.assertTrue(0 <= seconds <= (self.after - self.before) // SECOND)
        none = dict.fromkeys(("failed", "quarantined", "unmatched", "waiting"), 0)
        total = {**self.wanted.figures(), **none, "objects": len(self.made), "complete": 1, "seconds": seconds}
        run = expected.Run("lyvecloud", start_ns, {"all": total, **self.newest_of_kinds()})
        wanted = expected.Gateway([run], {"job": ALL}, view.start, view.stop, view.period_s)
        self.compare_board("lyve-gateway", view, {"job": ALL}, wanted)
        self.check_the_proof(run)

    def check_the_proof(self, run):
        before = time.time_ns()
        result = self.run_program("verify", "--publish", "--json")
        self.assertEqual(result.code, 0, str(result))
        view = source.View(self.influx, "lyve-logs", self.before - HOUR, time.time_ns())
        stored = len(self.wanted.points)
        figures = {"listed": len(self.made), "lost": 0, "waiting": 0, "unmatched": 0, "stored": stored, "counted": stored, "differences": 0}
        rows = view.rows('from(bucket: v.defaultBucket) |> range(start: v.timeRangeStart) |> filter(fn: (r) => r["kind"] == "verify" and r["_field"] == "lost")')
        self.assertEqual(len(rows), 1)
        proof = expected.Proof("lyvecloud", real.nanoseconds(rows[0]["_time"]), figures)
        self.assertTrue(before <= proof.start_ns <= view.stop)
        wanted = expected.Gateway([run], {"job": ALL}, view.start, view.stop, view.period_s, [proof])
        self.compare_board("lyve-gateway", view, {"job": ALL}, wanted)

    def runs_query(self):
        one = source.board("lyve-gateway")
        return [panel for panel in one["panels"] if panel["title"] == "Runs"][0]["targets"][0]["query"]

    def newest_of_kinds(self):
        newest = {}
        for measurement, _, time_ns in self.wanted.points:
            row = newest.setdefault(KINDS[measurement], {"newest": time_ns})
            row["newest"] = max(row["newest"], time_ns)
        self.assertEqual(set(newest), set(KINDS.values()))
        return newest


def line(run):
    """A run as line protocol, field by field as the gateway writes it."""
    texts = []
    for kind, figures in run.kinds.items():
        fields = ",".join("%s=%di" % pair for pair in figures.items())
        texts.append("gateway-01,job=%s,kind=%s %s %d" % (run.job, kind, fields, run.start_ns))
    return "\n".join(texts)


def figures(number, newest=None, failed=0, complete=None):
    """Figures of a run that all differ, and differ from run to run."""
    names = ("read", "stored", "duplicate", "expired", "dead", "seconds", "quarantined", "unmatched", "waiting", "objects")
    row = {name: number * (place + 1) for place, name in enumerate(names)}
    row["failed"] = failed
    if newest is not None:
        row["newest"] = newest
    if complete is not None:
        row["complete"] = complete
    return row


class Written(Panels):
    """Buckets that hold the runs a test makes up."""

    @classmethod
    def setUpClass(cls):
        cls.influx = real.Influx()
        cls.addClassCleanup(cls.influx.stop)

    def fill(self, runs):
        bucket = "runs-" + self.id().rpartition(".")[2]
        self.influx.make_bucket(bucket)
        body = "\n".join(line(run) for run in runs).encode()
        path = "/api/v2/write?org=%s&bucket=%s" % (real.ORG, bucket)
        headers = {"Authorization": "Token " + real.ADMIN_TOKEN}
        self.assertEqual(real.request(self.influx.port, "POST", path, body, headers)[0], 204)
        return bucket


class Gateway(Written):
    def test_many_runs_of_two_jobs(self):
        runs = []
        for hour in range(130):
            start_ns = START + hour * HOUR + 17 * SECOND
            complete = (1, None, 0, 1)[hour % 4]  # the last one, of hour 129, says nothing; the one before: 1
            kinds = {"all": figures(hour, start_ns - hour * SECOND, complete=complete), "lyve_s3": figures(hour, start_ns - hour * SECOND)}
            runs.append(expected.Run("audit", start_ns, kinds))
            if hour % 3 == 0:
                kinds = {"all": figures(0, failed=hour % 2, complete=1 - hour % 2)}
                if hour % 2:
                    kinds["lyve_iam"] = figures(1, START - DAY)
                runs.append(expected.Run("iam.only", start_ns + 60 * SECOND, kinds))
        proofs = []
        for job, hours in (("audit", (-600, 5, 80, 200)), ("iam.only", (3, 90)), ("long-ago", (-721,))):
            for hour in hours:
                names = ("listed", "lost", "waiting", "unmatched", "stored", "counted", "differences")
                row = {name: (hour + 1000) * (place + 1) for place, name in enumerate(names)}
                if hour == 90:
                    del row["listed"], row["lost"]  # the source was left out
                proofs.append(expected.Proof(job, START + hour * HOUR + 5 * SECOND, row))
        bucket = self.fill(runs + proofs)
        for chosen in (ALL, ["audit"], ["iam.only"], ["audit", "iam.only"]):
            for period_s in (3600, 6 * 3600):
                view = source.View(self.influx, bucket, START + 2 * HOUR, START + 140 * HOUR, period_s)
                wanted = expected.Gateway(runs, {"job": chosen}, view.start, view.stop, period_s, proofs)
                self.compare_board("lyve-gateway", view, {"job": chosen}, wanted)
        self.compare_variables("lyve-gateway", view, {"job": ["audit", "iam.only"]})


class Alerts(Written):
    NOW = START + 10 * DAY + 14 * HOUR + 5 * 60 * SECOND  # 14:05; the last whole hour began at 13:00

    def rule(self, uid):
        found = [one for one in source.rules() if one["uid"] == uid]
        self.assertEqual(len(found), 1)
        return found[0]

    def run_at(self, job, hours, objects=3, failed=0, newest=None, complete=None):
        """A run that began so many hours before 13:10."""
        row = {"objects": objects, "read": 0, "stored": 0, "duplicate": 0, "expired": 0, "dead": 0, "failed": failed, "seconds": 1}
        if newest is not None:
            row["newest"] = newest
        if complete is not None:
            row["complete"] = complete
        return expected.Run(job, self.NOW - 55 * 60 * SECOND - int(hours * HOUR), {"all": row})

    def days(self, job, *days, **more):
        return [self.run_at(job, 24 * day, **more) for day in days]

    def test_rules(self):
        self.assertEqual([one["uid"] for one in source.rules()], ["loggateway-no-objects", "loggateway-failed", "loggateway-behind", "loggateway-verify"])

    def test_no_objects(self):
        runs = self.days("usual", 1, 2, 3, 4, 5)
        runs += self.days("read-nothing", 1, 2, 3, 5, 7) + self.days("read-nothing", 0, objects=0)
        runs += self.days("well", 0, 1, 2, 3, 4, 5, 6, 7)
        runs += self.days("twice-in-the-hour", 1, 2, 3, 4, 5) + [self.run_at("twice-in-the-hour", 0, objects=0), self.run_at("twice-in-the-hour", -0.5)]
        runs += self.days("seldom", 1, 2, 3, 4) + self.days("long-ago", 1, 2, 3, 4, 8, 9)
        runs += self.days("often-nothing", 1, 2, 3, 4) + self.days("often-nothing", 5, 6, 7, objects=0)
        runs += [self.run_at("other-hour", 24 * day + 1) for day in range(1, 8)]
        runs += [self.run_at("four-days-many-runs", 24 * day + part) for day in range(1, 5) for part in (0, 0.05, -0.5)]
        bucket = self.fill(runs)
        rule = self.rule("loggateway-no-objects")
        self.assertEqual(source.firing(rule, self.influx, bucket, self.NOW), {"usual", "read-nothing"})
        late = self.NOW + 54 * 60 * SECOND  # 14:59: still about the hour from 13:00
        self.assertEqual(source.firing(rule, self.influx, bucket, late), {"usual", "read-nothing"})
        self.assertIsNone(source.firing(rule, self.influx, bucket, self.NOW + 9 * HOUR))
        self.assertEqual(rule["noDataState"], "OK")

    def test_failed(self):
        runs = [self.run_at("now", 5), self.run_at("now", 0, failed=2), self.run_at("over", 1, failed=2), self.run_at("over", 0)]
        runs += [self.run_at("both", 5, complete=1), self.run_at("both", 0, failed=2, complete=0)]
        runs += [self.run_at("could-not-list", 1, complete=1), self.run_at("could-not-list", 0, objects=0, complete=0)]
        runs += [self.run_at("listed-again", 1, objects=0, complete=0), self.run_at("listed-again", 0, complete=1)]
        runs += [self.run_at("told-to-stop", 1, complete=1), self.run_at("told-to-stop", 0)]
        runs += [self.run_at("told-to-stop-after-a-bad-one", 1, objects=0, complete=0), self.run_at("told-to-stop-after-a-bad-one", 0)]
        runs += [self.run_at("first-told-to-stop", 0), self.run_at("before-yesterday", 25, complete=0)]
        bucket = self.fill(runs)
        rule = self.rule("loggateway-failed")
        self.assertEqual(source.firing(rule, self.influx, bucket, self.NOW), {"now", "both", "could-not-list", "told-to-stop-after-a-bad-one"})
        self.assertEqual(source.firing(rule, self.influx, bucket, self.NOW - HOUR), {"over", "listed-again", "told-to-stop-after-a-bad-one"})
        self.assertIsNone(source.firing(rule, self.influx, bucket, self.NOW + 3 * DAY))
        self.assertEqual(rule["noDataState"], "OK")

    def test_behind(self):
        runs = [
            self.run_at("old", 1, newest=self.NOW - 7 * HOUR),
            self.run_at("fresh", 0, newest=self.NOW - 5 * HOUR),
            self.run_at("backfill-in-between", 2, newest=self.NOW - 2 * HOUR),
            self.run_at("backfill-in-between", 1, newest=self.NOW - 100 * DAY),
            self.run_at("from-the-future", 1, newest=self.NOW + DAY),
            self.run_at("from-the-future", 9, newest=self.NOW - 10 * HOUR),
            self.run_at("nothing-new", 0),
            self.run_at("nothing-new", 8, newest=self.NOW - 9 * HOUR),
        ]
        bucket = self.fill(runs)
        rule = self.rule("loggateway-behind")
        self.assertEqual(source.firing(rule, self.influx, bucket, self.NOW), {"old", "from-the-future", "nothing-new"})
        self.assertEqual(source.firing(rule, self.influx, bucket, self.NOW - HOUR - SECOND), {"from-the-future", "nothing-new"})
        self.assertIsNone(source.firing(rule, self.influx, bucket, self.NOW + 30 * DAY))
        self.assertEqual(rule["noDataState"], "NoData")


    def proof(self, job, days, differences):
        return expected.Proof(job, self.NOW - int(days * DAY), {"listed": 7, "differences": differences})

    def test_verify(self):
        proofs = [self.proof("now", 3, 0), self.proof("now", 1, 2), self.proof("over", 3, 5), self.proof("over", 1, 0), self.proof("long-ago", 31, 1)]
        proofs += [self.run_at("run", 1, failed=4)]
        bucket = self.fill(proofs)
        rule = self.rule("loggateway-verify")
        self.assertEqual(source.firing(rule, self.influx, bucket, self.NOW), {"now"})
        self.assertEqual(source.firing(rule, self.influx, bucket, self.NOW - 2 * DAY), {"over", "long-ago"})
        self.assertIsNone(source.firing(rule, self.influx, bucket, self.NOW + 40 * DAY))
        self.assertEqual(source.firing(self.rule("loggateway-failed"), self.influx, bucket, self.NOW), {"run"})
        self.assertEqual(rule["noDataState"], "OK")


del Panels, Filled, Written  # the bases are no tests


if __name__ == "__main__":
    unittest.main()
