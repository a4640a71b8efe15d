"""`status` as an operator, a program and a health check see it. Late kinds and overdue runs need a made-up past: the unit
tests have them."""

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
from lib.harness import FOLDER, Case, packed, s3_record, wait_for  # noqa: E402

HOUR_NS = 3600 * 10**9


def instant(text):
    return datetime.datetime.strptime(text.split(".")[0].rstrip("Z"), "%Y-%m-%dT%H:%M:%S").replace(tzinfo=datetime.timezone.utc)


class Status(Case):
    def status(self, *arguments, code=0):
        result = self.run_program("status", *arguments)
        self.assertEqual(result.code, code, str(result))
        return result.out

    def document(self, *arguments, code=0):
        return json.loads(self.status("--json", *arguments, code=code))

    def job(self, *arguments, code=0):
        (job,) = self.document(*arguments, code=code)["jobs"]
        return job

    def sample(self, **changes):
        """a: 2 points, 1 duplicate, 3 dead; b: 1 point; broken: quarantined."""
        record = s3_record(1)
        objects = {
            FOLDER + "S3-a.gz": packed(record, record, s3_record(2), "broken 1", "broken 2", '{"no":"kind"}'),
            FOLDER + "S3-b.gz": packed(s3_record(3)),
        }
        objects.update(changes)
        server = self.server(objects)
        self.flat_config(server)
        return server

    def change(self, statement, *values):
        connection = sqlite3.connect(self.state_path)
        with connection:
            connection.execute(statement, values)
        connection.close()


class Json(Status):
    def test_everything(self):
        server = self.sample()
        begun = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        self.pull()
        document = self.document()
        self.assertEqual(list(document), ["now", "state", "jobs"])
        self.assertEqual(document["state"], self.state_path)
        (job,) = document["jobs"]
        self.assertEqual(job["name"], "lyvecloud")
        self.assertIs(job["well"], True)
        self.assertIsNone(job["problem"])
        self.assertIs(job["under_way"], False)
        run = job["last_run"]
        self.assertLessEqual(begun, instant(run["started"]))
        self.assertLessEqual(instant(run["started"]), instant(run["ended"]))
        self.assertIs(run["complete"], True)
        self.assertIsNone(run["error"])
        now = instant(document["now"])
        self.assertEqual(instant(job["next_run"]), now.replace(minute=0, second=0) + datetime.timedelta(hours=1))
        self.assertEqual(job["good_window"]["from"], "2026-01-01T00:00:00Z")
        self.assertLessEqual(begun, instant(job["good_window"]["to"]))
        self.assertLess(job["lag_seconds"], 60)
        self.assertEqual(job["objects"], {"listed": 0, "settled": 2, "failed": 0, "quarantined": 0, "unmatched": 0})
        self.assertEqual(job["records_read"], 7)
        self.assertEqual(job["sinks"], [{"name": "influxdb", "stored": 3, "duplicate": 1, "expired": 0, "dead": 3}])
        self.assertEqual(job["dead_letters"]["kept"], 3)
        self.assertEqual(job["dead_letters"]["only_counted"], 0)
        self.assertEqual([reason["letters"] for reason in job["dead_letters"]["reasons"]], [2, 1])
        kinds = {kind["name"]: kind for kind in job["kinds"]}
        self.assertEqual(list(kinds), ["lyve_s3", "lyve_console", "lyve_iam", "lyve_api"])
        self.assertEqual(kinds["lyve_s3"]["newest_record"], "2026-03-01T10:00:03.123456792Z")
        age = (now - instant("2026-03-01T10:00:03Z")).total_seconds()
        self.assertAlmostEqual(kinds["lyve_s3"]["age_seconds"], age, delta=2)
        self.assertIsNone(kinds["lyve_s3"]["usual_gap_seconds"])
        self.assertIsNone(kinds["lyve_iam"]["newest_record"])
        self.assertIsNone(kinds["lyve_iam"]["age_seconds"])
        self.assertEqual({kind["late"] for kind in kinds.values()}, {False})
        self.assertIsNone(job["oldest_error"])
        self.assertEqual(len(server.audit_points()), 3)

    def test_before_the_first_run(self):
        self.flat_config(self.server())
        job = self.job()
        for name in ("last_run", "good_window", "lag_seconds", "oldest_error"):
            self.assertIsNone(job[name], name)
        self.assertIsNone(job["objects"]["unmatched"])
        self.assertEqual(job["objects"]["settled"], 0)
        self.assertEqual(job["sinks"], [{"name": "influxdb", "stored": 0, "duplicate": 0, "expired": 0, "dead": 0}])
        self.assertEqual(job["problem"], "nothing has run yet")
        self.assertIsNotNone(job["next_run"])
        self.assertFalse(os.path.exists(self.state_path))

    def test_what_was_kept_back(self):
        self.sample(**{FOLDER + "S3-broken.gz": packed(s3_record(4))[:-9], "elsewhere/x.gz": packed(s3_record(5))})
        self.pull(code=1)
        job = self.job()
        self.assertEqual(job["objects"], {"listed": 0, "settled": 2, "failed": 0, "quarantined": 1, "unmatched": 1})
        self.assertIn("S3-broken.gz", job["oldest_error"])
        self.assertIs(job["well"], False)
        self.assertIs(job["last_run"]["complete"], False)
        self.assertIn("1 quarantined", job["last_run"]["error"])
        self.assertIn(job["last_run"]["error"], job["problem"])
        self.assertIsNone(job["good_window"])

    def test_keys_that_are_not_text(self):
        """A name from a file system may be any bytes; the document is UTF-8 all the same."""
        folder = self.path("input", "March-2026").encode()
        os.makedirs(folder)
        with open(os.path.join(folder, b"S3-\xff\x1b.gz"), "wb") as file:
            file.write(packed(s3_record(1))[:-9])
        self.write_config(
            {
                "jobs": [{"name": "files", "from": "in", "to": ["out"]}],
                "in": {"type": "file", "path": self.path("input")},
                "out": {"type": "sqlite", "path": self.path("store.db")},
                "state": self.state_path,
            }
        )
        self.pull(code=1)
        self.assertIn("S3-\ufffd\x1b.gz", self.job()["oldest_error"])
        self.assertIn("S3-\ufffd\\x1b.gz", self.status())

    def test_more_dead_than_are_kept(self):
        self.sample(**{FOLDER + "S3-c.gz": packed(*["broken %d" % number for number in range(1003)], *[s3_record(number) for number in range(10, 20)])})
        self.pull(code=1)
        letters = self.job()["dead_letters"]
        self.assertEqual((letters["kept"], letters["only_counted"]), (1003, 3))
        self.assertEqual(sum(reason["letters"] for reason in letters["reasons"]), 1003)

    def test_one_job_of_two(self):
        server = self.server()
        s3 = {"type": "s3", "endpoint_url": server.url, "log_bucket": scripted.LOGS, "access_key": "key-id", "secret_key": "x" * 20, "region": "us-east-1"}
        store = {"type": "sqlite", "path": self.path("store.db")}
        job = {"from": "logs", "to": ["store"]}
        self.write_config({"jobs": [{"name": "first", **job}, {"name": "second", **job, "schedule": "30 4 * * *"}], "logs": s3, "store": store, "state": self.state_path})
        self.assertEqual([one["name"] for one in self.document()["jobs"]], ["first", "second"])
        self.assertEqual([one["name"] for one in self.document("second")["jobs"]], ["second"])
        self.assertTrue(self.job("second")["next_run"].endswith("T04:30:00Z"))
        self.status("third", code=2)
        self.status("first", "second", code=2)


