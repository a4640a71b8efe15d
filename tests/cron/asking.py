"""Asks the program of next.c, which stands beside the product in a build folder."""

import os
import subprocess


def program():
    gateway = os.path.abspath(os.environ.get("LOGGATEWAY", "build/src/loggateway"))
    return os.path.join(os.path.dirname(os.path.dirname(gateway)), "tests", "cron", "cron_next")


def ask(lines, *arguments):
    """Gives it all lines, returns its answers."""
    done = subprocess.run([program(), *arguments], input="\n".join(lines) + "\n", capture_output=True, text=True)
    answers = done.stdout.splitlines()
    if done.returncode or len(answers) != len(lines):
        asked = lines[len(answers)] if len(answers) < len(lines) else ""
        raise AssertionError("cron_next: %s after %d answers, at %r" % (done.stderr.strip(), len(answers), asked))
    return answers
