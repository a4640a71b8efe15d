"""The Dockerfile, as far as it can be seen without carrying it out: dockerfile_in_chroot does that, on demand."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)

import dockerfile  # noqa: E402


class Dockerfile(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(ROOT, "Dockerfile"), encoding="utf-8") as file:
            self.build, self.image = dockerfile.read(file.read())
        self.folder = tempfile.mkdtemp(prefix="loggateway-dockerfile-")
        self.addCleanup(shutil.rmtree, self.folder)

    def copy(self, source, target):
        self.assertTrue(dockerfile.is_in_context(ROOT, source), "%s: .dockerignore leaves it out" % source)
        source, target = os.path.join(ROOT, source), os.path.join(self.folder, target)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copytree(source, target) if os.path.isdir(source) else shutil.copy(source, target)

    def test_meson_finds_all_that_it_reads(self):
        for words in dockerfile.arguments(self.build, "COPY"):
            for source in words[:-1]:
                self.copy(source, source if words[-1] == "./" else words[-1])
        [setup] = re.findall(r"(meson setup .*?) &&", " ".join(dockerfile.arguments(self.build, "RUN")))
        command = [os.path.join(self.folder, "build") if word == "/build" else word for word in shlex.split(setup)]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr)

    def test_health_is_that_of_the_job(self):
        """By the program itself, since the image has no client, and with the configuration that it runs with."""
        self.assertEqual(self.image.healthcheck, self.image.entrypoint + self.image.command[:-1] + ["status", "--check"])


if __name__ == "__main__":
    unittest.main()
