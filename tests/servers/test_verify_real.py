"""`verify` with a real InfluxDB: its answers to the one question, its delete API, its tokens, its retention."""

import collections
import datetime
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import generate  # noqa: E402
from lib import expect  # noqa: E402
from lib.harness import Case, lines  # noqa: E402
from servers import real  # noqa: E402

DAY_NS = 86400 * 10**9


def setUpModule():
    if not real.PRESENT:
        raise unittest.SkipTest("no servers in %s: run scripts/servers" % real.FOLDER)


def date_of(time_ns):
    return str(datetime.date(1970, 1, 1) + datetime.timedelta(time_ns // DAY_NS))


class Buckets(Case):
    parsers = {}

    @classmethod
    def setUpClass(cls):
        cls.influx = real.Influx()
        cls.addClassCleanup(cls.influx.stop)

    def setUp(self):
        super().setUp()
        self.bucket = "of " + self.id().rsplit(".", 1)[-1]

    def fill(self, objects, retention_s=0, **influx):
        """Objects in a folder, moved to a bucket of their own."""
        self.bucket_id = self.influx.make_bucket(self.bucket, retention_s)
        for one in objects:
            path = self.path("input", one.key)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(one.data)
            os.utime(path, (one.delivered_s, one.delivered_s))
        self.configure(**influx)
        self.pull()

    def configure(self, **influx):
        sink = {"host": self.influx.url, "token": real.ADMIN_TOKEN, "org": real.ORG, "bucket": self.bucket.replace("$", "$$")}
        sink.update(influx)
        job = {"name": "lyve", "from": "logs", "to": ["influxdb"], "parse": ["lyve_s3", "lyve_console", "lyve_iam", "lyve_api", *self.parsers]}
        self.write_config({"jobs": [job], "logs": {"type": "file", "path": self.path("input"), "folders": ""}, "influxdb": sink, "state": self.state_path, "parsers": self.parsers})

    def generated(self, **changes):
        arguments = {"seed": 31, "start": datetime.date(2026, 3, 1), "days": 6, "objects_per_kind": 4, "records": 60, "profile": "full"}
        arguments.update(changes)
        return list(generate.objects(**arguments))

    def write(self, lines):
        path = "/api/v2/write?org=%s&bucket=%s" % (real.ORG, self.bucket.replace(" ", "%20").replace('"', "%22"))
        status, answer = real.request(self.influx.port, "POST", path, lines.encode(), {"Authorization": "Token " + real.ADMIN_TOKEN})
        self.assertEqual(status, 204, answer)

    def delete(self, predicate, start="1970-01-01T00:00:00Z", stop="2100-01-01T00:00:00Z"):
        path = "/api/v2/delete?org=%s&bucketID=%s" % (real.ORG, self.bucket_id)
        self.influx.call("POST", path, {"start": start, "stop": stop, "predicate": predicate})

    def days(self, document):
        return {(one["measurement"], one["day"]): (one["stored"], one["counted"]) for one in document["day_differences"]["first"]}


class Verify(Buckets):
    def test_equal_and_every_figure(self):
        made = self.generated()
        wanted = expect.expect_generated(made)
        self.assertEqual(wanted.collisions, 0)
        self.bucket += " ${x}\\"
        self.fill(made)
        counts = collections.Counter(measurement for measurement, _, _ in wanted.points)
        days = {measurement: {date_of(key[2]) for key in wanted.points if key[0] == measurement} for measurement in counts}
        found = {one["name"]: (one["stored"], one["counted"], one["days"]) for one in self.verify()["sinks"][0]["measurements"]}
        self.assertEqual(found, {measurement: (count, count, len(days[measurement])) for measurement, count in counts.items()})
        self.pull("--again")
        self.verify()

    def test_deleted_points(self):
        made = self.generated()
        wanted = expect.expect_generated(made)
        self.fill(made)
        day = collections.Counter(date_of(key[2]) for key in wanted.points if key[0] == "audit-01").most_common(1)[0][0]
        stop = str(datetime.date.fromisoformat(day) + datetime.timedelta(1))
        self.delete('_measurement="audit-01"', day + "T00:00:00Z", stop + "T00:00:00Z")
        lost = sum(1 for key in wanted.points if key[0] == "audit-01" and date_of(key[2]) == day)
        document = self.verify(code=1)
        self.assertEqual(self.days(document), {("audit-01", day): (lost, 0)})
        touching = {key for key in self.keys_with(made, "audit-01", day)}
        first = document["day_differences"]["first"][0]
        self.assertLessEqual(set(first["objects"]), touching)
        self.assertEqual(len(first["objects"]) + first["more_objects"], len(touching))
        self.pull("--again")
        self.verify()

    def keys_with(self, made, measurement, day):
        for one in made:
            points = expect.expect_generated([one]).points
            if any(key[0] == measurement and date_of(key[2]) == day for key in points):
                yield one.key

    def test_foreign_points(self):
        """Series count one by one. The last whole days of InfluxDB's time count; in the hours behind them nothing ends."""
        self.fill(self.generated(days=2))
        lines = ['audit-01,x=a message="" 1', 'audit-01,x=b message="" 1', 'audit-01 message="" 1', 'audit-01 message="" -1']
        lines += ['audit-01 message="" %d' % time_ns for time_ns in (-(2**63) + 2, -106751 * DAY_NS, 106751 * DAY_NS - 1, 2**63 - 2)]
        self.write("\n".join(lines))
        wanted = {"1677-09-22": 1, "1969-12-31": 1, "1970-01-01": 3, "2262-04-10": 1}
        self.assertEqual(self.days(self.verify(code=1)), {("audit-01", day): (0, count) for day, count in wanted.items()})
        self.verify("--from-date", "2026-01-01", "--to-date", "2027-01-01")

    def test_a_token_that_may_not_read(self):
        self.fill(self.generated(days=2))
        self.configure(token=self.influx.make_token(self.bucket_id, ["write"]))
        (sink,) = self.verify(code=1)["sinks"]
        self.assertIs(sink["counted"], False)
        self.assertIn("the token may not read bucket", sink["error"])
        self.configure(token=self.influx.make_token(self.bucket_id, ["read"]))
        self.verify()
        self.configure(org="nobody")
        self.assertIn("nobody", self.verify(code=1)["sinks"][0]["error"])
        self.configure(token="wrong")
        self.assertIn("401", self.verify(code=1)["sinks"][0]["error"])

    def test_a_bucket_that_is_gone(self):
        self.fill(self.generated(days=2))
        self.influx.call("DELETE", "/api/v2/buckets/" + self.bucket_id)
        document = self.verify(code=1)
        self.assertIs(document["sinks"][0]["counted"], True)
        self.assertEqual({counted for _, counted in self.days(document).values()}, {0})

    def test_retention(self):
        """Days that the bucket has meanwhile thrown away, or may have, are not compared."""
        today = datetime.datetime.now(datetime.timezone.utc).date()
        self.fill(self.generated(start=today - datetime.timedelta(40), days=35))
        before = self.verify()["sinks"][0]
        self.influx.call("PATCH", "/api/v2/buckets/" + self.bucket_id, {"retentionRules": [{"type": "expire", "everySeconds": 20 * 86400}]})
        self.delete('_measurement="iam-01"', stop="%sT00:00:00Z" % (today - datetime.timedelta(25)))
        after = self.verify()["sinks"][0]
        self.assertIsNone(before["kept_from"])
        self.assertEqual(after["kept_from"][:10], str(today - datetime.timedelta(20)))
        for one, other in zip(before["measurements"], after["measurements"]):
            self.assertEqual(one["days"], other["days"] + other["days_not_kept"])
            self.assertGreater(other["days_not_kept"], 0)
            self.assertGreater(other["days"], 0)


METER = {
    "record_keys": "meter",
    "measurement": "meter",
    "columns": [{"tag": "room", "path": "meter.room"}, {"int": "volts", "path": "meter.volts"}, {"text": "note", "path": "meter.note"}],
    "time": {"path": "meter.at", "precision": "ns", "format": "epoch"},
}


class NoMessage(Buckets):
    """A parser whose points have no field in common: those of a series are put together."""

    parsers = {"meter": METER}

    def meter(self, at, **values):
        return {"meter": {"at": at, **values}}

    def test_each_point_counts_once(self):
        records = [
            self.meter(1772352001, room="a", volts=1, note="x"),
            self.meter(1772352001, room="b", volts=2),
            self.meter(1772352002, room="a", note="y"),
            self.meter(1772352002, note="no room"),
            self.meter(1772452002, room="a", volts=3, note="z"),
        ]
        self.fill([generate.Object("meter.json", lines(*records), 1772500000, len(records), "s3")])
        document = self.verify()
        found = {one["name"]: (one["stored"], one["counted"], one["days"]) for one in document["sinks"][0]["measurements"]}
        self.assertEqual(found["meter"], (5, 5, 2))
        self.delete('_measurement="meter" AND room="b"')
        self.assertEqual(self.days(self.verify(code=1)), {("meter", "2026-03-01"): (4, 3)})


if __name__ == "__main__":
    unittest.main()
