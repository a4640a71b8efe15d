"""The manual pages against the program: every command, option and key is there, and nothing else."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath(os.environ.get("LOGGATEWAY", os.path.join(ROOT, "build/src/loggateway")))
MAN = os.path.join(ROOT, "doc", "man")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def output(*arguments):
    return subprocess.run([PROGRAM, *arguments], check=True, capture_output=True, text=True).stdout


def commands_of_help(text):
    """{command: its options} from the lines that --help indents by two spaces."""
    rows = re.findall(r"^  (\S+)(.*)$", text, re.M)
    rows = [row for row in rows if not row[1].startswith("  ")]
    return {name: set(re.findall(r"(?<!\w)--?([a-z][-a-z]*)", rest)) for name, rest in rows if name.strip()}


def commands_of_page(text):
    """The same from the mdoc source; without a command: the options before it."""
    found, command = {}, ""
    for line in text.splitlines():
        match = re.match(r"\.It Cm ([a-z-]+)", line)
        command = match.group(1) if match else "" if line.startswith(".Sh") else command
        if line.startswith((".It", ".Nm", ".Op")):
            found.setdefault(command, set()).update(re.findall(r"\bFl -?([a-z][-a-z]*)", line))
    return found


def tables(text, level):
    """{heading of that level: first cells of the first table below it} of a Markdown page."""
    found = {}
    for section in re.split(r"^(?=#)", text, flags=re.M):
        heading = re.match("#{%d} (.*)" % level, section)
        table = re.search(r"(^\|.*\n)+", section, re.M)
        if heading and table:
            found[heading.group(1)] = set(re.findall(r"^\| `(\w+)`", table.group(), re.M))
    return found


def keys_of_page(text):
    """{heading: its tagged keys} of the page in man(7)."""
    found, heading = {}, None
    for line, after in zip(text.splitlines(), text.splitlines()[1:]):
        if line[:4] in (".SH ", ".SS "):
            heading = line[4:]
        match = re.fullmatch(r"\\fB(\w+)\\fR", after)
        if line == ".TP" and match:
            found.setdefault(heading, set()).add(match.group(1))
    return found


class CommandPage(unittest.TestCase):
    def setUp(self):
        self.page = commands_of_page(read(os.path.join(MAN, "loggateway.1")))
        self.help = commands_of_help(output("--help"))

    def test_every_command_and_option(self):
        self.assertIn("pull", self.help)
        self.assertIn("from-date", self.help["pull"])
        self.assertEqual(set(self.page) - {""}, set(self.help))
        for command, options in self.help.items():
            self.assertLessEqual(options, self.page[command], command)

    def says_unknown(self, *arguments):
        done = subprocess.run([PROGRAM, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=20)
        return re.search(r"(unrecognized|invalid) option", done.stderr) is not None

    def test_no_other_option(self):
        self.folder = tempfile.mkdtemp(prefix="loggateway-man-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.assertTrue(self.says_unknown("pull", "--no-such-option"))
        for command, options in self.page.items():
            for option in options:
                words = ([command] if command else []) + [("-" if len(option) == 1 else "--") + option]
                self.assertFalse(self.says_unknown(*words), words)


class ConfigurationPage(unittest.TestCase):
    def setUp(self):
        self.page = read(os.path.join(MAN, "loggateway.yaml.5"))

    def test_is_made_from_the_document(self):
        made = subprocess.run([os.path.join(ROOT, "scripts", "man"), "--print"], check=True, capture_output=True, text=True)
        self.assertEqual(self.page, made.stdout, "run scripts/man")

    def test_every_option_of_every_place(self):
        keys = keys_of_page(self.page)
        modules = output("modules")
        places = tables(modules[modules.index("## Places"):modules.index("## Parsers")], 3)
        self.assertIn("influxdb", places)
        self.assertIn("token", places["influxdb"])
        for place, options in places.items():
            self.assertEqual(keys[place], options, place)

    def test_every_option_of_a_job(self):
        options = tables(output("modules"), 2)["Job options"]
        self.assertIn("schedule", options)
        self.assertLessEqual(options, keys_of_page(self.page)["JOB"])


class Form(unittest.TestCase):
    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_mandoc_finds_nothing(self):
        for name in sorted(os.listdir(MAN)):
            done = subprocess.run(["mandoc", "-T", "lint", os.path.join(MAN, name)], capture_output=True, text=True)
            # it looks for other pages among those that are installed, and minds how old their index is
            findings = [line for line in (done.stdout + done.stderr).splitlines()
                        if "referenced manual not found" not in line and "mandoc.db" not in line]
            self.assertEqual(findings, [])


if __name__ == "__main__":
    unittest.main()
