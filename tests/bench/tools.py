"""What bench.py and memory.py share: running programs with their figures, the server, configurations."""

import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time

DEVNULL = subprocess.DEVNULL
NOTHING = {"since": "2026-03-20", "until": "2026-03-21"}  # a window of the corpora's folder without objects


class Build:
    """Where the programs are."""

    def __init__(self, folder):
        self.gateway = os.path.join(folder, "src/loggateway")
        self.folder = os.path.join(folder, "tests/bench")

    def tool(self, name):
        return os.path.join(self.folder, name)


class Run:
    """A finished process: seconds on the clock, seconds of CPU."""

    def __init__(self, wall_s, cpu_s, log):
        self.wall_s = wall_s
        self.cpu_s = cpu_s
        self.log = log


def run(command, environment=None):
    """Runs it with its output thrown away; it must end well."""
    with tempfile.TemporaryFile() as log:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=DEVNULL, stdout=DEVNULL, stderr=log, env={**os.environ, **(environment or {})})
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        text = log.read().decode(errors="replace")
    if process.returncode != 0:
        raise RuntimeError("%s: exit %d\n%s" % (" ".join(command[:6]), process.returncode, text[-2000:]))
    return Run(wall_s, usage.ru_utime + usage.ru_stime, text)


def medians(rounds, works, warm=None):
    """Runs each of {name: function giving a Run} once per round, in turns; {name: Run of medians}. Before that it runs
    those named by warm (None: all) once to fill caches, which is not counted."""
    runs = {name: [] for name in works}
    for name in works if warm is None else warm:
        works[name]()
    for _ in range(rounds):
        for name, work in works.items():
            runs[name].append(work())
    return {name: Run(statistics.median(one.wall_s for one in all_runs), statistics.median(one.cpu_s for one in all_runs), "") for name, all_runs in runs.items()}


class Server:
    """tests/bench/server.c in a process; ends with its standard input, so also when this script is killed."""

    def __init__(self, build, *arguments):
        self.process = subprocess.Popen([build.tool("server"), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())
        self.url = "http://127.0.0.1:%d" % self.port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Job:
    """A gateway with a configuration and a ledger of its own. source, sink: stanzas of the configuration."""

    def __init__(self, build, source, sink, workers=1):
        self.build = build
        self.folder = tempfile.mkdtemp(prefix="loggateway-bench-")
        self.config = os.path.join(self.folder, "config.json")
        self.state = os.path.join(self.folder, "state.db")
        job = {"name": "bench", "from": "logs", "to": ["influxdb"], "workers": workers}
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump({"jobs": [job], "logs": source, "influxdb": sink, "state": self.state}, file)
        os.chmod(self.config, 0o600)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, since="2026-03-01", until="2026-04-01"):
        return [self.build.gateway, "-c", self.config, "pull", "--from-date", since, "--to-date", until]

    def pull(self, **window):
        """Reads all objects of the window. The ledger is there, as it is for all runs but the first: to make one takes
        ten times as long as the disk needs for a sync, which says nothing about the gateway."""
        if not os.path.exists(self.state):
            run(self.command(**NOTHING))
        return run(self.command(**window) + ["--again"])


def s3(server):
    return {"type": "s3", "endpoint_url": server.url, "log_bucket": "logs", "access_key": "key", "secret_key": "secret", "region": "us-east-1"}


def files(folder):
    return {"type": "file", "path": folder}


def influxdb(url, gzip="off", token="t", org="o", bucket="b"):
    return {"host": url, "token": token, "org": org, "bucket": bucket, "gzip": gzip}


def figure(log, name):
    """A figure of the summary line."""
    found = re.search(r'msg="run finished".* %s=(\d+)' % name, log)
    return int(found.group(1)) if found else None


def objects_of(folder):
    return sorted(os.path.join(root, name) for root, _, names in os.walk(folder) for name in names if name.endswith(".gz"))
