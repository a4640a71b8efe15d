"""What the gateway must make of Lyve Cloud audit objects, computed a second time and another way.

Plain Python over json and gzip, written from the documented contract (measurements, identity of a point,
redaction) and not from the C code; it shares nothing with the program. The tests compare the points in InfluxDB,
in the SQLite store and at the scripted server with these, one by one. Speed does not matter here.
"""

import datetime
import gzip
import json
import re
import urllib.parse
import zlib

from .xxh3 import xxh3_64

SECOND = 10**9
RECORD_MAX = 1 << 20
TAG_MAX = 1024
REDACTED = "<redacted>"
SECRET_KEY = re.compile(
    r"(authorization|proxy-authorization|cookie|set-cookie|x-amz-security-token|x-amz-signature|x-amz-credential"
    r"|signature|x-amz-.*-customer-key|.*password.*|secret.*|client_secret|.*token)",
    re.IGNORECASE | re.DOTALL,
)


class Dead(Exception):
    """The record is a dead letter; the text says why."""


class Number(str):
    """A JSON number as it was written."""


# --- JSON, strictly, with the first of duplicate keys -------------------------------------------------------------


def first_wins(pairs):
    found = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found


def no_constant(name):
    raise ValueError("not JSON: " + name)


DECODER = json.JSONDecoder(object_pairs_hook=first_wins, parse_int=Number, parse_float=Number, parse_constant=no_constant)


def parse(text):
    try:
        value, end = DECODER.raw_decode(text, len(text) - len(text.lstrip(" \t\r\n")))
    except (ValueError, RecursionError) as error:
        raise Dead("not JSON: %s" % error) from None
    if text[end:].strip(" \t\r\n"):
        raise Dead("something follows the record")
    if not isinstance(value, dict):
        raise Dead("not an object")
    return value


# --- redaction ----------------------------------------------------------------------------------------------------


def is_secret(key):
    return SECRET_KEY.fullmatch(key) is not None


class Masker:
    """Copies JSON text as it is, but for the values to hide."""

    def __init__(self, text, level):
        self.text = text
        self.level = level
        self.out = []

    def copy_space(self, at):
        end = at
        while self.text[end : end + 1] in tuple(" \t\r\n"):
            end += 1
        self.out.append(self.text[at:end])
        return end

    def copy(self, at, count=1):
        self.out.append(self.text[at : at + count])
        return at + count

    def string(self, at):
        value, end = json.decoder.scanstring(self.text, at + 1, True)
        hidden = mask_string(value, self.level)
        self.out.append(self.text[at:end] if hidden is None else json.dumps(hidden, ensure_ascii=False))
        return end

    def member(self, at):
        key, end = json.decoder.scanstring(self.text, at + 1, True)
        self.copy(at, end - at)
        at = self.copy_space(self.copy(self.copy_space(end)))
        if not is_secret(key):
            return self.value(at)
        _, end = DECODER.raw_decode(self.text, at)
        self.out.append('"%s"' % REDACTED)
        return end

    def container(self, at, item):
        close = {"{": "}", "[": "]"}[self.text[at]]
        at = self.copy_space(self.copy(at))
        while self.text[at] != close:
            at = self.copy_space(item(at))
            if self.text[at] == ",":
                at = self.copy_space(self.copy(at))
        return self.copy(at)

    def value(self, at):
        first = self.text[at]
        if first == "{":
            return self.container(at, self.member)
        if first == "[":
            return self.container(at, self.value)
        if first == '"':
            return self.string(at)
        _, end = DECODER.raw_decode(self.text, at)
        return self.copy(at, end - at)


def mask_json(text, level=0):
    """Valid JSON text with what is secret replaced, everything else byte for byte."""
    masker = Masker(text, level)
    masker.copy_space(masker.value(masker.copy_space(0)))
    return "".join(masker.out)


