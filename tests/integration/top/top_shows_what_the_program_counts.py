#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""
top_shows_what_the_program_counts.py LGALLOC WATCHED: a program with a metrics file, and `lgalloc top` beside it.

Claims: the table has the program's own numbers; rates come with a second look; a terminal is redrawn in
place and given back as it was, however top ends; a process that ends while it is watched is one line.
Oracle: what the program says of itself by lg_stats_read, and the terminal's own settings.
"""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

LGALLOC, WATCHED = (os.path.abspath(path) for path in sys.argv[1:3])
PATIENCE_S = 60  # only for what would otherwise hang
HOME, HIDE, SHOW = b"\x1b[H", b"\x1b[?25l", b"\x1b[?25h"


def claim(what, holds, *shown):
    if not holds:
        print(f"not so: {what}", *shown, sep="\n")
        sys.exit(1)


class Watched:
    """The program; options that keep what it counts still as soon as the worker has given back what is free."""

    def __init__(self, directory):
        options = f"metrics_file:{directory}/watched.%p.prom,dir:{directory},interval:10ms,second_decay:0,retire_delay:3600s"
        self.process = subprocess.Popen([WATCHED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
                                        env={**os.environ, "LGALLOC_CONF": options})
        self.pid = str(self.process.pid)
        self.file = os.path.join(directory, f"watched.{self.pid}.prom")

    def ask(self, what):
        self.process.stdin.write(what + "\n")
        return self.process.stdout.readline()

    def rows(self):
        """[{field: value}], the last the total"""
        rows = []
        for part in self.ask("stats").strip().rstrip(";").split(";"):
            words = part.split()
            rows.append({name: int(value) for name, value in zip(words[::2], words[1::2])})
        return rows

    def pager(self):
        """{field: value}"""
        words = self.ask("paging").split()
        return {name: int(value) for name, value in zip(words[::2], words[1::2])}

    def wait_for_file(self):
        """One that was written from now on."""
        start, end = time.time_ns(), time.monotonic() + PATIENCE_S
        while not os.path.exists(self.file) or os.stat(self.file).st_mtime_ns <= start + 20_000_000:
            claim("the metrics file is written", time.monotonic() < end)
            time.sleep(0.005)


def top(*arguments):
    done = subprocess.run([LGALLOC, "top", *arguments], capture_output=True, text=True, timeout=PATIENCE_S,
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def table(text, first="SIZE"):
    """[{heading: word}] of the lines from the heading on"""
    lines = text.split("\n")
    start = next(i for i, line in enumerate(lines) if line.split()[:1] == [first])
    headings = lines[start].split()
    return [dict(zip(headings, line.split())) for line in lines[start + 1:] if len(line.split()) == len(headings)]


def size_text(value):
    for unit in ["", "K", "M", "G", "T"]:
        if value < 999.5:
            return f"{value:.3g}{unit}"
        value /= 1024
    return ""


COUNTS = {"IN-USE": "in_use", "CACHED": "cached", "DIRTY": "dirty", "LAZY": "lazy", "CLEAN": "clean",
          "ALLOCS": "allocations", "FREES": "frees", "REFILLS": "refills", "STEALS": "steals", "REFUSED": "refused"}
SIZES = {"MAPPED": "area_bytes", "RECLAIMED": "reclaimed_bytes"}
SHARES = {"MAG%": "from_magazine", "DEQUE%": "from_deque", "DIRTY%": "from_dirty", "LAZY%": "from_lazy",
          "CLEAN%": "from_clean", "STOLEN%": "steals"}


def agrees(shown, row):
    size = size_text(row["size"]) if row["size"] else "total"
    claim("the rows are the program's classes", shown["SIZE"] == size, shown, row)
    for heading, field in COUNTS.items():
        claim(f"{heading} is the program's {field}", shown[heading] == str(row[field]), shown, row)
    for heading, field in SIZES.items():
        claim(f"{heading} is the program's {field}", shown[heading] == size_text(row[field]), shown, row)
    for heading, field in SHARES.items():
        share = 100 * row[field] / row["allocations"]
        claim(f"{heading} is the program's {field}", abs(float(shown[heading]) - share) < 0.06, shown, row)


def once_has_the_programs_numbers(watched):
    for attempt in range(200):
        before = watched.rows()
        watched.wait_for_file()
        answers = [top("--once", watched.pid), top("--once", watched.file)]
        after = watched.rows()
        if after == before:
            break
    claim("the program comes to rest", after == before)
    for status, out, err in answers:
        claim("--once ends well", status == 0 and err == "", out, err)
        claim("the heading names the process", out.startswith(f"watched, pid {watched.pid}, "), out)
        shown = table(out)
        claim("every class is there", len(shown) == len(before) == 4, out)
        for line, row in zip(shown, before):
            agrees(line, row)
    status, out, err = top("--list")
    claim("--list has the process and its file", f"{watched.pid} watched" in out and watched.file in out, out, err)


PAGER_COUNTS = {"MAPS": "maps", "FAULTS": "faults", "EVICTED": "evictions"}
PAGER_SIZES = {"BUDGET": "budget", "RESIDENT": "resident", "PINNED": "pinned", "LIMBO": "limbo", "MAPPED": "map_bytes",
               "READ": "bytes_read", "WRITTEN": "bytes_written"}
PAGER_SHARES = {"LIMBO%": ("limbo_hits", "faults"), "DIRECT%": ("evictions_direct", "evictions"),
                "AHEAD%": ("prefetch_useful", "prefetched")}


def pagers_are_above_the_classes(watched):
    claim("there is no line of pagers without one", "PAGER" not in top("--once", watched.file)[1])
    answer = watched.ask("page")
    if answer.startswith("no pager"):
        print(answer)
        return
    claim("the pager works", answer == "done\n" == watched.ask("page"), answer)
    for attempt in range(200):
        before = watched.pager()
        watched.wait_for_file()
        status, out, err = top("--once", watched.file)
        after = watched.pager()
        if after == before:
            break
    claim("the pager comes to rest", after == before)
    claim("--once ends well", status == 0 and err == "", out, err)
    claim("pagers are above the classes", out.index("PAGER") < out.index("SIZE"), out)
    rows = table(out, "PAGER")
    claim("there is one pager, with its name and options", len(rows) == 1 and
          [rows[0][heading] for heading in ("PAGER", "POLICY", "PAGE")] == ["1", "fifo", "16K"], out)
    claim("more than the budget went through it", before["evictions"] > 0 and before["bytes_read"] > 0, before)
    for heading, field in PAGER_COUNTS.items():
        claim(f"{heading} is the pager's {field}", rows[0][heading] == str(before[field]), out, before)
    for heading, field in PAGER_SIZES.items():
        claim(f"{heading} is the pager's {field}", rows[0][heading] == size_text(before[field]), out, before)
    for heading, (part, whole) in PAGER_SHARES.items():
        shown = "-" if before[whole] == 0 else 100 * before[part] / before[whole]
        claim(f"{heading} is the pager's {part}", rows[0][heading] == shown or abs(float(rows[0][heading]) - shown) < 0.06,
              out, before)
    claim("ERRORS is the pager's", rows[0]["ERRORS"] == "0", out)


def tables_have_rates(watched):
    process = subprocess.Popen([LGALLOC, "top", "-d", "0.2", watched.file], stdout=subprocess.PIPE, text=True)
    tables, lines = [], []
    while not any(row["SIZE"] == "2M" and row["ALLOCS/s"][0] in "123456789" for row in (tables or [[]])[-1]):
        watched.ask("work")
        line = process.stdout.readline()
        claim("tables follow each other", line != "", lines)
        lines.append(line)
        if line.startswith("total"):
            tables.append(table("".join(lines)))
            lines = []
        claim("an allocation shows as a rate", len(tables) < 100, tables[-1:])
    process.terminate()
    process.wait()
    process.stdout.close()
    status, out, err = top("-d", "0.1", "-n", "2", "-s", "allocs", watched.pid)
    claim("-n ends after so many tables", status == 0 and out.count("SIZE") == 2 and err == "", out, err)


class Live:
    """top on a terminal of its own."""

    def __init__(self, *arguments, columns=80, lines=24):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.read(0, 1)  # until the window has its size
            os.execv(LGALLOC, [LGALLOC, "top", *arguments])
        self.resize(columns, lines)
        self.before = termios.tcgetattr(self.terminal)
        os.write(self.terminal, b"\n")
        self.text = b""

    def resize(self, columns, lines):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self, enough):
        """Until `enough` says so of the text, or the terminal's other end is closed."""
        end = time.monotonic() + PATIENCE_S
        while not enough(self.text):
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            claim("the table goes on", ready, self.text[-2000:])
            try:
                self.text += os.read(self.terminal, 65536)
            except OSError:
                return

    def frames(self):
        return self.text.split(HOME)[1:]

    def end(self):
        self.read(lambda text: False)
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)

    def is_given_back(self):
        hidden = self.text.count(HIDE)
        tail = self.text[self.text.rfind(SHOW):]
        return hidden > 0 and hidden == self.text.count(SHOW) and HOME not in tail

    def settings_are_back(self):
        return termios.tcgetattr(self.terminal) == self.before


