"""The service: what is due is done, what was missed is made good, and a signal ends it soon, whatever it is doing."""

import datetime
import os
import signal
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib import scripted  # noqa: E402
from lib.harness import wait_for  # noqa: E402
from lib.service import EVERY_SECOND, SECOND, Service, Serving  # noqa: E402

DAY_S = 86400
NEVER = "0 0 29 2 *"  # for a job that is to run at its start only
UNAUTHORIZED = b'{"code":"unauthorized","message":"unauthorized access"}'


class WhatIsDue(Serving):
    def test_new_objects_are_read_as_they_come(self):
        server = self.server()
        self.config(server)
        self.deliver(server)
        service = self.service()
        for _ in range(4):
            self.wait_until_exact(server, service)
            self.deliver(server)
        self.wait_until_exact(server, service)
        self.assertEqual(len(server.of("get")), 5)
        service.stop()

    def test_the_first_start_reads_back_30_days_and_no_further(self):
        server = self.server()
        self.config(server, NEVER)
        young = [self.deliver(server, age_s=days * DAY_S) for days in (0, 1, 15, 29)]
        for days in (31, 45, 300):
            self.deliver(server, age_s=days * DAY_S)
        service = self.service()
        self.wait_for_run(service)
        service.stop()
        self.assertEqual(sorted(one.key for one in server.of("get")), sorted(young))
        self.assertEqual(self.settled(), set(young))

    def test_a_first_start_with_a_clock_of_the_future_keeps_nothing_out(self):
        """The reach is counted from the first run; one that had not been yet cannot set it."""
        server = self.server()
        self.deliver(server, age_s=DAY_S)
        self.config(server)
        self.pull()
        self.change_ledger("UPDATE run SET started = started + 10 * 31536000 * 1000000000")
        self.deliver(server, age_s=2 * DAY_S)
        service = self.service()
        self.wait_until_exact(server, service)
        service.stop()

    def test_start_says_how_far_back(self):
        server = self.server()
        self.config(server, NEVER, start="2d")
        young = [self.deliver(server, age_s=days * DAY_S) for days in (0, 1)]
        self.deliver(server, age_s=3 * DAY_S)
        service = self.service()
        self.wait_for_run(service)
        service.stop()
        self.assertEqual(self.settled(), set(young))

    def test_what_was_due_while_it_was_down_is_made_good_at_once(self):
        """Due ten minutes ago, next in fifty: it runs now when the last run was before that, and otherwise waits."""
        server = self.server()
        due = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=10)
        self.config(server, "%d * * * *" % due.minute)
        self.deliver(server, age_s=3600)
        first = self.service()
        self.wait_for_run(first)
        first.stop()
        self.assert_exact(server)

        self.deliver(server)
        second = self.service()
        second.wait_for_line("job scheduled")
        time.sleep(2)
        self.assertEqual(len(self.runs()), 1, second.tail())
        second.stop()

        self.change_ledger("UPDATE good_window SET to_ns = to_ns - %d" % (7200 * SECOND))
        third = self.service()
        self.wait_for_run(third)
        self.assert_exact(server)
        self.assertEqual(len(self.runs()), 2)
        third.stop()

    def test_nothing_is_missed_over_several_due_times(self):
        server = self.server()
        self.config(server)
        for _ in range(2):
            service = self.service()
            self.deliver(server)
            self.wait_until_exact(server, service)
            service.stop()
            for _ in range(3):
                self.deliver(server)
                time.sleep(1)
        service = self.service()
        self.wait_until_exact(server, service)
        service.stop()
        self.assertEqual(len(server.of("get")), 8)

    def test_times_due_during_a_run_are_one_run_right_after_it(self):
        server = self.server()
        span_s = 3
        self.config(server, "*/%d * * * * *" % span_s)
        self.deliver(server)
        gate = self.gate(server)
        server.fault("get", scripted.edit(delay_s=60))
        service = self.service()
        wait_for(lambda: server.of("get"))
        began_s = self.runs()[0][0]
        # Ends just after a time that is due, so that the next one is a while away.
        wait_for(lambda: time.time() - began_s > 2.5 * span_s and 0.05 < time.time() % span_s < 0.4)
        gate.set()
        self.wait_for_run(service, count=3)
        service.stop()
        slots = [int(start // span_s) for start, _ in self.runs()]
        ended = int(self.runs()[0][1] // span_s)
        self.assertGreater(ended, slots[0] + 1)
        self.assertEqual(slots[1], ended, "not right after it: %s" % self.runs())
        self.assertEqual(len(set(slots[1:])), len(slots[1:]), "more than one run for what was due: %s" % self.runs())
        self.assert_exact(server)


class Ending(Serving):
    def test_idle(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                self.setUp()
                server = self.server()
                self.config(server)
                self.deliver(server)
                service = self.service()
                self.wait_until_exact(server, service)
                self.wait_for_run(service, count=2)
                self.assertLess(service.stop(number), 5)

    def test_the_object_under_way_is_settled_and_no_other_begun(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                self.setUp()
                server = self.server()
                self.config(server, workers=1)
                keys = [self.deliver(server, age_s=100 - 10 * index) for index in range(3)]
                gate = self.gate(server)
                server.fault("get", scripted.edit(delay_s=60), when=lambda request: request.key == keys[1])
                service = self.service()
                wait_for(lambda: len(server.of("get")) == 2)
                time.sleep(1)  # that one went ahead: time to be done with the first object
                threading.Timer(1, gate.set).start()
                service.stop(number)
                self.assertEqual([one.key for one in server.of("get")], keys[:2])
                self.assertEqual(self.settled(), set(keys[:2]))
                self.assert_goes_on(server)
                self.assertEqual([one.key for one in server.of("get")], keys)

    def test_an_object_that_takes_too_long_is_let_go(self):
        server = self.server()
        self.config(server, workers=1)
        keys = [self.deliver(server, age_s=100 - 10 * index) for index in range(3)]
        gate = self.gate(server)
        server.fault("get", scripted.edit(delay_s=120), when=lambda request: request.key == keys[1])
        service = self.service()
        wait_for(lambda: len(server.of("get")) == 2)
        service.stop()
        self.assertEqual(len(server.of("get")), 2)
        self.assertNotIn(keys[1], self.settled())
        gate.set()
        self.assert_goes_on(server)

    def test_a_sink_that_is_busy(self):
        server = self.server()
        self.config(server, workers=1)
        for index in range(3):
            self.deliver(server, age_s=100 - 10 * index)
        server.fault("write", scripted.status(503, b"", Retry_After="5"), times=1000)
        service = self.service()
        wait_for(lambda: server.of("write"))
        service.stop(signal.SIGINT)
        self.assertEqual(self.settled(), set())
        self.assertEqual(server.audit_points(), {})
        server.faults.clear()
        self.assert_goes_on(server)

    def test_a_listing_that_takes_long(self):
        server = self.server()
        self.config(server)
        self.deliver(server)
        gate = self.gate(server)
        server.fault("list", scripted.edit(delay_s=120))
        service = self.service()
        wait_for(lambda: server.of("list"))
        self.assertLess(service.stop(), 5, "nothing is settled by waiting for a listing")
        gate.set()
        self.assert_goes_on(server)


class Together(Serving):
    """Several processes with one ledger."""

    def test_a_second_service_waits_for_the_lock(self):
        server = self.server()
        self.config(server, workers=1)
        for index in range(3):
            self.deliver(server, age_s=100 - 10 * index)
        gate = self.gate(server)
        server.fault("get", scripted.edit(delay_s=60))
        first = self.service()
        wait_for(lambda: server.of("get"))
        second = self.service()
        second.wait_for_line("job scheduled")
        time.sleep(1.5)
        self.assertEqual(second.lines("run finished"), [])
        self.assertEqual(len(self.runs()), 1)
        gate.set()
        self.wait_for_run(second)
        for _ in range(5):
            self.deliver(server)
            self.wait_until_exact(server, first)
        gets = [one.key for one in server.of("get")]
        self.assertEqual(len(gets), 8)
        self.assertEqual(len(set(gets)), 8, "an object was read by both")
        second.stop()
        first.stop()
        self.assert_exact(server)

    def test_one_that_waits_for_the_lock_ends_at_once(self):
        server = self.server()
        self.config(server)
        self.deliver(server)
        gate = self.gate(server)
        server.fault("get", scripted.edit(delay_s=60))
        first = self.service()
        wait_for(lambda: server.of("get"))
        second = self.service()
        second.wait_for_line("job scheduled")
        time.sleep(0.5)
        self.assertLess(second.stop(), 5)
        gate.set()
        self.wait_until_exact(server, first)
        first.stop()

    def start_pull(self, *arguments):
        return Service(self, "pull", "--from-date", "-90d", *arguments)

    def assert_pulled(self, pull, code=0):
        self.assertEqual(pull.process.wait(timeout=60), code, pull.tail())
        pull.reader.join(timeout=10)
        pull.assert_adds_up()

    def test_a_pull_lets_the_scheduled_run_go_first_and_completes(self):
        for arguments in ([], ["--again"], ["--new-schema"]):
            with self.subTest(arguments):
                self.setUp()
                server = self.server()
                self.config(server, workers=1, start="1d")
                old = [self.deliver(server, age_s=40 * DAY_S - index) for index in range(6)]
                if arguments:
                    self.pull(since="-90d")
                    server.requests.clear()
                server.fault("get", scripted.edit(delay_s=1), times=1000, when=lambda request: request.key in old)
                pull = self.start_pull(*arguments)
                wait_for(lambda: len(server.of("get")) >= 2)
                new = self.deliver(server)
                service = self.service()
                pull.wait_for_line("pull pauses for the scheduled run")
                self.assert_pulled(pull)
                gets = [one.key for one in server.of("get")]
                self.assertIn(new, gets[:-1], "the pull did not let it go first")
                self.assertEqual(sorted(gets), sorted(old + [new]), "an object was left out, or read twice")
                said = {fields.get("complete") for key, fields in server.points.items() if ("kind", "all") in key[1]}
                self.assertEqual(said, {1, None}, "a pull that pauses says neither")
                self.assert_exact(server)
                service.stop()

    def test_a_pull_waits_for_a_run(self):
        server = self.server()
        self.config(server, NEVER)
        self.deliver(server)
        gate = self.gate(server)
        server.fault("get", scripted.edit(delay_s=60))
        service = self.service()
        wait_for(lambda: server.of("get"))
        self.deliver(server, age_s=60 * DAY_S)
        pull = self.start_pull()
        pull.wait_for_line("waiting for another run of the job", lock="process %d" % service.process.pid)
        refused = self.run_program("pull", "--from-date", "-90d", "--no-wait")
        self.assertEqual(refused.code, 1, str(refused))
        self.assertEqual(len(server.of("get")), 1)
        self.assertTrue(pull.is_up())
        gate.set()
        self.assert_pulled(pull)
        self.assert_exact(server)
        self.assertEqual(len(server.of("get")), 2)
        service.stop()


class Trouble(Serving):
    def two_jobs(self, one, other, *schedules, **s3):
        def place(server):
            return {"type": "s3", "endpoint_url": server.url, "log_bucket": scripted.LOGS, "access_key": "key-id", "secret_key": "x" * 20, "region": "us-east-1"}

        def sink(server):
            return {"type": "influxdb", "host": server.url, "token": scripted.TOKEN, "org": scripted.ORG, "bucket": scripted.BUCKET}

        names = ["one", "other"]
        jobs = [{"name": name, "from": "logs-" + name, "to": ["sink-" + name], "schedule": schedule} for name, schedule in zip(names, schedules)]
        places = {"logs-one": place(one), "logs-other": place(other), "sink-one": sink(one), "sink-other": sink(other)}
        self.write_config({"jobs": jobs, "state": self.state_path, **places})

    def test_a_bad_schedule_ends_it_before_anything_is_done(self):
        server = self.server()
        for option, value, word in (("schedule", "61 * * * *", "61"), ("schedule", "", "schedule"), ("timezone", "Europe/Nowhere", "Nowhere")):
            with self.subTest(value):
                self.config(server, **{"schedule": EVERY_SECOND, option: value})
                result = self.run_program("run", timeout=20)
                self.assertEqual(result.code, 2, str(result))
                self.assertIn(word, result.err)
        self.two_jobs(server, server, EVERY_SECOND, "x")
        result = self.run_program("run", timeout=20)
        self.assertEqual(result.code, 2, str(result))
        self.assertIn("other", result.err)
        self.assertEqual(server.requests, [])

    def test_a_job_that_fails_does_not_disturb_the_other(self):
        one, other = self.server(), self.server()
        self.two_jobs(one, other, EVERY_SECOND, "*/2 * * * * *")
        denied = b"<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>"
        other.fault("list", scripted.status(403, denied), times=1000)
        self.deliver(other)
        service = self.service()
        for _ in range(4):
            self.deliver(one)
            self.wait_until_exact(one, service)
        service.wait_for_line("run not complete", job="other")
        self.assertEqual(service.lines("run not complete", job="one"), [])
        self.assertEqual(other.audit_points(), {})
        wait_for(lambda: len(other.of("list")) >= 3)
        other.faults.clear()
        self.wait_until_exact(other, service)
        service.stop()
        self.assert_exact(one)

    def test_a_refused_token_holds_the_job_loudly(self):
        """Not before a minute has passed is it tried again."""
        server = self.server()
        self.config(server, NEVER)
        self.deliver(server)
        server.fault("write", scripted.status(401, UNAUTHORIZED), times=1000)
        service = self.service()
        line = service.wait_for_line("run not complete", error="401")
        self.assertEqual(line["level"], "error")
        writes = len(server.of("write"))
        time.sleep(3)
        self.assertEqual(len(server.of("write")), writes)
        self.assertEqual(self.settled(), set())
        self.assertEqual(self.ledger("SELECT * FROM good_window"), [])
        service.stop()
        server.faults.clear()
        self.assert_goes_on(server)

    def test_the_same_error_is_logged_once_with_a_count(self):
        server = self.server()
        self.config(server)
        self.deliver(server)
        server.fault("write", scripted.status(401, UNAUTHORIZED), times=1000)
        service = self.service()
        service.wait_for_line("run finished", count=5)
        self.assertEqual(len(service.lines("run not complete")), 1, service.tail())
        self.assertEqual(self.settled(), set())
        server.faults.clear()
        self.wait_until_exact(server, service)
        line = service.wait_for_line("run not complete", count=2)
        self.assertGreaterEqual(int(line["repeated"]), 3)
        self.assertIn("401", line["error"])
        service.stop()
        self.assertEqual(len(service.lines("run not complete")), 2, service.tail())

    def test_a_changed_schema_holds_the_job(self):
        server = self.server()
        self.config(server)
        self.deliver(server)
        service = self.service()
        self.wait_until_exact(server, service)
        service.stop()
        before = server.audit_points()
        gets, writes = len(server.of("get")), len(server.of("write"))

        self.config(server, fields=["serviceAccountName"])
        self.deliver(server)
        held = self.service()
        held.wait_for_line("run not complete", error="--new-schema")
        held.stop()
        self.assertEqual((len(server.of("get")), len(server.of("write"))), (gets, writes))
        self.assertEqual(server.audit_points(), before)
        self.assertFalse(self.ledger("SELECT ok FROM run ORDER BY id DESC LIMIT 1")[0][0], "`status` has to show it")

        server.points.clear()
        self.pull("--new-schema")
        self.deliver(server)
        again = self.service()
        wanted = {}
        for (measurement, tags, time_ns), fields in self.expected(server).points.items():
            others = tuple(tag for tag in tags if tag[0] != "serviceAccountName")
            wanted[measurement, others, time_ns] = {**fields, "serviceAccountName": dict(tags)["serviceAccountName"]}
        wait_for(lambda: server.audit_points() == wanted)
        again.stop()


class Rate(Serving):
    """400 points in batches of 50 by four workers: at 100 a second the last batch goes after 3.5 s."""

    def timed_pull(self, rate):
        server = self.server()
        self.config(server, workers=4, rate=rate, influx={"batch_lines": 50})
        for index in range(8):
            self.deliver(server, age_s=1000 - index, records=50)
        began = time.monotonic()
        self.assert_figures(self.pull(since="-1d"), stored=400)
        took_s = time.monotonic() - began
        self.assert_exact(server)
        return took_s

    def test_a_pull_keeps_to_its_rate(self):
        self.assertGreaterEqual(self.timed_pull(100), 3.5)

    def test_without_a_rate_it_does_not_wait(self):
        self.assertLess(self.timed_pull(0), 2.5)


if __name__ == "__main__":
    unittest.main()
