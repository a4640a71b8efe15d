"""/metrics, /healthz and /readyz of the service: what they say equals what the run says, and they never hold it up.

The text format is read by a strict parser of its own, and by promtool where there is one: on the PATH, or from
scripts/servers.
"""

import http.client
import math
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib import scripted  # noqa: E402
from lib.harness import FOLDER, Case, lines, packed, s3_record, wait_for  # noqa: E402
from lib.service import EVERY_SECOND, SECOND, Service  # noqa: E402

SERVERS = os.environ.get("LOGGATEWAY_SERVERS", os.path.expanduser("~/.cache/loggateway/servers"))
PROMTOOL = shutil.which("promtool") or shutil.which("promtool", path=SERVERS)
NEVER = "0 0 29 2 *"  # it runs at its start only
LISTENING = "listening for /metrics, /healthz and /readyz"
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>"
SINCE = "36500d"

# --- the text format ----------------------------------------------------------------------------------------------

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
SAMPLE = re.compile(r"(%s)(?:\{(%s(?:,%s)*)\})? (\S+)" % (NAME, LABEL, LABEL))
NUMBER = re.compile(r"[+-]?(\d+(\.\d+)?([eE][+-]?\d+)?|Inf)|NaN")
SUFFIXES = {"counter": [""], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}
UNESCAPED = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


class Exposition:
    """A page in Prometheus's text format 0.0.4; raises ValueError for anything that is not."""

    def __init__(self, text):
        self.types = {}
        self.helps = {}
        self.samples = {}  # (name, ((label, value), ...)) -> number
        self.family = None
        if not text.endswith("\n"):
            raise ValueError("the last line does not end")
        for line in text[:-1].split("\n"):
            (self.comment if line.startswith("#") else self.sample)(line)
        for name in self.types:
            self.check_family(name)

    def comment(self, line):
        match = re.fullmatch(r"# HELP (%s) (\S.*)" % NAME, line)
        if match:
            self.family = match.group(1)
            if self.family in self.helps:
                raise ValueError("again: " + line)
            self.helps[self.family] = match.group(2)
            return
        match = re.fullmatch(r"# TYPE (%s) (counter|gauge|histogram)" % NAME, line)
        if not match or match.group(1) != self.family or self.family in self.types:
            raise ValueError("out of place: " + line)
        self.types[self.family] = match.group(2)

    def sample(self, line):
        match = SAMPLE.fullmatch(line)
        if not match or not NUMBER.fullmatch(match.groups()[-1]):
            raise ValueError("not a sample: " + line)
        name = match.group(1)
        if self.family not in self.types or name not in [self.family + end for end in SUFFIXES[self.types[self.family]]]:
            raise ValueError("not in its family: " + line)
        pairs = re.findall(LABEL, match.group(2) or "")
        labels = tuple((label, re.sub(r"\\.", lambda one: UNESCAPED[one.group()], value)) for label, value in pairs)
        if len(dict(labels)) != len(labels) or (name, labels) in self.samples:
            raise ValueError("twice: " + line)
        self.samples[name, labels] = float(match.groups()[-1].replace("Inf", "inf"))

    def check_family(self, name):
        kind = self.types[name]
        if (kind == "counter") != name.endswith("_total"):
            raise ValueError("%s is a %s" % (name, kind))
        if kind == "histogram":
            self.check_histogram(name)

    def check_histogram(self, name):
        series = {}
        for (sample, labels), number in self.samples.items():
            if sample == name + "_bucket":
                bound = float(dict(labels)["le"].replace("Inf", "inf"))
                others = tuple(pair for pair in labels if pair[0] != "le")
                series.setdefault(others, []).append((bound, number))
        if not series:
            raise ValueError("no buckets: " + name)
        for labels, buckets in series.items():
            counts = [count for _, count in buckets]
            if buckets != sorted(buckets) or counts != sorted(counts) or buckets[-1][0] != math.inf:
                raise ValueError("buckets of %s: %s" % (name, buckets))
            if self.samples[name + "_count", labels] != counts[-1] or (name + "_sum", labels) not in self.samples:
                raise ValueError("count of %s: %s" % (name, buckets))

    def get(self, name, **labels):
        """The number of a sample; None when there is none."""
        found = [number for (one, pairs), number in self.samples.items() if one == "loggateway_" + name and dict(pairs) == labels]
        return found[0] if found else None

    def sum(self, name, **labels):
        """Over all samples that have these labels."""
        wanted = set(labels.items())
        return sum(number for (one, pairs), number in self.samples.items() if one == "loggateway_" + name and wanted <= set(pairs))


