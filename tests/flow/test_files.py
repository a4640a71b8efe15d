"""Files and objects as sinks: what is in them, that they are whole or not there, and that they hold what they must."""

import csv
import gzip
import io
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import generate  # noqa: E402
from lib import expect, harness, s3_store, scripted  # noqa: E402
from lib.harness import FOLDER, Case, packed, s3_record, wait_for  # noqa: E402

KILLS = 12
PART_BYTES = 8 * 1024 * 1024
FIELDS = {"audit-01": ["message", "auditEntry.api.timeToResponse", "auditEntry.api.timeToFirstByte"], "console-01": ["message", "StatusCode"], "iam-01": ["message", "created_date"], "api-01": ["message", "ApiEvent.Response.ResponseError"]}
NUMBERS = {"auditEntry.api.timeToResponse", "auditEntry.api.timeToFirstByte", "StatusCode"}
SUFFIXES = {"line_protocol": ".lp", "csv": ".csv", "json_lines": ".jsonl"}
MAY_MOUNT = bool(shutil.which("unshare")) and subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0

csv.field_size_limit(1 << 30)


# --- reading what was written, each format by a reader that is not ours ------------------------------------------


def split_columns(measurement, row):
    """A row of columns as (key, fields) of a point, as expect.py has them."""
    time_ns = expect.read_time(row.pop("time"))
    fields = {name: row.pop(name) for name in FIELDS[measurement] if name in row}
    return (measurement, tuple(sorted(row.items())), time_ns), fields


def read_lines(text):
    return dict(scripted.parse_line(line) for line in scripted.split_lines(text))


def quoted_cells(text):
    """The rows of a CSV text as lists of (was it quoted?, value): Python's reader does not tell."""
    rows, row, at = [], [], 0
    while at < len(text):
        quoted = text[at] == '"'
        if quoted:
            end = at + 1
            while text[end] != '"' or text[end + 1] == '"':
                end += 2 if text[end] == '"' else 1
            value, at = text[at + 1 : end].replace('""', '"'), end + 1
        else:
            end = min(place for place in (text.find(",", at), text.find("\n", at)) if place >= 0)
            value, at = text[at:end], end
        row.append((quoted, value))
        if text[at] == "\n":
            rows.append(row)
            row = []
        at += 1
    return rows


def read_csv(text):
    points, names = {}, None
    plain = list(csv.reader(io.StringIO(text, newline="")))
    marked = quoted_cells(text)
    assert plain == [[value for _, value in row] for row in marked]
    for row in marked:
        values = [value for _, value in row]
        if values[:2] == ["time", "measurement"]:
            names = values
            continue
        present = {name: value for name, (quoted, value) in zip(names, row) if quoted or value}
        measurement = present.pop("measurement")
        key, fields = split_columns(measurement, present)
        points[key] = {name: int(value) if name in NUMBERS else value for name, value in fields.items()}
    return points


def read_json(text):
    points = {}
    for line in text.splitlines():
        row = json.loads(line)
        key, fields = split_columns(row.pop("measurement"), row)
        points[key] = fields
    return points


READERS = {"line_protocol": read_lines, "csv": read_csv, "json_lines": read_json}


class Files(Case):
    def files(self, *names):
        """{path: bytes} of all files below a folder, hidden ones too."""
        root, found = self.path(*names), {}
        for folder, _, entries in os.walk(root):
            for name in entries:
                with open(os.path.join(folder, name), "rb") as file:
                    found[os.path.relpath(os.path.join(folder, name), root)] = file.read()
        return found

    def points_of(self, files, style="line_protocol"):
        points = {}
        for name, data in files.items():
            text = (gzip.decompress(data) if name.endswith(".gz") else data).decode()
            points.update(READERS[style](text))
        return points

    def job(self, sinks, source=None, **job):
        """A job from a folder, or another source, into these stanzas."""
        config = {"jobs": [{"name": "lyve", "from": "logs", "to": list(sinks), **job}], "logs": source or {"type": "file", "path": self.path("input")}, "state": self.state_path}
        config.update(sinks)
        self.write_config(config)

    def file_sink(self, **options):
        os.makedirs(self.path("out"), exist_ok=True)
        return {"type": "file", "path": self.path("out"), **options}

    def make_input(self, made):
        for one in made:
            generate.write_object(self.path("input"), one)
        return expect.expect_generated(made)

    def s3_source(self, server):
        return {"type": "s3", "endpoint_url": server.url, "log_bucket": scripted.LOGS, "access_key": "key-id", "secret_key": harness.SECRET_KEY, "region": "us-east-1"}