def drawn(count):
    return lambda text: text.count(HOME) >= count + 1  # one clears the screen


def terminal_is_redrawn_and_given_back(watched):
    live = Live("-d", "0.1", watched.pid)
    live.read(drawn(3))
    claim("keys are read as they are pressed", not live.settings_are_back())
    claim("the cursor is hidden, once", live.text.count(HIDE) == 1 and SHOW not in live.text)
    claim("it fits", all(len(line) < 80 + 12 for frame in live.frames()[1:] for line in frame.split(b"\x1b[K\r\n")),
          live.frames()[-1])
    os.write(live.terminal, b"xq")
    claim("q ends it well", live.end() == 0, live.text[-300:])
    claim("q gives the terminal back", live.is_given_back(), live.text[-300:])

    live = Live("-d", "3600", watched.pid)
    live.read(drawn(1))
    narrow = live.frames()[-1]
    live.resize(200, 24)
    live.read(lambda text: b"REFUSED/s" in text)
    claim("a wider window has more columns", b"REFUSED" not in narrow)
    live.resize(80, 6)
    live.read(lambda text: b"do not fit" in text or b"does not fit" in text)
    os.write(live.terminal, b"\x03")
    claim("^C ends it as the signal does", live.end() == -signal.SIGINT)
    claim("^C gives the terminal back", live.is_given_back(), live.text[-300:])

    live = Live("-d", "0.1", "-n", "3", watched.file)
    claim("-n ends it", live.end() == 0 and live.is_given_back())


