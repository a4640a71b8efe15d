"""Starts the real servers (influxd, versitygw) on free ports in temporary folders, and talks to them.

Used by the tests beside it. Nothing here knows the program. The servers end with the tests, also when those are
killed. scripts/servers builds them.
"""

import csv
import datetime
import hashlib
import hmac
import http.client
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib.harness import die_with_parent, stop_process  # noqa: E402

FOLDER = os.environ.get("LOGGATEWAY_SERVERS", os.path.expanduser("~/.cache/loggateway/servers"))
INFLUXD = os.path.join(FOLDER, "influxd")
VERSITYGW = os.path.join(FOLDER, "versitygw")
PRESENT = os.access(INFLUXD, os.X_OK) and os.access(VERSITYGW, os.X_OK)
REGION, KEY_ID, SECRET = "us-east-1", "servertestkey", "server-test-secret"
ORG, ADMIN_TOKEN = "STX-Lyve-Demo", "admin-token-of-the-server-tests"

csv.field_size_limit(1 << 30)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def request(port, method, path, body=b"", headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


class Daemon:
    """A server process with a folder of its own."""

    def __init__(self, name):
        self.name = name
        self.folder = tempfile.mkdtemp(prefix="loggateway-%s-" % name)
        self.port = free_port()
        self.process = None

    def start(self, command, environment, ready):
        self.how = command, environment, ready
        self.log = open(os.path.join(self.folder, "log"), "ab")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd=self.folder, env={"PATH": os.environ["PATH"], "HOME": self.folder, **environment}, preexec_fn=die_with_parent)
        end = time.monotonic() + 60
        while not self.answers(ready):
            if self.process.poll() is not None or time.monotonic() > end:
                with open(self.log.name, errors="replace") as log:
                    raise RuntimeError("%s does not start: %s" % (self.name, log.read()[-2000:]))
            time.sleep(0.05)

    def pause(self):
        """Ends the server in good order; its data stay."""
        self.process.terminate()
        self.process.wait()
        self.log.close()
        self.process = None

    def resume(self):
        """The same server on the same port, with what it had."""
        self.start(*self.how)

    def answers(self, path):
        try:
            return request(self.port, "GET", path)[0] < 500
        except OSError:
            return False

    def stop(self):
        if self.process:
            stop_process(self.process)
            self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port


# --- S3 -----------------------------------------------------------------------------------------------------------


