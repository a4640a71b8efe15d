"""The service beside a real S3 server and a real InfluxDB: killed and started again, left without its sink, over the turn
of a month. What is stored in the end is compared point by point."""

import datetime
import os
import random
import signal
import sqlite3
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import generate  # noqa: E402
from lib import expect  # noqa: E402
from lib.harness import wait_for  # noqa: E402
from lib.service import EVERY_SECOND, SECOND, Service, new_object  # noqa: E402
from servers import real, test_real  # noqa: E402

KILLING_S = float(os.environ.get("KILLING_SECONDS", "120"))
AWAY_S = float(os.environ.get("AWAY_SECONDS", "60"))
DAY_S = 86400
setUpModule = test_real.setUpModule


class Filling(threading.Thread):
    """Puts objects of all kinds into a bucket until it is told to stop, some a second."""

    def __init__(self, case, bucket, seed):
        super().__init__(daemon=True)
        self.case = case
        self.bucket = bucket
        self.rng = random.Random(seed)
        self.stopping = threading.Event()
        self.made = []
        self.failure = None
        case.addCleanup(self.finish)

    def run(self):
        try:
            while not self.stopping.is_set():
                self.put_some(40 + self.rng.randrange(40))
                self.stopping.wait(self.rng.uniform(0.5, 3))
        except Exception as failure:  # for the test to show
            self.failure = failure

    def put_some(self, records):
        """One object of each kind, as if their records were of the hours before now."""
        yesterday = datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=1)
        for one in generate.objects(seed=self.rng.getrandbits(32), start=yesterday, days=1, objects_per_kind=1, records=records):
            if self.stopping.is_set():
                return
            self.made.append(self.case.put_now(self.bucket, one, len(self.made)))

    def finish(self):
        self.stopping.set()
        if self.is_alive():
            self.join()
        if self.failure:
            raise self.failure


class Serving(test_real.Servers):
    def service_config(self, bucket, influx=None, **s3):
        self.real_config(bucket, s3={"schedule": EVERY_SECOND, **s3}, influx=influx)

    def put_now(self, bucket, one, number):
        """Puts it as an object delivered just now; its LastModified is the server's."""
        now_s = int(time.time())
        stem = one.key.split("/")[1].split("-20")[0]
        one.key = "%s%s-%s-%05d.gz" % (generate.month_folder(now_s), stem, generate.date_text(now_s, "%Y-%m-%d-%H-%M-%S"), number)
        self.s3.put("/%s/%s" % (bucket, one.key), one.data)
        one.delivered_s = int(os.stat(os.path.join(self.s3.data, bucket, one.key)).st_mtime)
        return one

    def wait_until_exact(self, bucket, made, timeout_s=90):
        wanted = expect.expect_generated(made)
        self.assertEqual(wanted.collisions, 0)
        last = {}

        def is_exact():
            last["points"] = self.influx.points(bucket)
            if last["points"] != wanted.points:
                time.sleep(0.5)
            return last["points"] == wanted.points

        try:
            wait_for(is_exact, timeout_s)
        except AssertionError:
            self.assert_points(last["points"], wanted.points)
        return wanted

    def has_ledger(self):
        return os.path.exists(self.state_path) and bool(self.ledger("SELECT 1 FROM sqlite_master WHERE name = 'object'"))

    def unsettled(self):
        return self.ledger("SELECT count(*) FROM object WHERE state <> 1")[0][0]


class Killed(Serving):
    def test_killed_and_started_at_random(self):
        rng = random.Random(2207)
        bucket = self.bucket_pair([])
        # A rate little above what comes in, so that there is work under way at most moments.
        self.service_config(bucket, influx={"batch_lines": 20}, rate=300, workers=2)
        filling = Filling(self, bucket, seed=7)
        filling.start()
        end = time.monotonic() + KILLING_S
        lives = ended = in_work = 0
        while time.monotonic() < end:
            service = Service(self)
            time.sleep(rng.uniform(0.05, 5))
            lives += 1
            if rng.random() < 0.3 and service.lines("job scheduled"):
                service.stop()
                ended += 1
            else:
                service.kill()
                self.assertEqual(service.process.returncode, -signal.SIGKILL, service.tail())
                in_work += self.has_ledger() and self.unsettled() > 0
        filling.finish()
        last = Service(self)
        wanted = self.wait_until_exact(bucket, filling.made)
        last.stop()
        self.assertEqual(self.unsettled(), 0)
        self.assertGreater(in_work, lives // 5, "killed while there was nothing to do")
        self.assertGreater(ended, 0)
        self.assertGreater(wanted.stored, 20 * KILLING_S)
        self.assert_figures(self.pull(since="-2d"), objects=0)


class Away(Serving):
    def test_influxd_away_for_a_minute(self):
        bucket = self.bucket_pair([])
        self.service_config(bucket)
        filling = Filling(self, bucket, seed=8)
        filling.start()
        service = Service(self)
        wait_for(lambda: self.influx.points(bucket))
        self.influx.pause()
        time.sleep(AWAY_S)
        self.assertTrue(service.is_up(), service.tail())
        self.assertTrue([text for text in service.text if "trying again" in text], service.tail())
        waiting = self.unsettled()
        self.influx.resume()
        filling.finish()
        self.wait_until_exact(bucket, filling.made)
        self.assertTrue(service.is_up(), service.tail())
        self.assertGreater(waiting, 0)
        self.assertLess(len(service.text), 2 * AWAY_S + 120, "too many words about one thing")
        service.stop()
        self.assert_figures(self.pull(since="-2d"), objects=0)


class Folders(Serving):
    def old_object(self, number, delivered_s=None):
        """In the folder of the previous month, named after its last minutes."""
        today = datetime.datetime.now(datetime.timezone.utc).date()
        month_s = int(datetime.datetime(today.year, today.month, 1, tzinfo=datetime.timezone.utc).timestamp())
        one = new_object(number, month_s - 60 * number)
        one.delivered_s = delivered_s or one.delivered_s
        return one

    def test_the_folder_of_the_next_month(self):
        """A new month's folder appears while the service runs, and the old one still grows at first."""
        made = [self.old_object(number) for number in (1, 2)]
        bucket = self.bucket_pair(made)
        self.service_config(bucket, start="60d")
        service = Service(self)
        self.wait_until_exact(bucket, made)
        for number in range(10, 13):
            made.append(self.put_now(bucket, new_object(number, int(time.time())), number))
            self.wait_until_exact(bucket, made)
        service.stop()
        self.assertEqual(len({one.key.split("/")[0] for one in made}), 2)

    def test_a_late_object_in_an_old_folder(self):
        """It is found by the daily listing of whole folders: the last one is made a day old here."""
        made = [self.old_object(number) for number in (1, 2)]
        bucket = self.bucket_pair(made)
        self.service_config(bucket, start="60d")
        service = Service(self)
        made.append(self.put_now(bucket, new_object(10, int(time.time())), 10))
        self.wait_until_exact(bucket, made)
        late = self.old_object(3, delivered_s=int(time.time()))
        self.s3.put_object(bucket, late)
        made.append(late)
        service.stop()
        connection = sqlite3.connect(self.state_path)
        with connection:
            for table in ("folder", "listing_pass"):
                changed = connection.execute("UPDATE %s SET whole = whole - %d WHERE whole > 0" % (table, DAY_S * SECOND))
                self.assertGreater(changed.rowcount, 0)
        connection.close()
        service = Service(self)
        self.wait_until_exact(bucket, made)
        service.stop()
        self.assertLess(late.key, made[0].key)


if __name__ == "__main__":
    unittest.main()
