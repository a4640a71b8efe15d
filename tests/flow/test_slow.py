"""The tests that must wait for a real clock: a sink that holds for longer than a GET may idle."""

import gzip
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib import scripted  # noqa: E402
from lib.harness import FOLDER, Case, lines, s3_record  # noqa: E402
from flow.test_s3_reading import KEY, bulky  # noqa: E402

IDLE_S = 30  # how long a GET may wait for a busy sink before it is closed on purpose


class Slow(Case):
    def one_object(self, records, influx=None):
        server = self.server({KEY: bulky(records)})
        self.flat_config(server, s3={"workers": 1}, influx=influx)
        return server

    def test_a_sink_that_holds_longer_than_the_get_may_idle(self):
        """The GET is let go after 30 s and resumed, by Range and If-Match, once the sink takes points again."""
        server = self.one_object(records=9000, influx={"batch_lines": 500})
        hold_s = IDLE_S + 8
        server.fault("write", scripted.edit(delay_s=hold_s))
        result = self.pull(timeout=180)
        self.assert_figures(result, read=9000, stored=9000, failed=0)
        self.assert_exact(server)
        held = server.of("write")[0]
        first, second = server.of("get")[:2]
        self.assertEqual(len(server.of("get")), 2)
        self.assertTrue(first.broken, "the first GET was not let go")
        self.assertLess(first.done_s, held.done_s, "the first GET was let go only after the sink came back")
        self.assertGreater(first.done_s - held.at_s, IDLE_S - 5)
        self.assertGreaterEqual(second.at_s, held.done_s - 0.1, "a GET was opened while the sink held")
        self.assertRegex(second.headers["Range"], r"^bytes=[1-9]\d*-$")
        self.assertEqual(second.headers["If-Match"], server.objects[KEY].etag)

    def test_a_get_ahead_while_a_sink_holds_the_end_of_an_object(self):
        """The next object was asked for before this one's last record, which only its end shows, had to wait."""
        keys = [FOLDER + "S3-orders-2026-03-01-12-0%d-00.gz" % number for number in range(2)]
        texts = [lines(*(s3_record(3 * number + i) for i in range(3))).removesuffix(b"\r\n") for number in range(2)]
        server = self.server({key: gzip.compress(text, 6, mtime=0) for key, text in zip(keys, texts)})
        self.flat_config(server, s3={"workers": 1}, influx={"batch_lines": 1})
        server.fault("write", scripted.edit(delay_s=IDLE_S + 8))
        server.fault("get", scripted.edit(delay_s=2), when=lambda request: request.key == keys[1])  # not there already
        result = self.pull(timeout=180)
        self.assert_figures(result, read=6, stored=6, failed=0)
        self.assert_exact(server)
        held = server.of("write")[0]
        first, ahead, again = server.of("get")
        self.assertEqual([one.key for one in (first, ahead, again)], [keys[0], keys[1], keys[1]])
        self.assertLess(ahead.at_s, held.at_s + 1)
        self.assertGreaterEqual(again.at_s, held.done_s - 0.1, "a GET was opened while the sink held")


if __name__ == "__main__":
    unittest.main()
