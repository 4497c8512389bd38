#!/usr/bin/env python3
"""Holds the source to the rules of rules.py. See README.md.

    tidy.py [--root FOLDER] CHECK...     without CHECK: all of them
"""

import argparse
import ast
import fnmatch
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import rules
from source import code_only, functions, line_of

HERE = Path(__file__).resolve().parent
SKIPPED_FOLDERS = {"build", "node_modules", ".git", "__pycache__", ".cache"}
CPP = (".cpp", ".h")
TEXT = CPP + (".md", ".py", ".js", ".ts", ".tsx", ".css", ".html", ".sh", ".txt", ".json", ".jsonc", ".yml", ".conf",
              ".supp", "")


def matches(path, pattern):
    if "**" in pattern:
        return path.startswith(pattern.split("**")[0])
    return fnmatch.fnmatch(path, pattern) and path.count("/") == pattern.count("/")


def any_matches(path, patterns):
    return any(matches(path, pattern) for pattern in patterns)


class Tree:
    """The project's files, read once."""

    def __init__(self, root):
        self.root = Path(root)
        self.texts = {}
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
            for name in sorted(names):
                path = Path(folder, name)
                if path.suffix in TEXT and name != ".git" and not path.is_symlink():
                    try:
                        self.texts[path.relative_to(self.root).as_posix()] = path.read_text(encoding="utf-8")
                    except UnicodeDecodeError:
                        pass  # not a text
        self.cpp = [path for path in self.texts if path.endswith(CPP)]
        self._code = {}

    def code(self, path):
        if path not in self._code:
            self._code[path] = code_only(self.texts[path])
        return self._code[path]


def box_of(path):
    return next((box for pattern, box in rules.BOXES if matches(path, pattern)), None)


def is_pure(path):
    return box_of(path) in rules.PURE and path not in rules.EDGES_IN_PURE_BOXES


def check_includes(tree):
    """Include directions, and each library behind as few files as possible."""
    for path in tree.cpp:
        box = box_of(path)
        if box is None:
            yield f"{path}:1: belongs to no box: add it to BOXES in tests/unit/tidy/rules.py"
            continue
        for number, line in enumerate(tree.texts[path].splitlines(), 1):
            include = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if not include:
                continue
            problem = (own_header(tree, path, box, include[2]) if include[1] == '"' else foreign(path, box, include[2]))
            if problem:
                yield f"{path}:{number}: {problem}"


def own_header(tree, path, box, header):
    if header not in tree.texts:
        return f'"{header}" is not a path from the root of the source'
    target = box_of(header)
    allowed = rules.ARROWS.get(box, [])
    if target == box or "*" in allowed or target in allowed:
        return None
    return f"{box} must not include {target} ({header}); it may include: {', '.join(allowed) or 'nothing else'}"


def foreign(path, box, header):
    for pattern, library, where in rules.LIBRARIES:
        if re.search(pattern, header):
            if any_matches(path, where):
                return None
            return f"{library} is for {', '.join(where)} alone: go through what stands there"
    if rules.SYSTEM_HEADERS.search(header):
        return f"<{header}> in a pure part: hand it to an edge" if is_pure(path) else None
    if "/" in header or header.endswith(".h"):
        return f"<{header}> is of no known library: add it to LIBRARIES in tests/unit/tidy/rules.py"
    if header in rules.IMPURE_HEADERS and is_pure(path):
        return f"<{header}> in a pure part (no sockets, files, clocks, threads or logs): hand it to an edge"
    return None


def check_calls(tree):
    """Banned calls, each with its replacement."""
    for path in tree.cpp:
        bans = [(pattern, instead) for pattern, instead, where in rules.BANS if not any_matches(path, where)]
        if is_pure(path):
            bans += rules.BANNED_IN_PURE
        code = tree.code(path)
        for pattern, instead in bans:
            for found in re.finditer(pattern, code):
                yield f"{path}:{line_of(code, found.start())}: {found.group().strip()!r}: write {instead}"
        if path.endswith(".h") and "#pragma once" not in code:
            yield f"{path}:1: a header begins with #pragma once"


