"""Objects written to a real S3 server that verifies signatures, payload hashes and Content-MD5."""

import datetime
import gzip
import json
import os
import random
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import generate  # noqa: E402
from lib import expect, scripted  # noqa: E402
from lib.harness import FOLDER, Case, packed, s3_record, wait_for  # noqa: E402
from servers import real  # noqa: E402

OUT = "out"
PART_BYTES = 8 * 1024 * 1024
ODD_KEYS = ["S3 a+b.gz", "S3-%41&'q'\u00fc~.gz", "S3-a.gz.b.gz"]


def setUpModule():
    if not real.PRESENT:
        raise unittest.SkipTest("no servers in %s: run scripts/servers" % real.FOLDER)


class Written(Case):
    """A folder is read, a bucket is written."""

    @classmethod
    def setUpClass(cls):
        cls.s3 = real.S3()
        cls.addClassCleanup(cls.s3.stop)
        cls.number = 0

    def job(self, objects, **sink):
        type(self).number += 1
        self.bucket = "bucket-%d" % self.number
        self.s3.make_bucket(self.bucket)
        for one in objects:
            generate.write_object(self.path("input"), one)
        stanza = {"type": "s3", "endpoint_url": self.s3.url, "log_bucket": self.bucket, "access_key": real.KEY_ID, "secret_key": real.SECRET, "region": real.REGION, "prefix": OUT + "/"}
        stanza.update(sink)
        self.write_config({"jobs": [{"name": "lyve", "from": "logs", "to": ["kept"]}], "logs": {"type": "file", "path": self.path("input")}, "kept": stanza, "state": self.state_path})

    def stored(self):
        """{key: bytes} of what the server holds."""
        root = os.path.join(self.s3.data, self.bucket)
        found = {}
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                key = os.path.relpath(path, root)
                if not key.startswith("."):
                    with open(path, "rb") as file:
                        found[key] = file.read()
        return found

    def unfinished(self):
        """Uploads that are neither complete nor aborted."""
        path = "/%s?uploads=" % self.bucket
        now = datetime.datetime.now(datetime.timezone.utc)
        headers = real.sign("GET", "127.0.0.1:%d" % self.s3.port, "/" + self.bucket, b"", now, query="uploads=")
        status, answer = real.request(self.s3.port, "GET", path, b"", headers)
        self.assertEqual(status, 200, answer)
        return answer.decode().count("<UploadId>")

    def points(self):
        points = {}
        for data in self.stored().values():
            for line in scripted.split_lines(data.decode()):
                key, fields = scripted.parse_line(line)
                points[key] = fields
        return points

    def object(self, key, *records):
        return generate.Object(FOLDER + key, packed(*records), 1772366400, list(records), "s3")

    def test_all_kinds(self):
        made = list(generate.objects(seed=3, start=datetime.date(2026, 3, 1), days=3, objects_per_kind=2, records=40, profile="full", bad=6))
        wanted = expect.expect_generated(made)
        self.job(made)
        self.assert_figures(self.pull(), **wanted.figures(), objects=len(made))
        self.assert_points(self.points(), wanted.points)
        self.assertEqual(set(self.stored()), {"%s/%s.lp" % (OUT, one.key) for one in made})
        before = self.stored()
        self.pull("--again")
        self.assertEqual(self.stored(), before)

    def test_odd_keys(self):
        self.job([self.object(key, s3_record(number)) for number, key in enumerate(ODD_KEYS)], format="json_lines", gzip=True)
        self.pull()
        found = self.stored()
        self.assertEqual(set(found), {"%s/%s%s.jsonl.gz" % (OUT, FOLDER, key) for key in ODD_KEYS})
        for data in found.values():
            self.assertEqual(json.loads(gzip.decompress(data))["measurement"], "audit-01")

    def large(self):
        """An object that becomes three parts: text that no gzip can shrink, so nothing is quarantined for its ratio."""
        rng = random.Random(9)
        records = [s3_record(number, noise=rng.randbytes(6000).hex()) for number in range(1500)]
        return self.object("S3-large.gz", *records), records

    def test_parts(self):
        one, records = self.large()
        self.job([one], format="json_lines")
        self.assert_figures(self.pull(timeout=120), read=1500, stored=1500)
        (data,) = self.stored().values()
        self.assertGreater(len(data), 2 * PART_BYTES)
        found = [json.loads(line) for line in data.splitlines()]
        self.assertEqual([json.loads(row["message"])["noise"] for row in found], [record["noise"] for record in records])
        self.assertEqual(self.unfinished(), 0)

    def test_killed_while_parts_go_out(self):
        one, _ = self.large()
        self.job([one], format="json_lines")
        left = 0
        for pause_s in (0.05, 0.1, 0.15, 0.2, 0.3, 0.4):
            process = self.start("pull", "--from-date", "2026-01-01")
            time.sleep(pause_s)
            process.kill()
            process.wait()
            left = max(left, self.unfinished())
            if left:
                break
        self.assertGreater(left, 0, "no kill met an upload under way")
        self.assertEqual(self.stored(), {})
        self.pull(timeout=120)
        (data,) = self.stored().values()
        self.assertEqual(len(data.splitlines()), 1500)
        self.assertEqual(self.unfinished(), 0)

    def test_a_stop_leaves_no_upload(self):
        one, _ = self.large()
        self.job([one], format="json_lines")
        process = self.start("pull", "--from-date", "2026-01-01")
        wait_for(self.unfinished)
        process.terminate()
        self.finish(process)
        self.assertEqual(self.unfinished(), 0)
        for data in self.stored().values():
            self.assertEqual(len(data.splitlines()), 1500)

    def test_wrong_secret_and_missing_bucket(self):
        for changes, word in (({"secret_key": "not-the-secret-of-it"}, "403"), ({"log_bucket": "nowhere"}, "404")):
            with self.subTest(word):
                self.job([self.object("S3-a.gz", s3_record(1))], **changes)
                check = self.run_program("check", "--connect")
                self.assertEqual(check.code, 1, str(check))
                self.assertIn(word, check.out)
                result = self.pull(code=1)
                self.assertIn(word, result.err)
                self.assertEqual(self.stored(), {})

    def test_check_leaves_nothing(self):
        self.job([self.object("S3-a.gz", s3_record(1))])
        check = self.run_program("check", "--connect")
        self.assertEqual(check.code, 0, str(check))
        self.assertEqual(self.stored(), {})
        self.assertEqual(self.unfinished(), 0)


if __name__ == "__main__":
    unittest.main()
