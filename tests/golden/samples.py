"""The real samples, when they lie beside the repository: all that are audit records become points, and every point
of an S3 record is what Python's json reads in it."""

import collections
import datetime
import gzip
import json
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "shared" / "samples" / "lyve"

TAGS = {
    "auditEntry.api.name": ("auditEntry", "api", "name"),
    "auditEntry.api.bucket": ("auditEntry", "api", "bucket"),
    "auditEntry.api.statusCode": ("auditEntry", "api", "statusCode"),
    "auditEntry.requestHeader.X-Real-Ip": ("auditEntry", "requestHeader", "X-Real-Ip"),
    "serviceAccountName": ("serviceAccountName",),
    "serviceAccountCreatorId": ("serviceAccountCreatorId",),
}
DURATIONS = ("timeToResponse", "timeToFirstByte")


def plain_bytes(file):
    data = file.read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def records_of(file):
    return [line for line in plain_bytes(file).splitlines() if line.strip()]


def nanoseconds(text):
    seconds, _, fraction = text.rstrip("Z").partition(".")
    moment = datetime.datetime.fromisoformat(seconds).replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp()) * 10**9 + int(fraction.ljust(9, "0") or 0)


def at_path(record, path):
    for key in path:
        record = record.get(key) if isinstance(record, dict) else None
    return record


def address(text):
    return re.sub(r"^([^:]+):\d+$", r"\1", text)


def expected_point(line):
    """(tags, fields but the message, time, message) of an S3 record."""
    record = json.loads(line)
    tags = {name: str(value) for name, path in TAGS.items() if (value := at_path(record, path)) not in (None, "")}
    if "auditEntry.requestHeader.X-Real-Ip" in tags:
        tags["auditEntry.requestHeader.X-Real-Ip"] = address(tags["auditEntry.requestHeader.X-Real-Ip"])
    api = record["auditEntry"]["api"]
    fields = {f"auditEntry.api.{name}": int(api[name].removesuffix("ns")) for name in DURATIONS if name in api}
    return tags, fields, nanoseconds(record["auditEntry"]["time"]), record


def split_unescaped(text, separator):
    return re.split(r"(?<!\\)" + separator, text)


def read_point(line):
    """The opposite of line protocol, for values without a backslash of their own in the tags."""
    match = re.fullmatch(r'((?:\\.|[^ \\])+) (.*?)message="((?:[^"\\]|\\.)*)"(.*) (-?\d+)', line)
    series, before, message, after, time = match.groups()
    _, *pairs = split_unescaped(series, ",")
    tags = {}
    for pair in pairs:
        name, value = split_unescaped(pair, "=")
        tags[name] = re.sub(r"\\([,= ])", r"\1", value)
    numbers = [pair for pair in (before + after).split(",") if pair]
    fields = {name: int(value.removesuffix("i")) for name, value in (pair.split("=") for pair in numbers)}
    return tags, fields, int(time), json.loads(re.sub(r'\\(["\\])', r"\1", message))


def without_secrets(value, shown):
    """The record as the message shows it, where `shown` says how: only known secrets may differ."""
    if isinstance(value, dict) and isinstance(shown, dict):
        return {key: "<redacted>" if is_secret(key) else without_secrets(value[key], shown.get(key)) for key in value}
    if isinstance(value, str) and isinstance(shown, str) and "?" in value:
        return shown  # URLs have tests of their own
    return value


def is_secret(key):
    names = r"(proxy-)?authorization|(set-)?cookie|x-amz-(signature|credential)|signature|.*password.*|secret.*|.*token"
    return re.fullmatch(names + r"|x-amz-.*-customer-key", key.lower()) is not None


def check_s3(file, output):
    """Compares all points, with times moved on by 1 ns where series and time are taken."""
    taken = collections.Counter()
    points = output.decode().splitlines()
    records = records_of(file)
    if len(points) != len(records):
        return [f"{len(records)} records, {len(points)} points"]
    for number, (line, point) in enumerate(zip(records, points), 1):
        tags, fields, time, record = expected_point(line)
        series = json.dumps(tags)
        while taken[series, time]:
            time += 1
        taken[series, time] += 1
        got = read_point(point)
        if got[:3] != (tags, fields, time):
            return [f"record {number}: wanted {(tags, fields, time)}, got {got[:3]}"]
        if got[3] != without_secrets(record, got[3]):
            return [f"record {number}: the message is not the record"]
    return []


def signatures():
    """All Signature values of the samples."""
    found = set()
    for file in FOLDER.rglob("*"):
        if file.is_file() and file.suffix != ".md":
            found.update(re.findall(rb"Signature[\"=:\s]+([0-9a-f]{64})", plain_bytes(file)))
    return found


def good_files():
    return [
        *sorted(FOLDER.glob("S3-*.gz")),
        *sorted(FOLDER.glob("*.jsonl")),
        *sorted(FOLDER.glob("minio-traffic/*/*.gz")),
        *sorted(FOLDER.glob("auth0/*.jsonl")),
    ]


def bad_files():
    return [*sorted(FOLDER.glob("minio/*.json")), *sorted(FOLDER.glob("help-page-*"))]


def check_good(file, done, dead):
    if done.returncode or dead:
        return [f"exit code {done.returncode}, dead: {dead[:3]}"]
    if file.parent.name == "auth0":
        lines = len(records_of(file))
        return [] if done.stdout.count(b"\n") == lines == 29 else [f"{done.stdout.count(chr(10).encode())} of 29 events"]
    return check_s3(file, done.stdout)


def check_bad(file, done, dead):
    if done.returncode != 1 or done.stdout or len(dead) != len(records_of(file)):
        return [f"exit code {done.returncode}, {len(dead)} dead, {len(done.stdout)} bytes of points"]
    clear = r"no parser knows this record: top-level keys \w.*|byte \d+: \w.*"
    return [f"reason {reason!r}" for _, reason in dead if not re.fullmatch(clear, reason)]


def check(program, run, dead_lines):
    """(passed, failed, skipped) over all files."""
    if not FOLDER.is_dir():
        print("samples: not here, skipped")
        return 0, 0, 1
    hidden = signatures()
    if len(hidden) < 1000 or sum(len(records_of(file)) for file in good_files() if "minio-traffic" in str(file)) != 1500:
        print("samples: not the ones this test knows")
        return 0, 1, 0
    failed = 0
    files = [(file, check_good) for file in good_files()] + [(file, check_bad) for file in bad_files()]
    for file, judge in files:
        done = run(program, [str(file)])
        problems = judge(file, done, dead_lines(done.stderr))
        output = done.stdout + done.stderr
        problems += ["a signature is in the output"] if any(value in output for value in hidden) else []
        for problem in problems:
            print(f"samples/{file.name}: {problem}")
        failed += bool(problems)
    return len(files) - failed, failed, 0
