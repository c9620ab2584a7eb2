#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# bench_runs_where_it_is_installed.sh BUILD: `lgalloc bench` finds the runner in the build and in a prefix that
# was moved, the runner its workloads, and these the library that lies with them; a report names the command.
set -euo pipefail
unset LGALLOC_CONF LD_PRELOAD LD_LIBRARY_PATH LGALLOC_BENCH_COMMAND LGALLOC_BENCH_COMMIT
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	printf '%s\n' "$*" >&2
	exit 1
}

# runs LGALLOC: one row, with one allocator, in the shortest way there is.
runs() {
	"$1" bench --list >"$work/list" || fail "$1 bench --list"
	grep -q '^  lgalloc-file  *[0-9]' "$work/list" || fail "the library is not found by $1: $(cat "$work/list")"
	(cd "$work" && "$1" bench --quick --repeat 1 --allocators lgalloc-file --report report.md thread-start statistics) \
		>"$work/out" 2>&1 || fail "$1 bench: $(cat "$work/out")"
	for row in thread-start statistics; do
		grep -qF "[$row]" "$work/out" || fail "$row was not run by $1: $(cat "$work/out")"
	done
	grep -qF "command: \`lgalloc bench --quick" "$work/report.md" || fail "the report does not name the command"
}

runs "$build/lgalloc"
cmake --install "$build" --prefix "$work/first" >"$work/log" || fail "cmake --install: $(cat "$work/log")"
mkdir "$work/a place"
mv "$work/first" "$work/a place/moved"
runs "$work/a place/moved/bin/lgalloc"
ldd "$work/a place/moved/libexec/lgalloc/lgalloc-bench-regions" >"$work/ldd"
grep -qF "a place/moved" "$work/ldd" || fail "the workloads have another library: $(cat "$work/ldd")"

rm -r "$work/a place/moved/libexec"
"$work/a place/moved/bin/lgalloc" bench >"$work/out" 2>&1 && fail "benchmarks that are gone were run"
grep -qF "the benchmarks are not installed" "$work/out" || fail "$(cat "$work/out")"
