"""Listing scales with what is new: a bucket of 36 months and 1,000,000 keys under a service that runs each second.

What a history of months has to give, folders that turn and keys that come late, is in tests/unit/test_cursors.c,
whose clock is its own. Here are the real requests, the time and the memory.
"""

import datetime
import os
import re
import signal
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib import million  # noqa: E402
from lib.harness import BINARY, Case, packed, s3_record, wait_for  # noqa: E402

HANDFUL = 12
MEMORY_MIB = 64
DAY_NS = 86400 * 10**9


def is_sanitized():
    with open(BINARY, "rb") as file:
        return b"__asan_init" in file.read()


def memory_mib(process):
    """The most it has had so far. (What wait4() tells counts the moment before exec as well: this process.)"""
    with open("/proc/%d/status" % process.pid, encoding="ascii") as file:
        return int(file.read().split("VmHWM:")[1].split()[0]) / 1024


class Listing(Case):
    def bucket(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        server = million.Million(packed(s3_record(1)), now).start()
        self.addCleanup(server.stop)
        self.assertGreater(server.count(), 1_000_000)
        self.flat_config(server, s3={"schedule": "* * * * * *", "start": "1h", "look_back": "1200d"})
        return server

    def runs(self):
        """(number, LIST requests) of the runs that are complete."""
        return self.ledger("SELECT id, list_requests FROM run WHERE ok = 1 ORDER BY id")

    def next_run(self):
        """The LIST requests of a run that begins after now."""
        begun = self.ledger("SELECT max(id) FROM run")[0][0]
        return wait_for(lambda: [requests for number, requests in self.runs() if number > begun], 30)[0]

    def was_read(self, server, key):
        return any(request.key == key for request in server.of("get"))

    def knows(self, key):
        return bool(self.ledger("SELECT 1 FROM object WHERE key = CAST(? AS BLOB)", key))

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(process).code, 0)

    def let_a_day_pass(self):
        """The ledger as it would be tomorrow."""
        ledger = sqlite3.connect(self.state_path)
        with ledger:
            ledger.execute("UPDATE folder SET whole = whole - ?", [DAY_NS])
        ledger.close()

    def check_memory(self, name, process):
        mib = memory_mib(process)
        print("\n%s: at most %.1f MiB" % (name, mib), file=sys.stderr)
        if not is_sanitized():
            self.assertLess(mib, MEMORY_MIB)

    def check_new_stem(self, server):
        """Its name sorts between two known ones."""
        key = million.key_of("S3-new-", datetime.datetime.now(datetime.timezone.utc))
        server.add(key, datetime.datetime.now(datetime.timezone.utc))
        self.assertLessEqual(self.next_run(), HANDFUL)
        self.assertTrue(self.was_read(server, key))

    def check_gone(self, server):
        """An object that is removed between its listing and its GET is forgotten, not tried for a day."""
        key = million.key_of("console-", datetime.datetime.now(datetime.timezone.utc))

        def remove(_, reply):
            server.remove(key)
            return server.s3_error(404, "NoSuchKey", "The specified key does not exist.")

        server.fault("get", remove, when=lambda request: request.key == key)
        server.add(key, datetime.datetime.now(datetime.timezone.utc))
        wait_for(lambda: self.knows(key))
        wait_for(lambda: not self.knows(key))
        self.assertLessEqual(wait_for(lambda: self.next_run() <= HANDFUL and self.runs()[-1][1], 30), HANDFUL)

    def check_status(self):
        result = self.run_program("status")
        self.assertEqual(result.code, 0, str(result))
        found = re.search(r"LIST requests +([\d,]+)", result.out)
        self.assertTrue(found, result.out)
        self.assertLessEqual(int(found.group(1).replace(",", "")), HANDFUL)

    def test_a_million_keys(self):
        server = self.bucket()
        total = server.count()
        begun = time.monotonic()
        self.pull(since="-1h")
        print("\n%d keys, first pull %.1f s" % (total, time.monotonic() - begun), file=sys.stderr)
        self.assertEqual(self.ledger("SELECT count(*) FROM object"), [(total,)])
        self.assertGreater(len(server.of("list")), total // 1000)

        begun = time.monotonic()
        service = self.start("run")
        wait_for(lambda: len(self.runs()) >= 2, 60)
        print("first scheduled run %.1f s" % (time.monotonic() - begun), file=sys.stderr)
        self.assertGreater(self.runs()[1][1], total // 1000)
        self.assertLessEqual(self.next_run(), HANDFUL)
        self.check_new_stem(server)
        self.check_gone(server)
        self.check_status()

        last_month = million.month_before(server.now.replace(day=1))
        late = million.key_of("S3-orders-", last_month.replace(day=10, hour=1, minute=2, second=3))
        gone = million.key_of("console-", last_month.replace(day=11, hour=0, minute=0, second=0))
        self.assertTrue(self.knows(gone))
        server.add(late, datetime.datetime.now(datetime.timezone.utc))
        server.remove(gone)
        self.assertLessEqual(self.next_run(), HANDFUL)
        self.assertFalse(self.was_read(server, late))
        self.assertTrue(self.knows(gone))
        self.check_memory("service", service)
        self.stop(service)

        self.let_a_day_pass()
        service = self.start("run")
        self.assertGreater(self.next_run(), total // 1000)
        self.assertTrue(self.was_read(server, late))
        self.assertFalse(self.knows(gone))
        self.assertLessEqual(self.next_run(), HANDFUL)
        self.check_memory("service after a day", service)
        self.stop(service)
        self.assertEqual(self.ledger("SELECT count(*) FROM object"), [(server.count(),)])


if __name__ == "__main__":
    unittest.main()
