"""What goes wrong in years of service: objects that can never be read, clocks that are wrong, periods in the future.

Whatever it is, everything else goes on, and `status` tells the truth.
"""

import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib import harness, scripted  # noqa: E402
from lib.harness import DELIVERED_S, FOLDER, Case, packed, s3_record  # noqa: E402
from flow.test_pull import MAY_MOUNT  # noqa: E402

GIVES_UP_AFTER = 8  # downloads that fail in a row


def archived(number):
    return "%sS3-archived-2026-03-01-%02d.gz" % (FOLDER, number)


def fresh(number):
    return "%sS3-orders-2026-03-01-%02d.gz" % (FOLDER, number)


class Archived(Case):
    """More objects than the run takes for a place that is away were moved to an archive: 403 for ever."""

    def server_of(self, n_archived, n_fresh, **s3):
        server = self.server({archived(i): packed(s3_record(i)) for i in range(n_archived)})
        for i in range(n_fresh):
            server.objects[fresh(i)] = scripted.Stored(packed(s3_record(100 + i)), DELIVERED_S + 1000 + i)
        server.fault("get", scripted.status(403, b"<Error><Code>InvalidObjectState</Code></Error>"), 10**6, self.is_archived)
        self.flat_config(server, s3=s3)
        return server

    @staticmethod
    def is_archived(request):
        return "archived" in request.key

    def states(self):
        return dict(self.ledger("SELECT state, count(*) FROM object GROUP BY state"))

    def test_they_do_not_keep_back_what_comes_after_them(self):
        for workers in (1, 4):
            with self.subTest(workers=workers):
                self.setUp()
                self.server_of(2 * GIVES_UP_AFTER, 3, workers=workers)
                for _ in range(3):
                    self.pull(code=1)
                self.assertEqual(self.states(), {1: 3, 2: 2 * GIVES_UP_AFTER})

    def test_each_gets_its_turn(self):
        server = self.server_of(3 * GIVES_UP_AFTER, 0, workers=1)
        for _ in range(3):
            self.pull(code=1)
        self.assertEqual({request.key for request in server.of("get")}, {archived(i) for i in range(3 * GIVES_UP_AFTER)})

    def test_they_are_read_once_they_can_be(self):
        server = self.server_of(3 * GIVES_UP_AFTER, 2, workers=2)
        for _ in range(2):
            self.pull(code=1)
        server.faults.clear()
        self.pull()
        self.assertEqual(self.states(), {1: 3 * GIVES_UP_AFTER + 2})
        self.assert_exact(server)


class Future(Case):
    def test_a_pull_into_the_future_proves_nothing_of_it(self):
        server = self.server({fresh(1): packed(s3_record(1))})
        self.flat_config(server)
        self.pull("--to-date", "2199-01-01")
        job = json.loads(self.run_program("status", "--json").out)["jobs"][0]
        self.assertLessEqual(job["good_window"]["to"], job["last_run"]["started"])


class Ledger(Case):
    """Whatever happens to the ledger: no crash, no point lost or wrong, and the next pull completes."""

    FULL_DISK = """
mount -t tmpfs -o size=180k none "$1" && cd "$1" || exit 99
code=0
"$2" -c "$3" pull --from-date 2026-01-01 || code=$?
mount -o remount,size=100m "$1"
"$2" -c "$3" pull --from-date 2026-01-01
exit "$((code + 100))"
"""

    @unittest.skipUnless(MAY_MOUNT, "may not mount a small disk")
    def test_on_a_full_disk(self):
        server = self.server(self.generated(records=400))
        small = self.path("small")
        os.mkdir(small)
        self.flat_config(server, state=os.path.join(small, "state.db"))
        command = ["unshare", "-m", "sh", "-c", self.FULL_DISK, "sh", small, harness.BINARY, self.config_path]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=harness.ENVIRONMENT, preexec_fn=harness.die_with_parent, check=False)
        self.assertEqual(done.returncode, 101, done.stderr[-3000:])
        self.assertIn("disk is full", done.stderr)
        self.assert_exact(server)

    def test_damaged(self):
        """Each page overwritten in turn: a run may fail, and says why, or does what is right."""
        server = self.server(self.generated(records=5, days=3))
        self.flat_config(server)
        self.pull()
        self.put_objects(server, {fresh(1): packed(s3_record(1))})
        with open(self.state_path, "rb") as file:
            whole = file.read()
        self.assertFalse(os.path.exists(self.state_path + "-wal"))
        page = 4096
        failed = 0
        for number in range(len(whole) // page):
            self.forget()
            with open(self.state_path, "wb") as file:
                file.write(whole[: number * page] + bytes([0x5A]) * page + whole[(number + 1) * page :])
            for command in (("pull", "--from-date", "2026-01-01"), ("status",), ("verify",), ("dead-letters", "list")):
                result = self.run_program(*command)
                self.assertIn(result.code, (0, 1), str(result))
                if result.code == 1 and command[0] == "pull":
                    failed += 1
                    self.assertIn("ledger", result.err)
        self.assertGreater(failed, 3)
        self.forget()
        self.pull()
        self.assert_exact(server)

    def test_cut_to_nothing(self):
        server = self.server(self.generated(records=5))
        self.flat_config(server)
        self.pull()
        self.forget()
        with open(self.state_path, "wb"):
            pass
        self.pull()
        self.assert_exact(server)


if __name__ == "__main__":
    unittest.main()