def read_exceptions(tree):
    """`PATH LINES REASON` for a file, `PATH:FUNCTION LINES REASON` for a function."""
    listed = {}
    path = "tests/unit/tidy/exceptions.txt"
    for number, line in enumerate(tree.texts.get(path, "").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            fields = line.split(maxsplit=2)
            if len(fields) < 3 or not fields[1].isdigit():
                raise SystemExit(f"{path}:{number}: expected: what, lines, reason")
            listed[fields[0]] = (int(fields[1]), number)
    return listed


def measured(tree):
    """Yields (what, line, lines, limit) for every file and function."""
    for path, text in tree.texts.items():
        if path.endswith(CPP + (".py", ".ts", ".tsx", ".js")):
            yield path, 1, text.count("\n"), rules.FILE_LINES_MAX
        if path.endswith(CPP):
            for function in functions(tree.code(path)):
                yield f"{path}:{function.name}", function.line, function.lines, rules.FUNCTION_LINES_MAX
        elif path.endswith(".py"):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    lines = node.end_lineno - node.lineno + 1
                    yield f"{path}:{node.name}", node.lineno, lines, rules.FUNCTION_LINES_MAX


def check_size(tree):
    """A ratchet: what is too long is listed with a reason, and may only shrink."""
    listed = read_exceptions(tree)
    largest = {}
    for what, line, lines, limit in measured(tree):
        largest[what] = max(lines, largest.get(what, 0))
        allowed = listed.get(what, (limit, 0))[0]
        if lines > allowed:
            path, _, name = what.partition(":")
            yield f"{path}:{line}: {name or 'the file'} has {lines} lines, {allowed} are allowed: make two of it"
    for what, (allowed, number) in listed.items():
        if largest.get(what, 0) < allowed:
            yield (f"tests/unit/tidy/exceptions.txt:{number}: {what} has only {largest.get(what, 0)} lines by now: "
                   f"write that number, or take the line out")


def check_format(tree):
    """clang-format, and line ends."""
    program = shutil.which("clang-format-14")
    if not program:
        yield "clang-format-14 is not installed: scripts/packages install test"
        return

    def one(path):
        run = subprocess.run([program, "--dry-run", "--ferror-limit=1", str(tree.root / path)], capture_output=True,
                             text=True, check=False)
        found = re.search(r":(\d+):\d+: (warning|error)", run.stderr)
        return f"{path}:{found[1]}: not as clang-format-14 -i {path} writes it" if found else None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from filter(None, pool.map(one, tree.cpp))
    for path, text in tree.texts.items():
        for number, line in enumerate(text.splitlines(), 1):
            if line != line.rstrip():
                yield f"{path}:{number}: blanks at the end of the line"
            if len(line) > rules.LINE_LENGTH_MAX and path.endswith((".py", ".sh")):
                yield f"{path}:{number}: longer than {rules.LINE_LENGTH_MAX} characters"
        if text and not text.endswith("\n"):
            yield f"{path}:{text.count(chr(10)) + 1}: the last line has no end"


def check_texts(tree):
    """Forbidden words, and links between documents that lead nowhere."""
    for path, text in tree.texts.items():
        if path == "tests/unit/tidy/rules.py" or path == "tests/unit/tidy/self_test.py":
            continue
        for pattern, advice in rules.FORBIDDEN_TEXT:
            for found in re.finditer(pattern, text):
                yield f"{path}:{line_of(text, found.start())}: {found.group()!r}: {advice}"
        if path.endswith(".md"):
            for found in re.finditer(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text):
                if not (tree.root / path).parent.joinpath(found[1]).exists():
                    yield f"{path}:{line_of(text, found.start())}: the link to {found[1]} leads nowhere"


CHECKS = {
    "includes": check_includes,
    "calls": check_calls,
    "size": check_size,
    "format": check_format,
    "texts": check_texts,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=HERE.parents[2])
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=", ".join(CHECKS))
    options = parser.parse_args()
    unknown = [name for name in options.checks if name not in CHECKS]
    if unknown:
        parser.error(f"no check {unknown[0]}: {', '.join(CHECKS)}")
    tree = Tree(options.root)
    problems = [problem for name in options.checks or CHECKS for problem in CHECKS[name](tree)]
    print("\n".join(problems) if problems else f"{len(tree.texts)} files, nothing to say")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
