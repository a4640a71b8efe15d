"""Each clause of doc/promises.md names the code that keeps it and tests that are there."""

import os
import re
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUFFIXES = {"unit": ".c", "flow": ".py"}


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def clauses():
    """(clause, kept in, tests) of each row of each table."""
    lines = [line for line in read("doc", "promises.md").splitlines() if line.startswith("| ")]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in rows if row[0] != "clause"]


def is_run(path, name):
    """A test of that name is defined in the file, and in C also named in its list of tests."""
    text = read(path)
    if path.endswith(".py"):
        return re.search(r"^    def %s\(self" % name, text, re.M) is not None
    return "static void %s(void **state)" % name in text and re.search(r"\b\w+\(%s\),|\b\w+\(%s," % (name, name), text) is not None


class Promises(unittest.TestCase):
    def test_there_are_six(self):
        self.assertEqual(re.findall(r"^## (\d)\. ", read("doc", "promises.md"), re.M), list("123456"))
        self.assertGreater(len(clauses()), 60)

    def test_the_code_is_there(self):
        for clause, kept_in, _ in clauses():
            paths = re.findall(r"`([^`]+)`", kept_in)
            self.assertTrue(paths, clause)
            for path in paths:
                self.assertTrue(os.path.isfile(os.path.join(ROOT, path)), "%s: %s" % (clause, path))

    def test_the_tests_are_there(self):
        for clause, _, tests in clauses():
            found = re.findall(r"`(\w+)/(\w+): (\w+)`", tests)
            self.assertEqual(len(found), tests.count("`") // 2, clause)
            self.assertTrue(found, clause)
            for folder, file, name in found:
                path = os.path.join("tests", folder, file + SUFFIXES[folder])
                self.assertTrue(os.path.isfile(os.path.join(ROOT, path)), "%s: %s" % (clause, path))
                self.assertTrue(is_run(path, name), "%s: no test %s in %s" % (clause, name, path))


if __name__ == "__main__":
    unittest.main()
