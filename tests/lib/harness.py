"""Runs the binary the way an operator does: a configuration in a temporary folder, a command, its output.

Base class of all flow and server tests. Every process is ended, by its number, when its test ends, also after a
failure, Ctrl-C or the death of the test itself.
"""

import ctypes
import datetime
import gzip
import json
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))

import generate  # noqa: E402
from lib import expect, scripted  # noqa: E402

BINARY = os.path.abspath(os.environ.get("LOGGATEWAY", os.path.join(ROOT, "build/src/loggateway")))
# Runs the program under something else, as in WRAP="valgrind -q --error-exitcode=99".
WRAPPER = shlex.split(os.environ.get("WRAP", ""))
# A zone far from UTC: every date in the tests is UTC, so nothing may depend on it.
ENVIRONMENT = {"TZ": "Pacific/Auckland", "PATH": os.environ.get("PATH", ""), "no_proxy": "127.0.0.1"}
PASSED_ON = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "LD_LIBRARY_PATH")
SECRET_KEY = "secret-key-of-the-tests"
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def stop_process(process):
    if process.poll() is None:
        process.kill()
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()


def parse_logfmt(line):
    """{name: value} of one line, or {} when it is not logfmt."""
    pairs = re.findall(r'([^\s=]+)=("(?:[^"\\]|\\.)*"|\S*)', line)
    return {name: json.loads(value) if value.startswith('"') else value for name, value in pairs}


class Result:
    def __init__(self, code, out, err):
        self.code = code
        self.out = out
        self.err = err
        self.log = [parse_logfmt(line) for line in err.splitlines()]

    def summaries(self):
        """The figures of each "run finished" line."""
        rows = []
        for line in self.log:
            if line.get("msg") == "run finished":
                rows.append({name: int(value) if re.fullmatch(r"\d+", value) else value for name, value in line.items()})
        return rows

    def __str__(self):
        return "exit %s\n--- stdout\n%s\n--- stderr\n%s" % (self.code, self.out[-4000:], self.err[-8000:])


def lines(*records, end="\r\n"):
    """Records (dicts or texts) as the text of an object."""
    texts = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in records]
    return "".join(text + end for text in texts).encode()


def packed(*records, end="\r\n"):
    return gzip.compress(lines(*records, end=end), 6, mtime=0)


def s3_record(number=0, **changes):
    """A plain S3 API record; number sets it apart (its time and request id)."""
    record = {
        "auditEntry": {
            "time": "2026-03-01T10:%02d:%02d.%09dZ" % (number // 60 % 60, number % 60, 123456789 + number),
            "api": {"name": "GetObject", "bucket": "orders", "object": "x", "status": "OK", "statusCode": 200, "timeToResponse": "%dns" % (1000 + number)},
            "requestID": "%016X" % number,
            "requestHeader": {"X-Real-Ip": "10.1.2.3:4567", "Authorization": "Signature=" + generate.SIGNATURE},
        },
        "serviceAccountName": "svc",
        "serviceAccountCreatorId": "ada@example.com",
    }
    record.update(changes)
    return record


def seconds_of(text):
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp())


DELIVERED_S = seconds_of("2026-03-01T12:00:00")
FOLDER = "March-2026/"


