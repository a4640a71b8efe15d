"""The systemd unit: does systemd understand it, and how much does it leave open?"""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNIT = os.path.join(ROOT, "packaging", "loggateway.service")
INSTALLED = "/usr/local/bin/loggateway"
EXPOSURE_MAX = 15  # in tenths, of 100; systemd calls up to 20 "OK" and a bare service is at 96


@unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
class UnitFile(unittest.TestCase):
    def setUp(self):
        with open(UNIT, encoding="utf-8") as file:
            self.text = file.read()
        folder = tempfile.mkdtemp(prefix="loggateway-unit-")
        self.addCleanup(shutil.rmtree, folder)
        self.copy = os.path.join(folder, "loggateway.service")

    def analyze(self, text, *arguments):
        with open(self.copy, "w", encoding="utf-8") as file:
            file.write(text)
        return subprocess.run(["systemd-analyze", *arguments, self.copy], capture_output=True, text=True)

    def verify(self, text):
        program = os.path.abspath(os.environ.get("LOGGATEWAY", "build/src/loggateway"))
        return self.analyze(text.replace(INSTALLED, program), "verify", "--man=no")

    def test_is_understood(self):
        done = self.verify(self.text)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_misspelt_line_is_seen(self):
        done = self.verify(self.text.replace("ProtectSystem=", "ProtectSistem="))
        self.assertIn("ProtectSistem", done.stderr)

    def test_leaves_little_open(self):
        arguments = ["security", "--offline=true", "--no-pager", "--threshold=%d" % EXPOSURE_MAX]
        done = self.analyze(self.text, *arguments)
        self.assertEqual(done.returncode, 0, done.stdout)
        bare = re.sub(r"^(Protect|Private|Restrict|System).*\n", "", self.text, flags=re.M)
        self.assertNotEqual(self.analyze(bare, *arguments).returncode, 0)

    def test_credentials_are_those_of_the_manual(self):
        """The stanza that doc/operations.md shows refers to what the unit hands over, and to all of it."""
        with open(os.path.join(ROOT, "doc", "operations.md"), encoding="utf-8") as file:
            manual = set(re.findall(r"\$\{file:\$\{CREDENTIALS_DIRECTORY\}/(\w+)\}", file.read()))
        handed = set(re.findall(r"^LoadCredential=([\w.]+):", self.text, re.M))
        self.assertEqual(manual, handed - {"config.yaml"})


if __name__ == "__main__":
    unittest.main()
