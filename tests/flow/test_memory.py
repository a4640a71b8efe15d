"""Memory is bounded, whatever the size of an object, a listing or a backlog: the flow of tests/bench/memory.py, many
times smaller, so that what grows with one of them would still show. The bound is that of doc/performance.md."""

import gzip
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib import scripted  # noqa: E402
from flow.test_s3_reading import bulky  # noqa: E402
from lib.harness import BINARY, DELIVERED_S, FOLDER, WRAPPER, Case, packed, s3_record, wait_for  # noqa: E402

BOUND_KIB = 64 * 1024
WORKERS = 4
ONE_WORKER_BOUND_KIB = (16 + 6 + 2 * 4) * 1024  # two batches of 4 MiB


def is_plain():
    """Neither under sanitizers nor valgrind: those have memory of their own."""
    with open(BINARY, "rb") as file:
        return b"__asan_init" not in file.read() and not WRAPPER


def huge(raw_bytes):
    """One gzip object of many members, each with the same records: they are duplicates of one another, and all are read."""
    member = packed(*(s3_record(number) for number in range(2000)))
    raw = len(gzip.decompress(member))
    return member * (raw_bytes // raw + 1)


@unittest.skipUnless(is_plain(), "sanitizers and valgrind use memory of their own")
class Memory(Case):
    def peak_kib(self, process):
        with open("/proc/%d/status" % process.pid, encoding="ascii", errors="replace") as file:
            return max(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))

    def watch(self, *arguments):
        """Runs a pull to its end; its peak of resident memory in KiB."""
        process = self.start("pull", "--from-date", "2026-01-01", *arguments)
        peak = 0
        while process.poll() is None:
            try:
                peak = max(peak, self.peak_kib(process))
            except (OSError, ValueError):
                break  # it has ended
        self.assertEqual(self.finish(process, timeout=120).code, 0)
        return peak

    def assert_bounded(self, peak, bound=BOUND_KIB):
        self.assertGreater(peak, 1024, "not measured")
        self.assertLess(peak, bound)

    def test_objects_larger_than_the_bound(self):
        objects = {FOLDER + "S3-%d.gz" % number: huge(100 * 1024 * 1024) for number in range(WORKERS)}
        server = self.server(objects)
        self.flat_config(server, s3={"workers": WORKERS})
        self.assert_bounded(self.watch())
        self.assertEqual(len(server.audit_points()), 2000)

    def test_one_worker_fills_two_batches(self):
        server = self.server({FOLDER + "S3-bulky.gz": bulky(9000)})
        self.flat_config(server, s3={"workers": 1})
        self.assert_bounded(self.watch(), ONE_WORKER_BOUND_KIB)
        self.assertEqual(len(server.audit_points()), 9000)
        sizes = [len(request.body) for request in server.of("write")]
        self.assertGreater(max(sizes), 3 << 20, "the batches were not full")

    def test_a_long_listing(self):
        server = self.server()
        for number in range(30000):
            key = FOLDER + "S3-a-bucket-of-some-length-%08d.gz" % number
            server.objects[key] = scripted.Stored(b"", DELIVERED_S, '"%032x"' % number)
        self.flat_config(server)
        self.assert_bounded(self.watch("--to-date", "2026-03-01"))  # listed, none of them in the window
        self.assertEqual(self.ledger("SELECT count(*) FROM object"), [(30000,)])

    def test_objects_that_wait_for_a_sink(self):
        """200 MB of them: nobody reads on while the sink is down."""
        long = "y" * 100000
        objects = {FOLDER + "S3-%03d.gz" % number: packed(*(s3_record(20 * number + index, note=long) for index in range(20))) for number in range(100)}
        server = self.server(objects)
        server.fault("write", scripted.status(503), times=10**6)
        self.flat_config(server, s3={"workers": WORKERS})
        process = self.start("pull", "--from-date", "2026-01-01")
        wait_for(lambda: len(server.of("write")) > 2 * WORKERS)
        peak = self.peak_kib(process)
        process.terminate()
        self.finish(process)
        self.assert_bounded(peak)
        self.assertLess(len(server.of("get")), 50)


if __name__ == "__main__":
    unittest.main()
