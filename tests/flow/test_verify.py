"""`verify`: what it counts is held against an independent computation, and whatever is changed behind its back is found."""

import collections
import datetime
import fcntl
import json
import os
import signal
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib import scripted  # noqa: E402
from lib.harness import FOLDER, SECRET_KEY, Case, packed, s3_record, seconds_of, wait_for  # noqa: E402

DAY_NS = 86400 * 10**9


def at(day, number=0, **changes):
    """A record of that day in March 2026."""
    record = s3_record(number, **changes)
    record["auditEntry"]["time"] = "2026-03-%02dT10:00:%02dZ" % (day, number)
    return record


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def by_day(points):
    """{measurement: {day: points}}"""
    counts = collections.defaultdict(collections.Counter)
    for measurement, _, time_ns in points:
        counts[measurement][str(datetime.date(1970, 1, 1) + datetime.timedelta(time_ns // DAY_NS))] += 1
    return counts


class Verify(Case):
    def stores(self, server, *names, jobs=None):
        """Jobs that write to SQLite stores of these names. jobs: {name: its stores}, by default one with all."""
        s3 = {"type": "s3", "endpoint_url": server.url, "log_bucket": scripted.LOGS, "access_key": "key-id", "secret_key": SECRET_KEY, "region": "us-east-1"}
        config = {"jobs": [{"name": name, "from": "logs", "to": list(to)} for name, to in (jobs or {"lyve": names}).items()], "logs": s3, "state": self.state_path}
        for name in names:
            config[name] = {"type": "sqlite", "path": self.path(name + ".db")}
        self.write_config(config)

    def change(self, path, statement, *values):
        connection = sqlite3.connect(path)
        with connection:
            changed = connection.execute(statement, values).rowcount
        connection.close()
        self.assertGreater(changed, 0, statement)

    def text(self, *arguments, code=0):
        result = self.run_program("verify", *arguments)
        self.assertEqual(result.code, code, str(result))
        self.assert_no_secret(result.out, result.err)
        return result.out

    def days(self, document):
        """[(sink, measurement, day, stored, counted, objects)] of the days that differ."""
        differences = document["day_differences"]
        self.assertEqual(differences["count"], len(differences["first"]))
        return [(one["sink"], one["measurement"], one["day"], one["stored"], one["counted"], one["objects"]) for one in differences["first"]]

    def objects(self, document):
        return [(one["sink"], one["objects"], one["text"]) for one in document["object_differences"]["first"]]

    def three(self):
        """a: days 1 and 2; b: day 2; c: day 3."""
        server = self.server(
            {
                FOLDER + "S3-a.gz": packed(at(1, 1), at(1, 2), at(2, 3)),
                FOLDER + "S3-b.gz": packed(at(2, 4), at(2, 5), "broken", at(2, 5)),
                FOLDER + "S3-c.gz": packed(at(3, 6)),
            }
        )
        self.stores(server, "store")
        self.pull()
        self.verify()
        return server


class Equal(Verify):
    def test_every_figure(self):
        server = self.server(self.generated())
        wanted = self.expected(server)
        self.assertEqual(wanted.collisions, 0)
        self.stores(server, "store")
        self.pull()
        document = self.verify()
        (job,), (sink,) = document["jobs"], document["sinks"]
        self.assertEqual(job["objects"], {"listed": 0, "settled": len(server.objects), "failed": 0, "quarantined": 0, "gone": 0, "unmatched": 0})
        self.assertEqual(job["records_read"], wanted.read)
        self.assertEqual(job["sinks"], [{"name": "store", **wanted.figures(), "objects_missing": 0}])
        self.assertEqual((sink["name"], sink["counted"], sink["error"], sink["kept_from"]), ("store", True, None, None))
        counts = by_day(wanted.points)
        self.assertEqual({one["name"] for one in sink["measurements"]}, {"audit-01", "console-01", "iam-01", "api-01"})
        for one in sink["measurements"]:
            days = counts[one["name"]]
            found = (one["stored"], one["counted"], one["days"], one["first_day"], one["last_day"], one["different_days"], one["days_not_kept"])
            self.assertEqual(found, (sum(days.values()), sum(days.values()), len(days), min(days), max(days), 0, 0))
        self.assertEqual(document["day_differences"], {"count": 0, "first": []})
        self.assertEqual(document["object_differences"], {"count": 0, "first": []})

    def test_the_text(self):
        self.three()
        text = self.text()
        self.assertIn("job lyve\n  objects      settled 3, quarantined 0, failed 0, still to do 0; gone from the bucket 0; unmatched 0\n", text)
        self.assertIn("  source       has 3 = settled 3 + quarantined 0 + failed 0 + still to do 0 + changed 0 + lost 0 + newer 0; gone since 0\n  records      read 8\n", text)
        self.assertIn("  store        stored 6 + duplicate 1 + expired 0 + dead 1 = 8\n", text)
        self.assertRegex(text, r"\n  audit-01 +2026-03-01 2026-03-03 +3 +6 +6\n")
        self.assertTrue(text.endswith("\nequal\n"))

    def test_read_again(self):
        self.three()
        self.pull("--again")
        self.verify()

    def test_objects_that_are_gone(self):
        server = self.three()
        del server.objects[FOLDER + "S3-a.gz"], server.objects[FOLDER + "S3-b.gz"]
        self.pull()
        (job,) = self.verify()["jobs"]
        self.assertEqual((job["objects"]["gone"], job["objects"]["settled"], job["records_read"]), (2, 1, 8))
        self.change(self.path("store.db"), 'DELETE FROM "audit-01" WHERE time < ?', 20514 * DAY_NS)  # 2026-03-02
        document = self.verify(code=1)
        self.assertEqual(self.days(document), [("store", "audit-01", "2026-03-01", 2, 0, [])])
        self.assertIs(document["day_differences"]["first"][0]["gone_objects"], True)
        self.assertIn("objects that are no longer in the bucket", self.text(code=1))

    def test_objects_that_come_back(self):
        """Deleted and put back, as they were: not read again, so not counted again."""
        server = self.three()
        all_of_them = dict(server.objects)
        del server.objects[FOLDER + "S3-a.gz"], server.objects[FOLDER + "S3-b.gz"]
        self.pull()
        for key, one in all_of_them.items():
            server.objects[key] = scripted.Stored(one.data, one.last_modified_s + 3600)
        self.assert_figures(self.pull(), objects=0, read=0)
        (job,) = self.verify()["jobs"]
        self.assertEqual((job["objects"]["gone"], job["objects"]["settled"], job["records_read"]), (0, 3, 8))

    def test_what_is_not_settled(self):
        """An object that failed or is damaged is accounted for: told of, and no difference."""
        server = self.server({FOLDER + "S3-a.gz": packed(at(1)), FOLDER + "S3-b.gz": packed(at(2)), FOLDER + "S3-c.gz": packed(at(3))[:-9], "elsewhere/x": b""})
        self.stores(server, "store")
        server.fault("get", scripted.status(403), when=lambda request: request.key.endswith("b.gz"), times=100)
        self.pull(code=1)
        (job,) = self.verify()["jobs"]
        self.assertEqual(job["objects"], {"listed": 0, "settled": 1, "failed": 1, "quarantined": 1, "gone": 0, "unmatched": 1})

    def test_before_the_first_run(self):
        self.stores(self.server(), "store")
        self.assertIn("nothing has run yet", self.text(code=1))
        self.assertIs(self.verify(code=1)["has_run"], False)
        self.assertFalse(os.path.exists(self.state_path))

    def test_nothing_stored(self):
        self.stores(self.server(), "store")
        self.pull()
        self.verify()
        self.assertIs(self.verify()["has_run"], True)


class InTheSink(Verify):
    def test_points_are_missing(self):
        self.three()
        self.change(self.path("store.db"), 'DELETE FROM "audit-01" WHERE time BETWEEN ? AND ?', 20514 * DAY_NS, 20515 * DAY_NS)
        document = self.verify(code=1)
        self.assertEqual(self.days(document), [("store", "audit-01", "2026-03-02", 3, 0, [FOLDER + "S3-a.gz", FOLDER + "S3-b.gz"])])
        self.assertEqual(self.objects(document), [])
        text = self.text(code=1)
        self.assertIn("store: audit-01 2026-03-02: stored 3, counted 0\n    %sS3-a.gz\n    %sS3-b.gz\n" % (FOLDER, FOLDER), text)
        self.assertIn("1 day differs", text)
        self.assertTrue(text.endswith("\nNOT EQUAL\n"))
        self.pull("--again")
        self.verify()

    def test_points_are_too_many(self):
        self.three()
        for time_ns in (20514 * DAY_NS - 1, -1, -106751 * DAY_NS, 106751 * DAY_NS - 1):
            self.change(self.path("store.db"), 'INSERT INTO "audit-01" (time, message) VALUES (?, \'\')', time_ns)
        found = self.days(self.verify(code=1))
        wanted = [("1677-09-22", 0, 1, []), ("1969-12-31", 0, 1, []), ("2026-03-01", 2, 3, [FOLDER + "S3-a.gz"]), ("2262-04-10", 0, 1, [])]
        self.assertEqual(found, [("store", "audit-01", *row) for row in wanted])

    def test_points_of_a_kind_that_was_never_written(self):
        self.three()
        connection = sqlite3.connect(self.path("store.db"))
        with connection:
            connection.execute('CREATE TABLE "iam-01" (time INTEGER PRIMARY KEY)')
            connection.execute('INSERT INTO "iam-01" VALUES (5)')
        connection.close()
        self.assertEqual(self.days(self.verify(code=1)), [("store", "iam-01", "1970-01-01", 0, 1, [])])

    def test_the_whole_file_is_gone(self):
        self.three()
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(self.path("store.db" + suffix)):
                os.unlink(self.path("store.db" + suffix))
        self.assertEqual([row[4] for row in self.days(self.verify(code=1))], [0, 0, 0])
        self.assertFalse(os.path.exists(self.path("store.db")), "verify makes no store")

    def test_not_a_store(self):
        self.three()
        with open(self.path("store.db"), "wb") as file:
            file.write(b"something else entirely, and long enough" * 100)
        document = self.verify(code=1)
        self.assertIs(document["sinks"][0]["counted"], False)
        self.assertIn("not a database", document["sinks"][0]["error"])
        self.assertIn("sink store: cannot be counted: ", self.text(code=1))

    def test_objects_that_overwrite_each_other(self):
        """Equal series and time in two objects: the second overwrites the first, nothing but verify can see it."""
        one, other = at(4, 1), at(4, 1, serviceAccountCreatorId="ada@example.com")
        other["auditEntry"]["api"]["object"] = "y"
        server = self.server({FOLDER + "S3-one.gz": packed(one, at(5)), FOLDER + "S3-other.gz": packed(other), FOLDER + "S3-third.gz": packed(at(5, 3))})
        self.assertEqual(self.expected(server).collisions, 1)
        self.stores(server, "store")
        self.pull()
        self.assertEqual(self.days(self.verify(code=1)), [("store", "audit-01", "2026-03-04", 2, 1, [FOLDER + "S3-one.gz", FOLDER + "S3-other.gz"])])

    def test_many_days_and_many_objects(self):
        """At most 100 days and ten objects of each are told in detail, the others are counted."""
        start = datetime.datetime(2025, 1, 1)
        records = [s3_record(number) for number in range(130)]
        for number, record in enumerate(records):
            record["auditEntry"]["time"] = (start + datetime.timedelta(number)).isoformat() + "Z"
        server = self.server({FOLDER + "S3-%02d.gz" % number: packed(*(dict(one, serviceAccountName="svc%d" % number) for one in records)) for number in range(12)})
        self.stores(server, "store")
        self.pull()
        self.change(self.path("store.db"), 'DELETE FROM "audit-01" WHERE serviceAccountName = \'svc3\'')
        differences = self.verify(code=1)["day_differences"]
        self.assertEqual((differences["count"], len(differences["first"])), (130, 100))
        self.assertEqual((differences["first"][99]["day"], differences["first"][99]["stored"], differences["first"][99]["counted"]), ("2025-04-10", 12, 11))
        self.assertEqual((len(differences["first"][99]["objects"]), differences["first"][99]["more_objects"]), (10, 2))
        text = self.text(code=1)
        self.assertIn("130 days differ", text)
        self.assertIn("    and 2 more\n", text)
        self.assertIn("\n  and 30 more\n", text)

    def test_only_some_days(self):
        self.three()
        self.change(self.path("store.db"), 'DELETE FROM "audit-01" WHERE time >= ?', 20515 * DAY_NS)  # 2026-03-03
        self.verify(code=1)
        self.verify("--to-date", "2026-03-03")
        self.verify("--from-date", "2026-03-04")
        self.verify("--from-date", "2026-03-03", "--to-date", "2026-03-04", code=1)
        self.verify("--from-date", "2026-03-03T23:00:00Z", code=1)  # whole days
        (measurement,) = [one for one in self.verify("--to-date", "2026-03-03")["sinks"][0]["measurements"] if one["stored"]]
        self.assertEqual((measurement["days"], measurement["stored"], measurement["last_day"]), (2, 5, "2026-03-02"))
        for arguments in (["--from-date", "tomorrow"], ["--from-date", "2026-03-03", "--to-date", "2026-03-03"], ["lyve", "other"], ["nobody"]):
            self.assertEqual(self.run_program("verify", *arguments).code, 2, arguments)


class InTheLedger(Verify):
    def counts(self, read, stored, days, duplicate=0, dead=0):
        """One sink's, by the description of the format; days: {days since 1970: points} of measurement 1."""
        numbers = [read, 0, 1, stored, duplicate, 0, dead]
        for day, points in days.items():
            numbers += [1 * 8 + 0, 2 * day, points]
        return b"".join(varint(number) for number in numbers)

    def set(self, column, value, key="S3-b.gz"):
        self.change(self.state_path, "UPDATE object SET %s = ? WHERE key = ?" % column, value, (FOLDER + key).encode())

    def test_the_format(self):
        self.three()
        self.set("counts", self.counts(4, 2, {20514: 2}, duplicate=1, dead=1))
        self.verify()

    def test_records_that_are_not_accounted_for(self):
        self.three()
        self.set("counts", self.counts(5, 2, {20514: 2}, duplicate=1, dead=1))
        document = self.verify(code=1)
        self.assertEqual(self.objects(document), [("store", [FOLDER + "S3-b.gz"], "read 5, but stored 2 + duplicate 1 + expired 0 + dead 1 = 4")])
        self.assertEqual(self.days(document), [])
        self.assertIn("  job lyve: store: read 5, but stored 2 + duplicate 1 + expired 0 + dead 1 = 4\n    %sS3-b.gz\n" % FOLDER, self.text(code=1))

    def test_points_without_a_day(self):
        self.three()
        self.set("counts", self.counts(4, 2, {20514: 1}, duplicate=1, dead=1))
        document = self.verify(code=1)
        self.assertEqual(self.objects(document), [("store", [FOLDER + "S3-b.gz"], "stored 2, but 1 on its days together")])
        self.assertEqual([row[2:5] for row in self.days(document)], [("2026-03-02", 2, 3)])

    def test_another_day(self):
        self.three()
        self.set("counts", self.counts(4, 2, {20520: 2}, duplicate=1, dead=1))
        document = self.verify(code=1)
        self.assertEqual(self.objects(document), [])
        self.assertEqual([row[2:] for row in self.days(document)], [("2026-03-02", 1, 3, [FOLDER + "S3-a.gz"]), ("2026-03-08", 2, 0, [FOLDER + "S3-b.gz"])])

    def test_a_day_that_does_not_exist(self):
        self.three()
        self.set("counts", self.counts(4, 2, {20514: 1, 10**9: 1}, duplicate=1, dead=1))
        self.assertEqual([row[2] for row in self.objects(self.verify(code=1))], ["stored 2, but 1 on its days together"])

    def test_no_counts_and_other_states(self):
        self.three()
        for column, value, text in (
            ("counts", None, "settled, but without counts"),
            ("counts", b"\x80", "its counts cannot be read"),
            ("counts", self.counts(4, 2, {20514: 2}, 1, 1)[:-1], "its counts cannot be read"),
            ("state", 7, "its state is 7, which does not exist"),
        ):
            ((before,),) = self.ledger("SELECT %s FROM object WHERE key = ?" % column, (FOLDER + "S3-b.gz").encode())
            self.set(column, value)
            self.assertEqual([row[1:] for row in self.objects(self.verify(code=1))], [([FOLDER + "S3-b.gz"], text)])
            self.set(column, before)
            self.verify()

    def test_totals_of_objects_that_are_gone(self):
        server = self.three()
        del server.objects[FOLDER + "S3-a.gz"]
        self.pull()
        self.verify()
        self.change(self.state_path, "UPDATE object SET gone = gone - ?", 30 * DAY_NS)
        self.pull()
        self.assertEqual(self.ledger("SELECT objects, read FROM total_object"), [(1, 3)])
        (job,) = self.verify()["jobs"]
        self.assertEqual((job["objects"]["gone"], job["objects"]["settled"], job["records_read"]), (1, 2, 8))
        self.change(self.state_path, "UPDATE total_sink SET dead = dead + 1")
        document = self.verify(code=1)
        self.assertEqual(self.objects(document), [("store", [], "read 3, but stored 3 + duplicate 0 + expired 0 + dead 1 = 4")])
        self.assertIs(document["object_differences"]["first"][0]["gone_objects"], True)
        self.change(self.state_path, "UPDATE total_sink SET dead = dead - 1")
        self.change(self.state_path, "UPDATE total_points SET points = points + 1 WHERE day = 20513")
        document = self.verify(code=1)
        self.assertEqual([row[2] for row in self.objects(document)], ["stored 3, but 4 on its days together"])
        self.assertEqual([row[2:5] for row in self.days(document)], [("2026-03-01", 3, 2)])

    def test_objects_left_to_read(self):
        """Their points may be there already: said, since the ledger cannot tell."""
        self.three()
        self.change(self.state_path, "UPDATE object SET state = 0, counts = NULL WHERE key = ?", (FOLDER + "S3-c.gz").encode())
        self.assertEqual([row[2:5] for row in self.days(self.verify(code=1))], [("2026-03-03", 0, 1)])
        self.assertIn("1 objects failed or are still to be read", self.text(code=1))
        self.pull()
        self.verify()


class InTheSource(Verify):
    """The bucket is listed again: what it has and the ledger does not know is a difference."""

    def source(self, document):
        (job,) = document["jobs"]
        return {name: value for name, value in job["source"].items() if value}

    def keys(self, document, name):
        found = document[name]
        self.assertEqual(found["count"], len(found["first"]))
        return [(key[len(FOLDER):], one["text"]) for one in found["first"] for key in one["objects"]]

    def forget_object(self, name):
        self.change(self.state_path, "DELETE FROM object WHERE key = ?", (FOLDER + name).encode())

    def test_every_object_is_known(self):
        self.three()
        document = self.verify()
        self.assertEqual(self.source(document), {"asked": True, "objects": 3, "settled": 3})
        self.assertEqual((document["lost_objects"]["count"], document["waiting_objects"]["count"]), (0, 0))

    def test_a_lost_object(self):
        server = self.three()
        self.forget_object("S3-c.gz")
        document = self.verify(code=1)
        stamp = datetime.datetime.fromtimestamp(server.objects[FOLDER + "S3-c.gz"].last_modified_s, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.assertEqual(self.keys(document, "lost_objects"), [("S3-c.gz", "in the bucket since %s, and the ledger does not know it" % stamp)])
        self.assertEqual(self.source(document), {"asked": True, "objects": 3, "settled": 2, "lost": 1})
        text = self.text(code=1)
        self.assertIn("objects of the source that were never read\n  job lyve: in the bucket since %s, and the ledger does not know it\n    %sS3-c.gz\n" % (stamp, FOLDER), text)
        self.assertIn("still to do 0 + changed 0 + lost 1 + newer 0; gone since 0\n", text)
        self.pull()
        self.verify()

    def test_before_after_and_between(self):
        """First, last and middle keys, and more than a page of them."""
        names = ["S3-%04d.gz" % number for number in range(1203)]
        server = self.server({FOLDER + name: packed() for name in names})
        self.stores(server, "store")
        self.pull()
        gone = {names[0], names[500], names[501], names[1000], names[1202]}
        for name in gone:
            self.forget_object(name)
        document = self.verify(code=1)
        self.assertEqual({key for key, _ in self.keys(document, "lost_objects")}, gone)
        self.assertEqual(self.source(document), {"asked": True, "objects": 1203, "settled": 1198, "lost": 5})

    def test_many_lost_objects(self):
        """At most 100 are named, the others counted."""
        server = self.server({FOLDER + "S3-%04d.gz" % number: packed() for number in range(140)})
        self.stores(server, "store")
        self.pull()
        self.change(self.state_path, "DELETE FROM object")
        lost = self.verify(code=1)["lost_objects"]
        self.assertEqual((lost["count"], len(lost["first"])), (140, 100))
        self.assertIn("\n  and 40 more\n", self.text(code=1))

    def test_objects_that_are_gone_are_no_difference(self):
        server = self.three()
        del server.objects[FOLDER + "S3-a.gz"], server.objects[FOLDER + "S3-c.gz"]
        self.assertEqual(self.source(self.verify()), {"asked": True, "objects": 1, "settled": 1, "gone": 2})

    def test_an_object_that_was_replaced(self):
        server = self.three()
        old = server.objects[FOLDER + "S3-b.gz"]
        server.objects[FOLDER + "S3-b.gz"] = scripted.Stored(packed(at(2, 9)), old.last_modified_s + 60)
        document = self.verify(code=1)
        ((key, text),) = self.keys(document, "lost_objects")
        self.assertEqual(key, "S3-b.gz")
        self.assertRegex(text, "^replaced in the bucket on 2026-.*, and not read since$")
        self.assertEqual(self.source(document), {"asked": True, "objects": 3, "settled": 2, "changed": 1})

    def test_an_object_that_was_replaced_after_its_period(self):
        """The period had it: that it has another date now is no reason to pass over it."""
        server = self.three()
        old = server.objects[FOLDER + "S3-b.gz"]
        beyond = old.last_modified_s + 100 * 86400
        self.assertLess(beyond, time.time() - 3600)
        server.objects[FOLDER + "S3-b.gz"] = scripted.Stored(packed(at(2, 9)), beyond)
        document = self.verify("--from-date", "2026-03-01", "--to-date", "2026-03-02", code=1)
        self.assertEqual([key for key, _ in self.keys(document, "lost_objects")], ["S3-b.gz"])
        self.assertEqual(self.source(document), {"asked": True, "objects": 3, "settled": 2, "changed": 1})

    def test_newer_than_the_last_listing(self):
        """The next run finds it: told, where the period has it, and no difference."""
        server = self.three()
        now = datetime.datetime.now(datetime.timezone.utc)
        server.objects[now.strftime("%B-%Y/S3-new.gz")] = scripted.Stored(packed(at(9)), int(now.timestamp()))
        self.verify()
        document = self.verify("--from-date", "2026-01-01", "--to-date", "2100-01-01")
        self.assertEqual(self.source(document)["newer"], 1)

    def age(self, hours):
        """As if all listings so far had been so long ago."""
        for statement in ("asked SET to_ns = to_ns - ?1, listed = listed - ?1", "folder SET whole = whole - ?1"):
            self.change(self.state_path, "UPDATE " + statement, hours * 3600 * 10**9)

    def put_an_hour_ago(self, server, folder=None):
        moment = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
        key = (folder or moment.strftime("%B-%Y/")) + "S3-new.gz"
        server.objects[key] = scripted.Stored(packed(at(9)), int(moment.timestamp()))
        return key

    def found(self, code=0):
        """Of the source since February: (newer, lost)."""
        source = self.source(self.verify("--from-date", "2026-02-01", code=code))
        return source.get("newer", 0), source.get("lost", 0)

    def test_newer_than_the_last_listing_of_its_period(self):
        """A later pull of another period has not looked for it, be that apart from the one asked for before or within."""
        server = self.three()
        self.age(hours=2)
        self.change(self.state_path, "UPDATE asked SET from_ns = ?", seconds_of("2026-03-10T00:00:00") * 10**9)
        self.put_an_hour_ago(server)
        for period, n_asked in ((["2026-03-01", "2026-03-05"], 2), (["2026-03-01", "2026-03-20"], 1), (["2026-03-12", "2026-03-20"], 1)):
            self.pull("--to-date", period[1], since=period[0])
            self.assertEqual(len(self.ledger("SELECT * FROM asked")), n_asked)
            self.assertEqual(self.found(), (1, 0), period)
        self.pull(since="2026-02-01")
        self.assertEqual(self.found(), (0, 0))

    def test_behind_the_cursors(self):
        """A scheduled run begins behind its key: not lost before its folder was listed whole, where that is still to come."""
        server = self.three()
        self.age(hours=2)
        self.put_an_hour_ago(server, FOLDER)
        self.change(self.state_path, "UPDATE asked SET to_ns = to_ns + 7200000000000, listed = listed + 7200000000000")
        self.assertEqual(self.found(code=1), (0, 1), "no scheduled run is under way")
        begun = "INSERT INTO listing_pass (scope, from_ns, whole, listed, looked) SELECT scope, 0, whole, whole + 7200000000000, 0 FROM folder WHERE prefix = ?"
        self.change(self.state_path, begun, FOLDER.encode())
        self.assertEqual(self.found(), (1, 0))
        self.change(self.state_path, "UPDATE listing_pass SET whole = whole + 1")
        self.assertEqual(self.found(code=1), (0, 1), "the folder is out of reach")
        self.change(self.state_path, "UPDATE folder SET whole = -9223372036854775808")
        self.assertEqual(self.found(), (1, 0), "the next run lists it whole")

    def test_delivered_late(self):
        """A key of long ago in the bucket that the last listing should have met."""
        server = self.three()
        self.change(self.state_path, "UPDATE asked SET listed = listed + 4000000000000")  # an hour and more ahead
        server.objects[FOLDER + "S3-0.gz"] = scripted.Stored(packed(at(9)), server.objects[FOLDER + "S3-a.gz"].last_modified_s)
        self.assertEqual([key for key, _ in self.keys(self.verify(code=1), "lost_objects")], ["S3-0.gz"])

    def test_periods(self):
        """Without dates, the periods that runs were asked for; with them, whatever is in them."""
        old, new = "February-2026/S3-old.gz", "May-2026/S3-new.gz"
        server = self.server({old: packed(at(1)), FOLDER + "S3-a.gz": packed(at(2)), new: packed(at(3))})
        for key, day in ((old, "2026-02-10"), (FOLDER + "S3-a.gz", "2026-03-10"), (new, "2026-05-10")):
            server.objects[key] = scripted.Stored(server.objects[key].data, seconds_of(day + "T00:00:00"))
        self.stores(server, "store")
        self.pull("--to-date", "2026-03-20", since="2026-03-01")
        self.assertEqual(self.source(self.verify())["objects"], 1)
        asked = self.ledger("SELECT from_ns / 1000000000, to_ns / 1000000000 FROM asked")
        self.assertEqual(asked, [(seconds_of("2026-03-01T00:00:00"), seconds_of("2026-03-20T00:00:00"))])
        # the look-back lists February too: its object is known, and not read. Nobody has looked at May.
        document = self.verify("--from-date", "2026-02-01", code=1)
        self.assertEqual([one["objects"] for one in document["waiting_objects"]["first"]], [[old]])
        self.assertEqual([one["objects"] for one in document["lost_objects"]["first"]], [[new]])
        self.verify("--to-date", "2026-03-11")
        self.assertEqual(self.source(self.verify("--to-date", "2026-03-10")), {"asked": True})
        self.pull("--to-date", "2026-06-01", since="2026-05-01")
        self.pull("--to-date", "2026-03-25", since="2026-03-15")
        asked = self.ledger("SELECT from_ns / 1000000000, to_ns / 1000000000 FROM asked ORDER BY 1")
        days = [("2026-03-01", "2026-03-25"), ("2026-05-01", "2026-06-01")]
        self.assertEqual(asked, [tuple(seconds_of(day + "T00:00:00") for day in pair) for pair in days])
        self.assertEqual(self.source(self.verify()), {"asked": True, "objects": 2, "settled": 2})
        self.pull("--to-date", "2026-06-15", since="2026-03-20")
        self.assertEqual(len(self.ledger("SELECT * FROM asked")), 1)

    def test_a_waiting_object(self):
        self.three()
        self.change(self.state_path, "UPDATE object SET state = 0 WHERE key = ?", (FOLDER + "S3-c.gz").encode())
        document = self.verify(code=1)
        self.assertEqual(self.keys(document, "waiting_objects"), [("S3-c.gz", "listed, and not read")])
        self.assertEqual(self.source(document), {"asked": True, "objects": 3, "settled": 2, "listed": 1})
        self.assertEqual(document["jobs"][0]["objects_waiting"], 1)
        text = self.text(code=1)
        self.assertIn("objects that wait to be read, though no run is under way\n  job lyve: listed, and not read\n    %sS3-c.gz\n" % FOLDER, text)
        self.verify("--no-source", code=1)
        self.verify("--from-date", "2026-03-04", "--to-date", "2026-03-05")
        self.pull()
        self.verify()

    def test_a_source_that_is_away(self):
        server = self.three()
        server.fault("list", scripted.status(403), times=1000)
        document = self.verify(code=1)
        source = document["jobs"][0]["source"]
        self.assertIs(source["asked"], False)
        self.assertIn("403", source["error"])
        self.assertEqual([document[name]["count"] for name in ("lost_objects", "waiting_objects", "object_differences", "day_differences")], [0, 0, 0, 0])
        self.assertIn("  source       cannot be listed: source logs: ", self.text(code=1))
        before = len(server.of("list"))
        document = self.verify("--no-source")
        self.assertEqual(document["jobs"][0]["source"], {"asked": False, "error": None})
        self.assertNotIn("  source ", self.text("--no-source"))
        self.assertEqual(len(server.of("list")), before)

    def test_no_run_has_listed_it(self):
        server = self.three()
        other = self.server({FOLDER + "S3-a.gz": packed(at(1, 1))})
        with open(self.config_path, encoding="utf-8") as file:
            config = json.load(file)
        config["logs"]["endpoint_url"] = other.url
        self.write_config(config)
        document = self.verify(code=1)
        self.assertIn("no run has listed it to its end yet", document["jobs"][0]["source"]["error"])
        self.assertEqual(document["day_differences"]["count"], 0)
        self.assertEqual(len(server.objects), 3)

    def test_folders_that_came_since(self):
        server = self.three()
        server.objects["elsewhere/x"] = server.objects[FOLDER + "S3-a.gz"]
        self.assertEqual(self.verify()["jobs"][0]["objects"]["unmatched"], 1)
        self.assertEqual(self.verify("--no-source")["jobs"][0]["objects"]["unmatched"], 0)

    def test_nothing_is_written(self):
        self.three()
        self.forget_object("S3-c.gz")
        tables = ("object", "folder", "cursor", "listing_pass", "asked", "run", "scope", "sink")
        before = [self.ledger("SELECT * FROM " + table) for table in tables]
        self.verify(code=1)
        self.assertEqual([self.ledger("SELECT * FROM " + table) for table in tables], before)

    def test_folders_on_disk(self):
        """Any source is listed, not only a bucket."""
        os.makedirs(self.path("in", FOLDER))
        for name in ("a", "b"):
            with open(self.path("in", FOLDER, name), "wb") as file:
                file.write(packed(at(1, ord(name) - 97)))
            os.utime(self.path("in", FOLDER, name), (1772500000, 1772500000))
        self.write_config({"jobs": [{"name": "lyve", "from": "logs", "to": ["store"]}], "logs": {"type": "file", "path": self.path("in")}, "store": {"type": "sqlite", "path": self.path("store.db")}, "state": self.state_path})
        self.pull()
        self.verify()
        self.forget_object("b")
        self.assertEqual([key for key, _ in self.keys(self.verify(code=1), "lost_objects")], ["b"])


class Published(Verify):
    """`--publish` writes the result as a point of kind verify, for dashboards."""

    def points(self, kind, name="store"):
        connection = sqlite3.connect(self.path(name + ".db"))
        connection.row_factory = sqlite3.Row
        rows = connection.execute('SELECT * FROM "gateway-01" WHERE kind = ? ORDER BY time', (kind,)).fetchall()
        connection.close()
        return [{key: row[key] for key in row.keys() if row[key] is not None and key not in ("time", "kind")} for row in rows]

    def test_complete(self):
        self.three()
        self.assertEqual(self.points("verify"), [], "only when asked for")
        self.verify("--publish")
        wanted = {"job": "lyve", "listed": 3, "lost": 0, "waiting": 0, "unmatched": 0, "stored": 6, "counted": 6, "differences": 0}
        self.assertEqual(self.points("verify"), [wanted])
        self.verify("--publish", "--no-source")
        del wanted["listed"], wanted["lost"]
        self.assertEqual(self.points("verify")[1:], [wanted])
        self.verify()  # its own points are none of those it counts

    def test_differences(self):
        server = self.three()
        server.objects[FOLDER + "S3-0.gz"] = server.objects[FOLDER + "S3-a.gz"]
        server.objects["elsewhere/x"] = server.objects[FOLDER + "S3-a.gz"]
        self.change(self.state_path, "UPDATE object SET state = 0 WHERE key = ?", (FOLDER + "S3-c.gz").encode())
        self.change(self.path("store.db"), 'DELETE FROM "audit-01" WHERE time < ?', 20514 * DAY_NS)
        self.verify("--publish", code=1)
        wanted = {"job": "lyve", "listed": 4, "lost": 1, "waiting": 1, "unmatched": 1, "stored": 6, "counted": 4, "differences": 3}
        self.assertEqual(self.points("verify"), [wanted])

    def test_each_job_has_its_own(self):
        """A difference is counted for the jobs that have it."""
        server = self.server({FOLDER + "S3-a.gz": packed(at(1, 1)), FOLDER + "S3-b.gz": packed(at(2, 2))})
        self.stores(server, "store", "other", jobs={"lyve": ["store"], "twin": ["other"]})
        self.pull()
        self.change(self.state_path, "DELETE FROM object WHERE scope = (SELECT id FROM scope WHERE job = 'twin') AND key = ?", (FOLDER + "S3-b.gz").encode())
        self.verify("--publish", code=1)
        self.assertEqual([(row["lost"], row["differences"]) for row in self.points("verify")], [(0, 0)])
        self.assertEqual([(row["lost"], row["stored"], row["counted"], row["differences"]) for row in self.points("verify", "other")], [(1, 1, 2, 2)])

    def test_a_source_that_is_away(self):
        server = self.three()
        server.fault("list", scripted.status(403), times=1000)
        self.verify("--publish", code=1)
        self.assertEqual(self.points("verify"), [{"job": "lyve", "waiting": 0, "unmatched": 0, "stored": 6, "counted": 6, "differences": 1}])

    def test_a_store_of_an_older_version(self):
        """Its table of figures gets the new columns; what is in it stays."""
        server = self.server({FOLDER + "S3-a.gz": packed(at(1, 1), "broken"), FOLDER + "S3-b.gz": packed(at(2))[:-9], "elsewhere/x": b""})
        self.stores(server, "store")
        connection = sqlite3.connect(self.path("store.db"))
        with connection:
            fields = ", ".join('"%s" INTEGER' % name for name in ("objects", "read", "stored", "duplicate", "expired", "dead", "failed", "seconds", "newest"))
            connection.execute("PRAGMA application_id = 0x4C475753")
            connection.execute('CREATE TABLE "gateway-01" ("time" INTEGER NOT NULL, "job" TEXT NOT NULL DEFAULT \'\', "kind" TEXT NOT NULL DEFAULT \'\', %s, PRIMARY KEY ("time", "job", "kind")) WITHOUT ROWID' % fields)
            connection.execute('INSERT INTO "gateway-01" (time, job, kind, objects) VALUES (5, \'lyve\', \'all\', 7)')
        connection.close()
        self.pull(code=1)
        old, new = self.points("all")
        self.assertEqual(old, {"job": "lyve", "objects": 7})
        (stored,) = [row["stored"] for row in self.points("lyve_s3")]
        wanted = {"job": "lyve", "objects": 2, "read": stored + 1, "stored": stored, "duplicate": 0, "expired": 0, "dead": 1, "failed": 0, "quarantined": 1, "unmatched": 1, "waiting": 0, "complete": 0}
        self.assertEqual({key: value for key, value in new.items() if key not in ("seconds", "newest")}, wanted)
        self.verify("--publish")
        self.assertEqual(len(self.points("verify")), 1)

    def test_a_run_that_could_not_list(self):
        """It is not the same as one that found nothing."""
        server = self.server()
        self.stores(server, "store")
        self.pull()
        server.fault("list", scripted.status(403), times=1000)
        self.pull(code=1)
        none = dict.fromkeys(("objects", "read", "stored", "duplicate", "expired", "dead", "failed", "quarantined"), 0)
        nothing_new, not_listed = [{key: value for key, value in point.items() if key != "seconds"} for point in self.points("all")]
        self.assertEqual(nothing_new, {"job": "lyve", **none, "unmatched": 0, "waiting": 0, "complete": 1})
        self.assertEqual(not_listed, {"job": "lyve", **none, "complete": 0})

    def five(self):
        """Five objects, the second of which takes its time, and one that is not of the window; a job with one worker."""
        names = ["S3-%d.gz" % number for number in range(5)]
        server = self.server({FOLDER + name: packed(at(1, number)) for number, name in enumerate(names)})
        server.objects[FOLDER + "S3-later.gz"] = scripted.Stored(packed(at(9)), seconds_of("2026-03-20T00:00:00"))
        self.stores(server, "store")
        server.fault("get", scripted.edit(delay_s=1.0), when=lambda request: request.key.endswith("1.gz"))
        with open(self.config_path, encoding="utf-8") as file:
            config = json.load(file)
        config["jobs"][0]["workers"] = 1
        self.write_config(config)
        return server, names

    def interrupt_pull(self, server):
        process = self.start("pull", "--from-date", "2026-03-01", "--to-date", "2026-03-10")
        wait_for(lambda: len(server.of("get")) == 2)
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process, timeout=20).code, 1)

    def test_objects_that_are_left(self):
        """`waiting`: objects of the window that a run did not come to; one that failed is told apart."""
        server, names = self.five()
        server.fault("get", scripted.status(404), when=lambda request: request.key.endswith("0.gz"))
        self.interrupt_pull(server)
        (point,) = self.points("all")
        self.assertEqual((point["objects"], point["failed"], point["waiting"], point["complete"]), (2, 1, 3, 0))
        document = self.verify(code=1)
        self.assertEqual([one["objects"] for one in document["waiting_objects"]["first"]], [[FOLDER + name] for name in names[2:]])

    def test_a_pull_that_was_told_to_stop(self):
        """Nothing is wrong, and it did not do all: it says neither."""
        server, _ = self.five()
        self.interrupt_pull(server)
        (point,) = self.points("all")
        self.assertEqual((point["objects"], point["failed"], point["waiting"]), (2, 0, 3))
        self.assertNotIn("complete", point)

    def test_a_run_that_a_sink_ends(self):
        """The other sinks tell that it failed, wherever they stand in `to:`."""
        server = self.server({FOLDER + "S3-a.gz": packed(at(1, 1))})
        for sinks in (["influxdb", "store"], ["store", "influxdb"]):
            with self.subTest(sinks):
                self.flat_config(server, datasources=sinks, store={"type": "sqlite", "path": self.path(sinks[0] + "-first.db")})
                server.faults.clear()
                server.fault("write", scripted.status(401, b'{"code":"unauthorized","message":"no"}'), times=100)
                result = self.pull(code=1)
                (point,) = self.points("all", sinks[0] + "-first")
                self.assertEqual((point["objects"], point["stored"], point["waiting"], point["complete"]), (0, 0, 1, 0))
                self.assertEqual(result.err.count("the token is not accepted"), 1, result.err)
                self.assertNotIn("the run's own figures are not written", result.err)

    def test_a_sink_that_refuses(self):
        server = self.server({FOLDER + "S3-a.gz": packed(at(1, 1))})
        self.flat_config(server)
        self.pull()
        server.fault("write", scripted.status(401, b'{"code":"unauthorized","message":"no"}'), times=100)
        result = self.run_program("verify", "--publish")
        self.assertEqual(result.code, 1, str(result))
        self.assertTrue(result.out.endswith("\nequal\n"))
        self.assertIn("verify: publishing to sink influxdb: ", result.err)


class Sinks(Verify):
    def test_a_sink_that_came_later(self):
        server = self.three()
        self.stores(server, "new", "store")
        document = self.verify(code=1)
        self.assertEqual([(one["name"], one["objects_missing"], one["stored"]) for one in document["jobs"][0]["sinks"]], [("new", 3, 0), ("store", 0, 6)])
        self.assertIn("3 objects were never written here", self.text(code=1))
        self.pull("--again")
        self.verify()

    def test_another_order(self):
        """Counts go by name: swapped in `to:`, two stores with different points are still equal to what is told of them."""
        server = self.three()
        self.stores(server, "store", "new")
        server.objects[FOLDER + "S3-d.gz"] = scripted.Stored(packed(at(9, 1), at(9, 2)), server.objects[FOLDER + "S3-c.gz"].last_modified_s)
        self.pull()
        for names in (("store", "new"), ("new", "store")):
            self.stores(server, *names)
            document = self.verify(code=1)  # three objects are not in new
            self.assertEqual(self.days(document), [])
            self.assertEqual({one["name"]: one["stored"] for one in document["jobs"][0]["sinks"]}, {"store": 8, "new": 2})
            status = json.loads(self.run_program("status", "--json").out)
            self.assertEqual([(one["name"], one["stored"]) for one in status["jobs"][0]["sinks"]], [(name, {"store": 8, "new": 2}[name]) for name in names])

    def test_two_jobs_and_one_store(self):
        first, second = self.server({FOLDER + "S3-a.gz": packed(at(1, 1), at(2, 2))}), self.server({FOLDER + "S3-b.gz": packed(at(2, 3))})
        self.stores(first, "store", jobs={"east": ["store"], "west": ["store"]})
        with open(self.config_path, encoding="utf-8") as file:
            config = json.load(file)
        config["other logs"] = dict(config["logs"], endpoint_url=second.url)
        config["jobs"][1]["from"] = "other logs"
        self.write_config(config)
        self.pull()
        document = self.verify("west")
        self.assertEqual([one["name"] for one in document["jobs"]], ["west"])
        self.assertEqual([one["counted"] for one in document["sinks"][0]["measurements"] if one["counted"]], [3])
        self.verify()
        self.change(self.path("store.db"), 'DELETE FROM "audit-01" WHERE time >= ?', 20514 * DAY_NS)
        self.assertEqual(self.days(self.verify("east", code=1)), [("store", "audit-01", "2026-03-02", 2, 0, [FOLDER + "S3-a.gz", FOLDER + "S3-b.gz"])])

    def test_a_run_under_way(self):
        self.three()
        with open(self.state_path + ".lyve.lock", "r+", encoding="utf-8") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            result = self.run_program("verify", "--no-wait")
            self.assertEqual(result.code, 1, str(result))
            self.assertIn("lyve", result.err)
        self.verify("--no-wait")


class InfluxDB(Verify):
    """The scripted one knows just this question; tests/servers asks a real one."""

    def filled(self, influx=None):
        server = self.server(self.generated())
        self.flat_config(server, influx=influx)
        return server

    def test_equal(self):
        server = self.filled()
        self.pull()
        document = self.verify()
        counts = by_day(self.expected(server).points)
        for one in document["sinks"][0]["measurements"]:
            self.assertEqual(one["counted"], sum(counts[one["name"]].values()))
        self.assertEqual(len(server.of("query")), 4)

    def test_a_point_less(self):
        server = self.filled()
        self.pull()
        lost = next(key for key in server.points if key[0] == "console-01")
        del server.points[lost]
        ((sink, measurement, day, stored, counted, objects),) = self.days(self.verify(code=1))
        self.assertEqual((sink, measurement), ("influxdb", "console-01"))
        self.assertEqual((day, counted), (list(by_day([lost])["console-01"])[0], stored - 1))
        self.assertTrue(objects)

    def test_expired_points_do_not_count(self):
        server = self.filled()
        server.judge = lambda key, fields: "expired" if key[2] < 20515 * DAY_NS else None
        server.partial = lambda keys, kind: scripted.partial_write(keys, kind, bound_ns=20515 * DAY_NS)
        self.pull()
        document = self.verify()
        self.assertGreater(document["jobs"][0]["sinks"][0]["expired"], 0)

    def test_a_token_that_may_not_read(self):
        server = self.filled()
        server.may_read = False
        self.pull()
        (sink,) = self.verify(code=1)["sinks"]
        self.assertIs(sink["counted"], False)
        self.assertIn("the token may not read bucket", sink["error"])
        self.assertIn("sink influxdb: cannot be counted: ", self.text(code=1))

    def test_no_bucket(self):
        server = self.filled()
        self.pull()
        server.buckets.clear()
        document = self.verify(code=1)
        self.assertIs(document["sinks"][0]["counted"], True)
        self.assertEqual({row[4] for row in self.days(document)}, {0})

    def test_a_wrong_token(self):
        server = self.filled()
        self.pull()
        self.flat_config(server, influx={"token": "wrong"})
        self.assertIn("401", self.verify(code=1)["sinks"][0]["error"])

    def test_strange_answers(self):
        server = self.filled()
        self.pull()
        for body, words in (
            (b"<html>hello</html>", "not an answer of InfluxDB"),
            (b",result,table,_time,_value\r\n,_result,0,2026-03-01T00:00:00Z,many\r\n", "not an answer of InfluxDB"),
            (b",result,table,_time,_value\r\n,_result,0,2026-03-01T00:00:00Z,1\r\n\r\n,error,reference\r\n,query terminated: out of memory,897\r\n", "query terminated"),
        ):
            server.fault("query", scripted.status(200, body))
            document = self.verify(code=1)
            self.assertIs(document["sinks"][0]["counted"], False)
            self.assertIn(words, document["sinks"][0]["error"])

    def test_it_is_tried_again(self):
        server = self.filled()
        self.pull()
        server.fault("query", scripted.status(503))
        server.fault("query", scripted.reset)
        self.verify()

    def recent(self):
        """Records of today and of ten days ago."""
        today = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
        records = [s3_record(number) for number in range(2)]
        for record, age in zip(records, (10, 0)):
            record["auditEntry"]["time"] = (today - datetime.timedelta(age)).isoformat()
        return self.server({today.strftime("%B-%Y/S3-x.gz"): packed(*records)})

    def test_days_that_the_bucket_no_longer_keeps(self):
        for may_read_rule in (True, False):
            server = self.recent()
            server.objects = {key: scripted.Stored(one.data, int(datetime.datetime.now().timestamp()) - 60) for key, one in server.objects.items()}
            self.forget()
            self.flat_config(server, influx={"retention": "0s" if may_read_rule else "5d"})
            self.pull()
            self.assertEqual(len(server.audit_points()), 2)
            del server.points[min(server.audit_points(), key=lambda key: key[2])]
            if may_read_rule:
                self.verify(code=1)
                server.buckets[scripted.BUCKET] = 5 * 86400
            else:
                # the rule is not shown: the option counts
                server.fault("buckets", scripted.status(200, b'{"buckets":[]}'), times=100)
            document = self.verify()
            (measurement,) = [one for one in document["sinks"][0]["measurements"] if one["days_not_kept"]]
            self.assertEqual((measurement["days"], measurement["stored"], measurement["days_not_kept"]), (1, 1, 1))
            self.assertIsNotNone(document["sinks"][0]["kept_from"])
            self.assertIn("not compared: 1 older", self.text())


if __name__ == "__main__":
    unittest.main()
