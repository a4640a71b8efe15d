#!/usr/bin/env python3
"""Writes sample Lyve Cloud audit objects: the demo's, the benchmark's and the tests' input.

The same seed and arguments give the same bytes. Four kinds of records (S3 API, console, IAM, Account API) in
the layout of the real bucket, `<Month>-<yyyy>/<name>.gz`; every file's mtime is its time of delivery, which is
what the gateway selects by. Profile `full` has every variant that real logs show, `demo` is plain and pleasant
to look at, `bench` is large and even. Importable: objects() yields what main() writes.

It does not know what the gateway makes of the records: that is tests/lib/expect.py.
"""

import argparse
import datetime
import gzip
import hashlib
import json
import os
import random

MONTHS = (
    "January February March April May June July August September October November December"
).split()

# Every secret the generator ever writes, so that a test can look for any of them in any output.
SECRETS = [
    "leak-canary-signature-5f0c2a",
    "leak-canary-session-token-91b7",
    "leak-canary-cookie-77aa",
    "leak-canary-password-c0ffee",
    "leak-canary-new-password-beef",
    "leak-canary-client-secret-1234",
    "leak-canary-bearer-token-0d15",
    "leak-canary-query-signature-e2e4",
    "leak-canary-customer-key-88f1",
]
(
    SIGNATURE,
    SESSION_TOKEN,
    COOKIE,
    PASSWORD,
    NEW_PASSWORD,
    CLIENT_SECRET,
    BEARER_TOKEN,
    QUERY_SIGNATURE,
    CUSTOMER_KEY,
) = SECRETS

UTC = datetime.timezone.utc
S3_CALLS = [
    # name, needs an object, usual status, weight
    ("GetObject", True, 200, 30),
    ("PutObject", True, 200, 20),
    ("HeadObject", True, 200, 18),
    ("ListObjectsV2", False, 200, 10),
    ("DeleteObject", True, 204, 6),
    ("CompleteMultipartUpload", True, 200, 5),
    ("PutObjectPart", True, 200, 6),
    ("GetBucketLocation", False, 200, 3),
    ("ListBuckets", False, 200, 2),
]
STATUS_TEXT = {200: "OK", 204: "No Content", 206: "Partial Content", 403: "Forbidden", 404: "Not Found", 503: "Service Unavailable"}
BUCKETS = ["orders", "media", "backup-eu", "web.assets", "lab-results"]
ACCOUNTS = [
    ("svc-web", "ada@example.com"),
    ("svc-backup", "grace@example.com"),
    ("reports", "alan@example.org"),
    ("", ""),
]
ODD_ACCOUNTS = [
    ("svc web, eu=1", "o'brien@example.com"),
    ("back\\slash\\name", "kurt@example.com"),
    ('say "hi"', "zoë@example.com"),
    ("größe ü 東京 🚚", "søren@example.com"),
]
ODD_KEYS = ["a b/c+d.txt", 'quote"and\\slash', "prix/é€.csv", "percent%20&amp;.bin", "tab\tin\tkey", "line\nbreak"]
API_EVENTS = [
    "list-permissions",
    "create-a-new-permission",
    "delete-a-permission-by-id",
    "list-service-accounts",
    "create-a-new-service-account",
    "get-current-month-storage-usage",
    "Test-a-session-token-for-validity",
]
CONSOLE_EVENTS = ["login", "create-bucket", "delete-bucket", "add-new-notification-recipient", "edit-permission"]
IAM_TYPES = ["s", "f", "sapi", "slo", "seacft", "fp", "scp"]


class Object:
    """One object to be: its key, stored bytes, time of delivery and how many lines hold records."""

    def __init__(self, key, data, delivered_s, records, kind):
        self.key = key
        self.data = data
        self.delivered_s = delivered_s
        self.records = records
        self.kind = kind


def fraction(nanoseconds, digits):
    """The fractional part of a second as Go prints it: trailing zeros, and then the dot, are left out."""
    text = ("%09d" % nanoseconds)[:digits].rstrip("0")
    return "." + text if text else ""


def date_text(seconds, pattern="%Y-%m-%dT%H:%M:%S"):
    return datetime.datetime.fromtimestamp(seconds, UTC).strftime(pattern)


