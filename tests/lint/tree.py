"""The files that the checks look at, and how they call other tools."""

import os
import re
import shutil
import subprocess


class Skip(Exception):
    """A check that cannot be made here; the text says why."""


class Tree:
    """A source tree: names are relative to its root. build: the folder of a finished build, or None."""

    def __init__(self, root, build=None):
        self.root = root
        self.build = build
        self.names = sorted(name for name in self._listed() if os.path.isfile(self.path(name)))

    def _listed(self):
        """What git knows or would take; outside of a checkout, all files."""
        if os.path.exists(self.path(".git")) and shutil.which("git"):
            command = ["git", "-C", self.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")[:-1]
        names = []
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if not re.match(r"build|__pycache__|\.git$", name)]
            names += [os.path.relpath(os.path.join(folder, name), self.root) for name in files]
        return names

    def path(self, name):
        return os.path.join(self.root, name)

    def text(self, name):
        with open(self.path(name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def lines(self, name):
        return self.text(name).splitlines()

    def c_files(self):
        return [name for name in self.names if name.endswith((".c", ".h"))]

    def product_c_files(self):
        return [name for name in self.c_files() if name.startswith(("src/", "parsers/", "datasources/"))]

    def text_files(self):
        """All but the inputs of fuzz targets, recorded data and binaries."""
        return [
            name
            for name in self.names
            if not name.startswith("tests/fuzz/corpora/") and "\0" not in self.text(name)
        ]

    def scripts(self, interpreter, suffix):
        """Files with that suffix or a first line that names the interpreter."""
        first = re.compile(r"#!.*\b" + interpreter)
        return [
            name
            for name in self.text_files()
            if name.endswith(suffix) or first.match(self.text(name)[:80])
        ]

    def run(self, *command):
        """Runs a tool at the root. Returns its exit code and the lines of its output."""
        if not shutil.which(command[0]):
            raise Skip(f"{command[0]} is not installed")
        done = subprocess.run(
            command, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace"
        )
        return done.returncode, done.stdout.splitlines()


def without_comments_and_strings(text):
    """The C code only; line numbers stay as they are."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, lambda match: '""' + "\n" * match.group().count("\n"), text, flags=re.S)
