"""What Grafana's own front-end code (@grafana/data, from npm) shows for the panels: names, order, units, colours."""

import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from grafana import source, tools  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
DAY_MS = 86400000
RECORDS = "Records: read = stored + duplicate + expired + dead"


def frame(name, *values):
    return {"name": name, "times": [DAY_MS * day for day in range(len(values))], "values": values}


class Shown(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.modules = tools.front_end()

    def show(self, uid, title, *frames):
        panel = [one for one in source.board(uid)["panels"] if one["title"] == title][0]
        environment = {**os.environ, "NODE_PATH": self.modules, "TZ": "UTC", "LANG": "en_US.UTF-8"}
        result = subprocess.run(["node", os.path.join(HERE, "shown.cjs")], input=json.dumps({"panel": panel, "frames": frames}), capture_output=True, text=True, env=environment)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout[result.stdout.index('{"fields"') :])

    def test_the_longest_call_is_on_top(self):
        frames = [frame("GetObject", 5, 900, 3), frame("PutObject", 2500, 1), frame("HeadObject", 7.5, 7)]
        values = self.show("lyve-audit", "Max API response time", *frames)["values"]
        shown = [(one["name"], one["text"]) for one in values]
        self.assertEqual(shown, [("PutObject", "2.50 s"), ("GetObject", "900 ms"), ("HeadObject", "7.50 ms")])

    def test_the_pie_shows_sums(self):
        values = self.show("lyve-audit", "Total API calls by bucket", frame("orders", 5, 7), frame("media", 1, 1, 1))["values"]
        self.assertEqual([(one["name"], one["text"]) for one in values], [("orders", "12"), ("media", "3")])

    def test_a_series_has_its_name_and_a_bucket_one_colour(self):
        frames = [frame("orders", 5, 7), frame("media", 1)]
        colours = set()
        for title in ("Error count by bucket per day", "API calls by bucket per day", "CompleteMultipartUpload time to response by bucket"):
            fields = [one for one in self.show("lyve-audit", title, *frames)["fields"] if one["name"] != "Time"]
            self.assertEqual([one["name"] for one in fields], ["orders", "media"])
            colours.add(tuple(one["color"] for one in fields))
        colours.add(tuple(one["color"] for one in self.show("lyve-audit", "Total API calls by bucket", *frames)["values"]))
        self.assertEqual(len(colours), 1)
        self.assertEqual(len(set(colours.pop())), 2)

    def test_response_times_are_milliseconds(self):
        fields = self.show("lyve-audit", "Average response time by API per day", frame("GetObject", 12.345))["fields"]
        self.assertEqual(fields[1]["first"], "12.3 ms")

    def test_outcomes_have_the_same_colour_everywhere(self):
        frames = [frame("stored", 1000), frame("dead", 2), frame("duplicate", 3)]
        stat = {one["name"]: one["color"] for one in self.show("lyve-gateway", RECORDS, *frames)["values"]}
        bars = {one["name"]: one["color"] for one in self.show("lyve-gateway", "Records by outcome", *frames)["fields"]}
        self.assertEqual(len(set(stat.values())), 3)
        self.assertEqual({name: bars[name] for name in stat}, stat)
        logins = self.show("lyve-activity", "Console logins per day", frame("ok", 1), frame("failed", 1))["fields"]
        colours = {one["name"]: one["color"] for one in logins}
        self.assertEqual((colours["ok"], colours["failed"]), (stat["stored"], stat["dead"]))

    def test_what_is_not_explained_turns_red(self):
        colours = [self.show("lyve-gateway", RECORDS, frame("unexplained", number))["values"][0]["color"] for number in (0, 5, -5)]
        self.assertEqual(colours[1], colours[2])
        self.assertNotEqual(colours[0], colours[1])

    def test_age_turns_red(self):
        frames = [frame("fresh", 600), frame("late", 4 * 3600), frame("very late", 7 * 3600)]
        values = self.show("lyve-gateway", "Age of the newest record", *frames)["values"]
        self.assertEqual([one["text"] for one in values], ["10 mins", "4 hours", "7 hours"])
        self.assertEqual(len({one["color"] for one in values}), 3)

    def test_whether_the_last_run_was_complete_is_said_in_words(self):
        values = self.show("lyve-gateway", "Last run", frame("audit", 1), frame("other", 0))["values"]
        self.assertEqual([(one["name"], one["text"]) for one in values], [("audit", "complete"), ("other", "not complete")])
        good, bad = (self.show("lyve-gateway", RECORDS, frame("unexplained", number))["values"][0]["color"] for number in (0, 5))
        self.assertEqual([one["color"] for one in values], [good, bad])

    def test_the_columns_of_the_records(self):
        columns = {
            "message": ["{}"],
            "_time": [1767225600000],
            "auditEntry.api.timeToResponse": [12345678],
            "auditEntry.api.name": ["GetObject"],
        }
        fields = self.show("lyve-audit", "Records", {"columns": columns})["fields"]
        shown = [(one["name"], one["first"]) for one in fields]
        self.assertEqual(shown[1:], [("API", "GetObject"), ("response time", "12.3 ms"), ("record", "{}")])
        self.assertEqual(shown[0][0], "time")


if __name__ == "__main__":
    unittest.main()
