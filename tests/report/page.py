"""Reads the pages of `loggateway report`, and what their tables must say, computed from the expected points."""

import datetime
import html.parser

DAY = 86400 * 10**9
MEASUREMENT = "audit-01"
API, BUCKET, STATUS = "auditEntry.api.name", "auditEntry.api.bucket", "auditEntry.api.statusCode"
TIME = "auditEntry.api.timeToResponse"
VOID = {"meta", "link", "img", "br", "hr", "input", "base", "embed", "source", "wbr"}
NOTHING = "\u2013"


class Page(html.parser.HTMLParser):
    """Tables by id, texts by id, and all that a page could reach out with."""

    def __init__(self, text):
        super().__init__()
        self.text = text
        self.tables, self.texts, self.ids = {}, {}, []
        self.tags, self.attributes = set(), []
        self.open = []  # (tag, id) of each element that is open
        self.feed(text)
        self.close()
        if self.open:
            raise AssertionError("not closed: %s" % self.open)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attributes.items()]
        if "id" in attributes:
            self.ids.append(attributes["id"])
            self.texts[attributes["id"]] = ""
        if tag == "table":
            self.tables[attributes["id"]] = []
        if tag == "tr":
            self.rows().append([])
        if tag in ("td", "th"):
            self.rows()[-1].append("")
        if tag not in VOID:
            self.open.append((tag, attributes.get("id")))

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open[-1][0] != tag:
            raise AssertionError("%s closed within %s" % (tag, self.open))
        self.open.pop()

    def handle_data(self, data):
        names = [tag for tag, _ in self.open]
        for _, own in self.open:
            if own:
                self.texts[own] += data
        if "td" in names or "th" in names:
            self.rows()[-1][-1] += data

    def rows(self):
        [name] = [own for tag, own in self.open if tag == "table"] or [list(self.tables)[-1]]
        return self.tables[name]

    def by_day(self, name):
        """{(series, day): text} of a table with a row a day and a column a series; none when there is no table."""
        head, *rows = self.tables.get(name, [[]])
        return {(series, row[0]): cell for row in rows for series, cell in zip(head[1:], row[1:], strict=True)}

    def by_row(self, name, n_keys=1):
        """{key, or a tuple of keys: the other cells} of a table's rows."""
        return {row[0] if n_keys == 1 else tuple(row[:n_keys]): row[n_keys:] for row in self.tables.get(name, [])[1:]}


# --- the figures, a second time ---


def calls_of(points, start_ns=0, end_ns=2**63):
    """(tags, fields, ns) of each S3 call of a period."""
    calls = []
    for (measurement, series, ns), fields in points.items():
        if measurement == MEASUREMENT and start_ns <= ns < end_ns:
            calls.append((dict(series), fields, ns))
    return calls


def day_of(ns):
    return str(datetime.date(1970, 1, 1) + datetime.timedelta(days=ns // DAY))


def groups(calls, by, keep, value):
    """{(tag, day): values}, of the calls that keep() lets pass and that have a value."""
    found = {}
    for tags, fields, ns in calls:
        one = value(tags, fields)
        if keep(tags) and one is not None:
            found.setdefault((tags.get(by, ""), day_of(ns)), []).append(one)
    return found


def has_bucket(tags):
    return BUCKET in tags


def completes(tags):
    return tags.get(API) == "CompleteMultipartUpload"


def time_of(_, fields):
    return fields.get(TIME)


def one_of(*_):
    return 1


def is_error(tags):
    return int(tags.get(STATUS, "0")) >= 400


def is_not_200(tags):
    return tags.get(STATUS) != "200"


def means(calls, by, keep):
    return {key: sum(values) / len(values) / 1e6 for key, values in groups(calls, by, keep, time_of).items()}


def counts(calls, by, keep):
    return {key: len(values) for key, values in groups(calls, by, keep, one_of).items()}


def over_days(by_day, fold):
    """{tag: fold(values of all days)}"""
    found = {}
    for (name, _), value in by_day.items():
        found.setdefault(name, []).append(value)
    return {name: fold(values) for name, values in found.items()}
