"""The main job against a real S3 server that verifies signatures and a real InfluxDB, point by point."""

import datetime
import os
import random
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import generate  # noqa: E402
from lib import expect  # noqa: E402
from lib.harness import Case, packed, s3_record  # noqa: E402
from servers import dashboard, real  # noqa: E402

KILLS = 20
START, DAYS = datetime.date(2026, 1, 20), 45


def setUpModule():
    if not real.PRESENT:
        raise unittest.SkipTest("no servers in %s: run scripts/servers" % real.FOLDER)


class Servers(Case):
    """One pair of servers for all tests of a class; each test has buckets of its own."""

    @classmethod
    def setUpClass(cls):
        cls.s3 = real.S3()
        cls.addClassCleanup(cls.s3.stop)
        cls.influx = real.Influx()
        cls.addClassCleanup(cls.influx.stop)
        cls.number = 0

    def bucket_pair(self, objects, retention_s=0):
        """A filled S3 bucket and an empty Influx bucket of one name."""
        type(self).number += 1
        name = "bucket-%d" % self.number
        self.s3.make_bucket(name)
        for one in objects:
            self.s3.put_object(name, one)
        self.influx.make_bucket(name, retention_s)
        return name

    def real_config(self, log_bucket, influx_bucket=None, s3=None, influx=None, parsers=None):
        stanza = {"endpoint_url": self.s3.url, "log_bucket": log_bucket, "access_key": real.KEY_ID, "secret_key": real.SECRET, "region": real.REGION}
        sink = {"host": self.influx.url, "token": real.ADMIN_TOKEN, "org": real.ORG, "bucket": influx_bucket or log_bucket}
        stanza.update(s3 or {})
        sink.update(influx or {})
        self.write_config({"lyvecloud": stanza, "datasources": ["influxdb"], "influxdb": sink, "state": self.state_path, "parsers": parsers or {}})


class Dashboard(Servers):
    """The whole promise on 10,000 and more records in 64 objects over three months."""

    def assert_dashboard(self, wanted):
        zone = "v = {timeRangeStart: %sT00:00:00Z, timeRangeStop: %sT00:00:00Z}\n" % (START, START + datetime.timedelta(DAYS + 2))
        for title, by, query in dashboard.QUERIES:
            found = {(row.get(by), real.nanoseconds(row["_time"])): row["_value"] for row in self.influx.query(zone + query)}
            self.assertEqual(set(found), set(wanted[title]), title)
            for group, value in wanted[title].items():
                self.assertAlmostEqual(found[group], value, delta=abs(value) * 1e-9, msg="%s %s" % (title, group))
            self.assertGreater(len(found), 30, title)

    def test_every_point_and_every_number_of_the_dashboard(self):
        made = list(generate.objects(seed=2026, start=START, days=DAYS, objects_per_kind=16, records=165, profile="full", bad=30))
        wanted = expect.expect_generated(made)
        self.assertGreater(wanted.stored, 10000)
        self.assertGreater(len(made), 60)
        self.assertGreaterEqual(len({one.key.split("/")[0] for one in made}), 3)
        self.assertEqual(wanted.collisions, 0)
        log_bucket = self.bucket_pair(made)
        self.influx.make_bucket(dashboard.INFLUX_BUCKET)
        self.real_config(log_bucket, dashboard.INFLUX_BUCKET)

        first = self.pull()
        self.assert_figures(first, **wanted.figures(), objects=len(made), failed=0, quarantined=0, unmatched=0)
        self.assert_points(self.influx.points(dashboard.INFLUX_BUCKET), wanted.points)
        self.assert_dashboard(expect.dashboard_numbers(wanted.points))

        second = self.pull()
        self.assert_figures(second, read=0, objects=0)
        again = self.pull("--again")
        self.assert_figures(again, **wanted.figures(), objects=len(made))
        self.assert_points(self.influx.points(dashboard.INFLUX_BUCKET), wanted.points)
        self.assert_dashboard(expect.dashboard_numbers(wanted.points))
        self.assert_no_secret(first.err, second.err, again.err)


