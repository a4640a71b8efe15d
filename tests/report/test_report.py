"""`loggateway report`: the figures of its page against the generator's records, computed a second time in page.py."""

import datetime
import fcntl
import hashlib
import html
import json
import os
import re
import shutil
import sqlite3
import stat
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import page as pages  # noqa: E402
from lib import expect, harness  # noqa: E402

HAS_GNUPLOT = shutil.which("gnuplot") is not None
LIMIT = 12  # series of a picture
HOSTILE = [
    "'; system(\"touch pwned\")",
    "`touch pwned`",
    "$(touch pwned)",
    '"; system(\'touch pwned\'); "',
    "<script>alert(1)</script>",
    "</text></svg><script>alert(1)</script>",
    "&amp;<b>",
    "--> <!-- ]]>",
    "back\\slash\\n\\042",
    "%s %g %n {/Bold x}^2_3 @y ~z",
    "#comment",
    "' id='x' href='#gpDot' onload='alert(1)",
    "größe 東京 \u202egnp.exe",
    "a" * 300,
]


def shown(name):
    """As a table has it: whole, but for the limit of 256 bytes."""
    return name.encode()[:256].decode(errors="replace") or "(no bucket)"


class Base(harness.Case):
    def store_config(self, **job):
        self.write_config({
            "jobs": [{"name": "demo", "from": "logs", "to": ["store"], **job}],
            "logs": {"type": "file", "path": self.path("input")},
            "store": {"type": "sqlite", "path": self.path("store.db")},
            "state": self.state_path,
        })

    def deliver(self, objects):
        """Writes objects of the generator, or {key: bytes} delivered at noon, into the input folder."""
        ordered = [(one.key, one.data, one.delivered_s) for one in objects] if not isinstance(objects, dict) else [
            (key, data, harness.DELIVERED_S + number) for number, (key, data) in enumerate(objects.items())]
        for key, data, delivered_s in ordered:
            path = self.path("input", key)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)
            os.utime(path, (delivered_s, delivered_s))
        ordered.sort(key=lambda one: (one[2], one[0].encode()))
        return expect.expect((key, data, delivered_s * expect.SECOND) for key, data, delivered_s in ordered).points

    def report(self, *arguments, code=0, env=None):
        result = self.run_program("report", "--out", "report.html", *arguments, env=env)
        self.assertEqual(result.code, code, str(result))
        return result

    def page(self, *arguments):
        self.assertEqual(self.report(*arguments).err, "")
        with open(self.path("report.html"), encoding="utf-8") as file:
            return pages.Page(file.read())

    # --- the tables ---

    def assert_numbers(self, found, wanted, digits=3):
        """Texts against numbers; the last digit may be rounded either way."""
        self.assertEqual(set(found), set(wanted))
        for key, value in wanted.items():
            self.assertRegex(found[key], r"^-?\d+\.\d{%d}$" % digits)
            self.assertLessEqual(abs(float(found[key]) - value), 0.5001 * 10**-digits, key)

    def assert_tables(self, page, calls):
        """Every table of a page whose series fit into its pictures."""
        times = {name: cell for name, cell in page.by_day("mean-by-api-table").items() if cell != pages.NOTHING}
        self.assert_numbers(times, pages.means(calls, pages.API, pages.has_bucket))
        times = {name: cell for name, cell in page.by_day("complete-by-bucket-table").items() if cell != pages.NOTHING}
        wanted = pages.means(calls, pages.BUCKET, pages.completes)
        self.assert_numbers(times, {(shown(name), day): value for (name, day), value in wanted.items()})
        self.assert_errors(page, calls)
        self.assert_calls(page, calls)
        self.assert_longest(page, calls)

    def assert_errors(self, page, calls):
        errors = pages.counts(calls, pages.BUCKET, lambda tags: pages.has_bucket(tags) and pages.is_error(tags))
        others = pages.counts(calls, pages.BUCKET, lambda tags: pages.has_bucket(tags) and pages.is_not_200(tags))
        wanted = {(day, shown(name)): [str(errors.get((name, day), 0)), str(n)] for (name, day), n in others.items()}
        self.assertEqual(page.by_row("errors-by-bucket-table", 2), wanted)

    def assert_calls(self, page, calls):
        wanted = pages.counts(calls, pages.BUCKET, pages.has_bucket)
        found = {key: cell for key, cell in page.by_day("calls-by-bucket-table").items() if cell != "0"}
        self.assertEqual(found, {(shown(name), day): str(n) for (name, day), n in wanted.items()})
        totals = pages.over_days(wanted, sum)
        whole = sum(totals.values())
        rows = page.by_row("total-by-bucket-table")
        self.assertEqual({name: row[0] for name, row in rows.items()}, {shown(name): str(n) for name, n in totals.items()})
        self.assert_numbers({name: row[1] for name, row in rows.items()}, {shown(name): 100 * n / whole for name, n in totals.items()}, 1)
        counts = [int(row[1]) for row in page.tables["total-by-bucket-table"][1:]]
        self.assertEqual(counts, sorted(counts, reverse=True))

    def assert_longest(self, page, calls):
        longest = pages.over_days(
            {key: max(values) / 1e6 for key, values in pages.groups(calls, pages.API, pages.has_bucket, pages.time_of).items()}, max)
        top_days = pages.over_days(pages.means(calls, pages.API, pages.has_bucket), max)
        rows = page.by_row("longest-by-api-table")
        self.assert_numbers({name: row[0] for name, row in rows.items()}, longest)
        self.assert_numbers({name: row[1] for name, row in rows.items()}, top_days)
        order = [float(row[1]) for row in page.tables["longest-by-api-table"][1:]]
        self.assertEqual(order, sorted(order, reverse=True))

    def assert_sums(self, page, calls):
        n_errors = sum(pages.is_error(tags) for tags, _, _ in calls)
        n_without = sum(not pages.has_bucket(tags) for tags, _, _ in calls)
        numbers = [int(number) for number in re.findall(r"\d+", page.texts["sums"])]
        self.assertEqual(numbers[:3], [len(calls), n_errors, n_without])

    # --- the page ---

    def assert_self_contained(self, page):
        self.assertEqual(page.tags & {"script", "link", "img", "iframe", "object", "embed", "image", "base", "foreignobject"}, set())
        for tag, name, value in page.attributes:
            self.assertFalse(name.startswith("on"), (tag, name))
            self.assertNotIn(name, ("src", "srcset", "srcdoc", "action", "data", "style"), tag)
            if name.endswith("href"):
                self.assertIn(value.removeprefix("#"), page.ids)
        [style] = re.findall(r"<style>(.*?)</style>", page.text, re.S)
        self.assertNotRegex(style, r"url\(|@import|expression")
        self.assertIn("default-src 'none'", page.text)

    def assert_accessible(self, page):
        self.assertEqual(len(page.ids), len(set(page.ids)), "ids are unique")
        for _, name, value in page.attributes:
            if name in ("aria-labelledby", "aria-describedby"):
                self.assertTrue(page.texts[value].strip(), value)
        pictures = [value for tag, name, value in page.attributes if (tag, name) == ("svg", "aria-labelledby")]
        for title in pictures:
            self.assertIn(title.replace("-title", "-table"), page.tables)
        return len(pictures)


