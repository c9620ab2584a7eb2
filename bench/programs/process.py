# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What a process used: time, peak memory, and what it still holds a while after its work."""

import dataclasses
import mmap
import os
import pathlib
import subprocess
import time

IDLE_SECONDS = 10
PAGE_BYTES = 4096


@dataclasses.dataclass
class Use:
    value: float  # seconds, or what the program's row says
    peak: float | None = None  # MiB
    idle: float | None = None  # MiB, IDLE_SECONDS after the work


class Failed(Exception):
    """A program that did not do what it was asked to."""


def warm(mib: int) -> None:
    """Free memory that the host of a virtual machine does not back costs up to ten times as much at its first touch,
    and hosts take free memory away again, huge pages first: a process that touches it and ends leaves backed pages to
    the next, so that a lane is not timed by what the lane before it happened to leave."""
    child = os.fork()
    if child == 0:
        memory = mmap.mmap(-1, mib << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        try:
            memory.madvise(mmap.MADV_HUGEPAGE)
        except OSError:
            pass  # a kernel without: as good, but slower
        memory[::PAGE_BYTES] = bytes(len(memory) // PAGE_BYTES)
        os._exit(0)
    os.waitpid(child, 0)


def _field(pid: int, name: str) -> float:
    """A line of /proc/PID/status in MiB; 0 if the process has gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    for line in text.splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


def descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError):
            continue
        children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        todo += children.get(one, [])
    return found


def peak_of(pid: int) -> float:
    """The largest peak of a process and its children."""
    return max(_field(one, "VmHWM") for one in descendants(pid))


def anonymous_of(pid: int) -> float:
    """Memory of its own: what files back is shared, and the kernel's to take."""
    return sum(_field(one, "RssAnon") for one in descendants(pid))


def run_once(command: list[str], environment: dict[str, str], directory: pathlib.Path, output: bool = False) -> Use:
    """A program that works and ends."""
    start = time.monotonic()
    errors = directory / "stderr"
    with errors.open("w") as to:
        process = subprocess.Popen(
            command, env=environment, cwd=directory, stdin=subprocess.DEVNULL, stderr=to,
            stdout=subprocess.PIPE if output else subprocess.DEVNULL, text=True)
        text = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Failed(f"{command} ended with {process.returncode}: {errors.read_text()[-500:]}")
    return Use(float(text) if output else time.monotonic() - start, usage.ru_maxrss / 1024)


class Idling:
    """A process whose work is done. Nothing else may run until it has ended: what it holds, and its end, cost others."""

    def __init__(self, use: Use, pid: int, end):
        self._use, self._pid, self._end = use, pid, end

    def finish(self, wait: bool) -> Use:
        """Ends it; with `wait` first reads what it holds IDLE_SECONDS from now."""
        if wait:
            time.sleep(IDLE_SECONDS)
            self._use.idle = anonymous_of(self._pid)
        self._end()
        return self._use


def run_and_stay(command: list[str], environment: dict[str, str], directory: pathlib.Path, script: str) -> Idling:
    """A program that works on `script` at its stdin, prints "done", and stays until its stdin ends."""
    with (directory / "stderr").open("w") as errors:
        start = time.monotonic()
        process = subprocess.Popen(command, env=environment, cwd=directory, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=errors, text=True)
    process.stdin.write(script)
    process.stdin.flush()
    for line in process.stdout:
        if line.strip() == "done":
            break
    else:
        raise Failed(f"{command} ended early: {(directory / 'stderr').read_text()[-500:]}")
    use = Use(time.monotonic() - start, peak_of(process.pid))

    def end() -> None:
        process.stdin.close()
        process.stdout.read()
        process.wait()

    return Idling(use, process.pid, end)