class TheParser(unittest.TestCase):
    """It would see what is wrong."""

    GOOD = '# HELP a_total It.\n# TYPE a_total counter\na_total{job="x\\\\\\"\\n"} 3\n'

    def test_good(self):
        self.assertEqual(Exposition(self.GOOD).samples, {("a_total", (("job", 'x\\"\n'),)): 3})

    def test_bad(self):
        for old, new in (
            ("} 3\n", "} 3"),
            ("} 3", "} x"),
            ("} 3", "}  3"),
            ("counter", "gauge"),
            ("counter", "count"),
            ("# TYPE a_total counter\n", ""),
            ("\\n", "\n"),
            ("\\n", "\\x"),
            ("{job", "{job="),
            ('"}', '",}'),
            ("a_total{", "b_total{"),
            ("# HELP", "# A note\n# HELP"),
            ("} 3\n", "} 3\n\n"),
            ("} 3\n", '} 3\na_total{job="x\\\\\\"\\n"} 3\n'),
        ):
            text = self.GOOD.replace(old, new)
            self.assertNotEqual(text, self.GOOD)
            with self.assertRaises((ValueError, KeyError), msg=text):
                Exposition(text)

    def test_histograms(self):
        head = "# HELP h It.\n# TYPE h histogram\n"
        good = head + 'h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 3\nh_sum 2.5\nh_count 3\n'
        self.assertEqual(Exposition(good).samples["h_count", ()], 3)
        for old, new in (("count 3", "count 2"), ('le="1"} 2', 'le="1"} 4'), ('h_bucket{le="+Inf"} 3\n', ""), ("h_sum 2.5\n", "")):
            with self.assertRaises(ValueError, msg=old):
                Exposition(good.replace(old, new))


# --- the service --------------------------------------------------------------------------------------------------


