#!/usr/bin/env python3
"""Writes gateway/mqtt/CONFORMANCE.md: every numbered statement of the standards, with the tests that show it.

    conformance.py [--root FOLDER] [--check]     with --check nothing is written, and what is wrong is told

The statements stand in tests/conformance/clauses_*.txt. A test names what it shows in a comment within it, above it or
beside its name: [MQTT-3.1.2-22] is of 5.0, [MQTT-3.1.2-24 of 3.1.1] of 3.1.1, [MQTT-3.2.2-2, 3.2.2-3] are two. A row of
the packet table counts as a test of its file.
"""

import argparse
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = "gateway/mqtt/CONFORMANCE.md"
STANDARDS = {"3.1.1": "tests/conformance/clauses_3_1_1.txt", "5.0": "tests/conformance/clauses_5_0.txt"}
TAG = re.compile(r"\[MQTT-([0-9][^\]]*?)( of 3\.1\.1)?\]")
# What a tag may belong to: a C++ test, a method of a Python test, a row of the packet table.
CPP_TEST = re.compile(r"^(?:TEST|TEST_F|TEST_P|TYPED_TEST)\((\w+),\s*(\w+)\)", re.M)
PY_TEST = re.compile(r"^    def (test_\w+)\(", re.M)


@dataclass
class Clause:
    who: str
    what: str
    same_as: list = field(default_factory=list)  # clauses of 5.0
    tests: set = field(default_factory=set)


@dataclass
class Standard:
    clauses: dict = field(default_factory=dict)
    untested_max: int = 0


def read_standard(path, problems):
    standard = Standard()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if line.startswith("untested "):
            standard.untested_max = int(line.split()[1])
            continue
        head, _, what = line.partition(" | ")
        name, who, *same = head.split()
        if who not in ("server", "client", "both") or not what or name in standard.clauses:
            problems.append(f"{path.name}:{number}: expected: a new id, server, client or both, '|', what it asks")
            continue
        standard.clauses[name] = Clause(who, what, same[0][1:].split(",") if same else [])
    return standard


def test_at(path, text, place):
    """The test that a tag at `place` belongs to: the one around it, or else the next one."""
    if path.suffix == ".h":
        return f"{path.name} of the packet table"
    pattern = PY_TEST if path.suffix == ".py" else CPP_TEST
    end = re.compile(r"^ {0,4}\S" if path.suffix == ".py" else r"^}", re.M)
    for found in pattern.finditer(text):
        stop = end.search(text, found.end())
        if stop is None or place < stop.start():
            return f"{path.name} {found[1]}" if path.suffix == ".py" else f"{found[1]}.{found[2]}"
    return None


def collect(root, standards, problems):
    files = sorted(p for kind in ("*.cpp", "*.py", "support/packets*.h") for p in (root / "tests").rglob(kind))
    for path in files:
        if "tidy" in path.parts or "node_modules" in path.parts:
            continue
        text = path.read_text(encoding="utf-8")
        for tag in TAG.finditer(text):
            test = test_at(path, text, tag.start())
            standard = standards["3.1.1" if tag[2] else "5.0"]
            where = f"{path.relative_to(root)}:{text.count(chr(10), 0, tag.start()) + 1}"
            if test is None:
                if path.match("unit/**/*.cpp") or path.match("system/*.py"):
                    problems.append(f"{where}: {tag[0]} stands at no test")
                continue
            for name in (part.strip() for part in tag[1].split(",")):
                if name in standard.clauses:
                    standard.clauses[name].tests.add(test)
                else:
                    problems.append(f"{where}: there is no [MQTT-{name}] in that standard")


def inherit(standards, problems):
    """Clauses of 3.1.1 that are the same rule as some of 5.0 are shown by their tests, if all of them are."""
    for name, clause in standards["3.1.1"].clauses.items():
        for other in clause.same_as:
            if other not in standards["5.0"].clauses:
                problems.append(f"clauses_3_1_1.txt: {name}: 5.0 has no {other}")
        shown = [standards["5.0"].clauses[o].tests for o in clause.same_as if o in standards["5.0"].clauses]
        if shown and all(shown):
            clause.tests.update(*shown)


def missing(standard):
    return [name for name, clause in standard.clauses.items() if clause.who != "client" and not clause.tests]


def page(standards):
    lines = [
        "# Conformance", "",
        "Every numbered statement of the standards, and the tests that show it. Written by",
        "`tests/unit/tidy/conformance.py` from `tests/conformance` and the tags in the tests; a test of the label",
        "`tidy` holds it up to date. Statements that bind clients alone are left out.", "",
    ]
    for version, standard in standards.items():
        binding = [c for c in standard.clauses.values() if c.who != "client"]
        lines.append(f"- MQTT {version}: {len(binding)} statements bind a server, "
                     f"**{len(missing(standard))} have no test**.")
    for version, standard in standards.items():
        lines += ["", f"## MQTT {version}", "", "| statement | asks | tests |", "|---|---|---|"]
        for name, clause in standard.clauses.items():
            if clause.who != "client":
                tests = ", ".join(sorted(clause.tests)) or "**none**"
                lines.append(f"| {name} | {clause.what} | {tests} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=HERE.parents[2])
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    root, problems = Path(options.root), []
    standards = {version: read_standard(root / path, problems) for version, path in STANDARDS.items()}
    collect(root, standards, problems)
    inherit(standards, problems)
    text = page(standards)
    if not options.check:
        (root / PAGE).write_text(text, encoding="utf-8")
    elif not (root / PAGE).exists() or (root / PAGE).read_text(encoding="utf-8") != text:
        problems.append(f"{PAGE} is not up to date: run tests/unit/tidy/conformance.py")
    for version, standard in standards.items():
        without = missing(standard)
        if len(without) > standard.untested_max:
            problems.append(f"MQTT {version}: {len(without)} statements without a test, {standard.untested_max} are "
                            f"allowed: {', '.join(without)}")
        elif len(without) < standard.untested_max:
            problems.append(f"{STANDARDS[version]}: only {len(without)} are without a test: write that number")
    print("\n".join(problems) if problems else f"{PAGE}: nothing to say")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
