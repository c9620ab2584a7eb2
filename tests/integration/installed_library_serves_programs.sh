#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# Claim: what `cmake --install` puts under a prefix is all a program elsewhere needs: found by pkg-config
# and by find_package, shared and static, in C and C++, and still so after the prefix was moved.
# Method: install the build directory given as $1 to a temporary prefix, move that, and build and run
# programs outside of this tree against it.
# Oracle: every step's exit status, and which library the program has loaded.
set -eu

build=$1
here=$(cd "$(dirname "$0")" && pwd)
cc=${CC:-cc}
cxx=${CXX:-c++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fail()
{
	echo "$0: $*" >&2
	exit 1
}

missing()
{
	echo "skipped: no $1 here"
	exit 77
}

command -v pkg-config >"$work/log" || missing pkg-config
command -v cmake >"$work/log" || missing cmake

cmake --install "$build" --prefix "$work/first" >"$work/log" || fail "cmake --install"
mkdir "$work/a place" && mv "$work/first" "$work/a place/moved"
prefix="$work/a place/moved"

pc=$(find "$prefix" -name lgalloc.pc)
[ -n "$pc" ] || fail "no lgalloc.pc is installed"
libraries=$(dirname "$(dirname "$pc")")
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH

# pkg-config escapes the space in the prefix for a shell, so a shell must read its answer.
flags=$(pkg-config --cflags --libs lgalloc)
static_flags=$(pkg-config --cflags --libs --static lgalloc)
eval "$cc -std=c11 -Wall -Wextra -Werror '$here/program.c' -o '$work/shared' $flags -pthread" ||
	fail "a program does not build with pkg-config"
LD_LIBRARY_PATH=$libraries "$work/shared" || fail "a program built with pkg-config does not run"
LD_LIBRARY_PATH=$libraries ldd "$work/shared" | grep -F "$libraries/liblgalloc.so" >"$work/log" ||
	fail "the program does not load the installed library"

static_flags=$(echo "$static_flags" | sed 's/-llgalloc/-l:liblgalloc.a/')
eval "$cc -std=c11 '$here/program.c' -o '$work/static' $static_flags -pthread" ||
	fail "a program does not build with pkg-config --static"
env -u LD_LIBRARY_PATH "$work/static" || fail "a static program does not run"
if ldd "$work/static" | grep -F liblgalloc >"$work/log"; then
	fail "a static program loads the shared library"
fi

if command -v "$cxx" >"$work/log"; then
	eval "$cxx -std=c++17 -Wall -Wextra -Werror '$here/program.cpp' -o '$work/cpp' $flags" ||
		fail "a C++ program does not build with pkg-config"
	LD_LIBRARY_PATH=$libraries "$work/cpp" || fail "a C++ program built with pkg-config does not run"
else
	echo "no $cxx here: nothing tried in C++"
fi

cp -r "$here/project" "$work/project"
cp "$here/program.c" "$here/program.cpp" "$work/project/"
cmake -S "$work/project" -B "$work/build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc" \
	>"$work/log" 2>&1 || { cat "$work/log"; fail "find_package(lgalloc) does not find it"; }
cmake --build "$work/build" >"$work/log" 2>&1 || { cat "$work/log"; fail "a CMake project does not build"; }
"$work/build/shared" || fail "a CMake project's program does not run"
"$work/build/static" || fail "a CMake project's static program does not run"
if command -v "$cxx" >"$work/log"; then
	for program in from_cpp cpp cpp_static; do
		"$work/build/$program" || fail "a CMake project's $program does not run"
	done
fi

# Another minor version is another interface, before 1.0.
if cmake -S "$work/project" -B "$work/wrong" -DCMAKE_PREFIX_PATH="$prefix" -DWANTED=0.99 \
	-DCMAKE_C_COMPILER="$cc" >"$work/log" 2>&1; then
	fail "find_package(lgalloc 0.99) is satisfied"
fi

# A plug-in that uses the library may be closed while a thread that used it lives on.
eval "$cc -std=c11 -shared -fPIC -DPLUGIN '$here/program.c' -o '$work/plugin.so' $flags -pthread" ||
	fail "a plug-in does not build"
eval "$cc -std=gnu11 '$here/host.c' -o '$work/host' -ldl -pthread" || fail "the host does not build"
LD_LIBRARY_PATH=$libraries "$work/host" "$work/plugin.so" || fail "closing a plug-in breaks its host"
