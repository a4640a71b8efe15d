"""The page of `loggateway report` in a real browser: it draws, in both colours and on paper, without a complaint."""

import collections
import os
import re
import shutil
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import png  # noqa: E402
from lib import harness  # noqa: E402

BROWSER = shutil.which("chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--hide-scrollbars",
         "--host-resolver-rules=MAP * ~NOTFOUND", "--disable-component-update", "--disable-sync", "--force-color-profile=srgb", "--enable-logging=stderr"]
LIGHT, DARK = "--blink-settings=preferredColorScheme=1", "--blink-settings=preferredColorScheme=0"
# Of the page and of the first series, as report/page.c and report/plot.c have them.
PAGE = {LIGHT: (0xFF, 0xFF, 0xFF), DARK: (0x15, 0x18, 0x1C)}
FIRST = {LIGHT: (0x2A, 0x6F, 0xB0), DARK: (0x6C, 0xB0, 0xF0)}


@unittest.skipUnless(BROWSER and shutil.which("gnuplot"), "chromium or gnuplot is not installed")
class Browser(harness.Case):
    def setUp(self):
        super().setUp()
        self.write_config({
            "jobs": [{"name": "demo", "from": "logs", "to": ["store"]}],
            "logs": {"type": "file", "path": self.path("input")},
            "store": {"type": "sqlite", "path": self.path("store.db")},
            "state": self.state_path,
        })
        for one in self.generated(records=60, objects_per_kind=6):
            path = self.path("input", one.key)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(one.data)
            os.utime(path, (one.delivered_s, one.delivered_s))
        self.pull()
        result = self.run_program("report", "--out", "report.html")
        self.assertEqual(result.code, 0, str(result))

    def browse(self, *flags):
        """Opens the page; gives what is on stdout. The browser's own talk on stderr has no word of the page."""
        done = subprocess.run(
            [BROWSER, *FLAGS, "--user-data-dir=" + self.path("browser"), *flags, "file://" + self.path("report.html")],
            capture_output=True, text=True, timeout=120, cwd=self.folder, preexec_fn=harness.die_with_parent)
        self.assertEqual(done.returncode, 0, done.stderr[-4000:])
        self.assertEqual([line for line in done.stderr.splitlines() if "CONSOLE" in line], [])
        return done.stdout

    def colours(self, flag):
        self.browse(flag, "--window-size=900,1200", "--screenshot=" + self.path("shot.png"))
        return collections.Counter(pixel for row in png.rows(self.path("shot.png")) for pixel in row)

    def test_light_and_dark(self):
        for flag in (LIGHT, DARK):
            found = self.colours(flag)
            self.assertEqual(found.most_common(1)[0][0], PAGE[flag])
            self.assertGreater(found[FIRST[flag]], 100, "the first line is drawn")
            self.assertGreater(len(found), 100)
            self.assertLess(found[PAGE[flag]], 0.98 * found.total())

    def test_a_complaint_would_be_seen(self):
        with open(self.path("report.html"), "a", encoding="utf-8") as file:
            file.write("<script>console.error('of the page')</script>")
        with self.assertRaises(AssertionError):
            self.browse("--dump-dom")

    def test_as_the_browser_reads_it(self):
        """Nothing is moved or dropped: six pictures stand in their figures, six tables in their sections."""
        text = self.browse("--dump-dom")
        _, verdict, proof, *panels = re.split(r"(?=<section id=)", text)
        self.assertIn('id="verdict"', verdict)
        self.assertRegex(proof, r'(?s)id="proof".*<table id="stored-table">.*</table>.*</section>')
        for panel in panels[:6]:
            self.assertRegex(panel, r'(?s)<figure>.*<figcaption.*<svg .*</svg>.*</figure>.*<table id=.*</table>.*</section>')
        self.assertEqual(len(re.findall(r"<svg ", text)), 6)

    def test_paper(self):
        self.browse(DARK, "--no-pdf-header-footer", "--print-to-pdf=" + self.path("report.pdf"))
        with open(self.path("report.pdf"), "rb") as file:
            data = file.read()
        self.assertTrue(data.startswith(b"%PDF-"))
        self.assertGreater(len(re.findall(rb"/Type ?/Page\b", data)), 1)


if __name__ == "__main__":
    unittest.main()
