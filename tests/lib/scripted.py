"""A scripted server on 127.0.0.1 that plays S3 (from a dict of objects) and InfluxDB 2 (into a dict of points).

It keeps every request, and a test can change any reply: fault() takes the kind of request and a function that
edits the Reply about to be sent (another status, a cut, a stall, a lie about the length). What it stores it
reads with a line protocol parser of its own, so that results can be compared exactly. It checks no signatures;
tests/servers does that against real servers.
"""

import email.utils
import gzip
import hashlib
import http.server
import json
import re
import socket
import struct
import threading
import time
import urllib.parse
from xml.sax.saxutils import escape

TOKEN, ORG, BUCKET = "token-of-the-tests", "org", "audit"
DAY_NS = 86400 * 10**9
LOGS = "logs"


class Stored:
    """An object in the S3 half."""

    def __init__(self, data, last_modified_s, etag=None):
        self.data = data
        self.last_modified_s = last_modified_s
        self.etag = etag or '"%s"' % hashlib.md5(data).hexdigest()


class Reply:
    """What is sent back; faults edit it. Offsets count bytes of the body."""

    def __init__(self, status=200, body=b"", headers=None):
        self.status = status
        self.body = body
        self.headers = dict(headers or {})
        self.length = None  # Content-Length to claim, instead of the true one
        self.delay_s = 0  # before the first byte
        self.cut_at = None  # reset the connection here; 0 = no reply at all
        self.stall_at = None  # say nothing more from here on for stall_s
        self.stall_s = 0
        self.pause_s = 0  # after every 64 KiB


class Request:
    """One request as it came, and how sending its reply ended."""

    def __init__(self, kind, method, path, query, headers, body):
        self.kind = kind  # list, folders, get, write, orgs, buckets, create, query, other
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.at_s = time.monotonic()
        self.key = None
        self.status = None
        self.sent = 0  # bytes of the body
        self.broken = False  # the other side went away while the reply was sent
        self.done_s = None


class Fault:
    def __init__(self, kind, change, times, when):
        self.kind = kind
        self.change = change
        self.left = times
        self.when = when


# --- line protocol ------------------------------------------------------------------------------------------------


class BadLine(Exception):
    pass


def split_unescaped(text, separator, quotes=False):
    """Splits at separators that no backslash escapes and, with quotes, that are not inside of double quotes."""
    quoted = r'|"(?:[^"\\]|\\.)*"' if quotes else ""
    plain = r"[^\\%s%s]" % (re.escape(separator), '"' if quotes else "")
    whole = re.compile(r"(?:%s|\\.%s|\\\Z)*" % (plain + "+", quoted), re.DOTALL)
    parts, at = [], 0
    while True:
        end = whole.match(text, at).end()
        parts.append(text[at:end])
        if end == len(text):
            return parts
        if text[end] != separator:
            raise BadLine("an open quote: " + text[end : end + 80])
        at = end + 1


def unescape_name(text):
    return re.sub(r"\\([, =])", r"\1", text)


def parse_field(text):
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r'\\(["\\])', r"\1", text[1:-1])
    if re.fullmatch(r"-?\d+i", text):
        return int(text[:-1])
    raise BadLine("field value: " + text[:80])


def parse_line(line):
    """((measurement, ((tag, value), ...), ns), {field: value})"""
    parts = split_unescaped(line, " ", quotes=True)
    if len(parts) != 3 or not re.fullmatch(r"-?\d+", parts[2]):
        raise BadLine("unable to parse '%s'" % line[:200])
    measurement, *pairs = split_unescaped(parts[0], ",")
    tags = []
    for pair in pairs:
        name, *value = split_unescaped(pair, "=")
        if len(value) != 1 or not value[0] or not name:
            raise BadLine("tag: " + pair[:80])
        if value[0].endswith("\\"):
            raise BadLine("tag that ends in a backslash: " + pair[:80])
        tags.append((unescape_name(name), unescape_name(value[0])))
    if tags != sorted(tags) or len(dict(tags)) != len(tags):
        raise BadLine("tags are not sorted by key: " + parts[0][:200])
    fields = {}
    for pair in split_unescaped(parts[1], ",", quotes=True):
        name, *value = split_unescaped(pair, "=", quotes=True)
        if not value:
            raise BadLine("field: " + pair[:80])
        fields[unescape_name(name)] = parse_field("=".join(value))
    return (re.sub(r"\\([, ])", r"\1", measurement), tuple(tags), int(parts[2])), fields


