"""What a pull promises as a whole: once is enough, again changes nothing, a crash costs nothing, secrets stay secret."""

import os
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import generate  # noqa: E402
from lib import expect, harness, scripted  # noqa: E402
from lib.harness import FOLDER, Case, packed, s3_record, wait_for  # noqa: E402
from flow.test_s3_reading import bulky  # noqa: E402

KILLS = 12
MAY_MOUNT = bool(shutil.which("unshare")) and subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0


class Pull(Case):
    def sample(self, influx=None, s3=None, **changes):
        server = self.server()
        self.put_objects(server, self.generated(**changes))
        self.flat_config(server, s3=s3, influx=influx)
        return server

    # --- once and again ---

    def test_all_four_kinds_arrive_exactly(self):
        server = self.sample(bad=12)
        wanted = self.expected(server)
        result = self.pull()
        self.assert_figures(result, **wanted.figures(), objects=12, failed=0, quarantined=0, unmatched=0)
        self.assert_exact(server)
        self.assertEqual({key[0] for key in server.audit_points()}, {"audit-01", "console-01", "iam-01", "api-01"})

    def test_settled_objects_are_not_read_again(self):
        server = self.sample()
        self.pull()
        gets, writes = len(server.of("get")), len(server.of("write"))
        result = self.pull()
        self.assert_figures(result, objects=0, read=0)
        self.assertEqual(len(server.of("get")), gets)
        self.assertLessEqual(len(server.of("write")), writes + 1)
        self.assert_exact(server)

    def test_again_reads_all_and_changes_nothing(self):
        server = self.sample()
        first = self.pull()
        before = server.audit_points()
        second = self.pull("--again")
        self.assertEqual(len(server.of("get")), 24)
        self.assert_figures(second, **{name: first.summaries()[0][name] for name in ("read", "stored", "duplicate", "dead", "objects")})
        self.assert_points(server.audit_points(), before)

    def test_a_changed_object_is_read_again(self):
        server = self.sample()
        self.pull()
        key = next(iter(server.objects))
        old = server.objects[key]
        server.objects[key] = scripted.Stored(packed(s3_record(1), s3_record(2)), old.last_modified_s)
        self.assert_figures(self.pull(), objects=1, stored=2)

    def test_new_objects_only(self):
        server = self.sample()
        self.pull()
        server.objects[FOLDER + "S3-late.gz"] = scripted.Stored(packed(s3_record(7)), expect.read_time("2026-03-02T00:00:00Z") // expect.SECOND)
        self.assert_figures(self.pull(), objects=1, stored=1)
        self.assert_exact(server)

    def test_one_worker_and_many_agree(self):
        for workers in (1, 8):
            with self.subTest(workers=workers):
                self.setUp()
                server = self.sample(s3={"workers": workers})
                self.pull()
                self.assert_exact(server)

    def test_dry_run_prints_a_line_for_each_key(self):
        """Also for one with a line end, a tab and an escape sequence in it."""
        server = self.server({FOLDER + "S3-a\nb\tc\x1b[2J.gz": packed(s3_record(1))})
        server.url_encoding = "always"
        self.flat_config(server)
        result = self.run_program("pull", "--from-date", "2026-01-01", "--dry-run")
        (line,) = result.out.splitlines()
        self.assertEqual(line.split("\t")[0], FOLDER + r"S3-a\x0ab\x09c\x1b[2J.gz")

    def test_dry_run_prints_what_it_would_read_and_touches_nothing(self):
        server = self.sample()
        result = self.run_program("pull", "--from-date", "2026-03-03", "--dry-run")
        self.assertEqual(result.code, 0, str(result))
        rows = [line.split("\t") for line in result.out.splitlines()]
        since_s = expect.read_time("2026-03-03T00:00:00Z") // expect.SECOND
        wanted = {key: one for key, one in server.objects.items() if one.last_modified_s >= since_s}
        self.assertEqual({row[0] for row in rows}, set(wanted))
        self.assertLess(0, len(wanted))
        self.assertLess(len(wanted), len(server.objects))
        for key, size, moment in rows:
            self.assertEqual(int(size), len(wanted[key].data))
            self.assertEqual(expect.read_time(moment), wanted[key].last_modified_s * expect.SECOND)
        self.assertEqual(server.of("get") + server.of("write"), [])
        self.pull(since="2026-01-01")
        self.assert_exact(server)

    # --- two sinks ---

    def two_sinks(self, objects=None):
        source, other = self.server(objects), self.server()
        if objects is None:
            self.put_objects(source, self.generated())
        s3 = {"type": "s3", "endpoint_url": source.url, "log_bucket": scripted.LOGS, "access_key": "key-id", "secret_key": "x" * 20, "region": "us-east-1"}
        sink = {"type": "influxdb", "token": scripted.TOKEN, "org": scripted.ORG, "bucket": scripted.BUCKET}
        config = {
            "jobs": [{"name": "lyve", "from": "logs", "to": ["one", "two"]}],
            "logs": s3,
            "one": {**sink, "host": source.url},
            "two": {**sink, "host": other.url},
            "state": self.state_path,
        }
        self.write_config(config)
        return source, other

    def test_two_sinks_get_the_same(self):
        source, other = self.two_sinks()
        result = self.pull("lyve")
        wanted = self.expected(source)
        self.assert_figures(result, sink="one", **wanted.figures())
        self.assert_figures(result, sink="two", **wanted.figures())
        self.assert_points(source.audit_points(), wanted.points)
        self.assert_points(other.audit_points(), wanted.points)

    def test_an_object_settles_only_when_every_sink_has_it(self):
        source, other = self.two_sinks()
        other.fault("write", scripted.status(401, b'{"message":"unauthorized access"}'), times=1000)
        self.pull("lyve", code=1)
        self.assertEqual(other.audit_points(), {})
        other.faults.clear()
        self.pull("lyve")
        self.assert_points(source.audit_points(), self.expected(source).points)
        self.assert_points(other.audit_points(), self.expected(source).points)

    def test_a_point_one_sink_refuses_is_stored_in_the_other(self):
        records = [s3_record(number) for number in range(20)]
        source, other = self.two_sinks({FOLDER + "S3-x.gz": packed(*records)})
        bad = expect.read_time(records[4]["auditEntry"]["time"])
        other.judge = lambda key, fields: "dead" if key[2] == bad else None
        result = self.pull("lyve")
        self.assert_figures(result, sink="one", read=20, stored=20, dead=0)
        self.assert_figures(result, sink="two", read=20, stored=19, dead=1)
        self.assertEqual(len(source.audit_points()), 20)
        self.assertEqual(len(other.audit_points()), 19)

    def test_records_that_are_no_points_are_dead_for_both(self):
        self.two_sinks({FOLDER + "S3-x.gz": packed(s3_record(1), s3_record(1), "broken", s3_record(2))})
        result = self.pull("lyve")
        for sink in ("one", "two"):
            self.assert_figures(result, sink=sink, read=4, stored=2, duplicate=1, dead=1)

    # --- files in, SQLite out ---

    def file_config(self, made):
        for one in made:
            generate.write_object(self.path("input"), one)
        config = {
            "jobs": [{"name": "lyve", "from": "logs", "to": ["store"]}],
            "logs": {"type": "file", "path": self.path("input")},
            "store": {"type": "sqlite", "path": self.path("store.db")},
            "state": self.state_path,
        }
        self.write_config(config)

    def stored_rows(self):
        """The points of the SQLite store in the form of the others."""
        connection = sqlite3.connect(self.path("store.db"))
        connection.row_factory = sqlite3.Row
        fields = {"audit-01": ["message", "auditEntry.api.timeToResponse", "auditEntry.api.timeToFirstByte"], "console-01": ["message", "StatusCode"], "iam-01": ["message", "created_date"], "api-01": ["message", "ApiEvent.Response.ResponseError"]}
        points = {}
        for table, names in fields.items():
            for row in connection.execute('SELECT * FROM "%s"' % table):
                row = dict(row)
                time_ns = row.pop("time")
                values = {name: row.pop(name) for name in names}
                series = tuple(sorted((name, value) for name, value in row.items() if value != ""))
                points[table, series, time_ns] = {name: value for name, value in values.items() if value is not None}
        connection.close()
        return points

    def test_files_into_the_embedded_store(self):
        made = self.generated(bad=8)
        self.file_config(made)
        wanted = expect.expect_generated(made)
        result = self.pull("lyve")
        self.assert_figures(result, **wanted.figures(), objects=12)
        self.assert_points(self.stored_rows(), wanted.points)
        self.pull("lyve", "--again")
        self.assert_points(self.stored_rows(), wanted.points)
        self.assert_no_secret(result.err)

    # --- the lock ---

    def test_no_wait_with_the_lock_held(self):
        server = self.sample()
        server.fault("get", scripted.edit(delay_s=4), times=3)
        first = self.start("pull", "--from-date", "2026-01-01")
        wait_for(lambda: server.of("get"))
        begin = time.monotonic()
        second = self.run_program("pull", "--from-date", "2026-01-01", "--no-wait")
        self.assertEqual(second.code, 1, str(second))
        self.assertLess(time.monotonic() - begin, 3)
        status = self.run_program("status")
        self.assertEqual(status.code, 0, str(status))
        third = self.start("pull", "--from-date", "2026-01-01")
        self.assertEqual(self.finish(first).code, 0)
        waited = self.finish(third)
        self.assertEqual(waited.code, 0, str(waited))
        self.assert_figures(waited, objects=0)
        self.assert_exact(server)

    # --- ends before its time ---

    def test_sigint_stops_and_the_next_pull_completes(self):
        server = self.sample(records=80, objects_per_kind=6)
        for moment in (1, 3, 6):
            server.fault("get", scripted.edit(pause_s=0.02, delay_s=0.3), times=10**6)
            process = self.start("pull", "--from-date", "2026-01-01")
            wait_for(lambda: len(server.of("get")) >= moment)
            process.send_signal(signal.SIGINT)
            result = self.finish(process, timeout=20)
            self.assertEqual(result.code, 1, str(result))
            self.assert_adds_up(result)
            server.requests.clear()
            server.faults.clear()
        self.pull()
        self.assert_exact(server)

    def test_sigint_while_waiting_for_the_sink(self):
        server = self.sample()
        server.fault("write", scripted.status(503, b"", Retry_After="60"), times=1000)
        process = self.start("pull", "--from-date", "2026-01-01")
        wait_for(lambda: server.of("write"))
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process, timeout=10).code, 1)
        server.faults.clear()
        self.pull()
        self.assert_exact(server)

    def test_an_object_taken_ahead_is_left_when_told_to_end(self):
        """Asked for or not, it is a new object: the one that is worked on is the last."""
        small, bulk = packed(*(s3_record(number) for number in range(3))), bulky(400)
        for second in (small, bulk):
            with self.subTest(bytes=len(second)):
                self.setUp()
                server = self.server({FOLDER + "S3-orders-2026-03-01-12-0%d-00.gz" % number: data for number, data in enumerate((small, second))})
                self.flat_config(server, s3={"workers": 1}, influx={"batch_lines": 1})
                server.fault("write", scripted.edit(delay_s=2))
                process = self.start("pull", "--from-date", "2026-01-01")
                wait_for(lambda: server.of("write"))
                process.send_signal(signal.SIGINT)
                result = self.finish(process)
                self.assertEqual(result.code, 1, str(result))
                self.assert_figures(result, objects=1, read=3, stored=3, failed=0)
                self.pull()
                self.assert_exact(server)

    def test_kill_at_random_moments_costs_nothing(self):
        server = self.sample(records=150, influx={"batch_lines": 100}, objects_per_kind=6, s3={"workers": 2})
        server.fault("get", scripted.edit(delay_s=0.1), times=10**6)
        began = time.monotonic()
        self.pull()
        span_s = time.monotonic() - began
        server.points.clear()
        self.forget()
        self.assertGreater(self.kill_pulls(random.Random(8), KILLS, span_s), KILLS // 2, "the moments were too late to prove anything")
        self.pull()
        self.assert_exact(server)
        self.assert_figures(self.pull(), objects=0)

    # --- secrets and rights ---

    def test_no_secret_is_in_anything(self):
        server = self.sample(bad=40)
        server.fault("write", scripted.status(401, b'{"message":"unauthorized access"}'))
        texts = []
        for arguments in (["pull", "--from-date", "2026-01-01"],) * 2 + (["status"], ["check"], ["check", "--connect"], ["modules"]):
            result = self.run_program(*arguments)
            texts += [result.out, result.err]
        self.assert_exact(server)
        self.assert_no_secret(*texts)
        for one in server.of("write"):
            body = scripted.gzip.decompress(one.body) if one.headers.get("Content-Encoding") else one.body
            for secret in generate.SECRETS:
                self.assertNotIn(secret.encode(), body)

    def test_the_state_file_is_private(self):
        self.sample()
        os.umask(0o022)
        self.pull()
        self.assertEqual(stat.S_IMODE(os.stat(self.state_path).st_mode), 0o600)

    def test_secrets_are_not_in_the_process_list(self):
        server = self.sample()
        server.fault("get", scripted.edit(delay_s=1), times=2)
        process = self.start("pull", "--from-date", "2026-01-01")
        wait_for(lambda: server.of("get"))
        with open("/proc/%d/cmdline" % process.pid, "rb") as file:
            self.assertNotIn(b"secret", file.read())
        self.assertEqual(self.finish(process).code, 0)

    # --- the local disk ---

    def test_a_state_file_that_cannot_be_written_fails(self):
        server = self.sample()
        os.mkdir(self.state_path)
        result = self.run_program("pull", "--from-date", "2026-01-01")
        self.assertEqual(result.code, 1, str(result))
        self.assertIn("state.db", result.err)
        self.assertEqual(server.of("write"), [])

    FULL_DISK = """
set -e
mount -t tmpfs -o size=200k none "$1"
code=0
"$2" -c "$3" pull --from-date 2026-01-01 || code=$?
mount -o remount,size=200m "$1"
"$2" -c "$3" pull --from-date 2026-01-01
cp "$1/store.db" "$4"
exit "$((code + 100))"
"""

    @unittest.skipUnless(MAY_MOUNT, "may not mount a small disk")
    def test_a_full_disk_holds_and_the_next_pull_completes(self):
        made = self.generated(records=300)
        self.file_config(made)
        small = self.path("small")
        os.mkdir(small)
        with open(self.config_path, encoding="utf-8") as file:
            self.write_config(file.read().replace(self.path("store.db"), os.path.join(small, "store.db")))
        command = ["unshare", "-m", "sh", "-c", self.FULL_DISK, "sh", small, harness.BINARY, self.config_path, self.path("store.db")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=harness.ENVIRONMENT, preexec_fn=harness.die_with_parent)
        self.assertEqual(done.returncode, 101, done.stderr[-3000:])
        self.assertIn("full", done.stderr)
        self.assert_points(self.stored_rows(), expect.expect_generated(made).points)


if __name__ == "__main__":
    unittest.main()
