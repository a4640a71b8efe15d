"""Parsers that the configuration declares, tags kept as fields, and the counting of tag values."""

import os
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib import scripted  # noqa: E402
from lib.harness import FOLDER, Case, lines, packed, s3_record  # noqa: E402

DOOR = {
    "record_keys": "door",
    "measurement": "door",
    "columns": [{"tag": "name", "path": "door.name"}, {"tag": "person", "path": "door.by"}, {"message": "message"}],
    "time": {"path": "door.at", "precision": "ns", "format": "epoch"},
}
SINCE = ("--from-date", "1970-01-01")


def door(number, name="north"):
    return {"door": {"at": 1772352000 + number, "name": name, "by": "person %d" % number}}


class Declared(Case):
    """A job of a folder, its door parser, and a SQLite store."""

    def setUp(self):
        super().setUp()
        os.makedirs(self.path("input", "logs"))
        self.job = {"name": "doors", "from": "logs", "to": "store", "parse": ["door", "lyve_s3"]}
        self.store_path = self.path("store.db")

    def configure(self, more=None, **job):
        self.job.update(job)
        self.write_config(
            {
                "parsers": {"door": DOOR},
                "jobs": [self.job],
                "logs": {"type": "file", "path": self.path("input"), "folders": "logs/"},
                "store": {"type": "sqlite", "path": self.store_path},
                "state": self.state_path,
                **(more or {}),
            }
        )

    def write_object(self, name, *records):
        with open(self.path("input", "logs", name), "wb") as file:
            file.write(lines(*records))

    def rows(self, query):
        connection = sqlite3.connect(self.store_path)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def test_a_run_with_a_declared_parser(self):
        self.configure()
        self.write_object("a.json", door(1), s3_record(1), door(2, "south"), {"window": 1})
        result = self.run_program("pull", *SINCE)
        self.assertEqual(result.code, 0, str(result))
        self.assert_figures(result, read=4, stored=3, dead=1)
        wanted = [(1772352001 * 10**9, "north", "person 1"), (1772352002 * 10**9, "south", "person 2")]
        self.assertEqual(self.rows("SELECT time, name, person FROM door ORDER BY time"), wanted)
        self.assertEqual(self.rows('SELECT count(*) FROM "audit-01"'), [(1,)])

    def test_a_tag_kept_as_a_field_is_another_schema(self):
        self.configure()
        self.write_object("a.json", door(1), door(2))
        self.assertEqual(self.run_program("pull", *SINCE).code, 0)
        self.store_path = self.path("second.db")
        self.configure(fields=["person"])
        refused = self.run_program("pull", *SINCE)
        self.assertEqual(refused.code, 2, str(refused))
        self.assertIn("--new-schema", refused.err)
        self.assertEqual(self.rows("SELECT name FROM sqlite_master WHERE name = 'door'"), [])
        again = self.run_program("pull", *SINCE, "--new-schema")
        self.assertEqual(again.code, 0, str(again))
        self.assert_figures(again, read=2, stored=2)
        self.assertEqual(self.rows("SELECT person FROM door ORDER BY time"), [("person 1",), ("person 2",)])
        keys = self.rows("SELECT name FROM pragma_table_info('door') WHERE pk > 0 ORDER BY pk")
        self.assertEqual(keys, [("time",), ("name",)])

    def test_each_sink_has_its_schema(self):
        """The first sink is new, the second one has points of another schema."""
        old = self.path("old.db")
        self.configure(to=["old"], more={"old": {"type": "sqlite", "path": old}})
        self.write_object("a.json", door(1))
        self.assertEqual(self.run_program("pull", *SINCE).code, 0)
        self.configure(fields=["person"], to=["store", "old"], more={"old": {"type": "sqlite", "path": old}})
        refused = self.run_program("pull", *SINCE)
        self.assertEqual(refused.code, 2, str(refused))
        self.assertIn("sink old:", refused.err)
        self.assertFalse(os.path.exists(self.store_path))

    def test_check_says_what_is_wrong_at_its_place(self):
        self.write_config("parsers:\n  door: {record_keys: door, measurement: door, columns: [{tag: a}], time: {path: t}}\n" + "jobs: []\n")
        result = self.run_program("check")
        self.assertEqual(result.code, 2)
        self.assertIn("config.yaml:2:58: parsers.door.columns[0].path: required", result.err)
        self.assertRegex(result.err, r"config\.yaml:2:\d+: parsers\.door\.time\.precision: required")


