"""What goes wrong in years of service: objects that can never be read, clocks that are wrong, periods in the future.

Whatever it is, everything else goes on, and `status` tells the truth.
"""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib import scripted  # noqa: E402
from lib.harness import DELIVERED_S, FOLDER, Case, packed, s3_record  # noqa: E402

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


if __name__ == "__main__":
    unittest.main()
