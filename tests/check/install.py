#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""
install.py ROOT BUILD: what `cmake --install` puts into a prefix can be used from there: by pkg-config,
shared and static, and by find_package; and every public call's manual page is below share/man.
"""
import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile

import header
import tree

PROGRAM = """
#include <lgalloc/lgalloc.h>
#include <stdio.h>
int main(void)
{
	lg_region *region = lg_region_new(2 << 20);
	if (region == NULL) {
		fprintf(stderr, "%s\\n", lg_error());
		return 1;
	}
	*(char *)lg_region_data(region) = 1;
	lg_region_free(region);
	puts(lg_version());
	return 0;
}
"""

PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES C CXX)
find_package(lgalloc REQUIRED)
add_executable(consumer consumer.c)
add_executable(consumer_cpp consumer.cpp)
target_link_libraries(consumer PRIVATE lgalloc::lgalloc)
target_link_libraries(consumer_cpp PRIVATE lgalloc::lgalloc)
"""


class Failed(Exception):
    pass


def command(arguments, **more):
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, **more)
    if done.returncode != 0:
        raise Failed(f"{shlex.join(arguments)}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def one(pattern, prefix):
    found = glob.glob(os.path.join(prefix, pattern), recursive=True)
    if not found:
        raise Failed(f"{pattern} is not installed")
    return found[0]


def files(root, prefix):
    for path in tree.files(root, ["include"], [".h", ".hpp"]):
        one(path, prefix)
    for path in tree.files(root, ["man"], [".1", ".3", ".7"]):
        one(f"share/man/man{path[-1]}/{os.path.basename(path)}*", prefix)
    for name in header.all_functions(root):
        one(f"share/man/man3/{name}.3*", prefix)
    for path in ["bin/lgalloc", "share/bash-completion/completions/lgalloc"]:
        one(path, prefix)
    for name in ["liblgalloc.so", "liblgalloc.so.[0-9]*", "liblgalloc.a"]:
        one(f"**/{name}", prefix)


def soname(prefix):
    shown = command(["objdump", "-p", one("**/liblgalloc.so", prefix)])
    named = re.search(r"SONAME\s+(\S+)", shown)
    if named is None or not re.fullmatch(r"liblgalloc\.so\.\d+(\.\d+)?", named.group(1)):
        raise Failed("the shared library has no versioned soname")


def by_pkg_config(prefix, directory, static):
    environment = {**os.environ, "PKG_CONFIG_PATH": os.path.dirname(one("**/lgalloc.pc", prefix))}
    flags = command(["pkg-config", "--cflags", "--libs", *(["--static"] if static else []), "lgalloc"], env=environment)
    arguments = shlex.split(flags)
    if static:
        archive = one("**/liblgalloc.a", prefix)
        arguments = [archive if flag == "-llgalloc" else flag for flag in arguments]
    program = os.path.join(directory, "static" if static else "shared")
    source = os.path.join(directory, "consumer.c")
    command([os.environ.get("CC", "gcc"), "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", source, *arguments,
             "-o", program])
    libraries = os.path.dirname(one("**/liblgalloc.so", prefix))
    version = command(["pkg-config", "--modversion", "lgalloc"], env=environment)
    said = command([program], env={**os.environ, "LD_LIBRARY_PATH": libraries} if not static else None)
    if said != version:
        raise Failed(f"lg_version() is {said.strip()}, and pkg-config says {version.strip()}")


def by_find_package(prefix, directory):
    with open(os.path.join(directory, "CMakeLists.txt"), "w", encoding="utf-8") as file:
        file.write(PROJECT)
    build = os.path.join(directory, "build")
    command(["cmake", "-S", directory, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_BUILD_TYPE=Release"])
    command(["cmake", "--build", build])
    command([os.path.join(build, "consumer")])
    command([os.path.join(build, "consumer_cpp")])


def check(root, build):
    findings = tree.Findings("install")
    steps = 0
    with tempfile.TemporaryDirectory(prefix="lgalloc-install-") as top:
        prefix, directory = os.path.join(top, "prefix"), os.path.join(top, "consumer")
        os.mkdir(directory)
        for name in ["consumer.c", "consumer.cpp"]:
            with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
                file.write(PROGRAM)
        for name, step in [
            ("cmake --install", lambda: command(["cmake", "--install", build, "--prefix", prefix])),
            ("files", lambda: files(root, prefix)),
            ("soname", lambda: soname(prefix)),
            ("pkg-config, shared", lambda: by_pkg_config(prefix, directory, False)),
            ("pkg-config, static", lambda: by_pkg_config(prefix, directory, True)),
            ("find_package, in C and C++", lambda: by_find_package(prefix, directory)),
        ]:
            steps += 1
            try:
                step()
            except (Failed, subprocess.TimeoutExpired, FileNotFoundError) as failure:
                findings.add(name, 0, str(failure))
    return findings.finish(steps, "steps")


if __name__ == "__main__":
    sys.exit(check(sys.argv[1], sys.argv[2]))
