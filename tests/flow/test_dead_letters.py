"""Dead letters as an operator meets them: listed, shown, and their objects read again."""

import datetime
import json
import os
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import generate  # noqa: E402
from lib import expect, scripted, xxh3  # noqa: E402
from lib.harness import DELIVERED_S, FOLDER, Case, packed, s3_record  # noqa: E402

COLUMNS = ["id", "date", "job", "sink", "key", "line", "reason"]
A, B, C = FOLDER + "S3-a.gz", FOLDER + "S3-b.gz", FOLDER + "S3-c.gz"
SECRET_RECORD = '{"auditEntry":{"requestHeader":{"Authorization":"Signature=%s"}},"serviceAccountName":"x"' % generate.SIGNATURE
UNKNOWN_KIND = '{"hello":"world"}'


class Letters(Case):
    def command(self, *arguments, code=0):
        result = self.run_program("dead-letters", *arguments)
        self.assertEqual(result.code, code, "%s: %s" % (arguments, result))
        return result

    def rows(self, *arguments):
        """The table as dicts."""
        text = self.command("list", *arguments).out
        if not text:
            return []
        self.assertEqual(text[-1], "\n")
        head, *rows = [line.split("\t") for line in text[:-1].split("\n")]
        self.assertEqual(head, COLUMNS)
        return [dict(zip(COLUMNS, row)) for row in rows]

    def places(self, *arguments):
        return sorted((row["key"], int(row["line"])) for row in self.rows(*arguments))

    def sample(self, pull=True):
        """Five letters: a has line 2 of no kind and a cut line 3, b a cut line 1, c a sink's refusal at line 2 and line 4."""
        server = self.server(
            {
                A: packed(s3_record(1), UNKNOWN_KIND, SECRET_RECORD, s3_record(2)),
                B: packed(SECRET_RECORD[:-4], s3_record(3)),
                C: packed(s3_record(4), s3_record(5), s3_record(6), UNKNOWN_KIND),
                FOLDER + "S3-d.gz": packed(s3_record(7)),
            }
        )
        self.refused_ns = expect.read_time(s3_record(5)["auditEntry"]["time"])
        server.judge = self.refuse
        self.flat_config(server)
        if pull:
            self.pull()
        return server

    def refuse(self, key, fields):
        return "dead" if key[2] == self.refused_ns else None

    def ledger_execute(self, statement, *values):
        connection = sqlite3.connect(self.state_path)
        with connection:
            connection.execute(statement, values)
        connection.close()

    def objects(self):
        return dict(self.ledger("SELECT CAST(key AS TEXT), state FROM object WHERE gone IS NULL"))


