"""Does what doc/adding-a-parser.md says, to the letter, in a copy of the tree."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(ROOT, "doc", "adding-a-parser.md")


def blocks(page):
    """The fenced blocks of a page as (language, text)."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", page, re.M | re.S)


class AddingAParser(unittest.TestCase):
    def setUp(self):
        with open(PAGE, encoding="utf-8") as page:
            self.page = page.read()
        self.blocks = dict(blocks(self.page))
        self.folder = tempfile.mkdtemp(prefix="loggateway-docs-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.tree = os.path.join(self.folder, "tree")
        files = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True,
                               text=True).stdout.splitlines()
        for name in files:
            target = os.path.join(self.tree, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(os.path.join(ROOT, name), target)

    def write(self, name, text):
        with open(os.path.join(self.tree, name), "w", encoding="utf-8") as file:
            file.write(text)

    def apply_diff(self):
        old, new = re.findall(r"^[-+](.*)$", self.blocks["diff"], re.M)
        path = os.path.join(self.tree, "src", "meson.build")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertEqual(text.count(old + "\n"), 1, "the line the page changes is not there")
        self.write("src/meson.build", text.replace(old + "\n", new + "\n"))

    def test_page(self):
        for name, language in (("door.jsonl", "json"), ("parsers/door.c", "c")):
            self.assertIn("Save as `%s`" % name, self.page)
            self.write(name, self.blocks[language])
        self.apply_diff()
        commands = self.blocks["sh"].splitlines()
        for command in commands[:-1]:
            subprocess.run(command.split(), cwd=self.tree, check=True, stdout=subprocess.DEVNULL)
        result = subprocess.run(commands[-1].split(), cwd=self.tree, capture_output=True, text=True)
        self.assertEqual(result.stdout, self.blocks["text"])
        self.assertEqual(result.returncode, 1)
        self.assertIn("line=3", result.stderr)
        self.assertIn("door.at: missing", result.stderr)


if __name__ == "__main__":
    unittest.main()
