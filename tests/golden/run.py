#!/usr/bin/env python3
"""Golden tests: what `loggateway parse` makes of hand-written records, byte by byte.

usage: run.py PATH/TO/loggateway [parser[/case] ...]

How a case is laid out is said in README.md. Real samples that may lie beside the repository are parsed as well and
held against a reading of them by Python's own json.
"""

import gzip
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

import samples

HERE = pathlib.Path(__file__).resolve().parent
SECRET = b"hush"  # every secret in the inputs has this in it


def expand(text):
    """@<200*{"a":> is that text 200 times, @<xC3 28> these bytes."""

    def replacement(match):
        count, repeated, digits = match.groups()
        return repeated * int(count) if count else bytes.fromhex(digits.decode())

    return re.sub(rb"@<(?:(\d+)\*([^>]+)|x([0-9A-F ]+))>", replacement, text)


def read(case, name, otherwise=b""):
    """The file of the case by that name, or its template expanded."""
    template = case / (name + ".template")
    if template.exists():
        return expand(template.read_bytes())
    plain = case / name
    return plain.read_bytes() if plain.exists() else otherwise


def run(program, arguments, stdin=b"", config=None):
    options = ["-c", str(HERE.parent.parent / config)] if config else []
    command = [str(program), *options, "parse", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=300)


def unquote(value):
    """A value of logfmt; its quoted form has JSON's escapes."""
    if not value.startswith('"'):
        return value
    escapes = {"n": "\n", "r": "\r", "t": "\t"}

    def plain(match):
        code, letter = match.groups()
        return chr(int(code, 16)) if code else escapes.get(letter, letter)

    return re.sub(r"\\(?:u([0-9a-f]{4})|(.))", plain, value[1:-1])


def log_lines(stderr, message):
    """The pairs of each log line with that msg."""
    for line in stderr.decode().splitlines():
        pairs = re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)', line)
        fields = {name: unquote(value) for name, value in pairs}
        if fields.get("msg") == message:
            yield fields


def dead_lines(stderr):
    return [(int(fields["line"]), fields["reason"]) for fields in log_lines(stderr, "dead record")]


def compare_points(expected, got):
    for number, (want, have) in enumerate(zip(expected.splitlines(), got.splitlines()), 1):
        if want != have:
            at = next((i for i, (a, b) in enumerate(zip(want, have)) if a != b), min(len(want), len(have)))
            start = max(0, at - 40)
            return [f"point {number}, byte {at}: wanted ...{want[start:at + 60]!r}, got ...{have[start:at + 60]!r}"]
    if expected != got:
        return [f"wanted {len(expected.splitlines())} points, got {len(got.splitlines())}"]
    return []


def compare_dead(expected, got):
    wanted = [line.split("\t", 1) for line in expected.decode().splitlines()]
    if [int(number) for number, _ in wanted] != [number for number, _ in got]:
        return [f"dead: wanted lines {[number for number, _ in wanted]}, got {got}"]
    return [
        f"line {number}: wanted reason {pattern!r}, got {reason!r}"
        for (_, pattern), (number, reason) in zip(wanted, got)
        if not re.fullmatch(pattern, reason)
    ]


def count_points(expected):
    """A text may go over several lines: a point's last line ends with its time."""
    return len(re.findall(rb" -?\d+$", expected, re.M))


def compare_counts(case, points, dead, stderr):
    duplicates = int(read(case, "expected.duplicates", b"0"))
    wanted = {"read": points + duplicates + dead, "points": points, "duplicate": duplicates, "dead": dead}
    for fields in log_lines(stderr, "parse finished"):
        got = {name: int(fields[name]) for name in wanted}
        return [] if got == wanted else [f"wanted {wanted}, got {got}"]
    return ["no line says how it finished"]


def run_case(program, case, folder):
    """What is wrong, as a list of texts."""
    records = read(case, "input.jsonl")
    name = read(case, "name", b"input.jsonl").decode().strip()
    arguments = shlex.split(read(case, "args").decode())
    config = read(case, "config").decode().strip()
    if name == "-":
        done = run(program, [*arguments, "-"], records, config)
    else:
        file = pathlib.Path(folder) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(records, mtime=0) if name.endswith(".gz") else records)
        done = run(program, [*arguments, str(file)], config=config)
    expected, expected_dead = read(case, "expected.lp"), read(case, "expected.dead")
    dead = dead_lines(done.stderr)
    problems = compare_points(expected, done.stdout) + compare_dead(expected_dead, dead)
    problems += compare_counts(case, count_points(expected), len(expected_dead.splitlines()), done.stderr)
    if done.returncode != (1 if expected_dead else 0):
        problems.append(f"exit code {done.returncode}: {done.stderr[-300:]!r}")
    if SECRET in done.stdout or SECRET in done.stderr:
        problems.append("a secret is in the output")
    return problems


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program, wanted = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    passed = failed = 0
    for case in sorted(path for path in HERE.glob("*/*") if path.is_dir()):
        name = str(case.relative_to(HERE))
        if wanted and not any(name == want or name.startswith(want + "/") for want in wanted):
            continue
        with tempfile.TemporaryDirectory() as folder:
            problems = run_case(program, case, folder)
        for problem in problems:
            print(f"{name}: {problem}")
        failed += bool(problems)
        passed += not problems
    more_passed, more_failed, skipped = (0, 0, 0) if wanted else samples.check(program, run, dead_lines)
    passed, failed = passed + more_passed, failed + more_failed
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
