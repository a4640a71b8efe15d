#!/usr/bin/env python3
"""Holds the gateway to its memory bound: the peak of its resident memory, with 4 workers, over an object far larger, a
listing far longer and a backlog far bigger than what it may use, also with a sink that is away. Called by scripts/bench
--memory. Exit 1 when one of them passes the bound.

    memory.py BUILD_DIR WORK_DIR [--scale N]      N times smaller
"""

import argparse
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import corpus  # noqa: E402
import tools  # noqa: E402
from tools import DEVNULL, Job, Server, influxdb, s3  # noqa: E402

BOUND_MIB = 64
WORKERS = 4
MARCH_2026_S = 1772323200


def peak_kib(pid):
    """The kernel's own high-water mark; None when the process has gone."""
    try:
        with open("/proc/%d/status" % pid, encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return None


def watch(command, stop_after_s=None):
    """Runs it, for stop_after_s at most; (peak MiB, exit code). getrusage would count this script before the exec too."""
    with subprocess.Popen(command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL) as process:
        start, peak = time.monotonic(), 0
        while process.poll() is None:
            peak = peak_kib(process.pid) or peak
            if stop_after_s and time.monotonic() - start > stop_after_s:
                process.send_signal(signal.SIGTERM)
                stop_after_s = None
            time.sleep(0.01)
    return peak / 1024, process.returncode


def make_huge(build, work, raw_bytes):
    """Four objects (hard links of one) of raw_bytes each, so that every worker has one."""
    folder = os.path.join(work, "corpus-huge-%d" % raw_bytes)
    if not os.path.isdir(folder):
        place = os.path.join(folder + ".part", "March-2026")
        os.makedirs(place, exist_ok=True)
        first = os.path.join(place, "S3-huge-0.gz")
        with open(first, "wb") as file:
            subprocess.run([build.tool("huge"), str(raw_bytes)], check=True, stdout=file)
        os.utime(first, (MARCH_2026_S, MARCH_2026_S))
        for number in range(1, WORKERS):
            other = os.path.join(place, "S3-huge-%d.gz" % number)
            if not os.path.exists(other):
                os.link(first, other)
        os.rename(folder + ".part", folder)
    return folder


def make_small(work, objects):
    folder = os.path.join(work, "corpus-waiting-%d" % objects)
    if not os.path.isdir(folder):
        corpus.write(folder + ".part", objects, 1000, 1)  # one record each
        os.rename(folder + ".part", folder)
    return folder


def pull(build, server, stop_after_s=None, **window):
    with Job(build, s3(server), influxdb(server.url), WORKERS) as job:
        return watch(job.command(**window), stop_after_s)


def cases(build, work, scale):
    """(what, arguments of the server, how long to watch, window)"""
    huge, small = 4 * 10**9 // scale, 10_000 // scale
    huge_folder, small_folder = make_huge(build, work, huge), make_small(work, small)
    return [
        ("4 objects of %.2g GB raw at a time" % (huge / 1e9), ["--folder", huge_folder], None, {}),
        ("the same, the sink away", ["--folder", huge_folder, "--away"], 10, {}),
        ("a listing of %d keys" % (10**6 // scale), ["--keys", str(10**6 // scale)], None, tools.NOTHING),
        ("%d objects waiting" % small, ["--folder", small_folder], None, {}),
        ("the same, the sink away", ["--folder", small_folder, "--away"], 10, {}),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("work")
    parser.add_argument("--scale", type=int, default=1)
    args = parser.parse_args()
    build = tools.Build(args.build)
    failed = 0
    print("| %d workers | peak MiB | at most |\n|---|---|---|" % WORKERS)
    for what, arguments, seconds, window in cases(build, args.work, args.scale):
        with Server(build, *arguments) as server:
            peak, code = pull(build, server, seconds, **window)
        good = peak <= BOUND_MIB and (code == 0) == (seconds is None)
        failed += not good
        print("| %s | %s%.1f%s | %d |" % (what, "" if good else "**", peak, "" if good else "** (exit %d)" % code, BOUND_MIB), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
