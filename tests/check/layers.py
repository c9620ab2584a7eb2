#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Includes in src point to the left only, and what a layer hides is included nowhere else."""
import os
import re

import tree

# The last two are side by side: neither may include the other.
LAYERS = ["base", "os", "sync", "store", "remote", "pager", "region", "heap", "metrics"]
ENDS = ["preload", "tool"]
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')

# Who alone may include a header: the reason is in src/README.md.
HIDDEN = [
    (re.compile(r"^(ck_\w+\.h|urcu.*)$"), ("src/sync/",)),
    (re.compile(r"^(sys/mman\.h|sys/syscall\.h|linux/.+|asm/.+)$"), ("src/os/",)),
    (re.compile(r"^(stdatomic\.h)$"), ("src/base/atomic.h", "src/sync/")),
]


def rank(layer):
    return LAYERS.index(layer) if layer in LAYERS else len(LAYERS)


def check_quoted(findings, root, path, number, target, layer):
    parts = target.split("/")
    if len(parts) != 2 or not os.path.isfile(os.path.join(root, "src", target)):
        findings.add(path, number, f'"{target}" is no "layer/noun.h" in src')
        return
    if parts[0] not in LAYERS + ENDS:
        findings.add(path, number, f'"{target}": no such layer')
    elif parts[0] in ENDS and parts[0] != layer:
        findings.add(path, number, f'"{target}": nobody includes {parts[0]}')
    elif rank(parts[0]) > rank(layer):
        findings.add(path, number, f'"{target}": {layer} lies to the left of {parts[0]}')


def check_file(findings, root, path):
    layer = path.split("/")[1]
    if layer not in LAYERS + ENDS:
        findings.add(path, 0, f"'{layer}' is no layer")
        return
    for number, line in enumerate(tree.lines(root, path), 1):
        include = INCLUDE.match(line)
        if not include:
            continue
        quote, target = include.groups()
        if quote == '"':
            check_quoted(findings, root, path, number, target, layer)
        for pattern, allowed in HIDDEN:
            if pattern.match(target) and not path.startswith(allowed):
                findings.add(path, number, f"<{target}> belongs to {allowed[0]}")


def check(root):
    findings = tree.Findings("layers")
    paths = [path for path in tree.files(root, ["src"], [".c", ".h"]) if path.count("/") >= 2]
    for path in tree.files(root, ["src"], [".c", ".h"]):
        if path.count("/") != 2:
            findings.add(path, 0, "not src/layer/noun")
    for path in paths:
        check_file(findings, root, path)
    return findings.finish(len(paths))


if __name__ == "__main__":
    tree.run(check)
