"""The checks. Each takes a Tree and returns a list of findings, empty when all is well; it raises Skip when its tool is
not there."""

import glob
import os
import re

from tree import Skip, without_comments_and_strings

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60

# room : the rooms whose headers it may include, besides its own. Downwards only.
BELOW = {
    "api": set(),
    "base": {"api"},
    "data": {"api", "base"},
    "input": {"api", "base", "data"},
    "config": {"api", "base", "data"},
    "net": {"api", "base", "data"},
    "parsers": {"api", "base"},
    "modules": {"api", "base", "data", "input", "config", "net"},
    "ledger": {"api", "base", "data", "config"},
    "verify": {"api", "base", "data", "config", "ledger"},
    "schedule": {"api", "base", "config"},
    "run": {"api", "base", "data", "input", "config", "net", "modules", "ledger"},
    "report": {"api", "base", "data", "config", "ledger", "verify"},
    "commands": {
        "api", "base", "data", "input", "config", "net", "modules", "ledger", "verify", "schedule", "run", "report",
    },
    "main": {"api", "base", "data", "input", "config", "net", "modules", "commands"},
}
API_MAY_INCLUDE = {"base/slice.h", "base/buf.h"}
ROOM_OF_FOLDER = {"src/encoders": "modules", "datasources": "modules", "parsers": "parsers"}
ROOM_OF_FILE = {"src/main.c": "main", "src/modules.h": "modules"}

FORBIDDEN_CALLS = (
    "strcpy strcat sprintf vsprintf gets strtok system popen localtime gmtime asctime ctime rand srand atoi atol"
)
# A function in a header, by its first line.
DECLARED = re.compile(r"^(?!static\b|typedef\b)[a-z][\w *]*?\b(\w+)\((?!\*)", re.M)
FORBIDDEN_WORDS = ["TO" + "DO", "FIX" + "ME", "X" * 3]
MACHINE_PATHS = ["/" + "work/", "/" + "root/", "bash" + "_jobs"]
SPELLING_IGNORE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "spelling-ignore.txt")  # one word per line
CPPCHECK_MISTAKES = [
    "missingInclude",  # headers of libraries
    "varFuncNullUB",  # NULL is a pointer wherever we build, and the sentinel attribute checks that it is there
    "ctuuninitvar:src/base/err.c",  # it takes the err that is to be filled for one to be read
]


def room_of(name):
    folder = os.path.dirname(name)
    if name in ROOM_OF_FILE:
        return ROOM_OF_FILE[name]
    return ROOM_OF_FOLDER.get(folder, folder.removeprefix("src/"))


def resolve(tree, name, included):
    """The name of an included file: beside the including one, or below src."""
    beside = os.path.join(os.path.dirname(name), included)
    return beside if "/" not in included and beside in tree.names else "src/" + included


def layers(tree):
    """Includes go downwards only."""
    findings = []
    for name in tree.product_c_files():
        room = room_of(name)
        for number, line in enumerate(tree.lines(name), 1):
            match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not match:
                continue
            target = room_of(resolve(tree, name, match.group(1)))
            allowed = target == room or target in BELOW.get(room, ())
            if not allowed and not (room == "api" and match.group(1) in API_MAY_INCLUDE):
                findings.append(f"{name}:{number}: {room} must not include {match.group(1)} ({target})")
    return findings


def lengths(tree):
    """Files and functions that fit in a head."""
    findings = []
    for name in tree.c_files():
        lines = tree.lines(name)
        if len(lines) > FILE_LINES_MAX:
            findings.append(f"{name}: {len(lines)} lines, at most {FILE_LINES_MAX}")
        begin = None
        for number, line in enumerate(lines, 1):
            if line == "{":
                begin = number
            elif line == "}" and begin:
                if number - begin + 1 > FUNCTION_LINES_MAX:
                    findings.append(f"{name}:{begin}: a function of {number - begin + 1} lines")
                begin = None
    return findings


def used(tree):
    """What a header offers, somebody else takes: each header is included by more than its own file, each function is
    named in more than the file it is in. A test is somebody; a namesake elsewhere passes for a caller."""
    code = {name: without_comments_and_strings(tree.text(name)) for name in tree.names if name.endswith((".c", ".h", ".c.in"))}
    words = {name: re.findall(r"\w+", text) for name, text in code.items()}
    findings = []
    for header in [name for name in tree.product_c_files() if name.endswith(".h")]:
        include = re.compile(r'#\s*include\s+"(.*/)?' + re.escape(os.path.basename(header)) + '"')
        if not any(include.search(tree.text(name)) for name in code if name not in (header, header[:-1] + "c")):
            findings.append(f"{header}: nobody but its own file includes it")
        for function in DECLARED.findall(code[header]):
            places = [name for name in words if name != header and function in words[name]]
            if len(places) < 2 and words[header].count(function) < 2:
                findings.append(f"{header}: {function}(): nobody else calls it")
    return findings


