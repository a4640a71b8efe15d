"""The tests' own tools hold up: the hash against xxhsum, the generator against itself, the parsers on known texts."""

import datetime
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import generate  # noqa: E402
from lib import expect, scripted  # noqa: E402
from lib.xxh3 import xxh3_64  # noqa: E402


class Hash(unittest.TestCase):
    LENGTHS = list(range(260)) + [511, 512, 513, 1023, 1024, 1025, 1088, 2048, 2049, 5000, 70000]

    @unittest.skipUnless(shutil.which("xxhsum"), "no xxhsum")
    def test_against_xxhsum(self):
        rng = random.Random(5)
        for length in self.LENGTHS:
            data = rng.randbytes(length)
            out = subprocess.run(["xxhsum", "-H3", "-"], input=data, capture_output=True, check=True).stdout.decode()
            self.assertEqual(int(out.split()[-1] if "=" in out else out.split()[0].removeprefix("XXH3_"), 16), xxh3_64(data), length)


class Expect(unittest.TestCase):
    def test_masks_by_hand(self):
        cases = {
            '{"a":1, "password" : {"x":[1]} ,"b":"t"}': '{"a":1, "password" : "<redacted>" ,"b":"t"}',
            '{"X-AMZ-Signature":null}': '{"X-AMZ-Signature":"<redacted>"}',
            '{"r":"{\\"newPassword\\":\\"x\\",\\"k\\":1}"}': '{"r":"{\\"newPassword\\":\\"<redacted>\\",\\"k\\":1}"}',
            '{"u":"/a?x=1&X-Amz-Signature=ff&y=2"}': '{"u":"/a?x=1&X-Amz-Signature=<redacted>&y=2"}',
            '{"passwor\\u0064":"x","tokens":"kept"}': '{"passwor\\u0064":"<redacted>","tokens":"kept"}',
            '{"accessKey":"AK","a":"x=y"}': '{"accessKey":"AK","a":"x=y"}',
        }
        for text, wanted in cases.items():
            self.assertEqual(expect.mask_json(text), wanted)

    def test_times_by_hand(self):
        second = expect.SECOND
        self.assertEqual(expect.read_time("1970-01-01T00:00:01.5Z"), 1500000000)
        self.assertEqual(expect.read_time("2021-01-25 09:19:11.622206 +0000 UTC m=+1.5"), 1611566351622206000)
        self.assertEqual(expect.read_time("2026-03-01T01:00:00+02:00"), 1772319600 * second)
        self.assertEqual(expect.read_time_of_day("23:59:59", 86400 * second), 86399 * second)
        self.assertEqual(expect.read_time_of_day("00:00:10", 86411 * second), 86410 * second)

    def test_counts_by_hand(self):
        record = {"auditEntry": {"time": "2026-03-01T00:00:00Z", "api": {"name": "GetObject"}}}
        twin = {**record, "note": 1}
        text = "\r\n".join([json.dumps(record), json.dumps(twin), json.dumps(record), "{", ""])
        tally = expect.expect([("k", text.encode(), 0)])
        self.assertEqual(tally.figures(), {"read": 4, "stored": 2, "duplicate": 1, "expired": 0, "dead": 1})
        self.assertEqual(sorted(key[2] for key in tally.points), [1772323200 * expect.SECOND, 1772323200 * expect.SECOND + 1])


class LineProtocol(unittest.TestCase):
    def test_parses_by_hand(self):
        line = 'm\\ x,a\\,b=c\\ d\\=e,z=back\\slash f="say \\"hi\\", ok=1 \\\\",g=-3i 12'
        key, fields = scripted.parse_line(line)
        self.assertEqual(key, ("m x", (("a,b", "c d=e"), ("z", "back\\slash")), 12))
        self.assertEqual(fields, {"f": 'say "hi", ok=1 \\', "g": -3})

    def test_refuses(self):
        for line in ["m f=1i", "m,a= f=1i 1", "m,b=1,a=1 f=1i 1", "m f=1.5 1", "m,a=x\\ f=1i 1", 'm f="open 1']:
            with self.assertRaises(scripted.BadLine):
                scripted.parse_line(line)

    def test_splits_lines_outside_quotes(self):
        self.assertEqual(scripted.split_lines('a f="x\ny" 1\nb g=1i 2\n'), ['a f="x\ny" 1', "b g=1i 2"])


class Generator(unittest.TestCase):
    def make(self, **changes):
        arguments = {"seed": 3, "start": datetime.date(2026, 3, 30), "days": 4, "objects_per_kind": 4, "records": 60, "profile": "full", "bad": 20}
        arguments.update(changes)
        return list(generate.objects(**arguments))

    def test_is_repeatable_and_seeded(self):
        self.assertEqual([one.data for one in self.make()], [one.data for one in self.make()])
        self.assertNotEqual([one.data for one in self.make()], [one.data for one in self.make(seed=4)])

    def test_makes_what_it_says(self):
        made = self.make()
        tally = expect.expect_generated(made)
        self.assertEqual(tally.read, sum(one.records for one in made))
        self.assertEqual(tally.dead, 20)
        self.assertEqual(tally.collisions, 0)
        self.assertGreater(tally.duplicate, 0)
        self.assertEqual({key[0] for key in tally.points}, {"audit-01", "console-01", "iam-01", "api-01"})
        self.assertEqual({one.key.split("/")[0] for one in made}, {"March-2026", "April-2026"})

    def test_plants_every_secret_and_the_expectation_hides_it(self):
        made = self.make(records=200)
        raw = b"".join(expect.inflate(one.data) for one in made)
        shown = repr(expect.expect_generated(made).points)
        for secret in generate.SECRETS:
            self.assertIn(secret.encode(), raw)
            self.assertNotIn(secret, shown)

    def test_command_line_sets_delivery_times(self):
        with tempfile.TemporaryDirectory() as folder:
            manifest = os.path.join(folder, "manifest.json")
            subprocess.run([sys.executable, generate.__file__, folder, "--objects-per-kind", "1", "--records", "3", "--manifest", manifest], check=True, capture_output=True)
            with open(manifest, encoding="utf-8") as file:
                rows = json.load(file)["objects"]
            self.assertEqual(len(rows), 4)
            for row in rows:
                mtime = os.stat(os.path.join(folder, row["key"])).st_mtime
                self.assertEqual(generate.date_text(mtime) + "Z", row["delivered"])


if __name__ == "__main__":
    unittest.main()