def split_lines(text):
    """Lines end at a newline outside of quotes; fields may hold newlines."""
    return [line for line in split_unescaped(text, "\n", quotes=True) if line]


# --- the server ---------------------------------------------------------------------------------------------------


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_one(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        path, _, query = self.path.partition("?")
        scripted = self.server.scripted
        request = Request(None, self.command, path, dict(urllib.parse.parse_qsl(query, True)), self.headers, body)
        reply = scripted.answer(request)
        self.send(request, reply)
        request.done_s = time.monotonic()

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = handle_one

    def log_message(self, *_):
        pass

    def reset(self, request):
        """Ends the connection the hard way."""
        request.status = 0
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def send(self, request, reply):
        self.server.scripted.sleep(reply.delay_s)
        if reply.cut_at == 0:
            self.reset(request)
            return
        request.status = reply.status
        try:
            self.send_head(reply)
            if self.command != "HEAD":
                self.send_body(request, reply)
            self.wfile.flush()
        except OSError:
            request.broken = True
            self.close_connection = True

    def send_head(self, reply):
        self.send_response_only(reply.status)
        self.send_header("Date", email.utils.formatdate(usegmt=True))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            length = len(reply.body) if reply.length is None else reply.length
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def send_body(self, request, reply):
        body = memoryview(reply.body)
        ends = sorted(at for at in (reply.cut_at, reply.stall_at, len(body)) if at is not None and at <= len(body))
        for end in ends:
            while request.sent < end:
                piece = body[request.sent : min(end, request.sent + 65536)]
                self.wfile.write(piece)
                request.sent += len(piece)
                self.server.scripted.sleep(reply.pause_s)
            if end == reply.cut_at:
                self.wfile.flush()
                time.sleep(0.2)  # so that what was sent is read before the reset throws it away
                self.reset(request)
                return
            if end == reply.stall_at:
                self.wait_for_hang_up(request, reply.stall_s)
                self.close_connection = True
                return
        if reply.length is not None and reply.length != len(body):
            self.close_connection = True

    def wait_for_hang_up(self, request, seconds):
        self.connection.settimeout(seconds)
        try:
            request.broken = self.connection.recv(1) == b""
        except OSError:
            pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is part of the script


class Scripted:
    def __init__(self, objects=None):
        self.objects = dict(objects or {})  # key -> Stored
        self.s3_buckets = {LOGS}
        self.page_size = 1000
        self.url_encoding = "asked"  # asked, always, never: when listings are percent-encoded
        self.buckets = {BUCKET: 0}  # name -> retention in seconds
        self.may_create = True
        self.may_read = True
        self.points = {}
        self.requests = []
        self.faults = []
        self.judge = None  # a function of (key, fields): "dead", "expired" or None
        self.partial = partial_write  # a function of (keys, kind): the Reply for a partial write
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        self.http = Server(("127.0.0.1", 0), Handler)
        self.http.scripted = self
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.http.server_address[1]

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        self.stopping.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def sleep(self, seconds):
        if seconds:
            self.stopping.wait(seconds)

    def fault(self, kind, change, times=1, when=None):
        """The next `times` requests of this kind (for which when() holds) get their Reply edited by change(request, reply)."""
        with self.lock:
            self.faults.append(Fault(kind, change, times, when))

    def of(self, kind):
        """The requests of one kind, in the order they came."""
        with self.lock:
            return [request for request in self.requests if request.kind == kind]

    def audit_points(self):
        """What was stored, but for the gateway's figures about itself."""
        with self.lock:
            return {key: fields for key, fields in self.points.items() if key[0] != "gateway-01"}

    # --- answering ---

    def answer(self, request):
        with self.lock:
            request.kind, respond = self.route(request)
            self.requests.append(request)
            fault = self.next_fault(request)
            if fault and getattr(fault.change, "instead", False):
                return fault.change(request, Reply())
            reply = respond(request)
            if fault:
                reply = fault.change(request, reply) or reply
            return reply

    def next_fault(self, request):
        for fault in self.faults:
            if fault.kind == request.kind and fault.left > 0 and (fault.when is None or fault.when(request)):
                fault.left -= 1
                return fault
        return None

    def route(self, request):
        influx = {
            ("POST", "/api/v2/write"): ("write", self.influx_write),
            ("GET", "/api/v2/orgs"): ("orgs", self.influx_orgs),
            ("GET", "/api/v2/buckets"): ("buckets", self.influx_buckets),
            ("POST", "/api/v2/buckets"): ("create", self.influx_create),
            ("POST", "/api/v2/query"): ("query", self.influx_query),
        }
        found = influx.get((request.method, request.path))
        if found:
            return found
        bucket, _, key = request.path.lstrip("/").partition("/")
        if request.method == "GET" and not key and "list-type" in request.query:
            return ("folders" if "delimiter" in request.query else "list"), self.s3_list
        if request.method == "GET" and key:
            request.key = urllib.parse.unquote(key)
            return "get", self.s3_get
        return "other", lambda _: Reply(404)

    # --- S3 ---

    def s3_error(self, status, code, message):
        text = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>%s</Code><Message>%s</Message></Error>' % (code, message)
        return Reply(status, text.encode(), {"Content-Type": "application/xml"})

    def s3_refusal(self, request):
        if not request.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 Credential="):
            return self.s3_error(403, "AccessDenied", "Access Denied.")
        if urllib.parse.unquote(request.path.lstrip("/").partition("/")[0]) not in self.s3_buckets:
            return self.s3_error(404, "NoSuchBucket", "The specified bucket does not exist")
        return None

    def s3_list(self, request):
        refusal = self.s3_refusal(request)
        if refusal:
            return refusal
        prefix, delimiter = request.query.get("prefix", ""), request.query.get("delimiter")
        after = request.query.get("continuation-token", "").removeprefix("after:") or request.query.get("start-after", "")
        entries = {}
        for key in self.objects:
            if key.startswith(prefix):
                rest = key[len(prefix) :]
                folder = delimiter and delimiter in rest
                entries[prefix + rest.split(delimiter)[0] + delimiter if folder else key] = bool(folder)
        names = sorted((name for name in entries if name.encode() > after.encode()), key=str.encode)
        limit = min(self.page_size, int(request.query.get("max-keys", "1000")))
        return self.s3_page(request, [(name, entries[name]) for name in names[:limit]], len(names) > limit)

    def s3_page(self, request, rows, truncated):
        asked = request.query.get("encoding-type") == "url"
        encode = self.url_encoding == "always" or (self.url_encoding == "asked" and asked)

        def text(name):
            return escape(urllib.parse.quote(name, safe="/") if encode else name)

        parts = ['<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">']
        parts.append("<Name>%s</Name><Prefix>%s</Prefix>" % (LOGS, text(request.query.get("prefix", ""))))
        parts.append("<KeyCount>%d</KeyCount><MaxKeys>1000</MaxKeys>" % len(rows))
        if encode:
            parts.append("<EncodingType>url</EncodingType>")
        parts.append("<IsTruncated>%s</IsTruncated>" % ("true" if truncated else "false"))
        if truncated:
            parts.append("<NextContinuationToken>%s</NextContinuationToken>" % escape("after:" + rows[-1][0]))
        for name, folder in rows:
            if folder:
                parts.append("<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>" % text(name))
                continue
            one = self.objects[name]
            when = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(one.last_modified_s))
            row = "<Contents><Key>%s</Key><LastModified>%s</LastModified><ETag>%s</ETag><Size>%d</Size><StorageClass>STANDARD</StorageClass></Contents>"
            parts.append(row % (text(name), when, escape(one.etag, {'"': "&quot;"}), len(one.data)))
        parts.append("</ListBucketResult>")
        return Reply(200, "".join(parts).encode(), {"Content-Type": "application/xml"})

    def s3_get(self, request):
        refusal = self.s3_refusal(request)
        if refusal:
            return refusal
        one = self.objects.get(request.key)
        if not one:
            return self.s3_error(404, "NoSuchKey", "The specified key does not exist.")
        if request.headers.get("If-Match", one.etag) != one.etag:
            return self.s3_error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        headers = {
            "ETag": one.etag,
            "Last-Modified": email.utils.formatdate(one.last_modified_s, usegmt=True),
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
        }
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
        if not wanted:
            return Reply(200, one.data, headers)
        start = int(wanted.group(1))
        end = int(wanted.group(2)) if wanted.group(2) else len(one.data) - 1
        if start >= len(one.data):
            return self.s3_error(416, "InvalidRange", "The requested range is not satisfiable")
        headers["Content-Range"] = "bytes %d-%d/%d" % (start, min(end, len(one.data) - 1), len(one.data))
        return Reply(206, one.data[start : end + 1], headers)

    # --- InfluxDB ---

    def influx_error(self, status, code, message):
        return Reply(status, json.dumps({"code": code, "message": message}).encode(), {"Content-Type": "application/json"})

    def influx_refusal(self, request):
        if request.headers.get("Authorization") != "Token " + TOKEN:
            return self.influx_error(401, "unauthorized", "unauthorized access")
        if request.query.get("org", ORG) != ORG:
            return self.influx_error(404, "not found", 'organization name "%s" not found' % request.query["org"])
        return None

    def influx_write(self, request):
        refusal = self.influx_refusal(request)
        if refusal:
            return refusal
        bucket = request.query.get("bucket", "")
        if bucket not in self.buckets:
            return self.influx_error(404, "not found", 'bucket "%s" not found' % bucket)
        if request.query.get("precision", "ns") != "ns":
            return self.influx_error(400, "invalid", "the test server knows ns only")
        body = gzip.decompress(request.body) if request.headers.get("Content-Encoding") == "gzip" else request.body
        try:
            lines = [parse_line(line) for line in split_lines(body.decode("utf-8"))]
        except (BadLine, UnicodeDecodeError) as error:
            return self.influx_error(400, "invalid", "unable to parse: %s" % error)
        return self.influx_store(lines)

    def influx_store(self, lines):
        refused = {}
        for key, fields in lines:
            verdict = self.judge(key, fields) if self.judge and key[0] != "gateway-01" else None
            if verdict:
                refused.setdefault(verdict, []).append(key)
                continue
            self.points.setdefault(key, {}).update(fields)
        for kind, keys in refused.items():
            return self.partial(keys, kind)
        return Reply(204)

    def influx_orgs(self, request):
        refusal = self.influx_refusal(request)
        return refusal or Reply(200, json.dumps({"orgs": [{"id": "0123456789abcdef", "name": ORG}]}).encode())

    def influx_buckets(self, request):
        refusal = self.influx_refusal(request)
        if refusal:
            return refusal
        names = [name for name in self.buckets if self.may_read and request.query.get("name", name) == name]
        rows = [{"id": "b%015x" % number, "name": name, "orgID": "0123456789abcdef", "retentionRules": retention_rules(self.buckets[name])} for number, name in enumerate(names)]
        return Reply(200, json.dumps({"buckets": rows}).encode())

    def influx_create(self, request):
        refusal = self.influx_refusal(request)
        if refusal:
            return refusal
        if not self.may_create:
            return self.influx_error(403, "forbidden", "insufficient permissions for write")
        wish = json.loads(request.body)
        if wish.get("orgID") != "0123456789abcdef":
            return self.influx_error(404, "not found", "organization not found")
        rules = wish.get("retentionRules") or [{"everySeconds": 0}]
        self.buckets[wish["name"]] = rules[0]["everySeconds"]
        return Reply(201, json.dumps({"id": "b", "name": wish["name"]}).encode())


    def influx_query(self, request):
        """Only the question of `verify`: the points of a measurement that have a field, by day."""
        refusal = self.influx_refusal(request)
        if refusal:
            return refusal
        flux = json.loads(request.body)["query"]
        bucket, measurement = flux_string(flux, r"from\(bucket: "), flux_string(flux, "r._measurement == ")
        field = flux_string(flux, "r._field == ")
        if bucket not in self.buckets or not self.may_read:
            return self.influx_error(404, "not found", 'failed to initialize execute state: could not find bucket "%s"' % bucket)
        days = {}
        for (name, _, time_ns), fields in self.points.items():
            if name == measurement and (field is None or field in fields):
                days[time_ns // DAY_NS] = days.get(time_ns // DAY_NS, 0) + 1
        start, stop = re.search(r"range\(start: (\S+)T\S+, stop: (\S+)T\S+\)", flux).groups()
        rows = [(time.strftime("%Y-%m-%d", time.gmtime(day * 86400)), count) for day, count in sorted(days.items())]
        lines = [",result,table,_time,_value"] + [",_result,0,%sT00:00:00Z,%d" % row for row in rows if start <= row[0] < stop]
        return Reply(200, "".join(line + "\r\n" for line in lines + [""]).encode(), {"Content-Type": "text/csv; charset=utf-8"})


def flux_string(flux, before):
    """The string after these words, or None."""
    found = re.search(before + r'"((?:[^"\\]|\\x[0-9a-f]{2})*)"', flux)
    return found and re.sub(r"\\x(..)", lambda code: chr(int(code.group(1), 16)), found.group(1))


def retention_rules(seconds):
    return [{"type": "expire", "everySeconds": seconds}] if seconds else []


def partial_write(keys, kind, bound_ns=None):
    """InfluxDB 2.7's words for a write of which some points were dropped; without a bound, those of 2.0."""
    if kind == "dead":
        reason = 'field type conflict: input field "x" on measurement "y" is type string, already exists as type integer dropped=1'
    elif bound_ns is None:
        reason = "points beyond retention policy dropped=%d" % len(keys)
    else:
        bound = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(bound_ns // 10**9)) + ".%09dZ" % (bound_ns % 10**9)
        dropped = "point %s at 2026-01-01T00:00:00Z dropped because it violates a Retention Policy Lower Bound at " + bound
        reason = "dropped %d points outside retention policy of duration 1h0m0s - oldest %s, newest %s dropped=%d for database: b for retention policy: autogen"
        reason %= (len(keys), dropped % keys[0][0], dropped % keys[-1][0], len(keys))
    message = "failure writing points to database: partial write: " + reason
    return Reply(422, json.dumps({"code": "unprocessable entity", "message": message}).encode())


# --- ready-made faults --------------------------------------------------------------------------------------------


def status(code, body=b"", **headers):
    """Answers with this status and does nothing else (nothing is stored)."""

    def change(_request, _reply):
        return Reply(code, body, {name.replace("_", "-"): value for name, value in headers.items()})

    change.instead = True
    return change


def edit(**changes):
    """Sets attributes of the true reply: edit(cut_at=1000), edit(delay_s=35)."""

    def change(_request, reply):
        for name, value in changes.items():
            setattr(reply, name, value)

    return change


def reset(_request, _reply):
    """Closes the connection without a word; nothing is stored."""
    reply = Reply()
    reply.cut_at = 0
    return reply


reset.instead = True
