"""What objects may hold besides good records: damage, bombs, every form of lines, records that never become points."""

import gzip
import json
import os
import sys
import unittest
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import generate  # noqa: E402
from lib import expect, xxh3  # noqa: E402
from lib.harness import FOLDER, Case, lines, packed, s3_record  # noqa: E402

KEY = FOLDER + "S3-orders-2026-03-01-12-00-00.gz"
GOOD = FOLDER + "S3-orders-2026-03-01-12-00-01.gz"


def signed(number):
    """As SQLite keeps 64 bits."""
    return number - (1 << 64) if number >= 1 << 63 else number


class Input(Case):
    def with_object(self, data, s3=None):
        """The object in question and a good one behind it."""
        server = self.server({KEY: data, GOOD: packed(s3_record(900), s3_record(901))})
        self.flat_config(server, s3={"workers": 1, **(s3 or {})})
        return server

    def records(self, count):
        return [s3_record(number) for number in range(count)]

    def assert_quarantined(self, server, stored):
        """The object is set aside with what could be read stored; only --again reads it again."""
        result = self.pull(code=1)
        self.assert_figures(result, stored=stored + 2, quarantined=1, failed=0, objects=2)
        self.assert_exact(server)
        status = self.run_program("status")
        self.assertIn("quarantined", status.out)
        self.assertIn(os.path.basename(KEY), status.out)
        before = len(server.of("get"))
        self.pull()
        self.assertEqual(len(server.of("get")), before, "a quarantined object was read again without --again")
        self.pull("--again", code=1)
        self.assertEqual(len(server.of("get")), before + 2)
        self.assert_exact(server)

    # --- damage ---

    def test_truncated_gzip(self):
        whole = packed(*self.records(200))
        cut = whole[: len(whole) * 2 // 3]
        server = self.with_object(cut)
        # The last line that could be inflated is cut as well: it is a dead letter, not a point.
        tally = self.expected(server)
        self.assertGreater(tally.stored, 50)
        self.assert_quarantined(server, tally.stored - 2)

    def test_status_says_why(self):
        whole = packed(*self.records(200))
        for data, words in ((whole[:-5], "ends after"), (whole + b"junk", "what follows"), (self.bomb(400), "ratio")):
            with self.subTest(words=words):
                self.setUp()
                self.with_object(data)
                self.pull(code=1)
                self.assertIn(words, self.run_program("status").out)

    def test_wrong_checksum(self):
        whole = bytearray(packed(*self.records(50)))
        whole[-6] ^= 1
        server = self.with_object(bytes(whole))
        result = self.pull(code=1)
        self.assert_figures(result, quarantined=1)
        self.assertEqual(len(server.audit_points()), 52)

    def test_flipped_bits_in_the_middle(self):
        """Every record before the damage is stored; the object is set aside."""
        whole = bytearray(packed(*self.records(300)))
        half = len(whole) // 2
        before = zlib.decompressobj(wbits=31).decompress(bytes(whole[: half - 8])).rpartition(b"\n")[0]
        wanted = expect.expect([(KEY, before, 0)]).points
        self.assertGreater(len(wanted), 50)
        whole[half] ^= 0x55
        server = self.with_object(bytes(whole))
        result = self.pull(code=1)
        self.assert_figures(result, quarantined=1)
        stored = server.audit_points()
        self.assertEqual({key: stored.get(key) for key in wanted}, wanted)

    def test_trailing_junk(self):
        server = self.with_object(packed(*self.records(50)) + b"junk after the last member")
        self.assert_quarantined(server, 50)

    def test_trailing_zeros_are_padding(self):
        server = self.with_object(packed(*self.records(50)) + bytes(512))
        result = self.pull()
        self.assert_figures(result, stored=52, quarantined=0)
        self.assert_exact(server)

    def bomb(self, megabytes):
        """A gzip stream of spaces, 1,000 to 1."""
        engine = zlib.compressobj(9, zlib.DEFLATED, 31)
        block = b" " * (1 << 20)
        return b"".join(engine.compress(block) for _ in range(megabytes)) + engine.flush()

    def test_bomb_is_stopped_by_its_ratio(self):
        server = self.with_object(packed(*self.records(3)) + self.bomb(400))
        result = self.pull(code=1)
        self.assert_figures(result, stored=5, quarantined=1)
        self.assertEqual(len(server.audit_points()), 5)

    def test_object_over_max_object_bytes(self):
        server = self.with_object(packed(*self.records(2000)), s3={"max_object_bytes": "100KiB"})
        result = self.pull(code=1)
        row = result.summaries()[0]
        self.assertEqual(row["quarantined"], 1)
        self.assertLess(row["stored"], 1000)
        wanted = self.expected(server).points
        self.assertEqual([key for key in server.audit_points() if key not in wanted], [])

    # --- forms of lines ---

    def assert_form(self, data):
        server = self.with_object(data)
        wanted = self.expected(server)
        result = self.pull()
        self.assert_figures(result, **wanted.figures())
        self.assert_exact(server)
        self.assertEqual(wanted.stored, 22)

    def test_plain_text_under_a_gz_name(self):
        self.assert_form(lines(*self.records(20)))

    def test_lf(self):
        self.assert_form(packed(*self.records(20), end="\n"))

    def test_no_last_line_end(self):
        self.assert_form(gzip.compress(lines(*self.records(20))[:-2]))

    def test_blank_lines_and_byte_order_mark(self):
        self.assert_form(gzip.compress(b"\xef\xbb\xbf\r\n" + lines(*self.records(20)).replace(b"\r\n", b"\r\n \t\r\n\n", 5)))

    def test_many_members_cut_anywhere(self):
        raw = lines(*self.records(20))
        self.assert_form(b"".join(gzip.compress(raw[at : at + 777]) for at in range(0, len(raw), 777)))

    def test_empty_objects(self):
        for data in (b"", gzip.compress(b""), packed()):
            with self.subTest(size=len(data)):
                self.setUp()
                self.with_object(data)
                self.assert_figures(self.pull(), read=2, stored=2, quarantined=0, objects=2)

    # --- records that do not become points ---

    def test_dead_letters_are_counted_and_kept_masked(self):
        made = self.generated(bad=40, records=60)
        server = self.server()
        self.put_objects(server, made)
        self.flat_config(server)
        wanted = self.expected(server)
        self.assertEqual(wanted.dead, 40)
        result = self.pull()
        self.assert_figures(result, **wanted.figures())
        self.assert_exact(server)
        kept = self.ledger("SELECT CAST(key AS TEXT), line FROM dead_letter")
        self.assertEqual(sorted(kept), sorted((key, line) for key, line, _ in wanted.dead_lines))
        for (reason,) in self.ledger("SELECT reason FROM dead_letter"):
            self.assertTrue(reason)
        self.assert_no_secret(result.out, result.err)

    def test_a_record_of_more_than_a_mebibyte(self):
        long = s3_record(1, note="y" * (2 << 20), password=generate.PASSWORD)
        server = self.with_object(packed(s3_record(0), long, s3_record(2)))
        result = self.pull()
        self.assert_figures(result, read=5, stored=4, dead=1, quarantined=0)
        self.assert_exact(server)
        self.assertLess(os.path.getsize(self.state_path), 1 << 20)
        self.assert_no_secret(result.err)

    def test_letters_are_cut_at_64_kib(self):
        """With the length and the hash of the whole record."""
        texts = [json.dumps({"note": "y" * 100000}), "broken " + "y" * 100000, "broken " + "y" * (2 << 20)]
        self.with_object(packed(*texts))
        self.assert_figures(self.pull(), dead=3)
        kept = self.ledger("SELECT line, length(bytes), len, hash FROM dead_letter ORDER BY line")
        wanted = [(line, 65536, len(text), signed(xxh3.xxh3_64(text.encode()))) for line, text in enumerate(texts, 1)]
        self.assertEqual(kept, wanted)

    def test_strange_bytes_do_not_stop_the_rest(self):
        good = [json.dumps(s3_record(number)) for number in range(3)]
        broken = [b"\x00\x01\x02", b"\xff\xfe" + b"{}", b'{"auditEntry":' + b"[" * 2000, b'"just a string"', b"{", b"\x80" * 100]
        raw = b"\r\n".join([good[0].encode(), *broken[:3], good[1].encode(), *broken[3:], good[2].encode()])
        server = self.with_object(gzip.compress(raw))
        result = self.pull()
        self.assert_figures(result, read=11, stored=5, dead=6)
        self.assert_exact(server)

    def test_invalid_utf8_becomes_the_replacement_character(self):
        raw = lines(s3_record(0, note="caf\ue000")).replace("\ue000".encode(), b"\xe9\xf0\x9f")
        server = self.with_object(gzip.compress(raw))
        self.pull()
        self.assert_exact(server)
        self.assertTrue(any("caf\ufffd\ufffd" in fields["message"] for fields in server.audit_points().values()))

    def test_the_first_of_duplicate_keys_counts(self):
        text = json.dumps(s3_record(0))[:-1] + ', "serviceAccountName": "second"}'
        server = self.with_object(packed(text))
        self.pull()
        self.assert_exact(server)
        self.assertNotIn("second", {value for key in server.audit_points() for _, value in key[1]})

    def changes(self, result):
        return [{name: line[name] for name in ("level", "duplicate_keys", "repaired", "cut")} for line in result.log if line.get("msg") == "values changed"]

    def test_changed_values_are_told(self):
        """Two keys that came twice, three bytes that are not UTF-8, a tag that is too long: not silently."""
        twice = json.dumps(s3_record(0))[:-1] + ', "serviceAccountName": "2", "serviceAccountCreatorId": "2"}'
        long_tag = s3_record(1, serviceAccountName="n" * 1025)
        raw = lines(twice, long_tag, s3_record(2, note="\ue000\ue000\ue000")).replace("\ue000".encode(), b"\xff")
        server = self.with_object(gzip.compress(raw))
        result = self.pull()
        self.assertEqual(self.changes(result), [{"level": "warn", "duplicate_keys": "2", "repaired": "3", "cut": "1"}])
        self.assertEqual(len(server.audit_points()), 5)
        self.assertEqual(self.changes(self.pull()), [], "nothing was read")
        path = self.path("object")
        with open(path, "wb") as file:
            file.write(raw)
        self.assertEqual(self.changes(self.run_program("parse", path)), self.changes(result))

    def test_more_than_a_thousand_and_a_tenth_bad_is_quarantined(self):
        texts = [json.dumps(s3_record(number)) for number in range(500)] + ["broken %d" % number for number in range(1500)]
        server = self.with_object(packed(*texts))
        result = self.pull(code=1)
        self.assert_figures(result, read=2002, stored=502, dead=1500, quarantined=1)
        self.assert_exact(server)
        self.assertEqual(self.ledger("SELECT count(*) FROM dead_letter")[0][0], 1000, "only counts from the 1,001st on")

    def test_a_thousand_bad_among_many_is_not(self):
        texts = ["broken %d" % number for number in range(1200)] + [json.dumps(s3_record(number)) for number in range(11000)]
        server = self.with_object(packed(*texts))
        result = self.pull()
        self.assert_figures(result, read=12202, stored=11002, dead=1200, quarantined=0)
        self.assert_exact(server)

    def test_where_quarantine_begins(self):
        """At more than 1,000 bad records that are more than a tenth of all."""
        for bad, good, quarantined in ((1000, 0, 0), (1001, 0, 1), (1001, 9008, 1), (1001, 9009, 0)):
            with self.subTest(bad=bad, good=good):
                self.setUp()
                texts = ["broken %d" % number for number in range(bad)] + [json.dumps(s3_record(number)) for number in range(good)]
                self.with_object(packed(*texts))
                result = self.pull(code=quarantined)
                self.assert_figures(result, read=bad + good + 2, stored=good + 2, dead=bad, quarantined=quarantined)

    def test_message_modes(self):
        record = s3_record(0)
        for mode in ("raw", "flat", "none"):
            with self.subTest(mode=mode):
                self.setUp()
                server = self.with_object(packed(record), s3={"message": mode})
                self.pull()
                wanted = self.expected(server).points
                self.assertEqual(set(server.audit_points()), set(wanted), "the mode may not change identities")
                key = next(key for key in wanted if key[2] == expect.read_time(record["auditEntry"]["time"]))
                message = server.audit_points()[key]["message"]
                if mode == "none":
                    self.assertEqual(message, "")
                elif mode == "raw":
                    self.assertEqual(message, wanted[key]["message"])
                else:
                    flat = json.loads(message)
                    self.assertEqual(flat["auditEntry.api.bucket"], "orders")
                    self.assertEqual(flat["auditEntry.requestHeader.Authorization"], expect.REDACTED)
                    self.assertEqual(flat["serviceAccountName"], "svc")


if __name__ == "__main__":
    unittest.main()
