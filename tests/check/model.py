#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""
model.py MODEL.pml: every state of a Promela model is visited and no assertion or end state is wrong.

The model may say in its first comment lines how it is to be checked:

  /* check: -DTHREADS=3 */           one run with these spin definitions; more lines are more runs
  /* check: -DTHREADS=2 pan -m200000 -a */   what follows "pan" goes to the verifier
  /* finds: -DNO_FENCE */            a run that has to find an error: the model can fail
Without such lines there is one run without definitions. At most 4 GiB and 10 minutes a run.
"""
import os
import re
import subprocess
import sys
import tempfile

DIRECTIVE = re.compile(r"^\s*(?:/\*|\*|//)?\s*(check|finds):\s*(.*?)\s*(?:\*/)?\s*$")


def runs_of(path):
    runs = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            found = DIRECTIVE.match(line)
            if found:
                spin, _, pan = found.group(2).partition("pan ")
                runs.append((found.group(1), spin.split(), pan.split()))
    if not any(kind == "check" for kind, _, _ in runs):
        runs.insert(0, ("check", [], []))
    return runs


def command(arguments, directory, timeout=120):
    done = subprocess.run(arguments, cwd=directory, capture_output=True, text=True, timeout=timeout)
    return done.returncode, done.stdout + done.stderr


def run(path, kind, spin, pan):
    """None if the run ended as it has to, else what was wrong."""
    with tempfile.TemporaryDirectory(prefix="lgalloc-model-") as directory:
        status, text = command(["spin", *spin, "-a", path], directory)
        if status != 0 or not os.path.exists(os.path.join(directory, "pan.c")):
            return f"spin cannot read it:\n{text}"
        # Most runs are over in less time than the compiler needs to make them faster.
        status, text = command(["gcc", "-O0", "-w", "-DMEMLIM=4096", "-DCOLLAPSE", "-o", "pan", "pan.c"], directory)
        if status != 0:
            return f"gcc cannot compile the verifier:\n{text}"
        depth = [] if any(flag.startswith("-m") for flag in pan) else ["-m1000000"]
        status, text = command(["./pan", *depth, *pan], directory, 600)
        errors = re.search(r"errors: (\d+)", text)
        states = re.search(r"(\d+) states, stored", text)
        if status != 0 or errors is None or states is None:
            return f"the verifier did not finish (status {status}):\n{text}"
        complete = "max search depth too small" not in text and "Search not completed" not in text
        print(f"{kind} {' '.join(spin) or '-'}: {states.group(1)} states, {errors.group(1)} errors")
        if kind == "finds":
            return None if int(errors.group(1)) > 0 else "no error was found, and one is there"
        if int(errors.group(1)) > 0:
            trail = os.path.basename(path) + ".trail"
            steps = command(["spin", *spin, "-k", trail, "-p", path], directory)[1] if os.path.exists(
                os.path.join(directory, trail)) else ""
            return f"an error was found:\n{text}\n{steps[-8000:]}"
        return None if complete else f"not every state was visited:\n{text}"


def check(path):
    failed = 0
    for kind, spin, pan in runs_of(path):
        wrong = run(os.path.abspath(path), kind, spin, pan)
        if wrong:
            print(f"{path}: {kind} {' '.join(spin)}: {wrong}")
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(check(sys.argv[1]))