class Asking(Case):
    def config(self, server, schedule=NEVER, influx=None, listen="0", s3=None, **top):
        self.flat_config(server, s3={"schedule": schedule, "start": SINCE, **(s3 or {})}, influx=influx, metrics={"listen": listen}, **top)

    def service(self):
        service = Service(self)
        address = service.wait_for_line(LISTENING)["address"]
        self.host, _, port = address.rpartition(":")
        self.port = int(port)
        return service

    def ask(self, path, method="GET", headers=None, body=None):
        """(status, headers, text)"""
        connection = http.client.HTTPConnection(self.host.strip("[]"), self.port, timeout=20)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            reply = connection.getresponse()
            return reply.status, dict(reply.getheaders()), reply.read().decode()
        finally:
            connection.close()

    def metrics(self):
        status, headers, text = self.ask("/metrics")
        self.assertEqual(status, 200)
        self.assertEqual(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        return Exposition(text)

    def wait_for_runs(self, count=1):
        """The metrics once so many runs have ended."""
        wait_for(lambda: self.metrics().sum("runs_total") >= count)
        return self.metrics()

    def connect(self):
        one = socket.create_connection((self.host.strip("[]"), self.port), timeout=20)
        self.addCleanup(one.close)
        return one

    def listening_ports(self, process):
        """TCP ports that the process listens at, as the kernel has them."""
        inodes = set()
        for name in os.listdir("/proc/%d/fd" % process.pid):
            match = re.match(r"socket:\[(\d+)\]", os.readlink("/proc/%d/fd/%s" % (process.pid, name)))
            inodes.update(match.groups() if match else ())
        ports = set()
        for table in ("tcp", "tcp6"):
            if os.path.exists("/proc/net/" + table):
                with open("/proc/net/" + table, encoding="ascii") as file:
                    rows = [line.split() for line in file.readlines()[1:]]
                ports.update(int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A" and row[9] in inodes)
        return ports


class Numbers(Asking):
    def mixed(self):
        """Three points, a duplicate and three dead; a damaged object with a point; one that the server refuses."""
        record = s3_record(1)
        damaged = packed(s3_record(3))[:-4]
        objects = {
            FOLDER + "S3-a.gz": packed(record, record, s3_record(2), "broken", "{", '{"no":"kind"}'),
            FOLDER + "S3-b.gz": lines(s3_record(4)),
            FOLDER + "S3-c.gz": damaged,
            FOLDER + "S3-d.gz": packed(s3_record(5)),
        }
        server = self.server(objects)
        server.fault("get", scripted.status(403, DENIED), when=lambda request: request.key.endswith("S3-d.gz"))
        return server

    def test_they_equal_the_summary(self):
        server = self.mixed()
        self.config(server)
        service = self.service()
        found = self.wait_for_runs()
        (row,) = [line for line in service.lines("run finished")]
        job = "lyvecloud"
        self.assertEqual((row["read"], row["stored"], row["duplicate"], row["dead"]), ("8", "4", "1", "3"))
        for fate in ("stored", "duplicate", "expired", "dead"):
            self.assertEqual(found.get("points_total", job=job, sink="influxdb", fate=fate), int(row[fate]), fate)
        self.assertEqual(found.get("objects_total", job=job, state="settled"), 2)
        self.assertEqual(found.get("objects_total", job=job, state="quarantined"), int(row["quarantined"]), row)
        self.assertEqual(found.get("objects_total", job=job, state="failed"), int(row["failed"]))
        self.assertEqual((row["quarantined"], row["failed"]), ("1", "1"))
        self.assertEqual(found.get("records_total", job=job, parser="lyve_s3"), 5)
        self.assertEqual(found.get("records_total", job=job, parser="lyve_iam"), 0)
        self.assertEqual(found.get("records_total", job=job, parser="(none)"), 3)
        self.assertEqual(found.get("dead_letters_total", job=job), 3)
        self.assertEqual(self.ledger("SELECT COUNT(*) FROM dead_letter"), [(3,)])
        self.assertEqual(found.get("runs_total", job=job, result="incomplete"), 1)
        self.assertEqual(found.get("runs_total", job=job, result="complete"), 0)
        self.assertEqual(found.get("job_well", job=job), 0)
        self.assertIsNone(found.get("last_good_window_seconds", job=job))
        service.stop()

    def test_bytes(self):
        texts = [lines(*[s3_record(number) for number in range(start, start + 50)]) for start in (0, 100)]
        objects = {FOLDER + "S3-a.gz": packed(*[s3_record(number) for number in range(50)]), FOLDER + "S3-b": texts[1]}
        server = self.server(objects)
        self.config(server)
        service = self.service()
        found = self.wait_for_runs()
        self.assertEqual(found.get("read_bytes_total", job="lyvecloud"), sum(map(len, objects.values())))
        self.assertEqual(found.get("inflated_bytes_total", job="lyvecloud"), sum(map(len, texts)))
        service.stop()

    def test_times(self):
        server = self.server({FOLDER + "S3-a.gz": packed(s3_record(1))})
        began_s = time.time()
        self.config(server)
        service = self.service()
        found = self.wait_for_runs()
        ((good_to_ns,),) = self.ledger("SELECT to_ns FROM good_window")
        self.assertAlmostEqual(found.get("last_good_window_seconds", job="lyvecloud"), good_to_ns / SECOND, places=3)
        self.assertGreaterEqual(good_to_ns / SECOND, began_s)
        due = time.gmtime(found.get("next_run_seconds", job="lyvecloud"))
        self.assertEqual((due.tm_mon, due.tm_mday, due.tm_hour, due.tm_min, due.tm_sec), (2, 29, 0, 0, 0))
        self.assertGreater(found.get("next_run_seconds", job="lyvecloud"), began_s)
        self.assertEqual(found.get("run_seconds_count", job="lyvecloud"), 1)
        (row,) = service.lines("run finished")
        self.assertAlmostEqual(found.get("run_seconds_sum", job="lyvecloud"), float(row["seconds"]), delta=0.5)
        self.assertEqual(found.get("job_well", job="lyvecloud"), 1)
        version = self.run_program("--version").out.split()[1]
        self.assertEqual(found.get("build_info", version=version), 1)
        service.stop()

    def test_requests_and_retries(self):
        server = self.server({FOLDER + "S3-a.gz": packed(s3_record(1)), FOLDER + "S3-b.gz": packed(s3_record(2))})
        server.fault("get", scripted.edit(cut_at=30))
        server.fault("write", scripted.status(503, b""), times=2)
        self.config(server, s3={"workers": 1})
        service = self.service()
        found = self.wait_for_runs()
        kinds = {kind: len(server.of(kind)) for kind in ("list", "folders", "get", "write")}
        self.assertEqual((kinds["get"], kinds["write"]), (3, 4), "two objects and a cut; a write of points, one of figures, two refused")
        for code, count in (("2xx", kinds["list"] + kinds["folders"] + 2), ("none", 1), ("4xx", 0), ("5xx", 0)):
            self.assertEqual(found.get("http_requests_total", place="lyvecloud", code=code), count, code)
        for code, count in (("2xx", 2), ("5xx", 2), ("none", 0)):
            self.assertEqual(found.get("http_requests_total", place="influxdb", code=code), count, code)
        self.assertEqual(found.get("http_retries_total", place="lyvecloud"), 1)
        self.assertEqual(found.get("http_retries_total", place="influxdb"), 2)
        for place in ("lyvecloud", "influxdb"):
            self.assertEqual(found.get("http_request_seconds_count", place=place), found.sum("http_requests_total", place=place))
        service.stop()

    def test_requests_that_are_given_up(self):
        """The next object has been asked for when the sink refuses: the bucket has had that request too."""
        server = self.server({FOLDER + "S3-a.gz": packed(*[s3_record(number) for number in range(3)]), FOLDER + "S3-b.gz": packed(s3_record(9))})
        server.fault("write", scripted.status(401, b""), times=1000)
        self.config(server, influx={"batch_lines": 1}, s3={"workers": 1})
        service = self.service()
        found = self.wait_for_runs()
        self.assertEqual(found.get("runs_total", job="lyvecloud", result="incomplete"), 1)
        self.assertEqual(len(server.of("get")), 2)
        listed = len(server.of("list")) + len(server.of("folders"))
        for code, count in (("2xx", listed + 1), ("none", 1), ("4xx", 0)):
            self.assertEqual(found.get("http_requests_total", place="lyvecloud", code=code), count, code)
        self.assertEqual(found.get("http_request_seconds_count", place="lyvecloud"), listed + 2)
        self.assertEqual(found.get("http_retries_total", place="lyvecloud"), 0)
        service.stop()

    def test_a_slow_place_is_seen_and_a_slow_sink_is_not_the_source_s(self):
        server = self.server({FOLDER + "S3-a.gz": packed(*[s3_record(number) for number in range(300)])})
        server.fault("write", scripted.edit(delay_s=5))  # longer than the other requests take on a busy machine
        self.config(server, influx={"batch_lines": 100}, s3={"workers": 1})
        service = self.service()
        found = self.wait_for_runs()
        self.assertGreaterEqual(found.get("http_request_seconds_sum", place="influxdb"), 5)
        self.assertLess(found.get("http_request_seconds_sum", place="lyvecloud"), 5)
        bucket = {bound: found.get("http_request_seconds_bucket", place="influxdb", le=bound) for bound in ("1", "10")}
        self.assertGreaterEqual(bucket["10"] - bucket["1"], 1, bucket)
        service.stop()

    def test_a_sink_that_is_held(self):
        server = self.server({FOLDER + "S3-a.gz": packed(s3_record(1))})
        server.fault("write", scripted.status(503, b""), times=1000)
        self.config(server)
        service = self.service()
        wait_for(lambda: self.metrics().get("sink_waiting_workers", job="lyvecloud", sink="influxdb") == 1)
        self.assertEqual(self.ask("/healthz")[0], 200)
        server.faults.clear()
        found = self.wait_for_runs()
        self.assertEqual(found.get("sink_waiting_workers", job="lyvecloud", sink="influxdb"), 0)
        service.stop()

    def test_two_jobs_names_that_need_escapes(self):
        server = self.server({FOLDER + "S3-a.gz": packed(s3_record(1), s3_record(2))})
        odd = 'sto"re \\n'
        logs = {"type": "s3", "endpoint_url": server.url, "log_bucket": scripted.LOGS, "access_key": "key-id", "secret_key": "x" * 20, "region": "us-east-1"}
        jobs = [
            {"name": "one", "from": "logs", "to": ["first", odd], "schedule": NEVER, "start": SINCE},
            {"name": "two", "from": "logs", "to": ["first"], "schedule": NEVER, "start": SINCE, "parse": ["lyve_iam", "lyve_s3"]},
        ]
        stores = {name: {"type": "sqlite", "path": self.path("store%d.db" % number)} for number, name in enumerate(("first", odd))}
        self.write_config({"jobs": jobs, "logs": logs, **stores, "state": self.state_path, "metrics": {"listen": "127.0.0.1:0"}})
        service = self.service()
        found = self.wait_for_runs(2)
        for job, sink in (("one", "first"), ("one", odd), ("two", "first")):
            self.assertEqual(found.get("points_total", job=job, sink=sink, fate="stored"), 2, (job, sink))
        self.assertIsNone(found.get("points_total", job="two", sink=odd, fate="stored"))
        self.assertIsNone(found.get("records_total", job="two", parser="lyve_console"))
        self.assertEqual(found.get("http_requests_total", place="logs", code="2xx"), len(server.requests))
        service.stop()

    def test_no_foreign_text(self):
        """Keys, values and errors of places stay out of the page, and secrets out of every answer."""
        server = self.mixed()
        server.fault("write", scripted.status(401, b'{"message":"unauthorized access to everything"}'), times=1000)
        self.config(server)
        service = self.service()
        self.wait_for_runs()
        text = self.ask("/metrics")[2]
        for foreign in ("S3-a", "orders", "AccessDenied", "everything", server.url.rpartition(":")[2]):
            self.assertNotIn(foreign, text)
        self.assert_no_secret(text, self.ask("/readyz")[2])
        service.stop()

    @unittest.skipUnless(PROMTOOL, "promtool is not there (scripts/servers gets it)")
    def test_promtool(self):
        server = self.mixed()
        self.config(server)
        service = self.service()
        self.wait_for_runs()
        done = subprocess.run([PROMTOOL, "check", "metrics"], input=self.ask("/metrics")[2], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        service.stop()


class Ready(Asking):
    def test_it_follows_the_last_run(self):
        server = self.server({FOLDER + "S3-a.gz": packed(s3_record(1))})
        self.config(server, EVERY_SECOND)
        service = self.service()
        wait_for(lambda: self.ask("/readyz")[0] == 200)
        self.assertEqual(self.ask("/readyz")[2], "ready\n")
        server.fault("list", scripted.status(403, DENIED), times=1000)
        wait_for(lambda: self.ask("/readyz")[0] == 503)
        status, headers, text = self.ask("/readyz")
        self.assertEqual(status, 503)
        self.assertTrue(headers["Content-Type"].startswith("text/plain"))
        self.assertRegex(text, r"\Ajob lyvecloud: the last run was not complete: .*AccessDenied.*\n\Z")
        check = self.run_program("status", "--check")
        self.assertEqual((check.code, check.out), (1, text))
        self.assertEqual(self.ask("/healthz")[0], 200, "it is alive all the same")
        self.assertEqual(self.metrics().get("job_well", job="lyvecloud"), 0)
        server.faults.clear()
        wait_for(lambda: self.ask("/readyz")[0] == 200)
        self.assertEqual(self.metrics().get("job_well", job="lyvecloud"), 1)
        service.stop()

    def test_a_pull_that_was_interrupted_changes_nothing(self):
        server = self.server({FOLDER + "S3-%d.gz" % number: packed(s3_record(number)) for number in range(3)})
        self.config(server, s3={"workers": 1})
        service = self.service()
        self.wait_for_runs()
        server.requests.clear()
        server.fault("get", scripted.edit(delay_s=2.0), times=1000)
        pull = self.start("pull", "--from-date", "2026-01-01", "--again")
        wait_for(lambda: server.of("get"))
        pull.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(pull, timeout=30).code, 1)
        self.assertEqual(self.ask("/readyz")[::2], (200, "ready\n"))
        self.assertEqual(self.metrics().get("job_well", job="lyvecloud"), 1)
        service.stop()

    def test_a_line_for_each_job_that_is_not_well(self):
        server = self.server({FOLDER + "S3-a.gz": packed(s3_record(1))})
        server.fault("list", scripted.status(403, DENIED), times=1000)
        logs = {"type": "s3", "endpoint_url": server.url, "log_bucket": scripted.LOGS, "access_key": "key-id", "secret_key": "x" * 20, "region": "us-east-1"}
        jobs = [{"name": name, "from": place, "to": ["store"], "schedule": NEVER} for name, place in (("one", "logs"), ("two", "folder"), ("three", "logs"))]
        os.mkdir(self.path("input"))
        top = {"folder": {"type": "file", "path": self.path("input")}, "store": {"type": "sqlite", "path": self.path("store.db")}}
        self.write_config({"jobs": jobs, "logs": logs, **top, "state": self.state_path, "metrics": None})
        port = self.write_free_port()
        service = self.service()
        self.assertEqual((self.host, self.port), ("127.0.0.1", port))
        self.wait_for_runs(3)
        status, _, text = self.ask("/readyz")
        self.assertEqual(status, 503)
        self.assertEqual([line.split(":")[0] for line in text.splitlines()], ["job one", "job three"])
        service.stop()

    def write_free_port(self):
        """Names a port in the configuration, alone."""
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        with open(self.config_path, encoding="utf-8") as file:
            text = file.read()
        self.write_config(text.replace('"metrics": null', '"metrics": {"listen": %d}' % port))
        return port


class Protocol(Asking):
    def setUp(self):
        super().setUp()
        self.web = self.server({FOLDER + "S3-a.gz": packed(s3_record(1))})

    def started(self, **config):
        self.config(self.web, **config)
        return self.service()

    def test_paths_and_methods(self):
        service = self.started()
        self.assertEqual(self.ask("/healthz")[::2], (200, "alive\n"))
        for path in ("/", "/metric", "/metrics/", "/metrics/x", "//metrics", "/%00metrics", "/config.yaml", "/../metrics"):
            self.assertEqual(self.ask(path)[0], 404, path)
        self.assertEqual(self.ask("/metrics?collect[]=x")[0], 200)
        for path in ("/metrics", "/healthz", "/readyz"):
            for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"):
                status, headers, _ = self.ask(path, method, body=b"x" if method == "POST" else None)
                self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"), (method, path))
        status, headers, text = self.ask("/metrics", "HEAD")
        self.assertEqual((status, text), (200, ""))
        self.assertGreater(int(headers["Content-Length"]), 1000)
        service.stop()

    def test_a_head_that_is_too_long(self):
        service = self.started()
        self.assertIn(self.ask("/metrics?" + "x" * 100000)[0], (414, 431))
        self.assertEqual(self.ask("/healthz")[0], 200)
        service.stop()

    def test_more_connections_than_it_takes(self):
        """They wait their turn, which comes when the idle ones have had their time."""
        service = self.started()
        many = [self.connect() for _ in range(40)]
        self.assertEqual(self.ask("/healthz")[0], 200)
        for one in many:
            one.close()
        self.assertEqual(self.ask("/healthz")[0], 200)
        service.stop()

    def test_a_signal_with_connections_open(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                service = self.started()
                idle, begun, reading = self.connect(), self.connect(), self.connect()
                begun.sendall(b"GET /metrics HTTP/1.1\r\nHo")
                reading.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertTrue(reading.recv(1))
                self.assertLess(service.stop(number), 10)
                self.assertEqual(idle.recv(1), b"")
                self.forget()

    def test_asked_while_a_run_is_under_way_and_the_ledger_is_locked(self):
        self.web.fault("get", scripted.edit(delay_s=60))
        service = self.started()
        wait_for(lambda: self.web.of("get"))
        other = sqlite3.connect(self.state_path, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        for path in ("/metrics", "/readyz", "/healthz"):
            self.assertEqual(self.ask(path)[0], 200, path)
        self.assertLess(time.monotonic() - began, 5)
        other.execute("ROLLBACK")
        service.stop()


class Where(Asking):
    def setUp(self):
        super().setUp()
        self.web = self.server({FOLDER + "S3-a.gz": packed(s3_record(1))})

    def test_nothing_listens_without_the_stanza(self):
        self.flat_config(self.web, s3={"schedule": NEVER})
        service = Service(self)
        service.wait_for_line("run finished")
        self.assertEqual(self.listening_ports(service.process), set())
        self.assertEqual(service.lines(LISTENING), [])
        service.stop()

    def test_it_listens_on_127_0_0_1_unless_told_otherwise(self):
        for listen, host in (("0", "127.0.0.1"), ("127.0.0.1:0", "127.0.0.1"), ("0.0.0.0:0", "0.0.0.0"), ("127.0.0.2:0", "127.0.0.2")):
            with self.subTest(listen):
                self.config(self.web, listen=listen)
                service = self.service()
                self.assertEqual(self.host, host)
                self.assertEqual(self.listening_ports(service.process), {self.port})
                self.assertEqual(self.ask("/healthz")[0], 200)
                service.stop()

    @unittest.skipUnless(os.path.exists("/proc/net/if_inet6") and open("/proc/net/if_inet6", encoding="ascii").read(), "no IPv6 here")
    def test_ipv6(self):
        self.config(self.web, listen="[::1]:0")
        service = self.service()
        self.assertEqual(self.host, "[::1]")
        self.assertEqual(self.ask("/healthz")[0], 200)
        service.stop()

    def test_a_pull_listens_nowhere(self):
        self.config(self.web)
        self.web.fault("get", scripted.edit(delay_s=1))
        process = self.start("pull", "--from-date", "2026-01-01")
        wait_for(lambda: self.web.of("get"))
        self.assertEqual(self.listening_ports(process), set())
        self.assertEqual(self.finish(process).code, 0)

    def test_a_port_that_is_taken(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            listen = "127.0.0.1:%d" % other.getsockname()[1]
            self.config(self.web, listen=listen)
            result = self.run_program("run", timeout=20)
        self.assertEqual(result.code, 1, str(result))
        self.assertIn("metrics: cannot listen at %s: Address already in use" % listen, result.err)
        self.assertEqual(self.web.requests, [], "nothing is begun")

    def test_it_can_be_started_again_at_once(self):
        self.config(self.web)
        first = self.service()
        self.config(self.web, listen=str(self.port))
        self.ask("/metrics", headers={"Connection": "keep-alive"})
        first.stop()
        second = self.service()
        self.assertEqual(self.ask("/healthz")[0], 200)
        second.stop()

    def test_what_is_not_an_address(self):
        for listen in ("localhost:9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:9464", "[127.0.0.1]:9464", "[::1]", "x", ""):
            with self.subTest(listen):
                self.config(self.web, listen=listen)
                for command in ("check", "run"):
                    result = self.run_program(command, timeout=20)
                    self.assertEqual(result.code, 2, str(result))
                    self.assertRegex(result.err, r'config.yaml:\d+:\d+: metrics.listen: ".*" is not an address and port')


if __name__ == "__main__":
    unittest.main()
