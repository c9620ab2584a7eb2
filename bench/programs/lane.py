# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Lanes: the same program under an allocator, and under the same one with the shim before it."""

import dataclasses
import os
import pathlib
import subprocess

JEMALLOC = "libjemalloc.so.2"


@dataclasses.dataclass(frozen=True)
class Lane:
    name: str
    beside: str | None  # the lane it is compared with: the same next allocator, without the shim
    preload: str | None
    run: tuple[str, ...]  # `lgalloc run --`, or nothing

    def environment(self) -> dict[str, str]:
        left_out = {"LD_PRELOAD", "LGALLOC_CONF", "MALLOC_CONF"}
        environment = {k: v for k, v in os.environ.items() if k not in left_out}
        if self.preload:
            environment["LD_PRELOAD"] = self.preload
        return environment

    def command(self, *arguments: str | pathlib.Path) -> list[str]:
        return [*self.run, *map(str, arguments)]


def _find_jemalloc() -> str | None:
    listing = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=False).stdout
    for line in listing.splitlines():
        if JEMALLOC in line and "=>" in line:
            return line.split("=>")[1].strip()
    return None


def lanes(lgalloc: pathlib.Path, options: str | None) -> list[Lane]:
    run = (str(lgalloc), "run", *(("-o", options) if options else ()), "--")
    found = [Lane("glibc", None, None, ()), Lane("glibc + shim", "glibc", None, run)]
    jemalloc = _find_jemalloc()
    if jemalloc:
        found += [
            Lane("jemalloc", None, jemalloc, ()),
            Lane("jemalloc + shim", "jemalloc", jemalloc, run),
        ]
    return found
