"""Shows that each check can fail: runs it on small trees with one fault each, and on one without."""

import os
import shutil
import subprocess
import tempfile

import checks
from tree import Skip, Tree

GOOD_C = "/* good: nothing to find here. */\nint good(int number)\n{\n    return number + 1;\n}\n"
LONG_FUNCTION = "/* long */\nvoid f(void)\n{\n" + "    ;\n" * 59 + "}\n"
SIXTY_LINES = "/* long */\nvoid f(void)\n{\n" + "    ;\n" * 58 + "}\n"

# check : [(faulty file, its text, and perhaps files beside it)]. Words that the check of words would find here too are put together from halves.
FAULTS = {
    "layers": [
        ("src/base/a.c", '/* */\n#include "data/scan.h"\n'),
        ("src/api/a.h", '/* */\n#include "base/arena.h"\n'),
        ("src/input/a.c", '/* */\n#include "net/http.h"\n'),
        ("src/net/a.c", '/* */\n#include "modules.h"\n'),
        ("src/encoders/a.c", '/* */\n  #  include "ledger/ledger.h"\n'),
        ("parsers/a.c", '/* */\n#include "data/scan.h"\n'),
        ("datasources/a.c", '/* */\n#include "ledger/ledger.h"\n'),
    ],
    "lengths": [("src/base/a.c", "/* */\n" * 501), ("tests/unit/a.c", LONG_FUNCTION)],
    "used": [
        ("src/base/a.h", "/* */\n", ("src/base/a.c", '/* */\n#include "base/a.h"\n')),
        ("src/base/good.h", "/* */\nint good(int number);\n", ("tests/a.c", '#include "base/good.h"\n/* good() */\n')),
        ("src/base/good.h", "/* */\nvoid *none(int a,\n           int b);\n", ("tests/a.c", '#include "base/good.h"\n')),
    ],
    "globals": [
        ("src/base/a.c", "static int count;\nint next(void)\n{\n    return count++;\n}\n"),
        ("src/base/a.c", "int initialised = 7;\n"),
        ("src/base/a.c", "int next(void)\n{\n    static int count = 3;\n    return count++;\n}\n"),
        ("src/base/a.c", "__thread int per_thread;\n"),
        ("src/base/a.c", "const char *names[] = {\"a\", \"b\"};\n"),
    ],
    "style": [("src/base/a.c", "/* */\nint f(void) {\n  return 1;\n}\n")],
    "calls": [
        ("src/base/a.c", "/* */\nvoid f(char *to)\n{\n    strcpy (to, \"x\");\n}\n"),
        ("tests/unit/a.c", "/* */\nint f(void)\n{\n    return atoi(\"1\");\n}\n"),
    ],
    "words": [
        ("src/base/a.c", "/* TO" + "DO: later */\n"),
        ("doc/a.md", "see /" + "work/main\n"),
        ("scripts/a", "# FIX" + "ME\n"),
    ],
    "openings": [("src/base/a.h", "#include <stdio.h>\n")],
    "shell": [("scripts/a", "#!/bin/sh\ncd $1\n"), (".ci/run", "#!/bin/sh\nrm -r $HOME/$undefined\n")],
    "python": [("tests/a.py", "def f(:\n"), ("scripts/a", "#!/usr/bin/env python3\nprint 'x'\n")],
    "cppcheck": [("src/base/a.c", "/* */\nint f(void)\n{\n    int a[2] = {0, 0};\n    return a[2];\n}\n")],
    "spelling": [("doc/a.md", "This is t" + "eh wrong word.\n")],
}

# check : files that come close and are right
GOOD = {
    "layers": [
        ("src/api/a.h", '/* */\n#include "base/slice.h"\n'),
        ("src/base/a.c", '/* */\n#include "api/status.h"\n#include <zlib.h>\n'),
        ("parsers/a.c", '/* */\n#include "api/parser.h"\n#include "base/timestamp.h"\n'),
        ("datasources/local.h", "/* */\n"),
        ("datasources/a.c", '/* */\n#include "local.h"\n#include "net/s3.h"\n'),
        ("src/main.c", '/* */\n#include "modules.h"\n#include "commands/cli.h"\n'),
    ],
    "lengths": [("src/base/a.c", "/* */\n" * 500), ("src/base/b.c", SIXTY_LINES)],
    "used": [
        ("src/base/good.h", "/* */\nint good(int number);\n"),
        ("src/base/b.h", "/* */\nvoid *end(int a,\n          int b);\n#define END end(1, 2)\nstruct b {\n    int (*call)(int);\n};\n"),
        ("src/modules.c.in", '#include "base/b.h"\n#include "base/good.h"\nint three(void)\n{\n    return good(2);\n}\n'),
    ],
    "globals": [
        ("src/base/a.c", "static const char *const names[] = {\"a\", \"b\"};\nconst char *f(int i)\n{\n    return names[i];\n}\n")
    ],
    "calls": [("src/base/a.c", "/* not strcpy() */\nvoid f(void)\n{\n    my_system(\"atoi(1)\");\n    x->rand();\n}\n")],
    "shell": [("scripts/a", '#!/bin/sh\nset -eu\ncd "$1"\n')],
    "words": [("src/base/a.c", '/* mkdtemp("XXXXXX") */\n')],
}


def write(root, name, text):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def build(root):
    """Compiles the C files below src/base into build/src/libbase.a, as the real build would."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler or not shutil.which("ar"):
        raise Skip("no compiler")
    folder = os.path.join(root, "build", "src")
    os.makedirs(folder)
    base = os.path.join(root, "src", "base")
    objects = []
    for name in sorted(os.listdir(base)):
        objects.append(os.path.join(folder, name + ".o"))
        subprocess.run([compiler, "-fPIC", "-fno-common", "-c", os.path.join(base, name), "-o", objects[-1]], check=True)
    subprocess.run(["ar", "rcs", os.path.join(folder, "libbase.a"), *objects], check=True)
    return os.path.join(root, "build")


def findings_in(repo, check, files):
    """What a check finds in a tree of these files and one that is right."""
    with tempfile.TemporaryDirectory() as root:
        shutil.copy(os.path.join(repo, ".clang-format"), root)
        for name, text in [("src/base/good.c", GOOD_C)] + files:
            write(root, name, text)
        return checks.ALL[check](Tree(root, build(root) if check == "globals" else None))


def finds(repo, check, fault):
    name, text, *others = fault
    return [] if findings_in(repo, check, [(name, text), *others]) else [f"did not find the fault in {name}: {text[:60]!r}"]


def runs(repo):
    """[(name, function)]: each fault is found, each good tree passes."""
    missing = set(checks.ALL) - set(FAULTS)
    rows = [("every check has a fault", lambda: [f"none for {name}" for name in sorted(missing)])]
    for check, faults in FAULTS.items():
        for number, fault in enumerate(faults, 1):
            rows.append((f"{check} finds fault {number}", lambda c=check, f=fault: finds(repo, c, f)))
        rows.append((f"{check} passes what is right", lambda c=check: findings_in(repo, c, GOOD.get(c, []))))
    return rows
