#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Every check finds what it is there to find: each is given a copy of the tree with one thing made wrong."""
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile

import docs
import exports
import format as layout
import headers
import hitpath
import layers
import manual
import model
import text
import tree

SPDX = "/* SPDX-License-Identifier: Apache-2.0 OR MIT */\n"
LONG_MEMBER = SPDX + "namespace lg\n{\n\nclass c\n{\n\tvoid f()\n\t{\n" + "\t\tf();\n" * (text.FUNCTION_LINES_MAX + 1) + "\t}\n};\n\n}\n"
LONG_CLASS = SPDX + "namespace lg\n{\n\nclass c\n\t: d\n{\n" + "\tint f();\n" * (text.FUNCTION_LINES_MAX + 1) + "};\n\n}\n"
LONG_FUNCTION = SPDX + "void f(void)\n{\n" + "\tf();\n" * (text.FUNCTION_LINES_MAX + 1) + "}\n"

# (claim, check, file, what to do with its text, what the finding says)
CASES = [
    ("a missing licence line", text.check, "src/base/bad.c", lambda _: "int x;\n", "SPDX"),
    ("a long function", text.check, "src/base/bad.c", lambda _: LONG_FUNCTION, "function of"),
    ("a long member function", text.check, "include/lgalloc/bad.hpp", lambda _: LONG_MEMBER, "bad.hpp:8: function of"),
    ("a long file", text.check, "src/base/bad.c", lambda _: SPDX + "int x;\n" * 700, "701 lines"),
    ("an unfinished thing", text.check, "src/base/bad.c", lambda _: SPDX + "/* TO" "DO: more */\n", "'TO" "DO'"),
    ("a word of delay", text.check, "docs/bad.md", lambda _: "good enough for" " now\n", "for" " now"),
    ("a path of one machine", text.check, "docs/bad.md", lambda _: "see /ro" "ot/x\n", "/ro" "ot/"),
    ("a space at the end", text.check, "src/base/bad.c", lambda _: SPDX + "int x; \n", "space at the end"),
    ("spaces for tabs", text.check, "src/base/bad.c", lambda _: SPDX + "int f(void)\n{\n        return 0;\n}\n", "spaces"),
    ("an include to the right", layers.check, "src/base/bad.c", lambda _: SPDX + '#include "os/map.h"\n', "to the left"),
    ("an include of nothing", layers.check, "src/os/bad.c", lambda _: SPDX + '#include "gone.h"\n', "no \"layer"),
    ("ck outside sync", layers.check, "src/region/bad.c", lambda _: SPDX + "#include <ck_stack.h>\n", "src/sync"),
    ("urcu outside sync", layers.check, "src/metrics/bad.c", lambda _: SPDX + "#include <urcu/bp.h>\n", "src/sync"),
    ("a system header outside os", layers.check, "src/region/bad.c", lambda _: SPDX + "#include <sys/mman.h>\n", "src/os"),
    ("a file of no layer", layers.check, "src/utils/bad.c", lambda _: SPDX, "no layer"),
    ("a header that needs another", headers.check, "src/base/bad.h", lambda _: SPDX + "size_t x(void);\n", "alone"),
    ("a header without a guard", headers.check, "src/base/bad.h", lambda _: SPDX + "struct bad { int x; };\n", "alone"),
    ("a public header C++ refuses", headers.check, "include/lgalloc/lgalloc.h",
     lambda old: old.replace("struct lg_region_view {", "struct lg_region_view {\n\tint class;"), "alone"),
    ("a C++ header that needs another", headers.check, "include/lgalloc/bad.hpp",
     lambda _: SPDX + "#pragma once\nstd::size_t x();\n", "alone"),
    ("a bad layout in C++", layout.check, "include/lgalloc/bad.hpp", lambda _: SPDX + "namespace lg {\n}\n", "clang-format"),
    ("a bad layout", layout.check, "src/base/bad.c", lambda _: SPDX + "int f( int x ) { return x; }\n", "clang-format"),
    ("a dead link", docs.check, "docs/bad.md", lambda _: "[x](gone.md)\n", "gone.md"),
    ("a row behind a table's end", docs.check, "docs/bad.md", lambda _: "| a |\n|---|\n| b |\n\n| c |\n", "bad.md:5: a row"),
    ("a README without the tests", docs.check, "README.md", lambda _: "# lgalloc\n", "./tests/run"),
    ("a page of another version", docs.check, "man/lg_error.3", lambda old: old.replace("lgalloc 0.", "lgalloc 9."), ".TH"),
]

