#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""
manual.py ROOT PART [LIBRARY]: the manual pages against the public headers and the option table.

  coverage  every public function and C++ header has a page, every page is of something, sections and references are there
  render    man(1) renders every page, links included, without a warning
  synopsis  the declarations a page shows are those of the header: the compiler compares them
  tables    options in lgalloc(7) and fields in lg_stats_read(3) are the tables of the code, both directions
  examples  every example compiles without warnings, links with LIBRARY and runs
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import header
import page
import tree

SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "RETURN VALUE", "ERRORS", "ATTRIBUTES", "EXAMPLES", "SEE ALSO"]
COMPILE = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]
COMPILER = os.environ.get("CC", "gcc")
COMPILER_CPP = os.environ.get("CXX", "g++")


def pages(root):
    return [page.Page(root, path) for path in tree.files(root, ["man"], [".1", ".3", ".7"])]


def name_of(path):
    return os.path.basename(path).rsplit(".", 1)[0]


def headers_cpp(root):
    """The C++ headers that have a page: those of include/lgalloc itself."""
    return {os.path.basename(path) for path in tree.files(root, ["include"], [".hpp"]) if path.count("/") == 2}


def compiler_of(one):
    """The compiler and language of a page's code."""
    if name_of(one.path).endswith(".hpp"):
        return [COMPILER_CPP, "-std=c++17"], ["-x", "c++"]
    return [COMPILER, "-std=c11"], ["-x", "c"]


def include_flags(root):
    return ["-I", os.path.join(root, "include")]


def coverage(root, findings):
    public = set(header.all_functions(root)) | headers_cpp(root)
    shown = {}
    for one in pages(root):
        section = one.path[-1]
        shown[(name_of(one.path), section)] = one
        if section == "3" and name_of(one.path) not in public:
            findings.add(one.path, 0, "no public function or header has this name")
    for name in sorted(public):
        if (name, "3") not in shown:
            findings.add("man", 0, f"{name} has no page")
    for (name, section), one in shown.items():
        if one.link is not None:
            target = shown.get((name_of(one.link), section))
            if one.link != f"man{section}/{os.path.basename(one.link)}" or target is None or target.link:
                findings.add(one.path, 1, f"links to '{one.link}'")
            elif name not in target.names():
                findings.add(target.path, 0, f"NAME does not name {name}, which links here")
            continue
        if name not in one.names():
            findings.add(one.path, 0, f"NAME does not name {name}")
        if section == "3":
            if [s for s in one.sections if s in SECTIONS] != SECTIONS:
                findings.add(one.path, 0, f"sections are {', '.join(one.sections)}")
            for other in one.names():
                if other not in one.synopsis():
                    findings.add(one.path, 0, f"SYNOPSIS does not show {other}")
                if (other, "3") not in shown:
                    findings.add(one.path, 0, f"NAME names {other}, which has no page")
            if not one.examples():
                findings.add(one.path, 0, "has no example")
        for other, number in one.references():
            if other.startswith(("lg_", "lgalloc")) and (other, number) not in shown:
                findings.add(one.path, 0, f"refers to {other}({number}), which is not there")
    overview = shown.get(("lgalloc", "7"))
    named = {name for name, _ in overview.references()} if overview else set()
    for (name, section), one in shown.items():
        if section == "3" and one.link is None and name not in named:
            findings.add("man/lgalloc.7", 0, f"does not refer to {name}(3)")
    return len(shown), "pages"


def render(root, findings):
    """As installed: links work only below a man directory."""
    if shutil.which("man") is None:
        print("manual: man is not installed")
        sys.exit(77)
    shown = pages(root)
    with tempfile.TemporaryDirectory(prefix="lgalloc-man-") as directory:
        for one in shown:
            section = os.path.join(directory, "man" + one.path[-1])
            os.makedirs(section, exist_ok=True)
            shutil.copy(os.path.join(root, one.path), section)
        for one in shown:
            path = os.path.join(directory, "man" + one.path[-1], os.path.basename(one.path))
            done = subprocess.run(["man", "--warnings", "-l", path], capture_output=True, text=True, cwd=directory,
                                  env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MANPAGER": "cat",
                                       "MANROFFOPT": "", "MAN_KEEP_FORMATTING": ""})
            if done.returncode != 0 or done.stderr:
                findings.add(one.path, 0, f"man says (status {done.returncode}): {done.stderr.strip()}")
            elif len(done.stdout) < 400:
                findings.add(one.path, 0, "renders to almost nothing")
    return len(shown), "pages"