class IntoFiles(Files):
    def test_every_format_holds_every_point(self):
        made = self.generated(bad=8)
        wanted = self.make_input(made)
        for style, suffix in SUFFIXES.items():
            for packs in (False, True):
                with self.subTest(style, gzip=packs):
                    self.forget()
                    shutil.rmtree(self.path("out"), ignore_errors=True)
                    self.job({"kept": self.file_sink(format=style, gzip=packs)})
                    self.assert_figures(self.pull(), **wanted.figures(), objects=12, failed=0, quarantined=0)
                    files = self.files("out")
                    self.assert_points(self.points_of(files, style), wanted.points)
                    end = suffix + (".gz" if packs else "")
                    if style != "csv":
                        self.assertEqual(set(files), {one.key + end for one in made})
                    for name in files:
                        self.assertTrue(name.endswith(end), name)
                    self.pull("--again")
                    self.assertEqual(self.files("out"), files)
                    self.assert_no_secret()

    def test_a_csv_file_holds_one_measurement(self):
        self.make_input(self.generated())
        self.job({"kept": self.file_sink(format="csv")})
        self.pull()
        for name, data in self.files("out").items():
            lines = quoted_cells(data.decode())
            self.assertEqual([value for _, value in lines[0][:2]], ["time", "measurement"])
            self.assertEqual({row[1][1] for row in lines[1:]}, {name.removesuffix(".csv").rsplit(".", 1)[1]})

    def test_a_damaged_object_gives_what_could_be_read(self):
        noise = random.Random(1)
        records = [s3_record(number, noise=noise.randbytes(200).hex()) for number in range(400)]
        data = packed(*records)
        server = self.server({FOLDER + "S3-cut.gz": data[: len(data) // 2]})
        self.job({"kept": self.file_sink()}, self.s3_source(server))
        result = self.pull(code=1)
        self.assert_figures(result, quarantined=1)
        points = self.points_of(self.files("out"))
        self.assertEqual(len(points), result.summaries()[0]["stored"])
        self.assertGreater(len(points), 50)

    def test_an_object_that_is_lost_while_it_is_read(self):
        noise = random.Random(2)
        records = [s3_record(number, noise=noise.randbytes(2000).hex()) for number in range(800)]
        server = self.server({FOLDER + "S3-a.gz": packed(*records, s3_record(900)), FOLDER + "S3-b.gz": packed(s3_record(1000))})
        self.job({"kept": self.file_sink()}, self.s3_source(server))
        self.pull()
        before = self.files("out")
        for name in list(server.objects):
            server.objects[name] = scripted.Stored(packed(*records, s3_record(901)), server.objects[name].last_modified_s)
        first = FOLDER + "S3-a.gz"
        half = len(server.objects[first].data) // 2
        server.fault("get", scripted.edit(cut_at=half), when=lambda request: request.key == first)
        server.fault("get", scripted.status(404, b"<Error><Code>NoSuchKey</Code></Error>"), when=lambda request: request.key == first)
        result = self.pull(code=1)
        self.assert_figures(result, objects=2, failed=1)
        after = self.files("out")
        self.assertEqual(set(after), set(before), "a hidden file is left")
        self.assertEqual(after[first + ".lp"], before[first + ".lp"])
        self.assertNotEqual(after[FOLDER + "S3-b.gz.lp"], before[FOLDER + "S3-b.gz.lp"])
        self.pull()
        self.assert_points(self.points_of({"a.lp": self.files("out")[first + ".lp"]}), expect.expect([(first, server.objects[first].data, 0)]).points)

    def test_no_point_no_file(self):
        server = self.server({FOLDER + "S3-empty.gz": packed(), FOLDER + "S3-bad.gz": packed("no json")})
        self.job({"kept": self.file_sink(format="csv")}, self.s3_source(server))
        self.assert_figures(self.pull(), objects=2, stored=0, dead=1)
        self.assertEqual(self.files("out"), {})

    def test_killed_at_random_moments_leaves_only_whole_files(self):
        made = self.generated(records=300, objects_per_kind=6)
        wanted = self.make_input(made)
        self.job({"kept": self.file_sink(format="json_lines")})
        began = time.monotonic()
        self.pull()
        span_s = time.monotonic() - began
        whole = self.files("out")
        self.forget()
        shutil.rmtree(self.path("out"))
        self.job({"kept": self.file_sink(format="json_lines")})
        rng, killed, seen = random.Random(4), 0, 0
        for _ in range(KILLS):
            process = self.start("pull", "--from-date", "2026-01-01", "--again")
            time.sleep(rng.uniform(0, span_s))
            process.kill()
            killed += process.wait() == -signal.SIGKILL
            found = {name: data for name, data in self.files("out").items() if not os.path.basename(name).startswith(".")}
            seen += len(found)
            for name, data in found.items():
                self.assertEqual(data, whole[name], name)
        self.assertGreater(killed, KILLS // 3, "the moments were too late to prove anything")
        self.assertGreater(seen, 0)
        self.pull("--again")
        self.assertEqual(self.files("out"), whole)
        self.assert_points(self.points_of(whole, "json_lines"), wanted.points)

    FULL_DISK = """
set -e
mount -t tmpfs -o size=400k none "$1"
code=0
"$2" -c "$3" pull --from-date 2026-01-01 || code=$?
find "$1" -name '.*.tmp' >"$4.hidden"
find "$1" -name '*.lp' -size 0 >>"$4.hidden"
mount -o remount,size=200m "$1"
"$2" -c "$3" pull --from-date 2026-01-01
cp -r "$1" "$4"
exit "$((code + 100))"
"""

    @unittest.skipUnless(MAY_MOUNT, "may not mount a small disk")
    def test_a_full_disk_holds_and_the_next_pull_completes(self):
        wanted = self.make_input(self.generated(records=300))
        sink = self.file_sink()
        self.job({"kept": sink})
        command = ["unshare", "-m", "sh", "-c", self.FULL_DISK, "sh", self.path("out"), harness.BINARY, self.config_path, self.path("copy")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=harness.ENVIRONMENT, preexec_fn=harness.die_with_parent)
        self.assertEqual(done.returncode, 101, done.stderr[-3000:])
        self.assertIn("No space left on device", done.stderr)
        with open(self.path("copy.hidden"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "")
        self.assert_points(self.points_of(self.files("copy")), wanted.points)


class ForARun(Files):
    """`per: window`: one file for all that a run reads, whole or not there; never two workers."""

    FULL_DISK = IntoFiles.FULL_DISK
    NAME = "20260101T000000Z--20261201T000000Z"

    def window_job(self, source=None, **options):
        self.job({"kept": self.file_sink(per="window", **options)}, source, workers=4)

    def pull_window(self, *arguments, **options):
        return self.pull("--to-date", "2026-12-01", *arguments, **options)

    def rows(self, files, style):
        """How many points the files hold, repeated ones too; no field of these has a line end."""
        texts = [(gzip.decompress(data) if name.endswith(".gz") else data).decode() for name, data in files.items()]
        if style == "csv":
            return sum(len(list(csv.reader(io.StringIO(text, newline="")))) - 1 for text in texts)
        return sum(len(scripted.split_lines(text)) if style == "line_protocol" else text.count("\n") for text in texts)

    def assert_exact_files(self, wanted, style="line_protocol"):
        files = self.files("out")
        self.assert_points(self.points_of(files, style), wanted.points)
        self.assertEqual(self.rows(files, style), wanted.figures()["stored"])
        self.assertEqual([name for name in files if name.startswith(".")], [])

    def test_every_format_holds_every_point_in_one_file(self):
        wanted = self.make_input(self.generated(bad=8))
        for style, suffix in SUFFIXES.items():
            for packs in (False, True):
                with self.subTest(style, gzip=packs):
                    self.forget()
                    shutil.rmtree(self.path("out"), ignore_errors=True)
                    self.window_job(format=style, gzip=packs)
                    self.assert_figures(self.pull_window(), **wanted.figures(), objects=12, failed=0, quarantined=0)
                    files = self.files("out")
                    end = suffix + (".gz" if packs else "")
                    names = ["." + name for name in FIELDS] if style == "csv" else [""]
                    self.assertEqual(set(files), {self.NAME + name + end for name in names})
                    self.assert_exact_files(wanted, style)
                    self.pull_window()
                    self.assertEqual(self.files("out"), files)

    def test_nothing_read_nothing_written(self):
        self.make_input(self.generated())
        self.window_job()
        self.assert_figures(self.pull("--to-date", "2026-03-25", since="2026-03-20"), objects=0, stored=0)
        self.assertEqual(self.files("out"), {})

    def test_an_object_that_is_lost_while_it_is_read_is_cut_off_again(self):
        noise = random.Random(2)
        first, other, last = [[s3_record(base + number, noise=noise.randbytes(2000).hex()) for number in range(600)] for base in (0, 1000, 2000)]
        for packs in (False, True):
            with self.subTest(gzip=packs):
                self.forget()
                shutil.rmtree(self.path("out"), ignore_errors=True)
                data = {FOLDER + "S3-%s.gz" % name: packed(*records) for name, records in (("a", first), ("b", other), ("c", last))}
                server = self.server(data)
                lost = FOLDER + "S3-b.gz"
                server.fault("get", scripted.edit(cut_at=len(data[lost]) // 2), when=lambda request: request.key == lost)
                server.fault("get", scripted.status(404, b"<Error><Code>NoSuchKey</Code></Error>"), when=lambda request: request.key == lost)
                self.window_job(self.s3_source(server), format="json_lines", gzip=packs)
                self.assert_figures(self.pull_window(code=1), objects=3, failed=1)
                self.assert_exact_files(expect.expect([(key, data[key], 0) for key in data if key != lost]), "json_lines")
                self.pull_window()
                end = ".jsonl" + (".gz" if packs else "")
                self.assertEqual(set(self.files("out")), {self.NAME + end, self.NAME + "-2" + end}, "what settled was replaced")
                self.assert_exact_files(expect.expect([(key, data[key], 0) for key in data]), "json_lines")

    def test_ten_thousand_objects_are_enough_for_a_file(self):
        objects = [(FOLDER + "S3-%05d" % number, harness.lines(s3_record(number)), 0) for number in range(10003)]
        os.makedirs(self.path("input", FOLDER))
        for key, data, _ in objects:
            with open(self.path("input", key), "wb") as file:
                file.write(data)
            os.utime(self.path("input", key), (1772366400, 1772366400))
        self.window_job()
        self.assert_figures(self.pull_window(), objects=10003, stored=10003)
        files = self.files("out")
        self.assertEqual({name: data.count(b"\n") for name, data in files.items()}, {self.NAME + ".lp": 10000, self.NAME + "-2.lp": 3})
        self.assert_exact_files(expect.expect(objects))

    def test_killed_at_random_moments(self):
        wanted = self.make_input(self.generated(records=900, objects_per_kind=6))
        span_s, rng, killed = 60, random.Random(5), 0
        for _ in range(3):
            self.forget()
            self.window_job(format="json_lines")
            began = time.monotonic()
            self.pull_window()
            span_s = min(span_s, time.monotonic() - began)
        for _ in range(KILLS):
            self.forget()
            shutil.rmtree(self.path("out"))
            self.window_job(format="json_lines")
            process = self.start("pull", "--from-date", "2026-01-01", "--to-date", "2026-12-01")
            time.sleep(rng.uniform(0, span_s))
            process.kill()
            killed += process.wait() == -signal.SIGKILL
            self.pull()
            self.assert_exact_files(wanted, "json_lines")
        self.assertGreater(killed, KILLS // 3, "the moments were too late to prove anything")

    def test_killed_between_the_name_and_the_ledger(self):
        """Who holds the ledger keeps the program there."""
        wanted = self.make_input(self.generated())
        influx = self.server()
        influx.fault("write", scripted.edit(delay_s=2), times=1)
        sink = {"type": "influxdb", "host": influx.url, "token": scripted.TOKEN, "org": scripted.ORG, "bucket": scripted.BUCKET}
        self.job({"influx": sink, "kept": self.file_sink(per="window", format="csv")})
        process = self.start("pull", "--from-date", "2026-01-01", "--to-date", "2026-12-01")
        wait_for(lambda: influx.of("write"))
        ledger = sqlite3.connect(self.state_path, isolation_level=None)
        ledger.execute("BEGIN IMMEDIATE")
        visible = {self.NAME + "." + name + ".csv" for name in FIELDS}
        wait_for(lambda: visible <= set(self.files("out")))
        process.kill()
        process.wait()
        ledger.execute("ROLLBACK")
        ledger.close()
        self.assertEqual(set(self.files("out")) - visible, {".loggateway-window.journal"})
        self.pull()
        self.assertTrue(visible.isdisjoint(self.files("out")), "the files of a run that never settled")
        self.assert_exact_files(wanted, "csv")
        self.assert_points(influx.audit_points(), wanted.points)

    def test_objects_settle_when_both_sinks_have_them(self):
        wanted = self.make_input(self.generated())
        influx = self.server()
        influx.fault("write", scripted.status(401, b'{"message":"unauthorized access"}'), times=1000)
        sink = {"type": "influxdb", "host": influx.url, "token": scripted.TOKEN, "org": scripted.ORG, "bucket": scripted.BUCKET}
        self.job({"kept": self.file_sink(per="window"), "influx": sink})
        for row in self.pull_window(code=1).summaries():
            self.assertEqual((row["objects"], row["stored"]), (0, 0))
        self.assertEqual(self.files("out"), {}, "of a run that failed")
        influx.faults.clear()
        os.rename(self.path("out"), self.path("away"))
        for row in self.pull_window(code=1).summaries():
            self.assertEqual((row["objects"], row["stored"]), (0, 0))
        os.rename(self.path("away"), self.path("out"))
        result = self.pull_window()
        for name in ("kept", "influx"):
            self.assert_figures(result, sink=name, **wanted.figures(), objects=12)
        self.assert_exact_files(wanted)
        self.assert_points(influx.audit_points(), wanted.points)

    def test_a_drained_run_keeps_what_it_read(self):
        data = {FOLDER + "S3-%d.gz" % number: packed(s3_record(number)) for number in range(2)}
        server = self.server(data)
        server.fault("get", scripted.edit(delay_s=2), when=lambda request: request.key.endswith("S3-0.gz"))
        self.window_job(self.s3_source(server))
        process = self.start("pull", "--from-date", "2026-01-01", "--to-date", "2026-12-01")
        wait_for(lambda: server.of("get"))
        process.terminate()
        self.assertEqual(self.finish(process).code, 1)
        self.assertEqual(set(self.files("out")), {self.NAME + ".lp"})
        self.pull_window()
        self.assertEqual(set(self.files("out")), {self.NAME + ".lp", self.NAME + "-2.lp"})
        self.assert_exact_files(expect.expect([(key, data[key], 0) for key in data]))

    @unittest.skipUnless(MAY_MOUNT, "may not mount a small disk")
    def test_a_full_disk_holds_and_the_next_pull_completes(self):
        wanted = self.make_input(self.generated(records=300))
        self.window_job()
        command = ["unshare", "-m", "sh", "-c", self.FULL_DISK, "sh", self.path("out"), harness.BINARY, self.config_path, self.path("copy")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=harness.ENVIRONMENT, preexec_fn=harness.die_with_parent)
        self.assertEqual(done.returncode, 101, done.stderr[-3000:])
        self.assertIn("No space left on device", done.stderr)
        with open(self.path("copy.hidden"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "")
        os.rmdir(self.path("out"))
        os.rename(self.path("copy"), self.path("out"))
        self.assert_exact_files(wanted)


class SeveralSinks(Files):
    """InfluxDB, SQLite and files at once: an object is settled when all three have it."""

    def setUp(self):
        super().setUp()
        self.influx = self.server()
        self.wanted = self.make_input(self.generated())
        sinks = {
            "influx": {"type": "influxdb", "host": self.influx.url, "token": scripted.TOKEN, "org": scripted.ORG, "bucket": scripted.BUCKET},
            "store": {"type": "sqlite", "path": self.path("store", "store.db")},
            "kept": self.file_sink(),
        }
        os.mkdir(self.path("store"))
        self.job(sinks)

    def settled(self):
        """What a dry run no longer wants."""
        listing = self.run_program("pull", "--from-date", "2026-01-01", "--dry-run")
        self.assertEqual(listing.code, 0, str(listing))
        return 12 - len(listing.out.splitlines())

    def rows(self):
        connection = sqlite3.connect(self.path("store", "store.db"))
        try:
            return sum(connection.execute('SELECT count(*) FROM "%s"' % name).fetchone()[0] for name in FIELDS)
        finally:
            connection.close()

    def assert_all(self):
        self.assert_points(self.influx.audit_points(), self.wanted.points)
        self.assert_points(self.points_of(self.files("out")), self.wanted.points)
        self.assertEqual(self.rows(), len(self.wanted.points))

    def assert_holds(self, sink):
        result = self.pull(code=1)
        self.assertEqual(self.settled(), 0)
        errors = [line["error"] for line in result.log if "error" in line]
        self.assertTrue(any("sink %s: " % sink in text for text in errors), str(result))
        for row in result.summaries():
            self.assertEqual((row["objects"], row["stored"]), (0, 0))

    def test_all_three_get_the_same(self):
        result = self.pull()
        for sink in ("influx", "store", "kept"):
            self.assert_figures(result, sink=sink, **self.wanted.figures(), objects=12)
        self.assert_all()
        self.assertEqual(self.settled(), 12)

    def test_influxdb_refuses(self):
        self.influx.fault("write", scripted.status(401, b'{"message":"unauthorized access"}'), times=1000)
        self.assert_holds("influx")
        self.influx.faults.clear()
        self.pull()
        self.assert_all()

    def assert_waits_for(self, folder, sink):
        """Holds while the sink's folder is away."""
        os.rename(self.path(folder), self.path("away"))
        self.assert_holds(sink)
        os.rename(self.path("away"), self.path(folder))
        self.pull()
        self.assert_all()

    def test_the_folder_is_away(self):
        self.assert_waits_for("out", "kept")

    def test_the_store_is_away(self):
        self.assert_waits_for("store", "store")

    def test_an_object_waits_for_the_slowest(self):
        """Files that are whole do not settle what InfluxDB has not taken."""
        self.influx.fault("write", scripted.status(503, b"", Retry_After="60"), times=1000)
        process = self.start("pull", "--from-date", "2026-01-01")
        wait_for(lambda: self.influx.of("write"))
        wait_for(lambda: self.files("out"))
        time.sleep(0.5)
        process.kill()
        process.wait()
        self.assertEqual(self.settled(), 0)
        self.influx.faults.clear()
        self.pull()
        self.assert_all()

    def test_check_connect_asks_each(self):
        self.assertEqual(self.run_program("check", "--connect").code, 0)
        os.rename(self.path("out"), self.path("away"))
        result = self.run_program("check", "--connect")
        self.assertEqual(result.code, 1)
        self.assertIn("kept: ", result.out)
        self.assertEqual(self.files("away"), {})


class IntoS3(Files):
    """A bucket is written, against a server that goes wrong in every way."""

    @classmethod
    def setUpClass(cls):
        """One object that goes out in three parts. Its records hold what gzip cannot shrink much."""
        rng = random.Random(9)
        records = [s3_record(number, noise=rng.randbytes(6000).hex()) for number in range(1500)]
        cls.large_object = generate.Object(FOLDER + "S3-large.gz", packed(*records), 1772366400, records, "s3")
        cls.large_wanted = expect.expect_generated([cls.large_object])

    def store(self, **options):
        one = s3_store.Store().start()
        self.addCleanup(one.stop)
        sink = {"type": "s3", "endpoint_url": one.url, "log_bucket": s3_store.OUT, "access_key": "key-id", "secret_key": harness.SECRET_KEY, "region": "us-east-1", "prefix": "kept/", "retries": 3}
        self.job({"kept": {**sink, **options}}, workers=1)
        return one

    def written(self, server):
        return {key.removeprefix("kept/"): one.data for key, one in server.written.items()}

    def small(self, **options):
        server = self.store(**options)
        self.wanted = self.make_input(self.generated())
        return server

    def large(self, **options):
        server = self.store(format="json_lines", **options)
        generate.write_object(self.path("input"), self.large_object)
        self.wanted = self.large_wanted
        self.key = "kept/" + FOLDER + "S3-large.gz.jsonl"
        return server

    def assert_large(self, server):
        self.assertEqual(set(server.written), {self.key})
        self.assertGreater(len(server.written[self.key].data), 2 * PART_BYTES)
        self.assert_points(self.points_of(self.written(server), "json_lines"), self.wanted.points)
        self.assertEqual(server.uploads, {})

    def assert_held(self, server, *words, **options):
        result = self.pull(code=1, **options)
        for word in words:
            self.assertIn(word, result.err)
        self.assert_figures(result, objects=0, stored=0)
        self.assertEqual(server.written, {})

    def test_every_format_holds_every_point(self):
        for style, suffix in SUFFIXES.items():
            for packs in (False, True):
                with self.subTest(style, gzip=packs):
                    self.forget()
                    server = self.small(format=style, gzip=packs)
                    self.assert_figures(self.pull(), **self.wanted.figures(), objects=12)
                    self.assert_points(self.points_of(self.written(server), style), self.wanted.points)
                    before = self.written(server)
                    self.assertEqual(len(server.of("begin")), 0)
                    self.pull("--again")
                    self.assertEqual(self.written(server), before)
                    self.assertTrue(all(key.endswith(suffix + (".gz" if packs else "")) for key in before))
                    self.assertEqual(len(set(server.types.values())), 1)

    def test_later_is_tried_again(self):
        server = self.small()
        server.fault("put", scripted.status(503, b"", Retry_After="0"), times=2)
        server.fault("put", scripted.edit(cut_at=0), times=2)  # stored, but nobody hears of it
        self.assert_figures(self.pull(), **self.wanted.figures())
        self.assert_points(self.points_of(self.written(server)), self.wanted.points)

    def test_a_refusal_holds(self):
        server = self.small()
        server.fault("put", scripted.status(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"), times=1000)
        server.fault("begin", scripted.status(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"), times=1)
        server.written.clear()
        check = self.run_program("check", "--connect")
        self.assertEqual(check.code, 1, str(check))
        self.assertIn("s3:PutObject", check.out)
        result = self.pull(code=1)
        self.assertIn("s3:PutObject", result.err)
        self.assertIn("sink kept: ", result.err)
        self.assertEqual(len(server.of("put")), 1)
        self.assert_no_secret(result.err, check.out, check.err)
        server.faults.clear()
        self.assert_figures(self.pull(), **self.wanted.figures(), objects=12)
        self.assert_points(self.points_of(self.written(server)), self.wanted.points)

    def test_check_leaves_nothing(self):
        server = self.small()
        check = self.run_program("check", "--connect")
        self.assertEqual(check.code, 0, str(check))
        self.assertEqual((server.written, server.uploads), ({}, {}))
        self.assertEqual(len(server.of("begin")), 1)

    def test_parts(self):
        server = self.large()
        self.pull()
        self.assert_large(server)
        self.assertEqual([len(one.body) for one in server.of("part")][:2], [PART_BYTES] * 2)
        self.assertEqual(server.types[self.key], "application/x-ndjson")

    def test_parts_are_tried_again(self):
        server = self.large()
        server.fault("begin", scripted.status(500), times=1)
        server.fault("part", scripted.edit(cut_at=0), times=2)
        server.fault("part", scripted.status(503), times=1)
        server.fault("complete", scripted.status(500), times=1)
        self.pull()
        self.assert_large(server)

    def test_an_error_in_a_reply_that_said_200(self):
        server = self.large()

        def late_error(_request, _reply):
            return scripted.Reply(200, b'\n\n<?xml version="1.0"?><Error><Code>InternalError</Code><Message>try again</Message></Error>')

        late_error.instead = True
        server.fault("complete", late_error, times=2)
        self.pull()
        self.assert_large(server)
        self.assertEqual(len(server.of("complete")), 3)

    def test_a_lost_reply_to_the_last_request(self):
        """Whether the upload is complete is not known then: the next run writes it again."""
        server = self.large()
        server.fault("complete", scripted.edit(cut_at=0))
        result = self.pull(code=1)
        self.assertIn("NoSuchUpload", result.err)
        self.assert_figures(result, objects=0)
        self.pull()
        self.assert_large(server)

    def test_a_refused_part_aborts(self):
        server = self.large()
        server.fault("part", scripted.status(403, b"<Error><Code>AccessDenied</Code></Error>"), times=1, when=lambda request: request.query["partNumber"] == "2")
        self.assert_held(server, "s3:PutObject")
        self.assertEqual(server.uploads, {})
        self.assertEqual(len(server.of("abort")), 1)
        self.pull()
        self.assert_large(server)

    def test_what_a_crash_left_is_aborted(self):
        server = self.large()
        server.begin_upload(self.key)
        server.begin_upload(self.key)
        other = server.begin_upload(self.key + ".other")
        self.pull()
        self.assertEqual(set(server.uploads), {other})
        del server.uploads[other]
        self.assert_large(server)

    def test_looking_for_what_a_crash_left_may_be_forbidden(self):
        server = self.large()
        server.begin_upload(self.key)
        server.fault("uploads", scripted.status(403, b"<Error><Code>AccessDenied</Code></Error>"))
        result = self.pull()
        (line,) = [line for line in result.err.splitlines() if "unfinished uploads may stay" in line]
        self.assertIn("/" + self.key + ": ", line, "it says where")
        self.assertIn("AccessDenied", line)
        server.uploads.clear()
        self.assert_large(server)

    def test_a_stop_while_a_part_hangs(self):
        server = self.large()
        server.fault("part", scripted.edit(delay_s=30), times=1)
        process = self.start("pull", "--from-date", "2026-01-01")
        wait_for(lambda: server.of("part"))
        process.terminate()
        self.assertEqual(self.finish(process, timeout=20).code, 1)
        self.assertEqual((server.written, server.uploads), ({}, {}))
        self.pull()
        self.assert_large(server)


class Overlaps(Files):
    def assert_refused(self, *words):
        for arguments in (["check"], ["pull", "--from-date", "2026-01-01"]):
            result = self.run_program(*arguments)
            self.assertEqual(result.code, 2, str(result))
            for word in words:
                self.assertIn(word, result.err)

    def assert_good(self):
        result = self.run_program("check")
        self.assertEqual(result.code, 0, str(result))

    def folders(self, source, sink, template="%B-%Y/"):
        for path in (source, sink):
            os.makedirs(path, exist_ok=True)
        self.job({"kept": {"type": "file", "path": sink}}, {"type": "file", "path": source, "folders": template})

    def test_folders(self):
        inside = self.path("input")
        for sink, template in ((inside, "%B-%Y/"), (inside + "/", "%B-%Y/"), (inside + "/March-2026", "%B-%Y/"), (inside + "/out", ""), (inside + "/March-2026/x/y", "%B-%Y/")):
            with self.subTest(sink=sink, template=template):
                self.folders(inside, sink, template)
                self.assert_refused("kept writes where logs reads")
        for sink, template in ((inside + "/out", "%B-%Y/"), (self.path("input-2"), ""), (self.path(), "")):
            with self.subTest(sink=sink, template=template):
                self.folders(inside, sink, template)
                self.assert_good()

    def test_a_link_is_followed(self):
        os.mkdir(self.path("input"))
        os.symlink(self.path("input"), self.path("link"))
        self.folders(self.path("input"), self.path("link"))
        self.assert_refused("kept writes where logs reads")

    def test_buckets(self):
        place = {"type": "s3", "endpoint_url": "http://127.0.0.1:1", "access_key": "k", "secret_key": "s", "region": "us-east-1"}
        for sink, refused in (({}, True), ({"prefix": "March-2026/"}, True), ({"prefix": "out/"}, False), ({"log_bucket": "b"}, False), ({"endpoint_url": "http://127.0.0.1:2"}, False)):
            with self.subTest(sink):
                self.job({"kept": {**place, "log_bucket": "a", **sink}}, {**place, "log_bucket": "a"})
                if refused:
                    self.assert_refused("kept writes where logs reads")
                else:
                    self.assert_good()
        self.job({"kept": {**place, "log_bucket": "b", "prefix": "out"}}, {**place, "log_bucket": "a"})
        result = self.run_program("check")
        self.assertEqual(result.code, 2)
        self.assertIn("prefix", result.out)

    def test_two_that_write_the_same_names(self):
        self.folders(self.path("input"), self.path("out"))
        with open(self.config_path, encoding="utf-8") as file:
            config = json.load(file)
        config["jobs"].append({"name": "second", "from": "logs", "to": ["kept"]})
        self.write_config(config)
        self.assert_refused("job second: kept writes where kept of job lyve does")
        config["jobs"].pop()
        config["jobs"][0]["to"] = ["kept", "other"]
        config["other"] = {"type": "file", "path": self.path("out") + "/", "format": "csv"}
        self.write_config(config)
        self.assert_refused("job lyve: other writes where kept of job lyve does")


class Parse(Files):
    def test_every_format_holds_every_point(self):
        made = self.generated(bad=0)
        wanted = self.make_input(made)
        paths = [self.path("input", one.key) for one in made if one.kind != "api"]
        for style, read in READERS.items():
            with self.subTest(style):
                result = self.run_program("parse", "--to", style, *paths)
                points = read(result.out)
                # the others have times of day, which a file's own date would decide
                for key, fields in wanted.points.items():
                    if key[0] == "audit-01":
                        self.assertEqual(points.get(key), fields)

    def test_a_header_with_each_change(self):
        path = self.path("mixed")
        iam = {"log_id": "1", "type": "s", "date": "2026-03-01T10:00:00.000Z"}
        with open(path, "wb") as file:
            file.write(harness.lines(s3_record(1), s3_record(2), iam, s3_record(3)))
        result = self.run_program("parse", "--to", "csv", "--message", "none", path)
        self.assertEqual(result.code, 0, str(result))
        heads = [line.split(",")[:2] for line in result.out.splitlines()]
        self.assertEqual([head[1] for head in heads], ["measurement", "audit-01", "audit-01", "measurement", "iam-01", "measurement", "audit-01"])


if __name__ == "__main__":
    unittest.main()
