#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""
hitpath.py LIBRARY [OBJDUMP]: the bodies of lg_region_new, lg_region_free, lg_heap_alloc and lg_heap_free hold no atomic
read-modify-write, no fence, no system call and no call; what is rare is reached by a jump.

This reads every instruction of the bodies, hit_path_walk.c those that a hit executes.
"""
import re
import subprocess
import sys

import tree

FUNCTIONS = ["lg_region_new", "lg_region_free", "lg_heap_alloc", "lg_heap_free"]
FORBIDDEN = {
    "x86-64": [
        (re.compile(r"^(\w+ )*lock\b"), "a lock prefix"),
        (re.compile(r"^xchg\b.*\("), "xchg with memory, which locks"),
        (re.compile(r"^([ml]fence|syscall|sysenter|int\b|cpuid)"), "a fence or system call"),
        (re.compile(r"^(notrack |bnd )*call"), "a call"),
    ],
    "aarch64": [
        (re.compile(r"^(ld|st)a?l?xr"), "an exclusive access"),
        (re.compile(r"^(cas|swp|ldadd|ldclr|ldset|ldeor|stadd|stclr|stset)"), "an atomic read-modify-write"),
        (re.compile(r"^(dmb|dsb|svc)"), "a barrier or system call"),
        (re.compile(r"^blr?\b"), "a call"),
    ],
}


def bodies(library, objdump):
    """(architecture, {function: [instruction]})"""
    text = subprocess.run([objdump, "-d", "--no-show-raw-insn", library], capture_output=True, text=True,
                          check=True).stdout
    architecture = "aarch64" if "file format elf64-littleaarch64" in text else "x86-64"
    found, name = {}, None
    for line in text.splitlines():
        start = re.match(r"^[0-9a-f]+ <([^>]+)>:$", line)
        if start:
            name = start.group(1).split("@")[0]
            found[name] = []
            continue
        instruction = re.match(r"^\s+[0-9a-f]+:\s+(.*)$", line)
        if instruction and name:
            found[name].append(instruction.group(1).strip())
        elif not line.strip():
            name = None
    return architecture, found


def check(library, objdump="objdump"):
    findings = tree.Findings("hit path")
    architecture, found = bodies(library, objdump)
    looked = 0
    for function in FUNCTIONS:
        body = found.get(function, [])
        if len(body) < 5:
            findings.add(library, 0, f"{function} has no body to look at: {body}")
        for instruction in body:
            looked += 1
            for pattern, what in FORBIDDEN[architecture]:
                if pattern.match(instruction):
                    findings.add(library, 0, f"{function}: {what}: {instruction}")
    return findings.finish(looked, "instructions")


if __name__ == "__main__":
    sys.exit(check(*sys.argv[1:]))
