#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""exports.py ROOT LIBRARY: the shared library exports what the public headers declare, and nothing else."""
import subprocess
import sys

import header
import tree


def exported(library):
    done = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True)
    names = set()
    for line in done.stdout.splitlines():
        kind, name = line.split()[-2:]
        if kind != "A":  # the names of version nodes
            names.add(name.split("@")[0])
    return names


def check(root, library):
    findings = tree.Findings("exports")
    declared = {name for name, inline in header.all_functions(root).items() if not inline}
    names = exported(library)
    for name in sorted(declared - names):
        findings.add(library, 0, f"{name} is declared and not exported")
    for name in sorted(names - declared):
        findings.add(library, 0, f"{name} is exported and not declared in a public header")
    return findings.finish(len(declared & names), "functions")


if __name__ == "__main__":
    sys.exit(check(sys.argv[1], sys.argv[2]))
