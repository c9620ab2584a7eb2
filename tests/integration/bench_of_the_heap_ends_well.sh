#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# bench_of_the_heap_ends_well.sh PROGRAM: each workload of the heap and of its peers, small: it ends well and says its
# value; a peer whose package was not there at the build says that.
set -euo pipefail
. "$(dirname "$0")/bench_workloads.sh"
export PMEM_IS_PMEM_FORCE=1
key=heap
value='[0-9]'

# A peer whose package was not there.
may_skip() {
	[ "$1" != lgalloc ] && grep -q '^skip ' "$work/out"
}

takers="lgalloc boost pmemobj"
runs "$takers" "$1" pair size=64 ms=20
runs "$takers" "$1" pair size=1M ms=20
runs "$takers" "$1" batch size=64 count=100 ms=20
runs "$takers" "$1" parallel size=64 threads=2 ms=60
runs "lgalloc msync" "$1" commit bytes=8M pages=50 alone=1 count=3
runs "lgalloc lmdb" "$1" page bytes=2M count=3
runs lgalloc "$1" reopen bytes=64M block=1M replay=1M count=1

if ! "$1" about heap=lgalloc >"$work/out" 2>&1 || ! grep -q '^t allocator lgalloc$' "$work/out"; then
	printf 'it does not say whose heap it measures\n'
	failed=1
fi
if "$1" pair heap=nothing >"$work/out" 2>&1 || ! grep -q '^skip heap=nothing' "$work/out"; then
	printf 'a peer that there is not: %s\n' "$(cat "$work/out")"
	failed=1
fi
refuses "$1" commit block=1M "heap options bytes pages alone count"
left=$(find "$work" -type f ! -name out | wc -l)
if [ "$left" -ne 0 ]; then
	printf 'files are left: %s\n' "$(ls "$work")"
	failed=1
fi
exit "$failed"
