"""doc/operations.md against the sources: every log message has a row, and the examples are what they say."""

import glob
import json
import os
import re
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


LITERALS = r'(?:"(?:[^"\\]|\\.)*"\s*)+'


def joined(literals):
    """The text of adjacent string literals."""
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals))


def log_messages():
    """The messages that the sources give to log_line(), also by way of `?:` and report functions."""
    found = set()
    for path in glob.glob(os.path.join(ROOT, "src", "*", "*.c")):
        text = read(path)
        for call in re.findall(r"log_line\(([^;]*);", text):
            message = re.match(r"[^,]*,\s*[^,]*,\s*(.*)", call, re.S)
            choice = re.match(r"[^\",]*\?\s*(%s):\s*(%s)" % (LITERALS, LITERALS), message.group(1))
            plain = re.match(LITERALS, message.group(1))
            found.update(joined(part) for part in (choice.groups() if choice else [plain.group()] if plain else []))
    return found


class Operations(unittest.TestCase):
    def setUp(self):
        self.page = read("doc", "operations.md")

    def test_every_log_message_has_a_row(self):
        messages = log_messages()
        self.assertIn("run finished", messages)
        self.assertIn("listing", messages)
        section = self.page[self.page.index("### Log lines"):self.page.index("### Reading from S3")]
        rows = set()
        for first in re.findall(r"^\| (`.*?`) \|", section, re.M):
            rows.update(re.findall(r"`([^`]+)`", first))
        wanted = {message.replace("`", "'") for message in messages}
        self.assertEqual(wanted - rows, set(), "messages without a row")

    def test_every_row_is_a_message(self):
        """No advice for what no program says. '..' stands for what varies."""
        names = glob.glob(os.path.join(ROOT, "src", "*", "*.c")) + glob.glob(os.path.join(ROOT, "datasources", "*.c"))
        sources = "".join(read(path) for path in sorted(names))
        said = re.sub(r'"\s*"', "", sources).replace("`", "'").replace('\\"', '"')
        said = re.sub(r"%(\.\*)?(ll|z|l)?[a-z]", "..", said)
        said = re.sub(r'%"\s*PRI\w+\s*"', "..", said)
        others = {"partial write: field type conflict", "database or disk is full", "unable to open database file"}  # of InfluxDB, SQLite
        section = self.page[self.page.index("## Messages"):self.page.index("### Configuration")]
        for cell in re.findall(r"^\| (`.*?`) \|", section, re.M):
            for text in re.findall(r"`([^`]+)`", cell):
                plain = re.sub(r"\b(60|9)\b", "..", text)
                pieces = [piece.strip(" :") for piece in re.split(r"\.\.|JOB", plain)]
                missing = [piece for piece in pieces if len(piece) > 3 and piece not in said]
                self.assertTrue(not missing or text in others, (text, missing))

    def test_policy(self):
        [policy] = re.findall(r"^```json\n(.*?)^```$", self.page, re.M | re.S)
        actions = {statement["Action"]: statement["Resource"] for statement in json.loads(policy)["Statement"]}
        self.assertEqual(set(actions), {"s3:ListBucket", "s3:GetObject"})
        self.assertTrue(actions["s3:GetObject"].endswith("/*"))
        self.assertFalse(actions["s3:ListBucket"].endswith("*"))

    def test_credentials_of_the_command_are_those_of_the_unit(self):
        unit = re.findall(r"^LoadCredential=(\S+)", read("packaging", "loggateway.service"), re.M)
        self.assertEqual(re.findall(r"-p LoadCredential=(\S+)", self.page), unit)


if __name__ == "__main__":
    unittest.main()
