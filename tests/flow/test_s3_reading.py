"""Listing and downloading from a server that misbehaves: never a lost, doubled or half-counted record."""

import gzip
import os
import random
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib import scripted  # noqa: E402
from lib.harness import DELIVERED_S, FOLDER, Case, lines, packed, s3_record  # noqa: E402

KEY = FOLDER + "S3-orders-2026-03-01-12-00-00.gz"


def bulky(records, salt=1):
    """An object that does not compress: its stored size is near that of its records."""
    rng = random.Random(salt)
    made = (s3_record(number, note=rng.randbytes(1500).hex()) for number in range(records))
    return gzip.compress(lines(*made), 1, mtime=0)


class Downloads(Case):
    def one_object(self, data=None, s3=None):
        server = self.server({KEY: bulky(400) if data is None else data})
        self.flat_config(server, s3={"workers": 1, **(s3 or {})})
        return server

    def assert_resumed(self, server, at):
        gets = server.of("get")
        self.assertEqual(len(gets), 2, [one.headers.get("Range") for one in gets])
        self.assertEqual(gets[1].headers.get("Range"), "bytes=%d-" % at)
        self.assertEqual(gets[1].headers.get("If-Match"), server.objects[KEY].etag)

    def test_a_whole_download_needs_one_get(self):
        server = self.one_object()
        result = self.pull()
        self.assertEqual(len(server.of("get")), 1)
        self.assert_figures(result, read=400, stored=400, failed=0)
        self.assert_exact(server)

    def test_a_cut_download_is_resumed_where_it_was(self):
        server = self.one_object()
        server.fault("get", scripted.edit(cut_at=150000))
        self.pull()
        self.assert_resumed(server, 150000)
        self.assert_exact(server)

    def test_cuts_at_every_kind_of_place(self):
        size = len(bulky(400))
        for cut in (0, 1, 5, 9, 10, 65536, size - 9, size - 4, size - 1):
            with self.subTest(cut=cut):
                self.setUp()
                server = self.one_object()
                server.fault("get", scripted.edit(cut_at=cut))
                result = self.pull()
                self.assert_figures(result, read=400, stored=400, failed=0)
                self.assert_exact(server)

    def test_a_download_cut_again_and_again(self):
        server = self.one_object()
        for at in (100000, 1, 50000):
            server.fault("get", scripted.edit(cut_at=at))
        self.pull()
        self.assertEqual(len(server.of("get")), 4)
        self.assert_exact(server)

    def test_a_stalled_download_is_cut_and_resumed(self):
        server = self.one_object(s3={"stall_timeout": "2s"})
        server.fault("get", scripted.edit(stall_at=150000, stall_s=50))
        begin = time.monotonic()
        self.pull()
        self.assertLess(time.monotonic() - begin, 30)
        self.assert_resumed(server, 150000)
        self.assertTrue(server.of("get")[0].broken)
        self.assert_exact(server)

    def test_a_slow_download_is_not_a_stalled_one(self):
        server = self.one_object(s3={"stall_timeout": "2s"})
        server.fault("get", scripted.edit(pause_s=0.7))
        self.pull()
        self.assertEqual(len(server.of("get")), 1)
        self.assert_exact(server)

    def test_fewer_bytes_than_the_listing_says(self):
        """A shortened reply that claims to be whole: the object may not be settled as it is."""
        server = self.one_object()
        data = server.objects[KEY].data

        def shortened(request, reply):
            reply.body = data[: len(data) // 2]

        server.fault("get", shortened, times=1)
        self.run_program("pull", "--from-date", "2026-01-01")
        self.run_program("pull", "--from-date", "2026-01-01")
        self.assert_exact(server)

    def test_fewer_bytes_than_content_length_says(self):
        server = self.one_object()
        data = server.objects[KEY].data

        def lying(request, reply):
            reply.body = data[:100000]
            reply.length = len(data)

        server.fault("get", lying)
        self.pull()
        self.assert_resumed(server, 100000)
        self.assert_exact(server)

    def test_more_bytes_than_the_listing_says(self):
        server = self.one_object()

        def longer(request, reply):
            reply.body = reply.body + b"surplus"

        server.fault("get", longer)
        self.run_program("pull", "--from-date", "2026-01-01")
        self.pull()
        self.assert_exact(server)

    def test_a_resume_that_starts_elsewhere_than_it_says(self):
        """206 with a Content-Range that was not asked for: bytes of unknown place may not be used."""
        server = self.one_object()
        data = server.objects[KEY].data
        server.fault("get", scripted.edit(cut_at=100000))

        def shifted(request, reply):
            reply.body = data[50000:]
            reply.headers["Content-Range"] = "bytes 50000-%d/%d" % (len(data) - 1, len(data))

        server.fault("get", shifted)
        self.run_program("pull", "--from-date", "2026-01-01")
        self.pull()
        self.assert_exact(server)

    def test_a_resume_that_is_answered_with_the_whole(self):
        server = self.one_object()
        data = server.objects[KEY].data
        server.fault("get", scripted.edit(cut_at=100000))

        def whole(request, reply):
            full = scripted.Reply(200, data, {"ETag": server.objects[KEY].etag})
            return full

        server.fault("get", whole)
        self.pull()
        self.assert_exact(server)

    def test_an_object_replaced_while_it_is_read(self):
        """What was read of the old content may not be mixed with the new; the next run reads the new whole."""
        server = self.one_object()
        fresh = bulky(300, salt=2)

        def replaced(request, reply):
            reply.cut_at = 100000
            server.objects[KEY] = scripted.Stored(fresh, DELIVERED_S + 60)

        server.fault("get", replaced)
        first = self.run_program("pull", "--from-date", "2026-01-01")
        self.assert_adds_up(first)
        self.pull()
        new = self.expected(server).points
        stored = server.audit_points()
        self.assertEqual({key: stored.get(key) for key in new}, new)
        self.assertEqual(self.pull().summaries()[0]["objects"], 0)

    def test_an_object_that_vanishes_after_the_listing(self):
        server = self.one_object()
        server.fault("get", scripted.status(404, b"<Error><Code>NoSuchKey</Code></Error>"))
        self.run_program("pull", "--from-date", "2026-01-01")
        self.pull()
        self.assert_exact(server)

    def test_later_is_tried_again(self):
        for code in (429, 500, 503):
            with self.subTest(code=code):
                self.setUp()
                server = self.one_object()
                server.fault("get", scripted.status(code), times=2)
                server.fault("list", scripted.status(code), times=2)
                self.pull()
                self.assert_exact(server)

    def test_a_refused_download_keeps_the_object_for_the_next_run(self):
        server = self.one_object()
        server.fault("get", scripted.status(403, b"<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>"), times=100)
        result = self.pull(code=1)
        self.assertIn("403", result.err)
        server.faults.clear()
        self.pull()
        self.assert_exact(server)

    def test_requests_are_signed(self):
        server = self.one_object()
        self.pull()
        for one in server.of("list") + server.of("folders") + server.of("get"):
            self.assertRegex(one.headers["Authorization"], r"^AWS4-HMAC-SHA256 Credential=key-id/\d{8}/us-east-1/s3/aws4_request, *SignedHeaders=")
            self.assertTrue(one.headers["x-amz-content-sha256"])

    def test_a_session_token_is_sent_and_never_shown(self):
        server = self.one_object(s3={"session_token": "leak-canary-session-token-91b7"})
        result = self.pull()
        self.assertEqual(server.of("get")[0].headers["x-amz-security-token"], "leak-canary-session-token-91b7")
        self.assert_no_secret(result.err, result.out)


class Listings(Case):
    def many(self, count=25, page_size=10):
        objects = {"%sS3-orders-%03d.gz" % (FOLDER, number): packed(s3_record(number)) for number in range(count)}
        server = self.server(objects)
        server.page_size = page_size
        self.flat_config(server)
        return server

    def test_all_pages_are_read(self):
        server = self.many()
        result = self.pull()
        self.assert_figures(result, objects=25, stored=25)
        self.assert_exact(server)

    def test_a_second_page_that_fails_loses_nothing(self):
        server = self.many()
        server.fault("list", scripted.status(403, b"<Error><Code>AccessDenied</Code></Error>"), times=100, when=lambda request: "continuation-token" in request.query)
        self.pull(code=1)
        server.faults.clear()
        self.pull()
        self.assert_exact(server)
        self.assertEqual(self.pull().summaries()[0]["objects"], 0)

    def test_a_page_cut_in_the_middle(self):
        server = self.many()
        server.fault("list", scripted.edit(cut_at=700), when=lambda request: "continuation-token" in request.query)
        self.pull()
        self.assert_exact(server)

    def test_a_page_that_is_not_xml(self):
        server = self.many()

        def garbage(request, reply):
            reply.body = b"<html><body>Welcome to the hotel network<br></body></html>"

        server.fault("list", garbage, times=100)
        self.pull(code=1)
        server.faults.clear()
        self.pull()
        self.assert_exact(server)

    def test_a_listing_that_never_ends(self):
        """The same continuation token again and again may not hang the run."""
        server = self.many()

        def again(request, reply):
            reply.body = server.s3_page(request, [(key, False) for key in sorted(server.objects)[:10]], True).body

        server.fault("list", again, times=10**6)
        self.pull(code=1, timeout=60)

    ODD_KEYS = [
        "a b+c.gz",
        "quote\"d'.gz",
        "per%cent%20.gz",
        "amp&er;sand<>.gz",
        "über-straße-東京-🚚.gz",
        "tilde~!$*(),;:@=#?[].gz",
        "back\\slash.gz",
        "double//slash.gz",
        "x" * (1024 - len(FOLDER) - 3) + ".gz",
    ]

    def odd(self, url_encoding):
        keys = [FOLDER + name for name in self.ODD_KEYS]
        keys[-1] = keys[-1][:1021] + ".gz"
        self.assertEqual(len(keys[-1]), 1024)
        server = self.server({key: packed(s3_record(number)) for number, key in enumerate(keys)})
        server.url_encoding = url_encoding
        server.page_size = 2
        self.flat_config(server)
        result = self.pull()
        self.assert_figures(result, objects=len(keys), stored=len(keys), failed=0)
        self.assertEqual(sorted(one.key for one in server.of("get")), sorted(keys))
        self.assert_exact(server)

    def test_odd_keys(self):
        self.odd("never")

    def test_odd_keys_in_listings_encoded_when_asked(self):
        self.odd("asked")

    def test_odd_keys_in_listings_encoded_unasked(self):
        self.odd("always")

    def test_only_folders_of_the_window_are_listed(self):
        server = self.server({"March-2026/S3-a.gz": packed(s3_record(1)), "January-2024/S3-b.gz": packed(s3_record(2))})
        server.objects["January-2024/S3-b.gz"].last_modified_s -= 2 * 365 * 86400
        self.flat_config(server)
        self.pull("--to-date", "2026-03-20", since="2026-02-20")
        prefixes = {one.query.get("prefix") for one in server.of("list")}
        self.assertIn("March-2026/", prefixes)
        self.assertNotIn("January-2024/", prefixes)
        self.assertEqual([one.key for one in server.of("get")], ["March-2026/S3-a.gz"])

    def test_the_window_is_half_open_by_last_modified(self):
        server = self.server({FOLDER + name: packed(s3_record(number)) for number, name in enumerate(["a.gz", "b.gz", "c.gz"])})
        for name, moment in (("a.gz", DELIVERED_S - 1), ("b.gz", DELIVERED_S), ("c.gz", DELIVERED_S + 3600)):
            server.objects[FOLDER + name].last_modified_s = moment
        self.flat_config(server)
        self.pull("--to-date", "2026-03-01T13:00:00Z", since="2026-03-01T12:00:00Z")
        self.assertEqual([one.key for one in server.of("get")], [FOLDER + "b.gz"])

    def test_oldest_first(self):
        server = self.many(count=12)
        for number, key in enumerate(sorted(server.objects, reverse=True)):
            server.objects[key].last_modified_s = DELIVERED_S + number
        self.flat_config(server, s3={"workers": 1})
        self.pull()
        order = [server.objects[one.key].last_modified_s for one in server.of("get")]
        self.assertEqual(order, sorted(order))

    def test_unmatched_folders_are_an_error(self):
        server = self.many(count=2)
        self.put_objects(server, {"archive/old.gz": packed(s3_record(50))})
        result = self.pull(code=1)
        self.assertIn("archive/", result.err)
        self.assertGreaterEqual(result.summaries()[0]["unmatched"], 1)
        self.assertEqual(result.summaries()[0]["stored"], 2)

    def test_objects_outside_of_all_folders_are_an_error(self):
        server = self.many(count=2)
        self.put_objects(server, {"stray.gz": packed(s3_record(50))})
        result = self.pull(code=1)
        self.assertIn("stray.gz", result.err)
        self.assert_figures(result, unmatched=1, stored=2)

    def test_ignored_folders_are_not(self):
        server = self.many(count=2)
        self.put_objects(server, {"archive/old.gz": packed(s3_record(50))})
        self.flat_config(server, s3={"ignore": ["archive/"]})
        result = self.pull()
        self.assertEqual(result.summaries()[0]["unmatched"], 0)

    def test_nothing_found_in_a_bucket_that_is_not_empty_is_an_error(self):
        server = self.server({"elsewhere/S3-a.gz": packed(s3_record(1))})
        self.flat_config(server)
        result = self.pull(code=1)
        self.assertEqual(server.of("get"), [])
        self.assertIn("elsewhere/", result.err)

    def test_nothing_found_in_folders_that_fit_is_an_error(self):
        """The first part of the template fits, the rest does not."""
        server = self.server({"logs/elsewhere/S3-a.gz": packed(s3_record(1))})
        self.flat_config(server, s3={"folders": "logs/%B-%Y/"})
        result = self.pull(code=1)
        self.assertIn("though the bucket is not empty", result.err)

    def test_an_empty_bucket_is_a_quiet_run(self):
        server = self.server()
        self.flat_config(server)
        result = self.pull()
        self.assert_figures(result, read=0, objects=0, unmatched=0)

    def test_a_missing_bucket_and_a_refused_listing_fail(self):
        server = self.many(count=1)
        self.flat_config(server, s3={"log_bucket": "nowhere"})
        result = self.pull(code=1)
        self.assertIn("nowhere", result.err)


if __name__ == "__main__":
    unittest.main()