class Counting(Case):
    def parse(self, *arguments, code=0):
        result = self.run_program("parse", *arguments, self.path("a.json"))
        self.assertEqual(result.code, code, str(result))
        return result

    def write_doors(self, n):
        with open(self.path("a.json"), "wb") as file:
            file.write(lines(*(door(number, "north" if number % 4 else "south") for number in range(n))))
        self.write_config({"parsers": {"door": DOOR}, "sink": {"token": "${NOT_SET}"}})

    def warnings(self, result):
        return [line for line in result.log if line.get("level") == "warn"]

    def test_stats_in_place_of_points(self):
        self.write_doors(100)
        result = self.parse("--as", "door", "--stats", "--budget", "99")
        self.assertEqual(
            result.out,
            "door: 100 points, 100 series\n"
            "         2 values,    75.0 % most frequent  name\n"
            "       100 values,     1.0 % most frequent  person\n",
        )
        found = [(line["measurement"], line["tag"], line["values"], line["budget"]) for line in self.warnings(result)]
        self.assertEqual(found, [("door", "person", "100", "99")])
        self.assertEqual(self.warnings(self.parse("--stats", "--budget", "100")), [])

    def test_without_as_the_declared_parsers_are_tried_too(self):
        self.write_doors(3)
        self.assertEqual(len(self.parse().out.splitlines()), 3)

    def test_wrong_usage(self):
        self.write_doors(1)
        for arguments in (
            ["--stats", "--to", "line_protocol"],
            ["--budget", "5"],
            ["--stats", "--budget", "0"],
            ["--as", "window"],
        ):
            self.assertTrue(self.parse(*arguments, code=2).err, arguments)


class Sample(Case):
    def addresses(self, start, n):
        return packed(*(s3_record(i, serviceAccountName="svc %d" % i) for i in range(start, start + n)))

    def check(self, server, *arguments, code=0):
        self.flat_config(server, s3={"folders": "logs/"})
        result = self.run_program("check", "--connect", *arguments)
        self.assertEqual(result.code, code, str(result))
        return result

    def counted(self, result):
        return {line["tag"]: int(line["values"]) for line in result.log if line.get("level") == "warn" and "tag" in line}

    def test_the_newest_five_objects_are_counted(self):
        # The server's objects are delivered one second apart, in this order: the first two are not read.
        server = self.server({"logs/S3-%d.gz" % (9 - i): self.addresses(10 * i, 10) for i in range(7)})
        result = self.check(server, "--budget", "49")
        self.assertEqual(self.counted(result), {"serviceAccountName": 50})
        self.assertEqual(sorted(request.key for request in server.of("get")), ["logs/S3-%d.gz" % i for i in range(3, 8)])
        self.assertEqual(self.counted(self.check(server, "--budget", "50")), {})
        self.assertEqual(server.audit_points(), {})

    def test_the_newest_folder_that_has_objects(self):
        server = self.server({FOLDER + "S3-a.gz": self.addresses(0, 3), "February-2026/S3-b.gz": self.addresses(0, 9)})
        self.flat_config(server)
        result = self.run_program("check", "--connect", "--budget", "2")
        self.assertEqual(result.code, 0, str(result))
        self.assertEqual(self.counted(result), {"serviceAccountName": 3})

    def test_damaged_and_dead_objects_are_no_fault(self):
        server = self.server({"logs/S3-a.gz": self.addresses(0, 5)[:-20], "logs/S3-b.gz": packed("broken")})
        self.check(server)

    def test_an_empty_place_is_no_fault(self):
        self.check(self.server())

    def test_objects_that_cannot_be_read_are(self):
        server = self.server({"logs/S3-a.gz": self.addresses(0, 5)})
        server.fault("get", scripted.status(403), times=99)
        result = self.check(server, code=1)
        self.assertIn("logs/S3-a.gz", result.out)

    def test_eight_mib_of_a_large_object(self):
        # Stored plain: 4,000 records of 4 KiB, each a service of its own; 8 MiB are about half of them.
        records = lines(*(s3_record(i, serviceAccountName="svc %04d" % i, padding="x" * 3600) for i in range(4000)))
        each = len(records) // 4000
        server = self.server({"logs/S3-a": records})
        counted = self.counted(self.check(server, "--budget", "1"))["serviceAccountName"]
        self.assertAlmostEqual(counted, 8 * 1024 * 1024 // each, delta=2)

    def test_budget_goes_with_connect(self):
        self.flat_config(self.server())
        self.assertEqual(self.run_program("check", "--budget", "5").code, 2)


if __name__ == "__main__":
    unittest.main()
