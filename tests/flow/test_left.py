"""What nobody is to read any more: objects that `ignore:` names, and what is left unread where the job read before."""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib import scripted  # noqa: E402
from lib.harness import FOLDER, Case, packed, s3_record  # noqa: E402
from lib.service import EVERY_SECOND, Service  # noqa: E402

BAD = FOLDER + "S3-b.gz"
IGNORED = "given up: objects that `ignore:` names"
LEFT = "given up: objects of the place that the job read before"


class Left(Case):
    def three(self):
        """Three objects with two records each; the one in the middle can never be read."""
        server = self.server({FOLDER + "S3-%s.gz" % name: packed(s3_record(2 * i), s3_record(2 * i + 1)) for i, name in enumerate("abc")})
        server.fault("get", scripted.status(403), times=1000, when=lambda request: request.key == BAD)
        return server

    def configure(self, server, **s3):
        self.flat_config(server, s3=s3, datasources=["store"], store={"type": "sqlite", "path": self.path("store.db")})

    def run_service(self, level):
        service = Service(self)
        service.wait_for_line("run finished", level=level)
        service.stop()

    def status(self, code=0):
        result = self.run_program("status", "--json", "--check")
        self.assertEqual(result.code, code, str(result))
        return json.loads(result.out)["jobs"][0]

    def objects(self, code=0):
        found = self.status(code)["objects"]
        return found["settled"], found["listed"], found["failed"]

    def verify(self, code=0):
        result = self.run_program("verify", "--json")
        self.assertEqual(result.code, code, str(result))
        return json.loads(result.out)


class Ignored(Left):
    def test_an_object_that_can_never_be_read(self):
        server = self.three()
        self.configure(server)
        self.pull(code=1)
        self.pull(code=1)
        self.assertEqual(self.objects(code=1), (2, 0, 1))
        told = self.run_program("status").out
        self.assertIn("`ignore:`", told)
        self.assertIn("`pull --from-date`", told)
        self.configure(server, ignore=[BAD])
        server.requests.clear()
        result = self.pull()
        self.assertIn('msg="%s" job=lyvecloud objects=1' % IGNORED, result.err)
        self.assertEqual(server.of("get"), [])
        self.assertEqual(self.objects(), (2, 0, 0))
        self.assertNotIn("`ignore:`", self.run_program("status").out)
        verified = self.verify()
        self.assertEqual(verified["jobs"][0]["source"]["objects"], 2)
        self.assertNotIn("given up", self.pull("--again").err, "it is not taken up again")
        self.assertEqual(self.run_program("pull", "--from-date", "2026-01-01", "--again", "--dry-run").out.count("\n"), 2)

    def test_by_the_service(self):
        server = self.three()
        self.configure(server)
        self.pull(code=1)
        self.configure(server, schedule=EVERY_SECOND, start="3650d", ignore=[BAD])
        self.run_service("info")
        self.assertEqual(self.objects(), (2, 0, 0))

    def test_what_is_no_longer_ignored_is_read(self):
        server = self.three()
        self.configure(server, ignore=[BAD])
        self.pull()
        self.assertEqual(self.objects(), (2, 0, 0))
        self.verify()
        server.faults.clear()
        self.configure(server)
        self.assertEqual(self.verify(code=1)["jobs"][0]["source"]["lost"], 1)
        self.assert_figures(self.pull(), objects=1, stored=2)
        self.verify()

    def test_what_was_read_before_stays_counted(self):
        """Also what is to be read again and then cannot be: nothing is told twice when it comes back."""
        server = self.three()
        server.faults.clear()
        self.configure(server)
        self.pull()
        server.fault("get", scripted.status(403), times=1000, when=lambda request: request.key == BAD)
        self.pull("--again", code=1)
        self.assertEqual(self.objects(code=1), (2, 0, 1))
        self.configure(server, ignore=[FOLDER + "S3-b", FOLDER + "S3-c"])
        for _ in range(2):
            self.pull()
            self.assertEqual(self.objects(), (3, 0, 0))
            self.verify()
        self.configure(server)
        self.assert_figures(self.pull(), objects=0)
        self.verify()

    def test_a_prefix_of_the_whole_bucket(self):
        server = self.server({"logs/S3-a.gz": packed(s3_record(1)), "other/S3-b.gz": packed(s3_record(2)), "other/z": b"no log"})
        self.configure(server, folders="", ignore=["other/"])
        self.assert_figures(self.pull(), objects=1, stored=1, quarantined=0)
        self.assertEqual([one.key for one in server.of("get")], ["logs/S3-a.gz"])
        self.verify()


class AnotherPlace(Left):
    def test_what_is_left_unread_is_given_up(self):
        server = self.three()
        self.configure(server)
        self.pull(code=1)
        self.configure(server, folders="", ignore=[BAD])
        result = self.pull()
        self.assertIn('msg="%s" job=lyvecloud objects=1' % LEFT, result.err)
        status = self.status()
        self.assertEqual((status["objects"]["failed"], status["oldest_error"]), (0, None))

    def test_what_moved_counts_once(self):
        """The place has another name; its objects are read again, and are the same points."""
        server = self.three()
        server.faults.clear()
        self.put_objects(server, {FOLDER + "S3-d.gz": packed(s3_record(9), "broken")})
        self.configure(server)
        self.pull()
        before = self.status()
        self.configure(server, folders="")
        self.assert_figures(self.pull(), objects=4, stored=7, dead=1)
        after = self.status()
        for name in ("objects", "records_read", "sinks"):
            self.assertEqual(after[name], before[name], name)
        self.assertEqual((before["dead_letters"]["kept"], after["dead_letters"]["kept"]), (1, 1))
        self.verify()

    def test_only_by_a_place_that_can_be_listed(self):
        server = self.three()
        self.configure(server)
        self.pull(code=1)
        self.configure(server, folders="%Y/")
        self.assertNotIn("given up", self.pull(code=1).err)
        self.assertEqual(self.objects(code=1), (2, 0, 1))

    def test_the_place_before_is_whole_again(self):
        """By a scheduled run too, whose listing went on behind it."""
        server = self.three()
        self.configure(server, schedule=EVERY_SECOND, start="3650d")
        self.run_service("warn")
        self.configure(server, start="3650d", folders="", ignore=[FOLDER])
        self.pull()
        server.faults.clear()
        self.configure(server, schedule=EVERY_SECOND, start="3650d")
        self.run_service("info")
        self.assertEqual(self.objects(), (3, 0, 0))
        self.verify()


if __name__ == "__main__":
    unittest.main()
