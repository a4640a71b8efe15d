"""The straight Python way to do the gateway's work, to measure it against: gzip, json, texts put together, a POST of
gzip -1 per 5,000 lines. usage: gateway.py HOST PORT FILE...     It knows S3 API records only. Run by bench.py."""

import calendar
import gzip
import http.client
import json
import sys
import time

BATCH_LINES = 5000
ESCAPES = str.maketrans({",": "\\,", " ": "\\ ", "=": "\\="})


def time_ns(text):
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))
    return seconds * 10**9 + int(fraction.ljust(9, "0"))


def line_of(text):
    record = json.loads(text)
    entry = record["auditEntry"]
    api = entry["api"]
    tags = (
        ("auditEntry.api.bucket", api.get("bucket", "")),
        ("auditEntry.api.name", api["name"]),
        ("auditEntry.api.statusCode", str(api["statusCode"])),
        ("auditEntry.requestHeader.X-Real-Ip", entry["requestHeader"].get("X-Real-Ip", "").split(":")[0]),
        ("serviceAccountCreatorId", record["serviceAccountCreatorId"]),
        ("serviceAccountName", record["serviceAccountName"]),
    )
    series = "".join(",%s=%s" % (name, value.translate(ESCAPES)) for name, value in tags if value)
    message = text.replace("\\", "\\\\").replace('"', '\\"')
    durations = "".join(",auditEntry.api.%s=%si" % (name, api[name][:-2]) for name in ("timeToResponse", "timeToFirstByte") if name in api)
    return 'audit-01%s message="%s"%s %d\n' % (series, message, durations, time_ns(entry["time"]))


def post(connection, lines):
    body = gzip.compress("".join(lines).encode(), 1)
    connection.request("POST", "/api/v2/write?precision=ns", body, {"Content-Encoding": "gzip"})
    connection.getresponse().read()


def main():
    connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]))
    lines = []
    for path in sys.argv[3:]:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            for text in file:
                lines.append(line_of(text.rstrip("\r\n")))
                if len(lines) == BATCH_LINES:
                    post(connection, lines)
                    lines = []
    if lines:
        post(connection, lines)


if __name__ == "__main__":
    main()
