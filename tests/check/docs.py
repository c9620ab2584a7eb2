#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""README names the entry points and they exist; links lead somewhere; tables are whole; one version is named everywhere."""
import os
import re

import tree

NEEDED = ["README.md", "CHANGELOG.md", "CMakeLists.txt", "LICENSE-APACHE", "LICENSE-MIT"]
ENTRY_POINTS = ["tests/run", "bench/run"]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
RULE = re.compile(r"\|[\s:|-]+\|")
VERSION = re.compile(r"#define LG_VERSION_(MAJOR|MINOR|PATCH) (\d+)")


def version_of(root):
    numbers = dict(VERSION.findall("\n".join(tree.lines(root, "include/lgalloc/lgalloc.h"))))
    return ".".join(numbers[part] for part in ["MAJOR", "MINOR", "PATCH"])


def check_entry_points(findings, root):
    readme = "\n".join(tree.lines(root, "README.md"))
    for path in ENTRY_POINTS:
        if f"./{path}" not in readme:
            findings.add("README.md", 0, f"does not name ./{path}")
        if not os.access(os.path.join(root, path), os.X_OK):
            findings.add(path, 0, "is not there or not executable")


def check_links(findings, root, path):
    inside = False
    for number, line in enumerate(tree.lines(root, path), 1):
        if line.lstrip().startswith("```"):
            inside = not inside
        for target in [] if inside else LINK.findall(line):
            target = target.split("#")[0]
            if not target or re.match(r"[a-z]+:", target):
                continue
            if not os.path.exists(os.path.join(root, os.path.dirname(path), target)):
                findings.add(path, number, f"link to '{target}', which is not there")


def check_tables(findings, root, path):
    """Rows behind an empty line are text, unless a table begins there."""
    inside = False
    lines = ["", *tree.lines(root, path), ""]
    for number, (before, line, after) in enumerate(zip(lines, lines[1:], lines[2:]), 1):
        if line.lstrip().startswith("```"):
            inside = not inside
        if not inside and line.startswith("|") and not before.startswith("|") and not RULE.fullmatch(after):
            findings.add(path, number, "a row of no table")


def check_version(findings, root):
    version = version_of(root)
    for path in tree.files(root, ["man"], [".1", ".3", ".7"]):
        for number, line in enumerate(tree.lines(root, path), 1):
            if line.startswith(".TH") and f'"lgalloc {version}"' not in line:
                findings.add(path, number, f'.TH does not name "lgalloc {version}"')
    if f"[{version}]" not in "\n".join(tree.lines(root, "CHANGELOG.md")):
        findings.add("CHANGELOG.md", 0, f"has no [{version}]")
    cmake = "\n".join(tree.lines(root, "CMakeLists.txt"))
    named = re.search(r"project\s*\([^)]*VERSION\s+([\d.]+)", cmake)
    if named and named.group(1) != version:
        findings.add("CMakeLists.txt", 0, f"project version {named.group(1)}, header {version}")


def check(root):
    findings = tree.Findings("docs")
    paths = tree.files(root, None, [".md"])
    for path in NEEDED:
        if not os.path.isfile(os.path.join(root, path)):
            findings.add(path, 0, "is not there")
    if findings.found:
        return findings.finish(len(NEEDED))
    check_entry_points(findings, root)
    check_version(findings, root)
    for path in paths:
        check_links(findings, root, path)
        check_tables(findings, root, path)
    return findings.finish(len(paths))


if __name__ == "__main__":
    tree.run(check)
