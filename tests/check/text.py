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
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start is not None:
            if number - start - 1 > FUNCTION_LINES_MAX:
                findings.add(path, start, f"function of {number - start - 1} lines; at most {FUNCTION_LINES_MAX}")
            start = None


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