@unittest.skipUnless(HAS_GNUPLOT, "gnuplot is not installed")
class Figures(Base):
    def test_generated(self):
        self.store_config()
        points = self.deliver(self.generated(records=150, objects_per_kind=8))
        self.pull()
        calls = pages.calls_of(points)
        self.assertGreater(len(calls), 1000)
        page = self.page()
        self.assert_tables(page, calls)
        self.assert_sums(page, calls)
        self.assert_self_contained(page)
        self.assertEqual(self.assert_accessible(page), 6)
        self.assertIn("verdict good", page.text)
        self.assertIn("Complete", page.texts["verdict"])
        self.assert_no_secret(page.text)

    def test_period(self):
        self.store_config()
        points = self.deliver(self.generated())
        self.pull()
        noon = expect.read_time("2026-03-02T12:00:00Z")
        end = expect.read_time("2026-03-04T00:00:00Z")
        page = self.page("demo", "--from-date", "2026-03-02T12:00:00Z", "--to-date", "2026-03-04")
        calls = pages.calls_of(points, noon, end)
        self.assertTrue(calls and len(calls) < len(pages.calls_of(points)))
        self.assert_tables(page, calls)
        self.assert_sums(page, calls)
        self.assertIn("2026-03-02 12:00:00 to 2026-03-04 00:00:00 UTC", page.texts["period"])
        days = {row[0] for row in page.tables["calls-by-bucket-table"][1:]}
        self.assertEqual(days, {"2026-03-02", "2026-03-03"})

    def test_days_without_calls_are_there(self):
        self.store_config()
        points = self.deliver({harness.FOLDER + "S3-a.gz": harness.packed(
            self.call("a", "2026-03-01T23:59:59.999999999Z"), self.call("a", "2026-03-05T00:00:00Z"))})
        self.pull()
        page = self.page()
        self.assert_tables(page, pages.calls_of(points))
        self.assertEqual([row[1] for row in page.tables["calls-by-bucket-table"][1:]], ["1", "0", "0", "0", "1"])
        self.assertEqual([row[1] for row in page.tables["mean-by-api-table"][1:]], ["0.500"] + [pages.NOTHING] * 3 + ["0.500"])

    def test_tags_kept_as_fields(self):
        names = ["auditEntry.api.statusCode", "auditEntry.api.bucket"]
        self.store_config(fields=names)
        points = self.deliver(self.generated())
        self.pull()
        self.assert_tables(self.page(), pages.calls_of(points))

    def call(self, bucket, time, **api):
        record = harness.s3_record()
        record["auditEntry"]["time"] = time
        record["auditEntry"]["api"].update({"bucket": bucket, "timeToResponse": "500000ns", **api})
        return record

    def test_extremes(self):
        """Sums beyond 64 bits, a status that is no number, no duration, no bucket, one call only."""
        self.store_config()
        longest = "%dns" % (2**63 - 1)
        self.deliver({harness.FOLDER + "S3-a.gz": harness.packed(
            self.call("a", "2026-03-01T00:00:00.1Z", timeToResponse=longest), self.call("a", "2026-03-01T00:00:00.2Z", timeToResponse=longest),
            self.call("a", "2026-03-01T00:00:00.3Z", statusCode="teapot"), self.call("", "2026-03-01T00:00:00.4Z", statusCode=500),
            self.call("b", "2026-03-01T00:00:00.5Z", statusCode=400), self.call("b", "2026-03-01T00:00:00.6Z", statusCode=399))})
        self.pull()
        page = self.page()
        self.assertEqual(page.by_row("errors-by-bucket-table", 2), {("2026-03-01", "b"): ["1", "2"], ("2026-03-01", "a"): ["0", "1"]})
        self.assertEqual(page.by_row("longest-by-api-table")["GetObject"][0], "9223372036854.775")
        self.assertEqual([int(n) for n in re.findall(r"\d+", page.texts["sums"])][:3], [6, 2, 1])

    def test_many_buckets_are_folded(self):
        self.store_config()
        names = ["bucket-%02d" % number for number in range(40)]
        records = [self.call(name, "2026-03-0%dT10:00:%02d.%09dZ" % (1 + turn % 3, number, turn), statusCode=404 if turn % 2 else 200)
                   for number, name in enumerate(names) for turn in range(50 - number)]
        points = self.deliver({harness.FOLDER + "S3-a.gz": harness.packed(*records)})
        self.pull()
        page = self.page()
        calls = pages.calls_of(points)
        self.assert_longest(page, calls)
        wanted = pages.counts(calls, pages.BUCKET, pages.has_bucket)
        folded = {}
        for (name, day), n in wanted.items():
            key = (name if names.index(name) < LIMIT - 1 else "other (29 buckets)", day)
            folded[key] = folded.get(key, 0) + n
        self.assertEqual(page.by_day("calls-by-bucket-table"), {key: str(n) for key, n in folded.items()})
        totals = {name: row[0] for name, row in page.by_row("total-by-bucket-table").items()}
        self.assertEqual(totals, {name: str(50 - number) for number, name in enumerate(names)})
        for panel in ("calls-by-bucket", "total-by-bucket"):
            self.assertIn("folded", page.texts[panel + "-about"])
            self.assertEqual(self.labels(page, panel) & {*names, "other (29 buckets)"}, {*names[:LIMIT - 1], "other (29 buckets)"})
        self.assertNotIn("folded", page.texts["longest-by-api-about"])
        self.assertEqual(self.assert_accessible(page), 5)  # no CompleteMultipartUpload: no picture
        self.assertIn("None in this period", page.texts["complete-by-bucket"])

    def test_more_buckets_than_rows(self):
        """A table by name has 1,000 rows at most; what is beyond is in the last."""
        self.store_config()
        names = ["b%04d" % number for number in range(1100)]
        records = [self.call(name, "2026-03-01T10:%02d:%02d.%09dZ" % (number // 60, number % 60, turn))
                   for number, name in enumerate(names) for turn in range(2 if number < 20 else 1)]
        self.deliver({harness.FOLDER + "S3-a.gz": harness.packed(*records)})
        self.pull()
        page = self.page()
        rows = {name: int(row[0]) for name, row in page.by_row("total-by-bucket-table").items()}
        wanted = {name: 2 if number < 20 else 1 for number, name in enumerate(names[:999])}
        self.assertEqual(rows, {**wanted, "other (101 buckets)": 101})
        labels = self.labels(page, "total-by-bucket")
        self.assertIn("other (1089 buckets)", labels)
        self.assertIn("%d (98.0 %%)" % (1120 - 22), labels)

    def test_hostile_names(self):
        self.store_config()
        groups = [HOSTILE[:LIMIT - 1], HOSTILE[LIMIT - 1:]]
        for number, names in enumerate(groups):
            records = [self.call(bucket, "2026-03-0%dT10:00:00.%09dZ" % (turn + 1, index), name="CompleteMultipartUpload", statusCode=500)
                       for index, bucket in enumerate(names) for turn in range(2)]
            records += [self.call("plain", "2026-03-01T11:00:00.%09dZ" % index, name=name) for index, name in enumerate(names)]
            shutil.rmtree(self.path("input"), ignore_errors=True)
            self.forget()
            for suffix in ("", "-wal", "-shm"):
                if os.path.exists(self.path("store.db" + suffix)):
                    os.unlink(self.path("store.db" + suffix))
            points = self.deliver({harness.FOLDER + "S3-a.gz": harness.packed(*records)})
            self.pull()
            page = self.page()
            self.assert_self_contained(page)
            self.assert_accessible(page)
            for name in names:
                self.assertIn(shown(name), page.by_row("total-by-bucket-table"), number)
                self.assertIn(shown(name), page.by_row("longest-by-api-table"))
            calls = pages.calls_of(points)
            self.assert_calls(page, calls)
            self.assert_errors(page, calls)
            self.assert_labels(page, names)
        self.assertEqual([name for name in os.listdir(self.folder) if "pwned" in name], [])

    def test_names_that_begin_and_end_alike(self):
        """Where both ends of long names are the same, a picture shows the part that differs."""
        self.store_config()
        long = "production-warehouse-%s-exports-eu-central-archive"
        wanted = {
            long % "orders": "…rehouse-orders-exports-e…",
            long % "media": "…rehouse-media-exports-eu…",
            "quarterly-figures-of-region-1-all-markets": "…-of-region-1-all-markets",
            "quarterly-figures-of-region-2-all-markets": "…-of-region-2-all-markets",
            "another-name-of-more-than-24-bytes": "another-name…han-24-bytes",
            "short": "short",
        }
        records = [self.call(name, "2026-03-01T10:00:%02dZ" % number) for number, name in enumerate(wanted)]
        self.deliver({harness.FOLDER + "S3-a.gz": harness.packed(*records)})
        self.pull()
        page = self.page()
        self.assertLessEqual(set(wanted.values()), self.labels(page, "total-by-bucket"))
        self.assertLessEqual(set(wanted.values()), self.labels(page, "calls-by-bucket"))

    def labels(self, page, panel):
        """The texts of a picture."""
        [svg] = re.findall(r'<svg [^>]*aria-labelledby="%s-title".*?</svg>' % panel, page.text, re.S)
        return {html.unescape(text) for text in re.findall(r"<text>(.*?)</text>", svg, re.S)}

    def assert_labels(self, page, names):
        """A picture has the names as text, cut at a character."""
        texts = self.labels(page, "total-by-bucket")
        for name in names:
            data = shown(name).encode()
            ends = data[:12].decode(errors="ignore"), data[-12:].decode(errors="ignore")
            label = name if len(data) <= 24 else "…".join(ends)
            self.assertIn(label, texts)


@unittest.skipUnless(HAS_GNUPLOT, "gnuplot is not installed")
class Completeness(Base):
    def verdict(self, *arguments):
        page = self.page(*arguments)
        return page.texts["verdict"], page

    def test_dead_letters_and_damage(self):
        self.store_config()
        damaged = harness.packed(*[harness.s3_record(number) for number in range(100, 2000)])
        self.deliver({
            harness.FOLDER + "S3-a.gz": harness.packed(harness.s3_record(1), "<b>not JSON</b>", harness.s3_record(2)),
            harness.FOLDER + "S3-cut.gz": damaged[:len(damaged) // 2],
        })
        self.pull(code=1)
        verdict, page = self.verdict()
        self.assertIn("verdict bad", page.text)
        self.assertIn("Not complete", verdict)
        self.assertIn("1 object is damaged (quarantined)", verdict)
        self.assertIn("S3-cut.gz", verdict)
        self.assertIn("dead letters", verdict)
        job = {row[0]: int(row[1]) for row in page.tables["job-table"]}
        [told] = json.loads(self.run_program("status", "--json").out)["jobs"]
        self.assertEqual((job["records read"], job["records dead"]), (told["records_read"], told["sinks"][0]["dead"]))
        self.assertEqual(job["records read"], job["records stored"] + job["records duplicate"] + job["records expired"] + job["records dead"])
        self.assertEqual((job["objects settled"], job["objects quarantined"]), (1, 1))
        self.assert_self_contained(page)

    def change(self, path, statement, *values):
        connection = sqlite3.connect(path)
        with connection:
            self.assertGreater(connection.execute(statement, values).rowcount, 0)
        connection.close()

    def days_of(self, points):
        """{measurement: {day: points}}"""
        counts = {}
        for measurement, _, time_ns in points:
            day = str(datetime.date(1970, 1, 1) + datetime.timedelta(time_ns // (86400 * 10**9)))
            row = counts.setdefault(measurement, {})
            row[day] = row.get(day, 0) + 1
        return counts

    def test_what_must_add_up(self):
        """Every measurement of the store, counted a second time here, and the sums in words."""
        self.store_config()
        made = self.generated(records=60, objects_per_kind=4)
        counts = self.days_of(self.deliver(made))
        self.pull()
        verdict, page = self.verdict()
        self.assertIn("Complete", verdict)
        wanted = {name: [min(days), max(days), str(sum(days.values())), str(sum(days.values())), "0"] for name, days in counts.items()}
        self.assertEqual(page.by_row("stored-table"), wanted)
        self.assertEqual(len(wanted), 4)
        self.assertEqual(page.texts["objects-sum"], "Objects listed: %d = settled %d + failed 0 + quarantined 0 + waiting 0 + unmatched 0." % (len(made), len(made)))
        [told] = json.loads(self.run_program("status", "--json").out)["jobs"]
        sink = told["sinks"][0]
        self.assertEqual(page.texts["records-sum"], "Records read: %d = stored %d + duplicate %d + expired 0 + dead %d." % (told["records_read"], sum(sum(days.values()) for days in counts.values()), sink["duplicate"], sink["dead"]))
        self.assertLess(page.text.index('id="verdict"'), page.text.index('id="proof"'))
        self.assertLess(page.text.index('id="proof"'), page.text.index("<figure"))
        day = max(counts["audit-01"])
        page = self.page("--from-date", day)
        self.assertEqual(page.by_row("stored-table")["audit-01"][2:], [str(counts["audit-01"][day])] * 2 + ["0"])
        self.assertIn(", from %s" % day, page.texts["proof"])

    def test_days_that_differ(self):
        """Points that somebody deleted from the store, in and out of the page's period."""
        self.store_config()
        records = [harness.s3_record(number) for number in range(5)]
        for record, day in zip(records, (1, 1, 2, 2, 3)):
            record["auditEntry"]["time"] = "2026-03-%02dT10:00:00Z" % day
        self.deliver({harness.FOLDER + "S3-a.gz": harness.packed(*records)})
        self.pull()
        self.assertIn("Complete", self.verdict()[0])
        second = 20514 * 86400 * 10**9
        self.change(self.path("store.db"), 'DELETE FROM "audit-01" WHERE time >= ? AND time < ?', second, second + 86400 * 10**9)
        verdict, page = self.verdict()
        self.assertIn("Not complete", verdict)
        self.assertIn("On 1 day the store does not have what was stored", verdict)
        self.assertIn("2026-03-02: stored 2, counted 0 of audit-01", verdict)
        self.assertEqual(page.by_row("stored-table"), {"audit-01": ["2026-03-01", "2026-03-03", "5", "3", "1"]})
        self.assertNotIn("does not have what was stored", self.verdict("--from-date", "2026-03-03")[0])
        with open(self.state_path + ".demo.lock", "r+", encoding="utf-8") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            verdict, page = self.verdict()
        self.assertNotIn("does not have what was stored", verdict)
        self.assertIn("a run is under way", page.texts["proof"])

    def test_records_that_are_not_accounted_for(self):
        self.store_config()
        self.deliver({harness.FOLDER + "S3-a.gz": harness.packed(harness.s3_record(1), harness.s3_record(2))})
        self.pull()
        # read 3, stored 2, both on day 20513 (2026-03-01), by the description of the format
        counts = bytes([3, 0, 1, 2, 0, 0, 0, 8, 0xC2, 0xC0, 0x02, 2])
        self.change(self.state_path, "UPDATE object SET counts = ?", counts)
        verdict, page = self.verdict()
        self.assertIn("The figures do not add up: 3 records read, 2 accounted for.", verdict)
        self.assertIn("The ledger contradicts itself", verdict)
        self.assertEqual(page.texts["records-sum"], "Records read: 3 \u2260 stored 2 + duplicate 0 + expired 0 + dead 0.")

    def test_a_store_that_came_later(self):
        self.store_config()
        self.deliver({harness.FOLDER + "S3-a.gz": harness.packed(harness.s3_record(1))})
        with open(self.config_path, encoding="utf-8") as file:
            config = json.load(file)
        config["jobs"][0]["to"] = ["first"]
        config["first"] = {"type": "sqlite", "path": self.path("first.db")}
        self.write_config(config)
        self.pull()
        config["jobs"][0]["to"] = ["store", "first"]
        self.write_config(config)
        shutil.copy(self.path("first.db"), self.path("store.db"))
        verdict, _ = self.verdict()
        self.assertIn("1 object was read before the job wrote to this store", verdict)

    def test_a_folder_nobody_reads(self):
        self.store_config()
        self.deliver({harness.FOLDER + "S3-a.gz": harness.packed(harness.s3_record(1)), "elsewhere/S3-b.gz": harness.packed(harness.s3_record(2))})
        self.pull(code=1)
        verdict, _ = self.verdict()
        self.assertIn("Folders and objects of the bucket that nobody reads: 1.", verdict)

    def test_beyond_what_was_read(self):
        self.store_config()
        self.deliver({harness.FOLDER + "S3-a.gz": harness.packed(harness.s3_record(1))})
        self.pull("--to-date", "2026-03-02", since="2026-03-01")
        self.assertIn("Complete", self.verdict()[0])
        self.assertIn("Complete", self.verdict("--from-date", "2026-03-01", "--to-date", "2026-03-02")[0])
        self.assertIn("delivered before 2026-03-01T00:00:00Z have not been read", self.verdict("--from-date", "2026-02-01")[0])
        self.assertIn("delivered after 2026-03-02T00:00:00Z have not been read", self.verdict("--to-date", "2026-03-03")[0])

    def test_without_ledger(self):
        self.store_config()
        self.deliver({harness.FOLDER + "S3-a.gz": harness.packed(harness.s3_record(1))})
        self.pull()
        self.forget()
        verdict, page = self.verdict()
        self.assertIn("Not complete", verdict)
        self.assertIn("its ledger is not there", verdict)
        self.assertNotIn("job-table", page.tables)

    def test_empty_period(self):
        self.store_config()
        self.deliver({harness.FOLDER + "S3-a.gz": harness.packed(harness.s3_record(1))})
        self.pull()
        page = self.page("--from-date", "2026-04-01")
        self.assertEqual(page.text.count("None in this period"), 6)
        self.assertNotIn("svg", page.tags)

    def test_store_without_calls(self):
        self.store_config()
        self.deliver([one for one in self.generated() if "IAM" in one.key])
        self.pull()
        self.assertEqual(self.page().text.count("None in this period"), 6)


class Command(Base):
    def fill(self):
        self.store_config()
        self.deliver({harness.FOLDER + "S3-a.gz": harness.packed(harness.s3_record(1))})
        self.pull()

    def only(self, *names):
        """A PATH on which only these programs are found."""
        folder = self.path("bin")
        os.makedirs(folder, exist_ok=True)
        for name, text in names:
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(file.name, 0o755)
        return {"PATH": folder}

    def test_without_gnuplot(self):
        self.fill()
        with open(self.path("report.html"), "w", encoding="utf-8") as file:
            file.write("the one before")
        result = self.report(code=1, env=self.only())
        self.assertIn("gnuplot: not installed", result.err)
        with open(self.path("report.html"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "the one before")
        self.assertEqual([name for name in os.listdir(self.folder) if "tmp" in name], [])

    def test_gnuplot_that_fails(self):
        self.fill()
        result = self.report(code=1, env=self.only(("gnuplot", "#!/bin/sh\necho of no use >&2\nexit 3\n")))
        self.assertIn("gnuplot: exit code 3: of no use", result.err)
        result = self.report(code=1, env=self.only(("gnuplot", "#!/bin/sh\necho '<svg>'\n")))
        self.assertIn("no SVG document", result.err)
        self.assertFalse(os.path.exists(self.path("report.html")))

    def test_gnuplot_learns_no_secret(self):
        self.fill()
        tell = "#!/bin/sh\n/usr/bin/env >&2\nexit 1\n"
        result = self.report(code=1, env={**self.only(("gnuplot", tell)), "LYVE_SECRET_KEY": "a-secret-of-ours"})
        self.assertIn("LC_ALL=C", result.err)
        self.assertNotIn("a-secret", result.err)

    @unittest.skipUnless(HAS_GNUPLOT, "gnuplot is not installed")
    def test_where_it_goes(self):
        self.fill()
        before = self.digest()
        result = self.run_program("report", "--out", "-")
        self.assertEqual(result.code, 0, str(result))
        self.assertTrue(result.out.startswith("<!DOCTYPE html>") and result.out.endswith("</html>\n"))
        self.report()
        self.assertEqual(stat.S_IMODE(os.stat(self.path("report.html")).st_mode) & 0o133, 0)
        self.assertEqual(self.digest(), before, "the store is only read")
        os.mkdir(self.path("folder"))
        self.assertEqual(self.run_program("report", "--out", "folder").code, 1)
        self.assertEqual(self.run_program("report", "--out", "nowhere/report.html").code, 1)
        self.assertEqual([name for name in os.listdir(self.folder) if "tmp" in name], [])

    def digest(self):
        with open(self.path("store.db"), "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def usage(self, text, *arguments, code=2):
        result = self.run_program("report", *arguments)
        self.assertEqual(result.code, code, str(result))
        self.assertIn(text, result.err)

    def test_usage(self):
        self.fill()
        self.usage("--out FILE is required")
        self.usage("not a date", "--out", "-", "--from-date", "yesterday")
        self.usage("is not before", "--out", "-", "--from-date", "2026-03-02", "--to-date", "2026-03-02")
        self.usage("no job named 'other'", "other", "--out", "-")
        self.usage("too many", "demo", "demo", "--out", "-")
        self.usage("a report has at most 750", "--out", "-", "--from-date", "2020-01-01", code=1)

    def test_which_job(self):
        job = {"from": "logs", "to": ["store"]}
        config = {
            "jobs": [{**job, "name": "one"}, {**job, "name": "two"}, {**job, "name": "three", "to": ["lake"]}],
            "logs": {"type": "file", "path": self.path("input")},
            "store": {"type": "sqlite", "path": self.path("store.db")},
            "lake": {"type": "influxdb", "host": "127.0.0.1:1", "token": "t", "org": "o", "bucket": "b"},
            "state": self.state_path,
        }
        self.write_config(config)
        self.usage("jobs one and two have a store: name one", "--out", "-")
        self.usage("job three writes to no place of type sqlite", "three", "--out", "-")
        self.usage("unable to open database file", "one", "--out", "-", code=1)
        self.write_config({**config, "jobs": config["jobs"][2:]})
        self.usage("no job in", "--out", "-")
        with open(self.path("store.db"), "w", encoding="utf-8") as file:
            file.write("not a database, but long enough to be told from an empty one" * 20)
        self.write_config(config)
        self.usage("file is not a database", "two", "--out", "-", code=1)


if __name__ == "__main__":
    unittest.main()
