"""The way Seagate's sample gateway works, to measure against: the record flattened to a dict, influxdb-client Points,
its batching writer with 500 points a request. usage: points.py URL FILE...     Needs influxdb-client; run by bench.py."""

import gzip
import json
import sys

from influxdb_client import InfluxDBClient, Point, WriteOptions

TAGS = [
    "auditEntry.api.name",
    "auditEntry.api.bucket",
    "auditEntry.api.statusCode",
    "auditEntry.requestHeader.X-Real-Ip",
    "serviceAccountName",
    "serviceAccountCreatorId",
]
DURATIONS = ["auditEntry.api.timeToResponse", "auditEntry.api.timeToFirstByte"]


def flatten(record, prefix, flat):
    for name, value in record.items():
        if isinstance(value, dict):
            flatten(value, prefix + name + ".", flat)
        else:
            flat[prefix + name] = value
    return flat


def point_of(text):
    flat = flatten(json.loads(text), "", {})
    point = Point("audit-01").time(flat["auditEntry.time"]).field("message", json.dumps(flat))
    for name in TAGS:
        point.tag(name, flat.get(name, ""))
    for name in DURATIONS:
        point.field(name, int(flat[name][:-2]) if name in flat else 0)
    return point


def main():
    with InfluxDBClient(url=sys.argv[1], token="t", org="o") as client:
        with client.write_api(write_options=WriteOptions(batch_size=500, flush_interval=10_000)) as writer:
            for path in sys.argv[2:]:
                with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
                    for text in file:
                        writer.write("b", "o", point_of(text))


if __name__ == "__main__":
    main()
