"""The pages that quote the program say what it says."""

import os
import re
import subprocess
import tempfile
import unittest

PAGES = ("README.md", "CONTRIBUTING.md", "doc/architecture.md", "doc/adding-a-parser.md", "doc/configuration.md",
         "doc/operations.md", "doc/performance.md", "doc/promises.md", "doc/grafana/README.md")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("LOGGATEWAY", os.path.join(ROOT, "build", "src", "loggateway"))


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def anchors(path):
    """What links to the headings of a page end with: lower case, hyphens for spaces, no punctuation."""
    headings = re.findall(r"^#+ (.*)$", read(path), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def run(*arguments, **environment):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True,
                          env={**os.environ, **environment})


class Pages(unittest.TestCase):
    def test_modules_page_is_the_output(self):
        self.assertEqual(read("doc", "modules.md"), run("modules").stdout,
                         "run: build/src/loggateway modules > doc/modules.md")

    def test_configuration_of_the_readme_is_good(self):
        (text,) = re.findall(r"^ *```yaml\n(.*?)^ *```$", read("README.md"), re.M | re.S)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "config.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            exported = re.search(r"export (.*)", read("README.md"))[1]
            result = run("-c", path, "check", **dict(one.split("=") for one in exported.split()))
        self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)

    def test_commands_of_the_readme_exist(self):
        offered = set(re.findall(r"^  ([a-z-]+)", run("--help").stdout, re.M))
        named = set(re.findall(r"^ *loggateway ([a-z-]+)", read("README.md"), re.M))
        self.assertTrue(named)
        self.assertEqual(named - offered, set())

    def test_links_lead_somewhere(self):
        """Also to a heading, within the page or on another, and to pictures."""
        for page in PAGES:
            folder = os.path.dirname(os.path.join(ROOT, page))
            for link in re.findall(r"\]\(([^)]+)\)|\b(?:src|srcset)=\"([^\"]+)\"", read(page)):
                target, _, anchor = "".join(link).partition("#")
                path = os.path.normpath(os.path.join(folder, target)) if target else os.path.join(ROOT, page)
                if not target.startswith("http"):
                    self.assertTrue(os.path.exists(path), "%s: %s" % (page, link))
                    self.assertTrue(not anchor or anchor in anchors(path), "%s: %s" % (page, link))

    def test_pictures_are_shown_and_small(self):
        pages = "".join(read(page) for page in PAGES)
        for name in os.listdir(os.path.join(ROOT, "doc", "pictures")):
            self.assertTrue("pictures/" + name in pages, name)
            self.assertLess(os.path.getsize(os.path.join(ROOT, "doc", "pictures", name)), 150_000)


if __name__ == "__main__":
    unittest.main()
