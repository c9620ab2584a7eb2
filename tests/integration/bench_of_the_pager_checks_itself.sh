#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# bench_of_the_pager_checks_itself.sh PROGRAM: each workload over each way to have more memory than there is, small: it
# ends well, which means that every byte was right, and says its value. What cannot be measured here says so.
set -euo pipefail
. "$(dirname "$0")/bench_workloads.sh"
key=space
value='-?[0-9]'

may_skip() {
	true
}

pagers="pager pager-file"
all="$pagers swap swap-huge file file-random"
runs "$all" "$1" sequential bytes=16M memory=8M page=64K cycles=1
runs "$pagers" "$1" sequential bytes=32M memory=16M page=2M cycles=1 policy=lifo
runs "$all" "$1" random bytes=8M memory=4M page=4K threads=2 single=1 warm=10 ms=30
runs "$all" "$1" random bytes=8M memory=4M page=4K threads=3 write=1 warm=10 ms=30
runs "$pagers" "$1" limbo memory=128M page=2M policy=fifo other=1 ms=200
runs "$pagers" "$1" peak bytes=32M memory=16M page=4K threads=4 ms=100
runs "$pagers" "$1" policy bytes=2M memory=1M page=4K prefetch=off count=2000
runs "$all" "$1" sort bytes=4M memory=2M page=64K
runs "$pagers" "$1" pages bytes=4M memory=2M page=4K shuffled=1 modify=1
runs "$all" "$1" pages bytes=4M memory=2M page=4K write=1
runs "$all" "$1" churn bytes=16M memory=8M hot=2M page=64K ms=50
runs "$all" "$1" stream bytes=12M memory=6M page=64K
runs "$all" "$1" bfs scale=10 memory=1M page=4K
runs "$all" "$1" btree keys=100000 memory=1M page=4K warm=10 ms=30
runs "pager-file file file-random" "$1" checkpoint bytes=8M memory=4M page=64K

# A wrong word is an end with a reason.
if "$1" random space=nothing >"$work/out" 2>&1 || ! grep -q '^fail space=nothing' "$work/out"; then
	printf 'a space that there is not: %s\n' "$(cat "$work/out")"
	failed=1
fi
refuses "$1" disk threads=2 "space options bytes reads"
exit "$failed"
