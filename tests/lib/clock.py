"""A wall clock for the program that a test sets: see false_clock.c. The test's own clock stays as it is.

Not a test itself.
"""

import os
import struct
import time

from lib import harness

SECOND = 10**9


class Clock:
    """Begins at a time in seconds since 1970 and goes on from there."""

    def __init__(self, case, begin_s):
        self.path = case.path("false-clock")
        self.shift_ns = 0
        self.set(begin_s)

    def set(self, to_s):
        self.write(int((to_s - time.time()) * SECOND))

    def step(self, by_s):
        self.write(self.shift_ns + by_s * SECOND)

    def write(self, shift_ns):
        """In place: the program has the file mapped."""
        self.shift_ns = shift_ns
        with open(os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(struct.pack("=q", shift_ns))

    def now_s(self):
        return time.time() + self.shift_ns / SECOND

    def environment(self):
        module = os.path.join(os.path.dirname(os.path.dirname(harness.BINARY)), "tests", "lib", "false_clock.so")
        if not os.path.exists(module):
            raise AssertionError("no %s: build it" % module)
        # A sanitizer wants to be the first that is loaded; behind a clock it works as well.
        asan = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0"]))
        return {"LD_PRELOAD": module, "FALSE_CLOCK": self.path, "ASAN_OPTIONS": asan}
