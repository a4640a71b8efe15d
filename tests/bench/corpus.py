#!/usr/bin/env python3
"""Writes the benchmark's corpora: gzip objects of S3 API audit records with all the headers real ones have, 1.2 to
2 KB each, CRLF between them. The same arguments give the same bytes. Fast, since it fills in a text: it has nothing
of the variants that tests/generate.py has for the tests. Called by scripts/bench and tests/bench/memory.py.

    corpus.py FOLDER --raw-mb 200 --objects 64        large objects
    corpus.py FOLDER --objects 5000 --object-kb 2     by the raw size of each

The objects lie in FOLDER/March-2026/, as the bucket has them.
"""

import argparse
import datetime
import gzip
import os
import random

START = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)
NAMES = ["GetObject"] * 9 + ["PutObject"] * 6 + ["HeadObject"] * 5 + ["ListObjectsV2"] * 3 + ["DeleteObject", "GetBucketLocation"]
BUCKETS = ["orders", "media", "backup-eu", "web.assets", "lab-results"]
ACCOUNTS = [("svc-web", "ada@example.com"), ("svc-backup", "grace@example.com"), ("reports", "alan@example.org"), ("", "")]
EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
STATUSES = [(200, "OK")] * 15 + [(404, "Not Found"), (403, "Forbidden"), (204, "No Content")]
AGENTS = [
    "aws-cli/2.13.5 Python/3.11.4 Linux/6.1.0-13-amd64 exe/x86_64.debian.12 prompt/off command/s3.cp",
    "Boto3/1.28.2 md/Botocore#1.31.2 ua/2.0 os/linux#6.1.0 md/arch#x86_64 lang/python#3.11.4 md/pyimpl#CPython cfg/retry-mode#legacy",
    "MinIO (linux; amd64) minio-go/v7.0.61",
    "rclone/v1.63.1",
]

RECORD = (
    '{"auditEntry": {"api": {"name": "%(name)s", "bucket": "%(bucket)s", "object": "%(key)s", "status": "%(status)s", '
    '"statusCode": %(code)d, "timeToResponse": "%(total)dns", "timeToFirstByte": "%(first)dns"}, '
    '"time": "%(time)s", "version": "1", "requestID": "%(id)s", "userAgent": "%(agent)s", '
    '"deploymentid": "00000000-1111-4222-8333-444444444444", "requestHeader": {%(extra)s"X-Real-Ip": "%(address)s", '
    '"User-Agent": "%(agent)s", "X-Amz-Date": "20260301T000000Z", '
    '"Authorization": "AWS4-HMAC-SHA256 Credential=AKEXAMPLE/20260301/us-east-1/s3/aws4_request, '
    'SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=%(signature)s", "Accept-Encoding": "identity", '
    '%(forwarded)s"X-Amz-Content-Sha256": "%(digest)s"}, '
    '"responseHeader": {"ETag": "%(etag)s", "Vary": "Origin", "Content-Type": "application/octet-stream", '
    '"Accept-Ranges": "bytes", "Last-Modified": "Sun, 01 Mar 2026 00:00:00 GMT", "Content-Length": "%(size)d", '
    '"X-Amz-Id-2": "%(host_id)s", "X-Amz-Request-Id": "%(id)s", "X-Xss-Protection": "1; mode=block", "x-amz-version-id": "%(version)s", '
    '"X-Amz-Bucket-Region": "us-east-1", "Content-Security-Policy": "block-all-mixed-content", '
    '"X-Amz-Server-Side-Encryption": "AES256"}}, "serviceAccountName": "%(account)s", "serviceAccountCreatorId": "%(creator)s"}'
)
FORWARDED = (
    '"X-Forwarded-For": "203.0.113.%(host)d, %(address)s", "X-Forwarded-Host": "s3.us-east-1.example.com", '
    '"X-Forwarded-Proto": "https", '
)
LOCK = '"X-Amz-Object-Lock-Mode": "COMPLIANCE", "X-Amz-Object-Lock-Retain-Until-Date": "2027-03-01T00:00:00.000Z", '
TAGS = '"X-Amz-Tagging": "team=storage&project=archive&cost=4711", "X-Amz-Meta-Origin": "site-2/rack-17/unit-4", '


def record(rng, seconds):
    bits = "%0256x" % rng.getrandbits(1024)
    total = int(rng.lognormvariate(16.5, 1.0))
    code, status = rng.choice(STATUSES)
    account, creator = rng.choice(ACCOUNTS)
    name = rng.choice(NAMES)
    values = {
        "name": name,
        "bucket": rng.choice(BUCKETS),
        "key": "data/%s/%06d.bin" % (bits[:2], rng.randrange(10**6)),
        "status": status,
        "code": code,
        "total": total,
        "first": total // 3,
        "time": "%s.%09dZ" % ((START + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S"), rng.randrange(10**9)),
        "id": bits[16:32].upper(),
        "agent": rng.choice(AGENTS),
        "address": "10.%d.0.%d:%d" % (rng.randrange(4), rng.randrange(1, 60), rng.randrange(1024, 65536)),
        "host": rng.randrange(256),
        "digest": bits[32:96] if name == "PutObject" else EMPTY_SHA256,
        "signature": bits[96:160],
        "etag": bits[160:192],
        "host_id": bits[192:256],
        "size": rng.randrange(10**6),
        "version": "%s-%s-%s-%s-%s" % (bits[:8], bits[8:12], bits[12:16], bits[20:24], bits[20:32]),
        "account": account,
        "creator": creator,
    }
    values["forwarded"] = FORWARDED % values if account else ""
    values["extra"] = (LOCK if name == "PutObject" else "") + (TAGS if rng.random() < 0.3 else "")
    return RECORD % values


def one_object(rng, number, raw_bytes):
    """Lines of a quarter of an hour, until there are raw_bytes of them."""
    lines, have = [], 0
    while have < raw_bytes:
        lines.append(record(rng, number * 900 + rng.randrange(900)))
        have += len(lines[-1]) + 2
    return "\r\n".join(lines) + "\r\n", len(lines)


def write(folder, objects, raw_bytes, seed):
    """Returns (raw bytes, records)."""
    rng = random.Random(seed)
    place = os.path.join(folder, "March-2026")
    os.makedirs(place, exist_ok=True)
    total = records = 0
    for number in range(objects):
        text, count = one_object(rng, number % 2000, raw_bytes)
        path = os.path.join(place, "S3-%s-%06d.gz" % (BUCKETS[number % len(BUCKETS)], number))
        with open(path, "wb") as file:
            file.write(gzip.compress(text.encode(), 6, mtime=0))
        delivered_s = START.timestamp() + number
        os.utime(path, (delivered_s, delivered_s))
        total += len(text)
        records += count
    return total, records


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, default=20220530)
    parser.add_argument("--objects", type=int, default=64)
    parser.add_argument("--raw-mb", type=float, default=200, help="of all objects together")
    parser.add_argument("--object-kb", type=float, help="of each object, instead")
    args = parser.parse_args()
    each = args.object_kb * 1000 if args.object_kb else args.raw_mb * 1e6 / args.objects
    total, records = write(args.folder, args.objects, each, args.seed)
    print("%d objects, %d records, %d raw bytes in %s" % (args.objects, records, total, args.folder))


if __name__ == "__main__":
    main()