def month_folder(seconds):
    moment = datetime.datetime.fromtimestamp(seconds, UTC)
    return "%s-%04d/" % (MONTHS[moment.month - 1], moment.year)


class Maker:
    """Makes records. Holds the random source and the profile; knows nothing of objects."""

    def __init__(self, rng, full):
        self.rng = rng
        self.full = full

    def maybe(self, share):
        return self.rng.random() < share

    def hex(self, count):
        return "%0*x" % (count, self.rng.getrandbits(4 * count))

    def address(self):
        return "10.%d.%d.%d" % (self.rng.randrange(4), self.rng.randrange(8), 1 + self.rng.randrange(250))

    def address_with_port(self):
        if self.full and self.maybe(0.1):
            inner = "2001:db8::%x" % self.rng.randrange(1, 65535)
            return "[%s]:%d" % (inner, self.rng.randrange(1024, 65536)) if self.maybe(0.5) else inner
        return "%s:%d" % (self.address(), self.rng.randrange(1024, 65536)) if self.maybe(0.6) else self.address()

    def account(self):
        return self.rng.choice(ACCOUNTS + ODD_ACCOUNTS if self.full else ACCOUNTS)

    def shuffled(self, mapping):
        if not self.full:
            return mapping
        items = list(mapping.items())
        self.rng.shuffle(items)
        return dict(items)

    def rfc3339(self, seconds, digits=9):
        return date_text(seconds) + fraction(self.rng.randrange(10**9), self.rng.randrange(digits + 1) if self.full else digits) + "Z"

    # --- S3 API -------------------------------------------------------------------------------------------------

    def s3_status(self, usual):
        if self.maybe(0.06):
            return self.rng.choice([403, 404, 404, 503])
        return usual

    def s3_durations(self, api):
        """timeToResponse and timeToFirstByte in all the ways that versions of the server write them."""
        total = int(self.rng.lognormvariate(16.5, 1.0))
        first = total // self.rng.randrange(2, 9)
        style = self.rng.randrange(10) if self.full else 0
        if style == 9:
            return
        if style != 8:
            api["timeToResponse"] = "%dns" % total
        if style >= 6:
            api["timeToResponseInNS"] = str(total)
        if api["name"].startswith(("Get", "List")):
            if style != 8:
                api["timeToFirstByte"] = "%dns" % first
            if style >= 6:
                api["timeToFirstByteInNS"] = str(first)

    def s3_headers(self):
        headers = {
            "X-Amz-Date": "20260101T000000Z",
            "Authorization": "AWS4-HMAC-SHA256 Credential=AKEXAMPLE/20260101/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;x-amz-date, Signature=%s" % SIGNATURE,
            "User-Agent": "example-client/%d.%d" % (self.rng.randrange(5), self.rng.randrange(20)),
            "X-Forwarded-For": "%s, %s" % (self.address(), self.address()),
            "Content-Length": str(self.rng.randrange(100000)),
        }
        if not (self.full and self.maybe(0.1)):
            headers["X-Real-Ip"] = self.address_with_port()
        if self.full and self.maybe(0.2):
            headers["X-Amz-Security-Token"] = SESSION_TOKEN
        if self.full and self.maybe(0.1):
            headers["cookie"] = "session=" + COOKIE
        if self.full and self.maybe(0.1):
            headers["x-amz-server-side-encryption-customer-key"] = CUSTOMER_KEY
        return self.shuffled(headers)

    def s3(self, seconds):
        name, needs_object, usual, _ = self.rng.choices(S3_CALLS, [row[3] for row in S3_CALLS])[0]
        status = self.s3_status(usual)
        api = {"name": name}
        if name != "ListBuckets":
            api["bucket"] = self.rng.choice(BUCKETS)
        if needs_object:
            key = self.rng.choice(ODD_KEYS) if self.full and self.maybe(0.2) else "data/%s.bin" % self.hex(6)
            api["object"] = key
        if not (self.full and self.maybe(0.01)):
            api["status"] = STATUS_TEXT[status]
            api["statusCode"] = status
        self.s3_durations(api)
        entry = {
            "version": "1",
            "deploymentid": "00000000-1111-4222-8333-444444444444",
            "time": self.rfc3339(seconds),
            "api": self.shuffled(api),
            "requestID": self.hex(16).upper(),
            "userAgent": "example-client",
            "requestHeader": self.s3_headers(),
            "responseHeader": {"Server": "example", "ETag": self.hex(32), "x-amz-version-id": self.hex(8)},
        }
        if self.full and self.maybe(0.2):
            entry["requestQuery"] = {"X-Amz-Signature": QUERY_SIGNATURE, "prefix": "a/ü", "uploadId": self.hex(12)}
        if self.full and self.maybe(0.15):
            entry["requestPath"] = "/%s/x?X-Amz-Expires=60&X-Amz-Signature=%s&part=1" % (api.get("bucket", ""), QUERY_SIGNATURE)
        account, creator = self.account()
        record = {"auditEntry": self.shuffled(entry), "serviceAccountName": account, "serviceAccountCreatorId": creator}
        return self.shuffled(record)

    # --- console ------------------------------------------------------------------------------------------------

    def go_time(self, seconds):
        nanoseconds = self.rng.randrange(10**9)
        digits = self.rng.randrange(7) if self.full else 6
        text = date_text(seconds, "%Y-%m-%d %H:%M:%S") + fraction(nanoseconds, digits) + " +0000 UTC"
        if self.full and self.maybe(0.3):
            text += " m=+%d.%09d" % (self.rng.randrange(9999), nanoseconds)
        return text

    def console(self, seconds):
        answer = {"Action": "edit", "Note": 'a "quoted" ü', "SecretKey": CLIENT_SECRET, "Nested": {"password": PASSWORD}}
        event = {
            "Eventname": self.rng.choice(CONSOLE_EVENTS),
            "Status": "done",
            "StatusCode": self.rng.choice([0, 0, 0, 7, 13]),
            "EventResponse": json.dumps(answer, ensure_ascii=False),
            "EventTime": self.go_time(seconds),
        }
        if self.full and self.maybe(0.1):
            del event["StatusCode"]
        if self.full and self.maybe(0.1):
            event["EventResponse"] = "not JSON, just text"
        record = {
            "ConsoleVersion": "1.0",
            "AccountID": "acc-%s" % self.hex(4),
            "LoginTime": self.rfc3339(seconds - 60),
            "UserIdentity": {
                "EventSource": "https://console.example.com/callback?state=1&access_token=" + BEARER_TOKEN,
                "UserName": self.rng.choice(["ada@example.com", "john smith", "zoë"]),
                "Role": self.rng.choice(["admin", "read only", "storage,admin"] if self.full else ["admin", "viewer"]),
                "IPAddress": self.address_with_port(),
            },
            "ConsoleEvent": self.shuffled(event),
        }
        return self.shuffled(record)

    # --- IAM ----------------------------------------------------------------------------------------------------

    def iam_time(self, seconds):
        milliseconds = self.rng.randrange(1000)
        if self.full and self.maybe(0.3):
            return "%s.%03d000000" % (date_text(seconds, "%Y-%m-%d %H:%M:%S"), milliseconds)
        return "%s.%03dZ" % (date_text(seconds), milliseconds)

    def iam(self, seconds):
        event = {
            "type": self.rng.choice(IAM_TYPES),
            "description": "Success, mostly",
            "client_id": self.hex(16),
            "client_name": self.rng.choice(["portal", "cli tool", "Größe=1"] if self.full else ["portal", "cli"]),
            "ip": self.address(),
            "hostname": "login.example.com",
            "user_agent": "Browser/1.0 (a; b) like c",
            "user_id": "auth0|" + self.hex(12),
            "user_name": self.rng.choice(["ada@example.com", "bob, the builder", ""]),
            "details": {
                "prompts": [{"name": "login", "elapsedTime": 12}, {"name": "mfa", "elapsedTime": None}],
                "body": {"password": PASSWORD, "newPassword": NEW_PASSWORD, "keep": "this"},
                "request": {"auth": {"client_secret": CLIENT_SECRET, "access_token": BEARER_TOKEN}},
                "stats": {"loginsCount": self.rng.randrange(500)},
            },
        }
        head = {"date": self.iam_time(seconds), "log_id": self.hex(40)}
        if self.full and self.maybe(0.2):
            event["organization"] = "org, one"
            event["source"] = "portal"
            event["bucket_name"] = self.rng.choice(BUCKETS)
            event["created_date"] = date_text(seconds)
        if self.full and self.maybe(0.4):
            return self.shuffled({**head, "content": self.shuffled(event)})
        return self.shuffled({**head, **event, "isMobile": False})

    # --- Account API --------------------------------------------------------------------------------------------

    def api(self, seconds):
        code = self.rng.choice([200, 200, 200, 201, 400, 404])
        response = {
            "ResponseTime": "%dms" % self.rng.randrange(900),
            "ResponseCode": str(code) if self.full and self.maybe(0.5) else code,
            "ResponseBody": {"token": BEARER_TOKEN, "secret": CLIENT_SECRET, "id": self.hex(8)},
        }
        if code >= 400:
            response["ResponseError"] = 'no "such" account \\ permission'
        record = {
            "EventName": self.rng.choice(API_EVENTS),
            "Version": "2",
            "Request": {
                "AccountName": self.account()[0],
                "AccessKey": "AKEXAMPLE",
                "RequestTime": date_text(seconds, "%H:%M:%S"),
                "RequestParams": {"name": "perm-" + self.hex(4), "secretKey": CLIENT_SECRET},
                "SourceIP": self.address(),
            },
            "Response": self.shuffled(response),
        }
        return {"ApiEvent": self.shuffled(record)}

    def bad(self, kind, seconds):
        """One line that can never become a point."""
        good = json.dumps(getattr(self, kind)(seconds), ensure_ascii=False)
        untimed = self.s3(seconds)
        del untimed["auditEntry"]["time"]
        odd_time = self.iam(seconds)
        odd_time["date"] = "yesterday, about noon"
        odd_code = self.console(seconds)
        odd_code["ConsoleEvent"]["StatusCode"] = 1.5
        lines = [
            good[: len(good) * 2 // 3],
            good[:-1],
            good + "}",
            good.replace(":", "=", 1),
            "[" + good + "]",
            good[:-1] + ',"x":01}',
            good[:-1] + ',"x":"raw\ttab"}',
            good[:-1] + ',"x":NaN}',
            good[:-1] + ',"x":"\\q"}',
            json.dumps({"unknown": "kind of record", "password": PASSWORD}),
            json.dumps(untimed),
            json.dumps(odd_time),
            json.dumps(odd_code),
            "password=" + PASSWORD + " is not JSON",
        ]
        return self.rng.choice(lines)


def mixed_kind(rng, kind, full):
    """Account API records also turn up among the others, since nothing says what their objects are called."""
    return "api" if full and kind != "api" and rng.random() < 0.05 else kind


def object_lines(maker, kind, count, start_s, end_s, bad):
    """The records of one object as lines of text, in no order of time."""
    rng = maker.rng
    lines = []
    for _ in range(count):
        one = mixed_kind(rng, kind, maker.full)
        record = getattr(maker, one)(rng.randrange(int(start_s), int(end_s)))
        ascii_only = maker.full and rng.random() < 0.2
        separators = (", ", ": ") if maker.full and rng.random() < 0.3 else (",", ":")
        lines.append(json.dumps(record, ensure_ascii=ascii_only, separators=separators))
    if maker.full and count > 4:
        lines.append(lines[rng.randrange(len(lines))])  # the same record twice: a duplicate
        lines.insert(rng.randrange(len(lines)), twin_of(rng, lines))
    for _ in range(bad):
        lines.insert(rng.randrange(len(lines) + 1), maker.bad(kind, int(start_s)))
    return lines


def twin_of(rng, lines):
    """Another record with the series and time of one that is there: a clash that must not lose either."""
    record = json.loads(rng.choice(lines))
    record["note"] = "twin"
    return json.dumps(record, ensure_ascii=False)


def stored_bytes(rng, lines, full):
    """Lines as an object's bytes: CRLF mostly, sometimes LF, blank lines, no last line end, several members."""
    end = "\n" if full and rng.random() < 0.25 else "\r\n"
    if full and rng.random() < 0.2:
        lines = lines[: len(lines) // 2] + [""] + lines[len(lines) // 2 :]
    text = end.join(lines) + ("" if full and rng.random() < 0.3 else end)
    raw = text.encode()
    if full and rng.random() < 0.3:
        third = len(raw) // 3
        parts = [raw[:third], raw[third : 2 * third], raw[2 * third :]]
        return b"".join(gzip.compress(part, 6, mtime=0) for part in parts)
    return gzip.compress(raw, 6, mtime=0)


def object_name(kind, rng, delivered_s):
    stamp = date_text(delivered_s, "%Y-%m-%d-%H-%M-%S")
    if kind == "s3":
        return "S3-%s-%s.gz" % (rng.choice(BUCKETS), stamp)
    return {"console": "console-", "iam": "IAM-", "api": "ApiEvents-"}[kind] + stamp + ".gz"


def objects(seed, start, days, objects_per_kind, records, profile="full", bad=0):
    """Yields Objects, kind by kind. start: a date; records: per object; bad: broken records in all."""
    rng = random.Random(seed)
    full = profile == "full"
    maker = Maker(rng, full)
    start_s = datetime.datetime(start.year, start.month, start.day, tzinfo=UTC).timestamp()
    span_s = days * 86400 / objects_per_kind
    total = 4 * objects_per_kind
    used = set()
    for number in range(total):
        kind = ("s3", "console", "iam", "api")[number % 4]
        slot = number // 4
        from_s = start_s + slot * span_s
        to_s = from_s + min(span_s, 86400 / 2)
        delivered_s = int(to_s) + 60 + rng.randrange(600)
        while month_folder(delivered_s) + object_name_stem(kind, delivered_s) in used:
            delivered_s += 1
        used.add(month_folder(delivered_s) + object_name_stem(kind, delivered_s))
        broken = bad // total + (1 if number < bad % total else 0)
        lines = object_lines(maker, kind, records, from_s, to_s, broken)
        key = month_folder(delivered_s) + object_name(kind, rng, delivered_s)
        yield Object(key, stored_bytes(rng, lines, full), delivered_s, len(lines), kind)


def object_name_stem(kind, delivered_s):
    return "%s-%d" % (kind, delivered_s)


def write_object(folder, one):
    path = os.path.join(folder, one.key)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(one.data)
    os.utime(path, (one.delivered_s, one.delivered_s))


def manifest_row(one):
    return {
        "key": one.key,
        "kind": one.kind,
        "records": one.records,
        "bytes": len(one.data),
        "sha256": hashlib.sha256(one.data).hexdigest(),
        "delivered": date_text(one.delivered_s) + "Z",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out_dir")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--from", dest="start", type=datetime.date.fromisoformat, default=datetime.date(2026, 3, 1), metavar="DATE")
    parser.add_argument("--days", type=int, default=5)
    parser.add_argument("--objects-per-kind", type=int, default=5)
    parser.add_argument("--records", type=int, default=200, help="per object")
    parser.add_argument("--profile", choices=["demo", "full", "bench"], default="full")
    parser.add_argument("--bad", type=int, default=0, help="broken records in all")
    parser.add_argument("--manifest", metavar="FILE", help="write what was made, as JSON")
    args = parser.parse_args()
    if args.days < 1 or args.objects_per_kind < 1 or args.records < 1 or args.bad < 0:
        parser.error("--days, --objects-per-kind and --records must be at least 1, --bad at least 0")

    rows = []
    for one in objects(args.seed, args.start, args.days, args.objects_per_kind, args.records, args.profile, args.bad):
        write_object(args.out_dir, one)
        rows.append(manifest_row(one))
    if args.manifest:
        with open(args.manifest, "w", encoding="utf-8") as file:
            json.dump({"seed": args.seed, "objects": rows}, file, indent=1)
    print("%d objects, %d records, %d bytes in %s" % (len(rows), sum(row["records"] for row in rows), sum(row["bytes"] for row in rows), args.out_dir))


if __name__ == "__main__":
    main()
