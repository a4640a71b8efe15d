"""Every kind of reply of InfluxDB to a write, and what must become of the points, the ledger and the exit code."""

import json
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib import expect, scripted  # noqa: E402
from lib.harness import FOLDER, Case, packed, s3_record  # noqa: E402

KEY = FOLDER + "S3-orders-2026-03-01-12-00-00.gz"
RETRIED = (408, 429, 500, 502, 503, 504)
HELD = (401, 402, 403, 405, 409, 451)


class Replies(Case):
    def one_object(self, records=20, influx=None):
        server = self.server({KEY: packed(*(s3_record(number) for number in range(records)))})
        self.flat_config(server, influx=influx)
        return server

    def times(self, numbers):
        """The times of the records with these numbers."""
        return {expect.read_time(s3_record(number)["auditEntry"]["time"]) for number in numbers}

    def refuse(self, server, numbers, kind):
        chosen = self.times(numbers)
        server.judge = lambda key, fields: kind if key[2] in chosen else None

    def limit(self, server, most_bytes):
        """Larger requests are refused."""

        def too_large(request, reply):
            body = scripted.gzip.decompress(request.body) if request.headers.get("Content-Encoding") else request.body
            if len(body) > most_bytes:
                return server.influx_error(413, "request too large", "max %d" % most_bytes)
            return server.influx_write(request)

        too_large.instead = True
        server.fault("write", too_large, times=1000)

    def stored_times(self, server):
        return {key[2] for key in server.audit_points()}

    def dead_letters(self):
        return self.ledger("SELECT count(*) FROM dead_letter")[0][0]

    def assert_settles_next(self, server):
        """What was held back is made good by the next run, exactly."""
        self.pull()
        self.assert_exact(server)

    # --- 204 ---

    def test_204_stores_all(self):
        server = self.one_object()
        result = self.pull()
        self.assert_figures(result, read=20, stored=20, dead=0, objects=1, failed=0)
        self.assert_exact(server)
        self.assertEqual(len(server.of("write")), 2)  # the points, and the run's own figures

    # --- 400 ---

    def test_400_leaves_only_the_bad_lines_behind(self):
        server = self.one_object(records=64)
        bad = self.times([5, 40, 63])

        def malformed(request, reply):
            body = scripted.gzip.decompress(request.body) if request.headers.get("Content-Encoding") else request.body
            keys = [scripted.parse_line(line)[0] for line in scripted.split_lines(body.decode())]
            if any(key[2] in bad for key in keys):
                return server.influx_error(400, "invalid", "unable to parse '...': bad")
            return server.influx_write(request)

        malformed.instead = True
        server.fault("write", malformed, times=1000)
        result = self.pull()
        self.assert_figures(result, read=64, stored=61, dead=3)
        self.assertEqual(self.stored_times(server), self.times(range(64)) - bad)
        self.assertEqual(self.dead_letters(), 3)

    def test_a_reply_that_repeats_the_token_does_not_show_it(self):
        """Neither in a dead letter nor in the log."""
        server = self.one_object(records=2)
        text = "unable to parse 'x': bad, sent with Token %s" % scripted.TOKEN

        def repeating(request, reply):
            return server.influx_error(400, "invalid", text)

        repeating.instead = True
        server.fault("write", repeating, times=1000)
        result = self.pull()
        self.assertEqual(self.dead_letters(), 2)
        self.assertIn("bad, sent with", self.ledger("SELECT reason FROM dead_letter")[0][0])
        self.assert_no_secret(result.err, result.out)

    def test_a_refusal_that_repeats_the_token_does_not_show_it(self):
        server = self.one_object(records=2)
        body = json.dumps({"code": "forbidden", "message": "no such right for Token %s" % scripted.TOKEN}).encode()
        server.fault("write", scripted.status(403, body), times=1000)
        result = self.pull(code=1)
        self.assertIn("no such right for", result.err)
        self.assert_no_secret(result.err, result.out)

    # --- partial writes ---

    def test_422_partial_write_finds_the_bad_line(self):
        server = self.one_object(records=64)
        self.refuse(server, [17], "dead")
        result = self.pull()
        self.assert_figures(result, read=64, stored=63, dead=1, quarantined=0)
        self.assertEqual(self.stored_times(server), self.times(range(64)) - self.times([17]))
        self.assertEqual(self.dead_letters(), 1)

    def test_500_partial_write_is_the_same(self):
        server = self.one_object(records=32)
        self.refuse(server, [0, 31], "dead")

        def partial(keys, kind):
            reply = scripted.partial_write(keys, kind)
            reply.status = 500
            return reply

        server.partial = partial
        result = self.pull()
        self.assert_figures(result, read=32, stored=30, dead=2, quarantined=0)
        self.assertEqual(self.stored_times(server), self.times(range(1, 31)))

    def test_partial_writes_without_end_quarantine_after_64_requests(self):
        server = self.one_object(records=512)
        self.refuse(server, range(0, 512, 2), "dead")
        result = self.pull(code=1)
        self.assertLessEqual(len(server.of("write")), 1 + 64 + 1, "the batch, its halves, the run's own figures")
        self.assert_figures(result, read=512, quarantined=1)
        self.assertEqual(self.stored_times(server), self.times(range(1, 512, 2)))
        server.judge = None
        again = self.pull()
        self.assertEqual(again.summaries()[0]["objects"], 0, "a quarantined object waits for --again")
        self.pull("--again")
        self.assert_exact(server)

    # --- retention ---

    def retention_reply(self, bound_ns):
        return lambda keys, kind: scripted.partial_write(keys, kind, bound_ns)

    def test_retention_bound_of_the_reply(self):
        server = self.one_object(records=30)
        self.refuse(server, range(10), "expired")
        server.partial = self.retention_reply(min(self.times([10])))
        result = self.pull()
        self.assert_figures(result, read=30, stored=20, expired=10, dead=0, quarantined=0)
        self.assertEqual(self.stored_times(server), self.times(range(10, 30)))
        self.assertEqual(self.dead_letters(), 0)

    def test_retention_bound_of_the_configuration(self):
        """InfluxDB 2.0 names no bound: influxdb.retention gives it."""
        server = self.one_object(records=10, influx={"retention": "24h"})
        self.refuse(server, range(10), "expired")
        result = self.pull()
        self.assert_figures(result, read=10, stored=0, expired=10, dead=0)

    # --- 413 ---

    def test_413_halves(self):
        server = self.one_object(records=200)
        self.limit(server, 8000)
        result = self.pull()
        self.assert_figures(result, read=200, stored=200, dead=0)
        self.assert_exact(server)

    def test_413_for_a_single_line_is_a_dead_letter(self):
        server = self.one_object(records=8)
        big = s3_record(8, note="x" * 9000)
        server.objects[KEY] = scripted.Stored(packed(*(s3_record(number) for number in range(8)), big), server.objects[KEY].last_modified_s)

        self.limit(server, 8000)
        result = self.pull()
        self.assert_figures(result, read=9, stored=8, dead=1)
        self.assertEqual(self.stored_times(server), self.times(range(8)))

    # --- later ---

    def test_later_is_tried_again(self):
        for code in RETRIED:
            with self.subTest(code=code):
                self.setUp()
                server = self.one_object()
                server.fault("write", scripted.status(code, b'{"message":"not now"}'), times=2)
                result = self.pull()
                self.assert_figures(result, read=20, stored=20, failed=0)
                self.assert_exact(server)
                writes = server.of("write")
                self.assertEqual(writes[0].body, writes[2].body, "the same request again")

    def test_reset_is_tried_again(self):
        server = self.one_object()
        server.fault("write", scripted.reset, times=2)
        self.pull()
        self.assert_exact(server)

    def test_a_reply_cut_after_storing_doubles_nothing(self):
        server = self.one_object()
        server.fault("write", scripted.edit(cut_at=0), times=1)
        result = self.pull()
        self.assert_figures(result, read=20, stored=20)
        self.assert_exact(server)

    def test_retry_after_is_honoured(self):
        for value in ("3", "date"):
            with self.subTest(value=value):
                self.setUp()
                server = self.one_object()

                def later(request, reply, value=value):
                    text = value if value == "3" else scripted.email.utils.formatdate(time.time() + 4, usegmt=True)
                    return scripted.Reply(429, b"", {"Retry-After": text})

                later.instead = True
                server.fault("write", later)
                self.pull()
                first, second = server.of("write")[:2]
                self.assertGreaterEqual(second.at_s - first.at_s, 2.9)
                self.assertLess(second.at_s - first.at_s, 20)
                self.assert_exact(server)

    # --- hold ---

    def test_refusals_hold_and_never_advance(self):
        for code in HELD:
            with self.subTest(code=code):
                self.setUp()
                server = self.one_object()
                server.fault("write", scripted.status(code, b'{"message":"no such right"}'), times=1000)
                result = self.pull(code=1)
                self.assertEqual(server.audit_points(), {})
                self.assertIn(str(code), result.err)
                for row in result.summaries():
                    self.assertEqual(row["stored"], 0, row)
                self.assertLess(len(server.of("write")), 10, "a refusal is not to be hammered on")
                server.faults.clear()
                self.assert_settles_next(server)

    def test_a_wrong_token_is_said_and_not_shown(self):
        server = self.one_object(influx={"token": "leak-canary-signature-5f0c2a"})
        result = self.pull(code=1)
        self.assertIn("401", result.err)
        self.assert_no_secret(result.err, result.out)

    # --- 404 ---

    def test_a_missing_bucket_is_created(self):
        server = self.one_object(influx={"bucket": "fresh", "retention": "30d"})
        self.pull()
        self.assertEqual(server.buckets["fresh"], 30 * 86400)
        self.assert_exact(server)

    def test_a_missing_bucket_is_created_for_ever_by_default(self):
        server = self.one_object(influx={"bucket": "fresh"})
        self.pull()
        self.assertEqual(server.buckets["fresh"], 0)

    def test_a_bucket_that_may_not_be_created_holds(self):
        server = self.one_object(influx={"bucket": "fresh"})
        server.may_create = False
        result = self.pull(code=1)
        self.assertIn("fresh", result.err)
        self.assertIn("influx bucket create", result.err, "the command to run")
        self.assertEqual(server.audit_points(), {})
        server.may_create = True
        self.assert_settles_next(server)

    def test_a_wrong_organisation_holds(self):
        server = self.one_object(influx={"org": "nobody"})
        result = self.pull(code=1)
        self.assertIn("nobody", result.err)
        self.assertEqual(server.of("create"), [])
        self.assertEqual(server.audit_points(), {})

    # --- what is sent ---

    def test_requests_are_as_influxdb_wants_them(self):
        server = self.one_object(records=50, influx={"batch_lines": 20, "gzip": "on"})
        self.pull()
        writes = [one for one in server.of("write")]
        self.assertGreaterEqual(len(writes), 3)
        for one in writes:
            self.assertEqual(one.headers["Authorization"], "Token " + scripted.TOKEN)
            self.assertEqual(one.headers["Content-Encoding"], "gzip")
            text = scripted.gzip.decompress(one.body).decode()
            self.assertLessEqual(len(scripted.split_lines(text)), 20)
        self.assert_exact(server)

    def test_many_small_objects_share_a_batch(self):
        objects = {"%sS3-orders-%03d.gz" % (FOLDER, number): packed(s3_record(number)) for number in range(100)}
        server = self.server(objects)
        self.flat_config(server, s3={"workers": 1})
        result = self.pull()
        self.assert_figures(result, read=100, stored=100, objects=100)
        self.assertLess(len(server.of("write")), 20)
        self.assert_exact(server)

    # --- one worker: the next batch is filled while the last is on its way ---

    def five_by_five(self):
        """Objects of five records, each a batch of the only worker."""
        objects = {"%sS3-orders-%02d.gz" % (FOLDER, i): packed(*(s3_record(5 * i + k) for k in range(5))) for i in range(8)}
        server = self.server(objects)
        self.flat_config(server, s3={"workers": 1}, influx={"batch_lines": 5})
        return server

    def hold_the_first_write(self, server, until):
        """Its answer waits for until(), ten seconds at most; gives a list that then holds what that said."""
        found = []

        def hold(request, reply):
            end = time.monotonic() + 10
            server.lock.release()  # answer() holds it, and the other requests must come in
            try:
                while not until() and time.monotonic() < end:
                    time.sleep(0.01)
            finally:
                server.lock.acquire()
            found.append(until())
            return reply

        server.fault("write", hold)
        return found

    def test_objects_are_read_while_a_batch_is_on_its_way(self):
        server = self.five_by_five()
        # It is sent at the 6th record; the 11th waits, with the next object asked for.
        found = self.hold_the_first_write(server, lambda: len(server.of("get")) >= 4)
        result = self.pull()
        self.assertEqual(found, [True], "nobody read while the first batch was on its way")
        self.assert_figures(result, read=40, stored=40, objects=8, failed=0)
        self.assert_exact(server)

    def test_bad_lines_of_batches_on_their_way(self):
        server = self.five_by_five()
        self.refuse(server, [0, 4, 5, 17, 39], "dead")
        result = self.pull()
        self.assert_figures(result, read=40, stored=35, dead=5, objects=8)
        found = self.ledger("SELECT CAST(key AS TEXT), line FROM dead_letter ORDER BY 1, 2")
        wanted = [(0, 1), (0, 5), (1, 1), (3, 3), (7, 5)]  # object, line
        self.assertEqual(found, [("%sS3-orders-%02d.gz" % (FOLDER, number), line) for number, line in wanted])
        self.assertEqual(self.stored_times(server), self.times(range(40)) - self.times([0, 4, 5, 17, 39]))

    def test_a_kill_while_a_batch_is_on_its_way_settles_nothing_of_it(self):
        server = self.five_by_five()
        killed = []

        def kill():
            if len(server.of("get")) >= 4 and not killed:
                killed.append(process.kill() or process.wait())
            return bool(killed)

        self.hold_the_first_write(server, kill)
        process = self.start("pull", "--from-date", "2026-01-01")
        self.finish(process)
        self.assertTrue(killed)
        self.assertEqual(self.ledger("SELECT count(*) FROM object WHERE state = 1"), [(0,)])
        server.points.clear()
        result = self.pull()
        self.assert_figures(result, read=40, stored=40, objects=8)
        self.assert_exact(server)

    def test_the_runs_own_figures_are_written(self):
        server = self.one_object()
        self.pull()
        rows = {dict(key[1])["kind"]: fields for key, fields in server.points.items() if key[0] == "gateway-01"}
        self.assertEqual(set(rows), {"all", "lyve_s3"})
        newest_ns = max(self.times(range(20)))
        for kind in rows:
            found = {name: rows[kind][name] for name in ("read", "stored", "duplicate", "expired", "dead", "newest")}
            self.assertEqual(found, {"read": 20, "stored": 20, "duplicate": 0, "expired": 0, "dead": 0, "newest": newest_ns})
        self.assertEqual((rows["all"]["objects"], rows["all"]["failed"], rows["all"]["complete"]), (1, 0, 1))
        self.assertNotIn("complete", rows["lyve_s3"])
        self.assertEqual({dict(key[1])["job"] for key in server.points if key[0] == "gateway-01"}, {"lyvecloud"})

    def test_figures_that_are_more_than_a_batch(self):
        server = self.one_object(influx={"batch_lines": 1})
        self.pull()
        kinds = {dict(key[1])["kind"] for key in server.points if key[0] == "gateway-01"}
        self.assertEqual(kinds, {"all", "lyve_s3"})


if __name__ == "__main__":
    unittest.main()
