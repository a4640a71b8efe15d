"""Reads a Dockerfile as far as ours goes: an instruction that is not known here is an error, not passed over."""

import json
import os
import shlex

SHELL = {"RUN"}
WORDS = {"FROM", "WORKDIR", "COPY", "USER", "ENV", "VOLUME"}


class Stage:
    def __init__(self, base, name):
        self.base, self.name = base, name
        self.steps = []  # (instruction, its arguments), in order
        self.entrypoint, self.command, self.healthcheck = [], [], []


def logical_lines(text):
    """Lines with their continuations, without comments."""
    whole = ""
    for line in text.splitlines():
        if line.lstrip().startswith("#") or not (line.strip() or whole):
            continue
        whole += line[:-1] if line.endswith("\\") else line
        if not line.endswith("\\"):
            yield whole.strip()
            whole = ""
    if whole:
        raise ValueError("the last line is continued")


def read_from(words):
    if len(words) == 3 and words[1].upper() == "AS":
        return Stage(words[0], words[2])
    if len(words) != 1:
        raise ValueError("FROM %s" % " ".join(words))
    return Stage(words[0], None)


def read_healthcheck(text):
    """The command, without the --options before it."""
    options, found, command = text.partition("CMD ")
    if not found or any(not word.startswith("--") for word in options.split()):
        raise ValueError("HEALTHCHECK %s" % text)
    return json.loads(command)


def read(text):
    """The stages of a Dockerfile."""
    stages = []
    for line in logical_lines(text):
        instruction, _, rest = line.partition(" ")
        rest = rest.strip()
        if instruction == "FROM":
            stages.append(read_from(rest.split()))
        elif instruction in SHELL:
            stages[-1].steps.append((instruction, rest))
        elif instruction in WORDS:
            stages[-1].steps.append((instruction, shlex.split(rest)))
        elif instruction == "ENTRYPOINT":
            stages[-1].entrypoint = json.loads(rest)
        elif instruction == "CMD":
            stages[-1].command = json.loads(rest)
        elif instruction == "HEALTHCHECK":
            stages[-1].healthcheck = read_healthcheck(rest)
        else:
            raise ValueError("%s is not known here" % instruction)
    return stages


def arguments(stage, instruction):
    """All arguments of one kind of step, in order."""
    return [rest for kind, rest in stage.steps if kind == instruction]


def is_in_context(root, source):
    """Whether root's .dockerignore lets it through: it leaves all out and takes some back."""
    with open(os.path.join(root, ".dockerignore"), encoding="utf-8") as file:
        lines = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    if lines[0] != "*" or not all(line.startswith("!") for line in lines[1:]):
        raise ValueError(".dockerignore has lines that are not understood here")
    return any(source == line[1:] or source.startswith(line[1:] + "/") for line in lines[1:])