def synopsis(root, findings):
    """A declaration that differs from the header's does not compile after it."""
    looked = 0
    for one in pages(root):
        if one.link is not None or one.path[-1] != "3":
            continue
        looked += 1
        code = one.synopsis()
        for name, inline in header.all_functions(root).items():
            if inline and re.search(rf"\b{name}\(", code) and not re.search(rf"static inline [^;]*\b{name}\(", code):
                findings.add(one.path, 0, f"{name} is inline, and SYNOPSIS does not say so")
        compiler, language = compiler_of(one)
        done = subprocess.run([*compiler, "-fsyntax-only", *COMPILE, *include_flags(root), *language, "-"],
                              input=code + "\nextern int not_empty;\n", capture_output=True, text=True)
        if done.returncode != 0 or "#include <lgalloc/" not in code:
            findings.add(one.path, 0, f"SYNOPSIS is not what the header declares\n{done.stderr.strip()}")
    return looked, "pages"


def table_rows(root):
    """What options.c prints: {kind: {name: rest of the line}}"""
    sources = [os.path.join(root, *path) for path in
               [("tests", "check", "options.c"), ("src", "base", "option.c"), ("src", "base", "setting.c"),
                ("src", "base", "error.c")]]
    rows = {"option": {}, "field": {}}
    with tempfile.TemporaryDirectory(prefix="lgalloc-options-") as directory:
        program = os.path.join(directory, "options")
        subprocess.run([COMPILER, "-std=gnu11", "-D_GNU_SOURCE", *include_flags(root), "-I", os.path.join(root, "src"),
                        *sources, "-o", program], check=True)
        for line in subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines():
            kind, name, rest = line.split(" ", 2)
            rows[kind][name] = rest
    return rows


def compare(findings, path, what, table, shown):
    for name in sorted(set(table) - set(shown)):
        findings.add(path, 0, f"{what} {name} is in the table and not in the page")
    for name in sorted(set(shown) - set(table)):
        findings.add(path, 0, f"{what} {name} is in the page and not in the table")
    for name in sorted(set(shown) & set(table)):
        if shown[name] != table[name]:
            findings.add(path, 0, f"{what} {name}: page: '{shown[name]}', table: '{table[name]}'")


def struct_members(root, name):
    body = re.search(rf"struct {name} \{{([^}}]*)\}}", header.text_of(root, "include/lgalloc/lgalloc.h")).group(1)
    return set(re.findall(r"uint64_t (\w+)\s*;", body))


def tables(root, findings):
    rows = table_rows(root)
    overview = page.Page(root, "man/lgalloc.7")
    types = {"switch", "size", "time", "number", "word", "path"}
    shown = {term: line for term, line in overview.terms(".B", "OPTIONS")}
    compare(findings, overview.path, "option", rows["option"], shown)
    explained = {term for term, _ in overview.terms(".I", "OPTIONS")}
    used = {line.split(",")[0] for line in rows["option"].values()}
    for word in sorted(used - explained):
        findings.add(overview.path, 0, f"type '{word}' is not explained")
    for word in sorted(explained & types - used):
        findings.add(overview.path, 0, f"type '{word}' is explained and no option has it")
    stats = page.Page(root, "man/lg_stats_read.3")
    compare(findings, stats.path, "field", rows["field"], dict(stats.terms(".B", "DESCRIPTION")))
    members = struct_members(root, "lg_stats") | struct_members(root, "lg_usage")
    named = {term: "" for term, _ in stats.terms(".I", "DESCRIPTION")}
    compare(findings, stats.path, "member", {name: "" for name in members}, named)
    return len(rows["option"]) + len(rows["field"]) + len(members), "rows"


def examples(root, findings, library):
    looked = 0
    where = os.path.dirname(os.path.abspath(library))
    with tempfile.TemporaryDirectory(prefix="lgalloc-examples-") as directory:
        for one in pages(root):
            for number, code in enumerate(one.examples(), 1):
                looked += 1
                program = os.path.join(directory, f"{name_of(one.path)}-{number}")
                compiler, language = compiler_of(one)
                built = subprocess.run([*compiler, "-O1", *COMPILE, *include_flags(root), *language, "-",
                                        "-x", "none", os.path.abspath(library), f"-Wl,-rpath,{where}", "-o", program],
                                       input=code, capture_output=True, text=True)
                if built.returncode != 0:
                    findings.add(one.path, 0, f"example {number} does not compile\n{built.stderr.strip()}")
                    continue
                ran = subprocess.run([program], capture_output=True, text=True, timeout=60, cwd=directory)
                if ran.returncode != 0 or ran.stderr:
                    findings.add(one.path, 0, f"example {number}: status {ran.returncode}: {ran.stderr.strip()}")
    return looked, "examples"


def check(root, part, rest):
    findings = tree.Findings("manual " + part)
    parts = {"coverage": coverage, "render": render, "synopsis": synopsis, "tables": tables, "examples": examples}
    looked, unit = parts[part](root, findings, *rest)
    return findings.finish(looked, unit)


if __name__ == "__main__":
    sys.exit(check(sys.argv[1], sys.argv[2], sys.argv[3:]))
