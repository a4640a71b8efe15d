"""The dashboards are what their generator writes, and what Grafana's published TypeScript schema allows.

The types come from npm (@grafana/schema, with typescript to check them) into a cache folder; without npm, or without
its registry, the test that needs them is skipped.
"""

import copy
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from grafana import source, tools  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
UNITS = {"ms", "ns", "s", "short"}
OF_OBJECTS = ("Failed objects and dead letters", "Objects: settled, failed, quarantined, unmatched, waiting")


def boards():
    return {uid: source.board(uid) for uid in source.BOARDS}


class Generated(unittest.TestCase):
    def test_the_files_are_what_the_generator_writes(self):
        command = [sys.executable, os.path.join(source.FOLDER, "dashboards.py"), "--check"]
        result = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def test_a_changed_file_is_noticed(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["cp", "-r", source.FOLDER, folder], check=True)
            copied = os.path.join(folder, "grafana")
            with open(os.path.join(copied, "dashboards", "lyve-audit.json"), "a") as file:
                file.write("\n")
            command = [sys.executable, os.path.join(copied, "dashboards.py")]
            result = subprocess.run(command + ["--check"], capture_output=True, text=True)
            self.assertEqual(result.returncode, 1)
            self.assertIn("lyve-audit.json", result.stdout)
            self.assertEqual(subprocess.run(command, capture_output=True).returncode, 0)
            self.assertEqual(subprocess.run(command + ["--check"], capture_output=True).returncode, 0)

    def test_no_other_file_is_there(self):
        self.assertEqual(sorted(os.listdir(os.path.join(source.FOLDER, "dashboards"))), sorted(uid + ".json" for uid in source.BOARDS))
        self.assertEqual(os.listdir(os.path.join(source.FOLDER, "provisioning", "alerting")), ["loggateway.json"])


class Shape(unittest.TestCase):
    """What the schema's types cannot say."""

    def test_they_open_without_questions(self):
        for uid, board in boards().items():
            self.assertEqual(board["uid"], uid)
            self.assertNotIn("__inputs", json.dumps(board))
            self.assertNotIn("id", board)
            self.assertEqual(board["timezone"], "utc")

    def test_every_source_is_the_provisioned_one(self):
        with open(os.path.join(source.FOLDER, "provisioning", "datasources", "loggateway.yaml")) as file:
            uid = re.search(r"^    uid: (\S+)$", file.read(), re.M).group(1)
        found = []

        def visit(value):
            if isinstance(value, dict):
                found.extend([value["datasource"]] if "datasource" in value else [])
            for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
                visit(inner)

        visit(list(boards().values()))
        self.assertGreater(len(found), 40)
        self.assertEqual([one for one in found if one != {"type": "influxdb", "uid": uid}], [])

    def test_panels_lie_side_by_side(self):
        for uid, board in boards().items():
            cells = set()
            for panel in board["panels"]:
                place = panel["gridPos"]
                self.assertLessEqual(place["x"] + place["w"], 24)
                covered = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
                self.assertFalse(cells & covered, "%s: %s lies on another" % (uid, panel["title"]))
                cells |= covered
            self.assertEqual(len({panel["id"] for panel in board["panels"]}), len(board["panels"]))

    def test_units_and_legends(self):
        for board in boards().values():
            for panel in board["panels"]:
                self.assertTrue(panel["description"], panel["title"])
                if panel["type"] != "table":
                    self.assertIn(panel["fieldConfig"]["defaults"]["unit"], UNITS)
                if panel["type"] in ("timeseries", "piechart"):
                    self.assertTrue(panel["options"]["legend"]["showLegend"], panel["title"])

    def test_a_name_has_one_colour(self):
        """Fixed colours agree between all panels, but for failed objects, which are tried again; the others follow the name."""
        colours = {}
        for board in boards().values():
            for panel in board["panels"]:
                for override in panel["fieldConfig"]["overrides"]:
                    for one in override["properties"]:
                        if one["id"] == "color" and panel["title"] not in OF_OBJECTS:
                            colours.setdefault(override["matcher"]["options"], set()).add(one["value"]["fixedColor"])
                if panel["type"] in ("timeseries", "piechart"):
                    self.assertEqual(panel["fieldConfig"]["defaults"]["color"]["mode"], "palette-classic-by-name")
        self.assertGreater(len(colours), 4)
        self.assertEqual({name: found for name, found in colours.items() if len(found) > 1}, {})

    def test_the_settings_of_the_sample_gateway(self):
        panels = {panel["title"]: panel for panel in source.board("lyve-audit")["panels"]}
        for title in ("Error count by bucket per day", "API calls by bucket per day"):
            custom = panels[title]["fieldConfig"]["defaults"]["custom"]
            self.assertEqual((custom["drawStyle"], custom["fillOpacity"]), ("bars", 100))
        for title in ("Average response time by API per day", "CompleteMultipartUpload time to response by bucket", "Max API response time"):
            self.assertEqual(panels[title]["fieldConfig"]["defaults"]["unit"], "ms")
        self.assertEqual(panels["Total API calls by bucket"]["type"], "piechart")
        self.assertEqual(panels["Total API calls by bucket"]["options"]["reduceOptions"]["calcs"], ["sum"])
        slowest = panels["Max API response time"]
        self.assertEqual((slowest["type"], slowest["options"]["orientation"]), ("bargauge", "horizontal"))
        self.assertTrue(slowest["options"]["reduceOptions"]["values"])
        reduce, sort = slowest["transformations"]
        self.assertEqual((reduce["id"], reduce["options"]["mode"], reduce["options"]["reducers"]), ("reduce", "seriesToRows", ["max"]))
        self.assertEqual((sort["id"], sort["options"]["sort"]), ("sortBy", [{"field": "Max", "desc": True}]))