class Case(unittest.TestCase):
    maxDiff = 2000

    def setUp(self):
        self.assertTrue(os.access(BINARY, os.X_OK), "no program at %s: build it, or set LOGGATEWAY" % BINARY)
        folder = tempfile.TemporaryDirectory(prefix="loggateway-test-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.config_path = os.path.join(self.folder, "config.yaml")
        self.state_path = os.path.join(self.folder, "state.db")

    def path(self, *names):
        return os.path.join(self.folder, *names)

    # --- servers and objects ---

    def server(self, objects=None):
        """A scripted server. objects: {key: bytes}, or Objects of the generator; delivered at noon unless those say."""
        one = scripted.Scripted().start()
        self.addCleanup(one.stop)
        self.put_objects(one, objects or {})
        return one

    def put_objects(self, server, objects):
        if isinstance(objects, dict):
            for number, (key, data) in enumerate(objects.items()):
                server.objects[key] = scripted.Stored(data, DELIVERED_S + number)
            return
        for one in objects:
            server.objects[one.key] = scripted.Stored(one.data, one.delivered_s)

    def expected(self, server):
        """What all objects at the server, as they are now, must give."""
        order = sorted(server.objects.items(), key=lambda item: (item[1].last_modified_s, item[0].encode()))
        return expect.expect((key, one.data, one.last_modified_s * expect.SECOND) for key, one in order)

    def generated(self, **changes):
        arguments = {"seed": 11, "start": datetime.date(2026, 3, 1), "days": 5, "objects_per_kind": 3, "records": 40, "profile": "full"}
        arguments.update(changes)
        return list(generate.objects(**arguments))

    # --- configuration ---

    def flat_config(self, server, s3=None, influx=None, **top):
        """The flat form, as the original has it, for one scripted server in both roles."""
        stanza = {"endpoint_url": server.url, "log_bucket": scripted.LOGS, "access_key": "key-id", "secret_key": SECRET_KEY, "region": "us-east-1"}
        sink = {"host": server.url, "token": scripted.TOKEN, "org": scripted.ORG, "bucket": scripted.BUCKET}
        stanza.update(s3 or {})
        sink.update(influx or {})
        config = {"lyvecloud": stanza, "datasources": ["influxdb"], "influxdb": sink, "state": self.state_path}
        config.update(top)
        self.write_config(config)

    def write_config(self, config):
        """config: a dict (JSON is YAML too) or text. The file is private, since it holds secrets."""
        text = config if isinstance(config, str) else json.dumps(config, indent=2)
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.config_path, 0o600)

    # --- running ---

    def start(self, *arguments, env=None):
        variables = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        # Without a file there is no -c either: some commands need no configuration.
        config = ["-c", self.config_path] if os.path.exists(self.config_path) else []
        process = subprocess.Popen(
            WRAPPER + [BINARY, *config, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env={**ENVIRONMENT, **variables, **(env or {})},
            preexec_fn=die_with_parent,
        )
        self.addCleanup(stop_process, process)
        return process

    def finish(self, process, timeout=60):
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            self.fail("still running after %d s\n%s" % (timeout, err.decode(errors="replace")[-8000:]))
        result = Result(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))
        self.assertNotIn("Sanitizer", result.err)
        self.assertNotIn("runtime error", result.err)
        return result

    def run_program(self, *arguments, timeout=60, env=None):
        return self.finish(self.start(*arguments, env=env), timeout)

    def pull(self, *arguments, timeout=60, code=0, since="2026-01-01"):
        """A pull that must end with this code and whose figures must add up."""
        result = self.run_program("pull", "--from-date", since, *arguments, timeout=timeout)
        self.assertEqual(result.code, code, str(result))
        self.assert_adds_up(result)
        return result

    def verify(self, *arguments, code=0):
        """What it finds, as a document; code 0 means that all is equal."""
        result = self.run_program("verify", "--json", *arguments)
        self.assertEqual(result.code, code, str(result))
        document = json.loads(result.out)
        self.assertIs(document["equal"], code == 0)
        return document

    def forget(self):
        """Removes the ledger."""
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(self.state_path + suffix):
                os.unlink(self.state_path + suffix)

    def kill_pulls(self, rng, times, span_s):
        """Starts a pull `times` times and kills it in the middle; returns how often it was still alive. span_s is what a
        whole pull takes; a killed one gets an eighth of it at most, so that there is work left for the last of them."""
        killed = 0
        for _ in range(times):
            process = self.start("pull", "--from-date", "2026-01-01")
            time.sleep(rng.uniform(0, span_s / 8))
            process.kill()
            killed += process.wait() == -signal.SIGKILL
        return killed

    # --- checks ---

    def assert_adds_up(self, result):
        for row in result.summaries():
            self.assertEqual(row["read"], row["stored"] + row["duplicate"] + row["expired"] + row["dead"], row)

    def assert_figures(self, result, sink=None, **figures):
        """The one summary line (or that of a sink) has these figures."""
        rows = [row for row in result.summaries() if sink in (None, row["sink"])]
        self.assertEqual(len(rows), 1, str(result))
        found = {name: rows[0][name] for name in figures}
        self.assertEqual(found, figures, str(result))

    def assert_points(self, found, wanted):
        """Two dicts of points are the same; says how they differ without printing thousands."""
        if found == wanted:
            return
        missing = [key for key in wanted if key not in found]
        surplus = [key for key in found if key not in wanted]
        other = [(key, found[key], wanted[key]) for key in wanted if key in found and found[key] != wanted[key]]
        text = "%d points, %d wanted; %d missing %s; %d surplus %s; %d with other fields %s"
        self.fail(text % (len(found), len(wanted), len(missing), missing[:2], len(surplus), surplus[:2], len(other), other[:1]))

    def assert_exact(self, server):
        """The server holds exactly the points that its objects must give."""
        self.assert_points(server.audit_points(), self.expected(server).points)

    def assert_no_secret(self, *texts):
        """None of the secrets is in these texts, nor in any file the program left (but the configuration and the input)."""
        secrets = [text.encode() for text in generate.SECRETS + [SECRET_KEY, scripted.TOKEN]]
        found = [("output", text.encode()) for text in texts]
        for root, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(root, name)
                if path != self.config_path and not path.startswith(self.path("input")):
                    with open(path, "rb") as file:
                        found.append((path, file.read()))
        for where, content in found:
            for secret in secrets:
                self.assertNotIn(secret, content, "a secret in " + where)

    # --- the ledger ---

    def ledger(self, query, *values):
        """Rows of the state file."""
        connection = sqlite3.connect("file:%s?mode=ro" % self.state_path, uri=True)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()


def wait_for(condition, timeout_s=20):
    """Waits until condition() gives something true and returns it."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("it did not happen within %d s" % timeout_s)
