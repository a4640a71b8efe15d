#!/usr/bin/env python3
"""Measures the gateway against other ways to do its work and prints a Markdown table: ratios of medians of interleaved
runs. What each row compares is said in doc/performance.md. Called by scripts/bench, which builds what is needed.

    bench.py BUILD_DIR WORK_DIR [--quick] [--only TEXT]
"""

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import corpus  # noqa: E402
import tools  # noqa: E402
from tools import NOTHING, Job, Server, files, influxdb, medians, objects_of, run, s3  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
SEED = 20220530
# name: objects, raw bytes of each
CORPORA = {
    "large": (64, 200e6 / 64),
    "medium": (120, 770e3),  # 100 KB as they are stored
    "small": (5000, 5000),  # 2 KB as they are stored
    "small-1000": (1000, 5000),
}


class Row:
    def __init__(self, work, other, least, aim, run, more=False):
        self.work = work
        self.other = other
        self.least = least
        self.aim = aim
        self.run = run  # function of Bench giving (ratio, what was measured)
        self.more = more  # the higher the better; else a bound from above


class Unmeasurable(Exception):
    pass


class Bench:
    def __init__(self, build, work, quick):
        self.build = tools.Build(build)
        self.work = work
        self.quick = quick
        self.rounds = 5 if quick else 11
        self.few = 3 if quick else 5  # where a round takes seconds
        self.keys = 250_000 if quick else 1_000_000

    def corpus(self, name):
        """The folder of a corpus, made when it is not there yet."""
        folder = os.path.join(self.work, "corpus-" + name)
        if not os.path.isdir(folder):
            objects, raw_bytes = CORPORA[name]
            corpus.write(folder + ".part", objects, raw_bytes, SEED)
            os.rename(folder + ".part", folder)
        return folder

    def large(self):
        return objects_of(self.corpus("large"))

    def some(self):
        """About 20 MB of raw records."""
        return self.large()[:6]

    def parse(self, objects):
        return lambda: run([self.build.gateway, "parse", *objects])

    def post_files(self, sink, gzip, objects=None):
        """The gateway from local files to the sink, one worker. objects: how many of the corpus, by their dates."""
        job = self.keep(Job(self.build, files(self.corpus("large")), influxdb(sink.url, gzip)))
        until = "2026-04-01" if objects is None else "2026-03-01T00:00:%02dZ" % objects
        return lambda: job.pull(until=until)

    def keep(self, job):
        self.jobs.append(job)
        return job

    def measure(self, row):
        self.jobs = []
        try:
            return row.run(self)
        finally:
            for job in self.jobs:
                job.__exit__()


def speed(gateway, other):
    """How many times as fast; and the times of both."""
    times = gateway.wall_s, other.wall_s, other.cpu_s / gateway.cpu_s
    return other.wall_s / gateway.wall_s, "%.3f s, %.3f s; by CPU %.2f" % times


def core_speed(gateway, other):
    """The same where each is one thread that never waits, by CPU time: what else the machine does matters less."""
    return other.cpu_s / gateway.cpu_s, "%.3f s, %.3f s of CPU" % (gateway.cpu_s, other.cpu_s)


# --- rows -----------------------------------------------------------------------------------------------------------


def against_inflate(bench):
    if not os.path.exists(bench.build.tool("inflate")):
        raise Unmeasurable("built without ISA-L")
    objects = bench.large()
    found = medians(2 * bench.rounds, {"gateway": bench.parse(objects), "other": lambda: run([bench.build.tool("inflate"), *objects])})
    return core_speed(found["gateway"], found["other"])


def count_lines(command):
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: process.stdout.read(1 << 20), b""))


def against_plain(bench):
    objects = bench.large()
    lines = [count_lines([bench.build.gateway, "parse", *objects]), count_lines([bench.build.tool("plain"), *objects])]
    if lines[0] != lines[1] or not lines[0]:
        raise RuntimeError("the gateway gives %d lines, the plain twin %d" % tuple(lines))
    found = medians(bench.few, {"gateway": bench.parse(objects), "other": lambda: run([bench.build.tool("plain"), *objects])}, [])  # both have just run
    return core_speed(found["gateway"], found["other"])


def against_zcat(bench):
    objects = bench.large()
    found = medians(bench.rounds, {"gateway": bench.parse(objects), "other": lambda: run(["zcat", *objects])})
    return core_speed(found["gateway"], found["other"])


def posting_against_plain(bench):
    with Server(bench.build) as sink:
        url = sink.url + "/api/v2/write"
        plain = [bench.build.tool("plain"), "--post", url, *bench.large()]
        found = medians(bench.few, {"gateway": bench.post_files(sink, "on"), "other": lambda: run(plain)}, ["gateway"])
    return speed(found["gateway"], found["other"])


