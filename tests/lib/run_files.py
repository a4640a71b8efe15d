#!/usr/bin/env python3
"""Runs the unittest files of a folder, several at a time, each in a process of its own.

usage: run_files.py FOLDER [JOBS]

Most of these tests wait for a server or a clock, so several at a time cost little. Prints what failed, and
last a line `N passed, N failed, N skipped` over all files; exit 1 when a test failed or a file could not be run.
"""

import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import time


def number(pattern, text):
    found = re.search(pattern, text)
    return int(found.group(1)) if found else 0


def with_helpers(path):
    """Our environment, in which a file also finds what stands beside it."""
    folders = [os.path.dirname(os.path.abspath(path)), os.environ.get("PYTHONPATH")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))}


def run(path):
    """A file's figures as (passed, failed, skipped), and what it printed."""
    began = time.monotonic()
    result = subprocess.run([sys.executable, "-m", "unittest", path], capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, env=with_helpers(path))
    text = result.stdout + result.stderr
    ran = number(r"(?m)^Ran (\d+) test", text)
    failed = number(r"(?m)^FAILED .*failures=(\d+)", text) + number(r"(?m)^FAILED .*errors=(\d+)", text)
    skipped = number(r"(?m)^(?:OK|FAILED) .*skipped=(\d+)", text)
    if result.returncode != 0 and failed == 0:
        failed = 1
    passed = max(ran - failed - skipped, 0)
    return path, (passed, failed, skipped), text, time.monotonic() - began


def main():
    folder = sys.argv[1]
    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    paths = sorted(glob.glob(os.path.join(folder, "test_*.py")))
    total = [0, 0, 0]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for path, figures, text, seconds in pool.map(run, paths):
            print("%s: %d passed, %d failed, %d skipped in %.0f s" % (path, *figures, seconds))
            if figures[1]:
                print(text, flush=True)
            total = [one + more for one, more in zip(total, figures)]
    print("%d passed, %d failed, %d skipped" % tuple(total))
    return 1 if total[1] or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