# (claim, part of the manual check, file, what to do, what the finding says)
MANUAL_CASES = [
    ("a call without a page", "coverage", "man/lg_version.3", None, "lg_version has no page"),
    ("a page without a call", "coverage", "man/lg_nothing.3", lambda _: ".so man3/lg_error.3\n", "no public function or header"),
    ("a C++ header without a page", "coverage", "man/lgalloc.hpp.3", None, "lgalloc.hpp has no page"),
    ("a page without a section", "coverage", "man/lg_error.3", lambda old: old.replace(".SH ERRORS", ".SH E"), "sections are"),
    ("a reference to nothing", "coverage", "man/lg_error.3",
     lambda old: old + ".BR lg_nothing (3)\n", "lg_nothing(3), which is not there"),
    ("a macro that is none", "render", "man/lg_error.3", lambda old: old.replace(".SH ERRORS", ".XY\n.SH ERRORS"), "XY"),
    ("a link to nothing", "render", "man/lg_free.3", lambda _: ".so man3/gone.3\n", "gone"),
    ("another type of argument", "synopsis", "man/lg_region_new.3",
     lambda old: old.replace("lg_region_new(size_t", "lg_region_new(int"), "not what the header"),
    ("another type in C++", "synopsis", "man/lgalloc.hpp.3",
     lambda old: old.replace("memory_resource *region_resource", "region *region_resource"), "not what"),
    ("another result", "synopsis", "man/lg_trim.3", lambda old: old.replace(".B int lg_trim", ".B long lg_trim"), "not what"),
    ("a default that is another", "tables", "man/lgalloc.7", lambda old: old.replace("default 64M", "default 32M"), "cache_bytes"),
    ("an option left out", "tables", "man/lgalloc.7", lambda old: old.replace(".B area_max\nsize,", ".I area_max\nsize,"), "area_max"),
    ("an option too many", "tables", "man/lgalloc.7",
     lambda old: old.replace(".TP\n.B span\nsize", ".TP\n.B spam\nsize, live\n.TP\n.B span\nsize"), "spam"),
    ("a field left out", "tables", "man/lg_stats_read.3", lambda old: old.replace(".B steals\n", ".I steals\n"), "steals"),
    ("a member left out", "tables", "man/lg_stats_read.3", lambda old: old.replace(".I disk_bytes\n", ".R x\n"), "disk_bytes"),
]

LOCKED = """
#include <stddef.h>
static _Atomic int count;
static void *volatile kept;
void *lg_region_new(size_t bytes) { %s return (char *)kept + bytes * bytes; }
void lg_region_free(void *region) { char *p = region; p[0] = 1; p[1] = p[2]; p[5] = p[7]; kept = region; }
void *lg_heap_alloc(void *heap, size_t bytes) { char *p = heap; p[3] = p[4]; return p + bytes * bytes; }
int lg_heap_free(void *heap, void *object) { char *p = object; p[1] = p[2]; p[6] = p[7]; kept = heap; return p[8]; }
"""

BROKEN_MODEL = "byte x; active [2] proctype p() { byte t; t = x; x = t + 1; assert(x == t + 1) }\n"
GOOD_MODEL = "byte x; active [2] proctype p() { atomic { x = x + 1; assert(x > 0) } }\n"


def quiet(function, *arguments):
    """(status, what it printed)"""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            status = function(*arguments)
        except SystemExit as left:
            status = left.code
    return status, said.getvalue()


def copy_of(root, directory, name, parts):
    copy = os.path.join(directory, name)
    for name in parts:
        if os.path.isdir(os.path.join(root, name)):
            shutil.copytree(os.path.join(root, name), os.path.join(copy, name),
                            ignore=shutil.ignore_patterns("build*", "__pycache__", ".git"))
    for name in os.listdir(root):
        if os.path.isfile(os.path.join(root, name)):
            shutil.copy(os.path.join(root, name), copy)
    return copy


@contextlib.contextmanager
def changed(copy, path, change):
    """The file at path as `change` makes it (None: gone), and back."""
    full = os.path.join(copy, path)
    old = None
    if os.path.exists(full):
        with open(full, encoding="utf-8") as file:
            old = file.read()
    made = not os.path.isdir(os.path.dirname(full))
    os.makedirs(os.path.dirname(full), exist_ok=True)
    if change is None:
        os.remove(full)
    else:
        new = change(old or "")
        if new == old:
            raise RuntimeError(f"{path}: the case changes nothing")
        with open(full, "w", encoding="utf-8") as file:
            file.write(new)
    try:
        yield
    finally:
        if old is None:
            os.remove(full)
        else:
            with open(full, "w", encoding="utf-8") as file:
                file.write(old)
        if made:
            os.removedirs(os.path.dirname(full))