def posting_against_python(bench):
    some = bench.some()
    with Server(bench.build) as sink:
        python = [sys.executable, os.path.join(HERE, "gateway.py"), "127.0.0.1", str(sink.port), *some]
        works = {"gateway": bench.post_files(sink, "on", len(some)), "other": lambda: run(python)}
        return speed(*medians(3, works).values())


def posting_against_points(bench):
    library = os.path.join(bench.work, "python")
    if not os.path.isdir(os.path.join(library, "influxdb_client")):
        raise Unmeasurable("no influxdb-client (scripts/bench gets it with pip)")
    some = bench.some()
    with Server(bench.build) as sink:
        python = [sys.executable, os.path.join(HERE, "points.py"), sink.url, *some]
        works = {"gateway": bench.post_files(sink, "off", len(some)), "other": lambda: run(python, {"PYTHONPATH": library})}
        return speed(*medians(1 if bench.quick else 3, works, ["gateway"]).values())  # the other takes long and is far off


def two_workers(bench):
    """{1: Run, 2: Run} with 20 ms for each request to S3."""
    if not hasattr(bench, "workers_found"):
        with Server(bench.build, "--latency-ms", "20", "--folder", bench.corpus("medium")) as server:
            jobs = {n: bench.keep(Job(bench.build, s3(server), influxdb(server.url), n)) for n in (1, 2)}
            bench.workers_found = medians(bench.few, {n: job.pull for n, job in jobs.items()}, [2])
    return bench.workers_found


def two_workers_speed(bench):
    found = two_workers(bench)
    return speed(found[2], found[1])


def two_workers_cpu(bench):
    found = two_workers(bench)
    return found[2].cpu_s / found[1].cpu_s, "%.3f s, %.3f s of CPU" % (found[2].cpu_s, found[1].cpu_s)


def against_curl(bench):
    folder = bench.corpus("small")
    with Server(bench.build, "--folder", folder) as server:
        listed = os.path.join(bench.work, "curl.txt")
        with open(listed, "w", encoding="utf-8") as file:
            for path in objects_of(folder):
                file.write('url = "%s/logs/%s"\noutput = "/dev/null"\n' % (server.url, os.path.relpath(path, folder)))
        job = bench.keep(Job(bench.build, s3(server), influxdb(server.url)))
        curl = ["curl", "-s", "-S", "-K", listed]
        found = medians(bench.few, {"gateway": job.pull, "other": lambda: run(curl)})
    return speed(found["gateway"], found["other"])


def four_workers(bench):
    with Server(bench.build, "--latency-ms", "5", "--folder", bench.corpus("small-1000")) as server:
        jobs = {n: bench.keep(Job(bench.build, s3(server), influxdb(server.url), n)) for n in (4, 1)}
        found = medians(1 if bench.quick else 3, {n: job.pull for n, job in jobs.items()}, [4])
    return speed(found[4], found[1])


def listed_page(bench, server):
    """The first page of the server's one folder, in a file."""
    path = os.path.join(bench.work, "page.xml")
    urllib.request.urlretrieve(server.url + "/logs?list-type=2&prefix=March-2026/", path)
    return path


