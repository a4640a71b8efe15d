"""A scripted S3 bucket of 36 months and more than 1,000,000 keys, which are made on the fly.

Each month's folder ("May-2022/") has three kinds of objects, one each 280 s, as Lyve Cloud names them. They are
dated (LastModified) by their names; keys that a test adds say themselves when they came. All have the same content.
"""

import bisect
import datetime
import hashlib
import time

from lib import scripted

STEMS = ("IAM-", "S3-orders-", "console-")
EVERY_S = 280
MONTHS_BEFORE = 36
MONTH_NAMES = "January February March April May June July August September October November December".split()
ROW = (
    '<Contents><Key>%s</Key><LastModified>%s</LastModified><ETag>"%s"</ETag><Size>%d</Size>'
    "<StorageClass>STANDARD</StorageClass></Contents>"
)
TIMES = [time.strftime("%H-%M-%S", time.gmtime(second)) for second in range(0, 86400, EVERY_S)]


def folder_of(moment):
    return "%s-%04d/" % (MONTH_NAMES[moment.month - 1], moment.year)


def month_before(first):
    return (first - datetime.timedelta(days=1)).replace(day=1)


def key_of(stem, moment):
    return "%s%s%s.gz" % (folder_of(moment), stem, moment.strftime("%Y-%m-%d-%H-%M-%S"))


class Million(scripted.Scripted):
    def __init__(self, data, now, stems=STEMS):
        super().__init__()
        self.data = data
        self.etag = hashlib.md5(data).hexdigest()
        self.now = now
        self.stems = sorted(stems)
        self.dates = {}  # of added keys: LastModified
        self.folders = {}  # prefix: sorted keys
        first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        for _ in range(MONTHS_BEFORE + 1):
            self.folders[folder_of(first)] = self.month_keys(first)
            first = month_before(first)

    def month_keys(self, first):
        days = []
        while first.month == (first + datetime.timedelta(days=len(days))).month and len(days) < 31:
            days.append((first + datetime.timedelta(days=len(days))).strftime("%Y-%m-%d"))
        prefix, last = folder_of(first), self.now.strftime("%Y-%m-%d-%H-%M-%S")
        dates = ["%s-%s" % (day, moment) for day in days for moment in TIMES]
        dates = dates[: bisect.bisect_right(dates, last)]
        return ["%s%s%s.gz" % (prefix, stem, date) for stem in self.stems for date in dates]

    def count(self):
        return sum(len(keys) for keys in self.folders.values())

    def add(self, key, modified):
        with self.lock:
            prefix = key[: key.index("/") + 1]
            bisect.insort(self.folders.setdefault(prefix, []), key)
            self.dates[key] = modified.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def remove(self, key):
        with self.lock:
            self.folders[key[: key.index("/") + 1]].remove(key)

    def date(self, key):
        """"...-2022-05-30-09-00-00.gz" came at 2022-05-30T09:00:00."""
        if key in self.dates:
            return self.dates[key]
        end = len(key) - 3
        return "%sT%s.000Z" % (key[end - 19 : end - 9], key[end - 8 : end].replace("-", ":"))

    def s3_list(self, request):
        refusal = self.s3_refusal(request)
        if refusal:
            return refusal
        prefix = request.query.get("prefix", "")
        if "delimiter" in request.query:
            rows = ["<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>" % name for name in sorted(self.folders)]
            return self.page(rows, None)
        after = request.query.get("continuation-token") or request.query.get("start-after", "")
        keys = self.folders.get(prefix, [])
        start = bisect.bisect_right(keys, after)
        page = keys[start : start + 1000]
        rows = [ROW % (key, self.date(key), self.etag, len(self.data)) for key in page]
        return self.page(rows, page[-1] if start + 1000 < len(keys) else None)

    def page(self, rows, token):
        end = "<NextContinuationToken>%s</NextContinuationToken>" % token if token else ""
        head = '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult><IsTruncated>%s</IsTruncated>' % ("true" if token else "false")
        return scripted.Reply(200, (head + end + "".join(rows) + "</ListBucketResult>").encode(), {"Content-Type": "application/xml"})

    def s3_get(self, request):
        keys = self.folders.get(request.key[: request.key.find("/") + 1], [])
        at = bisect.bisect_left(keys, request.key)
        there = at < len(keys) and keys[at] == request.key
        self.objects = {request.key: scripted.Stored(self.data, 0, '"%s"' % self.etag)} if there else {}
        return super().s3_get(request)
