#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""
memcheck.py BUILD LABEL: runs the tests of a label under Valgrind's memcheck, two at a time.

An invalid access, a use of undefined memory or a definite leak fails. Tests labelled `novalgrind`
are left out: they ask the kernel for what Valgrind does not pass on.
"""
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

ERROR_STATUS = 99
SECONDS_MAX = 400
VALGRIND = ["valgrind", "-q", f"--error-exitcode={ERROR_STATUS}", "--child-silent-after-fork=yes",
            "--leak-check=full", "--errors-for-leak-kinds=definite", "--show-leak-kinds=definite"]


def properties(test):
    return {item["name"]: item["value"] for item in test.get("properties", [])}


def tests_of(build, label):
    shown = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], capture_output=True, text=True, check=True)
    for test in json.loads(shown.stdout)["tests"]:
        labels = properties(test).get("LABELS", [])
        if label in labels and "novalgrind" not in labels and "command" in test:
            yield test


def run(test):
    own = properties(test)
    environment = {**os.environ, **dict(pair.split("=", 1) for pair in own.get("ENVIRONMENT", []))}
    with tempfile.NamedTemporaryFile(prefix="lgalloc-memcheck-", mode="r", errors="replace") as log:
        try:
            done = subprocess.run(VALGRIND + ["--log-file=" + log.name] + test["command"], env=environment,
                                  cwd=own.get("WORKING_DIRECTORY"), capture_output=True, text=True, errors="replace",
                                  stdin=subprocess.DEVNULL, timeout=SECONDS_MAX)
            status, said = done.returncode, done.stdout + done.stderr
        except subprocess.TimeoutExpired:
            status, said = -1, f"not done after {SECONDS_MAX} s"
        skip = int(own.get("SKIP_RETURN_CODE", -1))
        return test["name"], status, status == skip, said[-3000:] + log.read()[:6000]


def check(build, label):
    tests = list(tests_of(build, label))
    failed = []
    skipped = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, status, skip, said in pool.map(run, tests):
            print(f"memcheck {name}: {'skipped' if skip else 'passed' if status == 0 else f'FAILED, status {status}'}", flush=True)
            skipped += skip
            if status != 0 and not skip:
                failed.append(name)
                print(said)
    print(f"memcheck: {len(tests)} tests, {skipped} skipped, {len(failed)} failed {' '.join(failed)}")
    return 1 if failed or len(tests) == skipped else 0


if __name__ == "__main__":
    sys.exit(check(sys.argv[1], sys.argv[2]))
