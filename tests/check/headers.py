#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Every header compiles alone, and twice; the public ones also as strict C11 and as C++."""
import os
import subprocess
import sys

import tree

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wundef", "-Wshadow", "-Wconversion", "-Werror", "-fsyntax-only"]
INTERNAL = ["-std=gnu11", "-D_GNU_SOURCE", "-Wno-unused-function"]


def compilers():
    language_c = [["gcc"], ["clang"]]
    language_cpp = [["g++"], ["clang++"]]
    return language_c, language_cpp


def compiles(findings, root, path, name, command):
    text = f'#include "{name}"\n#include "{name}"\nextern int not_empty;\n'
    done = subprocess.run(command + WARNINGS + ["-I", os.path.join(root, "include"), "-I", os.path.join(root, "src"), "-"],
                          input=text, text=True, capture_output=True)
    if done.returncode != 0:
        findings.add(path, 0, f"does not compile alone with {' '.join(command)}\n{done.stderr.strip()}")


def check(root):
    findings = tree.Findings("headers")
    paths = tree.files(root, ["src"], [".h"]) + tree.files(root, ["include"], [".h", ".hpp"])
    language_c, language_cpp = compilers()
    for path in paths:
        name = path.split("/", 1)[1]
        if path.startswith("src/"):
            for compiler in language_c:
                compiles(findings, root, path, name, compiler + INTERNAL + ["-x", "c"])
            continue
        if path.endswith(".h"):
            for compiler in language_c:
                compiles(findings, root, path, name, compiler + ["-std=c11", "-x", "c"])
        # What lgalloc.hpp includes, the second compiler meets there.
        for compiler in language_cpp[:1] if path.startswith("include/lgalloc/cpp/") else language_cpp:
            compiles(findings, root, path, name, compiler + ["-std=c++17", "-x", "c++"])
    return findings.finish(len(paths), "headers")


if __name__ == "__main__":
    sys.exit(check(tree.root_of(sys.argv)))
