#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""clang-format agrees with every C file. With --fix before the root: makes it so."""
import os
import shutil
import subprocess
import sys

import tree

DIRECTORIES = ["bench", "examples", "include", "src", "tests"]
SUFFIXES = [".c", ".h", ".hpp", ".cpp"]


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
    style = "--style=file:" + os.path.join(root, ".clang-format")
    for path in paths:
        full = os.path.join(root, path)
        if fix:
            subprocess.run([command, style, "-i", full], check=True)
            continue
        done = subprocess.run([command, style, "--dry-run", "-Werror", "--ferror-limit=3", full],
                              capture_output=True, text=True)
        if done.returncode != 0:
            findings.add(path, 0, "clang-format would change it (tests/check/format.py --fix)\n" + done.stderr.strip())
    return findings.finish(len(paths))


if __name__ == "__main__":
    repair = "--fix" in sys.argv
    sys.exit(check(tree.root_of([a for a in sys.argv if a != "--fix"]), repair))
