#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""
replay_shows_what_is_known.py LGALLOC PROBE: lgalloc trace on traces whose answers are known.

Claims: a file written by what the format's description says is read; misses of a cycle, of pages that all fit and of one
page are what arithmetic says; the table, the CSV and the picture agree; advice follows from them; wrong arguments and
broken files are one line. `record` hands the program the path, and a program that records leaves a whole trace.
"""
import csv
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile

import file

LGALLOC, PROBE = (os.path.abspath(path) for path in sys.argv[1:3])
POLICIES = ["clock", "s3fifo", "fifo", "lifo", "plru", "prnd", "wiro_f", "wiro_l"]
PATIENCE_S = 120


def claim(what, holds, *shown):
    if not holds:
        print(f"not so: {what}", *shown, sep="\n")
        sys.exit(1)


def run(*arguments, status=0, **more):
    done = subprocess.run([LGALLOC, "trace", *arguments], capture_output=True, text=True, timeout=PATIENCE_S, **more)
    claim(f"{arguments}: status {status}", done.returncode == status, done.returncode, done.stdout, done.stderr)
    return done.stdout if status == 0 else done.stderr


def write(name, data):
    with open(name, "wb") as to:
        to.write(data)
    return name


def table(text):
    """{budget: {policy: misses}}"""
    lines = text.splitlines()
    names = lines[1].split()[3:]
    rows = [line.split() for line in lines[2:] if re.match(r" *[\d.]+[KMGT]? +\d+% ", line)]
    return {row[0]: dict(zip(names, map(int, row[2:]))) for row in rows}


def cycle_is_what_arithmetic_says():
    rounds, pages = 8, 640
    path = write("cycle", file.trace([("read", i % pages) for i in range(rounds * pages)]))
    text = run("replay", path, "--budget", "20M,40M,1G")
    rows = table(text)
    claim("each budget has a row", list(rows) == ["20M", "40M", "1G"], text)
    claim("all policies are there", list(rows["20M"]) == ["best"] + POLICIES, text)
    for policy in ["clock", "fifo", "plru"]:
        claim(f"{policy} misses always with half of the memory", rows["20M"][policy] == rounds * pages, text)
    # Each round finds all that there is room for but the page that just came.
    best = pages + (rounds - 1) * (pages - 320 + 1)
    claim("the best hits what there is room for", abs(rows["20M"]["best"] - best) <= rounds, text, best)
    claim("lifo is near it", rows["20M"]["lifo"] < 1.25 * best, text)
    claim("where all pages fit each is missed once", set(rows["1G"].values()) == {pages}, text)
    claim("lifo is advised, or what is as good", re.search(r"^policy:(lifo|wiro_l): .* fewer than clock$", text, re.M), text)
    claim("the note says what a trace does not know", "note: recorded with memory:512M" in text, text)
    text = run("replay", path, "--budget", "1G", "--policy", "fifo")
    claim("nothing is compared with nothing", "no other was tried" in text, text)
    claim("nor one budget with others", "\nmemory:1G: no smaller budget was tried\n" in text, text)
    claim("a budget above the recording's needs no note", "note:" not in text, text)


def ratios_are_parts_of_all_pages():
    path = write("ratio", file.trace([("write", i % 100) for i in range(1000)]))
    text = run("replay", path, "--ratio", "10,50,100,150")
    shares = re.findall(r" (\d+)% ", text.split("\npolicy:")[0])
    claim("the shares are those asked for", shares == ["10", "50", "100", "150"], text)
    text = run("replay", path)
    claim("ten by default", len(table(text)) == 10, text)
    claim("memory is advised", re.search(r"^memory:\S+: ", text, re.M), text)


def csv_and_table_agree():
    uses = [("write" if i % 3 == 0 else "read", i * i % 331, {"thread": i % 2}) for i in range(5000)]
    path = write("csv", file.trace(uses))
    rows = table(run("replay", path, "--ratio", "25,50,75"))
    lines = list(csv.DictReader(io.StringIO(run("replay", path, "--ratio", "25,50,75", "--csv"))))
    claim("there is a line for each", len(lines) == 3 * (1 + len(POLICIES)), lines)
    for budget, row in zip([bytes for bytes in dict.fromkeys(line["budget_bytes"] for line in lines)], rows.values()):
        mine = {line["policy"]: int(line["misses"]) for line in lines if line["budget_bytes"] == budget}
        claim("misses are the same", mine == row, mine, row)
    for line in lines:
        if line["policy"] == "best":
            continue
        claim("first misses are pages", int(line["first_misses"]) == len({use[1] for use in uses}), line)
        claim("uses are uses", int(line["uses"]) == len(uses), line)
        claim("misses are no more than uses", int(line["first_misses"]) <= int(line["misses"]) <= int(line["uses"]), line)
        claim("writes are no more than misses", int(line["writes"]) <= int(line["misses"]), line)


def info_shows_what_there_is():
    uses = [("read", 1), ("write", 2), ("protect", 1), ("prefetch", 3), ("limbo-read", 2, {"thread": 8}),
            ("evict", 1), ("evict-dirty", 2), ("lost", 12), ("read", 1, {"map_number": 5, "shift": 21})]
    path = write("info", file.trace(uses, policy=b"mine\x1b[2J", budget=3 << 30))
    text = run("info", path)
    claim("the head is told", "process 4711, begun " in text and "; whole\n" in text, text)
    claim("a policy drives no terminal", "memory:3G,page:64K,policy:mine?[2J\n" in text, text)
    claim("records and threads are counted", "8 records of 2 threads" in text, text)
    kinds = dict(re.findall(r"^  (\S+) +(\d+)  ", text, re.M))
    claim("kinds are counted", kinds == {"read": "2", "write": "1", "protect": "1", "limbo-read": "1", "prefetch": "1",
                                         "evict": "1", "evict-dirty": "1", "lost": "12"}, text)
    maps = [line.split() for line in text.split("EVICTIONS\n")[1].splitlines()]
    claim("maps are listed", maps == [["0", "64K", "2", "128K", "4", "2"], ["5", "2M", "1", "2M", "1", "0"]], text)
    error = run("replay", path, status=1)
    claim("two sizes need a choice", "choose one map by --map" in error and error.count("\n") == 1, error)
    claim("a map can be chosen", "1 pages of 2M" in run("replay", path, "--map", "5"))
    claim("lost ones are noted", "note: 12 of the trace's records are lost" in run("replay", path, "--map", "0"))
    error = run("replay", path, "--map", "5", "--budget", "1M", status=2)
    claim("a budget is at least a page", "--budget: '1M' is not a size of a page (2048 K) to 64T" in error, error)
    for wrong in ["10X", "", "10M,", "nan", "-1M", "1e9T"]:
        error = run("replay", path, "--map", "0", f"--budget={wrong}", status=2)
        claim(f"'{wrong}' is no budget", re.match(r"lgalloc trace replay: --budget: '[^']*' is not a size", error), error)
    for wrong in ["0", "1001", "x", "10%"]:
        error = run("replay", path, "--map", "0", f"--ratio={wrong}", status=2)
        claim(f"'{wrong}' is no ratio", f"--ratio: '{wrong}' is not a number of percent" in error, error)
    error = run("replay", "cycle", "--ratio", ",".join(str(i) for i in range(1, 101)), status=2)
    claim("there is a most", "more than 64 budgets at once" in error, error)


def cut_and_broken_files_are_told():
    whole = file.trace([("read", i) for i in range(100)])
    path = write("cut", whole[:-40])
    claim("a cut one is told of", "CUT OFF" in run("info", path) and "note: the trace was cut off" in run("replay", path))
    path = write("broken", whole[:1000] + b"\xff" + whole[1001:])
    error = run("info", path, status=1)
    claim("a broken one is refused", error == "lgalloc trace info: 'broken': a fault trace whose record 27 is broken\n", error)


def picture_is_drawn():
    path = write("picture", file.trace([("read", i * i % 331) for i in range(2000)]))
    error = run("replay", path, "--plot", "x.jpg", status=1)
    claim("other names are refused", "ends neither in .svg nor in .png" in error, error)
    os.mkdir("directory.svg")
    for name in ["none/x.svg", "directory.svg"]:
        done = subprocess.run([LGALLOC, "trace", "replay", path, "--plot", name], capture_output=True, text=True,
                              timeout=PATIENCE_S)
        claim(f"{name} cannot be written, and nothing is printed in its place",
              done.returncode == 1 and done.stdout == "" and done.stderr.count("\n") == 1 and
              f"--plot: '{name}': it cannot be written: " in done.stderr, done.stdout[:200], done.stderr)
    if shutil.which("gnuplot") is None:
        print("left out: gnuplot is not installed")
        return
    run("replay", path, "--plot", "it's.svg")
    with open("it's.svg", encoding="utf-8") as drawn:
        picture = drawn.read()
    claim("every line has its name", all(f">{name}<" in picture for name in ["best"] + POLICIES), picture[-2000:])
    run("replay", path, "--plot", "x.png")
    with open("x.png", "rb") as drawn:
        claim("and so for .png", drawn.read(8) == b"\x89PNG\r\n\x1a\n")
    environment = {**os.environ, "PATH": "/nowhere"}
    error = run("replay", path, "--plot", "x.svg", status=1, env=environment)
    claim("without gnuplot it says so", "gnuplot is not installed; --csv has the figures" in error, error)
    claim("and leaves no file", not os.path.exists("x.svg"))


def record_hands_the_path_over():
    shown = ["record", "--", "/bin/sh", "-c", "echo $LGALLOC_PAGER_TRACE"]
    here = os.getcwd()
    claim("a path of its own", run(*shown).strip() == f"{here}/lgalloc.%p.trace")
    claim("a path that is given", run("record", "-o", "x/%p.t", *shown[1:]).strip() == f"{here}/x/%p.t")
    claim("one from the root", run("record", "--output=/x/y", *shown[1:]).strip() == "/x/y")
    os.mkdir("a%p")
    error = run(*shown, cwd="a%p", status=1)
    claim("a directory with %p in its name", "its name has %p in it" in error, error)


def program_that_records_leaves_a_trace():
    """PROBE opens a trace where the environment says, and notes what its arguments say."""
    run("record", "-o", "probe.%p", "--", PROBE, "3000")
    names = [name for name in os.listdir() if name.startswith("probe.")]
    claim("there is one file", len(names) == 1 and re.fullmatch(r"probe\.\d+", names[0]), names)
    text = run("info", names[0])
    claim("it is whole", "; whole" in text and f"process {names[0].split('.')[1]}," in text, text)
    claim("nothing is missing", "3000 records of 1 thread\n" in text, text)
    claim("it can be replayed", "misses of 3000 uses of 1000 pages of 4K" in run("replay", names[0]))


def main():
    with tempfile.TemporaryDirectory(prefix="lgalloc-trace-") as directory:
        os.chdir(directory)
        cycle_is_what_arithmetic_says()
        ratios_are_parts_of_all_pages()
        csv_and_table_agree()
        info_shows_what_there_is()
        cut_and_broken_files_are_told()
        picture_is_drawn()
        record_hands_the_path_over()
        program_that_records_leaves_a_trace()
        os.chdir("/")


if __name__ == "__main__":
    main()