def stop_gives_the_terminal_back_meanwhile(watched):
    live = Live("-d", "0.1", watched.pid)
    live.read(drawn(2))
    os.kill(live.pid, signal.SIGTSTP)
    os.waitpid(live.pid, os.WUNTRACED)
    claim("settings are back while it is stopped", live.settings_are_back())
    seen = len(live.text)
    live.read(lambda text: text.endswith(SHOW))
    os.kill(live.pid, signal.SIGCONT)
    live.read(lambda text: HIDE in text[seen:] and text[seen:].count(HOME) >= 2)
    os.kill(live.pid, signal.SIGTERM)
    claim("a signal ends it as one", live.end() == -signal.SIGTERM)
    claim("and it is given back", live.is_given_back(), live.text[-300:])


def what_becomes_of_the_file_is_said(watched, directory):
    live = Live("-d", "0.1", watched.pid)
    live.read(drawn(2))
    by_file = Live("-d", "0.1", watched.file)
    by_file.read(drawn(2))
    copy = os.path.join(directory, "a copy.prom")
    with open(watched.file, encoding="utf-8") as file:
        text = file.read()
    with open(copy, "w", encoding="utf-8") as file:
        file.write(text)
    by_copy = Live("-d", "0.1", copy)
    by_copy.read(drawn(2))
    claim("a file of no process says so", b"ended or cannot be seen" in by_copy.text, by_copy.text)

    watched.process.kill()
    watched.process.wait()
    claim("the end of the process is an end", live.end() == 1)
    claim("and one line", live.text.rstrip().endswith(b"has ended") and live.is_given_back(), live.text[-300:])
    by_file.read(lambda seen: b"HAS ENDED" in seen)
    os.write(by_file.terminal, b"q")
    claim("the file is still shown", by_file.end() == 0)
    os.utime(copy, (1, 1))
    by_copy.read(lambda seen: b"STALE" in seen)
    status, out, err = top("--once", copy)
    claim("a stale file is shown as one", status == 0 and "STALE" in out.split("\n")[0], out, err)

    with open(copy, "w", encoding="utf-8") as file:
        file.write(text[:len(text) // 2])
    claim("half a file ends it", by_copy.end() == 1 and by_copy.is_given_back(), by_copy.text[-300:])
    claim("and one line says so", by_copy.text.rstrip().split(b"\n")[-1].count(b"no metrics of lgalloc: line") == 1,
          by_copy.text[-300:])
    status, _, err = top(watched.pid)
    claim("a process that is gone is one line", status == 1 and "there is no process" in err and err.count("\n") == 1, err)


def main():
    with tempfile.TemporaryDirectory(prefix="lgalloc top ") as directory:
        watched = Watched(directory)
        claim("the program works", watched.ask("work") == "done\n")
        once_has_the_programs_numbers(watched)
        pagers_are_above_the_classes(watched)
        tables_have_rates(watched)
        terminal_is_redrawn_and_given_back(watched)
        stop_gives_the_terminal_back_meanwhile(watched)
        what_becomes_of_the_file_is_said(watched, directory)
        for pipe in (watched.process.stdin, watched.process.stdout):
            pipe.close()


if __name__ == "__main__":
    main()
