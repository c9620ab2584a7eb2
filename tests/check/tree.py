# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The source tree: which files a check looks at, and how it reports what it found."""
import os
import sys

DIRECTORIES = [".ci", "bench", "cmake", "completions", "docs", "examples", "include", "man", "src", "tests"]
SKIPPED = {".git", "__pycache__"}


def files(root, directories=None, suffixes=None):
    """Paths relative to root, sorted; the top directory's own files too if no directories are given."""
    found = []
    if directories is None:
        found += [name for name in os.listdir(root) if os.path.isfile(os.path.join(root, name))]
    for directory in directories or DIRECTORIES:
        for path, inner, names in os.walk(os.path.join(root, directory)):
            inner[:] = [d for d in inner if d not in SKIPPED and not d.startswith("build")]
            found += [os.path.relpath(os.path.join(path, name), root) for name in names]
    if suffixes is not None:
        found = [name for name in found if name.endswith(tuple(suffixes))]
    return sorted(found)


def lines(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read().split("\n")


class Findings:
    """Collects "file:line: what"; finish() prints them and is the exit status."""

    def __init__(self, name):
        self.name = name
        self.found = []
        self.looked = 0

    def add(self, path, line, what):
        self.found.append(f"{path}:{line}: {what}" if line else f"{path}: {what}")

    def finish(self, looked, unit="files"):
        for line in self.found:
            print(line)
        if looked == 0:
            print(f"{self.name}: nothing to look at, which is a failure too")
            return 1
        print(f"{self.name}: {looked} {unit}, {len(self.found)} findings")
        return 1 if self.found else 0


def root_of(arguments):
    """The tree named by the first argument, or the one this file is in."""
    if len(arguments) > 1:
        return arguments[1]
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(check):
    sys.exit(check(root_of(sys.argv)))
