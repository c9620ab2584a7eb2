# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What the public headers declare: the functions, and which of them are inline."""
import re

import tree


def text_of(root, path):
    text = "\n".join(tree.lines(root, path)).replace("\\\n", " ")
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r"//[^\n]*", " ", text)
    text = re.sub(r"^[ \t]*#[^\n]*", " ", text, flags=re.M)
    return re.sub(r'extern\s+"C"\s*\{', " ", text)


def functions(root, path):
    """{name: True if inline}"""
    text = text_of(root, path)
    while True:
        shorter = re.sub(r"\{[^{}]*\}", ";", text)
        if shorter == text:
            break
        text = shorter
    found = {}
    for statement in text.split(";"):
        declared = re.match(r"\s*((?:[\w]+[\s*]+)+)(lg_\w+)\s*\(", statement)
        if declared and not declared.group(1).lstrip().startswith("typedef"):
            found[declared.group(2)] = "inline" in declared.group(1).split()
    return found


def all_functions(root):
    found = {}
    for path in tree.files(root, ["include"], [".h"]):
        found.update(functions(root, path))
    return found