def ledger(bench):
    """CPU per key of a listing in which every key is settled, that of libxml2 alone over as many pages, and bytes of
    the ledger per key."""
    if not hasattr(bench, "ledger_found"):
        with Server(bench.build, "--keys", str(bench.keys)) as server:
            job = bench.keep(Job(bench.build, s3(server), influxdb(server.url)))
            run(job.command(**NOTHING))
            with sqlite3.connect(job.state) as state:
                state.execute("UPDATE object SET state = 1")
            state.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            state.close()
            xml = [bench.build.tool("list_xml"), *[listed_page(bench, server)] * (bench.keys // 1000)]
            found = medians(3, {"pull": lambda: run(job.command(**NOTHING)), "xml": lambda: run(xml)})
            cpu_us = {name: one.cpu_s / bench.keys * 1e6 for name, one in found.items()}
            bench.ledger_found = cpu_us["pull"], cpu_us["xml"], os.path.getsize(job.state) / bench.keys
    return bench.ledger_found


def ledger_cpu(bench):
    cpu_us, xml_us, _ = ledger(bench)
    return cpu_us, "%d keys; libxml2 alone %.2f us" % (bench.keys, xml_us)


def ledger_bytes(bench):
    return ledger(bench)[2], "keys of 60 bytes"


def post_batches(connection, batches, path, headers):
    start = time.perf_counter()
    for body in batches:
        connection.request("POST", path, body, headers)
        reply = connection.getresponse()
        reply.read()
        if reply.status != 204:
            raise RuntimeError("influxd: %d" % reply.status)
    return time.perf_counter() - start


def batches_of(command):
    """The lines as the gateway sends them: 5,000 or 4 MiB."""
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.splitlines(True)
    batches, batch, size = [], [], 0
    for line in lines:
        if len(batch) == 5000 or size + len(line) > 4 << 20:
            batches.append(b"".join(batch))
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    return batches + [b"".join(batch)]


def over_influxd(bench):
    """A real influxd: the same bytes posted by a trivial client, one connection each, buckets new each time. What
    counts is the median of the pairs' ratios: influxd's own speed drifts, and what a run leaves behind burdens the next
    one, so that the two also take turns in who is first."""
    import http.client

    from servers import real

    if not real.PRESENT:
        raise Unmeasurable("no influxd (scripts/servers builds it)")
    count = 12 if bench.quick else 64
    in_order = sorted(bench.large(), key=os.path.getmtime)[:count]  # as the gateway takes them
    batches = batches_of([bench.build.gateway, "parse", *in_order])
    headers = {"Authorization": "Token " + real.ADMIN_TOKEN}
    influx = real.Influx()
    until = "2026-03-01T00:00:%02dZ" % count if count < 60 else "2026-04-01"
    try:
        connection = http.client.HTTPConnection("127.0.0.1", influx.port)

        def trivial(bucket):
            influx.make_bucket(bucket)
            path = "/api/v2/write?precision=ns&org=%s&bucket=%s" % (real.ORG, bucket)
            return post_batches(connection, batches, path, headers)

        def gateway(bucket):
            influx.make_bucket(bucket)
            sink = influxdb(influx.url, "off", real.ADMIN_TOKEN, real.ORG, bucket)
            with Job(bench.build, files(bench.corpus("large")), sink) as job:
                run(job.command(**NOTHING))
                return job.pull(until=until).wall_s

        def pair(number):
            """(seconds of the gateway, of the other)"""
            if number % 2:
                return gateway("g%d" % number), trivial("t%d" % number)
            return tuple(reversed((trivial("t%d" % number), gateway("g%d" % number))))

        pair(0)
        pairs = [pair(1 + i) for i in range(4 if bench.quick else 8)]
    finally:
        influx.stop()
    gateways, trivials = (statistics.median(times) for times in zip(*pairs))
    return statistics.median(ours / other for ours, other in pairs), "%.2f s, %.2f s" % (gateways, trivials)


PARSE = "`parse`, gz to line protocol, one worker"
POST = "gz to gzip over HTTP, one worker"
ROWS = [
    Row(PARSE, "ISA-L inflate alone (the limit), share of its speed", 0.40, 0.50, against_inflate, True),
    Row("the same", "plain twin: zlib, cJSON tree, byte loop", 3, 3.6, against_plain, True),
    Row("the same", "`zcat`", 2.3, 3, against_zcat, True),
    Row(POST, "plain twin with zlib -1", 3.5, 4, posting_against_plain, True),
    Row("the same, 20 MB", "straight Python gateway, gzip -1", 8, 10, posting_against_python, True),
    Row("the same without gzip, 20 MB", "Python with influxdb-client Points, 500 a batch", 50, 100, posting_against_points, True),
    Row("2 workers, S3 with 20 ms a request, objects of 100 KB", "1 worker", 1.8, 1.95, two_workers_speed, True),
    Row("CPU per MB, 2 workers", "1 worker", 1.1, 1.0, two_workers_cpu),
    Row("5,000 objects of 2 KB, one worker", "curl, the same list over one connection", 0.9, 1.0, against_curl, True),
    Row("4 workers, S3 with 5 ms a request, objects of 2 KB", "1 worker", 2, 3.5, four_workers, True),
    Row("CPU of listing a settled key, us", "", 1.5, 1.5, ledger_cpu),
    Row("ledger, bytes a key", "", 150, 150, ledger_bytes),
    Row("a real influxd, one connection: time", "the same bytes posted by a trivial client", 1.05, 1.0, over_influxd),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("work")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: under two minutes")
    parser.add_argument("--only", help="rows with this text")
    args = parser.parse_args()
    bench = Bench(args.build, args.work, args.quick)
    print("| work | compared with | found | at least | aim | | medians |\n|---|---|---|---|---|---|---|", flush=True)
    for row in ROWS:
        if args.only and args.only.lower() not in (row.work + row.other).lower():
            continue
        goals = ("%s" if row.more else "at most %s") % row.least, ("%s" if row.more else "at most %s") % row.aim
        try:
            found, text = bench.measure(row)
        except Unmeasurable as reason:
            print("| %s | %s | not measured | %s | %s | | %s |" % (row.work, row.other, *goals, reason), flush=True)
            continue
        reached = found >= row.least if row.more else found <= row.least
        print("| %s | %s | %.2f | %s | %s | %s | %s |" % (row.work, row.other, found, *goals, "yes" if reached else "**no**", text), flush=True)


if __name__ == "__main__":
    main()
