#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""clang-format agrees with every C file. With --fix before the root: makes it so."""
import os
import re
import shutil
import subprocess
import sys

import tree

DIRECTORIES = ["bench", "examples", "include", "src", "tests"]
SUFFIXES = [".c", ".h", ".hpp", ".cpp"]
WRONG = re.compile(r"^([^:\n]+):\d+:\d+: (?:error|warning):", re.M)


def formatter():
    for name in ["clang-format-14", "clang-format"]:
        if shutil.which(name):
            version = subprocess.run([name, "--version"], capture_output=True, text=True).stdout
            if " 14." in version:
                return name
    return None


def check(root, fix=False):
    findings = tree.Findings("format")
    command = formatter()
    if command is None:
        print("format: clang-format 14 is not installed")
        return 77
    paths = tree.files(root, DIRECTORIES, SUFFIXES)
    start = [command, "--style=file:" + os.path.join(root, ".clang-format")]
    if fix:
        subprocess.run(start + ["-i"] + paths, cwd=root, check=True)
        return findings.finish(len(paths))
    # One process for all; it names the file of each warning.
    done = subprocess.run(start + ["--dry-run", "-Werror", "--ferror-limit=3"] + paths, cwd=root, capture_output=True, text=True)
    for path in sorted(set(WRONG.findall(done.stderr))):
        findings.add(path, 0, "clang-format would change it (tests/check/format.py --fix)")
    if findings.found or done.returncode != 0:
        findings.add("clang-format", 0, f"status {done.returncode}\n{done.stderr.strip()[:6000]}")
    return findings.finish(len(paths))


if __name__ == "__main__":
    repair = "--fix" in sys.argv
    sys.exit(check(tree.root_of([a for a in sys.argv if a != "--fix"]), repair))