class Text(Status):
    def test_asked_for_days_to_come(self):
        """A run that was complete, and says nothing of what is there."""
        self.flat_config(self.sample(), s3={"folders": ""})
        self.pull("--to-date", "2100-01-02", since="2100-01-01")
        self.assertEqual(self.status("--check", code=1), "job lyvecloud: no run was asked for what has been delivered\n")

    def test_what_it_says(self):
        self.sample()
        self.pull()
        text = self.status()
        for words in ("job lyvecloud\n", "complete", "settled 2, listed 0, failed 0, quarantined 0, unmatched 0", "read 7"):
            self.assertIn(words, text)
        for words in ("stored 3, duplicate 1, expired 0, dead 3", "dead letters kept 3, the oldest of 20", "newest record 2026-03-01T10:00:03"):
            self.assertIn(words, text)
        self.assertRegex(text, r"lyve_iam +newest record never\n")
        self.assertRegex(text, r"good window +2026-01-01T00:00:00Z to \S+, lag \d+s\n")
        self.assertRegex(text, r"\n +2  \S.*\n +1  \S")
        self.assertNotIn("LATE", text)

    def test_a_late_kind_is_called_out(self):
        """Runs of ten hours are made up, the last of them two days ago."""
        self.sample()
        self.pull()
        ((started,),) = self.ledger("SELECT started FROM run")
        self.change("DELETE FROM kind_arrival")
        for hour in range(10):
            self.change("INSERT INTO kind_arrival VALUES ('lyvecloud', 'lyve_s3', ?)", started - (58 - hour) * HOUR_NS)
        self.change("UPDATE kind SET newest = ?", started - 50 * HOUR_NS)
        self.assertRegex(self.status(), r"lyve_s3 +newest record \S+, 2d 2h ago: LATE, newer ones usually come every 1h 0m\n")
        kind = self.job()["kinds"][0]
        self.assertEqual((kind["late"], kind["usual_gap_seconds"], kind["late_after_seconds"]), (True, 3600, 3 * 3600))
        self.assertEqual(self.status("--check"), "job lyvecloud: well\n", "it may be the weekend")


