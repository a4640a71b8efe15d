"""`loggateway run` as the tests use it: a process whose log is read while it runs, and objects delivered now.

Not a test itself; the tests of the service beside scripted and real servers are built on it.
"""

import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import generate  # noqa: E402
from lib import harness  # noqa: E402

EVERY_SECOND = "* * * * * *"
ENDS_WITHIN_S = 10  # what a stopped service is allowed
SECOND = 10**9


def new_object(number, delivered_s, records=20, folder=None):
    """An object delivered at this time: records of the minute before, all of this object only."""
    texts = []
    for index in range(records):
        record = harness.s3_record(index)
        entry = record["auditEntry"]
        entry["time"] = generate.date_text(delivered_s - 60) + ".%09dZ" % (number * 1000 + index)
        entry["requestID"] = "%016X" % (number * 1000 + index)
        texts.append(json.dumps(record))
    stamp = generate.date_text(delivered_s, "%Y-%m-%d-%H-%M-%S")
    key = "%sS3-orders-%s-%05d.gz" % (folder or generate.month_folder(delivered_s), stamp, number)
    data = gzip.compress("\r\n".join(texts).encode(), 1, mtime=0)
    return generate.Object(key, data, delivered_s, records, "s3")


class Service:
    """A service under way. Its log is a list of dicts that grows."""

    def __init__(self, case, *arguments, env=None):
        self.case = case
        self.process = case.start(*(arguments or ("run",)), env=env)
        self.text = []
        self.reader = threading.Thread(target=self.read, args=(self.process.stderr,), daemon=True)
        self.reader.start()
        case.addCleanup(self.kill)

    def read(self, pipe):
        for line in pipe:
            self.text.append(line.decode(errors="replace"))

    def lines(self, msg, **pairs):
        """The log's lines with this message and these values; a value may be a part of what is logged."""
        found = []
        for text in list(self.text):
            line = harness.parse_logfmt(text)
            if line.get("msg") == msg and all(value in line.get(name, "") for name, value in pairs.items()):
                found.append(line)
        return found

    def wait_for_line(self, msg, count=1, timeout_s=30, **pairs):
        try:
            return harness.wait_for(lambda: self.lines(msg, **pairs)[count - 1 :], timeout_s)[0]
        except AssertionError:
            self.case.fail("no line %r %r in the log:\n%s" % (msg, pairs, self.tail()))

    def tail(self):
        return "".join(list(self.text)[-60:])

    def is_up(self):
        return self.process.poll() is None

    def kill(self):
        if self.is_up():
            self.process.kill()
        self.process.wait()
        self.reader.join(timeout=10)

    def stop(self, number=signal.SIGTERM):
        """Ends it as an operator does: exit 0 within the time it has. Returns how long it took."""
        self.case.assertTrue(self.is_up(), "it has ended by itself:\n" + self.tail())
        began = time.monotonic()
        self.process.send_signal(number)
        try:
            code = self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.case.fail("it does not end\n" + self.tail())
        took_s = time.monotonic() - began
        self.reader.join(timeout=10)
        self.case.assertEqual(code, 0, self.tail())
        self.case.assertLess(took_s, ENDS_WITHIN_S, self.tail())
        self.case.assertNotIn("Sanitizer", "".join(self.text))
        self.case.assertNotIn("runtime error", "".join(self.text))
        self.assert_adds_up()
        return took_s

    def assert_adds_up(self):
        for row in harness.Result(0, "", "".join(self.text)).summaries():
            self.case.assertEqual(row["read"], row["stored"] + row["duplicate"] + row["expired"] + row["dead"], row)


class Serving(harness.Case):
    """What tests of a service need. With a clock, it is the service's, and objects are delivered by it."""

    def setUp(self):
        super().setUp()
        self.number = 0
        self.clock = None

    def now_s(self):
        return int(self.clock.now_s() if self.clock else time.time())

    def service(self):
        return Service(self, env=self.clock.environment() if self.clock else None)

    def deliver(self, server, age_s=0, records=20):
        """An object that came so long ago; returns its key."""
        self.number += 1
        one = new_object(self.number, self.now_s() - age_s, records)
        self.put_objects(server, [one])
        return one.key

    def config(self, server, schedule=EVERY_SECOND, influx=None, **s3):
        self.flat_config(server, s3={"schedule": schedule, **s3}, influx=influx)

    def is_exact(self, server):
        return server.audit_points() == self.expected(server).points

    def wait_until_exact(self, server, service, timeout_s=30):
        try:
            harness.wait_for(lambda: self.is_exact(server), timeout_s)
        except AssertionError:
            self.assert_exact(server)
            self.fail("never exact:\n" + service.tail())

    def assert_goes_on(self, server):
        """Another service makes good what is left, exactly."""
        again = self.service()
        self.wait_until_exact(server, again)
        again.stop()

    def wait_for_run(self, service, count=1, **pairs):
        return service.wait_for_line("run finished", count, **pairs)

    def gate(self, server):
        """Every delay at the server lasts until the gate is set, or its own time."""
        gate = threading.Event()
        self.addCleanup(gate.set)
        server.sleep = lambda seconds: seconds and gate.wait(seconds)
        return gate

    def settled(self):
        return {bytes(key).decode() for (key,) in self.ledger("SELECT key FROM object WHERE state = 1")}

    def runs(self):
        """(start, end) of each run so far, in seconds."""
        return [(start / SECOND, end and end / SECOND) for start, end in self.ledger("SELECT started, ended FROM run ORDER BY id")]

    def change_ledger(self, *statements):
        connection = sqlite3.connect(self.state_path, timeout=20)
        with connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()
