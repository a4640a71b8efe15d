#!/usr/bin/env python3
"""What listing a key costs that is long settled: CPU per key (HTTP, XML, join with the ledger) and bytes in the ledger.

usage: LOGGATEWAY=build/src/loggateway tests/bench/list_million.py
Goals: 1.5 us and 150 bytes a key.
"""

import datetime
import os
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib import million  # noqa: E402
from lib.harness import Case, packed, s3_record  # noqa: E402

# As src/ledger/counts packs them: 300 records read, 300 stored in the one sink, all of one measurement and day.
COUNTS = bytes.fromhex("ac02 00 01" + "ac02 00 00 00" + "08 f0c102 ac02")
SETTLED = 1
# They make keys of 60 bytes on average.
STEMS = ("IAM-of-all-the-customers-", "S3-orders-of-the-big-shop-", "console-of-the-big-shops-")


class Bench(Case):
    def runTest(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        server = million.Million(packed(s3_record(1)), now, STEMS).start()
        self.addCleanup(server.stop)
        self.flat_config(server, s3={"look_back": "1200d"})
        total = server.count()
        # a window of the future: everything is listed, nothing is read
        window = ((now + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ"), (now + datetime.timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ"))
        first = self.list_all(server, window)
        self.settle()
        again = min(self.list_all(server, window) for _ in range(3))
        print("%d keys of %.1f bytes" % (total, sum(len(key) for keys in server.folders.values() for key in keys) / total))
        print("listed for the first time: %.2f us of CPU a key" % (first / total * 1e6))
        print("listed when settled:       %.2f us of CPU a key" % (again / total * 1e6))
        print("in the ledger:             %.1f bytes a key" % (self.ledger_bytes() / total))

    def list_all(self, server, window):
        """CPU seconds of a pull that only lists."""
        process = self.start("pull", "--from-date", window[0], "--to-date", window[1])
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0, process.stderr.read())
        return usage.ru_utime + usage.ru_stime

    def settle(self):
        ledger = sqlite3.connect(self.state_path)
        with ledger:
            ledger.execute("UPDATE object SET state = ?, counts = ?", [SETTLED, COUNTS])
        ledger.execute("VACUUM")
        ledger.close()

    def ledger_bytes(self):
        pages, free, size = (self.ledger("PRAGMA " + name)[0][0] for name in ("page_count", "freelist_count", "page_size"))
        return (pages - free) * size


if __name__ == "__main__":
    case = Bench()
    result = case.run()
    for _, text in result.errors + result.failures:
        print(text, file=sys.stderr)
    sys.exit(not result.wasSuccessful())