class List(Letters):
    def test_the_table(self):
        before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        self.sample()
        rows = self.rows()
        self.assertEqual(sorted((row["key"], row["line"], row["sink"]) for row in rows), [(A, "2", "-"), (A, "3", "-"), (B, "1", "-"), (C, "2", "influxdb"), (C, "4", "-")])
        ids = [int(row["id"]) for row in rows]
        self.assertEqual(ids, sorted(ids, reverse=True), "the newest first")
        for row in rows:
            self.assertEqual(row["job"], "lyvecloud")
            self.assertTrue(row["reason"])
            date = datetime.datetime.strptime(row["date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
            self.assertLessEqual(before, date)
            self.assertLess(date - before, datetime.timedelta(minutes=5))

    def test_filters(self):
        self.sample()
        reason = next(row["reason"] for row in self.rows() if (row["key"], row["line"]) == (A, "2"))
        self.assertEqual(self.places("--reason", reason), [(A, 2), (C, 4)])
        self.assertEqual(self.places("--reason", "no such reason"), [])
        cut = next(row["reason"] for row in self.rows() if row["key"] == B)
        self.assertRegex(cut, r"\d", "a reason with a position")
        self.assertEqual(self.places("--reason", cut), [(A, 3), (B, 1)], "positions do not matter")
        self.assertEqual(len(self.places("--since", "-1h")), 5)
        self.assertEqual(self.places("--since", "2100-01-01"), [])
        self.assertEqual(len(self.places("lyvecloud")), 5)
        self.assertEqual(len(self.places("--job", "lyvecloud")), 5)

    def test_limit(self):
        self.sample()
        result = self.command("list", "--limit", "2")
        self.assertEqual([line.split("\t")[0] for line in result.out.splitlines()], ["id", "5", "4"])
        self.assertIn("3 older ones", result.err)
        self.assertEqual(self.command("list", "--limit", "5").err, "")

    def test_many(self):
        server = self.server({A: packed(*["broken"] * 700)})
        self.flat_config(server)
        self.pull()
        rows = self.rows("--limit", "1000")
        self.assertEqual([int(row["id"]) for row in rows], list(range(700, 0, -1)))
        self.assertEqual(len(self.rows()), 100)

    def test_strange_keys_do_not_break_the_table(self):
        server = self.server({FOLDER + "S3-\x1b[31m \u2028 \t.gz": packed("broken")})
        self.flat_config(server)
        self.pull()
        rows = self.rows()
        self.assertEqual([(row["key"], row["line"]) for row in rows], [(FOLDER + "S3-\\x1b[31m \u2028 \\x09.gz", "1")])

    def test_before_the_first_run(self):
        self.flat_config(self.server())
        self.assertEqual(self.rows(), [])
        self.assertIn("nothing has run yet", self.command("show", "1", code=1).err)
        self.assertIn("nothing has run yet", self.command("requeue", "1", code=1).err)
        self.assertFalse(os.path.exists(self.state_path))

    def test_wrong_usage(self):
        self.flat_config(self.server())
        for arguments in (
            [],
            ["bury"],
            ["list", "nojob"],
            ["list", "lyvecloud", "more"],
            ["list", "--limit", "0"],
            ["list", "--limit", "many"],
            ["list", "--since", "soon"],
            ["list", "--colour"],
            ["show"],
            ["show", "x"],
            ["show", "0"],
            ["show", "9" * 20],
            ["show", "1", "2"],
            ["requeue"],
            ["requeue", "x"],
            ["requeue", "1", "2x"],
            ["requeue", "1", "--job", "lyvecloud"],
            ["requeue", "--job", "nojob"],
        ):
            self.assertTrue(self.command(*arguments, code=2).err, arguments)


class Show(Letters):
    def test_all_of_it(self):
        server = self.sample()
        row = next(row for row in self.rows() if (row["key"], row["line"]) == (A, "3"))
        result = self.command("show", row["id"])
        head, _, record = result.out.partition("\n\n")
        facts = dict(line.split(None, 1) for line in head.splitlines())
        self.assertEqual({name: facts[name] for name in ("id", "date", "job", "key", "line", "reason")}, {name: row[name] for name in COLUMNS if name != "sink"})
        self.assertEqual(facts["endpoint"], server.url)
        self.assertEqual(facts["bucket"], scripted.LOGS)
        self.assertEqual(facts["object"], "settled")
        self.assertTrue(facts["length"].startswith("%d bytes, " % len(SECRET_RECORD)), facts["length"])
        self.assertTrue(facts["hash"].startswith("%016x " % xxh3.xxh3_64(SECRET_RECORD.encode())), facts["hash"])
        self.assertTrue(record.startswith('{"auditEntry":{"requestHeader":{"Authorization":'), record)
        self.assertIn('"serviceAccountName":"x"', record)
        self.assert_no_secret(result.out, result.err)

    def test_one_that_is_not_there(self):
        self.sample()
        self.assertIn("99", self.command("show", "99", code=1).err)


class Requeue(Letters):
    def test_mended_sink(self):
        """A sink that took one point badly takes it now: the letter goes, the point is there, the rest stays as it was."""
        server = self.sample()
        refused = next(row["id"] for row in self.rows() if row["sink"] == "influxdb")
        self.assertEqual(len(server.audit_points()), 6)
        server.judge = None
        gets = len(server.of("get"))
        result = self.command("requeue", refused)
        self.assertIn("1 objects requeued", result.out)
        self.assertEqual(self.objects(), {A: 1, B: 1, C: 0, FOLDER + "S3-d.gz": 1})
        self.assertEqual(len(self.rows()), 5, "until it is read")
        self.assert_figures(self.pull(), objects=1, read=4, stored=3, dead=1)
        self.assertEqual([request.key for request in server.of("get")[gets:]], [C])
        self.assertEqual(self.places(), [(A, 2), (A, 3), (B, 1), (C, 4)])
        self.assert_exact(server)

    def test_letters_that_come_again_are_replaced(self):
        server = self.sample()
        before = {row["id"] for row in self.rows() if row["key"] == A}
        places = self.places()
        points = server.audit_points()
        self.command("requeue", *before)
        self.assert_figures(self.pull(), objects=1, read=4, dead=2)
        after = {row["id"] for row in self.rows() if row["key"] == A}
        self.assertEqual(self.places(), places)
        self.assertFalse(before & after, "they are of the new attempt")
        self.assert_points(server.audit_points(), points)

    def test_letters_that_do_not_come_again_go(self):
        """The object is good now, and the ledger takes it for the one it knows."""
        server = self.sample()
        old = server.objects[B]
        data = packed(s3_record(8), s3_record(3))
        server.objects[B] = scripted.Stored(data, old.last_modified_s, old.etag)
        self.ledger_execute("UPDATE object SET size = ? WHERE key = CAST(? AS BLOB)", len(data), B)
        self.command("requeue", next(row["id"] for row in self.rows() if row["key"] == B))
        self.assert_figures(self.pull(), objects=1, read=2, stored=2, dead=0)
        self.assertNotIn(B, {row["key"] for row in self.rows()})

    def test_by_reason(self):
        self.sample()
        reason = next(row["reason"] for row in self.rows() if (row["key"], row["line"]) == (A, "2"))
        self.assertIn("2 objects requeued", self.command("requeue", "--reason", reason).out)
        self.assertEqual(self.objects(), {A: 0, B: 1, C: 0, FOLDER + "S3-d.gz": 1})
        again = self.command("requeue", "--reason", reason)
        self.assertIn("0 objects requeued, 2 were waiting already", again.out)

    def test_by_job_and_date(self):
        self.sample()
        self.assertIn("0 objects requeued", self.command("requeue", "--job", "lyvecloud", "--since", "2100-01-01").out)
        self.assertIn("3 objects requeued", self.command("requeue", "--job", "lyvecloud", "--since", "-1h").out)
        self.assertEqual(self.objects(), {A: 0, B: 0, C: 0, FOLDER + "S3-d.gz": 1})

    def test_more_objects_than_a_page(self):
        objects = {FOLDER + "S3-%03d.gz" % number: packed("broken") for number in range(300)}
        server = self.server(objects)
        self.flat_config(server)
        self.pull()
        self.assertIn("300 objects requeued", self.command("requeue", "--job", "lyvecloud").out)
        self.assertEqual(set(self.objects().values()), {0})
        self.assert_figures(self.pull(), objects=300, dead=300)
        self.assertEqual(len(self.rows("--limit", "1000")), 300)

    def test_a_number_that_is_not_there(self):
        self.sample()
        first = self.rows()[0]
        result = self.command("requeue", "99", first["id"], code=1)
        self.assertIn("99", result.err)
        self.assertIn("1 objects requeued", result.out)
        self.assertEqual(self.objects()[first["key"]], 0, "the others are requeued all the same")

    # --- what is gone ---

    def test_an_object_gone_from_the_place(self):
        server = self.sample()
        del server.objects[A]
        server.objects[A + ".old"] = scripted.Stored(packed(s3_record(9)), DELIVERED_S)  # a key that begins with the one looked for
        before = self.rows()
        result = self.command("requeue", "--job", "lyvecloud", code=1)
        self.assertIn(A, result.err)
        self.assertIn("gone", result.err)
        self.assertIn("2 objects requeued", result.out)
        self.assertEqual(self.rows(), before)
        self.assertEqual(self.objects()[A], 1)

    def test_an_object_gone_from_the_ledger(self):
        server = self.sample()
        del server.objects[A]
        self.pull()
        self.assertNotIn(A, self.objects(), "pruned")
        ids = [row["id"] for row in self.rows() if row["key"] == A]
        self.assertEqual(len(ids), 2)
        result = self.command("requeue", ids[0], code=1)
        self.assertIn(A, result.err)
        self.assertEqual([row["id"] for row in self.rows() if row["key"] == A], ids)
        self.assertIn("gone from the ledger", self.command("show", ids[0]).out)

    def test_an_object_lost_when_it_is_read(self):
        server = self.sample()
        before = [row for row in self.rows() if row["key"] == A]
        self.command("requeue", before[0]["id"])
        server.fault("get", scripted.status(404, b"<Error><Code>NoSuchKey</Code></Error>"), times=100)
        self.assert_figures(self.pull(code=1), objects=1, failed=1)
        self.assertEqual([row for row in self.rows() if row["key"] == A], before)
        self.assertEqual(self.objects()[A], 2)
        server.faults.clear()
        self.assert_figures(self.pull(), objects=1, failed=0, dead=2)
        self.assertEqual(len([row for row in self.rows() if row["key"] == A]), 2)

    def test_a_job_that_reads_another_place_now(self):
        server = self.sample()
        server.s3_buckets.add("other")
        self.flat_config(server, s3={"log_bucket": "other"})
        result = self.command("requeue", "--job", "lyvecloud", code=1)
        self.assertIn("another place", result.err)
        self.assertIn("0 objects requeued", result.out)

    def test_an_object_that_is_ignored(self):
        """The next run would give it up and not read it."""
        server = self.sample()
        self.flat_config(server, s3={"ignore": [A]})
        result = self.command("requeue", "--job", "lyvecloud", code=1)
        self.assertIn("%s: `ignore:` names it" % A, result.err)
        self.assertIn("2 objects requeued", result.out)
        self.assertEqual(self.objects()[A], 1)

    def test_a_job_that_is_no_more(self):
        self.sample()
        self.ledger_execute("UPDATE scope SET job = 'older'")
        result = self.command("requeue", self.rows()[0]["id"], code=1)
        self.assertIn("no such job", result.err)

    def test_a_place_that_refuses(self):
        server = self.sample()
        server.fault("list", scripted.status(403, b"<Error><Code>AccessDenied</Code></Error>"), times=100)
        result = self.command("requeue", "--job", "lyvecloud", code=1)
        self.assertIn("AccessDenied", result.err)
        self.assertEqual(set(self.objects().values()), {1})

    def test_requeued_twice_is_read_once(self):
        server = self.sample()
        letter = self.rows()[0]
        self.command("requeue", letter["id"])
        self.command("requeue", letter["id"])
        gets = len(server.of("get"))
        self.pull()
        self.assertEqual(len(server.of("get")), gets + 1)


class Drop(Letters):
    def counts(self):
        """What the sink is said to have, and how many letters there are."""
        job = json.loads(self.run_program("status", "--json").out)["jobs"][0]
        return job["sinks"], job["dead_letters"]["kept"]

    def test_by_number(self):
        self.sample()
        sinks, kept = self.counts()
        first, *others = [row["id"] for row in self.rows()]
        self.assertIn("1 letters dropped", self.command("drop", first).out)
        self.assertEqual([row["id"] for row in self.rows()], others)
        self.assertEqual(self.counts(), (sinks, kept - 1), "what was dead stays counted as dead")
        result = self.command("drop", first, others[0], code=1)
        self.assertIn(first, result.err)
        self.assertIn("1 letters dropped", result.out)

    def test_of_objects_that_are_gone(self):
        server = self.sample()
        self.assertIn("0 letters dropped", self.command("drop", "--gone").out)
        del server.objects[A]
        self.pull()
        gone = [(A, 2), (A, 3)]
        left = [place for place in self.places() if place not in gone]
        self.assertEqual(self.places("--gone"), gone)
        self.assertIn("2 letters dropped", self.command("drop", "--gone").out)
        self.assertEqual(self.places(), left)
        self.assertEqual(len(left), 3)

    def test_by_date(self):
        self.sample()
        self.ledger_execute("UPDATE dead_letter SET buried = 1000000000 WHERE id <= 2")
        self.ledger_execute("UPDATE dead_letter SET buried = NULL WHERE id = 3")
        self.assertEqual([row["id"] for row in self.rows("--before", "-90d")], ["3", "2", "1"])
        oldest = json.loads(self.run_program("status", "--json").out)["jobs"][0]["dead_letters"]["oldest"]
        self.assertEqual(oldest, "1970-01-01T00:00:01Z")
        self.assertIn("0 letters dropped", self.command("drop", "--before", "1970-01-01", "--job", "lyvecloud").out)
        self.command("drop", "--before", "-90d", "--job", "lyvecloud")
        self.assertEqual([row["id"] for row in self.rows()], ["5", "4"])

    def test_more_than_a_page(self):
        self.sample()
        self.ledger_execute(
            "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 499)"
            " INSERT INTO dead_letter (scope, key, run, line, sink, reason, len, hash, bytes, buried)"
            " SELECT 1, x'61', 1, i, '', CASE i % 2 WHEN 1 THEN 'odd' ELSE 'even' END, 0, 0, x'', 1 FROM n"
        )
        self.assertIn("200 letters dropped", self.command("drop", "--reason", "odd").out)
        self.assertEqual(self.ledger("SELECT count(*) FROM dead_letter"), [(205,)])

    def test_of_a_job_that_is_no_more(self):
        self.sample()
        self.ledger_execute("UPDATE scope SET job = 'former'")
        self.assertIn("5 letters dropped", self.command("drop", "--job", "former").out)

    def test_never_all_by_mistake(self):
        self.sample()
        for arguments in ((), ("1", "--gone"), ("x",), ("--before", "soon")):
            self.command("drop", *arguments, code=2)
        self.assertEqual(len(self.rows()), 5)


if __name__ == "__main__":
    unittest.main()