def sign(method, host, path, body, now, query=""):
    """Headers of AWS Signature Version 4. query: sorted and encoded."""
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    digest = hashlib.sha256(body).hexdigest()
    names = "host;x-amz-content-sha256;x-amz-date"
    canonical = "\n".join([method, path, query, "host:" + host, "x-amz-content-sha256:" + digest, "x-amz-date:" + stamp, "", names, digest])
    scope = "%s/%s/s3/aws4_request" % (day, REGION)
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + SECRET).encode()
    for part in (day, REGION, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    authorization = "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (KEY_ID, scope, names, signature)
    return {"x-amz-date": stamp, "x-amz-content-sha256": digest, "Authorization": authorization}


class S3(Daemon):
    def __init__(self):
        super().__init__("versitygw")
        self.data = os.path.join(self.folder, "data")
        meta = os.path.join(self.folder, "meta")
        os.mkdir(self.data)
        os.mkdir(meta)
        command = [VERSITYGW, "--port", "127.0.0.1:%d" % self.port, "--region", REGION, "posix", "--sidecar", meta, self.data]
        self.start(command, {"ROOT_ACCESS_KEY": KEY_ID, "ROOT_SECRET_KEY": SECRET}, "/")

    def put(self, path, body=b""):
        encoded = urllib.parse.quote(path, safe="/-_.~")
        headers = sign("PUT", "127.0.0.1:%d" % self.port, encoded, body, datetime.datetime.now(datetime.timezone.utc))
        status, answer = request(self.port, "PUT", encoded, body, headers)
        if status != 200:
            raise RuntimeError("PUT %s: %d %s" % (path, status, answer[:500]))

    def make_bucket(self, name):
        self.put("/" + name)

    def put_object(self, bucket, one):
        """Stores it and sets its LastModified, which this server takes from the file."""
        self.put("/%s/%s" % (bucket, one.key), one.data)
        os.utime(os.path.join(self.data, bucket, one.key), (one.delivered_s, one.delivered_s))


# --- InfluxDB -----------------------------------------------------------------------------------------------------

READERS = {"long": int, "double": float, "dateTime:RFC3339": str, "dateTime:RFC3339Nano": str}


def read_csv(text):
    """The rows of an annotated CSV as dicts of typed values."""
    rows, kinds, names = [], None, None
    for cells in csv.reader(io.StringIO(text, newline="")):
        if not cells:
            kinds = names = None
        elif cells[0] == "#datatype":
            kinds, names = cells, None
        elif names is None:
            names = cells
        else:
            row = {}
            for name, kind, cell in zip(names[1:], kinds[1:], cells[1:]):
                row[name] = READERS.get(kind, str)(cell) if cell != "" or kind == "string" else None
            rows.append(row)
    return rows


def nanoseconds(text):
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = int(datetime.datetime.fromisoformat(whole + "+00:00").timestamp())
    return seconds * 10**9 + int((fraction + "0" * 9)[:9])


class Influx(Daemon):
    def __init__(self):
        super().__init__("influxd")
        files = [os.path.join(self.folder, name) for name in ("engine", "influxd.bolt", "influxd.sqlite")]
        command = [INFLUXD, "--http-bind-address", "127.0.0.1:%d" % self.port, "--engine-path", files[0], "--bolt-path", files[1], "--sqlite-path", files[2], "--reporting-disabled", "--log-level", "warn"]
        self.start(command, {}, "/health")
        answer = self.call("POST", "/api/v2/setup", {"username": "admin", "password": "adminadmin", "org": ORG, "bucket": "first", "token": ADMIN_TOKEN, "retentionPeriodSeconds": 0})
        self.org_id = answer["org"]["id"]

    def call(self, method, path, body=None):
        status, answer = request(self.port, method, path, json.dumps(body).encode() if body is not None else b"", {"Authorization": "Token " + ADMIN_TOKEN, "Content-Type": "application/json"})
        if status >= 300:
            raise RuntimeError("%s %s: %d %s" % (method, path, status, answer[:500]))
        return json.loads(answer) if answer else None

    def make_bucket(self, name, retention_s=0):
        rules = [{"type": "expire", "everySeconds": retention_s}] if retention_s else []
        return self.call("POST", "/api/v2/buckets", {"orgID": self.org_id, "name": name, "retentionRules": rules})["id"]

    def bucket(self, name):
        """The bucket as the server describes it, or None."""
        for one in self.call("GET", "/api/v2/buckets?limit=100")["buckets"]:
            if one["name"] == name:
                return one
        return None

    def make_token(self, bucket_id, actions):
        permissions = [{"action": action, "resource": {"type": "buckets", "orgID": self.org_id, "id": bucket_id}} for action in actions]
        return self.call("POST", "/api/v2/authorizations", {"orgID": self.org_id, "permissions": permissions})["token"]

    def query(self, flux):
        body = {"query": flux, "type": "flux", "dialect": {"header": True, "annotations": ["datatype"]}}
        headers = {"Authorization": "Token " + ADMIN_TOKEN, "Content-Type": "application/json", "Accept": "application/csv"}
        status, answer = request(self.port, "POST", "/api/v2/query?org=" + ORG, json.dumps(body).encode(), headers)
        if status != 200:
            raise RuntimeError("query: %d %s" % (status, answer[:1000]))
        return read_csv(answer.decode())

    def points(self, bucket):
        """All points of a bucket, but for the gateway's figures about itself, as expect.py has them."""
        flux = 'from(bucket: "%s") |> range(start: 1970-01-01T00:00:00Z, stop: 2100-01-01T00:00:00Z) |> filter(fn: (r) => r._measurement != "gateway-01")' % bucket
        builtin = {"result", "table", "_start", "_stop", "_time", "_value", "_field", "_measurement"}
        points = {}
        for row in self.query(flux):
            series = tuple(sorted((name, value) for name, value in row.items() if name not in builtin and value))
            key = (row["_measurement"], series, nanoseconds(row["_time"]))
            points.setdefault(key, {})[row["_field"]] = row["_value"]
        return points

    def texts(self, bucket, measurement, field, tag):
        """{value of the tag: value of the field}, by InfluxQL: its replies are JSON, and CSV ones change line ends."""
        question = 'SELECT "%s", "%s" FROM "%s"' % (field, tag, measurement)
        answer = self.call("GET", "/query?" + urllib.parse.urlencode({"db": bucket, "q": question, "epoch": "ns"}))
        return {row[2]: row[1] for row in answer["results"][0]["series"][0]["values"]}