def mask_string(value, level):
    """A decoded string with what is secret replaced, or None when nothing is."""
    if value[:1] in ("{", "["):
        if level >= 3:
            return REDACTED
        try:
            json.loads(value)
        except ValueError:
            return None
        masked = mask_json(value, level + 1)
        return None if masked == value else masked
    if "?" in value and "=" in value:
        return mask_url(value)
    return None


def mask_url(value):
    head, _, query = value.partition("?")
    parts = []
    for part in query.split("&"):
        name, equals, _ = part.partition("=")
        hide = equals and is_secret(urllib.parse.unquote_plus(name))
        parts.append(name + "=" + REDACTED if hide else part)
    masked = head + "?" + "&".join(parts)
    return None if masked == value else masked


# --- values -------------------------------------------------------------------------------------------------------


def lookup(record, *paths):
    """The first path with a value that is not null; a path is a tuple of keys."""
    for path in paths:
        value = record
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            return value
    return None


def dotted(path):
    """'a.b' as ('a', 'b')."""
    return tuple(path.split("."))


def tag(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise AssertionError("the expectation knows no tag of this kind: %r" % (value,))
    text = value.encode("utf-8", "replace")[:TAG_MAX].decode("utf-8", "ignore")
    if re.search("[\x00-\x1f\x7f]", text) or text.endswith("\\"):
        raise AssertionError("the expectation leaves such tags to tests of their own: %r" % text)
    return text


def address(value):
    text = tag(value)
    bracketed = re.fullmatch(r"\[([^]]*)\](:\d+)?", text)
    if bracketed:
        return bracketed.group(1)
    plain = re.fullmatch(r"([^:]*):\d+", text)
    return plain.group(1) if plain else text


def integer(value):
    if isinstance(value, Number) and re.fullmatch(r"-?\d+", value):
        return int(value)
    raise Dead("not a whole number: %r" % (value,))


def nanoseconds(value):
    match = re.fullmatch(r"(\d+)(ns)?", value) if isinstance(value, str) else None
    if not match:
        raise Dead("not a duration: %r" % (value,))
    return int(match.group(1))


TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?\s*(Z|z|[+-]\d\d:?\d\d)?(?: [A-Z]+(?: m=.*)?)?")
EPOCH = datetime.datetime(1970, 1, 1)


def read_time(value):
    """A date, RFC 3339 or Go's form, as ns since 1970."""
    match = TIME.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise Dead("no time: %r" % (value,))
    try:
        civil = datetime.datetime(*(int(part) for part in match.groups()[:6]))
    except ValueError as error:
        raise Dead(str(error)) from None
    span = civil - EPOCH
    total = (span.days * 86400 + span.seconds) * SECOND + int(((match.group(7) or "") + "0" * 9)[:9])
    zone = match.group(8) or "Z"
    if zone not in "Zz":
        digits = zone.replace(":", "")
        offset_s = int(digits[1:3]) * 3600 + int(digits[3:5]) * 60
        total -= (offset_s if digits[0] == "+" else -offset_s) * SECOND
    return total


def read_time_of_day(value, last_modified_ns):
    match = re.fullmatch(r"(\d\d):(\d\d):(\d\d)", value) if isinstance(value, str) else None
    if not match:
        raise Dead("no time of day: %r" % (value,))
    hours, minutes, seconds = (int(part) for part in match.groups())
    if hours > 23 or minutes > 59 or seconds > 59:
        raise Dead("no time of day: %r" % (value,))
    day = 86400 * SECOND
    within = (hours * 3600 + minutes * 60 + seconds) * SECOND
    midnight = last_modified_ns // day * day
    return midnight + within if midnight + within <= last_modified_ns else midnight - day + within


# --- the four kinds -----------------------------------------------------------------------------------------------


def optional(fields, name, value, convert):
    if value is not None:
        fields[name] = convert(value)


def s3_point(record, _):
    tags = {name: tag(lookup(record, dotted(name))) for name in ("auditEntry.api.name", "auditEntry.api.bucket", "auditEntry.api.statusCode")}
    tags["auditEntry.requestHeader.X-Real-Ip"] = address(lookup(record, ("auditEntry", "requestHeader", "X-Real-Ip")))
    for name in ("serviceAccountName", "serviceAccountCreatorId"):
        tags[name] = tag(record.get(name))
    fields = {}
    for name in ("timeToResponse", "timeToFirstByte"):
        value = lookup(record, ("auditEntry", "api", name), ("auditEntry", "api", name + "InNS"))
        optional(fields, "auditEntry.api." + name, value, nanoseconds)
    return "audit-01", tags, fields, read_time(lookup(record, ("auditEntry", "time"))), 1


def console_point(record, _):
    tags = {
        "UserIdentity.UserName": tag(lookup(record, dotted("UserIdentity.UserName"))),
        "UserIdentity.Role": tag(lookup(record, dotted("UserIdentity.Role"))),
        "UserIdentity.IPAddress": address(lookup(record, dotted("UserIdentity.IPAddress"))),
        "ConsoleEvent.Eventname": tag(lookup(record, dotted("ConsoleEvent.Eventname"))),
    }
    fields = {}
    optional(fields, "StatusCode", lookup(record, dotted("ConsoleEvent.StatusCode")), integer)
    return "console-01", tags, fields, read_time(lookup(record, dotted("ConsoleEvent.EventTime"))), 1000


def iam_point(record, _):
    names = ("organization", "source", "content.client_name", "content.ip", "content.hostname", "content.user_name", "bucket_name")
    tags = {}
    for name in names:
        key = name.removeprefix("content.")
        tags[name] = tag(lookup(record, ("content", key), (key,)))
    fields = {}
    optional(fields, "created_date", lookup(record, ("content", "created_date"), ("created_date",)), tag)
    return "iam-01", tags, fields, read_time(lookup(record, ("content", "date"), ("date",))), 10**6


def api_point(record, last_modified_ns):
    event = record["ApiEvent"]
    tags = {
        "ApiEvent.EventName": tag(lookup(event, ("EventName",))),
        "ApiEvent.Request.AccountName": tag(lookup(event, dotted("Request.AccountName"))),
        "ApiEvent.Request.SourceIP": tag(lookup(event, dotted("Request.SourceIP"))),
        "ApiEvent.Response.ResponseCode": tag(lookup(event, dotted("Response.ResponseCode"))),
    }
    fields = {}
    optional(fields, "ApiEvent.Response.ResponseError", lookup(event, dotted("Response.ResponseError")), tag)
    return "api-01", tags, fields, read_time_of_day(lookup(event, dotted("Request.RequestTime")), last_modified_ns), SECOND


def kind_of(record):
    if "auditEntry" in record:
        return s3_point
    if "ConsoleEvent" in record:
        return console_point
    if "ApiEvent" in record:
        return api_point
    if "log_id" in record and "type" in record or "content" in record:
        return iam_point
    raise Dead("no known kind of record")


# --- objects ------------------------------------------------------------------------------------------------------


class Tally:
    """The points of some objects and the figures that the run's summary must show."""

    def __init__(self):
        self.points = {}  # (measurement, ((tag, value), ...), ns) -> {field: value}
        self.read = self.stored = self.duplicate = self.dead = 0
        self.dead_lines = []  # (key, line number, reason)
        self.collisions = 0  # points of another object that this one's overwrite

    def figures(self):
        return {"read": self.read, "stored": self.stored, "duplicate": self.duplicate, "expired": 0, "dead": self.dead}


def inflate(data):
    """All that can be had of an object's bytes: gzip members, or the bytes as they are."""
    if data[:2] != b"\x1f\x8b":
        return data
    out = b""
    while data.strip(b"\0"):
        engine = zlib.decompressobj(wbits=31)
        try:
            out += engine.decompress(data)
        except zlib.error:
            break
        data = engine.unused_data
        if not engine.eof:
            break
    return out


def split(data):
    """(line number, record) of each line that is not blank."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    for number, line in enumerate(data.split(b"\n"), 1):
        line = line.removesuffix(b"\r")
        if line.strip(b" \t\r"):
            yield number, line


def record_point(line, last_modified_ns):
    """(measurement, tags, fields, time) of one record, its time filled up from its hash."""
    if len(line) > RECORD_MAX:
        raise Dead("too long")
    text = line.decode("utf-8", "replace")
    record = parse(text)
    measurement, tags, fields, time_ns, unit_ns = kind_of(record)(record, last_modified_ns)
    fields["message"] = mask_json(text)
    time_ns = time_ns - time_ns % unit_ns + xxh3_64(line) % unit_ns
    series = tuple(sorted((name, value) for name, value in tags.items() if value))
    return measurement, series, fields, time_ns


def add_object(tally, key, data, last_modified_ns):
    """Adds what one object, read whole, gives."""
    claimed = {}  # (measurement, series, ns) -> the record's hash, within this object
    for number, line in split(inflate(data)):
        tally.read += 1
        try:
            measurement, series, fields, time_ns = record_point(line, last_modified_ns)
        except Dead as reason:
            tally.dead += 1
            tally.dead_lines.append((key, number, str(reason)))
            continue
        own = xxh3_64(line)
        while claimed.get((measurement, series, time_ns), own) != own:
            time_ns += 1
        if (measurement, series, time_ns) in claimed:
            tally.duplicate += 1
            continue
        claimed[measurement, series, time_ns] = own
        tally.collisions += (measurement, series, time_ns) in tally.points
        tally.points[measurement, series, time_ns] = fields
        tally.stored += 1


def expect(objects):
    """objects: (key, stored bytes, last-modified ns) each, in the order of reading."""
    tally = Tally()
    for key, data, last_modified_ns in objects:
        add_object(tally, key, data, last_modified_ns)
    return tally


def expect_generated(generated):
    """The same for what generate.objects() yields."""
    ordered = sorted(generated, key=lambda one: (one.delivered_s, one.key.encode()))
    return expect((one.key, one.data, one.delivered_s * SECOND) for one in ordered)


# --- the dashboards' six queries ----------------------------------------------------------------------------------


def day_end(time_ns):
    """The end of the UTC day, as aggregateWindow stamps its windows."""
    day = 86400 * SECOND
    return time_ns // day * day + day


def grouped(points, field, by, keep):
    """{(value of the tag `by`, end of the day): [values of field]} of the audit-01 points that keep() lets pass."""
    groups = {}
    for (measurement, series, time_ns), fields in points.items():
        tags = dict(series)
        if measurement == "audit-01" and field in fields and keep(tags):
            groups.setdefault((tags.get(by), day_end(time_ns)), []).append(fields[field])
    return groups


def mean_ms(points, by, keep):
    groups = grouped(points, "auditEntry.api.timeToResponse", by, keep)
    return {group: sum(values) / len(values) / 1e6 for group, values in groups.items()}


def counts(points, by, keep):
    return {group: len(values) for group, values in grouped(points, "message", by, keep).items()}


NAME, BUCKET, STATUS = "auditEntry.api.name", "auditEntry.api.bucket", "auditEntry.api.statusCode"


def has_bucket(tags):
    return BUCKET in tags


def is_error(tags):
    """The filters run inside of InfluxDB's storage, where an absent tag is "": a call without a status is an error."""
    return tags.get(STATUS, "") != "200"


def dashboard_numbers(points):
    """What each of the six queries of the original dashboard must give: {group: value}."""
    calls = counts(points, BUCKET, has_bucket)
    return {
        "average response time by API": mean_ms(points, NAME, has_bucket),
        "CompleteMultipartUpload by bucket": mean_ms(points, BUCKET, lambda tags: tags.get(NAME) == "CompleteMultipartUpload"),
        "errors by bucket": counts(points, BUCKET, lambda tags: has_bucket(tags) and is_error(tags)),
        "calls by bucket": calls,
        "total calls by bucket": calls,
        "longest response time": mean_ms(points, NAME, has_bucket),
    }