class Check(Status):
    def test_well(self):
        self.sample()
        self.assertIn("nothing has run yet", self.status("--check", code=1))
        self.pull()
        self.assertEqual(self.status("--check"), "job lyvecloud: well\n")
        self.assertIs(self.job("--check")["well"], True)

    def test_a_failed_run(self):
        server = self.sample()
        self.pull()
        server.objects[FOLDER + "S3-new.gz"] = scripted.Stored(packed(s3_record(9)), server.objects[FOLDER + "S3-a.gz"].last_modified_s)
        server.fault("write", scripted.status(401, b'{"message":"unauthorized access"}'), times=1000)
        self.pull(code=1)
        text = self.status("--check", code=1)
        self.assertIn("not complete", text)
        self.assertIn("401", text)
        self.assertEqual(self.status().count("not complete"), 2)
        self.assertIs(self.job("--check", code=1)["well"], False)
        server.faults.clear()
        self.pull()
        self.status("--check")

    def interrupt(self, server, kind, *arguments):
        """A pull that is told to stop once the server has such a request."""
        server.requests.clear()
        process = self.start("pull", "--from-date", "2026-01-01", *arguments)
        wait_for(lambda: server.of(kind))
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process, timeout=30).code, 1)
        server.faults.clear()

    def test_a_pull_that_was_interrupted_is_no_failure(self):
        server = self.sample()
        self.flat_config(server, s3={"workers": 1})
        self.pull()
        while_waiting = {
            "get": scripted.edit(delay_s=2.0),  # one object is settled, one left
            "list": scripted.edit(delay_s=3.0),
            "write": scripted.status(503, b"", Retry_After="60"),  # let go after 8 s
        }
        for kind, change in while_waiting.items():
            with self.subTest(kind):
                server.fault(kind, change, times=1000)
                self.interrupt(server, kind, "--again")
                self.assertEqual(self.status("--check"), "job lyvecloud: well\n")
                self.assertIn("cut off", self.status())
                run = self.job()["last_run"]
                self.assertEqual((run["ended"], run["complete"], run["error"]), (None, False, None))
        self.pull()
        self.assertNotIn("cut off", self.status())

    def test_a_pull_that_was_interrupted_mends_nothing(self):
        server = self.sample()
        self.flat_config(server, s3={"workers": 1})
        server.fault("list", scripted.status(403), times=1000)
        self.pull(code=1)
        before = self.status("--check", code=1)
        server.faults.clear()
        server.fault("get", scripted.edit(delay_s=2.0), times=1000)
        self.interrupt(server, "get")
        self.assertIn("the last run was not complete", before)
        self.assertEqual(self.status("--check", code=1), before)

    def test_what_an_interrupted_pull_kept_back_counts(self):
        server = self.sample()
        self.flat_config(server, s3={"workers": 1})
        self.pull()
        server.fault("get", scripted.status(404), when=lambda request: request.key.endswith("S3-a.gz"))
        server.fault("get", scripted.edit(delay_s=2.0), times=1000)
        server.objects[FOLDER + "S3-c.gz"] = scripted.Stored(packed(s3_record(9)), server.objects[FOLDER + "S3-a.gz"].last_modified_s)
        self.interrupt(server, "get", "--again")
        self.assertIn("not complete", self.status("--check", code=1))
        self.assertEqual(self.job()["objects"]["failed"], 1)

    def test_a_first_run_that_was_interrupted(self):
        server = self.sample()
        self.flat_config(server, s3={"workers": 1})
        server.fault("get", scripted.edit(delay_s=2.0), times=1000)
        self.interrupt(server, "get")
        self.assertEqual(self.status("--check", code=1), "job lyvecloud: the first run was cut off\n")

    def test_overdue(self):
        self.sample()
        self.pull()
        self.change("UPDATE good_window SET to_ns = to_ns - ?", 4 * HOUR_NS)
        self.assertRegex(self.status("--check", code=1), r"^job lyvecloud: two runs are overdue, the lag is 4h 0m\n$")

    def test_a_run_under_way(self):
        self.sample()
        self.pull()
        self.change("UPDATE run SET ended = NULL, ok = NULL")
        self.change("DELETE FROM good_window")
        self.assertIn("cut off", self.status("--check", code=1))
        self.assertIn("cut off", self.status())
        with open(self.state_path + ".lyvecloud.lock", "r+", encoding="utf-8") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            self.assertEqual(self.status("--check"), "job lyvecloud: well\n")
            self.assertIn("under way", self.status())
            self.assertIs(self.job()["under_way"], True)
        self.status("--check", code=1)


if __name__ == "__main__":
    unittest.main()
