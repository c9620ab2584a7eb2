#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Licence lines, sizes of files and functions, layout no formatter sees, words nobody wants to read."""
import os
import re

import tree

FILE_LINES_MAX = 650
FUNCTION_LINES_MAX = 80
LICENSE = "SPDX-License-Identifier: Apache-2.0 OR MIT"
CODE = [".c", ".h", ".hpp", ".cpp", ".pml"]
COMMENTED = CODE + [".py", ".sh", ".cmake", "CMakeLists.txt", ".3", ".7", ".1", ".clang-format", ".gp"]
SCRIPTS = {"run", "lgalloc"}
BINARY = (".png", ".svg", ".pdf", ".gz")

# What may stand before a '{' on a line of its own that is not a function's.
SCOPE = re.compile(r"(namespace|class|struct|union)\b")

# Spelled in pieces, so that this file passes its own check.
WORDS = [
    (re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b"), 0),
    (re.compile(r"\b(not[ ]implemented|place[ ]?holder|for[ ]now|st[u]bs?|unimpl[e]mented)\b", re.I), 0),
    (re.compile(r"(?<![\w.}])/(work|root|home)/"), 0),
]


def check_license(findings, path, lines):
    name = os.path.basename(path)
    if not (name.endswith(tuple(COMMENTED)) or name in SCRIPTS):
        return
    if len(lines) <= 2 and lines[0].startswith(".so "):
        return  # a link page: .so must be its first line
    first = 1 if lines[0].startswith("#!") else 0
    if len(lines) <= first or LICENSE not in lines[first]:
        findings.add(path, first + 1, f"no '{LICENSE}' line")


def check_sizes(findings, path, lines):
    if not path.endswith(tuple(CODE)):
        return
    count = len(lines) - 1
    if count > FILE_LINES_MAX:
        findings.add(path, 0, f"{count} lines; at most {FILE_LINES_MAX}")
    check_functions(findings, path, lines)


def opens_a_scope(lines, number):
    """Whether the '{' in this line is that of a namespace or class, not of a function."""
    indent = lines[number][:-1]
    for line in reversed(lines[:number]):
        if not line.startswith(indent):
            return False
        if not line.startswith((indent + "\t", indent + " ")):
            return SCOPE.match(line[len(indent):]) is not None and "(" not in line
    return False


def check_functions(findings, path, lines):
    start = {}
    for number, line in enumerate(lines):
        indent = line[: len(line) - len(line.lstrip("\t"))]
        if line == indent + "{":
            start[indent] = None if opens_a_scope(lines, number) else number
        elif line.startswith(indent + "}") and start.get(indent) is not None:
            count = number - start.pop(indent) - 1
            if count > FUNCTION_LINES_MAX:
                findings.add(path, number - count, f"function of {count} lines; at most {FUNCTION_LINES_MAX}")


def check_layout(findings, path, lines):
    if lines[-1] != "":
        findings.add(path, len(lines), "no newline at the end")
    elif len(lines) > 1 and lines[-2] == "":
        findings.add(path, len(lines) - 1, "empty line at the end")
    for number, line in enumerate(lines, 1):
        if line != line.rstrip() and not path.endswith(".md"):
            findings.add(path, number, "space at the end of the line")
        if path.endswith(tuple(CODE)) and re.match(r"\t* {8}", line):
            findings.add(path, number, "indented with spaces")


def check_words(findings, path, lines):
    for number, line in enumerate(lines, 1):
        for pattern, _ in WORDS:
            found = pattern.search(line)
            if found:
                findings.add(path, number, f"'{found.group(0)}'")


def check(root):
    findings = tree.Findings("text")
    paths = [path for path in tree.files(root) if not path.endswith(BINARY)]
    for path in paths:
        if os.path.basename(path).startswith("LICENSE") or os.path.islink(os.path.join(root, path)):
            continue
        lines = tree.lines(root, path)
        check_license(findings, path, lines)
        check_sizes(findings, path, lines)
        check_layout(findings, path, lines)
        check_words(findings, path, lines)
    return findings.finish(len(paths))


if __name__ == "__main__":
    tree.run(check)
