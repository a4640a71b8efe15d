"""The service and the wall clock: a suspend, a clock that is set, a run that failed or was killed: nothing that was due
is left out, and nothing is done twice for one time that is due."""

import fcntl
import os
import struct
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib import scripted  # noqa: E402
from lib.clock import Clock  # noqa: E402
from lib.harness import wait_for  # noqa: E402
from lib.service import Serving  # noqa: E402

HOURLY = "0 * * * *"
HOUR_S = 3600
ELEVEN_S = 1772362800  # 2026-03-01T11:00:00Z
F_OFD_SETLK = 37


class Set(Serving):
    """Each test begins at half past ten with a first run of a job that is due each hour."""

    def begin(self):
        self.clock = Clock(self, ELEVEN_S - 30 * 60)
        self.home = self.server()
        self.config(self.home, HOURLY)
        self.deliver(self.home, age_s=HOUR_S)
        service = self.service()
        service.wait_for_line("run finished")
        self.wait_for_end(1)
        return service

    def begin_with_a_run_at_eleven(self):
        """It is under way until the gate is set."""
        service = self.begin()
        gate = self.gate(self.home)
        self.home.fault("get", scripted.edit(delay_s=60))
        self.deliver(self.home)
        self.jump(0)
        wait_for(lambda: len(self.home.of("get")) == 2)
        return service, gate

    def wait_for_end(self, count):
        """Of so many runs."""
        ended = "SELECT count(*) FROM run WHERE ended IS NOT NULL"
        try:
            wait_for(lambda: self.ledger(ended)[0][0] >= count)
        except AssertionError:
            self.fail("runs so far: %s" % self.started())

    def started(self):
        """When each run was begun: minutes after eleven, rounded down."""
        return [int((start - ELEVEN_S) // 60) for start, _ in self.runs()]

    def jump(self, minutes):
        """To just before this many minutes after eleven; returns when it has passed."""
        to_s = ELEVEN_S + 60 * minutes
        self.clock.set(to_s - 1)
        wait_for(lambda: self.clock.now_s() > to_s)

    # --- forwards ---

    def test_asleep_for_three_hours(self):
        """11, 12 and 13 o'clock are made good at once, by one run; then it goes on by the hour."""
        service = self.begin()
        self.clock.step(3 * HOUR_S)
        self.deliver(self.home, age_s=2 * HOUR_S)
        self.wait_for_end(2)
        self.assert_exact(self.home)
        self.jump(180)
        self.wait_for_end(3)
        self.assertEqual(self.started(), [-30, 150, 180])
        service.stop()

    def test_asleep_in_a_run(self):
        """What comes due meanwhile is one run, right after it."""
        service, gate = self.begin_with_a_run_at_eleven()
        self.clock.step(3 * HOUR_S)
        gate.set()
        self.wait_for_end(3)
        self.jump(240)
        self.wait_for_end(4)
        self.assertEqual(self.started(), [-30, 0, 180, 240])
        self.assert_exact(self.home)
        service.stop()

    # --- back ---

    def test_set_back_by_an_hour(self):
        """Eleven o'clock comes again, as it was not eleven before; until then nobody waits."""
        service = self.begin()
        self.jump(0)
        self.wait_for_end(2)
        self.clock.step(-HOUR_S)
        self.wait_for_end(3)
        self.jump(0)
        self.wait_for_end(4)
        self.jump(60)
        self.wait_for_end(5)
        self.assertEqual(self.started(), [-30, 0, -60, 0, 60])
        service.stop()

    def test_set_back_a_little_in_a_run(self):
        """As a time server does it: eleven o'clock is done."""
        service, gate = self.begin_with_a_run_at_eleven()
        self.clock.set(ELEVEN_S - 3)
        gate.set()
        self.wait_for_end(2)
        self.assert_not_again(service)

    def test_set_back_a_little_before_the_lock(self):
        service = self.begin()
        with open(self.state_path + ".lyvecloud.lock", "r+b") as file:
            fcntl.fcntl(file, F_OFD_SETLK, struct.pack("=hhxxxxqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
            self.jump(0)
            wait_for(lambda: os.path.exists(self.state_path + ".lyvecloud~wanted.lock"))
            self.clock.set(ELEVEN_S - 3)
        self.wait_for_end(2)
        self.assert_not_again(service)

    def assert_not_again(self, service):
        wait_for(lambda: self.clock.now_s() > ELEVEN_S + 1)
        self.jump(60)
        self.wait_for_end(3)
        self.assertEqual(len(self.runs()), 3, self.started())
        self.assertEqual(self.started()[2], 60)
        service.stop()

    # --- runs that fail, or are killed ---

    def test_a_failed_run_is_tried_again(self):
        """After a minute, not at twelve."""
        service = self.begin()
        self.home.fault("list", scripted.status(403, b"<Error><Code>AccessDenied</Code></Error>"), times=1)
        self.deliver(self.home)
        self.jump(0)
        service.wait_for_line("run not complete")
        time.sleep(2)
        self.assertEqual(self.started(), [-30, 0])
        self.clock.step(60)
        self.wait_for_end(3)
        self.assert_exact(self.home)
        service.stop()

    def test_a_killed_run_is_made_good(self):
        """By the service that comes after it, at once: eleven o'clock was done by nobody."""
        service, _ = self.begin_with_a_run_at_eleven()
        service.kill()
        self.home.faults.clear()
        again = self.service()
        self.wait_until_exact(self.home, again)
        again.stop()


if __name__ == "__main__":
    unittest.main()