class Refusals(Servers):
    """Wrong credentials and missing places: said clearly, nothing advanced, the next run makes it good."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.made = list(generate.objects(seed=5, start=datetime.date(2026, 3, 1), days=2, objects_per_kind=2, records=20, profile="full"))
        cls.wanted = expect.expect_generated(cls.made)

    def assert_refused(self, log_bucket, *words, connect=True, **stanzas):
        self.real_config(log_bucket, **stanzas)
        result = self.pull(code=1)
        for row in result.summaries():
            self.assertEqual(row["stored"], 0)
        for word in words:
            self.assertIn(word, result.err)
        if connect:
            check = self.run_program("check", "--connect")
            self.assertEqual(check.code, 1, str(check))
        self.assertEqual(self.influx.points(log_bucket), {})
        self.real_config(log_bucket)
        self.pull()
        self.assert_points(self.influx.points(log_bucket), self.wanted.points)
        self.assert_no_secret(result.err, result.out)

    def test_wrong_secret(self):
        self.assert_refused(self.bucket_pair(self.made), "403", s3={"secret_key": "not-the-secret-of-it"})

    def test_unknown_key(self):
        self.assert_refused(self.bucket_pair(self.made), s3={"access_key": "nobodyskey"})

    def test_missing_log_bucket(self):
        self.assert_refused(self.bucket_pair(self.made), "404", s3={"log_bucket": "no-such-bucket"})

    def test_wrong_organisation(self):
        self.assert_refused(self.bucket_pair(self.made), "nobody", influx={"org": "nobody"})

    def test_wrong_token(self):
        self.assert_refused(self.bucket_pair(self.made), "401", influx={"token": "wrong-token"})

    def test_a_token_for_reading_only(self):
        log_bucket = self.bucket_pair(self.made)
        token = self.influx.make_token(self.influx.bucket(log_bucket)["id"], ["read"])
        self.assert_refused(log_bucket, influx={"token": token})

    def test_a_write_only_token_is_enough(self):
        log_bucket = self.bucket_pair(self.made)
        token = self.influx.make_token(self.influx.bucket(log_bucket)["id"], ["write"])
        self.real_config(log_bucket, influx={"token": token})
        check = self.run_program("check", "--connect")
        self.assertEqual(check.code, 0, str(check))
        self.pull()
        self.assert_points(self.influx.points(log_bucket), self.wanted.points)

    def test_a_missing_influx_bucket_is_created(self):
        log_bucket = self.bucket_pair(self.made)
        self.real_config(log_bucket, "made-by-" + log_bucket, influx={"retention": "36500d"})
        self.pull()
        made = self.influx.bucket("made-by-" + log_bucket)
        self.assertEqual(made["retentionRules"][0]["everySeconds"], 36500 * 86400)
        self.assert_points(self.influx.points("made-by-" + log_bucket), self.wanted.points)

    def test_a_missing_influx_bucket_that_may_not_be_created(self):
        log_bucket = self.bucket_pair(self.made)
        token = self.influx.make_token(self.influx.bucket(log_bucket)["id"], ["write"])
        self.assert_refused(log_bucket, "influx bucket create", influx={"bucket": "not-there", "token": token})
        self.assertIsNone(self.influx.bucket("not-there"))

    def test_connect_when_all_is_well(self):
        self.real_config(self.bucket_pair(self.made))
        check = self.run_program("check", "--connect")
        self.assertEqual(check.code, 0, str(check))


class RoundTrips(Servers):
    def one(self, *records, key="March-2026/S3-orders-x.gz"):
        return generate.Object(key, packed(*records), expect.read_time("2026-03-01T12:00:00Z") // expect.SECOND, len(records), "s3")

    def test_nasty_tags(self):
        """What a tag may be and what comes back. Control characters become spaces, and a backslash that line
        protocol cannot carry (at the end, or before a comma, space or equals sign) becomes a slash."""
        tags = {
            "a,b=c d": "a,b=c d",
            'say "hi"': 'say "hi"',
            "back\\slash\\\\two": "back\\slash\\\\two",
            "ends\\": "ends/",
            "before\\, and\\ and\\=": "before/, and/ and/=",
            "line\nbreak\ttab\x00nul": "line break tab nul",
            "größe 東京 🚚": "größe 東京 🚚",
            " spaces around ": " spaces around ",
            "#comment": "#comment",
            "'single'": "'single'",
            "x" * 1100: "x" * 1024,
            "ü" * 600: "ü" * 512,
        }
        records = [s3_record(number, serviceAccountName=name) for number, name in enumerate(tags)]
        bucket = self.bucket_pair([self.one(*records)])
        self.real_config(bucket)
        self.assert_figures(self.pull(), read=len(tags), stored=len(tags), dead=0)
        found = {key[2]: dict(key[1])["serviceAccountName"] for key in self.influx.points(bucket)}
        wanted = {expect.read_time(one["auditEntry"]["time"]): tags[one["serviceAccountName"]] for one in records}
        self.assertEqual(found, wanted)

    def test_nasty_texts(self):
        texts = ['quote " and \\ and \\" end\\', "line\nbreak\r\nand\ttab", "größe 東京 🚚", ", = #", "\u2028\u0085", "nul\x00in", "x" * 70000, "\\n not a newline"]
        records = []
        for number, text in enumerate(texts):
            records.append({"ApiEvent": {"EventName": "e%d" % number, "Request": {"RequestTime": "10:00:00"}, "Response": {"ResponseError": text}}})
        bucket = self.bucket_pair([self.one(*records)])
        self.real_config(bucket)
        self.assert_figures(self.pull(), read=len(texts), stored=len(texts), dead=0)
        found = self.influx.texts(bucket, "api-01", "ApiEvent.Response.ResponseError", "ApiEvent.EventName")
        self.assertEqual(found, {"e%d" % number: text for number, text in enumerate(texts)})

    def test_nasty_names(self):
        """Whatever an operator calls measurements, tags and fields comes back under these names."""
        measurement = 'm"; DROP TABLE x;--%s, =\'#../x'
        tags, texts, numbers = ["t\"a'g, =", " spaces ", "größe", "a=b"], ["te\"xt'", "=1+1", "x, y"], ['i,"nt', "0"]
        columns = [{"tag": name, "path": "v"} for name in tags] + [{"text": name, "path": "v"} for name in texts] + [{"int": name, "path": "n"} for name in numbers]
        odd = {"record_keys": ["v"], "measurement": measurement, "columns": columns, "time": {"path": "t", "precision": "ns"}}
        bucket = self.bucket_pair([self.one({"v": 'a "b"', "n": 7, "t": "2026-03-01T10:00:00Z"})])
        self.real_config(bucket, s3={"parse": ["odd"]}, parsers={"odd": odd})
        self.assert_figures(self.pull(), read=1, stored=1, dead=0)
        key = (measurement, tuple((name, 'a "b"') for name in sorted(tags)), expect.read_time("2026-03-01T10:00:00Z"))
        self.assertEqual(self.influx.points(bucket), {key: {name: 'a "b"' for name in texts} | {name: 7 for name in numbers}})

    def test_odd_keys(self):
        names = ["a b+c.gz", "quote\"d'.gz", "per%cent%20.gz", "amp&er;sand<>.gz", "über-東京.gz", "tilde~!$*(),:@=?#.gz", "y" * 240 + ".gz"]
        made = [self.one(s3_record(number), key="March-2026/" + name) for number, name in enumerate(names)]
        bucket = self.bucket_pair(made)
        self.real_config(bucket)
        self.assert_figures(self.pull(), objects=len(names), stored=len(names), failed=0)
        self.assert_points(self.influx.points(bucket), expect.expect_generated(made).points)

    def test_retention(self):
        """Points older than the bucket keeps are counted as expired, the others are all there."""
        now = datetime.datetime.now(datetime.timezone.utc).date()
        old = list(generate.objects(seed=1, start=now - datetime.timedelta(40), days=3, objects_per_kind=2, records=30))
        new = list(generate.objects(seed=2, start=now - datetime.timedelta(10), days=3, objects_per_kind=2, records=30))
        gone, kept = expect.expect_generated(old), expect.expect_generated(new)
        bucket = self.bucket_pair(old + new, retention_s=30 * 86400)
        self.real_config(bucket)
        result = self.pull(since=str(now - datetime.timedelta(60)))
        self.assert_figures(result, read=gone.read + kept.read, stored=kept.stored, expired=gone.stored, duplicate=gone.duplicate + kept.duplicate, dead=0, quarantined=0)
        self.assert_points(self.influx.points(bucket), kept.points)

    def test_a_field_type_conflict_loses_only_its_points(self):
        """Somebody wrote the field with another type: those points are refused, the others stored."""
        records = [s3_record(number) for number in range(20)]
        bucket = self.bucket_pair([self.one(*records)])
        status, _ = real.request(self.influx.port, "POST", "/api/v2/write?org=%s&bucket=%s" % (real.ORG, bucket), b'iam-01 message=1i 1', {"Authorization": "Token " + real.ADMIN_TOKEN})
        self.assertEqual(status, 204)
        iam = {"log_id": "1", "type": "s", "date": "1970-01-01T00:00:00Z"}
        self.s3.put_object(bucket, self.one(iam, key="March-2026/IAM-x.gz"))
        self.real_config(bucket)
        result = self.pull()
        self.assert_figures(result, read=21, stored=20, dead=1)


class Crashes(Servers):
    def test_kill_at_random_moments_then_exact(self):
        made = list(generate.objects(seed=9, start=datetime.date(2026, 2, 20), days=20, objects_per_kind=16, records=100, profile="full", bad=10))
        wanted = expect.expect_generated(made)
        bucket = self.bucket_pair(made)
        self.real_config(bucket, s3={"workers": 1}, influx={"batch_lines": 300})
        began = time.monotonic()
        self.pull()
        span_s = time.monotonic() - began
        fresh = "after-" + bucket
        self.influx.make_bucket(fresh)
        self.real_config(bucket, fresh, s3={"workers": 1}, influx={"batch_lines": 300})
        self.forget()
        self.assertGreater(self.kill_pulls(random.Random(20), KILLS, span_s), KILLS // 2, "the moments were too late to prove anything")
        self.pull()
        self.assert_points(self.influx.points(fresh), wanted.points)
        self.assert_figures(self.pull(), objects=0)


if __name__ == "__main__":
    unittest.main()