class Rules(unittest.TestCase):
    def test_grafana_finds_no_variable_in_them(self):
        """It would put something else for a dollar sign in a provisioned text."""
        self.assertNotIn("$", json.dumps(source.rules()))

    def test_they_are_whole(self):
        names = [rule["uid"] for rule in source.rules()]
        self.assertEqual(len(set(names)), 4)
        for rule in source.rules():
            self.assertRegex(rule["uid"], r"^[a-zA-Z0-9_-]{1,40}$")
            self.assertIn(rule["noDataState"], ("OK", "NoData", "Alerting", "KeepLast"))
            self.assertIn(rule["condition"], [step["refId"] for step in rule["data"]])
            self.assertTrue(rule["annotations"]["summary"])


class Types(unittest.TestCase):
    """The JSON as a TypeScript literal of the schema's type, so that an unknown key is an error too."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.modules = tools.node_modules()

    def errors(self, board):
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(self.modules, os.path.join(folder, "node_modules"))
            with open(os.path.join(HERE, "schema.ts")) as file:
                types = file.read()
            literal = json.dumps(board, ensure_ascii=False)
            with open(os.path.join(folder, "board.ts"), "w") as file:
                file.write("%s\nexport const board: Dashboard = %s;\n" % (types, literal))
            options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "esnext"]
            command = ["node", os.path.join(self.modules, "typescript", "bin", "tsc"), *options, "--moduleResolution", "node10", "board.ts"]
            result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
            self.assertEqual(result.stderr, "")
            self.assertEqual(result.returncode == 0, result.stdout == "")
            return result.stdout

    def test_the_dashboards(self):
        for uid, board in boards().items():
            self.assertEqual(self.errors(board)[:3000], "", uid)

    def test_a_mistake_is_found(self):
        """Each in a board of its own kind of panel: a wrong value, an unknown key, a missing one, a wrong type."""
        board = source.board("lyve-audit")
        by_type = {panel["type"]: number for number, panel in enumerate(board["panels"])}
        bad = copy.deepcopy(board)
        bad["panels"] = [copy.deepcopy(board["panels"][number]) for number in by_type.values()]
        panels = {panel["type"]: panel for panel in bad["panels"]}
        mistakes = {
            "barz": lambda: panels["timeseries"]["fieldConfig"]["defaults"]["custom"].update(drawStyle="barz"),
            "fillOpacty": lambda: panels["timeseries"]["fieldConfig"]["defaults"]["custom"].update(fillOpacty=100),
            "pieType": lambda: panels["piechart"]["options"].pop("pieType"),
            "sideways": lambda: panels["bargauge"]["options"].update(orientation="sideways"),
            "boolean": lambda: panels["table"]["options"].update(showHeader="yes"),
            "schemaVersion": lambda: bad.pop("schemaVersion"),
        }
        self.assertEqual(self.errors(bad), "")
        keep = json.dumps(bad)
        for word, spoil in mistakes.items():
            spoil()
            self.assertIn(word, self.errors(bad))
            bad.clear()
            bad.update(json.loads(keep))
            panels.clear()
            panels.update({panel["type"]: panel for panel in bad["panels"]})


if __name__ == "__main__":
    unittest.main()