class Verdict:
    def __init__(self):
        self.cases = 0
        self.wrong = []

    def expect(self, claim, status, said, fragment):
        self.cases += 1
        if status == 77:
            print(f"skipped: {claim}: {said.strip()}")
        elif status == 0 or fragment not in said:
            self.wrong.append(f"{claim} was not found (status {status}): {said[-600:]}")

    def expect_silence(self, claim, status, said):
        self.cases += 1
        if status not in (0, 77):
            self.wrong.append(f"{claim} was called wrong: {said[-600:]}")


def library(directory, statement, *flags):
    path = os.path.join(directory, "library.so")
    subprocess.run([os.environ.get("CC", "gcc"), "-O2", "-shared", "-fPIC", *flags, "-x", "c", "-", "-o", path],
                   input=LOCKED % statement, text=True, check=True)
    return path


def try_library(verdict, copy, directory):
    good = library(directory, "")
    verdict.expect_silence("a body without atomics", *quiet(hitpath.check, good))
    for statement, what in [("count++;", "lock"), ("extern int getpid(void); bytes += (size_t)getpid();", "call")]:
        verdict.expect(f"a hit path with {what}", *quiet(hitpath.check, library(directory, statement)), what)
    status, said = quiet(exports.check, copy, good)
    verdict.expect("a function that is not exported", status, said, "lg_trim is declared and not exported")
    verdict.expect("a function without a version", status, said, "lg_region_new has no version")
    verdict.expect("no soname", status, said, "its soname is none")
    with changed(copy, "include/lgalloc/lgalloc.h",
                 lambda old: old.replace("lg_region *lg_region_new(", "lg_region *lg_region_old(")):
        status, said = quiet(exports.check, copy, good)
        verdict.expect("a function that is not declared", status, said, "lg_region_new is exported and not declared")
    try_versions(verdict, copy, directory)


def try_versions(verdict, copy, directory):
    script = os.path.join(directory, "library.map")
    for version, fragment in [("LGALLOC_99.0", "later than the headers'"), ("OTHER_0.1", "the version OTHER_0.1, not")]:
        with open(script, "w", encoding="utf-8") as file:
            file.write(version + " { global: lg_region_new; lg_region_free; local: *; };\n")
        versioned = library(directory, "", f"-Wl,--version-script={script}", "-Wl,-soname,liblgalloc.so.9")
        status, said = quiet(exports.check, copy, versioned)
        verdict.expect(f"a function of {version}", status, said, fragment)
    verdict.expect("another soname", status, said, "its soname is liblgalloc.so.9")
    with changed(copy, "src/lgalloc.map", lambda old: old + "LGALLOC_0.2 {\nglobal:\n\tlg_new;\n};\n"):
        status, said = quiet(exports.check, copy, versioned)
        verdict.expect("a version after none", status, said, "LGALLOC_0.2 comes after nothing")


def try_models(verdict, directory):
    if shutil.which("spin") is None:
        print("skipped: models: spin is not installed")
        return
    path = os.path.join(directory, "model.pml")
    for source, right in [(GOOD_MODEL, True), (BROKEN_MODEL, False), ("/* finds: */\n" + BROKEN_MODEL, False),
                          ("/* check: */\n/* finds: -DX */\n" + GOOD_MODEL, False)]:
        with open(path, "w", encoding="utf-8") as file:
            file.write(source)
        status, said = quiet(model.check, path)
        if right:
            verdict.expect_silence("a good model", status, said)
        else:
            verdict.expect("a model that is wrong", status, said, "error was found")


def check(root):
    verdict = Verdict()
    with tempfile.TemporaryDirectory(prefix="lgalloc-checks-") as directory:
        copy = copy_of(root, directory, "a tree", tree.DIRECTORIES)
        # Enough, and much less, for those checks that run a compiler for each file.
        small = copy_of(root, directory, "a small tree", ["include", "src/base"])
        with changed(copy, "include/lgalloc/good.hpp", lambda _: LONG_CLASS):
            verdict.expect_silence("a long class", *quiet(text.check, copy))
        for function in (headers.check, layout.check):
            verdict.expect_silence("a small tree", *quiet(function, small))
        for claim, function, path, change, fragment in CASES:
            where = small if function in (headers.check, layout.check) else copy
            with changed(where, path, change):
                verdict.expect(claim, *quiet(function, where), fragment)
        for claim, part, path, change, fragment in MANUAL_CASES:
            with changed(copy, path, change):
                verdict.expect(claim, *quiet(manual.check, copy, part, []), fragment)
        try_library(verdict, copy, directory)
        try_models(verdict, directory)
    for line in verdict.wrong:
        print(line)
    print(f"checks can fail: {verdict.cases} cases, {len(verdict.wrong)} wrong")
    return 1 if verdict.wrong else 0


if __name__ == "__main__":
    sys.exit(check(sys.argv[1]))