def globals_(tree):
    """No variable outlives its function: nothing in .data or .bss of the product's libraries."""
    if not tree.build:
        raise Skip("no build folder given")
    archives = sorted(glob.glob(os.path.join(tree.build, "src", "lib*.a")))
    if not archives:
        return [f"no libraries in {tree.build}/src"]
    findings = []
    for archive in archives:
        code, lines = tree.run("objdump", "-t", archive)
        if code:
            findings += lines[:5]
        for line in lines:
            match = re.match(r"[0-9a-f]{8,16} .{7} (\S+)\t([0-9a-f]+) (?:\.hidden )?(.*)", line)
            if match and int(match.group(2), 16) and is_variable(match.group(1), match.group(3)):
                findings.append(f"{os.path.basename(archive)}: {match.group(3)} in {match.group(1)}")
    return findings


def is_variable(section, symbol):
    """Const tables with addresses in them are .data.rel.ro; sanitizers and coverage add symbols of their own."""
    if section.startswith(".data.rel.ro") or re.search(r"asan|ubsan|sancov|sanitizer|llvm|gcov", symbol, re.I):
        return False
    return section == "*COM*" or re.match(r"\.(t?data|t?bss)\b", section) is not None


def style(tree):
    """What clang-format makes of it."""
    files = tree.c_files()
    code, lines = tree.run("clang-format", "--dry-run", "-Werror", *files)
    return [line for line in lines if "error:" in line] or (lines if code else [])


def calls(tree):
    """Functions that overrun, keep hidden state, or start a shell."""
    pattern = re.compile(r"(?<![\w.>])(" + FORBIDDEN_CALLS.replace(" ", "|") + r")\s*\(")
    findings = []
    for name in tree.c_files():
        code = without_comments_and_strings(tree.text(name))
        for number, line in enumerate(code.splitlines(), 1):
            findings += [f"{name}:{number}: {match}()" for match in pattern.findall(line)]
    return findings


def words(tree):
    """Notes to oneself and paths of somebody's machine."""
    patterns = [r"\b" + word + r"\b" for word in FORBIDDEN_WORDS] + [re.escape(path) for path in MACHINE_PATHS]
    pattern = re.compile("|".join(patterns))
    findings = []
    for name in tree.text_files():
        for number, line in enumerate(tree.lines(name), 1):
            findings += [f"{name}:{number}: {match}" for match in pattern.findall(line)]
    return findings


def openings(tree):
    """Each C file begins with a comment that says what it is."""
    return [f"{name}: does not begin with a comment" for name in tree.c_files() if tree.text(name)[:2] != "/*"]


def shell(tree):
    files = tree.scripts("(sh|bash|dash)", ".sh")
    if not files:
        raise Skip("no shell scripts")
    code, lines = tree.run("shellcheck", "--format=gcc", *files)
    return lines if code else []


def python(tree):
    findings = []
    for name in tree.scripts("python3?", ".py"):
        try:
            compile(tree.text(name), name, "exec")
        except (SyntaxError, ValueError) as error:
            findings.append(f"{name}: {error}")
    return findings


def cppcheck(tree):
    command = ["cppcheck", "--enable=warning,portability", "--error-exitcode=1", "--inline-suppr", "--quiet"]
    command += ["--std=c11", "--platform=unix64", "-D__GNUC__=12", "-D__x86_64__", "-D__SSE2__", "-DHAVE_ISAL"]
    command += ["-Isrc", "--template={file}:{line}: {id}: {message}"]
    command += ["--suppress=" + mistake for mistake in CPPCHECK_MISTAKES]
    code, lines = tree.run(*command, *[name for name in tree.product_c_files() if name.endswith(".c")])
    return [line for line in lines if line.strip()] or ["cppcheck failed"] if code else []


def spelling(tree):
    files = [name for name in tree.text_files() if name not in ("LICENSE", "tests/lint/spelling-ignore.txt")]
    code, lines = tree.run("codespell", "--ignore-words", SPELLING_IGNORE, *files)
    return lines or ["codespell failed"] if code else []


ALL = {
    "layers": layers,
    "lengths": lengths,
    "used": used,
    "globals": globals_,
    "style": style,
    "calls": calls,
    "words": words,
    "openings": openings,
    "shell": shell,
    "python": python,
    "cppcheck": cppcheck,
    "spelling": spelling,
}
