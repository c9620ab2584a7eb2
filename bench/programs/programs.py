# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The programs, each with the work it is given. All are found in PATH, unmodified."""

import collections.abc
import dataclasses
import pathlib
import random
import shutil
import subprocess

from lane import Lane
from process import Idling, Use, run_and_stay, run_once
import servers

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent


@dataclasses.dataclass(frozen=True)
class Place:
    """Where one program works: `shared` is made once, `own` is empty at each run."""

    shared: pathlib.Path
    own: pathlib.Path
    small: pathlib.Path  # the program of small.c


@dataclasses.dataclass(frozen=True)
class Program:
    name: str
    what: str
    needs: tuple[str, ...]
    run: collections.abc.Callable[[Lane, Place], Use | Idling]
    prepare: collections.abc.Callable[[Place], None] | None = None
    unit: str = "s"

    def missing(self) -> list[str]:
        return [one for one in self.needs if servers.which(one) is None]


def _write_numbers(place: Place) -> None:
    generator = random.Random(1)
    with (place.shared / "numbers").open("w") as to:
        for _ in range(4_000_000):
            to.write(f"{generator.getrandbits(48):x}\n")


def _make_repository(place: Place) -> None:
    repository = place.shared / "repository"
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    git = ["git", "-C", str(repository), "-c", "user.name=bench", "-c", "user.email=bench@localhost",
           "-c", "gc.auto=0"]
    generator = random.Random(2)
    texts = [[f"{generator.getrandbits(64):x}\n" for _ in range(40_000)] for _ in range(6)]
    for commit in range(24):
        for number, lines in enumerate(texts):
            lines[generator.randrange(len(lines))] = f"changed in {commit}\n"
            (repository / f"text{number}").write_text("".join(lines))
        (repository / f"image{commit % 3}").write_bytes(generator.randbytes(3_000_000))
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-qm", str(commit)], check=True)


def _small(lane: Lane, place: Place) -> Use:
    use = run_once(lane.command(place.small), lane.environment(), place.own, output=True)
    return Use(use.value)


def _sort(lane: Lane, place: Place) -> Use:
    return run_once(lane.command("sort", "-S", "1G", "--parallel=2", "-o", "sorted", place.shared / "numbers"),
                    lane.environment(), place.own)


def _xz(lane: Lane, place: Place) -> Use:
    return run_once(lane.command("xz", "-1", "-T2", "-k", "-c", place.shared / "numbers"),
                    lane.environment(), place.own)


def _git(lane: Lane, place: Place) -> Use:
    repository = place.own / "repository"
    shutil.copytree(place.shared / "repository", repository)
    return run_once(lane.command("git", "-C", repository, "gc", "-q", "--aggressive"),
                    lane.environment(), place.own)


def _gcc(lane: Lane, place: Place) -> Use:
    files = sorted(str(one) for one in (SOURCE / "src" / "region").glob("*.c"))
    return run_once(
        lane.command("gcc", "-std=c11", "-O2", "-D_GNU_SOURCE", f"-I{SOURCE / 'src'}", f"-I{SOURCE / 'include'}",
                     "-c", *files), lane.environment(), place.own)


def _python3(lane: Lane, place: Place) -> Idling:
    return run_and_stay(lane.command("python3", HERE / "arrays.py"), lane.environment(), place.own, "")


def _node(lane: Lane, place: Place) -> Idling:
    return run_and_stay(lane.command("node", "--expose-gc", HERE / "buffers.js"), lane.environment(), place.own, "")


def _sqlite3(lane: Lane, place: Place) -> Idling:
    return run_and_stay(lane.command("sqlite3"), lane.environment(), place.own, (HERE / "blobs.sql").read_text())


PROGRAMS = [
    Program("small", "malloc and free of 64 bytes, which the shim passes on", (), _small, unit="ns"),
    Program("redis", "redis-benchmark: SET and GET of 1.5 and 5 MB values, BGSAVE meanwhile", ("redis-server",
            "redis-benchmark", "redis-cli"), lambda lane, place: servers.redis(lane, place.own)),
    Program("postgres", "pgbench -i -s 20, then two sorts of 2 million rows in memory",
            ("postgres", "initdb", "pgbench", "psql"), lambda lane, place: servers.postgres(lane, place.own)),
    Program("sqlite3", "blobs of 1 to 16 MB in memory and in a file", ("sqlite3",), _sqlite3),
    Program("python3", "arrays of megabytes made, grown, dropped; four threads", ("python3",), _python3),
    Program("node", "1500 Buffers of 0.3 to 12 MB", ("node",), _node),
    Program("sort", "52 MB of lines, sort -S 1G", ("sort",), _sort, _write_numbers),
    Program("xz", "xz -1 -T2 of 52 MB", ("xz",), _xz, _write_numbers),
    Program("git gc", "git gc --aggressive, 24 commits of 15 MB", ("git",), _git, _make_repository),
    Program("gcc", "gcc -O2 of this library's allocator", ("gcc",), _gcc),
]
