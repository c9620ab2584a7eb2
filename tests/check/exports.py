#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""
exports.py ROOT LIBRARY: the shared library exports what the public headers declare, and nothing else; each
with the version of a release not later than the headers', each such version after the one before; and the
soname has the number of CMakeLists.txt.
"""
import re
import subprocess
import sys

import docs
import header
import tree

MAP = "src/lgalloc.map"
VERSION = re.compile(r"LGALLOC_(\d+)\.(\d+)")


def exported(library):
    """[(name, version or "")], a name once for each of its versions"""
    done = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True)
    found = []
    for line in done.stdout.splitlines():
        kind, name = line.split()[-2:]
        if kind != "A":  # the names of version nodes
            found.append((name.split("@")[0], name.split("@")[-1] if "@" in name else ""))
    return found


def soname(library):
    done = subprocess.run(["readelf", "-W", "-d", library], capture_output=True, text=True, check=True)
    named = re.search(r"\(SONAME\).*\[(.*)\]", done.stdout)
    return named.group(1) if named else "none"


def check_versions(findings, root, library, symbols):
    released = tuple(int(number) for number in docs.version_of(root).split(".")[:2])
    for name, version in symbols:
        of = VERSION.fullmatch(version)
        if of is None:
            findings.add(library, 0, f"{name} has {'the version ' + version if version else 'no version'}, not LGALLOC_X.Y")
        elif (int(of.group(1)), int(of.group(2))) > released:
            findings.add(library, 0, f"{name} has the version {version}, later than the headers'")


def check_map(findings, root):
    text = re.sub(r"/\*.*?\*/", " ", "\n".join(tree.lines(root, MAP)), flags=re.S)
    before = ""
    for node, after in re.findall(r"(\w[\w.]*)?\s*\{[^}]*\}\s*([\w.]*)\s*;", text):
        if after != before:
            findings.add(MAP, 0, f"{node or 'a node without a name'} comes after {after or 'nothing'}, not {before or 'nothing'}")
        before = node


def check_soname(findings, root, library):
    number = re.search(r"set\(soname_number (\d+)\)", "\n".join(tree.lines(root, "CMakeLists.txt")))
    if number is None:
        findings.add("CMakeLists.txt", 0, "sets no soname_number")
    elif soname(library) != f"liblgalloc.so.{number.group(1)}":
        findings.add(library, 0, f"its soname is {soname(library)}, not liblgalloc.so.{number.group(1)}")


def check(root, library):
    findings = tree.Findings("exports")
    declared = {name for name, inline in header.all_functions(root).items() if not inline}
    symbols = exported(library)
    names = {name for name, _ in symbols}
    for name in sorted(declared - names):
        findings.add(library, 0, f"{name} is declared and not exported")
    for name in sorted(names - declared):
        findings.add(library, 0, f"{name} is exported and not declared in a public header")
    check_versions(findings, root, library, symbols)
    check_map(findings, root)
    check_soname(findings, root, library)
    return findings.finish(len(declared & names), "functions")


if __name__ == "__main__":
    sys.exit(check(sys.argv[1], sys.argv[2]))
